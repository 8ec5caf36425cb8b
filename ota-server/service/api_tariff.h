// Price tables: one for an interface and a kind of operation, of all enterprises or of one, from a
// month on. Internal.
#pragma once

#include "ota-server/core/metering.h"
#include "ota-server/service/api_exchange.h"

#define TARIFF_UNIT_MAX 32
struct tariff {
    uint64_t id; // 0: there is none
    uint32_t valid_from;
    char unit[TARIFF_UNIT_MAX + 1]; // of prices: "CNY 0.01"
    struct meter_tier tiers[METER_TIERS_MAX];
    size_t tier_count;
};

// What every table is for; to be found by.
#define TARIFFS_MAX 500
struct tariff_key {
    uint64_t id, enterprise; // enterprise 0: all
    uint32_t valid_from;
    uint8_t api, kind;
};
struct tariffs {
    struct tariff_key keys[TARIFFS_MAX];
    size_t count;
};
enum store_status tariffs_load(struct store *store, struct tariffs *out) MUST_USE;
// The table that holds in a month: the enterprise's own, or else that of all; the last one.
enum store_status tariff_find(struct store *store, const struct tariffs *tariffs,
                              const struct tariff_key *wanted, struct tariff *out) MUST_USE;

// "2026-07" as meter_period(); 0 for another text. And the reverse, for a year "2026".
uint32_t api_month_read(struct bytes text);
#define API_MONTH_SIZE 8
const char *api_month_write(uint32_t period, char text[API_MONTH_SIZE]);
extern const char *const api_meter_kinds[];
extern const char *const api_meter_apis[];
