// What happens to devices, cards and networks by itself: power, memory cut off in mid write,
// places without coverage, rejections, other devices.
#include "common/base/check.h"
#include "tests/world/world.h"

#define AREA_HOME 0
#define AREA_HOLE 4
#define AREAS 5
#define AWAY_MS 86400000
#define HOLE_MS 14400000
#define OFF_MS 1200000
#define IMEI_OF_NOBODY 10 // all zeros
#define IMEIS 11
#define IMEI_NONE 11
#define DUTY_ON_MS 240000
#define DUTY_OFF_MS 1800000
#define DUTY_MOST 30
#define CLOCK_MS 21600000
#define FLAP_MS 600000
#define FLAPS_MOST 30
#define RESET_COMMANDS 8 // of the card, at most until then
#define INFO_MOST 10     // behind a result: causes 0 to 9, or nothing

static void plan(struct world *w, struct prng *p, enum happening what, uint32_t subject,
                 uint64_t mean_ms)
{
    if (mean_ms != 0 && !w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(p, mean_ms)), what, subject, 0);
}

void physics_plan(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        plan(w, &w->chance_power, HAPPENS_POWER, i, w->knobs.power_ms);
        plan(w, &w->chance_cut, HAPPENS_CUT, i, w->knobs.nvm_cut_ms);
        plan(w, &w->chance_move, HAPPENS_MOVE, i, w->knobs.move_ms);
        plan(w, &w->chance_imei, HAPPENS_IMEI, i, w->knobs.imei_ms);
        plan(w, &w->chance_device, HAPPENS_DUTY, i, w->knobs.duty_ms);
        plan(w, &w->chance_device, HAPPENS_TICK, i, w->knobs.tick_ms);
        plan(w, &w->chance_reset, HAPPENS_RESET, i, w->knobs.reset_ms);
        plan(w, &w->chance_flap, HAPPENS_FLAP, i, w->knobs.flap_ms);
        plan(w, &w->chance_profile, HAPPENS_PROFILE, i, w->knobs.profile_ms);
        plan(w, &w->chance_answers, HAPPENS_ANSWERS, i, w->knobs.answers_ms);
    }
    plan(w, &w->chance_gone, HAPPENS_GONE, 0, w->knobs.gone_ms);
    for (uint32_t i = 0; i < WORLD_NETWORKS; i++)
        plan(w, &w->chance_reject, HAPPENS_REJECT, i, w->knobs.reject_ms);
}

static void act(struct world *w, uint32_t card, enum scenario_action action, uint32_t value)
{
    const struct scenario_step step = {.action = action, .value = value};
    if (w->people[card].is_gone)
        return;
    check(fleet_act(&w->fleet, card, &step, w->now));
}

static void power(struct world *w, const struct entry *e)
{
    const bool is_on = w->devices[e->subject].state != DEVICE_OFF;
    world_do(w, &(struct deed){.kind = is_on ? DEED_POWER_OFF : DEED_POWER_ON, .card = e->subject});
    plan(w, &w->chance_power, HAPPENS_POWER, e->subject, is_on ? OFF_MS : w->knobs.power_ms);
}

static void do_power(struct world *w, const struct deed *d)
{
    const bool is_on = d->kind == DEED_POWER_ON;
    if (is_on == (w->devices[d->card].state != DEVICE_OFF))
        return;
    world_note(w, "power", "card=%u on=%d", d->card, is_on);
    act(w, d->card, is_on ? SCENARIO_POWER_ON : SCENARIO_POWER_OFF, 0);
}

// The power fails at an octet that will be written soon; that octet may take any value.
static void cut(struct world *w, const struct entry *e)
{
    struct deed d = {.kind = DEED_CUT, .card = e->subject};
    d.octet = 1 + (uint32_t)prng_below(&w->chance_cut, 1500);
    d.torn = prng_below(&w->chance_cut, 2) == 0;
    d.value = (uint32_t)prng_below(&w->chance_cut, 256);
    world_do(w, &d);
    plan(w, &w->chance_cut, HAPPENS_CUT, e->subject, w->knobs.nvm_cut_ms);
}

static void do_cut(struct world *w, const struct deed *d)
{
    const struct nvm_faults faults = {
        .cut_at = d->octet, .is_torn = d->torn != 0, .torn_value = (uint8_t)d->value};
    fleet_plan_faults(&w->fleet, d->card, &faults, &w->people[d->card].faults, w->now);
    w->result.cuts++;
    world_note(w, "cut", "card=%u octet=%u torn=%u", d->card, d->octet, d->torn);
}

