// Identifiers and how they are coded in files and messages: ICCID, IMSI, IMEI, IMEISV, dialling
// numbers, PLMN, access class.
//
// An identifier in text is its decimal digits and a zero, in an array of the named size. Reading
// octets answers false when they do not code such an identifier, and the text is then empty.
// Writing checks nothing that a user typed: ask ..._is_valid() before. Given anything else than a
// valid text, writing answers false and leaves the octets alone.
#pragma once

#include "common/base/bytes.h"

/*@ predicate is_string{L}(char *text) = \exists integer n; 0 <= n < 65536 && is_text(text, n);
  @ predicate is_digits{L}(char *text, integer n) =
  @   is_text(text, n) && (\forall integer i; 0 <= i < n ==> '0' <= text[i] <= '9');
  @ // Semi-octet i of octets whose semi-octets are swapped.
  @ logic integer semi_octet{L}(uint8_t *octets, integer i) =
  @   i % 2 == 0 ? octets[i / 2] % 16 : octets[i / 2] / 16;
  @ // Semi-octets `from` up to `to` are these n digits, then fillers.
  @ predicate codes_digits{L}(uint8_t *octets, integer from, integer to, char *text, integer n) =
  @   is_digits(text, n) &&
  @   (\forall integer i; from <= i < from + n ==> semi_octet(octets, i) == text[i - from] - '0') &&
  @   (\forall integer i; from + n <= i < to ==> semi_octet(octets, i) == 15);
  @ logic integer luhn_part(integer digit, integer place) =
  @   place % 2 == 1 ? digit : (digit > 4 ? 2 * digit - 9 : 2 * digit);
  @ // Of the last n of these digits.
  @ logic integer luhn_sum{L}(char *digits, integer len, integer n) =
  @   n <= 0 ? 0 : luhn_sum(digits, len, n - 1) + luhn_part(digits[len - n] - '0', n - 1);
  @ predicate is_iccid{L}(char *text, integer n) =
  @   18 <= n <= 20 && is_digits(text, n) && text[0] == '8' && text[1] == '9';
  @*/

// The last digit that makes the Luhn sum of all digits a multiple of ten [E.118, ISO 7812-1
// annex B], as a character. `digits` are `len` decimal digits without it.
/*@ requires len < 65536 && \valid_read(digits + (0 .. len - 1));
  @ requires \forall integer i; 0 <= i < len ==> '0' <= digits[i] <= '9';
  @ assigns \result \from digits[0 .. len - 1], len;
  @ ensures '0' <= \result <= '9';
  @ ensures (luhn_sum((char *)digits, len, len) + (\result - '0')) % 10 == 0;
  @*/
char luhn_digit(const char *digits, size_t len);
// True when the last of `len` >= 2 decimal digits is the Luhn digit of those before it.
/*@ requires len < 65536 && \valid_read(digits + (0 .. len - 1));
  @ requires \forall integer i; 0 <= i < len ==> '0' <= digits[i] <= '9';
  @ assigns \result \from digits[0 .. len - 1], len;
  @ ensures \result <==> len >= 2 &&
  @   (luhn_sum((char *)digits, len - 1, len - 1) + (digits[len - 1] - '0')) % 10 == 0;
  @*/
bool luhn_is_valid(const char *digits, size_t len);

// ICCID: 19 digits with a Luhn digit last, or 20 digits, whose last one is the issuer's own
// [E.118; 102.221 §13.2].
#define ICCID_SIZE 21
#define ICCID_EF_LEN 10
// 18 to 20 digits that begin with 89; the Luhn digit is a question of its own, because cards in
// the field have wrong ones.
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @ ensures \result <==> (\exists integer n; is_iccid((char *)text, n));
  @*/
bool iccid_is_valid(const char *text);
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @*/
bool iccid_luhn_is_valid(const char *text);
// EF.ICCID: swapped semi-octets, F as filler.
/*@ requires \valid_read(ef + (0 .. ICCID_EF_LEN - 1)) && \valid(text + (0 .. ICCID_SIZE - 1));
  @ requires \separated(ef + (0 .. ICCID_EF_LEN - 1), text + (0 .. ICCID_SIZE - 1));
  @ assigns text[0 .. ICCID_SIZE - 1], \result \from ef[0 .. ICCID_EF_LEN - 1];
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==> (\exists integer n;
  @   is_iccid(text, n) && codes_digits((uint8_t *)ef, 0, 20, text, n));
  @*/
