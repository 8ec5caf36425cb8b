// Addresses, networks and lists of proxies. What is read is written and reads the same, with a port
// behind it too; dotted quads as a second reader has them; the client behind proxies as a list that
// is read from its front has it.
//
// Input: what is tried, a number, and the text. Of a list, the first line is the network of
// proxies.
#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/ip.h"

#define TEXT_MAX 256
#define ENTRIES_MAX 130

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_same(const struct ip *a, const struct ip *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}

static size_t until(struct bytes text, uint8_t end)
{
    size_t at = 0;
    while (at < text.len && text.at[at] != end)
        at++;
    return at;
}

// Four numbers to 255 without leading zeros, and perhaps a port.
static bool read_quad(struct bytes text, uint8_t quad[4])
{
    uint64_t port = 0;
    const size_t colon = until(text, ':');
    struct bytes rest = bytes_slice(text, 0, colon);
    for (unsigned i = 0; i < 4; i++) {
        const struct bytes digits = bytes_slice(rest, 0, until(rest, '.'));
        uint64_t value = 0;
        if ((i < 3) != (digits.len < rest.len) || !text_read_decimal(digits, &value) ||
            value > 255 || (digits.at[0] == '0' && digits.len > 1))
            return false;
        quad[i] = (uint8_t)value;
        rest = bytes_slice(rest, digits.len + 1, rest.len);
    }
    const struct bytes behind = bytes_slice(text, colon + 1, text.len);
    return colon == text.len ||
           (behind.len <= 5 && text_read_decimal(behind, &port) && port <= 65535);
}

static void one(struct bytes text)
{
    struct ip ip;
    struct ip again;
    char written[IP_TEXT_SIZE];
    uint8_t quad[4];
    if (read_quad(text, quad)) {
        check(ip_read(text, &ip) && ip_is_v4(&ip));
        check(memcmp(ip.at + 12, quad, sizeof quad) == 0);
    }
    if (!ip_read(text, &ip))
        return;
    check(until(text, 0) == text.len);
    if (until(text, '[') == text.len && until(text, ':') == text.len)
        check(read_quad(text, quad));
    ip_format(&ip, written);
    check(ip_read(bytes_of_text(written), &again) && is_same(&ip, &again));
    char octets[IP_TEXT_SIZE + 6];
    struct writer w = writer_of(octets, sizeof octets);
    text_put(&w, written);
    text_put(&w, ":65535");
    check(ip_read(writer_bytes(&w), &again) && is_same(&ip, &again));
    text_put(&w, "x");
    check(w.failed || !ip_read(writer_bytes(&w), &again));
}

static bool has_bits(const struct ip *a, const struct ip *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++) {
        const unsigned shift = 7 - i % 8;
        if ((a->at[i / 8] >> shift & 1) != (b->at[i / 8] >> shift & 1))
            return false;
    }
    return true;
}

// A bit within the prefix counts, one behind it does not.
static void network(struct bytes text, uint8_t number)
{
    char zero_ended[TEXT_MAX + 1];
    struct ip_network n;
    bytes_copy(zero_ended, text);
    zero_ended[text.len] = '\0';
    if (!ip_network_read(zero_ended, &n))
        return;
    check(n.bits <= 128 && ip_is_in(&n.ip, &n, 1));
    struct ip other = n.ip;
    other.at[number % 128 / 8] ^= (uint8_t)(0x80u >> number % 8);
    check(ip_is_in(&other, &n, 1) == (number % 128 >= n.bits));
    check(ip_is_in(&other, &n, 1) == has_bits(&other, &n.ip, n.bits));
}

static struct bytes without_blanks(struct bytes text)
{
    size_t from = 0;
    size_t to = text.len;
    for (; from < to && (text.at[from] == ' ' || text.at[from] == '\t'); from++)
        ;
    for (; to > from && (text.at[to - 1] == ' ' || text.at[to - 1] == '\t'); to--)
        ;
    return bytes_slice(text, from, to - from);
}

// All entries, from the front; then the last one that is no proxy, unless one behind it is none.
static bool find_client(struct bytes list, const struct ip_network *trusted, struct ip *client)
{
    struct bytes entries[ENTRIES_MAX];
    size_t count = 0;
    for (bool is_more = true; is_more; count++) {
        const size_t end = until(list, ',');
        check(count < ENTRIES_MAX);
        entries[count] = without_blanks(bytes_slice(list, 0, end));
        is_more = end < list.len;
        list = bytes_slice(list, end + 1, list.len);
    }
    for (size_t i = count; i > 0; i--) {
        if (!ip_read(entries[i - 1], client))
            return false;
        if (!has_bits(client, &trusted->ip, trusted->bits))
            return true;
    }
    return true; // proxies only: the first
}

static void behind(struct bytes text)
{
    char zero_ended[TEXT_MAX + 1];
    struct ip_network trusted;
    struct ip ours;
    struct ip theirs;
    const struct bytes line = bytes_slice(text, 0, until(text, '\n'));
    const struct bytes list = bytes_slice(text, line.len + 1, text.len);
    bytes_copy(zero_ended, line);
    zero_ended[line.len] = '\0';
    if (list.len >= ENTRIES_MAX || !ip_network_read(zero_ended, &trusted))
        return;
    const bool is_found = ip_behind(list, &trusted, 1, &ours);
    check(is_found == find_client(list, &trusted, &theirs));
    check(!is_found || is_same(&ours, &theirs));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2 || len > TEXT_MAX)
        return 0;
    const struct bytes text = bytes_of(data + 2, len - 2);
    if (data[0] % 3 == 0)
        one(text);
    else if (data[0] % 3 == 1)
        network(text, data[1]);
    else
        behind(text);
    return 0;
}
