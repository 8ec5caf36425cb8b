#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/rules.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static void a_card_reports_its_first_service(void **state)
{
    (void)state;
    const struct notification *n = bench_note(&card, NOTIFY_FIRST_CONTACT);
    assert_non_null(n);
    assert_int_equal(n->sequence, 1);
    assert_true(n->has_card);
    assert_int_equal(n->level, 2);
    assert_true(n->has_plmn);
    assert_memory_equal(n->plmn, card.plmn, sizeof n->plmn);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

static void a_commanded_switch_is_final_once_confirmed(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_enable(&card, 2);
    assert_int_equal(card.refreshes, 1);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_ENABLED);
    assert_non_null(n);
    assert_int_equal(n->operation_id, card.operation_id);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    struct command c = bench_confirm(&card, n->sequence, n->operation_id);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.preferred, 1);
    assert_int_equal(d.image.journal.phase, JOURNAL_NONE);
}

static void a_commanded_switch_without_service_is_rolled_back(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_enable(&card, 2);
    uint32_t id = card.operation_id;
    bench_run_out(&card, CLOCK_STATE); // T_ATTACH
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.refreshes, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_ROLLED_BACK);
    assert_non_null(n);
    assert_int_equal(n->operation_id, id);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

static void a_switch_that_nobody_confirms_is_rolled_back_after_four_sendings(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    unsigned sendings = 0;
    for (unsigned wait = 0; wait < 4; wait++) {
        assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
        bench_run_out(&card, CLOCK_NOTIFY);
    }
    for (unsigned i = 0; i < card.sent_count; i++)
        sendings += !card.sent[i].is_answer && card.sent[i].note.cause == NOTIFY_ENABLED;
    assert_int_equal(sendings, 4);
    assert_int_equal(bench_enabled(&card), 0);
    uint32_t sequence = bench_note(&card, NOTIFY_ENABLED)->sequence;
    // The rollback has begun; its notification has not yet taken the place of the first.
    struct command c = bench_confirm(&card, sequence, card.operation_id);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_CONFIRM_TOO_LATE);
}

static void without_rollback_the_switch_stays(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
}

static void the_fifth_start_without_service_ends_the_probation(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_enable(&card, 2); // its REFRESH is the first start
    for (unsigned start = 2; start <= 4; start++) {
        bench_boot(&card);
        bench_pump(&card);
        assert_int_equal(card.applet.state, SWITCH_PROBATION);
        assert_int_equal(bench_enabled(&card), 1);
    }
    bench_boot(&card);
    bench_pump(&card);
    assert_int_equal(bench_enabled(&card), 0);
}

static void a_condemning_cause_ends_the_probation_at_once(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_enable(&card, 2);
    applet_rejection(&card.applet, &card.port, card.plmn, 15);
    bench_pump(&card);
    assert_int_equal(bench_enabled(&card), 1);
    applet_rejection(&card.applet, &card.port, card.plmn, 8);
    bench_pump(&card);
    assert_int_equal(bench_enabled(&card), 0);
}

static void a_refresh_refused_three_times_fails_the_switch(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    card.refresh_result = CAT_TERMINAL_UNABLE;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    (void)bench_command(&card, &c);
    bench_run_out(&card, CLOCK_STATE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_SWITCHING);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_int_equal(bench_enabled(&card), 0);
    const struct notification *n = bench_note(&card, NOTIFY_SWITCH_FAILED);
    assert_non_null(n);
    assert_int_equal(n->operation_id, card.operation_id);
}

static void a_terminal_that_ignores_the_refresh_proves_nothing(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    card.ignores_refresh = true;
    bench_enable(&card, 2);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
}

static void with_refresh_mode_3_reading_the_imsi_counts_as_a_start(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const uint8_t mode[] = {PARAMETER_REFRESH_MODE, 1, 3};
    bench_set(&card, mode, sizeof mode);
    card.ignores_refresh = true;
    bench_enable(&card, 2);
    applet_imsi_read(&card.applet, &card.port);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
}

static void an_outage_leads_to_the_next_subscription_and_back_to_the_fallback(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const uint8_t quick[] = {PARAMETER_JITTER_MAX, 2, 0, 0};
    bench_set(&card, quick, sizeof quick);
    bench_service(&card, CAT_SERVICE_NONE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    bench_run_out(&card, CLOCK_STATE); // no service either: the only candidate, so fallback
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 900); // BACKOFF_BASE
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_non_null(bench_note(&card, NOTIFY_EXHAUSTED));
}

static void a_short_outage_changes_nothing(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    uint32_t commits = card.applet.bank_number;
    for (unsigned i = 0; i < 10; i++) {
        bench_service(&card, CAT_SERVICE_NONE);
        bench_service(&card, CAT_SERVICE_NORMAL);
    }
    assert_int_equal(card.applet.bank_number, commits);
    assert_int_equal(card.refreshes, 0);
}

