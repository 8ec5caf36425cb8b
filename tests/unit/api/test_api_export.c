// Exports: whole, masked, marked, harmless to a spreadsheet, and in the trail.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define CARDS API_BASE "/cards/export"
#define OPERATIONS API_BASE "/operations/export"
#define ICCID "89999000000000000012"
#define WHY "{\"reason\":\"audit 7\"}"
#define OTHER 77

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t card;

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    card = lab_card(&lab, ICCID, &record);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *target, const char *accept)
{
    lab_ask(&lab, &(struct ask){.method = "POST", .target = target, .body = WHY, .accept = accept},
            &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void describe(const char *body)
{
    char path[128];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s", id);
    lab_ask(&lab, &(struct ask){.method = "PATCH", .target = path, .body = body}, &a);
    assert_int_equal(a.status, 200);
}

// A client that may see identifiers in lists sees them here: this one may not.
static void cards_come_as_lines_that_say_who_asked(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read,audit-trail:read", LAB_TENANT, token);
    lab_ask(&lab,
            &(struct ask){.method = "POST", .target = CARDS, .body = WHY, .authorization = token},
            &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(strncmp(a.body, "{\"export\":{\"of\":\"card\",\"at\":\"", 28), 0);
    assert_true(has("\"by\":\"cli_") &&
                has("\"reason\":\"audit 7\",\"masked\":true}}\n{\"id\":\"crd_"));
    assert_true(has("\"iccid\":\"89999") && !has(ICCID) && !has("89999000000"));
    assert_int_equal(a.body[strlen(a.body) - 1], '\n');
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = API_BASE "/audit-trail?action=cards.exported",
                          .authorization = token},
            &a);
    assert_true(has("\"totalCount\":1") && has("\"reason\":\"audit 7\""));
}

static void a_formula_is_a_text_in_csv(void **state)
{
    (void)state;
    describe("{\"note\":\"=HYPERLINK(\\\"x\\\")\",\"labels\":[\"@a\",\"b,c\"]}");
    ask(CARDS, "text/csv");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.headers, "Content-Type: text/csv; charset=utf-8\n"));
    assert_non_null(
        strstr(a.headers, "Content-Disposition: attachment; filename=\"export.csv\"\n"));
    assert_int_equal(strncmp(a.body, "id,groupId,batchId,iccid,eid,state,marks,", 40), 0);
    assert_true(has(",labels,note,createdAt,exportedAt,exportedBy\r\n\"crd_"));
    assert_true(has(",\"'@a b,c\",\"'=HYPERLINK(\"\"x\"\")\","));
    assert_true(has(",\"cli_"));
    const char *end = a.body + strlen(a.body) - 2;
    assert_string_equal(end, "\r\n");
}

static void an_export_takes_the_filters_of_its_list(void **state)
{
    (void)state;
    ask(CARDS "?state=RETIRED", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("{\"export\":") && !has("crd_"));
    ask(CARDS "?state=NONE", NULL);
    assert_int_equal(a.status, 400);
    ask(CARDS "?page=2", NULL);
    assert_int_equal(a.status, 400); // it has no pages
    ask(CARDS, "image/png");
    assert_int_equal(a.status, 406);
    lab_ask(&lab, &(struct ask){.method = "POST", .target = CARDS, .body = "{}"}, &a);
    assert_int_equal(a.status, 400); // without a reason
    ask(OPERATIONS "?type=nothing", NULL);
    assert_int_equal(a.status, 400);
    ask(OPERATIONS, "image/png");
    assert_int_equal(a.status, 406);
    lab_ask(&lab, &(struct ask){.method = "POST", .target = OPERATIONS, .body = "[]"}, &a);
    assert_int_equal(a.status, 400);
}

static void an_enterprise_exports_its_own(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read,operations:read", OTHER, token);
    const struct operation o = {.id = 9, .kind = OPERATION_AUDIT, .status = STATUS_ENDED};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_operation_put(lab.store, card, LAB_TENANT, &o), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab_ask(&lab,
            &(struct ask){.method = "POST", .target = CARDS, .body = WHY, .authorization = token},
            &a);
    assert_int_equal(a.status, 200);
    assert_false(has("crd_"));
    lab_ask(
        &lab,
        &(struct ask){.method = "POST", .target = OPERATIONS, .body = WHY, .authorization = token},
        &a);
    assert_int_equal(a.status, 200);
    assert_false(has("op_"));
    ask(OPERATIONS, NULL);
    assert_true(has("\"type\":\"audit\""));
}

struct taken {
    uint64_t lines, octets;
    bool is_in_order;
    char last[64];
};

static void take(void *context, const struct api_answer *answer)
{
    struct taken *t = context;
    char line[4096];
    size_t len = 0;
    uint8_t piece[700];
    long got;
    assert_int_equal(answer->status, 200);
    assert_non_null(answer->rest);
    t->is_in_order = true;
    while ((got = api_more(answer->rest, piece, sizeof(piece))) > 0) {
        t->octets += (uint64_t)got;
        for (long i = 0; i < got; i++) {
            assert_true(len < sizeof(line) - 1);
            line[len++] = (char)piece[i];
            if (piece[i] != '\n')
                continue;
            line[len] = '\0';
            len = 0;
            t->lines++;
            if (t->lines > 1) { // the first says who exported
                t->is_in_order = t->is_in_order && strncmp(line, t->last, 40) > 0;
                (void)snprintf(t->last, sizeof(t->last), "%.60s", line);
            }
        }
    }
    assert_int_equal(got, 0);
}

// More than a piece holds, and than is read at a time.
static void three_thousand_operations_come_once_each_in_their_order(void **state)
{
    (void)state;
    struct taken t = {0};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (uint64_t i = 0; i < 3000; i++) {
        const struct operation o = {
            .id = 1000 + i, .kind = OPERATION_AUDIT, .status = STATUS_ENDED};
        assert_int_equal(store_operation_put(lab.store, card, LAB_TENANT, &o), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    const struct api_request request = {.method = bytes_of_text("POST"),
                                        .path = bytes_of_text(OPERATIONS),
                                        .query = bytes_of_text("type=audit"),
                                        .authorization = bytes_of_text(lab.token),
                                        .authorization_count = 1,
                                        .content_type = bytes_of_text("application/json"),
                                        .body = bytes_of_text(WHY),
                                        .peer = "192.0.2.1"};
    struct api_exchange *x = api_exchange_open();
    assert_non_null(x);
    api_handle(lab.api, x, &request, lab.now, take, &t);
    lab_turn(&lab);
    api_exchange_close(x);
    assert_int_equal(t.lines, 3001);
    assert_true(t.is_in_order);
    assert_true(t.octets > 10u * 65536); // many times what is held
}

static void the_trail_comes_as_csv_too(void **state)
{
    (void)state;
    ask(API_BASE "/audit-trail/export", "text/csv");
    assert_int_equal(a.status, 200);
    assert_int_equal(strncmp(a.body, "sequence,at,enterpriseId,actorKind,", 35), 0);
    assert_true(has(",\"trail.exported\",\"trail\",") && has(",\"audit 7\","));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(cards_come_as_lines_that_say_who_asked),
        TEST(a_formula_is_a_text_in_csv),
        TEST(an_export_takes_the_filters_of_its_list),
        TEST(an_enterprise_exports_its_own),
        TEST(three_thousand_operations_come_once_each_in_their_order),
        TEST(the_trail_comes_as_csv_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
