// Bringing the cards of a group to the parameters that its rules name: one pass over the group, so
// many cards a second, each with an operation of its own where it is needed. One document of the
// kind "timers-run" with the group's id says how far it is.
//
// Promises: a pass goes on after a restart where it was; what it counts is what became of each card
// once; it never asks a card twice for the same. Never: sends by itself, the turn does.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/service/turn.h"

#define TIMERS_RUN_KIND "timers-run"
#define TIMERS_RATE 10 // cards a second

enum timers_run_state { TIMERS_RUNNING, TIMERS_ENDED, TIMERS_STOPPED };

struct timers_runs;

// NULL when there is no memory.
struct timers_runs *timers_runs_open(struct turn *turn, struct store *reader) MUST_USE;
void timers_runs_close(struct timers_runs *runs);
// The next cards: once a second.
void timers_runs_tick(struct timers_runs *runs, struct utc now);

// In the transaction of a change of rules: from the first card on, or no further.
enum store_status timers_run_begin(struct store *store, uint64_t group, uint64_t owner,
                                   struct utc now) MUST_USE;
enum store_status timers_run_stop(struct store *store, uint64_t group, struct utc now) MUST_USE;
// As a member of an answer; nothing when there was none.
enum store_status timers_run_put(struct store *store, struct json_writer *j, const char *name,
                                 uint64_t group) MUST_USE;
