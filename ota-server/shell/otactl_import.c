// Imports of vendor files: sending one, following it, and its report.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <errno.h>

static const struct ctl_column finding_columns[] = {{"CODE", "code"}, {"LEVEL", "level"},
                                                    {"LINE", "line"}, {"FIELD", "field"},
                                                    {"TEXT", "text"}, {NULL, NULL}};

static bool is_grave(const json_t *finding)
{
    return strcmp(ctl_string_at(finding, "level"), "W") != 0;
}

static enum ctl_exit print_report(struct ctl_task *t, const char *id)
{
    const struct ctl_listing l = {.path = "/batch-imports",
                                  .id = id,
                                  .suffix = "/report",
                                  .noun = "findings",
                                  .key = "code",
                                  .columns = finding_columns,
                                  .is_marked = is_grave};
    return ctl_list(t, &l);
}

static void print_outcome(struct ctl_task *t, const json_t *import)
{
    char line[320];
    char changed[32] = "";
    const char *first = ctl_string_at(import, "firstImportId");
    const char *outcome = ctl_string_at(import, "outcome");
    if (json_is_true(json_object_get(import, "update")))
        snprintf(changed, sizeof(changed), " changed=%lld",
                 (long long)json_integer_value(json_object_get(import, "changed")));
    snprintf(
        line, sizeof(line), "%s %s loaded=%lld unchanged=%lld quarantined=%lld warnings=%lld%s%s%s",
        ctl_string_at(import, "id"), *outcome != '\0' ? outcome : ctl_string_at(import, "status"),
        (long long)json_integer_value(json_object_get(import, "loaded")),
        (long long)json_integer_value(json_object_get(import, "unchanged")),
        (long long)json_integer_value(json_object_get(import, "quarantined")),
        (long long)json_integer_value(json_object_get(import, "warnings")), changed,
        *first != '\0' ? " first=" : "", first);
    ctl_print_result(t, line);
}

static void say_outcome(const json_t *import)
{
    const char *outcome = ctl_string_at(import, "outcome");
    const char *id = ctl_string_at(import, "id");
    if (strcmp(outcome, "REFUSED") == 0)
        fprintf(
            stderr,
            "otactl: the file was refused and nothing was loaded\n  do: correct what the report "
            "names, or load the good records with --partial if no finding has level F\n");
    else if (strcmp(outcome, "DRY_RUN_FINDINGS") == 0)
        fprintf(stderr, "otactl: the file has findings; nothing was loaded, as asked\n");
    else if (strcmp(outcome, "DRY_RUN_OK") == 0 &&
             json_integer_value(json_object_get(import, "changed")) > 0)
        fprintf(stderr,
                "otactl: nothing was changed yet\n  do: otactl import apply %s --reason TEXT\n",
                id);
    else if (strcmp(outcome, "IMPORTED_IN_PART") == 0)
        fprintf(stderr, "otactl: some records are held back\n  do: otactl import quarantine %s\n",
                id);
}

static void describe(const json_t *import, char *text, size_t size)
{
    snprintf(text, size, "%s, %lld records", ctl_string_at(import, "status"),
             (long long)json_integer_value(json_object_get(import, "records")));
}

