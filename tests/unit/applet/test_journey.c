// Returns, countries, a terminal that behaves badly, and what starts find.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/select.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    const uint8_t quick[] = {PARAMETER_JITTER_MAX, 2, 0, 0};
    bench_set(&card, quick, sizeof quick);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

// --- return ---

static void make_returns_short(void)
{
    const uint8_t list[] = {PARAMETER_T_RETURN, 4, 0, 0, 0x0E, 0x10}; // an hour
    bench_set(&card, list, sizeof list);
}

static unsigned ticks_until(uint8_t slot, unsigned max)
{
    unsigned ticks = 0;
    while (bench_enabled(&card) != slot && ticks < max) {
        bench_timer(&card, CLOCK_SLOW);
        ticks++;
    }
    return ticks;
}

static void a_return_that_fails_goes_back_and_waits_twice_as_long(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    make_returns_short();
    bench_rotate_away(&card);
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NORMAL);
    for (uint32_t wait = 3600; wait <= 4 * 3600; wait *= 2) {
        struct applet_dump d = bench_dump(&card);
        assert_in_range(d.image.dues.back - card.applet.now_s, wait - wait / 10, wait + wait / 10);
        assert_true(ticks_until(1, 60) < 60);
        bench_run_out(&card, CLOCK_STATE); // no service at home
        assert_int_equal(bench_enabled(&card), 0);
        bench_service(&card, CAT_SERVICE_NORMAL);
        assert_int_equal(card.applet.state, SWITCH_STABLE);
    }
    assert_true(ticks_until(1, 120) < 120);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_is_pending(&card, NOTIFY_RETURNED));
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.return_doublings, 0);
    assert_int_equal(d.image.dues.back, 0);
}

static void the_doubled_wait_ends_at_seven_days(void **state)
{
    (void)state;
    struct image m;
    memset(&m, 0, sizeof m);
    m.parameters.return_s = 86400;
    m.return_doublings = 2;
    assert_in_range(select_return_s(&m, 12345), 4 * 77760, 4 * 95040);
    m.return_doublings = 3;
    assert_in_range(select_return_s(&m, 12345), 7 * 77760, 7 * 95040);
    m.return_doublings = 255;
    assert_in_range(select_return_s(&m, 99999), 7 * 77760, 7 * 95040);
}

static void a_new_return_time_keeps_its_tenth_of_chance(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    unsigned different = 0;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t list[] = {PARAMETER_T_RETURN, 4, 0, 0, 0x1C, (uint8_t)(0x20 + i)};
        bench_set(&card, list, sizeof list);
        struct applet_dump d = bench_dump(&card);
        uint32_t wait = d.image.dues.back - card.applet.now_s;
        assert_in_range(wait, 6479, 7924);
        different += wait != 0x1C20u + i;
    }
    assert_true(different > 0);
}

static void a_new_return_time_is_doubled_for_each_return_that_failed(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    make_returns_short();
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(ticks_until(1, 60) < 60);
    bench_run_out(&card, CLOCK_STATE); // no service at home
    bench_service(&card, CAT_SERVICE_NORMAL);
    const uint8_t list[] = {PARAMETER_T_RETURN, 4, 0, 0, 0x1C, 0x20}; // two hours
    bench_set(&card, list, sizeof list);
    const struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.return_doublings, 1);
    assert_in_range(d.image.dues.back - card.applet.now_s, 14400 - 1440, 14400 + 1440);
}

static void the_reuse_limit_leaves_a_subscription_that_is_not_preferred(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    const uint8_t list[] = {PARAMETER_T_RETURN, 4, 0, 0, 0, 0, PARAMETER_REUSE_LIMIT, 2, 0, 1};
    bench_set(&card, list, sizeof list);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(bench_dump(&card).image.dues.back, 0);
    assert_int_equal(ticks_until(1, 400), 288); // a day of ticks of 300 s
}

static void a_return_to_a_forbidden_subscription_does_not_happen(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    make_returns_short();
    uint8_t table[2 + 13] = {PARAMETER_COUNTRY_TABLE, 13, card.plmn[0], card.plmn[1], 0xFF};
    table[3] = 0xF1; // any network
    bench_imsi(2, table + 5);
    table[14] = COUNTRY_FORBID;
    bench_set(&card, table, sizeof table);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(ticks_until(1, 60), 60);
}

