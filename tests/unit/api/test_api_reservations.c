// Reservations for cards that are retired: no audit ends them, so two people do.
#include "ota-server/service/api_exchange.h"
#include "ota-server/store/retention.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

static uint64_t pool;
static uint64_t subscription; // reserved for the card

static const char *subscription_path(void)
{
    char id[API_ID_SIZE];
    api_id_write(id, "sub", subscription);
    (void)snprintf(path, sizeof(path), API_BASE "/subscriptions/%s", id);
    return path;
}

static void reserve(void)
{
    char id[API_ID_SIZE];
    struct subscription s;
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"Alder\",\"templateId\":3}");
    take("id", id, sizeof(id));
    assert_true(api_id_read(bytes_of_text(id), "pol", &pool));
    subscription = lab_subscription(&lab, pool, "999700000000101");
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_pool_reserve(lab.store, pool, false, record.card, lab.now.utc, &s),
                     STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    assert_true(s.id == subscription);
}

static void retire(void)
{
    ask(NULL, "PATCH", card_path(""), "{\"state\":\"RETIRED\",\"reason\":\"lost\"}");
    expect(200, "\"state\":\"RETIRED\"");
}

static int open_reserved(void **state)
{
    (void)open_all(state);
    reserve();
    return 0;
}

static int open_for_one(void **state)
{
    (void)state;
    (void)open_with(true);
    reserve();
    return 0;
}

static void expect_reserved(bool is_reserved)
{
    struct subscription s;
    assert_int_equal(store_subscription_get(lab.store, subscription, &s), STORE_OK);
    assert_true(s.has_keys);
    if (is_reserved)
        assert_true(s.state == SUBSCRIPTION_RESERVED && s.card == record.card);
    else
        assert_true(s.state == SUBSCRIPTION_FREE && s.card == 0);
}

static bool see_row(void *context, const struct trail_row *row)
{
    if (strcmp(row->action, "subscription.changed") == 0) {
        assert_true(row->approval != 0);
        assert_string_equal(row->before, "state=RESERVED");
        assert_string_equal(row->after, "state=FREE");
        ++*(unsigned *)context;
    }
    return true;
}

static void two_people_give_it_back(void **state)
{
    (void)state;
    struct trail_filter filter;
    const struct store_page page = {.limit = 1000};
    unsigned rows = 0;
    retire();
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"FREE\",\"reason\":\"it is scrapped\"}");
    take_asked();
    assert_true(has("\"summary\":\"reservation of a retired card\"") &&
                has("\"stateNow\":\"RESERVED\"") && has("\"cardId\":\"crd_"));
    expect_reserved(true);
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_reserved(false);
    trail_filter_init(&filter);
    assert_int_equal(store_trail(lab.store, &filter, &page, see_row, &rows, NULL), STORE_OK);
    assert_int_equal(rows, 1);
}

static void what_changed_since_is_asked_for_anew(void **state)
{
    (void)state;
    retire();
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"FREE\"}");
    take_asked();
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(
        store_subscription_release(lab.store, subscription, record.card, false, lab.now.utc),
        STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    decide_as(second, "/approve");
    expect(409, "ask for it anew");
}

static void a_card_in_use_keeps_it(void **state)
{
    (void)state;
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"FREE\"}");
    expect(409, "INCOMPATIBLE_STATE");
    retire();
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"ON_CARD\"}");
    expect(409, "INCOMPATIBLE_STATE");
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"FREE\",\"fallbackEligible\":false}");
    expect(400, "by itself");
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record.slots[1].subscription); // that is on the card
    (void)snprintf(path, sizeof(path), API_BASE "/subscriptions/%s", id);
    ask(NULL, "PATCH", path, "{\"state\":\"FREE\"}");
    expect(409, "INCOMPATIBLE_STATE");
}

// It may be on the card for ever: no other card gets it, and its keys go after their time.
static void one_that_is_given_up_stays_the_cards(void **state)
{
    (void)state;
    struct subscription s;
    retire();
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_retired_erase(lab.store, lab.now.utc, lab.now.utc, 10), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    expect_reserved(true);
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"RETIRED\",\"reason\":\"scrapped\"}");
    take_asked();
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    ask(NULL, "GET", subscription_path(), NULL);
    expect(200, "\"state\":\"RETIRED\",\"cardId\":\"crd_");
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_retired_erase(lab.store, lab.now.utc, lab.now.utc, 10), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    assert_int_equal(store_subscription_get(lab.store, subscription, &s), STORE_OK);
    assert_false(s.has_keys);
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"FREE\",\"reason\":\"found\"}");
    expect(409, "with keys");
}

static void a_laboratory_does_it_at_once(void **state)
{
    (void)state;
    retire();
    (void)subscription_path();
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "?dryRun=true");
    ask(NULL, "PATCH", path, "{\"state\":\"FREE\",\"reason\":\"scrapped\"}");
    expect(200, "\"dryRun\":true");
    expect_reserved(true);
    ask(NULL, "PATCH", subscription_path(), "{\"state\":\"FREE\",\"reason\":\"scrapped\"}");
    expect(200, "\"state\":\"FREE\"");
    expect_reserved(false);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_reserved, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(two_people_give_it_back),
        CASE(what_changed_since_is_asked_for_anew),
        CASE(a_card_in_use_keeps_it),
        CASE(one_that_is_given_up_stays_the_cards),
        cmocka_unit_test_setup_teardown(a_laboratory_does_it_at_once, open_for_one, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
