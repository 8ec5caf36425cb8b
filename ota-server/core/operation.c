// The machinery around the rules: one transition, its effect, its time-out, its traces.
#include "ota-server/core/work.h"

#define BUSY_RETRY_MS (15 * MINUTE_MS)

uint32_t switch_ms(const struct record *r)
{
    const struct parameters *p = &r->parameters;
    return (30u + p->refresh_s + p->attach_s + parameters_waits_sum_s(p) + 120u) * 1000u;
}

uint32_t rollback_ms(const struct record *r)
{
    const struct parameters *p = &r->parameters;
    return switch_ms(r) + (p->attach_s + parameters_waits_sum_s(p) + 30u) * 1000u;
}

void flight_clear(struct work *w)
{
    struct record *r = w->r;
    if (r->flight.kind == FLIGHT_AUDIT && r->audit.is_open) { // it waits for its next packet
        r->audit.operation.status = STATUS_QUEUED;
        r->audit.operation.hold = HOLD_RETRY;
    }
    memset(&r->flight, 0, sizeof(r->flight));
}

void operation_set_deadline(struct work *w, struct operation *o)
{
    const struct flight *f = &w->r->flight;
    switch ((enum operation_status)o->status) {
    case STATUS_SENDING:
    case STATUS_SENT:
    case STATUS_DELIVERED:
        o->deadline = f->deadline;
        break;
    case STATUS_SWITCHING:
        o->deadline = o->confirm_until;
        break;
    case STATUS_CONFIRMING:
        o->deadline = utc_after(w->now, w->policy->confirm_silent_ms);
        break;
    case STATUS_UNKNOWN:
        // The card may still tell that it rolled back.
        o->deadline = o->rollback_until.ms > w->now.ms ? o->rollback_until : (struct utc){0};
        break;
    case STATUS_AWAIT_APPROVAL:
    case STATUS_QUEUED:
    case STATUS_ENDED:
        o->deadline.ms = 0;
        break;
    }
}

static void again(struct work *w, struct operation *o, int64_t after_ms)
{
    o->not_before = utc_after(w->now, after_ms);
    o->hold = HOLD_RETRY;
}

// What was sent is said not to arrive any more, unless an earlier packet of it is in doubt.
static void nothing_arrives(struct operation *o)
{
    o->sent_any = o->is_uncertain;
}

void operation_retry_later(struct work *w, struct operation *o)
{
    nothing_arrives(o);
    const struct policy_steps *steps = &w->policy->retry;
    if (o->retries < steps->count) {
        again(w, o, (int64_t)steps->after_s[o->retries++] * 1000);
        return;
    }
    if (!w->policy->retry_at_contact) {
        o->not_after = w->now; // its time is over with this event
        return;
    }
    o->at_next_contact = true;
    o->hold = HOLD_NEXT_CONTACT;
}

void operation_unsend(struct work *w, struct operation *o)
{
    const struct event_submit *s = &w->e->as.submit;
    o->sms_mt -= s->parts < o->sms_mt ? s->parts : o->sms_mt;
    o->bytes_mt -= s->octets < o->bytes_mt ? s->octets : o->bytes_mt;
    if (w->r->flight.kind == FLIGHT_CONFIRM)
        return; // it was no attempt of the operation's own
    o->attempts -= o->attempts > 0;
    nothing_arrives(o);
    if (o->attempts == 0)
        o->may_have_run = false;
}

static void confirmed(struct work *w, struct operation *o)
{
    struct record *r = w->r;
    struct mirror_slot *slot = mirror_slot_named(w, &o->target);
    r->switch_id = o->card_operation_id;
    r->switch_until = o->confirm_until;
    if (slot == NULL)
        return;
    if (slot->fact.state == SLOT_ENABLED) // as the card does: it may have moved on since
        r->preferred = slot->subscription;
    if (o->kind == OPERATION_DOWNLOAD && (o->flags & COMMAND_FLAG_SET_FALLBACK) != 0)
        mirror_fallback(w, slot);
    if (slot->fact.role == ROLE_OPERATIONAL && r->state < CARD_OPERATIONAL &&
        r->state != CARD_BOOTSTRAPPING && !bootstrap_is_owed(w)) {
        work_trail(w, "card.state", o->id, card_state_name(r->state), "OPERATIONAL", "confirmed");
        r->state = CARD_OPERATIONAL;
    }
}

