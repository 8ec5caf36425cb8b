// Rule packs and the ways round them: what a second person approves where a pack is in reach.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

#define POOLS API_BASE "/subscription-pools"
#define WITH_PACK "\"operator\":\"Birch\",\"templateId\":3,\"rulePack\":\"CN-IoT\""
#define WITHOUT_PACK "\"operator\":\"Birch\",\"templateId\":3,\"rulePack\":\"NONE\""

static void ask_for_pool(const char *as, const char *name, const char *members)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"name\":\"%s\",%s}", name, members);
    ask(as, "POST", POOLS, body);
}

static void approve(void)
{
    take_asked();
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
}

// By two, when it has to be.
static void make_pool(const char *name, const char *members, char id[API_ID_SIZE])
{
    ask_for_pool(NULL, name, members);
    if (a.status == 202) {
        approve();
        take("poolId", id, API_ID_SIZE);
        return;
    }
    assert_int_equal(a.status, 201);
    take("id", id, API_ID_SIZE);
}

static const char *one(const char *kind, const char *id)
{
    (void)snprintf(path, sizeof(path), API_BASE "/%s/%s", kind, id);
    return path;
}

static void a_pool_with_a_pack_is_for_two(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    ask_for_pool(NULL, "q", WITH_PACK);
    take_asked();
    assert_true(has("\"summary\":\"new pool\"") && has("\"rulePack\":\"CN-IoT\"") &&
                has("\"enterpriseId\":\"ent_") && has("\"targetCount\":0"));
    take("poolId", id, sizeof(id));
    ask(NULL, "GET", one("subscription-pools", id), NULL);
    expect(404, "NOT_FOUND");
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    ask(NULL, "GET", POOLS, NULL);
    expect(200, "\"totalCount\":0");
    make_pool("q", WITH_PACK, id);
    ask(NULL, "GET", one("subscription-pools", id), NULL);
    expect(200, "\"rulePack\":\"CN-IoT\"");
    assert_true(has("\"name\":\"q\"") && has("\"templateId\":3") && !has("poolId"));
    ask_for_pool(NULL, "q", WITH_PACK); // the name was free when it was asked for, or was not
    take_asked();
    decide_as(second, "/approve");
    expect(409, "ALREADY_EXISTS");
}

static void beside_a_pack_every_new_pool_is_for_two(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char owner[64];
    char members[192];
    char other[LAB_TOKEN_SIZE];
    ask_for_pool(NULL, "before", WITHOUT_PACK); // nobody has a pack to get round
    expect(201, "\"rulePack\":\"NONE\"");
    api_id_write(id, "ent", enterprise);
    (void)snprintf(owner, sizeof(owner), ",\"enterpriseId\":\"%s\"", id);
    (void)snprintf(members, sizeof(members), WITH_PACK "%s", owner);
    make_pool("theirs", members, id);
    ask_for_pool(NULL, "after", WITHOUT_PACK); // its subscriptions would go onto their cards
    take_asked();
    ask_for_pool(NULL, "no pack named", "\"operator\":\"Birch\",\"templateId\":3");
    take_asked();
    (void)snprintf(members, sizeof(members), WITHOUT_PACK "%s", owner);
    ask_for_pool(NULL, "their second", members);
    take_asked();
    lab_client(&lab, "inventory:read,inventory:write", enterprise + 1, other);
    ask_for_pool(other, "out of reach", WITHOUT_PACK);
    expect(201, "\"rulePack\":\"NONE\"");
    make_pool("operator's", WITH_PACK, id);
    ask_for_pool(other, "in reach", WITHOUT_PACK);
    take_asked();
    decide_as(other, "/approve"); // is the operator's to decide
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    ask(other, "GET", POOLS, NULL);
    assert_true(has("\"name\":\"in reach\""));
}

static void enter(const char *pool, const char *imsi, const char *msisdn, char id[API_ID_SIZE])
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"poolId\":\"%s\",\"imsi\":\"%s\",\"msisdn\":\"%s\"}",
                   pool, imsi, msisdn);
    ask(NULL, "POST", API_BASE "/subscriptions", body);
    assert_int_equal(a.status, 201);
    take("id", id, API_ID_SIZE);
}

static void move(const char *subscription, const char *pool, const char *more)
{
    char body[160];
    (void)snprintf(body, sizeof(body), "{\"poolId\":\"%s\"%s}", pool, more);
    ask(NULL, "PATCH", one("subscriptions", subscription), body);
}

