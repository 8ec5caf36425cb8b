#include "smpp/core/rate.h"

#include "common/base/check.h"

#define TOKEN 1000000u           // micro tokens
#define MILLI_MIN 1000u          // 1/s
#define RECOVERY_PERCENT 5       // of the allowed rate, per second
#define IDLE_MS_MAX 100000000ull // more than any bucket takes to fill; keeps the sums small

static uint64_t bucket_size(const struct smpp_rate *r)
{
    const uint64_t tenth = (uint64_t)r->milli_per_s * 100; // a tenth of a second, in micro tokens
    return tenth > TOKEN ? tenth : TOKEN;
}

void smpp_rate_init(struct smpp_rate *r, uint32_t per_s, struct instant now)
{
    check(per_s >= 1 && per_s <= SMPP_RATE_MAX);
    *r = (struct smpp_rate){
        .allowed_per_s = per_s, .milli_per_s = per_s * 1000, .filled = now, .changed = now};
    r->micro_tokens = bucket_size(r);
}

static void recover(struct smpp_rate *r, struct instant now)
{
    const uint64_t seconds = now.ms > r->changed.ms ? (now.ms - r->changed.ms) / 1000 : 0;
    if (seconds == 0)
        return;
    r->changed.ms += seconds * 1000;
    const uint64_t step = (uint64_t)r->allowed_per_s * 10 * RECOVERY_PERCENT; // milli
    const uint64_t allowed = (uint64_t)r->allowed_per_s * 1000;
    const uint64_t gained = seconds > 20 ? allowed : seconds * step;
    const uint64_t sum = r->milli_per_s + gained;
    r->milli_per_s = (uint32_t)(sum < allowed ? sum : allowed);
}

static void fill(struct smpp_rate *r, struct instant now)
{
    if (now.ms <= r->filled.ms)
        return;
    const uint64_t passed = now.ms - r->filled.ms;
    const uint64_t ms = passed < IDLE_MS_MAX ? passed : IDLE_MS_MAX;
    const uint64_t tokens = r->micro_tokens + ms * r->milli_per_s; // milli/s x ms = micro
    r->micro_tokens = tokens < bucket_size(r) ? tokens : bucket_size(r);
    r->filled = now;
}

bool smpp_rate_take(struct smpp_rate *r, struct instant now)
{
    fill(r, now);
    recover(r, now);
    if (r->micro_tokens < TOKEN)
        return false;
    r->micro_tokens -= TOKEN;
    return true;
}

struct instant smpp_rate_next(const struct smpp_rate *r, struct instant now)
{
    if (r->micro_tokens >= TOKEN)
        return now;
    const uint64_t missing = TOKEN - r->micro_tokens;
    const struct instant at =
        instant_after(r->filled, (missing + r->milli_per_s - 1) / r->milli_per_s);
    return at.ms > now.ms ? at : now;
}

void smpp_rate_throttled(struct smpp_rate *r, struct instant now)
{
    fill(r, now);
    recover(r, now);
    r->milli_per_s /= 2;
    if (r->milli_per_s < MILLI_MIN)
        r->milli_per_s = MILLI_MIN;
    r->changed = now;
    r->micro_tokens = 0; // pause: what was saved up is not sent into a full queue
}

uint32_t smpp_rate_now(const struct smpp_rate *r)
{
    return r->milli_per_s / 1000;
}
