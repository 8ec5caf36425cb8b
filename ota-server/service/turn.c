#include "ota-server/service/turn.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/wire/sms.h"

#include <stdlib.h>

#define SENDS_MAX TURN_EVENTS_MAX
#define WAKES_MAX 256
#define IDS_PER_EVENT 4
#define CHECKPOINT_MS (15 * 60 * 1000)
#define CHECKPOINT_ROWS 10000
#define SWEEP_MS (60 * 60 * 1000)
#define START_STEP 256

enum task_kind { TASK_EVENT, TASK_WRITE, TASK_MESSAGE };

struct task {
    uint8_t kind;
    uint64_t card;
    struct event event;
    struct turn_message message;
    turn_answer_fn *answer;
    turn_apply_fn *apply;
    turn_done_fn *done;
    void *context;
    // what came of it
    struct turn_answer result;
    enum store_status status;
};

struct alarm_note {
    uint8_t key;
    uint64_t card;
    bool is_raised;
};

struct turn {
    struct turn_options options;
    struct ids ids;
    struct task *tasks;
    size_t task_count;
    struct message *sends;
    size_t send_count;
    struct alarm_note alarms[64];
    size_t alarm_count;
    struct record before;
    struct decision decision;
    struct utc next_due;
    struct utc next_sweep;
    struct utc next_checkpoint;
    uint64_t checkpoint_sequence;
    struct turn_counts counts;
    uint64_t wakes[WAKES_MAX];
    size_t wake_count;
    bool is_running;
};

struct turn *turn_open(const struct turn_options *options)
{
    struct turn *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->options = *options;
    t->tasks = calloc(TURN_EVENTS_MAX, sizeof(t->tasks[0]));
    t->sends = calloc(SENDS_MAX, sizeof(t->sends[0]));
    if (t->tasks == NULL || t->sends == NULL) {
        turn_close(t);
        return NULL;
    }
    return t;
}

void turn_close(struct turn *t)
{
    if (t == NULL)
        return;
    free(t->tasks);
    free(t->sends);
    free(t);
}

uint64_t turn_id(struct turn *t, struct utc now)
{
    return ids_next(&t->ids, now);
}

bool turn_has_work(const struct turn *t)
{
    return t->task_count > 0;
}

struct utc turn_due(const struct turn *t)
{
    return t->next_due;
}

struct turn_counts turn_counts(const struct turn *t)
{
    return t->counts;
}

static struct task *add(struct turn *t, uint8_t kind, void *context)
{
    if (t->task_count == TURN_EVENTS_MAX)
        return NULL;
    struct task *k = &t->tasks[t->task_count++];
    k->kind = kind;
    k->context = context;
    k->answer = NULL;
    k->apply = NULL;
    k->done = NULL;
    k->status = STORE_OK;
    return k;
}

bool turn_event(struct turn *t, uint64_t card, const struct event *event, turn_answer_fn *answer,
                void *context)
{
    struct task *k = add(t, TASK_EVENT, context);
    if (k == NULL)
        return false;
    k->card = card;
    k->event = *event;
    k->answer = answer;
    return true;
}

bool turn_write(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context)
{
    struct task *k = add(t, TASK_WRITE, context);
    if (k == NULL)
        return false;
    k->apply = apply;
    k->done = done;
    return true;
}

bool turn_receive(struct turn *t, const struct turn_message *message, turn_done_fn *done,
                  void *context)
{
    struct task *k = add(t, TASK_MESSAGE, context);
    if (k == NULL)
        return false;
    k->message = *message;
    k->done = done;
    return true;
}

// --- saving a decision -----------------------------------------------------------------------

static enum store_status save_trail(struct turn *t, const struct event *e)
{
    const struct decision *d = &t->decision;
    for (uint8_t i = 0; i < d->trail_count; i++) {
        const struct trail_entry *v = &d->trail[i];
        const struct trail_new row = {.at = e->at,
                                      .tenant = d->next.tenant,
                                      .actor = e->actor,
                                      .action = v->action,
                                      .object_kind = "card",
                                      .object = d->next.card,
                                      .operation = v->operation,
                                      .correlator = e->correlator,
                                      .before = v->before,
                                      .after = v->after,
                                      .reason = v->reason,
                                      .result = refusal_name(d->refusal),
                                      .approval = e->approval};
        const enum store_status status = store_trail_add(t->options.store, &row);
        if (status != STORE_OK)
            return status;
    }
    return STORE_OK;
}

