// Operators: they ask for downloads, switches, deletions, audits, change their minds, and decide
// what the server leaves to them; and what they do about a campaign.
#include "common/base/check.h"
#include "tests/world/campaign.h"
#include "tests/world/world.h"

#define DECISION_MS 21600000
#define LIFTS_SOON 8 // of one card's quarantine
#define LIFT_AGAIN_MS 2592000000
#define TIMERS 5

static uint64_t pause_ms(struct world *w)
{
    return world_delay(&w->chance_people, w->pace_ms);
}

void people_plan(struct world *w)
{
    for (uint32_t i = 0; i < w->cards && w->options.story == NULL; i++)
        agenda_add(&w->agenda, instant_after(w->now, pause_ms(w)), HAPPENS_OPERATOR, i, 0);
    agenda_add(&w->agenda, instant_after(w->now, DECISION_MS), HAPPENS_DECISION, 0, 0);
}

static void name_target(struct world *w, uint32_t card, unsigned i, struct operation *o)
{
    const struct subject subject = group_subject(w, card, i);
    const struct person *person = &w->people[subject.person];
    const struct slot *slot = &person->slots[subject.subscription];
    o->target = (struct subscription_name){.is_given = true, .is_iccid = slot->has_iccid};
    if (slot->has_iccid)
        memcpy(o->target.iccid, slot->iccid, sizeof o->target.iccid);
    else
        memcpy(o->target.imsi, slot->imsi, sizeof o->target.imsi);
    o->subscription = person->subscriptions[subject.subscription];
}

// --- what somebody wants -----------------------------------------------------------------------

static void draw_timers(const struct world *w, struct prng *p, struct deed *d)
{
    d->attach_s = 60 + (uint32_t)prng_below(p, 600);
    d->auto_mode = (uint32_t)prng_below(p, 3);
    d->heartbeat_h = (uint32_t)prng_below(p, 48u << (w->calm / 2));
    d->return_s = 600 + (uint32_t)prng_below(p, 200000);
    d->jitter_s = (uint32_t)prng_below(p, 120);
    d->count = 1 + (uint32_t)prng_below(p, TIMERS);
}

