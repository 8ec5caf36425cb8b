/*
 * Operations: the server lets a card do something once, over short messages that are lost, doubled
 * and late, while the card's power and the server itself may fail at any step.
 *
 * Two numbers: the counter belongs to one packet and only grows; the operation id belongs to one
 * intention, and the card keeps its result in the commit of its effect. An operation whose end is
 * not known makes the card dirty; an audit, which asks for the operation by its id, ends that.
 *
 * Holds: nothing is executed twice; what is called done was executed, what is called expired was not
 * and never will be; mirror and card never differ in silence. When nothing can happen any more the
 * mirror is the card, the card is clean and no operation is open.
 *
 * Faults come from budgets, so every run ends, and its last state is judged.
 *
 * check
 * check   -DCUTS=3 -DCRASHES=0
 * long    -DLOSSES=1 -DDOUBLES=2 -DSWAPS=2
 * long    -DCUTS=2 -DEARLY=2
 * refuted -DONE_COUNTER_ONLY     the card knows no operation ids: a repeat executes again
 * refuted -DNEW_ID_ON_RETRY      a repeat under a new id executes again
 * refuted -DRESULT_APART         the result is kept in a commit of its own, after the effect
 * refuted -DCOUNTER_REUSED       after a crash the server takes a counter that was on the wire
 * refuted -DAUDIT_ENDS_ALL       an answer to an earlier audit is taken for the present one
 * refuted -DSILENCE_CLEANS       no answer to an audit is taken for "nothing happened"
 * refuted -DNEVER_ENDS_AS=IS_DONE   every end is reached, so the claims say something
 * refuted -DNEVER_ENDS_AS=EXPIRED
 */
#ifndef LOSSES
#define LOSSES 2
#endif
#ifndef DOUBLES
#define DOUBLES 1
#endif
#ifndef SWAPS
#define SWAPS 1
#endif
#ifndef CUTS
#define CUTS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef EARLY
#define EARLY 1 /* timers that fire although something is still under way */
#endif
#define OPERATIONS 2
#define ATTEMPTS 2 /* packets of one operation */
#define IDS 6
#define COUNTERS 32 /* more than the budgets can use up: to reach it is to ask for ever */

mtype = { COMMAND, AUDIT };
mtype = { DONE, LOW, VIEW };          /* what a card answers */
mtype = { IDLE, SENT, ASKING };       /* server */
mtype = { NOTHING, IS_DONE, EXPIRED }; /* outcome */

/* To the card: kind, counter, id, value. From it: kind, counter, result of the id, value. */
chan mt = [4] of { mtype, byte, byte, byte };
chan mo = [4] of { mtype, byte, byte, byte };

byte losses = LOSSES, doubles = DOUBLES, swaps = SWAPS, cuts = CUTS, crashes = CRASHES, early = EARLY;

/* --- the card: what survives --- */
byte accepted;       /* counter of the last accepted packet */
byte value;          /* the registry: who wrote it last */
byte highest;        /* operation id */
byte answered;       /* counter of the packet whose answer is kept */
byte executed[IDS];  /* how often; the checker's */
byte effects;        /* of the intention under way; the checker's */
bool given_up[IDS];  /* called expired; the checker's */

/* --- the server: what survives --- */
byte counter;        /* of the last packet */
byte id;             /* of the operation */
byte wanted;         /* value that it writes */
byte mirror;
bool dirty;
mtype phase = IDLE;
mtype outcome = NOTHING;
byte attempts;
byte asked;          /* counter of the present audit: its nonce */
byte begun;          /* operations so far */

inline execute(i, v) {
    value = v;
    executed[i]++;
    effects++;
    assert(executed[i] <= 1);
    assert(effects <= 1);
    assert(!given_up[i])
}

active proctype card() {
    mtype kind;
    byte c, i, v;
end:
    do
    :: mt?kind(c, i, v) ->
       if
       :: c < accepted || (c == accepted && answered != c && kind == COMMAND) ->
          /* not higher, or accepted but cut off before its effect */
          if :: nfull(mo) -> mo!LOW(c, 0, 0) :: full(mo) fi
       :: c == accepted && (answered == c || kind == AUDIT) ->
          /* the same packet again: what was said is said again; an audit runs again */
          goto answer
       :: c > accepted ->
          accepted = c;
          if :: cuts > 0 -> cuts--; goto off :: true fi;
          atomic {
              if
              :: kind == COMMAND ->
#ifdef ONE_COUNTER_ONLY
                 execute(i, v);
                 highest = i; answered = c
#else
                 if
                 :: i > highest -> execute(i, v);
#ifndef RESULT_APART
                    highest = i; answered = c
#endif
                 :: else -> answered = c /* kept result, replayed */
                 fi
#endif
              :: else
              fi
          };
#ifdef RESULT_APART
          if :: cuts > 0 -> cuts--; goto off :: true fi;
          if :: kind == COMMAND && i > highest -> highest = i; answered = c :: else fi;
#endif
          goto answer
       fi;
       goto off;
answer:
       if
       :: cuts > 0 -> cuts--  /* the answer is lost with the power */
       :: full(mo)
       :: nfull(mo) ->
          if
          :: kind == COMMAND -> mo!DONE(c, i, value)
          :: kind == AUDIT -> mo!VIEW(c, (highest >= i -> 1 : 0), value)
          fi
       fi;
off:   kind = 0; c = 0; i = 0; v = 0
    od
}

