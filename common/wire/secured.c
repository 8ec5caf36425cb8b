#include "common/wire/secured.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/wire/crc.h"

#define COMMAND_HEAD_LEN 10  // CPL CHL SPI KIc KID TAR
#define COMMAND_START_LEN 6  // CNTR PCNTR
#define RESPONSE_HEAD_LEN 6  // RPL RHL TAR
#define RESPONSE_START_LEN 7 // CNTR PCNTR status
#define COMMAND_CHL 13       // CHL without RC or CC: SPI to PCNTR
#define RESPONSE_RHL 10      // RHL without RC or CC: TAR to status
#define LENGTH_LEN 2         // CPL or RPL itself

// The user data header as the MAC of a response covers it, however the packet travels.
static const uint8_t response_prefix[] = {0x02, 0x71, 0x00};
static const uint8_t zero_iv[CIPHER_AES_BLOCK];

// --- indications -----------------------------------------------------------------------------

struct secured_spi secured_spi_read(uint8_t spi1, uint8_t spi2)
{
    return (struct secured_spi){
        .integrity = (enum secured_integrity)(spi1 & 0x03),
        .is_ciphered = (spi1 & 0x04) != 0,
        .counter = (enum secured_counter)(spi1 >> 3 & 0x03),
        .por = (enum secured_por)(spi2 & 0x03),
        .por_integrity = (enum secured_integrity)(spi2 >> 2 & 0x03),
        .por_is_ciphered = (spi2 & 0x10) != 0,
        .por_by_submit = (spi2 & 0x20) != 0,
        .has_reserved = (spi1 & 0xE0) != 0 || (spi2 & 0xC0) != 0,
    };
}

uint8_t secured_spi1(const struct secured_spi *spi)
{
    return (uint8_t)((unsigned)spi->integrity | (spi->is_ciphered ? 0x04u : 0u) |
                     (unsigned)spi->counter << 3);
}

uint8_t secured_spi2(const struct secured_spi *spi)
{
    return (uint8_t)((unsigned)spi->por | (unsigned)spi->por_integrity << 2 |
                     (spi->por_is_ciphered ? 0x10u : 0u) | (spi->por_by_submit ? 0x20u : 0u));
}

bool secured_level_satisfies(uint8_t spi1, uint8_t minimum)
{
    const struct secured_spi is = secured_spi_read(spi1, 0);
    const struct secured_spi least = secured_spi_read(minimum, 0);
    return !is.has_reserved && is.integrity >= least.integrity &&
           (is.is_ciphered || !least.is_ciphered) && is.counter >= least.counter;
}

// --- form: what follows from the indications -------------------------------------------------

struct form {
    bool is_response;
    enum secured_integrity integrity;
    bool is_ciphered;
    uint8_t kic;
    uint8_t kid;
    uint8_t check_len;
    uint8_t block; // 1 = not ciphered
};

/*@ assigns \result \from kic;
  @ ensures \result == 0 || \result == CIPHER_DES_BLOCK || \result == CIPHER_AES_BLOCK;
  @*/
static uint8_t block_of(uint8_t kic)
{
    switch (secured_algorithm(kic)) {
    case SECURED_AES:
        return CIPHER_AES_BLOCK;
    case SECURED_TRIPLE_DES_2:
    case SECURED_TRIPLE_DES_3:
        return CIPHER_DES_BLOCK;
    default: // octets
        return 0;
    }
}

// Octets of RC or CC, or 0 for an algorithm that is not supported.
/*@ assigns \result \from integrity, kid, cmac_len;
  @ ensures \result <= SECURED_CHECK_MAX || \result == cmac_len;
  @ ensures cmac_len == 0 ==> \result <= SECURED_CHECK_MAX;
  @*/
static uint8_t check_len_of(enum secured_integrity integrity, uint8_t kid, uint8_t cmac_len)
{
    const uint8_t algorithm = secured_algorithm(kid);
    if (integrity == SECURED_RC)
        return algorithm == SECURED_DES ? 2 : algorithm == SECURED_TRIPLE_DES_2 ? 4 : 0;
    if (integrity != SECURED_CC)
        return 0;
    if (algorithm == SECURED_AES)
        return cmac_len == 0 ? SECURED_CHECK_MAX : cmac_len;
    const bool is_triple = algorithm == SECURED_TRIPLE_DES_2 || algorithm == SECURED_TRIPLE_DES_3;
    return is_triple ? CIPHER_DES_BLOCK : 0;
}

