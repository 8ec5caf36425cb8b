// The store: durability, keys at rest, the trail, fences.
#include "tests/lib/cmocka_all.h"
#include "tests/lib/vectors.h"
#include "tests/unit/server/released.h"
#include "tests/unit/server/world.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/driver.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world world;
static struct server_crypto crypto;
static char folder[64];
static char path[96];
static char checkpoints[96];

static struct secret_key key_of(uint8_t fill)
{
    uint8_t octets[SECRET_KEY_MAX];
    memset(octets, fill, sizeof(octets));
    return secret_key_of(bytes_of(octets, sizeof(octets)));
}

static struct store *open_store(void)
{
    const struct store_options options = {.path = path,
                                          .checkpoints = checkpoints,
                                          .ota_master = key_of(0x51),
                                          .network_master = key_of(0x62),
                                          .pseudonym_key = key_of(0x73),
                                          .crypto = &crypto.store,
                                          .wait_ms = 1};
    struct store *s = NULL;
    assert_int_equal(store_open(&options, &s), STORE_OK);
    return s;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/otaria-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/server.db", folder);
    snprintf(checkpoints, sizeof(checkpoints), "%s/checkpoints", folder);
    world_init(&world);
    return server_crypto_open(&crypto) ? 0 : 1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"server.db",        "server.db-wal", "server.db-shm",
                                        "server.db.writer", "checkpoints",   "copy.db"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char file[128];
        snprintf(file, sizeof(file), "%s/%s", folder, names[i]);
        (void)unlink(file);
    }
    (void)rmdir(folder);
    world_close(&world);
    server_crypto_close(&crypto);
    return 0;
}

static struct card_keys keys_of(uint8_t fill)
{
    struct card_keys k = {.version = 1, .tar = 0x534D01, .spi1 = 0x16, .spi2 = 0x39};
    uint8_t octets[16];
    memset(octets, fill, sizeof(octets));
    k.kic = secret_key_of(bytes_of(octets, 16));
    memset(octets, fill + 1, sizeof(octets));
    k.kid = secret_key_of(bytes_of(octets, 16));
    memset(octets, fill + 2, sizeof(octets));
    k.kik = secret_key_of(bytes_of(octets, 16));
    return k;
}

static void add_card(struct store *s, uint64_t id, uint8_t serial)
{
    struct record r = world.record;
    r.card = id;
    r.iccid[8] = serial;
    const struct card_new c = {.record = &r,
                               .reference = {1, 2, 3, 4, 5, 6, 7, serial},
                               .has_reference = true,
                               .has_keys = true,
                               .keys = keys_of((uint8_t)(0x20 + serial)),
                               .at = world.now};
    assert_int_equal(store_card_add(s, &c), STORE_OK);
}

static struct store *store_with_card(void)
{
    struct store *s = open_store();
    assert_int_equal(store_begin(s), STORE_OK);
    add_card(s, 7, 0x01);
    assert_int_equal(store_commit(s), STORE_OK);
    return s;
}

static void run_behind_the_back(const char *text, int expected)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), expected);
    sqlite3_close(db);
}

static void a_card_is_loaded_as_it_was_saved(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    struct record before;
    struct record after;
    uint64_t card = 0;
    const uint8_t reference[] = {1, 2, 3, 4, 5, 6, 7, 1};
    assert_int_equal(store_card_by_reference(s, reference, &card), STORE_OK);
    assert_int_equal(card, 7);
    assert_int_equal(store_card_load(s, 7, &before), STORE_OK);
    after = before;
    after.version++;
    after.mt_counter = 77;
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_card_save(s, &before, &after), STORE_OK);
    assert_int_equal(store_card_save(s, &before, &after), STORE_CONFLICT); // the fence moved
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
    s = open_store();
    assert_int_equal(store_card_load(s, 7, &after), STORE_OK);
    assert_int_equal(after.mt_counter, 77);
    store_close(s);
}

