#include "common/base/text.h"

void text_put(struct writer *w, const char *text)
{
    writer_copy(w, bytes_of_text(text));
}

void text_decimal(struct writer *w, uint64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    writer_copy(w, bytes_of(digits + at, sizeof digits - at));
}

static void put_hex(struct writer *w, struct bytes octets, const char *digits)
{
    for (size_t i = 0; i < octets.len; i++) {
        writer_u8(w, (uint8_t)digits[octets.at[i] >> 4]);
        writer_u8(w, (uint8_t)digits[octets.at[i] & 15]);
    }
}

void text_hex(struct writer *w, struct bytes octets)
{
    put_hex(w, octets, "0123456789abcdef");
}

void text_hex_upper(struct writer *w, struct bytes octets)
{
    put_hex(w, octets, "0123456789ABCDEF");
}

const char *text_end(struct writer *w)
{
    if (!w->failed)
        writer_u8(w, 0);
    return w->failed ? "" : (const char *)w->at;
}

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_unhex(struct bytes text, struct writer *out)
{
    // One more than a digit is worth: no branch depends on digits, half of which are letters.
    static const uint8_t worth[UINT8_MAX + 1] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};
    const size_t len = text.len / 2;
    out->failed = out->failed || writer_room(out) < len;
    if (text.len % 2 != 0 || out->failed)
        return false;
    bool is_good = true;
    for (size_t i = 0; i < len; i++) {
        const unsigned high = worth[text.at[2 * i]];
        const unsigned low = worth[text.at[2 * i + 1]];
        is_good &= (high != 0) & (low != 0);
        out->at[out->len + i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    out->len += is_good ? len : 0;
    return is_good;
}

bool text_read_decimal(struct bytes text, uint64_t *value)
{
    if (text.len == 0 || text.len > 20 || !text_is_digits(text))
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = text.at[i] - (uint64_t)'0';
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool text_is_digits(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return true;
}