static void move(struct world *w, const struct entry *e)
{
    const uint32_t drawn = (uint32_t)prng_below(&w->chance_move, AREAS + 3);
    const uint32_t area = drawn < AREAS ? drawn : AREA_HOME;
    world_do(w, &(struct deed){.kind = DEED_MOVE, .card = e->subject, .what = area});
    // Nobody stays away for long, where there is nothing least of all.
    static const uint64_t stays_ms[AREAS] = {UINT64_MAX, AWAY_MS, AWAY_MS, AWAY_MS, HOLE_MS};
    const uint64_t stay_ms = stays_ms[area];
    plan(w, &w->chance_move, HAPPENS_MOVE, e->subject,
         stay_ms < w->knobs.move_ms ? stay_ms : w->knobs.move_ms);
}

static void do_move(struct world *w, const struct deed *d)
{
    act(w, d->card, SCENARIO_MOVE, d->what);
    w->people[d->card].flap_area = (uint8_t)d->what;
    world_note(w, "move", "card=%u area=%u", d->card, d->what);
}

static void set_cause(struct world *w, uint32_t network, uint8_t cause)
{
    for (uint16_t i = 0; i < w->radio.rule_count; i++) {
        if (w->radio.rules[i].network == network)
            w->radio.rules[i].cause = cause;
    }
}

static void reject(struct world *w, const struct entry *e)
{
    static const uint8_t causes[] = {2, 3, 8, 11, 15, 17, 22};
    const bool begins = e->value == 0;
    const uint8_t cause =
        begins ? causes[prng_below(&w->chance_reject, sizeof causes)] : (uint8_t)0;
    world_do(w, &(struct deed){.kind = DEED_REJECT, .card = e->subject, .what = cause});
    if (begins)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(&w->chance_reject, 7200000)),
                   HAPPENS_REJECT, e->subject, 1);
    else
        plan(w, &w->chance_reject, HAPPENS_REJECT, e->subject, w->knobs.reject_ms);
}

static void do_reject(struct world *w, const struct deed *d)
{
    set_cause(w, d->card, (uint8_t)d->what);
    world_note(w, "reject", "network=%u cause=%u", d->card, d->what);
}

static void change_imei(struct world *w, const struct entry *e)
{
    world_do(w, &(struct deed){.kind = DEED_IMEI,
                               .card = e->subject,
                               .value = (uint32_t)prng_below(
                                   &w->chance_imei, shape_is_drawn(w) ? IMEI_NONE + 1 : IMEIS)});
    plan(w, &w->chance_imei, HAPPENS_IMEI, e->subject, w->knobs.imei_ms);
}

static void do_imei(struct world *w, const struct deed *d)
{
    struct scenario_step step = {.action = SCENARIO_IMEI};
    char imei[IMEI_SIZE] = "352099009000000";
    if (d->value == IMEI_OF_NOBODY)
        memset(imei, '0', 15);
    else
        imei[13] = (char)('0' + d->value % 10);
    imei[14] = luhn_digit(imei, 14);
    check(imei_write(imei, step.imei));
    if (d->value == IMEI_NONE)
        step.action = SCENARIO_NO_IMEI;
    probes_shape(&w->result.probes, PROBE_IMEI_NONE, d->value == IMEI_NONE);
    act(w, d->card, SCENARIO_POWER_OFF, 0);
    check(fleet_act(&w->fleet, d->card, &step, w->now));
    act(w, d->card, SCENARIO_POWER_ON, 0);
    world_note(w, "imei", "card=%u", d->card);
}

// On for less than a card waits for service after a switch, again and again.
static void draw_duty(struct world *w, uint32_t card)
{
    struct prng *p = &w->chance_device;
    struct deed d = {.kind = DEED_DUTY, .card = card};
    d.within_ms = 10000 + (uint32_t)prng_below(p, DUTY_ON_MS);
    d.after_ms = 10000 + (uint32_t)prng_below(p, DUTY_OFF_MS);
    d.count = 1 + (uint32_t)prng_below(p, DUTY_MOST);
    world_do(w, &d);
    plan(w, p, HAPPENS_DUTY, card, w->knobs.duty_ms);
}

