// The commands of the subscription management applet, their results, and its notifications: what
// card and server must agree on. Every octet is described in docs/applet-protocol.md.
//
// A command is the secured data of one command packet: one compact remote APDU `80 E2 91 nn Lc
// TLVs`, where P2 is the command number. Its result is the data of the response packet, in the
// compact response form `01 90 00 result` [102.226 §5.1]. A notification is the secured data of a
// command packet that the card sends.
//
// Promises: reading keeps nothing and judges form only; what a value means is judged by who acts on
// it. What is written reads back the same. Views point into the octets that were read.
#pragma once

#include "common/base/bytes.h"
#include "common/wire/cipher.h"

#define COMMAND_ICCID_SIZE 10 // as in EF.ICCID [31.102 §4.2.x, 102.221 §13.2]
#define COMMAND_IMSI_SIZE 9   // as in EF.IMSI, length octet first [31.102 §4.2.2]
#define COMMAND_NUMBER_MAX 12 // TON/NPI and BCD digits of a dialling number
#define COMMAND_KEYS_MAX 64   // K and TOPc of 32 octets each, wrapped
#define COMMAND_CHECK_SIZE 3
#define COMMAND_NONCE_SIZE 8
#define COMMAND_HASH_SIZE 4
#define COMMAND_PLMNS_MAX 40   // 8 entries of EF.PLMNwAcT, 5 octets each
#define COMMAND_BODY_MAX 260   // APDU header of 5 and Lc of one octet
#define COMMAND_RESULT_MAX 369 // three SMS
#define COMMAND_NOTIFY_MAX 98  // one SMS with the card reference; the longest takes 72
#define COMMAND_IMEI_SIZE 8
#define COMMAND_PLMN_SIZE 3
#define COMMAND_SLOTS_MAX 16
#define COMMAND_TEMPLATES_MAX 8

enum command_number {
    COMMAND_DOWNLOAD = 0x01,
    COMMAND_ENABLE = 0x02,
    COMMAND_DELETE = 0x03,
    COMMAND_SET_FALLBACK = 0x04,
    COMMAND_AUDIT = 0x05,
    COMMAND_CONFIGURE = 0x06, // protocol level 2
    COMMAND_CONFIRM = 0x10,
};

enum result_code {
    RESULT_OK = 0x00,
    RESULT_OK_PENDING = 0x01, // the final word comes by notification
    RESULT_OK_UNCHANGED = 0x02,
    RESULT_NOT_FOUND = 0x10,
    RESULT_IS_ENABLED = 0x11,
    RESULT_IS_FALLBACK = 0x12,
    RESULT_POLICY_FORBIDS = 0x13,
    RESULT_ALREADY_INSTALLED = 0x14,
    RESULT_NO_FREE_SLOT = 0x15,
    RESULT_NO_MEMORY = 0x16,
    RESULT_TEMPLATE_UNKNOWN = 0x17,
    RESULT_KEY_CHECK_FAILED = 0x18,
    RESULT_BAD_DATA = 0x19,
    RESULT_BAD_FORMAT = 0x1A,
    RESULT_UNKNOWN_COMMAND = 0x1B,
    RESULT_UNKNOWN_PARAMETER = 0x1C,
    RESULT_OUT_OF_RANGE = 0x1D,
    RESULT_BUSY_SWITCHING = 0x1E,
    RESULT_OPID_REUSED = 0x20,
    RESULT_OPID_EXPIRED = 0x21,
    RESULT_TERMINAL_INCAPABLE = 0x22,
    RESULT_NVM_ERROR = 0x25, // nothing changed
    RESULT_CONFIRM_UNKNOWN = 0x26,
    RESULT_NOT_PROVEN = 0x27,
    RESULT_CONFIRM_TOO_LATE = 0x28,
};

// The name that people see, such as "OK_PENDING"; "UNKNOWN_RESULT" for a value not above.
const char *result_code_name(uint8_t code);
// "DOWNLOAD", "ENABLE" ...; "UNKNOWN_COMMAND" for another value.
const char *command_number_name(uint8_t number);

// A subscription is named by its own ICCID, or by its IMSI if it has none; never by a slot alone.
struct subscription_name {
    bool is_iccid; // which of the two counts
    bool is_given; // false: no name
    uint8_t iccid[COMMAND_ICCID_SIZE];
    uint8_t imsi[COMMAND_IMSI_SIZE];
};

// Flags of DOWNLOAD, ENABLE and SET-FALLBACK (tag 80).
enum {
    COMMAND_FLAG_ENABLE = 0x01,       // DOWNLOAD: enable after download
    COMMAND_FLAG_SET_FALLBACK = 0x02, // DOWNLOAD: take the fallback attribute once confirmed
    COMMAND_FLAG_ROLLBACK = 0x04,     // DOWNLOAD, ENABLE: rollback allowed
    COMMAND_FLAG_FORCE = 0x08,        // SET-FALLBACK: also when not proven
};

enum slot_state {
    SLOT_EMPTY = 0,
    SLOT_DISABLED = 1,
    SLOT_ENABLED = 2,
};

