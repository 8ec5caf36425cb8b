// Switches: commanded, and those of the card itself.
#include "tests/model/model.h"

#define ANSWER_S 30
#define FETCH_S 60
#define RETRY_S 30
#define TRIES 3
#define DAY_S 86400u
#define WEEK_S (7 * DAY_S)
#define NO_PAUSE_LONGER 16
#define TICK_S 300

static bool may_select(const struct model_card *m)
{
    return (m->terminal & TERMINAL_REFRESH) != 0 && (m->terminal & TERMINAL_NO_SELECTION) == 0 &&
           m->parameters.auto_mode != 0;
}

void model_wait(struct model_card *m, enum model_wait wait, uint32_t seconds)
{
    m->wait = (uint8_t)wait;
    m->clock = (struct model_time){true, seconds, seconds};
}

static void wait_no_more(struct model_card *m)
{
    m->wait = MODEL_NOTHING;
    m->clock.is_on = false;
}

// --- the next try ----------------------------------------------------------------------------

unsigned model_switches_left(const struct model_card *m)
{
    const unsigned used = m->day_end > m->now ? m->switches : 0;
    const unsigned most = m->parameters.switches_per_day;
    return used < most ? most - used : 0;
}

static bool is_candidate(const struct model_card *m, uint8_t i)
{
    const struct model_slot *s = &m->slots[i];
    if (!s->is_used || s->is_fallback || s->role == ROLE_TEST || model_forbids(m, i))
        return false;
    if (m->parameters.auto_mode == 1)
        return i == m->preferred;
    const bool cools = m->cool[i].is_on && m->cool[i].max_s > m->now && !m->search.failed[i];
    return (s->marks & SLOT_MARK_NOT_AUTO) == 0 && !cools;
}

static bool is_before(const struct model_card *m, uint8_t a, uint8_t b)
{
    const uint8_t x = m->slots[a].rank;
    const uint8_t y = m->slots[b].rank;
    return x != y ? x < y : a < b;
}

// The first candidate behind the enabled one, circular, that was not tried in this round.
static uint8_t next_in_round(const struct model_card *m, const bool *tried)
{
    const uint8_t on = model_enabled(m);
    uint8_t first = MODEL_NONE;
    uint8_t behind = MODEL_NONE;
    for (uint8_t i = 0; i < m->factory->slot_count; i++) {
        if (!is_candidate(m, i) || tried[i])
            continue;
        if (first == MODEL_NONE || is_before(m, i, first))
            first = i;
        if (is_before(m, on, i) && (behind == MODEL_NONE || is_before(m, i, behind)))
            behind = i;
    }
    return behind != MODEL_NONE ? behind : first;
}

static void open_search(const struct model_card *m, uint8_t failed, struct model_search *s)
{
    *s = m->search;
    if (!s->is_open) {
        s->is_open = true;
        s->round = 1;
        s->origin = m->open.phase != JOURNAL_NONE ? m->open.from : model_enabled(m);
        memset(s->tried, 0, sizeof s->tried);
        s->tried[s->origin] = true;
    }
    s->is_paused = false;
    if (failed != MODEL_NONE)
        s->tried[failed] = s->failed[failed] = true;
}

enum model_try model_choose(const struct model_card *m, uint8_t failed, uint8_t *to,
                            struct model_search *s)
{
    const uint8_t on = model_enabled(m);
    if (m->parameters.auto_mode == 0)
        return MODEL_OFF;
    open_search(m, failed, s);
    *to = model_fallback(m);
    if (model_switches_left(m) == 0) {
        const bool was_used = m->is_cap_used && m->day_end > m->now;
        return on == *to || was_used ? MODEL_CAPPED : MODEL_SWITCH;
    }
    unsigned candidates = 0;
    for (uint8_t i = 0; i < m->factory->slot_count; i++)
        candidates += is_candidate(m, i);
    // Fallback ignores no_disable; a rotation does not.
    const bool is_held = (m->slots[on].marks & SLOT_MARK_NO_DISABLE) != 0;
    uint8_t next = is_held ? MODEL_NONE : next_in_round(m, s->tried);
    if (!is_held && next == MODEL_NONE && candidates > 1 && s->round < m->parameters.rounds_max) {
        s->round++;
        memset(s->tried, 0, sizeof s->tried);
        next = next_in_round(m, s->tried);
    }
    if (next != MODEL_NONE)
        *to = next;
    else if (on == *to)
        return MODEL_EXHAUSTED;
    return MODEL_SWITCH;
}

