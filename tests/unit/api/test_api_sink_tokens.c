// Sinks whose access tokens the server asks for itself.
#include "ota-server/service/auth_jwt.h"
#include "ota-server/service/sink_token.h"
#include "tests/unit/api/sink_lab.h"

#include <stdio.h>

#define ENDPOINT "https://id.example.com/token"
#define JWT_CREDENTIAL "\"sinkCredential\":{\"credentialType\":\"PRIVATE_KEY_JWT\"}"
#define GIVEN "{\"access_token\":\"t-%u\",\"token_type\":\"Bearer\",\"expires_in\":%u}"

#define OTHER "https://id.example.com/other"

static char token[LAB_TOKEN_SIZE], client[API_ID_SIZE], sink[API_ID_SIZE];
static uint64_t owner = LAB_TENANT; // of the next client

// A client whose record has an endpoint; approved by the operator's.
static void make_client(void)
{
    struct auth_client made;
    char at[256];
    lab_client(&lab, "events:read,events:write", owner, token);
    assert_int_equal(auth_token_find(lab.store, NULL, bytes_of_text(token + strlen("Bearer ")),
                                     lab.now.utc, &made),
                     STORE_OK);
    api_id_write(client, "cli", made.id);
    (void)snprintf(at, sizeof(at), API_BASE "/api-clients/%s", client);
    ask("PATCH", at,
        "{\"sinkTokenEndpoint\":{\"tokenUri\":\"" ENDPOINT "\",\"clientId\":\"our \\\"name\\\"\"}}",
        200);
    assert_true(says("\"status\":\"REQUESTED\"") && // somebody looks where the server will ask
                says("\"sinkTokenEndpoint\":{\"tokenUri\":\"" ENDPOINT "\","));
    (void)snprintf(at, sizeof(at), API_BASE "/api-clients/%s/approve", client);
    ask("POST", at, NULL, 200);
}

