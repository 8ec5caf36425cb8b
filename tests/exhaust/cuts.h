// Power cuts: every place in a step where the power may go, made from the log of its writes.
//
// A cut in write k, at octet i: writes before k are there, of k the first i octets, and octet i has
// any value. Then the card starts. It must be what it is after a clean cut behind write k - 1 or
// behind write k, bit for bit; and after a clean cut it must be the reference model started from
// one of the versions that the step commits, in their order. Where pages are written, a torn one
// may also be half old and half new, or noise as a whole.
#pragma once

#include "tests/exhaust/rig.h"

enum cuts_torn {
    CUTS_FEW,  // a handful of octets and values
    CUTS_MANY, // every octet, a handful of values; all values where a write is 4 octets or less
    CUTS_ALL,  // every octet, every value
};

struct cuts {
    enum cuts_torn torn;
    bool is_twice; // and again at each write of the recovery
    unsigned long long clean, cut, torn_values, second;
    unsigned long long pages; // torn as a whole
    struct rig_log log;       // of the step
    struct rig_log again;     // of a recovery
    struct rig_log ignore;    // of a recovery of a recovery
    const char *differs;
    unsigned write; // where
    unsigned octet;
    unsigned value;
};

// Cuts the step that r->now is the end of, whose writes are in c->log and whose versions are in
// r->snapshots. Leaves the rig's memory as it was at the beginning of the step.
void cuts_sweep(struct cuts *c, struct rig *r);
// One cut of the step that r->now is the end of, drawn from `chance`; the card has then started,
// and the rig goes on from there. False: c->differs says what.
bool cuts_pick(struct cuts *c, struct rig *r, uint64_t chance);
