#include "common/wire/ident.h"

// What fills the unused half of the last octet.
#define FILLER 0x0F

// Length of a text of decimal digits alone, or 0 for any other text or more than `max` digits.
/*@ requires is_string((char *)text) && max < 256;
  @ assigns \result \from text[0 ..], max;
  @ ensures \result <= max;
  @ ensures \result > 0 ==> is_digits((char *)text, \result);
  @ ensures \forall integer n; 0 <= n <= max && is_digits((char *)text, n) ==> \result == n;
  @*/
static size_t digits_of(const char *text, size_t max)
{
    size_t len = 0;
    /*@ loop invariant 0 <= len <= max;
      @ loop invariant \forall integer i; 0 <= i < len ==> '0' <= text[i] <= '9';
      @ loop invariant \forall integer n; is_text((char *)text, n) ==> len <= n;
      @ loop assigns len;
      @ loop variant max - len;
      @*/
    while (text[len] >= '0' && text[len] <= '9') {
        len++;
        if (len > max)
            return 0;
    }
    return text[len] == '\0' ? len : 0;
}

// Semi-octet `index`, from 0, of octets with swapped semi-octets.
/*@ requires \valid_read(octets + index / 2);
  @ assigns \result \from octets[index / 2], index;
  @ ensures \result == semi_octet((uint8_t *)octets, index);
  @ ensures \result <= 15;
  @*/
static uint8_t swapped_at(const uint8_t *octets, size_t index)
{
    const uint8_t octet = octets[index / 2];
    return index % 2 == 0 ? octet % 16 : octet / 16;
}

/*@ requires \valid(octets + index / 2) && value <= 15;
  @ assigns octets[index / 2];
  @ ensures semi_octet(octets, index) == value;
  @ ensures \forall integer k; 0 <= k && k != index ==>
  @   semi_octet(octets, k) == \old(semi_octet(octets, k));
  @*/
static void put_swapped(uint8_t *octets, size_t index, uint8_t value)
{
    uint8_t *octet = &octets[index / 2];
    if (index % 2 == 0)
        *octet = (uint8_t)(*octet / 16 * 16 + value);
    else
        *octet = (uint8_t)(value * 16 + *octet % 16);
}

// Digits from semi-octet `from` up to `to`, ended by fillers alone. Writes the text and its zero
// (to - from + 1 characters at most); false, and an empty text, for anything else.
/*@ requires from <= to <= 64 && \valid_read(octets + (0 .. (to - 1) / 2));
  @ requires \valid(text + (0 .. to - from));
  @ requires \separated(octets + (0 .. (to - 1) / 2), text + (0 .. to - from));
  @ assigns text[0 .. to - from], \result \from octets[0 .. (to - 1) / 2], from, to;
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==>
  @   (\exists integer n; 0 <= n <= to - from && codes_digits((uint8_t *)octets, from, to, text,
  n));
  @*/
static bool read_digits(const uint8_t *octets, size_t from, size_t to, char *text)
{
    size_t len = 0;
    bool ended = false;
    /*@ loop invariant from <= i <= to && len <= i - from;
      @ loop invariant !ended ==> len == i - from;
      @ loop invariant \forall integer k; 0 <= k < len ==> '0' <= text[k] <= '9';
      @ loop invariant \forall integer k; from <= k < from + len ==>
      @   semi_octet((uint8_t *)octets, k) == text[k - from] - '0';
      @ loop invariant \forall integer k; from + len <= k < i ==>
      @   semi_octet((uint8_t *)octets, k) == FILLER;
      @ loop assigns i, len, ended, text[0 .. to - from - 1];
      @ loop variant to - i;
      @*/
    for (size_t i = from; i < to; i++) {
        const uint8_t value = swapped_at(octets, i);
        if (value == FILLER) {
            ended = true;
        } else if (ended || value > 9) {
            text[0] = '\0';
            return false;
        } else {
            text[len++] = (char)('0' + value);
        }
    }
    text[len] = '\0';
    //@ assert is_digits(text, (integer)len);
    //@ assert codes_digits((uint8_t *)octets, from, to, text, (integer)len);
    return true;
}

