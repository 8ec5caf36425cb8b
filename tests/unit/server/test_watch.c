// When an alarm is raised about the installation, and when it is over.
#include "tests/lib/cmocka_all.h"

#include "ota-server/service/watch.h"

#include <string.h>

#define T0 5000000u
#define SECOND 1000u
#define MINUTE 60000u
#define GIB (1ull << 30)

static struct watch watch;
static struct watch_sample sample;
static struct watch_change changes[WATCH_CHANGES_MAX];
static size_t count;

static int start(void **state)
{
    (void)state;
    watch_init(&watch, (struct instant){T0});
    sample = (struct watch_sample){.links = 2,
                                   .is_up = {true, true},
                                   .disk_free = 50 * GIB,
                                   .disk_size = 100 * GIB,
                                   .cards = 10000};
    return 0;
}

// The first `links` do, no other.
static void work(unsigned links)
{
    for (unsigned i = 0; i < WATCH_LINKS_MAX; i++)
        sample.is_up[i] = i < links;
}

static void at(uint64_t ms)
{
    count = watch_step(&watch, &sample, (struct instant){T0 + ms}, changes);
}

// What was said about `key` in the last step: 0 nothing, 1 raised, -1 cleared.
static int said(const char *key)
{
    int what = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(changes[i].key, key) == 0)
            what = changes[i].is_raised ? 1 : -1;
    }
    return what;
}

static void what_is_well_is_said_once_after_a_start(void **state)
{
    (void)state;
    at(0);
    assert_int_equal(said("smsc.degraded"), -1); // whoever raised it before
    assert_int_equal(said("db.disk.low"), -1);
    assert_int_equal(said("smsc.down"), 0); // a minute of links first
    at(59999);
    assert_int_equal(count, 0);
    at(60000);
    assert_int_equal(said("smsc.down"), -1);
    at(70000);
    assert_int_equal(count, 0);
}

static void without_a_link_for_30_seconds_the_smsc_is_down(void **state)
{
    (void)state;
    at(0);
    work(0);
    at(10 * SECOND);
    at(39999);
    assert_int_equal(said("smsc.down"), 0);
    at(40 * SECOND);
    assert_int_equal(said("smsc.down"), 1);
    at(50 * SECOND);
    assert_int_equal(said("smsc.down"), 0); // said once
    work(1);
    at(MINUTE);
    at(2 * MINUTE - 1);
    assert_int_equal(said("smsc.down"), 0);
    at(2 * MINUTE);
    assert_int_equal(said("smsc.down"), -1);
}

static void a_link_that_comes_and_goes_is_not_up(void **state)
{
    (void)state;
    work(0);
    at(0);
    at(30 * SECOND);
    assert_int_equal(said("smsc.down"), 1);
    for (uint64_t ms = 40 * SECOND; ms < 10 * MINUTE; ms += 50 * SECOND) {
        work(1);
        at(ms);
        assert_int_equal(said("smsc.down"), 0);
        work(0);
        at(ms + 49 * SECOND);
        assert_int_equal(said("smsc.down"), 0);
    }
}

static void one_of_several_links_down_for_a_minute_is_a_degradation(void **state)
{
    (void)state;
    at(0);
    work(1);
    at(10 * SECOND);
    at(10 * SECOND + MINUTE - 1);
    assert_int_equal(said("smsc.degraded"), 0);
    at(10 * SECOND + MINUTE);
    assert_int_equal(said("smsc.degraded"), 1);
    work(2);
    at(2 * MINUTE);
    assert_int_equal(said("smsc.degraded"), -1);
}

#define NO_LINK 99

// Which link the nth change of this key in the last step is about.
static unsigned link_said(size_t nth)
{
    size_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(changes[i].key, "smsc.degraded") == 0 && seen++ == nth)
            return changes[i].link;
    }
    return NO_LINK;
}

