#include "ota-server/shell/server.h"

#include "common/host/clock.h"
#include "common/host/entropy.h"
#include "common/host/ready.h"
#include "ota-server/service/auth_setup.h"
#include "ota-server/service/bootstrap_job.h"
#include "ota-server/service/campaign_run.h"
#include "ota-server/service/import_job.h"
#include "ota-server/shell/checks.h"
#include "ota-server/shell/confine.h"
#include "ota-server/shell/folders.h"
#include "ota-server/shell/front.h"
#include "ota-server/shell/links.h"
#include "ota-server/shell/log_id.h"
#include "ota-server/shell/pages.h"
#include "ota-server/shell/reload.h"
#include "ota-server/shell/sender.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/shell/waker.h"
#include "ota-server/shell/watcher.h"
#include "ota-server/store/tombstones.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/scratch_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURN_SLOW_MS 100
#define DRAIN_MS 10000
#define UNBIND_MS 3000
#define STOP_LOOK_MS 10
#define URL_SIZE (NET_ADDRESS_TEXT_SIZE + 16)

enum stage {
    STAGE_RUNNING,
    STAGE_DRAINING,  // nothing new to links; what is under way may end
    STAGE_UNBINDING, // the database says that it was a clean stop
};

struct server {
    const struct server_settings *settings;
    struct loop *loop;
    struct net *net;
    struct log log;
    struct server_crypto crypto;
    struct store *writer, *reader;
    struct store *import_reader; // of the imports' thread, as is the cipher
    struct server_crypto import_crypto;
    struct secret_key import_key;
    struct vendor_scratch import_scratch;
    struct watcher *watcher;
    struct import_jobs *imports;
    struct server_checks checks;
    struct folders *folders;
    struct waker waker; // of the loop, by other threads
    struct campaign_runner *campaigns;
    struct turn *turn;
    struct server_links *links;
    struct outbox *outbox;
    struct sender *sender;
    struct api *api;
    struct front *front;
    struct http_tls *tls; // of the front; NULL: plain
    struct server_reload reload;
    struct loop_turn_end turn_end;
    struct loop_timer due_timer;
    struct loop_timer stop_timer;
    struct instant stop_by;
    struct instant start;
    struct utc start_utc;
    enum stage stage;
    int exit_code;
    bool is_retrying, is_archive_stuck;
    char public_url[URL_SIZE];
    const char *routes[OUTBOX_ROUTES_MAX + 1]; // names
    char uploads[SERVER_PATH_SIZE];
};

// --- time ------------------------------------------------------------------------------------

// The wall clock; in a laboratory one that runs faster from the start on.
static struct utc server_utc(void *context)
{
    const struct server *v = context;
    if (v->settings->speed == 1.0)
        return loop_utc(v->loop);
    const double real_ms = (double)(loop_now(v->loop).ms - v->start.ms);
    return utc_after(v->start_utc, (int64_t)(real_ms * v->settings->speed));
}

// When the loop must turn again for something that is due at `at`.
static struct instant instant_of(const struct server *v, struct utc at)
{
    if (at.ms == 0)
        return INSTANT_NEVER;
    const struct instant now = loop_now(v->loop);
    const int64_t ms = at.ms - server_utc((void *)v).ms;
    if (ms <= 0)
        return now;
    return instant_after(now, (uint64_t)((double)ms / v->settings->speed) + 1);
}

static struct utc utc_at(void *context, struct instant at)
{
    (void)at; // the loop's own
    return server_utc(context);
}

static struct instant loop_reaches(void *context, struct utc at)
{
    return instant_of(context, at);
}

// --- the turn --------------------------------------------------------------------------------

static void log_plain(struct server *v, enum log_level level, const char *event, const char *reason)
{
    log_begin(&v->log, level, clock_utc(), event);
    if (reason != NULL)
        log_string(&v->log, "reason", reason);
    log_end(&v->log);
}

// Nothing is removed from the trail then: no reason to stop.
static void judge_archive(struct server *v)
{
    const char *problem = store_archive_problem(v->writer);
    if (*problem != '\0' && !v->is_archive_stuck)
        log_plain(v, LOG_ERROR, "trail.not_archived", problem);
    v->is_archive_stuck = *problem != '\0';
}

