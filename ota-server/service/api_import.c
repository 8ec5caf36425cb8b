// Imports of vendor files, the profiles that read them, and the transport keys that open them.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/import_registry.h"

#include <stdio.h>
#include <stdlib.h>

#define DOCUMENT_MAX (512 * 1024)
#define KEY_LEN 16

// --- documents shown as they are kept ---

struct shown {
    struct api_exchange *x;
    const char *prefix;
    bool is_ours;
};

static void put_shown(struct api_exchange *x, const struct document *d, const char *prefix)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_id(j, "id", prefix, d->id);
    if (strcmp(d->kind, "transport-key") == 0)
        api_put_number(j, "index", d->parent);
    else if (strcmp(d->kind, "vendor-profile") == 0)
        api_put_text(j, "vendor", d->name);
    if (strcmp(d->kind, "transport-key") != 0) {
        json_put_key(j, "content");
        json_put_raw(j, d->body);
    }
    api_put_time(j, "createdAt", d->created_at);
    api_put_time(j, "updatedAt", d->changed_at);
    api_put_number(j, "version", d->version);
    json_end_object(j);
}

static bool show_one(void *context, const struct document *d)
{
    struct shown *s = context;
    s->is_ours = d->owner == s->x->tenant;
    if (s->is_ours && strcmp(d->kind, "import") == 0)
        writer_copy(&s->x->out, d->body);
    else if (s->is_ours)
        put_shown(s->x, d, s->prefix);
    return false;
}

static bool show_row(void *context, const struct document *d)
{
    struct shown *s = context;
    if (strcmp(d->kind, "import") == 0)
        json_put_raw(&s->x->json, d->body);
    else
        put_shown(s->x, d, s->prefix);
    return true;
}

static void get_document(struct api_exchange *x, const char *kind, const char *prefix)
{
    struct shown shown = {.x = x, .prefix = prefix};
    if (!api_end_reading(x) || !api_capture(x, 0, prefix, &x->object_id))
        return;
    const enum store_status status =
        store_document_get(x->reader, kind, x->object_id, show_one, &shown);
    if (status == STORE_OK && shown.is_ours)
        api_reply(x, 200);
    else
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
}

static void list_documents(struct api_exchange *x, const char *kind, const char *prefix)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    struct shown shown = {.x = x, .prefix = prefix};
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    const struct document_filter filter = {
        .kind = kind, .owner = x->tenant, .state = -1, .is_descending = list.page.is_descending};
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, show_row, &shown, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

static void reply_created(struct api_exchange *x, const char *path, const char *prefix)
{
    struct shown shown = {.x = x, .prefix = prefix};
    if (store_document_get(x->reader, x->document.kind, x->object_id, show_one, &shown) !=
        STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, path, prefix, x->object_id);
    api_reply(x, 201);
}

// --- vendor profiles ---

struct kept_profile {
    char vendor[PROFILE_WORD_SIZE];
    uint8_t body[PROFILE_JSON_MAX];
    size_t len;
};

static enum store_status insert_profile(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct kept_profile *kept = x->work;
    x->document.id = x->object_id;
    x->document.owner = x->tenant;
    x->document.name = kept->vendor;
    x->document.created_at = now;
    x->document.changed_at = now;
    x->document.body = bytes_of(kept->body, kept->len);
    const enum store_status status = store_document_put(store, &x->document);
    return status == STORE_OK
               ? api_trail(x, store, "vendor-profile.created", "vendor-profile", x->object_id, NULL)
               : status;
}

static void reply_profile(struct api_exchange *x)
{
    reply_created(x, "/vendor-profiles", "rec");
}

void api_vendor_profiles_post(struct api_exchange *x)
{
    char error[PROFILE_ERROR_SIZE];
    const struct api_problem p = api_query_end(&x->query);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    // The profile's own reader is as strict as ours and says what is wrong.
    struct vendor_profile *profile = profile_open(x->request->body, error);
    struct kept_profile *kept = calloc(1, sizeof(*kept));
    x->work = kept;
    if (profile == NULL || kept == NULL) {
        profile_close(profile);
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT, kept == NULL ? "" : error));
        return;
    }
    memcpy(kept->vendor, profile->vendor, sizeof(kept->vendor));
    profile_close(profile);
    memcpy(kept->body, x->request->body.at, x->request->body.len); // at most PROFILE_JSON_MAX
    kept->len = x->request->body.len;
    x->document.kind = "vendor-profile";
    x->object_id = api_new_id(x);
    api_commit(x, insert_profile, reply_profile);
}

