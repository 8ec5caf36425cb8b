/*
 * The switch: the state machine of the applet, its rows taken from the code (switch_table.pml is
 * written from the table in applet/rules.c), its guards and actions reduced to what they decide.
 * What depends on data that is not here (candidates, countries, caps) may turn out either way.
 *
 * Subscriptions 0 (the fallback one), 1 and 2. Events come in any order and at any time: resets,
 * service, clocks, commands, answers of the terminal, confirmations.
 *
 * Holds: the state and the journal agree; whoever waits has a clock that runs; the journal names the
 * subscription that is enabled; a commanded switch never ends without a word; one event leads to at
 * most eight.
 *
 * With CALM the faults end at any moment: no more resets, commands and refusals, messages come, and
 * there is service, everywhere or (ONLY_FALLBACK) on the fallback subscription alone. Then the card
 * settles: within CALM_MAX events it is stable and no switch is open.
 *
 * check
 * check   -DCALM
 * check   -DCALM -DONLY_FALLBACK
 * refuted -DNO_WORD_AT_PAUSE    the pause closes the journal without a notification
 * refuted -DNO_CLOCK_IN_TAKE    the clock is not started when the REFRESH was fetched
 * refuted -DRECOVERS_NOTHING    a start leaves a prepared switch alone
 * refuted -DCALM -DSERVED_STAYS_OPEN                  service on the new one does not close the journal
 * refuted -DCALM -DONLY_FALLBACK -DNO_END_OF_ATTACH   nothing happens when T_ATTACH is over
 * refuted -DCALM -DONLY_FALLBACK -DROTATES_FOR_EVER   the fallback is never tried
 * refuted -DCALM -DONLY_FALLBACK -DCALM_MAX=8   so few events are not enough: it does take its time
 */
#define PHASE_NONE 0
#define PHASE_PREPARED 1
#define PHASE_SWITCHED 2
#define PHASE_CONFIRMING 3

#define COMMANDED 1
#define ROTATE 2
#define COUNTRY 3
#define FALLBACK 4
#define RETURN 5
#define ROLLBACK 6

#define W_NONE 0
#define W_FIRST 1
#define W_OUTAGE 2
#define W_JITTER 3
#define W_JITTER_COUNTRY 4
#define W_JITTER_RETURN 5
#define W_DAY 6
#define W_ANSWER 7
#define W_PAUSE 8
#define W_FETCH 9
#define W_TAKE 10
#define W_RETRY 11
#define W_ATTACH 12
#define W_BACKOFF 13

#define STARTS_MAX 5
#define ATTEMPTS_MAX 4
#define TRIES_MAX 3
#define FOLLOWERS_MAX 8

#ifndef CALM_MAX
#define CALM_MAX 60
#endif
#define ROTATIONS_MAX 3 /* then all candidates were tried */
bool is_calm;
byte calm_events, rotations, caps;

byte state;
/* What survives a reset. */
byte in_use;         /* the enabled subscription */
byte phase, reason, from, to, starts, attempt;
bool has_id;         /* the journal belongs to a command */
bool may_roll_back;
bool is_paused;
/* What does not. */
byte wait, tries, terminal_on;
bool is_running;     /* the clock of the state */
bool is_normal, has_service;
bool is_told;        /* the outcome of the command has a notification; the checker's */
bool was_off;        /* selection was off when the clock ended */
/* The present event, and the one that follows it. */
byte now, next;
bool has_next;
/* What is decided by data that is not modelled. */
bool is_off, has_jitter, wants_country, wants_home;
byte plan, plan_to;  /* 0 none, 1 switch, 2 pause, 3 capped */
byte ordered;
bool by_message;

#define G_always true
#define G_prepared_late false /* memory that fails is not in here */
#define G_prepared (phase == PHASE_PREPARED)
#define G_switched (phase == PHASE_SWITCHED)
#define G_last_start (G_switched && starts + 1 >= STARTS_MAX)
#define G_confirming (phase == PHASE_CONFIRMING)
#define G_paused is_paused
#define G_selection_off is_off
#define G_wants_jitter (wait == W_OUTAGE && has_jitter)
#define G_has_candidate (!is_off && plan == 1)
#define G_has_next (plan == 1)
#define G_waits_outage (wait == W_OUTAGE)
#define G_is_exhausted (plan == 2)
#define G_is_waiting_for_day (wait == W_DAY)
#define G_can_prefer (!is_off && wants_country)
#define G_may_prefer (wait == W_JITTER_COUNTRY && G_can_prefer)
#define G_can_return (wait == W_NONE && !is_off && wants_home)
#define G_may_return (wait == W_JITTER_RETURN && !is_off && wants_home)
#define G_waits_answer (wait == W_ANSWER)
#define G_waits_fetch (wait == W_FETCH)
#define G_was_fetched (wait == W_TAKE)
#define G_wants_retry (wait == W_RETRY || (wait != W_PAUSE && tries + 1 < TRIES_MAX))
#define G_must_leave (reason == ROLLBACK || reason == FALLBACK)
#define G_has_service (has_service && is_normal)
#define G_is_there (terminal_on == to)
#define G_is_elsewhere (terminal_on != to)
#define G_commanded (reason == COMMANDED)
#define G_may_roll_back (G_commanded && may_roll_back)
#define G_can_fall_back (reason == ROLLBACK && to != 0)
#define G_ends_in_pause (reason == ROLLBACK || reason == FALLBACK)
#define G_returning (reason == RETURN)

