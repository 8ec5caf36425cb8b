#include "ota-server/shell/otactl_options.h"

#include <stdio.h>
#include <string.h>

#define CARD_STATES_TEXT "IMPORTED_PARTIAL|IMPORTED|SEEN|BOOTSTRAPPING|OPERATIONAL|RETIRED"
#define FIELDS_TEXT                                                                                \
    "PUBLIC_SERVICE|FINANCE|SMART_CITY|SMART_RETAIL|INDUSTRY|ENERGY|TRANSPORT|AGRICULTURE|OTHER"

// As the published document has them, which a test compares.
static const struct {
    enum ctl_option option;
    const char *noun; // NULL: of all
    const char *words;
} values[] = {
    {OPTION_STATE, "card", CARD_STATES_TEXT},
    {OPTION_STATE, "export", CARD_STATES_TEXT},
    {OPTION_STATE, "bootstrap",
     "WAITING|DOWNLOADING|ENABLING|CONFIRMING|SOAKING|FINISHING|DONE|FAILED|PARTIAL|CANCELLING"},
    {OPTION_STATE, "campaign",
     "DRAFT|CHECKED|AWAIT_APPROVAL|SCHEDULED|CANARY|RUNNING|PAUSED|COMPLETED|STOPPED"},
    {OPTION_STATE, "delivery", "WAITING|DELIVERED|DEAD"},
    {OPTION_STATE, "alarm", "OPEN|ACKNOWLEDGED|CLEARED"},
    {OPTION_STATE, "approval", "OPEN|APPROVED|REJECTED|EXPIRED|WITHDRAWN"},
    {OPTION_STATE, "subscription", "FREE|RESERVED|ON_CARD|RETIRED"},
    {OPTION_MARK, NULL, "ON_FALLBACK|UNREACHABLE|BLOCKED|DIRTY|QUARANTINED"},
    {OPTION_FIELD, NULL, FIELDS_TEXT},
    {OPTION_OPEN, NULL, "true|false"},
    {OPTION_TYPE, NULL, "download|enable|disable|delete|set-fallback|set-timers|read-timers|audit"},
    {OPTION_STATUS, NULL,
     "AWAIT_APPROVAL|QUEUED|SENDING|SENT|DELIVERED|SWITCHING|CONFIRMING|UNKNOWN|ENDED"},
    {OPTION_OUTCOME, NULL, "done|failed|rolled_back|refused|expired|cancelled|unresolved"},
    {OPTION_FAILURE, NULL,
     "NO_LINK|SUBMIT_REJECTED|DELIVERY_FAILED|DELIVERY_EXPIRED|OTA_TIMEOUT|POR_ERROR|CARD_REFUSED|"
     "ROLLED_BACK|APPROVAL_REJECTED|APPROVAL_EXPIRED|REFUSED_AT_SEND|CARD_UNREACHABLE|CANCELLED|"
     "INTERNAL"},
    {OPTION_RESULT, NULL, "WAITING|OPEN|DONE|FAILED|EXCLUDED"},
    {OPTION_WINDOW, NULL, "1h|24h|7d|30d"},
    {OPTION_GRANTED, NULL,
     "card.read|card.reveal|card.move|subscription.download|subscription.enable|"
     "subscription.disable|subscription.delete|subscription.set-fallback|timers.set|card.audit|"
     "operation.approve|campaign.run"},
    // Those that the document has in capitals, or in a body.
    {OPTION_KIND, NULL, "cards|subscriptions"},
    {OPTION_MATCH, NULL, "exact|prefix|suffix"},
    {OPTION_IF_DIRTY, NULL, "wait|refuse"},
    {OPTION_IF_BUSY, NULL, "wait|refuse"},
    {OPTION_WHEN, NULL, "now|next-contact"},
    {OPTION_ENABLE, NULL, "now|later"},
    {OPTION_ROLE, NULL, "operational|bootstrap|test"},
    {OPTION_DECISION, NULL, "accept-card|push-server"},
};

// Of arguments NAME=VALUE.
static const struct {
    const char *noun, *verb, *words;
} members[] = {
    {"report", "create",
     "type=OPERATIONS|FALLBACK|BOOTSTRAP|IMEI_MISMATCH|BINDING_HISTORY|CARD_WRITERS|INVENTORY|"
     "IMPORTS|REGULATOR"},
    {"enterprise", "create", "kind=OPERATOR|ENTERPRISE|VIRTUAL_OPERATOR|SUPPLIER|INSPECTOR"},
    {"enterprise", "create", "authorityMode=SELF_SERVICE|REQUEST_APPROVE|OPERATOR_ONLY"},
    {"enterprise", "set", "authorityMode=SELF_SERVICE|REQUEST_APPROVE|OPERATOR_ONLY"},
    {"enterprise", "set", "status=SUSPENDED|ACTIVE"},
};

static const char *values_of(enum ctl_option option, const char *noun)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i].option == option &&
            (values[i].noun == NULL || strcmp(values[i].noun, noun) == 0))
            return values[i].words;
    }
    return "";
}

static bool takes_value(enum ctl_option option)
{
    return ctl_option_takes_value(option) && option != OPTION_WAIT;
}

static void print_words(const struct ctl_verb *v)
{
    const char *verb = v->verb != NULL ? v->verb : "-";
    printf("%s %s", v->noun, verb);
    for (size_t i = 0; i < CTL_OPTION_COUNT; i++) {
        const enum ctl_option option = (enum ctl_option)i;
        if (ctl_verb_takes(v, option))
            printf(" --%s%s%s", ctl_option_name(option), takes_value(option) ? "=" : "",
                   values_of(option, v->noun));
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].noun, v->noun) == 0 && strcmp(members[i].verb, verb) == 0)
            printf(" %s", members[i].words);
    }
    puts(" --help");
}

void ctl_verbs_print(void)
{
    for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
        print_words(v);
}
