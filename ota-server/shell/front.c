#include "ota-server/shell/front.h"

#include "common/base/text.h"
#include "common/host/crypto.h"
#include "ota-server/service/api_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATH_SIZE 512
#define METHOD_SIZE 16
#define TICK_MS 1000
#define FILES_OF_OURS 256 // databases, links, uploads, and what libraries open
#define FIELDS_MAX 32
#define FIELDS_OCTETS 4096
#define CERTIFICATE_MAX 8192 // octets, as a gateway tells them

// One request in work, from its headers to its answer.
struct seat {
    struct front *front;
    struct seat *next_free;
    struct http_request *request; // NULL when the client has gone
    struct api_exchange *exchange;
    struct sha256 *digest; // of an upload
    char upload[PATH_SIZE];
    char peer[NET_ADDRESS_TEXT_SIZE];
    char method[METHOD_SIZE];
    struct instant began_at;
    uint64_t upload_len;
    int fd;                       // of an upload, -1: none
    struct api_request asked;     // its headers
    struct http_certificate told; // by a gateway
    bool is_used;
    bool is_handled;  // the API has it: it must live until it is answered
    bool is_failed;   // the upload could not be written
    bool is_going_on; // its answer is being sent
};

// A listener.
struct door {
    struct front *front;
    struct http *http; // NULL: not there
    bool is_plain;     // in the clear, beside the one with TLS
};

#define DOORS 2
#define UPLOADS_MAX 8 // files that come in at once: none is known to be good before it is whole
struct front {
    struct front_options options;
    struct door doors[DOORS]; // the first one is that of `listen`
    struct loop_timer timer;
    struct seat *seats, *free_seats;
    unsigned seat_count;
    uint64_t uploads;
    unsigned open_uploads;
};

static struct api_now now_of(const struct front *f)
{
    const struct utc utc = f->options.utc(f->options.utc_context);
    return (struct api_now){.utc = utc,
                            .instant = loop_now(f->options.loop),
                            .ahead_ms = utc.ms - loop_utc(f->options.loop).ms};
}

static void release(struct seat *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    if (s->upload[0] != '\0')
        (void)unlink(s->upload);
    sha256_close(s->digest);
    if (s->exchange != NULL)
        api_exchange_close(s->exchange);
    struct front *f = s->front;
    f->open_uploads -= s->upload[0] != '\0';
    *s = (struct seat){.front = f, .next_free = f->free_seats, .fd = -1};
    f->free_seats = s;
}

static struct seat *take_seat(struct front *f)
{
    struct seat *s = f->free_seats;
    if (s == NULL)
        return NULL;
    s->exchange = api_exchange_open();
    if (s->exchange == NULL)
        return NULL;
    f->free_seats = s->next_free;
    s->is_used = true;
    return s;
}

static struct bytes header(const struct http_request *r, const char *name)
{
    const char *value = http_header(r, name);
    return value != NULL ? bytes_of_text(value) : bytes_of(NULL, 0);
}

// Path and query of the target as it was sent.
static void split_target(const struct http_request *r, struct bytes *path, struct bytes *query)
{
    const char *target = http_target(r);
    const char *mark = strchr(target, '?');
    *path = mark != NULL ? bytes_of(target, (size_t)(mark - target)) : bytes_of_text(target);
    *query = mark != NULL ? bytes_of_text(mark + 1) : bytes_of(NULL, 0);
}

static bool take_piece(void *context, struct http_request *r, struct bytes piece)
{
    struct seat *s = context;
    (void)r;
    size_t written = 0;
    while (!s->is_failed && written < piece.len) {
        ssize_t now = write(s->fd, piece.at + written, piece.len - written);
        if (now < 0)
            s->is_failed = true;
        else
            written += (size_t)now;
    }
    if (!s->is_failed)
        s->is_failed = !sha256_add(s->digest, piece);
    s->upload_len += written;
    return true; // the answer tells what failed
}

