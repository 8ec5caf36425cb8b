#include "sim-emulator/core/uicc/pins.h"

#define VALUES_LEN sizeof(struct uicc_pin_values)

static struct uicc_place place_of(const struct uicc_pin_store *store)
{
    return (struct uicc_place){.space = UICC_OF_CARD, .at = store->at};
}

// Stored is the difference from the factory's, so that a card that never used a PIN stores nothing.
static void values_read(const struct uicc_pin_store *store, struct uicc_pin_values *values)
{
    uint8_t stored[VALUES_LEN];
    *values = *store->factory;
    if (!uicc_store_read(&store->store, place_of(store), stored, sizeof stored))
        return;
    uint8_t *octets = (uint8_t *)values;
    for (size_t i = 0; i < sizeof stored; i++)
        octets[i] ^= (uint8_t)(stored[i] ^ NVM_ERASED);
    secret_wipe(stored, sizeof stored);
}

static enum uicc_pin_result values_write(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                         const struct uicc_pin_values *values)
{
    uint8_t stored[VALUES_LEN];
    const uint8_t *octets = (const uint8_t *)values;
    const uint8_t *factory = (const uint8_t *)store->factory;
    for (size_t i = 0; i < sizeof stored; i++)
        stored[i] = (uint8_t)(octets[i] ^ factory[i] ^ NVM_ERASED);
    struct uicc_change change;
    uicc_change_begin(&change, &store->store);
    uicc_change_put(&change, place_of(store), bytes_of(stored, sizeof stored));
    enum nvm_result result = uicc_change_commit(&change);
    secret_wipe(&change, sizeof change);
    secret_wipe(stored, sizeof stored);
    if (result == NVM_CUT)
        return UICC_PIN_CUT;
    if (result != NVM_OK)
        return UICC_PIN_MEMORY;
    pins->enabled = values->enabled;
    pins->replaced = values->replaced;
    return UICC_PIN_OK;
}

void uicc_pins_mount(struct uicc_pins *pins, const struct uicc_pin_store *store)
{
    struct uicc_pin_values values;
    values_read(store, &values);
    *pins = (struct uicc_pins){.enabled = values.enabled, .replaced = values.replaced};
    secret_wipe(&values, sizeof values);
}

void uicc_pins_adopt(struct uicc_pins *pins, const struct uicc_pin_store *store)
{
    struct uicc_pin_values values;
    values_read(store, &values);
    pins->enabled = values.enabled;
    pins->replaced = values.replaced;
    for (unsigned i = 0; i < UICC_PINS; i++)
        pins->verified &= (uint8_t) ~(values.tries[i] == 0 ? 1U << i : 0U);
    secret_wipe(&values, sizeof values);
}

uint8_t uicc_pins_satisfied(const struct uicc_pins *pins)
{
    unsigned satisfied = pins->verified & pins->enabled;
    unsigned open = ~(unsigned)pins->enabled & ~(unsigned)pins->replaced;
    if ((pins->verified & 1U << UICC_PIN_UNIVERSAL) != 0)
        satisfied |= pins->replaced & ~(unsigned)pins->enabled;
    // Only the two PINs of users can be disabled; the rest must be given.
    return (uint8_t)(satisfied | (open & (1U << UICC_PIN1 | 1U << UICC_PIN2)));
}

static bool may(enum uicc_pin pin, enum uicc_pin_action action)
{
    switch (action) {
    case UICC_PIN_VERIFY:
    case UICC_PIN_CHANGE:
        return true;
    case UICC_PIN_DISABLE:
    case UICC_PIN_ENABLE:
        return pin != UICC_ADM1;
    case UICC_PIN_REPLACE:
        return pin == UICC_PIN1 || pin == UICC_PIN2;
    }
    return false;
}

// Counts a try before it is known whether it is right.
static enum uicc_pin_result spend(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                  struct uicc_pin_values *values, uint8_t *tries)
{
    if (*tries == 0)
        return UICC_PIN_BLOCKED;
    (*tries)--;
    return values_write(pins, store, values);
}

