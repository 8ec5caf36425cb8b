#include "ota-server/shell/sender.h"

#include "common/base/text.h"
#include "common/host/entropy.h"
#include "common/host/post.h"
#include "ota-server/service/metric.h"

#include <stdlib.h>
#include <string.h>

struct sender {
    struct sender_options options;
    struct post *post;
    struct sinks *sinks;
    struct api *api; // that keys are read for
    uint64_t answered, failed;
};

// Everybody's, or named by the configuration; one that stands in the URL only if it is named.
static bool is_allowed(void *context, const struct ip *ip, bool is_literal)
{
    const struct sender *s = context;
    const struct server_networks *n = &s->options.settings->sinks.allowed;
    return ip_is_in(ip, n->at, n->count) ||
           (!is_literal && sink_address_is_public(ip->at, ip_is_v4(ip)));
}

bool sender_allows(void *context, const struct sink_url *url)
{
    const struct sender *s = context;
    const struct server_sinks *o = &s->options.settings->sinks;
    struct ip ip;
    bool is_port = url->port == 443;
    for (unsigned i = 0; i < o->port_count; i++)
        is_port |= o->ports[i] == url->port;
    return is_port &&
           (!url->is_literal || (ip_read(url->host, &ip) && is_allowed((void *)s, &ip, true)));
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
    return post_send(s->post, &request);
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
    return s->api != NULL && post_send(s->post, &request);
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

struct sender *sender_open(const struct sender_options *options)
{
    struct sender *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->options = *options;
    const struct server_sinks *o = &options->settings->sinks;
    const struct post_options post = {.loop = options->loop,
                                      .dns_server =
                                          o->name_server[0] != '\0' ? o->name_server : NULL,
                                      .ca_file = o->ca_file[0] != '\0' ? o->ca_file : NULL,
                                      .at_once = SINK_FLIGHTS_MAX + KEYS_MAX,
                                      .is_allowed = is_allowed,
                                      .context = s};
    const struct sinks_options sinks = {.reader = options->reader,
                                        .turn = options->turn,
                                        .source = options->source,
                                        .client_key = options->client_key,
                                        .fill = fill,
                                        .send = send,
                                        .send_context = s};
    s->post = post_open(&post);
    s->sinks = sinks_open(&sinks);
    secret_wipe(&s->options.client_key, sizeof s->options.client_key);
    if (s->post != NULL && s->sinks != NULL)
        return s;
    sender_close(s);
    return NULL;
}

void sender_close(struct sender *s)
{
    if (s == NULL)
        return;
    post_close(s->post);
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
}
