// What a campaign does next: its states, its canary, its pauses, its rate and its windows.
#include "ota-server/core/campaign.h"

#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define SECOND 1000
#define MINUTE (60 * (int64_t)SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define NOON_MONDAY (1785153600000 - 1785153600000 % DAY + 12 * HOUR) // 2026-07-27

static struct campaign campaign;
static struct campaign_sight sight;
static struct campaign_move move;

static int set_up(void **state)
{
    (void)state;
    campaign_init(&campaign, 7);
    campaign.operation.kind = OPERATION_ENABLE;
    campaign.eligible = 10000;
    campaign.targeted = 10000;
    campaign.per_second = 100;
    campaign.state = CAMPAIGN_CHECKED;
    sight = (struct campaign_sight){.now = {NOON_MONDAY}};
    sight.counts.waiting = 10000;
    return 0;
}

static void look(void)
{
    campaign_move(&campaign, &sight, &move);
}

static void input(uint8_t what)
{
    assert_true(campaign_input(&campaign, what, CAMPAIGN_WHY_NONE, sight.now));
}

static void run(void)
{
    input(CAMPAIGN_IN_STARTED);
    campaign.is_canary_over = true;
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
}

static void counts(uint64_t waiting, uint64_t open, uint64_t done, uint64_t failed)
{
    sight.counts =
        (struct campaign_counts){.waiting = waiting, .open = open, .done = done, .failed = failed};
}

static void pass(int64_t ms)
{
    sight.now.ms += ms;
}

// --- states ---

static void every_pair_of_state_and_input_has_one_rule(void **state)
{
    (void)state;
    for (unsigned from = 0; from < CAMPAIGN_STATES; from++) {
        for (unsigned in = 0; in < CAMPAIGN_INPUTS; in++) {
            unsigned rows = 0;
            for (size_t i = 0; i < campaign_rule_count; i++) {
                const struct campaign_rule *r = &campaign_rules[i];
                rows += r->input == in && (r->from >> from & 1) != 0;
            }
            assert_int_equal(rows, 1);
        }
    }
}

static void what_is_over_never_changes(void **state)
{
    (void)state;
    for (uint8_t in = 0; in < CAMPAIGN_INPUTS; in++) {
        assert_int_equal(campaign_next(CAMPAIGN_COMPLETED, in), CAMPAIGN_REFUSED);
        assert_int_equal(campaign_next(CAMPAIGN_STOPPED, in), CAMPAIGN_REFUSED);
    }
}

static void an_edit_takes_the_check_back_and_a_running_one_is_not_edited(void **state)
{
    (void)state;
    assert_int_equal(campaign_next(CAMPAIGN_CHECKED, CAMPAIGN_IN_EDITED), CAMPAIGN_DRAFT);
    assert_int_equal(campaign_next(CAMPAIGN_AWAIT_APPROVAL, CAMPAIGN_IN_EDITED), CAMPAIGN_DRAFT);
    assert_int_equal(campaign_next(CAMPAIGN_DRAFT, CAMPAIGN_IN_STARTED), CAMPAIGN_REFUSED);
    assert_int_equal(campaign_next(CAMPAIGN_RUNNING, CAMPAIGN_IN_EDITED), CAMPAIGN_REFUSED);
    assert_int_equal(campaign_next(CAMPAIGN_PAUSED, CAMPAIGN_IN_EDITED), CAMPAIGN_REFUSED);
}

static void nobody_approves_in_time_and_it_is_only_checked_again(void **state)
{
    (void)state;
    input(CAMPAIGN_IN_ASKED);
    campaign.approval_until = (struct utc){NOON_MONDAY + 72 * HOUR};
    look();
    assert_int_equal(move.due.ms, NOON_MONDAY + 72 * HOUR);
    pass(72 * HOUR);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_CHECKED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_EXPIRED);
    assert_int_equal(move.due.ms, 0);
}

static void more_cards_than_the_groups_allow_need_a_second_person(void **state)
{
    (void)state;
    campaign.approval_at = 100;
    campaign.eligible = 100;
    assert_false(campaign_needs_approval(&campaign));
    campaign.eligible = 101;
    assert_true(campaign_needs_approval(&campaign));
    campaign.operation.kind = OPERATION_AUDIT; // writes no card
    assert_false(campaign_needs_approval(&campaign));
    campaign.operation.kind = OPERATION_DELETE;
    campaign.eligible = 1;
    assert_true(campaign_needs_approval(&campaign));
}

