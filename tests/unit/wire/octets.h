// Octets written as hexadecimal text in a test, spaces allowed, and their comparison.
#pragma once

#include "tests/lib/cmocka_all.h"

#include "common/base/bytes.h"
#include "common/base/text.h"

#define OCTETS_MAX 512

struct octets {
    uint8_t at[OCTETS_MAX];
    size_t len;
};

static inline struct octets hex(const char *text)
{
    char packed[2 * OCTETS_MAX];
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text != ' ')
            packed[len++] = *text;
    }
    struct octets out = {.len = 0};
    struct writer w = writer_of(out.at, sizeof out.at);
    assert_true(text_unhex(bytes_of(packed, len), &w));
    out.len = w.len;
    return out;
}

static inline struct bytes view(const struct octets *o)
{
    return bytes_of(o->at, o->len);
}

static inline void assert_octets(struct bytes got, const char *expected)
{
    const struct octets e = hex(expected);
    assert_int_equal(got.len, e.len);
    if (e.len > 0)
        assert_memory_equal(got.at, e.at, e.len);
}
