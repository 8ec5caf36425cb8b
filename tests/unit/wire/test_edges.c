// What no peer should say and no caller ask for: refused, and nothing half done.
#include "tests/lib/cmocka_all.h"

#include "common/host/cipher_openssl.h"
#include "common/wire/apdu.h"
#include "common/wire/cat.h"
#include "common/wire/command.h"
#include "common/wire/ident.h"
#include "common/wire/keywrap.h"
#include "common/wire/parameter.h"
#include "common/wire/tlv.h"

// --- commands ---

static uint8_t octets[600];
static struct writer w;

static void begin(uint8_t number)
{
    w = writer_of(octets, sizeof octets);
    const uint8_t head[5] = {0x80, 0xE2, 0x91, number, 0};
    writer_copy(&w, bytes_of(head, sizeof head));
    tlv_write(&w, 0x8F, bytes_of("\0\0\0\1", 4)); // operation id
}

static void field(uint8_t tag, size_t len)
{
    static const uint8_t zeros[255];
    tlv_write(&w, tag, bytes_of(zeros, len));
}

static enum command_read_status read_it(void)
{
    struct command c;
    octets[4] = (uint8_t)(w.len - 5);
    return command_read(writer_bytes(&w), &c);
}

static enum command_read_status read_download(size_t flags_len, size_t keys_len, size_t plmns_len)
{
    begin(COMMAND_DOWNLOAD);
    field(0x80, flags_len);
    field(0x81, COMMAND_IMSI_SIZE);
    field(0x82, keys_len);
    field(0x86, COMMAND_CHECK_SIZE);
    if (plmns_len > 0)
        field(0x8B, plmns_len);
    return read_it();
}

static void lengths_of_a_download_are_judged_with_its_form(void **state)
{
    (void)state;
    for (size_t len = 31; len <= COMMAND_KEYS_MAX + 1; len++) {
        const bool is_right = len == 32 || len == 48 || len == 64;
        assert_int_equal(read_download(2, len, 0),
                         is_right ? COMMAND_READ_OK : COMMAND_READ_BAD_FORMAT);
    }
    for (size_t len = 1; len <= COMMAND_PLMNS_MAX + 5; len++) {
        const bool is_right = len % 5 == 0 && len <= 40;
        assert_int_equal(read_download(2, 32, len),
                         is_right ? COMMAND_READ_OK : COMMAND_READ_BAD_FORMAT);
    }
    assert_int_equal(read_download(1, 32, 0), COMMAND_READ_BAD_FORMAT);
}

static void flags_of_other_commands_are_one_octet(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 2; len++) {
        begin(COMMAND_ENABLE);
        field(0x80, len);
        field(0x81, COMMAND_IMSI_SIZE);
        assert_int_equal(read_it(), len == 1 ? COMMAND_READ_OK : COMMAND_READ_BAD_FORMAT);
    }
}

static void a_command_that_cannot_be_written_fails_its_writer(void **state)
{
    (void)state;
    static const uint8_t list[250];
    struct command c = {.number = 0x7F};
    w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    assert_true(w.failed);
    assert_int_equal(w.len, 0);
    c = (struct command){.number = COMMAND_CONFIRM, .operation_id = 1};
    for (size_t cap = 0; cap < 5 + 12; cap++) {
        w = writer_of(octets, cap);
        command_write(&w, &c);
        assert_true(w.failed);
    }
    w = writer_of(octets, 5 + 12);
    command_write(&w, &c);
    assert_false(w.failed);
    // Lc is one octet: 6 for the id, 2 and 3 of heads of the lists.
    c = (struct command){.number = COMMAND_CONFIGURE, .operation_id = 1};
    c.configure.writes = bytes_of(list, 200);
    c.configure.reads = bytes_of(list, 255 - 6 - 3 - 200 - 2);
    w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    assert_false(w.failed);
    assert_int_equal(octets[4], 255);
    c.configure.reads.len++;
    w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    assert_true(w.failed);
}

