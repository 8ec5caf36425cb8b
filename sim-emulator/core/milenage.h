// Milenage, the authentication functions f1 to f5* over AES-128 [35.206], for card and network.
//
// Promises: with the same inputs the same outputs, and nothing kept. False only when the cipher
// fails; outputs are then undefined.
// Never: judges a sequence number (see usim.h), or compares anything.
#pragma once

#include "common/wire/cipher.h"

#define MILENAGE_KEY_LEN 16
#define MILENAGE_RAND_LEN 16
#define MILENAGE_SQN_LEN 6
#define MILENAGE_AMF_LEN 2
#define MILENAGE_MAC_LEN 8
#define MILENAGE_RES_LEN 8

// f1 (network authentication) and f1* (resynchronisation).
struct milenage_mac {
    uint8_t mac_a[MILENAGE_MAC_LEN];
    uint8_t mac_s[MILENAGE_MAC_LEN];
};

// f2 (answer), f3 and f4 (ciphering and integrity key), f5 (anonymity key).
struct milenage_keys {
    uint8_t res[MILENAGE_RES_LEN];
    uint8_t ck[16];
    uint8_t ik[16];
    uint8_t ak[MILENAGE_SQN_LEN];
};

// OPc = OP xor E(OP).
bool milenage_opc(const struct cipher *cipher, const struct secret_key *k, const uint8_t op[16],
                  uint8_t opc[16]) MUST_USE;
// What f1 and f1* cover besides the keys.
struct milenage_challenge {
    const uint8_t *rand; // MILENAGE_RAND_LEN octets
    const uint8_t *sqn;  // MILENAGE_SQN_LEN octets
    const uint8_t *amf;  // MILENAGE_AMF_LEN octets
};
bool milenage_f1(const struct cipher *cipher, const struct secret_key *k, const uint8_t opc[16],
                 const struct milenage_challenge *challenge, struct milenage_mac *out) MUST_USE;
bool milenage_f2345(const struct cipher *cipher, const struct secret_key *k, const uint8_t opc[16],
                    const uint8_t rand[MILENAGE_RAND_LEN], struct milenage_keys *out) MUST_USE;
// f5* alone, for resynchronisation.
bool milenage_f5_star(const struct cipher *cipher, const struct secret_key *k,
                      const uint8_t opc[16], const uint8_t rand[MILENAGE_RAND_LEN],
                      uint8_t ak_star[MILENAGE_SQN_LEN]) MUST_USE;