static void judge_turn(struct server *v, enum turn_status status, uint64_t took_ms)
{
    if (took_ms > TURN_SLOW_MS) {
        log_begin(&v->log, LOG_WARN, clock_utc(), "turn.slow");
        log_number(&v->log, "ms", (int64_t)took_ms);
        log_end(&v->log);
    }
    if (status == TURN_RETRY && !v->is_retrying)
        log_plain(v, LOG_ERROR, "store.cannot_write", store_problem(v->writer));
    // A turn without work is no sign that the disk has room again.
    if (v->is_retrying && turn_can_write(v->turn))
        log_plain(v, LOG_WARN, "store.writes_again", NULL);
    v->is_retrying = !turn_can_write(v->turn);
    if (status != TURN_STOP)
        return;
    log_plain(v, LOG_ERROR, "store.lost", store_problem(v->writer));
    (void)fprintf(stderr, "ota-server: the database may have lost a write (%s): stopped\n",
                  store_problem(v->writer));
    v->exit_code = EXIT_FAILURE;
    loop_stop(v->loop);
}

static void turn_end(void *context, struct instant now)
{
    struct server *v = context;
    if (v->stage == STAGE_UNBINDING || v->exit_code != EXIT_SUCCESS)
        return;
    outbox_tick(v->outbox, now);
    api_step(v->api);
    store_refresh(v->reader); // and so that nobody reads while the log is copied
    const struct instant before = clock_instant();
    const enum turn_status status = turn_run(v->turn, server_utc(v));
    const uint64_t took_ms = clock_instant().ms - before.ms;
    judge_turn(v, status, took_ms);
    judge_archive(v);
    if (v->watcher != NULL)
        watcher_commit(v->watcher, took_ms);
    if (status == TURN_STOP)
        return;
    if (api_told(v->api))
        sinks_look(sender_sinks(v->sender));
    if (v->stage == STAGE_RUNNING)
        sinks_step(sender_sinks(v->sender), server_utc(v));
    outbox_step(v->outbox);
    if (turn_has_work(v->turn))
        loop_wake(v->loop);
    loop_timer_set(&v->due_timer, instant_earlier(instant_of(v, sinks_due(sender_sinks(v->sender))),
                                                  instant_earlier(instant_of(v, turn_due(v->turn)),
                                                                  outbox_deadline(v->outbox))));
}

static void due(void *context, struct instant now)
{
    (void)now;
    loop_wake(((struct server *)context)->loop);
}

static void alarm_changed(void *context, uint8_t key, uint64_t card, bool is_raised)
{
    struct server *v = context;
    log_begin(&v->log, is_raised ? LOG_ERROR : LOG_INFO, clock_utc(),
              is_raised ? "alarm.raised" : "alarm.cleared");
    log_string(&v->log, "alarm", alarm_key_name(key));
    log_id(&v->log, "card", "crd", card);
    log_end(&v->log);
}

// --- stopping --------------------------------------------------------------------------------

static void asked_to_stop(void *context)
{
    struct server *v = context;
    log_plain(v, LOG_INFO, "server.stopping", NULL);
    v->stage = STAGE_DRAINING;
    v->stop_by = instant_after(loop_now(v->loop), DRAIN_MS);
    outbox_hold(v->outbox);
    loop_timer_set(&v->stop_timer, loop_now(v->loop));
}

static void drained(struct server *v, struct instant now)
{
    v->stage = STAGE_UNBINDING;
    const bool is_written = front_stop(v->front, outbox_is_settled(v->outbox), server_utc(v));
    v->front = NULL;
    if (!is_written) {
        log_plain(v, LOG_ERROR, "store.cannot_write", store_problem(v->writer));
        v->exit_code = EXIT_FAILURE;
    }
    server_links_unbind(v->links);
    v->stop_by = instant_after(now, UNBIND_MS);
}

static void stop_due(void *context, struct instant now)
{
    struct server *v = context;
    const bool is_over = instant_is_due(v->stop_by, now);
    if (v->stage == STAGE_DRAINING &&
        (is_over || (outbox_is_idle(v->outbox) && !turn_has_work(v->turn))))
        drained(v, now);
    else if (v->stage == STAGE_UNBINDING && (is_over || server_links_bound(v->links) == 0))
        loop_stop(v->loop);
    loop_timer_set(&v->stop_timer, instant_after(now, STOP_LOOK_MS));
}

// --- starting --------------------------------------------------------------------------------

