// The commands on PINs [102.221 §11.1.9-11.1.13].
#include "sim-emulator/core/card_call.h"

// P1 of DISABLE PIN: the universal PIN takes its place.
#define REPLACED_BY_UNIVERSAL 0x91

static uint16_t status_of(enum uicc_pin_result result, uint8_t left)
{
    switch (result) {
    case UICC_PIN_OK:
        return SW_OK;
    case UICC_PIN_WRONG:
        return (uint16_t)(SW_PIN_TRIES | left);
    case UICC_PIN_BLOCKED:
        return SW_PIN_BLOCKED;
    case UICC_PIN_INVALID:
        return SW_DATA_INVALIDATED;
    case UICC_PIN_NO_SUCH:
        return SW_REFERENCE_NOT_FOUND;
    case UICC_PIN_MEMORY:
        return SW_MEMORY_FAILURE;
    case UICC_PIN_CUT:
        return CARD_MUTE;
    }
    return SW_TECHNICAL_PROBLEM;
}

static uint16_t tries_left(struct call *call, enum uicc_pin pin, bool is_puk)
{
    struct uicc_pin_store store = call_pin_store(call->card);
    uint8_t left;
    if (!uicc_pin_left(&store, pin, is_puk, &left))
        return SW_REFERENCE_NOT_FOUND;
    return (uint16_t)(SW_PIN_TRIES | left);
}

static uint16_t act(struct call *call, enum uicc_pin_action action, size_t len)
{
    enum uicc_pin pin = uicc_pin_of(call->apdu.p2);
    struct uicc_pin_store store = call_pin_store(call->card);
    uint8_t left = 0;
    if (pin == UICC_PINS)
        return SW_REFERENCE_NOT_FOUND;
    if (call->apdu.data.len != len)
        return SW_WRONG_LENGTH;
    enum uicc_pin_result result =
        uicc_pin_do(call->pins, &store, pin, action, call->apdu.data.at, &left);
    return status_of(result, left);
}

uint16_t call_verify(struct call *call)
{
    if (call->apdu.p1 != 0)
        return SW_WRONG_P1_P2;
    if (call->apdu.data.len == 0)
        return tries_left(call, uicc_pin_of(call->apdu.p2), false);
    return act(call, UICC_PIN_VERIFY, UICC_PIN_LEN);
}

uint16_t call_change(struct call *call)
{
    if (call->apdu.p1 != 0)
        return SW_WRONG_P1_P2;
    return act(call, UICC_PIN_CHANGE, 2 * UICC_PIN_LEN);
}

uint16_t call_disable(struct call *call)
{
    bool replaces = call->apdu.p1 == REPLACED_BY_UNIVERSAL;
    if (call->apdu.p1 != 0 && !replaces)
        return SW_WRONG_P1_P2;
    return act(call, replaces ? UICC_PIN_REPLACE : UICC_PIN_DISABLE, UICC_PIN_LEN);
}

uint16_t call_enable(struct call *call)
{
    if (call->apdu.p1 != 0)
        return SW_WRONG_P1_P2;
    return act(call, UICC_PIN_ENABLE, UICC_PIN_LEN);
}

uint16_t call_unblock(struct call *call)
{
    enum uicc_pin pin = uicc_pin_of(call->apdu.p2);
    struct bytes data = call->apdu.data;
    if (call->apdu.p1 != 0)
        return SW_WRONG_P1_P2;
    if (data.len == 0)
        return tries_left(call, pin, true);
    if (data.len != 2 * UICC_PIN_LEN)
        return SW_WRONG_LENGTH;
    struct uicc_pin_store store = call_pin_store(call->card);
    uint8_t left = 0;
    enum uicc_pin_result result = uicc_pin_unblock(call->pins, &store, pin, data.at, &left);
    return status_of(result, left);
}
