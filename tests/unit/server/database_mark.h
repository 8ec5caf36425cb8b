// What a database holds, in two numbers: to see that nothing was changed, or no more than once.
#pragma once

#include <sqlite3.h>
#include <stdint.h>

struct database_mark {
    uint64_t content; // of every row of every table
    uint64_t amounts; // of the rows of each table
};

sqlite3 *database_mark_open(const char *path);
void database_mark_close(sqlite3 *db);
// `but_not`: names of tables that do not count, with a space before and behind each.
struct database_mark database_mark_of(sqlite3 *db, const char *but_not);