static void each_link_that_is_down_is_named(void **state)
{
    (void)state;
    sample.links = 3;
    work(3);
    at(0);
    work(1);
    at(10 * SECOND);
    work(2); // the second one comes back in time
    at(20 * SECOND);
    at(10 * SECOND + MINUTE);
    assert_int_equal(said("smsc.degraded"), 1);
    assert_int_equal(link_said(0), 3);
    assert_int_equal(link_said(1), NO_LINK); // of no other
    sample.is_up[0] = false;
    at(11 * SECOND + MINUTE);
    at(11 * SECOND + 2 * MINUTE);
    assert_int_equal(link_said(0), 1);
    work(3);
    at(3 * MINUTE);
    assert_int_equal(said("smsc.degraded"), -1);
    assert_int_equal(link_said(0), 1);
    assert_int_equal(link_said(1), 3);
}

static void no_links_at_all_are_nobodys_failure(void **state)
{
    (void)state;
    sample.links = 0;
    at(0);
    at(10 * MINUTE);
    assert_int_equal(said("smsc.down"), 0);
}

// Over 5 % of at least 20 within 10 minutes; under 2 %.
static void error_answers_of_cards_are_counted_over_ten_minutes(void **state)
{
    (void)state;
    at(0);
    sample.counts[WATCH_PORS] = 19;
    sample.counts[WATCH_POR_ERRORS] = 19;
    at(10 * SECOND);
    assert_int_equal(said("por.error.rate"), 0); // too few to say anything
    sample.counts[WATCH_PORS] = 380;
    at(20 * SECOND);
    assert_int_equal(said("por.error.rate"), 0); // 19 of 380 are 5 %
    sample.counts[WATCH_POR_ERRORS] = 20;
    at(30 * SECOND);
    assert_int_equal(said("por.error.rate"), 1);
    for (uint64_t minute = 1; minute <= 11; minute++) {
        sample.counts[WATCH_PORS] += 10;
        at(minute * MINUTE);
        assert_int_equal(said("por.error.rate"), 0);
    }
    at(12 * MINUTE); // the errors are more than ten minutes ago
    assert_int_equal(said("por.error.rate"), -1);
}

static void between_the_limits_nothing_changes(void **state)
{
    (void)state;
    at(0);
    sample.counts[WATCH_SENT] = 1000;
    sample.counts[WATCH_THROTTLED] = 10;
    at(10 * SECOND);
    assert_int_equal(said("smsc.throttled"), 0); // 1 % is not over 1 %
    sample.counts[WATCH_THROTTLED] = 11;
    at(20 * SECOND);
    assert_int_equal(said("smsc.throttled"), 1);
    sample.counts[WATCH_SENT] = 10999;
    at(30 * SECOND);
    assert_int_equal(said("smsc.throttled"), 0); // 11 of 10,999 are over 0.1 %
    sample.counts[WATCH_SENT] = 11000;
    at(40 * SECOND);
    assert_int_equal(said("smsc.throttled"), -1);
}

static void a_slow_disk_is_seen_in_the_slowest_hundredth(void **state)
{
    (void)state;
    at(0);
    sample.counts[WATCH_COMMITS] = 1000;
    sample.counts[WATCH_COMMITS_SLOW] = 100;
    sample.counts[WATCH_COMMITS_VERY_SLOW] = 10;
    at(10 * SECOND);
    assert_int_equal(said("db.slow.commit"), 0);
    sample.counts[WATCH_COMMITS_VERY_SLOW] = 11;
    at(20 * SECOND);
    assert_int_equal(said("db.slow.commit"), 1);
    sample.counts[WATCH_COMMITS] = 2000;
    at(30 * SECOND);
    assert_int_equal(said("db.slow.commit"), 0); // still 5 % over 200 ms
    sample.counts[WATCH_COMMITS] = 10000;
    at(40 * SECOND);
    assert_int_equal(said("db.slow.commit"), -1);
}

static void a_disk_is_low_under_a_tenth_or_two_gibibytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t free, size;
        int said;
    } rows[] = {{10 * GIB - 1, 100 * GIB, 1},  {10 * GIB, 100 * GIB, 0},  {15 * GIB, 100 * GIB, 0},
                {15 * GIB + 1, 100 * GIB, -1}, {2 * GIB - 1, 4 * GIB, 1}, {2 * GIB, 4 * GIB, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].said >= 0)
            (void)start(state);
        sample.disk_free = rows[i].free;
        sample.disk_size = rows[i].size;
        at(i);
        assert_int_equal(said("db.disk.low"), rows[i].said);
    }
}

