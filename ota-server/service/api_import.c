// Imports of vendor files: ordered here, carried out by import_job.h.
#include "common/base/text.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/import_body.h"
#include "ota-server/service/import_job.h"

#include <stdlib.h>

// --- ordering ---

struct import_work {
    struct import_jobs *jobs;
    struct import_order order;
    struct vendor_profile *profile;
    FILE *file;
    bool has_seat;
    uint8_t document[IMPORT_DOCUMENT_MAX];
};

static void close_import(void *work)
{
    struct import_work *w = work;
    if (w->has_seat) {
        import_jobs_drop(w->jobs, w->order.import); // unless it was started
        return;
    }
    profile_close(w->profile);
    if (w->file != NULL)
        (void)fclose(w->file);
}

static struct import_work *open_work(struct api_exchange *x)
{
    struct import_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL || x->api->options.imports == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    x->close_work = close_import;
    w->jobs = x->api->options.imports;
    w->order = (struct import_order){.import = api_new_id(x),
                                     .tenant = x->tenant,
                                     .actor = api_actor(x),
                                     .correlator = x->correlator_id,
                                     .created_at = x->now.utc};
    struct writer address = writer_of(w->order.address, sizeof(w->order.address));
    text_put(&address, x->request->peer);
    text_end(&address);
    return w;
}

// What a file would have after "Batch:".
static struct api_problem read_batch(struct api_exchange *x, struct import_order *o)
{
    struct bytes text = {0};
    if (!api_query_take(&x->query, "batch", &text))
        return api_problem_of(API_OK);
    bool is_good = text.len > 0 && text.len < sizeof(o->batch);
    for (size_t i = 0; i < text.len && is_good; i++)
        is_good = text.at[i] > 0x20 && text.at[i] < 0x7F;
    if (!is_good)
        return api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("batch"),
                                 "1 to 63 printable characters without spaces");
    bytes_copy(o->batch, text);
    return api_problem_of(API_OK);
}

static struct api_problem read_how(struct api_exchange *x, struct import_order *o)
{
    struct api_problem p = api_query_bool(&x->query, "partial", &o->is_partial);
    if (p.code == API_OK)
        p = api_query_number(&x->query, "quantity", &o->quantity);
    if (p.code == API_OK && o->is_update && o->is_partial)
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("partial"),
                              "An update takes the whole file: leave out what has findings");
    if (p.code == API_OK)
        p = api_take_reason(x);
    return p.code == API_OK ? read_batch(x, o) : p;
}

static bool read_query(struct api_exchange *x, struct import_work *w)
{
    static const char *const kinds[] = {"CARDS", "SUBSCRIPTIONS", NULL};
    struct import_order *o = &w->order;
    struct bytes text = {0};
    int kind = 0;
    struct api_problem p = api_query_enum(&x->query, "kind", kinds, &kind);
    if (p.code == API_OK)
        p = api_query_bool(&x->query, "update", &o->is_update);
    if (p.code == API_OK && o->is_update && kind == 1)
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("update"),
                              "Cards are updated; correct subscriptions of a pool one by one");
    if (p.code == API_OK)
        p = read_how(x, o);
    if (p.code == API_OK && (!api_query_take(&x->query, "vendorProfile", &text) || text.len == 0 ||
                             text.len >= sizeof(o->vendor)))
        p = api_problem_field(
            API_INVALID_ARGUMENT, bytes_of_text("vendorProfile"),
            "It must be the name of a vendor profile, GET /vendor-profiles lists them");
    if (p.code == API_OK)
        bytes_copy(o->vendor, text);
    if (p.code == API_OK && kind == 1 &&
        (!api_query_take(&x->query, "poolId", &text) || !api_id_read(text, "pol", &o->pool) ||
         !api_pool_visible(x, o->pool, 0)))
        p = api_problem_field(API_NOT_FOUND, bytes_of_text("poolId"),
                              "No such pool, GET /subscription-pools lists them");
    if (p.code == API_OK)
        return api_end_reading(x);
    api_refuse(x, p);
    return false;
}

static bool open_upload(struct api_exchange *x, struct import_work *w, uint8_t sha256[32])
{
    const struct cipher *cipher = x->api->options.cipher;
    const struct bytes body = x->request->body;
    if (x->request->upload != NULL) {
        memcpy(sha256, x->request->upload_sha256, 32);
        w->file = fopen(x->request->upload, "rb");
        return w->file != NULL;
    }
    // A small file may stand in memory.
    w->file = tmpfile();
    return w->file != NULL && fwrite(body.at, 1, body.len, w->file) == body.len &&
           fseek(w->file, 0, SEEK_SET) == 0 && cipher->sha256(cipher->context, &body, 1, sha256);
}

