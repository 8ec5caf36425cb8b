#include "sim-emulator/shell/tape.h"

#include "common/base/check.h"
#include "sim-emulator/core/story.h"
#include "sim-emulator/shell/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OCTETS_MAX 600 // of one exchange
#define GSMTAP_MAX (16 + OCTETS_MAX)
#define HEADER_LEN 5 // of a command in T=0

struct tape {
    struct app *app;
    struct story *stories; // of each card
    int socket;            // -1 = none
    FILE *packets;
    FILE *text;
    uint8_t line[STORY_TEXT_MAX];
};

// --- GSMTAP ----------------------------------------------------------------------------------

static void put_packet(struct tape *tape, enum capture_kind kind, uint32_t card,
                       struct bytes content)
{
    uint8_t octets[GSMTAP_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    capture_gsmtap(&w, kind, card, content);
    if (w.failed)
        return;
    // Nobody need be listening: what cannot be sent is lost.
    if (tape->socket >= 0)
        (void)send(tape->socket, w.at, w.len, MSG_NOSIGNAL);
    struct utc at = utc_after(tape->app->fleet.world.start, (int64_t)app_clock(tape->app).ms);
    if (tape->packets != NULL)
        capture_write(tape->packets, writer_bytes(&w), at);
}

static void put_exchange(struct tape *tape, uint32_t card, const struct card_seen *seen)
{
    uint8_t octets[OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct apdu apdu;
    if (seen->sw == CARD_MUTE || apdu_read(seen->command, &apdu) != APDU_OK)
        return; // there is no such exchange in T=0
    bool is_both = apdu.data.len > 0 && seen->response.len > 0;
    writer_copy(&w, bytes_slice(seen->command, 0, HEADER_LEN));
    if (seen->command.len < HEADER_LEN)
        writer_u8(&w, 0); // case 1: P3 is 00
    writer_copy(&w, apdu.data);
    if (is_both) {
        writer_u16(&w, (uint16_t)(SW_DATA_AVAILABLE | (seen->response.len & 0xFF)));
        put_packet(tape, CAPTURE_APDU, card, writer_bytes(&w));
        w.len = 0;
        writer_u8(&w, apdu.cla & 0x80 ? apdu.cla & 0x0F : apdu.cla);
        writer_u8(&w, INS_GET_RESPONSE);
        writer_u16(&w, 0);
        writer_u8(&w, (uint8_t)seen->response.len);
    }
    writer_copy(&w, seen->response);
    writer_u16(&w, seen->sw);
    if (!w.failed)
        put_packet(tape, CAPTURE_APDU, card, writer_bytes(&w));
}

// --- all -------------------------------------------------------------------------------------

static void see(void *context, const struct card_seen *seen)
{
    struct tape *tape = context;
    struct app *app = tape->app;
    // Every card is in a device.
    const struct device *device =
        (const struct device *)((const char *)seen->card - offsetof(struct device, card));
    uint32_t number = (uint32_t)(device - app->devices);
    check(number < app->fleet.count);
    uint8_t octets[2][OCTETS_MAX];
    struct writer command = writer_of(octets[0], OCTETS_MAX);
    struct writer response = writer_of(octets[1], OCTETS_MAX);
    struct story *story = &tape->stories[number];
    story_blank(story, seen, &command, &response);
    struct card_seen blanked = {.card = seen->card,
                                .command = writer_bytes(&command),
                                .response = writer_bytes(&response),
                                .sw = seen->sw};
    if (blanked.command.len == 0)
        put_packet(tape, CAPTURE_ATR, number, blanked.response);
    else
        put_exchange(tape, number, &blanked);
    if (tape->text == NULL)
        return;
    struct writer line = writer_of(tape->line, sizeof tape->line);
    story_tell(story, &blanked, app_clock(app), &line);
    (void)fwrite(line.at, 1, line.len, tape->text);
}

static bool open_socket(struct tape *tape, const char *address, char error[CARDS_ERROR_SIZE])
{
    struct net_address to;
    enum net_error failed = net_resolve(address, &to);
    if (failed == NET_OK) {
        tape->socket = socket(to.at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (tape->socket < 0 || connect(tape->socket, (struct sockaddr *)&to.at, to.len) != 0)
            failed = NET_FAILED;
    }
    if (failed != NET_OK)
        (void)snprintf(error, CARDS_ERROR_SIZE, "--gsmtap %.120s: %s", address,
                       net_error_name(failed));
    return failed == NET_OK;
}

static bool open_file(FILE **file, const char *path, bool is_text, char error[CARDS_ERROR_SIZE])
{
    if (is_text) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    } else {
        *file = capture_open(path);
    }
    if (*file == NULL)
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.160s: %s", path, strerror(errno));
    return *file != NULL;
}

static bool open_all(struct tape *tape, char error[CARDS_ERROR_SIZE])
{
    const struct options *o = &tape->app->options;
    tape->stories = calloc(tape->app->fleet.count, sizeof *tape->stories);
    (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory for the trace");
    if (tape->stories == NULL)
        return false;
    for (uint32_t i = 0; i < tape->app->fleet.count; i++)
        story_init(&tape->stories[i]);
    return (o->gsmtap == NULL || open_socket(tape, o->gsmtap, error)) &&
           (o->pcapng == NULL || open_file(&tape->packets, o->pcapng, false, error)) &&
           (o->trace == NULL || open_file(&tape->text, o->trace, true, error));
}

struct tape *tape_open(struct app *app, char error[CARDS_ERROR_SIZE])
{
    const struct options *o = &app->options;
    error[0] = 0;
    if (o->gsmtap == NULL && o->pcapng == NULL && o->trace == NULL)
        return NULL;
    struct tape *tape = calloc(1, sizeof *tape);
    if (tape == NULL) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory for the trace");
        return NULL;
    }
    tape->app = app;
    tape->socket = -1;
    if (!open_all(tape, error)) {
        (void)tape_close(tape);
        return NULL;
    }
    app->shop.seen = see;
    app->shop.seen_context = tape;
    return tape;
}

static bool flush(FILE *file)
{
    return file == NULL || (fflush(file) == 0 && ferror(file) == 0);
}

bool tape_flush(struct tape *tape)
{
    if (tape == NULL)
        return true;
    bool ok = flush(tape->packets);
    return flush(tape->text) && ok;
}

bool tape_close(struct tape *tape)
{
    if (tape == NULL)
        return true;
    bool ok = tape_flush(tape);
    tape->app->shop.seen = NULL;
    if (tape->packets != NULL)
        ok = fclose(tape->packets) == 0 && ok;
    if (tape->text != NULL)
        ok = fclose(tape->text) == 0 && ok;
    if (tape->socket >= 0)
        (void)close(tape->socket);
    if (tape->stories != NULL)
        secret_wipe(tape->stories, tape->app->fleet.count * sizeof *tape->stories);
    free(tape->stories);
    free(tape);
    return ok;
}
