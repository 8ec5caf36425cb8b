#include "common/base/text.h"
#include "ota-server/service/api_text.h"
#include "tests/unit/api/api_lab.h"

#define BASE "/connectivity-management/v1"
#define UNKNOWN_CARD BASE "/cards/crd_00000000000000000000000000"

static struct lab lab;
static struct answer a;

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

static void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static bool has_header(const char *text)
{
    return strstr(a.headers, text) != NULL;
}

// Path `before`, an id, and `after`.
static const char *path_of(const char *before, const char *prefix, uint64_t id, const char *after)
{
    static char path[256];
    char text[API_ID_SIZE];
    struct writer w = writer_of(path, sizeof(path));
    api_id_write(text, prefix, id);
    text_put(&w, before);
    text_put(&w, text);
    text_put(&w, after);
    return text_end(&w);
}

// {"type":<type>,"subscriptionId":<id><more>}
static const char *order_of(const char *type, uint64_t subscription, const char *more)
{
    static char body[512];
    char text[API_ID_SIZE];
    struct writer w = writer_of(body, sizeof(body));
    api_id_write(text, "sub", subscription);
    text_put(&w, "{\"type\":\"");
    text_put(&w, type);
    text_put(&w, "\",\"subscriptionId\":\"");
    text_put(&w, text);
    text_put(&w, "\"");
    text_put(&w, more);
    text_put(&w, "}");
    return text_end(&w);
}

// --- the order of evaluation ---

static void an_unknown_path_is_404_before_anything_is_asked(void **state)
{
    (void)state;
    lab_ask(&lab,
            &(struct ask){.method = "GET", .target = "/nowhere", .authorization = "Bearer wrong"},
            &a);
    assert_int_equal(a.status, 404);
    assert_true(has("\"code\":\"NOT_FOUND\""));
}

static void a_wrong_method_is_405_and_names_the_right_ones(void **state)
{
    (void)state;
    ask("PUT", BASE "/cards", NULL);
    assert_int_equal(a.status, 405);
    assert_true(has_header("Allow: GET, HEAD, OPTIONS\n"));
    ask("OPTIONS", BASE "/cards", NULL);
    assert_int_equal(a.status, 204);
    assert_true(has_header("Allow: GET, HEAD, OPTIONS\n"));
    assert_string_equal(a.body, "");
}

static void every_failed_authentication_looks_the_same(void **state)
{
    (void)state;
    static const char unknown_key[] =
        "OTA1-HMAC-SHA256 appKey=AAAAAAAAAAAAAAAAAAAA,ts=1784894400,nonce=9f2c4e7ab1d05583,"
        "signature=c5d6fe3e1df6f8850050df2fea2555c6728e379982717a1bd04bc365c6ebcabd";
    static const char *const wrong[] = {"", "Bearer x", "Basic eDp5", unknown_key};
    char first[sizeof(a.body)] = "";
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        lab_ask(&lab,
                &(struct ask){.method = "GET", .target = BASE "/cards", .authorization = wrong[i]},
                &a);
        assert_int_equal(a.status, 401);
        assert_true(has_header("WWW-Authenticate: Bearer\n"));
        if (i == 0)
            memcpy(first, a.body, sizeof(first));
        assert_string_equal(a.body, first);
    }
    lab_ask(&lab, &(struct ask){.method = "GET", .target = BASE "/cards", .is_twice = true}, &a);
    assert_int_equal(a.status, 401);
}

static void a_missing_scope_is_403_and_a_row_of_the_trail(void **state)
{
    (void)state;
    struct lab poor;
    struct answer poor_answer;
    uint64_t before = 0;
    uint64_t after = 0;
    uint8_t hash[32];
    lab_close(&lab);
    lab_open(&poor, "cards:read", true);
    assert_int_equal(store_trail_head(poor.store, &before, hash), STORE_OK);
    lab_ask(&poor, &(struct ask){.method = "GET", .target = BASE "/system"}, &poor_answer);
    assert_int_equal(poor_answer.status, 403);
    assert_int_equal(store_trail_head(poor.store, &after, hash), STORE_OK);
    assert_int_equal(after, before + 1);
    lab_close(&poor);
    lab_open(&lab, "all", true);
}

