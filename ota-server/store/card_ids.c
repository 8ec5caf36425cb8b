// Cards as ids: what is due, under way, of a group, or all of them, some at a time.
#include "ota-server/store/driver.h"

static enum store_status ids(struct query *q, store_id_fn *each, void *context)
{
    enum store_status status = query_step(q);
    while (status == STORE_OK && each(context, (uint64_t)column_number(q, 0)))
        status = query_step(q);
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_due(struct store *s, struct utc now, uint32_t limit, store_id_fn *each,
                            void *context)
{
    struct query q = query_of(s, STATEMENT_CARD_DUE);
    bind_number(&q, 1, now.ms);
    bind_number(&q, 2, limit);
    return ids(&q, each, context);
}

enum store_status store_next_due(struct store *s, struct utc *at)
{
    struct query q = query_of(s, STATEMENT_CARD_NEXT_DUE);
    const enum store_status status = query_step(&q);
    at->ms = status == STORE_OK ? column_number(&q, 0) : 0;
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_under_way(struct store *s, uint64_t after, uint32_t limit,
                                  store_id_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_CARD_UNDER_WAY);
    bind_number(&q, 1, (int64_t)after);
    bind_number(&q, 2, limit);
    return ids(&q, each, context);
}

enum store_status store_waiting(struct store *s, uint64_t after, uint32_t limit, store_id_fn *each,
                                void *context)
{
    struct query q = query_of(s, STATEMENT_CARD_WAITING);
    bind_number(&q, 1, (int64_t)after);
    bind_number(&q, 2, limit);
    return ids(&q, each, context);
}

enum store_status store_group_cards(struct store *s, uint64_t group, uint64_t after, uint32_t limit,
                                    store_id_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_GROUP_CARDS);
    bind_number(&q, 1, (int64_t)group);
    bind_number(&q, 2, (int64_t)after);
    bind_number(&q, 3, limit);
    return ids(&q, each, context);
}

enum store_status store_card_postpone(struct store *s, uint64_t card, struct utc at)
{
    struct query q = query_of(s, STATEMENT_CARD_POSTPONE);
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, at.ms);
    return query_run(&q);
}

enum store_status store_all_cards(struct store *s, uint64_t after, uint32_t limit,
                                  store_id_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_CARD_ALL);
    bind_number(&q, 1, (int64_t)after);
    bind_number(&q, 2, limit);
    return ids(&q, each, context);
}
