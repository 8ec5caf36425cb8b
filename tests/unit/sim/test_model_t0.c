// The protocol and authentication against second, simpler ideas of them.
//
// T=0: what a terminal that follows [102.221 §7.3.1.1] to the letter makes of a card's procedure
// octets is what a twin of that card says to whole commands. Random commands of every instruction,
// many of them wrong, with resets.
// AUTHENTICATE: which sequence numbers are taken, as a plain array of 32 says it [33.102 annex C].
#include "tests/unit/sim/apdu_lab.h"

#include "common/base/prng.h"
#include "sim-emulator/core/milenage.h"

#define STEPS 30000
#define CHALLENGES 4000

static struct prng prng;

static unsigned draw(unsigned bound)
{
    return (unsigned)prng_below(&prng, bound);
}

// --- T=0 -------------------------------------------------------------------------------------

static struct lab twin_lab;
static struct card *twin;
static uint32_t chance[2]; // of each card

static uint32_t draw_for_card(void *context)
{
    uint32_t *state = context;
    *state = *state * 1664525U + 1013904223U;
    return *state;
}

static void open_twins(void)
{
    lab_open(&twin_lab, 1, NULL);
    twin = &twin_lab.devices[0].card;
    chance[0] = chance[1] = 7;
    lab.shop.random = twin_lab.shop.random = draw_for_card;
    lab.shop.random_context = &chance[0];
    twin_lab.shop.random_context = &chance[1];
}

struct reply {
    uint8_t octets[2 * CARD_RESPONSE_MAX];
    size_t len;
    uint16_t sw;
};

static uint16_t transmit(const uint8_t *octets, size_t len, struct reply *reply)
{
    struct writer w = writer_of(reply->octets + reply->len, CARD_RESPONSE_MAX);
    reply->sw = card_t0_exchange(card, &t0, bytes_of(octets, len), &w);
    reply->len += w.len;
    return reply->sw;
}

// The terminal: cases 1 to 4, each in the words of T=0.
static void exchange_t0(const struct apdu *apdu, struct reply *reply)
{
    uint8_t octets[5 + APDU_DATA_MAX] = {apdu->cla, apdu->ins, apdu->p1, apdu->p2};
    reply->len = 0;
    if (apdu->data.len > 0)
        memcpy(octets + 5, apdu->data.at, apdu->data.len);
    octets[4] = (uint8_t)(apdu->data.len > 0 ? apdu->data.len : apdu->le & 0xFF);
    uint16_t sw = transmit(octets, 5 + apdu->data.len, reply);
    if (apdu->data.len == 0) {
        octets[4] = (uint8_t)sw;
        if ((sw & 0xFF00) == SW_WRONG_LE)
            (void)transmit(octets, 5, reply);
        return;
    }
    uint16_t warning = (sw & 0xFE00) == SW_WARNING ? sw : 0;
    uint8_t get[5] = {apdu->cla, INS_GET_RESPONSE, 0, 0, 0};
    if (warning != 0 && (transmit(get, sizeof get, reply) & 0xFF00) == SW_WRONG_LE) {
        get[4] = (uint8_t)reply->sw;
        (void)transmit(get, sizeof get, reply);
    }
    while ((reply->sw & 0xFF00) == SW_DATA_AVAILABLE) {
        // Terminals with small buffers take less than there is.
        unsigned there = (reply->sw & 0xFF) == 0 ? 256 : reply->sw & 0xFFU;
        get[4] = (uint8_t)(draw(4) == 0 ? 1 + draw(there) : there);
        (void)transmit(get, sizeof get, reply);
    }
    assert_true(warning == 0 || reply->len == 0 || apdu_sw_is_ok(reply->sw));
    reply->sw = warning != 0 ? warning : reply->sw;
}

// The twin: whole commands. A length that does not fit is put right, as the other terminal does.
static void exchange_whole(const struct apdu *apdu, struct reply *reply)
{
    struct apdu again = *apdu;
    for (unsigned tries = 0; tries < 2; tries++) {
        uint8_t octets[300];
        struct writer w = writer_of(octets, sizeof octets);
        struct writer out = writer_of(reply->octets, CARD_RESPONSE_MAX);
        apdu_write(&w, &again);
        reply->sw = card_exchange(twin, writer_bytes(&w), &out);
        reply->len = out.len;
        if ((reply->sw & 0xFF00) != SW_WRONG_LE || again.data.len > 0)
            return;
        again.le = (reply->sw & 0xFF) == 0 ? 256 : reply->sw & 0xFF;
    }
}

