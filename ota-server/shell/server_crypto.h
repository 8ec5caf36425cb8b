// The cryptography of the store and the core, brought by common/host.
#pragma once

#include "ota-server/store/store.h"

struct crypto;

struct server_crypto {
    struct store_crypto store; // its cipher serves decide() and messages too
    /* private */
    struct cipher cipher;
    struct crypto *crypto;
};

// False when OpenSSL lacks an algorithm or memory. The struct must stay where it is.
bool server_crypto_open(struct server_crypto *c) MUST_USE;
void server_crypto_close(struct server_crypto *c);
// Chance, for whom takes a function; `context` is not used. True.
bool server_crypto_fill(void *context, uint8_t *to, size_t len);
