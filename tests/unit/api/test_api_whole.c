// A document as GET gives it goes back by PATCH or PUT: as it is, and with a change.
#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

static struct lab lab;
static struct answer a;
static char path[256];

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

static void ask_as(const char *token, const char *method, const char *target, const char *body)
{
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "whole-%05u", number++);
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method,
                          .target = target,
                          .body = body,
                          .authorization = token,
                          .key = strcmp(method, "POST") == 0 ? key : NULL},
            &a);
}

static void expect(unsigned status)
{
    if (a.status != status)
        fail_msg("%s %s %s: %u instead of %u: %s", a.asked.method, a.asked.target,
                 a.asked.body != NULL ? a.asked.body : "", a.status, status, a.body);
}

static void ask(const char *method, const char *target, const char *body, unsigned status)
{
    ask_as(NULL, method, target, body);
    expect(status);
}

static const char *at(const char *collection, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s/%s%s", collection, text, after);
    return path;
}

static const char *make(const char *collection, const char *body, const char *prefix)
{
    char target[128];
    (void)snprintf(target, sizeof(target), API_BASE "%s", collection);
    ask("POST", target, body, 201);
    return at(collection, prefix, lab_id(&a, prefix), "");
}

static json_t *answer(void)
{
    json_t *root = json_loads(a.body, 0, NULL);
    assert_non_null(root);
    return root;
}

static json_t *read_as(const char *token)
{
    ask_as(token, "GET", path, NULL);
    expect(200);
    return answer();
}

static void send_as(const char *token, const char *method, const json_t *document, unsigned status)
{
    char *text = json_dumps(document, JSON_COMPACT);
    assert_non_null(text);
    ask_as(token, method, path, text);
    expect(status);
    free(text);
}

// The server's view of a card tells the time at which it was asked.
static void expect_same(json_t *one, json_t *other)
{
    json_object_del(one, "serverView");
    json_object_del(other, "serverView");
    if (!json_equal(one, other))
        fail_msg("%s: %s", path, a.body);
}

static json_int_t version_of(const json_t *document)
{
    return json_integer_value(json_object_get(document, "version"));
}

static bool takes_reason(void)
{
    return strstr(path, "/vendor-profiles/") == NULL && strstr(path, "/event-sinks/") == NULL;
}

// What `path` names goes back as it is, then with another value of a member. Not with what only
// the server writes, and not once it was changed.
static void go_round_as(const char *token, const char *method, const char *member,
                        const char *value)
{
    json_t *wanted = json_loads(value, JSON_DECODE_ANY, NULL);
    json_t *document = read_as(token);
    lab.has_refusals_only = true; // what changes nothing leaves no row, as changes must
    send_as(token, method, document, 200);
    lab.has_refusals_only = false;
    json_t *same = answer();
    json_t *again = read_as(token);
    json_t *copy = json_deep_copy(document);
    expect_same(copy, same);
    expect_same(copy, again);

    json_object_set_new(copy, "createdAt", json_string("2001-01-01T00:00:00.000Z"));
    if (takes_reason())
        json_object_set_new(copy, "reason", json_string("x"));
    send_as(token, method, copy, 400);
    json_decref(copy);

    json_object_set(document, member, wanted);
    if (takes_reason())
        json_object_set_new(document, "reason", json_string("edited"));
    send_as(token, method, document, 200);
    json_decref(same);
    same = read_as(token);
    const bool has_version = version_of(same) != version_of(again);
    assert_true(has_version || strstr(path, "/cards/") != NULL); // notes are no part of its record
    json_object_set(again, member, wanted);
    json_object_set(again, "createdAt", json_object_get(same, "createdAt")); // of first rules
    json_object_set(again, "version", json_object_get(same, "version"));
    json_object_set(again, "updatedAt", json_object_get(same, "updatedAt"));
    expect_same(again, same);

    if (has_version)
        send_as(token, method, document, 412);
    json_decref(wanted);
    json_decref(document);
    json_decref(same);
    json_decref(again);
}

static void go_round(const char *method, const char *member, const char *value)
{
    go_round_as(NULL, method, member, value);
}

