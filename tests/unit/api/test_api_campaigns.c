// Campaigns through the interface: made, checked, approved, run, stopped; and who may.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/campaign_run.h"
#include "ota-server/store/backup.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define CARDS 3
#define TENANT_SCOPES                                                                              \
    "cards:read,operations:read,operations:enable,operations:audit,operations:delete,"             \
    "operations:read-timers,campaigns:read,campaigns:write,approvals:read"
#define SET_TIMERS "{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":100}}"
#define ACME "{\"name\":\"acme\",\"kind\":\"ENTERPRISE\",\"region\":\"eu\",\"timeZone\":\"UTC\"}"
#define AUDIT "{\"type\":\"read-timers\"}"

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t cards[CARDS], group, other_group, pool;
static char path[256], campaign[API_ID_SIZE], approval[API_ID_SIZE], hash[65];
static char tenant_token[LAB_TOKEN_SIZE];
static struct door olga, otto, eva, emil;
static uint64_t enterprise;

static void pass(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

static void ask_as(const char *token, const char *method, const char *target, const char *body)
{
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "key-%05u", ++number);
    pass(1000);
    lab_ask(&lab,
            &(struct ask){.method = method,
                          .target = target,
                          .body = body,
                          .authorization = token,
                          .key = strcmp(method, "POST") == 0 ? key : NULL},
            &a);
}

static void ask(const char *method, const char *target, const char *body)
{
    ask_as(NULL, method, target, body);
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

static void take(const char *name, char *to, size_t size)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(a.body, start);
    assert_non_null(at);
    at += strlen(start);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static const char *at(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s%s", campaign, after);
    return path;
}

static const char *id_of(const char *prefix, uint64_t id)
{
    static char text[4][API_ID_SIZE];
    static unsigned next;
    char *to = text[next++ % 4];
    api_id_write(to, prefix, id);
    return to;
}

static void new_as(const char *token, const char *operation, const char *target, const char *more)
{
    char body[1024];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"meters\",\"operation\":%s,\"target\":%s,"
                   "\"rate\":{\"perSecond\":100}%s}",
                   operation, target, more);
    ask_as(token, "POST", API_BASE "/campaigns", body);
    if (a.status == 201)
        take("id", campaign, sizeof(campaign));
}

static const char *of_group(uint64_t id)
{
    static char text[128];
    (void)snprintf(text, sizeof(text), "{\"groupIds\":[\"%s\"]}", id_of("grp", id));
    return text;
}

static const char *of_pool(const char *type)
{
    static char text[160];
    (void)snprintf(text, sizeof(text), "{\"type\":\"%s\",\"poolId\":\"%s\"}", type,
                   id_of("pol", pool));
    return text;
}

static void act(const char *verb, unsigned status, const char *text)
{
    ask("POST", at(verb), "{\"reason\":\"test\"}");
    expect(status, text);
}

static void put_in_group(uint64_t card, uint64_t to)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    struct record next = record;
    next.group = to;
    next.state = CARD_OPERATIONAL;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// Subscriptions of a pool, which the cards' second ones are of.
static void own_pool(uint64_t card)
{
    struct subscription s;
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_int_equal(store_subscription_get(lab.store, record.slots[1].subscription, &s), STORE_OK);
    s.pool = pool;
    s.card = card;
    s.state = SUBSCRIPTION_ON_CARD;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_subscription_put(lab.store, &s), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static int open_with(bool single_person)
{
    static const char *const iccids[] = {"89999000000000000012", "89999000000000000020",
                                         "89999000000000000038"};
    static const char *const imsis[][2] = {{"999700000000011", "999700000000012"},
                                           {"999700000000021", "999700000000022"},
                                           {"999700000000031", "999700000000032"}};
    lab_open(&lab, "all", single_person);
    ask("POST", API_BASE "/card-groups", "{\"name\":\"meters\"}");
    group = lab_id(&a, "grp");
    ask("POST", API_BASE "/card-groups", "{\"name\":\"others\"}");
    other_group = lab_id(&a, "grp");
    ask("POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":7}");
    pool = lab_id(&a, "pol");
    for (size_t i = 0; i < CARDS; i++) {
        cards[i] = lab_card_of(&lab, iccids[i], imsis[i][0], imsis[i][1], &record);
        put_in_group(cards[i], group);
        own_pool(cards[i]);
    }
    lab_user(&lab, "olga", ROLE_OPERATOR, LAB_TENANT, &olga);
    lab_user(&lab, "otto", ROLE_OPERATOR, LAB_TENANT, &otto);
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    return open_with(true);
}

static int open_for_two(void **state)
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

static void run_turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pass(100);
        lab_turn(&lab);
    }
}

