// Answers of the card: sections 9.2, 10 and 11.1.
#include "common/wire/secured.h"
#include "tests/model/registry_parts.h"

static bool was_answered(const struct record *r, uint64_t counter)
{
    for (unsigned i = 0; i < RECORD_ANSWERED_MAX; i++) {
        if (r->answered[i] == counter)
            return true;
    }
    return false;
}

static enum happening happening_of(uint8_t code)
{
    switch ((enum result_code)code) {
    case RESULT_OK:
    case RESULT_OK_UNCHANGED:
        return HAPPENED_DONE;
    case RESULT_OK_PENDING:
        return HAPPENED_PENDING;
    case RESULT_BUSY_SWITCHING:
        return HAPPENED_BUSY;
    case RESULT_NVM_ERROR:
        return HAPPENED_NVM;
    case RESULT_OPID_REUSED:
    case RESULT_OPID_EXPIRED:
    case RESULT_CONFIRM_UNKNOWN:
    case RESULT_CONFIRM_TOO_LATE:
        return HAPPENED_NOT_UNDERSTOOD;
    case RESULT_NOT_FOUND:
    case RESULT_IS_ENABLED:
    case RESULT_IS_FALLBACK:
    case RESULT_POLICY_FORBIDS:
    case RESULT_ALREADY_INSTALLED:
    case RESULT_NO_FREE_SLOT:
    case RESULT_NO_MEMORY:
    case RESULT_TEMPLATE_UNKNOWN:
    case RESULT_KEY_CHECK_FAILED:
    case RESULT_BAD_DATA:
    case RESULT_BAD_FORMAT:
    case RESULT_UNKNOWN_COMMAND:
    case RESULT_UNKNOWN_PARAMETER:
    case RESULT_OUT_OF_RANGE:
    case RESULT_TERMINAL_INCAPABLE:
    case RESULT_NOT_PROVEN:
        return HAPPENED_REFUSED;
    }
    return HAPPENED_NOT_UNDERSTOOD;
}

// Of a CONFIRM: `is_newest`: nothing left for the card since, or it tells of something newer.
static void confirm_answered(struct registry_model *m, const struct event_por *p, bool is_newest)
{
    struct record *r = &m->r;
    const uint8_t code = p->result.code;
    const bool is_good = code == RESULT_OK || code == RESULT_OK_UNCHANGED;
    const bool is_newer = p->result.registry_version > r->registry_version;
    struct operation *o = registry_by_card_id(m, p->result.operation_id);
    const bool is_waiting =
        o != NULL && (o->status == STATUS_CONFIRMING || o->status == STATUS_UNKNOWN);
    if (is_waiting && is_good)
        registry_confirmed(m, o);
    else if (o == NULL && code == RESULT_OK && p->result.operation_id != 0 &&
             p->result.operation_id == r->switch_id)
        registry_confirmed(m, NULL); // an audit ended the switch meanwhile
    if (o != NULL)
        registry_happened(m, o,
                          is_good                           ? HAPPENED_CONFIRMED
                          : code == RESULT_CONFIRM_TOO_LATE ? HAPPENED_CONFIRM_TOO_LATE
                                                            : HAPPENED_CONFIRM_UNKNOWN);
    if (is_newest && code == RESULT_OK)
        registry_compare_state(m, p->result.registry_version, p->result.has_hash,
                               p->result.state_hash, true);
    else if (o != NULL && code == RESULT_OK && is_newer)
        r->registry_version = p->result.registry_version; // as it was when the card confirmed
}

// Somebody else has the keys and used the counter first, or the card cannot tell whose it is: one
// that could not read a command names none.
static bool is_of_another(const struct operation *o, const struct event_por *p)
{
    const uint8_t code = p->result.code;
    const bool is_unread = p->result.operation_id == 0 &&
                           (code == RESULT_BAD_FORMAT || code == RESULT_UNKNOWN_COMMAND);
    const bool is_other = p->result.operation_id != o->card_operation_id ||
                          p->result.command != registry_command_of(o->kind);
    return is_other && !is_unread;
}

