// What enterprises may do to cards: only what was granted for the group.
#include "tests/unit/api/two_tenants.h"

#include <stdio.h>

#define IMSI_A "999700000000001"

// --- permissions themselves ---

static void permissions_are_replaced_as_a_whole_and_leave_a_row(void **state)
{
    (void)state;
    ask(NULL, "GET", pair(enterprise_a, group_a), NULL);
    expect(404);
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.enable\"");
    assert_true(has("\"operations\":[\"card.read\",\"subscription.enable\"]"));
    assert_true(has("\"version\":1"));
    grant(enterprise_a, group_a, "\"card.read\"");
    assert_true(has("\"operations\":[\"card.read\"]") && has("\"version\":2"));
    ask(NULL, "PUT", pair(enterprise_a, group_a), "{\"operations\":[\"*\"],\"reason\":\"x\"}");
    expect(400);
    ask(NULL, "PUT", pair(enterprise_a, group_a), "{\"operations\":[\"card.read\"]}");
    expect(400);
    lab_ask(&lab,
            &(struct ask){.method = "PUT",
                          .target = pair(enterprise_a, group_a),
                          .body = "{\"operations\":[],\"reason\":\"x\"}",
                          .if_match = "\"1\""},
            &a);
    expect(412);
    lab_ask(&lab,
            &(struct ask){
                .method = "DELETE", .target = pair(enterprise_a, group_a), .if_match = "\"1\""},
            &a);
    expect(412);
    ask(NULL, "GET", API_BASE "/permissions?grant=card.read", NULL);
    expect(400);
    ask(NULL, "GET", API_BASE "/permissions", NULL);
    expect(200);
    assert_true(has("\"totalCount\":1"));
    ask(NULL, "GET", API_BASE "/audit-trail?action=permission.changed", NULL);
    assert_true(has("\"totalCount\":2") && has("\"reason\":\"contract 88\""));
    ask(token_a, "PUT", pair(enterprise_a, group_a),
        "{\"operations\":[\"card.read\",\"card.reveal\"],\"reason\":\"mine\"}");
    expect(403); // its client has no such scope, and no client of an enterprise may have it
    ask(token_a, "GET", pair(enterprise_a, group_a), NULL);
    expect(200);
    ask(token_b, "GET", API_BASE "/permissions", NULL);
    expect(200);
    assert_true(has("\"totalCount\":0"));
    ask(token_b, "GET", pair(enterprise_a, group_a), NULL);
    expect(404);
    ask(NULL, "DELETE", pair(enterprise_a, group_a), NULL);
    expect(204);
    ask(NULL, "DELETE", pair(enterprise_a, group_a), NULL);
    expect(404);
}

// --- what they permit ---

static char requests[16][256];

struct act {
    const char *grant; // that it needs
    const char *method, *after, *body;
    unsigned status; // when it is granted
};

static const struct act acts[] = {
    {"card.read", "GET", "", NULL, 200},
    {"card.read", "GET", "/subscriptions", NULL, 200},
    {"card.read", "GET", "/parameters", NULL, 200},
    {"card.read", "GET", "/timeline", NULL, 200},
    {"card.read", "GET", "/messages", NULL, 200},
    {"card.read", "GET", "/audit-trail", NULL, 200},
    {"card.read", "GET", "/operations", NULL, 200},
    {"card.reveal", "POST", "/reveal", "{\"fields\":[\"iccid\"],\"reason\":\"x\"}", 200},
    {"card.move", "PATCH", "", "{\"note\":\"x\"}", 200},
    {"subscription.enable", "POST", "/operations", requests[0], 202},
    {"subscription.disable", "POST", "/operations", requests[1], 409}, // it is the fallback one
    {"subscription.delete", "POST", "/operations", requests[2], 202},
    {"subscription.set-fallback", "POST", "/operations", requests[3], 202},
    {"timers.set", "POST", "/operations",
     "{\"type\":\"set-timers\",\"parameters\":{\"T_NOSERVICE\":120}}", 202},
    {"card.audit", "POST", "/operations", "{\"type\":\"read-timers\"}", 202},
    {"card.audit", "POST", "/operations", "{\"type\":\"audit\"}", 202},
};
#define ACTS (sizeof(acts) / sizeof(acts[0]))

