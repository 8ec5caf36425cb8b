#include "ota-server/service/api_body.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#define A_TEXT "It must be a text"

void api_body_init(struct api_body *b, const json_t *object)
{
    *b = (struct api_body){.object = object};
}

void api_body_fail(struct api_body *b, struct api_problem problem)
{
    if (b->problem.code == API_OK)
        b->problem = problem;
}

static void fail_member(struct api_body *b, enum api_code code, const char *name, const char *text)
{
    api_body_fail(b, api_problem_field(code, bytes_of_text(name), text));
}

// Notes that the member is known, and keeps the problem that `found` is. True when it is there;
// `wanted` says what else it must be.
static bool take(struct api_body *b, const char *name, enum api_need need, const char *wanted,
                 enum json_found found)
{
    check(b->taken_count < API_MEMBERS_MAX);
    b->taken[b->taken_count++] = name;
    if (found == JSON_FOUND)
        return true;
    if (found == JSON_ABSENT) {
        if (need == API_REQUIRED)
            fail_member(b, API_INVALID_ARGUMENT, name, "Missing member");
    } else {
        fail_member(b, API_INVALID_ARGUMENT, name, wanted);
    }
    return false;
}

bool api_body_has(const struct api_body *b, const char *name)
{
    return b->object != NULL && json_object_get(b->object, name) != NULL;
}

bool api_body_is_null(struct api_body *b, const char *name)
{
    return b->object != NULL && json_is_null(json_object_get(b->object, name)) &&
           take(b, name, API_OPTIONAL, "", JSON_FOUND);
}

struct bytes api_body_text(struct api_body *b, const char *name, enum api_need need, size_t min,
                           size_t max)
{
    struct bytes value = {0};
    if (!take(b, name, need, A_TEXT, json_get_text(b->object, name, &value)))
        return bytes_of(NULL, 0);
    if (value.len < min || value.len > max)
        api_body_fail(b, api_problem_length(bytes_of_text(name), min, max));
    return value;
}

int64_t api_body_integer(struct api_body *b, const char *name, int64_t min, int64_t max,
                         int64_t absent)
{
    int64_t value = 0;
    if (!take(b, name, API_OPTIONAL, "It must be a whole number",
              json_get_integer(b->object, name, INT64_MIN, INT64_MAX, &value)))
        return absent;
    if (value < min || value > max)
        api_body_fail(b, api_problem_range(bytes_of_text(name), min, max));
    return value;
}

bool api_body_bool(struct api_body *b, const char *name, bool absent)
{
    bool value = absent;
    return take(b, name, API_OPTIONAL, "It must be true or false",
                json_get_bool(b->object, name, &value))
               ? value
               : absent;
}

int api_body_enum(struct api_body *b, const char *name, enum api_need need,
                  const char *const *names)
{
    struct bytes value = {0};
    if (!take(b, name, need, A_TEXT, json_get_text(b->object, name, &value)))
        return -1;
    for (int i = 0; names[i] != NULL; i++) {
        if (bytes_equal(value, bytes_of_text(names[i])))
            return i;
    }
    api_body_fail(b, api_problem_enum(bytes_of_text(name), names));
    return -1;
}

// Where the ids are from.
static const char *unknown_id(const char *prefix)
{
    static const char *const lists[][2] = {
        {"grp", "No such object, GET /card-groups lists them"},
        {"pol", "No such object, GET /subscription-pools lists them"},
        {"sub", "No such object, GET /subscriptions lists them"},
        {"ent", "No such object, GET /enterprises lists them"},
        {"crd", "No such object, GET /cards lists them"},
        {"op", "No such object, GET /operations lists them"},
        {"upl", "No such object, GET /uploads lists them"},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (strcmp(lists[i][0], prefix) == 0)
            return lists[i][1];
    }
    return "No such object, the list of its kind shows those that are there";
}

uint64_t api_body_id(struct api_body *b, const char *name, enum api_need need, const char *prefix)
{
    struct bytes value = {0};
    if (!take(b, name, need, A_TEXT, json_get_text(b->object, name, &value)))
        return 0;
    uint64_t id = 0;
    if (!api_id_read(value, prefix, &id))
        fail_member(b, API_NOT_FOUND, name, unknown_id(prefix));
    return id;
}

struct utc api_body_time(struct api_body *b, const char *name)
{
    struct bytes value = {0};
    struct utc at = {0};
    if (take(b, name, API_OPTIONAL, A_TEXT, json_get_text(b->object, name, &value)) &&
        !api_read_time(value, &at))
        fail_member(b, API_INVALID_ARGUMENT, name, API_TIME_FORM);
    return at;
}

void api_body_range(struct api_body *b, const char *const names[API_RANGE_ENDS], struct utc *from,
                    struct utc *to)
{
    for (unsigned i = 0; i < API_RANGE_ENDS; i++) {
        const struct utc at = api_body_time(b, names[i]);
        if (api_body_has(b, names[i]))
            api_range_add(from, to, i, at);
    }
}

const json_t *api_body_object(struct api_body *b, const char *name, enum api_need need)
{
    const json_t *value = NULL;
    return take(b, name, need, "It must be an object", json_get_object(b->object, name, &value))
               ? value
               : NULL;
}

const json_t *api_body_array(struct api_body *b, const char *name, enum api_need need)
{
    const json_t *value = NULL;
    return take(b, name, need, "It must be an array", json_get_array(b->object, name, &value))
               ? value
               : NULL;
}

bool api_body_end(struct api_body *b)
{
    if (b->problem.code == API_OK && b->object != NULL) {
        const char *unknown = json_unknown(b->object, b->taken, b->taken_count);
        if (unknown != NULL)
            fail_member(b, API_INVALID_ARGUMENT, unknown, "Unknown member");
    }
    return b->problem.code == API_OK;
}

bool api_body_begin(struct api_body *outer, const char *name, struct api_body *inner)
{
    const json_t *object = api_body_object(outer, name, API_OPTIONAL);
    api_body_init(inner, object);
    return object != NULL;
}

void api_body_fail_within(struct api_body *outer, const char *name, struct api_problem p)
{
    char path[API_FIELD_MAX];
    struct writer w = writer_of(path, sizeof(path));
    text_put(&w, name);
    text_put(&w, ".");
    // A name may be a peer's, and long: it is cut.
    writer_copy(&w, bytes_slice(bytes_of_text(p.field), 0, sizeof(path) - 1 - w.len));
    text_end(&w);
    check(!w.failed);
    memcpy(p.field, path, w.len);
    api_body_fail(outer, p);
}

void api_body_close(struct api_body *outer, const char *name, struct api_body *inner)
{
    if (!api_body_end(inner))
        api_body_fail_within(outer, name, inner->problem);
}
