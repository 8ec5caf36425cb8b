// The applet's parameters of a group: what its rules want, and the pass that brings cards there.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define TIMERS "\"timers\":{\"T_ATTACH\":300,\"NOTIFY_WAITS\":[60,120]}"

static struct lab lab;
static struct answer a;
static struct record record;
static char path[256];
static uint64_t group;
static unsigned cards;

static const char *target(const char *before, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, text, after);
    return path;
}

static const char *group_path(const char *after)
{
    return target("/card-groups/", "grp", group, after);
}

static void ask(const char *method, const char *where, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = method, .target = where, .body = body}, &a);
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

static void rules(const char *body)
{
    ask("PATCH", group_path("/rules"), body);
}

static void open_with(bool single_person)
{
    lab_open(&lab, "all", single_person);
    cards = 0;
    ask("POST", API_BASE "/card-groups", "{\"name\":\"meters\"}");
    assert_int_equal(a.status, 201);
    group = lab_id(&a, "grp");
}

static int open_all(void **state)
{
    (void)state;
    open_with(true);
    return 0;
}

static int open_strict(void **state)
{
    (void)state;
    open_with(false);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// A card in the group.
static uint64_t new_card(uint8_t level)
{
    char iccid[24];
    char imsis[2][16];
    cards++;
    (void)snprintf(iccid, sizeof(iccid), "8999900000000000%04u", cards);
    (void)snprintf(imsis[0], sizeof(imsis[0]), "00101000000%04u", cards);
    (void)snprintf(imsis[1], sizeof(imsis[1]), "99970000000%04u", cards);
    const uint64_t card = lab_card_of(&lab, iccid, imsis[0], imsis[1], &record);
    struct record next = record;
    next.group = group;
    next.level = level;
    next.version++;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return card;
}

// Seconds pass.
static void tick(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        lab.now.utc.ms += 1000;
        lab.now.instant.ms += 1000;
        api_tick(lab.api, lab.now);
        lab_turn(&lab);
    }
}

static unsigned count_asked(void)
{
    ask("GET", API_BASE "/operations?type=set-timers", NULL);
    assert_int_equal(a.status, 200);
    const char *at = strstr(a.body, "\"totalCount\":");
    assert_non_null(at);
    return (unsigned)strtoul(at + strlen("\"totalCount\":"), NULL, 10);
}

static void timers_are_rules_and_send_nothing_by_themselves(void **state)
{
    (void)state;
    (void)new_card(2);
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"desired\":{}");
    assert_false(has("\"run\""));
    rules("{" TIMERS ",\"reason\":\"slow network\"}");
    expect(200, TIMERS);
    tick(3);
    assert_int_equal(count_asked(), 0);
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"cards\":{\"agree\":0,\"differ\":1,\"unknown\":0,\"notSupported\":0,\"asked\":0,"
                "\"isPartial\":false}");
    assert_true(has("\"desired\":{\"T_ATTACH\":300,\"NOTIFY_WAITS\":[60,120]}"));
    rules("{\"timers\":{},\"reason\":\"none\"}");
    expect(200, "\"timers\":{}");
}

static void the_cards_of_a_large_group_are_counted_in_pages(void **state)
{
    (void)state;
    char where[512];
    for (unsigned i = 0; i < 2001; i++)
        (void)new_card(2);
    rules("{" TIMERS ",\"reason\":\"slow network\"}");
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"differ\":2000,\"unknown\":0,\"notSupported\":0,\"asked\":0,\"isPartial\":true}");
    const char *cursor = strstr(a.body, "\"nextCursor\":\"");
    assert_non_null(cursor);
    cursor += strlen("\"nextCursor\":\"");
    (void)snprintf(where, sizeof(where), "%s?cursor=%.*s", group_path("/timers"),
                   (int)strcspn(cursor, "\""), cursor);
    ask("GET", where, NULL);
    expect(200, "\"differ\":1,\"unknown\":0,\"notSupported\":0,\"asked\":0,\"isPartial\":true}");
    assert_false(has("nextCursor"));
    (void)snprintf(where, sizeof(where), "%s?cursor=x", group_path("/timers"));
    ask("GET", where, NULL);
    expect(400, "cursor");
}

