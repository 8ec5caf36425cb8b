// Figures that people steer by, and exports.
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

// --- exports ---

static bool put_order(const struct ctl_task *t, struct writer *w)
{
    struct json_writer j = json_writer_of(w);
    uint64_t first = 0;
    uint64_t last = 0;
    if (!ctl_number(t, OPTION_FIRST, &first) || !ctl_number(t, OPTION_LAST, &last))
        return false;
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    if (first > 0) {
        json_put_key(&j, "fromSequence");
        json_put_unsigned(&j, first);
    }
    if (last > 0) {
        json_put_key(&j, "toSequence");
        json_put_unsigned(&j, last);
    }
    json_end_object(&j);
    return json_done(&j);
}

static enum ctl_exit run_export(struct ctl_task *t, const char *path)
{
    uint8_t text[2048];
    struct writer w = writer_of(text, sizeof(text));
    struct ctl_request r;
    struct ctl_answer a;
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "--reason says why, for the audit trail", NULL);
    if (!put_order(t, &w))
        return ctl_wrong(t, "the reason is too long, or a row is no number", NULL);
    ctl_request_init(&r, "POST", path);
    ctl_put_query(t, &r);
    ctl_request_json(&r, writer_bytes(&w));
    r.is_reading = true;
    r.download = stdout;
    r.accept = ctl_has(t, OPTION_CSV) ? "text/csv" : "application/x-ndjson";
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit export_cards_run(struct ctl_task *t)
{
    return run_export(t, "/cards/export");
}

enum ctl_exit export_operations_run(struct ctl_task *t)
{
    return run_export(t, "/operations/export");
}

enum ctl_exit export_trail_run(struct ctl_task *t)
{
    return run_export(t, "/audit-trail/export");
}
