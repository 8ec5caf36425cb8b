#include "common/wire/ident.h"
#include "tests/unit/wire/octets.h"

static void luhn_digits_are_those_of_the_standards(void **state)
{
    (void)state;
    assert_int_equal(luhn_digit("7992739871", 10), '3');
    assert_int_equal(luhn_digit("49015420323751", 14), '8'); // the example IMEI of many handbooks
    assert_true(luhn_is_valid("79927398713", 11));
    assert_false(luhn_is_valid("79927398714", 11));
    assert_false(luhn_is_valid("0", 1));
    assert_true(luhn_is_valid("00", 2));
}

static void an_iccid_is_the_same_in_file_and_text(void **state)
{
    (void)state;
    uint8_t ef[ICCID_EF_LEN];
    char text[ICCID_SIZE];
    assert_true(iccid_write("8988211000000123456", ef));
    assert_octets(bytes_of(ef, sizeof ef), "988812010000103254F6");
    assert_true(iccid_read(ef, text));
    assert_string_equal(text, "8988211000000123456");
    assert_true(iccid_write("89882110000001234567", ef));
    assert_octets(bytes_of(ef, sizeof ef), "98881201000010325476");
    assert_true(iccid_read(ef, text));
    assert_string_equal(text, "89882110000001234567");
    assert_true(iccid_write("898821100000012345", ef)); // 18 digits exist in the field
    assert_octets(bytes_of(ef, sizeof ef), "988812010000103254FF");
}

static void what_is_no_iccid_is_refused(void **state)
{
    (void)state;
    uint8_t ef[ICCID_EF_LEN] = {0xA5};
    char text[ICCID_SIZE];
    const char *bad[] = {"",
                         "89",
                         "89882110000001234",
                         "898821100000012345678",
                         "8888211000000123456",
                         "8988211000000a23456"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(iccid_write(bad[i], ef));
    assert_int_equal(ef[0], 0xA5);
    const char *bad_files[] = {"FFFFFFFFFFFFFFFFFFFF", "9888120100001032F456",
                               "98881201000010325A76", "00000000000000000000"};
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        const struct octets o = hex(bad_files[i]);
        assert_false(iccid_read(o.at, text));
        assert_string_equal(text, "");
    }
    assert_true(iccid_luhn_is_valid("8944500102198304826")); // Luhn sum 90
    assert_false(iccid_luhn_is_valid("8944500102198304827"));
}

static void an_imsi_is_the_same_in_file_and_text(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *ef;
    } cases[] = {
        {"901700000012345", "08 99 10 07 00 00 10 32 54"},
        {"26201123456789", "08 21 26 10 21 43 65 87 F9"},
        {"262011", "04 21 26 10 F1 FF FF FF FF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t ef[IMSI_EF_LEN];
        char text[IMSI_SIZE];
        assert_true(imsi_write(cases[i].text, ef));
        assert_octets(bytes_of(ef, sizeof ef), cases[i].ef);
        assert_true(imsi_read(ef, text));
        assert_string_equal(text, cases[i].text);
    }
}

static void a_damaged_imsi_file_is_refused(void **state)
{
    (void)state;
    char text[IMSI_SIZE];
    const char *bad[] = {
        "00 99 10 07 00 00 10 32 54", // no length
        "09 99 10 07 00 00 10 32 54", // too long
        "08 91 10 07 00 00 10 32 54", // parity
        "08 9A 10 07 00 00 10 32 54", // another type of identity
        "08 99 10 07 00 00 A0 32 54", // no digit
        "08 29 26 10 F1 FF FF FF FF", // shorter than its length
        "FF FF FF FF FF FF FF FF FF",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct octets o = hex(bad[i]);
        assert_false(imsi_read(o.at, text));
        assert_string_equal(text, "");
    }
    uint8_t ef[IMSI_EF_LEN];
    assert_false(imsi_write("12345", ef));
    assert_false(imsi_write("1234567890123456", ef));
    assert_int_equal(imsi_access_class("901700000012340"), 0x0001);
    assert_int_equal(imsi_access_class("901700000012345"), 0x0020);
    assert_int_equal(imsi_access_class("901700000012349"), 0x0200);
}

