#include "tests/lib/cmocka_all.h"

#include "common/host/clock.h"
#include "common/host/http.h"
#include "tests/unit/server/faulty_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP_MS 20000 // a broken test ends; a right one never waits

// A server, and a client that speaks raw octets to it.
struct world {
    struct loop *loop;
    struct net *net;
    struct http *http;
    struct net_address address;
    struct net_stream *client;
    char answer[65536];
    size_t answer_len;
    bool closed;
    unsigned begun, completed, gone, misread;
    struct http_request *waiting; // not answered yet
    size_t sunk;
    int pulls;
    struct loop_timer give_up;
};

static void on_opened(void *context, struct net_stream *stream)
{
    ((struct world *)context)->client = stream;
}

static void on_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    (void)stream;
    struct world *w = context;
    assert_true(w->answer_len + octets.len < sizeof w->answer);
    memcpy(w->answer + w->answer_len, octets.at, octets.len);
    w->answer_len += octets.len;
    w->answer[w->answer_len] = '\0';
}

static void on_closed(void *context, struct net_stream *stream, enum net_end end)
{
    (void)stream;
    (void)end;
    struct world *w = context;
    w->client = NULL;
    w->closed = true;
}

static bool sink(void *context, struct http_request *r, struct bytes piece)
{
    (void)r;
    ((struct world *)context)->sunk += piece.len;
    return true;
}

static void begin(void *context, struct http_request *r)
{
    struct world *w = context;
    w->begun++;
    if (strcmp(http_path(r), "/upload") == 0) {
        http_body_max(r, 200000);
        http_body_sink(r, sink, w);
    }
    if (strcmp(http_path(r), "/early") == 0)
        http_reply(r, 401, NULL, NULL, 0, bytes_of(NULL, 0));
}

static long pull(void *context, struct http_request *r, uint8_t *to, size_t len)
{
    struct world *w = context;
    w->waiting = r;
    assert_true(len >= 5);
    switch (w->pulls++) { // octets
    case 0:
    case 2:
        memcpy(to, "event", 5);
        return 5;
    case 1:
        return HTTP_PULL_NOTHING_YET;
    default: // octets
        return HTTP_PULL_END;
    }
}

static void echo(struct http_request *r)
{
    char text[512];
    const char *name = http_query(r, "name");
    int len = snprintf(text, sizeof text, "%s %.200s name=%s x=%s body=%.*s", http_method(r),
                       http_path(r), name ? name : "-",
                       http_header(r, "x-test") ? http_header(r, "x-test") : "-",
                       (int)http_body(r).len, (const char *)http_body(r).at);
    const struct http_field field = {"X-Answer", "yes"};
    http_reply(r, 200, "text/plain", &field, 1, bytes_of(text, (size_t)len));
}

static void complete(void *context, struct http_request *r)
{
    struct world *w = context;
    w->completed++;
    if (strcmp(http_path(r), "/later") == 0)
        w->waiting = r;
    else if (strcmp(http_path(r), "/stream") == 0)
        http_stream(r, 200, "text/event-stream", NULL, 0, pull);
    else
        echo(r);
}

static void on_gone(void *context, struct http_request *r)
{
    (void)r;
    struct world *w = context;
    w->gone++;
    w->waiting = NULL;
}

static void on_misread(void *context, const struct net_address *peer, unsigned status)
{
    assert_true(peer == NULL || peer->at.ss_family == AF_INET); // NULL: the library refused it
    ((struct world *)context)->misread += status == 400 ? 1 : 0;
}

static void on_give_up(void *context, struct instant now)
{
    (void)now;
    fail_msg("no answer; so far: %s", ((struct world *)context)->answer);
}

static const struct net_handler client_handler = {
    .opened = on_opened, .octets = on_octets, .closed = on_closed};

static void dial(struct world *w)
{
    static const struct net_limits limits = {.read_max = 65536, .output_max = 1 << 20};
    w->closed = false;
    w->answer_len = 0;
    w->answer[0] = '\0';
    assert_non_null(net_connect(w->net, &w->address, &limits, 5000, &client_handler, w));
    while (!w->client)
        loop_turn(w->loop);
}

