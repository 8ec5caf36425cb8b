#include "ota-server/store/campaigns.h"

#include "ota-server/store/driver.h"

enum store_status store_campaign_put(struct store *s, const struct campaign *c, struct utc due)
{
    uint8_t octets[CAMPAIGN_OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    campaign_write(&w, c);
    if (w.failed)
        return STORE_FAILED;
    struct query q = query_of(s, STATEMENT_CAMPAIGN_PUT);
    bind_number(&q, 1, (int64_t)c->id);
    bind_number(&q, 2, c->state);
    bind_number(&q, 3,
                campaign_is_running(c->state) && operation_is_state_changing(c->operation.kind));
    bind_number(&q, 4, due.ms);
    bind_octets(&q, 5, writer_bytes(&w));
    return query_run(&q);
}

enum store_status store_campaign_get(struct store *s, uint64_t id, struct campaign *out)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_GET);
    bind_number(&q, 1, (int64_t)id);
    enum store_status status = query_step(&q);
    if (status == STORE_OK && !campaign_read(column_octets(&q, 0), out))
        status = STORE_FORM;
    query_end(&q);
    return status;
}

static enum store_status each_id(struct query *q, store_id_fn *each, void *context)
{
    enum store_status status = query_step(q);
    while (status == STORE_OK && each(context, (uint64_t)column_number(q, 0)))
        status = query_step(q);
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_campaigns_due(struct store *s, struct utc now, uint32_t limit,
                                      store_id_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_DUE);
    bind_number(&q, 1, now.ms);
    bind_number(&q, 2, limit);
    return each_id(&q, each, context);
}

// One number; STORE_NONE when there is no row.
static enum store_status one_number(struct query *q, int64_t *value)
{
    const enum store_status status = query_step(q);
    if (status == STORE_OK)
        *value = column_number(q, 0);
    query_end(q);
    return status;
}

enum store_status store_campaign_next_due(struct store *s, struct utc *at)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_NEXT_DUE);
    at->ms = 0;
    const enum store_status status = one_number(&q, &at->ms);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_campaigns_back(struct store *s, int64_t ms)
{
    static const enum statement parts[] = {STATEMENT_CAMPAIGN_BACK, STATEMENT_CAMPAIGN_CARDS_BACK,
                                           STATEMENT_CAMPAIGN_SLOTS_BACK};
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == STORE_OK; i++) {
        struct query q = query_of(s, parts[i]);
        bind_number(&q, 1, ms);
        status = query_run(&q);
    }
    return status;
}

enum store_status store_campaign_postpone(struct store *s, uint64_t id, struct utc at)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_POSTPONE);
    bind_number(&q, 1, (int64_t)id);
    bind_number(&q, 2, at.ms);
    return query_run(&q);
}

// --- cards -----------------------------------------------------------------------------------

enum store_status store_campaign_add(struct store *s, uint64_t campaign, uint64_t card)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_CARD_ADD);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, (int64_t)card);
    return query_run(&q);
}

enum store_status store_campaign_take_lost(struct store *s, uint64_t campaign, uint64_t from)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_CARDS_LOST);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, (int64_t)from);
    bind_number(&q, 3, CAMPAIGN_DONE);
    bind_number(&q, 4, CAMPAIGN_FAILURE + FAILURE_CANCELLED);
    return query_run(&q);
}

static enum store_status run_for(struct store *s, enum statement statement, uint64_t campaign)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)campaign);
    return query_run(&q);
}

enum store_status store_campaign_clear(struct store *s, uint64_t campaign)
{
    return run_for(s, STATEMENT_CAMPAIGN_CLEAR, campaign);
}

enum store_status store_campaign_reset(struct store *s, uint64_t campaign)
{
    return run_for(s, STATEMENT_CAMPAIGN_RESET, campaign);
}

enum store_status store_campaign_next(struct store *s, uint64_t campaign, uint64_t after,
                                      uint32_t limit, store_id_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_NEXT);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, (int64_t)after);
    bind_number(&q, 3, limit);
    return each_id(&q, each, context);
}

enum store_status store_campaign_waiting(struct store *s, uint64_t campaign, struct utc now,
                                         uint32_t limit, store_id_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_WAITING);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, now.ms);
    bind_number(&q, 3, limit);
    return each_id(&q, each, context);
}

enum store_status store_campaign_set(struct store *s, uint64_t campaign,
                                     const struct campaign_row *row)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_CARD_SET);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, (int64_t)row->card);
    bind_number(&q, 3, row->step);
    bind_number(&q, 4, row->reason);
    bind_number(&q, 5, (int64_t)row->operation);
    bind_number(&q, 6, row->ended_at.ms);
    return query_run(&q);
}

static enum store_status set_time(struct store *s, enum statement statement, uint64_t campaign,
                                  uint64_t card, struct utc at)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, (int64_t)card);
    bind_number(&q, 3, at.ms);
    return query_run(&q);
}

