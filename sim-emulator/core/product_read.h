// The text form of a product of cards: what it contains is in docs/card-products.md. One call makes
// of it what cards use (product.h).
//
// Promises: a wrong text changes nothing that a card could use, and is answered with the line, the
// column and the reason; what is not said is as in card_product_standard.
// Never: allocates, or keeps a pointer to the text.
#pragma once

#include "sim-emulator/core/product.h"

#define PRODUCT_TEMPLATES_MAX 16
#define PRODUCT_OVERRIDES_MAX 128
#define PRODUCT_TARGETS_MAX 16
#define PRODUCT_OCTETS_MAX 8192

// The product and everything that it points into; must stay where it is.
struct product_image {
    struct card_product product;
    // private
    struct product_template templates[PRODUCT_TEMPLATES_MAX];
    struct uicc_override overrides[PRODUCT_OVERRIDES_MAX];
    size_t override_count;
    struct product_key_set key_sets[PRODUCT_KEY_SETS_MAX];
    struct product_target targets[PRODUCT_TARGETS_MAX];
    uint8_t octets[PRODUCT_OCTETS_MAX]; // content of files
    size_t octets_len;
};

struct product_error {
    unsigned line;   // from 1
    unsigned column; // from 1
    const char *reason;
};

// False: `error` says why, and `image` is the standard product.
bool product_read(struct bytes text, struct product_image *image,
                  struct product_error *error) MUST_USE;
