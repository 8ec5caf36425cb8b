// Addresses of the Internet without ports, and who stands behind a gateway. An IPv4 address is held
// as the IPv6 address that maps it [RFC 4291 §2.5.5.2], so that both are compared alike.
#pragma once

#include "common/base/bytes.h"

#define IP_TEXT_SIZE 48

struct ip {
    uint8_t at[16];
};

struct ip_network {
    struct ip ip;
    uint8_t bits; // 0 to 128, of the 16 octets
};

bool ip_is_v4(const struct ip *ip);
struct sockaddr;
// False for a family that is neither, and for an IPv6 address that maps one of IPv4: what pretends
// to be another is none.
bool ip_of_socket(const struct sockaddr *address, struct ip *ip) MUST_USE;
// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; with a port behind it or without, which the second
// form cannot have.
bool ip_read(struct bytes text, struct ip *ip) MUST_USE;
// "192.0.2.1", or "[2001:db8::1]".
void ip_format(const struct ip *ip, char text[IP_TEXT_SIZE]);
// "10.0.0.0/8", "2001:db8::/32", or one address; bits behind the prefix are 0.
bool ip_network_read(const char *text, struct ip_network *network) MUST_USE;
bool ip_is_in(const struct ip *ip, const struct ip_network *networks, size_t count);
// The client that `list` tells, the value of X-Forwarded-For: the last address that is none of the
// trusted ones, since each proxy adds the one that it saw at the end. False when one on the way is
// no address. A list of trusted ones only tells its first.
bool ip_behind(struct bytes list, const struct ip_network *trusted, size_t count,
               struct ip *client) MUST_USE;
