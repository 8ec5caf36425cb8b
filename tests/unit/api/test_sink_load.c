// A thousand sinks at once, over a network of the test in virtual time: what dead and slow ones do
// to the others. Each event is timed from its commit to the sink's answer.
#include "common/base/text.h"
#include "ota-server/service/notice.h"
#include "ota-server/service/sink_run.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT 1000
#define STEP_MS 10
#define QUICK_MS 40   // an answer of a healthy sink
#define SLOW_MS 9000  // of a slow one
#define DEAD_MS 10000 // until a dead one is given up [post.h]
#define EVENTS_MAX 60000

struct waiting {
    uint64_t ticket;
    int64_t at_ms; // when it is answered
    uint32_t took_ms;
    size_t sink, event;
    unsigned status;
};

static struct lab lab;
static struct sinks *sinks;
static struct waiting waitings[SINK_FLIGHTS_MAX];
static size_t waiting_count;
static struct prng chance;

static bool is_bad_now, are_all_slow;
static int64_t born_ms[EVENTS_MAX], took_ms[EVENTS_MAX];
static size_t event_count;
static bool is_counted[EVENTS_MAX]; // of a healthy sink

static bool is_dead(size_t sink)
{
    return sink % 10 == 3;
}

static bool is_slow(size_t sink)
{
    return sink % 10 == 7;
}

static size_t number_behind(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    assert_non_null(at);
    return (size_t)strtoull(at + strlen(mark), NULL, 10);
}

static bool take(void *context, const struct sink_request *r)
{
    char body[SINK_BODY_MAX + 1];
    (void)context;
    assert_true(waiting_count < SINK_FLIGHTS_MAX);
    bytes_copy(body, r->body);
    body[r->body.len] = '\0';
    struct waiting *w = &waitings[waiting_count++];
    const size_t sink = number_behind(r->url, "https://s");
    const bool is_now_dead = is_bad_now && is_dead(sink);
    const bool is_now_slow = are_all_slow || (is_bad_now && is_slow(sink));
    *w = (struct waiting){.ticket = r->ticket,
                          .sink = sink,
                          .event = number_behind(body, "\"event\":"),
                          .status = is_now_dead ? 0 : 200,
                          .took_ms = is_now_dead   ? DEAD_MS
                                     : is_now_slow ? SLOW_MS
                                                   : QUICK_MS};
    w->at_ms = lab.now.utc.ms + w->took_ms;
    return true;
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)prng_next(&chance);
    return true;
}

