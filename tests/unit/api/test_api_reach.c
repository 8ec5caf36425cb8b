// Nobody gets further than their own reach: not by giving roles, not by guessing, not by asking
// often.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define ORIGIN "https://api.example.com"
#define PASSWORD "correct horse battery"

static struct lab lab;
static struct answer a;

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// With "all" scopes when `token` is NULL.
static void ask_with(const char *token, const char *method, const char *target, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static void add_user(const char *token, const char *name, const char *role)
{
    char own[API_ID_SIZE];
    char body[512];
    api_id_write(own, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"%s\",\"password\":\"" PASSWORD "\",\"enterpriseId\":\"%s\","
                   "\"role\":\"%s\"}",
                   name, own, role);
    ask_with(token, "POST", API_BASE "/users", body);
}

static const char *path_of_user(const char *after)
{
    static char path[128];
    const char *at = strstr(a.body, "\"id\":\"usr_");
    assert_non_null(at);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%.*s%s", (int)strcspn(at + 6, "\""), at + 6,
                   after);
    return path;
}

static void log_in_from(const char *peer, const char *username, const char *password)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"%s\"}", username,
                   password);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/session",
                          .authorization = "",
                          .body = body,
                          .peer = peer,
                          .origin = ORIGIN},
            &a);
}

// --- roles ---

static void nobody_gives_a_role_that_may_more(void **state)
{
    (void)state;
    static const char *const above[] = {"PLATFORM_ADMIN", "OPERATOR", "SUPPORT", "INSPECTOR"};
    char poor[LAB_TOKEN_SIZE];
    // What an ENTERPRISE_USER has, and the users.
    lab_client(&lab,
               "cards:read,cards:write,cards:reveal,operations:read,operations:download,"
               "operations:enable,operations:disable,operations:delete,operations:set-fallback,"
               "operations:set-timers,operations:read-timers,operations:audit,inventory:read,"
               "templates:read,imports:read,audit-trail:read,users:read,users:write",
               LAB_TENANT, poor);
    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
        add_user(poor, "puppet", above[i]);
        assert_int_equal(a.status, 403);
    }
    add_user(poor, "puppet", "ENTERPRISE_USER");
    assert_int_equal(a.status, 201);
    ask_with(poor, "PATCH", path_of_user(""), "{\"role\":\"PLATFORM_ADMIN\"}");
    assert_int_equal(a.status, 403);
    ask_with(NULL, "GET", API_BASE "/users", NULL);
    assert_non_null(strstr(a.body, "\"role\":\"ENTERPRISE_USER\""));
    ask_with(poor, "PATCH", path_of_user(""), "{\"displayName\":\"P\"}");
    assert_int_equal(a.status, 200);
}

static void nobody_takes_the_account_of_somebody_who_may_more(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    char path[128];
    lab_client(&lab, "users:read,users:write", LAB_TENANT, poor);
    add_user(NULL, "root", "PLATFORM_ADMIN");
    assert_int_equal(a.status, 201);
    (void)snprintf(path, sizeof(path), "%s", path_of_user("/password"));
    ask_with(poor, "POST", path, "{\"password\":\"a much longer one\"}");
    assert_int_equal(a.status, 403);
    path[strlen(path) - strlen("/password")] = '\0';
    ask_with(poor, "PATCH", path, "{\"locked\":true}");
    assert_int_equal(a.status, 403);
    ask_with(poor, "DELETE", path, NULL);
    assert_int_equal(a.status, 403);
    log_in_from("192.0.2.1", "root", PASSWORD);
    assert_int_equal(a.status, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_gives_a_role_that_may_more),
        TEST(nobody_takes_the_account_of_somebody_who_may_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
