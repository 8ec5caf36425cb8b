// An SMSC: accounts that bind, messages that are stored and forwarded, receipts, time-outs, and
// faults made on purpose. Real SMPP 3.4 on every link; no socket, no clock of its own.
//
// A message goes to whoever is bound for its destination: the link whose bind named the
// address_range that fits best (digits, a final `*` allowed, several separated by commas), else the
// account with the longest fitting prefix among the routes. While nobody takes it, or the receiver
// answers with a temporary error, it waits and is tried again until its validity ends. On a route
// that is `ordered` one message for a destination is under way at a time, as towards a real
// subscriber; others use the whole window. A message *from* a number is a sign of life: what waits
// for that number is tried at once.
//
// Temporary answers to deliver_sm: ESME_RX_T_APPN, ESME_RTHROTTLED, ESME_RMSGQFUL, ESME_RSYSERR,
// and no answer at all. Any other error is final: the message is undeliverable.
//
// Promises: fixed memory of the caller; every accepted message ends as delivered, expired or
// undeliverable, each with a receipt when one was asked for, unless a fault rule drops it. Never:
// looks into a message, except at the receipt bits of esm_class.
#pragma once

#include "smpp/core/session.h"
#include "smpp/core/smsc_fault.h"
#include "smpp/core/smsc_queue.h"

#define SMSC_ACCOUNTS_MAX 32
#define SMSC_ROUTES_MAX 64
#define SMSC_PASSWORD_SIZE 9 // with its zero [SMPP 3.4 §4.1]
#define SMSC_RANGE_SIZE 41

struct smsc_account {
    char system_id[SMPP_SYSTEM_ID_SIZE];
    char password[SMSC_PASSWORD_SIZE];
    uint16_t links_max; // 0: any number
};

struct smsc_route {
    char prefix[SMSC_NUMBER_SIZE]; // of the destination; empty: all
    uint16_t account;              // index
    bool is_ordered;
};

struct smsc_link {
    // private, but for counts and state in `session`
    struct smpp_session session;
    char range[SMSC_RANGE_SIZE]; // address_range of the bind
    uint16_t account;
    bool is_used;
    bool has_account;
    bool is_cut; // the shell is to close it now
};

struct smsc_config {
    const struct smsc_account *accounts;
    size_t account_count;
    const struct smsc_route *routes;
    size_t route_count;
    struct smsc_link *links;
    size_t link_count;
    struct smpp_session_config session; // role and memory are set for each link by smsc_link_open
    uint32_t validity_s;                // when a message names none, and at most; 0: 86,400
    uint32_t retry_first_ms;            // after a temporary error; 0: 5,000; doubles
    uint32_t retry_max_ms;              // 0: 300,000
    bool range_is_ordered;              // links bound with an address_range carry a network
    bool text_receipts_only;            // no TLVs in receipts
    bool hex_in_answers;                // message ids in hexadecimal, in submit_sm_resp
    bool hex_in_receipts;               // or in receipts; decimal otherwise
};

struct smsc_counts {
    uint64_t submitted;     // submit_sm that came
    uint64_t accepted;      // ... and were stored
    uint64_t refused;       // ... or answered with an error
    uint64_t queue_full;    // ... of these for want of room
    uint64_t delivered;     // messages that a receiver took
    uint64_t deliver_tries; // deliver_sm sent, receipts not counted
    uint64_t temporary;     // answers with a temporary error, and none
    uint64_t undeliverable;
    uint64_t expired;
    uint64_t receipts; // receipts that a receiver took
    uint64_t lost, duplicated, delayed, reordered, statuses, cut;
    uint64_t dropped_receipts, dropped_responses, duplicated_receipts, early_receipts;
};

struct smsc {
    // private
    struct smsc_config config;
    struct smsc_queue *queue;
    struct smsc_faults *faults;
    struct smsc_counts counts;
    struct instant now;
    struct utc utc;
    uint64_t last_id;
    uint32_t next_link; // where the last delivery went, for taking turns
};

// `queue` and `faults` are initialised by the caller and stay its own.
void smsc_init(struct smsc *s, const struct smsc_config *config, struct smsc_queue *queue,
               struct smsc_faults *faults);
// The time of everything until the next call: runs time-outs, retries and expiries.
void smsc_tick(struct smsc *s, struct instant now, struct utc utc);
struct instant smsc_deadline(const struct smsc *s);
// A connection came: its session uses the memory named in `memory` (window, owed, input, output).
// SMSC_NONE when all links are in use.
uint32_t smsc_link_open(struct smsc *s, const struct smpp_session_config *memory);
// For reading and writing octets; see session.h.
struct smpp_session *smsc_session(struct smsc *s, uint32_t link);
// Handles what the session has: call after octets came in. False: close the connection, after
// writing what the session's output holds, then call smsc_link_gone.
bool smsc_link_handle(struct smsc *s, uint32_t link);
// The connection is gone; the link can be used again.
void smsc_link_gone(struct smsc *s, uint32_t link);
// Delivers what can be delivered: once a turn, after all links were handled and before writing.
void smsc_pump(struct smsc *s);
// The number is reachable again: what waits for it is tried at once.
void smsc_alert(struct smsc *s, const char *digits);
// Ends a link as a broken connection would.
void smsc_cut(struct smsc *s, uint32_t link);

// "250724120000000R"-like absolute and relative times [SMPP 3.4 §7.1.1]: ms from `utc`; false for
// another form. An empty text gives 0.
bool smsc_read_time(struct bytes text, struct utc utc, uint64_t *ms) MUST_USE;
