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

/*@ predicate bytes_are_valid{L}(struct bytes b) =
  @   b.len == 0 || \valid_read(b.at + (0 .. b.len - 1));
  @ predicate reader_is_valid{L}(struct reader *r) =
  @   \valid(r) && (r->left == 0 || \valid_read(r->at + (0 .. r->left - 1)));
  @ predicate writer_is_valid{L}(struct writer *w) =
  @   \valid(w) && w->len <= w->cap && (w->cap == 0 || \valid(w->at + (0 .. w->cap - 1))) &&
  @   (w->cap == 0 || \separated(w, w->at + (0 .. w->cap - 1)));
  @*/

/*@ assigns \result \from at, len;
  @ ensures \result.at == (uint8_t *)at && \result.len == len;
  @*/
static inline struct bytes bytes_of(const void *at, size_t len)
{
    return (struct bytes){.at = at, .len = len};
}

// The octets of a C string, without its zero.
/*@ requires \exists integer len; 0 <= len < 65536 && is_text((char *)text, len);
  @ assigns \result \from text, text[0 ..];
  @ ensures bytes_are_valid(\result);
  @*/
static inline struct bytes bytes_of_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

// Same length and same octets. Not constant in time.
/*@ requires bytes_are_valid(a) && bytes_are_valid(b);
  @ assigns \result \from a, b, a.at[0 .. a.len - 1], b.at[0 .. b.len - 1];
  @ ensures \result <==> a.len == b.len &&
  @   (\forall integer i; 0 <= i < a.len ==> a.at[i] == b.at[i]);
  @*/
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// The part of `b` from `offset`, at most `len` octets; empty when `offset` is past the end.
/*@ requires bytes_are_valid(b);
  @ assigns \result \from b, offset, len;
  @ ensures bytes_are_valid(\result) && \result.len <= len;
  @ ensures offset >= b.len ==> \result.len == 0;
  @ ensures offset < b.len ==> \result.at == b.at + offset;
  @ ensures offset < b.len ==> \result.len == \min(len, b.len - offset);
  @*/
static inline struct bytes bytes_slice(struct bytes b, size_t offset, size_t len)
{
    if (offset >= b.len)
        return bytes_of(NULL, 0);
    return bytes_of(b.at + offset, len < b.len - offset ? len : b.len - offset);
}

// Copies all of it to `to`, which has the room; from an empty view nothing, whatever `at` is.
/*@ requires bytes_are_valid(b);
  @ requires b.len == 0 || \valid((uint8_t *)to + (0 .. b.len - 1));
  @ requires b.len == 0 || \separated((uint8_t *)to + (0 .. b.len - 1), b.at + (0 .. b.len - 1));
  @ assigns ((uint8_t *)to)[0 .. b.len - 1];
  @*/
static inline void bytes_copy(void *to, struct bytes b)
{
    if (b.len > 0)
        memcpy(to, b.at, b.len);
}

/*@ assigns \result \from b;
  @ ensures \result.at == b.at && \result.left == b.len && \result.failed == 0;
  @*/
static inline struct reader reader_of(struct bytes b)
{
    return (struct reader){.at = b.at, .left = b.len, .failed = false};
}

// The next `len` octets, or an empty view and failure when fewer are left.
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, len;
  @ ensures reader_is_valid(r) && bytes_are_valid(\result);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->failed ==> \result.len == 0 && r->left == \old(r->left) && r->at == \old(r->at);
  @ ensures !r->failed ==> \result.len == len && r->left == \old(r->left) - len;
  @ ensures !r->failed ==> \result.at == \old(r->at) && r->at == \old(r->at) + len;
  @ ensures !\old(r->failed) && len <= \old(r->left) ==> !r->failed;
  @*/
struct bytes reader_bytes(struct reader *r, size_t len);
// Copies the next `len` octets to `to`, or zeros and failure.
/*@ requires reader_is_valid(r);
  @ requires len == 0 || \valid((uint8_t *)to + (0 .. len - 1));
  @ requires \separated(r, (uint8_t *)to + (0 .. len - 1));
  @ requires \separated(r->at + (0 .. r->left - 1), (uint8_t *)to + (0 .. len - 1));
  @ assigns *r, ((uint8_t *)to)[0 .. len - 1];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : len);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : len);
  @*/
