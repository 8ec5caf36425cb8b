// ota-world: runs simulated worlds, one for each seed, and says of each whether everything held.
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/world/shrink.h"
#include "tests/world/store/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINES 30
#define LINE_SIZE 320
#define EXIT_VIOLATION 7
#define EXIT_BLIND 8
#define EXIT_USAGE 2
#define RANGES_MAX 64

static const char help_text[] =
    "usage: ota-world --seed N | --seeds A..B,... [--cards N] [--days N] [--calm N] "
    "[--only RULE,...] [--trace FILE] [--probes] [--canary] [--restless] [--campaign] "
    "[--record FILE] [--shrink FILE]\n"
    "       ota-world --replay FILE [--only RULE,...] [--trace FILE]\n"
    "\n"
    "Simulates cards, devices, networks, a message centre and the OTA server on a virtual clock,\n"
    "with faults drawn from the seed, and checks after every event what was promised.\n"
    "\n"
    "  --seed N       one world\n"
    "  --seeds A..B,C the worlds of all these seeds, up to the first violation\n"
    "  --cards N      so many cards, 1 to 64; otherwise the seed says\n"
    "  --days N       so many days with faults, 1 to 365; otherwise the seed says\n"
    "  --calm N       everything takes 2 to the N times as long, N 0 to 10; otherwise the seed "
    "says\n"
    "  --only RULE,.. judges by these rules alone; not with --shrink\n"
    "  --trace FILE   writes every line of the story (of the last world)\n"
    "  --probes       lists the rare situations that were never met\n"
    "  --canary       one checker fails on purpose\n"
    "  --restless     devices at rest do every STATUS octet by octet: the same story, slower\n"
    "  --campaign     somebody has a campaign over all cards; not on arrays\n"
    "  --record FILE  writes what was done to the (last) world, as a story that can be replayed\n"
    "  --replay FILE  a world to which that is done, and nothing else\n"
    "  --shrink FILE  what violates a rule is made as short as can be, and written as a story\n"
    "\n"
    "Prints `PASSED seed card-days events hash` for each world, or `VIOLATION ...` with the last\n"
    "lines of the story and the command that repeats it. The same seed gives the same hash.\n"
    "Behind them stands how much some rules judged of what they looked at.\n"
    "Exit: 0 all passed, 7 a violation, 8 a rule judged too little, 2 wrong usage.\n";

struct range {
    uint64_t first, last;
};

struct options {
    struct range ranges[RANGES_MAX];
    unsigned range_count;
    uint64_t cards, days, calm;
    bool has_calm;
    const char *only;
    const char *trace;
    const char *record, *replay, *shrink;
    struct story story; // to replay
    bool is_canary;
    bool is_restless;
    bool has_campaign;
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
    if (t->file == NULL)
        return;
    (void)fprintf(t->file, "%.*s\n", (int)line.len, (const char *)line.at);
    (void)fflush(t->file); // the product may trip over a check
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

static bool read_flag(const char *name, struct options *o)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--probes", &o->lists_probes},
                 {"--canary", &o->is_canary},
                 {"--campaign", &o->has_campaign},
                 {"--restless", &o->is_restless}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    }
    return false;
}

static bool read_text(const char *name, const char *value, struct options *o)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--only", &o->only},
                 {"--trace", &o->trace},
                 {"--record", &o->record},
                 {"--replay", &o->replay},
                 {"--shrink", &o->shrink}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name, texts[i].name) != 0)
            continue;
        *texts[i].text = value;
        return value != NULL;
    }
    return false;
}

static bool read_value(const char *name, const char *value, struct options *o)
{
    if (strcmp(name, "--seed") == 0 || strcmp(name, "--seeds") == 0)
        return read_ranges(value, o);
    if (strcmp(name, "--cards") == 0)
        return read_number(value, WORLD_CARDS_MAX, &o->cards);
    if (strcmp(name, "--days") == 0)
        return read_number(value, 365, &o->days);
    o->has_calm = o->has_calm || strcmp(name, "--calm") == 0;
    if (strcmp(name, "--calm") == 0)
        return read_number(value, STORY_CALM_MAX, &o->calm);
    return read_text(name, value, o);
}

static bool read_options(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (read_flag(argv[i], o))
            continue;
        if (!read_value(argv[i], i + 1 < argc ? argv[i + 1] : NULL, o))
            return false;
        i++;
    }
    const bool is_one = (o->range_count > 0) != (o->replay != NULL);
    return is_one && (o->only == NULL || o->shrink == NULL);
}

