// Two requests about one object in one turn: the second is judged by what the first one left.
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/import_report.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

static struct lab lab;
static struct answer a, other;
static char path[128];

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
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "key-%05u", ++number);
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body, .key = key}, &a);
}

// Makes what `path` then names.
static void make(const char *list, const char *prefix, const char *body)
{
    char id[API_ID_SIZE];
    ask("POST", list, body);
    if (a.status != 201 && a.status != 202)
        fail_msg("%u: %s", a.status, a.body);
    api_id_write(id, prefix, lab_id(&a, prefix));
    (void)snprintf(path, sizeof(path), "%s/%s", list, id);
}

static void make_user(void)
{
    struct door door;
    struct auth_user user;
    char id[API_ID_SIZE];
    lab_user(&lab, "eva", ROLE_OPERATOR, LAB_TENANT, &door);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("eva"), &user), STORE_OK);
    api_id_write(id, "usr", user.id);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", id);
}

static void make_campaign(void)
{
    make(API_BASE "/campaigns", "cmp",
         "{\"name\":\"a\",\"operation\":{\"type\":\"audit\"},\"target\":{\"filter\":{}},"
         "\"rate\":{\"perSecond\":1}}");
}

// Both in one turn; the answers are then in `a` and `other`.
static void at_once(struct ask first, struct ask second)
{
    struct api_exchange *one = lab_start(&lab, &first, &a);
    struct api_exchange *two = lab_start(&lab, &second, &other);
    for (unsigned i = 0; i < 40 && (a.count == 0 || other.count == 0); i++)
        lab_turn(&lab);
    lab_forget(one);
    lab_forget(two);
}

static struct ask patch(const char *body, const char *if_match)
{
    return (struct ask){.method = "PATCH", .target = path, .body = body, .if_match = if_match};
}

static struct ask removal(const char *if_match)
{
    return (struct ask){.method = "DELETE", .target = path, .if_match = if_match};
}

static void expect(unsigned first, unsigned second)
{
    if (a.status != first || other.status != second)
        fail_msg("%u and %u: %s, %s", a.status, other.status, a.body, other.body);
}

static bool is_kept(const char *text)
{
    struct answer now;
    lab_ask(&lab, &(struct ask){.method = "GET", .target = path}, &now);
    return strstr(now.body, text) != NULL;
}

// --- what is merged --------------------------------------------------------------------------

static void two_changes_of_a_campaign_are_both_kept(void **state)
{
    (void)state;
    make_campaign();
    at_once(patch("{\"name\":\"b\"}", NULL), patch("{\"rate\":{\"perSecond\":2}}", NULL));
    expect(200, 200);
    assert_true(is_kept("\"name\":\"b\"") && is_kept("\"perSecond\":2"));
}

static void two_chapters_of_a_report_are_both_kept(void **state)
{
    (void)state;
    make(API_BASE "/reports", "rpt",
         "{\"type\":\"REGULATOR\",\"from\":\"2026-01-01T00:00:00Z\","
         "\"to\":\"2026-02-01T00:00:00Z\"}");
    lab_run_jobs(&lab);
    at_once(patch("{\"texts\":{\"1\":\"one\"}}", NULL), patch("{\"texts\":{\"2\":\"two\"}}", NULL));
    expect(200, 200);
    assert_true(is_kept("\"1\":\"one\"") && is_kept("\"2\":\"two\""));
}

static void of_two_that_saw_one_campaign_the_second_is_412(void **state)
{
    (void)state;
    make_campaign();
    at_once(patch("{\"name\":\"b\"}", "\"1\""), patch("{\"name\":\"c\"}", "\"1\""));
    expect(200, 412);
    assert_true(is_kept("\"name\":\"b\""));
}

static void of_two_that_send_one_version_back_the_second_is_412(void **state)
{
    (void)state;
    make_campaign();
    at_once(patch("{\"version\":1,\"name\":\"b\"}", NULL),
            patch("{\"version\":1,\"name\":\"c\"}", NULL));
    expect(200, 412);
    assert_true(is_kept("\"name\":\"b\""));
}

// Without If-Match nobody is refused, and nobody's change is lost.
static void two_changes_of_one_document_are_both_kept(void **state)
{
    (void)state;
    static const struct {
        const char *list, *prefix, *made, *below, *changes[2], *kept[2];
    } rows[] = {
        {API_BASE "/card-groups",
         "grp",
         "{\"name\":\"a\"}",
         "",
         {"{\"name\":\"b\"}", "{\"province\":\"c\"}"},
         {"\"name\":\"b\"", "\"province\":\"c\""}},
        {API_BASE "/card-groups",
         "grp",
         "{\"name\":\"c\"}",
         "/rules",
         {"{\"authorityMode\":\"REQUEST_APPROVE\",\"reason\":\"r\"}",
          "{\"fourEyes\":{\"campaignAbove\":7},\"reason\":\"r\"}"},
         {"\"authorityMode\":\"REQUEST_APPROVE\"", "\"campaignAbove\":7"}},
        {API_BASE "/subscription-pools",
         "pol",
         "{\"name\":\"a\",\"operator\":\"o\",\"templateId\":1}",
         "",
         {"{\"name\":\"b\"}", "{\"operator\":\"p\"}"},
         {"\"name\":\"b\"", "\"operator\":\"p\""}},
        {API_BASE "/users",
         "usr",
         NULL,
         "",
         {"{\"displayName\":\"Eva\"}", "{\"locked\":true}"},
         {"\"displayName\":\"Eva\"", "\"locked\":true"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].made != NULL)
            make(rows[i].list, rows[i].prefix, rows[i].made);
        else
            make_user();
        const size_t len = strlen(path);
        (void)snprintf(path + len, sizeof(path) - len, "%s", rows[i].below);
        at_once(patch(rows[i].changes[0], NULL), patch(rows[i].changes[1], NULL));
        expect(200, 200);
        assert_true(is_kept(rows[i].kept[0]));
        assert_true(is_kept(rows[i].kept[1]));
    }
}

