// What approvals are about: that a second person looks at it, and at what is there now.
#include "tests/unit/api/approval_lab.h"
#include "tests/unit/server/faulty_statement.h"

#include <stdio.h>

static void nobody_switches_four_eyes_off_alone(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"fourEyes\":{\"delete\":false,\"campaignAbove\":100},\"reason\":\"x\"}",
        "{\"fourEyes\":{\"campaignAbove\":101},\"reason\":\"x\"}",
        "{\"fourEyes\":{\"delete\":false,\"campaignAbove\":1},\"reason\":\"x\"}"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
        ask(second, "PATCH", path, bodies[i]);
        take_asked();
        decide_as(second, "/approve");
        expect(403, "PERMISSION_DENIED");
        ask(NULL, "POST", card_path("/operations?dryRun=true"), request_of("delete", ""));
        expect(200, "\"approvalsNeeded\":1");
    }
    // Stricter is done at once, and what is as strict.
    change_rules("{\"fourEyes\":{\"delete\":true,\"campaignAbove\":99},\"reason\":\"x\"}");
    change_rules("{\"fourEyes\":{\"campaignAbove\":99},\"reason\":\"x\"}");
    // The default is looser than that.
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules?dryRun=true", id_of_group());
    ask(second, "PATCH", path, "{\"fourEyes\":{},\"reason\":\"x\"}");
    expect(200, "\"approvalsNeeded\":1");
}

static void expect_mode(const char *mode)
{
    char member[64];
    (void)snprintf(member, sizeof(member), "\"authorityMode\":\"%s\"", mode);
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
    ask(second, "GET", path, NULL);
    expect(200, member);
}

