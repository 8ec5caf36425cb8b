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
