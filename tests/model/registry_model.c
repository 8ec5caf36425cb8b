#include "tests/model/registry_model.h"

#include "tests/model/registry_parts.h"

// The operation whose packet is under way, if the event is about that. What becomes of the packets
// of audits and confirmations is no matter of doubt [decision 20].
static struct operation *flying(struct registry_model *m, uint64_t counter)
{
    const struct flight *f = &m->r.flight;
    const bool is_it = f->kind == FLIGHT_OPERATION && f->counter == counter;
    return is_it ? registry_open(m) : NULL;
}

// What the receipts of all parts say together.
static void judge_receipts(struct registry_model *m, struct operation *o)
{
    const struct flight *f = &m->r.flight;
    const uint8_t all = f->parts == 0 ? 0xFF : (uint8_t)((1u << f->parts) - 1);
    if (f->delivered_set != 0 && f->lost_set != 0) {
        registry_happened(m, o, HAPPENED_PART_LOST);
        return;
    }
    if (f->delivered_set == all)
        registry_happened(m, o, HAPPENED_DELIVERED);
    else if (f->lost_set == all)
        registry_happened(m, o, HAPPENED_LOST);
}

static void submit(struct registry_model *m)
{
    static const enum happening of[] = {[SUBMIT_ACCEPTED] = HAPPENED_ACCEPTED,
                                        [SUBMIT_UNKNOWN] = HAPPENED_SUBMIT_UNKNOWN,
                                        [SUBMIT_TEMPORARY] = HAPPENED_SUBMIT_TEMPORARY,
                                        [SUBMIT_REJECTED] = HAPPENED_SUBMIT_REJECTED,
                                        [SUBMIT_PARTIAL] = HAPPENED_SUBMIT_PARTIAL,
                                        [SUBMIT_UNSENT] = HAPPENED_UNSENT};
    const struct event_submit *e = &m->e->as.submit;
    struct flight *f = &m->r.flight;
    const bool is_out = e->outcome == SUBMIT_ACCEPTED || e->outcome == SUBMIT_UNKNOWN;
    if (f->kind == FLIGHT_NONE || f->counter != e->counter || f->state != FLIGHT_SENDING)
        return;
    f->parts = e->parts;
    f->is_submit_unknown = e->outcome == SUBMIT_UNKNOWN;
    struct operation *o = flying(m, e->counter);
    if (o != NULL) {
        registry_happened(m, o, of[e->outcome]);
        return;
    }
    m->left |= REGISTRY_DEADLINE;
    if (is_out)
        f->deadline.ms = INT64_MAX; // not judged
    else
        registry_landed(m);
}

static void receipt(struct registry_model *m)
{
    struct flight *f = &m->r.flight;
    const struct event_receipt *e = &m->e->as.receipt;
    if (e->state == RECEIPT_DELIVERED)
        registry_contact(m);
    const bool is_other = f->kind == FLIGHT_CONFIRM || f->kind == FLIGHT_AUDIT;
    if (is_other && f->counter == e->counter) {
        m->left |= REGISTRY_DEADLINE; // it moves with the receipt, and ends with the word "lost"
        m->is_landing = true;
    }
    struct operation *o = flying(m, e->counter);
    if (o == NULL || e->part == 0 || e->part > 8 || e->state == RECEIPT_PENDING)
        return;
    const uint8_t bit = (uint8_t)(1u << (e->part - 1));
    if (e->state == RECEIPT_DELIVERED)
        f->delivered_set |= bit;
    if (e->state == RECEIPT_LOST)
        f->lost_set |= bit;
    judge_receipts(m, o);
}

static void restart(struct registry_model *m)
{
    struct operation *o = registry_open(m);
    if (o != NULL)
        registry_happened(m, o, HAPPENED_RESTART);
    registry_landed(m);
}

static void back(struct utc *at, int64_t by_ms)
{
    if (at->ms != 0)
        at->ms = at->ms > by_ms ? at->ms - by_ms : 1;
}