// --- beginning -------------------------------------------------------------------------------

static void count(struct model_card *m)
{
    if (m->day_end <= m->now) {
        m->day_end = m->now + DAY_S;
        m->switches = 0;
        m->is_capped = m->is_cap_used = false;
    }
    m->is_cap_used |= m->switches >= m->parameters.switches_per_day;
    m->switches += m->switches < 255;
}

static void open_switch(struct model_card *m, enum switch_reason reason, uint8_t from, uint8_t to,
                        uint32_t operation_id)
{
    m->open = (struct model_switch){.phase = JOURNAL_PREPARED,
                                    .reason = (uint8_t)reason,
                                    .from = from,
                                    .to = to,
                                    .operation_id = operation_id};
    m->state = SWITCH_SWITCHING;
    m->tries = 0;
    m->is_changed = true;
    model_wait(m, MODEL_T_REFRESH, 0);
}

void model_order(struct model_card *m, const struct command *c, uint8_t to, bool by_message)
{
    open_switch(m, REASON_COMMAND, model_enabled(m), to, c->operation_id);
    m->search = (struct model_search){.is_open = false};
    m->open.may_roll_back = (c->flags & COMMAND_FLAG_ROLLBACK) != 0;
    m->open.takes_fallback =
        c->number == COMMAND_DOWNLOAD && (c->flags & COMMAND_FLAG_SET_FALLBACK) != 0;
    if (by_message)
        model_wait(m, MODEL_ANSWER, ANSWER_S);
    else
        model_wait(m, MODEL_T_REFRESH, m->parameters.refresh_s);
}

static void switch_to(struct model_card *m, uint8_t to, const struct model_search *search)
{
    const bool is_rotation = to != model_fallback(m);
    m->search = *search;
    count(m);
    open_switch(m, is_rotation ? REASON_ROTATE : REASON_FALLBACK, model_enabled(m), to, 0);
}

static void tell_cap(struct model_card *m)
{
    if (m->is_capped)
        return;
    m->is_capped = true;
    const struct subscription_name on = model_name(m, model_enabled(m));
    model_queue(m, NOTIFY_SWITCH_CAP, on, on, 0);
}

// --- ending ----------------------------------------------------------------------------------

static void close_switch(struct model_card *m)
{
    m->open = (struct model_switch){.phase = JOURNAL_NONE};
    m->is_changed = true;
}

static void report(struct model_card *m, enum notify_cause cause)
{
    const struct model_switch *o = &m->open;
    const bool is_of_search = o->operation_id == 0 && m->search.is_open;
    model_queue(m, cause, model_name(m, is_of_search ? m->search.origin : o->from),
                model_name(m, o->to), o->operation_id);
}

static enum notify_cause cause_of(uint8_t reason)
{
    static const enum notify_cause causes[] = {
        [REASON_COMMAND] = NOTIFY_ENABLED, [REASON_ROTATE] = NOTIFY_ROTATED,
        [REASON_COUNTRY] = NOTIFY_COUNTRY, [REASON_FALLBACK] = NOTIFY_FALLBACK,
        [REASON_RETURN] = NOTIFY_RETURNED, [REASON_ROLLBACK] = NOTIFY_ROLLED_BACK,
    };
    return causes[reason];
}