static void put_state(struct writer *out, struct api_exchange *x, const struct import_order *order)
{
    struct import_state state = {.status = "UPLOADED", .at = x->now.utc};
    (void)import_jobs_state(x->api->options.imports, order->import, &state);
    state.at = x->now.utc;
    import_document_write(out, order, &state);
}

static enum store_status insert_import(struct api_exchange *x, struct store *store, struct utc now)
{
    struct import_work *w = x->work;
    struct writer out = writer_of(w->document, sizeof(w->document));
    put_state(&out, x, &w->order);
    const struct document d = {.kind = IMPORT_KIND,
                               .id = w->order.import,
                               .owner = w->order.tenant,
                               .state = IMPORT_OPEN,
                               .created_at = now,
                               .changed_at = now,
                               .body = writer_bytes(&out)};
    enum store_status status =
        out.failed ? STORE_FAILED : api_difference_begin(x, store, IMPORT_KIND, d.id, NULL);
    if (status == STORE_OK)
        status = store_document_put(store, &d);
    if (status == STORE_OK)
        status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status == STORE_OK
               ? api_trail(x, store, "import.ordered", "import", w->order.import, NULL)
               : status;
}

static void start_import(struct api_exchange *x)
{
    const struct import_work *w = x->work;
    import_jobs_start(w->jobs, w->order.import);
}

static void reply_import(struct api_exchange *x)
{
    const struct import_work *w = x->work;
    put_state(&x->out, x, &w->order);
    api_location(x, "/batch-imports", "imp", w->order.import);
    x->type = "application/json";
    api_reply(x, 202);
}

static bool take_seat(struct api_exchange *x, struct import_work *w, const uint8_t sha256[32])
{
    switch (import_jobs_add(w->jobs, &w->order, sha256, w->file, w->profile)) {
    case SEAT_TAKEN:
        w->has_seat = true;
        return true;
    case SEAT_BUSY:
        api_refuse(x, api_problem_reason(API_ABORTED, "IMP-120",
                                         "This file is being imported: wait for its end"));
        return false;
    case SEAT_NONE:
        break;
    }
    api_refuse_code(x, API_UNAVAILABLE);
    return false;
}

static bool open_profile(struct api_exchange *x, struct import_work *w)
{
    const enum store_status status =
        import_profile_open(x->reader, w->order.tenant, w->order.vendor, &w->profile);
    if (status == STORE_OK)
        return true;
    if (status == STORE_NONE)
        api_refuse(
            x, api_problem_field(
                   API_NOT_FOUND, bytes_of_text("vendorProfile"),
                   "No such vendor profile, GET /vendor-profiles lists them")); // the work is gone
    else
        api_refuse_store(x, status);
    return false;
}

static void begin(struct api_exchange *x, struct import_work *w)
{
    uint8_t sha256[32] = {0};
    if (!open_profile(x, w))
        return;
    if (!open_upload(x, w, sha256)) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    // A dry run is a job of its own, which is kept.
    w->order.is_dry = x->is_dry_run || w->order.is_update;
    x->is_dry_run = false;
    x->committed = start_import;
    if (take_seat(x, w, sha256))
        api_commit(x, insert_import, reply_import);
}

void api_imports_post(struct api_exchange *x)
{
    struct import_work *w = open_work(x);
    if (w != NULL && read_query(x, w))
        begin(x, w);
}

// --- correcting ---

struct original {
    const struct api_exchange *x;
    struct import_order order;
    bool is_ours, has_held_back;
};

static bool see_original(void *context, const struct document *d)
{
    struct original *o = context;
    json_t *root = NULL;
    import_order_read(d, &o->order);
    o->is_ours = api_owns(o->x, d->owner);
    o->has_held_back = d->state == IMPORT_ENDED && !o->order.is_dry &&
                       json_read(d->body, &root) == JSON_READ_OK &&
                       json_integer_value(json_object_get(root, "quarantined")) > 0 &&
                       !json_is_true(json_object_get(root, "quarantineDropped"));
    json_decref(root);
    return false;
}

