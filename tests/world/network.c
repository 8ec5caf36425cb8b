// Between the message centre and the cards: the network takes what is delivered, hands it to the
// device (or loses, keeps, doubles it), and carries what cards send.
#include "common/base/check.h"
#include "tests/world/world.h"

#define CARRY_MS 2000

static struct air_message *take_air(struct world *w, uint32_t *at)
{
    for (*at = 0; *at < WORLD_AIR_MAX; (*at)++) {
        if (!w->air[*at].is_used)
            return &w->air[*at];
    }
    return NULL; // full: one more message is lost
}

static void keep(struct world *w, enum happening what, const struct air_message *message,
                 uint64_t delay_ms)
{
    uint32_t at;
    struct air_message *m = take_air(w, &at);
    if (m == NULL)
        return;
    *m = *message;
    m->is_used = true;
    agenda_add(&w->agenda, instant_after(w->now, delay_ms), what, at, 0);
}

// How long the network takes: made of the time and the card, so that it needs no place in a story.
static uint64_t carry_ms(const struct world *w, uint32_t card)
{
    struct prng p;
    prng_init(&p, w->options.seed + w->now.ms, "carry", card);
    return 1 + prng_below(&p, CARRY_MS);
}

// --- to cards --------------------------------------------------------------------------------

static uint32_t status_of(enum fleet_delivery delivery)
{
    switch (delivery) {
    case FLEET_ACCEPTED:
        return ESME_ROK;
    case FLEET_ABSENT:
    case FLEET_BUSY:
        return ESME_RX_T_APPN;
    case FLEET_REFUSED:
        return ESME_RX_R_APPN;
    case FLEET_UNKNOWN:
        break;
    }
    return ESME_RX_P_APPN;
}

// What a talkative card says in the report of a delivery comes to the sender as a message. Anybody
// could have made it.
static void tell_report(struct world *w, const struct air_message *of, uint32_t device,
                        struct bytes report)
{
    struct phone server;
    if (w->story.is_talkative == 0 || device >= w->cards || report.len == 0)
        return;
    check(phone_of_text(WORLD_SERVER_NUMBER, &server));
    const struct sms_address address = sms_address_of(&server);
    const struct sms_submit sms = sms_submit_packet(&address, report);
    struct air_message m = {.number = of->number, .card = device};
    struct writer to = writer_of(m.tpdu, sizeof m.tpdu);
    sms_write_submit(&to, &sms);
    m.len = (uint8_t)to.len;
    if (!to.failed)
        keep(w, HAPPENS_MO, &m, carry_ms(w, device));
}

static uint32_t hand_over(struct world *w, const struct air_message *m)
{
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer report = writer_of(octets, sizeof octets);
    const struct bytes tpdu = bytes_of(m->tpdu, m->len);
    uint32_t device;
    const enum fleet_delivery delivery =
        fleet_deliver(&w->fleet, m->number, tpdu, &report, w->now, &device);
    world_note(w, "mt", "card=%d number=%llu result=%d", (int)device, (unsigned long long)m->number,
               delivery);
    check_cards(w);
    if (delivery == FLEET_ACCEPTED)
        tell_report(w, m, device, writer_bytes(&report));
    return status_of(delivery);
}

static bool read_digits(struct bytes from, char *to, size_t size)
{
    if (from.len == 0 || from.len >= size)
        return false;
    memcpy(to, from.at, from.len);
    to[from.len] = 0;
    return true;
}