void api_vendor_profiles_list(struct api_exchange *x)
{
    list_documents(x, "vendor-profile", "rec");
}

void api_vendor_profile_get(struct api_exchange *x)
{
    get_document(x, "vendor-profile", "rec");
}

// --- transport keys ---

struct import_work {
    struct import_target target;
    struct secret_key key;
    uint8_t index;
    char vendor[PROFILE_WORD_SIZE];
    bool is_partial, is_dry;
    uint64_t quantity;
    FILE *file;
    struct vendor_profile *profile;
    uint8_t document[DOCUMENT_MAX];
};

static void close_import(void *work)
{
    struct import_work *w = work;
    profile_close(w->profile);
    if (w->file != NULL)
        (void)fclose(w->file);
    secret_wipe(&w->key, sizeof(w->key));
}

static struct import_work *open_work(struct api_exchange *x)
{
    struct import_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL || x->api->options.cipher == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    x->close_work = close_import;
    w->target = (struct import_target){.turn = x->api->options.turn,
                                       .cipher = x->api->options.cipher,
                                       .crypto = x->api->crypto,
                                       .key = &x->api->options.client_key,
                                       .tenant = x->tenant,
                                       .now = x->now.utc};
    return w;
}

// The key is the sum of its components, each of which alone tells nothing.
static bool add_component(const json_t *text, struct secret_key *key)
{
    uint8_t octets[KEY_LEN];
    struct writer w = writer_of(octets, sizeof(octets));
    const bool ok = json_is_string(text) &&
                    text_unhex(bytes_of(json_string_value(text), json_string_length(text)), &w) &&
                    w.len == KEY_LEN;
    for (size_t i = 0; ok && i < KEY_LEN; i++)
        key->octets[i] ^= octets[i];
    secret_wipe(octets, sizeof(octets));
    return ok;
}

static enum store_status insert_key(struct api_exchange *x, struct store *store, struct utc now)
{
    struct import_work *w = x->work;
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    (void)now;
    if (!x->api->options.fill(x->api->options.fill_context, nonce, sizeof(nonce)))
        return STORE_FAILED;
    w->target.store = store;
    const enum store_status status = import_transport_key_put(&w->target, w->index, &w->key, nonce);
    secret_wipe(&w->key, sizeof(w->key));
    return status == STORE_OK
               ? api_trail(x, store, "transport-key.loaded", "transport-key", w->index, NULL)
               : status;
}

static void reply_key(struct api_exchange *x)
{
    const struct import_work *w = x->work;
    json_begin_object(&x->json);
    api_put_number(&x->json, "index", w->index);
    json_end_object(&x->json);
    api_reply(x, 201);
}

void api_transport_keys_post(struct api_exchange *x)
{
    static const char *const algorithms[] = {"AES128-CBC", NULL};
    const int64_t index = api_body_integer(&x->body, "index", 1, 99, 0);
    (void)api_body_enum(&x->body, "algorithm", API_REQUIRED, algorithms);
    const json_t *components = api_body_array(&x->body, "components", API_REQUIRED);
    if (index == 0 || json_array_size(components) < 2 || json_array_size(components) > 8)
        api_body_fail(&x->body, api_problem_text(API_INVALID_ARGUMENT,
                                                 "An index and 2 to 8 components are needed"));
    // Components come from different people; in one call only where one person is all there is.
    if (!api_end_reading(x) || !api_four_eyes(x))
        return;
    struct import_work *w = open_work(x);
    if (w == NULL)
        return;
    w->index = (uint8_t)index;
    w->key.len = KEY_LEN;
    for (size_t i = 0; i < json_array_size(components); i++) {
        if (!add_component(json_array_get(components, i), &w->key)) {
            api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("components"),
                                            "Not 32 hexadecimal digits"));
            return;
        }
    }
    api_commit(x, insert_key, reply_key);
}

void api_transport_keys_list(struct api_exchange *x)
{
    list_documents(x, "transport-key", "rec");
}

// --- imports ---

static bool read_file(void *context, uint8_t *at, size_t cap, size_t *got)
{
    struct import_work *w = context;
    *got = fread(at, 1, cap, w->file);
    return ferror(w->file) == 0;
}

static bool rewind_file(void *context)
{
    struct import_work *w = context;
    return fseek(w->file, 0, SEEK_SET) == 0;
}

