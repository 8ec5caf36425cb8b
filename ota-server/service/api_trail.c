// The audit trail: rows, one row, and the check of the chain.
#include "common/base/text.h"
#include "ota-server/service/api_export.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/trail_check.h"

#include <stdlib.h>

// One call recomputes at most this many rows, some 60 ms, because nothing else is served meanwhile.
// More are verified beside the server's work.
#define VERIFY_ROWS 50000

// Each member is empty or left out when the row has none.
static void put_actor(struct json_writer *j, const struct trail_row *row)
{
    api_open_object(j, "actor");
    api_put_text(j, "kind", actor_kind_name(row->actor.kind));
    api_put_id(j, "id",
               row->actor.kind == ACTOR_USER   ? "usr"
               : row->actor.kind == ACTOR_RULE ? "grp"
                                               : "cli",
               row->actor.id);
    if (row->address != NULL && row->address[0] != '\0')
        api_put_text(j, "address", row->address);
    json_end_object(j);
}

static void put_if(struct json_writer *j, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        api_put_text(j, name, text);
}

static bool put_row(void *context, const struct trail_row *row)
{
    struct api_exchange *x = context;
    struct json_writer *j = &x->json;
    char correlator[API_CORRELATOR_MAX + 1];
    json_begin_object(j);
    api_put_number(j, "sequence", row->sequence);
    api_put_time(j, "at", row->at);
    api_put_id(j, "enterpriseId", "ent", row->tenant);
    put_actor(j, row);
    put_if(j, "action", row->action);
    api_open_object(j, "object");
    put_if(j, "kind", row->object_kind);
    put_if(j, "id", row->pseudonym);
    json_end_object(j);
    api_put_id(j, "operationId", "op", row->operation);
    api_correlator_find(x, row->correlator, correlator);
    put_if(j, "correlator", correlator);
    put_if(j, "before", row->before);
    put_if(j, "after", row->after);
    put_if(j, "reason", row->reason);
    api_put_id(j, "approvalId", "apr", row->approval);
    put_if(j, "result", row->result);
    api_put_hex(j, "previousHash", bytes_of(row->previous, sizeof(row->previous)));
    api_put_hex(j, "hash", bytes_of(row->hash, sizeof(row->hash)));
    json_end_object(j);
    return true;
}

static void take_id(struct api_exchange *x, const char *name, const char *prefix, uint64_t *id)
{
    struct bytes text;
    if (api_query_take(&x->query, name, &text) && !api_id_read(text, prefix, id))
        *id = UINT64_MAX >> 1; // nobody's
}

// A kind such as SYSTEM, or the id of a client or user.
static void read_actor(struct bytes text, struct trail_filter *f)
{
    for (unsigned kind = ACTOR_SYSTEM; kind <= ACTOR_CARD; kind++) {
        if (bytes_equal(text, bytes_of_text(actor_kind_name((uint8_t)kind)))) {
            f->actor_kind = (uint8_t)kind;
            return;
        }
    }
    f->actor_kind = ACTOR_CLIENT;
    if (api_id_read(text, "usr", &f->actor_id))
        f->actor_kind = ACTOR_USER;
    else if (!api_id_read(text, "cli", &f->actor_id))
        f->actor_id = UINT64_MAX >> 1;
}

// A card or subscription by its id; any other object by the name that the trail has for it.
static void read_object(struct api_exchange *x, struct trail_filter *f, char name[48])
{
    struct bytes text;
    if (!api_query_take(&x->query, "objectId", &text))
        return;
    struct writer w = writer_of(name, 48);
    writer_copy(&w, text);
    if (api_id_read(text, "crd", &f->object))
        f->object_kind = "card";
    else if (api_id_read(text, "sub", &f->object))
        f->object_kind = "subscription";
    else
        f->object_name = text_end(&w);
}

struct filter_texts {
    char action[48], object[48];
};

