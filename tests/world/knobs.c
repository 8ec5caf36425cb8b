#include "tests/world/knobs.h"

#include <string.h>

struct range {
    const char *name;
    uint32_t least;
    uint32_t most;
};

static const struct range ranges[] = {
#define KNOB(name, least, most) {#name, least, most},
    KNOBS(KNOB)
#undef KNOB
};
_Static_assert(sizeof ranges / sizeof ranges[0] == KNOB_COUNT, "every knob has its range");
_Static_assert(sizeof(struct knobs) == KNOB_COUNT * sizeof(uint64_t), "a row of numbers");

// Log-uniform without floating point: doublings first, then a place within the last one.
static uint32_t draw(struct prng *p, const struct range *range)
{
    uint32_t doublings = 0;
    while (range->most >> (doublings + 1) >= range->least)
        doublings++;
    uint64_t base = (uint64_t)range->least << prng_below(p, doublings + 1);
    uint64_t value = base + prng_below(p, base);
    return value < range->most ? (uint32_t)value : range->most;
}

static bool is_time(const struct range *range)
{
    const size_t len = strlen(range->name);
    return len > 3 && strcmp(range->name + len - 3, "_ms") == 0;
}

void knobs_draw(struct knobs *knobs, uint64_t seed, uint32_t calm)
{
    uint64_t values[KNOB_COUNT];
    for (unsigned i = 0; i < KNOB_COUNT; i++) {
        struct prng p;
        if (i < KNOB_NAMED)
            prng_init(&p, seed, "knob", i);
        else
            prng_init(&p, seed, ranges[i].name, 0);
        const bool is_on = i < KNOB_SELDOM ? prng_below(&p, 2) != 0 : prng_below(&p, 8) == 0;
        values[i] = is_on ? draw(&p, &ranges[i]) : 0;
        if (is_time(&ranges[i]))
            values[i] <<= calm;
    }
    memcpy(knobs, values, sizeof values);
}

void knobs_calm(struct knobs *knobs)
{
    memset(knobs, 0, sizeof *knobs);
}

const char *knob_name(unsigned index)
{
    return ranges[index].name;
}

void knob_set(struct knobs *knobs, unsigned index, uint64_t value)
{
    uint64_t values[KNOB_COUNT];
    memcpy(values, knobs, sizeof values);
    values[index] = value;
    memcpy(knobs, values, sizeof values);
}

uint64_t knob_value(const struct knobs *knobs, unsigned index)
{
    uint64_t values[KNOB_COUNT];
    memcpy(values, knobs, sizeof values);
    return values[index];
}
