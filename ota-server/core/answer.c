// What links, network and card say about the packet that is under way.
#include "common/wire/secured.h"
#include "ota-server/core/work.h"

#define BUSY_TRIES_MAX 8
#define INSECURE_MAX 3

static bool is_about_operation(const struct record *r)
{
    return r->flight.kind == FLIGHT_OPERATION && r->has_open;
}

// What it says becomes a step also when the card's answer was there first. Such a step changes
// nothing else.
static void packet_step(struct work *w, uint64_t counter, const struct packet_of *of, uint8_t name,
                        const char *detail)
{
    const struct record *r = w->r;
    const bool is_ours = r->flight.kind != FLIGHT_NONE && r->flight.counter == counter;
    if (is_ours && is_about_operation(r))
        work_step(w, &r->open, name, detail);
    else if (is_ours && r->flight.kind == FLIGHT_AUDIT && r->audit.is_open)
        work_step(w, &r->audit.operation, name, detail);
    else
        work_step_of(w, of, name, detail);
}

static void submit_of_audit(struct work *w)
{
    struct audit_job *a = &w->r->audit;
    struct flight *f = &w->r->flight;
    const uint8_t outcome = w->e->as.submit.outcome;
    if (f->state == FLIGHT_SENT) {
        a->operation.status = STATUS_SENT;
    } else if (outcome == SUBMIT_UNSENT && a->is_open) {
        operation_unsend(w, &a->operation);
        a->is_page_due = a->next_slot > 1;
        flight_clear(w);
    } else if (outcome == SUBMIT_REJECTED && a->is_open && w->r->dirty_since.ms == 0) {
        operation_input(w, &a->operation, IN_SUBMIT_REJECTED);
        flight_clear(w);
    } else {
        f->deadline = w->now; // nothing comes: plan_timeouts() ends it
    }
}

// The operation that the CONFIRM under way is about; NULL: none that is open.
static struct operation *confirmed_by(struct record *r, const struct flight *f)
{
    const bool is_of_it = r->has_open && f->kind == FLIGHT_CONFIRM && f->operation_id != 0 &&
                          f->operation_id == r->open.card_operation_id;
    return is_of_it && r->open.status == STATUS_CONFIRMING ? &r->open : NULL;
}

static void submit_of_confirm(struct work *w)
{
    struct record *r = w->r;
    struct flight *f = &r->flight;
    struct operation *o = confirmed_by(r, f);
    if (o != NULL)
        o->deadline = utc_after(w->now, w->policy->confirm_silent_ms);
    if (f->state == FLIGHT_SENT)
        return;
    if (o != NULL && w->e->as.submit.outcome == SUBMIT_UNSENT)
        operation_unsend(w, o);
    flight_clear(w);
}

void decide_submit(struct work *w)
{
    const struct event_submit *s = &w->e->as.submit;
    struct record *r = w->r;
    struct flight *f = &r->flight;
    static const uint8_t inputs[] = {IN_ACCEPTED,        IN_SUBMIT_UNKNOWN, IN_SUBMIT_TEMPORARY,
                                     IN_SUBMIT_REJECTED, IN_SUBMIT_PARTIAL, IN_UNSENT};
    const bool is_out = s->outcome == SUBMIT_ACCEPTED || s->outcome == SUBMIT_UNKNOWN;
    const char *detail = s->outcome == SUBMIT_UNKNOWN  ? "submit outcome unknown"
                         : s->outcome == SUBMIT_UNSENT ? "no link"
                                                       : "";
    packet_step(w, s->counter, &s->of, is_out ? STEP_ACCEPTED : STEP_SUBMITTED, detail);
    if (f->kind == FLIGHT_NONE || f->counter != s->counter || f->state != FLIGHT_SENDING ||
        s->outcome >= sizeof(inputs)) {
        w->d->is_dropped = true;
        return;
    }
    f->parts = s->parts;
    if (is_out) {
        f->state = FLIGHT_SENT;
        f->is_submit_unknown = s->outcome == SUBMIT_UNKNOWN;
        f->is_repeated = f->is_submit_unknown;
        const int64_t wait = f->kind == FLIGHT_CONFIRM
                                 ? w->policy->confirm_silent_ms
                                 : (int64_t)f->validity_ms + w->policy->receipt_margin_ms;
        f->deadline = utc_after(w->now, wait);
    }
    if (is_about_operation(r)) {
        operation_input(w, &r->open, inputs[s->outcome]);
    } else if (f->kind == FLIGHT_AUDIT) {
        submit_of_audit(w);
    } else {
        submit_of_confirm(w);
    }
}

