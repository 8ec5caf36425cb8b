// Clients that are known by their certificates.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define CARDS API_BASE "/cards"
#define ISSUER "CN=Example CA,O=Example"
#define SUBJECT "CN=billing,O=Example"

static struct lab lab;
static struct answer a;
static char own[API_ID_SIZE], path[256], client_id[API_ID_SIZE];

// 00 01 .. 1F, as the hexadecimal digits below say.
#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
static uint8_t sha256[32], other_sha256[32];

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

static void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

static const char *client_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s%s", client_id, after);
    return path;
}

static unsigned add(const char *mechanism, const char *certificate)
{
    char body[1024];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"billing\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"%s\"],\"certificate\":%s}",
                   own, mechanism, certificate);
    ask("POST", API_BASE "/api-clients", body);
    if (a.status != 201)
        return a.status;
    const char *id = strstr(a.body, "\"id\":\"") + 6;
    (void)snprintf(client_id, sizeof(client_id), "%.*s", (int)strcspn(id, "\""), id);
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    return 201;
}

static unsigned shown(const struct ask *more)
{
    struct ask r = *more;
    r.method = r.method != NULL ? r.method : "GET";
    r.target = r.target != NULL ? r.target : CARDS;
    r.authorization = "";
    lab_ask(&lab, &r, &a);
    return a.status;
}

static void a_client_is_known_by_the_digest_of_its_certificate(void **state)
{
    (void)state;
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 401);
    assert_int_equal(add("tls_client_auth", "{\"sha256\":\"" DIGEST "\"}"), 201);
    ask("GET", client_path(""), NULL);
    assert_non_null(strstr(a.body, "\"certificate\":{\"sha256\":\"" DIGEST "\"}"));
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 200);
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = other_sha256}), 401);
    assert_int_equal(shown(&(struct ask){0}), 401); // who shows none
    // Its scopes are those of the record.
    assert_int_equal(
        shown(&(struct ask){.certificate_sha256 = sha256, .target = API_BASE "/users"}), 403);
}

static void a_client_is_known_by_the_names_in_its_certificate(void **state)
{
    (void)state;
    assert_int_equal(
        add("tls_client_auth", "{\"issuer\":\"" ISSUER "\",\"subject\":\"" SUBJECT "\"}"), 201);
    const struct ask right = {
        .certificate_sha256 = other_sha256, .issuer = ISSUER, .subject = SUBJECT};
    assert_int_equal(shown(&right), 200); // whatever its digest: it was renewed
    struct ask wrong = right;
    wrong.issuer = "CN=Another CA";
    assert_int_equal(shown(&wrong), 401);
    wrong = right;
    wrong.subject = "CN=billing";
    assert_int_equal(shown(&wrong), 401);
}

static void a_certificate_that_is_not_believed_is_refused_whatever_else_is_right(void **state)
{
    (void)state;
    assert_int_equal(add("tls_client_auth", "{\"sha256\":\"" DIGEST "\"}"), 201);
    const struct ask doubted = {
        .method = "GET", .target = CARDS, .certificate_sha256 = sha256, .is_doubted = true};
    assert_int_equal(shown(&doubted), 401);
    lab_ask(&lab, &doubted, &a); // with a token that is right
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.body, "UNAUTHENTICATED"));
}

static void only_the_mechanism_that_was_approved_serves(void **state)
{
    (void)state;
    assert_int_equal(add("hmac", "{\"sha256\":\"" DIGEST "\"}"), 201);
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 401);
    ask("PATCH", client_path(""), "{\"mechanisms\":[\"hmac\",\"tls_client_auth\"]}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"status\":\"REQUESTED\""));
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 403); // not yet
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 200);
    ask("PATCH", client_path(""), "{\"status\":\"SUSPENDED\"}");
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 403);
    ask("POST", client_path("/revoke"), "{\"reason\":\"lost\"}");
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 403);
}

static void another_certificate_takes_the_place_of_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(add("tls_client_auth", "{\"sha256\":\"" DIGEST "\"}"), 201);
    ask("PATCH", client_path(""),
        "{\"certificate\":{\"issuer\":\"" ISSUER "\",\"subject\":\"" SUBJECT "\"}}");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"status\":\"REQUESTED\"")); // another person has to look
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(shown(&(struct ask){.certificate_sha256 = sha256}), 401);
    assert_int_equal(
        shown(&(struct ask){.certificate_sha256 = sha256, .issuer = ISSUER, .subject = SUBJECT}),
        200);
}

static void two_clients_cannot_have_one_certificate(void **state)
{
    (void)state;
    assert_int_equal(add("tls_client_auth", "{\"sha256\":\"" DIGEST "\"}"), 201);
    assert_int_equal(add("tls_client_auth", "{\"sha256\":\"" DIGEST "\"}"), 409);
    assert_non_null(strstr(a.body, "ALREADY_EXISTS"));
}

static void a_foreign_page_cannot_use_a_certificate_of_its_visitor(void **state)
{
    (void)state;
    assert_int_equal(add("tls_client_auth", "{\"sha256\":\"" DIGEST "\"}"), 201);
    assert_int_equal(
        shown(&(struct ask){.certificate_sha256 = sha256, .origin = "https://evil.example"}), 403);
}

static void a_certificate_that_says_too_little_or_too_much_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{}",
        "{\"sha256\":\"00\"}",
        "{\"sha256\":\"" DIGEST "00\"}",
        "{\"sha256\":\"g0010203040506070809000b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}",
        "{\"issuer\":\"" ISSUER "\"}",
        "{\"subject\":\"" SUBJECT "\"}",
        "{\"sha256\":\"" DIGEST "\",\"issuer\":\"a\",\"subject\":\"b\"}",
        "{\"sha256\":\"" DIGEST "\",\"colour\":\"red\"}",
        "\"" DIGEST "\"",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(add("tls_client_auth", rows[i]), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(a_client_is_known_by_the_digest_of_its_certificate),
        TEST(a_client_is_known_by_the_names_in_its_certificate),
        TEST(a_certificate_that_is_not_believed_is_refused_whatever_else_is_right),
        TEST(only_the_mechanism_that_was_approved_serves),
        TEST(another_certificate_takes_the_place_of_the_one_before),
        TEST(two_clients_cannot_have_one_certificate),
        TEST(a_foreign_page_cannot_use_a_certificate_of_its_visitor),
        TEST(a_certificate_that_says_too_little_or_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
