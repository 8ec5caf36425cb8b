// What stands in the way of an operation, as clients are told: status, code and reason as the
// contract maps them, and with each what to do.
#include "common/base/text.h"
#include "ota-server/service/api_advice.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t pool;

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    (void)lab_card(&lab, "89999000000000000012", &record);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/subscription-pools",
                          .body = "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1}"},
            &a);
    pool = lab_id(&a, "pol");
    (void)lab_subscription(&lab, pool, "999700000000777");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void order(const char *body)
{
    char id[API_ID_SIZE];
    char path[128];
    api_id_write(id, "crd", record.card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s/operations", id);
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = "POST", .target = path, .body = body}, &a);
}

static const char *of(const char *type, uint64_t subscription, const char *more)
{
    static char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "sub", subscription);
    (void)snprintf(body, sizeof(body), "{\"type\":\"%s\",\"subscriptionId\":\"%s\"%s}", type, id,
                   more);
    return body;
}

static const char *download(void)
{
    static char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", id);
    return body;
}

static void keep(const struct record *next)
{
    struct record before;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_load(lab.store, record.card, &before), STORE_OK);
    struct record *changed = malloc(sizeof(*changed));
    assert_non_null(changed);
    *changed = *next;
    changed->version = before.version + 1;
    assert_int_equal(store_card_save(lab.store, &before, changed), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    free(changed);
}

// A message says what is wrong, and behind a colon what to do.
static void expect(unsigned status, const char *code, const char *reason)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "\"code\":\"%s\"", code);
    const bool is_right = a.status == status && strstr(a.body, text) != NULL;
    (void)snprintf(text, sizeof(text), "\"reason\":\"%s\"", reason);
    const char *message = strstr(a.body, "\"message\":\"");
    if (!is_right || strstr(a.body, text) == NULL || message == NULL ||
        strstr(message + 11, ": ") == NULL)
        fail_msg("%u %s %s, not %s", status, code, reason, a.body);
}

static void a_card_whose_files_came_in_part_is_sent_nothing(void **state)
{
    (void)state;
    record.state = CARD_IMPORTED_PARTIAL;
    keep(&record);
    order("{\"type\":\"audit\"}");
    expect(409, "INCOMPATIBLE_STATE", "CARD_PARTIAL");
}

static void an_applet_of_the_first_level_has_no_timers(void **state)
{
    (void)state;
    record.level = 1;
    keep(&record);
    order("{\"type\":\"set-timers\",\"parameters\":{\"JITTER_MAX\":0}}");
    expect(422, "CONNECTIVITY_MANAGEMENT.NOT_SUPPORTED_BY_CARD", "NOT_SUPPORTED_BY_CARD");
}

static void what_is_disabled_is_not_disabled_again(void **state)
{
    (void)state;
    order(of("disable", record.slots[1].subscription, ""));
    expect(409, "INCOMPATIBLE_STATE", "NOT_ENABLED");
}

static void the_fallback_is_not_deleted(void **state)
{
    (void)state;
    record.slots[0].fact.is_fallback = false;
    record.slots[1].fact.is_fallback = true;
    keep(&record);
    order(of("delete", record.slots[1].subscription, ""));
    expect(409, "INCOMPATIBLE_STATE", "DELETE_FALLBACK");
}

static void what_never_had_service_does_not_become_the_fallback(void **state)
{
    (void)state;
    record.slots[1].fact.is_proven = false;
    keep(&record);
    order(of("set-fallback", record.slots[1].subscription, ""));
    expect(409, "INCOMPATIBLE_STATE", "NOT_PROVEN");
    order(of("set-fallback", record.slots[1].subscription, ",\"allowUnproven\":true"));
    assert_int_equal(a.status, 202);
}

static void what_is_on_the_card_is_not_downloaded_again(void **state)
{
    (void)state;
    order(of("download", record.slots[1].subscription, ",\"enable\":\"LATER\""));
    expect(409, "ALREADY_EXISTS", "DUPLICATE_SUBSCRIPTION");
}

