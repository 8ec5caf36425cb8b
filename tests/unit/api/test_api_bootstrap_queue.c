// Who waits for a bootstrap: in which order cards go on, what wakes them, and that waiting is free.
#include "ota-server/service/download_hold.h"
#include "ota-server/service/turn_part.h"
#include "ota-server/store/driver.h"
#include "ota-server/store/places.h"
#include "tests/unit/api/group_lab.h"

#include <stdio.h>

// The turn does not see what becomes of the job.
static void change_unseen(uint64_t card, uint8_t state, uint8_t job)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    struct record next = record;
    next.version++;
    next.state = state;
    next.bootstrap.state = job;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// Four cards, and a place for one.
static void queue_up(uint64_t cards[4])
{
    rule(",\"concurrency\":1");
    for (unsigned i = 0; i < 4; i++) {
        char iccid[21], first[16], second[16];
        (void)snprintf(iccid, sizeof(iccid), "8999900000000000005%u", i);
        (void)snprintf(first, sizeof(first), "00101000000010%u", i);
        (void)snprintf(second, sizeof(second), "00101000000020%u", i);
        cards[i] = new_card(iccid, first, second);
    }
    for (unsigned i = 0; i < 8; i++) {
        char imsi[16];
        (void)snprintf(imsi, sizeof(imsi), "99970000000020%u", i);
        (void)lab_subscription(&lab, pool, imsi);
    }
    static const uint8_t order[] = {2, 0, 3, 1};
    for (unsigned i = 0; i < 4; i++) {
        lab.now.utc.ms += 1000;
        contact(cards[order[i]]);
    }
}

static void who_waits_goes_on_in_the_order_of_beginning(void **state)
{
    (void)state;
    uint64_t cards[4];
    queue_up(cards);
    assert_int_equal(state_of(cards[2]), BOOTSTRAP_DOWNLOADING);
    contact(cards[1]); // it does not get before others
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_WAITING);
    refuse(cards[2]);
    assert_int_equal(state_of(cards[0]), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(state_of(cards[3]), BOOTSTRAP_WAITING);
    // The next one is in doubt: it stays where it is, and another goes on.
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    tell(cards[3], &e);
    refuse(cards[0]);
    assert_int_equal(state_of(cards[3]), BOOTSTRAP_WAITING);
    assert_int_equal(state_of(cards[1]), BOOTSTRAP_DOWNLOADING);
    e = (struct event){.type = EVENT_CLEAR_DIRTY};
    tell(cards[3], &e);
    assert_int_equal(state_of(cards[3]), BOOTSTRAP_WAITING);
    refuse(cards[1]);
    assert_int_equal(state_of(cards[3]), BOOTSTRAP_DOWNLOADING);
}

