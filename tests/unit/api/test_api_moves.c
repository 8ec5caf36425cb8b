// Many cards into a group: which, by whom, in which steps, and through a crash.
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/job.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define MOVES API_BASE "/cards/moves"
#define OTHER 77
#define CARDS 150 // more than two steps

static struct lab lab;
static struct answer a;
static uint64_t cards[CARDS];
static char group[API_ID_SIZE], path[128];
static uint64_t group_id;

static uint64_t add_card(unsigned number)
{
    struct record record;
    char iccid[21];
    char imsis[2][16];
    (void)snprintf(iccid, sizeof(iccid), "8999900000000%06u1", number);
    (void)snprintf(imsis[0], sizeof(imsis[0]), "999990000%06u", number);
    (void)snprintf(imsis[1], sizeof(imsis[1]), "999980000%06u", number);
    return lab_card_of(&lab, iccid, imsis[0], imsis[1], &record);
}

static void add_group(uint64_t enterprise)
{
    char body[128];
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(body, sizeof(body), "{\"name\":\"to\",\"enterpriseId\":\"%s\"}", id);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/card-groups",
                          .body = enterprise == LAB_TENANT ? "{\"name\":\"to\"}" : body},
            &a);
    assert_int_equal(a.status, 201);
    group_id = lab_id(&a, "grp");
    api_id_write(group, "grp", group_id);
}

static int fill(void)
{
    for (unsigned i = 0; i < CARDS; i++)
        cards[i] = add_card(i);
    add_group(LAB_TENANT);
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return fill();
}

static int open_file(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true);
    return fill();
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *token, const char *target, const char *order, const char *key)
{
    lab_ask(
        &lab,
        &(struct ask){
            .method = "POST", .target = target, .body = order, .authorization = token, .key = key},
        &a);
}

static const char *order_of(const char *target)
{
    static char order[8192];
    (void)snprintf(order, sizeof(order), "{\"target\":%s,\"groupId\":\"%s\",\"reason\":\"sold\"}",
                   target, group);
    return order;
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void take_path(void)
{
    char id[API_ID_SIZE];
    if (a.status != 202)
        fail_msg("%u: %s", a.status, a.body);
    api_id_write(id, "mov", lab_id(&a, "mov"));
    (void)snprintf(path, sizeof(path), MOVES "/%s", id);
}

static void look(const char *token)
{
    lab_ask(&lab, &(struct ask){.method = "GET", .target = path, .authorization = token}, &a);
}

static void move_all(const char *token, const char *target)
{
    ask(token, MOVES, order_of(target), "move-000009");
    take_path();
    lab_run_jobs(&lab);
    look(token);
    assert_int_equal(a.status, 200);
}

static uint64_t group_of(uint64_t card)
{
    uint64_t found = 0;
    assert_int_equal(store_card_group(lab.store, card, &found), STORE_OK);
    return found;
}

static bool count_moved(void *context, const struct trail_row *row)
{
    *(unsigned *)context += strcmp(row->action, "card.moved") == 0;
    return true;
}

// Rows of the trail that name the move.
static unsigned rows_of_it(void)
{
    struct trail_filter filter;
    const struct store_page page = {.limit = 500};
    unsigned count = 0;
    trail_filter_init(&filter);
    filter.correlator = api_correlator_hash(bytes_of_text(strrchr(path, '/') + 1));
    assert_int_equal(store_trail(lab.store, &filter, &page, count_moved, &count, NULL), STORE_OK);
    return count;
}

static void every_card_of_a_filter_moves_with_a_row_of_its_own(void **state)
{
    (void)state;
    lab.has_refusals_only = true; // crashes are tried below, with fewer cards
    move_all(NULL, "{\"filter\":{}}");
    assert_true(has("\"status\":\"ENDED\",\"groupId\":\""));
    assert_true(has("\"reason\":\"sold\",\"visited\":150,\"moved\":150,\"skipped\":[]"));
    for (unsigned i = 0; i < CARDS; i++)
        assert_int_equal(group_of(cards[i]), group_id);
    assert_int_equal(rows_of_it(), CARDS);
    lab.now.utc.ms += 1000;
    ask(NULL, MOVES, order_of("{\"filter\":{}}"), "move-000002");
    take_path();
    lab_run_jobs(&lab);
    look(NULL);
    assert_true(
        has("\"visited\":150,\"moved\":0,\"skipped\":[{\"reason\":\"UNCHANGED\",\"count\":150}]"));
    assert_int_equal(rows_of_it(), 0);
}

static void cards_that_are_named_move_and_no_others(void **state)
{
    (void)state;
    char target[256];
    char ids[2][API_ID_SIZE];
    api_id_write(ids[0], "crd", cards[3]);
    api_id_write(ids[1], "crd", cards[149]);
    (void)snprintf(target, sizeof(target), "{\"cardIds\":[\"%s\",\"%s\"]}", ids[0], ids[1]);
    move_all(NULL, target);
    assert_true(has("\"target\":{\"listed\":2},"));
    assert_true(has("\"visited\":2,\"moved\":2,\"skipped\":[]"));
    assert_int_equal(group_of(cards[3]), group_id);
    assert_int_equal(group_of(cards[149]), group_id);
    assert_int_equal(group_of(cards[4]), 0);
}

static void cards_of_groups_move(void **state)
{
    (void)state;
    char target[256];
    char from[API_ID_SIZE];
    lab.has_refusals_only = true;
    move_all(NULL, "{\"filter\":{}}");
    (void)snprintf(from, sizeof(from), "%s", group);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/card-groups",
                          .body = "{\"name\":\"further\"}"},
            &a);
    group_id = lab_id(&a, "grp");
    char empty[API_ID_SIZE];
    api_id_write(empty, "grp", group_id);
    (void)snprintf(group, sizeof(group), "%s", empty);
    (void)snprintf(target, sizeof(target), "{\"groupIds\":[\"%s\",\"%s\"]}", empty, from);
    ask(NULL, MOVES, order_of(target), "move-000002");
    take_path();
    lab_run_jobs(&lab);
    look(NULL);
    // Those that came into the first one meanwhile are not looked at again.
    assert_true(has("\"visited\":150,\"moved\":150,\"skipped\":[]"));
}

