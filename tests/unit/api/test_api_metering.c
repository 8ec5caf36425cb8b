// Metering over the interface: what is counted, for whom, in which month, and what it costs.
#include "ota-server/service/api_esim.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/meter.h"
#include "ota-server/store/calls.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define METERING API_BASE "/metering"
#define STATUS ESIM_BASE "/retrieve-status"
#define ICCID "89999000000000000012"
#define OTHER 77
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct lab lab;
static struct answer a;
static char other[LAB_TOKEN_SIZE];

// Tokens do not last so long.
static void jump(int64_t ms)
{
    lab.now.utc.ms = ms;
    lab_client(&lab, "all", LAB_TENANT, lab.token);
    lab_client(&lab,
               "metering:read,cards:read,cards:write,"
               "iot-device-management:esim-profiles:retrieve-status",
               OTHER, other);
}

static int open_all(void **state)
{
    struct record record;
    (void)state;
    lab_open(&lab, "all", true);
    lab.tenant = OTHER;
    (void)lab_card(&lab, ICCID, &record);
    lab_place(&lab, record.card, OTHER, lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ)));
    lab_client(&lab,
               "metering:read,cards:read,cards:write,"
               "iot-device-management:esim-profiles:retrieve-status",
               OTHER, other);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *token, const char *method, const char *target, const char *body,
                const char *key)
{
    lab_ask(
        &lab,
        &(struct ask){
            .method = method, .target = target, .body = body, .authorization = token, .key = key},
        &a);
}

static void get(const char *token, const char *target)
{
    api_tick(lab.api, lab.now); // as the server does each second
    lab_turn(&lab);
    ask(token, "GET", target, NULL, NULL);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static const char *enterprise(uint64_t id)
{
    static char text[API_ID_SIZE];
    api_id_write(text, "ent", id);
    return text;
}

static const char *with(const char *path, uint64_t id)
{
    static char target[256];
    (void)snprintf(target, sizeof(target), "%s&enterpriseId=%s", path, enterprise(id));
    return target;
}

static void query_card(const char *token)
{
    ask(token, "POST", STATUS, "{\"esimProfile\":{\"iccid\":\"" ICCID "\"}}", NULL);
    assert_int_equal(a.status, 200);
}

// The item of an interface and a kind of operation, up to its end.
static const char *item(const char *api, const char *kind)
{
    static char found[1024];
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "\"api\":\"%s\",\"operationClass\":\"%s\"", api, kind);
    const char *at = strstr(a.body, wanted);
    if (at == NULL)
        fail_msg("no %s %s in %s", api, kind, a.body);
    (void)snprintf(found, sizeof(found), "%.*s", (int)strcspn(at, "]"), at);
    return found;
}

static void a_call_counts_by_its_answer(void **state)
{
    (void)state;
    const char *calls = with(METERING "/calls?month=2026-07", OTHER);
    query_card(other);
    query_card(other);
    ask(other, "POST", STATUS, "{}", NULL);
    assert_int_equal(a.status, 400);
    ask(other, "POST", ESIM_BASE "/enable", "{}", NULL);
    assert_int_equal(a.status, 403);
    get(NULL, calls);
    assert_int_equal(a.status, 200);
    assert_string_equal(item("E", "QUERY"),
                        "\"api\":\"E\",\"operationClass\":\"QUERY\",\"billable\":2,\"repeated\":0,"
                        "\"dryRuns\":0,\"refused\":0,\"failed\":1,\"tiers\":[");
    assert_string_equal(item("E", "CHANGE"),
                        "\"api\":\"E\",\"operationClass\":\"CHANGE\",\"billable\":0,\"repeated\":0,"
                        "\"dryRuns\":0,\"refused\":1,\"failed\":0,\"tiers\":[");
    assert_true(has("\"month\":\"2026-07\",\"timeZone\":\"UTC\",\"closed\":false"));
}

