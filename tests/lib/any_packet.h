// A command packet with any header under a right MAC: what secured.h refuses to write.
#pragma once

#include "common/wire/cipher.h"

#define ANY_HEADER_LEN 12 // SPI, KIc, KID, TAR, CNTR
#define ANY_DATA_MAX 80

struct any_packet {
    uint8_t header[ANY_HEADER_LEN];
    uint8_t mac_change; // XOR of the last octet of the MAC
    struct bytes data;  // at most ANY_DATA_MAX octets
};

// CPL to the padding [102.225 §5.1]: always with AES and a MAC of 8 octets over this very header,
// ciphered where its SPI says so. Fails the writer when it has no room.
void any_packet_write(struct writer *w, const struct any_packet *packet,
                      const struct secret_key *kic, const struct secret_key *kid,
                      const struct cipher *cipher);