static void fill_requests(void)
{
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record_a.slots[1].subscription);
    (void)snprintf(requests[0], sizeof(requests[0]),
                   "{\"type\":\"enable\",\"subscriptionId\":\"%s\"}", id);
    (void)snprintf(requests[2], sizeof(requests[2]),
                   "{\"type\":\"delete\",\"subscriptionId\":\"%s\"}", id);
    (void)snprintf(requests[3], sizeof(requests[3]),
                   "{\"type\":\"set-fallback\",\"subscriptionId\":\"%s\",\"allowUnproven\":true}",
                   id);
    api_id_write(id, "sub", record_a.slots[0].subscription);
    (void)snprintf(requests[1], sizeof(requests[1]),
                   "{\"type\":\"disable\",\"subscriptionId\":\"%s\"}", id);
}

static void act_as(const char *token, const struct act *act)
{
    char full[256];
    (void)snprintf(full, sizeof(full), "%s%s", act->after,
                   strcmp(act->method, "POST") == 0 && strcmp(act->after, "/operations") == 0
                       ? "?dryRun=true" // so that one does not stand in the way of the next
                       : "");
    ask(token, act->method, target("/cards/", "crd", record_a.card, full), act->body);
}

static unsigned granted_status(const struct act *act)
{
    return act->status == 202 ? 200 : act->status;
}

