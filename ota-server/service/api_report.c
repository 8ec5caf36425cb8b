// The findings of an import, and what it held back.
#include "common/base/text.h"
#include "ota-server/service/api_csv.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/import_report.h"

#include <stdlib.h>

#define ITEM_MAX 1024

struct report {
    struct api_exchange *x;
    struct api_list list;
    uint64_t at; // of the next finding
    bool is_ours, is_csv, is_dropped;
    bool is_quarantine;
    struct document changed; // the import without what it held back
    char body[IMPORT_DOCUMENT_MAX];
};

static bool see_import(void *context, const struct document *d)
{
    struct report *r = context;
    json_t *root = NULL;
    r->is_ours = api_owns(r->x, d->owner) && json_read(d->body, &root) == JSON_READ_OK;
    if (r->is_ours) {
        r->is_dropped = json_is_true(json_object_get(root, "quarantineDropped"));
        (void)json_object_set_new(root, "quarantineDropped", json_true());
        (void)json_object_set_new(root, "version", json_integer((json_int_t)d->version + 1));
        const size_t len = json_dumpb(root, r->body, sizeof(r->body), JSON_COMPACT);
        r->changed = *d;
        r->changed.kind = IMPORT_KIND;
        r->changed.name = NULL;
        r->changed.body = bytes_of(r->body, len <= sizeof(r->body) ? len : 0);
    }
    json_decref(root);
    return false;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void put_line(struct writer *out, const json_t *finding)
{
    struct csv c = csv_of(out);
    csv_text(&c, text_of(finding, "code"));
    csv_text(&c, text_of(finding, "level"));
    csv_number(&c, (uint64_t)json_integer_value(json_object_get(finding, "line")));
    csv_text(&c, text_of(finding, "field"));
    csv_text(&c, text_of(finding, "text"));
    csv_end(&c);
}

static void put_item(struct report *r, const json_t *finding)
{
    char text[ITEM_MAX];
    if (r->is_csv) {
        put_line(&r->x->out, finding);
        return;
    }
    const size_t len = json_dumpb(finding, text, sizeof(text), JSON_COMPACT);
    if (len <= sizeof(text))
        json_put_raw(&r->x->json, bytes_of(text, len));
}

// What holds a record back has level R.
static bool is_wanted(const struct report *r, const json_t *finding)
{
    return !r->is_quarantine || strcmp(text_of(finding, "level"), "R") == 0;
}

static bool put_page(void *context, const struct document *d)
{
    struct report *r = context;
    const struct store_page *w = &r->list.window;
    json_t *root = NULL;
    if (!r->is_quarantine)
        r->list.total = (uint64_t)d->state;
    const bool ok = json_read(d->body, &root) == JSON_READ_OK;
    for (size_t i = 0; ok && i < json_array_size(root); i++) {
        const json_t *finding = json_array_get(root, i);
        if (!is_wanted(r, finding))
            continue;
        if (r->at >= w->offset && r->at - w->offset < w->limit)
            put_item(r, finding);
        r->at++;
    }
    json_decref(root);
    return true;
}

static void end_csv(struct report *r)
{
    struct api_exchange *x = r->x;
    char count[24];
    struct writer w = writer_of(count, sizeof(count));
    text_decimal(&w, r->list.total);
    api_header(x, "X-Total-Count", text_end(&w));
    x->type = "text/csv";
    api_reply(x, 200);
}

// NULL: refused.
static struct report *open_report(struct api_exchange *x)
{
    struct report *r = calloc(1, sizeof(*r));
    x->work = r;
    if (r == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    r->x = x;
    return r;
}

static bool find_import(struct api_exchange *x, struct report *r)
{
    if (!api_capture(x, 0, "imp", &x->object_id))
        return false;
    const enum store_status status =
        store_document_get(x->reader, IMPORT_KIND, x->object_id, see_import, r);
    if (status == STORE_OK && r->is_ours)
        return true;
    api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    return false;
}

static void show(struct api_exchange *x, struct report *r)
{
    static const char *const fields[] = {"line", NULL};
    if (!api_list_begin(x, &r->list, fields) || !api_end_reading(x) || !find_import(x, r))
        return;
    const struct document_filter pages = {.kind = IMPORT_FINDINGS_KIND,
                                          .owner = r->changed.owner,
                                          .parent = x->object_id,
                                          .state = -1};
    // A page of the answer touches two of those that are kept; what is held back is looked for.
    struct store_page window = {.limit = 500};
    if (!r->is_quarantine) {
        window = (struct store_page){.offset = r->list.window.offset / IMPORT_PAGE, .limit = 2};
        r->at = window.offset * IMPORT_PAGE;
    }
    if (r->is_csv)
        text_put(&x->out, "code,level,line,field,text\r\n");
    else
        api_list_open(x);
    const enum store_status status =
        r->is_quarantine && r->is_dropped
            ? STORE_OK
            : store_documents(x->reader, &pages, &window, put_page, r, NULL);
    if (r->is_quarantine)
        r->list.total = r->at;
    if (status != STORE_OK)
        api_refuse_store(x, status);
    else if (r->is_csv)
        end_csv(r);
    else
        api_list_end(x, &r->list);
}

void api_import_report(struct api_exchange *x)
{
    const struct bytes accept = x->request->accept;
    const bool takes_json = api_accepts(accept, "application/json");
    struct report *r = open_report(x);
    if (r == NULL)
        return;
    r->is_csv = !takes_json && api_accepts(accept, "text/csv");
    if (!takes_json && !r->is_csv)
        api_refuse_code(x, API_NOT_ACCEPTABLE);
    else
        show(x, r);
}

void api_quarantine_list(struct api_exchange *x)
{
    struct report *r = open_report(x);
    if (r == NULL)
        return;
    r->is_quarantine = true;
    show(x, r);
}

static enum store_status drop(struct api_exchange *x, struct store *store, struct utc now)
{
    struct report *r = x->work;
    r->changed.changed_at = now;
    const enum store_status status = store_document_put(store, &r->changed);
    return status == STORE_OK
               ? api_trail(x, store, "import.quarantine-dropped", "import", x->object_id, NULL)
               : status;
}

static void reply_dropped(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

void api_quarantine_delete(struct api_exchange *x)
{
    struct report *r = open_report(x);
    api_read_reason(x, API_OPTIONAL);
    if (r == NULL || !api_end_reading(x) || !find_import(x, r))
        return;
    if (r->changed.state == IMPORT_OPEN)
        api_refuse_code(x, API_INCOMPATIBLE_STATE);
    else
        api_commit(x, drop, reply_dropped);
}
