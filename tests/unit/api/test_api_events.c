// The stream of events: what was committed is told once, in its order, to whom it may concern.
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/notice.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS API_BASE "/events"
#define ICCID "89999000000000000012"
#define TENANT_A 0x1111111111111111ull
#define TENANT_B 0x2222222222222222ull

static struct lab lab;
static struct answer a, opened;
static struct record record;
static uint64_t card;
static char card_id[API_ID_SIZE];
static char path[256];
static char heard[2 << 20]; // of the last listen_to(), as many events as are kept

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    card = lab_card(&lab, ICCID, &record);
    api_id_write(card_id, "crd", card);
    return 0;
}

static int open_file(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true);
    card = lab_card(&lab, ICCID, &record);
    api_id_write(card_id, "crd", card);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static const struct ask stream = {.method = "GET", .target = EVENTS, .accept = "text/event-stream"};

static struct api_exchange *begin(const struct ask *ask)
{
    struct api_exchange *x = lab_start(&lab, ask, &opened);
    for (unsigned i = 0; i < 8 && opened.count == 0; i++)
        lab_turn(&lab);
    assert_int_equal(opened.count, 1);
    return x;
}

static struct api_exchange *open_stream(const char *token)
{
    struct ask ask = stream;
    ask.authorization = token;
    struct api_exchange *x = begin(&ask);
    assert_int_equal(opened.status, 200);
    assert_non_null(strstr(opened.headers, "Content-Type: text/event-stream"));
    return x;
}

// Takes what there is behind `len`, in pieces of an odd size; what api_more() said at last.
static long listen_behind(struct api_exchange *x, size_t len)
{
    long more = 1;
    for (; more > 0; len += more > 0 ? (size_t)more : 0) {
        assert_true(len + 1009 < sizeof(heard));
        more = api_more(x, (uint8_t *)heard + len, 1009);
    }
    heard[len] = '\0';
    return more;
}

static long listen_to(struct api_exchange *x)
{
    return listen_behind(x, 0);
}

static void hear(struct api_exchange *x)
{
    assert_int_equal(listen_to(x), API_MORE_LATER);
}

static unsigned count_of(const char *text)
{
    unsigned count = 0;
    for (const char *at = heard; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static bool has(const char *text)
{
    return strstr(heard, text) != NULL;
}

static uint64_t last_id(void)
{
    uint64_t id = 0;
    for (const char *at = heard; (at = strstr(at, "id: ")) != NULL; at++) {
        const uint64_t next = strtoull(at + 4, NULL, 10);
        assert_true(next > id); // they ascend
        id = next;
    }
    assert_true(id > 0);
    return id;
}

static const char *card_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s%s", card_id, after);
    return path;
}

static void ask(const char *method, const char *target, const char *body, unsigned status)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
    if (a.status != status)
        fail_msg("%s %s: %u %s", method, target, a.status, a.body);
}

static void make_dirty(void)
{
    ask("PUT", card_path("/dirty"), "{\"reason\":\"lost\"}", 200);
}

static void make_clean(void)
{
    ask("DELETE", card_path("/dirty"), "{\"reason\":\"found\"}", 200);
}

// --- what is told ------------------------------------------------------------------------------

static void a_stream_tells_what_happens_after_it_began(void **state)
{
    (void)state;
    make_dirty();
    make_clean();
    struct api_exchange *x = open_stream(NULL);
    assert_string_equal(opened.body, ": events\n\n");
    make_dirty();
    hear(x);
    assert_int_equal(count_of("event: dirty.added\n"), 1);
    assert_int_equal(count_of("event: dirty.removed\n"), 0);
    assert_true(has("\"mark\":\"DIRTY\",\"reasons\":[\"operator_request\"]"));
    assert_true(has(card_id));
    assert_false(has(ICCID));
    (void)last_id();
    hear(x);
    assert_string_equal(heard, ""); // once
    lab_forget(x);
}

