// Tokens that serve only over a connection with the certificate of who got them [RFC 8705 §3].
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define CARDS API_BASE "/cards"
#define ISSUER "CN=Example CA,O=Example"
#define SUBJECT "CN=billing,O=Example"
// 00 01 .. 1F: the certificate of the client, in hexadecimal and in base64url.
#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define THUMBPRINT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define BY_DIGEST ",\"certificate\":{\"sha256\":\"" DIGEST "\"}"
#define BY_NAMES ",\"certificate\":{\"issuer\":\"" ISSUER "\",\"subject\":\"" SUBJECT "\"}"
#define BOUND ",\"certificateBoundTokens\":true"

static struct lab lab;
static struct answer a;
static char own[API_ID_SIZE], path[256], client_id[API_ID_SIZE];
static char app_key[AUTH_APP_KEY_SIZE + 1], app_secret[AUTH_TOKEN_SIZE];
static uint8_t sha256[32], other_sha256[32]; // the second is all zeros

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    api_id_write(own, "ent", LAB_TENANT);
    for (size_t i = 0; i < sizeof(sha256); i++)
        sha256[i] = (uint8_t)i;
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

static void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

static void take_text(const char *member, char *to, size_t size)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "\"%s\":\"", member);
    const char *at = strstr(a.body, name);
    assert_non_null(at);
    at += strlen(name);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static const char *client_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s%s", client_id, after);
    return path;
}

static unsigned request_client(const char *mechanism, const char *more)
{
    char body[1024];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"billing\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\","
                   "\"imports:write\"],"
                   "\"mechanisms\":[\"%s\"]%s}",
                   own, mechanism, more);
    ask("POST", API_BASE "/api-clients", body);
    return a.status;
}

static void add(const char *mechanism, const char *more)
{
    assert_int_equal(request_client(mechanism, more), 201);
    take_text("id", client_id, sizeof(client_id));
    take_text("appKey", app_key, sizeof(app_key));
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
}

static void add_with_secret(const char *more)
{
    add("client_secret", more);
    ask("POST", client_path("/secrets"), NULL);
    take_text("appSecret", app_secret, sizeof(app_secret));
}

// At an endpoint, as the client of the test names itself; `secret` NULL: not by one.
static unsigned ask_form(const char *target, const struct ask *how, const char *secret,
                         const char *more)
{
    char body[512];
    struct ask r = *how;
    (void)snprintf(body, sizeof(body), "client_id=%s%s%s%s", app_key,
                   secret != NULL ? "&client_secret=" : "", secret != NULL ? secret : "", more);
    r.method = "POST";
    r.target = target;
    r.type = "application/x-www-form-urlencoded";
    r.body = body;
    r.authorization = r.authorization != NULL ? r.authorization : "";
    lab_ask(&lab, &r, &a);
    return a.status;
}

#define SCOPE "&scope=connectivity-management:cards:read+connectivity-management:imports:write"
#define GRANT "&grant_type=client_credentials" SCOPE

static unsigned ask_token(const struct ask *how, const char *secret)
{
    return ask_form("/oauth2/token", how, secret, GRANT);
}

static void take_token(char token[LAB_TOKEN_SIZE])
{
    assert_int_equal(a.status, 200);
    memcpy(token, "Bearer ", 8);
    take_text("access_token", token + 7, LAB_TOKEN_SIZE - 7);
}

static unsigned use(const char *token, const struct ask *how)
{
    struct ask r = *how;
    r.method = "GET";
    r.target = CARDS;
    r.authorization = token;
    lab_ask(&lab, &r, &a);
    return a.status;
}

static const struct ask none = {0};
static const struct ask right = {.certificate_sha256 = sha256};
static const struct ask other = {.certificate_sha256 = other_sha256};
static const struct ask doubted = {.certificate_sha256 = sha256, .is_doubted = true};