static void start_with(struct world *w, const struct http_limits *limits)
{
    static const struct http_handler handler = {
        .begin = begin, .complete = complete, .misread = on_misread, .gone = on_gone};
    memset(w, 0, sizeof *w);
    w->loop = loop_open();
    w->net = net_open(w->loop);
    assert_non_null(w->net);
    assert_true(loop_timer_open(&w->give_up, w->loop, on_give_up, w));
    loop_timer_set(&w->give_up, instant_after(clock_instant(), GIVE_UP_MS));
    assert_int_equal(net_resolve("127.0.0.1:0", &w->address), NET_OK);
    assert_int_equal(http_open(w->loop, &w->address, limits, &handler, w, &w->http), NET_OK);
    http_address(w->http, &w->address);
    dial(w);
}

static void start(struct world *w)
{
    struct http_limits limits = http_limits_default();
    limits.body_max = 10;
    start_with(w, &limits);
}

static void stop(struct world *w)
{
    http_close(w->http);
    net_close_all(w->net);
    loop_timer_close(&w->give_up);
    loop_close(w->loop);
}

static void say(struct world *w, const char *text)
{
    assert_true(net_write(w->client, bytes_of_text(text)));
}

static void until(struct world *w, const char *text)
{
    while (!strstr(w->answer, text))
        loop_turn(w->loop);
}

static void until_closed(struct world *w)
{
    while (!w->closed)
        loop_turn(w->loop);
}

static void until_closed_again(struct world *w)
{
    w->closed = false;
    until_closed(w);
}

static void a_request_arrives_with_its_parts_and_is_answered(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    say(&w, "POST /a%20b?name=x%26y&z HTTP/1.1\r\nHost: a\r\nX-Test: 7\r\nContent-Length: "
            "4\r\n\r\nbody");
    until(&w, "POST /a b name=x&y x=7 body=body");
    assert_memory_equal(w.answer, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(w.answer, "X-Answer: yes\r\n"));
    assert_non_null(strstr(w.answer, "Content-Type: text/plain\r\n"));
    say(&w, "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"); // the connection lives on
    until(&w, "GET /second name=- x=- body=");
    stop(&w);
}

static void an_answer_may_come_in_a_later_turn(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    say(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!w.waiting)
        loop_turn(w.loop);
    for (int i = 0; i < 5; i++) {
        loop_wake(w.loop);
        loop_turn(w.loop);
    }
    assert_int_equal(w.answer_len, 0);
    http_reply(w.waiting, 204, NULL, NULL, 0, bytes_of(NULL, 0));
    until(&w, "HTTP/1.1 204 ");
    assert_int_equal(w.gone, 0);
    stop(&w);
}

static void a_request_that_waits_is_gone_when_the_server_closes(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    say(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!w.waiting)
        loop_turn(w.loop);
    stop(&w);
    assert_int_equal(w.gone, 1);
}

#define BOTH_FRAMINGS                                                                              \
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: "                       \
    "chunked\r\n\r\n0\r\n\r\n"

static void wrong_framing_is_refused_before_a_handler_sees_it(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
        BOTH_FRAMINGS,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a?b\x7F HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\t/ / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n z\r\nY: z\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n x\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent: 4\r\n -Length\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer: chunked\r\n -Encoding\r\n\r\n0\r\n\r\n",
    };
    struct world w;
    start(&w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        say(&w, bad[i]);
        until_closed(&w);
        assert_memory_equal(w.answer, "HTTP/1.1 400 ", 13);
        dial(&w);
    }
    assert_int_equal(w.begun, 0);
    // A log can tell of them, also of those that the library refuses by itself.
    assert_int_equal(w.misread, sizeof bad / sizeof bad[0]);
    stop(&w);
}

struct head {
    const char *at;
    size_t len;
};

#define HEAD(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