enum slot_role {
    ROLE_OPERATIONAL = 0,
    ROLE_BOOTSTRAP = 1,
    ROLE_TEST = 2,
};

// Marks of a slot (tag 89).
enum {
    SLOT_MARK_NO_DISABLE = 0x01,
    SLOT_MARK_NO_DELETE = 0x02,
    SLOT_MARK_NOT_AUTO = 0x04, // never chosen by automatic selection
};

struct command_download {
    uint8_t template_number;
    struct subscription_name iccid; // is_given only when the subscription has an ICCID of its own
    uint8_t imsi[COMMAND_IMSI_SIZE];
    struct bytes wrapped_keys; // K then OPc (TOPc), see keywrap_open(); 32, 48 or 64 octets
    uint8_t check[COMMAND_CHECK_SIZE];
    struct bytes smsc;   // TON/NPI and BCD, at most COMMAND_NUMBER_MAX; empty: from the template
    struct bytes msisdn; // likewise; empty: none
    struct bytes plmns; // of EF.HPLMNwAcT, 5 octets each [31.102 §4.2.53]; empty: from the template
    // Each of the next is taken from the template when its `has_` is false.
    bool has_mnc_length, has_role, has_rank, has_marks;
    uint8_t mnc_length; // 2 or 3
    uint8_t role;       // enum slot_role
    uint8_t rank;       // 1 to 255
    uint8_t marks;
};

struct command_audit {
    uint8_t nonce[COMMAND_NONCE_SIZE];
    uint8_t first_slot; // 1 to 16
    bool has_lookup;
    uint32_t lookup_operation_id;
};

struct command_configure {
    struct bytes writes; // a list of number(1) length(1) value; see parameter.h
    struct bytes reads;  // numbers, one octet each; `FF` alone: all
};

struct command_confirm {
    uint32_t sequence; // of the notification
};

struct command {
    uint8_t number; // enum command_number, or another value after COMMAND_READ_UNKNOWN
    // Never 0 in state-changing commands. AUDIT carries 0. CONFIRM: that of the commanded switch
    // which the notification reports, else 0.
    uint32_t operation_id;
    uint8_t flags;
    struct subscription_name target; // ENABLE, DELETE, SET-FALLBACK
    struct command_download download;
    struct command_audit audit;
    struct command_configure configure;
    struct command_confirm confirm;
};

enum command_read_status {
    COMMAND_READ_OK = 0,
    COMMAND_READ_BAD_FORMAT, // number and operation id are set if they could be read, else 0
    COMMAND_READ_UNKNOWN,    // form of a command, but the number is none of ours
};

// Reads the data of a command packet. A tag that a command does not know is BAD_FORMAT, so is one
// that stands twice, a missing one, or a wrong length.
enum command_read_status command_read(struct bytes data, struct command *out) MUST_USE;
// Writes the data of a command packet; the writer fails when there is no room or a value has no
// form.
void command_write(struct writer *w, const struct command *c);
// Is it one of those that carry an operation id and are remembered by the card?
bool command_is_state_changing(uint8_t number);

// --- results ---

struct result {
    uint8_t command; // number of the command that is answered
    uint8_t code;    // enum result_code
    bool replayed;   // the stored result of an operation id seen before
    bool more;       // AUDIT: slots remain, ask again from the next one
    uint32_t operation_id;
    uint32_t registry_version; // REGV
    bool has_hash;             // level 2
    uint8_t state_hash[COMMAND_HASH_SIZE];
    struct bytes data; // of the command, see below
};

// False: none of ours, or longer than COMMAND_RESULT_MAX; `data` fits buffers of that size.
bool result_read(struct bytes por_data, struct result *out) MUST_USE;
void result_write(struct writer *w, const struct result *r);

// Data of DOWNLOAD and DELETE: slot(1), free slots(1). Of ENABLE: slot from(1), slot to(1). Of
// SET-FALLBACK: old slot(1), new slot(1). Of CONFIGURE: configuration version(2) and a list as in
// command_configure.writes. Of AUDIT: audit_answer. A refused command has no data.
struct result_pair {
    uint8_t first;
    uint8_t second;
};
bool result_pair_read(struct bytes data, struct result_pair *out) MUST_USE;

enum lookup_kind {
    LOOKUP_NOT_ASKED = 0,
    LOOKUP_STORED = 1,     // code is its stored result
    LOOKUP_NEVER_SEEN = 2, // higher than the highest id seen
    LOOKUP_NOT_STORED = 3, // seen or skipped, no longer kept
};

enum switch_state {
    SWITCH_STARTING = 0,
    SWITCH_STABLE = 1,
    SWITCH_SUSPECT = 2,
    SWITCH_SWITCHING = 3,
    SWITCH_PROBATION = 4,
    SWITCH_CONFIRMING = 5,
    SWITCH_BACKOFF = 6,
};

enum journal_phase {
    JOURNAL_NONE = 0,
    JOURNAL_PREPARED = 1,
    JOURNAL_SWITCHED = 2,
    JOURNAL_CONFIRMING = 3,
};

