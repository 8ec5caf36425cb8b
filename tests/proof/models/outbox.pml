/*
 * The outbox: a packet is kept in the store until its end is committed, and leaves over links that
 * may not answer, refuse, or be down. The server's memory is lost whenever it stops.
 *
 * What was on a link is known to memory alone, until the end of the packet is committed together
 * with what follows from it. So a start after a crash, or after a stop with a packet out, takes
 * every operation under way for unknown; only after a clean stop what waits has never left.
 *
 * Holds: an operation is taken back as never sent only when no link had its packet; a packet has one
 * end, and nothing of it leaves behind that; packets of different octets never share a counter; what
 * is called done was executed, and what is given up never will be. When nothing can happen any more
 * no packet waits, and the operation is at its end or in the hands of an audit.
 *
 * Faults come from budgets, so every run ends, and its last state is judged.
 *
 * check
 * long    -DSILENCES=3 -DCRASHES=2 -DSTOPS=2 -DREFUSALS=2 -DFAILURES=2
 * refuted -DCRASH_IS_CLEAN      a start after a crash believes that what waits has never left
 * refuted -DSTOP_IS_CLEAN       a stop is called clean although a link did not answer
 * refuted -DEND_APART           the end is committed, and in a commit of its own the packet goes
 * refuted -DSENT_BEFORE_KEPT    a packet leaves before the store has it
 * refuted -DNOT_READ_AGAIN      what waits in the store at a start is not taken up
 * refuted -DSILENCE_IS_UNSENT   a link that did not answer is taken for one that took nothing
 * refuted -DNEVER_ENDS_AS=IS_DONE     every end is reached, so the claims say something
 * refuted -DNEVER_ENDS_AS=IS_UNKNOWN
 * refuted -DNEVER_ENDS_AS=IS_GIVEN_UP
 */
#ifndef SILENCES
#define SILENCES 2 /* answers of links that do not come */
#endif
#ifndef REFUSALS
#define REFUSALS 1 /* for now */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef FAILURES
#define FAILURES 1 /* commits that fail */
#endif
#ifndef OUTAGES
#define OUTAGES 2 /* of all links, long enough for a packet to become too old */
#endif
#define PACKETS 3 /* of one operation */

mtype = { QUEUED, SENDING, SENT, IS_UNKNOWN, IS_DONE, IS_GIVEN_UP }; /* the operation */
mtype = { NOTHING, ACCEPTED, SILENT, REFUSED, UNSENT };              /* the end of a packet */

byte silences = SILENCES, refusals = REFUSALS, crashes = CRASHES, stops = STOPS, failures = FAILURES,
     outages = OUTAGES;

/* --- what survives --- */
mtype operation = QUEUED;
byte counter;    /* of the last packet */
byte waiting;    /* the packet in the store's outbox, or 0 */
bool is_clean = true;

/* --- memory --- */
bool is_up = true;
byte held;       /* the packet in memory, or 0 */
bool was_out;    /* on a link */
byte silent;     /* links that did not answer */
mtype fate = NOTHING;
bool is_holding; /* the server stops: nothing more leaves */

/* --- the world --- */
bool taken[PACKETS + 1];  /* a message centre has it */
bool had_end[PACKETS + 1];
byte executed;
bool used[PACKETS + 1];

inline forget() {
    held = 0; was_out = false; silent = 0; fate = NOTHING; is_holding = false
}

/* A packet is built: the operation and the store's outbox change in one commit. */
inline build() {
    counter++;
    assert(!used[counter]);
    operation = SENDING;
    waiting = counter;
    held = counter; was_out = false; silent = 0; fate = NOTHING
}

/* What follows from the end of a packet, in the commit that also takes it out of the store. */
inline commit() {
    assert(!had_end[held]);
    if
    :: operation == SENDING && held == counter ->
       if
       :: fate == ACCEPTED || fate == SILENT -> operation = SENT
       :: fate == REFUSED -> operation = QUEUED
       :: fate == UNSENT ->
          assert(!taken[held]);
          operation = QUEUED
       fi
    :: else /* it is unknown, or an audit has ended it */
    fi;
    had_end[held] = true
}

inline leave() {
    assert(!had_end[held]);
    was_out = true; used[held] = true
}

active proctype server() {
end:
    do
    /* decisions */
    :: atomic { is_up && !is_holding && operation == QUEUED && waiting == 0 && counter < PACKETS ->
#ifdef SENT_BEFORE_KEPT
           used[counter + 1] = true; taken[counter + 1] = true;
           if
           :: crashes > 0 -> crashes--; is_up = false; is_clean = false; forget(); goto off
           :: true
           fi;
           used[counter + 1] = false; /* it is this packet */
#endif
           build() }
    :: atomic { is_up && operation == QUEUED && waiting == 0 && counter == PACKETS ->
           operation = IS_GIVEN_UP }
    /* links */
    :: atomic { is_up && !is_holding && held != 0 && fate == NOTHING -> leave();
           if
           :: taken[held] = true; fate = ACCEPTED
           :: refusals > 0 -> refusals--; fate = (silent > 0 -> SILENT : REFUSED)
           :: silences > 0 -> silences--; silent++; /* it may have been taken */
              if :: taken[held] = true :: true fi;
#ifdef SILENCE_IS_UNSENT
              was_out = false;
#endif
              if :: silent == 2 -> fate = SILENT :: else fi /* once more over the other link */
           fi }
    :: atomic { is_up && held != 0 && fate == NOTHING && outages > 0 -> outages--; /* too old */
           if
           :: silent > 0 && was_out -> fate = SILENT
           :: silent == 0 && was_out -> fate = REFUSED
           :: !was_out -> fate = UNSENT
           fi }
    /* commits */
    :: atomic { is_up && held != 0 && fate != NOTHING ->
           if
           :: failures > 0 -> failures-- /* again later */
           :: commit();
#ifdef END_APART
              if
              :: crashes > 0 -> crashes--; is_up = false; is_clean = false; forget(); goto off
              :: true
              fi;
#endif
              waiting = 0; held = 0; was_out = false; silent = 0; fate = NOTHING
           fi }
    /* the end of its life */
    :: atomic { is_up && crashes > 0 -> crashes--; is_up = false;
#ifndef CRASH_IS_CLEAN
           is_clean = false;
#endif
           forget() }
    :: atomic { is_up && stops > 0 -> stops--; is_holding = true }
    :: atomic { is_up && is_holding ->
#ifndef STOP_IS_CLEAN
           if :: held != 0 && was_out -> is_clean = false :: else fi;
#endif
           is_up = false; forget() }
off:
    :: atomic { !is_up -> is_up = true;
           if
           :: !is_clean && (operation == SENDING || operation == SENT) -> operation = IS_UNKNOWN
           :: else
           fi;
           is_clean = true;
#ifndef NOT_READ_AGAIN
           held = waiting
#endif
       }
    od
}

/* Of packets that a centre has, the card executes one: they carry one operation id. */
active proctype card() {
    byte i;
end:
    do
    :: atomic { executed == 0 && (taken[1] || taken[2] || taken[3]) -> executed = 1;
           if
           :: operation == SENT || operation == SENDING -> operation = IS_DONE /* its answer */
           :: true
           fi }
    od
}

active proctype observer() {
    timeout;
    assert(is_up && waiting == 0 && held == 0);
    assert(operation != QUEUED && operation != SENDING);
    assert(operation != IS_DONE || executed == 1);
    assert(operation != IS_GIVEN_UP || !(taken[1] || taken[2] || taken[3]));
#ifdef NEVER_ENDS_AS
    assert(operation != NEVER_ENDS_AS)
#endif
}
