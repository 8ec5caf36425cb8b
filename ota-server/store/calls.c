#include "ota-server/store/calls.h"

#include "ota-server/store/driver.h"

#define MINUTE_MS INT64_C(60000)
#define KEPT_YEARS 2

static enum store_status add_line(struct store *s, const struct call_line *l)
{
    struct query q = query_of(s, STATEMENT_CALL_ADD);
    bind_number(&q, 1, (int64_t)l->tenant);
    bind_number(&q, 2, l->minute.ms / MINUTE_MS);
    bind_number(&q, 3, l->month);
    bind_number(&q, 4, l->is_late);
    bind_number(&q, 5, l->api);
    bind_number(&q, 6, l->kind);
    bind_number(&q, 7, l->result);
    bind_number(&q, 8, (int64_t)l->client);
    bind_number(&q, 9, (int64_t)l->card);
    bind_text(&q, 10, l->operation);
    bind_number(&q, 11, (int64_t)l->calls);
    return query_run(&q);
}

static enum store_status add_sum(struct store *s, const struct call_line *l)
{
    struct query q = query_of(s, STATEMENT_CALL_SUM_ADD);
    bind_number(&q, 1, l->month);
    bind_number(&q, 2, (int64_t)l->tenant);
    bind_number(&q, 3, l->api);
    bind_number(&q, 4, l->kind);
    bind_number(&q, 5, l->result);
    bind_number(&q, 6, l->is_late);
    bind_number(&q, 7, (int64_t)l->calls);
    return query_run(&q);
}

static enum store_status add_card(struct store *s, const struct call_line *l, uint32_t period)
{
    const enum meter_api family = meter_family(l->api);
    struct query q = query_of(s, STATEMENT_QUERIED_ADD);
    bind_number(&q, 1, period);
    bind_number(&q, 2, (int64_t)l->tenant);
    bind_number(&q, 3, family);
    bind_number(&q, 4, (int64_t)l->card);
    const enum store_status status = query_run(&q);
    if (status != STORE_OK)
        return status;
    q = query_of(s, STATEMENT_QUERIED_SUM_ADD);
    bind_number(&q, 1, period);
    bind_number(&q, 2, (int64_t)l->tenant);
    bind_number(&q, 3, family);
    bind_number(&q, 4, (int64_t)l->calls);
    return query_run(&q);
}

enum store_status store_call_add(struct store *s, const struct call_line *l)
{
    const bool is_query = l->card != 0 && l->kind == METER_QUERY && l->result == METER_BILLABLE;
    enum store_status status = add_line(s, l);
    if (status == STORE_OK)
        status = add_sum(s, l);
    if (status == STORE_OK && is_query)
        status = add_card(s, l, l->month);
    return status == STORE_OK && is_query ? add_card(s, l, meter_year_of(l->month)) : status;
}

// --- reading -----------------------------------------------------------------------------------

static enum store_status count_rows(struct query *q, uint64_t *total)
{
    const enum store_status status = query_step(q);
    if (status == STORE_OK)
        *total = (uint64_t)column_number(q, 0);
    query_end(q);
    return status;
}

static struct call_line line_of(const struct query *q)
{
    return (struct call_line){.id = (uint64_t)column_number(q, 0),
                              .tenant = (uint64_t)column_number(q, 1),
                              .minute = {column_number(q, 2) * MINUTE_MS},
                              .month = (uint32_t)column_number(q, 3),
                              .is_late = column_number(q, 4) != 0,
                              .api = (uint8_t)column_number(q, 5),
                              .kind = (uint8_t)column_number(q, 6),
                              .result = (uint8_t)column_number(q, 7),
                              .client = (uint64_t)column_number(q, 8),
                              .card = (uint64_t)column_number(q, 9),
                              .operation = column_text(q, 10),
                              .calls = (uint64_t)column_number(q, 11)};
}

