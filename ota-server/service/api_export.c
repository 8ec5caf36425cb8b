#include "ota-server/service/api_export.h"

#include "common/base/text.h"
#include "ota-server/service/api_csv.h"

#include <string.h>

#define CELL_MAX 2048

struct export *export_of(const struct api_exchange *x)
{
    return x->rest_work;
}

// --- cells -----------------------------------------------------------------------------------

static void put_scalar(struct writer *w, const json_t *value)
{
    if (json_is_string(value))
        text_put(w, json_string_value(value));
    else if (json_is_integer(value))
        text_decimal(w, (uint64_t)json_integer_value(value));
    else if (json_is_boolean(value))
        text_put(w, json_is_true(value) ? "true" : "false");
}

static const json_t *member(const json_t *object, const char **path)
{
    char name[64];
    const size_t len = strcspn(*path, ".");
    if (len >= sizeof(name))
        return NULL;
    memcpy(name, *path, len);
    name[len] = '\0';
    *path += len + ((*path)[len] == '.');
    return json_object_get(object, name);
}

static const json_t *find(const json_t *object, const char **path)
{
    while (object != NULL && **path != '\0' && json_is_object(object))
        object = member(object, path);
    return object;
}

// Elements of an array are joined by spaces; what is too long is cut.
static void put_cell(struct csv *c, const json_t *object, const char *path)
{
    char cell[CELL_MAX + 1];
    struct writer w = writer_of(cell, CELL_MAX);
    const json_t *value = find(object, &path);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *rest = path;
        text_put(&w, i > 0 ? " " : "");
        put_scalar(&w, find(json_array_get(value, i), &rest));
    }
    put_scalar(&w, value);
    cell[w.failed ? 0 : w.len] = '\0';
    if (json_is_integer(value))
        csv_number(c, (uint64_t)json_integer_value(value));
    else if (cell[0] != '\0')
        csv_text(c, cell);
    else
        csv_nothing(c);
}

// --- lines -----------------------------------------------------------------------------------

static void put_titles(struct api_exchange *x, const struct export_kind *kind)
{
    for (const struct export_column *c = kind->columns; c->title != NULL; c++) {
        text_put(&x->out, c->title);
        text_put(&x->out, ",");
    }
    text_put(&x->out, "exportedAt,exportedBy\r\n");
}

static void put_mark(struct api_exchange *x, const struct export *e)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_open_object(j, "export");
    api_put_text(j, "of", e->kind->object);
    api_put_text(j, "at", e->at);
    api_put_text(j, "by", e->by);
    api_put_text(j, "reason", x->reason);
    api_put_bool(j, "masked", x->clear != CLEAR_ALL);
    json_end_object(j);
    json_end_object(j);
    text_put(&x->out, "\n");
}

static bool put_csv(struct api_exchange *x, const struct export *e, struct bytes object)
{
    json_t *root = NULL;
    if (json_read(object, &root) != JSON_READ_OK)
        return false;
    struct csv c = csv_of(&x->out);
    for (const struct export_column *k = e->kind->columns; k->title != NULL; k++)
        put_cell(&c, root, k->path);
    csv_text(&c, e->at);
    csv_text(&c, e->by);
    csv_end(&c);
    json_decref(root);
    return true;
}

bool export_line(struct api_exchange *x, bool (*put)(struct api_exchange *x, const void *of),
                 const void *of)
{
    struct export *e = export_of(x);
    const struct writer piece = x->out;
    x->out = writer_of(e->octets, sizeof(e->octets));
    x->json = json_writer_of(&x->out);
    const bool is_put = put(x, of) && json_done(&x->json);
    const struct bytes object = writer_bytes(&x->out);
    x->out = piece;
    x->json = json_writer_of(&x->out);
    if (!is_put) {
        e->has_failed = true; // it would be missing
        return false;
    }
    bool is_whole = true;
    if (e->is_csv)
        is_whole = put_csv(x, e, object);
    else
        writer_copy(&x->out, object);
    if (!e->is_csv)
        text_put(&x->out, "\n");
    if (is_whole && !x->out.failed)
        return true;
    e->has_failed = !is_whole;
    x->out.len = piece.len; // it begins the next piece
    x->out.failed = false;
    return false;
}

static bool put_piece(struct api_exchange *x)
{
    struct export *e = export_of(x);
    if (!e->has_begun && e->is_csv)
        put_titles(x, e->kind);
    else if (!e->has_begun && e->kind->is_marked)
        put_mark(x, e);
    e->has_begun = true;
    x->json = json_writer_of(&x->out);
    return e->kind->page(x) && !e->has_failed;
}

// --- the request -----------------------------------------------------------------------------

static enum store_status note(struct api_exchange *x, struct store *store, struct utc now)
{
    struct export *e = x->work;
    const char *prefix = x->client.is_user ? "usr" : "cli";
    uint8_t hash[32];
    utc_format(now, e->at);
    api_id_write(e->by, prefix, x->client.id);
    const bool is_clear = e->kind->is_marked && x->clear != CLEAR_NOTHING;
    const enum store_status status = api_trail_with(x, store, e->kind->action, e->kind->object, 0,
                                                    is_clear ? "identifiers in clear" : "");
    return status == STORE_OK ? store_trail_head(store, &e->head, hash) : status;
}

static void reply(struct api_exchange *x)
{
    struct export *e = x->work;
    x->rest_work = e;
    x->work = NULL;
    if (x->more_to > e->head)
        x->more_to = e->head; // of an export of the trail: with the row of this export itself
    x->more = put_piece;
    x->type = e->is_csv ? "text/csv" : "application/x-ndjson";
    api_reply(x, 200);
}

void export_begin(struct api_exchange *x, const struct export_kind *kind)
{
    struct export *e = x->work;
    e->kind = kind;
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x))
        return;
    const bool takes_lines = api_accepts(x->request->accept, "application/x-ndjson");
    e->is_csv = !takes_lines && api_accepts(x->request->accept, "text/csv");
    if (!takes_lines && !e->is_csv)
        api_refuse_code(x, API_NOT_ACCEPTABLE);
    else if (!api_rest_open(x)) // it is noted as read before it begins
        api_refuse_code(x, API_UNAVAILABLE);
    else
        api_commit(x, note, reply);
}
