// Milenage and the sequence numbers of the USIM. Vectors: MIL-1 is test set 1 of 35.208, MIL-2 that
// of libosmocore's AUTS test; see tests/vectors/ota.txt.
#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "sim-emulator/core/usim.h"

static struct cipher cipher;
static struct nvm_page pages[64];

struct card_memory {
    struct nvm_pool pool;
    struct nvm nvm;
    struct usim usim;
};

static void open_memory(struct card_memory *m)
{
    nvm_pool_init(&m->pool, pages, sizeof pages / sizeof pages[0]);
    nvm_init(&m->nvm, &m->pool);
    m->usim = (struct usim){.cipher = &cipher, .nvm = &m->nvm, .offset = 0};
}

static void unhex(const char *text, uint8_t *out, size_t len)
{
    struct writer w = writer_of(out, len);
    assert_true(text_unhex(bytes_of_text(text), &w));
    assert_int_equal(w.len, len);
}

static struct network_keys keys_of(const char *k, const char *opc)
{
    struct network_keys keys = {.k.len = 16, .op.len = 16};
    unhex(k, keys.k.octets, 16);
    unhex(opc, keys.op.octets, 16);
    return keys;
}

#define MIL1_K "465b5ce8b199b49faa5f0a2ee238a6bc"
#define MIL1_OP "cdc202d5123e20f62b6d676ac72cb318"
#define MIL1_OPC "cd63cb71954a9f4e48a5994e37a02baf"
#define MIL1_RAND "23553cbe9637a89d218ae64dae47bf35"
#define MIL1_AUTN "55f328b43577b9b94a9ffac354dfafb3"
#define MIL1_SQN 0xff9bb4d0b607U

static void milenage_gives_test_set_1_of_35_208(void **state)
{
    (void)state;
    struct network_keys keys = keys_of(MIL1_K, MIL1_OPC);
    uint8_t op[16], opc[16], rand[16], sqn[6], amf[2], expected[16];
    unhex(MIL1_OP, op, 16);
    unhex(MIL1_RAND, rand, 16);
    unhex("ff9bb4d0b607", sqn, 6);
    unhex("b9b9", amf, 2);
    assert_true(milenage_opc(&cipher, &keys.k, op, opc));
    assert_memory_equal(opc, keys.op.octets, 16);

    struct milenage_challenge challenge = {.rand = rand, .sqn = sqn, .amf = amf};
    struct milenage_mac mac;
    assert_true(milenage_f1(&cipher, &keys.k, opc, &challenge, &mac));
    unhex("4a9ffac354dfafb3", expected, 8);
    assert_memory_equal(mac.mac_a, expected, 8);
    unhex("01cfaf9ec4e871e9", expected, 8);
    assert_memory_equal(mac.mac_s, expected, 8);

    struct milenage_keys out;
    assert_true(milenage_f2345(&cipher, &keys.k, opc, rand, &out));
    unhex("a54211d5e3ba50bf", expected, 8);
    assert_memory_equal(out.res, expected, 8);
    unhex("b40ba9a3c58b2a05bbf0d987b21bf8cb", expected, 16);
    assert_memory_equal(out.ck, expected, 16);
    unhex("f769bcd751044604127672711c6d3441", expected, 16);
    assert_memory_equal(out.ik, expected, 16);
    unhex("aa689c648370", expected, 6);
    assert_memory_equal(out.ak, expected, 6);
    uint8_t ak_star[6];
    assert_true(milenage_f5_star(&cipher, &keys.k, opc, rand, ak_star));
    unhex("451e8beca43b", expected, 6);
    assert_memory_equal(ak_star, expected, 6);
}

static void a_fresh_challenge_gets_res_ck_ik_and_kc(void **state)
{
    (void)state;
    struct card_memory m;
    open_memory(&m);
    // The stored value is one SEQ behind, in another index.
    assert_int_equal(usim_sqn_commit(&m.usim, MIL1_SQN - 32 - 1), USIM_OK);
    struct network_keys keys = keys_of(MIL1_K, MIL1_OPC);
    uint8_t rand[16], autn[16], expected[16];
    unhex(MIL1_RAND, rand, 16);
    unhex(MIL1_AUTN, autn, 16);
    struct usim_answer answer;
    assert_int_equal(usim_authenticate(&m.usim, &keys, rand, autn, &answer), USIM_OK);
    unhex("a54211d5e3ba50bf", expected, 8);
    assert_memory_equal(answer.keys.res, expected, 8);
    unhex("eae4be823af9a08b", expected, 8);
    assert_memory_equal(answer.kc, expected, 8);
    unhex("46f8416a", expected, 4);
    assert_memory_equal(answer.sres, expected, 4);
    // The same again is a replay.
    assert_int_equal(usim_authenticate(&m.usim, &keys, rand, autn, &answer), USIM_OUT_OF_RANGE);
}

