// Nobody gets further than their own reach: not by giving roles, not by guessing, not by asking
// often.
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_setup.h"
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
               "operations:set-timers,operations:read-timers,operations:audit,groups:read,"
               "permissions:read,approvals:read,alarms:read,inventory:read,templates:read,imports:"
               "read,audit-trail:read,reports:read,"
               "campaigns:read,campaigns:write,events:read,users:read,users:write",
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

// --- guessing ---

static void another_case_is_no_other_account(void **state)
{
    (void)state;
    static const char *const names[] = {"ROOT", "Root", "rOOT", "roOt", "root"};
    add_user(NULL, "root", "PLATFORM_ADMIN");
    for (size_t i = 0; i < 5; i++) {
        log_in_from("192.0.2.1", names[i], "not this one");
        assert_int_equal(a.status, 401);
    }
    log_in_from("192.0.2.2", "rooT", PASSWORD);
    assert_int_equal(a.status, 429);
    log_in_from("192.0.2.2", "root", PASSWORD);
    assert_int_equal(a.status, 429);
}

static void a_lock_outlives_a_crowd_of_names(void **state)
{
    (void)state;
    add_user(NULL, "root", "PLATFORM_ADMIN");
    const struct attempts_row full = {.key = 0, .count = 1, .since = {lab.now.instant.ms + 1}};
    for (size_t i = 0; i < API_ATTEMPTS_MAX; i++) { // later than the lock, and of other names
        lab.api->accounts.rows[i] = full;
        lab.api->accounts.rows[i].key = 1 + i;
    }
    for (size_t i = 0; i < 5; i++)
        log_in_from("192.0.2.1", "root", "not this one");
    for (size_t i = 0; i < 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "other%zu", i);
        lab.now.instant.ms += 2;
        log_in_from("192.0.2.1", name, "not this one");
        assert_int_equal(a.status, 401);
    }
    log_in_from("192.0.2.1", "root", PASSWORD);
    assert_int_equal(a.status, 429);
    lab.now.instant.ms += 15 * 60 * 1000 + 1000;
    log_in_from("192.0.2.1", "root", PASSWORD);
    assert_int_equal(a.status, 200);
}

// Where every name is locked, all further ones have 20 wrong passwords a minute together.
static void a_crowd_shuts_nobody_out_for_long(void **state)
{
    (void)state;
    add_user(NULL, "root", "PLATFORM_ADMIN");
    const struct attempts_row full = {.key = 0, .count = 5, .since = lab.now.instant};
    for (size_t i = 0; i < API_ATTEMPTS_MAX; i++) {
        lab.api->accounts.rows[i] = full;
        lab.api->accounts.rows[i].key = 1 + i;
    }
    log_in_from("192.0.2.1", "root", PASSWORD);
    assert_int_equal(a.status, 200);
    for (unsigned i = 0; i < 21; i++) {
        char peer[16];
        (void)snprintf(peer, sizeof(peer), "192.0.2.%u", 10 + i);
        log_in_from(peer, "another", "not this one");
        assert_int_equal(a.status, i < 20 ? 401 : 429);
    }
    assert_non_null(strstr(a.headers, "Retry-After: 60\n"));
    log_in_from("192.0.2.1", "root", PASSWORD);
    assert_int_equal(a.status, 429);
    lab.now.instant.ms += 60000;
    log_in_from("192.0.2.1", "root", PASSWORD);
    assert_int_equal(a.status, 200);
}

static void addresses_of_one_network_are_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 21; i++) {
        char peer[48];
        char name[16];
        (void)snprintf(peer, sizeof(peer), "[2001:db8:1:2::%x]", i + 1);
        (void)snprintf(name, sizeof(name), "name%u", i);
        log_in_from(peer, name, "not this one");
        assert_int_equal(a.status, i < 20 ? 401 : 429);
    }
    log_in_from("[2001:db8:1:3::1]", "another", "not this one");
    assert_int_equal(a.status, 401);
}

static void a_locked_address_takes_no_rows(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "name%u", i);
        log_in_from("192.0.2.1", name, "not this one");
        assert_int_equal(a.status, i < 20 ? 401 : 429);
    }
    unsigned taken = 0;
    for (size_t i = 0; i < API_ATTEMPTS_MAX; i++)
        taken += lab.api->accounts.rows[i].key != 0;
    assert_int_equal(taken, 20);
}

