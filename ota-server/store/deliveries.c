#include "ota-server/store/deliveries.h"

#include "ota-server/store/driver.h"
#include "ota-server/store/notices.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define DONE_KEPT_MS DAY_MS
#define DEAD_KEPT_MS (30 * DAY_MS)
#define SINKS_AT_ONCE 1024

// --- sinks -----------------------------------------------------------------------------------

enum store_status store_sink_add(struct store *s, uint64_t id)
{
    struct query q = query_of(s, STATEMENT_SINK_ADD);
    bind_number(&q, 1, (int64_t)id);
    return query_run(&q);
}

static struct sink_row sink_of(const struct query *q)
{
    return (struct sink_row){.id = (uint64_t)column_number(q, 0),
                             .health = {.state = (uint8_t)column_number(q, 1),
                                        .why = (uint8_t)column_number(q, 2),
                                        .failures = (uint32_t)column_number(q, 3),
                                        .refusals = (uint32_t)column_number(q, 4),
                                        .failing_since = {column_number(q, 5)},
                                        .retry_at = {column_number(q, 6)}},
                             .waiting = (uint64_t)column_number(q, 7),
                             .dead = (uint64_t)column_number(q, 8),
                             .has_alarm = column_number(q, 9) != 0};
}

enum store_status store_sink_get(struct store *s, uint64_t id, struct sink_row *out)
{
    struct query q = query_of(s, STATEMENT_SINK_GET);
    bind_number(&q, 1, (int64_t)id);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        *out = sink_of(&q);
    query_end(&q);
    return status;
}

enum store_status store_sink_health_put(struct store *s, uint64_t id, const struct sink_health *h)
{
    struct query q = query_of(s, STATEMENT_SINK_HEALTH_PUT);
    bind_number(&q, 1, (int64_t)id);
    bind_number(&q, 2, h->state);
    bind_number(&q, 3, h->why);
    bind_number(&q, 4, h->failures);
    bind_number(&q, 5, h->refusals);
    bind_number(&q, 6, h->failing_since.ms);
    bind_number(&q, 7, h->retry_at.ms);
    return query_run(&q);
}

enum store_status store_sink_delete(struct store *s, uint64_t id)
{
    static const enum statement STEPS[] = {STATEMENT_SINK_ATTEMPTS_DROP,
                                           STATEMENT_SINK_DELIVERIES_DROP, STATEMENT_SINK_DROP};
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && status == STORE_OK; i++) {
        struct query q = query_of(s, STEPS[i]);
        bind_number(&q, 1, (int64_t)id);
        status = query_run(&q);
    }
    return status;
}

static enum store_status each_sink(struct query *q, store_sink_fn *each, void *context)
{
    enum store_status status = query_step(q);
    bool is_wanted = true;
    while (status == STORE_OK && is_wanted) {
        const struct sink_row row = sink_of(q);
        is_wanted = each(context, &row);
        status = query_step(q);
    }
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_sinks_waiting(struct store *s, store_sink_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_SINKS_WAITING);
    return each_sink(&q, each, context);
}

enum store_status store_sinks_to_alarm(struct store *s, uint32_t limit, store_sink_fn *each,
                                       void *context)
{
    struct query q = query_of(s, STATEMENT_SINKS_TO_ALARM);
    bind_number(&q, 1, limit);
    return each_sink(&q, each, context);
}

enum store_status store_sink_alarm_put(struct store *s, uint64_t id, bool has_alarm)
{
    struct query q = query_of(s, STATEMENT_SINK_ALARM_PUT);
    bind_number(&q, 1, (int64_t)id);
    bind_number(&q, 2, has_alarm);
    return query_run(&q);
}

// So many more wait, and so many more are dead.
static enum store_status count(struct store *s, uint64_t sink, int waiting, int dead)
{
    struct query q = query_of(s, STATEMENT_SINK_COUNT);
    bind_number(&q, 1, (int64_t)sink);
    bind_number(&q, 2, waiting);
    bind_number(&q, 3, dead);
    return query_run(&q);
}

// --- queues ----------------------------------------------------------------------------------