static void an_old_sequence_number_gets_the_auts_of_the_vector(void **state)
{
    (void)state;
    struct card_memory m;
    open_memory(&m);
    assert_int_equal(usim_sqn_commit(&m.usim, 0xff9bb4d0b627U), USIM_OK);
    struct network_keys keys = keys_of(MIL1_K, MIL1_OPC);
    uint8_t rand[16], autn[16], expected[14];
    unhex(MIL1_RAND, rand, 16);
    unhex(MIL1_AUTN, autn, 16);
    struct usim_answer answer;
    assert_int_equal(usim_authenticate(&m.usim, &keys, rand, autn, &answer), USIM_OUT_OF_RANGE);
    unhex("ba853f3c121cb55edb820040ab41", expected, 14);
    assert_memory_equal(answer.auts, expected, 14);
}

static void a_second_vector_gives_its_auts(void **state)
{
    (void)state;
    struct card_memory m;
    open_memory(&m);
    // SQN_MS = 1f: SEQ 0 in index 1f cannot be stored, so the vector is checked function by
    // function.
    struct network_keys keys =
        keys_of("000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f");
    uint8_t rand[16] = {0}, sqn_ms[6] = {0, 0, 0, 0, 0, 0x1F}, amf[2] = {0}, expected[14], auts[14];
    struct milenage_challenge challenge = {.rand = rand, .sqn = sqn_ms, .amf = amf};
    struct milenage_mac mac;
    assert_true(milenage_f1(&cipher, &keys.k, keys.op.octets, &challenge, &mac));
    assert_true(milenage_f5_star(&cipher, &keys.k, keys.op.octets, rand, auts));
    for (size_t i = 0; i < 6; i++)
        auts[i] ^= sqn_ms[i];
    memcpy(auts + 6, mac.mac_s, 8);
    unhex("8711a0ec9e1637df17f80b384ee4", expected, 14);
    assert_memory_equal(auts, expected, 14);
    // And its challenge, SQN 22, is fresh for an empty array.
    uint8_t autn[16], res[8];
    unhex("ec9320c2c2120000c8b7de2a3449f1bd", autn, 16);
    unhex("e9fc88ccc8a35381", res, 8);
    struct usim_answer answer;
    assert_int_equal(usim_authenticate(&m.usim, &keys, rand, autn, &answer), USIM_OK);
    assert_memory_equal(answer.keys.res, res, 8);
}

