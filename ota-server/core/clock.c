// The clock went back while the server was away. What was to be so long after the last thing that
// was written is to be as long after now: every time that something is counted from or to goes back
// as far. What happened at its time stays as it was written, in history, trail and marks.
#include "ota-server/core/work.h"

#include "common/base/text.h"

static void back(struct utc *at, int64_t by_ms)
{
    if (at->ms != 0)
        at->ms = at->ms > by_ms ? at->ms - by_ms : 1;
}

static void operation_back(struct operation *o, int64_t by_ms)
{
    back(&o->created_at, by_ms); // its life is counted from there
    back(&o->not_before, by_ms);
    back(&o->not_after, by_ms);
    back(&o->deadline, by_ms);
    back(&o->por_at, by_ms);
    back(&o->confirm_until, by_ms);
    back(&o->rollback_until, by_ms);
}

static void doubt_back(struct record *r, int64_t by_ms)
{
    for (unsigned i = 0; i < DIRTY_REASONS; i++)
        back(&r->reasons[i].since, by_ms);
    back(&r->dirty_since, by_ms);
    back(&r->next_audit_at, by_ms);
    back(&r->last_attempt_at, by_ms);
    back(&r->last_audit_at, by_ms);
    back(&r->insecure_until, by_ms);
    back(&r->gap_deadline, by_ms);
}

// A card that waits for nothing is not told, and a small step back tells nobody: what it remembers
// may lie ahead. It happened before now, and is waited from as if that were a moment ago.
void clock_past(struct work *w)
{
    struct record *r = w->r;
    struct utc *const past[] = {&r->last_contact_at, &r->seen_at, &r->attached_at,
                                &r->last_attempt_at, &r->last_audit_at};
    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
        if (past[i]->ms > w->now.ms)
            past[i]->ms = w->now.ms - 1;
    }
}

void decide_clock(struct work *w)
{
    struct record *r = w->r;
    const int64_t by_ms = w->e->as.back_ms;
    char text[24] = "";
    struct writer t = writer_of(text, sizeof text - 1);
    text_decimal(&t, (uint64_t)by_ms / 1000);
    text_put(&t, " s");
    doubt_back(r, by_ms);
    back(&r->last_contact_at, by_ms);
    back(&r->seen_at, by_ms);
    back(&r->attached_at, by_ms);
    back(&r->switch_until, by_ms);
    back(&r->timers_due, by_ms);
    back(&r->flight.sent_at, by_ms);
    back(&r->flight.deadline, by_ms);
    if (r->has_open)
        operation_back(&r->open, by_ms);
    if (r->audit.is_open)
        operation_back(&r->audit.operation, by_ms);
    for (uint8_t i = 0; i < r->queue_len; i++)
        operation_back(&r->queue[i], by_ms);
    back(&r->bootstrap.started_at, by_ms);
    back(&r->bootstrap.due, by_ms);
    back(&r->bootstrap.deadline, by_ms);
    work_trail(w, "card.times_back", 0, "", text, "the clock went back");
}