static void print_violation(const struct world_result *r, const struct options *o, uint64_t seed,
                            const struct tail *t)
{
    const uint64_t shown = t->count < LINES ? t->count : LINES;
    for (uint64_t i = t->count - shown; i < t->count; i++)
        printf("  %s\n", t->lines[i % LINES]);
    printf("VIOLATION %s card=%u seed=%llu: %s\n", r->rule, r->card, (unsigned long long)seed,
           r->text);
    const char *only = o->only == NULL ? "" : " --only ";
    const char *judged = o->only == NULL ? "" : o->only;
    if (o->replay != NULL) {
        printf("repeat with: ota-world --replay %s%s%s\n", o->replay, only, judged);
        return;
    }
    printf("repeat with: ota-world --seed %llu%s%s", (unsigned long long)seed, only, judged);
    if (o->cards != 0)
        printf(" --cards %llu", (unsigned long long)o->cards);
    if (o->days != 0)
        printf(" --days %llu", (unsigned long long)o->days);
    if (o->has_calm)
        printf(" --calm %llu", (unsigned long long)o->calm);
    printf("%s%s\n", o->has_campaign ? " --campaign" : "", o->is_canary ? " --canary" : "");
}

static FILE *open_file(const char *path, const char *how)
{
    FILE *file = path == NULL ? NULL : fopen(path, how);
    if (path == NULL || file != NULL)
        return file;
    (void)fprintf(stderr, "ota-world: %s cannot be %s\n", path, how[0] == 'r' ? "read" : "written");
    exit(EXIT_USAGE);
}

static struct world_options options_of(const struct options *o, uint64_t seed)
{
    return (struct world_options){.seed = seed,
                                  .cards = (uint32_t)o->cards,
                                  .days = (uint32_t)o->days,
                                  .has_calm = o->has_calm,
                                  .calm = (uint32_t)o->calm,
                                  .only = o->only,
                                  .story = o->replay != NULL ? &o->story : NULL,
                                  .is_canary = o->is_canary,
                                  .is_restless = o->is_restless,
                                  .has_campaign = o->has_campaign};
}

static double hours(uint64_t ms)
{
    return (double)ms / 3600000;
}

static bool run_seed(const struct options *o, uint64_t seed, struct world_result *r)
{
    struct tail t = {.count = 0, .file = open_file(o->trace, "w")};
    struct world_options world = options_of(o, seed);
    world.sink = take_line;
    world.context = &t;
    world.record = open_file(o->record, "w");
    world_run(&world, r);
    if (t.file != NULL)
        (void)fclose(t.file);
    if (world.record != NULL)
        (void)fclose(world.record);
    if (r->is_violated)
        print_violation(r, o, seed, &t);
    else
        printf("PASSED seed=%llu card-days=%llu events=%llu runs=%llu sent=%llu crashes=%llu "
               "cuts=%llu settled-h=%.1f hash=%016llx\n",
               (unsigned long long)seed, (unsigned long long)r->card_days,
               (unsigned long long)r->events, (unsigned long long)r->runs,
               (unsigned long long)r->sent, (unsigned long long)r->crashes,
               (unsigned long long)r->cuts, hours(r->settle_ms), (unsigned long long)r->hash);
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

struct sums {
    uint64_t worlds, days;
    uint64_t settle_ms, settle_most_ms;
    struct probes probes;
    struct judged judged;
};

// Which worlds these were, for who reads a figure of them.
static const char *worlds_text(const struct options *o, uint64_t worlds)
{
    static char text[160];
    struct writer w = writer_of((uint8_t *)text, sizeof text);
    text_decimal(&w, worlds);
    text_put(&w, " worlds on ");
    text_put(&w, world_store.name);
    const struct {
        const char *before, *after;
        uint64_t value;
        bool is_given;
    } wishes[] = {{" of ", " cards", o->cards, o->cards != 0},
                  {", ", " days", o->days, o->days != 0},
                  {", calm ", "", o->calm, o->has_calm}};
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        if (!wishes[i].is_given)
            continue;
        text_put(&w, wishes[i].before);
        text_decimal(&w, wishes[i].value);
        text_put(&w, wishes[i].after);
    }
    if (o->has_campaign)
        text_put(&w, ", with a campaign");
    return text_end(&w);
}

