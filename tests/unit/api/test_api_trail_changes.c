// What the rows of the trail say that was changed: which object, what it was, what it is, and why.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define PASSWORD "correct horse battery"
#define KCV "8F93D8"
#define REVEALED "Anna Ohnegleichen"

static struct lab lab;
static struct answer a;
static char path[256];
static uint64_t card;

static int open_all(void **state)
{
    (void)state;
    struct record record;
    lab_open(&lab, "all", true);
    card = lab_card(&lab, "89999000000000000012", &record);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask_once(const char *method, const char *target, const char *body, const char *key,
                     unsigned status)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body, .key = key}, &a);
    if (a.status != status)
        fail_msg("%s %s: %u instead of %u: %s", method, target, a.status, status, a.body);
}

static void ask(const char *method, const char *target, const char *body, unsigned status)
{
    ask_once(method, target, body, NULL, status);
}

static const char *target(const char *before, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, text, after);
    return path;
}

static void expect(const char *text)
{
    if (strstr(a.body, text) == NULL)
        fail_msg("no %s in %s", text, a.body);
}

// The newest row of this action about the object, which is named in it.
static void look(const char *action, const char *prefix, uint64_t object)
{
    char id[API_ID_SIZE];
    char text[256];
    api_id_write(id, prefix, object);
    (void)snprintf(text, sizeof(text),
                   API_BASE "/audit-trail?action=%s&objectId=%s&perPage=1&sort=-sequence", action,
                   id);
    ask("GET", text, NULL, 200);
    (void)snprintf(text, sizeof(text), "\"id\":\"%s\"", id);
    expect(text);
}

static uint64_t enterprise(const char *name)
{
    char body[256];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"kind\":\"ENTERPRISE\",\"region\":\"EU\","
                   "\"timeZone\":\"UTC\"}",
                   name);
    ask("POST", API_BASE "/enterprises", body, 201);
    return lab_id(&a, "ent");
}

static uint64_t group(const char *name)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    ask("POST", API_BASE "/card-groups", body, 201);
    return lab_id(&a, "grp");
}

static void a_persons_row_has_the_role_before_and_after_and_no_name(void **state)
{
    (void)state;
    char body[384];
    char own[API_ID_SIZE];
    api_id_write(own, "ent", AUTH_OPERATOR);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"anna\",\"displayName\":\"" REVEALED "\",\"role\":\"SUPPORT\","
                   "\"enterpriseId\":\"%s\",\"password\":\"" PASSWORD "\"}",
                   own);
    ask("POST", API_BASE "/users", body, 201);
    const uint64_t user = lab_id(&a, "usr");
    look("user.created", "usr", user);
    expect("\"after\":\"username=*, displayName=*, role=SUPPORT, locked=false, password=*\"");
    ask("PATCH", target("/users/", "usr", user, ""),
        "{\"role\":\"OPERATOR\",\"displayName\":\"" REVEALED " II\",\"reason\":\"promoted\"}", 200);
    look("user.changed", "usr", user);
    expect("\"before\":\"displayName=*, role=SUPPORT\","
           "\"after\":\"displayName=*, role=OPERATOR\",\"reason\":\"promoted\"");
    ask("POST", target("/users/", "usr", user, "/password"),
        "{\"password\":\"" PASSWORD "!\",\"reason\":\"forgotten\"}", 204);
    look("user.changed", "usr", user);
    expect("\"before\":\"password=*\",\"after\":\"password=*, alone\",\"reason\":\"forgotten\"");
    ask("GET", API_BASE "/audit-trail?perPage=100", NULL, 200);
    assert_null(strstr(a.body, REVEALED));
    assert_null(strstr(a.body, "argon2"));
    assert_null(strstr(a.body, PASSWORD));
}

