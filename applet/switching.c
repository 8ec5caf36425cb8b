#include "applet/switching.h"

#include "applet/clocks.h"
#include "applet/notify.h"
#include "applet/toolkit.h"

#define ANSWER_S 30
#define FETCH_S 60
#define RETRY_S 30
#define DAY_S 86400u
#define PAUSES_MAX 16

static bool is_normal(const struct turn *t)
{
    return guard_has_service(t);
}

// --- pieces of actions ---

static void close_journal(struct turn *t)
{
    memset(&t->image->journal, 0, sizeof t->image->journal);
    t->is_changed = true;
}

static void wait_for(struct turn *t, enum rule_wait wait, uint32_t seconds)
{
    t->a->wait = (uint8_t)wait;
    clock_set(t->a, CLOCK_STATE, seconds);
}

static void stop_waiting(struct turn *t)
{
    t->a->wait = WAIT_NONE;
    clock_stop(t->a, CLOCK_STATE);
}

static void count_switch(struct turn *t)
{
    struct image *m = t->image;
    if (m->dues.day <= t->a->now_s) {
        m->dues.day = t->a->now_s + DAY_S;
        m->switches = 0;
        m->is_capped = false;
        m->is_cap_used = false;
    }
    if (m->switches >= m->parameters.switches_per_day)
        m->is_cap_used = true;
    if (m->switches < UINT8_MAX)
        m->switches++;
}

// Opens the journal; the switch itself follows in a commit of its own.
static void open_journal(struct turn *t, enum switch_reason reason, uint8_t from, uint8_t to)
{
    struct journal *j = &t->image->journal;
    uint32_t operation_id =
        reason == REASON_ROLLBACK || reason == REASON_FALLBACK ? j->operation_id : 0;
    *j = (struct journal){
        .phase = JOURNAL_PREPARED,
        .reason = (uint8_t)reason,
        .from = from,
        .to = to,
        .operation_id = operation_id,
    };
    t->is_changed = true;
    t->a->tries = 0;
    wait_for(t, WAIT_PAUSE, 0);
}

// Plans for return once an automatic switch is done.
static void settle(struct turn *t, uint8_t reason)
{
    struct image *m = t->image;
    struct dues *d = &m->dues;
    bool is_home = image_enabled(m) == m->preferred;
    if (is_home) {
        m->is_automatic = false;
        m->return_doublings = 0;
    } else if (reason != REASON_ROLLBACK) {
        m->is_automatic = true;
    }
    d->back = 0;
    d->reuse = 0;
    if (!m->is_automatic)
        return;
    if (m->parameters.return_s != 0)
        d->back = t->a->now_s + select_return_s(m, t->port->random(t->port->context));
    if (m->parameters.reuse_limit_d != 0)
        d->reuse = t->a->now_s + m->parameters.reuse_limit_d * DAY_S;
    if (t->a->has_plmn) {
        m->country[0] = t->a->plmn[0];
        m->country[1] = t->a->plmn[1] & 0x0F;
    }
}

static enum notify_cause cause_of(uint8_t reason)
{
    switch ((enum switch_reason)reason) {
    case REASON_NONE:
    case REASON_COMMAND:
        return NOTIFY_ENABLED;
    case REASON_ROTATE:
        return NOTIFY_ROTATED;
    case REASON_COUNTRY:
        return NOTIFY_COUNTRY;
    case REASON_FALLBACK:
        return NOTIFY_FALLBACK;
    case REASON_RETURN:
        return NOTIFY_RETURNED;
    case REASON_ROLLBACK:
        return NOTIFY_ROLLED_BACK;
    }
    return NOTIFY_ENABLED;
}

// The notification that tells how the open switch ended. `from` is what the server knew last.
static void report(struct turn *t, enum notify_cause cause)
{
    const struct image *m = t->image;
    const struct journal *j = &m->journal;
    bool is_own = j->operation_id != 0 || !m->search.is_open;
    uint8_t from = is_own ? j->from : m->search.origin;
    notify_queue(t, cause, image_name(m, from), image_name(m, j->to), j->operation_id);
}

