// What a second person approves: four-eyes, and requests of enterprises that may only request.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

#define HOUR_MS (3600ll * 1000)

// The rules need two people for less; olga is one of them.
static void loosen(const char *body)
{
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
    ask(NULL, "PATCH", path, body);
    take_asked();
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
}

// The approval of the operation in the answer.
static void take_approval(const char *as)
{
    take("id", operation, sizeof(operation));
    take("approvalId", approval, sizeof(approval));
    ask(as, "GET", approval_path(""), NULL);
    expect(200, "\"state\":\"OPEN\"");
    take("requestHash", hash, sizeof(hash));
}

// Tokens do not last so long: another client asks then.
static void later(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab_turn(&lab);
    lab_client(&lab, "all", LAB_TENANT, lab.token);
}

static void show_operation(void)
{
    (void)snprintf(path, sizeof(path), API_BASE "/operations/%s", operation);
    ask(NULL, "GET", path, NULL);
}

// --- four-eyes ---

static void a_deletion_waits_for_a_second_person(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations?dryRun=true"), request_of("delete", ""));
    expect(200, "\"approvalsNeeded\":1");
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ",\"reason\":\"old\""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take_approval(NULL);
    assert_true(has("\"kind\":\"FOUR_EYES\"") && has("\"summary\":\"delete\"") &&
                has("\"targetCount\":1") && has("\"reason\":\"old\"") && has("\"cardId\":\"crd_"));
    decide_as(NULL, "/approve"); // a client is no person
    expect(403, "PERMISSION_DENIED");
    hash[0] = hash[0] == 'a' ? 'b' : 'a';
    decide_as(second, "/approve");
    expect(412, "requestHash");
    decide_as(second, "/reject");
    expect(412, "requestHash");
    ask(NULL, "GET", API_BASE "/system", NULL);
    expect(200, "\"fourEyes\":true");
    ask(second, "GET", approval_path(""), NULL);
    take("requestHash", hash, sizeof(hash));
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    assert_true(has("\"comment\":\"looked at it\"") && has("\"decidedBy\""));
    show_operation();
    expect(200, "\"name\":\"approved\"");
    assert_false(has("AWAIT_APPROVAL")); // its packet left
    decide_as(second, "/reject");
    expect(409, "INCOMPATIBLE_STATE");
    ask(NULL, "GET", API_BASE "/audit-trail?action=operation.status", NULL);
    expect(200, approval);
}