void people_draw(struct world *w, struct prng *p, struct deed *d)
{
    static const uint8_t kinds[] = {
        OPERATION_DOWNLOAD,     OPERATION_DOWNLOAD,   OPERATION_ENABLE, OPERATION_ENABLE,
        OPERATION_ENABLE,       OPERATION_DISABLE,    OPERATION_DELETE, OPERATION_DELETE,
        OPERATION_SET_FALLBACK, OPERATION_SET_TIMERS, OPERATION_AUDIT,  OPERATION_READ_TIMERS};
    d->what = kinds[prng_below(p, sizeof kinds)];
    d->subscription = (uint32_t)prng_below(p, WORLD_SUBSCRIPTIONS);
    switch ((enum operation_kind)d->what) {
    case OPERATION_DOWNLOAD:
        d->subscription = 2 + (uint32_t)prng_below(p, WORLD_SUBSCRIPTIONS - 2);
        if (group_has_rule(w)) // the others are the pool's
            d->subscription = WORLD_SUBSCRIPTIONS - 1;
        if (prng_below(p, 2) == 0)
            d->flags = COMMAND_FLAG_ENABLE | COMMAND_FLAG_ROLLBACK;
        if (d->flags != 0 && prng_below(p, 3) == 0)
            d->flags |= COMMAND_FLAG_SET_FALLBACK;
        break;
    case OPERATION_ENABLE:
        d->flags = prng_below(p, 8) == 0 ? 0 : COMMAND_FLAG_ROLLBACK;
        break;
    case OPERATION_DISABLE:
        d->flags = COMMAND_FLAG_ROLLBACK;
        break;
    case OPERATION_SET_FALLBACK:
        d->flags = prng_below(p, 3) == 0 ? COMMAND_FLAG_FORCE : 0;
        break;
    case OPERATION_SET_TIMERS:
        draw_timers(w, p, d);
        break;
    case OPERATION_READ_TIMERS:
    case OPERATION_DELETE:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
    d->wait = prng_below(p, 2) == 0;
    d->force = prng_below(p, 8) == 0;
    d->contact = prng_below(p, 12) == 0;
    if (prng_below(p, 4) == 0)
        d->within_ms = 300000 + (uint32_t)prng_below(p, 7200000);
}

// --- and how it is asked for -------------------------------------------------------------------

static void plan_download(struct world *w, const struct deed *deed, struct operation *o)
{
    const struct person *person = &w->people[deed->card];
    const unsigned i = deed->subscription;
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
}

// So many rows of countries, the first one of the home networks: each prefers one subscription or
// forbids it.
static void plan_countries(const struct world *w, const struct deed *d, struct parameters *p)
{
    const struct person *person = &w->people[d->card];
    p->country_count = (uint8_t)(d->value <= PARAMETER_COUNTRIES_MAX ? d->value : 0);
    for (uint8_t i = 0; i < p->country_count; i++) {
        struct country_row *row = &p->countries[i];
        const unsigned of = (d->subscription + i) % WORLD_SUBSCRIPTIONS;
        // 001, any network of it; then 101, 201 ...
        memcpy(row->plmn, (uint8_t[]){i, 0xF1, 0xFF}, sizeof row->plmn);
        memcpy(row->imsi, person->slots[of].imsi, sizeof row->imsi);
        row->action = i % 3 == (d->octet != 0 ? 0 : 2) ? COUNTRY_FORBID : COUNTRY_PREFER;
    }
}

static void plan_timers(const struct world *w, const struct deed *d, struct operation *o)
{
    struct parameters p;
    struct writer list = writer_of(o->list, sizeof o->list);
    parameters_default(&p);
    p.attach_s = (uint16_t)d->attach_s;
    p.auto_mode = (uint8_t)d->auto_mode;
    p.heartbeat_h = (uint16_t)d->heartbeat_h;
    p.return_s = d->return_s;
    p.jitter_max_s = (uint16_t)d->jitter_s;
    static const uint8_t numbers[TIMERS] = {PARAMETER_T_ATTACH, PARAMETER_AUTO_MODE,
                                            PARAMETER_HEARTBEAT, PARAMETER_T_RETURN,
                                            PARAMETER_JITTER_MAX};
    for (size_t i = 0; i < d->count && i < TIMERS; i++)
        check(parameter_write(&list, &p, numbers[i]));
    plan_countries(w, d, &p);
    if (d->count == PEOPLE_COUNTRIES)
        check(parameter_write(&list, &p, PARAMETER_COUNTRY_TABLE));
    if (d->count == PEOPLE_ADDRESS) {
        static const uint8_t elsewhere[] = {0x91, 0x21, 0x43, 0x05, 0x00, 0xF1};
        p.server_address_len = sizeof elsewhere;
        memcpy(p.server_address, elsewhere, sizeof elsewhere);
        check(parameter_write(&list, &p, PARAMETER_SERVER_ADDR));
    }
    check(!list.failed);
    o->list_len = (uint16_t)list.len;
}

// Of two wishes that came at once: one question is asked of the card once; and who refuses to wait
// is refused while the other is at it.
static void answered(void *context, const struct turn_answer *answer)
{
    struct double_click *c = context;
    struct world *w = c->w;
    struct record r;
    kept_asked(&w->people[c->card].asker, answer);
    if (c->answers++ == 0) {
        c->first = answer->operation;
        return;
    }
    c->life = 0;
    if (c->first == 0 || answer->operation == 0)
        return;
    w->result.probes.doubles++;
    if (c->kind == OPERATION_AUDIT && c->first != answer->operation)
        world_violate(w, "double_click", c->card, "two audits are open");
    check(store_card_load(w->server.store, w->people[c->card].id, &r) == STORE_OK);
    const bool is_open = record_operation(&r, c->first) != NULL;
    if (c->is_alone && is_open && operation_is_state_changing(c->kind))
        world_violate(w, "double_click", c->card, "%s was taken twice by who does not wait",
                      operation_kind_name(c->kind));
}

// One double click for a card at a time is looked at.
static struct double_click *click(struct world *w, const struct deed *d)
{
    struct double_click *c = &w->people[d->card].clicks;
    if (d->twice == 0 || c->life == w->server.lives)
        return NULL;
    *c = (struct double_click){.w = w,
                               .card = d->card,
                               .life = w->server.lives,
                               .kind = (uint8_t)d->what,
                               .is_alone = d->alone != 0};
    return c;
}

static void do_request(struct world *w, const struct deed *d)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_USER, .id = 1}};
    struct operation *o = &e.as.request.operation;
    if (group_is_pooled(w, d->card, d->subscription) && d->what == OPERATION_DOWNLOAD)
        return; // only the rule gives those away
    o->kind = (uint8_t)d->what;
    name_target(w, d->card, d->subscription, o);
    o->flags = (uint8_t)d->flags;
    if (d->what == OPERATION_DOWNLOAD)
        plan_download(w, d, o);
    if (d->what == OPERATION_SET_TIMERS)
        plan_timers(w, d, o);
    if (d->what == OPERATION_READ_TIMERS) {
        o->list_len = 1;
        o->list[0] = 0xFF;
    }
    o->wait_until_clean = d->wait != 0;
    o->force = d->force != 0;
    o->at_next_contact = d->contact != 0;
    o->needs_approval = d->approval != 0;
    e.as.request.refuse_if_busy = d->alone != 0;
    if (d->within_ms != 0)
        o->not_after = utc_after(server_utc(w), d->within_ms);
    o->id = turn_id(w->server.turn, server_utc(w));
    world_note(w, "request", "card=%u kind=%s", d->card, operation_kind_name(o->kind));
    struct double_click *c = click(w, d);
    for (unsigned i = 0; i < (d->twice != 0 ? 2u : 1u); i++) {
        if (i > 0)
            o->id = turn_id(w->server.turn, server_utc(w));
        turn_answer_fn *told = c != NULL ? answered : kept_asked;
        void *whom = c != NULL ? (void *)c : &w->people[d->card].asker;
        check(turn_event(w->server.turn, w->people[d->card].id, &e, told, whom));
    }
}

