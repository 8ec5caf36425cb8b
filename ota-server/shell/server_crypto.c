#include "ota-server/shell/server_crypto.h"

#include "common/host/cipher_openssl.h"
#include "common/host/crypto.h"
#include "common/host/entropy.h"

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
                                     .random = entropy_fill};
    return true;
}

void server_crypto_close(struct server_crypto *c)
{
    cipher_openssl_close(&c->cipher);
    crypto_close(c->crypto);
    c->crypto = NULL;
}
