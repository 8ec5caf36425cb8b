// What enterprises are charged for: calls and their prices, cards that were queried, the log.
//
// Of which month or year, enterprise and interface is said as NAME=VALUE, with the names of the
// interface's parameters.
#include "ota-server/shell/otactl_verbs.h"

static const struct ctl_column call_columns[] = {{"ENTERPRISE", "enterpriseId"},
                                                 {"MONTH", "month"},
                                                 {"API", "api"},
                                                 {"CLASS", "operationClass"},
                                                 {"CLOSED", "closed"},
                                                 {"BILLABLE", "billable"},
                                                 {"REPEATED", "repeated"},
                                                 {"DRY", "dryRuns"},
                                                 {"REFUSED", "refused"},
                                                 {"FAILED", "failed"},
                                                 {"UNIT", "tariff.unit"},
                                                 {"AMOUNT", "amount"},
                                                 {NULL, NULL}};

enum ctl_exit metering_calls_run(struct ctl_task *t)
{
    const struct ctl_listing l = {.path = "/metering/calls",
                                  .has_pairs = true,
                                  .noun = "kinds of calls",
                                  .key = "enterpriseId",
                                  .columns = call_columns};
    return ctl_list(t, &l);
}

static const struct ctl_column card_columns[] = {
    {"ENTERPRISE", "enterpriseId"}, {"PERIOD", "period"}, {"CLOSED", "closed"},
    {"CARDS", "distinctCards"},     {"CALLS", "calls"},   {NULL, NULL}};

enum ctl_exit metering_cards_run(struct ctl_task *t)
{
    const struct ctl_listing l = {.path = "/metering/cards-queried",
                                  .has_pairs = true,
                                  .noun = "enterprises",
                                  .key = "enterpriseId",
                                  .columns = card_columns};
    return ctl_list(t, &l);
}

static enum ctl_exit records_csv(struct ctl_task *t)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/metering/records");
    if (!ctl_put_pairs(t, &r))
        return CTL_WRONG_USE;
    r.download = stdout;
    r.accept = "text/csv";
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit metering_records_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"MINUTE", "minute"},       {"ENTERPRISE", "enterpriseId"},
        {"CLIENT", "clientId"},     {"API", "api"},
        {"OPERATION", "operation"}, {"CLASS", "operationClass"},
        {"RESULT", "result"},       {"CARD", "cardId"},
        {"CALLS", "calls"},         {NULL, NULL}};
    const struct ctl_listing l = {.path = "/metering/records",
                                  .has_pairs = true,
                                  .noun = "lines",
                                  .key = "minute",
                                  .columns = columns};
    if (ctl_has(t, OPTION_CSV) && (ctl_has(t, OPTION_LIMIT) || ctl_has(t, OPTION_SORT)))
        return ctl_wrong(t, "--csv has every line, in the order of the log", NULL);
    return ctl_has(t, OPTION_CSV) ? records_csv(t) : ctl_list(t, &l);
}

// --- price tables ------------------------------------------------------------------------------

enum ctl_exit tariff_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"TABLE", "id"},       {"API", "api"},         {"CLASS", "operationClass"},
        {"FROM", "validFrom"}, {"OF", "enterpriseId"}, {"UNIT", "unit"},
        {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/metering/tariffs", .noun = "price tables", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit tariff_set_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "PUT", "/metering/tariffs");
    return ctl_send_pairs(t, &r, 0, NULL);
}