static void a_stolen_token_serves_nobody_without_the_certificate(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    add("tls_client_auth", BY_DIGEST);
    assert_int_equal(ask_token(&right, NULL), 200);
    take_token(token);
    assert_true(has("\"token_type\":\"Bearer\"") && !has(THUMBPRINT));
    assert_int_equal(use(token, &right), 200);
    assert_int_equal(use(token, &none), 401);
    assert_true(has("UNAUTHENTICATED"));
    assert_int_equal(use(token, &other), 401);
    assert_true(has("UNAUTHENTICATED"));
    assert_int_equal(use(token, &doubted), 401);
    // It has the scopes that were asked for, also over the certificate.
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = API_BASE "/users",
                          .authorization = token,
                          .certificate_sha256 = sha256},
            &a);
    assert_int_equal(a.status, 403);
}

static void a_token_serves_no_other_client_that_is_known_by_its_certificate(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char theirs[LAB_TOKEN_SIZE];
    char zeros[256];
    add("tls_client_auth", BY_DIGEST);
    assert_int_equal(ask_token(&right, NULL), 200);
    take_token(token);
    (void)snprintf(zeros, sizeof(zeros), ",\"certificate\":{\"sha256\":\"%064d\"}", 0);
    add("tls_client_auth", zeros);
    assert_int_equal(ask_token(&right, NULL), 401); // it names itself, and shows the first one's
    assert_int_equal(ask_token(&other, NULL), 200);
    take_token(theirs);
    assert_int_equal(use(theirs, &other), 200);
    assert_int_equal(use(theirs, &right), 401);
    assert_int_equal(use(token, &other), 401);
    assert_int_equal(use(token, &right), 200);
}

static void a_token_is_bound_to_the_certificate_itself_and_not_to_its_names(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    const struct ask first = {.certificate_sha256 = sha256, .issuer = ISSUER, .subject = SUBJECT};
    struct ask renewed = first;
    renewed.certificate_sha256 = other_sha256;
    add("tls_client_auth", BY_NAMES);
    assert_int_equal(ask_token(&right, NULL), 401); // without the names
    assert_int_equal(ask_token(&first, NULL), 200);
    take_token(token);
    assert_int_equal(use(token, &first), 200);
    assert_int_equal(use(token, &renewed), 401);
    assert_int_equal(ask_token(&renewed, NULL), 200);
    take_token(token);
    assert_int_equal(use(token, &renewed), 200);
    assert_int_equal(use(token, &first), 401);
}

static void who_does_not_show_the_clients_certificate_gets_no_token(void **state)
{
    (void)state;
    struct ask foreign = right;
    struct ask twofold = right;
    foreign.origin = "https://evil.example";
    twofold.authorization = "Basic QTpC";
    add("tls_client_auth", BY_DIGEST);
    const struct ask *const wrong[] = {&none, &other, &foreign, &twofold};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(ask_token(wrong[i], NULL), 401);
        assert_true(has("\"error\":\"invalid_client\",\"error_description\":\"Prove the client "));
    }
    assert_int_equal(ask_token(&doubted, NULL), 401);
    assert_int_equal(ask_token(&right, app_secret), 401); // a secret that it does not have
    assert_int_equal(ask_form("/oauth2/token", &right, NULL, "&grant_type=client_credentials"),
                     400);
    assert_true(has("invalid_scope"));
    ask("PATCH", client_path(""), "{\"status\":\"SUSPENDED\"}");
    assert_int_equal(ask_token(&right, NULL), 401);
    memset(app_key, 'A', AUTH_APP_KEY_SIZE); // nobody's
    assert_int_equal(ask_token(&right, NULL), 401);
    add_with_secret(",\"certificate\":{\"issuer\":\"" ISSUER "\",\"subject\":\"" SUBJECT "\"}");
    const struct ask named = {
        .certificate_sha256 = other_sha256, .issuer = ISSUER, .subject = SUBJECT};
    assert_int_equal(ask_token(&named, NULL), 401); // the mechanism was not approved
}

static void a_token_for_a_secret_is_not_bound_unasked(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    add_with_secret(BY_DIGEST);
    assert_int_equal(ask_token(&right, app_secret), 200);
    take_token(token);
    assert_int_equal(use(token, &none), 200);
    assert_int_equal(use(token, &other), 200);
}

