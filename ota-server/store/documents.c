// What the interfaces keep, idempotency keys, small values, counts and card views.
#include "ota-server/store/driver.h"

#include "common/base/check.h"
#include "common/wire/ident.h"

#define WEEK_MS (7 * (int64_t)24 * 3600 * 1000)
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define HOUR_MS ((int64_t)3600 * 1000)
#define TALLIES_MS (731 * DAY_MS) // 24 months

enum store_status store_idempotency(struct store *s, uint64_t client, const char *key,
                                    const uint8_t digest[32], struct utc now, uint64_t *operation)
{
    struct query q = query_of(s, STATEMENT_IDEMPOTENCY_GET);
    bind_number(&q, 1, (int64_t)client);
    bind_text(&q, 2, key);
    bind_number(&q, 3, now.ms - WEEK_MS);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        const bool is_same = bytes_equal(column_octets(&q, 0), bytes_of(digest, 32));
        if (is_same)
            *operation = (uint64_t)column_number(&q, 1);
        status = is_same ? STORE_OK : STORE_CONFLICT;
    }
    query_end(&q);
    if (status != STORE_NONE)
        return status;
    q = query_of(s, STATEMENT_IDEMPOTENCY_PUT);
    bind_number(&q, 1, (int64_t)client);
    bind_text(&q, 2, key);
    bind_octets(&q, 3, bytes_of(digest, 32));
    bind_number(&q, 4, (int64_t)*operation);
    bind_number(&q, 5, now.ms);
    status = query_run(&q);
    return status == STORE_OK ? STORE_NONE : status;
}

// An unnamed document has NULL: uniqueness is for names only.
enum store_status store_document_put(struct store *s, const struct document *d)
{
    struct query q =
        query_of(s, d->version == 0 ? STATEMENT_DOCUMENT_ADD : STATEMENT_DOCUMENT_CHANGE);
    bind_text(&q, 1, d->kind);
    bind_number(&q, 2, (int64_t)d->id);
    bind_number(&q, 3, (int64_t)d->owner);
    bind_number(&q, 4, (int64_t)d->parent);
    if (d->name != NULL)
        bind_text(&q, 5, d->name);
    bind_number(&q, 6, d->state);
    bind_number(&q, 7, d->created_at.ms);
    bind_number(&q, 8, d->changed_at.ms);
    bind_octets(&q, 9, d->body);
    if (d->version != 0)
        bind_number(&q, 10, (int64_t)d->version);
    const enum store_status status = query_run(&q);
    return status == STORE_OK && sqlite3_changes(s->db) == 0 ? STORE_CONFLICT : status;
}

static struct document document_of(const struct query *q)
{
    const char *name = column_text(q, 4);
    return (struct document){.kind = column_text(q, 0),
                             .id = (uint64_t)column_number(q, 1),
                             .owner = (uint64_t)column_number(q, 2),
                             .parent = (uint64_t)column_number(q, 3),
                             .name = name[0] == 0 ? NULL : name,
                             .state = column_number(q, 5),
                             .created_at = {column_number(q, 6)},
                             .changed_at = {column_number(q, 7)},
                             .version = (uint64_t)column_number(q, 8),
                             .body = column_octets(q, 9)};
}

static enum store_status one_document(struct query *q, store_document_fn *each, void *context)
{
    const enum store_status status = query_step(q);
    if (status == STORE_OK) {
        const struct document d = document_of(q);
        (void)each(context, &d);
    }
    query_end(q);
    return status;
}

enum store_status store_document_get(struct store *s, const char *kind, uint64_t id,
                                     store_document_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_DOCUMENT_GET);
    bind_text(&q, 1, kind);
    bind_number(&q, 2, (int64_t)id);
    return one_document(&q, each, context);
}

enum store_status store_document_named(struct store *s, const char *kind, const char *name,
                                       store_document_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_DOCUMENT_NAMED);
    bind_text(&q, 1, kind);
    bind_text(&q, 2, name);
    return one_document(&q, each, context);
}

enum store_status store_document_between(struct store *s, const char *kind, const char *from,
                                         const char *to, int64_t not_state)
{
    struct query q = query_of(s, STATEMENT_DOCUMENT_BETWEEN);
    bind_text(&q, 1, kind);
    bind_text(&q, 2, from);
    bind_text(&q, 3, to);
    bind_number(&q, 4, not_state);
    const enum store_status status = query_step(&q);
    query_end(&q);
    return status;
}

