// What is agreed about a client: the networks it calls from, and how many calls it has.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

static struct lab lab;
static struct answer a;
static char token[LAB_TOKEN_SIZE], path[256], client[API_ID_SIZE];

static int open_all(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true); // in a file, which outlives a crash
    lab_client(&lab, "cards:read", LAB_TENANT, token);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void pass(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || !has(text))
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
}

static void ask(const char *method, const char *target, const char *body)
{
    pass(1000);
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

// The client of `token`, which is the last that was made.
static const char *at_client(void)
{
    ask("GET", API_BASE "/api-clients?sort=-createdAt&perPage=1", NULL);
    api_id_write(client, "cli", lab_id(&a, "cli"));
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s", client);
    return path;
}

static void change(const char *body, unsigned status, const char *text)
{
    ask("PATCH", at_client(), body);
    expect(status, text);
}

static void call(const char *target, const char *peer, unsigned status)
{
    pass(1000);
    lab_ask(&lab,
            &(struct ask){.method = "GET", .target = target, .authorization = token, .peer = peer},
            &a);
    if (a.status != status)
        fail_msg("%s from %s: %u instead of %u: %s", target, peer, a.status, status, a.body);
}

#define CARDS API_BASE "/cards"

static void a_client_calls_from_its_networks_only(void **state)
{
    (void)state;
    change("{\"sourceCidrs\":[\"192.0.2.0/24\",\"2001:db8::/32\"]}", 200,
           "\"sourceCidrs\":[\"192.0.2.0/24\",\"2001:db8::/32\"]");
    call(CARDS, "192.0.2.255", 200);
    call(CARDS, "[2001:db8::7]", 200);
    call(CARDS, "192.0.3.0", 403);
    expect(403, "PERMISSION_DENIED");
    call(CARDS, "2001:db9::1", 403);
    call(CARDS, "nobody", 403);
    ask("GET", API_BASE "/audit-trail?action=request.refused", NULL);
    expect(200, "\"totalCount\":3");
    change("{\"sourceCidrs\":[]}", 200, "\"status\":\"REQUESTED\""); // another person approves that
    assert_false(has("sourceCidrs"));
}

static void networks_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[\"192.0.2.1/24\"]", "[\"192.0.2.0/33\"]", "[\"example.com\"]", "[7]", "\"192.0.2.0/24\"",
    };
    char body[1024];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"sourceCidrs\":%s}", wrong[i]);
        change(body, 400, "sourceCidrs");
    }
    for (unsigned count = 16; count <= 17; count++) {
        size_t len = (size_t)snprintf(body, sizeof(body), "{\"sourceCidrs\":[\"10.0.0.0/8\"");
        for (unsigned i = 1; i < count; i++)
            len += (size_t)snprintf(body + len, sizeof(body) - len, ",\"10.0.%u.0/24\"", i);
        (void)snprintf(body + len, sizeof(body) - len, "]}");
        change(body, count == 16 ? 200 : 400, "sourceCidrs");
    }
}

static void fewer_networks_need_nobody_and_more_do(void **state)
{
    (void)state;
    change("{\"sourceCidrs\":[\"192.0.2.0/24\",\"198.51.100.0/24\"]}", 200,
           "\"status\":\"ACTIVE\"");
    change("{\"sourceCidrs\":[\"198.51.100.0/24\"]}", 200, "\"status\":\"ACTIVE\"");
    change("{\"sourceCidrs\":[\"198.51.100.0/24\",\"192.0.2.0/24\"]}", 200,
           "\"status\":\"REQUESTED\"");
}

static void keep_counts(void)
{
    api_tick(lab.api, lab.now);
    lab_turn(&lab);
}

