#include "common/base/prng.h"

// xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64 as its authors advise.
static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

void prng_init(struct prng *p, uint64_t seed, const char *component, uint64_t number)
{
    uint64_t state = seed;
    for (const char *c = component; *c != '\0'; c++) {
        state ^= (uint8_t)*c;
        state = splitmix(&state);
    }
    state ^= number;
    state = splitmix(&state);
    for (int i = 0; i < 4; i++)
        p->state[i] = splitmix(&state);
}

uint64_t prng_next(struct prng *p)
{
    uint64_t *s = p->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
    if (bound == 0)
        return 0;
    // Draws at or above the largest multiple of `bound` would favour small results: draw again.
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value;
    do
        value = prng_next(p);
    while (value >= limit);
    return value % bound;
}

bool prng_chance(struct prng *p, uint32_t per_million)
{
    return prng_below(p, 1000000) < per_million;
}
