// What a card must do by itself, by stopwatches of the world: begin to search when service stays
// away, go on after a pause, return to the subscription that it prefers, and tell that it is there.
// None of them asks the card how much time passed; those that it asks what it decided, are told by
// its committed memory [docs/SIMULATION.md].
#include "applet/image.h"
#include "common/wire/secured.h"
#include "tests/world/world.h"

#define SECOND_MS 1000ull
#define STATUS_S 240 // between two STATUS commands
#define MISLED 8     // times as long: each of them counts as 30 s
#define TICK_S 300   // of what takes hours
#define LOST_S 3900  // of the card's clock, at most, with each start: kept once an hour
#define AGAIN_S 3600 // what is not possible when it is due is tried again then
#define WEEK_S 604800
#define RETURN_SWITCHES 2 // there, and back if that fails

// Time of the device in service, with what was planned once.
static bool serve(struct patience_service *s, uint64_t key, bool is_on, uint64_t passed_ms)
{
    if (s->key != key) {
        *s = (struct patience_service){.key = key};
        return false;
    }
    s->breaks += s->was_on && !is_on;
    s->ms += s->was_on ? passed_ms : 0;
    s->was_on = is_on;
    return is_on;
}

// Starts anew: what was waited for happened, or cannot.
static void forget(struct patience_service *s)
{
    *s = (struct patience_service){.key = 0};
}

static uint64_t key_of(const struct image *m, uint8_t what)
{
    return (uint64_t)m->configuration_version << 32 | (uint64_t)m->return_doublings << 24 |
           (uint64_t)image_enabled(m) << 16 | (uint64_t)m->preferred << 8 | what;
}

static void late(struct world *w, uint32_t card, const char *what, uint64_t ms)
{
    world_violate(w, "acts_in_time", card, "%s for %llu s", what,
                  (unsigned long long)(ms / SECOND_MS));
}

// A card whose timer was not started as it asked has STATUS commands alone to count by, also when
// its device answers well again: that it takes the timer for running, or the terminal for one
// without timers, stays until the device starts anew.
static uint64_t slowed(const struct world *w, uint32_t card, uint64_t seconds)
{
    return seconds * SECOND_MS * (w->people[card].is_misled ? MISLED : 1);
}

// --- service stays away ------------------------------------------------------------------------

static void time_outage(struct world *w, uint32_t card, bool is_able)
{
    struct patience *t = &w->truths[card].patience;
    const struct image *m = &w->truths[card].dump.image;
    const struct parameters *p = &m->parameters;
    const bool is_out = is_able && w->devices[card].service != CAT_SERVICE_NORMAL &&
                        m->journal.phase == JOURNAL_NONE && !m->search.is_paused &&
                        p->auto_mode != 0 && !m->is_capped;
    const uint32_t limit_s =
        p->no_service_s > p->limited_s ? p->no_service_s : (uint32_t)p->limited_s;
    // Until a first status, then the outage, then by chance.
    const uint64_t most_s = (p->no_service_s + limit_s + p->jitter_max_s) * 3ull / 2 + STATUS_S;
    if (!is_out)
        t->out_since = w->now;
    else if (w->now.ms - t->out_since.ms > slowed(w, card, most_s))
        late(w, card, "no service, and nothing was begun", w->now.ms - t->out_since.ms);
}

static uint64_t pause_s(const struct image *m)
{
    const uint64_t most_s = m->parameters.backoff_max_h * 3600ull;
    uint64_t seconds = m->parameters.backoff_base_min * 60ull;
    for (uint8_t i = 1; i < m->search.pauses && seconds < most_s; i++)
        seconds *= 2;
    return seconds < most_s ? seconds : most_s;
}

static void time_pause(struct world *w, uint32_t card, bool is_able)
{
    struct patience *t = &w->truths[card].patience;
    const struct search *s = &w->truths[card].dump.image.search;
    const bool is_same =
        is_able && s->is_paused && s->pauses == t->pauses && s->pause_due == t->pause_due;
    t->pauses = s->pauses;
    t->pause_due = s->pause_due;
    if (!is_same)
        t->paused_since = w->now;
    else if (w->now.ms - t->paused_since.ms >
             slowed(w, card, pause_s(&w->truths[card].dump.image) * 3 / 2 + STATUS_S))
        late(w, card, "a pause goes on", w->now.ms - t->paused_since.ms);
}

// --- what takes hours of service ---------------------------------------------------------------

// Nothing holds it where it is: no mark, no row of a country, no cap.
static bool must_return(const struct truth *t)
{
    const struct image *m = &t->dump.image;
    const struct parameters *p = &m->parameters;
    return m->is_automatic && m->preferred != IMAGE_NO_SLOT && m->preferred != image_enabled(m) &&
           p->return_s != 0 && p->auto_mode != 0 && p->country_count == 0 &&
           m->journal.phase == JOURNAL_NONE &&
           (m->slots[image_enabled(m)].marks & SLOT_MARK_NO_DISABLE) == 0 &&
           t->daybook.switches + RETURN_SWITCHES <= p->switches_per_day;
}

