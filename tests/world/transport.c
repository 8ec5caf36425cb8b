// What goes wrong between server and cards for a while: links and networks that carry late,
// wrongly, or not at all.
#include "common/base/check.h"
#include "tests/world/world.h"

#define CLOG_MS 60000    // at least; doubled up to CLOG_DOUBLINGS times
#define CLOG_DOUBLINGS 9 // to more than half a day
#define RELEASE_MS 30000 // in which all is carried that had piled up

static const struct kind {
    enum happening what;
    enum deed_kind deed;
    bool is_of_card;
} kinds[] = {{HAPPENS_CLOG, DEED_CLOG, true}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static uint32_t mean_ms(const struct world *w, enum happening what)
{
    return what == HAPPENS_CLOG ? w->knobs.clog_ms : 0;
}

static void plan(struct world *w, enum happening what, uint32_t subject)
{
    const uint32_t mean = mean_ms(w, what);
    if (mean != 0 && !w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(&w->chance_transport, mean)), what,
                   subject, 0);
}

void transport_plan(struct world *w)
{
    for (size_t i = 0; i < KINDS; i++) {
        for (uint32_t card = 0; card < (kinds[i].is_of_card ? w->cards : 1); card++)
            plan(w, kinds[i].what, card);
    }
}

static uint32_t draw_ms(struct world *w, uint32_t least_ms, uint32_t doublings)
{
    struct prng *p = &w->chance_transport;
    const uint32_t base = least_ms << prng_below(p, doublings + 1);
    return base + (uint32_t)prng_below(p, base);
}

void transport_happen(struct world *w, const struct entry *e)
{
    struct deed d = {.card = e->subject};
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].what == (enum happening)e->what)
            d.kind = kinds[i].deed;
    }
    d.after_ms = draw_ms(w, CLOG_MS, CLOG_DOUBLINGS);
    world_do(w, &d);
    plan(w, (enum happening)e->what, e->subject);
}

void transport_do(struct world *w, const struct deed *d)
{
    w->people[d->card].clogged_until = instant_after(w->now, d->after_ms);
    world_note(w, "clog", "card=%u for=%u", d->card, d->after_ms);
}

void transport_calm(struct world *w)
{
    for (size_t i = 0; i < KINDS; i++)
        agenda_forget(&w->agenda, kinds[i].what);
    for (uint32_t i = 0; i < w->cards; i++)
        w->people[i].clogged_until = w->now;
}

// Made of the time, so that it needs no place in a story.
uint64_t transport_wait_ms(const struct world *w, uint32_t card, uint32_t place)
{
    struct prng p;
    if (card >= w->cards || instant_is_due(w->people[card].clogged_until, w->now))
        return 0;
    prng_init(&p, w->options.seed + w->now.ms, "clog", card << 16 | place);
    return w->people[card].clogged_until.ms - w->now.ms + 1 + prng_below(&p, RELEASE_MS);
}
