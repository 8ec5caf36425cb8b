// What a start of a campaign is judged by, and what is found of it afterwards.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define CORRELATOR "the-start-of-meters"

static struct lab lab;
static struct answer a;
static char path[256], campaign[API_ID_SIZE], group[API_ID_SIZE];

static void ask_with(const char *correlator, const char *method, const char *target,
                     const char *body)
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
                          .correlator = correlator,
                          .key = strcmp(method, "POST") == 0 ? key : NULL},
            &a);
}

static void ask(const char *method, const char *target, const char *body)
{
    ask_with(NULL, method, target, body);
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || strstr(a.body, text) == NULL)
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
}

static const char *at(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s%s", campaign, after);
    return path;
}

static void card_in_group(const char *iccid, const char *imsi, const char *second)
{
    struct record record;
    (void)lab_card_of(&lab, iccid, imsi, second, &record);
    struct record next = record;
    assert_true(api_id_read(bytes_of_text(group), "grp", &next.group));
    next.state = CARD_OPERATIONAL;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// For two people, with two cards in one group.
static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", false);
    ask("POST", API_BASE "/card-groups", "{\"name\":\"meters\"}");
    api_id_write(group, "grp", lab_id(&a, "grp"));
    card_in_group("89999000000000000012", "999700000000011", "999700000000012");
    card_in_group("89999000000000000020", "999700000000021", "999700000000022");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void make_checked(const char *operation)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"m\",\"operation\":%s,\"rate\":{\"perSecond\":9},"
                   "\"target\":{\"groupIds\":[\"%s\"]}}",
                   operation, group);
    ask("POST", API_BASE "/campaigns", body);
    expect(201, "DRAFT");
    api_id_write(campaign, "cmp", lab_id(&a, "cmp"));
    ask("POST", at("/check"), NULL);
    expect(200, "\"targeted\":2,\"eligible\":2");
}

static void set_rules(const char *body)
{
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", group);
    ask("PATCH", path, body);
    expect(200, "\"fourEyes\"");
}

static void rules_that_became_stricter_after_the_check_hold_for_the_start(void **state)
{
    (void)state;
    make_checked("{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":100}}");
    set_rules("{\"fourEyes\":{\"campaignAbove\":1},\"reason\":\"careful\"}");
    ask("POST", at("/start"), NULL);
    expect(409, "check it again");
    ask("POST", at("/check"), NULL);
    expect(200, "\"approvalsNeeded\":1");
    ask("POST", at("/start"), NULL);
    expect(200, "AWAIT_APPROVAL");
}

static void rules_that_ask_for_nobody_let_it_start(void **state)
{
    (void)state;
    make_checked("{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":100}}");
    set_rules("{\"fourEyes\":{\"campaignAbove\":2},\"reason\":\"two cards are not above two\"}");
    ask("POST", at("/start"), NULL);
    expect(200, "\"startedAt\"");
}

static void what_a_campaign_asks_for_is_found_by_the_correlator_of_its_start(void **state)
{
    (void)state;
    make_checked("{\"type\":\"read-timers\"}");
    ask_with(CORRELATOR, "POST", at("/start"), NULL);
    expect(200, "\"startedAt\"");
    for (unsigned i = 0; i < 20; i++) {
        lab.now.utc.ms += 100;
        lab.now.instant.ms += 100;
        lab_turn(&lab);
    }
    (void)snprintf(path, sizeof(path), API_BASE "/operations?campaignId=%s", campaign);
    ask("GET", path, NULL);
    expect(200, "\"totalCount\":1");
    expect(200, "\"correlator\":\"" CORRELATOR "\"");
    ask("GET", API_BASE "/audit-trail?action=campaign.state&correlator=" CORRELATOR, NULL);
    expect(200, "\"correlator\":\"" CORRELATOR "\"");
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(rules_that_became_stricter_after_the_check_hold_for_the_start),
        RUN(rules_that_ask_for_nobody_let_it_start),
        RUN(what_a_campaign_asks_for_is_found_by_the_correlator_of_its_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
