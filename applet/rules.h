// The state machine of the applet as one table, and the turn in which it runs.
//
// What is true in each state (enum switch_state):
//   STARTING    the card was reset and the terminal has not yet said what service there is
//   STABLE      normal service, no switch open
//   SUSPECT     no normal service, no switch open; the outage clock runs
//   SWITCHING   the journal is open: the answer is on its way, or a REFRESH is wanted
//   PROBATION   the new subscription is committed; it must find normal service in T_ATTACH
//   CONFIRMING  a commanded switch found service and waits for the server's CONFIRM
//   BACKOFF     nothing worked; the card waits on the fallback subscription
//
// docs/applet-states.md is drawn from the table.
#pragma once

#include "applet/memory.h"

enum rule_event {
    EVENT_START = 0,   // the card was reset
    EVENT_NORMAL,      // normal service
    EVENT_NOT_NORMAL,  // limited service or none
    EVENT_CLOCK,       // what the state waits for is over
    EVENT_CONDEMNED,   // the network rejected the subscription itself
    EVENT_COMMAND,     // ENABLE was accepted
    EVENT_SENT,        // the answer to a command left, or could not
    EVENT_TAKEN,       // the terminal took the REFRESH
    EVENT_REFUSED,     // it did not
    EVENT_CONFIRM,     // the server confirmed
    EVENT_UNCONFIRMED, // it did not within the last wait
    EVENT_COUNTRY,     // the country table prefers another subscription
    EVENT_RETURN,      // it is time to return to the preferred subscription
    EVENT_DAY,         // a new day of automatic switches began
};
#define RULE_EVENTS 14
#define RULE_STATES 7

// What CLOCK_STATE counts.
enum rule_wait {
    WAIT_NONE = 0,
    WAIT_FIRST_STATUS,
    WAIT_OUTAGE,
    WAIT_JITTER,
    WAIT_JITTER_COUNTRY,
    WAIT_JITTER_RETURN,
    WAIT_DAY, // nothing: service or the next day
    WAIT_ANSWER,
    WAIT_PAUSE, // T_REFRESH
    WAIT_FETCH, // the REFRESH lies ready
    WAIT_TAKE,  // it was fetched
    WAIT_RETRY,
    WAIT_ATTACH,
    WAIT_BACKOFF,
};

// A commanded switch, as commands.c hands it over.
struct order {
    uint8_t to;
    bool may_roll_back;
    bool set_fallback;
    uint32_t operation_id;
};

// One thing that happened and all that follows from it: read the image, change it, commit once.
struct turn {
    struct applet *a;
    const struct applet_port *port;
    struct image *image;
    struct applet saved; // to go back to when the commit fails
    bool is_changed;
    bool is_scrub; // keys were removed
    bool has_next;
    enum rule_event next;
    struct order order;
    bool answers_by_message; // the answer to the command of this turn travels by SEND SHORT MESSAGE
    enum memory_status failed; // of the commit
};

// False when there is no image, or the start of the card could not be kept (start.h); then nothing
// is to be done.
bool turn_begin(struct turn *t, struct applet *a, const struct applet_port *port) MUST_USE;
// The same for the start itself.
bool turn_load(struct turn *t, struct applet *a, const struct applet_port *port) MUST_USE;
// Commits what changed. False: it failed, and card and applet are as before.
bool turn_end(struct turn *t);
// Takes the event to the table, and those that follow from it.
void turn_feed(struct turn *t, enum rule_event event);
// Event for after the present action.
void turn_next(struct turn *t, enum rule_event event);

struct rule {
    uint8_t from; // enum switch_state
    enum rule_event event;
    bool (*guard)(const struct turn *t); // NULL: always
    void (*action)(struct turn *t);      // NULL: none
    uint8_t to;
    const char *guard_name;
    const char *action_name;
    const char *why;
};
// The table; of several rows for one state and event the first whose guard holds counts.
const struct rule *rules_table(size_t *count);
// True for a pair without a row: the event means nothing in that state.
bool rules_is_ignored(uint8_t state, enum rule_event event);
const char *rules_event_name(enum rule_event event);
const char *rules_state_name(uint8_t state);
