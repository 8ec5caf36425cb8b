// The turn: what was gathered since the last one becomes one transaction, and only then acts.
//
//     load, decide, save, trail, outbox          for each event
//     commit                                     one FULL sync for all of them
//     hand packets to the links, answer who waits, acknowledge deliver_sm
//
// Promises: nobody is answered before the commit; a crash can only repeat a message; an event that
// fails alone (unknown card, moved fence) fails alone. When the database cannot write, everyone who
// waits gets REFUSAL_OVERLOADED (the interface answers 503) and messages a temporary error, and the
// next turn tries again; when its last write is unknown, turn_run() answers TURN_STOP.
// Never: asks a clock or a socket. One thread.
#pragma once

#include "ota-server/store/retention.h"
#include "ota-server/store/store.h"

#define TURN_EVENTS_MAX 1024
#define TURN_GATHER_MS 20

// A value of the store: when it was restored from a backup last, 8 octets of ms.
#define TURN_RESTORED_AT "restored-at"
// While cards are still to be told of a restore: its age when that began, 8 octets of ms.
#define TURN_RESTORED_AGE "restored-age"

struct turn;

// After the commit, or after its failure. `record` is the card after it, or NULL.
struct turn_answer {
    uint8_t refusal;    // enum refusal
    uint64_t operation; // accepted or found
    const struct record *record;
};
typedef void turn_answer_fn(void *context, const struct turn_answer *answer);

// A packet that is durable and may leave. The octets are good during the call only.
typedef void turn_send_fn(void *context, const struct message *message);
// The packet, which turn_send_fn was given, holds up what somebody asks for: it is no automatic
// audit any more. It may have left already.
typedef void turn_hurry_fn(void *context, uint64_t card, uint64_t message);
typedef void turn_alarm_fn(void *context, uint8_t key, uint64_t card, bool is_raised);

// What a saved decision asks for besides packets: runs in its transaction, and may write.
typedef enum store_status turn_follow_fn(void *context, struct store *store,
                                         const struct decision *decision, struct utc at);

// Completes EVENT_PLAN for the card whose bootstrap is next in its group: reserves what the rule of
// `policy` wants for it, or says why it has to wait. Runs in the event's transaction.
typedef enum store_status turn_plan_fn(void *context, struct store *store,
                                       const struct policy *policy, const struct record *record,
                                       struct event *event);

// What a campaign that is due does in a turn: it may write, and ask cards with turn_event_now().
// On a status other than OK its part is undone, and it is looked at again a minute later.
typedef enum store_status turn_campaign_fn(void *context, struct turn *t, uint64_t campaign,
                                           struct utc now);

struct turn_options {
    struct store *store;         // the writer
    const struct policy *policy; // of the installation; a group may have its own
    unsigned trail_months;       // after which a month of the trail is removed; 0: never
    unsigned retired_key_days;   // after which a retired card's keys are erased; 0: never
    // After which these are removed; a month counts 31 days; 0: never.
    unsigned operation_months, message_days, alarm_months, location_months, campaign_months;
    // Between two automatic audits, as all links together take them: after a restore the cards are
    // asked in as long as that takes. 0: all at once.
    uint64_t audit_gap_us;
    const struct cipher *cipher;
    turn_send_fn *send;         // may call turn_event()
    turn_hurry_fn *hurry;       // or NULL
    void *send_context;         // of both
    turn_follow_fn *follow;     // or NULL: there are no bootstraps
    turn_plan_fn *plan;         // likewise
    void *follow_context;       // of both
    turn_campaign_fn *campaign; // or NULL: there are none
    void *campaign_context;
    turn_alarm_fn *alarm; // or NULL
    void *alarm_context;
};

// NULL when there is no memory.
struct turn *turn_open(const struct turn_options *options) MUST_USE;
void turn_close(struct turn *t);

// Queues an event for a card. False: the turn is full, nothing was taken (answer 503). `answer`
// may be NULL. The event's `fresh_id` and `at` are set by the turn.
bool turn_event(struct turn *t, uint64_t card, const struct event *event, turn_answer_fn *answer,
                void *context) MUST_USE;

// Why and from where, in the words of who asks, for the trail. NULL or good until the answer.
struct turn_origin {
    const char *reason, *address;
    uint64_t tenant; // of an enterprise that asks; 0: that of the card
    // What the SMSC called the parts that an event is about [store_step_add()]; or NULL.
    const char *(*messages)(const void *of, char text[STEP_MESSAGES_SIZE]);
    const void *messages_of;
};

// The same, with a part that runs first and inside the same transaction: it may use the store and
// complete the request, or set its refusal. What it wrote is undone when it fails, when the
// request is refused, and when it is only judged.
typedef enum store_status turn_prepare_fn(void *context, struct store *store, struct event *event);
// And a part that runs last, also for what is refused: what it writes is committed with the event,
// which is undone when it fails. It may run again when what ran beside it was undone.
typedef enum store_status turn_decided_fn(void *context, struct store *store,
                                          const struct turn_answer *answer);
struct turn_prepared {
    turn_prepare_fn *prepare; // or NULL
    turn_decided_fn *decided; // or NULL
    turn_answer_fn *answer;
    void *context; // of all
    bool is_dry;   // judge only: nothing is saved
    struct turn_origin origin;
};
bool turn_event_prepared(struct turn *t, uint64_t card, const struct event *event,
                         const struct turn_prepared *with) MUST_USE;

