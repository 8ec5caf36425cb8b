// Remote management of files by secured packets [102.225, 102.226]: what passes, what is refused
// and how, and how answers travel.
#include "tests/unit/sim/apdu_lab.h"

#include "common/wire/remote.h"

#define SHARED 0xB00000
#define USIM 0xB00010
#define OPEN 0xB00020 // takes less: no counter
#define POOR 0xB00030 // its scripts may only what everybody may

enum { AES_128, AES_192, AES_256, DES_2, DES_3, SETS };
static struct product_key_set sets[SETS];
static const struct product_target targets[] = {
    {SHARED, TARGET_SHARED, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 0xFF},
    {USIM, TARGET_ADF, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 0xFF},
    {OPEN, TARGET_SHARED, 0x06, 1U << UICC_ADM1, 1U << AES_128},
    {POOR, TARGET_SHARED, 0x16, 0, 0xFF},
};
static struct card_product product;

static struct secret_key key_of(size_t len, uint8_t seed)
{
    uint8_t octets[32];
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)(seed + 7 * i);
    return secret_key_of(bytes_of(octets, len));
}

static int open_remote(void **state)
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

static void prepare(unsigned set, uint16_t spi, uint32_t tar, uint64_t cntr)
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

static size_t write_packet(const char *script, uint8_t packet[SMS_PACKET_MAX])
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
static uint16_t envelope(struct bytes user_data)
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

static uint16_t send_part(const uint8_t *packet, size_t len, size_t part)
{
    uint8_t user_data[SMS_USER_DATA_MAX];
    struct writer w = writer_of(user_data, sizeof user_data);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = 0x2A};
    sms_cut_part(&cut, bytes_of(packet, len), part, &w);
    assert_false(w.failed);
    return envelope(writer_bytes(&w));
}

static uint16_t run(const char *script)
{
    uint8_t packet[SMS_PACKET_MAX];
    size_t len = write_packet(script, packet);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = 0x2A};
    uint16_t sw = 0;
    for (size_t part = 0; part < sms_cut_count(&cut, len); part++)
        sw = send_part(packet, len, part);
    return sw;
}

static void open_packet(struct bytes packet)
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
static void assert_report(uint8_t status, const char *hex)
{
    assert_true(report.len > 3 && report.len <= 128);
    assert_memory_equal(report.at, "\x02\x71\x00", 3);
    open_packet(bytes_slice(report, 3, SIZE_MAX));
    assert_int_equal(response.status, status);
    answer = writer_of(answer_octets, sizeof answer_octets);
    writer_copy(&answer, response.data);
    assert_answer(hex);
}

static void assert_silent(void)
{
    assert_int_equal(report.len, 0);
}

// Fetches all parts of the answer that goes by messages; how many there were.
static unsigned fetch(uint16_t sw)
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

static void a_script_reads_a_file_with_every_kind_of_key(void **state)
{
    (void)state;
    uint8_t iccid[10];
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00B000000A"), SW_OK);
    memcpy(iccid, answer_octets, sizeof iccid);
    for (unsigned set = 0; set < SETS; set++) {
        prepare(set, 0x1619, SHARED, 1);
        assert_int_equal(run(READ_ICCID) & 0xFF00, 0x9000);
        open_packet(bytes_slice(report, 3, SIZE_MAX));
        assert_int_equal(response.status, SECURED_STATUS_OK);
        assert_int_equal(response.data.len, 13); // two commands, 90 00, ten octets
        assert_memory_equal(response.data.at, "\x02\x90\x00", 3);
        assert_memory_equal(response.data.at + 3, iccid, 10);
    }
}

static void a_script_stops_at_the_first_failure(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run("00A40000022FE2 00A4000002FFFE 00B000000A");
    assert_report(SECURED_STATUS_OK, "026A82");
    prepare(AES_128, 0x1619, SHARED, 2);
    (void)run("00A4000402 2F05"); // the answer waits, nobody asks for it
    assert_report(SECURED_STATUS_OK, "016119");
    prepare(AES_128, 0x1619, SHARED, 3);
    (void)run("00A4000402 2F05 00C0000019");
    assert_report(SECURED_STATUS_OK,
                  "029000 6217 82024121 83022F05 8A0105 8B032F0605 80020002 880128");
    prepare(AES_128, 0x1619, SHARED, 4);
    (void)run("8010000002FFFF"); // no command of file management
    assert_report(SECURED_STATUS_OK, "016D00");
}

