#include "ota-server/service/registry_eid.h"

#include "common/base/text.h"

#define PREFIX "89049999"
#define BODY_DIGITS (EID_DIGITS - 2)

// Modulo 97 of the digits, with two zeros behind them in place of the check digits.
static unsigned remainder_of(const char *digits)
{
    unsigned rest = 0;
    for (size_t i = 0; i < BODY_DIGITS; i++)
        rest = (rest * 10 + (unsigned)(digits[i] - '0')) % 97;
    return rest * 100 % 97;
}

void registry_eid_write(uint64_t card, char text[EID_SIZE])
{
    memcpy(text, PREFIX, strlen(PREFIX));
    for (size_t i = BODY_DIGITS; i > strlen(PREFIX); i--) {
        text[i - 1] = (char)('0' + card % 10);
        card /= 10;
    }
    const unsigned check = 98 - remainder_of(text);
    text[BODY_DIGITS] = (char)('0' + check / 10);
    text[BODY_DIGITS + 1] = (char)('0' + check % 10);
    text[EID_DIGITS] = '\0';
}

bool registry_eid_read(struct bytes text, uint64_t *card)
{
    char written[EID_SIZE];
    uint64_t id = 0;
    if (text.len != EID_DIGITS || !text_is_digits(text))
        return false;
    // More than an id holds wraps, and is then not what would be written.
    for (size_t i = strlen(PREFIX); i < BODY_DIGITS; i++)
        id = id * 10 + (uint64_t)(text.at[i] - '0');
    registry_eid_write(id, written);
    *card = id;
    return bytes_equal(text, bytes_of_text(written));
}
