#include "common/host/post.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/base/text.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_SIZE 254
#define LOOK_MS 100 // how often names that nobody tells are given up
#define RESOLVE_SIZE (HOST_SIZE + 16 + DNS_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3))
#define SOCKETS_EACH 4    // libcurl tries addresses side by side
#define CA_MAX (4u << 20) // octets of certificates of whom to trust: the system's are some 200,000

// One request.
struct sending {
    struct post *post;
    CURL *curl; // NULL: free
    struct dns_query *query;
    struct curl_slist *headers, *resolve;
    char *url;
    uint8_t *body;
    size_t body_len, read; // read: of the answer
    uint8_t *answer;
    size_t answer_len, answer_max;
    char host[HOST_SIZE];
    uint16_t port;
    bool is_get;
    bool is_added, is_refused; // to libcurl; an address by us
    enum post_problem early;   // found before there was a turn to say so in
    struct instant start;
    uint64_t ticket;
    post_done_fn *done;
    void *context;
};

struct watched {
    struct post *post;
    struct loop_watch watch;
    curl_socket_t fd; // CURL_SOCKET_BAD: free
};

struct post {
    struct post_options options;
    struct dns *dns;
    CURLM *multi;
    struct loop_timer timer, look_timer;
    struct instant look_at;
    struct sending *sendings;
    struct watched *sockets;
    size_t socket_count;
    struct curl_blob ca; // whom to trust
};

const char *post_problem_name(enum post_problem problem)
{
    switch (problem) {
    case POST_ANSWERED:
        return "";
    case POST_NO_ADDRESS:
        return "NAME_NOT_FOUND";
    case POST_ADDRESS_REFUSED:
        return "ADDRESS_REFUSED";
    case POST_NOT_CONNECTED:
        return "NOT_CONNECTED";
    case POST_TLS_FAILED:
        return "TLS_FAILED";
    case POST_TIMEOUT:
        return "TIMEOUT";
    case POST_BROKEN:
        return "BROKEN";
    }
    return "";
}

static uint32_t took_ms(const struct sending *s)
{
    return (uint32_t)(loop_now(s->post->options.loop).ms - s->start.ms);
}

// --- the end of one ----------------------------------------------------------------------------

static void release(struct sending *s)
{
    if (s->query != NULL)
        dns_forget(s->query);
    if (s->is_added)
        (void)curl_multi_remove_handle(s->post->multi, s->curl);
    curl_easy_cleanup(s->curl);
    for (struct curl_slist *line = s->headers; line != NULL; line = line->next)
        secret_wipe(line->data, strlen(line->data));
    curl_slist_free_all(s->headers);
    curl_slist_free_all(s->resolve);
    free(s->url);
    free(s->body);
    if (s->answer != NULL)
        secret_wipe(s->answer, s->answer_max);
    free(s->answer);
    *s = (struct sending){.post = s->post};
}

static void finish(struct sending *s, const struct post_answer *answer)
{
    post_done_fn *done = s->done;
    void *context = s->context;
    const uint64_t ticket = s->ticket;
    uint8_t *kept = s->answer;
    const size_t kept_max = s->answer_max;
    s->answer = NULL;
    release(s);
    done(context, ticket, answer);
    if (kept != NULL)
        secret_wipe(kept, kept_max);
    free(kept);
}

static void fail(struct sending *s, enum post_problem problem)
{
    const struct post_answer answer = {
        .problem = problem, .retry_after_s = -1, .took_ms = took_ms(s)};
    finish(s, &answer);
}

// At the latest: whoever asks for a later look does not put off an earlier one.
static void look_by(struct post *p, struct instant at)
{
    if (at.ms >= p->look_at.ms)
        return;
    p->look_at = at;
    loop_timer_set(&p->look_timer, at);
}

// In the next turn: nobody is called back inside post_send().
static void fail_soon(struct sending *s, enum post_problem problem)
{
    s->early = problem;
    look_by(s->post, loop_now(s->post->options.loop));
}

