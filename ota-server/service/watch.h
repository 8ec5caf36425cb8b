// What to raise an alarm about: samples of the whole installation, every few seconds, against
// thresholds and times. Plain values in, changes out.
//
// Promises: what is said is said once, until it changes; after a start what holds no more is
// cleared, whoever raised it. Never: asks a clock, a store or a link.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

// Counters since the program's start: rates are made of their differences.
enum watch_count {
    WATCH_SENT,      // submit_sm
    WATCH_THROTTLED, // of these, refused for want of room
    WATCH_PORS,
    WATCH_POR_ERRORS,
    WATCH_ENABLES, // ended, done or rolled back
    WATCH_ROLLBACKS,
    WATCH_COMMITS,
    WATCH_COMMITS_SLOW,      // over 200 ms
    WATCH_COMMITS_VERY_SLOW, // over 500 ms
    WATCH_COUNTS,
};

#define WATCH_LINKS_MAX 16
struct watch_sample {
    uint64_t counts[WATCH_COUNTS];
    unsigned links;
    bool is_up[WATCH_LINKS_MAX];
    uint64_t disk_free, disk_size; // octets; size 0: not known
    uint64_t oldest_ms;            // how long the oldest packet waits for a link; 0: none does
    uint64_t dirty, cards;         // cards 0: not known
    uint64_t uncovered_ms;         // how long rows of the trail have had no checkpoint; 0: all have
    uint64_t approval_ms;          // how long the oldest approval has been open; 0: none is
    int64_t clock_step_ms;         // that the wall clock went wrong since the last sample
};

struct watch_change {
    const char *key; // as in alarm.h
    bool is_raised;
    unsigned link; // which one it is about, from 1; 0: the installation
};
#define WATCH_CHANGES_MAX (16 + WATCH_LINKS_MAX)
#define WATCH_RULES (11 + WATCH_LINKS_MAX)
#define WATCH_MINUTES 61

struct watch {
    /* private */
    struct instant start;
    uint64_t minutes; // that are in the ring
    uint64_t ring[WATCH_MINUTES][WATCH_COUNTS];
    uint64_t dirty[WATCH_MINUTES];
    struct {
        uint8_t said; // nothing yet, cleared, raised
        bool is_bad, is_good;
        struct instant bad_since, good_since;
    } rules[WATCH_RULES];
};

void watch_init(struct watch *w, struct instant now);
// How many changes there are; at most WATCH_CHANGES_MAX.
size_t watch_step(struct watch *w, const struct watch_sample *sample, struct instant now,
                  struct watch_change changes[WATCH_CHANGES_MAX]);
