// Where events are sent, and what became of them.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

enum ctl_exit sink_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"SINK", "id"},
                                                {"STATUS", "status"},
                                                {"BECAUSE", "statusReason"},
                                                {"WAITING", "waiting"},
                                                {"DEAD", "deadLetters"},
                                                {"GROUP", "groupId"},
                                                {"ADDRESS", "sink"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/event-sinks", .noun = "sinks", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/event-sinks", id, "");
}

enum ctl_exit sink_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "snk", show_one);
}

enum ctl_exit sink_create_run(struct ctl_task *t)
{
    return ctl_create(t, "/event-sinks");
}

enum ctl_exit sink_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/event-sinks");
}

static enum ctl_exit delete_one(struct ctl_task *t, const char *id)
{
    return ctl_delete(t, "/event-sinks", id);
}

enum ctl_exit sink_delete_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "snk", delete_one);
}

static enum ctl_exit post_one(struct ctl_task *t, const char *path, const char *id,
                              const char *after)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", path);
    ctl_request_segment(&r, id);
    text_put(&r.path_w, after);
    return ctl_change(t, &r, NULL);
}

static enum ctl_exit test_one(struct ctl_task *t, const char *id)
{
    return post_one(t, "/event-sinks", id, "/test");
}

enum ctl_exit sink_test_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "snk", test_one);
}

// The only answer that has the secret.
enum ctl_exit sink_secret_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", "/event-sinks");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/secrets");
    return ctl_send_pairs(t, &r, 1, t->args[0]);
}

enum ctl_exit delivery_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"DELIVERY", "id"},         {"SINK", "sinkId"},     {"STATE", "state"},
        {"ATTEMPTS", "attempts"},   {"LAST", "lastStatus"}, {"PROBLEM", "lastProblem"},
        {"HAPPENED", "occurredAt"}, {"TYPE", "type"},       {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/event-deliveries", .noun = "deliveries", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_delivery(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/event-deliveries", id, "");
}

enum ctl_exit delivery_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "dlv", show_delivery);
}

static enum ctl_exit resend_one(struct ctl_task *t, const char *id)
{
    return post_one(t, "/event-deliveries", id, "/resend");
}

enum ctl_exit delivery_resend_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "dlv", resend_one);
}