static enum post_problem problem_of(const struct sending *s, CURLcode code)
{
    if (s->is_refused)
        return POST_ADDRESS_REFUSED;
    switch ((int)code) { // of some hundred
    case CURLE_OPERATION_TIMEDOUT:
        return POST_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return POST_NOT_CONNECTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
        return POST_TLS_FAILED;
    default:
        return POST_BROKEN;
    }
}

static void ended(struct sending *s, CURLcode code)
{
    struct post_answer answer = {.retry_after_s = -1, .took_ms = took_ms(s)};
    curl_off_t after = 0;
    long status = 0;
    (void)curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    // Who says more than we read has answered all the same.
    const bool is_cut = s->answer == NULL && code == CURLE_WRITE_ERROR &&
                        s->read >= POST_ANSWER_MAX && status >= 200;
    if (code != CURLE_OK && !is_cut) {
        answer.problem = problem_of(s, code);
    } else {
        answer.status = (unsigned)status;
        answer.body = bytes_of(s->answer, s->answer_len);
        if (curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
            answer.retry_after_s = after;
    }
    finish(s, &answer);
}

static void look_for_ends(struct post *p)
{
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(p->multi, &left); m != NULL;
         m = curl_multi_info_read(p->multi, &left)) {
        void *s = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        const CURLcode code = m->data.result;
        check(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s) == CURLE_OK);
        ended(s, code);
    }
}

// --- between libcurl and the loop ----------------------------------------------------------------

static void ready(void *context, bool readable, bool writable)
{
    struct watched *w = context;
    struct post *p = w->post;
    int running = 0;
    const int what = (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0);
    (void)curl_multi_socket_action(p->multi, w->fd, what, &running);
    look_for_ends(p);
}

static struct watched *socket_of(struct post *p, curl_socket_t fd)
{
    for (size_t i = 0; i < p->socket_count; i++) {
        if (p->sockets[i].fd == fd)
            return &p->sockets[i];
    }
    return NULL;
}

static void unwatch(struct watched *w)
{
    loop_watch_close(&w->watch);
    w->fd = CURL_SOCKET_BAD;
}

static int want_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *unused)
{
    struct post *p = context;
    struct watched *w = socket_of(p, fd);
    (void)curl;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            unwatch(w);
        return 0;
    }
    if (w == NULL) {
        w = socket_of(p, CURL_SOCKET_BAD);
        if (w == NULL || !loop_watch_open(&w->watch, p->options.loop, fd, ready, w))
            return -1;
        w->fd = fd;
    }
    loop_watch_set(&w->watch, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
    return 0;
}

static int want_timer(CURLM *multi, long ms, void *context)
{
    struct post *p = context;
    (void)multi;
    loop_timer_set(&p->timer,
                   ms < 0 ? INSTANT_NEVER : instant_after(loop_now(p->options.loop), (uint64_t)ms));
    return 0;
}

static void timer_due(void *context, struct instant now)
{
    struct post *p = context;
    int running = 0;
    (void)now;
    (void)curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    look_for_ends(p);
}

// The last word on where a connection goes, whatever libcurl remembers.
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct sending *s = context;
    struct ip ip;
    (void)purpose;
    const struct post_options *o = &s->post->options;
    if (!ip_of_socket(&to->addr, &ip) || !o->is_allowed(o->context, &ip, s->resolve == NULL)) {
        s->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t count_octets(char *at, size_t one, size_t count, void *context)
{
    struct sending *s = context;
    (void)at;
    s->read += one * count;
    return s->read >= POST_ANSWER_MAX ? 0 : one * count;
}

static size_t take_octets(char *at, size_t one, size_t count, void *context)
{
    struct sending *s = context;
    const size_t len = one * count;
    if (s->answer == NULL)
        return count_octets(at, one, count, context);
    if (len > s->answer_max - s->answer_len)
        return 0;
    bytes_copy(s->answer + s->answer_len, bytes_of(at, len));
    s->answer_len += len;
    return count_octets(at, one, count, context);
}

// --- the beginning of one ------------------------------------------------------------------------

static bool put_options(struct sending *s)
{
    CURL *c = s->curl;
    const struct curl_blob *ca = &s->post->ca;
    const long left_ms = POST_MS - (long)took_ms(s);
    bool is_set =
        curl_easy_setopt(c, CURLOPT_URL, s->url) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_NOPROXY, "*") == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)POST_CONNECT_MS) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left_ms > 1 ? left_ms : 1) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_USERAGENT, "otaria") == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, s->headers) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_RESOLVE, s->resolve) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, s) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_octets) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_WRITEDATA, s) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, count_octets) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_HEADERDATA, s) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_PRIVATE, s) == CURLE_OK;
    if (!s->is_get)
        is_set =
            is_set && curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
            curl_easy_setopt(c, CURLOPT_POSTFIELDS, s->body) == CURLE_OK &&
            curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body_len) == CURLE_OK;
    if (ca->len > 0) // and nobody else
        is_set = is_set && curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, ca) == CURLE_OK &&
                 curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
    return is_set;
}