static bool make_delivery(struct world *w, const struct smpp_message *from, struct air_message *m)
{
    struct phone sender = {.type = PHONE_INTERNATIONAL};
    char source[PHONE_DIGITS_MAX + 1];
    char number[RADIO_DIGITS_SIZE];
    if (!read_digits(from->source.digits, source, sizeof source) ||
        !phone_of_text(source, &sender) ||
        !read_digits(from->destination.digits, number, sizeof number) ||
        from->short_message.len > SMS_USER_DATA_MAX)
        return false;
    uint8_t time[SMS_TIME_LEN];
    sms_time_write(world_utc(w), time);
    const struct sms_address address = sms_address_of(&sender);
    struct sms_deliver sms = sms_deliver_packet(&address, time, from->short_message);
    sms.pid = from->protocol_id;
    sms.dcs = from->data_coding;
    *m = (struct air_message){.number = radio_identity(number)};
    struct writer to = writer_of(m->tpdu, sizeof m->tpdu);
    sms_write_deliver(&to, &sms);
    m->len = (uint8_t)to.len;
    return !to.failed;
}

static size_t user_data_len(const struct air_message *m, bool is_to_card)
{
    const struct bytes tpdu = bytes_of(m->tpdu, m->len);
    struct sms_deliver to = {0};
    struct sms_submit from = {0};
    if (is_to_card)
        return sms_read_deliver(tpdu, &to) == SMS_OK ? to.user_data.len : 0;
    return sms_read_submit(tpdu, &from) == SMS_OK ? from.user_data.len : 0;
}

// A copy in which the adversary changed one octet of the user data: its header, the packet's head
// (SPI, KIc, KID, TAR) or what is ciphered. What stands before the user data stays.
static struct air_message forge(struct world *w, const struct air_message *from, bool is_to_card,
                                const struct deed *d)
{
    struct air_message m = *from;
    const size_t len = user_data_len(from, is_to_card);
    if (len > 0)
        m.tpdu[m.len - len + d->octet % len] ^= (uint8_t)d->value;
    m.merged_len = 0;
    w->result.forged++;
    return m;
}

// And with it a part that was kept.
static uint32_t hand_over_mixed(struct world *w, uint32_t card, const struct air_message *m)
{
    struct air_message other;
    bool is_behind = false;
    const bool is_mixed = alter_mix(w, card, m, true, &other, &is_behind);
    if (is_mixed && !is_behind)
        (void)hand_over(w, &other);
    const uint32_t status = hand_over(w, m);
    if (is_mixed && is_behind)
        (void)hand_over(w, &other);
    return status;
}

static uint32_t deliver(struct world *w, const struct smpp_message *from)
{
    const uint32_t card = card_of_number(w, from->destination.digits);
    struct air_message m;
    struct deed d;
    if (!make_delivery(w, from, &m))
        return ESME_RX_R_APPN;
    fate_stage(w, STAGE_MT_DELIVER, card);
    if (fate_befalls(w, DEED_MT_LOST, card, &d)) {
        world_note(w, "mt_lost", "number=%llu", (unsigned long long)m.number);
        return ESME_ROK;
    }
    if (fate_befalls(w, DEED_MT_LATE, card, &d)) {
        keep(w, HAPPENS_MT, &m, d.after_ms);
        return ESME_ROK;
    }
    if (fate_befalls(w, DEED_MT_COPY, card, &d))
        keep(w, HAPPENS_MT, &m, d.after_ms);
    if (fate_befalls(w, DEED_MT_FORGED, card, &d)) {
        const struct air_message forged = forge(w, &m, true, &d);
        keep(w, HAPPENS_MT, &forged, d.after_ms);
    }
    if (fate_befalls(w, DEED_MT_RADIO, card, &d))
        return ESME_RX_T_APPN;
    if (alter_merge(w, card, &m, true, DEED_MT_MERGED) ||
        alter_keep(w, card, &m, true, DEED_MT_MIXED))
        return ESME_ROK;
    if (fate_befalls(w, DEED_MT_ALTERED, card, &d))
        alter(w, &m, true, &d);
    const uint64_t wait_ms = transport_wait_ms(w, card, w->moments[STAGE_MT_DELIVER][card].place);
    if (wait_ms > 0) {
        probes_met(&w->result.probes, PROBE_CLOGGED);
        keep(w, HAPPENS_MT, &m, wait_ms);
        return ESME_ROK;
    }
    const uint32_t status = hand_over_mixed(w, card, &m);
    return fate_befalls(w, DEED_MT_DENIED, card, &d) ? ESME_RX_T_APPN : status;
}

