// Deliveries to event sinks over the network: sink_run.h with egress.h, and what the
// configuration allows.
#pragma once

#include "ota-server/service/api.h"
#include "ota-server/service/sink_run.h"
#include "ota-server/shell/settings.h"

struct sender;

struct sender_options {
    struct loop *loop;
    struct log *log;
    const struct server_settings *settings; // must outlive the sender
    struct store *reader;
    struct turn *turn;
    const char *source; // of the events: the public URL
    struct secret_key client_key;
};

// NULL, with a reason that is constant text: memory is missing, or the process that makes the
// requests does not start.
struct sender *sender_open(const struct sender_options *options, const char **reason) MUST_USE;
// What is under way ends without a word, and is sent again after the next start.
void sender_close(struct sender *s);
struct sinks *sender_sinks(struct sender *s);

// May clients give this address? For api_options.
bool sender_allows(void *context, const struct sink_url *url);
// Reads what a client publishes. For api_options, and the API that gets it.
bool sender_fetch(void *context, uint64_t ticket, const char *url, const struct sink_url *parts);
void sender_fetch_for(struct sender *s, struct api *api);
// For /metrics.
void sender_metrics(const struct sender *s, struct writer *w);