static enum store_status drop_oldest(struct store *s, uint64_t sink, struct utc at)
{
    struct query q = query_of(s, STATEMENT_DELIVERY_OLDEST_DEAD);
    bind_number(&q, 1, (int64_t)sink);
    bind_number(&q, 2, at.ms);
    const enum store_status status = query_run(&q);
    return status == STORE_OK ? count(s, sink, -1, 1) : status;
}

static enum store_status next_id(struct store *s, struct utc at, uint64_t *id)
{
    if (s->deliveries.last == 0) {
        struct query q = query_of(s, STATEMENT_DELIVERY_LAST);
        const enum store_status status = query_step(&q);
        if (status == STORE_OK)
            s->deliveries.last = (uint64_t)column_number(&q, 0);
        query_end(&q);
        if (status != STORE_OK && status != STORE_NONE)
            return status;
    }
    *id = ids_next(&s->deliveries, at);
    return STORE_OK;
}

static enum store_status put(struct store *s, const struct delivery *d, uint64_t *id)
{
    enum store_status status = next_id(s, d->at, id);
    if (status != STORE_OK)
        return status;
    struct query q = query_of(s, STATEMENT_DELIVERY_ADD);
    bind_number(&q, 1, (int64_t)*id);
    bind_number(&q, 2, (int64_t)d->sink);
    bind_number(&q, 3, (int64_t)d->tenant);
    bind_number(&q, 4, d->kind);
    bind_number(&q, 5, d->at.ms);
    bind_number(&q, 6, (int64_t)d->card);
    bind_octets(&q, 7, bytes_of(d->uuid, sizeof(d->uuid)));
    bind_number(&q, 8, d->at.ms + SINK_GIVE_UP_MS);
    bind_octets(&q, 9, d->data);
    status = query_run(&q);
    if (status == STORE_OK)
        status = count(s, d->sink, 1, 0);
    struct sink_row sink = {0};
    if (status == STORE_OK)
        status = store_sink_get(s, d->sink, &sink);
    s->has_notices = true; // somebody is to look
    return status == STORE_OK && sink.waiting > DELIVERIES_WAITING_MAX
               ? drop_oldest(s, d->sink, d->at)
               : status;
}

enum store_status store_delivery_add(struct store *s, const struct delivery *d, uint64_t *id)
{
    struct delivery made = *d;
    s->crypto->random(made.uuid, sizeof(made.uuid));
    return put(s, &made, id);
}

struct wanting {
    uint64_t sinks[SINKS_AT_ONCE], owners[SINKS_AT_ONCE];
    size_t count;
};

