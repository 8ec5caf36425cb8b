// What a complete answer to an audit says of operations of which nobody knows how they ended:
// section 9.2 and decisions 42, 319 and 320. The mirror is the card's by now.
#include "common/base/check.h"
#include "tests/model/registry_parts.h"

// How a switch ended that is over.
enum ending {
    ENDING_CONFIRMED, // or nothing was to be confirmed
    ENDING_TAKEN_BACK,
    ENDING_UNTOLD,
};

static bool has_effect(struct registry_model *m, const struct operation *o)
{
    const struct mirror_slot *slot = registry_slot_named(m, &o->target);
    const bool is_enabled = slot != NULL && slot->fact.state == SLOT_ENABLED;
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        return slot != NULL && ((o->flags & COMMAND_FLAG_ENABLE) == 0 || is_enabled);
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        return is_enabled;
    case OPERATION_DELETE:
        return slot == NULL;
    case OPERATION_SET_FALLBACK:
        return slot != NULL && slot->fact.is_fallback;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
    return false;
}

bool registry_is_switch(const struct operation *o)
{
    return o->kind == OPERATION_ENABLE || o->kind == OPERATION_DISABLE ||
           (o->kind == OPERATION_DOWNLOAD && (o->flags & COMMAND_FLAG_ENABLE) != 0);
}

bool registry_is_switching(const struct audit_answer *a)
{
    return a->switch_state >= SWITCH_SWITCHING && a->switch_state <= SWITCH_CONFIRMING;
}

static bool is_in_doubt(const struct record *r, uint8_t reason)
{
    return r->reasons[reason].since.ms != 0;
}

// Decision 319, the table: from the second row on the target is preferred.
static enum ending end_of_guarded(struct registry_model *m, const struct event_por *p,
                                  const struct mirror_slot *target)
{
    const struct record *r = &m->r;
    const bool was_preferred = m->before->preferred == target->subscription;
    const bool is_enabled = target->fact.state == SLOT_ENABLED;
    if (p->answer.preferred_slot != target->fact.slot)
        return ENDING_TAKEN_BACK;
    if (!was_preferred)
        return ENDING_CONFIRMED;
    if (!r->open.is_enabled_seen && !is_enabled)
        // Restored, the server may have confirmed what it does not know of.
        return is_in_doubt(r, DIRTY_RESTORE_FROM_BACKUP) ? ENDING_UNTOLD : ENDING_TAKEN_BACK;
    const bool is_all_told = r->gap_sequences == 0 && !is_in_doubt(r, DIRTY_NOTIFY_GAP);
    // What the card did by itself since the mirror may have followed: then it is not there.
    const bool is_unchanged =
        is_enabled && m->before->registry_version == p->result.registry_version;
    return r->open.is_enabled_seen && is_all_told && is_unchanged ? ENDING_CONFIRMED
                                                                  : ENDING_UNTOLD;
}

// Nothing is rolled back. A commit for the switch, one for the slot of a download.
static enum ending end_of_unguarded(struct registry_model *m, const struct event_por *p,
                                    const struct mirror_slot *target)
{
    const bool is_newly_preferred = p->answer.preferred_slot == target->fact.slot &&
                                    m->before->preferred != target->subscription;
    const uint32_t commits = p->result.registry_version - m->before->registry_version;
    const bool is_kept = target->fact.state == SLOT_ENABLED && commits <= 2;
    return m->r.open.is_enabled_seen || is_newly_preferred || is_kept ? ENDING_CONFIRMED
                                                                      : ENDING_UNTOLD;
}

static enum ending end_of_open(struct registry_model *m, const struct event_por *p)
{
    const struct operation *o = &m->r.open;
    const struct mirror_slot *target = registry_slot_named(m, &o->target);
    if (target == NULL || p->answer.operation_id_highest > o->card_operation_id)
        return ENDING_UNTOLD;
    return (o->flags & COMMAND_FLAG_ROLLBACK) != 0 ? end_of_guarded(m, p, target)
                                                   : end_of_unguarded(m, p, target);
}

// Not executed: again while its time allows it, and not too often in one doubt.
static void again(struct registry_model *m, bool is_same, struct registry_findings *found)
{
    struct operation *o = &m->r.open;
    if (o->not_after.ms != 0 && o->not_after.ms <= m->now.ms) {
        registry_end(m, o, OUTCOME_EXPIRED, FAILURE_DELIVERY_EXPIRED);
        return;
    }
    if (m->r.reissues >= m->context->policy->reissues_max) {
        found->needs_operator = true;
        return;
    }
    m->r.reissues++;
    if (!is_same)
        o->card_operation_id = 0;
    registry_happened(m, o, HAPPENED_AUDIT_AGAIN);
}

