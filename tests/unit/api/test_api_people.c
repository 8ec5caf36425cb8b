// People: the first one, log-in, sessions, roles, and enterprises that see nothing of each other.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_setup.h"
#include "tests/unit/api/api_lab.h"
#include "tests/unit/server/faulty_memory.h"

#include <stdio.h>

#define PASSWORD "correct horse battery"
#define NOBODYS_ID 0x1234567890ABCDEull
#define CANARY "canary-of-b"

static struct lab lab;
static struct answer a;
static char setup_token[AUTH_TOKEN_SIZE];

static int open_all(void **state)
{
    (void)state;
    bool is_open = false;
    const uint8_t entropy[32] = {1, 2, 3};
    lab_open(&lab, "all", true);
    assert_int_equal(auth_setup_begin(lab.store, entropy, setup_token, &is_open), STORE_OK);
    assert_true(is_open);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void pass_time(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

static void ask_as(const struct door *door, const char *method, const char *target,
                   const char *body)
{
    pass_time(1000);
    lab_ask_as(&lab, door, method, target, body, &a);
}

static void set_up(const char *token, const char *peer)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"token\":\"%s\",\"username\":\"root\",\"password\":\"" PASSWORD "\","
                   "\"enterprise\":{\"name\":\"Us\",\"region\":\"EU\",\"timeZone\":\"UTC\"}}",
                   token);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/setup",
                          .authorization = "",
                          .body = body,
                          .peer = peer},
            &a);
}

static void log_in(const char *username, const char *password)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"%s\"}", username,
                   password);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/session",
                          .authorization = "",
                          .body = body,
                          .origin = LAB_ORIGIN},
            &a);
}

static void enter(const char *username, struct door *door)
{
    log_in(username, PASSWORD);
    assert_int_equal(a.status, 200);
    const char *cookie = strstr(a.headers, "Set-Cookie: ");
    const char *csrf = strstr(a.body, "\"csrfToken\":\"");
    assert_true(cookie != NULL && csrf != NULL);
    (void)snprintf(door->cookie, sizeof(door->cookie), "%.*s", (int)strcspn(cookie + 12, ";"),
                   cookie + 12);
    (void)snprintf(door->csrf, sizeof(door->csrf), "%.43s", csrf + 13);
}

static void enter_root(struct door *door)
{
    set_up(setup_token, "127.0.0.1");
    assert_int_equal(a.status, 201);
    enter("root", door);
}

static void take_id(const char *prefix, char id[API_ID_SIZE])
{
    char name[16];
    (void)snprintf(name, sizeof(name), "\"id\":\"%s_", prefix);
    const char *at = strstr(a.body, name);
    assert_non_null(at);
    (void)snprintf(id, API_ID_SIZE, "%.*s", (int)strcspn(at + 6, "\""), at + 6);
}

static void add_enterprise(const struct door *root, const char *name, char id[API_ID_SIZE])
{
    char body[256];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"kind\":\"ENTERPRISE\",\"region\":\"EU\","
                   "\"timeZone\":\"UTC\"}",
                   name);
    ask_as(root, "POST", API_BASE "/enterprises", body);
    assert_int_equal(a.status, 201);
    take_id("ent", id);
}

static void add_user(const struct door *by, const char *name, const char *enterprise,
                     const char *role, const char *more)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"%s\",\"password\":\"" PASSWORD "\",\"enterpriseId\":\"%s\","
                   "\"role\":\"%s\"%s}",
                   name, enterprise, role, more);
    ask_as(by, "POST", API_BASE "/users", body);
}

static void operators_id(char id[API_ID_SIZE])
{
    api_id_write(id, "ent", AUTH_OPERATOR);
}

// --- the first person ---

static void the_token_enters_the_first_person_once(void **state)
{
    (void)state;
    set_up(setup_token, "192.0.2.1");
    assert_int_equal(a.status, 401); // from afar
    set_up("wrong", "127.0.0.1");
    assert_int_equal(a.status, 401);
    set_up(setup_token, "127.0.0.1");
    assert_int_equal(a.status, 201);
    assert_true(has("\"username\":\"root\""));
    set_up(setup_token, "127.0.0.1");
    assert_int_equal(a.status, 401);
    const uint8_t entropy[32] = {9};
    bool is_open = true;
    assert_int_equal(auth_setup_begin(lab.store, entropy, setup_token, &is_open), STORE_OK);
    assert_false(is_open); // also after a restart
    log_in("root", PASSWORD);
    assert_int_equal(a.status, 200);
    assert_true(has("\"roles\":[\"PLATFORM_ADMIN\"]"));
    assert_true(strstr(a.headers, "Set-Cookie: __Host-session=") != NULL);
    assert_true(strstr(a.headers, "; Path=/; HttpOnly; SameSite=Strict; Secure\n") != NULL);
}

