// Figures that people steer by.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <stdlib.h>

static const struct ctl_column kpi_columns[] = {
    {"KPI", "id"},    {"TYPE", "type"}, {"WINDOW", "window"}, {"VALUE", "value"},
    {"UNIT", "unit"}, {"PART", "part"}, {"OF", "of"},         {"P50", "p50"},
    {"P95", "p95"},   {"P99", "p99"},   {NULL, NULL}};

// A figure without data shows a dash and the count.
static void complete_kpi(json_t *item)
{
    const bool is_duration = strcmp(ctl_string_at(item, "unit"), "seconds") == 0;
    json_t *of = json_object_get(item, is_duration ? "count" : "whole");
    (void)json_object_set(item, "of", of);
    if (!is_duration && json_object_get(item, "value") == NULL)
        (void)json_object_set_new(item, "value", json_string("-"));
}

static void print_kpis(struct ctl_task *t, json_t *answer)
{
    json_t *items = json_object_get(answer, "items");
    char line[128];
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item) complete_kpi(item);
    if (!ctl_has(t, OPTION_QUIET))
        ctl_table_print(kpi_columns, items, false, NULL);
    (void)snprintf(line, sizeof(line), "%s from %s to %s", ctl_string_at(answer, "window"),
                   ctl_string_at(answer, "from"), ctl_string_at(answer, "to"));
    ctl_print_result(t, line);
}

enum ctl_exit kpi_show_run(struct ctl_task *t)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/kpis");
    ctl_put_query(t, &r);
    if (ctl_has(t, OPTION_ENTERPRISE))
        ctl_request_query(&r, "enterpriseId", t->option[OPTION_ENTERPRISE]);
    if (ctl_has(t, OPTION_CSV))
        r.accept = "text/csv";
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE && ctl_has(t, OPTION_CSV)) {
        (void)fwrite(a.text, 1, a.len, stdout);
    } else if (exit == CTL_DONE) {
        ctl_print_json(t, &a);
        if (!ctl_has(t, OPTION_JSON))
            print_kpis(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}
