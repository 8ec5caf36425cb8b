// Work that takes many turns. A document says what is wanted and how far it is; a step goes on with
// it, in the transaction of a turn, with others' work between the steps.
//
// Promises: a step and what it says of itself are one commit, so a stop loses or repeats nothing; a
// step that fails is tried again, and its job ends as failed after the fifth time. One job of each
// kind at a time, the oldest first; kinds take turns. Never: a step that takes long, if its kind
// keeps to some ten milliseconds.
#pragma once

#include "ota-server/service/turn.h"

#define JOB_BODY_MAX 65536
#define JOB_KINDS_MAX 4
enum { JOB_OPEN, JOB_ENDED, JOB_FAILED }; // states of the documents
extern const char *const job_states[];    // "RUNNING", "ENDED", "FAILED"

struct jobs;

struct job {
    struct turn *turn;
    struct store *store;
    struct utc now;
    struct document document; // as it is kept; its body is good during the step
    struct writer body;       // that it gets; empty: it stays as it is
    bool is_done;
    // What the step keeps in memory, for free(); NULL at first, and again after a stop or a
    // failure.
    void **memory;
};

struct job_kind {
    const char *kind; // of the documents
    enum store_status (*step)(void *context, struct job *job);
};

// NULL when there is no memory. Kinds and context live longer.
struct jobs *jobs_open(struct turn *turn, struct store *reader, const struct job_kind *kinds,
                       size_t kind_count, void *context) MUST_USE;
void jobs_close(struct jobs *jobs);
// A document was committed as JOB_OPEN.
void jobs_wake(struct jobs *jobs);
// Gives the turn the next step, if it has none: before each turn.
void jobs_step(struct jobs *jobs);
// Tries again what failed: once a second.
void jobs_tick(struct jobs *jobs);
// Is there nothing to do? For tests.
bool jobs_are_idle(const struct jobs *jobs);
