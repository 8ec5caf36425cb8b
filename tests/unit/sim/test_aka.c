// Milenage and TUAK against the published test sets, tests/vectors/aka.txt; and both through the
// functions that choose between them.
#include "tests/lib/cmocka_all.h"

#include "common/host/cipher_openssl.h"
#include "sim-emulator/core/usim.h"
#include "tests/lib/vectors.h"

static struct cipher cipher;
static struct nvm_page pages[64];
static unsigned milenage_sets;
static unsigned tuak_sets;

static void assert_is(const struct vector *v, const char *key, const uint8_t *octets)
{
    struct bytes expected = vector_get(v, key);
    assert_true(expected.len > 0);
    assert_memory_equal(octets, expected.at, expected.len);
}

static void check_milenage(const struct vector *v)
{
    struct secret_key k = secret_key_of(vector_get(v, "k"));
    uint8_t opc[16];
    assert_true(milenage_opc(&cipher, &k, vector_get(v, "op").at, opc));
    assert_is(v, "opc", opc);
    struct milenage_challenge c = {.rand = vector_get(v, "rand").at,
                                   .sqn = vector_get(v, "sqn").at,
                                   .amf = vector_get(v, "amf").at};
    struct milenage_mac mac;
    struct milenage_keys keys;
    uint8_t ak_star[6];
    assert_true(milenage_f1(&cipher, &k, opc, &c, &mac));
    assert_true(milenage_f2345(&cipher, &k, opc, c.rand, &keys));
    assert_true(milenage_f5_star(&cipher, &k, opc, c.rand, ak_star));
    assert_is(v, "f1", mac.mac_a);
    assert_is(v, "f1_star", mac.mac_s);
    assert_is(v, "f2", keys.res);
    assert_is(v, "f3", keys.ck);
    assert_is(v, "f4", keys.ik);
    assert_is(v, "f5", keys.ak);
    assert_is(v, "f5_star", ak_star);
    milenage_sets++;
}

static struct tuak_options options_of(const struct vector *v)
{
    return (struct tuak_options){.iterations = vector_get(v, "iterations").at[0],
                                 .mac_len = (uint8_t)vector_get(v, "f1").len,
                                 .res_len = (uint8_t)vector_get(v, "f2").len,
                                 .ck_len = (uint8_t)vector_get(v, "f3").len,
                                 .ik_len = (uint8_t)vector_get(v, "f4").len};
}

static void check_tuak(const struct vector *v)
{
    struct secret_key k = secret_key_of(vector_get(v, "k"));
    uint8_t topc[32], mac[32], ak_star[6];
    struct tuak_key key = {.cipher = &cipher, .k = &k, .topc = topc, .options = options_of(v)};
    assert_true(tuak_topc(&cipher, &k, vector_get(v, "top").at, key.options.iterations, topc));
    assert_is(v, "topc", topc);
    struct tuak_challenge c = {.rand = vector_get(v, "rand").at,
                               .sqn = vector_get(v, "sqn").at,
                               .amf = vector_get(v, "amf").at};
    struct tuak_keys keys;
    assert_true(tuak_f1(&key, &c, false, mac));
    assert_is(v, "f1", mac);
    assert_true(tuak_f1(&key, &c, true, mac));
    assert_is(v, "f1_star", mac);
    assert_true(tuak_f2345(&key, c.rand, &keys));
    assert_is(v, "f2", keys.res);
    assert_is(v, "f3", keys.ck);
    assert_is(v, "f4", keys.ik);
    assert_is(v, "f5", keys.ak);
    assert_true(tuak_f5_star(&key, c.rand, ak_star));
    assert_is(v, "f5_star", ak_star);
    tuak_sets++;
}

static void each(const struct vector *v, void *context)
{
    (void)context;
    if (strcmp(v->kind, "milenage") == 0)
        check_milenage(v);
    else if (strcmp(v->kind, "tuak") == 0)
        check_tuak(v);
    else
        fail();
}

static void the_published_sets_are_computed(void **state)
{
    (void)state;
    assert_int_equal(vectors_each("tests/vectors/aka.txt", each, NULL), 26);
    assert_int_equal(milenage_sets, 20);
    assert_int_equal(tuak_sets, 6);
}

// --- a coprocessor that fails ----------------------------------------------------------------

static unsigned blocks_left;

static bool failing_block(void *context, const struct secret_key *key, const uint8_t in[16],
                          uint8_t out[16])
{
    (void)context;
    bool ok = cipher.aes_block(cipher.context, key, in, out) && blocks_left > 0;
    blocks_left -= ok;
    return ok;
}

static bool failing_shake(void *context, struct bytes in, uint8_t *out, size_t len)
{
    (void)context;
    (void)cipher.shake256(cipher.context, in, out, len);
    return false;
}

