// ota-world: runs simulated worlds, one for each seed, and says of each whether everything held.
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/world/store/kind.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINES 30
#define LINE_SIZE 320
#define EXIT_VIOLATION 7
#define EXIT_USAGE 2
#define RANGES_MAX 32

static const char help_text[] =
    "usage: ota-world --seed N | --seeds A..B,... [--cards N] [--days N] [--calm N] "
    "[--trace FILE] [--probes] [--canary] [--restless]\n"
    "\n"
    "Simulates cards, devices, networks, a message centre and the OTA server on a virtual clock,\n"
    "with faults drawn from the seed, and checks after every event what was promised.\n"
    "\n"
    "  --seed N       one world\n"
    "  --seeds A..B,C the worlds of all these seeds, up to the first violation\n"
    "  --cards N      so many cards, 1 to 64; otherwise the seed says\n"
    "  --days N       so many days with faults, 1 to 60; otherwise the seed says\n"
    "  --calm N       everything takes 2 to the N times as long, N 0 to 8; otherwise the seed "
    "says\n"
    "  --trace FILE   writes every line of the story (of the last world)\n"
    "  --probes       lists the rare situations that were never met\n"
    "  --canary       one checker fails on purpose\n"
    "  --restless     devices at rest do every STATUS octet by octet: the same story, slower\n"
    "\n"
    "Prints `PASSED seed card-days events hash` for each world, or `VIOLATION ...` with the last\n"
    "lines of the story and the command that repeats it. The same seed gives the same hash.\n"
    "Exit: 0 all passed, 7 a violation, 2 wrong usage.\n";

struct range {
    uint64_t first, last;
};

struct options {
    struct range ranges[RANGES_MAX];
    unsigned range_count;
    uint64_t cards, days, calm;
    bool has_calm;
    const char *trace;
    bool is_canary;
    bool is_restless;
    bool lists_probes;
};

// The last lines of the story, and all of it in a file if asked for.
struct tail {
    char lines[LINES][LINE_SIZE];
    uint64_t count;
    FILE *file;
};

static void take_line(void *context, struct bytes line)
{
    struct tail *t = context;
    char *to = t->lines[t->count++ % LINES];
    const size_t len = line.len < LINE_SIZE - 1 ? line.len : LINE_SIZE - 1;
    memcpy(to, line.at, len);
    to[len] = 0;
    if (t->file != NULL)
        (void)fprintf(t->file, "%.*s\n", (int)line.len, (const char *)line.at);
}

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    return text != NULL && text_read_decimal(bytes_of_text(text), out) && *out <= max;
}

static bool read_range(struct bytes text, struct range *r)
{
    size_t dots = 0;
    while (dots + 1 < text.len && (text.at[dots] != '.' || text.at[dots + 1] != '.'))
        dots++;
    if (dots + 1 >= text.len) {
        const bool ok = text_read_decimal(text, &r->first);
        r->last = r->first;
        return ok;
    }
    return text_read_decimal(bytes_slice(text, 0, dots), &r->first) &&
           text_read_decimal(bytes_slice(text, dots + 2, text.len), &r->last) &&
           r->first <= r->last;
}

// "1..13,15,17..20"
static bool read_ranges(const char *text, struct options *o)
{
    while (text != NULL && o->range_count < RANGES_MAX) {
        const char *comma = strchr(text, ',');
        const size_t len = comma == NULL ? strlen(text) : (size_t)(comma - text);
        if (!read_range(bytes_of(text, len), &o->ranges[o->range_count++]))
            return false;
        text = comma == NULL ? NULL : comma + 1;
    }
    return o->range_count > 0 && text == NULL;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    bool ok = true;
    for (int i = 1; i < argc && ok; i++) {
        if (strcmp(argv[i], "--probes") == 0) {
            o->lists_probes = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--canary") == 0 || strcmp(argv[i], "--restless") == 0) {
            *(argv[i][2] == 'c' ? &o->is_canary : &o->is_restless) = true;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--seeds") == 0) {
            ok = read_ranges(value, o);
        } else if (strcmp(argv[i], "--cards") == 0) {
            ok = read_number(value, WORLD_CARDS_MAX, &o->cards);
        } else if (strcmp(argv[i], "--days") == 0) {
            ok = read_number(value, 60, &o->days);
        } else if (strcmp(argv[i], "--calm") == 0) {
            o->has_calm = true;
            ok = read_number(value, WORLD_CALM_MAX, &o->calm);
        } else if (strcmp(argv[i], "--trace") == 0) {
            o->trace = value;
            ok = value != NULL;
        } else {
            ok = false;
        }
        i++;
    }
    return ok && o->range_count > 0;
}

