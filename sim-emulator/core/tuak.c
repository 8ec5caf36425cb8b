#include "sim-emulator/core/tuak.h"

#include "common/base/check.h"

// The input [35.231 §6.2]: TOPc, instance, name, RAND, AMF, SQN, K, each with its octets reversed.
#define INPUT_LEN 96
#define INSTANCE_AT 32
#define NAME_AT 33
#define RAND_AT 40
#define AMF_AT 56
#define SQN_AT 58
#define KEY_AT 64
#define KEY_LEN 32
// A block of SHAKE256, and where the outputs stand in it.
#define BLOCK_LEN 136
#define CK_AT 32
#define IK_AT 64
#define AK_AT 96
#define BLOCK_USED (AK_AT + TUAK_SQN_LEN)

// Bits of the instance.
enum {
    INSTANCE_F1 = 0x00,
    INSTANCE_F1_STAR = 0x80,
    INSTANCE_F2345 = 0x40,
    INSTANCE_F5_STAR = 0xC0,
    INSTANCE_CK_256 = 0x04,
    INSTANCE_IK_256 = 0x02,
    INSTANCE_K_256 = 0x01,
};

static void reverse(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = from[len - 1 - i];
}

// 64 bits: 08, 128: 10, 256: 20; a RES of 32 bits has none.
static uint8_t length_bits(uint8_t len)
{
    return len < 8 ? 0 : len;
}

static void input_begin(uint8_t input[INPUT_LEN], const uint8_t *topc, uint8_t instance,
                        const struct secret_key *k)
{
    static const uint8_t name[] = {'T', 'U', 'A', 'K', '1', '.', '0'};
    check(k->len == 16 || k->len == 32);
    memset(input, 0, INPUT_LEN);
    reverse(input, topc, TUAK_TOPC_LEN);
    input[INSTANCE_AT] = (uint8_t)(instance | (k->len == 32 ? INSTANCE_K_256 : 0));
    reverse(input + NAME_AT, name, sizeof name);
    reverse(input + KEY_AT, k->octets, k->len);
}

// The part of the block after so many runs that any output is taken from.
static bool run(const struct cipher *cipher, uint8_t input[INPUT_LEN], uint8_t iterations,
                uint8_t block[BLOCK_USED])
{
    uint8_t output[TUAK_ITERATIONS_MAX * BLOCK_LEN];
    check(iterations >= 1 && iterations <= TUAK_ITERATIONS_MAX);
    size_t skipped = (iterations - 1U) * (size_t)BLOCK_LEN;
    bool ok =
        cipher->shake256(cipher->context, bytes_of(input, INPUT_LEN), output, skipped + BLOCK_USED);
    memset(block, 0, BLOCK_USED);
    if (ok)
        memcpy(block, output + skipped, BLOCK_USED);
    secret_wipe(input, INPUT_LEN);
    secret_wipe(output, skipped + BLOCK_USED);
    return ok;
}

bool tuak_topc(const struct cipher *cipher, const struct secret_key *k,
               const uint8_t top[TUAK_TOPC_LEN], uint8_t iterations, uint8_t topc[TUAK_TOPC_LEN])
{
    uint8_t input[INPUT_LEN];
    uint8_t block[BLOCK_USED];
    input_begin(input, top, 0, k);
    bool ok = run(cipher, input, iterations, block);
    reverse(topc, block, TUAK_TOPC_LEN);
    secret_wipe(block, sizeof block);
    return ok;
}

bool tuak_f1(const struct tuak_key *key, const struct tuak_challenge *challenge, bool is_star,
             uint8_t mac[TUAK_OUTPUT_MAX])
{
    uint8_t input[INPUT_LEN];
    uint8_t block[BLOCK_USED];
    uint8_t instance = is_star ? INSTANCE_F1_STAR : INSTANCE_F1;
    input_begin(input, key->topc, instance | length_bits(key->options.mac_len), key->k);
    reverse(input + RAND_AT, challenge->rand, TUAK_RAND_LEN);
    reverse(input + AMF_AT, challenge->amf, TUAK_AMF_LEN);
    reverse(input + SQN_AT, challenge->sqn, TUAK_SQN_LEN);
    bool ok = run(key->cipher, input, key->options.iterations, block);
    reverse(mac, block, key->options.mac_len);
    secret_wipe(block, sizeof block);
    return ok;
}

bool tuak_f2345(const struct tuak_key *key, const uint8_t rand[TUAK_RAND_LEN],
                struct tuak_keys *out)
{
    const struct tuak_options *options = &key->options;
    uint8_t input[INPUT_LEN];
    uint8_t block[BLOCK_USED];
    unsigned instance = INSTANCE_F2345 | length_bits(options->res_len);
    instance |= options->ck_len == 32 ? INSTANCE_CK_256 : 0;
    instance |= options->ik_len == 32 ? INSTANCE_IK_256 : 0;
    input_begin(input, key->topc, (uint8_t)instance, key->k);
    reverse(input + RAND_AT, rand, TUAK_RAND_LEN);
    bool ok = run(key->cipher, input, options->iterations, block);
    reverse(out->res, block, options->res_len);
    reverse(out->ck, block + CK_AT, options->ck_len);
    reverse(out->ik, block + IK_AT, options->ik_len);
    reverse(out->ak, block + AK_AT, TUAK_SQN_LEN);
    secret_wipe(block, sizeof block);
    return ok;
}

bool tuak_f5_star(const struct tuak_key *key, const uint8_t rand[TUAK_RAND_LEN],
                  uint8_t ak_star[TUAK_SQN_LEN])
{
    uint8_t input[INPUT_LEN];
    uint8_t block[BLOCK_USED];
    input_begin(input, key->topc, INSTANCE_F5_STAR, key->k);
    reverse(input + RAND_AT, rand, TUAK_RAND_LEN);
    bool ok = run(key->cipher, input, key->options.iterations, block);
    reverse(ak_star, block + AK_AT, TUAK_SQN_LEN);
    secret_wipe(block, sizeof block);
    return ok;
}