static uint64_t return_s(const struct image *m)
{
    const uint64_t base_s = m->parameters.return_s;
    const uint64_t most_s = base_s > WEEK_S ? base_s : WEEK_S;
    uint64_t seconds = base_s;
    for (uint8_t i = 0; i < m->return_doublings && seconds < most_s; i++)
        seconds *= 2;
    seconds = seconds < most_s ? seconds : most_s;
    return seconds + seconds / 10;
}

static void time_return(struct world *w, uint32_t card, bool is_served, uint64_t passed_ms)
{
    struct truth *t = &w->truths[card];
    struct patience_service *s = &t->patience.back;
    const struct image *m = &t->dump.image;
    if (!must_return(t)) {
        forget(s);
        return;
    }
    const bool is_on = serve(s, key_of(m, 1), is_served, passed_ms);
    judged_note(&w->result.judged, JUDGED_RETURNS, is_on);
    const uint64_t most_s = return_s(m) + AGAIN_S + 2 * TICK_S + m->parameters.jitter_max_s +
                            (uint64_t)s->breaks * (LOST_S + AGAIN_S);
    if (is_on && s->ms > most_s * SECOND_MS)
        late(w, card, "in service, and it does not return", s->ms);
}

static void time_heartbeat(struct world *w, uint32_t card, bool is_served, uint64_t passed_ms)
{
    struct truth *t = &w->truths[card];
    struct patience_service *s = &t->patience.beat;
    const struct parameters *p = &t->dump.image.parameters;
    if (p->heartbeat_h == 0) {
        forget(s);
        return;
    }
    const uint64_t key = (uint64_t)t->dump.image.configuration_version << 32 | p->heartbeat_h | 2;
    const bool is_on = serve(s, key, is_served, passed_ms);
    judged_note(&w->result.judged, JUDGED_BEATS, is_on);
    // Other messages go first.
    const uint64_t most_s =
        p->heartbeat_h * 3600ull + AGAIN_S + 2 * TICK_S + (uint64_t)s->breaks * LOST_S;
    if (is_on && s->ms > most_s * SECOND_MS)
        late(w, card, "in service, and no heartbeat left", s->ms);
}

// --- all of it ---------------------------------------------------------------------------------

void check_patience(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    struct patience *p = &t->patience;
    const struct device *d = &w->devices[card];
    const struct nvm *nvm = &d->card.nvm;
    const bool is_behind = lapse_goes_on(&p->lapse, nvm, lapse_is_new(&p->lapse, nvm));
    // Others count otherwise, or cannot do what it takes.
    const bool is_answered_badly = !instant_is_due(d->answers.until, w->now);
    const bool is_usual = d->model < &w->scenario.models[STORY_MODELS] && !is_answered_badly &&
                          !w->people[card].is_blinded;
    const bool is_able = t->is_known && d->state == DEVICE_RUNNING && is_usual && !is_behind &&
                         !t->is_rotten && !t->dump.is_blocked;
    // What takes hours is not counted while time goes slowly for the card.
    const bool is_served = is_able && !w->people[card].is_misled &&
                           d->service == CAT_SERVICE_NORMAL &&
                           t->dump.image.journal.phase == JOURNAL_NONE;
    const uint64_t passed_ms = w->now.ms - p->looked.ms;
    p->looked = w->now;
    if (!t->is_known) {
        p->out_since = p->paused_since = w->now;
        return;
    }
    if (is_answered_badly) // of a heartbeat as well, which did not leave
        forget(&p->beat);
    time_outage(w, card, is_able);
    time_pause(w, card, is_able);
    time_return(w, card, is_served, passed_ms);
    time_heartbeat(w, card, is_served, passed_ms);
}

// Is what leaves a card a heartbeat? A notification is a command packet in one part, to the TAR
// behind the applet's.
void check_message(struct world *w, uint32_t card, struct bytes user_data)
{
    if (card >= w->cards) // a clone's
        return;
    const uint32_t tar = w->people[card].factory.tar + 1;
    uint8_t octets[SMS_PACKET_MAX];
    struct secured_packet packet;
    struct sms_part part;
    struct notification n;
    const bool is_whole =
        sms_read_part(user_data, &part) && part.total <= 1 && part.kind == SMS_COMMAND_PACKET;
    if (is_whole && oracle_read(w, card, part.octets, octets, &packet) && packet.tar == tar &&
        notification_read(packet.data, &n) && n.cause == NOTIFY_HEARTBEAT)
        forget(&w->truths[card].patience.beat);
}