bool iccid_read(const uint8_t ef[ICCID_EF_LEN], char text[ICCID_SIZE]) MUST_USE;
/*@ requires is_string((char *)text) && \valid(ef + (0 .. ICCID_EF_LEN - 1));
  @ requires \separated(ef + (0 .. ICCID_EF_LEN - 1), text + (0 .. 20));
  @ assigns ef[0 .. ICCID_EF_LEN - 1], \result \from ef[0 .. ICCID_EF_LEN - 1], text[0 ..];
  @ ensures \result <==> (\exists integer n; is_iccid((char *)text, n));
  @ ensures !\result ==> (\forall integer i; 0 <= i < ICCID_EF_LEN ==> ef[i] == \old(ef[i]));
  @ ensures \result ==> (\forall integer n; is_digits((char *)text, n) ==>
  @   codes_digits(ef, 0, 20, (char *)text, n));
  @*/
bool iccid_write(const char *text, uint8_t ef[ICCID_EF_LEN]) MUST_USE;

// IMSI: 6 to 15 digits [23.003 §2.2]. EF.IMSI: a length octet, then digits with the parity mark in
// the first semi-octet [31.102 §4.2.2].
#define IMSI_SIZE 16
#define IMSI_EF_LEN 9
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @ ensures \result <==> (\exists integer n; 6 <= n <= 15 && is_digits((char *)text, n));
  @*/
bool imsi_is_valid(const char *text);
/*@ requires \valid_read(ef + (0 .. IMSI_EF_LEN - 1)) && \valid(text + (0 .. IMSI_SIZE - 1));
  @ requires \separated(ef + (0 .. IMSI_EF_LEN - 1), text + (0 .. IMSI_SIZE - 1));
  @ assigns text[0 .. IMSI_SIZE - 1], \result \from ef[0 .. IMSI_EF_LEN - 1];
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==> 1 <= ef[0] <= 8 && (\exists integer n;
  @   6 <= n <= 15 && codes_digits((uint8_t *)ef + 1, 1, 2 * ef[0], text, n));
  @*/
bool imsi_read(const uint8_t ef[IMSI_EF_LEN], char text[IMSI_SIZE]) MUST_USE;
/*@ requires is_string((char *)text) && \valid(ef + (0 .. IMSI_EF_LEN - 1));
  @ requires \separated(ef + (0 .. IMSI_EF_LEN - 1), text + (0 .. 20));
  @ assigns ef[0 .. IMSI_EF_LEN - 1], \result \from ef[0 .. IMSI_EF_LEN - 1], text[0 ..];
  @ ensures \result <==> (\exists integer n; 6 <= n <= 15 && is_digits((char *)text, n));
  @ ensures !\result ==> (\forall integer i; 0 <= i < IMSI_EF_LEN ==> ef[i] == \old(ef[i]));
  @ ensures \result ==> (\forall integer n; is_digits((char *)text, n) ==>
  @   ef[0] == n / 2 + 1 && codes_digits(ef + 1, 1, 16, (char *)text, n));
  @*/
bool imsi_write(const char *text, uint8_t ef[IMSI_EF_LEN]) MUST_USE;
// Access class 0 to 9 as the bit mask of EF.ACC, from the last digit [22.011 §4.2].
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @*/
uint16_t imsi_access_class(const char *text);

// IMEI: 15 digits, of which 14 name the equipment; the last is a Luhn digit, or 0 when it comes
// from the terminal's own record. IMEISV: the 14, then two digits of the software version
// [23.003 §6]. The octets are those of a mobile identity [24.008 §10.5.1.4].
#define IMEI_SIZE 16
#define IMEI_LEN 8
#define IMEISV_SIZE 17
#define IMEISV_LEN 9
#define IMEI_EQUIPMENT_DIGITS 14
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @ ensures \result <==> is_digits((char *)text, 15);
  @*/
bool imei_is_valid(const char *text); // 15 digits; the last one is not judged
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @ ensures \result <==> is_digits((char *)text, 16);
  @*/
