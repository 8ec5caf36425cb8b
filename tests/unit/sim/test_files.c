// Files at the APDUs: selecting, records, searching, counting, channels, administration.
#include "tests/unit/sim/apdu_lab.h"

#include "common/wire/tlv.h"
#include "sim-emulator/core/uicc/made.h"

static void the_mf_tells_what_the_card_is(void **state)
{
    (void)state;
    assert_int_equal(send_all("00A40004023F00"), SW_OK);
    struct reader r = reader_of(bytes_of(answer_octets, answer.len));
    struct tlv all;
    struct bytes value;
    assert_true(tlv_next(&r, &all) && all.tag == 0x62 && reader_done(&r));
    assert_true(tlv_find(all.value, 0x82, &value) && value.len == 2 && value.at[0] == 0x78);
    assert_true(tlv_find(all.value, 0x83, &value) && value.at[0] == 0x3F && value.at[1] == 0x00);
    assert_true(tlv_find(all.value, 0x8A, &value) && value.at[0] == 0x05);
    // TERMINAL CAPABILITY is understood [102.221 §11.1.1.4.6.8].
    assert_true(tlv_find(all.value, 0xA5, &value) && tlv_find(value, 0x87, &value));
    assert_int_equal(value.at[0], 0x01);
    // PIN1 disabled, ADM1 enabled, the universal PIN not used.
    assert_true(tlv_find(all.value, 0xC6, &value));
    assert_int_equal(value.len, 15);
    assert_memory_equal(value.at, "\x90\x01\x40\x83\x01\x01\x83\x01\x0A\x95\x01\x00\x83\x01\x11",
                        15);
    // In the application PIN2 is asked for as well, and it is enabled.
    assert_int_equal(send_all("00A4040410A0000000871002FFFFFFFF8907090000"), SW_OK);
    struct reader adf = reader_of(bytes_of(answer_octets, answer.len));
    assert_true(tlv_next(&adf, &all) && tlv_find(all.value, 0xC6, &value) && value.len == 18);
    assert_memory_equal(
        value.at, "\x90\x01\x60\x83\x01\x01\x83\x01\x81\x83\x01\x0A\x95\x01\x00\x83\x01\x11", 18);
}

static void file_parameters_name_structure_size_and_rule(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send_all("00A40004026F3C"), SW_OK); // EF.SMS: 10 records of 176, no SFI
    assert_answer("6219 8205422100B00A 83026F3C 8A0105 8B036F0602 800206E0 8800");
    assert_int_equal(send_all("00A40004026F39"), SW_OK); // EF.ACM: cyclic, 5 of 3
    assert_answer("6219 82054621000305 83026F39 8A0105 8B036F0607 8002000F 8800");
    assert_int_equal(send_all("00A40004026FAD"), SW_OK); // EF.AD: SFI 03
    assert_answer("6217 82024121 83026FAD 8A0105 8B036F0601 80020004 880118");
    assert_int_equal(send_all("00A40004026FE3"), SW_OK); // EF.EPSLOCI: SFI 1E
    assert_answer("6217 82024121 83026FE3 8A0105 8B036F0602 80020012 8801F0");
}

