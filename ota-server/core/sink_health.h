// How an event sink is doing, and when it is asked again: one breaker for each sink.
//
//   OK          nothing failed since the last delivery, or less than five times in a row
//   DEGRADED    five or more failures in a row
//   SUSPENDED   failing for 24 hours: asked once an hour; or gone (410), or its credential refused
//               (401, three times in a row) or over: not asked before somebody says so
//
// Only the oldest event is sent while something fails, after 1 s, 5 s, 30 s, 2 min, 10 min, 1 h and
// then each hour, each up to a fifth sooner or later; until 24 hours after it happened.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define SINK_DEGRADED_AFTER 5
#define SINK_GIVE_UP_MS (24 * (int64_t)3600 * 1000) // after the event, and of failures

enum sink_state { SINK_STATE_OK, SINK_DEGRADED, SINK_SUSPENDED };
extern const char *const sink_states[]; // names, ended by NULL
enum sink_why { SINK_WHY_NONE, SINK_WHY_FAILING, SINK_WHY_GONE, SINK_WHY_CREDENTIAL };
const char *sink_why_name(uint8_t why); // "GONE"

struct sink_health {
    uint8_t state;            // enum sink_state
    uint8_t why;              // enum sink_why, while SUSPENDED
    uint32_t failures;        // in a row
    uint32_t refusals;        // 401 in a row
    struct utc failing_since; // the first of them
    struct utc retry_at;      // not before; 0: at once
};
// May the sink be asked at `now`, and if not, when: 0: not by itself.
bool sink_may_send(const struct sink_health *h, struct utc now);
struct utc sink_next(const struct sink_health *h);

enum sink_result {
    SINK_DELIVERED,
    SINK_AGAIN,
    SINK_REFUSED, // this event will never be taken
    SINK_UNAUTHORISED,
    SINK_GONE,
};
// Of the status of an answer; 0: there was none.
enum sink_result sink_result_of(unsigned status);

struct sink_attempt {
    enum sink_result result;
    int64_t retry_after_s; // of 429 and 503; -1: not said
    struct utc give_up_at; // for this event
    struct utc now;
    uint8_t chance; // of the fifth sooner or later
};
enum sink_fate { SINK_FATE_DONE, SINK_FATE_WAITS, SINK_FATE_DEAD };
// Not asked any more before somebody says so, for a reason of ours.
void sink_suspend(struct sink_health *h, enum sink_why why);
// What becomes of the event, and of the sink.
enum sink_fate sink_judge(struct sink_health *h, const struct sink_attempt *a);
