#include "common/host/crypto.h"

#include "common/base/check.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct crypto {
    EVP_CIPHER *gcm;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *hmac;
};

struct sha256 {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
};

static EVP_MAC_CTX *hmac_open(void)
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!algorithm)
        return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_END};
    if (context && EVP_MAC_CTX_set_params(context, params))
        return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

struct crypto *crypto_open(void)
{
    struct crypto *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    c->cipher = EVP_CIPHER_CTX_new();
    c->hmac = hmac_open();
    if (c->gcm && c->cipher && c->hmac)
        return c;
    crypto_close(c);
    return NULL;
}

void crypto_close(struct crypto *c)
{
    if (!c)
        return;
    EVP_CIPHER_CTX_free(c->cipher); // OpenSSL clears the expanded key
    EVP_CIPHER_free(c->gcm);
    EVP_MAC_CTX_free(c->hmac);
    free(c);
}

// Starts the context in one direction and feeds the additional data.
static bool gcm_start(struct crypto *c, const struct secret_key *key, const uint8_t *nonce,
                      struct bytes additional, int encrypts)
{
    check(key->len == 32 && additional.len <= INT_MAX);
    int written = 0;
    return EVP_CipherInit_ex2(c->cipher, c->gcm, key->octets, nonce, encrypts, NULL) &&
           (additional.len == 0 ||
            EVP_CipherUpdate(c->cipher, NULL, &written, additional.at, (int)additional.len));
}

// Nothing of the key stays behind, whether it went well or not.
static bool gcm_end(struct crypto *c, bool good, struct writer *out, size_t len)
{
    good = EVP_CIPHER_CTX_reset(c->cipher) && good;
    if (good)
        out->len += len;
    else
        out->failed = true;
    return good;
}

bool crypto_seal(struct crypto *c, const struct secret_key *key,
                 const uint8_t nonce[CRYPTO_NONCE_SIZE], struct bytes additional,
                 struct bytes plain, struct writer *out)
{
    check(plain.len <= INT_MAX - CRYPTO_TAG_SIZE);
    if (out->failed || writer_room(out) < plain.len + CRYPTO_TAG_SIZE)
        return gcm_end(c, false, out, 0);
    uint8_t *to = out->at + out->len;
    int written = 0;
    bool good = gcm_start(c, key, nonce, additional, 1);
    if (plain.len > 0)
        good = good && EVP_CipherUpdate(c->cipher, to, &written, plain.at, (int)plain.len);
    good = good && EVP_CipherFinal_ex(c->cipher, to + plain.len, &written) &&
           EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_SIZE, to + plain.len);
    return gcm_end(c, good, out, plain.len + CRYPTO_TAG_SIZE);
}

bool crypto_unseal(struct crypto *c, const struct secret_key *key,
                   const uint8_t nonce[CRYPTO_NONCE_SIZE], struct bytes additional,
                   struct bytes sealed, struct writer *out)
{
    if (out->failed || sealed.len < CRYPTO_TAG_SIZE || sealed.len > INT_MAX ||
        writer_room(out) < sealed.len - CRYPTO_TAG_SIZE)
        return gcm_end(c, false, out, 0);
    size_t len = sealed.len - CRYPTO_TAG_SIZE;
    uint8_t tag[CRYPTO_TAG_SIZE];
    memcpy(tag, sealed.at + len, sizeof tag);
    uint8_t *to = out->at + out->len;
    uint8_t rest[CRYPTO_TAG_SIZE]; // GCM leaves nothing for the last call, which wants a place
    int written = 0;
    bool good = gcm_start(c, key, nonce, additional, 0);
    if (len > 0)
        good = good && EVP_CipherUpdate(c->cipher, to, &written, sealed.at, (int)len);
    good = good && EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) &&
           EVP_CipherFinal_ex(c->cipher, rest, &written);
    if (!good && len > 0)
        secret_wipe(to, len); // what a wrong seal deciphers to is nobody's business
    return gcm_end(c, good, out, len);
}

bool crypto_hmac(struct crypto *c, struct bytes key, const struct bytes *parts, size_t part_count,
                 uint8_t mac[CRYPTO_SHA256_SIZE])
{
    static const uint8_t empty[1] = {0}; // OpenSSL takes NULL for "the key of last time"
    if (!EVP_MAC_init(c->hmac, key.len > 0 ? key.at : empty, key.len, NULL))
        return false;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > 0 && !EVP_MAC_update(c->hmac, parts[i].at, parts[i].len))
            return false;
    }
    size_t written = 0;
    return EVP_MAC_final(c->hmac, mac, &written, CRYPTO_SHA256_SIZE) &&
           written == CRYPTO_SHA256_SIZE;
}

struct sha256 *sha256_open(void)
{
    struct sha256 *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->context = EVP_MD_CTX_new();
    if (s->algorithm && s->context && EVP_DigestInit_ex2(s->context, s->algorithm, NULL))
        return s;
    sha256_close(s);
    return NULL;
}

bool sha256_add(struct sha256 *s, struct bytes octets)
{
    return octets.len == 0 || EVP_DigestUpdate(s->context, octets.at, octets.len);
}

bool sha256_finish(struct sha256 *s, uint8_t digest[CRYPTO_SHA256_SIZE])
{
    return EVP_DigestFinal_ex(s->context, digest, NULL) &&
           EVP_DigestInit_ex2(s->context, s->algorithm, NULL);
}

void sha256_close(struct sha256 *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->context);
    EVP_MD_free(s->algorithm);
    free(s);
}
