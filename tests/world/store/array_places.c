// When cards wake, and places among the bootstraps of their group.
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
