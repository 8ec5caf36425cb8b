// The reference model beside the cards: what a packet did to a card, and what the card answers, is
// what the model of the card, put into the state before, does with it; and a packet that is not
// authentic, or old, did nothing. The calls come from shadow.c.
#include "tests/world/oracle.h"

#include "applet/memory.h"
#include "applet/toolkit.h"
#include "common/base/check.h"
#include "common/wire/secured.h"
#include "tests/model/model.h"
#include "tests/world/answer.h"
#include "tests/world/world.h"

#define LEVEL 0x16    // SPI1: a MAC, ciphered, a counter that must be higher
#define CHECK_LEN 8   // of the MAC
#define HEAD_LEN 10   // CPL(2) CHL SPI(2) KIc KID TAR(3), in clear
#define START_LEN 6   // CNTR(5) PCNTR; then the MAC, and what it secures
#define HEADER_LEN 21 // what CHL counts: from SPI to the MAC
#define MAC_MASK 0x03 // in SPI1
#define MAC 0x02
#define CIPHERED 0x04
#define MEMORY_MOST 256 // octets that one command may need
#define BY_MESSAGE 0x20 // in SPI2: the answer travels in a message of its own

// --- the model in the state of a card --------------------------------------------------------

static void take_slots(struct model_card *m, const struct image *image)
{
    for (uint8_t i = 0; i < image->slot_count; i++) {
        const struct slot *s = &image->slots[i];
        m->slots[i] = (struct model_slot){.is_used = s->state != SLOT_EMPTY,
                                          .is_enabled = s->state == SLOT_ENABLED,
                                          .is_fallback = s->state != SLOT_EMPTY && s->is_fallback,
                                          .is_proven = s->is_proven,
                                          .has_iccid = s->has_iccid,
                                          .role = s->role,
                                          .marks = s->marks,
                                          .rank = s->rank,
                                          .template_number = s->template_number,
                                          .mnc_length = s->mnc_length};
        memcpy(m->slots[i].iccid, s->iccid, sizeof s->iccid);
        memcpy(m->slots[i].imsi, s->imsi, sizeof s->imsi);
        m->slots[i].msisdn = s->msisdn;
        m->slots[i].smsc = s->smsc;
        m->slots[i].plmns_len = s->plmns_len;
        memcpy(m->slots[i].plmns, s->plmns, sizeof s->plmns);
    }
}

// The number that the model knows a body by: what the card keeps of it.
static uint64_t body_of(const uint8_t digest[4])
{
    struct reader r = reader_of(bytes_of(digest, 4));
    return reader_u32(&r);
}

// And a packet.
static uint64_t packet_of(const uint8_t digest[8])
{
    struct reader r = reader_of(bytes_of(digest, 8));
    return reader_u64(&r);
}

static struct model_answer answer_of(const struct outcome *o)
{
    return (struct model_answer){.command = o->command,
                                 .code = o->code,
                                 .is_replayed = o->is_replayed,
                                 .has_pair = o->has_pair,
                                 .first = o->first,
                                 .second = o->second,
                                 .operation_id = o->operation_id,
                                 .registry_version = o->registry_version};
}

static void take_kept(struct model_card *m, const struct image *image)
{
    m->kept_count = image->outcome_count;
    for (uint8_t i = 0; i < image->outcome_count; i++) {
        const struct outcome *o = &image->outcomes[i];
        m->kept[i] = (struct model_kept){.body = body_of(o->digest), .answer = answer_of(o)};
    }
    m->last_counter = image->last_counter;
    m->last = answer_of(&image->last);
    m->note_count = image->pending_count;
    for (uint8_t i = 0; i < image->pending_count; i++) {
        const struct pending *p = &image->pending[i];
        m->notes[i] = (struct model_note){.cause = p->cause,
                                          .sequence = p->sequence,
                                          .operation_id = p->operation_id,
                                          .merged = p->coalesced,
                                          .has_reject = p->has_reject,
                                          .reject = p->reject,
                                          .from = p->from,
                                          .to = p->to,
                                          .takes_fallback = p->set_fallback};
    }
}

static struct model_time until(uint32_t at)
{
    return (struct model_time){.is_on = at != 0, .min_s = at, .max_s = at};
}

static void take_search(struct model_card *m, const struct image *image)
{
    const struct search *s = &image->search;
    m->search = (struct model_search){.is_open = s->is_open,
                                      .is_exhausted = s->is_exhausted,
                                      .is_paused = s->is_paused,
                                      .origin = s->origin,
                                      .round = s->round,
                                      .pauses = s->pauses,
                                      .pause_due = s->pause_due};
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++) {
        m->search.tried[i] = (s->tried >> i & 1u) != 0;
        m->search.failed[i] = (s->failed >> i & 1u) != 0;
        m->cool[i] = until(image->dues.cool[i]);
    }
    m->kept_now = image->dues.now;
    m->back = until(image->dues.back);
    m->reuse = until(image->dues.reuse);
    m->heartbeat_due = image->dues.heartbeat;
    m->day_end = image->dues.day;
}

