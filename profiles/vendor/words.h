// The small languages inside header values: lists of words, and lists of NAME=value.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>

// Takes the next word off `rest`, up to one of the characters in `separators`, which may be several
// in a row; false when nothing is left.
bool words_next(struct bytes *rest, const char *separators, struct bytes *word) MUST_USE;

struct word_value {
    const char *name;
    bool must;
    struct bytes value; // out; empty when not there
};

// Reads "NAME=value NAME=value": false when a name is unknown, comes twice, has no value, or one
// that must be there is not. Names in any case.
bool words_read(struct bytes text, struct word_value *values, size_t count) MUST_USE;
// Exactly `len` octets in hexadecimal.
bool words_hex(struct bytes text, uint8_t *to, size_t len) MUST_USE;
// A decimal number from min to max.
bool words_number(struct bytes text, uint64_t min, uint64_t max, uint64_t *number) MUST_USE;
