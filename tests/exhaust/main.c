// usage: exhaust [--states N] [--walks N] [--same N] [--cuts N] [--least-cuts N]
//                [--least-depth N] [--torn few|many|all] [--once] [--setup short|long] [--pages]
//                [--errors] [--real]
//
// Breadth first over everything that can happen to a card of three slots: each event in each state
// is compared with the reference model; then the power is cut before and during each of its writes,
// and again in the recovery. Prints what was covered. Exits with 7 when something differs, after
// the events that led there, and with 8 when too little was tried: fewer cuts than it must, or none
// in the writes of some kind of event, or not every pair of state and event of the rule table.
//
//   --states N   visit at most N states (default 1500)
//   --walks N    then walk N times 200 steps at random (default 200)
//   --same N     cut at most N steps of one kind: the same event, state, wait, open switch and
//                number of writes (default 2)
//   --cuts N     go on without cuts once there were N, but for kinds of events that had none
//   --least-cuts N fewer are too little (default 0)
//   --least-depth N fewer events, up to which no state is missing, are too little (default 0)
//   --torn WHICH octets and values of torn writes (default few)
//   --once       no second cut
//   --setup WHICH the card's parameters: short (default) or long delays
//   --pages      on a memory that writes pages of 64 octets
//   --errors     of each kind of step that is cut, one with a memory error in each of its writes
//   --real       with real cryptography
#include "common/base/check.h"
#include "common/base/prng.h"
#include "tests/exhaust/cuts.h"
#include "tests/exhaust/errors.h"
#include "tests/exhaust/pairs.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MAX 400000
#define WALK_LEN 200
#define KINDS_MAX 65536
#define TOO_LITTLE 8 // exit code

struct options {
    unsigned long long states, walks, same, cuts, least_cuts, least_depth;
    enum cuts_torn torn;
    bool is_once, is_real, is_long, is_paged, has_errors;
};

struct visit {
    struct rig_state state;
    unsigned parent;
    uint8_t event;
    uint8_t depth;
};

// Steps that are alike to the memory.
struct kind {
    uint64_t key; // 0: free
    uint8_t cut;  // steps of it that were
};

struct walk {
    struct options options;
    struct visit *visits;
    unsigned count;
    unsigned done;
    uint64_t *keys; // open addressing, 0 = free
    size_t keys_len;
    struct kind kinds[KINDS_MAX]; // open addressing
    unsigned kind_count;
    bool has_written[RIG_EVENTS], is_swept[RIG_EVENTS];
    unsigned full_depth; // of the last one that no state is missing of, when some are
    unsigned long long transitions, refused, merged, beyond, steps;
    uint8_t path[WALK_LEN]; // of a random walk
    unsigned path_len;
    struct cuts cuts;
    struct errors errors;
    struct pairs pairs;
};

static struct rig rig;
static struct walk walk;

static void print_path(const struct walk *s, unsigned index, uint8_t event)
{
    const char *names[256];
    unsigned count = 0;
    for (unsigned i = index; i != 0 && count < 256; i = s->visits[i].parent)
        names[count++] = rig_event_name(s->visits[i].event);
    for (unsigned i = count; i > 0; i--)
        (void)printf("  %s\n", names[i - 1]);
    for (unsigned i = 0; i < s->path_len; i++)
        (void)printf("  %s\n", rig_event_name(s->path[i]));
    (void)printf("  %s\n", rig_event_name(event));
}

// True when the key is new.
static bool remember(struct walk *s, uint64_t key)
{
    key += key == 0;
    size_t at = (size_t)(key % s->keys_len);
    while (s->keys[at] != 0 && s->keys[at] != key)
        at = (at + 1) % s->keys_len;
    const bool is_new = s->keys[at] == 0;
    s->keys[at] = key;
    return is_new;
}

static void keep(struct walk *s, unsigned parent, uint8_t event)
{
    if (!remember(s, rig_key(&rig))) {
        s->merged++;
        return;
    }
    if (s->count == s->options.states) {
        // Breadth first: the first that is missing is of the least depth.
        s->full_depth = s->beyond == 0 ? s->visits[parent].depth : s->full_depth;
        s->beyond++;
        return;
    }
    struct visit *v = &s->visits[s->count++];
    v->state = rig.now;
    v->parent = parent;
    v->event = event;
    v->depth = parent == s->count - 1 ? 0 : (uint8_t)(s->visits[parent].depth + 1);
}

