#include "tests/lib/cmocka_all.h"

#include "common/host/clock.h"
#include "common/host/net.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GIVE_UP_MS 20000 // a broken test ends; a right one never waits

// One end of a connection, and what it saw.
struct end {
    struct net_stream *stream;
    size_t received;
    uint8_t sum; // of all octets, to notice changed or swapped ones
    uint8_t first[16];
    unsigned opened, ended, drained, closed;
    enum net_end why;
};

struct pair {
    struct loop *loop;
    struct net *net;
    struct net_listener *listener;
    struct net_address address;
    struct end server, client;
    struct loop_timer give_up;
};

static void on_opened(void *context, struct net_stream *stream)
{
    struct end *e = context;
    e->stream = stream;
    e->opened++;
}

static void on_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    (void)stream;
    struct end *e = context;
    for (size_t i = 0; i < octets.len; i++) {
        if (e->received + i < sizeof e->first)
            e->first[e->received + i] = octets.at[i];
        e->sum = (uint8_t)(e->sum * 31 + octets.at[i]);
    }
    e->received += octets.len;
}

static void on_drained(void *context, struct net_stream *stream)
{
    (void)stream;
    ((struct end *)context)->drained++;
}

static void on_ended(void *context, struct net_stream *stream)
{
    (void)stream;
    ((struct end *)context)->ended++;
}

static void on_closed(void *context, struct net_stream *stream, enum net_end end)
{
    (void)stream;
    struct end *e = context;
    e->stream = NULL;
    e->why = end;
    e->closed++;
}

static const struct net_handler plain = {
    .opened = on_opened, .octets = on_octets, .drained = on_drained, .closed = on_closed};
static const struct net_handler half_closing = {
    .opened = on_opened, .octets = on_octets, .ended = on_ended, .closed = on_closed};
static const struct net_limits limits = {.read_max = 4096, .output_max = 8192, .stream_max = 2};

static void on_give_up(void *context, struct instant now)
{
    (void)context;
    (void)now;
    fail_msg("the peer did not do its part");
}

static void start(struct pair *p, const struct net_handler *server)
{
    *p = (struct pair){.loop = loop_open()};
    p->net = net_open(p->loop);
    assert_non_null(p->net);
    assert_true(loop_timer_open(&p->give_up, p->loop, on_give_up, p));
    loop_timer_set(&p->give_up, instant_after(clock_instant(), GIVE_UP_MS));
    assert_int_equal(net_resolve("127.0.0.1:0", &p->address), NET_OK);
    assert_int_equal(net_listen(p->net, &p->address, &limits, server, &p->server, &p->listener),
                     NET_OK);
    net_listener_address(p->listener, &p->address);
}

static struct net_stream *client(struct pair *p, struct end *e)
{
    struct net_stream *s = net_connect(p->net, &p->address, &limits, 1000, &plain, e);
    assert_non_null(s);
    return s;
}

static void start_connected(struct pair *p, const struct net_handler *server)
{
    start(p, server);
    client(p, &p->client);
    while (!p->client.opened || !p->server.opened)
        loop_turn(p->loop);
}

static void stop(struct pair *p)
{
    net_close_all(p->net);
    loop_timer_close(&p->give_up);
    loop_close(p->loop);
}

static void octets_arrive_in_both_directions(void **state)
{
    (void)state;
    struct pair p;
    start_connected(&p, &plain);
    assert_true(net_write(p.client.stream, bytes_of_text("ask")));
    assert_true(net_write(p.client.stream, bytes_of_text("ing")));
    assert_true(net_write(p.server.stream, bytes_of_text("answering")));
    while (p.server.received < 6 || p.client.received < 9)
        loop_turn(p.loop);
    assert_memory_equal(p.server.first, "asking", 6);
    assert_memory_equal(p.client.first, "answering", 9);
    stop(&p);
}