static void the_expanded_formats_are_answered_in_kind(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run("AA09 2207 00A4000C02 2F05");
    assert_report(SECURED_STATUS_OK, "AB07 800101 2302 9000");
    prepare(AES_128, 0x1619, SHARED, 2);
    (void)run("AE80 2207 00A4000C02 2F05 2205 00B0000002 0000");
    assert_report(SECURED_STATUS_OK, "AF80 2302 9000 2304 FFFF 9000 0000");
    prepare(AES_128, 0x1619, SHARED, 3);
    (void)run("AA09 2207 00A4000C02 2F05 55"); // something that is no command
    assert_int_equal(report.at[0], 0x02);
}

static void the_targets_are_where_they_should_be(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run("00A40000027FFF");
    assert_report(SECURED_STATUS_OK, "016A82"); // no ADF from here
    prepare(AES_128, 0x1619, USIM, 2);
    (void)run("00A4000002 6F07 00D6000009 080910200000000099 00B0000009");
    assert_report(SECURED_STATUS_OK, "039000 080910200000000099"); // ADM1 is granted
    prepare(AES_128, 0x1619, SHARED, 3);
    (void)run("00A4040010 A0000000871002FFFFFFFF8907090000");
    assert_report(SECURED_STATUS_OK, "016A81"); // not by name
    prepare(AES_128, 0x1619, POOR, 4);
    (void)run("00A4000002 2F08 00D6000001 11"); // EF.UMPC
    assert_report(SECURED_STATUS_OK, "026982");
    // The terminal's own selection did not move.
    assert_int_equal(send("00B0000001"), SW_NO_EF_SELECTED);
}

static void counters_are_held(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 10);
    (void)run(READ_ICCID);
    assert_int_equal(report.at[1], 0x71);
    (void)run(READ_ICCID); // the same again
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_128, 0x1619, SHARED, 9);
    (void)run(READ_ICCID);
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_128, 0x1E19, SHARED, 12); // exactly the next one is asked for
    (void)run(READ_ICCID);
    assert_report(SECURED_STATUS_CNTR_HIGH, "");
    prepare(AES_128, 0x1E19, SHARED, 11);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    reset_card();
    prepare(AES_128, 0x1619, SHARED, 11);
    (void)run(READ_ICCID);
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_256, 0x1619, SHARED, 5); // every key set has its own
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    prepare(AES_128, 0x1619, SHARED, SECURED_CNTR_MAX);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_CNTR_BLOCKED, "");
    // Without a counter it goes on where that is enough, and moves nothing.
    prepare(AES_128, 0x0619, OPEN, 3);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
}

static void less_security_than_the_target_asks_is_refused(void **state)
{
    static const uint16_t low[] = {0x1219, 0x0619, 0x0E19, 0x0219, 0x1A19};
    (void)state;
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++) {
        prepare(AES_128, low[i], SHARED, 100 + i);
        (void)run(READ_ICCID);
        assert_report(SECURED_STATUS_LEVEL_TOO_LOW, "");
    }
}

static void before_the_mac_is_right_nothing_is_said(void **state)
{
    (void)state;
    uint8_t packet[SMS_PACKET_MAX];
    prepare(AES_128, 0x1619, SHARED, 1);
    size_t len = write_packet(READ_ICCID, packet);
    for (size_t bit = 0; bit < 8 * len; bit += 11) {
        packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(send_part(packet, len, 0) & 0xFF00, 0x9000);
        // Another TAR is the applet's business, which is silent as well.
        assert_silent();
        packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
        reset_card(); // not deaf
    }
    // No MAC; an unknown version; two versions; an algorithm that the set has not.
    prepare(AES_128, 0x0419, SHARED, 1);
    (void)run(READ_ICCID);
    assert_silent();
    static const uint8_t indications[][2] = {
        {0x92, 0x92}, {0x22, 0x32}, {0x02, 0x02}, {0x25, 0x25}};
    for (size_t i = 0; i < sizeof indications / sizeof indications[0]; i++) {
        prepare(AES_128, 0x1619, SHARED, 1);
        command.kic = indications[i][0];
        command.kid = indications[i][1];
        (void)run(READ_ICCID);
        assert_silent();
    }
    // A talkative card says what was wrong, unsecured.
    prepare(AES_128, 0x1619, SHARED, 1);
    lab.shop.is_talkative = true;
    packet[len - 1] ^= 1;
    (void)send_part(packet, len, 0);
    assert_int_equal(report.len, 16);
    assert_memory_equal(report.at, "\x02\x71\x00\x00\x0B\x0A\xB0\x00\x00", 9);
    assert_int_equal(report.at[15], SECURED_STATUS_CHECK_FAILED);
    packet[len - 1] ^= 1;
    (void)send_part(packet, len, 0);
    open_packet(bytes_slice(report, 3, SIZE_MAX));
    assert_int_equal(response.status, SECURED_STATUS_OK); // nothing of all this moved the counter
}

