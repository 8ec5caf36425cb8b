// Guards and actions of the table in rules.c. Guards look; actions change the image and the
// clocks of a turn, and never choose a state.
#pragma once

#include "applet/rules.h"
#include "applet/select.h"

// What guards look at: the network, if known, and the next try.
const uint8_t *guard_plmn(const struct turn *t);
struct plan guard_plan(const struct turn *t);
bool guard_prepared_late(const struct turn *t);
bool guard_prepared(const struct turn *t);
bool guard_switched(const struct turn *t);
bool guard_last_start(const struct turn *t);
bool guard_confirming(const struct turn *t);
bool guard_paused(const struct turn *t);
bool guard_selection_off(const struct turn *t);
bool guard_wants_jitter(const struct turn *t);
bool guard_has_candidate(const struct turn *t);
bool guard_has_next(const struct turn *t);
bool guard_waits_outage(const struct turn *t);
bool guard_is_exhausted(const struct turn *t);
bool guard_is_waiting_for_day(const struct turn *t);
bool guard_can_prefer(const struct turn *t);
bool guard_can_return(const struct turn *t);
bool guard_may_prefer(const struct turn *t);
bool guard_may_return(const struct turn *t);
bool guard_waits_answer(const struct turn *t);
bool guard_waits_fetch(const struct turn *t);
bool guard_was_fetched(const struct turn *t);
bool guard_wants_retry(const struct turn *t);
bool guard_must_leave(const struct turn *t);
bool guard_has_service(const struct turn *t);
bool guard_is_elsewhere(const struct turn *t);
bool guard_is_there(const struct turn *t);
bool guard_commanded(const struct turn *t);
bool guard_may_roll_back(const struct turn *t);
bool guard_can_fall_back(const struct turn *t);
bool guard_ends_in_pause(const struct turn *t);
bool guard_returning(const struct turn *t);

void action_recover(struct turn *t);
void action_resume_probation(struct turn *t);
void action_last_start(struct turn *t);
void action_resume_confirming(struct turn *t);
void action_await_status(struct turn *t);
void action_normal(struct turn *t);
void action_outage(struct turn *t);
void action_limit(struct turn *t);
void action_jitter(struct turn *t);
void action_jitter_country(struct turn *t);
void action_jitter_return(struct turn *t);
void action_stop_waiting(struct turn *t);
void action_cap(struct turn *t);
void action_end_wait(struct turn *t);
void action_prepare(struct turn *t);
void action_begin_plan(struct turn *t);
void action_begin_next(struct turn *t);
void action_begin_country(struct turn *t);
void action_begin_return(struct turn *t);
void action_pause_before(struct turn *t);
void action_switch(struct turn *t);
void action_refresh(struct turn *t);
void action_not_fetched(struct turn *t);
void action_retry(struct turn *t);
void action_probation(struct turn *t);
void action_put_back(struct turn *t);
void action_put_back_without(struct turn *t);
void action_await_confirm(struct turn *t);
void action_served(struct turn *t);
void action_roll_back(struct turn *t);
void action_keep(struct turn *t);
void action_keep_unconfirmed(struct turn *t);
void action_keep_without(struct turn *t);
void action_fall_back(struct turn *t);
void action_go_back(struct turn *t);
void action_pause(struct turn *t);
void action_pause_again(struct turn *t);
void action_confirm(struct turn *t);

// The terminal told of service, which stands in the applet. `was_normal`: it was normal before.
void switching_service(struct turn *t, bool was_normal);
// The country was seen for T_COUNTRY.
void switching_country(struct turn *t);
// A slow time is due.
void switching_due(struct turn *t);
// A heartbeat has left: the next one is due after its hours.
void switching_heartbeat_left(struct turn *t);