static enum ctl_exit follow(struct ctl_task *t, const char *id)
{
    const struct ctl_wait w = {
        .path = "/batch-imports", .id = id, .describe = describe, .resume = "otactl import show"};
    struct ctl_answer a;
    enum ctl_exit exit = ctl_wait(t, &w, &a);
    if (exit == CTL_DONE) {
        ctl_print_json(t, &a);
        say_outcome(a.json);
        if (json_object_size(json_object_get(a.json, "byCode")) > 0 && !ctl_has(t, OPTION_JSON) &&
            !ctl_has(t, OPTION_QUIET))
            exit = print_report(t, id);
        if (exit == CTL_DONE)
            exit = ctl_exit_of_import(ctl_string_at(a.json, "outcome"));
        print_outcome(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}

static void tell_sent(void *context, uint64_t sent, uint64_t total)
{
    char line[64];
    snprintf(line, sizeof(line), "sending: %llu %%",
             (unsigned long long)(total == 0 ? 100 : sent * 100 / total));
    ctl_progress(context, line);
}

static enum ctl_exit check_run(const struct ctl_task *t)
{
    const char *kind = t->option[OPTION_KIND];
    uint64_t number = 0;
    if (!ctl_has(t, OPTION_VENDOR_PROFILE))
        return ctl_wrong(t, "--vendor-profile says how to read the file", NULL);
    if (kind != NULL && strcmp(kind, "cards") != 0 && strcmp(kind, "subscriptions") != 0)
        return ctl_wrong(t, "--kind takes cards or subscriptions, not", kind);
    const bool has_pool = kind != NULL && strcmp(kind, "subscriptions") == 0;
    if (has_pool != ctl_has(t, OPTION_POOL))
        return ctl_wrong(t, "--kind subscriptions goes with --pool", NULL);
    return ctl_number(t, OPTION_QUANTITY, &number) ? CTL_DONE : CTL_WRONG_USE;
}

// Sends the file with a request that is complete but for it, and follows the import.
static enum ctl_exit send_file(struct ctl_task *t, struct ctl_request *r, const char *path)
{
    struct ctl_answer a;
    char id[CTL_ID_SIZE];
    FILE *file = ctl_open_upload(path);
    if (file == NULL) {
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(errno));
        return CTL_WRONG_USE;
    }
    if (ctl_has(t, OPTION_REASON))
        ctl_request_query(r, "reason", t->option[OPTION_REASON]);
    r->type = "application/octet-stream";
    r->upload = file;
    r->progress = t->shows_progress ? tell_sent : NULL;
    r->progress_context = t;
    const enum ctl_exit exit = ctl_ask(t, r, &a);
    (void)fclose(file);
    ctl_progress(t, NULL);
    snprintf(id, CTL_ID_SIZE, "%s", ctl_string_at(a.json, "id"));
    ctl_answer_free(&a);
    return exit == CTL_DONE ? follow(t, id) : exit;
}

enum ctl_exit import_run_run(struct ctl_task *t)
{
    struct ctl_request r;
    const enum ctl_exit exit = check_run(t);
    if (exit != CTL_DONE)
        return exit;
    ctl_request_init(&r, "POST", "/batch-imports");
    ctl_put_query(t, &r);
    if (ctl_has(t, OPTION_KIND))
        ctl_request_query(&r, "kind", ctl_has(t, OPTION_POOL) ? "SUBSCRIPTIONS" : "CARDS");
    return send_file(t, &r, t->args[0]);
}

enum ctl_exit import_correct_run(struct ctl_task *t)
{
    struct ctl_request r;
    uint64_t number = 0;
    if (ctl_has(t, OPTION_VENDOR_PROFILE) || ctl_has(t, OPTION_KIND) || ctl_has(t, OPTION_POOL) ||
        ctl_has(t, OPTION_UPDATE))
        return ctl_wrong(t, "the first import says how the file is read, and into which pool",
                         NULL);
    if (!ctl_number(t, OPTION_QUANTITY, &number))
        return CTL_WRONG_USE;
    ctl_request_init(&r, "POST", "/batch-imports");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/quarantine");
    ctl_put_query(t, &r);
    return send_file(t, &r, t->args[1]);
}

enum ctl_exit import_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"IMPORT", "id"},         {"STATUS", "status"},
                                                {"OUTCOME", "outcome"},   {"VENDOR", "vendor"},
                                                {"BATCH", "batch"},       {"RECORDS", "records"},
                                                {"LOADED", "loaded"},     {"HELD", "quarantined"},
                                                {"CREATED", "createdAt"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/batch-imports",
                                  .noun = "imports",
                                  .key = "id",
                                  .sort = "-createdAt",
                                  .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    if (ctl_has(t, OPTION_WAIT))
        return follow(t, id);
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/batch-imports");
    ctl_request_segment(&r, id);
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        ctl_print_object(t, &a);
        print_outcome(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit import_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "imp", show_one);
}

static enum ctl_exit cancel_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    char line[128];
    ctl_request_init(&r, "POST", "/batch-imports");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/cancel");
    snprintf(line, sizeof(line), "%s is being cancelled", id);
    return ctl_send_reason(t, &r, line);
}

enum ctl_exit import_cancel_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "imp", cancel_one);
}

// The approval that it waits for, or the import that does it.
enum ctl_exit import_apply_run(struct ctl_task *t)
{
    uint8_t text[CTL_REASON_SIZE];
    struct ctl_request r;
    struct ctl_answer a;
    char id[CTL_ID_SIZE];
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "--reason says why, for the audit trail", NULL);
    enum ctl_exit exit = ctl_act_request(t, "/batch-imports", t->args[0], "apply", text, &r);
    if (exit != CTL_DONE)
        return exit;
    if (ctl_is_dry_run(t))
        return ctl_change(t, &r, t->args[0]);
    exit = ctl_ask(t, &r, &a);
    snprintf(id, sizeof(id), "%s", ctl_string_at(a.json, "id"));
    const bool waits = strncmp(id, "apr_", 4) == 0;
    if (exit == CTL_DONE && waits) {
        ctl_print_object(t, &a);
        ctl_print_result(t, id);
    }
    ctl_answer_free(&a);
    return exit == CTL_DONE && !waits ? follow(t, id) : exit;
}

static enum ctl_exit report_csv(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/batch-imports");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/report");
    r.accept = "text/csv";
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE && a.len > 0)
        (void)fwrite(a.text, 1, a.len, stdout);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit import_report_run(struct ctl_task *t)
{
    return ctl_each_id(t, "imp", ctl_has(t, OPTION_CSV) ? report_csv : print_report);
}

static enum ctl_exit quarantine_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    if (!ctl_has(t, OPTION_DROP)) {
        const struct ctl_listing l = {.path = "/batch-imports",
                                      .id = id,
                                      .suffix = "/quarantine",
                                      .noun = "records held back",
                                      .key = "line",
                                      .columns = finding_columns};
        return ctl_list(t, &l);
    }
    ctl_request_init(&r, "DELETE", "/batch-imports");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/quarantine");
    char line[128];
    snprintf(line, sizeof(line), "%s quarantine dropped", id);
    return ctl_send_reason(t, &r, line);
}

enum ctl_exit import_quarantine_run(struct ctl_task *t)
{
    return ctl_each_id(t, "imp", quarantine_one);
}
