#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"
#include "tests/unit/wire/octets.h"

static const struct octets *key_octets(void)
{
    static struct octets octets;
    octets = hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
    return &octets;
}

struct fixture {
    struct cipher cipher;
    struct secret_key kic;
    struct secret_key kid;
    struct secured_keys keys;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.keys = {.cmac_len = 8}};
    assert_true(cipher_openssl_open(&f.cipher));
    f.kic = secret_key_of(bytes_of(key_octets()->at, 16));
    f.kid = secret_key_of(bytes_of(key_octets()->at + 16, 16));
    f.keys.kic = &f.kic;
    f.keys.kid = &f.kid;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    cipher_openssl_close(&((struct fixture *)*state)->cipher);
    return 0;
}

static void the_usual_indications_decode_to_their_meaning(void **state)
{
    (void)state;
    const struct secured_spi spi = secured_spi_read(0x16, 0x39);
    assert_int_equal(spi.integrity, SECURED_CC);
    assert_true(spi.is_ciphered);
    assert_int_equal(spi.counter, SECURED_COUNTER_HIGHER);
    assert_int_equal(spi.por, SECURED_POR_ALWAYS);
    assert_int_equal(spi.por_integrity, SECURED_CC);
    assert_true(spi.por_is_ciphered);
    assert_true(spi.por_by_submit);
    assert_false(spi.has_reserved);
    for (unsigned value = 0; value < 256; value++) {
        const struct secured_spi any = secured_spi_read((uint8_t)value, (uint8_t)value);
        assert_int_equal(secured_spi1(&any), value & 0x1F);
        assert_int_equal(secured_spi2(&any), value & 0x3F);
        assert_int_equal(any.has_reserved, (value & 0xE0) != 0);
    }
    assert_int_equal(secured_key_version(0x12), 1);
    assert_int_equal(secured_algorithm(0x12), SECURED_AES);
}

static void levels_are_compared_field_by_field(void **state)
{
    (void)state;
    const uint8_t enough[] = {0x16, 0x1E};
    const uint8_t too_low[] = {0x00, 0x02, 0x04, 0x06, 0x0E, 0x12, 0x14, 0x15, 0x1A, 0x36, 0xF6};
    for (size_t i = 0; i < sizeof enough; i++)
        assert_true(secured_level_satisfies(enough[i], 0x16));
    for (size_t i = 0; i < sizeof too_low; i++)
        assert_false(secured_level_satisfies(too_low[i], 0x16));
    assert_true(secured_level_satisfies(0x00, 0x00));
    assert_true(secured_level_satisfies(0x06, 0x02));
    assert_false(secured_level_satisfies(0x01, 0x02));
}

// Every kind of packet this module has, written and opened.
static void every_supported_combination_opens_as_built(void **state)
{
    struct fixture *f = *state;
    const uint8_t spi1s[] = {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x16};
    const struct {
        uint8_t kic, kid, kic_len, kid_len, cmac_len;
    } sets[] = {{0x12, 0x12, 16, 16, 8}, {0x12, 0x12, 32, 32, 4}, {0x15, 0x15, 16, 16, 8},
                {0x19, 0x19, 24, 24, 8}, {0x12, 0x15, 24, 16, 0}, {0x15, 0x11, 16, 16, 8}};
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        f->kic = secret_key_of(bytes_of(key_octets()->at, sets[s].kic_len));
        f->kid = secret_key_of(bytes_of(key_octets()->at, sets[s].kid_len));
        f->keys.cmac_len = sets[s].cmac_len;
        for (size_t i = 0; i < sizeof spi1s * 33; i++) {
            const uint8_t spi1 = spi1s[i / 33];
            uint8_t packet[128];
            uint8_t clear[128];
            struct secured_packet p;
            struct writer w = writer_of(packet, sizeof packet);
            struct writer buffer = writer_of(clear, sizeof clear);
            const struct secured_command c = {.spi1 = spi1,
                                              .kic = sets[s].kic,
                                              .kid = sets[s].kid,
                                              .tar = 0xBFFF20,
                                              .cntr = SECURED_CNTR_MAX,
                                              .data = bytes_of(key_octets()->at, i % 33)};
            const enum secured_result built = secured_write_command(&w, &c, &f->keys, &f->cipher);
            const size_t len =
                secured_command_len(spi1, c.kic, c.kid, f->keys.cmac_len, c.data.len);
            if (built == SECURED_UNSUPPORTED) { // RC with a MAC's nibble, or the reverse
                assert_int_equal(len, 0);
                assert_true((spi1 & 3) == SECURED_RC ? (c.kid & 0xF) != 1 && (c.kid & 0xF) != 5
                                                     : (c.kid & 0xF) == 1);
                continue;
            }
            assert_int_equal(built, SECURED_OK);
            assert_int_equal(w.len, len);
            assert_int_equal(secured_command_shape(writer_bytes(&w), &p), SECURED_OK);
            assert_int_equal(secured_decipher(&p, &f->keys, &f->cipher, &buffer), SECURED_OK);
            assert_int_equal(secured_verify(&p, &f->keys, &f->cipher), SECURED_OK);
            assert_int_equal(p.data.len, c.data.len);
            assert_true(bytes_equal(p.data, c.data));
            assert_true(p.cntr == SECURED_CNTR_MAX);
        }
    }
}