static bool read_filter(struct api_exchange *x, struct trail_filter *f, struct filter_texts *texts)
{
    struct bytes text;
    trail_filter_init(f);
    f->tenant = api_reach(x);
    struct api_problem p = api_query_time(&x->query, "from", &f->from);
    if (p.code == API_OK)
        p = api_query_time(&x->query, "to", &f->to);
    take_id(x, "cardId", "crd", &f->object);
    if (f->object != 0)
        f->object_kind = "card";
    read_object(x, f, texts->object);
    take_id(x, "operationId", "op", &f->operation);
    take_id(x, "groupId", "grp", &f->group);
    if (api_query_take(&x->query, "actor", &text))
        read_actor(text, f);
    if (api_query_take(&x->query, "action", &text)) {
        struct writer w = writer_of(texts->action, sizeof(texts->action));
        writer_copy(&w, text);
        f->action = text_end(&w);
    }
    if (api_query_take(&x->query, "correlator", &text))
        f->correlator = api_correlator_hash(text);
    if (p.code == API_OK)
        return true;
    api_refuse(x, p);
    return false;
}

static void reply_rows(struct api_exchange *x, struct trail_filter *filter, struct api_list *list)
{
    api_list_open(x);
    filter->is_ascending = !list->page.is_descending && list->page.sort == 1;
    const enum store_status status =
        store_trail(x->reader, filter, &list->window, put_row, x, &list->total);
    if (status == STORE_OK)
        api_list_end(x, list);
    else
        api_refuse_store(x, status);
}

void api_trail_list(struct api_exchange *x)
{
    // Newest first unless sort=sequence.
    static const char *const fields[] = {"at", "sequence", NULL};
    struct trail_filter filter;
    struct api_list list;
    struct filter_texts texts;
    if (read_filter(x, &filter, &texts) && api_list_begin(x, &list, fields) && api_end_reading(x))
        reply_rows(x, &filter, &list);
}

void api_card_trail(struct api_exchange *x)
{
    static const char *const fields[] = {"at", "sequence", NULL};
    struct trail_filter filter;
    struct api_list list;
    struct record *record = calloc(1, sizeof(*record));
    x->work = record;
    if (record == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x) || !api_card(x, record))
        return;
    trail_filter_init(&filter);
    filter.tenant = api_reach(x);
    filter.object = x->card_id;
    filter.object_kind = "card";
    reply_rows(x, &filter, &list);
}

void api_trail_get(struct api_exchange *x)
{
    struct trail_filter filter;
    const struct store_page first = {.limit = 1};
    uint64_t total = 0;
    trail_filter_init(&filter);
    filter.tenant = api_reach(x);
    if (!api_end_reading(x))
        return;
    if (!text_read_decimal(x->match.captures[0], &filter.sequence) || filter.sequence == 0) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    const enum store_status status = store_trail(x->reader, &filter, &first, put_row, x, &total);
    if (status != STORE_OK || x->out.len == 0)
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    else
        api_reply(x, 200);
}

// --- verifying ---

struct verify_work {
    struct trail_checks *checks;
    struct trail_check check;
    struct trail_verdict verdict;
    uint64_t head;
    bool has_seat;
};

static enum store_status raise_broken(struct api_exchange *x, struct store *store, struct utc now)
{
    return trail_broken_raise(store, api_new_id(x), now);
}

static void reply_verdict(struct api_exchange *x)
{
    const struct verify_work *w = x->work;
    trail_verdict_put(&x->json, &w->verdict, w->head);
    api_reply(x, 200);
}

static void verify_now(struct api_exchange *x, struct verify_work *w)
{
    const enum store_status status = store_trail_verify(
        x->reader, w->check.from, w->check.is_whole ? 0 : w->check.to, &w->verdict);
    if (status != STORE_OK)
        api_refuse_store(x, status);
    else if (w->verdict.ok || x->is_dry_run)
        reply_verdict(x);
    else
        api_commit(x, raise_broken, reply_verdict);
}

