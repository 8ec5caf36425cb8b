#include "tests/world/shrink.h"

#include "common/base/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS_ONE_CARD 300
#define TRIALS_MAX 4000

static uint32_t trials;

// --- one world in a process of its own -----------------------------------------------------------

static void run_in_child(const struct world_options *options, FILE *tape, int to)
{
    struct world_options o = *options;
    struct world_result r;
    const int nowhere = open("/dev/null", O_WRONLY);
    check(nowhere >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
    o.record = tape;
    world_run(&o, &r);
    const char *rule = r.is_violated ? r.rule : "-";
    check(write(to, rule, strlen(rule)) > 0);
    _exit(0);
}

struct shrink_result shrink_try(const struct world_options *options, struct story *record)
{
    FILE *tape = record == NULL ? NULL : tmpfile();
    struct shrink_result result = {.rule = ""};
    unsigned line;
    int ends[2];
    int status;
    check(record == NULL || tape != NULL);
    check(pipe(ends) == 0);
    (void)fflush(NULL);
    const pid_t child = fork();
    check(child >= 0);
    if (child == 0)
        run_in_child(options, tape, ends[1]);
    (void)close(ends[1]);
    const ssize_t len = read(ends[0], result.rule, sizeof result.rule - 1);
    (void)close(ends[0]);
    if (len <= 0) // it tripped over a check
        memcpy(result.rule, "check", sizeof "check");
    if (result.rule[0] == '-')
        result.rule[0] = 0;
    check(waitpid(child, &status, 0) == child);
    if (record != NULL) {
        rewind(tape);
        check(story_read(tape, record, &line));
        (void)fclose(tape);
    }
    trials++;
    return result;
}

static bool shows(const struct story *story, const char *rule)
{
    const struct world_options o = {.story = story};
    const struct shrink_result r = shrink_try(&o, NULL);
    return strcmp(r.rule, rule) == 0;
}

// --- the smallest world --------------------------------------------------------------------------

static bool seed_shows(const struct world_options *o, const char *rule)
{
    const struct shrink_result r = shrink_try(o, NULL);
    return strcmp(r.rule, rule) == 0;
}

// One card and a day, one card, two cards: seeds afresh, for a short while.
static struct world_options find_small(const struct world_options *found, const char *rule)
{
    static const struct {
        uint32_t cards, days;
    } sizes[] = {{1, 1}, {1, 2}, {1, 0}, {2, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct world_options o = *found;
        o.cards = sizes[i].cards;
        o.days = sizes[i].days;
        o.has_calm = i < 2;
        o.calm = 0;
        if (seed_shows(&o, rule))
            return o;
        for (o.seed = 1; o.seed <= SEEDS_ONE_CARD; o.seed++) {
            if (seed_shows(&o, rule))
                return o;
        }
    }
    return *found;
}

static void drop_knobs(struct world_options *o, const char *rule)
{
    for (unsigned i = 0; i < KNOB_COUNT; i++) {
        o->knobs_off[i] = true;
        o->knobs_off[i] = seed_shows(o, rule);
    }
}

// --- the fewest deeds ----------------------------------------------------------------------------

// The story without the deeds `from` to `to` - 1.
static struct story without(const struct story *s, uint32_t from, uint32_t to)
{
    struct story shorter = *s;
    shorter.deeds = NULL;
    shorter.count = 0;
    shorter.max = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (i < from || i >= to)
            story_add(&shorter, &s->deeds[i]);
    }
    return shorter;
}

// Halves first, then ever smaller pieces, and again while that helps.
static void drop_deeds(struct story *s, const char *rule)
{
    bool is_shorter = true;
    for (uint32_t size = (s->count + 1) / 2; size > 0 && trials < TRIALS_MAX;
         size = size == 1 && is_shorter ? 1 : size / 2) {
        is_shorter = false;
        for (uint32_t from = 0; from < s->count && trials < TRIALS_MAX;) {
            const uint32_t to = from + size < s->count ? from + size : s->count;
            struct story shorter = without(s, from, to);
            if (shows(&shorter, rule)) {
                story_free(s);
                *s = shorter;
                is_shorter = true;
            } else {
                story_free(&shorter);
                from = to;
            }
        }
    }
}

// All deeds are of one card: as the only one, if it still shows then.
static void drop_cards(struct story *s, const char *rule)
{
    const uint32_t card = s->count == 0 ? 0 : s->deeds[0].card;
    struct story alone = without(s, 0, 0);
    alone.cards = 1;
    alone.models[0] = s->models[card];
    for (uint32_t i = 0; i < alone.count; i++) {
        if (deed_is_of_card(alone.deeds[i].kind))
            alone.deeds[i].card = 0;
    }
    if (s->cards > 1 && shows(&alone, rule)) {
        story_free(s);
        *s = alone;
    } else {
        story_free(&alone);
    }
}

// --- the plainest --------------------------------------------------------------------------------

static void try_value(struct story *s, uint32_t *value, uint32_t plain, const char *rule)
{
    const uint32_t was = *value;
    if (was == plain)
        return;
    *value = plain;
    if (!shows(s, rule))
        *value = was;
}

static void plain_deeds(struct story *s, const char *rule)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct deed *d = &s->deeds[i];
        uint32_t *const values[] = {&d->place, &d->wait,      &d->force, &d->contact,
                                    &d->torn,  &d->within_ms, &d->id};
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++)
            try_value(s, values[k], 0, rule);
    }
}

static void plain_head(struct story *s, const char *rule)
{
    try_value(s, &s->has_campaign, 0, rule);
    try_value(s, &s->group.items, 0, rule);
    try_value(s, &s->in_file, 0, rule);
    try_value(s, &s->calm, 0, rule);
    try_value(s, &s->is_alerted, 0, rule);
    try_value(s, &s->validity_s, 3600, rule);
    for (uint32_t i = 0; i < s->cards; i++)
        try_value(s, &s->models[i], 0, rule);
    // No more time with faults than the deeds need.
    const uint64_t was = s->faults_ms;
    s->faults_ms = s->count == 0 ? 1000 : s->deeds[s->count - 1].at_ms + 1;
    if (!shows(s, rule))
        s->faults_ms = was;
}

void shrink(const struct world_options *found, const struct shrink_result *result,
            struct story *story)
{
    struct world_options small = find_small(found, result->rule);
    (void)fprintf(stderr, "the smallest world: seed %llu, cards %u, days %u\n",
                  (unsigned long long)small.seed, small.cards, small.days);
    drop_knobs(&small, result->rule);
    // A world that trips over a check tells no story: it is recorded up to there as it was drawn.
    *story = (struct story){.count = 0};
    (void)shrink_try(&small, story);
    check(shows(story, result->rule));
    drop_deeds(story, result->rule);
    drop_cards(story, result->rule);
    plain_head(story, result->rule);
    plain_deeds(story, result->rule);
    drop_deeds(story, result->rule);
    (void)snprintf(story->rule, sizeof story->rule, "%s", result->rule);
    (void)fprintf(stderr, "%u deeds, after %u trials\n", story->count, trials);
}
