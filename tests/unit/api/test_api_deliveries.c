// What is delivered to event sinks, in which order, how often, and what becomes of the rest.
#include "ota-server/service/api_json.h"
#include "ota-server/service/notice.h"
#include "tests/unit/api/sink_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS (24 * 3600 * 1000)

static void an_event_is_sent_to_each_sink_that_wants_it(void **state)
{
    (void)state;
    (void)add_sink(NULL, HOOK, T("card-dirty"));
    (void)add_sink(NULL, "https://other.example.com/", T("card-dirty") "," T("card-clean"));
    (void)add_sink(NULL, "https://third.example.com/", T("switched"));
    dirty(card);
    work();
    assert_int_equal(sent_count, 2);
    assert_string_equal(sents[0].url, HOOK);
    assert_string_equal(sents[1].url, "https://other.example.com/");
    const size_t start = strlen("{\"specversion\":\"1.0\",\"id\":\"");
    assert_memory_equal(sents[0].body, sents[1].body, start + 36); // one event has one id
    assert_int_equal(sents[0].body[start + 14], '4');              // [RFC 9562 §5.4]
    assert_true(is_of_type(0, "card-dirty"));
    assert_non_null(strstr(sents[0].body, "{\"specversion\":\"1.0\",\"id\":\""));
    assert_non_null(strstr(sents[0].body, "\"source\":\"https://api.example.com\""));
    assert_non_null(
        strstr(sents[0].body, "\"datacontenttype\":\"application/json\",\"time\":\"2026-07-"));
    assert_non_null(strstr(sents[0].body, "\"data\":{\"cardId\":\"crd_"));
    assert_null(strstr(sents[0].body, "89999000"));
    assert_non_null(strstr(sents[0].headers, "Content-Type: application/cloudevents+json\n"));
    assert_null(strstr(sents[0].headers, "Authorization"));
    assert_null(strstr(sents[0].headers, "x-ota-signature"));
    answer_with(0, 204);
    answer_with(1, 200);
    work_for(3600000);
    assert_int_equal(sent_count, 2); // once
    ask("GET", DELIVERIES "?state=DELIVERED", NULL, 200);
    assert_true(says("\"totalCount\":2"));
    assert_true(says("\"lastStatus\":204"));
    assert_true(says("\"deliveredAfterMs\":"));
    ask("GET", DELIVERIES "?state=WAITING", NULL, 200);
    assert_true(says("\"totalCount\":0"));
}

static void events_of_a_card_keep_their_order_and_cards_do_not_wait_for_one_another(void **state)
{
    (void)state;
    (void)add_sink(NULL, HOOK, T("card-dirty") "," T("card-clean"));
    dirty(card);
    clean(card);
    dirty(card2);
    work();
    assert_int_equal(sent_count, 2);
    assert_true(is_of_type(0, "card-dirty"));
    assert_true(is_of_type(1, "card-dirty")); // of the other
    answer_with(1, 200);
    assert_int_equal(sent_count, 2);
    answer_with(0, 200);
    assert_int_equal(sent_count, 3);
    assert_true(is_of_type(2, "card-clean"));
}

static void a_failed_event_is_sent_again_as_it_was(void **state)
{
    (void)state;
    const char *id = add_sink(NULL, HOOK, T("card-dirty"));
    char sink[API_ID_SIZE];
    memcpy(sink, id, sizeof(sink));
    dirty(card);
    dirty(card2);
    work();
    assert_int_equal(sent_count, 2);
    answer_with(0, 500);
    assert_int_equal(sent_count, 2); // not at once
    answer_with(1, 0);               // it was under way beside that one
    work_for(30000);
    assert_int_equal(sent_count, 3); // and while it fails one alone: the oldest
    assert_string_equal(sents[2].body, sents[0].body);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"failures\":1"));
    assert_true(says("\"waiting\":2"));
    answer_with(2, 200);
    assert_int_equal(sent_count, 4);
    assert_string_equal(sents[3].body, sents[1].body);
    answer_with(3, 202);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"status\":\"OK\",\"failures\":0,\"waiting\":0,\"deadLetters\":0"));
    ask("GET", DELIVERIES, NULL, 200);
    char delivery[API_ID_SIZE];
    memcpy(delivery, last_id("dlv"), sizeof(delivery));
    (void)snprintf(path, sizeof(path), DELIVERIES "/%s", delivery);
    ask("GET", path, NULL, 200);
    assert_true(says("\"attempts\":2"));
    assert_true(says("\"problem\":\"TIMEOUT\"}"));
    assert_true(says("\"status\":202}"));
}

