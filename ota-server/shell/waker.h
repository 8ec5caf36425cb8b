// Wakes the loop from other threads: what they have ready is for its turn.
#pragma once

#include "common/host/loop.h"

struct waker {
    /* private */
    int fd; // other threads write, the loop reads
    struct loop *loop;
    struct loop_watch watch;
};

// False when the system refuses.
bool waker_open(struct waker *w, struct loop *loop) MUST_USE;
// After all threads that wake. Harmless on a zeroed waker.
void waker_close(struct waker *w);
// On any thread; `context` is the waker.
void waker_wake(void *context);
