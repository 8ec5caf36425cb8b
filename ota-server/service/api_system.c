// Health, readiness, metrics, documents, and what the installation is.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/download_hold.h"
#include "ota-server/service/meter.h"
#include "ota-server/service/metric.h"
#include "ota-server/store/deliveries.h"

void api_health(struct api_exchange *x)
{
    json_begin_object(&x->json);
    api_put_text(&x->json, "status", "ok");
    json_end_object(&x->json);
    api_reply(x, 200);
}

static void put_check(struct json_writer *j, const char *name, bool ok)
{
    json_begin_object(j);
    api_put_text(j, "name", name);
    api_put_bool(j, "ok", ok);
    json_end_object(j);
}

void api_ready(struct api_exchange *x)
{
    uint64_t sequence;
    uint8_t hash[32];
    // A wall clock before the first release cannot judge signatures or deadlines.
    const struct utc first_release = {1767225600000}; // 2026-01-01
    uint8_t nothing[4096];
    struct writer unused = writer_of(nothing, sizeof(nothing));
    struct json_writer links = json_writer_of(&unused);
    json_begin_object(&links);
    // One row: whoever asks every second must not cost a count of all cards.
    const bool has_database = store_trail_head(x->reader, &sequence, hash) == STORE_OK;
    const bool has_link = x->api->options.links == NULL ||
                          x->api->options.links(x->api->options.links_context, &links);
    const bool has_clock = x->now.utc.ms >= first_release.ms;
    const bool has_writer = turn_can_write(x->api->options.turn);
    const bool is_ready = has_database && has_link && has_clock && has_writer;
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_text(j, "status", is_ready ? "ok" : "unready");
    api_open_array(j, "checks");
    put_check(j, "database", has_database);
    put_check(j, "smsc", has_link);
    put_check(j, "writer", has_writer);
    put_check(j, "keys", x->api->options.client_key.len == 32);
    put_check(j, "clock", has_clock);
    json_end_array(j);
    json_end_object(j);
    api_reply(x, is_ready ? 200 : 503);
}

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif
#ifdef __OPTIMIZE__
#define IS_OPTIMIZED true
#else
#define IS_OPTIMIZED false
#endif

// No time and no machine: the same source gives the same program.
static void put_build(struct json_writer *j)
{
    api_open_object(j, "build");
    api_put_text(j, "compiler", COMPILER);
    api_put_bool(j, "optimized", IS_OPTIMIZED);
    json_end_object(j);
}

static void put_sizes(struct json_writer *j, const struct store_sizes *sizes)
{
    api_open_object(j, "database");
    api_put_number(j, "octets", sizes->database);
    api_put_number(j, "journalOctets", sizes->journal);
    json_end_object(j);
}

void api_system_get(struct api_exchange *x)
{
    struct json_writer *j = &x->json;
    struct store_counts counts;
    struct store_sizes sizes = {0};
    struct utc held_since = {0};
    uint64_t head = 0;
    uint8_t hash[32];
    if (!api_end_reading(x))
        return;
    enum store_status status = store_counts(x->reader, api_reach(x), &counts);
    if (status == STORE_OK)
        status = store_trail_head(x->reader, &head, hash);
    if (status == STORE_OK)
        status = store_sizes(x->reader, &sizes);
    if (status == STORE_OK)
        status = download_hold_since(x->reader, &held_since);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    json_begin_object(j);
    api_put_text(j, "version", x->api->options.version);
    put_build(j);
    api_put_time(j, "startedAt", x->api->started_at);
    api_put_bool(j, "fourEyes", !x->api->options.single_person);
    api_put_bool(j, "masking", !x->api->options.is_clear);
    api_put_time(j, "downloadsHeldSince", held_since);
    api_open_object(j, "cards");
    for (unsigned i = 0; i < CARD_STATES; i++)
        api_put_number(j, card_state_name((uint8_t)i), counts.cards_by_state[i]);
    json_end_object(j);
    api_open_object(j, "queues");
    api_put_number(j, "outbox", counts.outbox);
    api_put_number(j, "strays", counts.strays);
    json_end_object(j);
    put_sizes(j, &sizes);
    api_open_object(j, "auditTrail");
    api_put_number(j, "sequence", head);
    api_put_hex(j, "headHash", bytes_of(hash, sizeof(hash)));
    store_checkpoint_signer(x->reader, hash);
    api_put_hex(j, "checkpointKey", bytes_of(hash, sizeof(hash)));
    json_end_object(j);
    if (x->api->options.links != NULL)
        (void)x->api->options.links(x->api->options.links_context, j);
    json_end_object(j);
    api_reply(x, 200);
}