static void who_asks_does_not_decide(void **state)
{
    (void)state;
    ask(second, "POST", card_path("/operations"), request_of("delete", ""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take_approval(second);
    decide_as(second, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/reject"); // withdrawing is cancelling
    expect(403, "PERMISSION_DENIED");
    decide_as(third, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
}

static void what_is_rejected_never_leaves(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    take_approval(NULL);
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    show_operation();
    expect(200, "\"outcome\":\"refused\"");
    assert_true(has("\"failureCode\":\"APPROVAL_REJECTED\"") && has("\"attempts\":0"));
}

static void nobody_approves_for_ever(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    take_approval(NULL);
    later(71 * HOUR_MS);
    show_operation();
    expect(200, "\"status\":\"AWAIT_APPROVAL\"");
    later(HOUR_MS);
    show_operation();
    expect(200, "\"failureCode\":\"APPROVAL_EXPIRED\"");
    ask(NULL, "GET", API_BASE "/approvals?state=EXPIRED", NULL);
    expect(200, approval);
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
}

static void an_operation_has_its_whole_time_after_the_approval(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ",\"ttlSeconds\":600"));
    take_approval(NULL);
    later(48 * HOUR_MS);
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    assert_true(record.has_open);
    assert_int_equal(record.open.not_after.ms - lab.now.utc.ms > 590000, 1);
}

static void what_is_cancelled_is_withdrawn(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    take_approval(NULL);
    (void)snprintf(path, sizeof(path), API_BASE "/operations/%s/cancel", operation);
    ask(NULL, "POST", path, NULL);
    expect(200, "\"outcome\":\"cancelled\"");
    ask(NULL, "GET", approval_path(""), NULL);
    expect(200, "\"state\":\"WITHDRAWN\"");
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
}

static void a_group_may_do_without_four_eyes_for_deletions(void **state)
{
    (void)state;
    loosen("{\"fourEyes\":{\"delete\":false},\"reason\":\"test cards\"}");
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    expect(202, "\"status\":\"SENDING\"");
    ask(NULL, "POST", card_path("/operations"),
        request_of("enable", ",\"force\":true,\"reason\":\"urgent\""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\""); // force is no deletion
}

static void another_address_to_report_to_is_for_two(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"SERVER_ADDR\":\"+9990000000999\"}}");
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take_approval(NULL);
    decide_as(second, "/reject");
    expect(200, "REJECTED");
    // Sending it again is asking again.
    change_rules("{\"retry\":{\"ttlSeconds\":300},\"reason\":\"short\"}");
    ask(NULL, "POST", card_path("/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"T_NOSERVICE\":120}}");
    expect(202, "\"status\":\"SENDING\"");
}

static void doubt_is_cleared_by_two(void **state)
{
    (void)state;
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"x\"}");
    expect(409, "INCOMPATIBLE_STATE");
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"found in a drawer\"}");
    assert_int_equal(a.status, 200);
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"it is known\"}");
    expect(202, "\"summary\":\"clear doubt without an audit\"");
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
    ask(NULL, "GET", card_path(""), NULL);
    expect(200, "\"DIRTY\"");
    decide_as(NULL, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    ask(NULL, "GET", card_path(""), NULL);
    assert_false(has("\"DIRTY\""));
    ask(NULL, "GET", API_BASE "/audit-trail?action=approval.requested", NULL);
    expect(200, "\"totalCount\":3"); // with otto and bob
}

static void a_quarantine_is_lifted_by_two_or_stays(void **state)
{
    (void)state;
    struct record next;
    ask(NULL, "DELETE", card_path("/quarantine"), "{\"reason\":\"x\"}");
    expect(409, "INCOMPATIBLE_STATE");
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    next = record;
    next.marks |= 1u << MARK_QUARANTINED;
    next.mark_since[MARK_QUARANTINED] = lab.now.utc;
    next.version++;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask(NULL, "DELETE", card_path("/quarantine"), "{\"reason\":\"it was us\"}");
    expect(202, "lift the quarantine");
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    ask(NULL, "GET", card_path(""), NULL);
    expect(200, "QUARANTINED");
    ask(NULL, "DELETE", card_path("/quarantine"), "{\"reason\":\"it was us\"}");
    take("id", approval, sizeof(approval));
    later(73 * HOUR_MS);
    ask(second, "GET", approval_path(""), NULL);
    take("requestHash", hash, sizeof(hash));
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
    for (unsigned i = 0; i < 3; i++) {
        lab.now.utc.ms += 61000;
        api_tick(lab.api, lab.now);
        lab_turn(&lab);
    }
    ask(NULL, "GET", approval_path(""), NULL);
    expect(200, "\"state\":\"EXPIRED\"");
}

static void take_asked_of_pool(const char *pool, const char *body)
{
    char own[128];
    (void)snprintf(own, sizeof(own), API_BASE "/subscription-pools/%s", pool);
    ask(NULL, "PATCH", own, body);
    take_asked();
}

static void expect_pool(const char *pool, const char *text)
{
    char own[128];
    (void)snprintf(own, sizeof(own), API_BASE "/subscription-pools/%s", pool);
    ask(NULL, "GET", own, NULL);
    expect(200, text);
}

static void another_rule_pack_of_a_pool_is_for_two(void **state)
{
    (void)state;
    char pool[API_ID_SIZE];
    char old[API_ID_SIZE];
    char old_hash[65];
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"q\",\"operator\":\"Birch\",\"templateId\":3,\"rulePack\":\"CN-IoT\"}");
    take_asked();
    take("poolId", pool, sizeof(pool));
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    take_asked_of_pool(pool, "{\"rulePack\":\"NONE\",\"lowWaterMark\":5}");
    assert_true(has("\"summary\":\"rule pack of a pool\"") && has("\"rulePackNow\":\"CN-IoT\"") &&
                has(pool) && has("\"targetCount\":0"));
    memcpy(old, approval, sizeof(old));
    memcpy(old_hash, hash, sizeof(old_hash));
    expect_pool(pool, "\"rulePack\":\"CN-IoT\"");
    assert_false(has("lowWaterMark"));
    take_asked_of_pool(pool, "{\"rulePack\":\"NONE\"}");
    decide_as(NULL, "/approve"); // a client is no person
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    expect_pool(pool, "\"rulePack\":\"CN-IoT\"");
    memcpy(approval, old, sizeof(old));
    memcpy(hash, old_hash, sizeof(old_hash));
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_pool(pool, "\"rulePack\":\"NONE\"");
    assert_true(has("\"lowWaterMark\":5") && !has("rulePackNow") && !has("poolId"));
    take_asked_of_pool(pool, "{\"rulePack\":\"CN-IoT\"}");
    memcpy(old, approval, sizeof(old));
    memcpy(old_hash, hash, sizeof(old_hash));
    take_asked_of_pool(pool, "{\"rulePack\":\"CN-IoT\"}");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    memcpy(approval, old, sizeof(old));
    memcpy(hash, old_hash, sizeof(old_hash));
    decide_as(second, "/approve"); // overtaken
    expect(409, "has another rule pack by now");
}

