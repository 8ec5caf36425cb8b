// A decision becomes rows: card, operations, packets, trail.
#include "common/base/text.h"
#include "common/wire/sms.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/approval.h"
#include "ota-server/service/operation_tell.h"
#include "ota-server/service/slots_tell.h"
#include "ota-server/service/turn_part.h"
#include "ota-server/store/timeline.h"

#define REASON_SIZE 320

// The caller's words follow those of the core: "operator_request: lost at the airport".
static const char *whole_reason(const struct turn *t, const char *own, char text[REASON_SIZE])
{
    if (t->origin.reason == NULL || t->origin.reason[0] == '\0')
        return own;
    struct writer w = writer_of(text, REASON_SIZE);
    text_put(&w, own);
    text_put(&w, own[0] != '\0' ? ": " : "");
    text_put(&w, t->origin.reason);
    return text_end(&w);
}

// Whose doing it is: what an enterprise asks for is its own, also on a card that it does not own.
static uint64_t tenant_of(const struct turn *t)
{
    return t->origin.tenant != 0 ? t->origin.tenant : t->decision.next.tenant;
}

#define PLACE_SIZE 96 // two names and two ids

static const char *place_of(const struct record *r, char text[PLACE_SIZE])
{
    char id[API_ID_SIZE];
    struct writer w = writer_of(text, PLACE_SIZE);
    api_id_write(id, "ent", r->tenant);
    text_put(&w, "enterpriseId=");
    text_put(&w, id);
    if (r->group != 0) {
        api_id_write(id, "grp", r->group);
        text_put(&w, ", groupId=");
        text_put(&w, id);
    }
    return text_end(&w);
}

// As the decision leaves it; NULL: another card's, or one that ended before.
static const struct operation *operation_of(const struct turn *t, const struct event *e,
                                            const struct trail_entry *v)
{
    const struct decision *d = &t->decision;
    if (v->operation == 0)
        return e->type == EVENT_REQUEST ? &e->as.request.operation : NULL;
    for (uint8_t i = 0; i < d->ended_count; i++) {
        if (d->ended[i].id == v->operation)
            return &d->ended[i];
    }
    return record_operation(&d->next, v->operation);
}

struct told {
    char after[OPERATION_TELL_SIZE], result[OPERATION_END_SIZE];
};

// "CONFIRM, counter 7": it names the operation that it confirms, and carries nothing of it.
static bool is_confirm(const char *sent)
{
    const char *name = command_number_name(COMMAND_CONFIRM);
    return strncmp(sent, name, strlen(name)) == 0;
}

// What an operation is, where it is asked for and sent, and how it ended. The core says which kind.
static void tell(const struct turn *t, const struct event *e, const struct trail_entry *v,
                 struct trail_new *row, struct told *told)
{
    const struct operation *o = operation_of(t, e, v);
    if (o == NULL)
        return;
    if (strcmp(v->action, "operation.requested") == 0) {
        row->after = operation_tell(o, told->after);
        row->result =
            operation_status_name(o->needs_approval ? STATUS_AWAIT_APPROVAL : STATUS_QUEUED);
    } else if (strcmp(v->action, "operation.refused") == 0) {
        row->after = operation_tell(o, told->after);
    } else if (strcmp(v->action, "command.sent") == 0 && v->operation != 0 &&
               !is_confirm(v->after)) {
        row->after = operation_tell_command(o, v->after, told->after);
    } else if (strcmp(v->action, "operation.ended") == 0) {
        row->result = operation_tell_end(o, told->result);
    }
}

// One row, and more only of a card whose slots do not fit into it.
static enum store_status save_slots(const struct turn *t, struct trail_new *row)
{
    char before[SLOTS_TELL_SIZE], after[SLOTS_TELL_SIZE];
    uint32_t left = t->decision.slots_changed;
    enum store_status status = STORE_OK;
    row->before = before;
    row->after = after;
    while (left != 0 && status == STORE_OK) {
        left = slots_tell(&t->before, &t->decision.next, left, before, after);
        status = store_trail_add(t->options.store, row);
    }
    return status;
}

