// Octets in hand: a view, a reader that fails once and stays failed, and a bounded writer.
//
// Promises: nothing here allocates, reads past a view, or writes past a capacity. A failed reader
// gives zeros and empty views; a failed writer keeps what it had. Ask for failure once, at the end.
// Never: compare secrets with these (see secret.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_USE __attribute__((warn_unused_result))

// A view; owns nothing. `at` may be NULL when `len` is 0.
struct bytes {
    const uint8_t *at;
    size_t len;
};

struct reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

struct writer {
    uint8_t *at;
    size_t len;
    size_t cap;
    bool failed;
};

static inline struct bytes bytes_of(const void *at, size_t len)
{
    return (struct bytes){.at = at, .len = len};
}

// The octets of a C string, without its zero.
static inline struct bytes bytes_of_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

// Same length and same octets. Not constant in time.
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// The part of `b` from `offset`, at most `len` octets; empty when `offset` is past the end.
static inline struct bytes bytes_slice(struct bytes b, size_t offset, size_t len)
{
    if (offset >= b.len)
        return bytes_of(NULL, 0);
    return bytes_of(b.at + offset, len < b.len - offset ? len : b.len - offset);
}

// Copies all of it to `to`, which has the room; from an empty view nothing, whatever `at` is.
static inline void bytes_copy(void *to, struct bytes b)
{
    if (b.len > 0)
        memcpy(to, b.at, b.len);
}

static inline struct reader reader_of(struct bytes b)
{
    return (struct reader){.at = b.at, .left = b.len, .failed = false};
}

// The next `len` octets, or an empty view and failure when fewer are left.
struct bytes reader_bytes(struct reader *r, size_t len);
// Copies the next `len` octets to `to`, or zeros and failure.
void reader_copy(struct reader *r, void *to, size_t len);
// All that is left; leaves the reader empty. Empty when failed.
struct bytes reader_rest(struct reader *r);
void reader_skip(struct reader *r, size_t len);
// Big endian.
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u24(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u40(struct reader *r);
uint64_t reader_u64(struct reader *r);

// True when nothing failed and nothing is left.
static inline bool reader_done(const struct reader *r)
{
    return !r->failed && r->left == 0;
}

static inline struct writer writer_of(void *at, size_t cap)
{
    return (struct writer){.at = at, .len = 0, .cap = cap, .failed = false};
}

static inline struct bytes writer_bytes(const struct writer *w)
{
    return bytes_of(w->at, w->len);
}

static inline size_t writer_room(const struct writer *w)
{
    return w->cap - w->len;
}

// Each of these writes all of its octets, or none and fails.
void writer_copy(struct writer *w, struct bytes b);
void writer_fill(struct writer *w, uint8_t value, size_t len);
void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u24(struct writer *w, uint32_t value);
void writer_u32(struct writer *w, uint32_t value);
void writer_u40(struct writer *w, uint64_t value);
void writer_u64(struct writer *w, uint64_t value);
