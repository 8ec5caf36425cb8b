// What else goes wrong: the server's disk, its database and clock, cells of cards' memories, floods
// of forgers.
#include "common/base/check.h"
#include "tests/world/world.h"

#define FULL_MS 7200000
#define DISK_ERRORS 4 // writes for a while, one, a sync that undid, one that kept what it had
#define ERROR_OCTETS 3000
#define FLOOD_MOST 200
#define FLOOD_USUAL 40     // half of them lock a card out
#define FLOODED_SWITCHES 8 // of so many one, within:
#define FLOODED_MS 120000
#define ROT_OCTETS 5000
#define BACKUP_AGE_MS 21600000
#define WEAK_MS 21600000
#define BUSY_MS 3600000
#define SLEEP_MS 60000    // at least
#define SLEEP_DOUBLINGS 8 // to more than half a day
// Of each copy of the counters: behind marker and seal [applet/memory.h].
#define COUNTERS_FIRST 2
#define COUNTERS_OCTETS 28

static const struct kind {
    enum happening what;
    enum deed_kind deed;
    bool is_of_card;
} kinds[] = {{HAPPENS_FULL, DEED_FULL, false},          {HAPPENS_CLOCK, DEED_CLOCK, false},
             {HAPPENS_RESTORE, DEED_BACKUP, false},     {HAPPENS_ROT, DEED_ROT, true},
             {HAPPENS_NVM_ERROR, DEED_NVM_ERROR, true}, {HAPPENS_FLOOD, DEED_FLOOD, true},
             {HAPPENS_COUNTERS, DEED_COUNTERS, true},   {HAPPENS_WEAK, DEED_WEAK, false},
             {HAPPENS_BUSY, DEED_BUSY, false},          {HAPPENS_EIO, DEED_EIO, false},
             {HAPPENS_SLEEP, DEED_SLEEP, false}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static uint64_t mean_ms(const struct world *w, enum happening what)
{
    switch (what) {
    case HAPPENS_FULL:
        return w->knobs.full_ms;
    case HAPPENS_CLOCK:
        return w->knobs.clock_ms;
    case HAPPENS_RESTORE:
        return w->knobs.restore_ms;
    case HAPPENS_ROT:
        return w->knobs.rot_ms;
    case HAPPENS_NVM_ERROR:
        return w->knobs.nvm_error_ms;
    case HAPPENS_FLOOD:
        return w->knobs.flood_ms;
    case HAPPENS_COUNTERS:
        return w->knobs.counters_ms;
    case HAPPENS_WEAK:
        return w->knobs.weak_ms;
    case HAPPENS_BUSY:
        return w->knobs.busy_ms;
    case HAPPENS_EIO:
        return w->knobs.eio_ms;
    case HAPPENS_SLEEP:
        return w->knobs.sleep_ms;
    default: // the others are not of this file
        return 0;
    }
}

// The later ones have streams of their own: the stories of the others stay as they were.
static struct prng *chance_of(struct world *w, enum happening what)
{
    if (what == HAPPENS_ROT)
        return &w->chance_rot;
    if (what == HAPPENS_COUNTERS || what == HAPPENS_WEAK)
        return &w->chance_seldom;
    if (what == HAPPENS_BUSY || what == HAPPENS_EIO)
        return &w->chance_disk;
    if (what == HAPPENS_SLEEP)
        return &w->chance_sleep;
    return what == HAPPENS_RESTORE ? &w->chance_restore : &w->chance_trouble;
}

static void plan(struct world *w, enum happening what, uint32_t subject)
{
    const uint64_t mean = mean_ms(w, what);
    struct prng *p = chance_of(w, what);
    if (mean != 0 && !w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(p, mean)), what, subject, 0);
}

void trouble_plan(struct world *w)
{
    for (size_t i = 0; i < KINDS; i++) {
        for (uint32_t card = 0; card < (kinds[i].is_of_card ? w->cards : 1); card++)
            plan(w, kinds[i].what, card);
    }
}

#define TEN_YEARS_S 315360000

