// Vendor files as they came, kept for 30 days: what was it that the vendor sent?
//
// Each is a file in pieces, under AES-256-GCM with a key of its own. That key stands in the
// database, sealed under the server's: who takes it away takes the file away, wherever copies of it
// are. A piece opens at its place alone, of its import alone, and the end is told from a cut.
// Never: kept of a dry run, or of a file that was imported before.
#pragma once

#include "common/host/crypto.h"
#include "ota-server/service/import_registry.h"

#include <stdio.h>

#define IMPORT_BODY_KIND "import-body"
#define IMPORT_BODY_KEPT_MS (30LL * 24 * 3600 * 1000)
#define IMPORT_BODY_SEED 16
#define IMPORT_BODIES_MAX 16 // taken away at a time

// What a kept file's key is made from.
struct import_body {
    uint64_t import;
    struct secret_key seed;
};

// Writes FOLDER/imp_....body from the start of `from` on, onto the disk. False when that or OpenSSL
// refuses: then there is none.
bool import_body_write(struct crypto *c, const char *folder, const struct import_body *body,
                       FILE *from) MUST_USE;
// Writes the file as it came. False when one octet, its order or its end is not what was kept.
bool import_body_read(struct crypto *c, const char *folder, const struct import_body *body,
                      FILE *to) MUST_USE;
void import_body_remove(const char *folder, uint64_t import);

// Its key in the database, under target->key; the nonce must never serve twice.
enum store_status import_body_put(const struct import_target *target, struct crypto *c,
                                  const struct import_body *body,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE]) MUST_USE;
// STORE_NONE when none is kept; target->import says of which.
enum store_status import_body_get(const struct import_target *target,
                                  struct import_body *body) MUST_USE;
// The keys of what has been kept for its time go, each with a row of the trail. Their files are the
// caller's to remove after the commit.
enum store_status import_bodies_sweep(struct store *store, struct utc now,
                                      uint64_t imports[IMPORT_BODIES_MAX], size_t *count) MUST_USE;
// At start: removes files without a key, and uploads that a crash left.
void import_bodies_tidy(struct store *store, const char *folder);
