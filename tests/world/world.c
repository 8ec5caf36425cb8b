// One run: the world is drawn, faults rage, faults end, everything has to agree.
#include "tests/world/world.h"

#include "common/base/check.h"
#include "tests/world/campaign.h"
#include "tests/world/store/kind.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MINUTE_MS 60000ull
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define SETTLE_LEAST_MS (26 * HOUR_MS)
#define SETTLE_GRACE_MS (12 * HOUR_MS)
#define LOOK_MS (10 * MINUTE_MS)
#define GONE_DAYS 8
#define FILES_EVERY 8 // seeds
#define STILL_MAX 100000

struct utc world_utc(const struct world *w)
{
    return (struct utc){WORLD_START_MS + (int64_t)w->now.ms};
}

void world_note(struct world *w, const char *name, const char *format, ...)
{
    char text[2048]; // a row of the trail takes most
    va_list list;
    va_start(list, format);
    const int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    check(len >= 0 && len < (int)sizeof text);
    trace_event(&w->trace, w->now, name, bytes_of(text, (size_t)len));
}

static bool is_judged(const char *only, const char *rule)
{
    const size_t len = strlen(rule);
    for (const char *at = only; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, rule, len) == 0 && (at[len] == 0 || at[len] == ','))
            return true;
    }
    return only == NULL;
}

void world_violate(struct world *w, const char *rule, uint32_t card, const char *format, ...)
{
    struct world_result *r = &w->result;
    if (r->is_violated || !is_judged(w->options.only, rule))
        return;
    r->is_violated = true;
    r->card = card;
    (void)snprintf(r->rule, sizeof r->rule, "%s", rule);
    va_list list;
    va_start(list, format);
    (void)vsnprintf(r->text, sizeof r->text, format, list);
    va_end(list);
    world_note(w, "violation", "rule=%s card=%u", rule, card);
}

// Without floating point, so that every compiler draws the same: a sum of halvings.
uint64_t world_delay(struct prng *p, uint64_t mean_ms)
{
    uint64_t halvings = 0;
    while (halvings < 12 && prng_below(p, 2) == 0)
        halvings++;
    uint64_t delay = halvings * mean_ms * 7 / 10 + prng_below(p, mean_ms * 6 / 10 + 1);
    if (prng_below(p, 1000) == 0)
        delay += prng_below(p, 3 * DAY_MS);
    return delay + 1;
}

// --- beginning -------------------------------------------------------------------------------

// A line that is no part of the story: it does not count for the hash.
static void tell_knob(const struct world *w, unsigned index)
{
    char text[100];
    const int len = snprintf(text, sizeof text, "knob %s=%llu", knob_name(index),
                             (unsigned long long)knob_value(&w->knobs, index));
    check(len >= 0 && len < (int)sizeof text);
    if (w->options.sink != NULL)
        w->options.sink(w->options.context, bytes_of(text, (size_t)len));
}

static void draw_models(struct world *w)
{
    struct prng p;
    prng_init(&p, w->options.seed, "models", 0);
    for (uint32_t i = 0; i < w->cards; i++) {
        const uint64_t kind = prng_below(&p, 10);
        w->story.models[i] = kind < 4 ? (uint32_t)kind + 1 : kind < 6 ? 0 : 1;
    }
    // The later ones have a stream of their own.
    prng_init(&p, w->options.seed, "models", 1);
    for (uint32_t i = 0; i < w->cards; i++) {
        const uint64_t kind = prng_below(&p, 16);
        if (kind < 2)
            w->story.models[i] = kind == 0 ? STORY_MODEL_REFUSING : STORY_MODEL_OLD;
    }
}

