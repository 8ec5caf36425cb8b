#include "common/host/crypto.h"

#include "common/base/check.h"
#include "common/host/memory.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
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

// What needs memory alone, and failed.
static bool done(bool is_good)
{
    if (!is_good)
        memory_failed();
    return is_good;
}

// Starts the context in one direction and feeds the additional data.
static bool gcm_start(struct crypto *c, const struct secret_key *key, const uint8_t *nonce,
                      struct bytes additional, int encrypts)
{
    check(key->len == 32 && additional.len <= INT_MAX);
    int written = 0;
    return done(EVP_CipherInit_ex2(c->cipher, c->gcm, key->octets, nonce, encrypts, NULL) &&
                (additional.len == 0 ||
                 EVP_CipherUpdate(c->cipher, NULL, &written, additional.at, (int)additional.len)));
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
    bool is_good = EVP_MAC_init(c->hmac, key.len > 0 ? key.at : empty, key.len, NULL);
    for (size_t i = 0; i < part_count && is_good; i++)
        is_good = parts[i].len == 0 || EVP_MAC_update(c->hmac, parts[i].at, parts[i].len);
    size_t written = 0;
    return done(is_good && EVP_MAC_final(c->hmac, mac, &written, CRYPTO_SHA256_SIZE) &&
                written == CRYPTO_SHA256_SIZE);
}

bool crypto_hmac_sha1(struct bytes key, struct bytes text, uint8_t mac[CRYPTO_SHA1_SIZE])
{
    unsigned written = 0;
    check(key.len <= INT_MAX);
    return done(HMAC(EVP_sha1(), key.at, (int)key.len, text.at, text.len, mac, &written) != NULL &&
                written == CRYPTO_SHA1_SIZE);
}

bool crypto_sha1(struct bytes text, uint8_t digest[CRYPTO_SHA1_SIZE])
{
    return done(EVP_Digest(text.at, text.len, digest, NULL, EVP_sha1(), NULL) == 1);
}

struct sha256 *sha256_open(void)
{
    struct sha256 *s = calloc(1, sizeof *s);
    if (!done(s != NULL))
        return NULL;
    s->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->context = EVP_MD_CTX_new();
    if (done(s->algorithm && s->context && EVP_DigestInit_ex2(s->context, s->algorithm, NULL)))
        return s;
    sha256_close(s);
    return NULL;
}

bool sha256_add(struct sha256 *s, struct bytes octets)
{
    return done(octets.len == 0 || EVP_DigestUpdate(s->context, octets.at, octets.len));
}

bool sha256_finish(struct sha256 *s, uint8_t digest[CRYPTO_SHA256_SIZE])
{
    return done(EVP_DigestFinal_ex(s->context, digest, NULL) &&
                EVP_DigestInit_ex2(s->context, s->algorithm, NULL));
}

void sha256_close(struct sha256 *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->context);
    EVP_MD_free(s->algorithm);
    free(s);
}

// --- signatures ------------------------------------------------------------------------------

#define EC_OCTETS 32
#define RSA_OCTETS_MIN 256
#define RSA_OCTETS_MAX 1024

static EVP_PKEY *key_of(const char *kind, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *ec_key_of(const struct crypto_public *from)
{
    char group[] = "prime256v1";
    uint8_t point[1 + 2 * EC_OCTETS] = {4}; // uncompressed [SEC 1 §2.3.3]
    if (from->a.len != EC_OCTETS || from->b.len != EC_OCTETS)
        return NULL;
    memcpy(point + 1, from->a.at, EC_OCTETS);
    memcpy(point + 1 + EC_OCTETS, from->b.at, EC_OCTETS);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_end()};
    return key_of("EC", params); // refuses a point that is not on the curve
}