static void switch_duty(struct world *w, uint32_t card, uint32_t left)
{
    struct person *person = &w->people[card];
    const bool is_on = left % 2 != 0;
    act(w, card, is_on ? SCENARIO_POWER_ON : SCENARIO_POWER_OFF, 0);
    if (left > 1)
        agenda_add(&w->agenda, instant_after(w->now, is_on ? person->on_ms : person->off_ms),
                   HAPPENS_DUTY, card, left - 1);
    else
        person->on_ms = 0;
}

static void do_duty(struct world *w, const struct deed *d)
{
    struct person *person = &w->people[d->card];
    if (person->on_ms != 0 || d->within_ms == 0 || d->count == 0)
        return; // one cycle at a time
    person->on_ms = d->within_ms;
    person->off_ms = d->after_ms;
    world_note(w, "duty", "card=%u on=%u off=%u count=%u", d->card, d->within_ms, d->after_ms,
               d->count);
    switch_duty(w, d->card, 2 * d->count);
}

static void draw_flap(struct world *w, uint32_t card)
{
    struct prng *p = &w->chance_flap;
    struct deed d = {.kind = DEED_FLAP, .card = card};
    d.within_ms = 5000 + (uint32_t)prng_below(p, FLAP_MS);
    d.after_ms = 5000 + (uint32_t)prng_below(p, FLAP_MS);
    // Where there is time, of that there is less.
    d.count = 1 + (uint32_t)prng_below(p, 1 + ((FLAPS_MOST - 1) >> w->calm / 2));
    world_do(w, &d);
    plan(w, p, HAPPENS_FLAP, card, w->knobs.flap_ms);
}

static void flap(struct world *w, uint32_t card, uint32_t left)
{
    struct person *person = &w->people[card];
    const bool comes = left % 2 != 0;
    act(w, card, SCENARIO_MOVE, comes ? person->flap_area : AREA_HOLE);
    if (left > 1)
        agenda_add(&w->agenda,
                   instant_after(w->now, comes ? person->flap_in_ms : person->flap_out_ms),
                   HAPPENS_FLAP, card, left - 1);
    else
        person->flap_in_ms = 0;
}

static void do_flap(struct world *w, const struct deed *d)
{
    struct person *person = &w->people[d->card];
    if (person->flap_in_ms != 0 || d->within_ms == 0 || d->count == 0)
        return; // one at a time
    person->flap_in_ms = d->within_ms;
    person->flap_out_ms = d->after_ms;
    world_note(w, "flap", "card=%u in=%u out=%u count=%u", d->card, d->within_ms, d->after_ms,
               d->count);
    flap(w, d->card, 2 * d->count);
}

// Into another device, as it is switched off.
static void put_into(struct world *w, uint32_t card, uint32_t model)
{
    act(w, card, SCENARIO_POWER_OFF, 0);
    w->devices[card].model = &w->scenario.models[model];
    act(w, card, SCENARIO_POWER_ON, 0);
}

static void tick(struct world *w, const struct entry *e)
{
    struct prng *p = &w->chance_device;
    if (e->value != 0) {
        put_into(w, e->subject, w->story.models[e->subject]);
        return;
    }
    world_do(w, &(struct deed){.kind = DEED_TICK,
                               .card = e->subject,
                               .what = (uint32_t)prng_below(p, WORLD_CLOCKS),
                               .after_ms = (uint32_t)world_delay(p, CLOCK_MS)});
    plan(w, p, HAPPENS_TICK, e->subject, w->knobs.tick_ms);
}

static void do_tick(struct world *w, const struct deed *d)
{
    if (d->what >= WORLD_CLOCKS)
        return;
    put_into(w, d->card, STORY_MODELS + d->what);
    agenda_add(&w->agenda, instant_after(w->now, d->after_ms), HAPPENS_TICK, d->card, 1);
    world_note(w, "tick", "card=%u what=%u for=%u", d->card, d->what, d->after_ms);
}

static void profile(struct world *w, const struct entry *e)
{
    struct prng *p = &w->chance_profile;
    if (e->value != 0) {
        put_into(w, e->subject, w->story.models[e->subject]);
        return;
    }
    struct deed d = {.kind = DEED_PROFILE, .card = e->subject};
    d.what = (uint32_t)prng_below(p, shape_is_drawn(w) ? WORLD_PROFILES : WORLD_PROFILES - 1);
    d.after_ms = (uint32_t)world_delay(p, CLOCK_MS);
    world_do(w, &d);
    plan(w, p, HAPPENS_PROFILE, e->subject, w->knobs.profile_ms);
}

