// Bootstraps that wait for their turn, or for subscriptions of a pool: what they wait for wakes
// them, in their order. The queue is in the store [core/record.h, bootstrap_place()]; here is only
// which groups are worth a look. A look at a group in which nobody can go on writes nothing.
#include "ota-server/service/turn_part.h"
#include "ota-server/store/places.h"

#define LOOKS_MAX 256                      // in a turn
#define CHECK_MS (6 * 60 * 60 * 1000)      // all groups, should anything not have been noted
#define POSTPONE_MS ((int64_t)3600 * 1000) // of a card whose event fails

static void want(struct turn *t, uint64_t group, uint64_t card)
{
    struct places *p = &t->places;
    for (size_t i = 0; i < p->count; i++) {
        if (p->notes[i].group == group && p->notes[i].card == card)
            return;
    }
    if (p->count == PLACES_MAX)
        turn_want_places(t);
    else
        p->notes[p->count++] = (struct place_note){group, card};
}

void turn_want_places(struct turn *t)
{
    t->places.are_all = true;
    t->places.after = 0;
}

void turn_note_place(struct turn *t, const struct event *e)
{
    const struct record *a = &t->before;
    const struct record *b = &t->decision.next;
    const int64_t place = bootstrap_place(b);
    const bool is_left = place != PLACE_HELD || a->group != b->group;
    if (bootstrap_place(a) == PLACE_HELD && is_left)
        want(t, a->group, 0);
    // Which was told that it has to wait, waits.
    if (place > 0 && e->type != EVENT_PLAN)
        want(t, b->group, b->card);
}

// A card that is told how it goes on.
struct told {
    struct turn *turn;
    uint64_t card;
    uint8_t why; // it waits, or REFUSAL_NONE
};

// STORE_NONE: it knows, nothing is to be written.
static enum store_status prepare(void *context, struct store *s, struct event *e)
{
    struct told *told = context;
    struct turn *t = told->turn;
    struct record *r = &t->before; // is loaded anew for the decision
    struct event_plan *p = &e->as.plan;
    const struct policy *policy = NULL;
    enum store_status status = store_card_load(s, told->card, r);
    if (status != STORE_OK || bootstrap_place(r) <= 0)
        return status == STORE_OK ? STORE_NONE : status;
    e->actor = (struct actor){ACTOR_RULE, r->group};
    p->refusal = told->why;
    if (told->why == REFUSAL_NONE)
        status = turn_policy_of(t, r->group, &policy);
    if (told->why == REFUSAL_NONE && status == STORE_OK)
        status = t->options.plan(t->options.follow_context, s, policy, r, e);
    if (status != STORE_OK)
        return status;
    if (p->refusal == REFUSAL_CARD_BUSY || p->refusal == REFUSAL_POOL_EMPTY)
        told->why = p->refusal;
    return told->why != REFUSAL_NONE && told->why == r->bootstrap.failure ? STORE_NONE : STORE_OK;
}

// True when the card knows now. False: the whole transaction is in danger, or what is done for the
// card failed alone.
static bool tell(struct turn *t, struct told *told, struct utc now, enum store_status *status)
{
    struct task k = {.kind = TASK_EVENT, .card = told->card, .prepare = prepare, .context = told};
    k.event.type = EVENT_PLAN;
    const bool is_safe = turn_run_guarded(t, &k, now);
    *status = is_safe ? STORE_OK : k.status;
    return is_safe && k.status == STORE_OK && k.result.refusal == REFUSAL_NONE;
}

// Those at the head of the queue, until one has to wait: then so has everybody behind it, because
// they want the same. `why`: it has to, or REFUSAL_NONE.
static enum store_status serve(struct turn *t, uint64_t group, unsigned *looks, struct utc now,
                               uint8_t *why)
{
    *why = REFUSAL_NONE;
    for (; *looks > 0; (*looks)--) {
        struct told told = {.turn = t};
        enum store_status status = store_place_next(t->options.store, group, &told.card);
        if (status != STORE_OK)
            return status == STORE_NONE ? STORE_OK : status;
        t->places.check_at = utc_after(now, CHECK_MS);
        if (t->send_count == SENDS_MAX) {
            *looks = 0;
            return STORE_OK;
        }
        const bool is_told = tell(t, &told, now, &status);
        *why = told.why;
        if (status != STORE_OK || *why != REFUSAL_NONE)
            return status;
        if (!is_told) // its packet cannot be built, say: it must not be the first for ever
            status = store_place_postpone(t->options.store, told.card, utc_after(now, POSTPONE_MS));
        if (status != STORE_OK)
            return status;
    }
    return STORE_OK;
}

static enum store_status serve_noted(struct turn *t, unsigned *looks, struct utc now)
{
    struct places *p = &t->places;
    enum store_status status = STORE_OK;
    while (p->count > 0 && *looks > 0 && status == STORE_OK) {
        const struct place_note *note = &p->notes[p->count - 1];
        struct told told = {.turn = t, .card = note->card};
        status = serve(t, note->group, looks, now, &told.why);
        if (status == STORE_OK && told.card != 0 && told.why != REFUSAL_NONE)
            (void)tell(t, &told, now, &status);
        if (*looks > 0) {
            p->count--;
            (*looks)--;
        }
    }
    return status;
}

static enum store_status serve_all(struct turn *t, unsigned *looks, struct utc now)
{
    struct places *p = &t->places;
    enum store_status status = STORE_OK;
    while (p->are_all && *looks > 0 && status == STORE_OK) {
        uint64_t group = 0;
        uint8_t why = REFUSAL_NONE;
        status = store_place_group(t->options.store, p->after, &group);
        p->are_all = status == STORE_OK;
        if (status == STORE_OK)
            status = serve(t, group, looks, now, &why);
        if (status == STORE_OK && *looks > 0) {
            p->after = group;
            (*looks)--;
        }
    }
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status turn_run_places(struct turn *t, struct utc now)
{
    struct places *p = &t->places;
    unsigned looks = LOOKS_MAX;
    bool is_held = false;
    if (t->options.plan == NULL)
        return STORE_OK;
    enum store_status status = turn_hold(t, &is_held);
    if (status != STORE_OK || is_held)
        return status;
    const bool is_check = p->check_at.ms != 0 && p->check_at.ms <= now.ms;
    if (store_pools_filled(t->options.store) || is_check)
        turn_want_places(t);
    if (is_check)
        p->check_at.ms = 0;
    status = serve_noted(t, &looks, now);
    if (status == STORE_OK)
        status = serve_all(t, &looks, now);
    (void)store_pools_filled(t->options.store); // what one could not have together was put back
    return status;
}

struct utc turn_places_due(const struct turn *t, struct utc now)
{
    const struct places *p = &t->places;
    if (t->options.plan == NULL)
        return (struct utc){0};
    if (t->hold.is_on)
        return t->hold.look_at; // then it may end, and all are looked at
    return p->count > 0 || p->are_all ? now : p->check_at;
}