static bool fail(const char *what, const char *reason)
{
    (void)fprintf(stderr, "ota-server: %s: %s\n", what, reason);
    return false;
}

static struct outbox *open_outbox(struct server *v)
{
    const struct server_settings *s = v->settings;
    struct outbox_options options = {.turn = v->turn,
                                     .port = server_links_port(v->links),
                                     .clock = {v, utc_at, loop_reaches, (uint32_t)s->speed},
                                     .audit_percent = s->audit_percent,
                                     .link_count = s->smsc_count,
                                     .route_count = s->route_count,
                                     .plmns = s->plmns};
    for (unsigned i = 0; i < s->smsc_count; i++)
        options.links[i] = (struct outbox_link){.smsc = s->smscs[i].centre,
                                                .sends = s->smscs[i].bind != SMPP_RX,
                                                .rate = s->smscs[i].rate,
                                                .weight = s->smscs[i].weight,
                                                .route = s->smscs[i].route};
    for (unsigned i = 0; i < s->route_count; i++)
        options.routes[i] = (struct outbox_route){.name = s->routes[i].name,
                                                  .numbers = s->routes[i].numbers,
                                                  .backup = s->routes[i].backup};
    memcpy(options.address, s->address, sizeof options.address);
    return outbox_open(&options, loop_now(v->loop));
}

static bool put_links(void *context, struct json_writer *j)
{
    const struct server *v = context;
    server_links_put(v->links, j);
    return server_links_bound(v->links) > 0;
}

static void put_link_metrics(void *context, struct writer *w)
{
    const struct server *v = context;
    server_links_metrics(v->links, w);
    sender_metrics(v->sender, w);
}

static void hand_over(void *context, const struct message *message)
{
    outbox_send(((struct server *)context)->outbox, message);
}

static void hurry(void *context, uint64_t card, uint64_t message)
{
    struct server *v = context;
    outbox_hurry(v->outbox, card, message);
}

static bool open_work(struct server *v, const struct server_keys *keys)
{
    const char *archive = v->settings->trail_archive;
    if (*archive != '\0' && access(archive, W_OK | X_OK) != 0)
        return fail(archive, strerror(errno));
    if (!server_crypto_open(&v->crypto))
        return fail("OpenSSL", "an algorithm is missing");
    v->writer = server_store_open(v->settings, keys, &v->crypto, false);
    if (v->writer == NULL)
        return false;
    v->reader = server_store_open(v->settings, keys, &v->crypto, true);
    if (v->reader == NULL)
        return false;
    v->campaigns = campaign_runner_open(v->writer, v->crypto.store.cipher);
    if (v->campaigns == NULL)
        return fail("memory", "not enough");
    const struct turn_options options = {.store = v->writer,
                                         .campaign = campaign_run,
                                         .campaign_context = v->campaigns,
                                         .follow = bootstrap_follow,
                                         .plan = bootstrap_plan,
                                         .policy = &v->settings->policy,
                                         .trail_months = v->settings->trail_months,
                                         .retired_key_days = v->settings->retired_key_days,
                                         .operation_months = v->settings->operation_months,
                                         .campaign_months = v->settings->campaign_months,
                                         .message_days = v->settings->message_days,
                                         .alarm_months = v->settings->alarm_months,
                                         .location_months = v->settings->location_months,
                                         .audit_gap_us = v->settings->audit_gap_us,
                                         .cipher = v->crypto.store.cipher,
                                         .send = hand_over,
                                         .hurry = hurry,
                                         .send_context = v,
                                         .alarm = alarm_changed,
                                         .alarm_context = v};
    v->turn = turn_open(&options);
    return v->turn != NULL || fail("memory", "not enough");
}

// What commits comes before what writes to sockets.
static bool open_loop(struct server *v)
{
    v->turn_end = (struct loop_turn_end){.end = turn_end, .context = v};
    loop_turn_end_add(v->loop, &v->turn_end);
    char error[TLS_REASON_SIZE];
    v->net = net_open(v->loop);
    if (v->net == NULL)
        return fail("memory", "not enough");
    const struct server_links_options options = {
        .loop = v->loop, .net = v->net, .settings = v->settings, .log = &v->log};
    if (!server_links_open(&options, &v->links, error))
        return fail("smsc", error);
    v->outbox = open_outbox(v);
    if (v->outbox == NULL || !loop_timer_open(&v->due_timer, v->loop, due, v) ||
        !loop_timer_open(&v->stop_timer, v->loop, stop_due, v))
        return fail("memory", "not enough");
    server_links_attach(v->links, v->outbox);
    return true;
}

