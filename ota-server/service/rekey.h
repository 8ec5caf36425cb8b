// A new master key, for what the store does not look into: the secrets of API clients, transport
// keys and their components.
#pragma once

#include "ota-server/service/auth_client.h"

struct rekey {
    struct store *store; // inside a transaction
    struct crypto *crypto;
    const struct secret_key *old, *new; // as api_options.client_key
    // Fills with randomness that keys may be made of.
    bool (*fill)(void *context, uint8_t *to, size_t len);
    void *fill_context;
    struct utc now;
};

// Seals all of it again. STORE_KEYS when something does not open with the old key.
enum store_status rekey_documents(const struct rekey *r) MUST_USE;
