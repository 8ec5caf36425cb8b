// Card groups, their rules, and what the rules do to the cards in them.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define ICCID "89999000000000000012"

static struct lab lab;
static struct answer a;
static struct record record;
static char path[256];

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask_with(const char *method, const char *target, const char *body, const char *if_match)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .if_match = if_match},
            &a);
}

static void ask(const char *method, const char *target, const char *body)
{
    ask_with(method, target, body, NULL);
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

static const char *target(const char *before, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, text, after);
    return path;
}

static const char *group_path(uint64_t group, const char *after)
{
    return target("/card-groups/", "grp", group, after);
}

static uint64_t new_group(const char *name)
{
    char body[256];
    uint64_t id = 0;
    (void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"applicationField\":\"ENERGY\"}", name);
    ask("POST", API_BASE "/card-groups", body);
    expect(201, "\"cardCount\":0");
    const char *at = strstr(a.body, "\"id\":\"");
    assert_non_null(at);
    assert_true(api_id_read(bytes_of(at + 6, strlen("grp_") + 26), "grp", &id));
    return id;
}

static void move(uint64_t card, uint64_t group)
{
    char id[API_ID_SIZE];
    char body[128];
    api_id_write(id, "grp", group);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\",\"reason\":\"delivered\"}", id);
    ask("PATCH", target("/cards/", "crd", card, ""), body);
}

static void rules(uint64_t group, const char *body)
{
    ask("PATCH", group_path(group, "/rules"), body);
}

// --- groups ---

static void a_group_is_made_changed_and_removed(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    ask("POST", API_BASE "/card-groups", "{\"name\":\"meters\"}");
    expect(409, "ALREADY_EXISTS");
    ask("POST", API_BASE "/card-groups", "{\"name\":\"x\",\"colour\":1}");
    expect(400, "colour");
    ask("POST", API_BASE "/card-groups",
        "{\"name\":\"x\",\"enterpriseId\":\"ent_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\"}");
    expect(404, "enterpriseId");
    ask("GET", API_BASE "/card-groups", NULL);
    expect(200, "\"name\":\"meters\"");
    ask_with("PATCH", group_path(group, ""), "{\"province\":\"north\"}", "\"9\"");
    expect(412, "FAILED_PRECONDITION");
    ask_with("PATCH", group_path(group, ""), "{\"province\":\"north\"}", "\"1\"");
    expect(200, "\"version\":2");
    assert_true(has("\"province\":\"north\"") && has("\"applicationField\":\"ENERGY\""));
    (void)new_group("lamps");
    ask("PATCH", group_path(group, ""), "{\"name\":\"lamps\"}");
    expect(409, "ALREADY_EXISTS");
    ask_with("DELETE", group_path(group, ""), NULL, "\"1\"");
    expect(412, "FAILED_PRECONDITION");
    ask("DELETE", group_path(group, ""), NULL);
    assert_int_equal(a.status, 204);
    ask("GET", group_path(group, ""), NULL);
    expect(404, "NOT_FOUND");
}

static void cards_move_into_groups_and_hold_them(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    const uint64_t card = lab_card(&lab, ICCID, &record);
    ask("PATCH", target("/cards/", "crd", card, ""),
        "{\"groupId\":\"grp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\"}");
    expect(404, "groupId");
    ask("PATCH", target("/cards/", "crd", card, ""),
        "{\"groupId\":\"grp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\",\"note\":\"x\"}");
    assert_int_equal(a.status, 404); // and nothing was written
    move(card, group);
    expect(200, "\"groupId\":\"grp_");
    ask("GET", group_path(group, ""), NULL);
    expect(200, "\"cardCount\":1");
    ask("DELETE", group_path(group, ""), NULL);
    expect(409, "INCOMPATIBLE_STATE");
    char query[128];
    char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    (void)snprintf(query, sizeof(query), API_BASE "/cards?groupId=%s", id);
    ask("GET", query, NULL);
    expect(200, "\"totalCount\":1");
    ask("GET", target("/cards/", "crd", card, "/audit-trail"), NULL);
    expect(200, "\"action\":\"card.moved\"");
    assert_true(has("\"reason\":\"delivered\""));
}

