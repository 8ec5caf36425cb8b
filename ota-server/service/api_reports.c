// Reports: ordered, shown, given as JSON, CSV or HTML, and signed off.
#include "common/base/text.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/report_render.h"

#include <stdlib.h>

#define CHAPTER_MAX 6000 // octets of a text
#define DAY_MS INT64_C(86400000)
#define NUMBERS                                                                                    \
    {                                                                                              \
        "1", "2", "3", "4", "5", "6"                                                               \
    }

static const char *const states[] = {"RUNNING", "ENDED", "FAILED", "SIGNED"};

static void put_status(struct api_exchange *x, const struct document *d)
{
    api_put_text(&x->json, "status", states[d->state]);
}

static const struct api_kind reports = {
    .kind = REPORT_KIND, .prefix = "rpt", .path = "/reports", .more = put_status};

void api_reports_list(struct api_exchange *x)
{
    api_documents_list(x, &reports, 0);
}

void api_report_get(struct api_exchange *x)
{
    api_job_show(x, &reports);
}

// --- orders ------------------------------------------------------------------------------------

static void begin(struct api_exchange *x)
{
    jobs_wake(x->api->jobs);
}

static void reply_order(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &reports, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, reports.path, reports.prefix, x->object_id);
    api_header(x, "Retry-After", "2");
    api_reply(x, 202);
}

static void read_order(struct api_exchange *x, struct report_order *o)
{
    struct api_body *b = &x->body;
    const int type = api_body_enum(b, "type", API_REQUIRED, report_types);
    o->from = api_body_time(b, "from");
    o->to = api_body_time(b, "to");
    o->group = api_body_id(b, "groupId", API_OPTIONAL, "grp");
    (void)api_body_text(b, "province", API_OPTIONAL, 1, REPORT_PROVINCE_MAX);
    o->format = api_body_enum(b, "format", API_OPTIONAL, report_formats);
    api_read_reason(x, API_OPTIONAL);
    o->type = (enum report_type)(type > 0 ? type : 0);
    const struct bytes late = bytes_of_text("to");
    if (!api_body_has(b, "from") || !api_body_has(b, "to"))
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, late, "Both from and to"));
    else if (o->to.ms <= o->from.ms)
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, late, "It must be after from"));
    else if (o->to.ms - o->from.ms > REPORT_DAYS_MAX * DAY_MS)
        api_body_fail(
            b, api_problem_field(API_OUT_OF_RANGE, late, "It must be at most 400 days after from"));
}

static bool is_possible(struct api_exchange *x, const struct report_order *o)
{
    if (o->type == REPORT_IMEI_MISMATCH || o->type == REPORT_BINDING_HISTORY) {
        api_refuse(x, api_problem_reason(API_SERVICE_NOT_APPLICABLE, "NO_BINDINGS",
                                         "This installation keeps no bindings of devices yet: "
                                         "ask for another type"));
        return false;
    }
    if (o->type == REPORT_REGULATOR && !api_operator_only(x))
        return false;
    struct api_object *group = calloc(1, sizeof(*group));
    const bool is_seen =
        o->group == 0 || (group != NULL && api_document_get(x, &api_groups, o->group, group) &&
                          api_owns(x, group->document.owner));
    free(group);
    if (!is_seen)
        api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("groupId"),
                                        "No such group, GET /card-groups lists them"));
    return is_seen;
}

void api_reports_post(struct api_exchange *x)
{
    struct report_order o = {.format = 0};
    read_order(x, &o);
    if (!api_end_reading(x) || !is_possible(x, &o))
        return;
    json_object_del(x->root, "reason"); // which is the trail's
    api_set_time(x->root, "from", o.from);
    api_set_time(x->root, "to", o.to);
    json_object_set_new(x->root, "format",
                        json_string(report_formats[o.format > 0 ? o.format : 0]));
    struct api_object *object = api_document_new(x, &reports, x->tenant, bytes_of(NULL, 0));
    if (object == NULL)
        return;
    object->document.state = JOB_OPEN;
    x->committed = begin;
    api_commit(x, api_document_apply, reply_order);
}

