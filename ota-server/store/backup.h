// Copies of a database that is in use, and the mark that tells that one was put back. What stores
// promise, and their errors, say store.h.
#pragma once

#include "ota-server/store/store.h"

// Makes the file `path`, which must not be there, a copy of one state of the database, whatever is
// written meanwhile. Its log grows until that ends.
enum store_status store_copy(struct store *reader, const char *path) MUST_USE;
// Looks at every page and index: STORE_LOST when something does not fit.
enum store_status store_judge(struct store *s) MUST_USE;
// Notes, in a copy that is about to take the place of a database, that it does.
enum store_status store_put_back(struct store *s, struct utc now) MUST_USE;

// After store_is_restored() found one that no command put back: inside a transaction, adds the row
// `server.restored` with the last row that a checkpoint outside witnessed (before) and the last one
// that is left (after), and notes that it was put back. `is_noticed` is false, and nothing changes,
// when the database says so itself already.
enum store_status store_restore_notice(struct store *s, struct utc now, bool *is_noticed) MUST_USE;
// Keeps the checkpoints that fit the trail, and moves the file with the others beside it, as
// `FILE.before-20260724T120000000Z`. Does nothing when all fit.
enum store_status store_checkpoints_aside(struct store *s, struct utc now) MUST_USE;
