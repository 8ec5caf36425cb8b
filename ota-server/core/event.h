// What can happen to a card, as plain values without pointers. Whoever makes an event has checked
// the form of what it carries; decide() judges the meaning.
//
// Promises: an event about an answer of the card is only made after message.h accepted it (right
// MAC, TAR, counter), except where it says so itself (EVENT_POR with is_authentic false).
#pragma once

#include "ota-server/core/record.h"

// Why a request was not taken [the words of the published interface]. REFUSAL_NONE = taken.
enum refusal {
    REFUSAL_NONE,
    REFUSAL_NOT_AUTHORISED,
    REFUSAL_RULE_PACK,
    REFUSAL_CARD_RETIRED,
    REFUSAL_CARD_QUARANTINED,
    REFUSAL_CARD_PARTIAL, // one part of the vendor files is missing
    REFUSAL_CARD_DIRTY,
    REFUSAL_CARD_BUSY,
    REFUSAL_NOT_SUPPORTED_BY_CARD,
    REFUSAL_NOT_ELIGIBLE, // as fallback, says the owner of the subscription
    REFUSAL_NOT_INSTALLED,
    REFUSAL_NOT_ENABLED, // DISABLE of one that is not enabled
    REFUSAL_POLICY_FORBIDS,
    REFUSAL_DELETE_NOT_DISABLED,
    REFUSAL_DELETE_FALLBACK,
    REFUSAL_NOT_PROVEN,
    REFUSAL_DUPLICATE_SUBSCRIPTION,
    REFUSAL_NO_FREE_SLOT,
    REFUSAL_POOL_EMPTY,
    REFUSAL_QUEUE_FULL,
    REFUSAL_NOT_FOUND,    // cancel, resend: no such operation on the card
    REFUSAL_WRONG_STATUS, // cancel, resend, resolve: not in this status
    REFUSAL_OVERLOADED,   // nothing was judged: try again later
    REFUSAL_TOO_LONG,     // takes more SMS than the group permits
};
#define REFUSALS (REFUSAL_TOO_LONG + 1)
const char *refusal_name(uint8_t refusal); // "DELETE_FALLBACK"

enum event_type {
    EVENT_REQUEST,     // a person, client or rule wants an operation
    EVENT_APPROVED,    // the operation may go
    EVENT_REJECTED,    // approval refused
    EVENT_CANCEL,      // of an operation
    EVENT_RESEND,      // of an operation between two attempts: now
    EVENT_MARK_DIRTY,  // by a person, an import, a hand-over
    EVENT_CLEAR_DIRTY, // by a person, without an audit
    EVENT_RESOLVE,     // of "needs operator"
    EVENT_LIFT_QUARANTINE,
    EVENT_RETIRE,
    EVENT_MOVE,      // to another group or tenant
    EVENT_BAR,       // a subscription may no longer, or again, become the fallback
    EVENT_SUBMIT,    // result of handing a whole packet to a link
    EVENT_RECEIPT,   // delivery receipt of one part
    EVENT_POR,       // answer of the card
    EVENT_NOTIFY,    // notification of the card
    EVENT_CONTACT,   // attach or session event of the network
    EVENT_WAKE,      // wake_at is reached
    EVENT_RESTART,   // the server stopped without storing its work
    EVENT_RESTORE,   // the database is older than what was sent
    EVENT_PLAN,      // the card's bootstrap can go on, or why not yet
    EVENT_BOOTSTRAP, // a person starts, resumes or cancels it
    EVENT_TIMERS,    // the card is to be brought to the parameters that its group wants
    EVENT_CLOCK,     // the clock went back while the server was away
    EVENT_LOST,      // a subscription that it was to get is another card's, or nobody's
};
#define EVENT_TYPES (EVENT_LOST + 1)

struct event_request {
    struct operation operation; // id, kind, target or plan, flags, actor, not_before, not_after (0:
                                // default), lookup, list; the rest is set by decide()
    bool refuse_if_busy;
    uint8_t refusal; // of the checks that come first: permission, authority mode, rule pack
    bool is_dry_run; // judge only
};

