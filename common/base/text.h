// Text into a bounded writer, and the few readings of text that every layer needs. No locale, no
// printf, no allocation. A writer used for text may be ended with text_end().
#pragma once

#include "common/base/bytes.h"

void text_put(struct writer *w, const char *text);
void text_decimal(struct writer *w, uint64_t value);
// Lower-case hexadecimal, two digits per octet.
void text_hex(struct writer *w, struct bytes octets);
// Upper-case hexadecimal, two digits per octet.
void text_hex_upper(struct writer *w, struct bytes octets);
// Appends a zero and gives the start; an empty string when the writer failed or is full.
const char *text_end(struct writer *w);

// The letter in the other case when it is one of A to Z, or a to z.
static inline char text_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static inline char text_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c & 0x5F : c);
}

// The value 0..15 of a hexadecimal digit in either case, or -1.
int text_hex_digit(char c);
// Reads hexadecimal of any case into `out`; false for an odd count, another character, or no room.
bool text_unhex(struct bytes text, struct writer *out) MUST_USE;
// Reads an unsigned decimal of 1 to 20 digits; false for anything else or above UINT64_MAX.
bool text_read_decimal(struct bytes text, uint64_t *value) MUST_USE;
bool text_is_digits(struct bytes text);
