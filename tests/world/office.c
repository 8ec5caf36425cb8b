// People who do more than ask: they want what a second person has to approve, ask for one thing at
// a time or for too many, forbid subscriptions to be the fallback, take cards out of use, write
// long lists of timers, and keep the server or the message centre away for hours.
#include "common/base/check.h"
#include "tests/world/world.h"

#define BURST 18 // more than wait on one card
#define AWAY_MS 21600000
#define RETIRED_EVERY 12

enum task {
    TASK_APPROVAL,
    TASK_APPROVE,
    TASK_ALONE,
    TASK_BURST,
    TASK_BAR,
    TASK_RETIRE,
    TASK_TIMERS,
    TASK_STOP,
    TASK_CENTRE,
    TASKS,
};

void office_plan(struct world *w, uint32_t card)
{
    if (w->knobs.office_ms != 0 && !w->is_settling)
        agenda_add(&w->agenda,
                   instant_after(w->now, world_delay(&w->chance_office, w->knobs.office_ms)),
                   HAPPENS_OFFICE, card, 0);
}

static void ask(struct world *w, uint32_t card, bool needs_approval, bool is_alone)
{
    struct deed d = {.kind = DEED_REQUEST, .card = card};
    people_draw(w, &w->chance_office, &d);
    d.approval = needs_approval;
    d.alone = is_alone;
    world_do(w, &d);
}

static void burst(struct world *w, uint32_t card)
{
    const struct deed d = {
        .kind = DEED_REQUEST, .card = card, .what = OPERATION_READ_TIMERS, .contact = 1};
    for (unsigned i = 0; i < BURST; i++)
        world_do(w, &d);
}

// With countries, which take more than one SMS, or with another address of the server, which
// nobody hears at.
static void write_timers(struct world *w, uint32_t card)
{
    struct prng *p = &w->chance_office;
    struct deed d = {.kind = DEED_REQUEST, .card = card, .what = OPERATION_SET_TIMERS};
    d.attach_s = 180;
    d.auto_mode = 2;
    d.return_s = 86400;
    d.jitter_s = 60;
    d.count = prng_below(p, 4) == 0 ? PEOPLE_ADDRESS : PEOPLE_COUNTRIES;
    d.value = (uint32_t)prng_below(p, PARAMETER_COUNTRIES_MAX + 1);
    d.subscription = (uint32_t)prng_below(p, WORLD_SUBSCRIPTIONS);
    world_do(w, &d);
}

static void take_centre_away(struct world *w, uint32_t after_ms)
{
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++) {
        if (i != WORLD_NETWORK_CONNECTION)
            world_do(w, &(struct deed){.kind = DEED_LINK, .card = i, .after_ms = after_ms});
    }
}

static void draw(struct world *w, uint32_t card)
{
    struct prng *p = &w->chance_office;
    struct deed d = {.card = card};
    switch ((enum task)prng_below(p, TASKS)) {
    case TASK_APPROVAL:
        ask(w, card, true, false);
        break;
    case TASK_APPROVE:
        d.kind = DEED_APPROVE;
        d.value = prng_below(p, 3) != 0;
        world_do(w, &d);
        break;
    case TASK_ALONE:
        ask(w, card, false, true);
        break;
    case TASK_BURST:
        burst(w, card);
        break;
    case TASK_BAR:
        d.kind = DEED_BAR;
        d.subscription = (uint32_t)prng_below(p, WORLD_SUBSCRIPTIONS);
        d.value = (uint32_t)prng_below(p, 2);
        world_do(w, &d);
        break;
    case TASK_RETIRE:
        d.kind = DEED_RETIRE;
        if (prng_below(p, RETIRED_EVERY) == 0)
            world_do(w, &d);
        break;
    case TASK_TIMERS:
        write_timers(w, card);
        break;
    case TASK_STOP:
        d.kind = DEED_STOP;
        d.after_ms = (uint32_t)prng_below(p, AWAY_MS);
        d.card = 0;
        world_do(w, &d);
        break;
    case TASK_CENTRE:
        take_centre_away(w, 1 + (uint32_t)prng_below(p, AWAY_MS));
        break;
    case TASKS:
        check(false);
    }
}

void office_happen(struct world *w, const struct entry *e)
{
    if (w->is_settling)
        return;
    draw(w, e->subject);
    office_plan(w, e->subject);
}

// --- what they do --------------------------------------------------------------------------------

// The first that waits for it.
static uint64_t waiting_for_approval(const struct record *r)
{
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].status == STATUS_AWAIT_APPROVAL)
            return r->queue[i].id;
    }
    return 0;
}

void office_do(struct world *w, const struct deed *d)
{
    struct event e = {.actor = {.kind = ACTOR_USER, .id = 2}};
    struct record r;
    const uint64_t id = w->people[d->card].id;
    if (!server_is_awake(w) || d->subscription >= WORLD_SUBSCRIPTIONS)
        return;
    check(store_card_load(w->server.store, id, &r) == STORE_OK);
    if (d->kind == DEED_APPROVE) {
        e.type = d->value != 0 ? EVENT_APPROVED : EVENT_REJECTED;
        e.operation = waiting_for_approval(&r);
        if (e.operation == 0)
            return;
    } else if (d->kind == DEED_BAR) {
        e.type = EVENT_BAR;
        e.subscription = w->people[d->card].subscriptions[d->subscription];
        e.is_barred = d->value != 0;
        w->truths[d->card].is_job_touched = true;
    } else {
        e.type = EVENT_RETIRE;
        w->truths[d->card].is_job_touched = true;
    }
    world_note(w, "office", "card=%u event=%s", d->card, event_type_name(e.type));
    check(turn_event(w->server.turn, id, &e, NULL, NULL));
}
