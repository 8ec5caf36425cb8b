#include "common/wire/apdu.h"
#include "tests/unit/wire/octets.h"

static void the_four_cases_are_told_apart(void **state)
{
    (void)state;
    const struct {
        const char *octets;
        size_t data_len;
        unsigned le;
    } cases[] = {
        {"00700000", 0, 0},       {"00C0000019", 0, 0x19},      {"80 12 00 00 00", 0, 256},
        {"00A40004023F00", 2, 0}, {"00A40004023F0000", 2, 256}, {"00A40004023F0017", 2, 0x17},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct apdu a;
        assert_int_equal(apdu_read(view(&o), &a), APDU_OK);
        assert_int_equal(a.data.len, cases[i].data_len);
        assert_int_equal(a.le, cases[i].le);
        uint8_t out[16];
        struct writer w = writer_of(out, sizeof out);
        apdu_write(&w, &a);
        assert_octets(writer_bytes(&w), cases[i].octets);
    }
}

static void what_lc_and_le_do_not_explain_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *octets;
        enum apdu_error error;
    } cases[] = {
        {"", APDU_SHORT},
        {"00A400", APDU_SHORT},
        {"00A40004023F", APDU_SHORT},
        {"00A40004023F000000", APDU_LENGTH},
        {"00A4000400 0002 3F00", APDU_LENGTH}, // extended
        {"00A4000400 00", APDU_LENGTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct apdu a;
        assert_int_equal(apdu_read(view(&o), &a), cases[i].error);
    }
}

static void commands_in_t0_form_follow_each_other(void **state)
{
    (void)state;
    const struct octets o = hex("00A40004022FE2 00B000000A 80F2400002 4F00 80F2000000 00B0000000");
    struct reader r = reader_of(view(&o));
    struct apdu a;
    assert_int_equal(apdu_next(&r, &a), APDU_OK);
    assert_octets(a.data, "2FE2");
    assert_int_equal(apdu_next(&r, &a), APDU_OK);
    assert_int_equal(a.ins, INS_READ_BINARY);
    assert_int_equal(a.le, 10);
    assert_int_equal(a.data.len, 0);
    assert_int_equal(apdu_next(&r, &a), APDU_OK); // GET STATUS of GlobalPlatform
    assert_octets(a.data, "4F00");
    assert_int_equal(apdu_next(&r, &a), APDU_OK); // STATUS of the UICC
    assert_int_equal(a.le, 256);
    assert_int_equal(apdu_next(&r, &a), APDU_OK);
    assert_int_equal(a.le, 256);
    assert_true(reader_done(&r));

    const struct octets cut = hex("00A40004022F");
    r = reader_of(view(&cut));
    assert_int_equal(apdu_next(&r, &a), APDU_SHORT);
    const struct octets header = hex("00A40004");
    r = reader_of(view(&header));
    assert_int_equal(apdu_next(&r, &a), APDU_SHORT);
}

static void data_and_le_are_bounded_when_written(void **state)
{
    (void)state;
    uint8_t data[256] = {0};
    uint8_t out[300];
    struct apdu a = {.cla = 0x80, .ins = INS_ENVELOPE, .data = bytes_of(data, 255)};
    struct writer w = writer_of(out, sizeof out);
    apdu_write(&w, &a);
    assert_false(w.failed);
    assert_int_equal(w.len, 260);
    a.data.len = 256;
    apdu_write(&w, &a);
    assert_true(w.failed);
    w = writer_of(out, sizeof out);
    a.data.len = 1;
    a.le = 1;
    apdu_write_p3(&w, &a); // T=0 has one P3 only
    assert_true(w.failed);
}

static void success_has_three_faces(void **state)
{
    (void)state;
    assert_true(apdu_sw_is_ok(0x9000));
    assert_true(apdu_sw_is_ok(0x9145));
    assert_true(apdu_sw_is_ok(0x6119));
    assert_false(apdu_sw_is_ok(0x9001));
    assert_false(apdu_sw_is_ok(SW_FILE_NOT_FOUND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_cases_are_told_apart),
        cmocka_unit_test(what_lc_and_le_do_not_explain_is_refused),
        cmocka_unit_test(commands_in_t0_form_follow_each_other),
        cmocka_unit_test(data_and_le_are_bounded_when_written),
        cmocka_unit_test(success_has_three_faces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