static void files_are_selected_in_every_way(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C027FFF"), SW_FILE_NOT_FOUND); // no application yet
    assert_int_equal(send("00A4000C027FF0"), SW_FILE_NOT_FOUND); // never by its identifier
    assert_int_equal(send("00A4040C05A000000087"), SW_OK);       // by the beginning of its name
    assert_int_equal(send("00A4000C026F07"), SW_OK);
    assert_int_equal(send("00A4000C025FC0"), SW_OK); // a folder in it
    assert_int_equal(send("00A4000C024F0A"), SW_OK);
    assert_int_equal(send("00B0000004"), SW_OK);
    assert_answer("F0FFFFFF");
    assert_int_equal(send("00A4000C025F3A"), SW_OK); // the folder beside the current one
    assert_int_equal(send("00A4000C024F30"), SW_OK);
    assert_int_equal(send("00A4000C024F01"), SW_FILE_NOT_FOUND); // of DF.5GS
    assert_int_equal(send("00A4000C027FFF"), SW_OK);             // the ADF
    assert_int_equal(send("00A4000C026F07"), SW_OK);
    assert_int_equal(send("00A4080C022FE2"), SW_OK); // path from the MF
    assert_int_equal(send("00B000000A"), SW_OK);
    assert_int_equal(send("00A4080C047FFF6F07"), SW_OK);
    assert_int_equal(send("00A4080C067FFF5F3A4F3A"), SW_OK);
    assert_int_equal(send("00A4030C"), SW_OK);                       // the parent
    assert_int_equal(send("00A4090C045FC04F01"), SW_OK);             // path from the current folder
    assert_int_equal(send("00A4080C042FE26F07"), SW_FILE_NOT_FOUND); // through an EF
    assert_int_equal(send("00A4080C032FE26F"), SW_WRONG_LENGTH);
    assert_int_equal(send("00A4000C"), SW_OK); // no data: the MF
    assert_int_equal(send("00A4000C022F00"), SW_OK);
    assert_int_equal(send("00A4040C07A0000000871001"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4018C027F10"), SW_WRONG_P1_P2);
    assert_int_equal(send("00A4010C027F10"), SW_OK);
    assert_int_equal(send("00A4010C022FE2"), SW_FILE_NOT_FOUND); // P1 01 is for folders
}

static void a_failed_selection_leaves_the_former_one(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00A4000C026F07"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00B000000A"), SW_OK);
}

static void status_describes_the_folder_and_names_the_application(void **state)
{
    (void)state;
    assert_int_equal(send("80F2000C00"), SW_OK);
    assert_int_equal(send("80F2000100"), SW_FILE_NOT_FOUND); // none selected
    uint16_t wrong = send("80F2000000");
    assert_int_equal(wrong & 0xFF00, SW_WRONG_LE); // the terminal learns the length
    char again[16];
    (void)snprintf(again, sizeof again, "80F20000%02X", wrong & 0xFF);
    assert_int_equal(send(again), SW_OK);
    assert_int_equal(answer_octets[0], 0x62);
    assert_int_equal(answer.len, wrong & 0xFF);
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("80F2000112"), SW_OK);
    assert_answer("8410A0000000871002FFFFFFFF8907090000");
    assert_int_equal(send("80F2400000"), SW_WRONG_P1_P2); // GET STATUS of another standard
}

static void a_read_that_asks_too_much_learns_the_length(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00B0000000"), 0x6C0A); // P3 00 is 256
    assert_int_equal(send("00B0000406"), SW_OK);
    assert_int_equal(send("00B0000407"), 0x6C06);
    assert_int_equal(send("00B0000906"), 0x6C01);
    assert_int_equal(send("00B0000A01"), SW_WRONG_OFFSET);
    assert_int_equal(send("00B0C00001"), SW_WRONG_P1_P2); // bits of the short identifier
    assert_int_equal(send("00B0990001"), SW_FILE_NOT_FOUND);
}

static void the_sms_records_are_free_at_first(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F3C"), SW_OK);
    assert_int_equal(send("00B20A04B0"), SW_OK);
    assert_int_equal(answer_octets[0], 0x00); // [31.102 §4.2.25]
    assert_int_equal(answer_octets[175], 0xFF);
    assert_int_equal(send("00B20B04B0"), SW_RECORD_NOT_FOUND);
    assert_int_equal(send("00B20104B1"), 0x6CB0);
}

static void a_cyclic_file_turns(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F39"), SW_OK);
    assert_int_equal(send_all("8032000003 000005"), SW_OK);
    assert_answer("000005 000005"); // the sum, and what was added
    assert_int_equal(send_all("8032000003 0000FF"), SW_OK);
    assert_answer("000104 0000FF");
    assert_int_equal(send("00B2010403"), SW_OK); // record 1 is the last one written
    assert_answer("000104");
    assert_int_equal(send("00B2020403"), SW_OK);
    assert_answer("000005");
    assert_int_equal(send("00B2050403"), SW_OK);
    assert_answer("000000");
    assert_int_equal(send("00B2060403"), SW_RECORD_NOT_FOUND);
    // It has no ends.
    assert_int_equal(send("00A4000C026F39"), SW_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send("00B2000203"), SW_OK);
    assert_int_equal(send("00B2000203"), SW_OK);
    assert_answer("000104");
    // UPDATE takes the oldest record, with PIN2.
    assert_int_equal(send("00DC000303 FFFFFE"), SW_SECURITY_STATUS);
    assert_int_equal(send("0020008108 35363738FFFFFFFF"), SW_OK);
    assert_int_equal(send("00DC010403 FFFFFE"), SW_STRUCTURE_MISMATCH);
    assert_int_equal(send("00DC000303 FFFFFE"), SW_OK);
    assert_int_equal(send("00B2020403"), SW_OK);
    assert_answer("000104");
    assert_int_equal(send_all("8032000003 000001"), SW_OK);
    assert_answer("FFFFFF 000001");
    assert_int_equal(send("8032000003 000001"), SW_MAX_VALUE);
    assert_int_equal(send("00B2010403"), SW_OK);
    assert_answer("FFFFFF");
    assert_int_equal(send("8032000004 00000001"), SW_WRONG_LENGTH);
}

