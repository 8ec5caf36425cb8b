// Cards that are not who they seem to be. Two cards have each other's number, by a mistake of the
// network's register: whatever is sent to one reaches the other, and both speak from the wrong
// number. And a clone: a second card with the keys and the content of one, which both networks and
// server take for that one.
//
// What a card is to the server comes from what it signs, never from a number; a clone is found
// because two cards cannot count as one.
#include "common/base/check.h"
#include "tests/world/world.h"

#define SWAPPED_MS 43200000
#define CLONE_ON_MS 21600000
#define OWN_NUMBERS 2 // that are no pool's

static void plan(struct world *w, struct prng *p, enum happening what, struct entry next)
{
    if (!w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(p, next.at_ms)), what,
                   next.subject, next.value);
}

static void plan_swap(struct world *w)
{
    if (w->knobs.swap_ms != 0 && w->cards > 1)
        plan(w, &w->chance_swap, HAPPENS_SWAP, (struct entry){.at_ms = w->knobs.swap_ms});
}

static void plan_clone(struct world *w, uint32_t is_on)
{
    if (w->knobs.clone_ms != 0 && w->story.clone_of != 0)
        plan(w, &w->chance_clone, HAPPENS_CLONE,
             (struct entry){.at_ms = is_on ? CLONE_ON_MS : w->knobs.clone_ms, .value = is_on});
}

void identity_draw(struct world *w)
{
    if (w->knobs.clone_ms == 0 || w->cards >= WORLD_CARDS_MAX || group_has_rule(w))
        return;
    w->story.clone_of = 1 + (uint32_t)prng_below(&w->chance_clone, w->cards);
}

void identity_plan(struct world *w)
{
    plan_swap(w);
    plan_clone(w, 0);
}

void identity_happen(struct world *w, const struct entry *e)
{
    struct prng *p = &w->chance_swap;
    if (e->what == HAPPENS_CLONE) {
        world_do(w, &(struct deed){.kind = DEED_CLONE, .force = e->value == 0});
        plan_clone(w, e->value == 0);
        return;
    }
    if (e->value != 0) { // as it was
        world_do(w, &(struct deed){.kind = DEED_SWAP,
                                   .card = e->subject % WORLD_CARDS_MAX,
                                   .value = e->value - 1,
                                   .subscription = e->subject / WORLD_CARDS_MAX});
        plan_swap(w);
        return;
    }
    struct deed d = {.kind = DEED_SWAP, .card = (uint32_t)prng_below(p, w->cards)};
    d.value = (d.card + 1 + (uint32_t)prng_below(p, w->cards - 1)) % w->cards;
    d.subscription = (uint32_t)prng_below(p, group_has_rule(w) ? 1 : OWN_NUMBERS);
    world_do(w, &d);
    plan(w, p, HAPPENS_SWAP,
         (struct entry){.at_ms = SWAPPED_MS,
                        .subject = d.card + d.subscription * WORLD_CARDS_MAX,
                        .value = d.value + 1});
}

// --- numbers -----------------------------------------------------------------------------------

static void exchange(struct radio *radio, struct radio_subscriber *a, struct radio_subscriber *b)
{
    const uint32_t first = (uint32_t)(a - radio->subscribers) + 1;
    const uint32_t second = (uint32_t)(b - radio->subscribers) + 1;
    const uint64_t msisdn = a->msisdn;
    a->msisdn = b->msisdn;
    b->msisdn = msisdn;
    for (uint32_t i = 0; i < radio->index_len; i++) {
        if (radio->by_msisdn[i] == first)
            radio->by_msisdn[i] = second;
        else if (radio->by_msisdn[i] == second)
            radio->by_msisdn[i] = first;
    }
}

static struct radio_subscriber *subscriber(struct world *w, uint32_t card, uint32_t i)
{
    return &w->subscribers[card * WORLD_SUBSCRIPTIONS + i];
}

static void do_swap(struct world *w, const struct deed *d)
{
    if (d->value >= w->cards || d->value == d->card || d->subscription >= OWN_NUMBERS)
        return;
    w->has_swapped = true;
    exchange(&w->radio, subscriber(w, d->card, d->subscription),
             subscriber(w, d->value, d->subscription));
    world_note(w, "swap", "card=%u with=%u subscription=%u", d->card, d->value, d->subscription);
}

bool identity_spoke_from(const struct world *w, uint32_t card, uint64_t number)
{
    const struct truth *t = &w->truths[card];
    bool has_spoken = false;
    for (uint32_t i = 0; i < t->voice_count && i < WORLD_VOICES_MAX; i++)
        has_spoken |= t->voices[i] == number;
    return has_spoken;
}

// --- the clone ---------------------------------------------------------------------------------

uint32_t identity_clones(const struct world *w)
{
    return w->story.clone_of != 0 && w->cards < WORLD_CARDS_MAX && w->story.clone_of <= w->cards
               ? 1
               : 0;
}

