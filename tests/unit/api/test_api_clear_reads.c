// Who reads identifiers in clear stands in the trail: before the answer, and how often afterwards.
#include "ota-server/service/api_esim.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"
#include "tests/unit/server/faulty_disk.h"

#include <stdio.h>

#define ICCID "89999000000000000012"
#define HOUR_MS (INT64_C(60) * 60 * 1000)
#define OTHER 77

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t card;
static char card_path[128], masked[LAB_TOKEN_SIZE], reader[LAB_TOKEN_SIZE];

static void begin(void)
{
    char id[API_ID_SIZE];
    lab.now.utc.ms +=
        HOUR_MS - lab.now.utc.ms % HOUR_MS + HOUR_MS / 2; // half past, as tokens live an hour
    card = lab_card(&lab, ICCID, &record);
    lab_client(&lab, "cards:read,cards:write", LAB_TENANT, masked);
    lab_client(&lab, "cards:read,cards:write,identifiers:clear", LAB_TENANT, reader);
    api_id_write(id, "crd", card);
    (void)snprintf(card_path, sizeof(card_path), API_BASE "/cards/%s", id);
}

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "cards:read,cards:write", true);
    begin();
    return 0;
}

static int open_file(void **state)
{
    (void)state;
    lab_open_imports(&lab, "cards:read,cards:write", true);
    begin();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *token, const char *method, const char *target, const char *body)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void expect(const char *text)
{
    if (a.status != 200 || !has(text))
        fail_msg("%s %s: %u without %s: %s", a.asked.method, a.asked.target, a.status, text,
                 a.body);
}

// Into `a`: the rows about what was read, the newest first.
static void see_rows(unsigned count)
{
    char total[32];
    char watcher[LAB_TOKEN_SIZE];
    lab_client(&lab, "audit-trail:read", LAB_TENANT, watcher);
    (void)snprintf(total, sizeof(total), "\"totalCount\":%u,", count);
    ask(watcher, "GET", API_BASE "/audit-trail?action=identifiers.read", NULL);
    expect(total);
}

static void pass(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += ms;
    api_tick(lab.api, lab.now);
    lab_turn(&lab);
}

// ICCID and EID of a card: two.
static void the_first_reading_has_a_row_before_its_answer(void **state)
{
    (void)state;
    struct answer early;
    struct api_exchange *x = lab_start(
        &lab, &(struct ask){.method = "GET", .target = card_path, .authorization = reader}, &early);
    assert_int_equal(early.count, 0);
    lab_turn(&lab);
    assert_int_equal(early.count, 1);
    assert_int_equal(early.status, 200);
    assert_non_null(strstr(early.body, "\"iccid\":\"" ICCID "\""));
    assert_non_null(strstr(early.headers, "ETag"));
    assert_non_null(strstr(early.headers, "application/json"));
    lab_forget(x);
    see_rows(1);
    expect("\"actor\":{\"kind\":\"CLIENT\",\"id\":\"cli_");
    expect("\"object\":{\"kind\":\"card\",\"id\":\"");
    expect("\"before\":\"GET /connectivity-management/v1/cards/*\","
           "\"after\":\"answers=1, identifiers=2\"");
    (void)snprintf(early.body, sizeof(early.body), "%s/audit-trail", card_path);
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read,audit-trail:read", LAB_TENANT, token);
    ask(token, "GET", early.body, NULL);
    expect("identifiers.read"); // of this card
}

static void what_follows_in_the_hour_is_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        ask(reader, "GET", card_path, NULL);
    pass(HOUR_MS / 4);
    see_rows(1);
    pass(HOUR_MS / 4);
    see_rows(2);
    expect("\"object\":{\"kind\":\"path\"}");
    expect("\"before\":\"GET /connectivity-management/v1/cards/*\","
           "\"after\":\"answers=2, identifiers=4, hour=");
    pass(HOUR_MS / 4);
    see_rows(2);
    ask(reader, "GET", card_path, NULL);
    see_rows(3);
    expect("\"after\":\"answers=1, identifiers=2\"");
    pass(HOUR_MS);
    see_rows(3); // it has its row
}

