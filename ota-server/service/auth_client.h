// API clients and their tokens: who a request comes from. Kept as documents of the kinds "client"
// and "token"; a secret is sealed, a token is only there as its SHA-256.
//
// Promises: every failure is the same answer, and unknown and wrong take the same work.
#pragma once

#include "common/host/crypto.h"
#include "ota-server/service/auth_hmac.h"
#include "ota-server/service/permission.h"
#include "ota-server/store/store.h"

#define AUTH_SCOPES_MAX 64
#define AUTH_SCOPE_SIZE 64
#define AUTH_NAME_SIZE 65
#define AUTH_SECRETS_MAX 2
#define AUTH_SEALED_SIZE (AUTH_SECRET_SIZE + CRYPTO_TAG_SIZE)
#define AUTH_TOKEN_SIZE 44 // 256 bits in base64url and a zero
#define AUTH_TOKEN_LIFE_S 3600

struct auth_secret {
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    uint8_t sealed[AUTH_SEALED_SIZE];
    struct utc until; // 0: no end
    uint32_t number;  // from 1 of each client; no two ever have the same
};

// As the state of its document.
enum auth_client_status {
    CLIENT_SUSPENDED,
    CLIENT_ACTIVE,
    CLIENT_REQUESTED,
    CLIENT_REVOKED,
};

// How a client may prove who it is, as bits of a set.
enum {
    CLIENT_BY_SECRET = 1, // at the token endpoint
    CLIENT_BY_HMAC = 2,
    CLIENT_BY_JWT = 4, // at the token endpoint, with a key of its own
    CLIENT_BY_CERTIFICATE = 8,
};
// Under which a certificate is known: "sha256:" or "name:" and 64 hexadecimal digits, of its own
// SHA-256 or of that of issuer, line feed and subject.
#define AUTH_CERTIFICATE_SIZE 72
#define AUTH_DN_SIZE 256
#define AUTH_JWKS_SIZE 2048
#define AUTH_SOURCES_MAX 16
#define AUTH_SOURCE_SIZE 48 // a network as text, "10.0.0.0/8"
#define AUTH_PREFIXES_MAX 8
#define AUTH_URL_SIZE 256
#define AUTH_TOKEN_ID_SIZE 128

// The APIs that contracts count calls of.
enum auth_api { AUTH_API_OWN, AUTH_API_ESIM };
#define AUTH_APIS (AUTH_API_ESIM + 1)
extern const char *const auth_api_names[AUTH_APIS + 1]; // as their base paths; ended by NULL

#define AUTH_PEOPLE_MAX 8

struct auth_client {
    uint64_t id;
    uint64_t tenant;
    char app_key[AUTH_APP_KEY_SIZE + 1];
    char name[AUTH_NAME_SIZE];
    bool is_suspended;
    bool is_user;       // a person, see auth_user.h; then `id` is the user's
    bool is_given;      // a person whose password somebody else knows
    uint8_t status;     // enum auth_client_status
    uint8_t mechanisms; // set of CLIENT_BY_...
    uint64_t asked_by;  // person; 0: at the command line, for nobody
    // Others who asked for it before, or were shown a secret of it: it never was theirs alone
    // since.
    uint64_t people[AUTH_PEOPLE_MAX];
    uint8_t people_count;
    uint64_t version; // of its document; 0 for a new one
    struct utc created_at;
    uint32_t per_second, burst;
    uint8_t scope_count;
    char scopes[AUTH_SCOPES_MAX][AUTH_SCOPE_SIZE]; // without "connectivity-management:"
    uint8_t secret_count;
    struct auth_secret secrets[AUTH_SECRETS_MAX]; // the older first
    uint32_t secret_last;                         // the highest number that one had
    char jwks[AUTH_JWKS_SIZE];                    // its public keys [RFC 7517], or ""
    char jwks_uri[AUTH_URL_SIZE];                 // where it publishes them instead, or ""
    char certificate[AUTH_CERTIFICATE_SIZE];      // "": none
    char issuer[AUTH_DN_SIZE];                    // of it, where it is known by name [RFC 4514]
    char subject[AUTH_DN_SIZE];
    bool has_bound_tokens; // none but those that are bound to its certificate serve
    // By name, what the token it came with is bound to [RFC 8705 §3], of the client itself nothing;
    // "": serves whoever has it.
    char token_certificate[AUTH_CERTIFICATE_SIZE];
    uint8_t source_count; // networks that requests may come from; 0: any
    char sources[AUTH_SOURCES_MAX][AUTH_SOURCE_SIZE];
    uint8_t prefix_count; // beginnings of the sinks that it may enter; 0: any
    char prefixes[AUTH_PREFIXES_MAX][AUTH_URL_SIZE];
    char token_uri[AUTH_URL_SIZE]; // where tokens for its sinks are asked for, and as whom; or ""
    char token_id[AUTH_TOKEN_ID_SIZE];
    uint64_t calls_per_month[AUTH_APIS]; // 0: as many as it likes
};

