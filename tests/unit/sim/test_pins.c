// PINs [102.221 §9.5, §11.1.9-11.1.13]: the standard product's are in sim-emulator/core/product.c.
#include "tests/unit/sim/apdu_lab.h"

#define PIN_1234 "31323334FFFFFFFF"
#define PIN_5678 "35363738FFFFFFFF"
#define PIN_0000 "30303030FFFFFFFF"
#define WRONG "39393939FFFFFFFF"
#define PUK_1 "3132333435363738"
#define VERIFY1(pin) send("0020000108" pin)

static void enable_pin1(void)
{
    assert_int_equal(send("0028000108" PIN_1234), SW_OK);
}

static uint16_t read_imsi(void)
{
    (void)send(SELECT_USIM);
    return send("00B0870009");
}

static void a_disabled_pin_is_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 3);
    assert_int_equal(read_imsi(), SW_OK);
    assert_int_equal(VERIFY1(PIN_1234), SW_DATA_INVALIDATED);
    assert_int_equal(send("0026000108" PIN_1234), SW_DATA_INVALIDATED);
    assert_int_equal(send("0024000110" PIN_1234 PIN_0000), SW_DATA_INVALIDATED);
    assert_int_equal(send("0020000200"), SW_REFERENCE_NOT_FOUND);
    assert_int_equal(send("0020010108" PIN_1234), SW_WRONG_P1_P2);
}

static void an_enabled_pin_guards_the_files(void **state)
{
    (void)state;
    enable_pin1();
    assert_int_equal(send("0028000108" PIN_1234), SW_DATA_INVALIDATED);
    assert_int_equal(read_imsi(), SW_OK); // given by enabling it
    reset_card();
    assert_int_equal(read_imsi(), SW_SECURITY_STATUS);
    assert_int_equal(send("00B0830004"), SW_OK); // EF.AD is read always
    assert_int_equal(send("008800801110"
                          "00112233445566778899AABBCCDDEEFF"),
                     SW_SECURITY_STATUS);
    assert_int_equal(VERIFY1(WRONG), SW_PIN_TRIES | 2);
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 2);
    assert_int_equal(send("0020000107"
                          "31323334FFFFFF"),
                     SW_WRONG_LENGTH);
    assert_int_equal(VERIFY1(PIN_1234), SW_OK);
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 3);
    assert_int_equal(read_imsi(), SW_OK);
    assert_int_equal(VERIFY1(WRONG), SW_PIN_TRIES | 2); // a wrong one takes it away
    assert_int_equal(read_imsi(), SW_SECURITY_STATUS);
}

static void the_folder_shows_that_it_is_enabled(void **state)
{
    (void)state;
    enable_pin1();
    assert_int_equal(send_all("00A40004023F00"), SW_OK);
    static const uint8_t status[] = {0x90, 0x01, 0xC0, 0x83, 0x01, 0x01};
    bool is_found = false;
    for (size_t i = 0; i + sizeof status <= answer.len; i++)
        is_found = is_found || memcmp(answer_octets + i, status, sizeof status) == 0;
    assert_true(is_found);
}

static void three_wrong_ones_block_and_the_puk_unblocks(void **state)
{
    (void)state;
    enable_pin1();
    assert_int_equal(VERIFY1(WRONG), SW_PIN_TRIES | 2);
    assert_int_equal(VERIFY1(WRONG), SW_PIN_TRIES | 1);
    assert_int_equal(VERIFY1(WRONG), SW_PIN_TRIES | 0);
    assert_int_equal(VERIFY1(PIN_1234), SW_PIN_BLOCKED);
    reset_card();
    assert_int_equal(VERIFY1(PIN_1234), SW_PIN_BLOCKED);
    assert_int_equal(send("0026000108" PIN_1234), SW_PIN_BLOCKED);
    assert_int_equal(send("002C000100"), SW_PIN_TRIES | 10);
    assert_int_equal(send("002C000110" WRONG PIN_5678), SW_PIN_TRIES | 9);
    assert_int_equal(send("002C00010F"
                          "313233343536373835363738FFFFFF"),
                     SW_WRONG_LENGTH);
    assert_int_equal(send("002C000110" PUK_1 PIN_5678), SW_OK);
    assert_int_equal(read_imsi(), SW_OK);
    assert_int_equal(send("002C000100"), SW_PIN_TRIES | 10);
    reset_card();
    assert_int_equal(VERIFY1(PIN_1234), SW_PIN_TRIES | 2);
    assert_int_equal(VERIFY1(PIN_5678), SW_OK);
}

static void ten_wrong_puks_block_for_ever(void **state)
{
    (void)state;
    enable_pin1();
    for (unsigned left = 9; left > 0; left--)
        assert_int_equal(send("002C000110" WRONG PIN_5678), SW_PIN_TRIES | left);
    assert_int_equal(send("002C000110" WRONG PIN_5678), SW_PIN_TRIES | 0);
    assert_int_equal(send("002C000110" PUK_1 PIN_5678), SW_PIN_BLOCKED);
    assert_int_equal(VERIFY1(PIN_1234), SW_OK); // the PIN itself still works
}

