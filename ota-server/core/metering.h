// What an enterprise is charged for in a month: calls by graduated tiers, and distinct cards.
//
// Promises: every figure can be computed again from the calls, in any order; refused and failed
// calls, repetitions under one idempotency key and dry runs are never billed; a month that is
// closed is not changed: what is found later becomes lines of their own that add to it. Never:
// knows currencies; amounts are in whatever unit the price table uses.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

// --- months -----------------------------------------------------------------------------------

// How a place's clock differs from UTC, from a time on; in ascending order, the first for ever
// before.
struct meter_zone {
    const struct meter_offset {
        struct utc from;
        int16_t minutes; // east of Greenwich
    } * offsets;
    size_t count; // at least 1
};

struct meter_month {
    uint16_t year;
    uint8_t month; // 1 to 12
};
// The month in which a moment lies for people there.
struct meter_month meter_month_of(struct utc at, const struct meter_zone *zone);
// Its first moment, and the first of the next one.
void meter_month_span(struct meter_month month, const struct meter_zone *zone, struct utc *from,
                      struct utc *to);

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

// A successful query of a card.
struct meter_query {
    uint64_t enterprise, card;
    struct meter_month month;
};
// How many cards were queried by an enterprise in a month (`month` 0: in the year). Sorts the
// queries.
size_t meter_distinct_cards(struct meter_query *queries, size_t count, uint64_t enterprise,
                            struct meter_month month);

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
