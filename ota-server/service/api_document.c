#include "ota-server/service/api_document.h"

#include "common/base/text.h"
#include "ota-server/service/api_difference.h"

#include <stdlib.h>

// --- showing ---

static void put_members(struct api_exchange *x, const struct document *d)
{
    json_t *root = NULL;
    const char *name;
    json_t *value;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return;
    json_object_foreach(root, name, value)
    {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        json_put_key(&x->json, name);
        json_put_raw(&x->json, bytes_of_text(text != NULL ? text : "null"));
        free(text);
    }
    json_decref(root);
}

static bool is_seen(struct api_exchange *x, const struct api_kind *kind, const struct document *d)
{
    return api_owns(x, d->owner) || (kind->is_shared != NULL && kind->is_shared(x, d));
}

struct shown {
    struct api_exchange *x;
    const struct api_kind *kind;
    bool is_ours;
    uint64_t version;
};

static void put_object(const struct shown *s, const struct document *d)
{
    struct json_writer *j = &s->x->json;
    json_begin_object(j);
    api_put_id(j, "id", s->kind->prefix, d->id);
    if (!s->kind->is_opaque)
        put_members(s->x, d);
    if (s->kind->more != NULL)
        s->kind->more(s->x, d);
    api_put_time(j, "createdAt", d->created_at);
    api_put_time(j, "updatedAt", d->changed_at);
    api_put_number(j, "version", d->version);
    json_end_object(j);
}

static bool show_one(void *context, const struct document *d)
{
    struct shown *s = context;
    s->is_ours = is_seen(s->x, s->kind, d);
    s->version = d->version;
    if (s->is_ours)
        put_object(s, d);
    return false;
}

struct ids_page {
    uint64_t ids[API_PER_PAGE_MAX];
    size_t count;
};

static bool collect(void *context, const struct document *d)
{
    struct ids_page *page = context;
    page->ids[page->count++] = d->id;
    return page->count < API_PER_PAGE_MAX;
}

bool api_document_put(struct api_exchange *x, const struct api_kind *kind, uint64_t id,
                      uint64_t *version)
{
    struct shown s = {.x = x, .kind = kind};
    const bool is_there =
        store_document_get(x->reader, kind->kind, id, show_one, &s) == STORE_OK && s.is_ours;
    *version = s.version;
    return is_there;
}

static const char *const sorts[] = {"createdAt", NULL};

// `filter` has parent and state.
static void reply_list(struct api_exchange *x, const struct api_kind *kind,
                       struct document_filter filter, struct api_list *list)
{
    struct ids_page page = {.count = 0};
    uint64_t version = 0;
    filter.kind = kind->kind;
    filter.owner = api_reach(x);
    filter.is_descending = list->page.is_descending;
    const enum store_status status =
        store_documents(x->reader, &filter, &list->window, collect, &page, &list->total);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    // One by one, because what they show besides comes from queries of its own.
    api_list_open(x);
    for (size_t i = 0; i < page.count; i++) {
        if (!api_document_put(x, kind, page.ids[i], &version))
            continue; // deleted since the list was read
    }
    api_list_end(x, list);
}

void api_documents_list(struct api_exchange *x, const struct api_kind *kind, uint64_t parent)
{
    struct api_list list;
    if (api_list_begin(x, &list, sorts) && api_end_reading(x))
        reply_list(x, kind, (struct document_filter){.parent = parent, .state = -1}, &list);
}

void api_document_show(struct api_exchange *x, const struct api_kind *kind)
{
    uint64_t version = 0;
    if (!api_end_reading(x) || !api_capture(x, 0, kind->prefix, &x->object_id))
        return;
    if (!api_document_put(x, kind, x->object_id, &version)) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    api_etag(x, version);
    api_reply(x, 200);
}

static bool see_state(void *context, const struct document *d)
{
    *(int64_t *)context = d->state;
    return false;
}

