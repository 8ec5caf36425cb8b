// The card at its APDUs: files, status words, the T=0 form.
#include "tests/unit/sim/apdu_lab.h"

static void the_imsi_and_the_iccid_are_read(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00B000000A"), SW_OK);
    // 890010100000000001 and its Luhn digit, swapped semi-octets: 98 00 01 01 00 00 00 00 10 F.
    assert_int_equal(answer_octets[0], 0x98);
    assert_int_equal(answer_octets[2], 0x01);
    assert_int_equal(answer_octets[9] >> 4, 0xF);
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F07"), SW_OK);
    assert_int_equal(send("00B0000009"), SW_OK);
    assert_answer("080910100000000010"); // 001010000000001 [31.102 §4.2.2]
    // The same by short identifier.
    assert_int_equal(send("00B0870009"), SW_OK);
    assert_answer("080910100000000010");
}

static void files_that_derive_from_the_subscription_show_it(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00B0860002"), SW_OK);
    assert_answer("0002"); // the IMSI ends with 1 [22.011 §4.2]
    assert_int_equal(send("00B0830004"), SW_OK);
    assert_answer("00000002");
    assert_int_equal(send("00A4000C026F42"), SW_OK);
    assert_int_equal(send("00B2010426"), SW_OK);
    assert_answer("FFFFFFFFFFFFFFFFFFFF"
                  "FD"
                  "FFFFFFFFFFFFFFFFFFFFFFFF"
                  "0591990900"
                  "10"
                  "FFFFFFFFFFFF"
                  "FFFFFF");
    assert_int_equal(send("00B093000A"), SW_OK);
    assert_answer("00F110C080FFFFFFFFFF"); // 001 01 with UTRAN, E-UTRAN and GSM
}

static void a_select_gives_its_parameters_by_get_response(void **state)
{
    (void)state;
    // tags and lengths: 82 02, 83 02, 8A 01, 8B 03, 80 02, 88 01 = 6 * 2 + 11 = 23 octets.
    assert_int_equal(send("00A40004022FE2"), 0x6119);
    assert_int_equal(send("00C000001A"), 0x6C19); // more than there is; the octets are kept
    assert_int_equal(send("00C0000019"), SW_OK);
    assert_answer("6217 82024121 83022FE2 8A0105 8B032F0601 8002000A 880110");
    assert_int_equal(send("00C0000019"), SW_CONDITIONS);
    // Fewer than there are: the rest waits.
    assert_int_equal(send("00A40004022FE2"), 0x6119);
    assert_int_equal(send("00C0000005"), 0x6114);
    assert_answer("6217820241");
    assert_int_equal(send("00C0000014"), SW_OK);
}

static void stored_files_keep_what_is_written(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00B08D000C"), SW_OK);
    assert_answer("FFFFFFFFFFFFFFFFFFFFFFFF");
    assert_int_equal(send("00D68D000C00F110FFFFFFFFFFFFFFFFFF"), SW_OK);
    assert_int_equal(send("00B08D000C"), SW_OK);
    assert_answer("00F110FFFFFFFFFFFFFFFFFF");
    // The default of the key set identifier is 07, and the rest stays FF.
    assert_int_equal(send("00B0880002"), SW_OK);
    assert_answer("07FF");
    assert_int_equal(send("00D688010155"), SW_OK);
    assert_int_equal(send("00B0880003"), SW_OK);
    assert_answer("0755FF");
    // EF.IMSI is not the terminal's to write.
    assert_int_equal(send("00D687000108"), SW_SECURITY_STATUS);
}

static void wrong_commands_get_the_status_words_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(send("00B0000009"), SW_NO_EF_SELECTED);
    assert_int_equal(send("00A4000C026F99"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4070C023F00"), SW_WRONG_P1_P2);
    assert_int_equal(send("00A4000C022F00"), SW_OK);
    assert_int_equal(send("00B0000009"), SW_STRUCTURE_MISMATCH);
    assert_int_equal(send("00B2030422"), SW_RECORD_NOT_FOUND);
    assert_int_equal(send("00B2010410"), 0x6C22);
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00B000000B"), 0x6C0A);
    assert_int_equal(send("00B0000A01"), SW_WRONG_OFFSET);
    assert_int_equal(send("00FF000000"), SW_INS_NOT_SUPPORTED);
    assert_int_equal(send("50A4000C023F00"), SW_CLA_NOT_SUPPORTED);
    assert_int_equal(send("00F2000C00"), SW_CLA_NOT_SUPPORTED); // STATUS is of class 80
    assert_int_equal(send("01A4000C023F00"), SW_CHANNEL_NOT_SUPPORTED);
    assert_int_equal(send("40A4000C023F00"), SW_CHANNEL_NOT_SUPPORTED); // channel 4
    assert_int_equal(send("04A4000C023F00"), SW_SECURE_MESSAGING_NOT_SUPPORTED);
    assert_int_equal(send("00B00000000001"), SW_WRONG_LENGTH); // an extended length
    assert_int_equal(send("8012000010"), SW_CONDITIONS);       // nothing to fetch
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 3);
    assert_int_equal(send("0088008100"), SW_CONDITIONS); // no USIM selected
}