static void a_card_that_goes_to_another_owner_leaves_its_notes_and_takes_no_work(void **state)
{
    (void)state;
    const uint64_t card = lab_card(&lab, ICCID, &record);
    ask("PATCH", target("/cards/", "crd", card, ""),
        "{\"note\":\"ours alone\",\"labels\":[\"a\"],\"applicationField\":\"ENERGY\"}");
    expect(200, "ours alone");
    ask("POST", API_BASE "/enterprises",
        "{\"name\":\"B\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}");
    assert_int_equal(a.status, 201);
    char body[256];
    uint64_t group = 0;
    const char *at = strstr(a.body, "\"id\":\"ent_");
    assert_non_null(at);
    (void)snprintf(body, sizeof(body), "{\"name\":\"theirs\",\"enterpriseId\":\"%.30s\"}", at + 6);
    ask("POST", API_BASE "/card-groups", body);
    assert_int_equal(a.status, 201);
    at = strstr(a.body, "\"id\":\"grp_");
    assert_non_null(at);
    assert_true(api_id_read(bytes_of(at + 6, 30), "grp", &group));
    ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
    assert_int_equal(a.status, 202);
    move(card, group);
    expect(409, "CARD_BUSY");
    ask("GET", target("/cards/", "crd", card, ""), NULL);
    expect(200, "ours alone");
    // Once nothing is under way it goes.
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    struct event e = {.type = EVENT_SUBMIT};
    e.as.submit = (struct event_submit){
        .counter = record.flight.counter, .outcome = SUBMIT_REJECTED, .parts = 1};
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
    move(card, group);
    expect(200, "\"groupId\":\"grp_");
    assert_false(has("ours alone") || has("\"labels\":[\"a\"]") || has("ENERGY"));
}

// --- rules ---

static void rules_are_those_of_the_installation_until_they_are_changed(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    ask("GET", group_path(group, "/rules"), NULL);
    expect(200, "\"version\":0");
    assert_true(has("\"backoffSeconds\":[600,3600,21600,86400]") && has("\"ttlSeconds\":86400"));
    assert_true(has("\"unreachableAfterDays\":7") && has("\"quietHours\":[]"));
    rules(group, "{\"retry\":{\"ttlSeconds\":600}}");
    expect(400, "reason");
    ask_with("PATCH", group_path(group, "/rules"),
             "{\"retry\":{\"ttlSeconds\":600,\"backoffSeconds\":[60]},\"reason\":\"quick ones\"}",
             "\"0\"");
    expect(200, "\"version\":1");
    assert_true(has("\"ttlSeconds\":600") && has("\"backoffSeconds\":[60]"));
    ask_with("PATCH", group_path(group, "/rules"), "{\"reason\":\"x\"}", "\"0\"");
    expect(412, "FAILED_PRECONDITION");
    // A member that is named is replaced as a whole; others stay.
    rules(group, "{\"retry\":{\"porWaitSeconds\":20},\"reason\":\"slow ones\"}");
    expect(200, "\"ttlSeconds\":86400");
    rules(group, "{\"dirty\":{\"unreachableAfterDays\":90,\"reconcile\":\"NEEDS_OPERATOR\"},"
                 "\"smsc\":{\"quietHours\":[{\"from\":\"22:00\",\"to\":\"06:30\","
                 "\"timeZone\":\"+08:00\"}]},\"reason\":\"nights\"}");
    expect(200, "\"from\":\"22:00\",\"to\":\"06:30\",\"timeZone\":\"+08:00\"");
    assert_true(has("\"porWaitSeconds\":20") && has("\"unreachableAfterDays\":90"));
    ask("GET", group_path(group, "/rules/versions"), NULL);
    expect(200, "\"totalCount\":3");
    assert_true(has("\"number\":1") && has("\"reason\":\"quick ones\"") &&
                has("\"changed\":[\"dirty\",\"smsc\"]") && has("\"author\":\"cli_"));
    ask("GET", API_BASE "/audit-trail?action=group-rules.changed", NULL);
    expect(200, "\"totalCount\":3");
}