static enum store_status status_of_open(void)
{
    const struct store_options options = {.path = path,
                                          .ota_master = key_of(0x51),
                                          .network_master = key_of(0x62),
                                          .pseudonym_key = key_of(0x73),
                                          .crypto = &crypto.store};
    struct store *s = NULL;
    const enum store_status status = store_open(&options, &s);
    store_close(s);
    return status;
}

static void keep_octets(const struct vector *v, void *context)
{
    const struct bytes octets = vector_get(v, "octets");
    char(*hex)[2 * VECTOR_VALUE_MAX + 1] = context;
    const char *wanted = strcmp(v->kind, "record") == 0 ? "IN-DOUBT" : "DOWNLOAD";
    if (strcmp(v->name, wanted) != 0)
        return;
    struct writer w = writer_of(hex[strcmp(v->kind, "record") != 0], sizeof(*hex));
    text_hex(&w, octets);
    (void)text_end(&w);
}

// The database of the released server: version 2, with a record and an operation in the first form.
static void make_released_database(void)
{
    static char hex[2][2 * VECTOR_VALUE_MAX + 1];
    static char text[sizeof(hex) + sizeof(additions_undone) + 200];
    (void)vectors_each("tests/vectors/record.txt", keep_octets, hex);
    struct store *s = store_with_card();
    const struct operation o = {.id = 0x61, .kind = OPERATION_DOWNLOAD};
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_operation_put(s, 7, 1, &o), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
    snprintf(text, sizeof(text),
             "UPDATE card SET record = x'%s'; UPDATE operation SET body = x'%s', may_arrive = 1;"
             "%s",
             hex[0], hex[1], additions_undone);
    run_behind_the_back(text, SQLITE_OK);
}

static void a_database_of_the_release_is_brought_up_to_date(void **state)
{
    (void)state;
    static struct record before;
    static struct record after;
    struct operation o;
    uint64_t card = 0;
    make_released_database();
    struct store *s = open_store();
    const uint8_t reference[] = {1, 2, 3, 4, 5, 6, 7, 1};
    assert_int_equal(store_card_by_reference(s, reference, &card), STORE_OK);
    assert_int_equal(card, 7);
    assert_int_equal(store_card_load(s, 7, &before), STORE_OK);
    assert_int_equal(before.mt_counter, 201);
    assert_int_equal(store_operation_get(s, 0x61, &o, &card), STORE_OK);
    assert_int_equal(o.last_counter, 0x67);
    assert_true(o.may_have_run);
    after = before;
    after.card = 7;
    after.version = before.version + 1;
    before.version = world.record.version; // of the row: the octets are another card's
    after.mo_counter = 203;
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_card_save(s, &before, &after), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
    run_behind_the_back("CREATE TEMP TABLE t (n INTEGER CHECK (n = 1)); INSERT INTO t"
                        " SELECT count(*) FROM card WHERE substr(record, 1, 1) = x'0b'",
                        SQLITE_OK);
    s = open_store();
    assert_int_equal(store_card_load(s, 7, &after), STORE_OK);
    assert_int_equal(after.mo_counter, 203);
    store_close(s);
}

static void a_form_that_is_not_read_is_refused_at_the_start(void **state)
{
    (void)state;
    static const char *const spoils[] = {
        "UPDATE card SET record = x'02'",
        "UPDATE operation SET body = x'02'",
    };
    for (size_t i = 0; i < 2; i++) {
        make_released_database();
        run_behind_the_back(spoils[i], SQLITE_OK);
        assert_int_equal(status_of_open(), STORE_FORM);
        assert_int_equal(status_of_open(), STORE_FORM); // the first start changed nothing
        (void)unlink(path);
    }
    make_released_database(); // forms between that of the release and that of today
    run_behind_the_back("UPDATE card SET record = x'05'", SQLITE_OK);
    assert_int_equal(status_of_open(), STORE_OK);
    (void)unlink(path);
    make_released_database();
    run_behind_the_back("PRAGMA user_version = 99", SQLITE_OK);
    assert_int_equal(status_of_open(), STORE_NEWER);
}

