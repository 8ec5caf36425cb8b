// Whose cards a campaign takes: its own enterprise's, whoever acts on it.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define SCOPES                                                                                     \
    "cards:read,operations:read,operations:read-timers,campaigns:read,campaigns:write,groups:read"
#define ACME "{\"name\":\"acme\",\"kind\":\"ENTERPRISE\",\"region\":\"eu\",\"timeZone\":\"UTC\"}"
#define CAMPAIGN(target)                                                                           \
    "{\"name\":\"m\",\"operation\":{\"type\":\"read-timers\"},\"rate\":{\"perSecond\":9},"         \
    "\"target\":" target "}"

static struct lab lab;
static struct answer a;
static struct record record;
static char acme[LAB_TOKEN_SIZE], path[256], campaign[API_ID_SIZE];
static uint64_t own, strange; // groups
static uint64_t strange_card;

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
    (void)snprintf(key, sizeof(key), "key-%05u", ++number);
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

static void expect(unsigned status, const char *text)
{
    if (a.status != status || strstr(a.body, text) == NULL)
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
}

static uint64_t card_in(const char *iccid, const char *imsi, const char *second, uint64_t group)
{
    const uint64_t card = lab_card_of(&lab, iccid, imsi, second, &record);
    struct record next = record;
    next.group = group;
    next.state = CARD_OPERATIONAL;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return card;
}

// One card that acme may read and command, two that it has never heard of.
static void fill(void)
{
    ask_as(NULL, "POST", API_BASE "/enterprises", ACME);
    const uint64_t enterprise = lab_id(&a, "ent");
    own = lab_grant(&lab, enterprise,
                    GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_AUDIT) |
                        GRANT_BIT(GRANT_CAMPAIGN_RUN));
    ask_as(NULL, "POST", API_BASE "/card-groups", "{\"name\":\"others\"}");
    strange = lab_id(&a, "grp");
    card_in("89999000000000000012", "999700000000011", "999700000000012", own);
    strange_card = card_in("89999000000000000020", "999700000000021", "999700000000022", strange);
    card_in("89999000000000000038", "999700000000031", "999700000000032", strange);
    lab_client(&lab, SCOPES, enterprise, acme);
}

static const char *at(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s%s", campaign, after);
    return path;
}

static void new_of_acme(const char *body)
{
    ask_as(acme, "POST", API_BASE "/campaigns", body);
    expect(201, "DRAFT");
    api_id_write(campaign, "cmp", lab_id(&a, "cmp"));
}

static const char *of_group(uint64_t group)
{
    static char body[512];
    char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    (void)snprintf(body, sizeof(body), CAMPAIGN("{\"groupIds\":[\"%s\"]}"), id);
    return body;
}

static void expect_acmes_card_alone(const char *body)
{
    new_of_acme(body);
    ask_as(NULL, "POST", at("/check"), NULL);
    expect(200, "\"targeted\":1,\"eligible\":1");
    ask_as(acme, "GET", at("/exclusions"), NULL);
    expect(200, "\"items\":[]");
    ask_as(acme, "POST", at("/check"), NULL);
    expect(200, "\"targeted\":1,\"eligible\":1");
}

static void an_operators_check_takes_the_cards_of_its_enterprise(void **state)
{
    (void)state;
    fill();
    expect_acmes_card_alone(CAMPAIGN("{\"filter\":{}}"));
    expect_acmes_card_alone(of_group(own));
}

static void an_operators_change_names_what_its_enterprise_may_see(void **state)
{
    (void)state;
    char id[API_ID_SIZE], body[256];
    fill();
    new_of_acme(CAMPAIGN("{\"filter\":{}}"));
    api_id_write(id, "grp", strange);
    (void)snprintf(body, sizeof(body), "{\"target\":{\"groupIds\":[\"%s\"]}}", id);
    ask_as(NULL, "PATCH", at(""), body);
    expect(404, "groupIds");
    api_id_write(id, "crd", strange_card);
    (void)snprintf(body, sizeof(body), "{\"target\":{\"cardIds\":[\"%s\"]}}", id);
    ask_as(NULL, "PATCH", at(""), body);
    expect(404, "number 1 of the list");
    ask_as(NULL, "PATCH", at(""), "{\"target\":{\"filter\":{\"state\":\"OPERATIONAL\"}}}");
    expect(200, "OPERATIONAL");
    ask_as(NULL, "POST", at("/check"), NULL);
    expect(200, "\"targeted\":1,\"eligible\":1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_operators_check_takes_the_cards_of_its_enterprise,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(an_operators_change_names_what_its_enterprise_may_see,
                                        open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
