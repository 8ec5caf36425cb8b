// The cases that a card's applet is judged by. Each has a name, the clause of
// docs/applet-protocol.md (or of docs/applet-states.md, "states") that it judges, and a function
// that expects things of a trial. A case finds the card in any state in which nothing is under way,
// and leaves it so, with the subscriptions that it found.
#pragma once

#include "sim-emulator/shell/trial.h"

struct conform_case {
    const char *name; // "GROUP.CASE"
    const char *clause;
    const char *what;
    void (*run)(struct trial *t);
};

extern const struct conform_case conform_packet_cases[];
extern const struct conform_case conform_command_cases[];
extern const struct conform_case conform_switch_cases[];
extern const size_t conform_packet_case_count;
extern const size_t conform_command_case_count;
extern const size_t conform_switch_case_count;

// What several cases need.
struct conform_download {
    struct command command;
    struct keywrap_block block; // the command points here
};
// A DOWNLOAD of a subscription that no card has, number `n` of several, under the next operation
// id. Takes the fullest form that fits one SMS.
void conform_make_download(struct trial *t, uint8_t n, struct conform_download *out);
// ENABLE, DELETE or SET-FALLBACK of it, under the next operation id.
struct command conform_target(struct trial *t, enum command_number number,
                              const struct subscription_name *name, uint8_t flags);
struct subscription_name conform_name(uint8_t n);
// The enabled one, or the one with the fallback attribute.
const struct audit_slot *conform_slot(const struct audit_answer *a, bool is_fallback);
struct subscription_name conform_slot_name(const struct audit_slot *slot);
const struct audit_slot *conform_find(const struct audit_answer *a, uint8_t n);
