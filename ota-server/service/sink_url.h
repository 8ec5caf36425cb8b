// Addresses of event sinks: what a URL may look like, and which addresses of the Internet are those
// of customers. Whoever gives a sink makes the server connect to it, so nothing is guessed: what
// another reader could read otherwise is refused.
//
// Never: asks a name server.
#pragma once

#include "common/base/bytes.h"

#define SINK_URL_MAX 2048
#define SINK_HOST_MAX 253

enum sink_fault {
    SINK_OK = 0,
    SINK_TOO_LONG,
    SINK_NOT_HTTPS,
    SINK_WRONG_OCTET, // that a URL does not have [RFC 3986 §2]
    SINK_HAS_USER,
    SINK_HAS_FRAGMENT,
    SINK_WRONG_HOST, // neither a name nor an address in its one usual form
    SINK_WRONG_PORT,
};
const char *sink_fault_text(enum sink_fault fault); // for people

struct sink_url {
    struct bytes host; // without brackets
    uint16_t port;
    struct bytes rest; // path and query
    bool is_literal;   // the host is an address: digits of IPv4, or between brackets
};
enum sink_fault sink_url_read(struct bytes text, struct sink_url *url) MUST_USE;
// Is `prefix`, itself such a URL without a query, the beginning of `text` in whole segments of the
// path, with the same host and port? Segments "." and ".." fit nothing.
bool sink_url_is_below(struct bytes text, struct bytes prefix);

// An address as 16 octets, IPv4 as the IPv6 address that maps it. Is it one that everybody can
// reach: not loopback, private, link-local, shared, for documentation, benchmarks or multicast,
// reserved, nor an IPv6 address with an IPv4 address inside, unless `is_v4`
// [RFC 6890, RFC 4291, RFC 6052]?
bool sink_address_is_public(const uint8_t address[16], bool is_v4);
