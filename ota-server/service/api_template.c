// Profile templates: what a subscription's files hold, with placeholders for the personal values.
// One number is one template in one version, here as on the cards; versions do not change.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/template_size.h"

#include <stdlib.h>

#define FILES_MAX 128
#define CONTENT_MAX 4096

static const char *const statuses[] = {"DRAFT", "PUBLISHED", NULL};

static void put_newest(struct api_exchange *x, const struct document *d);

static const struct api_kind templates = {
    .kind = "template", .prefix = "tpl", .path = "/profile-templates", .more = put_newest};
static const struct api_kind versions = {.kind = "template-version", .prefix = "rec"};

// --- the files of a version ---

static bool is_file_id(const json_t *value)
{
    const size_t len = json_string_length(value);
    const char *text = json_string_value(value);
    bool ok = json_is_string(value) && len >= 4 && len <= 16 && len % 4 == 0;
    for (size_t i = 0; i < len && ok; i++)
        ok = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'F');
    return ok;
}

static void fail_file(struct api_exchange *x, const char *what)
{
    api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("files"), what));
}

// What would bind a card to one operator: a list of forbidden networks, or the files of
// personalisation [31.102 §4.2.16; 22.022 §5]. They must be empty, that is, all F.
static bool locks_out(const char *file_id, struct bytes content)
{
    static const char *const locks[] = {"6F7B", "6F32", "6F2C"};
    const char *last = file_id + strlen(file_id) - 4;
    bool is_lock = false;
    for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
        is_lock = is_lock || strcmp(last, locks[i]) == 0;
    for (size_t i = 0; i < content.len && is_lock; i++) {
        if (content.at[i] != 'F')
            return true;
    }
    return false;
}

static void read_file(struct api_exchange *x, const json_t *file, bool is_published)
{
    static const char *const names[] = {"fileId", "content"};
    struct bytes content = {0};
    const json_t *id = json_object_get(file, "fileId");
    if (!json_is_object(file) || json_unknown(file, names, 2) != NULL || !is_file_id(id)) {
        fail_file(x, "Each has a fileId of 4 to 16 digits 0-9 A-F, and content");
        return;
    }
    if (json_get_text(file, "content", &content) != JSON_FOUND || content.len == 0 ||
        content.len > CONTENT_MAX || !template_content_check(content))
        fail_file(x, "Content is octets in upper-case hexadecimal and known placeholders");
    else if (is_published && locks_out(json_string_value(id), content))
        fail_file(x, "An operator lock cannot be published");
}

static void read_files(struct api_exchange *x, bool is_published)
{
    const json_t *files = api_body_array(&x->body, "files", API_REQUIRED);
    size_t i;
    const json_t *file;
    if (json_array_size(files) > FILES_MAX || (files != NULL && json_array_size(files) == 0))
        fail_file(x, "1 to 128 files");
    json_array_foreach(files, i, file)
    {
        read_file(x, file, is_published);
    }
}

// Members of a version; its number goes into `number`.
static void read_version(struct api_exchange *x, int64_t *number)
{
    *number = api_body_integer(&x->body, "templateId", 1, 254, 0);
    if (!api_body_has(&x->body, "templateId"))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("templateId"),
                                                  "Missing member"));
    const int status = api_body_enum(&x->body, "status", API_OPTIONAL, statuses);
    read_files(x, status == 1);
}

// --- showing ---

static void put_placeholders(struct json_writer *j, const json_t *files)
{
    unsigned set = 0;
    size_t i;
    const json_t *file;
    json_array_foreach(files, i, file)
    {
        struct bytes content = {0};
        if (json_get_text(file, "content", &content) == JSON_FOUND)
            set |= template_placeholders(content);
    }
    api_open_array(j, "placeholders");
    for (unsigned k = 0; k < TEMPLATE_PLACEHOLDERS; k++) {
        if ((set >> k & 1) != 0)
            api_put_text(j, NULL, template_placeholder_name(k));
    }
    json_end_array(j);
}

static void put_version(struct json_writer *j, const struct document *d)
{
    json_t *root = NULL;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return;
    const json_t *files = json_object_get(root, "files");
    char *text = json_dumps(files, JSON_COMPACT);
    api_put_number(j, "templateId",
                   (uint64_t)json_integer_value(json_object_get(root, "templateId")));
    api_put_number(j, "templateVersion", (uint64_t)d->state);
    const char *status = json_string_value(json_object_get(root, "status"));
    api_put_text(j, "status", status != NULL ? status : statuses[0]);
    json_put_key(j, "files");
    json_put_raw(j, bytes_of_text(text != NULL ? text : "[]"));
    put_placeholders(j, files);
    free(text);
    json_decref(root);
}

