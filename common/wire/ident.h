// Identifiers and how they are coded in files and messages: ICCID, IMSI, IMEI, IMEISV, dialling
// numbers, PLMN, access class.
//
// An identifier in text is its decimal digits and a zero, in an array of the named size. Reading
// octets answers false when they do not code such an identifier, and the text is then empty.
// Writing checks nothing that a user typed: ask ..._is_valid() before. Given anything else than a
// valid text, writing answers false and leaves the octets alone.
#pragma once

#include "common/base/bytes.h"

// The last digit that makes the Luhn sum of all digits a multiple of ten [E.118, ISO 7812-1
// annex B], as a character. `digits` are `len` decimal digits without it.
char luhn_digit(const char *digits, size_t len);
// True when the last of `len` >= 2 decimal digits is the Luhn digit of those before it.
bool luhn_is_valid(const char *digits, size_t len);

// ICCID: 19 digits with a Luhn digit last, or 20 digits, whose last one is the issuer's own
// [E.118; 102.221 §13.2].
#define ICCID_SIZE 21
#define ICCID_EF_LEN 10
// 18 to 20 digits that begin with 89; the Luhn digit is a question of its own, because cards in
// the field have wrong ones.
bool iccid_is_valid(const char *text);
bool iccid_luhn_is_valid(const char *text);
// EF.ICCID: swapped semi-octets, F as filler.
bool iccid_read(const uint8_t ef[ICCID_EF_LEN], char text[ICCID_SIZE]) MUST_USE;
bool iccid_write(const char *text, uint8_t ef[ICCID_EF_LEN]) MUST_USE;

// IMSI: 6 to 15 digits [23.003 §2.2]. EF.IMSI: a length octet, then digits with the parity mark in
// the first semi-octet [31.102 §4.2.2].
#define IMSI_SIZE 16
#define IMSI_EF_LEN 9
bool imsi_is_valid(const char *text);
bool imsi_read(const uint8_t ef[IMSI_EF_LEN], char text[IMSI_SIZE]) MUST_USE;
bool imsi_write(const char *text, uint8_t ef[IMSI_EF_LEN]) MUST_USE;
// Access class 0 to 9 as the bit mask of EF.ACC, from the last digit [22.011 §4.2].
uint16_t imsi_access_class(const char *text);

// IMEI: 15 digits, of which 14 name the equipment; the last is a Luhn digit, or 0 when it comes
// from the terminal's own record. IMEISV: the 14, then two digits of the software version
// [23.003 §6]. The octets are those of a mobile identity [24.008 §10.5.1.4].
#define IMEI_SIZE 16
#define IMEI_LEN 8
#define IMEISV_SIZE 17
#define IMEISV_LEN 9
#define IMEI_EQUIPMENT_DIGITS 14
bool imei_is_valid(const char *text); // 15 digits; the last one is not judged
bool imeisv_is_valid(const char *text);
bool imei_read(const uint8_t octets[IMEI_LEN], char text[IMEI_SIZE]) MUST_USE;
bool imei_write(const char *text, uint8_t octets[IMEI_LEN]) MUST_USE;
bool imeisv_read(const uint8_t octets[IMEISV_LEN], char text[IMEISV_SIZE]) MUST_USE;
bool imeisv_write(const char *text, uint8_t octets[IMEISV_LEN]) MUST_USE;
// Both are valid IMEIs or IMEISVs and name the same equipment.
bool imei_is_same(const char *a, const char *b);
// The IMEI of the first 14 digits of a valid IMEI or IMEISV, with its Luhn digit.
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
// 1 to 20 of the characters above; a leading + makes it international and is not kept.
bool phone_of_text(const char *text, struct phone *out) MUST_USE;
// Swapped semi-octets; an F ends the number and only F may follow. False for more than 20 digits.
bool phone_read(uint8_t type, struct bytes bcd, struct phone *out) MUST_USE;
// The same for exactly `digit_count` digits, as SMS addresses count them.
bool phone_read_counted(uint8_t type, struct bytes bcd, size_t digit_count,
                        struct phone *out) MUST_USE;
// Is it a type of number octet and what phone_read() reads, at least one digit?
bool phone_is_octets(struct bytes octets);
// The digits alone; F fills the last octet. Fails the writer for a character that is none.
void phone_write_bcd(struct writer *w, const struct phone *n);
size_t phone_bcd_len(const struct phone *n);
bool phone_is_equal(const struct phone *a, const struct phone *b);

// PLMN: three digits of country code, two or three of network code [24.008 §10.5.1.13].
#define PLMN_SIZE 7
#define PLMN_LEN 3
bool plmn_is_valid(const char *text);
bool plmn_read(const uint8_t octets[PLMN_LEN], char text[PLMN_SIZE]) MUST_USE;
bool plmn_write(const char *text, uint8_t octets[PLMN_LEN]) MUST_USE;
