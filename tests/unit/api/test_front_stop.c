// The end of the front: requests that are in work when the server stops, over the real sockets.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/meter.h"
#include "ota-server/shell/front.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEWCOMERS 2
#define POOL "{\"name\":\"north\",\"operator\":\"TEST-001-01\",\"templateId\":1}"

struct scene {
    struct lab lab;
    struct loop *loop;
    struct front *front;
    char address[NET_ADDRESS_TEXT_SIZE];
    struct answer answer;
};

static struct utc lab_time(void *context)
{
    return ((struct scene *)context)->lab.now.utc;
}

static int open_scene(void **state)
{
    static struct scene s;
    memset(&s, 0, sizeof(s));
    lab_open(&s.lab, "all", true);
    s.loop = loop_open();
    assert_non_null(s.loop);
    const struct front_options options = {.loop = s.loop,
                                          .listen = "127.0.0.1:0",
                                          .api = s.lab.api,
                                          .upload_dir = "/tmp",
                                          .utc = lab_time,
                                          .utc_context = &s};
    assert_int_equal(front_open(&options, &s.front), NET_OK);
    front_address(s.front, s.address);
    *state = &s;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *s = *state;
    loop_close(s->loop);
    lab_close(&s->lab);
    return 0;
}

static int connect_to(const struct scene *s)
{
    struct net_address to;
    assert_int_equal(net_resolve(s->address, &to), NET_OK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to.at, to.len), 0);
    return fd;
}

// A client that asks for a pool under this key.
static int ask(const struct scene *s, const char *key)
{
    char text[1024];
    const int fd = connect_to(s);
    const int len = snprintf(text, sizeof(text),
                             "POST " API_BASE "/subscription-pools HTTP/1.1\r\nHost: a\r\n"
                             "Authorization: %s\r\nContent-Type: application/json\r\n"
                             "Idempotency-Key: %s\r\nContent-Length: %zu\r\n\r\n" POOL,
                             s->lab.token, key, strlen(POOL));
    assert_true(len > 0 && (size_t)len < sizeof(text));
    assert_int_equal(send(fd, text, (size_t)len, 0), len);
    return fd;
}

static unsigned in_work(const struct scene *s)
{
    unsigned count = 0;
    for (const struct api_exchange *x = s->lab.api->in_work; x != NULL; x = x->next)
        count++;
    return count;
}

// Reads until the server closes the connection.
static void read_all(int fd, char text[4096])
{
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0) {
        got = recv(fd, text + len, 4095 - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    text[len] = '\0';
    assert_int_equal(close(fd), 0);
}

// No turn runs before the stop: as when the time of draining is over in the midst of requests.
static void requests_in_work_at_a_stop_are_answered_and_noted(void **state)
{
    struct scene *s = *state;
    char first[4096];
    char second[4096];
    const int fd = ask(s, "stop-0001");
    while (in_work(s) < 1)
        loop_turn(s->loop);
    const int same = ask(s, "stop-0001"); // waits for the first one
    while (in_work(s) < 2)
        loop_turn(s->loop);
    assert_true(front_stop(s->front, true, s->lab.now.utc));
    read_all(fd, first);
    read_all(same, second);
    assert_int_equal(strncmp(first, "HTTP/1.1 201 ", 13), 0);
    assert_int_equal(strncmp(second, "HTTP/1.1 201 ", 13), 0);
    assert_non_null(strstr(second, "Idempotency-Replayed: true"));
    assert_int_equal(in_work(s), 0);
    assert_int_equal(meter_counts(s->lab.api->meter).waiting, 0);
    lab_ask(&s->lab, &(struct ask){.method = "GET", .target = API_BASE "/subscription-pools"},
            &s->answer);
    assert_non_null(strstr(s->answer.body, "\"north\""));
    lab_ask(&s->lab,
            &(struct ask){.method = "GET", .target = API_BASE "/metering/calls?month=2026-07"},
            &s->answer);
    assert_non_null(strstr(s->answer.body, "\"billable\":1,\"repeated\":1,"));
}

// What comes when the last turns have run is none of the API's any more.
static void a_request_that_comes_while_the_front_closes_is_not_begun(void **state)
{
    struct scene *s = *state;
    char text[4096];
    int fds[NEWCOMERS];
    for (unsigned i = 0; i < NEWCOMERS; i++)
        fds[i] = connect_to(s);
    loop_turn(s->loop);
    for (unsigned i = 0; i < NEWCOMERS; i++)
        assert_int_equal(send(fds[i], "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 34, 0), 34);
    assert_true(front_stop(s->front, true, s->lab.now.utc));
    for (unsigned i = 0; i < NEWCOMERS; i++) {
        read_all(fds[i], text);
        assert_string_equal(text, "");
    }
    assert_int_equal(in_work(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_in_work_at_a_stop_are_answered_and_noted,
                                        open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_request_that_comes_while_the_front_closes_is_not_begun,
                                        open_scene, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
