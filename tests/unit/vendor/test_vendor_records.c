// Every reason to hold a record back, every warning, and what is loaded all the same.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/vendor/lab.h"

#include <stdio.h>
#include <string.h>

// Lines and fields of the sample.
#define FIRST 27
#define SECOND 28
#define THIRD 29
#define ICCID1 "89999000000717000019"
#define KI1 "5A80EDD97E15DE2510C0875524E2A77B"
#define KIC1 "9FB8B53D4DECDAC6F1D49E521FE3FB8C"
#define KID1 "B287FC56D0DEF97B5EEE993490D301C0"

// The record goes to quarantine and the whole file is refused; a partial import takes the others.
static void holds_back(struct lab *l, enum finding_code code, uint32_t line, const char *field,
                       uint64_t quarantined)
{
    lab_digest(l);
    l->options.is_partial = false;
    lab_refuses(l, code, line, field);
    assert_int_equal(l->report.quarantined, quarantined);
    l->options.is_partial = true;
    size_t cards = l->card_count;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED_IN_PART);
    assert_int_equal(import_exit_code(l->report.outcome), 8);
    assert_int_equal(l->report.loaded, 3 - quarantined);
    assert_int_equal(l->card_count, cards + 3 - quarantined);
    assert_int_equal(l->held_back_count, quarantined);
    l->card_count = cards;
    l->file_count = 0;
}

