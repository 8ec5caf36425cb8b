// The proactive session, STATUS, channels and authentication against a second, simpler idea of
// them: what is wanted, what was fetched, where each channel is. Random commands of a terminal that
// often does wrong, with resets; every status word is foretold, and what comes with it.
//
// Written from [102.221 §7.4.2, §11.1.2, §11.1.17, §11.2], [102.223 §6], [31.102 §7.1],
// [51.011 §9.2.16] and, for what a card may choose, docs/specs.md.
#include "tests/unit/sim/apdu_lab.h"

#include "common/base/prng.h"

#define SEEDS 40
#define STEPS 4000
#define GIVEN_MAX 255

static struct prng prng;

static unsigned draw(unsigned bound)
{
    return (unsigned)prng_below(&prng, bound);
}

// How often something was done, so that the test is not about refusals only.
enum { FETCHED, ANSWERED, LOST, OPENED, CLOSED, GSM, GSM_OLD, UMTS, PIN_LACKED, REFUSED, KINDS };
static unsigned done[KINDS];

// --- what the model knows --------------------------------------------------------------------

enum owner { NOBODY, TESTER, APPLET };
enum place { AT_MF, AT_ADF, AT_GSM };

static struct {
    bool is_started; // TERMINAL PROFILE came
    bool wants_events;
    bool wants_poll;
    unsigned number; // of the applet's last command
    uint8_t given[GIVEN_MAX];
    unsigned given_len; // 0: the tester has given nothing
    enum owner out;     // whose command the terminal owes an answer for
    unsigned polled;    // STATUS since it was fetched
    struct {
        bool is_open;
        bool has_application;
        enum place place;
    } channels[4];
    bool is_pin_given;
    bool is_silent; // the terminal answers nothing that it fetched
} now;
static bool is_pin_enabled; // these outlive a reset
static uint64_t seq;

static void model_reset(void)
{
    memset(&now, 0, sizeof now);
    now.channels[0].is_open = true;
    now.is_silent = draw(4) == 0;
}

// The command that waits, into `octets`; its length, 0 = none.
static unsigned waiting(uint8_t octets[GIVEN_MAX])
{
    if (now.out != NOBODY || !now.is_started)
        return 0;
    if (now.given_len > 0) {
        memcpy(octets, now.given, now.given_len);
        return now.given_len;
    }
    // SET UP EVENT LIST (location status), POLL INTERVAL (30 seconds).
    uint8_t events[] = {0xD0, 0x0C, 0x81, 0x03, 0, 0x05, 0x00, 0x82, 0x02, 0x81, 0x82, 0x99, 1, 3};
    uint8_t poll[] = {0xD0, 0x0D, 0x81, 0x03, 0, 0x03, 0x00, 0x82,
                      0x02, 0x81, 0x82, 0x84, 2, 1,    30};
    if (!now.wants_events && !now.wants_poll)
        return 0;
    unsigned len = now.wants_events ? sizeof events : sizeof poll;
    memcpy(octets, now.wants_events ? events : poll, len);
    octets[4] = (uint8_t)(now.number + 1);
    return len;
}

// What 90 00 becomes.
static uint16_t well(void)
{
    uint8_t octets[GIVEN_MAX];
    unsigned len = waiting(octets);
    return len == 0 ? SW_OK : (uint16_t)(SW_OK_PROACTIVE | len);
}

// --- sending ---------------------------------------------------------------------------------

static char last[700]; // for who reads a failure

static uint16_t command(const uint8_t head[5], const uint8_t *data)
{
    uint8_t octets[5 + 255];
    size_t len = 5U + (data != NULL ? head[4] : 0U);
    memcpy(octets, head, 5);
    if (len > 5)
        memcpy(octets + 5, data, len - 5);
    for (size_t i = 0; i < len; i++)
        (void)snprintf(last + 2 * i, 3, "%02X", octets[i]);
    answer = writer_of(answer_octets, sizeof answer_octets);
    return card_t0_exchange(card, &t0, bytes_of(octets, len), &answer);
}

