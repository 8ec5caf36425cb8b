// Campaigns in the store: each as octets with the time at which it is due, and its cards as rows.
// What stores promise, and their errors, say store.h.
#pragma once

#include "ota-server/core/campaign.h"
#include "ota-server/store/store.h"

#define CAMPAIGN_CARDS_MAX 1000000 // of one campaign

// Inserts or replaces. `due`: when it is to be looked at; 0: not by itself.
enum store_status store_campaign_put(struct store *s, const struct campaign *c,
                                     struct utc due) MUST_USE;
enum store_status store_campaign_get(struct store *s, uint64_t id, struct campaign *out) MUST_USE;
// Those that are due, earliest first; and when the next is, 0 when none is.
enum store_status store_campaigns_due(struct store *s, struct utc now, uint32_t limit,
                                      store_id_fn *each, void *context) MUST_USE;
enum store_status store_campaign_next_due(struct store *s, struct utc *at) MUST_USE;
// Looks at it again at `at`, whatever it says itself.
enum store_status store_campaign_postpone(struct store *s, uint64_t id, struct utc at) MUST_USE;
// The clock went back by `ms`: whatever waits for a time, of any campaign, waits no longer for it.
enum store_status store_campaigns_back(struct store *s, int64_t ms) MUST_USE;

// --- its cards: CAMPAIGN_LISTED when they come -----------------------------------------------

// Those of a filter, at most `limit`, whatever their order; what is there stays.
enum store_status store_campaign_take(struct store *s, uint64_t campaign,
                                      const struct card_filter *filter, uint32_t limit) MUST_USE;
enum store_status store_campaign_add(struct store *s, uint64_t campaign, uint64_t card) MUST_USE;
// Those of `from` that were eligible and ended without a confirmation, but not by a stop.
enum store_status store_campaign_take_lost(struct store *s, uint64_t campaign,
                                           uint64_t from) MUST_USE;
enum store_status store_campaign_clear(struct store *s, uint64_t campaign) MUST_USE;
enum store_status store_campaign_reset(struct store *s, uint64_t campaign) MUST_USE;

// Ids behind `after`, ascending.
enum store_status store_campaign_next(struct store *s, uint64_t campaign, uint64_t after,
                                      uint32_t limit, store_id_fn *each, void *context) MUST_USE;
// Those that wait and may be asked at `now`.
enum store_status store_campaign_waiting(struct store *s, uint64_t campaign, struct utc now,
                                         uint32_t limit, store_id_fn *each, void *context) MUST_USE;

struct campaign_row {
    uint64_t card, operation;
    uint8_t step, reason;
    struct utc ended_at; // of what counts, as done or failed
};
// The step only rises. No effect for a card that is not of the campaign.
enum store_status store_campaign_set(struct store *s, uint64_t campaign,
                                     const struct campaign_row *row) MUST_USE;
enum store_status store_campaign_later(struct store *s, uint64_t campaign, uint64_t card,
                                       struct utc not_before) MUST_USE;
enum store_status store_campaign_quarantined(struct store *s, uint64_t campaign, uint64_t card,
                                             struct utc at) MUST_USE;
// The card's place in the pace of its network: one card after the other, `gap_ms` apart. A card
// that gets a later time keeps it, and is not among those that wait before.
struct campaign_slot {
    uint64_t campaign, card;
    uint32_t network, gap_ms;
    struct utc at; // now; then when its time is
};
enum store_status store_campaign_slot(struct store *s, struct campaign_slot *slot) MUST_USE;
// Another pace: nobody has a time any more.
enum store_status store_campaign_unreserve(struct store *s, uint64_t campaign) MUST_USE;
// Another running campaign that changes the card's state and is not through with it; STORE_NONE.
enum store_status store_campaign_elsewhere(struct store *s, uint64_t campaign, uint64_t card,
                                           uint64_t *other) MUST_USE;

// --- its numbers -----------------------------------------------------------------------------

typedef void store_campaign_count_fn(void *context, uint8_t step, uint8_t reason, uint64_t cards);
enum store_status store_campaign_counts(struct store *s, uint64_t campaign,
                                        store_campaign_count_fn *each, void *context) MUST_USE;
// Of the last `limit` that ended at or after `from`: how many, and how many of them failed.
enum store_status store_campaign_look(struct store *s, uint64_t campaign, struct utc from,
                                      uint32_t limit, uint32_t *ended, uint32_t *failed) MUST_USE;
enum store_status store_campaign_quarantines(struct store *s, uint64_t campaign, struct utc from,
                                             uint32_t *cards) MUST_USE;

struct campaign_card_filter {
    uint64_t campaign;
    uint8_t step_from, step_to, reason_from, reason_to; // both ends included
    uint64_t after;                                     // card
};
typedef bool store_campaign_row_fn(void *context, const struct campaign_row *row);
// By card. `total` is that without a page, of all cards whatever `after` is; or NULL.
enum store_status store_campaign_cards(struct store *s, const struct campaign_card_filter *filter,
                                       const struct store_page *page, store_campaign_row_fn *each,
                                       void *context, uint64_t *total) MUST_USE;