static enum store_status save_row(const struct turn *t, const struct event *e,
                                  const struct trail_entry *v, struct trail_new *row)
{
    struct told told;
    if (strcmp(v->action, DECISION_SLOTS_ROW) == 0)
        return save_slots(t, row);
    tell(t, e, v, row, &told);
    return store_trail_add(t->options.store, row);
}

static enum store_status save_entry(struct turn *t, const struct event *e,
                                    const struct trail_entry *v)
{
    const struct decision *d = &t->decision;
    char reason[REASON_SIZE];
    char from[PLACE_SIZE], to[PLACE_SIZE];
    const bool is_move = e->type == EVENT_MOVE;
    struct trail_new row = {.at = e->at,
                            .tenant = tenant_of(t),
                            .actor = e->actor,
                            .address = t->origin.address,
                            .action = v->action,
                            .object_kind = "card",
                            .object = d->next.card,
                            .operation = v->operation,
                            .correlator = e->correlator,
                            .before = is_move ? place_of(&t->before, from) : v->before,
                            .after = is_move ? place_of(&d->next, to) : v->after,
                            .reason = whole_reason(t, v->reason, reason),
                            .result =
                                d->refusal == REFUSAL_NONE ? "done" : refusal_name(d->refusal),
                            .approval = e->approval};
    return save_row(t, e, v, &row);
}

static bool is_told(const struct decision *d, const char *action)
{
    bool is_told = false;
    for (uint8_t i = 0; i < d->trail_count; i++)
        is_told |= strcmp(d->trail[i].action, action) == 0;
    return is_told;
}

// Who asks for what is so already changes nothing that the decision tells of. That somebody did,
// and why, is a row as well.
static bool is_asked_again(const struct decision *d, const struct event *e, struct trail_entry *v)
{
    static const struct trail_entry joined = {.action = "operation.joined", .after = "audit"};
    static const struct trail_entry marked = {.action = "card.dirty",
                                              .before = "operator_request",
                                              .after = "operator_request",
                                              .reason = "mark_dirty"};
    const bool is_joined = e->type == EVENT_REQUEST && d->operation != e->as.request.operation.id;
    const bool is_marked = e->type == EVENT_MARK_DIRTY && e->reason == DIRTY_OPERATOR_REQUEST &&
                           !is_told(d, marked.action);
    *v = is_joined ? joined : marked;
    v->operation = is_joined ? d->operation : e->operation;
    return d->refusal == REFUSAL_NONE && (is_joined || is_marked);
}

static enum store_status save_trail(struct turn *t, const struct event *e)
{
    const struct decision *d = &t->decision;
    struct trail_entry again;
    enum store_status status = STORE_OK;
    for (uint8_t i = 0; i < d->trail_count && status == STORE_OK; i++)
        status = save_entry(t, e, &d->trail[i]);
    return status == STORE_OK && is_asked_again(d, e, &again) ? save_entry(t, e, &again) : status;
}

static bool is_changed(const struct operation *a, const struct operation *b)
{
    // Padding that differs costs a row that is written again, no more.
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    return a == NULL || memcmp(a, b, sizeof(*a)) != 0;
}

static enum store_status save_operation(struct turn *t, const struct operation *o, struct utc at)
{
    const struct operation *before = record_operation(&t->before, o->id);
    const struct record *r = &t->decision.next;
    if (!is_changed(before, o))
        return STORE_OK;
    enum store_status status = store_operation_put(t->options.store, r->card, tenant_of(t), o);
    if (status == STORE_OK)
        status = turn_notice_operation(t, before, o, at);
    return status == STORE_OK ? turn_note_operation(t, before, o, at) : status;
}

static bool is_wanted_elsewhere(const struct record *r, uint64_t subscription)
{
    bool is_wanted = r->has_open && r->open.subscription == subscription;
    for (uint8_t i = 0; i < r->queue_len; i++)
        is_wanted |= r->queue[i].subscription == subscription;
    const struct bootstrap *b = &r->bootstrap; // which says itself when it gives back
    for (uint8_t i = 0; i < b->item_count && b->state != BOOTSTRAP_DONE; i++)
        is_wanted |= b->items[i].subscription == subscription;
    return is_wanted;
}

