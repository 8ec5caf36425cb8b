// How fast the audit trail is verified: rows that an operation leaves, chained, on a real disk. The
// floor is SQLite reading the same columns, and OpenSSL hashing as many octets.
//
//     bench_trail FOLDER [rows, 200000]
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
#define ROWS_A_COMMIT 1000
#define ROW_OCTETS 250 // with the hash before and the sequence

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

static void add_rows(struct store *s, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct trail_new row = {.at = {1784894400000 + (int64_t)i},
                                      .tenant = 1,
                                      .actor = {.kind = ACTOR_CLIENT, .id = 0x19E0000000001},
                                      .address = "127.0.0.1:40000",
                                      .action = "operation.requested",
                                      .object_kind = "card",
                                      .object = 1 + i % 1000,
                                      .operation = 0x19E0000000001 + i,
                                      .correlator = 0x19E0000000001 + i,
                                      .before = "OPERATIONAL",
                                      .after = "audit"};
        if (i % ROWS_A_COMMIT == 0)
            check(store_begin(s) == STORE_OK);
        check(store_trail_add(s, &row) == STORE_OK);
        if (i % ROWS_A_COMMIT == ROWS_A_COMMIT - 1 || i == count - 1)
            check(store_commit(s) == STORE_OK);
    }
}

static void report(const char *what, uint64_t rows, double cpu)
{
    (void)printf("%-34s %10.0f rows/s of one core  CPU us per row %.3f\n", what, (double)rows / cpu,
                 cpu / (double)rows * 1e6);
}

static double verify(struct store *s, uint64_t rows)
{
    struct trail_verdict v;
    const double cpu = cpu_s();
    check(store_trail_verify(s, 0, 0, &v) == STORE_OK);
    const double used = cpu_s() - cpu;
    check(v.ok && v.checked == rows);
    report("verify", rows, used);
    return used;
}

static double floor_of(const char *path, const struct server_crypto *crypto, uint64_t rows)
{
    static uint8_t octets[ROW_OCTETS];
    uint8_t hash[32];
    sqlite3 *db = NULL;
    sqlite3_stmt *all = NULL;
    uint64_t seen = 0;
    const struct bytes part = bytes_of(octets, sizeof octets);
    const struct cipher *c = crypto->store.cipher;
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ==
          SQLITE_OK);
    check(sqlite3_prepare_v2(db, "SELECT * FROM trail ORDER BY sequence", -1, &all, NULL) ==
          SQLITE_OK);
    const double cpu = cpu_s();
    while (sqlite3_step(all) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(all); i++)
            octets[i] ^= (uint8_t)sqlite3_column_bytes(all, i);
        check(c->sha256(c->context, &part, 1, hash));
        seen++;
    }
    const double used = cpu_s() - cpu;
    check(seen == rows);
    check(sqlite3_finalize(all) == SQLITE_OK && sqlite3_close(db) == SQLITE_OK);
    report("floor: SQLite's rows, SHA-256", rows, used);
    return used;
}

int main(int argc, char **argv)
{
    const uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    char path[PATH_SIZE];
    struct server_crypto crypto;
    struct store *writer = NULL;
    struct secret_key key = {.len = 32};
    if (argc < 2 || rows == 0) {
        (void)fprintf(stderr, "usage: bench_trail FOLDER [rows]\n");
        return 2;
    }
    check(snprintf(path, sizeof path, "%s/bench_trail.db", argv[1]) < PATH_SIZE);
    check(server_crypto_open(&crypto));
    remove_database(path);
    const struct store_options options = {.path = path,
                                          .ota_master = key,
                                          .network_master = key,
                                          .pseudonym_key = key,
                                          .crypto = &crypto.store};
    check(store_open(&options, &writer) == STORE_OK);
    add_rows(writer, rows);
    (void)verify(writer, rows); // the second finds its pages where the first left them
    const double used = verify(writer, rows);
    store_close(writer);
    const double floor = floor_of(path, &crypto, rows);
    (void)printf("verify to floor: %.2f\n", used / floor);
    server_crypto_close(&crypto);
    remove_database(path);
    return EXIT_SUCCESS;
}
