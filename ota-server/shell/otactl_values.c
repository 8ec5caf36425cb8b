#include "ota-server/shell/otactl_options.h"

#include <stdio.h>
#include <string.h>

#define CARD_STATES_TEXT "IMPORTED_PARTIAL|IMPORTED|SEEN|BOOTSTRAPPING|OPERATIONAL|RETIRED"
#define FIELDS_TEXT                                                                                \
    "PUBLIC_SERVICE|FINANCE|SMART_CITY|SMART_RETAIL|INDUSTRY|ENERGY|TRANSPORT|AGRICULTURE|OTHER"

#define AUTHORITY_TEXT "SELF_SERVICE|REQUEST_APPROVE|OPERATOR_ONLY"
#define ROLES_TEXT                                                                                 \
    "PLATFORM_ADMIN|OPERATOR|SUPPORT|ENTERPRISE_ADMIN|ENTERPRISE_USER|INSPECTOR|VENDOR_SUPPORT"
#define BOTH_WAYS(field) field "|-" field

// As the published document has them, which a test compares. "@" stands for ids that the server
// knows [otactl_options.h].
static const struct {
    enum ctl_option option;
    const char *noun, *verb; // NULL: of all
    const char *words;
} values[] = {
    {OPTION_STATE, "card", NULL, CARD_STATES_TEXT},
    {OPTION_STATE, "export", NULL, CARD_STATES_TEXT},
    {OPTION_STATE, "bootstrap", NULL,
     "WAITING|DOWNLOADING|ENABLING|CONFIRMING|SOAKING|FINISHING|DONE|FAILED|PARTIAL|CANCELLING"},
    {OPTION_STATE, "campaign", NULL,
     "DRAFT|CHECKED|AWAIT_APPROVAL|SCHEDULED|CANARY|RUNNING|PAUSED|COMPLETED|STOPPED"},
    {OPTION_STATE, "delivery", NULL, "WAITING|DELIVERED|DEAD"},
    {OPTION_STATE, "alarm", NULL, "OPEN|ACKNOWLEDGED|CLEARED"},
    {OPTION_STATE, "approval", NULL, "OPEN|APPROVED|REJECTED|EXPIRED|WITHDRAWN"},
    {OPTION_STATE, "subscription", NULL, "FREE|RESERVED|ON_CARD|RETIRED"},
    {OPTION_MARK, NULL, NULL, "ON_FALLBACK|UNREACHABLE|BLOCKED|DIRTY|QUARANTINED"},
    {OPTION_FIELD, NULL, NULL, FIELDS_TEXT},
    {OPTION_OPEN, NULL, NULL, "true|false"},
    {OPTION_TYPE, NULL, NULL,
     "download|enable|disable|delete|set-fallback|set-timers|read-timers|audit"},
    {OPTION_STATUS, NULL, NULL,
     "AWAIT_APPROVAL|QUEUED|SENDING|SENT|DELIVERED|SWITCHING|CONFIRMING|UNKNOWN|ENDED"},
    {OPTION_OUTCOME, NULL, NULL, "done|failed|rolled_back|refused|expired|cancelled|unresolved"},
    {OPTION_FAILURE, NULL, NULL,
     "NO_LINK|SUBMIT_REJECTED|DELIVERY_FAILED|DELIVERY_EXPIRED|OTA_TIMEOUT|POR_ERROR|CARD_REFUSED|"
     "ROLLED_BACK|APPROVAL_REJECTED|APPROVAL_EXPIRED|REFUSED_AT_SEND|CARD_UNREACHABLE|CANCELLED|"
     "INTERNAL"},
    {OPTION_RESULT, NULL, NULL, "WAITING|OPEN|DONE|FAILED|EXCLUDED"},
    {OPTION_WINDOW, NULL, NULL, "1h|24h|7d|30d"},
    {OPTION_GRANTED, NULL, NULL,
     "card.read|card.reveal|card.move|subscription.download|subscription.enable|"
     "subscription.disable|subscription.delete|subscription.set-fallback|timers.set|card.audit|"
     "operation.approve|campaign.run"},
    {OPTION_DIRTY_REASON, NULL, NULL,
     "por_timeout|por_missing_but_delivered|unknown_por_status|late_por|submit_outcome_unknown|"
     "partial_multi_sms|counter_mismatch|switch_no_notify|confirm_unacknowledged|late_confirm|"
     "rollback_unconfirmed|guard_disagreement|unexpected_notify|notify_gap|state_hash_mismatch|"
     "card_reset_suspected|server_restart_with_open_op|restore_from_backup|"
     "import_changed_live_card|manual_edit|imei_swap|handover_in|operator_request"},
    {OPTION_RULE_PACK, NULL, NULL, "NONE|CN-IoT"},
    {OPTION_ALGORITHM, NULL, NULL, "AES128-CBC"},
    {OPTION_TOPICS, NULL, NULL, "operations|cards|alarms|campaigns|imports|approvals|links"},
    {OPTION_FIELDS, NULL, NULL, "iccid|eid|imei|imsi|msisdn"},
    // Those that the document has in capitals, or in a body.
    {OPTION_KIND, NULL, NULL, "cards|subscriptions"},
    {OPTION_MATCH, NULL, NULL, "exact|prefix|suffix"},
    {OPTION_IF_DIRTY, NULL, NULL, "wait|refuse"},
    {OPTION_IF_BUSY, NULL, NULL, "wait|refuse"},
    {OPTION_WHEN, NULL, NULL, "now|next-contact"},
    {OPTION_ENABLE, NULL, NULL, "now|later"},
    {OPTION_ROLE, NULL, NULL, "operational|bootstrap|test"},
    {OPTION_DECISION, NULL, NULL, "accept-card|push-server"},
    // Fields that lists are sorted by.
    {OPTION_SORT, "card", "messages", BOTH_WAYS("at")},
    {OPTION_SORT, "card", "timeline", BOTH_WAYS("at")},
    {OPTION_SORT, "card", "trail", BOTH_WAYS("at") "|" BOTH_WAYS("sequence")},
    {OPTION_SORT, "card", NULL,
     BOTH_WAYS("createdAt") "|" BOTH_WAYS("lastContactAt") "|" BOTH_WAYS("state")},
    {OPTION_SORT, "campaign", "cards", BOTH_WAYS("cardId")},
    {OPTION_SORT, "campaign", "exclusions", BOTH_WAYS("cardId")},
    {OPTION_SORT, "delivery", NULL, BOTH_WAYS("id")},
    {OPTION_SORT, "dirty", NULL, BOTH_WAYS("dirtySince")},
    {OPTION_SORT, "import", "report", BOTH_WAYS("line")},
    {OPTION_SORT, "import", "quarantine", BOTH_WAYS("line")},
    {OPTION_SORT, "metering", NULL, BOTH_WAYS("enterpriseId")},
    {OPTION_SORT, "trail", "checkpoints", BOTH_WAYS("sequence")},
    {OPTION_SORT, "trail", NULL, BOTH_WAYS("at") "|" BOTH_WAYS("sequence")},
    {OPTION_SORT, NULL, NULL, BOTH_WAYS("createdAt")},
    // Ids.
    {OPTION_GROUP, NULL, NULL, "@group"},
    {OPTION_BATCH, NULL, NULL, "@import"},
    {OPTION_CARD, NULL, NULL, "@card"},
    {OPTION_GRANTEE, NULL, NULL, "@enterprise"},
    {OPTION_ENTERPRISE, NULL, NULL, "@enterprise"},
    {OPTION_SINK, NULL, NULL, "@sink"},
    {OPTION_CAMPAIGN, NULL, NULL, "@campaign"},
    {OPTION_CLIENT, NULL, NULL, "@client"},
    {OPTION_ACTOR, NULL, NULL, "USER|CLIENT|RULE|CARD|SYSTEM|@user|@client"},
    {OPTION_OBJECT, NULL, NULL, "@group|@enterprise|@user|@client|@pool|@campaign"},
    {OPTION_OPERATION, NULL, NULL, "@op"},
    {OPTION_POOL, NULL, NULL, "@pool"},
    {OPTION_SUBSCRIPTION, NULL, NULL, "@subscription"},
    {OPTION_TEMPLATE, NULL, NULL, "@template.templateId"},
    {OPTION_VENDOR_PROFILE, NULL, NULL, "@profile.vendor"},
};

