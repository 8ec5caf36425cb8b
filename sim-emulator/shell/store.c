#include "sim-emulator/shell/store.h"

#include "common/wire/crc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// "OTARIAFL" version(2) clock(8) subscribers(4) { seq(8) } cards(4) { ICCID(10) pages(4)
// { number(4) octets(64) } } CRC-32(4)
#define FILE_NAME "cards.nvm"
#define FORMAT_VERSION 1
static const uint8_t mark[] = {'O', 'T', 'A', 'R', 'I', 'A', 'F', 'L'};

struct stream {
    FILE *file;
    uint32_t crc;
    bool failed;
};

static void put(struct stream *s, struct bytes octets)
{
    s->crc = crc32_add(s->crc, octets);
    s->failed = s->failed || fwrite(octets.at, 1, octets.len, s->file) != octets.len;
}

static void put_number(struct stream *s, uint64_t value, size_t len)
{
    uint8_t octets[8];
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    put(s, bytes_of(octets, len));
}

static void get(struct stream *s, void *to, size_t len)
{
    s->failed = s->failed || fread(to, 1, len, s->file) != len;
    if (s->failed)
        memset(to, 0, len);
    s->crc = crc32_add(s->crc, bytes_of(to, len));
}

static uint64_t get_number(struct stream *s, size_t len)
{
    uint8_t octets[8];
    uint64_t value = 0;
    get(s, octets, len);
    for (size_t i = 0; i < len; i++)
        value = value << 8 | octets[i];
    return value;
}

static void put_card(struct stream *s, const struct card *card)
{
    put(s, bytes_of(card->factory->card_iccid, COMMAND_ICCID_SIZE));
    uint32_t count = 0;
    uint32_t number = 0;
    struct bytes octets;
    for (; nvm_next_page(&card->nvm, &number, &octets); number++)
        count++;
    put_number(s, count, 4);
    for (number = 0; nvm_next_page(&card->nvm, &number, &octets); number++) {
        put_number(s, number, 4);
        put(s, octets);
    }
}

bool store_save(struct app *app, char error[CARDS_ERROR_SIZE])
{
    char path[512];
    char fresh[512];
    (void)snprintf(path, sizeof path, "%s/" FILE_NAME, app->options.data);
    (void)snprintf(fresh, sizeof fresh, "%s/" FILE_NAME ".new", app->options.data);
    // Memories hold network keys: for the owner only.
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stream s = {.file = fd < 0 ? NULL : fdopen(fd, "wb")};
    s.failed = s.file == NULL;
    if (!s.failed) {
        put(&s, bytes_of(mark, sizeof mark));
        put_number(&s, FORMAT_VERSION, 2);
        put_number(&s, app_now(app).ms, 8);
        put_number(&s, app->radio.subscriber_count, 4);
        for (uint32_t i = 0; i < app->radio.subscriber_count; i++)
            put_number(&s, app->radio.subscribers[i].seq, 8);
        put_number(&s, app->fleet.count, 4);
        for (uint32_t i = 0; i < app->fleet.count; i++)
            put_card(&s, &app->devices[i].card);
        put_number(&s, s.crc, 4);
        s.failed = s.failed || fflush(s.file) != 0 || fsync(fileno(s.file)) != 0;
        s.failed = fclose(s.file) != 0 || s.failed;
    }
    if (!s.failed && rename(fresh, path) == 0)
        return true;
    (void)snprintf(error, CARDS_ERROR_SIZE, "%.160s: %s", fresh, strerror(errno));
    return false;
}

static bool get_card(struct stream *s, struct card *card)
{
    uint8_t iccid[COMMAND_ICCID_SIZE];
    get(s, iccid, sizeof iccid);
    if (s->failed || memcmp(iccid, card->factory->card_iccid, sizeof iccid) != 0)
        return false;
    uint64_t count = get_number(s, 4);
    for (uint64_t i = 0; i < count && !s->failed; i++) {
        uint64_t number = get_number(s, 4);
        uint8_t octets[NVM_PAGE_LEN];
        get(s, octets, sizeof octets);
        if (number >= NVM_LEN_MAX / NVM_PAGE_LEN ||
            nvm_write(&card->nvm, (uint32_t)number * NVM_PAGE_LEN, octets, sizeof octets) != NVM_OK)
            return false;
    }
    return !s->failed;
}

static bool get_all(struct app *app, struct stream *s)
{
    uint8_t begin[sizeof mark];
    get(s, begin, sizeof begin);
    if (memcmp(begin, mark, sizeof mark) != 0 || get_number(s, 2) != FORMAT_VERSION)
        return false;
    app->virtual_start.ms = get_number(s, 8);
    if (get_number(s, 4) != app->radio.subscriber_count)
        return false;
    for (uint32_t i = 0; i < app->radio.subscriber_count; i++)
        app->radio.subscribers[i].seq = get_number(s, 8);
    if (get_number(s, 4) != app->fleet.count)
        return false;
    for (uint32_t i = 0; i < app->fleet.count; i++) {
        if (!get_card(s, &app->devices[i].card))
            return false;
    }
    uint32_t crc = s->crc;
    return get_number(s, 4) == crc && !s->failed;
}

bool store_load(struct app *app, char error[CARDS_ERROR_SIZE])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/" FILE_NAME, app->options.data);
    struct stream s = {.file = fopen(path, "rb")};
    if (s.file == NULL) {
        if (errno == ENOENT)
            return true;
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.160s: %s", path, strerror(errno));
        return false;
    }
    bool ok = get_all(app, &s);
    (void)fclose(s.file);
    if (!ok)
        (void)snprintf(error, CARDS_ERROR_SIZE,
                       "%.160s: is damaged, or of other cards; move it away to begin anew", path);
    return ok;
}
