// The server's connections to its database.
#include "ota-server/shell/server.h"

#include "ota-server/service/trail_name.h"
#include "ota-server/shell/server_crypto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_MS 200 // for a writer that should not be: links and readers wait with us

const char *server_store_text(enum store_status status)
{
    switch (status) {
    case STORE_BUSY:
        return "another ota-server works in this data folder";
    case STORE_NEWER:
        return "the database was written by a newer ota-server";
    case STORE_FORM:
        return "the database was written by a version between releases: its records are in a form "
               "that no release reads";
    case STORE_KEYS:
        return "the master key does not open this database: name the right --master-key-file";
    case STORE_MOVING:
        return "its keys are on their way to a new master key: run `ota-server rekey` to the end";
    case STORE_FULL:
        return "the disk is full or read-only";
    case STORE_LOST:
        return "the database is damaged";
    case STORE_OK:
    case STORE_NONE:
    case STORE_CONFLICT:
    case STORE_FAILED:
        break;
    }
    return "the database cannot be opened";
}

enum store_status server_store_try(const struct server_settings *settings,
                                   const struct server_keys *keys, const struct server_keys *old,
                                   const struct server_crypto *crypto, bool is_reader,
                                   struct store **store)
{
    char path[SERVER_PATH_SIZE];
    char checkpoints[SERVER_PATH_SIZE];
    *store = NULL;
    if (!server_path(settings, "registry.db", path) || !server_checkpoints(settings, checkpoints))
        return STORE_FAILED; // the folder was opened before: no path is too long
    struct store_options options = {
        .path = path,
        .checkpoints = checkpoints,
        .archive = settings->trail_archive[0] != '\0' ? settings->trail_archive : NULL,
        .is_reader = is_reader,
        .wait_ms = LOCK_WAIT_MS,
        .ota_master = keys->ota,
        .network_master = keys->network,
        .pseudonym_key = keys->pseudonym,
        .name_object = trail_name,
        .crypto = &crypto->store};
    if (old != NULL) {
        options.old_ota = old->ota;
        options.old_network = old->network;
        options.pseudonym_key = old->pseudonym; // unless the database keeps one
    }
    return store_open(&options, store);
}

struct store *server_store_open(const struct server_settings *settings,
                                const struct server_keys *keys, const struct server_crypto *crypto,
                                bool is_reader)
{
    struct store *store = NULL;
    const char *folder = settings->checkpoint_folder;
    if (*folder != '\0' && access(folder, W_OK | X_OK) != 0) {
        (void)fprintf(stderr, "ota-server: %s: %s\n", folder, strerror(errno));
        return NULL;
    }
    const enum store_status status =
        server_store_try(settings, keys, NULL, crypto, is_reader, &store);
    if (status != STORE_OK)
        (void)fprintf(stderr, "ota-server: %s: %s\n", settings->data, server_store_text(status));
    return store;
}