static enum store_status find_sinks(struct store *s, const struct notice *n, struct wanting *w)
{
    struct query q = query_of(s, STATEMENT_SINKS_FOR);
    bind_number(&q, 1, INT64_C(1) << n->kind);
    bind_number(&q, 2, (int64_t)n->group);
    bind_number(&q, 3, (int64_t)n->tenant);
    bind_number(&q, 4, (int64_t)n->card);
    bind_number(&q, 5, (int64_t)n->overseer);
    bind_number(&q, 6, n->grants);
    bind_number(&q, 7, SINKS_AT_ONCE);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        w->sinks[w->count] = (uint64_t)column_number(&q, 0);
        w->owners[w->count++] = (uint64_t)column_number(&q, 1);
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status deliveries_add(struct store *s, const struct notice *n)
{
    struct wanting w = {.count = 0};
    struct delivery d = {.kind = n->kind, .at = n->at, .card = n->card, .data = n->data};
    enum store_status status = find_sinks(s, n, &w);
    if (status == STORE_OK && w.count > 0)
        s->crypto->random(d.uuid, sizeof(d.uuid)); // one event is one, whoever is told
    for (size_t i = 0; i < w.count && status == STORE_OK; i++) {
        d.sink = w.sinks[i];
        d.tenant = w.owners[i];
        status = put(s, &d, &d.id);
    }
    return status;
}

// --- reading ---------------------------------------------------------------------------------

static struct delivery delivery_of(const struct query *q)
{
    struct delivery d = {.id = (uint64_t)column_number(q, 0),
                         .sink = (uint64_t)column_number(q, 1),
                         .tenant = (uint64_t)column_number(q, 2),
                         .kind = (uint8_t)column_number(q, 3),
                         .at = {column_number(q, 4)},
                         .card = (uint64_t)column_number(q, 5),
                         .state = (uint8_t)column_number(q, 7),
                         .give_up_at = {column_number(q, 8)},
                         .attempts = (uint32_t)column_number(q, 9),
                         .ended_at = {column_number(q, 10)},
                         .status = (uint16_t)column_number(q, 11),
                         .problem = column_text(q, 12),
                         .data = column_octets(q, 13)};
    const struct bytes uuid = column_octets(q, 6);
    if (uuid.len == sizeof(d.uuid))
        memcpy(d.uuid, uuid.at, sizeof(d.uuid));
    return d;
}

static enum store_status each_delivery(struct query *q, store_delivery_fn *each, void *context,
                                       bool must_be)
{
    enum store_status status = query_step(q);
    bool is_wanted = true;
    if (status == STORE_NONE && must_be) {
        query_end(q);
        return STORE_NONE;
    }
    while (status == STORE_OK && is_wanted) {
        const struct delivery d = delivery_of(q);
        is_wanted = each(context, &d);
        status = query_step(q);
    }
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_delivery_get(struct store *s, uint64_t id, store_delivery_fn *each,
                                     void *context)
{
    struct query q = query_of(s, STATEMENT_DELIVERY_GET);
    bind_number(&q, 1, (int64_t)id);
    return each_delivery(&q, each, context, true);
}

enum store_status store_deliveries_waiting(struct store *s, uint64_t sink, uint32_t limit,
                                           store_delivery_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_DELIVERIES_WAITING);
    bind_number(&q, 1, (int64_t)sink);
    bind_number(&q, 2, limit);
    return each_delivery(&q, each, context, false);
}

static void bind_filter(struct query *q, const struct delivery_filter *f)
{
    bind_number(q, 1, (int64_t)f->tenant);
    bind_number(q, 2, (int64_t)f->sink);
    bind_number(q, 3, f->state);
}

enum store_status store_deliveries(struct store *s, const struct delivery_filter *filter,
                                   const struct store_page *page, store_delivery_fn *each,
                                   void *context, uint64_t *total)
{
    struct query q = query_of(s, STATEMENT_DELIVERIES_COUNT);
    bind_filter(&q, filter);
    bind_page(&q, 4, page);
    enum store_status status = query_step(&q);
    *total = status == STORE_OK ? (uint64_t)column_number(&q, 0) : 0;
    query_end(&q);
    if (status != STORE_OK)
        return status;
    q = query_of(s, STATEMENT_DELIVERIES);
    bind_filter(&q, filter);
    bind_page(&q, 4, page);
    return each_delivery(&q, each, context, false);
}

// --- attempts --------------------------------------------------------------------------------

enum store_status store_attempt_add(struct store *s, const struct delivery_attempt *a,
                                    enum delivery_state state)
{
    struct query q = query_of(s, STATEMENT_DELIVERY_TRIED);
    bind_number(&q, 1, (int64_t)a->delivery);
    bind_number(&q, 2, (int64_t)state);
    bind_number(&q, 3, state == DELIVERY_WAITING ? 0 : a->at.ms);
    bind_number(&q, 4, a->status);
    bind_text(&q, 5, a->problem);
    enum store_status status = query_step(&q); // of one that is still waiting
    const bool has_ended = status == STORE_OK && state != DELIVERY_WAITING;
    query_end(&q);
    if (status != STORE_OK)
        return status; // NONE: it was dropped meanwhile, or its sink was
    q = query_of(s, STATEMENT_ATTEMPT_ADD);
    bind_number(&q, 1, (int64_t)a->delivery);
    bind_number(&q, 2, a->at.ms);
    bind_number(&q, 3, a->took_ms);
    bind_number(&q, 4, a->status);
    bind_text(&q, 5, a->problem);
    status = query_run(&q);
    return status == STORE_OK && has_ended ? count(s, a->sink, -1, state == DELIVERY_DEAD) : status;
}

enum store_status store_attempts(struct store *s, uint64_t delivery, store_attempt_fn *each,
                                 void *context)
{
    struct query q = query_of(s, STATEMENT_ATTEMPTS);
    bind_number(&q, 1, (int64_t)delivery);
    enum store_status status = query_step(&q);
    bool is_wanted = true;
    while (status == STORE_OK && is_wanted) {
        const struct delivery_attempt a = {.delivery = delivery,
                                           .at = {column_number(&q, 0)},
                                           .took_ms = (uint32_t)column_number(&q, 1),
                                           .status = (uint16_t)column_number(&q, 2),
                                           .problem = column_text(&q, 3)};
        is_wanted = each(context, &a);
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_delivery_again(struct store *s, uint64_t id, uint64_t sink,
                                       struct utc give_up_at)
{
    struct query q = query_of(s, STATEMENT_DELIVERY_AGAIN);
    bind_number(&q, 1, (int64_t)id);
    bind_number(&q, 2, give_up_at.ms);
    const enum store_status status = query_run(&q);
    if (status == STORE_OK && sqlite3_changes(s->db) == 0)
        return STORE_NONE;
    s->has_notices = true;
    return status == STORE_OK ? count(s, sink, 1, -1) : status;
}

// --- time ------------------------------------------------------------------------------------

struct aged {
    uint64_t ids[256], sinks[256];
    uint8_t states[256];
    size_t count;
};

static enum store_status find_aged(struct store *s, enum statement statement, struct utc now,
                                   uint32_t limit, struct aged *aged)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, now.ms);
    bind_number(&q, 2, limit);
    aged->count = 0;
    enum store_status status = query_step(&q);
    while (status == STORE_OK && aged->count < limit) {
        aged->ids[aged->count] = (uint64_t)column_number(&q, 0);
        aged->sinks[aged->count] = (uint64_t)column_number(&q, 1);
        aged->states[aged->count++] = (uint8_t)column_number(&q, 2);
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status run_on(struct store *s, enum statement statement, uint64_t id,
                                struct utc now)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)id);
    if (statement == STATEMENT_DELIVERY_DEAD)
        bind_number(&q, 2, now.ms);
    return query_run(&q);
}