enum store_status store_document_state(struct store *s, const char *kind, uint64_t id, int64_t from,
                                       int64_t to, struct utc at)
{
    struct query q = query_of(s, STATEMENT_DOCUMENT_STATE);
    bind_text(&q, 1, kind);
    bind_number(&q, 2, (int64_t)id);
    bind_number(&q, 3, from);
    bind_number(&q, 4, to);
    bind_number(&q, 5, at.ms);
    const enum store_status status = query_run(&q);
    return status == STORE_OK && sqlite3_changes(s->db) == 0 ? STORE_NONE : status;
}

enum store_status store_document_delete(struct store *s, const char *kind, uint64_t id)
{
    struct query q = query_of(s, STATEMENT_DOCUMENT_DELETE);
    bind_text(&q, 1, kind);
    bind_number(&q, 2, (int64_t)id);
    const enum store_status status = query_run(&q);
    return status == STORE_OK && sqlite3_changes(s->db) == 0 ? STORE_NONE : status;
}

static void bind_documents(struct query *q, const struct document_filter *f)
{
    bind_text(q, 1, f->kind);
    bind_number(q, 2, (int64_t)f->owner);
    bind_number(q, 3, (int64_t)f->parent);
    bind_number(q, 4, f->state);
    bind_number(q, 8, f->bits);
    bind_text(q, 9, f->application_field);
}

enum store_status store_documents(struct store *s, const struct document_filter *f,
                                  const struct store_page *page, store_document_fn *each,
                                  void *context, uint64_t *total)
{
    struct query q = query_of(s, f->is_descending ? STATEMENT_DOCUMENTS_DOWN : STATEMENT_DOCUMENTS);
    bind_documents(&q, f);
    bind_number(&q, 5, page->limit);
    bind_number(&q, 6, (int64_t)page->offset);
    if (!f->is_descending)
        bind_number(&q, 7, (int64_t)f->after);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        const struct document d = document_of(&q);
        if (!each(context, &d))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    if ((status != STORE_OK && status != STORE_NONE) || total == NULL)
        return status == STORE_NONE ? STORE_OK : status;
    q = query_of(s, STATEMENT_DOCUMENTS_COUNT);
    bind_documents(&q, f);
    status = query_step(&q);
    if (status == STORE_OK)
        *total = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_value(struct store *s, const char *name, struct writer *out)
{
    struct query q = query_of(s, STATEMENT_VALUE_GET);
    bind_text(&q, 1, name);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        writer_copy(out, column_octets(&q, 0));
    query_end(&q);
    return status;
}

enum store_status store_value_put(struct store *s, const char *name, struct bytes value)
{
    struct query q = query_of(s, STATEMENT_VALUE_PUT);
    bind_text(&q, 1, name);
    bind_octets(&q, 2, value);
    return query_run(&q);
}

enum store_status store_sweep(struct store *s, struct utc now)
{
    static const struct {
        enum statement statement;
        int64_t age_ms;
    } sweeps[] = {{STATEMENT_SWEEP_STRAYS, DAY_MS},        {STATEMENT_SWEEP_MESSAGE_PARTS, DAY_MS},
                  {STATEMENT_SWEEP_KEYS, WEEK_MS},         {STATEMENT_SWEEP_RECEIPTS, WEEK_MS},
                  {STATEMENT_SWEEP_FALLBACKS, 8 * DAY_MS}, {STATEMENT_SWEEP_TALLIES, TALLIES_MS}};
    for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
        struct query q = query_of(s, sweeps[i].statement);
        bind_number(&q, 1, now.ms - sweeps[i].age_ms);
        const enum store_status status = query_run(&q);
        if (status != STORE_OK)
            return status;
    }
    return STORE_OK;
}

// --- card views ------------------------------------------------------------------------------

static bool is_located(const struct audit_answer *a)
{
    return a->has_imei || a->has_plmn;
}

static bool write_answer(struct writer *w, const struct card_view *v)
{
    return audit_answer_write(w, &v->answer, w->cap) == v->answer.slot_count_here && !w->failed;
}

