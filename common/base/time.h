// Two kinds of time that cannot be mixed. An instant is for waiting: milliseconds of a clock that
// only goes forward and starts anywhere. A utc is for remembering: milliseconds since 1970-01-01
// UTC. Nothing here asks a clock; only common/host/clock.c does.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct instant {
    uint64_t ms;
};

struct utc {
    int64_t ms;
};

// Later than everything: "never".
#define INSTANT_NEVER ((struct instant){UINT64_MAX})

// `at` moved by `ms`; stays at INSTANT_NEVER instead of wrapping.
static inline struct instant instant_after(struct instant at, uint64_t ms)
{
    return (struct instant){ms > UINT64_MAX - at.ms ? UINT64_MAX : at.ms + ms};
}

static inline bool instant_is_due(struct instant deadline, struct instant now)
{
    return deadline.ms <= now.ms;
}

static inline struct instant instant_earlier(struct instant a, struct instant b)
{
    return a.ms < b.ms ? a : b;
}

static inline struct utc utc_after(struct utc at, int64_t ms)
{
    return (struct utc){at.ms + ms};
}

// How far the clocks of a place are east of UTC, and their next change. Their time is told as the
// milliseconds of a utc that reads as they do.
struct utc_offset {
    int16_t now_min, then_min; // until `changes_at`, and from it on
    struct utc changes_at;     // 0: they do not change, as far as is known
};
int64_t utc_local_ms(const struct utc_offset *o, struct utc at);
// The first moment from `from` on at which they read `local_ms`, or, where a change leaves it out,
// more than that.
struct utc utc_of_local(const struct utc_offset *o, int64_t local_ms, struct utc from);

// The years 0000 to 9999.
#define UTC_MIN_MS INT64_C(-62167219200000)
#define UTC_MAX_MS INT64_C(253402300799999)

// Writes `2026-07-24T12:00:00.000Z` and a zero. Years 0000 to 9999; others become the nearest.
#define UTC_TEXT_SIZE 25
void utc_format(struct utc at, char text[UTC_TEXT_SIZE]);
// The same in the basic form, for names of files: `20260724T120000000Z`.
void utc_format_name(struct utc at, char text[UTC_TEXT_SIZE]);
