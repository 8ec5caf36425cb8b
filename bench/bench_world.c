// Simulated card-days per second of CPU time: worlds in a hurry, worlds as they are drawn, and a
// slow fleet; the last one also with devices that do every STATUS, as the floor. One program on
// SQLite, one on arrays: `bench_world`, `bench_world_array`.
#include "tests/world/store/kind.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <time.h>

static void ignore(void *context, struct bytes line)
{
    (void)context;
    (void)line;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

struct mix {
    const char *name;
    struct world_options options;
    uint64_t seeds;
};

static const struct mix mixes[] = {
    {"in a hurry", {.has_calm = true}, 40},
    {"as drawn", {.seed = 0}, 200},
    {"slow: 64 cards, 60 days",
     {.has_calm = true, .calm = WORLD_CALM_MAX, .cards = 64, .days = 60},
     4},
    {"the same, no device asleep",
     {.has_calm = true, .calm = WORLD_CALM_MAX, .cards = 64, .days = 60, .is_restless = true},
     1},
};

int main(void)
{
    static struct world_result r;
    printf("%s, CPU time of one core\n%-28s %9s %9s %11s %13s\n", world_store.name, "worlds",
           "card-days", "packets", "CPU seconds", "card-days/s");
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++) {
        uint64_t days = 0;
        uint64_t sent = 0;
        const double start = cpu_s();
        for (uint64_t seed = 1; seed <= mixes[i].seeds; seed++) {
            struct world_options options = mixes[i].options;
            options.seed = seed;
            options.sink = ignore;
            world_run(&options, &r);
            if (r.is_violated) {
                printf("VIOLATION %s seed=%llu\n", r.rule, (unsigned long long)seed);
                return 7;
            }
            days += r.card_days;
            sent += r.sent;
        }
        const double s = cpu_s() - start;
        printf("%-28s %9llu %9llu %11.2f %13.0f\n", mixes[i].name, (unsigned long long)days,
               (unsigned long long)sent, s, (double)days / s);
    }
    return 0;
}