static void an_enterprises_row_has_what_was_changed_and_why(void **state)
{
    (void)state;
    const uint64_t id = enterprise("North");
    ask("PATCH", target("/enterprises/", "ent", id, ""),
        "{\"authorityMode\":\"REQUEST_APPROVE\",\"agreement\":{\"reference\":\"A-1\"},"
        "\"reason\":\"contract A-1\"}",
        200);
    look("enterprise.changed", "ent", id);
    expect("\"after\":\"authorityMode=REQUEST_APPROVE, agreement.reference=A-1\","
           "\"reason\":\"contract A-1\"");
    ask("PATCH", target("/enterprises/", "ent", id, ""),
        "{\"authorityMode\":\"SELF_SERVICE\",\"agreement\":{\"reference\":\"A-1\"}}", 200);
    look("enterprise.changed", "ent", id);
    expect("\"before\":\"authorityMode=REQUEST_APPROVE\",\"after\":\"authorityMode=SELF_SERVICE\"");
    ask("GET", target("/enterprises/", "ent", id, ""), NULL, 200);
    assert_null(strstr(a.body, "reason"));
}

static void a_permissions_row_has_the_pair_and_the_operations(void **state)
{
    (void)state;
    char first[API_ID_SIZE], second[API_ID_SIZE], text[384];
    const uint64_t whose = enterprise("South"), where = group("meters");
    api_id_write(first, "ent", whose);
    api_id_write(second, "grp", where);
    (void)snprintf(text, sizeof(text), API_BASE "/permissions/%s/%s", first, second);
    ask("PUT", text, "{\"operations\":[\"card.read\"],\"reason\":\"pilot\"}", 200);
    ask("PUT", text, "{\"operations\":[\"card.read\",\"card.move\"],\"reason\":\"live\"}", 200);
    ask("GET", API_BASE "/audit-trail?action=permission.changed&perPage=1&sort=-sequence", NULL,
        200);
    (void)snprintf(text, sizeof(text),
                   "\"before\":\"enterpriseId=%s, groupId=%s, operations=[card.read]\","
                   "\"after\":\"enterpriseId=%s, groupId=%s, operations=[card.read card.move]\","
                   "\"reason\":\"live\"",
                   first, second, first, second);
    expect(text);
}

static void a_row_of_rules_has_the_members_that_differ(void **state)
{
    (void)state;
    const uint64_t id = group("trackers");
    look("group.created", "grp", id);
    expect("\"after\":\"name=trackers, enterpriseId=ent_");
    ask("PATCH", target("/card-groups/", "grp", id, "/rules"),
        "{\"retry\":{\"smsValiditySeconds\":600},\"reason\":\"cells\"}", 200);
    ask("PATCH", target("/card-groups/", "grp", id, "/rules"),
        "{\"retry\":{\"smsValiditySeconds\":700},\"reason\":\"more\"}", 200);
    look("group-rules.changed", "grp", id);
    expect("\"before\":\"retry.smsValiditySeconds=600\",\"after\":\"retry.smsValiditySeconds=700\","
           "\"reason\":\"more\"");
}

static void a_clients_row_has_scopes_and_no_secret(void **state)
{
    (void)state;
    char own[API_ID_SIZE], body[256];
    api_id_write(own, "ent", AUTH_OPERATOR);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"erp\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"client_secret\"]}",
                   own);
    ask("POST", API_BASE "/api-clients", body, 201);
    const uint64_t id = lab_id(&a, "cli");
    ask("PATCH", target("/api-clients/", "cli", id, ""),
        "{\"scopes\":[\"cards:read\",\"cards:write\"],\"burst\":7}", 200);
    look("client.changed", "cli", id);
    expect("\"before\":\"scopes=[cards:read], burst=");
    expect("\"after\":\"scopes=[cards:read cards:write], burst=7\"");
    ask("POST", target("/api-clients/", "cli", id, "/approve"), NULL, 200);
    look("client.approved", "cli", id);
    expect("\"before\":\"status=REQUESTED\",\"after\":\"status=ACTIVE\"");
    ask("POST", target("/api-clients/", "cli", id, "/secrets"), "{\"reason\":\"rotation\"}", 201);
    look("client.secret-issued", "cli", id);
    expect("\"before\":\"secrets=[]\",\"after\":\"secrets=[{\\\"number\\\":1}]\","
           "\"reason\":\"rotation\"");
}

