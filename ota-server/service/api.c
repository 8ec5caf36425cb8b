#include "ota-server/service/api.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_advice.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/api_move.h"
#include "ota-server/service/api_upload.h"
#include "ota-server/service/clear_reads.h"
#include "ota-server/service/import_job.h"
#include "ota-server/service/meter.h"
#include "ota-server/service/quota.h"
#include "ota-server/service/report.h"
#include "ota-server/service/timers_run.h"
#include "ota-server/service/trail_check.h"

#include <stdlib.h>

#define STOP_TURNS 16 // for the most notes of calls, and those of what is answered meanwhile

static const struct job_kind job_kinds[] = {{MOVE_KIND, api_move_step}, {REPORT_KIND, report_step}};

struct api *api_open(const struct api_options *options)
{
    struct api *api = calloc(1, sizeof(*api));
    if (api == NULL)
        return NULL;
    api->options = *options;
    api->keys.fetch = options->fetch_keys;
    api->keys.context = options->fetch_context;
    api->crypto = crypto_open();
    api->out = malloc(API_ANSWER_MAX);
    api->headers = malloc(API_HEADERS_MAX);
    api->nonce_entries = malloc(API_NONCES_MAX * sizeof(*api->nonce_entries));
    api->timers = timers_runs_open(options->turn, options->reader);
    api->meter = meter_open(options->turn);
    api->clear_reads = clear_reads_open(options->turn);
    api->jobs = jobs_open(options->turn, options->reader, job_kinds,
                          sizeof(job_kinds) / sizeof(job_kinds[0]), api);
    api->quotas = quotas_open(options->turn, options->reader);
    const struct hashing_options hashing = {options->wake, options->wake_context};
    api->hashing = options->wake != NULL ? hashing_open(&hashing) : NULL;
    if ((api->hashing == NULL && options->wake != NULL) || api->crypto == NULL ||
        api->out == NULL || api->headers == NULL || api->nonce_entries == NULL ||
        api->timers == NULL || api->meter == NULL || api->clear_reads == NULL ||
        api->jobs == NULL || api->quotas == NULL) {
        api_close(api);
        return NULL;
    }
    nonce_cache_init(&api->nonces, api->nonce_entries, API_NONCES_MAX);
    api->started_at = options->started_at;
    return api;
}

void api_keys_answered(struct api *api, uint64_t ticket, unsigned status, struct bytes body,
                       struct instant now)
{
    keys_answered(&api->keys, ticket, status, body, now);
}

void api_close(struct api *api)
{
    if (api == NULL)
        return;
    check(api->in_work == NULL);
    hashing_close(api->hashing);
    crypto_close(api->crypto);
    secret_wipe(&api->options.client_key, sizeof(api->options.client_key));
    timers_runs_close(api->timers);
    meter_close(api->meter);
    clear_reads_close(api->clear_reads);
    jobs_close(api->jobs);
    quotas_close(api->quotas);
    free(api->nonce_entries);
    free(api->headers);
    free(api->out);
    free(api);
}

struct api_exchange *api_exchange_open(void)
{
    return calloc(1, sizeof(struct api_exchange));
}

// It is in work no more.
static void forget(struct api_exchange *x)
{
    struct api_exchange **at = &x->api->in_work;
    while (*at != NULL && *at != x)
        at = &(*at)->next;
    if (*at == x)
        *at = x->next;
    json_decref(x->root);
    x->root = NULL;
    if (x->hashed.is_waiting)
        hashing_drop(x->api->hashing, x);
    api_difference_free(x);
    if (x->close_work != NULL && x->work != NULL) // there may have been no memory for it
        x->close_work(x->work);
    free(x->work);
    x->work = NULL;
    free(x->approval);
    x->approval = NULL;
    api_stored_free(x);
    clear_reads_free(x);
    x->done = NULL;
}

void api_exchange_close(struct api_exchange *x)
{
    if (x->done != NULL)
        forget(x);
    if (x->stream != NULL)
        api_stream_close(x);
    free(x->rest);
    free(x->rest_work);
    free(x);
}

long api_more(struct api_exchange *x, uint8_t *to, size_t len)
{
    struct api_rest *rest = x->rest;
    if (rest->at == rest->len) {
        x->out = writer_of(rest->octets, sizeof(rest->octets));
        x->json = json_writer_of(&x->out);
        if (!x->more(x))
            return -1;
        rest->at = 0;
        rest->len = x->out.len;
        if (rest->len == 0 && x->stream != NULL && api_stream_waits(x->stream))
            return API_MORE_LATER;
    }
    const size_t count = rest->len - rest->at < len ? rest->len - rest->at : len;
    memcpy(to, rest->octets + rest->at, count);
    rest->at += count;
    return (long)count;
}

void api_on_more(struct api_exchange *x, void (*wake)(void *context), void *context)
{
    if (x->stream != NULL)
        api_stream_on_more(x->stream, wake, context);
}

