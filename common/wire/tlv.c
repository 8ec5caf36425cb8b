#include "common/wire/tlv.h"

#include "common/base/check.h"

/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 2];
  @ ensures reader_is_valid(r) && bytes_are_valid(\result);
  @ ensures \old(r->failed) ==> r->failed;
  @ ensures r->left <= \old(r->left);
  @*/
static struct bytes read_value(struct reader *r)
{
    const uint8_t first = reader_u8(r);
    size_t len = first;
    if (first == 0x81)
        len = reader_u8(r);
    else if (first == 0x82)
        len = reader_u16(r);
    else if (first >= 0x80)
        r->failed = true;
    return reader_bytes(r, len);
}

bool tlv_next(struct reader *r, struct tlv *out)
{
    if (r->failed || r->left == 0)
        return false;
    uint16_t tag = reader_u8(r);
    if ((tag & 0x1F) == 0x1F) {
        const uint8_t second = reader_u8(r);
        if (second & 0x80)
            r->failed = true;
        tag = (uint16_t)((unsigned)tag << 8 | second);
    }
    *out = (struct tlv){.tag = tag, .value = read_value(r)};
    return !r->failed;
}

bool tlv_find(struct bytes objects, uint16_t tag, struct bytes *value)
{
    struct reader r = reader_of(objects);
    struct tlv object;
    /*@ loop invariant reader_is_valid(&r);
      @ loop assigns r, object;
      @ loop variant r.left;
      @*/
    while (tlv_next(&r, &object)) {
        if (object.tag == tag) {
            *value = object.value;
            return true;
        }
    }
    return false;
}

bool ctlv_next(struct reader *r, struct tlv *out)
{
    if (r->failed || r->left == 0)
        return false;
    const uint8_t octet = reader_u8(r);
    const uint8_t tag = octet & 0x7F;
    if (tag == 0x00 || tag == 0x7F)
        r->failed = true;
    *out = (struct tlv){.tag = tag, .comprehension = (octet & TLV_COMPREHENSION) != 0};
    out->value = read_value(r);
    return !r->failed;
}

bool ctlv_find(struct bytes objects, uint8_t tag, struct bytes *value)
{
    struct reader r = reader_of(objects);
    struct tlv object;
    /*@ loop invariant reader_is_valid(&r);
      @ loop assigns r, object;
      @ loop variant r.left;
      @*/
    while (ctlv_next(&r, &object)) {
        if (object.tag == tag) {
            *value = object.value;
            return true;
        }
    }
    return false;
}

// Octets of the length field.
/*@ assigns \result \from len;
  @ ensures 1 <= \result <= 3;
  @ ensures len < 0x80 ==> \result == 1;
  @ ensures 0x80 <= len < 0x100 ==> \result == 2;
  @ ensures len >= 0x100 ==> \result == 3;
  @*/
static size_t length_size(size_t len)
{
    return len < 0x80 ? 1 : len < 0x100 ? 2 : 3;
}

/*@ assigns \result \from tag;
  @ ensures 1 <= \result <= 2;
  @*/
static size_t tag_size(uint16_t tag)
{
    return tag > 0xFF ? 2 : 1;
}

size_t tlv_size(uint16_t tag, size_t value_len)
{
    return tag_size(tag) + length_size(value_len) + value_len;
}

/*@ requires len < 0x80 ==> \valid(to);
  @ requires 0x80 <= len < 0x100 ==> \valid(to + (0 .. 1));
  @ requires len >= 0x100 ==> \valid(to + (0 .. 2));
  @ assigns to[0 .. (len < 0x80 ? 0 : len < 0x100 ? 1 : 2)];
  @*/
static void put_length(uint8_t *to, size_t len)
{
    const size_t size = length_size(len);
    if (size > 1)
        *to++ = (uint8_t)(0x80 + size - 1);
    if (size == 3)
        *to++ = (uint8_t)(len >> 8);
    *to = (uint8_t)len;
}

/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[0 .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures \old(w->len) <= w->len;
  @*/
static void write_tag(struct writer *w, uint16_t tag)
{
    if (tag_size(tag) == 2)
        writer_u16(w, tag);
    else
        writer_u8(w, (uint8_t)tag);
}

void tlv_write_head(struct writer *w, uint16_t tag, size_t len)
{
    if (len > TLV_VALUE_MAX) {
        w->failed = true;
        return;
    }
    uint8_t length[3];
    put_length(length, len);
    write_tag(w, tag);
    writer_copy(w, bytes_of(length, length_size(len)));
}

void tlv_write(struct writer *w, uint16_t tag, struct bytes value)
{
    tlv_write_head(w, tag, value.len);
    writer_copy(w, value);
}

struct tlv_mark tlv_open(struct writer *w, uint16_t tag)
{
    write_tag(w, tag);
    writer_u8(w, 0); // the length, if it turns out to need one octet
    return (struct tlv_mark){.value_at = w->len};
}

void tlv_close(struct writer *w, struct tlv_mark mark)
{
    if (w->failed)
        return;
    check(mark.value_at > 0 && mark.value_at <= w->len);
    const size_t len = w->len - mark.value_at;
    const size_t more = length_size(len) - 1;
    if (len > TLV_VALUE_MAX || more > writer_room(w)) {
        w->failed = true;
        return;
    }
    uint8_t *value = w->at + mark.value_at;
    memmove(value + more, value, len);
    put_length(value - 1, len);
    w->len += more;
}
