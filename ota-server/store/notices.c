#include "ota-server/store/notices.h"

#include "ota-server/store/deliveries.h"
#include "ota-server/store/driver.h"

#define DROP_EVERY 256 // ids, so that few transactions have to
#define PER_MS 64      // no server tells more, year in year out

enum store_status store_notice_add(struct store *s, const struct notice *n)
{
    struct query q = query_of(s, STATEMENT_NOTICE_ADD);
    bind_number(&q, 1, n->kind);
    bind_number(&q, 2, n->at.ms);
    bind_number(&q, 3, (int64_t)n->tenant);
    bind_number(&q, 4, (int64_t)n->card);
    bind_number(&q, 5, (int64_t)n->group);
    bind_octets(&q, 6, n->data);
    enum store_status status = query_run(&q);
    if (status != STORE_OK)
        return status;
    const int64_t id = sqlite3_last_insert_rowid(s->db);
    s->has_notices = true;
    if (n->is_for_sinks)
        status = deliveries_add(s, n);
    if (status != STORE_OK || id % DROP_EVERY != 0)
        return status;
    q = query_of(s, STATEMENT_NOTICES_DROP);
    bind_number(&q, 1, id - NOTICES_KEPT);
    return query_run(&q);
}

bool store_notices_told(struct store *writer)
{
    const bool were_told = writer->has_told;
    writer->has_told = false;
    return were_told;
}

enum store_status store_notice_last(struct store *s, uint64_t *id)
{
    struct query q = query_of(s, STATEMENT_NOTICE_LAST);
    const enum store_status status = query_step(&q);
    *id = status == STORE_OK ? (uint64_t)column_number(&q, 0) : 0;
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

static struct notice notice_of(const struct query *q)
{
    return (struct notice){.id = (uint64_t)column_number(q, 0),
                           .kind = (uint8_t)column_number(q, 1),
                           .at = {column_number(q, 2)},
                           .tenant = (uint64_t)column_number(q, 3),
                           .card = (uint64_t)column_number(q, 4),
                           .group = (uint64_t)column_number(q, 5),
                           .data = column_octets(q, 6)};
}

enum store_status store_notices(struct store *s, const struct notice_reader *reader, uint64_t after,
                                uint32_t limit, store_notice_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_NOTICES);
    bind_number(&q, 1, (int64_t)after);
    bind_number(&q, 2, (int64_t)reader->tenant);
    bind_number(&q, 3, reader->grants);
    bind_number(&q, 4, limit);
    enum store_status status = query_step(&q);
    bool is_wanted = true;
    while (status == STORE_OK && is_wanted) {
        const struct notice n = notice_of(&q);
        is_wanted = each(context, &n, column_number(&q, 7) != 0);
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_notices_jump(struct store *s, struct utc now)
{
    struct query q = query_of(s, STATEMENT_NOTICES_JUMP);
    bind_number(&q, 1, now.ms);
    bind_number(&q, 2, now.ms * PER_MS);
    return query_run(&q);
}