enum store_status store_card_view_put(struct store *s, uint64_t card, const struct card_view *v)
{
    uint8_t octets[STORE_ANSWER_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    if (!write_answer(&w, v))
        return STORE_FAILED;
    struct query q = query_of(s, STATEMENT_VIEW_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, v->at.ms);
    bind_number(&q, 3, (int64_t)v->operation);
    bind_number(&q, 4, v->registry_version);
    bind_number(&q, 5, v->outcome);
    bind_octets(&q, 6, writer_bytes(&w));
    bind_number(&q, 7, is_located(&v->answer));
    return query_run(&q);
}

static bool read_view(const struct query *q, struct card_view *out)
{
    out->at.ms = column_number(q, 0);
    out->operation = (uint64_t)column_number(q, 1);
    out->registry_version = (uint32_t)column_number(q, 2);
    out->outcome = (uint8_t)column_number(q, 3);
    return audit_answer_read(column_octets(q, 4), &out->answer);
}

static enum store_status judge_age(struct store *s, uint64_t card, struct card_view *view)
{
    struct record r;
    const enum store_status status = store_card_load(s, card, &r);
    if (status == STORE_OK)
        view->is_outdated = r.changed_counter > view->answer.mt_counter;
    return status;
}

enum store_status store_card_view(struct store *s, uint64_t card, struct card_view *out)
{
    struct query q = query_of(s, STATEMENT_VIEW_GET);
    bind_number(&q, 1, (int64_t)card);
    enum store_status status = query_step(&q);
    memset(out, 0, sizeof(*out));
    if (status == STORE_OK && !read_view(&q, out))
        status = STORE_FAILED;
    query_end(&q);
    return status == STORE_OK ? judge_age(s, card, out) : status;
}

// --- audits ----------------------------------------------------------------------------------

#define DIFFERENCES_OCTETS_MAX (DECISION_DIFFERENCES_MAX * (10 + KEPT_FIELD_SIZE))

// Of each: slot, both values, length and octets of the field's name.
static void write_differences(struct writer *w, const struct kept_audit *audit)
{
    for (uint8_t i = 0; i < audit->count; i++) {
        const struct difference *d = &audit->differences[i];
        const struct bytes field = bytes_of_text(d->field);
        check(field.len < KEPT_FIELD_SIZE);
        writer_u8(w, d->slot);
        writer_u32(w, d->server);
        writer_u32(w, d->card);
        writer_u8(w, (uint8_t)field.len);
        writer_copy(w, field);
    }
}

static bool read_differences(struct bytes octets, struct kept_audit *out)
{
    struct reader r = reader_of(octets);
    while (r.left > 0 && out->count < DECISION_DIFFERENCES_MAX) {
        struct difference *d = &out->differences[out->count];
        char *field = out->fields[out->count];
        d->slot = reader_u8(&r);
        d->server = reader_u32(&r);
        d->card = reader_u32(&r);
        const uint8_t len = reader_u8(&r);
        if (len >= KEPT_FIELD_SIZE)
            return false;
        reader_copy(&r, field, len);
        field[len] = '\0';
        d->field = field;
        out->count++;
    }
    return reader_done(&r);
}

enum store_status store_audit_put(struct store *s, uint64_t card, const struct kept_audit *audit)
{
    uint8_t octets[STORE_ANSWER_MAX];
    uint8_t differences[DIFFERENCES_OCTETS_MAX];
    const struct card_view *v = &audit->view;
    struct writer w = writer_of(octets, sizeof(octets));
    struct writer d = writer_of(differences, sizeof(differences));
    write_differences(&d, audit);
    if (!write_answer(&w, v) || d.failed)
        return STORE_FAILED;
    struct query q = query_of(s, STATEMENT_AUDIT_PUT);
    bind_number(&q, 1, (int64_t)v->operation);
    bind_number(&q, 2, (int64_t)card);
    bind_number(&q, 3, v->at.ms);
    bind_number(&q, 4, v->registry_version);
    bind_number(&q, 5, v->outcome);
    bind_octets(&q, 6, writer_bytes(&w));
    bind_number(&q, 7, is_located(&v->answer));
    bind_octets(&q, 8, writer_bytes(&d));
    return query_run(&q);
}

enum store_status store_audit(struct store *s, uint64_t operation, struct kept_audit *out)
{
    struct query q = query_of(s, STATEMENT_AUDIT_GET);
    bind_number(&q, 1, (int64_t)operation);
    enum store_status status = query_step(&q);
    uint64_t card = 0;
    memset(out, 0, sizeof(*out));
    if (status == STORE_OK) {
        card = (uint64_t)column_number(&q, 5);
        if (!read_view(&q, &out->view) || !read_differences(column_octets(&q, 6), out))
            status = STORE_FAILED;
    }
    query_end(&q);
    return status == STORE_OK ? judge_age(s, card, &out->view) : status;
}

// --- views and mirror --------------------------------------------------------------------------

static void differ(struct difference *out, uint8_t *count, struct difference d)
{
    if (d.server != d.card && *count < DECISION_DIFFERENCES_MAX)
        out[(*count)++] = d;
}

uint8_t card_view_differences(const struct record *r, const struct card_view *view,
                              struct difference out[DECISION_DIFFERENCES_MAX])
{
    uint8_t count = 0;
    uint32_t matched = 0;
    for (uint8_t i = 0; i < view->answer.slot_count_here; i++) {
        const struct mirror_slot card = {.fact = view->answer.slots[i]};
        const struct audit_slot *c = &card.fact;
        const struct subscription_name name = record_slot_name(&card);
        const struct mirror_slot *m = record_slot_named(r, &name);
        if (m == NULL) {
            differ(out, &count, (struct difference){c->slot, "subscription", 0, 1});
            continue;
        }
        matched |= 1u << (m - r->slots);
        const struct audit_slot *f = &m->fact;
        differ(out, &count, (struct difference){c->slot, "slot", f->slot, c->slot});
        differ(out, &count, (struct difference){c->slot, "state", f->state, c->state});
        differ(out, &count,
               (struct difference){c->slot, "fallback", f->is_fallback, c->is_fallback});
        differ(out, &count, (struct difference){c->slot, "role", f->role, c->role});
        differ(out, &count, (struct difference){c->slot, "rank", f->rank, c->rank});
        differ(out, &count, (struct difference){c->slot, "marks", f->marks, c->marks});
        differ(out, &count,
               (struct difference){c->slot, "templateId", f->template_number, c->template_number});
    }
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if ((matched >> i & 1) == 0)
            differ(out, &count, (struct difference){r->slots[i].fact.slot, "subscription", 1, 0});
    }
    return count;
}