static void groups_and_pools_go_back(void **state)
{
    (void)state;
    make("/card-groups", "{\"name\":\"meters\",\"applicationField\":\"ENERGY\"}", "grp");
    go_round("PATCH", "province", "\"north\"");
    make("/subscription-pools", "{\"name\":\"first\",\"operator\":\"op\",\"templateId\":1}", "pol");
    go_round("PATCH", "lowWaterMark", "7");
}

// As many cards as there are may change while the document is with the client.
static void a_group_goes_back_while_cards_come(void **state)
{
    (void)state;
    struct record record;
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    json_t *document = read_as(NULL);
    lab_place(&lab, lab_card(&lab, "89999000000000000012", &record), LAB_TENANT, lab_id(&a, "grp"));
    json_object_set_new(document, "province", json_string("north"));
    send_as(NULL, "PATCH", document, 200);
    assert_non_null(strstr(a.body, "\"cardCount\":1"));
    json_decref(document);
}

static void rules_go_back(void **state)
{
    (void)state;
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    const uint64_t group = lab_id(&a, "grp");
    at("/card-groups", "grp", group, "/rules");
    go_round("PATCH", "fourEyes", "{\"delete\":true,\"campaignAbove\":7}");
    // Nothing else became the group's own.
    ask("GET", at("/card-groups", "grp", group, "/rules/versions"), NULL, 200);
    assert_non_null(strstr(a.body, "\"changed\":[\"fourEyes\"]"));
}

static void rules_with_everything_go_back(void **state)
{
    (void)state;
    char body[1024], pool[API_ID_SIZE];
    make("/subscription-pools", "{\"name\":\"first\",\"operator\":\"op\",\"templateId\":1}", "pol");
    api_id_write(pool, "pol", lab_id(&a, "pol"));
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    at("/card-groups", "grp", lab_id(&a, "grp"), "/rules");
    (void)snprintf(body, sizeof(body),
                   "{\"ota\":{\"keysetVersion\":2,\"spi\":\"1639\",\"tar\":\"B1FFFF\"},"
                   "\"timers\":{\"T_ATTACH\":60},\"smsc\":{\"quietHours\":[{\"from\":\"22:00\","
                   "\"to\":\"06:00\",\"timeZone\":\"+02:00\"}]},\"bootstrap\":{\"enabled\":true,"
                   "\"trigger\":\"AFTER_ACTIVATION\",\"delaySeconds\":60,\"items\":[{\"poolId\":"
                   "\"%s\",\"rank\":2},{\"factory\":true,\"enable\":true}]},\"reason\":\"x\"}",
                   pool);
    ask("PATCH", path, body, 200);
    go_round("PATCH", "ota",
             "{\"keysetVersion\":3,\"kicAlgorithm\":\"AES_CBC\",\"kidAlgorithm\":\"AES_CMAC\","
             "\"spi\":\"1639\",\"tar\":\"b1ffff\",\"moTar\":\"b20000\",\"maxSmsParts\":3}");
    json_t *document = read_as(NULL);
    json_object_set_new(document, "reason", json_string("y"));
    json_object_set_new(json_object_get(document, "bootstrap"), "soakSeconds", json_integer(60));
    send_as(NULL, "PATCH", document, 200);
    json_decref(document);
    static const char *const wrong[] = {
        "{\"ota\":{\"tar\":\"B1FFFF\",\"moTar\":\"B1FFFF\"},\"reason\":\"x\"}",
        "{\"ota\":{\"moTar\":\"000001\"},\"reason\":\"x\"}"};
    for (size_t i = 0; i < 2; i++) {
        ask("PATCH", path, wrong[i], 400);
        assert_non_null(strstr(a.body, "ota.moTar"));
    }
}

static void a_rule_without_items_is_edited(void **state)
{
    (void)state;
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    at("/card-groups", "grp", lab_id(&a, "grp"), "/rules");
    json_t *document = read_as(NULL);
    json_object_set_new(document, "reason", json_string("y"));
    json_object_set_new(json_object_get(document, "bootstrap"), "soakSeconds", json_integer(60));
    send_as(NULL, "PATCH", document, 200);
    json_object_set_new(json_object_get(document, "bootstrap"), "enabled", json_true());
    json_object_del(document, "version");
    json_t *rule =
        json_pack("{sOss}", "bootstrap", json_object_get(document, "bootstrap"), "reason", "z");
    send_as(NULL, "PATCH", rule, 400);
    assert_non_null(strstr(a.body, "bootstrap.items"));
    json_decref(rule);
    json_decref(document);
}

