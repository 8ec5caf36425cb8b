// One card as the server knows it: identity, the mirror of its registry, its open and waiting
// operations, what is under way to it, and why it is in doubt. A plain value without pointers: a
// turn loads it, decide() makes the next one, the store saves that.
//
// Promises: everything that a decision needs about a card is here; keys never are (they are found
// by the card in the store). Times are UTC in ms; a time of 0 means "none".
#pragma once

#include "common/base/time.h"
#include "common/wire/command.h"
#include "common/wire/parameter.h"

#include <stddef.h>
#include <string.h>

#define RECORD_QUEUE_MAX 16
#define RECORD_CONFIRMS_MAX 8
#define RECORD_ANSWERED_MAX 8
#define RECORD_LATE_MAX 8
#define BOOTSTRAP_ITEMS_MAX (COMMAND_SLOTS_MAX - 1) // that one card is given
#define OPERATION_WRITES_MAX 242                    // what two SMS carry: all parameters at once
#define READ_ALL 0xFF                               // in a list of numbers to read
#define NUMBER_TEXT_SIZE 21                         // digits and a zero, as in SMPP addresses
#define COUNTER_JUMP 65536                          // after a restore or a counter in doubt
#define COUNTER_LAST 0xFFFFFFFFFFull
#define COUNTER_NEAR_LAST (1ull << 39) // above it an alarm, long before the end

enum card_state {
    CARD_IMPORTED_PARTIAL,
    CARD_IMPORTED,
    CARD_SEEN,
    CARD_BOOTSTRAPPING,
    CARD_OPERATIONAL,
    CARD_RETIRED,
};
#define CARD_STATES (CARD_RETIRED + 1)

// Marks on top of the state, mildest first; a record holds a set of (1 << mark).
enum card_mark {
    MARK_ON_FALLBACK,
    MARK_UNREACHABLE,
    MARK_BLOCKED,
    MARK_DIRTY,
    MARK_QUARANTINED,
};
#define CARD_MARKS (MARK_QUARANTINED + 1)

enum dirty_reason {
    DIRTY_NONE,
    DIRTY_POR_TIMEOUT,
    DIRTY_POR_MISSING_BUT_DELIVERED,
    DIRTY_UNKNOWN_POR_STATUS,
    DIRTY_LATE_POR,
    DIRTY_SUBMIT_OUTCOME_UNKNOWN,
    DIRTY_PARTIAL_MULTI_SMS,
    DIRTY_COUNTER_MISMATCH,
    DIRTY_SWITCH_NO_NOTIFY,
    DIRTY_CONFIRM_UNACKNOWLEDGED,
    DIRTY_LATE_CONFIRM,
    DIRTY_ROLLBACK_UNCONFIRMED,
    DIRTY_GUARD_DISAGREEMENT,
    DIRTY_UNEXPECTED_NOTIFY,
    DIRTY_NOTIFY_GAP,
    DIRTY_STATE_HASH_MISMATCH,
    DIRTY_CARD_RESET_SUSPECTED,
    DIRTY_SERVER_RESTART_WITH_OPEN_OP,
    DIRTY_RESTORE_FROM_BACKUP,
    DIRTY_IMPORT_CHANGED_LIVE_CARD,
    DIRTY_MANUAL_EDIT,
    DIRTY_IMEI_SWAP,
    DIRTY_HANDOVER_IN,
    DIRTY_OPERATOR_REQUEST,
};
#define DIRTY_REASONS (DIRTY_OPERATOR_REQUEST + 1)

enum operation_kind {
    OPERATION_NONE,
    OPERATION_DOWNLOAD,
    OPERATION_ENABLE,
    OPERATION_DISABLE, // carried out as ENABLE of the fallback subscription
    OPERATION_DELETE,
    OPERATION_SET_FALLBACK,
    OPERATION_SET_TIMERS,
    OPERATION_READ_TIMERS,
    OPERATION_AUDIT,
};

enum operation_status {
    STATUS_AWAIT_APPROVAL,
    STATUS_QUEUED,
    STATUS_SENDING,
    STATUS_SENT,
    STATUS_DELIVERED,
    STATUS_SWITCHING,
    STATUS_CONFIRMING,
    STATUS_UNKNOWN,
    STATUS_ENDED,
};
#define OPERATION_STATUSES (STATUS_ENDED + 1)

