// Operators: they ask for downloads, switches, deletions, audits, change their minds, and decide
// what the server leaves to them.
#include "common/base/check.h"
#include "tests/world/world.h"

#define DECISION_MS 21600000

static uint64_t pause_ms(struct world *w)
{
    return world_delay(&w->chance_people, w->pace_ms);
}

void people_plan(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++)
        agenda_add(&w->agenda, instant_after(w->now, pause_ms(w)), HAPPENS_OPERATOR, i, 0);
    agenda_add(&w->agenda, instant_after(w->now, DECISION_MS), HAPPENS_DECISION, 0, 0);
}

static void name_target(struct world *w, uint32_t card, unsigned i, struct operation *o)
{
    const struct person *person = &w->people[card];
    const struct slot *slot = &person->slots[i];
    o->target = (struct subscription_name){.is_given = true, .is_iccid = slot->has_iccid};
    if (slot->has_iccid)
        memcpy(o->target.iccid, slot->iccid, sizeof o->target.iccid);
    else
        memcpy(o->target.imsi, slot->imsi, sizeof o->target.imsi);
    o->subscription = person->subscriptions[i];
}

static void plan_download(struct world *w, uint32_t card, struct operation *o)
{
    const struct person *person = &w->people[card];
    const unsigned i = 2 + (unsigned)prng_below(&w->chance_people, WORLD_SUBSCRIPTIONS - 2);
    struct download_plan *d = &o->download;
    *d = (struct download_plan){.template_number = 1,
                                .has_mnc_length = true,
                                .has_role = true,
                                .has_rank = true,
                                .has_marks = true,
                                .mnc_length = 2,
                                .role = ROLE_OPERATIONAL,
                                .rank = (uint8_t)(i + 1)};
    memcpy(d->imsi, person->slots[i].imsi, sizeof d->imsi);
    memcpy(d->number, person->numbers[i], sizeof d->number);
    o->subscription = person->subscriptions[i];
    if (prng_below(&w->chance_people, 2) == 0)
        o->flags = COMMAND_FLAG_ENABLE | COMMAND_FLAG_ROLLBACK;
    if (o->flags != 0 && prng_below(&w->chance_people, 3) == 0)
        o->flags |= COMMAND_FLAG_SET_FALLBACK;
}

static void plan_timers(struct world *w, struct operation *o)
{
    struct parameters p;
    struct writer list = writer_of(o->list, sizeof o->list);
    parameters_default(&p);
    p.attach_s = (uint16_t)(60 + prng_below(&w->chance_people, 600));
    p.auto_mode = (uint8_t)prng_below(&w->chance_people, 3);
    p.heartbeat_h = (uint16_t)prng_below(&w->chance_people, 48u << (w->calm / 2));
    p.return_s = 600 + (uint32_t)prng_below(&w->chance_people, 200000);
    p.jitter_max_s = (uint16_t)prng_below(&w->chance_people, 120);
    static const uint8_t numbers[] = {PARAMETER_T_ATTACH, PARAMETER_AUTO_MODE, PARAMETER_HEARTBEAT,
                                      PARAMETER_T_RETURN, PARAMETER_JITTER_MAX};
    const size_t count = 1 + prng_below(&w->chance_people, sizeof numbers);
    for (size_t i = 0; i < count; i++)
        check(parameter_write(&list, &p, numbers[i]));
    check(!list.failed);
    o->list_len = (uint16_t)list.len;
}

