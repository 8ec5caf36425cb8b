// The bootstrap rule of a group through the interface, with the pools of the store.
#include "common/base/text.h"
#include "tests/unit/api/group_lab.h"

#include <stdio.h>

// --- the rule --------------------------------------------------------------------------------

static void bar(uint64_t subscription, bool is_barred)
{
    char body[64];
    (void)snprintf(body, sizeof(body), "{\"fallbackEligible\":%s}", is_barred ? "false" : "true");
    ask("PATCH", target("/subscriptions/", "sub", subscription, ""), body);
    expect(200, is_barred ? "\"fallbackEligible\":false" : "\"fallbackEligible\":true");
}

// With DELETE the enabled one takes the fallback attribute over.
static void a_rule_that_deletes_takes_what_may_become_the_fallback(void **state)
{
    (void)state;
    const uint64_t first = lab_subscription(&lab, pool, "999700000000081");
    const uint64_t second = lab_subscription(&lab, pool, "999700000000082");
    bar(first, true);
    bar(second, true);
    rule(",\"afterwards\":\"DELETE\"");
    expect(422, "CONNECTIVITY_MANAGEMENT.RULES_INCONSISTENT");
    assert_true(has("bootstrap.items") && has("NOT_ELIGIBLE"));
    rule(""); // as the fallback the factory's stays
    expect(200, "KEEP_AS_FALLBACK");
    bar(second, false);
    rule(",\"afterwards\":\"DELETE\"");
    expect(200, "\"afterwards\":\"DELETE\"");
    const uint64_t card = new_card("89999000000000000012", "999700000000011", "999700000000012");
    contact(card);
    assert_int_equal(record.bootstrap.item_count, 2);
    assert_int_equal(record.bootstrap.items[0].subscription, first);
    assert_int_equal(record.bootstrap.items[1].subscription, second);
}

static void a_rule_is_judged_as_a_whole(void **state)
{
    (void)state;
    char body[512];
    char id[API_ID_SIZE];
    api_id_write(id, "pol", pool);
    rule("");
    expect(200, "\"enabled\":true");
    // The template is that of the pool when the item names none.
    assert_true(has("\"templateId\":7,\"role\":\"OPERATIONAL\",\"rank\":2,\"enable\":false"));
    assert_true(has("\"soakSeconds\":3600") && has("\"afterwards\":\"KEEP_AS_FALLBACK\"") &&
                has("\"concurrency\":200") && has("\"deadlineSeconds\":86400"));
    rule(",\"soakSeconds\":2592001");
    expect(400, "bootstrap.soakSeconds");
    rule(",\"trigger\":\"SOMETIMES\"");
    expect(400, "bootstrap.trigger");
    static const char *const wrong[] = {
        "",
        "{\"poolId\":\"%s\"}",
        "{\"enable\":true}",
        "{\"poolId\":\"%s\",\"enable\":true},{\"poolId\":\"%s\",\"enable\":true}",
        "{\"poolId\":\"%s\",\"enable\":true,\"colour\":1}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char items[256];
        struct writer w = writer_of(items, sizeof(items));
        for (const char *c = wrong[i]; *c != '\0'; c++) {
            if (c[0] == '%') {
                text_put(&w, id);
                c++;
            } else {
                writer_u8(&w, (uint8_t)*c);
            }
        }
        text_end(&w);
        (void)snprintf(body, sizeof(body),
                       "{\"bootstrap\":{\"enabled\":true,\"items\":[%s]},\"reason\":\"x\"}", items);
        ask("PATCH", target("/card-groups/", "grp", group, "/rules"), body);
        expect(400, "bootstrap.items");
    }
    const uint64_t known = pool;
    pool = 0x1234567890ABCDEull;
    rule("");
    pool = known;
    expect(404, "bootstrap.items.poolId");
}

