// Which values of a file have been seen, and where first: a hash set of 12 octets per value.
//
// Promises: values are told apart by 64 bits that the caller makes: exact numbers where they fit,
// keyed fingerprints for keys (two of a million records meet by chance once in 10^6 files). The
// table is mixed with a seed, so that nobody chooses its collisions. Memory is what is said at
// seen_open(), unless more values come: then it grows.
#pragma once

#include "common/base/bytes.h"

// Line in the file and column of a value: lines below 2^24, columns below 2^7.
struct seen_place {
    uint32_t line;
    uint8_t column;
};

struct seen {
    /* private */
    uint64_t *values;
    uint32_t *places;
    size_t cap;
    size_t count;
    uint64_t seed;
};

enum seen_verdict {
    SEEN_NEW,
    SEEN_AGAIN,    // `first` is where it was first, for the first time again
    SEEN_REPEATED, // the same, and this has been answered before
    SEEN_NO_MEMORY,
};

bool seen_open(struct seen *s, size_t expected, uint64_t seed) MUST_USE;
// Harmless on a zeroed struct.
void seen_close(struct seen *s);
enum seen_verdict seen_add(struct seen *s, uint64_t value, struct seen_place place,
                           struct seen_place *first) MUST_USE;
