// JSON in, for what other people send: jansson, with the strictness that our interfaces promise,
// and getters that tell "absent" from "wrong". Writing is common/base/json_writer.h.
//
// Refused: what is not UTF-8, a byte order mark, the same member twice, deeper than 16, a NUL in a
// text, numbers that are not finite, and anything after the value.
#pragma once

#include "common/base/bytes.h"

#include <jansson.h>

#define JSON_DEPTH_MAX 16

enum json_fault {
    JSON_READ_OK = 0,
    JSON_READ_EMPTY,
    JSON_READ_MARKED,   // a byte order mark
    JSON_READ_ENCODING, // not UTF-8
    JSON_READ_DEEP,
    JSON_READ_DUPLICATE,
    JSON_READ_SYNTAX,
    JSON_READ_NO_MEMORY,
};

// One value; the caller gives it back with json_decref().
enum json_fault json_read(struct bytes text, json_t **root) MUST_USE;
// For error messages: "the same member twice", ...
const char *json_fault_text(enum json_fault fault);

enum json_found {
    JSON_FOUND,
    JSON_ABSENT, // also when `object` is NULL
    JSON_NULL_FOUND,
    JSON_WRONG, // another type, or outside the bounds
};

// The value is touched only when it is found. Views and objects live as long as the root.
enum json_found json_get_text(const json_t *object, const char *name, struct bytes *value);
enum json_found json_get_integer(const json_t *object, const char *name, int64_t min, int64_t max,
                                 int64_t *value);
// One that is not negative, of our own documents; 0 when there is none.
uint64_t json_unsigned(const json_t *object, const char *name);
enum json_found json_get_real(const json_t *object, const char *name, double min, double max,
                              double *value);
enum json_found json_get_bool(const json_t *object, const char *name, bool *value);
enum json_found json_get_object(const json_t *object, const char *name, const json_t **value);
enum json_found json_get_array(const json_t *object, const char *name, const json_t **value);
// The first member that is none of `names`, or NULL.
const char *json_unknown(const json_t *object, const char *const *names, size_t name_count);