static void a_repetition_and_a_trial_are_not_billed(void **state)
{
    (void)state;
    const char *pool = "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1}";
    const char *path = API_BASE "/subscription-pools";
    lab.has_refusals_only = true; // else the crashes of copies cost time
    ask(NULL, "POST", path, pool, "metering-0001");
    assert_int_equal(a.status, 201);
    ask(NULL, "POST", path, pool, "metering-0001");
    assert_non_null(strstr(a.headers, "Idempotency-Replayed: true"));
    ask(NULL, "POST", path, pool, "metering-0002"); // the name is taken; the answer is kept
    assert_int_equal(a.status, 409);
    ask(NULL, "POST", path, pool, "metering-0002");
    assert_int_equal(a.status, 409);
    ask(NULL, "POST", API_BASE "/subscription-pools?dryRun=true",
        "{\"name\":\"q\",\"operator\":\"o\",\"templateId\":1}", "metering-0003");
    assert_int_equal(a.status, 200);
    get(NULL, with(METERING "/calls?month=2026-07", LAB_TENANT));
    assert_string_equal(item("F", "CHANGE"),
                        "\"api\":\"F\",\"operationClass\":\"CHANGE\",\"billable\":1,\"repeated\":1,"
                        "\"dryRuns\":1,\"refused\":0,\"failed\":2,\"tiers\":[");
}

static bool count_lines(void *context, const struct call_line *line)
{
    if (line->api == METER_F && line->kind == METER_CHANGE && line->result == METER_BILLABLE)
        *(uint64_t *)context += line->calls;
    return true;
}

// What a crash would have left at this moment: the store is asked, and no turn runs.
static uint64_t changes_written(void)
{
    const struct call_filter filter = {.api = CALL_ANY, .month = 202607};
    const struct store_page page = {.limit = 100};
    uint64_t count = 0;
    assert_int_equal(store_calls(lab.store, &filter, &page, count_lines, &count, NULL), STORE_OK);
    return count;
}

static void a_change_is_in_the_log_with_its_own_commit(void **state)
{
    (void)state;
    static const char *const keys[] = {NULL, "metering-0001"};
    static struct answer answer;
    for (size_t i = 0; i < 2; i++) {
        char body[96];
        (void)snprintf(body, sizeof(body),
                       "{\"name\":\"p%zu\",\"operator\":\"o\",\"templateId\":1}", i);
        const struct ask change = {.method = "POST",
                                   .target = API_BASE "/subscription-pools",
                                   .body = body,
                                   .key = keys[i]};
        struct api_exchange *x = lab_start(&lab, &change, &answer);
        assert_int_equal(changes_written(), i);
        lab_turn(&lab); // the one that answers
        assert_int_equal(answer.status, 201);
        assert_int_equal(changes_written(), i + 1);
        lab_forget(x);
    }
    get(NULL, with(METERING "/calls?month=2026-07", LAB_TENANT));
    assert_non_null(strstr(item("F", "CHANGE"), "\"billable\":2,"));
}

static void people_are_not_metered(void **state)
{
    (void)state;
    struct door door;
    lab_user(&lab, "anna", ROLE_ENTERPRISE_ADMIN, OTHER, &door);
    lab_ask_as(&lab, &door, "GET", API_BASE "/cards", NULL, &a);
    assert_int_equal(a.status, 200);
    get(NULL, with(METERING "/calls?month=2026-07", OTHER));
    assert_true(has("\"items\":[]"));
}