static void a_session_ends_with_its_password_or_a_lock(void **state)
{
    (void)state;
    static const char *const changes[][3] = {
        {"POST", "/password", "{\"password\":\"correct horse battery\"}"},
        {"PATCH", "", "{\"locked\":true}"},
    };
    char path[128];
    add_user(NULL, "root", "PLATFORM_ADMIN");
    (void)snprintf(path, sizeof(path), "%s", path_of_user(""));
    for (size_t i = 0; i < 2; i++) {
        char cookie[128];
        char target[160];
        log_in_from("192.0.2.1", "root", PASSWORD);
        assert_int_equal(a.status, 200);
        const char *at = strstr(a.headers, "Set-Cookie: ") + 12;
        (void)snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(at, ";"), at);
        const struct ask own = {
            .method = "GET", .target = API_BASE "/session", .authorization = "", .cookie = cookie};
        lab_ask(&lab, &own, &a);
        assert_int_equal(a.status, 200);
        (void)snprintf(target, sizeof(target), "%s%s", path, changes[i][1]);
        ask_with(NULL, changes[i][0], target, changes[i][2]);
        assert_true(a.status == 200 || a.status == 204);
        ask_with(NULL, "PATCH", path, "{\"locked\":false}");
        assert_int_equal(a.status, 200);
        lab_ask(&lab, &own, &a);
        assert_int_equal(a.status, 401);
    }
}

// --- asking often ---

// At the same moment as the last one.
static void ask_at_once(const char *token, const char *method, const char *target)
{
    const struct instant now = lab.now.instant;
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .authorization = token}, &a);
    lab.now.instant = now;
}

static unsigned refusals(void)
{
    unsigned count = 0;
    ask_with(NULL, "GET", API_BASE "/audit-trail?perPage=100&action=request.refused", NULL);
    assert_int_equal(a.status, 200);
    const char *at = strstr(a.body, "\"totalCount\":");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"totalCount\":%u", &count), 1);
    return count;
}

static void refusals_above_the_rate_leave_no_rows(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read", LAB_TENANT, poor);
    for (unsigned i = 0; i < 150; i++) { // a client made at the command line has a burst of 100
        ask_at_once(poor, "GET", API_BASE "/operations");
        assert_int_equal(a.status, 403);
    }
    assert_int_equal(refusals(), 100);
    ask_at_once(poor, "GET", API_BASE "/operations");
    assert_int_equal(refusals(), 101);
}

static void another_rate_holds_at_once(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    char path[128];
    lab_client(&lab, "cards:read", LAB_TENANT, poor);
    ask_at_once(poor, "GET", API_BASE "/session");
    assert_non_null(strstr(a.headers, "RateLimit-Limit: 100\n"));
    const char *at = strstr(a.body, "cli_");
    assert_non_null(at);
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%.*s", (int)strcspn(at, "\""), at);
    ask_with(NULL, "PATCH", path, "{\"ratePerSecond\":1,\"burst\":2}");
    assert_int_equal(a.status, 200);
    for (unsigned i = 0; i < 3; i++) {
        ask_at_once(poor, "GET", API_BASE "/cards");
        assert_int_equal(a.status, i < 2 ? 200 : 429);
    }
    assert_non_null(strstr(a.headers, "RateLimit-Limit: 2\n"));
}

static void tokens_count_as_requests(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    char body[512];
    lab_client(&lab, "cards:read", LAB_TENANT, poor);
    (void)snprintf(body, sizeof(body),
                   "grant_type=client_credentials&client_id=%s&client_secret=%s&scope="
                   "connectivity-management:cards:read",
                   lab.credentials.app_key, lab.credentials.app_secret);
    const struct ask ask = {.method = "POST",
                            .target = "/oauth2/token",
                            .authorization = "",
                            .type = "application/x-www-form-urlencoded",
                            .body = body};
    for (unsigned i = 0; i < 101; i++) { // the burst of a client made at the command line is 100
        const struct instant now = lab.now.instant;
        lab_ask(&lab, &ask, &a);
        lab.now.instant = now;
        assert_int_equal(a.status, i < 100 ? 200 : 429);
    }
    assert_non_null(strstr(a.headers, "Retry-After: 1\n"));
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 200);
}

// --- what is kept ---

static bool see_none(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return false;
}

static uint64_t answers_kept(void)
{
    const struct document_filter filter = {.kind = "answer", .state = -1};
    const struct store_page page = {.limit = 1};
    uint64_t total = 0;
    assert_int_equal(store_documents(lab.store, &filter, &page, see_none, NULL, &total), STORE_OK);
    return total;
}