static void an_address_that_guesses_has_to_wait(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        lab_ask(&lab,
                &(struct ask){
                    .method = "GET", .target = BASE "/cards", .authorization = "Bearer guess"},
                &a);
        assert_true(a.status == 401);
    }
    for (unsigned i = 0; i < 3 && a.status == 401; i++)
        lab_ask(&lab,
                &(struct ask){
                    .method = "GET", .target = BASE "/cards", .authorization = "Bearer guess"},
                &a);
    assert_int_equal(a.status, 429);
    assert_true(has_header("Retry-After: 1\n"));
}

static void a_client_above_its_rate_is_429(void **state)
{
    (void)state;
    struct api_exchange *x;
    for (unsigned i = 0; i < 100; i++) { // its burst, without time passing
        x = lab_start(&lab, &(struct ask){.method = "GET", .target = BASE "/operations"}, &a);
        lab_forget(x);
        assert_int_equal(a.status, 200);
    }
    x = lab_start(&lab, &(struct ask){.method = "GET", .target = BASE "/operations"}, &a);
    lab_forget(x);
    assert_int_equal(a.status, 429);
    assert_true(has_header("RateLimit-Remaining: 0\n"));
}

static void a_bad_correlator_is_400_and_a_good_one_comes_back(void **state)
{
    (void)state;
    lab_ask(&lab, &(struct ask){.method = "GET", .target = BASE "/cards", .correlator = "a b"}, &a);
    assert_int_equal(a.status, 400);
    assert_false(has_header("x-correlator: a b"));
    lab_ask(&lab, &(struct ask){.method = "GET", .target = BASE "/cards", .correlator = "a;b"}, &a);
    assert_int_equal(a.status, 200);
    assert_true(has_header("x-correlator: a;b\n"));
    assert_true(has_header("Cache-Control: no-store\n"));
    assert_true(has_header("RateLimit-Limit: 100\n"));
}

static void types_that_do_not_fit_are_406_and_415(void **state)
{
    (void)state;
    lab_ask(&lab, &(struct ask){.method = "GET", .target = BASE "/cards", .accept = "text/html"},
            &a);
    assert_int_equal(a.status, 406);
    lab_ask(
        &lab,
        &(struct ask){
            .method = "POST", .target = BASE "/cards/search", .type = "text/plain", .body = "{}"},
        &a);
    assert_int_equal(a.status, 415);
}

static void bodies_that_are_not_one_clean_object_are_400(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"iccid\":\"1\",\"iccid\":\"2\"}",
        "{\"iccid\":null}",
        "{\"iccid\":\"89\",\"imsi\":\"1\"}",
        "{\"iccid\":\"8x\"}",
        "{\"iccid\":\"8999900000\",\"unknown\":1}",
        "{\"iccid\":\"89999\",\"match\":\"PREFIX\"}",
        "{\"iccid\":\"8999900000\",\"perPage\":101}",
        "\xEF\xBB\xBF{}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ask("POST", BASE "/cards/search", bad[i]);
        assert_int_equal(a.status, 400);
        assert_true(has("\"code\":\"INVALID_ARGUMENT\""));
    }
    ask("POST", BASE "/cards/search", "{\"iccid\":\"8999900000\"}");
    assert_int_equal(a.status, 200);
}

static void unknown_query_parameters_are_400(void **state)
{
    (void)state;
    ask("GET", BASE "/cards?colour=red", NULL);
    assert_int_equal(a.status, 400);
    assert_true(has("Unknown query parameter: colour"));
    ask("GET", BASE "/cards?state=BROKEN", NULL);
    assert_int_equal(a.status, 400);
}

// --- cards ---

static void a_card_is_shown_masked_with_its_version(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("GET", path_of(BASE "/cards/", "crd", card, ""), NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"state\":\"OPERATIONAL\""));
    assert_true(has("\"freeSlots\":6"));
    assert_true(has_header("ETag: \""));
    ask("GET", BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1"));
    ask("POST", BASE "/cards/search", "{\"imsi\":\"999700000000001\"}");
    assert_true(has("\"totalCount\":1"));
}

