// Months of the audit trail that are removed, and what stays of them.
//
// Promises: the chain is verified across them (store_trail_verify()); the database lets go of rows
// that a tombstone covers, and of no others; where there is an archive, it has a month before the
// database lets go of it. Never: signs for a month whose ends do not fit.
#pragma once

#include "ota-server/store/store.h"

typedef bool store_tombstone_fn(void *context, const struct tombstone *t);
// Oldest first.
enum store_status store_tombstones(struct store *s, store_tombstone_fn *each,
                                   void *context) MUST_USE;
// In a transaction: removes the oldest month when more than `months` have begun after it, with a
// tombstone and a row of the trail, or goes on doing so, by at most `rows_max` rows. A month whose
// ends do not fit the chain stays, for a verification to tell. With an archive its rows go there
// first, as many at a time. `is_more`: call again.
enum store_status store_trail_expire(struct store *s, struct utc now, unsigned months,
                                     uint32_t rows_max, bool *is_more) MUST_USE;
// Why a month did not get into the archive, when it was tried last; "" when it did. Nothing is
// removed then, and it is tried again at the next call.
const char *store_archive_problem(const struct store *s);
