// What happens to devices, cards and networks by itself: power, memory cut off in mid write,
// places without coverage, rejections, other devices.
#include "common/base/check.h"
#include "tests/world/world.h"

#define AREA_HOME 0
#define AREAS 5
#define AWAY_MS 86400000
#define HOLE_MS 14400000
#define OFF_MS 1200000

static void plan(struct world *w, struct prng *p, enum happening what, uint32_t subject,
                 uint32_t mean_ms)
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
    }
    for (uint32_t i = 0; i < WORLD_NETWORKS; i++)
        plan(w, &w->chance_reject, HAPPENS_REJECT, i, w->knobs.reject_ms);
}

static void act(struct world *w, uint32_t card, enum scenario_action action, uint32_t value)
{
    const struct scenario_step step = {.action = action, .value = value};
    check(fleet_act(&w->fleet, card, &step, w->now));
}

static void power(struct world *w, const struct entry *e)
{
    const bool is_on = w->devices[e->subject].state != DEVICE_OFF;
    world_note(w, "power", "card=%u on=%d", e->subject, !is_on);
    act(w, e->subject, is_on ? SCENARIO_POWER_OFF : SCENARIO_POWER_ON, 0);
    plan(w, &w->chance_power, HAPPENS_POWER, e->subject, is_on ? OFF_MS : w->knobs.power_ms);
}

// The power fails at an octet that will be written soon; that octet may take any value.
static void cut(struct world *w, const struct entry *e)
{
    struct person *person = &w->people[e->subject];
    person->faults = (struct nvm_faults){.cut_at = 1 + prng_below(&w->chance_cut, 1500)};
    person->faults.is_torn = prng_below(&w->chance_cut, 2) == 0;
    person->faults.torn_value = (uint8_t)prng_below(&w->chance_cut, 256);
    w->devices[e->subject].card.nvm.faults = &person->faults;
    w->result.cuts++;
    world_note(w, "cut", "card=%u octet=%llu torn=%d", e->subject,
               (unsigned long long)person->faults.cut_at, person->faults.is_torn);
    plan(w, &w->chance_cut, HAPPENS_CUT, e->subject, w->knobs.nvm_cut_ms);
}

static void move(struct world *w, const struct entry *e)
{
    const uint32_t area = (uint32_t)prng_below(&w->chance_move, AREAS + 3);
    act(w, e->subject, SCENARIO_MOVE, area < AREAS ? area : AREA_HOME);
    world_note(w, "move", "card=%u area=%u", e->subject, area < AREAS ? area : AREA_HOME);
    // Nobody stays away for long, where there is nothing least of all.
    static const uint32_t stays_ms[AREAS] = {UINT32_MAX, AWAY_MS, AWAY_MS, AWAY_MS, HOLE_MS};
    const uint32_t stay_ms = stays_ms[area < AREAS ? area : AREA_HOME];
    plan(w, &w->chance_move, HAPPENS_MOVE, e->subject,
         stay_ms < w->knobs.move_ms ? stay_ms : w->knobs.move_ms);
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
    set_cause(w, e->subject, cause);
    world_note(w, "reject", "network=%u cause=%u", e->subject, cause);
    if (begins)
        agenda_add(&w->agenda, instant_after(w->now, world_delay(&w->chance_reject, 7200000)),
                   HAPPENS_REJECT, e->subject, 1);
    else
        plan(w, &w->chance_reject, HAPPENS_REJECT, e->subject, w->knobs.reject_ms);
}

static void change_imei(struct world *w, const struct entry *e)
{
    struct scenario_step step = {.action = SCENARIO_IMEI};
    char imei[IMEI_SIZE] = "352099009000000";
    imei[13] = (char)('0' + prng_below(&w->chance_imei, 10));
    imei[14] = luhn_digit(imei, 14);
    check(imei_write(imei, step.imei));
    act(w, e->subject, SCENARIO_POWER_OFF, 0);
    check(fleet_act(&w->fleet, e->subject, &step, w->now));
    act(w, e->subject, SCENARIO_POWER_ON, 0);
    world_note(w, "imei", "card=%u", e->subject);
    plan(w, &w->chance_imei, HAPPENS_IMEI, e->subject, w->knobs.imei_ms);
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
    static const enum happening kinds[] = {HAPPENS_POWER, HAPPENS_CUT, HAPPENS_MOVE, HAPPENS_REJECT,
                                           HAPPENS_IMEI};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        agenda_forget(&w->agenda, kinds[i]);
    for (uint32_t i = 0; i < WORLD_NETWORKS; i++)
        set_cause(w, i, 0);
    for (uint8_t i = 0; i < w->scenario.model_count; i++)
        w->scenario.models[i].mt_loss = 0;
    for (uint32_t i = 0; i < w->cards; i++) {
        w->devices[i].card.nvm.faults = NULL;
        act(w, i, SCENARIO_MOVE, AREA_HOME);
    }
    physics_restart(w);
}
