// Metering: months as a customer's calendar has them, what is billed, and graduated tiers.
#include "tests/lib/cmocka_all.h"

#include "ota-server/core/metering.h"

#define HOUR INT64_C(3600000)

static void expect_month(int64_t ms, int minutes, unsigned year, unsigned month)
{
    const struct meter_month m = meter_month_of((struct utc){ms}, minutes);
    assert_int_equal(m.year, year);
    assert_int_equal(m.month, month);
}

// `date -u -d 2026-07-31T22:00:00Z +%s` is 1785535200: 1 August, 00:00 in Berlin.
static void a_month_begins_when_it_does_for_the_customer(void **state)
{
    (void)state;
    const int64_t begin = 1785535200000;
    expect_month(begin - 1, 120, 2026, 7);
    expect_month(begin, 120, 2026, 8);
    expect_month(begin, 0, 2026, 7);
    expect_month(begin, 345, 2026, 8);             // since 18:15 UTC in Kathmandu
    expect_month(begin + 2 * HOUR, -300, 2026, 7); // until 05:00 UTC in Bogota
    expect_month(begin + 7 * HOUR, -300, 2026, 8);
}

// 2028-02-29 23:59:59.999 and the first of March: 1835481600; 2026-12-31 to 2027: 1798761600.
static void leap_days_and_years_end(void **state)
{
    (void)state;
    expect_month(1835481599999, 0, 2028, 2);
    expect_month(1835481600000, 0, 2028, 3);
    expect_month(1798761599999, 0, 2026, 12);
    expect_month(1798761600000, 0, 2027, 1);
    expect_month(0, 0, 1970, 1);
    assert_int_equal(meter_period((struct meter_month){2026, 7}), 202607);
    assert_int_equal(meter_year_of(202607), 202699);
    assert_true(
        meter_month_is_before((struct meter_month){2026, 12}, (struct meter_month){2027, 1}));
    assert_false(
        meter_month_is_before((struct meter_month){2027, 1}, (struct meter_month){2027, 1}));
}

static void two_forms_of_one_service_count_a_card_once(void **state)
{
    (void)state;
    assert_int_equal(meter_family(METER_B), meter_family(METER_A));
    assert_int_not_equal(meter_family(METER_E), meter_family(METER_A));
    assert_string_equal(meter_api_name(METER_F), "F");
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
        cmocka_unit_test(leap_days_and_years_end),
        cmocka_unit_test(only_a_first_success_is_billed),
        cmocka_unit_test(two_forms_of_one_service_count_a_card_once),
        cmocka_unit_test(each_call_is_priced_in_the_tier_into_which_it_falls),
        cmocka_unit_test(parts_of_a_month_cost_what_the_month_costs),
        cmocka_unit_test(a_correction_is_lines_of_its_own),
        cmocka_unit_test(a_price_table_covers_every_call_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
