// When to connect again after a link went down: after 1, 2, 4 ... 60 s, each shortened by chance by
// up to a quarter, so that many links do not come back at once.
#pragma once

#include "common/base/prng.h"
#include "common/base/time.h"

#define SMPP_RECONNECT_MS_MAX 60000

struct smpp_reconnect {
    uint32_t failures; // in a row
};

// The link is bound: the next failure waits 1 s again.
static inline void smpp_reconnect_succeeded(struct smpp_reconnect *r)
{
    r->failures = 0;
}

// The link is down, or did not come up: when to try next.
static inline struct instant smpp_reconnect_next(struct smpp_reconnect *r, struct prng *chance,
                                                 struct instant now)
{
    const uint64_t doubled = r->failures < 6 ? (uint64_t)1000 << r->failures : 60000;
    const uint64_t ms = doubled < SMPP_RECONNECT_MS_MAX ? doubled : SMPP_RECONNECT_MS_MAX;
    if (r->failures < UINT32_MAX)
        r->failures++;
    return instant_after(now, ms - prng_below(chance, ms / 4 + 1));
}
