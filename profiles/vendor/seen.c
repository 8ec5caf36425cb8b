#include "profiles/vendor/seen.h"

#include "common/base/check.h"

#include <stdlib.h>

#define LINE_BITS 24
#define LINE_MASK ((1U << LINE_BITS) - 1)
#define COLUMN_MASK 0x7FU
#define ANSWERED 0x80000000U
#define EMPTY 0

// Full at five sixths.
static bool is_full(size_t count, size_t cap)
{
    return count >= cap - cap / 6;
}

bool seen_open(struct seen *s, size_t expected, uint64_t seed)
{
    size_t cap = expected + expected / 5 + 16;
    *s = (struct seen){.cap = cap, .seed = seed};
    s->values = calloc(cap, sizeof *s->values);
    s->places = calloc(cap, sizeof *s->places);
    if (s->values != NULL && s->places != NULL)
        return true;
    seen_close(s);
    return false;
}

void seen_close(struct seen *s)
{
    free(s->values);
    free(s->places);
    *s = (struct seen){0};
}

// The finaliser of SplitMix64, and its high bits scaled to the table.
static size_t home(const struct seen *s, uint64_t value)
{
    uint64_t x = value ^ s->seed;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
    x = (x ^ x >> 27) * 0x94D049BB133111EBU;
    x ^= x >> 31;
    return (size_t)((x >> 32) * s->cap >> 32);
}

// The place of the value, or the empty one where it belongs.
static size_t find(const struct seen *s, uint64_t value)
{
    size_t at = home(s, value);
    while (s->values[at] != EMPTY && s->values[at] != value)
        at = at + 1 == s->cap ? 0 : at + 1;
    return at;
}

static bool grow(struct seen *s)
{
    struct seen before = *s;
    if (!seen_open(s, before.cap * 2, before.seed)) {
        *s = before;
        return false;
    }
    for (size_t i = 0; i < before.cap; i++) {
        if (before.values[i] == EMPTY)
            continue;
        size_t at = find(s, before.values[i]);
        s->values[at] = before.values[i];
        s->places[at] = before.places[i];
    }
    s->count = before.count;
    seen_close(&before);
    return true;
}

enum seen_verdict seen_add(struct seen *s, uint64_t value, struct seen_place place,
                           struct seen_place *first)
{
    check(place.line <= LINE_MASK && place.column <= COLUMN_MASK);
    value = value == EMPTY ? 1 : value;
    if (is_full(s->count, s->cap) && !grow(s))
        return SEEN_NO_MEMORY;
    size_t at = find(s, value);
    if (s->values[at] == EMPTY) {
        s->values[at] = value;
        s->places[at] = place.line | (uint32_t)place.column << LINE_BITS;
        s->count++;
        return SEEN_NEW;
    }
    uint32_t known = s->places[at];
    first->line = known & LINE_MASK;
    first->column = (uint8_t)(known >> LINE_BITS & COLUMN_MASK);
    s->places[at] = known | ANSWERED;
    return (known & ANSWERED) != 0 ? SEEN_REPEATED : SEEN_AGAIN;
}
