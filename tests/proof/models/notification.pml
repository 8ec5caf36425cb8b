/*
 * Notifications: what the card did by itself, told to the server until it confirms.
 *
 * A commanded switch from subscription 1 to 2 must be confirmed, or the card rolls it back; a card
 * that is left without service falls back to 1 by itself. Every outcome gets a sequence in the
 * commit of the change, is sent again and again, and ends only with a CONFIRM of that sequence.
 * The times of server and card are not compared: the server's window may close, and the card's last
 * wait may end, at any moment. The correct protocol must not need them to agree.
 *
 * Holds: the server is never wrong and clean with nothing under way that would tell it; `done` means
 * that the card keeps the new subscription, `rolled_back` that it keeps the former one. When nothing
 * can happen any more nothing is pending, the mirror is the card, and the card is clean.
 *
 * check
 * check   -DLOSSES=2 -DAUTOMATIC=0
 * check   -DROLLBACK=0
 * long    -DLOSSES=2 -DSWAPS=1
 * long    -DDOUBLES=2 -DCUTS=0 -DSWAPS=1
 * refuted -DAUDIT_CLEARS          an audit, or a late double of one, clears what is pending
 * refuted -DSENT_ONCE             a notification is sent once
 * refuted -DNOT_WITH_THE_CHANGE   the notification is stored in a commit after the change
 * refuted -DLATE_IS_CONFIRMED     the server confirms an ENABLED that came after its window
 * refuted -DCARD_TAKES_LATE       the card takes a CONFIRM for what it is rolling back
 * refuted -DDONE_AT_NOTIFICATION  the server calls it done before the card said that it was confirmed
 * refuted -DOLD_VIEW_IS_TAKEN -DSWAPS=1   an answer to an audit, overtaken by a notification
 *                                 that came after it on the card, overwrites what that one told
 * refuted -DANY_CONFIRM           a CONFIRM ends whatever is pending, not its sequence
 * refuted -DNEVER_ENDS_AS=IS_DONE         every end is reached, so the claims say something
 * refuted -DNEVER_ENDS_AS=IS_ROLLED_BACK
 * refuted -DNEVER_ENDS_AS=IS_KNOWN
 */
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef DOUBLES
#define DOUBLES 1
#endif
#ifndef SWAPS
#define SWAPS 0
#endif
#ifndef CUTS
#define CUTS 1
#endif
#ifndef AUTOMATIC
#define AUTOMATIC 1 /* fallbacks that nobody ordered */
#endif
#ifndef ROLLBACK
#define ROLLBACK 1 /* the command allows it */
#endif
#ifndef EARLY
#define EARLY 1
#endif
#ifndef AUDITS
#define AUDITS 1 /* that somebody asks for */
#endif
#define COUNTERS 40

mtype = { ENABLE, CONFIRM, AUDIT };                 /* to the card */
mtype = { PENDING, CONFIRMED, TOO_LATE, UNKNOWN, VIEW, NOTE }; /* from the card */
mtype = { NONE, ENABLED, ROLLED_BACK, FALLBACK };   /* causes */
mtype = { STABLE, PROBATION, CONFIRMING, ROLLING };  /* the card's switch */
mtype = { IDLE, SENT, SWITCHING, CONFIRMS, ASKING, ENDED }; /* the server's operation */
mtype = { NOTHING, IS_DONE, IS_ROLLED_BACK, IS_KNOWN };

/* To the card: kind, counter, sequence. From it: kind, counter of the command or sequence, cause,
 * the enabled subscription, MO counter. A view has a cause while a switch is open. */
chan mt = [3] of { mtype, byte, byte };
chan mo = [3] of { mtype, byte, mtype, byte, byte };

byte losses = LOSSES, doubles = DOUBLES, swaps = SWAPS, cuts = CUTS, early = EARLY;
byte automatic = AUTOMATIC, audits = AUDITS;

/* --- the card: what survives --- */
byte accepted;
mtype last_answer;        /* to that packet */
byte active_one = 1;
mtype phase = STABLE;
byte mo_counter;          /* of its own messages */
byte sequence;            /* of the last notification */
mtype pending = NONE;     /* of the commanded switch: the later outcome takes the earlier's place */
byte pending_sequence;
byte fallback_sequence;   /* of a pending FALLBACK, 0 = none */

/* --- the server: what survives --- */
byte counter;
byte mirror = 1;
bool dirty;
mtype state = IDLE;
mtype outcome = NOTHING;
bool is_late;             /* the window for ENABLED is over */
bool saw_late;            /* an ENABLED came after it */
byte confirming;          /* sequence that the last CONFIRM named */
mtype confirming_cause = NONE;
byte handled;             /* highest sequence that was taken */
byte asked;
byte mo_accepted;         /* highest MO counter */

