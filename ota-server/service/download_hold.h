// Downloads are held from the restore of a backup until no card is in doubt because of it.
#pragma once

#include "ota-server/store/store.h"

// Since when; 0: they are not.
enum store_status download_hold_since(struct store *s, struct utc *since) MUST_USE;
// In the caller's transaction.
enum store_status download_hold_begin(struct store *s, struct utc now) MUST_USE;
// The same, with a row in the trail that says why.
enum store_status download_hold_end(struct store *s, const char *reason, struct utc now) MUST_USE;
