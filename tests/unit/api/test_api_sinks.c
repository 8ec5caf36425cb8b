// Event sinks: entering them, whose events they are told, and how those are signed.
#include "tests/unit/api/sink_lab.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

// --- entering them -------------------------------------------------------------------------------

static void a_sink_is_entered_changed_and_removed(void **state)
{
    (void)state;
    ask("POST", SINKS,
        "{\"sink\":\"" HOOK "\",\"protocol\":\"HTTP\",\"types\":[" T("card-dirty") "]," CREDENTIAL
                                                                                   "}",
        201);
    assert_false(says(TOKEN));
    assert_true(says("\"status\":\"OK\""));
    assert_true(says("\"credentialExpiresAt\":\"2027-01-01T00:00:00.000Z\""));
    char id[API_ID_SIZE];
    memcpy(id, last_id("snk"), sizeof(id));
    ask("GET", SINKS, NULL, 200);
    assert_true(says(HOOK));
    assert_false(says(TOKEN));
    ask("PATCH", sink_path(id, ""), "{\"types\":[" T("card-clean") "," T("switched") "]}", 200);
    assert_true(says(T("card-clean") "," T("switched")));
    assert_true(says(HOOK));
    lab_ask(&lab,
            &(struct ask){.method = "PATCH",
                          .target = sink_path(id, ""),
                          .body = "{\"sink\":\"" HOOK "2\"}",
                          .if_match = "\"1\""},
            &a);
    assert_int_equal(a.status, 412);
    lab_ask(&lab,
            &(struct ask){.method = "DELETE", .target = sink_path(id, ""), .if_match = "\"1\""},
            &a);
    assert_int_equal(a.status, 412);
    ask("GET", sink_path(id, ""), NULL, 200);
    assert_false(says(TOKEN));
    ask("DELETE", sink_path(id, ""), NULL, 204);
    ask("GET", sink_path(id, ""), NULL, 404);
    ask("DELETE", sink_path(id, ""), NULL, 404);
    ask("PATCH", sink_path(id, ""), "{}", 404);
    ask("POST", sink_path(id, "/test"), NULL, 404);
    ask("POST", sink_path(id, "/secrets"), NULL, 404);
    ask("GET", API_BASE "/audit-trail", NULL, 200);
    assert_false(says(TOKEN));
}