static void what_a_sink_refuses_is_a_dead_letter_that_can_be_sent_again(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty") "," T("card-clean")), sizeof(sink));
    dirty(card);
    clean(card);
    work();
    answer_with(0, 302);
    assert_int_equal(sent_count, 2); // the next one goes
    answer_with(1, 200);
    assert_true(has_alarm());
    ask("GET", DELIVERIES "?state=DEAD", NULL, 200);
    assert_true(says("\"totalCount\":1"));
    char delivery[API_ID_SIZE];
    memcpy(delivery, last_id("dlv"), sizeof(delivery));
    ask("GET", DELIVERIES "?state=DELIVERED", NULL, 200);
    char other[API_ID_SIZE];
    memcpy(other, last_id("dlv"), sizeof(other));
    (void)snprintf(path, sizeof(path), DELIVERIES "/%s/resend", other);
    ask("POST", path, NULL, 409);
    (void)snprintf(path, sizeof(path), DELIVERIES "/%s/resend", delivery);
    ask("POST", path, NULL, 202);
    assert_true(says("\"state\":\"WAITING\""));
    work();
    assert_int_equal(sent_count, 3);
    assert_string_equal(sents[2].body, sents[0].body);
    answer_with(2, 200);
    assert_false(has_alarm());
    ask("POST", path, NULL, 409);
    api_id_write(delivery, "dlv", 4711);
    (void)snprintf(path, sizeof(path), DELIVERIES "/%s/resend", delivery);
    ask("POST", path, NULL, 404);
    (void)snprintf(path, sizeof(path), DELIVERIES "/%s", delivery);
    ask("GET", path, NULL, 404);
}

static void a_sink_that_is_gone_waits_for_a_person(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty")), sizeof(sink));
    dirty(card);
    work();
    answer_with(0, 410);
    assert_true(has_alarm());
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"status\":\"SUSPENDED\",\"statusReason\":\"GONE\""));
    assert_false(says("nextAttemptAt"));
    work_for(7200000);
    assert_int_equal(sent_count, 1);
    ask("POST", sink_path(sink, "/test"), NULL, 409);
    ask("PATCH", sink_path(sink, ""), "{\"status\":\"OK\"}", 200);
    assert_true(says("\"status\":\"OK\""));
    assert_false(has_alarm());
    sinks_look(sinks);
    work();
    assert_int_equal(sent_count, 2);
    assert_string_equal(sents[1].body, sents[0].body);
}

static void refused_and_ended_credentials_suspend_a_sink(void **state)
{
    (void)state;
    ask("POST", SINKS, "{\"sink\":\"" HOOK "\",\"types\":[" T("card-dirty") "]," CREDENTIAL "}",
        201);
    char sink[API_ID_SIZE];
    memcpy(sink, last_id("snk"), sizeof(sink));
    dirty(card);
    work();
    assert_non_null(strstr(sents[0].headers, "Authorization: Bearer " TOKEN "\n"));
    answer_with(0, 401);
    work_for(2000);
    answer_with(1, 401);
    work_for(10000);
    answer_with(2, 401);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"statusReason\":\"CREDENTIAL\""));
    work_for(7200000);
    assert_int_equal(sent_count, 3);
    // A new one wakes it; and a minute before its end it is not sent any more.
    ask("PATCH", sink_path(sink, ""),
        "{\"sinkCredential\":{\"credentialType\":\"ACCESSTOKEN\",\"accessToken\":\"second\","
        "\"accessTokenExpiresUtc\":\"2026-07-25T00:00:00Z\",\"accessTokenType\":\"bearer\"}}",
        200);
    sinks_look(sinks);
    work();
    assert_int_equal(sent_count, 4);
    assert_non_null(strstr(sents[3].headers, "Authorization: Bearer second\n"));
    answer_with(3, 200);
    lab.now.utc.ms = 1784937600000 - 60000; // 2026-07-25T00:00:00Z but a minute
    dirty(card2);
    work();
    assert_int_equal(sent_count, 4);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"statusReason\":\"CREDENTIAL\""));
}

static void an_event_is_given_up_after_a_day_and_a_dead_sink_is_asked_each_hour(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty")), sizeof(sink));
    dirty(card);
    work();
    size_t last = 0;
    for (unsigned hour = 0; hour < 26; hour++) {
        for (; last < sent_count; last++)
            answer_with(last, 503);
        work_for(3600000 * 6 / 5 + 1000);
        if (hour == 20)
            dirty(card2);
    }
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"status\":\"SUSPENDED\",\"statusReason\":\"FAILING\""));
    assert_true(says("\"deadLetters\":1"));
    assert_true(says("\"waiting\":1"));
    assert_true(has_alarm());
    for (; last < sent_count; last++)
        answer_with(last, 200); // the younger one, which probed it
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"status\":\"OK\""));
    assert_true(has_alarm()); // of the dead letter
    work_for(31ll * DAY_MS);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"deadLetters\":0"));
    assert_false(has_alarm());
    ask("GET", DELIVERIES, NULL, 200);
    assert_true(says("\"totalCount\":0"));
}

