// A set of line numbers, one bit per line up to the highest one in it.
#pragma once

#include "common/base/bytes.h"

struct line_set {
    /* private */
    uint8_t *bits;
    size_t size; // octets
};

// A zeroed struct is an empty set. False when there is no memory.
bool line_set_add(struct line_set *s, uint32_t line) MUST_USE;
bool line_set_has(const struct line_set *s, uint32_t line);
// How many lines are in `s` and not in `without`.
uint64_t line_set_count(const struct line_set *s, const struct line_set *without);
void line_set_close(struct line_set *s);
