// Whether a link delivers what it accepts: seen from the answers of cards to what it carried,
// beside the answers to what other links of its route carried at the same time.
//
// Promises: a link that brought a tenth or less of the answers that were to be expected, of at
// least twenty, swallows; cards that are out of reach condemn nobody, because then the others bring
// as little. A link with nobody beside it is held against its own past, and at most doubted. Who
// was condemned is believed again when half of what was to be expected of its probes came, at least
// three answers. Never: asks a clock; knows what a link is.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define LINK_SAMPLES 1024
#define LINK_SAMPLE_EVERY_MS 250 // at most, on average: a full ring reaches back over four minutes
#define LINK_BURST 32            // at once
#define LINK_JUDGED 128          // the newest samples that had their time
#define LINK_ANSWER_MS 120000    // that a packet has before it counts as unanswered
#define LINK_MEMORY_MS (6 * 3600 * 1000ll) // what is older says nothing about today

struct link_sample {
    struct instant sent;
    uint64_t card; // 0: it does not count
    uint64_t counter;
    bool is_answered;
};

enum link_verdict {
    LINK_DELIVERS,
    LINK_DOUBTED,  // fewer answers than it used to bring, and nobody to compare it with
    LINK_SWALLOWS, // others bring answers, it does not
};

struct link_health {
    struct link_sample samples[LINK_SAMPLES]; // a ring, in the order of their times
    uint64_t taken;
    struct instant since; // what was sent before does not count for its return
    uint8_t verdict;      // enum link_verdict
};

// A packet left over the link, and no part of it over another.
void link_health_sent(struct link_health *h, uint64_t card, uint64_t counter, struct instant now);
// The link did not take it after all.
void link_health_withdraw(struct link_health *h, uint64_t card, uint64_t counter);
// The card answered it.
void link_health_answered(struct link_health *h, uint64_t card, uint64_t counter);
// Judges links[index]. `beside`: the others of its route, a bit each.
void link_health_judge(struct link_health links[], unsigned index, uint32_t beside,
                       struct instant now);