// When to go back: doubled for each return that failed, a tenth more or less.
struct model_time model_return_time(const struct model_card *m)
{
    uint32_t base = m->parameters.return_s;
    const uint32_t most = base > WEEK_S ? base : WEEK_S;
    if (base == 0)
        return (struct model_time){.is_on = false};
    for (unsigned i = 0; i < m->return_doublings && base < most; i++)
        base *= 2;
    base = base < most ? base : most;
    return (struct model_time){true, m->now + base - base / 10, m->now + base + base / 10};
}

// After an automatic switch: when to go back.
static void plan_return(struct model_card *m, uint8_t reason)
{
    const struct parameters *p = &m->parameters;
    m->back.is_on = m->reuse.is_on = false;
    if (model_enabled(m) == m->preferred) {
        m->is_automatic = false;
        m->return_doublings = 0;
    } else if (reason != REASON_ROLLBACK) {
        m->is_automatic = true;
    }
    if (!m->is_automatic)
        return;
    m->back = model_return_time(m);
    if (p->reuse_limit_d != 0)
        m->reuse = (struct model_time){true, m->now + p->reuse_limit_d * DAY_S,
                                       m->now + p->reuse_limit_d * DAY_S};
    m->has_country |= m->has_plmn;
    if (m->has_plmn) {
        m->country[0] = m->plmn[0];
        m->country[1] = m->plmn[1] & 0x0F;
    }
}

static void leave_search(struct model_card *m)
{
    const struct model_search was = m->search;
    m->is_changed |= was.is_open || was.is_exhausted || was.is_paused || was.pauses > 0;
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++)
        m->is_changed |= was.failed[i];
    m->search = (struct model_search){.is_open = false};
    if (was.is_exhausted)
        model_queue(m, NOTIFY_EXHAUSTED, model_name(m, was.origin), model_name(m, model_enabled(m)),
                    0);
}

static void cool_down(struct model_card *m)
{
    const uint32_t end = m->now + m->parameters.cool_s;
    m->cool[m->open.to] = (struct model_time){m->parameters.cool_s > 0, end, end};
}

static void pause(struct model_card *m)
{
    if (m->open.phase != JOURNAL_NONE) {
        const uint8_t reason = m->open.reason;
        if (reason == REASON_ROTATE || reason == REASON_COUNTRY)
            cool_down(m);
        report(m, cause_of(reason));
        plan_return(m, reason);
        close_switch(m);
    }
    struct model_search *s = &m->search;
    if (!s->is_open && !s->is_exhausted)
        s->origin = model_enabled(m);
    const uint32_t most = m->parameters.backoff_max_h * 3600u;
    uint32_t seconds = m->parameters.backoff_base_min * 60u;
    for (unsigned i = 0; i < s->pauses && seconds < most; i++)
        seconds *= 2;
    seconds = seconds < most ? seconds : most;
    s->pauses += s->pauses < NO_PAUSE_LONGER;
    s->is_open = false;
    s->is_paused = s->is_exhausted = true;
    s->pause_due = m->now + seconds;
    m->state = SWITCH_BACKOFF;
    m->is_changed = true;
    model_wait(m, MODEL_PAUSE, seconds);
    if (model_switches_left(m) == 0)
        tell_cap(m);
}

// A rejection of the subscription itself makes waiting useless.
static void condemned(struct model_card *m)
{
    m->is_cause_final = false;
    m->clock = (struct model_time){.is_on = true}; // over at once
}

static void outage(struct model_card *m)
{
    const bool is_limited = m->has_service && m->service == CAT_SERVICE_LIMITED;
    m->state = SWITCH_SUSPECT;
    model_wait(m, MODEL_OUTAGE, is_limited ? m->parameters.limited_s : m->parameters.no_service_s);
    if (m->is_cause_final)
        condemned(m);
}

static void pause_again(struct model_card *m)
{
    struct model_search *s = &m->search;
    s->pause_due = s->pause_due > TICK_S ? s->pause_due - TICK_S : 0;
    m->is_changed = true;
    m->state = SWITCH_BACKOFF;
    model_wait(m, MODEL_PAUSE, s->pause_due > m->now ? s->pause_due - m->now : 0);
}

