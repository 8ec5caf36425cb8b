// The life of an operation, as section 9.2 has it [docs/api.md, operations].
#include "common/base/check.h"
#include "tests/model/registry_parts.h"

bool registry_is_changing(uint8_t kind)
{
    return kind != OPERATION_AUDIT && kind != OPERATION_READ_TIMERS && kind != OPERATION_NONE;
}

// --- finding them ------------------------------------------------------------------------------

struct operation *registry_open(struct registry_model *m)
{
    return m->r.has_open ? &m->r.open : NULL;
}

struct operation *registry_by_id(struct registry_model *m, uint64_t id)
{
    struct record *r = &m->r;
    if (id == 0)
        return NULL;
    if (r->has_open && r->open.id == id)
        return &r->open;
    if (r->audit.is_open && r->audit.operation.id == id)
        return &r->audit.operation;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].id == id)
            return &r->queue[i];
    }
    return NULL;
}

struct operation *registry_by_card_id(struct registry_model *m, uint32_t card_operation_id)
{
    struct record *r = &m->r;
    if (card_operation_id == 0)
        return NULL;
    if (r->has_open && r->open.card_operation_id == card_operation_id)
        return &r->open;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].card_operation_id == card_operation_id)
            return &r->queue[i];
    }
    return NULL;
}

struct operation *registry_by_counter(struct registry_model *m, uint64_t counter)
{
    struct record *r = &m->r;
    if (r->has_open && r->open.last_counter == counter)
        return &r->open;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].attempts > 0 && r->queue[i].last_counter == counter)
            return &r->queue[i];
    }
    return NULL;
}

// --- ends --------------------------------------------------------------------------------------

void registry_landed(struct registry_model *m)
{
    memset(&m->r.flight, 0, sizeof m->r.flight);
}

static void leave(struct registry_model *m, struct operation *o)
{
    struct record *r = &m->r;
    check(m->ended_count < DECISION_ENDED_MAX);
    m->ended[m->ended_count++] = *o;
    if (o == &r->open) {
        r->has_open = false;
        if (r->flight.kind == FLIGHT_OPERATION)
            registry_landed(m);
    } else if (o == &r->audit.operation) {
        memset(&r->audit, 0, sizeof r->audit);
        if (r->flight.kind == FLIGHT_AUDIT)
            registry_landed(m);
    } else {
        const size_t at = (size_t)(o - r->queue);
        r->queue_len--;
        memmove(&r->queue[at], &r->queue[at + 1], (r->queue_len - at) * sizeof r->queue[0]);
    }
}

// Given up without the card's word, and it may have run: it may still arrive, and the card is in
// doubt [decision 42].
static void end(struct registry_model *m, struct operation *o, uint8_t outcome, uint8_t failure,
                bool is_given_up)
{
    o->status = STATUS_ENDED;
    o->outcome = outcome;
    o->failure = failure;
    o->may_still_arrive = is_given_up && o->may_have_run;
    if (o->may_still_arrive && registry_is_changing(o->kind))
        registry_doubt(m, DIRTY_POR_TIMEOUT);
    leave(m, o);
}

void registry_end(struct registry_model *m, struct operation *o, uint8_t outcome, uint8_t failure)
{
    const bool is_given_up =
        outcome == OUTCOME_EXPIRED || outcome == OUTCOME_CANCELLED || outcome == OUTCOME_REFUSED;
    end(m, o, outcome, failure, is_given_up);
}

// Of the last packet nothing ran; of one before it something may have.
static void fail_last(struct registry_model *m, struct operation *o, uint8_t failure)
{
    end(m, o, OUTCOME_FAILED, failure, o->attempts > 1);
}

// --- times of section 9.3, with the card's own timers ------------------------------------------

int64_t registry_waits_ms(const struct parameters *p)
{
    int64_t sum = 0;
    for (uint8_t i = 0; i < p->wait_count; i++)
        sum += p->waits_s[i];
    return sum * SECOND_MS;
}

int64_t registry_switch_ms(const struct record *r)
{
    const struct parameters *p = &r->parameters;
    return (30 + p->refresh_s + p->attach_s + 120) * SECOND_MS + registry_waits_ms(p);
}

int64_t registry_rollback_ms(const struct record *r)
{
    const struct parameters *p = &r->parameters;
    return registry_switch_ms(r) + (p->attach_s + 30) * SECOND_MS + registry_waits_ms(p);
}

