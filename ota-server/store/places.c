// Places among the bootstraps of a group.
#include "ota-server/store/places.h"

#include "ota-server/store/driver.h"

static enum store_status one_number(struct query *q, uint64_t *number)
{
    const enum store_status status = query_step(q);
    if (status == STORE_OK)
        *number = (uint64_t)column_number(q, 0);
    query_end(q);
    return status;
}

enum store_status store_places_held(struct store *s, uint64_t group, uint32_t limit,
                                    uint64_t *count)
{
    struct query q = query_of(s, STATEMENT_PLACES_HELD);
    bind_number(&q, 1, (int64_t)group);
    bind_number(&q, 2, limit);
    return one_number(&q, count);
}

enum store_status store_place_next(struct store *s, uint64_t group, uint64_t *card)
{
    struct query q = query_of(s, STATEMENT_PLACE_NEXT);
    bind_number(&q, 1, (int64_t)group);
    return one_number(&q, card);
}

enum store_status store_place_group(struct store *s, uint64_t after, uint64_t *group)
{
    struct query q = query_of(s, STATEMENT_PLACE_GROUP);
    bind_number(&q, 1, (int64_t)after);
    return one_number(&q, group);
}

enum store_status store_place_postpone(struct store *s, uint64_t card, struct utc at)
{
    struct query q = query_of(s, STATEMENT_PLACE_POSTPONE);
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, at.ms);
    return query_run(&q);
}

bool store_pools_filled(struct store *s)
{
    const bool has_filled = s->has_filled;
    s->has_filled = false;
    return has_filled;
}