static void a_pools_row_says_why(void **state)
{
    (void)state;
    ask("POST", API_BASE "/subscription-pools",
        "{\"name\":\"main\",\"operator\":\"Us\",\"templateId\":1}", 201);
    const uint64_t id = lab_id(&a, "pol");
    ask("PATCH", target("/subscription-pools/", "pol", id, ""),
        "{\"lowWaterMark\":9,\"reason\":\"more to come\"}", 200);
    look("pool.changed", "pol", id);
    expect("\"after\":\"lowWaterMark=9\",\"reason\":\"more to come\"");
}

static void what_goes_away_goes_with_a_reason(void **state)
{
    (void)state;
    char own[API_ID_SIZE], body[256];
    api_id_write(own, "ent", AUTH_OPERATOR);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"crm\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"client_secret\"]}",
                   own);
    ask("POST", API_BASE "/api-clients", body, 201);
    const uint64_t client = lab_id(&a, "cli");
    ask("POST", target("/api-clients/", "cli", client, "/approve"), NULL, 200);
    ask("POST", target("/api-clients/", "cli", client, "/secrets"), NULL, 201);
    ask("DELETE", target("/api-clients/", "cli", client, "/secrets/1"), "{\"reason\":\"leaked\"}",
        204);
    look("client.secret-ended", "cli", client);
    expect("\"reason\":\"leaked\"");
    ask("POST", API_BASE "/subscription-pools",
        "{\"name\":\"spare\",\"operator\":\"Us\",\"templateId\":1}", 201);
    const uint64_t pool = lab_id(&a, "pol");
    ask("DELETE", target("/subscription-pools/", "pol", pool, ""), "{\"reason\":\"empty\"}", 204);
    look("pool.deleted", "pol", pool);
    expect("\"reason\":\"empty\"");
    const uint64_t meters = group("spare");
    ask("DELETE", target("/card-groups/", "grp", meters, ""), "{\"reason\":7}", 400);
    ask("DELETE", target("/card-groups/", "grp", meters, ""), "{\"reason\":\"sold\"}", 204);
    look("group.deleted", "grp", meters);
    expect("\"reason\":\"sold\"");
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"berta\",\"role\":\"INSPECTOR\",\"enterpriseId\":\"%s\"}", own);
    ask("POST", API_BASE "/users", body, 201);
    const uint64_t user = lab_id(&a, "usr");
    ask("DELETE", target("/users/", "usr", user, ""), "{\"reason\":\"has left\"}", 204);
    look("user.deleted", "usr", user);
    expect("\"reason\":\"has left\"");
}

static void a_moved_cards_row_has_both_groups(void **state)
{
    (void)state;
    char first[API_ID_SIZE], second[API_ID_SIZE], text[256];
    const uint64_t from = group("from"), to = group("to");
    api_id_write(first, "grp", from);
    api_id_write(second, "grp", to);
    (void)snprintf(text, sizeof(text), "{\"groupId\":\"%s\",\"reason\":\"first\"}", first);
    ask("PATCH", target("/cards/", "crd", card, ""), text, 200);
    (void)snprintf(text, sizeof(text), "{\"groupId\":\"%s\",\"reason\":\"second\"}", second);
    ask("PATCH", target("/cards/", "crd", card, ""), text, 200);
    ask("GET",
        target("/audit-trail?action=card.moved&sort=-sequence&perPage=1&objectId=", "crd", card,
               ""),
        NULL, 200);
    (void)snprintf(text, sizeof(text), ", groupId=%s\",\"after\":", first);
    expect(text);
    (void)snprintf(text, sizeof(text), ", groupId=%s\",\"reason\":", second);
    expect(text);
    expect("\"before\":\"enterpriseId=ent_");
}

