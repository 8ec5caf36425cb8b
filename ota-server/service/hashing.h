// Passwords hashed beside the server's work: one thread, one password at a time, few that wait.
// Argon2id takes some 40 ms, in which the loop would answer nobody.
//
// Everything here is called on the server's thread. Never: keeps a password after its answer.
#pragma once

#include "common/host/password.h"

#define HASHING_PLACES 16  // waiting, under way, or done and not yet told: less than a second
#define HASHING_EACH 8     // of one address: nobody takes all of them
#define HASHING_OCTETS 256 // of a password

struct hashing;

struct hashing_options {
    // Called on the other thread: hashing_step() is wanted.
    void (*wake)(void *context);
    void *wake_context;
};

// NULL when memory or the system refuses.
struct hashing *hashing_open(const struct hashing_options *options) MUST_USE;
// Whoever waits is told nothing any more. NULL is allowed.
void hashing_close(struct hashing *h);

struct hashing_result {
    bool is_failed;                // there was no memory
    bool is_right;                 // it fits `hash`; of one that was made: true
    char hash[PASSWORD_HASH_SIZE]; // that it was compared with, or that was made
};

struct hashing_order {
    struct bytes password;
    const char *hash;    // to compare it with; NULL: one is made, with `salt`
    const uint8_t *salt; // PASSWORD_SALT_SIZE octets, or NULL
    uint64_t asker;      // whose places are counted
    // With the result, from hashing_step().
    void (*done)(void *context, const struct hashing_result *result);
    void *context;
};
// Copies the order; false when there is no place for it.
bool hashing_give(struct hashing *h, const struct hashing_order *order) MUST_USE;
// Who gave orders with this context is gone: it is told nothing.
void hashing_drop(struct hashing *h, const void *context);
// Tells what is done.
void hashing_step(struct hashing *h);
// Blocks until there is something to tell, or nothing to do: true or false. For tests.
bool hashing_wait(struct hashing *h);