// The dry run of the same is refused alike; of a card that never told of its templates nothing is
// known.
static void a_template_that_the_card_lacks_is_not_ordered(void **state)
{
    (void)state;
    record.template_count = 2;
    memcpy(record.templates, "\x02\x03", 2); // and the subscription is of template 1
    keep(&record);
    order(download());
    expect(422, "CONNECTIVITY_MANAGEMENT.NOT_SUPPORTED_BY_CARD", "NOT_SUPPORTED_BY_CARD");
    record.templates[1] = 1;
    keep(&record);
    order(download());
    assert_int_equal(a.status, 202);
}

static void a_card_that_is_full_takes_no_more(void **state)
{
    (void)state;
    record.slot_limit = 2;
    keep(&record);
    order(download());
    expect(409, "INCOMPATIBLE_STATE", "NO_FREE_SLOT");
}

static void a_queue_has_sixteen_places(void **state)
{
    (void)state;
    // One is open, sixteen wait.
    for (unsigned i = 0; i < 17; i++) {
        order("{\"type\":\"set-timers\",\"parameters\":{\"JITTER_MAX\":0}}");
        if (a.status != 202)
            fail_msg("%u: %s", i, a.body);
    }
    order("{\"type\":\"set-timers\",\"parameters\":{\"JITTER_MAX\":0}}");
    expect(409, "ABORTED", "QUEUE_FULL");
}

// The message, without the field's name behind the last colon, which tells nobody what to do.
static void expect_told(const char *code, const char *told)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "\"code\":\"%s\"", code);
    const char *at = strstr(a.body, "\"message\":\"");
    if (strstr(a.body, text) == NULL || at == NULL)
        fail_msg("%s", a.body);
    at += strlen("\"message\":\"");
    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, ":\""), at);
    if (strcmp(text, told) != 0)
        fail_msg("%s, not %s", text, told);
}

static void what_is_outside_its_range_is_told_the_least_and_the_most(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"\"POLL_PERIOD\":4", "It must be from 5 to 255"},
        {"\"POLL_PERIOD\":256", "It must be from 5 to 255"},
        {"\"T_RETURN\":599", "It must be 0, or from 600 to 2592000"},
        {"\"BACKOFF_BASE\":90", "It must be from 60 to 3600 in steps of 60"},
        {"\"BACKOFF_MAX\":0", "It must be from 3600 to 172800 in steps of 3600"},
        {"\"NOTIFY_WAITS\":[9]", "It must be 1 to 8 numbers from 10 to 3600"},
        {"\"NOTIFY_WAITS\":[]", "It must be 1 to 8 numbers from 10 to 3600"},
    };
    char body[128];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"type\":\"set-timers\",\"parameters\":{%s}}",
                       wrong[i][0]);
        order(body);
        expect_told("OUT_OF_RANGE", wrong[i][1]);
    }
    order("{\"type\":\"audit\",\"ttlSeconds\":299}");
    expect_told("OUT_OF_RANGE", "It must be from 300 to 1209600");
}

static void what_is_unknown_is_told_where_to_look(void **state)
{
    (void)state;
    order("{\"type\":\"set-timers\",\"parameters\":{\"NOPE\":1}}");
    expect_told("INVALID_ARGUMENT",
                "Not the names of parameters, GET /cards/{id}/parameters shows them");
    order("{\"type\":\"set-timers\",\"parameters\":{\"POLL_PERIOD\":\"5\"}}");
    expect_told("INVALID_ARGUMENT", "It must be a whole number");
    order("{\"type\":\"download\",\"poolId\":\"pol_00000000000000000000000000\",\"enable\":"
          "\"LATER\"}");
    expect_told("NOT_FOUND", "No such object, GET /subscription-pools lists them");
}