#include "switch_table.pml"

inline wait_for(w) { wait = w; is_running = true }
inline stop() { wait = W_NONE; is_running = false }
inline follow(event) { has_next = true; next = event }
inline tell() { if :: has_id -> is_told = true :: else fi }

inline close() {
    assert(!has_id || is_told);
    phase = PHASE_NONE; reason = 0; from = 0; to = 0; starts = 0; attempt = 0; has_id = false;
    may_roll_back = false
}

inline open(r, f, t) {
    phase = PHASE_PREPARED; reason = r; starts = 0; attempt = 0; may_roll_back = false;
    from = f; to = t;
    if
    :: r == ROLLBACK || r == FALLBACK -> is_told = false /* a word of its own */
    :: else -> has_id = false
    fi;
    tries = 0; wait_for(W_PAUSE)
}

/* A switch that the card plans drops the id: by then its command must have had its word. */
inline begin_planned(r) { assert(!has_id || is_told); has_id = false; open(r, in_use, plan_to) }

inline A_nothing() { was_off = is_off }
inline A_recover() {
#ifdef RECOVERS_NOTHING
    skip
#else
    in_use = to; terminal_on = to; phase = PHASE_SWITCHED; starts = 1; wait_for(W_ATTACH)
#endif
}
#ifdef NO_END_OF_ATTACH
inline attach() { wait = W_ATTACH; is_running = !is_calm }
#else
inline attach() { wait_for(W_ATTACH) }
#endif
inline A_resume_probation() { if :: starts < STARTS_MAX -> starts++ :: else fi; attach() }
inline A_last_start() { if :: starts < STARTS_MAX -> starts++ :: else fi; follow(E_CLOCK) }
inline A_resume_confirming() { stop(); if :: attempt < ATTEMPTS_MAX -> attempt++ :: else fi }
inline A_await_status() { wait_for(W_FIRST) }
inline A_normal() { stop(); is_paused = false }
inline A_outage() { was_off = false; wait_for(W_OUTAGE) }
inline A_limit() { skip }
inline A_jitter() { wait_for(W_JITTER) }
inline A_jitter_country() { wait_for(W_JITTER_COUNTRY) }
inline A_jitter_return() { wait_for(W_JITTER_RETURN) }
inline A_stop_waiting() { stop() }
inline A_cap() { stop(); wait = W_DAY }
inline A_end_wait() { is_running = false; follow(E_CLOCK) }
inline A_prepare() {
    is_paused = false; open(COMMANDED, in_use, ordered); has_id = true; is_told = false;
    may_roll_back = wants_home; /* either */
    if :: by_message -> wait_for(W_ANSWER) :: else fi
}
inline A_begin_plan() { begin_planned((plan_to == 0 -> FALLBACK : ROTATE)); is_paused = false }
inline A_begin_next() { begin_planned((plan_to == 0 -> FALLBACK : ROTATE)); is_paused = false }
inline A_begin_country() { open(COUNTRY, in_use, plan_to) }
inline A_begin_return() { open(RETURN, in_use, plan_to) }
inline A_pause_before() { wait_for(W_PAUSE) }
inline A_refresh() { wait_for(W_FETCH) }
inline A_switch() { in_use = to; phase = PHASE_SWITCHED; starts = 0; wait_for(W_FETCH) }
inline A_not_fetched() { follow(E_REFUSED) }
inline A_retry() { tries++; wait_for(W_RETRY) }
inline A_probation() {
    attach();
    if :: G_is_there && G_has_service -> follow(E_NORMAL) :: else fi
}
inline A_put_back() { stop(); in_use = from; tell(); close() }
inline A_put_back_without() { A_put_back(); wait_for(W_OUTAGE) }
inline A_await_confirm() { stop(); tell(); phase = PHASE_CONFIRMING; attempt = 1 }
#ifdef SERVED_STAYS_OPEN
inline A_served() { state = S_PROBATION; wait_for(W_ATTACH) }
#else
inline A_served() { stop(); tell(); close(); is_paused = false }
#endif
inline A_roll_back() {
    ordered = from; from = to; to = ordered;
    open(ROLLBACK, from, to)
}
inline A_keep() { tell(); close(); wait_for(W_OUTAGE) }
inline A_keep_unconfirmed() { stop(); close() }
inline A_keep_without() { close(); wait_for(W_OUTAGE) }
inline A_fall_back() { open(FALLBACK, from, 0) }
inline A_go_back() { ordered = from; open(ROTATE, ordered, ordered) }
inline A_pause() {
    if
    :: phase != PHASE_NONE ->
#ifndef NO_WORD_AT_PAUSE
       tell();
#endif
       close()
    :: else
    fi;
    is_paused = true; wait_for(W_BACKOFF)
}
inline A_pause_again() { wait_for(W_BACKOFF) }
inline A_confirm() { stop(); close() }