// A subscription goes back when the card itself said that it does not have it: deleted, refused, or
// its download never seen. One that never left did not bring it either. Every other end leaves it
// reserved: only an audit or a person knows.
static enum store_status release(struct turn *t, const struct operation *o, struct utc at)
{
    const struct record *r = &t->decision.next;
    const bool is_deleted = o->kind == OPERATION_DELETE && o->outcome == OUTCOME_DONE;
    const bool is_refused = o->failure == FAILURE_CARD_REFUSED && o->has_result &&
                            o->result != RESULT_ALREADY_INSTALLED;
    const bool is_given_up = o->outcome == OUTCOME_EXPIRED || o->outcome == OUTCOME_CANCELLED ||
                             o->outcome == OUTCOME_REFUSED;
    const bool is_unused = o->kind == OPERATION_DOWNLOAD &&
                           (is_refused || (is_given_up && !o->may_have_run)) &&
                           !is_wanted_elsewhere(r, o->subscription);
    if (o->subscription == 0 || !(is_deleted || is_unused))
        return STORE_OK;
    return store_subscription_release(t->options.store, o->subscription, r->card, is_deleted, at);
}

// The card told at last about an operation that had ended without its word.
static enum store_status settle(struct turn *t, const struct settlement *v, struct utc at)
{
    struct operation o;
    uint64_t card;
    enum store_status status = store_operation_get(t->options.store, v->operation, &o, &card);
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_OK : status; // its time in the store is over
    const struct operation before = o;
    o.may_have_run = false;
    o.may_still_arrive = false;
    if (v->outcome != OUTCOME_NONE) {
        o.outcome = v->outcome;
        o.failure = v->outcome == OUTCOME_DONE     ? FAILURE_NONE
                    : v->outcome == OUTCOME_FAILED ? FAILURE_CARD_REFUSED
                                                   : FAILURE_ROLLED_BACK;
        o.has_result = true;
        o.result = v->result;
    }
    const struct record *r = &t->decision.next;
    status = store_operation_put(t->options.store, r->card, r->tenant, &o);
    if (status == STORE_OK)
        status = turn_notice_operation(t, &before, &o, at);
    if (status == STORE_OK)
        status = turn_note_operation(t, NULL, &o, at);
    if (status == STORE_OK)
        status = turn_figures_correct(t, &before, &o);
    return status == STORE_OK ? release(t, &o, at) : status;
}

// Steps at the SMSC carry its names of the parts.
static enum store_status save_step(struct turn *t, const struct step *step, struct utc at)
{
    char text[STEP_MESSAGES_SIZE];
    const struct turn_origin *o = &t->origin;
    const bool is_named =
        o->messages != NULL &&
        (step->name == STEP_SUBMITTED || step->name == STEP_ACCEPTED || step->name == STEP_RECEIPT);
    return store_step_add(t->options.store, step, at,
                          is_named ? o->messages(o->messages_of, text) : "");
}

