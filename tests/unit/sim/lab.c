#include "tests/unit/sim/lab.h"

#include "common/base/check.h"
#include "common/host/cipher_openssl.h"

#include <stdio.h>
#include <stdlib.h>

static const char default_scenario[] = "otaria-scenario 1\n"
                                       "network 00101 lte\n"
                                       "network 00102 lte\n"
                                       "allow 00101 00101\n"
                                       "allow 00102 00102\n"
                                       "area home 00101 00102\n";

static struct secret_key key_of(uint32_t card, uint8_t purpose)
{
    uint8_t octets[16];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(card * 31 + purpose * 17 + i * 7 + 1);
    return secret_key_of(bytes_of(octets, sizeof octets));
}

void lab_imsi(uint32_t card, unsigned slot, char imsi[IMSI_SIZE])
{
    (void)snprintf(imsi, IMSI_SIZE, "0010%c%010u", slot == 0 ? '1' : '2', card + 1);
}

uint64_t lab_number(uint32_t card, unsigned slot)
{
    char digits[RADIO_DIGITS_SIZE];
    (void)snprintf(digits, sizeof digits, "9990%u%08u", slot + 1, card + 1);
    return radio_identity(digits);
}

static struct dialling number_of(const char *digits)
{
    struct phone phone;
    struct dialling d;
    check(phone_of_text(digits, &phone));
    struct writer w = writer_of(d.octets, sizeof d.octets);
    writer_u8(&w, PHONE_INTERNATIONAL);
    phone_write_bcd(&w, &phone);
    check(!w.failed);
    d.len = (uint8_t)w.len;
    return d;
}

static void make_card(struct lab *lab, uint32_t card)
{
    struct applet_factory *f = &lab->factories[card];
    *f = (struct applet_factory){.level = 2,
                                 .slot_count = 8,
                                 .tar = LAB_TAR,
                                 .server_address = number_of("99900000"),
                                 .key_version = 1,
                                 .kic = key_of(card, 1),
                                 .kid = key_of(card, 2),
                                 .kik = key_of(card, 3),
                                 .template_count = 1,
                                 .templates = lab->templates,
                                 .subscription_count = 2,
                                 .subscriptions = &lab->slots[card * 2]};
    char iccid[ICCID_SIZE + 4]; // the number may have ten digits, as far as the compiler knows
    (void)snprintf(iccid, sizeof iccid, "890010100000%06u", (card + 1) % 1000000);
    iccid[18] = luhn_digit(iccid, 18);
    iccid[19] = 0;
    check(iccid_write(iccid, f->card_iccid));
    for (unsigned i = 0; i < 2; i++) {
        struct slot *s = &lab->slots[card * 2 + i];
        char imsi[IMSI_SIZE];
        char msisdn[RADIO_DIGITS_SIZE];
        lab_imsi(card, i, imsi);
        radio_digits(lab_number(card, i), msisdn);
        *s = (struct slot){
            .state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED,
            .role = i == 0 ? ROLE_BOOTSTRAP : ROLE_OPERATIONAL,
            .rank = (uint8_t)(i + 1),
            .is_fallback = i == 0,
            .mnc_length = 2,
            .msisdn = number_of(msisdn),
            .smsc = number_of("99900001"),
            .keys = {.k = key_of(card, (uint8_t)(4 + i)), .op = key_of(card, (uint8_t)(6 + i))}};
        check(imsi_write(imsi, s->imsi));
        check(radio_subscriber_add(&lab->radio, imsi, msisdn, &s->keys) == RADIO_ADDED);
    }
}

// --- what cards send -------------------------------------------------------------------------

