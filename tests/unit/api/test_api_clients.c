// API clients: their life, their secrets, and the ways in which they prove who they are.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define TOKEN "/oauth2/token"
#define FORM "application/x-www-form-urlencoded"
#define NOW_S 1784894400
#define ENDPOINT "https://api.example.com/oauth2/token"

static struct lab lab;
static struct answer a;
static char own[API_ID_SIZE], path[256];
static char app_key[32], app_secret[64], client_id[API_ID_SIZE];

static int open_with(bool single_person)
{
    lab_open(&lab, "all", single_person);
    api_id_write(own, "ent", LAB_TENANT);
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    return open_with(true);
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// Where nobody is a second person to itself.
static int open_for_two(void **state)
{
    (void)state;
    return open_with(false);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void ask_with(const char *token, const char *method, const char *target, const char *body)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static void ask_as(const struct door *door, const char *method, const char *target,
                   const char *body)
{
    lab_ask_as(&lab, door, method, target, body, &a);
}

static void ask(const char *method, const char *target, const char *body)
{
    ask_with(NULL, method, target, body);
}

static void ask_form(const char *target, const char *body)
{
    lab_ask(
        &lab,
        &(struct ask){
            .method = "POST", .target = target, .type = FORM, .body = body, .authorization = ""},
        &a);
}

static void take_text(const char *member, char *to, size_t size)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "\"%s\":\"", member);
    const char *at = strstr(a.body, name);
    if (at == NULL)
        fail_msg("%s %s: no %s in %s", a.asked.method, a.asked.target, member, a.body);
    at += strlen(name);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static const char *client_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s%s", client_id, after);
    return path;
}

// Asks for a client with these members besides, and remembers it.
static void add_client(const char *name, const char *mechanism, const char *more)
{
    char body[2048];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"%s\"]%s}",
                   name, own, mechanism, more);
    ask("POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 201);
    assert_true(has("\"status\":\"REQUESTED\""));
    take_text("id", client_id, sizeof(client_id));
    take_text("appKey", app_key, sizeof(app_key));
}

static void ask_token(void)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "grant_type=client_credentials&client_id=%s&client_secret=%s&scope="
                   "connectivity-management:cards:read",
                   app_key, app_secret);
    ask_form(TOKEN, body);
}

static void ask_scopes(const char *scopes)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s", app_key,
                   app_secret, scopes);
    ask_form(TOKEN, body);
}

static void one_purpose_of_a_token_stands_in_the_trail(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "dpv:ServiceProvision", // of no scope
        "connectivity-management:cards:read+dpv:A+dpv:B",
        "connectivity-management:cards:read+dpv:", "connectivity-management:cards:read+dpv:a%22b",
        ("connectivity-management:cards:read+dpv:"
         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1")};
    struct door other;
    char token[LAB_TOKEN_SIZE] = "Bearer ";
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    add_client("purpose", "client_secret", "");
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    ask_as(&other, "POST", client_path("/approve"), "{}");
    assert_int_equal(a.status, 200);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ask_scopes(wrong[i]);
        assert_int_equal(a.status, 400);
        assert_true(has("invalid_scope"));
    }
    ask_scopes("dpv:FraudPrevention+connectivity-management:cards:read");
    assert_int_equal(a.status, 200);
    assert_true(has("\"scope\":\"dpv:FraudPrevention connectivity-management:cards:read\""));
    take_text("access_token", token + strlen(token), sizeof(token) - strlen(token));
    lab_ask(&lab,
            &(struct ask){.method = "GET", .target = API_BASE "/cards", .authorization = token},
            &a);
    assert_int_equal(a.status, 200);
    ask("GET", API_BASE "/audit-trail?action=token.issued", NULL);
    assert_true(has("\"totalCount\":1,") && has("\"reason\":\"dpv:FraudPrevention\""));
}

// --- their life ---

