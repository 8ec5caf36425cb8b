// A campaign: one operation for many cards, within a rate, in windows, a canary first. Its cards
// are rows of the store; this decides about all of them by their numbers alone.
//
// Promises: a plain value without pointers; the same campaign, sight and time give the same move. A
// card is asked once, because whoever asks it writes its row in the same transaction. Never: knows
// a card, counts rows, asks a clock.
#pragma once

#include "ota-server/core/decision.h"

#define CAMPAIGN_WINDOWS_MAX 8
#define CAMPAIGN_RATE_MAX 5000   // cards a second
#define CAMPAIGN_OPEN_MAX 100000 // operations that may be open at once
#define CAMPAIGN_ASK_MAX 256     // cards that one step asks
#define CAMPAIGN_LOOK_MAX 1000   // last ended ones that the automatic pause looks at
#define CAMPAIGN_QUARANTINE_MS (10 * 60 * 1000)
#define CAMPAIGN_QUARANTINE_MAX 3 // that are a series

enum campaign_state {
    CAMPAIGN_DRAFT,          // its target is not frozen
    CAMPAIGN_CHECKED,        // the target is frozen, each card was judged
    CAMPAIGN_AWAIT_APPROVAL, // the same, and a second person is asked
    CAMPAIGN_SCHEDULED,      // started; waits for its time
    CAMPAIGN_CANARY,         // a few cards, then the gate
    CAMPAIGN_RUNNING,
    CAMPAIGN_PAUSED, // asks no card; what is open ends
    CAMPAIGN_COMPLETED,
    CAMPAIGN_STOPPED,
};
#define CAMPAIGN_STATES (CAMPAIGN_STOPPED + 1)

enum campaign_input {
    CAMPAIGN_IN_EDITED,
    CAMPAIGN_IN_CHECKED,
    CAMPAIGN_IN_STARTED,
    CAMPAIGN_IN_ASKED,      // started, and a second person must approve
    CAMPAIGN_IN_APPROVED,   //
    CAMPAIGN_IN_UNAPPROVED, // rejected, or nobody came in time
    CAMPAIGN_IN_TIME,       // its time has come, and the canary is first
    CAMPAIGN_IN_TIME_FOR_ALL,
    CAMPAIGN_IN_GATE_PASSED,
    CAMPAIGN_IN_PAUSED,
    CAMPAIGN_IN_RESUMED,
    CAMPAIGN_IN_STOPPED, // by a person, or at the end of its schedule
    CAMPAIGN_IN_ALL_ENDED,
};
#define CAMPAIGN_INPUTS (CAMPAIGN_IN_ALL_ENDED + 1)

#define CAMPAIGN_REFUSED CAMPAIGN_STATES // as the next state: not now
struct campaign_rule {
    uint16_t from; // set of (1 << enum campaign_state)
    uint8_t input, next;
};
extern const struct campaign_rule campaign_rules[];
extern const size_t campaign_rule_count;
// CAMPAIGN_REFUSED when the state does not permit it.
uint8_t campaign_next(uint8_t state, uint8_t input);

// How far a card has got; only upwards.
enum campaign_step {
    CAMPAIGN_LISTED,  // not judged yet, or excluded at the check
    CAMPAIGN_WAITING, // eligible
    CAMPAIGN_ASKED,   // its operation is there
    CAMPAIGN_SENT,    // an SMSC has its packet
    CAMPAIGN_DELIVERED,
    CAMPAIGN_ANSWERED, // by the card
    CAMPAIGN_CONFIRMED,
};
#define CAMPAIGN_STEPS (CAMPAIGN_CONFIRMED + 1)

// Why a card goes no further: an enum refusal, one of these, or CAMPAIGN_FAILURE and an enum
// operation_failure. 0: it still does.
enum campaign_reason {
    CAMPAIGN_CARD_BLOCKED = 64,
    CAMPAIGN_CARD_ELSEWHERE, // in another running campaign
    CAMPAIGN_SEVERAL,        // subscriptions of the pool are on the card
    CAMPAIGN_DONE = 127,
    CAMPAIGN_FAILURE = 128,
};
const char *campaign_reason_name(uint8_t reason); // "CARD_DIRTY"; "" for 0
const char *campaign_state_name(uint8_t state);
const char *campaign_step_name(uint8_t step); // "delivered"

// Why it was paused or stopped last.
enum campaign_why {
    CAMPAIGN_WHY_NONE,
    CAMPAIGN_WHY_PERSON,
    CAMPAIGN_WHY_CANARY_SUCCESS, // too few succeeded
    CAMPAIGN_WHY_CANARY_ROLLBACK,
    CAMPAIGN_WHY_FAILURES,
    CAMPAIGN_WHY_QUARANTINE,
    CAMPAIGN_WHY_STORM,
    CAMPAIGN_WHY_NO_LINK,
    CAMPAIGN_WHY_TIME_OVER,
    CAMPAIGN_WHY_REJECTED,
    CAMPAIGN_WHY_EXPIRED,  // the wait for approval
    CAMPAIGN_WHY_RESTORED, // the database is older than what was asked
};
const char *campaign_why_name(uint8_t why); // "CANARY_SUCCESS"; "" for none

