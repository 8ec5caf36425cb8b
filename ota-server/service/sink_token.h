// Access tokens for event sinks, asked of the token endpoint that a client's record names: the
// server proves with a signature of its own that it is the client there [RFC 6749 §4.4, RFC 7523].
//
// Promises: each enterprise has a key of its own, so none of them gets the tokens of another, whose
// endpoint and name it may enter as well. The keys follow from the key of the clients' secrets, so
// nothing more is kept; what is signed holds for a minute. A token is in memory alone.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/service/auth_client.h"
#include "ota-server/service/sink.h"

#define TOKEN_KID_SIZE 17
#define TOKEN_REQUEST_MAX 4096
#define TOKEN_MARGIN_MS 30000 // a token that ends so soon is not used any more
#define TOKEN_LIFE_S 60       // of one that does not say how long it lives
#define TOKEN_LIFE_MAX_S 86400

// The ES256 key that the server signs with for one enterprise.
struct token_key {
    struct secret_key number;
    uint8_t x[CRYPTO_EC_SIZE], y[CRYPTO_EC_SIZE];
    char kid[TOKEN_KID_SIZE];
};
// False when OpenSSL refuses.
bool token_key_make(struct crypto *crypto, const struct secret_key *from, uint64_t enterprise,
                    struct token_key *out) MUST_USE;
// Its public half [RFC 7517].
void token_key_put(struct json_writer *j, const struct token_key *key);

// The form that asks for a token; `jti` was never used. False when OpenSSL refuses.
bool token_request_write(const struct token_key *key, const struct auth_client *client,
                         const uint8_t jti[16], struct utc now, struct writer *w) MUST_USE;

struct secret_token {
    uint64_t client;
    uint64_t record;  // version of the client's record that named the endpoint
    uint64_t used;    // the higher, the later
    struct utc until; // 0: there is none
    size_t len;
    char text[SINK_TOKEN_MAX];
};
// What the endpoint answered [RFC 6749 §5.1]; false for no bearer token that a header may have.
bool token_answer_read(struct bytes body, struct utc now, struct secret_token *out) MUST_USE;

#define TOKENS_MAX 64 // clients; the one whose token was used least lately gives way
struct secret_tokens {
    struct secret_token rows[TOKENS_MAX];
};
// NULL: it has none.
struct secret_token *token_of(struct secret_tokens *tokens, uint64_t client);
void token_drop(struct secret_tokens *tokens, uint64_t client);
// In place of the one that the client had.
void token_keep(struct secret_tokens *tokens, const struct secret_token *token);