// Nobody approves any more what has ended while it waited for that.
static enum store_status end_approval(struct turn *t, const struct operation *o, struct utc at)
{
    const bool is_expired = o->failure == FAILURE_APPROVAL_EXPIRED;
    if (o->approval == 0 || !(is_expired || o->outcome == OUTCOME_CANCELLED))
        return STORE_OK;
    const enum store_status status = approval_end(
        t->options.store, o->approval, is_expired ? APPROVAL_EXPIRED : APPROVAL_WITHDRAWN, at);
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status save_operations(struct turn *t, struct utc at)
{
    const struct decision *d = &t->decision;
    const struct record *r = &d->next;
    enum store_status status = STORE_OK;
    for (uint8_t i = 0; i < d->ended_count && status == STORE_OK; i++) {
        status = save_operation(t, &d->ended[i], at);
        if (status == STORE_OK)
            status = end_approval(t, &d->ended[i], at);
        if (status == STORE_OK)
            status = release(t, &d->ended[i], at);
    }
    if (status == STORE_OK && r->has_open)
        status = save_operation(t, &r->open, at);
    if (status == STORE_OK && r->audit.is_open)
        status = save_operation(t, &r->audit.operation, at);
    for (uint8_t i = 0; i < r->queue_len && status == STORE_OK; i++)
        status = save_operation(t, &r->queue[i], at);
    for (uint8_t i = 0; i < d->step_count && status == STORE_OK; i++)
        status = save_step(t, &d->steps[i], at);
    for (uint8_t i = 0; i < d->settled_count && status == STORE_OK; i++)
        status = settle(t, &d->settled[i], at);
    return status;
}

static enum store_status save_view(struct turn *t, struct utc at)
{
    const struct decision *d = &t->decision;
    struct kept_audit kept;
    if (!d->has_answer)
        return STORE_OK;
    kept.view = (struct card_view){.at = at,
                                   .registry_version = d->answer_registry_version,
                                   .answer = d->answer,
                                   .outcome = d->next.last_audit_outcome};
    for (uint8_t i = 0; i < d->ended_count; i++) {
        if (d->ended[i].kind == OPERATION_AUDIT)
            kept.view.operation = d->ended[i].id;
    }
    kept.count = d->difference_count;
    memcpy(kept.differences, d->differences, sizeof(kept.differences));
    const enum store_status status =
        store_card_view_put(t->options.store, d->next.card, &kept.view);
    // One that nobody can ask for has only its view.
    return status == STORE_OK && kept.view.operation != 0
               ? store_audit_put(t->options.store, d->next.card, &kept)
               : status;
}

// --- audits that somebody waits for ------------------------------------------------------------

// By who asks for an audit now, or by whoever asked for what waits behind it.
static bool is_awaited(const struct record *r, const struct event *e)
{
    const struct operation *asked = &e->as.request.operation;
    if (e->type == EVENT_REQUEST && asked->kind == OPERATION_AUDIT &&
        operation_is_awaited(asked, &e->actor, e->at))
        return true;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        const struct operation *o = &r->queue[i];
        if (o->status == STATUS_QUEUED && operation_is_awaited(o, &o->actor, e->at))
            return true;
    }
    return false;
}

struct hurry {
    uint64_t counter; // of the packet
    uint64_t message; // 0: it is not in the outbox any more
};

static bool find_waiting(void *context, const struct message *m)
{
    struct hurry *h = context;
    const bool is_it = !m->is_mo && m->state == POST_WAITING && m->counter == h->counter;
    if (is_it)
        h->message = m->id;
    return !is_it;
}

// An automatic audit that no link had yet is hurried when somebody begins to wait for it. If that
// is undone with the event, the audit has left earlier, which is no harm.
static enum store_status note_hurry(struct turn *t, const struct event *e)
{
    const struct record *before = &t->before;
    const struct record *next = &t->decision.next;
    const struct store_page newest = {.limit = 8};
    const struct timeline_filter of_card = {.card = next->card};
    struct hurry h = {.counter = before->flight.counter};
    const bool is_asking =
        e->type == EVENT_REQUEST || e->type == EVENT_APPROVED || e->type == EVENT_RESEND;
    if (!is_asking || t->decision.refusal != REFUSAL_NONE || t->options.hurry == NULL ||
        before->flight.kind != FLIGHT_AUDIT || before->flight.state != FLIGHT_SENDING ||
        !before->audit.operation.is_automatic || next->flight.counter != h.counter ||
        !is_awaited(next, e) || t->hurry_count == HURRIES_MAX)
        return STORE_OK;
    const enum store_status status =
        store_messages(t->options.store, &of_card, &newest, find_waiting, &h, NULL);
    if (status == STORE_OK && h.message != 0)
        t->hurries[t->hurry_count++] = (struct hurry_note){next->card, h.message};
    return status;
}

