// Bootstraps: from the subscription of the factory to those of the group.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

enum ctl_exit bootstrap_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"JOB", "id"},          {"CARD", "cardId"},
        {"STATE", "state"},     {"REASON", "reason"},
        {"STALLED", "stalled"}, {"OPERATION", "operationId"},
        {"DUE", "dueAt"},       {NULL, NULL}};
    const struct ctl_listing l = {.path = "/card-groups",
                                  .id = t->args[0],
                                  .suffix = "/bootstrap-jobs",
                                  .noun = "bootstraps",
                                  .key = "id",
                                  .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/bootstrap-jobs", id, "");
}

enum ctl_exit bootstrap_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "job", show_one);
}

static enum ctl_exit change_one(struct ctl_task *t, const char *id)
{
    return ctl_act(t, "/bootstrap-jobs", id, t->verb->verb, NULL);
}

enum ctl_exit bootstrap_change_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "job", change_one);
}

static enum ctl_exit start_one(struct ctl_task *t, const char *id)
{
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    json_put_key(&j, "cardId");
    json_put_string(&j, id);
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "POST", "/card-groups");
    ctl_request_segment(&r, t->option[OPTION_GROUP]);
    text_put(&r.path_w, "/bootstrap-jobs");
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, NULL);
}

enum ctl_exit bootstrap_start_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_GROUP))
        return ctl_wrong(t, "--group says whose rule it follows", NULL);
    return ctl_each_card(t, start_one);
}
