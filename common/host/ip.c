#include "common/host/ip.h"

#include "common/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define V4_AT 12 // octets in front of the mapped address

static const uint8_t v4_front[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->at, v4_front, V4_AT) == 0;
}

bool ip_of_socket(const struct sockaddr *address, struct ip *ip)
{
    const void *at = address; // of the family that it names
    if (address->sa_family == AF_INET) {
        memcpy(ip->at, v4_front, V4_AT);
        memcpy(ip->at + V4_AT, &((const struct sockaddr_in *)at)->sin_addr, 4);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(ip->at, &((const struct sockaddr_in6 *)at)->sin6_addr, sizeof ip->at);
    return !ip_is_v4(ip);
}

static size_t find(struct bytes text, uint8_t wanted)
{
    size_t at = 0;
    while (at < text.len && text.at[at] != wanted)
        at++;
    return at;
}

static bool is_port(struct bytes text)
{
    uint64_t port = 0;
    return text.len <= 5 && text_read_decimal(text, &port) && port <= UINT16_MAX;
}

// Without brackets and port; empty when something else stands there.
static struct bytes host_of(struct bytes text)
{
    const struct bytes none = bytes_of(NULL, 0);
    const bool has_bracket = text.len > 0 && text.at[0] == '[';
    const size_t end = has_bracket ? find(text, ']') + 1 : find(text, ':');
    const struct bytes behind = bytes_slice(text, end, text.len);
    if (has_bracket && end > text.len)
        return none;
    if (!has_bracket && find(bytes_slice(behind, 1, text.len), ':') + 1 < behind.len)
        return text; // of IPv6
    if (behind.len > 0 && (behind.at[0] != ':' || !is_port(bytes_slice(behind, 1, text.len))))
        return none;
    return has_bracket ? bytes_slice(text, 1, end - 2) : bytes_slice(text, 0, end);
}

bool ip_read(struct bytes text, struct ip *ip)
{
    char host[INET6_ADDRSTRLEN];
    const struct bytes part = host_of(text);
    if (part.len >= sizeof host || find(part, 0) < part.len)
        return false;
    bytes_copy(host, part);
    host[part.len] = '\0';
    memcpy(ip->at, v4_front, V4_AT);
    return inet_pton(AF_INET, host, ip->at + V4_AT) == 1 || inet_pton(AF_INET6, host, ip->at) == 1;
}

void ip_format(const struct ip *ip, char text[IP_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN];
    struct writer w = writer_of(text, IP_TEXT_SIZE);
    const char *made = ip_is_v4(ip) ? inet_ntop(AF_INET, ip->at + V4_AT, host, sizeof host)
                                    : inet_ntop(AF_INET6, ip->at, host, sizeof host);
    text_put(&w, ip_is_v4(ip) ? "" : "[");
    text_put(&w, made != NULL ? made : "?");
    text_put(&w, ip_is_v4(ip) ? "" : "]");
    (void)text_end(&w);
}

static bool has_only(const struct ip *ip, uint8_t bits)
{
    for (unsigned i = bits; i < 128; i++) {
        if ((ip->at[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

bool ip_network_read(const char *text, struct ip_network *network)
{
    const struct bytes all = bytes_of_text(text);
    const size_t slash = find(all, '/');
    uint64_t bits = 0;
    if (!ip_read(bytes_slice(all, 0, slash), &network->ip))
        return false;
    network->bits = 128;
    if (slash == all.len)
        return true;
    const unsigned before = ip_is_v4(&network->ip) ? 8 * V4_AT : 0;
    if (!text_read_decimal(bytes_slice(all, slash + 1, all.len), &bits) || bits > 128 - before)
        return false;
    network->bits = (uint8_t)(bits + before);
    return has_only(&network->ip, network->bits);
}

static bool is_in_one(const struct ip *ip, const struct ip_network *n)
{
    const unsigned whole = n->bits / 8;
    const uint8_t mask = (uint8_t)(0xFF00u >> n->bits % 8);
    return memcmp(ip->at, n->ip.at, whole) == 0 &&
           (n->bits % 8 == 0 || ((ip->at[whole] ^ n->ip.at[whole]) & mask) == 0);
}

bool ip_is_in(const struct ip *ip, const struct ip_network *networks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_in_one(ip, &networks[i]))
            return true;
    }
    return false;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = bytes_slice(text, 1, text.len);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool ip_behind(struct bytes list, const struct ip_network *trusted, size_t count, struct ip *client)
{
    while (true) {
        size_t from = list.len;
        while (from > 0 && list.at[from - 1] != ',')
            from--;
        if (!ip_read(trimmed(bytes_slice(list, from, list.len)), client))
            return false;
        if (from == 0 || !ip_is_in(client, trusted, count))
            return true;
        list.len = from - 1;
    }
}