void reader_copy(struct reader *r, void *to, size_t len);
// All that is left; leaves the reader empty. Empty when failed.
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r;
  @ ensures reader_is_valid(r) && bytes_are_valid(\result);
  @ ensures r->failed == \old(r->failed);
  @ ensures r->failed ==> \result.len == 0;
  @ ensures !r->failed ==> r->left == 0 && \result.len == \old(r->left);
  @*/
struct bytes reader_rest(struct reader *r);
/*@ requires reader_is_valid(r);
  @ assigns *r;
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : len);
  @*/
void reader_skip(struct reader *r, size_t len);
// Big endian.
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 0];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : 1);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : 1);
  @ ensures !\old(r->failed) && 1 <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
uint8_t reader_u8(struct reader *r);
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 1];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : 2);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : 2);
  @ ensures !\old(r->failed) && 2 <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
uint16_t reader_u16(struct reader *r);
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 2];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : 3);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : 3);
  @ ensures !\old(r->failed) && 3 <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
uint32_t reader_u24(struct reader *r);
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 3];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : 4);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : 4);
  @ ensures !\old(r->failed) && 4 <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
uint32_t reader_u32(struct reader *r);
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 4];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : 5);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : 5);
  @ ensures !\old(r->failed) && 5 <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
uint64_t reader_u40(struct reader *r);
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 7];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : 8);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : 8);
  @ ensures !\old(r->failed) && 8 <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
uint64_t reader_u64(struct reader *r);

// True when nothing failed and nothing is left.
/*@ requires \valid_read(r);
  @ assigns \result \from *r;
  @ ensures \result <==> !r->failed && r->left == 0;
  @*/
static inline bool reader_done(const struct reader *r)
{
    return !r->failed && r->left == 0;
}

/*@ assigns \result \from at, cap;
  @ ensures \result.at == (uint8_t *)at && \result.len == 0 && \result.cap == cap;
  @ ensures \result.failed == 0;
  @*/
static inline struct writer writer_of(void *at, size_t cap)
{
    return (struct writer){.at = at, .len = 0, .cap = cap, .failed = false};
}

/*@ requires writer_is_valid((struct writer *)w);
  @ assigns \result \from *w;
  @ ensures bytes_are_valid(\result) && \result.at == w->at && \result.len == w->len;
  @*/
static inline struct bytes writer_bytes(const struct writer *w)
{
    return bytes_of(w->at, w->len);
}

/*@ requires writer_is_valid((struct writer *)w);
  @ assigns \result \from *w;
  @ ensures \result == w->cap - w->len;
  @*/
static inline size_t writer_room(const struct writer *w)
{
    return w->cap - w->len;
}

// Each of these writes all of its octets, or none and fails.
/*@ requires writer_is_valid(w);
  @ requires bytes_are_valid(b);
  @ requires b.len == 0 || \separated(w, b.at + (0 .. b.len - 1));
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + b.len;
  @ ensures !w->failed ==> w->len == \old(w->len) + b.len;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_copy(struct writer *w, struct bytes b);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + len;
  @ ensures !w->failed ==> w->len == \old(w->len) + len;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_fill(struct writer *w, uint8_t value, size_t len);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + 1;
  @ ensures !w->failed ==> w->len == \old(w->len) + 1;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_u8(struct writer *w, uint8_t value);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + 2;
  @ ensures !w->failed ==> w->len == \old(w->len) + 2;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_u16(struct writer *w, uint16_t value);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + 3;
  @ ensures !w->failed ==> w->len == \old(w->len) + 3;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_u24(struct writer *w, uint32_t value);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + 4;
  @ ensures !w->failed ==> w->len == \old(w->len) + 4;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_u32(struct writer *w, uint32_t value);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + 5;
  @ ensures !w->failed ==> w->len == \old(w->len) + 5;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_u40(struct writer *w, uint64_t value);
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + 8;
  @ ensures !w->failed ==> w->len == \old(w->len) + 8;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
void writer_u64(struct writer *w, uint64_t value);