// What a story says of itself in its head.
static void draw_world(struct world *w)
{
    struct prng p;
    const uint64_t seed = w->options.seed;
    prng_init(&p, seed, "world", 0);
    const uint32_t cards = 1 + (uint32_t)prng_below(&p, prng_below(&p, 4) == 0 ? 8 : 3);
    // Half of the worlds are in a hurry. In the others everything takes its time, and there is more
    // of it: what is slow on cards and server comes to pass, too.
    const uint32_t drawn =
        prng_below(&p, 2) == 0 ? 0 : 1 + (uint32_t)prng_below(&p, WORLD_CALM_DRAWN);
    const uint32_t calm = w->options.has_calm ? w->options.calm : drawn;
    w->calm = calm;
    const uint32_t days = (1 + (uint32_t)prng_below(&p, 5)) * (1 + calm * (1 + calm / 4));
    w->cards = w->options.cards == 0 ? cards : w->options.cards;
    w->safety_end.ms = DAY_MS * (w->options.days == 0 ? days : w->options.days);
    // A centre that is told when somebody is back need not try often.
    w->is_alerted = prng_below(&p, 2) == 0;
    w->validity_s = 3600u << prng_below(&p, 5);
    w->story.in_file = seed % FILES_EVERY == 0;
    draw_models(w);
    group_draw(w);
    shape_draw(w);
    knobs_draw(&w->knobs, seed, calm);
    for (unsigned i = 0; i < KNOB_COUNT; i++) {
        if (w->options.knobs_off[i] || w->options.is_faultless)
            knob_set(&w->knobs, i, 0);
        else if (knob_value(&w->knobs, i) != 0)
            tell_knob(w, i);
    }
    // What fails there is the file of the database.
    w->story.in_file |= w->knobs.busy_ms != 0 || w->knobs.eio_ms != 0;
    w->story.is_talkative = w->knobs.telltale != 0;
    identity_draw(w);
}

static void open_streams(struct world *w)
{
    struct prng *const streams[] = {
        &w->chance_air,       &w->chance_people,  &w->chance_power,     &w->chance_cut,
        &w->chance_move,      &w->chance_reject,  &w->chance_imei,      &w->chance_server,
        &w->chance_link,      &w->chance_card,    &w->chance_adversary, &w->chance_hand,
        &w->chance_smsc,      &w->chance_trouble, &w->chance_restore,   &w->chance_rot,
        &w->chance_swap,      &w->chance_clone,   &w->chance_office,    &w->chance_seldom,
        &w->chance_transport, &w->chance_disk,    &w->chance_device,    &w->chance_twice,
        &w->chance_merge,     &w->chance_reset,   &w->chance_flap,      &w->chance_profile,
        &w->chance_answers,   &w->chance_sleep,   &w->chance_gone,
    };
    static const char *const names[] = {
        "world air",       "world people", "world power",   "world cut",     "world move",
        "world reject",    "world imei",   "world server",  "world link",    "world card",
        "world adversary", "world hand",   "world smsc",    "world trouble", "world restore",
        "world rot",       "world swap",   "world clone",   "world office",  "world seldom",
        "world transport", "world disk",   "world device",  "world twice",   "world merge",
        "world reset",     "world flap",   "world profile", "world answers", "world sleep",
        "world gone",
    };
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        prng_init(streams[i], w->options.seed, names[i], 0);
}

// --- a story, read or recorded -----------------------------------------------------------------

void world_record(struct world *w, const struct deed *deed)
{
    struct deed d = *deed;
    d.at_ms = w->now.ms;
    if (w->options.record != NULL)
        story_write_deed(w->options.record, &d);
}

static void record_head(struct world *w)
{
    w->story.seed = w->options.seed;
    w->story.cards = w->cards;
    w->story.calm = w->calm;
    w->story.faults_ms = w->safety_end.ms;
    w->story.is_alerted = w->is_alerted;
    w->story.validity_s = w->validity_s;
    w->story.has_campaign = w->options.has_campaign;
    if (w->options.record != NULL)
        story_write_head(w->options.record, &w->story);
}

static bool has_disk_faults(const struct story *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->deeds[i].kind == DEED_BUSY || s->deeds[i].kind == DEED_EIO)
            return true;
    }
    return false;
}

static void take_head(struct world *w)
{
    w->story = *w->options.story;
    w->story.in_file |= has_disk_faults(w->options.story);
    w->options.seed = w->story.seed;
    w->options.has_campaign = w->story.has_campaign != 0;
    w->cards = w->story.cards;
    w->calm = w->story.calm;
    w->safety_end.ms = w->story.faults_ms;
    w->is_alerted = w->story.is_alerted != 0;
    w->validity_s = w->story.validity_s;
    w->is_done = calloc(w->story.count + 1, 1);
    check(w->is_done != NULL);
}

