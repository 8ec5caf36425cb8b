// Places among the bootstraps of a group, as core/record.h says whose is which: written with the
// cards' records, asked for here. What stores promise, and their errors, say store.h.
#pragma once

#include "ota-server/store/store.h"

// How many are held, counted up to `limit`.
enum store_status store_places_held(struct store *s, uint64_t group, uint32_t limit,
                                    uint64_t *count) MUST_USE;
// The card that is next; STORE_NONE: nobody waits.
enum store_status store_place_next(struct store *s, uint64_t group, uint64_t *card) MUST_USE;
// The next group behind `after` in which cards wait; STORE_NONE: there is none.
enum store_status store_place_group(struct store *s, uint64_t after, uint64_t *group) MUST_USE;
// Takes a card that waits out of the queue until its next event, and wakes it at `at`.
enum store_status store_place_postpone(struct store *s, uint64_t card, struct utc at) MUST_USE;
// Since this was asked last, could a pool have got what a bootstrap waits for?
bool store_pools_filled(struct store *s);