static void values_outside_their_ranges_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code, *field;
    } wrong[] = {
        {"{\"timers\":{\"T_ATTACH\":59},\"reason\":\"x\"}", "OUT_OF_RANGE", "timers.T_ATTACH"},
        {"{\"timers\":{\"T_ATTACH\":901},\"reason\":\"x\"}", "OUT_OF_RANGE", "timers.T_ATTACH"},
        {"{\"timers\":{\"COLOUR\":1},\"reason\":\"x\"}", "INVALID_ARGUMENT", "timers.COLOUR"},
        {"{\"timers\":{\"T_ATTACH\":\"1\"},\"reason\":\"x\"}", "INVALID_ARGUMENT",
         "timers.T_ATTACH"},
        {"{\"timers\":7,\"reason\":\"x\"}", "INVALID_ARGUMENT", "timers"},
        {"{\"apply\":true,\"reason\":\"x\"}", "INVALID_ARGUMENT", "apply"},
        {"{\"fourEyes\":{\"campaignAbove\":0},\"reason\":\"x\"}", "OUT_OF_RANGE",
         "fourEyes.campaignAbove"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        rules(wrong[i].body);
        expect(400, wrong[i].code);
        assert_true(has(wrong[i].field));
    }
}

static void applied_timers_reach_the_cards_some_each_second(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 23; i++)
        (void)new_card(2);
    (void)new_card(1); // has no CONFIGURE
    rules("{" TIMERS ",\"apply\":true,\"reason\":\"slow network\"}");
    expect(200, TIMERS);
    assert_int_equal(count_asked(), 0);
    tick(1);
    assert_int_equal(count_asked(), 10);
    tick(1);
    assert_int_equal(count_asked(), 20);
    tick(4);
    assert_int_equal(count_asked(), 23);
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"cards\":{\"agree\":0,\"differ\":23,\"unknown\":0,\"notSupported\":1,"
                "\"asked\":23,\"isPartial\":false}");
    assert_true(has("\"run\":{\"state\":\"ENDED\""));
    assert_true(has("\"visited\":24,\"asked\":23,\"agreed\":0,"
                    "\"refused\":[{\"reason\":\"NOT_SUPPORTED_BY_CARD\",\"count\":1}]}"));
    // The same again asks nobody twice.
    rules("{\"apply\":true,\"reason\":\"once more\"}");
    expect(200, TIMERS);
    tick(5);
    assert_int_equal(count_asked(), 23);
    ask("GET", API_BASE "/audit-trail?action=operation.requested", NULL);
    expect(200, "\"totalCount\":23");
    assert_true(has("\"kind\":\"RULE\""));
}

static void a_card_tells_what_it_has_and_what_its_group_wants(void **state)
{
    (void)state;
    const uint64_t card = new_card(2);
    rules("{" TIMERS ",\"reason\":\"x\"}");
    ask("GET", target("/cards/", "crd", card, "/parameters"), NULL);
    expect(200, "\"isKnown\":true");
    assert_true(has("\"agreement\":\"DIFFERS\"") && has("\"isAsked\":false"));
    assert_true(has("\"group\":{\"T_ATTACH\":300,\"NOTIFY_WAITS\":[60,120]}"));
    assert_true(has("\"differing\":[\"T_ATTACH\",\"NOTIFY_WAITS\"]"));
    const uint64_t old = new_card(1);
    ask("GET", target("/cards/", "crd", old, "/parameters"), NULL);
    expect(200, "\"agreement\":\"NOT_SUPPORTED\"");
    // It keeps its defaults: that is what it is to have.
    const char *desired = strstr(a.body, "\"desired\":");
    assert_true(desired != NULL && strstr(desired, "\"T_ATTACH\":180") != NULL);
}

static void a_pass_goes_on_after_a_restart_and_ends_when_the_rules_change(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 35; i++)
        (void)new_card(2);
    rules("{" TIMERS ",\"apply\":true,\"reason\":\"x\"}");
    tick(2);
    assert_int_equal(count_asked(), 20);
    lab_reopen_api(&lab);
    tick(1);
    assert_int_equal(count_asked(), 20); // those of the batch that was not written down, again
    tick(1);
    assert_int_equal(count_asked(), 30);
    rules("{\"timers\":{\"T_ATTACH\":200},\"reason\":\"on second thoughts\"}");
    tick(4);
    assert_int_equal(count_asked(), 30);
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"run\":{\"state\":\"STOPPED\"");
}

