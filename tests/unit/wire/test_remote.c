#include "common/wire/remote.h"
#include "tests/unit/wire/octets.h"

static void a_compact_script_is_shown_command_by_command(void **state)
{
    (void)state;
    const struct octets o = hex("00A40004022FE2 00B000000A");
    struct remote_script s = remote_open(view(&o));
    struct remote_item item;
    assert_int_equal(s.format, REMOTE_COMPACT);
    assert_true(remote_next(&s, &item));
    assert_octets(item.apdu.data, "2FE2");
    assert_octets(item.value, "00A40004022FE2");
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.apdu.le, 10);
    assert_false(remote_next(&s, &item));
    assert_int_equal(s.error, REMOTE_OK);
}

static void assert_script(enum remote_format format, const char *expected)
{
    uint8_t out[64];
    struct writer out_writer = writer_of(out, sizeof out);
    struct remote_writer w = remote_begin(&out_writer, format);
    const struct apdu select = {.ins = INS_SELECT, .p2 = 0x04, .data = bytes_of("\x2F\xE2", 2)};
    const struct apdu read = {.ins = INS_READ_BINARY, .le = 10};
    remote_add(&w, &select);
    remote_add(&w, &read);
    remote_end(&w);
    assert_false(out_writer.failed);
    assert_octets(writer_bytes(&out_writer), expected);

    struct remote_script s = remote_open(writer_bytes(&out_writer));
    struct remote_item item;
    assert_int_equal(s.format, format);
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.kind, REMOTE_COMMAND);
    assert_octets(item.apdu.data, "2FE2");
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.apdu.le, 10);
    assert_false(remote_next(&s, &item));
    assert_int_equal(s.error, REMOTE_OK);
}

static void every_format_reads_back_what_was_written(void **state)
{
    (void)state;
    assert_script(REMOTE_COMPACT, "00A40004022FE2 00B000000A");
    assert_script(REMOTE_DEFINITE, "AA10 2207 00A40004022FE2 2205 00B000000A");
    assert_script(REMOTE_INDEFINITE, "AE80 2207 00A40004022FE2 2205 00B000000A 0000");
}

static void the_sgp02_example_is_one_command(void **state)
{
    (void)state;
    const struct octets o =
        hex("AA1C 221A 80E2880015 3A0312 4F10 A0000005591010FFFFFFFF8900001100");
    struct remote_script s = remote_open(view(&o));
    struct remote_item item;
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.apdu.ins, INS_STORE_DATA);
    assert_int_equal(item.apdu.data.len, 0x15);
    assert_false(remote_next(&s, &item));
    assert_int_equal(s.error, REMOTE_OK);
}

static void other_objects_of_a_script_are_named(void **state)
{
    (void)state;
    const struct octets o = hex("AA0B 830101 810201FF 8202 0102");
    struct remote_script s = remote_open(view(&o));
    struct remote_item item;
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.kind, REMOTE_CHAINING);
    assert_octets(item.value, "01");
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.kind, REMOTE_IMMEDIATE_ACTION);
    assert_true(remote_next(&s, &item));
    assert_int_equal(item.kind, REMOTE_ERROR_ACTION);
    assert_false(remote_next(&s, &item));
    assert_int_equal(s.error, REMOTE_OK);
}