static void operation_back(struct operation *o, int64_t by_ms)
{
    back(&o->created_at, by_ms);
    back(&o->not_before, by_ms);
    back(&o->not_after, by_ms);
    back(&o->deadline, by_ms);
    back(&o->confirm_until, by_ms);
    back(&o->rollback_until, by_ms);
}

// Decision 201: every time that something is counted from or to.
static void clock_back(struct registry_model *m, int64_t by_ms)
{
    struct record *r = &m->r;
    back(&r->dirty_since, by_ms);
    back(&r->last_contact_at, by_ms);
    back(&r->gap_deadline, by_ms);
    back(&r->insecure_until, by_ms);
    back(&r->flight.deadline, by_ms);
    if (r->has_open)
        operation_back(&r->open, by_ms);
    for (uint8_t i = 0; i < r->queue_len; i++)
        operation_back(&r->queue[i], by_ms);
}

// It goes far enough up.
static uint64_t restored_counter(const struct registry_model *m)
{
    const uint64_t next = m->d->next.mt_counter - m->d->send_count;
    return next >= m->before->mt_counter + COUNTER_JUMP ? next : 0;
}

static void happen(struct registry_model *m)
{
    switch ((enum event_type)m->e->type) {
    case EVENT_SUBMIT:
        submit(m);
        break;
    case EVENT_RECEIPT:
        receipt(m);
        break;
    case EVENT_POR:
        registry_por(m);
        break;
    case EVENT_NOTIFY:
        registry_notify(m);
        break;
    case EVENT_MARK_DIRTY:
        registry_doubt(m, m->e->reason);
        break;
    case EVENT_CONTACT:
        registry_contact(m);
        break;
    case EVENT_RESTART:
        restart(m);
        break;
    case EVENT_WAKE:
    case EVENT_MOVE:
    case EVENT_PLAN:
    case EVENT_TIMERS:
    case EVENT_LOST:
        break;
    case EVENT_REQUEST:
    case EVENT_APPROVED:
    case EVENT_REJECTED:
    case EVENT_CANCEL:
    case EVENT_RESEND:
    case EVENT_CLEAR_DIRTY:
    case EVENT_RESOLVE:
    case EVENT_LIFT_QUARANTINE:
    case EVENT_RETIRE:
    case EVENT_BAR:
    case EVENT_BOOTSTRAP:
        registry_people(m);
        break;
    case EVENT_RESTORE:
        restart(m);
        registry_restored(m);
        m->r.mt_counter =
            restored_counter(m); // a jump for each minute that it is old [decision 309]
        break;
    case EVENT_CLOCK:
        clock_back(m, m->e->as.back_ms);
        break;
    }
}

static bool is_over(struct utc at, struct utc now)
{
    return at.ms != 0 && at.ms <= now.ms;
}

// Of an operation that waits for its CONFIRM the time runs while that is under way.
static bool is_confirm_under_way(const struct registry_model *m, const struct operation *o)
{
    const struct flight *f = &m->r.flight;
    return o->status == STATUS_CONFIRMING && f->kind == FLIGHT_CONFIRM &&
           f->operation_id == o->card_operation_id && !is_over(f->deadline, m->now);
}

static void time_out_open(struct registry_model *m)
{
    struct operation *o = registry_open(m);
    if (o == NULL || is_confirm_under_way(m, o))
        return;
    if (o->status == STATUS_QUEUED ? is_over(o->not_after, m->now) : is_over(o->deadline, m->now))
        registry_happened(m, o, HAPPENED_TIMEOUT);
}

// Nothing is waited for any more of a question or a confirmation.
static void time_out_flight(struct registry_model *m)
{
    const struct flight *f = &m->r.flight;
    if ((f->kind == FLIGHT_AUDIT || f->kind == FLIGHT_CONFIRM) && is_over(f->deadline, m->now))
        registry_landed(m);
}

// What comes to be unknown when the card is out of reach already waits for its own time
// [decision 316].
static void time_out_unknown(struct registry_model *m)
{
    struct operation *o = registry_open(m);
    const bool is_unreachable = (m->r.marks >> MARK_UNREACHABLE & 1) != 0;
    if (is_unreachable && o != NULL && is_over(o->not_after, m->now))
        registry_happened(m, o, HAPPENED_UNREACHABLE);
}

