// Lists of cards as files, for targets of campaigns and moves.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <errno.h>

enum ctl_exit upload_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"UPLOAD", "id"},
                                                {"LINES", "lines"},
                                                {"CREATED", "createdAt"},
                                                {"EXPIRES", "expiresAt"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {.path = "/uploads",
                                  .noun = "uploads",
                                  .key = "id",
                                  .sort = "-createdAt",
                                  .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit upload_add_run(struct ctl_task *t)
{
    struct ctl_request r;
    FILE *file = ctl_open_upload(t->args[0]);
    if (file == NULL) {
        fprintf(stderr, "otactl: %s: %s\n", t->args[0], strerror(errno));
        return CTL_WRONG_USE;
    }
    ctl_request_init(&r, "POST", "/uploads");
    r.type = "text/csv";
    r.upload = file;
    const enum ctl_exit exit = ctl_change(t, &r, NULL);
    (void)fclose(file);
    return exit;
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/uploads", id, "");
}

enum ctl_exit upload_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "upl", show_one);
}

static enum ctl_exit delete_one(struct ctl_task *t, const char *id)
{
    return ctl_delete(t, "/uploads", id);
}

enum ctl_exit upload_delete_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "upl", delete_one);
}