static void each_caller_and_route_has_its_own(void **state)
{
    (void)state;
    char second[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read,identifiers:clear", LAB_TENANT, second);
    ask(reader, "GET", card_path, NULL);
    ask(second, "GET", card_path, NULL);
    see_rows(2);
    ask(reader, "GET", API_BASE "/cards", NULL);
    expect(ICCID);
    see_rows(3);
    expect("\"before\":\"GET /connectivity-management/v1/cards\","
           "\"after\":\"answers=1, identifiers=2\"");
    ask(reader, "POST", API_BASE "/cards/search", "{\"iccid\":\"" ICCID "\"}");
    see_rows(4);
}

static void what_is_masked_or_empty_leaves_none(void **state)
{
    (void)state;
    ask(masked, "GET", card_path, NULL);
    expect("\"iccid\":\"89999");
    assert_false(has(ICCID));
    ask(masked, "GET", API_BASE "/cards", NULL);
    ask(reader, "GET", API_BASE "/cards?state=RETIRED", NULL);
    expect("\"totalCount\":0");
    ask(reader, "GET", API_BASE "/cards/crd_00000000000000000000000009", NULL);
    assert_int_equal(a.status, 404);
    see_rows(0);
}

static void a_change_has_its_row_already(void **state)
{
    (void)state;
    ask(reader, "PATCH", card_path, "{\"note\":\"x\"}");
    expect(ICCID);
    see_rows(0);
}

// Sent back as it was read, it changes nothing: the answer is a reading.
static void a_change_that_changes_nothing_is_a_reading(void **state)
{
    (void)state;
    static char whole[sizeof(a.body)];
    ask(reader, "GET", card_path, NULL);
    (void)snprintf(whole, sizeof(whole), "%s", a.body);
    ask(reader, "PATCH", card_path, whole);
    expect(ICCID);
    see_rows(2);
    expect("\"before\":\"PATCH /connectivity-management/v1/cards/*\"");
}

static void the_other_interface_masks_nothing(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "iot-device-management:esim-profiles:retrieve-status", OTHER, token);
    lab_place(&lab, card, OTHER, lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ)));
    ask(token, "POST", ESIM_BASE "/retrieve-status", "{\"esimProfile\":{\"iccid\":\"" ICCID "\"}}");
    expect("\"eid\":");
    see_rows(1);
    expect("\"object\":{\"kind\":\"card\",\"id\":\"");
    expect("\"before\":\"POST /esim-profile-management/v0.1/retrieve-status\","
           "\"after\":\"answers=1, identifiers=2\"");
}

static void an_export_says_that_it_was_in_clear(void **state)
{
    (void)state;
    ask(reader, "POST", API_BASE "/cards/export", "{\"reason\":\"audit 7\"}");
    assert_int_equal(a.status, 200);
    ask(masked, "POST", API_BASE "/cards/export", "{\"reason\":\"audit 8\"}");
    assert_int_equal(a.status, 200);
    char watcher[LAB_TOKEN_SIZE];
    lab_client(&lab, "audit-trail:read", LAB_TENANT, watcher);
    ask(watcher, "GET", API_BASE "/audit-trail?action=cards.exported", NULL);
    expect("\"totalCount\":2,");
    expect("\"after\":\"identifiers in clear\",\"reason\":\"audit 7\"");
    assert_false(has("\"after\":\"identifiers in clear\",\"reason\":\"audit 8\""));
}

static void a_stop_writes_what_was_counted(void **state)
{
    (void)state;
    ask(reader, "GET", card_path, NULL);
    ask(reader, "GET", card_path, NULL);
    assert_true(api_stop(lab.api, true, lab.now.utc));
    see_rows(2);
    expect("\"after\":\"answers=1, identifiers=2, hour=");
}

// A crash takes the number of those that followed, not the first; and begins anew.
static void a_crash_leaves_that_it_was_read(void **state)
{
    (void)state;
    ask(reader, "GET", card_path, NULL);
    ask(reader, "GET", card_path, NULL);
    lab_crash(&lab);
    see_rows(1);
    ask(reader, "GET", card_path, NULL);
    see_rows(2);
}

// Whatever becomes of the turn.
static unsigned status_amid(const char *target)
{
    struct api_exchange *x = lab_start(
        &lab, &(struct ask){.method = "GET", .target = target, .authorization = reader}, &a);
    if (a.count == 0)
        assert_int_equal(lab_try_turn(&lab), TURN_RETRY);
    assert_int_equal(a.count, 1);
    lab_forget(x);
    return a.status;
}

// What was read in the hour before is noted; a path that was not is not answered.
static void what_cannot_be_noted_is_not_shown(void **state)
{
    (void)state;
    ask(reader, "GET", card_path, NULL);
    faulty_disk_set(DISK_FULL, 1, true);
    assert_int_equal(status_amid(card_path), 200);
    assert_int_equal(status_amid(API_BASE "/cards"), 503);
    assert_false(has("8999900"));
    faulty_disk_set(DISK_GOOD, 0, false);
    ask(reader, "GET", API_BASE "/cards", NULL);
    expect(ICCID);
    see_rows(2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_reading_has_a_row_before_its_answer),
        TEST(what_follows_in_the_hour_is_counted),
        TEST(each_caller_and_route_has_its_own),
        TEST(what_is_masked_or_empty_leaves_none),
        TEST(a_change_has_its_row_already),
        TEST(a_change_that_changes_nothing_is_a_reading),
        TEST(the_other_interface_masks_nothing),
        TEST(an_export_says_that_it_was_in_clear),
        TEST(a_stop_writes_what_was_counted),
        cmocka_unit_test_setup_teardown(a_crash_leaves_that_it_was_read, open_file, close_all),
        cmocka_unit_test_setup_teardown(what_cannot_be_noted_is_not_shown, open_file, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
