// What will happen when: a heap of (time, order of entry, what). Equal times go by the order in
// which they were entered, so a world has one story only.
#pragma once

#include "common/base/time.h"

enum happening {
    HAPPENS_MT,     // a late copy reaches the card: `subject` is the air message
    HAPPENS_MO,     // a message of a card reaches the network: the same
    HAPPENS_POWER,  // `subject`: card; `value` 1: on
    HAPPENS_CUT,    // `subject`: card
    HAPPENS_MOVE,   // `subject`: card
    HAPPENS_REJECT, // `subject`: network; `value`: cause, 0 = no more
    HAPPENS_IMEI,   // `subject`: card
    HAPPENS_CRASH,
    HAPPENS_CRASH_ACTING, // at the next commit, between it and what follows
    HAPPENS_START,        // of the server
    HAPPENS_STOP,
    HAPPENS_LINK,     // `subject`: which connection is cut
    HAPPENS_CONNECT,  // the same: it is made again
    HAPPENS_OPERATOR, // `subject`: card
    HAPPENS_HAND,     // `subject`: card
    HAPPENS_DECISION, // somebody looks at what needs an operator
    HAPPENS_FULL,
    HAPPENS_CLOCK,
    HAPPENS_NVM_ERROR, // `subject`: card
    HAPPENS_FLOOD,     // the same
    HAPPENS_CAMPAIGN,  // somebody looks at it
    HAPPENS_RESTORE,   // `value` 0: a backup is made, 1: it is put back
    HAPPENS_ROT,       // `subject`: card
    HAPPENS_SWAP,      // `subject`: card; `value`: 1 more than the one to swap back with, or 0
    HAPPENS_CLONE,     // `value` 1: it is switched off
    HAPPENS_OFFICE,    // `subject`: card
    HAPPENS_WEAK,
    HAPPENS_COUNTERS,  // `subject`: card
    HAPPENS_CLOG,      // the same
    HAPPENS_STALL,     // `subject`: connection
    HAPPENS_HALF_OPEN, // the same
    HAPPENS_HEX,
    HAPPENS_SWALLOW, // `subject`: link of the server
    HAPPENS_DUTY,  // `subject`: card; `value`: how often its device is yet switched, 0: it is drawn
    HAPPENS_TICK,  // the same; `value` 1: it comes back into its own device
    HAPPENS_RESET, // `subject`: card
    HAPPENS_FLAP,  // the same; `value`: how often its service yet comes or goes, 0: it is drawn
    HAPPENS_PROFILE, // `subject`: card; `value` 1: it comes back into its own device
    HAPPENS_ANSWERS, // the same, but `value`
    HAPPENS_GONE,
    HAPPENS_SLEEP, // `value` 1: it wakes
    HAPPENS_BUSY,
    HAPPENS_EIO,
    HAPPENS_DEED, // of a story: `subject` is its place
};

struct entry {
    uint64_t at_ms;
    uint64_t order;
    uint8_t what; // enum happening
    uint32_t subject;
    uint32_t value;
};

#define AGENDA_MAX 8192

struct agenda {
    struct entry entries[AGENDA_MAX];
    uint32_t count;
    uint64_t order;
};

// check()s that there is room.
void agenda_add(struct agenda *agenda, struct instant at, enum happening what, uint32_t subject,
                uint32_t value);
struct instant agenda_due(const struct agenda *agenda);
// Takes the next entry that is due; false when none is.
bool agenda_take(struct agenda *agenda, struct instant now, struct entry *out);
// Forgets all entries of this kind.
void agenda_forget(struct agenda *agenda, enum happening what);
