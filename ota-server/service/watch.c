#include "ota-server/service/watch.h"

#define MINUTE_MS 60000u
#define DAY_MS (24 * 60 * MINUTE_MS)
#define UNCOVERED_MS (30 * MINUTE_MS) // two intervals of checkpoints
#define GIB (1ull << 30)
#define CLOCK_STEP_MS 5000

enum { SAID_NOTHING, SAID_CLEAR, SAID_RAISED };

// A share of two counters over some minutes, in thousandths.
struct rate_rule {
    const char *key;
    uint8_t part, whole; // enum watch_count
    uint16_t minutes;
    uint32_t raise_above, clear_below; // thousandths
    uint8_t clear_part;                // counter that clears, where it is another one
    uint64_t whole_min;                // fewer say nothing
};

// clang-format off
static const struct rate_rule RATES[] = {
    {"smsc.throttled", WATCH_THROTTLED, WATCH_SENT, 5, 10, 1, WATCH_THROTTLED, 1},
    {"por.error.rate", WATCH_POR_ERRORS, WATCH_PORS, 10, 50, 20, WATCH_POR_ERRORS, 20},
    {"rollback.rate", WATCH_ROLLBACKS, WATCH_ENABLES, 60, 50, 20, WATCH_ROLLBACKS, 20},
    {"db.slow.commit", WATCH_COMMITS_VERY_SLOW, WATCH_COMMITS, 5, 10, 10, WATCH_COMMITS_SLOW, 1},
};
// clang-format on
#define RATE_COUNT (sizeof RATES / sizeof RATES[0])

void watch_init(struct watch *w, struct instant now)
{
    *w = (struct watch){.start = now};
}

// What must hold, and for how long, before something is said.
struct verdict {
    const char *key;
    bool is_bad, is_good;
    uint32_t bad_ms, good_ms;
};

static bool holds(bool is_so, bool *was_so, struct instant *since, uint32_t ms, struct instant now)
{
    if (is_so && !*was_so)
        *since = now;
    *was_so = is_so;
    return is_so && now.ms - since->ms >= ms;
}

static size_t apply(struct watch *w, size_t rule, const struct verdict *v, struct instant now,
                    struct watch_change *change)
{
    const bool is_bad =
        holds(v->is_bad, &w->rules[rule].is_bad, &w->rules[rule].bad_since, v->bad_ms, now);
    const bool is_good =
        holds(v->is_good, &w->rules[rule].is_good, &w->rules[rule].good_since, v->good_ms, now);
    const uint8_t said = w->rules[rule].said;
    if ((!is_bad || said == SAID_RAISED) && (!is_good || is_bad || said == SAID_CLEAR))
        return 0;
    w->rules[rule].said = is_bad ? SAID_RAISED : SAID_CLEAR;
    *change = (struct watch_change){v->key, is_bad, 0};
    return 1;
}

// Counters of `minutes` ago, or of the start.
static const uint64_t *then(const struct watch *w, uint64_t minutes)
{
    static const uint64_t ZERO[WATCH_COUNTS];
    return w->minutes <= minutes ? ZERO : w->ring[(w->minutes - 1 - minutes) % WATCH_MINUTES];
}

static struct verdict rate_of(const struct watch *w, const struct rate_rule *r,
                              const struct watch_sample *s)
{
    const uint64_t *before = then(w, r->minutes);
    const uint64_t whole = s->counts[r->whole] - before[r->whole];
    const uint64_t part = s->counts[r->part] - before[r->part];
    const uint64_t clear_part = s->counts[r->clear_part] - before[r->clear_part];
    const bool is_bad = whole >= r->whole_min && part * 1000 > whole * r->raise_above;
    return (struct verdict){.key = r->key,
                            .is_bad = is_bad,
                            .is_good = !is_bad && clear_part * 1000 <= whole * r->clear_below};
}

