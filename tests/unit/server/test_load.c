// Rows that are made ready and written many at a time: they are those that single ones would be.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/driver.h"
#include "ota-server/store/load.h"

#include <stdio.h>

#define IMPORT 9
#define BATCH 8 // another import: the one corrects the other
#define TENANT 3
#define CARDS 67 // two statements' worth, and some

static struct world world;
static struct server_crypto crypto;
static struct store *single;
static struct store *many;
static struct load *load;

static struct secret_key key_of(uint8_t fill, uint8_t len)
{
    uint8_t octets[SECRET_KEY_MAX];
    memset(octets, fill, sizeof(octets));
    return secret_key_of(bytes_of(octets, len));
}

static struct store *open_memory(void)
{
    const struct store_options options = {.path = ":memory:",
                                          .ota_master = key_of(0x51, 32),
                                          .network_master = key_of(0x62, 32),
                                          .pseudonym_key = key_of(0x73, 32),
                                          .crypto = &crypto.store};
    struct store *s = NULL;
    assert_int_equal(store_open(&options, &s), STORE_OK);
    return s;
}

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    if (!server_crypto_open(&crypto))
        return 1;
    single = open_memory();
    many = open_memory();
    load = load_open();
    return load != NULL ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    load_close(load);
    store_close(single);
    store_close(many);
    server_crypto_close(&crypto);
    world_close(&world);
    return 0;
}

static struct record record_of(unsigned n)
{
    struct record r = world.record;
    r.card = 1000 + 2 * n;
    r.tenant = TENANT;
    r.group = 0;
    r.batch = BATCH;
    r.state = CARD_IMPORTED;
    r.marks = 0;
    r.iccid[7] = (uint8_t)(n / 10 % 10 << 4 | n / 100);
    r.iccid[8] = (uint8_t)(n % 10);
    return r;
}

static struct card_new card_of(const struct record *r, unsigned n)
{
    return (struct card_new){.record = r,
                             .reference = {9, 8, 7, 6, 5, 4, (uint8_t)(n >> 8), (uint8_t)n},
                             .has_reference = n % 3 != 0,
                             .has_keys = n % 4 != 0,
                             .keys = {.version = 5,
                                      .kic = key_of((uint8_t)n, 16),
                                      .kid = key_of((uint8_t)(n + 1), 16),
                                      .kik = key_of((uint8_t)(n + 2), 32),
                                      .tar = 0x534D01,
                                      .spi1 = 0x16,
                                      .spi2 = 0x39,
                                      .cmac_len = 8},
                             .eid = n % 5 == 0 ? "89049999000000000000000000000000" : NULL,
                             .import = IMPORT,
                             .at = {77}};
}

static struct subscription subscription_of(const struct record *r, unsigned n)
{
    struct subscription s = {.id = r->card + 1,
                             .tenant = TENANT,
                             .card = r->card,
                             .state = SUBSCRIPTION_ON_CARD,
                             .slot = 2,
                             .plan = {.has_iccid = n % 2 == 0},
                             .has_keys = n % 6 != 0,
                             .created_at = {77},
                             .changed_at = {77},
                             .import = IMPORT};
    memcpy(s.plan.iccid, r->iccid, sizeof(s.plan.iccid));
    s.plan.iccid[1] ^= 1;
    // 001010000000000 and on, as in EF.IMSI
    const uint8_t imsi[] = {8, 0x09, 0x10, 0x10, 0, 0, 0, (uint8_t)(n / 100 << 4), 0};
    memcpy(s.plan.imsi, imsi, sizeof(s.plan.imsi));
    s.plan.imsi[8] = (uint8_t)(n / 10 % 10 | n % 10 << 4);
    if (n % 7 != 0)
        snprintf(s.plan.number, sizeof(s.plan.number), "99900%u", n);
    snprintf(s.operator_name, sizeof(s.operator_name), "TEST-001-01");
    return s;
}

static struct network_keys network_keys_of(unsigned n)
{
    return (struct network_keys){.k = key_of((uint8_t)(n + 9), 16),
                                 .op = key_of((uint8_t)(n + 8), 16)};
}

static void begin_load(void)
{
    const struct load_head head = {.import = IMPORT,
                                   .batch = BATCH,
                                   .tenant = TENANT,
                                   .owner = TENANT,
                                   .state = CARD_IMPORTED,
                                   .at = {77}};
    load_begin(load, &head);
}

