// The trail's chain read in parts and against every tampering, checkpoints that are signed, and
// months that are removed.
#include "tests/lib/cmocka_all.h"

#include "common/host/crypto.h"
#include "ota-server/service/turn.h"
#include "ota-server/store/schema.h"
#include "tests/unit/server/trail_lab.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void add_rows(struct store *s, int count)
{
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 0; i < count; i++) {
        const struct trail_new row = {.at = {1000}, .action = "card.marked"};
        assert_int_equal(store_trail_add(s, &row), STORE_OK);
    }
    assert_int_equal(store_commit(s), STORE_OK);
}

static void verify_sees_the_link_to_the_row_before_its_first(void **state)
{
    (void)state;
    struct store *s = trail_store(NULL);
    add_rows(s, 4);
    trail_expect(s, 3, "", 0);
    assert_int_equal(trail_verdict_from(s, 3).checked, 2);
    store_close(s);
    trail_behind_the_back("DROP TRIGGER trail_no_update; DROP TRIGGER trail_no_delete;"
                          "UPDATE trail SET hash = zeroblob(32) WHERE sequence = 2");
    s = trail_store(NULL);
    trail_expect(s, 3, "HASH", 3);
    store_close(s);
    trail_behind_the_back("DELETE FROM trail WHERE sequence = 2");
    s = trail_store(NULL);
    trail_expect(s, 3, "GAP", 2);
    store_close(s);
}

