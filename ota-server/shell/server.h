// The running server: store, turn, outbox, links and API on one loop.
//
//     octets of clients and SMSCs -> events -> turn (one commit) -> packets on links, answers
//
// A turn that takes longer than 100 ms is logged. When the database may have lost a write the
// server stops at once, and says so: nothing it would answer then could be trusted.
#pragma once

#include "ota-server/shell/keyfile.h"
#include "ota-server/shell/settings.h"

#define SERVER_VERSION "0.1.0"

#define SERVER_WRONG_USE 2 // exit code: a setting that can never do

// Runs until SIGTERM or SIGINT; the data folder is locked already. Returns the exit code.
int server_run(const struct server_settings *settings, const struct server_keys *keys);

// Opens the writer of the data folder; NULL, with the reason on standard error, when it refuses.
struct server_crypto;
struct store *server_store_open(const struct server_settings *settings,
                                const struct server_keys *keys, const struct server_crypto *crypto,
                                bool is_reader) MUST_USE;
// The same, but only tells. `old`: the masters before `keys`, while keys are on their way; or NULL.
enum store_status server_store_try(const struct server_settings *settings,
                                   const struct server_keys *keys, const struct server_keys *old,
                                   const struct server_crypto *crypto, bool is_reader,
                                   struct store **store) MUST_USE;
// What an answer of the store means to whoever runs the server.
const char *server_store_text(enum store_status status);
