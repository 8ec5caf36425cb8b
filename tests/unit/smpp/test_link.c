// Receipts, rates, reconnecting: what surrounds a session.
#include "smpp/core/rate.h"
#include "smpp/core/receipt.h"
#include "smpp/core/reconnect.h"
#include "tests/lib/cmocka_all.h"

static struct smpp_receipt read_text(const char *text)
{
    const struct smpp_pdu pdu = {
        .command = SMPP_DELIVER_SM,
        .message = {.esm_class = 0x04, .short_message = bytes_of_text(text)}};
    struct smpp_receipt receipt;
    assert_true(smpp_is_receipt(&pdu));
    smpp_receipt_read(&pdu, &receipt);
    return receipt;
}

static void assert_text(struct bytes view, const char *text)
{
    assert_true(bytes_equal(view, bytes_of_text(text)));
}

static void a_receipt_of_the_standards_form_is_read(void **state)
{
    (void)state;
    const struct smpp_receipt r =
        read_text("id:0123456789 sub:001 dlvrd:001 submit date:2607241200 done date:2607241201 "
                  "stat:DELIVRD err:000 text:Hello");
    assert_text(r.message_id, "0123456789");
    assert_text(r.submit_date, "2607241200");
    assert_text(r.done_date, "2607241201");
    assert_int_equal(r.state, SMPP_MESSAGE_DELIVERED);
    assert_text(r.error, "000");
}

static void a_receipt_without_sub_and_with_twelve_digit_dates_is_read(void **state)
{
    (void)state;
    const struct smpp_receipt r =
        read_text("id:7FA submit date:260724120000 done date:260724120130 "
                  "stat:UNDELIV err:5a Text:");
    assert_text(r.message_id, "7FA");
    assert_text(r.done_date, "260724120130");
    assert_int_equal(r.state, SMPP_MESSAGE_UNDELIVERABLE);
    assert_text(r.error, "5a");
}

static void a_receipt_with_dates_of_letters_is_read(void **state)
{
    (void)state;
    const struct smpp_receipt r = read_text(
        "id:2 sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000");
    assert_text(r.done_date, "YYMMDDhhmm");
    assert_int_equal(r.state, SMPP_MESSAGE_DELIVERED);
}

static void what_the_user_wrote_is_not_taken_for_a_field(void **state)
{
    (void)state;
    const struct smpp_receipt r = read_text("sub:001 stat:EXPIRED text:id:9 stat:DELIVRD");
    assert_int_equal(r.message_id.len, 0);
    assert_int_equal(r.state, SMPP_MESSAGE_EXPIRED);
}

static void a_malformed_receipt_is_unknown_and_no_error(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "id", "id:", "stat:", "stat:XY", "xid:1", ":::", "stat"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct smpp_receipt r = read_text(texts[i]);
        assert_int_equal(r.message_id.len, 0);
        assert_int_equal(r.state, SMPP_MESSAGE_NO_STATE);
    }
}

static void every_state_is_read_by_its_short_and_long_word(void **state)
{
    (void)state;
    assert_int_equal(read_text("stat:ENROUTE").state, 1);
    assert_int_equal(read_text("stat:DELIVERED").state, 2);
    assert_int_equal(read_text("stat:expired").state, 3);
    assert_int_equal(read_text("stat:DELETED").state, 4);
    assert_int_equal(read_text("STAT:UNDELIVERABLE").state, 5);
    assert_int_equal(read_text("stat:ACCEPTD").state, 6);
    assert_int_equal(read_text("stat:UNKNOWN").state, 7);
    assert_int_equal(read_text("stat:REJECTD").state, 8);
}

static void tlvs_come_before_the_text(void **state)
{
    (void)state;
    const struct smpp_pdu pdu = {.command = SMPP_DELIVER_SM,
                                 .message = {.short_message = bytes_of_text("id:11 stat:ENROUTE")},
                                 .tlvs = bytes_of("\0\x1E\0\3"
                                                  "AB\0"
                                                  "\4\x27\0\1\2"
                                                  "\4\x23\0\3\3\1\2",
                                                  19)};
    assert_int_equal(pdu.tlvs.len, 7 + 5 + 7);
    struct smpp_receipt r;
    assert_true(smpp_is_receipt(&pdu));
    smpp_receipt_read(&pdu, &r);
    assert_text(r.message_id, "AB");
    assert_int_equal(r.state, SMPP_MESSAGE_DELIVERED);
    assert_true(r.has_network_error);
    assert_int_equal(r.network_type, 3);
    assert_int_equal(r.network_error, 0x0102);
}

