// What people, clients and rules want: section 9.1 and 9.2, and the decisions about a doubt.
#include "tests/model/registry_parts.h"

// Taken or refused it is by the product's word; what follows is judged.
static void request(struct registry_model *m)
{
    const struct event_request *q = &m->e->as.request;
    struct record *r = &m->r;
    const bool is_taken = m->d->refusal == REFUSAL_NONE && !q->is_dry_run;
    if (!is_taken || q->operation.kind == OPERATION_AUDIT ||
        registry_by_id(m, m->d->operation) != NULL || r->queue_len == RECORD_QUEUE_MAX)
        return;
    struct operation *o = &r->queue[r->queue_len++];
    *o = q->operation;
    o->status = q->operation.needs_approval ? STATUS_AWAIT_APPROVAL : STATUS_QUEUED;
    o->created_at = m->now;
    if (o->not_after.ms == 0)
        o->not_after.ms = m->now.ms + m->context->policy->not_after_ms;
}

// Nothing was sent yet, or every message has an explicit "not delivered".
static bool may_cancel(const struct operation *o)
{
    const bool is_waiting = o->status == STATUS_AWAIT_APPROVAL || o->status == STATUS_QUEUED;
    return is_waiting && !o->sent_any;
}

static void one(struct registry_model *m)
{
    struct operation *o = registry_by_id(m, m->e->operation);
    if (o == NULL || m->d->refusal != REFUSAL_NONE || o == &m->r.audit.operation)
        return;
    const bool is_asked = o->status == STATUS_AWAIT_APPROVAL;
    if (m->e->type == EVENT_APPROVED && is_asked) { // its time begins now
        o->not_after.ms += m->now.ms - o->created_at.ms;
        o->status = STATUS_QUEUED;
    } else if (m->e->type == EVENT_REJECTED && is_asked) {
        registry_end(m, o, OUTCOME_REFUSED, FAILURE_APPROVAL_REJECTED);
    } else if (m->e->type == EVENT_CANCEL && may_cancel(o)) {
        registry_end(m, o, OUTCOME_CANCELLED, FAILURE_CANCELLED);
    } else if (m->e->type == EVENT_RESEND) {
        o->at_next_contact = false;
        o->not_before = m->now;
    }
}

static void bar(struct registry_model *m)
{
    for (uint8_t i = 0; i < m->r.slot_count; i++) {
        struct mirror_slot *s = &m->r.slots[i];
        if (s->subscription != 0 && s->subscription == m->e->subscription)
            s->is_barred = m->e->is_barred;
    }
}

// A person decides about the last complete audit. What raised doubt after it stays [decision 202].
static void resolve(struct registry_model *m)
{
    struct record *r = &m->r;
    struct operation *o = registry_open(m);
    bool is_doubted_since = false;
    if (!r->needs_operator)
        return;
    for (unsigned i = 0; i < DIRTY_REASONS; i++)
        is_doubted_since |= r->reasons[i].since.ms > r->last_audit_at.ms;
    r->needs_operator = false;
    if (is_doubted_since)
        return;
    m->left |= REGISTRY_SLOTS; // what is foreign may be the card's by now
    if (o != NULL && o->status == STATUS_UNKNOWN && m->e->push_server) {
        o->card_operation_id = 0;
        registry_happened(m, o, HAPPENED_AUDIT_AGAIN);
    } else if (o != NULL && o->status == STATUS_UNKNOWN) {
        registry_end(m, o, OUTCOME_EXPIRED, FAILURE_DELIVERY_EXPIRED);
    }
    registry_clean(m);
}

static void clear_by_hand(struct registry_model *m)
{
    m->left |= REGISTRY_OPERATIONS; // what is unknown stays so for ever
    if (m->d->refusal == REFUSAL_NONE)
        registry_clean(m);
}

static void lift(struct registry_model *m)
{
    registry_unmark(m, MARK_QUARANTINED);
    m->r.insecure_answers = 0;
}

static void retire(struct registry_model *m)
{
    m->r.state = CARD_RETIRED;
    m->left |= REGISTRY_OPERATIONS | REGISTRY_REASONS;
}

void registry_people(struct registry_model *m)
{
    const uint8_t type = m->e->type;
    if (type == EVENT_REQUEST)
        request(m);
    else if (type == EVENT_BAR)
        bar(m);
    else if (type == EVENT_CLEAR_DIRTY)
        clear_by_hand(m);
    else if (type == EVENT_RESOLVE)
        resolve(m);
    else if (type == EVENT_LIFT_QUARANTINE)
        lift(m);
    else if (type == EVENT_RETIRE)
        retire(m);
    else if (type == EVENT_BOOTSTRAP)
        m->left |= REGISTRY_OPERATIONS; // what it takes back with it
    else
        one(m);
}