// Hours of the day in a place, on days of the week there. `from` after `to` passes midnight, and
// belongs to the day on which it begins; equal ones are the whole day.
struct campaign_window {
    uint8_t days; // bit 0: Monday
    uint16_t from_min, to_min;
    struct utc_offset place; // as octets the offset alone: who runs it knows the next change
};

struct campaign {
    uint64_t id, tenant, parent;
    uint8_t state;
    struct actor actor; // who started it
    uint64_t correlator, approval;
    struct operation operation; // that each card is asked for: kind, flags, list, changes of plan
    uint64_t pool;              // whose subscription it is about, or 0
    uint64_t pool_owner;        // whose cards alone may have of it, or 0
    bool is_sharp;              // changes where cards report to: a second person, whatever else
    uint32_t ttl_s;             // 0: that of the card's group
    uint8_t template_default;   // of the pool, for subscriptions without one of their own
    bool with_blocked;
    uint16_t per_second;
    uint16_t per_network; // of them in one network; 0: no limit of its own
    uint32_t open_max;
    uint32_t canary_count;             // 0: the smaller of 1 % and 100, at least 1
    uint8_t success_min, rollback_max; // percent of the canary
    uint8_t failure_max;               // percent of the last `look`
    uint16_t look;
    struct utc start_at, end_at; // 0: none
    uint8_t window_count;
    struct campaign_window windows[CAMPAIGN_WINDOWS_MAX];

    // what the check found
    uint64_t check; // which one is at it, or was
    uint32_t targeted, eligible;
    uint8_t hash[32];     // of the request and its target
    uint32_t stock;       // free subscriptions of the pool then
    uint32_t approval_at; // cards above which a second person is needed
    bool needs_approval;  // however many they are
    struct utc checked_at;

    // since its start
    struct utc started_at, ended_at, approval_until;
    bool is_canary_over;
    uint8_t why;
    struct utc judged_from; // what ended before does not pause it any more
    uint32_t credit;        // thousandths of a card that the rate allows
    struct utc credit_at;
    uint64_t cursor; // during a check, and after a stop: cards up to this one are through
};
void campaign_init(struct campaign *c, uint64_t id);
// As octets for the store. False: none of ours, or of a form that is not known; a time, a window or
// a flag that no campaign has is none of ours.
#define CAMPAIGN_FORM 1
#define CAMPAIGN_OCTETS_MAX 2048
void campaign_write(struct writer *w, const struct campaign *c);
bool campaign_read(struct bytes octets, struct campaign *c) MUST_USE;

bool campaign_is_running(uint8_t state); // from SCHEDULED until its end
bool campaign_is_over(uint8_t state);
// Must a second person approve its start?
bool campaign_needs_approval(const struct campaign *c);

struct campaign_counts {
    uint64_t by_step[CAMPAIGN_STEPS]; // cards whose highest step it is
    uint64_t waiting, open;           // not asked yet; asked, and not at their end
    uint64_t done, failed;            // those that count
    uint64_t rolled_back;             // of the failed ones
};
// Takes cards of one step and reason into account.
void campaign_count(struct campaign_counts *counts, uint8_t step, uint8_t reason, uint64_t cards);
// Cards that came to a step, or further.
uint64_t campaign_reached(const struct campaign_counts *counts, uint8_t step);
// Does it count as a failure: not what was refused or cancelled before anything happened?
bool campaign_is_failure(uint8_t reason);

struct campaign_sight {
    struct utc now;
    struct campaign_counts counts;
    uint32_t look_ended, look_failed; // of the last `look` that ended since judged_from
    uint32_t quarantined;             // cards, since judged_from and in the last 10 minutes
    struct utc restored_at;           // of the last restore from a backup, or 0
    bool is_storm, has_no_link;
};
struct campaign_move {
    bool is_changed; // its state
    bool is_halted;  // paused by itself: an alarm
    uint32_t ask;    // cards, at most
    struct utc due;  // when to look again; 0: not before somebody does something
};
// What follows now. It may have changed its state once; then it wants to be looked at again.
void campaign_move(struct campaign *c, const struct campaign_sight *s, struct campaign_move *m);
// So many cards were asked.
void campaign_spend(struct campaign *c, uint32_t cards);
// A person or the interface does this; false: not in this state.
bool campaign_input(struct campaign *c, uint8_t input, uint8_t why, struct utc now) MUST_USE;

// Of all windows: is one open, and if not, when is the next? 0: never.
struct utc campaign_open_at(const struct campaign *c, struct utc now);
uint32_t campaign_canary(const struct campaign *c); // cards of the canary

// What excludes the card whatever the operation is: 0, or a campaign_reason.
uint8_t campaign_exclusion(const struct campaign *c, const struct record *r);
// How far a card is with its operation, and why no further.
void campaign_stage(const struct operation *o, uint8_t *step, uint8_t *reason);