static void add(unsigned n)
{
    const struct record r = record_of(n);
    const struct card_new c = card_of(&r, n);
    const struct subscription s = subscription_of(&r, n);
    const struct network_keys keys = network_keys_of(n);
    assert_int_equal(load_subscription(load, single, &s, s.has_keys ? &keys : NULL), STORE_OK);
    assert_int_equal(load_card(load, single, &c), STORE_OK);
}

static void put(unsigned n)
{
    const struct record r = record_of(n);
    const struct card_new c = card_of(&r, n);
    const struct subscription s = subscription_of(&r, n);
    const struct network_keys keys = network_keys_of(n);
    assert_int_equal(store_subscription_put(single, &s), STORE_OK);
    if (s.has_keys)
        assert_int_equal(store_network_keys_put(single, s.plan.imsi, &keys), STORE_OK);
    assert_int_equal(store_card_add(single, &c), STORE_OK);
}

// Every row, as SQL writes its values.
static void dump(struct store *s, const char *what, struct writer *w)
{
    struct query q = query_text(s, what);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q)) {
        for (int i = 0; i < sqlite3_column_count(q.own.at); i++) {
            text_put(w, sqlite3_column_type(q.own.at, i) == SQLITE_NULL ? "|-" : "|");
            text_hex(w, column_octets(&q, i));
        }
        text_put(w, "\n");
    }
    assert_int_equal(status, STORE_NONE);
    query_end(&q);
    assert_false(w->failed);
}

static void same_rows(const char *what)
{
    static char texts[2][512 * 1024];
    struct writer a = writer_of(texts[0], sizeof(texts[0]));
    struct writer b = writer_of(texts[1], sizeof(texts[1]));
    dump(single, what, &a);
    dump(many, what, &b);
    assert_true(a.len > 100);
    assert_string_equal(text_end(&a), text_end(&b));
}

static void a_load_writes_what_single_rows_say(void **state)
{
    (void)state;
    begin_load();
    assert_true(load_is_empty(load));
    for (unsigned n = 0; n < CARDS; n++)
        add(n);
    assert_false(load_is_empty(load));
    assert_int_equal(store_begin(single), STORE_OK);
    for (unsigned n = 0; n < CARDS; n++)
        put(n);
    assert_int_equal(store_commit(single), STORE_OK);
    load_sort_references(load);
    assert_int_equal(load_reference_count(load), CARDS - (CARDS + 2) / 3);
    assert_int_equal(store_begin(many), STORE_OK);
    assert_int_equal(store_load(many, load), STORE_OK);
    assert_int_equal(store_load_references(many, load, 0), STORE_OK);
    assert_int_equal(store_commit(many), STORE_OK);
    same_rows("SELECT * FROM card ORDER BY id");
    same_rows("SELECT * FROM card_reference ORDER BY reference, card");
    same_rows("SELECT * FROM subscription ORDER BY id");
    same_rows("SELECT card, key_id, version, tar, spi1, spi2, cmac_len, generation, length(sealed)"
              " FROM ota_key ORDER BY card");
    same_rows("SELECT imsi, key_id, generation, length(sealed) FROM network_key ORDER BY imsi");
    struct query q = query_text(many, "SELECT sum(cards) FROM card_count WHERE tenant = 3"
                                      " AND import = 9 AND state = 1 AND marks = 0");
    assert_int_equal(query_step(&q), STORE_OK);
    assert_int_equal(column_number(&q, 0), CARDS);
    query_end(&q);
}

static void references_go_from_load_to_load(void **state)
{
    (void)state;
    uint64_t card = 0;
    struct load *next = load_open();
    assert_non_null(next);
    begin_load();
    add(1);
    load_begin(next, &(struct load_head){.import = IMPORT, .tenant = TENANT});
    load_pass_references(load, next);
    assert_int_equal(load_reference_count(load), 0);
    assert_int_equal(store_begin(many), STORE_OK);
    assert_int_equal(store_load(many, load), STORE_OK);
    const struct record r = record_of(1);
    const struct card_new c = card_of(&r, 1);
    assert_int_equal(store_card_by_reference(many, c.reference, &card), STORE_NONE);
    assert_true(load_is_empty(next) && load_reference_count(next) == 1);
    assert_int_equal(store_load_references(many, next, 0), STORE_OK);
    load_forget_references(next);
    assert_int_equal(load_reference_count(next), 0);
    assert_int_equal(store_card_by_reference(many, c.reference, &card), STORE_OK);
    assert_int_equal(card, r.card);
    bool is_gone = false;
    assert_int_equal(store_loading_undo(many, IMPORT, 10, &is_gone), STORE_OK);
    struct query q = query_text(many, "SELECT count(*) FROM card_reference");
    assert_int_equal(query_step(&q), STORE_OK);
    assert_int_equal(column_number(&q, 0), 0);
    query_end(&q);
    store_rollback(many);
    load_close(next);
}

