// One card with key sets and targets of remote management, and a hand that sends it scripts.
// Includes cmocka, so it belongs into test programs only.
#pragma once

#include "tests/unit/sim/apdu_lab.h"

#include "common/wire/remote.h"

#define SHARED 0xB00000
#define USIM 0xB00010
#define OPEN 0xB00020  // takes less: no counter
#define POOR 0xB00030  // its scripts may only what everybody may
#define CLEAR 0xB00040 // needs no ciphering

enum { AES_128, AES_192, AES_256, DES_2, DES_3, SETS };
static struct product_key_set sets[SETS];
static const struct product_target targets[] = {
    {SHARED, UICC_MF, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 0xFF, TARGET_NO_REFRESH},
    {USIM, UICC_USIM, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 0xFF, TARGET_NO_REFRESH},
    {OPEN, UICC_MF, 0x06, 1U << UICC_ADM1, 1U << AES_128, TARGET_NO_REFRESH},
    {POOR, UICC_MF, 0x16, 0, 0xFF, TARGET_NO_REFRESH},
    {CLEAR, UICC_MF, 0x12, 0, 0xFF, TARGET_NO_REFRESH},
};
static struct card_product product;

static inline struct secret_key key_of(size_t len, uint8_t seed)
{
    uint8_t octets[32];
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)(seed + 7 * i);
    return secret_key_of(bytes_of(octets, len));
}

static inline int open_remote(void **state)
{
    static const uint8_t lengths[SETS] = {16, 24, 32, 16, 24};
    (void)open_card(state);
    for (uint8_t i = 0; i < SETS; i++)
        sets[i] = (struct product_key_set){.version = (uint8_t)(i + 2),
                                           .is_legacy = i >= DES_2,
                                           .kic = key_of(lengths[i], (uint8_t)(16 * i + 1)),
                                           .kid = key_of(lengths[i], (uint8_t)(16 * i + 9))};
    product = card_product_standard;
    product.key_set_count = SETS;
    product.key_sets = sets;
    product.target_count = sizeof targets / sizeof targets[0];
    product.targets = targets;
    lab.shop.product = &product;
    reset_card();
    // Everything the applet and the outbox want of a terminal; what the applet asks is served.
    uint16_t sw = send("8010000014 FFFFFFFF7F9F00DFBF0000000000000000000000");
    while ((sw & 0xFF00) == 0x9100) {
        char command[64];
        (void)snprintf(command, sizeof command, "80120000%02X", sw & 0xFF);
        assert_int_equal(send(command), SW_OK);
        struct cat_message message;
        assert_int_equal(cat_read_command(bytes_of(answer_octets, answer.len), &message), CAT_OK);
        (void)snprintf(command, sizeof command, "801400000C8103%02X%02X%02X820282818301%02X",
                       message.number, message.type, message.qualifier,
                       message.type == CAT_PROVIDE_LOCAL_INFORMATION ? 0x30 : 0x00);
        sw = send(command);
    }
    assert_int_equal(sw, SW_OK);
    return 0;
}

// What is sent next, and what came back.
static struct secured_command command;
static unsigned set_used;
static uint8_t report_octets[256];
static struct bytes report;
static struct secured_packet response;
static uint8_t clear_octets[SMS_PACKET_MAX];

static inline void prepare(unsigned set, uint16_t spi, uint32_t tar, uint64_t cntr)
{
    static const uint8_t algorithms[SETS] = {2, 2, 2, 5, 9};
    uint8_t indication = (uint8_t)((set + 2) << 4 | algorithms[set]);
    set_used = set;
    command = (struct secured_command){.spi1 = (uint8_t)(spi >> 8),
                                       .spi2 = (uint8_t)spi,
                                       .kic = indication,
                                       .kid = indication,
                                       .tar = tar,
                                       .cntr = cntr};
}

static inline size_t write_packet(const char *script, uint8_t packet[SMS_PACKET_MAX])
{
    static uint8_t data[SMS_PACKET_MAX];
    char digits[2 * SMS_PACKET_MAX + 1];
    size_t len = 0;
    for (; *script != 0; script++) {
        if (*script != ' ')
            digits[len++] = *script;
    }
    struct writer d = writer_of(data, sizeof data);
    assert_true(text_unhex(bytes_of(digits, len), &d));
    command.data = writer_bytes(&d);
    struct secured_keys keys = {.kic = &sets[set_used].kic, .kid = &sets[set_used].kid};
    struct writer w = writer_of(packet, SMS_PACKET_MAX);
    assert_int_equal(secured_write_command(&w, &command, &keys, &lab.cipher), SECURED_OK);
    return w.len;
}

