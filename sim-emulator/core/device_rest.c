// A device at rest: nothing comes of its STATUS commands and of the applet's tick but that time
// passes. How long that lasts is found out ahead, on a copy; when something happens before, only so
// much of it is made up for.
#include "sim-emulator/core/device_talk.h"

#define AHEAD_MS (30 * 24 * 3600 * 1000ull) // looked ahead at once
#define TICK_MS (APPLET_TICK_S * 1000ull)

// What passes at rest, and what ends it.
struct passing {
    struct applet *applet;
    struct instant *status_due;
    struct instant *tick_due;
    uint64_t poll_ms;
    bool may_keep; // the memory does what it is told, and nobody sees when
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
        if (limit.ms == p->end.ms)
            return limit;
        const uint32_t ticks =
            applet_rest_ticks(p->applet, (uint32_t)((p->end.ms - 1 - limit.ms) / TICK_MS + 1),
                              (uint32_t)((TICK_MS + p->poll_ms - 1) / p->poll_ms), p->may_keep);
        if (ticks == 0)
            return limit;
        const struct instant last = instant_after(limit, (ticks - 1) * TICK_MS);
        *p->tick_due = instant_after(last, TICK_MS);
        if (p->status_due->ms < last.ms) // those between the ticks are over
            *p->status_due = instant_after(
                *p->status_due, ((last.ms - 1 - p->status_due->ms) / p->poll_ms + 1) * p->poll_ms);
    }
}

static bool may_keep(const struct nvm *nvm)
{
    const struct nvm_faults *f = nvm->faults;
    return nvm->mirror == NULL && (f == NULL || !nvm_may_fail(f));
}

// The commits that were passed over.
static void keep(struct card *card)
{
    const struct applet_port port = card_port(card);
    uint32_t spared = 0;
    uint32_t written;
    bool goes_on = card->applet.kept > 0;
    while (goes_on) {
        written = card->nvm.written;
        goes_on = applet_rest_keep(&card->applet, &port, &spared);
        card->nvm.written += goes_on ? 0 : spared * (card->nvm.written - written);
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
                              .may_keep = may_keep(&d->card.nvm),
                              .end = now};
    (void)pass(&p);
    keep(&d->card);
}

// The applet's tick is a command of the card.
static bool answers_its_tick(const struct device *d, struct instant now)
{
    const struct device_answers *a = &d->answers;
    return !instant_is_due(a->until, now) && (a->of == 0 || a->of == CAT_TIMER_MANAGEMENT);
}

void rest_begin(struct device *d, struct instant now)
{
    if (!d->may_rest || d->state != DEVICE_RUNNING || d->poll_s == 0 ||
        d->model->timer_step_s != 0 || // the applet's tick is no steady one
        d->reset_at != 0 ||            // it must not be passed over
        answers_its_tick(d, now) ||    // nor be told that it is done
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
                              .may_keep = may_keep(&d->card.nvm),
                              .end = instant_earlier(other, instant_after(now, AHEAD_MS))};
    d->rest_until = pass(&p);
    d->is_resting = true;
}