static void do_profile(struct world *w, const struct deed *d)
{
    if (d->what >= WORLD_PROFILES)
        return;
    put_into(w, d->card, STORY_MODELS + WORLD_CLOCKS + d->what);
    agenda_add(&w->agenda, instant_after(w->now, d->after_ms), HAPPENS_PROFILE, d->card, 1);
    world_note(w, "profile", "card=%u what=%u for=%u", d->card, d->what, d->after_ms);
}

static void draw_reset(struct world *w, uint32_t card)
{
    struct prng *p = &w->chance_reset;
    const uint32_t nth = 1 + (uint32_t)prng_below(p, RESET_COMMANDS * DEVICE_MOMENTS);
    world_do(w, &(struct deed){.kind = DEED_RESET, .card = card, .count = nth});
    plan(w, p, HAPPENS_RESET, card, w->knobs.reset_ms);
}

static void do_reset(struct world *w, const struct deed *d)
{
    fleet_plan_reset(&w->fleet, d->card, d->count, w->now);
    w->people[d->card].reset_at = d->count;
    world_note(w, "reset", "card=%u count=%u", d->card, d->count);
}

// General results [102.223 §8.12]: of the user, for now, for ever, and "done" for what was not.
static void draw_answers(struct world *w, uint32_t card)
{
    static const uint8_t results[] = {0x00, 0x02, 0x10, 0x12, 0x20, 0x20, 0x21, 0x22, 0x24, 0x25,
                                      0x26, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x39, 0x3A};
    struct prng *p = &w->chance_answers;
    struct deed d = {.kind = DEED_ANSWERS, .card = card};
    d.what = (uint32_t)prng_below(p, WORLD_ANSWERED);
    d.value = results[prng_below(p, sizeof results)];
    d.octet = (uint32_t)prng_below(p, INFO_MOST + 1);
    d.count = prng_below(p, 2) == 0 ? 0 : (uint32_t)prng_below(p, DEVICE_ANSWER_FORMS);
    d.flags = prng_below(p, 4) == 0;
    d.after_ms = (uint32_t)world_delay(p, CLOCK_MS);
    world_do(w, &d);
    plan(w, p, HAPPENS_ANSWERS, card, w->knobs.answers_ms);
}

// What the card believes counts as long as the device is not started anew: timers that do not run,
// events that do not come.
static void mislead(struct person *person, const struct device_answers *a)
{
    const bool is_of_events = a->of == 0 || a->of == CAT_SET_UP_EVENT_LIST;
    person->is_misled |= a->form == DEVICE_ANSWER_NONE || a->of == 0 ||
                         a->of == CAT_POLL_INTERVAL || a->of == CAT_TIMER_MANAGEMENT;
    person->is_blinded |= is_of_events && cat_result_is_done(a->result) && !a->is_served;
}

static void do_answers(struct world *w, const struct deed *d)
{
    static const uint8_t types[WORLD_ANSWERED] = {0,
                                                  CAT_REFRESH,
                                                  CAT_POLL_INTERVAL,
                                                  CAT_SET_UP_EVENT_LIST,
                                                  CAT_SEND_SHORT_MESSAGE,
                                                  CAT_PROVIDE_LOCAL_INFORMATION,
                                                  CAT_TIMER_MANAGEMENT};
    if (d->what >= WORLD_ANSWERED || d->count >= DEVICE_ANSWER_FORMS || d->value > UINT8_MAX ||
        d->octet > INFO_MOST)
        return;
    const struct device_answers plan = {.of = types[d->what],
                                        .result = (uint8_t)d->value,
                                        .info = (uint8_t)d->octet,
                                        .form = (uint8_t)d->count,
                                        .is_served = d->flags != 0,
                                        .until = instant_after(w->now, d->after_ms)};
    fleet_plan_answers(&w->fleet, d->card, &plan, w->now);
    mislead(&w->people[d->card], &plan);
    world_note(w, "answers", "card=%u of=%u result=%02x form=%u served=%u for=%u", d->card, plan.of,
               plan.result, plan.form, plan.is_served, d->after_ms);
}