// A stop behind each step: what was moved stays, and the rest follows, each card once.
static void a_move_goes_on_after_a_crash(void **state)
{
    (void)state;
    unsigned turns = 0;
    lab.has_refusals_only = true;
    ask(NULL, MOVES, order_of("{\"filter\":{}}"), "move-000001");
    take_path();
    for (; turns < 50 && !jobs_are_idle(lab.api->jobs); turns++) {
        lab_turn(&lab);
        lab_crash(&lab);
    }
    lab_run_jobs(&lab);
    assert_true(turns >= 3);
    look(NULL);
    assert_true(has("\"status\":\"ENDED\""));
    assert_true(has("\"visited\":150,\"moved\":150,\"skipped\":[]"));
    assert_int_equal(rows_of_it(), CARDS);
}

static void a_trial_judges_all_and_moves_none(void **state)
{
    (void)state;
    ask(NULL, MOVES "?dryRun=true", order_of("{\"filter\":{}}"), "move-000001");
    assert_int_equal(a.status, 200);
    assert_true(has("{\"dryRun\":true,\"wouldAnswer\":202,\"targeted\":150,\"eligible\":150,"
                    "\"skipped\":[],\"sample\":[\"crd_"));
    assert_int_equal(group_of(cards[0]), 0);
    char target[128];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", cards[3]);
    (void)snprintf(target, sizeof(target), "{\"cardIds\":[\"%s\"]}", id);
    ask(NULL, MOVES "?dryRun=true", order_of(target), "move-000001");
    assert_true(has("\"targeted\":1,\"eligible\":1,"));
    assert_true(has(id));
}

static void set_rules(const char *rules)
{
    char target[128];
    char body[256];
    (void)snprintf(target, sizeof(target), API_BASE "/card-groups/%s/rules", group);
    (void)snprintf(body, sizeof(body), "{%s,\"reason\":\"x\"}", rules);
    lab_ask(&lab, &(struct ask){.method = "PATCH", .target = target, .body = body}, &a);
    assert_int_equal(a.status, 200);
}

static void try_card(const char *token, uint64_t card)
{
    char target[128];
    char body[128];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", card);
    (void)snprintf(target, sizeof(target), API_BASE "/cards/%s?dryRun=true", id);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", group);
    lab_ask(
        &lab,
        &(struct ask){.method = "PATCH", .target = target, .body = body, .authorization = token},
        &a);
}

// The installation permits everything and names no timers; the group does both otherwise.
#define CHANGES                                                                                    \
    "\"before\":{\"authorityMode\":\"SELF_SERVICE\",\"timers\":{}},"                               \
    "\"after\":{\"authorityMode\":\"OPERATOR_ONLY\",\"timers\":{\"T_ATTACH\":100}}"

