// A person's second factor: a secret shared with an app that makes codes of the time, and codes
// that recover an account whose app is lost. One document of the kind FACTOR_KIND with the user's
// id, all of it sealed under the key of the clients' secrets.
//
// Promises: what proved the factor once does not prove it again; a recovery code is there only as
// its SHA-256. Never: gives the secret away but in the answer that begins an enrolment.
#pragma once

#include "ota-server/service/auth_totp.h"
#include "ota-server/service/auth_user.h"

#define FACTOR_KIND "second-factor"
#define FACTOR_CODES 10
// 120 bits, so that a SHA-256 of a code is enough to keep.
#define FACTOR_CODE_OCTETS 15
#define FACTOR_CODE_SIZE 30 // "ABCD-EFGH-IJKL-MNOP-QRST-UVWX" and a zero
#define FACTOR_TEXT_MAX 32  // of what is typed

struct auth_factor {
    uint64_t user;
    uint64_t version; // of its document; 0 for a new one
    bool is_active;   // else its first code is awaited, and it proves nothing
    struct utc since; // it is so
    uint64_t last_step;
    struct secret_key secret;
    uint8_t code_count; // that are left
    uint8_t codes[FACTOR_CODES][CRYPTO_SHA256_SIZE];
};

// Sealing takes a crypto, the key, and a nonce that was never used.
struct factor_safe {
    struct crypto *crypto;
    const struct secret_key *key;
};
// STORE_NONE: the user has none; STORE_KEYS: it does not open.
enum store_status auth_factor_get(const struct factor_safe *safe, struct store *s, uint64_t user,
                                  struct auth_factor *out) MUST_USE;
// Inserts with version 0, else replaces that version.
enum store_status auth_factor_put(const struct factor_safe *safe, struct store *s,
                                  const struct auth_factor *factor,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE], struct utc now) MUST_USE;
// STORE_OK also when there was none.
enum store_status auth_factor_drop(struct store *s, uint64_t user) MUST_USE;

enum factor_proof { FACTOR_WRONG = 0, FACTOR_CODE, FACTOR_RECOVERY };
// Does the text prove it at `now` of the world? It is used up: keep the factor. Codes of the step
// before and of the next are taken, for clocks that are wrong a little [RFC 6238 §5.2, §6].
enum factor_proof auth_factor_use(struct auth_factor *factor, struct bytes text,
                                  struct utc now) MUST_USE;
// Other recovery codes in place of those that there were. False when OpenSSL refuses.
bool auth_factor_recode(struct auth_factor *factor,
                        const uint8_t entropy[FACTOR_CODES * FACTOR_CODE_OCTETS],
                        char texts[FACTOR_CODES][FACTOR_CODE_SIZE]) MUST_USE;
