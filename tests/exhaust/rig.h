// One real applet over an array of octets, and the reference model beside it: everything that is
// told to the one is told to the other, every message that leaves is compared, and the whole state
// after each step. Small on purpose: three slots, short numbers, a cipher that costs nothing.
//
// Whether and where the power fails is the rig's affair alone: it logs every write with what stood
// there, and cuts.c makes the memory of a cut from the log. The applet is never asked.
#pragma once

#include "tests/model/model.h"

#define RIG_NVM 3072        // of memories with pages
#define RIG_NVM_OCTETS 2048 // of those that write single octets
#define RIG_PAGE 64
#define RIG_SLOTS 3
#define RIG_WRITES_MAX 4096
#define RIG_OCTETS_MAX 262144
#define RIG_SNAPSHOTS_MAX 24
#define RIG_BODY_MAX 96 // what one message holds

// Octets written, in order, with what they replaced. On a memory with pages a write is a page as a
// whole.
struct rig_write {
    uint16_t at;
    uint16_t len;
    uint32_t octets_at; // in `octets`: first the new ones, then the former ones
};
struct rig_log {
    unsigned count;
    uint32_t used;
    struct rig_write writes[RIG_WRITES_MAX];
    uint8_t octets[RIG_OCTETS_MAX];
};

// What the server last sent, to send it again.
struct rig_last {
    uint8_t event;
    bool are_keys_good;
    uint64_t counter;
    uint32_t operation_id;
    uint8_t len;
    uint8_t data[160];
};

// A state that can be gone back to.
struct rig_state {
    struct applet applet;
    struct model_card model;
    struct rig_last last;
    uint64_t counter; // of the last packet
    uint32_t operation_id;
    uint8_t nvm[RIG_NVM];
};

enum rig_event {
    RIG_DOWNLOAD,
    RIG_DOWNLOAD_ENABLE, // and take the fallback attribute
    RIG_DOWNLOAD_WRONG_KEYS,
    RIG_ENABLE_1,
    RIG_ENABLE_2,
    RIG_ENABLE_2_FIRM, // without rollback
    RIG_ENABLE_3,
    RIG_DELETE_1,
    RIG_DELETE_2,
    RIG_DELETE_3,
    RIG_FALLBACK_1,
    RIG_FALLBACK_2,
    RIG_FALLBACK_3_FORCED,
    RIG_CONFIGURE_MODE,
    RIG_CONFIGURE_COUNTRY,
    RIG_CONFIGURE_ADDRESS,
    RIG_CONFIGURE_WRONG,
    RIG_AUDIT,
    RIG_CONFIRM,
    RIG_CONFIRM_NEWEST,
    RIG_CONFIRM_WRONG,
    RIG_NONSENSE,
    RIG_SAME_PACKET,
    RIG_SAME_OPERATION,
    RIG_OTHER_OPERATION, // another command under the last operation id
    RIG_OLD_COUNTER,
    RIG_NORMAL,
    RIG_ABROAD,
    RIG_LIMITED,
    RIG_NO_SERVICE,
    RIG_REJECTED,
    RIG_CONDEMNED,
    RIG_CLOCK,
    RIG_NOTIFY_CLOCK,
    RIG_COUNTRY_CLOCK,
    RIG_DUE, // ticks of the card's clock until something is due
    RIG_RESET,
    RIG_REFRESH_FETCH,
    RIG_REFRESH_RESET, // fetched, and followed by a reset
    RIG_REFRESH_DONE,
    RIG_REFRESH_BUSY,
    RIG_IMSI_READ,
    RIG_EVENTS,
    // Not searched, but applied once at the beginning.
    RIG_SETUP_SHORT = RIG_EVENTS, // no delays, one sending, one round
    RIG_SETUP_LONG,               // delays, two sendings, two rounds
    RIG_BODY,                     // a command packet with `body`
};
const char *rig_event_name(uint8_t event);

// What becomes of a write in which the memory fails.
enum rig_failure {
    RIG_NOTHING_WRITTEN,
    RIG_HALF_WRITTEN, // the other half as it was, and one octet wrong
    RIG_ALL_WRITTEN,  // and an error all the same
    RIG_WORN,         // no error is told, but one octet is wrong
};
#define RIG_FAILURES (RIG_WORN + 1)

struct rig {
    struct rig_state now;
    struct applet_port port;
    struct applet_work work;
    struct applet_factory factory;
    struct applet_template templates[1];
    struct slot subscriptions[2];
    struct cipher cipher;
    struct bytes body; // at most RIG_BODY_MAX octets
    bool are_body_keys_good;
    struct rig_log *log; // NULL: writes are not logged
    // The memory fails in write `fails_at` (0: in none), once or from there on. What the model
    // then differs in does not count: it knows no memory.
    unsigned fails_at, writes;
    bool fails_on;
    enum rig_failure failure;
    // The model at the beginning of a step and at each of its commits.
    unsigned snapshot_count;
    struct model_card snapshots[RIG_SNAPSHOTS_MAX];
    const char *differs;         // what, or NULL
    struct model_answer expects; // of the command under way
    bool is_answered, is_asked;
    uint8_t answer_status, answer_code; // of the answer to it
    uint32_t answer_version;
    unsigned long long messages;
    uint8_t parts[SMS_PACKET_MAX]; // of a message under way
    size_t parts_len;
    bool is_parts_answer;
};

// `is_real`: with real cryptography, from host. False: it is not to be had. `is_paged`: the memory
// writes pages.
bool rig_open(struct rig *r, bool is_real, bool is_paged);
void rig_close(struct rig *r, bool is_real);
// Lets the event happen. False when it cannot in this state; then nothing did. r->differs says
// whether card and model still agree.
bool rig_apply(struct rig *r, uint8_t event);
// The terminal starts on a card that has started: TERMINAL PROFILE and what follows.
void rig_profile(struct rig *r);
// Goes back to a state; forgets what the workspace kept of another.
void rig_restore(struct rig *r, const struct rig_state *s);
// A number that is the same for states that behave alike.
uint64_t rig_key(struct rig *r);
// Compares card and model.
const char *rig_compare(struct rig *r, const struct applet *a, const struct model_card *m);

// --- between the files of the rig ---

// The SMS-DELIVER of a command, and the model's view of it. False: there is no such command now.
struct rig_command {
    struct model_packet packet;
    uint8_t data[COMMAND_BODY_MAX];
    uint8_t tpdu[SMS_DELIVER_MAX];
    size_t tpdu_len;
};
bool rig_command(struct rig *r, uint8_t event, struct rig_command *out);
// Cheap stand-ins for the cryptography: the questions here are about memory.
struct cipher rig_cipher(void);
