// What people, clients and rules ask for: judged in the published order, then queued.
#include "ota-server/core/message.h"
#include "ota-server/core/work.h"

static uint8_t refusal_of_delete(const struct mirror_slot *t)
{
    if (t->fact.state != SLOT_DISABLED)
        return REFUSAL_DELETE_NOT_DISABLED;
    if (t->fact.is_fallback)
        return REFUSAL_DELETE_FALLBACK;
    return (t->fact.marks & SLOT_MARK_NO_DELETE) != 0 ? REFUSAL_POLICY_FORBIDS : REFUSAL_NONE;
}

static uint8_t refusal_of_enable(const struct record *r, const struct mirror_slot *t)
{
    const struct mirror_slot *enabled = record_enabled(r);
    const bool is_held =
        enabled != NULL && enabled != t && (enabled->fact.marks & SLOT_MARK_NO_DISABLE) != 0;
    return is_held ? REFUSAL_POLICY_FORBIDS : REFUSAL_NONE;
}

static uint8_t refusal_of_download(const struct record *r, const struct operation *o)
{
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct audit_slot *f = &r->slots[i].fact;
        if (memcmp(f->imsi, o->download.imsi, sizeof(f->imsi)) == 0 ||
            (o->download.has_iccid && f->has_iccid &&
             memcmp(f->iccid, o->download.iccid, sizeof(f->iccid)) == 0))
            return REFUSAL_DUPLICATE_SUBSCRIPTION;
    }
    if (o->download.is_barred && (o->flags & COMMAND_FLAG_SET_FALLBACK) != 0)
        return REFUSAL_NOT_ELIGIBLE;
    if (mirror_lacks_template(r, o->download.template_number))
        return REFUSAL_NOT_SUPPORTED_BY_CARD;
    if (r->slot_count >= r->slot_limit)
        return REFUSAL_NO_FREE_SLOT;
    return (o->flags & COMMAND_FLAG_ENABLE) != 0 ? refusal_of_enable(r, NULL) : REFUSAL_NONE;
}

static uint8_t refusal_by_mirror(const struct record *r, const struct operation *o)
{
    const struct mirror_slot *t = record_slot_named(r, &o->target);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        return refusal_of_download(r, o);
    case OPERATION_ENABLE:
        return t == NULL ? REFUSAL_NOT_INSTALLED : refusal_of_enable(r, t);
    case OPERATION_DISABLE: // the target is the fallback subscription already
        return t == NULL ? REFUSAL_POLICY_FORBIDS : refusal_of_enable(r, t);
    case OPERATION_DELETE:
        return t == NULL ? REFUSAL_NOT_INSTALLED : refusal_of_delete(t);
    case OPERATION_SET_FALLBACK:
        if (t == NULL)
            return REFUSAL_NOT_INSTALLED;
        if (t->is_barred)
            return REFUSAL_NOT_ELIGIBLE;
        return !t->fact.is_proven && (o->flags & COMMAND_FLAG_FORCE) == 0 && !t->fact.is_fallback
                   ? REFUSAL_NOT_PROVEN
                   : REFUSAL_NONE;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
    return REFUSAL_NONE;
}

uint8_t refusal_by_right(const struct work *w, const struct operation *o)
{
    const struct decide_context *c = w->context;
    return c->may == NULL ? (uint8_t)REFUSAL_NONE : c->may(c->caller_context, w->r, o);
}

uint8_t refusal_of(const struct work *w, const struct operation *o, bool at_send)
{
    const struct record *r = w->r;
    const uint8_t right = at_send ? refusal_by_right(w, o) : (uint8_t)REFUSAL_NONE;
    if (right != REFUSAL_NONE)
        return right;
    if (r->state == CARD_RETIRED)
        return REFUSAL_CARD_RETIRED;
    if (r->state == CARD_IMPORTED_PARTIAL)
        return REFUSAL_CARD_PARTIAL;
    if (record_has_mark(r, MARK_QUARANTINED) && !at_send)
        return REFUSAL_CARD_QUARANTINED;
    if (r->dirty_since.ms != 0 && !at_send && operation_is_state_changing(o->kind) && !o->force &&
        !o->wait_until_clean)
        return REFUSAL_CARD_DIRTY;
    if (r->level < 2 && (o->kind == OPERATION_SET_TIMERS || o->kind == OPERATION_READ_TIMERS))
        return REFUSAL_NOT_SUPPORTED_BY_CARD;
    const uint8_t refusal = refusal_by_mirror(r, o);
    if (refusal != REFUSAL_NONE)
        return refusal;
    const size_t octets = message_octets(o);
    return octets > 0 && message_sms(octets) <= w->policy->ota.sms_parts_max ? REFUSAL_NONE
                                                                             : REFUSAL_TOO_LONG;
}

// DISABLE names what shall end; on the card it is ENABLE of the fallback subscription.
static uint8_t turn_disable(const struct record *r, struct operation *o)
{
    const struct mirror_slot *t = record_slot_named(r, &o->target);
    const struct mirror_slot *fallback = record_fallback(r);
    if (t == NULL)
        return REFUSAL_NOT_INSTALLED;
    if (fallback == NULL || t->fact.is_fallback)
        return REFUSAL_POLICY_FORBIDS;
    if (t->fact.state != SLOT_ENABLED)
        return REFUSAL_NOT_ENABLED;
    o->target = record_slot_name(fallback);
    return REFUSAL_NONE;
}