static void what_is_unknown_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_false(command_is_state_changing(0x7F));
    assert_string_equal(result_code_name(RESULT_CONFIRM_TOO_LATE), "CONFIRM_TOO_LATE");
    assert_string_equal(result_code_name(RESULT_CONFIRM_TOO_LATE + 1), "UNKNOWN_RESULT");
    assert_string_equal(result_code_name(0x0F), "UNKNOWN_RESULT");
    assert_string_equal(result_code_name(0xFF), "UNKNOWN_RESULT");
    assert_string_equal(notify_cause_name(0), "UNKNOWN_CAUSE");
    assert_string_equal(notify_cause_name(0xFF), "UNKNOWN_CAUSE");
}

// --- parameters ---

static void parameters_that_there_are_not_are_not_written(void **state)
{
    (void)state;
    struct parameters p;
    parameters_default(&p);
    w = writer_of(octets, sizeof octets);
    assert_false(parameter_write(&w, &p, 0));
    assert_false(parameter_write(&w, &p, PARAMETER_LAST + 1));
    assert_int_equal(w.len, 0);
    assert_false(w.failed);
}

static void a_table_of_countries_has_sixteen_rows(void **state)
{
    (void)state;
    static uint8_t list[2 + 17 * 13] = {PARAMETER_COUNTRY_TABLE};
    for (size_t i = 0; i < 17; i++) {
        list[2 + i * 13] = 0x62;
        list[2 + i * 13 + 1] = 0xF2;
        list[2 + i * 13 + 2] = 0x10;
        memcpy(list + 2 + i * 13 + 3, "\x08\x09\x10\x10\0\0\0\0\x10", 9);
        list[2 + i * 13 + 12] = COUNTRY_FORBID;
    }
    struct parameters p;
    parameters_default(&p);
    list[1] = 17 * 13;
    assert_int_equal(parameters_apply(&p, bytes_of(list, 2 + 17 * 13), NULL),
                     PARAMETER_OUT_OF_RANGE);
    list[1] = 16 * 13;
    assert_int_equal(parameters_apply(&p, bytes_of(list, 2 + 16 * 13), NULL), PARAMETER_OK);
    assert_int_equal(p.country_count, 16);
    struct parameters other = p;
    assert_true(parameter_is_same(&p, &other, PARAMETER_COUNTRY_TABLE));
    other.countries[15].action = COUNTRY_PREFER;
    assert_false(parameter_is_same(&p, &other, PARAMETER_COUNTRY_TABLE));
    other = p;
    other.country_count--;
    assert_false(parameter_is_same(&p, &other, PARAMETER_COUNTRY_TABLE));
}

static void addresses_of_one_length_differ(void **state)
{
    (void)state;
    struct parameters a;
    parameters_default(&a);
    a.server_address_len = 3;
    struct parameters b = a;
    b.server_address[2] = 0xF1;
    assert_true(parameter_is_same(&a, &a, PARAMETER_SERVER_ADDR));
    assert_false(parameter_is_same(&a, &b, PARAMETER_SERVER_ADDR));
}

// --- keys ---

static struct cipher real;
static unsigned calls_left;

static bool fails(void)
{
    return calls_left-- == 0;
}

static bool cmac(void *context, const struct secret_key *key, const struct bytes *parts,
                 size_t part_count, uint8_t out[CIPHER_AES_BLOCK])
{
    return !fails() && real.aes_cmac(context, key, parts, part_count, out);
}

static bool encrypt(void *context, enum cipher_algorithm algorithm, const struct secret_key *key,
                    const uint8_t *iv, uint8_t *data, size_t len)
{
    return !fails() && real.cbc_encrypt(context, algorithm, key, iv, data, len);
}