static void command_answered(struct registry_model *m, const struct event_por *p,
                             struct operation *o)
{
    struct record *r = &m->r;
    if (is_of_another(o, p)) {
        registry_happened(m, o, HAPPENED_NOT_UNDERSTOOD);
        return;
    }
    enum happening what = happening_of(p->result.code);
    const bool has_run = what == HAPPENED_DONE || what == HAPPENED_PENDING;
    const bool is_newest = p->counter == r->mt_counter && !p->result.replayed;
    const bool is_first = o->status != STATUS_CONFIRMING && o->status != STATUS_SWITCHING;
    if (is_first && what == HAPPENED_REFUSED && !registry_shows(m, o, p->result.code))
        registry_doubt(m, DIRTY_GUARD_DISAGREEMENT);
    o->has_result = true;
    o->result = p->result.code;
    if (has_run && o->status != STATUS_CONFIRMING)
        registry_carry_out(m, o, p);
    registry_happened(m, o, what);
    if (p->result.code == RESULT_OPID_REUSED)
        registry_numbers_gone(m);
    if (is_newest && what != HAPPENED_NOT_UNDERSTOOD)
        registry_compare_state(m, p->result.registry_version, p->result.has_hash,
                               p->result.state_hash, has_run);
    else if (has_run && r->has_registry_version && p->result.registry_version > r->registry_version)
        r->registry_version = p->result.registry_version; // as it was when the command ran
}

static enum happening happening_of_status(uint8_t status)
{
    switch (status) {
    case SECURED_STATUS_CNTR_LOW:
    case SECURED_STATUS_CNTR_HIGH:
        return HAPPENED_COUNTER;
    case SECURED_STATUS_CNTR_BLOCKED:
        return HAPPENED_BLOCKED;
    case SECURED_STATUS_NO_MEMORY:
    case SECURED_STATUS_TAR_UNKNOWN:
    case SECURED_STATUS_LEVEL_TOO_LOW:
        return HAPPENED_PACKET_REFUSED;
    case SECURED_STATUS_MORE_TIME:
    case SECURED_STATUS_FOLLOWS_BY_SUBMIT:
    case SECURED_STATUS_FOLLOWS_BY_USSD:
        return HAPPENED_WAIT;
    default: // octets
        return HAPPENED_NOT_UNDERSTOOD;
    }
}

// Section 10: 02 behind a repetition by the network tells of the packet's first copy. What it means
// of a question no row says.
static void counter_refused(struct registry_model *m, const struct event_por *p)
{
    const struct flight *f = &m->r.flight;
    const bool was_repeated =
        f->counter == p->counter && f->is_repeated && p->status == SECURED_STATUS_CNTR_LOW;
    if (was_repeated && f->kind == FLIGHT_AUDIT)
        m->left |= REGISTRY_NUMBERS;
    if (!was_repeated)
        registry_jump(m);
}

// The card refused the packet, or says nothing of what was in it.
static void packet_refused(struct registry_model *m, const struct event_por *p)
{
    struct record *r = &m->r;
    const enum happening what = happening_of_status(p->status);
    struct operation *o = r->flight.kind == FLIGHT_OPERATION ? registry_open(m) : NULL;
    if (what == HAPPENED_COUNTER)
        counter_refused(m, p);
    if (what == HAPPENED_WAIT && o == NULL)
        return;
    if (o != NULL) {
        registry_happened(m, o, what);
        return;
    }
    if (what == HAPPENED_COUNTER)
        registry_doubt(m, DIRTY_COUNTER_MISMATCH);
    else if (what == HAPPENED_BLOCKED)
        registry_mark(m, MARK_QUARANTINED);
    else if (r->flight.kind == FLIGHT_AUDIT && r->audit.is_open && what == HAPPENED_NOT_UNDERSTOOD)
        registry_doubt(m, DIRTY_UNKNOWN_POR_STATUS);
    registry_landed(m);
}