static void begin(struct sending *s)
{
    int running = 0;
    if (!put_options(s) || curl_multi_add_handle(s->post->multi, s->curl) != CURLM_OK) {
        fail_soon(s, POST_BROKEN);
        return;
    }
    s->is_added = true;
    (void)curl_multi_socket_action(s->post->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    look_by(s->post, loop_now(s->post->options.loop)); // it may have ended
}

// "host:port:address,address": libcurl asks nobody else.
static bool put_addresses(struct sending *s, const struct ip *addresses, size_t count)
{
    char line[RESOLVE_SIZE];
    struct writer w = writer_of(line, sizeof line);
    text_put(&w, s->host);
    text_put(&w, ":");
    text_decimal(&w, s->port);
    for (size_t i = 0; i < count; i++) {
        char text[IP_TEXT_SIZE];
        ip_format(&addresses[i], text);
        text_put(&w, i == 0 ? ":" : ",");
        text_put(&w, text);
    }
    s->resolve = curl_slist_append(NULL, text_end(&w));
    return !w.failed && s->resolve != NULL;
}

static void found(void *context, const struct ip *addresses, size_t count)
{
    struct sending *s = context;
    const struct post_options *o = &s->post->options;
    s->query = NULL;
    if (count == 0) {
        fail_soon(s, POST_NO_ADDRESS);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!o->is_allowed(o->context, &addresses[i], false)) {
            fail_soon(s, POST_ADDRESS_REFUSED);
            return;
        }
    }
    if (put_addresses(s, addresses, count))
        begin(s);
    else
        fail_soon(s, POST_BROKEN);
}

static struct sending *free_one(struct post *p)
{
    for (uint32_t i = 0; i < p->options.at_once; i++) {
        if (p->sendings[i].curl == NULL)
            return &p->sendings[i];
    }
    return NULL;
}

static bool copy(struct sending *s, const struct post_request *r)
{
    s->url = strdup(r->url);
    s->body = malloc(r->body.len > 0 ? r->body.len : 1);
    if (s->url == NULL || s->body == NULL || r->host.len >= sizeof s->host)
        return false;
    if (r->answer_max > 0) {
        s->answer = calloc(1, r->answer_max);
        s->answer_max = r->answer_max;
        if (s->answer == NULL)
            return false;
    }
    bytes_copy(s->body, r->body);
    s->body_len = r->body.len;
    s->is_get = r->is_get;
    bytes_copy(s->host, r->host);
    s->host[r->host.len] = '\0';
    s->port = r->port;
    for (const char *const *line = r->headers; *line != NULL; line++) {
        struct curl_slist *longer = curl_slist_append(s->headers, *line);
        if (longer == NULL)
            return false;
        s->headers = longer;
    }
    s->ticket = r->ticket;
    s->done = r->done;
    s->context = r->context;
    return true;
}

bool post_send(struct post *p, const struct post_request *r)
{
    struct sending *s = free_one(p);
    if (s == NULL)
        return false;
    s->curl = curl_easy_init();
    s->start = loop_now(p->options.loop);
    if (s->curl == NULL || !copy(s, r)) {
        release(s);
        return false;
    }
    if (r->is_literal) { // judged when the connection is opened
        begin(s);
        return true;
    }
    s->query = dns_look(p->dns, s->host, found, s);
    if (s->query != NULL)
        look_by(p, instant_after(s->start, LOOK_MS));
    return true;
}