static void an_installation_of_one_person_waits_for_nobody(void **state)
{
    (void)state;
    lab_close(&lab);
    (void)open_with(true);
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    expect(202, "\"status\":\"SENDING\"");
}

// --- authority ---

static void an_enterprise_serves_itself_unless_somebody_says_otherwise(void **state)
{
    (void)state;
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(202, "\"status\":\"SENDING\"");
}

static void where_it_may_only_request_the_operator_approves(void **state)
{
    (void)state;
    change_rules("{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"contract\"}");
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take_approval(token);
    assert_true(has("\"kind\":\"REQUEST_APPROVE\""));
    decide_as(token, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/approve"); // not even another of the enterprise
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    show_operation();
    expect(200, "\"status\":\"SENDING\"");
    // What does not write to the card needs nobody.
    ask(token, "POST", card_path("/operations"), "{\"type\":\"audit\"}");
    assert_int_equal(a.status, 202);
    assert_false(has("AWAIT_APPROVAL"));
    // The operator's people act for any group.
    ask(NULL, "POST", card_path("/operations"), request_of("set-fallback", ""));
    assert_int_equal(a.status, 202);
    assert_false(has("AWAIT_APPROVAL"));
}

static void where_only_the_operator_writes_it_is_forbidden(void **state)
{
    (void)state;
    static const char *const kinds[] = {"enable", "disable", "delete", "set-fallback"};
    change_rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"contract\"}");
    for (size_t i = 0; i < 4; i++) {
        ask(token, "POST", card_path("/operations"), request_of(kinds[i], ""));
        expect(403, "PERMISSION_DENIED");
    }
    ask(token, "POST", card_path("/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"T_NOSERVICE\":120}}");
    expect(403, "PERMISSION_DENIED");
    ask(token, "POST", card_path("/operations"), "{\"type\":\"read-timers\"}");
    assert_int_equal(a.status, 202);
    ask(NULL, "POST", card_path("/operations"), request_of("enable", ""));
    assert_int_equal(a.status, 202);
}

static void the_stricter_of_enterprise_and_group_holds(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", id);
    char own[sizeof(path)];
    memcpy(own, path, sizeof(own));
    ask(NULL, "PATCH", own, "{\"authorityMode\":\"REQUEST_APPROVE\"}");
    assert_int_equal(a.status, 200);
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    change_rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}");
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(403, "PERMISSION_DENIED");
    loosen("{\"authorityMode\":\"SELF_SERVICE\",\"reason\":\"x\"}");
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\""); // a group is never looser
    ask(NULL, "PATCH", own, "{\"authorityMode\":\"OPERATOR_ONLY\"}");
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(403, "PERMISSION_DENIED");
}