void api_start_answer(struct api_exchange *x)
{
    x->out = writer_of(x->api->out, API_ANSWER_MAX);
    x->headers = writer_of(x->api->headers, API_HEADERS_MAX);
    x->json = json_writer_of(&x->out);
    x->type = NULL;
    x->policy = NULL;
    x->shown = 0;
}

// --- delivery ---

// Texts say how they are written [RFC 6657 §3]; JSON is UTF-8 always.
static const char *type_with_charset(const char *type)
{
    static const char *const texts[][2] = {
        {"text/csv", "text/csv; charset=utf-8"},
        {"text/html", "text/html; charset=utf-8"},
        {"text/css", "text/css; charset=utf-8"},
        {"text/javascript", "text/javascript; charset=utf-8"},
    };
    for (size_t i = 0; type != NULL && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(type, texts[i][0]) == 0)
            return texts[i][1];
    }
    return type;
}

void api_deliver(struct api_exchange *x)
{
    char caller[API_ID_SIZE] = "";
    char correlator[sizeof(x->correlator)];
    memcpy(correlator, x->correlator, sizeof(correlator));
    if (x->is_authenticated || x->is_proved)
        api_id_write(caller, x->client.is_user ? "usr" : "cli", x->client.id);
    const struct api_answer answer = {.status = x->status,
                                      .type = type_with_charset(x->type),
                                      .headers = writer_bytes(&x->headers),
                                      .body = writer_bytes(&x->out),
                                      .rest = x->rest != NULL ? x : NULL,
                                      .route = x->route != NULL ? x->route->path : NULL,
                                      .caller = caller,
                                      .by = x->by,
                                      .correlator = correlator};
    api_done_fn *done = x->done;
    void *context = x->done_context;
    struct api_exchange ended = {.api = x->api};
    memcpy(ended.key_name, x->key_name, sizeof(ended.key_name));
    x->api->answers[x->status / 100 % 6]++;
    forget(x);
    done(context, &answer); // which may free the exchange
    api_stored_ended(&ended);
}

// What a browser that shows an answer by itself may do with it: nothing.
#define NO_POLICY                                                                                  \
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "                 \
    "frame-ancestors 'none'"

// What is saved has a name of ours, whoever asked for it.
static void put_file_name(struct api_exchange *x)
{
    if (x->type != NULL && strcmp(x->type, "text/csv") == 0)
        api_header(x, "Content-Disposition", "attachment; filename=\"export.csv\"");
    else if (x->type != NULL && strcmp(x->type, "application/x-ndjson") == 0)
        api_header(x, "Content-Disposition", "attachment; filename=\"export.jsonl\"");
}

static void put_common_headers(struct api_exchange *x)
{
    text_put(&x->headers, "Cache-Control: no-store\nX-Content-Type-Options: nosniff\n"
                          "Referrer-Policy: no-referrer\n");
    api_header(x, "Content-Security-Policy", x->policy != NULL ? x->policy : NO_POLICY);
    if (api_is_secure(x->api) && !x->request->is_in_clear)
        text_put(&x->headers, "Strict-Transport-Security: max-age=31536000; includeSubDomains\n");
    put_file_name(x);
    api_header(x, "x-correlator", x->correlator);
    if (x->location[0] != '\0')
        api_header(x, "Location", x->location);
    if (x->is_authenticated)
        api_rate_headers(x);
    if (x->status == 401)
        text_put(&x->headers, "WWW-Authenticate: Bearer\n");
    if (x->status == 503)
        text_put(&x->headers, "Retry-After: 1\n");
}

static void end(struct api_exchange *x)
{
    check(!x->is_in_turn);
    if (x->is_showing || (!x->is_composing && clear_reads_hold(x, end)))
        return;
    put_common_headers(x);
    check(!x->headers.failed);
    if (!x->is_composing)
        meter_answered(x);
    if (x->is_composing && !x->is_dry_run)
        api_stored_put(x);
    else if (!x->is_composing && !api_stored_keep(x))
        api_deliver(x);
}

bool api_is_unsure(const struct api_exchange *x)
{
    return store_failures(x->api->options.reader) != x->failures;
}

bool api_rest_open(struct api_exchange *x)
{
    if (x->rest == NULL)
        x->rest = calloc(1, sizeof(*x->rest));
    return x->rest != NULL;
}

void api_refuse(struct api_exchange *x, struct api_problem problem)
{
    check(problem.code != API_OK);
    free(x->rest); // of an answer in pieces that will not be
    x->rest = NULL;
    if (x->is_in_turn) { // it is told after the turn
        x->problem = problem;
        return;
    }
    if (api_is_unsure(x)) {
        problem = api_problem_of(API_UNAVAILABLE);
        x->headers.len = 0;
    }
    if (x->route != NULL && (x->route->flags & ROUTE_CAMARA) != 0)
        problem = api_esim_problem(x, problem);
    problem = api_advise(x, problem);
    x->problem = problem;
    x->status = api_code_status(problem.code);
    x->shown = 0;
    x->out.len = 0;
    x->out.failed = false;
    x->json = json_writer_of(&x->out);
    x->type = "application/json";
    x->policy = NULL;
    x->location[0] = '\0';
    api_put_problem(&x->json, &problem);
    end(x);
}