// Completes a form; false when an algorithm is not supported.
/*@ requires \valid(form);
  @ assigns form->block, form->check_len, \result \from *form, cmac_len;
  @ ensures \result ==> form->block == 1 || form->block == CIPHER_DES_BLOCK ||
  @   form->block == CIPHER_AES_BLOCK;
  @ ensures \result ==> (form->is_ciphered <==> form->block != 1);
  @ ensures form->check_len <= SECURED_CHECK_MAX || form->check_len == cmac_len;
  @*/
static bool complete(struct form *form, uint8_t cmac_len)
{
    form->block = form->is_ciphered ? block_of(form->kic) : 1;
    form->check_len = check_len_of(form->integrity, form->kid, cmac_len);
    return form->block != 0 && (form->integrity == SECURED_NO_INTEGRITY || form->check_len != 0);
}

/*@ assigns \result \from spi1, kic, kid;
  @ ensures \result.is_response == 0 && \result.kic == kic && \result.kid == kid;
  @*/
static struct form command_form(uint8_t spi1, uint8_t kic, uint8_t kid)
{
    const struct secured_spi spi = secured_spi_read(spi1, 0);
    return (struct form){
        .integrity = spi.integrity, .is_ciphered = spi.is_ciphered, .kic = kic, .kid = kid};
}

/*@ assigns \result \from spi2, kic, kid;
  @ ensures \result.is_response == 1 && \result.kic == kic && \result.kid == kid;
  @*/
static struct form response_form(uint8_t spi2, uint8_t kic, uint8_t kid)
{
    const struct secured_spi spi = secured_spi_read(0, spi2);
    return (struct form){.is_response = true,
                         .integrity = spi.por_integrity,
                         .is_ciphered = spi.por_is_ciphered,
                         .kic = kic,
                         .kid = kid};
}

/*@ requires \valid_read(form);
  @ assigns \result \from *form;
  @ ensures \result == (form->is_response ? RESPONSE_HEAD_LEN : COMMAND_HEAD_LEN);
  @*/
static size_t head_len_of(const struct form *form)
{
    return form->is_response ? RESPONSE_HEAD_LEN : COMMAND_HEAD_LEN;
}

/*@ requires \valid_read(form);
  @ assigns \result \from *form;
  @ ensures \result == (form->is_response ? RESPONSE_START_LEN : COMMAND_START_LEN);
  @*/
static size_t start_len_of(const struct form *form)
{
    return form->is_response ? RESPONSE_START_LEN : COMMAND_START_LEN;
}

// Octets before the data.
/*@ requires \valid_read(form);
  @ assigns \result \from *form;
  @ ensures \result == (form->is_response ? 13 : 16) + form->check_len;
  @*/
static size_t overhead_of(const struct form *form)
{
    return head_len_of(form) + start_len_of(form) + form->check_len;
}

/*@ requires \valid_read(form) && data_len < 0x100000000;
  @ requires form->block == 1 || form->block == 8 || form->block == 16;
  @ assigns \result \from *form, data_len;
  @ ensures \result < form->block;
  @ ensures form->block == 8 ==>
  @   ((form->is_response ? 7 : 6) + form->check_len + data_len + \result) % 8 == 0;
  @ ensures form->block == 16 ==>
  @   ((form->is_response ? 7 : 6) + form->check_len + data_len + \result) % 16 == 0;
  @*/
static size_t pad_len_of(const struct form *form, size_t data_len)
{
    const size_t region = start_len_of(form) + form->check_len + data_len;
    return (form->block - region % form->block) % form->block;
}

// --- checks ----------------------------------------------------------------------------------

static bool key_fits(const struct secret_key *key, uint8_t algorithm)
{
    if (key == NULL)
        return false;
    switch (algorithm) {
    case SECURED_AES:
        return key->len == 16 || key->len == 24 || key->len == 32;
    case SECURED_TRIPLE_DES_2:
        return key->len == 16;
    case SECURED_TRIPLE_DES_3:
        return key->len == 24;
    default: // octets
        return false;
    }
}

static enum cipher_algorithm cipher_of(uint8_t indication)
{
    return secured_algorithm(indication) == SECURED_AES ? CIPHER_AES : CIPHER_TRIPLE_DES;
}

// What a check covers: the user data header of a response, head, start, data with padding.
#define COVERED_MAX 4
struct covered {
    struct bytes parts[COVERED_MAX];
    size_t count;
};

