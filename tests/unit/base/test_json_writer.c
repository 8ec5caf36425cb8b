#include "tests/lib/cmocka_all.h"

#include "common/base/json_writer.h"
#include "common/base/mask.h"
#include "common/base/text.h"

static void expect_text(struct bytes text, const char *expected)
{
    uint8_t out[128];
    struct writer w = writer_of(out, sizeof out);
    struct json_writer j = json_writer_of(&w);
    json_put_text(&j, text);
    assert_true(json_done(&j));
    assert_string_equal(text_end(&w), expected);
}

static void a_document_has_its_commas_where_they_belong(void **state)
{
    (void)state;
    uint8_t out[256];
    struct writer w = writer_of(out, sizeof out);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    json_put_key(&j, "empty");
    json_begin_array(&j);
    json_end_array(&j);
    json_put_key(&j, "list");
    json_begin_array(&j);
    json_put_unsigned(&j, UINT64_MAX);
    json_put_signed(&j, INT64_MIN);
    json_begin_object(&j);
    json_end_object(&j);
    json_put_null(&j);
    json_end_array(&j);
    json_put_key(&j, "yes");
    json_put_bool(&j, true);
    json_put_key(&j, "raw");
    json_put_raw(&j, bytes_of_text("[1]"));
    assert_false(json_done(&j)); // the object is still open
    json_end_object(&j);
    assert_true(json_done(&j));
    assert_string_equal(
        text_end(&w), "{\"empty\":[],\"list\":[18446744073709551615,-9223372036854775808,{},null],"
                      "\"yes\":true,\"raw\":[1]}");
}

static void a_fixed_number_keeps_its_decimals(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        unsigned digits;
        const char *text;
    } cases[] = {
        {475, 1, "47.5"}, {-5, 2, "-0.05"}, {0, 3, "0.000"}, {-100, 2, "-1.00"}, {7, 0, "7"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[32];
        struct writer w = writer_of(out, sizeof out);
        struct json_writer j = json_writer_of(&w);
        json_put_fixed(&j, cases[i].value, cases[i].digits);
        assert_string_equal(text_end(&w), cases[i].text);
    }
}

static void text_is_escaped_as_rfc_8259_wants_it(void **state)
{
    (void)state;
    expect_text(bytes_of_text("plain"), "\"plain\"");
    expect_text(bytes_of_text("a\"b\\c"), "\"a\\\"b\\\\c\"");
    expect_text(bytes_of_text("\n\r\t\x01\x1f\x7f"), "\"\\n\\r\\t\\u0001\\u001f\\u007f\"");
    expect_text(bytes_of("a\0b", 3), "\"a\\u0000b\"");
}

static void only_well_formed_utf_8_comes_out(void **state)
{
    (void)state;
    // The edges of [RFC 3629 §4].
    static const char *const good[] = {"\xC2\x80",        "\xDF\xBF",     "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",    "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char expected[8] = "\"";
        size_t len = strlen(good[i]);
        memcpy(expected + 1, good[i], len);
        expected[len + 1] = '"';
        expect_text(bytes_of_text(good[i]), expected);
    }
    expect_text(bytes_of_text("\x80"), "\"\\ufffd\"");
    expect_text(bytes_of_text("\xC1\x81"), "\"\\ufffd\\ufffd\"");            // overlong
    expect_text(bytes_of_text("\xE0\x9F\xBF"), "\"\\ufffd\\ufffd\\ufffd\""); // overlong
    expect_text(bytes_of_text("\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\""); // a surrogate
    expect_text(bytes_of_text("\xF5z"), "\"\\ufffdz\"");                     // above U+10FFFF
    expect_text(bytes_of_text("\xE2\x82"), "\"\\ufffd\\ufffd\"");            // cut off
    expect_text(bytes_of_text("\xE2\x82z"), "\"\\ufffd\\ufffdz\"");          // and goes on
}

static void a_document_that_does_not_fit_is_never_done(void **state)
{
    (void)state;
    const char *whole = "{\"name\":\"value\"}";
    for (size_t cap = 0; cap <= strlen(whole); cap++) {
        uint8_t out[32];
        struct writer w = writer_of(out, cap);
        struct json_writer j = json_writer_of(&w);
        json_begin_object(&j);
        json_put_key(&j, "name");
        json_put_string(&j, "value");
        json_end_object(&j);
        assert_int_equal(json_done(&j), cap == strlen(whole));
    }
}

static void identifiers_show_what_the_list_allows(void **state)
{
    (void)state;
    static const struct {
        enum mask mask;
        const char *clear, *shown;
    } cases[] = {
        {MASK_ICCID, "8988247000001234567", "89882**********4567"},
        {MASK_IMSI, "001010000012345", "00101******2345"},
        {MASK_MSISDN, "+491701234567", "+49******4567"},
        {MASK_MSISDN, "12025550123", "1******0123"},
        {MASK_MSISDN, "423123456789", "423*****6789"},
        {MASK_IMEI, "490154203237518", "***********7518"},
        {MASK_IP, "192.0.2.17", "192.0.****"},
        {MASK_NAME, "Miller", "M*****"},
        {MASK_NUMBER, "12345678", "****5678"},
        {MASK_NUMBER, "1234567", "*******"}, // too short to show a part
        {MASK_ALL, "0000", "****"},
        {MASK_IMSI, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof out);
        mask_write(&w, cases[i].mask, bytes_of_text(cases[i].clear));
        assert_string_equal(text_end(&w), cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_has_its_commas_where_they_belong),
        cmocka_unit_test(a_fixed_number_keeps_its_decimals),
        cmocka_unit_test(text_is_escaped_as_rfc_8259_wants_it),
        cmocka_unit_test(only_well_formed_utf_8_comes_out),
        cmocka_unit_test(a_document_that_does_not_fit_is_never_done),
        cmocka_unit_test(identifiers_show_what_the_list_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