static void triple_des_cbc_mac_is_the_last_block(void **state)
{
    struct fixture *f = *state;
    uint8_t packet[64];
    uint8_t mac[32];
    struct writer w = writer_of(packet, sizeof packet);
    const struct secured_command c = {
        .spi1 = 0x02, .kid = 0x15, .tar = 0xB00010, .data = bytes_of("\xA0\xA4\x00\x00\x02", 5)};
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_OK);
    // By hand: 16 header octets and 5 of data, zeros to 24, ciphered with a zero IV.
    const struct octets text = hex("001B 15 0200 0015 B00010 0000000000 00 A0A4000002 000000");
    const uint8_t iv[8] = {0};
    memcpy(mac, text.at, 24);
    assert_int_equal(text.len, 24);
    assert_true(f->cipher.cbc_encrypt(f->cipher.context, CIPHER_TRIPLE_DES, &f->kid, iv, mac, 24));
    assert_memory_equal(packet + 16, mac + 16, 8);
}

// CRC-32 and CRC-16 of ISO/IEC 13239 over header and data, computed with another implementation.
static void a_redundancy_check_covers_header_and_data(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t kid;
        const char *packet;
    } rows[] = {
        {0x15, "0017 11 0100 0015 B00010 0000000005 00 3634FDAF A0A4000002"},
        {0x11, "0015 0F 0100 0011 B00010 0000000005 00 02B0 A0A4000002"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t octets[64];
        struct writer w = writer_of(octets, sizeof octets);
        const struct secured_command c = {.spi1 = 0x01,
                                          .kid = rows[i].kid,
                                          .tar = 0xB00010,
                                          .cntr = 5,
                                          .data = bytes_of("\xA0\xA4\x00\x00\x02", 5)};
        assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_OK);
        assert_octets(writer_bytes(&w), rows[i].packet);
    }
}

static void a_shape_that_contradicts_itself_is_refused_before_any_key(void **state)
{
    (void)state;
    const struct {
        const char *octets;
        enum secured_result result;
    } cases[] = {
        {"", SECURED_SHAPE},
        {"0028", SECURED_SHAPE},
        {"000E 0D 0000 1212 B00010 0000000000 00 00", SECURED_SHAPE},
        {"000D 0C 0000 1212 B00010 0000000000", SECURED_SHAPE},
        {"0016 13 0200 0012 B00010 0000000000 00 0000000000000000", SECURED_SHAPE},
        {"0016 15 0000 0012 B00010 0000000000 00 0000000000000000", SECURED_SHAPE},
        {"0016 15 0600 1212 B00010 0000000000 00 0000000000000000", SECURED_SHAPE}, // no block
        {"0016 15 0600 1112 B00010 0000000000 00 0000000000000000", SECURED_UNSUPPORTED},
        {"0016 15 0300 0012 B00010 0000000000 00 0000000000000000", SECURED_UNSUPPORTED},
        {"0016 15 0200 0013 B00010 0000000000 00 0000000000000000", SECURED_UNSUPPORTED},
        {"0016 15 0200 0012 B00010 0000000000 00 0000000000000000", SECURED_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct secured_packet p;
        assert_int_equal(secured_command_shape(view(&o), &p), cases[i].result);
    }
}

static void a_padding_counter_that_cannot_be_true_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *octets;
        enum secured_result result;
    } cases[] = {
        {"000E 0D 0000 0000 B00010 0000000000 00", SECURED_OK},
        {"000E 0D 0000 0000 B00010 0000000000 01", SECURED_PADDING}, // not ciphered: none
        {"000F 0D 0000 0000 B00010 0000000000 01 00", SECURED_PADDING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct octets o = hex(cases[i].octets);
        struct secured_packet p;
        uint8_t clear[64];
        struct writer buffer = writer_of(clear, sizeof clear);
        assert_int_equal(secured_command_shape(view(&o), &p), SECURED_OK);
        assert_int_equal(secured_decipher(&p, &f->keys, &f->cipher, &buffer), cases[i].result);
    }
    // Ciphered, two octets after the CC: 15 is below the block, but more than there is.
    const uint8_t counters[] = {0, 2, 3, 15, 16, 255};
    for (size_t i = 0; i < sizeof counters; i++) {
        struct octets o = hex("0018 15 0600 1212 B00010 0000000000 00 0000000000000000 0000");
        const uint8_t iv[16] = {0};
        struct secured_packet p;
        uint8_t clear[64];
        struct writer buffer = writer_of(clear, sizeof clear);
        o.at[15] = counters[i];
        assert_true(
            f->cipher.cbc_encrypt(f->cipher.context, CIPHER_AES, &f->kic, iv, o.at + 10, 16));
        assert_int_equal(secured_command_shape(view(&o), &p), SECURED_OK);
        assert_int_equal(secured_decipher(&p, &f->keys, &f->cipher, &buffer),
                         counters[i] <= 2 ? SECURED_OK : SECURED_PADDING);
    }
}

