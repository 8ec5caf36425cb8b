// The mirror of a card's registry, as sections 3.2, 6 and 9.3 change it.
#include "tests/model/registry_parts.h"

struct mirror_slot *registry_slot_named(struct registry_model *m,
                                        const struct subscription_name *name)
{
    for (uint8_t i = 0; name->is_given && i < m->r.slot_count; i++) {
        struct audit_slot *f = &m->r.slots[i].fact;
        const bool is_it = name->is_iccid
                               ? f->has_iccid && memcmp(f->iccid, name->iccid, sizeof f->iccid) == 0
                               : memcmp(f->imsi, name->imsi, sizeof f->imsi) == 0;
        if (is_it)
            return &m->r.slots[i];
    }
    return NULL;
}

struct mirror_slot *registry_enabled(struct registry_model *m)
{
    for (uint8_t i = 0; i < m->r.slot_count; i++) {
        if (m->r.slots[i].fact.state == SLOT_ENABLED)
            return &m->r.slots[i];
    }
    return NULL;
}

// It has service, or it would not have been told.
void registry_enable(struct registry_model *m, struct mirror_slot *slot)
{
    if (!slot->fact.is_fallback)
        registry_unmark(m, MARK_ON_FALLBACK);
    for (uint8_t i = 0; i < m->r.slot_count; i++)
        m->r.slots[i].fact.state = SLOT_DISABLED;
    slot->fact.state = SLOT_ENABLED;
    slot->fact.is_proven = true;
}

static void take_fallback(struct registry_model *m, struct mirror_slot *slot)
{
    for (uint8_t i = 0; i < m->r.slot_count; i++)
        m->r.slots[i].fact.is_fallback = false;
    slot->fact.is_fallback = true;
}

static void drop(struct registry_model *m, struct mirror_slot *slot)
{
    struct record *r = &m->r;
    const size_t at = (size_t)(slot - r->slots);
    if (r->preferred == slot->subscription)
        r->preferred = 0;
    r->slot_count--;
    memmove(slot, slot + 1, (r->slot_count - at) * sizeof *slot);
    memset(&r->slots[r->slot_count], 0, sizeof *slot);
}

static bool is_installed(struct registry_model *m, const struct download_plan *plan)
{
    struct subscription_name name = {.is_given = true};
    memcpy(name.imsi, plan->imsi, sizeof name.imsi);
    if (registry_slot_named(m, &name) != NULL)
        return true;
    name.is_iccid = true;
    memcpy(name.iccid, plan->iccid, sizeof name.iccid);
    return plan->has_iccid && registry_slot_named(m, &name) != NULL;
}

static void fill(struct registry_model *m, const struct operation *o, uint8_t number)
{
    struct record *r = &m->r;
    const struct download_plan *plan = &o->download;
    uint8_t at = 0;
    if (is_installed(m, plan))
        return;
    while (at < r->slot_count && r->slots[at].fact.slot < number)
        at++;
    // The card put it where the mirror has another one, which is not there then.
    if (at < r->slot_count && r->slots[at].fact.slot == number) {
        drop(m, &r->slots[at]);
        registry_doubt(m, DIRTY_GUARD_DISAGREEMENT);
    }
    if (r->slot_count == COMMAND_SLOTS_MAX)
        return;
    memmove(&r->slots[at + 1], &r->slots[at], (r->slot_count - at) * sizeof r->slots[0]);
    r->slot_count++;
    struct mirror_slot *slot = &r->slots[at];
    *slot = (struct mirror_slot){.subscription = o->subscription, .is_barred = plan->is_barred};
    slot->fact = (struct audit_slot){.slot = number,
                                     .state = SLOT_DISABLED,
                                     .role = plan->has_role ? plan->role : ROLE_OPERATIONAL,
                                     .marks = plan->has_marks ? plan->marks : 0,
                                     .rank = plan->has_rank ? plan->rank : 1,
                                     .template_number = plan->template_number,
                                     .has_iccid = plan->has_iccid};
    memcpy(slot->fact.imsi, plan->imsi, sizeof slot->fact.imsi);
    memcpy(slot->fact.iccid, plan->iccid, sizeof slot->fact.iccid);
    memcpy(slot->number, plan->number, sizeof slot->number);
}

