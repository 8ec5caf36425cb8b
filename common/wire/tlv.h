// Tag, length, value: BER-TLV [101.220 §7.1.2, ISO 7816-4 §5.2.2] with tags of one and two octets,
// and COMPREHENSION-TLV [101.220 §7.1.1], whose tag octet carries the comprehension-required flag.
//
// Promises: lengths are read in the forms 00-7F, 81 LL and 82 LL LL, whether or not they are the
// shortest, and always written in the shortest. A value is a view into what was read. An object
// that does not fit fails the reader and nothing of it is given.
// Never: recurses, copies a value, or judges a tag.
// Nesting: make a reader of a value to go down; tlv_open() and tlv_close() to write.
#pragma once

#include "common/base/bytes.h"

#define TLV_COMPREHENSION 0x80u
#define TLV_VALUE_MAX 65535

struct tlv {
    uint16_t tag;       // without the comprehension flag
    bool comprehension; // that flag; false for BER-TLV
    struct bytes value;
};

// Takes the next object. False at the end, and false with `r->failed` when what is left is none:
// a tag of three octets, a length of another form, or a value longer than the rest.
/*@ requires reader_is_valid(r) && \valid(out) && \separated(r, out);
  @ assigns *r, *out;
  @ ensures reader_is_valid(r);
  @ ensures \result ==> !r->failed;
  @ ensures \result ==> r->left < \old(r->left);
  @ ensures \result ==> bytes_are_valid(out->value);
  @ ensures !\result ==> r->failed || r->left == 0;
  @*/
bool tlv_next(struct reader *r, struct tlv *out);
// The first object with this tag among well-formed neighbours; its value, or false.
/*@ requires bytes_are_valid(objects) && \valid(value);
  @ assigns *value;
  @*/
bool tlv_find(struct bytes objects, uint16_t tag, struct bytes *value) MUST_USE;

// The same for COMPREHENSION-TLV. Tag octets 00, 7F, 80 and FF fail the reader: they are reserved,
// or announce tags of three octets, which nothing here uses.
/*@ requires reader_is_valid(r) && \valid(out) && \separated(r, out);
  @ assigns *r, *out;
  @ ensures reader_is_valid(r);
  @ ensures \result ==> !r->failed;
  @ ensures \result ==> r->left < \old(r->left);
  @ ensures \result ==> bytes_are_valid(out->value);
  @ ensures !\result ==> r->failed || r->left == 0;
  @*/
bool ctlv_next(struct reader *r, struct tlv *out);
// `tag` is given without the flag; objects with and without it are found.
/*@ requires bytes_are_valid(objects) && \valid(value);
  @ assigns *value;
  @*/
bool ctlv_find(struct bytes objects, uint8_t tag, struct bytes *value) MUST_USE;

// Octets that tlv_write() makes of a value of `value_len` octets.
/*@ requires value_len <= TLV_VALUE_MAX;
  @ assigns \result \from tag, value_len;
  @ ensures value_len + 2 <= \result <= value_len + 5;
  @*/
size_t tlv_size(uint16_t tag, size_t value_len);
// Tag and length, for a value of `len` octets (at most TLV_VALUE_MAX) that the caller writes next.
// The writer fails when the length is larger.
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[0 .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures \old(w->len) <= w->len;
  @*/
void tlv_write_head(struct writer *w, uint16_t tag, size_t len);
// A whole object. For COMPREHENSION-TLV put TLV_COMPREHENSION into the tag.
/*@ requires writer_is_valid(w);
  @ requires bytes_are_valid(value);
  @ requires value.len == 0 || \separated(w, value.at + (0 .. value.len - 1));
  @ assigns w->len, w->failed, w->at[0 .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures \old(w->len) <= w->len;
  @*/
void tlv_write(struct writer *w, uint16_t tag, struct bytes value);

// An object whose length is known only after its content: everything written between open and
// close is the value. Close in the reverse order of opening.
struct tlv_mark {
    size_t value_at; // offset in the writer
};
/*@ requires writer_is_valid(w);
  @ assigns w->len, w->failed, w->at[0 .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures \old(w->len) <= w->len && \result.value_at == w->len;
  @ ensures !w->failed ==> 0 < w->len;
  @*/
struct tlv_mark tlv_open(struct writer *w, uint16_t tag);
/*@ requires writer_is_valid(w);
  @ requires w->failed || 0 < mark.value_at <= w->len;
  @ assigns w->len, w->failed, w->at[0 .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @ ensures \old(w->len) <= w->len;
  @*/
void tlv_close(struct writer *w, struct tlv_mark mark);