static struct query calls_query(struct store *s, enum statement statement,
                                const struct call_filter *f)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, f->month);
    bind_number(&q, 2, (int64_t)f->tenant);
    bind_number(&q, 3, f->api == CALL_ANY ? -1 : f->api);
    return q;
}

enum store_status store_calls(struct store *s, const struct call_filter *f,
                              const struct store_page *page, store_call_fn *each, void *context,
                              uint64_t *total)
{
    struct query q = calls_query(s, STATEMENT_CALLS, f);
    bind_number(&q, 4, (int64_t)f->after);
    bind_page(&q, 5, page);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q)) {
        const struct call_line line = line_of(&q);
        if (!each(context, &line))
            break;
    }
    query_end(&q);
    if ((status != STORE_OK && status != STORE_NONE) || total == NULL)
        return status == STORE_NONE ? STORE_OK : status;
    q = calls_query(s, STATEMENT_CALLS_COUNT, f);
    bind_page(&q, 4, page);
    return count_rows(&q, total);
}

static struct query sums_query(struct store *s, enum statement statement,
                               const struct call_filter *f)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, f->month);
    bind_number(&q, 2, (int64_t)f->tenant);
    return q;
}

enum store_status store_call_sums(struct store *s, const struct call_filter *f,
                                  const struct store_page *page, store_call_sum_fn *each,
                                  void *context, uint64_t *total)
{
    struct query q = sums_query(s, STATEMENT_CALL_SUMS, f);
    bind_page(&q, 3, page);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q)) {
        struct call_sum sum = {.tenant = (uint64_t)column_number(&q, 0),
                               .api = (uint8_t)column_number(&q, 1),
                               .kind = (uint8_t)column_number(&q, 2)};
        for (int i = 0; i < METER_CLASSES; i++)
            sum.calls[i] = (uint64_t)column_number(&q, 3 + i);
        sum.late = (uint64_t)column_number(&q, 3 + METER_CLASSES);
        if (!each(context, &sum))
            break;
    }
    query_end(&q);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    q = sums_query(s, STATEMENT_CALL_SUMS_COUNT, f);
    return count_rows(&q, total);
}

static struct query queried_query(struct store *s, enum statement statement,
                                  const struct queried_filter *f)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, f->period);
    bind_number(&q, 2, (int64_t)f->tenant);
    bind_number(&q, 3, f->family);
    return q;
}

enum store_status store_queried(struct store *s, const struct queried_filter *f,
                                const struct store_page *page, store_queried_fn *each,
                                void *context, uint64_t *total)
{
    struct query q = queried_query(s, STATEMENT_QUERIED, f);
    bind_page(&q, 4, page);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q)) {
        const struct queried_sum sum = {(uint64_t)column_number(&q, 0),
                                        (uint64_t)column_number(&q, 1),
                                        (uint64_t)column_number(&q, 2)};
        if (!each(context, &sum))
            break;
    }
    query_end(&q);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    q = queried_query(s, STATEMENT_QUERIED_COUNT, f);
    return count_rows(&q, total);
}

// --- retention ---------------------------------------------------------------------------------

static enum store_status expire(struct store *s, enum statement statement, uint32_t before,
                                uint32_t limit, bool *is_more)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, before);
    bind_number(&q, 2, limit);
    const enum store_status status = query_run(&q);
    *is_more |= status == STORE_OK && sqlite3_changes(s->db) == (int)limit;
    return status;
}

enum store_status store_calls_expire(struct store *s, struct utc now, uint32_t limit, bool *is_more)
{
    struct meter_month month = meter_month_of(now, 0);
    month.year -= KEPT_YEARS;
    *is_more = false;
    enum store_status status =
        expire(s, STATEMENT_CALLS_EXPIRE, meter_period(month), limit, is_more);
    return status == STORE_OK
               ? expire(s, STATEMENT_QUERIED_EXPIRE, meter_period(month), limit, is_more)
               : status;
}
