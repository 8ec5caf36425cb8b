// Operations, messages, values and the trail.
#include "common/base/check.h"
#include "ota-server/store/backup.h"
#include "ota-server/store/calls.h"
#include "ota-server/store/notices.h"
#include "ota-server/store/retention.h"
#include "ota-server/store/timeline.h"
#include "ota-server/store/tombstones.h"
#include "tests/world/store/array.h"

#include <stdlib.h>

// --- operations ------------------------------------------------------------------------------

static struct operation_place *operation_find(const struct store *s, uint64_t id)
{
    uint32_t at = 0;
    struct operation_place *o = row_with(s, OPERATIONS, id, &at);
    while (o != NULL && o->row.id != id)
        o = row_with(s, OPERATIONS, id, &at);
    return o;
}

enum store_status store_operation_put(struct store *s, uint64_t card, uint64_t tenant,
                                      const struct operation *o)
{
    (void)tenant;
    struct operation_place *place = operation_find(s, o->id);
    if (place == NULL) {
        place = row_add(s, OPERATIONS, o->id);
        place->card = card;
    } else {
        row_keep(s, &place->row, sizeof place->row);
    }
    place->row = *o;
    return STORE_OK;
}

enum store_status store_operation_get(struct store *s, uint64_t id, struct operation *out,
                                      uint64_t *card)
{
    const struct operation_place *o = operation_find(s, id);
    if (o == NULL)
        return STORE_NONE;
    *out = o->row;
    *card = o->card;
    return STORE_OK;
}

// All people of a world are the operator's.
enum store_status store_operation_tenant(struct store *s, uint64_t id, uint64_t *tenant)
{
    if (operation_find(s, id) == NULL)
        return STORE_NONE;
    *tenant = 1;
    return STORE_OK;
}

void operation_filter_init(struct operation_filter *f)
{
    *f = (struct operation_filter){.kind = -1, .status = -1, .outcome = -1, .failure = -1};
}

// All of them: a world asks for no less.
enum store_status store_operations(struct store *s, const struct operation_filter *filter,
                                   const struct store_page *page, store_operation_fn *each,
                                   void *context, uint64_t *total)
{
    check(filter->card == 0 && filter->kind == -1);
    *total = s->rows[OPERATIONS].count;
    for (uint64_t i = 0; i < page->limit && page->offset + i < *total; i++) {
        const struct operation_place *o =
            row_at(s, OPERATIONS, (uint32_t)(*total - 1 - page->offset - i));
        if (!each(context, o->card, &o->row))
            break;
    }
    return STORE_OK;
}

enum store_status store_step_add(struct store *s, const struct step *step, struct utc at,
                                 const char *messages)
{
    s->is_touched = true;
    (void)step;
    (void)at;
    (void)messages;
    return STORE_OK;
}

// --- messages --------------------------------------------------------------------------------

static struct message *message_find(const struct store *s, uint64_t id)
{
    uint32_t at = 0;
    struct message *m = row_with(s, MESSAGES, id, &at);
    while (m != NULL && m->id != id)
        m = row_with(s, MESSAGES, id, &at);
    return m;
}

enum store_status store_message_put(struct store *s, const struct message *m)
{
    struct message *place = row_add(s, MESSAGES, m->id);
    memcpy(place, m, offsetof(struct message, packet) + m->packet_len);
    return STORE_OK;
}

enum store_status store_message_state(struct store *s, uint64_t id, uint8_t state, uint8_t tries,
                                      struct utc due)
{
    struct message *m = message_find(s, id);
    if (m == NULL)
        return STORE_OK;
    row_keep(s, m, offsetof(struct message, packet));
    m->state = state;
    m->tries = tries;
    m->due = due;
    return STORE_OK;
}

enum store_status store_outbox(struct store *s, uint64_t after, uint32_t limit,
                               store_message_fn *each, void *context)
{
    uint32_t first = 0;
    for (uint32_t end = s->rows[MESSAGES].count; first < end;) { // their ids ascend
        const uint32_t middle = first + (end - first) / 2;
        if (((const struct message *)row_at(s, MESSAGES, middle))->id <= after)
            first = middle + 1;
        else
            end = middle;
    }
    for (uint32_t i = first; i < s->rows[MESSAGES].count && limit > 0; i++) {
        const struct message *m = row_at(s, MESSAGES, i);
        if (m->state != POST_WAITING)
            continue;
        limit--;
        if (!each(context, m))
            break;
    }
    return STORE_OK;
}

