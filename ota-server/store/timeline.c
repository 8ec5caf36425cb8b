// What happened to one card: steps of its operations, messages, and rows of the trail, as one list.
#include "ota-server/store/timeline.h"

#include "ota-server/store/driver.h"

// The header length of a notification, as against that of an answer, tells them apart.
// Columns: at, kind, id, operation, what, count, flag, text.
#define TIMELINE                                                                                   \
    " FROM (SELECT s.at AS at, 0 AS kind, s.id AS id, s.operation AS operation, s.name AS what,"   \
    " s.attempt AS count, o.kind AS flag, s.detail AS text FROM step s JOIN operation o"           \
    " ON o.id = s.operation WHERE o.card = $1 UNION ALL SELECT at, 1, id, operation, command,"     \
    " state, is_mo + (is_mo AND substr(packet, 3, 1) = x'15'), '' FROM message WHERE card = $1 "   \
    "UNION ALL SELECT at, 2, sequence, operation,"                                                 \
    " actor_kind, 0, 0, action FROM trail WHERE pseudonym = $2 AND object_kind = 'card')"          \
    " WHERE at >= $3 AND ($4 = 0 OR at <= $4) AND ($5 < 0 OR kind = $5)"

static struct query query_for(struct store *s, const struct timeline_filter *f, const char *text)
{
    char pseudonym[33];
    pseudonym_of(s, "card", f->card, pseudonym);
    struct query q = query_text(s, text);
    bind_number(&q, 1, (int64_t)f->card);
    bind_text(&q, 2, pseudonym);
    bind_number(&q, 3, f->from.ms);
    bind_number(&q, 4, f->to.ms);
    bind_number(&q, 5, f->kind);
    return q;
}

enum store_status store_timeline(struct store *s, const struct timeline_filter *f,
                                 const struct store_page *page, store_timeline_fn *each,
                                 void *context, uint64_t *total)
{
    struct query q = query_for(s, f,
                               "SELECT at, kind, id, operation, what, count, flag, text" TIMELINE
                               " ORDER BY at DESC, kind DESC, id DESC LIMIT $6 OFFSET $7");
    bind_number(&q, 6, page->limit);
    bind_number(&q, 7, (int64_t)page->offset);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        const struct timeline_row row = {.at = {column_number(&q, 0)},
                                         .kind = (uint8_t)column_number(&q, 1),
                                         .id = (uint64_t)column_number(&q, 2),
                                         .operation = (uint64_t)column_number(&q, 3),
                                         .what = (uint8_t)column_number(&q, 4),
                                         .count = (uint8_t)column_number(&q, 5),
                                         .flag = (uint8_t)column_number(&q, 6),
                                         .text = column_text(&q, 7)};
        if (!each(context, &row))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    q = query_for(s, f, COUNT_UP_TO TIMELINE COUNT_ENDS("$6", "$7"));
    bind_number(&q, 6, page->limit);
    bind_number(&q, 7, (int64_t)page->offset);
    status = query_step(&q);
    if (status == STORE_OK)
        *total = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_card_since(struct store *s, uint64_t card, struct utc *at)
{
    struct query q = query_of(s, STATEMENT_CARD_SINCE);
    bind_number(&q, 1, (int64_t)card);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        at->ms = column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_card_since_put(struct store *s, uint64_t card, struct utc at)
{
    struct query q = query_of(s, STATEMENT_CARD_SINCE_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, at.ms);
    return query_run(&q);
}
