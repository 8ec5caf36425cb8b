// Months of the trail that leave the database as files: what is in them, who sees when that was
// changed, and what a stop, a fault or a broken chain leaves.
#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "common/host/crypto.h"
#include "ota-server/core/trail_file.h"
#include "tests/unit/server/trail_lab.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 65536

static const struct utc october = {TRAIL_JULY + 93 * TRAIL_DAY + 10};

static bool name_it(void *context, const struct tombstone *t)
{
    struct tombstone *kept = context;
    *kept = *t;
    return true;
}

static struct tombstone last_tombstone(struct store *s)
{
    struct tombstone t = {0};
    assert_int_equal(store_tombstones(s, name_it, &t), STORE_OK);
    return t;
}

// The names in the archive, each behind a space, in no order.
static const char *names(void)
{
    static char text[1024];
    text[0] = '\0';
    DIR *dir = opendir(trail_lab.archive);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        const size_t len = strlen(text);
        if (e->d_name[0] != '.')
            (void)snprintf(text + len, sizeof(text) - len, " %s", e->d_name);
    }
    (void)closedir(dir);
    return text;
}

static size_t read_archived(const char *name, char text[FILE_MAX])
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", trail_lab.archive, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t len = fread(text, 1, FILE_MAX, file);
    assert_int_equal(fclose(file), 0);
    return len;
}

// As the trail's own verification would: 0 when all of it holds, or the first bad row.
static uint64_t first_bad_of(const char *text, size_t len)
{
    struct trail_file *f = calloc(1, sizeof(*f));
    char sign[TOMBSTONE_TEXT_SIZE];
    uint64_t bad = 0;
    assert_non_null(f);
    trail_file_init(f);
    for (size_t at = 0; at < len && bad == 0;) {
        const char *end = memchr(text + at, '\n', len - at);
        const struct bytes line =
            bytes_of(text + at, end != NULL ? (size_t)(end - text) - at : len - at);
        const enum trail_file_status status =
            trail_file_line(f, trail_lab.crypto.store.cipher, line);
        if (end == NULL || (status != TRAIL_FILE_OK && status != TRAIL_FILE_END))
            bad = f->next != 0 ? f->next : 1;
        at += line.len + 1;
    }
    if (bad == 0 &&
        (!f->has_ended ||
         !crypto_is_signed(f->head.signer, tombstone_text(&f->end, sign), f->end.signature)))
        bad = f->head.first != 0 ? f->head.first : 1;
    free(f);
    return bad;
}

static void a_month_is_in_its_file_before_it_leaves_the_database(void **state)
{
    static char text[FILE_MAX];
    char expected[128];
    char hash[9];
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    assert_false(trail_expire(s, october, 3));
    assert_string_equal(names(), "");
    // Three rows in steps of two: the second has all, and only then is there a tombstone.
    assert_true(trail_expire(s, october, 2));
    assert_int_equal(last_tombstone(s).last, 0);
    assert_non_null(strstr(names(), ".part"));
    assert_true(trail_expire(s, october, 2));
    const struct tombstone t = last_tombstone(s);
    assert_int_equal(t.last, 3);
    struct writer w = writer_of(hash, sizeof(hash));
    text_hex(&w, bytes_of(t.hash, 4));
    (void)snprintf(expected, sizeof(expected), " trail-2026-07-1-3-%s.tsv", text_end(&w));
    assert_string_equal(names(), expected);
    const size_t len = read_archived(expected + 1, text);
    assert_int_equal(first_bad_of(text, len), 0);
    while (trail_expire(s, october, 2))
        continue;
    assert_string_equal(store_archive_problem(s), "");
    trail_expect(s, 1, "", 0);
    store_close(s);
}

static bool keep_result(void *context, const struct trail_row *row)
{
    (void)snprintf(context, 64, "%s", row->result);
    return true;
}

static void the_row_of_a_removal_names_the_file(void **state)
{
    char result[64] = "";
    struct trail_filter f;
    const struct store_page page = {.limit = 1};
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    while (trail_expire(s, october, 2))
        continue;
    trail_filter_init(&f);
    f.action = "trail.month.removed";
    assert_int_equal(store_trail(s, &f, &page, keep_result, result, NULL), STORE_OK);
    assert_string_equal(result, names() + 1);
    store_close(s);
}

// Each octet of each line, its lowest bit and the one that makes small letters of great ones.
static void every_octet_of_a_file_counts(void **state)
{
    static char text[FILE_MAX];
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    while (trail_expire(s, october, 2))
        continue;
    const size_t len = read_archived(names() + 1, text);
    for (size_t i = 0; i < len; i++) {
        static const char masks[] = {1, 0x20};
        for (size_t k = 0; k < sizeof(masks); k++) {
            text[i] ^= masks[k];
            if (first_bad_of(text, len) == 0)
                fail_msg("octet %zu of %zu", i, len);
            text[i] ^= masks[k];
        }
    }
    // Cut anywhere; a line twice; a line less.
    for (size_t i = 0; i < len; i++) {
        if (first_bad_of(text, i) == 0)
            fail_msg("cut at %zu", i);
    }
    store_close(s);
}

