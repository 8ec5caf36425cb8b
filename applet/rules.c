#include "applet/rules.h"

#include "applet/clocks.h"
#include "applet/select.h"
#include "applet/start.h"
#include "applet/switching.h"
#include "common/base/check.h"

// clang-format off
#define ALWAYS NULL, "always"
#define IF(g) guard_##g, #g
#define NOTHING NULL, "nothing"
#define DO(f) action_##f, #f
#define ROW(from, event, guard, action, to, why) \
    ROW_(SWITCH_##from, EVENT_##event, guard, action, SWITCH_##to, why)
#define ROW_(from, event, ...) ROW__(from, event, __VA_ARGS__)
#define ROW__(from, event, guard, guard_name, action, action_name, to, why) \
    {from, event, guard, action, to, guard_name, action_name, why}

static const struct rule table[] = {
ROW(STARTING, START, IF(prepared_late), DO(pause_before), SWITCHING,
    "the terminal is on the former one by now: a REFRESH must follow"),
ROW(STARTING, START, IF(prepared), DO(recover), PROBATION,
    "a switch was cut off; the start replaces the REFRESH"),
ROW(STARTING, START, IF(last_start), DO(last_start), PROBATION,
    "a fifth start without service ends the probation"),
ROW(STARTING, START, IF(switched), DO(resume_probation), PROBATION,
    "probation with a full T_ATTACH"),
ROW(STARTING, START, IF(confirming), DO(resume_confirming), CONFIRMING,
    "the next sending of the notification"),
ROW(STARTING, START, ALWAYS, DO(await_status), STARTING, "nothing was open"),
ROW(STARTING, NORMAL, ALWAYS, DO(normal), STABLE, "first status"),
ROW(STARTING, NOT_NORMAL, IF(paused), DO(pause_again), BACKOFF, "the pause was cut off by a reset"),
ROW(STARTING, NOT_NORMAL, ALWAYS, DO(outage), SUSPECT, "first status"),
ROW(STARTING, CLOCK, IF(paused), DO(pause_again), BACKOFF, "the pause was cut off by a reset"),
ROW(STARTING, CLOCK, ALWAYS, DO(outage), SUSPECT, "no status came at all: taken as no service"),
ROW(STARTING, CONDEMNED, IF(paused), DO(pause_again), BACKOFF, "the pause was cut off by a reset"),
ROW(STARTING, CONDEMNED, ALWAYS, DO(outage), SUSPECT, "rejected before any status"),
ROW(STARTING, COMMAND, ALWAYS, DO(prepare), SWITCHING, "commanded"),

ROW(STABLE, NOT_NORMAL, ALWAYS, DO(outage), SUSPECT, "service was lost"),
ROW(STABLE, COMMAND, ALWAYS, DO(prepare), SWITCHING, "commanded"),
ROW(STABLE, COUNTRY, IF(can_prefer), DO(jitter_country), STABLE, "many cards must not move at once"),
ROW(STABLE, RETURN, IF(can_return), DO(jitter_return), STABLE, "many cards must not move at once"),
ROW(STABLE, CLOCK, IF(may_prefer), DO(begin_country), SWITCHING,
    "the country table prefers another one"),
ROW(STABLE, CLOCK, IF(may_return), DO(begin_return), SWITCHING, "back to the preferred one"),
ROW(STABLE, CLOCK, ALWAYS, DO(stop_waiting), STABLE, "no longer wanted, or no longer possible"),

ROW(SUSPECT, NORMAL, ALWAYS, DO(normal), STABLE, "service is back"),
ROW(SUSPECT, NOT_NORMAL, ALWAYS, DO(limit), SUSPECT, "another limit may hold"),
ROW(SUSPECT, CLOCK, IF(selection_off), NOTHING, SUSPECT,
    "commands only, or a terminal that cannot"),
ROW(SUSPECT, CLOCK, IF(wants_jitter), DO(jitter), SUSPECT, "many cards must not move at once"),
ROW(SUSPECT, CLOCK, IF(has_candidate), DO(begin_plan), SWITCHING, "the outage lasted too long"),
ROW(SUSPECT, CLOCK, IF(is_exhausted), DO(pause), BACKOFF, "nothing to switch to"),
ROW(SUSPECT, CLOCK, ALWAYS, DO(cap), SUSPECT, "the day's switches are used up"),
ROW(SUSPECT, CONDEMNED, IF(waits_outage), DO(end_wait), SUSPECT, "waiting is useless"),
ROW(SUSPECT, DAY, IF(is_waiting_for_day), DO(end_wait), SUSPECT, "switches are allowed again"),
ROW(SUSPECT, COMMAND, ALWAYS, DO(prepare), SWITCHING, "commanded"),

ROW(SWITCHING, SENT, IF(waits_answer), DO(pause_before), SWITCHING, "the answer left first"),
ROW(SWITCHING, CLOCK, IF(waits_answer), DO(pause_before), SWITCHING,
    "the terminal did not say that the answer left"),
ROW(SWITCHING, CLOCK, IF(waits_fetch), DO(not_fetched), SWITCHING, "not fetched counts as refused"),
ROW(SWITCHING, CLOCK, IF(was_fetched), DO(probation), PROBATION,
    "fetched, and nothing said against it"),
ROW(SWITCHING, CLOCK, IF(wants_retry), DO(refresh), SWITCHING, "another try"),
ROW(SWITCHING, CLOCK, ALWAYS, DO(switch), SWITCHING, "the switch is committed before the REFRESH"),
ROW(SWITCHING, TAKEN, ALWAYS, DO(probation), PROBATION, "the terminal starts on it"),
ROW(SWITCHING, REFUSED, IF(wants_retry), DO(retry), SWITCHING, "again after 30 s"),
ROW(SWITCHING, REFUSED, IF(must_leave), DO(probation), PROBATION,
    "the subscription left must not come back; the next start takes the new one"),
ROW(SWITCHING, REFUSED, IF(has_service), DO(put_back), STABLE, "refused three times"),
ROW(SWITCHING, REFUSED, ALWAYS, DO(put_back_without), SUSPECT, "refused three times"),

ROW(PROBATION, NORMAL, IF(is_elsewhere), NOTHING, PROBATION,
    "the terminal is still on the former one"),
ROW(PROBATION, NORMAL, IF(commanded), DO(await_confirm), CONFIRMING, "the server must confirm"),
ROW(PROBATION, NORMAL, ALWAYS, DO(served), STABLE, "an automatic switch needs no confirmation"),
ROW(PROBATION, CLOCK, IF(may_roll_back), DO(roll_back), SWITCHING, "no service on a commanded one"),
ROW(PROBATION, CLOCK, IF(commanded), DO(keep), SUSPECT, "no service, and no rollback allowed"),
ROW(PROBATION, CLOCK, IF(can_fall_back), DO(fall_back), SWITCHING,
    "the former one has no service either"),
ROW(PROBATION, CLOCK, IF(ends_in_pause), DO(pause), BACKOFF,
    "the fallback one has no service either"),
ROW(PROBATION, CLOCK, IF(returning), DO(go_back), SWITCHING, "the return failed"),
ROW(PROBATION, CLOCK, IF(has_next), DO(begin_next), SWITCHING, "next candidate"),
ROW(PROBATION, CLOCK, ALWAYS, DO(pause), BACKOFF, "no candidate is left"),
ROW(PROBATION, CONDEMNED, IF(is_there), DO(end_wait), PROBATION, "waiting is useless"),

ROW(CONFIRMING, CONFIRM, IF(has_service), DO(confirm), STABLE, "the commanded switch is final"),
ROW(CONFIRMING, CONFIRM, ALWAYS, DO(keep_without), SUSPECT,
    "the same; service was lost meanwhile, and the outage counts from now on"),
ROW(CONFIRMING, UNCONFIRMED, IF(may_roll_back), DO(roll_back), SWITCHING,
    "the server cannot reach the card there"),
ROW(CONFIRMING, UNCONFIRMED, IF(has_service), DO(keep_unconfirmed), STABLE, "no rollback allowed"),
ROW(CONFIRMING, UNCONFIRMED, ALWAYS, DO(keep_without), SUSPECT, "no rollback allowed"),

ROW(BACKOFF, NORMAL, ALWAYS, DO(normal), STABLE, "service is back"),
ROW(BACKOFF, CLOCK, IF(has_candidate), DO(begin_plan), SWITCHING, "new rounds"),
ROW(BACKOFF, CLOCK, ALWAYS, DO(pause), BACKOFF, "still nothing to try"),
ROW(BACKOFF, COMMAND, ALWAYS, DO(prepare), SWITCHING, "commanded"),
};

// Events that mean nothing in a state, each with its bit; every pair has a row or a bit, not both.
#define BIT(event) (1u << EVENT_##event)
static const uint16_t ignored[RULE_STATES] = {
    [SWITCH_STARTING] = BIT(SENT) | BIT(TAKEN) | BIT(REFUSED) | BIT(CONFIRM) | BIT(UNCONFIRMED) |
                        BIT(COUNTRY) | BIT(RETURN) | BIT(DAY),
    [SWITCH_STABLE] = BIT(START) | BIT(NORMAL) | BIT(CONDEMNED) | BIT(SENT) | BIT(TAKEN) |
                      BIT(REFUSED) | BIT(CONFIRM) | BIT(UNCONFIRMED) | BIT(DAY),
    [SWITCH_SUSPECT] = BIT(START) | BIT(SENT) | BIT(TAKEN) | BIT(REFUSED) | BIT(CONFIRM) |
                       BIT(UNCONFIRMED) | BIT(COUNTRY) | BIT(RETURN),
    [SWITCH_SWITCHING] = BIT(START) | BIT(NORMAL) | BIT(NOT_NORMAL) | BIT(CONDEMNED) |
                         BIT(COMMAND) | BIT(CONFIRM) | BIT(UNCONFIRMED) | BIT(COUNTRY) |
                         BIT(RETURN) | BIT(DAY),
    [SWITCH_PROBATION] = BIT(START) | BIT(NOT_NORMAL) | BIT(COMMAND) | BIT(SENT) | BIT(TAKEN) |
                         BIT(REFUSED) | BIT(CONFIRM) | BIT(UNCONFIRMED) | BIT(COUNTRY) |
                         BIT(RETURN) | BIT(DAY),
    [SWITCH_CONFIRMING] = BIT(START) | BIT(NORMAL) | BIT(NOT_NORMAL) | BIT(CLOCK) |
                          BIT(CONDEMNED) | BIT(COMMAND) | BIT(SENT) | BIT(TAKEN) | BIT(REFUSED) |
                          BIT(COUNTRY) | BIT(RETURN) | BIT(DAY),
    [SWITCH_BACKOFF] = BIT(START) | BIT(NOT_NORMAL) | BIT(CONDEMNED) | BIT(SENT) | BIT(TAKEN) |
                       BIT(REFUSED) | BIT(CONFIRM) | BIT(UNCONFIRMED) | BIT(COUNTRY) |
                       BIT(RETURN) | BIT(DAY),
};

static const char *const event_names[RULE_EVENTS] = {
    "START", "NORMAL", "NOT_NORMAL", "CLOCK", "CONDEMNED", "COMMAND", "SENT", "TAKEN", "REFUSED",
    "CONFIRM", "UNCONFIRMED", "COUNTRY", "RETURN", "DAY",
};
static const char *const state_names[RULE_STATES] = {
    "STARTING", "STABLE", "SUSPECT", "SWITCHING", "PROBATION", "CONFIRMING", "BACKOFF",
};
// clang-format on

const struct rule *rules_table(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

bool rules_is_ignored(uint8_t state, enum rule_event event)
{
    return (ignored[state] >> event & 1u) != 0;
}

const char *rules_event_name(enum rule_event event)
{
    return event_names[event];
}

const char *rules_state_name(uint8_t state)
{
    return state_names[state];
}

static void step(struct turn *t, enum rule_event event)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct rule *rule = &table[i];
        if (rule->from != t->a->state || rule->event != event)
            continue;
        if (rule->guard != NULL && !rule->guard(t))
            continue;
        // First the state: actions may look at it.
        t->a->state = rule->to;
        if (rule->action != NULL)
            rule->action(t);
        return;
    }
}