static void take_image(struct model_card *m, const struct image *image)
{
    const struct journal *j = &image->journal;
    m->registry_version = image->registry_version;
    m->generation = image->generation;
    m->notify_sequence = image->notify_sequence;
    m->operation_id_highest = image->operation_id_highest;
    m->configuration_version = image->configuration_version;
    m->preferred = image->preferred == IMAGE_NO_SLOT ? MODEL_NONE : image->preferred;
    m->is_contacted = image->is_contacted;
    m->is_automatic = image->is_automatic;
    m->has_imei = image->has_imei;
    memcpy(m->imei, image->imei, sizeof m->imei);
    m->has_country = image->country[0] != 0xFF;
    memcpy(m->country, image->country, sizeof m->country);
    m->switches = image->switches;
    m->is_capped = image->is_capped;
    m->is_cap_used = image->is_cap_used;
    m->return_doublings = image->return_doublings;
    m->parameters = image->parameters;
    m->address_new = image->address_new;
    m->open = (struct model_switch){.phase = j->phase,
                                    .reason = j->reason,
                                    .from = j->from,
                                    .to = j->to,
                                    .may_roll_back = j->may_roll_back,
                                    .takes_fallback = j->set_fallback,
                                    .operation_id = j->operation_id,
                                    .sequence = j->sequence,
                                    .starts = j->starts,
                                    .sendings = j->attempt};
}

// The waits of card and model stand in the same order.
static void take_work(struct model_card *m, const struct applet *a)
{
    m->state = a->state;
    m->wait = a->wait;
    m->clock = until(a->clocks[CLOCK_STATE].left_s);
    m->notify = until(a->clocks[CLOCK_NOTIFY].left_s);
    m->country_clock = until(a->clocks[CLOCK_COUNTRY].left_s);
    m->is_profiled = a->is_profiled;
    m->terminal = a->terminal;
    m->has_service = a->has_service;
    m->is_country_stable = a->is_country_stable;
    m->has_plmn = a->has_plmn;
    m->is_cause_final = a->is_cause_final;
    m->has_reject = a->has_reject;
    m->service = a->service;
    m->reject = a->reject;
    memcpy(m->plmn, a->plmn, sizeof m->plmn);
    m->terminal_on = a->terminal_slot;
    m->tries = a->tries;
    m->now = a->now_s;
    m->resend = a->resend_s;
    m->attempt = a->notify_attempt;
    m->sent = a->notify_sent;
    m->is_heartbeat = a->is_heartbeat_due;
    m->wants_refresh = (a->todo & TODO_REFRESH) != 0;
    m->is_exact = true; // where time passes, shadow.c knows how much
}

void oracle_take(const struct world *w, uint32_t card, const struct applet *a,
                 const struct applet_dump *dump, struct model_card *m)
{
    memset(m, 0, sizeof *m);
    m->factory = &w->people[card].factory;
    m->mt_counter = dump->mt_counter;
    m->mo_counter = dump->mo_counter;
    m->last_packet = packet_of(a->packet_digest);
    take_slots(m, &dump->image);
    take_kept(m, &dump->image);
    take_search(m, &dump->image);
    take_image(m, &dump->image);
    take_work(m, a);
}

void oracle_follow(struct model_card *m, const struct applet *a)
{
    for (unsigned i = 0; i < 4; i++) {
        const bool has_moved = m->wait != a->wait || m->state != a->state;
        if (m->clock.is_on && m->clock.min_s == 0 && has_moved)
            model_clock(m);
        else if (m->notify.is_on && m->notify.min_s == 0 && m->attempt == 0 &&
                 a->notify_attempt != 0)
            model_notify(m);
    }
}

// --- the packet ------------------------------------------------------------------------------

struct opened {
    bool is_alone;     // in one message
    bool has_mac;      // a right one
    bool is_authentic; // the card may believe it
    uint64_t name;     // as the card keeps it
    struct secured_packet packet;
    uint8_t octets[SMS_PACKET_MAX];
};
static struct opened opened;

// Devices keep the others.
static bool is_for_card(const struct sms_deliver *m)
{
    return m->pid == SMS_PID_USIM_DATA_DOWNLOAD && !sms_is_septets(m->dcs) &&
           (m->first & SMS_HEADER_PRESENT) != 0;
}

