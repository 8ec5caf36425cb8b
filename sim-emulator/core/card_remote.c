// Remote management of files [102.225, 102.226 §5-7, 31.115]: what a secured packet has to pass
// before its script runs, and how it is answered. The order is: shape, key set, deciphering, MAC,
// TAR and level, counter; the counter is committed; then execution, then the answer.
#include "sim-emulator/core/card_call.h"

#include "common/wire/remote.h"
#include "common/wire/secured.h"
#include "sim-emulator/core/kept_answer.h"

#define REPORT_MAX 128 // octets of card data in a delivery report [31.111 §7.1.1]
#define TAR_AT 7       // in a packet: CPL(2) CHL SPI(2) KIc KID
#define FAILURES_MAX 16
#define DEAF_STATUS 2        // 60 s of polling, doubled each time
#define DEAF_DOUBLINGS_MAX 6 // up to about an hour
#define CHECK_LEN 8
#define PARTS_STATUS 2 // parts of a packet that does not become whole are given up then
// What is kept of a key set: its counter, and a digest of the packet that brought it.
#define COUNTER_LEN 5
#define DIGEST_LEN 8
#define KEPT_LEN (COUNTER_LEN + DIGEST_LEN)
// Of SPI2: whether an answer is asked for and by which message; how it is secured.
#define ANSWER_ASKED 0x23
#define ANSWER_CIPHERED 0x10
#define ANSWER_CC 0x08

_Static_assert(PRODUCT_KEY_SETS_MAX *KEPT_LEN <= sizeof(((struct uicc_layout *)0)->ota),
               "all counters are kept");
_Static_assert(SMS_PACKET_MAX <= KEPT_ANSWER_MAX, "every answer that can be sent is kept");

// A packet on its way.
struct packet {
    struct secured_packet secured;
    const struct product_target *target;
    const struct product_key_set *set;
    size_t set_index;
    struct secured_spi spi;
    uint8_t digest[DIGEST_LEN];
    bool has_digest;
    uint8_t status;
};

static const struct product_target *target_of(const struct call *call, uint32_t tar)
{
    const struct card_product *product = call_product(call->card);
    for (size_t i = 0; i < product->target_count; i++) {
        if (product->targets[i].tar == tar)
            return &product->targets[i];
    }
    return NULL;
}

// --- the answer ------------------------------------------------------------------------------

static struct secured_keys keys_of(const struct product_key_set *set)
{
    return (struct secured_keys){.kic = &set->kic, .kid = &set->kid, .cmac_len = CHECK_LEN};
}

static bool write_response(const struct call *call, const struct packet *p, uint8_t status,
                           struct bytes data, struct writer *w)
{
    struct secured_response response = {.spi2 = p->secured.spi2,
                                        .kic = p->secured.kic,
                                        .kid = p->secured.kid,
                                        .tar = p->secured.tar,
                                        .cntr = p->secured.cntr,
                                        .status = status,
                                        .data = data};
    struct secured_keys keys = keys_of(p->set);
    return secured_write_response(w, &response, &keys, call->port.cipher) == SECURED_OK;
}