// Section 11.2: no word of a card in doubt.
static void time_out_card(struct registry_model *m)
{
    struct record *r = &m->r;
    struct utc from =
        r->last_contact_at.ms > r->dirty_since.ms ? r->last_contact_at : r->dirty_since;
    if (from.ms > m->now.ms)
        from.ms = m->now.ms - 1; // the clock went back a little
    if (r->dirty_since.ms == 0 || (r->marks >> MARK_UNREACHABLE & 1) != 0 ||
        from.ms + m->context->policy->unreachable_ms > m->now.ms)
        return;
    registry_mark(m, MARK_UNREACHABLE);
    if (r->has_open)
        registry_happened(m, &r->open, HAPPENED_UNREACHABLE);
}

static void time_out(struct registry_model *m)
{
    struct record *r = &m->r;
    time_out_open(m);
    time_out_flight(m);
    for (uint8_t i = r->queue_len; i-- > 0;) {
        struct operation *q = &r->queue[i];
        const bool is_asked = q->status == STATUS_AWAIT_APPROVAL;
        if (is_over(is_asked ? q->deadline : q->not_after, m->now))
            registry_happened(m, q, HAPPENED_TIMEOUT);
    }
    if (is_over(r->gap_deadline, m->now)) {
        if (r->gap_sequences > 0)
            registry_doubt(m, DIRTY_NOTIFY_GAP);
        r->gap_sequences = 0;
        r->gap_deadline.ms = 0;
    }
    if (r->insecure_answers >= 3 && is_over(r->insecure_until, m->now))
        registry_mark(m, MARK_QUARANTINED);
    time_out_card(m);
    time_out_unknown(m);
}

// The CONFIRM of a switch would leave when its time is over: it does not.
static void confirm_too_late(struct registry_model *m)
{
    struct operation *o = registry_open(m);
    bool is_due = false;
    if (o == NULL || o->status != STATUS_CONFIRMING || (o->flags & COMMAND_FLAG_ROLLBACK) == 0 ||
        m->now.ms <= o->confirm_until.ms || m->d->next.open.status != STATUS_UNKNOWN)
        return;
    for (uint8_t i = 0; i < m->before->confirm_count; i++)
        is_due |= m->before->confirms[i].operation_id == o->card_operation_id;
    if (is_due)
        registry_happened(m, o, HAPPENED_CONFIRM_TOO_LATE);
}

// What waited may be refused by the checks, run again before it is sent: by rights and by rules of
// the group, which the model does not know.
static void follow_refusals(struct registry_model *m)
{
    for (uint8_t i = 0; i < m->d->ended_count; i++) {
        const struct operation *o = &m->d->ended[i];
        struct operation *ours = registry_by_id(m, o->id);
        if (ours != NULL && o->outcome == OUTCOME_REFUSED && ours->status == STATUS_QUEUED)
            registry_end(m, ours, OUTCOME_REFUSED, FAILURE_REFUSED_AT_SEND);
    }
}

// Section 4: a card whose counter is at its end is in quarantine, once something was to be sent.
static void run_out(struct registry_model *m)
{
    if (m->r.mt_counter + 1 >= COUNTER_LAST)
        m->r.marks |= (uint8_t)(m->d->next.marks & 1u << MARK_QUARANTINED);
}

void registry_step(struct registry_model *m, const struct record *before, const struct event *e,
                   const struct decide_context *context, const struct decision *d)
{
    record_copy(&m->r, before);
    m->before = before;
    m->e = e;
    m->context = context;
    m->d = d;
    m->now = e->at;
    m->left = 0;
    m->wrong_send = NULL;
    m->is_landing = false;
    m->ended_count = 0;
    m->settled_count = 0;
    happen(m);
    time_out(m);
    confirm_too_late(m);
    follow_refusals(m);
    for (uint8_t i = 0; i < d->send_count; i++)
        registry_send(m, &d->sends[i]);
    run_out(m);
}
