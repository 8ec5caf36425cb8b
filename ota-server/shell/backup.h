// Backups of a data folder: made while the server works, put back while it does not.
//
// A backup is a folder with the database (`registry.db`) and the checkpoints of its trail. The
// master key is never part of it: with it the keys of all cards could be read.
#pragma once

#include "ota-server/shell/settings.h"

struct server_keys;

// Makes or replaces the backup in the folder `to`: the one before stays until the new one is whole.
// The exit code; what went wrong is on standard error.
int backup_make(const struct server_settings *settings, const struct server_keys *keys,
                const char *to);
// Takes the data folder, which the caller has locked, back to a backup. What was there stays beside
// it, with the time in its name. The next start of the server knows of it.
int backup_restore(const struct server_settings *settings, const struct server_keys *keys,
                   const char *from);
// Lets the downloads leave that a restore holds, in the data folder, which the caller has locked:
// for whoever knows what the cards have that are still in doubt.
int backup_free_downloads(const struct server_settings *settings, const struct server_keys *keys,
                          const char *reason);