static void a_rotation_that_finds_service_is_told_and_returned_from(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_run_out(&card, CLOCK_STATE);
    bench_run_out(&card, CLOCK_STATE); // jitter
    assert_int_equal(bench_enabled(&card), 1);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_run_out(&card, CLOCK_NOTIFY); // jitter of the notification
    assert_non_null(bench_note(&card, NOTIFY_ROTATED));
    struct applet_dump d = bench_dump(&card);
    assert_true(d.image.is_automatic);
    // 24 h, give or take a tenth.
    assert_in_range(d.image.dues.back - card.applet.now_s, 77760, 95040);
    unsigned ticks = 0;
    while (card.applet.wait != WAIT_JITTER_RETURN && ticks++ < 400)
        bench_timer(&card, CLOCK_SLOW);
    assert_in_range(ticks, 259, 320);
    assert_int_equal(bench_enabled(&card), 1);
    assert_in_range(card.applet.clocks[CLOCK_STATE].left_s, 0, 60);
    bench_run_out(&card, CLOCK_STATE); // jitter
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_false(bench_dump(&card).image.is_automatic);
}

static void the_daily_cap_ends_in_the_fallback_and_a_notification(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const uint8_t cap[] = {PARAMETER_SWITCHES_PER_DAY, 1, 1, PARAMETER_JITTER_MAX, 2, 0, 0};
    bench_set(&card, cap, sizeof cap);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
    bench_run_out(&card, CLOCK_STATE); // one more, to the fallback
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(card.refreshes, 2);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.pending[d.image.pending_count - 1].cause, NOTIFY_SWITCH_CAP);
}

static void a_preferred_country_moves_the_card(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    // 262, any network: subscription 2.
    uint8_t list[4 + 2 + 13];
    memcpy(list, (uint8_t[]){PARAMETER_T_COUNTRY, 2, 0, 60, PARAMETER_COUNTRY_TABLE, 13}, 6);
    memcpy(list + 6, (uint8_t[]){0x62, 0xF2, 0xFF}, 3);
    bench_imsi(2, list + 9);
    list[18] = COUNTRY_PREFER;
    bench_set(&card, list, sizeof list);
    card.plmn[0] = 0x62;
    card.plmn[1] = 0xF2;
    card.plmn[2] = 0x10;
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(bench_enabled(&card), 0);
    bench_run_out(&card, CLOCK_COUNTRY);
    assert_int_equal(card.applet.wait, WAIT_JITTER_COUNTRY);
    assert_int_equal(bench_enabled(&card), 0);
    assert_in_range(card.applet.clocks[CLOCK_STATE].left_s, 0, 60);
    bench_run_out(&card, CLOCK_STATE); // jitter
    assert_int_equal(bench_enabled(&card), 1);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_run_out(&card, CLOCK_NOTIFY);
    assert_non_null(bench_note(&card, NOTIFY_COUNTRY));
}

// The table changed while the card waited: it stays, and the wait is over.
static void a_country_that_prefers_nobody_any_more_moves_no_card(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    uint8_t list[2 + 13] = {PARAMETER_COUNTRY_TABLE, 13, 0x00, 0xF1, 0x10}; // where the card is
    bench_imsi(2, list + 5);
    list[14] = COUNTRY_PREFER;
    bench_set(&card, list, sizeof list);
    bench_run_out(&card, CLOCK_COUNTRY);
    assert_int_equal(card.applet.wait, WAIT_JITTER_COUNTRY);
    bench_set(&card, (const uint8_t[]){PARAMETER_COUNTRY_TABLE, 0}, 2);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.wait, WAIT_NONE);
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

// ENABLE without rollback keeps one that never had service. Its proof is service, however the
// switch that follows ends.
static void one_that_is_put_back_is_proven_by_the_service_that_it_has(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    card.refresh_result = CAT_TERMINAL_UNABLE;
    c = bench_target(&card, COMMAND_ENABLE, 1, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(card.applet.state, SWITCH_SWITCHING);
        bench_run_out(&card, CLOCK_STATE);
    }
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_int_equal(bench_enabled(&card), 1);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_dump(&card).image.slots[1].is_proven);
}

static void without_timers_status_commands_are_counted(void **state)
{
    (void)state;
    cat_profile_set(card.profile, sizeof card.profile, CAT_FEATURE_TIMER_START_STOP, false);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_service(&card, CAT_SERVICE_NONE);
    unsigned polls = 0;
    while (bench_enabled(&card) == 0 && polls < 100) {
        applet_status(&card.applet, &card.port);
        bench_pump(&card);
        polls++;
    }
    // 180 s of outage and up to 60 s of jitter in periods of 30 s.
    assert_in_range(polls, 6, 8);
}

static void where_status_commands_are_to_be_counted_no_timer_is_used(void **state)
{
    (void)state;
    bench_set(&card, (const uint8_t[]){PARAMETER_POLL_BY_STATUS, 1, 1}, 3);
    bench_service(&card, CAT_SERVICE_NONE);
    assert_false(card.applet.clocks[CLOCK_STATE].is_told);
    bench_statuses(&card, 5);
    assert_int_equal(card.applet.wait, WAIT_OUTAGE);
    bench_statuses(&card, 1); // 180 s in periods of 30 s
    assert_int_not_equal(card.applet.wait, WAIT_OUTAGE);
    bench_set(&card, (const uint8_t[]){PARAMETER_POLL_BY_STATUS, 1, 0}, 3);
    assert_true(card.applet.clocks[CLOCK_STATE].is_told);
}