static void assert_sw(uint16_t sw, uint16_t expected)
{
    if (sw != expected)
        print_error("%s: %04X, foretold %04X\n", last, sw, expected);
    assert_int_equal(sw, expected);
    done[REFUSED] += (sw & 0xF000) == 0x6000 && sw < 0x6C00;
}

// A command without data, or one with what stands in hexadecimal.
static uint16_t plain(uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2, uint8_t p3)
{
    const uint8_t head[] = {cla, ins, p1, p2, p3};
    return command(head, NULL);
}

static uint16_t with_data(uint8_t cla, uint8_t ins, uint8_t p2, const char *hex)
{
    uint8_t data[255];
    struct writer w = writer_of(data, sizeof data);
    assert_true(text_unhex(bytes_of(hex, strlen(hex)), &w));
    const uint8_t head[] = {cla, ins, 0, p2, (uint8_t)w.len};
    return command(head, data);
}

static unsigned draw_channel(void)
{
    return draw(3) == 0 ? draw(4) : 0;
}

// The toolkit's commands have no parameters and only the basic channel: SW_OK, or what is wrong.
static uint16_t wrong_head(unsigned channel, unsigned p2)
{
    if (channel != 0)
        return SW_CHANNEL_NOT_SUPPORTED;
    return p2 != 0 ? SW_WRONG_P1_P2 : SW_OK;
}

// --- the proactive session -------------------------------------------------------------------

static void give(void)
{
    uint8_t octets[GIVEN_MAX];
    unsigned text = 1 + draw(draw(2) == 0 ? 10 : 230);
    unsigned inside = 5 + 4 + 2 + (text + 1 > 127) + 1 + text;
    struct writer w = writer_of(octets, sizeof octets);
    writer_u8(&w, 0xD0);
    if (inside > 127)
        writer_u8(&w, 0x81);
    writer_u8(&w, (uint8_t)inside);
    // DISPLAY TEXT
    writer_copy(&w, bytes_of("\x81\x03\x01\x21\x80\x82\x02\x81\x02\x8D", 10));
    if (text + 1 > 127)
        writer_u8(&w, 0x81);
    writer_u8(&w, (uint8_t)(text + 1));
    writer_u8(&w, 0x04);
    writer_fill(&w, 'a', text);
    assert_false(w.failed);
    enum card_give expected = now.given_len > 0 ? CARD_GIVE_BUSY : CARD_GIVEN;
    assert_int_equal(card_give(card, writer_bytes(&w)), expected);
    if (expected == CARD_GIVE_BUSY)
        return;
    memcpy(now.given, octets, w.len);
    now.given_len = (unsigned)w.len;
}

static void profile(void)
{
    unsigned channel = draw_channel();
    unsigned p2 = draw(8) == 0;
    // Of two terminals: the second one does POLL INTERVAL, SET UP EVENT LIST, location status.
    static const char *const profiles[] = {"0900", "0100200011"};
    bool is_rich = !now.is_silent && draw(3) > 0;
    uint16_t sw = with_data((uint8_t)(0x80 | channel), 0x10, (uint8_t)p2, profiles[is_rich]);
    uint16_t expected = wrong_head(channel, p2);
    if (expected == SW_OK) {
        now.is_started = true;
        now.wants_events = is_rich; // the last profile counts
        now.wants_poll = is_rich;
        expected = well();
    }
    assert_sw(sw, expected);
}

