// A card for fuzz targets: fresh memory for every input, real cryptography, a terminal that fetches
// everything and answers "done".
#pragma once

#include "applet/applet.h"

#define FUZZ_NVM 2048

struct fuzz_card {
    struct applet applet;
    struct applet_port port;
    uint8_t nvm[FUZZ_NVM];
    uint64_t counter;
    uint32_t chance;
};

// A card that was never started, its memory blank.
void fuzz_card_init(struct fuzz_card *c);
void fuzz_card_start(struct fuzz_card *c);
// Fetches and answers until nothing waits; check()s that the registry is sound.
void fuzz_card_pump(struct fuzz_card *c);
// Brings these octets to the applet as the secured data of a right packet.
void fuzz_card_command(struct fuzz_card *c, struct bytes data);
// How its header is another than that of a right packet (XOR): SPI, KIc, KID, TAR and the last four
// octets of the counter.
#define FUZZ_HEADER_LEN 11
// Brings such a packet with at most 64 octets of data; its MAC is right over this very header
// unless it is changed. check()s that the packet does nothing unless it has all that a card asks
// for (docs/applet-protocol.md), and that nobody hears of one whose MAC or keys are wrong.
void fuzz_card_packet(struct fuzz_card *c, const uint8_t changes[FUZZ_HEADER_LEN],
                      uint8_t mac_change, struct bytes data);
struct applet_dump fuzz_card_dump(struct fuzz_card *c);
// The same memory and counters, in every octet.
bool fuzz_card_is_same(const struct applet_dump *a, const struct applet_dump *b);