static bool open_upload(struct seat *s)
{
    struct front *f = s->front;
    if (f->open_uploads == UPLOADS_MAX)
        return false;
    f->open_uploads++;
    int len = snprintf(s->upload, sizeof s->upload, "%s/upload-%llu", f->options.upload_dir,
                       (unsigned long long)++f->uploads);
    if (len < 0 || (size_t)len >= sizeof s->upload)
        return false;
    s->fd = open(s->upload, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    s->digest = sha256_open();
    return s->fd >= 0 && s->digest != NULL;
}

static void reply_unavailable(struct http_request *r)
{
    static const struct http_field FIELDS[] = {
        {"Retry-After", "1"},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy", "default-src 'none'; object-src 'none'; base-uri 'none'; "
                                    "form-action 'none'; frame-ancestors 'none'"},
    };
    const size_t count = sizeof(FIELDS) / sizeof(FIELDS[0]);
    static const char BODY[] =
        "{\"status\":503,\"code\":\"UNAVAILABLE\",\"message\":\"The server is busy: ask again "
        "later\"}";
    http_reply(r, 503, "application/json", FIELDS, count, bytes_of_text(BODY));
}

// The other end of the connection; false when it has no address.
static bool find_peer(const struct http_request *r, struct ip *ip)
{
    struct net_address peer;
    char text[NET_ADDRESS_TEXT_SIZE];
    http_peer(r, &peer);
    net_address_format(&peer, text);
    return ip_read(bytes_of_text(text), ip);
}

// Who asks: the other end of the connection, or whom a gateway saw. A gateway that says nothing is
// asked for itself; one that cannot be understood speaks for nobody.
static bool find_client(const struct front_options *o, const struct http_request *r, struct ip *ip)
{
    if (!find_peer(r, ip))
        return false;
    const unsigned said = http_header_count(r, "X-Forwarded-For");
    if (said == 0 || !ip_is_in(ip, o->proxies, o->proxy_count))
        return true;
    return said == 1 && ip_behind(header(r, "X-Forwarded-For"), o->proxies, o->proxy_count, ip);
}

// True for one of those that watch over the server.
static bool read_peer(struct seat *s, const struct http_request *r)
{
    const struct front_options *o = &s->front->options;
    struct ip ip;
    const bool is_known = find_client(o, r, &ip);
    struct writer w = writer_of(s->peer, sizeof s->peer);
    text_put(&w, "unknown");
    (void)text_end(&w);
    if (is_known)
        ip_format(&ip, s->peer);
    return is_known && ip_is_in(&ip, o->watchers, o->watcher_count);
}

static void log_peer(const struct front *f, const char *event, const char *peer, const char *reason)
{
    struct log *log = f->options.log;
    log_begin(log, LOG_WARN, loop_utc(f->options.loop), event);
    log_string(log, "peer", peer);
    log_string(log, "reason", reason);
    log_end(log);
}

static void refused(void *context, const struct net_address *peer)
{
    const struct door *door = context;
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_format(peer, text);
    log_peer(door->front, "http.tls_refused", text,
             "no TLS 1.2 or 1.3 in common, or they left before a request");
}

static void misread(void *context, const struct net_address *peer, unsigned status)
{
    const struct door *door = context;
    struct log *log = door->front->options.log;
    char text[NET_ADDRESS_TEXT_SIZE] = "unknown";
    api_misread(door->front->options.api);
    if (log == NULL)
        return;
    if (peer != NULL)
        net_address_format(peer, text);
    log_begin(log, LOG_INFO, loop_utc(door->front->options.loop), "http.refused");
    log_string(log, "peer", text);
    log_number(log, "status", status);
    log_end(log);
}

