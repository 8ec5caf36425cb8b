// Memory errors: in every write of a step, once or from there on, with nothing, half or all of it
// written, or an octet worn.
//
// A command is then answered as without the error, or with NVM_ERROR; that leaves the registry as
// it was. Whatever happens, the registry is as before the step or as one of its commits leaves it;
// and with a memory that failed from there on, the next start makes of the card what the model
// makes of one of them.
#pragma once

#include "tests/exhaust/rig.h"

struct errors {
    unsigned long long tried;
    unsigned long long told; // NVM_ERROR
    const char *differs;
    unsigned write; // where
    unsigned failure;
    bool is_on;
};

// Tries all of them in the step from this state by this event, which makes `writes` writes and
// whose versions are in r->snapshots. False: `differs` says what. Leaves the rig anywhere.
bool errors_sweep(struct errors *e, struct rig *r, const struct rig_state *from, uint8_t event,
                  unsigned writes);