enum store_status store_outbox_forget(struct store *s)
{
    for (uint32_t i = 0; i < s->rows[MESSAGES].count; i++) {
        const struct message *m = row_at(s, MESSAGES, i);
        if (m->state == POST_WAITING)
            check(store_message_state(s, m->id, POST_UNKNOWN, m->tries, m->due) == STORE_OK);
    }
    return STORE_OK;
}

// A page of them: a world asks for no more.
enum store_status store_messages(struct store *s, const struct timeline_filter *filter,
                                 const struct store_page *page, store_message_fn *each,
                                 void *context, uint64_t *total)
{
    check(page->offset == 0 && total == NULL && filter->from.ms == 0);
    uint32_t left = page->limit;
    for (uint32_t i = s->rows[MESSAGES].count; i > 0 && left > 0; i--) {
        const struct message *m = row_at(s, MESSAGES, i - 1);
        if (m->card != filter->card)
            continue;
        left--;
        if (!each(context, m))
            break;
    }
    return STORE_OK;
}

static struct receipt_place *receipt_find(const struct store *s, const char *link, const char *id)
{
    uint32_t at = 0;
    struct receipt_place *r = row_with(s, RECEIPTS, row_key(id), &at);
    while (r != NULL &&
           (r->at_ms == ARRAY_SWEPT || strcmp(r->id, id) != 0 || strcmp(r->link, link) != 0))
        r = row_with(s, RECEIPTS, row_key(id), &at);
    return r;
}

enum store_status store_receipt_id_put(struct store *s, const char *link, const char *message_id,
                                       uint64_t message, uint8_t part, struct utc at)
{
    struct receipt_place *r = receipt_find(s, link, message_id);
    check(strlen(link) < sizeof r->link && strlen(message_id) < sizeof r->id);
    if (r == NULL)
        r = row_add(s, RECEIPTS, row_key(message_id));
    else
        row_keep(s, r, sizeof *r);
    memcpy(r->link, link, strlen(link) + 1);
    memcpy(r->id, message_id, strlen(message_id) + 1);
    r->message = message;
    r->part = part;
    r->at_ms = at.ms;
    return STORE_OK;
}

enum store_status store_receipt_find(struct store *s, const char *link, const char *message_id,
                                     struct message *out, uint8_t *part)
{
    const struct receipt_place *r = receipt_find(s, link, message_id);
    const struct message *m = r == NULL ? NULL : message_find(s, r->message);
    if (m == NULL)
        return STORE_NONE;
    *out = *m;
    *part = r->part;
    return STORE_OK;
}

enum store_status store_stray_add(struct store *s, const struct stray *v, struct utc at)
{
    s->is_touched = true;
    (void)v;
    (void)at;
    return STORE_OK;
}

enum store_status store_message_part_put(struct store *s, const char *number,
                                         struct bytes user_data, struct utc at)
{
    struct part_place *p = row_add(s, PARTS, row_key(number));
    check(user_data.len <= sizeof p->octets);
    memcpy(p->number, number, strlen(number) + 1);
    p->at_ms = at.ms;
    p->len = (uint8_t)user_data.len;
    bytes_copy(p->octets, user_data);
    return STORE_OK;
}

enum store_status store_message_parts(struct store *s, struct utc from, store_message_part_fn *each,
                                      void *context)
{
    for (uint32_t i = 0; i < s->rows[PARTS].count; i++) {
        const struct part_place *p = row_at(s, PARTS, i);
        if (p->at_ms >= from.ms)
            each(context, p->number, bytes_of(p->octets, p->len));
    }
    return STORE_OK;
}

enum store_status store_stray_drop(struct store *s, uint64_t id)
{
    s->is_touched = true;
    (void)id;
    return STORE_OK;
}

enum store_status store_strays(struct store *s, uint64_t after, uint32_t limit,
                               store_stray_fn *each, void *context)
{
    (void)s;
    (void)after;
    (void)limit;
    (void)each;
    (void)context;
    return STORE_OK;
}

// --- figures: not kept -----------------------------------------------------------------------

enum store_status store_steps(struct store *s, uint64_t operation, store_step_fn *each,
                              void *context)
{
    (void)s;
    (void)operation;
    (void)each;
    (void)context;
    return STORE_OK;
}

