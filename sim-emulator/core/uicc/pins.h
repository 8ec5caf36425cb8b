// PINs, their unblocking keys and counters [102.221 §9.5, §11.1.9-11.1.13].
//
// Promises: a try is counted in the memory before the PIN is looked at, so that cutting the power
// wins nothing; PINs are compared in constant time. Never: shows one.
#pragma once

#include "common/base/secret.h"
#include "sim-emulator/core/uicc/access.h"
#include "sim-emulator/core/uicc/store.h"

#define UICC_PIN_LEN 8

// As a card leaves the factory, and as its memory has it.
struct uicc_pin_values {
    uint8_t pin[UICC_PINS][UICC_PIN_LEN];
    uint8_t puk[2][UICC_PIN_LEN]; // of PIN1 and PIN2
    uint8_t tries[UICC_PINS];
    uint8_t puk_tries[2];
    uint8_t enabled;  // bits of enum uicc_pin
    uint8_t replaced; // the universal PIN is asked for instead, while disabled
};
_Static_assert(sizeof(struct uicc_pin_values) == 56, "octets, without holes");

#define UICC_PIN_TRIES 3
#define UICC_PUK_TRIES 10

// Of one card. The first two are copies of what the memory says.
struct uicc_pins {
    uint8_t enabled;
    uint8_t replaced;
    uint8_t verified; // given since
};

// Where they are, and what they were at the factory.
struct uicc_pin_store {
    struct uicc_store store;
    uint16_t at; // in UICC_OF_CARD
    const struct uicc_pin_values *factory;
};

// At a reset, and at a script's start: nothing was given yet.
void uicc_pins_mount(struct uicc_pins *pins, const struct uicc_pin_store *store);
// After somebody else acted: what was given stays given, unless it is blocked now.
void uicc_pins_adopt(struct uicc_pins *pins, const struct uicc_pin_store *store);
// The PINs that access rules may count as given.
uint8_t uicc_pins_satisfied(const struct uicc_pins *pins);

enum uicc_pin_result {
    UICC_PIN_OK = 0,
    UICC_PIN_WRONG, // `*left` says how many tries there are
    UICC_PIN_BLOCKED,
    UICC_PIN_INVALID, // it is disabled, or enabled already
    UICC_PIN_NO_SUCH, // this PIN cannot do that
    UICC_PIN_MEMORY,
    UICC_PIN_CUT,
};
enum uicc_pin_action {
    UICC_PIN_VERIFY,
    UICC_PIN_CHANGE,
    UICC_PIN_DISABLE,
    UICC_PIN_REPLACE, // disable, and ask for the universal PIN instead
    UICC_PIN_ENABLE,
};
// `octets` is the PIN; for UICC_PIN_CHANGE the new one follows.
enum uicc_pin_result uicc_pin_do(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                 enum uicc_pin pin, enum uicc_pin_action action,
                                 const uint8_t *octets, uint8_t *left) MUST_USE;
// `octets` is the unblocking key and the new PIN.
enum uicc_pin_result uicc_pin_unblock(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                      enum uicc_pin pin, const uint8_t octets[2 * UICC_PIN_LEN],
                                      uint8_t *left) MUST_USE;
// Tries left; false when there is no such counter.
bool uicc_pin_left(const struct uicc_pin_store *store, enum uicc_pin pin, bool is_puk,
                   uint8_t *left);
