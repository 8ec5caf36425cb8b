// Sends requests that stand ready in a file over kept connections, and measures the answers.
//
//     bench_requests HOST:PORT CONNECTIONS RATE FILE
//
// FILE: for each request a line with its length in octets, then its octets. RATE: requests per
// second, each sent when it is due however late the others are (the time counts from then); 0: as
// soon as a connection is free. Prints one line of JSON.
#include "common/base/check.h"
#include "common/host/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define PER_ADDRESS 50
#define ANSWER_MAX 262144
#define SILENCE_MS 20000
#define CODES 600

struct request {
    const char *at;
    size_t len;
    double due, ended; // seconds from the start
    int status;        // 0: no answer
};

struct connection {
    int fd;
    struct request *of; // under way, or NULL
    size_t sent, got;
    char *answer;
};

struct run {
    struct net_address address;
    struct request *requests;
    size_t count, next, ended;
    double rate;
    struct timespec start;
    struct connection connections[CONNECTIONS_MAX];
    unsigned connection_count;
};

static double now_of(const struct run *r)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - r->start.tv_sec) + (double)(now.tv_nsec - r->start.tv_nsec) / 1e9;
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "bench_requests: %s\n", what);
    return EXIT_FAILURE;
}

// --- the file --------------------------------------------------------------------------------

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    (void)fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    (void)fseek(file, 0, SEEK_SET);
    char *octets = malloc(*len + 1);
    if (octets != NULL && fread(octets, 1, *len, file) == *len)
        octets[*len] = '\0';
    (void)fclose(file);
    return octets;
}

static bool read_requests(struct run *r, const char *path)
{
    size_t len = 0;
    char *octets = read_file(path, &len);
    size_t room = 0;
    if (octets == NULL)
        return false;
    for (size_t at = 0; at < len;) {
        char *end = NULL;
        const size_t one = strtoull(octets + at, &end, 10);
        const size_t from = (size_t)(end - octets) + 1;
        if (one == 0 || *end != '\n' || from + one > len)
            return false;
        if (r->count == room) {
            room = room == 0 ? 1024 : 2 * room;
            r->requests = realloc(r->requests, room * sizeof *r->requests);
            check(r->requests != NULL);
        }
        r->requests[r->count++] = (struct request){.at = octets + from, .len = one};
        at = from + one;
    }
    return r->count > 0;
}

// --- one connection --------------------------------------------------------------------------

// A server bounds the connections of one address; loopback has many: 127.0.0.1, 127.0.0.2, ...
static bool take_source(const struct run *r, const struct connection *c)
{
    const uint32_t number = (uint32_t)(c - r->connections) / PER_ADDRESS;
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
    return number == 0 || r->address.at.ss_family != AF_INET ||
           bind(c->fd, (struct sockaddr *)&source, sizeof source) == 0;
}