static void fetch(void)
{
    uint8_t octets[GIVEN_MAX];
    unsigned len = waiting(octets);
    unsigned channel = draw(8) == 0 ? draw(4) : 0;
    unsigned p2 = draw(16) == 0;
    unsigned le = draw(4) == 0 ? draw(256) : len;
    uint16_t expected = wrong_head(channel, p2);
    if (expected == SW_OK && len == 0)
        expected = SW_CONDITIONS;
    else if (expected == SW_OK && le != len)
        expected = (uint16_t)(SW_WRONG_LE | len);
    assert_sw(plain((uint8_t)(0x80 | channel), 0x12, 0, (uint8_t)p2, (uint8_t)le), expected);
    assert_int_equal(answer.len, expected == SW_OK ? len : 0);
    if (expected != SW_OK)
        return;
    assert_memory_equal(answer_octets, octets, len);
    done[FETCHED]++;
    now.polled = 0;
    now.out = now.given_len > 0 ? TESTER : APPLET;
    if (now.out == TESTER)
        return;
    now.number++;
    if (now.wants_events)
        now.wants_events = false;
    else
        now.wants_poll = false;
}

// Whatever the terminal says, it has said it.
static void respond(void)
{
    static const char *const words[] = {"810301050082028281830100",
                                        "810301030082028281830100 8402011E",
                                        "810301218082028281830110",
                                        "810301050082028281830120",
                                        "8103010500820282818302 2001",
                                        "81030105008202828183",
                                        "00",
                                        "FFFFFFFF",
                                        ""};
    if (now.is_silent && now.out != NOBODY)
        return;
    char hex[80] = "";
    const char *from = words[draw(sizeof words / sizeof words[0])];
    for (size_t len = 0; *from != 0; from++) {
        if (*from != ' ')
            hex[len++] = *from;
    }
    unsigned channel = draw(8) == 0 ? draw(4) : 0;
    unsigned p2 = draw(16) == 0;
    uint16_t sw = with_data((uint8_t)(0x80 | channel), 0x14, (uint8_t)p2, hex);
    uint16_t expected = wrong_head(channel, p2);
    if (expected == SW_OK && now.out == NOBODY) {
        expected = SW_CONDITIONS;
    } else if (expected == SW_OK) {
        done[ANSWERED]++;
        now.given_len = now.out == TESTER ? 0 : now.given_len;
        now.out = NOBODY;
        expected = well();
    }
    assert_sw(sw, expected);
}

static void envelope(void)
{
    static const struct {
        const char *hex;
        uint16_t sw;
    } envelopes[] = {
        {"D60A990103820282819B0102", SW_OK},                    // no service
        {"D613990103820282819B0100930700F110000100 01", SW_OK}, // normal service
        {"D70C82028281A40108A503000010", SW_OK},                // a timer that nobody started
        {"D20482028281", SW_FUNCTION_NOT_SUPPORTED},            // cell broadcast
        {"D30782028281900101", SW_FUNCTION_NOT_SUPPORTED},      // no menu was set up
        {"D40482028281", SW_FUNCTION_NOT_SUPPORTED},            // call control
        {"D10482028381", SW_WRONG_DATA},                        // no TPDU
        {"D60A990103820282819B01", SW_WRONG_DATA},              // shorter than it says
        {"D6", SW_WRONG_DATA},
    };
    size_t which = draw(sizeof envelopes / sizeof envelopes[0]);
    unsigned channel = draw(8) == 0 ? draw(4) : 0;
    unsigned p2 = draw(16) == 0;
    char hex[80] = "";
    size_t len = 0;
    for (const char *from = envelopes[which].hex; *from != 0; from++) {
        if (*from != ' ')
            hex[len++] = *from;
    }
    uint16_t sw = with_data((uint8_t)(0x80 | channel), 0xC2, (uint8_t)p2, hex);
    uint16_t expected = wrong_head(channel, p2);
    if (expected == SW_OK)
        expected = envelopes[which].sw == SW_OK ? well() : envelopes[which].sw;
    assert_sw(sw, expected);
    assert_int_equal(answer.len, 0);
}

// --- STATUS, channels, places ----------------------------------------------------------------

#define AID "\xA0\x00\x00\x00\x87\x10\x02\xFF\xFF\xFF\xFF\x89\x07\x09\x00\x00"