static void a_group_that_is_deleted_has_no_pass(void **state)
{
    (void)state;
    rules("{" TIMERS ",\"apply\":true,\"reason\":\"x\"}");
    tick(2);
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"run\":{\"state\":\"ENDED\"");
    ask("DELETE", group_path(""), NULL);
    assert_int_equal(a.status, 204);
    ask("GET", group_path("/timers"), NULL);
    expect(404, "NOT_FOUND");
    tick(2);
}

static void a_card_that_cannot_be_saved_is_counted_and_stops_nobody(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++)
        (void)new_card(2);
    // A card whose packet cannot be built fails alone: without keys.
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_keys_erase(lab.store, record.card), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    rules("{" TIMERS ",\"apply\":true,\"reason\":\"x\"}");
    tick(12);
    assert_int_equal(count_asked(), 11);
    ask("GET", group_path("/timers"), NULL);
    expect(200, "\"state\":\"ENDED\"");
    assert_true(has("\"visited\":12,\"asked\":11") && has("\"reason\":\"OVERLOADED\",\"count\":1"));
}

static void where_cards_report_to_and_many_at_once_are_for_two(void **state)
{
    (void)state;
    rules("{\"timers\":{\"SERVER_ADDR\":\"999000000009\"},\"reason\":\"moved\"}");
    expect(202, "\"kind\":\"FOUR_EYES\"");
    rules("{" TIMERS ",\"reason\":\"x\"}"); // nothing is sent by it
    expect(200, TIMERS);
    for (unsigned i = 0; i < 3; i++)
        (void)new_card(2);
    rules("{\"apply\":true,\"reason\":\"x\"}");
    expect(200, TIMERS);
    rules("{\"fourEyes\":{\"campaignAbove\":2},\"reason\":\"x\"}");
    expect(200, "\"campaignAbove\":2");
    ask("PATCH", group_path("/rules?dryRun=true"), "{\"apply\":true,\"reason\":\"x\"}");
    expect(200, "\"approvalsNeeded\":1");
    // CONFIGURE with 10 octets of writes: 5 of APDU, 6 of operation id, 12: 23, and 14 make three
    // blocks; 10 in the clear. Three cards, each with its answer.
    assert_true(has("\"estimate\":{\"packets\":3,\"sms\":6,\"bytes\":174,\"seconds\":1}"));
    rules("{\"apply\":true,\"reason\":\"all of them\"}");
    expect(202, "\"targetCount\":3");
}

static void an_approved_change_is_carried_out_with_its_pass(void **state)
{
    (void)state;
    struct door boss;
    char hash[65];
    char body[128];
    lab_user(&lab, "boss", ROLE_PLATFORM_ADMIN, LAB_TENANT, &boss);
    (void)new_card(2);
    rules("{\"timers\":{\"SERVER_ADDR\":\"999000000009\"},\"apply\":true,\"reason\":\"moved\"}");
    expect(202, "\"requestHash\":\"");
    const uint64_t approval = lab_id(&a, "apr");
    (void)snprintf(hash, sizeof(hash), "%.64s",
                   strstr(a.body, "\"requestHash\":\"") + strlen("\"requestHash\":\""));
    tick(2);
    assert_int_equal(count_asked(), 0);
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\"}", hash);
    lab_ask_as(&lab, &boss, "POST", target("/approvals/", "apr", approval, "/approve"), body, &a);
    expect(200, "\"state\":\"APPROVED\"");
    tick(2);
    assert_int_equal(count_asked(), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
#define STRICT(name) cmocka_unit_test_setup_teardown(name, open_strict, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(timers_are_rules_and_send_nothing_by_themselves),
        CASE(the_cards_of_a_large_group_are_counted_in_pages),
        CASE(values_outside_their_ranges_are_refused),
        CASE(applied_timers_reach_the_cards_some_each_second),
        CASE(a_card_tells_what_it_has_and_what_its_group_wants),
        CASE(a_pass_goes_on_after_a_restart_and_ends_when_the_rules_change),
        CASE(a_group_that_is_deleted_has_no_pass),
        CASE(a_card_that_cannot_be_saved_is_counted_and_stops_nobody),
        STRICT(where_cards_report_to_and_many_at_once_are_for_two),
        STRICT(an_approved_change_is_carried_out_with_its_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