static enum uicc_pin_result act(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                struct uicc_pin_values *values, enum uicc_pin pin,
                                enum uicc_pin_action action, const uint8_t *octets)
{
    uint8_t bit = (uint8_t)(1U << pin);
    values->tries[pin] = store->factory->tries[pin];
    if (action == UICC_PIN_CHANGE)
        memcpy(values->pin[pin], octets + UICC_PIN_LEN, UICC_PIN_LEN);
    if (action == UICC_PIN_DISABLE || action == UICC_PIN_REPLACE)
        values->enabled &= (uint8_t)~bit;
    if (action == UICC_PIN_REPLACE)
        values->replaced |= bit;
    if (action == UICC_PIN_ENABLE) {
        values->enabled |= bit;
        values->replaced &= (uint8_t)~bit;
    }
    enum uicc_pin_result result = values_write(pins, store, values);
    if (result == UICC_PIN_OK)
        pins->verified |= bit;
    return result;
}

enum uicc_pin_result uicc_pin_do(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                 enum uicc_pin pin, enum uicc_pin_action action,
                                 const uint8_t *octets, uint8_t *left)
{
    if (!may(pin, action))
        return UICC_PIN_NO_SUCH;
    uint8_t bit = (uint8_t)(1U << pin);
    bool must_be_enabled = action != UICC_PIN_ENABLE;
    struct uicc_pin_values values;
    values_read(store, &values);
    enum uicc_pin_result result = UICC_PIN_INVALID;
    if (values.tries[pin] == 0)
        result = UICC_PIN_BLOCKED;
    else if (((values.enabled & bit) != 0) == must_be_enabled)
        result = spend(pins, store, &values, &values.tries[pin]);
    if (result == UICC_PIN_OK && !secret_equal(values.pin[pin], octets, UICC_PIN_LEN)) {
        pins->verified &= (uint8_t)~bit;
        *left = values.tries[pin];
        result = UICC_PIN_WRONG;
    } else if (result == UICC_PIN_OK) {
        result = act(pins, store, &values, pin, action, octets);
    }
    secret_wipe(&values, sizeof values);
    return result;
}

enum uicc_pin_result uicc_pin_unblock(struct uicc_pins *pins, const struct uicc_pin_store *store,
                                      enum uicc_pin pin, const uint8_t octets[2 * UICC_PIN_LEN],
                                      uint8_t *left)
{
    if (pin != UICC_PIN1 && pin != UICC_PIN2)
        return UICC_PIN_NO_SUCH;
    struct uicc_pin_values values;
    values_read(store, &values);
    enum uicc_pin_result result = spend(pins, store, &values, &values.puk_tries[pin]);
    if (result == UICC_PIN_OK && !secret_equal(values.puk[pin], octets, UICC_PIN_LEN)) {
        *left = values.puk_tries[pin];
        result = UICC_PIN_WRONG;
    } else if (result == UICC_PIN_OK) {
        values.puk_tries[pin] = store->factory->puk_tries[pin];
        // A PIN that was disabled is enabled by it [102.221 §11.1.13].
        values.enabled |= (uint8_t)(1U << pin);
        values.replaced &= (uint8_t) ~(1U << pin);
        result = act(pins, store, &values, pin, UICC_PIN_CHANGE, octets);
    }
    secret_wipe(&values, sizeof values);
    return result;
}

bool uicc_pin_left(const struct uicc_pin_store *store, enum uicc_pin pin, bool is_puk,
                   uint8_t *left)
{
    if (pin >= UICC_PINS || (is_puk && pin != UICC_PIN1 && pin != UICC_PIN2))
        return false;
    struct uicc_pin_values values;
    values_read(store, &values);
    *left = is_puk ? values.puk_tries[pin] : values.tries[pin];
    secret_wipe(&values, sizeof values);
    return true;
}