// What the documents allow, and which member is not that.
static void what_is_wrong_is_told_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *method, *target, *body, *told;
    } rows[] = {
        {"GET", "/cards?page=x", NULL, "It must be a whole number: page"},
        {"GET", "/cards?page=0", NULL, "It must be from 1 to 10000: page"},
        {"GET", "/cards?perPage=101", NULL, "It must be from 1 to 100: perPage"},
        {"GET", "/cards?sort=iccid", NULL, "One of createdAt lastContactAt state: sort"},
        {"GET", "/cards?cursor=00", NULL,
         "It must be the cursor of an answer that is no older than an hour: cursor"},
        {"GET", "/cards?label=", NULL, "It must have from 1 to 64 octets: label"},
        {"GET", "/dirty-cards?reason=por", NULL,
         "One of por_timeout por_missing_but_delivered unknown_por_status late_por"},
        {"GET", "/audit-trail?from=today", NULL,
         "It must be a date-time with its zone, such as 2026-07-01T00:00:00Z: from"},
        {"GET", "/permissions?operation=all", NULL, "One of card.read card.reveal card.move"},
        {"POST", "/cards/search", "{\"imsi\":\"00202\",\"page\":0}",
         "It must be from 1 to 10000: page"},
        {"POST", "/cards/search", "{\"imsi\":\"00202\",\"sort\":\"iccid\"}",
         "One of createdAt lastContactAt state: sort"},
        {"POST", "/cards/search", "{\"imsi\":\"00202000000000\",\"match\":7}",
         "It must be a text: match"},
        {"POST", "/cards/search", "{\"imsi\":\"00202\",\"match\":\"PREFIX\"}",
         "PREFIX takes 6 digits or more, SUFFIX 4: match"},
        {"POST", "/subscription-pools", "{\"name\":\"\"}",
         "It must have from 1 to 64 octets: name"},
        {"POST", "/subscription-pools", "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":true}",
         "It must be a whole number: templateId"},
        {"POST", "/campaigns", "{\"name\":\"c\",\"operation\":[]}",
         "It must be an object: operation"},
        {"POST", "/event-sinks", "{\"sink\":\"https://sink.example/a\",\"types\":{}}",
         "It must be an array: types"},
        {"POST", "/reports",
         "{\"type\":\"FALLBACK\",\"from\":\"2026-07-01T00:00:00Z\",\"to\":\"2026-07-01T00:00:"
         "00Z\"}",
         "It must be after from: to"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char target[160];
        (void)snprintf(target, sizeof(target), API_BASE "%s", rows[i].target);
        struct ask ask = {.method = rows[i].method, .target = target, .body = rows[i].body};
        if (strcmp(rows[i].target, "/campaigns") == 0)
            ask.key = "campaign-0001";
        lab_ask(&lab, &ask, &a);
        if (a.status != 400 || strstr(a.body, rows[i].told) == NULL)
            fail_msg("%s %s: %s", rows[i].target, rows[i].told, a.body);
    }
    order("{\"type\":\"audit\",\"when\":\"soon\"}");
    expect_told("INVALID_ARGUMENT", "It must be NOW, NEXT_CONTACT or a date-time with its zone");
    order("{\"type\":\"audit\",\"force\":\"yes\"}");
    expect_told("INVALID_ARGUMENT", "It must be true or false");
    order("{\"type\":\"audit\",\"reason\":\"\"}");
    expect_told("INVALID_ARGUMENT", "It must have from 1 to 256 octets");
}

// The text of 403 is that of the contract: what is missing follows it.
static void every_code_says_what_to_do(void **state)
{
    (void)state;
    for (unsigned code = API_INVALID_ARGUMENT; code < API_INTERNAL; code++) {
        if (code != API_PERMISSION_DENIED && strstr(api_code_text(code), ": ") == NULL)
            fail_msg("%s: %s", api_code_wire(code), api_code_text(code));
    }
    for (uint8_t refusal = REFUSAL_NONE + 1; refusal_name(refusal)[0] != '?'; refusal++) {
        const struct api_problem p = api_refusal(refusal);
        const char *text = p.message[0] != '\0' ? p.message : api_code_text(p.code);
        const bool is_behind = p.code == API_PERMISSION_DENIED; // the contract's text
        if (api_code_status(p.code) < 500 &&
            (is_behind ? p.message[0] == '\0' : strstr(text, ": ") == NULL))
            fail_msg("%s: %s", refusal_name(refusal), text);
    }
}

static bool is_route(const char *base, const char *path)
{
    char whole[128];
    (void)snprintf(whole, sizeof(whole), "%s%s", base, path);
    for (size_t i = 0; i < api_route_count; i++) {
        if (strcmp(api_routes[i].path, whole) == 0)
            return true;
    }
    return false;
}

// The path behind GET or POST in the text, as the routes write it.
static void path_in(const char *text, char path[128])
{
    const char *at = strstr(text, " /");
    size_t len = 0;
    path[0] = '\0';
    if (at == NULL)
        return;
    for (at++; *at != '\0' && *at != ' ' && len < 127; at++) {
        if (*at == '{')
            path[len++] = '*';
        if (*at == '{')
            at += strcspn(at, "}");
        else
            path[len++] = *at;
    }
    path[len] = '\0';
}

