// How the engine finds what the statements ask for: by an index, however many rows there are.
#include "tests/lib/cmocka_all.h"

#include "ota-server/store/schema.h"
#include "ota-server/store/statements.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *name, *text;
};

#define ROW(name, text) {#name, text},
static const struct row rows[] = {STORE_STATEMENTS(ROW)};
#undef ROW

// They look at everything, and may: lists without a filter, counts for the metrics, what is kept
// for a week, and what happens once an hour, at the start, or when the master keys change.
static const char *const whole[] = {
    "SUBSCRIPTIONS",       "SUBSCRIPTIONS_COUNT", "OPERATIONS",    "COUNT_STATES",
    "STRAYS_COUNT",        "SWEEP_STRAYS",        "LOADING_LIST",  "OUTBOX_FORGET",
    "COUNT_OUTBOX",        "TRAIL_HEAD",          "HIGHEST_ID",    "MESSAGE_PARTS",
    "SWEEP_MESSAGE_PARTS", "FALLBACKS",           "SEGMENTS",      "SEGMENT_LAST",
    "CAMPAIGN_CARDS_BACK", "CAMPAIGN_SLOTS_BACK", "DELIVERIES",    "DELIVERIES_COUNT",
    "DELIVERY_COUNTS",     "SINKS_TO_ALARM",      "SINKS_WAITING",
};

static bool may_scan(const char *name)
{
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if (strcmp(whole[i], name) == 0)
            return true;
    }
    return false;
}

static sqlite3 *open_empty(void)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    for (size_t i = 0; i < schema_step_count; i++)
        assert_int_equal(sqlite3_exec(db, schema_steps[i], NULL, NULL, NULL), SQLITE_OK);
    return db;
}

// The first line of the plan that reads a whole table; false when there is none.
static bool find_scan(sqlite3 *db, const char *text, char line[200])
{
    char explain[4096];
    sqlite3_stmt *plan = NULL;
    bool is_found = false;
    (void)snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", text);
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK);
    while (!is_found && sqlite3_step(plan) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        // What has one row, or the few of a list that we bind; what counts the rows found inside
        // it.
        const bool is_small =
            strstr(detail, "CONSTANT ROW") != NULL || strstr(detail, "VIRTUAL TABLE") != NULL ||
            strstr(detail, "json_each") != NULL || strncmp(detail, "SCAN (subquery", 14) == 0;
        is_found = strncmp(detail, "SCAN", 4) == 0 && !is_small;
        (void)snprintf(line, 200, "%s", detail);
    }
    sqlite3_finalize(plan);
    return is_found;
}

static void every_statement_finds_its_rows_by_an_index(void **state)
{
    (void)state;
    sqlite3 *db = open_empty();
    unsigned scans = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[200] = "";
        if (!may_scan(rows[i].name) && find_scan(db, rows[i].text, line)) {
            print_error("%s: %s\n", rows[i].name, line);
            scans++;
        }
    }
    sqlite3_close(db);
    assert_int_equal(scans, 0);
}

// A range that covers half a table is no better: a card's rows are found by the card.
static void a_card_is_found_by_what_names_it(void **state)
{
    static const struct row wanted[] = {
        {"CARD_BY_ICCID", "subscription_iccid"},
        {"CARD_BY_NUMBER", "subscription_number"},
        {"CARD_BY_IMSI", "subscription_imsi"},
        {"CARD_BY_REFERENCE", "card_reference"},
        {"SUBSCRIPTIONS_OF_CARD", "subscription_card (card=?)"},
        {"SUBSCRIPTIONS_OF_TENANT", "subscription_tenant (tenant=?)"},
        {"SUBSCRIPTIONS_NAMED", "MULTI-INDEX OR"},
        {"SUBSCRIPTIONS_COUNT_NAMED", "subscription_iccid (iccid>? AND iccid<?)"},
        {"OPERATIONS_OF_TENANT", "operation_tenant (tenant=?)"},
        {"COUNT_STATUSES", "operation_waiting (status<?)"},
        {"SUBSCRIPTIONS_LEFT", "subscription_card (card=?)"},
        {"POOL_FREE", "subscription_pool (pool=? AND state=?)"},
        {"OPERATIONS_OF_CARD", "operation_card (card=?)"},
    };
    (void)state;
    sqlite3 *db = open_empty();
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            char explain[4096];
            char plan[1000] = "";
            sqlite3_stmt *at = NULL;
            if (strcmp(rows[k].name, wanted[i].name) != 0)
                continue;
            (void)snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", rows[k].text);
            assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &at, NULL), SQLITE_OK);
            while (sqlite3_step(at) == SQLITE_ROW) {
                const size_t len = strlen(plan);
                (void)snprintf(plan + len, sizeof plan - len, "%s; ", sqlite3_column_text(at, 3));
            }
            sqlite3_finalize(at);
            if (strstr(plan, wanted[i].text) == NULL)
                fail_msg("%s: %s", wanted[i].name, plan);
        }
    }
    sqlite3_close(db);
}

static bool sorts(sqlite3 *db, const char *text)
{
    char explain[4096];
    sqlite3_stmt *plan = NULL;
    bool is_found = false;
    (void)snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", text);
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW)
        is_found |= strstr((const char *)sqlite3_column_text(plan, 3), "ORDER BY") != NULL;
    sqlite3_finalize(plan);
    return is_found;
}

// Rows that are sorted are held in memory, and there may be millions.
static void no_step_of_the_schema_sorts_what_is_there(void **state)
{
    (void)state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    for (size_t i = 0; i < schema_step_count; i++) {
        sqlite3_stmt *at = NULL;
        const char *text = schema_steps[i];
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &at, &text), SQLITE_OK);
        while (at != NULL) {
            if (strncmp(sqlite3_sql(at), "INSERT", 6) == 0 && sorts(db, sqlite3_sql(at)))
                fail_msg("%s", sqlite3_sql(at));
            while (sqlite3_step(at) == SQLITE_ROW)
                continue;
            assert_int_equal(sqlite3_finalize(at), SQLITE_OK);
            assert_int_equal(sqlite3_prepare_v2(db, text, -1, &at, &text), SQLITE_OK);
        }
    }
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_finds_its_rows_by_an_index),
        cmocka_unit_test(a_card_is_found_by_what_names_it),
        cmocka_unit_test(no_step_of_the_schema_sorts_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