static void nobody_lets_an_enterprise_serve_itself_alone(void **state)
{
    (void)state;
    static const char itself[] = "{\"authorityMode\":\"SELF_SERVICE\",\"reason\":\"x\"}";
    static const char *const stricter[] = {
        "{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}",
        // Each request is still looked at by the operator.
        "{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"x\"}"};
    change_rules(itself); // as it was: nothing is given away
    for (size_t i = 0; i < 2; i++) {
        change_rules(stricter[i]);
        (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules?dryRun=true",
                       id_of_group());
        ask(second, "PATCH", path, itself);
        expect(200, "\"approvalsNeeded\":1");
        assert_true(has("\"wouldAnswer\":202"));
        (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
        ask(second, "PATCH", path, itself);
        take_asked();
        assert_true(has("\"summary\":\"enterprises serve themselves\""));
        decide_as(second, "/approve");
        expect(403, "PERMISSION_DENIED");
        expect_mode(i == 0 ? "OPERATOR_ONLY" : "REQUEST_APPROVE");
    }
    decide_as(third, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_mode("SELF_SERVICE");
}

static void expect_enterprise(const char *own, const char *text)
{
    ask(NULL, "GET", own, NULL);
    expect(200, text);
}

static void an_enterprise_serves_itself_by_two(void **state)
{
    (void)state;
    char own[sizeof(path)], old[sizeof(approval)], old_hash[sizeof(hash)], id[API_ID_SIZE];
    static const char itself[] = "{\"authorityMode\":\"SELF_SERVICE\",\"region\":\"EU\","
                                 "\"reason\":\"contract 9\"}";
    static const char *const bounds[] = {"{\"authorityMode\":\"OPERATOR_ONLY\"}",
                                         "{\"authorityMode\":\"REQUEST_APPROVE\"}"};
    add_user("ada", "PLATFORM_ADMIN", LAB_TENANT);
    api_id_write(id, "ent", enterprise);
    (void)snprintf(own, sizeof(own), API_BASE "/enterprises/%s", id);
    for (size_t i = 0; i < 2; i++) {
        ask(first_admin, "PATCH", own, bounds[i]);
        expect(200, "\"authorityMode\":");
    }
    (void)snprintf(path, sizeof(path), "%s?dryRun=true", own);
    ask(first_admin, "PATCH", path, itself);
    expect(200, "\"wouldAnswer\":202,\"approvalsNeeded\":1");
    ask(first_admin, "PATCH", own, itself);
    take_asked();
    expect(202, "\"summary\":\"an enterprise serves itself\"");
    assert_true(has(id) && has("\"targetCount\":1") && has("\"region\":\"EU\""));
    memcpy(old, approval, sizeof(old));
    memcpy(old_hash, hash, sizeof(old_hash));
    decide_as(first_admin, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/approve"); // of that enterprise: it is none of theirs
    expect(404, "NOT_FOUND");
    expect_enterprise(own, "\"authorityMode\":\"REQUEST_APPROVE\"");
    // Somebody looked at the enterprise as it was.
    ask(NULL, "PATCH", own, "{\"timeZone\":\"+08:00\"}");
    assert_int_equal(a.status, 200);
    decide_as(second, "/approve");
    expect(409, "The enterprise was changed since");
    ask(first_admin, "PATCH", own, itself);
    take_asked();
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_enterprise(own, "\"authorityMode\":\"SELF_SERVICE\"");
    expect_enterprise(own, "\"region\":\"EU\"");
    assert_false(has("enterpriseVersion") || has("enterpriseId") || has("reason"));
    ask(NULL, "GET", API_BASE "/audit-trail?action=enterprise.changed&perPage=1&sort=-sequence",
        NULL);
    expect(200, "\"after\":\"region=EU, authorityMode=SELF_SERVICE\",\"reason\":\"contract 9\"");
    memcpy(approval, old, sizeof(old));
    memcpy(hash, old_hash, sizeof(old_hash));
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
}

// Whoever supplies or inspects only reads: what it becomes may do more.
static void another_kind_lets_it_serve_itself(void **state)
{
    (void)state;
    char own[sizeof(path)], id[API_ID_SIZE];
    add_user("ada", "PLATFORM_ADMIN", LAB_TENANT);
    api_id_write(id, "ent", enterprise);
    (void)snprintf(own, sizeof(own), API_BASE "/enterprises/%s", id);
    ask(first_admin, "PATCH", own, "{\"kind\":\"SUPPLIER\"}");
    expect(200, "\"kind\":\"SUPPLIER\"");
    ask(first_admin, "PATCH", own, "{\"kind\":\"INSPECTOR\"}");
    expect(200, "\"kind\":\"INSPECTOR\"");
    ask(first_admin, "PATCH", own, "{\"kind\":\"ENTERPRISE\"}");
    take_asked();
    ask(first_admin, "PATCH", own,
        "{\"kind\":\"ENTERPRISE\",\"authorityMode\":\"REQUEST_APPROVE\"}");
    expect(200, "\"kind\":\"ENTERPRISE\"");
}

static void take_waiting(void)
{
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
}

static void change_record(const struct record *next)
{
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void an_old_word_clears_no_later_doubt(void **state)
{
    (void)state;
    struct record next;
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"found in a drawer\"}");
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"it is known\"}");
    expect(202, "\"since\":\"2026-");
    take_waiting();
    // An audit cleans it, and it is in doubt anew, for the same reason.
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    next = record;
    memset(next.reasons, 0, sizeof(next.reasons));
    next.dirty_since.ms = 0;
    next.marks = 0;
    next.mark_since[MARK_DIRTY].ms = 0;
    next.next_audit_at.ms = 0;
    next.version++;
    change_record(&next);
    decide_as(second, "/approve"); // there is nothing to clear
    expect(409, "INCOMPATIBLE_STATE");
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"found again\"}");
    decide_as(second, "/approve");
    expect(409, "ask for it anew");
    ask(NULL, "GET", card_path(""), NULL);
    expect(200, "\"DIRTY\"");
    ask(NULL, "GET", approval_path(""), NULL);
    expect(200, "\"state\":\"OPEN\"");
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"it is known\"}");
    take_waiting();
    // A further reason is a further doubt.
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    next = record;
    next.reasons[DIRTY_IMEI_SWAP].since.ms = lab.now.utc.ms;
    next.version++;
    change_record(&next);
    decide_as(second, "/approve");
    expect(409, "ask for it anew");
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"it is known\"}");
    take_waiting();
    decide_as(second, "/approve");
    expect(200, "APPROVED");
}

static void quarantine(int64_t at_ms)
{
    struct record next;
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    next = record;
    next.marks |= 1u << MARK_QUARANTINED;
    next.mark_since[MARK_QUARANTINED].ms = at_ms;
    next.version++;
    change_record(&next);
}