static void each_bad_field_holds_its_record_back(void **state)
{
    struct lab *l = *state;
    static const struct {
        const char *from, *to;
        enum finding_code code;
        const char *field;
    } cases[] = {
        {" 0002 0000 ", " 0000 ", IMP_200, ""},
        {" 0002 0000 ", " 0002 0000 0000 ", IMP_200, ""},
        {ICCID1, "89999000000717000018", IMP_201, "ICCID"},
        {ICCID1, "8999900000071700001", IMP_202, "ICCID"},
        {ICCID1, "8999900000071700001X", IMP_202, "ICCID"},
        {" 999700000000001 ", " 99970000000001 ", IMP_203, "IMSI1"},
        {" 001010000000001 ", " 0010100000000012 ", IMP_203, "IMSI2"},
        {KI1, "GA80EDD97E15DE2510C0875524E2A77B", IMP_204, "KI1"},
        {KI1, "80EDD97E15DE2510C0875524E2A77B", IMP_205, "KI1"},
        {KIC1, "9FB8B53D4DECDAC6F1D49E521FE3FB", IMP_205, "KIC1"},
        {"76D0485F81B6", "76D0485F81", IMP_205, "KCV"},
        {"76D0485F81B6", "76D0485F81BX", IMP_204, "KCV"},
        {" 0002 0000 ", " 002 0000 ", IMP_205, "ACC"},
        {" 0002 0000 ", " 000X 0000 ", IMP_204, "ACC"},
        {" 13600549 ", " 1360054 ", IMP_206, "PUK1"},
        {" 0002 0000 ", " 0002 000 ", IMP_206, "PIN1"},
        {" 0002 0000 ", " 0002 123456789 ", IMP_206, "PIN1"},
        {" 999700000000001 ", " 262010000000001 ", IMP_216, "IMSI1"},
        {" 9990000000001 ", " 9990 ", IMP_220, "MSISDN1"},
        {" 9990000000001 ", " 9990000000000001 ", IMP_220, "MSISDN1"},
        {"76D0485F81B6", "76D0485F81B7", IMP_301, "KCV"},
        // ADM1 99634052 with its padding under key 07 instead of 12.
        {"A09AB45CA76C26ACEA2EE9E7E7389F36", "62D49D65D1D263A99B2C428FEFCA77CC", IMP_302, "ADM1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_edit(l, cases[i].from, cases[i].to);
        holds_back(l, cases[i].code, FIRST, cases[i].field, 1);
        assert_int_equal(l->held_back[0], FIRST);
    }
}

static void the_check_digit_is_told_but_not_the_iccid(void **state)
{
    struct lab *l = *state;
    lab_edit(l, ICCID1, "89999000000717000018");
    holds_back(l, IMP_201, FIRST, "ICCID", 1);
    assert_string_equal(lab_text_of(l, IMP_201), "check digit is 8, expected 9");
}

static void all_findings_of_a_record_are_reported(void **state)
{
    struct lab *l = *state;
    lab_edit(l, ICCID1, "89999000000717000018");
    lab_edit(l, " 999700000000001 ", " 99970000000001 ");
    lab_edit(l, " 13600549 ", " 1360054 ");
    lab_edit(l, KI1, "GA80EDD97E15DE2510C0875524E2A77B");
    lab_edit(l, "76D0485F81B6", "76D0485F81B7");
    holds_back(l, IMP_201, FIRST, "ICCID", 1);
    lab_expect(l, IMP_203, FIRST, "IMSI1");
    lab_expect(l, IMP_206, FIRST, "PUK1");
    lab_expect(l, IMP_204, FIRST, "KI1");
    lab_expect(l, IMP_301, FIRST, "KCV");
}

static void a_record_that_comes_twice_holds_back_both(void **state)
{
    struct lab *l = *state;
    char line[600];
    struct bytes first = lab_line(l, FIRST);
    (void)snprintf(line, sizeof line, "%.*s", (int)first.len, (const char *)first.at);
    lab_set_line(l, THIRD, line);
    holds_back(l, IMP_210, FIRST, "ICCID", 2);
    lab_expect(l, IMP_210, THIRD, "ICCID");
    // The rest of the record is shared as well.
    lab_expect(l, IMP_212, FIRST, "IMSI1");
    lab_expect(l, IMP_212, THIRD, "IMSI2");
    lab_expect(l, IMP_214, THIRD, "MSISDN1");
    lab_expect(l, IMP_303, THIRD, "KIK1");
}

static void a_value_in_three_records_holds_back_all_three(void **state)
{
    struct lab *l = *state;
    lab_edit(l, " 001010000000002 ", " 001010000000001 ");
    lab_edit(l, " 001010000000003 ", " 001010000000001 ");
    holds_back(l, IMP_212, FIRST, "IMSI2", 3);
    lab_expect(l, IMP_212, SECOND, "IMSI2");
    lab_expect(l, IMP_212, THIRD, "IMSI2");
    assert_int_equal(l->report.findings.by_code[IMP_212], 3);
}

static void an_msisdn_on_two_subscriptions_holds_back_both(void **state)
{
    struct lab *l = *state;
    lab_edit(l, " 9990000000002 ", " 9990000000001 ");
    holds_back(l, IMP_214, FIRST, "MSISDN1", 2);
    lab_expect(l, IMP_214, SECOND, "MSISDN1");
}

// The sample is loaded, and another batch with the same first card comes.
static void load_then_change_batch(struct lab *l)
{
    lab_run(l);
    assert_int_equal(l->card_count, 3);
    lab_edit(l, "Batch: 0000717", "Batch: 0000718");
}

static void equal_cards_of_another_batch_are_unchanged(void **state)
{
    struct lab *l = *state;
    load_then_change_batch(l);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.unchanged, 3);
    assert_int_equal(l->report.loaded, 0);
    assert_int_equal(l->card_count, 3);
}

static void a_loaded_card_is_not_touched_by_other_content(void **state)
{
    struct lab *l = *state;
    load_then_change_batch(l);
    lab_edit(l, " 13600549 ", " 13600540 ");
    lab_digest(l);
    lab_refuses(l, IMP_211, FIRST, "ICCID");
    assert_int_equal(l->report.quarantined, 1);
    assert_int_equal(l->report.unchanged, 2);
    assert_string_equal(l->cards[0].card.codes.puk1, "13600549");
}

static void a_card_of_another_tenant_is_not_told_apart(void **state)
{
    struct lab *l = *state;
    char text[FINDING_TEXT_SIZE];
    load_then_change_batch(l);
    lab_edit(l, " 13600549 ", " 13600540 ");
    lab_digest(l);
    lab_refuses(l, IMP_211, FIRST, "ICCID");
    (void)snprintf(text, sizeof text, "%s", lab_text_of(l, IMP_211));
    (void)snprintf(l->cards[0].tenant, sizeof l->cards[0].tenant, "southwind");
    lab_refuses(l, IMP_213, FIRST, "ICCID");
    assert_string_equal(lab_text_of(l, IMP_213), text);
    assert_string_equal(finding_code_shown(IMP_213), "IMP-211");
    assert_int_equal(l->report.findings.by_code[IMP_213], 1);
}