// What a gateway says that the client showed to it [RFC 9440 §2.2]; of others the header says
// nothing. What cannot be understood is not believed. False: nothing was said.
static bool read_told(struct seat *s, const struct http_request *r)
{
    const struct front_options *o = &s->front->options;
    const struct bytes value = header(r, "Client-Cert");
    const unsigned said = http_header_count(r, "Client-Cert");
    uint8_t der[CERTIFICATE_MAX];
    struct writer w = writer_of(der, sizeof der);
    struct ip ip;
    if (!o->takes_certificates || said == 0 || !find_peer(r, &ip) ||
        !ip_is_in(&ip, o->proxies, o->proxy_count))
        return false;
    const bool is_read = said == 1 && api_binary_read(value, &w);
    http_certificate_of(is_read ? writer_bytes(&w) : bytes_of(NULL, 0), &s->told);
    return true;
}

// What the client showed about itself while TLS began.
static void read_certificate(struct seat *s, const struct http_request *r)
{
    const struct http_certificate *c = read_told(s, r) ? &s->told : http_certificate(r);
    if (!c->is_there)
        return;
    s->asked.has_certificate = true;
    s->asked.certificate_is_believed = c->is_believed;
    memcpy(s->asked.certificate_sha256, c->sha256, sizeof c->sha256);
    s->asked.certificate_subject = bytes_of_text(c->subject);
    s->asked.certificate_issuer = bytes_of_text(c->issuer);
    if (!c->is_believed)
        log_peer(s->front, "http.certificate_refused", s->peer, c->reason);
}

static void read_headers(struct seat *s, struct http_request *r)
{
    const bool is_watcher = read_peer(s, r);
    s->asked = (struct api_request){
        .method = bytes_of_text(http_method(r)),
        .authorization = header(r, "Authorization"),
        .content_type = header(r, "Content-Type"),
        .accept = header(r, "Accept"),
        .correlator = header(r, "x-correlator"),
        .idempotency_key = header(r, "Idempotency-Key"),
        .client_token = header(r, "X-Client-Token"),
        .if_match = header(r, "If-Match"),
        .cookie = header(r, "Cookie"),
        .origin = header(r, "Origin"),
        .referer = header(r, "Referer"),
        .csrf_token = header(r, "X-CSRF-Token"),
        .last_event_id = header(r, "Last-Event-ID"),
        .authorization_count = http_header_count(r, "Authorization"),
        .correlator_count = http_header_count(r, "x-correlator"),
        .peer = s->peer,
        .is_watcher = is_watcher,
    };
    split_target(r, &s->asked.path, &s->asked.query);
    read_certificate(s, r);
}

static long pull(void *context, struct http_request *r, uint8_t *to, size_t len)
{
    struct seat *s = http_user(r);
    (void)context;
    const long count = api_more(s->exchange, to, len);
    if (count > 0)
        return count;
    if (count == API_MORE_LATER)
        return HTTP_PULL_NOTHING_YET;
    http_set_user(r, NULL);
    release(s);
    return count == 0 ? HTTP_PULL_END : HTTP_PULL_BROKEN;
}

static void wake(void *context)
{
    struct seat *s = context;
    http_wake(s->request);
}

// The request log: one line for each exchange, without ids, query or body.
static void log_exchange(const struct seat *s, const struct api_answer *answer)
{
    const struct front *f = s->front;
    struct log *log = f->options.log;
    if (log == NULL)
        return;
    log_begin(log, LOG_INFO, loop_utc(f->options.loop), "http.request");
    log_string(log, "peer", s->peer);
    log_string(log, "caller", answer->caller);
    if (answer->by != NULL)
        log_string(log, "by", answer->by);
    log_string(log, "method", s->method);
    log_string(log, "path", answer->route != NULL ? answer->route : "");
    log_number(log, "status", answer->status);
    log_string(log, "correlator", answer->correlator);
    log_number(log, "ms", (int64_t)(loop_now(f->options.loop).ms - s->began_at.ms));
    log_end(log);
}

