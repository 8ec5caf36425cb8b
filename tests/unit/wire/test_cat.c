#include "common/wire/cat.h"
#include "tests/unit/wire/octets.h"

static const uint8_t plmn[PLMN_LEN] = {0x62, 0xF2, 0x20};

static void assert_command(struct cat_message m, const char *expected)
{
    uint8_t out[CAT_DATA_MAX];
    uint8_t again_out[CAT_DATA_MAX];
    struct writer w = writer_of(out, sizeof out);
    struct writer again = writer_of(again_out, sizeof again_out);
    struct cat_message read;
    cat_write_command(&w, &m);
    assert_octets(writer_bytes(&w), expected);
    assert_int_equal(cat_read_command(writer_bytes(&w), &read), CAT_OK);
    assert_int_equal(read.has, m.has);
    cat_write_command(&again, &read);
    assert_octets(writer_bytes(&again), expected);
}

static void proactive_commands_have_the_octets_of_the_standard(void **state)
{
    (void)state;
    assert_command(cat_refresh(1, CAT_REFRESH_CARD_RESET), "D009 8103 010104 8202 8182");
    assert_command(cat_provide_local_information(1, CAT_INFORMATION_IMEI),
                   "D009 8103 012601 8202 8182");
    assert_command(cat_set_up_event_list(1, bytes_of("\x03", 1)),
                   "D00C 8103 010500 8202 8182 9901 03");
    assert_command(cat_set_up_event_list(1, bytes_of("\x03\x12\x1D", 3)),
                   "D00E 8103 010500 8202 8182 9903 03121D");
    assert_command(cat_set_up_event_list(1, bytes_of(NULL, 0)), "D00B 8103 010500 8202 8182 9900");
    assert_command(cat_poll_interval(1, CAT_SECONDS, 30), "D00D 8103 010300 8202 8182 8402 011E");
    assert_command(cat_polling_off(1), "D009 8103 010400 8202 8182");
    assert_command(cat_more_time(1), "D009 8103 010200 8202 8182");
    assert_command(cat_timer_start(1, 1, 300), "D011 8103 012700 8202 8182 A401 01 A503 005000");
    assert_command(cat_timer_stop(1, 1), "D00C 8103 012701 8202 8182 A401 01");

    struct cat_message refresh = cat_refresh(1, CAT_REFRESH_FILE_CHANGE);
    const struct octets files = hex("01 3F00 7FFF 6F07");
    refresh.has |= CAT_HAS_FILES;
    refresh.files = view(&files);
    assert_command(refresh, "D012 8103 010101 8202 8182 9207 01 3F00 7FFF 6F07");
}

static void a_long_message_gets_lengths_of_two_octets(void **state)
{
    (void)state;
    const uint8_t tpdu[164] = {0x41};
    uint8_t out[CAT_DATA_MAX];
    struct writer w = writer_of(out, sizeof out);
    struct cat_message read;
    const struct octets centre = hex("91947122334455");
    const struct cat_message m =
        cat_send_short_message(2, view(&centre), bytes_of(tpdu, sizeof tpdu));
    cat_write_command(&w, &m);
    // 5 + 4 + 2 + 9 + 3 + 164 = 187 = BB
    assert_octets(bytes_of(out, 26), "D081BB 8103021300 82028183 8500 860791947122334455 8B81A4");
    assert_int_equal(cat_read_command(writer_bytes(&w), &read), CAT_OK);
    assert_int_equal(read.tpdu.len, sizeof tpdu);
    struct phone phone;
    assert_true(cat_address_read(read.address, &phone));
    assert_string_equal(phone.digits, "491722334455");
    w = writer_of(out, sizeof out);
    cat_address_write(&w, &phone);
    assert_octets(writer_bytes(&w), "91947122334455");
    assert_false(cat_address_read(bytes_of(NULL, 0), &phone));
}

static void assert_response(const struct cat_message *m, const char *expected)
{
    uint8_t out[CAT_DATA_MAX];
    struct writer w = writer_of(out, sizeof out);
    struct cat_message read;
    cat_write_response(&w, m);
    assert_octets(writer_bytes(&w), expected);
    assert_int_equal(cat_read_response(writer_bytes(&w), &read), CAT_OK);
    assert_int_equal(read.has, m->has);
    assert_int_equal(read.result, m->result);
}