// A scope as tokens and discovery write it: those of the connectivity-management API have its name
// in front, which records leave away; others are whole in both.
#define AUTH_WIRE_SCOPE_SIZE (32 + AUTH_SCOPE_SIZE)
void auth_scope_put(struct writer *w, const char *scope);
// False: of no API of ours.
bool auth_scope_read(struct bytes text, struct bytes *scope) MUST_USE;
bool auth_has_scope(const struct auth_client *client, struct bytes scope);
// False for a scope that is none of "resource:action", too long, or one too many.
bool auth_add_scope(struct auth_client *client, struct bytes scope) MUST_USE;

// May requests of the client come from this address? One that is no address is in no network.
bool auth_is_source(const struct auth_client *client, const char *peer);

// Does it act for this person, maybe among others? 0 is nobody.
bool auth_client_is_of(const struct auth_client *client, uint64_t person);
// From now on for this person, too; false: for too many already.
bool auth_client_add_person(struct auth_client *client, uint64_t person) MUST_USE;

// Clients as they were read last: each request looks at its client's document, and need not read it
// again while that has the same version. Zeroed at first; for what is committed, so of one reader.
#define AUTH_KEPT_MAX 64
struct auth_kept {
    struct auth_client clients[AUTH_KEPT_MAX];
    unsigned next; // gives way
};

// STORE_NONE when there is no such client. `kept`: or NULL.
enum store_status auth_client_by_key(struct store *s, struct auth_kept *kept, struct bytes app_key,
                                     struct auth_client *out) MUST_USE;
enum store_status auth_client_by_certificate(struct store *s, const char *certificate,
                                             struct auth_client *out) MUST_USE;
// The client's certificate in place of the one that it had; STORE_CONFLICT: another client has it.
// After auth_client_put(), in its transaction.
enum store_status auth_certificate_put(struct store *s, const struct auth_client *client,
                                       struct utc now) MUST_USE;
// False when OpenSSL refuses.
bool auth_certificate_name(struct bytes issuer, struct bytes subject,
                           char out[AUTH_CERTIFICATE_SIZE]) MUST_USE;
void auth_certificate_digest(const uint8_t sha256[CRYPTO_SHA256_SIZE],
                             char out[AUTH_CERTIFICATE_SIZE]);
enum store_status auth_client_get(struct store *s, uint64_t id, struct auth_client *out) MUST_USE;
// As a document shows it.
bool auth_client_read(const struct document *d, struct auth_client *out) MUST_USE;
// Inserts with version 0, else replaces that version; the caller chose id and APPKEY.
enum store_status auth_client_put(struct store *s, const struct auth_client *client,
                                  struct utc now) MUST_USE;
// Adds a secret with the next number; false when OpenSSL refuses or the client has two.
bool auth_client_add_secret(struct auth_client *client, struct crypto *crypto,
                            const struct secret_key *key, const char *secret,
                            const uint8_t nonce[CRYPTO_NONCE_SIZE]) MUST_USE;
// Opens secret number `index`; AUTH_SECRET_SIZE octets. False when it has ended or does not open.
bool auth_client_secret(const struct auth_client *client, struct crypto *crypto,
                        const struct secret_key *key, unsigned index, struct utc now,
                        uint8_t secret[AUTH_SECRET_SIZE]) MUST_USE;

// 20 characters for an APPKEY, and 43 for a secret or token, of as much entropy.
void auth_app_key_make(char text[AUTH_APP_KEY_SIZE + 1], const uint8_t entropy[AUTH_APP_KEY_SIZE]);
void auth_secret_make(char text[AUTH_TOKEN_SIZE], const uint8_t entropy[32]);

// Hexadecimal SHA-256 of a secret, under which it is kept and found.
#define AUTH_DIGEST_NAME_SIZE (2 * CRYPTO_SHA256_SIZE + 1)
bool auth_digest_name(struct bytes secret, char name[AUTH_DIGEST_NAME_SIZE]) MUST_USE;

// The client of a token that has not ended, with only the scopes of the token, and what it is bound
// to: ask auth_token_serves() before you believe it.
enum store_status auth_token_find(struct store *s, struct auth_kept *kept, struct bytes token,
                                  struct utc now, struct auth_client *out) MUST_USE;
// Does the token serve whoever showed the certificate with this name ("": none)?
bool auth_token_serves(const struct auth_client *client, const char *certificate) MUST_USE;
// Has the token with this digest name not ended?
enum store_status auth_token_lives(struct store *s, const char *name, struct utc now,
                                   bool *lives) MUST_USE;
// Ends what was opened for one client or user, or a sink: all documents of a kind ("token",
// "session") below it but `kept`, 0 for none. For the turn's writer.
enum store_status auth_end_all(struct store *s, const char *kind, uint64_t parent,
                               uint64_t kept) MUST_USE;
// Keeps a token, bound to what `client` says: `scope` is the list of scopes, separated by spaces,
// with their prefix.
enum store_status auth_token_put(struct store *s, uint64_t id, const struct auth_client *client,
                                 const char *token, struct bytes scope, struct utc now) MUST_USE;