enum operation_outcome {
    OUTCOME_NONE,
    OUTCOME_DONE,
    OUTCOME_FAILED,
    OUTCOME_ROLLED_BACK,
    OUTCOME_REFUSED,
    OUTCOME_EXPIRED,
    OUTCOME_CANCELLED,
    OUTCOME_UNRESOLVED,
};

enum operation_failure {
    FAILURE_NONE,
    FAILURE_NO_LINK,
    FAILURE_SUBMIT_REJECTED,
    FAILURE_DELIVERY_FAILED,
    FAILURE_DELIVERY_EXPIRED,
    FAILURE_OTA_TIMEOUT,
    FAILURE_POR_ERROR,
    FAILURE_CARD_REFUSED,
    FAILURE_ROLLED_BACK,
    FAILURE_APPROVAL_REJECTED,
    FAILURE_APPROVAL_EXPIRED,
    FAILURE_REFUSED_AT_SEND,
    FAILURE_CARD_UNREACHABLE,
    FAILURE_CANCELLED,
    FAILURE_INTERNAL,
};

// Why an operation waits in QUEUED.
enum operation_hold {
    HOLD_NONE,
    HOLD_CARD_BUSY,
    HOLD_CARD_DIRTY,
    HOLD_QUARANTINED,
    HOLD_NEXT_CONTACT,
    HOLD_NOT_BEFORE, // a date, a schedule window or quiet hours
    HOLD_RETRY,      // between two attempts
    HOLD_OTA_UNREACHABLE,
    HOLD_RESTORED, // a download, until no card is in doubt because a backup was put back
};

enum actor_kind {
    ACTOR_SYSTEM,
    ACTOR_USER,
    ACTOR_CLIENT,
    ACTOR_RULE,
    ACTOR_CARD,
};

struct actor {
    uint8_t kind; // enum actor_kind
    uint64_t id;  // of the user, client or rule; 0 for others
};

// What a DOWNLOAD puts on the card besides its keys; see struct command_download.
struct download_plan {
    uint8_t template_number;
    bool has_iccid, has_mnc_length, has_role, has_rank, has_marks;
    bool is_barred;   // as fallback; the card is not told
    uint8_t keys_len; // octets of its network keys; 0: not known, counted as two of 128 bits
    uint8_t iccid[COMMAND_ICCID_SIZE];
    uint8_t imsi[COMMAND_IMSI_SIZE];
    uint8_t mnc_length;
    uint8_t role;
    uint8_t rank;
    uint8_t marks;
    char number[NUMBER_TEXT_SIZE]; // MSISDN, or ""
    char smsc[NUMBER_TEXT_SIZE];   // or ""
};

struct operation {
    uint64_t id; // the server's own, never 0
    uint8_t kind;
    uint8_t status;
    uint8_t outcome;
    uint8_t failure;
    uint8_t hold;
    bool has_result;
    uint8_t result;             // enum result_code, when has_result
    uint32_t card_operation_id; // 0 until its first packet was built
    uint64_t subscription;      // the server's id of the target; 0: none, or foreign
    struct subscription_name target;
    uint8_t flags; // COMMAND_FLAG_ of DOWNLOAD, ENABLE, SET-FALLBACK
    struct download_plan download;
    uint16_t list_len; // SET_TIMERS: number, length, value; READ_TIMERS: numbers
    uint8_t list[OPERATION_WRITES_MAX];
    uint32_t lookup; // AUDIT: an operation id of the card to look up, or 0
    bool wait_until_clean;
    bool force;           // passes a dirty card
    bool at_next_contact; // waits for the next contact
    bool needs_approval;
    bool sent_any;         // a packet of it left or may have left
    bool may_have_run;     // a packet of it left, and the card did not say that it never ran
    bool may_still_arrive; // ended so; until the card tells
    bool is_uncertain;     // the card became dirty through it
    bool confirm_is_late;  // its ENABLED came after confirm_until
    bool is_enabled_seen;  // its ENABLED came in time
    bool is_automatic;     // an audit that the dirty schedule started
    uint8_t attempts;      // packets built, but those that no link took in time
    uint8_t retries;       // after "expired, nothing delivered"
    uint8_t busy_tries;
    uint8_t nvm_tries;
    uint8_t reissues; // after an audit
    struct actor actor;
    uint64_t retry_of;
    uint64_t campaign;
    uint64_t approval;
    uint64_t correlator; // of the request, for the trail
    struct utc created_at;
    struct utc not_before;
    struct utc not_after;
    struct utc deadline; // of the present status; 0 = none
    struct utc por_at;   // OK_PENDING, or ENABLED when that came first
    struct utc confirm_until;
    struct utc rollback_until;
    struct utc ended_at;
    uint64_t last_counter; // of its last packet
    uint16_t sms_mt;       // one that still waits for a link is counted, one that none took is not
    uint16_t sms_mo;
    uint32_t bytes_mt;
    uint32_t bytes_mo;
};

