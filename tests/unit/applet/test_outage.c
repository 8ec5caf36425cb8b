// Outages: their clock, rotation, pauses, the daily cap, marks, rollbacks that find nothing.
#include "tests/unit/applet/bench_card.h"

#include "applet/rules.h"
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

// --- the outage clock ---

static void limited_service_and_none_count_as_one_outage(void **state)
{
    (void)state;
    const uint8_t limits[] = {PARAMETER_T_NOSERVICE, 2, 0, 180, PARAMETER_T_LIMITED, 2, 0x02, 0x58};
    bench_set(&card, limits, sizeof limits);
    bench_service(&card, CAT_SERVICE_NONE);
    // 90 s of none, 60 s limited: what is left of 180 s is 30 s, of 600 s it is 450 s.
    bench_statuses(&card, 3);
    bench_service(&card, CAT_SERVICE_LIMITED);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 600 - 90);
    bench_statuses(&card, 2);
    bench_service(&card, CAT_SERVICE_NONE);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 180 - 150);
    bench_service(&card, CAT_SERVICE_LIMITED);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 600 - 150);
    bench_statuses(&card, 2);
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NONE); // 210 s: over
    assert_int_equal(bench_enabled(&card), 1);
}

static void a_rejection_before_good_service_does_not_shorten_the_next_outage(void **state)
{
    (void)state;
    applet_rejection(&card.applet, &card.port, card.plmn, 8);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_service(&card, CAT_SERVICE_NONE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 180);
}

static void a_condemning_cause_ends_the_outage_wait_but_not_the_jitter(void **state)
{
    (void)state;
    const uint8_t jitter[] = {PARAMETER_JITTER_MAX, 2, 2, 0x58};
    bench_set(&card, jitter, sizeof jitter);
    for (uint8_t i = 0; i < 3; i++) {
        static const uint8_t causes[] = {2, 3, 8}; // [24.008 annex G]
        bench_service(&card, CAT_SERVICE_NONE);
        assert_int_equal(card.applet.wait, WAIT_OUTAGE);
        applet_rejection(&card.applet, &card.port, NULL, causes[i]);
        bench_pump(&card);
        assert_int_equal(card.applet.wait, WAIT_JITTER);
        applet_rejection(&card.applet, &card.port, NULL, causes[i]);
        bench_pump(&card);
        assert_int_equal(card.applet.wait, WAIT_JITTER);
        assert_int_equal(bench_enabled(&card), 0);
        bench_service(&card, CAT_SERVICE_NORMAL);
        assert_int_equal(card.applet.state, SWITCH_STABLE);
    }
    bench_service(&card, CAT_SERVICE_NONE);
    applet_rejection(&card.applet, &card.port, NULL, 15);
    bench_pump(&card);
    assert_int_equal(card.applet.wait, WAIT_OUTAGE);
}

static void in_mode_0_an_outage_changes_nothing(void **state)
{
    (void)state;
    const uint8_t mode[] = {PARAMETER_AUTO_MODE, 1, 0};
    bench_set(&card, mode, sizeof mode);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

static void in_mode_1_only_fallback_and_preferred_are_used(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    bench_settle_on(&card, 2);
    const uint8_t mode[] = {PARAMETER_AUTO_MODE, 1, 1};
    bench_set(&card, mode, sizeof mode);
    bench_rotate_away(&card);
    assert_int_equal(bench_enabled(&card), 0); // the fallback at once
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1); // new rounds: the preferred one
}

static void rotation_goes_by_rank_twice_and_then_falls_back(void **state)
{
    (void)state;
    bench_install(&card, 3, 0); // rank 5 from the template; subscription 2 has rank 2
    bench_install(&card, 4, SLOT_MARK_NOT_AUTO);
    bench_settle_on(&card, 2);
    const uint8_t order[] = {2, 1, 2, 0};
    bench_service(&card, CAT_SERVICE_NONE);
    for (size_t i = 0; i < sizeof order; i++) {
        bench_run_out(&card, CLOCK_STATE);
        assert_int_equal(bench_enabled(&card), order[i]);
        assert_int_equal(card.applet.state, SWITCH_PROBATION);
    }
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    assert_int_equal(bench_enabled(&card), 0);
}

