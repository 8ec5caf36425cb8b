// What becomes of an operation: one row per status and input, the whole of it as a table.
//
// In each status this is true:
//   AWAIT_APPROVAL, QUEUED  no packet of it is under way
//   SENDING                 one packet is in the outbox or with a link; the outbox ends it in time
//   SENT, DELIVERED         the packet is with the network, its answer is missing
//   SWITCHING               the card said OK_PENDING; its notification is missing
//   CONFIRMING              the notification came in time; the answer to CONFIRM is missing
//   UNKNOWN                 only the card knows; the card is dirty
//   ENDED                   the outcome is what the card did, or says that nobody knows
#pragma once

#include "ota-server/core/decision.h"

enum input {
    IN_APPROVED,
    IN_REJECTED,
    IN_CANCEL,          // and nothing of it can arrive
    IN_EXPIRED,         // its time is over, or the wait for approval
    IN_REFUSED_AT_SEND, // the checks, run again before sending
    IN_BUILT,
    IN_ACCEPTED,
    IN_SUBMIT_UNKNOWN,
    IN_SUBMIT_TEMPORARY,
    IN_SUBMIT_REJECTED,
    IN_SUBMIT_PARTIAL,
    IN_UNSENT, // no link took it in time, and it was withdrawn
    IN_DELIVERED,
    IN_LOST,      // explicitly, and no part delivered
    IN_PART_LOST, // some parts delivered, others not
    IN_TIMEOUT,
    IN_TIMEOUT_UNSUBMITTED, // SENT without an answer to submit_sm
    IN_TIMEOUT_ROLLBACK,    // UNKNOWN, and the rollback was not told either
    IN_DONE,                // OK, OK_UNCHANGED
    IN_PENDING,             // OK_PENDING
    IN_REFUSED,             // a final result of the card
    IN_DISAGREED,           // the same, for a reason that the mirror does not show
    IN_PACKET_REFUSED,      // PoR 07, 09, 0A, authenticated
    IN_BUSY,
    IN_NVM,
    IN_NVM_AGAIN,
    IN_NOT_UNDERSTOOD, // result codes 20 and 21, and those nobody knows
    IN_COUNTER,        // PoR 02, 03, authenticated
    IN_BLOCKED,        // PoR 04, authenticated
    IN_WAIT,           // PoR 08, 0B
    IN_INSECURE,       // an error PoR without authentication
    IN_ENABLED,
    IN_ENABLED_LATE,
    IN_ROLLED_BACK,
    IN_SWITCH_FAILED,
    IN_CONFIRM_DONE,
    IN_CONFIRM_TOO_LATE,
    IN_CONFIRM_UNKNOWN,
    IN_AUDIT_DONE,
    IN_AUDIT_REFUSED,
    IN_AUDIT_PENDING, // the card is still switching
    IN_AUDIT_ROLLED_BACK,
    IN_AUDIT_UNTOLD, // the switch is over, and neither audits nor notifications say how it ended
    IN_AUDIT_NEVER,  // never seen: again under the same id
    IN_AUDIT_ABSENT, // no longer stored, and the effect is not there: again under a new id
    IN_UNREACHABLE,
    IN_RESTART,
    IN_RESTORE, // from a backup, made while it waited to be sent again
};
#define INPUTS (IN_RESTORE + 1)

// What a transition does besides changing the status.
enum effect {
    EFFECT_NONE,
    EFFECT_IGNORE,      // the pair changes nothing
    EFFECT_UNSEND,      // the packet as if it had not been built; the next one may go at once
    EFFECT_RETRY_LATER, // 10 min, 1 h, 6 h, 24 h, then at next contact
    EFFECT_RETRY_BUSY,  // 15 min, at most 8 times
    EFFECT_RETRY_NVM,   // 1 h, once
    EFFECT_SWITCH,      // confirm_until and rollback_until begin
    EFFECT_CONFIRM,     // CONFIRM is to be sent
    EFFECT_EXTEND,      // once
    EFFECT_AGAIN_SAME,
    EFFECT_AGAIN_NEW,
    EFFECT_CONFIRMED, // preferred and fallback take effect
    EFFECT_QUARANTINE,
    EFFECT_ALARM_NVM,
};

#define STATUS_SAME OPERATION_STATUSES

struct rule {
    uint16_t from; // set of (1 << enum operation_status)
    uint8_t input;
    uint8_t next; // enum operation_status, or STATUS_SAME
    uint8_t outcome;
    uint8_t failure;
    uint8_t dirty;
    uint8_t effect;
};

extern const struct rule rules[];
extern const size_t rule_count;
// The row of this pair; every pair but those of ENDED has exactly one.
const struct rule *rule_of(uint8_t status, uint8_t input);
const char *input_name(uint8_t input);