// The next deed of the story that does not wait for a message.
static void plan_story(struct world *w)
{
    const struct story *s = w->options.story;
    while (w->story_next < s->count && deed_stage(s->deeds[w->story_next].kind) != STAGE_NONE)
        w->story_next++;
    if (w->story_next == s->count)
        return;
    const uint64_t at_ms = s->deeds[w->story_next].at_ms;
    agenda_add(&w->agenda, (struct instant){at_ms > w->now.ms ? at_ms : w->now.ms}, HAPPENS_DEED,
               w->story_next++, 0);
}

static void act_story(struct world *w, uint32_t place)
{
    const struct deed *d = &w->options.story->deeds[place];
    w->is_done[place] = 1;
    if (!w->is_settling)
        world_do(w, d);
    plan_story(w);
}

// --- beginning -------------------------------------------------------------------------------

static void plan_server(struct world *w, enum happening what, uint64_t mean_ms)
{
    if (mean_ms != 0 && !w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(&w->chance_server, mean_ms)), what,
                   0, 0);
}

static void plan_link(struct world *w)
{
    if (w->knobs.link_ms == 0 || w->is_settling)
        return;
    // One draw a statement: the order of arguments is the compiler's.
    const uint64_t after_ms = world_delay(&w->chance_link, w->knobs.link_ms);
    const uint32_t link = (uint32_t)prng_below(&w->chance_link, WORLD_CONNECTIONS);
    agenda_add(&w->agenda, instant_after(w->now, after_ms), HAPPENS_LINK, link, 0);
}

static void begin(struct world *w)
{
    w->now.ms = 1000;
    open_streams(w);
    if (w->options.story != NULL) {
        take_head(w);
        open_streams(w); // of the story's seed
    } else {
        draw_world(w);
    }
    w->pace_ms = 90 * MINUTE_MS << (w->is_left_alone ? w->calm + 3 : w->calm);
    w->retry_max_ms = w->is_alerted ? 7200000 : 300000;
    record_head(w);
    centre_open(w);
    cards_make(w);
    identity_begin(w);
    if (w->options.has_campaign)
        world_store.campaigns->begin(w);
    server_make(w);
    server_start(w);
    centre_connect(w, WORLD_NETWORK_CONNECTION);
    physics_plan(w);
    people_plan(w);
    for (uint32_t i = 0; i < w->cards; i++)
        hand_plan(w, i);
    for (uint32_t i = 0; i < w->cards; i++)
        office_plan(w, i);
    plan_server(w, HAPPENS_CRASH, w->knobs.crash_ms);
    plan_server(w, HAPPENS_CRASH_ACTING, w->knobs.crash_acting_ms);
    plan_server(w, HAPPENS_STOP, w->knobs.server_stop_ms);
    plan_link(w);
    trouble_plan(w);
    transport_plan(w);
    identity_plan(w);
    if (w->options.story != NULL)
        plan_story(w);
}

// --- deeds -----------------------------------------------------------------------------------

static void do_server(struct world *w, const struct deed *d)
{
    w->server.away_ms = d->after_ms;
    if (d->kind == DEED_CRASH)
        server_crash(w);
    else if (d->kind == DEED_STOP)
        server_stop(w);
    else
        w->server.dies_acting = w->server.is_running;
}

static void do_link(struct world *w, const struct deed *d)
{
    if (d->octet == 0)
        centre_cut_for(w, d->card % WORLD_CONNECTIONS, d->after_ms);
    else
        centre_cut_after(w, d->card % WORLD_CONNECTIONS, d->octet);
}

static bool is_of_device(uint32_t kind)
{
    switch (kind) {
    case DEED_POWER_OFF:
    case DEED_POWER_ON:
    case DEED_CUT:
    case DEED_MOVE:
    case DEED_REJECT:
    case DEED_IMEI:
    case DEED_DUTY:
    case DEED_TICK:
    case DEED_RESET:
    case DEED_FLAP:
    case DEED_PROFILE:
    case DEED_ANSWERS:
    case DEED_GONE:
        return true;
    default: // the others are of the rest of the world
        return false;
    }
}

