// The links to the SMSCs: this program binds as ESME and is, for the SMSC, the radio network of a
// range of numbers.
//
// Promises: a deliver_sm is answered after the card took the message (or did not); a message of a
// card waits until a link takes it, within a limit above which the oldest-first order is kept and
// new ones are dropped and counted; a lost link is bound again after 1 s to 60 s.
#pragma once

#include "sim-emulator/shell/app.h"

struct air;

struct air_counts {
    uint64_t delivered; // deliver_sm taken from the SMSC
    uint64_t submitted; // submit_sm accepted by it
    uint64_t refused;   // submit_sm refused for good
    uint64_t dropped;   // no room to wait
    uint32_t waiting;
    uint32_t bound; // links
};

// NULL and a text when an address or the password file is wrong. Open it after the turn's end that
// calls air_turn() was added, and close it after the net.
struct air *air_open(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;
void air_close(struct air *air);
// A message of a card.
void air_send(struct air *air, const struct fleet_message *message);
struct air_counts air_counts(const struct air *air);
// At the turn's end: what was gathered goes out.
void air_turn(struct air *air);
// Lets open requests finish and unbinds.
void air_unbind(struct air *air);
bool air_is_down(const struct air *air);
