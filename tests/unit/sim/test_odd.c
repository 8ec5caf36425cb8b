// What a tester with a reader tries: every command with parameters, lengths and states that it
// should not have, in the T=0 form, and the status words of the standards [102.221 §7.3.1, §10.2,
// §11; 31.102 §7].
#include "tests/unit/sim/apdu_lab.h"

// Commands in order; `expected` 0 is not looked at.
struct step {
    const char *command;
    unsigned expected;
};

static void go(const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t sw = send(steps[i].command);
        if (steps[i].expected != 0 && sw != steps[i].expected)
            print_error("step %zu: %s was answered %04X\n", i, steps[i].command, sw);
        if (steps[i].expected != 0)
            assert_int_equal(sw, steps[i].expected);
    }
}
#define GO(...)                                                                                    \
    do {                                                                                           \
        const struct step steps[] = {__VA_ARGS__};                                                 \
        go(steps, sizeof steps / sizeof steps[0]);                                                 \
    } while (0)

// --- the protocol ----------------------------------------------------------------------------

static void a_header_alone_is_a_command_with_p3_00(void **state)
{
    (void)state;
    GO({"00A4000C022FE2", SW_OK}, {"00B00000", 0x6C0A}, // as 00B0000000
       {"00B20004", SW_STRUCTURE_MISMATCH}, {"00A4000C022F00", SW_OK}, {"00B20104", 0x6C22},
       {"00B20002", 0x6C22}, {"00B2000222", SW_OK}, {"80F2000C", SW_OK}, {"80F20000", 0x6C31});
    // Nothing is done before the length is right: the channel is not opened twice.
    GO({"00700000", 0x6C01}, {"0070000001", SW_OK});
    assert_answer("01");
    GO({"00708001", SW_OK}, {"00A4000C", SW_OK}, {"00040000", SW_NO_EF_SELECTED},
       {"00200001", SW_PIN_TRIES | 3}, {"002C0001", SW_PIN_TRIES | 10}, {"80120000", SW_CONDITIONS},
       {"00D60000", SW_NO_EF_SELECTED});
}

static void get_response_wants_what_waits(void **state)
{
    (void)state;
    GO({"00C0000019", SW_CONDITIONS}, {"00A40004022FE2", 0x6119}, {"00C0010019", SW_WRONG_P1_P2},
       {"00C0000119", SW_WRONG_P1_P2}, {"00C0000001AA", SW_WRONG_LENGTH}, {"00C0000000", 0x6C19},
       {"00C00000", 0x6C19}, {"00C00000FF", 0x6C19}, {"00C0000019", SW_OK},
       {"00C0000019", SW_CONDITIONS});
    // Another command in between gives them up; so does a refused one.
    GO({"00A40004022FE2", 0x6119}, {"80F2000C00", SW_OK}, {"00C0000019", SW_CONDITIONS},
       {"00A40004022FE2", 0x6119}, {"00FF000000", SW_INS_NOT_SUPPORTED},
       {"00C0000019", SW_CONDITIONS});
    // They are of their channel.
    GO({"0070000001", SW_OK}, {"01A40004022FE2", 0x6119}, {"00C0000019", SW_CONDITIONS},
       {"01C0000019", SW_OK}, {"A0A40000022FE2", 0x9F0F}, {"A0C0000010", 0x670F},
       {"A0C000000F", SW_OK});
}

// [102.221 §7.3.1.1.4] b): the warning, a GET RESPONSE without a length, and one with it.
static void a_warning_comes_before_its_octets(void **state)
{
    (void)state;
    GO({VERIFY_ADM1, SW_OK}, {"0004000002 2F05", SW_OK}, {"00A40004022F05", SW_FILE_INVALIDATED},
       {"00C0000000", 0x6C19}, {"00C0000019", SW_OK});
    assert_answer("6217 82024121 83022F05 8A0104 8B032F0605 80020002 880128");
    GO({"00A4000C022F05", SW_FILE_INVALIDATED}, {"00C0000000", SW_CONDITIONS},
       {"A0A40000022F05", 0x9F0F}, {"A0C000000F", SW_OK});
    assert_int_equal(answer_octets[11] & 0x01, 0); // invalidated [51.011 §9.3]
}