static void keys_must_fit_the_algorithm(void **state)
{
    struct fixture *f = *state;
    uint8_t packet[64];
    struct writer w = writer_of(packet, sizeof packet);
    struct secured_command c = {.spi1 = 0x16, .kic = 0x12, .kid = 0x12};
    f->keys.kid = NULL;
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_KEY);
    assert_int_equal(w.len, 0);
    assert_int_equal(packet[0], 0); // nothing in clear is left behind
    f->keys.kid = &f->kid;
    f->kic.len = 8;
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_KEY);
    f->kic.len = 16;
    c.kic = 0x19; // three keys, but sixteen octets
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_KEY);
    c.kic = 0x12;
    w.cap = 25; // 26 are needed
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_NO_ROOM);
    assert_int_equal(w.len, 0);
    assert_false(w.failed);
    w.cap = 64;
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_OK);
}

static void a_short_mac_is_refused_by_a_key_that_wants_a_long_one(void **state)
{
    struct fixture *f = *state;
    uint8_t packet[64];
    uint8_t clear[64];
    struct writer w = writer_of(packet, sizeof packet);
    struct writer buffer = writer_of(clear, sizeof clear);
    struct secured_packet p;
    const struct secured_command c = {.spi1 = 0x16, .kic = 0x12, .kid = 0x12};
    f->keys.cmac_len = 4;
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_OK);
    assert_int_equal(secured_command_shape(writer_bytes(&w), &p), SECURED_OK);
    assert_int_equal(p.check_len, 4);
    assert_int_equal(secured_decipher(&p, &f->keys, &f->cipher, &buffer), SECURED_OK);
    assert_int_equal(secured_verify(&p, &f->keys, &f->cipher), SECURED_OK);
    f->keys.cmac_len = 8;
    assert_int_equal(secured_verify(&p, &f->keys, &f->cipher), SECURED_CHECK);
}

static unsigned checks; // that were computed
static bool (*own_cmac)(void *context, const struct secret_key *key, const struct bytes *parts,
                        size_t part_count, uint8_t mac[CIPHER_AES_BLOCK]);

static bool count_cmac(void *context, const struct secret_key *key, const struct bytes *parts,
                       size_t part_count, uint8_t mac[CIPHER_AES_BLOCK])
{
    checks++;
    return own_cmac(context, key, parts, part_count, mac);
}

// Else the time would tell whether a padding counter was possible [rule K6].
static void the_check_is_computed_whatever_the_padding_says(void **state)
{
    struct fixture *f = *state;
    struct cipher counting = f->cipher;
    uint8_t packet[64];
    uint8_t clear[128];
    struct writer w = writer_of(packet, sizeof packet);
    const struct secured_command c = {.spi1 = 0x16, .kic = 0x12, .kid = 0x12};
    unsigned paddings = 0;
    own_cmac = counting.aes_cmac;
    counting.aes_cmac = count_cmac;
    assert_int_equal(secured_write_command(&w, &c, &f->keys, &f->cipher), SECURED_OK);
    for (unsigned i = 0; i < 64; i++) { // of its one ciphered block, whose 6th octet is PCNTR
        struct secured_packet p;
        struct writer buffer = writer_of(clear, sizeof clear);
        uint8_t spoilt[64];
        memcpy(spoilt, packet, sizeof spoilt);
        spoilt[10] ^= (uint8_t)(i + 1);
        assert_int_equal(secured_command_shape(bytes_of(spoilt, w.len), &p), SECURED_OK);
        checks = 0;
        const enum secured_result result = secured_open(&p, &f->keys, &counting, &buffer);
        assert_true(result == SECURED_PADDING || result == SECURED_CHECK);
        paddings += result == SECURED_PADDING ? 1 : 0;
        assert_int_equal(checks, 1);
    }
    assert_true(paddings > 0); // 15 in 16 of them, by chance
}