static struct covered covered_of(bool is_response, struct bytes head, struct bytes start,
                                 struct bytes text)
{
    struct covered covered = {.count = 0};
    if (is_response)
        covered.parts[covered.count++] = bytes_of(response_prefix, sizeof response_prefix);
    covered.parts[covered.count++] = head;
    covered.parts[covered.count++] = start;
    covered.parts[covered.count++] = text;
    return covered;
}

// CBC-MAC: the last block of ciphering the text, filled up with zeros. Ciphers a chunk at a time,
// so that no copy of the whole is needed.
#define MAC_CHUNK 128
static bool cbc_mac(const struct cipher *cipher, const struct secret_key *key,
                    const struct covered *covered, uint8_t mac[CIPHER_DES_BLOCK])
{
    uint8_t chunk[MAC_CHUNK];
    size_t used = 0;
    bool ok = true;
    memset(mac, 0, CIPHER_DES_BLOCK);
    for (size_t i = 0; i < covered->count; i++) {
        struct bytes left = covered->parts[i];
        while (left.len > 0) {
            const size_t len = left.len < MAC_CHUNK - used ? left.len : MAC_CHUNK - used;
            memcpy(chunk + used, left.at, len);
            used += len;
            left = bytes_slice(left, len, left.len);
            if (used == MAC_CHUNK) {
                ok = ok &&
                     cipher->cbc_encrypt(cipher->context, CIPHER_TRIPLE_DES, key, mac, chunk, used);
                memcpy(mac, chunk + used - CIPHER_DES_BLOCK, CIPHER_DES_BLOCK);
                used = 0;
            }
        }
    }
    if (used == 0)
        return ok;
    const size_t padded = (used + CIPHER_DES_BLOCK - 1) / CIPHER_DES_BLOCK * CIPHER_DES_BLOCK;
    memset(chunk + used, 0, padded - used);
    ok = ok && cipher->cbc_encrypt(cipher->context, CIPHER_TRIPLE_DES, key, mac, chunk, padded);
    memcpy(mac, chunk + padded - CIPHER_DES_BLOCK, CIPHER_DES_BLOCK);
    return ok;
}

static void redundancy(const struct covered *covered, size_t check_len, uint8_t *check)
{
    struct writer w = writer_of(check, check_len);
    uint32_t crc32 = 0;
    uint16_t crc16 = 0;
    for (size_t i = 0; i < covered->count; i++) {
        if (check_len == 2)
            crc16 = crc16_add(crc16, covered->parts[i]);
        else
            crc32 = crc32_add(crc32, covered->parts[i]);
    }
    if (check_len == 2)
        writer_u16(&w, crc16);
    else
        writer_u32(&w, crc32);
}

// RC or CC over what is covered; its first octets are the field.
// tidy: parameters, both callers have these and nothing that groups them
static enum secured_result compute_check(enum secured_integrity integrity, uint8_t kid,
                                         size_t check_len, const struct secured_keys *keys,
                                         const struct cipher *cipher, const struct covered *covered,
                                         uint8_t check[CIPHER_AES_BLOCK])
{
    if (integrity == SECURED_RC) {
        redundancy(covered, check_len, check);
        return SECURED_OK;
    }
    if (!key_fits(keys->kid, secured_algorithm(kid)))
        return SECURED_KEY;
    const bool ok =
        cipher_of(kid) == CIPHER_AES
            ? cipher->aes_cmac(cipher->context, keys->kid, covered->parts, covered->count, check)
            : cbc_mac(cipher, keys->kid, covered, check);
    return ok ? SECURED_OK : SECURED_CIPHER_FAILED;
}

// --- building --------------------------------------------------------------------------------

// Room for a packet at the end of the writer, or SECURED_NO_ROOM.
static enum secured_result room_for(const struct writer *w, const struct form *form,
                                    size_t data_len, size_t *packet_len)
{
    *packet_len = overhead_of(form) + data_len + pad_len_of(form, data_len);
    if (w->failed || *packet_len > writer_room(w) || *packet_len - LENGTH_LEN > UINT16_MAX)
        return SECURED_NO_ROOM;
    return SECURED_OK;
}

