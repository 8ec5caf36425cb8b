#include "ota-server/service/api_difference.h"

#include "common/base/text.h"

#include <stdlib.h>

#define VALUE_MAX 160 // of one member; a longer one is cut

// Kinds whose members may be read by whoever reads the trail, but for those that are hidden. Of all
// other kinds the trail has the names of members alone. What an object is known by is there too,
// though it does not change.
static const struct {
    const char *kind;
    const char *hidden[4], *known_by[3];
} open_kinds[] = {
    {"client", {"jwks"}, {NULL}},
    {"enterprise", {NULL}, {NULL}},
    {"group", {NULL}, {NULL}},
    {"group-rules", {NULL}, {NULL}},
    {"permission", {NULL}, {"enterpriseId", "groupId"}},
    {"pool", {NULL}, {NULL}},
    {"tariff", {NULL}, {NULL}},
    {"user", {"username", "displayName", "password"}, {NULL}},
};
#define OPEN_KINDS (sizeof(open_kinds) / sizeof(open_kinds[0]))

static size_t find_kind(const char *kind)
{
    size_t k = 0;
    while (k < OPEN_KINDS && strcmp(open_kinds[k].kind, kind) != 0)
        k++;
    return k;
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

// What changes with every change, or never.
static bool is_noise(const char *name)
{
    static const char *const names[] = {"id", "createdAt", "updatedAt", "version", NULL};
    return is_among(names, name);
}

static bool is_hidden(size_t kind, const char *name)
{
    return kind == OPEN_KINDS || is_among(open_kinds[kind].hidden, name);
}

// --- one side ---

struct side {
    size_t kind;      // OPEN_KINDS: another
    struct writer to; // of x->before or x->after
    bool is_full;
};

static void put_cut(struct writer *w, const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len > max) {
        len = max;
        while (len > 0 && ((uint8_t)text[len] & 0xC0) == 0x80) // between two characters
            len--;
    }
    writer_copy(w, bytes_of(text, len));
    text_put(w, len < strlen(text) ? "..." : "");
}

// "[a b c]"
static void put_names(struct writer *w, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && !w->failed; i++) {
        text_put(w, i == 0 ? "[" : " ");
        text_put(w, json_string_value(json_array_get(list, i)));
    }
    text_put(w, json_array_size(list) > 0 ? "]" : "[]");
}

static bool are_names(const json_t *list)
{
    size_t i = 0;
    while (i < json_array_size(list) && json_is_string(json_array_get(list, i)))
        i++;
    return json_is_array(list) && i == json_array_size(list);
}

static void put_value(struct writer *w, const json_t *value)
{
    if (are_names(value)) {
        put_names(w, value);
        return;
    }
    if (json_is_string(value)) {
        put_cut(w, json_string_value(value), VALUE_MAX);
        return;
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    put_cut(w, text != NULL ? text : "", VALUE_MAX);
    free(text);
}

// Members are there whole or not at all; three dots say that some are not.
static void put_member(struct side *s, const char *above, const char *name, const json_t *value)
{
    char text[API_DIFFERENCE_MAX + 1];
    struct writer w = writer_of(text, sizeof(text));
    if (value == NULL || s->is_full)
        return;
    text_put(&w, s->to.len > 0 ? ", " : "");
    text_put(&w, above);
    text_put(&w, above[0] != '\0' ? "." : "");
    put_cut(&w, name, 64);
    text_put(&w, "=");
    if (is_hidden(s->kind, above[0] != '\0' ? above : name))
        text_put(&w, "*");
    else
        put_value(&w, value);
    s->is_full = w.failed || w.len + s->to.len + 5 > API_DIFFERENCE_MAX;
    if (s->is_full)
        text_put(&s->to, " ...");
    else
        writer_copy(&s->to, writer_bytes(&w));
}

// --- both sides ---

struct sides {
    struct side before, after;
};

static void compare(struct sides *s, const char *above, const char *name, const json_t *before,
                    const json_t *after)
{
    const size_t kind = s->before.kind;
    const bool is_known_by = kind < OPEN_KINDS && is_among(open_kinds[kind].known_by, name);
    if (before != NULL && after != NULL && !is_known_by && json_equal(before, after))
        return;
    put_member(&s->before, above, name, before);
    put_member(&s->after, above, name, after);
}

// An object's members one by one, so that what did not change in it is left out.
static void compare_member(struct sides *s, const char *name, const json_t *before,
                           const json_t *after)
{
    const char *inner;
    json_t *value;
    if (is_noise(name))
        return;
    if ((before != NULL && !json_is_object(before)) || (after != NULL && !json_is_object(after))) {
        compare(s, "", name, before, after);
        return;
    }
    json_object_foreach((json_t *)before, inner, value)
        compare(s, name, inner, value, json_object_get(after, inner));
    json_object_foreach((json_t *)after, inner, value)
    {
        if (json_object_get(before, inner) == NULL)
            compare(s, name, inner, NULL, value);
    }
}

static void compare_all(struct sides *s, json_t *before, json_t *after)
{
    const char *name;
    json_t *value;
    json_object_foreach(before, name, value)
        compare_member(s, name, value, json_object_get(after, name));
    json_object_foreach(after, name, value)
    {
        if (json_object_get(before, name) == NULL)
            compare_member(s, name, NULL, value);
    }
}

// --- documents ---

struct seen {
    api_difference_fn *show;
    json_t *root;
};

static bool see(void *context, const struct document *d)
{
    struct seen *s = context;
    uint8_t *text = malloc(API_DIFFERENCE_JSON_MAX);
    if (text == NULL)
        return false;
    struct writer w = writer_of(text, API_DIFFERENCE_JSON_MAX);
    struct json_writer j = json_writer_of(&w);
    if (s->show != NULL)
        s->show(&j, d);
    else
        writer_copy(&w, d->body);
    if (json_read(writer_bytes(&w), &s->root) != JSON_READ_OK)
        s->root = NULL;
    free(text);
    return false;
}

static enum store_status read_document(struct api_exchange *x, struct store *store, json_t **root)
{
    struct seen s = {.show = x->difference.show};
    const enum store_status status =
        store_document_get(store, x->difference.kind, x->difference.id, see, &s);
    *root = s.root;
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status api_difference_begin(struct api_exchange *x, struct store *store,
                                       const char *kind, uint64_t id, api_difference_fn *show)
{
    api_difference_free(x);
    x->difference.kind = kind;
    x->difference.id = id;
    x->difference.show = show;
    return read_document(x, store, &x->difference.was);
}

enum store_status api_difference_end(struct api_exchange *x, struct store *store)
{
    json_t *is = NULL;
    if (x->difference.kind == NULL)
        return STORE_OK;
    const size_t kind = find_kind(x->difference.kind);
    struct sides s = {{.kind = kind, .to = writer_of(x->before, sizeof(x->before))},
                      {.kind = kind, .to = writer_of(x->after, sizeof(x->after))}};
    const enum store_status status = read_document(x, store, &is);
    // All the names of one that comes or goes say nothing.
    if (kind < OPEN_KINDS || (x->difference.was != NULL && is != NULL))
        compare_all(&s, x->difference.was, is);
    (void)text_end(&s.before.to);
    (void)text_end(&s.after.to);
    json_decref(is);
    api_difference_free(x);
    return status;
}

void api_difference_free(struct api_exchange *x)
{
    json_decref(x->difference.was);
    x->difference.was = NULL;
    x->difference.kind = NULL;
}