static void permissions_go_back(void **state)
{
    (void)state;
    char enterprise[API_ID_SIZE];
    make("/enterprises",
         "{\"name\":\"B\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}", "ent");
    api_id_write(enterprise, "ent", lab_id(&a, "ent"));
    go_round("PATCH", "region", "\"Y\"");
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    char pair[128];
    (void)snprintf(pair, sizeof(pair), "/permissions/%s", enterprise);
    at(pair, "grp", lab_id(&a, "grp"), "");
    ask("PUT", path, "{\"operations\":[\"card.read\"],\"reason\":\"x\"}", 200);
    go_round("PUT", "operations", "[\"card.read\",\"card.audit\"]");
}

// Numbers that are masked for the caller stay what they are.
static void subscriptions_go_back_masked(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE], body[512], pool[API_ID_SIZE];
    lab_client(&lab, "inventory:read,inventory:write", LAB_TENANT, token);
    make("/subscription-pools", "{\"name\":\"first\",\"operator\":\"op\",\"templateId\":1}", "pol");
    api_id_write(pool, "pol", lab_id(&a, "pol"));
    (void)snprintf(body, sizeof(body),
                   "{\"poolId\":\"%s\",\"imsi\":\"999700000000077\",\"msisdn\":\"999000000077\"}",
                   pool);
    make("/subscriptions", body, "sub");
    go_round("PATCH", "smsc", "\"999000000000\"");
    go_round_as(token, "PATCH", "smsc", "\"999000000001\"");
    ask("GET", path, NULL, 200);
    assert_non_null(strstr(a.body, "999000000077"));
}

static void people_and_clients_go_back(void **state)
{
    (void)state;
    char body[512], own[API_ID_SIZE];
    api_id_write(own, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"anna\",\"enterpriseId\":\"%s\",\"role\":\"OPERATOR\","
                   "\"password\":\"correct horse battery\"}",
                   own);
    make("/users", body, "usr");
    go_round("PATCH", "displayName", "\"Anna\"");
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"billing\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"client_secret\"]}",
                   own);
    make("/api-clients", body, "cli");
    const uint64_t client = lab_id(&a, "cli");
    ask("POST", at("/api-clients", "cli", client, "/approve"), NULL, 200);
    at("/api-clients", "cli", client, "");
    go_round("PATCH", "ratePerSecond", "7");
}

static void cards_and_campaigns_go_back(void **state)
{
    (void)state;
    struct record record;
    char body[512], id[API_ID_SIZE];
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    at("/cards", "crd", card, "");
    go_round("PATCH", "note", "\"in the cellar\"");
    api_id_write(id, "crd", card);
    (void)snprintf(
        body, sizeof(body),
        "{\"name\":\"meters\",\"operation\":{\"type\":\"audit\"},\"target\":{\"cardIds\":"
        "[\"%s\"]},\"rate\":{\"perSecond\":100},\"schedule\":{\"windows\":[{\"from\":"
        "\"01:00\",\"to\":\"05:00\",\"timeZone\":\"UTC\"}]}}",
        id);
    make("/campaigns", body, "cmp");
    go_round("PATCH", "name", "\"lamps\"");
}

static void sinks_and_reports_go_back(void **state)
{
    (void)state;
    make("/event-sinks",
         "{\"sink\":\"https://hooks.example.com/a\",\"types\":[\"ota.connectivity-management.v1."
         "card-dirty\"]}",
         "snk");
    go_round("PATCH", "types", "[\"ota.connectivity-management.v1.card-clean\"]");
    ask("POST", API_BASE "/reports",
        "{\"type\":\"REGULATOR\",\"from\":\"2026-01-01T00:00:00Z\","
        "\"to\":\"2027-01-01T00:00:00Z\"}",
        202);
    at("/reports", "rpt", lab_id(&a, "rpt"), "");
    lab_run_jobs(&lab);
    go_round("PATCH", "texts", "{\"1\":\"steady\"}");
}

static char *read_file(const char *name)
{
    static char text[1 << 16];
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    const size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    return text;
}