// --- canary ---

static void the_canary_is_one_in_a_hundred_at_least_1_at_most_100(void **state)
{
    (void)state;
    static const uint32_t edges[][2] = {{1, 1},       {99, 1},      {100, 1},
                                        {199, 1},     {200, 2},     {9999, 99},
                                        {10000, 100}, {10100, 100}, {30000, 100}};
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        campaign.eligible = edges[i][0];
        assert_int_equal(campaign_canary(&campaign), edges[i][1]);
    }
    campaign.canary_count = 500;
    assert_int_equal(campaign_canary(&campaign), 500);
    campaign.eligible = 20;
    assert_int_equal(campaign_canary(&campaign), 20);
}

static void the_canary_asks_no_more_than_its_count(void **state)
{
    (void)state;
    campaign.canary_count = 3;
    input(CAMPAIGN_IN_STARTED);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_CANARY);
    pass(SECOND);
    look();
    assert_int_equal(move.ask, 3);
    counts(9998, 2, 0, 0); // one was excluded when it was its turn
    look();
    assert_int_equal(move.ask, 1);
    counts(9997, 2, 1, 0);
    look();
    assert_int_equal(move.ask, 0);
    assert_int_equal(campaign.state, CAMPAIGN_CANARY); // two have not ended
}

static void end_canary(uint64_t done, uint64_t failed, uint64_t rolled_back)
{
    input(CAMPAIGN_IN_STARTED);
    look();
    counts(9900, 0, done, failed);
    sight.counts.rolled_back = rolled_back;
    look();
}

static void the_gate_opens_at_95_percent_and_not_below(void **state)
{
    end_canary(95, 5, 0);
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    assert_false(move.is_halted);
    assert_int_equal(move.due.ms, sight.now.ms);
    (void)set_up(state);
    end_canary(94, 6, 0);
    assert_int_equal(campaign.state, CAMPAIGN_PAUSED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_CANARY_SUCCESS);
    assert_true(move.is_halted);
}

static void one_rollback_of_100_passes_the_gate_and_two_do_not(void **state)
{
    end_canary(99, 1, 1);
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    (void)set_up(state);
    end_canary(98, 2, 2);
    assert_int_equal(campaign.state, CAMPAIGN_PAUSED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_CANARY_ROLLBACK);
}

static void who_resumes_after_the_gate_goes_on_with_all(void **state)
{
    (void)state;
    end_canary(94, 6, 0);
    input(CAMPAIGN_IN_RESUMED);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
}

static void who_resumes_in_the_canary_goes_on_with_the_canary(void **state)
{
    (void)state;
    input(CAMPAIGN_IN_STARTED);
    look();
    input(CAMPAIGN_IN_PAUSED);
    look();
    assert_int_equal(move.ask, 0);
    assert_int_equal(move.due.ms, 0);
    input(CAMPAIGN_IN_RESUMED);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_CANARY);
}

// --- pauses ---

static void more_than_5_percent_of_the_last_200_pause_it(void **state)
{
    (void)state;
    run();
    sight.look_ended = 199;
    sight.look_failed = 199;
    look(); // not yet 200
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    sight.look_ended = 200;
    sight.look_failed = 10;
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    sight.look_failed = 11;
    look();
    assert_int_equal(campaign.state, CAMPAIGN_PAUSED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_FAILURES);
    assert_true(move.is_halted);
}

static void what_made_it_pause_does_not_count_after_it_was_resumed(void **state)
{
    (void)state;
    run();
    const struct utc before = campaign.judged_from;
    input(CAMPAIGN_IN_PAUSED);
    pass(HOUR);
    input(CAMPAIGN_IN_RESUMED);
    assert_int_equal(campaign.judged_from.ms, before.ms + HOUR);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_NONE);
}

static void three_quarantined_cards_pause_it_and_two_do_not(void **state)
{
    (void)state;
    run();
    sight.quarantined = 2;
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    sight.quarantined = 3;
    look();
    assert_int_equal(campaign.why, CAMPAIGN_WHY_QUARANTINE);
}

static void a_fallback_storm_and_a_missing_link_pause_it(void **state)
{
    (void)state;
    run();
    sight.is_storm = true;
    look();
    assert_int_equal(campaign.why, CAMPAIGN_WHY_STORM);
    input(CAMPAIGN_IN_RESUMED);
    sight.is_storm = false;
    sight.has_no_link = true;
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    look();
    assert_int_equal(campaign.why, CAMPAIGN_WHY_NO_LINK);
}