static void end_with(struct registry_model *m, uint8_t outcome, uint8_t failure, bool has_result,
                     uint8_t result)
{
    m->r.open.has_result = has_result;
    m->r.open.result = result;
    registry_end(m, &m->r.open, outcome, failure);
}

// The notification is waited for, which a card repeats once a day.
static void untold(struct registry_model *m, struct registry_findings *found)
{
    const struct record *r = &m->r;
    const int64_t rollback_ms = r->open.rollback_until.ms != 0
                                    ? r->open.rollback_until.ms
                                    : r->dirty_since.ms + registry_rollback_ms(r);
    found->is_awaited = m->now.ms < rollback_ms + DAYS_MS + registry_waits_ms(&r->parameters);
    if (!found->is_awaited)
        end_with(m, OUTCOME_UNRESOLVED, FAILURE_OTA_TIMEOUT, true, RESULT_OK_PENDING);
}

static void take_pending(struct registry_model *m, const struct event_por *p,
                         struct registry_findings *found)
{
    if (registry_is_switching(&p->answer)) {
        registry_happened(m, &m->r.open, HAPPENED_AUDIT_PENDING);
        return;
    }
    switch (end_of_open(m, p)) {
    case ENDING_CONFIRMED:
        end_with(m, OUTCOME_DONE, FAILURE_NONE, true, RESULT_OK_PENDING);
        break;
    case ENDING_TAKEN_BACK:
        end_with(m, OUTCOME_ROLLED_BACK, FAILURE_ROLLED_BACK, true, RESULT_OK_PENDING);
        break;
    case ENDING_UNTOLD:
        untold(m, found);
        break;
    }
}

static void take_stored(struct registry_model *m, const struct event_por *p,
                        struct registry_findings *found)
{
    const uint8_t code = p->answer.lookup_code;
    switch (code) {
    case RESULT_OK:
    case RESULT_OK_UNCHANGED:
        end_with(m, OUTCOME_DONE, FAILURE_NONE, true, code);
        break;
    case RESULT_OK_PENDING:
        take_pending(m, p, found);
        break;
    case RESULT_BUSY_SWITCHING:
    case RESULT_NVM_ERROR: // it did not run
        again(m, false, found);
        break;
    default: // octets
        end_with(m, OUTCOME_FAILED, FAILURE_CARD_REFUSED, true, code);
        break;
    }
}