enum store_status store_tally_add(struct store *s, const struct figure_tally *tally)
{
    s->is_touched = true;
    (void)tally;
    return STORE_OK;
}

enum store_status store_fallback_add(struct store *s, const char *operator_name, struct utc at)
{
    s->is_touched = true;
    (void)operator_name;
    (void)at;
    return STORE_OK;
}

// Nobody listens.
enum store_status store_notice_add(struct store *s, const struct notice *n)
{
    s->is_touched = true;
    (void)n;
    return STORE_OK;
}

bool store_notices_told(struct store *writer)
{
    (void)writer;
    return false;
}

enum store_status store_notices_jump(struct store *s, struct utc now)
{
    (void)s;
    (void)now;
    return STORE_OK;
}

// Nobody calls.
enum store_status store_calls_expire(struct store *s, struct utc now, uint32_t rows_max,
                                     bool *is_more)
{
    (void)s;
    (void)now;
    (void)rows_max;
    *is_more = false;
    return STORE_OK;
}

// A world keeps keys and history for as long as it lasts: its server is told of no time for them.
enum store_status store_retired_put(struct store *s, uint64_t card, struct utc at)
{
    (void)s;
    (void)card;
    (void)at;
    return STORE_OK;
}

enum store_status store_retired_first(struct store *s, struct utc *at)
{
    (void)s;
    (void)at;
    return STORE_NONE;
}

enum store_status store_retired_erase(struct store *s, struct utc before, struct utc now,
                                      uint32_t limit)
{
    (void)s;
    (void)before;
    (void)now;
    (void)limit;
    check(false);
    return STORE_FAILED;
}

enum store_status store_expire(struct store *s, enum retained kind, struct utc before,
                               uint32_t limit, uint32_t *count)
{
    (void)s;
    (void)kind;
    (void)before;
    (void)limit;
    (void)count;
    check(false);
    return STORE_FAILED;
}

// --- values ----------------------------------------------------------------------------------

