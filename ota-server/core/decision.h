// What the server does about an event: the next record, what leaves, and why. A plain value of
// fixed size; the turn saves it in one transaction and acts afterwards.
//
// decide() is pure: same record, event, policy and cipher, same decision.
#pragma once

#include "ota-server/core/event.h"

#define DECISION_SENDS_MAX 1
#define DECISION_TRAIL_MAX 48
#define DECISION_STEPS_MAX 48
#define DECISION_ENDED_MAX 24
#define DECISION_ALARMS_MAX 6
#define DECISION_DIFFERENCES_MAX 32
#define TRAIL_TEXT_SIZE 48
#define DECISION_SLOTS_ROW "card.slots" // the action of its row of the trail

// Times after an event at which something is tried again, in order; what follows the last one
// stands where they are used.
#define POLICY_STEPS_MAX 8
struct policy_steps {
    uint8_t count;
    uint32_t after_s[POLICY_STEPS_MAX];
};

// Hours in which nothing is sent that can wait: minutes of the day in their place, `to` not
// included; `from` after `to` passes midnight. Equal ones are the whole day.
#define POLICY_QUIET_MAX 4
struct policy_quiet {
    uint16_t from_min, to_min;
    struct utc_offset place;
};

// When a card's bootstrap begins. Activated it is by its first contact: the server knows no other.
enum bootstrap_trigger {
    BOOTSTRAP_FIRST_CONTACT, // a receipt of its own, an answer, a notification, an attach event
    BOOTSTRAP_MANUAL,
    BOOTSTRAP_FIRST_ATTACH, // an attach event, or a notification: its applet had normal service
    BOOTSTRAP_AFTER_ACTIVATION,
};
// What it gets; the pools' subscriptions come with EVENT_PLAN.
struct bootstrap_item {
    uint64_t pool; // 0: the operational subscription that the factory put on the card
    uint8_t template_number;
    uint8_t role;
    uint8_t rank; // 0: that of the subscription
};
struct bootstrap_rule {
    bool is_enabled;
    uint8_t trigger;    // enum bootstrap_trigger
    uint8_t item_count; // in the order of their downloads
    uint8_t enable;     // index of the one to enable
    bool deletes;       // the bootstrap subscription, afterwards
    uint32_t delay_s;   // AFTER_ACTIVATION
    uint32_t soak_s, deadline_s, concurrency;
    struct bootstrap_item items[BOOTSTRAP_ITEMS_MAX];
};

// Parameters that the group's cards shall have, as the list of writes that CONFIGURE carries.
struct policy_timers {
    uint16_t len; // 0: none
    uint8_t list[OPERATION_WRITES_MAX];
};

// How packets are secured, where the group says otherwise than what came with a card's keys.
#define POLICY_SMS_PARTS 3 // of one packet
struct policy_ota {
    uint8_t keyset_version; // 1 to 15; 0: that of the keys
    uint8_t spi1, spi2;     // 0: those of the keys
    uint8_t sms_parts_max;  // SMS that a packet may take, 1 to SMS_PARTS_MAX
    uint32_t tar;           // of the applet, MO packets carry one more; 0: that of the keys
};

// Timers and limits that installation and group choose; see policy_default().
struct policy {
    uint32_t approval_ms;       // 72 h
    uint32_t not_after_ms;      // 24 h
    uint32_t submit_ms;         // 10 s for each try, two tries
    uint32_t validity_ms;       // 1 h, of an SMS
    uint32_t receipt_margin_ms; // 120 s
    uint32_t por_ms;            // 120 s after the last receipt
    uint32_t confirm_ms;        // 120 s after its receipt
    uint32_t confirm_silent_ms; // 300 s after submit without receipt
    uint32_t contact_delay_ms;  // 30 s: random delay after a contact, at most
    uint32_t contact_gap_ms;    // 5 min: between two audits because of contacts
    int64_t unreachable_ms;     // 7 d
    uint8_t reissues_max;       // 2
    bool operator_for_all;      // every difference needs an operator
    struct policy_steps retry;  // after "expired, nothing delivered": each after the one before
    bool retry_at_contact;      // after the last of them at the next contact; else given up
    struct policy_steps audit;  // of a dirty card, from when it became so; then daily
    bool audit_at_contact;
    uint8_t quiet_count;
    struct policy_quiet quiet[POLICY_QUIET_MAX]; // of what was asked for; doubt does not wait
    struct bootstrap_rule bootstrap;
    struct policy_timers timers;
    struct policy_ota ota;
    uint64_t seed; // of all chance
};
void policy_default(struct policy *p);
// The end of the quiet hours that it is now in; 0 outside of them.
struct utc policy_quiet_until(const struct policy *p, struct utc now);

// One packet to build and send: message.h turns it into octets with the card's keys.
struct send {
    uint8_t command; // enum command_number
    uint8_t kind;    // enum flight_kind
    uint64_t counter;
    uint32_t operation_id;
    uint64_t operation; // the server's id of the operation it belongs to, or 0
    uint32_t sequence;  // CONFIRM
    uint8_t first_slot; // AUDIT
    uint32_t lookup;    // AUDIT: 0 = none
    uint8_t nonce[COMMAND_NONCE_SIZE];
    uint32_t validity_ms;
    uint64_t subscription; // to which it is addressed
    char number[NUMBER_TEXT_SIZE];
};

