// How the engine finds the rows of lists whose statements are put together: what it is asked for is
// taken down and explained.
#include "tests/lib/cmocka_all.h"

#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/driver.h"

#include <stdio.h>

#define TEXTS_MAX 8
#define PLAN_SIZE 2000

static struct server_crypto crypto;
static struct store *store;
static char *texts[TEXTS_MAX];
static size_t text_count;

static int note_text(unsigned what, void *context, void *statement, void *unused)
{
    (void)what;
    (void)context;
    (void)unused;
    if (text_count < TEXTS_MAX)
        texts[text_count++] = sqlite3_expanded_sql(statement);
    return 0;
}

static struct secret_key key_of(uint8_t fill)
{
    uint8_t octets[SECRET_KEY_MAX];
    memset(octets, fill, sizeof(octets));
    return secret_key_of(bytes_of(octets, sizeof(octets)));
}

static int open_all(void **state)
{
    (void)state;
    const struct store_options options = {.path = ":memory:",
                                          .ota_master = key_of(1),
                                          .network_master = key_of(2),
                                          .pseudonym_key = key_of(3),
                                          .crypto = &crypto.store};
    assert_true(server_crypto_open(&crypto));
    assert_int_equal(store_open(&options, &store), STORE_OK);
    assert_int_equal(sqlite3_trace_v2(store->db, SQLITE_TRACE_STMT, note_text, NULL), SQLITE_OK);
    return 0;
}

static void forget(void)
{
    for (size_t i = 0; i < text_count; i++)
        sqlite3_free(texts[i]);
    text_count = 0;
}

static int close_all(void **state)
{
    (void)state;
    forget();
    store_close(store);
    server_crypto_close(&crypto);
    return 0;
}

static void explain(const char *text, char plan[PLAN_SIZE])
{
    char explained[8192];
    sqlite3_stmt *at = NULL;
    size_t len = 0;
    (void)snprintf(explained, sizeof(explained), "EXPLAIN QUERY PLAN %s", text);
    assert_int_equal(sqlite3_prepare_v2(store->db, explained, -1, &at, NULL), SQLITE_OK);
    plan[0] = '\0';
    while (sqlite3_step(at) == SQLITE_ROW && len < PLAN_SIZE) {
        (void)snprintf(plan + len, PLAN_SIZE - len, "%s; ", sqlite3_column_text(at, 3));
        len = strlen(plan);
    }
    sqlite3_finalize(at);
}

// Every statement since the last call finds its rows by this index, and scans no large table.
static void expect(const char *index)
{
    (void)sqlite3_trace_v2(store->db, 0, NULL, NULL);
    assert_true(text_count >= 2); // the rows and their number
    for (size_t i = 0; i < text_count; i++) {
        char plan[PLAN_SIZE];
        explain(texts[i], plan);
        if (strstr(plan, index) == NULL || strstr(plan, "SCAN card;") != NULL ||
            strstr(plan, "SCAN trail;") != NULL || strstr(plan, "SCAN subscription;") != NULL)
            fail_msg("%s wanted, but: %s\n%s", index, plan, texts[i]);
    }
    forget();
    (void)sqlite3_trace_v2(store->db, SQLITE_TRACE_STMT, note_text, NULL);
}

static const struct store_page page = {.limit = 20};

static bool no_card(void *context, const struct card_row *row)
{
    (void)context;
    (void)row;
    return true;
}

static void list_cards(const struct card_filter *f)
{
    uint64_t total = 0;
    assert_int_equal(store_cards(store, f, &page, no_card, NULL, &total), STORE_OK);
}

static void cards_are_found_by_what_was_asked_for(void **state)
{
    (void)state;
    struct card_filter f;
    card_filter_init(&f);
    f.tenant = 1;
    list_cards(&f);
    expect("card_tenant (tenant=?)");
    f.group = 7;
    list_cards(&f);
    expect("card_group (grp=?");
    f.group = 0;
    f.in_no_group = true;
    list_cards(&f);
    expect("card_group (grp=?");
    f.in_no_group = false;
    f.label = "meter";
    list_cards(&f);
    expect("SEARCH card_label USING PRIMARY KEY (label=?)");
    f.label = NULL;
    f.search = "89990000";
    f.search_how = 'p';
    list_cards(&f);
    expect("card_iccid (iccid>? AND iccid<?)");
    f.in_no_group = true;
    list_cards(&f);
    expect("card_iccid (iccid>? AND iccid<?)");
}

// The operator's people see everybody's: none of what they may ask for reads all cards.
static void cards_of_everybody_are_found_by_what_was_asked_for(void **state)
{
    (void)state;
    static const char *const marks[CARD_MARKS] = {
        "card_on_fallback", "card_unreachable", "card_blocked", "card_doubted", "card_quarantined"};
    struct card_filter f;
    card_filter_init(&f);
    f.state = CARD_RETIRED;
    list_cards(&f);
    expect("card_state (state=?)");
    f.batch = 5;
    list_cards(&f);
    expect("card_batch (batch=?)");
    f.is_unreachable = 1;
    list_cards(&f);
    expect("card_unreachable");
    for (f.mark = 0; f.mark < CARD_MARKS; f.mark++) {
        list_cards(&f);
        expect(marks[f.mark]);
    }
    f.mark = -1;
    f.has_open = 1;
    list_cards(&f);
    expect("operation_waiting (status<?)");
    f.needs_operator = 1;
    list_cards(&f);
    expect("card_for_operator");
}

