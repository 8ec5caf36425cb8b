// One thread's loop: timers, descriptors, signals and the end of the turn, over libevent.
//
// A turn is: wait until something is ready, handle all of it, then call every turn-end function in
// the order in which they were added. The server commits in one, streams write in another, so a
// turn costs one commit and one write per stream however many events it gathered. There is one
// `now` per turn, read when first asked for.
//
// Promises: no callback runs inside another; a timer never fires before its deadline; SIGPIPE is
// ignored from loop_open() on. Never: threads.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

struct loop;
struct event;

// NULL when the system refuses.
struct loop *loop_open(void) MUST_USE;
// Timers, watches and turn ends must be closed or forgotten before.
void loop_close(struct loop *loop);
// Turns until loop_stop(), or SIGTERM or SIGINT; the turn under way is finished, with its end.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
// One turn that waits no longer than the earliest deadline; for tests and other people's loops.
void loop_turn(struct loop *loop);
// Brings about a turn's end without waiting: this turn's, or when called outside of one or at the
// end itself, the next turn's.
void loop_wake(struct loop *loop);
// True after loop_stop() or a signal.
bool loop_is_stopped(const struct loop *loop);
// SIGTERM and SIGINT call this instead of stopping: programs that want to say goodbye first, and
// then call loop_stop(). A second signal stops.
void loop_on_signal(struct loop *loop, void (*asked)(void *context), void *context);
// From now on SIGHUP calls this, each time. False: there is no memory.
bool loop_on_hangup(struct loop *loop, void (*asked)(void *context), void *context) MUST_USE;

// For other modules of common/host that build on libevent.
struct event_base;
struct event_base *loop_base(struct loop *loop);

// The `now` of this turn.
struct instant loop_now(struct loop *loop);
struct utc loop_utc(struct loop *loop);

struct loop_timer {
    /* private */
    struct loop *loop;
    struct event *event;
    struct instant deadline;
    void (*due)(void *context, struct instant now);
    void *context;
};

// False when there is no memory. The timer is off until it is set.
bool loop_timer_open(struct loop_timer *t, struct loop *loop,
                     void (*due)(void *context, struct instant now), void *context) MUST_USE;
// Calls `due` once, in the first turn at or after `deadline`; replaces the deadline before.
// INSTANT_NEVER turns it off.
void loop_timer_set(struct loop_timer *t, struct instant deadline);
// Harmless on a zeroed timer, and inside its own `due`.
void loop_timer_close(struct loop_timer *t);

struct loop_watch {
    /* private */
    struct loop *loop;
    struct event *event;
    int fd;
    bool reads, writes;
    void (*ready)(void *context, bool readable, bool writable);
    void *context;
};

// Watches a descriptor, which stays the caller's; off until set. False when there is no memory.
bool loop_watch_open(struct loop_watch *w, struct loop *loop, int fd,
                     void (*ready)(void *context, bool readable, bool writable),
                     void *context) MUST_USE;
// What to wait for, level-triggered; both false turns it off.
void loop_watch_set(struct loop_watch *w, bool reads, bool writes);
// Before the descriptor is closed. Harmless on a zeroed watch, and inside its own `ready`.
void loop_watch_close(struct loop_watch *w);

struct loop_turn_end {
    void (*end)(void *context, struct instant now);
    void *context;
    /* private */
    struct loop_turn_end *next;
};

// Calls `t->end` at every turn's end, after those added before. `t` stays the caller's.
void loop_turn_end_add(struct loop *loop, struct loop_turn_end *t);
// Not inside a turn's end.
void loop_turn_end_remove(struct loop *loop, struct loop_turn_end *t);
