// A row of the audit trail, the hash that chains it, and the tombstone of a month of rows that were
// removed.
//
// Promises: the same row has the same hash in a database and in a file.
#pragma once

#include "common/wire/cipher.h"
#include "ota-server/core/record.h"

// Texts are never NULL.
// `pseudonym` is the name of an object that carries no personal data.
struct trail_row {
    uint64_t sequence;
    struct utc at;
    uint64_t tenant;
    struct actor actor;
    const char *address, *action, *object_kind, *pseudonym;
    uint64_t operation, correlator, approval;
    const char *before, *after, *reason, *result;
    uint8_t previous[CIPHER_SHA256_SIZE], hash[CIPHER_SHA256_SIZE];
};

// SHA-256(previous || sequence || row): the fields in fixed order, each with its length. False
// also for a row that is longer than any that was written.
bool trail_row_hash(const struct cipher *cipher, const struct trail_row *row,
                    uint8_t hash[CIPHER_SHA256_SIZE]) MUST_USE;

// A month of the trail that was removed whole: what its rows were chained from and to stays,
// signed.
#define TOMBSTONE_SIGNATURE_SIZE 64
struct tombstone {
    uint64_t first, last; // sequences
    uint32_t month;       // from year 0: 2026-07 is 2026 * 12 + 6
    struct utc at;        // when it was removed
    uint8_t previous[CIPHER_SHA256_SIZE], hash[CIPHER_SHA256_SIZE];
    uint8_t signature[TOMBSTONE_SIGNATURE_SIZE]; // all zero: by a store without a key to sign with
};

// What is signed.
#define TOMBSTONE_TEXT_SIZE 320
struct bytes tombstone_text(const struct tombstone *t, char text[TOMBSTONE_TEXT_SIZE]);