static void an_imsi_a_number_or_a_key_of_a_loaded_card_holds_back_the_new_one(void **state)
{
    struct lab *l = *state;
    load_then_change_batch(l);
    // Another card, 0000043 with its check digit 3, with everything else of the first one.
    l->card_count = 1;
    lab_edit(l, ICCID1, "89999000000717000043");
    lab_digest(l);
    lab_refuses(l, IMP_212, FIRST, "IMSI1");
    lab_expect(l, IMP_212, FIRST, "IMSI2");
    lab_expect(l, IMP_214, FIRST, "MSISDN1");
    lab_expect(l, IMP_303, FIRST, "KIC1");
    lab_expect(l, IMP_303, FIRST, "KI1");
    assert_int_equal(l->report.quarantined, 1);
}

static void split_files_merge_when_they_agree(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "Output-Target: OTA+AUC", "Output-Target: OTA");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    lab_edit(l, "Output-Target: OTA", "Output-Target: AUC");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.loaded, 3);
    assert_int_equal(l->card_count, 6);
}

static void split_files_that_disagree_are_held_back(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "Output-Target: OTA+AUC", "Output-Target: OTA");
    lab_run(l);
    lab_edit(l, "Output-Target: OTA", "Output-Target: AUC");
    lab_edit(l, " 999700000000001 ", " 999700000000009 ");
    lab_digest(l);
    lab_refuses(l, IMP_215, FIRST, "ICCID");
}

static void an_auc_file_needs_no_iccid_and_no_ota_keys(void **state)
{
    struct lab *l = *state;
    lab_set_line(l, 12, "Output-Target: AUC");
    for (uint32_t line = 14; line <= 19; line++)
        lab_set_line(l, line, "");
    lab_set_line(l, 24, "Var_Out: IMSI1/KI1/OPC1/MSISDN1");
    lab_set_line(l, 25, "Encrypted: KI1=07 OPC1=07");
    lab_set_line(l, FIRST,
                 "999700000000001 " KI1 " 8B46F432C9BB62E846B901201814E91D 9990000000001");
    lab_set_line(l, SECOND, "");
    lab_set_line(l, THIRD, "");
    lab_edit(l, "Quantity: 3", "Quantity: 1");
    lab_edit(l, "Records: 3", "Records: 1");
    // Empty lines are not data: take them out, so that the digest of the data is that of one line.
    lab_edit(l, "\n\n\n*END", "\n*END");
    lab_digest(l);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_string_equal(l->cards[0].card.iccid, "");
    assert_int_equal(l->cards[0].card.keyset.number, 0);
    assert_int_equal(l->cards[0].card.subscription_count, 1);
}

static void a_number_is_judged_by_the_rule_pack_of_its_operator(void **state)
{
    struct lab *l = *state;
    l->has_cn_iot = true;
    lab_edit(l, " 9990000000001 ", " 999000000001 ");
    holds_back(l, IMP_220, FIRST, "MSISDN1", 1);
    assert_string_equal(lab_text_of(l, IMP_220),
                        "12 characters; CN-IoT version 1 rule R3: expected 13 digits");
    // Without the rule pack 12 digits are as good as 13.
    l->has_cn_iot = false;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
}

static void an_ambiguous_number_is_refused_under_cn_iot(void **state)
{
    struct lab *l = *state;
    l->has_cn_iot = true;
    lab_edit(l, " 9990000000001 ", " 8610000000000 ");
    holds_back(l, IMP_221, FIRST, "MSISDN1", 1);
}

static void a_country_code_and_a_plus_are_removed(void **state)
{
    struct lab *l = *state;
    l->has_cn_iot = true;
    lab_edit(l, " 9990000000001 ", " +861440000000001 ");
    lab_edit(l, " 9990000000002 ", " 00861440000000002 ");
    lab_digest(l);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_string_equal(l->cards[0].card.subscriptions[0].msisdn, "1440000000001");
    assert_string_equal(l->cards[1].card.subscriptions[0].msisdn, "1440000000002");
}

