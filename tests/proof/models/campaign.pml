/*
 * A campaign: many cards are asked for one thing, a canary first, while people pause it, go on, stop
 * and edit it, and the server is killed in any turn.
 *
 * Its cards are rows of the store. A turn looks at them, decides in memory, and commits the row of a
 * card together with its operation; requests of people and answers of cards are turns of their own.
 * So nothing is remembered beside the store, and a start after a kill goes on where it was.
 *
 * Holds: a card is asked once; nobody is asked while the campaign is paused or stopped, before a
 * second person has approved this very request, or behind a backup that was put back, until a person
 * has gone on; beyond the canary only once all of it ended well, or a person went on in spite of it;
 * what failed before a resumption does not pause again; what is called cancelled had never left,
 * and once a stop is through nothing leaves any more. When nothing can happen any more no operation is
 * open, and the campaign is completed, or stopped, or waits for a person.
 *
 * Faults come from budgets, so every run ends, and its last state is judged. Cards are alike, so the
 * first that waits stands for whichever is drawn.
 *
 * check
 * check   -DBACKUPS=1 -DPAUSES=0 -DREFUSALS=0
 * long    -DCRASHES=2 -DPAUSES=2 -DRESUMES=3 -DFAILURES=3 -DREFUSALS=2
 * refuted -DASK_APART           the operation is committed first, and then the card's row
 * refuted -DPLACE_IN_MEMORY     which card comes next is remembered beside the store
 * refuted -DSTALE               a campaign read before a request of a person is written behind it
 * refuted -DPAUSE_IN_MEMORY     a pause does not reach the store
 * refuted -DGATE_EARLY          the gate is judged before all of the canary ended
 * refuted -DRESUME_IS_PASSED    whoever goes on is taken to have judged the canary
 * refuted -DCANARY_UNJUDGED     nobody looks at how the canary ended
 * refuted -DJUDGES_ALL          what failed before a resumption counts for ever
 * refuted -DEDIT_KEEPS_WAITING  a request that was changed still waits for its approval
 * refuted -DCANCELS_SENT        a stop cancels what has left
 * refuted -DCURSOR_FIRST        a stop commits how far it is, and then what it did
 * refuted -DBACKUP_UNSEEN -DBACKUPS=1   a backup that was put back does not pause
 * refuted -DNEVER_ENDS_AS=COMPLETED     every end is reached, so the claims say something
 * refuted -DNEVER_ENDS_AS=STOPPED
 * refuted -DNEVER_ENDS_AS=PAUSED
 */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef PAUSES
#define PAUSES 1 /* by a person */
#endif
#ifndef RESUMES
#define RESUMES 2
#endif
#ifndef EDITS
#define EDITS 1
#endif
#ifndef FAILURES
#define FAILURES 2 /* of operations */
#endif
#ifndef REFUSALS
#define REFUSALS 1 /* before anything was sent */
#endif
#ifndef BACKUPS
#define BACKUPS 0 /* put back */
#endif
#define CARDS 4
#define CANARY_CARDS 2
#define LOOK 2 /* so many of the last ones are looked at; one failure of them is too many */

mtype = { DRAFT, CHECKED, AWAIT_APPROVAL, SCHEDULED, CANARY, RUNNING, PAUSED, COMPLETED, STOPPED };
mtype = { WAITING, QUEUED, SENT, IS_DONE, IS_FAILED, IS_REFUSED, IS_CANCELLED }; /* a card's row */
mtype = { NOTHING, BEGIN, COMPLETE, HALT, ASK, PASS, FAIL, SWEEP };              /* a turn's decision */

byte crashes = CRASHES, pauses = PAUSES, resumes = RESUMES, edits = EDITS, failures = FAILURES,
     refusals = REFUSALS;
bool may_stop = true;

/* --- what survives --- */
mtype state = DRAFT;
mtype row[CARDS] = WAITING;
bool is_canary_over;
bool is_gate;    /* why it was paused last: its gate */
byte cursor;     /* of a stop: cards before it are through */
byte ended;      /* since it was judged from, up to LOOK; and which of the last failed */
bool last[LOOK];
byte version;    /* of the request */
byte approved;   /* the version that was approved, or that waits for it */
bool is_behind;  /* a backup was put back, and nobody has gone on since */

#if BACKUPS
byte backups = 2 * BACKUPS; /* first taken, then put back */
mtype kept_state;
mtype kept_row[CARDS];
bool kept_over;
byte kept_version, kept_approved;
#endif

/* --- memory --- */
mtype plan = NOTHING;
byte next;       /* card of the plan */
byte place;      /* of a wrong variant */
bool is_holding; /* of a wrong variant */