// At the level that a card takes, which is that of the server and of whoever has the keys.
static bool is_level_right(const struct applet_factory *f, const struct secured_packet *p)
{
    const uint8_t keys = (uint8_t)(f->key_version << 4 | SECURED_AES);
    return p->spi1 == LEVEL && p->kic == keys && p->kid == keys;
}

// With nothing of the product's but its ciphers. The MAC covers the head and, in clear, what
// follows but the MAC itself [102.225 §5.1.1].
bool oracle_read(const struct world *w, uint32_t card, struct bytes octets,
                 uint8_t room[SMS_PACKET_MAX], struct secured_packet *out)
{
    const struct applet_factory *f = &w->people[card].factory;
    static const uint8_t zeros[CIPHER_AES_BLOCK] = {0};
    const size_t data_at = HEAD_LEN + START_LEN + CHECK_LEN;
    uint8_t mac[CIPHER_AES_BLOCK];
    uint8_t *p = room;
    if (octets.len < data_at || octets.len > SMS_PACKET_MAX)
        return false;
    memcpy(p, octets.at, octets.len);
    const bool is_ciphered = (p[3] & CIPHERED) != 0;
    const bool is_whole = (size_t)(p[0] << 8 | p[1]) == octets.len - 2 && p[2] == HEADER_LEN;
    const size_t len = octets.len - HEAD_LEN;
    if (!is_whole || (p[3] & MAC_MASK) != MAC || (is_ciphered && len % CIPHER_AES_BLOCK != 0))
        return false;
    if (is_ciphered)
        check(w->cipher.cbc_decrypt(w->cipher.context, CIPHER_AES, &f->kic, zeros, p + HEAD_LEN,
                                    len));
    const struct bytes covered[] = {bytes_of(p, HEAD_LEN + START_LEN),
                                    bytes_of(p + data_at, octets.len - data_at)};
    check(w->cipher.aes_cmac(w->cipher.context, &f->kid, covered, 2, mac));
    const uint8_t padding = p[data_at - CHECK_LEN - 1];
    if (memcmp(mac, p + data_at - CHECK_LEN, CHECK_LEN) != 0 || padding > octets.len - data_at)
        return false;
    struct reader cntr = reader_of(bytes_of(p + HEAD_LEN, 5));
    struct reader tar = reader_of(bytes_of(p + 7, 3));
    *out = (struct secured_packet){
        .spi1 = p[3],
        .spi2 = p[4],
        .kic = p[5],
        .kid = p[6],
        .tar = reader_u24(&tar),
        .cntr = reader_u40(&cntr),
        .data = bytes_of(p + data_at, octets.len - data_at - padding),
    };
    return true;
}

bool oracle_open(struct world *w, uint32_t card, struct bytes tpdu)
{
    const struct applet_factory *f = &w->people[card].factory;
    static const struct sms_address server = {.digit_count = 2, .type = PHONE_INTERNATIONAL};
    struct opened *o = &opened;
    struct sms_deliver message;
    struct sms_part part;
    struct sms_packet packet;
    uint8_t digest[CIPHER_SHA256_SIZE];
    if (sms_read_deliver(tpdu, &message) != SMS_OK || !is_for_card(&message) ||
        !sms_read_part(message.user_data, &part) ||
        sms_join(&w->people[card].ear, &server, message.user_data, w->now, &packet) !=
            SMS_JOIN_COMPLETE ||
        packet.kind != SMS_COMMAND_PACKET)
        return false;
    check(w->cipher.sha256(w->cipher.context, &packet.octets, 1, digest));
    o->name = packet_of(digest);
    o->is_alone = part.total <= 1;
    o->has_mac = oracle_read(w, card, packet.octets, o->octets, &o->packet);
    o->is_authentic = o->has_mac && is_level_right(f, &o->packet) && o->packet.tar == f->tar;
    return true;
}

bool oracle_has_mac(void)
{
    return opened.has_mac;
}

uint64_t oracle_counter(void)
{
    return opened.has_mac ? opened.packet.cntr : 0;
}

uint8_t oracle_command(void)
{
    struct command c;
    return opened.has_mac && model_read(opened.packet.data, &c) == COMMAND_READ_OK ? c.number : 0;
}

// --- comparing -------------------------------------------------------------------------------

// All that the memory holds, but how many packets were wrong, and when that was counted; keys that
// wait for it are wiped with any write.
static bool is_image_same(const struct image *a, const struct image *b)
{
    static struct image copies[2];
    static uint8_t octets[2][IMAGE_LEN_MAX];
    struct writer w[2];
    copies[0] = *a;
    copies[1] = *b;
    copies[0].is_scrub_due &= b->is_scrub_due;
    for (unsigned i = 0; i < 2; i++) {
        copies[i].security_failures = 0;
        copies[i].dues.now = 0;
        w[i] = writer_of(octets[i], IMAGE_LEN_MAX);
        image_write(&w[i], &copies[i], NULL);
        check(!w[i].failed);
    }
    return bytes_equal(writer_bytes(&w[0]), writer_bytes(&w[1]));
}