// Each has something that a reader of NUL-terminated text does not see, or does not see as it is.
// Behind each stands what would be a second request.
static void what_a_head_hides_is_refused_and_nothing_behind_it_is_read(void **state)
{
    (void)state;
    static const struct head heads[] = {
        HEAD("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\0"
             "2\r\n\r\n"),
        HEAD("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\0\r\n\r\n"),
        HEAD("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\0x\r\n\r\n0\r\n\r\n"),
        HEAD("POST / HTTP/1.1\r\nHost: a\r\nX: a\0\r\nContent-Length: 1\r\n\r\n"),
        HEAD("POST / HTTP/1.1\r\nHost: a\r\nX: a\0\n\0Content-Length: 1\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\r\nX: \0y\r\nY: z\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\r\nX\0Y: z\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\r\n\0Y: z\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\r\n\0\r\n\r\n"),
        HEAD("GET /\0/x HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD("GET /x?y=z\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD("GET \0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD("GET\0 / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD("GET\0X / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD("GET / HTTP/1.1\nHost: a\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\r\nX:\n\r\n"),
        HEAD("GET / HTTP/1.1\r\nHost: a\r\n\n"),
        HEAD("GET / HTTP/1.1\nHost: a\n\n"),
    };
    struct world w;
    start(&w);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        assert_true(net_write(w.client, bytes_of(heads[i].at, heads[i].len)));
        say(&w, "1GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        until_closed(&w);
        assert_memory_equal(w.answer, "HTTP/1.1 400 ", 13);
        assert_null(strstr(w.answer + 1, "HTTP/1.1 "));
        dial(&w);
    }
    assert_int_equal(w.begun, 0);
    stop(&w);
}

// Blanks and tabs around values, none at all, no value, an empty line before a request.
#define FORMS                                                                                      \
    "\r\nPOST /1?name=x%20y&z HTTP/1.1\r\nHost: a\r\nX-Test: \t7 \t\r\nX:\r\nY: \r\nCookie: a=b; " \
    "c=\"d\"\r\nContent-Length:4\r\n\r\nbodyGET /2 HTTP/1.0\r\nHost:a\r\nConnection: "             \
    "keep-alive\r\nX-Test:8\r\n\r\nGET /%33 HTTP/1.1\r\nHost: \r\nConnection: close\r\nZ: \t "     \
    "\r\n\r\n"

static void every_form_of_a_head_is_taken_in_one_piece_and_octet_by_octet(void **state)
{
    (void)state;
    static const char *const answers[] = {"POST /1 name=x y x=7 \t body=body",
                                          "GET /2 name=- x=8 body=", "GET /3 name=- x=- body="};
    struct world w;
    start(&w);
    for (size_t piece_len = 1; piece_len <= sizeof FORMS - 1; piece_len += sizeof FORMS - 2) {
        for (size_t i = 0; i < sizeof FORMS - 1; i += piece_len) {
            assert_true(net_write(w.client, bytes_of(&FORMS[i], piece_len)));
            loop_turn(w.loop);
        }
        until_closed(&w);
        const char *at = w.answer;
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
            at = strstr(at, answers[i]);
            assert_non_null(at);
        }
        dial(&w);
    }
    stop(&w);
}

static void too_many_or_too_long_headers_are_431_and_a_long_target_is_414(void **state)
{
    (void)state;
    char text[32768];
    struct world w;
    start(&w);
    for (int fields = HTTP_HEADER_COUNT_MAX; fields <= HTTP_HEADER_COUNT_MAX + 1; fields++) {
        int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < fields; i++)
            len += snprintf(text + len, sizeof text - (size_t)len, "X: y\r\n");
        (void)snprintf(text + len, sizeof text - (size_t)len, "\r\n");
        say(&w, text);
        until(&w, "\r\n\r\n");
        assert_memory_equal(w.answer,
                            fields > HTTP_HEADER_COUNT_MAX ? "HTTP/1.1 431" : "HTTP/1.1 200", 12);
        net_close(w.client);
        until_closed(&w);
        dial(&w);
    }
    char value[HTTP_HEADER_BLOCK_MAX + 1];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", value);
    say(&w, text);
    until(&w, "HTTP/1.1 431 ");
    until(&w, "\r\n\r\n{\"status\":431,\"code\":\"INVALID_ARGUMENT\",");
    until(&w, "longer than 16384 octets: leave some out\"}");
    until_closed(&w);
    dial(&w);
    value[HTTP_LINE_MAX] = '\0';
    (void)snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", value);
    say(&w, text);
    until(&w, "HTTP/1.1 414 ");
    until(&w, "\r\n\r\n{\"status\":414,\"code\":\"INVALID_ARGUMENT\",");
    until(&w, "8192 octets: shorten the query, or search with POST\"}");
    until_closed(&w);
    stop(&w);
}

// Target, number of fields and their octets at their limits at once; the library copies the cookie.
static void all_limits_of_headers_are_taken_together(void **state)
{
    (void)state;
    char text[32768];
    char filler[HTTP_HEADER_BLOCK_MAX];
    struct world w;
    start(&w);
    memset(filler, 'v', sizeof filler);
    const int target = HTTP_LINE_MAX - (int)strlen("PATCH / HTTP/1.1");
    int len = snprintf(text, sizeof text, "PATCH /%.*s HTTP/1.1\r\nHost: a\r\n", target, filler);
    for (int i = 2; i < HTTP_HEADER_COUNT_MAX; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "X: y\r\n");
    const int octets = (HTTP_HEADER_COUNT_MAX - 2) * 6 + (int)strlen("Host: a\r\nCookie: a=\r\n");
    (void)snprintf(text + len, sizeof text - (size_t)len, "Cookie: a=%.*s\r\n\r\n",
                   HTTP_HEADER_BLOCK_MAX - octets, filler);
    say(&w, text);
    until(&w, "\r\n\r\n");
    assert_memory_equal(w.answer, "HTTP/1.1 200", 12);
    stop(&w);
}

static void a_body_at_the_limit_is_taken_and_one_octet_more_is_413(void **state)
{
    (void)state;
    struct world w;
    start(&w); // the limit is 10
    say(&w, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    until(&w, "body=0123456789");
    say(&w, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789a");
    until(&w, "HTTP/1.1 413 ");
    until_closed(&w);
    dial(&w);
    say(&w, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
            "chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n");
    until(&w, "HTTP/1.1 413 ");
    assert_int_equal(w.completed, 1);
    assert_int_equal(w.gone, 2);
    stop(&w);
}

static void an_upload_goes_to_the_sink_in_pieces(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    say(&w, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    static const uint8_t zeros[200000];
    assert_true(net_write(w.client, bytes_of(zeros, sizeof zeros)));
    until(&w, "POST /upload");
    assert_int_equal(w.sunk, 200000);
    stop(&w);
}

static void an_early_answer_needs_no_body(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    say(&w, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    until(&w, "HTTP/1.1 401 ");
    assert_int_equal(w.completed, 0);
    assert_int_equal(w.gone, 0);
    stop(&w);
}

static void a_streamed_answer_waits_and_goes_on_when_woken(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    say(&w, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    until(&w, "event");
    while (w.pulls < 2)
        loop_turn(w.loop);
    http_wake(w.waiting);
    until(&w, "\r\n0\r\n\r\n");
    assert_int_equal(w.pulls, 4);
    assert_int_equal(w.gone, 0);
    stop(&w);
}

static void headers_that_do_not_come_in_time_end_the_connection(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.header_ms = 30;
    struct world w;
    start_with(&w, &limits);
    say(&w, "GET / HTTP/1.1\r\nHost: a\r\n");
    until_closed(&w);
    assert_int_equal(w.begun, 0);
    stop(&w);
}

// Each octet comes in time for the idle limit, and the whole does not.
static void a_body_that_dribbles_ends_the_connection(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.body_ms = 30;
    struct world w;
    start_with(&w, &limits);
    say(&w, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
    while (!w.closed) {
        if (w.client != NULL)
            (void)!net_write(w.client, bytes_of_text("a")); // refused once it is being closed
        loop_turn(w.loop);
    }
    assert_int_equal(w.begun, 1);
    assert_int_equal(w.completed, 0);
    assert_int_equal(w.gone, 1);
    assert_true(w.sunk < 60000);
    stop(&w);
}

// All of these would wait for longer than a test does. What was sent whole before is answered.
static void who_shuts_their_half_is_answered_and_left(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned answers, gone;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 2, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo", 1, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 1, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo", 0, 1},
    };
    struct http_limits limits = http_limits_default();
    limits.body_ms = 60000;
    limits.header_ms = 60000;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        unsigned answers = 0;
        start_with(&w, &limits);
        say(&w, cases[i].text);
        net_finish(w.client);
        until_closed(&w);
        for (const char *at = strstr(w.answer, "HTTP/1.1 200 "); at != NULL;
             at = strstr(at + 1, "HTTP/1.1 200 "))
            answers++;
        assert_int_equal(answers, cases[i].answers);
        assert_int_equal(w.gone, cases[i].gone);
        stop(&w);
    }
}

// One that was waited for later, of another kind, may be due earlier; and who is due does not wait
// behind who is not.
static void each_connection_has_its_own_time(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.header_ms = 60;
    limits.body_ms = 30;
    struct world w;
    start_with(&w, &limits); // its headers do not come
    struct net_stream *first = w.client;
    w.client = NULL;
    dial(&w);
    say(&w, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    until_closed(&w);
    assert_int_equal(w.gone, 1); // the body's
    w.client = first;
    until_closed_again(&w);
    assert_int_equal(w.begun, 1);
    stop(&w);
}

static void one_address_has_only_so_many_connections(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.connection_per_address_max = 1;
    struct world w;
    start_with(&w, &limits);
    say(&w, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    until(&w, "HTTP/1.1 200 ");
    dial(&w); // the second
    until_closed(&w);
    assert_int_equal(w.answer_len, 0);
    stop(&w);
}

static void who_waits_for_a_place_gets_the_next(void **state)
{
    (void)state;
    struct http_limits limits = http_limits_default();
    limits.connection_max = 1;
    struct world w;
    start_with(&w, &limits);
    say(&w, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    until(&w, "HTTP/1.1 200 ");
    struct net_stream *first = w.client;
    w.client = NULL;
    dial(&w); // the system answers for the server
    struct net_stream *second = w.client;
    say(&w, "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    net_close(first);
    w.client = second;
    until(&w, "HTTP/1.1 200 ");
    assert_int_equal(w.completed, 2);
    stop(&w);
}

// True when an allocation failed.
static bool ask_without_memory(const char *request, uint32_t at, bool is_lasting)
{
    struct world w;
    start(&w);
    say(&w, request);
    faulty_memory_set(at, is_lasting);
    while (!w.closed && !strstr(w.answer, "HTTP/1.1 ")) {
        loop_turn(w.loop);
        if (w.waiting && w.pulls == 0)
            http_reply(w.waiting, 200, "text/plain", NULL, 0, bytes_of_text("late"));
        w.waiting = NULL;
    }
    const bool is_hit = faulty_memory_was_hit();
    faulty_memory_set(0, false);
    assert_true(is_hit || !w.closed);
    if (w.client)
        net_close(w.client);
    while (!w.closed)
        loop_turn(w.loop);
    dial(&w);
    say(&w, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    until(&w, "GET /next name=- x=- body=");
    stop(&w);
    return is_hit;
}

static void what_gets_no_memory_is_answered_or_closed_and_the_next_one_answered(void **state)
{
    static const char *const requests[] = {
        "POST /a?name=b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
        "GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\ntoo long by",
    };
    unsigned failed = 0;
    (void)state;
    for (size_t i = 0; i < 2 * sizeof requests / sizeof requests[0]; i++) {
        for (uint32_t at = 1; ask_without_memory(requests[i / 2], at, i % 2 == 1); at++)
            failed++;
    }
    assert_true(failed > 2 * sizeof requests / sizeof requests[0]); // each way, and more than once
    (void)printf("figure {\"name\": \"fault.loops\", \"value\": %u, \"unit\": \"calls failed\", "
                 "\"what\": \"allocations of HTTP\"}\n",
                 failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_arrives_with_its_parts_and_is_answered),
        cmocka_unit_test(an_answer_may_come_in_a_later_turn),
        cmocka_unit_test(a_request_that_waits_is_gone_when_the_server_closes),
        cmocka_unit_test(wrong_framing_is_refused_before_a_handler_sees_it),
        cmocka_unit_test(what_a_head_hides_is_refused_and_nothing_behind_it_is_read),
        cmocka_unit_test(every_form_of_a_head_is_taken_in_one_piece_and_octet_by_octet),
        cmocka_unit_test(too_many_or_too_long_headers_are_431_and_a_long_target_is_414),
        cmocka_unit_test(all_limits_of_headers_are_taken_together),
        cmocka_unit_test(a_body_at_the_limit_is_taken_and_one_octet_more_is_413),
        cmocka_unit_test(an_upload_goes_to_the_sink_in_pieces),
        cmocka_unit_test(an_early_answer_needs_no_body),
        cmocka_unit_test(a_streamed_answer_waits_and_goes_on_when_woken),
        cmocka_unit_test(headers_that_do_not_come_in_time_end_the_connection),
        cmocka_unit_test(a_body_that_dribbles_ends_the_connection),
        cmocka_unit_test(who_shuts_their_half_is_answered_and_left),
        cmocka_unit_test(each_connection_has_its_own_time),
        cmocka_unit_test(one_address_has_only_so_many_connections),
        cmocka_unit_test(who_waits_for_a_place_gets_the_next),
        cmocka_unit_test(what_gets_no_memory_is_answered_or_closed_and_the_next_one_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