static void a_client_is_approved_by_somebody_else(void **state)
{
    (void)state;
    struct door one;
    struct door other;
    lab_user(&lab, "one", ROLE_PLATFORM_ADMIN, LAB_TENANT, &one);
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    add_client("app", "client_secret", "");
    ask("POST", client_path("/secrets"), NULL);
    assert_int_equal(a.status, 201);
    take_text("appSecret", app_secret, sizeof(app_secret));
    ask_token();
    assert_int_equal(a.status, 401); // nobody approved it
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 403); // a machine is no second person
    ask_as(&one, "PATCH", client_path(""), "{\"mechanisms\":[\"client_secret\",\"hmac\"]}");
    assert_int_equal(a.status, 200);
    ask_as(&one, "POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 403); // whoever asked cannot
    ask_as(&other, "POST", client_path("/approve"), "{\"reason\":\"contract 88\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"ACTIVE\""));
    ask_as(&other, "POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 409);
    ask_token();
    assert_int_equal(a.status, 200);
    char token[LAB_TOKEN_SIZE] = "Bearer ";
    take_text("access_token", token + 7, sizeof(token) - 7);
    ask_with(token, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    ask_with(token, "GET", API_BASE "/operations", NULL);
    assert_int_equal(a.status, 403);
    ask("PATCH", client_path(""), "{\"status\":\"SUSPENDED\",\"ratePerSecond\":7}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"SUSPENDED\"") && has("\"ratePerSecond\":7"));
    ask_with(token, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 401);
    ask("PATCH", client_path(""), "{\"status\":\"ACTIVE\"}");
    assert_int_equal(a.status, 200);
    ask_with(token, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 401); // it stays ended
    ask("POST", client_path("/revoke"), "{\"reason\":\"over\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"REVOKED\"") && has("\"secrets\":[]"));
    ask("POST", client_path("/revoke"), "{\"reason\":\"over\"}");
    assert_int_equal(a.status, 409);
    ask("PATCH", client_path(""), "{\"status\":\"ACTIVE\"}");
    assert_int_equal(a.status, 409);
    ask_with(token, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 401);
}

