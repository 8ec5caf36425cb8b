// Digits in semi-octets, as the model reads them: identifiers and telephone numbers that a command
// carries.
#include "tests/model/model.h"

#define FILLER 0xF

static uint8_t semi_octet(const uint8_t *octets, size_t i)
{
    return i % 2 == 0 ? octets[i / 2] & 0xF : octets[i / 2] >> 4;
}

// How many semi-octets from `from` on, up to `to`, are at most `highest`; 0 when what follows is no
// filler.
static size_t count_digits(const uint8_t *octets, size_t from, size_t to, uint8_t highest)
{
    size_t count = 0;
    while (from + count < to && semi_octet(octets, from + count) <= highest)
        count++;
    for (size_t i = from + count; i < to; i++) {
        if (semi_octet(octets, i) != FILLER)
            return 0;
    }
    return count;
}

// EF.IMSI: a length, then parity and type, and 6 to 15 digits [31.102 §4.2.2, 23.003 §2.2].
bool model_is_imsi(const uint8_t ef[COMMAND_IMSI_SIZE])
{
    if (ef[0] < 1 || ef[0] > 8)
        return false;
    const size_t count = count_digits(ef + 1, 1, 2 * (size_t)ef[0], 9);
    return count >= 6 && count <= 15 && semi_octet(ef + 1, 0) == (count % 2 == 0 ? 1 : 9);
}

// EF.ICCID: 18 to 20 digits that begin with 89 [102.221 §13.2, E.118].
bool model_is_iccid(const uint8_t ef[COMMAND_ICCID_SIZE])
{
    return ef[0] == 0x98 && count_digits(ef, 0, 20, 9) >= 18;
}

// A type of number, then 1 to 20 of 0-9 * # a b c [24.008 §10.5.4.7].
bool model_is_number(struct bytes octets)
{
    if (octets.len < 2 || octets.len > COMMAND_NUMBER_MAX)
        return false;
    const size_t count = count_digits(octets.at + 1, 0, 2 * (octets.len - 1), 14);
    return count >= 1 && count <= 20;
}
