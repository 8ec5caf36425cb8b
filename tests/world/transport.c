// What goes wrong between server and cards for a while: links and networks that carry late,
// wrongly, or not at all.
#include "common/base/check.h"
#include "tests/world/world.h"

#define CLOG_MS 60000      // at least; doubled up to CLOG_DOUBLINGS times
#define CLOG_DOUBLINGS 9   // to more than half a day
#define RELEASE_MS 30000   // in which all is carried that had piled up
#define STALL_MS 1000      // at least
#define STALL_DOUBLINGS 11 // to half an hour
#define STALL_OCTETS 400
#define HEX_MS 600000
#define HEX_DOUBLINGS 9 // to four days
#define SWALLOW_MS 60000
#define SWALLOW_DOUBLINGS 11 // the same

static const struct kind {
    enum happening what;
    enum deed_kind deed;
    uint32_t subjects; // 0: the cards
} kinds[] = {{HAPPENS_CLOG, DEED_CLOG, 0},
             {HAPPENS_STALL, DEED_STALL, WORLD_CONNECTIONS},
             {HAPPENS_HALF_OPEN, DEED_HALF_OPEN, WORLD_CONNECTIONS},
             {HAPPENS_HEX, DEED_HEX, 1},
             {HAPPENS_SWALLOW, DEED_SWALLOW, WORLD_NETWORK_CONNECTION}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static uint64_t mean_ms(const struct world *w, enum happening what)
{
    switch (what) {
    case HAPPENS_CLOG:
        return w->knobs.clog_ms;
    case HAPPENS_STALL:
        return w->knobs.stall_ms;
    case HAPPENS_HALF_OPEN:
        return w->knobs.half_open_ms;
    case HAPPENS_HEX:
        return w->knobs.receipt_hex_ms;
    case HAPPENS_SWALLOW:
        return w->knobs.swallow_ms;
    default: // the others are not of this file
        return 0;
    }
}

static void plan(struct world *w, enum happening what, uint32_t subject)
{
    const uint64_t mean = mean_ms(w, what);
    if (mean != 0 && !w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(&w->chance_transport, mean)), what,
                   subject, 0);
}

void transport_plan(struct world *w)
{
    for (size_t i = 0; i < KINDS; i++) {
        const uint32_t count = kinds[i].subjects == 0 ? w->cards : kinds[i].subjects;
        for (uint32_t k = 0; k < count; k++)
            plan(w, kinds[i].what, k);
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
    struct prng *p = &w->chance_transport;
    struct deed d = {.card = e->subject};
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].what == (enum happening)e->what)
            d.kind = kinds[i].deed;
    }
    switch (d.kind) {
    case DEED_CLOG:
        d.after_ms = draw_ms(w, CLOG_MS, CLOG_DOUBLINGS);
        break;
    case DEED_STALL:
        d.after_ms = draw_ms(w, STALL_MS, STALL_DOUBLINGS);
        d.octet = 1 + (uint32_t)prng_below(p, STALL_OCTETS);
        break;
    case DEED_HALF_OPEN:
        d.what = (uint32_t)prng_below(p, HALF_OPENS);
        break;
    case DEED_HEX:
        d.after_ms = draw_ms(w, HEX_MS, HEX_DOUBLINGS);
        d.what = (uint32_t)prng_below(p, 2);
        break;
    case DEED_SWALLOW:
        d.after_ms = draw_ms(w, SWALLOW_MS, SWALLOW_DOUBLINGS);
        break;
    default: // the others are not of this file
        check(false);
    }
    world_do(w, &d);
    plan(w, (enum happening)e->what, e->subject);
}

void transport_do(struct world *w, const struct deed *d)
{
    switch (d->kind) {
    case DEED_CLOG:
        w->people[d->card].clogged_until = instant_after(w->now, d->after_ms);
        world_note(w, "clog", "card=%u for=%u", d->card, d->after_ms);
        break;
    case DEED_STALL:
        centre_stall(w, d->card % WORLD_CONNECTIONS, d->octet, d->after_ms);
        break;
    case DEED_HALF_OPEN:
        centre_lose(w, d->card % WORLD_CONNECTIONS, (enum half_open)(d->what % HALF_OPENS));
        break;
    case DEED_HEX:
        w->hex_until = instant_after(w->now, d->after_ms);
        w->smsc.config.hex_in_answers = d->what == 0;
        w->smsc.config.hex_in_receipts = d->what != 0;
        world_note(w, "hex", "receipts=%u for=%u", d->what, d->after_ms);
        break;
    case DEED_SWALLOW:
        w->connections[d->card % WORLD_NETWORK_CONNECTION].swallows_until =
            instant_after(w->now, d->after_ms);
        world_note(w, "swallow", "link=%u for=%u", d->card, d->after_ms);
        break;
    default: // the others are not of this file
        check(false);
    }
}

void transport_calm(struct world *w)
{
    for (size_t i = 0; i < KINDS; i++)
        agenda_forget(&w->agenda, kinds[i].what);
    for (uint32_t i = 0; i < w->cards; i++)
        w->people[i].clogged_until = w->now;
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++)
        w->connections[i].swallows_until = w->now;
    w->hex_until = w->now;
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