#define KINDS_TEXT "OPERATOR|ENTERPRISE|VIRTUAL_OPERATOR|SUPPLIER|INSPECTOR"
#define MECHANISMS_TEXT "client_secret|hmac|private_key_jwt|tls_client_auth"
#define TYPES_TEXT                                                                                 \
    "operation-ended|card-dirty|card-clean|switched|fallback|returned|bootstrap-ended|"            \
    "campaign-ended|import-ended|alarm-raised|alarm-cleared"

// Of arguments NAME=VALUE, as bodies of requests have them.
static const struct {
    const char *noun, *verb, *words;
} members[] = {
    {"card", "set", "applicationField=" FIELDS_TEXT},
    {"card", "set", "state=RETIRED"},
    {"client", "create", "certificateBoundTokens=true|false"},
    {"client", "create", "enterpriseId=@enterprise"},
    {"client", "create", "mechanisms=" MECHANISMS_TEXT},
    {"client", "set", "certificateBoundTokens=true|false"},
    {"client", "set", "mechanisms=" MECHANISMS_TEXT},
    {"client", "set", "status=ACTIVE|SUSPENDED"},
    {"enterprise", "create", "authorityMode=" AUTHORITY_TEXT},
    {"enterprise", "create", "kind=" KINDS_TEXT},
    {"enterprise", "create", "status=ACTIVE|SUSPENDED"},
    {"enterprise", "set", "authorityMode=" AUTHORITY_TEXT},
    {"enterprise", "set", "kind=" KINDS_TEXT},
    {"enterprise", "set", "status=ACTIVE|SUSPENDED"},
    {"group", "change", "applicationField=" FIELDS_TEXT},
    {"group", "change", "serviceClass=iot"},
    {"pool", "set", "rulePack=NONE|CN-IoT"},
    {"report", "create", "format=JSON|CSV|HTML"},
    {"report", "create", "groupId=@group"},
    {"report", "create",
     "type=OPERATIONS|FALLBACK|BOOTSTRAP|IMEI_MISMATCH|BINDING_HISTORY|CARD_WRITERS|INVENTORY|"
     "IMPORTS|REGULATOR"},
    {"sink", "create", "groupId=@group"},
    {"sink", "create", "protocol=HTTP"},
    {"sink", "create", "types=" TYPES_TEXT},
    {"sink", "set", "status=OK"},
    {"sink", "set", "types=" TYPES_TEXT},
    {"subscription", "create", "fallbackEligible=true|false"},
    {"subscription", "create", "poolId=@pool"},
    {"subscription", "set", "fallbackEligible=true|false"},
    {"subscription", "set", "state=FREE|RESERVED|ON_CARD|RETIRED"},
    {"tariff", "set", "api=A|B|C|D|E|F"},
    {"tariff", "set", "enterpriseId=@enterprise"},
    {"tariff", "set", "operationClass=QUERY|CHANGE"},
    {"transport-key", "create", "algorithm=AES128-CBC"},
    {"user", "create", "enterpriseId=@enterprise"},
    {"user", "create", "role=" ROLES_TEXT},
    {"user", "set", "locked=true|false"},
    {"user", "set", "role=" ROLES_TEXT},
};

static bool fits(const char *wanted, const char *word)
{
    return wanted == NULL || strcmp(wanted, word) == 0;
}

static const char *values_of(enum ctl_option option, const char *noun, const char *verb)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i].option == option && fits(values[i].noun, noun) && fits(values[i].verb, verb))
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
                   values_of(option, v->noun, verb));
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
