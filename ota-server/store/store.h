// The server's memory: cards, subscriptions, keys, operations, messages, the trail. The only SQL.
//
// One object is one connection. The writer is opened once per process and holds the data folder's
// lock for life; readers see the last commit and never wait for the writer. Writes are only valid
// between store_begin() and store_commit(), which makes them durable (FULL sync) before it answers.
//
// Promises: a write that did not commit is not there; trail rows are chained and cannot be changed
// or deleted; keys are sealed with AES-256-GCM to their card or IMSI; the counters only grow.
// Never: draws chance or asks a clock; the caller brings both (nonces come with store_options).
//
// Errors: every call may answer STORE_FAILED (logged by the store) or STORE_LOST. After any status
// but OK, NONE and CONFLICT the transaction must be rolled back. After STORE_LOST (a failed sync or
// a damaged file) the process must stop: what was written last is unknown.
#pragma once

#include "ota-server/core/checkpoint.h"
#include "ota-server/core/decision.h"
#include "ota-server/core/kpi.h"
#include "ota-server/core/message.h"
#include "ota-server/core/trail.h"

enum store_status {
    STORE_OK = 0,
    STORE_NONE,     // no such row
    STORE_CONFLICT, // a key that is already there, or a fence that moved
    STORE_BUSY,     // another process holds the data folder, or a lock did not come in time
    STORE_FULL,     // the disk is full or read-only: nothing was written, reads go on
    STORE_FAILED,
    STORE_LOST,
    STORE_NEWER,  // written by a newer program
    STORE_FORM,   // holds records or operations in a form that is not read
    STORE_KEYS,   // the master keys do not open this database
    STORE_MOVING, // keys are on their way to other masters: that must end first
};

struct store;

// What a caller brings: AES-256-GCM, HMAC-SHA-256, randomness for nonces [common/host/crypto.h].
struct store_crypto {
    void *context;
    const struct cipher *cipher; // SHA-256 only
    bool (*seal)(void *context, const struct secret_key *key, const uint8_t nonce[12],
                 struct bytes additional, struct bytes plain, struct writer *out);
    bool (*unseal)(void *context, const struct secret_key *key, const uint8_t nonce[12],
                   struct bytes additional, struct bytes sealed, struct writer *out);
    bool (*hmac)(void *context, struct bytes key, const struct bytes *parts, size_t part_count,
                 uint8_t mac[32]);
    void (*random)(void *to, size_t len);
    uint64_t (*memory_failures)(void); // of this thread [common/host/memory.h], or NULL
    // Ed25519 with a seed of 32 octets; NULL: checkpoints are not signed.
    bool (*sign)(const struct secret_key *seed, struct bytes text, uint8_t signature[64]);
    bool (*signer)(const struct secret_key *seed, uint8_t public[32]);
    bool (*is_signed)(const uint8_t public[32], struct bytes text, const uint8_t signature[64]);
};

struct store_options {
    const char *path;        // the database file; ":memory:" for tests
    const char *checkpoints; // append-only file outside the database, or NULL
    const char *archive;     // folder for months that leave the trail, or NULL: they are not kept
    bool is_reader;          // opens an existing database for reading
    // 32-octet keys from outside the database; all zero-length for a reader that opens no keys.
    struct secret_key ota_master;
    struct secret_key network_master;
    struct secret_key pseudonym_key;
    struct secret_key old_ota, old_network; // only to go on with store_rewrap()
    const struct store_crypto *crypto;
    // Writes the name that the trail has for an object in clear, up to 32 octets; false, or NULL:
    // it has a pseudonym.
    bool (*name_object)(const char *kind, uint64_t object, char *text);
    uint32_t wait_ms; // for a lock; 0: 5,000
};

enum store_status store_open(const struct store_options *options, struct store **out) MUST_USE;
// A reader's own connection to the same database, for queries.
void store_close(struct store *s);
// What went wrong last, for the log: no key and no message body in it.
const char *store_problem(const struct store *s);
// How often the engine failed so far, or memory was refused to a library in this thread: what was
// not found meanwhile may be there, and what did not fit may fit.
uint64_t store_failures(const struct store *s);
// For a reader that asks often: from its first query until the next call of this it sees one state
// of the database, and does not look for a newer one at every query. For the writer it does
// nothing.
void store_refresh(struct store *reader);

