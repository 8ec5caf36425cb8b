// Months of the audit trail that are removed, and what stays of them.
//
// Promises: the chain is verified across them (store_trail_verify()); the database lets go of rows
// that a tombstone covers, and of no others. Never: signs for a month whose ends do not fit.
#pragma once

#include "ota-server/store/store.h"

// A month of the trail that was removed whole: what its rows were chained from and to stays,
// signed.
#define TOMBSTONE_SIGNATURE_SIZE 64
struct tombstone {
    uint64_t first, last; // sequences
    uint32_t month;       // from year 0: 2026-07 is 2026 * 12 + 6
    struct utc at;        // when it was removed
    uint8_t previous[32], hash[32];
    uint8_t signature[TOMBSTONE_SIGNATURE_SIZE]; // all zero: by a store without a key to sign with
};
typedef bool store_tombstone_fn(void *context, const struct tombstone *t);
// Oldest first.
enum store_status store_tombstones(struct store *s, store_tombstone_fn *each,
                                   void *context) MUST_USE;
// In a transaction: removes the oldest month when more than `months` have begun after it, with a
// tombstone and a row of the trail, or goes on doing so, by at most `rows_max` rows. A month whose
// ends do not fit the chain stays, for a verification to tell. `is_more`: call again.
enum store_status store_trail_expire(struct store *s, struct utc now, unsigned months,
                                     uint32_t rows_max, bool *is_more) MUST_USE;
