// The call log: what was asked of the interfaces, by whom and with what result, a line for each
// minute in which it was; and the sums that are kept of it, so that nobody counts millions of
// lines. Every sum can be made again from the lines. What stores promise, and their errors, say
// store.h.
#pragma once

#include "ota-server/core/metering.h"
#include "ota-server/store/store.h"

#define CALL_OPERATION_SIZE 64 // "POST /download" and a zero; what is longer is cut

struct call_line {
    uint64_t id; // given by the store
    uint64_t tenant, client;
    uint64_t card;             // that was queried, or 0
    struct utc minute;         // its beginning
    uint32_t month;            // meter_period() of the month in which it was there
    bool is_late;              // the month was closed when the line came
    uint8_t api, kind, result; // enum meter_api, meter_operation, meter_class
    const char *operation;
    uint64_t calls;
};
// Adds to the line of the same minute and kind, and to the sums.
enum store_status store_call_add(struct store *s, const struct call_line *line) MUST_USE;

#define CALL_ANY UINT8_MAX
struct call_filter {
    uint64_t tenant; // 0: any
    uint32_t month;
    uint8_t api;    // or CALL_ANY
    uint64_t after; // lines with a higher id
};
typedef bool store_call_fn(void *context, const struct call_line *line);
// In the order of their ids.
enum store_status store_calls(struct store *s, const struct call_filter *filter,
                              const struct store_page *page, store_call_fn *each, void *context,
                              uint64_t *total) MUST_USE;

// Of an enterprise, an interface and a kind of operation in a month.
struct call_sum {
    uint64_t tenant;
    uint8_t api, kind;
    uint64_t calls[METER_CLASSES]; // on time
    uint64_t late;                 // billable ones that came when the month was closed
};
typedef bool store_call_sum_fn(void *context, const struct call_sum *sum);
// Of a filter, tenant and month.
enum store_status store_call_sums(struct store *s, const struct call_filter *filter,
                                  const struct store_page *page, store_call_sum_fn *each,
                                  void *context, uint64_t *total) MUST_USE;

// Cards that an enterprise queried with success in a period, a month or a year, and how often.
struct queried_sum {
    uint64_t tenant, cards, calls;
};
typedef bool store_queried_fn(void *context, const struct queried_sum *sum);
struct queried_filter {
    uint64_t tenant; // 0: any
    uint32_t period;
    uint8_t family; // meter_family()
};
enum store_status store_queried(struct store *s, const struct queried_filter *filter,
                                const struct store_page *page, store_queried_fn *each,
                                void *context, uint64_t *total) MUST_USE;

// Removes at most `limit` lines, and as many cards that were queried, of months that began more
// than 24 months before the present one; the sums stay.
enum store_status store_calls_expire(struct store *s, struct utc now, uint32_t limit,
                                     bool *is_more) MUST_USE;
