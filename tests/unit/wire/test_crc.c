// CRC-32 and CRC-16 against their definition, bit by bit, at every length that the tables treat
// differently and from every alignment; and against the check values of their catalogue.
#include "common/wire/crc.h"

#include "tests/lib/cmocka_all.h"

// The definition: reflected, from all ones, complemented at the end.
static uint32_t by_bits(uint32_t polynomial, uint32_t ones, struct bytes octets)
{
    uint32_t crc = ones;
    for (size_t i = 0; i < octets.len; i++) {
        crc ^= octets.at[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return crc ^ ones;
}

static void known_check_values_come_out(void **state)
{
    (void)state;
    struct bytes digits = bytes_of_text("123456789");
    assert_int_equal(crc32_add(0, digits), 0xCBF43926);
    assert_int_equal(crc16_add(0, digits), 0x906E);
}

static void every_octet_at_every_place_counts(void **state)
{
    (void)state;
    uint8_t octets[24];
    for (unsigned value = 0; value < 256; value++) {
        for (size_t i = 0; i < sizeof octets; i++)
            octets[i] = (uint8_t)(value + 37 * i);
        for (size_t from = 0; from < 4; from++) {
            for (size_t len = 0; from + len <= sizeof octets; len++) {
                struct bytes piece = bytes_of(octets + from, len);
                assert_int_equal(crc32_add(0, piece), by_bits(0xEDB88320, UINT32_MAX, piece));
                assert_int_equal(crc16_add(0, piece), by_bits(0x8408, UINT16_MAX, piece));
            }
        }
    }
}

static void pieces_give_the_value_of_the_whole(void **state)
{
    (void)state;
    struct bytes whole = bytes_of_text("a check sum may be fed in pieces");
    for (size_t cut = 0; cut <= whole.len; cut++) {
        uint32_t crc = crc32_add(0, bytes_slice(whole, 0, cut));
        assert_int_equal(crc32_add(crc, bytes_slice(whole, cut, whole.len - cut)),
                         crc32_add(0, whole));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_check_values_come_out),
        cmocka_unit_test(every_octet_at_every_place_counts),
        cmocka_unit_test(pieces_give_the_value_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
