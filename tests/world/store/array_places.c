// When cards wake, places among the bootstraps of their group, and what leaves after its time.
#include "common/base/check.h"
#include "ota-server/store/places.h"
#include "tests/world/store/array.h"

struct wake_place *wake_of(struct store *s, uint64_t card)
{
    uint32_t index = 0;
    struct wake_place *v = row_with(s, WAKES, card, &index);
    while (v != NULL && v->card != card)
        v = row_with(s, WAKES, card, &index);
    check(v != NULL);
    row_keep(s, v, sizeof *v);
    return v;
}

bool store_pools_filled(struct store *s)
{
    const bool has_filled = s->has_filled;
    s->has_filled = false;
    return has_filled;
}

enum store_status store_places_held(struct store *s, uint64_t group, uint32_t limit,
                                    uint64_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < s->rows[WAKES].count && *count < limit; i++) {
        const struct wake_place *v = row_at(s, WAKES, i);
        *count += v->group == group && v->place == PLACE_HELD;
    }
    return STORE_OK;
}

enum store_status store_place_next(struct store *s, uint64_t group, uint64_t *card)
{
    const struct wake_place *best = NULL; // their ids ascend
    for (uint32_t i = 0; i < s->rows[WAKES].count; i++) {
        const struct wake_place *v = row_at(s, WAKES, i);
        if (v->group == group && v->place > 0 && (best == NULL || v->place < best->place))
            best = v;
    }
    if (best == NULL)
        return STORE_NONE;
    *card = best->card;
    return STORE_OK;
}

enum store_status store_place_group(struct store *s, uint64_t after, uint64_t *group)
{
    *group = UINT64_MAX;
    for (uint32_t i = 0; i < s->rows[WAKES].count; i++) {
        const struct wake_place *v = row_at(s, WAKES, i);
        if (v->group > after && v->place > 0 && v->group < *group)
            *group = v->group;
    }
    return *group == UINT64_MAX ? STORE_NONE : STORE_OK;
}

enum store_status store_place_postpone(struct store *s, uint64_t card, struct utc at)
{
    struct wake_place *v = wake_of(s, card);
    if (v->at_ms <= 0 || v->at_ms > at.ms)
        v->at_ms = at.ms;
    v->place = PLACE_NONE;
    return STORE_OK;
}

// --- what leaves ------------------------------------------------------------------------------

#define DAY_MS INT64_C(86400000)

// The time of a row that leaves with it.
static int64_t *time_of(struct store *s, int kind, uint32_t index)
{
    void *row = row_at(s, kind, index);
    return kind == PARTS ? &((struct part_place *)row)->at_ms
                         : &((struct receipt_place *)row)->at_ms;
}

// Those that are gone up to the first that stays are not looked at again.
static void sweep(struct store *s, int kind, int64_t before_ms)
{
    uint32_t gone = s->swept[kind];
    for (uint32_t i = gone; i < s->rows[kind].count; i++) {
        int64_t *at_ms = time_of(s, kind, i);
        if (*at_ms != ARRAY_SWEPT && *at_ms < before_ms) {
            row_keep(s, at_ms, sizeof *at_ms);
            *at_ms = ARRAY_SWEPT;
        }
        gone += i == gone && *at_ms == ARRAY_SWEPT;
    }
    if (gone > s->swept[kind])
        row_keep(s, &s->swept[kind], sizeof s->swept[kind]);
    s->swept[kind] = gone;
}

// As the other store does: parts after a day, receipts after 7 d, whatever a clock does later; the
// rest is not kept.
enum store_status store_sweep(struct store *s, struct utc now)
{
    sweep(s, PARTS, now.ms - DAY_MS);
    sweep(s, RECEIPTS, now.ms - 7 * DAY_MS);
    return STORE_OK;
}