static void passwords_are_kept_as_argon2id_and_shown_nowhere(void **state)
{
    (void)state;
    struct door root;
    struct auth_user user;
    enter_root(&root);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("ROOT"), &user), STORE_OK);
    assert_int_equal(strncmp(user.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    ask_as(&root, "GET", API_BASE "/users", NULL);
    assert_int_equal(a.status, 200);
    assert_false(has("argon2") || has(PASSWORD));
}

// --- log-in ---

static void unknown_and_wrong_look_the_same_and_are_limited(void **state)
{
    (void)state;
    struct door root;
    char first[sizeof(a.body)];
    enter_root(&root);
    log_in("nobody", PASSWORD);
    assert_int_equal(a.status, 401);
    memcpy(first, a.body, sizeof(first));
    for (unsigned i = 0; i < 5; i++) {
        log_in("root", "not this one");
        assert_int_equal(a.status, 401);
        assert_string_equal(a.body, first);
    }
    log_in("root", PASSWORD);
    assert_int_equal(a.status, 429);
    pass_time(15 * 60 * 1000 + 1000);
    log_in("root", PASSWORD);
    assert_int_equal(a.status, 200);
}

// Memory ends at each of the last allocations before the answer is known: those of the check.
static void a_password_that_could_not_be_checked_was_no_wrong_one(void **state)
{
    const struct ask ask = {.method = "POST",
                            .target = API_BASE "/session",
                            .authorization = "",
                            .body = "{\"username\":\"root\",\"password\":\"" PASSWORD "\"}",
                            .origin = LAB_ORIGIN,
                            .is_trial = true};
    struct door root;
    uint32_t count = UINT32_MAX;
    (void)state;
    enter_root(&root);
    for (unsigned i = 0; i < 8; i++) {
        faulty_memory_set(count - i, true);
        struct api_exchange *x = lab_start(&lab, &ask, &a);
        if (i == 0)
            count = faulty_memory_calls();
        for (unsigned j = 0; j < 8 && a.count == 0; j++)
            (void)lab_try_turn(&lab);
        faulty_memory_set(0, false);
        assert_int_equal(a.status, i == 0 ? 200 : 503);
        lab_forget(x);
    }
    log_in("root", PASSWORD);
    assert_int_equal(a.status, 200);
}

static void a_page_of_somebody_else_changes_nothing(void **state)
{
    (void)state;
    struct door root;
    static const char pool[] = "{\"name\":\"x\",\"operator\":\"x\",\"templateId\":1}";
    enter_root(&root);
    const struct ask bad[] = {
        {.csrf_token = NULL, .origin = LAB_ORIGIN},
        {.csrf_token = "wrong", .origin = LAB_ORIGIN},
        {.csrf_token = root.csrf, .origin = "https://evil.example.com"},
        {.csrf_token = root.csrf, .origin = NULL},
        {.csrf_token = root.csrf, .referer = "https://api.example.com.evil.example/"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ask ask = bad[i];
        ask.method = "POST";
        ask.target = API_BASE "/subscription-pools";
        ask.body = pool;
        ask.authorization = "";
        ask.cookie = root.cookie;
        lab_ask(&lab, &ask, &a);
        assert_int_equal(a.status, 403);
    }
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/subscription-pools",
                          .body = pool,
                          .authorization = "",
                          .cookie = root.cookie,
                          .csrf_token = root.csrf,
                          .referer = LAB_ORIGIN "/pools?page=2"},
            &a);
    assert_int_equal(a.status, 201);
    // A log-in, too, is only taken from our own page.
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/session",
                          .authorization = "",
                          .body = "{\"username\":\"root\",\"password\":\"" PASSWORD "\"}",
                          .origin = "https://evil.example.com"},
            &a);
    assert_int_equal(a.status, 403);
}