inline agree() {
    assert(state != S_SWITCHING || phase == PHASE_PREPARED || phase == PHASE_SWITCHED);
    assert(state != S_PROBATION || phase == PHASE_SWITCHED);
    assert(state != S_CONFIRMING || (phase == PHASE_CONFIRMING && reason == COMMANDED));
    assert((state != S_STABLE && state != S_SUSPECT && state != S_BACKOFF && state != S_STARTING) ||
           phase == PHASE_NONE);
    assert((state != S_SWITCHING && state != S_PROBATION && state != S_BACKOFF) || is_running);
    assert(state != S_SUSPECT || is_running || wait == W_DAY || was_off);
    assert(phase != PHASE_PREPARED || in_use != to);
    assert((phase != PHASE_SWITCHED && phase != PHASE_CONFIRMING) || in_use == to)
}

#define IS_CHOICE (event == E_CLOCK || event == E_CONDEMNED || event == E_DAY || event == E_START)

/* Only what this event may ask for: the rest would only multiply the same steps. */
inline decide_freely() {
    if
    :: state != S_STABLE && IS_CHOICE ->
       if :: is_off = false :: is_off = true fi;
       if :: plan = 1 :: plan = 2 :: plan = 3 fi;
       if :: wait == W_OUTAGE -> has_jitter = true :: true fi
    :: state == S_STABLE && (event == E_CLOCK || event == E_COUNTRY || event == E_RETURN) ->
       if :: wants_country = true :: wants_home = true :: true fi
    :: event == E_COMMAND ->
       if :: wants_home = false :: wants_home = true fi;
       if :: by_message = false :: by_message = true fi
    :: else
    fi;
    if
    :: IS_CHOICE || event == E_COMMAND || event == E_COUNTRY || event == E_RETURN ->
       if :: in_use != 0 -> plan_to = 0 :: in_use != 1 -> plan_to = 1 :: in_use != 2 -> plan_to = 2 fi
    :: else
    fi;
    /* What applet/select.c decides: it pauses on the fallback one alone, the other candidates are
     * tried so often, the cap of the day ends. Selection is on, or nothing could be searched. */
    if
    :: is_calm && IS_CHOICE ->
       is_off = false;
       if :: plan == 2 && in_use != 0 -> plan = 1; plan_to = 0 :: else fi;
       if
       :: plan == 3 && caps < 1 -> caps++
       :: plan == 3 && caps >= 1 -> plan = 1; plan_to = 0
       :: else
       fi;
       if :: plan == 1 && in_use == 0 && plan_to == 0 -> plan = 2 :: else fi;
#ifndef ROTATES_FOR_EVER
       if
       :: plan == 1 && plan_to != 0 && rotations < ROTATIONS_MAX -> rotations++
       :: plan == 1 && plan_to != 0 && rotations == ROTATIONS_MAX ->
          plan_to = 0;
          if :: in_use == 0 -> plan = 2 :: else fi
       :: else
       fi
#endif
    :: else
    fi
}

inline forget() {
    is_off = false; has_jitter = false; wants_country = false; wants_home = false; plan = 0; plan_to = 0;
    by_message = false; ordered = 0; now = 0; next = 0; followers = 0
}

#define NOTHING 255
byte event = NOTHING; /* that happened, and was not yet dealt with */
byte followers;

#define QUIET (event == NOTHING)
#define IDLE (QUIET && !is_calm)
/* Where a process may stand when the card has settled. */
#ifdef CALM
#define RESTS end:
#else
#define RESTS
#endif