static void put_findings(struct json_writer *j, const struct findings *findings)
{
    api_open_array(j, "findings");
    // What fits into the document; the counts by code are complete.
    const size_t shown = findings->listed_count < 1000 ? findings->listed_count : 1000;
    for (size_t i = 0; i < shown; i++) {
        const struct finding *f = &findings->listed[i];
        json_begin_object(j);
        api_put_text(j, "code", finding_code_shown(f->code));
        api_put_text(j, "level", finding_level_name(f->level));
        api_put_number(j, "line", f->line);
        if (f->field[0] != '\0')
            api_put_text(j, "field", f->field);
        api_put_text(j, "text", f->text);
        json_end_object(j);
    }
    json_end_array(j);
    api_open_object(j, "byCode");
    for (unsigned i = 0; i < FINDING_CODES; i++) {
        if (findings->by_code[i] > 0)
            api_put_number(j, finding_code_name((enum finding_code)i), findings->by_code[i]);
    }
    json_end_object(j);
}

static size_t write_import(struct api_exchange *x, struct import_work *w,
                           const struct import_report *report)
{
    struct writer out = writer_of(w->document, sizeof(w->document));
    struct json_writer j = json_writer_of(&out);
    json_begin_object(&j);
    api_put_id(&j, "id", "imp", x->object_id);
    api_put_text(&j, "status", "ENDED");
    api_put_text(&j, "outcome", import_outcome_name(report->outcome));
    api_put_hex(&j, "sha256", bytes_of(report->sha256, sizeof(report->sha256)));
    if (report->layout != VENDOR_LAYOUT_UNKNOWN)
        api_put_text(&j, "layout", vendor_layout_name(report->layout));
    api_put_text(&j, "vendor", w->vendor);
    if (report->header.batch[0] != '\0')
        api_put_text(&j, "batch", report->header.batch);
    if (report->first_import[0] != '\0')
        api_put_text(&j, "firstImportId", report->first_import);
    api_put_bool(&j, "dryRun", w->is_dry);
    api_put_number(&j, "records", report->records);
    api_put_number(&j, "loaded", report->loaded);
    api_put_number(&j, "unchanged", report->unchanged);
    api_put_number(&j, "quarantined", report->quarantined);
    api_put_number(&j, "warnings", report->findings.by_level[FINDING_WARNING]);
    put_findings(&j, &report->findings);
    api_put_time(&j, "createdAt", x->now.utc);
    api_put_time(&j, "updatedAt", x->now.utc);
    api_put_number(&j, "version", 1);
    json_end_object(&j);
    return json_done(&j) ? out.len : 0;
}

static enum store_status keep_import(struct api_exchange *x, struct import_work *w,
                                     const struct import_report *report)
{
    const size_t len = write_import(x, w, report);
    const struct document d = {
        .kind = "import",
        .id = x->object_id,
        .owner = x->tenant,
        .created_at = x->now.utc,
        .changed_at = x->now.utc,
        .body = bytes_of(w->document, len),
    };
    enum store_status status = len > 0 ? store_document_put(w->target.store, &d) : STORE_FAILED;
    const bool is_loaded =
        report->outcome == REPORT_IMPORTED || report->outcome == REPORT_IMPORTED_IN_PART;
    if (status == STORE_OK && is_loaded)
        status = import_file_put(&w->target, report->sha256);
    return status == STORE_OK
               ? api_trail(x, w->target.store, "import.ended", "import", x->object_id, NULL)
               : status;
}

static enum store_status run_import(struct api_exchange *x, struct store *store, struct utc now)
{
    struct import_work *w = x->work;
    (void)now;
    w->target.store = store;
    w->target.import = x->object_id;
    const struct import_options options = {
        .file = {.profile = w->profile,
                 .cipher = w->target.cipher,
                 .digest = x->api->options.digest,
                 .kind = w->target.pool != 0 ? VENDOR_POOL : VENDOR_CARDS,
                 .quantity = w->quantity,
                 .context = &w->target,
                 .transport_key = import_transport_key},
        .registry = import_registry_of(&w->target),
        .is_dry_run = w->is_dry,
        .is_partial = w->is_partial,
        .is_lab = x->api->options.single_person,
        .fingerprint_key = x->api->options.client_key,
    };
    const struct vendor_source source = {.context = w, .read = read_file, .rewind = rewind_file};
    struct import_report *report = calloc(1, sizeof(*report));
    enum store_status status = STORE_FAILED;
    if (report != NULL && import_run(&options, &source, report) == IMPORT_DONE)
        status = keep_import(x, w, report);
    if (report != NULL)
        import_report_close(report);
    free(report);
    return status;
}

