// The mirror of the card's registry: what an accepted command changes in it, what it says about a
// refusal, and what a decision changed in it.
#include "ota-server/core/work.h"

struct mirror_slot *mirror_slot_named(struct work *w, const struct subscription_name *name)
{
    const struct mirror_slot *found = record_slot_named(w->r, name);
    return found == NULL ? NULL : &w->r->slots[found - w->r->slots];
}

void mirror_enable(struct work *w, struct mirror_slot *slot)
{
    struct record *r = w->r;
    for (uint8_t i = 0; i < r->slot_count; i++)
        r->slots[i].fact.state = SLOT_DISABLED;
    slot->fact.state = SLOT_ENABLED;
    slot->fact.is_proven = true;
    w->d->is_located = true;
    if (!slot->fact.is_fallback)
        work_unmark(w, MARK_ON_FALLBACK, "another subscription is enabled");
}

void mirror_fallback(struct work *w, struct mirror_slot *slot)
{
    for (uint8_t i = 0; i < w->r->slot_count; i++)
        w->r->slots[i].fact.is_fallback = false;
    slot->fact.is_fallback = true;
}

// What templates are taken to say of the order in rotation; an audit knows better.
#define RANK_OF_TEMPLATE 1

static void take_slot(struct work *w, const struct mirror_slot *s)
{
    struct record *r = w->r;
    if (r->preferred == s->subscription)
        r->preferred = 0;
    const size_t at = (size_t)(s - r->slots);
    memmove(&r->slots[at], &r->slots[at + 1], (r->slot_count - at - 1u) * sizeof(*s));
    r->slot_count--;
    w->d->is_located = true;
}

static void add_slot(struct work *w, const struct operation *o, uint8_t number)
{
    struct record *r = w->r;
    const struct download_plan *p = &o->download;
    if (number == 0 || number > COMMAND_SLOTS_MAX || record_slot_named(r, &o->target) != NULL)
        return;
    // The card's slot was empty, the mirror's is not: an audit tells what else differs.
    const struct mirror_slot *former = record_slot_at(r, number);
    if (former != NULL) {
        take_slot(w, former);
        work_dirty(w, DIRTY_GUARD_DISAGREEMENT, o->id);
    }
    if (r->slot_count == COMMAND_SLOTS_MAX)
        return;
    uint8_t at = 0;
    while (at < r->slot_count && r->slots[at].fact.slot < number)
        at++;
    memmove(&r->slots[at + 1], &r->slots[at], (size_t)(r->slot_count - at) * sizeof(r->slots[0]));
    r->slot_count++;
    struct mirror_slot *s = &r->slots[at];
    memset(s, 0, sizeof(*s));
    s->fact = (struct audit_slot){.slot = number,
                                  .state = SLOT_DISABLED,
                                  .role = p->role,
                                  .marks = p->marks,
                                  .rank = p->has_rank ? p->rank : RANK_OF_TEMPLATE,
                                  .template_number = p->template_number,
                                  .has_iccid = p->has_iccid};
    memcpy(s->fact.imsi, p->imsi, sizeof(s->fact.imsi));
    memcpy(s->fact.iccid, p->iccid, sizeof(s->fact.iccid));
    memcpy(s->number, p->number, sizeof(s->number));
    s->subscription = o->subscription;
    s->is_barred = p->is_barred;
    w->d->is_located = true;
}

static void remove_slot(struct work *w, const struct operation *o)
{
    const struct mirror_slot *s = record_slot_named(w->r, &o->target);
    if (s != NULL)
        take_slot(w, s);
}

// What the answer does not name is known only when nobody else wrote in between: the card counts
// each writing.
static void take_parameters(struct work *w, const struct operation *o, const struct event_por *por)
{
    struct record *r = w->r;
    const bool is_read = o->kind == OPERATION_READ_TIMERS;
    const uint16_t expected = (uint16_t)(r->parameters_version + !is_read);
    const bool is_whole = is_read && o->list_len == 1 && o->list[0] == READ_ALL;
    uint8_t bad;
    r->configuration_version = por->configuration_version;
    if (parameters_apply(&r->parameters, bytes_of(por->list, por->list_len), &bad) != PARAMETER_OK)
        work_dirty(w, DIRTY_UNKNOWN_POR_STATUS, o->id);
    else if (is_whole || por->configuration_version == expected)
        r->parameters_version = por->configuration_version;
    if (is_whole)
        timers_known(w);
}

void mirror_apply(struct work *w, const struct operation *o, const struct event_por *por)
{
    struct mirror_slot *target = mirror_slot_named(w, &o->target);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        add_slot(w, o, por->has_pair ? por->pair.first : 0);
        break;
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        if (por->result.code == RESULT_OK_UNCHANGED && target != NULL)
            w->r->preferred = target->subscription;
        break;
    case OPERATION_DELETE:
        remove_slot(w, o);
        break;
    case OPERATION_SET_FALLBACK:
        if (target != NULL)
            mirror_fallback(w, target);
        break;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
        if (por->result.command == COMMAND_CONFIGURE)
            take_parameters(w, o, por);
        break;
    case OPERATION_NONE:
    case OPERATION_AUDIT:
        break;
    }
}

// Did an audit tell of the card's templates, and not of this one? A full list may have been cut.
bool mirror_lacks_template(const struct record *r, uint8_t number)
{
    bool is_there = r->template_count == 0 || r->template_count == sizeof(r->templates);
    for (uint8_t i = 0; i < r->template_count; i++)
        is_there |= r->templates[i] == number;
    return !is_there;
}