static void a_session_ends_by_itself_and_on_demand(void **state)
{
    (void)state;
    struct door root;
    enter_root(&root);
    ask_as(&root, "GET", API_BASE "/session", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"csrfToken\":\""));
    lab_ask(&lab,
            &(struct ask){.method = "DELETE",
                          .target = API_BASE "/session",
                          .authorization = "",
                          .cookie = root.cookie},
            &a);
    assert_int_equal(a.status, 403); // without its token
    ask_as(&root, "DELETE", API_BASE "/session", NULL);
    assert_int_equal(a.status, 204);
    ask_as(&root, "GET", API_BASE "/session", NULL);
    assert_int_equal(a.status, 401);
    enter("root", &root);
    pass_time(SESSION_IDLE_MS + 1000);
    ask_as(&root, "GET", API_BASE "/session", NULL);
    assert_int_equal(a.status, 401); // idle for too long
    enter("root", &root);
    for (int64_t ms = 0; ms <= SESSION_LIFE_MS; ms += SESSION_IDLE_MS - 60000) {
        ask_as(&root, "GET", API_BASE "/session", NULL);
        assert_int_equal(a.status, 200);
        pass_time(SESSION_IDLE_MS - 60000);
    }
    ask_as(&root, "GET", API_BASE "/session", NULL);
    assert_int_equal(a.status, 401); // busy, but old
    struct ask client = {.method = "GET", .target = API_BASE "/session"};
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read", LAB_TENANT, token);
    client.authorization = token;
    lab_ask(&lab, &client, &a);
    assert_int_equal(a.status, 200);
    assert_true(has("\"clientId\":\"cli_"));
    client.method = "DELETE";
    lab_ask(&lab, &client, &a);
    assert_int_equal(a.status, 409); // it came without one
}

// --- users ---

static void users_have_roles_that_fit_their_enterprise(void **state)
{
    (void)state;
    struct door root;
    char own[API_ID_SIZE];
    char north[API_ID_SIZE];
    char user[API_ID_SIZE];
    char path[128];
    operators_id(own);
    enter_root(&root);
    add_enterprise(&root, "North", north);
    add_user(&root, "op", north, "OPERATOR", "");
    assert_int_equal(a.status, 400);
    add_user(&root, "vendor", own, "VENDOR_SUPPORT", "");
    assert_int_equal(a.status, 400); // without an end
    add_user(&root, "vendor", own, "VENDOR_SUPPORT", ",\"expiresAt\":\"2026-07-30T00:00:00Z\"");
    assert_int_equal(a.status, 201);
    add_user(&root, "Capital", own, "SUPPORT", "");
    assert_int_equal(a.status, 400);
    add_user(&root, "ann", north, "ENTERPRISE_ADMIN", ",\"displayName\":\"Ann\"");
    assert_int_equal(a.status, 201);
    take_id("usr", user);
    add_user(&root, "ann", north, "ENTERPRISE_USER", "");
    assert_int_equal(a.status, 409);
    add_user(&root, "bob", "ent_00000000000000000000000000", "ENTERPRISE_USER", "");
    assert_int_equal(a.status, 404);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", user);
    ask_as(&root, "GET", path, NULL);
    assert_true(has("\"displayName\":\"Ann\"") && has("\"role\":\"ENTERPRISE_ADMIN\""));
    ask_as(&root, "PATCH", path, "{\"locked\":true}");
    assert_int_equal(a.status, 200);
    log_in("ann", PASSWORD);
    assert_int_equal(a.status, 401);
    ask_as(&root, "PATCH", path, "{\"locked\":false,\"displayName\":\"Anna\"}");
    assert_int_equal(a.status, 200);
    struct ask stale = {.method = "PATCH", .target = path, .body = "{}", .if_match = "\"1\""};
    lab_ask(&lab, &stale, &a);
    assert_int_equal(a.status, 412);
    stale.method = "DELETE";
    stale.body = NULL;
    lab_ask(&lab, &stale, &a);
    assert_int_equal(a.status, 412);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s/password", user);
    ask_as(&root, "POST", path, "{\"password\":\"short\"}");
    assert_int_equal(a.status, 400);
    ask_as(&root, "POST", path, "{\"password\":\"a much longer one\"}");
    assert_int_equal(a.status, 204);
    log_in("ann", PASSWORD);
    assert_int_equal(a.status, 401);
    log_in("ann", "a much longer one");
    assert_int_equal(a.status, 200);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", user);
    ask_as(&root, "DELETE", path, NULL);
    assert_int_equal(a.status, 204);
    ask_as(&root, "GET", API_BASE "/users?enterpriseId=ent_0", NULL);
    assert_true(has("\"totalCount\":0"));
    // Nobody locks or deletes themselves.
    ask_as(&root, "GET", API_BASE "/session", NULL);
    take_id("usr", user);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", user);
    ask_as(&root, "PATCH", path, "{\"locked\":true}");
    assert_int_equal(a.status, 409);
    ask_as(&root, "DELETE", path, NULL);
    assert_int_equal(a.status, 409);
}

