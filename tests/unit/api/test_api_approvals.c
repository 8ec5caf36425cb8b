// What a second person approves: four-eyes, and requests of enterprises that may only request.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define ICCID "89999000000000000012"
#define TENANT_SCOPES                                                                              \
    "cards:read,operations:read,operations:enable,operations:disable,operations:delete,"           \
    "operations:download,operations:set-fallback,operations:set-timers,operations:read-timers,"    \
    "operations:audit,approvals:read,approvals:decide"
#define HOUR_MS (3600ll * 1000)

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t enterprise, group;
static char token[LAB_TOKEN_SIZE];
// People, with their password ("correct horse battery").
static const char second[] = "Basic b2xnYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="; // olga, an operator
static const char third[] = "Basic b3R0bzpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";  // otto, another one
static const char colleague[] =
    "Basic Ym9iOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="; // bob, of the enterprise
static const char first_admin[] =
    "Basic YWRhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";                          // ada, a platform admin
static const char fellow[] = "Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="; // ann, of the enterprise
static char path[256];
static char approval[API_ID_SIZE], hash[65], operation[API_ID_SIZE];

static void ask(const char *as, const char *method, const char *target, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = as},
            &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || !has(text))
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
}

static const char *card_path(const char *after)
{
    char id[API_ID_SIZE];
    api_id_write(id, "crd", record.card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s%s", id, after);
    return path;
}

static void take(const char *name, char *to, size_t size)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(a.body, start);
    assert_non_null(at);
    at += strlen(start);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void add_user(const char *name, const char *role, uint64_t of)
{
    char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "ent", of);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"%s\",\"password\":\"correct horse battery\",\"role\":\"%s\","
                   "\"enterpriseId\":\"%s\"}",
                   name, role, id);
    ask(NULL, "POST", API_BASE "/users", body);
    assert_int_equal(a.status, 201);
}

static int open_with(bool single_person)
{
    lab_open(&lab, "all", single_person);
    ask(NULL, "POST", API_BASE "/enterprises",
        "{\"name\":\"A\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}");
    char id[API_ID_SIZE];
    take("id", id, sizeof(id));
    assert_true(api_id_read(bytes_of_text(id), "ent", &enterprise));
    group = lab_grant(&lab, enterprise, 0x7FF & ~1u);
    (void)lab_card(&lab, ICCID, &record);
    struct record next = record;
    next.tenant = enterprise;
    next.group = group;
    next.slots[1].fact.is_proven = true;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab.has_basic = true;
    lab_reopen_api(&lab);
    add_user("olga", "OPERATOR", LAB_TENANT);
    add_user("otto", "OPERATOR", LAB_TENANT);
    add_user("bob", "ENTERPRISE_ADMIN", enterprise);
    lab_client(&lab, TENANT_SCOPES, enterprise, token);
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    return open_with(false);
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void rules(const char *body)
{
    char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id);
    ask(NULL, "PATCH", path, body);
    expect(200, "\"version\":");
}

static const char *request_of(const char *type, const char *more)
{
    static char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record.slots[1].subscription);
    (void)snprintf(body, sizeof(body), "{\"type\":\"%s\",\"subscriptionId\":\"%s\"%s}", type, id,
                   more);
    return body;
}

static const char *approval_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/approvals/%s%s", approval, after);
    return path;
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

static void decide_as(const char *as, const char *how)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\",\"comment\":\"looked at it\"}",
                   hash);
    ask(as, "POST", approval_path(how), body);
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
    rules("{\"fourEyes\":{\"delete\":false},\"reason\":\"test cards\"}");
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
    rules("{\"retry\":{\"ttlSeconds\":300},\"reason\":\"short\"}");
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
    expect(200, "\"totalCount\":1");
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
    rules("{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"contract\"}");
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
    rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"contract\"}");
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
    rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}");
    ask(token, "POST", card_path("/operations"), request_of("enable", ""));
    expect(403, "PERMISSION_DENIED");
    rules("{\"authorityMode\":\"SELF_SERVICE\",\"reason\":\"x\"}");
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
    rules("{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"x\"}");
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

// --- roles ---

static const char *user_path(const char *name)
{
    struct auth_user user;
    char id[API_ID_SIZE];
    assert_int_equal(auth_user_named(lab.store, bytes_of_text(name), &user), STORE_OK);
    api_id_write(id, "usr", user.id);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", id);
    return path;
}

static void ask_for_role(const char *as, const char *name, const char *body)
{
    ask(as, "PATCH", user_path(name), body);
    expect(202, "\"kind\":\"FOUR_EYES\"");
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
}

