// What a complete answer to an audit says about operations of which nobody knows how they ended.
#include "ota-server/core/work.h"

bool audit_is_switching(const struct audit_answer *a)
{
    return a->switch_state >= SWITCH_SWITCHING && a->switch_state <= SWITCH_CONFIRMING;
}

// --- how a switch ended that began --------------------------------------------------------------

enum ending {
    ENDING_KEPT, // confirmed, or nothing to be confirmed
    ENDING_LEFT, // rolled back, or put back
    ENDING_UNTOLD,
};

// What is enabled says nothing by itself: the card may have gone on since, or come back. But it
// prefers the subscription that was confirmed last, whatever it did by itself after that.
static bool is_newly_preferred(const struct work *w, const struct audit_answer *a,
                               const struct mirror_slot *target)
{
    return a->preferred_slot == target->fact.slot && w->before->preferred != target->subscription;
}

// One commit is the switch, another the slot of a download; coming back takes two more.
#define COMMITS_KEPT_MAX 2

static enum ending ending_unguarded(const struct work *w, const struct audit_answer *a,
                                    const struct mirror_slot *target)
{
    const uint32_t commits = w->r->registry_version - w->before->registry_version;
    const bool is_there = target->fact.state == SLOT_ENABLED && commits <= COMMITS_KEPT_MAX;
    return w->r->open.is_enabled_seen || is_there || is_newly_preferred(w, a, target)
               ? ENDING_KEPT
               : ENDING_UNTOLD;
}

// It was preferred before: so it is now, confirmed or not.
static enum ending ending_of_preferred(const struct work *w, const struct mirror_slot *target)
{
    const struct record *r = w->r;
    const struct mirror_slot *was = record_enabled(w->before);
    const bool is_there = target->fact.state == SLOT_ENABLED;
    const bool is_restored = r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0;
    if (!r->open.is_enabled_seen && !is_restored && !is_there)
        return ENDING_LEFT; // nobody confirmed it
    const bool is_told_of_all = r->gap_sequences == 0 && r->reasons[DIRTY_NOTIFY_GAP].since.ms == 0;
    const bool is_as_told = was != NULL && was->subscription == target->subscription &&
                            w->before->registry_version == r->registry_version;
    return r->open.is_enabled_seen && is_there && is_told_of_all && is_as_told ? ENDING_KEPT
                                                                               : ENDING_UNTOLD;
}

static enum ending ending_of_open(const struct work *w, const struct audit_answer *a)
{
    const struct operation *o = &w->r->open;
    const struct mirror_slot *target = record_slot_named(w->r, &o->target);
    // Not when another command came to the card since, or somebody took it off the card.
    if (target == NULL || a->operation_id_highest > o->card_operation_id)
        return ENDING_UNTOLD;
    if ((o->flags & COMMAND_FLAG_ROLLBACK) == 0)
        return ending_unguarded(w, a, target);
    if (a->preferred_slot != target->fact.slot)
        return ENDING_LEFT;
    return is_newly_preferred(w, a, target) ? ENDING_KEPT : ending_of_preferred(w, target);
}

static const struct mirror_slot *target_of_late(const struct record *r, const struct late *late)
{
    return late->kind == OPERATION_DISABLE ? record_fallback(r)
                                           : record_slot_of(r, late->subscription);
}

// Of one that ended without the card's word, less is known.
static enum ending ending_of_late(const struct work *w, const struct late *late,
                                  const struct audit_answer *a)
{
    const struct record *r = w->r;
    const struct mirror_slot *target = target_of_late(r, late);
    if (target == NULL || a->operation_id_highest > late->card_operation_id)
        return ENDING_UNTOLD;
    if (is_newly_preferred(w, a, target))
        return ENDING_KEPT;
    const bool may_roll_back = r->switch_id != late->card_operation_id || r->switch_until.ms != 0;
    if (!may_roll_back)
        return target->fact.state == SLOT_ENABLED ? ENDING_KEPT : ENDING_UNTOLD;
    return a->preferred_slot != target->fact.slot ? ENDING_LEFT : ENDING_UNTOLD;
}

// A card repeats the outcome of a commanded switch once a day, until that is confirmed.
static bool may_be_told(const struct work *w)
{
    const struct record *r = w->r;
    const struct utc over = r->open.rollback_until.ms != 0
                                ? r->open.rollback_until
                                : utc_after(r->dirty_since, rollback_ms(r));
    const int64_t repeat_ms = DAY_MS + 1000 * (int64_t)parameters_waits_sum_s(&r->parameters);
    return w->now.ms < over.ms + repeat_ms;
}