static void a_restored_database_pauses_it_once(void **state)
{
    (void)state;
    run();
    sight.restored_at = sight.now; // before its start, or with it
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    pass(HOUR);
    sight.restored_at = sight.now;
    look();
    assert_int_equal(campaign.why, CAMPAIGN_WHY_RESTORED);
    assert_true(move.is_halted);
    input(CAMPAIGN_IN_RESUMED);
    look();
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
}

static void it_is_completed_when_nothing_waits_and_nothing_is_open(void **state)
{
    (void)state;
    run();
    counts(0, 1, 9999, 0);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    counts(0, 0, 9000, 1000); // however it went
    look();
    assert_int_equal(campaign.state, CAMPAIGN_COMPLETED);
    assert_int_equal(campaign.ended_at.ms, sight.now.ms);
}

static void at_the_end_of_its_schedule_it_is_stopped(void **state)
{
    (void)state;
    campaign.end_at = (struct utc){NOON_MONDAY + HOUR};
    run();
    pass(HOUR - 1);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
    assert_true(move.due.ms <= NOON_MONDAY + HOUR);
    pass(1);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_STOPPED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_TIME_OVER);
    assert_int_equal(move.due.ms, sight.now.ms); // what is queued is cancelled
}

// --- rate ---

static void it_asks_as_many_as_its_rate_earned(void **state)
{
    (void)state;
    run(); // 100 a second
    look();
    assert_int_equal(move.ask, 0);
    assert_int_equal(move.due.ms, sight.now.ms + 20);
    pass(20);
    look();
    assert_int_equal(move.ask, 2);
    campaign_spend(&campaign, 2);
    pass(15);
    look();
    assert_int_equal(move.ask, 1);
    campaign_spend(&campaign, 1);
    pass(5); // half a card is left from before
    look();
    assert_int_equal(move.ask, 1);
}

static void a_second_of_steps_asks_what_the_rate_says(void **state)
{
    (void)state;
    static const uint16_t rates[] = {1, 7, 100, 333, 5000};
    run();
    campaign.open_max = CAMPAIGN_OPEN_MAX;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        uint32_t sum = 0;
        campaign.per_second = rates[i];
        campaign.credit = 0;
        look();
        for (unsigned ms = 0; ms < 1000; ms += 20) {
            pass(20);
            look();
            sum += move.ask;
            campaign_spend(&campaign, move.ask);
        }
        assert_int_equal(sum, rates[i]);
    }
}

static void what_was_not_used_does_not_become_a_burst(void **state)
{
    (void)state;
    run();
    pass(HOUR);
    look();
    assert_int_equal(move.ask, 25); // a quarter of a second
    campaign.per_second = 1;
    campaign.credit = 0;
    pass(HOUR);
    look();
    assert_int_equal(move.ask, 1);
}

static void a_change_of_the_rate_acts_in_the_next_step(void **state)
{
    (void)state;
    run();
    look();
    campaign.per_second = 1000;
    pass(20);
    look();
    assert_int_equal(move.ask, 20);
}

static void no_more_are_open_than_it_may_have(void **state)
{
    (void)state;
    run();
    campaign.open_max = 10;
    counts(9000, 8, 992, 0);
    pass(SECOND);
    look();
    assert_int_equal(move.ask, 2);
    counts(9000, 11, 989, 0);
    look();
    assert_int_equal(move.ask, 0);
}

static void while_no_place_is_free_it_looks_ever_less_often(void **state)
{
    (void)state;
    static const unsigned waits_ms[] = {20, 20, 40, 80, 160, 250, 250};
    run();
    campaign.open_max = 10;
    counts(9000, 10, 990, 0);
    for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
        look();
        assert_int_equal(move.due.ms, sight.now.ms + waits_ms[i]);
        pass(waits_ms[i]);
    }
    counts(9000, 9, 991, 0);
    look();
    assert_int_equal(move.ask, 1);
}

static void a_clock_that_went_back_earns_nothing(void **state)
{
    (void)state;
    run();
    pass(-HOUR);
    look();
    assert_int_equal(move.ask, 0);
    pass(20);
    look();
    assert_int_equal(move.ask, 2);
}