bool imeisv_is_valid(const char *text);
/*@ requires \valid_read(octets + (0 .. IMEI_LEN - 1)) && \valid(text + (0 .. IMEI_SIZE - 1));
  @ requires \separated(octets + (0 .. IMEI_LEN - 1), text + (0 .. IMEI_SIZE - 1));
  @ assigns text[0 .. IMEI_SIZE - 1], \result \from octets[0 .. IMEI_LEN - 1];
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==> codes_digits((uint8_t *)octets, 1, 16, text, 15);
  @*/
bool imei_read(const uint8_t octets[IMEI_LEN], char text[IMEI_SIZE]) MUST_USE;
/*@ requires is_string((char *)text) && \valid(octets + (0 .. IMEI_LEN - 1));
  @ requires \separated(octets + (0 .. IMEI_LEN - 1), text + (0 .. 20));
  @ assigns octets[0 .. IMEI_LEN - 1], \result \from octets[0 .. IMEI_LEN - 1], text[0 ..];
  @ ensures \result <==> (\exists integer n; n == 15 && is_digits((char *)text, n));
  @ ensures !\result ==> (\forall integer i; 0 <= i < IMEI_LEN ==> octets[i] == \old(octets[i]));
  @ ensures \result ==> (\forall integer n; is_digits((char *)text, n) ==>
  @   codes_digits(octets, 1, 16, (char *)text, 15));
  @*/
bool imei_write(const char *text, uint8_t octets[IMEI_LEN]) MUST_USE;
/*@ requires \valid_read(octets + (0 .. IMEISV_LEN - 1)) && \valid(text + (0 .. IMEISV_SIZE - 1));
  @ requires \separated(octets + (0 .. IMEISV_LEN - 1), text + (0 .. IMEISV_SIZE - 1));
  @ assigns text[0 .. IMEISV_SIZE - 1], \result \from octets[0 .. IMEISV_LEN - 1];
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==> codes_digits((uint8_t *)octets, 1, 17, text, 16);
  @*/
bool imeisv_read(const uint8_t octets[IMEISV_LEN], char text[IMEISV_SIZE]) MUST_USE;
/*@ requires is_string((char *)text) && \valid(octets + (0 .. IMEISV_LEN - 1));
  @ requires \separated(octets + (0 .. IMEISV_LEN - 1), text + (0 .. 20));
  @ assigns octets[0 .. IMEISV_LEN - 1], \result \from octets[0 .. IMEISV_LEN - 1], text[0 ..];
  @ ensures \result <==> (\exists integer n; n == 16 && is_digits((char *)text, n));
  @ ensures !\result ==> (\forall integer i; 0 <= i < IMEISV_LEN ==> octets[i] == \old(octets[i]));
  @ ensures \result ==> (\forall integer n; is_digits((char *)text, n) ==>
  @   codes_digits(octets, 1, 18, (char *)text, 16));
  @*/
bool imeisv_write(const char *text, uint8_t octets[IMEISV_LEN]) MUST_USE;
// Both are valid IMEIs or IMEISVs and name the same equipment.
/*@ requires is_string((char *)a) && is_string((char *)b);
  @ assigns \result \from a[0 ..], b[0 ..];
  @ ensures \result ==> (\forall integer i; 0 <= i < 14 ==> a[i] == b[i]);
  @*/
bool imei_is_same(const char *a, const char *b);
// The IMEI of the first 14 digits of a valid IMEI or IMEISV, with its Luhn digit.
/*@ requires is_string((char *)text) && \valid(imei + (0 .. IMEI_SIZE - 1));
  @ requires \separated(imei + (0 .. IMEI_SIZE - 1), text + (0 .. 20));
  @ assigns imei[0 .. IMEI_SIZE - 1], \result \from text[0 ..];
  @ ensures !\result ==> imei[0] == 0;
  @ ensures \result ==> is_digits(imei, 15) &&
  @   (\forall integer i; 0 <= i < 14 ==> imei[i] == text[i]);
  @*/
bool imei_normalise(const char *text, char imei[IMEI_SIZE]) MUST_USE;

// Dialling number: type of address and digits 0-9 * # a b c [24.008 §10.5.4.7, 23.040 §9.1.2.5].
#define PHONE_DIGITS_MAX 20
#define PHONE_BCD_MAX (PHONE_DIGITS_MAX / 2)
enum phone_type {
    PHONE_UNKNOWN = 0x81,       // type unknown, ISDN numbering plan
    PHONE_INTERNATIONAL = 0x91, // international, ISDN numbering plan
};
struct phone {
    uint8_t type; // enum phone_type or another octet as received
    char digits[PHONE_DIGITS_MAX + 1];
};
/*@ predicate is_phone{L}(struct phone *p) =
  @   \exists integer n; 0 <= n <= PHONE_DIGITS_MAX && is_text(&p->digits[0], n);
  @*/