static void a_wrong_card_check_value_raises_the_alarm(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "76D0485F81B6", "76D0485F81B7");
    holds_back(l, IMP_301, FIRST, "KCV", 1);
    assert_true(l->report.kcv_mismatch);
}

static void a_third_check_value_is_that_of_kik(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "76D0485F81B6", "76D0485F81B6AD38F8");
    lab_digest(l);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    l->card_count = 0;
    lab_edit(l, "AD38F8", "AD38F9");
    holds_back(l, IMP_301, FIRST, "KCV", 1);
}

static void weak_keys_are_held_back(void **state)
{
    struct lab *l = *state;
    // In clear, so that the values can be read here; the KCV is that of other keys then, too.
    static const char *const weak[] = {
        "00000000000000000000000000000000", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "000102030405060708090A0B0C0D0E0F", "0F0E0D0C0B0A09080706050403020100",
        "00112233445566778899AABBCCDDEEFF", "465B5CE8B199B49FAA5F0A2EE238A6BC",
    };
    lab_edit(l, " KIC1=12", " KIC1=00");
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        lab_edit(l, i == 0 ? KIC1 : weak[i - 1], weak[i]);
        lab_digest(l);
        lab_refuses(l, IMP_303, FIRST, "KIC1");
    }
}

static void kic_and_kid_must_differ(void **state)
{
    struct lab *l = *state;
    lab_edit(l, KIC1, KID1);
    // KCV of KID1 twice.
    lab_edit(l, "76D0485F81B6", "5F81B65F81B6");
    char line[600];
    struct bytes first = lab_line(l, FIRST);
    (void)snprintf(line, sizeof line, "%.*s", (int)first.len, (const char *)first.at);
    assert_non_null(strstr(line, KID1 " " KID1));
    holds_back(l, IMP_303, FIRST, "KID1", 1);
}

static void a_key_of_another_card_of_the_file_holds_back_both(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "AA8F169E1119227AC42514761604E3C8 EA04B874A2A65C668C332906969320F2",
             "AA8F169E1119227AC42514761604E3C8 " KI1);
    holds_back(l, IMP_303, FIRST, "KI1", 2);
    lab_expect(l, IMP_303, SECOND, "KI1");
}

static void iccids_come_in_other_formats(void **state)
{
    struct lab *l = *state;
    static const struct {
        const char *format, *text, *stored;
        bool good;
    } cases[] = {
        // The doubled sum of 899990000007170000 is 65.
        {"19D LUHN", "8999900000071700005", "8999900000071700005", true},
        {"19D LUHN", "8999900000071700005F", "8999900000071700005", true},
        {"19D LUHN", "8999900000071700006", "", false},
        {"19D NOLUHN", "8999900000071700006", "8999900000071700006", true},
        {"20D NOLUHN", "89999000000717000018", "89999000000717000018", true},
        {"20D LUHN SWAP", "98990900007071000091", "89999000000717000019", true},
        {"19D LUHN SWAP", "989909000070710000F5", "8999900000071700005", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[64];
        char record[700];
        lab_read(l, "tests/samples/alder-0000717.out");
        struct bytes first = lab_line(l, FIRST);
        (void)snprintf(line, sizeof line, "ICCID-Format: %s", cases[i].format);
        (void)snprintf(record, sizeof record, "%s%.*s", cases[i].text, (int)(first.len - 20),
                       (const char *)first.at + 20);
        lab_set_line(l, FIRST, record);
        lab_set_line(l, 20, line);
        lab_digest(l);
        l->options.is_partial = true;
        l->card_count = 0;
        l->file_count = 0;
        lab_run(l);
        bool held = false;
        for (size_t j = 0; j < l->report.findings.listed_count; j++)
            held = held || (l->report.findings.listed[j].line == FIRST &&
                            l->report.findings.listed[j].level == FINDING_RECORD);
        assert_int_equal(held, !cases[i].good);
        if (cases[i].good)
            assert_string_equal(l->cards[0].card.iccid, cases[i].stored);
    }
}

static void assert_loads(struct lab *l, enum finding_code code, uint32_t line, const char *field)
{
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.loaded, 3);
    lab_expect(l, code, line, field);
}