static void records_are_searched(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C025F3A"), SW_OK);
    assert_int_equal(send("00A4000C024F3A"), SW_OK);                     // EF.ADN: 10 records of 28
    const char *rest = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"; // 23
    char update[80];
    (void)snprintf(update, sizeof update, "00DC02041C 416E6E61FF%s", rest); // "Anna"
    assert_int_equal(send(update), SW_OK);
    (void)snprintf(update, sizeof update, "00DC05041C 48616E6E61%s", rest); // "Hanna"
    assert_int_equal(send(update), SW_OK);
    assert_int_equal(send_all("00A2010403 6E6E61"), SW_OK); // "nna" forward
    assert_answer("0205");
    assert_int_equal(send("00B200041C"), SW_OK); // the first one found is the current one
    assert_int_equal(answer_octets[0], 'A');
    assert_int_equal(send_all("00A20A0503 6E6E61"), SW_OK); // backward
    assert_answer("0502");
    assert_int_equal(send_all("00A2030403 6E6E61"), SW_OK);
    assert_answer("05");
    assert_int_equal(send("00A2010403 787878"), SW_END_OF_FILE);
    assert_int_equal(send("00A20B0403 6E6E61"), SW_RECORD_NOT_FOUND);
    // Enhanced: from offset 0 only at octet 0..; behind the first 'H'; from the next record.
    assert_int_equal(send_all("00A2010605 0402 6E6E61"), SW_OK);
    assert_answer("05"); // "nna" at offset 2 or later
    assert_int_equal(send_all("00A2010605 0C48 6E6E61"), SW_OK);
    assert_answer("05");
    assert_int_equal(send("00B202041C"), SW_OK);
    assert_int_equal(send("00A2010605 0600 787878"), SW_END_OF_FILE);
    assert_int_equal(send("00A2010605 0000 6E6E61"), SW_WRONG_DATA);
    assert_int_equal(send("00A2010700"), SW_WRONG_P1_P2);
}

static void four_channels_have_a_place_each(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("0070000001"), SW_OK);
    assert_answer("01");
    assert_int_equal(send("0070000001"), SW_OK);
    assert_answer("02");
    assert_int_equal(send("0070000300"), SW_OK); // that one
    assert_int_equal(send("0070000001"), SW_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(send("01A4000C026F07"), SW_FILE_NOT_FOUND); // it is at the MF
    assert_int_equal(send("01A4000C022FE2"), SW_OK);
    assert_int_equal(send("02A4040C10A0000000871002FFFFFFFF8907090000"), SW_OK);
    assert_int_equal(send("02B0870009"), SW_OK);
    assert_int_equal(send("01B000000A"), SW_OK);
    assert_int_equal(send("00A4000C026F07"), SW_OK); // the basic one stayed in the USIM
    assert_int_equal(send("0070800100"), SW_OK);
    assert_int_equal(send("01B000000A"), SW_CHANNEL_NOT_SUPPORTED);
    assert_int_equal(send("0070800100"), SW_CHANNEL_NOT_SUPPORTED);
    assert_int_equal(send("0070800000"), SW_WRONG_P1_P2); // the basic channel stays
    // Opened from another one it begins where that is.
    assert_int_equal(send("0270000001"), SW_OK);
    assert_answer("01");
    assert_int_equal(send("01A4000C026F07"), SW_OK);
    assert_int_equal(send("8110000003FFFFFF"), SW_CHANNEL_NOT_SUPPORTED); // the toolkit's is 0
    reset_card();
    assert_int_equal(send("02B0870009"), SW_CHANNEL_NOT_SUPPORTED);
}

