// How fast a link may send: a bucket of tokens that the SMSC's refusals make smaller.
// ESME_RTHROTTLED and ESME_RMSGQFUL halve the rate, to no less than 1/s; each second without one
// gives back 5 % of what is allowed, up to it. A burst is at most a tenth of a second's tokens.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define SMPP_RATE_MAX 1000000u // per second

struct smpp_rate {
    uint32_t allowed_per_s; // as configured
    // private from here
    uint32_t milli_per_s; // now: thousandths of a message per second
    uint64_t micro_tokens;
    struct instant filled;
    struct instant changed; // when the rate last was halved or last recovered
};

// `per_s` from 1 to SMPP_RATE_MAX.
void smpp_rate_init(struct smpp_rate *r, uint32_t per_s, struct instant now);
// Takes one token; false when there is none: ask again at smpp_rate_next.
bool smpp_rate_take(struct smpp_rate *r, struct instant now) MUST_USE;
// When the next token is there, not before `now`.
struct instant smpp_rate_next(const struct smpp_rate *r, struct instant now);
// The SMSC said ESME_RTHROTTLED or ESME_RMSGQFUL.
void smpp_rate_throttled(struct smpp_rate *r, struct instant now);
// Messages per second, rounded down: for display.
uint32_t smpp_rate_now(const struct smpp_rate *r);