// What an import held back comes as a file of its own, which is read as the first one was.
void api_quarantine_post(struct api_exchange *x)
{
    struct import_work *w = open_work(x);
    struct original original = {.x = x};
    if (w == NULL || !api_capture(x, 0, "imp", &x->object_id))
        return;
    const struct api_problem p = read_how(x, &w->order);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    if (!api_end_reading(x))
        return;
    const enum store_status status =
        store_document_get(x->reader, IMPORT_KIND, x->object_id, see_original, &original);
    w->order.corrects = original.order.corrects != 0 ? original.order.corrects : x->object_id;
    w->order.pool = original.order.pool;
    w->order.tenant = original.order.tenant;
    memcpy(w->order.vendor, original.order.vendor, sizeof(w->order.vendor));
    if (status != STORE_OK || !original.is_ours)
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    else if (!original.has_held_back)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "It holds no record back: there is nothing to read"));
    else
        begin(x, w);
}

// --- applying an update ---

// What was judged of it.
struct judged {
    struct import_order order;
    char sha256[65], batch[HEADER_TEXT_SIZE];
    json_t *sample;
    json_int_t changed, records;
    bool has_ended, is_good, is_kept;
};

static void copy_member(const json_t *root, const char *name, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(root, name));
    struct writer w = writer_of(to, size);
    text_put(&w, text != NULL ? text : "");
    text_end(&w);
}

static bool see_judged(void *context, const struct document *d)
{
    struct judged *j = context;
    json_t *root = NULL;
    import_order_read(d, &j->order);
    j->has_ended = d->state == IMPORT_ENDED;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    const char *outcome = json_string_value(json_object_get(root, "outcome"));
    j->is_good = outcome != NULL && strcmp(outcome, "DRY_RUN_OK") == 0;
    j->changed = json_integer_value(json_object_get(root, "changed"));
    j->records = json_integer_value(json_object_get(root, "records"));
    j->sample = json_incref(json_object_get(root, "sample"));
    copy_member(root, "sha256", j->sha256, sizeof(j->sha256));
    copy_member(root, "batch", j->batch, sizeof(j->batch));
    json_decref(root);
    return false;
}

static bool see_any(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return false;
}

// Why it cannot be applied; NULL: it can.
static const char *hindrance(const struct judged *j)
{
    if (!j->order.is_update || j->order.applies != 0)
        return "It is no update: send the file with update=true";
    if (!j->has_ended)
        return "It is still being judged: wait for its end";
    if (!j->is_good)
        return "Its report has findings: correct the file, and send it with update=true";
    if (j->changed == 0)
        return "It changes no card: there is nothing to apply";
    return j->is_kept ? NULL : "Its file is kept no more: send it again";
}

// Of `tenant`, or anybody's for 0. False: refused.
static bool load_judged(struct api_exchange *x, uint64_t import, struct judged *j)
{
    const enum store_status status =
        store_document_get(x->reader, IMPORT_KIND, import, see_judged, j);
    if (status != STORE_OK || !api_owns(x, j->order.tenant)) {
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
        return false;
    }
    j->is_kept = store_document_get(x->reader, IMPORT_BODY_KIND, import, see_any, NULL) == STORE_OK;
    const char *why = hindrance(j);
    if (why != NULL)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, why));
    return why == NULL;
}

static void begin_applying(struct api_exchange *x, struct import_work *w, const struct judged *j,
                           void (*reply)(struct api_exchange *x))
{
    uint8_t sha256[32] = {0};
    struct writer digest = writer_of(sha256, sizeof(sha256));
    w->order.tenant = j->order.tenant;
    w->order.is_update = true;
    w->order.applies = j->order.import;
    w->order.quantity = (uint64_t)j->records;
    memcpy(w->order.vendor, j->order.vendor, sizeof(w->order.vendor));
    memcpy(w->order.batch, j->batch, sizeof(w->order.batch));
    if (!text_unhex(bytes_of_text(j->sha256), &digest))
        api_refuse_code(x, API_INTERNAL);
    else if (open_profile(x, w) && take_seat(x, w, sha256)) {
        x->committed = start_import;
        api_commit(x, insert_import, reply);
    }
}

void api_import_apply(struct api_exchange *x)
{
    struct judged j = {.sample = NULL};
    struct import_work *w = open_work(x);
    if (w == NULL)
        return;
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x) || !api_capture(x, 0, "imp", &x->object_id))
        return;
    if (load_judged(x, x->object_id, &j)) {
        if (x->api->options.single_person)
            begin_applying(x, w, &j, reply_import);
        else
            api_approval_request_import(x, j.order.import, j.order.tenant, (uint64_t)j.changed,
                                        j.sample);
    }
    json_decref(j.sample);
}