// INPUTS: not known yet.
static uint8_t input_of_pending(const struct work *w, const struct audit_answer *a)
{
    if (audit_is_switching(a))
        return IN_AUDIT_PENDING;
    switch (ending_of_open(w, a)) {
    case ENDING_KEPT:
        return IN_AUDIT_DONE;
    case ENDING_LEFT:
        return IN_AUDIT_ROLLED_BACK;
    case ENDING_UNTOLD:
        break;
    }
    return may_be_told(w) ? (uint8_t)INPUTS : (uint8_t)IN_AUDIT_UNTOLD;
}

static uint8_t input_of_lookup(const struct work *w, const struct audit_answer *a)
{
    if (a->lookup == LOOKUP_NEVER_SEEN)
        return IN_AUDIT_NEVER;
    if (a->lookup == LOOKUP_NOT_STORED)
        return mirror_has_effect(w->r, &w->r->open) ? IN_AUDIT_DONE : IN_AUDIT_ABSENT;
    switch (a->lookup_code) {
    case RESULT_OK:
    case RESULT_OK_UNCHANGED:
        return IN_AUDIT_DONE;
    case RESULT_OK_PENDING:
        return input_of_pending(w, a);
    case RESULT_BUSY_SWITCHING:
    case RESULT_NVM_ERROR:
        return IN_AUDIT_ABSENT;
    default: // octets
        return IN_AUDIT_REFUSED;
    }
}

// --- operations that nobody knows of, in the light of the answer ---------------------------------

// Only ENABLE and SET-FALLBACK find that it is so already. DISABLE is ENABLE of the fallback one.
static bool finds_it_so(uint8_t kind)
{
    return kind == OPERATION_ENABLE || kind == OPERATION_DISABLE || kind == OPERATION_SET_FALLBACK;
}

// Is it so, of which a card says that it was so already? ENABLE makes it the preferred one as well.
static bool is_so(uint8_t kind, const struct mirror_slot *target, const struct audit_answer *a)
{
    if (target == NULL)
        return false;
    return kind == OPERATION_SET_FALLBACK ? target->fact.is_fallback
                                          : a->preferred_slot == target->fact.slot;
}

// The result says that it was done, or is so, and the answer does not show it. Each writing of
// timers counts in the card's configuration version.
static bool is_not_shown(const struct record *r, const struct audit_answer *a)
{
    const struct operation *o = &r->open;
    if (a->lookup != LOOKUP_STORED)
        return false;
    if (a->lookup_code == RESULT_OK_UNCHANGED)
        return finds_it_so(o->kind) && !is_so(o->kind, record_slot_named(r, &o->target), a);
    if (a->lookup_code != RESULT_OK || operation_is_switch(o) || o->kind == OPERATION_READ_TIMERS)
        return false;
    return o->kind == OPERATION_SET_TIMERS ? a->configuration_version == r->parameters_version
                                           : !mirror_has_effect(r, o);
}

// Does another command's result stand under the id? The card said so, or it is none that this one
// has, or what it says is not there, and no later command took it back.
static bool is_anothers(const struct record *r, const struct audit_answer *a)
{
    const struct operation *o = &r->open;
    if (a->lookup != LOOKUP_STORED)
        return false;
    if (o->has_result && o->result == RESULT_OPID_REUSED)
        return true;
    if (a->lookup_code == RESULT_OK_PENDING)
        return !operation_is_switch(o);
    if (a->lookup_code == RESULT_OK_UNCHANGED && !finds_it_so(o->kind))
        return true;
    if (a->lookup_code == RESULT_OK && operation_is_switch(o))
        return true;
    return a->operation_id_highest <= o->card_operation_id && is_not_shown(r, a);
}

// It never ran, and the counter of this audit shuts its packets out. As where nothing is stored the
// registry decides, and a reading is asked for again. INPUTS: a person decides.
static uint8_t input_of_anothers(struct work *w)
{
    struct operation *o = &w->r->open;
    work_restored(w, o->id);
    o->may_have_run = false;
    if (!operation_is_state_changing(o->kind))
        return IN_AUDIT_ABSENT;
    return mirror_has_effect(w->r, o) ? IN_AUDIT_DONE : INPUTS;
}

static const char *reconciled(uint8_t input, bool is_ours)
{
    if (input != INPUTS)
        return input_name(input);
    return is_ours ? "to be told" : "of another operation";
}