static void nothing_is_told_before_its_commit(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    struct answer changed;
    struct api_exchange *y = lab_start(&lab,
                                       &(struct ask){.method = "PUT",
                                                     .target = card_path("/dirty"),
                                                     .body = "{\"reason\":\"lost\"}",
                                                     .is_trial = true},
                                       &changed);
    hear(x);
    assert_string_equal(heard, "");
    lab_turn(&lab);
    assert_int_equal(changed.status, 200);
    lab_forget(y);
    hear(x);
    assert_true(has("event: dirty.added\n"));
    lab_forget(x);
}

static void what_is_only_judged_is_not_told(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    ask("PUT", card_path("/dirty?dryRun=true"), "{\"reason\":\"lost\"}", 200);
    ask("POST", card_path("/operations"), "{\"type\":\"nothing\"}", 400);
    hear(x);
    assert_string_equal(heard, "");
    lab_forget(x);
}

static void an_operation_is_told_at_each_status(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    ask("POST", card_path("/operations"), "{\"type\":\"audit\",\"when\":\"NEXT_CONTACT\"}", 202);
    char id[API_ID_SIZE];
    api_id_write(id, "op", lab_id(&a, "op"));
    hear(x);
    assert_true(has("event: operation.updated\n"));
    assert_true(has("\"type\":\"audit\",\"status\":\""));
    assert_true(has(id));
    lab_forget(x);
}

static void an_alarm_is_told_when_it_begins_and_when_it_ends(void **state)
{
    (void)state;
    const struct alarm_place at = {.key = "db.disk.low", .object = ""};
    struct api_exchange *x = open_stream(NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(store_begin(lab.store), STORE_OK);
        assert_int_equal(alarm_raise(lab.store, &at, turn_id(lab.turn, lab.now.utc), lab.now.utc),
                         STORE_OK);
        assert_int_equal(store_commit(lab.store), STORE_OK);
    }
    hear(x);
    assert_int_equal(count_of("event: alarm.raised\n"), 1); // the second counts up
    assert_true(has("\"key\":\"db.disk.low\",\"severity\":\"CRITICAL\",\"count\":1"));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(alarm_clear(lab.store, &at, lab.now.utc), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    hear(x);
    assert_int_equal(count_of("event: alarm.cleared\n"), 1);
    lab_forget(x);
}

static void a_campaign_is_told_at_each_change_of_its_state(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    char body[256];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},"
                   "\"target\":{\"cardIds\":[\"%s\"]},\"rate\":{\"perSecond\":1}}",
                   card_id);
    lab_ask(
        &lab,
        &(struct ask){
            .method = "POST", .target = API_BASE "/campaigns", .body = body, .key = "campaign-1"},
        &a);
    assert_int_equal(a.status, 201);
    char id[API_ID_SIZE];
    api_id_write(id, "cmp", lab_id(&a, "cmp"));
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/check", id);
    ask("POST", path, NULL, 200);
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/start", id);
    ask("POST", path, NULL, 200);
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/stop", id);
    ask("POST", path, NULL, 200);
    hear(x);
    assert_true(count_of("event: campaign.progress\n") >= 2);
    assert_true(has("\"state\":\"STOPPED\",\"funnel\":{\"targeted\":1,"));
    lab_forget(x);
}

// --- going on ------------------------------------------------------------------------------------

static struct api_exchange *go_on_behind(uint64_t id)
{
    char text[24];
    struct ask ask_again = stream;
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
    ask_again.last_event_id = text;
    struct api_exchange *x = begin(&ask_again);
    assert_int_equal(opened.status, 200);
    (void)snprintf(heard, sizeof(heard), "%s", opened.body);
    assert_int_equal(listen_behind(x, strlen(heard)), API_MORE_LATER);
    return x;
}

