#include "ota-server/core/work.h"

#define RESTORE_JUMPS 8
#define RESTORE_AGE_MAX_MS (INT64_C(365) * 86400000)

void policy_default(struct policy *p)
{
    *p = (struct policy){
        .approval_ms = 72 * HOUR_MS,
        .not_after_ms = 24 * HOUR_MS,
        .submit_ms = 10000,
        .validity_ms = HOUR_MS,
        .receipt_margin_ms = 120000,
        .por_ms = 120000,
        .confirm_ms = 120000,
        .confirm_silent_ms = 300000,
        .contact_delay_ms = 30000,
        .contact_gap_ms = 5 * MINUTE_MS,
        .unreachable_ms = 7 * DAY_MS,
        .reissues_max = 2,
        .retry = {4, {600, 3600, 21600, 86400}},
        .retry_at_contact = true,
        .audit = {6, {60, 300, 1800, 7200, 21600, 86400}},
        .audit_at_contact = true,
        .ota = {.sms_parts_max = POLICY_SMS_PARTS},
    };
}

// What was under way when the server stopped hard: nobody knows how far it came.
static void restart(struct work *w)
{
    struct record *r = w->r;
    if (r->has_open)
        operation_input(w, &r->open, IN_RESTART);
    flight_clear(w);
}

// What waited to be sent again under an id of its own may have been since, and have run.
static void doubt_waiting(struct work *w)
{
    struct operation *o = &w->r->open;
    if (!w->r->has_open || o->status != STATUS_QUEUED || o->card_operation_id == 0)
        return;
    o->sent_any = true;
    o->may_have_run = true;
    o->at_next_contact = false;
    o->hold = HOLD_NONE;
    operation_input(w, o, IN_RESTORE);
}

// All cards at once are more than the links take: each has a time of its own. One that was in doubt
// anyway has it already.
static void spread_first_audit(struct work *w)
{
    struct record *r = w->r;
    bool is_only_doubt = r->dirty_since.ms == w->now.ms;
    for (unsigned i = 0; i < DIRTY_REASONS; i++)
        is_only_doubt &= i == DIRTY_RESTORE_FROM_BACKUP || r->reasons[i].since.ms == 0;
    if (is_only_doubt && w->e->as.restore.spread_ms > 0)
        r->next_audit_at = utc_after(
            r->next_audit_at, (int64_t)work_draw(w, (uint64_t)w->e->as.restore.spread_ms + 1));
}

// Past all counters that were used since the backup was made, also by a database put back
// meanwhile: six jumps for doubts around a midnight and as many packets as one holds, and one jump
// for each minute, which is more than doubts take (decision 309).
static uint64_t jump_over(const struct record *r, int64_t age_ms)
{
    const int64_t aged = age_ms > RESTORE_AGE_MAX_MS ? RESTORE_AGE_MAX_MS : age_ms;
    const uint64_t minutes = aged > 0 ? (uint64_t)aged / 60000 : 0;
    const uint64_t jump = (RESTORE_JUMPS + minutes) * COUNTER_JUMP;
    return r->mt_counter + jump < COUNTER_LAST ? jump : COUNTER_JUMP;
}

static void restore(struct work *w)
{
    struct record *r = w->r;
    r->mt_counter += jump_over(r, w->e->as.restore.age_ms);
    r->operation_id_last += COUNTER_JUMP;
    r->changed_counter = r->mt_counter; // an answer to what was asked before tells of then
    r->audit.is_page_due = false;
    restart(w);
    doubt_waiting(w);
    work_dirty(w, DIRTY_RESTORE_FROM_BACKUP, 0);
    spread_first_audit(w);
    bootstrap_doubt_items(r);
}

// What the server's start finds.
static void start(struct work *w)
{
    if (w->e->type == EVENT_CLOCK)
        decide_clock(w);
    else if (w->e->type == EVENT_RESTORE)
        restore(w);
    else
        restart(w);
}