static void an_administrator_deactivates_and_activates(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C022F05"), SW_OK);
    assert_int_equal(send("00040000"), SW_SECURITY_STATUS);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("00040000"), SW_OK);
    assert_int_equal(send("00B0000002"), SW_DATA_INVALIDATED);
    assert_int_equal(send("00D6000001AA"), SW_DATA_INVALIDATED);
    reset_card();
    assert_int_equal(send("00A4000C022F05"), SW_FILE_INVALIDATED);
    assert_int_equal(send("00440000"), SW_SECURITY_STATUS);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("0044000002 2F05"), SW_OK);
    assert_int_equal(send("00B0000002"), SW_OK);
}

// 62 L: transparent, 6F99, activated, rule 1 of 2F06, 20 octets, SFI 0C, filled with AA BB.
#define CREATE_TRANSPARENT                                                                         \
    "00E000001F 621D 82024121 8302 2F99 8A0105 8B032F0601 80020014 880160 A504C102AABB"

static void an_administrator_creates_a_file(void **state)
{
    (void)state;
    assert_int_equal(send(CREATE_TRANSPARENT), SW_SECURITY_STATUS);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send(CREATE_TRANSPARENT), SW_OK);
    assert_int_equal(send("00B0000004"), SW_OK); // it is the current one
    assert_answer("AABBBBBB");
    assert_int_equal(send(CREATE_TRANSPARENT), SW_FILE_EXISTS);
    assert_int_equal(send("00D6001302 0102"), SW_WRONG_LENGTH);
    assert_int_equal(send("00D6001202 0102"), SW_OK);
    reset_card();
    assert_int_equal(send("00B08C1202"), SW_OK);
    assert_answer("0102");
    assert_int_equal(send_all("00A40004022F99"), SW_OK);
    assert_answer("6217 82024121 83022F99 8A0105 8B032F0601 80020014 880160");
    // A size that is no number of records; a descriptor that is none; a rule of another folder.
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(
        send("00E000001A 6218 8204 4221 0005 8302 2F98 8A0105 8B032F0601 80020014 8800"), SW_OK);
    assert_int_equal(
        send("00E000001A 6218 8204 4221 0003 8302 2F97 8A0105 8B032F0601 80020014 8800"),
        SW_WRONG_DATA);
    assert_int_equal(send("00E0000019 6217 8202 5521 8302 2F97 8A0105 8B032F0601 80020014 880160"),
                     SW_WRONG_DATA);
    assert_int_equal(send("00E0000018 6216 8202 4121 8302 2F97 8A0105 8B036F0601 80020014 8800"),
                     SW_WRONG_DATA);
    assert_int_equal(send("00E000000462028202"), SW_WRONG_DATA);
    // More than the card has.
    assert_int_equal(send("00E0000018 6216 8202 4121 8302 2F97 8A0105 8B032F0601 80024000 8800"),
                     SW_NO_MEMORY);
    assert_int_equal(send("00A4000C022F97"), SW_FILE_NOT_FOUND);
}

