#include "ota-server/core/message.h"

#include "common/base/check.h"
#include "common/wire/ident.h"
#include "common/wire/remote.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"
#include "ota-server/core/work.h"

#define KEYSET_AES(version) ((uint8_t)((version) << 4 | SECURED_AES))

static struct secured_keys secured_keys_of(const struct card_keys *keys)
{
    return (struct secured_keys){.kic = &keys->kic, .kid = &keys->kid, .cmac_len = keys->cmac_len};
}

// TON/NPI and BCD digits, as DOWNLOAD carries numbers.
static struct bytes number_octets(const char *digits, uint8_t out[COMMAND_NUMBER_MAX])
{
    struct phone p;
    if (digits[0] == 0 || !phone_of_text(digits, &p))
        return bytes_of(NULL, 0);
    struct writer w = writer_of(out, COMMAND_NUMBER_MAX);
    writer_u8(&w, PHONE_INTERNATIONAL);
    phone_write_bcd(&w, &p);
    return w.failed ? bytes_of(NULL, 0) : writer_bytes(&w);
}

static void fill_download(const struct operation *o, struct command_download *d,
                          uint8_t smsc[COMMAND_NUMBER_MAX], uint8_t msisdn[COMMAND_NUMBER_MAX])
{
    const struct download_plan *p = &o->download;
    d->template_number = p->template_number;
    d->iccid.is_given = p->has_iccid;
    d->iccid.is_iccid = p->has_iccid;
    memcpy(d->iccid.iccid, p->iccid, sizeof(p->iccid));
    memcpy(d->imsi, p->imsi, sizeof(p->imsi));
    d->smsc = number_octets(p->smsc, smsc);
    d->msisdn = number_octets(p->number, msisdn);
    d->has_mnc_length = p->has_mnc_length;
    d->has_role = p->has_role;
    d->has_rank = p->has_rank;
    d->has_marks = p->has_marks;
    d->mnc_length = p->mnc_length;
    d->role = p->role;
    d->rank = p->rank;
    d->marks = p->marks;
}

static void fill(const struct operation *o, const struct send *send, struct command *c)
{
    switch (send->command) {
    case COMMAND_ENABLE:
    case COMMAND_DELETE:
    case COMMAND_SET_FALLBACK:
        c->target = o->target;
        c->flags = o->flags;
        break;
    case COMMAND_CONFIGURE:
        if (o->kind == OPERATION_SET_TIMERS)
            c->configure.writes = bytes_of(o->list, o->list_len);
        else
            c->configure.reads = bytes_of(o->list, o->list_len);
        break;
    case COMMAND_AUDIT:
        memcpy(c->audit.nonce, send->nonce, sizeof(send->nonce));
        c->audit.first_slot = send->first_slot;
        c->audit.has_lookup = send->lookup != 0;
        c->audit.lookup_operation_id = send->lookup;
        break;
    case COMMAND_CONFIRM:
        c->confirm.sequence = send->sequence;
        break;
    default: // octets
        c->flags = o->flags;
        break;
    }
}

static enum message_status secure(const struct cipher *cipher, const struct card_keys *keys,
                                  uint64_t counter, struct bytes data, struct writer *packet)
{
    const struct secured_command command = {.spi1 = keys->spi1,
                                            .spi2 = keys->spi2,
                                            .kic = KEYSET_AES(keys->version),
                                            .kid = KEYSET_AES(keys->version),
                                            .tar = keys->tar,
                                            .cntr = counter,
                                            .data = data};
    const struct secured_keys k = secured_keys_of(keys);
    const enum secured_result result = secured_write_command(packet, &command, &k, cipher);
    if (result == SECURED_NO_ROOM)
        return MESSAGE_TOO_LONG;
    return result == SECURED_OK ? MESSAGE_OK : MESSAGE_CIPHER_FAILED;
}

enum message_status message_build(const struct cipher *cipher, const struct card_keys *keys,
                                  const struct record *record, const struct send *send,
                                  const struct network_keys *network, struct writer *packet)
{
    struct command c = {.number = send->command, .operation_id = send->operation_id};
    uint8_t smsc[COMMAND_NUMBER_MAX];
    uint8_t msisdn[COMMAND_NUMBER_MAX];
    struct keywrap_block wrapped = {.len = 0};
    const bool is_own = send->kind == FLIGHT_OPERATION;
    if (is_own && (!record->has_open || record->open.id != send->operation))
        return MESSAGE_REFUSED;
    fill(is_own ? &record->open : &record->audit.operation, send, &c);
    if (send->command == COMMAND_DOWNLOAD) {
        if (network == NULL)
            return MESSAGE_NO_KEYS;
        fill_download(&record->open, &c.download, smsc, msisdn);
        if (keywrap_seal(cipher, &keys->kik, send->operation_id, network, c.download.imsi,
                         &wrapped) != KEYWRAP_OK)
            return MESSAGE_CIPHER_FAILED;
        c.download.wrapped_keys = bytes_of(wrapped.octets, wrapped.len);
        memcpy(c.download.check, wrapped.check, sizeof(wrapped.check));
    }
    uint8_t data[COMMAND_BODY_MAX];
    struct writer w = writer_of(data, sizeof(data));
    command_write(&w, &c);
    const enum message_status status =
        w.failed ? MESSAGE_TOO_LONG : secure(cipher, keys, send->counter, writer_bytes(&w), packet);
    secret_wipe(&wrapped, sizeof(wrapped));
    return status;
}

// Before what is ciphered; of that: counter, padding counter and checksum of 8 [102.225 §5.1].
#define PACKET_CLEAR 10
#define PACKET_SECRET 14
#define NETWORK_KEYS 32   // octets of two keys of 128 bits, wrapped
#define CONFIRM_OCTETS 42 // of the packet; its command has 17

