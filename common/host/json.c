#include "common/host/json.h"

#include "common/base/check.h"
#include "common/host/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// jansson calls a text wrong when memory fails while it reads a token.
static _Thread_local bool is_refused;

// It takes no notice when the text of a token cannot grow, and then writes past the end of another
// (2.14, lex_save and lex_scan_string). So the first memory that it does not get it gets from here,
// and what it has not read yet of its copy of the text becomes zeros, which end its reading.
static _Thread_local struct {
    uint8_t *text, *reserve; // NULL: nothing is read
    size_t text_len, reserve_len;
    bool is_used;
} reading;

static void *allocate(size_t len)
{
    void *at = malloc(len);
    if (at != NULL)
        return at;
    is_refused = true;
    memory_failed();
    if (reading.text == NULL || reading.is_used || len > reading.reserve_len)
        return NULL;
    memset(reading.text, 0, reading.text_len);
    reading.is_used = true;
    return reading.reserve;
}

static void release(void *at)
{
    if (reading.text == NULL || at != reading.reserve)
        free(at);
}

static void watch_memory(void)
{
    json_set_alloc_funcs(allocate, release);
}

// jansson's own limit is 2048 and cannot be set: brackets outside of texts are counted before.
static bool is_deep(struct bytes text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
        if (depth > JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

// The text of a token takes at most twice the text that it is in, and 16 octets at first.
#define TOKEN_MIN 16

// NULL, with is_refused, for want of memory.
static json_t *load(struct bytes text, json_error_t *error)
{
    const size_t reserve_len = 2 * text.len + 2 * TOKEN_MIN;
    uint8_t *block = malloc(reserve_len + text.len);
    if (block == NULL) {
        is_refused = true;
        memory_failed();
        return NULL;
    }
    reading.reserve = block;
    reading.reserve_len = reserve_len;
    reading.text = block + reserve_len;
    reading.text_len = text.len;
    bytes_copy(reading.text, text);
    reading.is_used = false;
    json_t *root = json_loadb((const char *)reading.text, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, error);
    if (is_refused) { // it may hold the reserve
        json_decref(root);
        root = NULL;
    }
    reading.text = NULL;
    free(block);
    return root;
}

enum json_fault json_read(struct bytes text, json_t **root)
{
    *root = NULL;
    if (text.len == 0)
        return JSON_READ_EMPTY;
    if (text.len >= 3 && memcmp(text.at, "\xEF\xBB\xBF", 3) == 0)
        return JSON_READ_MARKED;
    if (is_deep(text))
        return JSON_READ_DEEP;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    check(pthread_once(&once, watch_memory) == 0);
    is_refused = false;
    json_error_t error = {.line = 0};
    *root = load(text, &error);
    if (*root)
        return JSON_READ_OK;
    if (is_refused)
        return JSON_READ_NO_MEMORY;
    enum json_error_code code = json_error_code(&error);
    if (code == json_error_duplicate_key)
        return JSON_READ_DUPLICATE;
    if (code == json_error_invalid_utf8)
        return JSON_READ_ENCODING;
    return JSON_READ_SYNTAX;
}

const char *json_fault_text(enum json_fault fault)
{
    switch (fault) {
    case JSON_READ_OK:
        return "in order";
    case JSON_READ_EMPTY:
        return "empty";
    case JSON_READ_MARKED:
        return "starts with a byte order mark";
    case JSON_READ_ENCODING:
        return "not UTF-8";
    case JSON_READ_DEEP:
        return "nested too deep";
    case JSON_READ_DUPLICATE:
        return "the same member twice";
    case JSON_READ_SYNTAX:
        return "not JSON";
    case JSON_READ_NO_MEMORY:
        return "no memory";
    }
    check(false);
}

static enum json_found find(const json_t *object, const char *name, const json_t **value)
{
    *value = json_object_get(object, name);
    if (!*value)
        return JSON_ABSENT;
    return json_is_null(*value) ? JSON_NULL_FOUND : JSON_FOUND;
}

enum json_found json_get_text(const json_t *object, const char *name, struct bytes *value)
{
    const json_t *member;
    enum json_found found = find(object, name, &member);
    if (found != JSON_FOUND)
        return found;
    if (!json_is_string(member))
        return JSON_WRONG;
    *value = bytes_of(json_string_value(member), json_string_length(member));
    return JSON_FOUND;
}

enum json_found json_get_integer(const json_t *object, const char *name, int64_t min, int64_t max,
                                 int64_t *value)
{
    const json_t *member;
    enum json_found found = find(object, name, &member);
    if (found != JSON_FOUND)
        return found;
    json_int_t number = json_integer_value(member);
    if (!json_is_integer(member) || number < min || number > max)
        return JSON_WRONG;
    *value = number;
    return JSON_FOUND;
}

uint64_t json_unsigned(const json_t *object, const char *name)
{
    int64_t value = 0;
    return json_get_integer(object, name, 0, INT64_MAX, &value) == JSON_FOUND ? (uint64_t)value : 0;
}

enum json_found json_get_real(const json_t *object, const char *name, double min, double max,
                              double *value)
{
    const json_t *member;
    enum json_found found = find(object, name, &member);
    if (found != JSON_FOUND)
        return found;
    double number = json_number_value(member);
    if (!json_is_number(member) || number < min || number > max)
        return JSON_WRONG;
    *value = number;
    return JSON_FOUND;
}

enum json_found json_get_bool(const json_t *object, const char *name, bool *value)
{
    const json_t *member;
    enum json_found found = find(object, name, &member);
    if (found != JSON_FOUND)
        return found;
    if (!json_is_boolean(member))
        return JSON_WRONG;
    *value = json_is_true(member);
    return JSON_FOUND;
}

enum json_found json_get_object(const json_t *object, const char *name, const json_t **value)
{
    const json_t *member;
    enum json_found found = find(object, name, &member);
    if (found == JSON_FOUND && !json_is_object(member))
        return JSON_WRONG;
    if (found == JSON_FOUND)
        *value = member;
    return found;
}

enum json_found json_get_array(const json_t *object, const char *name, const json_t **value)
{
    const json_t *member;
    enum json_found found = find(object, name, &member);
    if (found == JSON_FOUND && !json_is_array(member))
        return JSON_WRONG;
    if (found == JSON_FOUND)
        *value = member;
    return found;
}

const char *json_unknown(const json_t *object, const char *const *names, size_t name_count)
{
    void *at = json_object_iter((json_t *)object); // reads only
    for (; at; at = json_object_iter_next((json_t *)object, at)) {
        const char *member = json_object_iter_key(at);
        size_t i = 0;
        while (i < name_count && strcmp(member, names[i]) != 0)
            i++;
        if (i == name_count)
            return member;
    }
    return NULL;
}