static void a_plain_answer_to_a_secured_command_is_a_hint_and_no_proof(void **state)
{
    struct fixture *f = *state;
    const struct octets o = hex("000B 0A 000001 0000000007 00 06");
    const struct secured_command c = {.spi1 = 0x16, .spi2 = 0x39, .kic = 0x12, .kid = 0x12};
    struct secured_packet p;
    uint8_t clear[64];
    struct writer buffer = writer_of(clear, sizeof clear);
    assert_int_equal(secured_response_shape(view(&o), &c, &p), SECURED_OK);
    assert_int_equal(secured_decipher(&p, &f->keys, &f->cipher, &buffer), SECURED_OK);
    assert_int_equal(secured_verify(&p, &f->keys, &f->cipher), SECURED_UNPROTECTED);
    assert_int_equal(p.status, SECURED_STATUS_UNIDENTIFIED_ERROR);
    assert_int_equal(p.tar, 1);
    const char *bad[] = {"", "000B 0A 000001 0000000007 00", "000A 0A 000001 0000000007 00",
                         "000B 09 000001 0000000007 00 06", "000B 0E 000001 0000000007 00 06"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct octets b = hex(bad[i]);
        assert_int_equal(secured_response_shape(view(&b), &c, &p), SECURED_SHAPE);
    }
}

static void capacities_are_the_published_ones(void **state)
{
    (void)state;
    const uint8_t card[SMS_CARD_REFERENCE_LEN] = {0};
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    const struct sms_cut with_card = {.kind = SMS_RESPONSE_PACKET,
                                      .card_reference = bytes_of(card, sizeof card)};
    const struct {
        size_t parts, aes8, aes4, des, cc_only, por_aes, por_cc, por_plain;
    } table[] = {{1, 98, 102, 106, 113, 113, 116, 124},  {2, 242, 246, 242, 242, 241, 245, 253},
                 {3, 370, 374, 370, 376, 369, 379, 387}, {4, 498, 502, 506, 510, 513, 513, 521},
                 {5, 642, 646, 642, 644, 641, 647, 655}, {10, 1314, 1318, 1314, 1314, 0, 0, 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const size_t room = sms_cut_room(&cut, table[i].parts);
        assert_int_equal(secured_command_data_max(0x16, 0x12, 0x12, 8, room), table[i].aes8);
        assert_int_equal(secured_command_data_max(0x16, 0x12, 0x12, 4, room), table[i].aes4);
        assert_int_equal(secured_command_data_max(0x16, 0x15, 0x15, 8, room), table[i].des);
        assert_int_equal(secured_command_data_max(0x12, 0x12, 0x12, 8, room), table[i].cc_only);
        assert_true(secured_command_len(0x16, 0x12, 0x12, 8, table[i].aes8) <= room);
        assert_true(secured_command_len(0x16, 0x12, 0x12, 8, table[i].aes8 + 1) > room);
        if (table[i].por_aes == 0)
            continue;
        assert_int_equal(secured_response_data_max(0x39, 0x12, 0x12, 8, room), table[i].por_aes);
        assert_int_equal(secured_response_data_max(0x29, 0x12, 0x12, 8, room), table[i].por_cc);
        assert_int_equal(secured_response_data_max(0x21, 0x12, 0x12, 8, room), table[i].por_plain);
        assert_true(secured_response_len(0x39, 0x12, 0x12, 8, table[i].por_aes + 1) > room);
    }
    // With the card reference: 127 octets of room hold 6 and 112; 390 hold 6 and 384.
    assert_int_equal(secured_response_data_max(0x39, 0x12, 0x12, 8, sms_cut_room(&with_card, 1)),
                     112 - 15);
    assert_int_equal(secured_response_data_max(0x39, 0x12, 0x12, 8, sms_cut_room(&with_card, 3)),
                     384 - 15);
    // The delivery report holds 128 octets, header included.
    assert_int_equal(secured_response_data_max(0x39, 0x12, 0x12, 8, 125), 97);
    assert_int_equal(secured_command_data_max(0x16, 0x12, 0x12, 8, 25), 0);
    assert_int_equal(secured_command_data_max(0x16, 0x12, 0x12, 8, 26), 2);
    assert_int_equal(secured_command_data_max(0x16, 0x11, 0x12, 8, 137), 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_indications_decode_to_their_meaning),
        cmocka_unit_test(levels_are_compared_field_by_field),
        WITH(every_supported_combination_opens_as_built),
        WITH(triple_des_cbc_mac_is_the_last_block),
        WITH(a_redundancy_check_covers_header_and_data),
        cmocka_unit_test(a_shape_that_contradicts_itself_is_refused_before_any_key),
        WITH(a_padding_counter_that_cannot_be_true_is_refused),
        WITH(keys_must_fit_the_algorithm),
        WITH(a_short_mac_is_refused_by_a_key_that_wants_a_long_one),
        WITH(the_check_is_computed_whatever_the_padding_says),
        WITH(a_plain_answer_to_a_secured_command_is_a_hint_and_no_proof),
        cmocka_unit_test(capacities_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
