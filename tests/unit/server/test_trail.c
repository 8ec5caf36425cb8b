// The trail's chain read in parts, and checkpoints that are signed.
#include "tests/lib/cmocka_all.h"

#include "common/host/crypto.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct server_crypto crypto;
static char folder[64];
static char path[96];
static char checkpoints[96];

static struct store *open_store(void)
{
    struct secret_key key = {.len = 32, .octets = {9}};
    const struct store_options options = {.path = path,
                                          .checkpoints = checkpoints,
                                          .ota_master = key,
                                          .network_master = key,
                                          .pseudonym_key = key,
                                          .crypto = &crypto.store};
    struct store *s = NULL;
    assert_int_equal(store_open(&options, &s), STORE_OK);
    return s;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/otaria-trail-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/server.db", folder);
    (void)snprintf(checkpoints, sizeof(checkpoints), "%s/checkpoints", folder);
    return server_crypto_open(&crypto) ? 0 : 1;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".writer"};
    char file[128];
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)snprintf(file, sizeof(file), "%s%s", path, ends[i]);
        (void)unlink(file);
    }
    (void)unlink(checkpoints);
    (void)rmdir(folder);
    server_crypto_close(&crypto);
    return 0;
}

static void add_rows(struct store *s, int count)
{
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 0; i < count; i++) {
        const struct trail_new row = {.at = {1000}, .action = "card.marked"};
        assert_int_equal(store_trail_add(s, &row), STORE_OK);
    }
    assert_int_equal(store_commit(s), STORE_OK);
}

static void run_behind_the_back(const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static struct trail_verdict verdict_from(struct store *s, uint64_t from)
{
    struct trail_verdict v;
    assert_int_equal(store_trail_verify(s, from, 0, &v), STORE_OK);
    return v;
}

static void expect(struct store *s, uint64_t from, const char *problem, uint64_t first_bad)
{
    const struct trail_verdict v = verdict_from(s, from);
    assert_string_equal(v.problem, problem);
    assert_int_equal(v.first_bad, first_bad);
    assert_true(v.ok == (problem[0] == '\0'));
}

static void verify_sees_the_link_to_the_row_before_its_first(void **state)
{
    (void)state;
    struct store *s = open_store();
    add_rows(s, 4);
    expect(s, 3, "", 0);
    assert_int_equal(verdict_from(s, 3).checked, 2);
    store_close(s);
    run_behind_the_back("DROP TRIGGER trail_no_update; DROP TRIGGER trail_no_delete;"
                        "UPDATE trail SET hash = zeroblob(32) WHERE sequence = 2");
    s = open_store();
    expect(s, 3, "HASH", 3);
    store_close(s);
    run_behind_the_back("DELETE FROM trail WHERE sequence = 2");
    s = open_store();
    expect(s, 3, "GAP", 2);
    store_close(s);
}

static size_t read_file(char text[4096])
{
    FILE *file = fopen(checkpoints, "r");
    assert_non_null(file);
    const size_t len = fread(text, 1, 4095, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    return len;
}

static void write_file(const char *text)
{
    FILE *file = fopen(checkpoints, "w");
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
    struct store *s = open_store();
    add_rows(s, 12);
    assert_int_equal(store_checkpoint(s, (struct utc){1784894400123}), STORE_OK);
    expect(s, 1, "", 0);
    assert_int_equal(verdict_from(s, 1).checkpoints, 1);
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
        expect(s, 1, is_hash ? "CHECKPOINT" : "SIGNATURE", 12);
        text[i] = was;
    }
    write_file(text);
    expect(s, 1, "", 0);
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
    struct store *s = open_store();
    add_rows(s, 3);
    assert_int_equal(store_checkpoint(s, (struct utc){1}), STORE_OK);
    (void)read_file(old);
    old[strlen("3 1 ") + 64] = '\n'; // as it wrote them
    old[strlen("3 1 ") + 65] = '\0';
    (void)unlink(checkpoints);
    add_rows(s, 3);
    assert_int_equal(store_checkpoint(s, (struct utc){2}), STORE_OK);
    (void)read_file(text);
    (void)snprintf(both, sizeof(both), "%s%s", old, text);
    write_file(both);
    expect(s, 1, "", 0);
    assert_int_equal(verdict_from(s, 1).checkpoints, 2);
    (void)snprintf(both, sizeof(both), "%s%s", text, old);
    write_file(both);
    expect(s, 1, "SIGNATURE", 3);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verify_sees_the_link_to_the_row_before_its_first),
        TEST(a_checkpoint_that_was_altered_is_found),
        TEST(only_the_first_release_left_checkpoints_unsigned),
        TEST(ed25519_gives_the_published_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