static void folders_are_created_and_deleted_when_empty(void **state)
{
    (void)state;
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("00E0000011 6210 82027821 83027F66 8A0105 8B032F06"), SW_WRONG_DATA);
    assert_int_equal(send("00E0000012 6210 82027821 83027F66 8A0105 8B032F0606"), SW_OK);
    assert_int_equal(send("00E0000016 6214 82024121 83026F01 8A0105 8B032F0601 80020002"), SW_OK);
    assert_int_equal(send("00A4080C047F666F01"), SW_OK);
    assert_int_equal(send("00B0810002"), SW_OK); // SFI 01: the end of its identifier
    assert_answer("FFFF");
    assert_int_equal(send("00A4000C023F00"), SW_OK);
    assert_int_equal(send("00E4000002 7F66"), SW_CONDITIONS); // something is in it
    assert_int_equal(send("00A4000C027F66"), SW_OK);
    assert_int_equal(send("00E4000002 6F01"), SW_OK);
    assert_int_equal(send("00A4000C026F01"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4000C023F00"), SW_OK);
    assert_int_equal(send("00E4000002 7F66"), SW_OK);
    assert_int_equal(send("00A4000C027F66"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00E4000002 7F20"), SW_CONDITIONS);
    assert_int_equal(send("00E4000002 2F05"), SW_OK);
    assert_int_equal(send("00E4000002 2F06"), SW_CONDITIONS); // the others' rules are in it
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00E4000002 6F06"), SW_CONDITIONS);
    reset_card();
    assert_int_equal(send("00A4000C022F05"), SW_FILE_NOT_FOUND);
}

static void an_administrator_resizes(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00D68D000300F110"), SW_OK); // EF.FPLMN
    assert_int_equal(send("80D400000A 6208 83026F7B 80020018"), SW_SECURITY_STATUS);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F7B 80020018"), SW_OK);
    assert_int_equal(send("00B0000018"), SW_OK); // 24 octets; the beginning is kept
    assert_answer("00F110 FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
    assert_int_equal(send("80D400000A 6208 83026F7B 80020006"), SW_OK);
    reset_card();
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00B08D0007"), 0x6C06);
    assert_int_equal(send("00B08D0006"), SW_OK);
    assert_answer("00F110 FFFFFF");
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F40 80020010"), SW_WRONG_DATA); // records of 24
    assert_int_equal(send("80D400000A 6208 83026F39 80020006"), SW_STRUCTURE_MISMATCH);
    // What fails leaves the current file.
    assert_int_equal(send("00A4000C026F7B"), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F7B 80024000"), SW_NO_MEMORY);
    assert_int_equal(send("00B0000006"), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F40 80020030"), SW_OK); // EF.MSISDN: two of 24
    assert_int_equal(send("00B2020418"), SW_OK);
    assert_int_equal(answer_octets[0], 0xFF);
}

// Octets that are left, as the MF says.
static unsigned memory_left(void)
{
    struct tlv all;
    struct bytes value = {0};
    assert_int_equal(send_all("00A40004023F00"), SW_OK);
    struct reader r = reader_of(bytes_of(answer_octets, answer.len));
    assert_true(tlv_next(&r, &all) && tlv_find(all.value, 0xA5, &value) &&
                tlv_find(value, 0x83, &value) && value.len == 4);
    struct reader left = reader_of(value);
    return reader_u32(&left);
}

// A file that does not fit takes nothing, however often it is asked for and whatever stops it.
static void a_refused_creation_takes_nothing(void **state)
{
    (void)state;
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    unsigned left = memory_left();
    // Within the space of addresses, but more than there is memory.
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(
            send("00E0000018 6216 8202 4121 8302 2F97 8A0105 8B032F0601 80021900 8800"),
            SW_NO_MEMORY);
        assert_int_equal(memory_left(), left);
    }
    for (unsigned more = 2; more-- > 0;) { // the last octet fits, the next one would not
        char create[80];
        (void)snprintf(create, sizeof create,
                       "00E0000018 6216 8202 4121 8302 2F97 8A0105 8B032F0601 8002%04X 8800",
                       left + more);
        assert_int_equal(send(create), more == 1 ? SW_NO_MEMORY : SW_OK);
    }
    assert_int_equal(memory_left(), 0);
    assert_int_equal(send(CREATE_TRANSPARENT), SW_NO_MEMORY);
    // The card still remembers what it has to: a wrong PIN, and where it is.
    assert_int_equal(send("0020008108 39393939FFFFFFFF"), SW_PIN_TRIES | 2);
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00D68B000B 11223344 00F110 0001 FF 00"), SW_OK);
    assert_int_equal(send("00A4000C023F00"), SW_OK);
    assert_int_equal(send("00E4000002 2F97"), SW_OK);
    assert_int_equal(memory_left(), left - 2 * 60U); // the record, and the location
    assert_int_equal(send(CREATE_TRANSPARENT), SW_OK);
}

// The pages of all cards are used up in the middle of it, or the power goes.
static void a_creation_that_fails_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    unsigned left = memory_left();
    uint32_t count = lab.shop.pool.page_count;
    lab.shop.pool.page_count = lab.shop.pool.fresh + 10;
    const char *create = "00E0000018 6216 8202 4121 8302 2F97 8A0105 8B032F0601 80020400 8800";
    assert_int_equal(send(create), SW_MEMORY_FAILURE);
    lab.shop.pool.page_count = count;
    assert_int_equal(memory_left(), left);
    struct nvm_faults faults = {.cut_at = 700};
    card->nvm.faults = &faults;
    assert_int_equal(send(create), CARD_MUTE);
    card->nvm.faults = NULL;
    reset_card();
    assert_int_equal(memory_left(), left);
    assert_int_equal(send("00A4000C022F97"), SW_FILE_NOT_FOUND);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send(create), SW_OK);
}

// EF.SMSS lies in ADF.USIM and, by a second name, in DF.TELECOM.
static void a_file_is_one_by_whatever_name(void **state)
{
    (void)state;
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("0070000001"), SW_OK);
    assert_int_equal(send("01A4080C047F106F43"), SW_OK); // open on another channel
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("0004000002 6F43"), SW_OK);
    assert_int_equal(send("01B0000002"), SW_DATA_INVALIDATED);
    assert_int_equal(send("00A4080C047F106F43"), SW_FILE_INVALIDATED);
    assert_int_equal(send("0044000002 6F43"), SW_OK); // by the second name
    assert_int_equal(send("00A4080C047FFF6F43"), SW_OK);
    assert_int_equal(send("01B0000002"), SW_OK);
    assert_int_equal(send("00E4000002 6F43"), SW_OK);
    assert_int_equal(send("01B0000002"), SW_NO_EF_SELECTED);
    assert_int_equal(send("00A4080C047F106F43"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("A0A40000027F10"), 0x9F16);
    assert_int_equal(send("A0A40000026F43"), 0x9404);
}

// A file of the table keeps names, default and view when it is given another size.
static void a_resized_file_stays_the_same_file(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("0070000001"), SW_OK);
    assert_int_equal(send("01A4080C047F206F07"), SW_OK); // EF.IMSI by its second name
    assert_int_equal(send("80D400000A 6208 83026F07 8002000C"), SW_OK);
    assert_int_equal(send("00B000000C"), SW_OK);
    assert_answer("080910100000000010 FFFFFF");  // 001010000000001
    assert_int_equal(send("01B000000C"), SW_OK); // the other channel has it, too
    assert_answer("080910100000000010 FFFFFF");
    assert_int_equal(send("00B087000C"), SW_OK);
    assert_int_equal(send("00A4080C047F206F07"), SW_OK);
    assert_int_equal(send("00D600090155"), SW_OK);
    assert_int_equal(send("01B000000C"), SW_OK);
    assert_answer("080910100000000010 55FFFF");
    // EF.SMS: its records are free by default, those that are new are FF.
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F3C 80020840"), SW_OK); // 12 of 176
    assert_int_equal(send("00B20A04B0"), SW_OK);
    assert_int_equal(answer_octets[0], 0x00);
    assert_int_equal(send("00B20C04B0"), SW_OK);
    assert_int_equal(answer_octets[0], 0xFF);
    // What was cut off and comes back is new, whatever default it had.
    assert_int_equal(send("80D400000A 6208 83026F3C 80020160"), SW_OK); // 2 of 176
    assert_int_equal(send("80D400000A 6208 83026F3C 800206E0"), SW_OK); // 10
    assert_int_equal(send("00B20204B0"), SW_OK);
    assert_int_equal(answer_octets[0], 0x00);
    assert_int_equal(send("00B20304B0"), SW_OK);
    assert_int_equal(answer_octets[0], 0xFF);
    assert_int_equal(send("80D400000A 6208 83026F3C 80020840"), SW_OK); // 12
    // Once more, deactivated, deleted.
    assert_int_equal(send("80D400000A 6208 83026F07 80020009"), SW_OK);
    assert_int_equal(send("00B0000009"), SW_OK);
    assert_int_equal(send("0004000002 6F07"), SW_OK);
    assert_int_equal(send("01B0000009"), SW_DATA_INVALIDATED);
    assert_int_equal(send("0044000002 6F07"), SW_OK);
    assert_int_equal(send("00E4000002 6F07"), SW_OK);
    assert_int_equal(send("01B0000009"), SW_NO_EF_SELECTED);
    assert_int_equal(send("00B0870009"), SW_FILE_NOT_FOUND);
    reset_card();
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F07"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4000C026F3C"), SW_OK);
    assert_int_equal(send("00B20C04B0"), SW_OK);
}