static bool open_imports(struct server *v, const struct server_keys *keys)
{
    if (import_recover(v->writer, v->turn, server_utc(v)) != STORE_OK)
        return fail(v->settings->data, store_problem(v->writer));
    if (!server_crypto_open(&v->import_crypto))
        return fail("OpenSSL", "an algorithm is missing");
    v->import_reader = server_store_open(v->settings, keys, &v->import_crypto, true);
    if (v->import_reader == NULL)
        return false;
    if (!server_path(v->settings, "uploads", v->uploads) ||
        (mkdir(v->uploads, 0700) != 0 && errno != EEXIST) ||
        !vendor_scratch_open(&v->import_scratch, v->uploads))
        return fail(v->settings->data, "its folder for uploads cannot be made");
    v->import_key = keys->client;
    const struct import_jobs_options options = {.turn = v->turn,
                                                .reader = v->import_reader,
                                                .crypto = &v->import_crypto.store,
                                                .digest = &vendor_digest_host,
                                                .scratch = &v->import_scratch,
                                                .key = &v->import_key,
                                                .folder = v->uploads,
                                                .is_lab = v->settings->single_person,
                                                .wake = waker_wake,
                                                .wake_context = &v->waker};
    v->imports = import_jobs_open(&options);
    return v->imports != NULL || fail("the system", "it gives no thread");
}

static bool open_checks(struct server *v, const struct server_keys *keys)
{
    const struct server_checks_options options = {.settings = v->settings,
                                                  .keys = keys,
                                                  .turn = v->turn,
                                                  .reader = v->reader,
                                                  .wake = waker_wake,
                                                  .wake_context = &v->waker};
    return server_checks_open(&options, &v->checks);
}

static bool open_folders(struct server *v)
{
    const struct folders_options options = {.loop = v->loop,
                                            .log = &v->log,
                                            .settings = v->settings,
                                            .turn = v->turn,
                                            .reader = v->reader,
                                            .jobs = v->imports,
                                            .utc = server_utc,
                                            .utc_context = v};
    v->folders = folders_open(&options);
    return v->folders != NULL;
}

// While nobody was entered yet, each start makes the token with which the first person is, and puts
// it where only who runs the server can read it.
static bool prepare_setup(struct server *v)
{
    char path[SERVER_PATH_SIZE];
    char token[AUTH_TOKEN_SIZE];
    uint8_t entropy[32];
    bool is_open = false;
    if (!server_path(v->settings, "setup-token", path))
        return fail(v->settings->data, "this path is too long");
    entropy_fill(entropy, sizeof entropy);
    if (auth_setup_begin(v->writer, entropy, token, &is_open) != STORE_OK)
        return fail(v->settings->data, "the database cannot be written");
    (void)unlink(path); // of an earlier start
    FILE *file = is_open ? fopen(path, "we") : NULL;
    const bool is_written = file != NULL && fprintf(file, "%s\n", token) > 0;
    const bool is_kept = file != NULL && fclose(file) == 0 && is_written;
    secret_wipe(token, sizeof token);
    secret_wipe(entropy, sizeof entropy);
    if (!is_open)
        return true;
    log_begin(&v->log, LOG_INFO, clock_utc(), "server.not-set-up");
    log_string(&v->log, "token", path);
    log_end(&v->log);
    return is_kept || fail(path, "it cannot be written");
}

static bool open_http_tls(struct server *v)
{
    const struct server_tls *t = &v->settings->tls;
    const struct tls_options options = {.is_server = true,
                                        .certificate_file = t->certificate_file,
                                        .key_file = t->key_file,
                                        .ca_file = t->ca_file};
    char reason[TLS_REASON_SIZE] = "not enough memory";
    if (t->certificate_file[0] == '\0') {
        log_plain(v, LOG_WARN, "http.plain", "requests and answers are not enciphered");
        return true;
    }
    v->tls = http_tls_open(&options, reason);
    return v->tls != NULL || fail("TLS", reason);
}

