// What all cards of one product share: their PINs at the factory, what the templates of their
// subscriptions put into files, and the key sets and targets of remote management. Made by the
// profile compiler (profiles/card) or by hand; constant while cards use it.
#pragma once

#include "sim-emulator/core/aka.h"
#include "sim-emulator/core/uicc/pins.h"
#include "sim-emulator/core/uicc/tree.h"

// What belongs to a subscription's template besides what the applet knows of it.
struct product_template {
    uint8_t number;
    struct uicc_overrides overrides;
};

// A key set for remote management [102.225 §5.1.2].
struct product_key_set {
    uint8_t version; // 1 to 15
    // Triple DES, 2 or 3 keys: for scenarios about old cards only. Otherwise AES, 128 to 256 bits.
    bool is_legacy;
    struct secret_key kic;
    struct secret_key kid;
};

// What a TAR stands for, besides the applet's own: remote management of files.
struct product_target {
    uint32_t tar;
    uint8_t folder;   // UICC_MF: those under the MF; UICC_USIM, UICC_ISIM: of the application
    uint8_t minimum;  // SPI1, compared field by field; a MAC is asked for whatever it says
    uint8_t granted;  // bits of enum uicc_pin that a script counts as given
    uint8_t key_sets; // bit n: key set n of the product may be used
    // The REFRESH after a script that wrote to files: enum cat_refresh_mode, or TARGET_NO_REFRESH.
    uint8_t refresh;
};
#define TARGET_NO_REFRESH 0xFF
#define PRODUCT_KEY_SETS_MAX 8

struct card_product {
    struct uicc_pin_values pins;
    struct tuak_options tuak; // of all subscriptions with TUAK keys; mac_len is AKA_MAC_LEN
    size_t template_count;
    const struct product_template *templates;
    size_t key_set_count; // at most PRODUCT_KEY_SETS_MAX
    const struct product_key_set *key_sets;
    size_t target_count;
    const struct product_target *targets;
};

// PIN1 1234 (disabled) and PIN2 5678 with 3 tries, their unblocking keys 12345678 and 87654321 with
// 10, the universal PIN 0000 (disabled), ADM1 88888888 with 3 tries; AKA_TUAK_OPTIONS. No
// remote management of files.
extern const struct card_product card_product_standard;
