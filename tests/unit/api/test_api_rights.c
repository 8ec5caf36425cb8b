// Rights that are taken away while something waits.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

#define HOUR_MS (3600ll * 1000)
#define ALL_GRANTS                                                                                 \
    "\"card.read\",\"card.audit\",\"subscription.enable\",\"subscription.delete\","                \
    "\"operation.approve\""

static void permit(const char *grants)
{
    char ids[2][API_ID_SIZE];
    char body[256];
    api_id_write(ids[0], "ent", enterprise);
    api_id_write(ids[1], "grp", group);
    (void)snprintf(path, sizeof(path), API_BASE "/permissions/%s/%s", ids[0], ids[1]);
    (void)snprintf(body, sizeof(body), "{\"operations\":[%s],\"reason\":\"contract\"}", grants);
    ask(NULL, "PUT", path, body);
    assert_int_equal(a.status, 200);
}

static void change_enterprise(const char *body)
{
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", id);
    ask(NULL, "PATCH", path, body);
    assert_int_equal(a.status, 200);
}

static const char *in_hours(int hours)
{
    static char text[UTC_TEXT_SIZE];
    utc_format((struct utc){lab.now.utc.ms + hours * HOUR_MS}, text);
    return text;
}

// An operation that begins in an hour.
static void order_as(const char *as, const char *type)
{
    char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record.slots[1].subscription);
    const bool is_audit = strcmp(type, "audit") == 0;
    (void)snprintf(body, sizeof(body), "{\"type\":\"%s\",\"when\":\"%s\"%s%s%s}", type, in_hours(1),
                   is_audit ? "" : ",\"subscriptionId\":\"", is_audit ? "" : id,
                   is_audit ? "" : "\"");
    ask(as, "POST", card_path("/operations"), body);
    assert_int_equal(a.status, 202);
    take("id", operation, sizeof(operation));
}

static void take_approval_of_order(void)
{
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take("approvalId", approval, sizeof(approval));
    ask(second, "GET", approval_path(""), NULL);
    take("requestHash", hash, sizeof(hash));
}

static void pass_an_hour(void)
{
    lab.now.utc.ms += HOUR_MS + 1000;
    lab_turn(&lab);
    lab_client(&lab, "all", LAB_TENANT, lab.token);
    lab_client(&lab, TENANT_SCOPES, enterprise, token);
}

static void show_an_hour_later(void)
{
    pass_an_hour();
    (void)snprintf(path, sizeof(path), API_BASE "/operations/%s", operation);
    ask(NULL, "GET", path, NULL);
}

static void expect_refused(void)
{
    show_an_hour_later();
    expect(200, "\"outcome\":\"refused\"");
    assert_true(has("\"failureCode\":\"REFUSED_AT_SEND\"") && has("\"attempts\":0") &&
                has("\"detail\":\"NOT_AUTHORISED\""));
}

static void expect_sent(void)
{
    show_an_hour_later();
    expect(200, "\"attempts\":1");
    assert_false(has("\"outcome\""));
}

static void what_waits_leaves_with_the_rights_that_it_had(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "enable");
    expect_sent();
}

static void what_waits_is_refused_when_its_permission_is_gone(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "enable");
    permit("\"card.read\",\"card.audit\"");
    expect_refused();
}

static void so_is_an_audit(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "audit");
    permit("\"card.read\",\"subscription.enable\"");
    expect_refused();
    // Doubt is the server's own: it asks for nobody.
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"x\"}");
    permit(ALL_GRANTS);
    order_as(token, "audit");
    permit("\"card.read\"");
    expect_refused();
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    assert_int_equal(record.flight.kind, FLIGHT_AUDIT);
}

static void so_it_is_when_only_the_operator_may_write(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "enable");
    change_rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}");
    expect_refused();
}

static void so_it_is_when_it_may_only_be_requested(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "enable");
    change_enterprise("{\"authorityMode\":\"REQUEST_APPROVE\"}");
    expect_refused();
    order_as(token, "enable");
    take_approval_of_order();
    decide_as(second, "/approve");
    expect(200, "APPROVED");
    expect_sent();
}

// Two of the enterprise are not the operator.
static void what_its_own_people_approved_does_not_do_for_a_request(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "delete");
    take_approval_of_order();
    decide_as(colleague, "/approve");
    expect(200, "APPROVED");
    change_enterprise("{\"authorityMode\":\"REQUEST_APPROVE\"}");
    expect_refused();
}

