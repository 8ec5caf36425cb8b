// Time zones: names of the system's tables, and offsets at a moment.
#include "common/host/zone.h"
#include "tests/lib/cmocka_all.h"

#define JULY ((struct utc){1785535200000})    // 2026-07-31T22:00:00Z, as `date` says
#define JANUARY ((struct utc){1798761600000}) // 2027-01-01T00:00:00Z

static void a_zone_has_a_name_or_an_offset(void **state)
{
    (void)state;
    static const char *const known[] = {"UTC", "+08:00", "-03:30", "Asia/Shanghai",
                                        "Europe/Berlin"};
    static const char *const unknown[] = {
        "",       "Berlin",  "asia/shanghai", "../../etc/passwd", "/etc/passwd", "+8:00", "+15:00",
        "+08:60", "+08:00 ", ":UTC",          "Europe",           "leapseconds"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_true(zone_is_known(known[i]));
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_false(zone_is_known(unknown[i]));
        assert_int_equal(zone_minutes(unknown[i], JULY), 0);
    }
}

static void an_offset_is_that_of_the_moment(void **state)
{
    (void)state;
    for (unsigned again = 0; again < 2; again++) { // one zone after the other
        assert_int_equal(zone_minutes("Europe/Berlin", JULY), 120);
        assert_int_equal(zone_minutes("Asia/Shanghai", JULY), 480);
        assert_int_equal(zone_minutes("Europe/Berlin", JANUARY), 60);
        assert_int_equal(zone_minutes("Asia/Kathmandu", JANUARY), 345);
        assert_int_equal(zone_minutes("UTC", JULY), 0);
        assert_int_equal(zone_minutes("-03:30", JULY), -210);
    }
}

// By Directive 2000/84/EC summer time ends on the last Sunday of October at 01:00 UTC, which
// `date -u -d 2026-10-25T01:00:00Z +%s` says is 1792890000.
static void summer_time_ends_at_its_second(void **state)
{
    (void)state;
    assert_int_equal(zone_minutes("Europe/Berlin", (struct utc){1792889999999}), 120);
    assert_int_equal(zone_minutes("Europe/Berlin", (struct utc){1792890000000}), 60);
}

static void expect_offset(const char *name, int64_t now_ms, int now_min, int then_min, int64_t at)
{
    const struct utc_offset o = zone_offset(name, (struct utc){now_ms});
    assert_int_equal(o.now_min, now_min);
    assert_int_equal(o.then_min, then_min);
    assert_int_equal(o.changes_at.ms, at);
}

// Europe changes at 01:00 UTC on the last Sundays of March and October; New York at 02:00 of its
// clocks on the second Sunday of March and the first of November [15 U.S.C. 260a].
static void an_offset_tells_its_next_change(void **state)
{
    (void)state;
    const int64_t day = 86400000;
    const int64_t march = INT64_C(1774746000000);   // 2026-03-29T01:00:00Z
    const int64_t october = INT64_C(1792890000000); // 2026-10-25T01:00:00Z
    expect_offset("Europe/Berlin", march - day, 60, 120, march);
    expect_offset("Europe/Berlin", march - 1, 60, 120, march);
    expect_offset("Europe/Berlin", march, 120, 120, 0);
    expect_offset("Europe/Berlin", october - ZONE_AHEAD_DAYS * day, 120, 60, october);
    expect_offset("Europe/Berlin", october - ZONE_AHEAD_DAYS * day - 1000, 120, 120, 0);
    const int64_t begins = INT64_C(1772953200000); // 2026-03-08T07:00:00Z
    const int64_t ends = INT64_C(1793512800000);   // 2026-11-01T06:00:00Z
    expect_offset("America/New_York", begins - 3 * day, -300, -240, begins);
    expect_offset("America/New_York", ends - 3 * day, -240, -300, ends);
    expect_offset("Asia/Shanghai", march - day, 480, 480, 0);
    expect_offset("-03:30", march - day, -210, -210, 0);
    expect_offset("UTC", march - day, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_has_a_name_or_an_offset),
        cmocka_unit_test(an_offset_is_that_of_the_moment),
        cmocka_unit_test(summer_time_ends_at_its_second),
        cmocka_unit_test(an_offset_tells_its_next_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
