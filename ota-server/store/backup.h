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
