#include "common/host/loop.h"

#include "common/base/check.h"
#include "common/host/clock.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

struct loop {
    struct event_base *base;
    struct event *terminate;
    struct event *interrupt;
    struct event *hangup; // NULL: not asked for
    struct loop_turn_end *ends;
    struct instant now;
    struct utc utc;
    bool now_known;
    bool stopped;
    bool woken;  // a turn's end is wanted soon
    bool ending; // inside the turn's end
    void (*asked)(void *context);
    void *context;
    void (*hung_up)(void *context);
    void *hangup_context;
};

static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)number;
    (void)what;
    struct loop *loop = context;
    if (!loop->asked) {
        loop->stopped = true;
        return;
    }
    void (*asked)(void *) = loop->asked;
    loop->asked = NULL;
    asked(loop->context);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

static struct event_base *base_open(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    struct event_base *base = NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static void on_hangup(evutil_socket_t number, short what, void *context)
{
    (void)number;
    (void)what;
    const struct loop *loop = context;
    loop->hung_up(loop->hangup_context);
}

static struct event *signal_open(struct loop *loop, int number, event_callback_fn called)
{
    struct event *e = evsignal_new(loop->base, number, called, loop);
    if (e && evsignal_add(e, NULL) == 0)
        return e;
    if (e)
        event_free(e);
    return NULL;
}

struct loop *loop_open(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    bool ignored = sigaction(SIGPIPE, &ignore, NULL) == 0;
    loop->base = base_open();
    if (loop->base) {
        loop->terminate = signal_open(loop, SIGTERM, on_signal);
        loop->interrupt = signal_open(loop, SIGINT, on_signal);
    }
    if (ignored && loop->terminate && loop->interrupt)
        return loop;
    loop_close(loop);
    return NULL;
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->terminate)
        event_free(loop->terminate);
    if (loop->interrupt)
        event_free(loop->interrupt);
    if (loop->hangup)
        event_free(loop->hangup);
    if (loop->base)
        event_base_free(loop->base);
    free(loop);
}

void loop_turn(struct loop *loop)
{
    loop->now_known = false;
    check(event_base_loop(loop->base, loop->woken ? EVLOOP_NONBLOCK : EVLOOP_ONCE) >= 0);
    loop->woken = false;
    struct instant now = loop_now(loop);
    loop->ending = true;
    for (struct loop_turn_end *t = loop->ends; t; t = t->next)
        t->end(t->context, now);
    loop->ending = false;
    loop->now_known = false;
}

void loop_run(struct loop *loop)
{
    while (!loop->stopped)
        loop_turn(loop);
}

void loop_wake(struct loop *loop)
{
    loop->woken = true;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

bool loop_is_stopped(const struct loop *loop)
{
    return loop->stopped;
}

void loop_on_signal(struct loop *loop, void (*asked)(void *context), void *context)
{
    loop->asked = asked;
    loop->context = context;
}

bool loop_on_hangup(struct loop *loop, void (*asked)(void *context), void *context)
{
    loop->hung_up = asked;
    loop->hangup_context = context;
    if (!loop->hangup)
        loop->hangup = signal_open(loop, SIGHUP, on_hangup);
    return loop->hangup != NULL;
}

static void know_now(struct loop *loop)
{
    if (loop->now_known)
        return;
    loop->now = clock_instant();
    loop->utc = clock_utc();
    loop->now_known = true;
}

struct instant loop_now(struct loop *loop)
{
    know_now(loop);
    return loop->now;
}

struct utc loop_utc(struct loop *loop)
{
    know_now(loop);
    return loop->utc;
}

static void arm(struct loop_timer *t)
{
    struct instant now = clock_instant(); // not the turn's: a long turn must not delay the timer
    uint64_t ms = t->deadline.ms > now.ms ? t->deadline.ms - now.ms : 0;
    struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    check(evtimer_add(t->event, &wait) == 0);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct loop_timer *t = context;
    struct instant now = loop_now(t->loop);
    if (!instant_is_due(t->deadline, now)) {
        // The turn asked for its time before this timer fired: the turn's time moves on, or the
        // timer would be armed and fire without end inside this turn.
        t->loop->now_known = false;
        now = loop_now(t->loop);
    }
    if (!instant_is_due(t->deadline, now)) {
        arm(t); // libevent rounds; a deadline is a promise
        return;
    }
    t->deadline = INSTANT_NEVER;
    t->due(t->context, now);
}

bool loop_timer_open(struct loop_timer *t, struct loop *loop,
                     void (*due)(void *context, struct instant now), void *context)
{
    *t = (struct loop_timer){
        .loop = loop, .deadline = INSTANT_NEVER, .due = due, .context = context};
    t->event = evtimer_new(loop->base, on_timer, t);
    return t->event != NULL;
}

void loop_timer_set(struct loop_timer *t, struct instant deadline)
{
    t->deadline = deadline;
    if (deadline.ms == UINT64_MAX)
        check(evtimer_del(t->event) == 0);
    else
        arm(t);
}

void loop_timer_close(struct loop_timer *t)
{
    if (t->event)
        event_free(t->event);
    t->event = NULL;
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    struct loop_watch *w = context;
    w->ready(w->context, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

bool loop_watch_open(struct loop_watch *w, struct loop *loop, int fd,
                     void (*ready)(void *context, bool readable, bool writable), void *context)
{
    *w = (struct loop_watch){.loop = loop, .fd = fd, .ready = ready, .context = context};
    w->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_ready, w);
    return w->event != NULL;
}

void loop_watch_set(struct loop_watch *w, bool reads, bool writes)
{
    if (w->reads == reads && w->writes == writes)
        return;
    w->reads = reads;
    w->writes = writes;
    check(event_del(w->event) == 0);
    if (!reads && !writes)
        return;
    int what = EV_PERSIST | (reads ? EV_READ : 0) | (writes ? EV_WRITE : 0);
    check(event_assign(w->event, w->loop->base, w->fd, (short)what, on_ready, w) == 0);
    check(event_add(w->event, NULL) == 0);
}

void loop_watch_close(struct loop_watch *w)
{
    if (w->event)
        event_free(w->event);
    w->event = NULL;
}

void loop_turn_end_add(struct loop *loop, struct loop_turn_end *t)
{
    struct loop_turn_end **last = &loop->ends;
    while (*last)
        last = &(*last)->next;
    t->next = NULL;
    *last = t;
}

void loop_turn_end_remove(struct loop *loop, struct loop_turn_end *t)
{
    check(!loop->ending);
    struct loop_turn_end **at = &loop->ends;
    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
}