enum store_status store_begin(struct store *s) MUST_USE;
// The same, for a part of what counts as nothing before its end: its commit waits for no sync, and
// is durable with the next commit of a transaction that store_begin() began.
enum store_status store_begin_part(struct store *s) MUST_USE;
enum store_status store_commit(struct store *s) MUST_USE;
void store_rollback(struct store *s);
// Part of a transaction that may be undone alone.
enum store_status store_mark(struct store *s) MUST_USE;
enum store_status store_mark_keep(struct store *s) MUST_USE;
void store_mark_undo(struct store *s);

// --- cards -----------------------------------------------------------------------------------

struct card_new {
    const struct record *record; // card: an id of ids_next(); slots with their subscriptions
    uint8_t reference[CARD_REFERENCE_SIZE];
    bool has_reference;
    bool has_keys;
    struct card_keys keys;
    const char *eid;   // or NULL
    const char *label; // vendor's free text, or NULL
    uint64_t import;
    struct utc at;
};

// STORE_CONFLICT: the ICCID is there.
enum store_status store_card_add(struct store *s, const struct card_new *card) MUST_USE;
enum store_status store_card_load(struct store *s, uint64_t card, struct record *out) MUST_USE;
// Saves the next form; `before` is what was loaded. STORE_CONFLICT when the fence moved.
enum store_status store_card_save(struct store *s, const struct record *before,
                                  const struct record *next) MUST_USE;
enum store_status store_card_keys(struct store *s, uint64_t card, struct card_keys *out) MUST_USE;
enum store_status store_card_keys_put(struct store *s, uint64_t card,
                                      const uint8_t iccid[COMMAND_ICCID_SIZE],
                                      const struct card_keys *keys) MUST_USE;
enum store_status store_card_keys_erase(struct store *s, uint64_t card) MUST_USE;

// STORE_NONE when nobody has it.
enum store_status store_card_by_reference(struct store *s,
                                          const uint8_t reference[CARD_REFERENCE_SIZE],
                                          uint64_t *card) MUST_USE;
enum store_status store_card_by_number(struct store *s, const char *number,
                                       uint64_t *card) MUST_USE;
enum store_status store_card_by_iccid(struct store *s, const uint8_t iccid[COMMAND_ICCID_SIZE],
                                      uint64_t *card) MUST_USE;
enum store_status store_card_by_imsi(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                     uint64_t *card) MUST_USE;
enum store_status store_card_by_eid(struct store *s, const char *eid, uint64_t *card) MUST_USE;

// "" when the card has none.
#define STORE_EID_SIZE 33
enum store_status store_card_eid(struct store *s, uint64_t card, char eid[STORE_EID_SIZE]) MUST_USE;
enum store_status store_card_group(struct store *s, uint64_t card, uint64_t *group) MUST_USE;
// Cards of a group by enum card_state; kept, not counted.
enum store_status store_group_states(struct store *s, uint64_t group,
                                     uint64_t counts[CARD_STATES]) MUST_USE;

// Those of a group that are not retired, in order behind `after`.
typedef bool store_id_fn(void *context, uint64_t id);
enum store_status store_group_cards(struct store *s, uint64_t group, uint64_t after, uint32_t limit,
                                    store_id_fn *each, void *context) MUST_USE;

// What people write about a card (labels, note ...), as JSON or ""; the application field is for
// lists.
enum store_status store_card_notes(struct store *s, uint64_t card, struct writer *out) MUST_USE;
enum store_status store_card_notes_put(struct store *s, uint64_t card, struct bytes notes) MUST_USE;
enum store_status store_card_field_put(struct store *s, uint64_t card,
                                       const char *application_field) MUST_USE;

struct card_row {
    uint64_t card, tenant, group, batch;
    uint8_t iccid[COMMAND_ICCID_SIZE];
    uint8_t state, marks;
    struct utc created_at, last_contact_at, dirty_since;
    uint64_t open_operation;
    uint8_t queued;
    const char *application_field;
};

enum store_sort { SORT_CREATED, SORT_CONTACT, SORT_STATE, SORT_DIRTY };

// Documents of this kind say what an enterprise (owner) may do to the cards of a group (parent): a
// set of bits as their state. Filters look into them.
#define STORE_PERMISSION_KIND "permission"