active proctype machine() {
    RESTS do
    :: atomic {
           event != NOTHING -> decide_freely();
           if :: event == E_COMMAND -> ordered = plan_to :: else fi;
           follow(event); event = NOTHING;
           do
           :: has_next && followers < FOLLOWERS_MAX ->
              has_next = false; now = next; followers++; step(now)
           :: else -> break
           od;
           assert(!has_next);
           forget(); agree()
       }
    od
}


active proctype terminal() {
    RESTS do
    :: atomic { IDLE -> /* a reset */
           state = S_STARTING; stop(); tries = 0; has_service = false; is_normal = false;
           terminal_on = in_use; was_off = false; event = E_START }
    :: atomic { IDLE -> is_normal = true; has_service = true; event = E_NORMAL }
    :: atomic { IDLE -> is_normal = false; has_service = true; event = E_NOT_NORMAL }
    :: atomic { IDLE -> event = E_CONDEMNED }
    :: atomic { IDLE && phase == PHASE_NONE -> event = E_COMMAND }
    :: atomic { IDLE -> event = E_SENT }
    :: atomic { IDLE && wait == W_FETCH -> wait = W_TAKE;
#ifdef NO_CLOCK_IN_TAKE
           is_running = false; agree()
#endif
       }
    :: atomic { IDLE && wait == W_TAKE -> event = E_TAKEN }
    :: atomic { IDLE && wait == W_TAKE -> event = E_REFUSED }
    :: atomic { IDLE && (state == S_SWITCHING || state == S_PROBATION) && terminal_on != in_use ->
           terminal_on = in_use; has_service = false;
           if :: state == S_SWITCHING && wait == W_TAKE -> event = E_TAKEN :: else fi }
    :: atomic { IDLE && phase == PHASE_CONFIRMING -> event = E_CONFIRM }
    :: atomic { IDLE -> event = E_COUNTRY }
    :: atomic { IDLE -> event = E_RETURN }
    :: atomic { IDLE -> event = E_DAY }
    od
}

active proctype time() {
    RESTS do
    :: atomic { IDLE && is_running -> is_running = false; event = E_CLOCK }
    od
}

/* The sendings of the notification that asks for confirmation. */
active proctype sendings() {
    RESTS do
    :: atomic { IDLE && state == S_CONFIRMING ->
           if :: attempt < ATTEMPTS_MAX -> attempt++ :: else -> event = E_UNCONFIRMED fi }
    od
}

#ifdef CALM
#ifdef ONLY_FALLBACK
#define SERVES (terminal_on == 0)
#else
#define SERVES true
#endif
#define IS_SETTLED (state == S_STABLE && phase == PHASE_NONE && is_normal)

/* What comes first in the world comes first here: the terminal takes a REFRESH and finds its network
 * before a clock is over. */
active proctype calm() {
    /* The terminal tells its status anew; one that let the card select nothing starts anew. */
    atomic { IDLE ->
        is_calm = true; has_service = false; is_normal = false;
        if
        :: state == S_SUSPECT && was_off ->
           state = S_STARTING; stop(); tries = 0; terminal_on = in_use; was_off = false; event = E_START
        :: else
        fi }
    do
    :: atomic { QUIET && !IS_SETTLED ->
           assert(calm_events < CALM_MAX);
           calm_events++;
           if
           :: wait == W_FETCH -> wait = W_TAKE
           :: wait == W_TAKE ->
              terminal_on = in_use; has_service = false; is_normal = false; event = E_TAKEN
           :: wait == W_ANSWER -> event = E_SENT
           :: else ->
              if
              :: terminal_on != in_use ->
                 terminal_on = in_use; has_service = false; is_normal = false
              :: terminal_on == in_use && SERVES && !is_normal ->
                 is_normal = true; has_service = true; event = E_NORMAL
              :: terminal_on == in_use && !SERVES && (is_normal || !has_service) ->
                 is_normal = false; has_service = true; event = E_NOT_NORMAL
              :: else ->
                 if
                 :: state == S_CONFIRMING && is_normal -> event = E_CONFIRM
                 :: state == S_CONFIRMING && !is_normal -> event = E_UNCONFIRMED
                 :: state != S_CONFIRMING && is_running -> is_running = false; event = E_CLOCK
                 :: state != S_CONFIRMING && !is_running && wait == W_DAY -> event = E_DAY
                 :: else -> assert(false) /* nothing is left that could happen */
                 fi
              fi
           fi }
    :: atomic { QUIET && IS_SETTLED -> break }
    od
}
#endif
