#include "sim-emulator/core/uicc/access.h"

#include "common/wire/tlv.h"

static const uint8_t references[UICC_PINS] = {0x01, 0x81, 0x0A, 0x11};

enum uicc_pin uicc_pin_of(uint8_t reference)
{
    for (unsigned i = 0; i < UICC_PINS; i++) {
        if (references[i] == reference)
            return (enum uicc_pin)i;
    }
    return UICC_PINS;
}

uint8_t uicc_pin_reference(enum uicc_pin pin)
{
    return references[pin];
}

// A security condition that holds no other ones.
static bool is_met_alone(const struct tlv *condition, uint8_t satisfied)
{
    satisfied &= (1U << UICC_PINS) - 1; // a reference that is none has the bit behind them
    struct bytes reference;
    switch (condition->tag) {
    case 0x90: // always
        return true;
    case 0xA4: // the PIN with this key reference
        return tlv_find(condition->value, 0x83, &reference) && reference.len == 1 &&
               (satisfied & 1U << uicc_pin_of(reference.at[0])) != 0;
    default: // octets; 97 never, and what is not understood
        return false;
    }
}

static bool is_met(const struct tlv *condition, uint8_t satisfied)
{
    bool is_or = condition->tag == 0xA0;
    if (!is_or && condition->tag != 0xAF)
        return is_met_alone(condition, satisfied);
    struct reader r = reader_of(condition->value);
    struct tlv part;
    bool is_one = false;
    while (tlv_next(&r, &part)) {
        bool is_part = is_met_alone(&part, satisfied);
        if (is_part == is_or)
            return is_or;
        is_one = true;
    }
    return !is_or && is_one && !r.failed;
}

static bool names(const struct tlv *mode, struct uicc_access access)
{
    if (mode->value.len != 1)
        return false;
    if (mode->tag == 0x80)
        return (mode->value.at[0] & access.mode) != 0;
    return mode->tag == 0x84 && access.mode == 0 && mode->value.at[0] == access.ins;
}

bool uicc_access_is_allowed(struct bytes rule, struct uicc_access access, uint8_t satisfied)
{
    struct reader r = reader_of(rule);
    struct tlv object;
    bool is_named = false;
    while (r.left > 0 && *r.at != 0xFF && tlv_next(&r, &object)) {
        if (object.tag >= 0x80 && object.tag <= 0x8F)
            is_named = names(&object, access);
        else if (is_named && is_met(&object, satisfied))
            return true;
    }
    return false;
}