static void every_flipped_bit_of_autn_is_a_wrong_mac(void **state)
{
    (void)state;
    struct card_memory m;
    open_memory(&m);
    struct network_keys keys = keys_of(MIL1_K, MIL1_OPC);
    uint8_t rand[16], autn[16];
    unhex(MIL1_RAND, rand, 16);
    unhex(MIL1_AUTN, autn, 16);
    for (size_t bit = 0; bit < 128; bit++) {
        autn[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct usim_answer answer;
        assert_int_equal(usim_authenticate(&m.usim, &keys, rand, autn, &answer), USIM_MAC_WRONG);
        autn[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(m.nvm.written, 0);
}

static void freshness_is_a_signed_difference(void **state)
{
    (void)state;
    const uint64_t delta = USIM_SEQ_DELTA;
    assert_false(usim_seq_is_fresh(0, 0, 0));
    assert_true(usim_seq_is_fresh(1, 0, 0));
    assert_false(usim_seq_is_fresh(7, 7, 100));
    assert_true(usim_seq_is_fresh(8, 7, 100)); // far behind the highest, but new in its index
    assert_true(usim_seq_is_fresh(100 + delta, 7, 100));
    assert_false(usim_seq_is_fresh(101 + delta, 7, 100));
    // Nothing is taken that is older than the limit.
    const uint64_t age = USIM_AGE_LIMIT;
    assert_true(usim_seq_is_fresh(8, 7, 8 + age));
    assert_false(usim_seq_is_fresh(8, 7, 9 + age));
}

static void indexes_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct card_memory m;
    open_memory(&m);
    for (uint64_t index = 0; index < USIM_INDEXES; index++)
        assert_int_equal(usim_sqn_commit(&m.usim, (1000 - index) * 32 + index), USIM_OK);
    uint8_t owner[USIM_OWNER_LEN] = {8, 0x29};
    // The array is nobody's yet: who takes it finds it empty.
    assert_int_equal(usim_own(&m.usim, owner), USIM_OK);
    assert_int_equal(usim_sqn_commit(&m.usim, 32), USIM_OK);
    assert_int_equal(usim_own(&m.usim, owner), USIM_OK);
    uint8_t octets[USIM_NVM_LEN];
    nvm_read(&m.nvm, 0, octets, sizeof octets);
    assert_int_equal(octets[16 + 5], 1); // SEQ 1 of index 0
    for (size_t i = 16 + 16; i < sizeof octets; i++)
        assert_int_equal(octets[i], NVM_ERASED);
}

// Whatever the torn octet becomes, the array gives the former SEQ or the new one.
static void a_power_cut_at_any_octet_leaves_the_former_or_the_new_number(void **state)
{
    (void)state;
    const uint64_t former = 0x123456;
    const uint64_t new = 0x1234FF;
    for (unsigned cut = 1; cut <= 8; cut++) {
        for (unsigned value = 0; value < 256; value++) {
            struct card_memory m;
            open_memory(&m);
            assert_int_equal(usim_sqn_commit(&m.usim, (former - 1) * 32), USIM_OK);
            assert_int_equal(usim_sqn_commit(&m.usim, former * 32), USIM_OK);
            struct nvm_faults faults = {
                .cut_at = cut, .is_torn = true, .torn_value = (uint8_t)value};
            m.nvm.faults = &faults;
            assert_int_equal(usim_sqn_commit(&m.usim, new * 32), USIM_FAULT);
            nvm_power_on(&m.nvm);
            m.nvm.faults = NULL;
            // SEQ `former` is used up; the one after `new` is taken in any case.
            struct network_keys keys = keys_of(MIL1_K, MIL1_OPC);
            struct usim_answer answer;
            uint8_t rand[16] = {0}, sqn[6], amf[2] = {0}, autn[16], sqn_ms[6];
            usim_sqn_write(former * 32, sqn);
            struct milenage_challenge challenge = {.rand = rand, .sqn = sqn, .amf = amf};
            struct milenage_mac mac;
            struct milenage_keys out;
            uint8_t ak_star[6];
            assert_true(milenage_f1(&cipher, &keys.k, keys.op.octets, &challenge, &mac));
            assert_true(milenage_f2345(&cipher, &keys.k, keys.op.octets, rand, &out));
            assert_true(milenage_f5_star(&cipher, &keys.k, keys.op.octets, rand, ak_star));
            for (size_t i = 0; i < 6; i++)
                autn[i] = sqn[i] ^ out.ak[i];
            memcpy(autn + 6, amf, 2);
            memcpy(autn + 8, mac.mac_a, 8);
            assert_int_equal(usim_authenticate(&m.usim, &keys, rand, autn, &answer),
                             USIM_OUT_OF_RANGE);
            for (size_t i = 0; i < 6; i++)
                sqn_ms[i] = answer.auts[i] ^ ak_star[i];
            uint64_t seq = usim_sqn_read(sqn_ms) / 32;
            assert_true(seq == former || seq == new);
        }
    }
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
        cmocka_unit_test(milenage_gives_test_set_1_of_35_208),
        cmocka_unit_test(a_fresh_challenge_gets_res_ck_ik_and_kc),
        cmocka_unit_test(an_old_sequence_number_gets_the_auts_of_the_vector),
        cmocka_unit_test(a_second_vector_gives_its_auts),
        cmocka_unit_test(every_flipped_bit_of_autn_is_a_wrong_mac),
        cmocka_unit_test(freshness_is_a_signed_difference),
        cmocka_unit_test(indexes_do_not_disturb_each_other),
        cmocka_unit_test(a_power_cut_at_any_octet_leaves_the_former_or_the_new_number),
    };
    return cmocka_run_group_tests(tests, open_cipher, close_cipher);
}
