// After a restore all cards are in doubt: when each of them is asked first.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/backup.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void restore_within(int64_t spread_ms)
{
    struct event e = {.type = EVENT_RESTORE, .as.restore.spread_ms = spread_ms};
    world_event(&world, &e);
}

static int64_t first_audit_ms(void)
{
    return world.record.next_audit_at.ms - world.now.ms;
}

static void without_a_spread_a_card_is_asked_after_a_minute(void **state)
{
    (void)state;
    restore_within(0);
    assert_int_equal(first_audit_ms(), MINUTE);
}

// It is sent nothing any more; but its counters are those of a server that goes on.
static void a_retired_card_is_in_no_doubt(void **state)
{
    (void)state;
    const uint64_t counter = world.record.mt_counter;
    world.record.state = CARD_RETIRED;
    restore_within(100 * MINUTE);
    assert_int_equal(world.record.dirty_since.ms, 0);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.record.wake_at.ms, 0);
    assert_int_equal(world.decision.send_count, 0);
    assert_true(world.record.mt_counter >= counter + COUNTER_JUMP);
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_CARD_RETIRED);
    assert_int_equal(world.record.dirty_since.ms, 0);
}

// Of 100 cards over 100 minutes, each tenth has some.
static void cards_are_asked_all_over_the_spread(void **state)
{
    (void)state;
    unsigned tenths[10] = {0};
    for (uint64_t card = 1; card <= 100; card++) {
        world_close(&world);
        world_init(&world);
        world.record.card = card;
        restore_within(100 * MINUTE);
        const int64_t behind_ms = first_audit_ms() - MINUTE;
        assert_in_range(behind_ms, 0, 100 * MINUTE);
        tenths[behind_ms < 100 * MINUTE ? behind_ms / (10 * MINUTE) : 9]++;
        assert_int_equal(world.record.wake_at.ms, world.record.next_audit_at.ms);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_in_range(tenths[i], 1, 30);
}

static void a_card_that_was_in_doubt_keeps_its_times(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    restore_within(100 * HOUR);
    assert_int_equal(first_audit_ms(), MINUTE);
}

static void a_card_that_makes_contact_is_asked_within_30_s(void **state)
{
    (void)state;
    restore_within(100 * HOUR);
    assert_true(first_audit_ms() > 2 * MINUTE);
    struct event e = {.type = EVENT_CONTACT};
    world_event(&world, &e);
    assert_in_range(first_audit_ms(), 0, 30 * SECOND);
}

static void ask_as(uint8_t actor, int64_t later_ms)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = actor, .id = 3}};
    struct operation *o = &e.as.request.operation;
    o->id = world.next_id++;
    o->kind = OPERATION_DELETE;
    o->wait_until_clean = true;
    o->not_before = utc_after(world.now, later_ms);
    o->target = record_slot_name(&world.record.slots[1]);
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
}

static void a_card_for_which_somebody_waits_is_asked_now(void **state)
{
    (void)state;
    restore_within(100 * HOUR);
    assert_true(first_audit_ms() > HOUR);
    ask_as(ACTOR_RULE, 0);
    assert_int_equal(world.decision.send_count, 0);
    ask_as(ACTOR_USER, HOUR);
    assert_int_equal(world.decision.send_count, 0);
    assert_true(first_audit_ms() > HOUR);
    world_wake_after(&world, HOUR);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

// The schedule after the first attempt is that of doubt: 5 min after it began.
static void only_the_first_attempt_is_moved(void **state)
{
    (void)state;
    restore_within(100 * HOUR);
    ask_as(ACTOR_CLIENT, 0);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(first_audit_ms(), MINUTE);
    ask_as(ACTOR_CLIENT, 0);
    assert_int_equal(first_audit_ms(), MINUTE);
}

// --- the turn --------------------------------------------------------------------------------

#define CARDS 8

static struct server_crypto crypto;
static struct store *store;

static void send_nothing(void *context, const struct message *m)
{
    (void)context;
    (void)m;
}

static int open_store(void **state)
{
    (void)set_up(state);
    if (!server_crypto_open(&crypto))
        return 1;
    struct store_options options = {.path = ":memory:", .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    assert_int_equal(store_open(&options, &store), STORE_OK);
    assert_int_equal(store_begin(store), STORE_OK);
    for (uint8_t i = 1; i <= CARDS; i++) {
        struct record r = world.record;
        r.card = i;
        r.iccid[8] = i;
        for (uint8_t k = 0; k < r.slot_count; k++) {
            r.slots[k].subscription = 0;
            r.slots[k].fact.imsi[6] = i;
        }
        const struct card_new c = {.record = &r, .at = world.now};
        assert_int_equal(store_card_add(store, &c), STORE_OK);
    }
    assert_int_equal(store_commit(store), STORE_OK);
    return 0;
}

static int close_store(void **state)
{
    store_close(store);
    server_crypto_close(&crypto);
    return tear_down(state);
}

// The latest first audit of all cards, with so much between two.
static int64_t latest_with(uint64_t gap_us)
{
    const struct turn_options t = {.store = store,
                                   .policy = &world.policy,
                                   .audit_gap_us = gap_us,
                                   .cipher = crypto.store.cipher,
                                   .send = send_nothing};
    struct turn *turn = turn_open(&t);
    int64_t latest_ms = 0;
    assert_non_null(turn);
    assert_int_equal(store_put_back(store, world.now), STORE_OK);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    for (uint64_t i = 1; i <= CARDS; i++) {
        struct record r;
        assert_int_equal(store_card_load(store, i, &r), STORE_OK);
        assert_true(r.reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0);
        const int64_t ms = r.next_audit_at.ms - world.now.ms;
        assert_true(ms >= MINUTE);
        latest_ms = ms > latest_ms ? ms : latest_ms;
    }
    turn_close(turn);
    return latest_ms;
}

static void a_server_without_links_spreads_nothing(void **state)
{
    (void)state;
    assert_int_equal(latest_with(0), MINUTE);
}

// One in 100 s, 8 cards: 800 s and a quarter.
static void the_spread_is_what_the_links_take_and_a_quarter_more(void **state)
{
    (void)state;
    assert_in_range(latest_with(100000000), MINUTE + 500 * SECOND, MINUTE + 1000 * SECOND);
}

static void the_spread_is_two_days_at_most(void **state)
{
    (void)state;
    assert_in_range(latest_with(86400 * UINT64_C(1000000)), 24 * HOUR, 48 * HOUR + MINUTE);
}

#define DECIDE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TURN(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DECIDE(a_retired_card_is_in_no_doubt),
        DECIDE(without_a_spread_a_card_is_asked_after_a_minute),
        DECIDE(cards_are_asked_all_over_the_spread),
        DECIDE(a_card_that_was_in_doubt_keeps_its_times),
        DECIDE(a_card_that_makes_contact_is_asked_within_30_s),
        DECIDE(a_card_for_which_somebody_waits_is_asked_now),
        DECIDE(only_the_first_attempt_is_moved),
        TURN(a_server_without_links_spreads_nothing),
        TURN(the_spread_is_what_the_links_take_and_a_quarter_more),
        TURN(the_spread_is_two_days_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
