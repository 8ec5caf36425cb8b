// Every reason to refuse a whole file: each test makes the bad file from the sample.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/vendor/lab.h"

#include <stdio.h>
#include <string.h>

static void packed_and_wrapped_files_are_recognised(void **state)
{
    struct lab *l = *state;
    static const char *const starts[] = {"\x1F\x8B\x08", "PK\x03\x04", "BZh9", "<?xml version",
                                         "-----BEGIN PGP MESSAGE-----"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        memcpy(l->file, starts[i], strlen(starts[i]));
        lab_refuses(l, IMP_100, 1, "");
        assert_non_null(strstr(lab_text_of(l, IMP_100), "first"));
    }
}

static void a_text_of_no_layout_is_refused(void **state)
{
    struct lab *l = *state;
    lab_text(l, "hello\nworld\n");
    lab_refuses(l, IMP_100, 1, "");
    l->len = 0;
    lab_refuses(l, IMP_100, 1, "");
}

static void a_layout_that_the_vendor_does_not_use_is_refused(void **state)
{
    struct lab *l = *state;
    l->profile->layouts[VENDOR_VAROUT] = false;
    lab_refuses(l, IMP_100, 1, "");
}

static void another_major_version_is_refused(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "File-Version: 3.2", "File-Version: 4.0");
    lab_refuses(l, IMP_101, 2, "File-Version");
}

static void a_file_that_was_cut_names_its_last_good_line(void **state)
{
    struct lab *l = *state;
    l->len -= 200;
    lab_refuses(l, IMP_102, 29, "");
    assert_non_null(strstr(lab_text_of(l, IMP_102), "line 28"));
    // An incomplete record is not judged as one.
    assert_int_equal(l->report.findings.by_level[FINDING_RECORD], 0);
}

static void every_cut_of_the_file_is_noticed(void **state)
{
    struct lab *l = *state;
    // Without its last line feed the file is still whole.
    const size_t whole = l->len - 1;
    for (size_t len = 0; len < whole; len++) {
        l->len = len;
        lab_run(l);
        assert_int_equal(l->report.outcome, REPORT_REFUSED);
        assert_int_equal(l->begun, 0);
    }
    l->len = whole;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
}

static void a_changed_digit_breaks_the_digest(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "13600549", "13600548");
    lab_refuses(l, IMP_103, 32, "SHA256-DATA");
}

static void an_unknown_name_in_var_out_is_shown(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "/KI1/", "/KX1/");
    lab_edit(l, "Encrypted: KI1=07", "Encrypted: KX1=07");
    lab_refuses(l, IMP_104, 24, "KX1");
    assert_non_null(strstr(lab_text_of(l, IMP_104), "KX1"));
}

static void an_unknown_column_of_a_csv_is_shown(void **state)
{
    struct lab *l = *state;
    lab_to_csv(l);
    lab_edit(l, ",ki1,", ",kx1,");
    lab_refuses(l, IMP_104, 21, "kx1");
}

static void three_numbers_must_agree_on_the_quantity(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "Quantity: 3", "Quantity: 4");
    lab_refuses(l, IMP_105, 6, "Quantity");
    assert_string_equal(lab_text_of(l, IMP_105), "Quantity 4, Records 3, counted 3");
    lab_edit(l, "Quantity: 4", "Quantity: 3");
    lab_edit(l, "Records: 3", "Records: 2");
    lab_refuses(l, IMP_105, 6, "Quantity");
    assert_string_equal(lab_text_of(l, IMP_105), "Quantity 3, Records 2, counted 3");
}

static void each_mandatory_key_is_missed(void **state)
{
    struct lab *l = *state;
    static const struct {
        uint32_t line;
        const char *key;
    } keys[] = {{2, "File-Version"},  {3, "Customer"},      {5, "Batch"},
                {6, "Quantity"},      {11, "Produced"},     {12, "Output-Target"},
                {15, "OTA-Keyset"},   {16, "OTA-Security"}, {17, "Applet-SM"},
                {20, "ICCID-Format"}, {24, "Var_Out"}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_set_line(l, keys[i].line, "");
        lab_refuses(l, IMP_106, 26, keys[i].key);
    }
}

