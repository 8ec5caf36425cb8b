// Time: what ran out, which packet goes next, and when to look again.
#include "ota-server/core/work.h"

#include "common/base/check.h"
#include "common/base/text.h"

#define VALIDITY_MIN_MS MINUTE_MS
#define RESTORED_RETRY_MS (10 * MINUTE_MS)

static void timeout_open(struct work *w)
{
    struct record *r = w->r;
    struct operation *o = &r->open;
    const struct flight *f = &r->flight;
    if (o->status == STATUS_QUEUED) {
        if (utc_is_due(o->not_after, w->now))
            operation_input(w, o, IN_EXPIRED);
        return;
    }
    if (!utc_is_due(o->deadline, w->now))
        return;
    uint8_t input = IN_TIMEOUT;
    if (o->status == STATUS_SENT && f->delivered_set != 0)
        input = IN_PART_LOST;
    else if (o->status == STATUS_SENT && f->is_submit_unknown)
        input = IN_TIMEOUT_UNSUBMITTED;
    else if (o->status == STATUS_UNKNOWN)
        input = IN_TIMEOUT_ROLLBACK;
    // That of another notification may be under way: nothing of this one is waited for any more.
    const bool is_own = f->kind == FLIGHT_CONFIRM && f->operation_id == o->card_operation_id;
    if (o->status == STATUS_CONFIRMING && is_own) {
        if (!utc_is_due(f->deadline, w->now)) { // its own time runs
            o->deadline = f->deadline;
            return;
        }
        flight_clear(w);
    }
    operation_input(w, o, input);
}

static void timeout_flight(struct work *w)
{
    struct record *r = w->r;
    if (r->flight.kind != FLIGHT_AUDIT && r->flight.kind != FLIGHT_CONFIRM)
        return;
    if (!utc_is_due(r->flight.deadline, w->now))
        return;
    const bool is_audit = r->flight.kind == FLIGHT_AUDIT;
    flight_clear(w);
    if (!is_audit || !r->audit.is_open)
        return;
    audit_unanswered(w);
}

static struct utc waits_until(const struct operation *o)
{
    return o->status == STATUS_AWAIT_APPROVAL ? o->deadline : o->not_after;
}

static void timeout_queue(struct work *w)
{
    struct record *r = w->r;
    uint8_t i = 0;
    while (i < r->queue_len) {
        struct operation *o = &r->queue[i];
        const uint8_t len = r->queue_len;
        if (utc_is_due(waits_until(o), w->now))
            operation_input(w, o, IN_EXPIRED);
        if (r->queue_len == len)
            i++;
    }
    struct operation *a = &r->audit.operation;
    const bool is_waiting = a->status == STATUS_QUEUED || a->status == STATUS_AWAIT_APPROVAL;
    if (r->audit.is_open && is_waiting && utc_is_due(waits_until(a), w->now))
        operation_input(w, a, IN_EXPIRED);
}

static struct utc unreachable_at(const struct work *w)
{
    const struct record *r = w->r;
    if (r->dirty_since.ms == 0 || record_has_mark(r, MARK_UNREACHABLE))
        return (struct utc){0};
    const struct utc from =
        r->last_contact_at.ms > r->dirty_since.ms ? r->last_contact_at : r->dirty_since;
    return utc_after(from, w->policy->unreachable_ms);
}

// What comes to be unknown when the card is out of reach already waits for its word as long as it
// may be sent at all: nothing is told of a silence that goes on.
static struct utc unresolved_at(const struct record *r)
{
    const bool is_waiting = r->has_open && r->open.status == STATUS_UNKNOWN;
    return is_waiting && record_has_mark(r, MARK_UNREACHABLE) ? r->open.not_after : (struct utc){0};
}

void plan_timeouts(struct work *w)
{
    struct record *r = w->r;
    if (r->has_open)
        timeout_open(w);
    timeout_flight(w);
    timeout_queue(w);
    if (utc_is_due(r->gap_deadline, w->now)) {
        r->gap_deadline.ms = 0;
        if (r->gap_sequences > 0)
            work_dirty(w, DIRTY_NOTIFY_GAP, 0);
        r->gap_sequences = 0;
    }
    if (utc_is_due(r->insecure_until, w->now)) {
        r->insecure_until.ms = 0;
        work_quarantine(w, "answers without authentication");
    }
    if (utc_is_due(unreachable_at(w), w->now)) {
        work_mark(w, MARK_UNREACHABLE, "silent");
        if (r->has_open)
            operation_input(w, &r->open, IN_UNREACHABLE);
    }
    if (utc_is_due(unresolved_at(r), w->now))
        operation_input(w, &r->open, IN_UNREACHABLE);
}