// A poll: who owes an answer for so long has lost the command.
static void polled(void)
{
    if (now.out == NOBODY || ++now.polled < 8)
        return;
    now.given_len = 0;
    now.out = NOBODY;
    done[LOST]++;
}

// What stands in the parameters of a folder: tags of one octet, lengths of one.
static bool has_object(uint8_t tag, const char *value, size_t len)
{
    assert_int_equal(answer_octets[0], 0x62);
    assert_int_equal(answer_octets[1], answer.len - 2);
    for (size_t at = 2; at + 1 < answer.len; at += 2U + answer_octets[at + 1]) {
        if (answer_octets[at] == tag)
            return answer_octets[at + 1] == len && memcmp(answer_octets + at + 2, value, len) == 0;
    }
    return false;
}

static void status_parameters(uint8_t cla, unsigned p1, unsigned channel)
{
    uint16_t sw = plain(cla, 0xF2, (uint8_t)p1, 0, 0);
    assert_int_equal(sw & 0xFF00, SW_WRONG_LE);
    unsigned len = sw & 0xFF;
    sw = plain(cla, 0xF2, (uint8_t)p1, 0, (uint8_t)len);
    if (p1 == 0)
        polled();
    assert_sw(sw, well());
    assert_int_equal(answer.len, len);
    assert_true(has_object(0x82, "\x78\x21", 2));
    switch (now.channels[channel].place) {
    case AT_MF:
        assert_true(has_object(0x83, "\x3F\x00", 2));
        break;
    case AT_ADF:
        assert_true(has_object(0x84, AID, 16));
        break;
    case AT_GSM:
        assert_true(has_object(0x83, "\x7F\x20", 2));
        break;
    }
}

static void status(void)
{
    static const uint8_t asked[] = {0x00, 0x01, 0x0C, 0x0C, 0x0C, 0x02};
    unsigned channel = draw_channel();
    uint8_t cla = (uint8_t)(0x80 | channel);
    unsigned p1 = now.is_silent ? 0 : draw(3); // all of them polls of a terminal that is silent
    p1 = draw(12) == 0 ? 3 : p1;
    // What the applet does about a command that is never answered is another test's.
    if (now.out == APPLET && now.polled == 3 && p1 == 0)
        p1 = 1;
    uint8_t p2 = asked[draw(sizeof asked)];
    uint16_t expected = SW_OK;
    if (!now.channels[channel].is_open)
        expected = SW_CHANNEL_NOT_SUPPORTED;
    else if (p1 == 3 || p2 == 0x02)
        expected = SW_WRONG_P1_P2;
    else if (p2 == 0x01 && !now.channels[channel].has_application)
        expected = SW_FILE_NOT_FOUND;
    if (expected != SW_OK) {
        assert_sw(plain(cla, 0xF2, (uint8_t)p1, p2, 0), expected);
        return;
    }
    if (p2 == 0x00) {
        status_parameters(cla, p1, channel);
        return;
    }
    unsigned len = p2 == 0x01 ? 18 : 0;
    if (len > 0)
        assert_sw(plain(cla, 0xF2, (uint8_t)p1, p2, 0x10), SW_WRONG_LE | 18);
    uint16_t sw = plain(cla, 0xF2, (uint8_t)p1, p2, (uint8_t)len);
    if (p1 == 0)
        polled();
    assert_sw(sw, well());
    assert_int_equal(answer.len, len);
    if (len > 0)
        assert_memory_equal(answer_octets, "\x84\x10" AID, 18);
}

// SW_OK, or why the channel is not opened or closed.
static uint16_t wrong_channel(unsigned from, bool opens, unsigned number, unsigned chosen)
{
    if (!now.channels[from].is_open)
        return SW_CHANNEL_NOT_SUPPORTED;
    if (number > 3 || (!opens && number == 0))
        return SW_WRONG_P1_P2;
    if (opens)
        return chosen == 0 || now.channels[chosen].is_open ? SW_FUNCTION_NOT_SUPPORTED : SW_OK;
    return now.channels[number].is_open ? SW_OK : SW_CHANNEL_NOT_SUPPORTED;
}

