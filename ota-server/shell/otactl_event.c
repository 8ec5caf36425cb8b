// What happens, as it happens: the stream of events, opened again whenever it ends or breaks off.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#define LINE_MAX_OCTETS 4096 // of the stream
#define ID_SIZE 24
#define NAME_SIZE 64
#define AGAIN_MS 1000      // after a stream that ended, unless the server says how long
#define AGAIN_MAX_MS 60000 // and after many that could not be opened

struct stream {
    struct ctl_task *t;
    char line[LINE_MAX_OCTETS];
    size_t len;
    bool is_cut; // the line is longer: no event of ours
    char id[ID_SIZE], name[NAME_SIZE], data[LINE_MAX_OCTETS];
    char last[ID_SIZE];          // of the last event that was shown
    uint64_t left;               // to be shown; UINT64_MAX: as many as come
    bool is_open, was_open;      // this time, and ever
    uint64_t retry_ms, pause_ms; // that the server asks for, and the last one
};

static void copy(char *to, size_t size, struct bytes text)
{
    const size_t len = text.len < size ? text.len : size - 1;
    bytes_copy(to, bytes_slice(text, 0, len));
    to[len] = '\0';
}

static void show(struct stream *s)
{
    if (ctl_has(s->t, OPTION_JSON)) {
        fputs("{\"id\":", stdout);
        ctl_put_clean(stdout, s->id);
        fputs(",\"event\":\"", stdout);
        ctl_put_clean(stdout, s->name);
        fputs("\",\"data\":", stdout);
        ctl_put_clean(stdout, s->data);
        fputs("}\n", stdout);
    } else {
        ctl_put_clean(stdout, s->id);
        fputs(" ", stdout);
        ctl_put_clean(stdout, s->name);
        if (!ctl_has(s->t, OPTION_QUIET)) {
            fputs(" ", stdout);
            ctl_put_clean(stdout, s->data);
        }
        fputs("\n", stdout);
    }
    (void)fflush(stdout); // whoever reads waits for it
    memcpy(s->last, s->id, sizeof(s->last));
    if (s->left != UINT64_MAX)
        s->left--;
}

// A line is a field and its value; an empty one ends an event, one with ':' in front is a comment.
static void take_line(struct stream *s)
{
    static const char retry[] = "retry: ";
    static const struct {
        const char *field;
        size_t at, size;
    } fields[] = {{"id: ", offsetof(struct stream, id), ID_SIZE},
                  {"event: ", offsetof(struct stream, name), NAME_SIZE},
                  {"data: ", offsetof(struct stream, data), LINE_MAX_OCTETS}};
    const struct bytes line = bytes_of(s->line, s->len);
    if (line.len == 0 && s->name[0] != '\0')
        show(s);
    if (line.len == 0)
        s->id[0] = s->name[0] = s->data[0] = '\0';
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !s->is_cut; i++) {
        const size_t len = strlen(fields[i].field);
        if (line.len >= len && memcmp(line.at, fields[i].field, len) == 0)
            copy((char *)s + fields[i].at, fields[i].size, bytes_slice(line, len, line.len));
    }
    uint64_t retry_ms = 0;
    const struct bytes field = bytes_slice(line, 0, sizeof(retry) - 1);
    if (bytes_equal(field, bytes_of_text(retry)) &&
        text_read_decimal(bytes_slice(line, field.len, line.len), &retry_ms))
        s->retry_ms = retry_ms;
}

static bool listen_to(void *context, struct bytes piece)
{
    struct stream *s = context;
    s->is_open = s->was_open = true;
    for (size_t i = 0; i < piece.len && s->left > 0; i++) {
        if (piece.at[i] == '\n') {
            take_line(s);
            s->len = 0;
            s->is_cut = false;
        } else if (s->len < sizeof(s->line)) {
            s->line[s->len++] = (char)piece.at[i];
        } else {
            s->is_cut = true;
        }
    }
    return s->left > 0 && !ferror(stdout);
}

static enum ctl_exit follow_once(struct stream *s, struct ctl_answer *a)
{
    struct ctl_request r;
    ctl_request_init(&r, "GET", "/events");
    ctl_put_query(s->t, &r);
    r.accept = "text/event-stream";
    r.listen = listen_to;
    r.listen_context = s;
    r.last_event_id = s->last[0] != '\0' ? s->last : NULL;
    s->len = 0;
    s->is_open = false;
    s->id[0] = s->name[0] = s->data[0] = '\0';
    return ctl_ask(s->t, &r, a);
}

// A server that is away, busy or stopping comes back; one that refuses will again.
static bool is_worth_another(const struct stream *s, const struct ctl_answer *a)
{
    return s->was_open && (a->status < 400 || a->status == 429 || a->status >= 500);
}

// Twice as long after each failure, from what the server asked for [HTML, server-sent events].
static uint64_t pause_of(struct stream *s)
{
    const uint64_t asked_ms = s->retry_ms < AGAIN_MAX_MS ? s->retry_ms : AGAIN_MAX_MS;
    if (s->is_open)
        s->pause_ms = asked_ms;
    else
        s->pause_ms = s->pause_ms < AGAIN_MAX_MS / 2 ? 2 * s->pause_ms : AGAIN_MAX_MS;
    return s->pause_ms;
}

static bool take_options(struct ctl_task *t, struct stream *s)
{
    uint64_t after = 0;
    if (ctl_has(t, OPTION_COUNT) && !ctl_number(t, OPTION_COUNT, &s->left))
        return false;
    if (s->left == 0) {
        (void)ctl_wrong(t, "--count takes a number from 1, not", t->option[OPTION_COUNT]);
        return false;
    }
    if (ctl_has(t, OPTION_AFTER)) {
        if (!ctl_number(t, OPTION_AFTER, &after))
            return false;
        copy(s->last, sizeof(s->last), bytes_of_text(t->option[OPTION_AFTER]));
    }
    return true;
}

// Ends with the server's refusal, or when it was never reached; a stream that was open once is
// opened again.
enum ctl_exit event_follow_run(struct ctl_task *t)
{
    struct stream s = {.t = t, .left = UINT64_MAX, .retry_ms = AGAIN_MS, .pause_ms = AGAIN_MS};
    if (!take_options(t, &s))
        return CTL_WRONG_USE;
    for (;;) {
        struct ctl_answer a;
        const enum ctl_exit exit = follow_once(&s, &a);
        const bool is_over = s.left == 0 || ferror(stdout) != 0;
        const bool goes_on = !is_over && is_worth_another(&s, &a);
        ctl_answer_free(&a);
        if (!goes_on)
            return is_over ? CTL_DONE : exit;
        ctl_pause(pause_of(&s));
    }
}
