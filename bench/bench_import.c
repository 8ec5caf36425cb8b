// An import from file to cards, with wrapped keys, as the server does it: one thread reads and
// judges, another writes; the store on a real disk. The floor under it: SQLite alone, writing the
// same rows with the same indexes, as many cards in a commit.
//
//     bench_import FOLDER [cards, 20000]
#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/clock.h"
#include "ota-server/service/import_job.h"
#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/make_batch.h"
#include "profiles/vendor/shell/scratch_host.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TENANT 1
#define IMPORT 1
#define PATH_SIZE 4096
#define ANSWER_SIZE 512
#define FLOOR_CARDS 1024 // in a commit, as in a slice of an import
#define TABLES 6

struct bench {
    uint64_t count;
    const char *folder;
    char file[PATH_SIZE], database[PATH_SIZE], floor[PATH_SIZE];
    struct server_crypto crypto, import_crypto;
    struct vendor_scratch scratch;
    struct store *writer, *reader;
    struct turn *turn;
    struct import_jobs *jobs;
    struct policy policy;
    struct secret_key key;
};

static double seconds_of(clockid_t clock)
{
    struct timespec at;
    check(clock_gettime(clock, &at) == 0);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static long memory_kib(void)
{
    struct rusage usage;
    check(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

static void paths(struct bench *b, const char *folder)
{
    b->folder = folder;
    check(snprintf(b->file, PATH_SIZE, "%s/bench_import.out", folder) < PATH_SIZE);
    check(snprintf(b->database, PATH_SIZE, "%s/bench_import.db", folder) < PATH_SIZE);
    check(snprintf(b->floor, PATH_SIZE, "%s/bench_floor.db", folder) < PATH_SIZE);
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

// --- the import ------------------------------------------------------------------------------

static struct secret_key transport_key(bool is_auc)
{
    uint8_t octets[16];
    memset(octets, is_auc ? 7 : 12, sizeof octets);
    octets[0] = 1;
    return secret_key_of(bytes_of(octets, sizeof octets));
}

static void make_file(struct bench *b)
{
    const struct make_options make = {.cipher = b->crypto.store.cipher,
                                      .digest = &vendor_digest_host,
                                      .to = fopen(b->file, "wb"),
                                      .seed = 1,
                                      .first = 1,
                                      .count = b->count,
                                      .batch = "BENCH",
                                      .customer = "NORDWIND-IOT",
                                      .transport_auc = transport_key(true),
                                      .transport_ota = transport_key(false)};
    check(make.to != NULL && make_cards(&make) && fclose(make.to) == 0);
}

static struct store *open_store(const struct bench *b, const struct server_crypto *crypto,
                                bool is_reader)
{
    struct store *store = NULL;
    const struct store_options options = {.path = b->database,
                                          .is_reader = is_reader,
                                          .ota_master = b->key,
                                          .network_master = b->key,
                                          .pseudonym_key = b->key,
                                          .crypto = &crypto->store};
    check(store_open(&options, &store) == STORE_OK);
    return store;
}

static void send_nothing(void *context, const struct message *message)
{
    (void)context;
    (void)message;
}

static void open_all(struct bench *b)
{
    uint8_t octets[32];
    memset(octets, 5, sizeof octets);
    b->key = secret_key_of(bytes_of(octets, sizeof octets));
    policy_default(&b->policy);
    check(server_crypto_open(&b->crypto) && server_crypto_open(&b->import_crypto));
    check(vendor_scratch_open(&b->scratch, b->folder));
    b->writer = open_store(b, &b->crypto, false);
    b->reader = open_store(b, &b->import_crypto, true);
    const struct turn_options turn = {.store = b->writer,
                                      .policy = &b->policy,
                                      .cipher = b->crypto.store.cipher,
                                      .send = send_nothing};
    b->turn = turn_open(&turn);
    const struct import_jobs_options jobs = {.turn = b->turn,
                                             .reader = b->reader,
                                             .crypto = &b->import_crypto.store,
                                             .digest = &vendor_digest_host,
                                             .scratch = &b->scratch,
                                             .key = &b->key};
    b->jobs = import_jobs_open(&jobs);
    check(b->turn != NULL && b->jobs != NULL);
}

static void close_all(struct bench *b)
{
    import_jobs_close(b->jobs);
    turn_close(b->turn);
    store_close(b->reader);
    store_close(b->writer);
    server_crypto_close(&b->import_crypto);
    vendor_scratch_close(&b->scratch);
}

static void put_key(struct bench *b, uint8_t index, bool is_auc)
{
    static const uint8_t nonce[12];
    const struct secret_key key = transport_key(is_auc);
    struct import_target target = {
        .store = b->writer, .crypto = b->crypto.crypto, .key = &b->key, .tenant = TENANT};
    const struct import_key from = {.id = index, .index = index, .key = &key, .nonce = nonce};
    check(import_transport_key_put(&target, &from) == STORE_OK);
}

static struct vendor_profile *read_profile(void)
{
    static char text[65536];
    char error[PROFILE_ERROR_SIZE] = "";
    FILE *file = fopen("profiles/vendor/samples/alder.json", "rb");
    check(file != NULL); // from the project's folder
    const size_t len = fread(text, 1, sizeof text, file);
    check(fclose(file) == 0);
    struct vendor_profile *profile = profile_open(bytes_of(text, len), error);
    check(profile != NULL);
    return profile;
}

static void order(struct bench *b)
{
    static char body[IMPORT_DOCUMENT_MAX];
    static const uint8_t sha256[32];
    const struct import_order wanted = {
        .import = IMPORT, .tenant = TENANT, .vendor = "alder", .created_at = clock_utc()};
    const struct import_state state = {.status = "UPLOADED", .at = wanted.created_at};
    struct writer w = writer_of(body, sizeof body);
    import_document_write(&w, &wanted, &state);
    const struct document d = {.kind = IMPORT_KIND,
                               .id = IMPORT,
                               .owner = TENANT,
                               .created_at = wanted.created_at,
                               .body = writer_bytes(&w)};
    check(store_begin(b->writer) == STORE_OK);
    check(store_document_put(b->writer, &d) == STORE_OK);
    put_key(b, 7, true);
    put_key(b, 12, false);
    check(store_commit(b->writer) == STORE_OK);
    FILE *file = fopen(b->file, "rb");
    check(file != NULL);
    check(import_jobs_add(b->jobs, &wanted, sha256, file, read_profile()) == SEAT_TAKEN);
    import_jobs_start(b->jobs, IMPORT);
}

static bool see_answer(void *context, const struct document *d)
{
    struct writer w = writer_of(context, ANSWER_SIZE);
    writer_copy(&w, bytes_slice(d->body, 0, ANSWER_SIZE - 1));
    (void)text_end(&w);
    return false;
}

static void report(const char *what, uint64_t count, double wall, double cpu)
{
    (void)printf("%-28s %9.0f cards/s  CPU us per card %6.1f", what, (double)count / wall,
                 cpu / (double)count * 1e6);
}

static double run_import(struct bench *b)
{
    char answer[ANSWER_SIZE] = "";
    open_all(b);
    make_file(b);
    order(b);
    const long before = memory_kib();
    const double start = seconds_of(CLOCK_MONOTONIC);
    const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const double own = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    while (import_jobs_wait(b->jobs)) {
        import_jobs_step(b->jobs);
        check(turn_run(b->turn, clock_utc()) == TURN_OK);
    }
    const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    const double writing = seconds_of(CLOCK_THREAD_CPUTIME_ID) - own;
    report("import", b->count, seconds_of(CLOCK_MONOTONIC) - start, used);
    (void)printf(" (reading %.1f, writing %.1f)  memory %ld MB, %ld before\n",
                 (used - writing) / (double)b->count * 1e6, writing / (double)b->count * 1e6,
                 memory_kib() / 1024, before / 1024);
    check(store_document_get(b->writer, IMPORT_KIND, IMPORT, see_answer, answer) == STORE_OK);
    if (strstr(answer, "\"outcome\":\"IMPORTED\"") == NULL) {
        (void)fprintf(stderr, "bench_import: %s\n", answer);
        exit(EXIT_FAILURE);
    }
    close_all(b);
    return used;
}

// --- the floor -------------------------------------------------------------------------------

// In the order in which an import writes them.
static const char *const tables[TABLES][2] = {
    {"card", "id"},          {"subscription", "id"},          {"ota_key", "card"},
    {"network_key", "imsi"}, {"card_reference", "reference"}, {"pseudonym", "object"}};

struct rows {
    sqlite3_stmt *from, *to;
    uint64_t count; // in all
    uint64_t done;
};

static void run(sqlite3 *db, const char *text)
{
    check(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    check(sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK);
    return statement;
}

static void copy_schema(sqlite3 *from, sqlite3 *to)
{
    sqlite3_stmt *all = prepare(from, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
                                      " AND type <> 'trigger'");
    while (sqlite3_step(all) == SQLITE_ROW)
        run(to, (const char *)sqlite3_column_text(all, 0));
    (void)sqlite3_finalize(all);
}

static struct rows rows_of(sqlite3 *from, sqlite3 *to, const char *const table[2])
{
    char text[256];
    struct rows r = {0};
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM %s", table[0]);
    sqlite3_stmt *count = prepare(from, text);
    check(sqlite3_step(count) == SQLITE_ROW);
    r.count = (uint64_t)sqlite3_column_int64(count, 0);
    (void)sqlite3_finalize(count);
    (void)snprintf(text, sizeof text, "SELECT * FROM %s ORDER BY %s", table[0], table[1]);
    r.from = prepare(from, text);
    int len = snprintf(text, sizeof text, "INSERT INTO %s VALUES (?", table[0]);
    for (int i = 1; i < sqlite3_column_count(r.from); i++)
        len += snprintf(text + len, sizeof text - (size_t)len, ",?");
    (void)snprintf(text + len, sizeof text - (size_t)len, ")");
    r.to = prepare(to, text);
    return r;
}

// The share of a table's rows that `cards` of all cards have.
static void copy_rows(struct rows *r, uint64_t cards, uint64_t count, bool is_written)
{
    for (; r->done * count < r->count * cards; r->done++) {
        check(sqlite3_step(r->from) == SQLITE_ROW);
        for (int i = 0; is_written && i < sqlite3_column_count(r->from); i++)
            check(sqlite3_bind_value(r->to, i + 1, sqlite3_column_value(r->from, i)) == SQLITE_OK);
        if (is_written)
            check(sqlite3_step(r->to) == SQLITE_DONE && sqlite3_reset(r->to) == SQLITE_OK);
    }
}

static double copy_all(struct bench *b, sqlite3 *from, sqlite3 *to, bool is_written)
{
    struct rows rows[TABLES];
    for (size_t i = 0; i < TABLES; i++)
        rows[i] = rows_of(from, to, tables[i]);
    const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t cards = 0; cards < b->count; cards += FLOOR_CARDS) {
        const uint64_t next = cards + FLOOR_CARDS < b->count ? cards + FLOOR_CARDS : b->count;
        run(to, "BEGIN IMMEDIATE");
        for (size_t i = 0; i < TABLES; i++)
            copy_rows(&rows[i], next, b->count, is_written);
        run(to, "COMMIT");
    }
    const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (size_t i = 0; i < TABLES; i++) {
        (void)sqlite3_finalize(rows[i].from);
        (void)sqlite3_finalize(rows[i].to);
    }
    return used;
}

static double run_floor(struct bench *b)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    const int one_thread = SQLITE_OPEN_NOMUTEX; // as the store opens it
    check(sqlite3_open_v2(b->database, &from, SQLITE_OPEN_READONLY | one_thread, NULL) ==
          SQLITE_OK);
    check(sqlite3_open_v2(b->floor, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | one_thread,
                          NULL) == SQLITE_OK);
    run(to, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;"
            "PRAGMA wal_autocheckpoint = 4000");
    copy_schema(from, to);
    const double reading = copy_all(b, from, to, false);
    const double start = seconds_of(CLOCK_MONOTONIC);
    const double used = copy_all(b, from, to, true) - reading;
    report("floor: SQLite, the same rows", b->count, seconds_of(CLOCK_MONOTONIC) - start, used);
    (void)printf("\n");
    check(sqlite3_close(from) == SQLITE_OK && sqlite3_close(to) == SQLITE_OK);
    return used;
}

int main(int argc, char **argv)
{
    static struct bench b = {.count = 20000};
    if (argc > 2)
        b.count = strtoull(argv[2], NULL, 10);
    if (argc < 2 || b.count == 0) {
        (void)fprintf(stderr, "usage: bench_import FOLDER [cards]\n");
        return 2;
    }
    paths(&b, argv[1]);
    remove_database(b.database);
    remove_database(b.floor);
    const double import = run_import(&b);
    const double floor = run_floor(&b);
    (void)printf("import to floor, CPU: %.2f\n", import / floor);
    remove_database(b.database);
    remove_database(b.floor);
    (void)unlink(b.file);
    server_crypto_close(&b.crypto);
    return EXIT_SUCCESS;
}