static void an_imei_and_an_imeisv_are_mobile_identities(void **state)
{
    (void)state;
    uint8_t octets[IMEISV_LEN];
    char imei[IMEI_SIZE];
    char imeisv[IMEISV_SIZE];
    assert_true(imei_write("123456789012345", octets));
    assert_octets(bytes_of(octets, IMEI_LEN), "1A32547698103254");
    assert_true(imei_read(octets, imei));
    assert_string_equal(imei, "123456789012345");
    assert_true(imeisv_write("1234567890123456", octets));
    assert_octets(bytes_of(octets, IMEISV_LEN), "1332547698103254F6");
    assert_true(imeisv_read(octets, imeisv));
    assert_string_equal(imeisv, "1234567890123456");
    const struct octets bad = hex("1332547698103254F6 1A3254769810325F 1332547698103254 56");
    assert_false(imei_read(bad.at, imei));
    assert_false(imei_read(bad.at + 9, imei));
    assert_string_equal(imei, "");
    assert_false(imeisv_read(bad.at + 17, imeisv));
    assert_string_equal(imeisv, "");
}

static void equipment_is_compared_on_fourteen_digits(void **state)
{
    (void)state;
    char imei[IMEI_SIZE];
    assert_true(imei_is_same("490154203237518", "490154203237510"));
    assert_true(imei_is_same("490154203237518", "4901542032375177"));
    assert_false(imei_is_same("490154203237518", "490154203237618"));
    assert_false(imei_is_same("49015420323751", "49015420323751"));
    assert_true(imei_normalise("490154203237510", imei));
    assert_string_equal(imei, "490154203237518");
    assert_true(imei_normalise("4901542032375177", imei));
    assert_string_equal(imei, "490154203237518");
    assert_false(imei_normalise("4901542032375", imei));
}

static void a_telephone_number_is_the_same_in_text_and_octets(void **state)
{
    (void)state;
    const struct {
        const char *text;
        unsigned type;
        const char *bcd;
    } cases[] = {
        {"+447700900123", 0x91, "447700091032"},
        {"12345", 0x81, "2143F5"},
        {"1", 0x81, "F1"},
        {"*#abc", 0x81, "BADCFE"},
        {"12345678901234567890", 0x81, "21436587092143658709"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct phone phone;
        struct phone again;
        uint8_t out[PHONE_BCD_MAX];
        struct writer w = writer_of(out, sizeof out);
        assert_true(phone_of_text(cases[i].text, &phone));
        assert_int_equal(phone.type, cases[i].type);
        phone_write_bcd(&w, &phone);
        assert_octets(writer_bytes(&w), cases[i].bcd);
        assert_int_equal(phone_bcd_len(&phone), w.len);
        assert_true(phone_read(phone.type, writer_bytes(&w), &again));
        assert_true(phone_is_equal(&phone, &again));
    }
}

static void what_is_no_telephone_number_is_refused(void **state)
{
    (void)state;
    struct phone phone;
    const char *bad[] = {"", "+", "12 3", "d", "++1", "123456789012345678901"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(phone_of_text(bad[i], &phone));
    const struct octets inner = hex("2FF1");
    assert_false(phone_read(0x91, view(&inner), &phone));
    const struct octets long_one = hex("2143658709214365870921");
    assert_false(phone_read(0x91, view(&long_one), &phone));
    assert_true(phone_read(0x91, bytes_of(NULL, 0), &phone));
    assert_string_equal(phone.digits, "");
}

static void a_plmn_has_two_or_three_network_digits(void **state)
{
    (void)state;
    uint8_t octets[PLMN_LEN];
    char text[PLMN_SIZE];
    assert_true(plmn_write("26202", octets));
    assert_octets(bytes_of(octets, PLMN_LEN), "62F220");
    assert_true(plmn_read(octets, text));
    assert_string_equal(text, "26202");
    assert_true(plmn_write("310260", octets));
    assert_octets(bytes_of(octets, PLMN_LEN), "130062");
    assert_true(plmn_read(octets, text));
    assert_string_equal(text, "310260");
    assert_false(plmn_write("2620", octets));
    assert_false(plmn_write("2620212", octets));
    const struct octets none = hex("FFFFFF");
    assert_false(plmn_read(none.at, text));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(luhn_digits_are_those_of_the_standards),
        cmocka_unit_test(an_iccid_is_the_same_in_file_and_text),
        cmocka_unit_test(what_is_no_iccid_is_refused),
        cmocka_unit_test(an_imsi_is_the_same_in_file_and_text),
        cmocka_unit_test(a_damaged_imsi_file_is_refused),
        cmocka_unit_test(an_imei_and_an_imeisv_are_mobile_identities),
        cmocka_unit_test(equipment_is_compared_on_fourteen_digits),
        cmocka_unit_test(a_telephone_number_is_the_same_in_text_and_octets),
        cmocka_unit_test(what_is_no_telephone_number_is_refused),
        cmocka_unit_test(a_plmn_has_two_or_three_network_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
