// A request that is tried on copies of a lab's database: shared by api_crash.c and api_fault.c.
#pragma once

#include "tests/unit/api/api_lab.h"
#include "tests/unit/server/database_mark.h"

#include "ota-server/service/api_exchange.h"

// Of the call log, which has a line for what is refused too, and the probe of a full disk.
#define NOT_COUNTED " call call_sum queried queried_sum value "
// What goes on behind a change, in its turn or in a later one.
#define FOLLOWS                                                                                    \
    NOT_COUNTED "operation step message trail pseudonym notice tally campaign_card "               \
                "campaign_count campaign_network delivery "

struct rows {
    uint64_t all;
    uint64_t own;    // without what follows from them: packets, and what a bootstrap goes on with
    uint64_t states; // of a card, which most of them change as well
};

struct trial {
    struct lab *lab;
    const struct api_route_row *route;
    struct ask ask;
    bool has_key;
    bool is_again;        // the same server can be asked again
    struct answer answer; // when nothing fails
    struct rows rows;     // that it left
    unsigned commits;     // that it took
    // `idle`: after a turn in which nobody asks. The server may have work of its own.
    struct database_mark before, idle, after;
};

// The route of a request in api_routes, or -1. Can it be sent twice as it is?
long trial_route(const struct ask *ask);
bool trial_can_repeat(const struct ask *ask, const struct api_route_row *route);
// Keeps a copy of what there is now; removes it, and those that were kept after so many commits.
void trial_open(const struct trial *t);
void trial_close(unsigned commits);
// Another lab over a new copy of what there was before.
void trial_begin(const struct trial *t, struct lab *twin);
// Starts it again over what its database has become; the disk is good from here on.
void trial_restart(const struct trial *t, struct lab *twin);
// Ends it, and removes its database.
void trial_end(struct lab *twin);
// Has nothing been committed since it began?
bool trial_is_untouched(void);
// Asks, and runs turns until it is answered.
void trial_ask(const struct ask *ask, struct lab *twin, struct answer *a);
struct rows trial_rows(struct lab *twin);
struct database_mark trial_mark(void); // `amounts`: but for what follows
// Under its key the trial is asked for again: it has the same answer, and is done once.
void trial_repeat(const struct trial *t, struct lab *twin, const struct answer *first,
                  const char *when);

// api_fault.c: each of its statements fails, allocations fail, once and from there on, and the
// power is cut at its writes; how often.
unsigned trial_fail(const struct trial *t);
// The same with the allocations of what only reads.
unsigned trial_fail_reading(const struct trial *t);
