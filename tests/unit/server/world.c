#include "tests/unit/server/world.h"

#include "common/base/check.h"

#define START_MS 1784894400000 // 2026-07-24T12:00:00Z

static struct mirror_slot slot(uint8_t number, bool is_enabled)
{
    struct mirror_slot s = {.subscription = 100u + number};
    s.fact = (struct audit_slot){.slot = number,
                                 .state = is_enabled ? SLOT_ENABLED : SLOT_DISABLED,
                                 .role = number == 1 ? ROLE_BOOTSTRAP : ROLE_OPERATIONAL,
                                 .is_fallback = is_enabled,
                                 .is_proven = true,
                                 .rank = number,
                                 .template_number = 1};
    memcpy(s.fact.imsi, (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 0, (uint8_t)(number << 4)}, 9);
    memcpy(s.number, number == 1 ? "9990000000001" : "9990000000002", 14);
    return s;
}

void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    policy_default(&w->policy);
    check(cipher_openssl_open(&w->cipher));
    w->now.ms = START_MS;
    w->next_id = 1000;
    struct record *r = &w->record;
    record_init(r, 7);
    r->state = CARD_OPERATIONAL;
    r->level = 2;
    r->version = 1;
    r->terminal = TERMINAL_REFRESH;
    memcpy(r->iccid, (uint8_t[]){0x98, 0x99, 0x90, 0, 0, 0, 0x17, 0x07, 0, 0x91}, 10);
    r->slots[0] = slot(1, true);
    r->slots[1] = slot(2, false);
    r->slot_count = 2;
    r->has_registry_version = true;
    r->registry_version = 10;
    w->next_slot = 3;
}

void world_close(struct world *w)
{
    cipher_openssl_close(&w->cipher);
}

void world_event(struct world *w, struct event *e)
{
    const struct decide_context c = {.policy = &w->policy,
                                     .cipher = &w->cipher,
                                     .are_downloads_held = w->are_downloads_held,
                                     .find = w->find};
    e->at = w->now;
    e->fresh_id = w->next_id;
    w->next_id += 4;
    decide(&w->record, e, &c, &w->decision);
    w->record = w->decision.next;
}

void world_wake_after(struct world *w, int64_t ms)
{
    struct event e = {.type = EVENT_WAKE};
    w->now.ms += ms;
    world_event(w, &e);
}

uint64_t world_request(struct world *w, uint8_t kind)
{
    struct event e = {.type = EVENT_REQUEST};
    struct operation *o = &e.as.request.operation;
    o->id = w->next_id++;
    o->kind = kind;
    o->flags = COMMAND_FLAG_ROLLBACK;
    o->subscription = w->record.slots[1].subscription;
    o->target = record_slot_name(&w->record.slots[1]);
    if (kind == OPERATION_DISABLE)
        o->target = record_slot_name(record_enabled(&w->record));
    if (kind == OPERATION_DOWNLOAD) {
        o->subscription = 103;
        o->download.has_rank = true;
        o->download.rank = 3;
        memcpy(o->download.imsi, (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 0, 0x30}, 9);
    }
    world_event(w, &e);
    return w->decision.operation;
}

void world_submit(struct world *w, uint8_t outcome)
{
    struct event e = {.type = EVENT_SUBMIT};
    e.as.submit = (struct event_submit){
        .counter = w->record.flight.counter, .outcome = outcome, .parts = 1, .octets = 98};
    world_event(w, &e);
}

void world_receipt(struct world *w, uint8_t state)
{
    struct event e = {.type = EVENT_RECEIPT};
    e.as.receipt = (struct event_receipt){w->record.flight.counter, state, 1, {0}};
    world_event(w, &e);
}

static void fill_state(struct world *w, struct record *as, struct result *result)
{
    struct audit_slot slots[COMMAND_SLOTS_MAX];
    for (uint8_t i = 0; i < as->slot_count; i++)
        slots[i] = as->slots[i].fact;
    result->has_hash = true;
    check(state_hash(&w->cipher, slots, as->slot_count, result->state_hash));
}