// Nobody needs to look at the card any more.
static void end_alarms(struct work *w)
{
    const struct record *r = w->r;
    if (r->mt_counter > COUNTER_NEAR_LAST)
        work_alarm(w, ALARM_COUNTER_NEAR_MAX, false);
    if (record_has_mark(r, MARK_QUARANTINED))
        work_alarm(w, ALARM_SECURITY_FAILURES, false);
    if (r->needs_operator)
        work_alarm(w, ALARM_NEEDS_OPERATOR, false);
}

static void retire(struct work *w)
{
    struct record *r = w->r;
    if (r->state == CARD_RETIRED) {
        w->d->refusal = REFUSAL_CARD_RETIRED;
        return;
    }
    while (r->queue_len > 0)
        operation_input(w, &r->queue[0], IN_CANCEL);
    if (r->audit.is_open) {
        r->audit.operation.status = STATUS_QUEUED;
        operation_input(w, &r->audit.operation, IN_CANCEL);
    }
    if (r->has_open) {
        operation_input(w, &r->open, IN_RESTART);
        if (r->has_open && r->open.status == STATUS_QUEUED)
            operation_input(w, &r->open, IN_CANCEL);
        if (r->has_open)
            operation_input(w, &r->open, IN_UNREACHABLE);
    }
    flight_clear(w);
    r->confirm_count = 0;
    work_trail(w, "card.state", 0, card_state_name(r->state), "RETIRED", "person");
    r->state = CARD_RETIRED;
    end_alarms(w);
}

static void mark_dirty(struct work *w)
{
    const uint8_t reason = w->e->reason;
    if (reason == DIRTY_NONE || reason >= DIRTY_REASONS) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    if (w->r->state == CARD_RETIRED)
        w->d->refusal = REFUSAL_CARD_RETIRED;
    work_dirty(w, reason, w->e->operation);
}

static void clear_dirty(struct work *w)
{
    struct record *r = w->r;
    if (r->dirty_since.ms == 0) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    if (r->has_open && r->open.status == STATUS_UNKNOWN)
        operation_input(w, &r->open, IN_UNREACHABLE);
    if (r->needs_operator)
        work_alarm(w, ALARM_NEEDS_OPERATOR, false);
    work_clear_dirty(w, "by hand, without an audit");
}

static void lift_quarantine(struct work *w)
{
    if (!record_has_mark(w->r, MARK_QUARANTINED)) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    work_unmark(w, MARK_QUARANTINED, "lifted");
    work_alarm(w, ALARM_SECURITY_FAILURES, false);
    w->r->insecure_answers = 0;
    w->r->insecure_until.ms = 0;
}

// Who takes a card over takes no work of the former owner over.
static void move(struct work *w)
{
    const struct record *r = w->r;
    if (r->state == CARD_RETIRED)
        w->d->refusal = REFUSAL_CARD_RETIRED;
    else if (w->e->tenant != 0 && w->e->tenant != r->tenant && (r->has_open || r->queue_len > 0))
        w->d->refusal = REFUSAL_CARD_BUSY;
    if (w->d->refusal != REFUSAL_NONE)
        return;
    if (w->e->group != 0)
        w->r->group = w->e->group;
    if (w->e->tenant != 0)
        w->r->tenant = w->e->tenant;
    work_trail(w, "card.moved", 0, "", "", "");
}

// Wherever the subscription stands: what still waits is judged again before it is sent.
static void bar(struct work *w)
{
    struct record *r = w->r;
    const struct event *e = w->e;
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (r->slots[i].subscription == e->subscription)
            r->slots[i].is_barred = e->is_barred;
    }
    if (r->has_open && r->open.subscription == e->subscription)
        r->open.download.is_barred = e->is_barred;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].subscription == e->subscription)
            r->queue[i].download.is_barred = e->is_barred;
    }
    for (uint8_t i = 0; i < r->late_count; i++) {
        if (r->late[i].subscription == e->subscription)
            r->late[i].is_barred = e->is_barred;
    }
}

