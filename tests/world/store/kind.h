// Which store a program of worlds was linked with.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct record;
struct store;
struct store_options;
struct world_campaigns; // campaign.h

struct world_store {
    const char *name;                        // "SQLite", "arrays"
    bool has_files;                          // outlives the process
    const struct world_campaigns *campaigns; // NULL: it has none
};
extern const struct world_store world_store;
// `saved` is called for each card and subscription that was written from now on, before the commit;
// also for one whose transaction is then undone.
enum world_saved { SAVED_CARD, SAVED_SUBSCRIPTION };
typedef void world_saved_fn(void *context, enum world_saved what, uint64_t id);
void world_store_watch(struct store *store, world_saved_fn *saved, void *context);
// The record of a card, to be looked at before anything else is asked of the store.
const struct record *world_store_record(struct store *store, uint64_t card);
// The committed state is kept as a backup, in the place of the former one. `path`: of a file for
// it, where there are files.
void world_store_backup(struct store *store, const char *path);
// The backup becomes the database of these options (a file, where there are files), and is open.
// The caller has closed what stood there.
struct store *world_store_put_back(const struct store_options *options, const char *path);

// What becomes of what the store writes from now on. Nothing of it is there, but after
// WORLD_SYNC_KEPT.
enum world_disk {
    WORLD_DISK_GOOD,
    WORLD_DISK_FULL,
    WORLD_DISK_BUSY,        // somebody else holds the database
    WORLD_DISK_WRITE_FAILS, // a file, as the next ones
    WORLD_DISK_SYNC_UNDONE, // a sync of a file fails: what it was for is lost
    WORLD_DISK_SYNC_KEPT,   // the same, and it is on the disk all the same
    WORLD_DISKS,
};
// `store`: or NULL, it was closed. The last three need a file, where there are files.
void world_store_disk(struct store *store, enum world_disk disk);
// Did that strike since it was set?
bool world_store_was_struck(const struct store *store);
// Before the first store in a file is opened.
void world_store_use_files(void);