// Zero and negative members mean "any".
struct card_filter {
    uint64_t tenant, group, batch;
    bool in_no_group;
    uint32_t grants;    // not 0: of groups for which `tenant` has one of them, whosoever they are
    int state;          // enum card_state, or -1
    int mark;           // enum card_mark, or -1
    int dirty_reason;   // enum dirty_reason, or -1
    int needs_operator; // 0, 1, or -1
    int is_unreachable; // 0, 1, or -1
    int has_open;       // 0, 1, or -1
    struct utc contact_from, contact_to;
    const char *application_field; // of the card, or else of its group; or NULL
    const char *label;             // one of those in the notes; or NULL
    const char *search;            // digits; or NULL
    char search_in;       // 'c' card ICCID or any ICCID, 'i' IMSI, 'm' number, 'e' EID, 'd' IMEI,
                          // 'a' any of them
    char search_how;      // 'e' exact, 'p' prefix, 's' suffix
    uint64_t search_card; // it is found, too, unless it has an EID; or 0
    enum store_sort sort;
    bool is_descending;
    uint64_t after; // not 0: with higher ids only
};
void card_filter_init(struct card_filter *f);

// Cards, subscriptions, operations and the trail are counted exactly up to here; the `total` of
// more says only that there are more, and more than the page.
#define STORE_EXACT_MAX 100000

struct store_page {
    uint64_t offset;
    uint32_t limit; // at most 500
};

// Calls `each` for every row of the page until it answers false; `total` (may be NULL) gets the
// number of rows that match without a page.
typedef bool store_card_fn(void *context, const struct card_row *row);
enum store_status store_cards(struct store *s, const struct card_filter *filter,
                              const struct store_page *page, store_card_fn *each, void *context,
                              uint64_t *total) MUST_USE;

// The last complete audit answer of a card.
struct card_view {
    struct utc at;
    uint64_t operation;
    bool is_outdated; // a state-changing command was sent later
    uint32_t registry_version;
    struct audit_answer answer;
    uint8_t outcome; // enum audit_outcome
};
enum store_status store_card_view(struct store *s, uint64_t card, struct card_view *out) MUST_USE;
// Fields in which the mirror and the last answer differ now.
uint8_t card_view_differences(const struct record *r, const struct card_view *view,
                              struct difference out[DECISION_DIFFERENCES_MAX]);

// What one audit answered, and what differed before anything was corrected.
#define KEPT_FIELD_SIZE 32
struct kept_audit {
    struct card_view view;
    uint8_t count;
    struct difference differences[DECISION_DIFFERENCES_MAX];
    char fields[DECISION_DIFFERENCES_MAX][KEPT_FIELD_SIZE]; // what they point to, once read
};
// `view` has the operation; the names of fields are shorter than KEPT_FIELD_SIZE.
enum store_status store_audit_put(struct store *s, uint64_t card,
                                  const struct kept_audit *audit) MUST_USE;
enum store_status store_audit(struct store *s, uint64_t operation, struct kept_audit *out) MUST_USE;

// --- subscriptions and pools -----------------------------------------------------------------

enum subscription_state {
    SUBSCRIPTION_FREE,
    SUBSCRIPTION_RESERVED,
    SUBSCRIPTION_ON_CARD,
    SUBSCRIPTION_RETIRED
};
const char *subscription_state_name(uint8_t state);

struct subscription {
    uint64_t id, tenant, pool, card; // pool, card: 0 = none
    uint8_t state;                   // enum subscription_state
    uint8_t slot;                    // on the card, or 0
    struct download_plan plan;
    char operator_name[48];
    char rule_pack[32];
    bool has_keys;
    struct utc created_at, changed_at;
    uint64_t import;  // that brought it, or 0
    uint64_t version; // 1, 2, ...; only read
};
// Inserts, or replaces and counts the version up.
enum store_status store_subscription_put(struct store *s, const struct subscription *v) MUST_USE;
enum store_status store_subscription_get(struct store *s, uint64_t id,
                                         struct subscription *out) MUST_USE;
enum store_status store_subscription_by_imsi(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                             struct subscription *out) MUST_USE;
// Takes a free one of the pool for the card; STORE_NONE when the pool is empty. `is_for_fallback`:
// only one that may become the fallback.
enum store_status store_pool_reserve(struct store *s, uint64_t pool, bool is_for_fallback,
                                     uint64_t card, struct utc at,
                                     struct subscription *out) MUST_USE;