// Does the mirror show the reason for which the card refused? [results 10-17, 22, 27]
bool mirror_explains(const struct record *r, const struct operation *o, uint8_t code)
{
    const struct mirror_slot *t = record_slot_named(r, &o->target);
    const struct mirror_slot *enabled = record_enabled(r);
    switch (code) {
    case RESULT_NOT_FOUND:
        return t == NULL;
    case RESULT_IS_ENABLED:
        return t != NULL && t->fact.state == SLOT_ENABLED;
    case RESULT_IS_FALLBACK:
        return t != NULL && t->fact.is_fallback;
    case RESULT_POLICY_FORBIDS:
        if (o->kind == OPERATION_DELETE)
            return t != NULL && (t->fact.marks & SLOT_MARK_NO_DELETE) != 0;
        return enabled != NULL && (enabled->fact.marks & SLOT_MARK_NO_DISABLE) != 0;
    case RESULT_ALREADY_INSTALLED:
        return t != NULL;
    case RESULT_NO_FREE_SLOT:
        return r->slot_count >= r->slot_limit;
    case RESULT_NOT_PROVEN:
        return t != NULL && !t->fact.is_proven;
    case RESULT_TERMINAL_INCAPABLE:
        return (r->terminal & TERMINAL_REFRESH) == 0 && r->terminal != 0;
    case RESULT_TEMPLATE_UNKNOWN:
        return mirror_lacks_template(r, o->download.template_number);
    default: // octets: 16 the mirror does not know; 18 to 1D say nothing about it
        return code > RESULT_TEMPLATE_UNKNOWN;
    }
}

bool mirror_has_effect(const struct record *r, const struct operation *o)
{
    const struct mirror_slot *t = record_slot_named(r, &o->target);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        return t != NULL &&
               ((o->flags & COMMAND_FLAG_ENABLE) == 0 || t->fact.state == SLOT_ENABLED);
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        return t != NULL && t->fact.state == SLOT_ENABLED;
    case OPERATION_DELETE:
        return t == NULL;
    case OPERATION_SET_FALLBACK:
        return t != NULL && t->fact.is_fallback;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
    case OPERATION_NONE:
    case OPERATION_AUDIT:
        return false;
    }
    return false;
}

// --- what changed --------------------------------------------------------------------------------

// What the number and the owner of a subscription are is its own, wherever it stands.
static bool is_same(const struct mirror_slot *x, const struct mirror_slot *y)
{
    const struct audit_slot *a = &x->fact;
    const struct audit_slot *b = &y->fact;
    return x->subscription == y->subscription && a->slot == b->slot && a->state == b->state &&
           a->role == b->role && a->is_fallback == b->is_fallback && a->is_proven == b->is_proven &&
           a->marks == b->marks && a->rank == b->rank && a->template_number == b->template_number &&
           memcmp(a->imsi, b->imsi, sizeof(a->imsi)) == 0 && a->has_iccid == b->has_iccid &&
           (!a->has_iccid || memcmp(a->iccid, b->iccid, sizeof(a->iccid)) == 0);
}

static uint32_t changed_slots(const struct record *before, const struct record *after)
{
    uint32_t set = before->preferred != after->preferred;
    for (uint8_t slot = 1; slot <= COMMAND_SLOTS_MAX; slot++) {
        const struct mirror_slot *a = record_slot_at(before, slot);
        const struct mirror_slot *b = record_slot_at(after, slot);
        const bool is_kept = a == NULL || b == NULL ? a == b : is_same(a, b);
        set |= is_kept ? 0 : UINT32_C(1) << slot;
    }
    return set;
}

// Most events change nothing, and each comes by here.
static bool is_unchanged(const struct record *before, const struct record *after)
{
    bool is_kept = before->slot_count == after->slot_count && before->preferred == after->preferred;
    for (uint8_t i = 0; i < after->slot_count && is_kept; i++)
        is_kept = is_same(&before->slots[i], &after->slots[i]);
    return is_kept;
}

// The card's word that the mirror follows.
static const char *word_of(const struct event *e)
{
    if (e->type == EVENT_NOTIFY)
        return notify_cause_name(e->as.notify.notification.cause);
    if (e->type != EVENT_POR)
        return event_type_name(e->type);
    return command_number_name(e->as.por.has_answer ? COMMAND_AUDIT : e->as.por.result.command);
}

// The operation that it is about, as it stood before; 0: none that is open.
static uint64_t operation_told(const struct work *w)
{
    const struct record *r = w->before;
    const struct event *e = w->e;
    if (e->type == EVENT_POR && e->as.por.has_answer)
        return r->audit.is_open ? r->audit.operation.id : 0;
    const uint32_t id = e->type == EVENT_POR      ? e->as.por.result.operation_id
                        : e->type == EVENT_NOTIFY ? e->as.notify.notification.operation_id
                                                  : 0;
    return r->has_open && id != 0 && id == r->open.card_operation_id ? r->open.id : 0;
}

void mirror_tell(struct work *w)
{
    if (is_unchanged(w->before, w->r))
        return;
    w->d->slots_changed = changed_slots(w->before, w->r);
    if (w->d->slots_changed != 0)
        work_trail(w, DECISION_SLOTS_ROW, operation_told(w), "", "", word_of(w->e));
}