static void print_violation(const struct world_result *r, const struct options *o, uint64_t seed,
                            const struct tail *t)
{
    const uint64_t shown = t->count < LINES ? t->count : LINES;
    for (uint64_t i = t->count - shown; i < t->count; i++)
        printf("  %s\n", t->lines[i % LINES]);
    printf("VIOLATION %s card=%u seed=%llu: %s\n", r->rule, r->card, (unsigned long long)seed,
           r->text);
    printf("repeat with: ota-world --seed %llu", (unsigned long long)seed);
    if (o->cards != 0)
        printf(" --cards %llu", (unsigned long long)o->cards);
    if (o->days != 0)
        printf(" --days %llu", (unsigned long long)o->days);
    if (o->has_calm)
        printf(" --calm %llu", (unsigned long long)o->calm);
    printf("%s\n", o->is_canary ? " --canary" : "");
}

static bool run_seed(const struct options *o, uint64_t seed, struct world_result *r)
{
    struct tail t = {.count = 0};
    if (o->trace != NULL) {
        t.file = fopen(o->trace, "w");
        if (t.file == NULL) {
            (void)fprintf(stderr, "ota-world: %s cannot be written\n", o->trace);
            exit(EXIT_USAGE);
        }
    }
    const struct world_options world = {.seed = seed,
                                        .cards = (uint32_t)o->cards,
                                        .days = (uint32_t)o->days,
                                        .has_calm = o->has_calm,
                                        .calm = (uint32_t)o->calm,
                                        .sink = take_line,
                                        .context = &t,
                                        .is_canary = o->is_canary,
                                        .is_restless = o->is_restless};
    world_run(&world, r);
    if (t.file != NULL)
        (void)fclose(t.file);
    if (r->is_violated)
        print_violation(r, o, seed, &t);
    else
        printf("PASSED seed=%llu card-days=%llu events=%llu runs=%llu sent=%llu crashes=%llu "
               "cuts=%llu hash=%016llx\n",
               (unsigned long long)seed, (unsigned long long)r->card_days,
               (unsigned long long)r->events, (unsigned long long)r->runs,
               (unsigned long long)r->sent, (unsigned long long)r->crashes,
               (unsigned long long)r->cuts, (unsigned long long)r->hash);
    (void)fflush(stdout);
    return !r->is_violated;
}

static void no_name(const char *name)
{
    (void)name;
}

static void print_name(const char *name)
{
    printf("never: %s\n", name);
}

static void report(const struct options *o, uint64_t worlds, uint64_t days,
                   const struct probes *probes)
{
    unsigned met;
    const unsigned count = probes_report(probes, &met, o->lists_probes ? print_name : no_name);
    printf("%llu worlds, %llu card-days, no violation; %u of %u situations met\n",
           (unsigned long long)worlds, (unsigned long long)days, met, count);
    const double cpu_s = (double)clock() / CLOCKS_PER_SEC;
    printf("figure {\"name\": \"sim.speed\", \"value\": %.0f, \"unit\": \"card-days/s\", "
           "\"what\": \"on %s, CPU time of one core\"}\n",
           (double)days / (cpu_s > 0 ? cpu_s : 1), world_store.name);
    printf("figure {\"name\": \"sim.card_days%s\", \"value\": %llu, \"unit\": "
           "\"card-days\"}\n",
           world_store.has_files ? "_sqlite" : "", (unsigned long long)days);
    printf("figure {\"name\": \"sim.probes\", \"value\": %u, \"of\": %u, \"unit\": "
           "\"situations\", \"what\": \"%llu worlds\"}\n",
           met, count, (unsigned long long)worlds);
    printf("figure {\"name\": \"sim.violations\", \"value\": 0, \"unit\": \"violations\"}\n");
}

int main(int argc, char **argv)
{
    struct options o = {.range_count = 0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help_text, stdout);
        return 0;
    }
    if (!read_options(argc, argv, &o)) {
        (void)fputs(help_text, stderr);
        return EXIT_USAGE;
    }
    uint64_t worlds = 0;
    uint64_t days = 0;
    struct probes probes = {0};
    for (unsigned i = 0; i < o.range_count; i++) {
        const uint64_t count = o.ranges[i].last - o.ranges[i].first + 1;
        for (uint64_t k = 0; k < count; k++) {
            struct world_result r;
            const bool passed = run_seed(&o, o.ranges[i].first + k, &r);
            worlds++;
            days += r.card_days;
            probes_add(&probes, &r.probes);
            if (isatty(STDERR_FILENO) == 1)
                (void)fprintf(stderr, "\r%llu worlds, %llu card-days ", (unsigned long long)worlds,
                              (unsigned long long)days);
            if (!passed)
                return EXIT_VIOLATION;
        }
    }
    report(&o, worlds, days, &probes);
    return 0;
}