static void lengths_are_short_and_right(void **state)
{
    (void)state;
    GO({"00", SW_WRONG_LENGTH}, {"00A400", SW_WRONG_LENGTH}, {"00A40004023F", SW_WRONG_LENGTH},
       {"00A40004023F000000", SW_WRONG_LENGTH}, // Lc 2, and two octets where Le has one
       {"00A4000400", 0x6C31}, {"00A4000430", 0x6C31}, {"00A4000431", SW_OK}, // no data: the MF
       {"00A400040000023F00", SW_WRONG_LENGTH},                               // extended
       {"00B0000000000A", SW_WRONG_LENGTH}, {"00A40004033F0000", SW_WRONG_LENGTH},
       {"00A40004013F", SW_WRONG_LENGTH}, {"00A4030C023F00", SW_WRONG_LENGTH},
       {"00A4040404A0000000", SW_WRONG_LENGTH}, // shorter than a RID
       {"80F2000C02AABB", SW_WRONG_LENGTH}, {"0070000001AA", SW_WRONG_LENGTH},
       {"0084000001AA", SW_WRONG_LENGTH}, {"00A40004023F0000", 0x6131}); // case 4: Le is for later
}

static void classes_and_channels_are_told_apart(void **state)
{
    (void)state;
    GO({"03B0000001", SW_CHANNEL_NOT_SUPPORTED}, {"43B0000001", SW_CHANNEL_NOT_SUPPORTED},
       {"0CB0000001", SW_SECURE_MESSAGING_NOT_SUPPORTED}, {"10B0000001", SW_CLA_NOT_SUPPORTED},
       {"20B0000001", SW_CLA_NOT_SUPPORTED}, {"FFB0000001", SW_CLA_NOT_SUPPORTED},
       {"80B0000001", SW_CLA_NOT_SUPPORTED}, {"0032000001AA", SW_CLA_NOT_SUPPORTED},
       {"0012000001", SW_CLA_NOT_SUPPORTED}, {"00CA000000", SW_INS_NOT_SUPPORTED},
       {"0070040000", SW_WRONG_P1_P2}, {"0070010000", SW_WRONG_P1_P2},
       {"03C0000000", SW_CHANNEL_NOT_SUPPORTED}, {"83C0000001", SW_CHANNEL_NOT_SUPPORTED},
       {"0070800300", SW_CHANNEL_NOT_SUPPORTED}, {"0070000200", SW_OK},
       {"0070000200", SW_FUNCTION_NOT_SUPPORTED}, {"82120000 01", SW_CHANNEL_NOT_SUPPORTED},
       {"82F2000C00", SW_OK});
}

// --- files -----------------------------------------------------------------------------------

// A command without data that is answered by octets [102.221 §7.3.1.1.2]: a length that is wrong
// moves nothing.
static void the_parent_is_selected_once(void **state)
{
    (void)state;
    GO({SELECT_USIM, SW_OK}, {"00A4000C025F3B", SW_OK});
    uint16_t sw = send("00A4030400");
    assert_int_equal(sw & 0xFF00, SW_WRONG_LE);
    assert_int_equal(answer.len, 0);
    char again[16];
    (void)snprintf(again, sizeof again, "00A40304%02X", sw & 0xFF);
    GO({"00A4090C024F20", SW_OK}, {again, SW_OK}); // it was still DF.GSM-ACCESS
    assert_int_equal(answer.len, sw & 0xFF);
    GO({"00A4000C026F07", SW_OK}); // the ADF: one step up
}

static void selection_by_path_is_exact(void **state)
{
    (void)state;
    GO({"00A4080C022FE2", SW_OK}, {"00A4080C", SW_WRONG_LENGTH}, {"00A4090C", SW_WRONG_LENGTH},
       {"00A4080C037F1000", SW_WRONG_LENGTH}, {"00A4080C047FFF6F07", SW_FILE_NOT_FOUND},
       {SELECT_USIM, SW_OK}, {"00A4080C047FFF6F07", SW_OK},
       {"00A4080C047FF06F07", SW_FILE_NOT_FOUND},
       {"00A4080C047F106F3A", SW_OK}, // the current folder is DF.TELECOM now
       {"00A4090C026F3C", SW_OK}, {"00A4090C022FE2", SW_FILE_NOT_FOUND},
       {"00A4080C067FFF5F3A4F3A", SW_OK}, {"00A4090C024F30", SW_OK}, {"00A4030C", SW_OK},
       {"00A4090C045F3B4F20", SW_OK}, {"00A4080C047FFF6F99", SW_FILE_NOT_FOUND},
       {"00B0000008", SW_OK}, // what fails leaves the current file
       {"00A4050C023F00", SW_WRONG_P1_P2}, {"00A400FF023F00", SW_WRONG_P1_P2},
       {"00A40008023F00", SW_WRONG_P1_P2});
}

