#include "sim-emulator/core/milenage.h"

static void xor_into(uint8_t *to, const uint8_t *with, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] ^= with[i];
}

// E(RAND xor OPc): every function starts from it.
static bool temp_of(const struct cipher *cipher, const struct secret_key *k, const uint8_t opc[16],
                    const uint8_t rand[16], uint8_t temp[16])
{
    uint8_t in[16];
    memcpy(in, rand, sizeof in);
    xor_into(in, opc, sizeof in);
    bool ok = cipher->aes_block(cipher->context, k, in, temp);
    secret_wipe(in, sizeof in);
    return ok;
}

// OUT2 to OUT5: E(rot(value xor OPc) xor c) xor OPc.
static bool round_of(const struct cipher *cipher, const struct secret_key *k, const uint8_t opc[16],
                     const uint8_t value[16], unsigned number, uint8_t out[16])
{
    // r2 to r5 in octets; c2 to c5 are zero but for the last octet [35.206 §4.1].
    static const uint8_t rotation[] = {0, 4, 8, 12};
    static const uint8_t constant[] = {1, 2, 4, 8};
    uint8_t in[16];
    for (size_t i = 0; i < 16; i++) {
        size_t from = (i + rotation[number - 2]) % 16;
        in[i] = (uint8_t)(value[from] ^ opc[from]);
    }
    in[15] ^= constant[number - 2];
    bool ok = cipher->aes_block(cipher->context, k, in, out);
    if (ok)
        xor_into(out, opc, 16);
    secret_wipe(in, sizeof in);
    return ok;
}

bool milenage_opc(const struct cipher *cipher, const struct secret_key *k, const uint8_t op[16],
                  uint8_t opc[16])
{
    if (!cipher->aes_block(cipher->context, k, op, opc))
        return false;
    xor_into(opc, op, 16);
    return true;
}

bool milenage_f1(const struct cipher *cipher, const struct secret_key *k, const uint8_t opc[16],
                 const struct milenage_challenge *challenge, struct milenage_mac *out)
{
    uint8_t temp[16];
    uint8_t in1[16];
    memcpy(in1, challenge->sqn, MILENAGE_SQN_LEN);
    memcpy(in1 + 6, challenge->amf, MILENAGE_AMF_LEN);
    memcpy(in1 + 8, in1, 8);
    // r1 is 64 bits and c1 is zero.
    uint8_t in[16];
    bool ok = temp_of(cipher, k, opc, challenge->rand, temp);
    for (size_t i = 0; ok && i < 16; i++)
        in[i] = (uint8_t)(in1[(i + 8) % 16] ^ opc[(i + 8) % 16] ^ temp[i]);
    uint8_t block[16];
    ok = ok && cipher->aes_block(cipher->context, k, in, block);
    if (ok) {
        xor_into(block, opc, 16);
        memcpy(out->mac_a, block, MILENAGE_MAC_LEN);
        memcpy(out->mac_s, block + 8, MILENAGE_MAC_LEN);
    }
    secret_wipe(temp, sizeof temp);
    secret_wipe(in, sizeof in);
    secret_wipe(block, sizeof block);
    return ok;
}

bool milenage_f2345(const struct cipher *cipher, const struct secret_key *k, const uint8_t opc[16],
                    const uint8_t rand[MILENAGE_RAND_LEN], struct milenage_keys *out)
{
    uint8_t temp[16];
    uint8_t block[16];
    bool ok = temp_of(cipher, k, opc, rand, temp) && round_of(cipher, k, opc, temp, 2, block) &&
              round_of(cipher, k, opc, temp, 3, out->ck) &&
              round_of(cipher, k, opc, temp, 4, out->ik);
    if (ok) {
        memcpy(out->res, block + 8, MILENAGE_RES_LEN);
        memcpy(out->ak, block, MILENAGE_SQN_LEN);
    }
    secret_wipe(temp, sizeof temp);
    secret_wipe(block, sizeof block);
    return ok;
}

bool milenage_f5_star(const struct cipher *cipher, const struct secret_key *k,
                      const uint8_t opc[16], const uint8_t rand[MILENAGE_RAND_LEN],
                      uint8_t ak_star[MILENAGE_SQN_LEN])
{
    uint8_t temp[16];
    uint8_t block[16];
    bool ok = temp_of(cipher, k, opc, rand, temp) && round_of(cipher, k, opc, temp, 5, block);
    if (ok)
        memcpy(ak_star, block, MILENAGE_SQN_LEN);
    secret_wipe(temp, sizeof temp);
    secret_wipe(block, sizeof block);
    return ok;
}
