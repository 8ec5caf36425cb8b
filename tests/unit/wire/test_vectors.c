#include "tests/lib/cmocka_all.h"
#include "tests/lib/vectors.h"

#include "common/host/cipher_openssl.h"
#include "common/wire/apdu.h"
#include "common/wire/cat.h"
#include "common/wire/crc.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"

#define PACKET_MAX 512
#define CARD_MINIMUM_LEVEL 0x16

struct run {
    struct cipher cipher;
    const char *kind;
    size_t count;
    void (*test)(const struct vector *v, const struct cipher *cipher);
};

static void run_one(const struct vector *v, void *context)
{
    struct run *run = context;
    if (strcmp(v->kind, run->kind) != 0)
        return;
    run->count++;
    run->test(v, &run->cipher);
}

static size_t run_all(const char *kind, void (*test)(const struct vector *, const struct cipher *))
{
    struct run run = {.kind = kind, .test = test};
    assert_true(cipher_openssl_open(&run.cipher));
    assert_int_equal(vectors_each("tests/vectors/ota.txt", run_one, &run), 22);
    cipher_openssl_close(&run.cipher);
    return run.count;
}

static void assert_bytes(struct bytes got, struct bytes expected)
{
    assert_int_equal(got.len, expected.len);
    if (expected.len > 0)
        assert_memory_equal(got.at, expected.at, expected.len);
}

static uint64_t number(const struct vector *v, const char *key)
{
    uint64_t value = 0;
    const struct bytes b = vector_get(v, key);
    for (size_t i = 0; i < b.len; i++)
        value = value << 8 | b.at[i];
    return value;
}

struct key_set {
    struct secret_key kic;
    struct secret_key kid;
    struct secured_keys keys;
};

static void open_keys(struct key_set *set, const struct vector *v)
{
    set->kic = secret_key_of(vector_get(v, "kic_key"));
    set->kid = secret_key_of(vector_get(v, "kid_key"));
    set->keys = (struct secured_keys){.kic = &set->kic, .kid = &set->kid, .cmac_len = 8};
}

static struct secured_command command_of(const struct vector *v)
{
    const uint64_t spi = number(v, "spi");
    return (struct secured_command){
        .spi1 = (uint8_t)(spi >> 8),
        .spi2 = (uint8_t)spi,
        .kic = (uint8_t)number(v, "kic"),
        .kid = (uint8_t)number(v, "kid"),
        .tar = (uint32_t)number(v, "tar"),
        .cntr = number(v, "cntr"),
        .data = vector_get(v, "data"),
    };
}

