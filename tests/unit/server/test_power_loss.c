// Power that goes away at any write, sync or truncation of the database: what was not synced is
// lost, comes in another order, or is torn. What was acknowledged survives, nothing is half done,
// and the trail is whole.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/fault_lab.h"
#include "tests/unit/server/lost_writes.h"

#include "common/base/prng.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define CUTS 150        // more with OTARIA_POWER_CUTS
#define CUTS_OF_ONE 500 // of one database
#define CALLS 160       // a life ends at one of so many first calls of the disk
#define ACKS_MAX 65536

static struct prng chance;
static uint64_t acks[ACKS_MAX]; // ids of operations that were answered as accepted
static size_t ack_count;
static uint64_t heard; // strays that were acknowledged

static void note_heard(void *context, enum store_status status)
{
    (void)context;
    heard += status == STORE_OK;
}

// Works until the power goes.
static void live(void)
{
    for (uint64_t i = prng_below(&chance, CARDS);; i++) {
        const uint64_t card = 1 + i % CARDS;
        const uint64_t id = ask(card);
        hear_a_stray(note_heard, NULL);
        const enum turn_status status = run();
        if (status == TURN_OK && answered.refusal == REFUSAL_NONE && ack_count < ACKS_MAX)
            acks[ack_count++] = id;
        if (status != TURN_OK)
            return;
        const struct event cancel = {.type = EVENT_CANCEL, .operation = id};
        assert_true(turn_event(turn, card, &cancel, note_answer, NULL));
        if (run() != TURN_OK)
            return;
    }
}

// Opens after a cut; false when the power went again meanwhile.
static bool start(void)
{
    struct store *opened = fault_lab_try();
    return opened != NULL && turn_start(turn, world.now) == TURN_OK;
}

static void lose_power(void)
{
    close_server(); // without effect on the disk: it is dark
    faulty_disk_set(DISK_GOOD, 0, false);
    lost_writes_cut(&chance);
    world.now.ms += 61000; // audits of the cards that were under way become due
}

static size_t missing(size_t from)
{
    size_t count = 0;
    for (size_t i = from; i < ack_count; i++)
        count += !is_stored(acks[i]);
    return count;
}

// They are swept after a day, which a long run outlasts: only the newest can be counted.
static uint64_t strays_since(struct utc from)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*) FROM stray WHERE at > ?", -1, &query, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_bind_int64(query, 1, from.ms), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    const uint64_t count = (uint64_t)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return count;
}

static unsigned cuts(void)
{
    const char *wanted = getenv("OTARIA_POWER_CUTS");
    return wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : CUTS;
}

static int open_watched(void **state)
{
    ack_count = 0;
    heard = 0;
    const int failed = fault_lab_open(state);
    if (failed != 0)
        return failed;
    close_server();
    lost_writes_begin();
    return start() ? 0 : 1;
}

static int close_watched(void **state)
{
    faulty_disk_set(DISK_GOOD, 0, false);
    lost_writes_end();
    return fault_lab_close(state);
}

// So many cuts of one database; each ends with less than it could do, and begins with what is
// there.
static void cut_one(unsigned count)
{
    uint64_t heard_before = 0;
    struct utc checked_at = world.now;
    ack_count = 0;
    heard = 0;
    for (unsigned i = 0; i < count; i++) {
        const size_t before = ack_count;
        faulty_disk_set(DISK_LOSES_POWER, 1 + (uint32_t)prng_below(&chance, CALLS), true);
        if (turn != NULL || start())
            live();
        lose_power();
        if (i % 4 != 0)
            continue; // the next life begins with what is on the disk, and may be cut at once
        assert_true(start());
        assert_int_equal(missing(before), 0);
        assert_true(strays_since(checked_at) >= heard - heard_before);
        heard_before = heard;
        checked_at = world.now;
        assert_whole();
    }
    if (turn == NULL)
        assert_true(start());
    assert_int_equal(missing(0), 0);
    assert_true(strays_since(checked_at) >= heard - heard_before);
    assert_whole();
    assert_true(ack_count > count / 2 && heard > count / 2); // there was something to lose
    assert_true(lost_writes_count() > count);
}

static void what_was_acknowledged_survives_every_loss_of_power(void **state)
{
    const unsigned count = cuts();
    size_t acks_in_all = 0;
    prng_init(&chance, 1, "power", 0);
    for (unsigned done = 0; done < count; done += CUTS_OF_ONE) {
        if (done > 0) { // looking at a whole database takes longer the more happened to it
            assert_int_equal(close_watched(state), 0);
            assert_int_equal(open_watched(state), 0);
        }
        cut_one(count - done < CUTS_OF_ONE ? count - done : CUTS_OF_ONE);
        acks_in_all += ack_count;
    }
    (void)printf("figure {\"name\": \"fault.power_cuts\", \"value\": %u, \"unit\": \"cuts\", "
                 "\"what\": \"of the server's disk, %zu acknowledged changes\"}\n",
                 count, acks_in_all);
}

// The same with a disk that only says that it synced: the test must see what is missing.
static void a_disk_that_lies_about_syncs_is_noticed(void **state)
{
    (void)state;
    bool is_noticed = false;
    prng_init(&chance, 2, "lies", 0);
    for (unsigned i = 0; i < 50 && !is_noticed; i++) {
        faulty_disk_set(DISK_LIES, 1, true);
        const uint64_t id = ask(1 + i % CARDS);
        assert_int_equal(run(), TURN_OK);
        if (answered.refusal == REFUSAL_NONE)
            acks[ack_count++] = id;
        faulty_disk_set(DISK_LOSES_POWER, 1, true);
        lose_power();
        is_noticed = !start() || missing(0) > 0;
    }
    assert_true(is_noticed);
}

static enum store_status add_stray(void *context, struct store *s, struct utc now)
{
    (void)context;
    const struct stray v = {.number = "1", .packet_len = 4, .packet = "part"};
    return store_stray_add(s, &v, now);
}

// Parts of a load are not synced one by one: with their end they are durable, without it the
// registry is as it was, or has the first ones of them.
static void parts_are_durable_with_their_end(void **state)
{
    (void)state;
    prng_init(&chance, 3, "parts", 0);
    for (unsigned i = 0; i < 60; i++) {
        const bool has_end = i % 2 == 0;
        uint64_t before = 0;
        uint64_t after = 0;
        assert_int_equal(store_strays_count(store, &before), STORE_OK);
        for (unsigned k = 0; k < 3; k++) {
            assert_true(turn_write_part(turn, add_stray, note_done, NULL));
            assert_int_equal(run(), TURN_OK);
        }
        if (has_end) {
            assert_true(turn_write(turn, add_stray, note_done, NULL));
            assert_int_equal(run(), TURN_OK);
        }
        faulty_disk_set(DISK_LOSES_POWER, 1, true);
        lose_power();
        assert_true(start());
        assert_int_equal(store_strays_count(store, &after), STORE_OK);
        assert_true(has_end ? after == before + 4 : after >= before && after <= before + 3);
        assert_whole();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_watched, close_watched)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_acknowledged_survives_every_loss_of_power),
        TEST(a_disk_that_lies_about_syncs_is_noticed),
        TEST(parts_are_durable_with_their_end),
    };
    faulty_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
