#include "ota-server/shell/server_crypto.h"

#include "common/host/cipher_openssl.h"
#include "common/host/crypto.h"
#include "common/host/entropy.h"
#include "common/host/memory.h"

// Nonces are drawn in stock: one call of the system for many.
static void draw(void *to, size_t len)
{
    static _Thread_local uint8_t stock[1024];
    static _Thread_local size_t left;
    if (len > sizeof stock) {
        entropy_fill(to, len);
        return;
    }
    if (left < len) {
        entropy_fill(stock, sizeof stock);
        left = sizeof stock;
    }
    left -= len;
    memcpy(to, stock + left, len);
}

static bool seal(void *context, const struct secret_key *key, const uint8_t nonce[12],
                 struct bytes additional, struct bytes plain, struct writer *out)
{
    return crypto_seal(context, key, nonce, additional, plain, out);
}

static bool unseal(void *context, const struct secret_key *key, const uint8_t nonce[12],
                   struct bytes additional, struct bytes sealed, struct writer *out)
{
    return crypto_unseal(context, key, nonce, additional, sealed, out);
}

static bool hmac(void *context, struct bytes key, const struct bytes *parts, size_t part_count,
                 uint8_t mac[32])
{
    return crypto_hmac(context, key, parts, part_count, mac);
}

bool server_crypto_open(struct server_crypto *c)
{
    c->crypto = crypto_open();
    if (!cipher_openssl_open(&c->cipher) || c->crypto == NULL) {
        server_crypto_close(c);
        return false;
    }
    c->store = (struct store_crypto){.context = c->crypto,
                                     .cipher = &c->cipher,
                                     .seal = seal,
                                     .unseal = unseal,
                                     .hmac = hmac,
                                     .random = draw,
                                     .memory_failures = memory_failures,
                                     .sign = crypto_sign,
                                     .signer = crypto_signer,
                                     .is_signed = crypto_is_signed};
    return true;
}

void server_crypto_close(struct server_crypto *c)
{
    cipher_openssl_close(&c->cipher);
    crypto_close(c->crypto);
    c->crypto = NULL;
}

bool server_crypto_fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    entropy_fill(to, len);
    return true;
}
