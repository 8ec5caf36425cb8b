// What checkers keep of a card beside its runs: its switches, what its registry was, and what the
// server said of it.
#pragma once

#include "common/base/time.h"
#include "tests/world/lapse.h"

#define WORLD_PAST 512   // versions of the registry of a card that are known
#define WORLD_LETTERS 32 // its newest messages

// The registry of a card at one version.
struct past {
    bool is_known;
    uint32_t version;
    uint64_t digest;
};

// A message of a card, and which version it tells of.
struct letter {
    uint64_t hash;
    uint32_t version;
};

// How many notifications were merged into one that was confirmed.
struct merge {
    uint32_t sequence;
    uint8_t count;
};

// An open switch of a card, since the last start of its device in it.
struct stopwatch {
    uint8_t phase, reason, to;
    uint32_t operation_id;
    bool is_on; // the device was, at the last look
    uint8_t starts;
    struct instant since;
    struct lapse lapse; // of its memory
};

// A day of a card, as it counts days, and its switches that nobody ordered.
struct daybook {
    uint32_t day;             // its end, on the card's clock
    uint64_t on_ms, began_ms; // how long the device was on ever, and when the day began
    uint32_t switches;
    uint8_t cap;
};

// What the server's record of a card said when it was looked at after it was saved last.
struct glance {
    bool is_doubted; // dirty, or an operation is open
    bool is_dirty;
    bool has_hash; // the card tells one
    bool is_unreachable;
    bool is_retired;
    bool needs_decision; // of an operator
    uint32_t registry_version;
    uint8_t audit_slot, audit_restarts; // of the audit that is open
};
