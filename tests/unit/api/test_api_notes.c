// What people write about a card: each change is kept, and each is a version.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

static struct lab lab;
static struct answer a, other;
static struct record record;
static uint64_t card;
static char path[128], tag[32];
static const struct ask note = {.method = "PATCH", .target = path, .body = "{\"note\":\"a\"}"};
static const struct ask labels = {
    .method = "PATCH", .target = path, .body = "{\"labels\":[\"b\"]}"};

static int open_all(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    lab_open(&lab, "all", true);
    card = lab_card(&lab, "89999000000000000012", &record);
    api_id_write(id, "crd", card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s", id);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// Both in one turn, with that If-Match.
static void change_at_once(const char *if_match)
{
    struct ask first = note, second = labels;
    first.if_match = second.if_match = if_match;
    struct api_exchange *one = lab_start(&lab, &first, &a);
    struct api_exchange *two = lab_start(&lab, &second, &other);
    lab_turn(&lab);
    lab_forget(one);
    lab_forget(two);
}

static bool is_kept(const char *text)
{
    lab_ask(&lab, &(struct ask){.method = "GET", .target = path}, &a);
    return strstr(a.body, text) != NULL;
}

static const char *present_tag(void)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    (void)snprintf(tag, sizeof(tag), "\"%llu\"", (unsigned long long)record.version);
    return tag;
}

static void two_changes_of_one_turn_are_both_kept(void **state)
{
    (void)state;
    change_at_once(NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(other.status, 200);
    assert_true(is_kept("\"note\":\"a\"") && is_kept("\"labels\":[\"b\"]"));
}

static void of_two_that_saw_one_version_the_second_is_412(void **state)
{
    (void)state;
    change_at_once(present_tag());
    assert_int_equal(a.status, 200);
    assert_int_equal(other.status, 412);
    assert_true(is_kept("\"note\":\"a\"") && !is_kept("\"labels\":[\"b\"]"));
}

static void a_change_of_a_note_is_a_version(void **state)
{
    (void)state;
    char before[32];
    (void)snprintf(before, sizeof(before), "%s", present_tag());
    lab_ask(&lab, &note, &a);
    assert_int_equal(a.status, 200);
    assert_string_not_equal(before, present_tag());
    assert_true(is_kept("\"note\":\"a\""));
    struct ask late = labels;
    late.if_match = before;
    lab_ask(&lab, &late, &a);
    assert_int_equal(a.status, 412);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(two_changes_of_one_turn_are_both_kept),
        RUN(of_two_that_saw_one_version_the_second_is_412),
        RUN(a_change_of_a_note_is_a_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