static void plan_operation(struct world *w, uint32_t card, struct operation *o)
{
    static const uint8_t kinds[] = {
        OPERATION_DOWNLOAD,     OPERATION_DOWNLOAD,   OPERATION_ENABLE, OPERATION_ENABLE,
        OPERATION_ENABLE,       OPERATION_DISABLE,    OPERATION_DELETE, OPERATION_DELETE,
        OPERATION_SET_FALLBACK, OPERATION_SET_TIMERS, OPERATION_AUDIT,  OPERATION_READ_TIMERS};
    o->kind = kinds[prng_below(&w->chance_people, sizeof kinds)];
    name_target(w, card, (unsigned)prng_below(&w->chance_people, WORLD_SUBSCRIPTIONS), o);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        plan_download(w, card, o);
        break;
    case OPERATION_ENABLE:
        o->flags = prng_below(&w->chance_people, 8) == 0 ? 0 : COMMAND_FLAG_ROLLBACK;
        break;
    case OPERATION_DISABLE:
        o->flags = COMMAND_FLAG_ROLLBACK;
        break;
    case OPERATION_SET_FALLBACK:
        o->flags = prng_below(&w->chance_people, 3) == 0 ? COMMAND_FLAG_FORCE : 0;
        break;
    case OPERATION_SET_TIMERS:
        plan_timers(w, o);
        break;
    case OPERATION_READ_TIMERS:
        o->list_len = 1;
        o->list[0] = 0xFF;
        break;
    case OPERATION_DELETE:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
    o->wait_until_clean = prng_below(&w->chance_people, 2) == 0;
    o->force = prng_below(&w->chance_people, 8) == 0;
    o->at_next_contact = prng_below(&w->chance_people, 12) == 0;
    if (prng_below(&w->chance_people, 4) == 0)
        o->not_after =
            utc_after(world_utc(w), 300000 + (int64_t)prng_below(&w->chance_people, 7200000));
}

static void request(struct world *w, uint32_t card)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_USER, .id = 1}};
    struct operation *o = &e.as.request.operation;
    plan_operation(w, card, o);
    o->id = turn_id(w->server.turn, world_utc(w));
    world_note(w, "request", "card=%u kind=%s", card, operation_kind_name(o->kind));
    check(turn_event(w->server.turn, w->people[card].id, &e, NULL, NULL));
}

static void change_mind(struct world *w, uint32_t card)
{
    struct record r;
    if (store_card_load(w->server.store, w->people[card].id, &r) != STORE_OK)
        return;
    struct event e = {.type = prng_below(&w->chance_people, 3) == 0 ? EVENT_RESEND : EVENT_CANCEL,
                      .actor = {.kind = ACTOR_USER, .id = 1}};
    if (r.has_open && prng_below(&w->chance_people, 2) == 0)
        e.operation = r.open.id;
    else if (r.queue_len > 0)
        e.operation = r.queue[prng_below(&w->chance_people, r.queue_len)].id;
    if (e.operation == 0)
        return;
    world_note(w, "change_mind", "card=%u event=%s", card, event_type_name(e.type));
    check(turn_event(w->server.turn, w->people[card].id, &e, NULL, NULL));
}

// Nothing may stay undecided for ever: a person looks at it.
static void decide_open_questions(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        struct record r;
        struct event e = {.actor = {.kind = ACTOR_USER, .id = 1}};
        if (store_card_load(w->server.store, w->people[i].id, &r) != STORE_OK)
            continue;
        e.push_server = prng_below(&w->chance_people, 2) == 0;
        if (record_has_mark(&r, MARK_QUARANTINED))
            e.type = EVENT_LIFT_QUARANTINE;
        else if (r.needs_operator)
            e.type = EVENT_RESOLVE;
        else
            continue;
        world_note(w, "decision", "card=%u event=%s", i, event_type_name(e.type));
        check(turn_event(w->server.turn, w->people[i].id, &e, NULL, NULL));
    }
}

void people_happen(struct world *w, const struct entry *e)
{
    const bool is_decision = e->what == HAPPENS_DECISION;
    const bool is_over = w->is_settling && !is_decision;
    if (is_over)
        return;
    if (w->server.is_running && is_decision)
        decide_open_questions(w);
    else if (w->server.is_running && prng_below(&w->chance_people, 6) == 0)
        change_mind(w, e->subject);
    else if (w->server.is_running)
        request(w, e->subject);
    agenda_add(&w->agenda, instant_after(w->now, is_decision ? DECISION_MS : pause_ms(w)),
               (enum happening)e->what, e->subject, 0);
}