// 1 to 20 of the characters above; a leading + makes it international and is not kept.
bool phone_of_text(const char *text, struct phone *out) MUST_USE;
// Swapped semi-octets; an F ends the number and only F may follow. False for more than 20 digits.
/*@ requires bytes_are_valid(bcd) && bcd.len < 65536 && \valid(out);
  @ requires \separated(out, bcd.at + (0 .. bcd.len - 1));
  @ assigns *out, \result \from type, bcd, bcd.at[0 .. bcd.len - 1];
  @ ensures is_phone(out) && out->type == type;
  @ ensures !\result ==> out->digits[0] == 0;
  @*/
bool phone_read(uint8_t type, struct bytes bcd, struct phone *out) MUST_USE;
// The same for exactly `digit_count` digits, as SMS addresses count them.
/*@ requires bytes_are_valid(bcd) && \valid(out);
  @ requires \separated(out, bcd.at + (0 .. bcd.len - 1));
  @ assigns *out, \result \from type, bcd, bcd.at[0 .. bcd.len - 1], digit_count;
  @ ensures is_phone(out) && out->type == type;
  @ ensures !\result ==> out->digits[0] == 0;
  @ ensures \result ==> digit_count <= PHONE_DIGITS_MAX && is_text(&out->digits[0], digit_count);
  @*/
bool phone_read_counted(uint8_t type, struct bytes bcd, size_t digit_count,
                        struct phone *out) MUST_USE;
// Is it a type of number octet and what phone_read() reads, at least one digit?
/*@ requires bytes_are_valid(octets) && octets.len < 65536;
  @ assigns \result \from octets, octets.at[0 .. octets.len - 1];
  @ ensures \result ==> octets.len >= 2;
  @*/
bool phone_is_octets(struct bytes octets);
// The digits alone; F fills the last octet. Fails the writer for a character that is none.
/*@ requires writer_is_valid(w) && \valid_read(n) && is_phone((struct phone *)n);
  @ requires \separated(w, n) && \separated(n, w->at + (0 .. w->cap - 1));
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures \old(w->failed) ==> w->failed;
  @*/
void phone_write_bcd(struct writer *w, const struct phone *n);
/*@ requires \valid_read(n) && is_phone((struct phone *)n);
  @ assigns \result \from *n;
  @ ensures \result <= PHONE_BCD_MAX;
  @*/
size_t phone_bcd_len(const struct phone *n);
bool phone_is_equal(const struct phone *a, const struct phone *b);

// PLMN: three digits of country code, two or three of network code [24.008 §10.5.1.13].
#define PLMN_SIZE 7
#define PLMN_LEN 3
/*@ requires is_string((char *)text);
  @ assigns \result \from text[0 ..];
  @ ensures \result <==> is_digits((char *)text, 5) || is_digits((char *)text, 6);
  @*/
bool plmn_is_valid(const char *text);
/*@ requires \valid_read(octets + (0 .. PLMN_LEN - 1)) && \valid(text + (0 .. PLMN_SIZE - 1));
  @ requires \separated(octets + (0 .. PLMN_LEN - 1), text + (0 .. PLMN_SIZE - 1));
  @ assigns text[0 .. PLMN_SIZE - 1], \result \from octets[0 .. PLMN_LEN - 1];
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==> is_digits(text, 5) || is_digits(text, 6);
  @*/
bool plmn_read(const uint8_t octets[PLMN_LEN], char text[PLMN_SIZE]) MUST_USE;
/*@ requires is_string((char *)text) && \valid(octets + (0 .. PLMN_LEN - 1));
  @ requires \separated(octets + (0 .. PLMN_LEN - 1), text + (0 .. 20));
  @ assigns octets[0 .. PLMN_LEN - 1], \result \from octets[0 .. PLMN_LEN - 1], text[0 ..];
  @ ensures \result <==> is_digits((char *)text, 5) || is_digits((char *)text, 6);
  @*/
bool plmn_write(const char *text, uint8_t octets[PLMN_LEN]) MUST_USE;