// A second, an hour, ten years; not so often back that the clock stands before 1970.
static void draw_clock(struct world *w, struct deed *d)
{
    static const uint32_t jumps_s[] = {1, 3600, 3600, TEN_YEARS_S};
    const bool is_back = prng_below(&w->chance_trouble, 3) == 0;
    const bool is_early = w->server.clock_ms < -2000 * (int64_t)TEN_YEARS_S;
    const uint32_t jump_s = jumps_s[prng_below(&w->chance_trouble, is_back && is_early ? 3 : 4)];
    if (is_back)
        d->behind_s = jump_s;
    else
        d->ahead_s = jump_s;
    d->after_ms = (uint32_t)prng_below(&w->chance_trouble, 600000);
}

// A backup is made now and then; it is put back minutes to a day later.
static void restore_happens(struct world *w, const struct entry *e)
{
    struct prng *p = &w->chance_restore;
    if (e->value == 0) {
        world_do(w, &(struct deed){.kind = DEED_BACKUP});
        agenda_add(&w->agenda, instant_after(w->now, world_delay(p, BACKUP_AGE_MS)),
                   HAPPENS_RESTORE, 0, 1);
        return;
    }
    world_do(w, &(struct deed){.kind = DEED_RESTORE, .after_ms = (uint32_t)prng_below(p, 600000)});
    plan(w, HAPPENS_RESTORE, 0);
}

// Minutes to hours. When it wakes it hears what waited, or sees first what came due.
static void sleep_happens(struct world *w, const struct entry *e)
{
    struct prng *p = &w->chance_sleep;
    if (e->value != 0) {
        if (instant_is_due(w->server.asleep_until, w->now))
            server_wake(w, e->subject != 0);
        return;
    }
    struct deed d = {.kind = DEED_SLEEP, .flags = prng_below(p, 2) == 0};
    const uint32_t base_ms = SLEEP_MS << prng_below(p, SLEEP_DOUBLINGS + 1);
    d.after_ms = base_ms + (uint32_t)prng_below(p, base_ms);
    world_do(w, &d);
    plan(w, HAPPENS_SLEEP, 0);
}

void trouble_happen(struct world *w, const struct entry *e)
{
    if (e->what == HAPPENS_RESTORE) {
        restore_happens(w, e);
        return;
    }
    if (e->what == HAPPENS_SLEEP) {
        sleep_happens(w, e);
        return;
    }
    struct prng *p = &w->chance_trouble;
    struct deed d = {.card = e->subject};
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].what == (enum happening)e->what)
            d.kind = kinds[i].deed;
    }
    switch (d.kind) {
    case DEED_FULL:
        d.after_ms = 1 + (uint32_t)prng_below(p, FULL_MS);
        break;
    case DEED_CLOCK:
        draw_clock(w, &d);
        break;
    case DEED_ROT:
        d.octet = (uint32_t)prng_below(&w->chance_rot, ROT_OCTETS);
        d.value = 1 + (uint32_t)prng_below(&w->chance_rot, 255);
        break;
    case DEED_COUNTERS:
        d.octet = COUNTERS_FIRST + (uint32_t)prng_below(&w->chance_seldom, COUNTERS_OCTETS);
        d.value = 1 + (uint32_t)prng_below(&w->chance_seldom, 255);
        break;
    case DEED_WEAK:
        d.after_ms = 1 + (uint32_t)prng_below(&w->chance_seldom, WEAK_MS);
        break;
    case DEED_BUSY:
        d.after_ms = 1 + (uint32_t)prng_below(&w->chance_disk, BUSY_MS);
        break;
    case DEED_EIO:
        d.what = (uint32_t)prng_below(&w->chance_disk, DISK_ERRORS);
        d.after_ms = 1 + (uint32_t)prng_below(&w->chance_disk, FULL_MS);
        break;
    case DEED_NVM_ERROR:
        d.octet = 1 + (uint32_t)prng_below(p, ERROR_OCTETS);
        d.torn = prng_below(p, UINT64_C(4) << w->calm) == 0;
        break;
    case DEED_FLOOD:
        d.count = 1 + (uint32_t)prng_below(p, prng_below(p, 16) == 0 ? FLOOD_MOST : FLOOD_USUAL);
        break;
    default: // the others are not of this file
        check(false);
    }
    world_do(w, &d);
    if (e->value == 0)
        plan(w, (enum happening)e->what, e->subject);
}

