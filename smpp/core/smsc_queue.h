// What an SMSC holds: messages in mailboxes, one mailbox for each destination, and what is due
// when.
//
// Promises: fixed memory of the caller; a mailbox keeps the order of its messages; nothing is lost
// silently: a message leaves only by smsc_queue_remove(). Never: allocates, asks a clock, sends.
#pragma once

#include "common/base/time.h"
#include "smpp/core/pdu.h"

#define SMSC_NUMBER_SIZE 21 // digits and a zero [SMPP 3.4 §4.4.1]
#define SMSC_MESSAGE_MAX 255
#define SMSC_TLVS_MAX 64 // octets of TLVs kept with a message; what is larger is refused
#define SMSC_NONE UINT32_MAX

struct smsc_number {
    uint8_t ton;
    uint8_t npi;
    char digits[SMSC_NUMBER_SIZE];
};

enum smsc_kind {
    SMSC_KIND_SHORT_MESSAGE,
    SMSC_KIND_RECEIPT, // for the account that submitted
};

// One message. Everything that a deliver_sm needs, and what the SMSC has to remember of it.
struct smsc_message {
    uint64_t id; // message_id, as 10 digits on the wire; never 0
    struct smsc_number source;
    struct smsc_number destination;
    uint8_t kind; // enum smsc_kind
    uint8_t esm_class;
    uint8_t protocol_id;
    uint8_t data_coding;
    uint8_t priority_flag;
    uint8_t registered_delivery;
    uint8_t short_message_len;
    uint8_t tlvs_len;
    uint8_t short_message[SMSC_MESSAGE_MAX];
    uint8_t tlvs[SMSC_TLVS_MAX];
    uint16_t from_account;  // who submitted, and gets the receipt
    uint16_t to_account;    // RECEIPT: who gets it
    bool drops_receipt;     // a fault rule says so
    uint8_t receipt_copies; // the same
    bool is_held;           // not to be delivered before `due`
    bool waits_pass;        // a fault rule: ... or before the next one of the mailbox came
    bool is_in_flight;
    uint16_t attempts;
    struct instant due;    // of a delayed or held message
    struct instant expiry; // validity
    struct utc submitted;
    uint32_t mailbox;
    uint32_t previous, next; // in the mailbox, or `next` in the free list
};

// One destination.
struct smsc_mailbox {
    struct smsc_number destination; // digits "@n" for the receipts of account n
    uint32_t first, last;           // messages
    uint32_t count;
    uint16_t in_flight;
    uint16_t failures;    // temporary ones in a row
    struct instant retry; // not before
    bool is_used;
    bool is_ready; // in the ready list
    uint32_t ready_previous, ready_next;
    uint32_t hash_next;
};

struct smsc_timer {
    struct instant due;
    uint64_t order;   // ties go by age, so that a run can be repeated
    uint64_t id;      // of the message, 0 for a mailbox
    uint32_t subject; // index of message or mailbox
};

// Memory for `message_count` messages: one array of each, and 4 timers a message: three that mean
// something at most, so that sweeping out the others is rare.
struct smsc_queue {
    struct smsc_message *messages;
    struct smsc_mailbox *mailboxes;
    uint32_t *buckets; // as many as messages
    struct smsc_timer *timers;
    uint32_t message_count;
    uint32_t timer_count;
    // private from here
    uint32_t free_message;
    uint32_t free_mailbox;
    uint32_t ready_first, ready_last;
    uint32_t timers_used;
    uint32_t sweep_at; // so many timers
    uint64_t timer_order;
    uint32_t held; // messages now in the queue
};

// The arrays and their counts are set by the caller; this empties them.
void smsc_queue_init(struct smsc_queue *q);
// A new, zeroed message at the end of its destination's mailbox, or SMSC_NONE when the queue is
// full.
uint32_t smsc_queue_add(struct smsc_queue *q, const struct smsc_number *destination);
void smsc_queue_remove(struct smsc_queue *q, uint32_t message);
// Puts a message behind the one that follows it; false when it is the last.
bool smsc_queue_pass(struct smsc_queue *q, uint32_t message);
// The mailbox of a destination, or SMSC_NONE.
uint32_t smsc_queue_find(const struct smsc_queue *q, const char *digits);
// The ready list: mailboxes that may have something to deliver. SMSC_NONE: the list is empty.
void smsc_queue_ready(struct smsc_queue *q, uint32_t mailbox);
uint32_t smsc_queue_take_ready(struct smsc_queue *q);
// A timer of a message (its id counts: a removed message's timer means nothing) or of a mailbox
// (0; for its `retry`). Timers are not cancelled; when one fires, look whether it still means
// something. When there are twice as many as once meant something, or no room is left, those that
// mean nothing any more are swept out. False: no room even so.
bool smsc_queue_timer(struct smsc_queue *q, struct instant due, uint32_t subject, uint64_t id);
// When the next timer fires that means something; those before it are forgotten.
struct instant smsc_queue_due(struct smsc_queue *q);
// Takes the next timer that is due; false when none is.
bool smsc_queue_expire(struct smsc_queue *q, struct instant now, struct smsc_timer *out);