// Takes down what became of a part.
static void take_part(struct flight *f, const struct event_receipt *e)
{
    const uint8_t bit = (uint8_t)(1u << (e->part - 1));
    if (e->state == RECEIPT_DELIVERED)
        f->delivered_set |= bit;
    else
        f->lost_set |= bit;
}

// What the parts come to so far; INPUTS: nothing yet.
static uint8_t input_of_parts(const struct flight *f)
{
    const uint8_t all = f->parts == 0 || f->parts >= 8 ? 0xFF : (uint8_t)((1u << f->parts) - 1);
    if (f->delivered_set == all)
        return IN_DELIVERED;
    if (f->delivered_set != 0 && f->lost_set != 0)
        return IN_PART_LOST;
    return f->lost_set == all ? IN_LOST : INPUTS;
}

void decide_receipt(struct work *w)
{
    const struct event_receipt *e = &w->e->as.receipt;
    struct record *r = w->r;
    struct flight *f = &r->flight;
    if (e->state == RECEIPT_DELIVERED)
        work_contact(w);
    const bool is_ours = f->kind != FLIGHT_NONE && f->counter == e->counter;
    const bool is_told = e->part > 0 && e->part <= 8 && e->state != RECEIPT_PENDING;
    if (is_told)
        packet_step(w, e->counter, &e->of, STEP_RECEIPT,
                    e->state == RECEIPT_DELIVERED ? "delivered" : "not delivered");
    if (!is_ours || !is_told) {
        w->d->is_dropped = !is_ours;
        return;
    }
    take_part(f, e);
    const uint8_t input = input_of_parts(f);
    if (input == IN_DELIVERED) {
        f->state = FLIGHT_DELIVERED;
        const uint32_t wait = f->kind == FLIGHT_CONFIRM ? w->policy->confirm_ms : w->policy->por_ms;
        f->deadline = utc_after(w->now, wait);
        struct operation *o = confirmed_by(r, f);
        if (o != NULL)
            o->deadline = f->deadline;
    }
    if (is_about_operation(r)) {
        if (input != INPUTS)
            operation_input(w, &r->open, input);
        return;
    }
    if (f->kind == FLIGHT_AUDIT && input == IN_DELIVERED)
        r->audit.operation.status = STATUS_DELIVERED;
    if (input == IN_LOST || input == IN_PART_LOST)
        f->deadline = w->now; // nothing more comes: plan_timeouts() ends it
}

// Commits that one message of a card tells of: a download or a switch, and the fallback mark that
// goes along with it.
#define COMMITS_TOLD_MAX 2

void compare_state(struct work *w, uint32_t registry_version, bool has_hash, const uint8_t *hash,
                   bool may_have_changed)
{
    struct record *r = w->r;
    if (r->has_open && r->open.status == STATUS_SWITCHING)
        return; // the registry changes under our eyes; the outcome is compared
    if (r->has_registry_version && registry_version < r->registry_version) {
        work_dirty(w, DIRTY_CARD_RESET_SUSPECTED, 0);
        return;
    }
    bool differs =
        r->has_registry_version && registry_version > r->registry_version && !may_have_changed;
    if (has_hash) {
        struct audit_slot slots[COMMAND_SLOTS_MAX];
        uint8_t ours[COMMAND_HASH_SIZE];
        for (uint8_t i = 0; i < r->slot_count; i++)
            slots[i] = r->slots[i].fact;
        differs |= !state_hash(w->cipher, slots, r->slot_count, ours) ||
                   memcmp(ours, hash, sizeof(ours)) != 0;
    } else if (r->has_registry_version) { // of level 1: the number of commits is all there is
        differs |= registry_version - r->registry_version > COMMITS_TOLD_MAX;
    }
    if (differs) {
        work_dirty(w, DIRTY_STATE_HASH_MISMATCH, 0);
        return;
    }
    r->has_registry_version = true;
    r->registry_version = registry_version;
}