static void without_a_permission_nothing_is_permitted(void **state)
{
    (void)state;
    fill_requests();
    for (size_t i = 0; i < ACTS; i++) {
        act_as(token_a, &acts[i]);
        expect(403); // the card is its own, so it exists
        act_as(token_b, &acts[i]);
        expect(404);
    }
    ask(token_a, "GET", API_BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    ask(NULL, "GET", API_BASE "/audit-trail?action=request.refused", NULL);
    expect(200);
    assert_false(has("\"totalCount\":0"));
}

static void each_permission_permits_its_own_operation_and_no_other(void **state)
{
    (void)state;
    fill_requests();
    for (size_t i = 0; i < ACTS; i++) {
        char list[128];
        const bool needs_read = strcmp(acts[i].after, "/operations") != 0;
        (void)snprintf(list, sizeof(list), "%s\"%s\"",
                       needs_read && strcmp(acts[i].grant, "card.read") != 0 ? "\"card.read\","
                                                                             : "",
                       acts[i].grant);
        grant(enterprise_a, group_a, list);
        for (size_t k = 0; k < ACTS; k++) {
            const bool is_granted =
                strcmp(acts[k].grant, acts[i].grant) == 0 ||
                (strcmp(acts[k].grant, "card.read") == 0 && strstr(list, "card.read") != NULL);
            act_as(token_a, &acts[k]);
            expect(is_granted ? granted_status(&acts[k]) : 403);
        }
    }
    ask(NULL, "DELETE", pair(enterprise_a, group_a), NULL);
    act_as(token_a, &acts[0]);
    expect(403);
}

static void what_only_the_operator_does_no_permission_gives(void **state)
{
    (void)state;
    char strong[LAB_TOKEN_SIZE];
    lab_client(&lab, "all", enterprise_a, strong);
    grant(enterprise_a, group_a,
          "\"card.read\",\"card.reveal\",\"card.move\",\"card.audit\",\"timers.set\"");
    ask(strong, "PUT", target("/cards/", "crd", record_a.card, "/dirty"), "{\"reason\":\"x\"}");
    expect(403);
    ask(strong, "DELETE", target("/cards/", "crd", record_a.card, "/quarantine"),
        "{\"reason\":\"x\"}");
    expect(403);
    ask(strong, "PATCH", target("/cards/", "crd", record_a.card, ""),
        "{\"state\":\"RETIRED\",\"reason\":\"x\"}");
    expect(403);
    ask(strong, "POST", API_BASE "/card-groups", "{\"name\":\"mine\"}");
    expect(403);
    ask(strong, "PATCH", target("/card-groups/", "grp", group_a, ""), "{\"name\":\"mine\"}");
    expect(403);
    ask(strong, "DELETE", target("/card-groups/", "grp", group_a, ""), NULL);
    expect(403);
    ask(strong, "PATCH", target("/card-groups/", "grp", group_a, "/rules"),
        "{\"retry\":{\"ttlSeconds\":600},\"reason\":\"x\"}");
    expect(403);
    ask(strong, "PUT", pair(enterprise_a, group_a), "{\"operations\":[],\"reason\":\"x\"}");
    expect(403);
    ask(strong, "DELETE", pair(enterprise_a, group_a), NULL);
    expect(403);
}

static void a_permission_in_a_foreign_group_shows_its_cards_alone(void **state)
{
    (void)state;
    grant(enterprise_a, group_b, "\"card.read\",\"card.audit\"");
    ask(token_a, "GET", target("/cards/", "crd", record_b.card, ""), NULL);
    expect(200);
    ask(token_a, "GET", target("/card-groups/", "grp", group_b, ""), NULL);
    expect(200);
    ask(token_a, "GET", API_BASE "/card-groups", NULL);
    assert_true(has("\"totalCount\":2"));
    ask(token_b, "GET", API_BASE "/card-groups", NULL);
    assert_true(has("\"totalCount\":1"));
    ask(token_a, "GET", API_BASE "/cards", NULL);
    assert_true(has("\"totalCount\":1"));
    ask(token_a, "GET", target("/card-groups/", "grp", group_b, "/rules"), NULL);
    expect(404);
    ask(token_a, "GET", target("/card-groups/", "grp", group_b, "/timers"), NULL);
    expect(404);
    ask(token_b, "GET", target("/card-groups/", "grp", group_b, "/rules"), NULL);
    expect(200);
    // What A asks for there is A's, and B does not see it.
    ask(token_a, "POST", target("/cards/", "crd", record_b.card, "/operations"),
        "{\"type\":\"read-timers\"}");
    expect(202);
    const uint64_t operation = lab_id(&a, "op");
    ask(token_a, "GET", target("/operations/", "op", operation, ""), NULL);
    expect(200);
    grant(enterprise_b, group_b, "\"card.read\"");
    ask(token_b, "GET", target("/operations/", "op", operation, ""), NULL);
    expect(404);
    ask(token_b, "GET", API_BASE "/operations", NULL);
    assert_true(has("\"totalCount\":0"));
    ask(token_b, "GET", target("/cards/", "crd", record_b.card, "/operations"), NULL);
    assert_true(has("\"totalCount\":0"));
}

static void of_the_operators_rules_a_guest_reads_no_routes_and_pools(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char body[256];
    const uint64_t theirs = new_group("theirs", LAB_TENANT);
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1}");
    api_id_write(id, "pol", lab_id(&a, "pol"));
    (void)snprintf(
        body, sizeof(body),
        "{\"smsc\":{\"sourceAddress\":\"+4930123456\"},\"authorityMode\":"
        "\"REQUEST_APPROVE\",\"bootstrap\":{\"items\":[{\"poolId\":\"%s\",\"enable\":true}]},"
        "\"reason\":\"x\"}",
        id);
    ask(NULL, "PATCH", target("/card-groups/", "grp", theirs, "/rules"), body);
    expect(200);
    ask(token_a, "GET", target("/card-groups/", "grp", theirs, "/rules"), NULL);
    expect(404);
    grant(enterprise_a, theirs, "\"card.read\"");
    ask(token_a, "GET", target("/card-groups/", "grp", theirs, "/rules"), NULL);
    expect(200);
    assert_true(has("\"REQUEST_APPROVE\"") && has("\"items\":[]"));
    assert_true(!has("+4930123456") && !has(id));
    ask(NULL, "GET", target("/card-groups/", "grp", theirs, "/rules"), NULL);
    assert_true(has("+4930123456") && has(id));
}