void world_do(struct world *w, const struct deed *d)
{
    world_record(w, d);
    if (deed_is_of_card(d->kind) && d->card >= w->cards)
        return;
    if (is_of_device(d->kind)) {
        physics_do(w, d);
        return;
    }
    switch (d->kind) {
    case DEED_REQUEST:
    case DEED_CANCEL:
    case DEED_RESEND:
    case DEED_CAMPAIGN:
        people_do(w, d);
        break;
    case DEED_BOOTSTRAP:
        group_do(w, d);
        break;
    case DEED_HAND:
        hand_do(w, d);
        break;
    case DEED_CRASH:
    case DEED_CRASH_ACTING:
    case DEED_STOP:
        do_server(w, d);
        break;
    case DEED_LINK:
        do_link(w, d);
        break;
    case DEED_FULL:
    case DEED_CLOCK:
    case DEED_BACKUP:
    case DEED_RESTORE:
    case DEED_ROT:
    case DEED_COUNTERS:
    case DEED_WEAK:
    case DEED_NVM_ERROR:
    case DEED_FLOOD:
    case DEED_BUSY:
    case DEED_EIO:
    case DEED_SLEEP:
        trouble_do(w, d);
        break;
    case DEED_CLOG:
    case DEED_STALL:
    case DEED_HALF_OPEN:
    case DEED_HEX:
    case DEED_SWALLOW:
        transport_do(w, d);
        break;
    case DEED_APPROVE:
    case DEED_BAR:
    case DEED_RETIRE:
        office_do(w, d);
        break;
    case DEED_SWAP:
    case DEED_CLONE:
        identity_do(w, d);
        break;
    default: // the others wait for a message
        check(false);
    }
}

static void draw_server(struct world *w, enum deed_kind kind, enum happening again,
                        uint64_t mean_ms)
{
    world_do(w, &(struct deed){.kind = kind,
                               .after_ms = (uint32_t)prng_below(&w->chance_server, 600000)});
    plan_server(w, again, mean_ms);
}

static void serve(struct world *w, uint8_t what)
{
    if (what == HAPPENS_START)
        server_start(w);
    else if (what == HAPPENS_CRASH)
        draw_server(w, DEED_CRASH, HAPPENS_CRASH, w->knobs.crash_ms);
    else if (what == HAPPENS_CRASH_ACTING)
        draw_server(w, DEED_CRASH_ACTING, HAPPENS_CRASH_ACTING, w->knobs.crash_acting_ms);
    else
        draw_server(w, DEED_STOP, HAPPENS_STOP, w->knobs.server_stop_ms);
}

static void draw_link(struct world *w, uint32_t link)
{
    struct deed d = {.kind = DEED_LINK, .card = link};
    if (prng_chance(&w->chance_link, w->knobs.cut_within))
        d.octet = 1 + (uint32_t)prng_below(&w->chance_link, 400);
    world_do(w, &d);
    plan_link(w);
}

static void link_happens(struct world *w, const struct entry *e)
{
    if (e->what == HAPPENS_LINK)
        draw_link(w, e->subject);
    else
        centre_connect(w, e->subject);
}

// --- events ----------------------------------------------------------------------------------