// Its tokens ended with the approval; the next one.
static void renew(void)
{
    uint64_t id = 0;
    struct auth_client made;
    static char fresh[] = "fresh-token-of-the-client-0123456789-012345";
    fresh[0]++;
    assert_true(api_id_read(bytes_of_text(client), "cli", &id));
    assert_int_equal(auth_client_get(lab.store, id, &made), STORE_OK);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(auth_token_put(lab.store, turn_id(lab.turn, lab.now.utc), &made, fresh,
                                    bytes_of_text("connectivity-management:events:read "
                                                  "connectivity-management:events:write"),
                                    lab.now.utc),
                     STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    (void)snprintf(token, sizeof(token), "Bearer %s", fresh);
}

static void add_jwt_sink(void)
{
    make_client();
    renew();
    ask_as(token, "POST", SINKS,
           "{\"sink\":\"" HOOK
           "\",\"types\":[" T("card-dirty") "," T("card-clean") "]," JWT_CREDENTIAL "}",
           201);
    memcpy(sink, last_id("snk"), sizeof(sink));
}

static void give(size_t index, unsigned number, unsigned life_s)
{
    char body[128];
    (void)snprintf(body, sizeof(body), GIVEN, number, life_s);
    answer_body(index, 200, body);
}

static bool is_question(size_t index)
{
    return strcmp(sents[index].url, ENDPOINT) == 0;
}

static bool has_token(size_t index, const char *text)
{
    char line[64];
    (void)snprintf(line, sizeof(line), "Authorization: Bearer %s\n", text);
    return strcmp(sents[index].url, HOOK) == 0 && strstr(sents[index].headers, line) != NULL;
}

// What the server signed, by the keys of that path.
static bool is_signed_by(size_t index, const char *keys)
{
    char jti[JWT_JTI_MAX + 1];
    json_t *jwks = NULL;
    const char *assertion = strstr(sents[index].body, "&client_assertion=");
    assert_non_null(assertion);
    ask_as("", "GET", keys, NULL, 200);
    assert_int_equal(json_read(bytes_of_text(a.body), &jwks), JSON_READ_OK);
    const struct jwt_expected expected = {.client = "our \"name\"",
                                          .audiences = {ENDPOINT, ENDPOINT},
                                          .now = lab.now.utc,
                                          .jwks = jwks};
    const bool is_signed =
        jwt_check(bytes_of_text(assertion + strlen("&client_assertion=")), &expected, jti);
    json_decref(jwks);
    return is_signed;
}

static const char *keys_of_enterprise(uint64_t id)
{
    static char at[64];
    char text[API_ID_SIZE];
    api_id_write(text, "ent", id);
    (void)snprintf(at, sizeof(at), "/.well-known/jwks/%s", text);
    return at;
}

// Else whoever enters another enterprise's endpoint would get its tokens.
static void the_server_signs_for_each_enterprise_with_a_key_of_its_own(void **state)
{
    (void)state;
    owner = TENANT_A;
    add_jwt_sink();
    owner = LAB_TENANT;
    ask_as(token, "POST", sink_path(sink, "/test"), NULL, 202);
    sinks_look(sinks);
    work();
    assert_true(is_question(0));
    assert_true(is_signed_by(0, keys_of_enterprise(TENANT_A)));
    assert_false(is_signed_by(0, keys_of_enterprise(TENANT_B)));
    assert_false(is_signed_by(0, "/.well-known/jwks.json")); // that of the operator
    static char own[sizeof(a.body)];
    memcpy(own, a.body, sizeof(own));
    ask_as("", "GET", keys_of_enterprise(AUTH_OPERATOR), NULL, 200);
    assert_string_equal(a.body, own);
    ask_as("", "GET", "/.well-known/jwks/nobody", NULL, 404);
}

static void each_client_keeps_a_token_of_its_own(void **state)
{
    (void)state;
    add_jwt_sink();
    add_jwt_sink();
    dirty(card);
    work();
    assert_int_equal(sent_count, 2);
    assert_true(is_question(0) && is_question(1));
    give(0, 1, 3600);
    give(1, 2, 3600);
    assert_true(has_token(2, "t-1") && has_token(3, "t-2"));
    answer_with(2, 204);
    answer_with(3, 204);
    clean(card);
    work();
    assert_int_equal(sent_count, 6);
    assert_true((has_token(4, "t-1") && has_token(5, "t-2")) ||
                (has_token(4, "t-2") && has_token(5, "t-1")));
}

static void change_client(const char *body)
{
    char at[256];
    (void)snprintf(at, sizeof(at), API_BASE "/api-clients/%s", client);
    ask("PATCH", at, body, 200);
}

static void move_endpoint(void)
{
    char at[256];
    change_client("{\"sinkTokenEndpoint\":{\"tokenUri\":\"" OTHER "\",\"clientId\":\"other\"}}");
    (void)snprintf(at, sizeof(at), API_BASE "/api-clients/%s/approve", client);
    ask("POST", at, NULL, 200);
}

static void a_token_ends_with_what_the_record_said(void **state)
{
    (void)state;
    add_jwt_sink();
    dirty(card);
    work();
    give(0, 1, 3600);
    answer_with(1, 204);
    move_endpoint();
    clean(card);
    work();
    assert_int_equal(sent_count, 3);
    assert_string_equal(sents[2].url, OTHER);
    give(2, 2, 3600);
    assert_true(has_token(3, "t-2"));
    answer_with(3, 204);
    change_client("{\"status\":\"SUSPENDED\"}");
    dirty(card);
    work();
    assert_int_equal(sent_count, 4);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"statusReason\":\"CREDENTIAL\""));
}

static void an_answer_to_what_was_asked_before_is_no_token(void **state)
{
    (void)state;
    add_jwt_sink();
    dirty(card);
    work();
    move_endpoint();
    give(0, 1, 3600);
    assert_int_equal(sent_count, 2);
    assert_string_equal(sents[1].url, OTHER);
}

