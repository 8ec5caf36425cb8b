// Notifications of the card: freshness, sequence, what they change, and their confirmation.
#include "ota-server/core/work.h"

#include "common/base/text.h"

#define SEQUENCE_WINDOW 32

static bool is_usable_imei(const uint8_t imei[COMMAND_IMEI_SIZE])
{
    uint8_t any = 0;
    uint8_t all = 0xFF;
    for (size_t i = 1; i < COMMAND_IMEI_SIZE; i++) {
        any |= imei[i];
        all &= imei[i];
    }
    return any != 0 && all != 0xFF;
}

// 14 digits name the equipment: all but the last semi-octet [23.003 §6.2].
static bool is_same_imei(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, COMMAND_IMEI_SIZE - 1) == 0 &&
           (a[COMMAND_IMEI_SIZE - 1] & 0x0F) == (b[COMMAND_IMEI_SIZE - 1] & 0x0F);
}

bool note_imei(struct record *r, const uint8_t imei[COMMAND_IMEI_SIZE])
{
    if (!is_usable_imei(imei))
        return false;
    const bool is_other = !r->has_imei || !is_same_imei(r->imei, imei);
    r->has_imei = true;
    memcpy(r->imei, imei, sizeof(r->imei));
    return is_other;
}

static void note_device(struct work *w, const struct notification *n)
{
    struct record *r = w->r;
    if (n->has_plmn) {
        r->has_plmn = true;
        memcpy(r->plmn, n->plmn, sizeof(r->plmn));
    }
    const bool was_known = r->has_imei;
    if (n->has_imei && note_imei(r, n->imei) && was_known)
        work_dirty(w, DIRTY_IMEI_SWAP, 0);
}

enum sequence_kind { SEQUENCE_NEW, SEQUENCE_BETWEEN, SEQUENCE_HANDLED, SEQUENCE_TOO_LOW };

static enum sequence_kind take_sequence(struct work *w, uint32_t sequence)
{
    struct record *r = w->r;
    if (sequence > r->notify_sequence) {
        const uint32_t ahead = sequence - r->notify_sequence;
        r->notify_seen = ahead < SEQUENCE_WINDOW ? r->notify_seen << ahead | 1 : 1;
        if (ahead > 1) {
            r->gap_sequences += ahead - 1;
            if (r->gap_deadline.ms == 0)
                r->gap_deadline =
                    utc_after(w->now, 1000 * (int64_t)parameters_waits_sum_s(&r->parameters));
        }
        r->notify_sequence = sequence;
        return SEQUENCE_NEW;
    }
    const uint32_t behind = r->notify_sequence - sequence;
    if (behind >= SEQUENCE_WINDOW)
        return SEQUENCE_TOO_LOW;
    if ((r->notify_seen >> behind & 1) != 0)
        return SEQUENCE_HANDLED;
    r->notify_seen |= 1u << behind;
    if (r->gap_sequences > 0 && --r->gap_sequences == 0)
        r->gap_deadline.ms = 0;
    return SEQUENCE_BETWEEN;
}

// The subscription of the card that has this number, or NULL.
const struct mirror_slot *slot_numbered(const struct record *r, const char *number)
{
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (number[0] != 0 && bytes_equal(bytes_of_text(r->slots[i].number), bytes_of_text(number)))
            return &r->slots[i];
    }
    return NULL;
}

// To the subscription that sent it, which by now may be another one than it tells about.
void confirm_queue(struct work *w, const struct notification *n, const char *number)
{
    struct record *r = w->r;
    for (uint8_t i = 0; i < r->confirm_count; i++) {
        if (r->confirms[i].sequence == n->sequence)
            return;
    }
    if (r->confirm_count == RECORD_CONFIRMS_MAX) { // the card repeats what is not confirmed
        memmove(&r->confirms[0], &r->confirms[1], sizeof(r->confirms) - sizeof(r->confirms[0]));
        r->confirm_count--;
    }
    struct confirm *c = &r->confirms[r->confirm_count++];
    *c = (struct confirm){.sequence = n->sequence, .operation_id = n->operation_id};
    const struct mirror_slot *from = slot_numbered(r, number);
    if (from == NULL && number[0] == 0)
        from = record_slot_named(r, &n->to);
    if (from == NULL && number[0] == 0)
        from = record_enabled(r);
    c->subscription = from == NULL ? 0 : from->subscription;
    const char *known = from != NULL && from->number[0] != 0 ? from->number : number;
    memcpy(c->number, known, strlen(known) + 1);
}

