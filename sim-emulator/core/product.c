#include "sim-emulator/core/product.h"

// clang-format off
#define DIGITS4(a, b, c, d) {a, b, c, d, 0xFF, 0xFF, 0xFF, 0xFF}

const struct card_product card_product_standard = {
    .tuak = AKA_TUAK_OPTIONS,
    .pins = {
        .pin = {
            [UICC_PIN1] = DIGITS4('1', '2', '3', '4'),
            [UICC_PIN2] = DIGITS4('5', '6', '7', '8'),
            [UICC_ADM1] = {'8', '8', '8', '8', '8', '8', '8', '8'},
            [UICC_PIN_UNIVERSAL] = DIGITS4('0', '0', '0', '0'),
        },
        .puk = {{'1', '2', '3', '4', '5', '6', '7', '8'}, {'8', '7', '6', '5', '4', '3', '2', '1'}},
        .tries = {UICC_PIN_TRIES, UICC_PIN_TRIES, UICC_PIN_TRIES, UICC_PIN_TRIES},
        .puk_tries = {UICC_PUK_TRIES, UICC_PUK_TRIES},
        .enabled = 1U << UICC_PIN2 | 1U << UICC_ADM1,
    },
};
// clang-format on