static void each_required_field_is_missed(void **state)
{
    struct lab *l = *state;
    // MSISDN1 is required by the vendor profile, the others by the targets.
    static const char *const names[] = {"ICCID", "KIC1", "KID1", "KIK1", "KCV", "MSISDN1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char field[32];
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_set_line(l, 25, "Encrypted: KI1=07");
        lab_set_line(l, 24,
                     "Var_Out: /ICCID/IMSI1/MSISDN1/ACC/PIN1/PUK1/ADM1/KI1/OPC1/IMSI2/KI2/OPC2/"
                     "KIC1/KID1/KIK1/KCV/");
        (void)snprintf(field, sizeof field, "/%s/", names[i]);
        lab_edit(l, field, "/");
        lab_refuses(l, IMP_106, 24, names[i]);
    }
    lab_set_line(l, 24, "Var_Out: ICCID/MSISDN1/KIC1/KID1/KIK1/KCV");
    lab_refuses(l, IMP_106, 24, "IMSI1");
}

static void a_field_that_the_profile_does_not_map_is_missed(void **state)
{
    struct lab *l = *state;
    for (size_t i = 0; i < l->profile->column_count; i++)
        if (strcmp(l->profile->columns[i].name, "KIK1") == 0)
            l->profile->columns[i].meaning.name = VENDOR_IGNORED;
    lab_refuses(l, IMP_106, 24, "KIK1");
}

static void a_header_key_or_column_stands_once(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "Batch: 0000717\n", "Batch: 0000717\nbatch: 0000717\n");
    lab_refuses(l, IMP_107, 6, "Batch");
    lab_read(l, "tests/samples/alder-0000717.out");
    lab_edit(l, "/ACC/", "/ACC1/ACC/");
    lab_refuses(l, IMP_107, 24, "ACC");
}

static void a_line_has_at_most_8192_octets(void **state)
{
    struct lab *l = *state;
    static char line[8194];
    const size_t order = strlen("Var_In: ");
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "Var_In: ", order);
    line[8192] = '\0';
    lab_set_line(l, 21, line);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    l->card_count = 0;
    line[8192] = 'x';
    lab_set_line(l, 21, line);
    lab_refuses(l, IMP_108, 21, "");
}

static void a_nul_or_another_strange_octet_is_refused_with_its_offset(void **state)
{
    struct lab *l = *state;
    static const uint8_t strange[] = {0x00, 0x01, 0x1B, 0x7F, 0x80, 0xC3, 0xFF};
    struct bytes line = lab_line(l, 27);
    const size_t offset = (size_t)(line.at - l->file) + 30;
    char text[64];
    (void)snprintf(text, sizeof text, "offset %zu", offset);
    for (size_t i = 0; i < sizeof strange; i++) {
        l->file[offset] = strange[i];
        lab_refuses(l, IMP_109, 27, "");
        assert_non_null(strstr(lab_text_of(l, IMP_109), text));
    }
}

static void an_unknown_transport_key_has_to_be_loaded_first(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "Encrypted: KI1=07", "Encrypted: KI1=09");
    lab_refuses(l, IMP_110, 25, "KI1");
    assert_non_null(strstr(lab_text_of(l, IMP_110), "load key 09 first"));
    lab_read(l, "tests/samples/alder-0000717.out");
    lab_edit(l, "Transport-Key-OTA: 12", "Transport-Key-OTA: 13");
    for (size_t i = 0; i < 4; i++)
        lab_edit(l, "=12", "=13");
    lab_edit(l, "MSL=13", "MSL=12");
    lab_edit(l, "KIK1=12", "KIK1=13");
    lab_refuses(l, IMP_110, 14, "Transport-Key-OTA");
    assert_string_equal(lab_text_of(l, IMP_110), "load key 13 first");
}

static void a_transport_key_with_another_check_value_raises_the_alarm(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "KCV=3544E0", "KCV=3544E1");
    lab_refuses(l, IMP_111, 13, "Transport-Key-AUC");
    assert_non_null(strstr(lab_text_of(l, IMP_111), "3544E1"));
    assert_non_null(strstr(lab_text_of(l, IMP_111), "3544E0"));
    assert_true(l->report.kcv_mismatch);
}

