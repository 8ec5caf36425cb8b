#include "ota-server/service/clear_reads.h"

#include "common/base/text.h"

#include <stdlib.h>

#define READS_MAX 1024 // callers and routes of an hour; others have a row for each answer
#define GIVEN_MAX 128  // rows of one turn
#define HOUR_MS (INT64_C(60) * 60 * 1000)
#define CHANGE_SIZE 160

// What a caller read over one route in an hour, besides the answer that has its own row.
struct read_row {
    const struct api_route_row *route; // NULL: free
    struct actor actor;
    uint64_t tenant;
    struct utc hour;               // its begin
    uint64_t answers, identifiers; // without a row
    bool is_given;                 // to the turn that comes
};

struct clear_reads {
    struct turn *turn;
    bool is_given;
    struct read_row rows[READS_MAX];
};

struct held_answer {
    void (*go_on)(struct api_exchange *x);
    const char *type;
    size_t headers_len, body_len;
    uint8_t octets[]; // headers, then body
};

struct clear_reads *clear_reads_open(struct turn *turn)
{
    struct clear_reads *r = calloc(1, sizeof(*r));
    if (r != NULL)
        r->turn = turn;
    return r;
}

void clear_reads_close(struct clear_reads *r)
{
    free(r);
}

// --- what is counted ---------------------------------------------------------------------------

static struct read_row row_of(const struct api_exchange *x)
{
    return (struct read_row){.route = x->route,
                             .actor = api_actor(x),
                             .tenant = x->tenant,
                             .hour = {x->now.utc.ms - x->now.utc.ms % HOUR_MS}};
}

static struct read_row *find(struct clear_reads *r, const struct read_row *like)
{
    for (size_t i = 0; i < READS_MAX; i++) {
        struct read_row *row = &r->rows[i];
        if (row->route == like->route && row->actor.kind == like->actor.kind &&
            row->actor.id == like->actor.id && row->hour.ms == like->hour.ms && !row->is_given)
            return row;
    }
    return NULL;
}

static void remember(struct clear_reads *r, const struct read_row *like)
{
    if (find(r, like) != NULL) // two were on their way at once
        return;
    for (size_t i = 0; i < READS_MAX; i++) {
        if (r->rows[i].route == NULL) {
            r->rows[i] = *like;
            return;
        }
    }
}

// --- rows --------------------------------------------------------------------------------------

static const char *method_name(unsigned method)
{
    return method == API_GET     ? "GET "
           : method == API_POST  ? "POST "
           : method == API_PUT   ? "PUT "
           : method == API_PATCH ? "PATCH "
                                 : "DELETE ";
}

static const char *write_route(const struct api_route_row *route, char text[CHANGE_SIZE])
{
    struct writer w = writer_of(text, CHANGE_SIZE);
    text_put(&w, method_name(route->method));
    text_put(&w, route->path); // with a star for each id
    return text_end(&w);
}

static const char *write_counts(uint64_t answers, uint64_t identifiers, struct utc hour,
                                char text[CHANGE_SIZE])
{
    char since[UTC_TEXT_SIZE];
    struct writer w = writer_of(text, CHANGE_SIZE);
    text_put(&w, "answers=");
    text_decimal(&w, answers);
    text_put(&w, ", identifiers=");
    text_decimal(&w, identifiers);
    if (hour.ms != 0) {
        utc_format(hour, since);
        text_put(&w, ", hour=");
        text_put(&w, since);
    }
    return text_end(&w);
}

static enum store_status note(void *context, struct store *store, struct utc now)
{
    struct api_exchange *x = context;
    char route[CHANGE_SIZE];
    char counts[CHANGE_SIZE];
    const bool is_of_card = x->queried_card != 0;
    struct trail_new row = api_trail_row(x, "identifiers.read", is_of_card ? "card" : "path",
                                         is_of_card ? x->queried_card : 0);
    (void)now;
    row.before = write_route(x->route, route);
    row.after = write_counts(1, x->shown, (struct utc){0}, counts);
    return store_trail_add(store, &row);
}

// --- answers that wait -------------------------------------------------------------------------

