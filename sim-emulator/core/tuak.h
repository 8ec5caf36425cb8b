// TUAK, the authentication functions f1 to f5* over Keccak [35.231], for card and network.
//
// One run of Keccak-f[1600] over TUAK's input block is one block of SHAKE256 over the same 96
// octets [FIPS 202 §6.2], and n runs are its n-th block of output: so the caller's SHAKE256 is
// enough.
//
// Promises and refusals as milenage.h.
#pragma once

#include "common/wire/cipher.h"

#define TUAK_TOPC_LEN 32
#define TUAK_RAND_LEN 16
#define TUAK_SQN_LEN 6
#define TUAK_AMF_LEN 2
#define TUAK_OUTPUT_MAX 32 // octets of a MAC, RES, CK or IK
#define TUAK_ITERATIONS_MAX 16

// What an operator chooses [35.231 §6]: octets, and how often the permutation runs.
struct tuak_options {
    uint8_t iterations; // 1 to TUAK_ITERATIONS_MAX
    uint8_t mac_len;    // 8, 16 or 32
    uint8_t res_len;    // 4, 8, 16 or 32
    uint8_t ck_len;     // 16 or 32
    uint8_t ik_len;     // 16 or 32
};

struct tuak_key {
    const struct cipher *cipher;
    const struct secret_key *k; // 16 or 32 octets
    const uint8_t *topc;        // TUAK_TOPC_LEN octets
    struct tuak_options options;
};
struct tuak_challenge {
    const uint8_t *rand;
    const uint8_t *sqn;
    const uint8_t *amf;
};
struct tuak_keys {
    uint8_t res[TUAK_OUTPUT_MAX];
    uint8_t ck[TUAK_OUTPUT_MAX];
    uint8_t ik[TUAK_OUTPUT_MAX];
    uint8_t ak[TUAK_SQN_LEN];
};

bool tuak_topc(const struct cipher *cipher, const struct secret_key *k,
               const uint8_t top[TUAK_TOPC_LEN], uint8_t iterations,
               uint8_t topc[TUAK_TOPC_LEN]) MUST_USE;
// f1, or f1* when `is_star`.
bool tuak_f1(const struct tuak_key *key, const struct tuak_challenge *challenge, bool is_star,
             uint8_t mac[TUAK_OUTPUT_MAX]) MUST_USE;
bool tuak_f2345(const struct tuak_key *key, const uint8_t rand[TUAK_RAND_LEN],
                struct tuak_keys *out) MUST_USE;
bool tuak_f5_star(const struct tuak_key *key, const uint8_t rand[TUAK_RAND_LEN],
                  uint8_t ak_star[TUAK_SQN_LEN]) MUST_USE;
