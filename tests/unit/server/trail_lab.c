#include "tests/unit/server/trail_lab.h"

#include "tests/lib/cmocka_all.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct trail_lab trail_lab;

int trail_set_up(void **state)
{
    struct trail_lab *l = &trail_lab;
    (void)state;
    (void)snprintf(l->folder, sizeof(l->folder), "/tmp/otaria-trail-XXXXXX");
    assert_non_null(mkdtemp(l->folder));
    (void)snprintf(l->path, sizeof(l->path), "%s/server.db", l->folder);
    (void)snprintf(l->checkpoints, sizeof(l->checkpoints), "%s/checkpoints", l->folder);
    (void)snprintf(l->archive, sizeof(l->archive), "%s/archive", l->folder);
    assert_int_equal(mkdir(l->archive, 0700), 0);
    return server_crypto_open(&l->crypto) ? 0 : 1;
}

static void empty(const char *folder)
{
    char file[400];
    DIR *dir = opendir(folder);
    struct dirent *entry = dir != NULL ? readdir(dir) : NULL;
    for (; entry != NULL; entry = readdir(dir)) {
        (void)snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name);
        (void)unlink(file); // refused for folders
    }
    if (dir != NULL)
        (void)closedir(dir);
}

int trail_tear_down(void **state)
{
    (void)state;
    empty(trail_lab.archive);
    (void)rmdir(trail_lab.archive);
    empty(trail_lab.folder);
    (void)rmdir(trail_lab.folder);
    server_crypto_close(&trail_lab.crypto);
    return 0;
}

struct store *trail_store(const char *archive)
{
    struct secret_key key = {.len = 32, .octets = {9}};
    const struct store_options options = {.path = trail_lab.path,
                                          .checkpoints = trail_lab.checkpoints,
                                          .archive = archive,
                                          .ota_master = key,
                                          .network_master = key,
                                          .pseudonym_key = key,
                                          .crypto = &trail_lab.crypto.store};
    struct store *s = NULL;
    assert_int_equal(store_open(&options, &s), STORE_OK);
    return s;
}

struct store *trail_four_months(const char *archive)
{
    struct store *s = trail_store(archive);
    for (int month = 0; month < 4; month++) {
        const int64_t at = TRAIL_JULY + month * 31 * TRAIL_DAY;
        assert_int_equal(store_begin(s), STORE_OK);
        for (int i = 0; i < 3; i++) {
            const struct trail_new row = {.at = {at + i}, .action = "card.marked"};
            assert_int_equal(store_trail_add(s, &row), STORE_OK);
        }
        assert_int_equal(store_commit(s), STORE_OK);
        assert_int_equal(store_checkpoint(s, (struct utc){at + 5}), STORE_OK);
    }
    return s;
}

bool trail_expire(struct store *s, struct utc now, unsigned months)
{
    bool is_more = false;
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_trail_expire(s, now, months, 2, &is_more), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    return is_more;
}

void trail_behind_the_back(const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(trail_lab.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

struct trail_verdict trail_verdict_from(struct store *s, uint64_t from)
{
    struct trail_verdict v;
    assert_int_equal(store_trail_verify(s, from, 0, &v), STORE_OK);
    return v;
}

void trail_expect(struct store *s, uint64_t from, const char *problem, uint64_t first_bad)
{
    const struct trail_verdict v = trail_verdict_from(s, from);
    assert_string_equal(v.problem, problem);
    assert_int_equal(v.first_bad, first_bad);
    assert_true(v.ok == (problem[0] == '\0'));
}
