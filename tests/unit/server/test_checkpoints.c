// When the turn writes checkpoints of the trail, and how long rows are without one.
#include "tests/lib/cmocka_all.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"

#include <unistd.h>

#define MINUTE 60000

static struct utc now = {1784894400000}; // 2026-07-24T12:00:00Z
static struct policy policy;
static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static enum store_status done_status;

static void send_nothing(void *context, const struct message *m)
{
    (void)context;
    (void)m;
}

static void open_turn(const char *checkpoints)
{
    struct store_options options = {
        .path = ":memory:", .checkpoints = checkpoints, .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    policy_default(&policy);
    assert_true(server_crypto_open(&crypto));
    assert_int_equal(store_open(&options, &store), STORE_OK);
    const struct turn_options t = {
        .store = store, .policy = &policy, .cipher = crypto.store.cipher, .send = send_nothing};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, now), TURN_OK);
}

static int close_turn(void **state)
{
    (void)state;
    turn_close(turn);
    store_close(store);
    server_crypto_close(&crypto);
    return 0;
}

static void note_done(void *context, enum store_status status)
{
    (void)context;
    done_status = status;
}

static void run_at(struct utc at)
{
    now = at;
    assert_int_equal(turn_run(turn, at), TURN_OK);
}

static enum store_status write_row(void *context, struct store *to, struct utc at)
{
    const struct trail_new row = {.at = at, .action = "test.done", .object_kind = "test"};
    (void)context;
    return store_trail_add(to, &row);
}

static void add_row(void)
{
    assert_true(turn_write(turn, write_row, note_done, NULL));
    run_at(utc_after(now, 20));
    assert_int_equal(done_status, STORE_OK);
}

// They are written at the end of a turn, and here nobody asks for one.
static void rows_get_a_checkpoint_after_15_minutes_also_when_nothing_happens(void **state)
{
    (void)state;
    (void)unlink("turn-checkpoints");
    open_turn("turn-checkpoints");
    add_row(); // the first turn writes one
    const struct utc first = now;
    assert_int_equal(turn_uncovered_ms(turn, utc_after(first, 5)), 0);
    assert_int_equal(turn_due(turn).ms, 0);
    add_row();
    const struct utc second = now;
    assert_int_equal(turn_uncovered_ms(turn, utc_after(second, 5)), 5);
    assert_int_equal(turn_due(turn).ms, utc_after(first, 15 * MINUTE).ms);
    run_at(utc_after(first, 15 * MINUTE - 1));
    assert_int_equal(turn_uncovered_ms(turn, now), now.ms - second.ms);
    run_at(utc_after(first, 15 * MINUTE));
    assert_int_equal(turn_uncovered_ms(turn, utc_after(now, 5)), 0);
    assert_int_equal(turn_due(turn).ms, 0);
    (void)unlink("turn-checkpoints");
}

static void a_checkpoint_that_cannot_be_written_is_tried_again_each_minute(void **state)
{
    (void)state;
    open_turn("no-such-folder/checkpoints");
    add_row();
    const struct utc first = now;
    assert_int_equal(turn_uncovered_ms(turn, utc_after(first, 7)), 7);
    assert_int_equal(turn_due(turn).ms, utc_after(first, MINUTE).ms);
    const uint64_t failures = turn_counts(turn).failures;
    run_at(utc_after(first, MINUTE));
    assert_int_equal(turn_counts(turn).failures, failures + 1);
    assert_int_equal(turn_uncovered_ms(turn, now), MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows_get_a_checkpoint_after_15_minutes_also_when_nothing_happens,
                                  close_turn),
        cmocka_unit_test_teardown(a_checkpoint_that_cannot_be_written_is_tried_again_each_minute,
                                  close_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