static void an_iccid_is_found_with_and_without_its_check_digit(void **state)
{
    // Of cards whose ICCIDs have 20 and 19 digits [E.118: the last one is a Luhn digit].
    static const char *const found[] = {
        "{\"iccid\":\"89999000000000000015\"}", "{\"iccid\":\"8999900000000000001\"}",
        "{\"any\":\"89999000000000000023\"}",   "{\"iccid\":\"89999000000000000023\"}",
        "{\"iccid\":\"8999900000000000002\"}",
    };
    static const char *const not_found[] = {"{\"iccid\":\"89999000000000000016\"}",
                                            "{\"any\":\"89999000000000000031\"}"};
    struct record record;
    (void)state;
    (void)lab_card_of(&lab, "89999000000000000015", "999700000000011", "999700000000012", &record);
    (void)lab_card_of(&lab, "8999900000000000002", "999700000000021", "999700000000022", &record);
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        ask("POST", BASE "/cards/search", found[i]);
        assert_true(has("\"totalCount\":1"));
    }
    for (size_t i = 0; i < sizeof(not_found) / sizeof(not_found[0]); i++) {
        ask("POST", BASE "/cards/search", not_found[i]);
        assert_true(has("\"totalCount\":0"));
    }
}

static void identifiers_are_clear_only_with_their_scope(void **state)
{
    (void)state;
    struct record record;
    uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("GET", path_of(BASE "/cards/", "crd", card, ""), NULL);
    assert_true(has("89999000000000000012"));
    lab_close(&lab);
    lab_open(&lab, "cards:read", true);
    card = lab_card(&lab, "89999000000000000012", &record);
    ask("GET", path_of(BASE "/cards/", "crd", card, ""), NULL);
    assert_true(has("\"iccid\":\"89999***********0012\""));
}

static void a_foreign_card_is_as_unknown_as_none(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    char own[LAB_TOKEN_SIZE];
    memcpy(own, lab.token, sizeof(own));
    lab_client(&lab, "all", LAB_TENANT + 1, lab.token);
    ask("GET", path_of(BASE "/cards/", "crd", card, ""), NULL);
    assert_int_equal(a.status, 404);
    char body[sizeof(a.body)];
    memcpy(body, a.body, sizeof(body));
    ask("GET", UNKNOWN_CARD, NULL);
    assert_int_equal(a.status, 404);
    assert_string_equal(a.body, body);
    ask("GET", path_of(BASE "/cards/", "crd", card, "/operations"), NULL);
    assert_int_equal(a.status, 404);
    memcpy(lab.token, own, sizeof(own)); // the operator's people see everybody's
    ask("GET", path_of(BASE "/cards/", "crd", card, ""), NULL);
    assert_int_equal(a.status, 200);
}

static void the_views_say_that_nobody_has_audited(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("GET", path_of(BASE "/cards/", "crd", card, "/subscriptions"), NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"cardView\":null"));
    assert_true(has("\"inSync\":false"));
    assert_true(has("\"role\":\"BOOTSTRAP\""));
    ask("GET", path_of(BASE "/cards/", "crd", card, "/parameters"), NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"BACKOFF_BASE\":900")); // 15 min in seconds
    assert_true(has("\"NOTIFY_WAITS\":[60,120,240,480]"));
}

static void notes_change_and_a_stale_version_is_412(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    const char *body = "{\"labels\":[\"north\"],\"note\":\"a\"}";
    ask("PATCH", path_of(BASE "/cards/", "crd", card, ""), body);
    assert_int_equal(a.status, 200);
    assert_true(has("\"labels\":[\"north\"]"));
    lab_ask(&lab,
            &(struct ask){.method = "PATCH",
                          .target = path_of(BASE "/cards/", "crd", card, ""),
                          .body = body,
                          .if_match = "\"99\""},
            &a);
    assert_int_equal(a.status, 412);
    ask("PATCH", path_of(BASE "/cards/", "crd", card, ""), "{\"state\":\"SEEN\"}");
    assert_int_equal(a.status, 400);
    ask("PATCH", path_of(BASE "/cards/", "crd", card, ""),
        "{\"state\":\"RETIRED\",\"reason\":\"broken\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"state\":\"RETIRED\""));
}

// --- operations ---

static void an_audit_is_accepted_and_can_be_read(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations"), "{\"type\":\"audit\"}");
    assert_int_equal(a.status, 202);
    assert_true(has("\"type\":\"audit\""));
    const char *location = strstr(a.headers, "Location: https://api.example.com");
    assert_non_null(location);
    char target[128];
    const char *start = location + strlen("Location: https://api.example.com");
    const size_t len = (size_t)(strchr(start, '\n') - start);
    memcpy(target, start, len);
    target[len] = '\0';
    ask("GET", target, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"steps\":[{\"name\":\"created\""));
    ask("GET", BASE "/operations?type=audit", NULL);
    assert_true(has("\"totalCount\":1"));
    ask("GET", BASE "/operations?type=download", NULL);
    assert_true(has("\"totalCount\":0"));
}

