// Passwords of people, as Argon2id keeps them [RFC 9106].
//
// Promises: two hashes of one password differ; checking takes the same work whether it fits or not.
// Never: keeps or prints a password. It takes some 20 ms and 19 MiB: count attempts before it.
#pragma once

#include "common/base/bytes.h"

#define PASSWORD_SALT_SIZE 16
#define PASSWORD_HASH_SIZE 128 // text with its parameters, and a zero

// False when there is no memory.
bool password_hash(struct bytes password, const uint8_t salt[PASSWORD_SALT_SIZE],
                   char hash[PASSWORD_HASH_SIZE]) MUST_USE;
bool password_fits(struct bytes password, const char *hash) MUST_USE;