static bool report(const struct options *o, const struct sums *sums)
{
    const uint64_t worlds = sums->worlds;
    const uint64_t days = sums->days;
    const struct probes *probes = &sums->probes;
    unsigned met;
    const unsigned count = probes_report(probes, &met, o->lists_probes ? print_name : no_name);
    printf("%llu worlds, %llu card-days, no violation; %u of %u situations met\n",
           (unsigned long long)worlds, (unsigned long long)days, met, count);
    const double cpu_s = (double)clock() / CLOCKS_PER_SEC;
    printf("figure {\"name\": \"sim.speed\", \"value\": %.0f, \"unit\": \"card-days/s\", "
           "\"what\": \"%s, CPU time of one core\"}\n",
           (double)days / (cpu_s > 0 ? cpu_s : 1), worlds_text(o, worlds));
    printf("figure {\"name\": \"sim.card_days%s\", \"value\": %llu, \"unit\": "
           "\"card-days\"}\n",
           world_store.has_files ? "_sqlite" : "", (unsigned long long)days);
    printf("figure {\"name\": \"sim.probes\", \"value\": %u, \"of\": %u, \"unit\": "
           "\"situations\", \"what\": \"%llu worlds\"}\n",
           met, count, (unsigned long long)worlds);
    printf("figure {\"name\": \"sim.settle\", \"value\": %.1f, \"unit\": \"h\", \"what\": "
           "\"the longest of %s, %.1f on average, virtual time from the end of faults\"}\n",
           hours(sums->settle_most_ms), worlds_text(o, worlds),
           hours(sums->settle_ms) / (double)(worlds > 0 ? worlds : 1));
    printf("figure {\"name\": \"sim.violations\", \"value\": 0, \"unit\": \"violations\"}\n");
    const bool is_usual = o->cards == 0 && o->days == 0 && !o->has_calm;
    return judged_report(&sums->judged, is_usual ? worlds : 0);
}

// --- stories -----------------------------------------------------------------------------------

static int replay(struct options *o)
{
    static struct world_result r;
    unsigned line;
    FILE *file = open_file(o->replay, "r");
    if (!story_read(file, &o->story, &line)) {
        (void)fprintf(stderr, "ota-world: %s: line %u is not understood (docs/SIMULATION.md)\n",
                      o->replay, line);
        exit(EXIT_USAGE);
    }
    (void)fclose(file);
    if (o->story.has_campaign && world_store.campaigns == NULL) {
        (void)fprintf(stderr, "ota-world: %s: its campaign needs SQLite\n", o->replay);
        exit(EXIT_USAGE);
    }
    const bool passed = run_seed(o, o->story.seed, &r);
    story_free(&o->story);
    return passed ? 0 : EXIT_VIOLATION;
}

static void write_story(const char *path, const struct story *story)
{
    FILE *file = open_file(path, "w");
    story_write_head(file, story);
    for (uint32_t i = 0; i < story->count; i++)
        story_write_deed(file, &story->deeds[i]);
    (void)fclose(file);
}

// The first of these worlds that violates a rule, made short.
static int shrink_first(const struct options *o)
{
    for (unsigned i = 0; i < o->range_count; i++) {
        const uint64_t count = o->ranges[i].last - o->ranges[i].first + 1;
        for (uint64_t k = 0; k < count; k++) {
            const struct world_options world = options_of(o, o->ranges[i].first + k);
            const struct shrink_result found = shrink_try(&world, NULL);
            if (found.rule[0] == 0)
                continue;
            struct story story;
            printf("seed=%llu violates %s\n", (unsigned long long)world.seed, found.rule);
            shrink(&world, &found, &story);
            write_story(o->shrink, &story);
            story_free(&story);
            return EXIT_VIOLATION;
        }
    }
    printf("no violation\n");
    return 0;
}

static int run_all(const struct options *o)
{
    static struct sums sums;
    for (unsigned i = 0; i < o->range_count; i++) {
        const uint64_t count = o->ranges[i].last - o->ranges[i].first + 1;
        for (uint64_t k = 0; k < count; k++) {
            static struct world_result r;
            const bool passed = run_seed(o, o->ranges[i].first + k, &r);
            sums.worlds++;
            sums.days += r.card_days;
            sums.settle_ms += r.settle_ms;
            if (r.settle_ms > sums.settle_most_ms)
                sums.settle_most_ms = r.settle_ms;
            probes_add(&sums.probes, &r.probes);
            judged_add(&sums.judged, &r.judged);
            if (isatty(STDERR_FILENO) == 1)
                (void)fprintf(stderr, "\r%llu worlds, %llu card-days ",
                              (unsigned long long)sums.worlds, (unsigned long long)sums.days);
            if (!passed)
                return EXIT_VIOLATION;
        }
    }
    return report(o, &sums) ? 0 : EXIT_BLIND;
}

int main(int argc, char **argv)
{
    static struct options o;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help_text, stdout);
        return 0;
    }
    if (!read_options(argc, argv, &o)) {
        (void)fputs(help_text, stderr);
        return EXIT_USAGE;
    }
    if (o.has_campaign && (world_store.campaigns == NULL || o.replay != NULL)) {
        (void)fputs("ota-world: a campaign needs SQLite; a story says itself if it has one\n",
                    stderr);
        return EXIT_USAGE;
    }
    if (o.replay != NULL)
        return replay(&o);
    return o.shrink != NULL ? shrink_first(&o) : run_all(&o);
}
