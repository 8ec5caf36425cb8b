#include "ota-server/service/campaign_tell.h"

#include "ota-server/service/api_json.h"
#include "ota-server/service/campaign_run.h"
#include "ota-server/service/notice.h"

#define TELL_MS 1000

void campaign_put_counts(struct json_writer *j, const struct campaign_counts *n)
{
    static const uint8_t steps[] = {CAMPAIGN_LISTED,    CAMPAIGN_WAITING,  CAMPAIGN_SENT,
                                    CAMPAIGN_DELIVERED, CAMPAIGN_ANSWERED, CAMPAIGN_CONFIRMED};
    api_open_object(j, "funnel");
    for (size_t i = 0; i < sizeof(steps); i++)
        api_put_number(j, campaign_step_name(steps[i]), campaign_reached(n, steps[i]));
    json_end_object(j);
    api_open_object(j, "progress");
    api_put_number(j, "waiting", n->waiting);
    api_put_number(j, "open", n->open);
    api_put_number(j, "done", n->done);
    api_put_number(j, "failed", n->failed);
    api_put_number(j, "rolledBack", n->rolled_back);
    json_end_object(j);
}

static enum store_status tell(struct store *s, const struct campaign *c,
                              const struct campaign_counts *counts, struct utc now)
{
    const bool is_ended = c->state == CAMPAIGN_COMPLETED || c->state == CAMPAIGN_STOPPED;
    struct notice_text n;
    notice_begin(&n, "campaign", 0, 0);
    api_put_id(&n.j, "id", CAMPAIGN_PREFIX, c->id);
    api_put_text(&n.j, "state", campaign_state_name(c->state));
    campaign_put_counts(&n.j, counts);
    return notice_end(
        &n, s,
        (struct notice){.kind = is_ended ? NOTICE_CAMPAIGN_ENDED : NOTICE_CAMPAIGN_PROGRESS,
                        .at = now,
                        .tenant = c->tenant});
}

enum store_status campaign_tell(struct store *s, const struct campaign *c, struct utc now)
{
    struct campaign_counts counts;
    const enum store_status status = campaign_counts_of(s, c->id, &counts);
    return status == STORE_OK ? tell(s, c, &counts, now) : status;
}

// Its own row, or that of the one told the longest ago.
static size_t row_of(struct campaign_tells *tells, uint64_t campaign)
{
    size_t oldest = 0;
    for (size_t i = 0; i < CAMPAIGN_TELLS_MAX; i++) {
        if (tells->rows[i].campaign == campaign)
            return i;
        if (tells->rows[i].at.ms < tells->rows[oldest].at.ms)
            oldest = i;
    }
    memset(&tells->rows[oldest], 0, sizeof(tells->rows[oldest]));
    tells->rows[oldest].campaign = campaign;
    return oldest;
}

enum store_status campaign_tell_progress(struct campaign_tells *tells, struct store *s,
                                         const struct campaign *c, struct utc now)
{
    struct campaign_counts counts = {0};
    if (!campaign_is_running(c->state))
        return STORE_OK;
    const size_t row = row_of(tells, c->id);
    if (now.ms - tells->rows[row].at.ms < TELL_MS)
        return STORE_OK;
    tells->rows[row].at = now;
    const enum store_status status = campaign_counts_of(s, c->id, &counts);
    // No padding: numbers of eight octets.
    if (status != STORE_OK || memcmp(&counts, &tells->rows[row].counts, sizeof(counts)) == 0)
        return status;
    tells->rows[row].counts = counts;
    return tell(s, c, &counts, now);
}