// --- making ---

static void what_is_missing_or_wrong_is_named(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{}", "\"field\":\"name\""},
        {"{\"name\":\"x\"}", "\"field\":\"operation\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"}}", "\"field\":\"rate\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{}}",
         "\"field\":\"rate.perSecond\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{\"perSecond\":1}}",
         "\"field\":\"target\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"enable\"},\"rate\":{\"perSecond\":1}}",
         "\"field\":\"operation.poolId\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\",\"when\":\"NOW\"},"
         "\"rate\":{\"perSecond\":1}}",
         "\"field\":\"operation.when\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{\"perSecond\":5001}}",
         "OUT_OF_RANGE"},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{\"perSecond\":1},"
         "\"target\":{\"groupIds\":[],\"cardIds\":[]}}",
         "Exactly one of"},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{\"perSecond\":1},"
         "\"target\":{\"filter\":{\"colour\":\"red\"}}}",
         "\"field\":\"target.filter.colour\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{\"perSecond\":1},"
         "\"schedule\":{\"windows\":[{\"from\":\"25:00\",\"to\":\"26:00\",\"timeZone\":\"UTC\"}]},"
         "\"target\":{\"filter\":{}}}",
         "\"field\":\"schedule.windows\""},
        {"{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"rate\":{\"perSecond\":1},"
         "\"schedule\":{\"startAt\":\"2026-08-01T00:00:00Z\",\"endAt\":\"2026-08-01T00:00:00Z\"},"
         "\"target\":{\"filter\":{}}}",
         "\"field\":\"schedule.endAt\""},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ask("POST", API_BASE "/campaigns", bad[i][0]);
        expect(400, bad[i][1]);
    }
}

static void who_is_not_there_is_told_by_its_place(void **state)
{
    (void)state;
    char list[256];
    new_as(NULL, AUDIT, of_group(77), "");
    expect(404, "\"field\":\"target.groupIds\"");
    (void)snprintf(list, sizeof(list),
                   "{\"list\":[\"89999000000000000012\",\"8999900000000099999\"]}");
    new_as(NULL, AUDIT, list, "");
    expect(404, "number 2 of the list");
    assert_false(has("89999"));
    (void)lab_card_of(&lab, "89999000000000000411", "999700000000041", "999700000000042", &record);
    new_as(NULL, AUDIT, "{\"list\":[\"8999900000000000041\"]}", "");
    expect(201, "DRAFT");
    (void)snprintf(list, sizeof(list), "{\"cardIds\":[\"%s\"]}", id_of("crd", 77));
    new_as(NULL, AUDIT, list, "");
    expect(404, "number 1 of the list");
    pool = 77;
    new_as(NULL, of_pool("enable"), of_group(group), "");
    expect(404, "\"field\":\"operation.poolId\"");
}

static void a_campaign_is_made_listed_and_shown(void **state)
{
    (void)state;
    new_as(NULL, AUDIT, of_group(group),
           ",\"schedule\":{\"windows\":[{\"days\":[\"MON\",\"FRI\"],\"from\":\"22:00\",\"to\":"
           "\"05:00\",\"timeZone\":\"Asia/Shanghai\"}]},\"canary\":{\"count\":2},"
           "\"autoPause\":{\"failurePercent\":10},\"reason\":\"first\"");
    expect(201, "\"state\":\"DRAFT\"");
    assert_false(has("\"reason\":\"first\""));
    assert_true(has("\"funnel\":{\"targeted\":0,\"eligible\":0,\"sent\":0,\"delivered\":0,"
                    "\"answered\":0,\"confirmed\":0}"));
    assert_non_null(strstr(a.headers, "Location: https://api.example.com"));
    ask("GET", at(""), NULL);
    expect(200, "\"timeZone\":\"Asia/Shanghai\"");
    ask("GET", API_BASE "/campaigns?state=DRAFT", NULL);
    expect(200, campaign);
    ask("GET", API_BASE "/campaigns?state=RUNNING", NULL);
    expect(200, "\"items\":[]");
    ask("GET", API_BASE "/campaigns?state=ASLEEP", NULL);
    expect(400, "\"field\":\"state\"");
}

