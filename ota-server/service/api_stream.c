// `GET /events`: what was committed, told while the client stays [HTML, server-sent events].
//
// A stream has no memory of its own but how far it has come: the rows of the store are its buffer,
// and who reads slower than they are dropped is told `reset`. It ends with the session or token
// that opened it.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/notice.h"

#include <stdlib.h>

#define STREAMS_MAX 64     // of the server
#define STREAMS_EACH 4     // of a session, or of a client
#define BEAT_MS 15000      // a comment, so that both sides see that the other is there
#define ROWS_MAX 128       // looked at for one piece
#define UNBOUND_MS 3600000 // of who showed neither session nor token: as long as a token lasts
#define TOPICS_ALL ((1u << NOTICE_TOPICS) - 1)

struct api_stream {
    struct api_stream *next;
    uint64_t after; // the last row that was looked at
    struct notice_reader reader;
    uint32_t topics; // set of (1 << enum notice_topic)
    // who opened it
    struct auth_session session;       // id 0: without one
    uint64_t user, client, tenant;     // 0: it is not
    char token[AUTH_DIGEST_NAME_SIZE]; // ""
    struct utc opened_at;
    struct instant told_at; // the last time that something went out
    bool has_begun, is_beat_due, is_over, must_reset;
    void (*wake)(void *context);
    void *wake_context;
};

// --- what goes out ---------------------------------------------------------------------------

static void put_event(struct writer *w, uint64_t id, const char *name, struct bytes data)
{
    text_put(w, "id: ");
    text_decimal(w, id);
    text_put(w, "\nevent: ");
    text_put(w, name);
    text_put(w, "\ndata: ");
    writer_copy(w, data);
    text_put(w, "\n\n");
}

static bool put_notice(void *context, const struct notice *n, bool is_visible)
{
    struct api_exchange *x = context;
    struct api_stream *s = x->stream;
    const struct notice_form form = notice_form(n->kind);
    const size_t before = x->out.len;
    if (is_visible && form.name != NULL && (s->topics >> form.topic & 1) != 0)
        put_event(&x->out, n->id, form.name, n->data);
    if (x->out.failed) { // it begins the next piece
        x->out.len = before;
        x->out.failed = false;
        return false;
    }
    s->after = n->id;
    return true;
}

// Are rows missing between the last one and the oldest that is kept?
static bool is_behind(const struct api_stream *s, uint64_t last)
{
    return s->after > last || (last > NOTICES_KEPT && s->after < last - NOTICES_KEPT);
}

static bool put_piece(struct api_exchange *x)
{
    struct api_stream *s = x->stream;
    uint64_t last = 0;
    if (s->is_over)
        return true;
    if (!s->has_begun || s->is_beat_due)
        text_put(&x->out, s->has_begun ? ":\n\n" : ": events\n\n");
    s->has_begun = true;
    s->is_beat_due = false;
    if (store_notice_last(x->reader, &last) != STORE_OK)
        return false;
    if (s->must_reset || is_behind(s, last)) {
        put_event(&x->out, last, "reset", bytes_of_text("{}"));
        s->after = last;
    }
    s->must_reset = false;
    enum store_status status;
    uint64_t before;
    do { // until there is something for this reader, or nothing any more
        before = s->after;
        status = store_notices(x->reader, &s->reader, s->after, ROWS_MAX, put_notice, x);
    } while (status == STORE_OK && x->out.len == 0 && s->after != before);
    if (x->out.len > 0)
        s->told_at = x->api->streams_now;
    return status == STORE_OK;
}

bool api_stream_waits(const struct api_stream *s)
{
    return !s->is_over;
}

// --- waking and ending -----------------------------------------------------------------------

static void wake(struct api_stream *s)
{
    if (s->wake != NULL)
        s->wake(s->wake_context);
}

void api_stream_on_more(struct api_stream *s, void (*wake_up)(void *context), void *context)
{
    s->wake = wake_up;
    s->wake_context = context;
}

void api_streams_told(struct api *api)
{
    if (api->streams != NULL)
        store_refresh(api->options.reader); // what was committed is to be seen
    for (struct api_stream *s = api->streams; s != NULL; s = s->next)
        wake(s);
}

// Of what opened it: session or token, and the person or client behind it.
static enum store_status look(struct api *api, const struct api_stream *s, struct utc now,
                              bool *goes_on)
{
    struct store *reader = api->options.reader;
    struct auth_client client;
    struct auth_user user;
    bool lives = now.ms - s->opened_at.ms < UNBOUND_MS;
    bool works = true;
    enum store_status status = STORE_OK;
    if (s->session.id != 0)
        status = api_session_lives(api, &s->session, now, &lives);
    else if (s->token[0] != '\0')
        status = auth_token_lives(reader, s->token, now, &lives);
    if (status == STORE_OK)
        status = enterprise_works(reader, s->tenant, now, &works);
    if (status == STORE_OK && s->user != 0) {
        status = auth_user_get(reader, s->user, &user);
        works = works && status == STORE_OK && auth_user_is_active(&user, now) &&
                user_role_has(user.role, "events:read");
    } else if (status == STORE_OK) {
        status = auth_client_get(reader, s->client, &client);
        works = works && status == STORE_OK && client.status == CLIENT_ACTIVE &&
                !client.is_suspended && auth_has_scope(&client, bytes_of_text("events:read"));
    }
    *goes_on = lives && works;
    return status == STORE_NONE ? STORE_OK : status;
}

