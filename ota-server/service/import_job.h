// The reading of vendor files beside the server's work: one thread, one file at a time, up to
// IMPORT_SEATS waiting.
//
// The thread reads and judges over a connection of its own. What is to be written it hands over in
// slices; import_jobs_step() puts each into the next turn, so that messages wait for a few cards at
// most. A load is hidden until its last transaction, which also keeps the report; after a crash
// import_recover() takes away what has not ended. A full disk makes a load wait, not fail.
//
// Everything here is called on the server's thread. Never: writes on the other one.
#pragma once

#include "ota-server/service/import_report.h"

#include <stdio.h>

#define IMPORT_SEATS 8

struct import_jobs;

struct import_jobs_options {
    struct turn *turn;
    // For the thread alone, as long as the jobs are open.
    struct store *reader;
    const struct store_crypto *crypto;
    const struct vendor_digest *digest;
    const struct vendor_scratch *scratch; // for the thread alone
    const struct secret_key *key;         // wraps transport keys; fingerprints are made with it too
    const char *folder;                   // where files are kept, see import_body.h; NULL: nowhere
    bool is_lab;                          // published test keys are accepted
    // Called on the other thread: import_jobs_step() is wanted. Or NULL.
    void (*wake)(void *context);
    void *wake_context;
};

// NULL when memory, OpenSSL or the system refuses.
struct import_jobs *import_jobs_open(const struct import_jobs_options *options) MUST_USE;
// What is under way ends without a trace of its load, at the latest after the next start.
void import_jobs_close(struct import_jobs *jobs);

enum import_seat {
    SEAT_TAKEN,
    SEAT_BUSY, // the same file waits or is being read
    SEAT_NONE, // too many wait
};
// Takes file and profile over, unless it answers otherwise. Nothing happens before
// import_jobs_start(), which the caller calls after the commit of the order.
enum import_seat import_jobs_add(struct import_jobs *jobs, const struct import_order *order,
                                 const uint8_t sha256[32], FILE *file,
                                 struct vendor_profile *profile) MUST_USE;
void import_jobs_start(struct import_jobs *jobs, uint64_t import);
// Gives the seat back if it was not started.
void import_jobs_drop(struct import_jobs *jobs, uint64_t import);

// False: it has ended, or is about to; it is too late to cancel it. Else, with `is_held`, it does
// not come to its end before import_jobs_let_go().
bool import_jobs_can_cancel(struct import_jobs *jobs, uint64_t import, bool is_held) MUST_USE;
// Ends an import that is held as soon as it can, with the failure CANCELLED and without a trace of
// its load: once that this was asked for is committed.
void import_jobs_cancel(struct import_jobs *jobs, uint64_t import);
void import_jobs_let_go(struct import_jobs *jobs, uint64_t import);

// Gives the turn what is ready: before each turn.
void import_jobs_step(struct import_jobs *jobs);
// Tries again what the disk refused, and lets files go that were kept for their time: once a
// second.
void import_jobs_tick(struct import_jobs *jobs);
// How an import stands that waits or is under way; false when it does neither.
bool import_jobs_state(struct import_jobs *jobs, uint64_t import, struct import_state *state);
// Blocks until there is something to step, or nothing to do: true or false. For tests and tools.
bool import_jobs_wait(struct import_jobs *jobs);

// At start, before the first turn: ends what was under way when the process stopped, or carries it
// through where it had begun to complete cards. `turn` gives ids.
enum store_status import_recover(struct store *store, struct turn *turn, struct utc now) MUST_USE;
