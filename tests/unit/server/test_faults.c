// The turn when the machine fails: disk full, failing writes and syncs, a lock that another process
// holds, kill -9, an older copy of the database put back. What was acknowledged is never missing.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/database_mark.h"
#include "tests/unit/server/fault_lab.h"
#include "tests/unit/server/faulty_statement.h"

#include "common/base/prng.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR_MS 3600000

#define KILLS 200
#define NOT_CHANGED " value " // has the probe of a disk that could not be written

// --- the disk --------------------------------------------------------------------------------

static void refuse_everything_and_recover(enum disk_fault fault)
{
    faulty_disk_set(fault, 1, true);
    const uint64_t lost = ask(1);
    hear_a_stray(note_done, NULL);
    assert_int_equal(run(), TURN_RETRY);
    assert_false(turn_can_write(turn));
    assert_int_equal(answered.refusal, REFUSAL_OVERLOADED);
    assert_int_equal(answered.operation, 0);
    assert_int_equal(done_status, STORE_FULL);
    assert_int_equal(sent_count, 0);
    faulty_disk_set(DISK_GOOD, 0, false);
    const uint64_t kept = ask(1);
    hear_a_stray(note_done, NULL);
    assert_int_equal(run(), TURN_OK);
    assert_true(turn_can_write(turn));
    assert_int_equal(answered.refusal, REFUSAL_NONE);
    assert_int_equal(done_status, STORE_OK);
    assert_int_equal(sent_count, 1);
    assert_false(is_stored(lost));
    assert_true(is_stored(kept));
    assert_whole();
}

static void a_full_disk_refuses_for_now_and_the_next_turn_works(void **state)
{
    (void)state;
    refuse_everything_and_recover(DISK_FULL);
}

static void a_failing_write_refuses_for_now_and_the_next_turn_works(void **state)
{
    (void)state;
    refuse_everything_and_recover(DISK_WRITE_FAILS);
}

static void reads_go_on_while_the_disk_is_full(void **state)
{
    (void)state;
    const uint64_t kept = ask(1);
    assert_int_equal(run(), TURN_OK);
    faulty_disk_set(DISK_FULL, 1, true);
    (void)ask(2);
    assert_int_equal(run(), TURN_RETRY);
    assert_true(is_stored(kept));
    struct record r;
    assert_int_equal(store_card_load(store, 1, &r), STORE_OK);
    assert_true(r.has_open);
}

// Nobody's packets are made again and again meanwhile.
static void a_full_disk_is_asked_before_work_and_ever_more_seldom(void **state)
{
    (void)state;
    static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 64000};
    faulty_disk_set(DISK_FULL, 1, true);
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        const uint64_t events = turn_counts(turn).events;
        (void)ask(1);
        assert_int_equal(turn_run(turn, world.now), TURN_RETRY);
        assert_int_equal(answered.refusal, REFUSAL_OVERLOADED);
        assert_int_equal(turn_due(turn).ms, world.now.ms + waits_ms[i]);
        assert_true(turn_counts(turn).events == events + (i == 0)); // the first one did not know
        world.now.ms += waits_ms[i];
    }
    faulty_disk_set(DISK_GOOD, 0, false);
    (void)ask(1);
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(sent_count, 1);
    faulty_disk_set(DISK_FULL, 1, true);
    (void)ask(2);
    assert_int_equal(turn_run(turn, world.now), TURN_RETRY);
    assert_int_equal(turn_due(turn).ms, world.now.ms + 1000); // and anew
    faulty_disk_set(DISK_GOOD, 0, false);
    (void)ask(3);
    assert_int_equal(run(), TURN_OK);
}