static void cards_are_moved_between_own_groups_only_where_it_is_granted(void **state)
{
    (void)state;
    char body[128];
    char id[API_ID_SIZE];
    const uint64_t other = new_group("lamps", enterprise_a);
    grant(enterprise_a, group_a, "\"card.read\",\"card.move\"");
    api_id_write(id, "grp", other);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    ask(token_a, "PATCH", target("/cards/", "crd", record_a.card, ""), body);
    expect(403);
    grant(enterprise_a, other, "\"card.move\"");
    ask(token_a, "PATCH", target("/cards/", "crd", record_a.card, ""), body);
    expect(200);
    api_id_write(id, "grp", group_b);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    grant(enterprise_a, other, "\"card.read\",\"card.move\"");
    ask(token_a, "PATCH", target("/cards/", "crd", record_a.card, ""), body);
    expect(404);
}

static void stock_of_one_enterprise_goes_onto_no_card_of_another(void **state)
{
    (void)state;
    char body[256];
    char id[API_ID_SIZE];
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1,"
        "\"enterpriseId\":\"ent_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\"}");
    expect(404);
    api_id_write(id, "ent", enterprise_b);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1,\"enterpriseId\":\"%s\"}",
                   id);
    ask(NULL, "POST", API_BASE "/subscription-pools", body);
    expect(201);
    const uint64_t pool = lab_id(&a, "pol");
    (void)lab_subscription(&lab, pool, "002020000000099");
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", id);
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.download\"");
    ask(token_a, "POST", target("/cards/", "crd", record_a.card, "/operations"), body);
    expect(404);
    ask(NULL, "POST", target("/cards/", "crd", record_a.card, "/operations"), body);
    expect(404); // not even by the operator's people
    grant(enterprise_b, group_b, "\"card.read\",\"subscription.download\"");
    ask(token_b, "POST", target("/cards/", "crd", record_b.card, "/operations"), body);
    expect(202);
}

static void the_operators_stock_goes_where_a_download_is_granted(void **state)
{
    (void)state;
    char body[256];
    char id[API_ID_SIZE];
    char after[API_ID_SIZE + 32];
    const char *operations = "/operations";
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"stock\",\"operator\":\"o\",\"templateId\":1}");
    expect(201);
    const uint64_t pool = lab_id(&a, "pol");
    (void)lab_subscription(&lab, pool, "002020000000099");
    (void)lab_subscription(&lab, pool, "002020000000098");
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", id);
    (void)snprintf(after, sizeof(after), "?poolId=%s", id);
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.enable\"");
    ask(token_a, "POST", target("/cards/", "crd", record_a.card, operations), body);
    expect(403);
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.download\"");
    ask(token_a, "POST", target("/cards/", "crd", record_b.card, operations), body);
    expect(404); // not to a card that it does not know
    ask(token_a, "POST", target("/cards/", "crd", record_a.card, operations), body);
    expect(202);
    const uint64_t operation = lab_id(&a, "op");
    ask(token_a, "GET", target("/operations/", "op", operation, ""), NULL);
    expect(200);
    ask(token_a, "GET", target("/subscription-pools/", "pol", pool, ""), NULL);
    expect(404);
    ask(token_a, "GET", API_BASE "/subscription-pools", NULL);
    assert_true(has("\"totalCount\":0"));
    (void)snprintf(path, sizeof(path), API_BASE "/subscriptions%s", after);
    ask(token_a, "GET", path, NULL);
    assert_true(has("\"totalCount\":0"));
    // To a foreign card that the operator gave it, too.
    grant(enterprise_a, group_b, "\"card.read\",\"subscription.download\"");
    ask(token_a, "POST", target("/cards/", "crd", record_b.card, operations), body);
    expect(202);
}