static void so_it_is_when_the_enterprise_is_suspended(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "enable");
    change_enterprise("{\"status\":\"SUSPENDED\"}");
    expect_refused();
}

static void so_it_is_when_its_agreement_is_over(void **state)
{
    (void)state;
    char body[160];
    permit(ALL_GRANTS);
    (void)snprintf(body, sizeof(body),
                   "{\"agreement\":{\"reference\":\"88\",\"expiresAt\":\"%s\"}}", in_hours(1));
    change_enterprise(body);
    order_as(token, "enable");
    lab.now.utc.ms -= 1;
    expect_refused();
}

static void approval_gives_no_right_back(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(token, "delete");
    take_approval_of_order();
    permit("\"card.read\"");
    decide_as(second, "/approve");
    expect(200, "APPROVED");
    expect_refused();
}

static void what_somebody_asked_who_is_gone_is_their_enterprises(void **state)
{
    (void)state;
    permit(ALL_GRANTS);
    order_as(colleague, "enable");
    ask(NULL, "GET", API_BASE "/users", NULL);
    const char *at = strstr(a.body, "\"username\":\"bob\"");
    assert_non_null(at);
    char id[API_ID_SIZE] = "";
    for (const char *p = strstr(a.body, "\"id\":\"usr_"); p != NULL && p < at;
         p = strstr(p + 1, "\"id\":\"usr_"))
        (void)snprintf(id, sizeof(id), "%.*s", API_ID_SIZE - 1, p + 6);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", id);
    ask(NULL, "DELETE", path, NULL);
    if (a.status == 202) {
        take_asked();
        decide_as(second, "/approve");
    }
    permit("\"card.read\"");
    expect_refused();
}

static void the_operators_own_waits_for_no_permission(void **state)
{
    (void)state;
    permit("\"card.read\"");
    order_as(second, "enable");
    change_rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}");
    change_enterprise("{\"status\":\"SUSPENDED\"}");
    expect_sent();
}

static void a_campaign_of_a_suspended_enterprise_asks_no_card(void **state)
{
    (void)state;
    char runner[LAB_TOKEN_SIZE];
    char body[384];
    char campaign[API_ID_SIZE];
    lab_client(&lab, TENANT_SCOPES ",campaigns:read,campaigns:write", enterprise, runner);
    permit("\"card.read\",\"card.audit\",\"campaign.run\"");
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"meters\",\"operation\":{\"type\":\"read-timers\"},"
                   "\"target\":{\"groupIds\":[\"%s\"]},\"rate\":{\"perSecond\":100},"
                   "\"schedule\":{\"startAt\":\"%s\"}}",
                   id_of_group(), in_hours(1));
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/campaigns",
                          .body = body,
                          .authorization = runner,
                          .key = "meters-0001"},
            &a);
    expect(201, "DRAFT");
    take("id", campaign, sizeof(campaign));
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/check", campaign);
    ask(runner, "POST", path, NULL);
    expect(200, "\"eligible\":1");
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/start", campaign);
    ask(runner, "POST", path, NULL);
    expect(200, "SCHEDULED");
    change_enterprise("{\"status\":\"SUSPENDED\"}");
    pass_an_hour();
    for (unsigned i = 0; i < 5; i++)
        ask(NULL, "GET", API_BASE "/system", NULL); // a turn each
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s", campaign);
    ask(NULL, "GET", path, NULL);
    expect(200, "{\"step\":\"sent\",\"reason\":\"NOT_AUTHORISED\",\"count\":1}");
    assert_true(has("\"state\":\"COMPLETED\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_waits_leaves_with_the_rights_that_it_had),
        CASE(what_waits_is_refused_when_its_permission_is_gone),
        CASE(so_is_an_audit),
        CASE(so_it_is_when_only_the_operator_may_write),
        CASE(so_it_is_when_it_may_only_be_requested),
        CASE(what_its_own_people_approved_does_not_do_for_a_request),
        CASE(so_it_is_when_the_enterprise_is_suspended),
        CASE(so_it_is_when_its_agreement_is_over),
        CASE(approval_gives_no_right_back),
        CASE(what_somebody_asked_who_is_gone_is_their_enterprises),
        CASE(the_operators_own_waits_for_no_permission),
        CASE(a_campaign_of_a_suspended_enterprise_asks_no_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