static bool is_changed(const struct operation *a, const struct operation *b)
{
    return a == NULL || memcmp(a, b, sizeof(*a)) != 0;
}

static enum store_status save_operation(struct turn *t, const struct operation *o)
{
    const struct operation *before = record_operation(&t->before, o->id);
    const struct record *r = &t->decision.next;
    return is_changed(before, o) ? store_operation_put(t->options.store, r->card, r->tenant, o)
                                 : STORE_OK;
}

static enum store_status save_operations(struct turn *t, struct utc at)
{
    const struct decision *d = &t->decision;
    const struct record *r = &d->next;
    enum store_status status = STORE_OK;
    for (uint8_t i = 0; i < d->ended_count && status == STORE_OK; i++)
        status = save_operation(t, &d->ended[i]);
    if (status == STORE_OK && r->has_open)
        status = save_operation(t, &r->open);
    if (status == STORE_OK && r->audit.is_open)
        status = save_operation(t, &r->audit.operation);
    for (uint8_t i = 0; i < r->queue_len && status == STORE_OK; i++)
        status = save_operation(t, &r->queue[i]);
    for (uint8_t i = 0; i < d->step_count && status == STORE_OK; i++)
        status = store_step_add(t->options.store, &d->steps[i], at);
    if (status == STORE_OK && d->arrived_counter != 0)
        status = store_operations_arrived(t->options.store, r->card, d->arrived_counter);
    return status;
}

static enum store_status save_view(struct turn *t, struct utc at)
{
    const struct decision *d = &t->decision;
    if (!d->has_answer)
        return STORE_OK;
    struct card_view v = {.at = at,
                          .registry_version = d->answer_registry_version,
                          .answer = d->answer,
                          .outcome = d->next.last_audit_outcome};
    for (uint8_t i = 0; i < d->ended_count; i++) {
        if (d->ended[i].kind == OPERATION_AUDIT)
            v.operation = d->ended[i].id;
    }
    return store_card_view_put(t->options.store, d->next.card, &v);
}