static void manage_channel(void)
{
    unsigned from = draw_channel();
    unsigned number = draw(draw(6) == 0 ? 6 : 4);
    bool opens = draw(2) == 0;
    unsigned le = opens && number == 0 ? 1 : 0;
    unsigned chosen = number;
    for (unsigned i = 3; i > 0 && number == 0; i--)
        chosen = now.channels[i].is_open ? chosen : i;
    uint16_t expected = wrong_channel(from, opens, number, chosen);
    uint16_t sw = plain((uint8_t)from, 0x70, opens ? 0x00 : 0x80, (uint8_t)number, (uint8_t)le);
    assert_sw(sw, expected == SW_OK ? well() : expected);
    assert_int_equal(answer.len, expected == SW_OK ? le : 0);
    if (expected != SW_OK)
        return;
    done[opens ? OPENED : CLOSED]++;
    if (le > 0)
        assert_int_equal(answer_octets[0], chosen);
    // From the basic one it begins at the MF, from another where that is [102.221 §11.1.17].
    if (opens && from == 0)
        memset(&now.channels[chosen], 0, sizeof now.channels[chosen]);
    else if (opens)
        now.channels[chosen] = now.channels[from];
    now.channels[chosen].is_open = opens;
}

static void go(void)
{
    static const char *const where[] = {
        [AT_MF] = "3F00", [AT_ADF] = "A0000000871002FFFFFFFF8907090000", [AT_GSM] = "7F20"};
    unsigned channel = draw_channel();
    enum place place = (enum place)draw(3);
    uint8_t data[16];
    struct writer w = writer_of(data, sizeof data);
    assert_true(text_unhex(bytes_of(where[place], strlen(where[place])), &w));
    const uint8_t head[] = {(uint8_t)channel, 0xA4, place == AT_ADF ? 0x04 : 0x00, 0x0C,
                            (uint8_t)w.len};
    // DF.GSM is seen from wherever: it is beside the ADF [102.221 §8.4.1].
    uint16_t sw = command(head, data);
    uint16_t expected = now.channels[channel].is_open ? SW_OK : SW_CHANNEL_NOT_SUPPORTED;
    assert_sw(sw, expected == SW_OK ? well() : expected);
    if (expected != SW_OK)
        return;
    now.channels[channel].place = place;
    now.channels[channel].has_application |= place == AT_ADF;
}

// --- PIN1, authentication --------------------------------------------------------------------

static void pin(void)
{
    static const uint8_t instructions[] = {0x20, 0x28, 0x26}; // VERIFY, ENABLE, DISABLE
    unsigned which = draw(3);
    uint16_t expected = SW_OK;
    if ((which == 1) == is_pin_enabled)
        expected = SW_DATA_INVALIDATED;
    uint16_t sw = with_data(0x00, instructions[which], 0x01, "31323334FFFFFFFF");
    assert_sw(sw, expected == SW_OK ? well() : expected);
    if (expected != SW_OK)
        return;
    now.is_pin_given = true;
    is_pin_enabled = which == 0 ? is_pin_enabled : which == 1;
}

// Milenage [35.206 §4.1], in as few lines as it takes.
struct secrets {
    uint8_t mac[8];
    uint8_t res[8];
    uint8_t ck[16];
    uint8_t ik[16];
    uint8_t ak[6];
};

static void block(const uint8_t in[16], uint8_t out[16])
{
    const struct network_keys *keys = &lab.factories[0].subscriptions[0].keys;
    assert_true(lab.cipher.aes_block(lab.cipher.context, &keys->k, in, out));
}