static void run_effect(struct work *w, struct operation *o, uint8_t effect)
{
    switch ((enum effect)effect) {
    case EFFECT_NONE:
    case EFFECT_IGNORE:
    case EFFECT_CONFIRM: // queued with the notification that asks for it
        break;
    case EFFECT_UNSEND:
        operation_unsend(w, o);
        break;
    case EFFECT_RETRY_LATER:
        operation_retry_later(w, o);
        break;
    case EFFECT_RETRY_BUSY:
        o->busy_tries++;
        nothing_arrives(o);
        o->may_have_run = false;
        o->card_operation_id = 0; // nothing ran: the next packet is a new intention to the card
        again(w, o, BUSY_RETRY_MS);
        break;
    case EFFECT_RETRY_NVM:
        o->nvm_tries++; // the counter was not kept either: a copy of the packet may still run
        again(w, o, HOUR_MS);
        break;
    case EFFECT_SWITCH:
        o->por_at = w->now;
        o->confirm_until = utc_after(w->now, switch_ms(w->r));
        o->rollback_until = utc_after(w->now, rollback_ms(w->r));
        break;
    case EFFECT_EXTEND:
        if (!w->r->flight.is_extended)
            w->r->flight.deadline = utc_after(w->now, 2 * (int64_t)w->policy->por_ms);
        w->r->flight.is_extended = true;
        break;
    case EFFECT_AGAIN_NEW:
        o->card_operation_id = 0;
        o->may_have_run = false;
        again(w, o, 0);
        break;
    case EFFECT_AGAIN_SAME:
        o->may_have_run = false;
        again(w, o, 0);
        break;
    case EFFECT_CONFIRMED:
        confirmed(w, o);
        break;
    case EFFECT_QUARANTINE:
        work_quarantine(w, "counter blocked");
        break;
    case EFFECT_ALARM_NVM:
        work_alarm(w, ALARM_CARD_NVM_ERROR, true);
        break;
    }
}

bool operation_is_switch(const struct operation *o)
{
    return o->kind == OPERATION_ENABLE || o->kind == OPERATION_DISABLE ||
           (o->kind == OPERATION_DOWNLOAD && (o->flags & COMMAND_FLAG_ENABLE) != 0);
}

// The card tells of a switch without rollback until that is confirmed, however long it takes.
static void note_switch(struct work *w, const struct operation *o)
{
    if (!operation_is_switch(o) || o->card_operation_id == 0 ||
        (o->flags & COMMAND_FLAG_ROLLBACK) != 0)
        return;
    w->r->switch_id = o->card_operation_id;
    w->r->switch_until.ms = 0; // at any time
}

static void forget_late(struct record *r, uint8_t index)
{
    r->late_count--;
    memmove(&r->late[index], &r->late[index + 1], (r->late_count - index) * sizeof(r->late[0]));
}

static void note_late(struct record *r, const struct operation *o)
{
    if (r->late_count == RECORD_LATE_MAX) // its mark stays for ever
        forget_late(r, 0);
    struct late *late = &r->late[r->late_count++];
    *late = (struct late){.operation = o->id,
                          .card_operation_id = o->card_operation_id,
                          .subscription = o->subscription,
                          .counter = o->last_counter,
                          .kind = o->kind,
                          .is_barred = o->download.is_barred};
    memcpy(late->imsi, o->download.imsi, sizeof(late->imsi));
    memcpy(late->number, o->download.number, sizeof(late->number));
}

void note_ran(struct record *r, const struct operation *o)
{
    if (operation_is_state_changing(o->kind) && r->operation_id_ran < o->card_operation_id)
        r->operation_id_ran = o->card_operation_id;
}