// One of those that are left; the last of several stays.
static void draw_gone(struct world *w)
{
    struct prng *p = &w->chance_gone;
    const uint32_t card = (uint32_t)prng_below(p, w->cards);
    uint32_t left = 0;
    for (uint32_t i = 0; i < w->cards; i++)
        left += !w->people[i].is_gone;
    if (left > 1 || w->cards == 1)
        world_do(w, &(struct deed){.kind = DEED_GONE, .card = card});
    plan(w, p, HAPPENS_GONE, 0, w->knobs.gone_ms);
}

static void do_gone(struct world *w, const struct deed *d)
{
    if (w->people[d->card].is_gone)
        return;
    act(w, d->card, SCENARIO_POWER_OFF, 0);
    w->people[d->card].is_gone = true;
    gone_begin(w, d->card);
    world_note(w, "gone", "card=%u", d->card);
}

void physics_happen(struct world *w, const struct entry *e)
{
    switch (e->what) {
    case HAPPENS_POWER:
        power(w, e);
        break;
    case HAPPENS_CUT:
        cut(w, e);
        break;
    case HAPPENS_MOVE:
        move(w, e);
        break;
    case HAPPENS_REJECT:
        reject(w, e);
        break;
    case HAPPENS_IMEI:
        change_imei(w, e);
        break;
    case HAPPENS_DUTY:
        if (e->value == 0)
            draw_duty(w, e->subject);
        else
            switch_duty(w, e->subject, e->value);
        break;
    case HAPPENS_TICK:
        tick(w, e);
        break;
    case HAPPENS_RESET:
        draw_reset(w, e->subject);
        break;
    case HAPPENS_PROFILE:
        profile(w, e);
        break;
    case HAPPENS_ANSWERS:
        draw_answers(w, e->subject);
        break;
    case HAPPENS_GONE:
        draw_gone(w);
        break;
    case HAPPENS_FLAP:
        if (e->value == 0)
            draw_flap(w, e->subject);
        else
            flap(w, e->subject, e->value);
        break;
    default: // the others are not of this file
        check(false);
    }
}

void physics_do(struct world *w, const struct deed *d)
{
    switch (d->kind) {
    case DEED_POWER_OFF:
    case DEED_POWER_ON:
        do_power(w, d);
        break;
    case DEED_CUT:
        do_cut(w, d);
        break;
    case DEED_MOVE:
        do_move(w, d);
        break;
    case DEED_REJECT:
        do_reject(w, d);
        break;
    case DEED_IMEI:
        do_imei(w, d);
        break;
    case DEED_DUTY:
        do_duty(w, d);
        break;
    case DEED_TICK:
        do_tick(w, d);
        break;
    case DEED_RESET:
        do_reset(w, d);
        break;
    case DEED_PROFILE:
        do_profile(w, d);
        break;
    case DEED_FLAP:
        do_flap(w, d);
        break;
    case DEED_ANSWERS:
        do_answers(w, d);
        break;
    case DEED_GONE:
        do_gone(w, d);
        break;
    default: // the others are not of this file
        check(false);
    }
}

void physics_restart(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        act(w, i, SCENARIO_POWER_OFF, 0);
        act(w, i, SCENARIO_POWER_ON, 0);
    }
}

void physics_calm(struct world *w)
{
    static const enum happening kinds[] = {
        HAPPENS_POWER, HAPPENS_CUT,   HAPPENS_MOVE, HAPPENS_REJECT,  HAPPENS_IMEI,    HAPPENS_DUTY,
        HAPPENS_TICK,  HAPPENS_RESET, HAPPENS_FLAP, HAPPENS_PROFILE, HAPPENS_ANSWERS, HAPPENS_GONE};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        agenda_forget(&w->agenda, kinds[i]);
    for (uint32_t i = 0; i < WORLD_NETWORKS; i++)
        set_cause(w, i, 0);
    for (uint32_t i = 0; i < w->cards; i++) {
        w->devices[i].card.nvm.faults = NULL;
        w->devices[i].reset_at = w->people[i].reset_at = 0;
        w->devices[i].answers.until = w->now;
        w->devices[i].model = &w->scenario.models[w->story.models[i]];
        w->people[i].flap_in_ms = 0;
        act(w, i, SCENARIO_MOVE, AREA_HOME);
    }
    physics_restart(w);
}