// Fills in RC or CC and ciphers; `packet` has everything else, in clear.
static enum secured_result seal(uint8_t *packet, size_t len, const struct form *form,
                                const struct secured_keys *keys, const struct cipher *cipher)
{
    const size_t head_len = head_len_of(form);
    const size_t before_check = head_len + start_len_of(form);
    if (form->integrity != SECURED_NO_INTEGRITY) {
        const size_t text_at = before_check + form->check_len;
        const struct covered covered = covered_of(form->is_response, bytes_of(packet, head_len),
                                                  bytes_of(packet + head_len, start_len_of(form)),
                                                  bytes_of(packet + text_at, len - text_at));
        uint8_t check[CIPHER_AES_BLOCK];
        const enum secured_result result = compute_check(
            form->integrity, form->kid, form->check_len, keys, cipher, &covered, check);
        if (result != SECURED_OK)
            return result;
        memcpy(packet + before_check, check, form->check_len);
    }
    if (!form->is_ciphered)
        return SECURED_OK;
    if (!key_fits(keys->kic, secured_algorithm(form->kic)))
        return SECURED_KEY;
    return cipher->cbc_encrypt(cipher->context, cipher_of(form->kic), keys->kic, zero_iv,
                               packet + head_len, len - head_len)
               ? SECURED_OK
               : SECURED_CIPHER_FAILED;
}

// Ends a packet that `p` has begun with everything up to RC or CC: room for that, data, padding;
// then seals it, and hands it to `w` or leaves nothing in clear behind.
static enum secured_result finish(struct writer *w, struct writer *p, const struct form *form,
                                  struct bytes data, const struct secured_keys *keys,
                                  const struct cipher *cipher)
{
    writer_fill(p, 0, form->check_len);
    writer_copy(p, data);
    writer_fill(p, 0, p->cap - p->len);
    check(!p->failed);
    const enum secured_result result = seal(p->at, p->len, form, keys, cipher);
    if (result == SECURED_OK)
        w->len += p->len;
    else
        secret_wipe(p->at, p->len);
    return result;
}

enum secured_result secured_write_command(struct writer *w, const struct secured_command *command,
                                          const struct secured_keys *keys,
                                          const struct cipher *cipher)
{
    check(command->tar <= 0xFFFFFF && command->cntr <= SECURED_CNTR_MAX);
    struct form form = command_form(command->spi1, command->kic, command->kid);
    if (!complete(&form, keys->cmac_len))
        return SECURED_UNSUPPORTED;
    size_t len = 0;
    if (room_for(w, &form, command->data.len, &len) != SECURED_OK)
        return SECURED_NO_ROOM;
    struct writer p = writer_of(w->at + w->len, len);
    writer_u16(&p, (uint16_t)(len - LENGTH_LEN));
    writer_u8(&p, COMMAND_CHL + form.check_len);
    writer_u8(&p, command->spi1);
    writer_u8(&p, command->spi2);
    writer_u8(&p, command->kic);
    writer_u8(&p, command->kid);
    writer_u24(&p, command->tar);
    writer_u40(&p, command->cntr);
    writer_u8(&p, (uint8_t)pad_len_of(&form, command->data.len));
    return finish(w, &p, &form, command->data, keys, cipher);
}

enum secured_result secured_write_response(struct writer *w,
                                           const struct secured_response *response,
                                           const struct secured_keys *keys,
                                           const struct cipher *cipher)
{
    check(response->tar <= 0xFFFFFF && response->cntr <= SECURED_CNTR_MAX);
    struct form form = response_form(response->spi2, response->kic, response->kid);
    if (!complete(&form, keys->cmac_len))
        return SECURED_UNSUPPORTED;
    size_t len = 0;
    if (room_for(w, &form, response->data.len, &len) != SECURED_OK)
        return SECURED_NO_ROOM;
    struct writer p = writer_of(w->at + w->len, len);
    writer_u16(&p, (uint16_t)(len - LENGTH_LEN));
    writer_u8(&p, RESPONSE_RHL + form.check_len);
    writer_u24(&p, response->tar);
    writer_u40(&p, response->cntr);
    writer_u8(&p, (uint8_t)pad_len_of(&form, response->data.len));
    writer_u8(&p, response->status);
    return finish(w, &p, &form, response->data, keys, cipher);
}

// --- opening ---------------------------------------------------------------------------------

// An AES CC may have 4 or 8 octets on the wire; which one the key has is verify's question.
/*@ requires \valid_read(form) && form->check_len <= SECURED_CHECK_MAX;
  @ assigns \result \from *form, check_len;
  @ ensures \result ==> check_len <= SECURED_CHECK_MAX;
  @*/
static bool check_len_fits(const struct form *form, size_t check_len)
{
    if (form->integrity == SECURED_CC && secured_algorithm(form->kid) == SECURED_AES)
        return check_len == 4 || check_len == 8;
    return check_len == form->check_len;
}

