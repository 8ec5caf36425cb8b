#include "common/wire/keywrap.h"

static struct bytes number_octets(uint32_t value, uint8_t octets[4])
{
    struct writer w = writer_of(octets, 4);
    writer_u32(&w, value);
    return writer_bytes(&w);
}

static bool wrap_iv(const struct cipher *cipher, const struct secret_key *kik,
                    uint32_t operation_id, const uint8_t *imsi, uint8_t iv[CIPHER_AES_BLOCK])
{
    uint8_t id[4];
    const struct bytes parts[] = {bytes_of_text("wrap-iv"), number_octets(operation_id, id),
                                  bytes_of(imsi, COMMAND_IMSI_SIZE)};
    return cipher->aes_cmac(cipher->context, kik, parts, 3, iv);
}

static bool key_check(const struct cipher *cipher, const struct secret_key *kik,
                      struct bytes clear_keys, const uint8_t *imsi,
                      uint8_t check_value[COMMAND_CHECK_SIZE])
{
    uint8_t mac[CIPHER_AES_BLOCK];
    const struct bytes parts[] = {bytes_of_text("key-check"), clear_keys,
                                  bytes_of(imsi, COMMAND_IMSI_SIZE)};
    if (!cipher->aes_cmac(cipher->context, kik, parts, 3, mac))
        return false;
    memcpy(check_value, mac, COMMAND_CHECK_SIZE);
    return true;
}

static bool lengths_are_right(size_t k_len, size_t op_len)
{
    return (k_len == 16 && op_len == 16) || (k_len == 16 && op_len == 32) ||
           (k_len == 32 && op_len == 32);
}

enum keywrap_status keywrap_seal(const struct cipher *cipher, const struct secret_key *kik,
                                 uint32_t operation_id, const struct network_keys *keys,
                                 const uint8_t imsi[COMMAND_IMSI_SIZE], struct keywrap_block *out)
{
    if (!lengths_are_right(keys->k.len, keys->op.len))
        return KEYWRAP_BAD_LENGTH;
    struct writer w = writer_of(out->octets, sizeof out->octets);
    writer_copy(&w, bytes_of(keys->k.octets, keys->k.len));
    writer_copy(&w, bytes_of(keys->op.octets, keys->op.len));
    out->len = (uint8_t)w.len;

    uint8_t iv[CIPHER_AES_BLOCK];
    bool sealed = key_check(cipher, kik, writer_bytes(&w), imsi, out->check) &&
                  wrap_iv(cipher, kik, operation_id, imsi, iv) &&
                  cipher->cbc_encrypt(cipher->context, CIPHER_AES, kik, iv, out->octets, out->len);
    if (!sealed)
        secret_wipe(out, sizeof *out);
    return sealed ? KEYWRAP_OK : KEYWRAP_CIPHER_FAILED;
}

static enum keywrap_status open_block(const struct cipher *cipher, const struct secret_key *kik,
                                      uint32_t operation_id, const struct command_download *from,
                                      uint8_t *clear)
{
    uint8_t iv[CIPHER_AES_BLOCK];
    uint8_t expected[COMMAND_CHECK_SIZE];
    size_t len = from->wrapped_keys.len;
    memcpy(clear, from->wrapped_keys.at, len);
    if (!wrap_iv(cipher, kik, operation_id, from->imsi, iv) ||
        !cipher->cbc_decrypt(cipher->context, CIPHER_AES, kik, iv, clear, len) ||
        !key_check(cipher, kik, bytes_of(clear, len), from->imsi, expected))
        return KEYWRAP_CIPHER_FAILED;
    return secret_equal(expected, from->check, COMMAND_CHECK_SIZE) ? KEYWRAP_OK
                                                                   : KEYWRAP_CHECK_FAILED;
}

enum keywrap_status keywrap_open(const struct cipher *cipher, const struct secret_key *kik,
                                 uint32_t operation_id, const struct command_download *from,
                                 struct network_keys *keys)
{
    *keys = (struct network_keys){0};
    size_t len = from->wrapped_keys.len;
    if (len != 32 && len != 48 && len != 64)
        return KEYWRAP_BAD_LENGTH;
    uint8_t clear[COMMAND_KEYS_MAX];
    enum keywrap_status status = open_block(cipher, kik, operation_id, from, clear);
    if (status == KEYWRAP_OK) {
        size_t k_len = len == 64 ? 32 : 16;
        keys->k = secret_key_of(bytes_of(clear, k_len));
        keys->op = secret_key_of(bytes_of(clear + k_len, len - k_len));
    }
    secret_wipe(clear, sizeof clear);
    return status;
}

bool card_reference(const struct cipher *cipher, const struct secret_key *kik,
                    uint8_t reference[CARD_REFERENCE_SIZE])
{
    uint8_t mac[CIPHER_AES_BLOCK];
    const struct bytes part = bytes_of_text("card-ref");
    if (!cipher->aes_cmac(cipher->context, kik, &part, 1, mac))
        return false;
    memcpy(reference, mac, CARD_REFERENCE_SIZE);
    return true;
}