// What is sent mostly makes sense: files that are there, modes that there are.
static const uint16_t identifiers[] = {0x3F00, 0x7FFF, 0x2FE2, 0x2F00, 0x2F05, 0x6F07, 0x6F3C,
                                       0x6F39, 0x6F7E, 0x5F3A, 0x4F3A, 0x6F99, 0x7F20, 0x6F46};
static const struct {
    uint8_t cla;
    uint8_t ins;
    uint8_t p2[4]; // of which one is drawn
    uint8_t len;   // of the data, mostly
} kinds[] = {
    {0x00, INS_SELECT, {0x04, 0x0C, 0x00, 0x04}, 2},
    {0x00, INS_SELECT, {0x04, 0x0C, 0x00, 0x04}, 2},
    {0x00, INS_SELECT, {0x04, 0x0C, 0x00, 0x04}, 7}, // by name
    {0x00, INS_SELECT, {0x04, 0x0C, 0x00, 0x04}, 6}, // by path
    {0x80, INS_STATUS, {0x00, 0x01, 0x0C, 0x00}, 0},
    {0x00, INS_READ_BINARY, {0x00, 0x01, 0x02, 0x05}, 0},
    {0x00, INS_READ_RECORD, {0x02, 0x03, 0x04, 0x04}, 0},
    {0x00, INS_UPDATE_BINARY, {0x00, 0x01, 0x02, 0x05}, 3},
    {0x00, INS_UPDATE_RECORD, {0x02, 0x03, 0x04, 0x04}, 28},
    {0x00, INS_SEARCH_RECORD, {0x04, 0x05, 0x06, 0x04}, 3},
    {0x80, INS_INCREASE, {0x00, 0x00, 0x00, 0x00}, 3},
    {0x00, INS_VERIFY_PIN, {0x01, 0x81, 0x0A, 0x0A}, 8},
    {0x00, INS_DEACTIVATE_FILE, {0x00, 0x00, 0x00, 0x00}, 2},
    {0x00, INS_ACTIVATE_FILE, {0x00, 0x00, 0x00, 0x00}, 2},
    {0x00, INS_AUTHENTICATE, {0x80, 0x81, 0x80, 0x84}, 17},
    {0x00, INS_GET_CHALLENGE, {0x00, 0x00, 0x00, 0x00}, 0},
    {0x00, INS_MANAGE_CHANNEL, {0x00, 0x01, 0x02, 0x03}, 0},
    {0x80, INS_TERMINAL_CAPABILITY, {0x00, 0x00, 0x00, 0x00}, 5},
    {0x80, INS_TERMINAL_PROFILE, {0x00, 0x00, 0x00, 0x00}, 20},
    {0x80, INS_ENVELOPE, {0x00, 0x00, 0x00, 0x00}, 12},
    {0x80, INS_FETCH, {0x00, 0x00, 0x00, 0x00}, 0},
    {0x80, INS_TERMINAL_RESPONSE, {0x00, 0x00, 0x00, 0x00}, 12},
};

static void put(uint8_t *data, const char *hex)
{
    struct writer w = writer_of(data, APDU_DATA_MAX);
    assert_true(text_unhex(bytes_of(hex, strlen(hex)), &w));
}

static void fill(const struct apdu *apdu, uint8_t *data)
{
    uint16_t identifier = identifiers[draw(sizeof identifiers / sizeof identifiers[0])];
    for (size_t i = 0; i < APDU_DATA_MAX; i++)
        data[i] = (uint8_t)draw(3);
    switch (apdu->ins) {
    case INS_SELECT:
    case INS_ACTIVATE_FILE:
    case INS_DEACTIVATE_FILE:
        data[0] = (uint8_t)(identifier >> 8);
        data[1] = (uint8_t)identifier;
        if (apdu->p1 == 0x08)
            put(data, "7FFF5F3A4F3A");
        if (apdu->p1 == 0x04)
            put(data, "A0000000871002");
        break;
    case INS_VERIFY_PIN:
        memset(data, '8', 8); // ADM1's
        break;
    case INS_AUTHENTICATE:
        data[0] = data[17] = 0x10;
        break;
    case INS_TERMINAL_PROFILE:
        memset(data, 0xFF, APDU_DATA_MAX);
        break;
    case INS_ENVELOPE: // a location event
        put(data, "D60A990103820282819B0102");
        break;
    case INS_TERMINAL_CAPABILITY:
        put(data, "A903800100");
        break;
    case INS_TERMINAL_RESPONSE:
        put(data, "810301050082028281830100");
        break;
    default: // octets
        break;
    }
}

