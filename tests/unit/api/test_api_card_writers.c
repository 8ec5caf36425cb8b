// Who can write cards: what people, clients and permissions could really do now.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define OTHER 77
#define ORDER                                                                                      \
    "{\"type\":\"CARD_WRITERS\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-01-01T00:00:"      \
    "00Z\"}"

static struct lab lab;
static struct answer a;

static int open_all(void **state)
{
    (void)state;
    struct door door;
    lab_open(&lab, "all", true);
    lab_user(&lab, "bob", ROLE_ENTERPRISE_ADMIN, OTHER, &door);
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "operations:enable", OTHER, token); // called "other"
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void write_report(void)
{
    char id[API_ID_SIZE];
    char target[128];
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = "POST", .target = API_BASE "/reports", .body = ORDER},
            &a);
    assert_int_equal(a.status, 202);
    api_id_write(id, "rpt", lab_id(&a, "rpt"));
    lab_run_jobs(&lab);
    (void)snprintf(target, sizeof(target), API_BASE "/reports/%s/content", id);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = target}, &a);
    assert_int_equal(a.status, 200);
}

// The row of this name ends with this status.
static void expect_status(const char *name, const char *status)
{
    char text[64];
    (void)snprintf(text, sizeof(text), ",\"%s\",", name);
    const char *row = strstr(a.body, text);
    assert_non_null(row);
    const char *end = strchr(row, ']');
    assert_non_null(end);
    (void)snprintf(text, sizeof(text), ",\"%s\"", status);
    if (strncmp(end - strlen(text), text, strlen(text)) != 0)
        fail_msg("%s is not %s: %.*s", name, status, (int)(end - row), row);
}

static void expect_both(const char *status)
{
    write_report();
    expect_status("bob", status);
    expect_status("other", status);
}

#define PERMISSION "people and clients of the enterprise"

static void put_enterprise(int64_t state, const char *text)
{
    const struct document d = {.kind = "enterprise",
                               .id = OTHER,
                               .owner = LAB_TENANT,
                               .state = state,
                               .body = bytes_of_text(text)};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    const enum store_status status = store_document_delete(lab.store, "enterprise", OTHER);
    assert_true(status == STORE_OK || status == STORE_NONE);
    assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void scopes_without_a_permission_write_nothing(void **state)
{
    (void)state;
    expect_both("without permission");
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ));
    expect_both("without permission");
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_ENABLE));
    expect_both("active");
    expect_status(PERMISSION, "active");
}

// A card that is moved may come under a rule that sends.
static void moving_and_approving_lead_to_writing(void **state)
{
    (void)state;
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_MOVE));
    expect_both("active");
    assert_null(strstr(a.body, PERMISSION));
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_OPERATION_APPROVE));
    expect_both("active");
    expect_status(PERMISSION, "active");
    put_enterprise(1, "{\"authorityMode\":\"REQUEST_APPROVE\"}");
    expect_both("on request");
    expect_status(PERMISSION, "without effect"); // of who may only request nobody approves
}

static void an_enterprise_that_is_shut_out_writes_nothing(void **state)
{
    (void)state;
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_ENABLE));
    put_enterprise(0, "{}");
    expect_both("enterprise shut out");
    expect_status(PERMISSION, "without effect");
    put_enterprise(1,
                   "{\"agreement\":{\"reference\":\"A\",\"expiresAt\":\"2026-01-01T00:00:00Z\"}}");
    expect_both("enterprise shut out");
    expect_status(PERMISSION, "without effect");
    put_enterprise(1,
                   "{\"agreement\":{\"reference\":\"A\",\"expiresAt\":\"2099-01-01T00:00:00Z\"}}");
    expect_both("active");
}

static void authority_holds_for_accounts_too(void **state)
{
    (void)state;
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_ENABLE));
    put_enterprise(1, "{\"authorityMode\":\"REQUEST_APPROVE\"}");
    expect_both("on request");
    expect_status(PERMISSION, "on request");
    put_enterprise(1, "{\"kind\":\"SUPPLIER\"}");
    expect_both("without permission");
    expect_status(PERMISSION, "without effect");
}

static void change_user(bool is_locked, int64_t expires_ms)
{
    struct auth_user user;
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("bob"), &user), STORE_OK);
    user.is_locked = is_locked;
    user.expires_at.ms = expires_ms;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(auth_user_put(lab.store, &user, lab.now.utc), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void accounts_end(void **state)
{
    (void)state;
    struct door door;
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_ENABLE));
    lab_user(&lab, "olga", ROLE_OPERATOR, LAB_TENANT, &door);
    change_user(true, 0);
    write_report();
    expect_status("bob", "locked");
    expect_status("olga", "active"); // the operator's need no permission
    change_user(false, lab.now.utc.ms + 3600000);
    write_report();
    expect_status("bob", "active");
    change_user(false, lab.now.utc.ms);
    write_report();
    expect_status("bob", "expired");
}

static void a_client_is_suspended(void **state)
{
    (void)state;
    struct door door;
    char target[128];
    char id[API_ID_SIZE];
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_ENABLE));
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &door);
    write_report();
    expect_status("other", "active");
    const char *row = strstr(a.body, ",\"other\",");
    assert_non_null(row);
    (void)snprintf(id, sizeof(id), "%.30s", row - 31);
    (void)snprintf(target, sizeof(target), API_BASE "/api-clients/%s", id);
    lab_ask_as(&lab, &door, "PATCH", target, "{\"status\":\"SUSPENDED\"}", &a);
    assert_int_equal(a.status, 200);
    write_report();
    expect_status("other", "not active");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scopes_without_a_permission_write_nothing),
        TEST(moving_and_approving_lead_to_writing),
        TEST(an_enterprise_that_is_shut_out_writes_nothing),
        TEST(authority_holds_for_accounts_too),
        TEST(accounts_end),
        TEST(a_client_is_suspended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
