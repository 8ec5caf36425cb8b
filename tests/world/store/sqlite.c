#include "tests/world/store/kind.h"

#include "ota-server/store/driver.h"
#include "tests/world/campaign.h"

#include <string.h>

const struct world_store world_store = {
    .name = "SQLite", .has_files = true, .campaigns = &world_campaigns};

// One store at a time, as there is one world at a time.
static struct watch {
    void (*saved)(void *context, uint64_t card);
    void *context;
} watch;

static void updated(void *context, int what, const char *database, const char *table,
                    sqlite3_int64 row)
{
    const struct watch *w = context;
    (void)what;
    (void)database;
    if (strcmp(table, "card") == 0)
        w->saved(w->context, (uint64_t)row);
}

void world_store_watch(struct store *store, void (*saved)(void *context, uint64_t card),
                       void *context)
{
    watch = (struct watch){.saved = saved, .context = context};
    (void)sqlite3_update_hook(store->db, updated, &watch);
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