// One message; the report is kept.
static inline uint16_t envelope(struct bytes user_data)
{
    uint8_t octets[300], tpdu_octets[SMS_DELIVER_MAX], data[CAT_DATA_MAX];
    struct writer tpdu = writer_of(tpdu_octets, sizeof tpdu_octets);
    struct writer d = writer_of(data, sizeof data);
    struct writer w = writer_of(octets, sizeof octets);
    lab_tpdu(user_data, &tpdu);
    struct cat_message download = cat_sms_download(bytes_of(NULL, 0), writer_bytes(&tpdu));
    cat_write_envelope(&d, CAT_SMS_PP_DOWNLOAD, &download);
    struct apdu apdu = {.cla = 0x80, .ins = INS_ENVELOPE, .data = writer_bytes(&d)};
    apdu_write(&w, &apdu);
    struct writer out = writer_of(report_octets, sizeof report_octets);
    uint16_t sw = card_exchange(card, writer_bytes(&w), &out);
    report = writer_bytes(&out);
    return sw;
}

static inline uint16_t send_part(const uint8_t *packet, size_t len, size_t part)
{
    uint8_t user_data[SMS_USER_DATA_MAX];
    struct writer w = writer_of(user_data, sizeof user_data);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = 0x2A};
    sms_cut_part(&cut, bytes_of(packet, len), part, &w);
    assert_false(w.failed);
    return envelope(writer_bytes(&w));
}

static inline uint16_t run(const char *script)
{
    uint8_t packet[SMS_PACKET_MAX];
    size_t len = write_packet(script, packet);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = 0x2A};
    uint16_t sw = 0;
    for (size_t part = 0; part < sms_cut_count(&cut, len); part++)
        sw = send_part(packet, len, part);
    return sw;
}

static inline void open_packet(struct bytes packet)
{
    struct secured_keys keys = {.kic = &sets[set_used].kic, .kid = &sets[set_used].kid};
    struct writer w = writer_of(clear_octets, sizeof clear_octets);
    assert_int_equal(secured_response_shape(packet, &command, &response), SECURED_OK);
    assert_int_equal(secured_decipher(&response, &keys, &lab.cipher, &w), SECURED_OK);
    assert_int_equal(secured_verify(&response, &keys, &lab.cipher), SECURED_OK);
    assert_int_equal(response.tar, command.tar);
    assert_int_equal(response.cntr, command.cntr);
}

// The answer in the report: its status, and data when it is OK.
static inline void assert_report(uint8_t status, const char *hex)
{
    assert_true(report.len > 3 && report.len <= 128);
    assert_memory_equal(report.at, "\x02\x71\x00", 3);
    open_packet(bytes_slice(report, 3, SIZE_MAX));
    assert_int_equal(response.status, status);
    answer = writer_of(answer_octets, sizeof answer_octets);
    writer_copy(&answer, response.data);
    assert_answer(hex);
}

static inline void assert_silent(void)
{
    assert_int_equal(report.len, 0);
}

// Fetches all parts of the answer that goes by messages; how many there were.
static inline unsigned fetch(uint16_t sw)
{
    static struct sms_joiner joiner;
    static uint8_t whole[SMS_PACKET_MAX];
    unsigned parts = 0;
    sms_joiner_init(&joiner);
    struct sms_packet packet = {.kind = SMS_NO_PACKET};
    while ((sw & 0xFF00) == 0x9100 && packet.kind == SMS_NO_PACKET) {
        char get[64];
        (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
        assert_int_equal(send(get), SW_OK);
        struct cat_message message;
        struct sms_submit submit;
        assert_int_equal(cat_read_command(bytes_of(answer_octets, answer.len), &message), CAT_OK);
        assert_int_equal(message.type, CAT_SEND_SHORT_MESSAGE);
        // The service centre is there, the recipient is the server, never the sender.
        assert_true((message.has & CAT_HAS_ADDRESS) != 0 && message.address.len > 0);
        assert_int_equal(sms_read_submit(message.tpdu, &submit), SMS_OK);
        struct phone recipient;
        assert_true(sms_address_phone(&submit.recipient, &recipient));
        assert_string_equal(recipient.digits, "99900000");
        struct instant now = {0};
        struct sms_packet joined;
        if (sms_join(&joiner, &submit.recipient, submit.user_data, now, &joined) ==
            SMS_JOIN_COMPLETE) {
            memcpy(whole, joined.octets.at, joined.octets.len);
            packet = joined;
            packet.octets.at = whole;
        }
        parts++;
        (void)snprintf(get, sizeof get, "801400000C8103%02X13%02X820282818301%02X", message.number,
                       message.qualifier, 0);
        sw = send(get);
    }
    assert_int_equal(packet.kind, SMS_RESPONSE_PACKET);
    open_packet(packet.octets);
    return parts;
}

#define READ_ICCID "00A40000022FE2 00B000000A"
#define REMOTE_TEST(name) cmocka_unit_test_setup_teardown(name, open_remote, close_card)