// OK_PENDING, or ENABLED when that came first.
void registry_begin_switch(struct registry_model *m, struct operation *o)
{
    o->por_at = m->now;
    o->confirm_until.ms = m->now.ms + registry_switch_ms(&m->r);
    o->rollback_until.ms = m->now.ms + registry_rollback_ms(&m->r);
}

// Section 9.2, the third column: how long it waits in this status. A packet is with a link until
// the outbox ends it; of CONFIRM a receipt moves the time, which is not judged.
static struct utc until(const struct registry_model *m, const struct operation *o)
{
    const struct policy *p = m->context->policy;
    switch ((enum operation_status)o->status) {
    case STATUS_SENT:
        return utc_after(m->now, (int64_t)m->r.flight.validity_ms + p->receipt_margin_ms);
    case STATUS_DELIVERED:
        return utc_after(m->now, p->por_ms);
    case STATUS_SWITCHING:
        return o->confirm_until;
    case STATUS_CONFIRMING:
        return utc_after(m->now, p->confirm_silent_ms);
    case STATUS_UNKNOWN: // the card may still tell of a rollback
        return o->rollback_until.ms > m->now.ms ? o->rollback_until : (struct utc){0};
    case STATUS_AWAIT_APPROVAL:
    case STATUS_QUEUED:
    case STATUS_SENDING:
    case STATUS_ENDED:
        break;
    }
    return (struct utc){0};
}

static bool is_packet_under_way(const struct operation *o)
{
    return o->status == STATUS_SENDING || o->status == STATUS_SENT || o->status == STATUS_DELIVERED;
}

static void wait_for(struct registry_model *m, struct operation *o, uint8_t status)
{
    o->status = status;
    o->deadline = until(m, o);
    if (!is_packet_under_way(o) && m->r.flight.kind == FLIGHT_OPERATION && o == &m->r.open)
        registry_landed(m);
}

static void unknown(struct registry_model *m, struct operation *o, uint8_t reason)
{
    o->is_uncertain = true;
    wait_for(m, o, STATUS_UNKNOWN);
    registry_doubt(m, reason);
}

static void again(struct registry_model *m, struct operation *o, int64_t after_ms)
{
    wait_for(m, o, STATUS_QUEUED);
    o->not_before.ms = m->now.ms + after_ms;
}

// "Expired, nothing delivered": section 10.
static void retry(struct registry_model *m, struct operation *o)
{
    const struct policy *p = m->context->policy;
    if (o->retries < p->retry.count) {
        again(m, o, p->retry.after_s[o->retries++] * (int64_t)SECOND_MS);
        return;
    }
    again(m, o, 0);
    o->at_next_contact = p->retry_at_contact;
    if (!p->retry_at_contact)
        registry_end(m, o, OUTCOME_EXPIRED, FAILURE_DELIVERY_EXPIRED);
}

// --- what happens ------------------------------------------------------------------------------

static void timed_out(struct registry_model *m, struct operation *o)
{
    const struct flight *f = &m->r.flight;
    switch ((enum operation_status)o->status) {
    case STATUS_SENT:
        if (f->delivered_set != 0)
            unknown(m, o, DIRTY_PARTIAL_MULTI_SMS);
        else
            unknown(m, o, f->is_submit_unknown ? DIRTY_SUBMIT_OUTCOME_UNKNOWN : DIRTY_POR_TIMEOUT);
        break;
    case STATUS_DELIVERED:
        unknown(m, o, DIRTY_POR_MISSING_BUT_DELIVERED);
        break;
    case STATUS_SWITCHING:
        unknown(m, o, DIRTY_SWITCH_NO_NOTIFY);
        break;
    case STATUS_CONFIRMING:
        unknown(m, o, DIRTY_CONFIRM_UNACKNOWLEDGED);
        break;
    case STATUS_UNKNOWN: // the rollback was not told either
        o->deadline.ms = 0;
        registry_doubt(m, DIRTY_ROLLBACK_UNCONFIRMED);
        break;
    case STATUS_AWAIT_APPROVAL:
        registry_end(m, o, OUTCOME_EXPIRED, FAILURE_APPROVAL_EXPIRED);
        break;
    case STATUS_QUEUED:
        registry_end(m, o, OUTCOME_EXPIRED, FAILURE_DELIVERY_EXPIRED);
        break;
    case STATUS_SENDING:
    case STATUS_ENDED:
        break;
    }
}

