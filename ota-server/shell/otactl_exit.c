#include "ota-server/shell/otactl_exit.h"

struct named_exit {
    const char *name;
    enum ctl_exit exit;
};

static bool find(const struct named_exit *list, const char *name, enum ctl_exit *found)
{
    for (; list->name != NULL; list++) {
        if (name != NULL && strcmp(list->name, name) == 0) {
            *found = list->exit;
            return true;
        }
    }
    return false;
}

enum ctl_exit ctl_exit_of_status(unsigned status)
{
    if (status >= 200 && status < 300)
        return CTL_DONE;
    switch (status) { // numbers of HTTP
    case 401:
    case 403:
    case 409:
    case 412:
    case 422:
    case 429:
        return CTL_REFUSED;
    case 404:
        return CTL_NOT_FOUND;
    case 503:
    case 504:
        return CTL_TIMEOUT;
    default:
        return status >= 400 && status < 500 ? CTL_WRONG_USE : CTL_INTERNAL;
    }
}

enum ctl_exit ctl_exit_of_operation(const char *outcome, const char *failure_code)
{
    static const struct named_exit by_failure[] = {
        {"CARD_REFUSED", CTL_CARD_ERROR},  {"POR_ERROR", CTL_CARD_ERROR},
        {"ROLLED_BACK", CTL_CARD_ERROR},   {"DELIVERY_EXPIRED", CTL_TIMEOUT},
        {"OTA_TIMEOUT", CTL_TIMEOUT},      {"CARD_UNREACHABLE", CTL_TIMEOUT},
        {"APPROVAL_EXPIRED", CTL_TIMEOUT}, {"APPROVAL_REJECTED", CTL_REFUSED},
        {"REFUSED_AT_SEND", CTL_REFUSED},  {"CANCELLED", CTL_REFUSED},
        {"SUBMIT_REJECTED", CTL_INTERNAL}, {"NO_LINK", CTL_INTERNAL},
        {"DELIVERY_FAILED", CTL_INTERNAL}, {NULL, CTL_INTERNAL}};
    static const struct named_exit by_outcome[] = {
        {"done", CTL_DONE},         {"rolled_back", CTL_CARD_ERROR},
        {"refused", CTL_REFUSED},   {"expired", CTL_TIMEOUT},
        {"cancelled", CTL_REFUSED}, {"unresolved", CTL_TIMEOUT},
        {"failed", CTL_INTERNAL},   {NULL, CTL_INTERNAL}};
    enum ctl_exit exit = CTL_INTERNAL;
    if (!find(by_outcome, outcome, &exit) || strcmp(outcome, "failed") != 0)
        return exit;
    (void)find(by_failure, failure_code, &exit);
    return exit;
}

enum ctl_exit ctl_exit_of_import(const char *outcome)
{
    static const struct named_exit list[] = {
        {"IMPORTED", CTL_DONE},   {"ALREADY_IMPORTED", CTL_DONE},
        {"DRY_RUN_OK", CTL_DONE}, {"IMPORTED_IN_PART", CTL_IN_PART},
        {"REFUSED", CTL_REFUSED}, {"DRY_RUN_FINDINGS", CTL_REFUSED},
        {NULL, CTL_INTERNAL}};
    enum ctl_exit exit = CTL_INTERNAL;
    (void)find(list, outcome, &exit);
    return exit;
}

void ctl_tally_add(struct ctl_tally *t, enum ctl_exit one)
{
    if (one == CTL_DONE) {
        t->done_count++;
        return;
    }
    if (t->failed_count++ == 0)
        t->first_failure = one;
}

enum ctl_exit ctl_tally_exit(const struct ctl_tally *t)
{
    if (t->failed_count == 0)
        return CTL_DONE;
    return t->done_count > 0 ? CTL_IN_PART : t->first_failure;
}

const char *ctl_advice(const char *reason, const char *code)
{
    static const struct {
        const char *name, *text;
    } advice[] = {
        {"CARD_DIRTY", "its state is in doubt: queue behind the audit with --if-dirty wait, or see "
                       "otactl dirty list"},
        {"CARD_BUSY", "another operation is open: see otactl op list --card ID, or queue behind it "
                      "without --if-busy refuse"},
        {"QUEUE_FULL", "wait for its queued operations, or cancel some: otactl op list --card ID"},
        {"CARD_QUARANTINED", "the card is held back until two people lift the quarantine"},
        {"CARD_RETIRED", "a retired card takes no commands any more"},
        {"DELETE_NOT_DISABLED", "enable another subscription first: otactl sub enable"},
        {"DELETE_FALLBACK", "move the fallback attribute first: otactl sub set-fallback"},
        {"NOT_PROVEN", "enable it once until it is confirmed, or give --allow-unproven"},
        {"NO_FREE_SLOT", "delete a disabled subscription first: otactl sub delete"},
        {"POOL_EMPTY", "load subscriptions: otactl import run --kind subscriptions --pool ID FILE"},
        {"NOT_SUPPORTED_BY_CARD", "its applet is older than this command, or has no such template: "
                                  "otactl card show"},
        {"DUPLICATE_SUBSCRIPTION", "it is on another card: see otactl subscription search"},
        {"POLICY_FORBIDS", "a rule of the group, a mark or the fallback attribute forbids it"},
        {"PERMISSION_DENIED", "ask an administrator for the scope, or for the group's permission"},
        {"NOT_FOUND", "check the id; an object of another enterprise looks like an unknown one"},
        {"INVALID_ARGUMENT", "correct the value; --help shows an example"},
        {"OUT_OF_RANGE", "choose a value inside its range"},
        {"FAILED_PRECONDITION", "somebody changed it meanwhile: look at it again"},
        {"TOO_MANY_REQUESTS", "wait a moment and try again"},
        {"QUOTA_EXCEEDED",
         "it is used up: wait for the next period, or delete what is no longer needed"},
        {"UNAVAILABLE", "the server starts, stops or is full: try again"},
        {"INTERNAL", "report it with the correlator"},
    };
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
        if (reason != NULL && strcmp(advice[i].name, reason) == 0)
            return advice[i].text;
    }
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
        if (code != NULL && strcmp(advice[i].name, code) == 0)
            return advice[i].text;
    }
    return NULL;
}
