// What the key figures of 30 days cost when there were so many operations: from the sums by the
// hour, and beside it counting the operations themselves with SQLite, by an index and by nothing
// but outcomes.
//
//     bench_kpi FOLDER [operations, 1000000]
#include "common/base/check.h"
#include "common/host/clock.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define START_MS INT64_C(1784894400000)
#define HOUR_MS INT64_C(3600000)
#define HOURS (30 * 24)
#define REPEATS 20

static double cpu_s(void)
{
    struct timespec used;
    check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void remove_database(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".writer"};
    char name[PATH_SIZE + 8];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

static void add_operation(struct store *s, uint64_t i, struct utc at)
{
    const struct operation o = {.id = 0x19E0000000001 + i,
                                .kind = (uint8_t)(OPERATION_DOWNLOAD + i % OPERATION_AUDIT),
                                .status = STATUS_ENDED,
                                .outcome = i % 20 == 0 ? OUTCOME_FAILED : OUTCOME_DONE,
                                .created_at = at,
                                .ended_at = at};
    check(store_operation_put(s, 1 + i % 1000, 1, &o) == STORE_OK);
}

// Every detail that figures can have, in each hour: more than any history has.
static uint64_t add_tallies(struct store *s, struct utc at)
{
    uint64_t rows = 0;
    for (uint8_t figure = 0; figure < FIGURES; figure++) {
        const unsigned details = figure == FIGURE_ENDED ? 8 * 5 : FIGURE_CLASSES;
        for (unsigned i = 0; i < details; i++) {
            const uint8_t detail = figure == FIGURE_ENDED
                                       ? figure_ended((uint8_t)(1 + i / 5), (uint8_t)(1 + i % 5))
                                       : (uint8_t)i;
            for (uint64_t tenant = 0; tenant <= 1; tenant++, rows++) {
                const struct figure_tally t = {
                    .tenant = tenant, .at = at, .what = {figure, detail, 3}};
                check(store_tally_add(s, &t) == STORE_OK);
            }
        }
    }
    return rows;
}

static uint64_t fill(struct store *s, uint64_t operations)
{
    uint64_t rows = 0;
    uint64_t done = 0;
    for (int64_t hour = 0; hour < HOURS; hour++) {
        const struct utc at = {START_MS + hour * HOUR_MS};
        const uint64_t until = operations * (uint64_t)(hour + 1) / HOURS;
        check(store_begin(s) == STORE_OK);
        for (; done < until; done++)
            add_operation(s, done, at);
        rows += add_tallies(s, at);
        check(store_commit(s) == STORE_OK);
    }
    return rows;
}

static double from_tallies(struct store *s)
{
    static struct figure_sums sums;
    const double cpu = cpu_s();
    for (unsigned i = 0; i < REPEATS; i++)
        check(store_tallies(s, 0, (struct utc){START_MS}, (struct utc){START_MS + HOURS * HOUR_MS},
                            &sums) == STORE_OK);
    return (cpu_s() - cpu) / REPEATS;
}

static double from_operations(const char *path, uint64_t operations)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *all = NULL;
    uint64_t seen = 0;
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ==
          SQLITE_OK);
    check(sqlite3_prepare_v2(db,
                             "SELECT kind, outcome, count(*) FROM operation WHERE created_at >= 1"
                             " GROUP BY kind, outcome",
                             -1, &all, NULL) == SQLITE_OK);
    const double cpu = cpu_s();
    while (sqlite3_step(all) == SQLITE_ROW)
        seen += (uint64_t)sqlite3_column_int64(all, 2);
    const double used = cpu_s() - cpu;
    check(seen == operations);
    check(sqlite3_finalize(all) == SQLITE_OK && sqlite3_close(db) == SQLITE_OK);
    return used;
}

int main(int argc, char **argv)
{
    const uint64_t operations = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    char path[PATH_SIZE];
    struct server_crypto crypto;
    struct store *s = NULL;
    struct secret_key key = {.len = 32};
    if (argc < 2 || operations == 0) {
        (void)fprintf(stderr, "usage: bench_kpi FOLDER [operations]\n");
        return 2;
    }
    check(snprintf(path, sizeof path, "%s/bench_kpi.db", argv[1]) < PATH_SIZE);
    check(server_crypto_open(&crypto));
    remove_database(path);
    const struct store_options options = {.path = path,
                                          .ota_master = key,
                                          .network_master = key,
                                          .pseudonym_key = key,
                                          .crypto = &crypto.store};
    check(store_open(&options, &s) == STORE_OK);
    const uint64_t rows = fill(s, operations);
    const double sums = from_tallies(s);
    store_close(s);
    const double counted = from_operations(path, operations);
    (void)printf("30 days, %llu operations, %llu sums: %.1f ms of CPU from the sums; counting "
                 "outcomes %.1f ms, %.0f times as much\n",
                 (unsigned long long)operations, (unsigned long long)rows, sums * 1e3,
                 counted * 1e3, counted / sums);
    server_crypto_close(&crypto);
    remove_database(path);
    return EXIT_SUCCESS;
}