static void many_wrong_packets_make_the_card_deaf_for_a_while(void **state)
{
    (void)state;
    uint8_t packet[SMS_PACKET_MAX];
    prepare(AES_128, 0x1619, SHARED, 1);
    size_t len = write_packet(READ_ICCID, packet);
    packet[len - 1] ^= 1;
    for (unsigned i = 0; i < 16; i++)
        (void)send_part(packet, len, 0);
    packet[len - 1] ^= 1;
    (void)send_part(packet, len, 0);
    assert_silent();
    for (unsigned i = 0; i < 2; i++)
        (void)send("80F2000C00"); // 30 s each
    (void)send_part(packet, len, 0);
    assert_true(report.len > 0);
}

static void an_answer_goes_by_message_when_asked(void **state)
{
    (void)state;
    prepare(AES_128, 0x1639, SHARED, 1);
    uint16_t sw = run("00A40000022F05 00B0000002");
    assert_silent();
    assert_int_equal(fetch(sw), 1);
    assert_int_equal(response.status, SECURED_STATUS_OK);
    assert_int_equal(response.data.len, 5);
    assert_memory_equal(response.data.at, "\x02\x90\x00\xFF\xFF", 5);
    // No answer wanted; only on error.
    prepare(AES_128, 0x1638, SHARED, 2);
    assert_int_equal(run(READ_ICCID), SW_OK);
    prepare(AES_128, 0x163A, SHARED, 3);
    assert_int_equal(run(READ_ICCID), SW_OK);
    prepare(AES_128, 0x163A, SHARED, 3);
    assert_int_equal(fetch(run(READ_ICCID)), 1);
    assert_int_equal(response.status, SECURED_STATUS_CNTR_LOW);
}

#define READ_RULE(record) "2205 00B2" record "0438 "
#define LONG_SCRIPT                                                                                \
    "AE80 2207 00A4000C02 2F06" READ_RULE("01") READ_RULE("02") READ_RULE("03") READ_RULE("04")    \
        READ_RULE("05") "0000"

static void a_long_answer_follows_in_several_messages(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    uint16_t sw = run(LONG_SCRIPT);
    assert_report(SECURED_STATUS_FOLLOWS_BY_SUBMIT, "");
    // 2 + 4 + 5 * (2 + 56 + 2) + 2 octets of data.
    assert_int_equal(fetch(sw), 3);
    assert_int_equal(response.status, SECURED_STATUS_OK);
    assert_int_equal(response.data.len, 308);
    struct remote_result result;
    assert_true(remote_result_read(REMOTE_INDEFINITE, response.data, &result));
    assert_int_equal(result.executed, 6);
    assert_int_equal(result.data.len, 56);
}

static void a_terminal_that_cannot_send_is_told_at_once(void **state)
{
    (void)state;
    reset_card();
    (void)send("8010000002 0900"); // SMS-PP download, nothing to send with
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run(LONG_SCRIPT);
    assert_report(SECURED_STATUS_NO_MEMORY, "");
}

static void parts_come_in_any_order(void **state)
{
    static const uint8_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}};
    (void)state;
    char script[1200] = "00A40000022F05 ";
    for (unsigned i = 0; i < 40; i++)
        (void)strncat(script, "00D6000002ABCD ", sizeof script - strlen(script) - 1);
    for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        uint8_t packet[SMS_PACKET_MAX];
        prepare(AES_128, 0x1619, SHARED, i + 1);
        size_t len = write_packet(script, packet);
        (void)send_part(packet, len, orders[i][0]);
        assert_silent();
        (void)send_part(packet, len, orders[i][0]); // twice
        assert_silent();
        (void)send_part(packet, len, orders[i][1]);
        assert_silent();
        (void)send_part(packet, len, orders[i][2]);
        assert_report(SECURED_STATUS_OK, "299000");
    }
}