// --- metrics ---

static void put_turn_metrics(struct writer *w, const struct turn_counts *c)
{
    metric_put(w, "events_total", "counter", "Events decided.", c->events);
    metric_put(w, "turns_total", "counter", "Turns run.", c->turns);
    metric_put(w, "commits_total", "counter", "Transactions committed.", c->commits);
    metric_put(w, "packets_sent_total", "counter", "Packets handed to links.", c->sent);
    metric_put(w, "messages_received_total", "counter", "Messages from cards.", c->received);
    metric_put(w, "messages_dropped_total", "counter", "Messages that were not fresh.", c->dropped);
    metric_put(w, "messages_stray_total", "counter", "Messages that fit no card.", c->strays);
    metric_put(w, "failures_total", "counter",
               "Events and turns that failed, and cards that could not be read to send.",
               c->failures);
}

static void put_retention_metrics(struct writer *w, const struct turn_counts *c)
{
    static const char *const kinds[RETAINED_KINDS] = {
        [RETAINED_OPERATION] = "operations",   [RETAINED_MESSAGE] = "messages",
        [RETAINED_ALARM] = "alarms",           [RETAINED_LOCATION] = "locations",
        [RETAINED_CORRELATOR] = "correlators", [RETAINED_APPROVAL] = "approvals",
        [RETAINED_CAMPAIGN] = "campaigns",     [RETAINED_MOVE] = "moves",
        [RETAINED_REPORT] = "reports"};
    metric_family(w, "removed_total", "counter", "What was removed because its time was over.");
    for (unsigned i = 0; i < RETAINED_KINDS; i++)
        metric_value(w, "removed_total", "what", kinds[i], c->removed[i]);
}

static void put_store_metrics(struct writer *w, const struct store_counts *c)
{
    metric_family(w, "cards", "gauge", "Cards by state.");
    for (unsigned i = 0; i < CARD_STATES; i++)
        metric_value(w, "cards", "state", card_state_name((uint8_t)i), c->cards_by_state[i]);
    metric_family(w, "cards_marked", "gauge", "Cards by mark.");
    for (unsigned i = 0; i < CARD_MARKS; i++)
        metric_value(w, "cards_marked", "mark", card_mark_name((uint8_t)i), c->cards_by_mark[i]);
    metric_family(w, "operations", "gauge", "Operations that have not ended, by status.");
    for (unsigned i = 0; i < STATUS_ENDED; i++)
        metric_value(w, "operations", "status", operation_status_name((uint8_t)i),
                     c->operations_by_status[i]);
    metric_put(w, "outbox", "gauge", "Packets that wait for a link.", c->outbox);
    metric_put(w, "trail_rows", "gauge", "Rows of the audit trail.", c->trail);
}

static void put_alarm_metric(void *context, const char *key, uint64_t count)
{
    metric_value(context, "alarms", "key", key, count);
}

static void put_card_metrics(struct writer *w, const struct turn_counts *c)
{
    metric_put(w, "pors_total", "counter", "Answers of cards.", c->pors);
    metric_put(w, "por_errors_total", "counter", "Answers of cards that tell of an error.",
               c->por_errors);
    metric_put(w, "switches_total", "counter", "Switches that ended done or rolled back.",
               c->enables);
    metric_put(w, "rollbacks_total", "counter", "Switches that were rolled back.", c->rollbacks);
    metric_put(w, "profile_octets_total", "counter",
               "Octets that profiles have without a template, of downloads that are done.",
               c->profile_octets);
    metric_put(w, "download_octets_total", "counter", "Octets that were sent for those downloads.",
               c->download_octets);
}

static void put_meter_metrics(struct writer *w, const struct meter_counts *c)
{
    metric_put(w, "metering_waiting", "gauge", "Calls that the call log does not have yet.",
               c->waiting);
    metric_put(w, "metering_lost_total", "counter", "Calls that it will never have.", c->lost);
}

