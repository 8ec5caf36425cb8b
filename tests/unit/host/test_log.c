#include "tests/lib/cmocka_all.h"

#include "common/host/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// A log into a pipe, and what came out of it.
struct story {
    int read_end;
    struct log log;
    char text[8192];
};

static void start(struct story *s, enum log_form form)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *s = (struct story){.read_end = ends[0]};
    log_init(&s->log, ends[1], form, LOG_INFO);
}

static void finish(struct story *s)
{
    (void)close(s->log.fd);
    ssize_t got = read(s->read_end, s->text, sizeof s->text - 1);
    assert_true(got >= 0);
    s->text[got] = '\0';
    (void)close(s->read_end);
}

static void say(struct log *l, enum log_level level)
{
    log_begin(l, level, (struct utc){0}, "smpp.bound");
    log_string(l, "system", "smsc 1");
    log_text(l, "evil", bytes_of_text("x\nERROR fake=\"1\""));
    log_number(l, "window", -10);
    log_bool(l, "tls", false);
    log_masked(l, "imsi", MASK_IMSI, bytes_of_text("001010000012345"));
    log_end(l);
}

static void a_line_of_text_is_one_line_whatever_the_values_hold(void **state)
{
    (void)state;
    struct story s;
    start(&s, LOG_TEXT);
    say(&s.log, LOG_INFO);
    finish(&s);
    assert_string_equal(s.text, "1970-01-01T00:00:00.000Z info smpp.bound system=\"smsc 1\" "
                                "evil=\"x\\nERROR fake=\\\"1\\\"\" window=-10 tls=false "
                                "imsi=00101******2345\n");
}

static void a_line_of_json_is_one_object(void **state)
{
    (void)state;
    struct story s;
    start(&s, LOG_JSON);
    s.log.clear = true;
    say(&s.log, LOG_ERROR);
    finish(&s);
    assert_string_equal(s.text, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\","
                                "\"event\":\"smpp.bound\",\"system\":\"smsc 1\","
                                "\"evil\":\"x\\nERROR fake=\\\"1\\\"\",\"window\":-10,"
                                "\"tls\":false,\"imsi\":\"001010000012345\"}\n");
}

static void lines_above_the_level_are_not_written(void **state)
{
    (void)state;
    struct story s;
    start(&s, LOG_TEXT);
    say(&s.log, LOG_DEBUG);
    finish(&s);
    assert_string_equal(s.text, "");
    enum log_level level;
    assert_true(log_level_read("warn", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_read("loud", &level));
}

static void a_line_that_is_too_long_loses_its_last_values_and_says_so(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX];
    memset(text, 'a', sizeof text);
    for (int form = LOG_TEXT; form <= LOG_JSON; form++) {
        struct story s;
        start(&s, (enum log_form)form);
        log_begin(&s.log, LOG_WARN, (struct utc){0}, "long");
        log_string(&s.log, "kept", "yes");
        log_text(&s.log, "lost", bytes_of(text, sizeof text));
        log_end(&s.log);
        finish(&s);
        assert_string_equal(
            s.text, form == LOG_JSON ? "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"warn\","
                                       "\"event\":\"long\",\"kept\":\"yes\",\"cut\":true}\n"
                                     : "1970-01-01T00:00:00.000Z warn long kept=yes cut=true\n");
    }
}

static void a_reader_that_is_stuck_costs_lines_and_not_time(void **state)
{
    (void)state;
    struct story s;
    start(&s, LOG_TEXT);
    while (s.log.dropped < 3) // the pipe fills, then lines are dropped
        say(&s.log, LOG_INFO);
    assert_int_equal(fcntl(s.read_end, F_SETFL, O_NONBLOCK), 0);
    while (read(s.read_end, s.text, sizeof s.text) > 0)
        continue;
    say(&s.log, LOG_INFO);
    finish(&s);
    const char *told = "warn log.dropped lines=3\n1970-01-01T00:00:00.000Z info smpp.bound";
    assert_memory_equal(s.text, told, strlen(told));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_text_is_one_line_whatever_the_values_hold),
        cmocka_unit_test(a_line_of_json_is_one_object),
        cmocka_unit_test(lines_above_the_level_are_not_written),
        cmocka_unit_test(a_line_that_is_too_long_loses_its_last_values_and_says_so),
        cmocka_unit_test(a_reader_that_is_stuck_costs_lines_and_not_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
