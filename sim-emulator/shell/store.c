#include "sim-emulator/shell/store.h"

#include "common/host/clock.h"
#include "common/wire/crc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The file: "OTARIAFL" format(1) memory version(1) clock(8) cards(4) CRC-32(4), then records, at
// first one of every card in order, later one of each card that changed; the last one counts:
// length(4) clock(8) card(4) ICCID(10) wear(4) { page(2) octets(64) } CRC-32(4)
#define FILE_NAME "cards.nvm"
#define FORMAT_VERSION (0x0300 + CARD_MEMORY_VERSION)
#define HEAD_LEN 26
#define RECORD_HEAD_LEN 26 // after the length
#define RECORD_PAGE_LEN (2 + NVM_PAGE_LEN)
#define RECORD_MAX (RECORD_HEAD_LEN + NVM_LEN_MAX / NVM_PAGE_LEN * RECORD_PAGE_LEN)
#define BUFFER_LEN (1U << 18)
// Written anew when it has grown to so many times its first length.
#define GROWTH 4
#define GROWTH_MIN (16U << 20)
static const uint8_t mark[] = {'O', 'T', 'A', 'R', 'I', 'A', 'F', 'L'};

struct store {
    FILE *file;     // open for more records
    uint32_t *wear; // of each card, when it was last written
    uint64_t len;   // of the file
    uint64_t limit; // at which it is written anew
    bool has_failed;
    uint8_t record[4 + RECORD_MAX + 4];
};

// --- writing ---------------------------------------------------------------------------------

static void put(struct store *store, FILE *file, struct bytes octets)
{
    store->has_failed = store->has_failed || fwrite(octets.at, 1, octets.len, file) != octets.len;
    store->len += octets.len;
}

