#include "ota-server/shell/waker.h"

#include <sys/eventfd.h>
#include <unistd.h>

void waker_wake(void *context)
{
    const struct waker *w = context;
    const uint64_t one = 1;
    // A counter that is full wakes as well.
    (void)!write(w->fd, &one, sizeof one);
}

static void woken(void *context, bool readable, bool writable)
{
    const struct waker *w = context;
    uint64_t count;
    (void)writable;
    if (readable && read(w->fd, &count, sizeof count) > 0)
        loop_wake(w->loop);
}

bool waker_open(struct waker *w, struct loop *loop)
{
    *w = (struct waker){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .loop = loop};
    if (w->fd >= 0 && loop_watch_open(&w->watch, loop, w->fd, woken, w)) {
        loop_watch_set(&w->watch, true, false);
        return true;
    }
    waker_close(w);
    return false;
}

void waker_close(struct waker *w)
{
    loop_watch_close(&w->watch);
    if (w->loop != NULL && w->fd >= 0)
        (void)close(w->fd);
    *w = (struct waker){0};
}