// One slot of the mirror: the facts in the form in which the card reports them, and what only the
// server knows.
struct mirror_slot {
    struct audit_slot fact;
    uint64_t subscription; // 0: foreign, not known to the server
    bool is_barred;        // as fallback, by its owner
    char number[NUMBER_TEXT_SIZE];
};

struct dirty_entry {
    struct utc since;   // 0: not set
    uint64_t operation; // that it came from, or 0
};

enum flight_kind {
    FLIGHT_NONE,
    FLIGHT_OPERATION,
    FLIGHT_AUDIT,
    FLIGHT_CONFIRM,
};

enum flight_state {
    FLIGHT_SENDING, // waits for submit_sm_resp of every part
    FLIGHT_SENT,
    FLIGHT_DELIVERED,
};

// The one packet that is under way to the card.
struct flight {
    uint8_t kind;
    uint8_t state;
    uint8_t command;
    uint64_t counter;
    uint32_t operation_id; // of the card
    uint32_t sequence;     // CONFIRM: of the notification
    uint8_t parts;
    uint8_t delivered_set; // bit i: part i + 1
    uint8_t lost_set;
    uint32_t validity_ms;
    bool is_repeated;       // given to a second link, or sent again after a temporary error
    bool is_submit_unknown; // no submit_sm_resp on any link
    bool is_extended;       // "more time needed" was granted once
    struct utc sent_at;
    struct utc deadline;
};

// A CONFIRM that is still to be sent.
struct confirm {
    uint32_t sequence;
    uint32_t operation_id; // of the commanded switch, or 0
    uint64_t subscription; // that sent the notification
    char number[NUMBER_TEXT_SIZE];
};

// An operation that ended without the card's word on it.
struct late {
    uint64_t operation;
    uint32_t card_operation_id; // 0: told, but the mirror does not show it yet
    uint64_t subscription;      // its target
    uint64_t counter;           // of its last packet
    uint8_t kind;               // DOWNLOAD, and what came onto the card with it:
    uint8_t imsi[COMMAND_IMSI_SIZE];
    bool is_barred;
    char number[NUMBER_TEXT_SIZE];
};

// An audit in progress: its operation, and the pages so far.
struct audit_job {
    bool is_open;
    struct operation operation;
    uint8_t nonce[COMMAND_NONCE_SIZE];
    uint64_t mo_counter; // highest accepted when it was asked
    uint8_t next_slot;
    bool is_page_due; // the next page is to be asked for now
    uint8_t restarts; // because the card changed meanwhile
    uint8_t slot_count;
    uint32_t registry_version;
    struct audit_slot slots[COMMAND_SLOTS_MAX];
};

// Where the bootstrap of a card stands; bootstrap.c says what is true in each.
enum bootstrap_state {
    BOOTSTRAP_NONE,
    BOOTSTRAP_WAITING, // for its turn, and for subscriptions of the pools
    BOOTSTRAP_DOWNLOADING,
    BOOTSTRAP_ENABLING,
    BOOTSTRAP_CONFIRMING,
    BOOTSTRAP_SOAKING,
    BOOTSTRAP_FINISHING,
    BOOTSTRAP_DONE,
    BOOTSTRAP_FAILED,     // nothing new is on the card
    BOOTSTRAP_PARTIAL,    // something is
    BOOTSTRAP_CANCELLING, // what is not on the card is to be given back
};
#define BOOTSTRAP_STATES (BOOTSTRAP_CANCELLING + 1)

// The plan is that of the reservation, whatever becomes of the rule.
struct bootstrap {
    uint8_t state;
    uint8_t item_count; // 0 until they are reserved
    uint8_t enable;     // index of the one to enable
    bool deletes;       // the subscription that was enabled at the start, afterwards
    bool is_stalled;    // no progress before the deadline
    bool is_audited;    // the answer of the last step's audit came
    uint8_t tries;      // of the step that is under way
    uint8_t failure;    // enum refusal that stopped it or lets it wait, or REFUSAL_NONE
    uint32_t soak_s, deadline_s;
    uint64_t origin;    // subscription that was enabled at the start
    uint64_t operation; // of the step that is under way, or the one that failed; or 0
    struct utc started_at, due, deadline;
    struct {
        uint64_t subscription;     // 0: given back
        struct download_plan plan; // zero: the factory put it on the card
        bool may_be_there;         // a packet of its download left, or may have
    } items[BOOTSTRAP_ITEMS_MAX];
};