static void the_key_is_required_and_makes_one_campaign(void **state)
{
    (void)state;
    struct ask with = {.method = "POST",
                       .target = API_BASE "/campaigns",
                       .body = "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},"
                               "\"target\":{\"filter\":{}},\"rate\":{\"perSecond\":1}}"};
    pass(1000);
    lab_ask(&lab, &with, &a);
    expect(400, "Idempotency-Key");
    with.key = "camp-2026-07";
    lab_ask(&lab, &with, &a);
    expect(201, "\"id\":");
    take("id", campaign, sizeof(campaign));
    lab_ask(&lab, &with, &a);
    expect(201, campaign);
    assert_non_null(strstr(a.headers, "Idempotency-Replayed: true"));
}

// --- the check ---

static void a_check_freezes_the_target_and_tells_who_is_excluded(void **state)
{
    (void)state;
    char before[65];
    struct event e = {.type = EVENT_RETIRE};
    new_as(NULL, of_pool("enable"), of_group(group), "");
    expect(201, "DRAFT");
    act("/start", 409, "POST check first");
    ask("POST", at("/check?dryRun=true"), NULL);
    expect(200, "\"dryRun\":true");
    act("/check", 200, "\"state\":\"CHECKED\"");
    assert_true(has("\"targeted\":3,\"eligible\":3,\"sent\":0"));
    assert_true(has("\"estimate\":{\"packets\":6,\"sms\":15,\"bytes\":300,\"seconds\":1}"));
    assert_true(has("\"canaryCount\":1"));
    assert_true(has("{\"step\":\"sent\",\"reason\":\"WAITING\",\"count\":3}"));
    take("targetHash", before, sizeof(before));
    assert_true(turn_event(lab.turn, cards[1], &e, NULL, NULL));
    lab_turn(&lab);
    act("/check", 200, "\"targeted\":3,\"eligible\":2");
    assert_true(has("{\"step\":\"eligible\",\"reason\":\"CARD_RETIRED\",\"count\":1}"));
    take("targetHash", hash, sizeof(hash));
    assert_string_not_equal(hash, before);
    ask("GET", at("/exclusions"), NULL);
    expect(200, "\"result\":\"EXCLUDED\",\"step\":\"targeted\",\"reason\":\"CARD_RETIRED\"");
    assert_true(has(id_of("crd", cards[1])));
    ask("GET", at("/cards?result=WAITING"), NULL);
    expect(200, id_of("crd", cards[0]));
    assert_true(has("\"totalCount\":2"));
    ask("GET", at("/cards?result=NONE"), NULL);
    expect(400, "\"field\":\"result\"");
}

static void a_change_takes_the_check_back(void **state)
{
    (void)state;
    new_as(NULL, AUDIT, of_group(group), "");
    act("/check", 200, "CHECKED");
    ask("PATCH", at(""), "{\"canary\":{\"count\":2},\"reason\":\"more\"}");
    expect(200, "\"state\":\"DRAFT\"");
    assert_true(has("\"canary\":{\"count\":2}"));
    act("/start", 409, "POST check first");
    lab_ask(
        &lab,
        &(struct ask){
            .method = "PATCH", .target = at(""), .body = "{\"name\":\"y\"}", .if_match = "\"77\""},
        &a);
    expect(412, "FAILED_PRECONDITION");
    ask("PATCH", at(""), "{\"operation\":{\"type\":\"enable\"}}");
    expect(400, "\"field\":\"operation.poolId\"");
    ask("PATCH", at(""), "{\"colour\":\"red\"}");
    expect(400, "\"field\":\"colour\"");
}