// --- the next packet -------------------------------------------------------------------------

// What an SMSC keeps for a minute at least could come behind the end of its operation.
static bool is_too_late(const struct work *w, const struct operation *o)
{
    return o->not_after.ms != 0 && o->not_after.ms - w->now.ms < VALIDITY_MIN_MS;
}

static struct send *begin(struct work *w, uint8_t kind, uint8_t command, struct operation *o)
{
    struct record *r = w->r;
    check(r->flight.kind == FLIGHT_NONE);
    if (r->mt_counter + 1 >= COUNTER_LAST || w->d->send_count == DECISION_SENDS_MAX) {
        work_quarantine(w, "counter exhausted");
        return NULL;
    }
    r->mt_counter++;
    int64_t validity = w->policy->validity_ms;
    if (o != NULL && o->not_after.ms != 0 && o->not_after.ms - w->now.ms < validity)
        validity = o->not_after.ms - w->now.ms;
    if (kind == FLIGHT_AUDIT && r->next_audit_at.ms > w->now.ms &&
        r->next_audit_at.ms - w->now.ms < validity)
        validity = r->next_audit_at.ms - w->now.ms;
    if (validity < VALIDITY_MIN_MS)
        validity = VALIDITY_MIN_MS;
    struct send *s = &w->d->sends[w->d->send_count++];
    *s = (struct send){.command = command,
                       .kind = kind,
                       .counter = r->mt_counter,
                       .operation = o == NULL ? 0 : o->id,
                       .validity_ms = (uint32_t)validity};
    r->flight = (struct flight){.kind = kind,
                                .state = FLIGHT_SENDING,
                                .command = command,
                                .counter = r->mt_counter,
                                .validity_ms = (uint32_t)validity,
                                .sent_at = w->now}; // its time begins when a link had it
    if (o != NULL) {
        o->attempts++;
        o->last_counter = r->mt_counter;
        o->hold = HOLD_NONE;
        work_step(w, o, STEP_BUILT, "");
    }
    return s;
}

// Why this packet leaves: its counter tells it from any other.
static void note_sent(struct work *w, const struct send *s, const char *why)
{
    char what[TRAIL_TEXT_SIZE];
    struct writer t = writer_of(what, sizeof(what));
    text_put(&t, command_number_name(s->command));
    text_put(&t, ", counter ");
    text_decimal(&t, s->counter);
    work_trail(w, "command.sent", s->operation, "", text_end(&t), why);
}

static void address(struct send *s, const struct mirror_slot *slot)
{
    s->subscription = slot->subscription;
    memcpy(s->number, slot->number, sizeof(s->number));
}

static const struct mirror_slot *reachable(const struct record *r)
{
    const struct mirror_slot *enabled = record_enabled(r);
    return enabled != NULL && enabled->number[0] != 0 ? enabled : NULL;
}

static bool send_confirm(struct work *w)
{
    struct record *r = w->r;
    while (r->confirm_count > 0) {
        // A commanded switch waits for its confirmation: first.
        uint8_t at = 0;
        for (uint8_t i = 0; i < r->confirm_count; i++) {
            if (r->confirms[i].operation_id != 0) {
                at = i;
                break;
            }
        }
        const struct confirm c = r->confirms[at];
        memmove(&r->confirms[at], &r->confirms[at + 1], (r->confirm_count - at - 1u) * sizeof(c));
        r->confirm_count--;
        struct operation *o =
            r->has_open && c.operation_id != 0 && c.operation_id == r->open.card_operation_id
                ? &r->open
                : NULL;
        const bool is_late =
            o != NULL && (o->flags & COMMAND_FLAG_ROLLBACK) != 0 && o->confirm_until.ms < w->now.ms;
        if (is_late && o->status == STATUS_CONFIRMING) {
            operation_input(w, o, IN_CONFIRM_TOO_LATE); // it must not leave any more
            continue;
        }
        if (c.number[0] == 0)
            continue; // nobody can be reached without a number; the card repeats
        struct send *s = begin(w, FLIGHT_CONFIRM, COMMAND_CONFIRM, NULL);
        if (s == NULL)
            return true;
        s->operation = o == NULL ? 0 : o->id;
        s->sequence = c.sequence;
        s->operation_id = c.operation_id;
        s->subscription = c.subscription;
        memcpy(s->number, c.number, sizeof(s->number));
        r->flight.sequence = c.sequence;
        r->flight.operation_id = c.operation_id;
        if (o != NULL && o->status == STATUS_CONFIRMING)
            o->deadline = r->flight.deadline;
        note_sent(w, s, "notification");
        return true;
    }
    return false;
}