// Nobody can tell whose it is when the answer does not show what the result says: ENABLE prefers
// what it finds enabled, a fallback is one, what was added or removed is there or not, a writing of
// timers counts.
static bool is_missing(struct registry_model *m, const struct audit_answer *a)
{
    const struct operation *o = &m->r.open;
    const struct mirror_slot *slot = registry_slot_named(m, &o->target);
    const bool is_ok = a->lookup_code == RESULT_OK;
    switch ((enum operation_kind)o->kind) {
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        return a->lookup_code == RESULT_OK_UNCHANGED &&
               (slot == NULL || a->preferred_slot != slot->fact.slot);
    case OPERATION_SET_FALLBACK:
        return (is_ok || a->lookup_code == RESULT_OK_UNCHANGED) && !has_effect(m, o);
    case OPERATION_DOWNLOAD:
    case OPERATION_DELETE:
        return is_ok && !registry_is_switch(o) && !has_effect(m, o);
    case OPERATION_SET_TIMERS:
        return is_ok && a->configuration_version == m->r.parameters_version;
    case OPERATION_READ_TIMERS:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
    return false;
}

// Decision 320: the card said so, or the result is none that ours can have, or it is missing, and
// nothing came after it.
static bool is_anothers(struct registry_model *m, const struct audit_answer *a)
{
    const struct operation *o = &m->r.open;
    const uint8_t code = a->lookup_code;
    const bool finds = o->kind == OPERATION_ENABLE || o->kind == OPERATION_DISABLE ||
                       o->kind == OPERATION_SET_FALLBACK;
    if (o->has_result && o->result == RESULT_OPID_REUSED)
        return true;
    if ((code == RESULT_OK_UNCHANGED && !finds) || (code == RESULT_OK && registry_is_switch(o)) ||
        (code == RESULT_OK_PENDING && !registry_is_switch(o)))
        return true;
    return a->operation_id_highest <= o->card_operation_id && is_missing(m, a);
}

// It never ran, and the counter of the audit shuts it out.
static void take_anothers(struct registry_model *m, struct registry_findings *found)
{
    struct operation *o = &m->r.open;
    registry_numbers_gone(m);
    o->may_have_run = false;
    if (o->kind == OPERATION_READ_TIMERS)
        again(m, false, found);
    else if (has_effect(m, o))
        end_with(m, OUTCOME_DONE, FAILURE_NONE, false, RESULT_OK);
    else
        found->needs_operator = true;
}

static void resolve_open(struct registry_model *m, const struct event_por *p,
                         struct registry_findings *found)
{
    struct operation *o = registry_open(m);
    const struct audit_answer *a = &p->answer;
    if (o == NULL || o->status != STATUS_UNKNOWN || a->lookup == LOOKUP_NOT_ASKED ||
        a->lookup_operation_id != o->card_operation_id)
        return;
    if (a->lookup == LOOKUP_NEVER_SEEN) {
        o->may_have_run = false; // and the counter of this audit shuts its packets out
        again(m, true, found);
    } else if (a->lookup == LOOKUP_STORED && is_anothers(m, a)) {
        take_anothers(m, found);
    } else if (a->lookup == LOOKUP_STORED && is_missing(m, a)) {
        found->needs_operator = true;
    } else if (a->lookup == LOOKUP_STORED) {
        take_stored(m, p, found);
    } else if (has_effect(m, o)) {
        end_with(m, OUTCOME_DONE, FAILURE_NONE, false, RESULT_OK);
    } else {
        again(m, false, found);
    }
}

// --- what ended without the card's word ---------------------------------------------------------

const struct late *registry_late(const struct registry_model *m, uint32_t card_operation_id)
{
    for (uint8_t i = 0; card_operation_id != 0 && i < m->before->late_count; i++) {
        if (m->before->late[i].card_operation_id == card_operation_id)
            return &m->before->late[i];
    }
    return NULL;
}

void registry_settle(struct registry_model *m, const struct late *late, uint8_t outcome,
                     uint8_t code)
{
    check(m->settled_count < RECORD_LATE_MAX);
    const bool is_deleted = late->kind == OPERATION_DELETE && outcome == OUTCOME_DONE;
    m->settled[m->settled_count++] =
        (struct settlement){.operation = late->operation,
                            .outcome = outcome,
                            .result = outcome == OUTCOME_NONE ? 0 : code,
                            .deleted = is_deleted ? late->subscription : 0};
}

void registry_settle_by(struct registry_model *m, const struct late *late, uint8_t code)
{
    switch (code) {
    case RESULT_OK:
    case RESULT_OK_UNCHANGED:
        registry_settle(m, late, OUTCOME_DONE, code);
        break;
    case RESULT_OK_PENDING: // its end is not told
    case RESULT_OPID_REUSED:
    case RESULT_OPID_EXPIRED:
        break;
    case RESULT_BUSY_SWITCHING:
    case RESULT_NVM_ERROR: // it did not run
        registry_settle(m, late, OUTCOME_NONE, 0);
        break;
    default: // octets
        registry_settle(m, late, OUTCOME_FAILED, code);
        break;
    }
}

static const struct mirror_slot *slot_of(const struct registry_model *m, uint64_t subscription)
{
    for (uint8_t i = 0; subscription != 0 && i < m->r.slot_count; i++) {
        if (m->r.slots[i].subscription == subscription)
            return &m->r.slots[i];
    }
    return NULL;
}

static const struct mirror_slot *target_of_late(const struct registry_model *m,
                                                const struct late *late)
{
    const struct mirror_slot *fallback = NULL;
    for (uint8_t i = 0; i < m->r.slot_count; i++) {
        if (m->r.slots[i].fact.is_fallback)
            fallback = &m->r.slots[i];
    }
    return late->kind == OPERATION_DISABLE ? fallback : slot_of(m, late->subscription);
}

// "By the same evidence, with less of it": whether ENABLED was heard is not known any more, and
// that nothing is rolled back only of the last one that was confirmed or begun.
static enum ending end_of_late(const struct registry_model *m, const struct late *late,
                               const struct audit_answer *a)
{
    const struct record *r = &m->r;
    const struct mirror_slot *target = target_of_late(m, late);
    if (target == NULL || a->operation_id_highest > late->card_operation_id)
        return ENDING_UNTOLD;
    const bool is_preferred = a->preferred_slot == target->fact.slot;
    if (is_preferred && m->before->preferred != target->subscription)
        return ENDING_CONFIRMED;
    if (r->switch_id == late->card_operation_id && r->switch_until.ms == 0)
        return target->fact.state == SLOT_ENABLED ? ENDING_CONFIRMED : ENDING_UNTOLD;
    return is_preferred ? ENDING_UNTOLD : ENDING_TAKEN_BACK;
}

// What is found so already, and is not, was found by another command.
static bool is_found_otherwise(const struct registry_model *m, const struct late *late,
                               const struct audit_answer *a)
{
    const struct mirror_slot *slot = target_of_late(m, late);
    if (late->kind == OPERATION_DOWNLOAD || late->kind == OPERATION_DELETE ||
        late->kind == OPERATION_SET_TIMERS)
        return true;
    if (late->subscription == 0 || a->operation_id_highest > late->card_operation_id)
        return false;
    if (late->kind == OPERATION_SET_FALLBACK)
        return slot == NULL || !slot->fact.is_fallback;
    return slot == NULL || a->preferred_slot != slot->fact.slot;
}

// Of a download it is not kept whether it was to enable.
static bool is_late_anothers(const struct registry_model *m, const struct late *late,
                             const struct audit_answer *a)
{
    const bool is_last = a->operation_id_highest <= late->card_operation_id;
    const bool is_there = slot_of(m, late->subscription) != NULL;
    const bool is_ok = a->lookup_code == RESULT_OK;
    if (a->lookup_code == RESULT_OK_UNCHANGED)
        return is_found_otherwise(m, late, a);
    if (late->kind == OPERATION_ENABLE || late->kind == OPERATION_DISABLE)
        return is_ok;
    if (late->kind == OPERATION_DOWNLOAD)
        return is_ok && is_last && late->subscription != 0 && !is_there;
    return a->lookup_code == RESULT_OK_PENDING ||
           (late->kind == OPERATION_DELETE && is_ok && is_last && is_there);
}

static void settle_pending(struct registry_model *m, const struct late *late,
                           const struct audit_answer *a)
{
    if (registry_is_switching(a))
        return;
    switch (end_of_late(m, late, a)) {
    case ENDING_CONFIRMED:
        registry_settle(m, late, OUTCOME_DONE, RESULT_OK_PENDING);
        break;
    case ENDING_TAKEN_BACK:
        registry_settle(m, late, OUTCOME_ROLLED_BACK, RESULT_OK_PENDING);
        break;
    case ENDING_UNTOLD: // it stays as it was
        break;
    }
}

static void resolve_late(struct registry_model *m, const struct event_por *p)
{
    const struct audit_answer *a = &p->answer;
    const struct late *late =
        a->lookup == LOOKUP_NOT_ASKED ? NULL : registry_late(m, a->lookup_operation_id);
    if (late == NULL)
        return;
    if (a->lookup == LOOKUP_NEVER_SEEN && p->counter > late->counter) {
        registry_settle(m, late, OUTCOME_NONE, 0); // and its packets are shut out
    } else if (a->lookup == LOOKUP_STORED && is_late_anothers(m, late, a)) {
        registry_numbers_gone(m);
        registry_settle(m, late, OUTCOME_NONE, 0);
    } else if (a->lookup == LOOKUP_STORED && a->lookup_code == RESULT_OK_PENDING) {
        settle_pending(m, late, a);
    } else if (a->lookup == LOOKUP_STORED) {
        registry_settle_by(m, late, a->lookup_code);
    }
}

// Of a deletion that was told before: the mirror shows it now, and its subscription is free.
static void resolve_shown(struct registry_model *m)
{
    for (uint8_t i = 0; i < m->before->late_count; i++) {
        const struct late *late = &m->before->late[i];
        const bool is_told = late->card_operation_id == 0 && late->kind == OPERATION_DELETE;
        if (!is_told || slot_of(m, late->subscription) != NULL)
            continue;
        check(m->settled_count < RECORD_LATE_MAX);
        m->settled[m->settled_count++] = (struct settlement){
            .operation = late->operation, .outcome = OUTCOME_NONE, .deleted = late->subscription};
    }
}

void registry_resolve(struct registry_model *m, const struct event_por *p,
                      struct registry_findings *found)
{
    resolve_late(m, p);
    resolve_open(m, p, found);
    resolve_shown(m);
}