static void a_list_is_kept_as_its_length_and_may_be_changed(void **state)
{
    (void)state;
    char body[256];
    new_as(NULL, AUDIT, "{\"list\":[\"89999000000000000012\",\"89999000000000000020\"]}", "");
    expect(201, "\"target\":{\"listed\":2}");
    act("/check", 200, "\"targeted\":2,\"eligible\":2");
    act("/check", 200, "\"targeted\":2,\"eligible\":2");
    (void)snprintf(body, sizeof(body), "{\"target\":{\"cardIds\":[\"%s\"]}}",
                   id_of("crd", cards[2]));
    ask("PATCH", at(""), body);
    expect(200, "\"target\":{\"listed\":1}");
    act("/check", 200, "\"targeted\":1,\"eligible\":1");
    new_as(NULL, AUDIT, "{\"filter\":{\"any\":\"8999900000000000001\",\"match\":\"PREFIX\"}}", "");
    act("/check", 200, "\"targeted\":1,\"eligible\":1");
    new_as(NULL, AUDIT, of_group(other_group), "");
    act("/check", 200, "\"targeted\":0");
    act("/start", 409, "No card is eligible");
}

// --- running ---

static uint64_t number_of(const char *id)
{
    uint64_t number = 0;
    assert_true(api_id_read(bytes_of_text(id), CAMPAIGN_PREFIX, &number));
    return number;
}

static void it_runs_is_paused_resumed_and_stopped(void **state)
{
    (void)state;
    new_as(NULL, AUDIT, of_group(group), ",\"canary\":{\"count\":1}");
    act("/pause", 409, "INCOMPATIBLE_STATE");
    act("/resume", 409, "INCOMPATIBLE_STATE");
    act("/stop", 409, "INCOMPATIBLE_STATE");
    act("/retry-failed", 409, "has not ended");
    act("/check", 200, "CHECKED");
    act("/start", 200, "\"startedAt\"");
    run_turns(5);
    ask("GET", at(""), NULL);
    expect(200, "\"state\":\"CANARY\"");
    assert_true(has("\"progress\":{\"waiting\":2,\"open\":1,\"done\":0"));
    assert_true(has("{\"step\":\"sent\",\"reason\":\"UNDER_WAY\",\"count\":1}"));
    ask("PATCH", at(""), "{\"rate\":{\"perSecond\":7,\"perPlmn\":3}}");
    expect(200, "\"rate\":{\"perSecond\":7,\"perPlmn\":3}");
    ask("PATCH", at(""), "{\"name\":\"y\"}");
    expect(409, "only its rate may change");
    act("/check", 409, "has started");
    act("/pause", 200, "\"state\":\"PAUSED\"");
    assert_true(has("\"stateReason\":\"PERSON\""));
    act("/resume", 200, "\"state\":\"SCHEDULED\""); // as it is when the change is made
    run_turns(2);
    ask("GET", at(""), NULL);
    expect(200, "\"state\":\"CANARY\"");
    ask("GET", at("/cards?result=OPEN"), NULL);
    expect(200, "\"step\":\"asked\",\"operationId\":\"op_");
    act("/stop", 200, "\"state\":\"STOPPED\"");
    assert_true(has("{\"step\":\"sent\",\"reason\":\"STOPPED\",\"count\":2}"));
    ask("PATCH", at(""), "{\"rate\":{\"perSecond\":8}}");
    expect(409, "has ended");
    ask("GET", API_BASE "/audit-trail?action=campaign.state", NULL);
    expect(200, "\"after\":\"STOPPED\",\"reason\":\"test\"");
}

static void the_cards_come_as_a_file(void **state)
{
    (void)state;
    new_as(NULL, AUDIT, of_group(group), "");
    act("/check", 200, "CHECKED");
    struct ask with = {.method = "GET", .target = at("/cards"), .accept = "text/csv"};
    pass(1000);
    lab_ask(&lab, &with, &a);
    expect(200, "cardId,result,step,reason,operationId,endedAt\r\n");
    for (size_t i = 0; i < CARDS; i++) {
        char line[96];
        (void)snprintf(line, sizeof(line), "%s,WAITING,eligible,,,\r\n", id_of("crd", cards[i]));
        assert_true(has(line));
    }
    with.target = at("/cards?result=FAILED");
    lab_ask(&lab, &with, &a);
    assert_string_equal(a.body, "cardId,result,step,reason,operationId,endedAt\r\n");
    with.accept = "image/png";
    lab_ask(&lab, &with, &a);
    expect(406, "NOT_ACCEPTABLE");
}

