// What waits for a second person.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

enum ctl_exit approval_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"APPROVAL", "id"},       {"STATE", "state"},
                                                {"KIND", "kind"},         {"SUMMARY", "summary"},
                                                {"CARD", "cardId"},       {"BY", "requestedBy.id"},
                                                {"EXPIRES", "expiresAt"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/approvals",
                                  .noun = "approvals",
                                  .key = "id",
                                  .sort = "-createdAt",
                                  .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/approvals", id, "");
}

enum ctl_exit approval_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "apr", show_one);
}

// Whoever decides names the hash of what they looked at.
enum ctl_exit approval_decide_run(struct ctl_task *t)
{
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    if (!ctl_has(t, OPTION_HASH))
        return ctl_wrong(t, "--hash is the requestHash that \"approval show\" gives", NULL);
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_HASH, "requestHash");
    ctl_put_text(t, &j, OPTION_REASON, "comment");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "POST", "/approvals");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/");
    text_put(&r.path_w, t->verb->verb);
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, NULL);
}