static void the_sample_itself_has_one_warning(void **state)
{
    struct lab *l = *state;
    assert_loads(l, W_022, 16, "OTA-Security");
    assert_int_equal(l->report.findings.listed_count, 1);
    assert_string_equal(lab_text_of(l, W_022), "minimum level 12 is weaker than 16; 16 is used");
}

static void level_16_gets_no_warning(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "MSL=12", "MSL=16");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.findings.listed_count, 0);
}

static void a_mark_and_crlf_change_neither_result_nor_digest(void **state)
{
    struct lab *l = *state;
    uint8_t digest[CIPHER_SHA256_SIZE];
    static uint8_t out[LAB_FILE_MAX];
    lab_run(l);
    memcpy(digest, l->report.sha256, sizeof digest);
    size_t len = 3;
    memcpy(out, "\xEF\xBB\xBF", 3);
    for (size_t i = 0; i < l->len; i++) {
        if (l->file[i] == '\n')
            out[len++] = '\r';
        out[len++] = l->file[i];
    }
    memcpy(l->file, out, len);
    l->len = len;
    l->card_count = 0;
    l->file_count = 0;
    assert_loads(l, W_001, 1, "");
    lab_expect(l, W_002, 1, "");
    assert_memory_equal(l->report.sha256, digest, sizeof digest);
    // Therefore it is also the same file.
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_ALREADY_IMPORTED);
}

static void several_spaces_and_tabs_are_a_warning(void **state)
{
    struct lab *l = *state;
    lab_edit(l, " 9990000000001 ", "  9990000000001\t");
    lab_digest(l);
    assert_loads(l, W_003, FIRST, "");
}

static void an_unknown_header_key_is_a_warning(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "Card-OS:", "Colour: red\nCard-OS:");
    assert_loads(l, W_010, 8, "Colour");
}

static void a_gap_and_a_disorder_are_a_warning(void **state)
{
    struct lab *l = *state;
    lab_edit(l, " 999700000000002 ", " 999700000000007 ");
    lab_digest(l);
    assert_loads(l, W_020, SECOND, "IMSI1");
    assert_string_equal(lab_text_of(l, W_020), "gap: 5 IMSIs left out, ...0002 expected");
    lab_expect(l, W_020, THIRD, "IMSI1");
    // 4 does not fit the digit 7 either.
    lab_expect(l, W_021, SECOND, "ACC1");
}

static void an_acc_that_does_not_fit_is_kept(void **state)
{
    struct lab *l = *state;
    lab_edit(l, " 0002 0000 ", " 0001 0000 ");
    lab_digest(l);
    assert_loads(l, W_021, FIRST, "ACC1");
    assert_int_equal(l->cards[0].card.subscriptions[0].acc, 0x0001);
}

static void a_csv_without_trailer_needs_a_stated_quantity(void **state)
{
    struct lab *l = *state;
    lab_to_csv(l);
    struct bytes trailer = lab_line(l, 25);
    l->len = (size_t)(trailer.at - l->file);
    lab_refuses(l, IMP_106, 24, "quantity");
    l->options.file.quantity = 4;
    lab_refuses(l, IMP_105, 6 - 1, "Quantity");
    l->options.file.quantity = 3;
    assert_loads(l, W_030, 24, "");
}

static void a_csv_without_metadata_takes_them_from_the_profile(void **state)
{
    struct lab *l = *state;
    // Keys in clear: without metadata nothing names a transport key.
    lab_text(l, "id,iccid,imsi,msisdn,adm,ki,opc,imsi2,ki2,opc2,kic1,kid1,kik1,kcv\n"
                "1,89999000000717000019,999700000000001,9990000000001,99634052,"
                "ABE8B156F9B3F2F4C88B369CC60EA0FC,51A0644AC4150CFA70497AF839905E99,001010000000001,"
                "255DDC1E7E6D752FC360AC957508599E,953B354E57A33E562B00FFC235A5DB87,"
                "1D570A1ABC0427EE50EF4501E116AA17,1A1480FB8DCCD3F62AB8C66B07648BA8,"
                "69AF54EC7B31179B473917AD252B0C3D,76D0485F81B6\n");
    l->options.file.quantity = 1;
    lab_refuses(l, IMP_106, 1, "Batch");
    l->options.file.batch = "0000720";
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_string_equal(l->cards[0].card.codes.adm1, "99634052");
    assert_int_equal(l->cards[0].card.subscriptions[0].acc, 0x0002);
    assert_string_equal(l->report.header.batch, "0000720");
}

