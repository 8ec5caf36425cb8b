// Authentication with either algorithm: Milenage for an OPc of 16 octets, TUAK for a TOPc of 32.
// The card and the networks use the same, each with its own copy of the keys.
#pragma once

#include "common/wire/keywrap.h"
#include "sim-emulator/core/milenage.h"
#include "sim-emulator/core/tuak.h"

#define AKA_RAND_LEN 16
#define AKA_SQN_LEN 6
#define AKA_AMF_LEN 2
#define AKA_MAC_LEN 8
#define AKA_OUTPUT_MAX TUAK_OUTPUT_MAX

struct aka {
    const struct cipher *cipher;
    const struct network_keys *keys;
    struct tuak_options options; // mac_len is AKA_MAC_LEN: AUTN has no room for more
};
// As long as nothing else is said: 64 bits of RES, 128 of CK and IK, one run.
#define AKA_TUAK_OPTIONS                                                                           \
    {                                                                                              \
        .iterations = 1, .mac_len = AKA_MAC_LEN, .res_len = 8, .ck_len = 16, .ik_len = 16          \
    }

struct aka_keys {
    uint8_t res[AKA_OUTPUT_MAX];
    uint8_t ck[AKA_OUTPUT_MAX];
    uint8_t ik[AKA_OUTPUT_MAX];
    uint8_t ak[AKA_SQN_LEN];
    uint8_t res_len;
    uint8_t ck_len;
    uint8_t ik_len;
};

// Whether the keys are those of one of the algorithms. The others ask for it.
bool aka_has_algorithm(const struct network_keys *keys);
bool aka_f1(const struct aka *aka, const struct milenage_challenge *challenge,
            uint8_t mac_a[AKA_MAC_LEN]) MUST_USE;
bool aka_f1_star(const struct aka *aka, const struct milenage_challenge *challenge,
                 uint8_t mac_s[AKA_MAC_LEN]) MUST_USE;
bool aka_f2345(const struct aka *aka, const uint8_t rand[AKA_RAND_LEN],
               struct aka_keys *out) MUST_USE;
bool aka_f5_star(const struct aka *aka, const uint8_t rand[AKA_RAND_LEN],
                 uint8_t ak_star[AKA_SQN_LEN]) MUST_USE;
// The 2G key and answer: c3 over 128 bits of CK and IK, c2 over RES padded with zeros [33.102
// §6.8.1.2].
void aka_gsm(const struct aka_keys *keys, uint8_t kc[8], uint8_t sres[4]);