static void begin_outage(struct turn *t)
{
    bool is_limited = t->a->has_service && t->a->service == CAT_SERVICE_LIMITED;
    const struct parameters *p = &t->image->parameters;
    t->a->outage_s = is_limited ? p->limited_s : p->no_service_s;
    wait_for(t, WAIT_OUTAGE, t->a->outage_s);
    if (t->a->is_cause_final)
        turn_next(t, EVENT_CONDEMNED);
}

// --- starts ---

void action_await_status(struct turn *t)
{
    wait_for(t, WAIT_FIRST_STATUS, t->image->parameters.no_service_s);
}

static void start_attach(struct turn *t)
{
    wait_for(t, WAIT_ATTACH, t->image->parameters.attach_s);
}

void action_recover(struct turn *t)
{
    struct journal *j = &t->image->journal;
    image_enable(t->image, j->to);
    t->a->terminal_slot = j->to;
    j->phase = JOURNAL_SWITCHED;
    j->starts = 1;
    t->is_changed = true;
    start_attach(t);
    // The outcome of a command says it all by itself.
    if (j->operation_id == 0)
        notify_queue(t, NOTIFY_RECOVERED, image_name(t->image, j->from),
                     image_name(t->image, j->to), 0);
}

void action_resume_probation(struct turn *t)
{
    t->image->journal.starts++;
    t->is_changed = true;
    start_attach(t);
}

void action_last_start(struct turn *t)
{
    turn_next(t, EVENT_CLOCK);
}

void action_resume_confirming(struct turn *t)
{
    stop_waiting(t);
    notify_resume(t);
}

// --- outages ---

void action_normal(struct turn *t)
{
    struct image *m = t->image;
    stop_waiting(t);
    if (m->search.is_exhausted) {
        uint8_t enabled = image_enabled(m);
        notify_queue(t, NOTIFY_EXHAUSTED, image_name(m, m->search.origin), image_name(m, enabled),
                     0);
    }
    const struct search none = {.is_open = false};
    bool is_idle = !m->search.is_open && !m->search.is_exhausted && m->search.pauses == 0 &&
                   m->search.failed == 0;
    if (!is_idle || m->search.is_paused) {
        m->search = none;
        t->is_changed = true;
    }
}

void action_outage(struct turn *t)
{
    begin_outage(t);
}

// There is one outage clock: the time without normal service counts, of whatever kind it was.
void action_limit(struct turn *t)
{
    struct applet *a = t->a;
    if (a->wait != WAIT_OUTAGE || !clock_is_on(a, CLOCK_STATE))
        return;
    const struct parameters *p = &t->image->parameters;
    uint16_t limit = a->service == CAT_SERVICE_LIMITED ? p->limited_s : p->no_service_s;
    if (limit == a->outage_s)
        return;
    uint32_t left = a->clocks[CLOCK_STATE].left_s - clock_elapsed(a, CLOCK_STATE);
    uint32_t elapsed = a->outage_s - left;
    a->outage_s = limit;
    clock_set(a, CLOCK_STATE, limit > elapsed ? limit - elapsed : 0);
}

static void wait_at_random(struct turn *t, enum rule_wait wait)
{
    uint32_t span = t->image->parameters.jitter_max_s + 1u;
    wait_for(t, wait, span > 1 ? t->port->random(t->port->context) % span : 0);
}

void action_jitter(struct turn *t)
{
    wait_at_random(t, WAIT_JITTER);
}

void action_jitter_country(struct turn *t)
{
    wait_at_random(t, WAIT_JITTER_COUNTRY);
}

void action_jitter_return(struct turn *t)
{
    wait_at_random(t, WAIT_JITTER_RETURN);
}

void action_stop_waiting(struct turn *t)
{
    stop_waiting(t);
}

