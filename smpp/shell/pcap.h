// The octets of our SMPP links as a capture file that protocol analysers read: classic pcap, raw
// IPv4, one TCP stream for each link, made up around what was read and written. The SMSC's port is
// 2775 in it whatever it really is, so that an analyser knows what it sees.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#include <stdio.h>

struct pcap_flow {
    uint32_t sequence_in;  // octets seen from the client
    uint32_t sequence_out; // octets seen from us
};

// NULL when the file cannot be made.
FILE *pcap_open(const char *path) MUST_USE;
// One or more segments: octets of link `link` (0 to 9,999), from the client or from us.
void pcap_write(FILE *file, struct pcap_flow *flow, uint32_t link, bool from_client,
                struct bytes octets, struct utc at);
