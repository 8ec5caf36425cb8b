// What is asked for once more: each time is a row of the trail, with who and why.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

static int open_lab(void **state)
{
    (void)state;
    return open_with(true);
}

// So many rows of the action, the newest with this.
static void expect_rows(const char *action, unsigned count, const char *text)
{
    char target[128];
    char total[32];
    (void)snprintf(target, sizeof(target), API_BASE "/audit-trail?perPage=1&action=%s", action);
    (void)snprintf(total, sizeof(total), "\"totalCount\":%u,", count);
    ask(NULL, "GET", target, NULL);
    expect(200, total);
    if (text != NULL)
        expect(200, text);
}

static void a_doubt_that_is_told_again_names_the_second_reason(void **state)
{
    (void)state;
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"swapped by hand\"}");
    assert_int_equal(a.status, 200);
    expect_rows("card.dirty", 1, "swapped by hand");
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"seen in two places\"}");
    assert_int_equal(a.status, 200);
    expect_rows("card.dirty", 2, "seen in two places");
    assert_true(has("\"before\":\"operator_request\",\"after\":\"operator_request\""));
}

static void an_audit_that_is_asked_for_again_says_by_whom(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"), "{\"type\":\"audit\",\"reason\":\"first\"}");
    expect(202, "\"type\":\"audit\"");
    take("id", operation, sizeof(operation));
    ask(NULL, "POST", card_path("/operations"), "{\"type\":\"audit\",\"reason\":\"second\"}");
    expect(202, operation);
    expect_rows("operation.requested", 1, "first");
    expect_rows("operation.joined", 1, "second");
    assert_true(has(operation));
}

// Campaigns take no POST without a key.
static void post(const char *target, const char *body)
{
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "again-%04u", ++number);
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = "POST", .target = target, .body = body, .key = key}, &a);
}

static void a_campaign_that_is_checked_anew_says_that_it_was_open_again(void **state)
{
    (void)state;
    char body[256];
    char check[128];
    char id[API_ID_SIZE];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"m\",\"operation\":{\"type\":\"read-timers\"},"
                   "\"target\":{\"groupIds\":[\"%s\"]},\"rate\":{\"perSecond\":9}}",
                   id_of_group());
    post(API_BASE "/campaigns", body);
    expect(201, "\"state\":\"DRAFT\"");
    take("id", id, sizeof(id));
    (void)snprintf(check, sizeof(check), API_BASE "/campaigns/%s/check", id);
    post(check, NULL);
    expect(200, "\"state\":\"CHECKED\"");
    expect_rows("campaign.state", 1, "\"after\":\"CHECKED\"");
    post(check, "{\"reason\":\"cards came\"}");
    expect(200, "\"state\":\"CHECKED\"");
    expect_rows("campaign.state", 3, NULL);
    ask(NULL, "GET", API_BASE "/audit-trail?action=campaign.state", NULL);
    expect(200, "\"before\":\"CHECKED\",\"after\":\"DRAFT\",\"reason\":\"cards came\"");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_lab, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_doubt_that_is_told_again_names_the_second_reason),
        CASE(an_audit_that_is_asked_for_again_says_by_whom),
        CASE(a_campaign_that_is_checked_anew_says_that_it_was_open_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
