// Model against the product's decision, field by field.
#include "tests/model/registry_parts.h"

typedef bool same_fn(const struct registry_model *m, const struct decision *d);

static bool is_same_slot(const struct mirror_slot *a, const struct mirror_slot *b)
{
    const struct audit_slot *x = &a->fact;
    const struct audit_slot *y = &b->fact;
    return x->slot == y->slot && x->state == y->state && x->role == y->role &&
           x->is_fallback == y->is_fallback && x->is_proven == y->is_proven &&
           x->marks == y->marks && x->rank == y->rank && x->template_number == y->template_number &&
           memcmp(x->imsi, y->imsi, sizeof x->imsi) == 0 && x->has_iccid == y->has_iccid &&
           (!x->has_iccid || memcmp(x->iccid, y->iccid, sizeof x->iccid) == 0);
}

static bool slots(const struct registry_model *m, const struct decision *d)
{
    bool is_same = m->r.slot_count == d->next.slot_count;
    for (uint8_t i = 0; i < m->r.slot_count && is_same; i++)
        is_same = is_same_slot(&m->r.slots[i], &d->next.slots[i]);
    return is_same;
}

static bool subscriptions(const struct registry_model *m, const struct decision *d)
{
    bool is_same = m->r.slot_count == d->next.slot_count;
    for (uint8_t i = 0; i < m->r.slot_count && is_same; i++)
        is_same = m->r.slots[i].subscription == d->next.slots[i].subscription &&
                  m->r.slots[i].is_barred == d->next.slots[i].is_barred &&
                  strcmp(m->r.slots[i].number, d->next.slots[i].number) == 0;
    return is_same;
}

static bool preferred(const struct registry_model *m, const struct decision *d)
{
    return m->r.preferred == d->next.preferred;
}

static bool version(const struct registry_model *m, const struct decision *d)
{
    return m->r.has_registry_version == d->next.has_registry_version &&
           m->r.registry_version == d->next.registry_version;
}

static bool reasons(const struct registry_model *m, const struct decision *d)
{
    bool is_same = true;
    for (unsigned i = 0; i < DIRTY_REASONS; i++)
        is_same &= (m->r.reasons[i].since.ms != 0) == (d->next.reasons[i].since.ms != 0);
    return is_same && (m->r.dirty_since.ms != 0) == (d->next.dirty_since.ms != 0);
}

static bool marks(const struct registry_model *m, const struct decision *d)
{
    const uint8_t judged = 1u << MARK_DIRTY | 1u << MARK_QUARANTINED | 1u << MARK_UNREACHABLE;
    return (m->r.marks & judged) == (d->next.marks & judged);
}

static bool mo_counter(const struct registry_model *m, const struct decision *d)
{
    return m->r.mo_counter == d->next.mo_counter;
}

static bool mt_counter(const struct registry_model *m, const struct decision *d)
{
    return m->r.mt_counter == d->next.mt_counter;
}

static const struct operation *live(const struct record *r, uint64_t id)
{
    if (r->has_open && r->open.id == id)
        return &r->open;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].id == id)
            return &r->queue[i];
    }
    return NULL;
}

static const struct operation *ended(const struct operation *of, uint8_t count, uint64_t id)
{
    for (uint8_t i = 0; i < count; i++) {
        if (of[i].id == id)
            return &of[i];
    }
    return NULL;
}

static bool has_same_status(const struct registry_model *m, const struct decision *d,
                            const struct operation *o)
{
    const struct operation *p = live(&d->next, o->id);
    (void)m;
    return p != NULL && p->status == o->status;
}

static bool status(const struct registry_model *m, const struct decision *d)
{
    bool is_same = true;
    if (m->r.has_open)
        is_same = has_same_status(m, d, &m->r.open);
    for (uint8_t i = 0; i < m->r.queue_len; i++)
        is_same &= has_same_status(m, d, &m->r.queue[i]);
    return is_same;
}