static void expect_user(const char *name, const char *text)
{
    ask(NULL, "GET", user_path(name), NULL);
    expect(200, text);
}

static void another_role_waits_for_a_second_person(void **state)
{
    (void)state;
    ask_for_role(NULL, "otto",
                 "{\"role\":\"SUPPORT\",\"displayName\":\"Otto\",\"reason\":\"moves\"}");
    assert_true(has("\"summary\":\"role of a user\"") && has("\"targetCount\":1") &&
                has("\"userId\":\"usr_") && has("\"roleNow\":\"OPERATOR\"") &&
                has("\"role\":\"SUPPORT\"") && has("\"reason\":\"moves\""));
    expect_user("otto", "\"role\":\"OPERATOR\"");
    assert_false(has("displayName"));
    decide_as(NULL, "/approve"); // a client is no person
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/approve"); // it is the operator's
    expect(404, "NOT_FOUND");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_user("otto", "\"role\":\"SUPPORT\"");
    assert_true(has("\"displayName\":\"Otto\""));
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
}

static void a_role_that_is_rejected_is_not_given(void **state)
{
    (void)state;
    ask_for_role(NULL, "otto", "{\"role\":\"SUPPORT\"}");
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    expect_user("otto", "\"role\":\"OPERATOR\"");
}

// Else two who may less would make a third who may all.
static void nobody_approves_a_role_that_can_more_than_theirs(void **state)
{
    (void)state;
    ask_for_role(NULL, "otto", "{\"role\":\"PLATFORM_ADMIN\"}");
    decide_as(second, "/approve");
    expect(403, "PERMISSION_DENIED");
    expect_user("otto", "\"role\":\"OPERATOR\"");
    add_user("ada", "PLATFORM_ADMIN", LAB_TENANT);
    decide_as(first_admin, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_user("otto", "\"role\":\"PLATFORM_ADMIN\"");
}

static void a_role_is_approved_for_who_they_were(void **state)
{
    (void)state;
    char old[API_ID_SIZE];
    char old_hash[65];
    ask_for_role(NULL, "otto", "{\"role\":\"INSPECTOR\"}");
    memcpy(old, approval, sizeof(old));
    memcpy(old_hash, hash, sizeof(old_hash));
    ask_for_role(NULL, "otto", "{\"role\":\"SUPPORT\"}");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    memcpy(approval, old, sizeof(old));
    memcpy(hash, old_hash, sizeof(old_hash));
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
    expect_user("otto", "\"role\":\"SUPPORT\"");
}

static void what_is_no_other_role_waits_for_nobody(void **state)
{
    (void)state;
    ask(NULL, "PATCH", user_path("otto"), "{\"role\":\"OPERATOR\",\"displayName\":\"Otto\"}");
    expect(200, "\"displayName\":\"Otto\"");
    ask(NULL, "PATCH", user_path("otto"), "{\"locked\":true}");
    expect(200, "\"locked\":true");
    lab_close(&lab);
    assert_int_equal(open_with(true), 0);
    ask(NULL, "PATCH", user_path("otto"), "{\"role\":\"SUPPORT\"}");
    expect(200, "\"role\":\"SUPPORT\"");
}

static void two_admins_of_an_enterprise_change_its_roles(void **state)
{
    (void)state;
    add_user("eve", "ENTERPRISE_USER", enterprise);
    add_user("ann", "ENTERPRISE_ADMIN", enterprise);
    ask_for_role(colleague, "eve", "{\"role\":\"ENTERPRISE_ADMIN\"}");
    decide_as(colleague, "/approve"); // who asked
    expect(403, "PERMISSION_DENIED");
    decide_as(fellow, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_user("eve", "\"role\":\"ENTERPRISE_ADMIN\"");
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
        CASE(an_installation_of_one_person_waits_for_nobody),
        CASE(an_enterprise_serves_itself_unless_somebody_says_otherwise),
        CASE(where_it_may_only_request_the_operator_approves),
        CASE(where_only_the_operator_writes_it_is_forbidden),
        CASE(the_stricter_of_enterprise_and_group_holds),
        CASE(what_permissions_come_to_is_shown),
        CASE(two_of_an_enterprise_delete_where_that_is_granted),
        CASE(another_role_waits_for_a_second_person),
        CASE(a_role_that_is_rejected_is_not_given),
        CASE(nobody_approves_a_role_that_can_more_than_theirs),
        CASE(a_role_is_approved_for_who_they_were),
        CASE(what_is_no_other_role_waits_for_nobody),
        CASE(two_admins_of_an_enterprise_change_its_roles),
        CASE(approvals_of_others_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
