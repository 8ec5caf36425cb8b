// Between decisions and octets: the secured packet of a command, and what a card's packet says.
//
// Promises: a packet is built only with the card's own keys at SPI 16 39; an answer or notification
// is given out only after its MAC was verified with them, with the right TAR and, for an answer,
// the shape of one of ours. Anything weaker is MESSAGE_REFUSED, or a hint that says it is one.
// Network keys are wiped from the stack after use. Never: judges counters or sequences: decide().
#pragma once

#include "common/wire/keywrap.h"
#include "ota-server/core/decision.h"

// The OTA keys of a card.
struct card_keys {
    uint8_t version; // of the key set, 1 to 15
    struct secret_key kic;
    struct secret_key kid;
    struct secret_key kik;
    uint32_t tar; // of the applet; MO packets carry tar + 1
    uint8_t spi1; // at least 16
    uint8_t spi2; // 39
    uint8_t cmac_len;
};

enum message_status {
    MESSAGE_OK = 0,
    MESSAGE_REFUSED,       // not from this card, or not for us
    MESSAGE_NO_KEYS,       // the network keys of the DOWNLOAD are missing
    MESSAGE_TOO_LONG,      // does not fit three SMS
    MESSAGE_CIPHER_FAILED, // the cryptography failed
};

// Writes the whole command packet, CPL to the last padding octet. `network` is needed for DOWNLOAD
// only. `record` is the next record of the decision that holds `send`.
enum message_status message_build(const struct cipher *cipher, const struct card_keys *keys,
                                  const struct record *record, const struct send *send,
                                  const struct network_keys *network,
                                  struct writer *packet) MUST_USE;

// Octets of the packet that carries an operation, a download with network keys as long as its plan
// says; 0: it fits no packet.
size_t message_octets(const struct operation *o);
// SMS that the packet takes.
size_t message_sms(size_t octets);
// What an operation costs over the air when nothing is lost: packets and octets to the card, and
// SMS both ways, each answer and notification of the card being one.
struct message_cost {
    uint32_t packets, sms, octets;
};
struct message_cost message_cost(const struct operation *o);
// The keys as a group wants them used.
void message_apply(struct card_keys *keys, const struct policy_ota *ota);

#define MESSAGE_SCRATCH 1100 // octets: the longest packet, deciphered

// Reads a response packet from this card. MESSAGE_OK with is_authentic false: a hint, see decide().
// `scratch` is overwritten.
enum message_status message_read_por(const struct cipher *cipher, const struct card_keys *keys,
                                     struct bytes packet, struct writer *scratch,
                                     struct event_por *out) MUST_USE;
enum message_status message_read_notify(const struct cipher *cipher, const struct card_keys *keys,
                                        struct bytes packet, struct writer *scratch,
                                        struct event_notify *out) MUST_USE;