// E(`other` xor rot(`in` xor OPc, `rotation`) xor `constant`) xor OPc, all of octets.
static void f(const uint8_t in[16], const uint8_t other[16], unsigned rotation, uint8_t constant,
              uint8_t out[16])
{
    const uint8_t *opc = lab.factories[0].subscriptions[0].keys.op.octets;
    uint8_t mixed[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned from = (i + rotation) % 16;
        mixed[i] = (uint8_t)(other[i] ^ in[from] ^ opc[from]);
    }
    mixed[15] ^= constant;
    block(mixed, out);
    for (unsigned i = 0; i < 16; i++)
        out[i] ^= opc[i];
}

static struct secrets milenage(const uint8_t rand[16], const uint8_t sqn[6], const uint8_t amf[2])
{
    static const uint8_t zeros[16];
    const uint8_t *opc = lab.factories[0].subscriptions[0].keys.op.octets;
    struct secrets s;
    uint8_t temp[16], in1[16], out[16];
    for (unsigned i = 0; i < 16; i++)
        temp[i] = (uint8_t)(rand[i] ^ opc[i]);
    memcpy(out, temp, 16);
    block(out, temp);
    for (unsigned i = 0; i < 16; i += 8) {
        memcpy(in1 + i, sqn, 6);
        memcpy(in1 + i + 6, amf, 2);
    }
    f(in1, temp, 8, 0, out);
    memcpy(s.mac, out, 8);
    f(temp, zeros, 0, 1, out);
    memcpy(s.res, out + 8, 8);
    memcpy(s.ak, out, 6);
    f(temp, zeros, 4, 2, s.ck);
    f(temp, zeros, 8, 4, s.ik);
    return s;
}

// SRES and Kc of a 3G card [33.102 §6.8.1.2].
static void gsm_words(const struct secrets *s, uint8_t sres[4], uint8_t kc[8])
{
    for (unsigned i = 0; i < 8; i++)
        kc[i] = (uint8_t)(s->ck[i] ^ s->ck[i + 8] ^ s->ik[i] ^ s->ik[i + 8]);
    for (unsigned i = 0; i < 4; i++)
        sres[i] = (uint8_t)(s->res[i] ^ s->res[i + 4]);
}

static void draw_octets(uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)draw(256);
}

// The octets that wait, all of them.
static void take(uint8_t cla, uint16_t sw, const uint8_t *expected, size_t len)
{
    assert_sw(sw, (uint16_t)((cla == 0xA0 ? 0x9F00 : SW_DATA_AVAILABLE) | len));
    // They are of the channel that the command came on.
    unsigned other = ((cla & 3U) + 1 + draw(3)) % 4;
    if (draw(4) == 0)
        assert_sw(plain((uint8_t)other, 0xC0, 0, 0, (uint8_t)len),
                  now.channels[other].is_open ? SW_CONDITIONS : SW_CHANNEL_NOT_SUPPORTED);
    assert_sw(plain(cla, 0xC0, 0, 0, (uint8_t)len), well());
    assert_int_equal(answer.len, len);
    assert_memory_equal(answer_octets, expected, len);
}

// SW_OK, or why the channel does not authenticate.
static uint16_t may_authenticate(unsigned channel)
{
    if (!now.channels[channel].is_open)
        return SW_CHANNEL_NOT_SUPPORTED;
    if (now.channels[channel].place != AT_ADF)
        return SW_CONDITIONS;
    done[PIN_LACKED] += is_pin_enabled && !now.is_pin_given;
    return is_pin_enabled && !now.is_pin_given ? SW_SECURITY_STATUS : SW_OK;
}