static struct apdu make_command(uint8_t data[APDU_DATA_MAX])
{
    size_t kind = draw(sizeof kinds / sizeof kinds[0]);
    static const uint16_t les[] = {0, 256, 256, 1, 9, 10, 28, 34};
    struct apdu apdu = {.cla = kinds[kind].cla, .ins = kinds[kind].ins};
    apdu.p2 = kinds[kind].p2[draw(4)];
    bool is_record = apdu.ins == INS_READ_RECORD || apdu.ins == INS_UPDATE_RECORD ||
                     apdu.ins == INS_SEARCH_RECORD;
    apdu.p1 = (uint8_t)(is_record ? draw(4) : 0);
    apdu.p1 = (uint8_t)(draw(20) == 0 ? draw(256) : apdu.p1);
    if (apdu.ins == INS_SELECT && kinds[kind].len > 2)
        apdu.p1 = kinds[kind].len == 6 ? 0x08 : 0x04;
    if (apdu.ins == INS_MANAGE_CHANNEL && draw(2) == 0)
        apdu.p1 = 0x80;
    bool is_channelled = apdu.ins != INS_TERMINAL_PROFILE && draw(4) == 0;
    apdu.cla |= (uint8_t)(is_channelled ? draw(4) : 0);
    fill(&apdu, data);
    size_t len = draw(12) == 0 ? draw(40) : kinds[kind].len;
    apdu.data = bytes_of(data, kinds[kind].len == 0 ? 0 : len);
    apdu.le = les[draw(sizeof les / sizeof les[0])];
    return apdu;
}

// A command of T=0 with P3 00 that brings no data is one that asks for 256 octets: the twin is told
// so. The answer to a command of case 3 is none there, and its data are still fetched here.
static struct apdu as_twin_has_it(struct apdu apdu)
{
    if (apdu.data.len == 0 && apdu.le == 0)
        apdu.le = 256;
    else if (apdu.data.len > 0)
        apdu.le = 0;
    return apdu;
}

static void a_terminal_of_t0_gets_what_the_card_says(void **state)
{
    (void)state;
    static unsigned answered[256];
    struct writer none = writer_of(NULL, 0);
    uint8_t atr[CARD_ATR_MAX];
    prng_init(&prng, 5, "protocol", 0);
    open_twins();
    for (unsigned step = 0; step < STEPS; step++) {
        if (step % 400 == 0) {
            reset_card();
            none = writer_of(atr, sizeof atr);
            card_reset(twin, &none);
        }
        uint8_t data[APDU_DATA_MAX];
        struct apdu apdu = make_command(data);
        static struct reply replies[2];
        exchange_t0(&apdu, &replies[0]);
        struct apdu whole = as_twin_has_it(apdu);
        exchange_whole(&whole, &replies[1]);
        if (replies[0].sw != replies[1].sw || replies[0].len != replies[1].len)
            print_error("step %u: %02X%02X%02X%02X, %zu octets, Le %u: %04X with %zu, twin %04X "
                        "with %zu\n",
                        step, apdu.cla, apdu.ins, apdu.p1, apdu.p2, apdu.data.len, apdu.le,
                        replies[0].sw, replies[0].len, replies[1].sw, replies[1].len);
        assert_int_equal(replies[0].sw, replies[1].sw);
        assert_int_equal(replies[0].len, replies[1].len);
        assert_memory_equal(replies[0].octets, replies[1].octets, replies[0].len);
        answered[apdu.ins] += apdu_sw_is_ok(replies[0].sw);
    }
    lab_close(&twin_lab);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (answered[kinds[i].ins] <= 10)
            print_error("only %u times: %02X\n", answered[kinds[i].ins], kinds[i].ins);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_true(answered[kinds[i].ins] > 10);
}

// --- authentication --------------------------------------------------------------------------

// What 33.102 annex C keeps: SEQ of each index, and the highest SQN of all.
static struct {
    uint64_t seq[32];
    uint64_t highest; // SQN
} model;