static void the_server_proves_who_it_is_and_sends_what_it_got(void **state)
{
    (void)state;
    add_jwt_sink();
    assert_true(says("\"credentialClientId\":\"cli_"));
    dirty(card);
    work();
    assert_int_equal(sent_count, 1);
    assert_true(is_question(0));
    assert_non_null(strstr(sents[0].headers, "Content-Type: application/x-www-form-urlencoded\n"));
    assert_null(strstr(sents[0].headers, "Authorization"));
    static const char start[] = "grant_type=client_credentials&client_assertion_type="
                                "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
                                "&client_assertion=";
    assert_memory_equal(sents[0].body, start, sizeof(start) - 1);
    assert_true(is_signed_by(0, "/.well-known/jwks.json"));
    give(0, 1, 300);
    assert_int_equal(sent_count, 2);
    assert_true(has_token(1, "t-1"));
    assert_true(is_of_type(1, "card-dirty"));
    answer_with(1, 204);
    // Until 30 s before its end it serves again.
    work_for(260000);
    clean(card);
    work();
    assert_int_equal(sent_count, 3);
    assert_true(has_token(2, "t-1"));
    answer_with(2, 204);
    work_for(15000);
    dirty(card);
    work();
    assert_int_equal(sent_count, 4);
    assert_true(is_question(3));
    give(3, 2, 300);
    assert_true(has_token(4, "t-2"));
    answer_with(4, 204);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"status\":\"OK\"") && !says("t-2"));
}

static void a_refused_token_is_asked_for_anew_and_three_suspend_the_sink(void **state)
{
    (void)state;
    add_jwt_sink();
    dirty(card);
    work();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sent_count, 2 * i + 1);
        assert_true(is_question(2 * i));
        give(2 * i, i, 3600);
        assert_int_equal(sent_count, 2 * i + 2);
        answer_with(2 * i + 1, 401);
        work_for(40000);
    }
    assert_int_equal(sent_count, 6);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"status\":\"SUSPENDED\"") && says("\"statusReason\":\"CREDENTIAL\""));
    // Given the same credential once more, it is asked again.
    renew();
    ask_as(token, "PATCH", sink_path(sink, ""), "{" JWT_CREDENTIAL "}", 200);
    sinks_look(sinks);
    work();
    assert_true(is_question(6));
    give(6, 9, 3600);
    assert_true(has_token(7, "t-9"));
}

static void an_endpoint_that_gives_no_token_is_an_attempt_that_failed(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *body;
    } rows[] = {
        {500, ""},
        {0, ""},
        {401, "{\"error\":\"invalid_client\"}"},
        {200, "nonsense"},
        {200, "{\"access_token\":\"a b\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}"},
        {200, "{\"access_token\":\"x\",\"token_type\":\"mac\"}"},
        {200, "{\"access_token\":\"x\"}"},
        {200, "{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"expires_in\":\"soon\"}"},
        {200, "{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"expires_in\":0}"},
    };
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    add_jwt_sink();
    dirty(card);
    dirty(card2);
    work();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sent_count, i + 1); // one at a time
        assert_true(is_question(i));
        answer_body(i, rows[i].status, rows[i].body);
        work_for(4000000);
    }
    ask("GET", DELIVERIES "?state=WAITING", NULL, 200);
    assert_true(says("\"lastProblem\":\"NO_TOKEN\""));
    give(count, 7, 60);
    assert_true(has_token(count + 1, "t-7"));
}

static void a_token_that_does_not_say_how_long_it_lives_lives_a_minute(void **state)
{
    (void)state;
    add_jwt_sink();
    dirty(card);
    work();
    answer_body(0, 200, "{\"access_token\":\"x\",\"token_type\":\"bearer\"}");
    assert_true(has_token(1, "x"));
    answer_with(1, 200);
    work_for(31000);
    clean(card);
    work();
    assert_true(is_question(2));
}

static void a_client_that_may_not_work_gets_no_tokens(void **state)
{
    (void)state;
    char at[256];
    add_jwt_sink();
    (void)snprintf(at, sizeof(at), API_BASE "/api-clients/%s", client);
    ask("PATCH", at, "{\"status\":\"SUSPENDED\"}", 200);
    dirty(card);
    work();
    work();
    assert_int_equal(sent_count, 0);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_true(says("\"statusReason\":\"CREDENTIAL\""));
}

static bool see_none(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return true;
}