// Semi-octets `from` up to `to`: the digits, then fillers.
/*@ requires from <= to <= 64 && \valid(octets + (0 .. (to - 1) / 2));
  @ requires \exists integer n; 0 <= n <= to - from && is_digits((char *)digits, n);
  @ requires \separated(octets + (0 .. (to - 1) / 2), digits + (0 .. to - from));
  @ assigns octets[from / 2 .. (to - 1) / 2];
  @ ensures \forall integer n; is_digits((char *)digits, n) && n <= to - from ==>
  @   codes_digits(octets, from, to, (char *)digits, n);
  @ ensures from % 2 == 1 ==> semi_octet(octets, from - 1) == \old(semi_octet(octets, from - 1));
  @*/
static void write_digits(uint8_t *octets, size_t from, size_t to, const char *digits)
{
    const size_t len = strlen(digits);
    //@ assert \forall integer n; is_text((char *)digits, n) ==> n == len;
    //@ assert is_digits((char *)digits, (integer)len) && len <= to - from;
    /*@ loop invariant from <= i <= from + len;
      @ loop invariant \forall integer k; from <= k < i ==>
      @   semi_octet(octets, k) == digits[k - from] - '0';
      @ loop invariant from % 2 == 1 ==>
      @   semi_octet(octets, from - 1) == \at(semi_octet(octets, from - 1), Pre);
      @ loop assigns i, octets[from / 2 .. (to - 1) / 2];
      @ loop variant from + len - i;
      @*/
    for (size_t i = from; i < from + len; i++)
        put_swapped(octets, i, (uint8_t)(digits[i - from] - '0'));
    /*@ loop invariant from + len <= i <= to;
      @ loop invariant \forall integer k; from <= k < from + len ==>
      @   semi_octet(octets, k) == digits[k - from] - '0';
      @ loop invariant \forall integer k; from + len <= k < i ==> semi_octet(octets, k) == FILLER;
      @ loop invariant from % 2 == 1 ==>
      @   semi_octet(octets, from - 1) == \at(semi_octet(octets, from - 1), Pre);
      @ loop assigns i, octets[from / 2 .. (to - 1) / 2];
      @ loop variant to - i;
      @*/
    for (size_t i = from + len; i < to; i++)
        put_swapped(octets, i, FILLER);
}