static bool open_sender(struct server *v, const struct server_keys *keys)
{
    const char *reason = "";
    const struct sender_options options = {.loop = v->loop,
                                           .log = &v->log,
                                           .settings = v->settings,
                                           .reader = v->reader,
                                           .turn = v->turn,
                                           .source = v->public_url,
                                           .client_key = keys->client};
    v->sender = sender_open(&options, &reason);
    return v->sender != NULL || fail("events", reason);
}

static bool open_api(struct server *v, const struct server_keys *keys)
{
    const struct server_settings *s = v->settings;
    const char *plain = s->plain_listen;
    const struct api_options options = {.reader = v->reader,
                                        .turn = v->turn,
                                        .public_url = v->public_url,
                                        .version = SERVER_VERSION,
                                        .openapi = server_openapi,
                                        .openapi_esim = server_openapi_esim,
                                        .pages = server_pages,
                                        .smdp_host = s->smdp_host[0] != '\0' ? s->smdp_host : NULL,
                                        .client_key = keys->client,
                                        .routes = v->routes,
                                        .single_person = s->single_person,
                                        .has_basic = s->has_basic,
                                        .factor_roles = s->factor_roles,
                                        .leaked_file = s->leaked_file,
                                        .is_clear = s->is_clear,
                                        .cipher = v->crypto.store.cipher,
                                        .wake = waker_wake,
                                        .wake_context = &v->waker,
                                        .campaigns = v->campaigns,
                                        .imports = v->imports,
                                        .trail_checks = v->checks.checks,
                                        .sinks = sender_sinks(v->sender),
                                        .sink_allows = sender_allows,
                                        .sink_context = v->sender,
                                        .fetch_keys = sender_fetch,
                                        .fetch_context = v->sender,
                                        .started_at = server_utc(v),
                                        .fill = server_crypto_fill,
                                        .links = put_links,
                                        .metrics = put_link_metrics,
                                        .links_context = v};
    for (unsigned i = 0; i < s->route_count; i++)
        v->routes[i] = s->routes[i].name;
    if (!prepare_setup(v) || !open_http_tls(v))
        return false;
    v->api = api_open(&options);
    if (v->api == NULL)
        return fail("the system", "it gives no memory or no thread");
    sender_fetch_for(v->sender, v->api);
    const struct front_options front = {.loop = v->loop,
                                        .listen = s->listen,
                                        .plain_listen = plain[0] != '\0' ? plain : NULL,
                                        .api = v->api,
                                        .proxies = s->proxies.at,
                                        .proxy_count = s->proxies.count,
                                        .takes_certificates = s->proxy_certificates,
                                        .watchers = s->metrics_from.at,
                                        .watcher_count = s->metrics_from.count,
                                        .tls = v->tls,
                                        .log = &v->log,
                                        .upload_dir = v->uploads,
                                        .connections = s->connections,
                                        .connections_per_address = s->connections_per_address,
                                        .utc = server_utc,
                                        .utc_context = v};
    const enum net_error error = front_open(&front, &v->front);
    return error == NET_OK ||
           fail(v->tls != NULL && plain[0] != '\0' ? "listen or plain-listen" : s->listen,
                net_error_name(error));
}

static const char *link_name(void *context, unsigned link)
{
    const struct server *v = context;
    return v->settings->smscs[link].name;
}

static bool open_watcher(struct server *v)
{
    const struct watcher_options options = {.loop = v->loop,
                                            .log = &v->log,
                                            .turn = v->turn,
                                            .reader = v->reader,
                                            .outbox = v->outbox,
                                            .link_count = v->settings->smsc_count,
                                            .link_name = link_name,
                                            .link_context = v,
                                            .data = v->settings->data,
                                            .utc = server_utc,
                                            .utc_context = v};
    v->watcher = watcher_open(&options);
    return v->watcher != NULL;
}

static bool say_ready(struct server *v, const char *http)
{
    log_begin(&v->log, LOG_INFO, clock_utc(), "server.ready");
    log_string(&v->log, "http", http);
    log_number(&v->log, "links", v->settings->smsc_count);
    log_end(&v->log);
    char plain[NET_ADDRESS_TEXT_SIZE];
    const bool has_plain = front_plain_address(v->front, plain);
    const struct ready_item items[] = {
        {"http", http}, {"data", v->settings->data}, {"plain", plain}};
    if (has_plain)
        log_plain(v, LOG_WARN, "http.plain",
                  "plain-listen: requests and answers are not enciphered");
    return ready_say(STDOUT_FILENO, "ota-server", items, has_plain ? 3 : 2) ||
           fail("standard output", "it is closed");
}

