#include "ota-server/core/figures.h"

#include "common/base/check.h"

// Seconds. Close where answers are (5 to 30 s, 45 s for a rotation), wide where days are.
static const uint32_t LIMITS[FIGURE_CLASSES - 1] = {
    1,   2,   3,   5,   7,    10,   15,   20,    30,    45,    60,     90,    120,
    180, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 604800};

uint8_t figure_class(int64_t ms)
{
    uint8_t i = 0;
    while (i < FIGURE_CLASSES - 1 && ms > (int64_t)LIMITS[i] * 1000)
        i++;
    return i;
}

uint32_t figure_class_limit_s(uint8_t class)
{
    check(class < FIGURE_CLASSES);
    return class < FIGURE_CLASSES - 1 ? LIMITS[class] : 0;
}

struct counts {
    struct figure_count *out;
    size_t count;
};

static void add(struct counts *c, uint8_t figure, uint8_t detail, int64_t count)
{
    if (count == 0)
        return;
    check(c->count < FIGURE_COUNTS_MAX);
    c->out[c->count++] = (struct figure_count){figure, detail, count};
}

bool figure_is_switch(const struct operation *o)
{
    return o->kind == OPERATION_ENABLE || o->kind == OPERATION_DISABLE ||
           (o->kind == OPERATION_DOWNLOAD && (o->flags & COMMAND_FLAG_ENABLE) != 0);
}

// A bit of the flight says that the part was told of; behind its end every receipt is a new one.
static bool is_new_receipt(const struct record *before, const struct event_receipt *e)
{
    const struct flight *f = &before->flight;
    const bool is_under_way = f->kind != FLIGHT_NONE && f->counter == e->counter;
    return e->state == RECEIPT_DELIVERED && !(is_under_way && e->part > 0 && e->part <= 8 &&
                                              (f->delivered_set >> (e->part - 1) & 1) != 0);
}

static void add_traffic(struct counts *c, const struct record *before, const struct event *e,
                        const struct decision *d)
{
    if (e->type == EVENT_SUBMIT) {
        const struct event_submit *s = &e->as.submit;
        const bool is_out = s->outcome == SUBMIT_ACCEPTED || s->outcome == SUBMIT_UNKNOWN ||
                            s->outcome == SUBMIT_PARTIAL;
        add(c, FIGURE_PACKETS, 0, is_out);
        add(c, FIGURE_MESSAGES, 0, is_out ? s->parts : 0);
    } else if (e->type == EVENT_RECEIPT) {
        add(c, FIGURE_RECEIPTS, 0, is_new_receipt(before, &e->as.receipt));
    } else if (e->type == EVENT_POR) {
        add(c, FIGURE_PORS, 0, before->answered_next != d->next.answered_next);
    }
}

static void add_doubt(struct counts *c, const struct record *before, const struct event *e,
                      const struct decision *d)
{
    for (uint8_t i = 0; i < d->send_count; i++)
        add(c, FIGURE_AUDITS, 0, d->sends[i].kind == FLIGHT_AUDIT && d->sends[i].first_slot == 1);
    add(c, FIGURE_ANSWERS, 0, d->has_answer);
    if (before->dirty_since.ms != 0 && d->next.dirty_since.ms == 0)
        add(c, FIGURE_TIME_CLEAN, figure_class(e->at.ms - before->dirty_since.ms), 1);
}

static void add_job(struct counts *c, const struct record *before, const struct event *e,
                    const struct decision *d)
{
    const struct bootstrap *was = &before->bootstrap;
    const struct bootstrap *is = &d->next.bootstrap;
    add(c, FIGURE_JOBS, 0, is->started_at.ms != 0 && is->started_at.ms != was->started_at.ms);
    if (is->state == BOOTSTRAP_DONE && was->state != BOOTSTRAP_DONE)
        add(c, FIGURE_JOBS_DONE, figure_class(e->at.ms - is->started_at.ms), 1);
}

static bool has_come_onto_fallback(const struct record *before, const struct decision *d)
{
    return !record_has_mark(before, MARK_ON_FALLBACK) &&
           record_has_mark(&d->next, MARK_ON_FALLBACK);
}