/* --- the checker's --- */
byte asked[CARDS];
bool has_left[CARDS];
bool is_halted;   /* by people or by itself, and acknowledged */
bool went_well;   /* the whole canary ended, and well */
bool went_on;     /* a person, in spite of the gate */
bool has_failed;  /* since the last resumption */

#define COUNT(s) ((row[0] == s) + (row[1] == s) + (row[2] == s) + (row[3] == s))
#define WAITS COUNT(WAITING)
#define OPEN (COUNT(QUEUED) + COUNT(SENT))
#define ENDED (COUNT(IS_DONE) + COUNT(IS_FAILED))
#define COUNTED (OPEN + ENDED) /* what was refused is no member of the canary */
#define FIRST (row[0] == WAITING -> 0 : (row[1] == WAITING -> 1 : (row[2] == WAITING -> 2 : 3)))

#define IS_FREE (plan == NOTHING)
#define WORKS (state == CANARY || state == RUNNING)
#define IS_OVER (WAITS == 0 && OPEN == 0)
#ifdef BACKUP_UNSEEN
#define IS_BAD (ended >= LOOK && (last[0] || last[1]))
#else
#define IS_BAD (is_behind || (ended >= LOOK && (last[0] || last[1])))
#endif
#define GOES_ON (WORKS && !IS_OVER && !IS_BAD && !is_holding)
#ifdef GATE_EARLY
#define AT_GATE (state == CANARY && COUNTED >= CANARY_CARDS)
#else
#define AT_GATE (state == CANARY && COUNTED >= CANARY_CARDS && OPEN == 0)
#endif
#ifdef PLACE_IN_MEMORY
#define MAY_ASK (place < CARDS && (state == RUNNING || COUNTED < CANARY_CARDS))
#define CHOSEN place
#else
#define MAY_ASK (WAITS > 0 && (state == RUNNING || COUNTED < CANARY_CARDS))
#define CHOSEN FIRST
#endif
#ifdef STALE
#define MAY_REQUEST true
#else
#define MAY_REQUEST IS_FREE
#endif

inline kill() {
    crashes--; plan = NOTHING; next = 0; place = 0; is_holding = false
}

inline halt(by_gate) {
    state = PAUSED; is_gate = by_gate; is_halted = true
}

inline commit_ask() {
    if
    :: true ->
       assert(!is_halted && !is_behind && approved == version);
       assert(COUNTED < CANARY_CARDS || went_well || went_on);
       asked[next]++;
       assert(asked[next] <= 1);
#ifdef ASK_APART
       if
       :: crashes > 0 -> kill(); goto again
       :: true
       fi;
#endif
       row[next] = QUEUED
    :: refusals > 0 -> refusals--; row[next] = IS_REFUSED /* judged again: it takes no part */
    fi;
    place = next + 1
}

inline commit_sweep() {
#ifdef CURSOR_FIRST
    next = cursor; cursor++;
    if
    :: crashes > 0 -> kill(); goto again
    :: true
    fi;
    cursor--;
#endif
    if
#ifdef CANCELS_SENT
    :: row[cursor] == QUEUED || row[cursor] == SENT ->
#else
    :: row[cursor] == QUEUED ->
#endif
       assert(!has_left[cursor]);
       row[cursor] = IS_CANCELLED
    :: else /* not asked, ended, or too late */
    fi;
    cursor++
}

inline commit() {
    if
    :: plan == BEGIN -> state = (is_canary_over -> RUNNING : CANARY)
    :: plan == COMPLETE -> state = COMPLETED
    :: plan == HALT -> assert(is_behind || has_failed); halt(false)
    :: plan == PASS -> is_canary_over = true; state = RUNNING
    :: plan == FAIL -> halt(true)
    :: plan == ASK -> commit_ask()
    :: plan == SWEEP -> commit_sweep()
    fi;
    plan = NOTHING; next = 0
}

active [CARDS] proctype card() { /* the first processes: their number is the card's */
end:
    do
    :: atomic { IS_FREE && row[_pid] == QUEUED ->
           if
           :: assert(state != STOPPED || cursor <= _pid); row[_pid] = SENT; has_left[_pid] = true
           :: refusals > 0 -> refusals--; row[_pid] = IS_REFUSED
           fi }
    :: atomic { IS_FREE && row[_pid] == SENT ->
           last[0] = last[1];
           if
           :: row[_pid] = IS_DONE; last[1] = false
           :: failures > 0 -> failures--; row[_pid] = IS_FAILED; last[1] = true; has_failed = true
           fi;
           ended = (ended < LOOK -> ended + 1 : LOOK);
           went_well = went_well || (OPEN == 0 && ENDED >= CANARY_CARDS && COUNT(IS_FAILED) == 0) }
    od
}