// The applet is told where the terminal is, however large the file has become.
static void a_resized_location_is_still_watched(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F7E 80020190"), SW_OK);     // EF.LOCI, 400 octets
    assert_int_equal(send("00D600000B FFFFFFFF 00F110 0001 FF 02"), SW_OK); // PLMN not allowed
    assert_int_equal(card->applet.service, CAT_SERVICE_LIMITED);
    assert_int_equal(send("80D400000A 6208 83026F7E 80020008"), SW_OK);
    assert_int_equal(send("00D6000701 00"), SW_OK); // too short to say anything
    assert_int_equal(card->applet.service, CAT_SERVICE_LIMITED);
}

// Creation is cut at every octet: the file is there whole, or not at all, and the place it would
// have had is free.
static void a_creation_is_whole_whenever_the_power_goes(void **state)
{
    bool is_through = false;
    for (uint64_t cut = 1; !is_through; cut++) {
        (void)close_card(state);
        (void)open_card(state);
        assert_int_equal(send(VERIFY_ADM1), SW_OK);
        struct nvm_faults faults = {.cut_at = cut};
        card->nvm.faults = &faults;
        uint16_t sw = send(CREATE_TRANSPARENT);
        is_through = sw == SW_OK;
        assert_true(is_through || sw == CARD_MUTE);
        card->nvm.faults = NULL;
        reset_card();
        sw = send("00A4000C022F99");
        if (sw == SW_OK) {
            assert_int_equal(send("00B0000014"), SW_OK);
            assert_answer("AABBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
        } else {
            assert_int_equal(sw, SW_FILE_NOT_FOUND);
            assert_false(is_through);
            assert_int_equal(send(VERIFY_ADM1), SW_OK);
            assert_int_equal(send(CREATE_TRANSPARENT), SW_OK);
        }
    }
}

static void small_commands_answer(void **state)
{
    (void)state;
    assert_int_equal(send("0084000008"), SW_OK);
    assert_int_equal(answer.len, 8);
    uint8_t first[8];
    memcpy(first, answer_octets, 8);
    assert_int_equal(send("0084000008"), SW_OK);
    assert_memory_not_equal(first, answer_octets, 8);
    assert_int_equal(send("0084000000"), SW_OK); // 256
    assert_int_equal(answer.len, 256);
    assert_int_equal(send("80AA000005A903830100"), SW_OK);
    assert_int_equal(send("80AA000005A904830100"), SW_WRONG_DATA);
    assert_int_equal(send("80AA0000028000"), SW_WRONG_DATA);
    assert_int_equal(send("0076000000"), SW_INS_NOT_SUPPORTED); // SUSPEND UICC
    assert_int_equal(send("00A4"), SW_WRONG_LENGTH);
}

// A switch shows the other subscription's own files and forgets the location.
static void a_switch_changes_what_belongs_to_the_subscription(void **state)
{
    (void)state;
    struct applet_subscription view;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00D68B000A11223344 00F110 0001FF"), SW_OK);
    assert_int_equal(send("00A4000C026F43"), SW_OK); // EF.SMSS, the subscription's own
    assert_int_equal(send("00D60000020700"), SW_OK);
    assert_int_equal(send("00A4080C022F05"), SW_OK); // EF.PL, the card's
    assert_int_equal(send("00D600000264 65"), SW_OK);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("00A4080C047FFF6F46"), SW_OK);
    assert_int_equal(send("80D400000A 6208 83026F46 80020010"), SW_OK); // EF.SPN
    assert_int_equal(send("80D400000A 6208 83026F07 8002000A"), SW_OK);
    struct command enable = lab_enable(&lab, 1);
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 10000);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 60000);
    assert_true(card_subscription(card, &view));
    assert_int_equal(view.slot_index, 1);
    reset_card();
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00B08B000B"), SW_OK);
    assert_answer("FFFFFFFF FFFFFF 0000FF01");
    assert_int_equal(send("00B087000A"), SW_OK); // resized, it is this subscription's all the same
    assert_answer("080910200000000010 FF");      // 001020000000001
    assert_int_equal(send("00A4000C026F43"), SW_OK);
    assert_int_equal(send("00B0000002"), SW_OK);
    assert_answer("FFFF");
    assert_int_equal(send("00A4080C022F05"), SW_OK);
    assert_int_equal(send("00B0000002"), SW_OK);
    assert_answer("6465");
}