// --- texts and sign-off ------------------------------------------------------------------------

static void reply_report(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &reports, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_etag(x, version);
    api_reply(x, 200);
}

static void read_texts(struct api_exchange *x)
{
    static const char *const numbers[] = NUMBERS;
    struct api_body texts;
    if (!api_body_begin(&x->body, "texts", &texts)) {
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("texts"),
                                                  "Missing member"));
        return;
    }
    for (size_t i = 0; i < REPORT_CHAPTERS; i++)
        (void)api_body_text(&texts, numbers[i], API_OPTIONAL, 0, CHAPTER_MAX);
    api_body_close(&x->body, "texts", &texts);
}

// What the request says of a chapter; the other ones stay.
static void merge_texts(struct api_exchange *x, const struct api_object *object)
{
    json_t *root = NULL;
    if (json_read(object->document.body, &root) != JSON_READ_OK)
        return;
    json_t *texts = json_object_get(root, "texts");
    texts = texts != NULL ? json_incref(texts) : json_object();
    json_object_update(texts, json_object_get(x->root, "texts"));
    json_object_set_new(x->root, "texts", texts);
    json_decref(root);
}

static bool is_type(const struct api_object *object, enum report_type type)
{
    struct report_order o;
    return report_order_read(&object->document, &o) && o.type == type;
}

void api_report_patch(struct api_exchange *x)
{
    read_texts(x);
    api_read_reason(x, API_OPTIONAL);
    struct api_object *object = api_end_reading(x) ? api_document_load(x, &reports) : NULL;
    if (object == NULL || !api_if_match(x, object->document.version))
        return;
    if (!is_type(object, REPORT_REGULATOR)) {
        api_refuse(x, api_problem_reason(API_SERVICE_NOT_APPLICABLE, "NO_TEXTS",
                                         "Only a REGULATOR report has texts: leave them out"));
        return;
    }
    if (object->document.state == REPORT_SIGNED) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The report is signed off: ask for a new one"));
        return;
    }
    merge_texts(x, object);
    if (api_document_merge(x, object))
        api_commit(x, api_document_apply, reply_report);
}

struct content {
    struct api_exchange *x;
    const json_t *report;
    char id[API_ID_SIZE];
    int format; // of report_formats
    bool is_there;
    struct writer *out; // of what is signed
};

static bool see_signed(void *context, const struct document *d)
{
    struct content *c = context;
    struct json_writer j = json_writer_of(c->out);
    report_put_json(&j, c->id, c->report, d->body);
    c->is_there = json_done(&j);
    return false;
}

// The hash of the content as GET gives it in JSON.
static enum store_status hash_content(struct api_exchange *x, struct store *store,
                                      const json_t *report, char hex[65])
{
    uint8_t *octets = malloc(API_ANSWER_MAX);
    uint8_t hash[32];
    struct writer w = writer_of(octets, octets != NULL ? API_ANSWER_MAX : 0);
    struct content c = {.x = x, .report = report, .out = &w};
    const struct cipher *cipher = x->api->options.cipher;
    api_id_write(c.id, reports.prefix, x->object_id);
    enum store_status status = octets == NULL ? STORE_BUSY
                                              : store_document_get(store, REPORT_CONTENT_KIND,
                                                                   x->object_id, see_signed, &c);
    const struct bytes whole = writer_bytes(&w);
    if (status == STORE_OK && (!c.is_there || !cipher->sha256(cipher->context, &whole, 1, hash)))
        status = STORE_FAILED;
    free(octets);
    struct writer text = writer_of(hex, 65);
    text_hex(&text, bytes_of(hash, status == STORE_OK ? sizeof(hash) : 0));
    text_end(&text);
    return status;
}