static enum store_status fail_one(struct store *s, uint64_t id)
{
    const struct campaign_row row = {.card = cards[2],
                                     .step = CAMPAIGN_SENT,
                                     .reason = CAMPAIGN_FAILURE + FAILURE_DELIVERY_EXPIRED,
                                     .ended_at = lab.now.utc};
    return store_campaign_set(s, id, &row);
}

static void what_failed_is_tried_again_by_a_child(void **state)
{
    (void)state;
    char parent[API_ID_SIZE];
    new_as(NULL, AUDIT, of_group(group), ",\"schedule\":{\"endAt\":\"2026-07-24T12:10:00Z\"}");
    act("/check", 200, "CHECKED");
    act("/start", 200, "\"startedAt\"");
    run_turns(3);
    act("/stop", 200, "STOPPED");
    run_turns(3);
    act("/retry-failed", 409, "No card failed"); // cancelled is not failed
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(fail_one(lab.store, number_of(campaign)), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("GET", at(""), NULL);
    expect(200, "{\"step\":\"delivered\",\"reason\":\"DELIVERY_EXPIRED\",\"count\":1}");
    (void)snprintf(parent, sizeof(parent), "%s", campaign);
    ask("POST", at("/retry-failed"), "{\"name\":\"meters, again\"}");
    expect(201, "\"name\":\"meters, again\"");
    assert_true(has("\"target\":{\"listed\":1}") && has(parent) && !has("endAt"));
    take("id", campaign, sizeof(campaign));
    act("/check", 200, "\"targeted\":1");
}

static void after_a_restore_it_waits_for_somebody(void **state)
{
    (void)state;
    new_as(NULL, AUDIT, of_group(group), ",\"canary\":{\"count\":1}");
    act("/check", 200, "CHECKED");
    act("/start", 200, "\"startedAt\"");
    run_turns(3);
    pass(1000);
    assert_int_equal(store_put_back(lab.store, lab.now.utc), STORE_OK);
    assert_int_equal(turn_start(lab.turn, lab.now.utc), TURN_OK);
    run_turns(5);
    lab_client(&lab, "all", LAB_TENANT, lab.token); // tokens ended with the restore
    ask("GET", at(""), NULL);
    expect(200, "\"state\":\"PAUSED\",\"stateReason\":\"RESTORED\"");
    assert_true(has("\"progress\":{\"waiting\":2,\"open\":1,"));
    act("/resume", 200, "\"state\":\"SCHEDULED\"");
    run_turns(5);
    ask("GET", at(""), NULL);
    expect(200, "\"state\":\"CANARY\"");
}

// --- two people ---

static void take_approval(void)
{
    take("approvalId", approval, sizeof(approval));
    (void)snprintf(path, sizeof(path), API_BASE "/approvals/%s", approval);
    ask("GET", path, NULL);
    expect(200, "\"state\":\"OPEN\"");
    take("requestHash", hash, sizeof(hash));
}

static void decide_as(const struct door *who, const char *how, unsigned status, const char *text)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\"}", hash);
    (void)snprintf(path, sizeof(path), API_BASE "/approvals/%s%s", approval, how);
    pass(1000);
    lab_ask_as(&lab, who, "POST", path, body, &a);
    expect(status, text);
}

static void start_as(const struct door *who, const char *text)
{
    pass(1000);
    lab_ask_as(&lab, who, "POST", at("/start"), "{}", &a);
    expect(200, text);
}

static void a_campaign_that_deletes_waits_for_a_second_person(void **state)
{
    (void)state;
    new_as(NULL, of_pool("delete"), of_group(group), "");
    act("/check", 200, "\"approvalsNeeded\":1");
    start_as(&olga, "\"state\":\"AWAIT_APPROVAL\"");
    take_approval();
    assert_true(has("\"targetCount\":3") && has("\"campaignId\":") && has("\"targetHash\":"));
    assert_true(has("\"summary\":\"campaign: delete\""));
    assert_true(has(id_of("crd", cards[1]))); // in the sample
    decide_as(&olga, "/approve", 403, "PERMISSION_DENIED");
    decide_as(&otto, "/approve", 200, "\"state\":\"APPROVED\"");
    ask("GET", at(""), NULL);
    expect(200, "\"startedAt\"");
    decide_as(&otto, "/approve", 409, "decided");
}

