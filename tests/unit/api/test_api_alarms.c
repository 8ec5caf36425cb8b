// Alarms: raised once, counted, seen, over.
#include "ota-server/service/agreement.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <sqlite3.h>
#include <stdio.h>

#define ALARMS API_BASE "/alarms"

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t card;
static char card_id[API_ID_SIZE], alarm[API_ID_SIZE], path[256];

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    card = lab_card(&lab, "89999000000000000012", &record);
    api_id_write(card_id, "crd", card);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *token, const char *method, const char *target)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .authorization = token}, &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static struct alarm_place place_of(const char *key)
{
    return (struct alarm_place){.key = key, .object = card_id, .owner = LAB_TENANT};
}

static void raise(const struct alarm_place *at)
{
    lab.now.utc.ms += 1000;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(alarm_raise(lab.store, at, turn_id(lab.turn, lab.now.utc), lab.now.utc),
                     STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static enum store_status clear(const struct alarm_place *at)
{
    assert_int_equal(store_begin(lab.store), STORE_OK);
    const enum store_status status = alarm_clear(lab.store, at, lab.now.utc);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return status;
}

static void take_alarm(void)
{
    const char *id = strstr(a.body, "\"id\":\"alm_");
    assert_non_null(id);
    (void)snprintf(alarm, sizeof(alarm), "%.30s", id + 6);
}

static const char *alarm_path(const char *after)
{
    (void)snprintf(path, sizeof(path), ALARMS "/%s%s", alarm, after);
    return path;
}

static void a_repeated_alarm_counts_up(void **state)
{
    (void)state;
    const struct alarm_place at = place_of("security.failures");
    raise(&at);
    raise(&at);
    raise(&at);
    ask(NULL, "GET", ALARMS);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1"));
    assert_true(has("\"key\":\"security.failures\",\"severity\":\"CRITICAL\",\"object\":\"crd_"));
    assert_true(has("\"count\":3"));
    assert_true(has("\"state\":\"OPEN\""));
    assert_false(has("clearedAt"));
}

static void one_that_is_over_stays_and_the_next_is_another(void **state)
{
    (void)state;
    const struct alarm_place at = place_of("security.failures");
    raise(&at);
    assert_int_equal(clear(&at), STORE_OK);
    assert_int_equal(clear(&at), STORE_NONE);
    ask(NULL, "GET", ALARMS "?state=CLEARED");
    assert_true(has("\"clearedAt\":\""));
    raise(&at);
    ask(NULL, "GET", ALARMS);
    assert_true(has("\"totalCount\":2"));
    ask(NULL, "GET", ALARMS "?state=OPEN");
    assert_true(has("\"totalCount\":1"));
    assert_true(has("\"count\":1"));
    assert_int_equal(clear(&at), STORE_OK);
    ask(NULL, "GET", ALARMS "?state=CLEARED");
    assert_true(has("\"totalCount\":2"));
    ask(NULL, "GET", ALARMS "?state=SHUT");
    assert_int_equal(a.status, 400);
}

static void objects_do_not_share_an_alarm(void **state)
{
    (void)state;
    struct alarm_place at = place_of("counter.near.max");
    raise(&at);
    at.object = "crd_00000000000000000000000001";
    raise(&at);
    ask(NULL, "GET", ALARMS "?state=OPEN");
    assert_true(has("\"totalCount\":2"));
}

static void whoever_saw_it_stands_in_it(void **state)
{
    (void)state;
    const struct alarm_place at = place_of("security.failures");
    raise(&at);
    ask(NULL, "GET", ALARMS);
    take_alarm();
    ask(NULL, "POST", alarm_path("/acknowledge"));
    assert_int_equal(a.status, 200);
    assert_true(has("\"acknowledgedBy\":\"cli_"));
    assert_true(has("\"state\":\"ACKNOWLEDGED\"")); // still true: it ends when the cause does
    ask(NULL, "POST", alarm_path("/acknowledge"));
    assert_int_equal(a.status, 409);
    raise(&at);
    ask(NULL, "GET", alarm_path(""));
    assert_true(has("\"count\":2"));
    assert_int_equal(clear(&at), STORE_OK);
    ask(NULL, "GET", alarm_path(""));
    assert_true(has("\"state\":\"CLEARED\""));
    ask(NULL, "POST", alarm_path("/acknowledge"));
    assert_int_equal(a.status, 409);
}

static void what_nothing_else_ends_ends_when_it_was_seen(void **state)
{
    (void)state;
    const struct alarm_place at = place_of("card.nvm.error");
    raise(&at);
    ask(NULL, "GET", ALARMS);
    take_alarm();
    ask(NULL, "POST", alarm_path("/acknowledge"));
    assert_int_equal(a.status, 200);
    assert_true(has("\"state\":\"CLEARED\""));
}

static void a_decision_about_a_card_writes_its_alarm(void **state)
{
    (void)state;
    struct record next;
    const struct alarm_place at = place_of("security.failures");
    raise(&at);
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    next = record;
    next.marks = 1u << MARK_QUARANTINED;
    next.mark_since[MARK_QUARANTINED] = lab.now.utc;
    next.version++;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s/quarantine", card_id);
    lab_ask(&lab,
            &(struct ask){.method = "DELETE", .target = path, .body = "{\"reason\":\"new keys\"}"},
            &a);
    assert_int_equal(a.status, 200);
    ask(NULL, "GET", ALARMS "?state=CLEARED");
    assert_true(has("\"totalCount\":1"));
}

static void an_enterprise_sees_the_alarms_of_its_own_cards_only(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    struct alarm_place at = place_of("counter.near.max");
    at.owner = 77;
    lab_client(&lab, "alarms:read,alarms:write", 77, token);
    raise(&at);
    at = (struct alarm_place){.key = "smsc.down", .object = ""};
    raise(&at);
    ask(token, "GET", ALARMS);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1"));
    assert_true(has("counter.near.max"));
    ask(NULL, "GET", ALARMS);
    assert_true(has("\"totalCount\":2"));
    const char *down = strstr(a.body, "smsc.down");
    assert_non_null(down);
    while (memcmp(down, "alm_", 4) != 0)
        down--;
    (void)snprintf(alarm, sizeof(alarm), "%.30s", down);
    ask(token, "GET", alarm_path(""));
    assert_int_equal(a.status, 404);
    ask(token, "POST", alarm_path("/acknowledge"));
    assert_int_equal(a.status, 404);
}

// --- agreements --------------------------------------------------------------------------------

static void hour_passes(void)
{
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(agreements_keep(lab.store, lab.turn, lab.now.utc), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void change_enterprise(uint64_t id, const char *body)
{
    char text[API_ID_SIZE];
    api_id_write(text, "ent", id);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", text);
    lab_ask(&lab, &(struct ask){.method = "PATCH", .target = path, .body = body}, &a);
    assert_int_equal(a.status, 200);
}

static uint64_t add_enterprise(const char *name, const char *more)
{
    char body[256];
    (void)snprintf(
        body, sizeof(body),
        "{\"name\":\"%s\",\"kind\":\"ENTERPRISE\",\"region\":\"x\",\"timeZone\":\"UTC\"%s}", name,
        more);
    lab_ask(&lab, &(struct ask){.method = "POST", .target = API_BASE "/enterprises", .body = body},
            &a);
    assert_int_equal(a.status, 201);
    return lab_id(&a, "ent");
}

static void expect_count(const char *token, const char *query, const char *count)
{
    char target[64];
    (void)snprintf(target, sizeof(target), ALARMS "%s", query);
    ask(token, "GET", target);
    assert_int_equal(a.status, 200);
    if (!has(count))
        fail_msg("%s: %s", count, a.body);
}

static void an_agreement_that_ends_is_told_of_thirty_days_before(void **state)
{
    (void)state;
    char north[API_ID_SIZE];
    char token[LAB_TOKEN_SIZE];
    (void)add_enterprise("South", ""); // whose agreement never ends
    int64_t ends_ms = lab.now.utc.ms + 30 * INT64_C(86400000) + 60000;
    ends_ms -= ends_ms % 1000;
    char text[UTC_TEXT_SIZE], more[128];
    utc_format((struct utc){ends_ms}, text);
    (void)snprintf(more, sizeof(more), ",\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"%s\"}",
                   text);
    const uint64_t id = add_enterprise("North", more);
    lab.now.utc.ms = ends_ms - 30 * INT64_C(86400000) - 1;
    hour_passes();
    expect_count(NULL, "", "\"totalCount\":0");
    lab.now.utc.ms = ends_ms - 30 * INT64_C(86400000);
    hour_passes();
    hour_passes();
    expect_count(NULL, "", "\"totalCount\":1");
    assert_true(has("\"key\":\"compliance.due\",\"severity\":\"MAJOR\",\"object\":\"ent_"));
    api_id_write(north, "ent", id);
    assert_true(has(north));
    assert_true(has("\"count\":1")); // it is one, however often it is looked at
    lab_client(&lab, "alarms:read", id, token);
    expect_count(token, "", "\"totalCount\":1");
    lab_client(&lab, "alarms:read", 77, token);
    expect_count(token, "", "\"totalCount\":0");
    change_enterprise( // it is over
        id, "{\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"2020-01-31T00:00:00Z\"}}");
    hour_passes();
    expect_count(NULL, "?state=OPEN", "\"totalCount\":1");
    change_enterprise(
        id, "{\"agreement\":{\"reference\":\"89\",\"expiresAt\":\"2028-01-31T00:00:00Z\"}}");
    hour_passes();
    expect_count(NULL, "?state=OPEN", "\"totalCount\":0");
    expect_count(NULL, "?state=CLEARED", "\"totalCount\":1");
}

static void of_a_suspended_enterprise_nothing_is_due(void **state)
{
    (void)state;
    const uint64_t id = add_enterprise(
        "North", ",\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"2020-01-31T00:00:00Z\"}");
    hour_passes();
    expect_count(NULL, "?state=OPEN", "\"totalCount\":1");
    change_enterprise(id, "{\"status\":\"SUSPENDED\"}");
    hour_passes();
    expect_count(NULL, "?state=OPEN", "\"totalCount\":0");
}

// More than are read at once; the last one is not forgotten.
static void agreements_of_many_enterprises_are_all_looked_at(void **state)
{
    (void)state;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned i = 0; i < 200; i++) {
        const struct document d = {.kind = "enterprise",
                                   .id = turn_id(lab.turn, lab.now.utc),
                                   .owner = LAB_TENANT,
                                   .state = 1,
                                   .body = bytes_of_text("{}")};
        assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    (void)add_enterprise(
        "North", ",\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"2020-01-31T00:00:00Z\"}");
    hour_passes();
    expect_count(NULL, "?state=OPEN", "\"totalCount\":1");
}

static void a_trail_that_does_not_hold_is_an_alarm_that_stays(void **state)
{
    sqlite3 *db = NULL;
    (void)close_all(state);
    lab_open_imports(&lab, "all", true); // on a disk
    ask(NULL, "POST", API_BASE "/audit-trail/verify");
    assert_true(has("\"ok\":true"));
    ask(NULL, "GET", ALARMS);
    assert_true(has("\"totalCount\":0"));
    lab_ask(&lab,
            &(struct ask){
                .method = "POST", .target = API_BASE "/card-groups", .body = "{\"name\":\"a\"}"},
            &a);
    assert_int_equal(a.status, 201);
    assert_int_equal(sqlite3_open(lab.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP TRIGGER trail_no_update;"
                                  "UPDATE trail SET hash = zeroblob(32) WHERE sequence = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    ask(NULL, "POST", API_BASE "/audit-trail/verify");
    assert_int_equal(a.status, 200);
    assert_true(has("\"ok\":false"));
    ask(NULL, "GET", ALARMS "?state=OPEN");
    assert_true(has("\"key\":\"audit.chain.broken\",\"severity\":\"CRITICAL\",\"count\":1"));
    take_alarm();
    ask(NULL, "POST", alarm_path("/acknowledge"));
    assert_true(has("\"state\":\"ACKNOWLEDGED\"")); // never over by itself
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(a_repeated_alarm_counts_up),
        TEST(one_that_is_over_stays_and_the_next_is_another),
        TEST(objects_do_not_share_an_alarm),
        TEST(whoever_saw_it_stands_in_it),
        TEST(what_nothing_else_ends_ends_when_it_was_seen),
        TEST(a_decision_about_a_card_writes_its_alarm),
        TEST(an_enterprise_sees_the_alarms_of_its_own_cards_only),
        TEST(an_agreement_that_ends_is_told_of_thirty_days_before),
        TEST(of_a_suspended_enterprise_nothing_is_due),
        TEST(agreements_of_many_enterprises_are_all_looked_at),
        TEST(a_trail_that_does_not_hold_is_an_alarm_that_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
