// Metering: months as a customer's calendar has them, what is billed, and graduated tiers.
#include "tests/lib/cmocka_all.h"

#include "ota-server/core/metering.h"

#define HOUR INT64_C(3600000)

// Berlin in 2026: summer time from 29 March, 01:00 UTC, to 25 October, 01:00 UTC.
static const struct meter_offset berlin_offsets[] = {
    {{0}, 60}, {{1774746000000}, 120}, {{1792890000000}, 60}};
static const struct meter_zone berlin = {berlin_offsets, 3};
static const struct meter_offset utc_offsets[] = {{{0}, 0}};
static const struct meter_zone zulu = {utc_offsets, 1};
static const struct meter_offset kathmandu_offsets[] = {{{0}, 345}};
static const struct meter_zone kathmandu = {kathmandu_offsets, 1};

static void expect_month(struct utc at, const struct meter_zone *zone, unsigned year,
                         unsigned month)
{
    const struct meter_month m = meter_month_of(at, zone);
    assert_int_equal(m.year, year);
    assert_int_equal(m.month, month);
}

// `date -u -d 2026-07-31T22:00:00Z +%s` is 1785535200.
static void a_month_begins_when_it_does_for_the_customer(void **state)
{
    (void)state;
    const struct utc begin = {1785535200000}; // 1 August, 00:00 in Berlin
    struct utc from;
    struct utc to;
    expect_month((struct utc){begin.ms - 1}, &berlin, 2026, 7);
    expect_month(begin, &berlin, 2026, 8);
    expect_month(begin, &zulu, 2026, 7);
    expect_month(begin, &kathmandu, 2026, 8); // since 18:15 UTC
    meter_month_span((struct meter_month){2026, 8}, &berlin, &from, &to);
    assert_int_equal(from.ms, begin.ms);
    assert_int_equal(to.ms, begin.ms + 31 * 24 * HOUR);
    meter_month_span((struct meter_month){2026, 8}, &kathmandu, &from, &to);
    assert_int_equal(from.ms, begin.ms + 2 * HOUR - 345 * 60000);
}

// March loses an hour, October gains one.
static void a_change_of_the_clock_is_in_its_month(void **state)
{
    (void)state;
    struct utc from;
    struct utc to;
    meter_month_span((struct meter_month){2026, 3}, &berlin, &from, &to);
    assert_int_equal(to.ms - from.ms, 31 * 24 * HOUR - HOUR);
    meter_month_span((struct meter_month){2026, 10}, &berlin, &from, &to);
    assert_int_equal(to.ms - from.ms, 31 * 24 * HOUR + HOUR);
    expect_month((struct utc){to.ms - 1}, &berlin, 2026, 10);
    expect_month(to, &berlin, 2026, 11);
}

// 2028-02-29 23:59:59.999 and the first of March: 1835481600; 2026-12-31 to 2027: 1798761600.
static void leap_days_and_years_end(void **state)
{
    (void)state;
    struct utc from;
    struct utc to;
    expect_month((struct utc){1835481599999}, &zulu, 2028, 2);
    expect_month((struct utc){1835481600000}, &zulu, 2028, 3);
    expect_month((struct utc){1798761599999}, &zulu, 2026, 12);
    expect_month((struct utc){1798761600000}, &zulu, 2027, 1);
    expect_month((struct utc){0}, &zulu, 1970, 1);
    meter_month_span((struct meter_month){2028, 2}, &zulu, &from, &to);
    assert_int_equal(to.ms - from.ms, 29 * 24 * HOUR);
    meter_month_span((struct meter_month){2026, 12}, &zulu, &from, &to);
    assert_int_equal(to.ms, 1798761600000);
}

static void only_a_first_success_is_billed(void **state)
{
    (void)state;
    assert_int_equal(meter_class_of(200, false, false), METER_BILLABLE);
    assert_int_equal(meter_class_of(299, false, false), METER_BILLABLE);
    assert_int_equal(meter_class_of(200, true, false), METER_REPEATED);
    assert_int_equal(meter_class_of(200, false, true), METER_DRY);
    assert_int_equal(meter_class_of(401, false, false), METER_REFUSED);
    assert_int_equal(meter_class_of(403, true, false), METER_REFUSED);
    assert_int_equal(meter_class_of(429, false, false), METER_REFUSED);
    assert_int_equal(meter_class_of(404, false, false), METER_FAILED);
    assert_int_equal(meter_class_of(300, false, false), METER_FAILED);
    assert_int_equal(meter_class_of(503, false, false), METER_FAILED);
}

// Card 5 is asked for twice in July and once in August, by another enterprise too.
static void a_card_counts_once_in_a_month_and_once_in_a_year(void **state)
{
    (void)state;
    const struct meter_month july = {2026, 7};
    const struct meter_month august = {2026, 8};
    const struct meter_query history[] = {{1, 5, {2026, 7}}, {1, 9, {2026, 7}}, {2, 5, {2026, 7}},
                                          {1, 5, {2026, 7}}, {1, 5, {2026, 8}}, {1, 3, {2026, 8}},
                                          {1, 0, {2025, 7}}};
    struct meter_query q[7];
    memcpy(q, history, sizeof(q));
    assert_int_equal(meter_distinct_cards(q, 7, 1, july), 2);
    assert_int_equal(meter_distinct_cards(q, 7, 1, august), 2);
    assert_int_equal(meter_distinct_cards(q, 7, 1, (struct meter_month){2026, 0}), 3);
    assert_int_equal(meter_distinct_cards(q, 7, 2, july), 1);
    assert_int_equal(meter_distinct_cards(q, 7, 3, july), 0);
    assert_int_equal(meter_distinct_cards(q, 7, 1, (struct meter_month){2025, 0}), 1); // card 0
    assert_int_equal(meter_distinct_cards(q, 0, 1, july), 0);
}

