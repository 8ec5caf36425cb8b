// Key sets that clients publish under a URL of their own [RFC 7517 §5], as they were read last. In
// memory; whoever reads them is the shell.
//
// Promises: the URL of a client is asked at most once in KEYS_AGAIN_MS, whoever sends what. A set
// is used for KEYS_LIFE_MS; one that cannot be read anew stays for that long. Never: waits.
#pragma once

#include "common/base/time.h"
#include "ota-server/service/auth_client.h"
#include "ota-server/service/sink_url.h"

#define KEYS_MAX 64         // clients; the one that was asked least lately gives way, if not lately
#define KEYS_TEXT_MAX 16384 // octets of a set
#define KEYS_AGAIN_MS 60000
#define KEYS_SOON_MS (30 * 60 * 1000) // older, it is read anew while it still serves
#define KEYS_LIFE_MS (60 * 60 * 1000)

struct key_set {
    uint64_t client, ticket; // ticket: of the question that is open, 0: none
    char uri[AUTH_URL_SIZE];
    struct instant asked_at, got_at; // 0: never
    size_t len;                      // 0: nothing was got
    char text[KEYS_TEXT_MAX];
};

// False: not now.
typedef bool keys_fetch_fn(void *context, uint64_t ticket, const char *url,
                           const struct sink_url *parts);

struct key_sets {
    keys_fetch_fn *fetch; // NULL: nothing is read
    void *context;
    /* private */
    uint64_t tickets;
    struct key_set rows[KEYS_MAX];
};

// Those of the client's URL, empty when there are none that serve now.
struct bytes keys_of(struct key_sets *k, const struct auth_client *client, struct instant now);
// Asks, unless that was done lately. True: nobody can tell yet, because the answer is awaited, or
// because it cannot be asked for now. False: what was read is what there is.
bool keys_ask(struct key_sets *k, const struct auth_client *client, struct instant now);
void keys_answered(struct key_sets *k, uint64_t ticket, unsigned status, struct bytes body,
                   struct instant now);