// The one that it would take, left where it is.
enum store_status store_pool_free(struct store *s, uint64_t pool, bool is_for_fallback,
                                  struct subscription *out) MUST_USE;
// Gives back what is reserved for this card. What was on the card and has no network keys here can
// never be downloaded again: it becomes RETIRED; everything else FREE. No effect on what is
// not reserved, or not for this card.
enum store_status store_subscription_release(struct store *s, uint64_t id, uint64_t card,
                                             bool was_on_card, struct utc at) MUST_USE;
typedef bool store_subscription_fn(void *context, const struct subscription *row);
struct subscription_filter {
    uint64_t tenant, pool, card; // 0 = any
    uint32_t grants;    // as in card_filter: also what is on such cards; with `card` or `search`
    int state;          // -1 = any
    const char *search; // digits that ICCID, IMSI or number begins with; or NULL
};
enum store_status store_subscriptions(struct store *s, const struct subscription_filter *filter,
                                      const struct store_page *page, store_subscription_fn *each,
                                      void *context, uint64_t *total) MUST_USE;
// Counts by enum subscription_state.
enum store_status store_pool_counts(struct store *s, uint64_t pool, uint64_t counts[4]) MUST_USE;
// Under the IMSI of a subscription that was put with `has_keys`.
enum store_status store_network_keys_put(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                         const struct network_keys *keys) MUST_USE;
// Only for the builder of DOWNLOAD.
enum store_status store_network_keys(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                     struct network_keys *out) MUST_USE;
enum store_status store_network_keys_erase(struct store *s,
                                           const uint8_t imsi[COMMAND_IMSI_SIZE]) MUST_USE;
// How many octets they have, which no key is opened for; 0: there are none.
enum store_status store_network_keys_len(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                         uint8_t *len) MUST_USE;
// New master keys: what is sealed from here on is sealed under them, and until store_rewrap() is
// done the old ones open what it has not come to. With pseudonyms nothing changes.
enum store_status store_masters_change(struct store *s, const struct secret_key *ota,
                                       const struct secret_key *network) MUST_USE;
// Seals at most `limit` cards and as many subscriptions more under the new masters; `is_done` when
// there were none. May be stopped after any commit, and goes on in another process that brings the
// old masters as store_options.old_ota and old_network.
enum store_status store_rewrap(struct store *s, uint32_t limit, bool *is_done) MUST_USE;

// The first of these that any card or subscription has, of a load under way too, and that is not
// below `from`; STORE_NONE: there is none.
enum store_number { STORE_ICCID, STORE_IMSI, STORE_MSISDN };
#define STORE_NUMBER_SIZE 24
enum store_status store_number_next(struct store *s, enum store_number what, const char *from,
                                    char next[STORE_NUMBER_SIZE]) MUST_USE;

// --- imports ---------------------------------------------------------------------------------

// A load comes in many transactions and is seen at once: cards and subscriptions of `import` are
// hidden from everything above between begin and end. Their ids must be above that of the import.
enum store_status store_loading_begin(struct store *s, uint64_t import) MUST_USE;
enum store_status store_loading_end(struct store *s, uint64_t import) MUST_USE;
// From here on the load is carried through, also after a stop: it completes cards that were there.
enum store_status store_loading_merge(struct store *s, uint64_t import) MUST_USE;
// An import whose load has not ended; STORE_NONE.
enum store_status store_loading_next(struct store *s, uint64_t *import, bool *is_merging) MUST_USE;
// Takes at most `limit` rows of such a load away, with their keys; `is_gone` when none was left.
enum store_status store_loading_undo(struct store *s, uint64_t import, uint32_t limit,
                                     bool *is_gone) MUST_USE;

// What a load has of a card that was there before it: octets of the caller's, sealed [load.h].
enum store_status store_part_next(struct store *s, uint64_t import, uint64_t *card,
                                  struct writer *content) MUST_USE;
enum store_status store_part_drop(struct store *s, uint64_t import, uint64_t card) MUST_USE;
enum store_status store_card_reference_put(struct store *s, uint64_t card,
                                           const uint8_t reference[CARD_REFERENCE_SIZE]) MUST_USE;