// The first word on service after a start is that there is none.
static void begin_without(struct model_card *m)
{
    if (m->search.is_paused)
        pause_again(m);
    else
        outage(m);
}

// --- service ---------------------------------------------------------------------------------

static void serve_probation(struct model_card *m)
{
    struct model_switch *o = &m->open;
    if (m->terminal_on != o->to)
        return; // still on the former one
    m->slots[o->to].is_proven = true;
    m->is_changed = true;
    wait_no_more(m);
    if (o->reason != REASON_COMMAND) {
        report(m, cause_of(o->reason));
        plan_return(m, o->reason);
        close_switch(m);
        m->state = SWITCH_STABLE;
        leave_search(m);
        return;
    }
    report(m, NOTIFY_ENABLED);
    struct model_note *n = &m->notes[m->note_count - 1];
    n->takes_fallback = o->takes_fallback;
    o->sequence = n->sequence;
    o->phase = JOURNAL_CONFIRMING;
    o->sendings = 1;
    m->state = SWITCH_CONFIRMING;
    model_sending(m, 0);
}

void model_feed_normal(struct model_card *m)
{
    switch ((enum switch_state)m->state) {
    case SWITCH_STARTING:
    case SWITCH_SUSPECT:
    case SWITCH_BACKOFF:
        wait_no_more(m);
        m->is_cause_final = false;
        m->state = SWITCH_STABLE;
        leave_search(m);
        break;
    case SWITCH_PROBATION:
        serve_probation(m);
        break;
    case SWITCH_STABLE:
    case SWITCH_SWITCHING:
    case SWITCH_CONFIRMING:
        break;
    }
}

void model_feed_not_normal(struct model_card *m)
{
    if (m->state == SWITCH_STARTING) {
        begin_without(m);
    } else if (m->state == SWITCH_STABLE) {
        outage(m);
    } else if (m->state == SWITCH_SUSPECT && m->wait == MODEL_OUTAGE && m->clock.is_on) {
        // One outage clock, two limits: what has passed of it the driver knows.
        const uint32_t limit = m->service == CAT_SERVICE_LIMITED ? m->parameters.limited_s
                                                                 : m->parameters.no_service_s;
        m->clock.min_s = m->clock.max_s == limit ? m->clock.min_s : 0;
        m->clock.max_s = limit;
    }
}

void model_rejection(struct model_card *m, uint8_t cause)
{
    m->has_reject = true;
    m->reject = cause;
    if (cause != 2 && cause != 3 && cause != 8)
        return;
    m->is_cause_final = true;
    if (m->state == SWITCH_STARTING)
        begin_without(m);
    else if (m->state == SWITCH_SUSPECT && m->wait == MODEL_OUTAGE)
        condemned(m);
    else if (m->state == SWITCH_PROBATION && m->terminal_on == m->open.to)
        condemned(m);
    model_settle(m);
}

// --- waits that are over ---------------------------------------------------------------------

static void search_on(struct model_card *m)
{
    uint8_t to = 0;
    struct model_search s;
    if (m->state == SWITCH_BACKOFF && !may_select(m)) {
        pause(m);
        return;
    }
    switch (model_choose(m, MODEL_NONE, &to, &s)) {
    case MODEL_SWITCH:
        switch_to(m, to, &s);
        break;
    case MODEL_EXHAUSTED:
        pause(m);
        break;
    case MODEL_CAPPED:
        if (m->state == SWITCH_BACKOFF) {
            pause(m);
            break;
        }
        m->wait = MODEL_DAY;
        m->clock.is_on = false;
        tell_cap(m);
        break;
    case MODEL_OFF:
        break;
    }
}

static void end_outage(struct model_card *m)
{
    if (!may_select(m))
        return;
    if (m->wait == MODEL_OUTAGE && m->parameters.jitter_max_s > 0) {
        m->wait = MODEL_JITTER;
        m->clock = (struct model_time){.is_on = true, .max_s = m->parameters.jitter_max_s};
        return;
    }
    search_on(m);
}