static void a_client_that_wants_bound_tokens_is_given_no_others(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    add_with_secret(BY_DIGEST BOUND);
    ask("GET", client_path(""), NULL);
    assert_true(has("\"certificateBoundTokens\":true"));
    const struct ask *const wrong[] = {&none, &other};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(ask_token(wrong[i], app_secret), 400);
        assert_true(
            has("\"error\":\"invalid_request\",\"error_description\":\"Show the certificate "));
    }
    assert_int_equal(ask_token(&right, "wrong"), 401);
    assert_int_equal(ask_token(&right, app_secret), 200);
    take_token(token);
    assert_int_equal(use(token, &right), 200);
    assert_int_equal(use(token, &other), 401);
    assert_int_equal(use(token, &none), 401);
}

static unsigned introspect(const char *token)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "client_id=%s&client_secret=%s&token=%s",
                   lab.credentials.app_key, lab.credentials.app_secret, token + 7);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = "/oauth2/introspect",
                          .type = "application/x-www-form-urlencoded",
                          .authorization = "",
                          .body = body},
            &a);
    return a.status;
}

static void what_was_given_before_serves_no_more_once_tokens_are_to_be_bound(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    add_with_secret(BY_DIGEST);
    ask("GET", client_path(""), NULL);
    assert_true(has("\"certificateBoundTokens\":false"));
    assert_int_equal(ask_token(&right, app_secret), 200);
    take_token(token);
    assert_int_equal(use(token, &right), 200);
    ask("PATCH", client_path(""), "{\"certificateBoundTokens\":true}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"ACTIVE\"")); // narrower than what was approved
    assert_int_equal(use(token, &right), 401);
    assert_int_equal(introspect(token), 200);
    assert_string_equal(a.body, "{\"active\":false}");
    ask("PATCH", client_path(""), "{\"name\":\"other\"}");
    assert_true(has("\"certificateBoundTokens\":true"));
    ask("PATCH", client_path(""), "{\"certificateBoundTokens\":false}");
    assert_true(has("\"status\":\"REQUESTED\"")); // another person has to look
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(use(token, &right), 401); // it has ended for good
}

static void tokens_cannot_be_bound_to_a_certificate_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(request_client("client_secret", BOUND), 400);
    assert_true(has("INVALID_ARGUMENT") && has("\"field\":\"certificateBoundTokens\""));
    assert_int_equal(request_client("client_secret", BY_DIGEST ",\"certificateBoundTokens\":1"),
                     400);
    add_with_secret("");
    ask("PATCH", client_path(""), "{\"certificateBoundTokens\":true}");
    assert_int_equal(a.status, 400);
    ask("GET", client_path(""), NULL);
    assert_true(has("\"certificateBoundTokens\":false"));
    assert_int_equal(ask_token(&none, app_secret), 200);
}

static void the_operator_is_told_what_a_token_is_bound_to(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char more[LAB_TOKEN_SIZE + 16];
    add("tls_client_auth", BY_DIGEST);
    assert_int_equal(ask_token(&right, NULL), 200);
    take_token(token);
    assert_int_equal(introspect(token), 200); // it need not show the certificate
    assert_true(has("\"active\":true") && has("\"cnf\":{\"x5t#S256\":\"" THUMBPRINT "\"}") &&
                has("\"scope\":\"connectivity-management:cards:read"));
    assert_int_equal(introspect(lab.token), 200);
    assert_true(has("\"active\":true") && !has("cnf"));
    // A certificate proves who asks at this endpoint, too.
    (void)snprintf(more, sizeof(more), "&token=%s", token + 7);
    assert_int_equal(ask_form("/oauth2/introspect", &right, NULL, more), 200);
    assert_true(has("\"active\":true"));
    assert_int_equal(ask_form("/oauth2/introspect", &none, NULL, more), 401);
    assert_int_equal(ask_form("/oauth2/introspect", &doubted, NULL, more), 401);
}