static void add_line(struct call_line line)
{
    line.operation = "POST /query";
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_call_add(lab.store, &line), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// Card 5 is queried twice in July, in two forms, and once in August; card 6 only in July. A refused
// query and a change count no card.
static void a_card_counts_once_in_a_month_and_once_in_a_year(void **state)
{
    (void)state;
    struct call_line l = {.tenant = OTHER,
                          .client = 9,
                          .card = 5,
                          .month = 202607,
                          .api = METER_A,
                          .minute = lab.now.utc,
                          .calls = 2};
    add_line(l);
    l.api = METER_B;
    l.calls = 1;
    add_line(l);
    l.card = 6;
    add_line(l);
    l.card = 7;
    l.result = METER_REFUSED;
    add_line(l);
    l.result = METER_BILLABLE;
    l.kind = METER_CHANGE;
    add_line(l);
    l.kind = METER_QUERY;
    l.card = 5;
    l.month = 202608;
    add_line(l);
    get(other, METERING "/cards-queried?month=2026-07");
    assert_int_equal(a.status, 200);
    assert_true(has("\"period\":\"2026-07\",\"timeZone\":\"UTC\",\"closed\":false,"
                    "\"distinctCards\":2,\"calls\":4}"));
    get(other, METERING "/cards-queried?month=2026-08");
    assert_true(has("\"distinctCards\":1,\"calls\":1}"));
    get(other, METERING "/cards-queried?year=2026");
    assert_true(has("\"period\":\"2026\",\"timeZone\":\"UTC\",\"closed\":false,"
                    "\"distinctCards\":2,\"calls\":5}"));
    query_card(other);
    get(other, METERING "/cards-queried?month=2026-07&api=E");
    assert_true(has("\"distinctCards\":1,\"calls\":1}"));
}

static void a_month_is_that_of_the_customer(void **state)
{
    (void)state;
    char path[128];
    ask(NULL, "POST", API_BASE "/enterprises",
        "{\"name\":\"x\",\"kind\":\"ENTERPRISE\",\"region\":\"CN\",\"timeZone\":\"Asia/Shanghai\"}",
        NULL);
    assert_int_equal(a.status, 201);
    const uint64_t id = lab_id(&a, "ent");
    char token[LAB_TOKEN_SIZE];
    // 2026-07-31T15:59:59Z is the last second of July in Shanghai.
    jump(1785513599000);
    lab_client(&lab, "cards:read,metering:read", id, token);
    ask(token, "GET", API_BASE "/cards", NULL, NULL);
    lab.now.utc.ms = 1785513600000;
    ask(token, "GET", API_BASE "/cards", NULL, NULL);
    ask(token, "GET", API_BASE "/cards", NULL, NULL);
    get(token, METERING "/calls?month=2026-07");
    assert_true(has("\"month\":\"2026-07\",\"timeZone\":\"Asia/Shanghai\",\"closed\":false"));
    assert_non_null(strstr(item("F", "QUERY"), "\"billable\":1,"));
    lab.now.utc.ms = 1785513600000 + MINUTE;
    get(token, METERING "/calls?month=2026-07");
    assert_true(has("\"closed\":true"));
    (void)snprintf(path, sizeof(path), METERING "/calls?month=2026-08&enterpriseId=%s",
                   enterprise(id));
    get(NULL, path);
    assert_non_null(strstr(item("F", "QUERY"), "\"billable\":4,")); // two, and the questions above
}

#define TABLE(from, more, tiers)                                                                   \
    "{\"validFrom\":\"" from "\",\"api\":\"E\",\"operationClass\":\"QUERY\",\"unit\":\"CNY "       \
    "0.01\"" more ",\"tiers\":[" tiers "]}"
#define TIERS "{\"from\":1,\"to\":2,\"unitPrice\":5},{\"from\":3,\"unitPrice\":3}"

static void put_table(const char *body, unsigned status)
{
    ask(NULL, "PUT", METERING "/tariffs", body, NULL);
    if (a.status != status)
        fail_msg("%u instead of %u: %s", a.status, status, a.body);
}

static void each_call_is_priced_in_its_tier(void **state)
{
    (void)state;
    char own[512];
    put_table(TABLE("2026-07", "", TIERS), 200);
    for (unsigned i = 0; i < 5; i++)
        query_card(other);
    get(other, METERING "/calls?month=2026-07");
    assert_true(
        has("\"validFrom\":\"2026-07\",\"unit\":\"CNY 0.01\"},\"tiers\":[{\"from\":1,\"to\":2,"
            "\"unitPrice\":5,\"calls\":2,\"amount\":10},{\"from\":3,\"unitPrice\":3,"
            "\"calls\":3,\"amount\":9}],\"amount\":19}"));
    // A later one replaces it while the month is open; one of its own goes before that of all.
    put_table(TABLE("2026-07", "", "{\"from\":1,\"unitPrice\":1}"), 200);
    get(other, METERING "/calls?month=2026-07");
    assert_true(has("\"amount\":5}"));
    ask(NULL, "POST", API_BASE "/enterprises",
        "{\"name\":\"x\",\"kind\":\"ENTERPRISE\",\"region\":\"CN\",\"timeZone\":\"+02:00\"}", NULL);
    const uint64_t id = lab_id(&a, "ent");
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "metering:read", id, token);
    (void)snprintf(own, sizeof(own), TABLE("2026-06", ",\"enterpriseId\":\"%s\"", TIERS),
                   enterprise(id));
    put_table(own, 409); // June is over
    (void)snprintf(own, sizeof(own),
                   "{\"validFrom\":\"2026-07\",\"api\":\"F\",\"operationClass\":\"QUERY\","
                   "\"unit\":\"CNY\",\"enterpriseId\":\"%s\",\"tiers\":[{\"from\":1,"
                   "\"unitPrice\":7}]}",
                   enterprise(id));
    put_table(own, 200);
    get(token, METERING "/calls?month=2026-07");
    get(token, METERING "/calls?month=2026-07");
    assert_true(has("\"unitPrice\":7,\"calls\":1,\"amount\":7}],\"amount\":7}"));
    ask(NULL, "GET", METERING "/tariffs", NULL, NULL);
    assert_true(has("\"totalCount\":2"));
}

