// Alarms that a decision about a card raises and clears.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

// Is an alarm of the last decision raised (1), cleared (-1), or not in it (0)?
static int alarm_said(uint8_t key)
{
    int said = 0;
    for (uint8_t i = 0; i < world.decision.alarm_count; i++) {
        if (world.decision.alarms[i].key == key)
            said = world.decision.alarms[i].is_raised ? 1 : -1;
    }
    return said;
}

static void a_counter_above_half_its_range_is_told_once_until_the_card_retires(void **state)
{
    (void)state;
    struct event retire = {.type = EVENT_RETIRE};
    world.record.mt_counter = (1ull << 39) - 1;
    (void)world_request(&world, OPERATION_ENABLE); // takes 2^39
    assert_int_equal(alarm_said(ALARM_COUNTER_NEAR_MAX), 0);
    world_submit(&world, SUBMIT_REJECTED);
    (void)world_request(&world, OPERATION_ENABLE);
    assert_int_equal(world.record.mt_counter, (1ull << 39) + 1);
    assert_int_equal(alarm_said(ALARM_COUNTER_NEAR_MAX), 1);
    world_submit(&world, SUBMIT_REJECTED);
    (void)world_request(&world, OPERATION_ENABLE);
    assert_int_equal(alarm_said(ALARM_COUNTER_NEAR_MAX), 0);
    world_event(&world, &retire);
    assert_int_equal(alarm_said(ALARM_COUNTER_NEAR_MAX), -1);
}

static void a_counter_that_jumps_over_the_limit_is_told(void **state)
{
    (void)state;
    struct event restore = {.type = EVENT_RESTORE};
    world.record.mt_counter = (1ull << 39) - 8 * 65536 + 1; // and eight times 65,536 more
    world_event(&world, &restore);
    assert_int_equal(world.record.mt_counter, (1ull << 39) + 1);
    assert_int_equal(alarm_said(ALARM_COUNTER_NEAR_MAX), 1);
}

static void the_alarms_of_a_retired_card_are_over(void **state)
{
    (void)state;
    struct event retire = {.type = EVENT_RETIRE};
    world.record.marks = 1u << MARK_QUARANTINED;
    world.record.needs_operator = true;
    world_event(&world, &retire);
    assert_int_equal(alarm_said(ALARM_SECURITY_FAILURES), -1);
    assert_int_equal(alarm_said(ALARM_NEEDS_OPERATOR), -1);
    assert_int_equal(alarm_said(ALARM_COUNTER_NEAR_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_counter_above_half_its_range_is_told_once_until_the_card_retires),
        TEST(a_counter_that_jumps_over_the_limit_is_told),
        TEST(the_alarms_of_a_retired_card_are_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