static struct value_place *value_find(const struct store *s, const char *name)
{
    for (uint32_t i = 0; i < s->rows[VALUES].count; i++) {
        struct value_place *v = row_at(s, VALUES, i);
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

enum store_status store_value(struct store *s, const char *name, struct writer *out)
{
    const struct value_place *v = value_find(s, name);
    if (v == NULL)
        return STORE_NONE;
    writer_copy(out, bytes_of(v->octets, v->len));
    return STORE_OK;
}

enum store_status store_value_put(struct store *s, const char *name, struct bytes value)
{
    struct value_place *v = value_find(s, name);
    check(strlen(name) < sizeof v->name && value.len <= sizeof v->octets);
    if (v != NULL && bytes_equal(bytes_of(v->octets, v->len), value))
        return STORE_OK; // the engine writes nothing then
    if (v == NULL)
        v = row_add(s, VALUES, row_key(name));
    else
        row_keep(s, v, sizeof *v);
    memcpy(v->name, name, strlen(name) + 1);
    if (value.len > 0)
        memcpy(v->octets, value.at, value.len);
    v->len = (uint8_t)value.len;
    return STORE_OK;
}

// Only rules of groups are kept: nothing reads what lists show of a bootstrap.
static const char *const kept_kind = "group-rules";

enum store_status store_document_get(struct store *s, const char *kind, uint64_t id,
                                     store_document_fn *each, void *context)
{
    for (uint32_t i = 0; i < s->rows[DOCUMENTS].count; i++) {
        const struct document_place *p = row_at(s, DOCUMENTS, i);
        const struct document d = {
            .kind = kept_kind, .id = p->id, .version = 1, .body = bytes_of(p->body, p->len)};
        if (p->id != id || strcmp(kind, kept_kind) != 0)
            continue;
        (void)each(context, &d);
        return STORE_OK;
    }
    return STORE_NONE;
}

// Alarms are told and forgotten: nothing that a card or the server does depends on them.
enum store_status store_document_named(struct store *s, const char *kind, const char *name,
                                       store_document_fn *each, void *context)
{
    (void)s;
    (void)kind;
    (void)name;
    (void)each;
    (void)context;
    return STORE_NONE;
}

enum store_status store_document_put(struct store *s, const struct document *d)
{
    if (strcmp(d->kind, kept_kind) != 0)
        return STORE_OK;
    struct document_place *p = row_add(s, DOCUMENTS, d->id);
    check(d->version == 0 && d->body.len <= sizeof p->body);
    p->id = d->id;
    p->len = (uint16_t)d->body.len;
    bytes_copy(p->body, d->body);
    return STORE_OK;
}

// Nor does anything wait for an approval.
enum store_status store_document_state(struct store *s, const char *kind, uint64_t id, int64_t from,
                                       int64_t to, struct utc at)
{
    (void)s;
    (void)kind;
    (void)id;
    (void)from;
    (void)to;
    (void)at;
    return STORE_NONE;
}

// Nobody is logged in.
enum store_status store_documents(struct store *s, const struct document_filter *filter,
                                  const struct store_page *page, store_document_fn *each,
                                  void *context, uint64_t *total)
{
    (void)s;
    (void)page;
    (void)each;
    (void)context;
    check(strcmp(filter->kind, kept_kind) != 0 && total == NULL);
    return STORE_OK;
}

enum store_status store_document_delete(struct store *s, const char *kind, uint64_t id)
{
    (void)s;
    (void)kind;
    (void)id;
    return STORE_NONE;
}

// --- the trail -------------------------------------------------------------------------------

// The texts of a row, where they stand in it.
static const char **text_of(struct trail_row *r, unsigned index)
{
    const char **const texts[TEXTS] = {&r->address, &r->action, &r->object_kind, &r->before,
                                       &r->after,   &r->reason, &r->result};
    return texts[index];
}

void trail_keep_texts(struct trail_place *t)
{
    size_t len = 0;
    for (unsigned i = 0; i < TEXTS; i++) {
        const char **text = text_of(&t->row, i);
        *text = *text == NULL ? "" : *text;
        len += strlen(*text) + 1;
    }
    t->texts = malloc(len);
    check(t->texts != NULL);
    char *to = t->texts;
    for (unsigned i = 0; i < TEXTS; i++) {
        const char **text = text_of(&t->row, i);
        const size_t size = strlen(*text) + 1;
        *text = memcpy(to, *text, size);
        to += size;
    }
    t->row.pseudonym = "";
}

static bool hash_of(const struct store *s, struct trail_place *t, uint8_t hash[32])
{
    const struct trail_row *r = &t->row;
    uint8_t octets[80];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u64(&w, r->sequence);
    writer_u64(&w, (uint64_t)r->at.ms);
    writer_u64(&w, t->object);
    writer_u64(&w, r->operation);
    writer_u64(&w, r->actor.id);
    writer_u8(&w, r->actor.kind);
    size_t len = 0;
    for (unsigned i = 0; i < TEXTS; i++)
        len += strlen(*text_of(&t->row, i)) + 1;
    const struct bytes parts[] = {bytes_of(r->previous, 32), writer_bytes(&w),
                                  bytes_of((const uint8_t *)t->texts, len)};
    return s->crypto->cipher->sha256(s->crypto->cipher->context, parts, 3, hash);
}

enum store_status store_trail_add(struct store *s, const struct trail_new *v)
{
    struct trail_place *t = row_add(s, TRAIL, v->object);
    row_keep(s, &s->head, sizeof s->head);
    t->object = v->object;
    t->row = (struct trail_row){.sequence = ++s->head.sequence,
                                .at = v->at,
                                .tenant = v->tenant,
                                .actor = v->actor,
                                .address = v->address,
                                .action = v->action,
                                .object_kind = v->object_kind,
                                .operation = v->operation,
                                .correlator = v->correlator,
                                .approval = v->approval,
                                .before = v->before,
                                .after = v->after,
                                .reason = v->reason,
                                .result = v->result};
    trail_keep_texts(t);
    memcpy(t->row.previous, s->head.hash, sizeof t->row.previous);
    check(hash_of(s, t, t->row.hash));
    memcpy(s->head.hash, t->row.hash, sizeof s->head.hash);
    return STORE_OK;
}

void trail_filter_init(struct trail_filter *f)
{
    *f = (struct trail_filter){.actor_kind = -1};
}

static bool is_wanted(const struct trail_filter *f, const struct trail_place *t)
{
    return (f->object == 0 || f->object == t->object) &&
           (f->sequence == 0 || f->sequence == t->row.sequence) &&
           (f->action == NULL || strcmp(f->action, t->row.action) == 0);
}

// The row before `*at`, 0 at first; of an object those alone that it may be found by.
static const struct trail_place *trail_before(const struct store *s, const struct trail_filter *f,
                                              uint32_t *at)
{
    if (f->object != 0)
        return row_with(s, TRAIL, f->object, at);
    *at = *at == 0 ? s->rows[TRAIL].count : *at - 1;
    return *at == 0 ? NULL : row_at(s, TRAIL, *at - 1);
}

// By object and action, newest first: a world asks for no more.
enum store_status store_trail(struct store *s, const struct trail_filter *f,
                              const struct store_page *page, store_trail_fn *each, void *context,
                              uint64_t *total)
{
    bool goes_on = true;
    uint32_t at = 0;
    uint64_t found = 0;
    const struct trail_place *t = trail_before(s, f, &at);
    for (; t != NULL && t->row.sequence >= f->sequence_from; t = trail_before(s, f, &at)) {
        if (!is_wanted(f, t))
            continue;
        const bool is_on_page = found >= page->offset && found - page->offset < page->limit;
        found++;
        if (goes_on && is_on_page)
            goes_on = each(context, &t->row);
    }
    if (total != NULL)
        *total = found;
    return STORE_OK;
}

enum store_status store_trail_head(struct store *s, uint64_t *sequence, uint8_t hash[32])
{
    *sequence = s->head.sequence;
    memcpy(hash, s->head.hash, 32);
    return STORE_OK;
}

enum store_status store_trail_verify(struct store *s, uint64_t from, uint64_t to,
                                     struct trail_verdict *out)
{
    check(from == 0 && to == 0);
    *out = (struct trail_verdict){.ok = true, .problem = ""};
    uint8_t previous[32] = {0};
    for (uint32_t i = 0; i < s->rows[TRAIL].count && out->ok; i++) {
        struct trail_place *t = row_at(s, TRAIL, i);
        uint8_t hash[32];
        check(hash_of(s, t, hash));
        out->ok = t->row.sequence == i + 1u && memcmp(previous, t->row.previous, 32) == 0 &&
                  memcmp(hash, t->row.hash, 32) == 0;
        out->first_bad = out->ok ? 0 : i + 1u;
        memcpy(previous, t->row.hash, sizeof previous);
    }
    return STORE_OK;
}

enum store_status store_trail_expire(struct store *s, struct utc now, unsigned months,
                                     uint32_t rows_max, bool *is_more)
{
    (void)s;
    (void)now;
    (void)rows_max;
    check(months == 0);
    *is_more = false;
    return STORE_OK;
}

const char *store_archive_problem(const struct store *s)
{
    (void)s;
    return "";
}

enum store_status store_checkpoint(struct store *s, struct utc at)
{
    (void)s;
    (void)at;
    return STORE_OK;
}

#define RESTORED "restored"

enum store_status store_put_back(struct store *s, struct utc now)
{
    const struct trail_new row = {.at = now,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "server.restored",
                                  .object_kind = "system"};
    check(store_begin(s) == STORE_OK && store_trail_add(s, &row) == STORE_OK);
    check(store_value_put(s, RESTORED, bytes_of_text("yes")) == STORE_OK);
    return store_commit(s);
}

enum store_status store_is_restored(struct store *s, bool *is_restored)
{
    const struct value_place *v = value_find(s, RESTORED);
    *is_restored = v != NULL && v->len > 0;
    return STORE_OK;
}

enum store_status store_restore_done(struct store *s)
{
    return store_value_put(s, RESTORED, bytes_of(NULL, 0));
}

// --- ids -------------------------------------------------------------------------------------

static uint64_t highest(const struct store *s, int kind, size_t at, uint64_t id)
{
    for (uint32_t i = 0; i < s->rows[kind].count; i++) {
        uint64_t other;
        memcpy(&other, (const uint8_t *)row_at(s, kind, i) + at, sizeof other);
        id = other > id ? other : id;
    }
    return id;
}

enum store_status store_ids(struct store *s, struct ids *ids)
{
    uint64_t id = ids->last;
    id = highest(s, CARDS, offsetof(struct card_place, record.card), id);
    id = highest(s, SUBSCRIPTIONS, offsetof(struct subscription_place, row.id), id);
    id = highest(s, OPERATIONS, offsetof(struct operation_place, row.id), id);
    ids->last = highest(s, MESSAGES, offsetof(struct message, id), id);
    return STORE_OK;
}