// A hint, which anybody may have made: the packet under way is given up, and the counter jumps.
static void insecure(struct registry_model *m, const struct event_por *p)
{
    struct record *r = &m->r;
    const bool is_error =
        p->status == SECURED_STATUS_CHECK_FAILED || p->status == SECURED_STATUS_CIPHERING_ERROR ||
        p->status == SECURED_STATUS_UNIDENTIFIED_ERROR || p->status == SECURED_STATUS_TAR_UNKNOWN ||
        p->status == SECURED_STATUS_LEVEL_TOO_LOW;
    const bool is_ours =
        r->flight.kind != FLIGHT_NONE && (p->counter == r->flight.counter || p->counter == 0);
    if (!is_ours || !is_error)
        return;
    registry_jump(m);
    r->insecure_answers += r->insecure_answers < 3;
    struct operation *o = r->flight.kind == FLIGHT_OPERATION ? registry_open(m) : NULL;
    if (o != NULL)
        registry_happened(m, o, HAPPENED_INSECURE);
    else
        registry_doubt(m, DIRTY_UNKNOWN_POR_STATUS);
    registry_landed(m);
}

static void late_command(struct registry_model *m, const struct event_por *p)
{
    const struct late *late = registry_late(m, p->result.operation_id);
    const uint8_t code = p->result.code;
    registry_doubt(m, DIRTY_LATE_POR);
    if (late == NULL || registry_command_of(late->kind) != p->result.command)
        return;
    if (code == RESULT_OPID_REUSED)
        registry_numbers_gone(m);
    else if (code != RESULT_NVM_ERROR) // a copy of it may still run
        registry_settle_by(m, late, code);
}

// Nobody waits for it any more, or it is not about the packet under way.
static void late(struct registry_model *m, const struct event_por *p)
{
    struct record *r = &m->r;
    struct operation *o = p->has_result ? registry_by_card_id(m, p->result.operation_id) : NULL;
    if (p->has_answer) {
        registry_audit_answer(m, p);
        return;
    }
    if (!p->has_result) {
        o = registry_open(m);
        if (o != NULL && o->last_counter == p->counter) {
            if (happening_of_status(p->status) == HAPPENED_COUNTER)
                counter_refused(m, p);
            registry_happened(m, o, happening_of_status(p->status));
        }
        return;
    }
    const bool is_ahead = p->result.registry_version > r->registry_version;
    if (p->result.command == COMMAND_CONFIRM)
        confirm_answered(m, p, is_ahead && p->counter == r->mt_counter);
    else if (o != NULL)
        command_answered(m, p, o);
    else if (p->result.command >= COMMAND_DOWNLOAD && p->result.command <= COMMAND_CONFIGURE &&
             p->result.command != COMMAND_AUDIT)
        late_command(m, p);
}

// This database never sent it: time went backwards [decision 20].
static bool is_from_the_future(struct registry_model *m, const struct event_por *p)
{
    if (p->counter <= m->r.mt_counter)
        return false;
    m->r.mt_counter = registry_far_up(p->counter);
    m->r.operation_id_last += COUNTER_JUMP;
    registry_doubt(m, DIRTY_RESTORE_FROM_BACKUP);
    return true;
}

void registry_por(struct registry_model *m)
{
    struct record *r = &m->r;
    const struct event_por *p = &m->e->as.por;
    if (!p->is_authentic) {
        insecure(m, p);
        return;
    }
    const bool is_wait = !p->has_result && happening_of_status(p->status) == HAPPENED_WAIT;
    if (!is_wait && was_answered(r, p->counter))
        return;
    r->insecure_answers = 0;
    r->insecure_until.ms = 0;
    registry_contact(m);
    if (is_from_the_future(m, p))
        return;
    const bool is_ours = r->flight.kind != FLIGHT_NONE && r->flight.counter == p->counter;
    if (!is_ours) {
        late(m, p);
        return;
    }
    if (!p->has_result) {
        packet_refused(m, p);
        return;
    }
    const uint8_t kind = r->flight.kind;
    struct operation *o = registry_open(m);
    if (kind == FLIGHT_OPERATION && o != NULL) {
        command_answered(m, p, o);
    } else if (kind == FLIGHT_CONFIRM) {
        registry_landed(m);
        confirm_answered(m, p, p->counter == r->mt_counter);
    } else {
        registry_audit_answer(m, p);
    }
}