static void answered(void *context, const struct api_answer *answer)
{
    struct seat *s = context;
    struct http_request *r = s->request;
    log_exchange(s, answer);
    struct http_field fields[FIELDS_MAX];
    size_t count = 0;
    char text[FIELDS_OCTETS];
    if (r == NULL) {
        release(s);
        return;
    }
    // Lines `Name: value`: cut in place in a copy.
    const size_t len = answer->headers.len < sizeof text - 1 ? answer->headers.len : 0;
    if (len > 0)
        memcpy(text, answer->headers.at, len);
    text[len] = '\0';
    char *rest = text;
    for (char *end = strchr(rest, '\n'); end != NULL && count < FIELDS_MAX;
         rest = end + 1, end = strchr(rest, '\n')) {
        *end = '\0';
        char *colon = strstr(rest, ": ");
        if (colon == NULL)
            continue;
        *colon = '\0';
        fields[count++] = (struct http_field){rest, colon + 2};
    }
    if (answer->rest != NULL) {
        s->is_going_on = true;
        api_on_more(s->exchange, wake, s);
        http_stream(r, answer->status, answer->type, fields, count, pull);
        return;
    }
    http_set_user(r, NULL);
    http_reply(r, answer->status, answer->type, fields, count, answer->body);
    release(s);
}

static void handle(struct seat *s)
{
    struct front *f = s->front;
    s->is_handled = true;
    api_handle(f->options.api, s->exchange, &s->asked, now_of(f), answered, s);
}

// Came it in the clear, although the clients' own connections are TLS? Those of gateways are not
// the clients'.
static bool is_in_clear(const struct door *door, const struct http_request *r)
{
    const struct front_options *o = &door->front->options;
    struct ip ip;
    return door->is_plain && !(find_peer(r, &ip) && ip_is_in(&ip, o->proxies, o->proxy_count));
}

static void begin(void *context, struct http_request *r)
{
    const struct door *door = context;
    struct front *f = door->front;
    struct seat *s = take_seat(f);
    http_set_user(r, s);
    if (s == NULL) {
        reply_unavailable(r);
        return;
    }
    s->request = r;
    s->began_at = loop_now(f->options.loop);
    (void)snprintf(s->method, sizeof s->method, "%s",
                   http_method(r)); // one of those that are known
    read_headers(s, r);
    s->asked.is_in_clear = is_in_clear(door, r);
    const uint64_t limit = api_body_limit(f->options.api, &s->asked, now_of(f).utc);
    uint64_t length = 0;
    // A length that cannot be read was refused before.
    if (http_header(r, "Content-Length") != NULL &&
        text_read_decimal(header(r, "Content-Length"), &length) && length > limit) {
        s->asked.is_too_large = true;
        handle(s);
        return;
    }
    http_body_max(r, (size_t)limit);
    if (limit < API_UPLOAD_MAX)
        return;
    s->is_failed = !open_upload(s);
    http_body_sink(r, take_piece, s);
}

static void complete(void *context, struct http_request *r)
{
    struct seat *s = http_user(r);
    (void)context;
    if (s->upload[0] == '\0' && !s->is_failed) {
        s->asked.body = http_body(r);
        handle(s);
        return;
    }
    if (s->is_failed || !sha256_finish(s->digest, s->asked.upload_sha256)) {
        http_set_user(r, NULL);
        reply_unavailable(r);
        release(s);
        return;
    }
    s->asked.upload = s->upload;
    s->asked.upload_len = s->upload_len;
    handle(s);
}

static void gone(void *context, struct http_request *r)
{
    struct seat *s = http_user(r);
    (void)context;
    if (s == NULL)
        return;
    s->request = NULL;
    if (!s->is_handled || s->is_going_on)
        release(s);
}

static void tick(void *context, struct instant now)
{
    struct front *f = context;
    api_tick(f->options.api, now_of(f));
    loop_timer_set(&f->timer, instant_after(now, TICK_MS));
}

