#include "sim-emulator/shell/trial.h"

#include "common/base/check.h"

#include <stdio.h>

// A card that never stops asking.
#define PROACTIVE_MAX 64
// The first counter in the life of a trial is far from that of earlier ones (conform.c).

void trial_init(struct trial *t, const struct conform_link *link, const struct cipher *cipher,
                const struct trial_card *card)
{
    *t = (struct trial){.link = *link, .cipher = cipher, .card = *card, .has_coverage = true};
    memset(t->profile, 0xFF, sizeof t->profile);
    sms_joiner_init(&t->joiner);
}

bool trial_expect(struct trial *t, bool holds, const char *text)
{
    if (!holds && t->reason[0] == 0 && !t->is_skipped)
        (void)snprintf(t->reason, sizeof t->reason, "%s", text);
    return holds;
}

void trial_skip(struct trial *t, const char *text)
{
    if (t->reason[0] != 0 || t->is_skipped)
        return;
    t->is_skipped = true;
    (void)snprintf(t->reason, sizeof t->reason, "%s", text);
}

// --- APDUs -----------------------------------------------------------------------------------

// One TPDU. 0: no answer.
static uint16_t exchange(struct trial *t, struct bytes apdu, struct writer *response)
{
    uint8_t octets[CONFORM_RESPONSE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    t->exchanges++;
    if (!t->link.exchange(t->link.context, apdu, &w) || w.len < 2)
        return 0;
    writer_copy(response, bytes_of(octets, w.len - 2));
    return (uint16_t)(octets[w.len - 2] << 8 | octets[w.len - 1]);
}

static uint16_t exchange_whole(struct trial *t, struct bytes apdu, struct writer *response)
{
    uint8_t octets[5 + APDU_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    writer_copy(&w, apdu);
    uint16_t sw = exchange(t, apdu, response);
    if ((sw & 0xFF00) == SW_WRONG_LE && w.len >= 5) {
        octets[4] = (uint8_t)sw;
        sw = exchange(t, bytes_of(octets, 5), response);
    }
    if ((sw & 0xFF00) == SW_DATA_AVAILABLE) {
        const uint8_t get[5] = {0x00, INS_GET_RESPONSE, 0, 0, (uint8_t)sw};
        sw = exchange(t, bytes_of(get, sizeof get), response);
    }
    return sw;
}

// --- what the card sends ---------------------------------------------------------------------

static bool is_to_server(const struct trial *t, const struct sms_address *to)
{
    struct phone phone;
    return sms_address_phone(to, &phone) && strcmp(phone.digits, t->card.server.digits) == 0;
}

static struct secured_keys keys_of(const struct trial *t)
{
    return (struct secured_keys){.kic = &t->card.kic, .kid = &t->card.kid};
}

static void take_answer(struct trial *t, const struct sms_packet *packet, bool to_server)
{
    struct trial_answer *a = &t->answer;
    struct secured_packet p;
    uint8_t octets[SMS_PACKET_MAX];
    struct writer buffer = writer_of(octets, sizeof octets);
    struct secured_keys keys = keys_of(t);
    a->has_answer = true;
    a->is_to_server = to_server;
    a->has_reference = packet->card_reference.len == CARD_REFERENCE_SIZE;
    if (a->has_reference)
        memcpy(a->reference, packet->card_reference.at, CARD_REFERENCE_SIZE);
    if (secured_response_shape(packet->octets, &t->command, &p) != SECURED_OK ||
        secured_decipher(&p, &keys, t->cipher, &buffer) != SECURED_OK ||
        secured_verify(&p, &keys, t->cipher) != SECURED_OK)
        return;
    a->is_secured = true;
    a->status = p.status;
    a->tar = p.tar;
    a->cntr = p.cntr;
    a->len = p.data.len;
    memcpy(a->data, p.data.at, p.data.len);
}

// An answer in the delivery report, that is in the data of ENVELOPE's answer [31.111 §7.1.1].
static void take_report(struct trial *t, struct bytes user_data)
{
    struct sms_part part;
    if (user_data.len == 0)
        return;
    t->answer.has_answer = true;
    if (sms_read_part(user_data, &part) && part.total == 1 && part.kind == SMS_RESPONSE_PACKET) {
        struct sms_packet packet = {
            .kind = part.kind, .octets = part.octets, .card_reference = part.card_reference};
        take_answer(t, &packet, false);
    }
}

static void take_notice(struct trial *t, const struct sms_packet *packet, bool to_server)
{
    struct secured_packet p;
    uint8_t octets[SMS_PACKET_MAX];
    struct writer buffer = writer_of(octets, sizeof octets);
    struct secured_keys keys = keys_of(t);
    struct notification n;
    if (secured_command_shape(packet->octets, &p) != SECURED_OK || p.tar != t->card.tar + 1 ||
        secured_decipher(&p, &keys, t->cipher, &buffer) != SECURED_OK ||
        secured_verify(&p, &keys, t->cipher) != SECURED_OK || !notification_read(p.data, &n)) {
        (void)trial_expect(t, false, "a notification cannot be opened");
        return;
    }
    if (t->notice_count == TRIAL_NOTICES_MAX)
        memmove(t->notices, t->notices + 1, (--t->notice_count) * sizeof t->notices[0]);
    t->notices[t->notice_count++] =
        (struct trial_notice){.content = n,
                              .cntr = p.cntr,
                              .at_s = t->now_s,
                              .is_to_server = to_server,
                              .has_reference = packet->card_reference.len == CARD_REFERENCE_SIZE};
}

static void take_message(struct trial *t, struct bytes tpdu)
{
    struct sms_submit m;
    struct sms_packet packet;
    if (sms_read_submit(tpdu, &m) != SMS_OK || (m.first & SMS_HEADER_PRESENT) == 0) {
        (void)trial_expect(t, false, "what the card sends is no SMS-SUBMIT with a header");
        return;
    }
    struct instant now = {t->now_s * 1000};
    if (sms_join(&t->joiner, &m.recipient, m.user_data, now, &packet) != SMS_JOIN_COMPLETE)
        return;
    if (packet.kind == SMS_RESPONSE_PACKET)
        take_answer(t, &packet, is_to_server(t, &m.recipient));
    else if (packet.kind == SMS_COMMAND_PACKET)
        take_notice(t, &packet, is_to_server(t, &m.recipient));
}

// --- the toolkit -----------------------------------------------------------------------------

static const uint8_t network[PLMN_LEN] = {0x00, 0xF1, 0x10}; // 001 01

static void serve_timer(struct trial *t, const struct cat_message *c, struct cat_message *answer)
{
    if (c->timer < 1 || c->timer > CAT_TIMERS_MAX) {
        answer->result = CAT_DATA_NOT_UNDERSTOOD;
        return;
    }
    uint64_t *due = &t->timers[c->timer - 1];
    answer->has |= CAT_HAS_TIMER;
    answer->timer = c->timer;
    if (c->qualifier == CAT_TIMER_START) {
        t->timer_s[c->timer - 1] = c->timer_seconds;
        *due = t->now_s + c->timer_seconds;
        return;
    }
    if (*due == TRIAL_NEVER) {
        answer->result = CAT_TIMER_CONTRADICTION;
        return;
    }
    answer->has |= CAT_HAS_TIMER_VALUE;
    answer->timer_seconds = (uint32_t)(*due > t->now_s ? *due - t->now_s : 0);
    if (c->qualifier == CAT_TIMER_DEACTIVATE)
        *due = TRIAL_NEVER;
}

static void serve_information(struct trial *t, const struct cat_message *c,
                              struct cat_message *answer)
{
    static const uint8_t no_service = CAT_CAUSE_NO_SERVICE;
    static const uint8_t technology = CAT_EUTRAN;
    if (c->qualifier == CAT_INFORMATION_IMEI) {
        answer->has |= CAT_HAS_IMEI;
        check(imei_write("352099000000013", answer->imei));
    } else if (c->qualifier == CAT_INFORMATION_DATE_TIME) {
        answer->has |= CAT_HAS_DATE_TIME;
        sms_time_write((struct utc){(int64_t)t->now_s * 1000}, answer->date_time);
    } else if (!t->is_in_service) {
        answer->result = CAT_TERMINAL_UNABLE;
        answer->result_info = bytes_of(&no_service, 1);
    } else if (c->qualifier == CAT_INFORMATION_LOCATION) {
        answer->has |= CAT_HAS_LOCATION;
        answer->location = cat_location_eutran(network, 1, 1);
    } else {
        answer->has |= CAT_HAS_TECHNOLOGIES;
        answer->technologies = bytes_of(&technology, 1);
    }
}

static void serve(struct trial *t, const struct cat_message *c, struct cat_message *answer)
{
    static const uint8_t no_service = CAT_CAUSE_NO_SERVICE;
    switch (c->type) {
    case CAT_SEND_SHORT_MESSAGE:
        if (t->is_in_service) {
            take_message(t, c->tpdu);
        } else {
            answer->result = CAT_TERMINAL_UNABLE;
            answer->result_info = bytes_of(&no_service, 1);
        }
        break;
    case CAT_TIMER_MANAGEMENT:
        serve_timer(t, c, answer);
        break;
    case CAT_PROVIDE_LOCAL_INFORMATION:
        serve_information(t, c, answer);
        break;
    case CAT_POLL_INTERVAL:
        t->poll_s = c->duration_unit == CAT_MINUTES ? c->duration * 60U : c->duration;
        t->poll_at = t->now_s + t->poll_s;
        answer->has |= CAT_HAS_DURATION;
        answer->duration_unit = CAT_SECONDS;
        answer->duration = (uint8_t)t->poll_s;
        break;
    case CAT_POLLING_OFF:
        t->poll_at = TRIAL_NEVER;
        break;
    case CAT_SET_UP_EVENT_LIST:
        t->wants_location = cat_lists(c->events, CAT_EVENT_LOCATION_STATUS);
        break;
    case CAT_REFRESH:
        t->refreshes++;
        if (t->refresh == TRIAL_REFRESH_REFUSE)
            answer->result = CAT_BEYOND_CAPABILITY;
        else
            t->must_boot = true;
        break;
    default: // octets
        answer->result = CAT_TYPE_UNKNOWN;
    }
}

static uint16_t serve_next(struct trial *t, uint16_t sw)
{
    uint8_t octets[CONFORM_RESPONSE_MAX];
    uint8_t data[CAT_DATA_MAX];
    uint8_t response[5 + CAT_DATA_MAX];
    struct writer fetched = writer_of(octets, sizeof octets);
    const uint8_t fetch[5] = {0x80, INS_FETCH, 0, 0, (uint8_t)sw};
    struct cat_message command;
    if (exchange(t, bytes_of(fetch, sizeof fetch), &fetched) != SW_OK ||
        cat_read_command(writer_bytes(&fetched), &command) != CAT_OK) {
        (void)trial_expect(t, false, "FETCH gives no proactive command");
        return 0;
    }
    struct cat_message answer = cat_answer(&command, CAT_DONE);
    serve(t, &command, &answer);
    if (t->must_boot)
        return SW_OK; // the terminal resets the card without a TERMINAL RESPONSE [102.223 §6.4.7]
    struct writer w = writer_of(data, sizeof data);
    cat_write_response(&w, &answer);
    struct writer whole = writer_of(response, sizeof response);
    struct apdu apdu = {.cla = 0x80, .ins = INS_TERMINAL_RESPONSE, .data = writer_bytes(&w)};
    apdu_write(&whole, &apdu);
    uint8_t none[CONFORM_RESPONSE_MAX];
    struct writer ignored = writer_of(none, sizeof none);
    return exchange(t, writer_bytes(&whole), &ignored);
}

// The status word before the toolkit was served.
static uint16_t command(struct trial *t, struct bytes apdu, struct writer *response)
{
    uint16_t first = exchange_whole(t, apdu, response);
    uint16_t sw = first;
    for (unsigned i = 0; (sw & 0xFF00) == SW_OK_PROACTIVE && i < PROACTIVE_MAX && !t->must_boot;
         i++)
        sw = serve_next(t, sw);
    return (first & 0xFF00) == SW_OK_PROACTIVE ? SW_OK : first;
}

static uint16_t say(struct trial *t, const struct apdu *apdu, struct writer *response)
{
    uint8_t octets[6 + APDU_DATA_MAX];
    uint8_t none[CONFORM_RESPONSE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct writer ignored = writer_of(none, sizeof none);
    apdu_write_p3(&w, apdu);
    return command(t, writer_bytes(&w), response != NULL ? response : &ignored);
}

static uint16_t say_envelope(struct trial *t, enum cat_envelope kind, const struct cat_message *m,
                             struct writer *report)
{
    uint8_t data[CAT_DATA_MAX];
    struct writer w = writer_of(data, sizeof data);
    cat_write_envelope(&w, kind, m);
    check(!w.failed);
    struct apdu apdu = {.cla = 0x80, .ins = INS_ENVELOPE, .data = writer_bytes(&w)};
    return say(t, &apdu, report);
}

static void tell_service(struct trial *t)
{
    bool is_dead = memcmp(t->imsi, t->dead_imsi, IMSI_EF_LEN) == 0;
    t->is_in_service = t->has_coverage && !is_dead;
    if (!t->wants_location)
        return;
    struct cat_location location = cat_location_eutran(network, 1, 1);
    struct cat_message event =
        cat_location_event(t->is_in_service ? CAT_SERVICE_NORMAL : CAT_SERVICE_NONE,
                           t->is_in_service ? &location : NULL);
    (void)say_envelope(t, CAT_EVENT_DOWNLOAD, &event, NULL);
}

static void boot_once(struct trial *t)
{
    static const uint8_t usim[] = {0xA0, 0, 0, 0, 0x87, 0x10, 0x02};
    uint8_t octets[64];
    struct writer atr = writer_of(octets, sizeof octets);
    t->must_boot = false;
    t->boots++;
    t->wants_location = false;
    t->is_in_service = false;
    t->poll_s = 30;
    t->poll_at = t->now_s + t->poll_s;
    for (size_t i = 0; i < CAT_TIMERS_MAX; i++)
        t->timers[i] = TRIAL_NEVER;
    sms_joiner_init(&t->joiner);
    if (!t->link.reset(t->link.context, &atr)) {
        (void)trial_expect(t, false, "the card does not answer to reset");
        return;
    }
    struct apdu profile = {
        .cla = 0x80, .ins = INS_TERMINAL_PROFILE, .data = bytes_of(t->profile, sizeof t->profile)};
    struct apdu select = {
        .ins = INS_SELECT, .p1 = 0x04, .p2 = 0x0C, .data = bytes_of(usim, sizeof usim)};
    struct apdu read = {.ins = INS_READ_BINARY, .p1 = 0x87, .le = IMSI_EF_LEN};
    uint8_t imsi[IMSI_EF_LEN];
    struct writer w = writer_of(imsi, sizeof imsi);
    (void)trial_expect(t, say(t, &profile, NULL) == SW_OK, "TERMINAL PROFILE is not taken");
    (void)trial_expect(t, say(t, &select, NULL) == SW_OK, "there is no ADF.USIM");
    if (trial_expect(t, say(t, &read, &w) == SW_OK && w.len == IMSI_EF_LEN, "EF.IMSI is not read"))
        memcpy(t->imsi, imsi, IMSI_EF_LEN);
    tell_service(t);
}

// A REFRESH makes the terminal begin anew; one that comes with the beginning itself as well.
static void settle(struct trial *t)
{
    for (unsigned i = 0; t->must_boot && i < 4; i++)
        boot_once(t);
}

void trial_boot(struct trial *t)
{
    t->must_boot = true;
    settle(t);
}

uint16_t trial_command(struct trial *t, struct bytes apdu, struct writer *response)
{
    uint16_t sw = command(t, apdu, response);
    settle(t);
    return sw;
}

void trial_cover(struct trial *t, bool has_coverage)
{
    t->has_coverage = has_coverage;
    tell_service(t);
    settle(t);
}

static void expire(struct trial *t)
{
    for (uint8_t i = 0; i < CAT_TIMERS_MAX && !t->must_boot; i++) {
        if (t->timers[i] > t->now_s)
            continue;
        t->timers[i] = TRIAL_NEVER;
        struct cat_message event = cat_timer_event((uint8_t)(i + 1), t->timer_s[i]);
        (void)say_envelope(t, CAT_TIMER_EXPIRATION, &event, NULL);
    }
    if (!t->must_boot && t->poll_at <= t->now_s) {
        struct apdu status = {.cla = 0x80, .ins = INS_STATUS, .p2 = 0x0C};
        t->poll_at = t->now_s + t->poll_s;
        (void)say(t, &status, NULL);
    }
}

void trial_wait(struct trial *t, uint32_t seconds)
{
    uint64_t end = t->now_s + seconds;
    while (t->reason[0] == 0) {
        uint64_t next = t->poll_at;
        for (size_t i = 0; i < CAT_TIMERS_MAX; i++)
            next = t->timers[i] < next ? t->timers[i] : next;
        if (next > end)
            break;
        t->now_s = next > t->now_s ? next : t->now_s;
        expire(t);
        settle(t);
    }
    t->now_s = end;
}

// --- the server ------------------------------------------------------------------------------

uint32_t trial_next_operation(struct trial *t)
{
    return ++t->operation_id;
}

void trial_forget(struct trial *t)
{
    t->notice_count = 0;
}

const struct trial_notice *trial_notice(const struct trial *t, uint8_t cause)
{
    for (unsigned i = t->notice_count; i > 0; i--) {
        if (t->notices[i - 1].content.cause == cause)
            return &t->notices[i - 1];
    }
    return NULL;
}

static void deliver(struct trial *t, const struct trial_packet *packet, struct bytes user_data)
{
    static const uint8_t time[SMS_TIME_LEN] = {0x62, 0x11, 0x92, 0x21, 0x43, 0x65, 0x00};
    struct phone other = {.type = PHONE_INTERNATIONAL, .digits = "4412345678"};
    struct sms_address sender = sms_address_of(packet->has_other_sender ? &other : &t->card.server);
    uint8_t octets[SMS_DELIVER_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct sms_deliver m = sms_deliver_packet(&sender, time, user_data);
    sms_write_deliver(&w, &m);
    struct cat_message download = cat_sms_download(bytes_of(NULL, 0), writer_bytes(&w));
    uint8_t report_octets[CONFORM_RESPONSE_MAX];
    struct writer report = writer_of(report_octets, sizeof report_octets);
    t->last_sw = say_envelope(t, CAT_SMS_PP_DOWNLOAD, &download, &report);
    take_report(t, writer_bytes(&report));
}

// The same part with element 70 once more.
static struct bytes with_mark(struct bytes user_data, struct writer *w)
{
    writer_u8(w, (uint8_t)(user_data.at[0] + 2));
    writer_copy(w, bytes_slice(user_data, 1, user_data.at[0]));
    writer_u16(w, 0x7000);
    writer_copy(w, bytes_slice(user_data, 1U + user_data.at[0], SMS_USER_DATA_MAX));
    return writer_bytes(w);
}

static void deliver_parts(struct trial *t, const struct trial_packet *packet, struct bytes octets)
{
    static uint16_t reference;
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = ++reference & 0xFF};
    size_t count = sms_cut_count(&cut, octets.len);
    for (size_t i = 0; i < count; i++) {
        size_t index = packet->is_reversed ? count - 1 - i : i;
        uint8_t user_data[SMS_USER_DATA_MAX];
        uint8_t marked[SMS_USER_DATA_MAX + 2];
        struct writer w = writer_of(user_data, sizeof user_data);
        struct writer m = writer_of(marked, sizeof marked);
        sms_cut_part(&cut, octets, index, &w);
        bool is_marked = packet->has_second_mark && index > 0;
        struct bytes part = is_marked ? with_mark(writer_bytes(&w), &m) : writer_bytes(&w);
        for (unsigned n = 0; n < (packet->has_double ? 2U : 1U); n++)
            deliver(t, packet, part);
    }
}

void trial_send(struct trial *t, const struct trial_packet *packet)
{
    uint8_t octets[SMS_PACKET_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    uint8_t indication = (uint8_t)(t->card.key_version << 4 | SECURED_AES);
    struct secured_keys keys = keys_of(t);
    t->command = (struct secured_command){
        .spi1 = packet->spi1 != 0 ? packet->spi1 : 0x16,
        .spi2 = packet->spi2 != 0 ? packet->spi2 : 0x39,
        .kic = packet->kic != 0 ? packet->kic : indication,
        .kid = packet->kid != 0 ? packet->kid : indication,
        .tar = packet->tar != 0 ? packet->tar : t->card.tar,
        .cntr = packet->counter != 0 ? packet->counter : ++t->counter,
        .data = packet->data,
    };
    memset(&t->answer, 0, sizeof t->answer);
    enum secured_result built = secured_write_command(&w, &t->command, &keys, t->cipher);
    t->command.data = bytes_of(NULL, 0);
    if (!trial_expect(t, built == SECURED_OK, "the packet cannot be built with these keys"))
        return;
    if (packet->has_wrong_mac)
        octets[w.len - 1] ^= 0x01;
    if (packet->is_answered_safe)
        t->command.spi2 = 0x39;
    deliver_parts(t, packet, bytes_slice(writer_bytes(&w), 0, w.len - packet->is_cut));
    settle(t);
}

bool trial_ask(struct trial *t, const struct command *c, struct result *result)
{
    uint8_t data[COMMAND_BODY_MAX];
    struct writer w = writer_of(data, sizeof data);
    command_write(&w, c);
    check(!w.failed);
    struct trial_packet packet = {.data = writer_bytes(&w)};
    trial_send(t, &packet);
    const struct trial_answer *a = &t->answer;
    return a->is_secured && a->status == SECURED_STATUS_OK &&
           result_read(bytes_of(a->data, a->len), result);
}

struct result trial_expect_code(struct trial *t, const struct command *c, uint8_t code)
{
    struct result r = {.code = 0xFF};
    char text[TRIAL_REASON_SIZE];
    const char *name = command_number_name(c->number);
    if (!trial_ask(t, c, &r)) {
        (void)snprintf(text, sizeof text, "%s: no answer that can be believed (%s)", name,
                       t->answer.has_answer ? "there was one" : "silence");
        (void)trial_expect(t, false, text);
        r.code = 0xFF;
        return r;
    }
    (void)snprintf(text, sizeof text, "%s: %s was expected, the card says %s", name,
                   result_code_name(code), result_code_name(r.code));
    (void)trial_expect(t, r.code == code, text);
    return r;
}

bool trial_audit(struct trial *t, struct audit_answer *answer)
{
    static uint8_t turn;
    struct command c = {.number = COMMAND_AUDIT, .audit = {.first_slot = 1}};
    memset(c.audit.nonce, 0x5A, sizeof c.audit.nonce);
    c.audit.nonce[0] = ++turn;
    struct result r;
    bool ok = trial_ask(t, &c, &r) && r.code == RESULT_OK && audit_answer_read(r.data, answer) &&
              memcmp(answer->nonce, c.audit.nonce, sizeof answer->nonce) == 0;
    (void)trial_expect(t, ok, "AUDIT: no answer that can be believed");
    if (!ok)
        memset(answer, 0, sizeof *answer);
    return ok;
}