// As after an import by the operator: the card is the enterprise's, its subscriptions are not.
static void what_is_on_its_card_an_enterprise_finds(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char wanted[128];
    char body[256];
    char list[160];
    char strong[LAB_TOKEN_SIZE];
    const uint64_t own = record_a.slots[1].subscription;
    api_id_write(id, "crd", record_a.card);
    (void)snprintf(list, sizeof(list), API_BASE "/subscriptions?cardId=%s", id);
    api_id_write(id, "sub", own);
    (void)snprintf(wanted, sizeof(wanted), "\"subscriptionId\":\"%s\"", id);
    grant(enterprise_a, group_a, "\"card.audit\",\"subscription.enable\"");
    ask(token_a, "GET", list, NULL);
    assert_true(has("\"totalCount\":0"));
    ask(token_a, "GET", target("/subscriptions/", "sub", own, ""), NULL);
    expect(404); // it may not read the card
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.enable\"");
    ask(token_a, "GET", target("/cards/", "crd", record_a.card, "/subscriptions"), NULL);
    assert_true(has(wanted) && !has("\"subscriptionId\":null"));
    ask(token_a, "GET", list, NULL);
    assert_true(has("\"totalCount\":2") && has(id));
    ask(token_a, "POST", API_BASE "/subscriptions/search", "{\"imsi\":\"" IMSI_A "\"}");
    expect(200);
    assert_true(has("\"totalCount\":1") && has(id));
    ask(token_a, "GET", target("/subscriptions/", "sub", own, ""), NULL);
    expect(200);
    (void)snprintf(body, sizeof(body), "{\"type\":\"enable\",\"subscriptionId\":\"%s\"}", id);
    ask(token_a, "POST", target("/cards/", "crd", record_a.card, "/operations"), body);
    expect(202);
    // It is the operator's stock nevertheless.
    ask(token_a, "GET", API_BASE "/subscriptions", NULL);
    assert_true(has("\"totalCount\":0"));
    lab_client(&lab, "all", enterprise_a, strong);
    ask(strong, "PATCH", target("/subscriptions/", "sub", own, ""), "{\"fallbackEligible\":true}");
    expect(403);
    // And nothing to another enterprise.
    grant(enterprise_b, group_b, "\"card.read\",\"subscription.enable\"");
    ask(token_b, "GET", list, NULL);
    assert_true(has("\"totalCount\":0"));
    ask(token_b, "POST", API_BASE "/subscriptions/search", "{\"imsi\":\"" IMSI_A "\"}");
    assert_true(has("\"totalCount\":0"));
    ask(token_b, "GET", target("/subscriptions/", "sub", own, ""), NULL);
    expect(404);
    ask(token_b, "GET", target("/cards/", "crd", record_b.card, "/subscriptions"), NULL);
    assert_true(!has(wanted) && !has("\"subscriptionId\":null"));
}

// What nobody has on a card is nobody's but its owner's.
static void stock_without_a_card_is_its_owners_alone(void **state)
{
    (void)state;
    const uint64_t loose = lab_subscription(&lab, 0, "002020000000077");
    grant(enterprise_a, group_a, "\"card.read\"");
    ask(token_a, "GET", target("/subscriptions/", "sub", loose, ""), NULL);
    expect(404);
    ask(token_a, "POST", API_BASE "/subscriptions/search", "{\"imsi\":\"002020000000077\"}");
    assert_true(has("\"totalCount\":0"));
    ask(NULL, "POST", API_BASE "/subscriptions/search", "{\"imsi\":\"002020000000077\"}");
    assert_true(has("\"totalCount\":1"));
}

