#include "common/host/http.h"

#include "common/base/check.h"
#include "common/host/http_part.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

// Of a connection: its headers at their limits, libmicrohttpd's notes of them and of the answer,
// and what is read ahead. All of it is cleared between two requests.
#define POOL_SIZE 49152
#define STREAM_BLOCK 16384    // what a streamed answer is asked for at a time
#define BODY_FIRST 4096       // the first allocation for a body without a length
#define LEFT_MS 100           // what was read ahead is looked at long before
#define LENGTH_DIGITS_MAX 18  // of a Content-Length: fits 64 bits
#define SWALLOWED_MAX 1048576 // octets of a body too long that are read so that 413 can be sent
#define LINE_END_LEN 2        // CR LF

// From 1.0 on libmicrohttpd refuses a NUL, a bare LF and a folded line itself, if it is told to.
#if MHD_VERSION >= 0x01000000
#define IS_LIBRARY_STRICT true
#define STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define IS_LIBRARY_STRICT false
#define STRICTNESS MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

struct http_limits http_limits_default(void)
{
    return (struct http_limits){.connection_max = 256,
                                .connection_per_address_max = 64,
                                .body_max = 65536,
                                .header_ms = 5000,
                                .idle_ms = 60000,
                                .body_ms = 30000};
}

// From now on; WAITS ends the waiting.
static void wait_for(struct connection *c, enum wait wait)
{
    struct http *h = c->http;
    if (c->wait != WAITS)
        TAILQ_REMOVE(&h->rows[c->wait], c, in_row);
    c->wait = wait;
    if (wait == WAITS)
        return;
    c->deadline = instant_after(loop_now(h->loop), h->wait_ms[wait]);
    TAILQ_INSERT_TAIL(&h->rows[wait], c, in_row);
}

// What is due: deadlines that passed, then libmicrohttpd's own work and its next wake-up.
static void run(struct http *h, struct instant now)
{
    h->run_wanted = false;
    struct instant next = INSTANT_NEVER;
    for (unsigned i = 0; i < WAITS; i++) {
        struct connection *c = TAILQ_FIRST(&h->rows[i]);
        while (c && instant_is_due(c->deadline, now)) {
            (void)shutdown(c->fd, SHUT_RDWR); // libmicrohttpd sees the end and cleans up
            wait_for(c, WAITS);
            c = TAILQ_FIRST(&h->rows[i]);
        }
    }
    (void)MHD_run(h->daemon); // fails only for a daemon of another mode
    for (unsigned i = 0; i < WAITS; i++) {
        const struct connection *c = TAILQ_FIRST(&h->rows[i]);
        if (c)
            next = instant_earlier(next, c->deadline);
    }
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES)
        next = instant_earlier(next, instant_after(now, wait_ms));
    loop_timer_set(&h->timer, next);
}