uint8_t late_outcome(uint8_t code)
{
    switch (code) {
    case RESULT_OK:
    case RESULT_OK_UNCHANGED:
        return OUTCOME_DONE;
    case RESULT_OK_PENDING:  // its end is not told yet
    case RESULT_OPID_REUSED: // it ran, or another one did
    case RESULT_OPID_EXPIRED:
        return OUTCOME_UNRESOLVED;
    case RESULT_BUSY_SWITCHING:
    case RESULT_NVM_ERROR:
        return OUTCOME_NONE;
    default: // octets
        return OUTCOME_FAILED;
    }
}

// What was deleted on the card is its pool's again, or another card's by now: a download that ended
// without the card's word does not bring it any more, for its counter is too low.
static void unname_late(struct record *r, uint64_t subscription)
{
    for (uint8_t i = 0; i < r->late_count; i++) {
        struct late *late = &r->late[i];
        if (late->kind != OPERATION_DOWNLOAD || late->subscription != subscription)
            continue;
        late->subscription = 0;
        memset(late->imsi, 0, sizeof(late->imsi));
        memset(late->number, 0, sizeof(late->number));
    }
}

void late_settle(struct work *w, uint32_t card_operation_id, uint8_t outcome, uint8_t code)
{
    struct record *r = w->r;
    if (outcome == OUTCOME_UNRESOLVED || w->d->settled_count == RECORD_LATE_MAX)
        return;
    for (uint8_t i = 0; i < r->late_count; i++) {
        const struct operation o = {.id = r->late[i].operation};
        if (r->late[i].card_operation_id != card_operation_id)
            continue;
        const char *after = outcome == OUTCOME_NONE ? "never ran" : operation_outcome_name(outcome);
        const bool is_deleted = r->late[i].kind == OPERATION_DELETE && outcome == OUTCOME_DONE;
        const uint64_t deleted = is_deleted ? r->late[i].subscription : 0;
        w->d->settled[w->d->settled_count++] = (struct settlement){o.id, outcome, code, deleted};
        work_step(w, &o, STEP_RECONCILED, after);
        work_trail(w, "operation.corrected", o.id, "", after, event_type_name(w->e->type));
        // The mirror shows it still: its subscription can go back only with the mirror.
        const bool is_shown = is_deleted && record_slot_of(r, r->late[i].subscription) != NULL;
        if (is_shown || (r->late[i].kind == OPERATION_DOWNLOAD && outcome == OUTCOME_DONE))
            r->late[i].card_operation_id = 0;
        else
            forget_late(r, i);
        unname_late(r, deleted);
        return;
    }
}

void late_mirrored(struct work *w)
{
    struct record *r = w->r;
    uint8_t i = 0;
    while (i < r->late_count) {
        const struct late *late = &r->late[i];
        if (late->card_operation_id != 0) {
            i++;
            continue;
        }
        const bool is_gone =
            late->kind == OPERATION_DELETE && record_slot_of(r, late->subscription) == NULL;
        if (is_gone && w->d->settled_count < RECORD_LATE_MAX)
            w->d->settled[w->d->settled_count++] =
                (struct settlement){late->operation, OUTCOME_NONE, 0, late->subscription};
        forget_late(r, i);
    }
}

void late_forget(struct work *w, uint32_t card_operation_id)
{
    for (uint8_t i = 0; i < w->r->late_count; i++) {
        if (w->r->late[i].card_operation_id == card_operation_id) {
            forget_late(w->r, i);
            return;
        }
    }
}

