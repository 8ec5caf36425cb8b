#include "ota-server/service/api_text.h"

#include "common/base/check.h"
#include "common/base/text.h"

struct bytes api_until(struct bytes text, char end)
{
    size_t len = 0;
    while (len < text.len && text.at[len] != (uint8_t)end)
        len++;
    return bytes_slice(text, 0, len);
}

struct bytes api_trimmed(struct bytes text)
{
    while (text.len > 0 && (*text.at == ' ' || *text.at == '\t'))
        text = bytes_slice(text, 1, text.len);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_one_of(uint8_t c, const char *set)
{
    for (const char *s = set; *s != '\0'; s++) {
        if ((uint8_t)*s == c)
            return true;
    }
    return false;
}

bool api_is_correlator(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.at[i]) && !is_one_of(text.at[i], "-_:;./<>{}"))
            return false;
    }
    return text.len <= API_CORRELATOR_MAX;
}

bool api_is_idempotency_key(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.at[i]) && !is_one_of(text.at[i], "._:-"))
            return false;
    }
    return text.len >= API_IDEMPOTENCY_MIN && text.len <= API_IDEMPOTENCY_MAX;
}

bool api_is_unreserved(uint8_t c)
{
    return is_alphanumeric(c) || is_one_of(c, "-._~");
}

bool api_percent_decode(struct bytes text, struct writer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '%') {
            writer_u8(out, text.at[i]);
            continue;
        }
        if (text.len - i < 3)
            return false;
        const int high = text_hex_digit((char)text.at[i + 1]);
        const int low = text_hex_digit((char)text.at[i + 2]);
        if (high < 0 || low < 0)
            return false;
        writer_u8(out, (uint8_t)(high * 16 + low));
        i += 2;
    }
    return !out->failed;
}

void api_percent_encode(struct bytes text, bool keep_slash, struct writer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        if (api_is_unreserved(c) || (keep_slash && c == '/')) {
            writer_u8(out, c);
        } else {
            writer_u8(out, '%');
            text_hex_upper(out, bytes_of(&c, 1));
        }
    }
}

#define ULID_LEN 26

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Spreads all bits over all bits; a bijection (the finaliser of splitmix64).
static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

void api_id_write(char text[API_ID_SIZE], const char *prefix, uint64_t id)
{
    check(strlen(prefix) == 2 || strlen(prefix) == 3);
    uint64_t kind = 0;
    for (const char *c = prefix; *c != '\0'; c++)
        kind = kind << 8 | (uint8_t)*c;
    // 48 bits of time (server ids keep milliseconds above their lowest 20 bits), those 20 bits, and
    // 60 of checksum; 26 characters of 5 bits, from behind, so that the first has two leading
    // zeros.
    uint64_t high = id >> 4;
    uint64_t low = (id & 0x0F) << 60 | mixed(mixed(id) + kind) >> 4;
    char digits[ULID_LEN + 1] = "";
    for (unsigned i = ULID_LEN; i > 0; i--) {
        digits[i - 1] = crockford[low & 31];
        low = low >> 5 | high << 59;
        high >>= 5;
    }
    struct writer w = writer_of(text, API_ID_SIZE);
    text_put(&w, prefix);
    text_put(&w, "_");
    text_put(&w, digits);
    text_end(&w);
}

bool api_id_read(struct bytes text, const char *prefix, uint64_t *id)
{
    const size_t prefix_len = strlen(prefix) + 1;
    if (text.len != prefix_len + ULID_LEN)
        return false;
    uint64_t value = 0;
    // 14 characters hold two leading zeros and the 68 bits before the checksum.
    for (size_t i = prefix_len; i < prefix_len + 14; i++) {
        unsigned digit = 0;
        while (digit < 32 && (uint8_t)crockford[digit] != text.at[i])
            digit++;
        if (digit == 32)
            return false;
        value = value << 5 | digit;
    }
    char again[API_ID_SIZE];
    api_id_write(again, prefix, value);
    if (!bytes_equal(text, bytes_of_text(again)))
        return false;
    *id = value;
    return true;
}

void api_uuid_make(char text[API_UUID_SIZE], const uint8_t entropy[16])
{
    uint8_t value[16];
    memcpy(value, entropy, sizeof(value));
    value[6] = (uint8_t)((value[6] & 0x0F) | 0x40);
    value[8] = (uint8_t)((value[8] & 0x3F) | 0x80);
    struct writer w = writer_of(text, API_UUID_SIZE);
    for (size_t i = 0; i < sizeof(value); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text_put(&w, "-");
        text_hex(&w, bytes_of(value + i, 1));
    }
    text_end(&w);
}

// --- date-times ---

struct cursor {
    struct reader r;
    bool bad;
};