static void a_subscription_goes_to_another_pack_by_two(void **state)
{
    (void)state;
    char strict[API_ID_SIZE];
    char also_strict[API_ID_SIZE];
    char loose[API_ID_SIZE];
    char id[API_ID_SIZE];
    char first[sizeof(approval)];
    char first_hash[sizeof(hash)];
    make_pool("strict", WITH_PACK, strict);
    make_pool("also strict", WITH_PACK, also_strict);
    make_pool("loose", WITHOUT_PACK, loose);
    enter(strict, "999700000000077", "1440000000012", id);
    move(id, also_strict, "");
    expect(200, "\"rulePack\":\"CN-IoT\"");
    move(id, loose, ",\"msisdn\":\"144000000001\"");
    expect(400, "ask for it by itself");
    move(id, loose, ",\"reason\":\"sold\"");
    take_asked();
    assert_true(has("\"summary\":\"rule pack of a subscription\"") &&
                has("\"rulePackNow\":\"CN-IoT\"") && has("\"rulePack\":\"NONE\"") && has(id) &&
                has(loose));
    memcpy(first, approval, sizeof(first));
    memcpy(first_hash, hash, sizeof(first_hash));
    move(id, loose, "");
    approve();
    ask(NULL, "GET", one("subscriptions", id), NULL);
    expect(200, "\"rulePack\":\"NONE\"");
    assert_true(has(loose));
    memcpy(approval, first, sizeof(first));
    memcpy(hash, first_hash, sizeof(first_hash));
    decide_as(second, "/approve"); // it is there already
    expect(409, "changed since");
    ask(NULL, "PATCH", one("subscriptions", id), "{\"msisdn\":\"144000000001\"}");
    expect(200, "\"rulePack\":\"NONE\"");
    move(id, strict, "");
    expect(422, "RULE_PACK_VIOLATION");
}

static void bootstrap_from(const char *pool, const char *query)
{
    char body[256];
    (void)snprintf(body, sizeof(body),
                   "{\"bootstrap\":{\"enabled\":true,\"items\":[{\"poolId\":\"%s\",\"enable\":"
                   "true}]},\"reason\":\"roll-out\"}",
                   pool);
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules%s", id_of_group(), query);
    ask(NULL, "PATCH", path, body);
}

static void a_bootstrap_from_another_pack_is_for_two(void **state)
{
    (void)state;
    char strict[API_ID_SIZE];
    char loose[API_ID_SIZE];
    char also_loose[API_ID_SIZE];
    make_pool("loose", WITHOUT_PACK, loose);
    bootstrap_from(loose, ""); // nothing has a pack
    expect(200, loose);
    make_pool("strict", WITH_PACK, strict);
    make_pool("also loose", WITHOUT_PACK, also_loose);
    bootstrap_from(also_loose, "");
    expect(200, also_loose);
    bootstrap_from(strict, "?dryRun=true");
    expect(200, "\"approvalsNeeded\":1");
    bootstrap_from(strict, "");
    assert_true(has("\"summary\":\"bootstrap from pools with another rule pack\""));
    approve();
    bootstrap_from(loose, "");
    take_asked();
    // Nor by none in between.
    change_rules("{\"bootstrap\":{\"enabled\":false},\"reason\":\"stop\"}");
    bootstrap_from(loose, "");
    take_asked();
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    bootstrap_from(also_loose, "");
    expect(200, also_loose);
}

static void one_person_needs_nobody(void **state)
{
    (void)state;
    lab_close(&lab);
    (void)open_with(true);
    char strict[API_ID_SIZE];
    char loose[API_ID_SIZE];
    char id[API_ID_SIZE];
    ask_for_pool(NULL, "strict", WITH_PACK);
    expect(201, "CN-IoT");
    take("id", strict, sizeof(strict));
    ask_for_pool(NULL, "loose", WITHOUT_PACK);
    expect(201, "NONE");
    take("id", loose, sizeof(loose));
    enter(strict, "999700000000077", "1440000000012", id);
    move(id, loose, "");
    expect(200, "\"rulePack\":\"NONE\"");
    bootstrap_from(strict, "");
    expect(200, strict);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_pool_with_a_pack_is_for_two),
        CASE(beside_a_pack_every_new_pool_is_for_two),
        CASE(a_subscription_goes_to_another_pack_by_two),
        CASE(a_bootstrap_from_another_pack_is_for_two),
        CASE(one_person_needs_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