// Every call in turn: whatever failed, what was answered is there and what was not is not claimed.
static void each_call_fails_once(enum disk_fault fault)
{
    uint64_t id = 0;
    for (uint32_t at = 1; at <= 400; at++) {
        faulty_disk_set(fault, at, false);
        id = ask(1 + at % CARDS);
        hear_a_stray(note_done, NULL);
        const enum turn_status status = run();
        const bool was_hit = faulty_disk_hits() > 0;
        faulty_disk_set(DISK_GOOD, 0, false);
        assert_int_not_equal(status, TURN_STOP);
        // Whom the undone turn would have woken later may be due now.
        assert_true(status == TURN_OK || turn_due(turn).ms <= world.now.ms + 1000);
        if (answered.refusal == REFUSAL_NONE)
            assert_true(is_stored(id));
        else
            assert_true(was_hit || answered.refusal == REFUSAL_QUEUE_FULL);
        struct event cancel = {.type = EVENT_CANCEL, .operation = id};
        assert_true(turn_event(turn, 1 + at % CARDS, &cancel, NULL, NULL));
        assert_int_equal(run(), TURN_OK); // it works again, without a restart
        assert_whole();
        if (!was_hit)
            return; // the fault lies behind the last call
    }
    fail_msg("a turn of two events made more than 400 calls");
}

static void each_write_of_a_turn_may_fail(void **state)
{
    (void)state;
    each_call_fails_once(DISK_FULL);
    each_call_fails_once(DISK_WRITE_FAILS);
}

static void each_read_of_a_turn_may_fail(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 60; at++) {
        reopen(); // nothing is in the cache: every turn reads
        sqlite3_release_memory(1 << 30);
        faulty_disk_set(DISK_READ_FAILS, at, false);
        const uint64_t id = ask(1 + at % CARDS);
        const uint64_t other = ask(1 + (at + 1) % CARDS);
        struct turn_answer last;
        const enum turn_status status = run();
        last = answered;
        faulty_disk_set(DISK_GOOD, 0, false);
        assert_int_not_equal(status, TURN_STOP);
        if (status == TURN_OK && last.refusal == REFUSAL_NONE)
            assert_true(is_stored(other));
        if (status != TURN_OK)
            assert_false(is_stored(id));
        hear_a_stray(note_done, NULL);
        assert_int_equal(run(), TURN_OK);
        assert_int_equal(done_status, STORE_OK);
        assert_whole();
    }
}

static enum store_status write_value(void *context, struct store *s, struct utc now)
{
    (void)context;
    (void)now;
    return store_value_put(s, "written", bytes_of("1", 1));
}

// The engine undoes the whole transaction by itself; what comes behind must not be written alone.
static void each_statement_of_a_turn_may_fail(void **state)
{
    bool is_hit = true;
    (void)state;
    sqlite3 *db = database_mark_open(path);
    for (uint32_t at = 1; is_hit; at++) {
        const uint64_t id = ask_for(1, utc_after(world.now, 60 * 1000));
        const struct event cancel = {.type = EVENT_CANCEL, .operation = id};
        assert_int_equal(run(), TURN_OK);
        assert_int_equal(answered.refusal, REFUSAL_NONE);
        const uint64_t content = database_mark_of(db, NOT_CHANGED).content;
        faulty_statement_set(at);
        assert_true(turn_event(turn, 1, &cancel, note_answer, NULL)); // counts as a figure
        assert_true(turn_write(turn, write_value, note_done, NULL));
        const enum turn_status status = run();
        is_hit = faulty_statement_was_hit();
        faulty_statement_set(0);
        assert_int_not_equal(status, TURN_STOP);
        assert_true(is_hit || status == TURN_OK);
        if (status != TURN_OK && database_mark_of(db, NOT_CHANGED).content != content)
            fail_msg("written beside the turn whose statement %u failed", at);
        assert_true(status == TURN_OK || done_status != STORE_OK);
        assert_true(status == TURN_OK || answered.refusal != REFUSAL_NONE);
        if (answered.refusal == REFUSAL_OVERLOADED) {
            assert_true(turn_event(turn, 1, &cancel, note_answer, NULL));
            assert_int_equal(run(), TURN_OK);
        }
        assert_int_equal(answered.refusal, REFUSAL_NONE);
        assert_whole();
    }
    database_mark_close(db);
}