static void slots_must_be_enough_and_used_once(void **state)
{
    struct lab *l = *state;
    static const struct {
        const char *from, *to;
        uint32_t line;
        const char *field;
    } cases[] = {
        {"SLOTS=8", "SLOTS=1", 17, "Applet-SM"},
        {"SLOTS=8", "SLOTS=0", 17, "Applet-SM"},
        {"SLOTS=8", "SLOTS=17", 17, "Applet-SM"},
        {"Operational: SLOT=2", "Operational: SLOT=1", 19, "Operational"},
        {"Operational: SLOT=2", "Operational: SLOT=0", 19, "Operational"},
        {"Operational: SLOT=2", "Operational: SLOT=17", 19, "Operational"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_edit(l, cases[i].from, cases[i].to);
        lab_refuses(l, IMP_112, cases[i].line, cases[i].field);
    }
}

static void exactly_one_is_enabled_and_exactly_one_is_the_fallback(void **state)
{
    struct lab *l = *state;
    static const struct {
        const char *from, *to, *field;
    } cases[] = {
        {"FALLBACK=NO", "FALLBACK=YES", "FALLBACK"},
        {"FALLBACK=YES", "FALLBACK=NO", "FALLBACK"},
        {"STATE=DISABLED", "STATE=ENABLED", "STATE"},
        {"STATE=ENABLED", "STATE=DISABLED", "STATE"},
    };
    for (size_t i = 0; i < 4; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_edit(l, cases[i].from, cases[i].to);
        lab_refuses(l, IMP_113, 19, cases[i].field);
    }
}

static void the_tar_is_in_the_aid(void **state)
{
    struct lab *l = *state;
    lab_edit(l, "TAR=534D01", "TAR=534D02");
    lab_refuses(l, IMP_114, 17, "Applet-SM");
}

static void weaker_security_is_refused(void **state)
{
    struct lab *l = *state;
    static const struct {
        const char *from, *to;
    } cases[] = {{"SPI=1639", "SPI=0039"}, {"SPI=1639", "SPI=1631"}, {"SPI=1639", "SPI=1239"},
                 {"MSL=12", "MSL=04"},     {"MSL=12", "MSL=00"},     {"MSL=12", "MSL=02"},
                 {"MSL=12", "MSL=0A"},     {"MSL=12", "MSL=11"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_edit(l, cases[i].from, cases[i].to);
        lab_refuses(l, IMP_115, 16, "OTA-Security");
    }
}

static void only_aes_is_taken(void **state)
{
    struct lab *l = *state;
    static const struct {
        const char *from, *to;
        uint32_t line;
        const char *field;
    } cases[] = {{"KIC-ALG=AES-CBC", "KIC-ALG=3DES-CBC", 15, "OTA-Keyset"},
                 {"KID-ALG=AES-CMAC", "KID-ALG=DES-MAC8", 15, "OTA-Keyset"},
                 {"07 AES128-CBC", "07 AES128-ECB", 13, "Transport-Key-AUC"},
                 {"12 AES128-CBC", "12 3DES-CBC", 14, "Transport-Key-OTA"}};
    for (size_t i = 0; i < 4; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_edit(l, cases[i].from, cases[i].to);
        lab_refuses(l, IMP_116, cases[i].line, cases[i].field);
    }
}

static void a_strange_customer_and_a_foreign_one_get_the_same_answer(void **state)
{
    struct lab *l = *state;
    char text[FINDING_TEXT_SIZE];
    lab_edit(l, "NORDWIND-IOT", "OTHER");
    lab_refuses(l, IMP_117, 3, "Customer");
    (void)snprintf(text, sizeof text, "%s", lab_text_of(l, IMP_117));
    lab_edit(l, "OTHER", "NORDWIND-IOT");
    l->options.file.tenant = "southwind";
    lab_refuses(l, IMP_117, 3, "Customer");
    assert_string_equal(lab_text_of(l, IMP_117), text);
    l->options.file.tenant = "nordwind";
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
}

static void an_unknown_product_is_refused(void **state)
{
    struct lab *l = *state;
    lab_to_positional(l);
    lab_edit(l, " 0201 ", " 0999 ");
    lab_refuses(l, IMP_118, 1, "product");
}

static void a_positional_file_has_its_quantity_and_a_last_line_feed(void **state)
{
    struct lab *l = *state;
    lab_to_positional(l);
    lab_edit(l, " 3 0201", " 2 0201");
    lab_refuses(l, IMP_105, 1, "Quantity");
    lab_edit(l, " 2 0201", " 3 0201");
    l->len--;
    lab_refuses(l, IMP_102, 4, "");
}

static void malformed_values_name_key_and_form(void **state)
{
    struct lab *l = *state;
    static const struct {
        uint32_t line;
        const char *text, *field;
    } cases[] = {
        {11, "Produced: yesterday", "Produced"},
        {11, "Produced: 20260230T000000Z", "Produced"},
        {11, "Produced: 20260718T240000Z", "Produced"},
        {6, "Quantity: 0", "Quantity"},
        {6, "Quantity: three", "Quantity"},
        {2, "File-Version: new", "File-Version"},
        {12, "Output-Target: OTA+OTA", "Output-Target"},
        {12, "Output-Target: MOON", "Output-Target"},
        {13, "Transport-Key-AUC: 07 AES128-CBC IV=1 KCV=3544E0", "Transport-Key-AUC"},
        {13, "Transport-Key-AUC: 100 AES128-CBC IV=0 KCV=3544E0", "Transport-Key-AUC"},
        {15, "OTA-Keyset: KVN=16 KIC-ALG=AES-CBC KID-ALG=AES-CMAC CNTR=0000000000", "OTA-Keyset"},
        {15, "OTA-Keyset: KVN=01 KIC-ALG=AES-CBC KID-ALG=AES-CMAC CNTR=00", "OTA-Keyset"},
        {16, "OTA-Security: SPI=1639", "OTA-Security"},
        {18, "Bootstrap: SLOT=1 STATE=ON FALLBACK=YES", "Bootstrap"},
        {20, "ICCID-Format: 18D LUHN", "ICCID-Format"},
        {20, "ICCID-Format: 20D", "ICCID-Format"},
        {22, "Start-IMSI1: 99970", "Start-IMSI"},
        {25, "Encrypted: KI1", "Encrypted"},
        {25, "Encrypted: PUK1=12", "PUK1"},
        {10, "no colon here", ""},
        {31, "Records: many", "Records"},
        {32, "SHA256-DATA: 00", "SHA256-DATA"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lab_read(l, "tests/samples/alder-0000717.out");
        lab_set_line(l, cases[i].line, cases[i].text);
        // A trailer with a bad line lacks it, so that the file is cut as well.
        lab_refuses(l, IMP_119, cases[i].line, cases[i].field);
    }
}

static void a_batch_is_imported_once_at_a_time(void **state)
{
    struct lab *l = *state;
    l->is_busy = true;
    lab_refuses(l, IMP_120, 5, "Batch");
}

static void a_loaded_batch_with_other_content_is_refused(void **state)
{
    struct lab *l = *state;
    lab_run(l);
    assert_int_equal(l->card_count, 3);
    lab_edit(l, "13600549", "13600548");
    lab_digest(l);
    lab_refuses(l, IMP_121, 5, "Batch");
}

static void the_same_file_again_changes_nothing(void **state)
{
    struct lab *l = *state;
    lab_run(l);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_ALREADY_IMPORTED);
    assert_string_equal(l->report.first_import, "imp-1");
    assert_int_equal(import_exit_code(l->report.outcome), 0);
    assert_int_equal(l->begun, 1);
    assert_int_equal(l->card_count, 3);
}

static void a_dry_run_says_the_same_and_loads_nothing(void **state)
{
    struct lab *l = *state;
    l->options.is_dry_run = true;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_DRY_RUN_OK);
    assert_int_equal(l->report.loaded, 3);
    assert_int_equal(import_exit_code(l->report.outcome), 0);
    lab_edit(l, "Quantity: 3", "Quantity: 4");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_DRY_RUN_FINDINGS);
    assert_int_equal(import_exit_code(l->report.outcome), 4);
    assert_int_equal(l->begun, 0);
}

