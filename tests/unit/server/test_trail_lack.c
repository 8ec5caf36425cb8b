// Rows of the trail without the checkpoint that must be behind them: the file is gone, or was cut.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/trail_lab.h"

#include <stdio.h>
#include <unistd.h>

#define MINUTE_MS 60000ll
#define LINES 4 // of trail_four_months(): under rows 3, 6, 9 and 12

static char lines[LINES][320];

static struct store *four_months(void)
{
    struct store *s = trail_four_months(NULL);
    FILE *file = fopen(trail_lab.checkpoints, "r");
    assert_non_null(file);
    for (int i = 0; i < LINES; i++)
        assert_non_null(fgets(lines[i], sizeof(lines[i]), file));
    assert_int_equal(fclose(file), 0);
    trail_expect(s, 1, "", 0);
    return s;
}

// Those of a set of (1 << line).
static void keep(unsigned set)
{
    FILE *file = fopen(trail_lab.checkpoints, "w");
    assert_non_null(file);
    for (int i = 0; i < LINES; i++)
        assert_true((set >> i & 1) == 0 || fputs(lines[i], file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_gone_is_told(void **state)
{
    (void)state;
    struct store *s = four_months();
    (void)unlink(trail_lab.checkpoints);
    trail_expect(s, 1, "CHECKPOINT", 1);
    // The server goes on, and signs what it finds.
    assert_int_equal(store_checkpoint(s, (struct utc){TRAIL_JULY + 93 * TRAIL_DAY + 7}), STORE_OK);
    trail_expect(s, 1, "CHECKPOINT", 1);
    trail_expect(s, 10, "", 0); // what came last it has signed in time
    store_close(s);
}

static void a_file_that_was_cut_is_told(void **state)
{
    (void)state;
    struct store *s = four_months();
    keep(1);
    trail_expect(s, 1, "CHECKPOINT", 4);
    keep(1 | 8); // from the middle
    trail_expect(s, 1, "CHECKPOINT", 4);
    keep(8);
    trail_expect(s, 1, "CHECKPOINT", 1);
    keep(1 | 2 | 4); // the last interval has none yet
    trail_expect(s, 1, "", 0);
    store_close(s);
}

// Whoever owns the disk can write lines, but not sign them.
static void a_line_that_is_not_signed_covers_nothing(void **state)
{
    (void)state;
    struct store *s = four_months();
    for (int i = 0; i < LINES; i++) {
        char *rows = lines[i];
        for (int k = 0; k < 3; k++)
            rows = strchr(rows, ' ') + (k < 2);
        (void)snprintf(rows, 2, "\n");
    }
    keep(15);
    trail_expect(s, 1, "CHECKPOINT", 1);
    store_close(s);
}

// The server was killed a minute after the first row, and started a day later: that is no gap.
static void a_start_long_after_a_kill_covers_what_was_before(void **state)
{
    (void)state;
    static const int64_t at[] = {0, MINUTE_MS, TRAIL_DAY, TRAIL_DAY + 5 * MINUTE_MS};
    struct store *s = trail_store(NULL);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        const struct trail_new row = {.at = {TRAIL_JULY + at[i]}, .action = "card.marked"};
        assert_int_equal(store_begin(s), STORE_OK);
        assert_int_equal(store_trail_add(s, &row), STORE_OK);
        assert_int_equal(store_commit(s), STORE_OK);
    }
    trail_expect(s, 1, "", 0); // the last row tells what time it is
    const struct utc last = {TRAIL_JULY + TRAIL_DAY + 15 * MINUTE_MS};
    assert_int_equal(store_checkpoint(s, last), STORE_OK);
    trail_expect(s, 1, "", 0);
    store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_set_up, trail_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_gone_is_told),
        TEST(a_file_that_was_cut_is_told),
        TEST(a_line_that_is_not_signed_covers_nothing),
        TEST(a_start_long_after_a_kill_covers_what_was_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
