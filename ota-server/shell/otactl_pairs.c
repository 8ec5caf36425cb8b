// NAME=VALUE on the command line, as parameters or as JSON.
#include "ota-server/shell/otactl_task.h"

#include "common/base/text.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)64 << 10)
#define NAME_MAX_OCTETS 32

// What has another JSON type than text.
static const struct {
    const char *name;
    enum { LIST, NUMBER, FLAG, TYPES } kind;
} members[] = {
    {"scopes", LIST},       {"mechanisms", LIST},
    {"operations", LIST},   {"ratePerSecond", NUMBER},
    {"burst", NUMBER},      {"overlapSeconds", NUMBER},
    {"locked", FLAG},       {"certificateBoundTokens", FLAG},
    {"types", TYPES},       {"labels", LIST},
    {"index", NUMBER},      {"componentsNeeded", NUMBER},
    {"templateId", NUMBER}, {"lowWaterMark", NUMBER},
    {"mncLength", NUMBER},  {"fallbackEligible", FLAG},
};

json_t *ctl_list_of(const char *value)
{
    json_t *list = json_array();
    while (*value != '\0') {
        const size_t len = strcspn(value, ",");
        json_array_append_new(list, json_stringn(value, len));
        value += len + (value[len] == ',');
    }
    return list;
}

// Of events: those of the interface have one name in front, which need not be typed.
static json_t *types_of(const char *value)
{
    json_t *list = ctl_list_of(value);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name != NULL && strchr(name, '.') == NULL)
            json_array_set_new(list, i, json_sprintf("ota.connectivity-management.v1.%s", name));
    }
    return list;
}

static json_t *file_of(const char *path)
{
    size_t len = 0;
    char *text = ctl_read_file(path, FILE_MAX, &len);
    json_t *root = NULL;
    if (text != NULL && json_read(bytes_of(text, len), &root) != JSON_READ_OK)
        fprintf(stderr, "otactl: %s is no JSON\n", path);
    free(text);
    return root;
}

// NULL: it is none.
static json_t *value_of(const char *name, const char *value)
{
    uint64_t number = 0;
    if (*value == '\0')
        return json_null();
    if (*value == '@')
        return file_of(value + 1);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].name, name) != 0)
            continue;
        switch (members[i].kind) {
        case LIST:
            return ctl_list_of(value);
        case TYPES:
            return types_of(value);
        case NUMBER:
            return text_read_decimal(bytes_of_text(value), &number) && number <= INT32_MAX
                       ? json_integer((json_int_t)number)
                       : NULL;
        case FLAG:
            if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
                return json_boolean(*value == 't');
            return NULL;
        }
    }
    return json_string(value);
}

// Where the value of NAME=VALUE begins, and the name; NULL: it is none.
static const char *split(const char *pair, char name[NAME_MAX_OCTETS])
{
    const size_t len = strcspn(pair, "=");
    if (pair[len] != '=' || len == 0 || len >= NAME_MAX_OCTETS)
        return NULL;
    memcpy(name, pair, len);
    name[len] = '\0';
    return pair + len + 1;
}

bool ctl_put_pairs(const struct ctl_task *t, struct ctl_request *r)
{
    for (size_t i = 0; i < t->arg_count; i++) {
        char name[NAME_MAX_OCTETS];
        const char *value = split(t->args[i], name);
        if (value == NULL) {
            ctl_wrong(t, "expected NAME=VALUE, not", t->args[i]);
            return false;
        }
        ctl_request_query(r, name, value);
    }
    return true;
}

void ctl_put_reason(const struct ctl_task *t, json_t *object)
{
    if (ctl_has(t, OPTION_REASON))
        json_object_set_new(object, "reason", json_string(t->option[OPTION_REASON]));
}

json_t *ctl_pairs(const struct ctl_task *t, size_t first)
{
    json_t *object = json_object();
    for (size_t i = first; i < t->arg_count; i++) {
        char name[NAME_MAX_OCTETS];
        const char *text = split(t->args[i], name);
        json_t *value = text != NULL ? value_of(name, text) : NULL;
        if (value == NULL || json_object_set_new(object, name, value) != 0) {
            ctl_wrong(t, text != NULL ? "this value is none" : "expected NAME=VALUE, not",
                      t->args[i]);
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

json_t *ctl_object_of_pairs(const struct ctl_task *t, size_t first)
{
    json_t *object = ctl_pairs(t, first);
    if (object != NULL)
        ctl_put_reason(t, object);
    return object;
}

enum ctl_exit ctl_send_object(struct ctl_task *t, struct ctl_request *r, json_t *object,
                              const char *result)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return CTL_INTERNAL;
    ctl_request_json(r, bytes_of_text(text));
    const enum ctl_exit exit = ctl_change(t, r, result);
    free(text);
    return exit;
}

enum ctl_exit ctl_send_pairs(struct ctl_task *t, struct ctl_request *r, size_t first,
                             const char *result)
{
    json_t *object = ctl_object_of_pairs(t, first);
    return object != NULL ? ctl_send_object(t, r, object, result) : CTL_WRONG_USE;
}

enum ctl_exit ctl_create(struct ctl_task *t, const char *path)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", path);
    return ctl_send_pairs(t, &r, 0, NULL);
}

enum ctl_exit ctl_set(struct ctl_task *t, const char *path)
{
    struct ctl_request r;
    if (t->arg_count < 2)
        return ctl_wrong(t, "nothing to set: give NAME=VALUE", NULL);
    ctl_request_init(&r, "PATCH", path);
    ctl_request_segment(&r, t->args[0]);
    return ctl_send_pairs(t, &r, 1, t->args[0]);
}

enum ctl_exit ctl_send_reason(struct ctl_task *t, struct ctl_request *r, const char *result)
{
    if (!ctl_has(t, OPTION_REASON))
        return ctl_change(t, r, result);
    json_t *object = json_object();
    ctl_put_reason(t, object);
    return ctl_send_object(t, r, object, result);
}

enum ctl_exit ctl_delete(struct ctl_task *t, const char *path, const char *id)
{
    struct ctl_request r;
    ctl_request_init(&r, "DELETE", path);
    ctl_request_segment(&r, id);
    return ctl_send_reason(t, &r, id);
}