void world_por(struct world *w, uint8_t status)
{
    struct event e = {.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = w->record.flight.counter;
    e.as.por.status = status;
    world_event(w, &e);
}

// The hash that the card reports after the command took effect.
static struct record after_effect(const struct world *w, uint8_t code)
{
    struct record r = w->record;
    const bool has_run = code == RESULT_OK && r.has_open;
    const struct mirror_slot *target = has_run ? record_slot_named(&r, &r.open.target) : NULL;
    const size_t at = target == NULL ? 0 : (size_t)(target - r.slots);
    if (has_run && r.open.kind == OPERATION_DELETE) {
        r.slot_count--;
        memmove(&r.slots[at], &r.slots[at + 1], (r.slot_count - at) * sizeof(r.slots[0]));
    }
    if (has_run && r.open.kind == OPERATION_SET_FALLBACK) {
        for (uint8_t i = 0; i < r.slot_count; i++)
            r.slots[i].fact.is_fallback = i == at;
    }
    if (has_run && r.open.kind == OPERATION_DOWNLOAD) {
        struct audit_slot *f = &r.slots[r.slot_count++].fact;
        *f = (struct audit_slot){.slot = w->next_slot,
                                 .state = SLOT_DISABLED,
                                 .role = r.open.download.role,
                                 .template_number = r.open.download.template_number};
        // Of the template: 1.
        f->rank = r.open.download.has_rank ? r.open.download.rank : 1;
        memcpy(f->imsi, r.open.download.imsi, 9);
    }
    return r;
}

void world_result(struct world *w, uint8_t code)
{
    struct event e = {.type = EVENT_POR};
    struct event_por *p = &e.as.por;
    struct record after = after_effect(w, code);
    p->is_authentic = true;
    p->counter = w->record.flight.counter;
    p->has_result = true;
    p->result.code = code;
    p->result.command = w->record.flight.command;
    p->result.operation_id = w->record.flight.operation_id;
    p->result.registry_version = w->record.registry_version + (code == RESULT_OK);
    p->has_pair = true;
    p->pair = (struct result_pair){w->next_slot, 5};
    fill_state(w, &after, &p->result);
    p->sms = 1;
    p->octets = 54;
    world_event(w, &e);
}

void world_notify(struct world *w, uint8_t cause, uint8_t to_slot, bool is_commanded)
{
    struct event e = {.type = EVENT_NOTIFY};
    struct notification *n = &e.as.notify.notification;
    struct record after = w->record;
    for (uint8_t i = 0; i < after.slot_count; i++)
        after.slots[i].fact.state = i + 1 == to_slot ? SLOT_ENABLED : SLOT_DISABLED;
    struct result state;
    fill_state(w, &after, &state);
    e.as.notify.mo_counter = w->record.mo_counter + 1;
    n->cause = cause;
    n->sequence = w->record.notify_sequence + 1;
    n->operation_id = is_commanded ? w->record.open.card_operation_id : 0;
    n->registry_version = w->record.registry_version + 1;
    n->has_hash = true;
    memcpy(n->state_hash, state.state_hash, sizeof(n->state_hash));
    n->to = record_slot_name(&w->record.slots[to_slot - 1]);
    const struct mirror_slot *enabled = record_enabled(&w->record);
    const bool is_same = enabled == &w->record.slots[to_slot - 1];
    n->from = record_slot_name(is_same ? &w->record.slots[2 - to_slot] : enabled);
    e.as.notify.sms = 1;
    e.as.notify.octets = 90;
    world_event(w, &e);
}

void world_answer_init(struct world *w, struct event *e, uint8_t lookup, uint8_t lookup_code)
{
    const struct record *r = &w->record;
    *e = (struct event){.type = EVENT_POR};
    struct event_por *p = &e->as.por;
    p->is_authentic = true;
    p->counter = r->flight.counter;
    p->has_result = true;
    p->result.command = COMMAND_AUDIT;
    p->result.registry_version = r->registry_version;
    p->has_answer = true;
    struct audit_answer *a = &p->answer;
    memcpy(a->nonce, r->audit.nonce, sizeof(a->nonce));
    memcpy(a->card_iccid, r->iccid, sizeof(a->card_iccid));
    memcpy(a->applet_version, r->applet_version, sizeof(a->applet_version));
    a->level = r->level;
    a->slot_count = r->slot_limit;
    a->mt_counter = r->mt_counter;
    a->mo_counter = r->mo_counter;
    a->operation_id_highest = r->operation_id_seen;
    a->configuration_version = r->configuration_version;
    a->switch_state = SWITCH_STABLE;
    a->preferred_slot = 1;
    a->terminal = r->terminal;
    a->lookup = lookup;
    a->lookup_operation_id = r->has_open ? r->open.card_operation_id : 0;
    a->lookup_code = lookup_code;
    a->slot_count_here = r->slot_count;
    for (uint8_t i = 0; i < r->slot_count; i++)
        a->slots[i] = r->slots[i].fact;
}

uint64_t world_switching(struct world *w)
{
    const uint64_t id = world_request(w, OPERATION_ENABLE);
    world_submit(w, SUBMIT_ACCEPTED);
    world_receipt(w, RECEIPT_DELIVERED);
    world_result(w, RESULT_OK_PENDING);
    return id;
}

bool world_is_dirty(const struct world *w, uint8_t reason)
{
    return w->record.reasons[reason].since.ms != 0 && record_has_mark(&w->record, MARK_DIRTY);
}

const struct operation *world_ended(const struct world *w)
{
    return w->decision.ended_count == 0 ? NULL : &w->decision.ended[w->decision.ended_count - 1];
}