// --- operations ------------------------------------------------------------------------------

enum store_status store_operation_put(struct store *s, uint64_t card, uint64_t tenant,
                                      const struct operation *o) MUST_USE;
enum store_status store_operation_get(struct store *s, uint64_t id, struct operation *out,
                                      uint64_t *card) MUST_USE;
// The enterprise that asked for it, or whose card it is on.
enum store_status store_operation_tenant(struct store *s, uint64_t id, uint64_t *tenant) MUST_USE;
struct operation_filter {
    uint64_t tenant, card, group, campaign, client;
    uint32_t grants; // not 0: and of cards in groups for which `tenant` has one of them
    int kind, status, outcome, failure; // -1 = any
    struct utc from, to;
    uint64_t after; // of store_operations_behind()
};
void operation_filter_init(struct operation_filter *f);
typedef bool store_operation_fn(void *context, uint64_t card, const struct operation *o);
// Those behind filter->after, oldest first; `card` is not looked at.
enum store_status store_operations_behind(struct store *s, const struct operation_filter *filter,
                                          uint32_t limit, store_operation_fn *each,
                                          void *context) MUST_USE;
// Newest first.
enum store_status store_operations(struct store *s, const struct operation_filter *filter,
                                   const struct store_page *page, store_operation_fn *each,
                                   void *context, uint64_t *total) MUST_USE;
#define MESSAGE_ID_SIZE 65 // of the SMSC
// What the SMSC called the parts of a step's packet: in their order, with a space after each; "-"
// for a part to which it gave no name. "" when the step is about none.
#define STEP_MESSAGES_SIZE (8 * (MESSAGE_ID_SIZE + 1))
enum store_status store_step_add(struct store *s, const struct step *step, struct utc at,
                                 const char *messages) MUST_USE;
typedef bool store_step_fn(void *context, const struct step *step, struct utc at,
                           const char *messages);
enum store_status store_steps(struct store *s, uint64_t operation, store_step_fn *each,
                              void *context) MUST_USE;

// --- messages and the outbox -----------------------------------------------------------------

enum post_state {
    POST_WAITING,   // in the outbox
    POST_SUBMITTED, // accepted by a link
    POST_REFUSED,
    POST_DELIVERED,
    POST_LOST,
    POST_RECEIVED, // from the card
    POST_UNKNOWN,  // nobody knows
};

// One packet to or from a card: its octets as they travel, ciphered.
#define MESSAGE_PACKET_MAX 512
struct message {
    uint64_t id, card, operation;
    uint64_t group;    // of the card; known of those that wait
    bool is_automatic; // of an audit that the dirty schedule started; known as the group is
    bool is_mo;
    uint8_t state;
    uint8_t command; // enum command_number, or notify cause of MO
    uint64_t counter;
    char number[NUMBER_TEXT_SIZE];
    uint8_t parts;
    uint8_t reference; // of the concatenation
    uint32_t validity_ms;
    struct utc at;
    struct utc due; // not before
    uint8_t tries;
    uint16_t packet_len;
    uint8_t packet[MESSAGE_PACKET_MAX];
};
enum store_status store_message_put(struct store *s, const struct message *m) MUST_USE;
enum store_status store_message_state(struct store *s, uint64_t id, uint8_t state, uint8_t tries,
                                      struct utc due) MUST_USE;
typedef bool store_message_fn(void *context, const struct message *m);
// Waiting ones, in the order of their ids, behind `after`.
enum store_status store_outbox(struct store *s, uint64_t after, uint32_t limit,
                               store_message_fn *each, void *context) MUST_USE;
// After a restore: what waits in the outbox may have been sent and answered
// since: it becomes POST_UNKNOWN.
enum store_status store_outbox_forget(struct store *s) MUST_USE;
// The SMSC's id of one part, to find the packet of a receipt.
enum store_status store_receipt_id_put(struct store *s, const char *link, const char *message_id,
                                       uint64_t message, uint8_t part, struct utc at) MUST_USE;
enum store_status store_receipt_find(struct store *s, const char *link, const char *message_id,
                                     struct message *out, uint8_t *part) MUST_USE;