static void rules_outside_their_ranges_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"retry\":{\"ttlSeconds\":299}",
        "{\"retry\":{\"smsValiditySeconds\":259201}",
        "{\"retry\":{\"backoffSeconds\":[0]}",
        "{\"retry\":{\"backoffSeconds\":[1,2,3,4,5,6,7,8,9]}",
        "{\"retry\":{\"porWaitSeconds\":9}",
        "{\"retry\":{\"colour\":1}",
        "{\"retry\":7",
        "{\"dirty\":{\"unreachableAfterDays\":91}",
        "{\"dirty\":{\"auditBackoffSeconds\":[60,60]}",
        "{\"dirty\":{\"reconcile\":\"SOMETIMES\"}",
        "{\"smsc\":{\"quietHours\":[{\"from\":\"24:00\",\"to\":\"01:00\"}]}",
        "{\"smsc\":{\"quietHours\":[{\"from\":\"1:00\",\"to\":\"01:00\"}]}",
        "{\"smsc\":{\"quietHours\":[{\"from\":\"01:00\",\"to\":\"02:00\",\"timeZone\":\"Bonn\"}]}",
        "{\"smsc\":{\"quietHours\":[{\"from\":\"01:00\"}]}",
        "{\"smsc\":{\"quietHours\":[7]}",
        "{\"smsc\":{\"primaryRoute\":\"north\"}",
        "{\"smsc\":{\"primaryRoute\":\"main\",\"backupRoute\":\"north\"}",
        "{\"smsc\":{\"primaryRoute\":7}",
        "{\"colour\":{}",
    };
    const uint64_t group = new_group("meters");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "%s,\"reason\":\"x\"}", wrong[i]);
        rules(group, body);
        expect(400, "\"field\":");
    }
    ask("GET", group_path(group, "/rules"), NULL);
    expect(200, "\"version\":0");
}

// Of a path 63 characters are told: 6 of the object, 57 of the name.
static void a_long_name_within_rules_is_told_cut(void **state)
{
    (void)state;
    char name[81] = "";
    char body[256];
    char field[128];
    memset(name, 'a', sizeof(name) - 1);
    (void)snprintf(body, sizeof(body), "{\"dirty\":{\"%s\":1},\"reason\":\"x\"}", name);
    (void)snprintf(field, sizeof(field), "\"field\":\"dirty.%.57s\"", name);
    rules(new_group("meters"), body);
    expect(400, field);
}

static void a_dry_run_shows_how_many_cards_a_change_concerns(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    move(lab_card(&lab, ICCID, &record), group);
    ask("PATCH", group_path(group, "/rules?dryRun=true"),
        "{\"retry\":{\"ttlSeconds\":600},\"reason\":\"x\"}");
    expect(200, "\"targeted\":1,\"eligible\":1,\"skipped\":[]");
    assert_true(has("\"before\":{\"retry\"") && has("\"after\":{\"retry\""));
    ask("PATCH", target("/cards/", "crd", record.card, ""),
        "{\"state\":\"RETIRED\",\"reason\":\"scrapped\"}");
    assert_int_equal(a.status, 200);
    ask("PATCH", group_path(group, "/rules?dryRun=true"),
        "{\"retry\":{\"ttlSeconds\":600},\"reason\":\"x\"}");
    expect(200, "\"eligible\":0,\"skipped\":[{\"reason\":\"RETIRED\",\"count\":1}]");
    ask("GET", group_path(group, "/rules"), NULL);
    expect(200, "\"version\":0");
}

// --- what they do ---

static struct operation queued(uint64_t card)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_true(record.has_open || record.queue_len > 0);
    return record.has_open ? record.open : record.queue[0];
}

static void operations_live_as_long_as_the_rules_say(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    const uint64_t card = lab_card(&lab, ICCID, &record);
    move(card, group);
    rules(group, "{\"retry\":{\"ttlSeconds\":600,\"smsValiditySeconds\":120},\"reason\":\"x\"}");
    expect(200, "\"ttlSeconds\":600");
    ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
    assert_int_equal(a.status, 202);
    const struct operation o = queued(card);
    assert_int_equal(o.not_after.ms - o.created_at.ms, 600000);
    assert_int_equal(record.flight.validity_ms, 120000);
    // Who asks may say otherwise.
    ask("POST", target("/cards/", "crd", card, "/operations"),
        "{\"type\":\"read-timers\",\"ttlSeconds\":900}");
    assert_int_equal(a.status, 202);
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_true(record.queue[0].not_after.ms - record.queue[0].created_at.ms >= 899000);
}