static void orders_are_judged_member_by_member(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    const char *path = path_of(BASE "/cards/", "crd", card, "/operations");
    static const struct {
        const char *body;
        unsigned status;
        const char *text;
    } cases[] = {
        {"{}", 400, "type"},
        {"{\"type\":\"explode\"}", 400, "type"},
        {"{\"type\":\"enable\"}", 400, "subscriptionId"},
        {"{\"type\":\"enable\",\"subscriptionId\":\"sub_x\"}", 404, "subscriptionId"},
        {"{\"type\":\"audit\",\"ttlSeconds\":299}", 400, "OUT_OF_RANGE"},
        {"{\"type\":\"audit\",\"when\":\"soon\"}", 400, "when"},
        {"{\"type\":\"audit\",\"force\":true}", 400, "reason"},
        {"{\"type\":\"audit\",\"enable\":\"NOW\"}", 400, "Unknown member: enable"},
        {"{\"type\":\"download\",\"enable\":\"NOW\"}", 400, "Exactly one"},
        {"{\"type\":\"set-timers\",\"parameters\":{\"T_NOSUCH\":1}}", 400, "T_NOSUCH"},
        {"{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":59}}", 400, "OUT_OF_RANGE"},
        {"{\"type\":\"set-timers\",\"parameters\":{\"BACKOFF_BASE\":90}}", 400, "OUT_OF_RANGE"},
        {"{\"type\":\"set-timers\",\"parameters\":{}}", 400, "parameters"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask("POST", path, cases[i].body);
        assert_int_equal(a.status, cases[i].status);
        assert_true(has(cases[i].text));
    }
    ask("POST", path, "{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":60}}");
    assert_int_equal(a.status, 202);
}

static void the_delete_guards_answer_with_their_reason(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations"),
        order_of("delete", record.slots[0].subscription, ""));
    assert_int_equal(a.status, 409);
    assert_true(has("\"code\":\"INCOMPATIBLE_STATE\""));
    assert_true(has("\"reason\":\"DELETE_NOT_DISABLED\""));
}

static void a_dry_run_judges_and_stores_nothing(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations?dryRun=true"),
        order_of("enable", record.slots[1].subscription, ""));
    assert_int_equal(a.status, 200);
    assert_true(has("\"dryRun\":true"));
    // ENABLE by IMSI: 5 of APDU, 6 of operation id, 11 of target: 22, and 14 make three blocks; 10
    // in the clear. CONFIRM has 17: two blocks. SMS: both, both answers, and the notification.
    assert_true(has("\"estimate\":{\"packets\":2,\"sms\":5,\"bytes\":100}"));
    ask("GET", BASE "/operations", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations?dryRun=true"),
        order_of("delete", record.slots[0].subscription, ""));
    assert_int_equal(a.status, 409);
}

// --- idempotency ---

static void ask_with_key(const char *target, const char *body, const char *key)
{
    lab_ask(&lab, &(struct ask){.method = "POST", .target = target, .body = body, .key = key}, &a);
}

static void the_same_key_and_body_give_the_same_operation(void **state)
{
    (void)state;
    struct record record;
    char first[sizeof(a.body)];
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    const char *path = path_of(BASE "/cards/", "crd", card, "/operations");
    ask_with_key(path, "{\"type\":\"audit\"}", "order-4711");
    assert_int_equal(a.status, 202);
    memcpy(first, a.body, sizeof(first));
    ask_with_key(path, "{\"type\":\"audit\"}", "order-4711");
    assert_int_equal(a.status, 202);
    assert_string_equal(a.body, first);
    assert_true(has_header("Idempotency-Replayed: true\n"));
    assert_true(has_header("Location: "));
    ask_with_key(path, "{\"type\":\"audit\" }", "order-4711");
    assert_int_equal(a.status, 400);
    ask_with_key(path, "{\"type\":\"audit\"}", "short");
    assert_int_equal(a.status, 400);
}

