// Chance that can be repeated: one seed, and from it one independent stream per (component,
// number), so that more draws in one place do not shift the draws of another. Not for keys: see
// host/entropy.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

// The stream of `component` (a short constant text) and `number` under `seed`.
void prng_init(struct prng *p, uint64_t seed, const char *component, uint64_t number);
uint64_t prng_next(struct prng *p);
// Uniform in 0 .. bound - 1; 0 when bound is 0.
uint64_t prng_below(struct prng *p, uint64_t bound);
// True in `per_million` of a million draws.
bool prng_chance(struct prng *p, uint32_t per_million);