void api_streams_tick(struct api *api, struct api_now now)
{
    api->streams_now = now.instant;
    for (struct api_stream *s = api->streams; s != NULL; s = s->next) {
        bool goes_on = true;
        if (look(api, s, now.utc, &goes_on) == STORE_OK && !goes_on)
            s->is_over = true;
        if (instant_is_due(instant_after(s->told_at, BEAT_MS), now.instant))
            s->is_beat_due = true;
        if (s->is_over || s->is_beat_due)
            wake(s);
    }
}

void api_stream_close(struct api_exchange *x)
{
    struct api_stream **at = &x->api->streams;
    while (*at != NULL && *at != x->stream)
        at = &(*at)->next;
    if (*at != NULL)
        *at = x->stream->next;
    x->stream = NULL; // freed as the rest's work
}

unsigned api_streams_open(const struct api *api)
{
    unsigned count = 0;
    for (const struct api_stream *s = api->streams; s != NULL; s = s->next)
        count++;
    return count;
}

// --- the request -----------------------------------------------------------------------------

static uint32_t topic_named(struct bytes name)
{
    for (unsigned i = 0; i < NOTICE_TOPICS; i++) {
        if (bytes_equal(name, bytes_of_text(notice_topic_name(i))))
            return 1u << i;
    }
    return 0;
}

// Those that the caller's scopes let it read.
static uint32_t topics_allowed(const struct api_exchange *x)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < NOTICE_TOPICS; i++)
        set |= api_has_scope(x, notice_topic_scope(i)) ? 1u << i : 0;
    return set;
}

static bool read_topics(struct api_exchange *x, uint32_t *topics)
{
    struct bytes text;
    *topics = TOPICS_ALL;
    if (!api_query_take(&x->query, "topics", &text))
        return true;
    *topics = 0;
    for (size_t at = 0; at <= text.len;) {
        const struct bytes name = api_until(bytes_slice(text, at, text.len), ',');
        const uint32_t topic = topic_named(name);
        if (topic == 0) {
            api_refuse(
                x, api_problem_field(
                       API_INVALID_ARGUMENT, bytes_of_text("topics"),
                       "One of operations, cards, alarms, campaigns, imports, approvals, links"));
            return false;
        }
        *topics |= topic;
        at += name.len + 1;
    }
    return true;
}

static bool read_last_id(struct api_exchange *x, uint64_t *after, bool *is_given)
{
    const struct bytes text = x->request->last_event_id;
    *is_given = text.len > 0;
    if (!*is_given || (text_read_decimal(text, after) && *after <= INT64_MAX))
        return true;
    api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                   "Last-Event-ID is no id of an event: leave it out"));
    return false;
}

static bool is_of(const struct api_stream *s, const struct api_exchange *x)
{
    if (x->session.id != 0 || s->session.id != 0)
        return s->session.id == x->session.id;
    return (x->client.is_user ? s->user : s->client) == x->client.id;
}

static bool has_room(struct api_exchange *x)
{
    unsigned own = 0;
    for (const struct api_stream *s = x->api->streams; s != NULL; s = s->next)
        own += is_of(s, x);
    if (own >= STREAMS_EACH) {
        text_put(&x->headers, "Retry-After: 1\n");
        api_refuse(
            x, api_problem_text(API_TOO_MANY_REQUESTS, "Four streams are open already: close one"));
        return false;
    }
    if (api_streams_open(x->api) < STREAMS_MAX)
        return true;
    api_refuse_code(x, API_UNAVAILABLE);
    return false;
}

static bool note_caller(const struct api_exchange *x, struct api_stream *s)
{
    const struct bytes given = x->request->authorization;
    s->session = x->session;
    s->user = x->client.is_user ? x->client.id : 0;
    s->client = x->client.is_user ? 0 : x->client.id;
    s->tenant = x->tenant;
    s->opened_at = x->now.utc;
    s->reader = (struct notice_reader){api_reach(x), api_reading(x)};
    if (given.len <= 7 || memcmp(given.at, "Bearer ", 7) != 0)
        return true;
    return auth_digest_name(bytes_slice(given, 7, given.len), s->token);
}

// Goes on behind the last one that the client had, or begins with what happens from now on.
static void begin(struct api_exchange *x, uint64_t after, bool is_given, uint32_t topics)
{
    uint64_t last = 0;
    const enum store_status status = store_notice_last(x->reader, &last);
    struct api_stream *s = calloc(1, sizeof(*s));
    x->rest_work = s;
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (s == NULL || !note_caller(x, s)) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    s->after = is_given ? after : last;
    s->topics = topics;
    s->told_at = x->now.instant;
    x->api->streams_now = x->now.instant;
    s->next = x->api->streams;
    x->api->streams = s;
    x->stream = s;
    x->more = put_piece;
    x->type = "text/event-stream";
    api_reply(x, 200);
}

void api_events_get(struct api_exchange *x)
{
    uint32_t topics = 0;
    uint64_t after = 0;
    bool is_given = false;
    if (!api_accepts(x->request->accept, "text/event-stream")) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    if (!read_topics(x, &topics) || !read_last_id(x, &after, &is_given) || !api_end_reading(x))
        return;
    const uint32_t allowed = topics_allowed(x);
    if (allowed == 0 || (topics != TOPICS_ALL && (topics & ~allowed) != 0)) {
        api_refuse_permission(x, "a topic takes the scope of its list, ask for others");
        return;
    }
    if (bytes_equal(x->request->method, bytes_of_text("HEAD"))) {
        x->type = "text/event-stream";
        api_reply(x, 200);
        return;
    }
    if (has_room(x))
        begin(x, after, is_given, topics & allowed);
}