// The kind of the step that was made last. `was`: where it began.
static struct kind *kind_of(struct walk *s, const struct rig_state *was, uint8_t event)
{
    const struct model_switch *open = &was->model.open;
    check(open->phase < 16 && open->reason < 16 && s->cuts.log.count < 65536);
    const uint64_t key = (uint64_t)(event + 1) << 48 | (uint64_t)was->applet.state << 40 |
                         (uint64_t)was->applet.wait << 32 | (uint64_t)open->phase << 20 |
                         (uint64_t)open->reason << 16 | s->cuts.log.count;
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 48) % KINDS_MAX;
    while (s->kinds[at].key != 0 && s->kinds[at].key != key)
        at = (at + 1) % KINDS_MAX;
    if (s->kinds[at].key == 0) {
        check(++s->kind_count < KINDS_MAX);
        s->kinds[at].key = key;
    }
    return &s->kinds[at];
}

static bool is_cut_enough(const struct walk *s, const struct kind *kind, uint8_t event)
{
    const bool is_over = s->cuts.clean + s->cuts.cut >= s->options.cuts;
    return kind->cut >= s->options.same || (is_over && s->is_swept[event]);
}

// Cuts in this step, and errors in the first of its kind. False: something differs, and was told.
static bool sweep(struct walk *s, const struct rig_state *from, unsigned index, uint8_t event)
{
    static struct rig_state after;
    struct cuts *c = &s->cuts;
    struct errors *e = &s->errors;
    struct kind *kind = kind_of(s, from, event);
    s->has_written[event] = true;
    if (is_cut_enough(s, kind, event))
        return true;
    after = rig.now;
    cuts_sweep(c, &rig);
    if (c->differs != NULL) {
        (void)printf("VIOLATION after a cut: %s, write %u of %u, octet %u becomes %02X\n",
                     c->differs, c->write, c->log.count, c->octet, c->value);
        print_path(s, index, event);
        return false;
    }
    if (s->options.has_errors && kind->cut == 0 &&
        !errors_sweep(e, &rig, from, event, c->log.count)) {
        (void)printf("VIOLATION with a memory error: %s, write %u of %u, failure %u%s\n",
                     e->differs, e->write, c->log.count, e->failure,
                     e->is_on ? ", from there on" : "");
        print_path(s, index, event);
        return false;
    }
    rig_restore(&rig, &after);
    kind->cut++;
    s->is_swept[event] = true;
    return true;
}

// One event from this state; `index` is the visited state that led there. False: something
// differs, and was told. `*is_possible`: whether it happened; then rig.now is behind it.
static bool step(struct walk *s, const struct rig_state *from, unsigned index, uint8_t event,
                 bool *is_possible)
{
    struct cuts *c = &s->cuts;
    rig_restore(&rig, from);
    c->log.count = 0;
    c->log.used = 0;
    rig.log = &c->log;
    *is_possible = rig_apply(&rig, event);
    rig.log = NULL;
    if (!*is_possible) {
        s->refused++;
        return true;
    }
    s->transitions++;
    if (rig.differs != NULL) {
        (void)printf("VIOLATION model and card differ: %s\n", rig.differs);
        print_path(s, index, event);
        return false;
    }
    return c->log.count == 0 || sweep(s, from, index, event);
}

// False: a rule does what it must not, and that was told.
static bool try_pairs(struct walk *s, const struct rig_state *from, unsigned index, uint8_t event)
{
    if (pairs_try(&s->pairs, &rig, from))
        return true;
    (void)printf("VIOLATION rule table: %s\n", s->pairs.differs);
    print_path(s, index, event);
    return false;
}

static bool search(struct walk *s)
{
    for (; s->done < s->count; s->done++) {
        const struct rig_state *from = &s->visits[s->done].state;
        if (!try_pairs(s, from, s->visits[s->done].parent, s->visits[s->done].event))
            return false;
        for (uint8_t event = 0; event < RIG_EVENTS; event++) {
            bool is_possible = false;
            if (!step(s, from, s->done, event, &is_possible))
                return false;
            if (is_possible)
                keep(s, s->done, event);
        }
    }
    return true;
}

static bool go_on_after_cut(struct walk *s, struct prng *p)
{
    if (!cuts_pick(&s->cuts, &rig, prng_next(p))) {
        (void)printf("VIOLATION after a cut in the last event: %s\n", s->cuts.differs);
        print_path(s, 0, RIG_RESET);
        return false;
    }
    rig_profile(&rig);
    if (rig.differs == NULL)
        return true;
    (void)printf("VIOLATION behind a cut in the last event: %s\n", rig.differs);
    print_path(s, 0, RIG_RESET);
    return false;
}