void api_job_show(struct api_exchange *x, const struct api_kind *kind)
{
    int64_t state = -1;
    uint64_t id = 0;
    if (api_id_read(x->match.captures[0], kind->prefix, &id) &&
        store_document_get(x->reader, kind->kind, id, see_state, &state) == STORE_OK && state == 0)
        api_header(x, "Retry-After", "2");
    api_document_show(x, kind);
}

// --- loading ---

struct loaded {
    struct api_exchange *x;
    const struct api_kind *kind;
    struct api_object *object;
    bool ok;
};

static bool load_one(void *context, const struct document *d)
{
    struct loaded *l = context;
    struct api_object *o = l->object;
    if (!is_seen(l->x, l->kind, d) || d->body.len > sizeof(o->body))
        return false;
    o->document = *d;
    bytes_copy(o->body, d->body);
    o->document.body = bytes_of(o->body, d->body.len);
    struct writer w = writer_of(o->name, sizeof(o->name));
    text_put(&w, d->name != NULL ? d->name : "");
    o->document.name = d->name != NULL ? o->name : NULL;
    l->ok = !w.failed && text_end(&w) != NULL;
    return false;
}

bool api_document_get(struct api_exchange *x, const struct api_kind *kind, uint64_t id,
                      struct api_object *object)
{
    struct loaded l = {.x = x, .kind = kind, .object = object};
    const enum store_status status = store_document_get(x->reader, kind->kind, id, load_one, &l);
    object->document.kind = kind->kind;
    return status == STORE_OK && l.ok;
}

struct api_object *api_document_load(struct api_exchange *x, const struct api_kind *kind)
{
    struct api_object *object = calloc(1, sizeof(*object));
    x->work = object;
    if (object == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    if (!api_capture(x, 0, kind->prefix, &x->object_id))
        return NULL;
    if (api_document_get(x, kind, x->object_id, object))
        return object;
    api_refuse_code(x, API_NOT_FOUND);
    return NULL;
}

void api_documents_in_state(struct api_exchange *x, const struct api_kind *kind, int64_t state)
{
    struct api_list list;
    if (api_list_begin(x, &list, sorts) && api_end_reading(x))
        reply_list(x, kind, (struct document_filter){.state = state}, &list);
}

void api_documents_in_field(struct api_exchange *x, const struct api_kind *kind, const char *field)
{
    struct api_list list;
    if (api_list_begin(x, &list, sorts) && api_end_reading(x))
        reply_list(x, kind, (struct document_filter){.state = -1, .application_field = field},
                   &list);
}

void api_documents_below(struct api_exchange *x, const struct api_kind *kind,
                         const struct api_kind *above, int64_t state)
{
    struct api_list list;
    if (!api_list_begin(x, &list, sorts) || !api_end_reading(x))
        return;
    const struct api_object *parent = api_document_load(x, above);
    if (parent != NULL)
        reply_list(x, kind, (struct document_filter){.parent = parent->document.id, .state = state},
                   &list);
}

// --- keeping ---

bool api_document_fill(struct api_exchange *x, struct api_object *object, const json_t *root)
{
    const size_t len = json_dumpb(root, (char *)object->body, sizeof(object->body), JSON_COMPACT);
    object->document.body = bytes_of(object->body, len);
    if (len <= sizeof(object->body))
        return true;
    api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                   "The object has more than 49152 octets as JSON: shorten it"));
    return false;
}

