/* The table of applet/rules.c; do not edit.
 * Written by `applet-states --model`; a test compares. */
#define S_STARTING 0
#define S_STABLE 1
#define S_SUSPECT 2
#define S_SWITCHING 3
#define S_PROBATION 4
#define S_CONFIRMING 5
#define S_BACKOFF 6
#define E_START 0
#define E_NORMAL 1
#define E_NOT_NORMAL 2
#define E_CLOCK 3
#define E_CONDEMNED 4
#define E_COMMAND 5
#define E_SENT 6
#define E_TAKEN 7
#define E_REFUSED 8
#define E_CONFIRM 9
#define E_UNCONFIRMED 10
#define E_COUNTRY 11
#define E_RETURN 12
#define E_DAY 13

inline step(event) {
    if
    :: state == S_STARTING && event == E_START ->
       if :: G_prepared_late -> state = S_SWITCHING; A_pause_before() :: else ->
       if :: G_prepared -> state = S_PROBATION; A_recover() :: else ->
       if :: G_last_start -> state = S_PROBATION; A_last_start() :: else ->
       if :: G_switched -> state = S_PROBATION; A_resume_probation() :: else ->
       if :: G_confirming -> state = S_CONFIRMING; A_resume_confirming() :: else ->
       if :: G_always -> state = S_STARTING; A_await_status() :: else ->
       skip fi fi fi fi fi fi
    :: state == S_STARTING && event == E_NORMAL ->
       if :: G_always -> state = S_STABLE; A_normal() :: else ->
       skip fi
    :: state == S_STARTING && event == E_NOT_NORMAL ->
       if :: G_paused -> state = S_BACKOFF; A_pause_again() :: else ->
       if :: G_always -> state = S_SUSPECT; A_outage() :: else ->
       skip fi fi
    :: state == S_STARTING && event == E_CLOCK ->
       if :: G_paused -> state = S_BACKOFF; A_pause_again() :: else ->
       if :: G_always -> state = S_SUSPECT; A_outage() :: else ->
       skip fi fi
    :: state == S_STARTING && event == E_CONDEMNED ->
       if :: G_paused -> state = S_BACKOFF; A_pause_again() :: else ->
       if :: G_always -> state = S_SUSPECT; A_outage() :: else ->
       skip fi fi
    :: state == S_STARTING && event == E_COMMAND ->
       if :: G_always -> state = S_SWITCHING; A_prepare() :: else ->
       skip fi
    :: state == S_STARTING && event == E_SENT -> skip
    :: state == S_STARTING && event == E_TAKEN -> skip
    :: state == S_STARTING && event == E_REFUSED -> skip
    :: state == S_STARTING && event == E_CONFIRM -> skip
    :: state == S_STARTING && event == E_UNCONFIRMED -> skip
    :: state == S_STARTING && event == E_COUNTRY -> skip
    :: state == S_STARTING && event == E_RETURN -> skip
    :: state == S_STARTING && event == E_DAY -> skip
    :: state == S_STABLE && event == E_START -> skip
    :: state == S_STABLE && event == E_NORMAL -> skip
    :: state == S_STABLE && event == E_NOT_NORMAL ->
       if :: G_always -> state = S_SUSPECT; A_outage() :: else ->
       skip fi
    :: state == S_STABLE && event == E_CLOCK ->
       if :: G_may_prefer -> state = S_SWITCHING; A_begin_country() :: else ->
       if :: G_may_return -> state = S_SWITCHING; A_begin_return() :: else ->
       if :: G_always -> state = S_STABLE; A_stop_waiting() :: else ->
       skip fi fi fi
    :: state == S_STABLE && event == E_CONDEMNED -> skip
    :: state == S_STABLE && event == E_COMMAND ->
       if :: G_always -> state = S_SWITCHING; A_prepare() :: else ->
       skip fi
    :: state == S_STABLE && event == E_SENT -> skip
    :: state == S_STABLE && event == E_TAKEN -> skip
    :: state == S_STABLE && event == E_REFUSED -> skip
    :: state == S_STABLE && event == E_CONFIRM -> skip
    :: state == S_STABLE && event == E_UNCONFIRMED -> skip
    :: state == S_STABLE && event == E_COUNTRY ->
       if :: G_can_prefer -> state = S_STABLE; A_jitter_country() :: else ->
       skip fi
    :: state == S_STABLE && event == E_RETURN ->
       if :: G_can_return -> state = S_STABLE; A_jitter_return() :: else ->
       skip fi
    :: state == S_STABLE && event == E_DAY -> skip
    :: state == S_SUSPECT && event == E_START -> skip
    :: state == S_SUSPECT && event == E_NORMAL ->
       if :: G_always -> state = S_STABLE; A_normal() :: else ->
       skip fi
    :: state == S_SUSPECT && event == E_NOT_NORMAL ->
       if :: G_always -> state = S_SUSPECT; A_limit() :: else ->
       skip fi
    :: state == S_SUSPECT && event == E_CLOCK ->
       if :: G_selection_off -> state = S_SUSPECT; A_nothing() :: else ->
       if :: G_wants_jitter -> state = S_SUSPECT; A_jitter() :: else ->
       if :: G_has_candidate -> state = S_SWITCHING; A_begin_plan() :: else ->
       if :: G_is_exhausted -> state = S_BACKOFF; A_pause() :: else ->
       if :: G_always -> state = S_SUSPECT; A_cap() :: else ->
       skip fi fi fi fi fi
    :: state == S_SUSPECT && event == E_CONDEMNED ->
       if :: G_waits_outage -> state = S_SUSPECT; A_end_wait() :: else ->
       skip fi
    :: state == S_SUSPECT && event == E_COMMAND ->
       if :: G_always -> state = S_SWITCHING; A_prepare() :: else ->
       skip fi
    :: state == S_SUSPECT && event == E_SENT -> skip
    :: state == S_SUSPECT && event == E_TAKEN -> skip
    :: state == S_SUSPECT && event == E_REFUSED -> skip
    :: state == S_SUSPECT && event == E_CONFIRM -> skip
    :: state == S_SUSPECT && event == E_UNCONFIRMED -> skip
    :: state == S_SUSPECT && event == E_COUNTRY -> skip
    :: state == S_SUSPECT && event == E_RETURN -> skip
    :: state == S_SUSPECT && event == E_DAY ->
       if :: G_is_waiting_for_day -> state = S_SUSPECT; A_end_wait() :: else ->
       skip fi
    :: state == S_SWITCHING && event == E_START -> skip
    :: state == S_SWITCHING && event == E_NORMAL -> skip
    :: state == S_SWITCHING && event == E_NOT_NORMAL -> skip
    :: state == S_SWITCHING && event == E_CLOCK ->
       if :: G_waits_answer -> state = S_SWITCHING; A_pause_before() :: else ->
       if :: G_waits_fetch -> state = S_SWITCHING; A_not_fetched() :: else ->
       if :: G_was_fetched -> state = S_PROBATION; A_probation() :: else ->
       if :: G_wants_retry -> state = S_SWITCHING; A_refresh() :: else ->
       if :: G_always -> state = S_SWITCHING; A_switch() :: else ->
       skip fi fi fi fi fi
    :: state == S_SWITCHING && event == E_CONDEMNED -> skip
    :: state == S_SWITCHING && event == E_COMMAND -> skip
    :: state == S_SWITCHING && event == E_SENT ->
       if :: G_waits_answer -> state = S_SWITCHING; A_pause_before() :: else ->
       skip fi
    :: state == S_SWITCHING && event == E_TAKEN ->
       if :: G_always -> state = S_PROBATION; A_probation() :: else ->
       skip fi
    :: state == S_SWITCHING && event == E_REFUSED ->
       if :: G_wants_retry -> state = S_SWITCHING; A_retry() :: else ->
       if :: G_must_leave -> state = S_PROBATION; A_probation() :: else ->
       if :: G_has_service -> state = S_STABLE; A_put_back() :: else ->
       if :: G_always -> state = S_SUSPECT; A_put_back_without() :: else ->
       skip fi fi fi fi
    :: state == S_SWITCHING && event == E_CONFIRM -> skip
    :: state == S_SWITCHING && event == E_UNCONFIRMED -> skip
    :: state == S_SWITCHING && event == E_COUNTRY -> skip
    :: state == S_SWITCHING && event == E_RETURN -> skip
    :: state == S_SWITCHING && event == E_DAY -> skip
    :: state == S_PROBATION && event == E_START -> skip
    :: state == S_PROBATION && event == E_NORMAL ->
       if :: G_is_elsewhere -> state = S_PROBATION; A_nothing() :: else ->
       if :: G_commanded -> state = S_CONFIRMING; A_await_confirm() :: else ->
       if :: G_always -> state = S_STABLE; A_served() :: else ->
       skip fi fi fi
    :: state == S_PROBATION && event == E_NOT_NORMAL -> skip
    :: state == S_PROBATION && event == E_CLOCK ->
       if :: G_may_roll_back -> state = S_SWITCHING; A_roll_back() :: else ->
       if :: G_commanded -> state = S_SUSPECT; A_keep() :: else ->
       if :: G_can_fall_back -> state = S_SWITCHING; A_fall_back() :: else ->
       if :: G_ends_in_pause -> state = S_BACKOFF; A_pause() :: else ->
       if :: G_returning -> state = S_SWITCHING; A_go_back() :: else ->
       if :: G_has_next -> state = S_SWITCHING; A_begin_next() :: else ->
       if :: G_always -> state = S_BACKOFF; A_pause() :: else ->
       skip fi fi fi fi fi fi fi
    :: state == S_PROBATION && event == E_CONDEMNED ->
       if :: G_is_there -> state = S_PROBATION; A_end_wait() :: else ->
       skip fi
    :: state == S_PROBATION && event == E_COMMAND -> skip
    :: state == S_PROBATION && event == E_SENT -> skip
    :: state == S_PROBATION && event == E_TAKEN -> skip
    :: state == S_PROBATION && event == E_REFUSED -> skip
    :: state == S_PROBATION && event == E_CONFIRM -> skip
    :: state == S_PROBATION && event == E_UNCONFIRMED -> skip
    :: state == S_PROBATION && event == E_COUNTRY -> skip
    :: state == S_PROBATION && event == E_RETURN -> skip
    :: state == S_PROBATION && event == E_DAY -> skip
    :: state == S_CONFIRMING && event == E_START -> skip
    :: state == S_CONFIRMING && event == E_NORMAL -> skip
    :: state == S_CONFIRMING && event == E_NOT_NORMAL -> skip
    :: state == S_CONFIRMING && event == E_CLOCK -> skip
    :: state == S_CONFIRMING && event == E_CONDEMNED -> skip
    :: state == S_CONFIRMING && event == E_COMMAND -> skip
    :: state == S_CONFIRMING && event == E_SENT -> skip
    :: state == S_CONFIRMING && event == E_TAKEN -> skip
    :: state == S_CONFIRMING && event == E_REFUSED -> skip
    :: state == S_CONFIRMING && event == E_CONFIRM ->
       if :: G_has_service -> state = S_STABLE; A_confirm() :: else ->
       if :: G_always -> state = S_SUSPECT; A_keep_without() :: else ->
       skip fi fi
    :: state == S_CONFIRMING && event == E_UNCONFIRMED ->
       if :: G_may_roll_back -> state = S_SWITCHING; A_roll_back() :: else ->
       if :: G_has_service -> state = S_STABLE; A_keep_unconfirmed() :: else ->
       if :: G_always -> state = S_SUSPECT; A_keep_without() :: else ->
       skip fi fi fi
    :: state == S_CONFIRMING && event == E_COUNTRY -> skip
    :: state == S_CONFIRMING && event == E_RETURN -> skip
    :: state == S_CONFIRMING && event == E_DAY -> skip
    :: state == S_BACKOFF && event == E_START -> skip
    :: state == S_BACKOFF && event == E_NORMAL ->
       if :: G_always -> state = S_STABLE; A_normal() :: else ->
       skip fi
    :: state == S_BACKOFF && event == E_NOT_NORMAL -> skip
    :: state == S_BACKOFF && event == E_CLOCK ->
       if :: G_has_candidate -> state = S_SWITCHING; A_begin_plan() :: else ->
       if :: G_always -> state = S_BACKOFF; A_pause() :: else ->
       skip fi fi
    :: state == S_BACKOFF && event == E_CONDEMNED -> skip
    :: state == S_BACKOFF && event == E_COMMAND ->
       if :: G_always -> state = S_SWITCHING; A_prepare() :: else ->
       skip fi
    :: state == S_BACKOFF && event == E_SENT -> skip
    :: state == S_BACKOFF && event == E_TAKEN -> skip
    :: state == S_BACKOFF && event == E_REFUSED -> skip
    :: state == S_BACKOFF && event == E_CONFIRM -> skip
    :: state == S_BACKOFF && event == E_UNCONFIRMED -> skip
    :: state == S_BACKOFF && event == E_COUNTRY -> skip
    :: state == S_BACKOFF && event == E_RETURN -> skip
    :: state == S_BACKOFF && event == E_DAY -> skip
    :: else -> assert(false)
    fi
}
