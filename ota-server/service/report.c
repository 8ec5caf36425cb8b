#include "ota-server/service/report.h"

#include "common/host/json.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_user.h"

#include <stdlib.h>

const char *const report_types[] = {
    "OPERATIONS",   "FALLBACK",  "BOOTSTRAP", "IMEI_MISMATCH", "BINDING_HISTORY",
    "CARD_WRITERS", "INVENTORY", "IMPORTS",   "REGULATOR",     NULL};
const char *const report_formats[] = {"JSON", "CSV", "HTML", NULL};
const char *const report_chapters[REPORT_CHAPTERS] = {"Development",        "User scale",
                                                      "Application fields", "Security management",
                                                      "Industry chain",     "Problems"};

static int index_of(const json_t *object, const char *name, const char *const *names)
{
    const char *text = json_string_value(json_object_get(object, name));
    for (int i = 0; names[i] != NULL && text != NULL; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
    }
    return 0;
}

bool report_order_read(const struct document *d, struct report_order *o)
{
    json_t *root = NULL;
    struct bytes text = {0};
    *o =
        (struct report_order){.owner = d->owner, .reach = d->owner == AUTH_OPERATOR ? 0 : d->owner};
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    o->type = (enum report_type)index_of(root, "type", report_types);
    o->format = index_of(root, "format", report_formats);
    bool ok = json_get_text(root, "from", &text) == JSON_FOUND && api_read_time(text, &o->from) &&
              json_get_text(root, "to", &text) == JSON_FOUND && api_read_time(text, &o->to);
    if (json_get_text(root, "groupId", &text) == JSON_FOUND)
        ok = ok && api_id_read(text, "grp", &o->group);
    if (json_get_text(root, "province", &text) == JSON_FOUND && text.len <= REPORT_PROVINCE_MAX)
        bytes_copy(o->province, text);
    json_decref(root);
    return ok;
}

static struct report_work *begin(const struct document *d)
{
    struct report_work *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    if (!report_order_read(d, &r->order)) {
        free(r);
        return NULL;
    }
    r->is_limited = r->order.group != 0 || r->order.province[0] != '\0';
    if (r->order.group != 0 && r->order.province[0] == '\0')
        r->groups[r->group_count++] = r->order.group;
    r->w = writer_of(r->octets, sizeof(r->octets));
    r->j = json_writer_of(&r->w);
    json_begin_array(&r->j);
    return r;
}

static enum store_status finish(struct report_work *r, struct job *job)
{
    json_end_array(&r->j);
    const struct document content = {.kind = REPORT_CONTENT_KIND,
                                     .id = job->document.id,
                                     .owner = r->order.owner,
                                     .created_at = job->now,
                                     .changed_at = job->now,
                                     .body = writer_bytes(&r->w)};
    job->is_done = true;
    return json_done(&r->j) ? store_document_put(job->store, &content) : STORE_FAILED;
}

enum store_status report_step(void *context, struct job *job)
{
    struct report_work *r = *job->memory;
    enum store_status status = STORE_OK;
    (void)context;
    if (r == NULL)
        r = begin(&job->document);
    if (r == NULL)
        return STORE_FAILED;
    *job->memory = r;
    while (r->table < report_table_count &&
           (report_tables[r->table].types >> r->order.type & 1) == 0)
        r->table++;
    if (r->table == report_table_count)
        return finish(r, job);
    if (report_tables[r->table].run(r, job->store, job->now, &status) && status == STORE_OK) {
        r->table++;
        r->after = 0;
        r->part = 0;
    }
    return status;
}