// The first row that does not fit is the one that is named.
static void the_first_bad_row_is_named(void **state)
{
    static char text[FILE_MAX];
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    while (trail_expire(s, october, 2))
        continue;
    const size_t len = read_archived(names() + 1, text);
    char *second = strstr(text, "\n2\t");
    assert_non_null(second);
    char *action = strstr(second, "card.marked");
    action[0] = 'C';
    assert_int_equal(first_bad_of(text, len), 2);
    action[0] = 'c';
    char *third = strstr(text, "\n3\t");
    assert_non_null(third);
    const size_t gone = (size_t)(third - second);
    memmove(second, third, len - (size_t)(third - text));
    assert_int_equal(first_bad_of(text, len - gone), 2);
    store_close(s);
}

static void texts_of_any_kind_come_back(void **state)
{
    static char text[FILE_MAX];
    (void)state;
    struct store *s = trail_store(trail_lab.archive);
    assert_int_equal(store_begin(s), STORE_OK);
    const struct trail_new odd = {.at = {TRAIL_JULY},
                                  .tenant = 7,
                                  .actor = {.kind = ACTOR_USER, .id = 9},
                                  .action = "card.noted",
                                  .object_kind = "card",
                                  .object = 5,
                                  .operation = UINT64_C(1) << 62,
                                  .before = "tab\there",
                                  .after = "line\nbreak\r, \\x09 and \x7f",
                                  .reason = "gr\xc3\xbc\xc3\x9f"
                                            "e \xff",
                                  .result = "=1+1"};
    const struct trail_new later = {.at = october, .action = "card.marked"};
    assert_int_equal(store_trail_add(s, &odd), STORE_OK);
    assert_int_equal(store_trail_add(s, &later), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    while (trail_expire(s, october, 2))
        continue;
    const size_t len = read_archived(names() + 1, text);
    text[len] = '\0';
    assert_non_null(strstr(text, "\ttab\\x09here\tline\\x0abreak\\x0d, \\x5cx09 and \\x7f\t"
                                 "gr\xc3\xbc\xc3\x9f"
                                 "e \xff\t"));
    assert_int_equal(first_bad_of(text, len), 0);
    store_close(s);
}

// What is written anew after a stop, or after a transaction that was undone, is the same month.
static void a_stop_in_the_middle_loses_nothing(void **state)
{
    static char text[FILE_MAX];
    bool is_more = false;
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    assert_true(trail_expire(s, october, 2));
    store_close(s); // two of three rows are in the file
    s = trail_store(trail_lab.archive);
    assert_true(trail_expire(s, october, 2));
    assert_int_equal(last_tombstone(s).last, 0); // begun anew
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_trail_expire(s, october, 2, 2, &is_more), STORE_OK);
    assert_int_equal(last_tombstone(s).last, 3);
    store_rollback(s); // the file is whole, and the database knows nothing of it
    assert_int_equal(last_tombstone(s).last, 0);
    assert_null(strstr(names(), ".part"));
    store_close(s);
    s = trail_store(trail_lab.archive);
    while (trail_expire(s, (struct utc){october.ms + 1000}, 2))
        continue;
    assert_int_equal(last_tombstone(s).last, 3);
    assert_int_equal(last_tombstone(s).at.ms, october.ms + 1000);
    const size_t len = read_archived(names() + 1, text); // one file only: its name is its content's
    assert_null(strchr(names() + 1, ' '));
    assert_int_equal(first_bad_of(text, len), 0);
    trail_expect(s, 1, "", 0);
    store_close(s);
}

static void without_a_place_to_write_nothing_is_removed(void **state)
{
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    assert_int_equal(rmdir(trail_lab.archive), 0);
    assert_false(trail_expire(s, october, 2));
    assert_non_null(strstr(store_archive_problem(s), "No such file or directory"));
    assert_int_equal(last_tombstone(s).last, 0);
    assert_int_equal(trail_verdict_from(s, 1).checked, 12);
    assert_int_equal(mkdir(trail_lab.archive, 0700), 0);
    while (trail_expire(s, october, 2))
        continue;
    assert_string_equal(store_archive_problem(s), "");
    assert_int_equal(last_tombstone(s).last, 3);
    store_close(s);
}

// Nobody signs for it; and what was written of it is not left.
static void a_month_that_was_altered_stays(void **state)
{
    (void)state;
    store_close(trail_four_months(trail_lab.archive));
    trail_behind_the_back("DROP TRIGGER trail_no_update;"
                          "UPDATE trail SET reason = 'other' WHERE sequence = 2");
    struct store *s = trail_store(trail_lab.archive);
    assert_false(trail_expire(s, october, 2));
    assert_non_null(strstr(store_archive_problem(s), "row 2 does not fit the chain"));
    assert_int_equal(last_tombstone(s).last, 0);
    assert_string_equal(names(), "");
    trail_expect(s, 1, "HASH", 2);
    store_close(s);
}

static void months_follow_from_each_other(void **state)
{
    (void)state;
    struct store *s = trail_four_months(trail_lab.archive);
    while (trail_expire(s, october, 1))
        continue;
    assert_int_equal(last_tombstone(s).last, 6);
    assert_non_null(strstr(names(), "trail-2026-07-1-3-"));
    assert_non_null(strstr(names(), "trail-2026-08-4-6-"));
    trail_expect(s, 1, "", 0);
    store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trail_set_up, trail_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_month_is_in_its_file_before_it_leaves_the_database),
        TEST(the_row_of_a_removal_names_the_file),
        TEST(every_octet_of_a_file_counts),
        TEST(the_first_bad_row_is_named),
        TEST(texts_of_any_kind_come_back),
        TEST(a_stop_in_the_middle_loses_nothing),
        TEST(without_a_place_to_write_nothing_is_removed),
        TEST(a_month_that_was_altered_stays),
        TEST(months_follow_from_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