// It stands with another card by now: nothing of this one may bring it there a second time.
static void lose(struct work *w)
{
    struct record *r = w->r;
    const uint64_t id = w->e->subscription;
    for (uint8_t k = 0; k < r->bootstrap.item_count; k++) {
        if (r->bootstrap.items[k].subscription == id && record_slot_of(r, id) == NULL) {
            r->bootstrap.items[k].subscription = 0;
            w->d->is_job_changed = true;
        }
    }
    uint8_t i = 0;
    while (i < r->queue_len) {
        struct operation *o = &r->queue[i];
        if (o->kind == OPERATION_DOWNLOAD && o->subscription == id && o->status == STATUS_QUEUED)
            operation_refuse(w, o, REFUSAL_NOT_FOUND);
        else
            i++;
    }
    struct operation *open = &r->open;
    if (r->has_open && open->kind == OPERATION_DOWNLOAD && open->subscription == id &&
        open->status == STATUS_QUEUED)
        operation_refuse(w, open, REFUSAL_NOT_FOUND);
}

// What happens to one of its subscriptions outside the card.
static void subscription_event(struct work *w)
{
    if (w->e->type == EVENT_BAR)
        bar(w);
    else
        lose(w);
}

static void take(struct work *w)
{
    switch ((enum event_type)w->e->type) {
    case EVENT_REQUEST:
        decide_request(w);
        break;
    case EVENT_APPROVED:
    case EVENT_REJECTED:
        decide_approval(w);
        break;
    case EVENT_CANCEL:
        decide_cancel(w);
        break;
    case EVENT_RESEND:
        decide_resend(w);
        break;
    case EVENT_MARK_DIRTY:
        mark_dirty(w);
        break;
    case EVENT_CLEAR_DIRTY:
        clear_dirty(w);
        break;
    case EVENT_RESOLVE:
        decide_resolve(w);
        break;
    case EVENT_LIFT_QUARANTINE:
        lift_quarantine(w);
        break;
    case EVENT_RETIRE:
        retire(w);
        break;
    case EVENT_MOVE:
        move(w);
        break;
    case EVENT_BAR:
    case EVENT_LOST:
        subscription_event(w);
        break;
    case EVENT_SUBMIT:
        decide_submit(w);
        break;
    case EVENT_RECEIPT:
        decide_receipt(w);
        break;
    case EVENT_POR:
        decide_por(w);
        break;
    case EVENT_NOTIFY:
        decide_notify(w);
        break;
    case EVENT_CONTACT:
        work_attached(w);
        work_contact(w);
        break;
    case EVENT_WAKE:
        break;
    case EVENT_RESTART:
    case EVENT_RESTORE:
    case EVENT_CLOCK:
        start(w);
        break;
    case EVENT_PLAN:
        decide_plan(w);
        break;
    case EVENT_BOOTSTRAP:
        decide_bootstrap(w);
        break;
    case EVENT_TIMERS:
        decide_timers(w);
        break;
    }
}

void decide(const struct record *record, const struct event *event,
            const struct decide_context *context, struct decision *out)
{
    struct work w = {.e = event,
                     .policy = context->policy,
                     .cipher = context->cipher,
                     .context = context,
                     .d = out,
                     .before = record,
                     .r = &out->next,
                     .now = event->at};
    out->refusal = REFUSAL_NONE;
    out->operation = 0;
    record_copy(&out->next, record);
    out->send_count = 0;
    out->step_count = 0;
    out->ended_count = 0;
    out->trail_count = 0;
    out->alarm_count = 0;
    out->has_answer = false;
    out->difference_count = 0;
    out->is_located = false;
    out->slots_changed = 0;
    out->settled_count = 0;
    out->is_job_changed = false;
    out->released_count = 0;
    out->is_dropped = false;
    if (event->type != EVENT_CLOCK) // which moves all of them
        clock_past(&w);
    take(&w);
    if (event->type == EVENT_REQUEST && event->as.request.is_dry_run)
        return;
    plan_timeouts(&w);
    timers_plan(&w);
    bootstrap_run(&w);
    plan_wake(&w);
    // However it came there: one at a time, or in a jump.
    if (record->mt_counter <= COUNTER_NEAR_LAST && out->next.mt_counter > COUNTER_NEAR_LAST)
        work_alarm(&w, ALARM_COUNTER_NEAR_MAX, true);
    mirror_tell(&w);
    out->next.version++;
}
