// The card at its APDUs: files, status words, the T=0 form.
#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "tests/unit/sim/lab.h"

static struct lab lab;
static struct card *card;
static struct card_t0 t0;
static uint8_t answer_octets[CARD_RESPONSE_MAX];
static struct writer answer;

static int open_card(void **state)
{
    (void)state;
    lab_open(&lab, 1, NULL);
    card = &lab.devices[0].card;
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    t0.len = 0;
    card_reset(card, &atr);
    // Category and checksum of the answer to reset [102.221 §6.3].
    assert_int_equal(octets[0], 0x3B);
    uint8_t sum = 0;
    for (size_t i = 1; i < atr.len; i++)
        sum ^= octets[i];
    assert_int_equal(sum, 0);
    return 0;
}

static int close_card(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// Sends hexadecimal in T=0 form; the answer is in `answer`.
static uint16_t send(const char *hex)
{
    uint8_t octets[300];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of_text(hex), &w));
    answer = writer_of(answer_octets, sizeof answer_octets);
    return card_t0_exchange(card, &t0, writer_bytes(&w), &answer);
}

static void assert_answer(const char *hex)
{
    uint8_t octets[300];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of_text(hex), &w));
    assert_int_equal(answer.len, w.len);
    assert_memory_equal(answer_octets, octets, w.len);
}

#define SELECT_USIM "00A4040C10A0000000871002FFFFFFFF8907090000"

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
    assert_int_equal(send("00C0000005"), 0x6C19); // the octets are kept
    assert_int_equal(send("00C0000019"), SW_OK);
    assert_answer("621782024121830"
                  "22FE28A01058B032F06018002000A880110");
    assert_int_equal(send("00C0000019"), SW_CONDITIONS);
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
    assert_int_equal(send("00B2020422"), SW_RECORD_NOT_FOUND);
    assert_int_equal(send("00B2010410"), 0x6C22);
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00B000000B"), 0x6C0A);
    assert_int_equal(send("00B0000A01"), SW_WRONG_OFFSET);
    assert_int_equal(send("00FF000000"), SW_INS_NOT_SUPPORTED);
    assert_int_equal(send("50A4000C023F00"), SW_CLA_NOT_SUPPORTED);
    assert_int_equal(send("01A4000C023F00"), SW_CHANNEL_NOT_SUPPORTED);
    assert_int_equal(send("8012000010"), SW_CONDITIONS); // nothing to fetch
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 3);
    assert_int_equal(send("0088008100"), SW_CONDITIONS); // no USIM selected
}

static void records_are_walked_with_next_and_previous(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C022F06"), SW_OK);
    assert_int_equal(send("00B2000318"), SW_OK); // previous, from nowhere: the last
    assert_int_equal(answer_octets[2], 0x03);
    assert_int_equal(send("00B2000218"), SW_RECORD_NOT_FOUND);
    assert_int_equal(send("00B2000318"), SW_OK);
    assert_int_equal(answer_octets[2], 0x01);
    assert_int_equal(send("00B2000318"), SW_RECORD_NOT_FOUND);
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

// Every file: no two at one place of the store, views and records within their bounds.
static void the_table_of_files_is_sound(void **state)
{
    (void)state;
    size_t count;
    const struct card_file *table = file_table(&count);
    static uint8_t used[FILE_STORE_LEN];
    for (size_t i = 0; i < count; i++) {
        const struct card_file *f = &table[i];
        assert_true(f->size <= FILE_SIZE_MAX);
        assert_true(!file_is_view(f) || f->size <= FILE_VIEW_MAX);
        assert_true(f->content.len <= f->size);
        assert_ptr_equal(file_find(f->folder, f->identifier), f);
        if (f->kind == FILE_LINEAR)
            assert_int_equal(f->size % f->record_len, 0);
        if (f->short_identifier != 0)
            assert_ptr_equal(file_find_short(f->folder, f->short_identifier), f);
        assert_true(f->store_at == 0 || f->store_at >= NVM_AREA_HEAD);
        for (size_t at = 0; f->store_at != 0 && at < f->size; at++)
            assert_int_equal(used[f->store_at + at]++, 0);
    }
}

int main(void)
{
#define CARD_TEST(name) cmocka_unit_test_setup_teardown(name, open_card, close_card)
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_imsi_and_the_iccid_are_read),
        CARD_TEST(files_that_derive_from_the_subscription_show_it),
        CARD_TEST(a_select_gives_its_parameters_by_get_response),
        CARD_TEST(stored_files_keep_what_is_written),
        CARD_TEST(wrong_commands_get_the_status_words_of_the_standard),
        CARD_TEST(records_are_walked_with_next_and_previous),
        CARD_TEST(a_card_without_power_is_mute),
        CARD_TEST(nothing_is_asked_before_the_terminal_profile),
        cmocka_unit_test(the_table_of_files_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