void network_hand(struct world *w, uint64_t number, struct bytes user_data)
{
    char digits[RADIO_DIGITS_SIZE];
    radio_digits(number, digits);
    const struct smpp_message message = {.source = {.digits = bytes_of_text(WORLD_SERVER_NUMBER)},
                                         .destination = {.digits = bytes_of_text(digits)},
                                         .protocol_id = SMS_PID_USIM_DATA_DOWNLOAD,
                                         .data_coding = SMS_DCS_CLASS_2_8BIT,
                                         .short_message = user_data};
    struct air_message m;
    check(make_delivery(w, &message, &m));
    w->is_by_hand = true;
    (void)hand_over(w, &m);
    w->is_by_hand = false;
}

void network_event(struct world *w, const struct smpp_event *event)
{
    if (event->type != SMPP_EVENT_REQUEST)
        return;
    struct connection *c = &w->connections[WORLD_NETWORK_CONNECTION];
    const bool is_receipt = (event->pdu.message.esm_class & 0x3C) == 0x04;
    const bool is_message = event->pdu.command == SMPP_DELIVER_SM && !is_receipt;
    const uint32_t status = is_message ? deliver(w, &event->pdu.message) : ESME_ROK;
    check(smpp_session_accept(&c->session, event->handle, status, bytes_of(NULL, 0)) ==
          SMPP_SEND_OK);
}

void network_acted(void *context, const struct device *device, const struct device_action *action)
{
    struct world *w = context;
    const struct radio_subscriber *s = radio_by_imsi(&w->radio, device->imsi);
    if (action->kind != DEVICE_ATTACHED || !w->is_alerted || s == NULL)
        return;
    char number[RADIO_DIGITS_SIZE];
    radio_digits(s->msisdn, number);
    smsc_alert(&w->smsc, number);
    w->is_stirred = true;
}

// --- from cards ------------------------------------------------------------------------------

// The user data of a card's message, sent back to it as if the server had.
static void reflect(struct world *w, const struct air_message *from)
{
    struct deed d;
    if (!fate_befalls(w, DEED_REFLECTED, from->card, &d))
        return;
    struct sms_submit sms;
    check(sms_read_submit(bytes_of(from->tpdu, from->len), &sms) == SMS_OK);
    char number[RADIO_DIGITS_SIZE];
    radio_digits(from->number, number);
    struct smpp_message message = {.source = {.digits = bytes_of_text(WORLD_SERVER_NUMBER)},
                                   .destination = {.digits = bytes_of_text(number)},
                                   .protocol_id = sms.pid,
                                   .data_coding = sms.dcs,
                                   .short_message = sms.user_data};
    struct air_message m;
    if (make_delivery(w, &message, &m))
        keep(w, HAPPENS_MT, &m, d.after_ms);
}

static void keep_mixed(struct world *w, uint32_t card, const struct air_message *m, uint64_t ms)
{
    struct air_message other;
    bool is_behind = false;
    const bool is_mixed = alter_mix(w, card, m, false, &other, &is_behind);
    if (is_mixed && !is_behind)
        keep(w, HAPPENS_MO, &other, ms);
    keep(w, HAPPENS_MO, m, ms);
    if (is_mixed && is_behind)
        keep(w, HAPPENS_MO, &other, ms);
}