static void report(const struct call *call, const struct packet *p, uint8_t status,
                   struct bytes data, struct writer *out)
{
    static const uint8_t head[] = {0x02, 0x71, 0x00};
    uint8_t octets[REPORT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    writer_copy(&w, bytes_of(head, sizeof head));
    if (write_response(call, p, status, data, &w))
        writer_copy(out, writer_bytes(&w));
}

// In the report if it was asked there and fits, else by messages of its own.
static void respond(struct call *call, const struct packet *p, struct bytes data,
                    struct writer *out)
{
    bool is_wanted = p->spi.por == SECURED_POR_ALWAYS ||
                     (p->spi.por == SECURED_POR_ON_ERROR && p->status != SECURED_STATUS_OK);
    if (!is_wanted)
        return;
    size_t room = secured_response_data_max(p->secured.spi2, p->secured.kic, p->secured.kid,
                                            CHECK_LEN, REPORT_MAX - 3);
    bool fits = data.len <= room;
    if (!p->spi.por_by_submit && fits) {
        report(call, p, p->status, data, out);
        return;
    }
    uint8_t octets[SMS_PACKET_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    bool is_put =
        write_response(call, p, p->status, data, &w) && outbox_put(call, writer_bytes(&w));
    // It follows; or it cannot, and then at least that is said.
    if (!p->spi.por_by_submit)
        report(call, p, is_put ? SECURED_STATUS_FOLLOWS_BY_SUBMIT : SECURED_STATUS_NO_MEMORY,
               bytes_of(NULL, 0), out);
}

// The unsecured answer that only talkative test cards give before a MAC is right.
static void telltale(const struct packet *p, struct writer *out)
{
    static const uint8_t head[] = {0x02, 0x71, 0x00, 0x00, 0x0B, 0x0A};
    writer_copy(out, bytes_of(head, sizeof head));
    writer_u24(out, p->secured.tar);
    writer_u40(out, p->secured.cntr);
    writer_u8(out, 0);
    writer_u8(out, p->status);
}

// --- what is kept ----------------------------------------------------------------------------

// All of it as the difference from FF, so that erased memory is no counter and no answer.
static void flip(uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] ^= NVM_ERASED;
}

static struct uicc_place kept_at(const struct packet *p)
{
    size_t at = offsetof(struct uicc_layout, ota) + p->set_index * KEPT_LEN;
    return (struct uicc_place){.space = UICC_OF_CARD, .at = (uint16_t)at};
}

// The last counter of the packet's key set; `is_same`: this very packet brought it.
static uint64_t counter_of(const struct call *call, const struct packet *p, bool *is_same)
{
    uint8_t kept[KEPT_LEN];
    *is_same = false;
    if (!uicc_store_read(&call->files.store, kept_at(p), kept, sizeof kept))
        return 0;
    flip(kept, sizeof kept);
    struct reader r = reader_of(bytes_of(kept, sizeof kept));
    uint64_t counter = reader_u40(&r);
    *is_same = p->has_digest && counter == p->secured.cntr &&
               secret_equal(kept + COUNTER_LEN, p->digest, DIGEST_LEN);
    return counter;
}

static bool count(const struct call *call, const struct packet *p)
{
    uint8_t kept[KEPT_LEN];
    struct writer w = writer_of(kept, sizeof kept);
    writer_u40(&w, p->secured.cntr);
    writer_copy(&w, bytes_of(p->digest, sizeof p->digest));
    flip(kept, sizeof kept);
    struct uicc_change change;
    uicc_change_begin(&change, &call->files.store);
    uicc_change_put(&change, kept_at(p), bytes_of(kept, sizeof kept));
    return uicc_change_commit(&change) == NVM_OK;
}

// What the last packet that was executed was answered, for when it comes again.
static struct kept_answer answer_of(const struct call *call)
{
    return (struct kept_answer){.nvm = &call->card->nvm, .offset = CARD_ANSWER_AT};
}

// An answer that the memory does not take is not kept: then the packet gets "counter low".
static void keep_answer(const struct call *call, const struct packet *p, struct bytes data)
{
    struct kept_answer kept = answer_of(call);
    if (p->has_digest)
        (void)kept_answer_write(&kept, (uint8_t)p->set_index, p->secured.cntr, data);
}

static bool answer_again(const struct call *call, const struct packet *p, struct writer *data)
{
    struct kept_answer kept = answer_of(call);
    return kept_answer_read(&kept, (uint8_t)p->set_index, p->secured.cntr, data);
}

// --- what a packet has to pass ---------------------------------------------------------------

static bool fits_algorithm(const struct product_key_set *set, uint8_t indication)
{
    switch (secured_algorithm(indication)) {
    case SECURED_AES:
        return !set->is_legacy;
    case SECURED_TRIPLE_DES_2:
        return set->is_legacy && set->kic.len == 16 && set->kid.len == 16;
    case SECURED_TRIPLE_DES_3:
        return set->is_legacy && set->kic.len == 24 && set->kid.len == 24;
    default: // octets
        return false;
    }
}

static bool choose_set(const struct call *call, struct packet *p)
{
    const struct card_product *product = call_product(call->card);
    uint8_t version = secured_key_version(p->secured.kic);
    for (size_t i = 0; i < product->key_set_count; i++) {
        const struct product_key_set *set = &product->key_sets[i];
        bool is_it = version != 0 && set->version == version &&
                     secured_key_version(p->secured.kid) == version &&
                     (p->target->key_sets & 1U << i) != 0 && fits_algorithm(set, p->secured.kic) &&
                     fits_algorithm(set, p->secured.kid);
        if (is_it) {
            p->set = set;
            p->set_index = i;
            return true;
        }
    }
    return false;
}

// Shape to MAC: SECURED_STATUS_OK, or what a talkative card says.
static uint8_t authenticate(const struct call *call, struct bytes octets, struct packet *p)
{
    struct applet_work *work = call->port.work;
    struct writer buffer = writer_of(work->packet, sizeof work->packet);
    if (secured_command_shape(octets, &p->secured) != SECURED_OK)
        return SECURED_STATUS_UNIDENTIFIED_ERROR;
    p->spi = secured_spi_read(p->secured.spi1, p->secured.spi2);
    p->target = target_of(call, p->secured.tar);
    if (p->target == NULL || !choose_set(call, p) || p->spi.integrity != SECURED_CC ||
        p->secured.check_len != CHECK_LEN)
        return SECURED_STATUS_UNIDENTIFIED_ERROR;
    struct secured_keys keys = keys_of(p->set);
    if (secured_decipher(&p->secured, &keys, call->port.cipher, &buffer) != SECURED_OK)
        return SECURED_STATUS_CIPHERING_ERROR;
    return secured_verify(&p->secured, &keys, call->port.cipher) == SECURED_OK
               ? SECURED_STATUS_OK
               : SECURED_STATUS_CHECK_FAILED;
}

// The answer is secured no less than the target's commands are, or not asked for.
static bool is_answer_safe(const struct packet *p)
{
    struct secured_spi least = secured_spi_read(p->target->minimum, 0);
    bool needs_cc = least.integrity == SECURED_CC || least.integrity == SECURED_DS;
    return p->spi.por == SECURED_POR_NONE || ((!needs_cc || p->spi.por_integrity == SECURED_CC) &&
                                              (!least.is_ciphered || p->spi.por_is_ciphered));
}

static uint8_t admit(const struct call *call, const struct packet *p, bool *is_same)
{
    uint64_t last = counter_of(call, p, is_same);
    if (!secured_level_satisfies(p->secured.spi1, p->target->minimum) || p->spi.has_reserved ||
        p->spi.por == SECURED_POR_RESERVED || !is_answer_safe(p))
        return SECURED_STATUS_LEVEL_TOO_LOW;
    switch (p->spi.counter) {
    case SECURED_COUNTER_NONE:
    case SECURED_COUNTER_PRESENT: // never stored: an old packet would move the counter back
        *is_same = false;
        return SECURED_STATUS_OK;
    case SECURED_COUNTER_HIGHER:
    case SECURED_COUNTER_NEXT:
        break;
    }
    if (last == SECURED_CNTR_MAX && !*is_same)
        return SECURED_STATUS_CNTR_BLOCKED;
    if (p->secured.cntr <= last)
        return SECURED_STATUS_CNTR_LOW;
    if (p->spi.counter == SECURED_COUNTER_NEXT && p->secured.cntr != last + 1)
        return SECURED_STATUS_CNTR_HIGH;
    return count(call, p) ? SECURED_STATUS_OK : SECURED_STATUS_NO_MEMORY;
}

// Only what names a key set can be a try at its keys.
static void note_failure(struct call *call, const struct packet *p, struct writer *out)
{
    if (p->set != NULL) {
        struct card_hearing *hearing = &call->card->remote.hearing[p->set_index];
        hearing->failures++;
        if (hearing->failures == FAILURES_MAX) {
            hearing->failures = 0;
            hearing->deaf_status = (uint8_t)(DEAF_STATUS << hearing->doublings);
            hearing->doublings += hearing->doublings < DEAF_DOUBLINGS_MAX;
        }
    }
    if (call->port.talkative)
        telltale(p, out);
}

static void digest(const struct call *call, struct bytes octets, struct packet *p)
{
    uint8_t whole[CIPHER_SHA256_SIZE];
    const struct cipher *cipher = call->port.cipher;
    p->has_digest = cipher->sha256(cipher->context, &octets, 1, whole);
    memcpy(p->digest, whole, p->has_digest ? DIGEST_LEN : 0);
}

// The answer's data of a packet whose MAC is right.
static void run(struct call *call, struct packet *p, struct writer *data)
{
    bool is_same;
    p->status = admit(call, p, &is_same);
    if (!is_answer_safe(p)) {
        struct secured_spi least = secured_spi_read(p->target->minimum, 0);
        p->secured.spi2 = (uint8_t)((p->secured.spi2 & ANSWER_ASKED) | ANSWER_CC |
                                    (least.is_ciphered ? ANSWER_CIPHERED : 0));
    }
    if (p->status == SECURED_STATUS_CNTR_LOW && is_same && answer_again(call, p, data))
        p->status = SECURED_STATUS_OK;
    else if (p->status == SECURED_STATUS_OK)
        remote_run(call, p->target, p->secured.data, data);
    else
        return;
    if (data->failed) {
        p->status = SECURED_STATUS_NO_MEMORY;
        data->len = 0;
    } else if (!is_same && p->spi.counter >= SECURED_COUNTER_HIGHER) {
        keep_answer(call, p, writer_bytes(data));
    }
}

static void take_packet(struct call *call, struct bytes octets, struct writer *out)
{
    struct packet p;
    memset(&p, 0, sizeof p);
    p.status = authenticate(call, octets, &p);
    if (p.set != NULL && call->card->remote.hearing[p.set_index].deaf_status > 0)
        return;
    if (p.status != SECURED_STATUS_OK) {
        note_failure(call, &p, out);
        return;
    }
    call->card->remote.hearing[p.set_index] = (struct card_hearing){.failures = 0};
    digest(call, octets, &p);
    uint8_t answer[SMS_PACKET_MAX];
    size_t room = secured_response_data_max(p.secured.spi2, p.secured.kic, p.secured.kid, CHECK_LEN,
                                            SMS_PACKET_MAX);
    struct writer data = writer_of(answer, room);
    run(call, &p, &data);
    if (!call->card->nvm.is_cut)
        respond(call, &p, writer_bytes(&data), out);
    secret_wipe(answer, data.len);
}

// --- messages --------------------------------------------------------------------------------

static uint32_t tar_of(struct bytes packet)
{
    struct reader r = reader_of(packet);
    reader_skip(&r, TAR_AT);
    uint32_t tar = reader_u24(&r);
    return r.failed ? UINT32_MAX : tar;
}

void remote_drop_parts(struct card *card)
{
    card->remote.parts_status = 0;
    (void)call_joiner(card->shop, &card->remote, false);
}

// A part of a long packet. The first part says whose it is; what comes before it is kept here and
// given to the applet as well.
static bool take_part(struct call *call, const struct sms_deliver *m, const struct sms_part *part,
                      struct writer *out)
{
    struct card_remote *remote = &call->card->remote;
    bool is_first = part->kind == SMS_COMMAND_PACKET;
    if (is_first) {
        remote->route_reference = part->reference;
        remote->route_total = part->total;
        remote->is_route_ours = target_of(call, tar_of(part->octets)) != NULL;
    }
    bool is_routed =
        remote->route_total == part->total && remote->route_reference == part->reference;
    bool is_applets = is_routed && !remote->is_route_ours;
    // Those that came before the first part are only done with when the packet is whole.
    if (is_applets && remote->parts_status == 0)
        return false;
    struct sms_joiner *joiner = call_joiner(call->card->shop, remote, true);
    struct sms_packet packet;
    const struct instant now = {0};
    if (joiner == NULL)
        return is_routed && !is_applets;
    enum sms_join join = sms_join(joiner, &m->sender, m->user_data, now, &packet);
    bool is_ours = join == SMS_JOIN_COMPLETE && packet.kind == SMS_COMMAND_PACKET &&
                   target_of(call, tar_of(packet.octets)) != NULL;
    if (is_ours) {
        take_packet(call, packet.octets, out);
        remote->route_total = 0;
    }
    remote->parts_status = PARTS_STATUS;
    if (sms_joiner_deadline(joiner).ms == INSTANT_NEVER.ms)
        remote_drop_parts(call->card);
    return is_ours || (is_routed && !is_applets);
}

bool call_remote(struct call *call, struct bytes tpdu, struct writer *out)
{
    struct sms_deliver m;
    struct sms_part part;
    if (call_product(call->card)->target_count == 0 || sms_read_deliver(tpdu, &m) != SMS_OK ||
        (m.first & SMS_HEADER_PRESENT) == 0 || !sms_read_part(m.user_data, &part))
        return false;
    if (part.total > 1)
        return take_part(call, &m, &part, out);
    if (part.kind != SMS_COMMAND_PACKET || target_of(call, tar_of(part.octets)) == NULL)
        return false;
    take_packet(call, part.octets, out);
    return true;
}