// --- minds are changed -------------------------------------------------------------------------

static void change_mind(struct world *w, uint32_t card)
{
    struct record r;
    if (store_card_load(w->server.store, w->people[card].id, &r) != STORE_OK)
        return;
    struct deed d = {.card = card};
    d.kind = prng_below(&w->chance_people, 3) == 0 ? DEED_RESEND : DEED_CANCEL;
    if (r.has_open && prng_below(&w->chance_people, 2) == 0)
        d.count = 0;
    else if (r.queue_len > 0)
        d.count = 1 + (uint32_t)prng_below(&w->chance_people, r.queue_len);
    else
        return;
    world_do(w, &d);
}

// Of the operation that is open (count 0), or of one in the queue.
static void do_change(struct world *w, const struct deed *d)
{
    struct record r;
    if (store_card_load(w->server.store, w->people[d->card].id, &r) != STORE_OK)
        return;
    struct event e = {.type = d->kind == DEED_RESEND ? EVENT_RESEND : EVENT_CANCEL,
                      .actor = {.kind = ACTOR_USER, .id = 1}};
    if (d->count > r.queue_len || (d->count == 0 && !r.has_open))
        return;
    e.operation = d->count == 0 ? r.open.id : r.queue[d->count - 1].id;
    world_note(w, "change_mind", "card=%u event=%s", d->card, event_type_name(e.type));
    check(turn_event(w->server.turn, w->people[d->card].id, &e, NULL, NULL));
}

void people_do(struct world *w, const struct deed *d)
{
    if (!server_is_awake(w) || d->subscription >= WORLD_SUBSCRIPTIONS)
        return;
    if (d->kind == DEED_REQUEST)
        do_request(w, d);
    else if (d->kind != DEED_CAMPAIGN)
        do_change(w, d);
    else if (w->options.has_campaign)
        world_store.campaigns->act(w, d);
}

// A card that is in quarantine again and again is looked at once a month: there is nothing to do
// about it.
static bool is_given_up(struct world *w, struct truth *t)
{
    if (t->lifts >= LIFTS_SOON && !w->is_settling &&
        !instant_is_due(instant_after(t->lifted, LIFT_AGAIN_MS), w->now))
        return true;
    t->lifts++;
    t->lifted = w->now;
    return false;
}

static void decide_about(struct world *w, uint32_t card)
{
    struct record r;
    struct event e = {.actor = {.kind = ACTOR_USER, .id = 1}};
    check(store_card_load(w->server.store, w->people[card].id, &r) == STORE_OK);
    if (shape_is_at_end(&r))
        return; // nothing can be sent to it ever again
    if (record_has_mark(&r, MARK_QUARANTINED))
        e.type = EVENT_LIFT_QUARANTINE;
    else if (r.needs_operator)
        e.type = EVENT_RESOLVE;
    else
        return;
    if (e.type == EVENT_LIFT_QUARANTINE && is_given_up(w, &w->truths[card]))
        return;
    struct deed push;
    fate_stage(w, STAGE_DECISION, card);
    e.push_server = fate_befalls(w, DEED_PUSH, card, &push);
    world_note(w, "decision", "card=%u event=%s", card, event_type_name(e.type));
    w->truths[card].falls = 0;
    check(turn_event(w->server.turn, w->people[card].id, &e, NULL, NULL));
}

// Nothing may stay undecided for ever: a person looks at it.
static void decide_open_questions(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        if (w->truths[i].glance.needs_decision)
            decide_about(w, i);
    }
}

void people_happen(struct world *w, const struct entry *e)
{
    const bool is_decision = e->what == HAPPENS_DECISION;
    const bool is_over = w->is_settling && !is_decision;
    if (is_over)
        return;
    if (server_is_awake(w) && is_decision) {
        decide_open_questions(w);
    } else if (server_is_awake(w) && prng_below(&w->chance_people, 6) == 0) {
        if (group_has_rule(w) && prng_below(&w->chance_people, 2) == 0)
            world_do(w, &(struct deed){.kind = DEED_BOOTSTRAP,
                                       .card = e->subject,
                                       .what = (uint32_t)prng_below(&w->chance_people, 3)});
        else
            change_mind(w, e->subject);
    } else if (server_is_awake(w)) {
        struct deed d = {.kind = DEED_REQUEST, .card = e->subject};
        people_draw(w, &w->chance_people, &d);
        d.twice = prng_chance(&w->chance_twice, w->knobs.double_click);
        if (d.twice != 0)
            d.alone = prng_below(&w->chance_twice, 2) == 0;
        world_do(w, &d);
    }
    agenda_add(&w->agenda, instant_after(w->now, is_decision ? DECISION_MS : pause_ms(w)),
               (enum happening)e->what, e->subject, 0);
}