static void written_receipts_read_back(void **state)
{
    (void)state;
    uint8_t text[SMPP_RECEIPT_TEXT_MAX + 1];
    uint8_t block[128];
    struct writer w = writer_of(text, sizeof text);
    struct writer t = writer_of(block, sizeof block);
    const struct smpp_receipt_text out = {.message_id = bytes_of_text("1F"),
                                          .state = SMPP_MESSAGE_EXPIRED,
                                          .submitted = {1784894400000}, // 2026-07-24T12:00:00Z
                                          .done = {1784894460000},
                                          .error = 47};
    smpp_receipt_write_text(&w, &out);
    assert_text(writer_bytes(&w), "id:1F sub:001 dlvrd:000 submit date:2607241200 "
                                  "done date:2607241201 stat:EXPIRED err:047 text:");
    const struct smpp_receipt tlvs = {.message_id = out.message_id,
                                      .state = out.state,
                                      .has_network_error = true,
                                      .network_type = 3,
                                      .network_error = 27};
    smpp_receipt_write_tlvs(&t, &tlvs);
    assert_false(w.failed || t.failed);
    assert_int_equal(smpp_tlvs_check(writer_bytes(&t)), ESME_ROK);
    const struct smpp_pdu pdu = {.command = SMPP_DELIVER_SM,
                                 .message = {.esm_class = 4, .short_message = writer_bytes(&w)},
                                 .tlvs = writer_bytes(&t)};
    struct smpp_receipt r;
    smpp_receipt_read(&pdu, &r);
    assert_text(r.message_id, "1F");
    assert_int_equal(r.state, SMPP_MESSAGE_EXPIRED);
    assert_text(r.done_date, "2607241201");
    assert_int_equal(r.network_error, 27);
}

static bool match(const char *a, const char *b)
{
    const bool forth = smpp_ids_match(bytes_of_text(a), bytes_of_text(b));
    assert_int_equal(forth, smpp_ids_match(bytes_of_text(b), bytes_of_text(a)));
    return forth;
}

static void ids_match_in_hexadecimal_and_decimal(void **state)
{
    (void)state;
    assert_true(match("7FA", "7fa"));
    assert_true(match("7FA", "2042")); // 7 * 256 + 15 * 16 + 10
    assert_true(match("00002042", "7fa"));
    assert_true(match("FFFFFFFFFFFFFFFF", "18446744073709551615"));
    assert_true(match("abc-1", "ABC-1"));
    assert_true(match("0", "000"));
    assert_false(match("7FA", "2043"));
    assert_false(match("", ""));
    assert_false(match("", "0"));
    assert_false(match("10000000000000000", "18446744073709551616"));
}

static void reconnecting_waits_1_2_4_to_60_seconds_less_a_quarter_at_most(void **state)
{
    (void)state;
    static const uint64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct prng chance;
    prng_init(&chance, 1, "reconnect", 0);
    struct smpp_reconnect r = {0};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        const uint64_t ms = smpp_reconnect_next(&r, &chance, (struct instant){0}).ms;
        assert_in_range(ms, seconds[i] * 750, seconds[i] * 1000);
    }
    smpp_reconnect_succeeded(&r);
    assert_in_range(smpp_reconnect_next(&r, &chance, (struct instant){0}).ms, 750, 1000);
}

static unsigned sent_in(struct smpp_rate *r, uint64_t from_ms, uint64_t to_ms)
{
    unsigned sent = 0;
    for (uint64_t ms = from_ms; ms < to_ms; ms++)
        while (smpp_rate_take(r, (struct instant){ms}))
            sent++;
    return sent;
}

static void a_link_sends_at_its_rate(void **state)
{
    (void)state;
    struct smpp_rate r;
    smpp_rate_init(&r, 100, (struct instant){0});
    assert_in_range(sent_in(&r, 0, 10000), 1000, 1010); // and a burst of a tenth of a second
    assert_true(smpp_rate_next(&r, (struct instant){10000}).ms <= 10010);
}

static void throttling_halves_the_rate_down_to_1_and_5_percent_a_second_come_back(void **state)
{
    (void)state;
    struct smpp_rate r;
    smpp_rate_init(&r, 100, (struct instant){0});
    smpp_rate_throttled(&r, (struct instant){0});
    assert_int_equal(smpp_rate_now(&r), 50);
    assert_false(smpp_rate_take(&r, (struct instant){0}));
    assert_in_range(sent_in(&r, 0, 1000), 49, 50);
    assert_true(smpp_rate_take(&r, (struct instant){1000}));
    assert_int_equal(smpp_rate_now(&r), 55);
    assert_true(smpp_rate_take(&r, (struct instant){10000}));
    assert_int_equal(smpp_rate_now(&r), 100);
    for (int i = 0; i < 20; i++)
        smpp_rate_throttled(&r, (struct instant){10000});
    assert_int_equal(smpp_rate_now(&r), 1);
    assert_int_equal(smpp_rate_next(&r, (struct instant){10000}).ms, 11000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_of_the_standards_form_is_read),
        cmocka_unit_test(a_receipt_without_sub_and_with_twelve_digit_dates_is_read),
        cmocka_unit_test(a_receipt_with_dates_of_letters_is_read),
        cmocka_unit_test(what_the_user_wrote_is_not_taken_for_a_field),
        cmocka_unit_test(a_malformed_receipt_is_unknown_and_no_error),
        cmocka_unit_test(every_state_is_read_by_its_short_and_long_word),
        cmocka_unit_test(tlvs_come_before_the_text),
        cmocka_unit_test(written_receipts_read_back),
        cmocka_unit_test(ids_match_in_hexadecimal_and_decimal),
        cmocka_unit_test(reconnecting_waits_1_2_4_to_60_seconds_less_a_quarter_at_most),
        cmocka_unit_test(a_link_sends_at_its_rate),
        cmocka_unit_test(throttling_halves_the_rate_down_to_1_and_5_percent_a_second_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