// Over 1 % of the cards, or half as many again as an hour ago; until under half of either.
static struct verdict dirty_of(const struct watch *w, const struct watch_sample *s)
{
    const uint64_t before =
        w->minutes >= WATCH_MINUTES ? w->dirty[w->minutes % WATCH_MINUTES] : s->dirty;
    const bool is_many = s->dirty * 100 > s->cards;
    const bool is_growth = before >= 10 && s->dirty * 2 > before * 3;
    return (struct verdict){.key = "dirty.growing",
                            .is_bad = s->cards > 0 && (is_many || is_growth),
                            .is_good = s->cards > 0 && s->dirty * 200 < s->cards + 1 &&
                                       s->dirty * 4 <= before * 5};
}

// One of several that does not work while another does.
static size_t judge_links(struct watch *w, size_t rule, const struct watch_sample *s,
                          unsigned links_up, struct instant now, struct watch_change *changes)
{
    size_t count = 0;
    for (unsigned i = 0; i < s->links; i++) {
        const struct verdict v = {"smsc.degraded", links_up > 0 && !s->is_up[i], s->is_up[i],
                                  MINUTE_MS, 0};
        const size_t said = apply(w, rule + i, &v, now, &changes[count]);
        if (said > 0)
            changes[count].link = i + 1;
        count += said;
    }
    return count;
}

static void remember(struct watch *w, const struct watch_sample *s, struct instant now)
{
    while (w->minutes <= (now.ms - w->start.ms) / MINUTE_MS) {
        memcpy(w->ring[w->minutes % WATCH_MINUTES], s->counts, sizeof s->counts);
        w->dirty[w->minutes % WATCH_MINUTES] = s->dirty;
        w->minutes++;
    }
}

size_t watch_step(struct watch *w, const struct watch_sample *s, struct instant now,
                  struct watch_change changes[WATCH_CHANGES_MAX])
{
    const bool is_disk_low =
        s->disk_size > 0 && (s->disk_free < 2 * GIB || s->disk_free * 10 < s->disk_size);
    const bool is_disk_fine =
        s->disk_size == 0 || (s->disk_free >= 2 * GIB && s->disk_free * 100 > s->disk_size * 15);
    unsigned links_up = 0;
    for (unsigned i = 0; i < s->links; i++)
        links_up += s->is_up[i];
    const struct verdict states[] = {
        {"smsc.down", s->links > 0 && links_up == 0, links_up > 0, 30000, MINUTE_MS},
        {"smsc.degraded", false, true, 0, 0}, // of no link, as it once was raised
        {"db.disk.low", is_disk_low, is_disk_fine, 0, 0},
        {"queue.growing", s->oldest_ms > 10 * MINUTE_MS, s->oldest_ms < 2 * MINUTE_MS, 0, 0},
        {"audit.checkpoint.late", s->uncovered_ms > UNCOVERED_MS, s->uncovered_ms <= UNCOVERED_MS,
         0, 0},
        {"approval.waiting", s->approval_ms > DAY_MS, s->approval_ms <= DAY_MS, 0, 0},
        dirty_of(w, s),
    };
    const size_t state_count = sizeof states / sizeof states[0];
    size_t count = 0;
    for (size_t i = 0; i < state_count; i++)
        count += apply(w, i, &states[i], now, &changes[count]);
    for (size_t i = 0; i < RATE_COUNT; i++) {
        const struct verdict v = rate_of(w, &RATES[i], s);
        count += apply(w, state_count + i, &v, now, &changes[count]);
    }
    count += judge_links(w, state_count + RATE_COUNT, s, links_up, now, &changes[count]);
    // Each is one of its own: a person says when it has been looked at.
    if (s->clock_step_ms > CLOCK_STEP_MS || s->clock_step_ms < -CLOCK_STEP_MS)
        changes[count++] = (struct watch_change){"clock.jump", true, 0};
    remember(w, s, now);
    return count;
}