enum submit_outcome {
    SUBMIT_ACCEPTED,  // every part
    SUBMIT_UNKNOWN,   // an answer is missing, on every link that was tried
    SUBMIT_TEMPORARY, // refused for now, nothing accepted
    SUBMIT_REJECTED,  // refused for good, nothing accepted
    SUBMIT_PARTIAL,   // some parts accepted, others refused for good
    SUBMIT_UNSENT,    // no link took any part while the packet was valid: it is withdrawn
};

// Which packet of which operation: by the time of its step `built`. CONFIRM is of none.
struct packet_of {
    uint64_t operation; // 0: of none
    struct utc built_at;
};

struct event_submit {
    uint64_t counter; // of the packet
    uint8_t outcome;  // enum submit_outcome
    uint8_t parts;
    uint16_t octets; // of the packet
    uint32_t status; // SMPP command_status of the refusal, or 0
    struct packet_of of;
};

enum receipt_state {
    RECEIPT_DELIVERED,
    RECEIPT_LOST,    // expired, undeliverable, deleted, rejected: will not be delivered
    RECEIPT_PENDING, // anything else: changes nothing
};

struct event_receipt {
    uint64_t counter;
    uint8_t state; // enum receipt_state
    uint8_t part;
    struct packet_of of;
};

struct event_por {
    bool is_authentic; // false: a hint only, and `has_result` is false
    uint64_t counter;  // of the command that it answers
    uint8_t status;    // response status code [102.225 §5.2, table 5]
    bool has_result;
    struct result result; // its `data` is not used; see below
    bool has_pair;
    struct result_pair pair;
    bool has_answer;
    struct audit_answer answer; // AUDIT
    uint16_t configuration_version;
    uint16_t list_len; // CONFIGURE: effective values
    uint8_t list[COMMAND_RESULT_MAX];
    char number[NUMBER_TEXT_SIZE]; // that it came from, or ""
    uint8_t sms;
    uint16_t octets;
};

struct event_notify {
    uint64_t mo_counter; // as verified; must be higher than the record's
    struct notification notification;
    char number[NUMBER_TEXT_SIZE];
    uint8_t sms;
    uint16_t octets;
};

// All of the rule's items, or none with the reason; none for a job that is resumed.
struct event_plan {
    uint8_t refusal; // enum refusal: POOL_EMPTY, CARD_BUSY when too many cards are at it, NOT_FOUND
                     // when there is no rule any more, or NOT_INSTALLED when the factory put no
                     // operational subscription on the card
    uint8_t count;
    struct {
        uint64_t subscription;
        struct download_plan plan;
    } items[BOOTSTRAP_ITEMS_MAX];
};

enum bootstrap_action { BOOTSTRAP_START, BOOTSTRAP_RESUME, BOOTSTRAP_CANCEL };

struct event_restore {
    int64_t spread_ms; // within so much time all cards are asked first
    int64_t age_ms;    // since the last row of the trail that was put back
};

struct event {
    uint8_t type; // enum event_type
    struct utc at;
    struct actor actor;
    uint64_t correlator;   // of the request, or 0
    uint64_t operation;    // APPROVED, REJECTED, CANCEL, RESEND
    uint64_t approval;     // that covers the event, or 0
    uint8_t reason;        // MARK_DIRTY: enum dirty_reason
    bool push_server;      // RESOLVE: the server's intent wins; else the card's facts
    uint64_t group;        // MOVE
    uint64_t tenant;       // MOVE
    uint64_t subscription; // BAR, LOST
    bool is_barred;        // BAR
    uint64_t fresh_id;     // a server id that decide() may use for an operation it starts itself
    union {
        struct event_request request;
        struct event_submit submit;
        struct event_receipt receipt;
        struct event_por por;
        struct event_notify notify;
        struct event_plan plan;
        uint8_t bootstrap; // enum bootstrap_action
        int64_t back_ms;   // CLOCK: how far
        struct event_restore restore;
    } as;
};

const char *event_type_name(uint8_t type);
