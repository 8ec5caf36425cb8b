#include "applet/switching.h"

#define STARTS_MAX 5
#define TRIES_MAX 3

const uint8_t *guard_plmn(const struct turn *t)
{
    return t->a->has_plmn ? t->a->plmn : NULL;
}

struct plan guard_plan(const struct turn *t)
{
    bool is_trying = t->image->journal.phase != JOURNAL_NONE;
    uint8_t failed = is_trying ? t->image->journal.to : IMAGE_NO_SLOT;
    return select_next(t->image, t->a->now_s, failed, guard_plmn(t));
}

bool guard_prepared_late(const struct turn *t)
{
    return t->a->is_late && guard_prepared(t);
}

bool guard_prepared(const struct turn *t)
{
    return t->image->journal.phase == JOURNAL_PREPARED;
}

bool guard_switched(const struct turn *t)
{
    return t->image->journal.phase == JOURNAL_SWITCHED;
}

bool guard_last_start(const struct turn *t)
{
    return guard_switched(t) && t->image->journal.starts + 1 >= STARTS_MAX;
}

bool guard_confirming(const struct turn *t)
{
    return t->image->journal.phase == JOURNAL_CONFIRMING;
}

bool guard_paused(const struct turn *t)
{
    return t->image->search.is_paused;
}

bool guard_selection_off(const struct turn *t)
{
    bool can =
        (t->a->terminal & TERMINAL_REFRESH) != 0 && (t->a->terminal & TERMINAL_NO_SELECTION) == 0;
    return !can || t->image->parameters.auto_mode == 0;
}

bool guard_wants_jitter(const struct turn *t)
{
    return t->a->wait == WAIT_OUTAGE && t->image->parameters.jitter_max_s > 0;
}

bool guard_has_candidate(const struct turn *t)
{
    return !guard_selection_off(t) && guard_plan(t).kind == PLAN_SWITCH;
}

// A switch is open: the terminal could do it, and the journal does not wait for its profile.
bool guard_has_next(const struct turn *t)
{
    return guard_plan(t).kind == PLAN_SWITCH;
}

bool guard_waits_outage(const struct turn *t)
{
    return t->a->wait == WAIT_OUTAGE;
}

bool guard_is_exhausted(const struct turn *t)
{
    return guard_plan(t).kind == PLAN_PAUSE;
}

bool guard_is_waiting_for_day(const struct turn *t)
{
    return t->a->wait == WAIT_DAY;
}

// Only fallback and rollback leave a subscription that must not be disabled.
static bool is_held(const struct image *m)
{
    return (m->slots[image_enabled(m)].marks & SLOT_MARK_NO_DISABLE) != 0;
}

bool guard_can_prefer(const struct turn *t)
{
    if (is_held(t->image))
        return false;
    uint8_t slot = select_preferred_here(t->image, guard_plmn(t));
    return !guard_selection_off(t) && slot != IMAGE_NO_SLOT && slot != image_enabled(t->image) &&
           t->image->dues.cool[slot] <= t->a->now_s && select_has_room(t->image, t->a->now_s, 1);
}

static bool can_go_home(const struct turn *t)
{
    const struct image *m = t->image;
    uint8_t enabled = image_enabled(m);
    if (guard_selection_off(t) || !m->is_automatic || m->preferred == IMAGE_NO_SLOT ||
        m->preferred == enabled || is_held(m))
        return false;
    if (select_is_forbidden(m, m->preferred, guard_plmn(t)) ||
        select_preferred_here(m, guard_plmn(t)) == enabled)
        return false;
    // One to return, and one to go back if that fails.
    return select_has_room(m, t->a->now_s, 2);
}

// A return that is under way is not begun again, and a switch for the country goes first.
bool guard_can_return(const struct turn *t)
{
    return t->a->wait == WAIT_NONE && can_go_home(t);
}

bool guard_may_prefer(const struct turn *t)
{
    return t->a->wait == WAIT_JITTER_COUNTRY && guard_can_prefer(t);
}

bool guard_may_return(const struct turn *t)
{
    return t->a->wait == WAIT_JITTER_RETURN && can_go_home(t);
}

bool guard_waits_answer(const struct turn *t)
{
    return t->a->wait == WAIT_ANSWER;
}

bool guard_waits_fetch(const struct turn *t)
{
    return t->a->wait == WAIT_FETCH;
}

bool guard_was_fetched(const struct turn *t)
{
    return t->a->wait == WAIT_TAKE;
}

bool guard_wants_retry(const struct turn *t)
{
    if (t->a->wait == WAIT_RETRY)
        return true;
    return t->a->wait != WAIT_PAUSE && t->a->tries + 1 < TRIES_MAX;
}

bool guard_must_leave(const struct turn *t)
{
    uint8_t reason = t->image->journal.reason;
    return reason == REASON_ROLLBACK || reason == REASON_FALLBACK;
}

bool guard_has_service(const struct turn *t)
{
    return t->a->has_service && t->a->service == CAT_SERVICE_NORMAL;
}

bool guard_is_there(const struct turn *t)
{
    return t->a->terminal_slot == t->image->journal.to;
}

bool guard_is_elsewhere(const struct turn *t)
{
    return !guard_is_there(t);
}

bool guard_commanded(const struct turn *t)
{
    return t->image->journal.reason == REASON_COMMAND;
}

bool guard_may_roll_back(const struct turn *t)
{
    return guard_commanded(t) && t->image->journal.may_roll_back;
}

bool guard_can_fall_back(const struct turn *t)
{
    const struct journal *j = &t->image->journal;
    return j->reason == REASON_ROLLBACK && j->to != image_fallback(t->image);
}

bool guard_ends_in_pause(const struct turn *t)
{
    uint8_t reason = t->image->journal.reason;
    return reason == REASON_ROLLBACK || reason == REASON_FALLBACK;
}

bool guard_returning(const struct turn *t)
{
    return t->image->journal.reason == REASON_RETURN;
}
