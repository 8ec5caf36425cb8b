#include "ota-server/core/decision.h"

static const char *name_of(const char *const *names, size_t count, uint8_t value)
{
    return value < count ? names[value] : "?";
}

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof((names)[0]), value)

const char *card_state_name(uint8_t state)
{
    static const char *const names[] = {
        "IMPORTED_PARTIAL", "IMPORTED", "SEEN", "BOOTSTRAPPING", "OPERATIONAL", "RETIRED",
    };
    return NAME_OF(names, state);
}

const char *card_mark_name(uint8_t mark)
{
    static const char *const names[] = {
        "ON_FALLBACK", "UNREACHABLE", "BLOCKED", "DIRTY", "QUARANTINED",
    };
    return NAME_OF(names, mark);
}

const char *dirty_reason_name(uint8_t reason)
{
    static const char *const names[] = {
        "",
        "por_timeout",
        "por_missing_but_delivered",
        "unknown_por_status",
        "late_por",
        "submit_outcome_unknown",
        "partial_multi_sms",
        "counter_mismatch",
        "switch_no_notify",
        "confirm_unacknowledged",
        "late_confirm",
        "rollback_unconfirmed",
        "guard_disagreement",
        "unexpected_notify",
        "notify_gap",
        "state_hash_mismatch",
        "card_reset_suspected",
        "server_restart_with_open_op",
        "restore_from_backup",
        "import_changed_live_card",
        "manual_edit",
        "imei_swap",
        "handover_in",
        "operator_request",
    };
    return NAME_OF(names, reason);
}

const char *operation_kind_name(uint8_t kind)
{
    static const char *const names[] = {
        "",           "download",    "enable", "disable", "delete", "set-fallback",
        "set-timers", "read-timers", "audit",
    };
    return NAME_OF(names, kind);
}

const char *operation_status_name(uint8_t status)
{
    static const char *const names[] = {
        "AWAIT_APPROVAL", "QUEUED",     "SENDING", "SENT",  "DELIVERED",
        "SWITCHING",      "CONFIRMING", "UNKNOWN", "ENDED",
    };
    return NAME_OF(names, status);
}

const char *operation_outcome_name(uint8_t outcome)
{
    static const char *const names[] = {
        "", "done", "failed", "rolled_back", "refused", "expired", "cancelled", "unresolved",
    };
    return NAME_OF(names, outcome);
}

const char *operation_failure_name(uint8_t failure)
{
    static const char *const names[] = {
        "",
        "NO_LINK",
        "SUBMIT_REJECTED",
        "DELIVERY_FAILED",
        "DELIVERY_EXPIRED",
        "OTA_TIMEOUT",
        "POR_ERROR",
        "CARD_REFUSED",
        "ROLLED_BACK",
        "APPROVAL_REJECTED",
        "APPROVAL_EXPIRED",
        "REFUSED_AT_SEND",
        "CARD_UNREACHABLE",
        "CANCELLED",
        "INTERNAL",
    };
    return NAME_OF(names, failure);
}

const char *operation_hold_name(uint8_t hold)
{
    static const char *const names[] = {
        "",           "CARD_BUSY", "CARD_DIRTY",      "CARD_QUARANTINED", "NEXT_CONTACT",
        "NOT_BEFORE", "RETRY",     "OTA_UNREACHABLE", "RESTORED",
    };
    return NAME_OF(names, hold);
}

const char *audit_outcome_name(uint8_t outcome)
{
    static const char *const names[] = {
        "", "clean", "server_corrected", "reissued", "needs_operator", "incomplete",
    };
    return NAME_OF(names, outcome);
}

const char *actor_kind_name(uint8_t kind)
{
    static const char *const names[] = {"SYSTEM", "USER", "CLIENT", "RULE", "CARD"};
    return NAME_OF(names, kind);
}

const char *slot_state_name(uint8_t state)
{
    static const char *const names[] = {"EMPTY", "DISABLED", "ENABLED"};
    return NAME_OF(names, state);
}

const char *slot_role_name(uint8_t role)
{
    static const char *const names[] = {"OPERATIONAL", "BOOTSTRAP", "TEST"};
    return NAME_OF(names, role);
}

const char *refusal_name(uint8_t refusal)
{
    static const char *const names[] = {
        "",
        "NOT_AUTHORISED",
        "RULE_PACK_REFUSED",
        "CARD_RETIRED",
        "CARD_QUARANTINED",
        "CARD_PARTIAL",
        "CARD_DIRTY",
        "CARD_BUSY",
        "NOT_SUPPORTED_BY_CARD",
        "NOT_ELIGIBLE",
        "NOT_INSTALLED",
        "NOT_ENABLED",
        "POLICY_FORBIDS",
        "DELETE_NOT_DISABLED",
        "DELETE_FALLBACK",
        "NOT_PROVEN",
        "DUPLICATE_SUBSCRIPTION",
        "NO_FREE_SLOT",
        "POOL_EMPTY",
        "QUEUE_FULL",
        "NOT_FOUND",
        "WRONG_STATUS",
        "OVERLOADED",
        "TOO_LONG",
    };
    return NAME_OF(names, refusal);
}

const char *event_type_name(uint8_t type)
{
    static const char *const names[] = {
        "request",    "approved",    "rejected", "cancel",          "resend",
        "mark_dirty", "clear_dirty", "resolve",  "lift_quarantine", "retire",
        "move",       "bar",         "submit",   "receipt",         "por",
        "notify",     "contact",     "wake",     "restart",         "restore",
        "plan",       "bootstrap",   "timers",   "clock",           "lost",
    };
    return NAME_OF(names, type);
}

const char *bootstrap_state_name(uint8_t state)
{
    static const char *const names[] = {
        "",          "WAITING", "DOWNLOADING", "ENABLING", "CONFIRMING", "SOAKING",
        "FINISHING", "DONE",    "FAILED",      "PARTIAL",  "CANCELLING",
    };
    return NAME_OF(names, state);
}

const char *step_name_text(uint8_t step)
{
    static const char *const names[] = {
        "created", "checked", "approved", "queued",    "built",      "submitted", "accepted",
        "receipt", "por",     "notified", "confirmed", "reconciled", "ended",
    };
    return NAME_OF(names, step);
}

const char *alarm_key_name(uint8_t key)
{
    static const char *const names[] = {
        "security.failures", "counter.near.max",  "reconcile.needs_operator",
        "card.nvm.error",    "bootstrap.stalled",
    };
    return NAME_OF(names, key);
}