// A busy terminal is asked again; one that refuses is left alone.
static void terminals_that_cannot_send_now_are_asked_again(void **state)
{
    (void)state;
    prepare(AES_128, 0x1639, SHARED, 1);
    uint16_t sw = run(READ_ICCID);
    for (unsigned i = 0; i < 2; i++) {
        char get[16];
        (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
        assert_int_equal(sw & 0xFF00, 0x9100);
        assert_int_equal(send(get), SW_OK);
        sw = send("801400000D 8103E01300 82028281 83022004"); // no service
    }
    assert_int_equal(fetch(sw), 1);
    prepare(AES_128, 0x1639, SHARED, 2);
    sw = run(READ_ICCID);
    char get[16];
    (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
    assert_int_equal(send(get), SW_OK);
    assert_int_equal(send("801400000C 8103E01300 82028281 830130"), SW_OK);
    assert_int_equal(send("80F2000C00"), SW_OK);
}

// The counter is committed before anything is executed: whatever octet the power goes at, the same
// packet is executed once at most.
static void a_power_cut_never_executes_twice(void **state)
{
    bool is_through = false;
    unsigned executed = 0;
    for (uint64_t cut = 1; !is_through; cut++) {
        (void)close_card(state);
        (void)open_remote(state);
        prepare(AES_128, 0x1619, USIM, 1);
        struct nvm_faults faults = {.cut_at = cut};
        card->nvm.faults = &faults;
        uint16_t sw = run("00A4000002 6F39 8032000003 000001"); // EF.ACM: counts
        is_through = sw != CARD_MUTE;
        card->nvm.faults = NULL;
        reset_card();
        (void)run("00A4000002 6F39 8032000003 000001");
        assert_int_equal(send(SELECT_USIM), SW_OK);
        assert_int_equal(send("00A4000C026F39"), SW_OK);
        assert_int_equal(send("00B2010403"), SW_OK);
        assert_true(answer_octets[2] <= 1);
        executed += answer_octets[2];
    }
    assert_true(executed > 0);
}

static void an_unserved_envelope_is_refused(void **state)
{
    (void)state;
    assert_int_equal(send("80C2000006 D204 82028281"), SW_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(send("80C2000006 D304 82028281"), SW_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(send("80C2000006 D404 82028281"), SW_FUNCTION_NOT_SUPPORTED);
}

// A cyclic file in the USIM with records of 255 octets, under the rule of EF.ACM.
#define CREATE_LONG_RECORDS "00E000001A 6218 8204462100FF 83026F9F 8A0105 8B036F0607 800201FE 8800 "

// INCREASE answers the sum and what was added: 256 octets is what an answer can have.
static void an_increase_that_cannot_be_answered_is_refused(void **state)
{
    (void)state;
    char script[600] = CREATE_LONG_RECORDS "803200007F";
    for (unsigned i = 0; i < 127; i++)
        (void)strncat(script, "00", sizeof script - strlen(script) - 1);
    prepare(AES_128, 0x1619, USIM, 1);
    (void)run(script);
    assert_report(SECURED_STATUS_OK, "026700");
    prepare(AES_128, 0x1619, USIM, 2);
    (void)run("00A40000026F9F 8032000002 0000");
    assert_report(SECURED_STATUS_OK, "026700");
    prepare(AES_128, 0x1619, USIM, 3);
    (void)run("00A40000026F39 8032000001 07 00C0000004");
    assert_report(SECURED_STATUS_OK, "039000 00000707");
}

static bool holds_parts(void)
{
    for (size_t i = 0; i < CARD_JOINERS; i++) {
        if (lab.shop.joiner_owner[i] == &card->remote)
            return true;
    }
    return false;
}

// The memory for long packets is all cards': a card gives it back when nothing waits in it.
static void memory_for_parts_is_given_back(void **state)
{
    (void)state;
    uint8_t packet[SMS_PACKET_MAX];
    char script[1200] = "00A40000022F05 ";
    for (unsigned i = 0; i < 20; i++)
        (void)strncat(script, "00D6000002ABCD ", sizeof script - strlen(script) - 1);
    prepare(AES_128, 0x1619, SHARED, 1);
    size_t len = write_packet(script, packet);
    (void)send_part(packet, len, 1);
    assert_true(holds_parts());
    (void)send_part(packet, len, 0);
    assert_report(SECURED_STATUS_OK, "159000");
    assert_false(holds_parts());
    // The rest never comes.
    prepare(AES_128, 0x1619, SHARED, 2);
    len = write_packet(script, packet);
    (void)send_part(packet, len, 0);
    (void)send("80F2000C00");
    assert_true(holds_parts());
    (void)send("80F2000C00");
    assert_false(holds_parts());
    assert_silent();
    (void)send_part(packet, len, 0);
    (void)send_part(packet, len, 1);
    assert_report(SECURED_STATUS_OK, "159000");
    // Its first part says late that it is not for remote management.
    prepare(AES_128, 0x1619, 0x123456, 3);
    len = write_packet(script, packet);
    (void)send_part(packet, len, 1);
    assert_true(holds_parts());
    (void)send_part(packet, len, 0);
    assert_false(holds_parts());
}

// A packet comes while the terminal is sending a part of the former answer: what it then says is
// of that part, and the new answer goes whole.
static void a_new_answer_goes_whole(void **state)
{
    (void)state;
    for (unsigned done = 0; done < 3; done++) {
        char get[16];
        prepare(AES_128, 0x1619, SHARED, 2 * done + 1);
        uint16_t sw = run(LONG_SCRIPT);
        (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
        assert_int_equal(send(get), SW_OK);
        prepare(AES_128, 0x1619, SHARED, 2 * done + 2);
        assert_int_equal(run(LONG_SCRIPT), SW_OK); // one command at a time
        if (done == 0)
            sw = send("801400000C 8103E01300 82028281 830100");
        if (done == 1)
            sw = send("801400000C 8103E01300 82028281 830130"); // refused
        for (unsigned i = 0; done == 2 && i < 8; i++)
            sw = send("80F2000C00"); // never answered
        assert_int_equal(fetch(sw), 3);
        assert_int_equal(response.status, SECURED_STATUS_OK);
        assert_int_equal(response.data.len, 308);
    }
}

#define WRITE_LOCI "00D600000B FFFFFFFF 00F110 FFFE FF 01 "

static void a_script_is_not_the_terminal(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F7E"), SW_OK);
    (void)send("00D600000B FFFFFFFF 00F110 FFFE FF 00"); // updated
    assert_int_equal(card->applet.service, CAT_SERVICE_NORMAL);
    prepare(AES_128, 0x1619, USIM, 1);
    (void)run("00A4000002 6F7E" WRITE_LOCI);
    assert_report(SECURED_STATUS_OK, "029000");
    assert_int_equal(card->applet.service, CAT_SERVICE_NORMAL);
    (void)send(WRITE_LOCI);
    assert_int_equal(card->applet.service, CAT_SERVICE_NONE);
}

int main(void)
{
#define REMOTE_TEST(name) cmocka_unit_test_setup_teardown(name, open_remote, close_card)
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(a_script_reads_a_file_with_every_kind_of_key),
        REMOTE_TEST(a_script_stops_at_the_first_failure),
        REMOTE_TEST(the_expanded_formats_are_answered_in_kind),
        REMOTE_TEST(the_targets_are_where_they_should_be),
        REMOTE_TEST(counters_are_held),
        REMOTE_TEST(less_security_than_the_target_asks_is_refused),
        REMOTE_TEST(before_the_mac_is_right_nothing_is_said),
        REMOTE_TEST(many_wrong_packets_make_the_card_deaf_for_a_while),
        REMOTE_TEST(an_answer_goes_by_message_when_asked),
        REMOTE_TEST(a_long_answer_follows_in_several_messages),
        REMOTE_TEST(a_terminal_that_cannot_send_is_told_at_once),
        REMOTE_TEST(parts_come_in_any_order),
        REMOTE_TEST(terminals_that_cannot_send_now_are_asked_again),
        REMOTE_TEST(a_power_cut_never_executes_twice),
        REMOTE_TEST(an_unserved_envelope_is_refused),
        REMOTE_TEST(an_increase_that_cannot_be_answered_is_refused),
        REMOTE_TEST(memory_for_parts_is_given_back),
        REMOTE_TEST(a_new_answer_goes_whole),
        REMOTE_TEST(a_script_is_not_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
