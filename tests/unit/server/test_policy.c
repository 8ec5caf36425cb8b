// What a group chooses in place of the installation's policy, and that the core follows it.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define MINUTE 60000
#define HOUR (60 * (int64_t)MINUTE)

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world); // it is 12:00 UTC
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void lose(void)
{
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
}

static void a_lost_packet_is_repeated_after_the_steps_of_the_group(void **state)
{
    (void)state;
    world.policy.retry = (struct policy_steps){2, {30, 90}};
    (void)world_request(&world, OPERATION_ENABLE);
    lose();
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.open.not_before.ms, world.now.ms + 30000);
    world_wake_after(&world, 29999);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, 1);
    assert_int_equal(world.decision.send_count, 1);
    lose();
    assert_int_equal(world.record.open.not_before.ms, world.now.ms + 90000);
    world_wake_after(&world, 90000);
    lose();
    assert_true(world.record.open.at_next_contact);
}

static void after_the_last_step_a_group_may_give_up(void **state)
{
    (void)state;
    world.policy.retry = (struct policy_steps){0, {0}};
    world.policy.retry_at_contact = false;
    (void)world_request(&world, OPERATION_ENABLE);
    lose();
    assert_non_null(world_ended(&world));
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_true(world_ended(&world)->may_still_arrive); // only the network says that it was lost
}

static void a_dirty_card_is_audited_at_the_times_of_the_group(void **state)
{
    (void)state;
    world.policy.audit = (struct policy_steps){2, {10, 600}};
    world.policy.audit_at_contact = false;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    e = (struct event){.type = EVENT_CONTACT};
    world_event(&world, &e);
    assert_int_equal(world.record.next_audit_at.ms, world.now.ms + 10000);
    world_wake_after(&world, 10000);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.record.next_audit_at.ms, world.record.dirty_since.ms + 600000);
}

static void in_quiet_hours_nothing_is_sent_that_can_wait(void **state)
{
    (void)state;
    world.policy.quiet_count = 1;
    world.policy.quiet[0] = (struct policy_quiet){11 * 60, 13 * 60 + 30, {0}};
    (void)world_request(&world, OPERATION_ENABLE);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.queue[0].hold, HOLD_NOT_BEFORE);
    assert_int_equal(world.record.wake_at.ms, world.now.ms + 90 * MINUTE);
    world_wake_after(&world, 90 * MINUTE - 1);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, 1);
    assert_int_equal(world.decision.send_count, 1);
}

static void quiet_hours_may_pass_midnight(void **state)
{
    (void)state;
    world.policy.quiet_count = 1;
    world.policy.quiet[0] = (struct policy_quiet){22 * 60, 6 * 60, {0}};
    world.now.ms += 11 * HOUR; // 23:00
    (void)world_request(&world, OPERATION_ENABLE);
    assert_int_equal(world.record.wake_at.ms, world.now.ms + 7 * HOUR);
    world_wake_after(&world, 2 * HOUR); // 01:00
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.wake_at.ms, world.now.ms + 5 * HOUR);
    world_wake_after(&world, 5 * HOUR);
    assert_int_equal(world.decision.send_count, 1);
}

// Central European summer time begins and ends at 01:00 UTC, on 2026-03-29 and 2026-10-25
// [Directive 2000/84/EC]; as seconds `date -u -d ... +%s` says them.
#define SUMMER_BEGINS INT64_C(1774746000000)
#define SUMMER_ENDS INT64_C(1792890000000)

static int64_t quiet_ends(uint16_t from, uint16_t to, struct utc_offset place, int64_t now_ms)
{
    struct policy p = {.quiet_count = 1, .quiet = {{from, to, place}}};
    return policy_quiet_until(&p, (struct utc){now_ms}).ms;
}