static void another_country_leads_home(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_run_out(&card, CLOCK_COUNTRY);
    assert_int_equal(bench_enabled(&card), 0);
    card.plmn[0] = 0x62;
    card.plmn[1] = 0xF2;
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(bench_enabled(&card), 0);
    bench_run_out(&card, CLOCK_COUNTRY);
    assert_int_equal(bench_enabled(&card), 1);
}

// --- countries ---

static void row(uint8_t *at, uint8_t mnc, uint8_t n, uint8_t action)
{
    // 262-mnc; FF: any network
    at[0] = 0x62;
    at[1] = 0xF2;
    at[2] = mnc;
    bench_imsi(n, at + 3);
    at[12] = action;
}

static void go_abroad(uint8_t mnc)
{
    card.plmn[0] = 0x62;
    card.plmn[1] = 0xF2;
    card.plmn[2] = mnc;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_run_out(&card, CLOCK_COUNTRY);
}

static void an_exact_row_beats_a_row_of_the_country(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    uint8_t table[2 + 2 * 13] = {PARAMETER_COUNTRY_TABLE, 2 * 13};
    row(table + 2, 0xFF, 2, COUNTRY_PREFER);
    row(table + 15, 0x10, 3, COUNTRY_PREFER);
    bench_set(&card, table, sizeof table);
    go_abroad(0x10);
    assert_int_equal(bench_enabled(&card), 2);
}

static void among_equal_rows_the_first_wins(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    uint8_t table[2 + 2 * 13] = {PARAMETER_COUNTRY_TABLE, 2 * 13};
    row(table + 2, 0x10, 3, COUNTRY_PREFER);
    row(table + 15, 0x10, 2, COUNTRY_PREFER);
    bench_set(&card, table, sizeof table);
    go_abroad(0x10);
    assert_int_equal(bench_enabled(&card), 2);
}

static void an_exact_row_that_forbids_beats_one_that_prefers_in_the_country(void **state)
{
    (void)state;
    uint8_t table[2 + 2 * 13] = {PARAMETER_COUNTRY_TABLE, 2 * 13};
    row(table + 2, 0xFF, 2, COUNTRY_PREFER);
    row(table + 15, 0x10, 2, COUNTRY_FORBID);
    bench_set(&card, table, sizeof table);
    go_abroad(0x10);
    assert_int_equal(bench_enabled(&card), 0);
    go_abroad(0x20);
    assert_int_equal(bench_enabled(&card), 1);
}

#define DAY_TICKS 288 // of 300 s

// It had no service there: it cooled down after half an hour, and the day of that try is over.
static void a_row_that_prefers_one_that_failed_is_asked_again_the_next_day(void **state)
{
    (void)state;
    uint8_t table[2 + 13] = {PARAMETER_COUNTRY_TABLE, 13};
    row(table + 2, 0xFF, 2, COUNTRY_PREFER);
    bench_set(&card, table, sizeof table);
    go_abroad(0x10);
    assert_int_equal(bench_enabled(&card), 1);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    bench_run_out(&card, CLOCK_COUNTRY); // seen long enough since the start
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(ticks_until(1, 2 * DAY_TICKS), DAY_TICKS);
}

static void a_row_that_cools_down_longer_than_the_day_is_asked_then(void **state)
{
    (void)state;
    uint8_t table[6 + 2 + 13] = {PARAMETER_T_COOL,        4, 0, 1, 0x51, 0x80,
                                 PARAMETER_COUNTRY_TABLE, 13};
    row(table + 8, 0xFF, 2, COUNTRY_PREFER);
    bench_set(&card, table, sizeof table); // 24 h
    go_abroad(0x10);
    assert_int_equal(bench_enabled(&card), 1);
    for (unsigned i = 0; i < 2; i++) // of T_ATTACH
        bench_timer(&card, CLOCK_SLOW);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_run_out(&card, CLOCK_COUNTRY);
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(ticks_until(1, 2 * DAY_TICKS), DAY_TICKS);
}