static void calls_above_the_quota_wait_for_the_next_month(void **state)
{
    (void)state;
    // 2026-07-24 12:00:00; the month ends 7.5 days later.
    change("{\"quotas\":{\"callsPerMonth\":{\"connectivity-management\":2}}}", 200,
           "\"quotas\":{\"callsPerMonth\":{\"connectivity-management\":2}}");
    call(CARDS, NULL, 200);
    call(API_BASE "/operations", NULL, 403); // refused before it is counted
    keep_counts();
    lab_crash(&lab);
    call(API_BASE "/cards/crd_00000000000000000000000000", NULL, 404); // admitted
    call(CARDS, NULL, 429);
    expect(429, "QUOTA_EXCEEDED");
    const char *after = strstr(a.headers, "Retry-After: ");
    assert_non_null(after);
    const int64_t month_ends_ms = 1785542400000; // 2026-08-01T00:00:00Z
    assert_int_equal(strtoll(after + strlen("Retry-After: "), NULL, 10),
                     (month_ends_ms - lab.now.utc.ms + 999) / 1000);
    keep_counts();
    lab_crash(&lab);
    call(CARDS, NULL, 429);
    lab.now.utc.ms = month_ends_ms;
    lab_client(&lab, "all", LAB_TENANT, lab.token); // tokens last an hour
    change("{\"quotas\":{}}", 200, "\"quotas\":{\"callsPerMonth\":{}}");
}

static void a_new_month_has_all_its_calls(void **state)
{
    (void)state;
    lab.now.utc.ms = 1785542400000 - 10000; // ten seconds before August
    lab_client(&lab, "all", LAB_TENANT, lab.token);
    lab_client(&lab, "cards:read", LAB_TENANT, token);
    change("{\"quotas\":{\"callsPerMonth\":{\"connectivity-management\":1}}}", 200, "\"quotas\"");
    call(CARDS, NULL, 200);
    call(CARDS, NULL, 429);
    pass(10000);
    call(CARDS, NULL, 200);
    call(CARDS, NULL, 429);
}

static void each_api_has_a_quota_of_its_own(void **state)
{
    (void)state;
    static const char operation[] =
        "/esim-profile-management/v0.1/operations/op_00000000000000000000000000";
    lab_client(&lab, "cards:read,iot-device-management:esim-profiles:retrieve-operation",
               LAB_TENANT, token);
    change("{\"quotas\":{\"callsPerMonth\":{\"esim-profile-management\":1}}}", 200, "\"quotas\"");
    call(operation, NULL, 404);
    call(operation, NULL, 429);
    expect(429, "QUOTA_EXCEEDED");
    call(CARDS, NULL, 200);
}

static void what_a_client_may_use_up_is_the_operators_to_say(void **state)
{
    (void)state;
    static const char *const more[] = {
        "{\"quotas\":{\"callsPerMonth\":{\"esim-profile-management\":5}}}",
        "{\"ratePerSecond\":51}",
        "{\"burst\":101}",
    };
    struct door eva;
    char body[512];
    ask("POST", API_BASE "/enterprises",
        "{\"name\":\"acme\",\"kind\":\"ENTERPRISE\",\"region\":\"eu\",\"timeZone\":\"UTC\"}");
    const uint64_t enterprise = lab_id(&a, "ent");
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    lab_user(&lab, "eva", ROLE_ENTERPRISE_ADMIN, enterprise, &eva);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"app\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"hmac\"]}",
                   id);
    lab_ask_as(&lab, &eva, "POST", API_BASE "/api-clients", body, &a);
    expect(201, "\"ratePerSecond\":50");
    api_id_write(client, "cli", lab_id(&a, "cli"));
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s", client);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        lab_ask_as(&lab, &eva, "PATCH", path, more[i], &a);
        expect(403, "PERMISSION_DENIED");
        ask("PATCH", path, more[i]);
        expect(200, "\"id\"");
    }
    lab_ask_as(&lab, &eva, "PATCH", path, "{\"ratePerSecond\":5}", &a);
    expect(200, "\"ratePerSecond\":5,");
    assert_true(has("\"callsPerMonth\":{\"esim-profile-management\":5}"));
    change("{\"quotas\":{\"callsPerMonth\":{\"colour\":1}}}", 400, "quotas.callsPerMonth.colour");
    change("{\"quotas\":{\"cardsPerMonth\":1}}", 400, "quotas.cardsPerMonth");
    change("{\"quotas\":{\"callsPerMonth\":{\"connectivity-management\":0}}}", 400, "OUT_OF_RANGE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_client_calls_from_its_networks_only),
        TEST(networks_that_are_none_are_refused),
        TEST(fewer_networks_need_nobody_and_more_do),
        TEST(calls_above_the_quota_wait_for_the_next_month),
        TEST(each_api_has_a_quota_of_its_own),
        TEST(a_new_month_has_all_its_calls),
        TEST(what_a_client_may_use_up_is_the_operators_to_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