static void a_packet_that_waits_ten_minutes_says_that_the_queue_grows(void **state)
{
    (void)state;
    at(0);
    sample.oldest_ms = 10 * MINUTE;
    at(1);
    assert_int_equal(said("queue.growing"), 0);
    sample.oldest_ms = 10 * MINUTE + 1;
    at(2);
    assert_int_equal(said("queue.growing"), 1);
    sample.oldest_ms = 2 * MINUTE;
    at(3);
    assert_int_equal(said("queue.growing"), 0);
    sample.oldest_ms = 2 * MINUTE - 1;
    at(4);
    assert_int_equal(said("queue.growing"), -1);
}

static void dirty_cards_are_too_many_or_grow_too_fast(void **state)
{
    (void)state;
    sample.dirty = 20;
    at(0);
    sample.dirty = 100;
    at(1);
    assert_int_equal(said("dirty.growing"), 0); // 1 % of 10,000
    sample.dirty = 101;
    at(2);
    assert_int_equal(said("dirty.growing"), 1);
    sample.dirty = 20;
    at(3);
    assert_int_equal(said("dirty.growing"), -1);
    for (uint64_t minute = 1; minute <= 61; minute++)
        at(minute * MINUTE);
    sample.dirty = 30;
    at(62 * MINUTE);
    assert_int_equal(said("dirty.growing"), 0); // half as many again is not more
    sample.dirty = 31;
    at(62 * MINUTE + 1);
    assert_int_equal(said("dirty.growing"), 1);
}

// Two intervals of 15 minutes.
static void rows_of_the_trail_without_a_checkpoint_are_told_after_half_an_hour(void **state)
{
    (void)state;
    sample.uncovered_ms = 30 * MINUTE;
    at(0);
    assert_int_equal(said("audit.checkpoint.late"), -1);
    sample.uncovered_ms = 30 * MINUTE + 1;
    at(1);
    assert_int_equal(said("audit.checkpoint.late"), 1);
    at(2);
    assert_int_equal(said("audit.checkpoint.late"), 0);
    sample.uncovered_ms = 0;
    at(3);
    assert_int_equal(said("audit.checkpoint.late"), -1);
}

static void an_approval_that_nobody_decides_is_told_after_a_day(void **state)
{
    (void)state;
    sample.approval_ms = 24 * 60 * MINUTE;
    at(0);
    assert_int_equal(said("approval.waiting"), -1);
    sample.approval_ms = 24 * 60 * MINUTE + 1;
    at(1);
    assert_int_equal(said("approval.waiting"), 1);
    sample.approval_ms = 5 * MINUTE; // it was decided, and another one waits
    at(2);
    assert_int_equal(said("approval.waiting"), -1);
}

static void a_jump_of_the_clock_is_told_each_time(void **state)
{
    (void)state;
    at(0);
    sample.clock_step_ms = 5000;
    at(1);
    assert_int_equal(said("clock.jump"), 0);
    sample.clock_step_ms = -5001;
    at(2);
    assert_int_equal(said("clock.jump"), 1);
    at(3);
    assert_int_equal(said("clock.jump"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, start)
        TEST(what_is_well_is_said_once_after_a_start),
        TEST(without_a_link_for_30_seconds_the_smsc_is_down),
        TEST(a_link_that_comes_and_goes_is_not_up),
        TEST(one_of_several_links_down_for_a_minute_is_a_degradation),
        TEST(each_link_that_is_down_is_named),
        TEST(no_links_at_all_are_nobodys_failure),
        TEST(error_answers_of_cards_are_counted_over_ten_minutes),
        TEST(between_the_limits_nothing_changes),
        TEST(a_slow_disk_is_seen_in_the_slowest_hundredth),
        TEST(a_disk_is_low_under_a_tenth_or_two_gibibytes),
        TEST(a_packet_that_waits_ten_minutes_says_that_the_queue_grows),
        TEST(dirty_cards_are_too_many_or_grow_too_fast),
        TEST(rows_of_the_trail_without_a_checkpoint_are_told_after_half_an_hour),
        TEST(an_approval_that_nobody_decides_is_told_after_a_day),
        TEST(a_jump_of_the_clock_is_told_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