static uint8_t input_of_result(const struct record *r, const struct operation *o, uint8_t code)
{
    switch (code) {
    case RESULT_OK:
    case RESULT_OK_UNCHANGED:
        return IN_DONE;
    case RESULT_OK_PENDING:
        return IN_PENDING;
    case RESULT_BUSY_SWITCHING:
        return o->busy_tries < BUSY_TRIES_MAX ? IN_BUSY : IN_REFUSED;
    case RESULT_NVM_ERROR:
        return o->nvm_tries == 0 ? IN_NVM : IN_NVM_AGAIN;
    case RESULT_TERMINAL_INCAPABLE:
    case RESULT_NOT_PROVEN:
        return mirror_explains(r, o, code) ? IN_REFUSED : IN_DISAGREED;
    default: // octets
        if (code < RESULT_NOT_FOUND || code > RESULT_OUT_OF_RANGE)
            return IN_NOT_UNDERSTOOD;
        return mirror_explains(r, o, code) ? IN_REFUSED : IN_DISAGREED;
    }
}

static uint8_t input_of_status(uint8_t status)
{
    switch (status) {
    case SECURED_STATUS_CNTR_LOW:
    case SECURED_STATUS_CNTR_HIGH:
        return IN_COUNTER;
    case SECURED_STATUS_CNTR_BLOCKED:
        return IN_BLOCKED;
    case SECURED_STATUS_NO_MEMORY:
    case SECURED_STATUS_TAR_UNKNOWN:
    case SECURED_STATUS_LEVEL_TOO_LOW:
        return IN_PACKET_REFUSED;
    case SECURED_STATUS_MORE_TIME:
    case SECURED_STATUS_FOLLOWS_BY_SUBMIT:
    case SECURED_STATUS_FOLLOWS_BY_USSD:
        return IN_WAIT;
    default: // octets
        return IN_NOT_UNDERSTOOD;
    }
}

// A card keeps no id of what it did not come to judge, nor where its memory took nothing.
static bool is_id_kept(uint8_t code)
{
    return code != RESULT_BAD_FORMAT && code != RESULT_UNKNOWN_COMMAND &&
           code != RESULT_NO_MEMORY && code != RESULT_BUSY_SWITCHING && code != RESULT_NVM_ERROR;
}

// Somebody else's command under our counter: it says nothing of ours. A card names no operation in
// an answer to what it could not read.
static bool is_foreign(const struct operation *o, const struct result *p)
{
    const bool is_unread =
        p->operation_id == 0 && (p->code == RESULT_BAD_FORMAT || p->code == RESULT_UNKNOWN_COMMAND);
    const bool is_other =
        p->operation_id != o->card_operation_id || p->command != plan_command(o->kind);
    return is_other && !is_unread;
}

static void answer_operation(struct work *w, const struct event_por *p)
{
    struct record *r = w->r;
    struct operation *o = &r->open;
    work_count_mo(o, p->sms, p->octets);
    if (p->status != SECURED_STATUS_OK || !p->has_result) {
        const uint8_t input =
            p->status == SECURED_STATUS_OK ? IN_NOT_UNDERSTOOD : input_of_status(p->status);
        const bool was_repeated = r->flight.counter == p->counter && r->flight.is_repeated &&
                                  p->status == SECURED_STATUS_CNTR_LOW;
        work_step(w, o, STEP_POR, input_name(input));
        if (input == IN_COUNTER && !was_repeated)
            work_jump(w);
        operation_input(w, o, input);
        return;
    }
    if (is_foreign(o, &p->result)) {
        work_step(w, o, STEP_POR, "of another operation");
        operation_input(w, o, IN_NOT_UNDERSTOOD);
        return;
    }
    const uint8_t code = p->result.code;
    const uint8_t input = input_of_result(r, o, code);
    const bool is_newest = p->counter == r->mt_counter && !p->result.replayed;
    const bool is_newer = p->result.registry_version > r->registry_version;
    const bool has_run = input == IN_DONE || input == IN_PENDING;
    o->has_result = true;
    o->result = code;
    work_step(w, o, STEP_POR, result_code_name(code));
    if (r->operation_id_seen < o->card_operation_id && is_id_kept(code))
        r->operation_id_seen = o->card_operation_id;
    if (has_run)
        note_ran(r, o);
    if (has_run && o->status != STATUS_CONFIRMING)
        mirror_apply(w, o, p);
    operation_input(w, o, input);
    if (code == RESULT_OPID_REUSED)
        work_restored(w, o->id);
    if (is_newest && input != IN_NOT_UNDERSTOOD)
        compare_state(w, p->result.registry_version, p->result.has_hash, p->result.state_hash,
                      has_run);
    else if (has_run && is_newer && r->has_registry_version)
        r->registry_version = p->result.registry_version; // as it was when the command ran
}