size_t figures_of_event(const struct record *before, const struct event *e,
                        const struct decision *d, struct figure_count out[FIGURE_COUNTS_MAX])
{
    struct counts c = {.out = out};
    const bool is_returned = e->type == EVENT_NOTIFY && !d->is_dropped &&
                             e->as.notify.notification.cause == NOTIFY_RETURNED &&
                             record_has_mark(before, MARK_ON_FALLBACK) &&
                             !record_has_mark(&d->next, MARK_ON_FALLBACK);
    add_traffic(&c, before, e, d);
    add_doubt(&c, before, e, d);
    add_job(&c, before, e, d);
    add(&c, FIGURE_FALLBACKS, 0, has_come_onto_fallback(before, d));
    add(&c, FIGURE_RETURNS, 0, is_returned);
    return c.count;
}

uint64_t figure_fallen_from(const struct record *before, const struct decision *d)
{
    const struct mirror_slot *enabled = record_enabled(before);
    return has_come_onto_fallback(before, d) && enabled != NULL ? enabled->subscription : 0;
}

void figure_note_step(struct figure_times *times, const struct step *step, struct utc at)
{
    struct utc *to = NULL;
    if (step->name == STEP_BUILT)
        to = &times->built;
    else if (step->name == STEP_ACCEPTED)
        to = &times->accepted;
    else if (step->name == STEP_POR &&
             !bytes_equal(bytes_of_text(step->detail), bytes_of_text("not authentic")))
        to = &times->answered;
    else if (step->name == STEP_CONFIRMED)
        to = &times->confirmed;
    if (to != NULL && to->ms == 0)
        *to = at;
}

static void add_outcome(struct counts *c, const struct operation *o, int64_t count)
{
    add(c, FIGURE_ENDED, figure_ended(o->kind, o->outcome), count);
    add(c, FIGURE_FAILURE, o->failure, o->failure != FAILURE_NONE ? count : 0);
    if (figure_is_switch(o) && (o->outcome == OUTCOME_DONE || o->outcome == OUTCOME_ROLLED_BACK))
        add(c, FIGURE_SWITCH, o->outcome, count);
}

// An SMSC's answer may come behind the card's, and does not tell then when the packet left.
static void add_times(struct counts *c, const struct operation *o, const struct figure_times *t)
{
    const bool is_behind = t->answered.ms != 0 && t->accepted.ms > t->answered.ms;
    const struct utc sent = t->accepted.ms != 0 && !is_behind ? t->accepted : t->built;
    if (sent.ms == 0)
        return;
    if (t->answered.ms >= sent.ms)
        add(c, FIGURE_TIME_POR, figure_class(t->answered.ms - sent.ms), 1);
    if (figure_is_switch(o) && t->confirmed.ms >= sent.ms)
        add(c, FIGURE_TIME_CONFIRM, figure_class(t->confirmed.ms - sent.ms), 1);
}

size_t figures_of_operation(const struct operation *o, const struct figure_times *times,
                            struct figure_count out[FIGURE_COUNTS_MAX])
{
    struct counts c = {.out = out};
    add_outcome(&c, o, 1);
    add_times(&c, o, times);
    if (o->attempts == 0)
        return c.count;
    add(&c, FIGURE_SENT, o->kind, 1);
    add(&c, FIGURE_SMS_MT, o->kind, o->sms_mt);
    add(&c, FIGURE_SMS_MO, o->kind, o->sms_mo);
    add(&c, FIGURE_BYTES_MT, o->kind, o->bytes_mt);
    add(&c, FIGURE_BYTES_MO, o->kind, o->bytes_mo);
    return c.count;
}

size_t figures_of_download(const struct operation *o, uint64_t full,
                           struct figure_count out[FIGURE_COUNTS_MAX])
{
    struct counts c = {.out = out};
    if (o->kind != OPERATION_DOWNLOAD || o->outcome != OUTCOME_DONE || full == 0)
        return 0;
    add(&c, FIGURE_BYTES_FULL, 0, (int64_t)full);
    add(&c, FIGURE_BYTES_SAVED, 0, (int64_t)full - o->bytes_mt);
    return c.count;
}

size_t figures_of_correction(const struct operation *before, const struct operation *after,
                             struct figure_count out[FIGURE_COUNTS_MAX])
{
    struct counts c = {.out = out};
    if (before->outcome == after->outcome && before->failure == after->failure)
        return 0;
    add_outcome(&c, before, -1);
    add_outcome(&c, after, 1);
    return c.count;
}
