#include "tests/world/store/kind.h"

#include "ota-server/store/backup.h"
#include "ota-server/store/driver.h"
#include "tests/unit/server/faulty_disk.h"
#include "tests/world/campaign.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct world_store world_store = {
    .name = "SQLite", .has_files = true, .campaigns = &world_campaigns};

// One store at a time, as there is one world at a time.
static struct watch {
    world_saved_fn *saved;
    void *context;
} watch;

static void updated(void *context, int what, const char *database, const char *table,
                    sqlite3_int64 row)
{
    const struct watch *w = context;
    (void)what;
    (void)database;
    if (strcmp(table, "card") == 0)
        w->saved(w->context, SAVED_CARD, (uint64_t)row);
    else if (strcmp(table, "subscription") == 0)
        w->saved(w->context, SAVED_SUBSCRIPTION, (uint64_t)row);
}

const struct record *world_store_record(struct store *store, uint64_t card)
{
    static struct record r;
    check(store_card_load(store, card, &r) == STORE_OK);
    return &r;
}

void world_store_watch(struct store *store, world_saved_fn *saved, void *context)
{
    watch = (struct watch){.saved = saved, .context = context};
    (void)sqlite3_update_hook(store->db, updated, &watch);
}

void world_store_backup(struct store *store, const char *path)
{
    (void)unlink(path);
    check(store_copy(store, path) == STORE_OK);
}

struct store *world_store_put_back(const struct store_options *options, const char *path)
{
    static const char *const logs[] = {"-wal", "-shm"};
    struct store *store = NULL;
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", options->path, logs[i]);
        (void)unlink(name);
    }
    check(rename(path, options->path) == 0);
    check(store_open(options, &store) == STORE_OK);
    return store;
}

// --- the disk ------------------------------------------------------------------------------------

static uint32_t refused;       // commits since the disk became what it is
static uint64_t failures;      // before
static sqlite3 *somebody_else; // who holds the database, or NULL

void world_store_use_files(void)
{
    static bool is_installed;
    if (!is_installed)
        faulty_disk_install();
    is_installed = true;
}

static int refuse(void *context)
{
    (void)context;
    refused++;
    return 1;
}

static void hold(const struct store *store)
{
    check(sqlite3_open(store->options.path, &somebody_else) == SQLITE_OK);
    check(sqlite3_exec(somebody_else, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
}

void world_store_disk(struct store *store, enum world_disk disk)
{
    static const enum disk_fault faults[WORLD_DISKS] = {[WORLD_DISK_WRITE_FAILS] = DISK_WRITE_FAILS,
                                                        [WORLD_DISK_SYNC_UNDONE] = DISK_SYNC_FAILS,
                                                        [WORLD_DISK_SYNC_KEPT] = DISK_SYNC_FAILS};
    // Undone is what the process finds when the log can be copied at its end; kept, what the next
    // one finds in the log when it cannot.
    faulty_disk_set(faults[disk], 1, disk != WORLD_DISK_SYNC_UNDONE);
    (void)sqlite3_close(somebody_else);
    somebody_else = NULL;
    refused = 0;
    if (store == NULL)
        return;
    failures = store_failures(store);
    (void)sqlite3_commit_hook(store->db, disk == WORLD_DISK_FULL ? refuse : NULL, NULL);
    if (disk == WORLD_DISK_BUSY)
        hold(store);
}

bool world_store_was_struck(const struct store *store)
{
    const bool is_locked = somebody_else != NULL && store_failures(store) > failures;
    return refused > 0 || is_locked || faulty_disk_hits() > 0;
}