// The card refused the packet that was under way. What it confirms the card tells again.
static void confirm_refused(struct work *w, uint8_t status, bool was_repeated)
{
    const uint8_t input = input_of_status(status);
    if (input == IN_BLOCKED)
        work_quarantine(w, "counter blocked");
    if (input != IN_COUNTER)
        return;
    work_dirty(w, DIRTY_COUNTER_MISMATCH, 0);
    if (!was_repeated)
        work_jump(w);
}

static void answer_confirm(struct work *w, const struct event_por *p, bool is_newest)
{
    struct record *r = w->r;
    const uint8_t code = p->result.code;
    const bool is_commanded = r->has_open && p->result.operation_id != 0 &&
                              p->result.operation_id == r->open.card_operation_id;
    const bool is_newer = p->result.registry_version > r->registry_version;
    if (is_commanded) {
        work_count_mo(&r->open, p->sms, p->octets);
        const uint8_t input = code == RESULT_OK || code == RESULT_OK_UNCHANGED ? IN_CONFIRM_DONE
                              : code == RESULT_CONFIRM_TOO_LATE                ? IN_CONFIRM_TOO_LATE
                                                                               : IN_CONFIRM_UNKNOWN;
        work_step(w, &r->open, STEP_CONFIRMED, result_code_name(code));
        operation_input(w, &r->open, input);
    }
    // An audit had ended the switch before; now the card prefers what is enabled.
    const bool is_late = !is_commanded && code == RESULT_OK && p->result.operation_id != 0 &&
                         p->result.operation_id == r->switch_id;
    const struct mirror_slot *enabled = record_enabled(r);
    if (is_late && enabled != NULL)
        r->preferred = enabled->subscription;
    if (is_newest && code == RESULT_OK)
        compare_state(w, p->result.registry_version, p->result.has_hash, p->result.state_hash,
                      true);
    else if (is_commanded && code == RESULT_OK && is_newer && r->has_registry_version)
        r->registry_version = p->result.registry_version; // as it was when the card confirmed
}

static void answer_confirm_under_way(struct work *w, const struct event_por *p)
{
    const bool was_repeated = w->r->flight.is_repeated && p->status == SECURED_STATUS_CNTR_LOW;
    flight_clear(w);
    if (p->has_result)
        answer_confirm(w, p, p->counter == w->r->mt_counter);
    else
        confirm_refused(w, p->status, was_repeated);
}

// An answer that tells nothing of the card: in doubt it is asked again at its time, else its result
// means what it means for every operation. One that is not understood is a doubt.
static void audit_untold(struct work *w, const struct event_por *p)
{
    struct record *r = w->r;
    struct operation *o = &r->audit.operation;
    const bool has_result = p->status == SECURED_STATUS_OK && p->has_result;
    const uint8_t input =
        has_result ? input_of_result(r, o, p->result.code) : (uint8_t)IN_NOT_UNDERSTOOD;
    const bool is_understood =
        input != IN_NOT_UNDERSTOOD && input != IN_DONE && input != IN_PENDING;
    work_step(w, o, STEP_POR, has_result ? result_code_name(p->result.code) : input_name(input));
    if (!is_understood)
        work_dirty(w, DIRTY_UNKNOWN_POR_STATUS, o->id);
    if (r->dirty_since.ms != 0) {
        audit_unanswered(w);
        return;
    }
    o->has_result = true;
    o->result = p->result.code;
    operation_input(w, o, input);
}

static void answer_audit(struct work *w, const struct event_por *p)
{
    if (p->has_answer) {
        audit_page(w);
        return;
    }
    flight_clear(w);
    const uint8_t input = input_of_status(p->status);
    if (input == IN_COUNTER) {
        work_dirty(w, DIRTY_COUNTER_MISMATCH, 0);
        work_jump(w);
    } else if (input == IN_BLOCKED) {
        work_quarantine(w, "counter blocked");
    } else if (input == IN_PACKET_REFUSED && w->r->audit.is_open) {
        operation_input(w, &w->r->audit.operation, IN_PACKET_REFUSED);
    } else if (w->r->audit.is_open) {
        audit_untold(w, p);
    }
}