void audit_resolve_open(struct work *w, const struct audit_answer *a, struct findings *found)
{
    struct record *r = w->r;
    struct operation *o = &r->open;
    if (!r->has_open || o->status != STATUS_UNKNOWN || a->lookup == LOOKUP_NOT_ASKED ||
        a->lookup_operation_id != o->card_operation_id)
        return;
    const bool is_ours = !is_anothers(r, a);
    if (is_ours && is_not_shown(r, a)) { // ours, which a later command took back, or another's
        work_step(w, o, STEP_RECONCILED, reconciled(INPUTS, false));
        found->needs_operator = true;
        return;
    }
    const uint8_t input = is_ours ? input_of_lookup(w, a) : input_of_anothers(w);
    const bool is_again = input == IN_AUDIT_NEVER || input == IN_AUDIT_ABSENT;
    work_step(w, o, STEP_RECONCILED, reconciled(input, is_ours));
    if (input == INPUTS) {
        found->is_awaited = is_ours;
        found->needs_operator |= !is_ours;
        return;
    }
    if (input == IN_AUDIT_NEVER) // and the counter of this audit shuts its packets out
        o->may_have_run = false;
    if (is_again && o->not_after.ms != 0 && o->not_after.ms <= w->now.ms) {
        operation_input(w, o, IN_EXPIRED);
        return;
    }
    if (is_again && r->reissues >= w->policy->reissues_max) {
        found->needs_operator = true;
        return;
    }
    if (is_again) {
        r->reissues++;
        o->reissues++;
        found->is_reissued = true;
    }
    if (is_ours && (input == IN_AUDIT_DONE || input == IN_AUDIT_PENDING))
        note_ran(r, o);
    if (a->lookup == LOOKUP_STORED || input == IN_AUDIT_DONE) { // not what an answer said before
        o->has_result = is_ours && a->lookup == LOOKUP_STORED;
        o->result = o->has_result ? a->lookup_code : RESULT_OK;
    }
    operation_input(w, o, input);
}

static bool is_late_anothers(const struct record *r, const struct late *late,
                             const struct audit_answer *a)
{
    const bool is_newest = a->operation_id_highest <= late->card_operation_id;
    const bool is_there = record_slot_of(r, late->subscription) != NULL;
    const bool is_named = late->subscription != 0; // else it was deleted since
    if (a->lookup_code == RESULT_OK_UNCHANGED)
        return !finds_it_so(late->kind) ||
               (is_newest && is_named && !is_so(late->kind, target_of_late(r, late), a));
    switch ((enum operation_kind)late->kind) {
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        return a->lookup_code == RESULT_OK;
    case OPERATION_DELETE:
        return a->lookup_code == RESULT_OK_PENDING ||
               (a->lookup_code == RESULT_OK && is_newest && is_there);
    case OPERATION_DOWNLOAD:
        return a->lookup_code == RESULT_OK && is_newest && is_named && !is_there;
    case OPERATION_SET_FALLBACK:
    case OPERATION_SET_TIMERS:
        return a->lookup_code == RESULT_OK_PENDING;
    case OPERATION_NONE:
    case OPERATION_READ_TIMERS:
    case OPERATION_AUDIT:
        break;
    }
    return false;
}

// OUTCOME_UNRESOLVED: it cannot be told. NONE: it never ran.
static uint8_t outcome_of_stored(const struct work *w, const struct late *late,
                                 const struct audit_answer *a)
{
    if (a->lookup_code != RESULT_OK_PENDING)
        return late_outcome(a->lookup_code);
    switch (ending_of_late(w, late, a)) {
    case ENDING_KEPT:
        return OUTCOME_DONE;
    case ENDING_LEFT:
        return OUTCOME_ROLLED_BACK;
    case ENDING_UNTOLD:
        break;
    }
    return OUTCOME_UNRESOLVED;
}

static void settle_stored(struct work *w, const struct late *late, const struct audit_answer *a)
{
    const uint32_t id = late->card_operation_id;
    if (a->lookup_code == RESULT_OK_PENDING && audit_is_switching(a))
        return; // it is not over
    if (is_late_anothers(w->r, late, a)) {
        work_restored(w, late->operation);
        late_settle(w, id, OUTCOME_NONE, 0);
        return;
    }
    const uint8_t outcome = outcome_of_stored(w, late, a);
    if (outcome == OUTCOME_UNRESOLVED)
        late_forget(w, id);
    else
        late_settle(w, id, outcome, a->lookup_code);
}

void audit_resolve_late(struct work *w, const struct audit_answer *a, uint64_t counter)
{
    const struct record *r = w->r;
    const struct late *late = NULL;
    for (uint8_t i = 0; i < r->late_count; i++) {
        if (r->late[i].card_operation_id == a->lookup_operation_id)
            late = &r->late[i];
    }
    if (a->lookup == LOOKUP_NOT_ASKED || late == NULL)
        return;
    switch (a->lookup) {
    case LOOKUP_NEVER_SEEN:
        if (counter > late->counter) // the counter of this audit shuts it out
            late_settle(w, late->card_operation_id, OUTCOME_NONE, 0);
        return;
    case LOOKUP_STORED:
        settle_stored(w, late, a);
        return;
    default: // octets
        late_forget(w, late->card_operation_id);
        return;
    }
}