// --- counts ----------------------------------------------------------------------------------

enum store_status store_dirty_summary(struct store *s, uint64_t tenant, uint32_t grants,
                                      struct utc now, struct dirty_summary *out)
{
    memset(out, 0, sizeof(*out));
    struct query q = query_of(s, STATEMENT_DIRTY);
    bind_number(&q, 1, (int64_t)tenant);
    bind_number(&q, 2, grants);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        struct record r;
        const int64_t age = now.ms - column_number(&q, 1);
        out->total++;
        out->unreachable += column_number(&q, 2) >> MARK_UNREACHABLE & 1;
        out->needs_operator += column_number(&q, 3) != 0;
        out->by_age[age < HOUR_MS ? 0 : age < DAY_MS ? 1 : age < WEEK_MS ? 2 : 3]++;
        if (record_read(column_octets(&q, 0), &r)) {
            for (size_t i = 0; i < DIRTY_REASONS; i++)
                out->by_reason[i] += r.reasons[i].since.ms != 0;
        }
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_card_counts(struct store *s, uint64_t tenant, struct store_counts *out)
{
    struct query q = query_of(s, STATEMENT_COUNT_STATES);
    bind_number(&q, 1, (int64_t)tenant);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        const int64_t state = column_number(&q, 0);
        const uint64_t count = (uint64_t)column_number(&q, 2);
        const bool is_seen = state >= CARD_SEEN && state < CARD_RETIRED;
        if (state >= 0 && state < CARD_STATES)
            out->cards_by_state[state] += count;
        out->seen += is_seen ? count : 0;
        for (size_t mark = 0; mark < CARD_MARKS; mark++) {
            if ((column_number(&q, 1) >> mark & 1) == 0)
                continue;
            out->cards_by_mark[mark] += count;
            out->seen_by_mark[mark] += is_seen ? count : 0;
        }
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_counts(struct store *s, uint64_t tenant, struct store_counts *out)
{
    memset(out, 0, sizeof(*out));
    enum store_status status = store_card_counts(s, tenant, out);
    if (status != STORE_OK)
        return status;
    struct query q = query_of(s, STATEMENT_COUNT_STATUSES);
    bind_number(&q, 1, (int64_t)tenant);
    status = query_step(&q);
    while (status == STORE_OK) {
        const int64_t value = column_number(&q, 0);
        if (value >= 0 && value < OPERATION_STATUSES)
            out->operations_by_status[value] = (uint64_t)column_number(&q, 1);
        status = query_step(&q);
    }
    query_end(&q);
    if (status != STORE_NONE)
        return status;
    q = query_of(s, STATEMENT_COUNT_OUTBOX);
    status = query_step(&q);
    if (status == STORE_OK)
        out->outbox = (uint64_t)column_number(&q, 0);
    query_end(&q);
    uint8_t head[32];
    if (status == STORE_OK)
        status = store_trail_head(s, &out->trail, head);
    return status == STORE_OK ? store_strays_count(s, &out->strays) : status;
}