static unsigned digits(struct cursor *c, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t digit = reader_u8(&c->r);
        if (digit < '0' || digit > '9')
            c->bad = true;
        value = value * 10 + (unsigned)(digit - '0');
    }
    return value;
}

static void expect(struct cursor *c, const char *set)
{
    if (!is_one_of(reader_u8(&c->r), set))
        c->bad = true;
}

// Days from 1970-01-01 in the proleptic Gregorian calendar; March is the first month here, so that
// the leap day is the last of the year.
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400;
    const unsigned shifted = month > 2 ? month - 3 : month + 9;
    const int64_t of_year = (153 * shifted + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

// The fraction after the seconds, if any, in milliseconds.
static unsigned read_fraction(struct cursor *c)
{
    if (c->r.left == 0 || *c->r.at != '.')
        return 0;
    reader_skip(&c->r, 1);
    unsigned ms = 0;
    unsigned scale = 100;
    unsigned count = 0;
    while (c->r.left > 0 && *c->r.at >= '0' && *c->r.at <= '9') {
        ms += digits(c, 1) * scale;
        scale /= 10;
        count++;
    }
    if (count == 0 || count > 9)
        c->bad = true;
    return ms;
}

// Minutes east of UTC.
static int read_zone(struct cursor *c)
{
    const uint8_t sign = reader_u8(&c->r);
    if (sign == 'Z' || sign == 'z')
        return 0;
    if (sign != '+' && sign != '-') {
        c->bad = true;
        return 0;
    }
    const unsigned hours = digits(c, 2);
    expect(c, ":");
    const unsigned minutes = digits(c, 2);
    if (hours > 23 || minutes > 59)
        c->bad = true;
    const int east = (int)(hours * 60 + minutes);
    return sign == '+' ? east : -east;
}

bool api_read_time(struct bytes text, struct utc *at)
{
    struct cursor c = {.r = reader_of(text), .bad = false};
    const unsigned year = digits(&c, 4);
    expect(&c, "-");
    const unsigned month = digits(&c, 2);
    expect(&c, "-");
    const unsigned day = digits(&c, 2);
    expect(&c, "Tt");
    const unsigned hour = digits(&c, 2);
    expect(&c, ":");
    const unsigned minute = digits(&c, 2);
    expect(&c, ":");
    const unsigned second = digits(&c, 2);
    const unsigned ms = read_fraction(&c);
    const int east_min = read_zone(&c);
    if (c.bad || !reader_done(&c.r) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    const int64_t minutes = days_of(year, month, day) * 1440 + hour * 60 + minute - east_min;
    at->ms = (minutes * 60 + second) * 1000 + ms;
    return true;
}

void api_range_add(struct utc *from, struct utc *to, unsigned index, struct utc at)
{
    const bool is_open = index % 2 != 0; // .gt, .lt: a time has whole milliseconds
    const bool is_from = index < 2;
    const int64_t ms = is_open ? at.ms + (is_from ? 1 : -1) : at.ms;
    if (is_from && ms > from->ms)
        from->ms = ms;
    else if (!is_from && (to->ms == 0 || ms < to->ms))
        to->ms = ms > 0 ? ms : 1;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// One text for the same octets: no digit too many, and what is left of the last one is 0.
static bool read_digits(struct bytes text, int (*digit_of)(uint8_t c), struct writer *out)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const int digit = digit_of(text.at[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            writer_u8(out, (uint8_t)(bits >> count));
        }
    }
    return !out->failed && count < 6 && (bits & ((1u << count) - 1)) == 0;
}

bool api_base64_read(struct bytes text, struct writer *out)
{
    const size_t padding_max = text.len % 4 == 0 ? 2 : 0;
    for (size_t i = 0; i < padding_max && text.len > 0; i++)
        text.len -= text.at[text.len - 1] == '=';
    return read_digits(text, base64_digit, out);
}

bool api_binary_read(struct bytes text, struct writer *out)
{
    return text.len >= 2 && text.at[0] == ':' && text.at[text.len - 1] == ':' &&
           api_base64_read(bytes_slice(text, 1, text.len - 2), out);
}

static int base64url_digit(uint8_t c)
{
    if (c == '+' || c == '/')
        return -1;
    return c == '-' ? 62 : c == '_' ? 63 : base64_digit(c);
}

bool api_base64url_read(struct bytes text, struct writer *out)
{
    return read_digits(text, base64url_digit, out);
}

void api_base64url_put(struct writer *w, struct bytes octets)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < octets.len; i++) {
        held = held << 8 | octets.at[i];
        for (bits += 8; bits >= 6; bits -= 6)
            writer_u8(w, (uint8_t)digits[held >> (bits - 6) & 63]);
    }
    if (bits > 0)
        writer_u8(w, (uint8_t)digits[held << (6 - bits) & 63]);
}
