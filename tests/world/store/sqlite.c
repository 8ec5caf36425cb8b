#include "tests/world/store/kind.h"

#include "ota-server/store/backup.h"
#include "ota-server/store/driver.h"
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

static int refuse(void *context)
{
    (void)context;
    return 1;
}

void world_store_refuse(struct store *store, bool refuses)
{
    (void)sqlite3_commit_hook(store->db, refuses ? refuse : NULL, NULL);
}