static void late_events_of_a_sleeping_sink_are_dead_letters(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty")), sizeof(sink));
    dirty(card);
    dirty(card2);
    work();
    answer_with(0, 410);
    work_for(DAY_MS - 60000);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"deadLetters\":0"));
    work_for(120000);
    work_for(120000);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"waiting\":0,\"deadLetters\":2"));
}

static void a_queue_has_a_thousand_events(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    struct notice_text n;
    memcpy(sink, add_sink(NULL, HOOK, T("alarm-raised")), sizeof(sink));
    is_line_dead = true;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned i = 0; i < 1001; i++) {
        notice_begin(&n, "alarm", 0, 0);
        api_put_number(&n.j, "number", i);
        assert_int_equal(
            notice_end(&n, lab.store,
                       (struct notice){.kind = NOTICE_ALARM_RAISED, .at = lab.now.utc}),
            STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"waiting\":1000,\"deadLetters\":1"));
    ask("GET", DELIVERIES "?state=DEAD", NULL, 200);
    assert_true(says("\"lastProblem\":\"QUEUE_FULL\""));
    is_line_dead = false;
    sinks_look(sinks);
    work();
    assert_int_equal(sent_count, 1); // they are about no card, and go in their order
    assert_non_null(strstr(sents[0].body, "\"number\":1}"));
    work_for(61000);
    assert_true(has_alarm());
}

static void one_host_gets_ten_requests_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++)
        (void)add_sink(NULL, i % 2 == 0 ? HOOK : "https://EVENTS.example.com/other",
                       T("card-dirty"));
    dirty(card);
    work();
    assert_int_equal(sent_count, 10);
    answer_with(0, 200);
    assert_int_equal(sent_count, 11);
}

static void a_slow_sink_gets_one_request_at_a_time(void **state)
{
    (void)state;
    (void)add_sink(NULL, HOOK, T("card-dirty") "," T("card-clean"));
    dirty(card);
    work();
    const struct sink_answer slow = {
        .status = 200, .problem = "", .retry_after_s = -1, .took_ms = 2001};
    sinks_answered(sinks, sents[0].ticket, &slow);
    work();
    clean(card);
    dirty(card2);
    work();
    assert_int_equal(sent_count, 2);
}

static void a_quick_sink_makes_no_slow_one_quick(void **state)
{
    (void)state;
    static const char events[] = T("card-dirty") "," T("card-clean");
    (void)add_sink(NULL, HOOK, events);
    (void)add_sink(NULL, "https://events.example.com/quick", events);
    dirty(card);
    work();
    assert_int_equal(sent_count, 2);
    const size_t at = strcmp(sents[0].url, HOOK) == 0 ? 0 : 1;
    const struct sink_answer slow = {
        .status = 200, .problem = "", .retry_after_s = -1, .took_ms = 2001};
    sinks_answered(sinks, sents[at].ticket, &slow);
    answer_with(1 - at, 200);
    clean(card);
    dirty(card2);
    work();
    assert_int_equal(sent_count, 2 + 1 + 2);
}

static void a_crash_loses_no_event(void **state)
{
    (void)state;
    (void)add_sink(NULL, HOOK, T("card-dirty"));
    is_line_dead = true;
    dirty(card); // committed, and never sent
    is_line_dead = false;
    dirty(card2);
    work();
    assert_int_equal(sent_count, 2); // sent, and never answered
    static struct sent before[2];
    memcpy(before, sents, sizeof(before));
    sinks_close(sinks);
    lab_crash(&lab);
    open_sinks();
    work();
    assert_int_equal(sent_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(sents[i].body, before[i].body); // the same id with it
    answer_with(0, 200);
    answer_with(1, 200);
    sinks_close(sinks);
    lab_crash(&lab);
    open_sinks();
    work();
    assert_int_equal(sent_count, 0);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        ONE(an_event_is_sent_to_each_sink_that_wants_it),
        ONE(events_of_a_card_keep_their_order_and_cards_do_not_wait_for_one_another),
        ONE(a_failed_event_is_sent_again_as_it_was),
        ONE(what_a_sink_refuses_is_a_dead_letter_that_can_be_sent_again),
        ONE(a_sink_that_is_gone_waits_for_a_person),
        ONE(refused_and_ended_credentials_suspend_a_sink),
        ONE(an_event_is_given_up_after_a_day_and_a_dead_sink_is_asked_each_hour),
        ONE(late_events_of_a_sleeping_sink_are_dead_letters),
        ONE(a_queue_has_a_thousand_events),
        ONE(one_host_gets_ten_requests_at_once),
        ONE(a_slow_sink_gets_one_request_at_a_time),
        ONE(a_quick_sink_makes_no_slow_one_quick),
        cmocka_unit_test_setup_teardown(a_crash_loses_no_event, open_file, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