static void in_the_quiet_hours_of_the_group_an_operation_waits(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    const uint64_t card = lab_card(&lab, ICCID, &record);
    move(card, group);
    rules(group, "{\"smsc\":{\"quietHours\":[{\"from\":\"12:00\",\"to\":\"13:00\"}]},"
                 "\"reason\":\"x\"}"); // it is 12:00 UTC
    ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
    expect(202, "\"holdReason\":\"NOT_BEFORE\"");
    rules(group, "{\"smsc\":{},\"reason\":\"loud again\"}");
    ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
    assert_int_equal(a.status, 202);
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_true(record.has_open && record.flight.kind == FLIGHT_OPERATION);
}

// It is 12:00 UTC on 24 July: 14:00 in Berlin, 08:00 in New York, where clocks show summer time.
static void quiet_hours_are_those_of_the_clocks_in_their_place(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    const uint64_t card = lab_card(&lab, ICCID, &record);
    move(card, group);
    static const char *const quiet[] = {
        "\"from\":\"14:00\",\"to\":\"14:30\",\"timeZone\":\"Europe/Berlin\"",
        "\"from\":\"08:00\",\"to\":\"08:30\",\"timeZone\":\"America/New_York\""};
    for (size_t i = 0; i < 2; i++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "{\"smsc\":{\"quietHours\":[{%s}]},\"reason\":\"x\"}",
                       quiet[i]);
        rules(group, body);
        expect(200, quiet[i]);
        ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
        expect(202, "\"holdReason\":\"NOT_BEFORE\"");
    }
    rules(group, "{\"smsc\":{\"quietHours\":[{\"from\":\"13:00\",\"to\":\"14:00\",\"timeZone\":"
                 "\"Europe/Berlin\"}]},\"reason\":\"until now\"}");
    ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
    assert_int_equal(a.status, 202);
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_true(record.has_open && record.flight.kind == FLIGHT_OPERATION);
}

static bool take_group(void *context, const struct message *m)
{
    *(uint64_t *)context = m->group;
    return true;
}

static void packets_of_a_group_take_its_route(void **state)
{
    (void)state;
    uint64_t seen = 0;
    const uint64_t group = new_group("meters");
    const uint64_t card = lab_card(&lab, ICCID, &record);
    move(card, group);
    rules(group,
          "{\"smsc\":{\"primaryRoute\":\"south\",\"backupRoute\":\"main\"},\"reason\":\"x\"}");
    expect(200, "\"primaryRoute\":\"south\",\"backupRoute\":\"main\"");
    const struct turn_route route = turn_route_of(lab.turn, group);
    assert_string_equal(route.primary, "south");
    assert_string_equal(route.backup, "main");
    assert_string_equal(turn_route_of(lab.turn, 0).primary, "");
    ask("POST", target("/cards/", "crd", card, "/operations"), "{\"type\":\"read-timers\"}");
    assert_int_equal(a.status, 202);
    assert_int_equal(store_outbox(lab.store, 0, 10, take_group, &seen), STORE_OK);
    assert_true(seen == group); // what waits after a restart is known by its card's group, too
    rules(group, "{\"smsc\":{},\"reason\":\"by number again\"}");
    assert_string_equal(turn_route_of(lab.turn, group).primary, "");
}

// --- how packets are secured and sent ---

static bool take_packet(void *context, const struct message *m)
{
    *(struct message *)context = *m;
    return true;
}

