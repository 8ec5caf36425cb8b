#include "ota-server/service/api_difference.h"

#include "common/base/text.h"

#include <stdlib.h>

#define VALUE_MAX 160 // of one member; a longer one is cut
#define MEMBER_MAX 64 // likewise
#define PATH_SIZE 200 // of three names

// Kinds whose members may be read by whoever reads the trail, but for those that are hidden; of a
// kind with a list of what is shown, those alone. Of all other kinds the trail has the names of
// members alone. What an object is known by is there too, though it does not change.
static const struct {
    const char *kind;
    const char *shown[8], *hidden[4], *known_by[5];
} open_kinds[] = {
    {.kind = "approval",
     .shown = {"kind", "cardId", "groupId", "campaignId", "targetCount", "request.type"},
     .known_by = {"kind", "cardId", "groupId", "request.type"}},
    {.kind = "campaign"},
    {.kind = "card", .shown = {"applicationField"}},
    {.kind = "card-move", .shown = {"groupId", "target"}},
    {.kind = "client", .hidden = {"jwks"}},
    {.kind = "enterprise"},
    {.kind = "event-sink", .shown = {"groupId", "types", "status"}},
    {.kind = "group"},
    {.kind = "group-rules"},
    {.kind = "import",
     .shown = {"vendor", "poolId", "correctionOf", "dryRun", "update", "appliedFrom"}},
    {.kind = "permission", .known_by = {"enterpriseId", "groupId"}},
    {.kind = "pool"},
    {.kind = "report", .shown = {"type", "from", "to", "format", "groupId", "province"}},
    {.kind = "subscription",
     .shown = {"poolId", "operator", "rulePack", "templateId", "fallbackEligible", "state"}},
    {.kind = "tariff"},
    {.kind = "template"},
    {.kind = "user", .hidden = {"username", "displayName", "password"}},
    {.kind = "vendor-profile"},
};
#define OPEN_KINDS (sizeof(open_kinds) / sizeof(open_kinds[0]))

// Of whatever kind: identifiers, as filters and tables of networks have them, and free text.
static const char *const never[] = {"iccid", "imsi",  "msisdn",        "eid",         "imei",
                                    "any",   "label", "COUNTRY_TABLE", "SERVER_ADDR", NULL};

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

// Is the path one of these, or within one?
static bool is_within(const char *const *names, const char *path)
{
    for (; *names != NULL; names++) {
        const size_t len = strlen(*names);
        if (strncmp(path, *names, len) == 0 && (path[len] == '\0' || path[len] == '.'))
            return true;
    }
    return false;
}

// The same from any of its names on.
static bool has_any(const char *const *names, const char *path)
{
    for (const char *at = path; at != NULL; at = strchr(at, '.')) {
        at += *at == '.';
        if (is_within(names, at))
            return true;
    }
    return false;
}

static bool is_hidden(size_t kind, const char *path)
{
    if (kind == OPEN_KINDS || has_any(never, path))
        return true;
    const char *const *shown = open_kinds[kind].shown;
    return shown[0] != NULL ? !is_within(shown, path) : has_any(open_kinds[kind].hidden, path);
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
static void put_member(struct side *s, const char *path, const json_t *value)
{
    char text[API_DIFFERENCE_MAX + 1];
    struct writer w = writer_of(text, sizeof(text));
    if (value == NULL || s->is_full)
        return;
    text_put(&w, s->to.len > 0 ? ", " : "");
    text_put(&w, path);
    text_put(&w, "=");
    if (is_hidden(s->kind, path))
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
    bool is_change; // neither new nor gone
};

// A member with all above it, "target.filter.state".
typedef void member_fn(struct sides *s, const char *path, const json_t *before,
                       const json_t *after);

static void compare(struct sides *s, const char *path, const json_t *before, const json_t *after)
{
    const size_t kind = s->before.kind;
    const bool is_known_by = kind < OPEN_KINDS && is_among(open_kinds[kind].known_by, path);
    if (before != NULL && after != NULL && !is_known_by && json_equal(before, after))
        return;
    // Of what comes or goes the list of what is shown is all that says something.
    if (!s->is_change && kind < OPEN_KINDS && open_kinds[kind].shown[0] != NULL &&
        is_hidden(kind, path))
        return;
    put_member(&s->before, path, before);
    put_member(&s->after, path, after);
}

static void name_member(struct sides *s, const char *above, const char *name, const json_t *before,
                        const json_t *after, member_fn *next)
{
    char path[PATH_SIZE];
    struct writer w = writer_of(path, sizeof(path) - 1);
    text_put(&w, above);
    text_put(&w, above[0] != '\0' ? "." : "");
    put_cut(&w, name, MEMBER_MAX);
    path[w.len] = '\0';
    next(s, path, before, after);
}

static void each_member(struct sides *s, const char *above, const json_t *before,
                        const json_t *after, member_fn *next)
{
    const char *name;
    json_t *value;
    // The iteration takes pointers to non-const and changes nothing.
    json_object_foreach((json_t *)before, name, value)
        name_member(s, above, name, value, json_object_get(after, name), next);
    json_object_foreach((json_t *)after, name, value)
    {
        if (json_object_get(before, name) == NULL)
            name_member(s, above, name, NULL, value, next);
    }
}

static bool are_objects(const json_t *before, const json_t *after)
{
    return (before == NULL || json_is_object(before)) && (after == NULL || json_is_object(after));
}

// An object's members one by one, so that what did not change in it is left out; so deep.
static void compare_inner(struct sides *s, const char *path, const json_t *before,
                          const json_t *after)
{
    if (are_objects(before, after))
        each_member(s, path, before, after, compare);
    else
        compare(s, path, before, after);
}

static void compare_member(struct sides *s, const char *path, const json_t *before,
                           const json_t *after)
{
    if (is_noise(path))
        return;
    if (are_objects(before, after))
        each_member(s, path, before, after, compare_inner);
    else
        compare(s, path, before, after);
}

void api_difference_put(struct api_exchange *x, const char *kind_name, const json_t *was,
                        const json_t *is)
{
    const size_t kind = find_kind(kind_name);
    struct sides s = {{.kind = kind, .to = writer_of(x->before, sizeof(x->before))},
                      {.kind = kind, .to = writer_of(x->after, sizeof(x->after))},
                      .is_change = was != NULL && is != NULL};
    // All the names of one that comes or goes say nothing.
    if (kind < OPEN_KINDS || s.is_change)
        each_member(&s, "", was, is, compare_member);
    (void)text_end(&s.before.to);
    (void)text_end(&s.after.to);
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
    const enum store_status status = read_document(x, store, &is);
    api_difference_put(x, x->difference.kind, x->difference.was, is);
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
