// Requests to servers of others: what is told without a network.
#include "tests/lib/cmocka_all.h"

#include "common/host/clock.h"
#include "common/host/post.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct story {
    struct loop *loop;
    struct post *post;
    struct loop_timer timer;
    unsigned ended;
    unsigned asked, asked_then; // names; when the first one was told of
    bool is_told;
    char server[32];
};

static bool is_allowed(void *context, const struct ip *address, bool is_literal)
{
    (void)context;
    (void)address;
    (void)is_literal;
    return false;
}

static void told(void *context, uint64_t ticket, const struct post_answer *a)
{
    struct story *s = context;
    s->ended++;
    if (ticket != 1)
        return;
    assert_int_equal(a->problem, POST_ADDRESS_REFUSED);
    s->is_told = true;
    s->asked_then = s->asked;
}

static bool request(struct story *s, const char *url, const char *host, bool is_literal,
                    uint64_t ticket)
{
    static const char *const headers[] = {NULL};
    const struct post_request asked = {.url = url,
                                       .host = bytes_of_text(host),
                                       .port = 443,
                                       .is_literal = is_literal,
                                       .headers = headers,
                                       .ticket = ticket,
                                       .done = told,
                                       .context = s};
    return post_send(s->post, &asked);
}

// Another name each 10 ms, of a server that says nothing.
static void ask_one_more(void *context, struct instant now)
{
    struct story *s = context;
    s->asked++;
    assert_true(request(s, "https://silent.example/", "silent.example", false, 2));
    loop_timer_set(&s->timer, instant_after(now, 10));
}

static int silent_server(char text[32])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(text, 32, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

// Says of each question that there is no such name [RFC 1035 §4.1.1].
static void answer_all(int fd)
{
    uint8_t text[512];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t size = recvfrom(fd, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
    for (; size >= 12; len = sizeof from) {
        text[2] = 0x81;
        text[3] = 0x83;
        assert_int_equal(sendto(fd, text, (size_t)size, 0, (struct sockaddr *)&from, len), size);
        size = recvfrom(fd, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
    }
}

// Who asks for a later look does not put off what is to be told now.
static void what_has_ended_is_told_while_others_begin(void **state)
{
    (void)state;
    struct story s = {.loop = loop_open()};
    const int fd = silent_server(s.server);
    const struct post_options options = {
        .loop = s.loop, .dns_server = s.server, .at_once = 200, .is_allowed = is_allowed};
    s.post = post_open(&options);
    assert_non_null(s.post);
    assert_true(loop_timer_open(&s.timer, s.loop, ask_one_more, &s));
    assert_true(request(&s, "https://127.0.0.1/", "127.0.0.1", false, 1));
    ask_one_more(&s, loop_now(s.loop));
    while (!s.is_told && s.asked < 150)
        loop_turn(s.loop);
    assert_true(s.is_told);
    assert_true(s.asked_then < 5);
    loop_timer_close(&s.timer);
    while (s.ended < s.asked + 1) {
        answer_all(fd);
        loop_turn(s.loop);
    }
    post_close(s.post);
    loop_close(s.loop);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_ended_is_told_while_others_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
