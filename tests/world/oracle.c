// The reference model beside the cards: what a command did to a card is what the model of the card,
// put into the state before, does with it; and a packet that is not authentic, or old, did nothing.
// How cards change by themselves is judged in shadow.c.
#include "applet/toolkit.h"
#include "common/base/check.h"
#include "common/wire/secured.h"
#include "tests/model/model.h"
#include "tests/world/world.h"

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

static void take_kept(struct model_card *m, const struct image *image)
{
    m->kept_count = image->outcome_count;
    for (uint8_t i = 0; i < image->outcome_count; i++) {
        const struct outcome *o = &image->outcomes[i];
        m->kept[i] = (struct model_kept){.body = body_of(o->digest),
                                         .answer = {.command = o->command,
                                                    .code = o->code,
                                                    .has_pair = o->has_pair,
                                                    .first = o->first,
                                                    .second = o->second,
                                                    .operation_id = o->operation_id,
                                                    .registry_version = o->registry_version}};
    }
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
    m->last_counter = image->last_counter;
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
}

void oracle_take(const struct world *w, uint32_t card, const struct applet *a,
                 const struct applet_dump *dump, struct model_card *m)
{
    memset(m, 0, sizeof *m);
    m->factory = &w->people[card].factory;
    m->mt_counter = dump->mt_counter;
    m->mo_counter = dump->mo_counter;
    take_slots(m, &dump->image);
    take_kept(m, &dump->image);
    take_search(m, &dump->image);
    take_image(m, &dump->image);
    take_work(m, a);
}

// --- the packet ------------------------------------------------------------------------------

struct opened {
    bool is_whole;     // all its parts are there
    bool is_authentic; // and the card may believe it
    struct secured_packet packet;
    uint8_t octets[SMS_PACKET_MAX];
};

// Devices keep the others.
static bool is_for_card(const struct sms_deliver *m)
{
    return m->pid == SMS_PID_USIM_DATA_DOWNLOAD && !sms_is_septets(m->dcs) &&
           (m->first & SMS_HEADER_PRESENT) != 0;
}

static void open_packet(struct world *w, uint32_t card, struct bytes tpdu, struct opened *o)
{
    const struct applet_factory *f = &w->people[card].factory;
    const struct secured_keys keys = {.kic = &f->kic, .kid = &f->kid, .cmac_len = 8};
    static const struct sms_address server = {.digit_count = 2, .type = PHONE_INTERNATIONAL};
    struct sms_deliver message;
    struct sms_packet packet;
    struct writer buffer = writer_of(o->octets, sizeof o->octets);
    o->is_whole = o->is_authentic = false;
    if (sms_read_deliver(tpdu, &message) != SMS_OK || !is_for_card(&message) ||
        sms_join(&w->people[card].ear, &server, message.user_data, w->now, &packet) !=
            SMS_JOIN_COMPLETE)
        return;
    o->is_whole = true;
    struct secured_packet *p = &o->packet;
    o->is_authentic = secured_command_shape(packet.octets, p) == SECURED_OK && p->tar == f->tar &&
                      secured_decipher(p, &keys, &w->cipher, &buffer) == SECURED_OK &&
                      secured_verify(p, &keys, &w->cipher) == SECURED_OK;
}

// --- comparing -------------------------------------------------------------------------------

static const char *slots_differ(const struct model_card *m, const struct image *image)
{
    const bool is_switching = image->journal.phase != m->open.phase;
    for (uint8_t i = 0; i < image->slot_count; i++) {
        const struct model_slot *s = &m->slots[i];
        const struct slot *t = &image->slots[i];
        if (s->is_used != (t->state != SLOT_EMPTY))
            return "a slot is used or not";
        if (!s->is_used)
            continue;
        if (!is_switching && s->is_enabled != (t->state == SLOT_ENABLED))
            return "the enabled subscription";
        if (s->is_fallback != t->is_fallback)
            return "the fallback attribute";
        if (memcmp(s->imsi, t->imsi, sizeof s->imsi) != 0 || s->role != t->role ||
            s->rank != t->rank || s->marks != t->marks)
            return "a subscription";
    }
    return NULL;
}

static const char *kept_differ(const struct model_card *m, const struct image *image)
{
    if (m->kept_count != image->outcome_count)
        return "how many results are kept";
    for (unsigned i = 0; i < m->kept_count; i++) {
        const struct model_answer *a = &m->kept[i].answer;
        const struct outcome *o = &image->outcomes[i];
        if (a->operation_id != o->operation_id || a->command != o->command || a->code != o->code)
            return "a kept result";
    }
    return m->operation_id_highest != image->operation_id_highest ? "the highest operation" : NULL;
}