// --- windows ---

static void window(uint8_t days, uint16_t from, uint16_t to, int16_t offset)
{
    campaign.windows[campaign.window_count++] =
        (struct campaign_window){days, from, to, {offset, offset, {0}}};
}

static int64_t opens_after(void)
{
    return campaign_open_at(&campaign, sight.now).ms - sight.now.ms;
}

static void a_window_opens_at_its_hour_and_closes_at_its_end(void **state)
{
    (void)state;
    window(0x7F, 13 * 60, 15 * 60, 0); // it is 12:00
    assert_int_equal(opens_after(), HOUR);
    pass(HOUR);
    assert_int_equal(opens_after(), 0);
    pass(2 * HOUR - 1);
    assert_int_equal(opens_after(), 0);
    pass(1); // 15:00
    assert_int_equal(opens_after(), 22 * HOUR);
}

static void a_window_is_of_its_zone(void **state)
{
    (void)state;
    window(0x7F, 13 * 60, 15 * 60, 120); // 11:00 to 13:00 UTC
    assert_int_equal(opens_after(), 0);
    pass(HOUR);
    assert_int_equal(opens_after(), 22 * HOUR);
    campaign.window_count = 0;
    window(0x7F, 13 * 60, 15 * 60, -300); // 18:00 UTC; it is 13:00
    assert_int_equal(opens_after(), 5 * HOUR);
}

// New York: summer time begins at 02:00 on the second Sunday of March, 2026-03-08 at 07:00 UTC, and
// ends at 02:00 on the first Sunday of November, 2026-11-01 at 06:00 UTC [15 U.S.C. 260a].
static void a_window_opens_by_the_clock_of_its_place(void **state)
{
    (void)state;
    const int64_t begins = INT64_C(1772953200000);
    const int64_t ends = INT64_C(1793512800000);
    campaign.windows[0] = (struct campaign_window){0x7F, 9 * 60, 17 * 60, {-300, -240, {begins}}};
    campaign.window_count = 1;
    sight.now.ms = begins - 9 * HOUR; // Saturday, 17:00
    assert_int_equal(opens_after(), 15 * HOUR);
    sight.now.ms = begins + 6 * HOUR; // Sunday, 09:00
    assert_int_equal(opens_after(), 0);
    campaign.windows[0] = (struct campaign_window){0x7F, 9 * 60, 17 * 60, {-240, -300, {ends}}};
    sight.now.ms = ends - 9 * HOUR; // Saturday, 17:00
    assert_int_equal(opens_after(), 17 * HOUR);
    sight.now.ms = ends + 8 * HOUR - 1;
    assert_int_equal(opens_after(), 1);
}

static void a_window_over_midnight_belongs_to_the_day_on_which_it_begins(void **state)
{
    (void)state;
    window(1 << 0, 22 * 60, 2 * 60, 0); // Monday night
    assert_int_equal(opens_after(), 10 * HOUR);
    pass(13 * HOUR); // 01:00 on Tuesday
    assert_int_equal(opens_after(), 0);
    pass(HOUR);
    assert_int_equal(opens_after(), 6 * DAY + 20 * HOUR);
}

static void the_earliest_of_several_windows_counts(void **state)
{
    (void)state;
    window(1 << 4, 0, 0, 0);            // Friday, all day
    window(1 << 2, 9 * 60, 10 * 60, 0); // Wednesday
    assert_int_equal(opens_after(), DAY + 21 * HOUR);
    pass(3 * DAY + 12 * HOUR);
    assert_int_equal(opens_after(), 0);
    pass(DAY - 1);
    assert_int_equal(opens_after(), 0);
    pass(1);
    assert_int_equal(opens_after(), 4 * DAY + 9 * HOUR);
}

static void outside_its_window_it_asks_nothing_and_knows_when_to_look(void **state)
{
    (void)state;
    window(0x7F, 13 * 60, 15 * 60, 0);
    input(CAMPAIGN_IN_STARTED);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_SCHEDULED);
    assert_int_equal(move.due.ms, NOON_MONDAY + HOUR);
    pass(HOUR);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_CANARY);
    pass(2 * HOUR);
    look();
    assert_int_equal(move.ask, 0);
    assert_int_equal(move.due.ms, NOON_MONDAY + DAY + HOUR);
    pass(22 * HOUR);
    look();
    assert_int_equal(move.ask, 25); // not what a night would have earned
}