static void card_sends(void *context, const struct fleet_message *message)
{
    struct lab *lab = context;
    const struct applet_factory *f = &lab->factories[message->device];
    struct sms_submit submit;
    struct sms_part part;
    if (lab->message_count == LAB_MESSAGES_MAX ||
        sms_read_submit(message->tpdu, &submit) != SMS_OK ||
        !sms_read_part(submit.user_data, &part) || part.total != 1)
        return;
    struct secured_packet packet;
    struct secured_keys keys = {.kic = &f->kic, .kid = &f->kid};
    enum secured_result result = part.kind == SMS_COMMAND_PACKET
                                     ? secured_command_shape(part.octets, &packet)
                                     : secured_response_shape(part.octets, &lab->command, &packet);
    struct lab_message *m = &lab->messages[lab->message_count];
    uint8_t buffer[SMS_PACKET_MAX];
    struct writer w = writer_of(buffer, sizeof buffer);
    bool is_right = result == SECURED_OK &&
                    secured_decipher(&packet, &keys, &lab->cipher, &w) == SECURED_OK &&
                    secured_verify(&packet, &keys, &lab->cipher) == SECURED_OK;
    if (!is_right)
        return;
    *m = (struct lab_message){.source = message->source,
                              .kind = part.kind,
                              .status = packet.status,
                              .data_len = packet.data.len};
    memcpy(m->data, packet.data.at, packet.data.len);
    lab->message_count++;
}

bool lab_find_notification(const struct lab *lab, unsigned *from, uint8_t cause,
                           struct notification *out)
{
    for (; *from < lab->message_count; (*from)++) {
        const struct lab_message *m = &lab->messages[*from];
        if (m->kind == SMS_COMMAND_PACKET &&
            notification_read(bytes_of(m->data, m->data_len), out) && out->cause == cause) {
            (*from)++;
            return true;
        }
    }
    return false;
}

bool lab_last_result(const struct lab *lab, struct result *out)
{
    for (unsigned i = lab->message_count; i > 0; i--) {
        const struct lab_message *m = &lab->messages[i - 1];
        if (m->kind == SMS_RESPONSE_PACKET)
            return m->status == SECURED_STATUS_OK &&
                   result_read(bytes_of(m->data, m->data_len), out);
    }
    return false;
}

// --- opening ---------------------------------------------------------------------------------

static uint32_t draw(void *context)
{
    uint32_t *state = context;
    *state = *state * 1664525U + 1013904223U;
    return *state;
}

static uint32_t random_state;

void lab_open(struct lab *lab, uint32_t cards, const char *scenario)
{
    memset(lab, 0, sizeof *lab);
    check(cipher_openssl_open(&lab->cipher));
    radio_init(&lab->radio, &lab->cipher, 1);
    uint32_t len = 16;
    while (len < cards * 4)
        len *= 2;
    lab->radio.subscriber_max = cards * 2;
    lab->radio.index_len = len;
    lab->radio.subscribers = calloc(cards * 2, sizeof *lab->radio.subscribers);
    lab->radio.by_imsi = calloc(len, sizeof *lab->radio.by_imsi);
    lab->radio.by_msisdn = calloc(len, sizeof *lab->radio.by_msisdn);
    lab->factories = calloc(cards, sizeof *lab->factories);
    lab->slots = calloc(cards * 2, sizeof *lab->slots);
    lab->devices = calloc(cards, sizeof *lab->devices);
    lab->heap = calloc(cards, sizeof *lab->heap);
    lab->places = calloc(cards, sizeof *lab->places);
    lab->page_count = (size_t)cards * 96 + 256;
    lab->pages = calloc(lab->page_count, sizeof *lab->pages);
    check(lab->radio.subscribers != NULL && lab->radio.by_imsi != NULL &&
          lab->radio.by_msisdn != NULL && lab->factories != NULL && lab->slots != NULL &&
          lab->devices != NULL && lab->heap != NULL && lab->places != NULL && lab->pages != NULL);
    lab->templates[0] = (struct applet_template){
        .number = 1, .version = 1, .name = "lab", .rank = 2, .mnc_length = 2};
    nvm_pool_init(&lab->shop.pool, lab->pages, (uint32_t)lab->page_count);
    random_state = 1;
    lab->shop.cipher = &lab->cipher;
    lab->shop.random = draw;
    lab->shop.random_context = &random_state;
    for (uint32_t i = 0; i < cards; i++)
        make_card(lab, i);
    struct scenario_error error;
    check(scenario_read(bytes_of_text(scenario != NULL ? scenario : default_scenario),
                        &lab->scenario, &lab->radio, &error));
    for (uint32_t i = 0; i < cards; i++)
        device_init(&lab->devices[i], &lab->shop, &lab->factories[i], &lab->scenario.models[0]);
    struct fleet_config config = {.devices = lab->devices,
                                  .count = cards,
                                  .heap = lab->heap,
                                  .places = lab->places,
                                  .radio = &lab->radio,
                                  .scenario = &lab->scenario,
                                  .start = {INT64_C(1780000000000)},
                                  .seed = 1};
    fleet_init(&lab->fleet, &config);
    lab->fleet.mo = card_sends;
    lab->fleet.context = lab;
}

