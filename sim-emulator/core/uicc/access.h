// Who may do what: access rules in the expanded format [102.221 §9.5, ISO 7816-4 §9.3.3] against
// the PINs that are satisfied.
//
// Promises: what a rule does not name, or names in a way that is not understood, is not allowed.
#pragma once

#include "common/base/bytes.h"

// The references a card has, and their bits in a set of satisfied ones.
enum uicc_pin {
    UICC_PIN1,
    UICC_PIN2,
    UICC_ADM1,
    UICC_PIN_UNIVERSAL,
    UICC_PINS,
};
// Of a key reference [102.221 §9.5.1]; UICC_PINS when the card has none such.
enum uicc_pin uicc_pin_of(uint8_t reference);
uint8_t uicc_pin_reference(enum uicc_pin pin);

// Bits of an access mode octet: of an EF, and of a folder.
enum uicc_mode {
    UICC_READ = 0x01,
    UICC_UPDATE = 0x02,
    UICC_DEACTIVATE = 0x08,
    UICC_ACTIVATE = 0x10,
    UICC_DELETE = 0x40,
    UICC_DELETE_IN = 0x01,
    UICC_CREATE_EF = 0x02,
    UICC_CREATE_DF = 0x04,
};

struct uicc_access {
    uint8_t mode; // enum uicc_mode, or 0 and
    uint8_t ins;  // an instruction that rules name by its code
};
// `rule` is a record of EF.ARR, `satisfied` has bit n for enum uicc_pin n.
bool uicc_access_is_allowed(struct bytes rule, struct uicc_access access, uint8_t satisfied);