static EVP_PKEY *rsa_key_of(const struct crypto_public *from)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    if (from->a.len < RSA_OCTETS_MIN || from->a.len > RSA_OCTETS_MAX || from->b.len == 0 ||
        from->b.len > 4)
        return NULL;
    BIGNUM *n = BN_bin2bn(from->a.at, (int)from->a.len, NULL);
    BIGNUM *e = BN_bin2bn(from->b.at, (int)from->b.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (n != NULL && e != NULL && build != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params != NULL)
        key = key_of("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

// r and s side by side become the DER that OpenSSL reads. The length, or 0.
static size_t der_of(struct bytes signature, uint8_t der[EC_OCTETS * 2 + 16])
{
    if (signature.len != (size_t)2 * EC_OCTETS)
        return 0;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature.at, EC_OCTETS, NULL);
    BIGNUM *s = BN_bin2bn(signature.at + EC_OCTETS, EC_OCTETS, NULL);
    int len = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL;
        s = NULL;
        len = i2d_ECDSA_SIG(pair, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? (size_t)len : 0;
}

static bool verify_with(EVP_PKEY *key, bool is_pss, struct bytes text, struct bytes signature)
{
    EVP_PKEY_CTX *padding = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = done(context != NULL &&
                   EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key) == 1);
    if (ok && is_pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(context, signature.at, signature.len, text.at, text.len) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

// A signature that could not be looked at is not a wrong one.
static void note_memory(void)
{
    bool is_refused = false;
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error())
        is_refused = is_refused || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    if (is_refused)
        memory_failed();
}

bool crypto_verify(enum crypto_scheme scheme, const struct crypto_public *key, struct bytes text,
                   struct bytes signature)
{
    uint8_t der[EC_OCTETS * 2 + 16];
    const bool is_ec = scheme == CRYPTO_ES256;
    ERR_clear_error();
    if (is_ec)
        signature = bytes_of(der, der_of(signature, der));
    EVP_PKEY *public = signature.len == 0 ? NULL : is_ec ? ec_key_of(key) : rsa_key_of(key);
    const bool ok = public != NULL && verify_with(public, scheme == CRYPTO_PS256, text, signature);
    EVP_PKEY_free(public);
    if (!ok)
        note_memory();
    return ok;
}

bool crypto_es256_public(const struct secret_key *number, uint8_t x[CRYPTO_EC_SIZE],
                         uint8_t y[CRYPTO_EC_SIZE])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    BIGNUM *d = BN_bin2bn(number->octets, number->len, BN_secure_new());
    BIGNUM *a = BN_new();
    BIGNUM *b = BN_new();
    const bool ok = point != NULL && d != NULL && a != NULL && b != NULL && !BN_is_zero(d) &&
                    BN_cmp(d, EC_GROUP_get0_order(group)) < 0 &&
                    EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
                    EC_POINT_get_affine_coordinates(group, point, a, b, NULL) == 1 &&
                    BN_bn2binpad(a, x, CRYPTO_EC_SIZE) == CRYPTO_EC_SIZE &&
                    BN_bn2binpad(b, y, CRYPTO_EC_SIZE) == CRYPTO_EC_SIZE;
    BN_clear_free(d);
    BN_free(a);
    BN_free(b);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return ok;
}

static EVP_PKEY *es256_key_of(const struct secret_key *number)
{
    uint8_t point[1 + 2 * EC_OCTETS] = {4};
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *d = BN_bin2bn(number->octets, number->len, BN_secure_new());
    if (context != NULL && build != NULL && d != NULL &&
        crypto_es256_public(number, point + 1, point + 1 + EC_OCTETS) &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
            1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params != NULL && (EVP_PKEY_fromdata_init(context) != 1 ||
                           EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1))
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    BN_clear_free(d);
    return key;
}

// OpenSSL's DER becomes r and s side by side [RFC 7518 §3.4].
static bool pair_of(struct bytes der, uint8_t signature[CRYPTO_ES256_SIZE])
{
    const uint8_t *at = der.at;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    const bool ok =
        pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, EC_OCTETS) == EC_OCTETS &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + EC_OCTETS, EC_OCTETS) == EC_OCTETS;
    ECDSA_SIG_free(pair);
    return ok;
}

bool crypto_es256_sign(const struct secret_key *number, struct bytes text,
                       uint8_t signature[CRYPTO_ES256_SIZE])
{
    uint8_t der[EC_OCTETS * 2 + 16];
    size_t len = sizeof(der);
    EVP_PKEY *key = es256_key_of(number);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool ok = key != NULL && context != NULL &&
                    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestSign(context, der, &len, text.at, text.len) == 1 &&
                    pair_of(bytes_of(der, len), signature);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

bool crypto_sign(const struct secret_key *seed, struct bytes text,
                 uint8_t signature[CRYPTO_SIGNATURE_SIZE])
{
    size_t len = CRYPTO_SIGNATURE_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->octets, seed->len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool ok = key != NULL && context != NULL &&
                    EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestSign(context, signature, &len, text.at, text.len) == 1 &&
                    len == CRYPTO_SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

bool crypto_signer(const struct secret_key *seed, uint8_t public[CRYPTO_SIGNER_SIZE])
{
    size_t len = CRYPTO_SIGNER_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->octets, seed->len);
    const bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public, &len) == 1 &&
                    len == CRYPTO_SIGNER_SIZE;
    EVP_PKEY_free(key);
    return ok;
}

bool crypto_is_signed(const uint8_t public[CRYPTO_SIGNER_SIZE], struct bytes text,
                      const uint8_t signature[CRYPTO_SIGNATURE_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, CRYPTO_SIGNER_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool ok =
        key != NULL && context != NULL &&
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestVerify(context, signature, CRYPTO_SIGNATURE_SIZE, text.at, text.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}