// Preferred is what is confirmed while it is enabled; what a download asked for takes effect.
void registry_confirmed(struct registry_model *m, const struct operation *o)
{
    struct mirror_slot *enabled = registry_enabled(m);
    const bool is_download = o != NULL && o->kind == OPERATION_DOWNLOAD;
    struct mirror_slot *slot = o == NULL ? enabled : registry_slot_named(m, &o->target);
    if (o != NULL) {
        m->r.switch_id = o->card_operation_id;
        m->r.switch_until = o->confirm_until;
    }
    if (slot == NULL)
        return;
    if (slot == enabled) // it may have moved on since
        m->r.preferred = slot->subscription;
    if (o != NULL && slot->fact.role == ROLE_OPERATIONAL && m->r.state < CARD_OPERATIONAL)
        m->r.state = CARD_OPERATIONAL;
    if (is_download && (o->flags & COMMAND_FLAG_SET_FALLBACK) != 0)
        take_fallback(m, slot);
}

// The card says that the command ran now.
void registry_carry_out(struct registry_model *m, const struct operation *o,
                        const struct event_por *por)
{
    struct mirror_slot *slot = registry_slot_named(m, &o->target);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        if (por->has_pair)
            fill(m, o, por->pair.first);
        break;
    case OPERATION_ENABLE:
    case OPERATION_DISABLE: // it was enabled already
        if (por->result.code == RESULT_OK_UNCHANGED && slot != NULL)
            m->r.preferred = slot->subscription;
        break;
    case OPERATION_DELETE:
        if (slot != NULL)
            drop(m, slot);
        break;
    case OPERATION_SET_FALLBACK:
        if (slot != NULL)
            take_fallback(m, slot);
        break;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
}

static bool has_template(const struct record *r, uint8_t number)
{
    // Not known, or perhaps more than a record holds.
    bool has = r->template_count == 0 || r->template_count == COMMAND_TEMPLATES_MAX;
    for (uint8_t i = 0; i < r->template_count; i++)
        has |= r->templates[i] == number;
    return has;
}

// Does the mirror show why the card refused? Section 3.2, the guards.
bool registry_shows(struct registry_model *m, const struct operation *o, uint8_t code)
{
    const struct mirror_slot *slot = registry_slot_named(m, &o->target);
    const struct mirror_slot *enabled = registry_enabled(m);
    switch (code) {
    case RESULT_NOT_FOUND:
        return slot == NULL;
    case RESULT_IS_ENABLED:
        return slot != NULL && slot == enabled;
    case RESULT_IS_FALLBACK:
        return slot != NULL && slot->fact.is_fallback;
    case RESULT_POLICY_FORBIDS:
        if (o->kind == OPERATION_DELETE)
            return slot != NULL && (slot->fact.marks & SLOT_MARK_NO_DELETE) != 0;
        return enabled != NULL && (enabled->fact.marks & SLOT_MARK_NO_DISABLE) != 0;
    case RESULT_ALREADY_INSTALLED:
        return is_installed(m, &o->download);
    case RESULT_NO_FREE_SLOT:
        return m->r.slot_count >= m->r.slot_limit;
    case RESULT_TEMPLATE_UNKNOWN:
        return !has_template(&m->r, o->download.template_number);
    case RESULT_TERMINAL_INCAPABLE:
        return m->r.terminal != 0 && (m->r.terminal & TERMINAL_REFRESH) == 0;
    case RESULT_NOT_PROVEN:
        return slot != NULL && !slot->fact.is_proven;
    case RESULT_NO_MEMORY: // how much it takes the mirror does not show
        return false;
    default: // octets
        return true;
    }
}

// Version and hash against the mirror. While the card switches the registry changes under our eyes;
// the outcome is compared. A card of level 1 has no hash, and says how often it committed: one
// change and what goes along with it are two.
void registry_compare_state(struct registry_model *m, uint32_t version, bool has_hash,
                            const uint8_t *hash, bool is_changed)
{
    struct record *r = &m->r;
    const bool is_known = r->has_registry_version;
    if (r->has_open && r->open.status == STATUS_SWITCHING)
        return;
    if (is_known && version < r->registry_version) {
        registry_doubt(m, DIRTY_CARD_RESET_SUSPECTED);
        return;
    }
    bool is_other = is_known && version > r->registry_version && !is_changed;
    if (has_hash) {
        struct audit_slot slots[COMMAND_SLOTS_MAX];
        uint8_t ours[COMMAND_HASH_SIZE];
        for (uint8_t i = 0; i < r->slot_count; i++)
            slots[i] = r->slots[i].fact;
        is_other |= !state_hash(m->context->cipher, slots, r->slot_count, ours) ||
                    memcmp(ours, hash, sizeof ours) != 0;
    } else {
        is_other |= is_known && version > r->registry_version + 2;
    }
    if (is_other) {
        registry_doubt(m, DIRTY_STATE_HASH_MISMATCH);
        return;
    }
    r->registry_version = version;
    r->has_registry_version = true;
}