enum store_status store_campaign_later(struct store *s, uint64_t campaign, uint64_t card,
                                       struct utc not_before)
{
    return set_time(s, STATEMENT_CAMPAIGN_CARD_LATER, campaign, card, not_before);
}

enum store_status store_campaign_slot(struct store *s, struct campaign_slot *slot)
{
    int64_t found = 0;
    const struct utc now = slot->at;
    struct query q = query_of(s, STATEMENT_CAMPAIGN_RESERVED);
    bind_number(&q, 1, (int64_t)slot->campaign);
    bind_number(&q, 2, (int64_t)slot->card);
    enum store_status status = one_number(&q, &found);
    if (status != STORE_OK || found != 0)
        return status;
    q = query_of(s, STATEMENT_CAMPAIGN_SLOT);
    bind_number(&q, 1, (int64_t)slot->campaign);
    bind_number(&q, 2, slot->network);
    bind_number(&q, 3, now.ms);
    bind_number(&q, 4, slot->gap_ms);
    status = one_number(&q, &slot->at.ms);
    return status == STORE_OK && slot->at.ms > now.ms
               ? set_time(s, STATEMENT_CAMPAIGN_RESERVE, slot->campaign, slot->card, slot->at)
               : status;
}

enum store_status store_campaign_unreserve(struct store *s, uint64_t campaign)
{
    const enum store_status status = run_for(s, STATEMENT_CAMPAIGN_SLOTS_DROP, campaign);
    return status == STORE_OK ? run_for(s, STATEMENT_CAMPAIGN_UNRESERVE, campaign) : status;
}

enum store_status store_campaign_quarantined(struct store *s, uint64_t campaign, uint64_t card,
                                             struct utc at)
{
    return set_time(s, STATEMENT_CAMPAIGN_CARD_QUARANTINED, campaign, card, at);
}

enum store_status store_campaign_elsewhere(struct store *s, uint64_t campaign, uint64_t card,
                                           uint64_t *other)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_ELSEWHERE);
    int64_t found = 0;
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, (int64_t)campaign);
    const enum store_status status = one_number(&q, &found);
    *other = (uint64_t)found;
    return status;
}

// --- numbers ---------------------------------------------------------------------------------

enum store_status store_campaign_counts(struct store *s, uint64_t campaign,
                                        store_campaign_count_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_COUNTS);
    bind_number(&q, 1, (int64_t)campaign);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        each(context, (uint8_t)column_number(&q, 0), (uint8_t)column_number(&q, 1),
             (uint64_t)column_number(&q, 2));
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_campaign_look(struct store *s, uint64_t campaign, struct utc from,
                                      uint32_t limit, uint32_t *ended, uint32_t *failed)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_LOOK);
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, from.ms);
    bind_number(&q, 3, limit);
    *ended = 0;
    *failed = 0;
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        const uint32_t cards = (uint32_t)column_number(&q, 1);
        *ended += cards;
        *failed += campaign_is_failure((uint8_t)column_number(&q, 0)) ? cards : 0;
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_campaign_quarantines(struct store *s, uint64_t campaign, struct utc from,
                                             uint32_t *cards)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_QUARANTINES);
    int64_t found = 0;
    bind_number(&q, 1, (int64_t)campaign);
    bind_number(&q, 2, from.ms);
    const enum store_status status = one_number(&q, &found);
    *cards = (uint32_t)found;
    return status;
}

static void bind_ranges(struct query *q, const struct campaign_card_filter *f)
{
    bind_number(q, 3, f->step_from);
    bind_number(q, 4, f->step_to);
    bind_number(q, 5, f->reason_from);
    bind_number(q, 6, f->reason_to);
}

enum store_status store_campaign_cards(struct store *s, const struct campaign_card_filter *f,
                                       const struct store_page *page, store_campaign_row_fn *each,
                                       void *context, uint64_t *total)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_CARDS);
    bind_number(&q, 1, (int64_t)f->campaign);
    bind_number(&q, 2, (int64_t)f->after);
    bind_ranges(&q, f);
    bind_page(&q, 7, page);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        const struct campaign_row row = {.card = (uint64_t)column_number(&q, 0),
                                         .step = (uint8_t)column_number(&q, 1),
                                         .reason = (uint8_t)column_number(&q, 2),
                                         .operation = (uint64_t)column_number(&q, 3),
                                         .ended_at = {column_number(&q, 4)}};
        if (!each(context, &row))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    if (total == NULL)
        return STORE_OK;
    int64_t found = 0;
    q = query_of(s, STATEMENT_CAMPAIGN_CARDS_COUNT);
    bind_number(&q, 1, (int64_t)f->campaign);
    bind_ranges(&q, f);
    status = one_number(&q, &found);
    *total = (uint64_t)found;
    return status;
}
