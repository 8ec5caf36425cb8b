// Event sinks: how each is doing, and the events that wait for it, or did not get there. Which
// sinks there are, and what they want, stands in documents of the kind STORE_SINK_KIND: owner,
// group as parent, and the set of (1 << notice kind) as their state. What stores promise, and their
// errors, say store.h.
//
// Promises: an event is put into the queue of each sink that wants it and whose owner may read it,
// in the transaction of what it tells of [store/notices.h]; a queue has at most
// DELIVERIES_WAITING_MAX, and the oldest beyond that is a dead letter.
#pragma once

#include "ota-server/core/sink_health.h"
#include "ota-server/store/store.h"

#define STORE_SINK_KIND "event-sink"
#define DELIVERIES_WAITING_MAX 1000
#define DELIVERY_UUID_SIZE 16

struct sink_row {
    uint64_t id;
    struct sink_health health;
    uint64_t waiting, dead; // events
    bool has_alarm;
};
enum store_status store_sink_add(struct store *s, uint64_t id) MUST_USE;
enum store_status store_sink_get(struct store *s, uint64_t id, struct sink_row *out) MUST_USE;
enum store_status store_sink_health_put(struct store *s, uint64_t id,
                                        const struct sink_health *h) MUST_USE;
// With its events, whatever became of them.
enum store_status store_sink_delete(struct store *s, uint64_t id) MUST_USE;
typedef bool store_sink_fn(void *context, const struct sink_row *row);
// Those for which events wait, by their ids.
enum store_status store_sinks_waiting(struct store *s, store_sink_fn *each, void *context) MUST_USE;
// Those whose alarm is not as it should be: there for a suspended one, or with dead letters.
enum store_status store_sinks_to_alarm(struct store *s, uint32_t limit, store_sink_fn *each,
                                       void *context) MUST_USE;
enum store_status store_sink_alarm_put(struct store *s, uint64_t id, bool has_alarm) MUST_USE;

enum delivery_state { DELIVERY_WAITING, DELIVERY_DONE, DELIVERY_DEAD };
struct delivery {
    uint64_t id, sink, tenant, card;
    uint8_t kind;  // of the notice
    uint8_t state; // enum delivery_state
    struct utc at; // of what it tells of
    struct utc give_up_at, ended_at;
    uint32_t attempts;
    uint16_t status;     // of the last answer; 0: there was none
    const char *problem; // of the last attempt; ""
    uint8_t uuid[DELIVERY_UUID_SIZE];
    struct bytes data; // JSON
};
typedef bool store_delivery_fn(void *context, const struct delivery *d);
enum store_status store_delivery_get(struct store *s, uint64_t id, store_delivery_fn *each,
                                     void *context) MUST_USE;
// Puts one event into the queue of one sink; `id` and `uuid` are given by the store.
enum store_status store_delivery_add(struct store *s, const struct delivery *d,
                                     uint64_t *id) MUST_USE;
// Those that wait for a sink, oldest first.
enum store_status store_deliveries_waiting(struct store *s, uint64_t sink, uint32_t limit,
                                           store_delivery_fn *each, void *context) MUST_USE;
struct delivery_filter {
    uint64_t tenant, sink; // 0: any
    int state;             // -1: any
};
// Newest first.
enum store_status store_deliveries(struct store *s, const struct delivery_filter *filter,
                                   const struct store_page *page, store_delivery_fn *each,
                                   void *context, uint64_t *total) MUST_USE;

struct delivery_attempt {
    uint64_t delivery, sink;
    struct utc at;
    uint32_t took_ms;
    uint16_t status;     // 0: no answer
    const char *problem; // "": none
};
// What came of an attempt: DONE, DEAD or still WAITING.
enum store_status store_attempt_add(struct store *s, const struct delivery_attempt *a,
                                    enum delivery_state state) MUST_USE;
typedef bool store_attempt_fn(void *context, const struct delivery_attempt *a);
enum store_status store_attempts(struct store *s, uint64_t delivery, store_attempt_fn *each,
                                 void *context) MUST_USE;
// A dead letter waits once more. STORE_NONE: it is none.
enum store_status store_delivery_again(struct store *s, uint64_t id, uint64_t sink,
                                       struct utc give_up_at) MUST_USE;
// At most `limit` of those that wait for too long become dead letters, and as many rows that ended
// long ago are removed; `is_more`: there were more.
enum store_status store_deliveries_sweep(struct store *s, struct utc now, uint32_t limit,
                                         bool *is_more) MUST_USE;
struct delivery_counts {
    uint64_t waiting, dead, suspended; // events, events, sinks
};
enum store_status store_delivery_counts(struct store *s, struct delivery_counts *out) MUST_USE;

// Of store_notice_add(): for each sink that wants it.
struct notice;
enum store_status deliveries_add(struct store *s, const struct notice *n);
