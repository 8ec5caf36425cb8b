#include "ota-server/service/sink_url.h"

#include "common/base/text.h"

#include <string.h>

#define SCHEME "https://"
#define LABEL_MAX 63

const char *sink_fault_text(enum sink_fault fault)
{
    switch (fault) {
    case SINK_OK:
        return "";
    case SINK_TOO_LONG:
        return "It has more than 2048 octets";
    case SINK_NOT_HTTPS:
        return "It does not begin with https://";
    case SINK_WRONG_OCTET:
        return "It has a character that no URL has: write it as %XX";
    case SINK_HAS_USER:
        return "It has a user: a credential is given apart";
    case SINK_HAS_FRAGMENT:
        return "It has a fragment";
    case SINK_WRONG_HOST:
        return "Its host is neither a name nor an address in the usual form";
    case SINK_WRONG_PORT:
        return "Its port is no number from 1 to 65535";
    }
    return "";
}

// --- octets ----------------------------------------------------------------------------------

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (text_lower((char)c) >= 'a' && text_lower((char)c) <= 'f');
}

static bool is_letter(uint8_t c)
{
    return text_lower((char)c) >= 'a' && text_lower((char)c) <= 'z';
}

// Unreserved, reserved, and whole percent-encodings [RFC 3986 §2].
static bool has_only_url_octets(struct bytes text)
{
    static const char OTHERS[] = "-._~:/?#[]@!$&'()*+,;=";
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        if (c == '%' && !(text.len - i > 2 && is_hex(text.at[i + 1]) && is_hex(text.at[i + 2])))
            return false;
        bool is_other = c == '%';
        for (size_t k = 0; k < sizeof(OTHERS) - 1; k++)
            is_other |= c == (uint8_t)OTHERS[k];
        if (!is_other && !is_digit(c) && !is_letter(c))
            return false;
    }
    return true;
}

static bool is_same(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (text_lower((char)a.at[i]) != text_lower((char)b.at[i]))
            return false;
    }
    return true;
}

static size_t find(struct bytes text, const char *any)
{
    for (size_t i = 0; i < text.len; i++) {
        for (const char *c = any; *c != '\0'; c++) {
            if (text.at[i] == (uint8_t)*c)
                return i;
        }
    }
    return text.len;
}

// --- hosts -----------------------------------------------------------------------------------

// Four decimal numbers up to 255, none with a zero in front.
static bool is_quad(struct bytes host)
{
    unsigned numbers = 0;
    if (host.at == NULL) // none
        return false;
    for (size_t at = 0; at <= host.len; numbers++) {
        const size_t len = find(bytes_slice(host, at, host.len), ".");
        unsigned value = 0;
        if (len < 1 || len > 3 || (len > 1 && host.at[at] == '0'))
            return false;
        for (size_t i = 0; i < len; i++) {
            if (!is_digit(host.at[at + i]))
                return false;
            value = value * 10 + (host.at[at + i] - '0');
        }
        if (value > 255)
            return false;
        at += len + 1;
    }
    return numbers == 4;
}

static bool is_label(struct bytes label)
{
    if (label.len < 1 || label.len > LABEL_MAX || label.at[0] == '-' ||
        label.at[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_digit(label.at[i]) && !is_letter(label.at[i]) && label.at[i] != '-')
            return false;
    }
    return true;
}

// What ends like a number, some read as an address: "127.1", "0x7f.1", "2130706433".
static bool is_number_like(struct bytes label)
{
    bool has_digits_only = true;
    for (size_t i = 0; i < label.len; i++)
        has_digits_only = has_digits_only && is_digit(label.at[i]);
    return has_digits_only ||
           (label.len >= 2 && label.at[0] == '0' && text_lower((char)label.at[1]) == 'x');
}

static bool is_name(struct bytes host)
{
    struct bytes label = {0};
    if (host.len < 1 || host.len > SINK_HOST_MAX)
        return false;
    for (size_t at = 0; at <= host.len; at += label.len + 1) {
        label = bytes_slice(host, at, find(bytes_slice(host, at, host.len), "."));
        if (!is_label(label))
            return false; // a dot at the end leaves an empty one
    }
    return !is_number_like(label);
}

// Of the form; its groups are judged by who makes an address of it.
static bool is_ipv6_like(struct bytes host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (!is_hex(host.at[i]) && host.at[i] != ':' && host.at[i] != '.')
            return false;
    }
    return host.len >= 2 && find(host, ":") < host.len;
}