// Once a day.
static void tell_cap(struct turn *t)
{
    if (t->image->is_capped)
        return;
    t->image->is_capped = true;
    uint8_t enabled = image_enabled(t->image);
    notify_queue(t, NOTIFY_SWITCH_CAP, image_name(t->image, enabled), image_name(t->image, enabled),
                 0);
}

void action_cap(struct turn *t)
{
    t->a->wait = WAIT_DAY;
    tell_cap(t);
}

void action_end_wait(struct turn *t)
{
    clock_stop(t->a, CLOCK_STATE);
    t->a->is_cause_final = false;
    turn_next(t, EVENT_CLOCK);
}

// --- beginning a switch ---

void action_prepare(struct turn *t)
{
    const struct search none = {.is_open = false};
    struct image *m = t->image;
    open_journal(t, REASON_COMMAND, image_enabled(m), t->order.to);
    m->search = none;
    m->journal.may_roll_back = t->order.may_roll_back;
    m->journal.set_fallback = t->order.set_fallback;
    m->journal.operation_id = t->order.operation_id;
    if (t->answers_by_message)
        wait_for(t, WAIT_ANSWER, ANSWER_S);
    else
        wait_for(t, WAIT_PAUSE, m->parameters.refresh_s);
}

static void begin_planned(struct turn *t, const struct plan *plan)
{
    t->image->search = plan->search;
    count_switch(t);
    open_journal(t, (enum switch_reason)plan->reason, image_enabled(t->image), plan->slot);
}

void action_begin_plan(struct turn *t)
{
    struct plan plan = guard_plan(t);
    begin_planned(t, &plan);
}

// The candidate that was tried in vain is left alone in the next outage.
static void cool_down(struct turn *t)
{
    uint32_t cool_s = t->image->parameters.cool_s;
    t->image->dues.cool[t->image->journal.to] = cool_s > 0 ? t->a->now_s + cool_s : 0;
}

void action_begin_next(struct turn *t)
{
    struct plan plan = guard_plan(t);
    cool_down(t);
    begin_planned(t, &plan);
}

void action_begin_country(struct turn *t)
{
    uint8_t to = select_preferred_here(t->image, guard_plmn(t));
    count_switch(t);
    open_journal(t, REASON_COUNTRY, image_enabled(t->image), to);
}

void action_begin_return(struct turn *t)
{
    count_switch(t);
    open_journal(t, REASON_RETURN, image_enabled(t->image), t->image->preferred);
}

// --- carrying it out ---

void action_pause_before(struct turn *t)
{
    wait_for(t, WAIT_PAUSE, t->image->parameters.refresh_s);
}

static void want_refresh(struct turn *t)
{
    t->a->todo |= TODO_REFRESH;
    wait_for(t, WAIT_FETCH, FETCH_S);
}

void action_switch(struct turn *t)
{
    struct journal *j = &t->image->journal;
    image_enable(t->image, j->to);
    j->phase = JOURNAL_SWITCHED;
    t->is_changed = true;
    want_refresh(t);
}

void action_refresh(struct turn *t)
{
    want_refresh(t);
}

void action_not_fetched(struct turn *t)
{
    turn_next(t, EVENT_REFUSED);
}

void action_retry(struct turn *t)
{
    t->a->todo &= (uint16_t)~TODO_REFRESH;
    t->a->tries++;
    wait_for(t, WAIT_RETRY, RETRY_S);
}

void action_probation(struct turn *t)
{
    t->a->todo &= (uint16_t)~TODO_REFRESH;
    start_attach(t);
    // A terminal that never left the subscription that is put back needs no start to be on it.
    if (guard_is_there(t) && is_normal(t))
        turn_next(t, EVENT_NORMAL);
}

void action_put_back(struct turn *t)
{
    t->a->todo &= (uint16_t)~TODO_REFRESH;
    stop_waiting(t);
    image_enable(t->image, t->image->journal.from);
    report(t, NOTIFY_SWITCH_FAILED);
    close_journal(t);
}

void action_put_back_without(struct turn *t)
{
    action_put_back(t);
    begin_outage(t);
}

