// Worlds have no campaigns: nothing is due, and no card is in one.
#include "ota-server/store/campaigns.h"

enum store_status store_campaigns_due(struct store *s, struct utc now, uint32_t limit,
                                      store_id_fn *each, void *context)
{
    (void)s;
    (void)now;
    (void)limit;
    (void)each;
    (void)context;
    return STORE_OK;
}

enum store_status store_campaign_next_due(struct store *s, struct utc *at)
{
    (void)s;
    at->ms = 0;
    return STORE_OK;
}

enum store_status store_campaigns_back(struct store *s, int64_t ms)
{
    (void)s;
    (void)ms;
    return STORE_OK;
}

enum store_status store_campaign_postpone(struct store *s, uint64_t id, struct utc at)
{
    (void)s;
    (void)id;
    (void)at;
    return STORE_NONE;
}

enum store_status store_campaign_set(struct store *s, uint64_t campaign,
                                     const struct campaign_row *row)
{
    (void)s;
    (void)campaign;
    (void)row;
    return STORE_NONE;
}

enum store_status store_campaign_quarantined(struct store *s, uint64_t campaign, uint64_t card,
                                             struct utc at)
{
    (void)s;
    (void)campaign;
    (void)card;
    (void)at;
    return STORE_NONE;
}

enum store_status store_document_between(struct store *s, const char *kind, const char *from,
                                         const char *to, int64_t not_state)
{
    (void)s;
    (void)kind;
    (void)from;
    (void)to;
    (void)not_state;
    return STORE_NONE;
}
