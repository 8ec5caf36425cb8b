// What happens, as it happens: the stream of events, opened again when it breaks off behind an
// event.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#define LINE_MAX_OCTETS 4096 // of the stream
#define ID_SIZE 24
#define NAME_SIZE 64
#define AGAIN_MS 1000 // after a stream that ended

struct stream {
    struct ctl_task *t;
    char line[LINE_MAX_OCTETS];
    size_t len;
    bool is_cut; // the line is longer: no event of ours
    char id[ID_SIZE], name[NAME_SIZE], data[LINE_MAX_OCTETS];
    char last[ID_SIZE]; // of the last event that was shown
    uint64_t left;      // to be shown; UINT64_MAX: as many as come
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
}

static bool listen_to(void *context, struct bytes piece)
{
    struct stream *s = context;
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

static enum ctl_exit follow_once(struct stream *s)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/events");
    ctl_put_query(s->t, &r);
    r.accept = "text/event-stream";
    r.listen = listen_to;
    r.listen_context = s;
    r.last_event_id = s->last[0] != '\0' ? s->last : NULL;
    s->len = 0;
    s->id[0] = s->name[0] = s->data[0] = '\0';
    const enum ctl_exit exit = ctl_ask(s->t, &r, &a);
    ctl_answer_free(&a);
    return exit;
}

// Ends with the server's refusal; a stream that only broke off is opened again.
enum ctl_exit event_follow_run(struct ctl_task *t)
{
    struct stream s = {.t = t, .left = UINT64_MAX};
    if (ctl_has(t, OPTION_COUNT) && !ctl_number(t, OPTION_COUNT, &s.left))
        return CTL_WRONG_USE;
    if (ctl_has(t, OPTION_AFTER))
        copy(s.last, sizeof(s.last), bytes_of_text(t->option[OPTION_AFTER]));
    enum ctl_exit exit = CTL_DONE;
    while (s.left > 0 && exit == CTL_DONE && !ferror(stdout)) {
        char before[ID_SIZE];
        memcpy(before, s.last, sizeof(before));
        exit = follow_once(&s);
        if (strcmp(before, s.last) != 0)
            exit = CTL_DONE;
        if (s.left > 0 && exit == CTL_DONE)
            ctl_pause(AGAIN_MS);
    }
    return exit;
}