static void a_stream_goes_on_where_the_last_one_broke_off(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    make_dirty();
    hear(x);
    const uint64_t id = last_id();
    lab_forget(x);
    make_clean();
    lab_crash(&lab); // what was committed is there
    x = go_on_behind(id);
    assert_int_equal(count_of("event: dirty.removed\n"), 1);
    assert_int_equal(count_of("event: dirty.added\n"), 0);
    lab_forget(x);
}

static void tell_many(unsigned count)
{
    struct notice_text n;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned i = 0; i < count; i++) {
        notice_begin(&n, "alarm", 0, 0);
        assert_int_equal(
            notice_end(&n, lab.store,
                       (struct notice){.kind = NOTICE_ALARM_RAISED, .at = lab.now.utc}),
            STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static uint64_t newest(void)
{
    uint64_t id = 0;
    assert_int_equal(store_notice_last(lab.store, &id), STORE_OK);
    return id;
}

static void who_missed_too_much_is_told_to_read_all_anew(void **state)
{
    (void)state;
    make_dirty();
    const uint64_t first = newest();
    tell_many(NOTICES_KEPT);
    struct api_exchange *x = go_on_behind(first); // the oldest that can
    assert_false(has("event: reset\n"));
    lab_forget(x);
    tell_many(1);
    x = go_on_behind(first);
    assert_int_equal(count_of("event: reset\n"), 1);
    assert_int_equal(count_of("event: "), 1);
    assert_int_equal(last_id(), newest());
    lab_forget(x);
    x = go_on_behind(newest() + 1); // of a database that was not restored
    assert_true(has("event: reset\n"));
    lab_forget(x);
}

static void a_reader_that_stays_behind_is_told_so(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    tell_many(NOTICES_KEPT + 1);
    hear(x);
    assert_int_equal(count_of("event: "), 1);
    assert_true(has("event: reset\n"));
    tell_many(1);
    hear(x);
    assert_int_equal(count_of("event: alarm.raised\n"), 1); // and goes on
    lab_forget(x);
}

static bool count_row(void *context, const struct notice *n, bool is_visible)
{
    (void)n;
    *(unsigned *)context += is_visible;
    return true;
}

static void only_so_many_rows_are_kept(void **state)
{
    (void)state;
    const struct notice_reader all = {0};
    unsigned rows = 0;
    tell_many(2 * NOTICES_KEPT);
    assert_int_equal(store_notices(lab.store, &all, 0, 100000, count_row, &rows), STORE_OK);
    assert_in_range(rows, NOTICES_KEPT, NOTICES_KEPT + 256);
}

// --- whom it may concern -------------------------------------------------------------------------

static void topics_are_chosen(void **state)
{
    (void)state;
    struct ask some = stream;
    some.target = EVENTS "?topics=alarms,campaigns";
    struct api_exchange *x = begin(&some);
    assert_int_equal(opened.status, 200);
    make_dirty();
    tell_many(1);
    hear(x);
    assert_int_equal(count_of("event: "), 1);
    assert_true(has("event: alarm.raised\n"));
    lab_forget(x);
}

static void refuse(const struct ask *wrong, unsigned status)
{
    struct api_exchange *x = begin(wrong);
    assert_int_equal(opened.status, status);
    lab_forget(x);
}

static void what_cannot_be_streamed_is_refused(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    struct ask wrong = stream;
    wrong.target = EVENTS "?topics=alarms,bindings";
    refuse(&wrong, 400);
    wrong.target = EVENTS "?topics=";
    refuse(&wrong, 400);
    wrong.target = EVENTS "?topic=alarms";
    refuse(&wrong, 400);
    wrong.target = EVENTS;
    wrong.last_event_id = "12x";
    refuse(&wrong, 400);
    wrong.last_event_id = "9223372036854775808"; // 2^63
    refuse(&wrong, 400);
    wrong.last_event_id = NULL;
    wrong.accept = "application/json";
    refuse(&wrong, 406);
    wrong.accept = NULL;
    lab_client(&lab, "cards:read", LAB_TENANT, token);
    wrong.authorization = token;
    refuse(&wrong, 403); // without events:read
    lab_client(&lab, "events:read", LAB_TENANT, token);
    refuse(&wrong, 403); // and without any topic
    lab_client(&lab, "events:read,alarms:read", LAB_TENANT, token);
    wrong.target = EVENTS "?topics=alarms,cards";
    refuse(&wrong, 403);
    wrong.authorization = "Bearer nonsense";
    refuse(&wrong, 401);
}

static void scopes_say_which_topics_there_are(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "events:read,alarms:read", LAB_TENANT, token);
    struct api_exchange *x = open_stream(token);
    make_dirty();
    tell_many(1);
    hear(x);
    assert_int_equal(count_of("event: "), 1);
    assert_true(has("event: alarm.raised\n"));
    lab_forget(x);
}

static void nothing_of_another_enterprise_is_told(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char group_id[API_ID_SIZE];
    const uint64_t own = lab_grant(&lab, TENANT_A, GRANT_BIT(GRANT_CARD_READ));
    const uint64_t blind = lab_grant(&lab, TENANT_A, GRANT_BIT(GRANT_ENABLE));
    const uint64_t foreign = lab_grant(&lab, TENANT_B, GRANT_BIT(GRANT_CARD_READ));
    lab_client(&lab,
               "events:read,cards:read,operations:read,alarms:read,approvals:read,"
               "imports:read,campaigns:read",
               TENANT_A, token);
    struct api_exchange *x = open_stream(token);
    lab_place(&lab, card, TENANT_B, foreign);
    make_dirty();
    ask("POST", card_path("/operations"), "{\"type\":\"audit\",\"when\":\"NEXT_CONTACT\"}", 202);
    make_clean();
    tell_many(1); // of the installation
    hear(x);
    assert_string_equal(heard, "");
    lab_place(&lab, card, TENANT_A, blind); // its own, but it may not read it
    make_dirty();
    make_clean();
    hear(x);
    assert_string_equal(heard, "");
    lab_place(&lab, card, TENANT_A, own);
    make_dirty();
    hear(x);
    assert_int_equal(count_of("event: dirty.added\n"), 1);
    api_id_write(group_id, "grp", own);
    assert_true(has(group_id));
    lab_forget(x);
}

// --- limits and ends -----------------------------------------------------------------------------

static void a_session_has_four_streams(void **state)
{
    (void)state;
    struct api_exchange *own[4];
    struct api_exchange *other;
    char token[LAB_TOKEN_SIZE];
    for (unsigned i = 0; i < 4; i++)
        own[i] = open_stream(NULL);
    refuse(&stream, 429);
    assert_non_null(strstr(opened.headers, "Retry-After: 1"));
    lab_client(&lab, "events:read,cards:read", LAB_TENANT, token);
    other = open_stream(token); // somebody else may
    lab_forget(own[0]);
    own[0] = open_stream(NULL);
    for (unsigned i = 0; i < 4; i++)
        lab_forget(own[i]);
    lab_forget(other);
}

static void the_server_has_sixty_four_streams(void **state)
{
    (void)state;
    struct api_exchange *own[64];
    char token[LAB_TOKEN_SIZE];
    for (unsigned i = 0; i < 64; i++) {
        if (i % 4 == 0)
            lab_client(&lab, "events:read,cards:read", LAB_TENANT, token);
        own[i] = open_stream(token);
    }
    refuse(&stream, 503);
    for (unsigned i = 0; i < 64; i++)
        lab_forget(own[i]);
    lab_forget(open_stream(NULL));
}

static void pass(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
    api_tick(lab.api, lab.now);
}

static unsigned wakes;

static void note_wake(void *context)
{
    (void)context;
    wakes++;
}

static void a_silent_stream_beats(void **state)
{
    (void)state;
    struct api_exchange *x = open_stream(NULL);
    api_on_more(x, note_wake, NULL);
    wakes = 0;
    pass(14999);
    assert_int_equal(wakes, 0);
    pass(1);
    assert_int_equal(wakes, 1);
    hear(x);
    assert_string_equal(heard, ":\n\n");
    api_told(lab.api); // of what the laboratory wrote itself
    wakes = 0;
    api_told(lab.api);
    assert_int_equal(wakes, 0);
    make_dirty();
    api_told(lab.api);
    assert_int_equal(wakes, 1);
    lab_forget(x);
}

static struct api_exchange *open_as(const struct door *door)
{
    struct ask as = stream;
    as.authorization = "";
    as.cookie = door->cookie;
    struct api_exchange *x = begin(&as);
    assert_int_equal(opened.status, 200);
    return x;
}

static void a_stream_ends_with_its_session(void **state)
{
    (void)state;
    struct door door;
    lab_user(&lab, "mary", ROLE_OPERATOR, LAB_TENANT, &door);
    struct api_exchange *x = open_as(&door);
    pass(1000);
    hear(x);
    lab_ask_as(&lab, &door, "DELETE", API_BASE "/session", NULL, &a);
    assert_int_equal(a.status, 204);
    pass(1000);
    assert_int_equal(listen_to(x), 0);
    lab_forget(x);
    // One that nobody uses any more; the stream is no use of it.
    lab_user(&lab, "tom", ROLE_OPERATOR, LAB_TENANT, &door);
    x = open_as(&door);
    pass(SESSION_IDLE_MS);
    hear(x);
    pass(1);
    assert_int_equal(listen_to(x), 0);
    lab_forget(x);
}

static void a_stream_ends_with_its_client_and_with_its_token(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char id[API_ID_SIZE];
    lab_client(&lab, "events:read,cards:read", LAB_TENANT, token);
    struct api_exchange *x = open_stream(token);
    pass(1000);
    hear(x);
    api_id_write(id, "cli", x->client.id);
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s/revoke", id);
    ask("POST", path, "{\"reason\":\"x\"}", 200);
    pass(1000);
    assert_int_equal(listen_to(x), 0);
    lab_forget(x);
    lab_client(&lab, "events:read,cards:read", LAB_TENANT, token);
    x = open_stream(token);
    pass(3600000 - 40); // the token was given two turns ago
    hear(x);
    pass(60);
    assert_int_equal(listen_to(x), 0);
    lab_forget(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_tells_what_happens_after_it_began, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(nothing_is_told_before_its_commit, open_all, close_all),
        cmocka_unit_test_setup_teardown(what_is_only_judged_is_not_told, open_all, close_all),
        cmocka_unit_test_setup_teardown(an_operation_is_told_at_each_status, open_all, close_all),
        cmocka_unit_test_setup_teardown(an_alarm_is_told_when_it_begins_and_when_it_ends, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_campaign_is_told_at_each_change_of_its_state, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_stream_goes_on_where_the_last_one_broke_off, open_file,
                                        close_all),
        cmocka_unit_test_setup_teardown(who_missed_too_much_is_told_to_read_all_anew, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_reader_that_stays_behind_is_told_so, open_all, close_all),
        cmocka_unit_test_setup_teardown(only_so_many_rows_are_kept, open_all, close_all),
        cmocka_unit_test_setup_teardown(topics_are_chosen, open_all, close_all),
        cmocka_unit_test_setup_teardown(what_cannot_be_streamed_is_refused, open_all, close_all),
        cmocka_unit_test_setup_teardown(scopes_say_which_topics_there_are, open_all, close_all),
        cmocka_unit_test_setup_teardown(nothing_of_another_enterprise_is_told, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_session_has_four_streams, open_all, close_all),
        cmocka_unit_test_setup_teardown(the_server_has_sixty_four_streams, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_silent_stream_beats, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_stream_ends_with_its_session, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_stream_ends_with_its_client_and_with_its_token, open_all,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