enum step_name {
    STEP_CREATED,
    STEP_CHECKED,
    STEP_APPROVED,
    STEP_QUEUED,
    STEP_BUILT,
    STEP_SUBMITTED,
    STEP_ACCEPTED,
    STEP_RECEIPT,
    STEP_POR,
    STEP_NOTIFIED,
    STEP_CONFIRMED,
    STEP_RECONCILED,
    STEP_ENDED,
};
const char *step_name_text(uint8_t step); // "created"

struct step {
    uint64_t operation;
    uint8_t name; // enum step_name
    uint8_t attempt;
    char detail[TRAIL_TEXT_SIZE]; // may be ""
    // Not 0: of a packet that is not under way any more. The store finds the attempt with its step
    // `built`; of an operation that it does not keep any more it adds no step.
    struct utc built_at;
};

// A row of the trail, apart from what the store adds (sequence, time, hash, pseudonyms).
struct trail_entry {
    char action[32]; // such as "operation.ended"
    uint64_t operation;
    char before[TRAIL_TEXT_SIZE];
    char after[TRAIL_TEXT_SIZE];
    char reason[32];
    char result[32];
};

enum alarm_key {
    ALARM_SECURITY_FAILURES,
    ALARM_COUNTER_NEAR_MAX,
    ALARM_NEEDS_OPERATOR,
    ALARM_CARD_NVM_ERROR,
    ALARM_BOOTSTRAP_STALLED,
};
const char *alarm_key_name(uint8_t key); // "security.failures"

struct alarm_change {
    uint8_t key;
    bool is_raised; // false: cleared
};

// One field in which mirror and card differed, before anything was corrected.
struct difference {
    uint8_t slot;
    const char *field; // constant text: "state", "fallback", ...
    uint32_t server;   // value, or 0/1 for presence
    uint32_t card;
};

// What the card told at last about an operation that had ended without its word.
struct settlement {
    uint64_t operation;
    uint8_t outcome;  // DONE, FAILED, ROLLED_BACK; NONE: as it is known, and nothing more comes
    uint8_t result;   // enum result_code, unless it never ran
    uint64_t deleted; // subscription, or 0
};

struct decision {
    uint8_t refusal;    // enum refusal, of a request by someone who waits
    uint64_t operation; // accepted, found, or acted upon
    struct record next;
    uint8_t send_count;
    struct send sends[DECISION_SENDS_MAX];
    uint8_t step_count;
    struct step steps[DECISION_STEPS_MAX];
    uint8_t ended_count; // operations that left the record: their last form
    struct operation ended[DECISION_ENDED_MAX];
    uint8_t trail_count;
    struct trail_entry trail[DECISION_TRAIL_MAX];
    uint8_t alarm_count;
    struct alarm_change alarms[DECISION_ALARMS_MAX];
    bool has_answer; // a complete audit: the card view to keep
    struct audit_answer answer;
    uint32_t answer_registry_version;
    uint8_t difference_count;
    struct difference differences[DECISION_DIFFERENCES_MAX];
    bool is_located; // slots, numbers or subscriptions changed: what the card is found by
    // What of the mirror's registry the event changed, as a set of (1 << slot), and 1 << 0 for the
    // subscription that the card prefers. Not empty: one of the rows is DECISION_SLOTS_ROW, and
    // what was and is stands in the records, for it has no room in a row of a decision.
    uint32_t slots_changed;
    uint8_t settled_count;
    struct settlement settled[RECORD_LATE_MAX];
    bool is_job_changed;    // next.bootstrap is to be shown anew
    uint8_t released_count; // subscriptions that the card does not have and the job gives back
    uint64_t released[BOOTSTRAP_ITEMS_MAX];
    bool is_dropped; // a message that was not fresh, or answered nothing: counted, no effect
};

// A subscription of the registry.
struct found_subscription {
    uint64_t id;
    bool is_barred;
    bool is_promised; // to another card
    char number[NUMBER_TEXT_SIZE];
};
typedef bool decide_find_fn(void *context, const struct record *r,
                            const uint8_t imsi[COMMAND_IMSI_SIZE], struct found_subscription *out);

// May whoever asked for the operation still have it? What enum refusal says; asked before each of
// its packets.
typedef uint8_t decide_may_fn(void *context, const struct record *r, const struct operation *o);

struct decide_context {
    const struct policy *policy;
    const struct cipher *cipher; // SHA-256 only
    // A backup was put back, and cards may have what the database believes to be free: no
    // download leaves unless it is forced.
    bool are_downloads_held;
    // The subscription with this IMSI, when it may be the card's: no other one has it. NULL: none.
    decide_find_fn *find;
    decide_may_fn *may;   // NULL: always
    void *caller_context; // of both
};

// Does a person or client who asked for the operation wait for its packet now?
bool operation_is_awaited(const struct operation *o, const struct actor *by, struct utc now);

void decide(const struct record *record, const struct event *event,
            const struct decide_context *context, struct decision *out);
