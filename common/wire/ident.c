#include "common/wire/ident.h"

// What fills the unused half of the last octet.
#define FILLER 0x0F

// Length of a text of decimal digits alone, or 0 for any other text or more than `max` digits.
static size_t digits_of(const char *text, size_t max)
{
    size_t len = 0;
    while (text[len] >= '0' && text[len] <= '9') {
        len++;
        if (len > max)
            return 0;
    }
    return text[len] == '\0' ? len : 0;
}

// Semi-octet `index`, from 0, of octets with swapped semi-octets.
static uint8_t swapped_at(const uint8_t *octets, size_t index)
{
    const uint8_t octet = octets[index / 2];
    return index % 2 == 0 ? octet & 0x0F : octet >> 4;
}

static void put_swapped(uint8_t *octets, size_t index, uint8_t value)
{
    uint8_t *octet = &octets[index / 2];
    if (index % 2 == 0)
        *octet = (uint8_t)((*octet & 0xF0) | value);
    else
        *octet = (uint8_t)((*octet & 0x0F) | value << 4);
}

// Digits from semi-octet `from` up to `to`, ended by fillers alone. Writes the text and its zero
// (to - from + 1 characters at most); false, and an empty text, for anything else.
static bool read_digits(const uint8_t *octets, size_t from, size_t to, char *text)
{
    size_t len = 0;
    bool ended = false;
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
    return true;
}

// Semi-octets `from` up to `to`: the digits, then fillers.
static void write_digits(uint8_t *octets, size_t from, size_t to, const char *digits)
{
    for (size_t i = from; i < to; i++) {
        const bool more = *digits != '\0';
        put_swapped(octets, i, more ? (uint8_t)(*digits - '0') : FILLER);
        digits += more;
    }
}

char luhn_digit(const char *digits, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned digit = (unsigned)(digits[len - 1 - i] - '0');
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

static bool read_identity(const uint8_t *octets, size_t len, uint8_t type, char *text)
{
    if ((octets[0] & 0x0F) == type && read_digits(octets, 1, 2 * len, text))
        return true;
    text[0] = '\0';
    return false;
}

bool imei_read(const uint8_t octets[IMEI_LEN], char text[IMEI_SIZE])
{
    if (read_identity(octets, IMEI_LEN, IDENTITY_IMEI, text) && imei_is_valid(text))
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
    // 16 digits and the filler behind them: one more than the text holds is never digits.
    if (octets[IMEISV_LEN - 1] >> 4 == FILLER &&
        read_identity(octets, IMEISV_LEN, IDENTITY_IMEISV, text) && imeisv_is_valid(text))
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
    return (imei_is_valid(a) || imeisv_is_valid(a)) && (imei_is_valid(b) || imeisv_is_valid(b)) &&
           memcmp(a, b, IMEI_EQUIPMENT_DIGITS) == 0;
}

bool imei_normalise(const char *text, char imei[IMEI_SIZE])
{
    if (!imei_is_valid(text) && !imeisv_is_valid(text)) {
        imei[0] = '\0';
        return false;
    }
    memmove(imei, text, IMEI_EQUIPMENT_DIGITS);
    imei[IMEI_EQUIPMENT_DIGITS] = luhn_digit(imei, IMEI_EQUIPMENT_DIGITS);
    imei[IMEI_EQUIPMENT_DIGITS + 1] = '\0';
    return true;
}

// --- telephone numbers

static const char phone_characters[] = "0123456789*#abc";

static uint8_t phone_value(char c)
{
    uint8_t value = 0;
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
    while (len > 0 && swapped_at(bcd.at, len - 1) == FILLER)
        len--;
    return phone_read_counted(type, bytes_slice(bcd, 0, (len + 1) / 2), len, out);
}

bool phone_read_counted(uint8_t type, struct bytes bcd, size_t digit_count, struct phone *out)
{
    *out = (struct phone){.type = type};
    if (digit_count > PHONE_DIGITS_MAX || bcd.len != (digit_count + 1) / 2)
        return false;
    for (size_t i = 0; i < digit_count; i++) {
        const uint8_t value = swapped_at(bcd.at, i);
        if (value == FILLER) {
            out->digits[0] = '\0';
            return false;
        }
        out->digits[i] = phone_characters[value];
    }
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
    for (size_t i = 0; i < len; i += 2) {
        const uint8_t low = phone_value(n->digits[i]);
        const uint8_t high = i + 1 < len ? phone_value(n->digits[i + 1]) : FILLER;
        if (low == FILLER || (i + 1 < len && high == FILLER))
            w->failed = true;
        writer_u8(w, (uint8_t)(high << 4 | low));
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

bool plmn_read(const uint8_t octets[PLMN_LEN], char text[PLMN_SIZE])
{
    // MCC2 MCC1, MNC3 MCC3, MNC2 MNC1
    const uint8_t digits[] = {octets[0] & 0x0F, octets[0] >> 4, octets[1] & 0x0F,
                              octets[2] & 0x0F, octets[2] >> 4, octets[1] >> 4};
    text[0] = '\0';
    const size_t len = digits[5] == FILLER ? 5 : 6;
    for (size_t i = 0; i < len; i++) {
        if (digits[i] > 9)
            return false;
    }
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('0' + digits[i]);
    text[len] = '\0';
    return true;
}

bool plmn_write(const char *text, uint8_t octets[PLMN_LEN])
{
    if (!plmn_is_valid(text))
        return false;
    uint8_t digits[6];
    for (size_t i = 0; i < 6; i++)
        digits[i] = i < strlen(text) ? (uint8_t)(text[i] - '0') : FILLER;
    octets[0] = (uint8_t)(digits[1] << 4 | digits[0]);
    octets[1] = (uint8_t)(digits[5] << 4 | digits[2]);
    octets[2] = (uint8_t)(digits[4] << 4 | digits[3]);
    return true;
}