static bool open_connection(struct run *r, struct connection *c)
{
    c->fd = socket(r->address.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || !take_source(r, c) ||
        connect(c->fd, (struct sockaddr *)&r->address.at, r->address.len) != 0)
        return false;
    if (c->answer == NULL)
        c->answer = malloc(ANSWER_MAX);
    return c->answer != NULL && fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

// The length of the whole answer, 0 while that is not known.
static size_t answer_len(const struct connection *c)
{
    c->answer[c->got] = '\0';
    const char *body = strstr(c->answer, "\r\n\r\n");
    if (body == NULL)
        return 0;
    const char *length = strstr(c->answer, "Content-Length: ");
    const size_t head = (size_t)(body - c->answer) + 4;
    return head + (length != NULL && length < body ? strtoull(length + 16, NULL, 10) : 0);
}

static void end_request(struct run *r, struct connection *c, int status)
{
    c->of->status = status;
    c->of->ended = now_of(r);
    c->of = NULL;
    r->ended++;
}

static bool lose(struct run *r, struct connection *c)
{
    if (c->of != NULL)
        end_request(r, c, 0);
    (void)close(c->fd);
    return open_connection(r, c);
}

static bool send_some(struct run *r, struct connection *c)
{
    const ssize_t sent =
        send(c->fd, c->of->at + c->sent, c->of->len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR || lose(r, c);
    c->sent += (size_t)sent;
    return true;
}

static bool receive_some(struct run *r, struct connection *c)
{
    const ssize_t got = recv(c->fd, c->answer + c->got, ANSWER_MAX - 1 - c->got, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return lose(r, c);
    c->got += (size_t)got;
    const size_t whole = answer_len(c);
    if (whole == 0 || c->got < whole)
        return c->got < ANSWER_MAX - 1 || lose(r, c);
    const bool closes = strstr(c->answer, "\r\nConnection: close\r\n") != NULL;
    if (c->of != NULL)
        end_request(r, c, (int)strtol(c->answer + 9, NULL, 10));
    c->got = 0;
    return !closes || lose(r, c);
}

static bool is_due(const struct run *r)
{
    return r->next < r->count && (r->rate <= 0 || (double)r->next / r->rate <= now_of(r));
}

static bool give(struct run *r, struct connection *c)
{
    struct request *q = &r->requests[r->next];
    q->due = r->rate > 0 ? (double)r->next / r->rate : now_of(r);
    r->next++;
    c->of = q;
    c->sent = 0;
    c->got = 0;
    return send_some(r, c);
}

// --- the run ---------------------------------------------------------------------------------

static int wait_ms(const struct run *r)
{
    if (r->rate <= 0 || r->next >= r->count)
        return SILENCE_MS;
    const double left = (double)r->next / r->rate - now_of(r);
    return left <= 0 ? 0 : (int)(left * 1000) + (left * 1000 < 1 ? 0 : 1);
}

static bool turn(struct run *r)
{
    struct pollfd watched[CONNECTIONS_MAX];
    bool has_free = false;
    for (unsigned i = 0; i < r->connection_count; i++) {
        struct connection *c = &r->connections[i];
        if (c->of == NULL && is_due(r) && !give(r, c))
            return false;
        has_free = has_free || c->of == NULL;
        const bool has_more = c->of != NULL && c->sent < c->of->len;
        watched[i] = (struct pollfd){.fd = c->fd, .events = POLLIN | (has_more ? POLLOUT : 0)};
    }
    const int wait = has_free ? wait_ms(r) : SILENCE_MS;
    const int ready = poll(watched, r->connection_count, wait);
    if (ready == 0 && wait == SILENCE_MS)
        return false;
    for (unsigned i = 0; ready > 0 && i < r->connection_count; i++) {
        struct connection *c = &r->connections[i];
        if ((watched[i].revents & POLLOUT) != 0 && c->of != NULL && !send_some(r, c))
            return false;
        if ((watched[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive_some(r, c))
            return false;
    }
    return true;
}

static int by_time(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const struct run *r)
{
    double *ms = calloc(r->count, sizeof *ms);
    unsigned codes[CODES] = {0};
    double last = 0;
    check(ms != NULL);
    for (size_t i = 0; i < r->count; i++) {
        const struct request *q = &r->requests[i];
        ms[i] = (q->ended - q->due) * 1000;
        last = q->ended > last ? q->ended : last;
        codes[q->status >= 0 && q->status < CODES ? q->status : 0]++;
    }
    qsort(ms, r->count, sizeof *ms, by_time);
    (void)printf("{\"count\":%zu,\"seconds\":%.4f,\"perSecond\":%.1f,\"p50\":%.3f,\"p99\":%.3f,"
                 "\"max\":%.3f,\"codes\":{",
                 r->count, last, (double)r->count / last, ms[r->count / 2], ms[r->count * 99 / 100],
                 ms[r->count - 1]);
    const char *comma = "";
    for (unsigned i = 0; i < CODES; i++) {
        if (codes[i] > 0)
            (void)printf("%s\"%u\":%u", comma, i, codes[i]);
        comma = codes[i] > 0 ? "," : comma;
    }
    (void)printf("}}\n");
    free(ms);
}

int main(int argc, char **argv)
{
    static struct run r;
    if (argc != 5)
        return fail("usage: bench_requests HOST:PORT CONNECTIONS RATE FILE");
    r.connection_count = (unsigned)strtoul(argv[2], NULL, 10);
    r.rate = strtod(argv[3], NULL);
    if (r.connection_count == 0 || r.connection_count > CONNECTIONS_MAX)
        return fail("1 to 256 connections");
    if (net_resolve(argv[1], &r.address) != NET_OK)
        return fail("no such address");
    if (!read_requests(&r, argv[4]))
        return fail("the file holds no requests");
    for (unsigned i = 0; i < r.connection_count; i++) {
        if (!open_connection(&r, &r.connections[i]))
            return fail("it does not connect");
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &r.start);
    while (r.ended < r.count) {
        if (!turn(&r))
            return fail("nothing comes any more");
    }
    report(&r);
    return EXIT_SUCCESS;
}