static void what_is_not_understood_says_why(void **state)
{
    (void)state;
    const struct {
        const char *octets;
        enum remote_error error;
        unsigned commands;
    } cases[] = {
        {"AA", REMOTE_LENGTH_NOT_FOUND, 0},
        {"AA05 2207 00A4", REMOTE_LENGTH_NOT_FOUND, 0},
        {"AA00 00", REMOTE_WRONG_LENGTH, 0},
        {"AA04 2207 00A4", REMOTE_WRONG_LENGTH, 0},
        {"AA0A 2205 00B000000A 2401 00", REMOTE_UNKNOWN_TAG, 1},
        {"AA05 2203 00B000", REMOTE_WRONG_LENGTH, 0},
        {"AE", REMOTE_LENGTH_NOT_FOUND, 0},
        {"AE05 2203 00B000", REMOTE_LENGTH_NOT_FOUND, 0},
        {"AE80 2205 00B000000A", REMOTE_LENGTH_NOT_FOUND, 1}, // no end
        {"AE80 2205 00B000000A 0000 00", REMOTE_WRONG_LENGTH, 1},
        {"00A4000402", REMOTE_WRONG_LENGTH, 0},
        {"00B000000A 00", REMOTE_WRONG_LENGTH, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct remote_script s = remote_open(view(&o));
        struct remote_item item;
        unsigned commands = 0;
        while (remote_next(&s, &item))
            commands++;
        assert_int_equal(s.error, cases[i].error);
        assert_int_equal(commands, cases[i].commands);
        assert_false(remote_next(&s, &item)); // stays ended
    }
}

static void an_answer_tells_the_last_result_or_all(void **state)
{
    (void)state;
    const struct {
        enum remote_format format;
        const char *expected;
    } cases[] = {
        {REMOTE_COMPACT, "02 9000 A1A2"},
        {REMOTE_DEFINITE, "AB09 800102 2304 A1A2 9000"},
        {REMOTE_INDEFINITE, "AF80 2302 6119 2304 A1A2 9000 0000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof out);
        struct remote_answer a = remote_answer_begin(&w, cases[i].format);
        remote_answer_add(&a, 0x6119, bytes_of(NULL, 0));
        remote_answer_add(&a, 0x9000, bytes_of("\xA1\xA2", 2));
        remote_answer_end(&a);
        assert_octets(writer_bytes(&w), cases[i].expected);

        struct remote_result result;
        assert_true(remote_result_read(cases[i].format, writer_bytes(&w), &result));
        assert_int_equal(result.executed, 2);
        assert_true(result.has_result);
        assert_int_equal(result.sw, 0x9000);
        assert_octets(result.data, "A1A2");
        if (cases[i].format == REMOTE_INDEFINITE) {
            struct reader r = reader_of(result.objects);
            uint16_t sw = 0;
            struct bytes data;
            assert_true(remote_result_next(&r, &sw, &data));
            assert_int_equal(sw, 0x6119);
            assert_true(remote_result_next(&r, &sw, &data));
            assert_int_equal(sw, 0x9000);
            assert_false(remote_result_next(&r, &sw, &data));
        }
    }
}

static void a_long_answer_gets_long_lengths(void **state)
{
    (void)state;
    static const uint8_t data[300];
    uint8_t out[400];
    struct writer w = writer_of(out, sizeof out);
    struct remote_answer a = remote_answer_begin(&w, REMOTE_DEFINITE);
    for (unsigned i = 0; i < 128; i++)
        remote_answer_add(&a, 0x9000, bytes_of(data, sizeof data));
    remote_answer_end(&a);
    // 80 02 0080, then 23 82 012E and 302 octets: 4 + 4 + 302 = 310 = 0136
    assert_octets(bytes_of(out, 12), "AB820136 80020080 2382012E");
    struct remote_result result;
    assert_true(remote_result_read(REMOTE_DEFINITE, writer_bytes(&w), &result));
    assert_int_equal(result.executed, 128);
    assert_int_equal(result.data.len, sizeof data);
}

static void a_bad_format_is_told_in_expanded_answers(void **state)
{
    (void)state;
    uint8_t out[32];
    struct writer w = writer_of(out, sizeof out);
    struct remote_answer a = remote_answer_begin(&w, REMOTE_DEFINITE);
    remote_answer_bad_format(&a, REMOTE_UNKNOWN_TAG);
    remote_answer_end(&a);
    assert_octets(writer_bytes(&w), "AB06 800100 900101");
    struct remote_result result;
    assert_true(remote_result_read(REMOTE_DEFINITE, writer_bytes(&w), &result));
    assert_false(result.has_result);
    assert_int_equal(result.bad_format, 1);
}

static void results_of_an_indefinite_answer_are_counted_whatever_it_says(void **state)
{
    (void)state;
    const struct octets o = hex("AF80 80020064 2302 6119 2302 9000 0000");
    struct remote_result result;
    assert_true(remote_result_read(REMOTE_INDEFINITE, view(&o), &result));
    assert_int_equal(result.executed, 2);
}

static void malformed_answers_are_refused(void **state)
{
    (void)state;
    const struct {
        enum remote_format format;
        const char *octets;
    } cases[] = {
        {REMOTE_COMPACT, "01"},        {REMOTE_COMPACT, "0190"},
        {REMOTE_DEFINITE, ""},         {REMOTE_DEFINITE, "AA00"},
        {REMOTE_DEFINITE, "AB0000"},   {REMOTE_DEFINITE, "AB032301 90"},
        {REMOTE_DEFINITE, "AB028000"}, {REMOTE_INDEFINITE, "AF80 2302 9000"},
        {REMOTE_INDEFINITE, "AF00"},   {REMOTE_INDEFINITE, "AF80 0000 00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct remote_result result;
        assert_false(remote_result_read(cases[i].format, view(&o), &result));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compact_script_is_shown_command_by_command),
        cmocka_unit_test(every_format_reads_back_what_was_written),
        cmocka_unit_test(the_sgp02_example_is_one_command),
        cmocka_unit_test(other_objects_of_a_script_are_named),
        cmocka_unit_test(what_is_not_understood_says_why),
        cmocka_unit_test(an_answer_tells_the_last_result_or_all),
        cmocka_unit_test(a_long_answer_gets_long_lengths),
        cmocka_unit_test(a_bad_format_is_told_in_expanded_answers),
        cmocka_unit_test(results_of_an_indefinite_answer_are_counted_whatever_it_says),
        cmocka_unit_test(malformed_answers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
