#include "common/host/cipher_openssl.h"

#include "common/base/check.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

// One EVP context per algorithm, key length, mode and direction.
enum slot {
    SLOT_AES_CBC_ENCRYPT,
    SLOT_AES_ECB_ENCRYPT = SLOT_AES_CBC_ENCRYPT + 3,
    SLOT_AES_ECB_DECRYPT = SLOT_AES_ECB_ENCRYPT + 3,
    SLOT_DES_CBC_ENCRYPT = SLOT_AES_ECB_DECRYPT + 3,
    SLOT_DES_CBC_DECRYPT = SLOT_DES_CBC_ENCRYPT + 3,
    SLOT_COUNT = SLOT_DES_CBC_DECRYPT + 3,
};

struct keyed {
    EVP_CIPHER_CTX *context; // NULL: this OpenSSL has no such algorithm
    struct secret_key key;   // the one expanded in the context; len 0 = none yet
};

struct mac {
    EVP_MAC_CTX *context;
    struct secret_key key;
};

struct state {
    struct keyed slots[SLOT_COUNT];
    struct mac cmac[3];
    EVP_MD *sha256;
    EVP_MD *shake256;
    EVP_MD_CTX *digest;
};

static const struct {
    const char *name;
    enum slot slot;
    bool encrypts;
} algorithms[] = {
    {"AES-128-CBC", SLOT_AES_CBC_ENCRYPT, true},
    {"AES-192-CBC", SLOT_AES_CBC_ENCRYPT + 1, true},
    {"AES-256-CBC", SLOT_AES_CBC_ENCRYPT + 2, true},
    {"AES-128-ECB", SLOT_AES_ECB_ENCRYPT, true},
    {"AES-192-ECB", SLOT_AES_ECB_ENCRYPT + 1, true},
    {"AES-256-ECB", SLOT_AES_ECB_ENCRYPT + 2, true},
    {"AES-128-ECB", SLOT_AES_ECB_DECRYPT, false},
    {"AES-192-ECB", SLOT_AES_ECB_DECRYPT + 1, false},
    {"AES-256-ECB", SLOT_AES_ECB_DECRYPT + 2, false},
    {"DES-EDE-CBC", SLOT_DES_CBC_ENCRYPT, true},
    {"DES-EDE3-CBC", SLOT_DES_CBC_ENCRYPT + 1, true},
    {"DES-EDE-CBC", SLOT_DES_CBC_DECRYPT, false},
    {"DES-EDE3-CBC", SLOT_DES_CBC_DECRYPT + 1, false},
};

// 0, 1, 2 for keys of 16, 24, 32 octets.
static unsigned key_index(const struct secret_key *key)
{
    check(key->len == 16 || key->len == 24 || key->len == 32);
    return (key->len - 16U) / 8;
}

static bool same_key(const struct secret_key *a, const struct secret_key *b)
{
    return a->len == b->len && secret_equal(a->octets, b->octets, a->len);
}

static bool keyed_run(struct keyed *k, const struct secret_key *key, const uint8_t *iv,
                      uint8_t *out, struct bytes in)
{
    check(in.len <= INT_MAX);
    if (!k->context)
        return false;
    const bool known = same_key(&k->key, key);
    if (!known || iv != NULL) { // it costs more than the block
        if (!EVP_CipherInit_ex2(k->context, NULL, known ? NULL : key->octets, iv, -1, NULL)) {
            k->key.len = 0;
            return false;
        }
        k->key = *key;
    }
    int written = 0;
    return EVP_CipherUpdate(k->context, out, &written, in.at, (int)in.len) &&
           written == (int)in.len;
}

static bool cbc(struct state *s, enum slot slot, const struct secret_key *key, const uint8_t *iv,
                uint8_t *data, size_t len)
{
    check(len % (slot < SLOT_DES_CBC_ENCRYPT ? CIPHER_AES_BLOCK : CIPHER_DES_BLOCK) == 0);
    return len == 0 || keyed_run(&s->slots[slot], key, iv, data, bytes_of(data, len));
}

static enum slot des_slot(enum slot first, const struct secret_key *key)
{
    check(key->len <= 24);
    return first + key_index(key);
}

static bool cbc_encrypt(void *context, enum cipher_algorithm algorithm,
                        const struct secret_key *key, const uint8_t *iv, uint8_t *data, size_t len)
{
    switch (algorithm) {
    case CIPHER_AES:
        return cbc(context, SLOT_AES_CBC_ENCRYPT + key_index(key), key, iv, data, len);
    case CIPHER_TRIPLE_DES:
        return cbc(context, des_slot(SLOT_DES_CBC_ENCRYPT, key), key, iv, data, len);
    }
    check(false);
}

// Block by block and the chain by hand [SP 800-38A §6.2]: a context that takes an IV is set up
// again for every text, which costs several times what a key of a card does.
static bool aes_cbc_decrypt(struct state *s, const struct secret_key *key, const uint8_t *iv,
                            uint8_t *data, size_t len)
{
    uint8_t chain[CIPHER_AES_BLOCK];
    uint8_t from[16 * CIPHER_AES_BLOCK];
    check(len % CIPHER_AES_BLOCK == 0);
    memcpy(chain, iv, sizeof chain);
    for (size_t at = 0; at < len; at += sizeof from) {
        const size_t part = len - at < sizeof from ? len - at : sizeof from;
        memcpy(from, data + at, part);
        if (!keyed_run(&s->slots[SLOT_AES_ECB_DECRYPT + key_index(key)], key, NULL, data + at,
                       bytes_of(from, part)))
            return false;
        for (size_t i = 0; i < part; i++)
            data[at + i] ^= i < CIPHER_AES_BLOCK ? chain[i] : from[i - CIPHER_AES_BLOCK];
        memcpy(chain, from + part - CIPHER_AES_BLOCK, sizeof chain);
    }
    return true;
}