static void offsets_records_and_short_identifiers_have_ends(void **state)
{
    (void)state;
    GO({SELECT_USIM, SW_OK}, {"00B0800009", SW_WRONG_P1_P2},              // short identifier 0
       {"00B09F0001", SW_FILE_NOT_FOUND}, {"00B0A70009", SW_WRONG_P1_P2}, // 31; a bit too many
       {"00B0870009", SW_OK}, {"00B0870900", SW_WRONG_OFFSET}, {"00B0870801", SW_OK},
       {"00B0870802", 0x6C01}, {"00B07FFF01", SW_WRONG_OFFSET}, {"00B201FC01", SW_FILE_NOT_FOUND},
       {"00B2010404", SW_STRUCTURE_MISMATCH}, // EF.IMSI
       {"00A4000C026F3C", SW_OK}, {"00B00000B0", SW_STRUCTURE_MISMATCH},
       {"00D6000001AA", SW_STRUCTURE_MISMATCH}, {"00B20004B0", SW_RECORD_NOT_FOUND}, // none current
       {"00B2FF04B0", SW_RECORD_NOT_FOUND}, {"00B20B04B0", SW_RECORD_NOT_FOUND},
       {"00B20A04B0", SW_OK}, {"00B20104AF", 0x6CB0}, {"00B2010400", 0x6CB0},
       {"00B20100B0", SW_WRONG_P1_P2}, {"00B20105B0", SW_WRONG_P1_P2},
       {"00DC010402AABB", SW_WRONG_LENGTH}, {"00DC0104", SW_WRONG_LENGTH},
       {"00DC0B0402AABB", SW_RECORD_NOT_FOUND}, {"8032000003000001", SW_STRUCTURE_MISMATCH},
       {"00A2010700", SW_WRONG_P1_P2}, {"00A2010400", SW_WRONG_LENGTH});
    GO({"00A4000C026FE3", SW_OK}, {"00D6001201AA", SW_WRONG_OFFSET},
       {"00D6001102AABB", SW_WRONG_LENGTH}, {"00D6001101FF", SW_OK},
       {"00D6000000", SW_WRONG_LENGTH}, {"00A2010401AA", SW_STRUCTURE_MISMATCH});
}

static void a_deactivated_file_is_named_in_every_way(void **state)
{
    (void)state;
    GO({SELECT_USIM, SW_OK}, {VERIFY_ADM1, SW_OK},
       {"0004080004 7FFF6F46", SW_OK}, // by path: EF.SPN is the current file now
       {"00B0000001", SW_DATA_INVALIDATED}, {"0004080003 7FFF6F", SW_WRONG_LENGTH},
       {"00040800", SW_WRONG_LENGTH}, {"0004080002 7FFF", SW_FILE_NOT_FOUND}, // a folder
       {"0004040002 6F46", SW_WRONG_P1_P2}, {"0004000102 6F46", SW_WRONG_P1_P2},
       {"0044090002 6F46", SW_OK}, {"00B0000001", SW_OK}, {"00040000", SW_OK}, // the current one
       {"00B0000001", SW_DATA_INVALIDATED}, {"00440000", SW_OK}, {"00440000", SW_OK},
       {"0004000002 6F99", SW_FILE_NOT_FOUND}, {"00A4000C027FFF", SW_OK},
       {"00040000", SW_NO_EF_SELECTED});
}

// --- PINs ------------------------------------------------------------------------------------

static void a_blocked_pin_is_blocked_for_every_command(void **state)
{
    (void)state;
    GO({"0028000108 31323334FFFFFFFF", SW_OK});
    for (unsigned left = 3; left-- > 0;)
        assert_int_equal(send("0020000108 39393939FFFFFFFF"), SW_PIN_TRIES | left);
    GO({"0020000100", SW_PIN_TRIES}, {"0020000108 31323334FFFFFFFF", SW_PIN_BLOCKED},
       {"0024000110 31323334FFFFFFFF 30303030FFFFFFFF", SW_PIN_BLOCKED},
       {"0026000108 31323334FFFFFFFF", SW_PIN_BLOCKED},
       {"0028000108 31323334FFFFFFFF", SW_PIN_BLOCKED}, {SELECT_USIM, SW_OK},
       {"00B0870009", SW_SECURITY_STATUS}, {"00B0830004", SW_OK}, // EF.AD
       {"A020000108 31323334FFFFFFFF", 0x9840},
       {"002C010110 3132333435363738 31323334FFFFFFFF", SW_WRONG_P1_P2},
       {"002C000110 3132333435363738 31323334FFFFFFFF", SW_OK}, {"00B0870009", SW_OK},
       {"0020000000", SW_REFERENCE_NOT_FOUND}, {"002000FF00", SW_REFERENCE_NOT_FOUND},
       {"0020000109 31323334FFFFFFFFFF", SW_WRONG_LENGTH},
       {"0026900108 31323334FFFFFFFF", SW_WRONG_P1_P2},
       {"0024000108 31323334FFFFFFFF", SW_WRONG_LENGTH});
}