static void close_verify(void *work)
{
    struct verify_work *w = work;
    if (w->has_seat)
        trail_checks_drop(w->checks, w->check.id); // unless it was started
}

static enum store_status insert_check(struct api_exchange *x, struct store *store, struct utc now)
{
    struct verify_work *w = x->work;
    (void)now;
    const enum store_status status = trail_check_put(store, &w->check);
    return status == STORE_OK
               ? api_trail(x, store, "trail.check.ordered", TRAIL_CHECK_KIND, w->check.id, NULL)
               : status;
}

static void start_check(struct api_exchange *x)
{
    const struct verify_work *w = x->work;
    trail_checks_start(w->checks, w->check.id);
}

static void reply_check(struct api_exchange *x)
{
    const struct verify_work *w = x->work;
    trail_check_write(&x->out, &w->check, 0);
    api_location(x, "/audit-trail/verifications", "vrf", w->check.id);
    api_header(x, "Retry-After", "2");
    x->type = "application/json";
    api_reply(x, 202);
}

static void verify_beside(struct api_exchange *x, struct verify_work *w)
{
    w->checks = x->api->options.trail_checks;
    w->check.id = api_new_id(x);
    w->check.owner = x->tenant;
    w->check.created_at = x->now.utc;
    x->close_work = close_verify;
    x->committed = start_check;
    w->has_seat = w->checks != NULL && trail_checks_add(w->checks, &w->check);
    if (w->has_seat)
        api_commit(x, insert_check, reply_check);
    else
        api_refuse_code(x, API_UNAVAILABLE);
}

// A row that is not there yet is none that was removed: no alarm, and no verdict.
static bool check_range(struct api_exchange *x, const struct trail_check *c, uint64_t head)
{
    const bool is_backward = c->to != 0 && c->to < c->from;
    const bool is_beyond = c->to > head || (c->from > 1 && c->from > head);
    if (is_backward)
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("toSequence"),
                                        "It is before fromSequence"));
    else if (is_beyond)
        api_refuse(x, api_problem_field(
                          API_OUT_OF_RANGE,
                          bytes_of_text(c->to > head ? "toSequence" : "fromSequence"),
                          "The trail has no such row yet: leave it out to verify up to the end"));
    return !is_backward && !is_beyond;
}