static bool cbc_decrypt(void *context, enum cipher_algorithm algorithm,
                        const struct secret_key *key, const uint8_t *iv, uint8_t *data, size_t len)
{
    switch (algorithm) {
    case CIPHER_AES:
        return aes_cbc_decrypt(context, key, iv, data, len);
    case CIPHER_TRIPLE_DES:
        return cbc(context, des_slot(SLOT_DES_CBC_DECRYPT, key), key, iv, data, len);
    }
    check(false);
}

static bool aes_block(void *context, const struct secret_key *key,
                      const uint8_t in[CIPHER_AES_BLOCK], uint8_t out[CIPHER_AES_BLOCK])
{
    struct state *s = context;
    return keyed_run(&s->slots[SLOT_AES_ECB_ENCRYPT + key_index(key)], key, NULL, out,
                     bytes_of(in, CIPHER_AES_BLOCK));
}

static bool aes_cmac(void *context, const struct secret_key *key, const struct bytes *parts,
                     size_t part_count, uint8_t mac[CIPHER_AES_BLOCK])
{
    struct state *s = context;
    struct mac *m = &s->cmac[key_index(key)];
    bool known = same_key(&m->key, key);
    if (!EVP_MAC_init(m->context, known ? NULL : key->octets, known ? 0 : key->len, NULL)) {
        m->key.len = 0;
        return false;
    }
    if (!known)
        m->key = *key;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > 0 && !EVP_MAC_update(m->context, parts[i].at, parts[i].len))
            return false;
    }
    size_t written = 0;
    return EVP_MAC_final(m->context, mac, &written, CIPHER_AES_BLOCK) &&
           written == CIPHER_AES_BLOCK;
}

static bool sha256(void *context, const struct bytes *parts, size_t part_count,
                   uint8_t digest[CIPHER_SHA256_SIZE])
{
    struct state *s = context;
    if (!EVP_DigestInit_ex2(s->digest, s->sha256, NULL))
        return false;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > 0 && !EVP_DigestUpdate(s->digest, parts[i].at, parts[i].len))
            return false;
    }
    return EVP_DigestFinal_ex(s->digest, digest, NULL);
}

static bool shake256(void *context, struct bytes in, uint8_t *out, size_t len)
{
    struct state *s = context;
    return EVP_DigestInit_ex2(s->digest, s->shake256, NULL) &&
           EVP_DigestUpdate(s->digest, in.at, in.len) && EVP_DigestFinalXOF(s->digest, out, len);
}

static bool keyed_open(struct keyed *k, const char *name, bool encrypts)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    if (!cipher)
        return false;
    k->context = EVP_CIPHER_CTX_new();
    bool opened = k->context &&
                  EVP_CipherInit_ex2(k->context, cipher, NULL, NULL, encrypts, NULL) &&
                  EVP_CIPHER_CTX_set_padding(k->context, 0);
    EVP_CIPHER_free(cipher); // the context holds its own reference
    return opened;
}

static bool cmac_open(struct state *s)
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "CMAC", NULL);
    if (!algorithm)
        return false;
    static const char *const names[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"};
    bool opened = true;
    for (size_t i = 0; i < 3; i++) {
        char name[12];
        memcpy(name, names[i], sizeof name);
        OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                               OSSL_PARAM_END};
        s->cmac[i].context = EVP_MAC_CTX_new(algorithm);
        opened = opened && s->cmac[i].context && EVP_MAC_CTX_set_params(s->cmac[i].context, params);
    }
    EVP_MAC_free(algorithm);
    return opened;
}

bool cipher_openssl_open(struct cipher *cipher)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return false;
    *cipher = (struct cipher){.context = s,
                              .cbc_encrypt = cbc_encrypt,
                              .cbc_decrypt = cbc_decrypt,
                              .aes_cmac = aes_cmac,
                              .aes_block = aes_block,
                              .sha256 = sha256,
                              .shake256 = shake256};
    bool opened = cmac_open(s);
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        bool found =
            keyed_open(&s->slots[algorithms[i].slot], algorithms[i].name, algorithms[i].encrypts);
        opened = opened && (found || algorithms[i].slot >= SLOT_DES_CBC_ENCRYPT);
    }
    s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->shake256 = EVP_MD_fetch(NULL, "SHAKE256", NULL);
    s->digest = EVP_MD_CTX_new();
    if (opened && s->sha256 && s->shake256 && s->digest)
        return true;
    cipher_openssl_close(cipher);
    return false;
}

void cipher_openssl_close(struct cipher *cipher)
{
    struct state *s = cipher->context;
    if (!s)
        return;
    for (size_t i = 0; i < SLOT_COUNT; i++)
        EVP_CIPHER_CTX_free(s->slots[i].context); // OpenSSL clears the expanded keys
    for (size_t i = 0; i < 3; i++)
        EVP_MAC_CTX_free(s->cmac[i].context);
    EVP_MD_CTX_free(s->digest);
    EVP_MD_free(s->sha256);
    EVP_MD_free(s->shake256);
    secret_wipe(s, sizeof *s);
    free(s);
    *cipher = (struct cipher){0};
}
