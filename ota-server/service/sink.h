// An event sink as it is kept: a document of the kind STORE_SINK_KIND with what its GET shows, and
// its secrets as documents of their own, sealed under the key of the clients' secrets.
//
// Promises: a secret leaves only for the request that carries it, or once, in the answer that
// issued it. Never: a secret in the document that is shown.
#pragma once

#include "common/host/crypto.h"
#include "ota-server/service/sink_url.h"
#include "ota-server/store/deliveries.h"

#define SINK_PREFIX "snk"
#define DELIVERY_PREFIX "dlv"
#define SINK_SECRET_KIND "sink-secret"
#define SINK_TOKEN_MAX 2048
#define SINK_TOKEN_CLIENT "credentialClientId" // member of its document
#define SINK_SECRETS_MAX 2
#define SINK_CREDENTIAL 0 // as the number of a secret: the access token; the others count from 1

// The kinds of notices that a sink may want, as a set of (1 << kind); 0: no such type.
uint32_t sink_type_of(struct bytes name);
// As events name it: "ota.connectivity-management.v1.operation-ended".
#define SINK_TYPE_SIZE 64
const char *sink_type_text(uint8_t kind, char text[SINK_TYPE_SIZE]);

struct sink {
    uint64_t id, owner, group;
    uint32_t types;
    char url[SINK_URL_MAX + 1];
    struct utc credential_until; // of its own token; 0: there is none
    uint64_t token_client;       // whose record says where tokens are asked for; 0: nobody's
    uint8_t secret_count;
    struct {
        uint64_t number;
        struct utc until; // 0: it does not end
    } secrets[SINK_SECRETS_MAX];
};
// False for a body that is none of ours.
bool sink_read(const struct document *d, struct sink *out) MUST_USE;
// STORE_NONE when there is none.
enum store_status sink_get(struct store *s, uint64_t id, struct sink *out) MUST_USE;

// May it stand in a header as a token?
bool sink_is_token(struct bytes text);

// Sealing takes a crypto, the key, and a nonce that was never used.
struct sink_safe {
    struct crypto *crypto;
    const struct secret_key *key;
};
struct sink_secret {
    uint64_t sink, number;
    size_t len;
    char text[SINK_TOKEN_MAX];
};
// Keeps one under a fresh id, in place of the one of this number.
enum store_status sink_secret_put(const struct sink_safe *safe, struct store *s, uint64_t id,
                                  const struct sink_secret *secret,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE], struct utc now) MUST_USE;
// STORE_NONE: there is none; STORE_KEYS: it does not open.
enum store_status sink_secret_get(const struct sink_safe *safe, struct store *s,
                                  struct sink_secret *secret) MUST_USE;
enum store_status sink_secret_drop(struct store *s, uint64_t sink, uint64_t number) MUST_USE;
// What the octets of a secret are bound to.
struct bytes sink_secret_place(uint64_t sink, uint64_t number, char text[64]);