static enum store_status remove_one(struct store *s, const struct aged *aged, size_t i,
                                    struct utc now)
{
    enum store_status status = run_on(s, STATEMENT_ATTEMPTS_DROP, aged->ids[i], now);
    if (status == STORE_OK)
        status = run_on(s, STATEMENT_DELIVERY_DROP, aged->ids[i], now);
    return status == STORE_OK && aged->states[i] == DELIVERY_DEAD ? count(s, aged->sinks[i], 0, -1)
                                                                  : status;
}

enum store_status store_deliveries_sweep(struct store *s, struct utc now, uint32_t limit,
                                         bool *is_more)
{
    struct aged aged;
    limit = limit < 256 ? limit : 256;
    enum store_status status = find_aged(s, STATEMENT_DELIVERIES_LATE, now, limit, &aged);
    *is_more = aged.count == limit;
    for (size_t i = 0; i < aged.count && status == STORE_OK; i++) {
        status = run_on(s, STATEMENT_DELIVERY_DEAD, aged.ids[i], now);
        if (status == STORE_OK)
            status = count(s, aged.sinks[i], -1, 1);
    }
    static const struct {
        enum statement statement;
        int64_t kept_ms;
    } ENDED[] = {{STATEMENT_DELIVERIES_DONE, DONE_KEPT_MS},
                 {STATEMENT_DELIVERIES_OLD, DEAD_KEPT_MS}};
    for (size_t k = 0; k < 2 && status == STORE_OK; k++) {
        status = find_aged(s, ENDED[k].statement, utc_after(now, -ENDED[k].kept_ms), limit, &aged);
        *is_more = *is_more || aged.count == limit;
        for (size_t i = 0; i < aged.count && status == STORE_OK; i++)
            status = remove_one(s, &aged, i, now);
    }
    return status;
}

enum store_status store_delivery_counts(struct store *s, struct delivery_counts *out)
{
    struct query q = query_of(s, STATEMENT_DELIVERY_COUNTS);
    const enum store_status status = query_step(&q);
    *out = (struct delivery_counts){0};
    if (status == STORE_OK)
        *out =
            (struct delivery_counts){(uint64_t)column_number(&q, 0), (uint64_t)column_number(&q, 1),
                                     (uint64_t)column_number(&q, 2)};
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}