char luhn_digit(const char *digits, size_t len)
{
    unsigned sum = 0;
    /*@ loop invariant 0 <= i <= len;
      @ loop invariant sum <= 9 * i;
      @ loop invariant sum == luhn_sum((char *)digits, len, i);
      @ loop assigns i, sum;
      @ loop variant len - i;
      @*/
    for (size_t i = 0; i < len; i++) {
        const unsigned digit = (unsigned)(digits[len - 1 - i] - '0');
        //@ assert digit <= 9 && digit == digits[len - (i + 1)] - '0';
        /*@ assert luhn_sum((char *)digits, len, i + 1) ==
          @   luhn_sum((char *)digits, len, (integer)i) + luhn_part((integer)digit, (integer)i);
          @*/
        const unsigned twice = 2 * digit;
        if (i % 2 == 0)
            sum += twice > 9 ? twice - 9 : twice;
        else
            sum += digit;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

bool luhn_is_valid(const char *digits, size_t len)
{
    return len >= 2 && luhn_digit(digits, len - 1) == digits[len - 1];
}

// --- ICCID

bool iccid_is_valid(const char *text)
{
    return digits_of(text, ICCID_SIZE - 1) >= 18 && text[0] == '8' && text[1] == '9';
}

bool iccid_luhn_is_valid(const char *text)
{
    // 20 digits: the last one is the issuer's own, unless the sum runs over all of them.
    const size_t len = digits_of(text, ICCID_SIZE - 1);
    return len >= 18 && (luhn_is_valid(text, len) || (len == 20 && luhn_is_valid(text, 19)));
}

bool iccid_read(const uint8_t ef[ICCID_EF_LEN], char text[ICCID_SIZE])
{
    if (read_digits(ef, 0, (size_t)2 * ICCID_EF_LEN, text) && iccid_is_valid(text))
        return true;
    text[0] = '\0';
    return false;
}

bool iccid_write(const char *text, uint8_t ef[ICCID_EF_LEN])
{
    if (!iccid_is_valid(text))
        return false;
    write_digits(ef, 0, (size_t)2 * ICCID_EF_LEN, text);
    return true;
}

// --- IMSI

bool imsi_is_valid(const char *text)
{
    return digits_of(text, IMSI_SIZE - 1) >= 6;
}

bool imsi_read(const uint8_t ef[IMSI_EF_LEN], char text[IMSI_SIZE])
{
    text[0] = '\0';
    const size_t len = ef[0];
    if (len < 1 || len > IMSI_EF_LEN - 1)
        return false;
    const bool is_odd = (ef[1] & 0x08) != 0;
    if ((ef[1] & 0x07) != 1) // type: IMSI
        return false;
    if (!read_digits(ef + 1, 1, 2 * len, text))
        return false;
    if (imsi_is_valid(text) && (strlen(text) % 2 == 1) == is_odd && strlen(text) + 2 > 2 * len - 1)
        return true;
    text[0] = '\0';
    return false;
}

bool imsi_write(const char *text, uint8_t ef[IMSI_EF_LEN])
{
    if (!imsi_is_valid(text))
        return false;
    const size_t len = strlen(text);
    ef[0] = (uint8_t)(len / 2 + 1);
    ef[1] = len % 2 == 1 ? 0x09 : 0x01;
    write_digits(ef + 1, 1, (size_t)2 * (IMSI_EF_LEN - 1), text);
    return true;
}

uint16_t imsi_access_class(const char *text)
{
    const size_t len = digits_of(text, IMSI_SIZE - 1);
    return len == 0 ? 0 : (uint16_t)(1u << (text[len - 1] - '0'));
}

// --- IMEI

bool imei_is_valid(const char *text)
{
    return digits_of(text, IMEI_SIZE) == IMEI_SIZE - 1;
}

bool imeisv_is_valid(const char *text)
{
    return digits_of(text, IMEISV_SIZE) == IMEISV_SIZE - 1;
}

// The first semi-octet of a mobile identity: parity, then the type.
#define IDENTITY_IMEI 0x0A
#define IDENTITY_IMEISV 0x03

// The digits behind it, up to semi-octet `to`.
/*@ requires 2 <= to <= 64 && \valid_read(octets + (0 .. (to - 1) / 2));
  @ requires \valid(text + (0 .. to - 1));
  @ requires \separated(octets + (0 .. (to - 1) / 2), text + (0 .. to - 1));
  @ assigns text[0 .. to - 1], \result \from octets[0 .. (to - 1) / 2], to, type;
  @ ensures !\result ==> text[0] == 0;
  @ ensures \result ==> semi_octet((uint8_t *)octets, 0) == type &&
  @   (\exists integer n; 0 <= n < to && codes_digits((uint8_t *)octets, 1, to, text, n));
  @*/
static bool read_identity(const uint8_t *octets, size_t to, uint8_t type, char *text)
{
    if (swapped_at(octets, 0) == type && read_digits(octets, 1, to, text))
        return true;
    text[0] = '\0';
    return false;
}

bool imei_read(const uint8_t octets[IMEI_LEN], char text[IMEI_SIZE])
{
    if (read_identity(octets, (size_t)2 * IMEI_LEN, IDENTITY_IMEI, text) && imei_is_valid(text))
        return true;
    text[0] = '\0';
    return false;
}

bool imei_write(const char *text, uint8_t octets[IMEI_LEN])
{
    if (!imei_is_valid(text))
        return false;
    octets[0] = IDENTITY_IMEI;
    write_digits(octets, 1, (size_t)2 * IMEI_LEN, text);
    return true;
}

bool imeisv_read(const uint8_t octets[IMEISV_LEN], char text[IMEISV_SIZE])
{
    // 16 digits and the filler behind them, for which the text has no room.
    const size_t last = (size_t)2 * IMEISV_LEN - 1;
    if (swapped_at(octets, last) == FILLER && read_identity(octets, last, IDENTITY_IMEISV, text) &&
        imeisv_is_valid(text))
        return true;
    text[0] = '\0';
    return false;
}

bool imeisv_write(const char *text, uint8_t octets[IMEISV_LEN])
{
    if (!imeisv_is_valid(text))
        return false;
    octets[0] = IDENTITY_IMEISV;
    write_digits(octets, 1, (size_t)2 * IMEISV_LEN, text);
    return true;
}

bool imei_is_same(const char *a, const char *b)
{
    if ((!imei_is_valid(a) && !imeisv_is_valid(a)) || (!imei_is_valid(b) && !imeisv_is_valid(b)))
        return false;
    /*@ loop invariant 0 <= i <= IMEI_EQUIPMENT_DIGITS;
      @ loop invariant \forall integer k; 0 <= k < i ==> a[k] == b[k];
      @ loop assigns i;
      @ loop variant IMEI_EQUIPMENT_DIGITS - i;
      @*/
    for (size_t i = 0; i < IMEI_EQUIPMENT_DIGITS; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

bool imei_normalise(const char *text, char imei[IMEI_SIZE])
{
    if (!imei_is_valid(text) && !imeisv_is_valid(text)) {
        imei[0] = '\0';
        return false;
    }
    /*@ loop invariant 0 <= i <= IMEI_EQUIPMENT_DIGITS;
      @ loop invariant \forall integer k; 0 <= k < i ==> imei[k] == text[k];
      @ loop assigns i, imei[0 .. IMEI_EQUIPMENT_DIGITS - 1];
      @ loop variant IMEI_EQUIPMENT_DIGITS - i;
      @*/
    for (size_t i = 0; i < IMEI_EQUIPMENT_DIGITS; i++)
        imei[i] = text[i];
    //@ assert \forall integer k; 0 <= k < IMEI_EQUIPMENT_DIGITS ==> '0' <= imei[k] <= '9';
    imei[IMEI_EQUIPMENT_DIGITS] = luhn_digit(imei, IMEI_EQUIPMENT_DIGITS);
    imei[IMEI_EQUIPMENT_DIGITS + 1] = '\0';
    return true;
}

// --- telephone numbers

static const char phone_characters[] = "0123456789*#abc";

/*@ assigns \result \from c;
  @ ensures \result <= FILLER;
  @ ensures \result < FILLER ==> phone_characters[\result] == c && c != 0;
  @*/
static uint8_t phone_value(char c)
{
    uint8_t value = 0;
    /*@ loop invariant 0 <= value <= FILLER;
      @ loop assigns value;
      @ loop variant FILLER - value;
      @*/
    while (phone_characters[value] != '\0' && phone_characters[value] != c)
        value++;
    return value; // FILLER for any other character
}

bool phone_of_text(const char *text, struct phone *out)
{
    *out = (struct phone){.type = PHONE_UNKNOWN};
    if (*text == '+') {
        out->type = PHONE_INTERNATIONAL;
        text++;
    }
    size_t len = 0;
    while (text[len] != '\0') {
        if (len == PHONE_DIGITS_MAX || phone_value(text[len]) == FILLER) {
            out->digits[0] = '\0';
            return false;
        }
        out->digits[len] = text[len];
        out->digits[len + 1] = '\0';
        len++;
    }
    return len > 0;
}

bool phone_read(uint8_t type, struct bytes bcd, struct phone *out)
{
    size_t len = 2 * bcd.len;
    /*@ loop invariant 0 <= len <= 2 * bcd.len;
      @ loop assigns len;
      @ loop variant len;
      @*/
    while (len > 0 && swapped_at(bcd.at, len - 1) == FILLER)
        len--;
    return phone_read_counted(type, bytes_slice(bcd, 0, (len + 1) / 2), len, out);
}

bool phone_read_counted(uint8_t type, struct bytes bcd, size_t digit_count, struct phone *out)
{
    *out = (struct phone){.type = type};
    out->digits[0] = '\0'; // the prover does not see it above
    //@ assert is_text(&out->digits[0], 0);
    if (digit_count > PHONE_DIGITS_MAX || bcd.len != (digit_count + 1) / 2)
        return false;
    /*@ loop invariant 0 <= i <= digit_count;
      @ loop invariant \forall integer k; 0 <= k < i ==> out->digits[k] != 0;
      @ loop invariant out->digits[i] == 0 && out->type == type;
      @ loop assigns i, out->digits[0 .. PHONE_DIGITS_MAX];
      @ loop variant digit_count - i;
      @*/
    for (size_t i = 0; i < digit_count; i++) {
        const uint8_t value = swapped_at(bcd.at, i);
        if (value == FILLER) {
            out->digits[0] = '\0';
            //@ assert is_text(&out->digits[0], 0);
            return false;
        }
        //@ assert \forall integer k; 0 <= k < FILLER ==> phone_characters[k] != 0;
        out->digits[i] = phone_characters[value];
        out->digits[i + 1] = '\0';
    }
    //@ assert is_text(&out->digits[0], digit_count);
    return true;
}

bool phone_is_octets(struct bytes octets)
{
    struct phone p;
    return octets.len >= 2 && phone_read(octets.at[0], bytes_slice(octets, 1, octets.len), &p) &&
           p.digits[0] != '\0';
}

size_t phone_bcd_len(const struct phone *n)
{
    return (strlen(n->digits) + 1) / 2;
}

void phone_write_bcd(struct writer *w, const struct phone *n)
{
    const size_t len = strlen(n->digits);
    //@ assert len <= PHONE_DIGITS_MAX;
    /*@ loop invariant 0 <= i <= len + 1 && i % 2 == 0;
      @ loop invariant writer_is_valid(w);
      @ loop invariant w->at == \at(w->at, Pre) && w->cap == \at(w->cap, Pre);
      @ loop invariant w->len >= \at(w->len, Pre);
      @ loop invariant \at(w->failed, Pre) ==> w->failed;
      @ loop assigns i, w->len, w->failed, w->at[\at(w->len, Pre) .. \at(w->cap, Pre) - 1];
      @ loop variant len + 1 - i;
      @*/
    for (size_t i = 0; i < len; i += 2) {
        const uint8_t low = phone_value(n->digits[i]);
        const uint8_t high = i + 1 < len ? phone_value(n->digits[i + 1]) : FILLER;
        if (low == FILLER || (i + 1 < len && high == FILLER))
            w->failed = true;
        writer_u8(w, (uint8_t)(high * 16 + low));
    }
}

bool phone_is_equal(const struct phone *a, const struct phone *b)
{
    const size_t len = strlen(a->digits);
    return a->type == b->type && len == strlen(b->digits) && memcmp(a->digits, b->digits, len) == 0;
}

// --- PLMN

bool plmn_is_valid(const char *text)
{
    return digits_of(text, PLMN_SIZE - 1) >= 5;
}

// Semi-octet of digit `index`: MCC1, MCC2, MCC3, MNC1, MNC2, MNC3.
/*@ requires index < 6;
  @ assigns \result \from index;
  @ ensures \result < 6 && (\result == 3 <==> index == 5);
  @*/
static size_t plmn_place(size_t index)
{
    if (index < 3)
        return index;
    return index == 5 ? 3 : index + 1;
}

bool plmn_read(const uint8_t octets[PLMN_LEN], char text[PLMN_SIZE])
{
    const size_t len = swapped_at(octets, plmn_place(5)) == FILLER ? 5 : 6;
    /*@ loop invariant 0 <= i <= len;
      @ loop invariant \forall integer k; 0 <= k < i ==> '0' <= text[k] <= '9';
      @ loop assigns i, text[0 .. 5];
      @ loop variant len - i;
      @*/
    for (size_t i = 0; i < len; i++) {
        const uint8_t value = swapped_at(octets, plmn_place(i));
        if (value > 9) {
            text[0] = '\0';
            return false;
        }
        text[i] = (char)('0' + value);
    }
    text[len] = '\0';
    //@ assert is_digits(text, (integer)len);
    return true;
}

bool plmn_write(const char *text, uint8_t octets[PLMN_LEN])
{
    if (!plmn_is_valid(text))
        return false;
    /*@ loop invariant 0 <= i <= 5;
      @ loop assigns i, octets[0 .. PLMN_LEN - 1];
      @ loop variant 5 - i;
      @*/
    for (size_t i = 0; i < 5; i++)
        put_swapped(octets, plmn_place(i), (uint8_t)(text[i] - '0'));
    put_swapped(octets, plmn_place(5), text[5] == '\0' ? FILLER : (uint8_t)(text[5] - '0'));
    return true;
}
