#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "common/host/crypto.h"

#include <string.h>

struct octets {
    uint8_t at[128];
    size_t len;
};

static struct octets hex(const char *text)
{
    struct octets o;
    struct writer w = writer_of(o.at, sizeof o.at);
    assert_true(text_unhex(bytes_of_text(text), &w));
    o.len = w.len;
    return o;
}

static struct secret_key key_of(const char *text)
{
    struct octets o = hex(text);
    return secret_key_of(bytes_of(o.at, o.len));
}

// The four blocks that SP 800-38A and SP 800-38B share.
#define NIST_BLOCKS                                                                                \
    "6bc1bee22e409f96e93d7e117393172a"                                                             \
    "ae2d8a571e03ac9c9eb76fac45af8e51"                                                             \
    "30c81c46a35ce411e5fbc1191a0a52ef"                                                             \
    "f69f2445df4f9b17ad2b417be66c3710"
#define NIST_KEY_128 "2b7e151628aed2a6abf7158809cf4f3c"
#define NIST_KEY_192 "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
#define NIST_KEY_256 "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"

static void expect_cbc(enum cipher_algorithm algorithm, const char *key_text, const char *iv_text,
                       const char *plain_text, const char *cipher_text)
{
    struct cipher c;
    assert_true(cipher_openssl_open(&c));
    struct secret_key key = key_of(key_text);
    struct octets iv = hex(iv_text);
    struct octets plain = hex(plain_text);
    struct octets expected = hex(cipher_text);
    struct octets data = plain;
    for (int round = 0; round < 2; round++) { // the second runs with the key of the first
        assert_true(c.cbc_encrypt(c.context, algorithm, &key, iv.at, data.at, data.len));
        assert_memory_equal(data.at, expected.at, expected.len);
        assert_true(c.cbc_decrypt(c.context, algorithm, &key, iv.at, data.at, data.len));
        assert_memory_equal(data.at, plain.at, plain.len);
    }
    cipher_openssl_close(&c);
}

static void aes_in_cbc_mode_is_that_of_sp_800_38a(void **state)
{
    (void)state;
    const char *iv = "000102030405060708090a0b0c0d0e0f";
    expect_cbc(CIPHER_AES, NIST_KEY_128, iv, NIST_BLOCKS, // F.2.1
               "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
               "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7");
    expect_cbc(CIPHER_AES, NIST_KEY_192, iv, NIST_BLOCKS, // F.2.3
               "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
               "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd");
    expect_cbc(CIPHER_AES, NIST_KEY_256, iv, NIST_BLOCKS, // F.2.5
               "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
               "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b");
}

static void one_block_of_aes_is_that_of_fips_197(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"},
        {"000102030405060708090a0b0c0d0e0f1011121314151617", "dda97ca4864cdfe06eaf70a0ec0d7191"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
         "8ea2b7ca516745bfeafc49904b496089"},
    };
    struct cipher c;
    assert_true(cipher_openssl_open(&c));
    struct octets in = hex("00112233445566778899aabbccddeeff");
    for (size_t i = 0; i < 3; i++) {
        struct secret_key key = key_of(cases[i][0]);
        uint8_t out[CIPHER_AES_BLOCK];
        assert_true(c.aes_block(c.context, &key, in.at, out));
        assert_memory_equal(out, hex(cases[i][1]).at, sizeof out);
    }
    cipher_openssl_close(&c);
}

static void triple_des_with_three_keys_is_that_of_sp_800_67(void **state)
{
    (void)state;
    // The publication's blocks are ciphered one by one: CBC of one block under a zero vector.
    const char *key = "0123456789abcdef23456789abcdef01456789abcdef0123";
    const char *zero = "0000000000000000";
    expect_cbc(CIPHER_TRIPLE_DES, key, zero, "5468652071756663", "a826fd8ce53b855f");
    expect_cbc(CIPHER_TRIPLE_DES, key, zero, "6b2062726f776e20", "cce21c8112256fe6");
    expect_cbc(CIPHER_TRIPLE_DES, key, zero, "666f78206a756d70", "68d5c05dd9b6b900");
}