// A name of which nobody tells anything costs no more than a connection that is not made.
static void look_due(void *context, struct instant now)
{
    struct post *p = context;
    bool is_asking = false;
    p->look_at = INSTANT_NEVER;
    look_for_ends(p);
    for (uint32_t i = 0; i < p->options.at_once; i++) {
        struct sending *s = &p->sendings[i];
        if (s->curl == NULL)
            continue;
        if (s->query != NULL && instant_is_due(instant_after(s->start, POST_CONNECT_MS), now))
            fail(s, POST_NO_ADDRESS);
        else if (s->early != POST_ANSWERED)
            fail(s, s->early);
        is_asking |= s->query != NULL;
    }
    if (is_asking)
        look_by(p, instant_after(now, LOOK_MS));
}

// --- opening and closing -------------------------------------------------------------------------

// Now and not at each connection: a process that makes requests need not be able to open files.
static bool read_ca(struct post *p)
{
    const char *own = p->options.ca_file;
    const char *path = own != NULL ? own : curl_version_info(CURLVERSION_NOW)->cainfo;
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    p->ca.data = malloc(CA_MAX);
    p->ca.flags = CURL_BLOB_NOCOPY;
    if (file != NULL && p->ca.data != NULL)
        p->ca.len = fread(p->ca.data, 1, CA_MAX, file);
    const bool is_whole = p->ca.len > 0 && p->ca.len < CA_MAX && ferror(file) == 0;
    if (file != NULL)
        (void)fclose(file);
    if (!is_whole)
        p->ca.len = 0;
    return is_whole || own == NULL; // a system may have none: then nobody is trusted
}

static bool open_parts(struct post *p)
{
    const struct post_options *o = &p->options;
    p->dns = dns_open(o->loop, o->dns_server);
    p->multi = curl_multi_init();
    p->sendings = calloc(o->at_once, sizeof *p->sendings);
    p->sockets = calloc(p->socket_count, sizeof *p->sockets);
    if (p->dns == NULL || p->multi == NULL || p->sendings == NULL || p->sockets == NULL)
        return false;
    for (uint32_t i = 0; i < o->at_once; i++)
        p->sendings[i].post = p;
    for (size_t i = 0; i < p->socket_count; i++)
        p->sockets[i] = (struct watched){.post = p, .fd = CURL_SOCKET_BAD};
    return read_ca(p) && loop_timer_open(&p->timer, o->loop, timer_due, p) &&
           loop_timer_open(&p->look_timer, o->loop, look_due, p) &&
           curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, want_socket) == CURLM_OK &&
           curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p) == CURLM_OK &&
           curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, want_timer) == CURLM_OK &&
           curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p) == CURLM_OK;
}

struct post *post_open(const struct post_options *options)
{
    struct post *p = calloc(1, sizeof *p);
    if (p == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(p);
        return NULL;
    }
    p->options = *options;
    p->socket_count = (size_t)options->at_once * SOCKETS_EACH;
    p->look_at = INSTANT_NEVER;
    if (!open_parts(p)) {
        post_close(p);
        return NULL;
    }
    return p;
}

void post_close(struct post *p)
{
    if (p == NULL)
        return;
    for (uint32_t i = 0; p->sendings != NULL && i < p->options.at_once; i++) {
        if (p->sendings[i].curl != NULL)
            release(&p->sendings[i]);
    }
    if (p->multi != NULL)
        (void)curl_multi_cleanup(p->multi);
    for (size_t i = 0; p->sockets != NULL && i < p->socket_count; i++)
        unwatch(&p->sockets[i]);
    loop_timer_close(&p->timer);
    loop_timer_close(&p->look_timer);
    dns_close(p->dns);
    free(p->sendings);
    free(p->sockets);
    free(p->ca.data);
    free(p);
    curl_global_cleanup();
}