static void unexpected(struct work *w)
{
    work_dirty(w, DIRTY_UNEXPECTED_NOTIFY, 0);
}

// An automatic switch: the mirror follows, unless it contradicts.
static void switched(struct work *w, const struct notification *n)
{
    const struct mirror_slot *enabled = record_enabled(w->r);
    struct mirror_slot *to = mirror_slot_named(w, &n->to);
    if (to == NULL) {
        unexpected(w);
        return;
    }
    const struct mirror_slot *from = record_slot_named(w->r, &n->from);
    if (n->from.is_given && from != enabled && n->cause != NOTIFY_ROLLED_BACK &&
        n->cause != NOTIFY_RECOVERED && n->operation_id == 0)
        unexpected(w);
    mirror_enable(w, to);
    if (n->cause == NOTIFY_FALLBACK)
        work_mark(w, MARK_ON_FALLBACK, notify_cause_name(n->cause));
}

// Of an operation that this database does not know, and that an audit since did not find to be
// under way: the card repeats it for ever.
static bool is_long_over(const struct work *w)
{
    const struct record *r = w->r;
    return r->dirty_since.ms == 0 && r->last_audit_at.ms != 0 &&
           w->now.ms > r->last_audit_at.ms + rollback_ms(r);
}

// Is the open operation the switch of which the card tells? One that is none has the id of somebody
// else's command.
static bool is_of_open(const struct record *r, const struct notification *n)
{
    return r->has_open && n->operation_id != 0 && n->operation_id == r->open.card_operation_id &&
           operation_is_switch(&r->open);
}

static bool may_confirm_again(const struct work *w, const struct notification *n)
{
    const struct record *r = w->r;
    // One switch at a time is open on a card: this one is over, and only tells.
    const bool is_over = n->operation_id < r->operation_id_ran;
    if (n->operation_id == 0 || n->cause != NOTIFY_ENABLED || is_over)
        return true;
    if (is_of_open(r, n))
        return (r->open.flags & COMMAND_FLAG_ROLLBACK) == 0 ||
               w->now.ms <= r->open.confirm_until.ms;
    if (n->operation_id == r->switch_id)
        return r->switch_until.ms == 0 || w->now.ms <= r->switch_until.ms;
    return is_long_over(w);
}

// True when it is to be confirmed.
static bool enabled_outcome(struct work *w, const struct notification *n, bool is_newest)
{
    struct record *r = w->r;
    if (!is_of_open(r, n)) {
        unexpected(w);
        return may_confirm_again(w, n);
    }
    struct operation *o = &r->open;
    work_step(w, o, STEP_NOTIFIED, notify_cause_name(n->cause));
    // A switch that is never rolled back can be confirmed at any time.
    const bool is_bounded = (o->flags & COMMAND_FLAG_ROLLBACK) != 0 && o->confirm_until.ms != 0;
    if (is_bounded && w->now.ms > o->confirm_until.ms) {
        o->confirm_is_late = true;
        operation_input(w, o, IN_ENABLED_LATE);
        return false;
    }
    if (o->confirm_until.ms == 0) { // it counts as the answer to the command
        o->por_at = w->now;
        o->confirm_until = utc_after(w->now, switch_ms(r));
        o->rollback_until = utc_after(w->now, rollback_ms(r));
        r->operation_id_seen = o->card_operation_id;
        if (o->kind == OPERATION_DOWNLOAD && record_slot_named(r, &o->target) == NULL)
            unexpected(w); // its slot is not known: the audit brings it
    }
    struct mirror_slot *to = mirror_slot_named(w, &n->to);
    if (is_newest && to != NULL)
        mirror_enable(w, to);
    o->is_enabled_seen = true;
    note_ran(r, o);
    operation_input(w, o, IN_ENABLED);
    return true;
}

// Of a download it is not kept whether it was to enable.
static bool late_may_switch(const struct record *r, uint32_t card_operation_id)
{
    for (uint8_t i = 0; i < r->late_count; i++) {
        const uint8_t kind = r->late[i].kind;
        if (r->late[i].card_operation_id == card_operation_id)
            return kind == OPERATION_ENABLE || kind == OPERATION_DISABLE ||
                   kind == OPERATION_DOWNLOAD;
    }
    return false;
}

