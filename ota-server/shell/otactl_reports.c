// Reports, and moves of many cards: jobs of the server that are ordered and followed.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <stdlib.h>

#define PATH "/reports"
#define MOVES "/cards/moves"

static bool has_ended(const json_t *job)
{
    return strcmp(ctl_string_at(job, "status"), "RUNNING") != 0;
}

static void describe(const json_t *job, char *text, size_t size)
{
    const json_t *visited = json_object_get(job, "visited");
    if (visited != NULL)
        snprintf(text, size, "%lld cards", (long long)json_integer_value(visited));
    else
        snprintf(text, size, "%s", ctl_string_at(job, "status"));
}

static enum ctl_exit exit_of(const json_t *job)
{
    if (strcmp(ctl_string_at(job, "status"), "FAILED") != 0)
        return CTL_DONE;
    fprintf(stderr, "otactl: %s failed\n  do: order it again\n", ctl_string_at(job, "id"));
    return CTL_INTERNAL;
}

// Orders the job that `r` asks for and, with --wait, follows it to its end.
// `show` is the command that tells of it later.
static enum ctl_exit order(struct ctl_task *t, struct ctl_request *r, const char *path,
                           const char *show)
{
    struct ctl_answer a;
    char id[CTL_ID_SIZE];
    enum ctl_exit exit = ctl_ask(t, r, &a);
    if (exit == CTL_DONE && ctl_is_dry_run(t)) {
        ctl_print_dry_run(t, &a);
        ctl_answer_free(&a);
        return exit;
    }
    snprintf(id, sizeof(id), "%s", exit == CTL_DONE ? ctl_string_at(a.json, "id") : "");
    if (exit == CTL_DONE && ctl_has(t, OPTION_WAIT)) {
        const struct ctl_wait w = {
            .path = path, .id = id, .describe = describe, .has_ended = has_ended, .resume = show};
        ctl_answer_free(&a);
        exit = ctl_wait(t, &w, &a);
    }
    if (exit == CTL_DONE) {
        exit = exit_of(a.json);
        ctl_print_object(t, &a);
        ctl_print_result(t, id);
    }
    ctl_answer_free(&a);
    return exit;
}

static enum ctl_exit send_order(struct ctl_task *t, json_t *body, const char *path,
                                const char *show)
{
    struct ctl_request r;
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        return CTL_INTERNAL;
    ctl_request_init(&r, "POST", path);
    ctl_request_json(&r, bytes_of_text(text));
    const enum ctl_exit exit = order(t, &r, path, show);
    free(text);
    return exit;
}

// --- reports -----------------------------------------------------------------------------------

enum ctl_exit report_create_run(struct ctl_task *t)
{
    json_t *body = ctl_object_of_pairs(t, 0);
    return body != NULL ? send_order(t, body, PATH, "otactl report show") : CTL_WRONG_USE;
}

enum ctl_exit report_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"REPORT", "id"},     {"TYPE", "type"},           {"FROM", "from"}, {"TO", "to"},
        {"STATUS", "status"}, {"SIGNED", "signedOff.at"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = PATH, .noun = "reports", .key = "id", .sort = "-createdAt", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, PATH, id, "");
}

enum ctl_exit report_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "rpt", show_one);
}

// As the server writes it: what the hash of a sign-off is about.
enum ctl_exit report_content_run(struct ctl_task *t)
{
    static const struct {
        const char *name, *type;
    } formats[] = {{"json", "application/json"}, {"csv", "text/csv"}, {"html", "text/html"}};
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", PATH);
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/content");
    r.accept = "*/*";
    for (size_t i = 0; i < 3 && t->arg_count > 1; i++) {
        if (strcmp(t->args[1], formats[i].name) == 0)
            r.accept = formats[i].type;
    }
    if (t->arg_count > 1 && r.accept[0] == '*')
        return ctl_wrong(t, "a format is json, csv or html, not", t->args[1]);
    r.download = stdout;
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit report_write_run(struct ctl_task *t)
{
    struct ctl_request r;
    json_t *texts = ctl_pairs(t, 1);
    if (texts == NULL)
        return CTL_WRONG_USE;
    json_t *body = json_pack("{so}", "texts", texts);
    ctl_put_reason(t, body);
    ctl_request_init(&r, "PATCH", PATH);
    ctl_request_segment(&r, t->args[0]);
    return ctl_send_object(t, &r, body, t->args[0]);
}

static enum ctl_exit sign_one(struct ctl_task *t, const char *id)
{
    return ctl_act(t, PATH, id, "sign-off", id);
}

enum ctl_exit report_sign_off_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "rpt", sign_one);
}

// --- moves of many cards -----------------------------------------------------------------------

enum ctl_exit card_move_all_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_GROUP))
        return ctl_wrong(t, "moving cards needs --group", NULL);
    json_t *filter = ctl_pairs(t, 0);
    if (filter == NULL)
        return CTL_WRONG_USE;
    const bool is_upload = json_object_get(filter, "uploadId") != NULL;
    json_t *target = is_upload ? filter : json_pack("{so}", "filter", filter);
    json_t *body = json_pack("{soss}", "target", target, "groupId", t->option[OPTION_GROUP]);
    if (body == NULL)
        return CTL_INTERNAL;
    ctl_put_reason(t, body);
    return send_order(t, body, MOVES, "otactl card move-show");
}

static enum ctl_exit show_move(struct ctl_task *t, const char *id)
{
    return ctl_show(t, MOVES, id, "");
}

enum ctl_exit card_move_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "mov", show_move);
}
