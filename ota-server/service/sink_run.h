// Deliveries at work: what waits for event sinks is handed to whoever sends it, and what came of it
// is written. It knows no socket.
//
// Promises: an event is sent until it was taken, given up, or its sink is gone, also across a stop:
// at least once, always with the same id and octets. Of one sink and card events go one after the
// other, in their order; a sink that fails gets one at a time. What is written is written before
// the next attempt. No sink waits for another, of another host: there is a place for each, however
// many are dead or slow. Never: more than SINK_PER_HOST requests to one host at once.
#pragma once

#include "ota-server/service/sink.h"
#include "ota-server/service/turn.h"

#define SINK_FLIGHTS_MAX 1024 // at once: one for each sink that there may be
#define SINK_PER_HOST 10
#define SINK_EACH 4        // of one sink,
#define SINK_EXTRA_MAX 256 // the second and further ones while there are no more than these
#define SINK_BODY_MAX 4096

struct sinks;

// One POST. Good during the call only.
struct sink_request {
    uint64_t ticket;
    const char *url;
    struct sink_url parts;      // of it
    const char *const *headers; // lines `Name: value`, ended by NULL
    struct bytes body;
    size_t answer_max; // octets of the answer that are wanted
};
// False: not now.
typedef bool sink_send_fn(void *context, const struct sink_request *request);

struct sinks_options {
    struct store *reader;
    struct turn *turn;
    const char *source;           // of the events: the public URL
    struct secret_key client_key; // seals the sinks' secrets
    bool (*fill)(void *context, uint8_t *to, size_t len);
    void *fill_context;
    sink_send_fn *send;
    void *send_context;
};

// NULL when there is no memory.
struct sinks *sinks_open(const struct sinks_options *options) MUST_USE;
void sinks_close(struct sinks *s);

// Something was committed for a sink, or a sink was changed.
void sinks_look(struct sinks *s);
// Sends what may be sent; after each turn. Then: when to call again, 0: not by itself.
void sinks_step(struct sinks *s, struct utc now);
struct utc sinks_due(const struct sinks *s);

struct sink_answer {
    unsigned status;       // 0: there was none
    const char *problem;   // constant text; "" for none
    bool is_refused;       // an address that is not allowed: no use in trying again
    int64_t retry_after_s; // -1: not said
    uint32_t took_ms;
    struct bytes body; // that was wanted
};
void sinks_answered(struct sinks *s, uint64_t ticket, const struct sink_answer *answer);

// Inside a transaction: raises or clears the alarm of a sink as it should be.
enum store_status sink_alarm_keep(struct store *store, struct turn *t, uint64_t sink,
                                  struct utc now) MUST_USE;