static void a_suspended_enterprise_is_shut(void **state)
{
    (void)state;
    struct door root;
    struct door ann;
    char north[API_ID_SIZE];
    char path[128];
    enter_root(&root);
    add_enterprise(&root, "North", north);
    add_user(&root, "ann", north, "ENTERPRISE_ADMIN", "");
    enter("ann", &ann);
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", north);
    ask_as(&root, "PATCH", path, "{\"status\":\"SUSPENDED\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"SUSPENDED\""));
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 403);
    ask_as(&root, "PATCH", path, "{\"status\":\"ACTIVE\"}");
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    ask_as(&ann, "GET", path, NULL);
    assert_int_equal(a.status, 403); // enterprises are the operator's
    lab_ask(&lab,
            &(struct ask){.method = "PATCH", .target = path, .body = "{}", .if_match = "\"1\""},
            &a);
    assert_int_equal(a.status, 412);
    add_enterprise(&root, "South", north);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", north);
    ask_as(&root, "PATCH", path, "{\"name\":\"North\"}");
    assert_int_equal(a.status, 409);
    ask_as(&root, "POST", API_BASE "/enterprises",
           "{\"name\":\"North\",\"kind\":\"ENTERPRISE\",\"region\":\"EU\",\"timeZone\":\"UTC\"}");
    assert_int_equal(a.status, 409);
    ask_as(&root, "GET", API_BASE "/enterprises", NULL);
    assert_true(has("\"totalCount\":3"));
    ask_as(&root, "GET", path, NULL);
    assert_int_equal(a.status, 200);
}

static void an_enterprise_is_shut_when_its_agreement_ends(void **state)
{
    (void)state;
    struct door root;
    struct door ann;
    char north[API_ID_SIZE];
    char path[128];
    enter_root(&root);
    add_enterprise(&root, "North", north);
    add_user(&root, "ann", north, "ENTERPRISE_ADMIN", "");
    enter("ann", &ann);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", north);
    ask_as(&root, "PATCH", path, "{\"agreement\":{\"expiresAt\":\"2027-01-01T00:00:00Z\"}}");
    assert_int_equal(a.status, 400);
    assert_true(has("agreement.reference"));
    ask_as(&root, "PATCH", path,
           "{\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"2026-07-24T12:20:00Z\"}}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"agreement\":{\"reference\":\"88\","));
    const int64_t end_ms = 1784895600000; // 2026-07-24T12:20:00Z
    lab.now.utc.ms = end_ms - 60000;
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    lab.now.utc.ms = end_ms;
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 403);
    ask_as(&root, "PATCH", path, "{\"agreement\":{\"reference\":\"89\"}}"); // without an end
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    ask_as(&root, "PATCH", path,
           "{\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"2026-07-24T12:20:00Z\"}}");
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 403);
    ask_as(&root, "PATCH", path, "{\"agreement\":null}"); // taken off
    assert_int_equal(a.status, 200);
    assert_false(has("agreement"));
    ask_as(&ann, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    ask_as(&root, "POST", API_BASE "/enterprises",
           "{\"name\":\"East\",\"kind\":\"ENTERPRISE\",\"region\":\"CN\",\"timeZone\":\"UTC\","
           "\"agreement\":null}");
    assert_int_equal(a.status, 400);
}

// --- enterprises see nothing of each other ---

// What B has, all of it marked.
struct marked {
    uint64_t enterprise;
    char card[API_ID_SIZE], pool[API_ID_SIZE], user[API_ID_SIZE];
};

static void ask_with(const char *token, const char *method, const char *target, const char *body)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static void make_card(struct marked *b, const char *token)
{
    struct record record;
    char path[256];
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    struct record next = record;
    next.tenant = b->enterprise;
    next.group =
        lab_grant(&lab, b->enterprise, GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_MOVE));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    api_id_write(b->card, "crd", card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s", b->card);
    ask_with(token, "PATCH", path, "{\"labels\":[\"" CANARY "\"],\"note\":\"" CANARY "\"}");
    assert_int_equal(a.status, 200);
    assert_true(has(CANARY)); // B itself sees it
}

static void make_marked(const struct door *root, struct marked *b)
{
    char south[API_ID_SIZE];
    char token[LAB_TOKEN_SIZE];
    add_enterprise(root, "South " CANARY, south);
    assert_true(api_id_read(bytes_of_text(south), "ent", &b->enterprise));
    add_user(root, CANARY, south, "ENTERPRISE_ADMIN", ",\"displayName\":\"" CANARY "\"");
    take_id("usr", b->user);
    lab_client(&lab, "all", b->enterprise, token);
    ask_with(token, "POST", API_BASE "/subscription-pools",
             "{\"name\":\"" CANARY "\",\"operator\":\"" CANARY "\",\"templateId\":1}");
    assert_int_equal(a.status, 201);
    take_id("pol", b->pool);
    ask_with(token, "POST", API_BASE "/profile-templates",
             "{\"name\":\"" CANARY "\",\"templateId\":1,\"files\":[{\"fileId\":\"6F07\","
             "\"content\":\"{IMSI}\"}]}");
    assert_int_equal(a.status, 201);
    make_card(b, token);
}