void turn_next(struct turn *t, enum rule_event event)
{
    t->has_next = true;
    t->next = event;
}

// An event leads to at most a few others: a wait that is ended, a first status, a cause.
#define FOLLOWERS_MAX 8

void turn_feed(struct turn *t, enum rule_event event)
{
    turn_next(t, event);
    for (unsigned i = 0; i < FOLLOWERS_MAX && t->has_next; i++) {
        t->has_next = false;
        step(t, t->next);
    }
    check(!t->has_next);
}

// --- the turn ---

#define KEEP_S 3600
#define KEEP_PAUSED_S 900

static uint32_t sooner(uint32_t due, uint32_t at)
{
    return at != 0 && (due == 0 || at < due) ? at : due;
}

// Copies of what the image says.
static void refresh(struct applet *a, const struct image *m)
{
    const struct dues *d = &m->dues;
    a->generation = m->generation;
    a->pending_last = m->pending_count > 0 ? m->pending[m->pending_count - 1].sequence : 0;
    // A heartbeat that waits to leave is not waited for.
    uint32_t due = sooner(sooner(d->back, d->reuse), a->is_heartbeat_due ? 0 : d->heartbeat);
    // While something is due the clock itself is kept, once an hour; in a pause more often.
    a->keep_s = 0;
    if (m->search.is_paused)
        a->keep_s = KEEP_PAUSED_S;
    else if (due != 0)
        a->keep_s = KEEP_S;
    due = sooner(due, d->day > a->now_s ? d->day : 0);
    const uint32_t again =
        a->is_country_stable ? select_prefer_again_s(m, a->has_plmn ? a->plmn : NULL) : 0;
    due = sooner(due, again > a->now_s ? again : 0);
    if (m->pending_count == 0)
        a->resend_s = 0;
    a->busy_s = sooner(due, a->resend_s);
    a->due_s = sooner(a->busy_s, a->keep_s != 0 ? d->now + a->keep_s : 0);
    uint8_t enabled = image_enabled(m);
    a->is_settled = m->is_contacted && m->slots[enabled].is_proven;
    a->is_by_status = m->parameters.poll_by_status != 0;
    if (a->poll_period_s == 0)
        a->poll_period_s = m->parameters.poll_period_s;
}