static bool outcomes(const struct registry_model *m, const struct decision *d)
{
    bool is_same = true;
    for (uint8_t i = 0; i < m->ended_count; i++) {
        const struct operation *o = &m->ended[i];
        const struct operation *p = ended(d->ended, d->ended_count, o->id);
        is_same &=
            o->kind == OPERATION_AUDIT ||
            (p != NULL && p->outcome == o->outcome && p->may_still_arrive == o->may_still_arrive &&
             p->has_result == o->has_result && (!o->has_result || p->result == o->result));
    }
    for (uint8_t i = 0; i < d->ended_count; i++)
        is_same &= d->ended[i].kind == OPERATION_AUDIT ||
                   ended(m->ended, m->ended_count, d->ended[i].id) != NULL;
    return is_same;
}

static bool is_settled(const struct registry_model *m, const struct settlement *s)
{
    bool is = false;
    for (uint8_t i = 0; i < m->settled_count; i++) {
        const struct settlement *t = &m->settled[i];
        is |= t->operation == s->operation && t->outcome == s->outcome &&
              t->deleted == s->deleted && (s->outcome == OUTCOME_NONE || t->result == s->result);
    }
    return is;
}

// What the card said at last of an operation that had ended without its word.
static bool corrections(const struct registry_model *m, const struct decision *d)
{
    bool is_same = m->settled_count == d->settled_count;
    for (uint8_t i = 0; i < d->settled_count; i++)
        is_same &= is_settled(m, &d->settled[i]);
    return is_same;
}

// Until when it waits for the network, an answer or the word on a switch.
static bool deadline(const struct registry_model *m, const struct decision *d)
{
    const struct operation *o = &m->r.open;
    const struct operation *p = &d->next.open;
    if (!m->r.has_open || !d->next.has_open || o->id != p->id || o->status != p->status)
        return true;
    return o->status < STATUS_SENT || o->status > STATUS_SWITCHING ||
           o->deadline.ms == p->deadline.ms;
}

// Between two attempts: 10 min, 1 h, 6 h, 24 h; 15 min where the card was busy, 1 h where its
// memory failed.
static bool next_attempt(const struct registry_model *m, const struct decision *d)
{
    const struct operation *o = &m->r.open;
    const struct operation *p = &d->next.open;
    if (!m->r.has_open || !d->next.has_open || o->id != p->id || o->status != p->status)
        return true;
    return o->status != STATUS_QUEUED ||
           (o->at_next_contact == p->at_next_contact &&
            (o->attempts == 0 || o->at_next_contact || o->not_before.ms == p->not_before.ms));
}

static bool tries(const struct registry_model *m, const struct decision *d)
{
    const struct operation *o = &m->r.open;
    const struct operation *p = &d->next.open;
    if (!m->r.has_open || !d->next.has_open || o->id != p->id)
        return true;
    return o->attempts == p->attempts && o->retries == p->retries &&
           o->busy_tries == p->busy_tries && o->nvm_tries == p->nvm_tries &&
           o->may_have_run == p->may_have_run && o->card_operation_id == p->card_operation_id;
}

static bool switch_times(const struct registry_model *m, const struct decision *d)
{
    const struct operation *o = &m->r.open;
    const struct operation *p = &d->next.open;
    if (!m->r.has_open || !d->next.has_open || o->id != p->id)
        return true;
    return o->confirm_until.ms == p->confirm_until.ms &&
           o->rollback_until.ms == p->rollback_until.ms;
}

static bool sends(const struct registry_model *m, const struct decision *d)
{
    (void)d;
    return m->wrong_send == NULL;
}

static bool person(const struct registry_model *m, const struct decision *d)
{
    return m->r.needs_operator == d->next.needs_operator;
}

static bool operation_ids(const struct registry_model *m, const struct decision *d)
{
    return m->r.operation_id_last == d->next.operation_id_last;
}

static bool sequences(const struct registry_model *m, const struct decision *d)
{
    return m->r.notify_sequence == d->next.notify_sequence &&
           m->r.notify_seen == d->next.notify_seen;
}