// Builds the packet and puts it into the outbox; its octets are those that will travel.
static enum store_status save_send(struct turn *t, const struct send *send, struct utc at)
{
    struct store *store = t->options.store;
    struct record *r = &t->decision.next;
    struct card_keys keys;
    struct network_keys network;
    const bool is_download = send->command == COMMAND_DOWNLOAD;
    enum store_status status = store_card_keys(store, r->card, &keys);
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
    m->operation = send->operation;
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

static void note_alarms(struct turn *t)
{
    const struct decision *d = &t->decision;
    for (uint8_t i = 0; i < d->alarm_count; i++) {
        if (t->alarm_count < sizeof(t->alarms) / sizeof(t->alarms[0]))
            t->alarms[t->alarm_count++] =
                (struct alarm_note){d->alarms[i].key, d->next.card, d->alarms[i].is_raised};
    }
}

static enum store_status save(struct turn *t, const struct event *e)
{
    struct decision *d = &t->decision;
    enum store_status status = STORE_OK;
    const size_t sends = t->send_count;
    for (uint8_t i = 0; i < d->send_count && status == STORE_OK; i++)
        status = save_send(t, &d->sends[i], e->at);
    if (status == STORE_OK)
        status = store_card_save(t->options.store, &t->before, &d->next);
    if (status == STORE_OK)
        status = save_operations(t, e->at);
    if (status == STORE_OK)
        status = save_view(t, e->at);
    if (status == STORE_OK)
        status = save_trail(t, e);
    if (status == STORE_OK)
        note_alarms(t);
    else
        t->send_count = sends;
    return status;
}

// --- one event -------------------------------------------------------------------------------

static enum store_status run_event(struct turn *t, uint64_t card, struct event *e,
                                   struct turn_answer *answer)
{
    const struct decide_context context = {.policy = t->options.policy,
                                           .cipher = t->options.cipher};
    enum store_status status = store_card_load(t->options.store, card, &t->before);
    if (status == STORE_NONE) {
        answer->refusal = REFUSAL_NOT_FOUND;
        return STORE_OK;
    }
    if (status != STORE_OK)
        return status;
    e->fresh_id = turn_id(t, e->at);
    for (unsigned i = 1; i < IDS_PER_EVENT; i++)
        (void)turn_id(t, e->at);
    decide(&t->before, e, &context, &t->decision);
    answer->refusal = t->decision.refusal;
    answer->operation = t->decision.operation;
    if (e->type == EVENT_REQUEST && e->as.request.is_dry_run)
        return STORE_OK;
    t->counts.dropped += t->decision.is_dropped;
    return save(t, e);
}

// A card whose packet cannot be built (its keys are missing or do not open) must not stop others.
static void note_unbuildable(struct turn *t)
{
    t->counts.failures++;
}

static enum store_status find_card(struct turn *t, const struct turn_message *m, uint64_t *card)
{
    struct store *s = t->options.store;
    if (m->has_reference)
        return store_card_by_reference(s, m->reference, card);
    return store_card_by_number(s, m->number, card);
}

static enum store_status log_mo(struct turn *t, uint64_t card, const struct turn_message *m,
                                uint8_t what, uint64_t counter, struct utc now)
{
    struct message v = {.id = turn_id(t, now),
                        .card = card,
                        .is_mo = true,
                        .state = POST_RECEIVED,
                        .command = what,
                        .counter = counter,
                        .parts = m->sms,
                        .at = now,
                        .packet_len = m->packet_len};
    memcpy(v.number, m->number, sizeof(v.number));
    memcpy(v.packet, m->packet, m->packet_len);
    return store_message_put(t->options.store, &v);
}

static enum store_status stray(struct turn *t, const struct turn_message *m, struct utc now)
{
    t->counts.strays++;
    return store_stray_add(t->options.store, m->number, bytes_of(m->packet, m->packet_len), now);
}

static enum store_status run_message(struct turn *t, const struct turn_message *m, struct utc now)
{
    uint64_t card;
    struct card_keys keys;
    enum store_status status = find_card(t, m, &card);
    if (status == STORE_OK)
        status = store_card_keys(t->options.store, card, &keys);
    if (status == STORE_NONE)
        return stray(t, m, now);
    if (status != STORE_OK)
        return status;
    uint8_t scratch[MESSAGE_SCRATCH];
    struct writer w = writer_of(scratch, sizeof(scratch));
    struct event e = {.type = m->is_response ? EVENT_POR : EVENT_NOTIFY,
                      .at = now,
                      .actor = {.kind = ACTOR_CARD}};
    const struct bytes packet = bytes_of(m->packet, m->packet_len);
    const enum message_status read =
        m->is_response ? message_read_por(t->options.cipher, &keys, packet, &w, &e.as.por)
                       : message_read_notify(t->options.cipher, &keys, packet, &w, &e.as.notify);
    secret_wipe(&keys, sizeof(keys));
    secret_wipe(scratch, sizeof(scratch));
    if (read != MESSAGE_OK)
        return stray(t, m, now); // whoever sent it does not hold the card's keys
    if (m->is_response) {
        memcpy(e.as.por.number, m->number, sizeof(m->number));
        e.as.por.sms = m->sms;
        e.as.por.octets = m->packet_len;
    } else {
        memcpy(e.as.notify.number, m->number, sizeof(m->number));
        e.as.notify.sms = m->sms;
        e.as.notify.octets = m->packet_len;
    }
    struct turn_answer unused = {0};
    t->counts.received++;
    status = log_mo(t, card, m,
                    m->is_response ? e.as.por.result.command : e.as.notify.notification.cause,
                    m->is_response ? e.as.por.counter : e.as.notify.mo_counter, now);
    return status == STORE_OK ? run_event(t, card, &e, &unused) : status;
}

static enum store_status run_task(struct turn *t, struct task *k, struct utc now)
{
    switch ((enum task_kind)k->kind) {
    case TASK_EVENT:
        k->event.at = now;
        return run_event(t, k->card, &k->event, &k->result);
    case TASK_WRITE:
        return k->apply(k->context, t->options.store, now);
    case TASK_MESSAGE:
        return run_message(t, &k->message, now);
    }
    return STORE_FAILED;
}

// Runs one task as a part that can be undone alone. False: the whole transaction is in danger.
static bool run_guarded(struct turn *t, struct task *k, struct utc now)
{
    const size_t sends = t->send_count;
    k->result = (struct turn_answer){0};
    k->status = store_mark(t->options.store);
    if (k->status != STORE_OK)
        return false;
    k->status = run_task(t, k, now);
    if (k->status == STORE_OK) {
        t->counts.events++;
        return store_mark_keep(t->options.store) == STORE_OK;
    }
    t->send_count = sends;
    store_mark_undo(t->options.store);
    if (k->status == STORE_KEYS)
        note_unbuildable(t);
    k->result.refusal = REFUSAL_OVERLOADED;
    k->result.operation = 0;
    return k->status != STORE_LOST && k->status != STORE_FULL && k->status != STORE_BUSY;
}

// --- the turn --------------------------------------------------------------------------------

static bool note_wake(void *context, uint64_t card)
{
    struct turn *t = context;
    t->wakes[t->wake_count++] = card;
    return t->wake_count < WAKES_MAX;
}

static enum store_status run_wakes(struct turn *t, struct utc now)
{
    t->wake_count = 0;
    enum store_status status = store_due(t->options.store, now, WAKES_MAX, note_wake, t);
    for (size_t i = 0; i < t->wake_count && status == STORE_OK; i++) {
        struct task k = {.kind = TASK_EVENT, .card = t->wakes[i]};
        k.event.type = EVENT_WAKE;
        if (t->send_count == SENDS_MAX)
            break;
        if (!run_guarded(t, &k, now))
            status = k.status;
    }
    return status;
}

static enum store_status run_upkeep(struct turn *t, struct utc now)
{
    if (t->next_sweep.ms > now.ms)
        return STORE_OK;
    t->next_sweep = utc_after(now, SWEEP_MS);
    return store_sweep(t->options.store, now);
}

static enum store_status run_all(struct turn *t, struct utc now, size_t count)
{
    enum store_status status = store_begin(t->options.store);
    if (status != STORE_OK)
        return status;
    for (size_t i = 0; i < count && status == STORE_OK; i++) {
        if (!run_guarded(t, &t->tasks[i], now))
            status = t->tasks[i].status;
    }
    if (status == STORE_OK)
        status = run_wakes(t, now);
    if (status == STORE_OK)
        status = run_upkeep(t, now);
    if (status == STORE_OK)
        status = store_next_due(t->options.store, &t->next_due);
    if (status != STORE_OK) {
        store_rollback(t->options.store);
        return status;
    }
    t->counts.commits++;
    return store_commit(t->options.store);
}

static void answer_all(struct turn *t, size_t count, enum store_status status)
{
    for (size_t i = 0; i < count; i++) {
        struct task *k = &t->tasks[i];
        const enum store_status own = status == STORE_OK ? k->status : status;
        if (own != STORE_OK && k->kind == TASK_EVENT) {
            k->result.refusal = REFUSAL_OVERLOADED;
            k->result.operation = 0;
        }
        if (k->answer != NULL)
            k->answer(k->context, &k->result);
        if (k->done != NULL)
            k->done(k->context, own);
    }
}

static void checkpoint(struct turn *t, struct utc now)
{
    uint64_t sequence;
    uint8_t hash[32];
    if (store_trail_head(t->options.store, &sequence, hash) != STORE_OK)
        return;
    const bool is_due =
        now.ms >= t->next_checkpoint.ms || sequence >= t->checkpoint_sequence + CHECKPOINT_ROWS;
    if (!is_due || sequence == t->checkpoint_sequence)
        return;
    if (store_checkpoint(t->options.store, now) != STORE_OK)
        t->counts.failures++; // tried again at the next turn's end
    else
        t->checkpoint_sequence = sequence;
    t->next_checkpoint = utc_after(now, CHECKPOINT_MS);
}

enum turn_status turn_run(struct turn *t, struct utc now)
{
    check(!t->is_running);
    const bool is_idle = t->task_count == 0 && (t->next_due.ms == 0 || t->next_due.ms > now.ms);
    if (is_idle)
        return TURN_OK;
    const size_t count = t->task_count;
    t->is_running = true;
    t->send_count = 0;
    t->alarm_count = 0;
    t->counts.turns++;
    const enum store_status status = run_all(t, now, count);
    if (status != STORE_OK)
        t->counts.failures++;
    // What is asked from here on belongs to the next turn.
    answer_all(t, count, status);
    memmove(t->tasks, t->tasks + count, (t->task_count - count) * sizeof(t->tasks[0]));
    t->task_count -= count;
    if (status == STORE_OK) {
        for (size_t i = 0; i < t->send_count; i++)
            t->options.send(t->options.send_context, &t->sends[i]);
        for (size_t i = 0; i < t->alarm_count && t->options.alarm != NULL; i++)
            t->options.alarm(t->options.alarm_context, t->alarms[i].key, t->alarms[i].card,
                             t->alarms[i].is_raised);
        t->counts.sent += t->send_count;
        checkpoint(t, now);
    } else if (t->next_due.ms == 0 || t->next_due.ms <= now.ms) {
        t->next_due = utc_after(now, 1000); // the disk may have room again
    }
    t->is_running = false;
    if (status == STORE_OK)
        return TURN_OK;
    return status == STORE_LOST ? TURN_STOP : TURN_RETRY;
}

// --- start and stop --------------------------------------------------------------------------

struct sweep_state {
    uint64_t cards[START_STEP];
    size_t count;
};

static bool note_card(void *context, uint64_t card)
{
    struct sweep_state *s = context;
    s->cards[s->count++] = card;
    return s->count < START_STEP;
}

// One event for every card under way (or touched), a transaction for each step of them.
static enum store_status tell_all(struct turn *t, uint8_t type, struct utc since, struct utc now)
{
    struct sweep_state found = {.count = 0};
    uint64_t after = 0;
    enum store_status status = STORE_OK;
    do {
        found.count = 0;
        status = type == EVENT_RESTART
                     ? store_under_way(t->options.store, after, START_STEP, note_card, &found)
                     : store_touched_since(t->options.store, since, after, START_STEP, note_card,
                                           &found);
        if (status == STORE_OK && found.count > 0)
            status = store_begin(t->options.store);
        for (size_t i = 0; i < found.count && status == STORE_OK; i++) {
            struct task k = {.kind = TASK_EVENT, .card = found.cards[i]};
            k.event.type = type;
            if (!run_guarded(t, &k, now))
                status = k.status;
            after = found.cards[i];
            t->send_count = 0; // packets of a start leave through the outbox
        }
        if (status == STORE_OK && found.count > 0)
            status = store_commit(t->options.store);
    } while (status == STORE_OK && found.count == START_STEP);
    if (status != STORE_OK)
        store_rollback(t->options.store);
    return status;
}

static enum store_status set_stop(struct turn *t, const char *value)
{
    enum store_status status = store_begin(t->options.store);
    if (status == STORE_OK)
        status = store_value_put(t->options.store, "stop", bytes_of_text(value));
    if (status == STORE_OK)
        return store_commit(t->options.store);
    store_rollback(t->options.store);
    return status;
}

static bool note_waiting(void *context, const struct message *m)
{
    struct turn *t = context;
    t->sends[t->send_count++] = *m;
    return t->send_count < SENDS_MAX;
}

static enum store_status resend_waiting(struct turn *t)
{
    uint64_t after = 0;
    enum store_status status;
    do {
        t->send_count = 0;
        status = store_outbox(t->options.store, after, SENDS_MAX, note_waiting, t);
        for (size_t i = 0; i < t->send_count && status == STORE_OK; i++) {
            t->options.send(t->options.send_context, &t->sends[i]);
            after = t->sends[i].id;
        }
    } while (status == STORE_OK && t->send_count == SENDS_MAX);
    t->send_count = 0;
    return status;
}

static enum turn_status turn_status_of(enum store_status status)
{
    if (status == STORE_OK)
        return TURN_OK;
    return status == STORE_LOST ? TURN_STOP : TURN_RETRY;
}

enum turn_status turn_start(struct turn *t, struct utc now)
{
    char stop[16] = "";
    struct writer w = writer_of(stop, sizeof(stop) - 1);
    bool is_restored = false;
    struct utc since = {0};
    enum store_status status = store_value(t->options.store, "stop", &w);
    const bool is_clean = status == STORE_NONE || strcmp(stop, "clean") == 0;
    if (status == STORE_OK || status == STORE_NONE)
        status = store_is_restored(t->options.store, &is_restored, &since);
    if (status == STORE_OK && is_restored)
        status = tell_all(t, EVENT_RESTORE, since, now);
    else if (status == STORE_OK && !is_clean)
        status = tell_all(t, EVENT_RESTART, since, now);
    if (status == STORE_OK)
        status = set_stop(t, "running");
    if (status == STORE_OK)
        status = resend_waiting(t);
    t->next_due = now; // look at once
    t->next_sweep = now;
    t->next_checkpoint = now;
    return turn_status_of(status);
}

enum turn_status turn_stop(struct turn *t, struct utc now)
{
    const enum store_status status = set_stop(t, "clean");
    if (status == STORE_OK && store_checkpoint(t->options.store, now) != STORE_OK)
        t->counts.failures++;
    return turn_status_of(status);
}