// A link's word on the packet, while it waits for that.
static void submitted(struct registry_model *m, struct operation *o, enum happening what)
{
    if (o->status != STATUS_SENDING)
        return;
    if (what == HAPPENED_ACCEPTED || what == HAPPENED_SUBMIT_UNKNOWN) {
        wait_for(m, o, STATUS_SENT);
    } else if (what == HAPPENED_SUBMIT_TEMPORARY) {
        retry(m, o);
    } else if (what == HAPPENED_SUBMIT_REJECTED) {
        fail_last(m, o, FAILURE_SUBMIT_REJECTED);
    } else if (what == HAPPENED_SUBMIT_PARTIAL) {
        unknown(m, o, DIRTY_PARTIAL_MULTI_SMS);
    } else { // UNSENT: as if it had not been built
        o->attempts--;
        o->may_have_run &= o->attempts > 0;
        wait_for(m, o, STATUS_QUEUED);
    }
}

// The network's word.
static void received(struct registry_model *m, struct operation *o, enum happening what)
{
    if (o->status != STATUS_SENDING && o->status != STATUS_SENT)
        return;
    if (what == HAPPENED_DELIVERED)
        wait_for(m, o, STATUS_DELIVERED);
    else if (what == HAPPENED_LOST)
        retry(m, o);
    else
        unknown(m, o, DIRTY_PARTIAL_MULTI_SMS);
}

// An answer to the command counts while it is the first word of the card.
static bool is_first_word(const struct operation *o)
{
    return o->status == STATUS_QUEUED || o->status == STATUS_UNKNOWN || is_packet_under_way(o);
}

static void busy(struct registry_model *m, struct operation *o)
{
    if (o->busy_tries >= 8) {
        end(m, o, OUTCOME_FAILED, FAILURE_CARD_REFUSED, false);
        return;
    }
    o->busy_tries++;
    o->may_have_run = false;
    o->card_operation_id = 0; // the card may keep the refusal under it [decision 20]
    again(m, o, 15 * (int64_t)MINUTES_MS);
}

// The card kept not even the counter: a copy of the packet may still run [decision 20].
static void memory_failed(struct registry_model *m, struct operation *o)
{
    if (o->nvm_tries > 0) {
        end(m, o, OUTCOME_FAILED, FAILURE_CARD_REFUSED, true);
        return;
    }
    o->nvm_tries++;
    again(m, o, HOURS_MS);
}

static void answered(struct registry_model *m, struct operation *o, enum happening what)
{
    if (!is_first_word(o))
        return;
    if (what == HAPPENED_DONE) {
        end(m, o, OUTCOME_DONE, FAILURE_NONE, false);
    } else if (what == HAPPENED_PENDING) {
        registry_begin_switch(m, o);
        wait_for(m, o, STATUS_SWITCHING);
    } else if (what == HAPPENED_REFUSED) {
        end(m, o, OUTCOME_FAILED, FAILURE_CARD_REFUSED, false);
    } else if (what == HAPPENED_BUSY) {
        busy(m, o);
    } else if (what == HAPPENED_NVM) {
        memory_failed(m, o);
    } else {
        unknown(m, o, DIRTY_UNKNOWN_POR_STATUS);
    }
}

static void refused_packet(struct registry_model *m, struct operation *o, enum happening what)
{
    if (what == HAPPENED_WAIT || what == HAPPENED_INSECURE) {
        if (!is_packet_under_way(o))
            return;
    } else if (!is_first_word(o)) {
        return;
    }
    if (what == HAPPENED_WAIT) { // doubled once
        struct flight *f = &m->r.flight;
        const bool is_first = !f->is_extended;
        const struct utc former = o->deadline;
        f->is_extended = true;
        wait_for(m, o, STATUS_DELIVERED);
        o->deadline =
            is_first ? utc_after(m->now, 2 * (int64_t)m->context->policy->por_ms) : former;
    } else if (what == HAPPENED_COUNTER) {
        unknown(m, o, DIRTY_COUNTER_MISMATCH);
    } else if (what == HAPPENED_INSECURE) {
        unknown(m, o, DIRTY_UNKNOWN_POR_STATUS);
    } else if (what == HAPPENED_BLOCKED) { // also after a first copy of it ran
        registry_mark(m, MARK_QUARANTINED);
        end(m, o, OUTCOME_FAILED, FAILURE_POR_ERROR, true);
    } else {
        fail_last(m, o, FAILURE_POR_ERROR);
    }
}