// What the MAC covers, put together from an opened packet.
static void assert_mac_input(const struct secured_packet *p, struct bytes expected)
{
    uint8_t octets[PACKET_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    const size_t start_len = p->is_response ? 7 : 6;
    if (p->is_response)
        writer_copy(&w, bytes_of("\x02\x71\x00", 3));
    writer_copy(&w, p->head);
    writer_copy(&w, bytes_slice(p->body, 0, start_len));
    writer_copy(&w, bytes_slice(p->body, start_len + p->check_len, PACKET_MAX));
    assert_bytes(writer_bytes(&w), expected);
}

static void assert_cut(const struct sms_cut *cut, struct bytes packet, size_t index,
                       struct bytes expected)
{
    uint8_t octets[SMS_USER_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    sms_cut_part(cut, packet, index, &w);
    assert_false(w.failed);
    assert_bytes(writer_bytes(&w), expected);
}

static void build_command(const struct vector *v, const struct cipher *cipher)
{
    struct key_set set;
    uint8_t octets[PACKET_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    const struct secured_command command = command_of(v);
    open_keys(&set, v);
    assert_int_equal(secured_write_command(&w, &command, &set.keys, cipher), SECURED_OK);
    assert_bytes(writer_bytes(&w), vector_get(v, "packet"));
    assert_int_equal(
        secured_command_len(command.spi1, command.kic, command.kid, 8, command.data.len), w.len);

    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    cut.reference = (uint16_t)number(v, "concat_ref");
    if (vector_has(v, "concat_ref")) {
        assert_int_equal(sms_cut_count(&cut, w.len), 2);
        assert_cut(&cut, writer_bytes(&w), 0, vector_get(v, "tp_ud_1"));
        assert_cut(&cut, writer_bytes(&w), 1, vector_get(v, "tp_ud_2"));
    } else {
        assert_int_equal(sms_cut_count(&cut, w.len), 1);
        assert_cut(&cut, writer_bytes(&w), 0, vector_get(v, "tp_ud"));
    }
}

static void a_built_command_is_the_published_one(void **state)
{
    (void)state;
    assert_int_equal(run_all("command", build_command), 9);
}

// The packet in the user data of the vector, joined if there are two.
static struct bytes join(const struct vector *v, struct sms_joiner *joiner)
{
    const struct sms_address sender = {.digit_count = 2, .type = 0x91, .octets = {0x21}};
    const struct instant now = {1};
    struct sms_packet packet;
    sms_joiner_init(joiner);
    if (vector_has(v, "tp_ud")) {
        assert_int_equal(sms_join(joiner, &sender, vector_get(v, "tp_ud"), now, &packet),
                         SMS_JOIN_COMPLETE);
    } else {
        assert_int_equal(sms_join(joiner, &sender, vector_get(v, "tp_ud_2"), now, &packet),
                         SMS_JOIN_WAITING);
        assert_int_equal(sms_join(joiner, &sender, vector_get(v, "tp_ud_1"), now, &packet),
                         SMS_JOIN_COMPLETE);
    }
    return packet.octets;
}

static void open_command(const struct vector *v, const struct cipher *cipher)
{
    struct key_set set;
    struct sms_joiner joiner;
    struct secured_packet p;
    uint8_t clear[PACKET_MAX];
    struct writer buffer = writer_of(clear, sizeof clear);
    const struct secured_command expected = command_of(v);
    open_keys(&set, v);
    assert_int_equal(secured_command_shape(join(v, &joiner), &p), SECURED_OK);
    assert_int_equal(p.spi1, expected.spi1);
    assert_int_equal(p.spi2, expected.spi2);
    assert_int_equal(p.kic, expected.kic);
    assert_int_equal(p.kid, expected.kid);
    assert_int_equal(p.tar, expected.tar);
    assert_int_equal(secured_decipher(&p, &set.keys, cipher, &buffer), SECURED_OK);
    assert_bytes(p.body, vector_get(v, "clear"));
    assert_mac_input(&p, vector_get(v, "mac_input"));
    assert_bytes(p.check, vector_get(v, "cc"));
    assert_int_equal(secured_verify(&p, &set.keys, cipher), SECURED_OK);
    assert_bytes(p.data, expected.data);
    assert_int_equal(p.cntr, expected.cntr);
    assert_int_equal(p.pcntr, number(v, "pcntr"));
}

static void an_opened_command_gives_what_went_in(void **state)
{
    (void)state;
    assert_int_equal(run_all("command", open_command), 9);
}

// The card's order: shape, decipher, verify, level.
static bool card_accepts(struct bytes packet, const struct secured_keys *keys,
                         const struct cipher *cipher)
{
    struct secured_packet p;
    uint8_t clear[PACKET_MAX];
    struct writer buffer = writer_of(clear, sizeof clear);
    return secured_command_shape(packet, &p) == SECURED_OK &&
           secured_decipher(&p, keys, cipher, &buffer) == SECURED_OK &&
           secured_verify(&p, keys, cipher) == SECURED_OK &&
           secured_level_satisfies(p.spi1, CARD_MINIMUM_LEVEL);
}

static void flip_command(const struct vector *v, const struct cipher *cipher)
{
    struct key_set set;
    uint8_t octets[PACKET_MAX];
    const struct bytes packet = vector_get(v, "packet");
    open_keys(&set, v);
    memcpy(octets, packet.at, packet.len);
    const bool is_strong = number(v, "spi") >> 8 == CARD_MINIMUM_LEVEL;
    assert_int_equal(card_accepts(packet, &set.keys, cipher), is_strong);
    for (size_t bit = 0; bit < packet.len * 8; bit++) {
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(card_accepts(bytes_of(octets, packet.len), &set.keys, cipher));
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_command_with_any_bit_changed_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_all("command", flip_command), 9);
}

static struct secured_response response_of(const struct vector *v)
{
    return (struct secured_response){
        .spi2 = (uint8_t)number(v, "spi"),
        .kic = (uint8_t)number(v, "kic"),
        .kid = (uint8_t)number(v, "kid"),
        .tar = (uint32_t)number(v, "tar"),
        .cntr = number(v, "cntr"),
        .status = (uint8_t)number(v, "status"),
        .data = vector_get(v, "data"),
    };
}

static void build_response(const struct vector *v, const struct cipher *cipher)
{
    struct key_set set;
    uint8_t octets[PACKET_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    const struct secured_response response = response_of(v);
    const struct sms_cut cut = {.kind = SMS_RESPONSE_PACKET};
    open_keys(&set, v);
    assert_int_equal(secured_write_response(&w, &response, &set.keys, cipher), SECURED_OK);
    assert_cut(&cut, writer_bytes(&w), 0, vector_get(v, "tp_ud"));
    assert_int_equal(
        secured_response_len(response.spi2, response.kic, response.kid, 8, response.data.len),
        w.len);
}

static void a_built_response_is_the_published_one(void **state)
{
    (void)state;
    assert_int_equal(run_all("response", build_response), 7);
}

static void open_response(const struct vector *v, const struct cipher *cipher)
{
    struct key_set set;
    struct sms_joiner joiner;
    struct secured_packet p;
    uint8_t clear[PACKET_MAX];
    struct writer buffer = writer_of(clear, sizeof clear);
    const struct secured_command command = command_of(v);
    open_keys(&set, v);
    assert_int_equal(secured_response_shape(join(v, &joiner), &command, &p), SECURED_OK);
    assert_int_equal(secured_decipher(&p, &set.keys, cipher, &buffer), SECURED_OK);
    assert_bytes(p.body, vector_get(v, "clear"));
    if (vector_has(v, "cc")) {
        assert_mac_input(&p, vector_get(v, "mac_input"));
        assert_bytes(p.check, vector_get(v, "cc"));
    }
    assert_int_equal(secured_verify(&p, &set.keys, cipher), SECURED_OK);
    assert_int_equal(p.tar, command.tar);
    assert_int_equal(p.cntr, command.cntr);
    assert_int_equal(p.status, number(v, "status"));
    assert_int_equal(p.pcntr, number(v, "pcntr"));
    assert_bytes(p.data, vector_get(v, "data"));
}

static void an_opened_response_gives_what_went_in(void **state)
{
    (void)state;
    assert_int_equal(run_all("response", open_response), 7);
}

static bool server_believes(struct bytes packet, const struct secured_command *command,
                            const struct secured_keys *keys, const struct cipher *cipher)
{
    struct secured_packet p;
    uint8_t clear[PACKET_MAX];
    struct writer buffer = writer_of(clear, sizeof clear);
    return secured_response_shape(packet, command, &p) == SECURED_OK &&
           secured_decipher(&p, keys, cipher, &buffer) == SECURED_OK &&
           secured_verify(&p, keys, cipher) == SECURED_OK;
}

static void flip_response(const struct vector *v, const struct cipher *cipher)
{
    struct key_set set;
    struct sms_joiner joiner;
    uint8_t octets[PACKET_MAX];
    const struct bytes packet = join(v, &joiner);
    struct secured_command command = command_of(v);
    open_keys(&set, v);
    memcpy(octets, packet.at, packet.len);
    if (!vector_has(v, "cc")) { // unsecured although a secured one was asked for: never believed
        command.spi2 = 0x39;
        assert_false(server_believes(packet, &command, &set.keys, cipher));
        return;
    }
    assert_true(server_believes(packet, &command, &set.keys, cipher));
    for (size_t bit = 0; bit < packet.len * 8; bit++) {
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(server_believes(bytes_of(octets, packet.len), &command, &set.keys, cipher));
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_response_with_any_bit_changed_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(run_all("response", flip_response), 7);
}

static void test_envelope(const struct vector *v, const struct cipher *cipher)
{
    (void)cipher;
    struct apdu apdu;
    enum cat_envelope kind;
    struct cat_message m;
    struct sms_deliver deliver;
    assert_int_equal(apdu_read(vector_get(v, "apdu"), &apdu), APDU_OK);
    assert_int_equal(apdu.ins, INS_ENVELOPE);
    assert_int_equal(cat_read_envelope(apdu.data, &kind, &m), CAT_OK);
    assert_int_equal(kind, CAT_SMS_PP_DOWNLOAD);
    assert_bytes(m.address, vector_get(v, "sc_address"));
    assert_bytes(m.tpdu, vector_get(v, "sms_deliver"));
    assert_int_equal(sms_read_deliver(m.tpdu, &deliver), SMS_OK);

    uint8_t tpdu[SMS_DELIVER_MAX];
    uint8_t data[CAT_DATA_MAX];
    uint8_t octets[CAT_DATA_MAX + 5];
    struct writer tw = writer_of(tpdu, sizeof tpdu);
    struct writer dw = writer_of(data, sizeof data);
    struct writer w = writer_of(octets, sizeof octets);
    const struct sms_deliver again =
        sms_deliver_packet(&deliver.sender, deliver.time, deliver.user_data);
    sms_write_deliver(&tw, &again);
    const struct cat_message envelope =
        cat_sms_download(vector_get(v, "sc_address"), writer_bytes(&tw));
    cat_write_envelope(&dw, CAT_SMS_PP_DOWNLOAD, &envelope);
    apdu.data = writer_bytes(&dw);
    apdu_write(&w, &apdu);
    assert_bytes(writer_bytes(&w), vector_get(v, "apdu"));
}

static void an_envelope_is_the_published_one_both_ways(void **state)
{
    (void)state;
    assert_int_equal(run_all("envelope", test_envelope), 1);
}

static void test_proactive(const struct vector *v, const struct cipher *cipher)
{
    (void)cipher;
    struct apdu apdu;
    struct cat_message command;
    struct cat_message response;
    struct sms_submit submit;
    assert_int_equal(cat_read_command(vector_get(v, "fetch_data"), &command), CAT_OK);
    assert_int_equal(command.type, CAT_SEND_SHORT_MESSAGE);
    assert_int_equal(command.destination, CAT_DEVICE_NETWORK);
    assert_bytes(command.tpdu, vector_get(v, "sms_submit"));
    assert_int_equal(sms_read_submit(command.tpdu, &submit), SMS_OK);
    assert_int_equal(apdu_read(vector_get(v, "fetch_apdu"), &apdu), APDU_OK);
    assert_int_equal(apdu.le, vector_get(v, "fetch_data").len);
    assert_int_equal(number(v, "sw_before"), SW_OK_PROACTIVE | apdu.le);

    uint8_t tpdu[SMS_SUBMIT_MAX];
    uint8_t data[CAT_DATA_MAX];
    struct writer tw = writer_of(tpdu, sizeof tpdu);
    struct writer dw = writer_of(data, sizeof data);
    const struct sms_submit again = sms_submit_packet(&submit.recipient, submit.user_data);
    sms_write_submit(&tw, &again);
    const struct cat_message sending =
        cat_send_short_message(1, bytes_of(NULL, 0), writer_bytes(&tw));
    cat_write_command(&dw, &sending);
    assert_bytes(writer_bytes(&dw), vector_get(v, "fetch_data"));

    assert_int_equal(apdu_read(vector_get(v, "terminal_response"), &apdu), APDU_OK);
    assert_int_equal(cat_read_response(apdu.data, &response), CAT_OK);
    assert_int_equal(response.result, CAT_DONE);
    const struct cat_message answer = cat_answer(&command, CAT_DONE);
    dw = writer_of(data, sizeof data);
    cat_write_response(&dw, &answer);
    assert_bytes(writer_bytes(&dw), apdu.data);
}

static void a_proactive_command_is_the_published_one_both_ways(void **state)
{
    (void)state;
    assert_int_equal(run_all("proactive", test_proactive), 1);
}

static void test_crc(const struct vector *v, const struct cipher *cipher)
{
    (void)cipher;
    const struct bytes data = vector_get(v, "data");
    assert_int_equal(crc32_add(0, data), number(v, "crc32"));
    assert_int_equal(crc16_add(0, data), number(v, "crc16"));
    const uint32_t crc32 = crc32_add(0, bytes_slice(data, 0, 2));
    assert_int_equal(crc32_add(crc32, bytes_slice(data, 2, data.len)), number(v, "crc32"));
    const uint16_t crc16 = crc16_add(0, bytes_slice(data, 0, 2));
    assert_int_equal(crc16_add(crc16, bytes_slice(data, 2, data.len)), number(v, "crc16"));
}

static void redundancy_checks_are_the_published_ones_in_one_go_and_in_pieces(void **state)
{
    (void)state;
    assert_int_equal(run_all("crc", test_crc), 1);
}

static void test_authentication(const struct vector *v, const struct cipher *cipher)
{
    (void)cipher;
    assert_int_equal(vector_get(v, "k").len, 16);
    assert_int_equal(vector_get(v, "rand").len, 16);
    assert_int_equal(vector_get(v, "sqn").len, 6);
}

static void the_authentication_blocks_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(run_all("milenage", test_authentication), 2);
    assert_int_equal(run_all("tuak", test_authentication), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_built_command_is_the_published_one),
        cmocka_unit_test(an_opened_command_gives_what_went_in),
        cmocka_unit_test(a_command_with_any_bit_changed_is_refused),
        cmocka_unit_test(a_built_response_is_the_published_one),
        cmocka_unit_test(an_opened_response_gives_what_went_in),
        cmocka_unit_test(a_response_with_any_bit_changed_is_not_believed),
        cmocka_unit_test(an_envelope_is_the_published_one_both_ways),
        cmocka_unit_test(a_proactive_command_is_the_published_one_both_ways),
        cmocka_unit_test(redundancy_checks_are_the_published_ones_in_one_go_and_in_pieces),
        cmocka_unit_test(the_authentication_blocks_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