static void an_iccid_is_added_once(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    struct record r = world.record;
    r.iccid[8] = 0x01;
    r.card = 8;
    const struct card_new c = {.record = &r};
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_card_add(s, &c), STORE_CONFLICT);
    store_rollback(s);
    store_close(s);
}

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    const struct store_options options = {.path = path, .crypto = &crypto.store};
    struct store *second = NULL;
    assert_int_equal(store_open(&options, &second), STORE_BUSY);
    assert_null(second);
    store_close(s);
}

static void a_reader_sees_commits_only(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    const struct store_options options = {.path = path, .crypto = &crypto.store, .is_reader = true};
    struct store *reader = NULL;
    struct record r;
    assert_int_equal(store_open(&options, &reader), STORE_OK);
    assert_int_equal(store_begin(s), STORE_OK);
    add_card(s, 8, 0x02);
    assert_int_equal(store_card_load(reader, 8, &r), STORE_NONE);
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(store_card_load(reader, 8, &r), STORE_OK);
    store_close(reader);
    store_close(s);
}

// A process that dies without closing: what it committed is there, the rest is not.
static void a_commit_survives_a_kill_and_the_rest_does_not(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        struct store *s = store_with_card();
        if (store_begin(s) == STORE_OK)
            add_card(s, 8, 0x02);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    struct store *s = open_store();
    struct record r;
    assert_int_equal(store_card_load(s, 7, &r), STORE_OK);
    assert_int_equal(store_card_load(s, 8, &r), STORE_NONE);
    store_close(s);
}

static void keys_open_for_their_own_card_only(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    struct card_keys k;
    const struct card_keys expected = keys_of(0x21);
    assert_int_equal(store_begin(s), STORE_OK);
    add_card(s, 8, 0x02);
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(store_card_keys(s, 7, &k), STORE_OK);
    assert_memory_equal(k.kic.octets, expected.kic.octets, 16);
    assert_memory_equal(k.kik.octets, expected.kik.octets, 16);
    assert_int_equal(k.tar, 0x534D01);
    store_close(s);
    run_behind_the_back("UPDATE ota_key SET sealed = (SELECT o.sealed FROM ota_key o WHERE"
                        " o.card = 8 AND o.key_id = ota_key.key_id) WHERE card = 7",
                        SQLITE_OK);
    s = open_store();
    assert_int_equal(store_card_keys(s, 7, &k), STORE_KEYS);
    assert_int_equal(store_card_keys(s, 8, &k), STORE_OK);
    store_close(s);
}

static void another_master_key_opens_nothing(void **state)
{
    (void)state;
    store_close(store_with_card());
    const struct store_options options = {.path = path,
                                          .ota_master = key_of(0x52),
                                          .network_master = key_of(0x62),
                                          .crypto = &crypto.store};
    struct store *s = NULL;
    assert_int_equal(store_open(&options, &s), STORE_KEYS);
}

static const struct secret_key *new_masters(void)
{
    static struct secret_key keys[2];
    keys[0] = key_of(0x11);
    keys[1] = key_of(0x12);
    return keys;
}

static struct store_options new_options(bool has_old)
{
    struct store_options o = {.path = path,
                              .ota_master = new_masters()[0],
                              .network_master = new_masters()[1],
                              .pseudonym_key = key_of(0x99), // what is kept counts
                              .crypto = &crypto.store};
    if (has_old) {
        o.old_ota = key_of(0x51);
        o.old_network = key_of(0x62);
    }
    return o;
}

static void see_keys_of(struct store *s)
{
    struct card_keys k;
    for (uint64_t card = 7; card <= 9; card++)
        assert_int_equal(store_card_keys(s, card, &k), STORE_OK);
}