bool identity_is_cloned(const struct world *w, uint32_t card)
{
    return w->has_cloned && w->story.clone_of == card + 1;
}

static void power(struct world *w, bool is_on)
{
    const struct scenario_step step = {.action = is_on ? SCENARIO_POWER_ON : SCENARIO_POWER_OFF};
    if (is_on != (w->devices[w->cards].state != DEVICE_OFF))
        check(fleet_act(&w->fleet, w->cards, &step, w->now));
    struct truth *t = &w->truths[w->story.clone_of - 1];
    t->clone_packets = is_on ? UINT32_MAX : t->packet_count;
}

void identity_begin(struct world *w)
{
    if (identity_clones(w) > 0)
        power(w, false);
}

static void do_clone(struct world *w, const struct deed *d)
{
    if (identity_clones(w) == 0)
        return;
    w->has_cloned = true;
    world_note(w, "clone", "card=%u on=%u", w->story.clone_of - 1, d->force);
    power(w, d->force != 0);
}

void identity_do(struct world *w, const struct deed *d)
{
    if (d->kind == DEED_SWAP)
        do_swap(w, d);
    else
        do_clone(w, d);
}

// The register is put right; the clone stays off.
void identity_calm(struct world *w)
{
    agenda_forget(&w->agenda, HAPPENS_SWAP);
    agenda_forget(&w->agenda, HAPPENS_CLONE);
    if (identity_clones(w) > 0)
        power(w, false);
    for (uint32_t n = 0; n < w->cards * WORLD_SUBSCRIPTIONS; n++) {
        const uint64_t own =
            radio_identity(w->people[n / WORLD_SUBSCRIPTIONS].numbers[n % WORLD_SUBSCRIPTIONS]);
        struct radio_subscriber *other = radio_by_msisdn(&w->radio, own);
        check(other != NULL);
        if (other != &w->subscribers[n])
            exchange(&w->radio, other, &w->subscribers[n]);
    }
}

// --- what two cards say as one -----------------------------------------------------------------

static void note_version(struct world *w, uint32_t device)
{
    const struct card *c = &w->devices[device].card;
    const struct applet_port port = card_port(&w->devices[device].card);
    struct applet_dump dump;
    if (!applet_dump(&c->applet, &port, &dump))
        return;
    for (uint32_t i = 0; i < w->saying_count && i < WORLD_SAYINGS_MAX; i++) {
        if (w->sayings[i].device == device && w->sayings[i].mo_counter == dump.mo_counter)
            return; // an answer: it has no counter of its own
    }
    struct saying *s = &w->sayings[w->saying_count++ % WORLD_SAYINGS_MAX];
    *s = (struct saying){
        .mo_counter = dump.mo_counter, .version = dump.image.registry_version, .device = device};
}

void identity_said(struct world *w, uint32_t device, uint64_t number)
{
    const uint32_t card = device < w->cards ? device : w->story.clone_of - 1;
    struct truth *t = &w->truths[card];
    if (!identity_spoke_from(w, card, number))
        t->voices[t->voice_count++ % WORLD_VOICES_MAX] = number;
    if (identity_is_cloned(w, card))
        note_version(w, device);
}

// The only one of them with this MO counter, or NULL.
static const struct saying *said(const struct world *w, uint64_t mo_counter)
{
    const struct saying *found = NULL;
    for (uint32_t i = 0; i < w->saying_count && i < WORLD_SAYINGS_MAX; i++) {
        const struct saying *s = &w->sayings[i];
        if (s->mo_counter != mo_counter)
            continue;
        if (found != NULL)
            return NULL;
        found = s;
    }
    return found;
}

// An older registry under a fresh MO counter puts the card in doubt.
static void check_noticed(struct world *w, uint32_t card, const struct record *r)
{
    const struct truth *t = &w->truths[card];
    const struct glance *before = &t->glance;
    const struct saying *s = r->mo_counter == t->mo_counter ? NULL : said(w, r->mo_counter);
    const bool is_older = s != NULL && s->version < before->registry_version;
    if (r->state == CARD_RETIRED) // out of use, and in no doubt any more
        return;
    if (is_older && !before->is_doubted && r->dirty_since.ms == 0 && !r->has_open)
        world_violate(w, "clone_is_noticed", card, "REGV %u after %u, and nobody doubts",
                      s->version, before->registry_version);
}

// Numbers of a card that fell in one audit, and in a later one again, are for a person.
void identity_check(struct world *w, uint32_t card, const struct record *r)
{
    struct truth *t = &w->truths[card];
    const bool has_fallen =
        r->last_audit_at.ms != t->audited_ms && r->operation_id_seen < t->id_seen;
    if (identity_is_cloned(w, card))
        check_noticed(w, card, r);
    if (has_fallen && t->falls > 0 && !r->needs_operator)
        world_violate(w, "fell_again", card, "operation %u became %u, and nobody need decide",
                      t->id_seen, r->operation_id_seen);
    t->falls += has_fallen;
    t->id_seen = r->operation_id_seen;
}
