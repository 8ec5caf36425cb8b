// The cryptography that a caller must bring. Card, applet and server core compute nothing of it
// themselves: a host brings OpenSSL, a card its coprocessor, a test whatever it likes.
//
// Every function answers false only for a failure of the implementation (no such algorithm, no
// memory); inputs are checked by our own code before. Keys are 16, 24 or 32 octets for AES, 16 or
// 24 for triple DES. `context` is passed through.
#pragma once

#include "common/base/bytes.h"
#include "common/base/secret.h"

#define CIPHER_AES_BLOCK 16
#define CIPHER_DES_BLOCK 8
#define CIPHER_SHA256_SIZE 32

enum cipher_algorithm {
    CIPHER_AES,
    CIPHER_TRIPLE_DES, // outer CBC; a 16-octet key K1 K2 is used as K1 K2 K1
};

struct cipher {
    void *context;
    // In place, `len` a multiple of the block. `iv` is one block; it is not changed.
    bool (*cbc_encrypt)(void *context, enum cipher_algorithm algorithm,
                        const struct secret_key *key, const uint8_t *iv, uint8_t *data, size_t len);
    bool (*cbc_decrypt)(void *context, enum cipher_algorithm algorithm,
                        const struct secret_key *key, const uint8_t *iv, uint8_t *data, size_t len);
    // AES-CMAC [SP 800-38B] over the concatenation of the parts; all 16 octets.
    bool (*aes_cmac)(void *context, const struct secret_key *key, const struct bytes *parts,
                     size_t part_count, uint8_t mac[CIPHER_AES_BLOCK]);
    // One block of AES in ECB mode (Milenage, key check values).
    bool (*aes_block)(void *context, const struct secret_key *key,
                      const uint8_t in[CIPHER_AES_BLOCK], uint8_t out[CIPHER_AES_BLOCK]);
    bool (*sha256)(void *context, const struct bytes *parts, size_t part_count,
                   uint8_t digest[CIPHER_SHA256_SIZE]);
    // SHAKE256 [FIPS 202 §6.2]: as many octets as are asked for (TUAK).
    bool (*shake256)(void *context, struct bytes in, uint8_t *out, size_t len);
};