static void each_path_with_an_id_tells_where_ids_are_from(void **state)
{
    (void)state;
    char path[128];
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_exchange x = {.route = &api_routes[i]};
        const struct api_problem p = api_advise(&x, api_problem_of(API_NOT_FOUND));
        if (strchr(api_routes[i].path, '*') == NULL)
            continue;
        path_in(p.message, path);
        const bool is_own = strstr(p.message, "the answer that began it has its id") != NULL;
        if (strcmp(p.message, api_code_text(API_NOT_FOUND)) == 0 ||
            (!is_own && !is_route(API_BASE, path)))
            fail_msg("%s: %s", api_routes[i].path, p.message);
    }
}

static void expect_forbidden(const char *told)
{
    char text[256];
    (void)snprintf(text, sizeof(text),
                   "\"message\":\"Client does not have sufficient permissions to perform this "
                   "action: %s",
                   told);
    if (a.status != 403 || strstr(a.body, text) == NULL)
        fail_msg("%u %s, not %s", a.status, a.body, told);
}

static void what_is_forbidden_tells_what_is_missing(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char card[API_ID_SIZE];
    char path[128];
    const uint64_t enterprise = 77;
    const uint64_t group = lab_grant(&lab, enterprise, GRANT_BIT(GRANT_CARD_READ));
    lab_place(&lab, record.card, enterprise, group);
    api_id_write(card, "crd", record.card);
    lab_client(&lab, "cards:read,operations:audit,operations:enable", enterprise, token);
    lab_ask(&lab,
            &(struct ask){.method = "GET", .target = API_BASE "/reports", .authorization = token},
            &a);
    expect_forbidden("it takes the scope connectivity-management:reports:read, which the client "
                     "is to be given");
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s/operations", card);
    struct ask ask = {
        .method = "POST", .target = path, .body = "{\"type\":\"audit\"}", .authorization = token};
    lab_ask(&lab, &ask, &a);
    expect_forbidden("it takes in the card's group card.audit, which the operator grants: GET "
                     "/permissions shows what you have");
}

static const char *method_of(unsigned method)
{
    return method == API_PATCH ? "PATCH" : method == API_DELETE ? "DELETE" : "POST";
}

// A key that is taken and does nothing would be believed.
static void where_no_answer_is_kept_a_key_is_refused(void **state)
{
    unsigned count = 0;
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        char target[160];
        struct writer w = writer_of(target, sizeof(target));
        if ((row->flags & ROUTE_NO_KEY) == 0)
            continue;
        for (const char *at = row->path; *at != '\0'; at++) {
            if (*at == '*')
                text_put(&w, "crd_00000000000000000000000001");
            else
                writer_u8(&w, (uint8_t)*at);
        }
        struct ask ask = {.method = method_of(row->method), .target = text_end(&w), .body = "{}"};
        lab_ask(&lab, &ask, &a);
        assert_null(strstr(a.body, "Idempotency-Key"));
        ask.key = "order-4711";
        lab_ask(&lab, &ask, &a);
        assert_int_equal(a.status, 400);
        assert_non_null(strstr(a.body, "It takes no Idempotency-Key"));
        count++;
    }
    assert_int_equal(count, 6);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_card_whose_files_came_in_part_is_sent_nothing),
        CASE(an_applet_of_the_first_level_has_no_timers),
        CASE(what_is_disabled_is_not_disabled_again),
        CASE(the_fallback_is_not_deleted),
        CASE(what_never_had_service_does_not_become_the_fallback),
        CASE(what_is_on_the_card_is_not_downloaded_again),
        CASE(a_template_that_the_card_lacks_is_not_ordered),
        CASE(a_card_that_is_full_takes_no_more),
        CASE(a_queue_has_sixteen_places),
        CASE(where_no_answer_is_kept_a_key_is_refused),
        CASE(what_is_outside_its_range_is_told_the_least_and_the_most),
        CASE(what_is_unknown_is_told_where_to_look),
        CASE(what_is_wrong_is_told_what_is_allowed),
        cmocka_unit_test(every_code_says_what_to_do),
        cmocka_unit_test(each_path_with_an_id_tells_where_ids_are_from),
        CASE(what_is_forbidden_tells_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