active proctype server() {
end:
again:
    do
    :: atomic { IS_FREE && state == SCHEDULED -> plan = BEGIN }
    :: atomic { IS_FREE && WORKS && IS_OVER -> plan = COMPLETE }
    :: atomic { IS_FREE && WORKS && !IS_OVER && IS_BAD -> plan = HALT }
    :: atomic { IS_FREE && GOES_ON && !AT_GATE && MAY_ASK -> plan = ASK; next = CHOSEN }
    :: atomic { IS_FREE && GOES_ON && AT_GATE ->
#ifdef CANARY_UNJUDGED
           plan = PASS }
#else
           plan = (COUNT(IS_FAILED) == 0 -> PASS : FAIL) }
#endif
    :: atomic { IS_FREE && state == STOPPED && cursor < CARDS -> plan = SWEEP }
    :: atomic { plan != NOTHING -> commit() }
    :: atomic { crashes > 0 -> kill() }
    od
}

active proctype person() {
end:
    do
    :: atomic { MAY_REQUEST && state == DRAFT -> state = CHECKED }
    :: atomic { MAY_REQUEST && state == CHECKED -> state = AWAIT_APPROVAL; approved = version }
    :: atomic { MAY_REQUEST && state == AWAIT_APPROVAL -> state = SCHEDULED; is_behind = false }
    :: atomic { MAY_REQUEST && edits > 0 &&
                (state == DRAFT || state == CHECKED || state == AWAIT_APPROVAL) -> edits--; version++;
#ifdef EDIT_KEEPS_WAITING
           if :: state == AWAIT_APPROVAL :: else -> state = DRAFT fi }
#else
           state = DRAFT }
#endif
    :: atomic { MAY_REQUEST && pauses > 0 && (state == SCHEDULED || WORKS) -> pauses--;
#ifdef PAUSE_IN_MEMORY
           is_holding = true; is_halted = true }
#else
           halt(false) }
#endif
    :: atomic { MAY_REQUEST && state == PAUSED && resumes > 0 -> resumes--;
           if
           :: is_gate -> is_canary_over = true; went_on = true
           :: else
           fi;
#ifdef RESUME_IS_PASSED
           is_canary_over = true;
#endif
#ifndef JUDGES_ALL
           ended = 0; last[0] = false; last[1] = false;
#endif
           is_gate = false; is_behind = false; is_halted = false; has_failed = false;
           state = SCHEDULED }
    :: atomic { state == PAUSED && resumes > 0 -> resumes = 0 } /* nobody comes */
    :: atomic { may_stop -> may_stop = false } /* nobody stops it */
    :: atomic { MAY_REQUEST && may_stop &&
                (state == AWAIT_APPROVAL || state == SCHEDULED || WORKS || state == PAUSED) ->
           may_stop = false; state = STOPPED; cursor = 0; is_halted = true }
#if BACKUPS
    :: atomic { IS_FREE && backups % 2 == 0 && backups > 0 -> backups--;
           kept_state = state; kept_over = is_canary_over;
           kept_version = version; kept_approved = approved;
           kept_row[0] = row[0]; kept_row[1] = row[1]; kept_row[2] = row[2]; kept_row[3] = row[3] }
    :: atomic { backups % 2 == 1 -> backups--; plan = NOTHING; next = 0; is_behind = true;
           state = kept_state; is_canary_over = kept_over;
           version = kept_version; approved = kept_approved;
           row[0] = kept_row[0]; row[1] = kept_row[1]; row[2] = kept_row[2]; row[3] = kept_row[3];
           cursor = 0; is_gate = false; is_halted = (state == PAUSED || state == STOPPED);
           asked[0] = row[0] != WAITING; asked[1] = row[1] != WAITING;
           asked[2] = row[2] != WAITING; asked[3] = row[3] != WAITING;
           has_left[0] = row[0] == SENT; has_left[1] = row[1] == SENT;
           has_left[2] = row[2] == SENT; has_left[3] = row[3] == SENT }
#endif
    od
}

active proctype observer() {
    timeout;
    assert(IS_FREE && OPEN == 0);
    assert(state == COMPLETED || state == STOPPED || state == PAUSED);
    assert(state != COMPLETED || WAITS == 0);
    assert(state != STOPPED || cursor == CARDS);
    assert(state != PAUSED || resumes == 0);
#ifdef NEVER_ENDS_AS
    assert(state != NEVER_ENDS_AS)
#endif
}