// 1 to 1000 at 5, to 5000 at 3, all others at 2.
static const struct meter_tier tiers[] = {{1, 1000, 5}, {1001, 5000, 3}, {5001, 0, 2}};

static int64_t amount_of(uint64_t before, int64_t calls)
{
    struct meter_line lines[METER_TIERS_MAX];
    int64_t amount = 0;
    const size_t count = meter_price(tiers, 3, before, calls, lines);
    for (size_t i = 0; i < count; i++)
        amount += lines[i].amount;
    return amount;
}

static void each_call_is_priced_in_the_tier_into_which_it_falls(void **state)
{
    (void)state;
    struct meter_line lines[METER_TIERS_MAX];
    assert_int_equal(amount_of(0, 0), 0);
    assert_int_equal(amount_of(0, 1), 5);
    assert_int_equal(amount_of(0, 999), 4995);
    assert_int_equal(amount_of(0, 1000), 5000);
    assert_int_equal(amount_of(0, 1001), 5003);
    assert_int_equal(amount_of(0, 5000), 17000); // 5000 + 4000 * 3
    assert_int_equal(amount_of(0, 5001), 17002);
    assert_int_equal(meter_price(tiers, 3, 0, 6000, lines), 3);
    assert_int_equal(lines[0].calls, 1000);
    assert_int_equal(lines[1].calls, 4000);
    assert_int_equal(lines[1].amount, 12000);
    assert_int_equal(lines[2].calls, 1000);
    assert_int_equal(lines[2].amount, 2000);
    assert_int_equal(meter_price(tiers, 3, 1000, 1, lines), 1);
    assert_int_equal(lines[0].tier.from, 1001);
}

static void parts_of_a_month_cost_what_the_month_costs(void **state)
{
    (void)state;
    for (uint64_t at = 990; at < 1010; at++)
        assert_int_equal(amount_of(0, (int64_t)at) + amount_of(at, 5100 - (int64_t)at),
                         amount_of(0, 5100));
}

// What is found later adds lines; what was too much takes them back from where they fell.
static void a_correction_is_lines_of_its_own(void **state)
{
    (void)state;
    struct meter_line lines[METER_TIERS_MAX];
    assert_int_equal(amount_of(1001, -2), -(3 + 5));
    assert_int_equal(amount_of(0, 1001) + amount_of(1001, -2), amount_of(0, 999));
    assert_int_equal(meter_price(tiers, 3, 1001, -2, lines), 2);
    assert_int_equal(lines[0].calls, -1);
    assert_int_equal(lines[1].calls, -1);
    assert_int_equal(meter_price(tiers, 3, 7, -7, lines), 1);
    assert_int_equal(lines[0].amount, -35);
}

static void a_price_table_covers_every_call_once(void **state)
{
    (void)state;
    static const struct {
        struct meter_tier tiers[2];
        size_t count;
        enum meter_table_status status;
    } rows[] = {
        {{{1, 0, 0}}, 1, METER_TABLE_OK},
        {{{1, 1, 7}, {2, 0, 7}}, 2, METER_TABLE_OK},
        {{{1, 0, 0}}, 0, METER_TABLE_EMPTY},
        {{{0, 0, 1}}, 1, METER_TABLE_GAP},
        {{{2, 0, 1}}, 1, METER_TABLE_GAP},
        {{{1, 9, 1}, {11, 0, 1}}, 2, METER_TABLE_GAP},
        {{{1, 9, 1}, {9, 0, 1}}, 2, METER_TABLE_GAP},
        {{{1, 9, 1}}, 1, METER_TABLE_END},
        {{{1, 0, 1}, {1, 0, 1}}, 2, METER_TABLE_END},
        {{{1, 0, -1}}, 1, METER_TABLE_PRICE},
        {{{1, 0, 1000000}}, 1, METER_TABLE_OK},
        {{{1, 0, 1000001}}, 1, METER_TABLE_PRICE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(meter_table_judge(rows[i].tiers, rows[i].count), rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_begins_when_it_does_for_the_customer),
        cmocka_unit_test(a_change_of_the_clock_is_in_its_month),
        cmocka_unit_test(leap_days_and_years_end),
        cmocka_unit_test(only_a_first_success_is_billed),
        cmocka_unit_test(a_card_counts_once_in_a_month_and_once_in_a_year),
        cmocka_unit_test(each_call_is_priced_in_the_tier_into_which_it_falls),
        cmocka_unit_test(parts_of_a_month_cost_what_the_month_costs),
        cmocka_unit_test(a_correction_is_lines_of_its_own),
        cmocka_unit_test(a_price_table_covers_every_call_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
