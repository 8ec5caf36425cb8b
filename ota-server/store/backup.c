#include "ota-server/store/backup.h"

#include "ota-server/store/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define RESTORED "restored"
#define ROW_TEXT_SIZE 32
#define CHECKPOINTS_PATH_SIZE 4096

// VACUUM INTO and not the engine's backup interface: that starts again from the first page whenever
// another process commits, so that under load it would never end. This reads one state, in one
// statement, and leaves out what free pages still hold.
enum store_status store_copy(struct store *reader, const char *path)
{
    sqlite3_stmt *copy = NULL;
    enum store_status status = store_run_text(reader, "PRAGMA query_only = 0");
    if (status != STORE_OK)
        return status;
    (void)sqlite3_limit(reader->db, SQLITE_LIMIT_ATTACHED, 1); // the copy, for this statement
    if (sqlite3_prepare_v2(reader->db, "VACUUM INTO ?1", -1, &copy, NULL) != SQLITE_OK ||
        sqlite3_bind_text(copy, 1, path, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(copy) != SQLITE_DONE)
        status = store_failed(reader, sqlite3_extended_errcode(reader->db));
    (void)sqlite3_finalize(copy);
    (void)sqlite3_limit(reader->db, SQLITE_LIMIT_ATTACHED, 0);
    return status;
}

enum store_status store_judge(struct store *s)
{
    struct query q = query_text(s, "PRAGMA integrity_check(1)");
    enum store_status status = query_step(&q);
    if (status == STORE_OK && strcmp(column_text(&q, 0), "ok") != 0) {
        snprintf(s->problem, sizeof(s->problem), "%s", column_text(&q, 0));
        status = STORE_LOST;
    }
    query_end(&q);
    return status;
}

static enum store_status put_back(struct store *s, struct utc now, const char *before,
                                  const char *after)
{
    const struct trail_new row = {.at = now,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "server.restored",
                                  .object_kind = "system",
                                  .before = before,
                                  .after = after,
                                  .result = "done"};
    const enum store_status status = store_value_put(s, RESTORED, bytes_of_text("yes"));
    return status == STORE_OK ? store_trail_add(s, &row) : status;
}

enum store_status store_put_back(struct store *s, struct utc now)
{
    enum store_status status = store_begin(s);
    if (status != STORE_OK)
        return status;
    status = put_back(s, now, "", "");
    if (status == STORE_OK)
        return store_commit(s);
    store_rollback(s);
    return status;
}

enum store_status store_is_put_back(struct store *s, bool *is_so)
{
    uint8_t value[8];
    struct writer w = writer_of(value, sizeof(value));
    const enum store_status status = store_value(s, RESTORED, &w);
    *is_so = w.len > 0;
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_restore_notice(struct store *s, struct utc now, bool *is_noticed)
{
    bool is_told = false;
    uint64_t lost = 0;
    char before[ROW_TEXT_SIZE];
    char after[ROW_TEXT_SIZE];
    *is_noticed = false;
    enum store_status status = store_is_put_back(s, &is_told);
    if (status == STORE_OK && !is_told)
        status = checkpoint_lost(s, &lost);
    if (status != STORE_OK || is_told)
        return status;
    *is_noticed = true;
    (void)snprintf(before, sizeof before, "row %" PRIu64, lost);
    (void)snprintf(after, sizeof after, "row %" PRIu64, s->head.sequence);
    return put_back(s, now, before, after);
}

enum store_status store_checkpoints_aside(struct store *s, struct utc now)
{
    char aside[CHECKPOINTS_PATH_SIZE];
    char kept[CHECKPOINTS_PATH_SIZE];
    char time[UTC_TEXT_SIZE];
    uint64_t lost = 0;
    const char *path = s->options.checkpoints;
    enum store_status status = checkpoint_lost(s, &lost);
    if (status != STORE_OK || lost == 0)
        return status;
    utc_format_name(now, time);
    if ((size_t)snprintf(aside, sizeof aside, "%s.before-%s", path, time) >= sizeof aside)
        return STORE_FAILED;
    (void)snprintf(kept, sizeof kept, "%s.kept", path);
    status = store_checkpoints_keep(s, path, kept);
    if (status == STORE_OK &&
        ((link(path, aside) != 0 && errno != EEXIST) || rename(kept, path) != 0))
        status = STORE_FULL;
    return status;
}

enum store_status store_restore_done(struct store *s)
{
    return store_value_put(s, RESTORED, bytes_of(NULL, 0));
}