static void what_waits_costs_nothing_and_survives_a_crash(void **state)
{
    (void)state;
    uint64_t cards[4];
    open_on_disk();
    queue_up(cards);
    (void)state_of(cards[0]);
    const uint64_t version = record.version;
    uint64_t sequence, after;
    uint8_t hash[32];
    assert_int_equal(store_trail_head(lab.store, &sequence, hash), STORE_OK);
    for (unsigned i = 0; i < 20; i++) { // ten minutes each, and of six hours each a look
        lab.now.utc.ms += 600000;
        lab_turn(&lab);
    }
    (void)state_of(cards[0]);
    assert_true(record.version == version);
    assert_int_equal(store_trail_head(lab.store, &after, hash), STORE_OK);
    assert_true(after == sequence);
    crash();
    (void)state_of(cards[0]);
    assert_true(record.version == version);
    // What frees a place is lost with the server; what waits is not.
    change_unseen(cards[2], CARD_SEEN, BOOTSTRAP_FAILED);
    assert_int_equal(state_of(cards[0]), BOOTSTRAP_WAITING);
    crash();
    assert_int_equal(state_of(cards[0]), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(state_of(cards[3]), BOOTSTRAP_WAITING);
}

// Should nothing have told that a place is free: hours later it is seen.
static void nobody_waits_for_ever(void **state)
{
    (void)state;
    uint64_t cards[4];
    queue_up(cards);
    change_unseen(cards[2], CARD_SEEN, BOOTSTRAP_FAILED);
    lab.now.utc.ms += 6 * INT64_C(3600000);
    lab_turn(&lab);
    assert_int_equal(state_of(cards[0]), BOOTSTRAP_DOWNLOADING);
}

static void set_behind(const char *text, uint64_t card)
{
    struct query q = query_text(lab.store, text);
    bind_number(&q, 1, (int64_t)card);
    assert_int_equal(query_run(&q), STORE_OK);
}

// An upgrade gives a place to all that are at it, and does not read their records.
static void who_soaks_elsewhere_gives_back_a_place_that_an_upgrade_gave(void **state)
{
    (void)state;
    uint64_t cards[4];
    queue_up(cards);
    change_unseen(cards[2], CARD_BOOTSTRAPPING, BOOTSTRAP_SOAKING);
    set_behind("UPDATE card SET place = -1 WHERE id = $1", cards[2]);
    contact(cards[2]);
    assert_int_equal(bootstrap_place(&record), PLACE_NONE);
    lab.now.utc.ms += 6 * INT64_C(3600000);
    lab_turn(&lab);
    assert_int_equal(state_of(cards[0]), BOOTSTRAP_DOWNLOADING);
}

// Its deadlines are due when they were.
static void a_place_that_is_postponed_moves_nothing_later(void **state)
{
    (void)state;
    uint64_t cards[4];
    struct utc due;
    queue_up(cards);
    set_behind("UPDATE card SET wake_at = 1000 WHERE id = $1", cards[0]);
    assert_int_equal(store_place_postpone(lab.store, cards[0], (struct utc){2000}), STORE_OK);
    assert_int_equal(store_next_due(lab.store, &due), STORE_OK);
    assert_true(due.ms == 1000);
    assert_int_equal(store_place_postpone(lab.store, cards[0], (struct utc){500}), STORE_OK);
    assert_int_equal(store_next_due(lab.store, &due), STORE_OK);
    assert_true(due.ms == 500);
    set_behind("UPDATE card SET wake_at = 0 WHERE id = $1", cards[0]);
    assert_int_equal(store_place_postpone(lab.store, cards[0], (struct utc){700}), STORE_OK);
    assert_int_equal(store_next_due(lab.store, &due), STORE_OK);
    assert_true(due.ms == 700);
}

static bool count_rule_rows(void *context, const struct trail_row *row)
{
    const bool is_begun =
        strcmp(row->action, "card.bootstrap") == 0 && strcmp(row->after, "DOWNLOADING") == 0;
    assert_true(!is_begun || (row->actor.kind == ACTOR_RULE && row->actor.id == group));
    *(unsigned *)context += is_begun;
    return true;
}

static void what_the_queue_does_is_done_by_the_rule_of_the_group(void **state)
{
    (void)state;
    uint64_t cards[4];
    struct trail_filter filter;
    const struct store_page page = {.limit = 500};
    unsigned count = 0;
    queue_up(cards);
    trail_filter_init(&filter);
    assert_int_equal(store_trail(lab.store, &filter, &page, count_rule_rows, &count, NULL),
                     STORE_OK);
    assert_int_equal(count, 1);
}

// A card without keys: nothing can be sent to it, and it must not stand before others.
static void a_card_that_cannot_begin_lets_others_go_on(void **state)
{
    (void)state;
    uint64_t cards[4];
    queue_up(cards);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_keys_erase(lab.store, cards[0]), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    refuse(cards[2]);
    assert_int_equal(state_of(cards[0]), BOOTSTRAP_WAITING);
    assert_int_equal(state_of(cards[3]), BOOTSTRAP_DOWNLOADING);
    free_are(4);
    refuse(cards[3]);
    assert_int_equal(state_of(cards[1]), BOOTSTRAP_DOWNLOADING);
    lab.now.utc.ms += 3600000; // it is tried again, to no more avail
    lab_turn(&lab);
    free_are(2);
}

static bool is_held(void)
{
    struct utc since;
    assert_int_equal(download_hold_since(lab.store, &since), STORE_OK);
    return since.ms != 0;
}

// A look goes over all cards that a restore put in doubt and that do not count.
static void whether_downloads_are_held_is_looked_at_once_a_minute(void **state)
{
    (void)state;
    struct event doubt = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    struct event retire = {.type = EVENT_RETIRE};
    const uint64_t cards[] = {
        new_card("89999000000000000050", "001010000000100", "001010000000200"),
        new_card("89999000000000000051", "001010000000101", "001010000000201")};
    tell(cards[0], &doubt);
    tell(cards[1], &doubt);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(download_hold_begin(lab.store, lab.now.utc), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab.turn->hold.is_known = false; // as after a start
    tell(cards[0], &retire);         // the first look
    const struct utc looked_at = lab.now.utc;
    tell(cards[1], &retire);
    lab.now.utc.ms = looked_at.ms + 59000;
    lab_turn(&lab);
    assert_true(is_held());
    lab.now.utc.ms = looked_at.ms + 60000;
    lab_turn(&lab);
    assert_false(is_held());
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_waits_goes_on_in_the_order_of_beginning),
        CASE(what_waits_costs_nothing_and_survives_a_crash),
        CASE(nobody_waits_for_ever),
        CASE(who_soaks_elsewhere_gives_back_a_place_that_an_upgrade_gave),
        CASE(a_place_that_is_postponed_moves_nothing_later),
        CASE(what_the_queue_does_is_done_by_the_rule_of_the_group),
        CASE(a_card_that_cannot_begin_lets_others_go_on),
        CASE(whether_downloads_are_held_is_looked_at_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
