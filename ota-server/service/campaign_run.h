// Campaigns at work: judging their cards, asking them, and what people do to a campaign as a whole.
// The cards are rows of the store; this holds one card at a time.
//
// Promises: a card's row and its operation are written in one transaction, so that after a kill
// each card was asked once or not at all; a card is judged again when it is asked, and what it is
// excluded for stands in its row. Never: asks a clock; keeps a list of cards.
#pragma once

#include "ota-server/service/turn.h"
#include "ota-server/store/campaigns.h"

#define CAMPAIGN_KIND "campaign" // of the document with the request as it was made
#define CAMPAIGN_PREFIX "cmp"

struct campaign_runner;
// NULL when there is no memory.
struct campaign_runner *campaign_runner_open(struct store *store,
                                             const struct cipher *cipher) MUST_USE;
void campaign_runner_close(struct campaign_runner *v);

// For turn_options.campaign, with a runner as its context.
enum store_status campaign_run(void *context, struct turn *t, uint64_t id, struct utc now);

// The rest runs inside a turn's transaction.

// Begins a check: nothing is judged yet. `seed`: digest of the request.
void campaign_check_begin(struct campaign *c, const uint8_t seed[32]);
// Judges the next cards; `is_done` when none is left. The caller keeps the campaign.
enum store_status campaign_check_some(struct campaign_runner *v, struct turn *t, struct campaign *c,
                                      struct utc now, bool *is_done) MUST_USE;

// Who did it, for the trail; a reason may be NULL.
struct campaign_by {
    struct actor actor;
    uint64_t correlator;
    const char *address, *reason;
};
// Changes the state and keeps the campaign, its document's state, its alarm and a row of the trail.
// STORE_CONFLICT: its state does not permit it.
enum store_status campaign_act(struct campaign_runner *v, struct campaign *c, uint8_t input,
                               const struct campaign_by *by, struct utc now) MUST_USE;
// How a campaign downloads a subscription of its pool.
struct download_plan campaign_plan(const struct campaign *c, const struct download_plan *found);
// What its cards have come to.
enum store_status campaign_counts_of(struct store *s, uint64_t id,
                                     struct campaign_counts *counts) MUST_USE;