// A message that fits no card: counted and kept 24 h.
struct stray {
    uint64_t id; // given by the store
    char number[NUMBER_TEXT_SIZE];
    bool has_reference;
    uint8_t reference[CARD_REFERENCE_SIZE];
    bool is_response;
    uint8_t sms;
    uint16_t packet_len;
    uint8_t packet[MESSAGE_PACKET_MAX];
};
enum store_status store_stray_add(struct store *s, const struct stray *v, struct utc at) MUST_USE;
enum store_status store_stray_drop(struct store *s, uint64_t id) MUST_USE;
typedef bool store_stray_fn(void *context, const struct stray *v);
// In the order in which they came, behind `after`.
enum store_status store_strays(struct store *s, uint64_t after, uint32_t limit,
                               store_stray_fn *each, void *context) MUST_USE;
enum store_status store_strays_count(struct store *s, uint64_t *count) MUST_USE;
// A part of a message from a card, as user data, whose others have not come yet: kept 24 h.
enum store_status store_message_part_put(struct store *s, const char *number,
                                         struct bytes user_data, struct utc at) MUST_USE;
typedef void store_message_part_fn(void *context, const char *number, struct bytes user_data);
enum store_status store_message_parts(struct store *s, struct utc from, store_message_part_fn *each,
                                      void *context) MUST_USE;

// --- work that is due ------------------------------------------------------------------------

// Cards whose wake_at is not after `now`, earliest first.
enum store_status store_due(struct store *s, struct utc now, uint32_t limit, store_id_fn *each,
                            void *context) MUST_USE;
// Looks at the card again at `at`, whatever its record says.
enum store_status store_card_postpone(struct store *s, uint64_t card, struct utc at) MUST_USE;
// The earliest wake_at of all; 0 when there is none.
enum store_status store_next_due(struct store *s, struct utc *at) MUST_USE;
// Cards with something under way, for the restart after an unclean stop; in order from `after`.
enum store_status store_under_way(struct store *s, uint64_t after, uint32_t limit,
                                  store_id_fn *each, void *context) MUST_USE;
// Cards that wait for time or place, hold one, or have something under way, in order from `after`.
enum store_status store_waiting(struct store *s, uint64_t after, uint32_t limit, store_id_fn *each,
                                void *context) MUST_USE;
// Every card, in order from `after`.
enum store_status store_all_cards(struct store *s, uint64_t after, uint32_t limit,
                                  store_id_fn *each, void *context) MUST_USE;
// Times of cleaning: strays after 24 h, idempotency keys and receipts after 7 d, fallbacks after 8
// d, tallies after 24 months.
enum store_status store_sweep(struct store *s, struct utc now) MUST_USE;

// --- audits and doubt ------------------------------------------------------------------------

enum store_status store_card_view_put(struct store *s, uint64_t card,
                                      const struct card_view *view) MUST_USE;
struct dirty_summary {
    uint64_t total, unreachable, needs_operator;
    uint64_t by_reason[DIRTY_REASONS];
    uint64_t by_age[4]; // under 1 h, 24 h, 7 d, older
};
// `grants` as in card_filter.
enum store_status store_dirty_summary(struct store *s, uint64_t tenant, uint32_t grants,
                                      struct utc now, struct dirty_summary *out) MUST_USE;

// --- trail -----------------------------------------------------------------------------------

// A row before it is written: the store adds sequence and hashes. Texts may be NULL.
struct trail_new {
    struct utc at;
    uint64_t tenant;
    struct actor actor;
    const char *address;     // source address of a request
    const char *action;      // "operation.requested"
    const char *object_kind; // "card"
    uint64_t object;         // written by its name, or as a keyed pseudonym
    uint64_t operation;
    uint64_t correlator;
    const char *before, *after, *reason, *result;
    uint64_t approval;
};
enum store_status store_trail_add(struct store *s, const struct trail_new *row) MUST_USE;
struct trail_filter {
    uint64_t tenant, object, operation, correlator, sequence;
    uint64_t group; // of the card that the row is about
    uint64_t sequence_from;
    const char *object_kind, *action;
    const char *object_name; // that the object has in clear; NULL: any
    int actor_kind;          // -1 = any
    uint64_t actor_id;
    struct utc from, to;
    bool is_ascending; // else newest first
};
void trail_filter_init(struct trail_filter *f);
typedef bool store_trail_fn(void *context, const struct trail_row *row);
enum store_status store_trail(struct store *s, const struct trail_filter *filter,
                              const struct store_page *page, store_trail_fn *each, void *context,
                              uint64_t *total) MUST_USE;