/* The network, in both directions. A receipt that says "expired" is given only by the sender's
 * own centre, which has taken the message out: it lets the server try again. */
bool is_expired; /* a receipt for the last packet */

active proctype network() {
    mtype kind;
    byte c, i, v;
end:
    do
    :: atomic { losses > 0 && nempty(mt) -> losses--; mt?kind(c, i, v);
           if
           :: c == counter && phase == SENT -> is_expired = true
           :: true
           fi }
    :: atomic { losses > 0 && nempty(mo) -> losses--; mo?kind(c, i, v) }
    :: atomic { doubles > 0 && nempty(mt) && nfull(mt) -> doubles--; mt?<kind, c, i, v>; mt!kind(c, i, v) }
    :: atomic { doubles > 0 && nempty(mo) && nfull(mo) -> doubles--; mo?<kind, c, i, v>; mo!kind(c, i, v) }
    :: atomic { swaps > 0 && len(mt) > 1 -> swaps--; mt?kind(c, i, v); mt!kind(c, i, v) }
    :: atomic { swaps > 0 && len(mo) > 1 -> swaps--; mo?kind(c, i, v); mo!kind(c, i, v) }
    od
}

/* Two packets with different octets never share a counter. */
bool used[COUNTERS];

inline send(kind) {
    counter++;
    assert(counter < COUNTERS && !used[counter]);
    used[counter] = true;
    is_expired = false;
    if :: nfull(mt) -> mt!kind(counter, id, wanted) :: full(mt) fi
}

inline audit() {
    dirty = true;
    phase = ASKING;
    send(AUDIT);
    asked = counter
}

/* Wrong, not dirty, and nothing open. */
#define IS_SILENT (mirror != value && !dirty && phase == IDLE)

active proctype server() {
    mtype kind;
    byte c, i, v;
end:
    do
    :: atomic { phase == IDLE && !dirty && begun < OPERATIONS ->
           begun++; id++; wanted = begun; attempts = 1; outcome = NOTHING; effects = 0;
           phase = SENT; send(COMMAND) }
    :: atomic { mo?kind(c, i, v) ->
           if
           :: kind == DONE && phase == SENT && c == counter ->
              mirror = v; phase = IDLE; outcome = IS_DONE;
              assert(executed[id] == 1)
           :: kind == LOW && phase == SENT && c == counter -> audit()
#ifdef AUDIT_ENDS_ALL
           :: kind == VIEW && phase == ASKING ->
#else
           :: kind == VIEW && phase == ASKING && c == asked ->
#endif
              mirror = v; dirty = false;
              if
              :: outcome != NOTHING -> phase = IDLE
              :: outcome == NOTHING && i == 1 -> phase = IDLE; outcome = IS_DONE; assert(executed[id] == 1)
              :: outcome == NOTHING && i == 0 && attempts < ATTEMPTS ->
                 attempts++; phase = SENT; /* never seen: again, under the same id */
#ifdef NEW_ID_ON_RETRY
                 id++;
#endif
                 send(COMMAND)
              :: outcome == NOTHING && i == 0 && attempts == ATTEMPTS ->
                 /* the audit's counter shuts the command out */
                 phase = IDLE; outcome = EXPIRED; given_up[id] = true; assert(executed[id] == 0)
              fi
           :: else /* answers nothing that is open: late; what it says may be old */
           fi;
           kind = 0; c = 0; i = 0; v = 0 }
    :: atomic { is_expired && phase == SENT && attempts < ATTEMPTS -> attempts++;
#ifdef NEW_ID_ON_RETRY
           id++;
#endif
           send(COMMAND) }
    :: atomic { phase == SENT && early > 0 -> early--; audit() }
    :: atomic { timeout && phase == SENT -> audit() }
#ifdef SILENCE_CLEANS
    :: atomic { phase == ASKING && early > 0 -> early--;
           dirty = false; phase = IDLE; outcome = EXPIRED; given_up[id] = true }
#else
    :: atomic { phase == ASKING && early > 0 -> early--; audit() }
#endif
    :: atomic { timeout && phase == ASKING -> audit() }
    :: atomic { crashes > 0 -> crashes--;
#ifdef COUNTER_REUSED
           if :: phase == SENT -> counter-- :: else fi;
#endif
           if :: phase != IDLE -> audit() :: else fi }
    od
}

/* Nothing is wrong in silence; and in the end, which every run must reach, nothing is wrong. */
active proctype observer() {
    do
    :: atomic { IS_SILENT -> assert(false) }
    :: atomic { timeout && begun == OPERATIONS && phase == IDLE && !dirty ->
           assert(mirror == value);
#ifdef NEVER_ENDS_AS
           assert(outcome != NEVER_ENDS_AS);
#endif
           break }
    od
}
