// Identifiers that were read in clear, in the trail: an answer that shows ICCID, IMSI, MSISDN, EID
// or IMEI unmasked leaves a row `identifiers.read`, as a reveal leaves its own.
//
// Promises: the first such answer of a caller and a route in an hour (UTC) is given after its row
// is durable, and not at all without it (503). Those that follow in the hour are counted, cost
// nothing, and their number is a row at the hour's end or at the stop; a kill may take that number,
// never that it was read. Never: holds up an answer that shows nothing in clear, one of a change,
// which has a row of its own, or any in an installation that masks nothing (test data).
#pragma once

#include "ota-server/service/api_exchange.h"

struct clear_reads;

// NULL when there is no memory.
struct clear_reads *clear_reads_open(struct turn *turn) MUST_USE;
void clear_reads_close(struct clear_reads *r);

// Is the answer of x to wait for its row? Then `go_on` runs after the commit, with the answer as it
// was. False: it may be given at once.
bool clear_reads_hold(struct api_exchange *x, void (*go_on)(struct api_exchange *x));
void clear_reads_free(struct api_exchange *x); // what is kept of an answer that waits

// Gives the turn what was counted in hours that are over; once a second.
void clear_reads_tick(struct clear_reads *r, struct utc now);
// The same of all hours, for a stop. True: nothing is left.
bool clear_reads_end(struct clear_reads *r);