static void a_full_output_refuses_and_tells_when_it_is_empty(void **state)
{
    (void)state;
    struct pair p;
    start_connected(&p, &plain);
    const uint8_t block[8192] = {7};
    assert_int_equal(net_room(p.client.stream), 8192);
    assert_true(net_write(p.client.stream, bytes_of(block, 8192)));
    assert_false(net_write(p.client.stream, bytes_of(block, 1)));
    while (p.server.received < 8192 || p.client.drained == 0)
        loop_turn(p.loop);
    assert_int_equal(p.client.drained, 1);
    assert_int_equal(p.server.received, 8192); // the refused octet never went out
    assert_int_equal(net_room(p.client.stream), 8192);
    stop(&p);
}

// A turn also when nothing is ready.
static void turn_at_once(struct pair *p)
{
    loop_wake(p->loop);
    loop_turn(p->loop);
}

static void a_slow_reader_holds_the_writer_back_and_loses_nothing(void **state)
{
    (void)state;
    struct pair p;
    start_connected(&p, &plain);
    net_pause(p.server.stream);
    uint8_t expected = 0;
    uint8_t value = 0;
    size_t sent = 0;
    for (int idle_turns = 0; idle_turns < 50; idle_turns++) { // until the system takes no more
        uint8_t block[1000];                                  // does not divide the ring
        while (net_room(p.client.stream) >= sizeof block) {
            for (size_t i = 0; i < sizeof block; i++) {
                block[i] = value++;
                expected = (uint8_t)(expected * 31 + block[i]);
            }
            assert_true(net_write(p.client.stream, bytes_of(block, sizeof block)));
            sent += sizeof block;
            idle_turns = 0;
        }
        turn_at_once(&p);
    }
    assert_int_equal(p.server.received, 0);
    net_resume(p.server.stream);
    while (p.server.received < sent)
        loop_turn(p.loop);
    assert_int_equal(p.server.received, sent);
    assert_int_equal(p.server.sum, expected);
    stop(&p);
}

static void what_was_written_is_sent_before_a_finished_stream_ends(void **state)
{
    (void)state;
    struct pair p;
    start_connected(&p, &plain);
    assert_true(net_write(p.client.stream, bytes_of_text("last words")));
    net_finish(p.client.stream);
    assert_false(net_write(p.client.stream, bytes_of_text("x")));
    while (!p.client.closed || !p.server.closed)
        loop_turn(p.loop);
    assert_memory_equal(p.server.first, "last words", 10);
    assert_int_equal(p.server.why, NET_END_PEER);
    assert_int_equal(p.client.closed, 1);
    stop(&p);
}

static void a_half_closed_peer_still_gets_its_answer(void **state)
{
    (void)state;
    struct pair p;
    start_connected(&p, &half_closing);
    assert_true(net_write(p.client.stream, bytes_of_text("question")));
    net_finish(p.client.stream);
    while (!p.server.ended)
        loop_turn(p.loop);
    assert_int_equal(p.server.closed, 0);
    assert_true(net_write(p.server.stream, bytes_of_text("answer")));
    net_finish(p.server.stream);
    while (!p.client.closed || !p.server.closed)
        loop_turn(p.loop);
    assert_memory_equal(p.client.first, "answer", 6);
    assert_int_equal(p.server.ended, 1);
    assert_int_equal(p.server.why, NET_END_OWN);
    stop(&p);
}

static void closing_calls_back_once_at_the_turns_end(void **state)
{
    (void)state;
    struct pair p;
    start_connected(&p, &plain);
    net_close(p.client.stream);
    net_close(p.client.stream);
    assert_int_equal(p.client.closed, 0);
    turn_at_once(&p);
    assert_int_equal(p.client.closed, 1);
    assert_int_equal(p.client.why, NET_END_OWN);
    while (!p.server.closed)
        loop_turn(p.loop);
    assert_int_equal(p.server.why, NET_END_PEER);
    stop(&p);
}

static void connections_above_the_limit_are_closed_and_counted(void **state)
{
    (void)state;
    struct pair p;
    start(&p, &plain);
    struct end ends[3] = {{0}};
    for (size_t i = 0; i < 3; i++)
        client(&p, &ends[i]);
    while (ends[0].closed + ends[1].closed + ends[2].closed == 0)
        loop_turn(p.loop);
    assert_int_equal(net_listener_refused(p.listener), 1);
    assert_int_equal(p.server.opened, 2);
    // A place that becomes free is used again.
    for (size_t i = 0; i < 3; i++) {
        if (ends[i].stream)
            net_close(ends[i].stream);
    }
    while (p.server.closed < 2)
        loop_turn(p.loop);
    struct end late = {0};
    client(&p, &late);
    while (p.server.opened < 3)
        loop_turn(p.loop);
    assert_int_equal(net_listener_refused(p.listener), 1);
    stop(&p);
}