static void reply_import(struct api_exchange *x)
{
    struct shown shown = {.x = x};
    if (store_document_get(x->reader, "import", x->object_id, show_one, &shown) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, "/batch-imports", "imp", x->object_id);
    x->type = "application/json";
    api_reply(x, 202);
}

static bool open_profile(void *context, const struct document *d)
{
    struct import_work *w = context;
    char error[PROFILE_ERROR_SIZE];
    if (d->owner == w->target.tenant)
        w->profile = profile_open(d->body, error);
    return false;
}

static bool read_query(struct api_exchange *x, struct import_work *w)
{
    static const char *const kinds[] = {"CARDS", "SUBSCRIPTIONS", NULL};
    struct bytes text = {0};
    int kind = 0;
    struct api_problem p = api_query_enum(&x->query, "kind", kinds, &kind);
    if (p.code == API_OK)
        p = api_query_bool(&x->query, "partial", &w->is_partial);
    if (p.code == API_OK)
        p = api_query_number(&x->query, "quantity", &w->quantity);
    if (p.code == API_OK && (!api_query_take(&x->query, "vendorProfile", &text) || text.len == 0 ||
                             text.len >= sizeof(w->vendor)))
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("vendorProfile"), "Missing");
    memcpy(w->vendor, text.at, p.code == API_OK ? text.len : 0);
    if (p.code == API_OK && kind == 1 &&
        (!api_query_take(&x->query, "poolId", &text) ||
         !api_id_read(text, "pol", &w->target.pool) || !api_pool_visible(x, w->target.pool)))
        p = api_problem_field(API_NOT_FOUND, bytes_of_text("poolId"), "No such pool");
    if (p.code == API_OK)
        return api_end_reading(x);
    api_refuse(x, p);
    return false;
}

static FILE *open_upload(const struct api_exchange *x)
{
    if (x->request->upload != NULL)
        return fopen(x->request->upload, "rb");
    // A small file may stand in memory.
    const struct bytes body = x->request->body;
    FILE *file = tmpfile();
    if (file == NULL || fwrite(body.at, 1, body.len, file) == body.len)
        return file;
    (void)fclose(file);
    return NULL;
}

void api_imports_post(struct api_exchange *x)
{
    struct import_work *w = open_work(x);
    if (w == NULL || !read_query(x, w))
        return;
    if (store_document_named(x->reader, "vendor-profile", w->vendor, open_profile, w) != STORE_OK ||
        w->profile == NULL) {
        api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("vendorProfile"),
                                        "No such vendor profile"));
        return;
    }
    w->file = open_upload(x);
    if (w->file == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    // A dry run is a job of its own, which is kept.
    w->is_dry = x->is_dry_run;
    x->is_dry_run = false;
    x->object_id = api_new_id(x);
    api_commit(x, run_import, reply_import);
}

void api_imports_list(struct api_exchange *x)
{
    list_documents(x, "import", "imp");
}

void api_import_get(struct api_exchange *x)
{
    x->type = "application/json";
    get_document(x, "import", "imp");
}

// --- report ---

static bool put_report(void *context, const struct document *d)
{
    struct shown *s = context;
    json_t *root = NULL;
    const json_t *findings = NULL;
    s->is_ours = d->owner == s->x->tenant && json_read(d->body, &root) == JSON_READ_OK &&
                 json_get_array(root, "findings", &findings) == JSON_FOUND;
    if (s->is_ours) {
        struct api_list *list = s->x->work;
        list->total = json_array_size(findings);
        api_list_open(s->x);
        for (size_t i = 0; i < list->window.limit && list->window.offset + i < list->total; i++) {
            char text[1024];
            const size_t len = json_dumpb(json_array_get(findings, list->window.offset + i), text,
                                          sizeof(text), JSON_COMPACT);
            if (len <= sizeof(text))
                json_put_raw(&s->x->json, bytes_of(text, len));
        }
    }
    json_decref(root);
    return false;
}

void api_import_report(struct api_exchange *x)
{
    static const char *const fields[] = {"line", NULL};
    struct shown shown = {.x = x};
    struct api_list *list = calloc(1, sizeof(*list));
    x->work = list;
    if (list == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (!api_list_begin(x, list, fields) || !api_end_reading(x) ||
        !api_capture(x, 0, "imp", &x->object_id))
        return;
    const enum store_status status =
        store_document_get(x->reader, "import", x->object_id, put_report, &shown);
    if (status == STORE_OK && shown.is_ours)
        api_list_end(x, list);
    else
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
}