// Fills in what both kinds of packet share, and tests the body against form and check length.
/*@ requires bytes_are_valid(packet) && \valid_read(form) && \valid(out);
  @ requires \separated(form, out);
  @ requires form->block > 0 && check_len <= SECURED_CHECK_MAX;
  @ assigns out->kic, out->kid, out->check_len, out->is_response, out->is_ciphered,
  @   out->integrity, out->head, out->body, \result \from packet, *form, check_len;
  @ ensures \result == SECURED_OK || \result == SECURED_SHAPE;
  @ ensures \result == SECURED_OK ==>
  @   packet_is_split(out, packet, form->is_response ? RESPONSE_HEAD_LEN : COMMAND_HEAD_LEN) &&
  @   out->body.len % form->block == 0 &&
  @   out->body.len >= (form->is_response ? RESPONSE_START_LEN : COMMAND_START_LEN) + check_len;
  @ ensures \result == SECURED_OK ==> out->kic == form->kic && out->kid == form->kid &&
  @   out->check_len == check_len && out->is_response == form->is_response &&
  @   out->is_ciphered == form->is_ciphered;
  @*/
static enum secured_result shape(struct bytes packet, const struct form *form, size_t check_len,
                                 struct secured_packet *out)
{
    const size_t head_len = head_len_of(form);
    if (packet.len < head_len + start_len_of(form) + check_len ||
        (packet.len - head_len) % form->block != 0)
        return SECURED_SHAPE;
    out->kic = form->kic;
    out->kid = form->kid;
    out->check_len = (uint8_t)check_len;
    out->is_response = form->is_response;
    out->is_ciphered = form->is_ciphered;
    out->integrity = form->integrity;
    out->head = bytes_slice(packet, 0, head_len);
    out->body = bytes_slice(packet, head_len, packet.len - head_len);
    return SECURED_OK;
}

enum secured_result secured_command_shape(struct bytes packet, struct secured_packet *out)
{
    *out = (struct secured_packet){0};
    struct reader r = reader_of(packet);
    const size_t cpl = reader_u16(&r);
    const size_t rest = r.left;
    const size_t chl = reader_u8(&r);
    out->spi1 = reader_u8(&r);
    out->spi2 = reader_u8(&r);
    const uint8_t kic = reader_u8(&r);
    const uint8_t kid = reader_u8(&r);
    out->tar = reader_u24(&r);
    if (r.failed || cpl != rest || chl < COMMAND_CHL)
        return SECURED_SHAPE;
    struct form form = command_form(out->spi1, kic, kid);
    if (!complete(&form, 0))
        return SECURED_UNSUPPORTED;
    const size_t check_len = chl - COMMAND_CHL;
    if (!check_len_fits(&form, check_len))
        return SECURED_SHAPE;
    return shape(packet, &form, check_len, out);
}

enum secured_result secured_response_shape(struct bytes packet,
                                           const struct secured_command *command,
                                           struct secured_packet *out)
{
    *out = (struct secured_packet){.spi2 = command->spi2};
    struct reader r = reader_of(packet);
    const size_t rpl = reader_u16(&r);
    const size_t rest = r.left;
    const size_t rhl = reader_u8(&r);
    out->tar = reader_u24(&r);
    if (r.failed || rpl != rest || rhl < RESPONSE_RHL)
        return SECURED_SHAPE;
    struct form form = response_form(command->spi2, command->kic, command->kid);
    const size_t check_len = rhl - RESPONSE_RHL;
    const bool is_plain = check_len == 0 && form.integrity != SECURED_NO_INTEGRITY;
    if (is_plain)
        form.is_ciphered = false;
    if (!complete(&form, 0))
        return SECURED_UNSUPPORTED;
    if (!is_plain && !check_len_fits(&form, check_len))
        return SECURED_SHAPE;
    return shape(packet, &form, check_len, out);
}

// The fields of a body that is in clear.
/*@ requires \valid(p) && packet_is_whole(p);
  @ assigns p->cntr, p->pcntr, p->status, p->check, p->data, \result \from *p;
  @ ensures \result == SECURED_OK || \result == SECURED_PADDING;
  @ ensures \result == SECURED_OK && p->is_ciphered ==> p->pcntr < CIPHER_AES_BLOCK;
  @ ensures \result == SECURED_OK && !p->is_ciphered ==> p->pcntr == 0;
  @*/