// Of three cards one has what it needs already, and three subscriptions are enough for one of the
// others. Each item is a command and its answer, one SMS each.
static void a_dry_run_of_a_rule_says_whom_it_would_serve(void **state)
{
    (void)state;
    char body[512];
    char id[API_ID_SIZE];
    struct record next;
    (void)new_card("89999000000000000012", "999700000000011", "999700000000012");
    (void)new_card("89999000000000000020", "999700000000021", "999700000000022");
    (void)new_card("89999000000000000038", "999700000000031", "999700000000032");
    assert_int_equal(store_card_load(lab.store, record.card, &record), STORE_OK);
    next = record;
    next.version++;
    next.state = CARD_OPERATIONAL;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"bootstrap\":{\"enabled\":true,\"items\":[{\"poolId\":\"%s\",\"rank\":2},"
                   "{\"poolId\":\"%s\",\"enable\":true}]},\"reason\":\"roll-out\"}",
                   id, id);
    ask("PATCH", target("/card-groups/", "grp", group, "/rules?dryRun=true"), body);
    expect(200,
           "\"targeted\":3,\"eligible\":0,\"skipped\":[{\"reason\":\"OPERATIONAL\",\"count\":1},"
           "{\"reason\":\"POOL_EMPTY\",\"count\":2}]");
    assert_false(has("estimate")); // nothing there tells how long it would be
    (void)lab_subscription(&lab, pool, "999700000000081");
    (void)lab_subscription(&lab, pool, "999700000000082");
    (void)lab_subscription(&lab, pool, "999700000000083");
    ask("PATCH", target("/card-groups/", "grp", group, "/rules?dryRun=true"), body);
    expect(200,
           "\"targeted\":3,\"eligible\":1,\"skipped\":[{\"reason\":\"OPERATIONAL\",\"count\":1},"
           "{\"reason\":\"POOL_EMPTY\",\"count\":1}]");
    assert_true(has("\"estimate\":{\"packets\":2,\"sms\":4,"));
}

// A card as the factory made it: bootstrap subscription enabled, operational one beside it.
static uint64_t factory_card(const char *iccid, const char *bootstrap, const char *operational)
{
    const uint64_t card = lab_card_of(&lab, iccid, bootstrap, operational, &record);
    struct record next = record;
    next.version++;
    next.state = CARD_IMPORTED;
    next.group = group;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return card;
}

static void the_operational_subscription_of_the_factory_is_an_item(void **state)
{
    (void)state;
    char body[512];
    char id[API_ID_SIZE];
    static const char *const wrong[] = {
        "{\"factory\":true,\"rank\":1,\"enable\":true}",
        "{\"factory\":true,\"poolId\":\"%s\",\"enable\":true}",
        "{\"factory\":true},{\"factory\":true,\"enable\":true}",
        "{\"factory\":false,\"enable\":true}",
    };
    api_id_write(id, "pol", pool);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char items[256];
        const char *at = strstr(wrong[i], "%s");
        if (at == NULL)
            (void)snprintf(items, sizeof(items), "%s", wrong[i]);
        else
            (void)snprintf(items, sizeof(items), "%.*s%s%s", (int)(at - wrong[i]), wrong[i], id,
                           at + 2);
        (void)snprintf(body, sizeof(body),
                       "{\"bootstrap\":{\"enabled\":true,\"items\":[%s]},\"reason\":\"x\"}", items);
        ask("PATCH", target("/card-groups/", "grp", group, "/rules"), body);
        expect(400, "bootstrap.items");
    }
    ask("PATCH", target("/card-groups/", "grp", group, "/rules"),
        "{\"bootstrap\":{\"enabled\":true,\"trigger\":\"FIRST_CONTACT\",\"delaySeconds\":5,"
        "\"items\":[{\"factory\":true,\"enable\":true}]},\"reason\":\"x\"}");
    expect(400, "bootstrap.delaySeconds");
    ask("PATCH", target("/card-groups/", "grp", group, "/rules"),
        "{\"bootstrap\":{\"enabled\":true,\"trigger\":\"AFTER_ACTIVATION\",\"delaySeconds\":5,"
        "\"items\":[{\"factory\":true,\"enable\":true}]},\"reason\":\"x\"}");
    expect(200, "\"trigger\":\"AFTER_ACTIVATION\",\"delaySeconds\":5,\"items\":[{\"factory\":true,"
                "\"enable\":true}]");
    const uint64_t card =
        factory_card("89999000000000000020", "001010000000020", "999700000000020");
    contact(card);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_NONE);
    lab.now.utc.ms += 5000;
    lab_turn(&lab);
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_ENABLING);
    assert_true(record.open.kind == OPERATION_ENABLE &&
                record.open.subscription == record.slots[1].subscription);
    // One that the factory gave nothing has nothing to enable.
    const uint64_t bare =
        factory_card("89999000000000000021", "001010000000021", "999700000000021");
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_load(lab.store, bare, &record), STORE_OK);
    struct record next = record;
    next.slot_count = 1;
    next.version++;
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    contact(bare);
    lab.now.utc.ms += 5000;
    lab_turn(&lab);
    ask("GET", target("/card-groups/", "grp", group, "/bootstrap-jobs?state=FAILED"), NULL);
    expect(200, "\"reason\":\"NOT_INSTALLED\"");
}