static void records_are_walked_with_next_and_previous(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F3C"), SW_OK);
    for (int record = 1; record <= 10; record++) {
        char update[5 * 2 + 176 * 2 + 1];
        (void)snprintf(update, sizeof update, "00DC%02X04B0%02X", record, record);
        memset(update + 12, 'F', 175 * 2);
        update[5 * 2 + 176 * 2] = 0;
        assert_int_equal(send(update), SW_OK);
    }
    assert_int_equal(send("00B20003B0"), SW_OK); // previous, from nowhere: the last
    assert_int_equal(answer_octets[0], 10);
    assert_int_equal(send("00B20002B0"), SW_RECORD_NOT_FOUND);
    assert_int_equal(send("00B20003B0"), SW_OK);
    assert_int_equal(answer_octets[0], 9);
    assert_int_equal(send("00B20004B0"), SW_OK); // the current one
    assert_int_equal(answer_octets[0], 9);
    assert_int_equal(send("00A4000C026F3C"), SW_OK); // the pointer is gone
    assert_int_equal(send("00B20004B0"), SW_RECORD_NOT_FOUND);
    assert_int_equal(send("00B20002B0"), SW_OK);
    assert_int_equal(answer_octets[0], 1);
    assert_int_equal(send("00B20003B0"), SW_RECORD_NOT_FOUND);
}

// T=0, its historical octets, and the check octet [102.221
// §6.3].
static void the_answer_to_reset_is_sound(void **state)
{
    (void)state;
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    card_reset(card, &atr);
    assert_int_equal(octets[0], 0x3B);
    assert_int_equal(atr.len, 2 + 4 + 15 + 1); // T0 9F: TA1, TD1; TD1 80: TD2; TD2 1F: TA3
    uint8_t sum = 0;
    for (size_t i = 1; i < atr.len; i++)
        sum ^= octets[i];
    assert_int_equal(sum, 0);
}

static void a_card_without_power_is_mute(void **state)
{
    (void)state;
    card_power_off(card);
    assert_int_equal(send("00A4000C023F00"), CARD_MUTE);
}

static void nothing_is_asked_before_the_terminal_profile(void **state)
{
    (void)state;
    assert_int_equal(send("80F2000C00") & 0xFF00, 0x9000);
    assert_int_equal(send("801000000AFFFFFFFFFFFFFFFFFFFF") & 0xFF00, SW_OK_PROACTIVE);
}

// FETCH before TERMINAL RESPONSE, one of each for a command, and the length that was announced
// [102.221 §7.4.2].
static void a_proactive_session_has_its_order(void **state)
{
    (void)state;
    assert_int_equal(send("801400000C810301050082028281830100"), SW_CONDITIONS);
    uint16_t sw = send("801000000AFFFFFFFFFFFFFFFFFFFF");
    assert_int_equal(sw & 0xFF00, SW_OK_PROACTIVE);
    uint8_t len = (uint8_t)sw;
    assert_int_equal(send("801400000C810301050082028281830100"), SW_CONDITIONS);
    assert_int_equal(send("80120000FF"), SW_WRONG_LE | len);
    assert_int_equal(send("80F2000C00"), SW_OK_PROACTIVE | len); // it still waits
    char fetch[16];
    (void)snprintf(fetch, sizeof fetch, "80120000%02X", len);
    assert_int_equal(send(fetch), SW_OK);
    assert_int_equal(answer.len, len);
    assert_int_equal(answer_octets[0], 0xD0);
    struct cat_message message;
    assert_int_equal(cat_read_command(bytes_of(answer_octets, answer.len), &message), CAT_OK);
    char response[64];
    (void)snprintf(response, sizeof response, "801400000C8103%02X%02X%02X82028281830100",
                   message.number, message.type, message.qualifier);
    assert_true(apdu_sw_is_ok(send(response)));
    assert_int_equal(send(response), SW_CONDITIONS); // twice
}