static void a_token_is_given_back_by_who_shows_the_certificate(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char more[LAB_TOKEN_SIZE + 16];
    add("tls_client_auth", BY_DIGEST);
    assert_int_equal(ask_token(&right, NULL), 200);
    take_token(token);
    (void)snprintf(more, sizeof(more), "&token=%s", token + 7);
    assert_int_equal(ask_form("/oauth2/revoke", &none, NULL, more), 401);
    assert_int_equal(ask_form("/oauth2/revoke", &doubted, NULL, more), 401);
    assert_int_equal(use(token, &right), 200);
    assert_int_equal(ask_form("/oauth2/revoke", &right, NULL, more), 200);
    assert_int_equal(use(token, &right), 401);
    assert_int_equal(ask_form("/oauth2/revoke", &right, NULL, more), 200); // nothing is left to end
    ask("GET", API_BASE "/audit-trail?action=token.revoked", NULL);
    assert_true(has("\"totalCount\":1,"));
}

static void a_bound_token_is_bound_after_a_restart(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    add("tls_client_auth", BY_DIGEST BOUND);
    assert_int_equal(ask_token(&right, NULL), 200);
    take_token(token);
    lab_reopen_api(&lab);
    assert_int_equal(use(token, &none), 401);
    assert_int_equal(use(token, &right), 200);
}

// Who has no proof that the server would take shall not fill its disk either.
static void a_large_body_is_taken_from_who_shows_the_certificate_alone(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    add("tls_client_auth", BY_DIGEST);
    assert_int_equal(ask_token(&right, NULL), 200);
    take_token(token);
    struct api_request request = {.method = bytes_of_text("POST"),
                                  .path = bytes_of_text(API_BASE "/batch-imports"),
                                  .authorization = bytes_of_text(token)};
    assert_int_equal(api_body_limit(lab.api, &request, lab.now.utc), API_BODY_MAX);
    request.has_certificate = true;
    memcpy(request.certificate_sha256, sha256, sizeof(sha256));
    assert_int_equal(api_body_limit(lab.api, &request, lab.now.utc), API_BODY_MAX); // not believed
    request.certificate_is_believed = true;
    assert_int_equal(api_body_limit(lab.api, &request, lab.now.utc), API_UPLOAD_MAX);
    request.path = bytes_of_text(API_BASE "/uploads"); // without the scope
    assert_int_equal(api_body_limit(lab.api, &request, lab.now.utc), API_BODY_MAX);
    request.path = bytes_of_text(API_BASE "/batch-imports");
    const struct utc late = utc_after(lab.now.utc, 86400 * 1000);
    assert_int_equal(api_body_limit(lab.api, &request, late), API_BODY_MAX); // the token is over
    ask("POST", client_path("/revoke"), "{\"reason\":\"stolen\"}");
    assert_int_equal(api_body_limit(lab.api, &request, lab.now.utc), API_BODY_MAX);
}

static void strangers_learn_that_tokens_can_be_bound(void **state)
{
    (void)state;
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = "/.well-known/oauth-authorization-server",
                          .authorization = ""},
            &a);
    assert_int_equal(a.status, 200);
    assert_true(has("\"tls_client_certificate_bound_access_tokens\":true") &&
                has("\"tls_client_auth\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(a_stolen_token_serves_nobody_without_the_certificate),
        TEST(a_token_serves_no_other_client_that_is_known_by_its_certificate),
        TEST(a_token_is_bound_to_the_certificate_itself_and_not_to_its_names),
        TEST(who_does_not_show_the_clients_certificate_gets_no_token),
        TEST(a_token_for_a_secret_is_not_bound_unasked),
        TEST(a_client_that_wants_bound_tokens_is_given_no_others),
        TEST(what_was_given_before_serves_no_more_once_tokens_are_to_be_bound),
        TEST(tokens_cannot_be_bound_to_a_certificate_that_is_not_there),
        TEST(the_operator_is_told_what_a_token_is_bound_to),
        TEST(a_token_is_given_back_by_who_shows_the_certificate),
        TEST(a_bound_token_is_bound_after_a_restart),
        TEST(a_large_body_is_taken_from_who_shows_the_certificate_alone),
        TEST(strangers_learn_that_tokens_can_be_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