static void what_cannot_be_a_sink_is_refused(void **state)
{
    (void)state;
#define S(url) "{\"sink\":\"" url "\",\"types\":[" T("card-dirty") "]}"
#define C(credential)                                                                              \
    "{\"sink\":\"" HOOK "\",\"types\":[" T("card-dirty") "],\"sinkCredential\":{" credential "}}"
    static const struct {
        const char *body, *code;
    } wrong[] = {
        {S("http://events.example.com/"), "INVALID_SINK"},
        {S("https://user@events.example.com/"), "INVALID_SINK"},
        {S("https://events.example.com/#x"), "INVALID_SINK"},
        {S("https://0x7f.1/"), "INVALID_SINK"},
        {S("nonsense"), "INVALID_SINK"},
        {"{\"types\":[" T("card-dirty") "]}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\"}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[]}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[" T("imei-changed") "]}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[" T("test") "]}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[\"card-dirty\"]}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[1]}", "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[" T("switched") "," T("switched") "]}",
         "INVALID_ARGUMENT"},
        {"{\"sink\":\"" HOOK "\",\"types\":[" T("switched") "],\"protocol\":\"MQTT5\"}",
         "INVALID_PROTOCOL"},
        {"{\"sink\":\"" HOOK "\",\"types\":[" T("switched") "],\"status\":\"OK\"}",
         "INVALID_ARGUMENT"},
        {C("\"accessToken\":\"x\""), "INVALID_ARGUMENT"},
        {C("\"credentialType\":\"PLAIN\",\"accessToken\":\"x\",\"accessTokenExpiresUtc\":"
           "\"2027-01-01T00:00:00Z\",\"accessTokenType\":\"bearer\""),
         "INVALID_CREDENTIAL"},
        {C("\"credentialType\":\"PRIVATE_KEY_JWT\""), "INVALID_CREDENTIAL"},
        {C("\"credentialType\":\"ACCESSTOKEN\",\"accessToken\":\"x\",\"accessTokenExpiresUtc\":"
           "\"2027-01-01T00:00:00Z\",\"accessTokenType\":\"mac\""),
         "INVALID_CREDENTIAL"},
        {C("\"credentialType\":\"ACCESSTOKEN\",\"accessToken\":\"x\",\"accessTokenExpiresUtc\":"
           "\"2020-01-01T00:00:00Z\",\"accessTokenType\":\"bearer\""),
         "INVALID_ARGUMENT"},
        {C("\"credentialType\":\"ACCESSTOKEN\",\"accessToken\":\"x\",\"accessTokenType\":"
           "\"bearer\""),
         "INVALID_ARGUMENT"},
        {C("\"credentialType\":\"ACCESSTOKEN\",\"accessToken\":\"x\\r\\nHost: y\","
           "\"accessTokenExpiresUtc\":\"2027-01-01T00:00:00Z\",\"accessTokenType\":\"bearer\""),
         "INVALID_ARGUMENT"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ask("POST", SINKS, wrong[i].body, 400);
        if (!says(wrong[i].code))
            fail_msg("%s: %s", wrong[i].body, a.body);
    }
    char body[256];
    char group[API_ID_SIZE];
    api_id_write(group, "grp", 77);
    (void)snprintf(body, sizeof(body),
                   "{\"sink\":\"" HOOK "\",\"types\":[" T("switched") "],\"groupId\":\"%s\"}",
                   group);
    ask("POST", SINKS, body, 404);
    ask("GET", SINKS, NULL, 200);
    assert_true(says("\"totalCount\":0"));
}

// Enters or moves a sink as a client whose record names two beginnings.
static void a_client_enters_sinks_below_its_prefixes(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://events.example.com/a", "https://events.example.com/a/b?c=d",
        "https://EVENTS.example.com:443/a/", "https://other.example.com/anything"};
    static const char *const bad[] = {
        "https://events.example.com/",       "https://events.example.com/ab",
        "https://events.example.com:444/a",  "https://events.example.com.evil.example/a",
        "https://events.example.com/a/../b", "https://third.example.com/a"};
    char token[LAB_TOKEN_SIZE];
    char sink[API_ID_SIZE];
    char body[512];
    struct auth_client client;
    lab_client(&lab, "events:read,events:write", LAB_TENANT, token);
    assert_int_equal(auth_token_find(lab.store, NULL, bytes_of_text(token + strlen("Bearer ")),
                                     lab.now.utc, &client),
                     STORE_OK);
    char id[API_ID_SIZE];
    api_id_write(id, "cli", client.id);
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s", id);
    ask("PATCH", path,
        "{\"sinkPrefixes\":[{\"prefix\":\"https://events.example.com/a/\"},"
        "{\"prefix\":\"https://other.example.com\"}]}",
        200);
    assert_true(says("\"sinkPrefixes\":[{\"prefix\":\"https://events.example.com/a/\"},") &&
                says("\"status\":\"ACTIVE\"")); // fewer than any
    memcpy(sink, add_sink(token, good[0], T("card-dirty")), sizeof(sink));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"sink\":\"%s\"}", good[i]);
        ask_as(token, "PATCH", sink_path(sink, ""), body, 200);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"sink\":\"%s\",\"types\":[" T("card-dirty") "]}",
                       bad[i]);
        ask_as(token, "POST", SINKS, body, 400);
        assert_true(says("\"code\":\"INVALID_SINK\""));
        (void)snprintf(body, sizeof(body), "{\"sink\":\"%s\"}", bad[i]);
        ask_as(token, "PATCH", sink_path(sink, ""), body, 400);
        ask("PATCH", sink_path(sink, ""), body, 200); // another client, whose record names none
    }
    ask_as(token, "PATCH", sink_path(sink, ""), "{\"status\":\"OK\"}", 200); // it stays where it is
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s", id);
    ask("PATCH", path, "{\"sinkPrefixes\":[{\"prefix\":\"https://other.example.com\"}]}", 200);
    assert_true(says("\"status\":\"ACTIVE\""));
    ask("PATCH", path, "{\"sinkPrefixes\":[{\"prefix\":\"https://more.example.com\"}]}", 200);
    assert_true(says("\"status\":\"REQUESTED\"")); // another person looks
    static const char *const wrong[] = {"\"https://a.example.com\"",
                                        "{}",
                                        "{\"prefix\":\"http://a.example.com\"}",
                                        "{\"prefix\":\"https://a.example.com/?q\"}",
                                        "{\"prefix\":\"https://a.example.com/../\"}",
                                        "{\"prefix\":\"https://a.example.com\",\"region\":\"EU\"}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"sinkPrefixes\":[%s]}", wrong[i]);
        ask("PATCH", path, body, 400);
    }
}