static void a_changed_campaign_is_no_longer_what_was_to_be_approved(void **state)
{
    (void)state;
    new_as(NULL, of_pool("delete"), of_group(group), "");
    act("/check", 200, "CHECKED");
    start_as(&olga, "AWAIT_APPROVAL");
    take_approval();
    act("/check", 409, "waits for an approval");
    ask("PATCH", at(""), "{\"name\":\"another\"}");
    expect(200, "\"state\":\"DRAFT\"");
    decide_as(&otto, "/approve", 409, "decided");
    (void)snprintf(path, sizeof(path), API_BASE "/approvals/%s", approval);
    ask("GET", path, NULL);
    expect(200, "\"state\":\"WITHDRAWN\"");
}

static void what_is_rejected_is_checked_and_not_started(void **state)
{
    (void)state;
    new_as(NULL, of_pool("delete"), of_group(group), "");
    act("/check", 200, "CHECKED");
    start_as(&olga, "AWAIT_APPROVAL");
    take_approval();
    decide_as(&otto, "/reject", 200, "\"state\":\"REJECTED\"");
    ask("GET", at(""), NULL);
    expect(200, "\"state\":\"CHECKED\",\"stateReason\":\"REJECTED\"");
    start_as(&olga, "AWAIT_APPROVAL");
    act("/stop", 200, "STOPPED");
}

static void above_the_groups_number_of_cards_a_second_person_is_needed(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of("grp", group));
    ask("PATCH", path, "{\"fourEyes\":{\"campaignAbove\":2},\"reason\":\"careful\"}");
    expect(200, "\"campaignAbove\":2");
    new_as(NULL, of_pool("enable"), of_group(group), "");
    act("/check", 200, "\"approvalsNeeded\":1");
    new_as(NULL, AUDIT, of_group(group), ""); // writes no card
    act("/check", 200, "\"approvalsNeeded\":0");
    act("/start", 200, "\"startedAt\"");
}

// --- enterprises ---

static void an_enterprise_runs_campaigns_where_it_may(void **state)
{
    (void)state;
    const uint32_t all =
        GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_AUDIT) | GRANT_BIT(GRANT_CAMPAIGN_RUN);
    ask("POST", API_BASE "/enterprises", ACME);
    enterprise = lab_id(&a, "ent");
    const uint64_t own = lab_grant(&lab, enterprise, all);
    const uint64_t readable = lab_grant(&lab, enterprise, all & ~GRANT_BIT(GRANT_CAMPAIGN_RUN));
    put_in_group(cards[0], own);
    put_in_group(cards[1], readable);
    lab_client(&lab, TENANT_SCOPES, enterprise, tenant_token);
    new_as(tenant_token, AUDIT, "{\"filter\":{}}", "");
    expect(201, "DRAFT");
    ask_as(tenant_token, "POST", at("/check"), NULL);
    expect(200, "\"targeted\":2,\"eligible\":1"); // the third does not exist for it
    assert_true(has("{\"step\":\"eligible\",\"reason\":\"NOT_AUTHORISED\",\"count\":1}"));
    ask_as(tenant_token, "POST", at("/start"), NULL);
    expect(200, "\"startedAt\"");
    new_as(tenant_token, AUDIT, of_group(group), "");
    expect(404, "groupIds");
    new_as(tenant_token, SET_TIMERS, "{\"filter\":{}}", "");
    assert_int_not_equal(a.status, 201); // no scope for its operation
    new_as(NULL, AUDIT, "{\"filter\":{}}", "");
    ask_as(tenant_token, "GET", at(""), NULL); // of others
    expect(404, "NOT_FOUND");
    ask_as(tenant_token, "POST", at("/stop"), NULL);
    expect(404, "NOT_FOUND");
    ask_as(tenant_token, "GET", at("/cards"), NULL);
    expect(404, "NOT_FOUND");
    ask_as(tenant_token, "GET", API_BASE "/campaigns", NULL);
    assert_false(has(campaign));
}

