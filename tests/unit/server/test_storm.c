// When fallbacks of one operator's cards are a storm. A week has 1,008 times ten minutes.
#include "tests/lib/cmocka_all.h"

#include "ota-server/service/storm.h"

#define MINUTE 60000u

static struct storm storm;

static enum storm_word at(uint64_t minute, uint64_t recent, uint64_t week)
{
    return storm_step(&storm, recent, week, (struct instant){7000 + minute * MINUTE});
}

static int start(void **state)
{
    (void)state;
    storm = (struct storm){0};
    return 0;
}

static void twenty_fallbacks_are_no_storm(void **state)
{
    (void)state;
    assert_int_equal(at(0, 19, 0), STORM_SAYS_NOTHING);
    assert_int_equal(at(1, 20, 0), STORM_SAYS_NOTHING);
    assert_int_equal(at(2, 21, 0), STORM_RAISED);
    assert_int_equal(at(3, 200, 0), STORM_SAYS_NOTHING); // said once
}

// 10,080 in the week are 10 in ten minutes: five times that is 50.
static void as_many_as_ever_are_no_storm(void **state)
{
    (void)state;
    assert_int_equal(at(0, 49, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(1, 50, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(2, 51, 10080), STORM_RAISED);
}

// Two times is 20.
static void it_is_over_after_half_an_hour_of_quiet(void **state)
{
    (void)state;
    assert_int_equal(at(0, 51, 10080), STORM_RAISED);
    assert_int_equal(at(10, 20, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(50, 20, 10080), STORM_SAYS_NOTHING); // not under it
    assert_int_equal(at(51, 19, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(60, 20, 10080), STORM_SAYS_NOTHING); // begins again
    assert_int_equal(at(61, 19, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(90, 19, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(91, 19, 10080), STORM_CLEARED);
    assert_int_equal(at(92, 19, 10080), STORM_SAYS_NOTHING);
    assert_int_equal(at(93, 51, 10080), STORM_RAISED);
}

static void after_a_start_what_is_quiet_is_cleared_whoever_raised_it(void **state)
{
    (void)state;
    assert_int_equal(at(0, 0, 0), STORM_SAYS_NOTHING);
    assert_int_equal(at(29, 0, 0), STORM_SAYS_NOTHING);
    assert_int_equal(at(30, 0, 0), STORM_CLEARED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, start)
        TEST(twenty_fallbacks_are_no_storm),
        TEST(as_many_as_ever_are_no_storm),
        TEST(it_is_over_after_half_an_hour_of_quiet),
        TEST(after_a_start_what_is_quiet_is_cleared_whoever_raised_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