// Builds the packet and puts it into the outbox; its octets are those that will travel.
static enum store_status save_send(struct turn *t, const struct send *send, const struct event *e)
{
    const struct utc at = e->at;
    struct store *store = t->options.store;
    struct record *r = &t->decision.next;
    struct card_keys keys;
    struct network_keys network;
    const bool is_download = send->command == COMMAND_DOWNLOAD;
    enum store_status status = turn_keys_of(t, r->card, r->group, &keys);
    if (status == STORE_OK && is_download)
        status = store_network_keys(store, r->open.download.imsi, &network);
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_KEYS : status;
    struct message *m = &t->sends[t->send_count];
    memset(m, 0, offsetof(struct message, packet));
    struct writer w = writer_of(m->packet, sizeof(m->packet));
    const enum message_status built =
        message_build(t->options.cipher, &keys, r, send, is_download ? &network : NULL, &w);
    secret_wipe(&keys, sizeof(keys));
    secret_wipe(&network, sizeof(network));
    if (built != MESSAGE_OK)
        return STORE_KEYS;
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    m->id = turn_id(t, at);
    m->card = r->card;
    m->group = r->group;
    m->operation = send->operation;
    m->is_automatic =
        send->kind == FLIGHT_AUDIT && r->audit.operation.is_automatic && !is_awaited(r, e);
    m->command = send->command;
    m->counter = send->counter;
    memcpy(m->number, send->number, sizeof(m->number));
    m->packet_len = (uint16_t)w.len;
    m->parts = (uint8_t)sms_cut_count(&cut, w.len);
    m->reference = (uint8_t)send->counter;
    m->validity_ms = send->validity_ms;
    m->at = at;
    r->flight.parts = m->parts;
    struct operation *o = send->kind == FLIGHT_OPERATION ? &r->open
                          : send->kind == FLIGHT_AUDIT   ? &r->audit.operation
                                                         : NULL;
    if (o == NULL && r->has_open && r->open.id == send->operation)
        o = &r->open;
    if (o != NULL) {
        o->sms_mt += m->parts;
        o->bytes_mt += m->packet_len;
    }
    status = store_message_put(store, m);
    if (status == STORE_OK)
        t->send_count++;
    return status;
}

// They are part of what raised them.
static enum store_status save_alarms(struct turn *t, struct utc at)
{
    const struct decision *d = &t->decision;
    enum store_status status = STORE_OK;
    char card[API_ID_SIZE];
    api_id_write(card, "crd", d->next.card);
    for (uint8_t i = 0; i < d->alarm_count && status == STORE_OK; i++) {
        const struct alarm_place place = {
            .key = alarm_key_name(d->alarms[i].key), .object = card, .owner = d->next.tenant};
        status = d->alarms[i].is_raised ? alarm_raise(t->options.store, &place, turn_id(t, at), at)
                                        : alarm_clear(t->options.store, &place, at);
        if (status == STORE_NONE)
            status = STORE_OK; // it was not raised
    }
    return status;
}

static void count_ended(struct turn *t)
{
    for (uint8_t i = 0; i < t->decision.ended_count; i++) {
        const struct operation *o = &t->decision.ended[i];
        const bool is_back = o->outcome == OUTCOME_ROLLED_BACK;
        t->counts.rollbacks += is_back;
        t->counts.enables += is_back || (figure_is_switch(o) && o->outcome == OUTCOME_DONE);
    }
}

static void note_alarms(struct turn *t)
{
    const struct decision *d = &t->decision;
    for (uint8_t i = 0; i < d->alarm_count; i++) {
        if (t->alarm_count < sizeof(t->alarms) / sizeof(t->alarms[0]))
            t->alarms[t->alarm_count++] =
                (struct alarm_note){d->alarms[i].key, d->next.card, d->alarms[i].is_raised};
    }
}

enum store_status turn_save(struct turn *t, const struct event *e)
{
    struct decision *d = &t->decision;
    enum store_status status = STORE_OK;
    const size_t sends = t->send_count;
    for (uint8_t i = 0; i < d->send_count && status == STORE_OK; i++)
        status = save_send(t, &d->sends[i], e);
    if (status == STORE_OK)
        status = store_card_save(t->options.store, &t->before, &d->next);
    if (status == STORE_OK)
        status = turn_note_retired(t, e->at);
    if (status == STORE_OK)
        status = save_operations(t, e->at);
    if (status == STORE_OK)
        status = turn_note_quarantine(t, e->at);
    if (status == STORE_OK)
        status = note_hurry(t, e);
    if (status == STORE_OK)
        status = turn_figures(t, e);
    if (status == STORE_OK)
        status = turn_notice_card(t, e->at);
    if (status == STORE_OK)
        status = save_view(t, e->at);
    if (status == STORE_OK)
        status = save_trail(t, e);
    if (status == STORE_OK)
        status = save_alarms(t, e->at);
    if (status != STORE_OK) {
        t->send_count = sends;
        return status;
    }
    note_alarms(t);
    count_ended(t);
    return STORE_OK;
}