// --- how it ends ---

static void prove(struct turn *t)
{
    t->image->slots[t->image->journal.to].is_proven = true;
}

void action_await_confirm(struct turn *t)
{
    struct journal *j = &t->image->journal;
    prove(t);
    stop_waiting(t);
    report(t, NOTIFY_ENABLED);
    uint8_t last = (uint8_t)(t->image->pending_count - 1);
    t->image->pending[last].set_fallback = j->set_fallback;
    j->sequence = t->image->pending[last].sequence;
    j->phase = JOURNAL_CONFIRMING;
    j->attempt = 1;
    notify_begin(t, 0);
}

void action_served(struct turn *t)
{
    struct image *m = t->image;
    prove(t);
    stop_waiting(t);
    report(t, cause_of(m->journal.reason));
    settle(t, m->journal.reason);
    close_journal(t);
    const struct search none = {.is_open = false};
    bool is_exhausted = m->search.is_exhausted;
    uint8_t origin = m->search.origin;
    m->search = none;
    if (is_exhausted)
        notify_queue(t, NOTIFY_EXHAUSTED, image_name(m, origin), image_name(m, image_enabled(m)),
                     0);
}

void action_roll_back(struct turn *t)
{
    struct journal *j = &t->image->journal;
    clock_stop(t->a, CLOCK_NOTIFY);
    t->a->notify_attempt = 0;
    open_journal(t, REASON_ROLLBACK, j->to, j->from);
}

static void keep(struct turn *t)
{
    report(t, NOTIFY_ENABLED);
    uint8_t last = (uint8_t)(t->image->pending_count - 1);
    t->image->pending[last].set_fallback = t->image->journal.set_fallback;
    close_journal(t);
}

void action_keep(struct turn *t)
{
    keep(t);
    begin_outage(t);
}

void action_keep_unconfirmed(struct turn *t)
{
    stop_waiting(t);
    close_journal(t);
}

void action_keep_without(struct turn *t)
{
    close_journal(t);
    begin_outage(t);
}

void action_fall_back(struct turn *t)
{
    const struct journal *j = &t->image->journal;
    open_journal(t, REASON_FALLBACK, j->from, image_fallback(t->image));
}

void action_go_back(struct turn *t)
{
    struct image *m = t->image;
    uint8_t home = m->journal.to;
    uint8_t left = m->journal.from;
    if (m->return_doublings < UINT8_MAX)
        m->return_doublings++;
    count_switch(t);
    m->search = (struct search){
        .is_open = true,
        .origin = left,
        .round = 1,
        .tried = (uint16_t)(1u << home | 1u << left),
        .failed = (uint16_t)(1u << home),
    };
    open_journal(t, REASON_ROTATE, left, left);
}

void action_pause(struct turn *t)
{
    struct image *m = t->image;
    if (m->journal.phase != JOURNAL_NONE) {
        if (m->journal.reason == REASON_ROTATE || m->journal.reason == REASON_COUNTRY)
            cool_down(t);
        // The card stays where it is; the server learns it when there is service.
        report(t, cause_of(m->journal.reason));
        settle(t, m->journal.reason);
        close_journal(t);
    }
    if (!m->search.is_open && !m->search.is_exhausted)
        m->search.origin = image_enabled(m);
    uint32_t pause_s = select_pause_s(&m->parameters, m->search.pauses);
    if (m->search.pauses < PAUSES_MAX)
        m->search.pauses++;
    m->search.is_exhausted = true;
    m->search.is_paused = true;
    m->search.is_open = false;
    m->search.pause_due = t->a->now_s + pause_s;
    t->is_changed = true;
    wait_for(t, WAIT_BACKOFF, pause_s);
    if (select_is_capped(m, t->a->now_s))
        tell_cap(t);
}