static void it_starts_when_its_schedule_says(void **state)
{
    (void)state;
    campaign.start_at = (struct utc){NOON_MONDAY + 5 * HOUR};
    input(CAMPAIGN_IN_STARTED);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_SCHEDULED);
    assert_int_equal(move.due.ms, NOON_MONDAY + 5 * HOUR);
    pass(5 * HOUR);
    look();
    assert_int_equal(campaign.state, CAMPAIGN_CANARY);
}

// --- cards ---

static void a_card_in_doubt_or_at_work_is_excluded(void **state)
{
    (void)state;
    struct record r;
    record_init(&r, 1);
    r.state = CARD_OPERATIONAL;
    assert_int_equal(campaign_exclusion(&campaign, &r), 0);
    r.queue_len = 1;
    assert_int_equal(campaign_exclusion(&campaign, &r), REFUSAL_CARD_BUSY);
    r.queue_len = 0;
    r.has_open = true;
    assert_int_equal(campaign_exclusion(&campaign, &r), REFUSAL_CARD_BUSY);
    r.marks = 1 << MARK_BLOCKED;
    assert_int_equal(campaign_exclusion(&campaign, &r), CAMPAIGN_CARD_BLOCKED);
    r.dirty_since.ms = 1;
    assert_int_equal(campaign_exclusion(&campaign, &r), REFUSAL_CARD_DIRTY);
    r.marks |= 1 << MARK_QUARANTINED;
    assert_int_equal(campaign_exclusion(&campaign, &r), REFUSAL_CARD_QUARANTINED);
    r.state = CARD_IMPORTED_PARTIAL;
    assert_int_equal(campaign_exclusion(&campaign, &r), REFUSAL_CARD_PARTIAL);
    r.state = CARD_RETIRED;
    assert_int_equal(campaign_exclusion(&campaign, &r), REFUSAL_CARD_RETIRED);
}

static void a_blocked_card_takes_part_if_the_campaign_allows_it(void **state)
{
    (void)state;
    struct record r;
    record_init(&r, 1);
    r.state = CARD_OPERATIONAL;
    r.marks = 1 << MARK_BLOCKED;
    campaign.with_blocked = true;
    assert_int_equal(campaign_exclusion(&campaign, &r), 0);
}

static void stage_is(const struct operation *o, uint8_t step, uint8_t reason)
{
    uint8_t got = 0;
    uint8_t why = 0;
    campaign_stage(o, &got, &why);
    assert_int_equal(got, step);
    assert_int_equal(why, reason);
}

static void the_steps_of_a_card_are_those_of_its_operation(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_ENABLE, .status = STATUS_QUEUED};
    stage_is(&o, CAMPAIGN_ASKED, 0);
    o.status = STATUS_SENDING;
    stage_is(&o, CAMPAIGN_ASKED, 0);
    o.status = STATUS_SENT;
    stage_is(&o, CAMPAIGN_SENT, 0);
    o.status = STATUS_DELIVERED;
    stage_is(&o, CAMPAIGN_DELIVERED, 0);
    o.status = STATUS_SWITCHING;
    o.has_result = true;
    stage_is(&o, CAMPAIGN_ANSWERED, 0);
    o.status = STATUS_ENDED;
    o.outcome = OUTCOME_DONE;
    stage_is(&o, CAMPAIGN_CONFIRMED, CAMPAIGN_DONE);
    o.outcome = OUTCOME_ROLLED_BACK;
    o.failure = FAILURE_ROLLED_BACK;
    stage_is(&o, CAMPAIGN_ANSWERED, CAMPAIGN_FAILURE + FAILURE_ROLLED_BACK);
}

static void refused_and_cancelled_ones_are_no_failures(void **state)
{
    (void)state;
    assert_true(campaign_is_failure(CAMPAIGN_FAILURE + FAILURE_ROLLED_BACK));
    assert_true(campaign_is_failure(CAMPAIGN_FAILURE + FAILURE_DELIVERY_EXPIRED));
    assert_true(campaign_is_failure(CAMPAIGN_FAILURE + FAILURE_CARD_UNREACHABLE));
    assert_false(campaign_is_failure(CAMPAIGN_FAILURE + FAILURE_CANCELLED));
    assert_false(campaign_is_failure(CAMPAIGN_FAILURE + FAILURE_REFUSED_AT_SEND));
    assert_false(campaign_is_failure(CAMPAIGN_DONE));
    assert_false(campaign_is_failure(REFUSAL_CARD_DIRTY));
    assert_false(campaign_is_failure(0));
}