static void terminal_responses_carry_what_was_asked_for(void **state)
{
    (void)state;
    struct cat_message command = cat_provide_local_information(1, CAT_INFORMATION_IMEI);
    struct cat_message m = cat_answer(&command, CAT_DONE);
    m.has |= CAT_HAS_IMEI;
    assert_true(imei_write("123456789012345", m.imei));
    assert_response(&m, "8103012601 82028281 830100 9408 1A32547698103254");

    command.qualifier = CAT_INFORMATION_IMEISV;
    m = cat_answer(&command, CAT_DONE);
    m.has |= CAT_HAS_IMEISV;
    assert_true(imeisv_write("1234567890123456", m.imeisv));
    assert_response(&m, "8103012608 82028281 830100 E209 1332547698103254F6");

    command.qualifier = CAT_INFORMATION_LOCATION;
    m = cat_answer(&command, CAT_DONE);
    m.has |= CAT_HAS_LOCATION;
    m.location = cat_location_gsm(plmn, 0x1234, 0x5678);
    assert_response(&m, "8103012600 82028281 830100 9307 62F220 1234 5678");

    command.qualifier = CAT_INFORMATION_DATE_TIME;
    m = cat_answer(&command, CAT_DONE);
    m.has |= CAT_HAS_DATE_TIME;
    sms_time_write((struct utc){INT64_C(951782400000)}, m.date_time); // 2000-02-29
    assert_response(&m, "8103012603 82028281 830100 A607 00209200000000");

    m = cat_answer(&command, CAT_TERMINAL_UNABLE);
    m.result_info = bytes_of("\x02", 1);
    assert_response(&m, "8103012603 82028281 83022002");
    assert_true(cat_result_is_try_later(m.result));
    assert_false(cat_result_is_done(m.result));

    command = cat_poll_interval(1, CAT_SECONDS, 30);
    m = cat_answer(&command, CAT_DONE_MODIFIED);
    m.has |= CAT_HAS_DURATION;
    m.duration_unit = CAT_SECONDS;
    m.duration = 60;
    assert_response(&m, "8103010300 82028281 830107 8402013C");
    assert_true(cat_result_is_done(m.result));
}

static void assert_envelope(enum cat_envelope kind, struct cat_message m, const char *expected)
{
    uint8_t out[CAT_DATA_MAX];
    struct writer w = writer_of(out, sizeof out);
    enum cat_envelope read_kind;
    struct cat_message read;
    cat_write_envelope(&w, kind, &m);
    assert_octets(writer_bytes(&w), expected);
    assert_int_equal(cat_read_envelope(writer_bytes(&w), &read_kind, &read), CAT_OK);
    assert_int_equal(read_kind, kind);
    assert_int_equal(read.has, m.has);
    assert_int_equal(cat_event_of(&read), cat_event_of(&m));
}

static void envelopes_have_the_octets_of_the_standard(void **state)
{
    (void)state;
    const struct cat_location gsm = cat_location_gsm(plmn, 0x1234, 0x5678);
    const struct cat_location lte = cat_location_eutran(plmn, 0x1234, 0xABCDEF1);
    const struct cat_location nr = cat_location_nr(plmn, 0x123456, UINT64_C(0x123456789));
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_location_event(CAT_SERVICE_NORMAL, &gsm),
                    "D613 9901 03 8202 8281 9B01 00 9307 62F220 1234 5678");
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_location_event(CAT_SERVICE_NONE, NULL),
                    "D60A 9901 03 8202 8281 9B01 02");
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_location_event(CAT_SERVICE_NORMAL, &lte),
                    "D615 9901 03 8202 8281 9B01 00 9309 62F220 1234 ABCDEF1F");
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_location_event(CAT_SERVICE_NORMAL, &nr),
                    "D617 9901 03 8202 8281 9B01 00 930B 62F220 123456 123456789F");
    assert_envelope(CAT_TIMER_EXPIRATION, cat_timer_event(1, 300),
                    "D70C 8202 8281 A401 01 A503 005000");
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_technology_event(bytes_of("\x08", 1)),
                    "D60A 9901 0B 8202 8281 BF01 08");
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_rejection_event(&gsm, bytes_of("\x00", 1), 0x00, 0x02),
                    "D617 9901 12 8202 8281 9305 62F220 1234 BF01 00 F401 00 F501 02");
    assert_envelope(CAT_EVENT_DOWNLOAD, cat_rejection_event(&lte, bytes_of("\x08", 1), 0x09, 0x0F),
                    "D617 9901 12 8202 8281 FD05 62F220 1234 BF01 08 F401 09 F501 0F");
}

static void timer_values_are_swapped_digits_up_to_a_day(void **state)
{
    (void)state;
    assert_command(cat_timer_start(1, 8, 86400), "D011 8103 012700 8202 8182 A401 08 A503 420000");
    assert_command(cat_timer_start(1, 8, 86399), "D011 8103 012700 8202 8182 A401 08 A503 329595");
    assert_command(cat_timer_start(1, 8, 0), "D011 8103 012700 8202 8182 A401 08 A503 000000");
    const struct octets o = hex("D70C 8202 8281 A401 01 A503 325195");
    const struct octets bad = hex("D70C 8202 8281 A401 01 A503 0A5000");
    enum cat_envelope kind;
    struct cat_message m;
    assert_int_equal(cat_read_envelope(view(&o), &kind, &m), CAT_OK);
    assert_int_equal(m.timer_seconds, 23 * 3600 + 15 * 60 + 59);
    assert_int_equal(cat_read_envelope(view(&bad), &kind, &m), CAT_MALFORMED);
}

