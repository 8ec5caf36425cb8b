// The audit trail over the API: verifications that are too long for one call.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define TRAIL API_BASE "/audit-trail"

#define ROWS 50100 // one call verifies 50,000

static struct lab lab;
static struct answer a;
static char check[48];

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void add_rows(uint64_t count)
{
    const struct trail_new row = {.at = {1000}, .action = "card.marked"};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(store_trail_add(lab.store, &row), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static int open_all(void **state)
{
    (void)state;
    uint64_t head = 0;
    uint8_t hash[32];
    lab_open_imports(&lab, "all", true); // on a disk
    assert_int_equal(store_trail_head(lab.store, &head, hash), STORE_OK);
    add_rows(ROWS - head);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

static uint64_t rows_of(const char *action)
{
    char target[128];
    const char *at = NULL;
    (void)snprintf(target, sizeof(target), TRAIL "?action=%s", action);
    ask("GET", target, NULL);
    assert_int_equal(a.status, 200);
    at = strstr(a.body, "\"totalCount\":");
    assert_non_null(at);
    return strtoull(at + strlen("\"totalCount\":"), NULL, 10);
}

static const char *check_path(void)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), TRAIL "/verifications/%s", check);
    return path;
}

static void order_check(void)
{
    ask("POST", TRAIL "/verify", NULL);
    assert_int_equal(a.status, 202);
    assert_true(has("\"status\":\"RUNNING\""));
    const char *id = strstr(a.body, "\"vrf_");
    assert_non_null(id);
    (void)snprintf(check, sizeof(check), "%.30s", id + 1);
    assert_non_null(strstr(a.headers, check)); // Location
}

static void run_behind_the_back(const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(lab.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_long_trail_is_verified_beside_the_servers_work(void **state)
{
    (void)state;
    order_check();
    ask("GET", check_path(), NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"RUNNING\"") || has("\"status\":\"ENDED\""));
    lab_run_checks(&lab);
    ask("GET", check_path(), NULL);
    assert_true(has("\"status\":\"ENDED\""));
    assert_true(has("\"ok\":true"));
    assert_true(has("\"fromSequence\":1"));
    assert_true(has("\"checked\":50100"));
    assert_true(has("\"headSequence\":50101")); // the order's own row
    assert_int_equal(rows_of("trail.check.ordered"), 1);
}

static void a_short_range_of_it_is_answered_at_once(void **state)
{
    (void)state;
    ask("POST", TRAIL "/verify", "{\"fromSequence\":101,\"toSequence\":50100}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"ok\":true"));
    assert_true(has("\"checked\":50000"));
    ask("POST", TRAIL "/verify", "{\"fromSequence\":100,\"toSequence\":50100}");
    assert_int_equal(a.status, 202);
    lab_run_checks(&lab);
}

static void rows_that_are_not_there_yet_are_no_broken_chain(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code, *field;
    } wrong[] = {
        {"{\"fromSequence\":50100,\"toSequence\":9000000000}", "OUT_OF_RANGE", "toSequence"},
        {"{\"toSequence\":50200}", "OUT_OF_RANGE", "toSequence"},
        {"{\"fromSequence\":50200}", "OUT_OF_RANGE", "fromSequence"},
        {"{\"fromSequence\":7,\"toSequence\":6}", "INVALID_ARGUMENT", "toSequence"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ask("POST", TRAIL "/verify", wrong[i].body);
        assert_int_equal(a.status, 400);
        assert_true(has(wrong[i].code));
        assert_true(has(wrong[i].field));
    }
    ask("GET", API_BASE "/alarms", NULL);
    assert_true(has("\"totalCount\":0"));
}