static void an_enterprise_has_a_hundred_sinks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        if (i % 30 == 0) // so that no rate is in the way
            lab.now.instant.ms += 60000;
        struct answer b;
        lab_ask(&lab,
                &(struct ask){.method = "POST",
                              .target = SINKS,
                              .body = "{\"sink\":\"" HOOK "\",\"types\":[" T("switched") "]}",
                              .is_trial = i > 0},
                &b);
        assert_int_equal(b.status, 201);
    }
    ask("POST", SINKS, "{\"sink\":\"" HOOK "\",\"types\":[" T("switched") "]}", 429);
    assert_true(says("QUOTA_EXCEEDED"));
}

// --- signatures ----------------------------------------------------------------------------------

static void check_signature(size_t index, const char *secret, unsigned which)
{
    char text[SINK_BODY_MAX + 64];
    uint8_t mac[32];
    unsigned len = 0;
    char hex[65];
    const char *line = strstr(sents[index].headers, "x-ota-signature: ts=");
    assert_non_null(line);
    const char *ts = line + strlen("x-ota-signature: ts=");
    (void)snprintf(text, sizeof(text), "%.*s.%s", (int)strcspn(ts, ","), ts, sents[index].body);
    assert_non_null(HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)text,
                         strlen(text), mac, &len));
    for (unsigned i = 0; i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    const char *sig = ts;
    for (unsigned i = 0; i <= which; i++)
        sig = strstr(sig + 1, ",sig=");
    assert_memory_equal(sig + 5, hex, 64);
    assert_int_equal(strtoll(ts, NULL, 10), lab.now.utc.ms / 1000);
}

static void take_secret(char secret[64])
{
    const char *at = strstr(a.body, "\"secret\":\"");
    assert_non_null(at);
    (void)snprintf(secret, 64, "%.43s", at + 10);
}

static bool see_none(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return true;
}

static void events_are_signed_with_each_secret_of_their_sink(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    char first[64];
    char second[64];
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty") "," T("card-clean")), sizeof(sink));
    ask("POST", sink_path(sink, "/secrets"), NULL, 201);
    take_secret(first);
    ask("GET", sink_path(sink, ""), NULL, 200);
    assert_false(says(first));
    assert_true(says("\"secrets\":[{\"number\":1}]"));
    lab.now.utc.ms += 1000 - lab.now.utc.ms % 1000; // no second ends meanwhile
    dirty(card);
    if (turn_has_told(lab.turn))
        sinks_look(sinks);
    sinks_step(sinks, lab.now.utc);
    assert_int_equal(sent_count, 1);
    check_signature(0, first, 0);
    answer_with(0, 200);
    ask("POST", sink_path(sink, "/secrets"), "{\"overlapSeconds\":100}", 201);
    take_secret(second);
    ask("POST", sink_path(sink, "/secrets"), NULL, 409);
    clean(card);
    sinks_look(sinks);
    sinks_step(sinks, lab.now.utc);
    assert_int_equal(sent_count, 2);
    check_signature(1, first, 0);
    check_signature(1, second, 1);
    answer_with(1, 200);
    lab.now.utc.ms += 101000;
    dirty(card);
    sinks_look(sinks);
    sinks_step(sinks, lab.now.utc);
    assert_int_equal(sent_count, 3);
    check_signature(2, second, 0);
    assert_null(strstr(strstr(sents[2].headers, ",sig=") + 1, ",sig="));
    ask("POST", sink_path(sink, "/secrets"), NULL, 201); // the first has ended
    const struct document_filter filter = {.kind = SINK_SECRET_KIND, .state = -1};
    const struct store_page page = {.limit = 9};
    uint64_t left = 9;
    assert_int_equal(store_documents(lab.store, &filter, &page, see_none, NULL, &left), STORE_OK);
    assert_int_equal(left, 2); // and is nowhere any more
    ask("DELETE", sink_path(sink, ""), NULL, 204);
    assert_int_equal(store_documents(lab.store, &filter, &page, see_none, NULL, &left), STORE_OK);
    assert_int_equal(left, 0);
}

// --- whose ---------------------------------------------------------------------------------------