static bool see_newest(void *context, const struct document *d)
{
    put_version(context, d);
    return false;
}

// A template is shown with its newest version.
static void put_newest(struct api_exchange *x, const struct document *d)
{
    const struct document_filter filter = {.kind = versions.kind,
                                           .owner = x->tenant,
                                           .parent = d->id,
                                           .state = -1,
                                           .is_descending = true};
    const struct store_page one = {.limit = 1};
    if (store_documents(x->reader, &filter, &one, see_newest, &x->json, NULL) != STORE_OK)
        x->out.failed = true; // half an object is none
}

void api_templates_list(struct api_exchange *x)
{
    api_documents_list(x, &templates, 0);
}

void api_template_get(struct api_exchange *x)
{
    api_document_show(x, &templates);
}

static bool show_version(void *context, const struct document *d)
{
    struct api_exchange *x = context;
    json_begin_object(&x->json);
    api_put_id(&x->json, "id", versions.prefix, d->id);
    put_version(&x->json, d);
    api_put_time(&x->json, "createdAt", d->created_at);
    api_put_time(&x->json, "updatedAt", d->changed_at);
    api_put_number(&x->json, "version", d->version);
    json_end_object(&x->json);
    return true;
}

static bool template_is_there(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_capture(x, 0, templates.prefix, &x->object_id))
        return false;
    const bool is_there = api_document_put(x, &templates, x->object_id, &version);
    api_start_answer(x);
    if (!is_there)
        api_refuse_code(x, API_NOT_FOUND);
    return is_there;
}

void api_template_versions_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x) || !template_is_there(x))
        return;
    const struct document_filter filter = {.kind = versions.kind,
                                           .owner = x->tenant,
                                           .parent = x->object_id,
                                           .state = -1,
                                           .is_descending = list.page.is_descending};
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, show_version, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// --- creating ---

struct template_new {
    struct api_object version;
    struct document parent; // the template, when it is new
    char name[24 + API_NAME_MAX];
    uint8_t body[16 + 6 * API_NAME_MAX];
};

static bool open_version(struct api_exchange *x, int64_t number)
{
    struct template_new *n = calloc(1, sizeof(*n));
    x->work = n;
    if (n == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    char digits[24];
    struct writer d = writer_of(digits, sizeof(digits));
    text_decimal(&d, (uint64_t)number);
    n->version.document = (struct document){.kind = versions.kind, .owner = x->tenant};
    // A number is taken once, whatever the template is called.
    api_document_name(&n->version, writer_bytes(&d));
    return api_document_fill(x, &n->version, x->root);
}

static bool see_nothing(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return false;
}

static enum store_status count_versions(struct store *store, const struct document *d,
                                        uint64_t *count)
{
    const struct document_filter filter = {
        .kind = versions.kind, .owner = d->owner, .parent = d->parent, .state = -1};
    const struct store_page one = {.limit = 1};
    return store_documents(store, &filter, &one, see_nothing, NULL, count);
}

// What is in its files is in the version itself, which stays.
static void tell_version(struct api_exchange *x, const struct document *d)
{
    struct writer w = writer_of(x->after, sizeof(x->after));
    text_put(&w, "templateId=");
    text_put(&w, d->name);
    text_put(&w, ", templateVersion=");
    text_decimal(&w, (uint64_t)d->state);
    (void)text_end(&w);
}

static enum store_status insert(struct api_exchange *x, struct store *store, struct utc now)
{
    struct template_new *n = x->work;
    struct document *d = &n->version.document;
    uint64_t count = 0;
    d->id = api_new_id(x);
    d->parent = x->object_id;
    d->created_at = now;
    d->changed_at = now;
    n->parent.created_at = now;
    n->parent.changed_at = now;
    enum store_status status =
        n->parent.kind != NULL ? store_document_put(store, &n->parent) : STORE_OK;
    if (status == STORE_OK)
        status = count_versions(store, d, &count);
    d->state = (int64_t)count + 1;
    if (status == STORE_OK)
        status = store_document_put(store, d);
    tell_version(x, d);
    return status == STORE_OK
               ? api_trail(x, store, "template.version-created", templates.kind, x->object_id, NULL)
               : status;
}

static void reply_template(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &templates, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, templates.path, templates.prefix, x->object_id);
    api_etag(x, version);
    api_reply(x, 201);
}