static bool no_row(void *context, const struct trail_row *row)
{
    (void)context;
    (void)row;
    return true;
}

static void list_trail(const struct trail_filter *f)
{
    uint64_t total = 0;
    assert_int_equal(store_trail(store, f, &page, no_row, NULL, &total), STORE_OK);
}

static void the_trail_is_found_by_what_was_asked_for(void **state)
{
    (void)state;
    struct trail_filter f;
    trail_filter_init(&f);
    f.tenant = 2;
    list_trail(&f);
    expect("trail_tenant (tenant=?");
    f.group = 7;
    list_trail(&f);
    expect("trail_group (grp=?");
    f.group = 0;
    f.correlator = 12;
    list_trail(&f);
    expect("trail_correlator (correlator=?");
    f.operation = 9;
    list_trail(&f);
    expect("trail_operation (operation=?");
    f.operation = 0;
    f.object = 11;
    f.object_kind = "card";
    list_trail(&f);
    expect("trail_object (pseudonym=?");
    trail_filter_init(&f);
    f.action = "card.changed";
    list_trail(&f);
    expect("trail_action (action=?");
    f.actor_id = 9;
    list_trail(&f);
    expect("trail_actor (actor_id=?");
}

static bool no_subscription(void *context, const struct subscription *row)
{
    (void)context;
    (void)row;
    return true;
}

static void subscriptions_are_found_by_what_was_asked_for(void **state)
{
    (void)state;
    uint64_t total = 0;
    struct subscription_filter f = {.tenant = 1, .state = -1};
    assert_int_equal(store_subscriptions(store, &f, &page, no_subscription, NULL, &total),
                     STORE_OK);
    expect("subscription_tenant (tenant=?)");
    f.search = "99970";
    assert_int_equal(store_subscriptions(store, &f, &page, no_subscription, NULL, &total),
                     STORE_OK);
    expect("subscription_imsi (imsi>? AND imsi<?)");
    f.grants = 2;
    assert_int_equal(store_subscriptions(store, &f, &page, no_subscription, NULL, &total),
                     STORE_OK);
    expect("SEARCH card USING INTEGER PRIMARY KEY (rowid=?)");
    f.search = NULL;
    f.card = 7;
    assert_int_equal(store_subscriptions(store, &f, &page, no_subscription, NULL, &total),
                     STORE_OK);
    expect("subscription_card (card=?)");
}

static void add_card(uint64_t id, uint64_t group, uint8_t state)
{
    static struct record record;
    record.card = id;
    record.version = 1;
    record.group = group;
    record.state = state;
    memset(record.iccid, (int)id, sizeof(record.iccid));
    record.iccid[0] = 0x98; // "89"
    const struct card_new card = {.record = &record};
    assert_int_equal(store_card_add(store, &card), STORE_OK);
}

static void place(uint64_t id, uint64_t group, uint8_t state)
{
    static struct record before;
    static struct record next;
    assert_int_equal(store_card_load(store, id, &before), STORE_OK);
    next = before;
    next.version++;
    next.group = group;
    next.state = state;
    assert_int_equal(store_card_save(store, &before, &next), STORE_OK);
}

static void cards_of_a_group_are_counted_as_they_change(void **state)
{
    (void)state;
    uint64_t counts[CARD_STATES];
    assert_int_equal(store_begin(store), STORE_OK);
    add_card(0x11, 0, CARD_IMPORTED);
    add_card(0x12, 7, CARD_IMPORTED);
    add_card(0x13, 7, CARD_IMPORTED);
    place(0x11, 7, CARD_SEEN);        // into the group
    place(0x12, 7, CARD_OPERATIONAL); // stays
    place(0x13, 8, CARD_OPERATIONAL); // into another
    place(0x11, 7, CARD_OPERATIONAL);
    assert_int_equal(store_commit(store), STORE_OK);
    forget();
    assert_int_equal(store_group_states(store, 7, counts), STORE_OK);
    assert_int_equal(counts[CARD_IMPORTED] + counts[CARD_SEEN], 0);
    assert_int_equal(counts[CARD_OPERATIONAL], 2);
    assert_int_equal(store_group_states(store, 8, counts), STORE_OK);
    assert_int_equal(counts[CARD_OPERATIONAL], 1);
    expect("SEARCH group_count USING PRIMARY KEY (grp=?)");
    assert_int_equal(store_begin(store), STORE_OK);
    place(0x13, 0, CARD_RETIRED); // out of all
    assert_int_equal(store_commit(store), STORE_OK);
    assert_int_equal(store_group_states(store, 8, counts), STORE_OK);
    assert_int_equal(counts[CARD_OPERATIONAL] + counts[CARD_RETIRED], 0);
    assert_int_equal(store_group_states(store, 0, counts), STORE_OK);
    assert_int_equal(counts[CARD_RETIRED], 0); // cards of no group are no group
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cards_are_found_by_what_was_asked_for),
        TEST(cards_of_everybody_are_found_by_what_was_asked_for),
        TEST(the_trail_is_found_by_what_was_asked_for),
        TEST(subscriptions_are_found_by_what_was_asked_for),
        TEST(cards_of_a_group_are_counted_as_they_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