// Takes the operation out of the record and keeps its last form in the decision.
static void leave(struct work *w, struct operation *o)
{
    struct record *r = w->r;
    note_switch(w, o);
    if (o->may_have_run && (o->may_still_arrive || o->outcome == OUTCOME_UNRESOLVED))
        note_late(r, o);
    // Its answer was lost, but not its notification: the mirror has no slot for it yet.
    const bool is_there = o->outcome == OUTCOME_DONE || o->outcome == OUTCOME_ROLLED_BACK;
    if (o->kind == OPERATION_DOWNLOAD && is_there && record_slot_named(r, &o->target) == NULL) {
        note_late(r, o);
        r->late[r->late_count - 1].card_operation_id = 0;
    }
    if (o->kind == OPERATION_DELETE && o->outcome == OUTCOME_DONE)
        unname_late(r, o->subscription);
    if (w->d->ended_count < DECISION_ENDED_MAX)
        w->d->ended[w->d->ended_count++] = *o;
    if (r->has_open && o == &r->open) {
        if (r->flight.kind == FLIGHT_OPERATION)
            flight_clear(w);
        r->has_open = false;
        memset(o, 0, sizeof(*o));
        return;
    }
    if (o == &r->audit.operation) {
        memset(&r->audit, 0, sizeof(r->audit));
        return;
    }
    const size_t index = (size_t)(o - r->queue);
    memmove(o, o + 1, (r->queue_len - index - 1u) * sizeof(*o));
    r->queue_len--;
}

// Is only the last packet over with this input? Of it nothing ran, but of one before, something may
// have; and a card may have become blocked after a first copy of it ran.
static bool is_of_last(const struct operation *o, uint8_t input)
{
    const bool is_alone = o->attempts <= 1;
    return input == IN_BLOCKED ||
           ((input == IN_SUBMIT_REJECTED || input == IN_PACKET_REFUSED) && !is_alone);
}

void operation_input(struct work *w, struct operation *o, uint8_t input)
{
    const struct rule *rule = rule_of(o->status, input);
    if (rule == NULL || rule->effect == EFFECT_IGNORE)
        return;
    const uint8_t before = o->status;
    const uint64_t id = o->id;
    const bool is_packet_over =
        rule->next != STATUS_SENDING && rule->next != STATUS_SENT && rule->next != STATUS_DELIVERED;
    if (rule->dirty != DIRTY_NONE)
        o->is_uncertain = true;
    run_effect(w, o, rule->effect);
    if (is_packet_over && o == &w->r->open && w->r->flight.kind == FLIGHT_OPERATION)
        flight_clear(w);
    if (rule->next != STATUS_SAME)
        o->status = rule->next;
    operation_set_deadline(w, o);
    if (rule->next == STATUS_QUEUED && before == STATUS_AWAIT_APPROVAL)
        o->hold = HOLD_NONE;
    if (rule->dirty != DIRTY_NONE)
        work_dirty(w, rule->dirty, id);
    if (o->status == STATUS_ENDED) {
        o->outcome = rule->outcome;
        o->failure = rule->failure;
        o->hold = HOLD_NONE;
        o->ended_at = w->now;
        const bool is_given_up = o->outcome == OUTCOME_EXPIRED || o->outcome == OUTCOME_CANCELLED ||
                                 o->outcome == OUTCOME_REFUSED || is_of_last(o, input) ||
                                 rule->effect == EFFECT_ALARM_NVM;
        // What a receipt says does not count: it may be wrong.
        o->may_still_arrive = is_given_up && o->may_have_run;
        if (o->may_still_arrive && operation_is_state_changing(o->kind))
            work_dirty(w, DIRTY_POR_TIMEOUT, id);
        work_step(w, o, STEP_ENDED, operation_outcome_name(o->outcome));
        work_trail(w, "operation.ended", id, operation_status_name(before),
                   operation_outcome_name(o->outcome), input_name(input));
        leave(w, o);
    } else if (o->status != before &&
               (o->status == STATUS_UNKNOWN || before == STATUS_UNKNOWN ||
                before == STATUS_AWAIT_APPROVAL || o->status == STATUS_QUEUED)) {
        work_trail(w, "operation.status", id, operation_status_name(before),
                   operation_status_name(o->status), input_name(input));
    }
}

void operation_refuse(struct work *w, struct operation *o, uint8_t refusal)
{
    work_step(w, o, STEP_CHECKED, refusal_name(refusal));
    operation_input(w, o, IN_REFUSED_AT_SEND);
}