static void match(const char *if_match, unsigned status)
{
    const char *body = TABLE("2026-09", "", TIERS);
    lab_ask(&lab,
            &(struct ask){
                .method = "PUT", .target = METERING "/tariffs", .body = body, .if_match = if_match},
            &a);
    if (a.status != status)
        fail_msg("%u instead of %u: %s", a.status, status, a.body);
}

static void a_table_that_was_changed_meanwhile_stays(void **state)
{
    (void)state;
    match("\"1\"", 412); // there is none
    match("*", 412);
    match(NULL, 200);
    assert_true(has("\"version\":1"));
    match("\"1\"", 200);
    match("\"1\"", 412);
    match("\"2\"", 200);
    match("*", 200);
    assert_true(has("\"version\":4"));
}

static void prices_of_a_closed_month_are_frozen(void **state)
{
    (void)state;
    put_table(TABLE("2026-07", "", TIERS), 200);
    jump(1785492000000 + MINUTE); // 31 July, 10:01 UTC: August, 14 hours east
    put_table(TABLE("2026-07", "", "{\"from\":1,\"unitPrice\":9}"), 409);
    assert_true(has("\"reason\":\"PERIOD_CLOSED\""));
    put_table(TABLE("2026-08", "", "{\"from\":1,\"unitPrice\":9}"), 200);
    query_card(other);
    get(other, METERING "/calls?month=2026-07"); // still July for a customer in UTC
    assert_true(has("\"amount\":5}"));
}

// What comes when the month is closed is added, in the tiers behind what was there.
static void a_late_call_is_a_line_of_its_own(void **state)
{
    (void)state;
    put_table(TABLE("2026-07", "", TIERS), 200);
    struct call_line l = {.tenant = OTHER,
                          .client = 9,
                          .month = 202607,
                          .api = METER_E,
                          .minute = lab.now.utc,
                          .calls = 1};
    add_line(l);
    l.is_late = true;
    l.calls = 3;
    add_line(l);
    get(other, METERING "/calls?month=2026-07");
    assert_true(has("\"calls\":1,\"amount\":5}],\"amount\":5,\"correction\":{\"billable\":3,"
                    "\"tiers\":[{\"from\":1,\"to\":2,\"unitPrice\":5,\"calls\":1,\"amount\":5},"
                    "{\"from\":3,\"unitPrice\":3,\"calls\":2,\"amount\":6}],\"amount\":11}}"));
    get(other, METERING "/records?month=2026-07");
    assert_true(has("\"calls\":3,\"correction\":true}"));
}

