// What an operation was asked for with is shown as the request named it.
#include "common/base/text.h"
#include "ota-server/service/api_text.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define BASE "/connectivity-management/v1"
#define SCOPES                                                                                     \
    "cards:write,audit-trail:read,operations:read,operations:download,operations:enable,"          \
    "operations:disable,operations:delete,operations:set-fallback,operations:set-timers,"          \
    "operations:read-timers,operations:audit"

static struct lab lab;
static struct answer a;
static struct record record;
static char masked[LAB_TOKEN_SIZE], clear[LAB_TOKEN_SIZE];
static char card_path[128], operation_path[128], body[512];

static int open_all(void **state)
{
    char id[API_ID_SIZE];
    (void)state;
    lab_open(&lab, "all", true);
    api_id_write(id, "crd", lab_card(&lab, "89999000000000000012", &record));
    (void)snprintf(card_path, sizeof(card_path), BASE "/cards/%s/operations", id);
    lab_client(&lab, SCOPES, LAB_TENANT, masked);
    lab_client(&lab, SCOPES ",identifiers:clear", LAB_TENANT, clear);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *token, const char *method, const char *target, const char *text)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = text, .authorization = token},
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

// `format` with the id of a subscription in place of %s.
static const char *with(const char *format, uint64_t subscription)
{
    static char text[512];
    char id[API_ID_SIZE];
    struct writer w = writer_of(text, sizeof(text));
    const char *gap = strstr(format, "%s");
    assert_non_null(gap);
    api_id_write(id, "sub", subscription);
    writer_copy(&w, bytes_of(format, (size_t)(gap - format)));
    text_put(&w, id);
    text_put(&w, gap + 2);
    return text_end(&w);
}

// Asks for it, and shows it alone, in the list, and to whoever the token is of.
static void order(const char *text)
{
    char id[API_ID_SIZE];
    ask(masked, "POST", card_path, text);
    expect(202, "\"request\":{");
    api_id_write(id, "op", lab_id(&a, "op"));
    (void)snprintf(operation_path, sizeof(operation_path), BASE "/operations/%s", id);
    ask(masked, "GET", BASE "/operations", NULL);
    expect(200, id);
    assert_false(has("\"request\":"));
    ask(masked, "GET", operation_path, NULL);
}

static void a_download_shows_what_it_puts_on_the_card(void **state)
{
    (void)state;
    const uint64_t free_one = lab_subscription(&lab, 0, "999700000000077");
    (void)snprintf(body, sizeof(body), "%s",
                   with("{\"type\":\"download\",\"subscriptionId\":\"%s\",\"enable\":\"NOW\","
                        "\"setFallback\":true,\"rollbackAllowed\":false,\"role\":\"TEST\","
                        "\"rank\":255,\"noDelete\":true,\"templateId\":1}",
                        free_one));
    order(body);
    expect(200, with("\"request\":{\"type\":\"download\",\"subscriptionId\":\"%s\","
                     "\"templateId\":1,\"enable\":\"NOW\",\"setFallback\":true,"
                     "\"rollbackAllowed\":false,\"role\":\"TEST\",\"rank\":255,"
                     "\"noDisable\":false,\"noDelete\":true}",
                     free_one));
    assert_false(has("imsi"));
    assert_false(has("999700000000077"));
}

// The template is that of the subscription, the rest is the default.
static void what_was_not_asked_for_is_shown_as_it_is_done(void **state)
{
    (void)state;
    const uint64_t free_one = lab_subscription(&lab, 0, "999700000000077");
    (void)snprintf(
        body, sizeof(body), "%s",
        with("{\"type\":\"download\",\"subscriptionId\":\"%s\",\"enable\":\"LATER\"}", free_one));
    order(body);
    expect(200, "\"templateId\":1,\"enable\":\"LATER\",\"setFallback\":false,"
                "\"rollbackAllowed\":true}");
}