// Octets of a command packet [102.225 table 1]: CPL 2, CHL 1, SPI 2, KIc 1, KID 1, TAR 3.
static void expect_header(const char *hexadecimal)
{
    static struct message m;
    char found[32];
    struct writer w = writer_of(found, sizeof(found));
    ask("POST", target("/cards/", "crd", record.card, "/operations"), "{\"type\":\"audit\"}");
    assert_int_equal(a.status, 202);
    assert_int_equal(store_outbox(lab.store, m.id, 10, take_packet, &m), STORE_OK);
    text_hex(&w, bytes_of(m.packet + 3, 7));
    assert_string_equal(text_end(&w), hexadecimal);
    // Nobody takes it, so that the next one is built anew.
    struct event e = {.type = EVENT_SUBMIT};
    e.as.submit =
        (struct event_submit){.counter = m.counter, .outcome = SUBMIT_REJECTED, .parts = 1};
    assert_true(turn_event(lab.turn, m.card, &e, NULL, NULL));
    lab_turn(&lab);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_message_state(lab.store, m.id, POST_REFUSED, 1, (struct utc){0}),
                     STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void packets_are_secured_as_the_group_says(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    move(lab_card(&lab, ICCID, &record), group);
    expect_header("16391212534d01"); // as the card's keys came: set 1, TAR 534D01
    rules(group,
          "{\"ota\":{\"keysetVersion\":3,\"kicAlgorithm\":\"AES_CBC\","
          "\"kidAlgorithm\":\"AES_CMAC\",\"spi\":\"1639\",\"tar\":\"534D10\"},\"reason\":\"x\"}");
    expect(200, "\"keysetVersion\":3");
    assert_true(has("\"spi\":\"1639\",\"tar\":\"534d10\",\"moTar\":\"534d11\",\"maxSmsParts\":3"));
    expect_header("16393232534d10");
    rules(group, "{\"ota\":{},\"reason\":\"as before\"}");
    expect_header("16391212534d01");
}

static void what_is_unsafe_or_nobodys_is_no_rule(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"ota\":{\"spi\":\"1239\"}",             // no ciphering
        "{\"ota\":{\"spi\":\"0639\"}",             // no MAC
        "{\"ota\":{\"spi\":\"0E39\"}",             // no counter that grows
        "{\"ota\":{\"spi\":\"1621\"}",             // answers without a MAC
        "{\"ota\":{\"kicAlgorithm\":\"DES_CBC\"}", //
        "{\"ota\":{\"kidAlgorithm\":\"CRC32\"}",   //
        "{\"ota\":{\"keysetVersion\":0}",          //
        "{\"ota\":{\"keysetVersion\":16}",         //
        "{\"ota\":{\"tar\":\"000000\"}",           // card manager
        "{\"ota\":{\"tar\":\"B00010\"}",           // remote management of files
        "{\"ota\":{\"tar\":\"FFFFFF\"}",           // no TAR for what the card sends
        "{\"ota\":{\"tar\":\"53\"}",               //
        "{\"ota\":{\"moTar\":\"534D02\"}",         // follows from the other
        "{\"ota\":{\"maxSmsParts\":0}",            //
        "{\"ota\":{\"maxSmsParts\":9}",            //
        "{\"smsc\":{\"sourceAddress\":\"a,b\"}",   //
        "{\"smsc\":{\"sourceAddress\":\"+\"}",     //
        "{\"smsc\":{\"sourceAddress\":\"Too Long A Name\"}",
        "{\"smsc\":{\"sourceAddress\":\"123456789012345678901\"}",
        "{\"smsc\":{\"ratePerSecond\":0}",      //
        "{\"smsc\":{\"windowLimit\":1001}",     //
        "{\"smsc\":{\"registeredDelivery\":1}", //
    };
    const uint64_t group = new_group("meters");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "%s,\"reason\":\"x\"}", wrong[i]);
        rules(group, body);
        expect(400, "\"field\":");
    }
}

// What the contract names and nothing here follows; a text says so.
static void rules_that_nothing_follows_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const members[][3] = {
        {"{\"binding\":{\"mode\":\"MONITOR\"}", "binding", "does not bind cards"},
        {"{\"usage\":{\"limits\":[]}", "usage", "does not see what cards use"},
        {"{\"otaExemption\":true", "otaExemption", "closes no services"},
        {"{\"rulePack\":\"CN-IoT\"", "rulePack", "operator's subscriptions"},
        {"{\"functionMatrix\":{}", "functionMatrix", "opens and closes no services"},
        {"{\"retry\":{\"submitWaitSeconds\":20}", "retry.submitWaitSeconds", "submit-s"},
    };
    const uint64_t group = new_group("meters");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char body[256];
        char field[64];
        (void)snprintf(body, sizeof(body), "%s,\"reason\":\"x\"}", members[i][0]);
        (void)snprintf(field, sizeof(field), "\"field\":\"%s\"", members[i][1]);
        rules(group, body);
        expect(400, field);
        assert_true(has(members[i][2]));
    }
}

static void a_backup_that_is_the_route_itself_contradicts_it(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    rules(group,
          "{\"smsc\":{\"primaryRoute\":\"main\",\"backupRoute\":\"main\"},\"reason\":\"x\"}");
    expect(422, "CONNECTIVITY_MANAGEMENT.RULES_INCONSISTENT");
    assert_true(has("smsc.backupRoute"));
}