size_t message_octets(const struct operation *o)
{
    const struct send send = {.command = plan_command(o->kind)};
    static const uint8_t wrapped[COMMAND_KEYS_MAX] = {0};
    uint8_t smsc[COMMAND_NUMBER_MAX];
    uint8_t msisdn[COMMAND_NUMBER_MAX];
    uint8_t data[COMMAND_BODY_MAX];
    struct command c = {.number = send.command, .operation_id = 1};
    struct writer w = writer_of(data, sizeof(data));
    fill(o, &send, &c);
    if (send.command == COMMAND_DOWNLOAD) {
        fill_download(o, &c.download, smsc, msisdn);
        const size_t len = o->download.keys_len != 0 ? o->download.keys_len : NETWORK_KEYS;
        check(len <= sizeof(wrapped));
        c.download.wrapped_keys = bytes_of(wrapped, len);
    }
    command_write(&w, &c);
    const size_t blocks = (PACKET_SECRET + w.len + CIPHER_AES_BLOCK - 1) / CIPHER_AES_BLOCK;
    return w.failed ? 0 : PACKET_CLEAR + blocks * CIPHER_AES_BLOCK;
}

size_t message_sms(size_t octets)
{
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    return sms_cut_count(&cut, octets);
}

struct message_cost message_cost(const struct operation *o)
{
    const size_t octets = message_octets(o);
    struct message_cost cost = {1, (uint32_t)message_sms(octets) + 1, (uint32_t)octets};
    const bool is_switch = o->kind == OPERATION_ENABLE || o->kind == OPERATION_DISABLE ||
                           (o->kind == OPERATION_DOWNLOAD && (o->flags & COMMAND_FLAG_ENABLE) != 0);
    if (is_switch) { // its notification, CONFIRM, and the answer to that
        cost.packets++;
        cost.sms += 3;
        cost.octets += CONFIRM_OCTETS;
    }
    return cost;
}

void message_apply(struct card_keys *keys, const struct policy_ota *ota)
{
    if (ota->keyset_version != 0)
        keys->version = ota->keyset_version;
    if (ota->tar != 0)
        keys->tar = ota->tar;
    if (ota->spi1 != 0) {
        keys->spi1 = ota->spi1;
        keys->spi2 = ota->spi2;
    }
}

static enum secured_result open_response(const struct cipher *cipher, const struct card_keys *keys,
                                         struct bytes packet, struct writer *scratch,
                                         struct secured_packet *p)
{
    const struct secured_command command = {.spi1 = keys->spi1,
                                            .spi2 = keys->spi2,
                                            .kic = KEYSET_AES(keys->version),
                                            .kid = KEYSET_AES(keys->version),
                                            .tar = keys->tar};
    const struct secured_keys k = secured_keys_of(keys);
    const enum secured_result shape = secured_response_shape(packet, &command, p);
    if (shape != SECURED_OK || p->tar != keys->tar)
        return shape != SECURED_OK ? shape : SECURED_CHECK;
    return secured_open(p, &k, cipher, scratch);
}

static void read_result(const struct secured_packet *p, struct event_por *out)
{
    struct result *r = &out->result;
    out->has_result = result_read(p->data, r);
    if (!out->has_result)
        return;
    const struct bytes data = r->data;
    r->data = bytes_of(NULL, 0);
    if (r->command == COMMAND_AUDIT)
        out->has_answer = audit_answer_read(data, &out->answer);
    else if (r->command == COMMAND_CONFIGURE && data.len >= 2) {
        struct reader rest = reader_of(data);
        out->configuration_version = reader_u16(&rest);
        out->list_len = (uint16_t)rest.left;
        reader_copy(&rest, out->list, out->list_len);
    } else {
        out->has_pair = result_pair_read(data, &out->pair);
    }
}

enum message_status message_read_por(const struct cipher *cipher, const struct card_keys *keys,
                                     struct bytes packet, struct writer *scratch,
                                     struct event_por *out)
{
    struct secured_packet p;
    const enum secured_result result = open_response(cipher, keys, packet, scratch, &p);
    if (result == SECURED_CIPHER_FAILED)
        return MESSAGE_CIPHER_FAILED;
    if (result != SECURED_OK && result != SECURED_UNPROTECTED)
        return MESSAGE_REFUSED;
    memset(out, 0, sizeof(*out));
    out->counter = p.cntr;
    out->status = p.status;
    if (result == SECURED_UNPROTECTED) // anybody can have sent it
        return MESSAGE_OK;
    out->is_authentic = true;
    if (p.data.len > 0)
        read_result(&p, out);
    return MESSAGE_OK;
}

enum message_status message_read_notify(const struct cipher *cipher, const struct card_keys *keys,
                                        struct bytes packet, struct writer *scratch,
                                        struct event_notify *out)
{
    struct secured_packet p;
    const struct secured_keys k = secured_keys_of(keys);
    if (secured_command_shape(packet, &p) != SECURED_OK || p.tar != keys->tar + 1 ||
        !secured_level_satisfies(p.spi1, 0x16) || p.kic != KEYSET_AES(keys->version) ||
        p.kid != p.kic)
        return MESSAGE_REFUSED;
    if (secured_open(&p, &k, cipher, scratch) != SECURED_OK)
        return MESSAGE_REFUSED;
    memset(out, 0, sizeof(*out));
    out->mo_counter = p.cntr;
    return notification_read(p.data, &out->notification) ? MESSAGE_OK : MESSAGE_REFUSED;
}