static void a_failed_sync_stops_the_server_and_nothing_is_answered_as_done(void **state)
{
    (void)state;
    faulty_disk_set(DISK_SYNC_FAILS, 1, false);
    (void)ask(1);
    hear_a_stray(note_done, NULL);
    assert_int_equal(run(), TURN_STOP);
    assert_int_equal(answered.refusal, REFUSAL_OVERLOADED);
    assert_int_equal(done_status, STORE_LOST);
    assert_int_equal(sent_count, 0);
    faulty_disk_set(DISK_GOOD, 0, false);
    reopen();
    assert_whole();
}

// The log is copied into the database now and then: a sync that fails there counts as well.
static void a_failed_sync_behind_the_commit_stops_the_server_too(void **state)
{
    (void)state;
    enum turn_status status = TURN_OK;
    for (int i = 0; i < 100 && status == TURN_OK; i++) {
        for (int k = 0; k < 1000; k++)
            hear_a_stray(NULL, NULL);
        faulty_disk_set(DISK_SYNC_FAILS, 2, false); // the first one is the commit's own
        status = run();
    }
    assert_int_equal(status, TURN_STOP);
    faulty_disk_set(DISK_GOOD, 0, false);
    reopen();
    assert_whole();
}

// --- the lock --------------------------------------------------------------------------------

static void a_lock_held_by_another_process_refuses_for_now(void **state)
{
    (void)state;
    sqlite3 *other;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    const uint64_t lost = ask(1);
    hear_a_stray(note_done, NULL);
    assert_int_equal(run(), TURN_RETRY);
    assert_int_equal(answered.refusal, REFUSAL_OVERLOADED);
    assert_int_equal(done_status, STORE_BUSY);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    const uint64_t kept = ask(1);
    assert_int_equal(run(), TURN_OK);
    assert_false(is_stored(lost));
    assert_true(is_stored(kept));
    assert_whole();
}

// --- an older copy put back ------------------------------------------------------------------

static void put_back(const char *from)
{
    char file[128];
    snprintf(file, sizeof(file), "%s-wal", path);
    (void)unlink(file);
    snprintf(file, sizeof(file), "%s-shm", path);
    (void)unlink(file);
    assert_int_equal(rename(from, path), 0);
}

static void copy_database(void)
{
    sqlite3 *db;
    char text[160];
    snprintf(text, sizeof(text), "VACUUM INTO '%s'", copy);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static struct record load(uint64_t card)
{
    struct record r;
    assert_int_equal(store_card_load(store, card, &r), STORE_OK);
    return r;
}

static void an_older_copy_is_noticed_on_every_card_and_nothing_old_is_sent(void **state)
{
    (void)state;
    struct record before[CARDS + 1];
    (void)ask(1); // its packet waits in the copy
    assert_int_equal(run(), TURN_OK);
    copy_database();
    for (uint64_t i = 1; i <= CARDS; i++)
        before[i] = load(i);
    (void)ask(2); // after the copy: only the wire and the card know of it
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    assert_int_equal(load(2).mt_counter, before[2].mt_counter + 1);
    close_server();
    put_back(copy);
    sent_count = 0;
    open_server(note_sent, NULL);
    world.now.ms += 1000;
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    for (uint64_t i = 1; i <= CARDS; i++) {
        const struct record r = load(i);
        assert_int_equal(r.mt_counter, before[i].mt_counter + 8 * 65536);
        assert_int_equal(r.operation_id_last, before[i].operation_id_last + 65536);
        assert_true(r.reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0);
    }
    assert_int_equal(sent_count, 0);
    assert_int_equal(run(), TURN_OK);
    const struct record after = load(2);
    reopen(); // the new checkpoint is known: nothing jumps again
    assert_int_equal(load(2).mt_counter, after.mt_counter);
}

static bool are_downloads_held(void)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    const enum store_status status = store_value(store, "downloads_held", &w);
    assert_true(status == STORE_OK || status == STORE_NONE);
    return status == STORE_OK && w.len > 0;
}

