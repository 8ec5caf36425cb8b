// Packets as they come are never believed by luck; the other half of the inputs gets a right MAC
// and right ciphering from this harness, with any padding counter and any padding, so that what
// lies behind the MAC is reached; and what is built opens to the same.
#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"

#define PACKET_MAX 2048

static struct cipher cipher;
static struct secret_key kic;
static struct secret_key kid;
static struct secured_keys keys;

static void open_once(void)
{
    static const uint8_t octets[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    if (keys.kic != NULL)
        return;
    check(cipher_openssl_open(&cipher));
    kic = secret_key_of(bytes_of(octets, 16));
    kid = secret_key_of(bytes_of(octets + 16, 16));
    keys = (struct secured_keys){.kic = &kic, .kid = &kid, .cmac_len = 8};
}

static enum secured_result open_command(struct bytes packet, struct secured_packet *p)
{
    static uint8_t clear[PACKET_MAX];
    struct writer buffer = writer_of(clear, sizeof clear);
    enum secured_result result = secured_command_shape(packet, p);
    if (result == SECURED_OK)
        result = secured_decipher(p, &keys, &cipher, &buffer);
    if (result == SECURED_OK)
        result = secured_verify(p, &keys, &cipher);
    return result;
}

static void as_it_comes(struct bytes input)
{
    struct secured_packet p;
    static uint8_t clear[PACKET_MAX];
    struct writer buffer = writer_of(clear, sizeof clear);
    if (open_command(input, &p) == SECURED_OK)
        check((p.spi1 & 3) <= SECURED_RC); // a right CC is beyond luck
    const struct secured_command command = {.spi1 = 0x16, .spi2 = 0x39, .kic = 0x12, .kid = 0x12};
    if (secured_response_shape(input, &command, &p) == SECURED_OK &&
        secured_decipher(&p, &keys, &cipher, &buffer) == SECURED_OK)
        check(secured_verify(&p, &keys, &cipher) != SECURED_OK);
}

// The input is CNTR, PCNTR, then data and padding of one AES packet.
static void with_a_right_mac(struct bytes input)
{
    static uint8_t packet[PACKET_MAX];
    const uint8_t iv[CIPHER_AES_BLOCK] = {0};
    uint8_t mac[CIPHER_AES_BLOCK];
    const size_t blocks = (input.len + SECURED_CHECK_MAX) / CIPHER_AES_BLOCK;
    if (input.len < 8 || blocks == 0)
        return;
    const size_t region = blocks * CIPHER_AES_BLOCK;
    const size_t text_len = region - 6 - SECURED_CHECK_MAX;
    struct writer w = writer_of(packet, sizeof packet);
    writer_u16(&w, (uint16_t)(8 + region));
    writer_copy(&w, bytes_of("\x15\x16\x39\x12\x12\xBF\xFF\x20", 8));
    writer_copy(&w, bytes_slice(input, 0, 6));
    writer_fill(&w, 0, SECURED_CHECK_MAX);
    writer_copy(&w, bytes_slice(input, 6, text_len));
    check(!w.failed && w.len == 10 + region);
    const struct bytes parts[] = {bytes_of(packet, 16), bytes_of(packet + 24, text_len)};
    check(cipher.aes_cmac(cipher.context, &kid, parts, 2, mac));
    memcpy(packet + 16, mac, SECURED_CHECK_MAX);
    check(cipher.cbc_encrypt(cipher.context, CIPHER_AES, &kic, iv, packet + 10, region));

    struct secured_packet p;
    const uint8_t pcntr = input.at[5];
    const enum secured_result result = open_command(writer_bytes(&w), &p);
    if (pcntr >= CIPHER_AES_BLOCK || pcntr > text_len) {
        check(result == SECURED_PADDING);
        return;
    }
    check(result == SECURED_OK);
    check(bytes_equal(p.data, bytes_slice(input, 6, text_len - pcntr)));
}

// The input is SPI, KIc, KID and data: what can be built opens to the same, and no other bit will
// do.
static void built_and_opened(struct bytes input)
{
    static uint8_t packet[PACKET_MAX];
    struct reader r = reader_of(input);
    struct secured_command c = {.tar = 0xB00010, .cntr = 7};
    c.spi1 = reader_u8(&r);
    c.spi2 = reader_u8(&r);
    c.kic = reader_u8(&r);
    c.kid = reader_u8(&r);
    const uint16_t flip = reader_u16(&r);
    c.data = reader_rest(&r);
    struct writer w = writer_of(packet, sizeof packet);
    if (r.failed || secured_write_command(&w, &c, &keys, &cipher) != SECURED_OK)
        return;
    check(w.len == secured_command_len(c.spi1, c.kic, c.kid, 8, c.data.len));
    check(secured_command_data_max(c.spi1, c.kic, c.kid, 8, w.len) >= c.data.len);
    struct secured_packet p;
    check(open_command(writer_bytes(&w), &p) == SECURED_OK);
    check(p.cntr == c.cntr && p.tar == c.tar && bytes_equal(p.data, c.data));
    if ((c.spi1 & 3) != SECURED_CC)
        return;
    packet[flip % w.len] ^= (uint8_t)(1u << (flip >> 13));
    check(open_command(writer_bytes(&w), &p) != SECURED_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    open_once();
    if (len < 1 || len > PACKET_MAX / 2)
        return 0;
    const struct bytes rest = bytes_of(data + 1, len - 1);
    if (data[0] & 1)
        with_a_right_mac(rest);
    else
        as_it_comes(rest);
    if (data[0] & 2)
        built_and_opened(rest);
    return 0;
}