static void what_was_held_back_may_be_dropped_by_two(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    const struct document import = {.kind = IMPORT_KIND,
                                    .id = 77,
                                    .owner = LAB_TENANT,
                                    .state = IMPORT_ENDED,
                                    .body = bytes_of_text("{}")};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_put(lab.store, &import), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    api_id_write(id, "imp", 77);
    (void)snprintf(path, sizeof(path), API_BASE "/batch-imports/%s/quarantine", id);
    at_once(removal(NULL), removal(NULL));
    expect(204, 204);
}

// --- what is judged --------------------------------------------------------------------------

// What is checked, and shown to who approves it, is what the campaign is by then.
static void a_check_is_of_the_target_that_the_change_before_it_left(void **state)
{
    (void)state;
    struct record record;
    char empty[API_ID_SIZE], body[256], check[160];
    (void)lab_card(&lab, "89999000000000000012", &record);
    make(API_BASE "/card-groups", "grp", "{\"name\":\"empty\"}");
    api_id_write(empty, "grp", lab_id(&a, "grp"));
    make_campaign();
    (void)snprintf(body, sizeof(body), "{\"target\":{\"groupIds\":[\"%s\"]}}", empty);
    (void)snprintf(check, sizeof(check), "%s/check", path);
    at_once(patch(body, NULL), (struct ask){.method = "POST", .target = check});
    expect(200, 200);
    assert_true(is_kept("\"targeted\":0"));
    assert_true(is_kept(empty));
}

static void of_two_that_retire_one_card_the_second_is_412(void **state)
{
    (void)state;
    struct record record;
    char id[API_ID_SIZE], tag[32];
    static const char *const body = "{\"state\":\"RETIRED\",\"reason\":\"lost\"}";
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    api_id_write(id, "crd", card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s", id);
    (void)snprintf(tag, sizeof(tag), "\"%llu\"", (unsigned long long)record.version);
    at_once(patch(body, tag), patch(body, tag));
    expect(200, 412);
}

static void of_two_that_move_one_card_the_second_is_412(void **state)
{
    (void)state;
    struct record record;
    char id[API_ID_SIZE], tag[32], to[2][64];
    static const char *const names[] = {"{\"name\":\"one\"}", "{\"name\":\"two\"}"};
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    for (size_t i = 0; i < 2; i++) {
        lab_ask(
            &lab,
            &(struct ask){.method = "POST", .target = API_BASE "/card-groups", .body = names[i]},
            &a);
        assert_int_equal(a.status, 201);
        api_id_write(id, "grp", lab_id(&a, "grp"));
        (void)snprintf(to[i], sizeof(to[i]), "{\"groupId\":\"%s\"}", id);
    }
    api_id_write(id, "crd", card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s", id);
    (void)snprintf(tag, sizeof(tag), "\"%llu\"", (unsigned long long)record.version);
    at_once(patch(to[0], tag), patch(to[1], tag));
    expect(200, 412);
}

// Nothing goes away that somebody has just been told is saved.
static void a_removal_of_what_was_changed_before_it_is_412(void **state)
{
    (void)state;
    make(API_BASE "/card-groups", "grp", "{\"name\":\"a\"}");
    at_once(patch("{\"name\":\"b\"}", NULL), removal("\"1\""));
    expect(200, 412);
    assert_true(is_kept("\"name\":\"b\""));
}

static void of_two_removals_the_second_finds_nothing(void **state)
{
    (void)state;
    make(API_BASE "/card-groups", "grp", "{\"name\":\"a\"}");
    at_once(removal("\"1\""), removal("\"1\""));
    expect(204, 404);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(two_changes_of_a_campaign_are_both_kept),
        RUN(two_chapters_of_a_report_are_both_kept),
        RUN(of_two_that_saw_one_campaign_the_second_is_412),
        RUN(of_two_that_send_one_version_back_the_second_is_412),
        RUN(two_changes_of_one_document_are_both_kept),
        RUN(what_was_held_back_may_be_dropped_by_two),
        RUN(a_check_is_of_the_target_that_the_change_before_it_left),
        RUN(of_two_that_retire_one_card_the_second_is_412),
        RUN(of_two_that_move_one_card_the_second_is_412),
        RUN(a_removal_of_what_was_changed_before_it_is_412),
        RUN(of_two_removals_the_second_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