static bool read_port(struct bytes text, uint16_t *port)
{
    uint32_t value = 0;
    if (text.len < 1 || text.len > 5 || text.at[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i]))
            return false;
        value = value * 10 + (uint32_t)(text.at[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

static enum sink_fault read_authority(struct bytes text, struct sink_url *url)
{
    size_t end = find(text, ":");
    if (find(text, "@") < text.len)
        return SINK_HAS_USER;
    if (text.len > 0 && text.at[0] == '[') {
        end = find(text, "]");
        if (end == text.len)
            return SINK_WRONG_HOST;
        url->host = bytes_slice(text, 1, end++ - 1);
        url->is_literal = true;
    } else {
        url->host = bytes_slice(text, 0, end);
        url->is_literal = is_quad(url->host);
    }
    const bool is_bracketed = text.len > 0 && text.at[0] == '[';
    if (is_bracketed ? !is_ipv6_like(url->host) : !url->is_literal && !is_name(url->host))
        return SINK_WRONG_HOST;
    url->port = 443;
    if (end == text.len)
        return SINK_OK;
    const bool is_right =
        text.at[end] == ':' && read_port(bytes_slice(text, end + 1, text.len), &url->port);
    return is_right ? SINK_OK : SINK_WRONG_PORT;
}

enum sink_fault sink_url_read(struct bytes text, struct sink_url *url)
{
    const size_t start = sizeof(SCHEME) - 1;
    *url = (struct sink_url){0};
    if (text.len > SINK_URL_MAX)
        return SINK_TOO_LONG;
    if (text.len < start || !is_same(bytes_slice(text, 0, start), bytes_of(SCHEME, start)))
        return SINK_NOT_HTTPS;
    if (!has_only_url_octets(text))
        return SINK_WRONG_OCTET;
    if (find(text, "#") < text.len)
        return SINK_HAS_FRAGMENT;
    const struct bytes rest = bytes_slice(text, start, text.len);
    const size_t end = find(rest, "/?");
    url->rest = bytes_slice(rest, end, rest.len);
    return read_authority(bytes_slice(rest, 0, end), url);
}

// --- prefixes --------------------------------------------------------------------------------

// "." or "..", also with the dots encoded.
static bool is_dots(struct bytes segment)
{
    unsigned dots = 0;
    for (size_t i = 0; i < segment.len; i++) {
        if (segment.at[i] == '.') {
            dots++;
        } else if (segment.len - i > 2 && segment.at[i] == '%' && segment.at[i + 1] == '2' &&
                   text_lower((char)segment.at[i + 2]) == 'e') {
            dots++;
            i += 2;
        } else {
            return false;
        }
    }
    return dots == 1 || dots == 2;
}

static bool has_dots(struct bytes path)
{
    for (size_t at = 0; at <= path.len;) {
        const size_t len = find(bytes_slice(path, at, path.len), "/");
        if (is_dots(bytes_slice(path, at, len)))
            return true;
        at += len + 1;
    }
    return false;
}

bool sink_url_is_below(struct bytes text, struct bytes prefix)
{
    struct sink_url url;
    struct sink_url above;
    if (sink_url_read(text, &url) != SINK_OK || sink_url_read(prefix, &above) != SINK_OK ||
        !is_same(url.host, above.host) || url.port != above.port)
        return false;
    const struct bytes path = bytes_slice(url.rest, 0, find(url.rest, "?"));
    struct bytes start = above.rest;
    if (has_dots(path) || find(start, "?") < start.len)
        return false;
    if (start.len > 0 && start.at[start.len - 1] == '/')
        start.len--;
    return path.len >= start.len && bytes_equal(bytes_slice(path, 0, start.len), start) &&
           (path.len == start.len || path.at[start.len] == '/');
}

// --- addresses -------------------------------------------------------------------------------

struct block {
    uint8_t start[16];
    uint8_t bits;
};

static bool is_in(const uint8_t address[16], const struct block *b)
{
    for (unsigned bit = 0; bit < b->bits; bit++) {
        const unsigned shift = 7 - bit % 8;
        if ((address[bit / 8] >> shift & 1) != (b->start[bit / 8] >> shift & 1))
            return false;
    }
    return true;
}

bool sink_address_is_public(const uint8_t address[16], bool is_v4)
{
#define V4(a, b, c, d, bits)                                                                       \
    {                                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, a, b, c, d}, 96 + (bits)                        \
    }
    static const struct block V4_OTHERS[] = {
        V4(0, 0, 0, 0, 8),       V4(10, 0, 0, 0, 8),     V4(100, 64, 0, 0, 10),
        V4(127, 0, 0, 0, 8),     V4(169, 254, 0, 0, 16), V4(172, 16, 0, 0, 12),
        V4(192, 0, 0, 0, 24),    V4(192, 0, 2, 0, 24),   V4(192, 31, 196, 0, 24),
        V4(192, 52, 193, 0, 24), V4(192, 88, 99, 0, 24), V4(192, 168, 0, 0, 16),
        V4(192, 175, 48, 0, 24), V4(198, 18, 0, 0, 15),  V4(198, 51, 100, 0, 24),
        V4(203, 0, 113, 0, 24),  V4(224, 0, 0, 0, 4),    V4(240, 0, 0, 0, 4),
    };
#undef V4
    // Of the global unicast addresses 2000::/3 those that are none, or hide another.
    static const struct block V6_OTHERS[] = {
        {{0x20, 0x01, 0x00}, 23},       // 2001::/23: Teredo, benchmarks, ORCHID and others
        {{0x20, 0x01, 0x0D, 0xB8}, 32}, // documentation
        {{0x20, 0x02}, 16},             // 6to4
        {{0x3F, 0xFE}, 16},             // 6bone, given back
        {{0x3F, 0xFF, 0x00}, 20},       // documentation
    };
    static const struct block GLOBAL = {{0x20}, 3};
    if (!is_v4 && !is_in(address, &GLOBAL))
        return false;
    const struct block *others = is_v4 ? V4_OTHERS : V6_OTHERS;
    const size_t count =
        is_v4 ? sizeof(V4_OTHERS) / sizeof(V4_OTHERS[0]) : sizeof(V6_OTHERS) / sizeof(V6_OTHERS[0]);
    for (size_t i = 0; i < count; i++) {
        if (is_in(address, &others[i]))
            return false;
    }
    return true;
}