// A thousand a second, without waiting for the next minute.
static void old_answers_are_swept_until_none_is_due(void **state)
{
    (void)state;
    struct document d = {.kind = "answer",
                         .owner = LAB_TENANT,
                         .created_at = lab.now.utc,
                         .changed_at = lab.now.utc,
                         .body = bytes_of_text("{}")};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (d.id = 1; d.id <= 2500; d.id++) {
        d.version = 0;
        assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab.now.utc.ms += 8 * 86400000LL;
    for (unsigned i = 0; i < 3; i++) {
        api_tick(lab.api, lab.now);
        lab_turn(&lab);
        assert_int_equal(answers_kept(), i < 2 ? 1500 - 1000 * i : 0);
        lab.now.utc.ms += 1000;
    }
}

static bool expect_other_digest(void *context, const struct document *d)
{
    char text[1024];
    assert_true(d->body.len < sizeof(text));
    memcpy(text, d->body.at, d->body.len);
    text[d->body.len] = '\0';
    assert_non_null(strstr(text, "\"digest\":\""));
    assert_null(strstr(text, context));
    return true;
}

static void a_repeatable_password_is_kept_as_nothing_to_guess_by(void **state)
{
    (void)state;
    // SHA-256 of the body below, as sha256sum says
    static char digest[] = "cfaa89ab8955d5b4242706ea695f8f9a2545e5f1f9b75fb6b8099cad7d9051af";
    add_user(NULL, "root", "PLATFORM_ADMIN");
    const struct ask ask = {.method = "POST",
                            .target = path_of_user("/password"),
                            .body = "{\"password\":\"a much longer one\"}",
                            .key = "0123456789abcdef"};
    for (unsigned i = 0; i < 2; i++) {
        lab_ask(&lab, &ask, &a);
        assert_int_equal(a.status, 204); // the same answer for the same body
    }
    const struct document_filter filter = {.kind = "answer", .state = -1};
    const struct store_page page = {.limit = 10};
    uint64_t total = 0;
    assert_int_equal(
        store_documents(lab.store, &filter, &page, expect_other_digest, digest, &total), STORE_OK);
    assert_int_equal(total, 1);
}

// --- the first start ---

static bool note_id(void *context, const struct document *d)
{
    *(uint64_t *)context = d->id;
    return false;
}

// As at a first start: the laboratory has a client, which somebody made on this machine.
static void remove_client(void)
{
    uint64_t id = 0;
    const struct document_filter filter = {.kind = "client", .state = -1};
    const struct store_page page = {.limit = 1};
    assert_int_equal(store_documents(lab.store, &filter, &page, note_id, &id, NULL), STORE_OK);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_delete(lab.store, "client", id), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab.api->is_in_use = false;
}

static unsigned status_from(const char *peer)
{
    const struct ask ask = {
        .method = "GET", .target = API_BASE "/system", .authorization = "", .peer = peer};
    lab_ask(&lab, &ask, &a);
    return a.status;
}

static unsigned set_up(const char *token, const char *peer)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"token\":\"%s\",\"username\":\"root\",\"password\":\"" PASSWORD "\","
                   "\"enterprise\":{\"name\":\"Us\",\"region\":\"EU\",\"timeZone\":\"UTC\"}}",
                   token);
    const struct ask ask = {.method = "POST",
                            .target = API_BASE "/setup",
                            .authorization = "",
                            .body = body,
                            .peer = peer};
    lab_ask(&lab, &ask, &a);
    return a.status;
}

static void nobody_from_afar_is_heard_before_the_first_person_is_there(void **state)
{
    const uint8_t entropy[32] = {7};
    char token[AUTH_TOKEN_SIZE];
    bool is_open = false;
    (void)state;
    assert_int_equal(auth_setup_begin(lab.store, entropy, token, &is_open), STORE_OK);
    assert_int_equal(status_from("192.0.2.1"), 401); // a client was made
    remove_client();
    assert_int_equal(status_from("192.0.2.1"), 403);
    assert_int_equal(status_from("2001:db8::1"), 403);
    assert_int_equal(status_from("128.0.0.1"), 403);
    assert_int_equal(status_from("127.0.0.2"), 401);
    assert_int_equal(status_from("::1"), 401);
    assert_int_equal(set_up(token, "192.0.2.1"), 403);
    assert_int_equal(set_up(token, "127.0.0.1"), 201);
    assert_int_equal(status_from("192.0.2.1"), 401);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_gives_a_role_that_may_more),
        TEST(nobody_takes_the_account_of_somebody_who_may_more),
        TEST(another_case_is_no_other_account),
        TEST(a_lock_outlives_a_crowd_of_names),
        TEST(a_crowd_shuts_nobody_out_for_long),
        TEST(addresses_of_one_network_are_one),
        TEST(a_locked_address_takes_no_rows),
        TEST(a_session_ends_with_its_password_or_a_lock),
        TEST(refusals_above_the_rate_leave_no_rows),
        TEST(another_rate_holds_at_once),
        TEST(tokens_count_as_requests),
        TEST(old_answers_are_swept_until_none_is_due),
        TEST(nobody_from_afar_is_heard_before_the_first_person_is_there),
        TEST(a_repeatable_password_is_kept_as_nothing_to_guess_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