static void an_operations_rows_have_what_was_asked_for_and_how_it_ended(void **state)
{
    (void)state;
    ask("POST", target("/cards/", "crd", card, "/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"T_REFRESH\":50},\"when\":\"NEXT_CONTACT\","
        "\"reason\":\"slow modem\"}",
        202);
    const uint64_t operation = lab_id(&a, "op");
    ask("POST", target("/operations/", "op", operation, "/cancel"), NULL, 200);
    ask("GET", target("/audit-trail?action=operation.requested&operationId=", "op", operation, ""),
        NULL, 200);
    expect("\"after\":\"set-timers T_REFRESH=50, when=NEXT_CONTACT\",\"reason\":\"slow modem\","
           "\"result\":\"QUEUED\"");
    ask("GET", target("/audit-trail?action=operation.ended&operationId=", "op", operation, ""),
        NULL, 200);
    expect("\"after\":\"cancelled\"");
    expect("\"result\":\"cancelled CANCELLED\"");
}

// A card that is on its operational subscription by itself tells so.
static void a_switch_of_a_card_leaves_one_row_with_its_slots_as_they_were_and_are(void **state)
{
    (void)state;
    struct record record;
    char first[API_ID_SIZE], second[API_ID_SIZE], text[512];
    const uint64_t other =
        lab_card_of(&lab, "89999000000000000020", "001010000000002", "999700000000002", &record);
    api_id_write(first, "sub", record.slots[0].subscription);
    api_id_write(second, "sub", record.slots[1].subscription);
    struct event e = {.type = EVENT_NOTIFY, .actor = {.kind = ACTOR_CARD}};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification = (struct notification){.cause = NOTIFY_ROTATED,
                                                     .sequence = 1,
                                                     .registry_version = 1,
                                                     .from = record_slot_name(&record.slots[0]),
                                                     .to = record_slot_name(&record.slots[1])};
    assert_true(turn_event(lab.turn, other, &e, NULL, NULL));
    lab_turn(&lab);
    ask("GET", target("/audit-trail?action=card.slots&objectId=", "crd", other, ""), NULL, 200);
    (void)snprintf(text, sizeof(text),
                   "\"before\":\"slot1.state=ENABLED, slot2.state=DISABLED, slot2.proven=false\","
                   "\"after\":\"slot1.subscriptionId=%s, slot1.state=DISABLED, "
                   "slot2.subscriptionId=%s, slot2.state=ENABLED, slot2.proven=true\","
                   "\"reason\":\"ROTATED\",\"result\":\"done\"",
                   first, second);
    expect(text);
    expect("\"actor\":{\"kind\":\"CARD\"}");
    expect("\"totalCount\":1");
    ask("GET", target("/cards/", "crd", other, "/audit-trail"), NULL, 200);
    expect(text);
}

// The newest row of this action, whose object may be a pseudonym.
static void look_newest(const char *action)
{
    char text[256];
    (void)snprintf(text, sizeof(text), API_BASE "/audit-trail?action=%s&perPage=1&sort=-sequence",
                   action);
    ask("GET", text, NULL, 200);
}

static void a_cards_row_names_what_was_written_about_it_and_has_the_field(void **state)
{
    (void)state;
    ask("PATCH", target("/cards/", "crd", card, ""),
        "{\"labels\":[\"" REVEALED "\"],\"note\":\"" REVEALED "\","
        "\"applicationField\":\"ENERGY\",\"reason\":\"survey\"}",
        200);
    look_newest("card.changed");
    expect("\"after\":\"labels=*, note=*, applicationField=ENERGY\",\"reason\":\"survey\"");
    ask("PATCH", target("/cards/", "crd", card, ""),
        "{\"labels\":[\"" REVEALED "\"],\"note\":\"x\",\"applicationField\":\"\"}", 200);
    look_newest("card.changed");
    expect("\"before\":\"note=*, applicationField=ENERGY\","
           "\"after\":\"note=*, applicationField=\"");
    ask("GET", API_BASE "/audit-trail?perPage=100", NULL, 200);
    assert_null(strstr(a.body, REVEALED));
}

static void a_subscriptions_row_has_its_state_and_no_identifier(void **state)
{
    (void)state;
    char body[256], pool[API_ID_SIZE];
    ask("POST", API_BASE "/subscription-pools",
        "{\"name\":\"stock\",\"operator\":\"Us\",\"templateId\":1}", 201);
    api_id_write(pool, "pol", lab_id(&a, "pol"));
    (void)snprintf(body, sizeof(body),
                   "{\"poolId\":\"%s\",\"imsi\":\"999700000004711\","
                   "\"iccid\":\"8999900000000004711\","
                   "\"fallbackEligible\":true}",
                   pool);
    ask("POST", API_BASE "/subscriptions", body, 201);
    const uint64_t id = lab_id(&a, "sub");
    look_newest("subscription.created");
    expect("fallbackEligible=true, state=");
    ask("PATCH", target("/subscriptions/", "sub", id, ""),
        "{\"fallbackEligible\":false,\"msisdn\":\"883140000004711\",\"reason\":\"barred\"}", 200);
    look_newest("subscription.changed");
    expect("\"before\":\"fallbackEligible=true, msisdn=*\","
           "\"after\":\"fallbackEligible=false, msisdn=*\",\"reason\":\"barred\"");
    ask("PATCH", target("/subscriptions/", "sub", id, ""), "{\"state\":\"RETIRED\"}", 200);
    look_newest("subscription.changed");
    expect("\"after\":\"state=RETIRED\"");
    ask("GET", API_BASE "/audit-trail?perPage=100", NULL, 200);
    assert_null(strstr(a.body, "4711"));
}

static void a_campaigns_row_has_what_it_does_and_to_whom_without_identifiers(void **state)
{
    (void)state;
    ask_once("POST", API_BASE "/campaigns",
             "{\"name\":\"spring\",\"operation\":{\"type\":\"set-timers\",\"parameters\":{"
             "\"T_REFRESH\":50,\"SERVER_ADDR\":\"+8613800004711\"}},"
             "\"target\":{\"filter\":{\"state\":\"SEEN\",\"iccid\":\"8999900000000004711\"}},"
             "\"rate\":{\"perSecond\":7}}",
             "campaign-1", 201);
    const uint64_t id = lab_id(&a, "cmp");
    look("campaign.created", "cmp", id);
    expect("name=spring, operation.type=set-timers, operation.parameters.T_REFRESH=50, "
           "operation.parameters.SERVER_ADDR=*, target.filter.state=SEEN, target.filter.iccid=*, "
           "rate.perSecond=7");
    ask("PATCH", target("/campaigns/", "cmp", id, ""), "{\"rate\":{\"perSecond\":9}}", 200);
    look("campaign.changed", "cmp", id);
    expect("\"before\":\"rate.perSecond=7\",\"after\":\"rate.perSecond=9\",\"result\":\"done\"");
}

static void rows_of_orders_have_what_was_ordered(void **state)
{
    (void)state;
    char name[API_ID_SIZE], text[256];
    ask("POST", API_BASE "/reports",
        "{\"type\":\"INVENTORY\",\"from\":\"2026-01-01T00:00:00Z\","
        "\"to\":\"2026-02-01T00:00:00Z\",\"format\":\"CSV\"}",
        202);
    look("report.created", "rpt", lab_id(&a, "rpt"));
    expect("type=INVENTORY");
    expect("format=CSV");
    const uint64_t to = group("moved to");
    api_id_write(name, "grp", to);
    (void)snprintf(text, sizeof(text),
                   "{\"groupId\":\"%s\",\"target\":{\"filter\":{\"state\":\"SEEN\"}}}", name);
    ask_once("POST", API_BASE "/cards/moves", text, "move-0001", 202);
    look("card-move.created", "mov", lab_id(&a, "mov"));
    (void)snprintf(text, sizeof(text), "\"after\":\"groupId=%s, target.filter.state=SEEN\"", name);
    expect(text);
}

// AES of sixteen octets 01 with the sum of the components begins with these three.
static void a_keys_row_has_the_index_and_the_check_value(void **state)
{
    (void)state;
    ask("POST", API_BASE "/transport-keys",
        "{\"index\":12,\"algorithm\":\"AES128-CBC\",\"components\":["
        "\"0F1E2D3C4B5A69788796A5B4C3D2E1F0\",\"00000000000000000000000000000000\"]}",
        201);
    look("transport-key.loaded", "rec", lab_id(&a, "rec"));
    expect("\"after\":\"index=12, kcv=" KCV "\"");
    ask("POST", API_BASE "/transport-keys",
        "{\"index\":13,\"algorithm\":\"AES128-CBC\",\"componentsNeeded\":3}", 201);
    const uint64_t id = lab_id(&a, "rec");
    look("transport-key.created", "rec", id);
    expect("\"after\":\"index=13, componentsNeeded=3\"");
    ask("POST", target("/transport-keys/", "rec", id, "/components"),
        "{\"component\":\"0F1E2D3C4B5A69788796A5B4C3D2E1F0\",\"kcv\":\"" KCV "\"}", 201);
    look("transport-key.component", "rec", id);
    expect("\"after\":\"index=13, component=1, kcv=" KCV "\"");
}

static void a_refused_request_leaves_its_method_and_path(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read", LAB_TENANT, token);
    const struct ask wanted = {.method = "PATCH",
                               .target = target("/users/", "usr", 77, ""),
                               .body = "{\"locked\":true}",
                               .authorization = token};
    lab_ask(&lab, &wanted, &a);
    assert_int_equal(a.status, 403);
    ask("GET", API_BASE "/audit-trail?action=request.refused&perPage=1&sort=-sequence", NULL, 200);
    expect("\"before\":\"PATCH /connectivity-management/v1/users/*\"");
    expect("\"reason\":\"PERMISSION_DENIED\",\"result\":\"refused\"");
}

static void what_is_too_long_is_cut_between_members_and_verifies(void **state)
{
    (void)state;
    char own[API_ID_SIZE], body[2048];
    api_id_write(own, "ent", AUTH_OPERATOR);
    int at = snprintf(body, sizeof(body),
                      "{\"name\":\"many\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                      "\"mechanisms\":[\"client_secret\"],\"sourceCidrs\":[",
                      own);
    for (unsigned i = 0; i < 8; i++)
        at += snprintf(body + at, sizeof(body) - (size_t)at, "%s\"2001:db8:%u:ffff::/64\"",
                       i > 0 ? "," : "", 1000 + i);
    (void)snprintf(body + at, sizeof(body) - (size_t)at,
                   "],\"quotas\":{\"callsPerMonth\":{\"esim-profile-management\":1000}}}");
    ask("POST", API_BASE "/api-clients", body, 201);
    look("client.requested", "cli", lab_id(&a, "cli"));
    expect("sourceCidrs=[2001:db8:1000:ffff::/64 ");
    ask("POST", API_BASE "/audit-trail/verify", NULL, 200);
    expect("\"ok\":true");
}

static void a_row_has_the_correlator_of_its_request(void **state)
{
    (void)state;
    static const struct ask group = {.method = "POST",
                                     .target = API_BASE "/card-groups",
                                     .body = "{\"name\":\"traced\"}",
                                     .correlator = "b4333c46-49c0-4f62-80d7-f0ef930f1c46"};
    lab_ask(&lab, &group, &a);
    assert_int_equal(a.status, 201);
    ask("GET", API_BASE "/audit-trail?correlator=b4333c46-49c0-4f62-80d7-f0ef930f1c46", NULL, 200);
    expect("\"totalCount\":1");
    expect("\"correlator\":\"b4333c46-49c0-4f62-80d7-f0ef930f1c46\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_persons_row_has_the_role_before_and_after_and_no_name),
        cmocka_unit_test(an_enterprises_row_has_what_was_changed_and_why),
        cmocka_unit_test(a_permissions_row_has_the_pair_and_the_operations),
        cmocka_unit_test(a_row_of_rules_has_the_members_that_differ),
        cmocka_unit_test(a_clients_row_has_scopes_and_no_secret),
        cmocka_unit_test(a_pools_row_says_why),
        cmocka_unit_test(what_goes_away_goes_with_a_reason),
        cmocka_unit_test(a_moved_cards_row_has_both_groups),
        cmocka_unit_test(an_operations_rows_have_what_was_asked_for_and_how_it_ended),
        cmocka_unit_test(a_switch_of_a_card_leaves_one_row_with_its_slots_as_they_were_and_are),
        cmocka_unit_test(a_cards_row_names_what_was_written_about_it_and_has_the_field),
        cmocka_unit_test(a_subscriptions_row_has_its_state_and_no_identifier),
        cmocka_unit_test(a_campaigns_row_has_what_it_does_and_to_whom_without_identifiers),
        cmocka_unit_test(rows_of_orders_have_what_was_ordered),
        cmocka_unit_test(a_keys_row_has_the_index_and_the_check_value),
        cmocka_unit_test(a_refused_request_leaves_its_method_and_path),
        cmocka_unit_test(a_row_has_the_correlator_of_its_request),
        cmocka_unit_test(what_is_too_long_is_cut_between_members_and_verifies),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