static void add_target(struct audit_targets *t, uint64_t subscription, const char *number)
{
    for (uint8_t k = 0; k < t->count; k++) {
        if (bytes_equal(bytes_of_text(t->numbers[k]), bytes_of_text(number)))
            return;
    }
    if (number[0] == 0)
        return;
    t->subscriptions[t->count] = subscription;
    t->numbers[t->count++] = number;
}

// The numbers at which the card could be, in turn: where it was heard last (which the mirror may
// not know), the mirror's enabled one, the target of an open switch, the fallback one, then all
// others, because the card may have chosen for itself; downloads that may have run among them.
void audit_targets(const struct record *r, struct audit_targets *t)
{
    const struct mirror_slot *heard = slot_numbered(r, r->heard_from);
    const struct mirror_slot *first[] = {record_enabled(r),
                                         r->has_open ? record_slot_named(r, &r->open.target) : NULL,
                                         record_fallback(r)};
    const size_t firsts = sizeof(first) / sizeof(first[0]);
    t->count = 0;
    add_target(t, heard == NULL ? 0 : heard->subscription, r->heard_from);
    for (size_t i = 0; i < firsts + r->slot_count; i++) {
        const struct mirror_slot *slot = i < firsts ? first[i] : &r->slots[i - firsts];
        if (slot != NULL)
            add_target(t, slot->subscription, slot->number);
    }
    if (r->has_open && r->open.kind == OPERATION_DOWNLOAD)
        add_target(t, r->open.subscription, r->open.download.number);
    for (uint8_t i = 0; i < r->late_count; i++)
        add_target(t, r->late[i].subscription, r->late[i].number);
}

// What it asks of an operation whose end is not known.
static uint32_t lookup_of(const struct record *r, const struct operation *audit)
{
    uint32_t lookup = audit->lookup;
    if (r->has_open && r->open.status == STATUS_UNKNOWN)
        lookup = r->open.card_operation_id;
    for (uint8_t i = 0; i < r->late_count && lookup == 0; i++)
        lookup = r->late[i].card_operation_id;
    return lookup;
}

static bool send_audit(struct work *w)
{
    struct record *r = w->r;
    struct audit_job *a = &r->audit;
    const bool is_due = r->dirty_since.ms != 0 && utc_is_due(r->next_audit_at, w->now);
    // Of a dirty card only the first attempt follows the request.
    const bool is_wanted = a->is_open && a->operation.status == STATUS_QUEUED &&
                           (a->operation.attempts == 0 || r->dirty_since.ms == 0) &&
                           !a->operation.at_next_contact && a->operation.not_before.ms <= w->now.ms;
    const bool is_page = a->is_open && a->is_page_due;
    if (!is_due && !is_wanted && !is_page)
        return false;
    if (a->is_open && is_too_late(w, &a->operation))
        return false; // the next attempt, if there is one, follows its end
    const uint8_t refusal = a->is_open && a->operation.status == STATUS_QUEUED
                                ? refusal_by_right(w, &a->operation)
                                : (uint8_t)REFUSAL_NONE;
    if (refusal != REFUSAL_NONE) {
        operation_refuse(w, &a->operation, refusal);
        if (!is_due)
            return false;
    }
    if (!a->is_open)
        audit_open(w, NULL);
    struct audit_targets targets;
    audit_targets(r, &targets);
    // The mirror of a card in no doubt says where it is.
    const bool is_told = targets.count == 0 || r->dirty_since.ms == 0;
    const uint8_t turn = is_told ? 0 : r->audit_turn % targets.count;
    if (targets.count == 0) {
        a->operation.hold = HOLD_OTA_UNREACHABLE;
        if (is_due)
            audit_schedule(w);
        return false;
    }
    if (!is_page) { // a new attempt has a nonce of its own
        for (size_t i = 0; i < sizeof(a->nonce); i++)
            a->nonce[i] = (uint8_t)work_draw(w, 256);
        a->next_slot = 1;
        a->slot_count = 0;
        a->restarts = 0;
        audit_schedule(w);
    }
    a->is_page_due = false;
    struct send *s = begin(w, FLIGHT_AUDIT, COMMAND_AUDIT, &a->operation);
    if (s == NULL)
        return true;
    a->operation.status = STATUS_SENDING;
    a->mo_counter = r->mo_counter;
    memcpy(s->nonce, a->nonce, sizeof(s->nonce));
    s->first_slot = a->next_slot;
    s->lookup = lookup_of(r, &a->operation);
    s->subscription = targets.subscriptions[turn];
    memcpy(s->number, targets.numbers[turn], strlen(targets.numbers[turn]) + 1);
    note_sent(w, s, a->operation.is_automatic ? "dirty" : "request");
    return true;
}

