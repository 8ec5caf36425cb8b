#include "common/host/log.h"

#include "common/base/check.h"
#include "common/base/text.h"

#include <poll.h>
#include <unistd.h>

#define END_ROOM 16 // for the closing brace, `cut=true` and the line feed
#define MASKED_MAX 128

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_init(struct log *l, int fd, enum log_form form, enum log_level level)
{
    *l = (struct log){.fd = fd, .level = level, .form = form};
}

bool log_level_read(const char *word, enum log_level *level)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(word, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_begin(struct log *l, enum log_level level, struct utc at, const char *event)
{
    check(!l->open);
    if (level > l->level)
        return;
    l->open = true;
    l->cut = false;
    l->out = writer_of(l->line, sizeof l->line - END_ROOM);
    char time[UTC_TEXT_SIZE];
    utc_format(at, time);
    if (l->form == LOG_JSON) {
        l->json = json_writer_of(&l->out);
        json_begin_object(&l->json);
        log_string(l, "time", time);
        log_string(l, "level", level_names[level]);
        log_string(l, "event", event);
        return;
    }
    text_put(&l->out, time);
    writer_u8(&l->out, ' ');
    text_put(&l->out, level_names[level]);
    writer_u8(&l->out, ' ');
    text_put(&l->out, event);
}

static bool is_bare(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.at[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return value.len > 0;
}

static void put_quoted(struct writer *w, struct bytes value)
{
    struct json_writer j = json_writer_of(w); // its quoting and escapes are those we want
    json_put_text(&j, value);
}

// A member that does not fit disappears whole.
static void settle(struct log *l, size_t len_before)
{
    if (!l->out.failed)
        return;
    l->out.failed = false;
    l->out.len = len_before;
    l->cut = true;
}

void log_text(struct log *l, const char *key, struct bytes value)
{
    if (!l->open || l->cut)
        return;
    size_t before = l->out.len;
    if (l->form == LOG_JSON) {
        json_put_key(&l->json, key);
        json_put_text(&l->json, value);
        settle(l, before);
        return;
    }
    writer_u8(&l->out, ' ');
    text_put(&l->out, key);
    writer_u8(&l->out, '=');
    if (is_bare(value))
        writer_copy(&l->out, value);
    else
        put_quoted(&l->out, value);
    settle(l, before);
}

void log_string(struct log *l, const char *key, const char *value)
{
    log_text(l, key, bytes_of_text(value));
}

static void bare(struct log *l, const char *key, struct bytes value)
{
    if (!l->open || l->cut)
        return;
    if (l->form == LOG_TEXT) {
        log_text(l, key, value);
        return;
    }
    size_t before = l->out.len;
    json_put_key(&l->json, key);
    json_put_raw(&l->json, value);
    settle(l, before);
}

void log_number(struct log *l, const char *key, int64_t value)
{
    uint8_t digits[20];
    struct writer w = writer_of(digits, sizeof digits);
    struct json_writer j = json_writer_of(&w);
    json_put_signed(&j, value);
    bare(l, key, writer_bytes(&w));
}

void log_bool(struct log *l, const char *key, bool value)
{
    bare(l, key, bytes_of_text(value ? "true" : "false"));
}

void log_masked(struct log *l, const char *key, enum mask mask, struct bytes value)
{
    uint8_t masked[MASKED_MAX];
    struct writer w = writer_of(masked, sizeof masked);
    mask_write(&w, mask, bytes_slice(value, 0, sizeof masked));
    log_text(l, key, l->clear ? value : writer_bytes(&w));
}

// A pipe that is ready takes a line of ours whole, since it is shorter than PIPE_BUF.
static bool write_now(int fd, struct bytes line)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
           write(fd, line.at, line.len) == (ssize_t)line.len;
}

static void tell_dropped(struct log *l)
{
    uint8_t text[64];
    struct writer w = writer_of(text, sizeof text);
    bool json = l->form == LOG_JSON;
    text_put(&w, json ? "{\"level\":\"warn\",\"event\":\"log.dropped\",\"lines\":"
                      : "warn log.dropped lines=");
    text_decimal(&w, l->dropped - l->dropped_told);
    text_put(&w, json ? "}\n" : "\n");
    if (write_now(l->fd, writer_bytes(&w)))
        l->dropped_told = l->dropped;
}

void log_end(struct log *l)
{
    if (!l->open)
        return;
    l->open = false;
    l->out.cap = sizeof l->line;
    if (l->form == LOG_JSON)
        text_put(&l->out, l->cut ? ",\"cut\":true}" : "}");
    else if (l->cut)
        text_put(&l->out, " cut=true");
    writer_u8(&l->out, '\n');
    if (l->dropped > l->dropped_told)
        tell_dropped(l);
    if (!write_now(l->fd, writer_bytes(&l->out)))
        l->dropped++;
}