static void a_sink_is_told_of_what_its_owner_may_read(void **state)
{
    (void)state;
    char token_a[LAB_TOKEN_SIZE];
    char token_b[LAB_TOKEN_SIZE];
    char body[512];
    char group[API_ID_SIZE];
    const uint64_t group_a = lab_grant(&lab, TENANT_A, GRANT_BIT(GRANT_CARD_READ));
    const uint64_t group_a2 = lab_grant(&lab, TENANT_A, GRANT_BIT(GRANT_CARD_READ));
    const uint64_t group_b = lab_grant(&lab, TENANT_B, GRANT_BIT(GRANT_CARD_READ));
    lab_client(&lab, "events:read,events:write", TENANT_A, token_a);
    lab_client(&lab, "events:read,events:write", TENANT_B, token_b);
    char sink_b[API_ID_SIZE];
    (void)add_sink(token_a, "https://a.example.com/", T("card-dirty") "," T("card-clean"));
    memcpy(sink_b, add_sink(token_b, "https://canary-b.example.com/", T("card-dirty")),
           sizeof(sink_b));
    api_id_write(group, "grp", group_a2);
    (void)snprintf(
        body, sizeof(body),
        "{\"sink\":\"https://a2.example.com/\",\"types\":[" T("card-dirty") "],\"groupId\":\"%s\"}",
        group);
    ask_as(token_a, "POST", SINKS, body, 201);
    ask_as(token_b, "POST", SINKS, body, 404); // a group of somebody else
    lab_place(&lab, card, TENANT_B, group_b);
    dirty(card);
    lab_place(&lab, card2, TENANT_A, group_a);
    dirty(card2);
    work();
    assert_int_equal(sent_count, 2);
    for (size_t i = 0; i < 2; i++) {
        char id[API_ID_SIZE];
        api_id_write(id, "crd", strstr(sents[i].url, "canary-b") != NULL ? card : card2);
        assert_non_null(strstr(sents[i].body, id));
    }
    // Nothing of B is shown to A.
    ask_as(token_a, "GET", SINKS, NULL, 200);
    assert_false(says("canary-b"));
    ask_as(token_a, "GET", sink_path(sink_b, ""), NULL, 404);
    ask_as(token_a, "PATCH", sink_path(sink_b, ""), "{\"status\":\"OK\"}", 404);
    ask_as(token_a, "DELETE", sink_path(sink_b, ""), NULL, 404);
    ask_as(token_a, "GET", DELIVERIES, NULL, 200);
    assert_true(says("\"totalCount\":1"));
    (void)snprintf(path, sizeof(path), DELIVERIES "?sinkId=%s", sink_b);
    ask_as(token_a, "GET", path, NULL, 200);
    assert_true(says("\"totalCount\":0"));
    ask_as(token_b, "GET", path, NULL, 200);
    char delivery[API_ID_SIZE];
    memcpy(delivery, last_id("dlv"), sizeof(delivery));
    (void)snprintf(path, sizeof(path), DELIVERIES "/%s", delivery);
    ask_as(token_a, "GET", path, NULL, 404);
    ask_as(token_b, "GET", path, NULL, 200);
    // In its group alone.
    lab_place(&lab, card2, TENANT_A, group_a2);
    clean(card2);
    dirty(card2);
    work();
    answer_with(0, 200);
    answer_with(1, 200);
    work();
    unsigned to_group = 0;
    for (size_t i = 0; i < sent_count; i++)
        to_group += strcmp(sents[i].url, "https://a2.example.com/") == 0;
    assert_int_equal(to_group, 1);
}

static void a_test_is_sent_to_its_sink_alone(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    (void)add_sink(NULL, "https://other.example.com/", T("card-dirty"));
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty")), sizeof(sink));
    ask("POST", sink_path(sink, "/test"), NULL, 202);
    assert_true(says("\"state\":\"WAITING\""));
    assert_non_null(strstr(a.headers, "Location: https://api.example.com" DELIVERIES "/dlv_"));
    ask("POST", sink_path(sink, "/test?dryRun=true"), NULL, 200);
    work();
    assert_int_equal(sent_count, 1);
    assert_string_equal(sents[0].url, HOOK);
    assert_true(is_of_type(0, "test"));
    assert_non_null(strstr(sents[0].body, sink));
}

static void a_removed_sink_is_forgotten_with_its_events(void **state)
{
    (void)state;
    char sink[API_ID_SIZE];
    memcpy(sink, add_sink(NULL, HOOK, T("card-dirty")), sizeof(sink));
    dirty(card);
    work();
    answer_with(0, 400);
    dirty(card2);
    work();
    assert_true(has_alarm());
    ask("DELETE", sink_path(sink, ""), NULL, 204);
    assert_false(has_alarm());
    answer_with(1, 200); // whoever is under way comes too late
    ask("GET", DELIVERIES, NULL, 200);
    assert_true(says("\"totalCount\":0"));
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        ONE(a_sink_is_entered_changed_and_removed),
        ONE(what_cannot_be_a_sink_is_refused),
        ONE(an_enterprise_has_a_hundred_sinks),
        ONE(a_client_enters_sinks_below_its_prefixes),
        ONE(events_are_signed_with_each_secret_of_their_sink),
        ONE(a_sink_is_told_of_what_its_owner_may_read),
        ONE(a_test_is_sent_to_its_sink_alone),
        ONE(a_removed_sink_is_forgotten_with_its_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