static void restart_with_an_older_copy(void)
{
    (void)ask(1);
    assert_int_equal(run(), TURN_OK);
    assert_false(are_downloads_held());
    copy_database();
    (void)ask(2);
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    close_server();
    put_back(copy);
    open_server(note_sent, NULL);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
}

static void downloads_are_held_from_a_restore_until_no_card_is_in_doubt(void **state)
{
    (void)state;
    restart_with_an_older_copy();
    for (uint64_t i = 1; i <= CARDS; i++) {
        struct event e = {.type = EVENT_CLEAR_DIRTY};
        assert_true(are_downloads_held());
        assert_true(turn_event(turn, i, &e, NULL, NULL));
        assert_int_equal(run(), TURN_OK);
        if (i < CARDS)
            reopen(); // it is kept over a start
    }
    assert_false(are_downloads_held()); // the last one ends it at once
}

static void who_waits_for_cards_in_doubt_does_not_look_again_and_again(void **state)
{
    (void)state;
    restart_with_an_older_copy();
    const uint64_t turns = turn_counts(turn).turns;
    for (unsigned minute = 0; minute < 60; minute++) {
        world.now.ms += 60 * 1000;
        assert_int_equal(run(), TURN_OK);
    }
    assert_true(are_downloads_held());
    assert_in_range(turn_counts(turn).turns - turns, 0, 30);
}

static void give(uint64_t subscription, uint64_t card, uint8_t state)
{
    struct subscription s = {.id = subscription, .tenant = 1, .card = card, .state = state};
    memcpy(s.plan.imsi, (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 7, (uint8_t)subscription}, 9);
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_subscription_put(store, &s), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
}

static void want(uint64_t subscription)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {ACTOR_USER, 1}};
    struct operation *o = &e.as.request.operation;
    *o = (struct operation){.id = subscription + 1000,
                            .kind = OPERATION_DOWNLOAD,
                            .subscription = subscription,
                            .actor = {ACTOR_USER, 1},
                            .not_before = utc_after(world.now, HOUR_MS)};
    o->target.is_given = true;
    memcpy(o->download.imsi, (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 7, (uint8_t)subscription},
           9);
    memcpy(o->target.imsi, o->download.imsi, sizeof(o->target.imsi));
    assert_true(turn_event(turn, 1, &e, note_answer, NULL));
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(answered.refusal, REFUSAL_NONE);
}

static void of_two_downloads_that_became_another_cards_none_leaves(void **state)
{
    (void)state;
    for (uint64_t id = 0x11; id <= 0x12; id++) {
        give(id, 1, SUBSCRIPTION_RESERVED);
        want(id);
    }
    assert_int_equal(load(1).queue_len, 2);
    for (uint64_t id = 0x11; id <= 0x12; id++)
        give(id, 2, SUBSCRIPTION_ON_CARD);
    sent_count = 0;
    world.now.ms += HOUR_MS;
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(sent_count, 0);
    assert_int_equal(load(1).queue_len, 0);
    assert_false(load(1).has_open);
    for (uint64_t id = 0x11; id <= 0x12; id++) {
        struct operation o;
        uint64_t card;
        assert_int_equal(store_operation_get(store, id + 1000, &o, &card), STORE_OK);
        assert_int_equal(o.failure, FAILURE_REFUSED_AT_SEND);
    }
}

static void a_restore_that_is_cut_short_is_done_again(void **state)
{
    (void)state;
    (void)ask(1);
    assert_int_equal(run(), TURN_OK);
    copy_database();
    (void)ask(2);
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    close_server();
    put_back(copy);
    open_server(note_sent, NULL);
    faulty_disk_set(DISK_FULL, 1, true);
    assert_int_equal(turn_start(turn, world.now), TURN_RETRY);
    faulty_disk_set(DISK_GOOD, 0, false);
    reopen();
    for (uint64_t i = 1; i <= CARDS; i++)
        assert_true(load(i).reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0);
}

