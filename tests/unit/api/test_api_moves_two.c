// A card that is to be under looser rules: a second person looks at it.
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

static uint64_t loose;
static char body[256];

// The card's group is stricter; in the other one the enterprise serves itself.
static int open_two(void **state)
{
    (void)open_all(state);
    loose = lab_grant(&lab, enterprise, 0x7FF);
    change_rules("{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"x\"}");
    return 0;
}

static const char *to(uint64_t where)
{
    char id[API_ID_SIZE];
    api_id_write(id, "grp", where);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\",\"reason\":\"sold\"}", id);
    return body;
}

static void expect_in(uint64_t where)
{
    uint64_t found = 0;
    assert_int_equal(store_card_group(lab.store, record.card, &found), STORE_OK);
    assert_true(found == where);
}

static void nobody_moves_a_card_to_where_enterprises_serve_themselves_alone(void **state)
{
    (void)state;
    ask(second, "PATCH", card_path("?dryRun=true"), to(loose));
    expect(200, "\"wouldAnswer\":202,\"approvalsNeeded\":1");
    ask(second, "PATCH", card_path(""), to(loose));
    take_asked();
    expect(202, "\"summary\":\"move to where enterprises serve themselves\"");
    assert_true(has("\"targetCount\":1") && has("\"fromGroupId\":\"") &&
                has("\"reason\":\"sold\""));
    expect_in(group);
    decide_as(second, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/approve"); // it is the operator's lock
    expect(403, "PERMISSION_DENIED");
    expect_in(group);
    decide_as(third, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_in(loose);
    ask(NULL, "GET", API_BASE "/audit-trail?action=card.moved&perPage=1&sort=-sequence", NULL);
    expect(200, approval);
    ask(second, "PATCH", card_path(""), to(group)); // stricter is done at once
    expect(200, "\"groupId\":\"");
    expect_in(group);
}

static void what_is_refused_leaves_the_card_where_it_is(void **state)
{
    (void)state;
    ask(second, "PATCH", card_path(""), to(loose));
    take_asked();
    decide_as(third, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    expect_in(group);
    decide_as(third, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
}

static void what_was_asked_for_of_a_card_that_moved_is_over(void **state)
{
    (void)state;
    const uint64_t third_group = lab_grant(&lab, enterprise, 0x7FF);
    ask(second, "PATCH", card_path(""), to(loose));
    take_asked();
    lab_place(&lab, record.card, enterprise, third_group);
    decide_as(third, "/approve");
    expect(409, "The card is in another group by now");
    expect_in(third_group);
    lab_place(&lab, record.card, enterprise, group);
    decide_as(third, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_in(loose);
}

static void an_enterprise_does_not_let_itself_out(void **state)
{
    (void)state;
    char mover[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read,cards:write", enterprise, mover);
    ask(mover, "PATCH", card_path(""), to(loose));
    expect(202, "\"kind\":\"FOUR_EYES\"");
    expect_in(group);
}

static void nobody_moves_a_card_to_where_less_is_for_two_people_alone(void **state)
{
    (void)state;
    change_rules("{\"authorityMode\":\"OPERATOR_ONLY\",\"fourEyes\":{\"campaignAbove\":99},"
                 "\"reason\":\"x\"}");
    char id[API_ID_SIZE], rules[128];
    api_id_write(id, "grp", loose);
    (void)snprintf(rules, sizeof(rules), API_BASE "/card-groups/%s/rules", id);
    ask(NULL, "PATCH", rules, "{\"authorityMode\":\"OPERATOR_ONLY\",\"reason\":\"x\"}");
    expect(200, "\"campaignAbove\":100");
    ask(second, "PATCH", card_path(""), to(loose));
    expect(202, "\"summary\":\"move to where less is for two people\"");
    expect_in(group);
    change_rules("{\"fourEyes\":{\"campaignAbove\":99},\"reason\":\"x\"}");
    ask(NULL, "PATCH", rules, "{\"fourEyes\":{\"campaignAbove\":99},\"reason\":\"x\"}");
    expect(200, "\"campaignAbove\":99");
    ask(second, "PATCH", card_path(""), to(loose));
    expect(200, "\"groupId\":\"");
    expect_in(loose);
}

static void a_card_without_a_group_comes_to_its_first_one(void **state)
{
    (void)state;
    lab_place(&lab, record.card, enterprise, 0);
    ask(second, "PATCH", card_path(""), to(loose));
    expect(200, "\"groupId\":\"");
    expect_in(loose);
}

static void a_retired_card_is_refused_at_once(void **state)
{
    (void)state;
    ask(second, "PATCH", card_path(""), "{\"state\":\"RETIRED\",\"reason\":\"lost\"}");
    assert_int_equal(a.status, 200);
    ask(second, "PATCH", card_path(""), to(loose));
    expect(422, "CARD_RETIRED");
}

static void of_many_those_for_two_people_stay(void **state)
{
    (void)state;
    static const char *const dry[] = {"?dryRun=true", ""};
    char id[API_ID_SIZE], where[API_ID_SIZE], order[256];
    struct record other;
    lab_place(
        &lab,
        lab_card_of(&lab, "89999000000000000020", "001010000000033", "999700000000034", &other),
        enterprise, 0);
    api_id_write(id, "ent", enterprise);
    api_id_write(where, "grp", loose);
    char first[API_ID_SIZE], fresh[API_ID_SIZE];
    api_id_write(first, "crd", record.card);
    api_id_write(fresh, "crd", other.card);
    (void)snprintf(order, sizeof(order),
                   "{\"target\":{\"cardIds\":[\"%s\",\"%s\"]},\"groupId\":\"%s\"}", first, fresh,
                   where);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), API_BASE "/cards/moves%s", dry[i]);
        lab_ask(&lab,
                &(struct ask){.method = "POST",
                              .target = path,
                              .body = order,
                              .authorization = second,
                              .key = i == 0 ? "move-0001" : "move-0002"},
                &a);
        if (i == 0)
            expect(200, "\"eligible\":1,\"skipped\":[{\"reason\":\"FOUR_EYES\",\"count\":1}]");
    }
    expect(202, "\"id\":\"mov_");
    take("id", order, sizeof(order));
    lab_run_jobs(&lab);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/moves/%s", order);
    ask(second, "GET", path, NULL);
    expect(200, "\"moved\":1,\"skipped\":[{\"reason\":\"FOUR_EYES\",\"count\":1}]");
    expect_in(group);
}

static int open_alone(void **state)
{
    (void)state;
    (void)open_with(true);
    loose = lab_grant(&lab, enterprise, 0x7FF);
    change_rules("{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"x\"}");
    return 0;
}

static void where_there_is_one_person_it_is_done_at_once(void **state)
{
    (void)state;
    ask(second, "PATCH", card_path(""), to(loose));
    expect(200, "\"groupId\":\"");
    expect_in(loose);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_two, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_moves_a_card_to_where_enterprises_serve_themselves_alone),
        TEST(what_is_refused_leaves_the_card_where_it_is),
        TEST(what_was_asked_for_of_a_card_that_moved_is_over),
        TEST(an_enterprise_does_not_let_itself_out),
        TEST(nobody_moves_a_card_to_where_less_is_for_two_people_alone),
        TEST(a_card_without_a_group_comes_to_its_first_one),
        TEST(a_retired_card_is_refused_at_once),
        TEST(of_many_those_for_two_people_stay),
        cmocka_unit_test_setup_teardown(where_there_is_one_person_it_is_done_at_once, open_alone,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
