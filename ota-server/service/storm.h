// When the fallbacks of one operator's cards are a storm: many within minutes, and many times as
// many as on other days. Plain values in, a word out.
//
// Never: asks a clock or a store.
#pragma once

#include "common/base/time.h"

struct storm {
    bool is_raised, is_cleared; // what was said last; neither: nothing yet
    /* private */
    bool is_quiet;
    struct instant quiet_since;
};

enum storm_word { STORM_SAYS_NOTHING, STORM_RAISED, STORM_CLEARED };

// `recent`: cards that fell back within the last 10 minutes; `week`: within the 7 days before
// those. Raised at over 20, and over 5 times as many as in 10 minutes of that week; cleared when it
// was under 2 times that many for 30 minutes.
enum storm_word storm_step(struct storm *s, uint64_t recent, uint64_t week, struct instant now);
