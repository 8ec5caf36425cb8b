#include "ota-server/core/metering.h"

#include "common/base/check.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (INT64_C(24) * 60 * MINUTE_MS)
#define PRICE_MAX INT64_C(1000000)

// --- months -----------------------------------------------------------------------------------

// Days from 1970-01-01 to the first of a month, in the proleptic Gregorian calendar: years begin in
// March, so that the leap day is the last of one.
static int64_t days_before(struct meter_month m)
{
    const int64_t year = (int64_t)m.year - (m.month <= 2);
    const int64_t month = (m.month + 9) % 12;
    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 - 719468;
}

static struct meter_month next_of(struct meter_month m)
{
    return m.month == 12 ? (struct meter_month){(uint16_t)(m.year + 1), 1}
                         : (struct meter_month){m.year, (uint8_t)(m.month + 1)};
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct meter_month meter_month_of(struct utc at, int minutes)
{
    const int64_t day = floor_div(at.ms + minutes * MINUTE_MS, DAY_MS);
    struct meter_month m = {(uint16_t)(1970 + floor_div(day, 366)), 1}; // not behind the year
    while (days_before(next_of(m)) <= day)
        m = next_of(m);
    return m;
}

bool meter_month_is_before(struct meter_month a, struct meter_month b)
{
    return meter_period(a) < meter_period(b);
}

// --- interfaces -------------------------------------------------------------------------------

const char *meter_api_name(enum meter_api api)
{
    static const char *const names[] = {"A", "B", "C", "D", "E", "F"};
    return names[api];
}

enum meter_api meter_family(enum meter_api api)
{
    return api == METER_B ? METER_A : api;
}

// --- calls ------------------------------------------------------------------------------------

enum meter_class meter_class_of(unsigned status, bool is_replayed, bool is_dry)
{
    if (status == 401 || status == 403 || status == 429)
        return METER_REFUSED;
    if (status < 200 || status >= 300)
        return METER_FAILED;
    if (is_dry)
        return METER_DRY;
    return is_replayed ? METER_REPEATED : METER_BILLABLE;
}

// --- tiers ------------------------------------------------------------------------------------

enum meter_table_status meter_table_judge(const struct meter_tier *tiers, size_t count)
{
    if (count == 0 || count > METER_TIERS_MAX)
        return METER_TABLE_EMPTY;
    for (size_t i = 0; i < count; i++) {
        if (tiers[i].from != (i == 0 ? 1 : tiers[i - 1].to + 1))
            return METER_TABLE_GAP;
        if ((tiers[i].to == 0) != (i + 1 == count) ||
            (tiers[i].to != 0 && (tiers[i].to < tiers[i].from || tiers[i].to >= METER_CALLS_MAX)))
            return METER_TABLE_END;
        if (tiers[i].unit_price < 0 || tiers[i].unit_price > PRICE_MAX)
            return METER_TABLE_PRICE;
    }
    return METER_TABLE_OK;
}

// Calls number `first` to `last` that fall into the tier.
static uint64_t calls_in(const struct meter_tier *t, uint64_t first, uint64_t last)
{
    const uint64_t from = t->from > first ? t->from : first;
    const uint64_t to = t->to != 0 && t->to < last ? t->to : last;
    return to >= from ? to - from + 1 : 0;
}

size_t meter_price(const struct meter_tier *tiers, size_t count, uint64_t before, int64_t calls,
                   struct meter_line lines[METER_TIERS_MAX])
{
    check(meter_table_judge(tiers, count) == METER_TABLE_OK);
    check(calls >= 0 || (uint64_t)-calls <= before);
    const uint64_t after = before + (uint64_t)calls;
    check(before <= METER_CALLS_MAX && after <= METER_CALLS_MAX);
    const uint64_t first = (calls >= 0 ? before : after) + 1;
    const uint64_t last = calls >= 0 ? after : before;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t sign = calls >= 0 ? 1 : -1;
        const int64_t in = sign * (int64_t)calls_in(&tiers[i], first, last);
        if (in != 0)
            lines[used++] = (struct meter_line){tiers[i], in, in * tiers[i].unit_price};
    }
    return used;
}
