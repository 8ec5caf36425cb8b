// Remote management of files [102.225, 102.226 §5-7, 31.115]: what a secured packet has to pass
// before its script runs, and how it is answered. The order is: shape, key set, deciphering, MAC,
// TAR and level, counter; the counter is committed; then execution, then the answer.
#include "sim-emulator/core/card_call.h"

#include "common/wire/remote.h"
#include "common/wire/secured.h"

#define REPORT_MAX 128 // octets of card data in a delivery report [31.111 §7.1.1]
#define TAR_AT 7       // in a packet: CPL(2) CHL SPI(2) KIc KID
#define FAILURES_MAX 16
#define DEAF_STATUS 2        // 60 s of polling, doubled each time
#define DEAF_DOUBLINGS_MAX 6 // up to about an hour
#define CHECK_LEN 8
#define PARTS_STATUS 2 // parts of a packet that does not become whole are given up then
// What is kept of a key set: its counter, and a digest of the packet that brought it.
#define KEPT_LEN 13
#define COUNTER_LEN 5

_Static_assert(PRODUCT_KEY_SETS_MAX *KEPT_LEN <= sizeof(((struct uicc_layout *)0)->ota),
               "all counters are kept");

// A packet on its way.
struct packet {
    struct secured_packet secured;
    const struct product_target *target;
    const struct product_key_set *set;
    size_t set_index;
    struct secured_spi spi;
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

// --- the counters ----------------------------------------------------------------------------

static struct uicc_place kept_at(const struct packet *p)
{
    size_t at = offsetof(struct uicc_layout, ota) + p->set_index * KEPT_LEN;
    return (struct uicc_place){.space = UICC_OF_CARD, .at = (uint16_t)at};
}

static uint64_t counter_of(const struct call *call, const struct packet *p)
{
    uint8_t kept[COUNTER_LEN];
    if (!uicc_store_read(&call->files.store, kept_at(p), kept, sizeof kept))
        return 0;
    // Stored is the difference from FF, so that erased memory is no counter at all.
    for (size_t i = 0; i < sizeof kept; i++)
        kept[i] ^= NVM_ERASED;
    struct reader r = reader_of(bytes_of(kept, sizeof kept));
    return reader_u40(&r);
}

static bool count(const struct call *call, const struct packet *p)
{
    uint8_t kept[COUNTER_LEN];
    struct writer w = writer_of(kept, sizeof kept);
    writer_u40(&w, p->secured.cntr);
    for (size_t i = 0; i < sizeof kept; i++)
        kept[i] ^= NVM_ERASED;
    struct uicc_change change;
    uicc_change_begin(&change, &call->files.store);
    uicc_change_put(&change, kept_at(p), bytes_of(kept, sizeof kept));
    return uicc_change_commit(&change) == NVM_OK;
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

static uint8_t admit(const struct call *call, const struct packet *p)
{
    if (!secured_level_satisfies(p->secured.spi1, p->target->minimum) || p->spi.has_reserved ||
        p->spi.por == SECURED_POR_RESERVED)
        return SECURED_STATUS_LEVEL_TOO_LOW;
    uint64_t last = counter_of(call, p);
    switch (p->spi.counter) {
    case SECURED_COUNTER_NONE:
    case SECURED_COUNTER_PRESENT: // never stored: an old packet would move the counter back
        return SECURED_STATUS_OK;
    case SECURED_COUNTER_HIGHER:
    case SECURED_COUNTER_NEXT:
        break;
    }
    if (last == SECURED_CNTR_MAX)
        return SECURED_STATUS_CNTR_BLOCKED;
    if (p->secured.cntr <= last)
        return SECURED_STATUS_CNTR_LOW;
    if (p->spi.counter == SECURED_COUNTER_NEXT && p->secured.cntr != last + 1)
        return SECURED_STATUS_CNTR_HIGH;
    return count(call, p) ? SECURED_STATUS_OK : SECURED_STATUS_NO_MEMORY;
}

static void note_failure(struct call *call, const struct packet *p, struct writer *out)
{
    struct card_remote *remote = &call->card->remote;
    remote->failures_in_row++;
    if (remote->failures_in_row >= FAILURES_MAX) {
        remote->failures_in_row = 0;
        remote->deaf_status = (uint16_t)(DEAF_STATUS << remote->deaf_doublings);
        remote->deaf_doublings += remote->deaf_doublings < DEAF_DOUBLINGS_MAX;
    }
    if (call->port.talkative)
        telltale(p, out);
}

static void take_packet(struct call *call, struct bytes octets, struct writer *out)
{
    struct card_remote *remote = &call->card->remote;
    struct packet p;
    memset(&p, 0, sizeof p);
    if (remote->deaf_status > 0)
        return;
    p.status = authenticate(call, octets, &p);
    if (p.status != SECURED_STATUS_OK) {
        note_failure(call, &p, out);
        return;
    }
    remote->failures_in_row = 0;
    remote->deaf_doublings = 0;
    p.status = admit(call, &p);
    uint8_t answer[SMS_PACKET_MAX];
    size_t room = secured_response_data_max(p.secured.spi2, p.secured.kic, p.secured.kid, CHECK_LEN,
                                            SMS_PACKET_MAX);
    struct writer data = writer_of(answer, room);
    if (p.status == SECURED_STATUS_OK)
        remote_run(call, p.target, p.secured.data, &data);
    if (data.failed) {
        p.status = SECURED_STATUS_NO_MEMORY;
        data.len = 0;
    }
    if (!call->card->nvm.is_cut)
        respond(call, &p, writer_bytes(&data), out);
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
