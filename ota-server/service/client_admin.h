// Making API clients from the command line: `ota-server client add`.
#pragma once

#include "ota-server/service/auth_client.h"

struct client_new {
    const char *name;
    const char *scopes; // "cards:read,operations:audit", or "all"
    uint64_t tenant;
    uint64_t person; // a user: what it asks for, they do not decide; 0: nobody
    struct utc now;
    // Fills with randomness that keys may be made of.
    bool (*fill)(void *context, uint8_t *to, size_t len);
    void *fill_context;
};

// What is shown once.
struct client_credentials {
    char app_key[AUTH_APP_KEY_SIZE + 1];
    char app_secret[AUTH_TOKEN_SIZE];
};

enum client_status {
    CLIENT_OK = 0,
    CLIENT_BAD_NAME,
    CLIENT_BAD_SCOPE,
    CLIENT_FAILED, // the store or OpenSSL; see store_problem()
};

// Adds a client in a transaction of its own; `writer` must be free. `key` wraps the secret, as
// api_options.client_key. The caller prints the credentials and wipes them.
enum client_status client_add(struct store *writer, const struct secret_key *key,
                              const struct client_new *client,
                              struct client_credentials *out) MUST_USE;
// Every scope that a route asks for; ended by NULL.
extern const char *const client_scopes[];
