// The registry's side of an import: what the importer asks and loads, over the store. Everything
// happens inside one transaction of the caller, so a load is there whole or not at all.
//
// Never: commits, rolls back, or keeps a key; whoever opened the transaction ends it.
#pragma once

#include "common/wire/cipher.h"
#include "ota-server/store/store.h"
#include "profiles/vendor/import.h"

struct crypto;

struct import_target {
    struct store *store; // inside a transaction
    struct turn *turn;   // for ids
    const struct cipher *cipher;
    struct crypto *crypto;
    const struct secret_key *key; // that transport keys are wrapped with
    uint64_t tenant;
    uint64_t import; // its id
    uint64_t pool;   // of a file of subscriptions, or 0
    struct utc now;
};

// The callbacks; `target` is their context.
struct import_registry import_registry_of(struct import_target *target);
// For file_options.transport_key; its context is a struct import_target.
bool import_transport_key(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key);
// Keeps a transport key, sealed. `nonce` is fresh.
enum store_status import_transport_key_put(struct import_target *target, uint8_t index,
                                           const struct secret_key *key,
                                           const uint8_t nonce[12]) MUST_USE;
// Notes that the file was imported, for the next time.
enum store_status import_file_put(struct import_target *target,
                                  const uint8_t sha256[CIPHER_SHA256_SIZE]) MUST_USE;