static void add_sinks(size_t from)
{
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (size_t i = from; i < from + COUNT; i++) {
        char body[128];
        (void)snprintf(body, sizeof(body),
                       "{\"sink\":\"https://s%zu.example.com/\",\"secrets\":[]}", i);
        const struct document d = {.kind = STORE_SINK_KIND,
                                   .id = i + 1,
                                   .owner = LAB_TENANT,
                                   .created_at = lab.now.utc,
                                   .changed_at = lab.now.utc,
                                   .body = bytes_of_text(body)};
        assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
        assert_int_equal(store_sink_add(lab.store, i + 1), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void open_all(void)
{
    lab_open(&lab, "all", true);
    const struct sinks_options options = {.reader = lab.store,
                                          .turn = lab.turn,
                                          .source = "https://api.example.com",
                                          .client_key = lab.client_key,
                                          .fill = fill,
                                          .send = take};
    sinks = sinks_open(&options);
    assert_non_null(sinks);
    prng_init(&chance, 1, "sinks", 0);
    waiting_count = 0;
    event_count = 0;
    are_all_slow = false;
    add_sinks(0);
}

static void close_all(void)
{
    sinks_close(sinks);
    lab_close(&lab);
}

static void tell(size_t sink)
{
    char data[64];
    uint64_t id = 0;
    assert_true(event_count < EVENTS_MAX);
    (void)snprintf(data, sizeof(data), "{\"event\":%zu}", event_count);
    const struct delivery d = {.sink = sink + 1,
                               .tenant = LAB_TENANT,
                               .card = event_count + 1, // each of a card of its own
                               .kind = NOTICE_TEST,
                               .at = lab.now.utc,
                               .give_up_at = utc_after(lab.now.utc, 24 * 3600 * 1000),
                               .data = bytes_of_text(data)};
    assert_int_equal(store_delivery_add(lab.store, &d, &id), STORE_OK);
    born_ms[event_count] = lab.now.utc.ms;
    took_ms[event_count] = -1;
    is_counted[event_count++] = !is_dead(sink) && !is_slow(sink);
}

// `to_each` events for each sink at once, and `per_s` to random ones.
static void tell_all(unsigned to_each, unsigned per_step)
{
    if (to_each + per_step == 0)
        return;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned k = 0; k < to_each; k++) {
        for (size_t i = 0; i < COUNT; i++)
            tell(i);
    }
    for (unsigned k = 0; k < per_step; k++)
        tell((size_t)(prng_next(&chance) % COUNT));
    assert_int_equal(store_commit(lab.store), STORE_OK);
    sinks_look(sinks);
}

static void answer_what_is_due(void)
{
    for (size_t i = 0; i < waiting_count;) {
        const struct waiting w = waitings[i];
        if (w.at_ms > lab.now.utc.ms) {
            i++;
            continue;
        }
        waitings[i] = waitings[--waiting_count];
        if (w.status == 200 && took_ms[w.event] < 0)
            took_ms[w.event] = w.at_ms - born_ms[w.event];
        const struct sink_answer answer = {.status = w.status,
                                           .problem = w.status == 0 ? "TIMEOUT" : "",
                                           .retry_after_s = -1,
                                           .took_ms = w.took_ms};
        sinks_answered(sinks, w.ticket, &answer);
    }
}

static void run(int64_t ms, unsigned to_each, unsigned per_step)
{
    tell_all(to_each, 0);
    for (int64_t at = 0; at < ms; at += STEP_MS) {
        lab.now.utc.ms += STEP_MS;
        lab.now.instant.ms += STEP_MS;
        tell_all(0, per_step);
        answer_what_is_due();
        sinks_step(sinks, lab.now.utc);
        lab_turn(&lab);
    }
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

// Of events from `first` on, to healthy sinks; what was not answered took for ever.
static int64_t p99(size_t first)
{
    static int64_t sorted[EVENTS_MAX];
    size_t count = 0;
    for (size_t i = first; i < event_count; i++) {
        if (is_counted[i])
            sorted[count++] = took_ms[i] < 0 ? 3600000 : took_ms[i];
    }
    assert_true(count > 1000);
    qsort(sorted, count, sizeof(sorted[0]), by_value);
    return sorted[count * 99 / 100];
}

struct measured {
    int64_t start, flow, burst;
};

// Both from nothing known, and when those that were quick turn bad in the middle of a flow.
static struct measured measure(bool with_bad)
{
    struct measured m;
    open_all();

    is_bad_now = with_bad;
    run(15000, 2, 0);
    m.start = p99(0);
    close_all();
    open_all();
    is_bad_now = false;
    run(2000, 1, 2);
    is_bad_now = with_bad;
    size_t first = event_count;
    run(30000, 0, 3);
    run(3000, 0, 0);
    m.flow = p99(first);
    close_all();
    open_all();
    is_bad_now = false;
    run(2000, 2, 2);
    is_bad_now = with_bad;
    first = event_count;
    run(15000, 4, 0);
    m.burst = p99(first);
    close_all();
    return m;
}

static void figure(const char *what, int64_t bad_ms, int64_t good_ms)
{
    (void)printf(
        "figure {\"name\": \"sinks.p99\", \"value\": %lld, \"of\": %lld, \"unit\": \"ms\", "
        "\"what\": \"%s\"}\n",
        (long long)bad_ms, (long long)good_ms, what);
}

static void dead_and_slow_sinks_delay_no_other(void **state)
{
    (void)state;
    const struct measured good = measure(false);
    const struct measured bad = measure(true);
    figure("start", bad.start, good.start);
    figure("flow", bad.flow, good.flow);
    figure("burst", bad.burst, good.burst);
    assert_true(bad.start * 2 < good.start * 3);
    assert_true(bad.flow * 2 < good.flow * 3);
    assert_true(bad.burst * 2 < good.burst * 3);
}

static void delete_all(void)
{
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(store_document_delete(lab.store, STORE_SINK_KIND, i + 1), STORE_OK);
        assert_int_equal(store_sink_delete(lab.store, i + 1), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// Who is slow gets one event at a time, also when as many slow ones as there may be are gone.
static void sinks_that_are_gone_take_no_place_from_slow_ones(void **state)
{
    (void)state;
    open_all();
    are_all_slow = true;
    run(SLOW_MS + 1000, 1, 0);
    delete_all();
    add_sinks(COUNT);
    run(60000, 0, 0); // it is noticed within a minute
    for (unsigned events = 1; events <= 4; events += 3) {
        assert_int_equal(store_begin(lab.store), STORE_OK);
        for (unsigned k = 0; k < events; k++) {
            for (size_t i = COUNT; i < COUNT + 100; i++)
                tell(i);
        }
        assert_int_equal(store_commit(lab.store), STORE_OK);
        sinks_look(sinks);
        run(1000, 0, 0);
        assert_int_equal(waiting_count, 100);
        run(events == 1 ? SLOW_MS : 0, 0, 0);
    }
    run((int64_t)4 * SLOW_MS + 1000, 0, 0);
    assert_int_equal(waiting_count, 0);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_and_slow_sinks_delay_no_other),
        cmocka_unit_test(sinks_that_are_gone_take_no_place_from_slow_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
