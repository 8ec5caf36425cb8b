// Notifications of the card: sections 6, 9.3 and 11.1.
#include "common/wire/ident.h"
#include "tests/model/registry_parts.h"

static bool is_handled(const struct record *r, uint32_t sequence)
{
    if (sequence > r->notify_sequence)
        return false;
    const uint32_t back = r->notify_sequence - sequence;
    return back >= 32 || (r->notify_seen >> back & 1) != 0;
}

// Numbers that are missing below a new one; one that was missing fills its place.
static void count(struct registry_model *m, uint32_t sequence)
{
    struct record *r = &m->r;
    if (sequence <= r->notify_sequence) {
        r->notify_seen |= 1u << (r->notify_sequence - sequence);
        r->gap_sequences -= r->gap_sequences > 0;
        if (r->gap_sequences == 0)
            r->gap_deadline.ms = 0;
        return;
    }
    const uint32_t ahead = sequence - r->notify_sequence;
    r->gap_sequences += ahead - 1;
    if (ahead > 1 && r->gap_deadline.ms == 0)
        r->gap_deadline.ms = m->now.ms + registry_waits_ms(&r->parameters);
    r->notify_seen = ahead >= 32 ? 0 : r->notify_seen << ahead;
    r->notify_seen |= 1;
    r->notify_sequence = sequence;
}

static struct operation *operation_of(struct registry_model *m, const struct notification *n)
{
    struct operation *o = registry_open(m);
    const bool is_same =
        o != NULL && n->operation_id != 0 && o->card_operation_id == n->operation_id;
    return is_same && registry_is_switch(o) ? o : NULL; // else the id is of another's command
}

// A message without a hash can only explain a change that it tells of.
static bool tells_of_change(const struct notification *n)
{
    switch ((enum notify_cause)n->cause) {
    case NOTIFY_ENABLED:
    case NOTIFY_ROLLED_BACK:
    case NOTIFY_ROTATED:
    case NOTIFY_FALLBACK:
    case NOTIFY_RETURNED:
    case NOTIFY_COUNTRY:
    case NOTIFY_SWITCH_FAILED:
    case NOTIFY_RECOVERED:
        return true;
    case NOTIFY_FIRST_CONTACT:
    case NOTIFY_IMEI_CHANGED:
    case NOTIFY_ADDRESS_CHECK:
    case NOTIFY_SWITCH_CAP:
    case NOTIFY_EXHAUSTED:
    case NOTIFY_RESTORED:
        return n->has_hash;
    case NOTIFY_HEARTBEAT:
        break;
    }
    return false;
}

// The mirror follows; what contradicts it is a doubt: an unknown subscription, or another *from*,
// where no command and no cut of the power lies between.
static void switched(struct registry_model *m, const struct notification *n)
{
    struct mirror_slot *to = registry_slot_named(m, &n->to);
    const bool is_direct =
        n->cause != NOTIFY_ROLLED_BACK && n->cause != NOTIFY_RECOVERED && n->operation_id == 0;
    if (to == NULL) {
        registry_doubt(m, DIRTY_UNEXPECTED_NOTIFY);
        return;
    }
    if (n->from.is_given && is_direct && registry_slot_named(m, &n->from) != registry_enabled(m))
        registry_doubt(m, DIRTY_UNEXPECTED_NOTIFY);
    registry_enable(m, to);
    if (n->cause == NOTIFY_FALLBACK)
        registry_mark(m, MARK_ON_FALLBACK);
}

// Section 9.3. A switch without rollback can be confirmed at any time.
static void enabled(struct registry_model *m, const struct notification *n, bool is_newest)
{
    struct operation *o = operation_of(m, n);
    struct mirror_slot *to = registry_slot_named(m, &n->to);
    if (o == NULL) {
        registry_doubt(m, DIRTY_UNEXPECTED_NOTIFY);
        return;
    }
    const bool is_bounded = (o->flags & COMMAND_FLAG_ROLLBACK) != 0 && o->confirm_until.ms != 0;
    if (is_bounded && m->now.ms > o->confirm_until.ms) {
        registry_happened(m, o, HAPPENED_ENABLED_LATE);
        return;
    }
    if (o->confirm_until.ms == 0) { // it counts as the answer to the command
        registry_begin_switch(m, o);
        if (o->kind == OPERATION_DOWNLOAD && registry_slot_named(m, &o->target) == NULL)
            registry_doubt(m, DIRTY_UNEXPECTED_NOTIFY); // in which slot it is, an audit tells
    }
    if (is_newest && to != NULL)
        registry_enable(m, to);
    registry_happened(m, o, HAPPENED_ENABLED);
}