static void a_refusal_is_replayed_as_well(void **state)
{
    (void)state;
    ask_with_key(BASE "/subscription-pools", "{\"name\":\"x\"}", "order-0001");
    assert_int_equal(a.status, 400);
    ask_with_key(BASE "/subscription-pools", "{\"name\":\"x\"}", "order-0001");
    assert_int_equal(a.status, 400);
    assert_true(has_header("Idempotency-Replayed: true\n"));
}

static void a_duplicate_waits_for_the_first(void **state)
{
    (void)state;
    struct answer first;
    struct answer second;
    const struct ask order = {
        .method = "POST",
        .target = BASE "/subscription-pools",
        .body = "{\"name\":\"north\",\"operator\":\"TEST-001-01\",\"templateId\":1}",
        .key = "order-4711"};
    struct api_exchange *x1 = lab_start(&lab, &order, &first);
    struct api_exchange *x2 = lab_start(&lab, &order, &second);
    assert_int_equal(first.count, 0);
    assert_int_equal(second.count, 0);
    for (unsigned i = 0; i < 4; i++)
        lab_turn(&lab);
    assert_int_equal(first.status, 201);
    assert_int_equal(second.status, 201);
    assert_string_equal(first.body, second.body);
    assert_non_null(strstr(second.headers, "Idempotency-Replayed: true\n"));
    lab_forget(x1);
    lab_forget(x2);
    ask("GET", BASE "/subscription-pools", NULL);
    assert_true(has("\"totalCount\":1"));
}

// --- inventory ---

static uint64_t make_pool(void)
{
    uint64_t pool = 0;
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"north\",\"operator\":\"TEST-001-01\",\"templateId\":1}");
    assert_int_equal(a.status, 201);
    const char *id = strstr(a.body, "\"id\":\"") + strlen("\"id\":\"");
    assert_true(api_id_read(bytes_of(id, 30), "pol", &pool));
    return pool;
}

static const char *download_of(uint64_t pool)
{
    static char body[256];
    char text[API_ID_SIZE];
    struct writer w = writer_of(body, sizeof(body));
    api_id_write(text, "pol", pool);
    text_put(&w, "{\"type\":\"download\",\"enable\":\"LATER\",\"poolId\":\"");
    text_put(&w, text);
    text_put(&w, "\"}");
    return text_end(&w);
}

static void a_download_takes_from_the_pool_until_it_is_empty(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    const uint64_t pool = make_pool();
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations"), download_of(pool));
    assert_int_equal(a.status, 409);
    assert_true(has("\"reason\":\"POOL_EMPTY\""));
    (void)lab_subscription(&lab, pool, "001010000000077");
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations?dryRun=true"), download_of(pool));
    assert_int_equal(a.status, 200);
    ask("GET", path_of(BASE "/subscription-pools/", "pol", pool, ""), NULL);
    assert_true(has("\"FREE\":1"));
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations"), download_of(pool));
    assert_int_equal(a.status, 202);
    ask("GET", path_of(BASE "/subscription-pools/", "pol", pool, ""), NULL);
    assert_true(has("\"FREE\":0"));
    ask("DELETE", path_of(BASE "/subscription-pools/", "pol", pool, ""), NULL);
    assert_int_equal(a.status, 409);
}

static void a_pool_has_one_name_and_can_go_when_empty(void **state)
{
    (void)state;
    const uint64_t pool = make_pool();
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"north\",\"operator\":\"TEST-001-01\",\"templateId\":1}");
    assert_int_equal(a.status, 409);
    assert_true(has("\"code\":\"ALREADY_EXISTS\""));
    ask("DELETE", path_of(BASE "/subscription-pools/", "pol", pool, ""), NULL);
    assert_int_equal(a.status, 204);
    ask("GET", path_of(BASE "/subscription-pools/", "pol", pool, ""), NULL);
    assert_int_equal(a.status, 404);
}

// --- doubt and trail ---