static void a_wrong_price_table_says_what_is_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        TABLE("2026-13", "", TIERS),
        TABLE("2026-7", "", TIERS),
        TABLE("2026-08", "", ""),
        TABLE("2026-08", "", "{\"from\":2,\"unitPrice\":1}"),
        TABLE("2026-08", "", "{\"from\":1,\"to\":2,\"unitPrice\":1}"),
        TABLE("2026-08", "", "{\"from\":1,\"unitPrice\":1000001}"),
        TABLE("2026-08", "", "{\"from\":1,\"unitPrice\":1,\"x\":1}"),
        TABLE("2026-08", "", "7"),
        TABLE("2026-08", ",\"x\":1", TIERS),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        put_table(wrong[i], 400);
    put_table(TABLE("2026-08", ",\"enterpriseId\":\"ent_00000000000000000000000000\"", TIERS), 404);
    char body[512];
    (void)snprintf(body, sizeof(body), TABLE("2026-08", ",\"enterpriseId\":\"%s\"", TIERS),
                   enterprise(OTHER + 1));
    put_table(body, 404);
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "metering:write", OTHER, token);
    ask(token, "PUT", METERING "/tariffs", TABLE("2026-08", "", TIERS), NULL);
    assert_int_equal(a.status, 403);
    ask(token, "GET", METERING "/tariffs", NULL, NULL);
    assert_int_equal(a.status, 403);
}

static void questions_are_read_strictly(void **state)
{
    (void)state;
    static const char *const wrong[] = {"/cards-queried",
                                        "/cards-queried?month=2026-07&year=2026",
                                        "/cards-queried?year=26",
                                        "/cards-queried?year=x",
                                        "/calls",
                                        "/calls?month=2026-00",
                                        "/calls?month=202607",
                                        "/records?month=2026-07&api=G",
                                        "/records?month=2026-07&x=1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char target[128];
        (void)snprintf(target, sizeof(target), METERING "%s", wrong[i]);
        ask(NULL, "GET", target, NULL, NULL);
        assert_int_equal(a.status, 400);
    }
    static const char *const paths[] = {"/cards-queried", "/calls", "/records"};
    for (size_t i = 0; i < 3; i++) {
        char target[256];
        (void)snprintf(target, sizeof(target), METERING "%s?month=2026-07&enterpriseId=%s",
                       paths[i], enterprise(LAB_TENANT));
        ask(other, "GET", target, NULL, NULL);
        assert_int_equal(a.status, 404);
    }
}

// Of two enterprises, as CSV; each sees its own.
static void the_log_comes_as_csv(void **state)
{
    (void)state;
    const struct ask csv = {
        .method = "GET", .target = METERING "/records?month=2026-07&api=E", .accept = "text/csv"};
    struct ask own = csv;
    char line[512];
    query_card(other);
    query_card(NULL);
    get(NULL, API_BASE "/cards");
    own.authorization = other;
    lab_ask(&lab, &own, &a);
    assert_int_equal(a.status, 200);
    assert_true(has("minute,month,enterpriseId,clientId,api,operation,operationClass,result,cardId,"
                    "calls,correction\r\n"));
    (void)snprintf(line, sizeof(line), "\r\n\"2026-07-24T12:00:00.000Z\",\"2026-07\",\"%s\",\"cli_",
                   enterprise(OTHER));
    assert_true(has(line));
    assert_true(has("\"E\",\"POST /retrieve-status\",\"QUERY\",\"BILLABLE\",\"crd_"));
    assert_true(has("\",1,\"false\"\r\n"));
    assert_false(has(enterprise(LAB_TENANT)));
    lab_ask(&lab, &csv, &a);
    assert_true(has(enterprise(LAB_TENANT)));
    assert_true(has(enterprise(OTHER)));
    own.accept = "image/png";
    lab_ask(&lab, &own, &a);
    assert_int_equal(a.status, 406);
}

static bool count_all(void *context, const struct call_line *line)
{
    (void)line;
    ++*(uint64_t *)context;
    return true;
}