static void a_rule_that_deletes_is_for_two(void **state)
{
    (void)state;
    char body[128];
    char hash[65];
    char id[API_ID_SIZE];
    lab.is_single_person = false;
    lab.has_basic = true;
    lab_reopen_api(&lab);
    api_id_write(id, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"olga\",\"password\":\"correct horse battery\","
                   "\"role\":\"OPERATOR\",\"enterpriseId\":\"%s\"}",
                   id);
    ask("POST", API_BASE "/users", body);
    assert_int_equal(a.status, 201);
    lab_own_password(&lab, "olga");
    ask("PATCH", target("/card-groups/", "grp", group, "/rules?dryRun=true"), "{\"reason\":\"x\"}");
    expect(200, "\"approvalsNeeded\":0");
    rule(",\"afterwards\":\"DELETE\"");
    expect(202, "\"summary\":\"bootstrap that deletes\"");
    assert_true(has("\"targetCount\":0,\"sample\":[]") && has("\"groupId\":\"grp_"));
    const uint64_t approval = lab_id(&a, "apr");
    const char *at = strstr(a.body, "\"requestHash\":\"");
    assert_non_null(at);
    (void)snprintf(hash, sizeof(hash), "%.64s", at + 15);
    ask("GET", target("/card-groups/", "grp", group, "/rules"), NULL);
    expect(200, "\"version\":0"); // nothing holds yet
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\"}", hash);
    (void)target("/approvals/", "apr", approval, "/approve");
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = path,
                          .body = body,
                          .authorization = "Basic b2xnYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="},
            &a);
    expect(200, "\"state\":\"APPROVED\"");
    ask("GET", target("/card-groups/", "grp", group, "/rules"), NULL);
    expect(200, "\"afterwards\":\"DELETE\"");
    ask("GET", target("/card-groups/", "grp", group, "/rules/versions"), NULL);
    expect(200, "\"author\":\"cli_"); // who asked, and why
    assert_true(has("\"reason\":\"roll-out\""));
    rule(",\"afterwards\":\"DELETE\""); // the same again
    expect(200, "\"version\":2");
    rule(",\"afterwards\":\"DELETE\",\"soakSeconds\":0");
    assert_int_equal(a.status, 202);
}

// --- reservations ----------------------------------------------------------------------------

static void all_of_the_items_are_reserved_or_none(void **state)
{
    (void)state;
    rule("");
    (void)lab_subscription(&lab, pool, "999700000000101");
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    contact(card);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_WAITING);
    assert_int_equal(record.state, CARD_SEEN);
    free_are(1); // one is not enough, so none
    ask("GET", target("/card-groups/", "grp", group, "/bootstrap-jobs"), NULL);
    expect(200, "\"state\":\"WAITING\"");
    assert_true(has("\"reason\":\"POOL_EMPTY\""));
    fill("999700000000102"); // in the same turn
    assert_int_equal(state_of(card), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(record.state, CARD_BOOTSTRAPPING);
    free_are(0);
    assert_true(record.has_open && record.open.kind == OPERATION_DOWNLOAD);
    assert_int_equal(record.open.download.template_number, 7);
    assert_int_equal(record.open.download.rank, 2);
    ask("GET", target("/cards/", "crd", card, "/operations"), NULL);
    expect(200, "\"requestedBy\":{\"kind\":\"RULE\",\"id\":\"grp_");
    ask("GET", target("/bootstrap-jobs/", "job", card, ""), NULL);
    expect(200, "\"onCard\":false");
}

static void no_more_cards_than_the_rule_allows_are_at_it(void **state)
{
    (void)state;
    rule(",\"concurrency\":1");
    for (unsigned i = 0; i < 4; i++) {
        char imsi[16];
        (void)snprintf(imsi, sizeof(imsi), "99970000000020%u", i);
        (void)lab_subscription(&lab, pool, imsi);
    }
    const uint64_t first = new_card("89999000000000000012", "001010000000001", "001010000000002");
    const uint64_t second = new_card("89999000000000000020", "001010000000003", "001010000000004");
    contact(first);
    contact(second);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_WAITING);
    assert_int_equal(record.bootstrap.failure, REFUSAL_CARD_BUSY);
    free_are(2);
    refuse(first);
    assert_int_equal(state_of(second), BOOTSTRAP_DOWNLOADING); // in the same turn
    free_are(0); // the first's are kept for a resumption
    // Whose is resumed waits as well.
    ask("POST", target("/bootstrap-jobs/", "job", first, "/resume"), NULL);
    expect(200, "\"state\":\"WAITING\"");
    ask("GET", target("/bootstrap-jobs/", "job", first, ""), NULL);
    expect(200, "\"reason\":\"CARD_BUSY\"");
    refuse(second);
    assert_int_equal(state_of(first), BOOTSTRAP_DOWNLOADING);
}