static void pauses_double_up_to_their_limit_and_start_anew_after_service(void **state)
{
    (void)state;
    const uint8_t list[] = {PARAMETER_BACKOFF_BASE,
                            1,
                            30,
                            PARAMETER_BACKOFF_MAX,
                            1,
                            1,
                            PARAMETER_T_COOL,
                            4,
                            0,
                            0,
                            0,
                            0};
    bench_set(&card, list, sizeof list);
    const uint32_t pauses[] = {1800, 3600, 3600};
    bench_service(&card, CAT_SERVICE_NONE);
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        for (unsigned steps = 0; card.applet.state != SWITCH_BACKOFF && steps < 8; steps++)
            bench_run_out(&card, CLOCK_STATE);
        assert_int_equal(card.applet.state, SWITCH_BACKOFF);
        assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, pauses[i]);
        bench_run_out(&card, CLOCK_STATE);
        assert_int_equal(card.applet.state, SWITCH_PROBATION);
    }
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_is_pending(&card, NOTIFY_EXHAUSTED));
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.search.pauses, 0);
}

static void a_reset_in_a_pause_does_not_end_it(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NONE);
    for (unsigned steps = 0; card.applet.state != SWITCH_BACKOFF && steps < 8; steps++)
        bench_run_out(&card, CLOCK_STATE);
    for (unsigned starts = 1; starts <= 3; starts++) {
        bench_boot(&card);
        // Each start counts as one tick of the card's clock, whatever was lost: 900 s are 3.
        applet_location(&card.applet, &card.port, CAT_SERVICE_NONE, NULL);
        bench_pump(&card);
        if (starts == 3)
            break;
        assert_int_equal(card.applet.state, SWITCH_BACKOFF);
        assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 900 - 300 * starts);
    }
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
}

static void a_pause_keeps_what_has_passed_of_it_and_seldom_writes(void **state)
{
    (void)state;
    const uint8_t list[] = {PARAMETER_BACKOFF_BASE, 1, 60};
    bench_set(&card, list, sizeof list);
    bench_service(&card, CAT_SERVICE_NONE);
    for (unsigned steps = 0; card.applet.state != SWITCH_BACKOFF && steps < 8; steps++)
        bench_run_out(&card, CLOCK_STATE);
    uint32_t commits = card.applet.bank_number;
    for (unsigned ticks = 0; ticks < 6; ticks++) // half an hour
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(card.applet.bank_number - commits, 2);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NONE);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 3600 - 1800 - 300);
}

// No status at all, or a rejection, is no service either.
static void a_pause_goes_on_whatever_tells_that_there_is_no_service(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NONE);
    for (unsigned steps = 0; card.applet.state != SWITCH_BACKOFF && steps < 8; steps++)
        bench_run_out(&card, CLOCK_STATE);
    bench_boot(&card);
    applet_rejection(&card.applet, &card.port, NULL, 8);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    card.applet.has_service = false;
    bench_boot(&card);
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    card.applet.clocks[CLOCK_STATE].is_told = true;
    card.applet.clocks[CLOCK_STATE].armed_s = card.applet.clocks[CLOCK_STATE].left_s;
    applet_timer(&card.applet, &card.port, CLOCK_STATE + 1);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
}

static void a_candidate_that_fails_last_cools_down_too(void **state)
{
    (void)state;
    const uint8_t cap[] = {PARAMETER_SWITCHES_PER_DAY, 1, 2};
    bench_set(&card, cap, sizeof cap);
    bench_install(&card, 3, 0);
    bench_rotate_away(&card);
    bench_run_out(&card, CLOCK_STATE);
    bench_run_out(&card, CLOCK_STATE);
    struct applet_dump d = bench_dump(&card);
    assert_true(d.image.dues.cool[1] > 0);
    assert_true(d.image.dues.cool[2] > 0);
}

static void the_cap_is_told_also_when_nothing_works(void **state)
{
    (void)state;
    const uint8_t cap[] = {PARAMETER_SWITCHES_PER_DAY, 1, 1};
    bench_set(&card, cap, sizeof cap);
    bench_rotate_away(&card);
    bench_run_out(&card, CLOCK_STATE); // one more is allowed: the fallback
    assert_int_equal(bench_enabled(&card), 0);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    assert_true(bench_is_pending(&card, NOTIFY_SWITCH_CAP));
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.refreshes, 2);
}