// Cards that were told before the crash have rows of now; how old the backup is was noted first.
static void a_restore_that_goes_on_knows_how_old_the_backup_was(void **state)
{
    (void)state;
    uint64_t before[CARDS + 1];
    sqlite3 *db;
    (void)ask(1);
    assert_int_equal(run(), TURN_OK);
    for (uint64_t i = 1; i <= CARDS; i++)
        before[i] = load(i).mt_counter;
    close_server();
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT OR REPLACE INTO value VALUES ('restored', CAST('yes' AS BLOB)),"
                     "('restored-age', X'000000000A4CB800')", // 2 days of ms
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    reopen();
    for (uint64_t i = 1; i <= CARDS; i++)
        assert_int_equal(load(i).mt_counter, before[i] + (8 + 2 * 1440) * 65536);
    reopen(); // it is over, and forgotten
    for (uint64_t i = 1; i <= CARDS; i++)
        assert_int_equal(load(i).mt_counter, before[i] + (8 + 2 * 1440) * 65536);
}

static void each_opening_of_a_file_may_fail(void **state)
{
    bool is_hit = true;
    (void)state;
    for (uint32_t n = 1; is_hit; n++) {
        const uint64_t kept = ask(1 + n % CARDS);
        assert_int_equal(run(), TURN_OK);
        assert_int_equal(answered.refusal, REFUSAL_NONE);
        close_server();
        faulty_disk_set(DISK_OPEN_FAILS, n, true);
        const bool has_started = fault_lab_try() != NULL && turn_start(turn, world.now) == TURN_OK;
        is_hit = faulty_disk_hits() > 0;
        assert_true(has_started != is_hit);
        faulty_disk_set(DISK_GOOD, 0, false);
        reopen();
        assert_true(is_stored(kept));
        assert_whole();
        world.now.ms += 10 * 60 * 1000; // what was asked for has expired
    }
}

// --- kill -9 ---------------------------------------------------------------------------------

enum ack_kind { ACK_ASKED, ACK_CANCELLED, ACK_HEARD, ACK_SENT };

// What a life of the server told the outside, in octets that no kill can cut [PIPE_BUF].
struct ack {
    uint8_t kind;
    uint64_t card, value; // operation or counter
};
#define ACKS_MAX 65536
static struct ack acks[ACKS_MAX];
static size_t ack_count;
static int outside; // the child's end of the pipe

static void tell(uint8_t kind, uint64_t card, uint64_t value)
{
    struct ack a;
    memset(&a, 0, sizeof(a));
    a.kind = kind;
    a.card = card;
    a.value = value;
    if (write(outside, &a, sizeof(a)) != (ssize_t)sizeof(a))
        _exit(2);
}

static void tell_sent(void *context, const struct message *m)
{
    (void)context;
    tell(ACK_SENT, m->card, m->counter);
}

static void tell_heard(void *context, enum store_status status)
{
    (void)context;
    if (status == STORE_OK)
        tell(ACK_HEARD, 0, 0);
}

// A server that works until it is killed.
static void live(uint64_t life)
{
    open_server(tell_sent, NULL);
    if (turn_start(turn, world.now) != TURN_OK)
        _exit(2);
    for (uint64_t i = life;; i++) {
        const uint64_t card = 1 + i % CARDS;
        const uint64_t id = ask(card);
        hear_a_stray(tell_heard, NULL);
        if (run() != TURN_OK || answered.refusal != REFUSAL_NONE)
            _exit(2);
        tell(ACK_ASKED, card, id);
        const struct event cancel = {.type = EVENT_CANCEL, .operation = id};
        if (!turn_event(turn, card, &cancel, note_answer, NULL) || run() != TURN_OK)
            _exit(2);
        if (answered.refusal == REFUSAL_NONE)
            tell(ACK_CANCELLED, card, id);
    }
}

// Packets that go again at the start do not count.
static void take_acks(int fd, size_t at_most)
{
    while (at_most > 0 && ack_count < ACKS_MAX) {
        if (read(fd, &acks[ack_count], sizeof(acks[0])) != (ssize_t)sizeof(acks[0]))
            return;
        at_most -= acks[ack_count++].kind != ACK_SENT;
    }
}