static void a_card_marked_by_hand_stands_in_the_dirty_queue(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("PUT", path_of(BASE "/cards/", "crd", card, "/dirty"), "{}");
    assert_int_equal(a.status, 400);
    ask("PUT", path_of(BASE "/cards/", "crd", card, "/dirty"), "{\"reason\":\"test\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"mark\":\"DIRTY\",\"reasons\":[\"operator_request\"]"));
    ask("GET", BASE "/dirty-cards?reason=operator_request", NULL);
    assert_true(has("\"totalCount\":1"));
    ask("GET", BASE "/dirty-cards?reason=por_timeout", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("GET", BASE "/dirty-cards?unreachable=false", NULL);
    assert_true(has("\"totalCount\":1"));
    ask("GET", BASE "/dirty-cards?reason=operator_request&unreachable=true", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("GET", BASE "/dirty-cards/summary", NULL);
    assert_true(has("\"byReason\":{\"operator_request\":1}"));
    ask("POST", path_of(BASE "/cards/", "crd", card, "/operations"),
        order_of("enable", record.slots[1].subscription, ""));
    assert_int_equal(a.status, 409);
    assert_true(has("\"reason\":\"CARD_DIRTY\""));
    ask("POST", path_of(BASE "/dirty-cards/", "crd", card, "/resolve"),
        "{\"decision\":\"ACCEPT_CARD\",\"reason\":\"x\"}");
    assert_int_equal(a.status, 409);
}

static void the_trail_can_be_read_and_verified(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = path_of(BASE "/cards/", "crd", card, "/operations"),
                          .body = "{\"type\":\"audit\"}",
                          .correlator = "story-1"},
            &a);
    assert_int_equal(a.status, 202);
    assert_true(has("\"correlator\":\"story-1\""));
    ask("GET", BASE "/audit-trail?correlator=story-1", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"correlator\":\"story-1\""));
    ask("GET", path_of(BASE "/cards/", "crd", card, "/audit-trail"), NULL);
    assert_int_equal(a.status, 200);
    assert_false(has("\"totalCount\":0"));
    ask("POST", BASE "/audit-trail/verify", "{}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"ok\":true"));
    ask("GET", BASE "/audit-trail/1", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"sequence\":1"));
    ask("GET", BASE "/audit-trail/999999", NULL);
    assert_int_equal(a.status, 404);
    ask("DELETE", BASE "/audit-trail/1", NULL);
    assert_int_equal(a.status, 405);
}

// --- operation of the server ---

static void health_metrics_and_documents_are_served(void **state)
{
    (void)state;
    ask("GET", "/healthz", NULL);
    assert_string_equal(a.body, "{\"status\":\"ok\"}");
    ask("GET", "/readyz", NULL);
    assert_int_equal(a.status, 200);
    ask("GET", "/metrics", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\notaria_cards{state=\"OPERATIONAL\"} 0\n"));
    lab_ask(&lab, &(struct ask){.method = "GET", .target = "/metrics", .authorization = ""}, &a);
    assert_int_equal(a.status, 401);
    ask("GET", "/docs/openapi.yaml", NULL);
    assert_string_equal(a.body, "openapi: 3.0.3\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_path_is_404_before_anything_is_asked),
        TEST(a_wrong_method_is_405_and_names_the_right_ones),
        TEST(every_failed_authentication_looks_the_same),
        TEST(a_missing_scope_is_403_and_a_row_of_the_trail),
        TEST(an_address_that_guesses_has_to_wait),
        TEST(a_client_above_its_rate_is_429),
        TEST(a_bad_correlator_is_400_and_a_good_one_comes_back),
        TEST(types_that_do_not_fit_are_406_and_415),
        TEST(bodies_that_are_not_one_clean_object_are_400),
        TEST(unknown_query_parameters_are_400),
        TEST(a_card_is_shown_masked_with_its_version),
        TEST(an_iccid_is_found_with_and_without_its_check_digit),
        TEST(identifiers_are_clear_only_with_their_scope),
        TEST(a_foreign_card_is_as_unknown_as_none),
        TEST(the_views_say_that_nobody_has_audited),
        TEST(notes_change_and_a_stale_version_is_412),
        TEST(an_audit_is_accepted_and_can_be_read),
        TEST(orders_are_judged_member_by_member),
        TEST(the_delete_guards_answer_with_their_reason),
        TEST(a_dry_run_judges_and_stores_nothing),
        TEST(the_same_key_and_body_give_the_same_operation),
        TEST(a_refusal_is_replayed_as_well),
        TEST(a_duplicate_waits_for_the_first),
        TEST(a_download_takes_from_the_pool_until_it_is_empty),
        TEST(a_pool_has_one_name_and_can_go_when_empty),
        TEST(a_card_marked_by_hand_stands_in_the_dirty_queue),
        TEST(the_trail_can_be_read_and_verified),
        TEST(health_metrics_and_documents_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