bool front_files(unsigned connections, char reason[FRONT_REASON_SIZE])
{
    struct rlimit files;
    const rlim_t wanted = connections + FILES_OF_OURS;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
        return true;
    (void)snprintf(reason, FRONT_REASON_SIZE,
                   "%u connections need %llu open files: raise that limit (now %llu), or lower "
                   "connections",
                   connections, (unsigned long long)wanted, (unsigned long long)files.rlim_max);
    files.rlim_cur = wanted;
    return wanted <= files.rlim_max && setrlimit(RLIMIT_NOFILE, &files) == 0;
}

static void open_seats(struct front *f)
{
    for (unsigned i = 0; i < f->seat_count; i++)
        f->seats[i] = (struct seat){
            .front = f, .next_free = i + 1 < f->seat_count ? &f->seats[i + 1] : NULL, .fd = -1};
    f->free_seats = f->seats;
}

static enum net_error open_door(struct front *f, unsigned index, const char *listen,
                                const struct http_limits *limits)
{
    static const struct http_handler HANDLER = {
        .begin = begin, .complete = complete, .refused = refused, .misread = misread, .gone = gone};
    struct door *door = &f->doors[index];
    struct net_address address;
    *door = (struct door){.front = f, .is_plain = index > 0};
    const enum net_error result = net_resolve(listen, &address);
    return result == NET_OK
               ? http_open(f->options.loop, &address, limits, &HANDLER, door, &door->http)
               : result;
}

enum net_error front_open(const struct front_options *options, struct front **front)
{
    struct http_limits limits = http_limits_default();
    struct front *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NET_NO_RESOURCES;
    f->options = *options;
    limits.tls = options->tls;
    if (options->connections != 0)
        limits.connection_max = options->connections;
    if (options->connections_per_address != 0)
        limits.connection_per_address_max = options->connections_per_address;
    // A connection has one request at a time.
    f->seat_count = limits.connection_max * (options->plain_listen != NULL ? 2 : 1);
    f->seats = calloc(f->seat_count, sizeof *f->seats);
    const bool has_memory = f->seats != NULL && loop_timer_open(&f->timer, options->loop, tick, f);
    enum net_error result = NET_NO_RESOURCES;
    if (has_memory) {
        open_seats(f);
        result = open_door(f, 0, options->listen, &limits);
    }
    limits.tls = NULL;
    if (result == NET_OK && options->plain_listen != NULL)
        result = open_door(f, 1, options->plain_listen, &limits);
    if (result != NET_OK) {
        front_close(f);
        return result;
    }
    loop_timer_set(&f->timer, instant_after(loop_now(options->loop), TICK_MS));
    *front = f;
    return NET_OK;
}

static void address_of(const struct door *door, char text[NET_ADDRESS_TEXT_SIZE])
{
    struct net_address address;
    http_address(door->http, &address);
    net_address_format(&address, text);
}

void front_address(const struct front *f, char text[NET_ADDRESS_TEXT_SIZE])
{
    address_of(&f->doors[0], text);
}

bool front_plain_address(const struct front *f, char text[NET_ADDRESS_TEXT_SIZE])
{
    if (f->doors[1].http == NULL)
        return false;
    address_of(&f->doors[1], text);
    return true;
}

void front_close(struct front *f)
{
    loop_timer_close(&f->timer);
    for (unsigned i = 0; i < DOORS; i++) {
        if (f->doors[i].http != NULL)
            http_close(f->doors[i].http);
    }
    for (unsigned i = 0; f->seats != NULL && i < f->seat_count; i++)
        if (f->seats[i].is_used)
            release(&f->seats[i]);
    free(f->seats);
    free(f);
}

bool front_stop(struct front *f, bool is_clean, struct utc now)
{
    const bool is_written = api_stop(f->options.api, is_clean, now);
    front_close(f);
    return is_written;
}
