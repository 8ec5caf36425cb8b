// Audits: sections 3.4 and 11.
#include "tests/model/registry_parts.h"

// What the server alone knows of a slot goes with its subscription. Where the mirror did not have
// it, a download, a bootstrap or the registry of all cards decides whose it is: the model follows.
// False: the mirror did not.
static bool take_slot(const struct registry_model *m, const struct audit_slot *fact,
                      struct mirror_slot *out)
{
    const struct mirror_slot *known = NULL;
    for (uint8_t i = 0; i < m->before->slot_count; i++) {
        const struct mirror_slot *s = &m->before->slots[i];
        if (memcmp(s->fact.imsi, fact->imsi, sizeof fact->imsi) == 0)
            known = s;
    }
    const bool was_known = known != NULL;
    for (uint8_t i = 0; (known == NULL || known->subscription == 0) && i < m->d->next.slot_count;
         i++) {
        const struct mirror_slot *s = &m->d->next.slots[i];
        if (memcmp(s->fact.imsi, fact->imsi, sizeof fact->imsi) == 0)
            known = s;
    }
    *out = (struct mirror_slot){0};
    if (known != NULL)
        *out = *known;
    out->fact = *fact;
    return was_known;
}

static void take_slots(struct registry_model *m, const struct event_por *p,
                       struct registry_findings *found)
{
    struct record *r = &m->r;
    const struct audit_job *a = &r->audit;
    r->preferred = 0;
    r->slot_count = a->slot_count;
    for (uint8_t i = 0; i < a->slot_count; i++) {
        const bool was_known = take_slot(m, &a->slots[i], &r->slots[i]);
        // Foreign: nobody deletes it by itself. On one that was so before a person decided.
        found->needs_operator |= r->slots[i].subscription == 0 && !was_known;
        if (a->slots[i].slot == p->answer.preferred_slot)
            r->preferred = r->slots[i].subscription;
    }
}

// The card is the truth for facts; what it counted against what this database gave out.
static void take_head(struct registry_model *m, const struct event_por *p,
                      struct registry_findings *found)
{
    struct record *r = &m->r;
    const struct audit_answer *a = &p->answer;
    const struct mirror_slot *enabled = registry_enabled(m);
    if (enabled != NULL && !enabled->fact.is_fallback)
        registry_unmark(m, MARK_ON_FALLBACK);
    r->registry_version = p->result.registry_version;
    r->has_registry_version = true;
    r->configuration_version = a->configuration_version;
    r->level = a->level;
    r->terminal = a->terminal;
    if (a->operation_id_highest < r->operation_id_seen || a->mo_counter < r->mo_counter) {
        // Once its memory may have gone back; again, it is another one that answers.
        found->needs_operator |= r->resets_suspected > 0;
        r->resets_suspected += r->resets_suspected < UINT8_MAX;
    }
    if (a->operation_id_highest > r->operation_id_last)
        r->operation_id_last = a->operation_id_highest + COUNTER_JUMP;
    if (a->mt_counter > r->mt_counter)
        r->mt_counter = registry_far_up(a->mt_counter);
}

// Is there one left that ended without the card's word, and that this question was not about?
static bool is_one_left(const struct registry_model *m, const struct audit_answer *a)
{
    const struct record *r = &m->d->next;
    bool is_left = false;
    for (uint8_t i = 0; i < r->late_count; i++)
        is_left |= r->late[i].card_operation_id != 0 &&
                   r->late[i].card_operation_id != a->lookup_operation_id;
    return is_left && a->lookup != LOOKUP_NOT_ASKED && !registry_is_switching(a);
}

// Section 11.3: the outcomes.
static void finish(struct registry_model *m, const struct audit_answer *a,
                   struct registry_findings *found)
{
    struct record *r = &m->r;
    const struct operation *o = registry_open(m);
    const bool is_unknown = o != NULL && o->status == STATUS_UNKNOWN;
    if (m->context->policy->operator_for_all)
        m->left |= REGISTRY_REASONS; // whether it found any difference is not told here
    r->needs_operator |= found->needs_operator;
    if (r->needs_operator || found->is_awaited)
        return;
    r->gap_sequences = 0;
    r->gap_deadline.ms = 0;
    if (is_unknown || is_one_left(m, a))
        return;
    if (r->dirty_since.ms != 0)
        registry_clean(m);
}

static void complete(struct registry_model *m, const struct event_por *p)
{
    struct registry_findings found = {.needs_operator = false};
    if (memcmp(p->answer.card_iccid, m->r.iccid, sizeof m->r.iccid) != 0) {
        found.needs_operator = true; // of another card
    } else {
        take_slots(m, p, &found);
        take_head(m, p, &found);
        registry_resolve(m, p, &found);
    }
    memset(&m->r.audit, 0, sizeof m->r.audit);
    finish(m, &p->answer, &found);
}

static void add_page(struct audit_job *a, const struct audit_answer *page)
{
    for (uint8_t i = 0; i < page->slot_count_here && a->slot_count < COMMAND_SLOTS_MAX; i++)
        a->slots[a->slot_count++] = page->slots[i];
}

// Did the card tell of something later already? Then it was as the answer says, and is not now. An
// MO counter that is lower than what was known when it was asked is something else.
static bool is_overtaken(const struct record *r, const struct event_por *p)
{
    const uint64_t mo_counter = p->answer.mo_counter;
    bool is_later = mo_counter < r->mo_counter && mo_counter >= r->audit.mo_counter;
    is_later |= p->counter < r->mt_counter && r->has_registry_version &&
                p->result.registry_version < r->registry_version;
    for (uint8_t i = 0; i < RECORD_ANSWERED_MAX; i++)
        is_later |= r->answered[i] > p->counter;
    return is_later;
}

void registry_audit_answer(struct registry_model *m, const struct event_por *p)
{
    struct record *r = &m->r;
    struct audit_job *a = &r->audit;
    const bool is_ours =
        a->is_open && p->has_answer && memcmp(a->nonce, p->answer.nonce, sizeof a->nonce) == 0;
    if (r->flight.kind == FLIGHT_AUDIT && (is_ours || r->flight.counter == p->counter))
        registry_landed(m);
    if (!p->has_answer) { // an error: what it means no row of a document says for each
        m->left |= REGISTRY_REASONS;
        return;
    }
    if (!is_ours || p->counter < r->changed_counter)
        return;
    if (a->slot_count == 0)
        a->registry_version = p->result.registry_version;
    if (a->registry_version != p->result.registry_version || is_overtaken(r, p))
        return; // it is asked again
    add_page(a, &p->answer);
    if (!p->result.more)
        complete(m, p);
}