static void changing_restores_the_counter(void **state)
{
    (void)state;
    enable_pin1();
    assert_int_equal(send("0024000110" WRONG PIN_0000), SW_PIN_TRIES | 2);
    assert_int_equal(send("0024000110" PIN_1234 PIN_0000), SW_OK);
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 3);
    assert_int_equal(VERIFY1(PIN_1234), SW_PIN_TRIES | 2);
    assert_int_equal(VERIFY1(PIN_0000), SW_OK);
    assert_int_equal(send("0026000108" PIN_0000), SW_OK);
    reset_card();
    assert_int_equal(read_imsi(), SW_OK);
}

static void unblocking_enables_a_disabled_pin(void **state)
{
    (void)state;
    assert_int_equal(send("002C000110" PUK_1 PIN_5678), SW_OK);
    reset_card();
    assert_int_equal(read_imsi(), SW_SECURITY_STATUS);
    assert_int_equal(VERIFY1(PIN_5678), SW_OK);
}

static void pin2_guards_fixed_dialling(void **state)
{
    (void)state;
    (void)send(SELECT_USIM);
    assert_int_equal(send("00A4000C026F56"), SW_OK); // EF.EST
    assert_int_equal(send("00D6000001 01"), SW_SECURITY_STATUS);
    assert_int_equal(send("0020008108" PIN_5678), SW_OK);
    assert_int_equal(send("00D6000001 01"), SW_OK);
    // The end of the application takes it away [102.221 §8.5.3].
    assert_int_equal(send("00A4044C05A000000087"), SW_OK);
    (void)send(SELECT_USIM);
    assert_int_equal(send("00A4000C026F56"), SW_OK);
    assert_int_equal(send("00D6000001 00"), SW_SECURITY_STATUS);
}

static void the_universal_pin_takes_the_place_of_pin1(void **state)
{
    (void)state;
    enable_pin1();
    assert_int_equal(send("0026910108" PIN_1234), SW_OK);
    assert_int_equal(read_imsi(), SW_SECURITY_STATUS);
    assert_int_equal(send("0020001108" PIN_0000), SW_DATA_INVALIDATED);
    assert_int_equal(send("0028001108" PIN_0000), SW_OK);
    assert_int_equal(read_imsi(), SW_OK);
    reset_card();
    assert_int_equal(read_imsi(), SW_SECURITY_STATUS);
    assert_int_equal(send("0020001108" PIN_0000), SW_OK);
    assert_int_equal(read_imsi(), SW_OK);
    assert_int_equal(send("0026910A08"
                          "3838383838383838"),
                     SW_REFERENCE_NOT_FOUND);
}

static void adm1_is_counted_and_cannot_be_disabled(void **state)
{
    (void)state;
    (void)send(SELECT_USIM);
    assert_int_equal(send("00D6870009 080910100000000020"), SW_SECURITY_STATUS);
    assert_int_equal(send("0020000A08" WRONG), SW_PIN_TRIES | 2);
    assert_int_equal(send("0026000A08"
                          "3838383838383838"),
                     SW_REFERENCE_NOT_FOUND);
    assert_int_equal(send("002C000A00"), SW_REFERENCE_NOT_FOUND);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("0020000A00"), SW_PIN_TRIES | 3);
    assert_int_equal(send("00D6870009 080910100000000020"), SW_OK);
    assert_int_equal(send("00B0870009"), SW_OK);
    assert_answer("080910100000000020");
}

// A wrong PIN, with the power gone at each octet that it writes: no try is won by it.
static void cutting_the_power_wins_no_try(void **state)
{
    bool is_through = false;
    for (uint64_t cut = 1; !is_through; cut++) {
        (void)close_card(state);
        (void)open_card(state);
        enable_pin1();
        struct nvm_faults faults = {.cut_at = cut, .is_torn = true, .torn_value = 0x03};
        card->nvm.faults = &faults;
        uint16_t sw = VERIFY1(WRONG);
        is_through = sw != CARD_MUTE;
        card->nvm.faults = NULL;
        reset_card();
        uint16_t left = send("0020000100");
        assert_true(left == (SW_PIN_TRIES | 3) || left == (SW_PIN_TRIES | 2));
        // What was told was counted.
        assert_true(!is_through || left == (SW_PIN_TRIES | 2));
        assert_int_equal(read_imsi(), SW_SECURITY_STATUS);
        assert_int_equal(VERIFY1(PIN_1234), SW_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_disabled_pin_is_not_asked_for),
        CARD_TEST(an_enabled_pin_guards_the_files),
        CARD_TEST(the_folder_shows_that_it_is_enabled),
        CARD_TEST(three_wrong_ones_block_and_the_puk_unblocks),
        CARD_TEST(ten_wrong_puks_block_for_ever),
        CARD_TEST(changing_restores_the_counter),
        CARD_TEST(unblocking_enables_a_disabled_pin),
        CARD_TEST(pin2_guards_fixed_dialling),
        CARD_TEST(the_universal_pin_takes_the_place_of_pin1),
        CARD_TEST(adm1_is_counted_and_cannot_be_disabled),
        CARD_TEST(cutting_the_power_wins_no_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