static const char *nothing_differs(const struct oracle_step *s, struct model_card *m)
{
    const struct image *before = &s->before_dump->image;
    const struct image *after = &s->after_dump->image;
    if (s->has_written && !is_image_same(before, after))
        return "the memory";
    // What could not be kept is tried again later.
    if (s->has_failed)
        return NULL;
    if (s->has_written && before->security_failures != after->security_failures)
        m->kept_now = after->dues.now;
    return model_differs(m, s->after, s->after_dump);
}

static const char *answer_differs(const struct world *w, const struct oracle_step *s,
                                  const struct model_card *m, const struct model_answer *e)
{
    const struct applet_answer *a = &s->after->answer;
    uint8_t octets[COMMAND_RESULT_MAX];
    struct writer result = writer_of(octets, sizeof octets);
    if (a->counter != opened.packet.cntr || a->tar != opened.packet.tar || a->status != e->status ||
        a->has_result != (e->status == 0))
        return "the head of its answer";
    if (!a->has_result)
        return NULL;
    return answer_write(s->after, s->port, &result)
               ? model_answer_differs(m, e, writer_bytes(&result), &w->cipher)
               : "an answer that cannot be made";
}

// A card with little memory may say so, of what would take more than is left: a subscription, or
// the most that parameters can grow by.
static bool is_full(const struct oracle_step *s)
{
    const size_t capacity = memory_capacity(s->port);
    const size_t need = image_need(&s->before_dump->image, s->port->work->bank, capacity);
    return s->port->nvm_size < CARD_APPLET_LEN && s->after->answer.has_result &&
           s->after->answer.outcome.code == RESULT_NO_MEMORY && need + MEMORY_MOST > capacity;
}

static const char *packet_differs(const struct world *w, const struct oracle_step *s,
                                  struct model_card *m, struct model_answer *answer)
{
    const struct opened *o = &opened;
    uint8_t digest[CIPHER_SHA256_SIZE];
    check(w->cipher.sha256(w->cipher.context, &o->packet.data, 1, digest));
    const struct model_packet p = {.counter = o->packet.cntr,
                                   .packet = o->name,
                                   .body = body_of(digest),
                                   .data = o->packet.data,
                                   .are_keys_good = !w->is_by_hand,
                                   .by_message = (o->packet.spi2 & BY_MESSAGE) != 0};
    m->is_full = is_full(s);
    model_packet(m, &p, answer);
    m->is_full = false;
    oracle_follow(m, s->after);
    const char *text = model_differs(m, s->after, s->after_dump);
    return text != NULL ? text : answer_differs(w, s, m, answer);
}

void oracle_packet(struct world *w, uint32_t card, const struct oracle_step *s,
                   struct model_card *m)
{
    const struct opened *o = &opened;
    const bool was_taken = s->after_dump->mt_counter != s->before_dump->mt_counter;
    const bool is_heard = o->is_authentic && !s->before->is_locked;
    const bool is_new = is_heard && o->packet.cntr > s->before_dump->mt_counter;
    struct model_answer answer = {.command = 0};
    if (!was_taken) {
        const char *text = nothing_differs(s, m);
        if (text == NULL && is_heard && !is_new)
            text = packet_differs(w, s, m, &answer);
        // Parts of it may have been forgotten: then it never was whole for the card.
        if (text == NULL && is_new && o->is_alone && !s->has_failed)
            text = "that it was refused";
        if (text != NULL)
            world_violate(w, "refused_does_nothing", card, "%s packet: %s differs",
                          is_new            ? "a new"
                          : o->is_authentic ? "an old"
                                            : "a forged",
                          text);
        return;
    }
    if (!is_new || s->after_dump->mt_counter != o->packet.cntr) {
        world_violate(w, "refused_does_nothing", card, "%s packet was taken",
                      o->is_authentic ? "an old" : "a forged");
        return;
    }
    const char *text = packet_differs(w, s, m, &answer);
    // A cell failed: the card is as it was, or as the model.
    if (text != NULL && s->has_failed &&
        is_image_same(&s->before_dump->image, &s->after_dump->image))
        text = NULL;
    if (text != NULL)
        world_violate(w, "as_the_model", card, "%s of operation %u: %s, after the model's %s",
                      command_number_name(answer.command), answer.operation_id, text,
                      result_code_name(answer.code));
}