static enum secured_result read_body(struct secured_packet *p)
{
    struct reader r = reader_of(p->body);
    p->cntr = reader_u40(&r);
    p->pcntr = reader_u8(&r);
    if (p->is_response)
        p->status = reader_u8(&r);
    p->check = reader_bytes(&r, p->check_len);
    const size_t block = p->is_ciphered ? block_of(p->kic) : 1;
    if (p->pcntr >= block || p->pcntr > r.left)
        return SECURED_PADDING;
    p->data = reader_bytes(&r, r.left - p->pcntr);
    return SECURED_OK;
}

enum secured_result secured_decipher(struct secured_packet *p, const struct secured_keys *keys,
                                     const struct cipher *cipher, struct writer *buffer)
{
    if (p->is_ciphered) {
        if (!key_fits(keys->kic, secured_algorithm(p->kic)))
            return SECURED_KEY;
        if (buffer->failed || writer_room(buffer) < p->body.len)
            return SECURED_NO_ROOM;
        uint8_t *clear = buffer->at + buffer->len;
        writer_copy(buffer, p->body);
        if (!cipher->cbc_decrypt(cipher->context, cipher_of(p->kic), keys->kic, zero_iv, clear,
                                 p->body.len))
            return SECURED_CIPHER_FAILED;
        p->body = bytes_of(clear, p->body.len);
    }
    return read_body(p);
}

enum secured_result secured_verify(const struct secured_packet *p, const struct secured_keys *keys,
                                   const struct cipher *cipher)
{
    if (p->integrity == SECURED_NO_INTEGRITY)
        return SECURED_OK;
    if (p->check_len == 0)
        return SECURED_UNPROTECTED;
    if (p->check_len != check_len_of(p->integrity, p->kid, keys->cmac_len))
        return SECURED_CHECK;
    const size_t start_len = p->is_response ? RESPONSE_START_LEN : COMMAND_START_LEN;
    const struct covered covered =
        covered_of(p->is_response, p->head, bytes_slice(p->body, 0, start_len),
                   bytes_slice(p->body, start_len + p->check_len, p->body.len));
    uint8_t expected[CIPHER_AES_BLOCK];
    enum secured_result result =
        compute_check(p->integrity, p->kid, p->check_len, keys, cipher, &covered, expected);
    if (result == SECURED_OK && !secret_equal(expected, p->check.at, p->check_len))
        result = SECURED_CHECK;
    secret_wipe(expected, sizeof expected);
    return result;
}

enum secured_result secured_open(struct secured_packet *p, const struct secured_keys *keys,
                                 const struct cipher *cipher, struct writer *buffer)
{
    const enum secured_result opened = secured_decipher(p, keys, cipher, buffer);
    if (opened != SECURED_OK && opened != SECURED_PADDING)
        return opened;
    const enum secured_result checked = secured_verify(p, keys, cipher);
    return opened != SECURED_OK ? opened : checked;
}

// --- sizes -----------------------------------------------------------------------------------

/*@ requires data_len < 0x100000000;
  @ assigns \result \from form, cmac_len, data_len;
  @ ensures \result == 0 || \result >= data_len + (form.is_response ? 13 : 16);
  @*/
static size_t packet_len(struct form form, uint8_t cmac_len, size_t data_len)
{
    return complete(&form, cmac_len) ? overhead_of(&form) + data_len + pad_len_of(&form, data_len)
                                     : 0;
}

/*@ requires room < 0x100000000;
  @ assigns \result \from form, cmac_len, room;
  @ ensures \result <= room;
  @ ensures \result > 0 ==> \result + (form.is_response ? 13 : 16) <= room;
  @*/
static size_t data_max(struct form form, uint8_t cmac_len, size_t room)
{
    if (!complete(&form, cmac_len) || room < overhead_of(&form))
        return 0;
    const size_t region = (room - head_len_of(&form)) / form.block * form.block;
    const size_t used = start_len_of(&form) + form.check_len;
    return region > used ? region - used : 0;
}

size_t secured_command_len(uint8_t spi1, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                           size_t data_len)
{
    return packet_len(command_form(spi1, kic, kid), cmac_len, data_len);
}

size_t secured_response_len(uint8_t spi2, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                            size_t data_len)
{
    return packet_len(response_form(spi2, kic, kid), cmac_len, data_len);
}

size_t secured_command_data_max(uint8_t spi1, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                                size_t room)
{
    return data_max(command_form(spi1, kic, kid), cmac_len, room);
}

size_t secured_response_data_max(uint8_t spi2, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                                 size_t room)
{
    return data_max(response_form(spi2, kic, kid), cmac_len, room);
}
