// Class A0 [51.011]: what tools for older cards send.
#include "tests/unit/sim/apdu_lab.h"

static void the_mf_is_described_in_22_octets(void **state)
{
    (void)state;
    assert_int_equal(send("A0A40000023F00"), 0x9F16);
    assert_int_equal(send("A0C0000016"), SW_OK);
    assert_int_equal(answer_octets[4], 0x3F);
    assert_int_equal(answer_octets[6], 0x01);         // MF
    assert_int_equal(answer_octets[12], 9);           // octets that follow
    assert_int_equal(answer_octets[13] & 0x80, 0x80); // CHV1 is disabled
    assert_int_equal(answer_octets[14], 4);           // two ADFs, DF.TELECOM, DF.GSM
    assert_int_equal(answer_octets[18], 0x83);        // CHV1: initialised, 3 tries
    assert_int_equal(answer_octets[19], 0x8A);        // 10 to unblock it
    assert_int_equal(answer_octets[20], 0x83);
    assert_int_equal(answer_octets[21], 0x8A);
    assert_int_equal(send("A0F2000016"), SW_OK);
    assert_int_equal(answer.len, 22);
    assert_int_equal(send("A0F2000017"), 0x6716);
}

static void the_files_of_df_gsm_are_there(void **state)
{
    (void)state;
    assert_int_equal(send("A0A40000027F20"), 0x9F16);
    assert_int_equal(send("A0A40000026F07"), 0x9F0F);
    assert_int_equal(send("A0C000000F"), SW_OK);
    // size 9, 6F07, EF; read CHV1, update ADM; no INCREASE; activate and deactivate ADM; active;
    // 2 octets: transparent.
    assert_answer("0000 0009 6F07 04 00 14 FF 44 01 02 00 00");
    assert_int_equal(send("A0B0000009"), SW_OK);
    assert_answer("080910100000000010");
    assert_int_equal(send("A0B000000A"), 0x6709);
    static const char *const files[] = {"6F05", "6F20", "6F30", "6F31", "6F38", "6F3E", "6F46",
                                        "6F52", "6F53", "6F74", "6F78", "6F7B", "6F7E", "6FAD",
                                        "6FAE", "6FB7", "6F60", "6F61", "6F62"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char select[16];
        (void)snprintf(select, sizeof select, "A0A4000002%s", files[i]);
        assert_int_equal(send(select), 0x9F0F);
        assert_int_equal(send("A0B0000001"), SW_OK);
    }
    assert_int_equal(send("A0A40000026F99"), 0x9404);
    assert_int_equal(send("A0A40000027FF0"), 0x9404); // no USIM in this class
    assert_int_equal(send("A0A40000027F10"), 0x9F16);
    assert_int_equal(send("A0A40000026F42"), 0x9F0F); // EF.SMSP
    assert_int_equal(send("A0C000000F"), SW_OK);
    assert_answer("0000 0026 6F42 04 00 11 FF 44 01 02 01 26");
    assert_int_equal(send("A0B2010426"), SW_OK);
    assert_int_equal(answer_octets[23], 5);
}

// Two bits a service: allocated and activated [51.011 §10.3.7]. Those of files that there are.
static void the_services_have_their_files(void **state)
{
    (void)state;
    static const uint8_t services[] = {1, 2, 3, 4, 5, 7, 9, 12, 15, 16, 17, 26, 29, 38, 43, 44, 45};
    uint8_t expected[12] = {0};
    for (size_t i = 0; i < sizeof services; i++)
        expected[(services[i] - 1) / 4] |= (uint8_t)(3U << 2 * ((services[i] - 1) % 4));
    assert_int_equal(send("A0A40000027F20"), 0x9F16);
    assert_int_equal(send("A0A40000026F38"), 0x9F0F);
    assert_int_equal(send("A0B000000C"), SW_OK);
    assert_memory_equal(answer_octets, expected, sizeof expected);
    // The home network 001 01, as in the USIM.
    assert_int_equal(send("A0A40000026F62"), 0x9F0F);
    assert_int_equal(send("A0B0000003"), SW_OK);
    assert_answer("00F110");
}