static void the_next_number_may_be_of_a_card_or_a_subscription(void **state)
{
    (void)state;
    const struct record r = record_of(4);
    const struct subscription s = subscription_of(&r, 4);
    char iccids[2][ICCID_SIZE];
    char imsi[IMSI_SIZE];
    char next[STORE_NUMBER_SIZE];
    assert_true(iccid_read(r.iccid, iccids[0]) && iccid_read(s.plan.iccid, iccids[1]));
    assert_true(imsi_read(s.plan.imsi, imsi));
    const bool is_up = strcmp(iccids[0], iccids[1]) < 0;
    assert_int_equal(store_number_next(many, STORE_ICCID, "", next), STORE_NONE);
    begin_load();
    add(4);
    assert_int_equal(store_begin(many), STORE_OK);
    assert_int_equal(store_load(many, load), STORE_OK);
    assert_int_equal(store_number_next(many, STORE_ICCID, "0", next), STORE_OK);
    assert_string_equal(next, iccids[is_up ? 0 : 1]);
    assert_int_equal(store_number_next(many, STORE_ICCID, iccids[is_up ? 1 : 0], next), STORE_OK);
    assert_string_equal(next, iccids[is_up ? 1 : 0]);
    assert_int_equal(store_number_next(many, STORE_IMSI, "001", next), STORE_OK);
    assert_string_equal(next, imsi);
    assert_int_equal(store_number_next(many, STORE_MSISDN, "", next), STORE_OK);
    assert_string_equal(next, s.plan.number);
    assert_int_equal(store_number_next(many, STORE_MSISDN, "999004!", next), STORE_NONE);
    store_rollback(many);
}

static void keys_of_a_load_open_for_their_card(void **state)
{
    (void)state;
    begin_load();
    add(1);
    add(2);
    assert_int_equal(store_begin(many), STORE_OK);
    assert_int_equal(store_load(many, load), STORE_OK);
    const struct record r = record_of(2);
    const struct subscription s = subscription_of(&r, 2);
    struct card_keys keys;
    struct network_keys network;
    assert_int_equal(store_card_keys(many, r.card, &keys), STORE_OK);
    assert_memory_equal(keys.kik.octets, key_of(4, 32).octets, 32);
    assert_int_equal(store_network_keys(many, s.plan.imsi, &network), STORE_OK);
    assert_memory_equal(network.k.octets, key_of(11, 16).octets, 16);
    store_rollback(many);
}

static void of_a_load_that_conflicts_nothing_is_left(void **state)
{
    (void)state;
    begin_load();
    for (unsigned n = 0; n < CARDS; n++)
        add(n);
    struct record r = record_of(CARDS - 1);
    r.card = 5;
    const struct card_new there = card_of(&r, 1);
    assert_int_equal(store_begin(many), STORE_OK);
    assert_int_equal(store_card_add(many, &there), STORE_OK);
    assert_int_equal(store_mark(many), STORE_OK);
    assert_int_equal(store_load(many, load), STORE_CONFLICT);
    store_mark_undo(many);
    assert_int_equal(store_commit(many), STORE_OK);
    struct query q = query_text(many, "SELECT (SELECT count(*) FROM card),"
                                      " (SELECT count(*) FROM subscription),"
                                      " (SELECT sum(cards) FROM card_count)");
    assert_int_equal(query_step(&q), STORE_OK);
    assert_int_equal(column_number(&q, 0), 1);
    assert_int_equal(column_number(&q, 1), 0);
    assert_int_equal(column_number(&q, 2), 1);
    query_end(&q);
}

static void a_load_holds_so_many_cards(void **state)
{
    (void)state;
    begin_load();
    for (unsigned n = 0; n < LOAD_CARDS - 1; n++)
        add(n % 900);
    assert_false(load_is_full(load));
    add(0);
    assert_true(load_is_full(load));
    begin_load();
    assert_true(load_is_empty(load) && !load_is_full(load));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_load_writes_what_single_rows_say),
        TEST(references_go_from_load_to_load),
        TEST(the_next_number_may_be_of_a_card_or_a_subscription),
        TEST(keys_of_a_load_open_for_their_card),
        TEST(of_a_load_that_conflicts_nothing_is_left),
        TEST(a_load_holds_so_many_cards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