// The last: it damages the rows that all share, because many take time to make. Row 20,000 ends the
// first piece, 20,001 begins the second, 45,000 is in the third.
static void the_first_row_that_does_not_hold_is_named_whoever_finds_it(void **state)
{
    static const struct {
        const char *change;
        uint64_t first_bad;
        const char *problem;
    } rows[] = {
        {"UPDATE trail SET after = 'x' WHERE sequence = 45000", 45000, "HASH"},
        {"UPDATE trail SET hash = zeroblob(32) WHERE sequence = 20001", 20001, "HASH"},
        {"UPDATE trail SET hash = zeroblob(32) WHERE sequence = 20000", 20000, "HASH"},
        {"DELETE FROM trail WHERE sequence = 20000", 20000, "GAP"},
    };
    (void)state;
    run_behind_the_back("DROP TRIGGER trail_no_update; DROP TRIGGER trail_no_delete");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[96];
        run_behind_the_back(rows[i].change);
        order_check();
        lab_run_checks(&lab);
        ask("GET", check_path(), NULL);
        (void)snprintf(expected, sizeof(expected), "\"firstBadSequence\":%llu,\"problem\":\"%s\"",
                       (unsigned long long)rows[i].first_bad, rows[i].problem);
        assert_true(has("\"ok\":false"));
        assert_true(has(expected));
    }
    ask("GET", API_BASE "/alarms?state=OPEN", NULL);
    assert_true(has("\"key\":\"audit.chain.broken\",\"severity\":\"CRITICAL\""));
}

static void a_check_that_a_stop_cut_off_begins_again(void **state)
{
    (void)state;
    order_check();
    lab_crash(&lab);
    lab_run_checks(&lab);
    ask("GET", check_path(), NULL);
    assert_true(has("\"status\":\"ENDED\""));
    assert_true(has("\"ok\":true"));
}

static void one_key_orders_one_check_and_a_trial_none(void **state)
{
    (void)state;
    const uint64_t ordered = rows_of("trail.check.ordered");
    const struct ask once = {.method = "POST", .target = TRAIL "/verify", .key = "verify-all-1"};
    ask("POST", TRAIL "/verify?dryRun=true", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"dryRun\":true"));
    lab_ask(&lab, &once, &a);
    assert_int_equal(a.status, 202);
    const uint64_t first = lab_id(&a, "vrf");
    lab_ask(&lab, &once, &a);
    assert_int_equal(lab_id(&a, "vrf"), first);
    assert_int_equal(rows_of("trail.check.ordered"), ordered + 1);
    lab_run_checks(&lab);
}

static void too_many_that_wait_are_503(void **state)
{
    (void)state;
    struct api_exchange *held[TRAIL_CHECK_SEATS];
    static struct answer answers[TRAIL_CHECK_SEATS];
    const struct ask order = {.method = "POST", .target = TRAIL "/verify"};
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++)
        held[i] = lab_start(&lab, &order, &answers[i]);
    lab_ask(&lab, &order, &a);
    assert_int_equal(a.status, 503);
    lab_turn(&lab);
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++) {
        assert_int_equal(answers[i].status, 202);
        lab_forget(held[i]);
    }
    lab_run_checks(&lab);
    ask("POST", TRAIL "/verify", NULL);
    assert_int_equal(a.status, 202);
    lab_run_checks(&lab);
}

static void a_check_of_another_enterprise_is_404(void **state)
{
    char token[LAB_TOKEN_SIZE];
    (void)state;
    order_check();
    lab_client(&lab, "audit-trail:verify", 7, token);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = check_path(), .authorization = token},
            &a);
    assert_int_equal(a.status, 404);
    ask("GET", TRAIL "/verifications/vrf_1", NULL);
    assert_int_equal(a.status, 404);
    lab_run_checks(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_trail_is_verified_beside_the_servers_work),
        cmocka_unit_test(rows_that_are_not_there_yet_are_no_broken_chain),
        cmocka_unit_test(a_short_range_of_it_is_answered_at_once),
        cmocka_unit_test(a_check_that_a_stop_cut_off_begins_again),
        cmocka_unit_test(one_key_orders_one_check_and_a_trial_none),
        cmocka_unit_test(too_many_that_wait_are_503),
        cmocka_unit_test(a_check_of_another_enterprise_is_404),
        cmocka_unit_test(the_first_row_that_does_not_hold_is_named_whoever_finds_it),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