static void what_permissions_come_to_is_shown(void **state)
{
    (void)state;
    ask(token, "GET", API_BASE "/permissions/effective", NULL);
    expect(403, "PERMISSION_DENIED"); // its client lacks the scope
    ask(colleague, "GET", API_BASE "/permissions/effective", NULL);
    expect(200, "\"subscription.enable\":{\"effect\":\"ALLOWED\",\"source\":\"PERMISSION\"}");
    assert_true(has("\"operation.approve\":{\"effect\":\"DENIED\",\"source\":\"PERMISSION\"}"));
    change_rules("{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"x\"}");
    ask(colleague, "GET", API_BASE "/permissions/effective", NULL);
    expect(200, "\"timers.set\":{\"effect\":\"ON_REQUEST\",\"source\":\"GROUP\"}");
    assert_true(has("\"card.audit\":{\"effect\":\"ALLOWED\",\"source\":\"PERMISSION\"}"));
    char id[API_ID_SIZE];
    char query[128];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(path, sizeof(path), API_BASE "/enterprises/%s", id);
    ask(NULL, "PATCH", path, "{\"authorityMode\":\"OPERATOR_ONLY\"}");
    assert_int_equal(a.status, 200);
    (void)snprintf(query, sizeof(query), API_BASE "/permissions/effective?enterpriseId=%s", id);
    ask(NULL, "GET", query, NULL);
    expect(200, "\"subscription.delete\":{\"effect\":\"DENIED\",\"source\":\"ENTERPRISE\"}");
    api_id_write(id, "ent", LAB_TENANT);
    (void)snprintf(query, sizeof(query), API_BASE "/permissions/effective?enterpriseId=%s", id);
    ask(colleague, "GET", query, NULL);
    expect(200, "\"totalCount\":0");
}

