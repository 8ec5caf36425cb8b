// Every pair of state and event of the rule table, fed to the real applet in every state that the
// search visits: a row whose guard holds, or nothing happens; and whatever happens, a registry that
// is sound and a journal that fits the state.
#pragma once

#include "applet/rules.h"
#include "tests/exhaust/rig.h"

struct pairs {
    bool seen[RULE_STATES][RULE_EVENTS];
    const char *differs;
};

// Tries all events in this state and goes back to it. False: `differs` says what.
bool pairs_try(struct pairs *p, struct rig *r, const struct rig_state *state);
// Tells which are missing.
bool pairs_are_all(const struct pairs *p);
unsigned pairs_count(const struct pairs *p);
