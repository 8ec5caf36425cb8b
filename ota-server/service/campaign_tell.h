// What clients are told of campaigns: each change of state, and how far the cards have come.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/store/campaigns.h"

// Members "funnel" and "progress".
void campaign_put_counts(struct json_writer *j, const struct campaign_counts *n);

// After a change of its state, in the same transaction.
enum store_status campaign_tell(struct store *s, const struct campaign *c, struct utc now) MUST_USE;

// What was told last. Nothing of it is kept: after a restart it is told once more.
#define CAMPAIGN_TELLS_MAX 16
struct campaign_tells {
    struct {
        uint64_t campaign;
        struct utc at;
        struct campaign_counts counts;
    } rows[CAMPAIGN_TELLS_MAX];
};
// Of one that is running, where its cards have come further, once a second.
enum store_status campaign_tell_progress(struct campaign_tells *tells, struct store *s,
                                         const struct campaign *c, struct utc now) MUST_USE;
