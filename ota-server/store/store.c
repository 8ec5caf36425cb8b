#include "ota-server/store/store.h"

#include "common/base/check.h"
#include "ota-server/store/driver.h"
#include "ota-server/store/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_PAGES_MAX 4000        // 16 MB
#define APPLICATION_ID 0x4F746172 // in the file's header: this is one of ours

static bool is_memory(const struct store_options *o)
{
    return strcmp(o->path, ":memory:") == 0;
}

// The writer's lock, for life: two servers on one database would give one counter twice.
static enum store_status lock(struct store *s)
{
    char path[STORE_PATH_SIZE];
    s->lock_fd = -1;
    if (s->options.is_reader || is_memory(&s->options))
        return STORE_OK;
    if (snprintf(path, sizeof(path), "%s.writer", s->options.path) >= (int)sizeof(path))
        return STORE_FAILED;
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        snprintf(s->problem, sizeof(s->problem), "the data folder cannot be written");
        return STORE_FAILED;
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(s->problem, sizeof(s->problem), "another server holds this database");
        return STORE_BUSY;
    }
    return STORE_OK;
}

static enum store_status pragma_number(struct store *s, const char *text, int64_t *out)
{
    struct query q = query_text(s, text);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        *out = column_number(&q, 0);
    query_end(&q);
    return status;
}

// Records and operations keep the form that they were written in until they are written again: each
// must be one that is read.
static enum store_status check_forms(struct store *s)
{
    struct query q = query_text(s, "SELECT 1 FROM card WHERE substr(record, 1, 1) <> $1 AND"
                                   " substr(record, 1, 1) NOT BETWEEN $2 AND $3 UNION ALL"
                                   " SELECT 1 FROM operation WHERE substr(body, 1, 1) <> $1 AND"
                                   " substr(body, 1, 1) NOT BETWEEN $2 AND $3 LIMIT 1");
    bind_octets(&q, 1, bytes_of((const uint8_t[]){RECORD_FORM_FIRST}, 1));
    bind_octets(&q, 2, bytes_of((const uint8_t[]){RECORD_FORM_THIRD}, 1));
    bind_octets(&q, 3, bytes_of((const uint8_t[]){RECORD_FORM}, 1));
    const enum store_status status = query_step(&q);
    query_end(&q);
    return status == STORE_OK ? STORE_FORM : status == STORE_NONE ? STORE_OK : status;
}

// All steps in one transaction: an upgrade that was cut off, or is refused, never was.
static enum store_status migrate(struct store *s)
{
    int64_t version = 0;
    enum store_status status = pragma_number(s, "PRAGMA user_version", &version);
    if (status != STORE_OK)
        return status;
    if (version > (int64_t)schema_step_count)
        return STORE_NEWER;
    if (s->options.is_reader)
        return version == (int64_t)schema_step_count ? STORE_OK : STORE_FAILED;
    if (version == (int64_t)schema_step_count)
        return STORE_OK;
    char text[96];
    snprintf(text, sizeof(text), "PRAGMA user_version = %zu; PRAGMA application_id = %d",
             schema_step_count, APPLICATION_ID);
    status = store_run_text(s, "BEGIN IMMEDIATE");
    for (size_t i = (size_t)version; status == STORE_OK && i < schema_step_count; i++)
        status = store_run_text(s, schema_steps[i]);
    if (status == STORE_OK)
        status = check_forms(s);
    if (status == STORE_OK)
        status = store_run_text(s, text);
    return status == STORE_OK ? store_run_text(s, "COMMIT") : status; // closing rolls back
}

static void set_patience(struct store *s)
{
    sqlite3_busy_timeout(s->db, s->options.wait_ms == 0 ? 5000 : (int)s->options.wait_ms);
}

// The engine would copy its log into the database by itself, and forget a sync that failed then.
static int note_log(void *context, sqlite3 *db, const char *name, int pages)
{
    struct store *s = context;
    (void)db;
    (void)name;
    s->log_pages = pages;
    return SQLITE_OK;
}

// A log that somebody reads is emptied after a later commit: nobody waits for that.
static int empty_log(struct store *s)
{
    sqlite3_busy_timeout(s->db, 0);
    const int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    set_patience(s);
    s->is_log_to_empty = code != SQLITE_OK;
    return code;
}