// Stopped after each piece, as a crash would: both masters open what they have until the end.
static void keys_move_to_new_masters(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    bool is_done = false;
    unsigned pieces = 0;
    char before[33];
    char after[33];
    pseudonym_of(s, "card", 7, before);
    assert_int_equal(store_begin(s), STORE_OK);
    add_card(s, 8, 0x02);
    add_card(s, 9, 0x03);
    assert_int_equal(store_masters_change(s, &new_masters()[0], &new_masters()[1]), STORE_OK);
    see_keys_of(s);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
    for (; !is_done; pieces++) {
        struct store_options options = new_options(false);
        assert_int_equal(store_open(&options, &s), STORE_MOVING);
        options = new_options(true);
        assert_int_equal(store_open(&options, &s), STORE_OK);
        see_keys_of(s);
        assert_int_equal(store_begin(s), STORE_OK);
        assert_int_equal(store_rewrap(s, 1, &is_done), STORE_OK);
        see_keys_of(s);
        assert_int_equal(store_commit(s), STORE_OK);
        store_close(s);
    }
    assert_int_equal(pieces, 4); // three cards, and to see that there is no more
    const struct store_options options = new_options(false);
    assert_int_equal(store_open(&options, &s), STORE_OK);
    see_keys_of(s);
    pseudonym_of(s, "card", 7, after);
    assert_string_equal(after, before);
    store_close(s);
}

// Each piece looks only at what no piece before it saw.
static void pieces_go_on_behind_each_other(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    bool is_done = false;
    unsigned pieces = 0;
    assert_int_equal(store_begin(s), STORE_OK);
    add_card(s, 8, 0x02);
    add_card(s, 9, 0x03);
    assert_int_equal(store_masters_change(s, &new_masters()[0], &new_masters()[1]), STORE_OK);
    for (; !is_done; pieces++)
        assert_int_equal(store_rewrap(s, 2, &is_done), STORE_OK);
    assert_int_equal(pieces, 3);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
}

// A key as the first release kept it: sealed alone, with its number (1 to 3) in its row.
static void put_alone(struct store *s, uint8_t key_id, const struct secret_key *key)
{
    const struct secret_key master = key_of(0x51);
    uint8_t sealed[12 + SECRET_KEY_MAX + 16] = {key_id};
    uint8_t additional[24];
    char iccid[ICCID_SIZE];
    char text[512];
    struct record r;
    assert_int_equal(store_card_load(s, 7, &r), STORE_OK);
    assert_true(iccid_read(r.iccid, iccid));
    struct writer a = writer_of(additional, sizeof(additional));
    writer_copy(&a, bytes_of_text(iccid));
    writer_u8(&a, key_id);
    writer_u8(&a, 1); // its version
    struct writer w = writer_of(sealed, sizeof(sealed));
    w.len = 12; // the nonce
    assert_true(crypto.store.seal(crypto.store.context, &master, sealed, writer_bytes(&a),
                                  bytes_of(key->octets, key->len), &w));
    char hex[2 * sizeof(sealed) + 1];
    struct writer h = writer_of(hex, sizeof(hex));
    text_hex(&h, writer_bytes(&w));
    snprintf(text, sizeof(text),
             "INSERT INTO ota_key VALUES (7, %d, 1, 5459201, 22, 57, 0, 1, x'%s')", key_id,
             text_end(&h));
    run_behind_the_back(text, SQLITE_OK);
}

