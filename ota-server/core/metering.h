// What an enterprise is charged for in a month: which calls count, and their graduated tiers.
//
// Promises: every figure can be computed again from the calls, in any order; refused and failed
// calls, repetitions under one idempotency key and dry runs are never billed; a month that is
// closed is not changed: what is found later becomes lines of their own that add to it. Never:
// knows currencies; amounts are in whatever unit the price table uses.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

// --- months -----------------------------------------------------------------------------------

struct meter_month {
    uint16_t year;
    uint8_t month; // 1 to 12
};
// The month in which a moment lies where clocks are `minutes` east of Greenwich at that moment.
struct meter_month meter_month_of(struct utc at, int minutes);
bool meter_month_is_before(struct meter_month a, struct meter_month b);

// A month as one number, 202607, and the year of such a number: 202699, behind its months.
static inline uint32_t meter_period(struct meter_month m)
{
    return m.year * 100u + m.month;
}

static inline uint32_t meter_year_of(uint32_t month)
{
    return month / 100 * 100 + 99;
}

// --- interfaces -------------------------------------------------------------------------------

// The interfaces whose calls are metered, by the letters of the contract.
enum meter_api { METER_A, METER_B, METER_C, METER_D, METER_E, METER_F };
const char *meter_api_name(enum meter_api api); // "A"
// Under which the cards that were queried count: A and B are two forms of one service.
enum meter_api meter_family(enum meter_api api);
// What a call asks for: to see, or to change something.
enum meter_operation { METER_QUERY, METER_CHANGE };

// --- calls ------------------------------------------------------------------------------------

enum meter_class {
    METER_BILLABLE,
    METER_REPEATED, // under the same idempotency key
    METER_DRY,
    METER_REFUSED, // 401, 403, 429
    METER_FAILED,  // every other answer that is not 2xx
};
#define METER_CLASSES (METER_FAILED + 1)
enum meter_class meter_class_of(unsigned status, bool is_replayed, bool is_dry);

// --- tiers ------------------------------------------------------------------------------------

#define METER_TIERS_MAX 16
struct meter_tier {
    uint64_t from, to; // of the month's calls, from 1; to 0: without end
    int64_t unit_price;
};

enum meter_table_status {
    METER_TABLE_OK,
    METER_TABLE_EMPTY,
    METER_TABLE_GAP,   // a tier does not begin behind the one before, or the first not at 1
    METER_TABLE_END,   // the last one ends, or one before it does not
    METER_TABLE_PRICE, // below 0, or so high that amounts cannot be added
};
enum meter_table_status meter_table_judge(const struct meter_tier *tiers, size_t count) MUST_USE;

// What `calls` more cost when there were `before`: each in the tier into which it falls. A line for
// each tier that is touched; their number. With calls below 0, as many are taken back from the end.
struct meter_line {
    struct meter_tier tier;
    int64_t calls, amount;
};
#define METER_CALLS_MAX 1000000000000ull // in a month
size_t meter_price(const struct meter_tier *tiers, size_t count, uint64_t before, int64_t calls,
                   struct meter_line lines[METER_TIERS_MAX]);