static void switch_ended(struct registry_model *m, const struct notification *n, bool is_newest)
{
    struct operation *o = operation_of(m, n);
    const bool was_doubted = m->r.dirty_since.ms != 0;
    if (is_newest && n->cause != NOTIFY_SWITCH_FAILED)
        switched(m, n);
    if (o != NULL) {
        registry_happened(
            m, o, n->cause == NOTIFY_SWITCH_FAILED ? HAPPENED_SWITCH_FAILED : HAPPENED_ROLLED_BACK);
        return;
    }
    const struct late *late = registry_late(m, n->operation_id);
    if (late != NULL && late->kind != OPERATION_ENABLE && late->kind != OPERATION_DISABLE &&
        late->kind != OPERATION_DOWNLOAD)
        late = NULL; // only these switch
    if (late != NULL && n->cause == NOTIFY_SWITCH_FAILED)
        registry_settle(m, late, OUTCOME_FAILED, RESULT_TERMINAL_INCAPABLE);
    else if (late != NULL)
        registry_settle(m, late, OUTCOME_ROLLED_BACK, RESULT_OK_PENDING);
    // Of an operation for which nobody waits: in a doubt an audit is due anyway.
    if (n->operation_id != 0 && n->cause == NOTIFY_ROLLED_BACK && is_newest && !was_doubted)
        registry_doubt(m, DIRTY_UNEXPECTED_NOTIFY);
}

static void act(struct registry_model *m, const struct notification *n, bool is_newest)
{
    switch ((enum notify_cause)n->cause) {
    case NOTIFY_ENABLED:
        enabled(m, n, is_newest);
        break;
    case NOTIFY_ROLLED_BACK:
    case NOTIFY_FALLBACK:
    case NOTIFY_SWITCH_FAILED:
        switch_ended(m, n, is_newest);
        break;
    case NOTIFY_ROTATED:
    case NOTIFY_RETURNED:
    case NOTIFY_COUNTRY:
    case NOTIFY_RECOVERED:
        if (is_newest)
            switched(m, n);
        break;
    case NOTIFY_FIRST_CONTACT: // it had service
        if (registry_slot_named(m, &n->to) != NULL)
            registry_slot_named(m, &n->to)->fact.is_proven = true;
        break;
    case NOTIFY_IMEI_CHANGED:
    case NOTIFY_ADDRESS_CHECK:
    case NOTIFY_SWITCH_CAP:
    case NOTIFY_EXHAUSTED:
    case NOTIFY_RESTORED:
    case NOTIFY_HEARTBEAT:
        break;
    }
}

// The first 14 digits name the device; a terminal without any gives none, or zeros.
static bool read_device(const uint8_t imei[COMMAND_IMEI_SIZE], char digits[IMEI_SIZE])
{
    return imei_read(imei, digits) && strspn(digits, "0") < IMEI_EQUIPMENT_DIGITS;
}

static void note_device(struct registry_model *m, const struct notification *n)
{
    char was[IMEI_SIZE] = "";
    char is[IMEI_SIZE] = "";
    if (!n->has_imei || !read_device(n->imei, is))
        return;
    if (m->r.has_imei && read_device(m->r.imei, was) && memcmp(was, is, IMEI_EQUIPMENT_DIGITS) != 0)
        registry_doubt(m, DIRTY_IMEI_SWAP);
    m->r.has_imei = true;
    memcpy(m->r.imei, n->imei, sizeof m->r.imei);
}