static void an_old_word_lifts_no_later_quarantine(void **state)
{
    (void)state;
    quarantine(lab.now.utc.ms);
    ask(NULL, "DELETE", card_path("/quarantine"), "{\"reason\":\"it was us\"}");
    expect(202, "lift the quarantine");
    take_waiting();
    quarantine(lab.now.utc.ms);
    decide_as(second, "/approve");
    expect(409, "ask for it anew");
    ask(NULL, "DELETE", card_path("/quarantine"), "{\"reason\":\"it was us\"}");
    take_waiting();
    decide_as(second, "/approve");
    expect(200, "APPROVED");
    ask(NULL, "GET", card_path(""), NULL);
    assert_false(has("QUARANTINED"));
}

static void an_old_request_overwrites_no_later_rules(void **state)
{
    (void)state;
    char own[256];
    (void)snprintf(own, sizeof(own), API_BASE "/card-groups/%s/rules", id_of_group());
    static const char deletes[] =
        "{\"bootstrap\":{\"enabled\":true,\"items\":[{\"factory\":true,\"enable\":true}],"
        "\"afterwards\":\"DELETE\"},\"reason\":\"x\"}";
    ask(NULL, "PATCH", own, deletes);
    expect(202, "\"rulesVersion\":0");
    assert_true(has("\"targetCount\":1"));
    take_waiting();
    struct record other;
    const uint64_t card =
        lab_card_of(&lab, "89999000000000000137", "002020000000031", "002020000000032", &other);
    lab_place(&lab, card, enterprise, group);
    ask(NULL, "GET", approval_path(""), NULL);
    expect(200, "\"targetCount\":2"); // as many as it would concern now
    ask(third, "PATCH", own, "{\"bootstrap\":{\"enabled\":false},\"reason\":\"stop them all\"}");
    expect(200, "\"version\":1");
    decide_as(second, "/approve");
    expect(409, "The rules were changed since");
    ask(NULL, "GET", own, NULL);
    expect(200, "\"bootstrap\":{\"enabled\":false");
    ask(NULL, "PATCH", own, deletes);
    expect(202, "\"rulesVersion\":1");
    take_waiting();
    decide_as(second, "/approve");
    expect(200, "APPROVED");
    ask(NULL, "GET", own, NULL);
    expect(200, "\"bootstrap\":{\"enabled\":true");
}

// While each statement fails in turn: who approves is told of all cards, or nothing is asked.
static void how_many_cards_an_enterprise_has_is_not_guessed(void **state)
{
    (void)state;
    char own[sizeof(path)], id[API_ID_SIZE];
    bool is_more = true;
    unsigned unsure = 0;
    add_user("ada", "PLATFORM_ADMIN", LAB_TENANT);
    api_id_write(id, "ent", enterprise);
    (void)snprintf(own, sizeof(own), API_BASE "/enterprises/%s", id);
    ask(first_admin, "PATCH", own, "{\"authorityMode\":\"OPERATOR_ONLY\"}");
    expect(200, "\"authorityMode\":");
    const struct ask freed = {.method = "PATCH",
                              .target = own,
                              .body = "{\"authorityMode\":\"SELF_SERVICE\",\"reason\":\"x\"}",
                              .authorization = first_admin};
    for (uint32_t at = 1; is_more; at++) {
        lab.now.utc.ms += 1000;
        lab.now.instant.ms += 1000;
        faulty_statement_set(at);
        struct api_exchange *x = lab_start(&lab, &freed, &a);
        for (unsigned i = 0; i < 8 && a.count == 0; i++) {
            lab.now.utc.ms += 20;
            assert_true(turn_run(lab.turn, lab.now.utc) == TURN_OK || faulty_statement_was_hit());
        }
        is_more = faulty_statement_was_hit();
        faulty_statement_set(0);
        unsure += a.status == 503;
        if (a.status != 503)
            expect(202, "\"targetCount\":1");
        lab_forget(x);
    }
    assert_true(unsure > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nobody_switches_four_eyes_off_alone),
        CASE(nobody_lets_an_enterprise_serve_itself_alone),
        CASE(an_enterprise_serves_itself_by_two),
        CASE(how_many_cards_an_enterprise_has_is_not_guessed),
        CASE(another_kind_lets_it_serve_itself),
        CASE(an_old_word_clears_no_later_doubt),
        CASE(an_old_word_lifts_no_later_quarantine),
        CASE(an_old_request_overwrites_no_later_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
