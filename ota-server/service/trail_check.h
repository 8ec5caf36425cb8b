// The audit trail verified beside the server's work: threads, each with a connection of its own,
// recompute pieces of the chain, each piece from the hash that the row before it stores; together
// they are the whole. One check at a time, up to TRAIL_CHECK_SEATS waiting.
//
// A check that was ordered stays: its document says how far it is and what came of it, and after a
// stop it begins again. A chain that does not hold raises audit.chain.broken with the same commit.
//
// Everything here is called on the server's thread. Never: writes on another one.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/service/turn.h"

#define TRAIL_CHECK_THREADS 2
#define TRAIL_CHECK_SEATS 8
#define TRAIL_CHECK_KIND "trail-check"
#define TRAIL_CHECK_DOCUMENT_MAX 1024
enum { TRAIL_CHECK_OPEN, TRAIL_CHECK_ENDED }; // states of its documents

struct trail_checks;

struct trail_checks_options {
    struct turn *turn;
    // For the threads alone, as long as the checks are open: each with a cipher of its own.
    struct store *readers[TRAIL_CHECK_THREADS];
    // Called on another thread: trail_checks_step() is wanted. Or NULL.
    void (*wake)(void *context);
    void *wake_context;
};

// NULL when memory or the system refuses.
struct trail_checks *trail_checks_open(const struct trail_checks_options *options) MUST_USE;
// What is under way begins again at the next start.
void trail_checks_close(struct trail_checks *checks);

struct trail_check {
    uint64_t id, owner; // enterprise that asked
    uint64_t from, to;  // sequences
    bool is_whole;      // up to the end: every checkpoint must fit, also those of rows beyond it
    struct utc created_at;
};
// The document of a check that was ordered: to be put in the transaction of the order.
enum store_status trail_check_put(struct store *store, const struct trail_check *check) MUST_USE;
// Takes a seat for it; false when too many wait. Nothing happens before trail_checks_start(), which
// the caller calls after the commit of the order.
bool trail_checks_add(struct trail_checks *checks, const struct trail_check *check) MUST_USE;
void trail_checks_start(struct trail_checks *checks, uint64_t id);
// Gives the seat back if it was not started.
void trail_checks_drop(struct trail_checks *checks, uint64_t id);
// Rows that were recomputed so far; false when it neither waits nor is under way.
bool trail_checks_done(struct trail_checks *checks, uint64_t id, uint64_t *rows);
// Its document at this moment, with so many rows recomputed.
void trail_check_write(struct writer *out, const struct trail_check *check, uint64_t rows);
// What the document of one that has not ended says of its order.
void trail_check_read(const struct document *d, struct trail_check *check);

// Gives the turn what has ended: before each turn.
void trail_checks_step(struct trail_checks *checks);
// Tries again what the disk refused: once a second.
void trail_checks_tick(struct trail_checks *checks);
// Blocks until there is something to step, or nothing to do: true or false. For tests and tools.
bool trail_checks_wait(struct trail_checks *checks);
// At start: begins again what was under way when the process stopped.
enum store_status trail_checks_recover(struct trail_checks *checks, struct store *store) MUST_USE;

// A verdict as an object; `head` is the last row of the trail.
void trail_verdict_put(struct json_writer *j, const struct trail_verdict *verdict, uint64_t head);
// The alarm of a chain that does not hold; `id` is for a new one.
enum store_status trail_broken_raise(struct store *store, uint64_t id, struct utc now) MUST_USE;