static void name_template(struct api_exchange *x, struct template_new *n, struct bytes name)
{
    struct writer w = writer_of(n->name, sizeof(n->name));
    text_decimal(&w, x->tenant);
    text_put(&w, "/");
    writer_copy(&w, name);
    struct writer b = writer_of(n->body, sizeof(n->body));
    struct json_writer j = json_writer_of(&b);
    json_begin_object(&j);
    api_put_octets(&j, "name", name);
    json_end_object(&j);
    n->parent = (struct document){.kind = templates.kind,
                                  .id = x->object_id,
                                  .owner = x->tenant,
                                  .name = text_end(&w),
                                  .body = writer_bytes(&b)};
}

void api_templates_post(struct api_exchange *x)
{
    int64_t number = 0;
    const struct bytes name = api_body_text(&x->body, "name", API_REQUIRED, 1, API_NAME_MAX);
    read_version(x, &number);
    if (!api_end_reading(x) || !open_version(x, number))
        return;
    x->object_id = api_new_id(x);
    name_template(x, x->work, name);
    api_commit(x, insert, reply_template);
}

void api_template_versions_post(struct api_exchange *x)
{
    int64_t number = 0;
    read_version(x, &number);
    if (api_end_reading(x) && template_is_there(x) && open_version(x, number))
        api_commit(x, insert, reply_template);
}

// --- estimate ---

static bool read_values(struct api_exchange *x, struct template_values *v)
{
    static const char *const names[] = {"imsi", "iccid", "msisdn", "smsc", "mncLength"};
    const json_t *values = api_body_object(&x->body, "values", API_REQUIRED);
    struct bytes text[4] = {{0}};
    char *const to[] = {v->imsi, v->iccid, v->msisdn, v->smsc};
    static const size_t sizes[] = {IMSI_SIZE, ICCID_SIZE, NUMBER_TEXT_SIZE, NUMBER_TEXT_SIZE};
    bool ok = values == NULL || json_unknown(values, names, 5) == NULL;
    for (size_t i = 0; i < 4 && ok; i++) {
        const enum json_found found = json_get_text(values, names[i], &text[i]);
        ok = (found == JSON_FOUND && text[i].len > 0 && text[i].len < sizes[i] &&
              text_is_digits(text[i])) ||
             (found == JSON_ABSENT && i > 0);
        if (ok && text[i].len > 0)
            bytes_copy(to[i], text[i]);
    }
    int64_t mnc_length = 2;
    const enum json_found found = json_get_integer(values, "mncLength", 2, 3, &mnc_length);
    v->mnc_length = (uint8_t)mnc_length;
    if (!ok || (found != JSON_FOUND && found != JSON_ABSENT) || !imsi_is_valid(v->imsi) ||
        (v->iccid[0] != '\0' && !iccid_is_valid(v->iccid)))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("values"),
                                                  "imsi, and as wanted iccid, msisdn, smsc, "
                                                  "mncLength"));
    return x->body.problem.code == API_OK;
}

struct estimate {
    struct api_exchange *x;
    const struct template_values *values;
    struct template_sizes sizes;
    bool ok;
};

static bool see_sizes(void *context, const struct document *d)
{
    struct estimate *e = context;
    json_t *root = NULL;
    if (json_read(d->body, &root) == JSON_READ_OK)
        e->ok =
            template_sizes_find(json_object_get(root, "files"),
                                (uint8_t)json_integer_value(json_object_get(root, "templateId")),
                                e->values, e->x->api->options.cipher, &e->sizes);
    json_decref(root);
    return false;
}

void api_template_estimate(struct api_exchange *x)
{
    struct template_values values = {0};
    struct estimate e = {.x = x, .values = &values};
    const bool is_read = read_values(x, &values);
    if (!api_end_reading(x) || !is_read || !template_is_there(x))
        return;
    const struct document_filter filter = {.kind = versions.kind,
                                           .owner = x->tenant,
                                           .parent = x->object_id,
                                           .state = -1,
                                           .is_descending = true};
    const struct store_page one = {.limit = 1};
    const enum store_status status = store_documents(x->reader, &filter, &one, see_sizes, &e, NULL);
    if (status != STORE_OK || !e.ok) {
        api_refuse_store(x, status == STORE_OK ? STORE_FAILED : status);
        return;
    }
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_number(j, "commandBytes", e.sizes.command_octets);
    api_put_number(j, "sms", e.sizes.command_sms);
    api_put_number(j, "fullProfileBytes", e.sizes.full_octets);
    api_put_number(j, "fullProfileSms", e.sizes.full_sms);
    json_put_key(j, "savedPercent");
    json_put_fixed(j, (int64_t)template_saved(&e.sizes), 1);
    json_end_object(j);
    api_reply(x, 200);
}