static void a_rule_may_change_while_a_card_waits(void **state)
{
    (void)state;
    char body[256];
    char id[API_ID_SIZE];
    rule("");
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    contact(card); // the pool is empty
    fill("999700000000101");
    assert_int_equal(state_of(card), BOOTSTRAP_WAITING);
    free_are(1);
    api_id_write(id, "pol", pool);
    (void)snprintf(
        body, sizeof(body),
        "{\"bootstrap\":{\"enabled\":true,\"items\":[{\"poolId\":\"%s\",\"enable\":true}]},"
        "\"reason\":\"one is enough\"}",
        id);
    ask("PATCH", target("/card-groups/", "grp", group, "/rules"), body);
    assert_int_equal(a.status, 200);
    lab_turn(&lab);
    assert_int_equal(state_of(card), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(record.bootstrap.item_count, 1);
    free_are(0);
    // And go: another card waits, then there is no rule.
    const uint64_t other = new_card("89999000000000000020", "001010000000003", "001010000000004");
    contact(other);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_WAITING);
    ask("PATCH", target("/card-groups/", "grp", group, "/rules"),
        "{\"bootstrap\":{\"enabled\":false},\"reason\":\"stop\"}");
    assert_int_equal(a.status, 200);
    lab_turn(&lab);
    assert_int_equal(state_of(other), BOOTSTRAP_FAILED);
    assert_int_equal(record.bootstrap.failure, REFUSAL_NOT_FOUND);
}

static void a_job_that_does_not_get_on_is_an_alarm(void **state)
{
    (void)state;
    rule(",\"deadlineSeconds\":1800");
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    contact(card); // the pool is empty
    ask("GET", API_BASE "/alarms", NULL);
    expect(200, "\"totalCount\":0");
    for (unsigned i = 0; i < 3; i++) {
        lab.now.utc.ms += 601000;
        lab_turn(&lab);
    }
    ask("GET", API_BASE "/alarms", NULL);
    expect(200, "\"key\":\"bootstrap.stalled\"");
    assert_true(has("\"severity\":\"MAJOR\""));
    ask("GET", target("/bootstrap-jobs/", "job", card, ""), NULL);
    expect(200, "\"stalled\":true");
    ask("POST", target("/bootstrap-jobs/", "job", card, "/cancel"), NULL);
    expect(200, "\"stalled\":false");
    ask("GET", API_BASE "/alarms?state=OPEN", NULL);
    expect(200, "\"totalCount\":0");
}

static void a_failed_job_is_resumed_with_what_was_reserved(void **state)
{
    (void)state;
    rule("");
    (void)lab_subscription(&lab, pool, "999700000000101");
    (void)lab_subscription(&lab, pool, "999700000000102");
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    contact(card);
    const uint64_t reserved = record.bootstrap.items[0].subscription;
    struct event e = {.type = EVENT_SUBMIT};
    e.as.submit = (struct event_submit){
        .counter = record.flight.counter, .outcome = SUBMIT_REJECTED, .parts = 1};
    tell(card, &e);
    ask("GET", target("/card-groups/", "grp", group, "/bootstrap-jobs?state=FAILED"), NULL);
    expect(200, "\"totalCount\":1");
    ask("GET", target("/card-groups/", "grp", group, "/bootstrap-jobs?state=DONE"), NULL);
    expect(200, "\"totalCount\":0");
    ask("GET", target("/card-groups/", "grp", group, "/bootstrap-jobs?state=LOST"), NULL);
    expect(400, "state");
    ask("POST", target("/bootstrap-jobs/", "job", card, "/resume"), NULL);
    expect(200, "\"state\":\"DOWNLOADING\"");
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_int_equal(record.open.subscription, reserved);
    ask("POST", target("/bootstrap-jobs/", "job", card, "/resume"), NULL);
    expect(409, "INCOMPATIBLE_STATE");
    free_are(0);
    // Cancelled: the packet may still arrive, so nothing is given back yet.
    ask("POST", target("/bootstrap-jobs/", "job", card, "/cancel"), NULL);
    expect(200, "\"state\":\"CANCELLING\"");
    free_are(0);
    ask("POST", target("/bootstrap-jobs/", "job", card, "/cancel"), NULL);
    expect(409, "INCOMPATIBLE_STATE");
}

