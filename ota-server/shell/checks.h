// The threads on which the audit trail is verified beside the server's work, each with a connection
// and a cipher of its own.
#pragma once

#include "ota-server/service/trail_check.h"
#include "ota-server/shell/server.h"
#include "ota-server/shell/server_crypto.h"

struct server_checks {
    struct server_crypto crypto[TRAIL_CHECK_THREADS];
    struct store *readers[TRAIL_CHECK_THREADS];
    struct trail_checks *checks;
};

struct server_checks_options {
    const struct server_settings *settings;
    const struct server_keys *keys;
    struct turn *turn;
    struct store *reader; // of the caller's thread
    // Called on another thread: trail_checks_step() is wanted.
    void (*wake)(void *context);
    void *wake_context;
};

// Begins again what was under way when the process stopped. False, with the reason on standard
// error, when the system, OpenSSL or the database refuses; what was opened is then to be closed.
bool server_checks_open(const struct server_checks_options *options,
                        struct server_checks *c) MUST_USE;
// Of zeros it does nothing.
void server_checks_close(struct server_checks *c);