// After 24 months the lines go, and what they came to stays.
static void old_lines_go_and_their_sums_stay(void **state)
{
    (void)state;
    const struct call_filter filter = {.api = CALL_ANY, .month = 202607};
    const struct store_page page = {.limit = 100};
    uint64_t lines = 0;
    struct call_line l = {.tenant = OTHER,
                          .client = 9,
                          .card = 5,
                          .month = 202607,
                          .api = METER_A,
                          .minute = lab.now.utc,
                          .calls = 4};
    add_line(l);
    jump(1848700795000); // 31 July 2028, 23:59:55
    ask(NULL, "POST", API_BASE "/audit-trail/verify", "{}", NULL);
    assert_int_equal(store_calls(lab.store, &filter, &page, count_all, &lines, NULL), STORE_OK);
    assert_int_equal(lines, 1);
    jump(1848700795000 + 2 * HOUR);
    ask(NULL, "POST", API_BASE "/audit-trail/verify", "{}", NULL);
    lines = 0;
    assert_int_equal(store_calls(lab.store, &filter, &page, count_all, &lines, NULL), STORE_OK);
    assert_int_equal(lines, 0);
    get(other, METERING "/cards-queried?month=2026-07");
    assert_true(has("\"closed\":true,\"distinctCards\":1,\"calls\":4}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

// More lines than one turn writes.
static void answer_many(void)
{
    struct record record;
    struct answer found;
    char target[128];
    char id[API_ID_SIZE];
    char iccid[21];
    char imsis[2][16];
    enum { CARDS = 20, ROUNDS = 30 }; // one after the other, so that none joins the last ones
    uint64_t cards[CARDS];
    get(NULL, API_BASE "/enterprises");
    for (unsigned i = 0; i < CARDS; i++) {
        (void)snprintf(iccid, sizeof(iccid), "8999900000001000%03u", i);
        (void)snprintf(imsis[0], sizeof(imsis[0]), "999970000000%03u", i);
        (void)snprintf(imsis[1], sizeof(imsis[1]), "999960000000%03u", i);
        cards[i] = lab_card_of(&lab, iccid, imsis[0], imsis[1], &record);
    }
    // The first of the hour waits for its row of the trail.
    api_id_write(id, "crd", cards[0]);
    (void)snprintf(target, sizeof(target), API_BASE "/cards/%s", id);
    get(NULL, target);
    for (unsigned i = 0; i < CARDS * ROUNDS; i++) {
        lab.now.instant.ms += 1000;
        api_id_write(id, "crd", cards[i % CARDS]);
        (void)snprintf(target, sizeof(target), API_BASE "/cards/%s", id);
        struct api_exchange *x =
            lab_start(&lab, &(struct ask){.method = "GET", .target = target}, &found);
        assert_int_equal(found.status, 200);
        lab_forget(x);
    }
}

// The others are in the next turns.
static void notes_are_written_some_a_turn(void **state)
{
    (void)state;
    answer_many();
    const size_t waiting = meter_counts(lab.api->meter).waiting;
    assert_true(waiting > 512);
    api_tick(lab.api, lab.now);
    lab_turn(&lab);
    assert_int_equal(meter_counts(lab.api->meter).waiting, waiting - 512);
    lab_turn(&lab);
    assert_int_equal(meter_counts(lab.api->meter).waiting, 0);
}

static void all_notes_are_written_before_a_stop(void **state)
{
    (void)state;
    answer_many();
    assert_true(meter_counts(lab.api->meter).waiting > 512);
    assert_true(api_stop(lab.api, true, lab.now.utc));
    assert_int_equal(meter_counts(lab.api->meter).waiting, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(notes_are_written_some_a_turn),
        TEST(all_notes_are_written_before_a_stop),
        TEST(a_call_counts_by_its_answer),
        TEST(a_repetition_and_a_trial_are_not_billed),
        TEST(a_change_is_in_the_log_with_its_own_commit),
        TEST(people_are_not_metered),
        TEST(a_card_counts_once_in_a_month_and_once_in_a_year),
        TEST(a_month_is_that_of_the_customer),
        TEST(each_call_is_priced_in_its_tier),
        TEST(a_table_that_was_changed_meanwhile_stays),
        TEST(prices_of_a_closed_month_are_frozen),
        TEST(a_late_call_is_a_line_of_its_own),
        TEST(a_wrong_price_table_says_what_is_wrong),
        TEST(questions_are_read_strictly),
        TEST(the_log_comes_as_csv),
        TEST(old_lines_go_and_their_sums_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
