// Operations, and the queue of cards whose state is in doubt.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

enum ctl_exit op_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"OPERATION", "id"},         {"TYPE", "type"},         {"CARD", "cardId"},
        {"STATUS", "status"},        {"OUTCOME", "outcome"},   {"FAILURE", "failureCode"},
        {"CARD SAID", "cardResult"}, {"CREATED", "createdAt"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/operations", .noun = "operations", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

// Parameters stand in a line each, as what has them in an object of its own does.
static void spread_parameters(json_t *operation)
{
    json_t *request = json_object_get(operation, "request");
    json_t *parameters = json_object_get(request, "parameters");
    if (parameters == NULL)
        return;
    (void)json_object_set(operation, "request.parameters", parameters);
    (void)json_object_del(request, "parameters");
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    static const struct ctl_column columns[] = {
        {"AT", "at"}, {"STEP", "name"}, {"ATTEMPT", "attempt"}, {"DETAIL", "detail"}, {NULL, NULL}};
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/operations");
    ctl_request_segment(&r, id);
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        json_t *steps = json_incref(json_object_get(a.json, "steps"));
        const char *outcome = ctl_string_at(a.json, "outcome");
        char line[160];
        (void)json_object_del(a.json, "steps"); // they have a table of their own
        spread_parameters(a.json);
        ctl_print_object(t, &a);
        if (!ctl_has(t, OPTION_JSON) && !ctl_has(t, OPTION_QUIET) && json_array_size(steps) > 0)
            ctl_table_print(columns, steps, false, NULL);
        snprintf(line, sizeof(line), "%s %s", id,
                 *outcome != '\0' ? outcome : ctl_string_at(a.json, "status"));
        ctl_print_result(t, line);
        json_decref(steps);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit op_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "op", show_one);
}

enum ctl_exit op_wait_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "op", ctl_follow);
}

static enum ctl_exit act(struct ctl_task *t, const char *id, const char *action, bool follows)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", "/operations");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, action);
    if (follows)
        return ctl_operate(t, &r);
    char result[128];
    snprintf(result, sizeof(result), "%s cancelled", id);
    return ctl_change(t, &r, result);
}

static enum ctl_exit cancel_one(struct ctl_task *t, const char *id)
{
    return act(t, id, "/cancel", false);
}

enum ctl_exit op_cancel_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "op", cancel_one);
}

static enum ctl_exit resend_one(struct ctl_task *t, const char *id)
{
    return act(t, id, "/resend", true);
}

enum ctl_exit op_resend_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "op", resend_one);
}

// --- the dirty queue ---

enum ctl_exit dirty_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"CARD", "cardId"},
                                                {"REASONS", "reasons"},
                                                {"AGE s", "age"},
                                                {"ATTEMPTS", "attempts"},
                                                {"NEXT", "nextAttemptAt"},
                                                {"LAST OUTCOME", "lastOutcome"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/dirty-cards", .noun = "dirty cards", .key = "cardId", .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit dirty_summary_run(struct ctl_task *t)
{
    struct ctl_request r;
    struct ctl_answer a;
    char line[64];
    ctl_request_init(&r, "GET", "/dirty-cards/summary");
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        ctl_print_object(t, &a);
        snprintf(line, sizeof(line), "%lld dirty cards",
                 (long long)json_integer_value(json_object_get(a.json, "total")));
        ctl_print_result(t, line);
    }
    ctl_answer_free(&a);
    return exit;
}

static bool write_reason(struct ctl_task *t, struct writer *w, bool decides)
{
    struct json_writer j = json_writer_of(w);
    json_begin_object(&j);
    if (decides)
        ctl_put_word(t, &j, OPTION_DECISION, "decision");
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    return json_done(&j);
}

static enum ctl_exit mark_one(struct ctl_task *t, const char *id)
{
    uint8_t text[1024];
    char line[128];
    struct writer w = writer_of(text, sizeof(text));
    struct ctl_request r;
    if (!write_reason(t, &w, false))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "PUT", "/cards");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/dirty");
    ctl_request_json(&r, writer_bytes(&w));
    snprintf(line, sizeof(line), "%s dirty", id);
    return ctl_change(t, &r, line);
}

enum ctl_exit dirty_mark_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "marking needs --reason", NULL);
    return ctl_each_card(t, mark_one);
}

static enum ctl_exit audit_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", "/dirty-cards");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/audit");
    return ctl_operate(t, &r);
}

enum ctl_exit dirty_audit_run(struct ctl_task *t)
{
    return ctl_each_card(t, audit_one);
}

static enum ctl_exit resolve_one(struct ctl_task *t, const char *id)
{
    uint8_t text[1024];
    char line[128];
    struct writer w = writer_of(text, sizeof(text));
    struct ctl_request r;
    if (!write_reason(t, &w, true))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "POST", "/dirty-cards");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/resolve");
    ctl_request_json(&r, writer_bytes(&w));
    snprintf(line, sizeof(line), "%s %s", id, t->option[OPTION_DECISION]);
    return ctl_change(t, &r, line);
}

enum ctl_exit dirty_resolve_run(struct ctl_task *t)
{
    const char *decision = t->option[OPTION_DECISION];
    if (!ctl_has(t, OPTION_REASON) || decision == NULL ||
        (strcmp(decision, "accept-card") != 0 && strcmp(decision, "push-server") != 0))
        return ctl_wrong(t, "deciding needs --decision accept-card or push-server, and --reason",
                         NULL);
    return ctl_each_card(t, resolve_one);
}
