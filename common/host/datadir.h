// A program's data folder (`--data DIR`): one process at a time, closed to other users.
#pragma once

#include "common/base/bytes.h"

enum datadir_error {
    DATADIR_OK = 0,
    DATADIR_CANNOT_MAKE, // missing, and its parent refuses or is missing
    DATADIR_NOT_OURS,    // not a folder, or others may read it, or it belongs to another user
    DATADIR_LOCKED,      // another process works in it
    DATADIR_FAILED,
};

// Makes the folder (mode 0700) when it is missing and locks the file `lock` in it. The lock lasts
// until *lock_fd is closed or the process ends, however it ends.
enum datadir_error datadir_open(const char *path, int *lock_fd) MUST_USE;
// What to tell the user, as "DIR: ..." without the path: "another process is using it".
const char *datadir_error_text(enum datadir_error error);