static const char *rest_differs(const struct model_card *m, const struct image *image)
{
    if (m->note_count != image->pending_count || m->notify_sequence != image->notify_sequence)
        return "the notifications that are pending";
    for (unsigned i = 0; i < m->note_count; i++) {
        if (m->notes[i].sequence != image->pending[i].sequence)
            return "a notification";
    }
    if ((m->open.phase == JOURNAL_NONE) != (image->journal.phase == JOURNAL_NONE))
        return "whether a switch is open";
    if (m->configuration_version != image->configuration_version)
        return "the version of the configuration";
    const bool is_same = m->parameters.attach_s == image->parameters.attach_s &&
                         m->parameters.auto_mode == image->parameters.auto_mode &&
                         m->parameters.return_s == image->parameters.return_s;
    return is_same ? NULL : "the parameters";
}

static bool is_registry_same(const struct image *a, const struct image *b)
{
    struct audit_slot x[COMMAND_SLOTS_MAX];
    struct audit_slot y[COMMAND_SLOTS_MAX];
    return a->registry_version == b->registry_version &&
           image_audit_slots(a, x) == image_audit_slots(b, y) &&
           a->outcome_count == b->outcome_count &&
           a->operation_id_highest == b->operation_id_highest &&
           a->configuration_version == b->configuration_version &&
           a->pending_count == b->pending_count;
}

// --- around a message to a card --------------------------------------------------------------

struct before {
    struct opened opened;
    struct applet applet;
    struct applet_dump dump;
};
static struct before before;

bool oracle_before(struct world *w, uint32_t card, struct bytes tpdu)
{
    struct card *c = &w->devices[card].card;
    const struct applet_port port = card_port(c);
    before.applet = c->applet;
    open_packet(w, card, tpdu, &before.opened);
    // A late start goes first, and is a step of its own.
    return before.opened.is_whole && !c->applet.is_locked && !c->applet.is_blocked &&
           !c->applet.is_late && !c->nvm.is_cut && applet_dump(&c->applet, &port, &before.dump);
}

void oracle_after(struct world *w, uint32_t card)
{
    static struct model_card m;
    struct card *c = &w->devices[card].card;
    const struct opened *o = &before.opened;
    const struct applet_port port = card_port(c);
    struct applet_dump after;
    if (c->nvm.is_cut || !applet_dump(&c->applet, &port, &after))
        return;
    const bool is_new = o->is_authentic && o->packet.cntr > before.dump.mt_counter;
    if (!is_new) {
        if (after.mt_counter != before.dump.mt_counter ||
            !is_registry_same(&before.dump.image, &after.image))
            world_violate(w, "refused_does_nothing", card, "%s packet changed the card",
                          o->is_authentic ? "an old" : "a forged");
        return;
    }
    if (after.mt_counter != o->packet.cntr)
        return; // parts of it were forgotten: it never was whole for the card
    oracle_take(w, card, &before.applet, &before.dump, &m);
    uint8_t digest[CIPHER_SHA256_SIZE];
    check(w->cipher.sha256(w->cipher.context, &o->packet.data, 1, digest));
    const struct model_packet p = {.counter = o->packet.cntr,
                                   .packet = 1,
                                   .body = body_of(digest),
                                   .data = o->packet.data,
                                   .are_keys_good = !w->is_by_hand,
                                   .by_message = (o->packet.spi2 & BY_MESSAGE) != 0};
    struct model_answer answer;
    model_packet(&m, &p, &answer);
    const char *text = slots_differ(&m, &after.image);
    if (text == NULL)
        text = kept_differ(&m, &after.image);
    if (text == NULL)
        text = rest_differs(&m, &after.image);
    if (text == NULL && !answer.has_audit && after.image.last_counter == p.counter &&
        after.image.last.code != answer.code)
        text = "the result";
    // A cell failed: the card is as it was, or as the model.
    if (text != NULL && nvm_met_error(&c->nvm) &&
        is_registry_same(&before.dump.image, &after.image))
        text = NULL;
    if (text != NULL)
        world_violate(w, "as_the_model", card, "%s of operation %u: %s, after the model's %s",
                      command_number_name(answer.command), answer.operation_id, text,
                      result_code_name(answer.code));
}