static void two_of_an_enterprise_delete_where_that_is_granted(void **state)
{
    (void)state;
    ask(token, "POST", card_path("/operations"), request_of("delete", ""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take_approval(token);
    decide_as(colleague, "/approve");
    expect(403, "PERMISSION_DENIED"); // not granted
    char ids[2][API_ID_SIZE];
    api_id_write(ids[0], "ent", enterprise);
    api_id_write(ids[1], "grp", group);
    (void)snprintf(path, sizeof(path), API_BASE "/permissions/%s/%s", ids[0], ids[1]);
    ask(NULL, "PUT", path,
        "{\"operations\":[\"card.read\",\"subscription.delete\",\"operation.approve\"],"
        "\"reason\":\"two of them\"}");
    assert_int_equal(a.status, 200);
    decide_as(token, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
}

static void permit(const char *operations)
{
    char ids[2][API_ID_SIZE];
    char body[256];
    api_id_write(ids[0], "ent", enterprise);
    api_id_write(ids[1], "grp", group);
    (void)snprintf(path, sizeof(path), API_BASE "/permissions/%s/%s", ids[0], ids[1]);
    (void)snprintf(body, sizeof(body), "{\"operations\":[%s],\"reason\":\"x\"}", operations);
    ask(NULL, "PUT", path, body);
    assert_int_equal(a.status, 200);
}

#define MAY_APPROVE                                                                                \
    "\"card.read\",\"subscription.delete\",\"subscription.enable\",\"timers.set\",\"operation."    \
    "approve\""

// Neither word is theirs.
static void expect_not_theirs(void)
{
    ask(second, "GET", approval_path(""), NULL);
    take("requestHash", hash, sizeof(hash));
    decide_as(colleague, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/reject");
    expect(403, "PERMISSION_DENIED");
}

static void what_the_operator_asked_for_no_customer_decides(void **state)
{
    (void)state;
    permit(MAY_APPROVE);
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    take_approval(NULL);
    expect_not_theirs();
    decide_as(third, "/approve");
    expect(200, "APPROVED");
    ask(NULL, "POST", card_path("/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"SERVER_ADDR\":\"+9990000000999\"}}");
    take("approvalId", approval, sizeof(approval));
    expect_not_theirs();
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"found in a drawer\"}");
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"it is known\"}");
    expect(202, "clear doubt");
    take("id", approval, sizeof(approval));
    expect_not_theirs();
    decide_as(third, "/approve");
    expect(200, "APPROVED");
}

static void what_is_sharp_the_operator_decides(void **state)
{
    (void)state;
    permit(MAY_APPROVE);
    ask(token, "POST", card_path("/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"SERVER_ADDR\":\"+9990000000999\"}}");
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take("approvalId", approval, sizeof(approval));
    expect_not_theirs();
    decide_as(second, "/reject");
    expect(200, "REJECTED");
}

static void only_the_operator_forces(void **state)
{
    (void)state;
    char strong[LAB_TOKEN_SIZE];
    lab_client(&lab, TENANT_SCOPES ",operations:force", enterprise, strong);
    ask(strong, "POST", card_path("/operations"),
        request_of("enable", ",\"force\":true,\"reason\":\"urgent\""));
    expect(403, "Client does not have sufficient permissions to perform this action: only the "
                "operator forces operations");
    assert_true(has("\"reason\":\"FORCE\""));
    ask(NULL, "GET", API_BASE "/audit-trail?action=request.refused", NULL);
    expect(200, "\"totalCount\":1");
    ask(strong, "POST", card_path("/operations"), request_of("enable", ""));
    assert_int_equal(a.status, 202);
    ask(NULL, "POST", card_path("/operations"),
        request_of("set-fallback", ",\"force\":true,\"reason\":\"urgent\""));
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
}

static void where_it_serves_itself_no_longer_it_decides_nothing(void **state)
{
    (void)state;
    static const char *const modes[] = {"OPERATOR_ONLY", "REQUEST_APPROVE"};
    permit(MAY_APPROVE);
    for (size_t i = 0; i < 2; i++) {
        char body[128];
        if (i > 0)
            loosen("{\"authorityMode\":\"SELF_SERVICE\",\"reason\":\"x\"}");
        ask(token, "POST", card_path("/operations"), request_of("delete", ""));
        take_approval(token);
        (void)snprintf(body, sizeof(body), "{\"authorityMode\":\"%s\",\"reason\":\"x\"}", modes[i]);
        change_rules(body);
        expect_not_theirs();
    }
}

static void approvals_of_others_are_unknown(void **state)
{
    (void)state;
    char other[LAB_TOKEN_SIZE];
    ask(token, "POST", card_path("/operations"), request_of("delete", ""));
    take_approval(token);
    lab_client(&lab, TENANT_SCOPES, enterprise + 1, other);
    ask(other, "GET", approval_path(""), NULL);
    expect(404, "NOT_FOUND");
    decide_as(other, "/approve");
    expect(404, "NOT_FOUND");
    ask(other, "GET", API_BASE "/approvals", NULL);
    expect(200, "\"totalCount\":0");
    ask(NULL, "GET", API_BASE "/approvals?state=OPEN", NULL);
    expect(200, "\"totalCount\":1");
    ask(NULL, "GET", API_BASE "/approvals?state=SHUT", NULL);
    expect(400, "state");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_deletion_waits_for_a_second_person),
        CASE(who_asks_does_not_decide),
        CASE(what_is_rejected_never_leaves),
        CASE(nobody_approves_for_ever),
        CASE(an_operation_has_its_whole_time_after_the_approval),
        CASE(what_is_cancelled_is_withdrawn),
        CASE(a_group_may_do_without_four_eyes_for_deletions),
        CASE(another_address_to_report_to_is_for_two),
        CASE(doubt_is_cleared_by_two),
        CASE(a_quarantine_is_lifted_by_two_or_stays),
        CASE(another_rule_pack_of_a_pool_is_for_two),
        CASE(an_installation_of_one_person_waits_for_nobody),
        CASE(an_enterprise_serves_itself_unless_somebody_says_otherwise),
        CASE(where_it_may_only_request_the_operator_approves),
        CASE(where_only_the_operator_writes_it_is_forbidden),
        CASE(the_stricter_of_enterprise_and_group_holds),
        CASE(what_permissions_come_to_is_shown),
        CASE(two_of_an_enterprise_delete_where_that_is_granted),
        CASE(what_the_operator_asked_for_no_customer_decides),
        CASE(what_is_sharp_the_operator_decides),
        CASE(only_the_operator_forces),
        CASE(where_it_serves_itself_no_longer_it_decides_nothing),
        CASE(approvals_of_others_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