static void switches_show_their_subscription_and_flags(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *shown;
    } cases[] = {
        {"{\"type\":\"enable\",\"subscriptionId\":\"%s\",\"when\":\"NEXT_CONTACT\"}",
         "\"request\":{\"type\":\"enable\",\"subscriptionId\":\"%s\",\"rollbackAllowed\":true}"},
        {"{\"type\":\"set-fallback\",\"subscriptionId\":\"%s\",\"allowUnproven\":true,"
         "\"ifDirty\":\"WAIT\"}",
         "\"request\":{\"type\":\"set-fallback\",\"subscriptionId\":\"%s\",\"allowUnproven\":true,"
         "\"ifDirty\":\"WAIT\"}"},
        {"{\"type\":\"delete\",\"subscriptionId\":\"%s\"}",
         "\"request\":{\"type\":\"delete\",\"subscriptionId\":\"%s\"}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t second = record.slots[1].subscription;
        (void)snprintf(body, sizeof(body), "%s", with(cases[i].asked, second));
        order(body);
        expect(200, with(cases[i].shown, second));
    }
}

// T_ATTACH is 60 to 900 s, BACKOFF_BASE 15 min is 900 s; MCC and MNC of an IMSI and its last four
// digits are shown, of a number the country code and as many.
static void timers_are_shown_with_their_values(void **state)
{
    (void)state;
    order("{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":300,\"BACKOFF_BASE\":900,"
          "\"NOTIFY_WAITS\":[60,120],\"COUNTRY_TABLE\":[{\"mcc\":\"262\",\"imsi\":"
          "\"999700000000001\",\"action\":\"PREFER\"}],\"SERVER_ADDR\":\"+8613800000000\"}}");
    expect(200, "\"request\":{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":300,"
                "\"BACKOFF_BASE\":900,\"NOTIFY_WAITS\":[60,120],\"COUNTRY_TABLE\":[{\"mcc\":\"262\""
                ",\"imsi\":\"99970******0001\",\"action\":\"PREFER\"}],"
                "\"SERVER_ADDR\":\"86*******0000\"}}");
    ask(clear, "GET", operation_path, NULL);
    expect(200, "\"imsi\":\"999700000000001\"");
    expect(200, "\"SERVER_ADDR\":\"8613800000000\"");
    ask(masked, "GET", BASE "/audit-trail?action=identifiers.read", NULL);
    expect(200, "\"totalCount\":1,"); // the server's number is nobody's
    expect(200, "\"before\":\"GET /connectivity-management/v1/operations/*\","
                "\"after\":\"answers=1, identifiers=1\"");
}

static void names_are_shown_unless_they_are_all(void **state)
{
    (void)state;
    order("{\"type\":\"read-timers\",\"names\":[\"T_ATTACH\",\"HEARTBEAT\"]}");
    expect(200, "\"request\":{\"type\":\"read-timers\",\"names\":[\"T_ATTACH\",\"HEARTBEAT\"]}");
    order("{\"type\":\"read-timers\"}");
    expect(200, "\"request\":{\"type\":\"read-timers\"}");
}

// What it waits for is no part of it, for that changes with each attempt.
static void a_time_to_come_is_shown_while_it_is_to_come(void **state)
{
    (void)state;
    char at[UTC_TEXT_SIZE], expected[64];
    utc_format(utc_after(lab.now.utc, 60000), at);
    (void)snprintf(body, sizeof(body), "{\"type\":\"read-timers\",\"when\":\"%s\"}", at);
    order(body);
    (void)snprintf(expected, sizeof(expected), "\"notBefore\":\"%s\"", at);
    expect(200, expected);
    expect(200, "\"request\":{\"type\":\"read-timers\"}");
    lab.now.utc.ms += 60000;
    ask(masked, "GET", operation_path, NULL);
    assert_false(has("notBefore"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_download_shows_what_it_puts_on_the_card),
        TEST(what_was_not_asked_for_is_shown_as_it_is_done),
        TEST(switches_show_their_subscription_and_flags),
        TEST(timers_are_shown_with_their_values),
        TEST(names_are_shown_unless_they_are_all),
        TEST(a_time_to_come_is_shown_while_it_is_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