static void put_head(struct app *app, FILE *file)
{
    uint8_t octets[HEAD_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    writer_copy(&w, bytes_of(mark, sizeof mark));
    writer_u16(&w, FORMAT_VERSION);
    writer_u64(&w, app_clock(app).ms);
    writer_u32(&w, app->fleet.count);
    writer_u32(&w, crc32_add(0, writer_bytes(&w)));
    put(app->store, file, writer_bytes(&w));
}

static void put_card(struct app *app, FILE *file, uint32_t device)
{
    struct store *store = app->store;
    const struct card *card = &app->devices[device].card;
    struct writer w = writer_of(store->record + 4, RECORD_MAX + 4);
    writer_u64(&w, app_clock(app).ms);
    writer_u32(&w, device);
    writer_copy(&w, bytes_of(card->factory->card_iccid, COMMAND_ICCID_SIZE));
    writer_u32(&w, card->nvm.written);
    uint32_t number = 0;
    struct bytes octets;
    for (; nvm_next_page(&card->nvm, &number, &octets); number++) {
        writer_u16(&w, (uint16_t)number);
        writer_copy(&w, octets);
    }
    struct writer length = writer_of(store->record, 4);
    writer_u32(&length, (uint32_t)w.len);
    writer_u32(&w, crc32_add(0, writer_bytes(&w)));
    put(store, file, bytes_of(store->record, 4 + w.len));
    store->wear[device] = card->nvm.written;
}

void store_note(struct app *app, uint32_t device)
{
    struct store *store = app->store;
    if (store != NULL && store->wear[device] != app->devices[device].card.nvm.written)
        put_card(app, store->file, device);
}

bool store_turn(struct app *app)
{
    struct store *store = app->store;
    char error[CARDS_ERROR_SIZE];
    if (store == NULL || store->has_failed)
        return true; // told before
    store->has_failed = fflush(store->file) != 0;
    bool is_large = !store->has_failed && store->len > store->limit;
    if (!store->has_failed && (!is_large || store_save(app, error)))
        return true;
    log_begin(&app->log, LOG_ERROR, clock_utc(), "store.failed");
    log_text(&app->log, "reason", bytes_of_text(is_large ? error : strerror(errno)));
    log_end(&app->log);
    return false;
}

// The file with all cards, in place of the one that is there.
static bool write_anew(struct app *app, const char *path, const char *fresh)
{
    struct store *store = app->store;
    // Memories hold network keys: for the owner only.
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    FILE *file = fdopen(fd, "wb");
    if (file == NULL) {
        (void)close(fd);
        return false;
    }
    (void)setvbuf(file, NULL, _IOFBF, BUFFER_LEN);
    store->len = 0;
    store->has_failed = false;
    put_head(app, file);
    for (uint32_t i = 0; i < app->fleet.count && !store->has_failed; i++)
        put_card(app, file, i);
    store->has_failed =
        store->has_failed || fflush(file) != 0 || fsync(fd) != 0 || rename(fresh, path) != 0;
    if (store->has_failed) {
        (void)fclose(file);
        return false;
    }
    if (store->file != NULL)
        (void)fclose(store->file); // nothing waits in it: the new file has it all
    store->file = file;
    store->limit = store->len * GROWTH > GROWTH_MIN ? store->len * GROWTH : GROWTH_MIN;
    return true;
}

bool store_save(struct app *app, char error[CARDS_ERROR_SIZE])
{
    char path[512];
    char fresh[512];
    (void)snprintf(path, sizeof path, "%s/" FILE_NAME, app->options.data);
    (void)snprintf(fresh, sizeof fresh, "%s/" FILE_NAME ".new", app->options.data);
    if (write_anew(app, path, fresh))
        return true;
    (void)snprintf(error, CARDS_ERROR_SIZE, "%.160s: %s", fresh, strerror(errno));
    return false;
}

// --- reading ---------------------------------------------------------------------------------

static bool read_head(struct app *app, FILE *file)
{
    uint8_t octets[HEAD_LEN];
    if (fread(octets, 1, sizeof octets, file) != sizeof octets)
        return false;
    struct reader r = reader_of(bytes_of(octets, sizeof octets));
    bool is_ours = bytes_equal(reader_bytes(&r, sizeof mark), bytes_of(mark, sizeof mark)) &&
                   reader_u16(&r) == FORMAT_VERSION;
    app->virtual_start.ms = reader_u64(&r);
    return is_ours && reader_u32(&r) == app->fleet.count &&
           reader_u32(&r) == crc32_add(0, bytes_of(octets, HEAD_LEN - 4));
}

static bool apply_record(struct app *app, struct bytes record)
{
    struct reader r = reader_of(record);
    app->virtual_start.ms = reader_u64(&r);
    uint32_t device = reader_u32(&r);
    struct bytes iccid = reader_bytes(&r, COMMAND_ICCID_SIZE);
    uint32_t wear = reader_u32(&r);
    if (r.failed || device >= app->fleet.count)
        return false;
    struct card *card = &app->devices[device].card;
    if (memcmp(iccid.at, card->factory->card_iccid, COMMAND_ICCID_SIZE) != 0)
        return false;
    nvm_release(&card->nvm);
    while (r.left > 0) {
        uint32_t page = reader_u16(&r);
        struct bytes octets = reader_bytes(&r, NVM_PAGE_LEN);
        if (r.failed || page >= NVM_LEN_MAX / NVM_PAGE_LEN ||
            nvm_write(&card->nvm, page * NVM_PAGE_LEN, octets.at, octets.len) != NVM_OK)
            return false;
    }
    card->nvm.written = wear;
    return true;
}

// Records up to the end, or to one that was cut there.
static bool read_records(struct app *app, FILE *file, uint64_t *count)
{
    struct store *store = app->store;
    for (;; (*count)++) {
        if (fread(store->record, 1, 4, file) != 4)
            return ferror(file) == 0;
        struct reader r = reader_of(bytes_of(store->record, 4));
        uint32_t len = reader_u32(&r);
        if (len > RECORD_MAX)
            return false;
        if (fread(store->record, 1, len + 4, file) != len + 4)
            return ferror(file) == 0;
        struct reader end = reader_of(bytes_of(store->record + len, 4));
        struct bytes record = bytes_of(store->record, len);
        if (reader_u32(&end) != crc32_add(0, record) || !apply_record(app, record))
            return false;
    }
}

static bool load(struct app *app, char error[CARDS_ERROR_SIZE])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/" FILE_NAME, app->options.data);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        if (errno == ENOENT)
            return true;
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.160s: %s", path, strerror(errno));
        return false;
    }
    uint64_t count = 0;
    // Fewer records than cards: the file was never whole.
    bool ok = read_head(app, file) && read_records(app, file, &count) && count >= app->fleet.count;
    (void)fclose(file);
    if (!ok)
        (void)snprintf(error, CARDS_ERROR_SIZE,
                       "%.160s: is of another version, damaged, or of other cards; "
                       "move it away to begin anew",
                       path);
    return ok;
}

bool store_open(struct app *app, char error[CARDS_ERROR_SIZE])
{
    struct store *store = calloc(1, sizeof *store);
    app->store = store;
    if (store != NULL)
        store->wear = calloc(app->fleet.count, sizeof *store->wear);
    if (store == NULL || store->wear == NULL) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory");
        return false;
    }
    return load(app, error) && store_save(app, error);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->file != NULL)
        (void)fclose(store->file);
    secret_wipe(store->record, sizeof store->record);
    free(store->wear);
    free(store);
}
