// The floor under the closed loop: SQLite alone, writing as many rows and octets as an operation
// leaves (rows without an index), with FULL sync, so many operations in a commit.
//
//     bench_commits FOLDER [milliseconds per measurement, 2000] [rows of an operation, 20]
#include "common/base/check.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROWS 20 // of an audit: card, operation, steps, packets, receipt, view and trail
#define OCTETS 150

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void run(sqlite3 *db, const char *text)
{
    check(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

struct amounts {
    unsigned ms, rows;
};

static void measure(sqlite3 *db, sqlite3_stmt *insert, unsigned group, struct amounts a)
{
    const double start = now_s();
    const double cpu = cpu_s();
    unsigned long operations = 0;
    unsigned long commits = 0;
    while (now_s() - start < a.ms / 1000.0) {
        run(db, "BEGIN IMMEDIATE");
        for (unsigned i = 0; i < group * a.rows; i++) {
            check(sqlite3_step(insert) == SQLITE_DONE);
            check(sqlite3_reset(insert) == SQLITE_OK);
        }
        run(db, "COMMIT");
        operations += group;
        commits++;
    }
    const double seconds = now_s() - start;
    (void)printf("floor: %4u operations a commit  %9.0f operations/s  %6.0f commits/s  "
                 "CPU us per operation %.0f\n",
                 group, (double)operations / seconds, (double)commits / seconds,
                 (cpu_s() - cpu) / (double)operations * 1e6);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const unsigned groups[] = {1, 16, 64, 256};
    static const uint8_t octets[OCTETS] = {1};
    char path[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    const struct amounts a = {.ms = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2000,
                              .rows = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : ROWS};
    if (argc < 2 || a.ms == 0 || a.rows == 0) {
        (void)fprintf(stderr, "usage: bench_commits FOLDER [milliseconds] [rows]\n");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/bench_commits.db", argv[1]);
    check(sqlite3_open(path, &db) == SQLITE_OK);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE floor (id INTEGER PRIMARY KEY, octets BLOB NOT NULL)");
    check(sqlite3_prepare_v2(db, "INSERT INTO floor (octets) VALUES (?)", -1, &insert, NULL) ==
          SQLITE_OK);
    check(sqlite3_bind_blob(insert, 1, octets, OCTETS, SQLITE_STATIC) == SQLITE_OK);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        measure(db, insert, groups[i], a);
    sqlite3_finalize(insert);
    check(sqlite3_close(db) == SQLITE_OK);
    check(unlink(path) == 0);
    return EXIT_SUCCESS;
}