// A subscription without a number gets it from where its first message came from.
static void learn_number(struct registry_model *m, const struct notification *n, const char *number)
{
    struct mirror_slot *slot = registry_slot_named(m, &n->to);
    slot = slot == NULL ? registry_enabled(m) : slot;
    bool is_anothers = false;
    for (uint8_t i = 0; i < m->r.slot_count; i++)
        is_anothers |= strcmp(m->r.slots[i].number, number) == 0;
    if (slot != NULL && slot->number[0] == 0 && number[0] != 0 && !is_anothers)
        memcpy(slot->number, number, strlen(number) + 1);
}

// At level 1: at a version that the mirror was made of, a switch that it does not show is over.
static bool is_past(struct registry_model *m, const struct notification *n)
{
    const struct record *r = &m->r;
    return n->to.is_given && registry_slot_named(m, &n->to) != registry_enabled(m) &&
           !n->has_hash && r->has_registry_version && n->registry_version == r->registry_version;
}

// Decision 202: the first word of it in a doubt starts the count anew, and a lower one than before.
static void restored(struct registry_model *m, uint32_t sequence, bool is_new)
{
    struct record *r = &m->r;
    const bool is_lower = r->restored_sequence == 0 || sequence < r->restored_sequence;
    if (is_lower && !is_new) {
        r->notify_sequence = sequence;
        r->notify_seen = 1;
        r->gap_sequences = 0;
        r->gap_deadline.ms = 0;
    }
    registry_doubt(m, DIRTY_CARD_RESET_SUSPECTED);
}

// An id that this database never gave: time went backwards [decision 20].
static void from_the_future(struct registry_model *m, uint32_t operation_id)
{
    struct record *r = &m->r;
    if (operation_id <= r->operation_id_last)
        return;
    r->operation_id_last = operation_id + COUNTER_JUMP;
    r->mt_counter = registry_far_up(r->mt_counter);
    registry_doubt(m, DIRTY_RESTORE_FROM_BACKUP);
}

// Told once more: it tells of now all the same. ENABLED is confirmed again while that is allowed.
static void told_again(struct registry_model *m, const struct notification *n)
{
    struct operation *o = operation_of(m, n);
    registry_compare_state(m, n->registry_version, n->has_hash, n->state_hash, n->has_hash);
    registry_contact(m);
    if (o == NULL || n->cause != NOTIFY_ENABLED)
        return;
    if ((o->flags & COMMAND_FLAG_ROLLBACK) == 0 || m->now.ms <= o->confirm_until.ms)
        registry_happened(m, o, HAPPENED_ENABLED);
}

void registry_notify(struct registry_model *m)
{
    struct record *r = &m->r;
    const struct event_notify *e = &m->e->as.notify;
    const struct notification *n = &e->notification;
    if (e->mo_counter <= r->mo_counter)
        return; // old: dropped and counted
    r->mo_counter = e->mo_counter;
    r->insecure_answers = 0;
    r->insecure_until.ms = 0;
    learn_number(m, n, e->number);
    const bool is_heartbeat = n->cause == NOTIFY_HEARTBEAT;
    const bool is_newest = is_heartbeat || n->sequence > r->notify_sequence;
    const bool is_too_low = !is_newest && r->notify_sequence - n->sequence >= 32;
    const bool was_handled = !is_newest && !is_too_low && is_handled(r, n->sequence);
    if (!is_heartbeat && !was_handled && !is_too_low)
        count(m, n->sequence);
    from_the_future(m, n->operation_id);
    if (n->cause == NOTIFY_RESTORED)
        restored(m, n->sequence, is_newest);
    if (was_handled) {
        told_again(m, n);
        return;
    }
    if (is_too_low)
        registry_doubt(m, DIRTY_CARD_RESET_SUSPECTED);
    note_device(m, n);
    const bool is_over = is_past(m, n);
    act(m, n, is_newest);
    if (!is_too_low)
        registry_compare_state(m, n->registry_version, n->has_hash, n->state_hash,
                               is_newest && tells_of_change(n));
    const bool is_elsewhere =
        n->to.is_given && registry_slot_named(m, &n->to) != registry_enabled(m);
    if (is_over || (!is_newest && !is_too_low && !n->has_hash && is_elsewhere))
        registry_doubt(m, DIRTY_UNEXPECTED_NOTIFY);
    if (n->coalesced > 0)
        registry_doubt(m, DIRTY_NOTIFY_GAP);
    registry_contact(m);
}
