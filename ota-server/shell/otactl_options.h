// What the command line says: the verbs, their options, and one command as it was given.
#pragma once

#include "ota-server/shell/otactl_client.h"

#include <argp.h>

// Options are taken by groups of verbs.
enum ctl_group {
    TAKES_CARD = 1 << 0,    // a card named by one of its numbers
    TAKES_CHANGE = 1 << 1,  // something is changed
    TAKES_OPERATE = 1 << 2, // an operation on cards is started
    TAKES_WAIT = 1 << 3,
    TAKES_LIST = 1 << 4,
    TAKES_CARD_FILTER = 1 << 5,
    TAKES_OPERATION_FILTER = 1 << 6,
    TAKES_DIRTY_FILTER = 1 << 7,
    TAKES_TRAIL_FILTER = 1 << 8,
    TAKES_DOWNLOAD = 1 << 9,
    TAKES_SUB = 1 << 10, // a subscription named by one of its numbers
    TAKES_ROLLBACK = 1 << 11,
    TAKES_UNPROVEN = 1 << 12,
    TAKES_IMPORT = 1 << 13,
    TAKES_QUARANTINE = 1 << 14,
    TAKES_POOL = 1 << 15,
    TAKES_INVENTORY_FILTER = 1 << 16,
    TAKES_ESTIMATE = 1 << 17,
    TAKES_KEY = 1 << 18,
    TAKES_RANGE = 1 << 19,
    TAKES_RESOLVE = 1 << 20,
    TAKES_MATCH = 1 << 21,
    TAKES_CSV = 1 << 22,
    TAKES_REASON = 1 << 23,
    TAKES_TIME = 1 << 24,
    TAKES_GROUP = 1 << 25,
    TAKES_MOVE = 1 << 26,
    TAKES_APPROVAL = 1 << 27,
    TAKES_STATE = 1 << 28,
    TAKES_WINDOW = 1 << 29,
    TAKES_RESULT = 1 << 30,
    TAKES_GROUP_FILTER =
        TAKES_CARD_FILTER | TAKES_OPERATION_FILTER | TAKES_DIRTY_FILTER | TAKES_TRAIL_FILTER,
};

// More than a constant of an enumeration can be.
#define TAKES_EVENTS (UINT64_C(1) << 31)
#define TAKES_FILES (UINT64_C(1) << 32)
#define TAKES_FIELDS (UINT64_C(1) << 33)
#define TAKES_PERMISSION_FILTER (UINT64_C(1) << 34)
#define TAKES_DELIVERY_FILTER (UINT64_C(1) << 35)