void network_message(void *context, const struct fleet_message *message)
{
    struct world *w = context;
    const uint32_t card = message->device;
    struct deed d;
    struct air_message m = {.number = message->source, .card = card};
    check(message->tpdu.len <= sizeof m.tpdu);
    m.len = (uint8_t)message->tpdu.len;
    memcpy(m.tpdu, message->tpdu.at, message->tpdu.len);
    mirror_said(w, &m);
    w->result.notified++;
    struct sms_submit sms;
    if (sms_read_submit(message->tpdu, &sms) == SMS_OK)
        check_message(w, card, sms.user_data);
    identity_said(w, card, message->source);
    fate_stage(w, STAGE_MO_SEND, card);
    const bool is_lost = fate_befalls(w, DEED_MO_LOST, card, &d);
    world_note(w, "mo", "card=%u number=%llu lost=%d", card, (unsigned long long)message->source,
               is_lost);
    if (is_lost)
        return;
    if (alter_merge(w, card, &m, false, DEED_MO_MERGED) ||
        alter_keep(w, card, &m, false, DEED_MO_MIXED))
        return;
    const bool is_late = fate_befalls(w, DEED_MO_LATE, card, &d);
    const uint64_t carried_ms = is_late ? d.after_ms : carry_ms(w, card);
    const uint64_t wait_ms = transport_wait_ms(w, card, w->moments[STAGE_MO_SEND][card].place);
    if (m.merged_len == 0 && fate_befalls(w, DEED_MO_ALTERED, card, &d))
        alter(w, &m, false, &d);
    keep_mixed(w, card, &m, carried_ms > wait_ms ? carried_ms : wait_ms);
    m.is_copy = true;
    if (fate_befalls(w, DEED_MO_FORGED, card, &d)) {
        const struct air_message forged = forge(w, &m, false, &d);
        keep(w, HAPPENS_MO, &forged, d.after_ms);
    }
    reflect(w, &m);
    if (fate_befalls(w, DEED_MO_COPY, card, &d))
        keep(w, HAPPENS_MO, &m, d.after_ms);
}

static bool submit(struct world *w, const struct air_message *m)
{
    struct connection *c = &w->connections[WORLD_NETWORK_CONNECTION];
    struct sms_submit sms;
    struct phone recipient;
    char source[RADIO_DIGITS_SIZE];
    check(sms_read_submit(bytes_of(m->tpdu, m->len), &sms) == SMS_OK &&
          sms_address_phone(&sms.recipient, &recipient));
    if (!c->is_open || !c->is_bound)
        return false;
    radio_digits(m->number, source);
    struct smpp_pdu pdu = {.command = SMPP_SUBMIT_SM};
    pdu.message = (struct smpp_message){
        .source = {.ton = 1, .npi = 1, .digits = bytes_of_text(source)},
        .destination = {.ton = 1, .npi = 1, .digits = bytes_of_text(recipient.digits)},
        .esm_class = sms.first & SMS_HEADER_PRESENT,
        .protocol_id = sms.pid,
        .data_coding = sms.dcs,
        .short_message = m->merged_len > 0 ? bytes_of(m->merged, m->merged_len) : sms.user_data};
    const bool is_sent = smpp_session_request(&c->session, &pdu, 0) == SMPP_SEND_OK;
    if (is_sent)
        fate_submit(w, DEED_SMSC_MO, m->card, &pdu.message);
    return is_sent;
}

void network_happen(struct world *w, const struct entry *e)
{
    struct air_message *m = &w->air[e->subject];
    if (e->what == HAPPENS_MT) {
        (void)hand_over(w, m);
        m->is_used = false;
    } else if (submit(w, m)) {
        m->is_used = false;
    } else {
        agenda_add(&w->agenda, instant_after(w->now, CARRY_MS), HAPPENS_MO, e->subject, 0);
    }
}

bool network_has_from(const struct world *w, uint32_t card)
{
    const uint32_t version = w->truths[card].dump.image.registry_version;
    for (uint32_t i = 0; i < w->agenda.count; i++) {
        const struct entry *e = &w->agenda.entries[i];
        const struct air_message *m = &w->air[e->subject];
        if (e->what == HAPPENS_MO && m->card == card && !m->is_copy &&
            (m->version == 0 || m->version == version))
            return true;
    }
    return false;
}