static void a_listener_without_descriptors_rests_and_then_accepts(void **state)
{
    (void)state;
    struct pair p;
    start(&p, &plain);
    client(&p, &p.client); // takes the last descriptor
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(0);
    (void)close(next);
    struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    while (!p.client.opened)
        loop_turn(p.loop);
    for (int i = 0; i < 20; i++)
        turn_at_once(&p);
    assert_int_equal(p.server.opened, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    while (!p.server.opened)
        loop_turn(p.loop);
    assert_int_equal(p.client.closed, 0);
    stop(&p);
}

static void a_connection_to_nobody_is_refused(void **state)
{
    (void)state;
    struct pair p;
    start(&p, &plain);
    net_listener_stop(p.listener); // its port now belongs to nobody
    client(&p, &p.client);
    while (!p.client.closed)
        loop_turn(p.loop);
    assert_int_equal(p.client.why, NET_END_REFUSED);
    assert_int_equal(p.client.opened, 0);
    stop(&p);
}

static void a_connection_that_takes_too_long_times_out(void **state)
{
    (void)state;
    struct pair p;
    start(&p, &plain);
    int deaf = socket(AF_INET, SOCK_STREAM, 0); // accepts nothing, and its queue is filled first
    struct net_address address;
    assert_int_equal(net_resolve("127.0.0.1:0", &address), NET_OK);
    assert_int_equal(bind(deaf, (struct sockaddr *)&address.at, address.len), 0);
    assert_int_equal(listen(deaf, 0), 0);
    assert_int_equal(getsockname(deaf, (struct sockaddr *)&address.at, &address.len), 0);
    int filler = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(filler, (struct sockaddr *)&address.at, address.len), 0);
    struct end late = {0};
    assert_non_null(net_connect(p.net, &address, &limits, 20, &plain, &late));
    while (!late.closed)
        loop_turn(p.loop);
    assert_int_equal(late.why, NET_END_TIMEOUT);
    assert_int_equal(late.opened, 0);
    (void)close(filler);
    (void)close(deaf);
    stop(&p);
}

static void a_port_in_use_is_reported(void **state)
{
    (void)state;
    struct pair p;
    start(&p, &plain);
    struct net_listener *second;
    assert_int_equal(net_listen(p.net, &p.address, &limits, &plain, NULL, &second), NET_IN_USE);
    stop(&p);
}

static void only_host_and_port_make_an_address(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      ":",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      ":2775",
                                      "::1:2775",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:x",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:000080"};
    struct net_address a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(net_resolve(bad[i], &a), NET_BAD_ADDRESS);
    static const char *const good[] = {"127.0.0.1:0", "127.0.0.1:65535", "[::1]:2775"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[NET_ADDRESS_TEXT_SIZE];
        assert_int_equal(net_resolve(good[i], &a), NET_OK);
        net_address_format(&a, text);
        assert_string_equal(text, good[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_arrive_in_both_directions),
        cmocka_unit_test(a_full_output_refuses_and_tells_when_it_is_empty),
        cmocka_unit_test(a_slow_reader_holds_the_writer_back_and_loses_nothing),
        cmocka_unit_test(what_was_written_is_sent_before_a_finished_stream_ends),
        cmocka_unit_test(a_half_closed_peer_still_gets_its_answer),
        cmocka_unit_test(closing_calls_back_once_at_the_turns_end),
        cmocka_unit_test(connections_above_the_limit_are_closed_and_counted),
        cmocka_unit_test(a_listener_without_descriptors_rests_and_then_accepts),
        cmocka_unit_test(a_connection_to_nobody_is_refused),
        cmocka_unit_test(a_connection_that_takes_too_long_times_out),
        cmocka_unit_test(a_port_in_use_is_reported),
        cmocka_unit_test(only_host_and_port_make_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