static void quiet_nights_end_by_the_clock_of_their_place(void **state)
{
    (void)state;
    const struct utc_offset spring = {60, 120, {SUMMER_BEGINS}};
    const struct utc_offset autumn = {120, 60, {SUMMER_ENDS}};
    const uint16_t from = 22 * 60;
    const uint16_t to = 6 * 60;
    // 22:00 is 21:00 UTC on the evening before; 06:00 is 04:00 UTC, three hours after the change.
    assert_int_equal(quiet_ends(from, to, spring, SUMMER_BEGINS - 4 * HOUR - 1), 0);
    assert_int_equal(quiet_ends(from, to, spring, SUMMER_BEGINS - 4 * HOUR),
                     SUMMER_BEGINS + 3 * HOUR);
    assert_int_equal(quiet_ends(from, to, spring, SUMMER_BEGINS), SUMMER_BEGINS + 3 * HOUR);
    assert_int_equal(quiet_ends(from, to, spring, SUMMER_BEGINS + 3 * HOUR - 1),
                     SUMMER_BEGINS + 3 * HOUR);
    assert_int_equal(quiet_ends(from, to, spring, SUMMER_BEGINS + 3 * HOUR), 0);
    // 22:00 is 20:00 UTC, 06:00 is 05:00 UTC.
    assert_int_equal(quiet_ends(from, to, autumn, SUMMER_ENDS - 5 * HOUR - 1), 0);
    assert_int_equal(quiet_ends(from, to, autumn, SUMMER_ENDS - 5 * HOUR), SUMMER_ENDS + 4 * HOUR);
    assert_int_equal(quiet_ends(from, to, autumn, SUMMER_ENDS + 4 * HOUR), 0);
}

// 02:30 does not come in spring, and comes twice in autumn.
static void quiet_hours_that_end_within_a_change_are_those_that_clocks_show(void **state)
{
    (void)state;
    const struct utc_offset spring = {60, 120, {SUMMER_BEGINS}};
    const struct utc_offset autumn = {120, 60, {SUMMER_ENDS}};
    const uint16_t to = 2 * 60 + 30;
    assert_int_equal(quiet_ends(0, to, spring, SUMMER_BEGINS - HOUR), SUMMER_BEGINS);
    assert_int_equal(quiet_ends(0, to, spring, SUMMER_BEGINS), 0);
    assert_int_equal(quiet_ends(0, to, autumn, SUMMER_ENDS - HOUR), SUMMER_ENDS - HOUR / 2);
    assert_int_equal(quiet_ends(0, to, autumn, SUMMER_ENDS - HOUR / 2), 0);
    assert_int_equal(quiet_ends(0, to, autumn, SUMMER_ENDS), SUMMER_ENDS + HOUR / 2);
    assert_int_equal(quiet_ends(0, to, autumn, SUMMER_ENDS + HOUR / 2), 0);
}

static void doubt_does_not_wait_for_the_end_of_quiet_hours(void **state)
{
    (void)state;
    world.policy.quiet_count = 1;
    world.policy.quiet[0] = (struct policy_quiet){0, 0, {0}}; // the whole day
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void a_card_with_work_goes_to_no_other_owner(void **state)
{
    (void)state;
    world.record.tenant = 5;
    (void)world_request(&world, OPERATION_ENABLE);
    struct event e = {.type = EVENT_MOVE, .group = 9, .tenant = 6};
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_CARD_BUSY);
    assert_int_equal(world.record.tenant, 5);
    e.tenant = 5; // to another group of the same
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
    assert_int_equal(world.record.group, 9);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_lost_packet_is_repeated_after_the_steps_of_the_group),
        CASE(after_the_last_step_a_group_may_give_up),
        CASE(a_dirty_card_is_audited_at_the_times_of_the_group),
        CASE(in_quiet_hours_nothing_is_sent_that_can_wait),
        CASE(quiet_hours_may_pass_midnight),
        cmocka_unit_test(quiet_nights_end_by_the_clock_of_their_place),
        cmocka_unit_test(quiet_hours_that_end_within_a_change_are_those_that_clocks_show),
        CASE(doubt_does_not_wait_for_the_end_of_quiet_hours),
        CASE(a_card_with_work_goes_to_no_other_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