static void a_row_for_which_no_switch_was_left_is_asked_again_the_next_day(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    uint8_t table[3 + 2 + 13] = {PARAMETER_SWITCHES_PER_DAY, 1, 1, PARAMETER_COUNTRY_TABLE, 13};
    row(table + 5, 0xFF, 3, COUNTRY_PREFER);
    bench_set(&card, table, sizeof table);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(bench_enabled(&card), 1);
    go_abroad(0x10);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(ticks_until(2, 2 * DAY_TICKS), DAY_TICKS);
}

// The row holds still, and the day is over: but the country is not seen for long enough yet.
static void a_row_of_a_country_that_is_new_is_not_asked_again(void **state)
{
    (void)state;
    uint8_t table[2 + 13] = {PARAMETER_COUNTRY_TABLE, 13};
    row(table + 2, 0xFF, 2, COUNTRY_PREFER);
    bench_set(&card, table, sizeof table);
    go_abroad(0x10);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(bench_enabled(&card), 0);
    assert_false(card.applet.is_country_stable); // it started anew
    assert_int_equal(ticks_until(1, 2 * DAY_TICKS), 2 * DAY_TICKS);
}

static void a_forbidden_subscription_is_no_candidate(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    uint8_t table[2 + 13] = {PARAMETER_COUNTRY_TABLE, 13};
    row(table + 2, 0xFF, 2, COUNTRY_FORBID);
    bench_set(&card, table, sizeof table);
    go_abroad(0x10);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 2);
}

// --- the terminal ---

// Answers everything before the first command of this type, and that one not.
static void fetch_until(uint8_t type)
{
    for (unsigned i = 0; i < 16; i++) {
        uint8_t octets[APPLET_COMMAND_MAX];
        uint8_t response[CAT_DATA_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        struct cat_message command;
        assert_true(applet_fetch(&card.applet, &card.port, &w));
        assert_int_equal(cat_read_command(writer_bytes(&w), &command), CAT_OK);
        if (command.type == type)
            return;
        struct cat_message r = cat_answer(&command, CAT_DONE);
        w = writer_of(response, sizeof response);
        cat_write_response(&w, &r);
        applet_terminal_response(&card.applet, &card.port, writer_bytes(&w));
    }
    fail_msg("the command never came");
}

static void a_refresh_without_answer_does_not_silence_the_card(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    (void)bench_command(&card, &c);
    applet_timer(&card.applet, &card.port, CLOCK_STATE + 1); // T_REFRESH
    fetch_until(CAT_REFRESH);
    for (unsigned i = 0; i < 3; i++) // 1.5 times 60 s
        applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    applet_status(&card.applet, &card.port);
    assert_true(applet_pending(&card.applet, &card.port) > 0); // T_ATTACH wants its timer
    for (unsigned i = 0; i < 10 && bench_enabled(&card) == 1; i++)
        bench_statuses(&card, 1);
    assert_int_equal(bench_enabled(&card), 0);
}

static void a_message_without_answer_is_given_up_after_120_s(void **state)
{
    (void)state;
    card.has_imei = true;
    memcpy(card.imei, (uint8_t[]){0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54}, 8);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    card.imei[1] = 0x42;
    bench_boot(&card);
    card.service = CAT_SERVICE_NORMAL;
    bench_pump(&card); // the notification of the change was answered; it waits 60 s now
    bench_service(&card, CAT_SERVICE_NORMAL);
    applet_timer(&card.applet, &card.port, CLOCK_NOTIFY + 1);
    fetch_until(CAT_SEND_SHORT_MESSAGE);
    for (unsigned i = 0; i < 3; i++) {
        applet_status(&card.applet, &card.port);
        assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    }
    applet_status(&card.applet, &card.port); // 120 s
    assert_int_equal(card.applet.command, 0);
    assert_true(bench_is_pending(&card, NOTIFY_IMEI_CHANGED));
}

static void only_the_first_fourteen_digits_of_an_imei_count(void **state)
{
    (void)state;
    card.has_imei = true;
    memcpy(card.imei, (uint8_t[]){0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54}, 8);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    card.imei[7] = 0x04; // another check digit, as in an IMEISV
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_false(bench_is_pending(&card, NOTIFY_IMEI_CHANGED));
    memcpy(card.imei, (uint8_t[]){0x0A, 0, 0, 0, 0, 0, 0, 0}, 8); // unusable
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_false(bench_is_pending(&card, NOTIFY_IMEI_CHANGED));
    assert_int_equal(bench_dump(&card).image.imei[1], 0x32);
}

// --- what starts find ---

static void a_switch_of_its_own_that_was_cut_off_is_told(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NONE);
    // The journal is opened in one commit; the next one, the switch, is cut off.
    card.writes = 0;
    card.cut_at = 9;
    applet_timer(&card.applet, &card.port, CLOCK_STATE + 1);
    assert_true(card.is_cut);
    card.is_cut = false;
    card.cut_at = 0;
    bench_boot(&card);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    assert_true(bench_is_pending(&card, NOTIFY_RECOVERED));
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_RECOVERED);
    assert_non_null(n);
    assert_int_equal(n->operation_id, 0);
}

