// Key figures of a window of time, from the sums of what was counted in it, and of the cards as
// they stand. Each has an id, and a definition that says what it is made of.
//
// Promises: a figure without data has no value; a rate says of how many it is one. Percentiles are
// the limit of the class in which they lie: at most so long.
#pragma once

#include "ota-server/core/figures.h"

#define FIGURE_DETAILS 160 // every detail of every figure is below it
struct figure_sums {
    int64_t counts[FIGURES][FIGURE_DETAILS];
};

// Cards as they stand.
struct kpi_cards {
    uint64_t seen; // from their first contact until they are retired
    uint64_t dirty, on_fallback;
};

enum kpi_form {
    KPI_PERCENT,  // part of whole, in thousandths
    KPI_MEAN,     // part by whole, in tenths
    KPI_DURATION, // seconds
};

struct kpi {
    const char *id;         // "operation-success-rate"
    const char *definition; // for people
    enum kpi_form form;
    bool is_now;  // of the cards as they stand, not of the window
    uint8_t kind; // enum operation_kind that it is about; OPERATION_NONE: any
    // Percent and mean.
    uint64_t part, whole;
    bool has_value;
    int64_t value;
    // Duration.
    uint64_t count;
    uint64_t classes[FIGURE_CLASSES];
    uint8_t p50, p95, p99; // classes, when count > 0
};

#define KPI_COUNT 25
// The figure at `index`, below KPI_COUNT.
void kpi_make(const struct figure_sums *sums, const struct kpi_cards *cards, unsigned index,
              struct kpi *out);
// The class in which `percent` of `count` lie [nearest rank]; count is above 0.
uint8_t kpi_percentile(const uint64_t classes[FIGURE_CLASSES], uint64_t count, unsigned percent);