static bool model_takes(uint64_t sqn)
{
    uint64_t seq = sqn >> 5;
    uint64_t top = model.highest >> 5;
    bool is_near = seq > top ? seq - top <= 1U << 28 : top - seq <= 1U << 28;
    if (seq <= model.seq[sqn & 31] || !is_near)
        return false;
    model.seq[sqn & 31] = seq;
    model.highest = seq > top ? sqn : model.highest;
    return true;
}

static uint64_t draw_sqn(void)
{
    static const uint64_t steps[] = {1, 2, 31, 100, (1U << 28) - 1, 1U << 28, (1U << 28) + 1};
    uint64_t seq = model.highest >> 5;
    uint64_t step = steps[draw(draw(8) == 0 ? 7 : 4)];
    seq = draw(3) > 0 ? seq + step : seq - (seq < step ? seq : step);
    return (seq << 5 | draw(32)) & 0xFFFFFFFFFFFF;
}

static void authentication_is_what_a_plain_array_says(void **state)
{
    (void)state;
    unsigned counts[3] = {0};
    struct network_keys keys = lab.factories[0].subscriptions[0].keys;
    prng_init(&prng, 6, "authentication", 0);
    memset(&model, 0, sizeof model);
    assert_int_equal(send(SELECT_USIM), SW_OK);
    for (unsigned i = 0; i < CHALLENGES; i++) {
        uint8_t rand[16], sqn_octets[6], amf[2] = {0x80, 0}, ak_star[6], command[39];
        uint64_t sqn = draw_sqn();
        for (size_t k = 0; k < sizeof rand; k++)
            rand[k] = (uint8_t)draw(256);
        usim_sqn_write(sqn, sqn_octets);
        struct milenage_challenge c = {.rand = rand, .sqn = sqn_octets, .amf = amf};
        struct milenage_mac mac;
        struct milenage_keys out;
        assert_true(milenage_f1(&lab.cipher, &keys.k, keys.op.octets, &c, &mac) &&
                    milenage_f2345(&lab.cipher, &keys.k, keys.op.octets, rand, &out) &&
                    milenage_f5_star(&lab.cipher, &keys.k, keys.op.octets, rand, ak_star));
        struct writer w = writer_of(command, sizeof command);
        writer_copy(&w, bytes_of((const uint8_t[]){0x00, 0x88, 0x00, 0x81, 0x22, 0x10}, 6));
        writer_copy(&w, bytes_of(rand, 16));
        writer_u8(&w, 0x10);
        for (size_t k = 0; k < 6; k++)
            writer_u8(&w, sqn_octets[k] ^ out.ak[k]);
        writer_copy(&w, bytes_of(amf, 2));
        writer_copy(&w, bytes_of(mac.mac_a, 8));
        bool is_forged = draw(16) == 0;
        command[23 + draw(16)] ^= (uint8_t)(is_forged ? 1U << draw(8) : 0);
        uint64_t highest = model.highest;
        struct writer answered = writer_of(answer_octets, sizeof answer_octets);
        uint16_t sw = card_exchange(card, writer_bytes(&w), &answered);
        if (is_forged) {
            assert_int_equal(sw, SW_AUTHENTICATION_MAC);
            counts[0]++;
        } else if (model_takes(sqn)) {
            assert_int_equal(sw, SW_OK);
            assert_int_equal(answer_octets[0], 0xDB);
            assert_memory_equal(answer_octets + 2, out.res, 8);
            assert_memory_equal(answer_octets + 11, out.ck, 16);
            assert_memory_equal(answer_octets + 28, out.ik, 16);
            counts[1]++;
        } else {
            assert_int_equal(sw, SW_OK);
            assert_int_equal(answer_octets[0], 0xDC);
            uint8_t sqn_ms[6];
            for (size_t k = 0; k < 6; k++)
                sqn_ms[k] = answer_octets[2 + k] ^ ak_star[k];
            assert_int_equal(usim_sqn_read(sqn_ms), highest);
            counts[2]++;
        }
        if (draw(100) == 0) {
            reset_card();
            assert_int_equal(send(SELECT_USIM), SW_OK);
        }
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(counts[i] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_terminal_of_t0_gets_what_the_card_says),
        CARD_TEST(authentication_is_what_a_plain_array_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