static void a_commanded_switch_that_was_cut_off_is_told_by_its_outcome(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_boot(&card); // in T_REFRESH
    assert_int_equal(bench_enabled(&card), 1);
    assert_false(bench_is_pending(&card, NOTIFY_RECOVERED));
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_non_null(bench_note(&card, NOTIFY_ENABLED));
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
}

static void a_write_error_at_the_start_does_not_stop_the_recovery(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    for (unsigned k = 1; k <= 5; k++) {
        static struct bench_card copy;
        copy = card;
        card.writes = 0;
        card.fail_at = k;
        bench_boot(&card);
        assert_int_equal(bench_enabled(&card), 1);
        assert_int_equal(card.applet.state, SWITCH_PROBATION);
        assert_int_equal(card.applet.terminal_slot, 1);
        card = copy;
    }
}

static void a_start_in_the_confirmation_sends_again(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    card.sent_count = 0;
    bench_boot(&card);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_ENABLED);
    assert_non_null(n);
    struct command c = bench_confirm(&card, n->sequence, n->operation_id);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

// Four sendings were all: a start behind the last one waits for no terminal.
static void a_start_after_the_last_sending_rolls_back_at_once(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    for (unsigned i = 0; i < 3; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    assert_int_equal(card.applet.notify_attempt, 4);
    applet_start(&card.applet, &card.port);
    assert_int_equal(card.applet.state, SWITCH_SWITCHING);
    assert_int_equal(bench_enabled(&card), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_return_that_fails_goes_back_and_waits_twice_as_long),
        T(the_doubled_wait_ends_at_seven_days),
        T(a_new_return_time_keeps_its_tenth_of_chance),
        T(a_new_return_time_is_doubled_for_each_return_that_failed),
        T(the_reuse_limit_leaves_a_subscription_that_is_not_preferred),
        T(a_return_to_a_forbidden_subscription_does_not_happen),
        T(another_country_leads_home),
        T(an_exact_row_beats_a_row_of_the_country),
        T(among_equal_rows_the_first_wins),
        T(an_exact_row_that_forbids_beats_one_that_prefers_in_the_country),
        T(a_row_that_prefers_one_that_failed_is_asked_again_the_next_day),
        T(a_row_that_cools_down_longer_than_the_day_is_asked_then),
        T(a_row_for_which_no_switch_was_left_is_asked_again_the_next_day),
        T(a_row_of_a_country_that_is_new_is_not_asked_again),
        T(a_forbidden_subscription_is_no_candidate),
        T(a_refresh_without_answer_does_not_silence_the_card),
        T(a_message_without_answer_is_given_up_after_120_s),
        T(only_the_first_fourteen_digits_of_an_imei_count),
        T(a_switch_of_its_own_that_was_cut_off_is_told),
        T(a_commanded_switch_that_was_cut_off_is_told_by_its_outcome),
        T(a_write_error_at_the_start_does_not_stop_the_recovery),
        T(a_start_in_the_confirmation_sends_again),
        T(a_start_after_the_last_sending_rolls_back_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
