// What is wrong now, and was.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

enum ctl_exit alarm_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"ALARM", "id"},      {"KEY", "key"},       {"SEVERITY", "severity"},
        {"STATE", "state"},   {"OBJECT", "object"}, {"COUNT", "count"},
        {"FIRST", "firstAt"}, {"LAST", "lastAt"},   {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/alarms", .noun = "alarms", .key = "id", .sort = "-createdAt", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/alarms", id, "");
}

enum ctl_exit alarm_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "alm", show_one);
}

static enum ctl_exit acknowledge_one(struct ctl_task *t, const char *id)
{
    return ctl_act(t, "/alarms", id, "acknowledge", NULL);
}

enum ctl_exit alarm_acknowledge_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "alm", acknowledge_one);
}