void api_refuse_code(struct api_exchange *x, enum api_code code)
{
    api_refuse(x, api_problem_of(code));
}

// What was read is in doubt, and nothing was changed. Whoever watches the server wants to know.
static bool refuse_unsure(struct api_exchange *x)
{
    const bool may_have_changed = x->apply != NULL || x->answered != NULL;
    const bool is_watching = x->route != NULL && (x->route->flags & ROUTE_UNLIMITED) != 0;
    if (may_have_changed || is_watching || !api_is_unsure(x))
        return false;
    api_refuse_code(x, API_UNAVAILABLE);
    return true;
}

void api_reply(struct api_exchange *x, unsigned status)
{
    if (refuse_unsure(x))
        return;
    if (x->out.failed || (x->type == NULL && !json_done(&x->json))) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (x->more != NULL && !api_rest_open(x)) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    x->status = status;
    if (x->type == NULL)
        x->type = "application/json";
    end(x);
}

void api_reply_empty(struct api_exchange *x, unsigned status)
{
    if (refuse_unsure(x))
        return;
    x->out.len = 0;
    x->status = status;
    x->type = NULL;
    end(x);
}

// --- the way of a request ---

static void make_correlator(struct api_exchange *x)
{
    const struct bytes given = x->request->correlator;
    if (given.len > 0 && x->request->correlator_count == 1 && api_is_correlator(given)) {
        bytes_copy(x->correlator, given);
        x->correlator[given.len] = '\0';
    } else {
        uint8_t entropy[16] = {0};
        // Without entropy the correlator is constant, which harms nobody.
        if (!x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy)))
            memset(entropy, 0, sizeof(entropy));
        api_uuid_make(x->correlator, entropy);
    }
    x->correlator_id = api_correlator_hash(bytes_of_text(x->correlator));
}

uint64_t api_correlator_hash(struct bytes text)
{
    uint64_t hash = 0xCBF29CE484222325u; // FNV-1a
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.at[i]) * 0x100000001B3u;
    return hash >> 1 | 1;
}

void api_run(struct api_exchange *x)
{
    x->is_waiting = false;
    x->hashed = (struct api_hashed){.is_admitted = true};
    if (!api_stored_begin(x) || !api_whole_begin(x))
        return;
    if ((x->route->flags & ROUTE_IN_TURN) != 0)
        api_in_turn(x, x->route->handle);
    else
        x->route->handle(x);
}

void api_misread(struct api *api)
{
    api->misread++;
}

void api_handle(struct api *api, struct api_exchange *x, const struct api_request *request,
                struct api_now now, api_done_fn *done, void *context)
{
    *x = (struct api_exchange){.api = api,
                               .reader = api->options.reader,
                               .request_copy = *request,
                               .now = now,
                               .failures = store_failures(api->options.reader),
                               .done = done,
                               .done_context = context};
    x->request = &x->request_copy;
    x->next = api->in_work;
    api->in_work = x;
    if (api->started_at.ms == 0)
        api->started_at = now.utc;
    api_start_answer(x);
    make_correlator(x);
    if (api_admit(x))
        api_run(x);
}

void api_tick(struct api *api, struct api_now now)
{
    api_stored_tick(api, now);
    uploads_tick(api);
    timers_runs_tick(api->timers, now.utc);
    jobs_tick(api->jobs);
    meter_tick(api->meter);
    clear_reads_tick(api->clear_reads, now.utc);
    api_streams_tick(api, now);
    quotas_tick(api->quotas);
    if (api->options.imports != NULL)
        import_jobs_tick(api->options.imports);
    if (api->options.trail_checks != NULL)
        trail_checks_tick(api->options.trail_checks);
}

// A turn takes some of the notes of calls, and an answer may need several.
static bool write_rest(struct api *api, struct utc now)
{
    for (unsigned i = 0; i < STOP_TURNS; i++) {
        meter_tick(api->meter);
        const bool is_counted = clear_reads_end(api->clear_reads);
        if (turn_run(api->options.turn, now) != TURN_OK)
            return false;
        if (is_counted && meter_counts(api->meter).waiting == 0 && api->in_work == NULL)
            return true;
    }
    return false;
}

bool api_stop(struct api *api, bool is_clean, struct utc now)
{
    api_hash_end(api);
    const bool is_written = write_rest(api, now);
    return (!is_clean || turn_stop(api->options.turn, now) == TURN_OK) && is_written;
}

void api_step(struct api *api)
{
    if (api->options.imports != NULL)
        import_jobs_step(api->options.imports);
    if (api->options.trail_checks != NULL)
        trail_checks_step(api->options.trail_checks);
    if (api->hashing != NULL)
        hashing_step(api->hashing);
    jobs_step(api->jobs);
    meter_step(api->meter);
}

bool api_told(struct api *api)
{
    if (!turn_has_told(api->options.turn))
        return false;
    api_streams_told(api);
    return true;
}