static void put_event_metrics(struct api_exchange *x)
{
    struct delivery_counts n = {0};
    metric_put(&x->out, "event_streams", "gauge", "Streams of events that are open.",
               api_streams_open(x->api));
    if (store_delivery_counts(x->reader, &n) != STORE_OK)
        return; // the next statement fails too, and says so
    metric_put(&x->out, "deliveries_waiting", "gauge", "Events that wait for sinks.", n.waiting);
    metric_put(&x->out, "deliveries_dead", "gauge", "Events that sinks did not take.", n.dead);
    metric_put(&x->out, "sinks_suspended", "gauge", "Event sinks that are suspended.", n.suspended);
}

static bool may_see_metrics(struct api_exchange *x)
{
    if (x->request->is_watcher)
        return true;
    if (!api_authenticate(x)) {
        api_refuse(x, x->problem.code != API_OK ? x->problem : api_problem_of(API_UNAUTHENTICATED));
        return false;
    }
    if (api_has_scope(x, "metrics:read"))
        return true;
    api_forbid(x, "it takes the scope connectivity-management:metrics:read");
    return false;
}

void api_metrics(struct api_exchange *x)
{
    static const char *const classes[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct store_counts counts;
    if (!api_accepts(x->request->accept, "text/plain")) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    if (!may_see_metrics(x))
        return;
    const enum store_status status = store_counts(x->reader, 0, &counts);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    metric_family(&x->out, "http_answers_total", "counter", "Answers of the API by class.");
    for (unsigned i = 2; i < 6; i++)
        metric_value(&x->out, "http_answers_total", "class", classes[i], x->api->answers[i]);
    metric_put(&x->out, "http_misread_total", "counter",
               "Requests that were none, refused before the API saw them.", x->api->misread);
    const struct turn_counts turns = turn_counts(x->api->options.turn);
    put_turn_metrics(&x->out, &turns);
    put_retention_metrics(&x->out, &turns);
    put_card_metrics(&x->out, &turns);
    put_store_metrics(&x->out, &counts);
    const struct meter_counts calls = meter_counts(x->api->meter);
    put_meter_metrics(&x->out, &calls);
    put_event_metrics(x);
    metric_family(&x->out, "alarms", "gauge", "Alarms that are not over.");
    if (store_alarms_open(x->reader, put_alarm_metric, &x->out) != STORE_OK) {
        api_start_answer(x);
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (x->api->options.metrics != NULL)
        x->api->options.metrics(x->api->options.links_context, &x->out);
    x->type = "text/plain; version=0.0.4; charset=utf-8";
    api_reply(x, 200);
}

// A document as it stands in the sources, but with the server's public URL where that is meant:
// what reads it may have it from anywhere.
static void put_document(struct api_exchange *x, const char *text)
{
    static const char *const places[] = {"servers: [{url: ", "openIdConnectUrl: ",
                                         "\"servers\":[{\"url\":\"", "\"openIdConnectUrl\":\""};
    for (;;) {
        const char *next = NULL;
        size_t len = 0;
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            const char *found = strstr(text, places[i]);
            if (found == NULL || (next != NULL && next < found))
                continue;
            next = found;
            len = strlen(places[i]);
        }
        if (next == NULL)
            break;
        writer_copy(&x->out, bytes_of(text, (size_t)(next - text) + len));
        text_put(&x->out, x->api->options.public_url);
        text = next + len;
        text += text[0] == '/' && (text[1] == '}' || text[1] == '"'); // the root alone
    }
    text_put(&x->out, text);
}

static void reply_document(struct api_exchange *x, const char *text)
{
    if (!api_accepts(x->request->accept, "application/yaml")) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    put_document(x, text);
    x->type = "application/yaml";
    api_reply(x, 200);
}

void api_docs(struct api_exchange *x)
{
    reply_document(x, x->api->options.openapi);
}

void api_docs_esim(struct api_exchange *x)
{
    reply_document(x, x->api->options.openapi_esim);
}

// A page that loads nothing from elsewhere, and runs no script but its own file.
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void api_docs_page(struct api_exchange *x)
{
    const struct api_file *page = x->api->options.pages;
    while (page != NULL && page->path != NULL && strcmp(page->path, x->route->path) != 0)
        page++;
    if (page == NULL || page->path == NULL) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    if (!api_accepts(x->request->accept, page->type)) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    x->policy = PAGE_POLICY;
    put_document(x, page->text);
    x->type = page->type;
    api_reply(x, 200);
}