static void a_trial_shows_what_changes_for_the_cards_of_each_group(void **state)
{
    (void)state;
    char expected[512];
    char from[API_ID_SIZE];
    set_rules("\"authorityMode\":\"OPERATOR_ONLY\",\"timers\":{\"T_ATTACH\":100}");
    try_card(NULL, cards[0]);
    assert_int_equal(a.status, 200);
    (void)snprintf(expected, sizeof(expected),
                   "{\"dryRun\":true,\"wouldAnswer\":200,\"approvalsNeeded\":0,\"groupId\":\"%s\","
                   "\"rules\":{\"retry\":",
                   group);
    assert_true(has(expected));
    assert_true(has("\"from\":[{\"count\":1," CHANGES "}]}"));
    assert_int_equal(group_of(cards[0]), 0);
    (void)snprintf(from, sizeof(from), "%s", group);
    for (unsigned i = 0; i < 2; i++)
        lab_place(&lab, cards[i], LAB_TENANT, group_id);
    try_card(NULL, cards[0]); // it is there
    assert_true(has("\"from\":[]}"));
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/card-groups",
                          .body = "{\"name\":\"further\"}"},
            &a);
    api_id_write(group, "grp", lab_id(&a, "grp"));
    ask(NULL, MOVES "?dryRun=true", order_of("{\"filter\":{}}"), "move-000001");
    assert_true(has("\"targeted\":150,\"eligible\":150,"));
    (void)snprintf(
        expected, sizeof(expected),
        "{\"groupId\":\"%s\",\"count\":2,\"before\":{\"authorityMode\":\"OPERATOR_ONLY\",", from);
    assert_true(has(expected));
    assert_true(has("{\"count\":148,\"before\":{},\"after\":{}}"));
}

// Cards of two groups of the enterprise: it may move those of one.
static void who_asks_needs_the_permission_on_both_groups(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    const uint32_t all = GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_MOVE);
    struct record record;
    lab.tenant = OTHER;
    lab_client(&lab, "cards:read,cards:write", OTHER, token);
    const uint64_t sources[] = {lab_grant(&lab, OTHER, all),
                                lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ))};
    uint64_t own[2];
    for (unsigned i = 0; i < 2; i++) {
        own[i] = add_card(1000 + i);
        assert_int_equal(store_card_load(lab.store, own[i], &record), STORE_OK);
        struct record next = record;
        next.version++;
        next.group = sources[i];
        assert_int_equal(store_begin(lab.store), STORE_OK);
        assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
        assert_int_equal(store_commit(lab.store), STORE_OK);
    }
    ask(token, MOVES, order_of("{\"filter\":{}}"), "move-000001"); // a group of the operator
    assert_int_equal(a.status, 404);
    group_id = lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ));
    api_id_write(group, "grp", group_id);
    ask(token, MOVES, order_of("{\"filter\":{}}"), "move-000002");
    assert_int_equal(a.status, 403);
    group_id = lab_grant(&lab, OTHER, all);
    api_id_write(group, "grp", group_id);
    try_card(token, own[0]); // without groups:read no rules
    assert_int_equal(a.status, 200);
    assert_true(has("\"count\":1}]}") && !has("\"rules\"") && !has("\"before\""));
    move_all(token, "{\"filter\":{}}");
    assert_true(
        has("\"visited\":2,\"moved\":1,\"skipped\":[{\"reason\":\"NOT_AUTHORISED\",\"count\":1}]"));
    assert_int_equal(group_of(own[0]), group_id);
    assert_int_equal(group_of(own[1]), sources[1]);
    assert_int_equal(group_of(cards[0]), 0);
    lab_client(&lab, "cards:read", OTHER + 1, token);
    look(token);
    assert_int_equal(a.status, 404);
}

static void what_cannot_be_ordered_is_refused(void **state)
{
    (void)state;
    ask(NULL, MOVES, order_of("{\"filter\":{}}"), NULL);
    assert_int_equal(a.status, 400);
    assert_true(has("Idempotency-Key is missing"));
    ask(NULL, MOVES, order_of("{}"), "move-000001");
    assert_int_equal(a.status, 400);
    ask(NULL, MOVES, "{\"target\":{\"filter\":{}}}", "move-000002");
    assert_int_equal(a.status, 400);
    ask(NULL, MOVES, order_of("{\"cardIds\":[\"crd_00000000000000000000000000\"]}"), "move-000003");
    assert_int_equal(a.status, 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_card_of_a_filter_moves_with_a_row_of_its_own),
        TEST(cards_that_are_named_move_and_no_others),
        TEST(cards_of_groups_move),
        cmocka_unit_test_setup_teardown(a_move_goes_on_after_a_crash, open_file, close_all),
        TEST(a_trial_judges_all_and_moves_none),
        TEST(a_trial_shows_what_changes_for_the_cards_of_each_group),
        TEST(who_asks_needs_the_permission_on_both_groups),
        TEST(what_cannot_be_ordered_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