// X(id, name, argument or NULL, groups (0: every verb), query parameter or NULL, what it does)
// Shells complete the value of an option, unless its argument is one of those that anybody may
// write: DIGITS TEXT TIME SECONDS COUNT NUMBER HEX SEQUENCE KEY EVENT FILE. The values stand in
// otactl_values.c; a test wants them for every other one.
// clang-format off
#define CTL_OPTIONS(X) \
    X(JSON, "json", NULL, 0, NULL, "print the server's JSON, unchanged") \
    X(QUIET, "quiet", NULL, 0, NULL, "print the result only: ids of a list, the last line of the rest") \
    X(NO_COLOR, "no-color", NULL, 0, NULL, "no colour on a terminal (as with NO_COLOR)") \
    X(ICCID, "iccid", "DIGITS", TAKES_CARD, NULL, "the card with this ICCID") \
    X(IMSI, "imsi", "DIGITS", TAKES_CARD, NULL, "the card with this IMSI") \
    X(MSISDN, "msisdn", "DIGITS", TAKES_CARD, NULL, "the card with this number") \
    X(EID, "eid", "DIGITS", TAKES_CARD, NULL, "the card with this EID") \
    X(IMEI, "imei", "DIGITS", TAKES_CARD, NULL, "the card last seen in this device") \
    X(MATCH, "match", "HOW", TAKES_MATCH, NULL, "exact, prefix (from 6 digits) or suffix (from 4)") \
    X(DRY_RUN, "dry-run", NULL, TAKES_CHANGE, NULL, "check everything, change and send nothing") \
    X(REASON, "reason", "TEXT", TAKES_REASON, NULL, "why; written to the audit trail") \
    X(KEY, "idempotency-key", "KEY", TAKES_CHANGE, NULL, "8 to 64 characters; made when not given") \
    X(WAIT, "wait", "SECONDS", TAKES_WAIT, NULL, "follow it to its end, at most so long (default 600)") \
    X(IF_DIRTY, "if-dirty", "HOW", TAKES_OPERATE, NULL, "wait or refuse (default) when the state is in doubt") \
    X(IF_BUSY, "if-busy", "HOW", TAKES_OPERATE, NULL, "wait (default) or refuse behind another operation") \
    X(FORCE, "force", NULL, TAKES_OPERATE, NULL, "send although the state is in doubt; needs --reason") \
    X(WHEN, "when", "TIME", TAKES_OPERATE, NULL, "now (default), next-contact, or a date-time with a zone") \
    X(TTL, "ttl", "SECONDS", TAKES_OPERATE, NULL, "give up after (300 to 1209600, default 86400)") \
    X(LIMIT, "limit", "COUNT", TAKES_LIST, NULL, "at most so many (default 1000, 0: all)") \
    X(SORT, "sort", "FIELD", TAKES_LIST, "sort", "by this field, with - before it backwards") \
    X(GROUP, "group", "ID", TAKES_GROUP_FILTER | TAKES_PERMISSION_FILTER | TAKES_MOVE, "groupId", \
      "of (or into) this group") \
    X(BATCH, "batch", "ID", TAKES_CARD_FILTER, "batchId", "of this vendor batch") \
    X(STATE, "state", "STATE", TAKES_CARD_FILTER | TAKES_INVENTORY_FILTER | TAKES_STATE, "state", "in this state") \
    X(MARK, "mark", "MARK", TAKES_CARD_FILTER, "mark", "with this mark, such as DIRTY") \
    X(FIELD, "application-field", "NAME", TAKES_CARD_FILTER | TAKES_GROUP, "applicationField", "used in this field") \
    X(LABEL, "label", "TEXT", TAKES_CARD_FILTER, "label", "with this label") \
    X(OPEN, "open-operation", "BOOL", TAKES_CARD_FILTER, "openOperation", "true: that have one; false: with none") \
    X(HEARD_SINCE, "heard-since", "TIME", TAKES_CARD_FILTER, "lastContactAt.gte", "last heard from then on") \
    X(HEARD_UNTIL, "heard-until", "TIME", TAKES_CARD_FILTER, "lastContactAt.lte", "last heard until then") \
    X(TYPE, "type", "TYPE", TAKES_OPERATION_FILTER, "type", "of this type, such as download") \
    X(STATUS, "status", "STATUS", TAKES_OPERATION_FILTER, "status", "such as QUEUED or ENDED") \
    X(OUTCOME, "outcome", "OUTCOME", TAKES_OPERATION_FILTER, "outcome", "such as done or failed") \
    X(CARD, "card", "ID", TAKES_OPERATION_FILTER | TAKES_TRAIL_FILTER | TAKES_INVENTORY_FILTER, "cardId", \
      "of (or on) this card") \
    X(GRANTEE, "enterprise", "ID", TAKES_PERMISSION_FILTER, "enterpriseId", "of this enterprise") \
    X(GRANTED, "operation", "NAME", TAKES_PERMISSION_FILTER, "operation", "that grant this, such as card.read") \
    X(SINK, "sink", "ID", TAKES_DELIVERY_FILTER, "sinkId", "to this sink") \
    X(CAMPAIGN, "campaign", "ID", TAKES_OPERATION_FILTER, "campaignId", "of this campaign") \
    X(CLIENT, "client", "ID", TAKES_OPERATION_FILTER, "clientId", "asked by this client") \
    X(FAILURE, "failure-code", "CODE", TAKES_OPERATION_FILTER, "failureCode", "such as CARD_REFUSED") \
    X(SINCE, "since", "TIME", TAKES_OPERATION_FILTER, "createdAt.gte", "created from then on") \
    X(UNTIL, "until", "TIME", TAKES_OPERATION_FILTER, "createdAt.lte", "created until then") \
    X(DIRTY_REASON, "dirty-reason", "REASON", TAKES_DIRTY_FILTER, "reason", "for this reason") \
    X(UNREACHABLE, "unreachable", NULL, TAKES_DIRTY_FILTER, "unreachable", "only those that do not answer") \
    X(OPERATOR_NEEDED, "needs-operator", NULL, TAKES_DIRTY_FILTER, "needsOperator", "only those a person must decide") \
    X(FROM, "from", "TIME", TAKES_TRAIL_FILTER | TAKES_TIME, "from", "from then on (RFC 3339 with a zone)") \
    X(TO, "to", "TIME", TAKES_TRAIL_FILTER | TAKES_TIME, "to", "until then") \
    X(ACTOR, "actor", "ID", TAKES_TRAIL_FILTER, "actor", "by this actor") \
    X(ACTION, "action", "TEXT", TAKES_TRAIL_FILTER, "action", "of this kind") \
    X(OBJECT, "object", "ID", TAKES_TRAIL_FILTER, "objectId", "about this object") \
    X(OPERATION, "operation", "ID", TAKES_TRAIL_FILTER, "operationId", "of this operation") \
    X(CORRELATOR, "correlator", "TEXT", TAKES_TRAIL_FILTER, "correlator", "of this request") \
    X(POOL, "pool", "ID", TAKES_DOWNLOAD | TAKES_IMPORT | TAKES_INVENTORY_FILTER, "poolId", "of this pool") \
    X(SUBSCRIPTION, "subscription", "ID", TAKES_SUB, NULL, "the subscription") \
    X(SUB_ICCID, "sub-iccid", "DIGITS", TAKES_SUB, NULL, "the subscription with this ICCID") \
    X(SUB_IMSI, "sub-imsi", "DIGITS", TAKES_SUB, NULL, "the subscription with this IMSI") \
    X(TEMPLATE, "template", "NUMBER", TAKES_DOWNLOAD | TAKES_POOL, NULL, "the profile template, 1 to 254") \
    X(ENABLE, "enable", "WHEN", TAKES_DOWNLOAD, NULL, "now or later (default)") \
    X(SET_FALLBACK, "set-fallback", NULL, TAKES_DOWNLOAD, NULL, "the fallback, once confirmed; with --enable now") \
    X(ROLE, "role", "ROLE", TAKES_DOWNLOAD, NULL, "operational, bootstrap or test") \
    X(RANK, "rank", "NUMBER", TAKES_DOWNLOAD, NULL, "its place in automatic selection, 1 to 255") \
    X(NO_DISABLE, "no-disable", NULL, TAKES_DOWNLOAD, NULL, "it cannot be disabled") \
    X(NO_DELETE, "no-delete", NULL, TAKES_DOWNLOAD, NULL, "it cannot be deleted") \
    X(NO_ROLLBACK, "no-rollback", NULL, TAKES_ROLLBACK, NULL, "stay, even if the network does not take it") \
    X(ALLOW_UNPROVEN, "allow-unproven", NULL, TAKES_UNPROVEN, NULL, "although it never had service") \
    X(VENDOR_PROFILE, "vendor-profile", "NAME", TAKES_IMPORT, "vendorProfile", "the vendor's field map (required)") \
    X(KIND, "kind", "KIND", TAKES_IMPORT, NULL, "cards (default) or subscriptions (with --pool)") \
    X(PARTIAL, "partial", NULL, TAKES_IMPORT, "partial", "load the good records, hold back the rest") \
    X(UPDATE, "update", NULL, TAKES_IMPORT, "update", "judge what it changes of known cards; import apply does it") \
    X(BATCH_ID, "batch-id", "TEXT", TAKES_IMPORT, "batch", "of a CSV file without a header of its own") \
    X(QUANTITY, "quantity", "COUNT", TAKES_IMPORT, "quantity", "records of a CSV file without trailer") \
    X(DROP, "drop", NULL, TAKES_QUARANTINE, NULL, "drop the records held back") \
    X(CSV, "csv", NULL, TAKES_CSV, NULL, "as CSV") \
    X(NAME, "name", "TEXT", TAKES_POOL | TAKES_GROUP, NULL, "its name (required)") \
    X(ENTERPRISE, "enterprise", "ID", TAKES_POOL | TAKES_GROUP | TAKES_WINDOW, NULL, \
      "whose (default: the caller's)") \
    X(OPERATOR, "operator", "TEXT", TAKES_POOL, NULL, "of which operator (required)") \
    X(RULE_PACK, "rule-pack", "NAME", TAKES_POOL, NULL, "rules for its numbers") \
    X(LOW_WATER, "low-water-mark", "COUNT", TAKES_POOL, NULL, "lists mark it below so many free ones") \
    X(VALUES, "values", "FILE", TAKES_ESTIMATE, NULL, "{\"values\":{\"imsi\":\"00101...\"}} (required)") \
    X(INDEX, "index", "NUMBER", TAKES_KEY, NULL, "the key's number in vendor files (required)") \
    X(ALGORITHM, "algorithm", "NAME", TAKES_KEY, NULL, "default AES128-CBC") \
    X(FIRST, "first", "SEQUENCE", TAKES_RANGE, NULL, "from this row (default: the first)") \
    X(LAST, "last", "SEQUENCE", TAKES_RANGE, NULL, "to this row (default: the last)") \
    X(LIVE, "live", NULL, TAKES_FILES, NULL, "and the server's trail, which must go on where the files end") \
    X(CHECKPOINTS, "checkpoints", "FILE", TAKES_FILES, NULL, \
      "and a copy of its checkpoints, kept elsewhere, must be of the server's trail") \
    X(CHECKPOINT_KEY, "checkpoint-key", "HEX", TAKES_FILES, NULL, \
      "that they must be signed by: checkpointKey of system show (default: what the first one says)") \
    X(WINDOW, "window", "HOURS", TAKES_WINDOW, "window", "1h, 24h (default), 7d or 30d") \
    X(RESULT, "result", "RESULT", TAKES_RESULT, "result", "WAITING, OPEN, DONE, FAILED or EXCLUDED") \
    X(TOPICS, "topics", "TOPIC,...", TAKES_EVENTS, "topics", "only these, such as operations,alarms") \
    X(AFTER, "after", "EVENT", TAKES_EVENTS, NULL, "go on behind this event") \
    X(COUNT, "count", "COUNT", TAKES_EVENTS, NULL, "end after so many") \
    X(HASH, "hash", "HEX", TAKES_APPROVAL, NULL, "requestHash of what is decided (required)") \
    X(FIELDS, "fields", "FIELD,...", TAKES_FIELDS, NULL, "of iccid, eid, imei, imsi, msisdn (required)") \
    X(DECISION, "decision", "WHAT", TAKES_RESOLVE, NULL, "accept-card or push-server (required)")