static void a_fifth_start_in_a_rotation_goes_on_to_the_next(void **state)
{
    (void)state;
    bench_rotate_away(&card); // to the only candidate; the REFRESH was its first start
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(bench_enabled(&card), 1);
        bench_boot(&card);
        bench_pump(&card);
    }
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    assert_false(bench_is_pending(&card, NOTIFY_EXHAUSTED));
}

static void the_end_of_a_day_of_switches_wears_the_memory_once(void **state)
{
    (void)state;
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    bench_set(&card, (const uint8_t[]){PARAMETER_T_RETURN, 4, 0, 0, 0, 0}, 6); // never
    const uint32_t commits = card.applet.bank_number;
    for (unsigned ticks = 0; ticks < 300; ticks++) // of 300 s, the day is 288
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(card.applet.bank_number, commits + 1);
}

// --- marks ---

static void only_the_fallback_takes_the_place_of_one_marked_no_disable(void **state)
{
    (void)state;
    bench_install(&card, 3, SLOT_MARK_NO_DISABLE);
    bench_settle_on(&card, 3);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 0); // not subscription 2, which would be the next
}

static void a_rollback_ignores_no_disable(void **state)
{
    (void)state;
    bench_install(&card, 3, SLOT_MARK_NO_DISABLE);
    bench_enable(&card, 3);
    assert_int_equal(bench_enabled(&card), 2);
    bench_run_out(&card, CLOCK_STATE); // T_ATTACH
    assert_int_equal(bench_enabled(&card), 0);
}

// --- rollback that finds nothing ---

static void a_rollback_without_service_falls_back_and_keeps_the_operation(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    bench_settle_on(&card, 2);
    bench_enable(&card, 3);
    uint32_t id = card.operation_id;
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1); // rolled back
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 0); // the fallback
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_FALLBACK);
    assert_non_null(n);
    assert_int_equal(n->operation_id, id);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

static void a_rollback_to_the_fallback_without_service_pauses(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    bench_run_out(&card, CLOCK_STATE);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_BACKOFF);
    assert_int_equal(bench_enabled(&card), 0);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_ROLLED_BACK);
    assert_non_null(n);
    assert_int_equal(n->operation_id, card.operation_id);
}

static void a_rollback_that_the_terminal_refuses_waits_for_its_next_start(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    card.refresh_result = CAT_TERMINAL_UNABLE;
    bench_run_out(&card, CLOCK_STATE);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(card.applet.state, SWITCH_SWITCHING);
        bench_run_out(&card, CLOCK_STATE);
    }
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    assert_int_equal(bench_enabled(&card), 0);
    card.refresh_result = 0;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

static void without_rollback_an_unconfirmed_switch_stays(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_service(&card, CAT_SERVICE_LIMITED);
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(bench_enabled(&card), 1);
    assert_true(bench_is_pending(&card, NOTIFY_ENABLED));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(limited_service_and_none_count_as_one_outage),
        T(a_rejection_before_good_service_does_not_shorten_the_next_outage),
        T(a_condemning_cause_ends_the_outage_wait_but_not_the_jitter),
        T(in_mode_0_an_outage_changes_nothing),
        T(in_mode_1_only_fallback_and_preferred_are_used),
        T(rotation_goes_by_rank_twice_and_then_falls_back),
        T(pauses_double_up_to_their_limit_and_start_anew_after_service),
        T(a_reset_in_a_pause_does_not_end_it),
        T(a_pause_keeps_what_has_passed_of_it_and_seldom_writes),
        T(a_pause_goes_on_whatever_tells_that_there_is_no_service),
        T(a_candidate_that_fails_last_cools_down_too),
        T(the_cap_is_told_also_when_nothing_works),
        T(a_fifth_start_in_a_rotation_goes_on_to_the_next),
        T(the_end_of_a_day_of_switches_wears_the_memory_once),
        T(only_the_fallback_takes_the_place_of_one_marked_no_disable),
        T(a_rollback_ignores_no_disable),
        T(a_rollback_without_service_falls_back_and_keeps_the_operation),
        T(a_rollback_to_the_fallback_without_service_pauses),
        T(a_rollback_that_the_terminal_refuses_waits_for_its_next_start),
        T(without_rollback_an_unconfirmed_switch_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