// Far from the beginning, where breadth does not reach.
static bool walk_at_random(struct walk *s, unsigned number)
{
    static struct rig_state at;
    struct prng p;
    prng_init(&p, number, "walk", 0);
    at = s->visits[0].state;
    for (s->path_len = 0; s->path_len < WALK_LEN;) {
        // Half of the events are of the network, the clocks and the terminal, and a fourth of
        // clocks and terminal alone: what takes several of them in a row comes about, too.
        static const uint8_t firsts[] = {0, 0, RIG_NORMAL, RIG_CLOCK};
        const uint8_t first = firsts[prng_below(&p, 4)];
        const uint8_t event = (uint8_t)(first + prng_below(&p, (uint64_t)RIG_EVENTS - first));
        bool is_possible = false;
        if (!step(s, &at, 0, event, &is_possible))
            return false;
        if (!is_possible)
            continue;
        s->path[s->path_len++] = event;
        // Now and then the power fails in it, and the walk goes on with what that left.
        if (s->cuts.log.count > 0 && prng_below(&p, 6) == 0 && !go_on_after_cut(s, &p))
            return false;
        at = rig.now;
        if (s->steps % 4 == 0 && !try_pairs(s, &at, 0, event))
            return false;
        s->steps++;
    }
    return true;
}

static bool run(struct walk *s)
{
    const uint8_t setup = s->options.is_long ? RIG_SETUP_LONG : RIG_SETUP_SHORT;
    if (!rig_apply(&rig, RIG_NORMAL) || rig.differs != NULL || !rig_apply(&rig, RIG_CONFIRM) ||
        rig.differs != NULL || !rig_apply(&rig, setup) || rig.differs != NULL) {
        (void)printf("VIOLATION the beginning differs: %s\n",
                     rig.differs == NULL ? "refused" : rig.differs);
        return false;
    }
    keep(s, 0, RIG_RESET);
    bool is_good = search(s);
    for (unsigned i = 0; i < s->options.walks && is_good; i++)
        is_good = walk_at_random(s, i);
    return is_good;
}

struct option {
    const char *name;
    size_t at; // in struct options
};

// False: there is none of this name.
static bool read_flag(const char *name, struct options *o)
{
    static const struct option flags[] = {
        {"--once", offsetof(struct options, is_once)},
        {"--real", offsetof(struct options, is_real)},
        {"--pages", offsetof(struct options, is_paged)},
        {"--errors", offsetof(struct options, has_errors)},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(name, flags[i].name) == 0) {
            *(bool *)((char *)o + flags[i].at) = true;
            return true;
        }
    }
    return false;
}

static bool read_value(const char *name, const char *value, struct options *o)
{
    static const struct option numbers[] = {
        {"--states", offsetof(struct options, states)},
        {"--walks", offsetof(struct options, walks)},
        {"--same", offsetof(struct options, same)},
        {"--cuts", offsetof(struct options, cuts)},
        {"--least-cuts", offsetof(struct options, least_cuts)},
        {"--least-depth", offsetof(struct options, least_depth)},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *(unsigned long long *)((char *)o + numbers[i].at) = strtoull(value, NULL, 10);
            return true;
        }
    }
    if (strcmp(name, "--torn") == 0)
        o->torn = strcmp(value, "all") == 0    ? CUTS_ALL
                  : strcmp(value, "many") == 0 ? CUTS_MANY
                                               : CUTS_FEW;
    else if (strcmp(name, "--setup") == 0)
        o->is_long = strcmp(value, "long") == 0;
    else
        return false;
    return true;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.states = 1500, .walks = 200, .same = 2, .cuts = ULLONG_MAX};
    for (int i = 1; i < argc; i++) {
        if (read_flag(argv[i], o))
            continue;
        if (i + 1 == argc || !read_value(argv[i], argv[i + 1], o))
            return false;
        i++;
    }
    return o->states >= 1 && o->states <= STATES_MAX && o->same >= 1 && o->same <= UINT8_MAX;
}

// What keeps nothing, or does in few states: it is refused, or only remembered until a reset.
static bool may_write_nothing(uint8_t event)
{
    static const uint8_t quiet[] = {RIG_OLD_COUNTER,   RIG_NO_SERVICE,    RIG_REJECTED,
                                    RIG_COUNTRY_CLOCK, RIG_REFRESH_FETCH, RIG_REFRESH_DONE,
                                    RIG_REFRESH_BUSY,  RIG_IMSI_READ};
    return memchr(quiet, event, sizeof quiet) != NULL;
}