static void a_group_says_how_its_messages_leave(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    rules(group, "{\"smsc\":{\"sourceAddress\":\"+4930123456\",\"ratePerSecond\":5,"
                 "\"windowLimit\":10,\"registeredDelivery\":false},\"reason\":\"x\"}");
    expect(200, "\"sourceAddress\":\"+4930123456\",\"registeredDelivery\":false,"
                "\"ratePerSecond\":5,\"windowLimit\":10");
    const struct turn_route route = turn_route_of(lab.turn, group);
    assert_string_equal(route.source, "+4930123456");
    assert_true(route.has_no_receipts && route.rate == 5 && route.window == 10);
    rules(group, "{\"smsc\":{},\"reason\":\"as before\"}");
    expect(200, "\"registeredDelivery\":true");
    assert_false(has("ratePerSecond"));
    assert_false(turn_route_of(lab.turn, group).has_no_receipts);
}

static void a_command_that_takes_more_sms_than_the_group_permits_is_refused(void **state)
{
    (void)state;
    const uint64_t group = new_group("meters");
    move(lab_card(&lab, ICCID, &record), group);
    rules(group, "{\"ota\":{\"maxSmsParts\":1},\"reason\":\"x\"}");
    // Eight rows of 13 octets take two SMS: one carries 98 octets of command.
    char body[1024];
    struct writer w = writer_of(body, sizeof(body));
    text_put(&w, "{\"type\":\"set-timers\",\"parameters\":{\"COUNTRY_TABLE\":[");
    for (unsigned i = 0; i < 8; i++) {
        text_put(&w, i == 0 ? "" : ",");
        text_put(&w, "{\"mcc\":\"262\",\"imsi\":\"999700000000001\",\"action\":\"PREFER\"}");
    }
    text_put(&w, "]}}");
    ask("POST", target("/cards/", "crd", record.card, "/operations"), text_end(&w));
    expect(422, "\"reason\":\"TOO_LONG\"");
    rules(group, "{\"ota\":{\"maxSmsParts\":2},\"reason\":\"x\"}");
    ask("POST", target("/cards/", "crd", record.card, "/operations"), body);
    assert_int_equal(a.status, 202);
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    assert_int_equal(record.open.sms_mt, 2);
}

// Keys of 256 bits are 32 octets more than those of 128: a DOWNLOAD of one SMS takes two.
static void a_download_is_counted_with_the_keys_that_it_carries(void **state)
{
    (void)state;
    static const uint8_t octets[32] = {1};
    const struct network_keys keys = {.k = secret_key_of(bytes_of(octets, 32)),
                                      .op = secret_key_of(bytes_of(octets, 32))};
    const uint64_t group = new_group("meters");
    char body[256];
    char id[API_ID_SIZE];
    uint8_t imsi[IMSI_EF_LEN];
    ask("POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":7}");
    const uint64_t pool = lab_id(&a, "pol");
    move(lab_card(&lab, ICCID, &record), group);
    rules(group, "{\"ota\":{\"maxSmsParts\":1},\"reason\":\"x\"}");
    api_id_write(id, "sub", lab_subscription(&lab, pool, "999700000000077"));
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"subscriptionId\":\"%s\",\"enable\":\"LATER\","
                   "\"role\":\"OPERATIONAL\",\"rank\":5}",
                   id);
    ask("POST", target("/cards/", "crd", record.card, "/operations?dryRun=true"), body);
    expect(200, "\"sms\":2"); // there, and the answer
    assert_true(imsi_write("999700000000077", imsi));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_network_keys_put(lab.store, imsi, &keys), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("POST", target("/cards/", "crd", record.card, "/operations"), body);
    expect(422, "\"reason\":\"TOO_LONG\"");
    rules(group, "{\"ota\":{\"maxSmsParts\":2},\"reason\":\"x\"}");
    ask("POST", target("/cards/", "crd", record.card, "/operations"), body);
    assert_int_equal(a.status, 202);
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    assert_int_equal(record.open.sms_mt, 2);
}

static void ask_as(const char *token, const char *method, const char *to, const char *body)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = to, .body = body, .authorization = token},
            &a);
}

