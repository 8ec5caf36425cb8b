// What must hold of a card whatever its terminal answers, or does not: it is not stuck. A command
// that was fetched is over sooner or later, and that there is no service is noticed. By the world's
// own clock, of time that the device was on.
#include "applet/toolkit.h"
#include "tests/world/world.h"

// The card gives a command up after 120 s, of which each STATUS is 30; it comes every 240 s.
#define UNSERVED_MS 1800000u
// A terminal that tells of no event is asked with each STATUS.
#define UNSEEN_MS 1800000u

// Without STATUS nobody tells the card that time passes.
static bool has_status(const struct device *d)
{
    return d->model->status_s != 0;
}

static void check_answered(struct world *w, uint32_t card, bool is_judged)
{
    struct truth *t = &w->truths[card];
    const struct applet *a = &w->devices[card].card.applet;
    const bool goes_on = is_judged && a->command != 0 && a->command_number == t->unserved_number;
    t->unserved = goes_on ? t->unserved : w->now;
    t->unserved_number = a->command_number;
    if (w->now.ms - t->unserved.ms > UNSERVED_MS)
        world_violate(w, "is_served", card, "command %02x is open for %llu min", a->command,
                      (unsigned long long)(w->now.ms - t->unserved.ms) / 60000);
}

// As long as a terminal says what is not so, the card cannot know better.
static bool is_lied_to(const struct world *w, uint32_t card)
{
    const struct device_answers *a = &w->devices[card].answers;
    const bool is_harmless = a->of == CAT_REFRESH || a->of == CAT_SEND_SHORT_MESSAGE;
    return w->people[card].is_blinded || (!instant_is_due(a->until, w->now) && !is_harmless);
}

static void check_seen(struct world *w, uint32_t card, bool is_judged)
{
    struct truth *t = &w->truths[card];
    const struct device *d = &w->devices[card];
    const struct applet *a = &d->card.applet;
    const bool is_able = is_judged && !is_lied_to(w, card);
    const bool has_none = d->state == DEVICE_RUNNING && d->service != CAT_SERVICE_NORMAL;
    if (has_none)
        judged_note(&w->result.judged, JUDGED_SEEN, is_able);
    const bool is_blind = is_able && has_none && a->state == SWITCH_STABLE;
    t->unseen = is_blind ? t->unseen : w->now;
    if (w->now.ms - t->unseen.ms > UNSEEN_MS)
        world_violate(w, "sees_service", card, "it has no service for %llu min, and does not know",
                      (unsigned long long)(w->now.ms - t->unseen.ms) / 60000);
}

void check_served(struct world *w, uint32_t card)
{
    const struct device *d = &w->devices[card];
    const struct truth *t = &w->truths[card];
    const bool is_judged = d->state == DEVICE_RUNNING && has_status(d) && !d->card.applet.is_dead &&
                           !t->stopwatch.lapse.is_behind;
    check_answered(w, card, is_judged);
    check_seen(w, card, is_judged);
}