bool api_document_merge(struct api_exchange *x, struct api_object *object)
{
    json_t *root = NULL;
    const char *name;
    json_t *value;
    if (json_read(object->document.body, &root) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    json_object_foreach(x->root, name, value)
    {
        if (json_is_null(value))
            json_object_del(root, name);
        else if (strcmp(name, "reason") != 0) // which is the trail's
            json_object_set(root, name, value);
    }
    const bool ok = api_document_fill(x, object, root);
    json_decref(root);
    return ok;
}

void api_document_name(struct api_object *object, struct bytes name)
{
    struct writer w = writer_of(object->name, sizeof(object->name));
    text_decimal(&w, object->document.owner);
    text_put(&w, "/");
    writer_copy(&w, name);
    object->document.name = text_end(&w);
}

struct api_object *api_document_new(struct api_exchange *x, const struct api_kind *kind,
                                    uint64_t owner, struct bytes name)
{
    struct api_object *object = calloc(1, sizeof(*object));
    x->work = object;
    if (object == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    x->object_id = api_new_id(x);
    object->document = (struct document){.kind = kind->kind, .id = x->object_id, .owner = owner};
    if (name.len > 0)
        api_document_name(object, name);
    return api_document_fill(x, object, x->root) ? object : NULL;
}

// Names of actions are constant texts for the few words that there are: "pool.created".
static const char *action_of(const char *kind, const char *verb, char text[64])
{
    struct writer w = writer_of(text, 64);
    text_put(&w, kind);
    text_put(&w, verb);
    return text_end(&w);
}

enum store_status api_document_apply(struct api_exchange *x, struct store *store, struct utc now)
{
    struct api_object *object = x->work;
    struct document *d = &object->document;
    char action[64];
    const bool is_new = d->version == 0;
    if (is_new)
        d->created_at = now;
    d->changed_at = now;
    enum store_status status = api_difference_begin(x, store, d->kind, d->id, NULL);
    if (status == STORE_OK)
        status = store_document_put(store, d);
    return status == STORE_OK
               ? api_trail(x, store, action_of(d->kind, is_new ? ".created" : ".changed", action),
                           d->kind, d->id, NULL)
               : status;
}

static void reply_object(struct api_exchange *x)
{
    const struct api_object *object = x->work;
    const struct api_kind *kind = x->kind;
    const bool is_new = object->document.version == 0;
    uint64_t version = 0;
    if (!api_document_put(x, kind, object->document.id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (is_new)
        api_location(x, kind->path, kind->prefix, object->document.id);
    api_etag(x, version);
    api_reply(x, is_new ? 201 : 200);
}

struct sameness {
    const struct document *wanted;
    bool is_same;
};

static bool see_same(void *context, const struct document *d)
{
    struct sameness *s = context;
    const struct document *w = s->wanted;
    const char *name = d->name != NULL ? d->name : "";
    s->is_same = d->version == w->version && d->state == w->state && d->owner == w->owner &&
                 d->parent == w->parent && bytes_equal(d->body, w->body) &&
                 strcmp(name, w->name != NULL ? w->name : "") == 0;
    return false;
}

// Nothing is to be changed: it would be a version like the one before, and a row about nothing.
static bool is_as_it_was(const struct api_exchange *x)
{
    const struct api_object *object = x->work;
    struct sameness s = {.wanted = &object->document};
    return object->document.version != 0 &&
           store_document_get(x->reader, object->document.kind, object->document.id, see_same,
                              &s) == STORE_OK &&
           s.is_same;
}

void api_document_commit(struct api_exchange *x, const struct api_kind *kind)
{
    x->kind = kind;
    const bool is_same = x->route->method == API_PATCH && !x->is_dry_run && is_as_it_was(x);
    api_commit(x, is_same ? api_keep_nothing : api_document_apply, reply_object);
}

static enum store_status remove_object(struct api_exchange *x, struct store *store, struct utc now)
{
    char action[64];
    enum store_status status = x->judge != NULL ? x->judge(x, store, now) : STORE_OK;
    if (status == STORE_OK)
        status = api_difference_begin(x, store, x->kind->kind, x->object_id, NULL);
    if (status == STORE_OK)
        status = store_document_delete(store, x->kind->kind, x->object_id);
    return status == STORE_OK ? api_trail(x, store, action_of(x->kind->kind, ".deleted", action),
                                          x->kind->kind, x->object_id, NULL)
                              : status;
}

static void reply_nothing(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

void api_document_remove(struct api_exchange *x, const struct api_kind *kind, api_apply_fn *judge)
{
    x->kind = kind;
    x->judge = judge;
    api_commit(x, remove_object, reply_nothing);
}