// An error answer that anyone may have forged: a hint.
static void insecure(struct work *w, const struct event_por *p)
{
    struct record *r = w->r;
    const bool is_ours =
        r->flight.kind != FLIGHT_NONE && (p->counter == r->flight.counter || p->counter == 0);
    const bool is_error =
        p->status == SECURED_STATUS_CHECK_FAILED || p->status == SECURED_STATUS_CIPHERING_ERROR ||
        p->status == SECURED_STATUS_UNIDENTIFIED_ERROR || p->status == SECURED_STATUS_TAR_UNKNOWN ||
        p->status == SECURED_STATUS_LEVEL_TOO_LOW;
    if (!is_ours || !is_error) {
        w->d->is_dropped = true;
        return;
    }
    if (r->insecure_answers < INSECURE_MAX && ++r->insecure_answers == INSECURE_MAX)
        r->insecure_until = utc_after(w->now, DAY_MS);
    if (is_about_operation(r)) {
        work_step(w, &r->open, STEP_POR, "not authentic");
        operation_input(w, &r->open, IN_INSECURE);
    } else {
        work_dirty(w, DIRTY_UNKNOWN_POR_STATUS, 0);
    }
    flight_clear(w);
    work_jump(w);
}

static bool was_answered(struct record *r, uint64_t counter)
{
    for (size_t i = 0; i < RECORD_ANSWERED_MAX; i++) {
        if (r->answered[i] == counter)
            return true;
    }
    r->answered[r->answered_next] = counter;
    r->answered_next = (uint8_t)((r->answered_next + 1) % RECORD_ANSWERED_MAX);
    return false;
}

// What it says of an operation that ended without the card's word.
static void settle_late(struct work *w, const struct result *p)
{
    const struct record *r = w->r;
    bool is_ours = false; // and no other command under its id
    for (uint8_t i = 0; i < r->late_count; i++)
        is_ours |= r->late[i].card_operation_id == p->operation_id &&
                   plan_command(r->late[i].kind) == p->command;
    if (!is_ours || p->code == RESULT_NVM_ERROR) // a copy of it may still run
        return;
    if (p->code == RESULT_OPID_REUSED) {
        late_forget(w, p->operation_id); // what stands under its id is another's
        work_restored(w, 0);
        return;
    }
    late_settle(w, p->operation_id, late_outcome(p->code), p->code);
}

// Not about the packet under way: late, or about one that nobody waits for any more.
static void answer_late(struct work *w, const struct event_por *p)
{
    struct record *r = w->r;
    const bool is_of_open = r->has_open && r->open.card_operation_id != 0 && p->has_result &&
                            p->result.operation_id == r->open.card_operation_id;
    const bool is_confirm = p->has_result && p->result.command == COMMAND_CONFIRM;
    const bool is_ahead = p->has_result && p->result.registry_version > r->registry_version;
    const bool is_for_last = r->has_open && p->counter == r->open.last_counter && !p->has_result;
    if (p->has_answer && r->audit.is_open) {
        audit_page(w);
    } else if (is_confirm) {
        // A notification that the card made later may have come before it.
        answer_confirm(w, p, is_ahead && p->counter == r->mt_counter);
    } else if (is_of_open || is_for_last) {
        answer_operation(w, p);
    } else if (p->has_result && command_is_state_changing(p->result.command)) {
        work_dirty(w, DIRTY_LATE_POR, 0);
        settle_late(w, &p->result);
    } else {
        w->d->is_dropped = true;
    }
}

void decide_por(struct work *w)
{
    const struct event_por *p = &w->e->as.por;
    struct record *r = w->r;
    if (!p->is_authentic) {
        insecure(w, p);
        return;
    }
    const bool is_wait = p->status != SECURED_STATUS_OK && input_of_status(p->status) == IN_WAIT;
    if (!is_wait && was_answered(r, p->counter)) {
        w->d->is_dropped = true;
        return;
    }
    r->insecure_answers = 0;
    r->insecure_until.ms = 0;
    if (p->counter == r->mt_counter) // an older one may come from where the card was before
        work_heard(w, p->number);
    work_contact(w);
    if (p->counter > r->mt_counter) { // this database never sent it: time went backwards
        r->mt_counter = work_counter_above(p->counter);
        r->changed_counter = r->mt_counter;
        r->operation_id_last += COUNTER_JUMP;
        work_dirty(w, DIRTY_RESTORE_FROM_BACKUP, 0);
        return;
    }
    if (r->flight.kind == FLIGHT_NONE || r->flight.counter != p->counter) {
        answer_late(w, p);
        return;
    }
    switch ((enum flight_kind)r->flight.kind) {
    case FLIGHT_OPERATION:
        answer_operation(w, p);
        break;
    case FLIGHT_AUDIT:
        if (!is_wait)
            answer_audit(w, p);
        break;
    case FLIGHT_CONFIRM:
        if (!is_wait)
            answer_confirm_under_way(w, p);
        break;
    case FLIGHT_NONE:
        break;
    }
}
