#include "sim-emulator/core/aka.h"

static bool is_tuak(const struct network_keys *keys)
{
    return keys->op.len == TUAK_TOPC_LEN;
}

bool aka_has_algorithm(const struct network_keys *keys)
{
    if (is_tuak(keys))
        return keys->k.len == 16 || keys->k.len == 32;
    return keys->op.len == MILENAGE_KEY_LEN && keys->k.len == MILENAGE_KEY_LEN;
}

static struct tuak_key tuak_of(const struct aka *aka)
{
    return (struct tuak_key){.cipher = aka->cipher,
                             .k = &aka->keys->k,
                             .topc = aka->keys->op.octets,
                             .options = aka->options};
}

static bool mac_of(const struct aka *aka, const struct milenage_challenge *challenge, bool is_star,
                   uint8_t mac[AKA_MAC_LEN])
{
    if (is_tuak(aka->keys)) {
        struct tuak_key key = tuak_of(aka);
        struct tuak_challenge c = {
            .rand = challenge->rand, .sqn = challenge->sqn, .amf = challenge->amf};
        uint8_t whole[TUAK_OUTPUT_MAX];
        key.options.mac_len = AKA_MAC_LEN;
        bool ok = tuak_f1(&key, &c, is_star, whole);
        if (ok)
            memcpy(mac, whole, AKA_MAC_LEN);
        secret_wipe(whole, sizeof whole);
        return ok;
    }
    struct milenage_mac both;
    bool ok = milenage_f1(aka->cipher, &aka->keys->k, aka->keys->op.octets, challenge, &both);
    if (ok)
        memcpy(mac, is_star ? both.mac_s : both.mac_a, AKA_MAC_LEN);
    secret_wipe(&both, sizeof both);
    return ok;
}

bool aka_f1(const struct aka *aka, const struct milenage_challenge *challenge,
            uint8_t mac_a[AKA_MAC_LEN])
{
    return mac_of(aka, challenge, false, mac_a);
}

bool aka_f1_star(const struct aka *aka, const struct milenage_challenge *challenge,
                 uint8_t mac_s[AKA_MAC_LEN])
{
    return mac_of(aka, challenge, true, mac_s);
}

static bool milenage_all(const struct aka *aka, const uint8_t rand[AKA_RAND_LEN],
                         struct aka_keys *out)
{
    struct milenage_keys keys;
    bool ok = milenage_f2345(aka->cipher, &aka->keys->k, aka->keys->op.octets, rand, &keys);
    if (ok) {
        out->res_len = sizeof keys.res;
        out->ck_len = sizeof keys.ck;
        out->ik_len = sizeof keys.ik;
        memcpy(out->res, keys.res, sizeof keys.res);
        memcpy(out->ck, keys.ck, sizeof keys.ck);
        memcpy(out->ik, keys.ik, sizeof keys.ik);
        memcpy(out->ak, keys.ak, sizeof keys.ak);
    }
    secret_wipe(&keys, sizeof keys);
    return ok;
}

static bool tuak_all(const struct aka *aka, const uint8_t rand[AKA_RAND_LEN], struct aka_keys *out)
{
    struct tuak_key key = tuak_of(aka);
    struct tuak_keys keys;
    bool ok = tuak_f2345(&key, rand, &keys);
    if (ok) {
        *out = (struct aka_keys){.res_len = aka->options.res_len,
                                 .ck_len = aka->options.ck_len,
                                 .ik_len = aka->options.ik_len};
        memcpy(out->res, keys.res, out->res_len);
        memcpy(out->ck, keys.ck, out->ck_len);
        memcpy(out->ik, keys.ik, out->ik_len);
        memcpy(out->ak, keys.ak, sizeof out->ak);
    }
    secret_wipe(&keys, sizeof keys);
    return ok;
}

bool aka_f2345(const struct aka *aka, const uint8_t rand[AKA_RAND_LEN], struct aka_keys *out)
{
    return is_tuak(aka->keys) ? tuak_all(aka, rand, out) : milenage_all(aka, rand, out);
}

bool aka_f5_star(const struct aka *aka, const uint8_t rand[AKA_RAND_LEN],
                 uint8_t ak_star[AKA_SQN_LEN])
{
    if (is_tuak(aka->keys)) {
        struct tuak_key key = tuak_of(aka);
        return tuak_f5_star(&key, rand, ak_star);
    }
    return milenage_f5_star(aka->cipher, &aka->keys->k, aka->keys->op.octets, rand, ak_star);
}

void aka_gsm(const struct aka_keys *keys, uint8_t kc[8], uint8_t sres[4])
{
    for (size_t i = 0; i < 8; i++)
        kc[i] = (uint8_t)(keys->ck[i] ^ keys->ck[i + 8] ^ keys->ik[i] ^ keys->ik[i + 8]);
    memset(sres, 0, 4);
    for (size_t i = 0; i < keys->res_len && i < 16; i++)
        sres[i % 4] ^= keys->res[i];
}