// A copy that found no room or a reader in its way is made after a later commit.
static enum store_status copy_log(struct store *s)
{
    if (s->log_pages < LOG_PAGES_MAX && !s->has_erased)
        return STORE_OK;
    s->log_pages = 0;
    s->has_erased = false;
    const int code =
        s->is_log_to_empty
            ? empty_log(s)
            : sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return code != SQLITE_OK && store_failed(s, code) == STORE_LOST ? STORE_LOST : STORE_OK;
}

// What none of our statements needs, a file that somebody else wrote does not get either.
static void limit(sqlite3 *db)
{
    static const struct {
        int id, most;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, 64 << 20}, // of a value or row
        {SQLITE_LIMIT_SQL_LENGTH, 100000}, {SQLITE_LIMIT_COLUMN, 100},
        {SQLITE_LIMIT_EXPR_DEPTH, 100},    {SQLITE_LIMIT_COMPOUND_SELECT, 10},
        {SQLITE_LIMIT_VDBE_OP, 25000},     {SQLITE_LIMIT_FUNCTION_ARG, 8},
        {SQLITE_LIMIT_ATTACHED, 0},        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 10},  {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)sqlite3_limit(db, limits[i].id, limits[i].most);
}

// What ends a transaction, or undoes a part of it, must not fail because there is no memory.
static enum store_status prepare_ends(struct store *s)
{
    static const enum statement ends[] = {STATEMENT_COMMIT, STATEMENT_ROLLBACK, STATEMENT_MARK_KEEP,
                                          STATEMENT_MARK_UNDO};
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && status == STORE_OK; i++) {
        struct query q = query_of(s, ends[i]);
        status = q.status;
        query_end(&q);
    }
    return status;
}

static enum store_status set_up(struct store *s)
{
    set_patience(s);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    limit(s->db);
    // A plan never depends on what is bound: else statements are prepared anew for other values.
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    enum store_status status = store_run_text(
        s,
        s->options.is_reader
            ? "PRAGMA query_only = 1; PRAGMA cache_size = -16384"
            : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
              "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST");
    if (!s->options.is_reader)
        sqlite3_wal_hook(s->db, note_log, s);
    if (status == STORE_OK)
        status = migrate(s);
    if (status == STORE_OK)
        status = keys_open(s);
    if (status == STORE_OK)
        status = trail_open(s);
    return status == STORE_OK ? prepare_ends(s) : status;
}

// A path is needed for life, longer than the caller's text may last.
static bool keep_path(const char **path, char kept[STORE_PATH_SIZE])
{
    if (*path == NULL)
        return true;
    const int len = snprintf(kept, STORE_PATH_SIZE, "%s", *path);
    *path = kept;
    return len >= 0 && len < STORE_PATH_SIZE;
}

enum store_status store_open(const struct store_options *options, struct store **out)
{
    *out = NULL;
    struct store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return STORE_FAILED;
    // One thread uses a connection, and nobody asks how much memory the engine has: no locks.
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); // refused, and done, after the first time
    (void)mlock(s,
                sizeof(*s)); // it has the master keys; without a limit for that it may be swapped
    s->options = *options;
    s->lock_fd = -1;
    s->crypto = options->crypto;
    enum store_status status = keep_path(&s->options.checkpoints, s->checkpoints) &&
                                       keep_path(&s->options.archive, s->archive)
                                   ? STORE_OK
                                   : STORE_FAILED;
    if (status == STORE_OK)
        status = lock(s);
    if (status == STORE_OK) {
        const int flags =
            options->is_reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        const int code = sqlite3_open_v2(options->path, &s->db,
                                         flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, NULL);
        status = code == SQLITE_OK ? set_up(s) : store_failed(s, code);
    }
    if (status != STORE_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return STORE_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(s->prepared[i].at);
        free(s->prepared[i].kept);
    }
    for (size_t i = 0; i < LOAD_TABLES; i++)
        sqlite3_finalize(s->loads[i]);
    if (s->db != NULL)
        sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    archive_close(s);
    secret_wipe(s, sizeof(*s));
    (void)munlock(s, sizeof(*s));
    free(s);
}