// --- what a tester has the card ask ----------------------------------------------------------

static enum card_give give(const char *hex)
{
    uint8_t octets[300];
    char digits[600];
    size_t len = 0;
    for (; *hex != 0; hex++) {
        if (*hex != ' ')
            digits[len++] = *hex;
    }
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of(digits, len), &w));
    return card_give(card, writer_bytes(&w));
}

static void a_tester_has_the_card_ask_anything(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "D009 8103010200 82028182",                   // MORE TIME
        "D009 8103010400 82028182",                   // POLLING OFF
        "D00D 8103010300 82028182 8402011E",          // POLL INTERVAL
        "D009 8103012603 82028182",                   // PROVIDE LOCAL INFORMATION, date and time
        "D009 8103012606 82028182",                   // access technology
        "D009 8103010106 82028182",                   // REFRESH, session
        "D00B 8103010500 82028182 9900",              // SET UP EVENT LIST, none
        "D011 8103012700 82028182 A40101 A503005000", // TIMER MANAGEMENT
        "D00F 8103012180 82028102 8D0404414243",      // DISPLAY TEXT, which nothing here knows
    };
    // Before TERMINAL PROFILE nothing is asked.
    assert_int_equal(give(commands[0]), CARD_GIVEN);
    assert_int_equal(send("80F2000C00"), SW_OK);
    assert_int_equal(give(commands[1]), CARD_GIVE_BUSY);
    reset_card(); // drops it
    // A terminal of which the applet wants nothing.
    assert_int_equal(send("8010000002 0900"), SW_OK);
    assert_int_equal(send("80F2000C00"), SW_OK);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        assert_int_equal(give(commands[i]), CARD_GIVEN);
        assert_int_equal(give(commands[0]), CARD_GIVE_BUSY);
        uint16_t sw = send("80F2000C00");
        assert_int_equal(sw & 0xFF00, SW_OK_PROACTIVE);
        char fetch[16];
        (void)snprintf(fetch, sizeof fetch, "80120000%02X", sw & 0xFF);
        assert_int_equal(send(fetch), SW_OK);
        assert_answer(commands[i]);
        assert_int_equal(send("801400000C 8103010200 82028281 830120"), SW_OK); // whatever it says
        assert_int_equal(send("80F2000C00"), SW_OK);
    }
    // A terminal that never answers has lost it.
    assert_int_equal(give(commands[0]), CARD_GIVEN);
    assert_int_equal(send("80F2000C00"), 0x910B);
    assert_int_equal(send("801200000B"), SW_OK);
    for (unsigned i = 0; i < 8; i++)
        (void)send("80F2000C00");
    assert_int_equal(give(commands[1]), CARD_GIVEN);
    assert_int_equal(send("80F2000C00"), 0x910B);
}

static void what_is_no_command_is_not_given(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "", "D0", "D000", "D105", "D0058103010200", "D0048202 8182", "D00A 8103010200 82028182"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        assert_int_equal(give(nonsense[i]), CARD_GIVE_NONSENSE);
    uint8_t octets[CARD_GIVEN_MAX + 1] = {0xD0, 0x81, 0xFD, 0x81, 0x03, 0x01, 0x21, 0x80,
                                          0x82, 0x02, 0x81, 0x82, 0x8D, 0x81, 0xF1};
    assert_int_equal(card_give(card, bytes_of(octets, sizeof octets)), CARD_GIVE_NONSENSE);
    octets[2]--; // one octet fewer of text fits
    octets[14]--;
    assert_int_equal(card_give(card, bytes_of(octets, sizeof octets - 1)), CARD_GIVEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_imsi_and_the_iccid_are_read),
        CARD_TEST(files_that_derive_from_the_subscription_show_it),
        CARD_TEST(a_select_gives_its_parameters_by_get_response),
        CARD_TEST(stored_files_keep_what_is_written),
        CARD_TEST(wrong_commands_get_the_status_words_of_the_standard),
        CARD_TEST(records_are_walked_with_next_and_previous),
        CARD_TEST(the_answer_to_reset_is_sound),
        CARD_TEST(a_card_without_power_is_mute),
        CARD_TEST(nothing_is_asked_before_the_terminal_profile),
        CARD_TEST(a_proactive_session_has_its_order),
        CARD_TEST(a_tester_has_the_card_ask_anything),
        CARD_TEST(what_is_no_command_is_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