// Made of the time and the card: what others draw stays as it was.
void trouble_tempt(struct world *w, uint32_t card, const struct image *before,
                   const struct image *after)
{
    const bool begins =
        before->journal.phase == JOURNAL_NONE && after->journal.phase != JOURNAL_NONE;
    struct prng p;
    if (w->knobs.flood_ms == 0 || w->is_settling || !begins)
        return;
    prng_init(&p, w->options.seed + w->now.ms, "flood in a switch", card);
    if (prng_below(&p, FLOODED_SWITCHES) == 0)
        agenda_add(&w->agenda, instant_after(w->now, 1 + prng_below(&p, FLOODED_MS)), HAPPENS_FLOOD,
                   card, 1);
}

// --- what they do --------------------------------------------------------------------------------

static void do_full(struct world *w, const struct deed *d)
{
    w->server.full_until = instant_after(w->now, d->after_ms);
    world_note(w, "full", "for=%u", d->after_ms);
}

static void do_disk_error(struct world *w, const struct deed *d)
{
    struct server *s = &w->server;
    if (d->what == 0)
        s->failing_until = instant_after(w->now, d->after_ms);
    else if (d->what < DISK_ERRORS)
        s->next_error = (enum world_disk)(WORLD_DISK_WRITE_FAILS + d->what - 1);
    world_note(w, "eio", "what=%u for=%u", d->what, d->after_ms);
}

// The program is killed, and finds another time when it starts.
static void do_clock(struct world *w, const struct deed *d)
{
    w->server.away_ms = d->after_ms;
    server_crash(w);
    w->server.clock_ms += ((int64_t)d->ahead_s - (int64_t)d->behind_s) * 1000;
    w->server.skipped_ms += d->ahead_s * UINT64_C(1000);
    world_note(w, "clock", "ahead=%u behind=%u", d->ahead_s, d->behind_s);
}

static void do_error(struct world *w, const struct deed *d)
{
    const struct nvm_faults faults = {.error_at = d->octet, .error_stays = d->torn != 0};
    fleet_plan_faults(&w->fleet, d->card, &faults, &w->people[d->card].faults, w->now);
    world_note(w, "nvm_error", "card=%u octet=%u stays=%u", d->card, d->octet, d->torn);
}

void trouble_do(struct world *w, const struct deed *d)
{
    switch (d->kind) {
    case DEED_FULL:
        do_full(w, d);
        break;
    case DEED_CLOCK:
        do_clock(w, d);
        break;
    case DEED_BUSY:
        w->server.busy_until = instant_after(w->now, d->after_ms);
        world_note(w, "busy", "for=%u", d->after_ms);
        break;
    case DEED_EIO:
        do_disk_error(w, d);
        break;
    case DEED_SLEEP:
        server_sleep(w, d->after_ms, d->flags != 0);
        break;
    case DEED_BACKUP:
        server_backup(w);
        break;
    case DEED_RESTORE:
        w->server.away_ms = d->after_ms;
        server_restore(w);
        break;
    case DEED_ROT:
    case DEED_COUNTERS:
        rot_do(w, d);
        break;
    case DEED_WEAK:
        w->server.weak_until = instant_after(w->now, d->after_ms);
        world_note(w, "weak", "for=%u", d->after_ms);
        break;
    case DEED_NVM_ERROR:
        do_error(w, d);
        break;
    case DEED_FLOOD:
        hand_flood(w, d);
        break;
    default: // the others are not of this file
        check(false);
    }
}

void trouble_calm(struct world *w)
{
    for (size_t i = 0; i < KINDS; i++)
        agenda_forget(&w->agenda, kinds[i].what);
    struct server *s = &w->server;
    s->full_until = s->weak_until = s->busy_until = s->failing_until = w->now;
    s->next_error = WORLD_DISK_GOOD;
}