static void happen(struct world *w, const struct entry *e)
{
    switch ((enum happening)e->what) {
    case HAPPENS_MT:
    case HAPPENS_MO:
        network_happen(w, e);
        break;
    case HAPPENS_POWER:
    case HAPPENS_CUT:
    case HAPPENS_MOVE:
    case HAPPENS_REJECT:
    case HAPPENS_IMEI:
    case HAPPENS_DUTY:
    case HAPPENS_TICK:
    case HAPPENS_RESET:
    case HAPPENS_FLAP:
    case HAPPENS_PROFILE:
    case HAPPENS_ANSWERS:
    case HAPPENS_GONE:
        physics_happen(w, e);
        break;
    case HAPPENS_CRASH:
    case HAPPENS_CRASH_ACTING:
    case HAPPENS_STOP:
    case HAPPENS_START:
        serve(w, e->what);
        break;
    case HAPPENS_FULL:
    case HAPPENS_CLOCK:
    case HAPPENS_RESTORE:
    case HAPPENS_ROT:
    case HAPPENS_COUNTERS:
    case HAPPENS_WEAK:
    case HAPPENS_NVM_ERROR:
    case HAPPENS_FLOOD:
    case HAPPENS_BUSY:
    case HAPPENS_EIO:
    case HAPPENS_SLEEP:
        trouble_happen(w, e);
        break;
    case HAPPENS_CLOG:
    case HAPPENS_STALL:
    case HAPPENS_HALF_OPEN:
    case HAPPENS_HEX:
    case HAPPENS_SWALLOW:
        transport_happen(w, e);
        break;
    case HAPPENS_OFFICE:
        office_happen(w, e);
        break;
    case HAPPENS_SWAP:
    case HAPPENS_CLONE:
        identity_happen(w, e);
        break;
    case HAPPENS_CAMPAIGN:
        world_store.campaigns->happen(w);
        break;
    case HAPPENS_DEED:
        act_story(w, e->subject);
        break;
    case HAPPENS_LINK:
    case HAPPENS_CONNECT:
        link_happens(w, e);
        break;
    case HAPPENS_HAND:
        hand_happen(w, e);
        break;
    case HAPPENS_OPERATOR:
    case HAPPENS_DECISION:
        people_happen(w, e);
        break;
    }
}

static struct instant next_due(const struct world *w)
{
    struct instant due = instant_earlier(agenda_due(&w->agenda), fleet_deadline(&w->fleet));
    due = instant_earlier(due, w->is_stirred ? w->now : w->other_due);
    return due.ms < w->now.ms ? w->now : due;
}

// Most events are of one card alone: message centre and server are left as they are then.
static void run_others(struct world *w)
{
    if (!w->is_stirred && !instant_is_due(w->other_due, w->now))
        return;
    w->is_stirred = false;
    centre_settle(w);
    w->other_due = instant_earlier(centre_deadline(w), server_deadline(w));
}

// Runs everything up to `end`, or to the first violation.
static void run_until(struct world *w, struct instant end)
{
    uint32_t still = 0;
    while (!w->result.is_violated) {
        const struct instant due = next_due(w);
        if (due.ms > end.ms)
            break;
        still = due.ms == w->now.ms ? still + 1 : 0;
        if (still == STILL_MAX)
            world_violate(w, "time_goes_on", 0, "%u events at one time", still);
        check(still <= STILL_MAX); // or nothing else is ever judged
        w->now = due;
        w->result.events++;
        struct entry e;
        if (instant_is_due(agenda_due(&w->agenda), w->now))
            centre_tick(w);
        while (agenda_take(&w->agenda, w->now, &e)) {
            happen(w, &e);
            check_cards(w);
            w->is_stirred = true;
        }
        (void)fleet_step(&w->fleet, w->now, UINT32_MAX);
        check_cards(w);
        run_others(w);
        check_mirrors(w);
        waits_check(w);
    }
    w->now = w->result.is_violated ? w->now : end;
}

// --- the two phases --------------------------------------------------------------------------

static void calm(struct world *w)
{
    world_note(w, "calm", "cards=%u", w->cards);
    w->is_settling = true;
    w->is_stirred = true;
    knobs_calm(&w->knobs);
    gone_calm(w);
    agenda_forget(&w->agenda, HAPPENS_CRASH);
    agenda_forget(&w->agenda, HAPPENS_CRASH_ACTING);
    agenda_forget(&w->agenda, HAPPENS_STOP);
    agenda_forget(&w->agenda, HAPPENS_LINK);
    agenda_forget(&w->agenda, HAPPENS_OFFICE);
    w->server.dies_acting = false;
    server_wake(w, false);
    identity_calm(w);
    centre_calm(w);
    physics_calm(w);
    trouble_calm(w);
    transport_calm(w);
    hand_calm(w);
    if (w->options.has_campaign)
        world_store.campaigns->calm(w);
}

