// Cryptography that only hosts need: keys wrapped at rest (AES-256-GCM), HMAC-SHA-256, and SHA-256
// over a stream. What card and server share is in cipher_openssl.h.
//
// Promises: algorithms are looked up once, at open; contexts that held keys are wiped at close;
// unsealing gives nothing unless the whole seal is right. One object serves one thread.
// Never: draws nonces (see entropy.h) or compares: use secret_equal() on what comes out.
#pragma once

#include "common/base/bytes.h"
#include "common/base/secret.h"

#define CRYPTO_NONCE_SIZE 12
#define CRYPTO_TAG_SIZE 16
#define CRYPTO_SHA256_SIZE 32

struct crypto;

// NULL when OpenSSL lacks an algorithm or memory.
struct crypto *crypto_open(void) MUST_USE;
// NULL is harmless.
void crypto_close(struct crypto *c);

// AES-256-GCM [SP 800-38D]: appends the ciphertext and its tag, plain.len + CRYPTO_TAG_SIZE octets,
// to `out`. `key` has 32 octets; a nonce must never serve twice under one key. `additional` is
// protected but not contained. False, and a failed `out`, when there is no room or OpenSSL fails.
bool crypto_seal(struct crypto *c, const struct secret_key *key,
                 const uint8_t nonce[CRYPTO_NONCE_SIZE], struct bytes additional,
                 struct bytes plain, struct writer *out) MUST_USE;
// The reverse: false, and nothing in `out`, when key, nonce, additional data or an octet of
// `sealed` differ, or there is no room.
bool crypto_unseal(struct crypto *c, const struct secret_key *key,
                   const uint8_t nonce[CRYPTO_NONCE_SIZE], struct bytes additional,
                   struct bytes sealed, struct writer *out) MUST_USE;

// HMAC-SHA-256 [RFC 2104] over the concatenation of the parts; keys of any length.
bool crypto_hmac(struct crypto *c, struct bytes key, const struct bytes *parts, size_t part_count,
                 uint8_t mac[CRYPTO_SHA256_SIZE]) MUST_USE;

// HMAC-SHA-1, for one-time passwords alone: their apps know nothing else [RFC 6238].
#define CRYPTO_SHA1_SIZE 20
bool crypto_hmac_sha1(struct bytes key, struct bytes text, uint8_t mac[CRYPTO_SHA1_SIZE]) MUST_USE;
// SHA-1, by which lists of leaked passwords name them, and for nothing else.
bool crypto_sha1(struct bytes text, uint8_t digest[CRYPTO_SHA1_SIZE]) MUST_USE;

// SHA-256 of what arrives in pieces, such as an upload.
struct sha256;

// NULL when there is no memory.
struct sha256 *sha256_open(void) MUST_USE;
bool sha256_add(struct sha256 *s, struct bytes octets) MUST_USE;
// Gives the digest; the object then starts a new one.
bool sha256_finish(struct sha256 *s, uint8_t digest[CRYPTO_SHA256_SIZE]) MUST_USE;
void sha256_close(struct sha256 *s);

// Signatures of others, by their public keys [RFC 7518 §3.3 to 3.5].
enum crypto_scheme {
    CRYPTO_ES256, // P-256; a and b are the coordinates, the signature 64 octets
    CRYPTO_RS256, // RSA of 2048 bits or more; a is the modulus, b the exponent
    CRYPTO_PS256,
};
struct crypto_public {
    struct bytes a, b;
};
bool crypto_verify(enum crypto_scheme scheme, const struct crypto_public *key, struct bytes text,
                   struct bytes signature) MUST_USE;

// Our own in ES256, by a private number of 32 octets: false for one that the curve does not have.
#define CRYPTO_EC_SIZE 32
#define CRYPTO_ES256_SIZE (2 * CRYPTO_EC_SIZE)
bool crypto_es256_public(const struct secret_key *number, uint8_t x[CRYPTO_EC_SIZE],
                         uint8_t y[CRYPTO_EC_SIZE]) MUST_USE;
bool crypto_es256_sign(const struct secret_key *number, struct bytes text,
                       uint8_t signature[CRYPTO_ES256_SIZE]) MUST_USE;

// Our own signatures: Ed25519 [RFC 8032] with a seed of 32 octets.
#define CRYPTO_SIGNATURE_SIZE 64
#define CRYPTO_SIGNER_SIZE 32
bool crypto_sign(const struct secret_key *seed, struct bytes text,
                 uint8_t signature[CRYPTO_SIGNATURE_SIZE]) MUST_USE;
// The public key of a seed.
bool crypto_signer(const struct secret_key *seed, uint8_t public[CRYPTO_SIGNER_SIZE]) MUST_USE;
bool crypto_is_signed(const uint8_t public[CRYPTO_SIGNER_SIZE], struct bytes text,
                      const uint8_t signature[CRYPTO_SIGNATURE_SIZE]) MUST_USE;