static void keys_that_were_sealed_alone_are_read_and_moved(void **state)
{
    (void)state;
    const struct card_keys old = keys_of(0x41);
    bool is_done = false;
    struct card_keys k;
    struct store *s = store_with_card();
    run_behind_the_back("DELETE FROM ota_key", SQLITE_OK);
    put_alone(s, 1, &old.kic);
    put_alone(s, 2, &old.kid);
    put_alone(s, 3, &old.kik);
    assert_int_equal(store_card_keys(s, 7, &k), STORE_OK);
    assert_memory_equal(k.kic.octets, old.kic.octets, 16);
    assert_memory_equal(k.kid.octets, old.kid.octets, 16);
    assert_memory_equal(k.kik.octets, old.kik.octets, 16);
    assert_int_equal(k.tar, 0x534D01);
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_masters_change(s, &new_masters()[0], &new_masters()[1]), STORE_OK);
    assert_int_equal(store_rewrap(s, 10, &is_done), STORE_OK);
    assert_int_equal(store_rewrap(s, 10, &is_done), STORE_OK);
    assert_true(is_done);
    assert_int_equal(store_card_keys(s, 7, &k), STORE_OK);
    assert_memory_equal(k.kid.octets, old.kid.octets, 16);
    // A set of them counts instead.
    const struct card_keys new = keys_of(0x61);
    struct record r;
    assert_int_equal(store_card_load(s, 7, &r), STORE_OK);
    assert_int_equal(store_card_keys_put(s, 7, r.iccid, &new), STORE_OK);
    assert_int_equal(store_card_keys(s, 7, &k), STORE_OK);
    assert_memory_equal(k.kid.octets, new.kid.octets, 16);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
}

// --- trail ---

static void add_rows(struct store *s, int count)
{
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 0; i < count; i++) {
        const struct trail_new row = {
            .at = world.now, .action = "card.marked", .object_kind = "card", .object = 7};
        assert_int_equal(store_trail_add(s, &row), STORE_OK);
    }
    assert_int_equal(store_commit(s), STORE_OK);
}

static void the_database_refuses_to_change_or_delete_trail_rows(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    add_rows(s, 2);
    store_close(s);
    run_behind_the_back("UPDATE trail SET action = 'x' WHERE sequence = 1", SQLITE_CONSTRAINT);
    run_behind_the_back("DELETE FROM trail WHERE sequence = 1", SQLITE_CONSTRAINT);
}

static void verify_finds_each_changed_row(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    add_rows(s, 5);
    store_close(s);
    run_behind_the_back("DROP TRIGGER trail_no_update", SQLITE_OK);
    for (int row = 1; row <= 5; row++) {
        char text[96];
        struct trail_verdict v;
        snprintf(text, sizeof(text), "UPDATE trail SET after = 'x' WHERE sequence = %d", row);
        run_behind_the_back(text, SQLITE_OK);
        s = open_store();
        assert_int_equal(store_trail_verify(s, 0, 0, &v), STORE_OK);
        assert_false(v.ok);
        assert_int_equal(v.first_bad, row);
        assert_string_equal(v.problem, "HASH");
        store_close(s);
        snprintf(text, sizeof(text), "UPDATE trail SET after = '' WHERE sequence = %d", row);
        run_behind_the_back(text, SQLITE_OK);
    }
    struct trail_verdict v;
    s = open_store();
    assert_int_equal(store_trail_verify(s, 0, 0, &v), STORE_OK);
    assert_true(v.ok);
    assert_int_equal(v.checked, 5);
    store_close(s);
}

static void a_rolled_back_row_leaves_no_gap(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    const struct trail_new row = {.action = "x"};
    struct trail_verdict v;
    add_rows(s, 1);
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_mark(s), STORE_OK);
    assert_int_equal(store_trail_add(s, &row), STORE_OK);
    store_mark_undo(s);
    assert_int_equal(store_trail_add(s, &row), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_trail_add(s, &row), STORE_OK);
    store_rollback(s);
    add_rows(s, 1);
    assert_int_equal(store_trail_verify(s, 0, 0, &v), STORE_OK);
    assert_true(v.ok);
    assert_int_equal(v.checked, 3);
    store_close(s);
}