static void what_was_approved_is_what_there_is(void **state)
{
    (void)state;
    struct door one;
    struct door other;
    static const char more[] = "{\"scopes\":[\"cards:read\",\"clients:read\"]}";
    lab_user(&lab, "one", ROLE_PLATFORM_ADMIN, LAB_TENANT, &one);
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    add_client("app", "client_secret", "");
    // Whoever changes the request has asked for it, and cannot approve it.
    ask_as(&other, "PATCH", client_path(""), more);
    assert_int_equal(a.status, 200);
    ask_as(&other, "POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 403);
    ask_as(&one, "POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    // The same once more, or less, is still what was approved.
    ask("PATCH", client_path(""), more);
    assert_true(has("\"status\":\"ACTIVE\""));
    ask("PATCH", client_path(""), "{\"scopes\":[\"cards:read\"],\"name\":\"b\"}");
    assert_true(has("\"status\":\"ACTIVE\""));
    static const char *const wider[] = {
        more,
        "{\"mechanisms\":[\"client_secret\",\"hmac\"]}",
        "{\"jwks\":{\"keys\":[]}}",
        "{\"scopes\":[\"cards:read\",\"keys:write\"],\"status\":\"ACTIVE\"}",
    };
    for (size_t i = 0; i < sizeof(wider) / sizeof(wider[0]); i++) {
        ask_as(&one, "PATCH", client_path(""), wider[i]);
        assert_int_equal(a.status, 200);
        assert_true(has("\"status\":\"REQUESTED\""));
        ask_as(&one, "POST", client_path("/approve"), NULL);
        assert_int_equal(a.status, 403);
        ask_as(&other, "POST", client_path("/approve"), NULL);
        assert_int_equal(a.status, 200);
    }
    // A revoked one stays revoked.
    ask("POST", client_path("/revoke"), "{\"reason\":\"over\"}");
    ask("PATCH", client_path(""), "{\"mechanisms\":[\"private_key_jwt\"]}");
    assert_int_equal(a.status, 409);
}

// A client acts for the person who asked for it: the two are one person.
static void a_client_and_who_asked_for_it_are_one_person(void **state)
{
    (void)state;
    struct door one;
    struct door other;
    char token[LAB_TOKEN_SIZE] = "Bearer ";
    char body[512];
    lab_user(&lab, "one", ROLE_PLATFORM_ADMIN, LAB_TENANT, &one);
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    add_client("app", "client_secret", "");
    ask_as(&one, "PATCH", client_path(""), "{\"scopes\":[\"clients:read\",\"clients:write\"]}");
    ask_as(&other, "POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    ask_as(&one, "POST", client_path("/secrets"), NULL);
    assert_int_equal(a.status, 201);
    take_text("appSecret", app_secret, sizeof(app_secret));
    (void)snprintf(body, sizeof(body),
                   "grant_type=client_credentials&client_id=%s&client_secret=%s&scope="
                   "connectivity-management:clients:read+connectivity-management:clients:write",
                   app_key, app_secret);
    ask_form(TOKEN, body);
    assert_int_equal(a.status, 200);
    take_text("access_token", token + 7, sizeof(token) - 7);
    char id[API_ID_SIZE];
    api_id_write(id, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"second\",\"scopes\":[\"clients:read\"],\"mechanisms\":[\"hmac\"],"
                   "\"enterpriseId\":\"%s\"}",
                   id);
    ask_with(token, "POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 201);
    char second[256];
    char second_id[API_ID_SIZE];
    take_text("id", second_id, sizeof(second_id));
    (void)snprintf(second, sizeof(second), API_BASE "/api-clients/%s/approve", second_id);
    ask_as(&one, "POST", second, NULL);
    assert_int_equal(a.status, 403);
    ask_as(&other, "POST", second, NULL);
    assert_int_equal(a.status, 200);
}

static void decide_user(const struct door *door, const char *verb, unsigned status)
{
    static char approval[API_ID_SIZE], hash[65], target[256], body[128];
    (void)snprintf(target, sizeof(target), API_BASE "/approvals?state=OPEN");
    ask_as(door, "GET", target, NULL);
    take_text("id", approval, sizeof(approval));
    take_text("requestHash", hash, sizeof(hash));
    (void)snprintf(target, sizeof(target), API_BASE "/approvals/%s/%s", approval, verb);
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\"}", hash);
    ask_as(door, "POST", target, body);
    if (a.status != status)
        fail_msg("%u instead of %u: %s", a.status, status, a.body);
}

// What an operator may and entering one takes, each behind `before` and followed by `after`.
static const char *operators_scopes(const char *before, const char *after)
{
    static char text[4096];
    size_t len = 0;
    for (size_t i = 0; client_scopes[i] != NULL; i++) {
        if (user_role_has(ROLE_OPERATOR, client_scopes[i]) ||
            strcmp(client_scopes[i], "users:write") == 0)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s", before,
                                    client_scopes[i], after);
    }
    text[len - 1] = '\0';
    return text;
}

// One asked for it, the other gave it a further secret: what it asks for neither decides.
static void whoever_had_a_secret_of_a_client_does_not_decide_for_it(void **state)
{
    (void)state;
    struct door one, other, third;
    char token[LAB_TOKEN_SIZE] = "Bearer ";
    static char body[8192];
    lab_user(&lab, "one", ROLE_PLATFORM_ADMIN, LAB_TENANT, &one);
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    lab_user(&lab, "third", ROLE_PLATFORM_ADMIN, LAB_TENANT, &third);
    add_client("app", "client_secret", "");
    (void)snprintf(body, sizeof(body), "{\"scopes\":[%s]}", operators_scopes("\"", "\","));
    ask_as(&one, "PATCH", client_path(""), body);
    assert_int_equal(a.status, 200);
    ask_as(&third, "POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    ask_as(&other, "POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    (void)snprintf(body, sizeof(body),
                   "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s", app_key,
                   app_secret, operators_scopes("connectivity-management:", "+"));
    ask_form(TOKEN, body);
    take_text("access_token", token + 7, sizeof(token) - 7);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"eve\",\"password\":\"correct horse battery\","
                   "\"role\":\"OPERATOR\",\"enterpriseId\":\"%s\"}",
                   own);
    ask_with(token, "POST", API_BASE "/users", body);
    assert_int_equal(a.status, 202);
    // A secret that is over changes nothing.
    ask_as(&other, "DELETE", client_path("/secrets/1"), NULL);
    assert_int_equal(a.status, 204);
    decide_user(&one, "approve", 403);
    decide_user(&other, "approve", 403);
    decide_user(&third, "approve", 200);
}

static void nobody_takes_a_way_in_as_a_client_that_may_more(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    lab_client(&lab, "clients:read,clients:write,cards:read", LAB_TENANT, poor);
    add_client("app", "hmac", "");
    ask_with(poor, "POST", client_path("/secrets"), NULL);
    assert_int_equal(a.status, 201);
    ask("PATCH", client_path(""), "{\"scopes\":[\"keys:write\"]}");
    assert_int_equal(a.status, 200);
    ask_with(poor, "POST", client_path("/secrets"), NULL);
    assert_int_equal(a.status, 403);
    ask_with(poor, "PATCH", client_path(""), "{\"jwks\":{\"keys\":[]}}");
    assert_int_equal(a.status, 403);
    ask_with(poor, "PATCH", client_path(""), "{\"scopes\":[\"users:write\"]}");
    assert_int_equal(a.status, 400);
    ask_with(poor, "PATCH", client_path(""), "{\"name\":\"b\"}");
    assert_int_equal(a.status, 200);
}

static void secrets_are_shown_once_and_rotated(void **state)
{
    (void)state;
    char first[64];
    add_client("app", "client_secret", "");
    ask("POST", client_path("/approve"), NULL);
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    memcpy(first, app_secret, sizeof(first));
    ask("GET", client_path(""), NULL);
    assert_false(has(first));
    ask("POST", client_path("/secrets"), "{\"overlapSeconds\":60}");
    assert_int_equal(a.status, 201);
    assert_true(has("\"number\":2"));
    ask("POST", client_path("/secrets"), NULL);
    assert_int_equal(a.status, 409);
    ask_token();
    assert_int_equal(a.status, 200); // the old one still serves
    lab.now.utc.ms += 61000;
    lab.now.instant.ms += 61000;
    ask_token();
    assert_int_equal(a.status, 401);
    ask("POST", client_path("/secrets"), NULL); // the ended one has made place
    assert_int_equal(a.status, 201);
    assert_true(has("\"number\":3"));
    ask("DELETE", client_path("/secrets/2"), NULL);
    assert_int_equal(a.status, 204);
    ask("DELETE", client_path("/secrets/2"), NULL); // asked for once more, it takes no other
    assert_int_equal(a.status, 404);
    ask("GET", client_path(""), NULL);
    assert_true(has("\"secrets\":[{\"number\":3}]"));
    lab_ask(&lab,
            &(struct ask){
                .method = "PATCH", .target = client_path(""), .body = "{}", .if_match = "\"1\""},
            &a);
    assert_int_equal(a.status, 412);
    ask("GET", API_BASE "/api-clients", NULL);
    assert_true(has("\"totalCount\":2"));
}

static void a_client_gets_no_more_than_its_maker_has(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    char north[API_ID_SIZE];
    char body[512];
    ask("POST", API_BASE "/enterprises",
        "{\"name\":\"North\",\"kind\":\"ENTERPRISE\",\"region\":\"EU\",\"timeZone\":\"UTC\"}");
    take_text("id", north, sizeof(north));
    uint64_t enterprise = 0;
    assert_true(api_id_read(bytes_of_text(north), "ent", &enterprise));
    lab_client(&lab, "clients:write,clients:read,cards:read", enterprise, poor);
    static const char pattern[] = "{\"name\":\"x\",\"enterpriseId\":\"%s\",\"scopes\":[\"%s\"],"
                                  "\"mechanisms\":[\"hmac\"]}";
    (void)snprintf(body, sizeof(body), pattern, north, "keys:write");
    ask_with(poor, "POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 400);
    (void)snprintf(body, sizeof(body), pattern, own, "cards:read");
    ask_with(poor, "POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 404); // another's enterprise
    (void)snprintf(body, sizeof(body), pattern, north, "cards:read");
    ask_with(poor, "POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 201);
    ask_with(poor, "GET", API_BASE "/api-clients", NULL);
    assert_true(has("\"totalCount\":2"));
}

static void a_scope_is_taken_as_it_is_published(void **state)
{
    (void)state;
    static const char pattern[] = "{\"name\":\"x\",\"enterpriseId\":\"%s\",\"scopes\":[\"%s\"],"
                                  "\"mechanisms\":[\"hmac\"]}";
    static const char *const wrong[] = {
        "cards:reed", "connectivity-management:cards:reed",
        "connectivity-management:iot-device-management:esim-profiles:enable"};
    char body[512];
    (void)snprintf(body, sizeof(body), pattern, own,
                   "cards:read\",\"connectivity-management:cards:write\","
                   "\"connectivity-management:cards:read\","
                   "\"iot-device-management:esim-profiles:enable");
    ask("POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 201);
    assert_true(has("\"scopes\":[\"cards:read\",\"cards:write\","
                    "\"iot-device-management:esim-profiles:enable\"]"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char named[128];
        (void)snprintf(body, sizeof(body), pattern, own, wrong[i]);
        (void)snprintf(named, sizeof(named), "Unknown scope %s: ", wrong[i]);
        ask("POST", API_BASE "/api-clients", body);
        assert_true(a.status == 400 && has(named) && has("\"field\":\"scopes\""));
    }
}

// --- proofs ---

static void a_client_proves_itself_only_as_agreed(void **state)
{
    (void)state;
    add_client("app", "hmac", "");
    ask("POST", client_path("/approve"), NULL);
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    ask_token();
    assert_int_equal(a.status, 401);
    assert_true(has("\"error\":\"invalid_client\",\"error_description\":\"Prove the client "));
}

static void a_token_is_given_back(void **state)
{
    (void)state;
    char body[512];
    char token[LAB_TOKEN_SIZE] = "Bearer ";
    add_client("app", "client_secret", "");
    ask("POST", client_path("/approve"), NULL);
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    ask_token();
    take_text("access_token", token + 7, sizeof(token) - 7);
    ask_with(token, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    ask_form("/oauth2/revoke", "client_id=x&client_secret=y&token=z");
    assert_int_equal(a.status, 401);
    ask_form("/oauth2/revoke", "client_id=x&client_secret=y");
    assert_int_equal(a.status, 400);
    // Another's token is left alone.
    (void)snprintf(body, sizeof(body), "client_id=%s&client_secret=%s&token=%s", app_key,
                   app_secret, lab.token + 7);
    ask_form("/oauth2/revoke", body);
    assert_int_equal(a.status, 200);
    ask("GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    (void)snprintf(body, sizeof(body), "client_id=%s&client_secret=%s&token=%s", app_key,
                   app_secret, token + 7);
    ask_form("/oauth2/revoke", body);
    assert_int_equal(a.status, 200);
    ask_with(token, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 401);
}

// What one client says of itself at an endpoint, about a token.
static void ask_about(const char *endpoint, const char *key, const char *secret, const char *token)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "client_id=%s&client_secret=%s&token=%s", key, secret,
                   token);
    ask_form(endpoint, body);
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, 7, len);
    return true;
}

#define INTROSPECT "/oauth2/introspect"

static void the_operator_asks_what_a_token_is_worth(void **state)
{
    (void)state;
    const char *key = lab.credentials.app_key;
    const char *secret = lab.credentials.app_secret;
    char token[64];
    char times[64];
    add_client("app", "client_secret", "");
    ask("POST", client_path("/approve"), NULL);
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    lab.now.utc.ms = NOW_S * 1000ll;
    ask_token();
    take_text("access_token", token, sizeof(token));
    ask_about(INTROSPECT, key, secret, token);
    assert_int_equal(a.status, 200);
    (void)snprintf(times, sizeof(times), "\"iat\":%d,\"exp\":%d", NOW_S, NOW_S + 3600);
    assert_true(has("\"active\":true") && has(app_key) && has(times) &&
                has("\"scope\":\"connectivity-management:cards:read\"") &&
                has("\"iss\":\"https://api.example.com\"") && !has(token));
    ask_about(INTROSPECT, key, secret, "nobody");
    assert_string_equal(a.body, "{\"active\":false}");
    ask_about(INTROSPECT, key, "wrong", token);
    assert_int_equal(a.status, 401);
    ask_about(INTROSPECT, key, secret, token);
    assert_int_equal(a.status, 200);
    ask("PATCH", client_path(""), "{\"status\":\"SUSPENDED\"}");
    ask_about(INTROSPECT, key, secret, token);
    assert_string_equal(a.body, "{\"active\":false}");
    ask_about(INTROSPECT, key, secret, lab.token + strlen("Bearer "));
    assert_true(has("\"active\":true"));
    lab.now.utc.ms += AUTH_TOKEN_LIFE_S * 1000ll;
    ask_about(INTROSPECT, key, secret, lab.token + strlen("Bearer "));
    assert_string_equal(a.body, "{\"active\":false}");
}

static bool holds(const uint8_t *octets, size_t len, const char *text)
{
    bool is_there = false;
    for (size_t i = 0; i + strlen(text) <= len && !is_there; i++)
        is_there = memcmp(octets + i, text, strlen(text)) == 0;
    return is_there;
}

static void secrets_of_a_form_do_not_stay_in_memory(void **state)
{
    (void)state;
    static const char *const endpoints[] = {"/oauth2/token", "/oauth2/revoke", INTROSPECT};
    const char *secret = lab.credentials.app_secret;
    char body[512];
    for (size_t i = 0; i < 2 * sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        (void)snprintf(body, sizeof(body),
                       "client_id=%s&client_secret=%s&grant_type=client_credentials%s",
                       lab.credentials.app_key, secret, i % 2 == 0 ? "&token=canary" : "");
        struct api_exchange *x =
            lab_start(&lab,
                      &(struct ask){.method = "POST",
                                    .target = endpoints[i / 2],
                                    .authorization = "",
                                    .type = "application/x-www-form-urlencoded",
                                    .body = body},
                      &a);
        lab_turn(&lab);
        assert_int_equal(a.count, 1);
        assert_false(holds(x->query.decoded, sizeof(x->query.decoded), secret));
        assert_false(holds(x->query.decoded, sizeof(x->query.decoded), "canary"));
        lab_forget(x);
    }
}

static void an_enterprise_does_not_ask_about_tokens(void **state)
{
    (void)state;
    const struct client_new wanted = {
        .name = "theirs", .scopes = "cards:read", .tenant = 77, .now = lab.now.utc, .fill = fill};
    struct client_credentials theirs;
    assert_int_equal(client_add(lab.store, &lab.client_key, &wanted, &theirs), CLIENT_OK);
    ask_about(INTROSPECT, theirs.app_key, theirs.app_secret, lab.token + strlen("Bearer "));
    assert_int_equal(a.status, 400);
    assert_true(has("\"error\":\"unauthorized_client\",\"error_description\":\"Ask as "));
}

static void a_client_gets_no_token_from_a_network_that_is_none_of_its_own(void **state)
{
    (void)state;
    add_client("app", "client_secret", ",\"sourceCidrs\":[\"192.0.2.0/24\"]");
    ask("POST", client_path("/approve"), NULL);
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
    ask_token(); // from 192.0.2.1
    assert_int_equal(a.status, 200);
    ask("PATCH", client_path(""), "{\"sourceCidrs\":[\"198.51.100.0/24\"]}");
    ask("POST", client_path("/approve"), NULL);
    ask_token();
    assert_int_equal(a.status, 401);
    assert_true(has("\"error\":\"invalid_client\""));
}

static void strangers_find_the_way(void **state)
{
    (void)state;
    ask_with("", "GET", "/.well-known/openid-configuration", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"issuer\":\"https://api.example.com\"") &&
                has("\"token_endpoint\":\"" ENDPOINT "\"") &&
                has("\"connectivity-management:cards:read\""));
    char first[sizeof(a.body)];
    memcpy(first, a.body, sizeof(first));
    ask_with("", "GET", "/.well-known/oauth-authorization-server", NULL);
    assert_string_equal(a.body, first);
    ask_with("", "GET", "/.well-known/jwks.json", NULL);
    assert_true(
        has("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\",") &&
        has("\"x\":\"") && !has("\"d\":"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
#define TEST_OF_TWO(name) cmocka_unit_test_setup_teardown(name, open_for_two, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OF_TWO(one_purpose_of_a_token_stands_in_the_trail),
        TEST_OF_TWO(a_client_is_approved_by_somebody_else),
        TEST_OF_TWO(what_was_approved_is_what_there_is),
        TEST(nobody_takes_a_way_in_as_a_client_that_may_more),
        TEST_OF_TWO(a_client_and_who_asked_for_it_are_one_person),
        TEST_OF_TWO(whoever_had_a_secret_of_a_client_does_not_decide_for_it),
        TEST(secrets_are_shown_once_and_rotated),
        TEST(a_client_gets_no_more_than_its_maker_has),
        TEST(a_scope_is_taken_as_it_is_published),
        TEST(a_client_proves_itself_only_as_agreed),
        TEST(a_token_is_given_back),
        TEST(the_operator_asks_what_a_token_is_worth),
        TEST(secrets_of_a_form_do_not_stay_in_memory),
        TEST(an_enterprise_does_not_ask_about_tokens),
        TEST(a_client_gets_no_token_from_a_network_that_is_none_of_its_own),
        TEST(strangers_find_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