static void kill_after(uint64_t life, size_t count)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        outside = ends[1];
        live(life);
    }
    (void)close(ends[1]);
    take_acks(ends[0], count);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    take_acks(ends[0], ACKS_MAX); // what was told before the kill was told
    (void)close(ends[0]);
}

static bool was_sent_before(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (memcmp(&acks[i], &acks[at], sizeof(acks[0])) == 0)
            return true;
    }
    return false;
}

static void check_acks(void)
{
    uint64_t counters[CARDS + 1] = {0};
    uint64_t heard = 0;
    uint64_t strays;
    size_t sent = 0;
    for (size_t i = 0; i < ack_count; i++) {
        const struct ack *a = &acks[i];
        struct operation o;
        uint64_t card;
        heard += a->kind == ACK_HEARD;
        if (a->kind == ACK_ASKED || a->kind == ACK_CANCELLED) {
            assert_int_equal(store_operation_get(store, a->value, &o, &card), STORE_OK);
            assert_int_equal(card, a->card);
        }
        if (a->kind == ACK_CANCELLED)
            assert_int_equal(o.outcome, OUTCOME_CANCELLED);
        if (a->kind == ACK_SENT) {
            sent++;
            if (a->value <= counters[a->card])
                assert_true(was_sent_before(i)); // the same octets may go again
            else
                counters[a->card] = a->value;
        }
    }
    for (uint64_t i = 1; i <= CARDS; i++)
        assert_true(load(i).mt_counter >= counters[i]);
    assert_int_equal(store_strays_count(store, &strays), STORE_OK);
    assert_true(strays >= heard);
    assert_true(heard >= KILLS);
    assert_true(sent >= CARDS);
}

static void nothing_acknowledged_is_lost_by_200_kills(void **state)
{
    (void)state;
    struct prng chance;
    prng_init(&chance, 1, "kills", 0);
    close_server();
    ack_count = 0;
    for (uint64_t life = 0; life < KILLS; life++) {
        kill_after(life, 1 + prng_below(&chance, 12));
        world.now.ms += 61000; // audits of the cards that were under way become due
    }
    (void)printf("figure {\"name\": \"fault.kills\", \"value\": %d, \"unit\": \"kills\", "
                 "\"what\": \"store and turn\"}\n",
                 KILLS);
    assert_true(ack_count < ACKS_MAX);
    open_server(note_sent, NULL);
    check_acks();
    assert_whole();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fault_lab_open, fault_lab_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_refuses_for_now_and_the_next_turn_works),
        TEST(a_full_disk_is_asked_before_work_and_ever_more_seldom),
        TEST(a_failing_write_refuses_for_now_and_the_next_turn_works),
        TEST(reads_go_on_while_the_disk_is_full),
        TEST(each_write_of_a_turn_may_fail),
        TEST(each_read_of_a_turn_may_fail),
        TEST(each_statement_of_a_turn_may_fail),
        TEST(a_failed_sync_stops_the_server_and_nothing_is_answered_as_done),
        TEST(a_failed_sync_behind_the_commit_stops_the_server_too),
        TEST(a_lock_held_by_another_process_refuses_for_now),
        TEST(an_older_copy_is_noticed_on_every_card_and_nothing_old_is_sent),
        TEST(downloads_are_held_from_a_restore_until_no_card_is_in_doubt),
        TEST(who_waits_for_cards_in_doubt_does_not_look_again_and_again),
        TEST(of_two_downloads_that_became_another_cards_none_leaves),
        TEST(a_restore_that_is_cut_short_is_done_again),
        TEST(a_restore_that_goes_on_knows_how_old_the_backup_was),
        TEST(each_opening_of_a_file_may_fail),
        TEST(nothing_acknowledged_is_lost_by_200_kills),
    };
    faulty_disk_install();
    faulty_statement_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