// What the terminal can do, as the applet found in TERMINAL PROFILE.
enum {
    TERMINAL_EVENTS = 0x0001,  // location status event
    TERMINAL_TIMERS = 0x0002,  // TIMER MANAGEMENT and timer expiration
    TERMINAL_POLLING = 0x0004, // POLL INTERVAL
    TERMINAL_REFRESH = 0x0008,
    TERMINAL_SEND_SMS = 0x0010,
    TERMINAL_LOCATION = 0x0020,  // PROVIDE LOCAL INFORMATION: location and IMEI
    TERMINAL_ACCESS = 0x0040,    // PROVIDE LOCAL INFORMATION: access technology
    TERMINAL_REJECTION = 0x0080, // event network rejection
    TERMINAL_DATE_TIME = 0x0100,
    TERMINAL_NO_SELECTION = 0x8000, // neither events nor polling: automatic selection is off
};

struct audit_slot {
    uint8_t slot; // 1 to 16
    uint8_t state;
    uint8_t role;
    bool is_fallback;
    bool is_proven;
    uint8_t marks;
    uint8_t rank;
    uint8_t template_number;
    uint8_t imsi[COMMAND_IMSI_SIZE];
    bool has_iccid;
    uint8_t iccid[COMMAND_ICCID_SIZE];
};

struct audit_answer {
    uint8_t nonce[COMMAND_NONCE_SIZE];
    uint8_t card_iccid[COMMAND_ICCID_SIZE];
    uint8_t applet_version[3];
    uint8_t level;
    uint8_t slot_count; // of the card, used or not
    uint64_t mt_counter;
    uint64_t mo_counter;
    uint32_t operation_id_highest;
    uint16_t configuration_version;
    uint8_t switch_state;
    uint8_t journal_phase;
    uint8_t preferred_slot;
    uint16_t free_memory; // octets
    uint16_t terminal;    // TERMINAL_ flags
    uint8_t lookup;       // enum lookup_kind
    uint32_t lookup_operation_id;
    uint8_t lookup_code;
    uint8_t template_count;
    uint8_t templates[COMMAND_TEMPLATES_MAX];
    bool has_plmn;
    uint8_t plmn[COMMAND_PLMN_SIZE];
    bool has_imei;
    uint8_t imei[COMMAND_IMEI_SIZE]; // as the terminal gave it
    uint8_t slot_count_here;         // in this page
    struct audit_slot slots[COMMAND_SLOTS_MAX];
};

bool audit_answer_read(struct bytes data, struct audit_answer *out) MUST_USE;
// Writes the head and as many of the slots, in order, as fit below `data_max` octets of data; gives
// the number of slots written.
uint8_t audit_answer_write(struct writer *w, const struct audit_answer *a, size_t data_max);

// The state hash: first 4 octets of SHA-256 over the slot records of an audit answer, all used
// slots in ascending order, with the bit *proven* clear. False: the cipher failed.
bool state_hash(const struct cipher *cipher, const struct audit_slot *slots, size_t slot_count,
                uint8_t hash[COMMAND_HASH_SIZE]) MUST_USE;

// --- notifications ---

enum notify_cause {
    NOTIFY_FIRST_CONTACT = 0x01,
    NOTIFY_ENABLED = 0x02,
    NOTIFY_ROLLED_BACK = 0x03,
    NOTIFY_ROTATED = 0x04,
    NOTIFY_FALLBACK = 0x05,
    NOTIFY_RETURNED = 0x06,
    NOTIFY_COUNTRY = 0x07,
    NOTIFY_IMEI_CHANGED = 0x08,
    NOTIFY_HEARTBEAT = 0x09, // no sequence, not confirmed
    NOTIFY_ADDRESS_CHECK = 0x0A,
    NOTIFY_SWITCH_CAP = 0x0B,
    NOTIFY_EXHAUSTED = 0x0C,
    NOTIFY_SWITCH_FAILED = 0x0D,
    NOTIFY_RECOVERED = 0x0E,
    NOTIFY_RESTORED = 0x0F,
};

const char *notify_cause_name(uint8_t cause);

struct notification {
    uint8_t cause;
    uint32_t sequence;     // 0 for HEARTBEAT
    uint32_t operation_id; // of the commanded switch, else 0
    uint32_t registry_version;
    bool has_hash;
    uint8_t state_hash[COMMAND_HASH_SIZE];
    uint8_t coalesced;             // how many older ones were merged into this one
    struct subscription_name from; // not given when there is none
    struct subscription_name to;
    bool has_plmn, has_access, has_imei, has_reject, has_card;
    uint8_t plmn[COMMAND_PLMN_SIZE];
    uint8_t access;                  // access technology [102.223 §8.61]
    uint8_t imei[COMMAND_IMEI_SIZE]; // as the terminal gave it
    uint8_t reject;                  // last cause of a network rejection
    // FIRST_CONTACT only:
    uint8_t applet_version[3];
    uint8_t level;
    uint16_t terminal;
};

bool notification_read(struct bytes data, struct notification *out) MUST_USE;
void notification_write(struct writer *w, const struct notification *n);