static void end_attach(struct model_card *m)
{
    const struct model_switch o = m->open;
    uint8_t to = 0;
    struct model_search s;
    if (o.reason == REASON_COMMAND && o.may_roll_back) {
        open_switch(m, REASON_ROLLBACK, o.to, o.from, o.operation_id);
        m->notify.is_on = false;
        m->attempt = 0;
    } else if (o.reason == REASON_COMMAND) {
        report(m, NOTIFY_ENABLED);
        m->notes[m->note_count - 1].takes_fallback = o.takes_fallback;
        close_switch(m);
        outage(m);
    } else if (o.reason == REASON_ROLLBACK && o.to != model_fallback(m)) {
        open_switch(m, REASON_FALLBACK, o.from, model_fallback(m), o.operation_id);
    } else if (o.reason == REASON_ROLLBACK || o.reason == REASON_FALLBACK) {
        pause(m);
    } else if (o.reason == REASON_RETURN) {
        m->return_doublings += m->return_doublings < 255;
        count(m);
        m->search = (struct model_search){.is_open = true, .origin = o.from, .round = 1};
        m->search.tried[o.from] = m->search.tried[o.to] = m->search.failed[o.to] = true;
        open_switch(m, REASON_ROTATE, o.from, o.from, 0);
    } else if (model_choose(m, o.to, &to, &s) == MODEL_SWITCH) {
        cool_down(m);
        switch_to(m, to, &s);
    } else {
        pause(m);
    }
}

static void want_refresh(struct model_card *m)
{
    m->wants_refresh = true;
    model_wait(m, MODEL_FETCH, FETCH_S);
}

static void probation(struct model_card *m)
{
    m->wants_refresh = false;
    m->state = SWITCH_PROBATION;
    model_wait(m, MODEL_ATTACH, m->parameters.attach_s);
    // The terminal may never have left it.
    if (m->terminal_on == m->open.to && model_is_normal(m))
        serve_probation(m);
}

static void refused(struct model_card *m)
{
    const uint8_t reason = m->open.reason;
    m->wants_refresh = false;
    if (m->tries + 1 < TRIES) {
        m->tries++;
        model_wait(m, MODEL_RETRY, RETRY_S);
    } else if (reason == REASON_ROLLBACK || reason == REASON_FALLBACK) {
        probation(m); // what was left has no service: the next start takes the new one
    } else {
        model_enable(m, m->open.from);
        report(m, NOTIFY_SWITCH_FAILED);
        close_switch(m);
        wait_no_more(m);
        m->state = SWITCH_STABLE;
        if (!model_is_normal(m))
            outage(m);
    }
}

static void return_now(struct model_card *m, bool is_country);

static void over(struct model_card *m)
{
    m->clock.is_on = false;
    switch ((enum model_wait)m->wait) {
    case MODEL_NOTHING:
        break;
    case MODEL_FIRST_STATUS:
        begin_without(m);
        break;
    case MODEL_OUTAGE:
    case MODEL_JITTER:
    case MODEL_DAY:
        end_outage(m);
        break;
    case MODEL_JITTER_COUNTRY:
    case MODEL_JITTER_RETURN:
        return_now(m, m->wait == MODEL_JITTER_COUNTRY);
        break;
    case MODEL_ANSWER:
        model_wait(m, MODEL_T_REFRESH, m->parameters.refresh_s);
        break;
    case MODEL_T_REFRESH:
        model_enable(m, m->open.to);
        m->open.phase = JOURNAL_SWITCHED;
        m->open.starts = 0;
        m->is_changed = true;
        want_refresh(m);
        break;
    case MODEL_FETCH:
        refused(m);
        break;
    case MODEL_TAKE:
        probation(m);
        break;
    case MODEL_RETRY:
        want_refresh(m);
        break;
    case MODEL_ATTACH:
        end_attach(m);
        break;
    case MODEL_PAUSE:
        search_on(m);
        break;
    }
}