// clang-format on

enum ctl_option {
#define X(id, name, argument, groups, parameter, text) OPTION_##id,
    CTL_OPTIONS(X)
#undef X
        CTL_OPTION_COUNT
};

struct ctl_task;

struct ctl_verb {
    const char *noun, *verb;
    const char *arguments; // as --help shows them
    unsigned arguments_min, arguments_max;
    uint64_t groups;
    enum ctl_exit (*run)(struct ctl_task *t);
    const char *summary;
    const char *example; // what follows "otactl "
};

extern const struct ctl_verb ctl_verbs[]; // ends with a noun that is NULL

// One command: what it is to do, and how it shows it.
struct ctl_task {
    const struct ctl_verb *verb;
    const char *option[CTL_OPTION_COUNT]; // NULL: not given; "" for one without a value
    char **args;
    size_t arg_count;
    const char *key;            // that a list prints with --quiet, in place of its own; or NULL
    struct ctl_client **client; // the program's; opened by the first command that needs it
    bool has_color;             // on standard output
    bool shows_progress;        // on standard error
    bool is_many;               // several ids: their JSON is one array
    unsigned document_count;    // of JSON printed
    struct ctl_tally tally;
    // Before the last line of an operation that was followed to a good end; may be NULL.
    void (*on_done)(struct ctl_task *t, const json_t *operation);
};

static inline bool ctl_has(const struct ctl_task *t, enum ctl_option option)
{
    return t->option[option] != NULL;
}

// The parameter of a query that an option sets, or NULL.
const char *ctl_option_parameter(enum ctl_option option);
const char *ctl_option_name(enum ctl_option option);
bool ctl_option_takes_value(enum ctl_option option);
bool ctl_verb_takes(const struct ctl_verb *verb, enum ctl_option option);

// Finds the verb and reads its options; ends the program with CTL_WRONG_USE, after saying why,
// when they are wrong, and with CTL_DONE after --help. argv[0] is the program's name.
void ctl_task_parse(struct ctl_task *t, int argc, char **argv);
// Prints "noun verb word..." per verb, for shell completion: "--json", "--limit=", "--kind=a|b"
// with the values that there are, and "type=A|B" for an argument. A value "@group" stands for the
// ids that "group list" has, "@template.templateId" for such a member of what it lists.
void ctl_verbs_print(void);
void ctl_examples_print(void);
void ctl_help_print(void);