static void outcome_of_switch(struct work *w, const struct notification *n, bool is_newest)
{
    struct record *r = w->r;
    if (is_newest && n->cause != NOTIFY_SWITCH_FAILED)
        switched(w, n);
    if (is_of_open(r, n)) {
        work_step(w, &r->open, STEP_NOTIFIED, notify_cause_name(n->cause));
        if (n->cause == NOTIFY_SWITCH_FAILED) {
            r->open.has_result = true;
            r->open.result = RESULT_TERMINAL_INCAPABLE;
        }
        operation_input(w, &r->open,
                        n->cause == NOTIFY_SWITCH_FAILED ? IN_SWITCH_FAILED : IN_ROLLED_BACK);
        return;
    }
    const bool is_late = n->operation_id != 0 && late_may_switch(r, n->operation_id);
    if (is_late && n->cause == NOTIFY_SWITCH_FAILED)
        late_settle(w, n->operation_id, OUTCOME_FAILED, RESULT_TERMINAL_INCAPABLE);
    else if (is_late)
        late_settle(w, n->operation_id, OUTCOME_ROLLED_BACK, RESULT_OK_PENDING);
    if (n->cause == NOTIFY_ROLLED_BACK && n->operation_id != 0 && is_newest &&
        r->dirty_since.ms == 0) {
        unexpected(w); // of an operation that nobody waits for
    }
}

static void first_contact(struct work *w, const struct notification *n)
{
    struct record *r = w->r;
    // The card has it from its first service on, and no hash tells of it. Also when it comes late.
    struct mirror_slot *served = mirror_slot_named(w, &n->to);
    if (served != NULL)
        served->fact.is_proven = true;
    if (!n->has_card)
        return;
    memcpy(r->applet_version, n->applet_version, sizeof(r->applet_version));
    r->level = n->level;
    r->terminal = n->terminal;
}

// True when it is to be confirmed.
static bool act(struct work *w, const struct notification *n, bool is_newest)
{
    switch ((enum notify_cause)n->cause) {
    case NOTIFY_FIRST_CONTACT:
        first_contact(w, n);
        return true;
    case NOTIFY_ENABLED:
        return enabled_outcome(w, n, is_newest);
    case NOTIFY_ROLLED_BACK:
    case NOTIFY_FALLBACK:
    case NOTIFY_SWITCH_FAILED:
        outcome_of_switch(w, n, is_newest);
        return true;
    case NOTIFY_ROTATED:
    case NOTIFY_RETURNED:
    case NOTIFY_COUNTRY:
    case NOTIFY_RECOVERED:
        if (is_newest)
            switched(w, n);
        return true;
    case NOTIFY_RESTORED: // that is a doubt already
    case NOTIFY_IMEI_CHANGED:
    case NOTIFY_ADDRESS_CHECK:
    case NOTIFY_SWITCH_CAP:
    case NOTIFY_EXHAUSTED:
    case NOTIFY_HEARTBEAT:
        return true;
    }
    unexpected(w); // a cause of a later protocol level
    return true;
}

static void learn_number(struct work *w, const struct notification *n)
{
    const char *number = w->e->as.notify.number;
    struct mirror_slot *s = mirror_slot_named(w, &n->to);
    if (s == NULL) {
        const struct mirror_slot *enabled = record_enabled(w->r);
        s = enabled == NULL ? NULL : &w->r->slots[enabled - w->r->slots];
    }
    // What waited while the card moved on is sent from where it is now.
    const bool is_another = slot_numbered(w->r, number) != NULL;
    if (s == NULL || s->number[0] != 0 || number[0] == 0 || is_another)
        return;
    memcpy(s->number, number, sizeof(s->number));
    w->d->is_located = true;
    work_trail(w, "subscription.number_learnt", 0, "", "", notify_cause_name(n->cause));
}

// The card's memory was damaged, and it counts from an older state: numbers that were handled may
// come again with other content. The first word of it in a doubt counts, whatever its number, and
// then one with a lower number: the same is repeated until it is confirmed, and two of them in
// turns.
static void restored(struct work *w, uint32_t sequence, bool is_back)
{
    struct record *r = w->r;
    const bool is_lower = r->restored_sequence == 0 || sequence < r->restored_sequence;
    if (is_back && is_lower) {
        r->notify_sequence = sequence;
        r->notify_seen = 1;
        r->gap_sequences = 0;
        r->gap_deadline.ms = 0;
    }
    if (is_lower) {
        r->restored_sequence = sequence;
        // Versions of its parameters may come again with other content as well.
        timers_read(w);
    }
    work_dirty(w, DIRTY_CARD_RESET_SUSPECTED, 0);
}

