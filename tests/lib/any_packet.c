#include "tests/lib/any_packet.h"

#include "common/base/check.h"

#define HEAD_LEN 16 // CPL to PCNTR
#define CNTR_AT 10  // where ciphering begins
#define MAC_LEN 8

void any_packet_write(struct writer *w, const struct any_packet *packet,
                      const struct secret_key *kic, const struct secret_key *kid,
                      const struct cipher *cipher)
{
    static const uint8_t zero_iv[CIPHER_AES_BLOCK];
    const size_t start = w->len;
    const struct bytes data = packet->data;
    const bool is_ciphered = (packet->header[0] & 0x04) != 0;
    const size_t body_len = HEAD_LEN - CNTR_AT + MAC_LEN + data.len;
    const size_t padding = is_ciphered ? (16 - body_len % 16) % 16 : 0;
    uint8_t mac[CIPHER_AES_BLOCK];
    uint8_t padded[ANY_DATA_MAX + 16] = {0};
    check(data.len <= ANY_DATA_MAX);
    if (data.len > 0)
        memcpy(padded, data.at, data.len);
    writer_u16(w, (uint16_t)(CNTR_AT - 2 + body_len + padding));
    writer_u8(w, 13 + MAC_LEN); // CHL: SPI to the MAC
    writer_copy(w, bytes_of(packet->header, ANY_HEADER_LEN));
    writer_u8(w, (uint8_t)padding);
    if (w->failed)
        return;
    const struct bytes covered[] = {bytes_of(w->at + start, HEAD_LEN),
                                    bytes_of(padded, data.len + padding)};
    check(cipher->aes_cmac(cipher->context, kid, covered, 2, mac));
    mac[MAC_LEN - 1] ^= packet->mac_change;
    writer_copy(w, bytes_of(mac, MAC_LEN));
    writer_copy(w, covered[1]);
    if (is_ciphered && !w->failed)
        check(cipher->cbc_encrypt(cipher->context, CIPHER_AES, kic, zero_iv,
                                  w->at + start + CNTR_AT, w->len - start - CNTR_AT));
}