static bool start(struct server *v, const struct server_keys *keys)
{
    char http[NET_ADDRESS_TEXT_SIZE];
    v->start = loop_now(v->loop);
    v->start_utc = loop_utc(v->loop);
    if (v->settings->speed != 1.0)
        log_plain(v, LOG_WARN, "server.laboratory_clock", "it runs faster than real time");
    if (!open_work(v, keys) || !open_loop(v))
        return false;
    if (turn_start(v->turn, server_utc(v)) != TURN_OK)
        return fail(v->settings->data, store_problem(v->writer));
    if (turn_was_restored(v->turn))
        log_plain(v, LOG_WARN, "server.restored", "an older database: every card is audited");
    (void)snprintf(v->public_url, sizeof v->public_url, "%s", v->settings->public_url);
    if (!waker_open(&v->waker, v->loop))
        return fail("the system", "it gives no event descriptor");
    if (!open_imports(v, keys) || !open_checks(v, keys) || !open_folders(v) ||
        !open_sender(v, keys) || !open_api(v, keys))
        return false;
    front_address(v->front, http);
    if (v->settings->public_url[0] == '\0') // the port may be the system's choice
        (void)snprintf(v->public_url, sizeof v->public_url, "%s://%s",
                       v->tls != NULL ? "https" : "http", http);
    if (!open_watcher(v))
        return fail("memory", "not enough");
    loop_on_signal(v->loop, asked_to_stop, v);
    v->reload = (struct server_reload){
        .settings = v->settings, .tls = v->tls, .links = v->links, .log = &v->log};
    server_reload_init(&v->reload);
    if (!loop_on_hangup(v->loop, server_reload, &v->reload))
        return fail("memory", "not enough");
    if (v->settings->is_confined && !confine_server())
        return fail("the system", "it does not confine the server, see \"confined\"");
    return say_ready(v, http);
}

static void stop(struct server *v)
{
    loop_timer_close(&v->due_timer);
    loop_timer_close(&v->stop_timer);
    if (v->front != NULL)
        front_close(v->front);
    http_tls_close(v->tls);
    if (v->net != NULL)
        net_close_all(v->net);
    if (v->links != NULL)
        server_links_close(v->links);
    if (v->turn_end.end != NULL)
        loop_turn_end_remove(v->loop, &v->turn_end);
    sender_close(v->sender);
    outbox_close(v->outbox);
    if (v->api != NULL)
        api_close(v->api);
    folders_close(v->folders);
    watcher_close(v->watcher);
    import_jobs_close(v->imports);
    server_checks_close(&v->checks);
    waker_close(&v->waker);
    store_close(v->import_reader);
    server_crypto_close(&v->import_crypto);
    vendor_scratch_close(&v->import_scratch);
    secret_wipe(&v->import_key, sizeof v->import_key);
    turn_close(v->turn);
    campaign_runner_close(v->campaigns);
    store_close(v->reader);
    store_close(v->writer);
    server_crypto_close(&v->crypto);
    loop_close(v->loop);
}

int server_run(const struct server_settings *settings, const struct server_keys *keys)
{
    static struct server v;
    v.settings = settings;
    v.exit_code = EXIT_SUCCESS;
    log_init(&v.log, STDERR_FILENO, settings->log_form, settings->log_level);
    v.log.clear = settings->is_clear;
    struct net_address listen;
    if (net_resolve(settings->listen, &listen) == NET_BAD_ADDRESS) {
        (void)fail(settings->listen, net_error_name(NET_BAD_ADDRESS));
        return SERVER_WRONG_USE;
    }
    v.loop = loop_open();
    if (v.loop == NULL) {
        (void)fail("the system", "it gives no event loop");
        return EXIT_FAILURE;
    }
    if (!settings->is_memory_locked)
        log_plain(&v, LOG_WARN, "memory.not_locked",
                  settings->are_keys_locked ? "only what has keys: raise LimitMEMLOCK"
                                            : "not even keys: raise LimitMEMLOCK");
    if (start(&v, keys))
        loop_run(v.loop);
    else
        v.exit_code = EXIT_FAILURE;
    stop(&v);
    return v.exit_code;
}
