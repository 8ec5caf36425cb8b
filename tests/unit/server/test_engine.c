// What the database engine may do for us, and for nobody who wrote into its file.
#include "tests/lib/cmocka_all.h"

#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/driver.h"

#include <sqlite3.h>

static struct server_crypto crypto;

static struct store *open_memory(void)
{
    struct store *s = NULL;
    struct store_options options = {.path = ":memory:", .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    assert_int_equal(store_open(&options, &s), STORE_OK);
    return s;
}

static int64_t number_of(struct store *s, const char *pragma)
{
    struct query q = query_text(s, pragma);
    assert_int_equal(query_step(&q), STORE_OK);
    const int64_t number = column_number(&q, 0);
    query_end(&q);
    return number;
}

// Whatever somebody else wrote into the file.
static void the_engine_gives_no_more_than_our_statements_need(void **state)
{
    (void)state;
    struct store *s = open_memory();
    static const struct {
        int id, most;
    } limits[] = {{SQLITE_LIMIT_LENGTH, 64 << 20},
                  {SQLITE_LIMIT_SQL_LENGTH, 100000},
                  {SQLITE_LIMIT_COLUMN, 100},
                  {SQLITE_LIMIT_EXPR_DEPTH, 100},
                  {SQLITE_LIMIT_COMPOUND_SELECT, 10},
                  {SQLITE_LIMIT_VDBE_OP, 25000},
                  {SQLITE_LIMIT_FUNCTION_ARG, 8},
                  {SQLITE_LIMIT_ATTACHED, 0},
                  {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
                  {SQLITE_LIMIT_TRIGGER_DEPTH, 10}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        assert_int_equal(sqlite3_limit(s->db, limits[i].id, -1), limits[i].most);
    assert_int_equal(number_of(s, "PRAGMA trusted_schema"), 0);
    assert_int_equal(number_of(s, "PRAGMA secure_delete"), 2); // fast
    assert_int_equal(store_run_text(s, "ATTACH ':memory:' AS other"), STORE_FAILED);
    assert_int_equal(store_run_text(s, "SELECT load_extension('x')"), STORE_FAILED);
    (void)store_run_text(s, "PRAGMA writable_schema = ON");
    assert_int_equal(store_run_text(s, "DELETE FROM sqlite_schema"), STORE_FAILED);
    assert_int_equal(
        store_run_text(s, "SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 UNION"
                          " ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1"
                          " UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1"),
        STORE_FAILED);
    store_close(s);
}

static void erasing_leaves_the_pragma_as_it_was(void **state)
{
    (void)state;
    struct store *s = open_memory();
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_card_keys_erase(s, 7), STORE_OK); // which has none
    assert_int_equal(number_of(s, "PRAGMA secure_delete"), 2);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_gives_no_more_than_our_statements_need),
        cmocka_unit_test(erasing_leaves_the_pragma_as_it_was),
    };
    if (!server_crypto_open(&crypto))
        return 1;
    const int failed = cmocka_run_group_tests_name("server_engine", tests, NULL, NULL);
    server_crypto_close(&crypto);
    return failed;
}