// A damaged memory may hold any record: what no command can have made is no file.
static void a_record_that_no_command_made_is_none(void **state)
{
    (void)state;
    // 2F90 in the MF: transparent, rule 1, the card's, 20 octets at 2000, no row of the table.
    static const uint8_t good[UICC_CREATED_LEN] = {
        0x5E, 1,    UICC_MF, UICC_TRANSPARENT, 0x2F, 0x90, 0, 0, 1, UICC_OWNER_CARD, 0, 20, 0x20,
        0x00, 0xFF, 0xFF};
    static const struct {
        uint8_t at;
        uint8_t octet;
        uint16_t sw;
    } damage[] = {
        {0, 0x5E, SW_OK},                     // none
        {2, UICC_FOLDERS, SW_FILE_NOT_FOUND}, // in a folder that there cannot be
        {2, UICC_MADE_FOLDER + 16, SW_FILE_NOT_FOUND},
        {3, UICC_CYCLIC, SW_FILE_NOT_FOUND}, // without a record length
        {3, UICC_CYCLIC + 1, SW_FILE_NOT_FOUND},
        {7, 10, SW_FILE_NOT_FOUND}, // records in a transparent file
        {9, UICC_OWNER_GENERATION + 1, SW_FILE_NOT_FOUND},
        {11, 0, SW_FILE_NOT_FOUND},    // of no octets
        {10, 0xFF, SW_FILE_NOT_FOUND}, // behind the end
        {12, 0x00, SW_FILE_NOT_FOUND}, // among the files of the table
        {14, 0x7F, SW_FILE_NOT_FOUND}, // of a row that there is not
    };
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        uint8_t record[UICC_CREATED_LEN];
        struct uicc_store store = {.nvm = &card->nvm, .offset = CARD_STORE_AT};
        struct uicc_place place = {.space = UICC_OF_CARD,
                                   .at = offsetof(struct uicc_layout, created)};
        struct uicc_change change;
        memcpy(record, good, sizeof record);
        record[damage[i].at] = damage[i].octet;
        uicc_change_begin(&change, &store);
        uicc_change_put(&change, place, bytes_of(record, sizeof record));
        assert_int_equal(uicc_change_commit(&change), NVM_OK);
        reset_card();
        assert_int_equal(send("00A4000C022F90"), damage[i].sw);
        assert_int_equal(send("00A4000C022FE2"), SW_OK);
        assert_int_equal(send("00B000000A"), SW_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(the_mf_tells_what_the_card_is),
        CARD_TEST(file_parameters_name_structure_size_and_rule),
        CARD_TEST(files_are_selected_in_every_way),
        CARD_TEST(a_failed_selection_leaves_the_former_one),
        CARD_TEST(status_describes_the_folder_and_names_the_application),
        CARD_TEST(a_read_that_asks_too_much_learns_the_length),
        CARD_TEST(the_sms_records_are_free_at_first),
        CARD_TEST(a_cyclic_file_turns),
        CARD_TEST(records_are_searched),
        CARD_TEST(four_channels_have_a_place_each),
        CARD_TEST(an_administrator_deactivates_and_activates),
        CARD_TEST(an_administrator_creates_a_file),
        CARD_TEST(folders_are_created_and_deleted_when_empty),
        CARD_TEST(an_administrator_resizes),
        CARD_TEST(a_refused_creation_takes_nothing),
        CARD_TEST(a_creation_that_fails_leaves_nothing),
        CARD_TEST(a_file_is_one_by_whatever_name),
        CARD_TEST(a_resized_file_stays_the_same_file),
        CARD_TEST(a_resized_location_is_still_watched),
        CARD_TEST(a_creation_is_whole_whenever_the_power_goes),
        CARD_TEST(a_record_that_no_command_made_is_none),
        CARD_TEST(small_commands_answer),
        CARD_TEST(a_switch_changes_what_belongs_to_the_subscription),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