// The same at once, for what runs inside a turn; of `with`, neither answer nor `is_dry` count for
// more than their turn. On a status other than OK it was undone and `answer` says nothing; BUSY,
// FULL and LOST mean that the whole turn cannot be written.
enum store_status turn_event_now(struct turn *t, uint64_t card, const struct event *event,
                                 const struct turn_prepared *with,
                                 struct turn_answer *answer) MUST_USE;
// When that is, at start, before the first turn.
void turn_set_time(struct turn *t, struct utc now);
// May the turn send another packet?
bool turn_has_room(const struct turn *t);

// Queues any other write: `apply` runs inside the transaction and may use the store; its trail rows
// are its own. On a status other than OK its part is undone. `done` runs after the commit.
typedef enum store_status turn_apply_fn(void *context, struct store *store, struct utc now);
typedef void turn_done_fn(void *context, enum store_status status);
bool turn_write(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context) MUST_USE;
// The same for an `apply` that may run again when what ran beside it was undone.
bool turn_write_repeatable(struct turn *t, turn_apply_fn *apply, turn_done_fn *done,
                           void *context) MUST_USE;
// The same for a part of what counts as nothing before its end: `done` does not wait for the disk.
// It is durable when the `done` of a turn_write() that came later is called.
bool turn_write_part(struct turn *t, turn_apply_fn *apply, turn_done_fn *done,
                     void *context) MUST_USE;

// Octets of a message from a card: a whole packet, joined. `done` says when (and whether) the
// message may be acknowledged.
struct turn_message {
    char number[NUMBER_TEXT_SIZE];
    bool has_reference;
    uint8_t reference[CARD_REFERENCE_SIZE];
    bool is_response; // response packet, else command packet of the card
    uint8_t sms;
    uint16_t packet_len;
    uint8_t packet[MESSAGE_PACKET_MAX];
};
bool turn_receive(struct turn *t, const struct turn_message *message, turn_done_fn *done,
                  void *context) MUST_USE;

// From now on `heard` is told of each answer with the card's own MAC: it came to what the card was
// sent with this counter. `context` lives as long as the turn runs.
typedef void turn_heard_fn(void *context, uint64_t card, uint64_t counter);
void turn_tell_answers(struct turn *t, turn_heard_fn *heard, void *context);

// Cards became known: what came from them before, and was kept because it fitted no card, is heard
// as if it came now, some at a time in the next turns.
void turn_look_at_strays(struct turn *t);

enum turn_status {
    TURN_OK = 0,
    TURN_RETRY, // the database could not write now
    TURN_STOP,  // it must not go on
};
// Runs one turn at `now`, wakes of cards included.
enum turn_status turn_run(struct turn *t, struct utc now) MUST_USE;
// How long rows of the trail have been without a checkpoint; 0: all have one.
uint64_t turn_uncovered_ms(const struct turn *t, struct utc now);
// When the next turn is due without a new event; 0 = not before one comes.
struct utc turn_due(const struct turn *t);
bool turn_has_work(const struct turn *t);
// False when the last turn could not be written: the disk is full, read-only or locked.
bool turn_can_write(const struct turn *t);
// How a group's cards are reached.
#define TURN_ROUTE_SIZE 32
#define TURN_SOURCE_SIZE 21 // digits, + allowed, or a name; and a zero
struct turn_route {
    char primary[TURN_ROUTE_SIZE], backup[TURN_ROUTE_SIZE]; // of links; "": as the numbers say
    char source[TURN_SOURCE_SIZE];                          // of messages; "": the server's
    bool has_no_receipts;                                   // none are asked for
    uint32_t rate;                                          // SMS per second; 0: no limit
    uint32_t window;                                        // SMS without an answer; 0: no limit
};
struct turn_route turn_route_of(struct turn *t, uint64_t group);
// A card as it is stored, good until the next call; NULL: it cannot be read, which is a failure, or
// there is none.
const struct record *turn_card(struct turn *t, uint64_t card);
// The rules of a group were changed in this turn: they hold from the next event on.
void turn_forget_rules(struct turn *t);
// The installation's own policy.
const struct policy *turn_policy(const struct turn *t);
// A fresh server id, for what an interface creates itself.
uint64_t turn_id(struct turn *t, struct utc now);
// The first of `count` of them, for who gives them out itself.
uint64_t turn_ids(struct turn *t, struct utc now, uint64_t count);

// At start: when the clock stands before the last row of the trail, takes all times that something
// waits for back with it; marks cards dirty after an unclean stop or a restore, in steps of a
// transaction each; and puts waiting packets back to the links. At stop: stores that it was clean.
enum turn_status turn_start(struct turn *t, struct utc now) MUST_USE;
enum turn_status turn_stop(struct turn *t, struct utc now) MUST_USE;
// How far the clock had gone back at the start; 0: not.
int64_t turn_clock_back_ms(const struct turn *t);
// Did it start from a backup, put back by the command or found to be one?
bool turn_was_restored(const struct turn *t);

struct turn_counts {
    uint64_t events, turns, commits, sent, received, dropped, strays, duplicates, failures;
    uint64_t pors, por_errors;   // answers of cards, and those that say that something went wrong
    uint64_t enables, rollbacks; // switches that ended done or rolled back, and the latter
    // Octets of downloads that are done: without their templates, and as they were sent.
    uint64_t profile_octets, download_octets;
    uint64_t removed[RETAINED_KINDS]; // because their time was over
};
// Was anything committed since this was asked last that clients are told of [store/notices.h]?
bool turn_has_told(struct turn *t);
struct turn_counts turn_counts(const struct turn *t);
