// F13: any octets on a connection of the HTTP server, in pieces and in one. What reaches a handler
// is framed in one way only, the same however it came; no answer is a failure of ours; and the
// server is done with the connection when the client is.
#include "common/base/check.h"
#include "common/host/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX 4096
#define BODY_MAX 256
#define TURNS_MAX 5000
#define QUIET_TURNS 20
#define FNV_START 0xCBF29CE484222325u
#define FNV_PRIME 0x100000001B3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct loop *loop;
static struct http *http;
static struct net_address address;

// What came of the octets.
static struct told {
    uint64_t requests;
    unsigned begun_count, request_count;
    unsigned open;   // begun, neither answered nor gone
    bool is_chunked; // of the last one: how long its body is to be
    uint64_t len;
    uint8_t answers[65536];
    size_t answers_len;
} told;

static void mix(struct bytes octets)
{
    for (size_t i = 0; i < octets.len; i++)
        told.requests = (told.requests ^ octets.at[i]) * FNV_PRIME;
    told.requests = (told.requests ^ octets.len) * FNV_PRIME;
}

// The headers are looked at here, as our programs do: libmicrohttpd joins a trailer that is folded
// to the last of them.
static void begin(void *context, struct http_request *r)
{
    (void)context;
    const char *length = http_header(r, "Content-Length");
    const unsigned lengths = http_header_count(r, "Content-Length");
    told.is_chunked = http_header_count(r, "Transfer-Encoding") == 1;
    told.len = lengths == 1 ? strtoull(length, NULL, 10) : 0;
    check(http_header_count(r, "Host") == 1);
    check(lengths + http_header_count(r, "Transfer-Encoding") <= 1);
    told.open++;
    told.begun_count++;
}

static void complete(void *context, struct http_request *r)
{
    (void)context;
    const struct bytes body = http_body(r);
    check(http_target(r)[0] == '/' && body.len <= BODY_MAX);
    check(told.is_chunked || told.len == body.len);
    mix(bytes_of_text(http_method(r)));
    mix(bytes_of_text(http_target(r)));
    mix(body);
    told.request_count++;
    told.open--;
    http_reply(r, 200, "text/plain", NULL, 0, bytes_of_text("ok"));
}

static void gone(void *context, struct http_request *r)
{
    (void)context;
    (void)r;
    check(told.open > 0);
    told.open--;
}

static void turn(void)
{
    loop_wake(loop); // it does not wait
    loop_turn(loop);
}

// False when the server ended the connection.
static bool take(int fd)
{
    for (;;) {
        const size_t room = sizeof told.answers - told.answers_len;
        check(room > 0);
        const ssize_t got = recv(fd, told.answers + told.answers_len, room, MSG_DONTWAIT);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0)
            return false;
        told.answers_len += (size_t)got;
    }
}

// Each answer begins with a status line of ours: 1xx, 2xx, 4xx, 501 or 505, never another 5xx.
static void judge_answers(void)
{
    static const char head[] = "HTTP/1.1 ";
    const struct bytes all = bytes_of(told.answers, told.answers_len);
    for (size_t i = 0; i + sizeof head + 2 < all.len; i++) {
        const struct bytes status = bytes_slice(all, i + sizeof head - 1, 3);
        if (!bytes_equal(bytes_slice(all, i, sizeof head - 1), bytes_of_text(head)))
            continue;
        const bool is_refused_by_name =
            bytes_equal(status, bytes_of_text("501")) || bytes_equal(status, bytes_of_text("505"));
        check(status.at[0] != '5' || is_refused_by_name);
    }
}

static void talk(struct bytes octets, size_t piece_len)
{
    told = (struct told){.requests = FNV_START};
    const int fd = socket(address.at.ss_family, SOCK_STREAM, 0);
    check(fd >= 0 && connect(fd, (const struct sockaddr *)&address.at, address.len) == 0);
    bool is_open = true;
    while (octets.len > 0 && is_open) {
        const struct bytes piece = bytes_slice(octets, 0, piece_len);
        const ssize_t sent = send(fd, piece.at, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        octets = bytes_slice(octets, sent > 0 ? (size_t)sent : 0, octets.len);
        is_open = sent > 0 || errno == EAGAIN;
        turn();
        is_open = is_open && take(fd);
    }
    (void)shutdown(fd, SHUT_WR);
    // A server may keep what is half closed until its time for idle ones is over.
    size_t seen = told.answers_len;
    for (unsigned quiet = 0; quiet < QUIET_TURNS && take(fd); quiet++) {
        quiet = told.answers_len > seen ? 0 : quiet;
        seen = told.answers_len;
        turn();
    }
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    check(close(fd) == 0);
    for (unsigned turns = 0; told.open > 0; turns++) {
        check(turns < TURNS_MAX);
        turn();
    }
    judge_answers();
}

static void start(void)
{
    static const struct http_handler handler = {.begin = begin, .complete = complete, .gone = gone};
    struct http_limits limits = http_limits_default();
    limits.body_max = BODY_MAX;
    limits.connection_per_address_max = 0;
    loop = loop_open();
    check(loop != NULL && net_resolve("127.0.0.1:0", &address) == NET_OK);
    check(http_open(loop, &address, &limits, &handler, NULL, &http) == NET_OK);
    http_address(http, &address);
}

// Whether a trailer that is folded ends the request or the connection, libmicrohttpd makes depend
// on how it came.
static bool has_fold(struct bytes octets)
{
    bool is_one = false;
    for (size_t i = 1; i < octets.len; i++)
        is_one |= octets.at[i - 1] == '\n' && (octets.at[i] == ' ' || octets.at[i] == '\t');
    return is_one;
}

// One that is empty, or that begins with a NUL: libmicrohttpd 0.9 takes it for empty and shows
// nothing of it.
static bool is_blank(struct bytes line)
{
    return line.at[0] == '\0' || line.at[0] == '\n' || (line.at[0] == '\r' && line.len == 2);
}

// The first head that a handler saw, judged by what was sent: every line ends in CR LF and nowhere
// is a NUL. One in the CR's place is not seen either.
static void judge_head(struct bytes octets)
{
    bool is_begun = false;
    while (octets.len > 0) {
        const uint8_t *end = memchr(octets.at, '\n', octets.len);
        const size_t len = end ? (size_t)(end - octets.at) + 1 : octets.len;
        const struct bytes line = bytes_slice(octets, 0, len);
        octets = bytes_slice(octets, len, octets.len - len);
        if (!is_begun && is_blank(line))
            continue;
        is_begun = true;
        check(len >= 2 && (line.at[len - 2] == '\r' || line.at[len - 2] == '\0'));
        check(memchr(line.at, '\0', len - 2) == NULL);
        if (len == 2)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2 || len > INPUT_MAX)
        return 0;
    if (http == NULL)
        start();
    const struct bytes octets = bytes_of(data + 1, len - 1);
    talk(octets, octets.len);
    const uint64_t whole = told.requests;
    const unsigned count = told.request_count;
    if (told.begun_count > 0)
        judge_head(octets);
    talk(octets, 1 + octets.len / (2 + data[0] % 16));
    check(has_fold(octets) || (told.requests == whole && told.request_count == count));
    return 0;
}
