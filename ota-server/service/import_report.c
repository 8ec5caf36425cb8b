#include "ota-server/service/import_report.h"

#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/import_body.h"
#include "ota-server/service/notice.h"
#include "ota-server/service/turn.h"

#include <stdlib.h>

#define PAGE_MAX (64 * 1024)

static void put_codes(struct json_writer *j, const struct findings *findings)
{
    api_open_object(j, "byCode");
    for (unsigned i = 0; i < FINDING_CODES; i++) {
        const enum finding_code code = (enum finding_code)i;
        uint64_t count = findings->by_code[i];
        if (code == IMP_211)
            count += findings->by_code[IMP_213];
        if (count > 0 && code != IMP_213)
            api_put_number(j, finding_code_name(code), count);
    }
    json_end_object(j);
}

static void put_keys(struct json_writer *j, const struct vendor_header *header)
{
    api_open_array(j, "transportKeys");
    for (unsigned i = 0; i < TRANSPORT_KINDS; i++) {
        const struct vendor_transport *t = &header->transport[i];
        if (!t->named || !t->has_kcv)
            continue;
        json_begin_object(j);
        api_put_number(j, "index", t->index);
        api_put_kcv(j, bytes_of(t->kcv, sizeof(t->kcv)));
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_report(struct json_writer *j, const struct import_report *r)
{
    api_put_hex(j, "sha256", bytes_of(r->sha256, sizeof(r->sha256)));
    if (r->layout != VENDOR_LAYOUT_UNKNOWN)
        api_put_text(j, "layout", vendor_layout_name(r->layout));
    if (r->header.batch[0] != '\0')
        api_put_text(j, "batch", r->header.batch);
    if (r->first_import[0] != '\0')
        api_put_text(j, "firstImportId", r->first_import);
    api_put_number(j, "records", r->records);
    api_put_number(j, "loaded", r->loaded);
    api_put_number(j, "unchanged", r->unchanged);
    api_put_number(j, "quarantined", r->quarantined);
    api_put_number(j, "warnings", r->findings.by_level[FINDING_WARNING]);
    put_keys(j, &r->header);
    put_codes(j, &r->findings);
}

// How many cards it changes, and some of them.
static void put_changes(struct json_writer *j, const struct import_changes *c)
{
    api_put_number(j, "changed", c->count);
    api_open_array(j, "sample");
    for (uint64_t i = 0; i < c->count && i < IMPORT_SAMPLE_MAX; i++)
        api_put_id(j, NULL, "crd", c->sample[i]);
    json_end_array(j);
}

static void put_seconds(struct json_writer *j, int64_t ms)
{
    char text[32];
    struct writer w = writer_of(text, sizeof(text));
    const uint64_t whole = ms > 0 ? (uint64_t)ms : 0;
    text_decimal(&w, whole / 1000);
    text_put(&w, ".");
    text_decimal(&w, whole / 100 % 10);
    json_put_key(j, "seconds");
    json_put_raw(j, writer_bytes(&w));
}

void import_document_write(struct writer *out, const struct import_order *order,
                           const struct import_state *state)
{
    struct json_writer j = json_writer_of(out);
    json_begin_object(&j);
    api_put_id(&j, "id", "imp", order->import);
    api_put_text(&j, "status", state->status);
    if (state->failure != NULL)
        api_put_text(&j, "outcome", import_outcome_name(REPORT_REFUSED));
    else if (state->report != NULL)
        api_put_text(&j, "outcome", import_outcome_name(state->report->outcome));
    if (state->failure != NULL)
        api_put_text(&j, "failure", state->failure);
    api_put_text(&j, "vendor", order->vendor);
    api_put_id(&j, "poolId", "pol", order->pool);
    api_put_id(&j, "correctionOf", "imp", order->corrects);
    api_put_bool(&j, "dryRun", order->is_dry);
    if (order->is_update)
        api_put_bool(&j, "update", true);
    api_put_id(&j, "appliedFrom", "imp", order->applies);
    if (state->report != NULL)
        put_report(&j, state->report);
    if (order->is_update && state->report != NULL)
        put_changes(&j, state->changes);
    if (state->report == NULL && state->failure == NULL) {
        api_put_number(&j, "records", state->total);
        api_put_number(&j, "recordsDone", state->done);
    }
    if (state->is_dropped)
        api_put_bool(&j, "quarantineDropped", true);
    if (state->is_kept)
        api_put_time(&j, "fileKeptUntil", utc_after(state->at, IMPORT_BODY_KEPT_MS));
    put_seconds(&j, state->at.ms - order->created_at.ms);
    api_put_time(&j, "createdAt", order->created_at);
    api_put_time(&j, "updatedAt", state->at);
    api_put_number(&j, "version", state->report != NULL || state->failure != NULL ? 2 : 1);
    json_end_object(&j);
}

enum store_status import_tell(struct store *store, uint64_t import, uint64_t tenant,
                              const struct import_state *state, struct utc now)
{
    const bool is_ended = strcmp(state->status, "ENDED") == 0;
    struct notice_text n;
    notice_begin(&n, "import", 0, 0);
    api_put_id(&n.j, "id", "imp", import);
    api_put_text(&n.j, "status", state->status);
    if (is_ended) // its outcome, or why it has none
        api_put_text(&n.j, "result", state->failure);
    if (!is_ended) {
        api_put_number(&n.j, "records", state->total);
        api_put_number(&n.j, "recordsDone", state->done);
    }
    return notice_end(
        &n, store,
        (struct notice){.kind = is_ended ? NOTICE_IMPORT_ENDED : NOTICE_IMPORT_PROGRESS,
                        .at = now,
                        .tenant = tenant});
}

enum store_status import_order_put(struct store *store, const struct import_order *order,
                                   struct utc now)
{
    uint8_t octets[IMPORT_DOCUMENT_MAX];
    const struct import_state state = {.status = "UPLOADED", .at = now};
    struct writer w = writer_of(octets, sizeof(octets));
    import_document_write(&w, order, &state);
    const struct document d = {.kind = IMPORT_KIND,
                               .id = order->import,
                               .owner = order->tenant,
                               .state = IMPORT_OPEN,
                               .created_at = now,
                               .changed_at = now,
                               .body = writer_bytes(&w)};
    const struct trail_new row = {.at = now,
                                  .tenant = order->tenant,
                                  .actor = order->actor,
                                  .address = order->address,
                                  .action = "import.ordered",
                                  .object_kind = "import",
                                  .object = order->import,
                                  .correlator = order->correlator,
                                  .result = "done"};
    enum store_status status = w.failed ? STORE_FAILED : store_document_put(store, &d);
    if (status == STORE_OK)
        status = import_tell(store, order->import, order->tenant, &state, now);
    return status == STORE_OK ? store_trail_add(store, &row) : status;
}

enum store_status import_alarms_raise(const struct import_target *t,
                                      const struct import_report *report)
{
    static const uint64_t NONE[FINDING_CODES];
    const uint64_t *by_code = report != NULL ? report->findings.by_code : NONE;
    const bool is_refused = report == NULL || report->outcome == REPORT_REFUSED;
    const bool is_other_key = by_code[IMP_111] > 0 || by_code[IMP_301] > 0;
    char object[API_ID_SIZE];
    api_id_write(object, "imp", t->import);
    struct alarm_place at = {.key = "import.rejected", .object = object, .owner = t->tenant};
    enum store_status status = STORE_OK;
    if (is_refused)
        status = alarm_raise(t->store, &at, turn_id(t->turn, t->now), t->now);
    at.key = "key.kcv.mismatch";
    if (status == STORE_OK && is_other_key)
        status = alarm_raise(t->store, &at, turn_id(t->turn, t->now), t->now);
    return status;
}

// 0: it is not there.
static uint64_t id_in(const json_t *object, const char *name, const char *prefix)
{
    const char *text = json_string_value(json_object_get(object, name));
    uint64_t id = 0;
    return text != NULL && api_id_read(bytes_of_text(text), prefix, &id) ? id : 0;
}

void import_order_read(const struct document *d, struct import_order *o)
{
    json_t *root = NULL;
    *o = (struct import_order){.import = d->id, .tenant = d->owner, .created_at = d->created_at};
    if (json_read(d->body, &root) == JSON_READ_OK) {
        const char *vendor = json_string_value(json_object_get(root, "vendor"));
        struct writer w = writer_of(o->vendor, sizeof(o->vendor));
        text_put(&w, vendor != NULL ? vendor : "");
        text_end(&w);
        o->is_dry = json_is_true(json_object_get(root, "dryRun"));
        o->pool = id_in(root, "poolId", "pol");
        o->corrects = id_in(root, "correctionOf", "imp");
        o->is_update = json_is_true(json_object_get(root, "update"));
        o->applies = id_in(root, "appliedFrom", "imp");
    }
    json_decref(root);
}

static void put_finding(struct json_writer *j, const struct finding *f)
{
    json_begin_object(j);
    api_put_text(j, "code", finding_code_shown(f->code));
    api_put_text(j, "level", finding_level_name(f->level));
    api_put_number(j, "line", f->line);
    if (f->field[0] != '\0')
        api_put_text(j, "field", f->field);
    api_put_text(j, "text", f->text);
    json_end_object(j);
}

static enum store_status put_page(const struct import_target *t, const struct findings *findings,
                                  size_t first, uint8_t octets[PAGE_MAX])
{
    struct writer w = writer_of(octets, PAGE_MAX);
    struct json_writer j = json_writer_of(&w);
    json_begin_array(&j);
    for (size_t i = first; i < findings->listed_count && i < first + IMPORT_PAGE; i++)
        put_finding(&j, &findings->listed[i]);
    json_end_array(&j);
    const struct document d = {.kind = IMPORT_FINDINGS_KIND,
                               .id = turn_id(t->turn, t->now),
                               .owner = t->tenant,
                               .parent = t->import,
                               .state = (int64_t)findings->listed_count,
                               .created_at = t->now,
                               .changed_at = t->now,
                               .body = writer_bytes(&w)};
    return json_done(&j) ? store_document_put(t->store, &d) : STORE_FAILED;
}

enum store_status import_findings_put(const struct import_target *target,
                                      const struct findings *findings)
{
    uint8_t *octets = malloc(PAGE_MAX);
    enum store_status status = octets != NULL ? STORE_OK : STORE_FAILED;
    for (size_t i = 0; i < findings->listed_count && status == STORE_OK; i += IMPORT_PAGE)
        status = put_page(target, findings, i, octets);
    free(octets);
    return status;
}

enum store_status import_state_put(struct store *store, const struct import_order *order,
                                   const struct import_state *state, int64_t document_state)
{
    uint8_t octets[IMPORT_DOCUMENT_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    import_document_write(&w, order, state);
    const struct document d = {.kind = IMPORT_KIND,
                               .id = order->import,
                               .owner = order->tenant,
                               .state = document_state,
                               .created_at = order->created_at,
                               .changed_at = state->at,
                               .version = 1,
                               .body = writer_bytes(&w)};
    return w.failed ? STORE_FAILED : store_document_put(store, &d);
}

enum store_status import_trail_put(struct store *store, const struct import_order *o,
                                   const char *result, struct utc now)
{
    const struct trail_new row = {.at = now,
                                  .tenant = o->tenant,
                                  .actor = o->actor,
                                  .address = o->address,
                                  .action = "import.ended",
                                  .object_kind = "import",
                                  .object = o->import,
                                  .correlator = o->correlator,
                                  .result = result};
    const struct import_state state = {.status = "ENDED", .failure = result};
    const enum store_status status = store_trail_add(store, &row);
    return status == STORE_OK ? import_tell(store, o->import, o->tenant, &state, now) : status;
}

static bool copy_document(void *context, const struct document *d)
{
    struct document *to = context;
    char *body = (char *)to->body.at;
    to->version = d->version;
    to->owner = d->owner;
    to->created_at = d->created_at;
    to->body.len = d->body.len <= IMPORT_DOCUMENT_MAX ? d->body.len : 0;
    memcpy(body, d->body.at, to->body.len);
    return false;
}

enum store_status import_outcome_show(struct store *store, uint64_t import, struct utc now)
{
    char body[IMPORT_DOCUMENT_MAX];
    struct document d = {.body = bytes_of(body, 0)};
    enum store_status status = store_document_get(store, IMPORT_KIND, import, copy_document, &d);
    if (status != STORE_OK)
        return status;
    d.kind = IMPORT_KIND;
    d.id = import;
    d.state = IMPORT_ENDED;
    d.changed_at = now;
    return store_document_put(store, &d);
}
