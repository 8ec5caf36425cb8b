#include "tests/lib/cmocka_all.h"

#include "common/host/clock.h"
#include "common/host/entropy.h"
#include "common/host/loop.h"
#include "common/host/net.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct story {
    struct loop *loop;
    char lines[512]; // what happened, one letter or word each
    struct instant at;
    struct instant now_in_end;
};

static void note(struct story *s, const char *what)
{
    size_t len = strlen(s->lines);
    assert_true(len + strlen(what) < sizeof s->lines);
    memcpy(s->lines + len, what, strlen(what) + 1);
}

static void on_due(void *context, struct instant now)
{
    struct story *s = context;
    note(s, "t");
    s->at = now;
}

static void on_end_a(void *context, struct instant now)
{
    note(context, "a");
    ((struct story *)context)->now_in_end = now;
}

static void on_end_b(void *context, struct instant now)
{
    (void)now;
    note(context, "b");
}

static void a_timer_fires_once_not_before_its_deadline_and_then_the_turn_ends(void **state)
{
    (void)state;
    struct story s = {.loop = loop_open()};
    assert_non_null(s.loop);
    struct loop_turn_end a = {.end = on_end_a, .context = &s};
    struct loop_turn_end b = {.end = on_end_b, .context = &s};
    loop_turn_end_add(s.loop, &a);
    loop_turn_end_add(s.loop, &b);
    struct loop_timer t;
    assert_true(loop_timer_open(&t, s.loop, on_due, &s));
    struct instant deadline = instant_after(clock_instant(), 3);
    loop_timer_set(&t, deadline);
    while (!strchr(s.lines, 't'))
        loop_turn(s.loop);
    assert_true(instant_is_due(deadline, s.at));
    assert_int_equal(s.at.ms, s.now_in_end.ms); // one now per turn
    assert_string_equal(strchr(s.lines, 't'), "tab");
    loop_timer_set(&t, (struct instant){0}); // long past: at once, and again after being used up
    loop_turn(s.loop);
    assert_string_equal(strchr(s.lines, 't'), "tabtab");
    loop_turn_end_remove(s.loop, &a);
    loop_timer_set(&t, (struct instant){0});
    loop_turn(s.loop);
    assert_string_equal(strchr(s.lines, 't'), "tabtabtb");
    loop_timer_close(&t);
    loop_close(s.loop);
}

static void a_timer_that_is_turned_off_does_not_fire(void **state)
{
    (void)state;
    struct story s = {.loop = loop_open()};
    struct story other = {.loop = s.loop};
    struct loop_timer off;
    struct loop_timer on;
    assert_true(loop_timer_open(&off, s.loop, on_due, &s));
    assert_true(loop_timer_open(&on, s.loop, on_due, &other));
    loop_timer_set(&off, (struct instant){0});
    loop_timer_set(&off, INSTANT_NEVER);
    loop_timer_set(&on, (struct instant){0});
    loop_turn(s.loop);
    assert_string_equal(other.lines, "t");
    assert_string_equal(s.lines, "");
    loop_timer_close(&off);
    loop_timer_close(&on);
    loop_close(s.loop);
}

static void a_signal_stops_the_loop_after_the_turns_end(void **state)
{
    (void)state;
    struct story s = {.loop = loop_open()};
    struct loop_turn_end a = {.end = on_end_a, .context = &s};
    loop_turn_end_add(s.loop, &a);
    assert_int_equal(raise(SIGTERM), 0);
    loop_run(s.loop);
    assert_true(loop_is_stopped(s.loop));
    assert_string_equal(s.lines, "a");
    loop_close(s.loop);
}

static void on_asked(void *context)
{
    note(context, "asked ");
}

static void a_program_can_say_goodbye_and_a_second_signal_stops_it(void **state)
{
    (void)state;
    struct story s = {.loop = loop_open()};
    loop_on_signal(s.loop, on_asked, &s);
    assert_int_equal(raise(SIGINT), 0);
    loop_turn(s.loop);
    assert_string_equal(s.lines, "asked ");
    assert_false(loop_is_stopped(s.loop));
    assert_int_equal(raise(SIGINT), 0);
    loop_run(s.loop);
    assert_string_equal(s.lines, "asked ");
    loop_close(s.loop);
}

static void on_pipe(void *context, bool readable, bool writable)
{
    note(context, readable ? "r" : "-");
    note(context, writable ? "w" : "-");
}

static void a_watch_tells_what_is_ready(void **state)
{
    (void)state;
    struct story s = {.loop = loop_open()};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct loop_watch in;
    struct loop_watch out;
    assert_true(loop_watch_open(&in, s.loop, ends[0], on_pipe, &s));
    assert_true(loop_watch_open(&out, s.loop, ends[1], on_pipe, &s));
    loop_watch_set(&out, false, true);
    loop_turn(s.loop);
    assert_string_equal(s.lines, "-w");
    loop_watch_set(&out, false, false);
    loop_watch_set(&in, true, false);
    assert_int_equal(write(ends[1], "x", 1), 1);
    loop_turn(s.loop);
    assert_string_equal(s.lines, "-wr-");
    loop_watch_close(&in);
    loop_watch_close(&out);
    (void)close(ends[0]);
    (void)close(ends[1]);
    loop_close(s.loop);
}

static void entropy_does_not_repeat_itself(void **state)
{
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    entropy_fill(a, sizeof a);
    entropy_fill(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_not_before_its_deadline_and_then_the_turn_ends),
        cmocka_unit_test(a_timer_that_is_turned_off_does_not_fire),
        cmocka_unit_test(a_signal_stops_the_loop_after_the_turns_end),
        cmocka_unit_test(a_program_can_say_goodbye_and_a_second_signal_stops_it),
        cmocka_unit_test(a_watch_tells_what_is_ready),
        cmocka_unit_test(entropy_does_not_repeat_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