// Nothing comes any more: who asked has shut their half [RFC 9112 §9.6]. When that came together
// with the last octets, libmicrohttpd does not see it. Over TLS a farewell is still to be read.
static bool has_left(const struct connection *c)
{
    char octet;
    return recv(c->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// What it read already may still be a whole request, or the rest of one.
static void wait_for_more(struct connection *c, enum wait wait)
{
    wait_for(c, has_left(c) ? WAIT_LEFT : wait);
}

static void on_ready(void *context, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct http *h = context;
    run(h, loop_now(h->loop));
}

static void on_timer(void *context, struct instant now)
{
    run(context, now);
}

static void on_turn_end(void *context, struct instant now)
{
    struct http *h = context;
    if (!h->run_wanted)
        return;
    run(h, now);
    loop_wake(h->loop); // requests that came meanwhile belong to the next turn
}

static void want_run(struct http *h)
{
    h->run_wanted = true;
    loop_wake(h->loop);
}

static void read_peer(int fd, struct net_address *address)
{
    address->len = sizeof address->at;
    if (getpeername(fd, (struct sockaddr *)&address->at, &address->len) != 0)
        *address = (struct net_address){.len = 0};
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **of_socket,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *h = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct connection *gone = *of_socket;
        want_run(h); // libmicrohttpd looks for who waits for a place only when it is run again
        if (!gone)
            return;
        if (h->limits.tls && !gone->has_asked && h->handler.refused)
            h->handler.refused(h->context, &gone->peer);
        wait_for(gone, WAITS);
        LIST_REMOVE(gone, in_all);
        free(gone->target);
        free(gone);
        return;
    }
    struct connection *c = calloc(1, sizeof *c);
    *of_socket = c;
    if (!c)
        return; // its requests are refused
    c->http = h;
    c->mhd = mhd;
    c->wait = WAITS;
    if (h->limits.tls)
        http_tls_begin(h->limits.tls, mhd);
    LIST_INSERT_HEAD(&h->connections, c, in_all);
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    wait_for(c, WAIT_HEADERS);
    read_peer(c->fd, &c->peer);
    int on = 1;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // slower without
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

// Neither blanks nor control characters.
static bool is_visible(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at > ' ' && *at != 0x7F)
        at++;
    return *at == '\0';
}

// The raw target: the only place where its length and an encoded NUL are seen.
static void *on_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    (void)context;
    struct connection *c = connection_of(mhd);
    if (!c)
        return NULL;
    const char *rest = " HTTP/1.1";
    c->long_target = strlen(target) + strlen(rest) + strlen("PATCH ") > HTTP_LINE_MAX;
    c->bad_target = target[0] != '/' || !is_visible(target) || strstr(target, "%00");
    free(c->target);
    c->target = strdup(target);
    return NULL;
}

struct framing {
    unsigned fields, hosts, lengths, codings;
    size_t octets;
    uint64_t length;
    const char *line; // where the next one begins
    bool bad;
};

// A field name is a token [RFC 9110 §5.6.2]: no space before the colon, no control characters.
static bool is_token(const char *name, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alphanumeric && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return len > 0;
}

// Neither a lone CR nor another control character; tabs are allowed [RFC 9110 §5.5].
static bool is_field_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static void add_length(struct framing *f, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    f->lengths++;
    if (digits == 0 || digits > LENGTH_DIGITS_MAX || value[digits] != '\0')
        f->bad = true;
    else
        f->length = strtoull(value, NULL, 10);
}