// Does it tell of a change that this message may have brought? Where a hash says what the registry
// is, each may; a card of level 1 only counts its changes.
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

// What was handled already tells of now all the same, and its confirmation may have been lost. Or a
// card that lost its memory gave its number once more: it tells of no change that we know.
static void repeated(struct work *w, const struct notification *n)
{
    struct record *r = w->r;
    compare_state(w, n->registry_version, n->has_hash, n->state_hash, n->has_hash);
    work_contact(w);
    if (!may_confirm_again(w, n))
        return;
    if (is_of_open(r, n) && n->cause == NOTIFY_ENABLED)
        operation_input(w, &r->open, IN_ENABLED);
    confirm_queue(w, n, w->e->as.notify.number);
}

// At level 1: a switch that the mirror does not show, at a registry version that it was made from
// already. It is over, and another one came after it.
static bool is_of_the_past(const struct record *r, const struct notification *n)
{
    const bool is_switch = n->to.is_given && record_slot_named(r, &n->to) != record_enabled(r);
    return is_switch && !n->has_hash && r->has_registry_version &&
           n->registry_version == r->registry_version;
}

// A row for it, with its number and how many were merged into it: none of them comes again.
static void note_notified(struct work *w, const struct notification *n)
{
    char why[32];
    struct writer t = writer_of(why, sizeof(why));
    if (n->cause != NOTIFY_HEARTBEAT) {
        text_put(&t, "sequence ");
        text_decimal(&t, n->sequence);
    }
    if (n->coalesced > 0) {
        text_put(&t, ", merged ");
        text_decimal(&t, n->coalesced);
    }
    work_trail(w, "card.notified", 0, "", notify_cause_name(n->cause), text_end(&t));
}

void decide_notify(struct work *w)
{
    const struct event_notify *e = &w->e->as.notify;
    const struct notification *n = &e->notification;
    struct record *r = w->r;
    if (e->mo_counter <= r->mo_counter) { // merely old: dropped and counted
        w->d->is_dropped = true;
        return;
    }
    r->mo_counter = e->mo_counter;
    r->insecure_answers = 0;
    r->insecure_until.ms = 0;
    learn_number(w, n);
    work_heard(w, e->number);
    if (is_of_open(r, n))
        work_count_mo(&r->open, e->sms, e->octets);
    const bool is_heartbeat = n->cause == NOTIFY_HEARTBEAT;
    const enum sequence_kind kind = is_heartbeat ? SEQUENCE_NEW : take_sequence(w, n->sequence);
    if (n->operation_id > r->operation_id_last) { // this database never gave it
        r->operation_id_last = n->operation_id + COUNTER_JUMP;
        r->mt_counter = work_counter_above(r->mt_counter);
        r->changed_counter = r->mt_counter;
        work_dirty(w, DIRTY_RESTORE_FROM_BACKUP, 0);
    }
    if (n->cause == NOTIFY_RESTORED)
        restored(w, n->sequence, kind != SEQUENCE_NEW);
    work_attached(w); // its applet sends when it has normal service
    // Its confirmation, which goes first, changes the address that the card keeps.
    if (n->cause == NOTIFY_ADDRESS_CHECK)
        timers_read(w);
    if (kind == SEQUENCE_HANDLED) {
        repeated(w, n);
        return;
    }
    if (kind == SEQUENCE_TOO_LOW)
        work_dirty(w, DIRTY_CARD_RESET_SUSPECTED, 0);
    note_notified(w, n);
    note_device(w, n);
    const bool is_newest = kind == SEQUENCE_NEW;
    const bool is_past = is_of_the_past(r, n);
    const bool is_confirmed = act(w, n, is_newest);
    // It tells of the card as it is, also when what it is about is older than what came before. The
    // mirror did not follow that; a difference is for an audit.
    if (is_newest || kind == SEQUENCE_BETWEEN)
        compare_state(w, n->registry_version, n->has_hash, n->state_hash,
                      is_newest && tells_of_change(n));
    // At level 1 nothing else tells of one: the number of commits is that of what came before it.
    const bool is_switch = n->to.is_given && record_slot_named(r, &n->to) != record_enabled(r);
    if ((kind == SEQUENCE_BETWEEN && !n->has_hash && is_switch) || is_past)
        unexpected(w);
    if (n->coalesced > 0)
        work_dirty(w, DIRTY_NOTIFY_GAP, 0);
    work_contact(w);
    if (is_confirmed && !is_heartbeat)
        confirm_queue(w, n, e->number);
}