static void a_virtual_operator_knows_its_customers_cards(void **state)
{
    (void)state;
    char body[128];
    char seller[API_ID_SIZE];
    char token[LAB_TOKEN_SIZE];
    ask(NULL, "POST", API_BASE "/enterprises",
        "{\"name\":\"seller\",\"kind\":\"VIRTUAL_OPERATOR\",\"region\":\"X\",\"timeZone\":"
        "\"UTC\"}");
    expect(201);
    const uint64_t id = lab_id(&a, "ent");
    api_id_write(seller, "ent", id);
    lab_client(&lab, "cards:read,operations:read", id, token);
    ask(token, "GET", target("/cards/", "crd", record_a.card, ""), NULL);
    expect(404); // a stranger's
    (void)snprintf(body, sizeof(body), "{\"parentId\":\"%s\"}", seller);
    ask(NULL, "PATCH", target("/enterprises/", "ent", enterprise_a, ""), body);
    expect(200);
    ask(token, "GET", target("/cards/", "crd", record_a.card, ""), NULL);
    expect(403); // its customer's own
    ask(token, "GET", target("/cards/", "crd", record_b.card, ""), NULL);
    expect(404);
    grant(enterprise_a, group_b, "\"card.audit\"");
    ask(token, "GET", target("/cards/", "crd", record_b.card, ""), NULL);
    expect(403); // its customer may do something there
    ask(token, "GET", API_BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    grant(id, group_a, "\"card.read\"");
    ask(token, "GET", target("/cards/", "crd", record_a.card, ""), NULL);
    expect(200);
    // The customer sees nothing of who sells for it, nor does another enterprise.
    ask(token_b, "GET", target("/cards/", "crd", record_a.card, ""), NULL);
    expect(404);
    ask(NULL, "DELETE", pair(enterprise_a, group_b), NULL);
    ask(token, "GET", target("/cards/", "crd", record_b.card, ""), NULL);
    expect(404);
}

static void patch(const char *where, const char *prefix, uint64_t id, const char *after,
                  const char *body)
{
    ask(NULL, "PATCH", target(where, prefix, id, after), body);
    expect(200);
}

// Requirement C10: in no form.
static void what_nobody_there_may_use_is_not_granted(void **state)
{
    static const char writing[] =
        "{\"operations\":[\"card.read\",\"subscription.enable\"],\"reason\":\"x\"}";
    (void)state;
    patch("/enterprises/", "ent", enterprise_a, "", "{\"authorityMode\":\"OPERATOR_ONLY\"}");
    ask(NULL, "PUT", pair(enterprise_a, group_a), writing);
    expect(422);
    assert_true(has("RULES_INCONSISTENT") && has("Only reads: the enterprise is"));
    grant(enterprise_a, group_a, "\"card.read\",\"card.reveal\",\"card.audit\"");
    patch("/enterprises/", "ent", enterprise_a, "", "{\"authorityMode\":\"REQUEST_APPROVE\"}");
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.enable\"");
    patch("/enterprises/", "ent", enterprise_a, "", "{\"kind\":\"SUPPLIER\"}");
    ask(NULL, "PUT", pair(enterprise_a, group_a), writing);
    expect(422);
    // What was granted before is without effect.
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise_a);
    (void)snprintf(path, sizeof(path), API_BASE "/permissions/effective?enterpriseId=%s", id);
    ask(NULL, "GET", path, NULL);
    expect(200);
    assert_true(has("\"subscription.enable\":{\"effect\":\"DENIED\",\"source\":\"ENTERPRISE\"}"));
    patch("/enterprises/", "ent", enterprise_a, "", "{\"kind\":\"INSPECTOR\"}");
    ask(NULL, "PUT", pair(enterprise_a, group_a), writing);
    expect(422);
    patch("/enterprises/", "ent", enterprise_a, "",
          "{\"kind\":\"ENTERPRISE\",\"authorityMode\":\"SELF_SERVICE\"}");
    ask(NULL, "PUT", pair(enterprise_a, group_a), writing);
    expect(200);
    patch("/card-groups/", "grp", group_a, "/rules",
          "{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}");
    ask(NULL, "PUT", pair(enterprise_a, group_a), writing);
    expect(422);
    assert_true(has("Only reads: the group's rules say OPERATOR_ONLY"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(permissions_are_replaced_as_a_whole_and_leave_a_row),
        CASE(without_a_permission_nothing_is_permitted),
        CASE(each_permission_permits_its_own_operation_and_no_other),
        CASE(what_only_the_operator_does_no_permission_gives),
        CASE(a_permission_in_a_foreign_group_shows_its_cards_alone),
        CASE(of_the_operators_rules_a_guest_reads_no_routes_and_pools),
        CASE(cards_are_moved_between_own_groups_only_where_it_is_granted),
        CASE(stock_of_one_enterprise_goes_onto_no_card_of_another),
        CASE(the_operators_stock_goes_where_a_download_is_granted),
        CASE(what_is_on_its_card_an_enterprise_finds),
        CASE(stock_without_a_card_is_its_owners_alone),
        CASE(a_virtual_operator_knows_its_customers_cards),
        CASE(what_nobody_there_may_use_is_not_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