static void an_enterprise_decides_about_its_own_campaign_of_groups(void **state)
{
    (void)state;
    const uint32_t all = GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_TIMERS_SET) |
                         GRANT_BIT(GRANT_CAMPAIGN_RUN) | GRANT_BIT(GRANT_OPERATION_APPROVE);
    ask("POST", API_BASE "/enterprises", ACME);
    enterprise = lab_id(&a, "ent");
    lab_user(&lab, "eva", ROLE_ENTERPRISE_ADMIN, enterprise, &eva);
    lab_user(&lab, "emil", ROLE_ENTERPRISE_ADMIN, enterprise, &emil);
    lab_client(&lab, TENANT_SCOPES ",operations:set-timers", enterprise, tenant_token);
    for (unsigned i = 0; i < 3; i++) { // without the grant, with another target, and as it may
        const uint64_t own =
            lab_grant(&lab, enterprise, i == 0 ? all & ~GRANT_BIT(GRANT_OPERATION_APPROVE) : all);
        (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of("grp", own));
        ask("PATCH", path, "{\"fourEyes\":{\"campaignAbove\":1},\"reason\":\"careful\"}");
        put_in_group(cards[0], own);
        put_in_group(cards[1], own);
        new_as(tenant_token, SET_TIMERS, i == 1 ? "{\"filter\":{}}" : of_group(own), "");
        ask_as(tenant_token, "POST", at("/check"), NULL);
        expect(200, "\"approvalsNeeded\":1");
        start_as(&eva, "\"state\":\"AWAIT_APPROVAL\"");
        take_approval();
        decide_as(&eva, "/approve", 403, "PERMISSION_DENIED");
        decide_as(&emil, "/approve", i == 2 ? 200 : 403, i == 2 ? "APPROVED" : "PERMISSION_DENIED");
        act("/stop", 200, "STOPPED");
    }
}

static void a_grant_that_is_taken_back_excludes_the_card_at_its_turn(void **state)
{
    (void)state;
    ask("POST", API_BASE "/enterprises", ACME);
    enterprise = lab_id(&a, "ent");
    const uint64_t own = lab_grant(&lab, enterprise,
                                   GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_AUDIT) |
                                       GRANT_BIT(GRANT_CAMPAIGN_RUN));
    put_in_group(cards[0], own);
    lab_client(&lab, TENANT_SCOPES, enterprise, tenant_token);
    new_as(tenant_token, AUDIT, "{\"filter\":{}}", "");
    ask_as(tenant_token, "POST", at("/check"), NULL);
    expect(200, "\"eligible\":1");
    put_in_group(cards[0], group);
    ask_as(tenant_token, "POST", at("/start"), NULL);
    expect(200, "\"startedAt\"");
    run_turns(5);
    ask_as(tenant_token, "GET", at(""), NULL);
    expect(200, "{\"step\":\"sent\",\"reason\":\"NOT_AUTHORISED\",\"count\":1}");
    assert_true(has("\"state\":\"COMPLETED\""));
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
#define RUN_FOR_TWO(test) cmocka_unit_test_setup_teardown(test, open_for_two, close_all)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RUN(what_is_missing_or_wrong_is_named),
        RUN(who_is_not_there_is_told_by_its_place),
        RUN(a_campaign_is_made_listed_and_shown),
        RUN(the_key_is_required_and_makes_one_campaign),
        RUN(a_check_freezes_the_target_and_tells_who_is_excluded),
        RUN(a_change_takes_the_check_back),
        RUN(a_list_is_kept_as_its_length_and_may_be_changed),
        RUN(it_runs_is_paused_resumed_and_stopped),
        RUN(the_cards_come_as_a_file),
        RUN(what_failed_is_tried_again_by_a_child),
        RUN(after_a_restore_it_waits_for_somebody),
        RUN_FOR_TWO(a_campaign_that_deletes_waits_for_a_second_person),
        RUN_FOR_TWO(a_changed_campaign_is_no_longer_what_was_to_be_approved),
        RUN_FOR_TWO(what_is_rejected_is_checked_and_not_started),
        RUN_FOR_TWO(above_the_groups_number_of_cards_a_second_person_is_needed),
        RUN(an_enterprise_runs_campaigns_where_it_may),
        RUN_FOR_TWO(an_enterprise_decides_about_its_own_campaign_of_groups),
        RUN(a_grant_that_is_taken_back_excludes_the_card_at_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