// A day at a time, each with a look at what should have ended.
static void run_days(struct world *w, struct instant end)
{
    while (!w->result.is_violated && w->now.ms < end.ms) {
        run_until(w, instant_earlier(instant_after(w->now, DAY_MS), end));
        check_progress(w);
    }
}

// So much further, and a look: when did it not agree last? Whom the server gave up has more time.
static void run_and_look(struct world *w, struct instant end)
{
    const struct instant was = w->now;
    const struct instant last =
        instant_after(w->safety_end, WORLD_SETTLE_MS + SETTLE_GRACE_MS + LOOK_MS);
    run_until(w, end);
    if (w->now.ms < last.ms && !check_agrees(w))
        w->result.settle_ms = w->now.ms + (w->now.ms - was.ms) - w->safety_end.ms;
}

static void run_hours(struct world *w, struct instant end)
{
    while (!w->result.is_violated && w->now.ms < end.ms)
        run_and_look(w, instant_earlier(instant_after(w->now, HOUR_MS), end));
}

// Until everything agrees, or then.
static void await_end(struct world *w, struct instant end)
{
    while (!w->result.is_violated && w->now.ms < end.ms && !check_end(w, END_NOBODY))
        run_and_look(w, instant_after(w->now, LOOK_MS));
}

// Of cards that are gone the server knows that after a week, from whenever it began to doubt.
static void await_gone(struct world *w)
{
    const struct instant last =
        instant_after(w->safety_end, WORLD_SETTLE_MS + SETTLE_GRACE_MS + GONE_DAYS * DAY_MS);
    while (!w->result.is_violated && w->now.ms < last.ms && !gone_is_told(w))
        run_until(w, instant_earlier(instant_after(w->now, DAY_MS), last));
    if (!w->result.is_violated)
        gone_check_end(w);
}

static void settle(struct world *w)
{
    const struct instant least = instant_after(w->now, SETTLE_LEAST_MS);
    const struct instant most = instant_after(w->now, WORLD_SETTLE_MS + SETTLE_GRACE_MS);
    const struct instant far = instant_after(most, 7 * DAY_MS);
    run_hours(w, instant_after(w->now, DAY_MS));
    physics_restart(w); // what was still under way when the faults ended may need it
    hand_calm(w);       // the server may have been away the first time
    group_resume(w);
    w->is_stirred = true;
    run_hours(w, least);
    await_end(w, most);
    // Whom the server had given up, it asks once in 7 days only.
    if (w->result.is_violated || check_end(w, END_REACHABLE))
        return;
    await_end(w, far);
    (void)check_end(w, END_EVERYBODY);
}

static void end(struct world *w)
{
    if (w->options.is_canary)
        world_violate(w, "canary", 0, "this one must always fail");
    if (w->result.is_violated)
        check_tell(w, w->result.card);
    if (w->server.is_running)
        probes_look(w, &w->result.probes);
    probes_count(&w->result.probes, PROBE_RECEIPTS_DOUBLED, w->smsc.counts.duplicated_receipts);
    probes_count(&w->result.probes, PROBE_RECEIPTS_EARLY, w->smsc.counts.early_receipts);
    w->result.card_days = w->cards * w->now.ms / DAY_MS;
    w->result.ended_ms = w->now.ms;
    world_note(w, "end", "cards=%u", w->cards);
    w->result.hash = trace_hash(&w->trace);
    server_close(w);
    cards_close(w);
}

void world_run(const struct world_options *options, struct world_result *result)
{
    struct world *w = calloc(1, sizeof *w);
    check(w != NULL);
    w->options = *options;
    trace_init(&w->trace, options->sink, options->context);
    w->is_stirred = true;
    begin(w);
    run_days(w, w->safety_end);
    check_history(w);
    if (!w->result.is_violated) {
        calm(w);
        settle(w);
        await_gone(w);
        check_progress(w);
        check_history(w);
    }
    end(w);
    *result = w->result;
    free(w->is_done);
    free(w);
}