static void authenticate_gsm(void)
{
    static const uint8_t zeros[6];
    uint8_t data[18] = {16};
    uint8_t expected[14] = {4, 0, 0, 0, 0, 8};
    unsigned channel = draw_channel();
    unsigned len = draw(8) == 0 ? 1 + draw(18) : 17;
    draw_octets(data + 1, 17);
    data[0] = (uint8_t)(draw(8) == 0 ? draw(16) : 16);
    const uint8_t head[] = {(uint8_t)channel, 0x88, 0x00, 0x80, (uint8_t)len};
    uint16_t sw = command(head, data);
    uint16_t wrong = may_authenticate(channel);
    if (wrong == SW_OK && len != 17)
        wrong = SW_WRONG_LENGTH;
    else if (wrong == SW_OK && data[0] != 16)
        wrong = SW_WRONG_DATA;
    if (wrong != SW_OK) {
        assert_sw(sw, wrong);
        return;
    }
    struct secrets s = milenage(data + 1, zeros, zeros);
    gsm_words(&s, expected + 1, expected + 6);
    take((uint8_t)channel, sw, expected, sizeof expected);
    done[GSM]++;
}

// RUN GSM ALGORITHM.
static void authenticate_old(void)
{
    static const uint8_t zeros[6];
    uint8_t rand[16];
    uint8_t expected[12];
    draw_octets(rand, sizeof rand);
    const uint8_t head[] = {0xA0, 0x88, 0x00, 0x00, 16};
    uint16_t sw = command(head, rand);
    if (now.channels[0].place != AT_GSM) {
        assert_sw(sw, 0x9408);
    } else if (is_pin_enabled && !now.is_pin_given) {
        assert_sw(sw, 0x9804);
    } else {
        struct secrets s = milenage(rand, zeros, zeros);
        gsm_words(&s, expected, expected + 4);
        take(0xA0, sw, expected, sizeof expected);
        done[GSM_OLD]++;
    }
}

static void authenticate_3g(void)
{
    static const uint8_t amf[] = {0x80, 0x00};
    uint8_t data[34] = {16};
    uint8_t sqn[6];
    unsigned channel = draw_channel();
    uint16_t wrong = may_authenticate(channel);
    seq += wrong == SW_OK;
    for (unsigned i = 0; i < 6; i++)
        sqn[i] = (uint8_t)((seq << 5) >> (8 * (5 - i)));
    draw_octets(data + 1, 16);
    struct secrets s = milenage(data + 1, sqn, amf);
    data[17] = 16;
    for (unsigned i = 0; i < 6; i++)
        data[18 + i] = sqn[i] ^ s.ak[i];
    memcpy(data + 24, amf, 2);
    memcpy(data + 26, s.mac, 8);
    const uint8_t head[] = {(uint8_t)channel, 0x88, 0x00, 0x81, sizeof data};
    uint16_t sw = command(head, data);
    if (wrong != SW_OK) {
        assert_sw(sw, wrong);
        return;
    }
    uint8_t expected[53] = {0xDB, 8};
    memcpy(expected + 2, s.res, 8);
    expected[10] = 16;
    memcpy(expected + 11, s.ck, 16);
    expected[27] = 16;
    memcpy(expected + 28, s.ik, 16);
    expected[44] = 8;
    uint8_t sres[4];
    gsm_words(&s, sres, expected + 45);
    take((uint8_t)channel, sw, expected, sizeof expected);
    done[UMTS]++;
}

// --- the test --------------------------------------------------------------------------------

static void sessions_are_what_a_simpler_model_says(void **state)
{
    (void)state;
    static void (*const acts[])(void) = {give,
                                         profile,
                                         fetch,
                                         fetch,
                                         fetch,
                                         respond,
                                         respond,
                                         envelope,
                                         manage_channel,
                                         status,
                                         status,
                                         status,
                                         go,
                                         authenticate_gsm,
                                         authenticate_old,
                                         authenticate_3g,
                                         pin};
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        prng_init(&prng, seed, "sessions", 0);
        for (unsigned step = 0; step < STEPS; step++) {
            if (step == 0 || draw(250) == 0) {
                reset_card();
                model_reset();
            }
            acts[draw(sizeof acts / sizeof acts[0])]();
        }
    }
    for (size_t i = 0; i < KINDS; i++) {
        if (done[i] < 100)
            print_error("kind %zu: only %u times\n", i, done[i]);
        assert_true(done[i] >= 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CARD_TEST(sessions_are_what_a_simpler_model_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
