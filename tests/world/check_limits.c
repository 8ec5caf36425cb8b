// What must hold of a card's own switches, by a stopwatch and a count of the world: an open switch
// ends or is rolled back in time that its device was on, and few are made that nobody ordered.
// Neither asks the card how much time passed [docs/SIMULATION.md].
#include "tests/world/world.h"

#define SECOND_MS 1000ull
#define REFRESH_TRIES 3
#define FETCH_S 60 // until a REFRESH must have been fetched
#define RETRY_S 30
#define STARTS_MAX 5           // without service
#define LATE_S (8 * 900)       // of a device whose timers come every 900 s: each wait
#define STATUS_S 240           // between two STATUS commands of most devices,
#define PERIOD_S 30            // which the card takes for that
#define DAY_LEAST_MS 79200000u // of the card's clock, which loses what it did not keep: 22 h

static uint64_t sum_of_waits(const struct parameters *p)
{
    uint64_t sum = 0;
    for (uint8_t i = 0; i < p->wait_count; i++)
        sum += p->waits_s[i];
    return sum;
}

// Half as long again, where timers do not come; more where the device counts otherwise than the
// card believes. 0: it has nothing to count by.
static uint64_t limit_ms(const struct world *w, uint32_t card, const struct image *m)
{
    const struct parameters *p = &m->parameters;
    const struct device_model *clocks = &w->scenario.models[STORY_MODELS];
    const struct device_model *model = w->devices[card].model;
    const uint64_t late_s = model == &clocks[0] ? LATE_S : 0;
    const uint64_t attach_s =
        REFRESH_TRIES * (FETCH_S + RETRY_S) + (uint64_t)p->refresh_s + p->attach_s;
    const bool is_confirming = m->journal.phase == JOURNAL_CONFIRMING;
    const uint64_t least_s = (is_confirming ? sum_of_waits(p) : attach_s) * 3 / 2 + STATUS_S;
    if (model == &clocks[WORLD_CLOCK_NONE])
        return 0;
    // What starts a timer may not be answered well, and then STATUS counts.
    const bool is_counted = model == &clocks[1] || w->people[card].is_misled;
    return (is_counted ? (least_s + late_s) * STATUS_S / PERIOD_S : least_s + late_s) * SECOND_MS;
}

static bool is_open(const struct image *m)
{
    const struct journal *j = &m->journal;
    return j->phase == JOURNAL_SWITCHED || (j->phase == JOURNAL_CONFIRMING && j->may_roll_back);
}

// Nothing of a start that is over counts, nor what a memory that fails keeps the card from doing
// until it committed again.
static void time_switch(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    struct stopwatch *s = &t->stopwatch;
    const struct image *m = &t->dump.image;
    const struct journal *j = &m->journal;
    const struct nvm *nvm = &w->devices[card].card.nvm;
    const bool is_on = w->devices[card].state == DEVICE_RUNNING;
    const bool is_behind = lapse_goes_on(&s->lapse, nvm, lapse_is_new(&s->lapse, nvm));
    const bool is_able = !is_behind && !t->is_rotten;
    const bool is_same = s->phase == j->phase && s->reason == j->reason && s->to == j->to &&
                         s->operation_id == j->operation_id;
    if (!is_same || !is_able || !is_open(m))
        s->starts = 0;
    s->starts += is_on && !s->is_on && is_open(m);
    if (!is_same || !is_able || !is_on || !s->is_on || !is_open(m))
        s->since = w->now;
    *s = (struct stopwatch){.phase = j->phase,
                            .reason = j->reason,
                            .to = j->to,
                            .operation_id = j->operation_id,
                            .is_on = is_on,
                            .starts = s->starts,
                            .since = s->since,
                            .lapse = s->lapse};
    const uint64_t limit = limit_ms(w, card, m);
    if (is_on && is_open(m))
        judged_note(&w->result.judged, JUDGED_SWITCHES, is_able && limit != 0);
    if (limit == 0)
        s->since = w->now;
    else if (w->now.ms - s->since.ms > limit)
        world_violate(w, "ends_in_time", card, "a switch is open for %llu s of device-on time",
                      (unsigned long long)((w->now.ms - s->since.ms) / SECOND_MS));
    if (j->phase == JOURNAL_SWITCHED && s->starts > STARTS_MAX)
        world_violate(w, "ends_in_time", card, "a switch is open after start %u", s->starts);
}

// An automatic switch was made: no command asked for it, nor for what it undoes.
static bool is_unordered(const struct image *before, const struct image *now)
{
    const bool has_moved = image_enabled(before) != image_enabled(now);
    return has_moved && now->journal.phase != JOURNAL_NONE && now->journal.operation_id == 0 &&
           image_enabled(now) == now->journal.to;
}

// Whenever a day is begun to be counted, it has a part of two of the card's at most. That of this
// count is one for which the device was on.
static void count_in_any_day(struct world *w, uint32_t card, uint8_t cap)
{
    struct switch_times *t = &w->truths[card].switch_times;
    const uint64_t on_ms = w->truths[card].daybook.on_ms;
    const unsigned most = 2 * (cap + 1u);
    if (most < WORLD_SWITCHES_MAX && t->count >= most) {
        const uint64_t first_ms = t->on_ms[(t->count - most) % WORLD_SWITCHES_MAX];
        if (on_ms - first_ms < DAY_LEAST_MS)
            world_violate(w, "few_switches", card, "%u switches in any day that nobody ordered",
                          most + 1);
    }
    t->on_ms[t->count++ % WORLD_SWITCHES_MAX] = on_ms;
}

// In each of the card's days, of which it may not have more than the world.
void check_switches(struct world *w, uint32_t card, const struct image *before,
                    const struct image *now)
{
    struct daybook *d = &w->truths[card].daybook;
    if (before->dues.day != now->dues.day) {
        judged_note(&w->result.judged, JUDGED_DAYS, d->day != 0);
        const bool is_early = d->day != 0 && d->on_ms - d->began_ms < DAY_LEAST_MS;
        if (is_early)
            world_violate(w, "few_switches", card, "a day of %llu h",
                          (unsigned long long)((d->on_ms - d->began_ms) / 3600000));
        *d = (struct daybook){.day = now->dues.day, .began_ms = d->on_ms, .on_ms = d->on_ms};
    }
    if (now->parameters.switches_per_day > d->cap)
        d->cap = now->parameters.switches_per_day;
    if (is_unordered(before, now)) {
        d->switches++;
        count_in_any_day(w, card, d->cap);
    }
    if (d->switches > d->cap + 1u)
        world_violate(w, "few_switches", card, "%u switches in a day that nobody ordered",
                      d->switches);
}

void check_limits(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    if (t->stopwatch.is_on)
        t->daybook.on_ms += w->now.ms - t->looked.ms;
    t->looked = w->now;
    if (!t->stopwatch.is_on && instant_is_due(w->devices[card].answers.until, w->now))
        w->people[card].is_misled = w->people[card].is_blinded = false;
    time_switch(w, card);
    check_served(w, card);
}