static void writing_one_view_shows_in_the_other(void **state)
{
    (void)state;
    assert_int_equal(send("A0A40000027F20"), 0x9F16);
    assert_int_equal(send("A0A40000026F7B"), 0x9F0F);
    assert_int_equal(send("A0D6000003 00F110"), SW_OK);
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00B08D0003"), SW_OK);
    assert_answer("00F110");
}

static void the_chvs_have_words_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(send("A020000108 31323334FFFFFFFF"), 0x9808); // disabled
    assert_int_equal(send("A028000108 31323334FFFFFFFF"), SW_OK);
    reset_card();
    assert_int_equal(send("A0A40000027F20"), 0x9F16);
    assert_int_equal(send("A0A40000026F07"), 0x9F0F);
    assert_int_equal(send("A0B0000009"), 0x9804);
    assert_int_equal(send("A020000108 39393939FFFFFFFF"), 0x9804);
    assert_int_equal(send("A020000108 39393939FFFFFFFF"), 0x9804);
    assert_int_equal(send("A020000108 39393939FFFFFFFF"), 0x9840);
    assert_int_equal(send("A020000108 31323334FFFFFFFF"), 0x9840);
    assert_int_equal(send("A02C000010 3132333435363738 35363738FFFFFFFF"), SW_OK);
    assert_int_equal(send("A0B0000009"), SW_OK);
    assert_int_equal(send("A020000208 35363738FFFFFFFF"), SW_OK); // CHV2
    assert_int_equal(send("A026000208 35363738FFFFFFFF"), SW_WRONG_OFFSET);
}

static void seeking_finds_records(void **state)
{
    (void)state;
    assert_int_equal(send("A0A40000027F10"), 0x9F16);
    assert_int_equal(send("A0A40000026F3A"), 0x9F0F); // EF.ADN
    char update[80];
    (void)snprintf(update, sizeof update, "A0DC03041C 416E6E61%s",
                   "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
    assert_int_equal(send(update), SW_OK);
    assert_int_equal(send("A0A2000004 416E6E61"), SW_OK); // type 1 says nothing
    assert_int_equal(send("A0A2001004 416E6E61"), 0x9F01);
    assert_int_equal(send("A0C0000001"), SW_OK);
    assert_answer("03");
    assert_int_equal(send("A0A2001004 58585858"), 0x9404);
    assert_int_equal(send("A0A2001204 416E6E61"), 0x9404); // none after it
}

static void the_gsm_algorithm_needs_df_gsm(void **state)
{
    (void)state;
    const char *run = "A088000010 00112233445566778899AABBCCDDEEFF";
    assert_int_equal(send(run), 0x9408);
    assert_int_equal(send("A0A40000027F20"), 0x9F16);
    assert_int_equal(send(run), 0x9F0C);
    assert_int_equal(send("A0C000000C"), SW_OK);
    uint8_t gsm[12];
    memcpy(gsm, answer_octets, sizeof gsm);
    // The same as the GSM context of the USIM, which puts lengths in front.
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send_all("0088008011 10 00112233445566778899AABBCCDDEEFF"), SW_OK);
    assert_int_equal(answer_octets[0], 4);
    assert_memory_equal(answer_octets + 1, gsm, 4);
    assert_memory_equal(answer_octets + 6, gsm + 4, 8);
}

static void unknown_commands_and_wrong_lengths_are_refused(void **state)
{
    (void)state;
    assert_int_equal(send("A0FF000000"), SW_INS_NOT_SUPPORTED);
    assert_int_equal(send("A070000001"), SW_INS_NOT_SUPPORTED); // no channels
    assert_int_equal(send("A0A40000033F0000"), SW_WRONG_LENGTH);
    assert_int_equal(send("A0B0000001"), 0x9400); // no EF
    assert_int_equal(send("A0C0000001"), SW_CONDITIONS);
    assert_int_equal(send("A0FA000000"), SW_OK); // SLEEP
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_mf_is_described_in_22_octets),
        CARD_TEST(the_files_of_df_gsm_are_there),
        CARD_TEST(the_services_have_their_files),
        CARD_TEST(writing_one_view_shows_in_the_other),
        CARD_TEST(the_chvs_have_words_of_their_own),
        CARD_TEST(seeking_finds_records),
        CARD_TEST(the_gsm_algorithm_needs_df_gsm),
        CARD_TEST(unknown_commands_and_wrong_lengths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