static void the_counts_of_a_funnel_add_up(void **state)
{
    (void)state;
    struct campaign_counts n = {.open = 0};
    campaign_count(&n, CAMPAIGN_LISTED, REFUSAL_CARD_DIRTY, 5);
    campaign_count(&n, CAMPAIGN_WAITING, 0, 40);
    campaign_count(&n, CAMPAIGN_WAITING, REFUSAL_CARD_BUSY, 3);
    campaign_count(&n, CAMPAIGN_ASKED, 0, 2);
    campaign_count(&n, CAMPAIGN_SENT, CAMPAIGN_FAILURE + FAILURE_DELIVERY_EXPIRED, 4);
    campaign_count(&n, CAMPAIGN_ANSWERED, CAMPAIGN_FAILURE + FAILURE_ROLLED_BACK, 1);
    campaign_count(&n, CAMPAIGN_CONFIRMED, CAMPAIGN_DONE, 45);
    assert_int_equal(campaign_reached(&n, CAMPAIGN_LISTED), 100);
    assert_int_equal(campaign_reached(&n, CAMPAIGN_WAITING), 95);
    assert_int_equal(campaign_reached(&n, CAMPAIGN_SENT), 50);
    assert_int_equal(campaign_reached(&n, CAMPAIGN_DELIVERED), 46);
    assert_int_equal(campaign_reached(&n, CAMPAIGN_CONFIRMED), 45);
    assert_int_equal(n.waiting, 40);
    assert_int_equal(n.open, 2);
    assert_int_equal(n.done, 45);
    assert_int_equal(n.failed, 5);
    assert_int_equal(n.rolled_back, 1);
}

#define RUN(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RUN(every_pair_of_state_and_input_has_one_rule),
        RUN(what_is_over_never_changes),
        RUN(an_edit_takes_the_check_back_and_a_running_one_is_not_edited),
        RUN(nobody_approves_in_time_and_it_is_only_checked_again),
        RUN(more_cards_than_the_groups_allow_need_a_second_person),
        RUN(the_canary_is_one_in_a_hundred_at_least_1_at_most_100),
        RUN(the_canary_asks_no_more_than_its_count),
        RUN(the_gate_opens_at_95_percent_and_not_below),
        RUN(one_rollback_of_100_passes_the_gate_and_two_do_not),
        RUN(who_resumes_after_the_gate_goes_on_with_all),
        RUN(who_resumes_in_the_canary_goes_on_with_the_canary),
        RUN(more_than_5_percent_of_the_last_200_pause_it),
        RUN(what_made_it_pause_does_not_count_after_it_was_resumed),
        RUN(three_quarantined_cards_pause_it_and_two_do_not),
        RUN(a_fallback_storm_and_a_missing_link_pause_it),
        RUN(a_restored_database_pauses_it_once),
        RUN(it_is_completed_when_nothing_waits_and_nothing_is_open),
        RUN(at_the_end_of_its_schedule_it_is_stopped),
        RUN(it_asks_as_many_as_its_rate_earned),
        RUN(a_second_of_steps_asks_what_the_rate_says),
        RUN(what_was_not_used_does_not_become_a_burst),
        RUN(a_change_of_the_rate_acts_in_the_next_step),
        RUN(no_more_are_open_than_it_may_have),
        RUN(while_no_place_is_free_it_looks_ever_less_often),
        RUN(a_clock_that_went_back_earns_nothing),
        RUN(a_window_opens_at_its_hour_and_closes_at_its_end),
        RUN(a_window_is_of_its_zone),
        RUN(a_window_opens_by_the_clock_of_its_place),
        RUN(a_window_over_midnight_belongs_to_the_day_on_which_it_begins),
        RUN(the_earliest_of_several_windows_counts),
        RUN(outside_its_window_it_asks_nothing_and_knows_when_to_look),
        RUN(it_starts_when_its_schedule_says),
        RUN(a_card_in_doubt_or_at_work_is_excluded),
        RUN(a_blocked_card_takes_part_if_the_campaign_allows_it),
        RUN(the_steps_of_a_card_are_those_of_its_operation),
        RUN(refused_and_cancelled_ones_are_no_failures),
        RUN(the_counts_of_a_funnel_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