const char *store_problem(const struct store *s)
{
    return s->problem;
}

uint64_t store_failures(const struct store *s)
{
    const struct store_crypto *c = s->crypto;
    return s->failures + (c != NULL && c->memory_failures != NULL ? c->memory_failures() : 0);
}

enum store_status store_sizes(struct store *s, struct store_sizes *out)
{
    char path[STORE_PATH_SIZE];
    struct stat log;
    int64_t pages = 0;
    int64_t octets = 0;
    *out = (struct store_sizes){0};
    enum store_status status = pragma_number(s, "PRAGMA page_count", &pages);
    if (status == STORE_OK)
        status = pragma_number(s, "PRAGMA page_size", &octets);
    if (status != STORE_OK)
        return status;
    out->database = (uint64_t)pages * (uint64_t)octets;
    const char *name = sqlite3_db_filename(s->db, "main"); // good as long as the connection
    if (name == NULL || name[0] == '\0' ||
        snprintf(path, sizeof(path), "%s-wal", name) >= (int)sizeof(path))
        return STORE_OK;
    if (stat(path, &log) == 0)
        out->journal = (uint64_t)log.st_size;
    return STORE_OK;
}

static enum store_status run(struct store *s, enum statement statement)
{
    struct query q = query_of(s, statement);
    return query_run(&q);
}

// Without a sync the log still keeps its order: what is lost in a crash is its end.
static enum store_status set_part(struct store *s, bool is_part)
{
    if (s->is_part == is_part)
        return STORE_OK;
    const enum store_status status =
        store_run_text(s, is_part ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
    if (status == STORE_OK)
        s->is_part = is_part;
    return status;
}

static enum store_status begin(struct store *s, bool is_part)
{
    check(!s->is_writing);
    if (!sqlite3_get_autocommit(s->db)) // the last one could not be undone
        (void)run(s, STATEMENT_ROLLBACK);
    enum store_status status = set_part(s, is_part);
    if (status == STORE_OK)
        status = run(s, STATEMENT_BEGIN);
    s->is_writing = status == STORE_OK;
    s->head_begun = s->head;
    return status;
}

enum store_status store_begin(struct store *s)
{
    return begin(s, false);
}

enum store_status store_begin_part(struct store *s)
{
    return begin(s, true);
}

enum store_status store_commit(struct store *s)
{
    check(s->is_writing);
    enum store_status status = cards_count(s);
    if (status == STORE_OK)
        status = run(s, STATEMENT_COMMIT);
    if (status != STORE_OK) {
        store_rollback(s);
        return status;
    }
    s->is_writing = false;
    s->has_told |= s->has_notices;
    s->has_notices = false;
    return copy_log(s);
}

void store_rollback(struct store *s)
{
    if (!s->is_writing)
        return;
    s->is_writing = false;
    s->head = s->head_begun;
    s->has_notices = false;
    s->counted.cards = 0;
    memset(s->named, 0, sizeof(s->named));
    if (!sqlite3_get_autocommit(s->db)) // the engine may have undone it already
        (void)run(s, STATEMENT_ROLLBACK);
}

enum store_status store_mark(struct store *s)
{
    check(s->is_writing);
    s->head_marked = s->head;
    const enum store_status status = cards_count(s);
    return status == STORE_OK ? run(s, STATEMENT_MARK) : status;
}

enum store_status store_mark_keep(struct store *s)
{
    return run(s, STATEMENT_MARK_KEEP);
}

void store_mark_undo(struct store *s)
{
    s->head = s->head_marked;
    s->counted.cards = 0; // of what was before the mark nothing is left to count
    memset(s->named, 0, sizeof(s->named));
    if (run(s, STATEMENT_MARK_UNDO) == STORE_OK)
        (void)run(s, STATEMENT_MARK_KEEP);
    else if (!sqlite3_get_autocommit(s->db)) // then nothing of the transaction may stay
        (void)run(s, STATEMENT_ROLLBACK);
}

enum store_status store_ids(struct store *s, struct ids *ids)
{
    struct query q = query_of(s, STATEMENT_HIGHEST_ID);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK && (uint64_t)column_number(&q, 0) > ids->last)
        ids->last = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}