static void what_is_not_mapped_is_checked_and_thrown_away(void **state)
{
    struct lab *l = *state;
    for (size_t i = 0; i < l->profile->column_count; i++)
        if (strcmp(l->profile->columns[i].name, "PUK1") == 0)
            l->profile->columns[i].meaning.name = VENDOR_IGNORED;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_string_equal(l->cards[0].card.codes.puk1, "");
    assert_string_equal(l->cards[0].card.codes.pin1, "0000");
    l->card_count = 0;
    lab_edit(l, " 13600549 ", " 1360054 ");
    holds_back(l, IMP_206, FIRST, "PUK1", 1);
}

static void a_cancelled_import_leaves_nothing(void **state)
{
    struct lab *l = *state;
    // 1,024 records in a pool: the first question comes after all of them are checked.
    static char text[LAB_FILE_MAX];
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "#Kind: POOL\n#File-Version: 3.2\n#Customer: NORDWIND-IOT\n"
                                  "#Operator: TEST-001-01\n#Batch: P3\n#Quantity: 1024\n"
                                  "imsi,ki,op\n");
    for (unsigned i = 0; i < 1024; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "00101%010u,\n", i);
    lab_text(l, text);
    l->options.file.kind = VENDOR_POOL;
    l->cancelled_pass = 1;
    assert_int_equal(lab_try(l), IMPORT_CANCELLED);
    assert_int_equal(l->begun, 0);
    l->cancelled_pass = 0;
    lab_run(l);
    assert_int_equal(l->progress_count, 2);
    // Every record lacks a field, and all are counted, but not all listed.
    assert_int_equal(l->report.findings.by_code[IMP_200], 1024);
    assert_int_equal(l->report.quarantined, 1024);
    size_t listed = 0;
    for (size_t i = 0; i < l->report.findings.listed_count; i++)
        listed += l->report.findings.listed[i].code == IMP_200;
    assert_int_equal(listed, FINDINGS_LISTED_MAX);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        CASE(each_bad_field_holds_its_record_back),
        CASE(the_check_digit_is_told_but_not_the_iccid),
        CASE(all_findings_of_a_record_are_reported),
        CASE(a_record_that_comes_twice_holds_back_both),
        CASE(a_value_in_three_records_holds_back_all_three),
        CASE(an_msisdn_on_two_subscriptions_holds_back_both),
        CASE(equal_cards_of_another_batch_are_unchanged),
        CASE(a_loaded_card_is_not_touched_by_other_content),
        CASE(a_card_of_another_tenant_is_not_told_apart),
        CASE(an_imsi_a_number_or_a_key_of_a_loaded_card_holds_back_the_new_one),
        CASE(split_files_merge_when_they_agree),
        CASE(split_files_that_disagree_are_held_back),
        CASE(an_auc_file_needs_no_iccid_and_no_ota_keys),
        CASE(a_number_is_judged_by_the_rule_pack_of_its_operator),
        CASE(an_ambiguous_number_is_refused_under_cn_iot),
        CASE(a_country_code_and_a_plus_are_removed),
        CASE(a_wrong_card_check_value_raises_the_alarm),
        CASE(a_third_check_value_is_that_of_kik),
        CASE(weak_keys_are_held_back),
        CASE(kic_and_kid_must_differ),
        CASE(a_key_of_another_card_of_the_file_holds_back_both),
        CASE(iccids_come_in_other_formats),
        CASE(the_sample_itself_has_one_warning),
        CASE(level_16_gets_no_warning),
        CASE(a_mark_and_crlf_change_neither_result_nor_digest),
        CASE(several_spaces_and_tabs_are_a_warning),
        CASE(an_unknown_header_key_is_a_warning),
        CASE(a_gap_and_a_disorder_are_a_warning),
        CASE(an_acc_that_does_not_fit_is_kept),
        CASE(a_csv_without_trailer_needs_a_stated_quantity),
        CASE(a_csv_without_metadata_takes_them_from_the_profile),
        CASE(what_is_not_mapped_is_checked_and_thrown_away),
        CASE(a_cancelled_import_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
