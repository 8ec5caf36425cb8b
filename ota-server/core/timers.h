// The parameters that a card's group wants on it, beside those that the card is known to have.
#pragma once

#include "ota-server/core/decision.h"

enum timers_agreement {
    TIMERS_NONE,          // the group wants none
    TIMERS_AGREE,         // what the group names is so on the card
    TIMERS_DIFFER,        //
    TIMERS_UNKNOWN,       // the card is dirty, or its parameters changed and were not read since
    TIMERS_NOT_SUPPORTED, // the applet's level has no CONFIGURE, and its defaults differ
};
const char *timers_agreement_name(uint8_t agreement); // "DIFFERS"

// Numbers that a list of CONFIGURE writes: bit n is number n.
uint32_t timers_named(const struct policy_timers *wanted);
// Numbers in which `p` is not as wanted.
uint32_t timers_differing(const struct parameters *p, const struct policy_timers *wanted);
uint8_t timers_agreement(const struct record *r, const struct policy_timers *wanted);
// The operation, open or waiting, that writes just this list; NULL: none.
const struct operation *timers_asked(const struct record *r, const struct policy_timers *wanted);