void action_pause_again(struct turn *t)
{
    struct search *s = &t->image->search;
    // The time since the clock was kept is lost. It is made up for by one tick, so that a device
    // that starts again all the time does not stay here for ever.
    s->pause_due = s->pause_due > CLOCK_SLOW_S ? s->pause_due - CLOCK_SLOW_S : 0;
    t->is_changed = true;
    uint32_t now = t->a->now_s;
    wait_for(t, WAIT_BACKOFF, s->pause_due > now ? s->pause_due - now : 0);
}

void action_confirm(struct turn *t)
{
    stop_waiting(t);
    close_journal(t);
}

// --- whatever the state ---

// Normal service was seen: what it means whatever the state.
static void served(struct turn *t)
{
    struct image *m = t->image;
    uint8_t enabled = image_enabled(m);
    bool is_there = t->a->terminal_slot == enabled;
    if (is_there && !m->slots[enabled].is_proven && m->journal.phase == JOURNAL_NONE) {
        m->slots[enabled].is_proven = true;
        t->is_changed = true;
    }
    if (!m->is_contacted) {
        m->is_contacted = true;
        const struct subscription_name none = {.is_given = false};
        notify_queue(t, NOTIFY_FIRST_CONTACT, none, image_name(m, enabled), 0);
    }
}

void switching_country(struct turn *t)
{
    struct applet *a = t->a;
    const struct image *m = t->image;
    a->is_country_stable = true;
    turn_feed(t, EVENT_COUNTRY);
    bool is_abroad = m->country[0] != 0xFF &&
                     (a->plmn[0] != m->country[0] || (a->plmn[1] & 0x0F) != m->country[1]);
    if (a->state == SWITCH_STABLE && m->parameters.return_on_country != 0 && is_abroad)
        turn_feed(t, EVENT_RETURN);
}

void switching_service(struct turn *t, bool was_normal)
{
    const struct applet *a = t->a;
    if (!guard_has_service(t)) {
        turn_feed(t, EVENT_NOT_NORMAL);
        return;
    }
    served(t);
    turn_feed(t, EVENT_NORMAL);
    if (was_normal)
        return;
    // A prefer row or a return that had to wait for a stable state.
    if (a->state == SWITCH_STABLE && a->is_country_stable)
        switching_country(t);
    notify_on_normal(t);
}

void switching_heartbeat_left(struct turn *t)
{
    const uint32_t period_s = t->image->parameters.heartbeat_h * 3600u;
    t->image->dues.heartbeat = period_s != 0 ? t->a->now_s + period_s : 0;
    t->is_changed = true;
}

// A prefer row that could not be followed for want of switches or because its subscription was
// cooling down: once, by the tick that reaches the time at which both are over.
static bool is_prefer_due(const struct turn *t)
{
    const struct applet *a = t->a;
    uint32_t again = a->is_country_stable ? select_prefer_again_s(t->image, guard_plmn(t)) : 0;
    return again != 0 && again <= a->now_s && a->now_s - again < CLOCK_SLOW_S;
}

void switching_due(struct turn *t)
{
    struct applet *a = t->a;
    struct dues *d = &t->image->dues;
    t->is_changed = true; // the clock itself is kept
    // Its time stays until it has left: a start in between finds it due.
    if (d->heartbeat != 0 && d->heartbeat <= a->now_s)
        a->is_heartbeat_due = true;
    if (d->day != 0 && d->day <= a->now_s)
        turn_feed(t, EVENT_DAY);
    if (is_prefer_due(t))
        turn_feed(t, EVENT_COUNTRY);
    bool is_back_due =
        (d->back != 0 && d->back <= a->now_s) || (d->reuse != 0 && d->reuse <= a->now_s);
    if (is_back_due) {
        turn_feed(t, EVENT_RETURN);
        // Not possible now: asked again an hour later.
        d->back = d->back != 0 && d->back <= a->now_s ? a->now_s + 3600 : d->back;
        d->reuse = d->reuse != 0 && d->reuse <= a->now_s ? a->now_s + 3600 : d->reuse;
    }
    if (a->resend_s != 0 && a->resend_s <= a->now_s)
        notify_begin(t, 0);
}
