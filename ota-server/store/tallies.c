// Sums of figures by the hour, and fallbacks of an operator by the minute.
#include "ota-server/store/driver.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define WEEK_MS (7 * 24 * HOUR_MS)

static int64_t start_of(int64_t ms, int64_t unit_ms)
{
    return ms - ms % unit_ms;
}

enum store_status store_tally_add(struct store *s, const struct figure_tally *t)
{
    struct query q = query_of(s, STATEMENT_TALLY_ADD);
    bind_number(&q, 1, (int64_t)t->tenant);
    bind_number(&q, 2, start_of(t->at.ms, HOUR_MS));
    bind_number(&q, 3, t->what.figure);
    bind_number(&q, 4, t->what.detail);
    bind_number(&q, 5, t->what.count);
    return query_run(&q);
}

enum store_status store_tallies(struct store *s, uint64_t tenant, struct utc from, struct utc to,
                                struct figure_sums *out)
{
    memset(out, 0, sizeof(*out));
    struct query q = query_of(s, STATEMENT_TALLIES);
    bind_number(&q, 1, (int64_t)tenant);
    bind_number(&q, 2, start_of(from.ms, HOUR_MS));
    bind_number(&q, 3, to.ms);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q)) {
        const int64_t figure = column_number(&q, 0);
        const int64_t detail = column_number(&q, 1);
        if (figure >= 0 && figure < FIGURES && detail >= 0 && detail < FIGURE_DETAILS)
            out->counts[figure][detail] += column_number(&q, 2);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_fallback_add(struct store *s, const char *operator_name, struct utc at)
{
    struct query q = query_of(s, STATEMENT_FALLBACK_ADD);
    bind_text(&q, 1, operator_name);
    bind_number(&q, 2, start_of(at.ms, MINUTE_MS));
    return query_run(&q);
}

enum store_status store_fallbacks(struct store *s, struct utc now, store_fallbacks_fn *each,
                                  void *context)
{
    const int64_t recent = start_of(now.ms, MINUTE_MS) - STORE_STORM_MINUTES * MINUTE_MS;
    struct query q = query_of(s, STATEMENT_FALLBACKS);
    bind_number(&q, 1, recent - WEEK_MS);
    bind_number(&q, 2, recent);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q))
        each(context, column_text(&q, 0), (uint64_t)column_number(&q, 1),
             (uint64_t)column_number(&q, 2));
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_alarms_open(struct store *s, store_alarms_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_ALARMS_OPEN);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q))
        each(context, column_text(&q, 0), (uint64_t)column_number(&q, 1));
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}