enum audit_outcome {
    AUDIT_NONE,
    AUDIT_CLEAN,
    AUDIT_SERVER_CORRECTED,
    AUDIT_REISSUED,
    AUDIT_NEEDS_OPERATOR,
    AUDIT_INCOMPLETE,
};

struct record {
    uint64_t card;    // the server's id
    uint64_t version; // fencing number: a save must find the one that was loaded
    uint64_t tenant;
    uint64_t group;
    uint64_t batch;
    uint8_t iccid[COMMAND_ICCID_SIZE];
    uint8_t state;
    uint8_t marks; // set of (1 << enum card_mark)
    struct utc mark_since[CARD_MARKS];
    struct utc created_at;
    struct utc last_contact_at;
    struct utc seen_at;     // of the first contact
    struct utc attached_at; // since when it is known to have had service

    // what the card is, from the vendor file, corrected by audits and first contact
    uint8_t level;
    uint8_t applet_version[3];
    uint8_t slot_limit;
    uint16_t terminal;
    uint16_t free_memory;
    uint8_t template_count;
    uint8_t templates[COMMAND_TEMPLATES_MAX];

    // the mirror
    bool has_registry_version;
    uint32_t registry_version;
    uint8_t slot_count;
    struct mirror_slot slots[COMMAND_SLOTS_MAX];
    uint64_t preferred; // subscription
    uint16_t configuration_version;
    struct parameters parameters; // as last configured or read
    uint16_t parameters_version;  // configuration version at which all of them were known
    struct utc timers_due;        // when they are to be read; 0: as they are known they are
    bool has_imei, has_plmn;
    uint8_t imei[COMMAND_IMEI_SIZE];
    uint8_t plmn[COMMAND_PLMN_SIZE];

    // two numbers and their fellows
    uint64_t mt_counter;        // last one reserved
    uint64_t mo_counter;        // highest one accepted
    uint32_t operation_id_last; // highest one allocated
    uint32_t notify_sequence;   // highest one handled
    uint32_t gap_sequences;     // how many below it are missing
    struct utc gap_deadline;
    uint32_t notify_seen;       // bit i: notify_sequence - i was handled
    uint64_t changed_counter;   // of the last state-changing packet or a restore, to outdate audits
    uint32_t operation_id_seen; // highest one that the card is known to have judged
    uint32_t operation_id_ran;  // highest one known to have changed it: earlier switches are over
    uint8_t late_count;
    struct late late[RECORD_LATE_MAX];      // oldest first; the oldest is forgotten
    uint64_t answered[RECORD_ANSWERED_MAX]; // counters whose authentic answer was handled
    uint8_t answered_next;
    uint32_t switch_id;      // of the last commanded switch that was confirmed
    struct utc switch_until; // until when its notification may be confirmed again; 0: ever

    // doubt
    struct dirty_entry reasons[DIRTY_REASONS];
    struct utc dirty_since;
    struct utc next_audit_at;
    struct utc last_attempt_at;
    struct utc last_audit_at;          // of the last complete answer
    uint8_t dirty_attempts;            // stays at 255
    char heard_from[NUMBER_TEXT_SIZE]; // number of the last authentic message, or ""
    uint8_t audit_turn;                // attempts since then: each goes to the next subscription
    uint8_t reissues;                  // in this dirty period
    uint8_t last_audit_outcome;
    bool needs_operator;
    uint8_t resets_suspected;   // in a row, without a person
    uint32_t restored_sequence; // the lowest of a RESTORED in this doubt, or 0
    uint32_t jump_day;          // days since 1970 of the last jump
    uint8_t jumps_today;
    uint8_t insecure_answers; // unauthenticated error answers since the last authenticated one
    struct utc insecure_until;

    // work
    struct flight flight;
    bool has_open;
    struct operation open; // the state-changing operation under way, or the reading of timers
    struct audit_job audit;
    uint8_t confirm_count;
    struct confirm confirms[RECORD_CONFIRMS_MAX];

    struct bootstrap bootstrap;
    uint32_t draws;     // chance taken so far, so that a run can be repeated
    struct utc wake_at; // when decide() wants a WAKE event; 0 = never