static void objects_may_come_in_any_order_and_unknown_ones_are_skipped(void **state)
{
    (void)state;
    const struct octets o = hex("5E01AA 030100 02028281 01030126 01 0102FFFF 1300");
    struct cat_message m;
    assert_int_equal(cat_read_response(view(&o), &m), CAT_OK);
    assert_int_equal(m.has, CAT_HAS_RESULT | CAT_HAS_DEVICES | CAT_HAS_DETAILS);
    assert_int_equal(m.qualifier, 0x01);
    const struct octets required = hex("DE01AA 830100 82028281 8103012601");
    assert_int_equal(cat_read_response(view(&required), &m), CAT_OK);
    assert_true(m.has & CAT_HAS_UNKNOWN_REQUIRED);
}

static void what_is_no_message_is_named(void **state)
{
    (void)state;
    const struct {
        const char *octets;
        enum cat_error error;
    } cases[] = {
        {"", CAT_MALFORMED},
        {"D0", CAT_MALFORMED},
        {"D005 8103 010400 8202 8182", CAT_MALFORMED}, // octets after the template
        {"D00A 8103 010400 8202 8182", CAT_MALFORMED},
        {"D008 8102 0104 8202 8182", CAT_MALFORMED}, // details of two octets
        {"D109 8103 010400 8202 8182", CAT_UNKNOWN},
        {"D005 8103 010400", CAT_MISSING},
        {"D000", CAT_MISSING},
        {"D00E 8103 010400 8202 8182 9303 62F220", CAT_MALFORMED}, // location of three octets
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct cat_message m;
        assert_int_equal(cat_read_command(view(&o), &m), cases[i].error);
    }
    const struct {
        const char *octets;
        enum cat_error error;
    } envelopes[] = {
        {"D104 8202 8381", CAT_MISSING}, // no TPDU
        {"D604 8202 8281", CAT_MISSING}, // no event
        {"D704 8202 8281", CAT_MISSING}, // no timer
        {"D304 8202 8281", CAT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0]; i++) {
        const struct octets o = hex(envelopes[i].octets);
        enum cat_envelope kind;
        struct cat_message m;
        assert_int_equal(cat_read_envelope(view(&o), &kind, &m), envelopes[i].error);
    }
    const struct octets empty_result = hex("8103010400 82028281 8300");
    struct cat_message m;
    assert_int_equal(cat_read_response(view(&empty_result), &m), CAT_MALFORMED);
}

static void a_feature_beyond_the_end_of_a_profile_is_absent(void **state)
{
    (void)state;
    uint8_t profile[18] = {0};
    cat_profile_set(profile, sizeof profile, CAT_FEATURE_SMS_PP_DOWNLOAD, true);
    cat_profile_set(profile, sizeof profile, CAT_FEATURE_REFRESH, true);
    cat_profile_set(profile, sizeof profile, CAT_FEATURE_IMEISV, true);
    assert_octets(bytes_of(profile, sizeof profile), "020080000000000000000000000000000040");
    assert_true(cat_profile_has(bytes_of(profile, 18), CAT_FEATURE_IMEISV));
    assert_false(cat_profile_has(bytes_of(profile, 17), CAT_FEATURE_IMEISV));
    assert_true(cat_profile_has(bytes_of(profile, 3), CAT_FEATURE_REFRESH));
    assert_false(cat_profile_has(bytes_of(profile, 3), CAT_FEATURE_POLLING_OFF));
    assert_false(cat_profile_has(bytes_of(NULL, 0), CAT_FEATURE_PROFILE_DOWNLOAD));
    cat_profile_set(profile, sizeof profile, CAT_FEATURE_REFRESH, false);
    assert_false(cat_profile_has(bytes_of(profile, 18), CAT_FEATURE_REFRESH));
    assert_true(cat_lists(bytes_of("\x03\x12", 2), CAT_EVENT_NETWORK_REJECTION));
    assert_false(cat_lists(bytes_of("\x03\x12", 2), CAT_EVENT_TECHNOLOGY_CHANGE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proactive_commands_have_the_octets_of_the_standard),
        cmocka_unit_test(a_long_message_gets_lengths_of_two_octets),
        cmocka_unit_test(terminal_responses_carry_what_was_asked_for),
        cmocka_unit_test(envelopes_have_the_octets_of_the_standard),
        cmocka_unit_test(timer_values_are_swapped_digits_up_to_a_day),
        cmocka_unit_test(objects_may_come_in_any_order_and_unknown_ones_are_skipped),
        cmocka_unit_test(what_is_no_message_is_named),
        cmocka_unit_test(a_feature_beyond_the_end_of_a_profile_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
