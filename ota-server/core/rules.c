#include "ota-server/core/rules.h"

// clang-format off
#define A (1u << STATUS_AWAIT_APPROVAL)
#define Q (1u << STATUS_QUEUED)
#define S (1u << STATUS_SENDING)
#define T (1u << STATUS_SENT)
#define D (1u << STATUS_DELIVERED)
#define W (1u << STATUS_SWITCHING)
#define C (1u << STATUS_CONFIRMING)
#define U (1u << STATUS_UNKNOWN)
#define ALL (A | Q | S | T | D | W | C | U)
#define OPEN_POR (Q | S | T | D | U) // an answer of the card can still come first

#define END(from, input, outcome, failure, dirty, effect) \
    {from, input, STATUS_ENDED, OUTCOME_##outcome, FAILURE_##failure, DIRTY_##dirty, EFFECT_##effect}
#define GO(from, input, next, dirty, effect) \
    {from, input, STATUS_##next, OUTCOME_NONE, FAILURE_NONE, DIRTY_##dirty, EFFECT_##effect}
#define IGNORE(from, input) GO(from, input, SAME, NONE, IGNORE)

const struct rule rules[] = {
    GO(A, IN_APPROVED, QUEUED, NONE, NONE),
    IGNORE(ALL & ~A, IN_APPROVED),
    END(A, IN_REJECTED, REFUSED, APPROVAL_REJECTED, NONE, NONE),
    IGNORE(ALL & ~A, IN_REJECTED),
    END(A | Q, IN_CANCEL, CANCELLED, CANCELLED, NONE, NONE),
    IGNORE(ALL & ~(A | Q), IN_CANCEL),
    END(A, IN_EXPIRED, EXPIRED, APPROVAL_EXPIRED, NONE, NONE),
    END(Q | U, IN_EXPIRED, EXPIRED, DELIVERY_EXPIRED, NONE, NONE),
    IGNORE(S | T | D | W | C, IN_EXPIRED),
    END(Q, IN_REFUSED_AT_SEND, REFUSED, REFUSED_AT_SEND, NONE, NONE),
    IGNORE(ALL & ~Q, IN_REFUSED_AT_SEND),
    GO(Q, IN_BUILT, SENDING, NONE, NONE),
    IGNORE(ALL & ~Q, IN_BUILT),

    GO(S, IN_ACCEPTED, SENT, NONE, NONE),
    IGNORE(ALL & ~S, IN_ACCEPTED),
    GO(S, IN_SUBMIT_UNKNOWN, SENT, NONE, NONE),
    IGNORE(ALL & ~S, IN_SUBMIT_UNKNOWN),
    GO(S, IN_SUBMIT_TEMPORARY, QUEUED, NONE, RETRY_LATER),
    IGNORE(ALL & ~S, IN_SUBMIT_TEMPORARY),
    END(S, IN_SUBMIT_REJECTED, FAILED, SUBMIT_REJECTED, NONE, NONE),
    IGNORE(ALL & ~S, IN_SUBMIT_REJECTED),
    GO(S, IN_SUBMIT_PARTIAL, UNKNOWN, PARTIAL_MULTI_SMS, NONE),
    IGNORE(ALL & ~S, IN_SUBMIT_PARTIAL),
    GO(S, IN_UNSENT, QUEUED, NONE, UNSEND),
    IGNORE(ALL & ~S, IN_UNSENT),
    GO(S | T, IN_DELIVERED, DELIVERED, NONE, NONE),
    IGNORE(ALL & ~(S | T), IN_DELIVERED),
    GO(S | T, IN_LOST, QUEUED, NONE, RETRY_LATER),
    IGNORE(ALL & ~(S | T), IN_LOST),
    GO(S | T, IN_PART_LOST, UNKNOWN, PARTIAL_MULTI_SMS, NONE),
    IGNORE(ALL & ~(S | T), IN_PART_LOST),

    GO(T, IN_TIMEOUT, UNKNOWN, POR_TIMEOUT, NONE),
    GO(D, IN_TIMEOUT, UNKNOWN, POR_MISSING_BUT_DELIVERED, NONE),
    GO(W, IN_TIMEOUT, UNKNOWN, SWITCH_NO_NOTIFY, NONE),
    GO(C, IN_TIMEOUT, UNKNOWN, CONFIRM_UNACKNOWLEDGED, NONE),
    IGNORE(A | Q | S | U, IN_TIMEOUT),
    GO(T, IN_TIMEOUT_UNSUBMITTED, UNKNOWN, SUBMIT_OUTCOME_UNKNOWN, NONE),
    IGNORE(ALL & ~T, IN_TIMEOUT_UNSUBMITTED),
    GO(U, IN_TIMEOUT_ROLLBACK, SAME, ROLLBACK_UNCONFIRMED, NONE),
    IGNORE(ALL & ~U, IN_TIMEOUT_ROLLBACK),

    END(OPEN_POR, IN_DONE, DONE, NONE, NONE, NONE),
    IGNORE(A | W | C, IN_DONE),
    GO(OPEN_POR, IN_PENDING, SWITCHING, NONE, SWITCH),
    IGNORE(A | W | C, IN_PENDING),
    END(OPEN_POR, IN_REFUSED, FAILED, CARD_REFUSED, NONE, NONE),
    IGNORE(A | W | C, IN_REFUSED),
    END(OPEN_POR, IN_DISAGREED, FAILED, CARD_REFUSED, GUARD_DISAGREEMENT, NONE),
    IGNORE(A | W | C, IN_DISAGREED),
    END(OPEN_POR, IN_PACKET_REFUSED, FAILED, POR_ERROR, NONE, NONE),
    IGNORE(A | W | C, IN_PACKET_REFUSED),
    GO(OPEN_POR, IN_BUSY, QUEUED, NONE, RETRY_BUSY),
    IGNORE(A | W | C, IN_BUSY),
    GO(OPEN_POR, IN_NVM, QUEUED, NONE, RETRY_NVM),
    IGNORE(A | W | C, IN_NVM),
    END(OPEN_POR, IN_NVM_AGAIN, FAILED, CARD_REFUSED, NONE, ALARM_NVM),
    IGNORE(A | W | C, IN_NVM_AGAIN),
    GO(OPEN_POR, IN_NOT_UNDERSTOOD, UNKNOWN, UNKNOWN_POR_STATUS, NONE),
    IGNORE(A | W | C, IN_NOT_UNDERSTOOD),
    GO(OPEN_POR, IN_COUNTER, UNKNOWN, COUNTER_MISMATCH, NONE),
    IGNORE(A | W | C, IN_COUNTER),
    END(OPEN_POR, IN_BLOCKED, FAILED, POR_ERROR, NONE, QUARANTINE),
    IGNORE(A | W | C, IN_BLOCKED),
    GO(S | T | D, IN_WAIT, DELIVERED, NONE, EXTEND),
    IGNORE(A | Q | W | C | U, IN_WAIT),
    GO(S | T | D, IN_INSECURE, UNKNOWN, UNKNOWN_POR_STATUS, NONE),
    IGNORE(A | Q | W | C | U, IN_INSECURE),

    GO(OPEN_POR | W | C, IN_ENABLED, CONFIRMING, NONE, CONFIRM),
    IGNORE(A, IN_ENABLED),
    GO(W | C, IN_ENABLED_LATE, UNKNOWN, SWITCH_NO_NOTIFY, NONE),
    IGNORE(A | OPEN_POR, IN_ENABLED_LATE),
    END(OPEN_POR | W | C, IN_ROLLED_BACK, ROLLED_BACK, ROLLED_BACK, NONE, NONE),
    IGNORE(A, IN_ROLLED_BACK),
    END(OPEN_POR | W | C, IN_SWITCH_FAILED, FAILED, CARD_REFUSED, NONE, NONE),
    IGNORE(A, IN_SWITCH_FAILED),
    END(C | U, IN_CONFIRM_DONE, DONE, NONE, NONE, CONFIRMED),
    IGNORE(ALL & ~(C | U), IN_CONFIRM_DONE),
    GO(C | U, IN_CONFIRM_TOO_LATE, UNKNOWN, LATE_CONFIRM, NONE),
    IGNORE(ALL & ~(C | U), IN_CONFIRM_TOO_LATE),
    GO(C, IN_CONFIRM_UNKNOWN, UNKNOWN, UNKNOWN_POR_STATUS, NONE),
    IGNORE(ALL & ~C, IN_CONFIRM_UNKNOWN),

    END(U, IN_AUDIT_DONE, DONE, NONE, NONE, NONE),
    IGNORE(ALL & ~U, IN_AUDIT_DONE),
    END(U, IN_AUDIT_REFUSED, FAILED, CARD_REFUSED, NONE, NONE),
    IGNORE(ALL & ~U, IN_AUDIT_REFUSED),
    GO(U, IN_AUDIT_PENDING, SWITCHING, NONE, SWITCH),
    IGNORE(ALL & ~U, IN_AUDIT_PENDING),
    END(U, IN_AUDIT_ROLLED_BACK, ROLLED_BACK, ROLLED_BACK, NONE, NONE),
    IGNORE(ALL & ~U, IN_AUDIT_ROLLED_BACK),
    END(U, IN_AUDIT_UNTOLD, UNRESOLVED, OTA_TIMEOUT, NONE, NONE),
    IGNORE(ALL & ~U, IN_AUDIT_UNTOLD),
    GO(U, IN_AUDIT_NEVER, QUEUED, NONE, AGAIN_SAME),
    IGNORE(ALL & ~U, IN_AUDIT_NEVER),
    GO(U, IN_AUDIT_ABSENT, QUEUED, NONE, AGAIN_NEW),
    IGNORE(ALL & ~U, IN_AUDIT_ABSENT),
    END(U, IN_UNREACHABLE, UNRESOLVED, CARD_UNREACHABLE, NONE, NONE),
    IGNORE(ALL & ~U, IN_UNREACHABLE),
    GO(S | T | D | W | C, IN_RESTART, UNKNOWN, SERVER_RESTART_WITH_OPEN_OP, NONE),
    IGNORE(A | Q | U, IN_RESTART),
    GO(Q, IN_RESTORE, UNKNOWN, RESTORE_FROM_BACKUP, NONE),
    IGNORE(ALL & ~Q, IN_RESTORE),
};
// clang-format on
const size_t rule_count = sizeof(rules) / sizeof(rules[0]);

const struct rule *rule_of(uint8_t status, uint8_t input)
{
    for (size_t i = 0; i < rule_count; i++) {
        if (rules[i].input == input && (rules[i].from >> status & 1) != 0)
            return &rules[i];
    }
    return NULL;
}

const char *input_name(uint8_t input)
{
    static const char *const names[] = {
        "approved",
        "rejected",
        "cancel",
        "expired",
        "refused_at_send",
        "built",
        "accepted",
        "submit_unknown",
        "submit_temporary",
        "submit_rejected",
        "submit_partial",
        "unsent",
        "delivered",
        "lost",
        "part_lost",
        "timeout",
        "timeout_unsubmitted",
        "timeout_rollback",
        "done",
        "pending",
        "refused",
        "disagreed",
        "packet_refused",
        "busy",
        "nvm",
        "nvm_again",
        "not_understood",
        "counter",
        "blocked",
        "wait",
        "insecure",
        "enabled",
        "enabled_late",
        "rolled_back",
        "switch_failed",
        "confirm_done",
        "confirm_too_late",
        "confirm_unknown",
        "audit_done",
        "audit_refused",
        "audit_pending",
        "audit_rolled_back",
        "audit_untold",
        "audit_never",
        "audit_absent",
        "unreachable",
        "restart",
        "restore",
    };
    return input < INPUTS ? names[input] : "?";
}