// Nothing of what was computed until then comes out.
static void a_failure_gives_nothing_out(void **state)
{
    (void)state;
    struct cipher broken = {.aes_block = failing_block, .shake256 = failing_shake};
    const uint8_t octets[32] = {1, 2, 3};
    struct network_keys keys[] = {
        {.k = secret_key_of(bytes_of(octets, 16)), .op = secret_key_of(bytes_of(octets, 16))},
        {.k = secret_key_of(bytes_of(octets, 32)), .op = secret_key_of(bytes_of(octets, 32))}};
    struct milenage_challenge challenge = {.rand = octets, .sqn = octets, .amf = octets};
    for (size_t i = 0; i < 2; i++) {
        struct aka aka = {.cipher = &broken,
                          .keys = &keys[i],
                          .options = {.iterations = 1, .res_len = 8, .ck_len = 16, .ik_len = 16}};
        for (unsigned blocks = 0; blocks < 4; blocks++) {
            struct aka_keys out;
            struct aka_keys former;
            uint8_t six[6] = {6};
            uint8_t mac[AKA_MAC_LEN] = {8};
            memset(&out, 0xEE, sizeof out);
            former = out;
            blocks_left = blocks;
            assert_false(aka_f2345(&aka, octets, &out));
            assert_memory_equal(&out, &former, sizeof out);
            blocks_left = blocks % 2;
            assert_false(aka_f1(&aka, &challenge, mac));
            assert_memory_equal(mac, "\x08\0\0\0\0\0\0\0", sizeof mac);
            blocks_left = blocks % 2;
            assert_false(aka_f5_star(&aka, octets, six));
        }
    }
}

// --- the USIM with TUAK keys -----------------------------------------------------------------

static struct vector set_1;
static void keep(const struct vector *v, void *context)
{
    (void)context;
    if (strcmp(v->kind, "tuak") == 0 && strcmp(v->name, "SET-1") == 0)
        set_1 = *v;
}

// AUTN out of the set's own octets: (SQN xor AK) || AMF || MAC.
static void a_usim_with_tuak_keys_authenticates(void **state)
{
    (void)state;
    (void)vectors_each("tests/vectors/aka.txt", keep, NULL);
    struct nvm_pool pool;
    struct nvm nvm;
    nvm_pool_init(&pool, pages, sizeof pages / sizeof pages[0]);
    nvm_init(&nvm, &pool);
    struct network_keys keys = {.k = secret_key_of(vector_get(&set_1, "k")),
                                .op = secret_key_of(vector_get(&set_1, "topc"))};
    struct usim usim = {.cipher = &cipher, .nvm = &nvm, .tuak = options_of(&set_1)};
    uint8_t autn[16];
    for (size_t i = 0; i < 6; i++)
        autn[i] = vector_get(&set_1, "sqn").at[i] ^ vector_get(&set_1, "f5").at[i];
    memcpy(autn + 6, vector_get(&set_1, "amf").at, 2);
    memcpy(autn + 8, vector_get(&set_1, "f1").at, 8);
    const uint8_t *rand = vector_get(&set_1, "rand").at;
    struct usim_answer answer;
    // SQN 111111111111 is too far ahead of nothing; from its neighbour it is fresh.
    assert_int_equal(usim_authenticate(&usim, &keys, rand, autn, &answer), USIM_OUT_OF_RANGE);
    uint64_t sqn = usim_sqn_read(vector_get(&set_1, "sqn").at);
    assert_int_equal(usim_sqn_commit(&usim, sqn - 32), USIM_OK);
    assert_int_equal(usim_authenticate(&usim, &keys, rand, autn, &answer), USIM_OK);
    assert_int_equal(answer.keys.res_len, 4);
    assert_is(&set_1, "f2", answer.keys.res);
    assert_is(&set_1, "f3", answer.keys.ck);
    assert_is(&set_1, "f4", answer.keys.ik);
    // Now it is old. AUTS begins with SQN_MS xor AK*.
    assert_int_equal(usim_authenticate(&usim, &keys, rand, autn, &answer), USIM_OUT_OF_RANGE);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(answer.auts[i] ^ vector_get(&set_1, "f5_star").at[i],
                         vector_get(&set_1, "sqn").at[i]);
    autn[15] ^= 1;
    assert_int_equal(usim_authenticate(&usim, &keys, rand, autn, &answer), USIM_MAC_WRONG);
}

static void keys_of_other_lengths_are_of_no_algorithm(void **state)
{
    (void)state;
    static const struct {
        uint8_t k;
        uint8_t op;
        bool is_one;
    } lengths[] = {{16, 16, true},  {16, 32, true},  {32, 32, true},
                   {32, 16, false}, {24, 32, false}, {0, 0, false}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct network_keys keys = {.k.len = lengths[i].k, .op.len = lengths[i].op};
        assert_int_equal(aka_has_algorithm(&keys), lengths[i].is_one);
    }
}

// c2 over 4, 8 and 16 octets of RES: pieces of 4 octets, one over the other.
static void the_gsm_answer_folds_the_response(void **state)
{
    (void)state;
    struct aka_keys keys = {.ck_len = 16, .ik_len = 16};
    uint8_t kc[8], sres[4];
    for (uint8_t i = 0; i < 16; i++)
        keys.res[i] = (uint8_t)(1U << i / 4);
    keys.res_len = 4;
    aka_gsm(&keys, kc, sres);
    assert_int_equal(sres[3], 0x01);
    keys.res_len = 8;
    aka_gsm(&keys, kc, sres);
    assert_int_equal(sres[3], 0x03);
    keys.res_len = 16;
    aka_gsm(&keys, kc, sres);
    assert_int_equal(sres[3], 0x0F);
}

static int open_cipher(void **state)
{
    (void)state;
    return cipher_openssl_open(&cipher) ? 0 : -1;
}

static int close_cipher(void **state)
{
    (void)state;
    cipher_openssl_close(&cipher);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_sets_are_computed),
        cmocka_unit_test(a_failure_gives_nothing_out),
        cmocka_unit_test(a_usim_with_tuak_keys_authenticates),
        cmocka_unit_test(keys_of_other_lengths_are_of_no_algorithm),
        cmocka_unit_test(the_gsm_answer_folds_the_response),
    };
    return cmocka_run_group_tests(tests, open_cipher, close_cipher);
}