static void a_cut_tail_is_found_by_the_checkpoint(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    bool is_restored = true;
    add_rows(s, 3);
    assert_int_equal(store_checkpoint(s, world.now), STORE_OK);
    assert_int_equal(store_is_restored(s, &is_restored), STORE_OK);
    assert_false(is_restored);
    add_rows(s, 2);
    assert_int_equal(store_checkpoint(s, utc_after(world.now, 1)), STORE_OK);
    store_close(s);
    run_behind_the_back("DROP TRIGGER trail_no_delete; DELETE FROM trail WHERE sequence > 3",
                        SQLITE_OK);
    s = open_store();
    assert_int_equal(store_is_restored(s, &is_restored), STORE_OK);
    assert_true(is_restored);
    store_close(s);
}

static void an_idempotency_key_names_one_body(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    const uint8_t a[32] = {1};
    const uint8_t b[32] = {2};
    uint64_t operation = 5;
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_idempotency(s, 1, "k", a, world.now, &operation), STORE_NONE);
    operation = 6;
    assert_int_equal(store_idempotency(s, 1, "k", a, world.now, &operation), STORE_OK);
    assert_int_equal(operation, 5);
    assert_int_equal(store_idempotency(s, 1, "k", b, world.now, &operation), STORE_CONFLICT);
    assert_int_equal(store_idempotency(s, 2, "k", b, world.now, &operation), STORE_NONE);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
}

static bool count_row(void *context, const struct card_row *row)
{
    (void)row;
    ++*(int *)context;
    return true;
}

static void cards_are_listed_by_filter_and_search(void **state)
{
    (void)state;
    struct store *s = store_with_card();
    struct card_filter f;
    const struct store_page page = {.limit = 10};
    uint64_t total = 0;
    int rows = 0;
    assert_int_equal(store_begin(s), STORE_OK);
    add_card(s, 8, 0x02);
    assert_int_equal(store_commit(s), STORE_OK);
    card_filter_init(&f);
    assert_int_equal(store_cards(s, &f, &page, count_row, &rows, &total), STORE_OK);
    assert_int_equal(rows, 2);
    assert_int_equal(total, 2);
    f.search = "899909";
    f.search_how = 'p';
    f.search_in = 'c';
    assert_int_equal(store_cards(s, &f, &page, count_row, &rows, &total), STORE_OK);
    assert_int_equal(total, 2);
    f.search = "1019"; // the last digits of the first one
    f.search_how = 's';
    assert_int_equal(store_cards(s, &f, &page, count_row, &rows, &total), STORE_OK);
    assert_int_equal(total, 1);
    f.search = NULL;
    f.state = CARD_RETIRED;
    assert_int_equal(store_cards(s, &f, &page, count_row, &rows, &total), STORE_OK);
    assert_int_equal(total, 0);
    store_close(s);
}

static void server_ids_ascend_within_one_millisecond(void **state)
{
    (void)state;
    struct ids ids = {0};
    const uint64_t a = ids_next(&ids, world.now);
    const uint64_t b = ids_next(&ids, world.now);
    assert_true(b > a);
    assert_true(ids_next(&ids, utc_after(world.now, -5000)) > b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_card_is_loaded_as_it_was_saved),
        TEST(a_database_of_the_release_is_brought_up_to_date),
        TEST(a_form_that_is_not_read_is_refused_at_the_start),
        TEST(an_iccid_is_added_once),
        TEST(a_second_writer_is_refused),
        TEST(a_reader_sees_commits_only),
        TEST(a_commit_survives_a_kill_and_the_rest_does_not),
        TEST(keys_open_for_their_own_card_only),
        TEST(another_master_key_opens_nothing),
        TEST(keys_move_to_new_masters),
        TEST(pieces_go_on_behind_each_other),
        TEST(keys_that_were_sealed_alone_are_read_and_moved),
        TEST(the_database_refuses_to_change_or_delete_trail_rows),
        TEST(verify_finds_each_changed_row),
        TEST(a_rolled_back_row_leaves_no_gap),
        TEST(a_cut_tail_is_found_by_the_checkpoint),
        TEST(an_idempotency_key_names_one_body),
        TEST(cards_are_listed_by_filter_and_search),
        TEST(server_ids_ascend_within_one_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