static void vendor_profiles_go_back(void **state)
{
    (void)state;
    const char *alder = read_file("profiles/vendor/samples/alder.json");
    json_t *content = json_loads(alder, 0, NULL);
    assert_non_null(content);
    make("/vendor-profiles", alder, "rec");
    json_object_set_new(content, "version", json_integer(77));
    char *text = json_dumps(content, 0);
    go_round("PUT", "content", text);
    free(text);
    json_decref(content);
}

// They are changed at the list's own path.
static void price_tables_go_back(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), API_BASE "/metering/tariffs");
    ask("PUT", path,
        "{\"validFrom\":\"2030-07\",\"api\":\"E\",\"operationClass\":\"QUERY\",\"unit\":\"CNY\","
        "\"tiers\":[{\"from\":1,\"unitPrice\":5}]}",
        200);
    json_t *list = read_as(NULL);
    json_t *document = json_array_get(json_object_get(list, "items"), 0);
    send_as(NULL, "PUT", document, 200);
    json_object_set_new(document, "unit", json_string("EUR"));
    send_as(NULL, "PUT", document, 412); // its version is another one now
    json_object_set_new(document, "version", json_integer(2));
    send_as(NULL, "PUT", document, 200);
    assert_non_null(strstr(a.body, "\"unit\":\"EUR\""));
    json_object_set_new(document, "version", json_integer(3));
    json_object_set_new(document, "validFrom", json_string("2030-08")); // which is none of it
    send_as(NULL, "PUT", document, 412);
    json_decref(list);
}

// Who may not read it cannot send it back, and learns nothing of it.
static void who_may_not_read_sends_parts_alone(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "groups:write", LAB_TENANT, token);
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    json_t *document = read_as(NULL);
    send_as(token, "PATCH", document, 400);
    json_object_set_new(document, "version", json_integer(9));
    send_as(token, "PATCH", document, 400);
    ask_as(token, "PATCH", path, "{\"province\":\"north\"}");
    expect(200);
    json_decref(document);
}

static void a_whole_document_is_tried_dry(void **state)
{
    (void)state;
    make("/card-groups", "{\"name\":\"meters\"}", "grp");
    const uint64_t group = lab_id(&a, "grp");
    json_t *document = read_as(NULL);
    at("/card-groups", "grp", group, "?dryRun=true");
    send_as(NULL, "PATCH", document, 200);
    assert_string_equal(a.body, "{\"dryRun\":true,\"wouldAnswer\":200,\"approvalsNeeded\":0}");
    json_decref(document);
}

static void expect_changes(const char *count)
{
    ask("GET", API_BASE "/audit-trail?action=group.changed", NULL, 200);
    assert_non_null(strstr(a.body, count));
}

// Parts that are as they were, too: no version, and no row about nothing.
static void a_part_that_is_as_it_was_changes_nothing(void **state)
{
    (void)state;
    make("/card-groups", "{\"name\":\"pumps\",\"applicationField\":\"ENERGY\"}", "grp");
    json_t *before = read_as(NULL);
    lab.has_refusals_only = true; // it leaves no row, as changes must
    ask("PATCH", path, "{\"name\":\"pumps\",\"reason\":\"tidy\"}", 200);
    lab.has_refusals_only = false;
    json_t *same = answer();
    expect_same(before, same);
    json_decref(same);
    expect_changes("\"totalCount\":0");
    ask("PATCH", path, "{\"name\":\"wells\",\"applicationField\":\"ENERGY\"}", 200);
    same = answer();
    assert_int_equal(version_of(same), version_of(before) + 1);
    json_decref(same);
    json_decref(before);
    expect_changes("\"totalCount\":1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_and_pools_go_back),
        TEST(a_group_goes_back_while_cards_come),
        TEST(rules_go_back),
        TEST(rules_with_everything_go_back),
        TEST(a_rule_without_items_is_edited),
        TEST(permissions_go_back),
        TEST(subscriptions_go_back_masked),
        TEST(people_and_clients_go_back),
        TEST(cards_and_campaigns_go_back),
        TEST(sinks_and_reports_go_back),
        TEST(vendor_profiles_go_back),
        TEST(price_tables_go_back),
        TEST(who_may_not_read_sends_parts_alone),
        TEST(a_whole_document_is_tried_dry),
        TEST(a_part_that_is_as_it_was_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