void api_import_carry_out(struct api_exchange *x, uint64_t import)
{
    struct judged j = {.sample = NULL};
    struct import_work *w = open_work(x);
    if (w != NULL && load_judged(x, import, &j))
        begin_applying(x, w, &j, api_approval_reply);
    json_decref(j.sample);
}

// --- showing ---

struct shown {
    struct api_exchange *x;
    bool is_ours, is_open;
};

// One that is under way is shown as it stands now.
static void put_import(struct api_exchange *x, const struct document *d)
{
    struct import_state state;
    if (d->state == IMPORT_OPEN && x->api->options.imports != NULL &&
        import_jobs_state(x->api->options.imports, d->id, &state)) {
        char octets[1024];
        struct import_order order;
        struct writer w = writer_of(octets, sizeof(octets));
        import_order_read(d, &order);
        put_state(&w, x, &order);
        json_put_raw(&x->json, writer_bytes(&w));
    } else {
        json_put_raw(&x->json, d->body);
    }
}

static bool show_one(void *context, const struct document *d)
{
    struct shown *s = context;
    s->is_ours = api_owns(s->x, d->owner);
    s->is_open = d->state == IMPORT_OPEN;
    if (s->is_ours)
        put_import(s->x, d);
    return false;
}

void api_import_get(struct api_exchange *x)
{
    struct shown shown = {.x = x};
    if (!api_end_reading(x) || !api_capture(x, 0, "imp", &x->object_id))
        return;
    const enum store_status status =
        store_document_get(x->reader, IMPORT_KIND, x->object_id, show_one, &shown);
    if (status != STORE_OK || !shown.is_ours) {
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
        return;
    }
    if (shown.is_open)
        api_header(x, "Retry-After", "2");
    api_reply(x, 200);
}

// --- cancelling ---

static bool see_open(void *context, const struct document *d)
{
    struct shown *s = context;
    s->is_ours = api_owns(s->x, d->owner);
    s->is_open = d->state == IMPORT_OPEN;
    return false;
}

struct cancel_work {
    struct import_jobs *jobs;
    uint64_t import; // that is held; 0: none
};

static void let_go(void *work)
{
    const struct cancel_work *w = work;
    if (w->import != 0)
        import_jobs_let_go(w->jobs, w->import);
}

// It is held until that somebody wants this is committed, or is not.
static enum store_status cancel(struct api_exchange *x, struct store *store, struct utc now)
{
    struct cancel_work *w = x->work;
    (void)now;
    const bool can = import_jobs_can_cancel(w->jobs, x->object_id, !x->is_dry_run);
    w->import = can && !x->is_dry_run ? x->object_id : 0;
    if (can)
        return api_trail(x, store, "import.cancelled", "import", x->object_id, NULL);
    x->problem =
        api_problem_text(API_INCOMPATIBLE_STATE, "The import has ended, or is about to: read its "
                                                 "report");
    return STORE_CONFLICT;
}

static void end_import(struct api_exchange *x)
{
    const struct cancel_work *w = x->work;
    import_jobs_cancel(w->jobs, w->import);
}

static void reply_cancelled(struct api_exchange *x)
{
    struct shown shown = {.x = x};
    if (store_document_get(x->reader, IMPORT_KIND, x->object_id, show_one, &shown) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_header(x, "Retry-After", "2");
    api_location(x, "/batch-imports", "imp", x->object_id);
    api_reply(x, 202);
}

void api_import_cancel(struct api_exchange *x)
{
    struct shown shown = {.x = x};
    struct cancel_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    w->jobs = x->api->options.imports;
    x->close_work = let_go;
    x->committed = end_import;
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_capture(x, 0, "imp", &x->object_id))
        return;
    const enum store_status status =
        store_document_get(x->reader, IMPORT_KIND, x->object_id, see_open, &shown);
    if (status != STORE_OK || !shown.is_ours)
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    else if (!shown.is_open || w->jobs == NULL)
        api_refuse(
            x, api_problem_text(API_INCOMPATIBLE_STATE, "The import has ended: read its report"));
    else
        api_commit(x, cancel, reply_cancelled);
}

static bool show_row(void *context, const struct document *d)
{
    put_import(((struct shown *)context)->x, d);
    return true;
}

void api_imports_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    struct shown shown = {.x = x};
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    const struct document_filter filter = {.kind = IMPORT_KIND,
                                           .owner = api_reach(x),
                                           .state = -1,
                                           .is_descending = list.page.is_descending};
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, show_row, &shown, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}