static void keys_of_a_cipher_that_fails_are_none(void **state)
{
    (void)state;
    assert_true(cipher_openssl_open(&real));
    struct cipher failing = real;
    failing.aes_cmac = cmac;
    failing.cbc_encrypt = encrypt;
    const struct secret_key kik = {.len = 16};
    const struct network_keys keys = {.k = {.octets = {1}, .len = 16},
                                      .op = {.octets = {2}, .len = 16}};
    const uint8_t imsi[COMMAND_IMSI_SIZE] = {8, 9};
    const struct keywrap_block none = {.len = 0};
    struct keywrap_block block;
    unsigned calls = 0;
    for (enum keywrap_status status = KEYWRAP_CIPHER_FAILED; status != KEYWRAP_OK; calls++) {
        calls_left = calls;
        status = keywrap_seal(&failing, &kik, 7, &keys, imsi, &block);
        if (status == KEYWRAP_OK)
            break;
        assert_int_equal(status, KEYWRAP_CIPHER_FAILED);
        assert_memory_equal(&block, &none, sizeof block);
    }
    assert_true(calls >= 3); // check value, start value, encryption
    struct command_download from = {.wrapped_keys = bytes_of(block.octets, block.len)};
    memcpy(from.imsi, imsi, sizeof imsi);
    memcpy(from.check, block.check, sizeof from.check);
    struct network_keys opened;
    for (unsigned n = 0; n < 2; n++) {
        calls_left = n;
        assert_int_equal(keywrap_open(&failing, &kik, 7, &from, &opened), KEYWRAP_CIPHER_FAILED);
    }
    uint8_t reference[CARD_REFERENCE_SIZE];
    calls_left = 0;
    assert_false(card_reference(&failing, &kik, reference));
    calls_left = 100;
    assert_int_equal(keywrap_open(&failing, &kik, 7, &from, &opened), KEYWRAP_OK);
    assert_memory_equal(&opened, &keys, sizeof keys);
    assert_int_equal(keywrap_open(&failing, &kik, 8, &from, &opened), KEYWRAP_CHECK_FAILED);
    cipher_openssl_close(&real);
}

static void only_three_pairs_of_lengths_are_keys(void **state)
{
    (void)state;
    assert_true(cipher_openssl_open(&real));
    const struct secret_key kik = {.len = 16};
    const uint8_t imsi[COMMAND_IMSI_SIZE] = {8, 9};
    static const uint8_t lengths[] = {0, 15, 16, 17, 31, 32};
    for (size_t i = 0; i < sizeof lengths; i++) {
        for (size_t j = 0; j < sizeof lengths; j++) {
            const uint8_t k = lengths[i];
            const uint8_t op = lengths[j];
            const bool is_pair =
                (k == 16 && op == 16) || (k == 16 && op == 32) || (k == 32 && op == 32);
            const struct network_keys keys = {.k = {.len = k}, .op = {.len = op}};
            struct keywrap_block block;
            assert_int_equal(keywrap_seal(&real, &kik, 7, &keys, imsi, &block),
                             is_pair ? KEYWRAP_OK : KEYWRAP_BAD_LENGTH);
        }
    }
    cipher_openssl_close(&real);
}

// --- APDUs ---

static void an_apdu_that_is_too_long_fails_its_writer(void **state)
{
    (void)state;
    static const uint8_t data[256];
    struct apdu a = {.cla = 0x80, .data = bytes_of(data, 255), .le = APDU_LE_MAX};
    w = writer_of(octets, sizeof octets);
    apdu_write(&w, &a);
    assert_false(w.failed);
    a.le = APDU_LE_MAX + 1;
    apdu_write(&w, &a);
    assert_true(w.failed);
    a = (struct apdu){.data = bytes_of(data, 256)};
    void (*const forms[])(struct writer *, const struct apdu *) = {apdu_write, apdu_write_p3};
    for (size_t i = 0; i < 2; i++) {
        w = writer_of(octets, sizeof octets);
        forms[i](&w, &a);
        assert_true(w.failed);
        assert_int_equal(w.len, 0);
    }
    a = (struct apdu){.le = APDU_LE_MAX + 1};
    w = writer_of(octets, sizeof octets);
    apdu_write_p3(&w, &a);
    assert_true(w.failed);
}