uint8_t plan_command(uint8_t kind)
{
    switch ((enum operation_kind)kind) {
    case OPERATION_DOWNLOAD:
        return COMMAND_DOWNLOAD;
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        return COMMAND_ENABLE;
    case OPERATION_DELETE:
        return COMMAND_DELETE;
    case OPERATION_SET_FALLBACK:
        return COMMAND_SET_FALLBACK;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
        return COMMAND_CONFIGURE;
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
    return COMMAND_AUDIT;
}

struct utc policy_quiet_until(const struct policy *p, struct utc now)
{
    struct utc end = {0};
    for (uint8_t i = 0; i < p->quiet_count; i++) {
        const struct policy_quiet *q = &p->quiet[i];
        const int64_t local_ms = utc_local_ms(&q->place, now) + DAY_MS; // never below 0
        const int64_t day_ms = local_ms - local_ms % DAY_MS - DAY_MS;
        const int64_t minute = local_ms % DAY_MS / MINUTE_MS;
        const bool is_over_midnight = q->from_min >= q->to_min;
        const bool is_within = is_over_midnight ? minute >= q->from_min || minute < q->to_min
                                                : minute >= q->from_min && minute < q->to_min;
        if (!is_within)
            continue;
        const int64_t to_ms = day_ms + q->to_min * (int64_t)MINUTE_MS;
        const int64_t end_ms = minute >= q->to_min ? to_ms + DAY_MS : to_ms;
        const struct utc until = utc_of_local(&q->place, end_ms, now);
        end.ms = until.ms > end.ms ? until.ms : end.ms;
    }
    return end;
}

// Why this operation cannot go now; HOLD_NONE when it can.
static uint8_t hold_of(const struct work *w, const struct operation *o)
{
    const struct record *r = w->r;
    if (o->at_next_contact)
        return HOLD_NEXT_CONTACT;
    if (o->not_before.ms > w->now.ms)
        return o->attempts > 0 ? HOLD_RETRY : HOLD_NOT_BEFORE;
    if (policy_quiet_until(w->policy, w->now).ms != 0)
        return HOLD_NOT_BEFORE;
    if (r->dirty_since.ms != 0 && operation_is_state_changing(o->kind) && !o->force)
        return HOLD_CARD_DIRTY;
    if (w->context->are_downloads_held && o->kind == OPERATION_DOWNLOAD && !o->force)
        return HOLD_RESTORED;
    return reachable(r) == NULL || is_too_late(w, o) ? HOLD_OTA_UNREACHABLE : HOLD_NONE;
}

static void send_operation(struct work *w)
{
    struct record *r = w->r;
    struct operation *o = &r->open;
    struct send *s = begin(w, FLIGHT_OPERATION, plan_command(o->kind), o);
    if (s == NULL)
        return;
    if (o->card_operation_id == 0)
        o->card_operation_id = ++r->operation_id_last;
    o->has_result = false; // it was that of an earlier packet
    o->sent_any = true;
    o->may_have_run = true;
    s->operation_id = o->card_operation_id;
    r->flight.operation_id = o->card_operation_id;
    if (operation_is_state_changing(o->kind))
        r->changed_counter = s->counter;
    address(s, reachable(r));
    operation_input(w, o, IN_BUILT);
    note_sent(w, s, actor_kind_name(o->actor.kind));
}

static void send_next_operation(struct work *w)
{
    struct record *r = w->r;
    if (r->has_open) {
        if (r->open.status != STATUS_QUEUED)
            return;
        r->open.hold = hold_of(w, &r->open);
        if (r->open.hold != HOLD_NONE)
            return;
        const uint8_t refusal = refusal_of(w, &r->open, true);
        if (refusal == REFUSAL_NONE) {
            send_operation(w);
            return;
        }
        operation_refuse(w, &r->open, refusal);
    }
    uint8_t i = 0;
    while (i < r->queue_len) {
        struct operation *o = &r->queue[i];
        if (o->status == STATUS_QUEUED)
            o->hold = hold_of(w, o);
        if (o->status != STATUS_QUEUED || o->hold != HOLD_NONE) {
            i++;
            continue;
        }
        const uint8_t refusal = refusal_of(w, o, true);
        if (refusal != REFUSAL_NONE) {
            operation_refuse(w, o, refusal);
            continue;
        }
        r->open = *o;
        r->has_open = true;
        memmove(o, o + 1, (r->queue_len - i - 1u) * sizeof(*o));
        r->queue_len--;
        send_operation(w);
        break;
    }
}

bool operation_is_awaited(const struct operation *o, const struct actor *by, struct utc now)
{
    const bool is_somebody = by->kind == ACTOR_USER || by->kind == ACTOR_CLIENT;
    return is_somebody && !o->at_next_contact && o->not_before.ms <= now.ms;
}

// A card that has its time of many to be asked first is asked now when something waits for that.
static void hurry_first_audit(struct work *w)
{
    struct record *r = w->r;
    if (r->dirty_since.ms == 0 || r->dirty_attempts > 0 ||
        r->next_audit_at.ms <= work_first_audit(w).ms)
        return;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        const struct operation *o = &r->queue[i];
        if (o->status == STATUS_QUEUED && operation_is_state_changing(o->kind) && !o->force &&
            operation_is_awaited(o, &o->actor, w->now))
            r->next_audit_at = w->now;
    }
}