static bool gaps(const struct registry_model *m, const struct decision *d)
{
    return m->r.gap_sequences == d->next.gap_sequences;
}

static bool is_before(const struct registry_model *m, struct utc wake, struct utc due)
{
    return due.ms <= m->now.ms || (wake.ms != 0 && wake.ms <= due.ms);
}

// It wakes for the first of what it waits for.
static bool wake(const struct registry_model *m, const struct decision *d)
{
    const struct record *r = &d->next;
    const bool is_dry = m->e->type == EVENT_REQUEST && m->e->as.request.is_dry_run;
    if (r->state == CARD_RETIRED || is_dry)
        return true;
    bool is_same = is_before(m, r->wake_at, r->gap_deadline);
    if (r->has_open)
        is_same &= is_before(m, r->wake_at, r->open.deadline);
    if (r->flight.kind != FLIGHT_NONE)
        is_same &= is_before(m, r->wake_at, r->flight.deadline);
    for (uint8_t i = 0; i < r->queue_len; i++)
        is_same &= is_before(m, r->wake_at, r->queue[i].not_after);
    if (r->flight.kind == FLIGHT_NONE && r->dirty_since.ms != 0 &&
        (r->marks >> MARK_QUARANTINED & 1) == 0)
        is_same &= r->next_audit_at.ms != 0 && is_before(m, r->wake_at, r->next_audit_at);
    return is_same;
}

static bool state(const struct registry_model *m, const struct decision *d)
{
    const bool is_in_group =
        m->context->policy->bootstrap.is_enabled || m->before->bootstrap.state != BOOTSTRAP_NONE;
    return is_in_group || m->r.state == d->next.state;
}

static const struct {
    const char *name;
    unsigned left; // by any of these
    same_fn *is_same;
} fields[] = {
    {"slots", REGISTRY_SLOTS, slots},
    {"subscriptions", REGISTRY_SLOTS, subscriptions},
    {"preferred", REGISTRY_SLOTS, preferred},
    {"registry version", REGISTRY_SLOTS, version},
    {"reasons", REGISTRY_REASONS, reasons},
    {"marks", REGISTRY_REASONS, marks},
    {"MO counter", REGISTRY_NUMBERS, mo_counter},
    {"MT counter", REGISTRY_NUMBERS, mt_counter},
    {"status", REGISTRY_OPERATIONS, status},
    {"outcomes", REGISTRY_OPERATIONS, outcomes},
    {"corrections", REGISTRY_OPERATIONS, corrections},
    {"deadline", REGISTRY_OPERATIONS | REGISTRY_DEADLINE, deadline},
    {"next attempt", REGISTRY_OPERATIONS | REGISTRY_DEADLINE, next_attempt},
    {"tries", REGISTRY_OPERATIONS, tries},
    {"times of a switch", REGISTRY_OPERATIONS, switch_times},
    {"packet that leaves", REGISTRY_OPERATIONS | REGISTRY_REASONS, sends},
    {"needs operator", REGISTRY_REASONS, person},
    {"operation ids", REGISTRY_NUMBERS, operation_ids},
    {"sequences", REGISTRY_NUMBERS, sequences},
    {"gaps", REGISTRY_NUMBERS, gaps},
    {"time to wake", 0, wake},
    {"state", REGISTRY_SLOTS, state},
};
#define FIELDS (sizeof fields / sizeof fields[0])

const char *registry_field(unsigned i, const struct registry_model *m, const struct decision *d,
                           bool *is_same)
{
    if (i >= FIELDS)
        return NULL;
    *is_same = (m->left & fields[i].left) != 0 || fields[i].is_same(m, d);
    return fields[i].name;
}

const char *registry_differs(const struct registry_model *m, const struct decision *d)
{
    bool is_same = true;
    for (unsigned i = 0; i < FIELDS; i++) {
        const char *name = registry_field(i, m, d, &is_same);
        if (!is_same)
            return name;
    }
    return NULL;
}