// --- identifiers ---

static void the_twentieth_digit_of_an_iccid_is_the_issuers_own(void **state)
{
    (void)state;
    // 19 digits with a Luhn digit, which is 1, and behind it any other.
    assert_true(iccid_luhn_is_valid("8988211000000000011"));
    assert_true(iccid_luhn_is_valid("89882110000000000110"));
    assert_true(iccid_luhn_is_valid("89882110000000000119")); // right for all twenty too
    assert_false(iccid_luhn_is_valid("89882110000000000120"));
    assert_false(iccid_luhn_is_valid("8988211000000000012"));
}

static void a_text_that_is_no_identifier_is_answered(void **state)
{
    (void)state;
    uint8_t imeisv[IMEISV_LEN] = {0x55};
    assert_int_equal(imsi_access_class(""), 0);
    assert_int_equal(imsi_access_class("001010000000009"), 1 << 9);
    assert_false(imeisv_write("490154203237518", imeisv)); // an IMEI
    assert_int_equal(imeisv[0], 0x55);
    assert_true(imei_is_same("490154203237518", "4901542032375101")); // 14 digits count
    assert_true(imei_is_same("4901542032375101", "490154203237510"));
    assert_false(imei_is_same("490154203237518", "490154203237618"));
    assert_false(imei_is_same("490154203237518", "49015420323751"));
    assert_false(imei_is_same("49015420323751", "490154203237518"));
}

static void numbers_are_equal_in_type_length_and_digits(void **state)
{
    (void)state;
    const struct phone a = {.type = PHONE_INTERNATIONAL, .digits = "12"};
    const struct phone type = {.type = PHONE_UNKNOWN, .digits = "12"};
    const struct phone longer = {.type = PHONE_INTERNATIONAL, .digits = "123"};
    const struct phone other = {.type = PHONE_INTERNATIONAL, .digits = "13"};
    assert_true(phone_is_equal(&a, &a));
    assert_false(phone_is_equal(&a, &type));
    assert_false(phone_is_equal(&a, &longer));
    assert_false(phone_is_equal(&a, &other));
}

static void a_number_has_the_octets_that_its_digits_take(void **state)
{
    (void)state;
    struct phone p;
    assert_false(phone_read_counted(PHONE_UNKNOWN, bytes_of("\x21", 1), 3, &p));
    assert_false(phone_read_counted(PHONE_UNKNOWN, bytes_of("\x21\xF3\xFF", 3), 3, &p));
    assert_true(phone_read_counted(PHONE_UNKNOWN, bytes_of("\x21\xF3", 2), 3, &p));
    assert_string_equal(p.digits, "123");
    static const char *const bad[] = {"x1", "1x", "12x"};
    for (size_t i = 0; i < 3; i++) {
        struct phone number = {.type = PHONE_UNKNOWN};
        memcpy(number.digits, bad[i], strlen(bad[i]));
        w = writer_of(octets, sizeof octets);
        phone_write_bcd(&w, &number);
        assert_true(w.failed);
    }
}

// --- toolkit ---

// D0 or D6: devices, then `object`; whether it reads.
static bool event_reads(const char *object, size_t len, struct cat_message *m)
{
    enum cat_envelope kind;
    w = writer_of(octets, sizeof octets);
    writer_u8(&w, 0xD6);
    writer_u8(&w, (uint8_t)(4 + 3 + len));
    writer_copy(&w, bytes_of("\x82\x02\x82\x81\x99\x01\x12", 7)); // network rejection
    writer_copy(&w, bytes_of(object, len));
    return cat_read_envelope(writer_bytes(&w), &kind, m) == CAT_OK;
}