static enum store_status keep_sign_off(struct api_exchange *x, struct store *store, struct utc now)
{
    struct api_object *object = x->work;
    struct document *d = &object->document;
    char at[UTC_TEXT_SIZE];
    char by[API_ID_SIZE];
    char hex[65];
    json_t *root = NULL;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return STORE_FAILED;
    enum store_status status = hash_content(x, store, root, hex);
    utc_format(now, at);
    api_id_write(by, x->client.is_user ? "usr" : "cli", x->client.id);
    if (json_object_set_new(root, "signedOff",
                            json_pack("{ssssss}", "at", at, "by", by, "sha256", hex)) != 0 &&
        status == STORE_OK)
        status = STORE_FAILED;
    const size_t len = json_dumpb(root, (char *)object->body, sizeof(object->body), JSON_COMPACT);
    json_decref(root);
    if (status != STORE_OK || len == 0 || len > sizeof(object->body))
        return status != STORE_OK ? status : STORE_FAILED;
    d->body = bytes_of(object->body, len);
    d->state = REPORT_SIGNED;
    return api_document_apply(x, store, now); // conflicts when it was changed meanwhile
}

void api_report_sign_off(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    struct api_object *object = api_end_reading(x) ? api_document_load(x, &reports) : NULL;
    if (object == NULL || !api_if_match(x, object->document.version))
        return;
    if (is_type(object, REPORT_REGULATOR) && !api_operator_only(x))
        return;
    if (object->document.state != JOB_ENDED)
        api_refuse(x,
                   api_problem_text(API_INCOMPATIBLE_STATE,
                                    object->document.state == REPORT_SIGNED
                                        ? "The report is signed off: ask for a new one"
                                        : "The report has no content yet: wait until it is ready"));
    else
        api_commit(x, keep_sign_off, reply_report);
}

// --- content -----------------------------------------------------------------------------------

static const char *const types[] = {"application/json", "text/csv", "text/html"};

// The page has its own styles, and loads nothing.
#define REPORT_POLICY                                                                              \
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; base-uri 'none'; "          \
    "form-action 'none'; frame-ancestors 'none'"

static bool see_content(void *context, const struct document *d)
{
    struct content *c = context;
    struct api_exchange *x = c->x;
    json_t *tables = NULL;
    if (c->format == 0) {
        report_put_json(&x->json, c->id, c->report, d->body);
        c->is_there = true;
        return false;
    }
    if (json_read(d->body, &tables) != JSON_READ_OK)
        return false;
    if (c->format == 1)
        report_put_csv(&x->out, c->report, tables);
    else
        report_put_html(&x->out, c->id, c->report, tables);
    json_decref(tables);
    c->is_there = true;
    return false;
}

// The format of the order, if it is accepted; else another one that is; -1: none.
static int format_for(struct api_exchange *x, int wanted)
{
    if (api_accepts(x->request->accept, types[wanted]))
        return wanted;
    for (int i = 0; i < 3; i++) {
        if (api_accepts(x->request->accept, types[i]))
            return i;
    }
    return -1;
}

static void reply_content(struct api_exchange *x, struct content *c)
{
    const enum store_status status =
        store_document_get(x->reader, REPORT_CONTENT_KIND, x->object_id, see_content, c);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (!c->is_there) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (c->format > 0)
        x->type = types[c->format];
    if (c->format == 2) {
        x->policy = REPORT_POLICY;
        api_header(x, "Content-Disposition", "inline; filename=\"report.html\"");
    }
    api_reply(x, 200);
}

void api_report_content(struct api_exchange *x)
{
    struct report_order o;
    json_t *report = NULL;
    struct content c = {.x = x};
    if (format_for(x, 0) < 0) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    struct api_object *object = api_end_reading(x) ? api_document_load(x, &reports) : NULL;
    if (object == NULL)
        return;
    c.format = format_for(x, report_order_read(&object->document, &o) ? o.format : 0);
    api_id_write(c.id, reports.prefix, x->object_id);
    if (object->document.state != JOB_ENDED && object->document.state != REPORT_SIGNED) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The report has no content yet: wait until it is ready"));
    } else if (json_read(object->document.body, &report) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
    } else {
        c.report = report;
        reply_content(x, &c);
    }
    json_decref(report);
}