void api_trail_verify(struct api_exchange *x)
{
    struct verify_work *w = calloc(1, sizeof(*w));
    uint8_t hash[32];
    x->work = w;
    if (w == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    w->check.from = (uint64_t)api_body_integer(&x->body, "fromSequence", 1, INT64_MAX, 1);
    w->check.to = (uint64_t)api_body_integer(&x->body, "toSequence", 1, INT64_MAX, 0);
    if (!api_end_reading(x))
        return;
    const enum store_status status = store_trail_head(x->reader, &w->head, hash);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (!check_range(x, &w->check, w->head))
        return;
    w->check.is_whole = w->check.to == 0;
    if (w->check.is_whole)
        w->check.to = w->head;
    const bool is_short = w->check.to < w->check.from || w->check.to - w->check.from < VERIFY_ROWS;
    if (is_short && !store_checkpoints_are_many(x->reader))
        verify_now(x, w);
    else
        verify_beside(x, w);
}

struct shown_check {
    struct api_exchange *x;
    bool is_ours, is_open;
};

// One that is under way is shown as it stands now.
static bool show_check(void *context, const struct document *d)
{
    struct shown_check *s = context;
    struct trail_checks *checks = s->x->api->options.trail_checks;
    uint64_t rows = 0;
    s->is_ours = api_owns(s->x, d->owner);
    s->is_open = d->state == TRAIL_CHECK_OPEN;
    if (s->is_ours && s->is_open && checks != NULL && trail_checks_done(checks, d->id, &rows)) {
        struct trail_check check;
        trail_check_read(d, &check);
        trail_check_write(&s->x->out, &check, rows);
        s->x->type = "application/json";
    } else if (s->is_ours) {
        json_put_raw(&s->x->json, d->body);
    }
    return false;
}

void api_trail_verification_get(struct api_exchange *x)
{
    struct shown_check shown = {.x = x};
    if (!api_end_reading(x) || !api_capture(x, 0, "vrf", &x->object_id))
        return;
    const enum store_status status =
        store_document_get(x->reader, TRAIL_CHECK_KIND, x->object_id, show_check, &shown);
    if (status != STORE_OK || !shown.is_ours) {
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
        return;
    }
    if (shown.is_open)
        api_header(x, "Retry-After", "2");
    api_reply(x, 200);
}

// --- checkpoints ---

static bool put_checkpoint(void *context, const struct checkpoint *c)
{
    struct json_writer *j = &((struct api_exchange *)context)->json;
    json_begin_object(j);
    api_put_number(j, "sequence", c->sequence);
    api_put_time(j, "at", (struct utc){(int64_t)c->at});
    api_put_hex(j, "hash", bytes_of(c->hash, sizeof(c->hash)));
    if (c->is_signed) {
        api_put_number(j, "rows", c->rows);
        api_put_hex(j, "signature", bytes_of(c->signature, sizeof(c->signature)));
    }
    json_end_object(j);
    return true;
}

void api_trail_checkpoints(struct api_exchange *x)
{
    static const char *const fields[] = {"sequence", NULL};
    struct api_list list;
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    api_list_open(x);
    const enum store_status status =
        store_checkpoints(x->reader, &list.window, put_checkpoint, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// --- export ---

#define PIECE_ROWS 100 // read at a time

static bool put_exported(struct api_exchange *x, const void *of)
{
    return put_row(x, of);
}

static bool export_row(void *context, const struct trail_row *row)
{
    struct api_exchange *x = context;
    if (row->sequence > x->more_to || !export_line(x, put_exported, row))
        return false;
    x->more_from = row->sequence;
    return true;
}

// Rows of other enterprises are not among them, so a line's previousHash may be of none shown here.
static bool export_rows(struct api_exchange *x)
{
    struct trail_filter filter;
    const struct store_page page = {.limit = PIECE_ROWS};
    trail_filter_init(&filter);
    filter.tenant = api_reach(x);
    filter.is_ascending = true;
    filter.sequence_from = x->more_from + 1;
    return store_trail(x->reader, &filter, &page, export_row, x, NULL) == STORE_OK;
}

static const struct export_column columns[] = {{"sequence", "sequence"},
                                               {"at", "at"},
                                               {"enterpriseId", "enterpriseId"},
                                               {"actorKind", "actor.kind"},
                                               {"actorId", "actor.id"},
                                               {"actorAddress", "actor.address"},
                                               {"action", "action"},
                                               {"objectKind", "object.kind"},
                                               {"objectId", "object.id"},
                                               {"operationId", "operationId"},
                                               {"correlator", "correlator"},
                                               {"before", "before"},
                                               {"after", "after"},
                                               {"reason", "reason"},
                                               {"approvalId", "approvalId"},
                                               {"result", "result"},
                                               {"previousHash", "previousHash"},
                                               {"hash", "hash"},
                                               {NULL, NULL}};

// Its last line is the row of the export itself.
static const struct export_kind rows = {
    .object = "trail", .action = "trail.exported", .columns = columns, .page = export_rows};

void api_trail_export(struct api_exchange *x)
{
    const int64_t from = api_body_integer(&x->body, "fromSequence", 1, INT64_MAX, 1);
    const int64_t to = api_body_integer(&x->body, "toSequence", 1, INT64_MAX, INT64_MAX);
    x->work = calloc(1, sizeof(struct export));
    if (x->work == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    x->more_from = (uint64_t)from - 1;
    x->more_to = (uint64_t)to;
    export_begin(x, &rows);
}