struct trail_verdict {
    bool ok;
    uint64_t checked, from, to;
    uint64_t first_bad;  // sequence, when not ok
    const char *problem; // "HASH", "GAP", "CHECKPOINT", "SIGNATURE" of a checkpoint or tombstone
    uint8_t head[32];
    uint64_t checkpoints; // checked
    uint64_t checkpoint_last;
};
// Recomputes the chain from `from` to `to` (0: as far as it goes), and the tombstones in its way.
// Of the row before `from` the stored hash is taken, so that pieces can be recomputed apart, and
// hold together if each holds.
enum store_status store_trail_chain(struct store *s, uint64_t from, uint64_t to,
                                    struct trail_verdict *out) MUST_USE;
// Compares the checkpoints from `from` to `to` with a chain that holds, and looks for rows that
// have no signed one behind them though they must (decision 366): completes its verdict. Without a
// file of them for the store nothing is looked for.
void store_trail_witness(struct store *s, uint64_t from, uint64_t to, struct trail_verdict *out);
// Are there more of them than are verified in some 50 ms?
bool store_checkpoints_are_many(const struct store *s);
// Both.
enum store_status store_trail_verify(struct store *s, uint64_t from, uint64_t to,
                                     struct trail_verdict *out) MUST_USE;
// Appends a checkpoint to the file outside the database, and syncs it.
enum store_status store_checkpoint(struct store *s, struct utc at) MUST_USE;
typedef bool store_checkpoint_fn(void *context, const struct checkpoint *c);
// Those of the file, oldest first.
enum store_status store_checkpoints(struct store *s, const struct store_page *page,
                                    store_checkpoint_fn *each, void *context,
                                    uint64_t *total) MUST_USE;
// Is any card in doubt since then or before? Not one that is retired, or has no keys yet.
enum store_status store_any_dirty(struct store *s, struct utc until, bool *is_any) MUST_USE;
// Was the database restored from a backup: does it say so itself, or does its trail not reach the
// newest checkpoint?
enum store_status store_is_restored(struct store *s, bool *is_restored) MUST_USE;
// The cards have been told: it no longer says so.
enum store_status store_restore_done(struct store *s) MUST_USE;

// Writes the checkpoints of the file `from` (none when it is not there) that fit this trail to
// `to`.
enum store_status store_checkpoints_keep(struct store *s, const char *from,
                                         const char *to) MUST_USE;
// The public key that checkpoints are verified with; all zero when they are not signed.
void store_checkpoint_signer(const struct store *s, uint8_t public[32]);
enum store_status store_trail_head(struct store *s, uint64_t *sequence, uint8_t hash[32]) MUST_USE;

// --- idempotency, documents, values ----------------------------------------------------------

// STORE_NONE: the key is new, it is now taken for `operation` with the digest of the body.
// STORE_OK: same key and body, `operation` is set. STORE_CONFLICT: same key, another body.
enum store_status store_idempotency(struct store *s, uint64_t client, const char *key,
                                    const uint8_t digest[32], struct utc now,
                                    uint64_t *operation) MUST_USE;

// Everything else that the interfaces keep (tenants, groups, users, clients, webhooks, imports,
// campaigns, approvals, alarms, templates ...): a kind, an id, an optional unique name, an owner,
// a state to list by, and a body that the store does not look into (JSON).
struct document {
    const char *kind;
    uint64_t id;
    uint64_t owner;   // tenant, or 0
    uint64_t parent;  // to list by: group of a rule, pool of ..., or 0
    const char *name; // unique within the kind, or NULL
    int64_t state;
    struct utc created_at, changed_at;
    uint64_t version; // 1, 2, ...; 0 for a new one
    struct bytes body;
};
// With version 0: inserts as version 1. Else: replaces the version that is there if it is this one,
// and counts it up. STORE_CONFLICT when it is there already, was changed, or the name is taken.
enum store_status store_document_put(struct store *s, const struct document *d) MUST_USE;
typedef bool store_document_fn(void *context, const struct document *d);
enum store_status store_document_get(struct store *s, const char *kind, uint64_t id,
                                     store_document_fn *each, void *context) MUST_USE;
