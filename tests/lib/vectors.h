// Reads the blocks of tests/vectors/*.txt (the format is at the head of those files), and of a
// document (.md) its fenced blocks `vectors`.
#pragma once

#include "common/base/bytes.h"

#define VECTOR_NAME_SIZE 32
#define VECTOR_FIELDS_MAX 32
#define VECTOR_VALUE_MAX 1024

struct vector {
    char kind[VECTOR_NAME_SIZE];
    char name[VECTOR_NAME_SIZE];
    size_t field_count;
    struct {
        char key[VECTOR_NAME_SIZE];
        uint8_t octets[VECTOR_VALUE_MAX];
        size_t len;
    } fields[VECTOR_FIELDS_MAX];
};

// Calls `each` for every block of the file, in order. Returns the number of blocks; stops the test
// program when the file cannot be read or a line is not of the format.
size_t vectors_each(const char *path, void (*each)(const struct vector *v, void *context),
                    void *context);
// The value of a key; empty when the block does not have it.
struct bytes vector_get(const struct vector *v, const char *key);
bool vector_has(const struct vector *v, const char *key);