static void complete(struct work *w, struct operation *o)
{
    const struct event_request *q = &w->e->as.request;
    *o = q->operation;
    o->created_at = w->now;
    o->actor = w->e->actor;
    o->correlator = w->e->correlator;
    o->approval = w->e->approval;
    o->outcome = OUTCOME_NONE;
    o->failure = FAILURE_NONE;
    o->card_operation_id = 0;
    if (o->not_after.ms == 0)
        o->not_after = utc_after(w->now, w->policy->not_after_ms);
    o->status = o->needs_approval ? STATUS_AWAIT_APPROVAL : STATUS_QUEUED;
    if (o->needs_approval)
        o->deadline = utc_after(w->now, w->policy->approval_ms);
    if (o->at_next_contact)
        o->hold = HOLD_NEXT_CONTACT;
    else if (o->not_before.ms > w->now.ms)
        o->hold = HOLD_NOT_BEFORE;
    if (o->kind == OPERATION_DOWNLOAD) {
        o->target = (struct subscription_name){.is_given = true, .is_iccid = o->download.has_iccid};
        memcpy(o->target.iccid, o->download.iccid, sizeof(o->target.iccid));
        memcpy(o->target.imsi, o->download.imsi, sizeof(o->target.imsi));
    }
}

static bool has_state_changing(const struct record *r)
{
    if (r->has_open && operation_is_state_changing(r->open.kind))
        return true;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (operation_is_state_changing(r->queue[i].kind))
            return true;
    }
    return false;
}

// The audit that is open serves whoever asks again, and as soon as they want.
static void serve_both(struct work *w, const struct operation *asked)
{
    struct record *r = w->r;
    struct operation *o = &r->audit.operation;
    w->d->operation = o->id;
    if (asked->at_next_contact)
        return;
    // One that no link had yet serves them as it is: a new attempt would make its answer worthless.
    const bool is_to_leave = r->flight.kind == FLIGHT_AUDIT && r->flight.state == FLIGHT_SENDING;
    if (!is_to_leave && r->next_audit_at.ms > w->now.ms)
        r->next_audit_at = w->now;
    work_release(o, asked->not_before);
    if (o->not_before.ms > asked->not_before.ms)
        o->not_before = asked->not_before;
}

void decide_request(struct work *w)
{
    const struct event_request *q = &w->e->as.request;
    struct record *r = w->r;
    struct operation o;
    complete(w, &o);
    uint8_t refusal = q->refusal;
    if (refusal == REFUSAL_NONE && o.kind == OPERATION_DISABLE && r->state != CARD_RETIRED)
        refusal = turn_disable(r, &o);
    // What the checks before the mirror refuse is told first.
    const uint8_t checked = refusal_of(w, &o, false);
    if (q->refusal == REFUSAL_NONE && (refusal == REFUSAL_NONE || checked < REFUSAL_NOT_INSTALLED))
        refusal = checked != REFUSAL_NONE ? checked : refusal;
    if (refusal == REFUSAL_NONE && o.kind == OPERATION_AUDIT && r->audit.is_open) {
        serve_both(w, &o);
        return;
    }
    if (refusal == REFUSAL_NONE && q->refuse_if_busy && has_state_changing(r))
        refusal = REFUSAL_CARD_BUSY;
    if (refusal == REFUSAL_NONE && o.kind != OPERATION_AUDIT && r->queue_len == RECORD_QUEUE_MAX)
        refusal = REFUSAL_QUEUE_FULL;
    w->d->refusal = refusal;
    w->d->operation = refusal == REFUSAL_NONE ? o.id : 0;
    if (q->is_dry_run)
        return;
    if (refusal != REFUSAL_NONE) {
        work_trail(w, "operation.refused", 0, "", operation_kind_name(o.kind),
                   refusal_name(refusal));
        return;
    }
    work_step(w, &o, STEP_CREATED, operation_kind_name(o.kind));
    work_step(w, &o, STEP_CHECKED, "");
    if (o.status == STATUS_QUEUED)
        work_step(w, &o, STEP_QUEUED, "");
    work_trail(w, "operation.requested", o.id, "", operation_kind_name(o.kind), "");
    if (o.kind == OPERATION_AUDIT)
        audit_open(w, &o);
    else
        r->queue[r->queue_len++] = o;
}

static struct operation *find(struct work *w)
{
    const struct operation *o = record_operation(w->r, w->e->operation);
    struct record *r = w->r;
    if (o == NULL) {
        w->d->refusal = REFUSAL_NOT_FOUND;
        return NULL;
    }
    w->d->operation = o->id;
    if (o == &r->open)
        return &r->open;
    if (o == &r->audit.operation)
        return &r->audit.operation;
    return &r->queue[o - r->queue];
}

void decide_approval(struct work *w)
{
    struct operation *o = find(w);
    if (o == NULL)
        return;
    if (o->status != STATUS_AWAIT_APPROVAL) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    o->approval = w->e->approval;
    const bool is_approved = w->e->type == EVENT_APPROVED;
    if (is_approved) {
        // Its time begins now.
        o->not_after = utc_after(w->now, o->not_after.ms - o->created_at.ms);
        work_step(w, o, STEP_APPROVED, "");
    }
    operation_input(w, o, is_approved ? IN_APPROVED : IN_REJECTED);
}

// Possible when nothing was sent, or when everything that was sent is known not to arrive.
void decide_cancel(struct work *w)
{
    struct operation *o = find(w);
    if (o == NULL)
        return;
    const bool is_waiting = o->status == STATUS_AWAIT_APPROVAL || o->status == STATUS_QUEUED;
    if (!is_waiting || o->sent_any) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    operation_input(w, o, IN_CANCEL);
}

void decide_resend(struct work *w)
{
    struct operation *o = find(w);
    if (o == NULL)
        return;
    if (o->status != STATUS_QUEUED || o->attempts == 0) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    work_release(o, w->now);
    o->not_before = w->now;
    work_step(w, o, STEP_QUEUED, "resend");
    work_trail(w, "operation.resent", o->id, "", "", "");
}
