#include "common/base/bytes.h"

struct bytes reader_bytes(struct reader *r, size_t len)
{
    if (r->failed || len > r->left) {
        r->failed = true;
        return bytes_of(NULL, 0);
    }
    struct bytes out = bytes_of(r->at, len);
    if (len > 0)
        r->at += len;
    r->left -= len;
    return out;
}

void reader_copy(struct reader *r, void *to, size_t len)
{
    struct bytes b = reader_bytes(r, len);
    if (b.len > 0)
        memcpy(to, b.at, b.len);
    else if (len > 0)
        memset(to, 0, len);
}

struct bytes reader_rest(struct reader *r)
{
    return r->failed ? bytes_of(NULL, 0) : reader_bytes(r, r->left);
}

void reader_skip(struct reader *r, size_t len)
{
    (void)reader_bytes(r, len);
}

/*@ requires reader_is_valid(r) && len <= 8;
  @ assigns *r, \result \from *r, r->at[0 .. len - 1];
  @ ensures reader_is_valid(r);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left == \old(r->left) - (r->failed ? 0 : len);
  @ ensures r->at == \old(r->at) + (r->failed ? 0 : len);
  @ ensures !\old(r->failed) && len <= \old(r->left) ==> !r->failed;
  @ ensures r->failed ==> \result == 0;
  @*/
static uint64_t read_number(struct reader *r, size_t len)
{
    struct bytes b = reader_bytes(r, len);
    uint64_t value = 0;
    /*@ loop invariant 0 <= i <= b.len;
      @ loop invariant i == 0 ==> value == 0;
      @ loop assigns i, value;
      @ loop variant b.len - i;
      @*/
    for (size_t i = 0; i < b.len; i++)
        value = value << 8 | b.at[i];
    return value;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)read_number(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
    return (uint16_t)read_number(r, 2);
}

uint32_t reader_u24(struct reader *r)
{
    return (uint32_t)read_number(r, 3);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)read_number(r, 4);
}

uint64_t reader_u40(struct reader *r)
{
    return read_number(r, 5);
}

uint64_t reader_u64(struct reader *r)
{
    return read_number(r, 8);
}

// Room for `len` octets, or NULL and failure.
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, \result \from *w, len;
  @ ensures writer_is_valid(w);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->failed ==> \result == \null && w->len == \old(w->len);
  @ ensures !w->failed ==> \result == w->at + \old(w->len) && w->len == \old(w->len) + len;
  @*/
static uint8_t *take(struct writer *w, size_t len)
{
    if (w->failed || len > w->cap - w->len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->at + w->len;
    w->len += len;
    return at;
}

void writer_copy(struct writer *w, struct bytes b)
{
    if (b.len == 0)
        return;
    uint8_t *to = take(w, b.len);
    if (to != NULL)
        memmove(to, b.at, b.len);
}

void writer_fill(struct writer *w, uint8_t value, size_t len)
{
    if (len == 0)
        return;
    uint8_t *to = take(w, len);
    if (to != NULL)
        memset(to, value, len);
}

/*@ requires writer_is_valid(w);
  @ requires 1 <= len <= 8;
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures w->len == \old(w->len) || w->len == \old(w->len) + len;
  @ ensures !w->failed ==> w->len == \old(w->len) + len;
  @ ensures w->failed ==> w->len == \old(w->len);
  @*/
static void write_number(struct writer *w, uint64_t value, size_t len)
{
    uint8_t *to = take(w, len);
    if (to == NULL)
        return;
    /*@ loop invariant 0 <= i <= len;
      @ loop assigns i, value, to[0 .. len - 1];
      @ loop variant i;
      @*/
    for (size_t i = len; i > 0; i--) {
        to[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

void writer_u8(struct writer *w, uint8_t value)
{
    write_number(w, value, 1);
}

void writer_u16(struct writer *w, uint16_t value)
{
    write_number(w, value, 2);
}

void writer_u24(struct writer *w, uint32_t value)
{
    write_number(w, value, 3);
}

void writer_u32(struct writer *w, uint32_t value)
{
    write_number(w, value, 4);
}

void writer_u40(struct writer *w, uint64_t value)
{
    write_number(w, value, 5);
}

void writer_u64(struct writer *w, uint64_t value)
{
    write_number(w, value, 8);
}