static uint64_t kept_secrets(void)
{
    const struct document_filter filter = {.kind = SINK_SECRET_KIND, .state = -1};
    const struct store_page page = {.limit = 9};
    uint64_t count = 0;
    assert_int_equal(store_documents(lab.store, &filter, &page, see_none, NULL, &count), STORE_OK);
    return count;
}

// What was entered for one address is not sent to another.
static void a_sink_that_moves_leaves_its_credential_behind(void **state)
{
    (void)state;
    add_jwt_sink();
    ask("PATCH", sink_path(sink, ""), "{\"sink\":\"" HOOK "\"}", 200); // no other one
    assert_true(says("credentialClientId"));
    ask("PATCH", sink_path(sink, ""), "{\"sink\":\"https://elsewhere.example.com/\"}", 200);
    assert_false(says("credentialClientId"));
    ask_as(token, "PATCH", sink_path(sink, ""), "{" CREDENTIAL "}", 200);
    assert_true(says("credentialExpiresAt"));
    ask("PATCH", sink_path(sink, ""), "{\"sink\":\"" HOOK "\"}", 200);
    assert_false(says("credentialExpiresAt"));
    assert_int_equal(kept_secrets(), 0);
    dirty(card);
    work();
    assert_string_equal(sents[0].url, HOOK);
    assert_null(strstr(sents[0].headers, "Authorization"));
}

static void a_credential_is_entered_where_the_client_may_enter_sinks(void **state)
{
    (void)state;
    make_client();
    change_client("{\"sinkPrefixes\":[{\"prefix\":\"https://other.example.com\"}]}");
    renew();
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty")), sizeof(sink));
    ask_as(token, "PATCH", sink_path(sink, ""), "{" JWT_CREDENTIAL "}", 400);
    assert_true(says("\"code\":\"INVALID_SINK\""));
    ask_as(token, "PATCH", sink_path(sink, ""), "{" CREDENTIAL "}", 400);
    ask_as(token, "PATCH", sink_path(sink, ""),
           "{\"sink\":\"https://other.example.com/\"," JWT_CREDENTIAL "}", 200);
    ask_as(token, "PATCH", sink_path(sink, ""), "{" CREDENTIAL "}", 200);
}

static void one_credential_takes_the_place_of_the_other(void **state)
{
    (void)state;
    add_jwt_sink();
    ask_as(token, "PATCH", sink_path(sink, ""), "{" CREDENTIAL "}", 200);
    assert_true(says("credentialExpiresAt") && !says("credentialClientId"));
    dirty(card);
    work();
    assert_true(has_token(0, TOKEN));
    answer_with(0, 200);
    renew();
    ask_as(token, "PATCH", sink_path(sink, ""), "{" JWT_CREDENTIAL "}", 200);
    assert_true(!says("credentialExpiresAt") && says("credentialClientId"));
    assert_int_equal(kept_secrets(), 0);
    clean(card);
    work();
    assert_true(is_question(1));
    // People, and clients without an endpoint, have nobody to ask.
    ask("PATCH", sink_path(sink, ""), "{" JWT_CREDENTIAL "}", 400);
    assert_true(says("\"code\":\"INVALID_CREDENTIAL\""));
    ask_as(token, "PATCH", sink_path(sink, ""),
           "{\"sinkCredential\":{\"credentialType\":\"PRIVATE_KEY_JWT\",\"accessToken\":\"x\"}}",
           400);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        ONE(the_server_proves_who_it_is_and_sends_what_it_got),
        ONE(the_server_signs_for_each_enterprise_with_a_key_of_its_own),
        ONE(each_client_keeps_a_token_of_its_own),
        ONE(a_token_ends_with_what_the_record_said),
        ONE(an_answer_to_what_was_asked_before_is_no_token),
        ONE(a_sink_that_moves_leaves_its_credential_behind),
        ONE(a_credential_is_entered_where_the_client_may_enter_sinks),
        ONE(a_refused_token_is_asked_for_anew_and_three_suspend_the_sink),
        ONE(an_endpoint_that_gives_no_token_is_an_attempt_that_failed),
        ONE(a_token_that_does_not_say_how_long_it_lives_lives_a_minute),
        ONE(a_client_that_may_not_work_gets_no_tokens),
        ONE(one_credential_takes_the_place_of_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