static void a_crash_loses_and_doubles_no_reservation(void **state)
{
    (void)state;
    open_on_disk();
    rule("");
    for (unsigned i = 0; i < 6; i++) {
        char imsi[16];
        (void)snprintf(imsi, sizeof(imsi), "99970000000030%u", i);
        (void)lab_subscription(&lab, pool, imsi);
    }
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    contact(card);
    free_are(4);
    const uint64_t reserved[] = {record.bootstrap.items[0].subscription,
                                 record.bootstrap.items[1].subscription};
    crash();
    contact(card);
    assert_int_equal(record.bootstrap.items[0].subscription, reserved[0]);
    assert_int_equal(record.bootstrap.items[1].subscription, reserved[1]);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_DOWNLOADING);
    free_are(4);
}

static void a_job_is_started_by_hand(void **state)
{
    (void)state;
    char body[128];
    char id[API_ID_SIZE];
    rule(",\"trigger\":\"MANUAL\"");
    expect(200, "\"trigger\":\"MANUAL\"");
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    api_id_write(id, "crd", card);
    (void)snprintf(body, sizeof(body), "{\"cardId\":\"%s\",\"reason\":\"asked for\"}", id);
    ask("POST", target("/card-groups/", "grp", group, "/bootstrap-jobs"), body);
    expect(409, "INCOMPATIBLE_STATE"); // it was never seen
    contact(card);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_NONE);
    ask("POST", target("/card-groups/", "grp", group, "/bootstrap-jobs"), body);
    expect(202, "\"state\":\"WAITING\"");
    assert_non_null(
        strstr(a.headers, "Location: https://api.example.com" API_BASE "/bootstrap-jobs/job_"));
    ask("POST", target("/card-groups/", "grp", group + 1, "/bootstrap-jobs"), body);
    assert_int_equal(a.status, 404);
    ask("POST", target("/bootstrap-jobs/", "job", card, "/cancel"), NULL);
    expect(200, "\"state\":\"FAILED\"");
}

static void a_retired_card_keeps_what_may_have_reached_it(void **state)
{
    (void)state;
    char body[128];
    char id[API_ID_SIZE];
    struct event retire = {.type = EVENT_RETIRE};
    rule("");
    (void)lab_subscription(&lab, pool, "999700000000101");
    (void)lab_subscription(&lab, pool, "999700000000102");
    const uint64_t card = new_card("89999000000000000012", "001010000000001", "001010000000002");
    contact(card); // the download of the first one is on its way
    free_are(0);
    tell(card, &retire);
    free_are(1);
    ask("GET", target("/bootstrap-jobs/", "job", card, ""), NULL);
    expect(200, "\"state\":\"FAILED\"");
    assert_true(has("\"reason\":\"CARD_RETIRED\"") &&
                has("\"items\":[{\"subscriptionId\":\"sub_") && has(",{\"enable\":"));
    ask("POST", target("/bootstrap-jobs/", "job", card, "/cancel"), NULL);
    expect(422, "CARD_RETIRED");
    ask("POST", target("/bootstrap-jobs/", "job", card, "/resume"), NULL);
    expect(422, "CARD_RETIRED");
    api_id_write(id, "crd", card);
    (void)snprintf(body, sizeof(body), "{\"cardId\":\"%s\"}", id);
    ask("POST", target("/card-groups/", "grp", group, "/bootstrap-jobs"), body);
    expect(422, "CARD_RETIRED");
    free_are(1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_dry_run_of_a_rule_says_whom_it_would_serve),
        CASE(a_rule_is_judged_as_a_whole),
        CASE(a_rule_that_deletes_takes_what_may_become_the_fallback),
        CASE(the_operational_subscription_of_the_factory_is_an_item),
        CASE(a_rule_that_deletes_is_for_two),
        CASE(all_of_the_items_are_reserved_or_none),
        CASE(no_more_cards_than_the_rule_allows_are_at_it),
        CASE(a_rule_may_change_while_a_card_waits),
        CASE(a_job_that_does_not_get_on_is_an_alarm),
        CASE(a_failed_job_is_resumed_with_what_was_reserved),
        CASE(a_crash_loses_and_doubles_no_reservation),
        CASE(a_job_is_started_by_hand),
        CASE(a_retired_card_keeps_what_may_have_reached_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