// So many events from the beginning, every one in every state, and no state is missing.
static unsigned complete_depth(const struct walk *s)
{
    return s->beyond > 0 ? s->full_depth : s->count > 0 ? s->visits[s->count - 1].depth : 0;
}

// Tells what was not tried and must be.
static bool is_enough(const struct walk *s)
{
    const unsigned long long cuts = s->cuts.clean + s->cuts.cut;
    bool is_good = true;
    for (uint8_t event = 0; event < RIG_EVENTS; event++) {
        if (s->is_swept[event] || (!s->has_written[event] && may_write_nothing(event)))
            continue;
        (void)printf("TOO LITTLE no cut in the event %s, which %s\n", rig_event_name(event),
                     s->has_written[event] ? "writes" : "wrote nothing");
        is_good = false;
    }
    if (cuts < s->options.least_cuts) {
        (void)printf("TOO LITTLE %llu power cuts of %llu\n", cuts, s->options.least_cuts);
        is_good = false;
    }
    if (complete_depth(s) < s->options.least_depth) {
        (void)printf("TOO LITTLE complete to %u events of %llu\n", complete_depth(s),
                     s->options.least_depth);
        is_good = false;
    }
    return pairs_are_all(&s->pairs) && is_good;
}

static void print_report(const struct walk *s, bool is_good)
{
    const struct cuts *c = &s->cuts;
    const unsigned depth = s->count > 0 ? s->visits[s->count - 1].depth : 0;
    (void)printf("states %u  visited %u  depth %u, complete to %u  transitions %llu  "
                 "not possible %llu\n",
                 s->count, s->done, depth, complete_depth(s), s->transitions, s->refused);
    (void)printf("steps of random walks %llu\n", s->steps);
    (void)printf("messages compared %llu  pairs of state and event %u of %u\n", rig.messages,
                 pairs_count(&s->pairs), RULE_STATES * RULE_EVENTS);
    (void)printf("power cuts %llu  of them torn %llu, pages %llu, second %llu  kinds of steps %u\n",
                 c->clean + c->cut, c->torn_values, c->pages, c->second, s->kind_count);
    (void)printf("memory errors %llu  answered NVM_ERROR %llu\n", s->errors.tried, s->errors.told);
    if (!is_good)
        return;
    const char *extent = s->beyond == 0 ? "complete" : "bounded by the number of states";
    const char *setup = s->options.is_long    ? "long delays"
                        : s->options.is_paged ? "short delays, pages"
                                              : "short delays";
    (void)printf("%s\n", extent);
    (void)printf("figure {\"name\": \"power.cuts\", \"value\": %llu, \"unit\": \"cuts\", "
                 "\"what\": \"3 slots, depth %d, %s\"}\n",
                 c->clean + c->cut, s->options.is_once ? 1 : 2, setup);
    (void)printf("figure {\"name\": \"power.states\", \"value\": %u, \"unit\": \"states\", "
                 "\"what\": \"3 slots, %s, %s\"}\n",
                 s->done, setup, extent);
    (void)printf("figure {\"name\": \"power.depth\", \"value\": %u, \"unit\": \"events\", "
                 "\"what\": \"3 slots, %s\"}\n",
                 complete_depth(s), setup);
}

int main(int argc, char **argv)
{
    struct walk *s = &walk;
    if (!read_options(argc, argv, &s->options)) {
        (void)fputs("usage: exhaust [--states N] [--walks N] [--same N] [--cuts N] "
                    "[--least-cuts N] [--least-depth N] [--torn few|many|all] [--once] "
                    "[--setup short|long] [--pages] [--errors] [--real]\n",
                    stderr);
        return 2;
    }
    s->cuts.torn = s->options.torn;
    s->cuts.is_twice = !s->options.is_once;
    s->keys_len = (size_t)STATES_MAX * 8 + 7;
    s->visits = calloc(s->options.states, sizeof *s->visits);
    s->keys = calloc(s->keys_len, sizeof *s->keys);
    if (s->visits == NULL || s->keys == NULL ||
        !rig_open(&rig, s->options.is_real, s->options.is_paged)) {
        (void)fputs("exhaust: no memory, or no cryptography\n", stderr);
        return 1;
    }
    const bool is_good = run(s);
    print_report(s, is_good);
    const int end = !is_good ? 7 : is_enough(s) ? 0 : TOO_LITTLE;
    rig_close(&rig, s->options.is_real);
    free(s->visits);
    free(s->keys);
    return end;
}