// --- authentication and the toolkit ----------------------------------------------------------

#define RAND "00112233445566778899AABBCCDDEEFF"
static void authentication_names_what_is_wrong(void **state)
{
    (void)state;
    GO({"0088008122 10" RAND "10" RAND, SW_CONDITIONS}, {SELECT_USIM, SW_OK},
       {"0088018122 10" RAND "10" RAND, SW_WRONG_P1_P2}, {"0088008222 10" RAND "10" RAND, 0x9864},
       {"0088008422 10" RAND "10" RAND, 0x9864}, {"0088008611 10" RAND, 0x9864},
       {"0088008311 10" RAND, SW_WRONG_P1_P2}, {"0088008711 10" RAND, SW_WRONG_P1_P2},
       {"0088000122 10" RAND "10" RAND, SW_WRONG_P1_P2}, {"00880081", SW_WRONG_LENGTH},
       {"0088008111 10" RAND, SW_WRONG_LENGTH}, {"0088008122 0F" RAND "11" RAND, SW_WRONG_DATA},
       {"0088008023 10" RAND "10" RAND "00", SW_WRONG_LENGTH},
       {"0088008122 10" RAND "10" RAND, 0x9862}, {"0088008011 10" RAND, 0x610E},
       {"0089008122 10" RAND "10" RAND, SW_INS_NOT_SUPPORTED}, {"00A4000C023F00", SW_OK},
       {"0088008011 10" RAND, SW_CONDITIONS});
}

static void toolkit_commands_have_no_parameters(void **state)
{
    (void)state;
    GO({"8010010002FFFF", SW_WRONG_P1_P2}, {"8010000102FFFF", SW_WRONG_P1_P2},
       {"80120000FF", SW_CONDITIONS}, {"8010000000", SW_OK}, // a terminal without any feature
       {"80120000FF", SW_CONDITIONS}, {"8012000100", SW_WRONG_P1_P2});
    uint16_t sw = send("801000000AFFFFFFFFFFFFFFFFFFFF");
    uint8_t waiting = (uint8_t)sw;
    assert_int_equal(sw & 0xFF00, SW_OK_PROACTIVE);
    GO({"8012000000", SW_WRONG_LE | waiting}, {"8012000001", SW_WRONG_LE | waiting},
       {"8012000001AA", SW_WRONG_LENGTH}, {"80120000FF", SW_WRONG_LE | waiting},
       {"8014010003 830100", SW_WRONG_P1_P2}, {"80C2010002D600", SW_WRONG_P1_P2},
       {"80AA010002A900", SW_WRONG_P1_P2});
}

static void nonsense_in_an_envelope_is_refused_or_passed_over(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "80C20000",                                    // nothing
        "80C2000001D1",                                // a tag alone
        "80C2000003D105AA",                            // longer than there is
        "80C2000002D180",                              // an indefinite length
        "80C2000004D1020B00",                          // no TPDU
        "80C2000007D1058202838100",                    // devices, then half an object
        "80C200000FD10D 82028381 8B07 00000000000000", // no SMS-DELIVER
        "80C2000002D600",
        "80C2000002D700",
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        uint16_t sw = send(nonsense[i]);
        assert_true(sw == SW_WRONG_DATA || sw == SW_OK);
    }
    GO({"80C2000001D1", SW_WRONG_DATA}, {"80C2000003D105AA", SW_WRONG_DATA},
       {"80C2000002D200", SW_FUNCTION_NOT_SUPPORTED}, // cell broadcast
       {"80C2000002D300", SW_FUNCTION_NOT_SUPPORTED}, {"80C20000", SW_WRONG_DATA});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_header_alone_is_a_command_with_p3_00),
        CARD_TEST(get_response_wants_what_waits),
        CARD_TEST(a_warning_comes_before_its_octets),
        CARD_TEST(lengths_are_short_and_right),
        CARD_TEST(classes_and_channels_are_told_apart),
        CARD_TEST(the_parent_is_selected_once),
        CARD_TEST(selection_by_path_is_exact),
        CARD_TEST(offsets_records_and_short_identifiers_have_ends),
        CARD_TEST(a_deactivated_file_is_named_in_every_way),
        CARD_TEST(a_blocked_pin_is_blocked_for_every_command),
        CARD_TEST(authentication_names_what_is_wrong),
        CARD_TEST(toolkit_commands_have_no_parameters),
        CARD_TEST(nonsense_in_an_envelope_is_refused_or_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