inline notify(cause) {
    sequence++;
    if
    :: cause == FALLBACK -> fallback_sequence = sequence
    :: else -> pending = cause; pending_sequence = sequence
    fi
}

inline tell() {
    if
    :: pending != NONE && nfull(mo) -> mo_counter++; mo!NOTE(pending_sequence, pending, active_one, mo_counter)
    :: pending == NONE || full(mo)
    fi;
    if
    :: fallback_sequence > 0 && nfull(mo) -> mo_counter++; mo!NOTE(fallback_sequence, FALLBACK, active_one, mo_counter)
    :: fallback_sequence == 0 || full(mo)
    fi
}

#define HAS_PENDING (pending != NONE || fallback_sequence > 0)

bool is_told;   /* SENT_ONCE */
bool is_untold; /* NOT_WITH_THE_CHANGE: between the two commits */

inline answer() {
    mo!last_answer(c, (phase == STABLE -> NONE : ENABLED), active_one, mo_counter)
}

active proctype card() {
    mtype kind;
    byte c, s;
end:
    do
    :: mt?kind(c, s) ->
       if
       :: c < accepted
       :: c == accepted -> /* the same packet: what was said; an audit runs again */
#ifdef AUDIT_CLEARS
          if :: kind == AUDIT -> pending = NONE; fallback_sequence = 0 :: else fi;
#endif
          if :: nfull(mo) -> answer() :: full(mo) fi
       :: c > accepted ->
          atomic { accepted = c; last_answer = UNKNOWN };
          if :: cuts > 0 -> cuts--; goto off :: true fi;
          atomic {
              if
              :: kind == ENABLE && phase == STABLE && active_one != 2 -> last_answer = PENDING; phase = PROBATION
              :: kind == ENABLE && !(phase == STABLE && active_one != 2) -> last_answer = PENDING
              :: kind == AUDIT -> last_answer = VIEW;
#ifdef AUDIT_CLEARS
                 pending = NONE; fallback_sequence = 0
#endif
              :: kind == CONFIRM ->
                 if
#ifdef ANY_CONFIRM
                 :: HAS_PENDING -> last_answer = CONFIRMED;
                    if :: pending == ENABLED && phase == CONFIRMING -> phase = STABLE :: else fi;
                    pending = NONE; fallback_sequence = 0
#endif
                 :: fallback_sequence == s && s > 0 -> fallback_sequence = 0; last_answer = CONFIRMED
#ifdef CARD_TAKES_LATE
                 :: pending == ENABLED && pending_sequence == s ->
#else
                 :: pending == ENABLED && pending_sequence == s && phase == ROLLING -> last_answer = TOO_LATE
                 :: pending == ENABLED && pending_sequence == s && phase != ROLLING ->
#endif
                    pending = NONE; last_answer = CONFIRMED;
                    if :: phase == CONFIRMING -> phase = STABLE :: else fi
                 :: pending != NONE && pending != ENABLED && pending_sequence == s ->
                    pending = NONE; last_answer = CONFIRMED
                 :: else -> last_answer = UNKNOWN
                 fi
              fi
          };
          if
          :: cuts > 0 -> cuts--
          :: full(mo)
          :: nfull(mo) -> answer()
          fi
       fi;
off:   kind = 0; c = 0; s = 0
    /* The switch: committed with its outcome. */
    :: atomic { phase == PROBATION ->
           active_one = 2;
           if
           :: phase = CONFIRMING; notify(ENABLED); is_told = false
           :: ROLLBACK && true -> phase = ROLLING
           fi };
       if :: phase == CONFIRMING -> tell() :: else fi
    :: atomic { phase == CONFIRMING -> /* the last wait is over */
           if
           :: ROLLBACK -> phase = ROLLING
           :: !ROLLBACK -> phase = STABLE
           fi }
    :: atomic { phase == ROLLING -> active_one = 1; phase = STABLE; notify(ROLLED_BACK); is_told = false };
       tell()
    :: atomic { automatic > 0 && phase == STABLE && active_one == 2 -> automatic--;
           active_one = 1;
#ifndef NOT_WITH_THE_CHANGE
           notify(FALLBACK); is_told = false };
#else
           is_untold = true };
       if :: cuts > 0 -> cuts--; is_untold = false :: true -> is_untold = false; notify(FALLBACK) fi;
#endif
       tell()
#ifdef SENT_ONCE
    :: timeout && HAS_PENDING && !is_told -> is_told = true; pending = NONE; fallback_sequence = 0
#else
    :: timeout && HAS_PENDING -> tell()
#endif
    od
}

