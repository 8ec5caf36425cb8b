#include "ota-server/shell/sender.h"

#include "common/base/text.h"
#include "common/host/entropy.h"
#include "ota-server/service/metric.h"
#include "ota-server/shell/egress.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

struct sender {
    struct sender_options options;
    struct egress *egress;
    struct sinks *sinks;
    struct api *api; // that keys are read for
    uint64_t answered, failed;
};

bool sender_allows(void *context, const struct sink_url *url)
{
    const struct sender *s = context;
    const struct server_sinks *o = &s->options.settings->sinks;
    struct ip ip;
    bool is_port = url->port == 443;
    for (unsigned i = 0; i < o->port_count; i++)
        is_port |= o->ports[i] == url->port;
    return is_port &&
           (!url->is_literal ||
            (ip_read(url->host, &ip) && egress_allows(o->allowed.at, o->allowed.count, &ip, true)));
}

static void answered(void *context, uint64_t ticket, const struct post_answer *a)
{
    struct sender *s = context;
    const struct sink_answer answer = {.status = a->status,
                                       .problem = post_problem_name(a->problem),
                                       .is_refused = a->problem == POST_ADDRESS_REFUSED,
                                       .retry_after_s = a->retry_after_s,
                                       .took_ms = a->took_ms,
                                       .body = a->body};
    if (a->problem == POST_ANSWERED)
        s->answered++;
    else
        s->failed++;
    sinks_answered(s->sinks, ticket, &answer);
    loop_wake(s->options.loop);
}

static bool send(void *context, const struct sink_request *r)
{
    struct sender *s = context;
    const struct post_request request = {.url = r->url,
                                         .host = r->parts.host,
                                         .port = r->parts.port,
                                         .is_literal = r->parts.is_literal,
                                         .headers = r->headers,
                                         .body = r->body,
                                         .answer_max = r->answer_max,
                                         .ticket = r->ticket,
                                         .done = answered,
                                         .context = s};
    return egress_send(s->egress, &request);
}

static void fetched(void *context, uint64_t ticket, const struct post_answer *a)
{
    struct sender *s = context;
    api_keys_answered(s->api, ticket, a->status, a->body, loop_now(s->options.loop));
}

bool sender_fetch(void *context, uint64_t ticket, const char *url, const struct sink_url *parts)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    struct sender *s = context;
    const struct post_request request = {.url = url,
                                         .host = parts->host,
                                         .port = parts->port,
                                         .is_literal = parts->is_literal,
                                         .headers = headers,
                                         .is_get = true,
                                         .answer_max = KEYS_TEXT_MAX,
                                         .ticket = ticket,
                                         .done = fetched,
                                         .context = s};
    return s->api != NULL && egress_send(s->egress, &request);
}

void sender_fetch_for(struct sender *s, struct api *api)
{
    s->api = api;
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    entropy_fill(to, len);
    return true;
}

// What the worker needs of the configuration.
static bool read_settings(const struct server_sinks *o, struct egress_settings *to,
                          const char **reason)
{
    const struct passwd *user = o->user[0] != '\0' ? getpwnam(o->user) : NULL;
    *to = (struct egress_settings){.at_once = SINK_FLIGHTS_MAX + KEYS_MAX,
                                   .has_user = user != NULL,
                                   .allowed_count = (uint8_t)o->allowed.count};
    if (user != NULL) {
        to->user = user->pw_uid;
        to->group = user->pw_gid;
    }
    memcpy(to->ca_file, o->ca_file, sizeof o->ca_file);
    memcpy(to->name_server, o->name_server, sizeof o->name_server);
    memcpy(to->allowed, o->allowed.at, sizeof o->allowed.at);
    *reason = "there is no such egress-user";
    return user != NULL || o->user[0] == '\0';
}

struct sender *sender_open(const struct sender_options *options, const char **reason)
{
    struct sender *s = calloc(1, sizeof *s);
    *reason = "not enough memory";
    if (s == NULL)
        return NULL;
    s->options = *options;
    struct egress_options egress = {
        .loop = options->loop, .log = options->log, .silent_ms = EGRESS_SILENT_MS};
    const struct sinks_options sinks = {.reader = options->reader,
                                        .turn = options->turn,
                                        .source = options->source,
                                        .client_key = options->client_key,
                                        .fill = fill,
                                        .send = send,
                                        .send_context = s};
    s->sinks = sinks_open(&sinks);
    if (s->sinks != NULL && read_settings(&options->settings->sinks, &egress.settings, reason))
        s->egress = egress_open(&egress, reason);
    secret_wipe(&s->options.client_key, sizeof s->options.client_key);
    if (s->egress != NULL)
        return s;
    sender_close(s);
    return NULL;
}

void sender_close(struct sender *s)
{
    if (s == NULL)
        return;
    egress_close(s->egress);
    sinks_close(s->sinks);
    free(s);
}

struct sinks *sender_sinks(struct sender *s)
{
    return s->sinks;
}

void sender_metrics(const struct sender *s, struct writer *w)
{
    metric_put(w, "sink_answers_total", "counter", "Answers of event sinks.", s->answered);
    metric_put(w, "sink_failures_total", "counter", "Attempts that event sinks did not answer.",
               s->failed);
    metric_put(w, "egress_losses_total", "counter",
               "Workers that make requests and ended while the server did not.",
               egress_losses(s->egress));
}