// Templates are those of who has the subscription, whoever looks.
static void the_operator_sees_what_a_customers_template_saves(void **state)
{
    (void)state;
    char content[401];
    char body[640];
    char id[API_ID_SIZE];
    char token[LAB_TOKEN_SIZE];
    ask("POST", API_BASE "/enterprises",
        "{\"name\":\"A\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}");
    const uint64_t enterprise = lab_id(&a, "ent");
    lab_client(&lab, "all", enterprise, token);
    memset(content, '0', sizeof(content) - 1);
    content[sizeof(content) - 1] = '\0';
    (void)snprintf(body, sizeof(body),
                   "{\"templateId\":1,\"name\":\"t\",\"files\":[{\"fileId\":\"6F07\","
                   "\"content\":\"%s\"}]}",
                   content);
    ask_as(token, "POST", API_BASE "/profile-templates", body);
    assert_int_equal(a.status, 201);
    ask_as(token, "POST", API_BASE "/subscription-pools",
           "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1}");
    const uint64_t pool = lab_id(&a, "pol");
    lab.tenant = enterprise;
    (void)lab_subscription(&lab, pool, "999700000000077");
    lab_place(&lab, lab_card(&lab, ICCID, &record), enterprise,
              lab_grant(&lab, enterprise, UINT32_MAX));
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", id);
    ask_as(token, "POST", target("/cards/", "crd", record.card, "/operations"), body);
    expect(202, "\"type\":\"download\"");
    const uint64_t operation = lab_id(&a, "op");
    ask_as(token, "GET", target("/operations/", "op", operation, ""), NULL);
    expect(200, "\"savedPercent\":");
    ask("GET", target("/operations/", "op", operation, ""), NULL);
    expect(200, "\"savedPercent\":");
}

static void cards_in_no_group_are_found_as_unassigned(void **state)
{
    (void)state;
    struct record loose;
    char body[256];
    char id[API_ID_SIZE];
    const uint64_t group = new_group("meters");
    (void)lab_card(&lab, ICCID, &record);
    lab_place(&lab, record.card, LAB_TENANT, group);
    (void)lab_card_of(&lab, "89999000000000000137", "002020000000031", "002020000000032", &loose);
    api_id_write(id, "crd", loose.card);
    ask("GET", API_BASE "/cards?groupId=unassigned", NULL);
    expect(200, "\"totalCount\":1");
    assert_true(has(id) && !has("groupId"));
    ask("POST", API_BASE "/cards/search",
        "{\"any\":\"899990\",\"match\":\"PREFIX\",\"groupId\":\"unassigned\"}");
    expect(200, id);
    assert_true(has("\"totalCount\":1"));
    ask("GET", API_BASE "/dirty-cards?groupId=unassigned", NULL);
    expect(200, "\"totalCount\":0");
    ask("PUT", target("/cards/", "crd", loose.card, "/dirty"), "{\"reason\":\"odd\"}");
    ask("GET", API_BASE "/dirty-cards?groupId=unassigned", NULL);
    expect(200, id);
    ask("GET", API_BASE "/cards?groupId=unassigned&label=none", NULL);
    expect(200, "\"totalCount\":0");
    api_id_write(id, "grp", group);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    ask("PATCH", target("/cards/", "crd", loose.card, ""), body);
    expect(200, id);
    ask("GET", API_BASE "/cards?groupId=unassigned", NULL);
    expect(200, "\"totalCount\":0");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_group_is_made_changed_and_removed),
        CASE(cards_move_into_groups_and_hold_them),
        CASE(a_card_that_goes_to_another_owner_leaves_its_notes_and_takes_no_work),
        CASE(rules_are_those_of_the_installation_until_they_are_changed),
        CASE(rules_outside_their_ranges_are_refused),
        CASE(a_long_name_within_rules_is_told_cut),
        CASE(a_dry_run_shows_how_many_cards_a_change_concerns),
        CASE(operations_live_as_long_as_the_rules_say),
        CASE(in_the_quiet_hours_of_the_group_an_operation_waits),
        CASE(quiet_hours_are_those_of_the_clocks_in_their_place),
        CASE(packets_of_a_group_take_its_route),
        CASE(packets_are_secured_as_the_group_says),
        CASE(what_is_unsafe_or_nobodys_is_no_rule),
        CASE(a_group_says_how_its_messages_leave),
        CASE(rules_that_nothing_follows_are_refused_by_name),
        CASE(a_backup_that_is_the_route_itself_contradicts_it),
        CASE(a_command_that_takes_more_sms_than_the_group_permits_is_refused),
        CASE(a_download_is_counted_with_the_keys_that_it_carries),
        CASE(cards_in_no_group_are_found_as_unassigned),
        CASE(the_operator_sees_what_a_customers_template_saves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
