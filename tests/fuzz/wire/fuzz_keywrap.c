// Wrapped keys. Any keys that can be wrapped come out as they went in; with another operation,
// IMSI, key or octet they do not, and what does not open leaves no key behind. Half of the inputs
// are wrapped here, as the description of the protocol says it, so that what lies behind the check
// value is reached with any content.
#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/keywrap.h"

#define HEAD_LEN 16 // kind, lengths, what is changed, operation, IMSI

static struct cipher cipher;
static struct secret_key kik;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void open_once(void)
{
    static const uint8_t octets[16] = {0x30, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    if (kik.len > 0)
        return;
    check(cipher_openssl_open(&cipher));
    kik = secret_key_of(bytes_of(octets, sizeof octets));
}

static bool is_key(const struct secret_key *key, struct bytes octets)
{
    return bytes_equal(bytes_of(key->octets, key->len), octets);
}

static void check_wiped(const struct network_keys *keys)
{
    static const struct network_keys none = {0};
    check(keys->k.len == 0 && keys->op.len == 0);
    check(memcmp(keys->k.octets, none.k.octets, sizeof none.k.octets) == 0);
    check(memcmp(keys->op.octets, none.op.octets, sizeof none.op.octets) == 0);
}

// docs/applet-protocol.md: IV and check value are CMACs over what they are bound to.
static void wrap_by_hand(uint32_t operation, const struct bytes clear, const uint8_t *imsi,
                         struct keywrap_block *out)
{
    const uint8_t id[4] = {(uint8_t)(operation >> 24), (uint8_t)(operation >> 16),
                           (uint8_t)(operation >> 8), (uint8_t)operation};
    const struct bytes who = bytes_of(imsi, COMMAND_IMSI_SIZE);
    const struct bytes of_iv[] = {bytes_of_text("wrap-iv"), bytes_of(id, 4), who};
    const struct bytes of_check[] = {bytes_of_text("key-check"), clear, who};
    uint8_t iv[CIPHER_AES_BLOCK];
    uint8_t mac[CIPHER_AES_BLOCK];
    check(cipher.aes_cmac(cipher.context, &kik, of_iv, 3, iv));
    check(cipher.aes_cmac(cipher.context, &kik, of_check, 3, mac));
    bytes_copy(out->octets, clear);
    out->len = (uint8_t)clear.len;
    memcpy(out->check, mac, sizeof out->check);
    check(cipher.cbc_encrypt(cipher.context, CIPHER_AES, &kik, iv, out->octets, out->len));
}

static struct command_download download_of(const struct keywrap_block *block, const uint8_t *imsi)
{
    struct command_download d = {.wrapped_keys = bytes_of(block->octets, block->len)};
    memcpy(d.check, block->check, sizeof d.check);
    memcpy(d.imsi, imsi, sizeof d.imsi);
    return d;
}

// Something of it is another: the keys are refused or, once in 2^24, are other ones that fit.
static void change(uint8_t what, uint8_t bit, uint32_t operation, const struct bytes clear,
                   struct keywrap_block *block, const uint8_t *imsi)
{
    struct network_keys keys;
    uint8_t other_imsi[COMMAND_IMSI_SIZE];
    struct secret_key other_kik = kik;
    const uint8_t mask = (uint8_t)(1u << bit % 8);
    memcpy(other_imsi, imsi, sizeof other_imsi);
    if (what % 5 == 0)
        operation ^= 1u << bit % 32;
    else if (what % 5 == 1)
        other_imsi[bit % sizeof other_imsi] ^= mask;
    else if (what % 5 == 2)
        other_kik.octets[bit % 16] ^= mask;
    else if (what % 5 == 3)
        block->octets[bit % block->len] ^= mask;
    else
        block->check[bit % sizeof block->check] ^= mask;
    const struct command_download d = download_of(block, other_imsi);
    const enum keywrap_status status = keywrap_open(&cipher, &other_kik, operation, &d, &keys);
    check(status == KEYWRAP_CHECK_FAILED || (status == KEYWRAP_OK && what % 5 != 4));
    if (status == KEYWRAP_CHECK_FAILED)
        check_wiped(&keys);
    else
        check(what % 5 == 1 || !is_key(&keys.k, bytes_slice(clear, 0, keys.k.len)) ||
              !is_key(&keys.op, bytes_slice(clear, keys.k.len, clear.len)));
}

static void right(struct reader *r, uint8_t what, uint8_t bit)
{
    static const uint8_t lens[][2] = {{16, 16}, {16, 32}, {32, 32}};
    uint8_t octets[COMMAND_KEYS_MAX] = {0};
    struct keywrap_block ours;
    struct keywrap_block by_hand;
    struct network_keys opened;
    const uint8_t *len = lens[reader_u8(r) % 3];
    const uint32_t operation = reader_u32(r);
    const struct bytes imsi = reader_bytes(r, COMMAND_IMSI_SIZE);
    const struct bytes rest = reader_rest(r);
    if (r->failed)
        return;
    bytes_copy(octets, bytes_slice(rest, 0, sizeof octets));
    const struct bytes clear = bytes_of(octets, (size_t)len[0] + len[1]);
    const struct network_keys keys = {.k = secret_key_of(bytes_slice(clear, 0, len[0])),
                                      .op = secret_key_of(bytes_slice(clear, len[0], len[1]))};
    check(keywrap_seal(&cipher, &kik, operation, &keys, imsi.at, &ours) == KEYWRAP_OK);
    wrap_by_hand(operation, clear, imsi.at, &by_hand);
    check(ours.len == by_hand.len && memcmp(ours.octets, by_hand.octets, ours.len) == 0);
    check(memcmp(ours.check, by_hand.check, sizeof ours.check) == 0);
    const struct command_download d = download_of(&by_hand, imsi.at);
    check(keywrap_open(&cipher, &kik, operation, &d, &opened) == KEYWRAP_OK);
    check(is_key(&opened.k, bytes_slice(clear, 0, len[0])));
    check(is_key(&opened.op, bytes_slice(clear, len[0], len[1])));
    change(what, bit, operation, clear, &ours, imsi.at);
}

static void as_it_comes(struct reader *r)
{
    struct command_download d = {0};
    struct network_keys keys;
    const uint32_t operation = reader_u32(r);
    const struct bytes imsi = reader_bytes(r, COMMAND_IMSI_SIZE);
    const struct bytes sum = reader_bytes(r, COMMAND_CHECK_SIZE);
    d.wrapped_keys = reader_rest(r);
    if (r->failed)
        return;
    bytes_copy(d.imsi, imsi);
    bytes_copy(d.check, sum);
    const size_t len = d.wrapped_keys.len;
    const enum keywrap_status status = keywrap_open(&cipher, &kik, operation, &d, &keys);
    check((status == KEYWRAP_BAD_LENGTH) == (len != 32 && len != 48 && len != 64));
    if (status != KEYWRAP_OK) {
        check_wiped(&keys);
        return;
    }
    struct keywrap_block again;
    check(keywrap_seal(&cipher, &kik, operation, &keys, d.imsi, &again) == KEYWRAP_OK);
    check(bytes_equal(d.wrapped_keys, bytes_of(again.octets, again.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    const uint8_t kind = reader_u8(&r);
    open_once();
    if (len < HEAD_LEN)
        return 0;
    if (kind % 2 == 0)
        as_it_comes(&r);
    else
        right(&r, kind / 2, reader_u8(&r));
    return 0;
}
