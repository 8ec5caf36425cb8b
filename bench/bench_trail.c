// How fast the audit trail is verified: rows that an operation leaves, chained, on a real disk. By
// one thread, as a short range is; by the threads of a long one, on which a server goes on working;
// and the floor, SQLite reading the same columns and OpenSSL hashing as many octets on one thread.
//
//     bench_trail FOLDER [rows, 200000]
#include "common/base/check.h"
#include "ota-server/service/trail_check.h"
#include "ota-server/shell/server_crypto.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define ROWS_A_COMMIT 1000
#define ROW_OCTETS 250 // with the hash before and the sequence

struct spent {
    double cpu_s, wall_s;
};

static double seconds_of(clockid_t clock)
{
    struct timespec at;
    check(clock_gettime(clock, &at) == 0);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static struct spent now(void)
{
    return (struct spent){seconds_of(CLOCK_PROCESS_CPUTIME_ID), seconds_of(CLOCK_MONOTONIC)};
}

static struct spent since(struct spent start)
{
    const struct spent end = now();
    return (struct spent){end.cpu_s - start.cpu_s, end.wall_s - start.wall_s};
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

static struct spent report(const char *what, uint64_t rows, struct spent used)
{
    (void)printf("%-34s %10.0f rows/s  %10.0f rows/s of one core  CPU us per row %.3f\n", what,
                 (double)rows / used.wall_s, (double)rows / used.cpu_s,
                 used.cpu_s / (double)rows * 1e6);
    return used;
}

static struct spent verify(struct store *s, uint64_t rows)
{
    struct trail_verdict v;
    const struct spent start = now();
    check(store_trail_verify(s, 0, 0, &v) == STORE_OK);
    check(v.ok && v.checked == rows);
    return report("verify, one thread", rows, since(start));
}

static bool see_verdict(void *context, const struct document *d)
{
    char text[TRAIL_CHECK_DOCUMENT_MAX + 1];
    check(d->body.len <= TRAIL_CHECK_DOCUMENT_MAX);
    bytes_copy(text, d->body);
    text[d->body.len] = '\0';
    *(bool *)context = strstr(text, "\"ok\":true") != NULL;
    return false;
}

static struct spent verify_beside(struct store *writer, struct trail_checks *checks,
                                  struct turn *turn, uint64_t rows)
{
    const struct trail_check c = {.id = turn_id(turn, (struct utc){1}), .from = 1, .to = rows};
    bool is_good = false;
    check(store_begin(writer) == STORE_OK && trail_check_put(writer, &c) == STORE_OK &&
          store_commit(writer) == STORE_OK);
    check(trail_checks_add(checks, &c));
    const struct spent start = now();
    trail_checks_start(checks, c.id);
    check(trail_checks_wait(checks));
    const struct spent used = since(start);
    trail_checks_step(checks);
    check(turn_run(turn, (struct utc){2}) == TURN_OK);
    check(store_document_get(writer, TRAIL_CHECK_KIND, c.id, see_verdict, &is_good) == STORE_OK);
    check(is_good);
    return report("verify, threads of a long range", rows, used);
}

static void measure_beside(const struct store_options *options, struct store *writer, uint64_t rows)
{
    struct server_crypto crypto[TRAIL_CHECK_THREADS];
    struct policy policy;
    policy_default(&policy);
    const struct turn_options t = {.store = writer, .policy = &policy};
    struct trail_checks_options o = {.turn = turn_open(&t)};
    check(o.turn != NULL);
    for (unsigned i = 0; i < TRAIL_CHECK_THREADS; i++) {
        struct store_options reader = *options;
        check(server_crypto_open(&crypto[i]));
        reader.is_reader = true;
        reader.crypto = &crypto[i].store;
        check(store_open(&reader, &o.readers[i]) == STORE_OK);
    }
    struct trail_checks *checks = trail_checks_open(&o);
    check(checks != NULL);
    (void)verify_beside(writer, checks, o.turn, rows);
    (void)verify_beside(writer, checks, o.turn, rows);
    trail_checks_close(checks);
    turn_close(o.turn);
    for (unsigned i = 0; i < TRAIL_CHECK_THREADS; i++) {
        store_close(o.readers[i]);
        server_crypto_close(&crypto[i]);
    }
}

static struct spent floor_of(const char *path, const struct server_crypto *crypto, uint64_t rows)
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
    const struct spent start = now();
    while (sqlite3_step(all) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(all); i++)
            octets[i] ^= (uint8_t)sqlite3_column_bytes(all, i);
        check(c->sha256(c->context, &part, 1, hash));
        seen++;
    }
    const struct spent used = since(start);
    check(seen == rows);
    check(sqlite3_finalize(all) == SQLITE_OK && sqlite3_close(db) == SQLITE_OK);
    return report("floor: SQLite's rows, SHA-256", rows, used);
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
    const struct spent used = verify(writer, rows);
    measure_beside(&options, writer, rows);
    store_close(writer);
    const struct spent floor = floor_of(path, &crypto, rows);
    (void)printf("verify to floor, CPU: %.2f\n", used.cpu_s / floor.cpu_s);
    server_crypto_close(&crypto);
    remove_database(path);
    return EXIT_SUCCESS;
}