void lab_close(struct lab *lab)
{
    free(lab->radio.subscribers);
    free(lab->radio.by_imsi);
    free(lab->radio.by_msisdn);
    free(lab->factories);
    free(lab->slots);
    free(lab->devices);
    free(lab->heap);
    free(lab->places);
    free(lab->pages);
    cipher_openssl_close(&lab->cipher);
}

void lab_run(struct lab *lab, uint64_t ms)
{
    struct instant end = instant_after(lab->now, ms);
    for (;;) {
        struct instant due = fleet_deadline(&lab->fleet);
        if (due.ms > end.ms)
            break;
        if (due.ms > lab->now.ms)
            lab->now = due;
        (void)fleet_step(&lab->fleet, lab->now, UINT32_MAX);
    }
    lab->now = end;
}

// --- the server's hand -----------------------------------------------------------------------

void lab_packet(struct lab *lab, uint32_t card, const struct command *command,
                struct writer *user_data)
{
    uint8_t data[COMMAND_BODY_MAX];
    struct writer body = writer_of(data, sizeof data);
    command_write(&body, command);
    check(!body.failed);
    lab->command = (struct secured_command){.spi1 = 0x16,
                                            .spi2 = 0x39,
                                            .kic = 0x12,
                                            .kid = 0x12,
                                            .tar = LAB_TAR,
                                            .cntr = ++lab->counter,
                                            .data = bytes_of(NULL, 0)};
    struct secured_command whole = lab->command;
    whole.data = writer_bytes(&body);
    struct secured_keys keys = {.kic = &lab->factories[card].kic, .kid = &lab->factories[card].kid};
    uint8_t octets[SMS_PACKET_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    check(secured_write_command(&packet, &whole, &keys, &lab->cipher) == SECURED_OK);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    check(sms_cut_count(&cut, packet.len) == 1);
    sms_cut_part(&cut, writer_bytes(&packet), 0, user_data);
    check(!user_data->failed);
}

void lab_tpdu(struct bytes user_data, struct writer *tpdu)
{
    struct phone server = {.type = PHONE_INTERNATIONAL, .digits = "99900000"};
    struct sms_address sender = sms_address_of(&server);
    uint8_t time[SMS_TIME_LEN];
    sms_time_write((struct utc){INT64_C(1780000000000)}, time);
    struct sms_deliver deliver = sms_deliver_packet(&sender, time, user_data);
    sms_write_deliver(tpdu, &deliver);
    check(!tpdu->failed);
}

enum fleet_delivery lab_send(struct lab *lab, uint32_t card, unsigned slot,
                             const struct command *command)
{
    uint8_t octets[SMS_USER_DATA_MAX];
    uint8_t message[SMS_DELIVER_MAX];
    uint8_t answer[CARD_RESPONSE_MAX];
    struct writer user_data = writer_of(octets, sizeof octets);
    struct writer tpdu = writer_of(message, sizeof message);
    struct writer report = writer_of(answer, sizeof answer);
    lab_packet(lab, card, command, &user_data);
    lab_tpdu(writer_bytes(&user_data), &tpdu);
    uint32_t device;
    return fleet_deliver(&lab->fleet, lab_number(card, slot), writer_bytes(&tpdu), &report,
                         lab->now, &device);
}

struct command lab_enable(struct lab *lab, unsigned slot)
{
    struct command c = {.number = COMMAND_ENABLE,
                        .operation_id = ++lab->operation_id,
                        .flags = COMMAND_FLAG_ROLLBACK,
                        .target = {.is_given = true}};
    memcpy(c.target.imsi, lab->slots[slot].imsi, sizeof c.target.imsi);
    return c;
}

struct command lab_confirm(uint32_t sequence, uint32_t operation_id)
{
    return (struct command){
        .number = COMMAND_CONFIRM, .operation_id = operation_id, .confirm = {.sequence = sequence}};
}

struct command lab_audit(void)
{
    return (struct command){.number = COMMAND_AUDIT,
                            .audit = {.nonce = {1, 2, 3, 4, 5, 6, 7, 8}, .first_slot = 1}};
}
