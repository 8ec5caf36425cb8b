// The master key: 32 octets outside the database, as 64 hexadecimal digits in a file that only its
// owner can read. The keys that seal things are made from it, one for each use, so that none of
// them opens what another one sealed.
#pragma once

#include "common/base/bytes.h"
#include "common/base/secret.h"

struct server_keys {
    struct secret_key ota;       // wraps the cards' OTA keys
    struct secret_key network;   // wraps K and OPc
    struct secret_key pseudonym; // makes identifiers in the trail unreadable
    struct secret_key client;    // wraps the secrets of API clients
};

enum keyfile_error {
    KEYFILE_OK = 0,
    KEYFILE_MISSING,
    KEYFILE_OPEN_TO_OTHERS, // mode or owner
    KEYFILE_DAMAGED,        // not 64 hexadecimal digits
    KEYFILE_EXISTS,
    KEYFILE_FAILED, // the disk or OpenSSL refuses
};
const char *keyfile_error_text(enum keyfile_error error);

// Makes a new one, mode 0600, and syncs it. Never replaces one.
enum keyfile_error keyfile_make(const char *path) MUST_USE;
enum keyfile_error keyfile_read(const char *path, struct server_keys *keys) MUST_USE;