#define AGAIN_S 60 // a step that could not be read or kept is tried again then

// Everything as before, except that what was waited for is waited for a little longer.
static void give_up(struct turn *t)
{
    struct applet *a = t->a;
    *a = t->saved;
    bool is_waiting = a->state != SWITCH_STABLE || a->wait != WAIT_NONE;
    if (is_waiting && !clock_is_on(a, CLOCK_STATE))
        clock_set(a, CLOCK_STATE, AGAIN_S);
    if (a->notify_attempt > 0 && !clock_is_on(a, CLOCK_NOTIFY))
        clock_set(a, CLOCK_NOTIFY, AGAIN_S);
}

bool turn_load(struct turn *t, struct applet *a, const struct applet_port *port)
{
    memset(t, 0, sizeof *t);
    t->a = a;
    t->port = port;
    t->image = &port->work->image;
    t->saved = *a;
    if (a->is_dead)
        return false;
    if (!memory_load(a, port)) {
        give_up(t);
        return false;
    }
    memory_release(port);
    return true;
}

bool turn_begin(struct turn *t, struct applet *a, const struct applet_port *port)
{
    const bool is_kept = !a->is_late || start_catch_up(a, port);
    return turn_load(t, a, port) && is_kept;
}

bool turn_end(struct turn *t)
{
    if (t->is_changed) {
        // Any later commit overwrites the other bank as a whole.
        t->image->is_scrub_due = t->is_scrub;
        t->failed = memory_commit(t->a, t->port);
        if (t->failed != MEMORY_OK) {
            give_up(t);
            return false;
        }
        // A scrub that fails is done again at the next start.
        if (t->is_scrub)
            (void)memory_scrub(t->a, t->port);
    }
    memory_hold(t->a, t->port);
    refresh(t->a, t->image);
    return true;
}