static void nothing_of_b_is_ever_sent_to_a(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "/cards",
        "/operations",
        "/subscription-pools",
        "/subscriptions",
        "/profile-templates",
        "/batch-imports",
        "/dirty-cards",
        "/dirty-cards/summary",
        "/audit-trail",
        "/users",
        "/users?perPage=100",
        "/session",
        "/cards?label=canary-of-b",
    };
    struct door root;
    struct door ann;
    struct marked b;
    char north[API_ID_SIZE];
    char path[256];
    enter_root(&root);
    add_enterprise(&root, "North", north);
    add_user(&root, "ann", north, "ENTERPRISE_ADMIN", "");
    make_marked(&root, &b);
    enter("ann", &ann);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        (void)snprintf(path, sizeof(path), API_BASE "%s", lists[i]);
        ask_as(&ann, "GET", path, NULL);
        assert_int_equal(a.status, 200);
        // The links of a list repeat what was asked; nothing else may have it.
        assert_false(has(CANARY));
        assert_true(strchr(lists[i], '?') != NULL || strstr(a.headers, CANARY) == NULL);
    }
    for (unsigned i = 1; i <= 12; i++) {
        (void)snprintf(path, sizeof(path), API_BASE "/audit-trail/%u", i);
        ask_as(&ann, "GET", path, NULL);
        assert_true(a.status == 404 || has(north)); // rows of its own only
    }
    ask_as(&ann, "POST", API_BASE "/cards/search", "{\"iccid\":\"89999000000000000012\"}");
    assert_true(has("\"totalCount\":0"));
}

// The same answer as for an id that nobody has.
static void expect_unknown(const struct door *door, const char *method, const char *before,
                           const char *prefix, const char *id, const char *after)
{
    char nobody[API_ID_SIZE];
    char path[256];
    char first[sizeof(a.body)];
    api_id_write(nobody, prefix, NOBODYS_ID);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, nobody, after);
    ask_as(door, method, path, NULL);
    assert_int_equal(a.status, 404);
    memcpy(first, a.body, sizeof(first));
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, id, after);
    ask_as(door, method, path, NULL);
    assert_int_equal(a.status, 404);
    assert_string_equal(a.body, first);
}

static void objects_of_b_are_as_unknown_to_a_as_none(void **state)
{
    (void)state;
    static const char *const views[] = {
        "",           "/timeline", "/messages", "/audit-trail", "/operations", "/subscriptions",
        "/parameters"};
    struct door root;
    struct door ann;
    struct marked b;
    char north[API_ID_SIZE];
    char south[API_ID_SIZE];
    enter_root(&root);
    add_enterprise(&root, "North", north);
    add_user(&root, "ann", north, "ENTERPRISE_ADMIN", "");
    make_marked(&root, &b);
    enter("ann", &ann);
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        expect_unknown(&ann, "GET", "/cards/", "crd", b.card, views[i]);
    expect_unknown(&ann, "GET", "/subscription-pools/", "pol", b.pool, "");
    expect_unknown(&ann, "GET", "/users/", "usr", b.user, "");
    expect_unknown(&ann, "DELETE", "/users/", "usr", b.user, "");
    expect_unknown(&ann, "POST", "/dirty-cards/", "crd", b.card, "/audit");
    api_id_write(south, "ent", b.enterprise);
    add_user(&ann, "spy", south, "ENTERPRISE_USER", "");
    assert_int_equal(a.status, 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_token_enters_the_first_person_once),
        TEST(passwords_are_kept_as_argon2id_and_shown_nowhere),
        TEST(unknown_and_wrong_look_the_same_and_are_limited),
        TEST(a_password_that_could_not_be_checked_was_no_wrong_one),
        TEST(a_page_of_somebody_else_changes_nothing),
        TEST(a_session_ends_by_itself_and_on_demand),
        TEST(users_have_roles_that_fit_their_enterprise),
        TEST(a_suspended_enterprise_is_shut),
        TEST(an_enterprise_is_shut_when_its_agreement_ends),
        TEST(nothing_of_b_is_ever_sent_to_a),
        TEST(objects_of_b_are_as_unknown_to_a_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