static void triple_des_with_equal_halves_is_the_des_of_fips_81(void **state)
{
    (void)state;
    expect_cbc(CIPHER_TRIPLE_DES, "0123456789abcdef0123456789abcdef", "1234567890abcdef",
               "4e6f77206973207468652074696d6520666f7220616c6c20",
               "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6");
}

static void a_key_of_two_parts_serves_as_first_second_first(void **state)
{
    (void)state;
    struct cipher c;
    assert_true(cipher_openssl_open(&c));
    struct secret_key two = key_of("0123456789abcdef23456789abcdef01");
    struct secret_key three = key_of("0123456789abcdef23456789abcdef010123456789abcdef");
    const uint8_t iv[CIPHER_DES_BLOCK] = {0};
    uint8_t a[16] = "sixteen octets!";
    uint8_t b[16] = "sixteen octets!";
    assert_true(c.cbc_encrypt(c.context, CIPHER_TRIPLE_DES, &two, iv, a, sizeof a));
    assert_true(c.cbc_encrypt(c.context, CIPHER_TRIPLE_DES, &three, iv, b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
    cipher_openssl_close(&c);
}

static void expect_cmac(const struct cipher *c, const char *key_text, size_t len, const char *mac)
{
    struct secret_key key = key_of(key_text);
    struct octets message = hex(NIST_BLOCKS);
    uint8_t out[CIPHER_AES_BLOCK];
    for (size_t cut = 0; cut <= len; cut++) { // every split into two parts gives the same
        struct bytes parts[2] = {bytes_of(message.at, cut), bytes_of(message.at + cut, len - cut)};
        assert_true(c->aes_cmac(c->context, &key, parts, 2, out));
        assert_memory_equal(out, hex(mac).at, sizeof out);
    }
}

static void aes_cmac_is_that_of_sp_800_38b(void **state)
{
    (void)state;
    struct cipher c;
    assert_true(cipher_openssl_open(&c));
    expect_cmac(&c, NIST_KEY_128, 0, "bb1d6929e95937287fa37d129b756746");
    expect_cmac(&c, NIST_KEY_128, 16, "070a16b46b4d4144f79bdd9dd04a287c");
    expect_cmac(&c, NIST_KEY_128, 40, "dfa66747de9ae63030ca32611497c827");
    expect_cmac(&c, NIST_KEY_128, 64, "51f0bebf7e3b9d92fc49741779363cfe");
    expect_cmac(&c, NIST_KEY_192, 0, "d17ddf46adaacde531cac483de7a9367");
    expect_cmac(&c, NIST_KEY_192, 40, "8a1de5be2eb31aad089a82e6ee908b0e");
    expect_cmac(&c, NIST_KEY_256, 0, "028962f61b7bf89efc6b551f4667d983");
    expect_cmac(&c, NIST_KEY_256, 64, "e1992190549f6ed5696a2c056c315410");
    cipher_openssl_close(&c);
}

static void a_changed_key_is_noticed_between_two_operations(void **state)
{
    (void)state;
    struct cipher c;
    assert_true(cipher_openssl_open(&c));
    expect_cmac(&c, NIST_KEY_128, 16, "070a16b46b4d4144f79bdd9dd04a287c");
    struct secret_key other = key_of("2b7e151628aed2a6abf7158809cf4f3d"); // the last bit differs
    struct octets message = hex(NIST_BLOCKS);
    struct bytes part = bytes_of(message.at, 16);
    uint8_t out[CIPHER_AES_BLOCK];
    assert_true(c.aes_cmac(c.context, &other, &part, 1, out));
    assert_memory_not_equal(out, hex("070a16b46b4d4144f79bdd9dd04a287c").at, sizeof out);
    expect_cmac(&c, NIST_KEY_128, 16, "070a16b46b4d4144f79bdd9dd04a287c");
    cipher_openssl_close(&c);
}

static void sha_256_is_that_of_fips_180(void **state)
{
    (void)state;
    const char *abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const char *none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct cipher c;
    assert_true(cipher_openssl_open(&c));
    struct bytes parts[] = {bytes_of_text("a"), bytes_of_text(""), bytes_of_text("bc")};
    uint8_t digest[CIPHER_SHA256_SIZE];
    assert_true(c.sha256(c.context, parts, 3, digest));
    assert_memory_equal(digest, hex(abc).at, sizeof digest);
    cipher_openssl_close(&c);

    struct sha256 *stream = sha256_open();
    assert_non_null(stream);
    for (size_t i = 0; i < 3; i++)
        assert_true(sha256_add(stream, parts[i]));
    assert_true(sha256_finish(stream, digest));
    assert_memory_equal(digest, hex(abc).at, sizeof digest);
    assert_true(sha256_finish(stream, digest)); // it started again
    assert_memory_equal(digest, hex(none).at, sizeof digest);
    sha256_close(stream);
}

static void hmac_is_that_of_rfc_4231(void **state)
{
    (void)state;
    struct crypto *c = crypto_open();
    assert_non_null(c);
    uint8_t mac[CRYPTO_SHA256_SIZE];
    struct octets key = hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    struct bytes hi[2] = {bytes_of_text("Hi "), bytes_of_text("There")};
    assert_true(crypto_hmac(c, bytes_of(key.at, key.len), hi, 2, mac)); // case 1
    assert_memory_equal(mac,
                        hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7").at,
                        sizeof mac);
    struct bytes question = bytes_of_text("what do ya want for nothing?");
    assert_true(crypto_hmac(c, bytes_of_text("Jefe"), &question, 1, mac)); // case 2
    assert_memory_equal(mac,
                        hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").at,
                        sizeof mac);
    struct bytes nothing = bytes_of(NULL, 0);
    assert_true(crypto_hmac(c, nothing, &nothing, 1, mac)); // an empty key is not the last key
    assert_memory_equal(mac,
                        hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad").at,
                        sizeof mac);
    crypto_close(c);
}

// Test case 16 of the specification of GCM by McGrew and Viega.
#define GCM_KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_NONCE "cafebabefacedbaddecaf888"
#define GCM_ADDITIONAL "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_PLAIN                                                                                  \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                             \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_SEALED                                                                                 \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"                             \
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"                                     \
    "76fc6ece0f4e1768cddf8853bb2d551b"

static void a_seal_is_that_of_the_gcm_specification(void **state)
{
    (void)state;
    struct crypto *c = crypto_open();
    assert_non_null(c);
    struct secret_key key = key_of(GCM_KEY);
    struct octets nonce = hex(GCM_NONCE);
    struct octets additional = hex(GCM_ADDITIONAL);
    struct octets plain = hex(GCM_PLAIN);
    struct octets sealed = hex(GCM_SEALED);
    uint8_t out[128];
    struct writer w = writer_of(out, sealed.len); // exactly enough
    assert_true(crypto_seal(c, &key, nonce.at, bytes_of(additional.at, additional.len),
                            bytes_of(plain.at, plain.len), &w));
    assert_int_equal(w.len, sealed.len);
    assert_memory_equal(out, sealed.at, sealed.len);
    w = writer_of(out, sealed.len - 1);
    assert_false(crypto_seal(c, &key, nonce.at, bytes_of(additional.at, additional.len),
                             bytes_of(plain.at, plain.len), &w));
    assert_true(w.failed);
    w = writer_of(out, plain.len);
    assert_true(crypto_unseal(c, &key, nonce.at, bytes_of(additional.at, additional.len),
                              bytes_of(sealed.at, sealed.len), &w));
    assert_memory_equal(out, plain.at, plain.len);
    crypto_close(c);
}

static void a_seal_with_any_changed_octet_gives_nothing(void **state)
{
    (void)state;
    struct crypto *c = crypto_open();
    assert_non_null(c);
    struct secret_key key = key_of(GCM_KEY);
    struct octets nonce = hex(GCM_NONCE);
    struct octets additional = hex(GCM_ADDITIONAL);
    struct octets sealed = hex(GCM_SEALED);
    const uint8_t zeros[128] = {0};
    uint8_t out[128] = {0};
    for (size_t i = 0; i < sealed.len; i++) {
        struct octets changed = sealed;
        changed.at[i] ^= 1;
        struct writer w = writer_of(out, sizeof out);
        assert_false(crypto_unseal(c, &key, nonce.at, bytes_of(additional.at, additional.len),
                                   bytes_of(changed.at, changed.len), &w));
        assert_int_equal(w.len, 0);
        assert_memory_equal(out, zeros, sizeof out);
    }
    struct writer w = writer_of(out, sizeof out); // the blob of another row
    assert_false(crypto_unseal(c, &key, nonce.at, bytes_of(additional.at, additional.len - 1),
                               bytes_of(sealed.at, sealed.len), &w));
    w = writer_of(out, sizeof out); // too short to hold a tag
    assert_false(crypto_unseal(c, &key, nonce.at, bytes_of(NULL, 0), bytes_of(sealed.at, 15), &w));
    crypto_close(c);
}

// The key of [RFC 7515 appendix A.3.1].
static void our_es256_has_the_public_key_of_its_number(void **state)
{
    (void)state;
    static const uint8_t number[32] = {142, 155, 16, 158, 113, 144, 152, 191, 152, 4,   135,
                                       223, 31,  93, 119, 233, 203, 41,  96,  110, 190, 210,
                                       38,  59,  95, 87,  194, 19,  223, 132, 244, 178};
    static const uint8_t x_wanted[32] = {127, 205, 206, 39,  112, 246, 196, 93,  65, 131, 203,
                                         238, 111, 219, 75,  123, 88,  7,   51,  53, 123, 233,
                                         239, 19,  186, 207, 110, 60,  123, 209, 84, 69};
    static const uint8_t y_wanted[32] = {199, 241, 68,  205, 27,  189, 155, 126, 135, 44,  223,
                                         237, 185, 238, 185, 244, 179, 105, 93,  110, 169, 11,
                                         36,  173, 138, 70,  35,  40,  133, 136, 229, 173};
    const struct secret_key key = secret_key_of(bytes_of(number, sizeof(number)));
    uint8_t x[32];
    uint8_t y[32];
    uint8_t signature[CRYPTO_ES256_SIZE];
    assert_true(crypto_es256_public(&key, x, y));
    assert_memory_equal(x, x_wanted, sizeof(x));
    assert_memory_equal(y, y_wanted, sizeof(y));
    const struct crypto_public public = {bytes_of(x, sizeof(x)), bytes_of(y, sizeof(y))};
    const struct bytes text = bytes_of_text("text");
    assert_true(crypto_es256_sign(&key, text, signature));
    const struct bytes signed_by_us = bytes_of(signature, sizeof(signature));
    assert_true(crypto_verify(CRYPTO_ES256, &public, text, signed_by_us));
    assert_false(crypto_verify(CRYPTO_ES256, &public, bytes_of_text("test"), signed_by_us));
    // Neither 0 nor the order of the curve is a key [FIPS 186-5, SP 800-186 §3.2.1.3].
    static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0,    0,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
                                      0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
    static const uint8_t none[32] = {0};
    const struct secret_key zero = secret_key_of(bytes_of(none, sizeof(none)));
    const struct secret_key full = secret_key_of(bytes_of(order, sizeof(order)));
    assert_false(crypto_es256_public(&zero, x, y));
    assert_false(crypto_es256_public(&full, x, y));
    assert_false(crypto_es256_sign(&full, text, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_in_cbc_mode_is_that_of_sp_800_38a),
        cmocka_unit_test(one_block_of_aes_is_that_of_fips_197),
        cmocka_unit_test(triple_des_with_three_keys_is_that_of_sp_800_67),
        cmocka_unit_test(triple_des_with_equal_halves_is_the_des_of_fips_81),
        cmocka_unit_test(a_key_of_two_parts_serves_as_first_second_first),
        cmocka_unit_test(aes_cmac_is_that_of_sp_800_38b),
        cmocka_unit_test(a_changed_key_is_noticed_between_two_operations),
        cmocka_unit_test(sha_256_is_that_of_fips_180),
        cmocka_unit_test(hmac_is_that_of_rfc_4231),
        cmocka_unit_test(our_es256_has_the_public_key_of_its_number),
        cmocka_unit_test(a_seal_is_that_of_the_gcm_specification),
        cmocka_unit_test(a_seal_with_any_changed_octet_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