static void a_tracking_area_is_that_of_one_of_two_technologies(void **state)
{
    (void)state;
    struct cat_message m;
    assert_false(event_reads("\xFD\x04\x62\xF2\x20\x01", 6, &m));
    assert_true(event_reads("\xFD\x05\x62\xF2\x20\x01\x02", 7, &m));
    assert_int_equal(m.tracking_area.area, 0x0102);
    assert_int_equal(m.tracking_area.area_len, 2);
    assert_true(event_reads("\xFD\x06\x62\xF2\x20\x01\x02\x03", 8, &m));
    assert_int_equal(m.tracking_area.area, 0x010203);
    assert_int_equal(m.tracking_area.area_len, 3);
    assert_false(event_reads("\xFD\x07\x62\xF2\x20\x01\x02\x03\x04", 9, &m));
}

static void a_routing_area_reads_back(void **state)
{
    (void)state;
    struct cat_message m;
    assert_true(event_reads("\xF3\x06\x62\xF2\x20\x01\x02\x03", 8, &m));
    assert_true(m.has & CAT_HAS_ROUTING_AREA);
    uint8_t again[64];
    struct writer out = writer_of(again, sizeof again);
    cat_write_envelope(&out, CAT_EVENT_DOWNLOAD, &m);
    assert_false(out.failed);
    enum cat_envelope kind;
    struct cat_message back;
    assert_int_equal(cat_read_envelope(writer_bytes(&out), &kind, &back), CAT_OK);
    assert_true(bytes_equal(back.routing_area, bytes_of("\x62\xF2\x20\x01\x02\x03", 6)));
}

static void a_rejection_is_told_in_the_words_of_its_technology(void **state)
{
    (void)state;
    const uint8_t plmn[PLMN_LEN] = {0x62, 0xF2, 0x20};
    const struct cat_location gsm = cat_location_gsm(plmn, 0x0102, 3);
    const struct cat_location nr = cat_location_nr(plmn, 0x010203, 4);
    const uint8_t first_nr[] = {CAT_NR};
    struct cat_message m = cat_rejection_event(&gsm, bytes_of(NULL, 0), 0, 7);
    assert_true((m.has & CAT_HAS_LOCATION) != 0 && (m.has & CAT_HAS_TRACKING_AREA) == 0);
    assert_int_equal(m.location.cell_len, 0);
    m = cat_rejection_event(&nr, bytes_of(first_nr, 1), 0, 7);
    assert_true((m.has & CAT_HAS_LOCATION) == 0 && (m.has & CAT_HAS_TRACKING_AREA) != 0);
    assert_int_equal(m.tracking_area.area, 0x010203);
    assert_int_equal(cat_event_of(&m), CAT_EVENT_NETWORK_REJECTION);
    m.events = bytes_of("\x12\x03", 2); // one is told at a time
    assert_int_equal(cat_event_of(&m), 0);
    m.has = 0;
    assert_int_equal(cat_event_of(&m), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_a_download_are_judged_with_its_form),
        cmocka_unit_test(flags_of_other_commands_are_one_octet),
        cmocka_unit_test(a_command_that_cannot_be_written_fails_its_writer),
        cmocka_unit_test(what_is_unknown_has_a_name_of_its_own),
        cmocka_unit_test(parameters_that_there_are_not_are_not_written),
        cmocka_unit_test(a_table_of_countries_has_sixteen_rows),
        cmocka_unit_test(addresses_of_one_length_differ),
        cmocka_unit_test(keys_of_a_cipher_that_fails_are_none),
        cmocka_unit_test(only_three_pairs_of_lengths_are_keys),
        cmocka_unit_test(an_apdu_that_is_too_long_fails_its_writer),
        cmocka_unit_test(the_twentieth_digit_of_an_iccid_is_the_issuers_own),
        cmocka_unit_test(a_text_that_is_no_identifier_is_answered),
        cmocka_unit_test(numbers_are_equal_in_type_length_and_digits),
        cmocka_unit_test(a_number_has_the_octets_that_its_digits_take),
        cmocka_unit_test(a_tracking_area_is_that_of_one_of_two_technologies),
        cmocka_unit_test(a_routing_area_reads_back),
        cmocka_unit_test(a_rejection_is_told_in_the_words_of_its_technology),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