static void a_timer_that_never_comes_is_replaced_by_counting(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NONE);
    unsigned polls = 0;
    while (card.applet.wait == WAIT_OUTAGE && polls < 100) {
        applet_status(&card.applet, &card.port);
        bench_pump(&card);
        polls++;
    }
    assert_int_equal(polls, 9); // 1.5 times 180 s in periods of 30 s
}

static void another_imei_is_told(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    card.has_imei = true;
    memcpy(card.imei, (uint8_t[]){0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54}, 8);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_null(bench_note(&card, NOTIFY_IMEI_CHANGED));
    card.imei[1] = 0x42;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_non_null(bench_note(&card, NOTIFY_IMEI_CHANGED));
}

static void a_new_address_counts_only_once_confirmed(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const uint8_t list[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x99, 0x99, 0x99};
    bench_set(&card, list, sizeof list);
    const struct notification *n = bench_note(&card, NOTIFY_ADDRESS_CHECK);
    assert_non_null(n);
    assert_int_equal(card.sent[card.sent_count - 1].to.octets[0], 0x99);
    assert_int_equal(bench_dump(&card).image.parameters.server_address[1], 0x21);
    struct command c = bench_confirm(&card, n->sequence, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    assert_int_equal(bench_dump(&card).image.parameters.server_address[1], 0x99);
}

static void setting_the_old_address_again_ends_the_check_of_a_new_one(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const uint8_t list[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x99, 0x99, 0x99};
    bench_set(&card, list, sizeof list);
    uint32_t sequence = bench_note(&card, NOTIFY_ADDRESS_CHECK)->sequence;
    const uint8_t other[] = {PARAMETER_T_ATTACH, 2, 0, 90};
    bench_set(&card, other, sizeof other);
    assert_true(bench_is_pending(&card, NOTIFY_ADDRESS_CHECK));
    const uint8_t back[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x21, 0x43, 0x65};
    bench_set(&card, back, sizeof back);
    assert_false(bench_is_pending(&card, NOTIFY_ADDRESS_CHECK));
    struct command c = bench_confirm(&card, sequence, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_CONFIRM_UNKNOWN);
    assert_int_equal(bench_dump(&card).image.parameters.server_address[1], 0x21);
}

static void an_unconfirmed_address_is_forgotten(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const uint8_t list[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x99, 0x99, 0x99};
    bench_set(&card, list, sizeof list);
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.pending_count, 0);
    assert_int_equal(d.image.address_new.len, 0);
    assert_int_equal(d.image.parameters.server_address[1], 0x21);
}

static void every_pair_of_state_and_event_is_in_the_table(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rule *table = rules_table(&count);
    for (uint8_t s = 0; s < RULE_STATES; s++) {
        for (unsigned e = 0; e < RULE_EVENTS; e++) {
            bool has_row = false;
            bool is_closed = false;
            for (size_t i = 0; i < count; i++) {
                if (table[i].from != s || table[i].event != e)
                    continue;
                assert_false(is_closed); // a row behind one that always fits is dead
                has_row = true;
                is_closed = table[i].guard == NULL;
            }
            if (has_row == rules_is_ignored(s, (enum rule_event)e))
                fail_msg("%s %s: a row or ignored, not both", rules_state_name(s),
                         rules_event_name((enum rule_event)e));
        }
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_card_reports_its_first_service),
        T(a_commanded_switch_is_final_once_confirmed),
        T(a_commanded_switch_without_service_is_rolled_back),
        T(a_switch_that_nobody_confirms_is_rolled_back_after_four_sendings),
        T(without_rollback_the_switch_stays),
        T(the_fifth_start_without_service_ends_the_probation),
        T(a_condemning_cause_ends_the_probation_at_once),
        T(a_refresh_refused_three_times_fails_the_switch),
        T(a_terminal_that_ignores_the_refresh_proves_nothing),
        T(with_refresh_mode_3_reading_the_imsi_counts_as_a_start),
        T(an_outage_leads_to_the_next_subscription_and_back_to_the_fallback),
        T(a_short_outage_changes_nothing),
        T(a_rotation_that_finds_service_is_told_and_returned_from),
        T(the_daily_cap_ends_in_the_fallback_and_a_notification),
        T(a_preferred_country_moves_the_card),
        T(a_country_that_prefers_nobody_any_more_moves_no_card),
        T(one_that_is_put_back_is_proven_by_the_service_that_it_has),
        T(without_timers_status_commands_are_counted),
        T(where_status_commands_are_to_be_counted_no_timer_is_used),
        T(a_timer_that_never_comes_is_replaced_by_counting),
        T(another_imei_is_told),
        T(a_new_address_counts_only_once_confirmed),
        T(setting_the_old_address_again_ends_the_check_of_a_new_one),
        T(an_unconfirmed_address_is_forgotten),
        T(every_pair_of_state_and_event_is_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
