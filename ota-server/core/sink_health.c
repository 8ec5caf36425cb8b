#include "ota-server/core/sink_health.h"

#define REFUSALS_MAX 3
#define HOUR_MS ((int64_t)3600 * 1000)

const char *const sink_states[] = {"OK", "DEGRADED", "SUSPENDED", NULL};

const char *sink_why_name(uint8_t why)
{
    static const char *const NAMES[] = {"", "FAILING", "GONE", "CREDENTIAL"};
    return why <= SINK_WHY_CREDENTIAL ? NAMES[why] : "?";
}

static bool is_asleep(const struct sink_health *h)
{
    return h->why == SINK_WHY_GONE || h->why == SINK_WHY_CREDENTIAL;
}

// Later than anything is put off to, it is a time of a clock that went back since.
bool sink_may_send(const struct sink_health *h, struct utc now)
{
    return !is_asleep(h) && (h->retry_at.ms <= now.ms || h->retry_at.ms - now.ms > 2 * HOUR_MS);
}

struct utc sink_next(const struct sink_health *h)
{
    return is_asleep(h) ? (struct utc){0} : h->retry_at;
}

enum sink_result sink_result_of(unsigned status)
{
    if (status >= 200 && status < 300)
        return SINK_DELIVERED;
    if (status == 401)
        return SINK_UNAUTHORISED;
    if (status == 410)
        return SINK_GONE;
    if (status == 0 || status == 408 || status == 425 || status == 429 || status >= 500)
        return SINK_AGAIN;
    return SINK_REFUSED;
}

// From four fifths to six fifths of it.
static int64_t vary(int64_t ms, uint8_t chance)
{
    return ms * 4 / 5 + ms * 2 / 5 * chance / UINT8_MAX;
}

static struct utc next_try(const struct sink_health *h, const struct sink_attempt *a)
{
    static const int64_t STEPS_MS[] = {1000, 5000, 30000, 120000, 600000, HOUR_MS};
    const size_t count = sizeof(STEPS_MS) / sizeof(STEPS_MS[0]);
    if (a->retry_after_s >= 0) {
        const int64_t ms = a->retry_after_s < HOUR_MS / 1000 ? a->retry_after_s * 1000 : HOUR_MS;
        return utc_after(a->now, ms);
    }
    const size_t step = h->failures <= count ? h->failures - 1 : count - 1;
    return utc_after(a->now, vary(STEPS_MS[step], a->chance));
}

void sink_suspend(struct sink_health *h, enum sink_why why)
{
    h->state = SINK_SUSPENDED;
    h->why = (uint8_t)why;
}

enum sink_fate sink_judge(struct sink_health *h, const struct sink_attempt *a)
{
    if (a->result == SINK_DELIVERED) {
        *h = (struct sink_health){.state = SINK_STATE_OK};
        return SINK_FATE_DONE;
    }
    // It was put off when another failed that was under way beside this one: both are one failure.
    const bool is_same =
        a->result == SINK_AGAIN && a->retry_after_s < 0 && !sink_may_send(h, a->now);
    if (h->failures == 0)
        h->failing_since = a->now;
    if (!is_same)
        h->failures++;
    h->refusals = a->result == SINK_UNAUTHORISED ? h->refusals + 1 : 0;
    if (h->state == SINK_STATE_OK && h->failures >= SINK_DEGRADED_AFTER)
        h->state = SINK_DEGRADED;
    if (a->now.ms - h->failing_since.ms >= SINK_GIVE_UP_MS)
        sink_suspend(h, SINK_WHY_FAILING);
    if (!is_same)
        h->retry_at =
            a->result == SINK_REFUSED && h->state != SINK_SUSPENDED ? a->now : next_try(h, a);
    if (a->result == SINK_GONE)
        sink_suspend(h, SINK_WHY_GONE);
    if (h->refusals >= REFUSALS_MAX)
        sink_suspend(h, SINK_WHY_CREDENTIAL);
    const bool is_over = a->now.ms >= a->give_up_at.ms;
    return a->result == SINK_REFUSED || (is_over && !is_asleep(h)) ? SINK_FATE_DEAD
                                                                   : SINK_FATE_WAITS;
}