static void a_failure_of_the_registry_aborts_the_unit(void **state)
{
    struct lab *l = *state;
    l->fails_to_load = true;
    assert_int_equal(lab_try(l), IMPORT_REGISTRY_FAILED);
    assert_int_equal(l->begun, 1);
    assert_int_equal(l->aborted, 1);
    assert_int_equal(l->committed, 0);
    assert_int_equal(l->card_count, 0);
}

static void a_file_that_changes_between_the_passes_is_not_loaded(void **state)
{
    struct lab *l = *state;
    // Rewinds: the digest, pass 1, pass 2.
    l->change_at_rewind = 3;
    assert_int_equal(lab_try(l), IMPORT_CHANGED);
    assert_int_equal(l->aborted, 1);
    assert_int_equal(l->card_count, 0);
}

static void the_answers_of_a_refusal_hold_no_key_and_no_identifier(void **state)
{
    struct lab *l = *state;
    // A data line where the names should be, and another as a header key.
    char line[600];
    struct bytes data = lab_line(l, 27);
    (void)snprintf(line, sizeof line, "Var_Out: %.*s", (int)data.len, (const char *)data.at);
    lab_set_line(l, 24, line);
    (void)snprintf(line, sizeof line, "%.*s: x", (int)data.len, (const char *)data.at);
    lab_set_line(l, 10, line);
    lab_run(l);
    assert_true(l->report.findings.listed_count > 10);
    for (size_t i = 0; i < l->report.findings.listed_count; i++) {
        const struct finding *f = &l->report.findings.listed[i];
        assert_null(strstr(f->text, "5A80EDD9"));
        assert_null(strstr(f->field, "5A80EDD9"));
        assert_null(strstr(f->text, "999700000000001"));
        assert_null(strstr(f->field, "999700000000001"));
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        CASE(packed_and_wrapped_files_are_recognised),
        CASE(a_text_of_no_layout_is_refused),
        CASE(a_layout_that_the_vendor_does_not_use_is_refused),
        CASE(another_major_version_is_refused),
        CASE(a_file_that_was_cut_names_its_last_good_line),
        CASE(every_cut_of_the_file_is_noticed),
        CASE(a_changed_digit_breaks_the_digest),
        CASE(an_unknown_name_in_var_out_is_shown),
        CASE(an_unknown_column_of_a_csv_is_shown),
        CASE(three_numbers_must_agree_on_the_quantity),
        CASE(each_mandatory_key_is_missed),
        CASE(each_required_field_is_missed),
        CASE(a_field_that_the_profile_does_not_map_is_missed),
        CASE(a_header_key_or_column_stands_once),
        CASE(a_line_has_at_most_8192_octets),
        CASE(a_nul_or_another_strange_octet_is_refused_with_its_offset),
        CASE(an_unknown_transport_key_has_to_be_loaded_first),
        CASE(a_transport_key_with_another_check_value_raises_the_alarm),
        CASE(slots_must_be_enough_and_used_once),
        CASE(exactly_one_is_enabled_and_exactly_one_is_the_fallback),
        CASE(the_tar_is_in_the_aid),
        CASE(weaker_security_is_refused),
        CASE(only_aes_is_taken),
        CASE(a_strange_customer_and_a_foreign_one_get_the_same_answer),
        CASE(an_unknown_product_is_refused),
        CASE(a_positional_file_has_its_quantity_and_a_last_line_feed),
        CASE(malformed_values_name_key_and_form),
        CASE(a_batch_is_imported_once_at_a_time),
        CASE(a_loaded_batch_with_other_content_is_refused),
        CASE(the_same_file_again_changes_nothing),
        CASE(a_dry_run_says_the_same_and_loads_nothing),
        CASE(a_failure_of_the_registry_aborts_the_unit),
        CASE(a_file_that_changes_between_the_passes_is_not_loaded),
        CASE(the_answers_of_a_refusal_hold_no_key_and_no_identifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
