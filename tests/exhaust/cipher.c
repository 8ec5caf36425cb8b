// A cipher that ciphers nothing and sums instead of signing. It keeps what the applet relies on
// here: equal input gives equal output, other input other output.
#include "tests/exhaust/rig.h"

static uint64_t stir(uint64_t sum, struct bytes b)
{
    size_t at = 0;
    for (; at + 8 <= b.len; at += 8) {
        uint64_t word = 0;
        memcpy(&word, b.at + at, 8);
        sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    for (; at < b.len; at++)
        sum = (sum ^ b.at[at]) * UINT64_C(0x100000001B3);
    return sum;
}

static bool leave(void *context, enum cipher_algorithm algorithm, const struct secret_key *key,
                  const uint8_t *iv, uint8_t *data, size_t len)
{
    (void)context, (void)algorithm, (void)key, (void)iv, (void)data, (void)len;
    return true;
}

static void spread(uint64_t sum, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            sum = (sum ^ i) * UINT64_C(0xBF58476D1CE4E5B9) + 1;
        out[i] = (uint8_t)(sum >> (i % 8 * 8));
    }
}

static bool sum_with_key(void *context, const struct secret_key *key, const struct bytes *parts,
                         size_t part_count, uint8_t mac[CIPHER_AES_BLOCK])
{
    (void)context;
    uint64_t sum = stir(1, bytes_of(key->octets, key->len));
    for (size_t i = 0; i < part_count; i++)
        sum = stir(sum, parts[i]);
    spread(sum, mac, CIPHER_AES_BLOCK);
    return true;
}

static bool block(void *context, const struct secret_key *key, const uint8_t in[CIPHER_AES_BLOCK],
                  uint8_t out[CIPHER_AES_BLOCK])
{
    const struct bytes part = bytes_of(in, CIPHER_AES_BLOCK);
    return sum_with_key(context, key, &part, 1, out);
}

static bool digest(void *context, const struct bytes *parts, size_t part_count,
                   uint8_t out[CIPHER_SHA256_SIZE])
{
    (void)context;
    uint64_t sum = 2;
    for (size_t i = 0; i < part_count; i++)
        sum = stir(sum, parts[i]);
    spread(sum, out, CIPHER_SHA256_SIZE);
    return true;
}

struct cipher rig_cipher(void)
{
    return (struct cipher){.cbc_encrypt = leave,
                           .cbc_decrypt = leave,
                           .aes_cmac = sum_with_key,
                           .aes_block = block,
                           .sha256 = digest};
}