static struct held_answer *keep_answer(const struct api_exchange *x,
                                       void (*go_on)(struct api_exchange *x))
{
    struct held_answer *h = malloc(sizeof(*h) + x->headers.len + x->out.len);
    if (h == NULL)
        return NULL;
    h->go_on = go_on;
    h->type = x->type;
    h->headers_len = x->headers.len;
    h->body_len = x->out.len;
    memcpy(h->octets, x->headers.at, h->headers_len);
    memcpy(h->octets + h->headers_len, x->out.at, h->body_len);
    return h;
}

void clear_reads_free(struct api_exchange *x)
{
    free(x->held);
    x->held = NULL;
}

static void refuse(struct api_exchange *x)
{
    api_start_answer(x);
    api_refuse_code(x, API_UNAVAILABLE);
}

static void noted(void *context, enum store_status status)
{
    struct api_exchange *x = context;
    struct held_answer *h = x->held;
    const struct read_row row = row_of(x);
    if (status != STORE_OK) {
        refuse(x);
        return;
    }
    remember(x->api->clear_reads, &row);
    api_start_answer(x);
    x->type = h->type;
    writer_copy(&x->headers, bytes_of(h->octets, h->headers_len));
    writer_copy(&x->out, bytes_of(h->octets + h->headers_len, h->body_len));
    h->go_on(x);
}

bool clear_reads_hold(struct api_exchange *x, void (*go_on)(struct api_exchange *x))
{
    struct clear_reads *r = x->api->clear_reads;
    const bool has_own_row = x->apply != NULL || x->answered != NULL;
    if (x->shown == 0 || x->is_noted || has_own_row || x->api->options.is_clear)
        return false;
    const struct read_row like = row_of(x);
    struct read_row *row = find(r, &like);
    x->is_noted = true;
    if (row != NULL) {
        row->answers++;
        row->identifiers += x->shown;
        return false;
    }
    x->held = keep_answer(x, go_on);
    if (x->held == NULL || !turn_write_repeatable(r->turn, note, noted, x))
        refuse(x);
    return true;
}

// --- hours that are over -----------------------------------------------------------------------

static enum store_status write_given(void *context, struct store *store, struct utc now)
{
    const struct clear_reads *r = context;
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < READS_MAX && status == STORE_OK; i++) {
        const struct read_row *row = &r->rows[i];
        char route[CHANGE_SIZE];
        char counts[CHANGE_SIZE];
        if (row->route == NULL || !row->is_given)
            continue;
        status = store_trail_add(
            store, &(struct trail_new){
                       .at = now,
                       .tenant = row->tenant,
                       .actor = row->actor,
                       .action = "identifiers.read",
                       .object_kind = "path",
                       .result = "done",
                       .before = write_route(row->route, route),
                       .after = write_counts(row->answers, row->identifiers, row->hour, counts)});
    }
    return status;
}

// What could not be written is tried again with the next tick.
static void settle(struct clear_reads *r, bool is_written)
{
    for (size_t i = 0; i < READS_MAX; i++) {
        struct read_row *row = &r->rows[i];
        if (row->is_given && is_written)
            *row = (struct read_row){.route = NULL};
        row->is_given = false;
    }
    r->is_given = false;
}

static void written(void *context, enum store_status status)
{
    settle(context, status == STORE_OK);
}

static void give(struct clear_reads *r, struct utc before)
{
    size_t count = 0;
    if (r->is_given)
        return;
    for (size_t i = 0; i < READS_MAX && count < GIVEN_MAX; i++) {
        struct read_row *row = &r->rows[i];
        if (row->route == NULL || row->hour.ms >= before.ms)
            continue;
        if (row->answers == 0) // its first answer has a row
            *row = (struct read_row){.route = NULL};
        else
            row->is_given = ++count > 0;
    }
    if (count == 0)
        return;
    r->is_given = true;
    if (!turn_write_repeatable(r->turn, write_given, written, r))
        settle(r, false); // the turn is full
}

void clear_reads_tick(struct clear_reads *r, struct utc now)
{
    give(r, (struct utc){now.ms - now.ms % HOUR_MS});
}

bool clear_reads_end(struct clear_reads *r)
{
    give(r, (struct utc){INT64_MAX});
    return !r->is_given;
}