enum store_status store_document_named(struct store *s, const char *kind, const char *name,
                                       store_document_fn *each, void *context) MUST_USE;
// STORE_OK when one has a name from `from` on and before `to`, and is not in a state.
enum store_status store_document_between(struct store *s, const char *kind, const char *from,
                                         const char *to, int64_t not_state) MUST_USE;
// Takes one from a state into another, as its next version; STORE_NONE when it is not in `from`.
enum store_status store_document_state(struct store *s, const char *kind, uint64_t id, int64_t from,
                                       int64_t to, struct utc at) MUST_USE;
enum store_status store_document_delete(struct store *s, const char *kind, uint64_t id) MUST_USE;
struct document_filter {
    const char *kind, *application_field; // of groups the field; or NULL
    uint64_t owner, parent;
    int64_t state; // -1 = any
    uint32_t bits; // not 0: the state has one of them
    bool is_descending;
    uint64_t after; // of a list that ascends: with higher ids only; not counted so
};
enum store_status store_documents(struct store *s, const struct document_filter *filter,
                                  const struct store_page *page, store_document_fn *each,
                                  void *context, uint64_t *total) MUST_USE;

// A small value by name: "stop" (clean or not), "config", ... STORE_NONE when it is not there.
enum store_status store_value(struct store *s, const char *name, struct writer *out) MUST_USE;
enum store_status store_value_put(struct store *s, const char *name, struct bytes value) MUST_USE;

struct store_counts {
    uint64_t cards_by_state[CARD_STATES];
    uint64_t cards_by_mark[CARD_MARKS];
    uint64_t operations_by_status[OPERATION_STATUSES]; // those that have not ended
    uint64_t outbox, strays, trail;
    uint64_t seen; // cards between their first contact and retirement
    uint64_t seen_by_mark[CARD_MARKS];
};
enum store_status store_counts(struct store *s, uint64_t tenant, struct store_counts *out) MUST_USE;
// Adds the cards only, which are counted as they change: cheap however many there are.
enum store_status store_card_counts(struct store *s, uint64_t tenant,
                                    struct store_counts *out) MUST_USE;

// What was counted in an hour, of one enterprise or (0) of the installation. Kept for 24 months.
#define TALLY_MS (60 * 60 * 1000)
struct figure_tally {
    uint64_t tenant;
    struct utc at;
    struct figure_count what;
};
// Adds to what is there.
enum store_status store_tally_add(struct store *s, const struct figure_tally *tally) MUST_USE;
// Sums from the hour of `from` up to `to`: work in the number of hours, not of operations.
enum store_status store_tallies(struct store *s, uint64_t tenant, struct utc from, struct utc to,
                                struct figure_sums *out) MUST_USE;
// Cards that fell back from subscriptions of an operator, of the whole installation. Kept for 8
// days.
enum store_status store_fallback_add(struct store *s, const char *operator_name,
                                     struct utc at) MUST_USE;
// Of each operator: those of the last 10 minutes and the one under way, and of the 7 days before.
#define STORE_STORM_MINUTES 10
typedef void store_fallbacks_fn(void *context, const char *operator_name, uint64_t recent,
                                uint64_t before);
enum store_status store_fallbacks(struct store *s, struct utc now, store_fallbacks_fn *each,
                                  void *context) MUST_USE;
// How many alarms of a key are not over.
typedef void store_alarms_fn(void *context, const char *key, uint64_t count);
enum store_status store_alarms_open(struct store *s, store_alarms_fn *each, void *context) MUST_USE;

// Octets of the database and of its write-ahead log; a database in memory has no log.
struct store_sizes {
    uint64_t database, journal;
};
enum store_status store_sizes(struct store *s, struct store_sizes *out) MUST_USE;

// Server ids: 63 bits, ascending in time, never given twice, also not after a restore.
struct ids {
    uint64_t last;
};
uint64_t ids_next(struct ids *ids, struct utc now);
uint64_t ids_first(struct utc now); // of those that are given from then on

// Behind the highest that the store holds: a clock that went back must not give one again, and what
// is sent in the order of its id must come behind what was there.
enum store_status store_ids(struct store *s, struct ids *ids) MUST_USE;
