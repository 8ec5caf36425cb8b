#include "tests/unit/server/database_mark.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define START 0xCBF29CE484222325u // FNV-1a
#define NAMES_MAX 128
#define NAME_SIZE 64

static uint64_t add(uint64_t hash, const void *octets, size_t len)
{
    const uint8_t *at = octets;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001B3u;
    return hash;
}

static uint64_t add_row(uint64_t hash, sqlite3_stmt *row)
{
    for (int i = 0; i < sqlite3_column_count(row); i++) {
        const int type = sqlite3_column_type(row, i);
        const void *at = sqlite3_column_blob(row, i);
        const int len = sqlite3_column_bytes(row, i);
        hash = add(add(hash, &type, sizeof(type)), &len, sizeof(len));
        hash = len > 0 ? add(hash, at, (size_t)len) : hash;
    }
    return hash;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *made = NULL;
    check(sqlite3_prepare_v2(db, text, -1, &made, NULL) == SQLITE_OK);
    return made;
}

static size_t list_tables(sqlite3 *db, const char *but_not, char names[NAMES_MAX][NAME_SIZE])
{
    size_t count = 0;
    sqlite3_stmt *list = prepare(
        db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            " AND instr(?1, ' ' || name || ' ') = 0 ORDER BY name");
    check(sqlite3_bind_text(list, 1, but_not, -1, SQLITE_STATIC) == SQLITE_OK);
    while (sqlite3_step(list) == SQLITE_ROW) {
        check(count < NAMES_MAX && sqlite3_column_bytes(list, 0) < NAME_SIZE);
        (void)snprintf(names[count++], NAME_SIZE, "%s", sqlite3_column_text(list, 0));
    }
    check(sqlite3_finalize(list) == SQLITE_OK);
    return count;
}

static void add_table(sqlite3 *db, const char *name, struct database_mark *m)
{
    char text[NAME_SIZE + 32];
    uint64_t rows = 0;
    (void)snprintf(text, sizeof(text), "SELECT * FROM \"%s\"", name);
    sqlite3_stmt *all = prepare(db, text);
    while (sqlite3_step(all) == SQLITE_ROW) {
        m->content = add_row(m->content, all);
        rows++;
    }
    check(sqlite3_finalize(all) == SQLITE_OK);
    m->content = add(m->content, name, strlen(name));
    m->amounts = add(add(m->amounts, name, strlen(name)), &rows, sizeof(rows));
}

sqlite3 *database_mark_open(const char *path)
{
    sqlite3 *db = NULL;
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    return db;
}

void database_mark_close(sqlite3 *db)
{
    check(sqlite3_close(db) == SQLITE_OK);
}

struct database_mark database_mark_of(sqlite3 *db, const char *but_not)
{
    static char names[NAMES_MAX][NAME_SIZE];
    struct database_mark m = {START, START};
    const size_t count = list_tables(db, but_not, names);
    for (size_t i = 0; i < count; i++)
        add_table(db, names[i], &m);
    return m;
}
