// A device at rest: nothing comes of its STATUS commands and of the applet's tick but that time
// passes. How long that lasts is found out ahead, on a copy; when something happens before, only so
// much of it is made up for.
#include "sim-emulator/core/device_talk.h"

#define AHEAD_MS (24 * 3600 * 1000ull) // looked ahead at once

// What passes at rest, and what ends it.
struct passing {
    struct applet *applet;
    struct instant *status_due;
    struct instant *tick_due;
    uint64_t poll_ms;
    struct instant end;
};

static struct instant deadline_but_polling(const struct device *d, bool is_tick_too)
{
    struct instant due = instant_earlier(d->boot_due, d->attach_due);
    due = instant_earlier(due, d->restart_due);
    due = instant_earlier(due, d->duty_due);
    due = instant_earlier(due, d->coverage_due);
    for (size_t i = 0; i < DEVICE_TIMERS; i++) {
        if (is_tick_too || i != APPLET_TICK_TIMER - 1)
            due = instant_earlier(due, d->timers[i]);
    }
    return due;
}

struct instant rest_deadline(const struct device *d)
{
    return instant_earlier(deadline_but_polling(d, true), d->status_due);
}

// Lets time pass up to the end, which is not passed itself. Where it had to stop: there, or at the
// time of something that is more than passing.
static struct instant pass(const struct passing *p)
{
    for (;;) {
        // At the same instant the timer is first, as in a step.
        const struct instant limit = instant_earlier(*p->tick_due, p->end);
        if (p->status_due->ms < limit.ms) {
            const uint64_t wanted = (limit.ms - 1 - p->status_due->ms) / p->poll_ms + 1;
            const uint32_t count = wanted < UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
            const uint32_t done = applet_rest_status(p->applet, count);
            *p->status_due = instant_after(*p->status_due, done * p->poll_ms);
            if (done < wanted)
                return *p->status_due;
        }
        if (limit.ms == p->end.ms || !applet_rest_tick(p->applet))
            return limit;
        *p->tick_due = instant_after(limit, APPLET_TICK_S * 1000ull);
    }
}

void rest_end(struct device *d, struct instant now)
{
    if (!d->is_resting)
        return;
    d->is_resting = false;
    const struct passing p = {.applet = &d->card.applet,
                              .status_due = &d->status_due,
                              .tick_due = &d->timers[APPLET_TICK_TIMER - 1],
                              .poll_ms = d->poll_s * 1000ull,
                              .end = now};
    (void)pass(&p);
}

void rest_begin(struct device *d, struct instant now)
{
    if (!d->may_rest || d->state != DEVICE_RUNNING || d->poll_s == 0 ||
        rest_deadline(d).ms <= now.ms || !card_is_at_rest(&d->card))
        return;
    struct applet applet = d->card.applet;
    struct instant status_due = d->status_due;
    struct instant tick_due = d->timers[APPLET_TICK_TIMER - 1];
    const struct instant other = deadline_but_polling(d, false);
    const struct passing p = {.applet = &applet,
                              .status_due = &status_due,
                              .tick_due = &tick_due,
                              .poll_ms = d->poll_s * 1000ull,
                              .end = instant_earlier(other, instant_after(now, AHEAD_MS))};
    d->rest_until = pass(&p);
    d->is_resting = true;
}