void model_settle(struct model_card *m)
{
    model_commit(m);
    for (unsigned i = 0; i < 16; i++) {
        if (m->clock.is_on && m->clock.max_s == 0)
            over(m);
        else if (m->notify.is_on && m->notify.max_s == 0)
            model_notify(m);
        else if (m->country_clock.is_on && m->country_clock.max_s == 0)
            model_country(m);
        model_commit(m);
    }
}

void model_clock(struct model_card *m)
{
    over(m);
    model_settle(m);
}

void model_day(struct model_card *m)
{
    if (m->state == SWITCH_SUSPECT && m->wait == MODEL_DAY)
        end_outage(m);
}

// --- countries and returns -------------------------------------------------------------------

static bool can_return(const struct model_card *m)
{
    const uint8_t on = model_enabled(m);
    const bool is_held = (m->slots[on].marks & SLOT_MARK_NO_DISABLE) != 0;
    return may_select(m) && m->is_automatic && m->preferred != MODEL_NONE && m->preferred != on &&
           !is_held && !model_forbids(m, m->preferred) && model_prefers(m) != on &&
           model_switches_left(m) >= 2; // and one to go back
}

void model_return(struct model_card *m)
{
    if (m->state != SWITCH_STABLE || m->wait != MODEL_NOTHING || !can_return(m))
        return;
    m->wait = MODEL_JITTER_RETURN;
    m->clock = (struct model_time){.is_on = true, .max_s = m->parameters.jitter_max_s};
}

static void return_now(struct model_card *m, bool is_country)
{
    const uint8_t on = model_enabled(m);
    const uint8_t to = is_country ? model_prefers(m) : m->preferred;
    const bool is_held = (m->slots[on].marks & SLOT_MARK_NO_DISABLE) != 0;
    wait_no_more(m);
    const bool can = is_country ? may_select(m) && !is_held && to != MODEL_NONE && to != on &&
                                      m->cool[to].max_s <= m->now && model_switches_left(m) >= 1
                                : can_return(m);
    if (!can)
        return;
    count(m);
    open_switch(m, is_country ? REASON_COUNTRY : REASON_RETURN, on, to, 0);
}

// --- what the terminal does ------------------------------------------------------------------

void model_answer_sent(struct model_card *m)
{
    if (m->state == SWITCH_SWITCHING && m->wait == MODEL_ANSWER)
        model_wait(m, MODEL_T_REFRESH, m->parameters.refresh_s);
    model_settle(m);
}

void model_refresh_fetched(struct model_card *m)
{
    m->wants_refresh = false;
    if (m->state == SWITCH_SWITCHING)
        model_wait(m, MODEL_TAKE, FETCH_S);
}

void model_refresh_answered(struct model_card *m, bool is_done)
{
    if (m->state == SWITCH_SWITCHING && is_done)
        probation(m);
    else if (m->state == SWITCH_SWITCHING)
        refused(m);
    model_settle(m);
}

void model_imsi_read(struct model_card *m)
{
    if (m->state != SWITCH_SWITCHING && m->state != SWITCH_PROBATION)
        return;
    const bool is_new = m->terminal_on != model_enabled(m);
    m->terminal_on = model_enabled(m);
    if (is_new)
        m->has_service = m->is_cause_final = false;
    if (m->state == SWITCH_SWITCHING && m->wait == MODEL_TAKE)
        probation(m);
    model_settle(m);
}

void model_confirmed(struct model_card *m)
{
    close_switch(m);
    wait_no_more(m);
    m->state = SWITCH_STABLE;
    if (!model_is_normal(m))
        outage(m);
}

void model_unconfirmed(struct model_card *m)
{
    if (m->open.may_roll_back) {
        end_attach(m);
        return;
    }
    close_switch(m);
    wait_no_more(m);
    m->state = SWITCH_STABLE;
    if (!model_is_normal(m))
        outage(m);
}