active proctype network() {
    mtype kind, cause;
    byte c, s, n;
end:
    do
    :: atomic { losses > 0 && nempty(mt) -> losses--; mt?kind(c, s) }
    :: atomic { losses > 0 && nempty(mo) -> losses--; mo?kind(c, cause, s, n) }
    :: atomic { doubles > 0 && nempty(mt) && nfull(mt) -> doubles--; mt?<kind, c, s>; mt!kind(c, s) }
    :: atomic { doubles > 0 && nempty(mo) && nfull(mo) -> doubles--; mo?<kind, c, cause, s, n>; mo!kind(c, cause, s, n) }
    :: atomic { swaps > 0 && len(mt) > 1 -> swaps--; mt?kind(c, s); mt!kind(c, s) }
    :: atomic { swaps > 0 && len(mo) > 1 -> swaps--; mo?kind(c, cause, s, n); mo!kind(c, cause, s, n) }
    od
}

inline send(kind, s) {
    counter++;
    assert(counter < COUNTERS);
    if :: nfull(mt) -> mt!kind(counter, s) :: full(mt) fi
}

inline audit() {
    dirty = true;
    send(AUDIT, 0);
    asked = counter;
    state = (state == ENDED || outcome != NOTHING -> ENDED : ASKING)
}

/* A notification that was handled before is confirmed again, and changes nothing. */
inline take(s, cause, e) {
    if
    :: cause == ENABLED && is_late && ROLLBACK && s > handled ->
       saw_late = true; handled = s;
#ifdef LATE_IS_CONFIRMED
       mirror = e; confirming = s; confirming_cause = cause; send(CONFIRM, s)
#else
       /* recorded, not confirmed: the card rolls back, or an audit tells */
       if :: !dirty -> audit() :: dirty fi
#endif
    :: cause == ENABLED && is_late && ROLLBACK && s <= handled
    :: else ->
       if
       :: s > handled -> handled = s; mirror = e;
          if
          :: cause == ENABLED && outcome == NOTHING -> state = CONFIRMS;
#ifdef DONE_AT_NOTIFICATION
             outcome = IS_DONE; state = ENDED
#endif
          :: cause == ROLLED_BACK && outcome == NOTHING -> outcome = IS_ROLLED_BACK; state = ENDED
          :: cause == ROLLED_BACK && outcome == IS_DONE -> assert(false)
          :: else
          fi
       :: s <= handled
       fi;
       confirming = s; confirming_cause = cause; send(CONFIRM, s)
    fi
}

active proctype server() {
    mtype kind, cause;
    byte c, e, n;
end:
    do
    :: atomic { state == IDLE -> state = SENT; send(ENABLE, 0) }
    :: atomic { mo?kind(c, cause, e, n) ->
           if
           :: kind == NOTE && n > mo_accepted -> mo_accepted = n; take(c, cause, e)
           :: kind == PENDING && state == SENT && c == counter -> state = SWITCHING
           :: kind == CONFIRMED && c == counter && confirming_cause == ENABLED && outcome == NOTHING ->
              outcome = IS_DONE; state = ENDED; confirming_cause = NONE
           :: kind == TOO_LATE && c == counter && confirming_cause == ENABLED -> audit()
           :: kind == UNKNOWN && c == counter && (state == SENT || confirming_cause == ENABLED) && !dirty -> audit()
#ifndef OLD_VIEW_IS_TAKEN
           :: kind == VIEW && c == asked && dirty && n < mo_accepted -> audit()
           :: kind == VIEW && c == asked && dirty && n >= mo_accepted ->
#else
           :: kind == VIEW && c == asked && dirty ->
#endif
              mirror = e; dirty = false;
              if
              :: outcome == NOTHING && cause == NONE -> outcome = IS_KNOWN; state = ENDED
              :: outcome == NOTHING && cause != NONE -> state = SWITCHING
              :: outcome != NOTHING
              fi
           :: else
           fi;
           kind = 0; cause = 0; c = 0; e = 0; n = 0 }
    :: atomic { audits > 0 && state == ENDED && !dirty -> audits--; audit() }
    :: atomic { (state == SWITCHING || state == SENT) && !is_late && early > 0 -> early--; is_late = true; audit() }
    :: atomic { timeout && !HAS_PENDING && state != ENDED && state != IDLE && !dirty -> is_late = true; audit() }
    :: atomic { timeout && !HAS_PENDING && dirty -> audit() }
    od
}

#define IS_TOLD_LATER (HAS_PENDING || is_untold || phase != STABLE || dirty || (state != IDLE && state != ENDED))

active proctype observer() {
    do
    :: atomic { mirror != active_one && !IS_TOLD_LATER && empty(mo) -> assert(false) }
    :: atomic { outcome == IS_DONE && saw_late -> assert(false) }
    :: atomic { timeout && state == ENDED && !dirty && !HAS_PENDING && phase == STABLE ->
           assert(mirror == active_one);
           assert(outcome != IS_ROLLED_BACK || active_one == 1);
           assert(outcome != IS_DONE || active_one == 2 || automatic < AUTOMATIC);
#ifdef NEVER_ENDS_AS
           assert(outcome != NEVER_ENDS_AS);
#endif
           break }
    od
}
