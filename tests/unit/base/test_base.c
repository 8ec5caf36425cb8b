#include "tests/lib/cmocka_all.h"

#include "common/base/bytes.h"
#include "common/base/mask.h"
#include "common/base/prng.h"
#include "common/base/secret.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/base/trace.h"

static void a_failed_reader_gives_zeros_and_stays_failed(void **state)
{
    (void)state;
    const uint8_t octets[] = {1, 2, 3};
    struct reader r = reader_of(bytes_of(octets, sizeof octets));
    assert_int_equal(reader_u16(&r), 0x0102);
    assert_int_equal(reader_u16(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_u8(&r), 0);
    assert_int_equal(reader_rest(&r).len, 0);
    assert_false(reader_done(&r));
}

static void numbers_are_big_endian_both_ways(void **state)
{
    (void)state;
    uint8_t out[23];
    struct writer w = writer_of(out, sizeof out);
    writer_u8(&w, 0xA1);
    writer_u16(&w, 0xB1B2);
    writer_u24(&w, 0xC1C2C3);
    writer_u32(&w, 0xD1D2D3D4);
    writer_u40(&w, UINT64_C(0xE1E2E3E4E5));
    writer_u64(&w, UINT64_C(0xF1F2F3F4F5F6F7F8));
    const uint8_t expected[] = {0xA1, 0xB1, 0xB2, 0xC1, 0xC2, 0xC3, 0xD1, 0xD2,
                                0xD3, 0xD4, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xF1,
                                0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8};
    assert_false(w.failed);
    assert_memory_equal(out, expected, sizeof expected);
    struct reader r = reader_of(writer_bytes(&w));
    assert_int_equal(reader_u8(&r), 0xA1);
    assert_int_equal(reader_u16(&r), 0xB1B2);
    assert_int_equal(reader_u24(&r), 0xC1C2C3);
    assert_int_equal(reader_u32(&r), 0xD1D2D3D4);
    assert_true(reader_u40(&r) == UINT64_C(0xE1E2E3E4E5));
    assert_true(reader_u64(&r) == UINT64_C(0xF1F2F3F4F5F6F7F8));
    assert_true(reader_done(&r));
}

static void a_full_writer_keeps_what_it_had(void **state)
{
    (void)state;
    uint8_t out[3];
    struct writer w = writer_of(out, sizeof out);
    writer_u16(&w, 0x0102);
    writer_u16(&w, 0x0304);
    assert_true(w.failed);
    assert_int_equal(w.len, 2);
    writer_u8(&w, 5);
    assert_int_equal(w.len, 2);
}

static void dates_are_those_of_the_calendar(void **state)
{
    (void)state;
    char text[UTC_TEXT_SIZE];
    utc_format((struct utc){0}, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    utc_format((struct utc){INT64_C(951827696789)}, text); // date -u -d 2000-02-29T12:34:56 +%s
    assert_string_equal(text, "2000-02-29T12:34:56.789Z");
    utc_format_name((struct utc){INT64_C(951827696789)}, text);
    assert_string_equal(text, "20000229T123456789Z");
    utc_format((struct utc){-1}, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    utc_format((struct utc){INT64_C(253402300799999)}, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void waiting_for_ever_never_wraps(void **state)
{
    (void)state;
    assert_true(instant_after((struct instant){UINT64_MAX - 1}, 5).ms == INSTANT_NEVER.ms);
    assert_true(instant_is_due((struct instant){5}, (struct instant){5}));
    assert_false(instant_is_due((struct instant){6}, (struct instant){5}));
}

static void streams_of_one_seed_differ_and_repeat(void **state)
{
    (void)state;
    struct prng a;
    struct prng again;
    struct prng b;
    prng_init(&a, 1, "radio", 0);
    prng_init(&again, 1, "radio", 0);
    prng_init(&b, 1, "radio", 1);
    uint64_t first = prng_next(&a);
    assert_true(first == prng_next(&again));
    assert_true(first != prng_next(&b));
    for (int i = 0; i < 1000; i++)
        assert_true(prng_below(&a, 7) < 7);
    assert_true(prng_below(&a, 0) == 0);
}

static void secrets_compare_by_every_octet(void **state)
{
    (void)state;
    uint8_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_true(secret_equal(a, b, 8));
    for (int i = 0; i < 8; i++) {
        b[i] ^= 0x80;
        assert_false(secret_equal(a, b, 8));
        b[i] ^= 0x80;
    }
    secret_wipe(a, sizeof a);
    assert_int_equal(a[0] | a[7], 0);
}

static void hexadecimal_reads_back(void **state)
{
    (void)state;
    uint8_t text[16];
    uint8_t octets[4];
    struct writer w = writer_of(text, sizeof text);
    text_hex(&w, bytes_of("\x00\xAB\xFF", 3));
    assert_string_equal(text_end(&w), "00abff");
    struct writer o = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of_text("00aBfF"), &o));
    assert_memory_equal(octets, "\x00\xAB\xFF", 3);
    assert_false(text_unhex(bytes_of_text("0"), &o));
    assert_false(text_unhex(bytes_of_text("0g"), &o));
    assert_false(text_unhex(bytes_of_text("0011223344"), &o));
}

static void decimals_stop_at_their_limit(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_true(text_read_decimal(bytes_of_text("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(text_read_decimal(bytes_of_text("18446744073709551616"), &value));
    assert_false(text_read_decimal(bytes_of_text(""), &value));
    assert_false(text_read_decimal(bytes_of_text("1 "), &value));
}

static void keep_line(void *context, struct bytes line)
{
    writer_copy(context, line);
}

static void the_trace_hash_is_fnv_1a_over_the_lines(void **state)
{
    (void)state;
    struct trace t;
    trace_init(&t, NULL, NULL);
    assert_true(trace_hash(&t) == UINT64_C(0xCBF29CE484222325));
    trace_event(&t, (struct instant){0}, "a", bytes_of(NULL, 0));
    // FNV-1a of "0 a\n", computed by hand from the published offset and prime.
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (const char *c = "0 a\n"; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001B3);
    assert_true(trace_hash(&t) == hash);
}

static void a_line_reaches_whoever_asked_for_it(void **state)
{
    (void)state;
    struct trace t;
    uint8_t octets[64];
    struct writer lines = writer_of(octets, sizeof octets);
    trace_init(&t, keep_line, &lines);
    trace_event(&t, (struct instant){7}, "sent", bytes_of_text("to 1"));
    assert_true(bytes_equal(writer_bytes(&lines), bytes_of_text("7 sent to 1")));
}

static void dates_stay_within_four_digits(void **state)
{
    (void)state;
    char text[UTC_TEXT_SIZE];
    utc_format((struct utc){INT64_MIN}, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    utc_format((struct utc){INT64_MAX}, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    // The year 0000 has a 29 February.
    utc_format((struct utc){INT64_C(-62162121600001)}, text);
    assert_string_equal(text, "0000-02-28T23:59:59.999Z");
    utc_format((struct utc){INT64_C(-62162121600000)}, text);
    assert_string_equal(text, "0000-02-29T00:00:00.000Z");
}

static void text_that_does_not_fit_is_empty(void **state)
{
    (void)state;
    uint8_t octets[4];
    struct writer w = writer_of(octets, sizeof octets);
    text_put(&w, "abc");
    assert_string_equal(text_end(&w), "abc");
    w = writer_of(octets, sizeof octets);
    text_put(&w, "abcd"); // no room for the zero
    assert_string_equal(text_end(&w), "");
    w = writer_of(octets, sizeof octets);
    text_put(&w, "abcde");
    assert_string_equal(text_end(&w), "");
    w = writer_of(octets, sizeof octets);
    writer_fill(&w, 'a', 5);
    assert_true(w.failed);
    assert_int_equal(w.len, 0);
}

static void a_draw_stays_below_any_bound(void **state)
{
    (void)state;
    struct prng p;
    prng_init(&p, 1, "bounds", 0);
    // Half of all numbers lie above the bound and are drawn again.
    const uint64_t bound = (UINT64_C(1) << 63) + 1;
    for (unsigned i = 0; i < 64; i++)
        assert_true(prng_below(&p, bound) < bound);
    assert_true(prng_below(&p, 0) == 0);
    assert_true(prng_below(&p, 1) == 0);
}

static void no_octets_are_no_key(void **state)
{
    (void)state;
    assert_int_equal(secret_key_of(bytes_of(NULL, 0)).len, 0);
}

static void identifiers_are_shown_in_part(void **state)
{
    (void)state;
    static const struct {
        enum mask mask;
        const char *text;
        const char *shown;
    } rows[] = {
        {MASK_ICCID, "8988211000000000017", "89882**********0017"},
        {MASK_IMSI, "001010000000001", "00101******0001"},
        {MASK_IMSI, "0010100000001", "00101****0001"},
        {MASK_IMSI, "001010000001", "************"}, // three would be hidden
        {MASK_MSISDN, "+12025550123", "+1******0123"},
        {MASK_MSISDN, "74951234567", "7******4567"},
        {MASK_MSISDN, "+491701234567", "+49******4567"},
        {MASK_MSISDN, "+999000000001", "+999*****0001"},
        {MASK_MSISDN, "5", "*"},
        {MASK_MSISDN, "", ""},
        {MASK_IMEI, "490154203237518", "***********7518"},
        {MASK_NUMBER, "12345678", "****5678"},
        {MASK_NUMBER, "1234567", "*******"},
        {MASK_NAME, "Ada", "A**"},
        {MASK_NAME, "A", "*"},
        {MASK_IP, "10.20.30.40", "10.20.*****"},
        {MASK_IP, "2001:db8::1", "2001:db8:**"},
        {MASK_IP, "localhost", "*********"},
        {MASK_ALL, "abcdef", "******"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t octets[32];
        struct writer w = writer_of(octets, sizeof octets);
        mask_write(&w, rows[i].mask, bytes_of_text(rows[i].text));
        assert_string_equal(text_end(&w), rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_reader_gives_zeros_and_stays_failed),
        cmocka_unit_test(numbers_are_big_endian_both_ways),
        cmocka_unit_test(a_full_writer_keeps_what_it_had),
        cmocka_unit_test(dates_are_those_of_the_calendar),
        cmocka_unit_test(waiting_for_ever_never_wraps),
        cmocka_unit_test(streams_of_one_seed_differ_and_repeat),
        cmocka_unit_test(secrets_compare_by_every_octet),
        cmocka_unit_test(hexadecimal_reads_back),
        cmocka_unit_test(decimals_stop_at_their_limit),
        cmocka_unit_test(the_trace_hash_is_fnv_1a_over_the_lines),
        cmocka_unit_test(a_line_reaches_whoever_asked_for_it),
        cmocka_unit_test(dates_stay_within_four_digits),
        cmocka_unit_test(text_that_does_not_fit_is_empty),
        cmocka_unit_test(a_draw_stays_below_any_bound),
        cmocka_unit_test(no_octets_are_no_key),
        cmocka_unit_test(identifiers_are_shown_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