static size_t read_file(char text[4096])
{
    FILE *file = fopen(trail_lab.checkpoints, "r");
    assert_non_null(file);
    const size_t len = fread(text, 1, 4095, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    return len;
}

static void write_file(const char *text)
{
    FILE *file = fopen(trail_lab.checkpoints, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// Sequence, milliseconds, hash, rows: each digit is under the signature, and of the signature.
static void a_checkpoint_that_was_altered_is_found(void **state)
{
    char text[4096];
    uint8_t signer[32];
    (void)state;
    struct store *s = trail_store(NULL);
    add_rows(s, 12);
    assert_int_equal(store_checkpoint(s, (struct utc){1784894400123}), STORE_OK);
    trail_expect(s, 1, "", 0);
    assert_int_equal(trail_verdict_from(s, 1).checkpoints, 1);
    store_checkpoint_signer(s, signer);
    const size_t len = read_file(text);
    assert_true(strncmp(text, "12 1784894400123 ", 17) == 0 && text[len - 1] == '\n');
    const char *signature = strrchr(text, ' ') + 1;
    const char *hash = text + 17;
    assert_int_equal(text + len - 1 - signature, 128);
    for (size_t i = 3; i < len - 1; i++) {
        const char was = text[i];
        if (was == ' ')
            continue;
        text[i] = was == '1' ? '2' : '1';
        write_file(text);
        const bool is_hash = text + i >= hash && text + i < hash + 64;
        trail_expect(s, 1, is_hash ? "CHECKPOINT" : "SIGNATURE", 12);
        text[i] = was;
    }
    write_file(text);
    trail_expect(s, 1, "", 0);
    // Whoever has the public key needs nothing else.
    uint8_t octets[64];
    for (size_t i = 0; i < sizeof(octets); i++) {
        unsigned value = 0;
        assert_int_equal(sscanf(signature + 2 * i, "%2x", &value), 1);
        octets[i] = (uint8_t)value;
    }
    assert_true(crypto_is_signed(signer, bytes_of(text, (size_t)(signature - text) - 1), octets));
    store_close(s);
}

static void only_the_first_release_left_checkpoints_unsigned(void **state)
{
    char text[4096];
    char old[4096];
    char both[8192];
    (void)state;
    struct store *s = trail_store(NULL);
    add_rows(s, 3);
    assert_int_equal(store_checkpoint(s, (struct utc){1}), STORE_OK);
    (void)read_file(old);
    old[strlen("3 1 ") + 64] = '\n'; // as it wrote them
    old[strlen("3 1 ") + 65] = '\0';
    (void)unlink(trail_lab.checkpoints);
    add_rows(s, 3);
    assert_int_equal(store_checkpoint(s, (struct utc){2}), STORE_OK);
    (void)read_file(text);
    (void)snprintf(both, sizeof(both), "%s%s", old, text);
    write_file(both);
    trail_expect(s, 1, "", 0);
    assert_int_equal(trail_verdict_from(s, 1).checkpoints, 2);
    (void)snprintf(both, sizeof(both), "%s%s", text, old);
    write_file(both);
    trail_expect(s, 1, "SIGNATURE", 3);
    store_close(s);
}

// --- tampering ---

#define SIGNED_TRAIL 6 // rows, the last of which is under a checkpoint

// Every text and number of a row is different from every other.
static void add_full_rows(struct store *s, int count)
{
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 0; i < count; i++) {
        const struct trail_new row = {.at = {1784894400000 + i},
                                      .tenant = 21,
                                      .actor = {.kind = ACTOR_USER, .id = 22},
                                      .address = "192.0.2.1",
                                      .action = "card.marked",
                                      .object_kind = "card",
                                      .object = 23,
                                      .operation = 24,
                                      .correlator = 25,
                                      .before = "before",
                                      .after = "after",
                                      .reason = "reason",
                                      .result = "result",
                                      .approval = 26};
        assert_int_equal(store_trail_add(s, &row), STORE_OK);
    }
    assert_int_equal(store_commit(s), STORE_OK);
}

static void break_in(void)
{
    trail_behind_the_back("DROP TRIGGER trail_no_update; DROP TRIGGER trail_no_delete;"
                          "CREATE TABLE kept AS SELECT * FROM trail");
}

// Changes the trail, verifies it, and puts it back.
static void expect_found(const char *change, const char *problem, uint64_t first_bad)
{
    trail_behind_the_back(change);
    struct store *s = trail_store(NULL);
    const struct trail_verdict v = trail_verdict_from(s, 1);
    if (v.ok || strcmp(v.problem, problem) != 0 || v.first_bad != first_bad)
        fail_msg("%s: %s at %llu", change, v.problem, (unsigned long long)v.first_bad);
    store_close(s);
    trail_behind_the_back("DELETE FROM trail; INSERT INTO trail SELECT * FROM kept");
}

// Each octet of each column that is hashed, and of both hashes: its lowest bit, and its highest.
static void every_octet_of_a_row_is_under_its_hash(void **state)
{
    static const struct {
        const char *name;
        int octets;
    } texts[] = {{"address", 9},   {"action", 11}, {"object_kind", 4}, {"pseudonym", 32},
                 {"before", 6},    {"after", 5},   {"reason", 6},      {"result", 6},
                 {"previous", 32}, {"hash", 32}};
    static const char *const numbers[] = {"at",        "tenant",     "actor_kind", "actor_id",
                                          "operation", "correlator", "approval"};
    char change[400];
    (void)state;
    struct store *s = trail_store(NULL);
    add_full_rows(s, 3);
    store_close(s);
    break_in();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const bool is_text = i < 8;
        for (int at = 1; at <= texts[i].octets; at++) {
            (void)snprintf(change, sizeof(change),
                           is_text ? "UPDATE trail SET %s = substr(%s, 1, %d) || '~' ||"
                                     " substr(%s, %d) WHERE sequence = 2"
                                   : "UPDATE trail SET %s = CAST(substr(%s, 1, %d) ||"
                                     " x'5A' || substr(%s, %d) AS BLOB) WHERE sequence = 2",
                           texts[i].name, texts[i].name, at - 1, texts[i].name, at + 1);
            expect_found(change, "HASH", 2);
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *name = numbers[i];
        (void)snprintf(change, sizeof(change), "UPDATE trail SET %s = %s + 1 WHERE sequence = 2",
                       name, name);
        expect_found(change, "HASH", 2);
    }
    // What moves from one field into the next is another row.
    expect_found("UPDATE trail SET before = 'befor', after = 'eafter' WHERE sequence = 2", "HASH",
                 2);
    expect_found("UPDATE trail SET tenant = 2, actor_id = 122 WHERE sequence = 2", "HASH", 2);
}

static void rows_that_were_taken_added_or_exchanged_are_found(void **state)
{
    static const char columns[] = "at, tenant, actor_kind, actor_id, address, action, object_kind,"
                                  " pseudonym, operation, correlator, approval, before, after,"
                                  " reason, result, previous, hash, grp";
    char change[800];
    (void)state;
    struct store *s = trail_store(NULL);
    add_full_rows(s, SIGNED_TRAIL);
    assert_int_equal(store_checkpoint(s, (struct utc){1}), STORE_OK);
    store_close(s);
    break_in();
    expect_found("DELETE FROM trail WHERE sequence = 1", "GAP", 1);
    expect_found("DELETE FROM trail WHERE sequence = 3", "GAP", 3);
    expect_found("DELETE FROM trail WHERE sequence BETWEEN 2 AND 4", "GAP", 2);
    // The end was cut: only what stands outside knows.
    expect_found("DELETE FROM trail WHERE sequence > 4", "CHECKPOINT", SIGNED_TRAIL);
    expect_found("DELETE FROM trail", "CHECKPOINT", SIGNED_TRAIL);
    // One was taken, and those behind it moved up.
    expect_found("DELETE FROM trail WHERE sequence = 3;"
                 "UPDATE trail SET sequence = -sequence WHERE sequence > 3;"
                 "UPDATE trail SET sequence = -sequence - 1 WHERE sequence < 0",
                 "HASH", 3);
    expect_found("UPDATE trail SET sequence = 0 WHERE sequence = 2;"
                 "UPDATE trail SET sequence = 2 WHERE sequence = 3;"
                 "UPDATE trail SET sequence = 3 WHERE sequence = 0",
                 "HASH", 2);
    (void)snprintf(change, sizeof(change),
                   "UPDATE trail SET sequence = -sequence WHERE sequence > 3;"
                   "UPDATE trail SET sequence = -sequence + 1 WHERE sequence < 0;"
                   "INSERT INTO trail (sequence, %s) SELECT 4, %s FROM trail WHERE sequence = 3",
                   columns, columns);
    expect_found(change, "HASH", 4);
    // In front of the first, and behind the last, whose link is not to it.
    (void)snprintf(change, sizeof(change),
                   "INSERT INTO trail (sequence, %s) SELECT 7, %s FROM trail WHERE sequence = 6",
                   columns, columns);
    expect_found(change, "HASH", 7);
}

// --- months that are removed ---

static const struct utc october = {TRAIL_JULY + 93 * TRAIL_DAY + 10};

static bool count_tombstone(void *context, const struct tombstone *t)
{
    struct tombstone *kept = context;
    kept[kept[7].first++] = *t;
    return true;
}

static void a_month_is_removed_whole_and_leaves_a_tombstone(void **state)
{
    struct tombstone t[8] = {{0}};
    bool is_restored = true;
    (void)state;
    struct store *s = trail_four_months(NULL);
    assert_false(trail_expire(s, october, 0)); // for ever
    assert_false(trail_expire(s, october, 3)); // July is three months old
    trail_expect(s, 1, "", 0);
    assert_true(trail_expire(s, october, 2));
    // From here on it holds, whether its rows are gone yet or not.
    for (int i = 0; i < 3; i++) {
        const struct trail_verdict v = trail_verdict_from(s, 1);
        assert_true(v.ok);
        assert_int_equal(v.checked, 10); // of 12, 3 less, and the row that tells of it
        assert_int_equal(v.checkpoints, 4);
        assert_int_equal(trail_expire(s, october, 2), i < 2);
    }
    assert_int_equal(store_tombstones(s, count_tombstone, t), STORE_OK);
    assert_int_equal(t[7].first, 1);
    assert_int_equal(t[0].first, 1);
    assert_int_equal(t[0].last, 3);
    assert_int_equal(t[0].month, 2026 * 12 + 6);
    store_close(s);
    s = trail_store(NULL); // what it knows of months is in the database
    assert_true(trail_expire(s, (struct utc){october.ms + 31 * TRAIL_DAY}, 2)); // August
    while (trail_expire(s, (struct utc){october.ms + 31 * TRAIL_DAY}, 2))
        continue;
    trail_expect(s, 1, "", 0);
    trail_expect(s, 2, "", 0); // inside of what is gone
    trail_expect(s, 7, "", 0); // the first that is there
    trail_expect(s, 8, "", 0);
    struct trail_verdict v;
    assert_int_equal(store_trail_chain(s, 2, 5, &v), STORE_OK);
    assert_true(v.ok);
    assert_int_equal(v.checked, 0);
    assert_int_equal(store_is_restored(s, &is_restored), STORE_OK);
    assert_false(is_restored);
    add_rows(s, 2);
    trail_expect(s, 1, "", 0);
    store_close(s);
}

static enum store_status nothing(void *context, struct store *s, struct utc now)
{
    (void)context;
    (void)s;
    (void)now;
    return STORE_OK;
}

static void ignore(void *context, enum store_status status)
{
    (void)context;
    assert_int_equal(status, STORE_OK);
}

// 1,200 rows of July: three turns take them away, and nobody has to ask for the second and third.
static void turns_remove_a_month_by_and_by(void **state)
{
    struct policy policy;
    struct tombstone t[8] = {{0}};
    (void)state;
    struct store *s = trail_store(NULL);
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 0; i < 1201; i++) {
        const struct trail_new row = {.at = {i < 1200 ? TRAIL_JULY : october.ms},
                                      .action = "card.marked"};
        assert_int_equal(store_trail_add(s, &row), STORE_OK);
    }
    assert_int_equal(store_commit(s), STORE_OK);
    policy_default(&policy);
    const struct turn_options options = {.store = s, .policy = &policy, .trail_months = 2};
    struct turn *turn = turn_open(&options);
    assert_non_null(turn);
    struct utc now = october;
    assert_true(turn_write(turn, nothing, ignore, NULL));
    for (unsigned turns = 0; turns < 5; turns++) {
        assert_int_equal(turn_run(turn, now), TURN_OK);
        assert_int_equal(trail_verdict_from(s, 1).checked,
                         2); // the last row, and that of the removal
        assert_true((turn_due(turn).ms == now.ms + 100) == (turns < 4));
        now = utc_after(now, 100);
    }
    assert_int_equal(store_tombstones(s, count_tombstone, t), STORE_OK);
    assert_int_equal(t[0].last, 1200);
    turn_close(turn);
    store_close(s);
}

// Whose rows came before there were months of it.
static void an_older_trail_is_cut_into_months_at_its_first_start(void **state)
{
    struct tombstone t[8] = {{0}};
    (void)state;
    store_close(trail_four_months(NULL));
    trail_behind_the_back(
        "DROP TRIGGER trail_no_delete; DROP TABLE tombstone; DROP TABLE trail_segment;"
        "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail BEGIN SELECT 1; END");
    for (size_t i = 0; i < schema_step_count; i++) {
        if (strstr(schema_steps[i], "CREATE TABLE trail_segment") != NULL)
            trail_behind_the_back(schema_steps[i]);
    }
    struct store *s = trail_store(NULL);
    while (trail_expire(s, october, 1))
        continue;
    assert_int_equal(store_tombstones(s, count_tombstone, t), STORE_OK);
    assert_int_equal(t[7].first, 2);
    assert_int_equal(t[1].first, 4);
    assert_int_equal(t[1].last, 6);
    assert_int_equal(t[1].month, 2026 * 12 + 7);
    trail_expect(s, 1, "", 0);
    store_close(s);
}

static void the_last_month_stays_however_old_it_is(void **state)
{
    (void)state;
    struct store *s = trail_four_months(NULL);
    const struct utc much_later = {TRAIL_JULY + 4000 * TRAIL_DAY};
    while (trail_expire(s, much_later, 6))
        continue;
    struct tombstone t[8] = {{0}};
    assert_int_equal(store_tombstones(s, count_tombstone, t), STORE_OK);
    // The row that told of July's end began a month of its own; so October is not the last any
    // more.
    assert_int_equal(t[7].first, 4);
    trail_expect(s, 1, "", 0);
    assert_true(trail_verdict_from(s, 1).checked >= 4);
    store_close(s);
}

static void the_database_lets_go_of_nothing_that_no_tombstone_covers(void **state)
{
    (void)state;
    struct store *s = trail_four_months(NULL);
    while (trail_expire(s, october, 2))
        continue;
    store_close(s);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(trail_lab.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM trail WHERE sequence = 4", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM tombstone", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(db, "UPDATE tombstone SET last = 9", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    sqlite3_close(db);
}

static void a_month_without_its_tombstone_or_with_a_false_one_is_found(void **state)
{
    static const struct {
        const char *change, *problem;
        uint64_t first_bad;
    } rows[] = {
        // As if it had never been signed for.
        {"DELETE FROM tombstone", "GAP", 1},
        // A row more, a row less, at another time, of another month, chained otherwise.
        {"UPDATE tombstone SET last = 4", "SIGNATURE", 1},
        {"UPDATE tombstone SET last = 2", "SIGNATURE", 1},
        {"UPDATE tombstone SET at = at + 1", "SIGNATURE", 1},
        {"UPDATE tombstone SET month = month + 1", "SIGNATURE", 1},
        {"UPDATE tombstone SET hash = zeroblob(32)", "SIGNATURE", 1},
        {"UPDATE tombstone SET previous = randomblob(32)", "HASH", 1},
        {"UPDATE tombstone SET signature = zeroblob(64)", "SIGNATURE", 1},
        {"UPDATE tombstone SET first = 2", "GAP", 1},
        // August removed by hand, and a tombstone made up for it.
        {"DELETE FROM trail WHERE sequence < 7", "GAP", 4},
        {"INSERT INTO tombstone SELECT 6, 4, month + 1, (SELECT hash FROM tombstone), (SELECT hash"
         " FROM trail WHERE sequence = 6), at, signature FROM tombstone;"
         "DELETE FROM trail WHERE sequence < 7",
         "SIGNATURE", 4},
    };
    (void)state;
    struct store *s = trail_four_months(NULL);
    while (trail_expire(s, october, 2))
        continue;
    store_close(s);
    trail_behind_the_back("DROP TRIGGER trail_no_update; DROP TRIGGER trail_no_delete;"
                          "DROP TRIGGER tombstone_no_update; DROP TRIGGER tombstone_no_delete;"
                          "CREATE TABLE kept AS SELECT * FROM trail;"
                          "CREATE TABLE stone AS SELECT * FROM tombstone");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_found(rows[i].change, rows[i].problem, rows[i].first_bad);
        trail_behind_the_back("DELETE FROM tombstone; INSERT INTO tombstone SELECT * FROM stone");
    }
    s = trail_store(NULL);
    trail_expect(s, 1, "", 0);
    store_close(s);
}

// What is in rows are keyed pseudonyms; who stands behind them is in a table of its own.
static void forgetting_whom_a_pseudonym_means_leaves_the_chain_whole(void **state)
{
    (void)state;
    struct store *s = trail_store(NULL);
    add_full_rows(s, 4);
    store_close(s);
    trail_behind_the_back("DELETE FROM pseudonym");
    s = trail_store(NULL);
    trail_expect(s, 1, "", 0);
    store_close(s);
}

// Test 2 of [RFC 8032 §7.1].
static void ed25519_gives_the_published_octets(void **state)
{
    static const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda,
                                     0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                     0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24,
                                     0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    static const uint8_t public[32] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a,
                                       0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                       0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
                                       0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    static const uint8_t expected[64] = {
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
        0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
        0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
        0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
        0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00};
    const struct secret_key key = secret_key_of(bytes_of(seed, sizeof(seed)));
    uint8_t signature[64];
    uint8_t made[32];
    (void)state;
    assert_true(crypto_signer(&key, made));
    assert_memory_equal(made, public, sizeof(public));
    assert_true(crypto_sign(&key, bytes_of("\x72", 1), signature));
    assert_memory_equal(signature, expected, sizeof(expected));
    assert_true(crypto_is_signed(public, bytes_of("\x72", 1), signature));
    assert_false(crypto_is_signed(public, bytes_of("\x73", 1), signature));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_set_up, trail_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verify_sees_the_link_to_the_row_before_its_first),
        TEST(a_checkpoint_that_was_altered_is_found),
        TEST(only_the_first_release_left_checkpoints_unsigned),
        TEST(every_octet_of_a_row_is_under_its_hash),
        TEST(rows_that_were_taken_added_or_exchanged_are_found),
        TEST(a_month_is_removed_whole_and_leaves_a_tombstone),
        TEST(turns_remove_a_month_by_and_by),
        TEST(an_older_trail_is_cut_into_months_at_its_first_start),
        TEST(the_last_month_stays_however_old_it_is),
        TEST(the_database_lets_go_of_nothing_that_no_tombstone_covers),
        TEST(a_month_without_its_tombstone_or_with_a_false_one_is_found),
        TEST(forgetting_whom_a_pseudonym_means_leaves_the_chain_whole),
        TEST(ed25519_gives_the_published_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