static bool is_switch_open(const struct operation *o)
{
    return o->status == STATUS_SWITCHING || o->status == STATUS_CONFIRMING;
}

static void told(struct registry_model *m, struct operation *o, enum happening what)
{
    if (o->status == STATUS_AWAIT_APPROVAL)
        return;
    if (what == HAPPENED_ENABLED) {
        o->is_enabled_seen = true;
        wait_for(m, o, STATUS_CONFIRMING);
    } else if (what == HAPPENED_ENABLED_LATE) {
        if (is_switch_open(o))
            unknown(m, o, DIRTY_SWITCH_NO_NOTIFY);
    } else if (what == HAPPENED_ROLLED_BACK) {
        end(m, o, OUTCOME_ROLLED_BACK, FAILURE_ROLLED_BACK, false);
    } else {
        o->has_result = true;
        o->result = RESULT_TERMINAL_INCAPABLE;
        end(m, o, OUTCOME_FAILED, FAILURE_CARD_REFUSED, false);
    }
}

static void confirm_answered(struct registry_model *m, struct operation *o, enum happening what)
{
    const bool is_waiting = o->status == STATUS_CONFIRMING;
    if (!is_waiting && o->status != STATUS_UNKNOWN)
        return;
    if (what == HAPPENED_CONFIRMED)
        end(m, o, OUTCOME_DONE, FAILURE_NONE, false);
    else if (what == HAPPENED_CONFIRM_TOO_LATE)
        unknown(m, o, DIRTY_LATE_CONFIRM);
    else if (is_waiting)
        unknown(m, o, DIRTY_UNKNOWN_POR_STATUS);
}

void registry_happened(struct registry_model *m, struct operation *o, enum happening what)
{
    switch (what) {
    case HAPPENED_BUILT:
        wait_for(m, o, STATUS_SENDING);
        break;
    case HAPPENED_ACCEPTED:
    case HAPPENED_SUBMIT_UNKNOWN:
    case HAPPENED_SUBMIT_TEMPORARY:
    case HAPPENED_SUBMIT_REJECTED:
    case HAPPENED_SUBMIT_PARTIAL:
    case HAPPENED_UNSENT:
        submitted(m, o, what);
        break;
    case HAPPENED_DELIVERED:
    case HAPPENED_LOST:
    case HAPPENED_PART_LOST:
        received(m, o, what);
        break;
    case HAPPENED_TIMEOUT:
        timed_out(m, o);
        break;
    case HAPPENED_DONE:
    case HAPPENED_PENDING:
    case HAPPENED_REFUSED:
    case HAPPENED_BUSY:
    case HAPPENED_NVM:
    case HAPPENED_NOT_UNDERSTOOD:
        answered(m, o, what);
        break;
    case HAPPENED_COUNTER:
    case HAPPENED_BLOCKED:
    case HAPPENED_PACKET_REFUSED:
    case HAPPENED_INSECURE:
    case HAPPENED_WAIT:
        refused_packet(m, o, what);
        break;
    case HAPPENED_ENABLED:
    case HAPPENED_ENABLED_LATE:
    case HAPPENED_ROLLED_BACK:
    case HAPPENED_SWITCH_FAILED:
        told(m, o, what);
        break;
    case HAPPENED_CONFIRMED:
    case HAPPENED_CONFIRM_TOO_LATE:
    case HAPPENED_CONFIRM_UNKNOWN:
        confirm_answered(m, o, what);
        break;
    case HAPPENED_RESTART:
        if (is_packet_under_way(o) || is_switch_open(o))
            unknown(m, o, DIRTY_SERVER_RESTART_WITH_OPEN_OP);
        break;
    case HAPPENED_UNREACHABLE:
        if (o->status == STATUS_UNKNOWN)
            end(m, o, OUTCOME_UNRESOLVED, FAILURE_CARD_UNREACHABLE, false);
        break;
    case HAPPENED_AUDIT_PENDING:
        registry_begin_switch(m, o);
        wait_for(m, o, STATUS_SWITCHING);
        break;
    case HAPPENED_AUDIT_AGAIN:
        o->may_have_run = false;
        wait_for(m, o, STATUS_QUEUED);
        o->not_before = m->now;
        break;
    }
}