static enum MHD_Result add_field(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct framing *f = context;
    f->fields++;
    f->octets += name_len + value_len + 4; // ": " and the line's end
    if (!value || !is_token(name, name_len) || !is_field_value(value, value_len)) {
        f->bad = true;
        return MHD_YES;
    }
    f->bad = f->bad || (!IS_LIBRARY_STRICT && name != f->line);
    f->line = value + value_len + LINE_END_LEN;
    if (strcasecmp(name, "Host") == 0) {
        f->hosts++;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        add_length(f, value);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        f->codings++;
        f->bad = f->bad || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

// The status that refuses this request before a handler sees it, or 0.
static unsigned refusal(const struct connection *c, const struct framing *f)
{
    if (c->long_target)
        return 414;
    if (!c->target)
        return 503;
    if (f->fields > HTTP_HEADER_COUNT_MAX || f->octets > HTTP_HEADER_BLOCK_MAX)
        return 431;
    if (c->bad_target || f->bad || f->hosts != 1 || f->lengths + f->codings > 1)
        return 400;
    return 0;
}

static enum MHD_Result refuse(const struct http *h, struct MHD_Connection *mhd, unsigned status)
{
    struct MHD_Response *response = http_refusal(status, h->limits.tls != NULL);
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_add_response_header(response, "Connection", "close");
    if (result == MHD_YES)
        result = MHD_queue_response(mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

// Without a response, for want of memory, libmicrohttpd is told to close the connection.
static enum MHD_Result send_reply(struct http_request *r)
{
    struct MHD_Response *response = r->response;
    r->response = NULL;
    enum MHD_Result result = MHD_queue_response(r->connection->mhd, r->status, response);
    MHD_destroy_response(response);
    return result;
}

static void refuse_body(struct http_request *r)
{
    const struct http *h = r->connection->http;
    r->status = 413;
    r->response = http_refusal(r->status, h->limits.tls != NULL);
    if (h->handler.gone)
        h->handler.gone(h->context, r);
}

// libmicrohttpd 0.9 reads a head where it received it and ends each part with a NUL: what stands
// behind a NUL that was sent, it does not show. So each part must begin where the one before ends
// with one blank or with CR LF. A bare LF [RFC 9112 §2.2] is shorter, and a line that goes on in
// another one [RFC 9112 §5.2] is longer or was copied elsewhere.
static void read_framing(const struct connection *c, const char *method, const char *version,
                         struct framing *f)
{
    const size_t head_len =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    const size_t target_len = c->target ? strlen(c->target) : 0;
    f->line = version + strlen(version) + LINE_END_LEN;
    const size_t method_len = strlen(method);
    f->bad = !is_token(method, method_len) ||
             (!IS_LIBRARY_STRICT && method + method_len + 1 + target_len + 1 != version);
    (void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, add_field, f);
    f->bad = f->bad || (!IS_LIBRARY_STRICT && f->line + LINE_END_LEN != method + head_len);
    if (f->codings > 0 && strcmp(version, "HTTP/1.1") != 0)
        f->bad = true; // chunks came with 1.1: who said 1.0 may mean another end [RFC 9112 §6.1]
}

static enum MHD_Result begin(struct connection *c, const char *path, const char *method,
                             const char *version, void **of_request)
{
    struct http *h = c->http;
    struct framing f = {0};
    read_framing(c, method, version, &f);
    unsigned status = refusal(c, &f);
    wait_for(c, WAITS);
    if (!c->has_asked)
        http_certificate_read(c->mhd, &c->certificate);
    c->has_asked = true;
    if (status != 0) {
        if (h->handler.misread)
            h->handler.misread(h->context, &c->peer, status);
        return refuse(h, c->mhd, status);
    }
    struct http_request *r = calloc(1, sizeof *r);
    if (!r)
        return refuse(h, c->mhd, 503);
    *r = (struct http_request){
        .connection = c, .method = method, .path = path, .body_max = h->limits.body_max};
    *of_request = r;
    c->request = r;
    if (h->handler.begin)
        h->handler.begin(h->context, r);
    if (r->status != 0)
        return send_reply(r);
    if (f.length > r->body_max) {
        refuse_body(r);
        return send_reply(r);
    }
    r->awaited = HTTP_BODY_STEP;
    wait_for_more(c, WAIT_BODY);
    return MHD_YES;
}

static bool keep_piece(struct http_request *r, struct bytes piece)
{
    if (r->body_len + piece.len > r->body_cap) {
        size_t cap = r->body_cap > 0 ? r->body_cap * 2 : BODY_FIRST;
        while (cap < r->body_len + piece.len)
            cap *= 2;
        uint8_t *body = realloc(r->body, cap);
        if (!body)
            return false;
        r->body = body;
        r->body_cap = cap;
    }
    memcpy(r->body + r->body_len, piece.at, piece.len);
    r->body_len += piece.len;
    return true;
}

static enum MHD_Result take_piece(struct http_request *r, struct bytes piece)
{
    r->received += piece.len;
    if (r->received >= r->awaited) {
        r->awaited = r->received + HTTP_BODY_STEP;
        wait_for_more(r->connection, WAIT_BODY);
    }
    if (r->received > r->body_max) {
        r->too_long = true;
        return r->received - r->body_max > SWALLOWED_MAX ? MHD_NO : MHD_YES;
    }
    if (r->status != 0)
        return MHD_YES; // answered already: the rest is read and dropped
    bool taken = r->sink ? r->sink(r->sink_context, r, piece) : keep_piece(r, piece);
    return taken ? MHD_YES : MHD_NO;
}

static enum MHD_Result complete(struct http_request *r)
{
    struct http *h = r->connection->http;
    r->completed = true;
    wait_for(r->connection, WAITS);
    if (r->too_long && r->status == 0) {
        refuse_body(r);
    } else if (r->status == 0) {
        h->handler.complete(h->context, r);
    }
    if (r->status != 0)
        return send_reply(r);
    MHD_suspend_connection(r->connection->mhd);
    r->suspended = true;
    return MHD_YES;
}

// tidy: parameters, the signature is libmicrohttpd's
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **of_request)
{
    (void)context;
    struct connection *c = connection_of(mhd);
    struct http_request *r = *of_request;
    if (!c || c->http->is_closing)
        return MHD_NO;
    if (!r)
        return begin(c, path, method, version, of_request);
    if (*upload_len > 0) {
        size_t len = *upload_len;
        *upload_len = 0;
        return take_piece(r, bytes_of(upload, len));
    }
    if (!r->completed)
        return complete(r);
    return r->lost ? MHD_NO : MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **of_request,
                         enum MHD_RequestTerminationCode why)
{
    struct http *h = context;
    struct http_request *r = *of_request;
    struct connection *c = connection_of(mhd);
    *of_request = NULL;
    if (c) { // the next request's headers must be there in time
        wait_for_more(c, WAIT_REQUEST);
        c->request = NULL;
    }
    if (!r)
        return;
    bool unanswered =
        r->status == 0 || (r->streaming && why != MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (unanswered && h->handler.gone)
        h->handler.gone(h->context, r);
    if (r->response)
        MHD_destroy_response(r->response);
    free(r->body);
    free(r);
}

// What the library refuses by itself [docs/api.md], it tells its log alone: the status comes first.
static void on_message(void *context, const char *format, va_list arguments)
{
    static const char told[] = "Error processing request (HTTP response code is %u";
    const struct http *h = context;
    if (h->handler.misread && strncmp(format, told, sizeof told - 1) == 0)
        h->handler.misread(h->context, NULL, va_arg(arguments, unsigned));
}

static bool daemon_open(struct http *h, int fd)
{
    unsigned idle_s = (h->limits.idle_ms + 999) / 1000;
    struct MHD_OptionItem tls[HTTP_TLS_ITEMS];
    http_tls_items(h->limits.tls, tls);
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    h->daemon = MHD_start_daemon(
        h->limits.tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, h,
        MHD_OPTION_EXTERNAL_LOGGER, on_message, h, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, h->limits.connection_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        h->limits.connection_per_address_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
        STRICTNESS, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!h->daemon)
        return false;
    int epoll_fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (!loop_timer_open(&h->timer, h->loop, on_timer, h) ||
        !loop_watch_open(&h->watch, h->loop, epoll_fd, on_ready, h))
        return false;
    loop_watch_set(&h->watch, true, false);
    h->turn_end = (struct loop_turn_end){.end = on_turn_end, .context = h};
    loop_turn_end_add(h->loop, &h->turn_end);
    return true;
}

enum net_error http_open(struct loop *loop, const struct net_address *address,
                         const struct http_limits *limits, const struct http_handler *handler,
                         void *context, struct http **http)
{
    check(handler->complete != NULL);
    int fd;
    enum net_error error = net_bind(address, &fd);
    if (error != NET_OK)
        return error;
    struct http *h = calloc(1, sizeof *h);
    if (h) {
        *h = (struct http){
            .loop = loop,
            .limits = *limits,
            .handler = *handler,
            .context = context,
            .wait_ms = {[WAIT_HEADERS] = limits->header_ms,
                        [WAIT_REQUEST] = (uint64_t)limits->idle_ms + limits->header_ms,
                        [WAIT_BODY] = limits->body_ms,
                        [WAIT_LEFT] = LEFT_MS}};
        for (unsigned i = 0; i < WAITS; i++)
            TAILQ_INIT(&h->rows[i]);
        if (daemon_open(h, fd)) {
            *http = h;
            return NET_OK;
        }
    }
    if (h && h->daemon)
        MHD_stop_daemon(h->daemon); // closes the socket too
    else
        (void)close(fd);
    if (h)
        loop_timer_close(&h->timer);
    free(h);
    return NET_NO_RESOURCES;
}

void http_address(const struct http *http, struct net_address *address)
{
    int fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
    address->len = sizeof address->at;
    check(getsockname(fd, (struct sockaddr *)&address->at, &address->len) == 0);
}

void http_close(struct http *http)
{
    if (!http)
        return;
    loop_turn_end_remove(http->loop, &http->turn_end);
    loop_watch_close(&http->watch);
    loop_timer_close(&http->timer);
    const struct connection *c;
    LIST_FOREACH(c, &http->connections, in_all)
    {
        if (c->request && c->request->suspended)
            MHD_resume_connection(c->mhd); // a suspended one cannot be stopped
    }
    http->is_closing = true;
    (void)MHD_run(http->daemon);
    MHD_stop_daemon(http->daemon);
    free(http);
}

static void resume(struct http_request *r)
{
    if (!r->suspended)
        return;
    r->suspended = false;
    MHD_resume_connection(r->connection->mhd);
    want_run(r->connection->http);
}

static void give(struct http_request *r, unsigned status, const char *type,
                 const struct http_field *fields, size_t field_count)
{
    r->status = status;
    bool fits = r->response != NULL;
    if (fits && type)
        fits = MHD_add_response_header(r->response, "Content-Type", type) == MHD_YES;
    for (size_t i = 0; fits && i < field_count; i++) {
        check(strpbrk(fields[i].value, "\r\n") == NULL);
        fits = MHD_add_response_header(r->response, fields[i].name, fields[i].value) == MHD_YES;
    }
    if (!fits) { // there is no memory
        MHD_destroy_response(r->response);
        r->response = NULL;
    }
    if (!r->suspended)
        return; // queued when libmicrohttpd's callback returns
    // Refused for a connection that ended meanwhile, or that ends because there is no answer.
    r->lost = send_reply(r) != MHD_YES;
    resume(r);
}

void http_reply(struct http_request *r, unsigned status, const char *type,
                const struct http_field *fields, size_t field_count, struct bytes body)
{
    check(r->status == 0 && status >= 200);
    r->response = MHD_create_response_from_buffer(body.len, (void *)(body.len ? body.at : NULL),
                                                  MHD_RESPMEM_MUST_COPY);
    give(r, status, type, fields, field_count);
}

static ssize_t on_pull(void *context, uint64_t position, char *to, size_t len)
{
    (void)position;
    struct http_request *r = context;
    if (r->connection->http->is_closing)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    long got = r->pull(r->connection->http->context, r, (uint8_t *)to, len);
    if (got == HTTP_PULL_END) {
        r->streaming = false;
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (got == HTTP_PULL_BROKEN) {
        r->streaming = false;
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    check(got >= 0 && (size_t)got <= len);
    if (got == HTTP_PULL_NOTHING_YET) {
        MHD_suspend_connection(r->connection->mhd);
        r->suspended = true;
    }
    return (ssize_t)got;
}

void http_stream(struct http_request *r, unsigned status, const char *type,
                 const struct http_field *fields, size_t field_count,
                 long (*pull)(void *context, struct http_request *r, uint8_t *to, size_t len))
{
    check(r->status == 0 && status >= 200);
    r->pull = pull;
    r->streaming = true;
    r->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_pull, r, NULL);
    give(r, status, type, fields, field_count);
}

void http_wake(struct http_request *r)
{
    resume(r);
}