static void choose(struct work *w)
{
    struct record *r = w->r;
    if (r->state == CARD_RETIRED || r->state == CARD_IMPORTED_PARTIAL ||
        record_has_mark(r, MARK_QUARANTINED))
        return;
    if (r->flight.kind == FLIGHT_AUDIT) {
        // Not while its answer is waited for, which a new attempt would make worthless; and not
        // before a link had it, or each attempt would wait there behind the one before.
        const bool is_next_due = utc_is_due(r->next_audit_at, w->now) && r->dirty_since.ms != 0;
        bool is_urgent = is_next_due && r->flight.state == FLIGHT_SENT;
        for (uint8_t i = 0; i < r->confirm_count; i++)
            is_urgent |= r->confirms[i].operation_id != 0;
        if (is_urgent) { // a commanded switch, or the next attempt, does not wait for it
            flight_clear(w);
            // Without doubt there is no next attempt: the same is asked again behind it.
            r->audit.is_page_due = r->audit.is_open && r->dirty_since.ms == 0;
        }
    }
    if (r->flight.kind != FLIGHT_NONE)
        return;
    hurry_first_audit(w);
    if (send_confirm(w) || send_audit(w))
        return;
    send_next_operation(w);
}

void plan_next_packet(struct work *w)
{
    struct record *r = w->r;
    choose(w);
    for (uint8_t i = 0; r->has_open && i < r->queue_len; i++) {
        if (r->queue[i].status == STATUS_QUEUED && r->queue[i].hold == HOLD_NONE)
            r->queue[i].hold = HOLD_CARD_BUSY;
    }
}

// --- when to look again ----------------------------------------------------------------------

static void soonest(struct work *w, struct utc at)
{
    if (at.ms > w->now.ms && (w->r->wake_at.ms == 0 || at.ms < w->r->wake_at.ms))
        w->r->wake_at = at;
}

// What a restore holds is looked at from time to time: it ends with the doubt of other cards.
static void look_again(struct work *w, const struct operation *o)
{
    if (o->status == STATUS_QUEUED && o->hold == HOLD_RESTORED)
        soonest(w, utc_after(w->now, RESTORED_RETRY_MS));
}

void plan_wake(struct work *w)
{
    struct record *r = w->r;
    r->wake_at.ms = 0;
    if (r->state == CARD_RETIRED)
        return;
    if (r->has_open) {
        soonest(w, r->open.deadline);
        look_again(w, &r->open);
        if (r->open.status == STATUS_QUEUED) {
            soonest(w, r->open.not_before);
            soonest(w, r->open.not_after);
        }
    }
    if (r->queue_len > 0 || r->has_open)
        soonest(w, policy_quiet_until(w->policy, w->now));
    for (uint8_t i = 0; i < r->queue_len; i++) {
        soonest(w, r->queue[i].deadline);
        look_again(w, &r->queue[i]);
        soonest(w, r->queue[i].not_before);
        soonest(w, r->queue[i].not_after);
    }
    if (r->audit.is_open) {
        soonest(w, r->audit.operation.not_before);
        soonest(w, waits_until(&r->audit.operation));
    }
    if (bootstrap_is_active(r)) {
        soonest(w, r->bootstrap.due);
        if (!r->bootstrap.is_stalled)
            soonest(w, r->bootstrap.deadline);
    }
    soonest(w, bootstrap_starts_at(r, &w->policy->bootstrap));
    soonest(w, r->flight.deadline);
    soonest(w, r->gap_deadline);
    soonest(w, r->insecure_until);
    soonest(w, unreachable_at(w));
    soonest(w, unresolved_at(r));
    if (r->dirty_since.ms != 0)
        soonest(w, r->next_audit_at);
    if (!timers_are_idle(r))
        soonest(w, r->timers_due);
}
