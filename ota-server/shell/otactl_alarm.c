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
        .path = "/alarms", .noun = "alarms", .key = "id", .columns = columns};
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
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "POST", "/alarms");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/acknowledge");
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, NULL);
}

enum ctl_exit alarm_acknowledge_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "alm", acknowledge_one);
}
