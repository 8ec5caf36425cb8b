// What all cards of one product share: their PINs at the factory, what the templates of their
// subscriptions put into files, and the key sets and targets of remote management. Made by the
// profile compiler (profiles/card) or by hand; constant while cards use it.
#pragma once

#include "sim-emulator/core/uicc/pins.h"
#include "sim-emulator/core/uicc/tree.h"

// What belongs to a subscription's template besides what the applet knows of it.
struct product_template {
    uint8_t number;
    struct uicc_overrides overrides;
};

struct card_product {
    struct uicc_pin_values pins;
    size_t template_count;
    const struct product_template *templates;
};

// PIN1 1234 (disabled) and PIN2 5678 with 3 tries, their unblocking keys 12345678 and 87654321 with
// 10, the universal PIN 0000 (disabled), ADM1 88888888 with 3 tries.
extern const struct card_product card_product_standard;