    // What waits behind the open one: most of the octets, and mostly empty. It stands last, so that
    // a copy can leave out what is.
    uint8_t queue_len;
    struct operation queue[RECORD_QUEUE_MAX];
};

// As much of it as says something.
static inline size_t record_size(const struct record *r)
{
    return offsetof(struct record, queue) + r->queue_len * sizeof(r->queue[0]);
}
static inline void record_copy(struct record *to, const struct record *from)
{
    memcpy(to, from, record_size(from));
}

// The card's place among the bootstraps of its group: PLACE_HELD, it is one of the rule's
// `concurrency` (but not while it soaks and uses another subscription, because that can take for
// ever); above 0, it waits, and who has the lowest number goes first: those that are resumed, for
// they keep subscriptions from others, then the one that began first. In doubt it has none.
#define PLACE_HELD (-1)
#define PLACE_NONE 0
#define PLACE_FIRST 1
int64_t bootstrap_place(const struct record *r);

// A record of a card that was never seen, with the parameters' defaults.
void record_init(struct record *r, uint64_t card);
static inline bool record_has_mark(const struct record *r, enum card_mark mark)
{
    return (r->marks >> mark & 1) != 0;
}
// Slots of the mirror; NULL when there is none.
const struct mirror_slot *record_enabled(const struct record *r);
// Was the card heard last in the network of these digits? While it was never heard in any, it is in
// that of its enabled subscription.
bool record_is_in(const struct record *r, const char *plmn);
// When the latest reason of its present doubt came; 0: it is in none.
struct utc record_doubted_at(const struct record *r);
const struct mirror_slot *record_fallback(const struct record *r);
const struct mirror_slot *record_slot_named(const struct record *r,
                                            const struct subscription_name *name);
const struct mirror_slot *record_slot_of(const struct record *r, uint64_t subscription);
const struct mirror_slot *record_slot_at(const struct record *r, uint8_t slot); // 1 to 16
// How the card knows this slot: by its own ICCID, or by IMSI.
struct subscription_name record_slot_name(const struct mirror_slot *slot);
// The operation of this id among open, audit and queue; NULL when it is not here.
const struct operation *record_operation(const struct record *r, uint64_t id);
// The most severe mark, or CARD_MARKS for none.
uint8_t record_worst_mark(const struct record *r);
// Is the operation of a kind that is refused on a dirty card?
bool operation_is_state_changing(uint8_t kind);

// Names as the published interface writes them; "?" for a value that is none.
const char *card_state_name(uint8_t state);
const char *bootstrap_state_name(uint8_t state); // "DOWNLOADING"
const char *card_mark_name(uint8_t mark);
const char *dirty_reason_name(uint8_t reason);
const char *operation_kind_name(uint8_t kind); // "set-fallback"
const char *operation_status_name(uint8_t status);
const char *operation_outcome_name(uint8_t outcome); // "rolled_back"; "" for none
const char *operation_failure_name(uint8_t failure); // "" for none
const char *operation_hold_name(uint8_t hold);       // "" for none
const char *audit_outcome_name(uint8_t outcome);     // "" for none
const char *actor_kind_name(uint8_t kind);           // "USER"
const char *slot_state_name(uint8_t state);          // "DISABLED"
const char *slot_role_name(uint8_t role);            // "BOOTSTRAP"

// The record as octets for the store: the number of the form, then integers big endian, only what
// is used. Written in the newest form, read in forms 1 and 3 to 10, too: what they did not have is
// zero, but an operation of which a packet left may have run, and what a bootstrap reserved may be
// on the card. Form 2 was two layouts, and never released. Reading gives false for any other form,
// and for octets that are none of ours.
//
// A field more or less is a form more, and a step of the store's schema more (schema.h), so that an
// older server refuses the database at once.
#define RECORD_FORM_FIRST 1
#define RECORD_FORM_THIRD 3
#define RECORD_FORM_FOURTH 4
#define RECORD_FORM_FIFTH 5
#define RECORD_FORM_SIXTH 6
#define RECORD_FORM_SEVENTH 7
#define RECORD_FORM_EIGHTH 8
#define RECORD_FORM_NINTH 9
#define RECORD_FORM_TENTH 10
#define RECORD_FORM 11
#define RECORD_OCTETS_MAX 16384
void record_write(struct writer *w, const struct record *r);
bool record_read(struct bytes octets, struct record *r) MUST_USE;
void operation_write(struct writer *w, const struct operation *o);
bool operation_read(struct bytes octets, struct operation *o) MUST_USE;
