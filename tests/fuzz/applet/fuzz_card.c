#include "tests/fuzz/applet/fuzz_card.h"

#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"
#include "tests/lib/any_packet.h"

#define TAR 0xB00010

static struct cipher cipher;
static struct applet_work work;
static struct applet_factory factory;
static struct applet_template template;
static struct slot subscriptions[2];
static struct sms_joiner joiner;

static bool nvm_read(void *context, size_t at, void *to, size_t len)
{
    struct fuzz_card *c = context;
    check(at + len <= sizeof c->nvm);
    memcpy(to, c->nvm + at, len);
    return true;
}

static bool nvm_write(void *context, size_t at, const void *from, size_t len)
{
    struct fuzz_card *c = context;
    check(at + len <= sizeof c->nvm);
    memcpy(c->nvm + at, from, len);
    return true;
}

static uint32_t chance(void *context)
{
    struct fuzz_card *c = context;
    return c->chance++;
}

static struct sms_joiner *lend(void *context, bool wanted)
{
    (void)context;
    return wanted ? &joiner : NULL;
}

static void open_once(void)
{
    static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    if (cipher.context != NULL)
        return;
    check(cipher_openssl_open(&cipher));
    template = (struct applet_template){.number = 1, .rank = 1, .mnc_length = 2};
    for (uint8_t i = 0; i < 2; i++) {
        struct slot *s = &subscriptions[i];
        s->state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED;
        s->is_fallback = i == 0;
        s->rank = 1;
        s->mnc_length = 2;
        memcpy(s->imsi, (uint8_t[]){8, 9, 0x10, 0x10, 0, 0, 0, 0, i}, sizeof s->imsi);
    }
    factory = (struct applet_factory){
        .level = 2,
        .slot_count = 3,
        .tar = TAR,
        .server_address = {.len = 3, .octets = {0x91, 0x21, 0x43}},
        .key_version = 1,
        .kic = secret_key_of(bytes_of(octets, 16)),
        .kid = secret_key_of(bytes_of(octets, 16)),
        .kik = secret_key_of(bytes_of(octets, 16)),
        .template_count = 1,
        .templates = &template,
        .subscription_count = 2,
        .subscriptions = subscriptions,
    };
}

void fuzz_card_init(struct fuzz_card *c)
{
    open_once();
    memset(c, 0, sizeof *c);
    c->port = (struct applet_port){
        .context = c,
        .nvm_read = nvm_read,
        .nvm_write = nvm_write,
        .nvm_size = sizeof c->nvm,
        .nvm_page = 1,
        .random = chance,
        .joiner = lend,
        .cipher = &cipher,
        .factory = &factory,
        .work = &work,
    };
}

void fuzz_card_start(struct fuzz_card *c)
{
    uint8_t profile[32];
    memset(profile, 0xFF, sizeof profile);
    applet_start(&c->applet, &c->port);
    applet_profile(&c->applet, &c->port, bytes_of(profile, sizeof profile));
}

static void check_sound(struct fuzz_card *c)
{
    static struct applet_dump dump;
    if (applet_dump(&c->applet, &c->port, &dump))
        check(image_is_sound(&dump.image));
}

void fuzz_card_pump(struct fuzz_card *c)
{
    check_sound(c);
    for (unsigned i = 0; i < 64 && applet_pending(&c->applet, &c->port) > 0; i++) {
        uint8_t octets[APPLET_COMMAND_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        check(applet_fetch(&c->applet, &c->port, &w));
        struct cat_message command;
        check(cat_read_command(writer_bytes(&w), &command) == CAT_OK);
        struct cat_message answer = cat_answer(&command, CAT_DONE);
        uint8_t response[CAT_DATA_MAX];
        struct writer wr = writer_of(response, sizeof response);
        cat_write_response(&wr, &answer);
        applet_terminal_response(&c->applet, &c->port, writer_bytes(&wr));
        check_sound(c);
    }
}

// One message with part of a packet.
static bool deliver(struct fuzz_card *c, struct bytes user_data)
{
    const struct sms_address sender = {.digit_count = 2, .type = 0x91, .octets = {0x21}};
    const uint8_t time[SMS_TIME_LEN] = {0};
    struct sms_deliver m = sms_deliver_packet(&sender, time, user_data);
    uint8_t tpdu[SMS_DELIVER_MAX];
    struct writer w = writer_of(tpdu, sizeof tpdu);
    sms_write_deliver(&w, &m);
    uint8_t report[200];
    struct writer r = writer_of(report, sizeof report);
    const enum applet_sms_answer answer = applet_sms(&c->applet, &c->port, writer_bytes(&w), &r);
    check(answer != APPLET_SMS_NOT_MINE);
    return answer == APPLET_SMS_REPORT;
}

void fuzz_card_command(struct fuzz_card *c, struct bytes data)
{
    struct secured_command command = {.spi1 = 0x16,
                                      .spi2 = 0x39,
                                      .kic = 0x12,
                                      .kid = 0x12,
                                      .tar = TAR,
                                      .cntr = ++c->counter,
                                      .data = data};
    struct secured_keys keys = {.kic = &factory.kic, .kid = &factory.kid, .cmac_len = 8};
    uint8_t octets[SMS_PACKET_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    check(secured_write_command(&packet, &command, &keys, &cipher) == SECURED_OK);
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = (uint8_t)c->counter};
    size_t count = sms_cut_count(&cut, packet.len);
    for (size_t i = 0; i < count; i++) {
        uint8_t part[SMS_USER_DATA_MAX];
        struct writer user_data = writer_of(part, sizeof part);
        sms_cut_part(&cut, writer_bytes(&packet), i, &user_data);
        check(!deliver(c, writer_bytes(&user_data))); // it was asked for in a message of its own
    }
}

struct applet_dump fuzz_card_dump(struct fuzz_card *c)
{
    struct applet_dump dump;
    check(applet_dump(&c->applet, &c->port, &dump));
    return dump;
}

bool fuzz_card_is_same(const struct applet_dump *a, const struct applet_dump *b)
{
    static uint8_t octets[2][IMAGE_LEN_MAX];
    struct writer x = writer_of(octets[0], sizeof octets[0]);
    struct writer y = writer_of(octets[1], sizeof octets[1]);
    image_write(&x, &a->image, NULL);
    image_write(&y, &b->image, NULL);
    check(!x.failed && !y.failed);
    return bytes_equal(writer_bytes(&x), writer_bytes(&y)) && a->mt_counter == b->mt_counter &&
           a->mo_counter == b->mo_counter && a->is_blocked == b->is_blocked;
}

// --- any header --------------------------------------------------------------------------------

static bool is_level_enough(const uint8_t spi[2], uint64_t counter, uint64_t last)
{
    const uint8_t por = spi[1] & 0x03;
    const bool is_next = spi[0] == 0x1E && counter == last + 1;
    const bool is_higher = spi[0] == 0x16 && counter > last;
    const bool is_secured = (spi[1] & 0x1C) == 0x18; // the answer: ciphered, with a MAC
    return (is_next || is_higher) && (spi[1] & 0xC0) == 0 && por != 3 && (por == 0 || is_secured);
}

static uint64_t counter_of(const uint8_t header[ANY_HEADER_LEN])
{
    struct reader r = reader_of(bytes_of(header + 7, 5));
    return (uint64_t)reader_u8(&r) << 32 | reader_u32(&r);
}

static void bring(struct fuzz_card *c, const struct any_packet *packet, bool *is_answered)
{
    uint8_t octets[SMS_USER_DATA_MAX];
    uint8_t part[SMS_USER_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct writer user_data = writer_of(part, sizeof part);
    any_packet_write(&w, packet, &factory.kic, &factory.kid, &cipher);
    check(!w.failed);
    sms_cut_part(&(struct sms_cut){.kind = SMS_COMMAND_PACKET}, writer_bytes(&w), 0, &user_data);
    *is_answered = deliver(c, writer_bytes(&user_data));
}

void fuzz_card_packet(struct fuzz_card *c, const uint8_t changes[FUZZ_HEADER_LEN],
                      uint8_t mac_change, struct bytes data)
{
    const struct applet_dump before = fuzz_card_dump(c);
    const bool is_deaf = c->applet.is_locked || before.is_blocked;
    const size_t pending = applet_pending(&c->applet, &c->port);
    struct any_packet packet = {.mac_change = mac_change, .data = data};
    struct writer w = writer_of(packet.header, sizeof packet.header);
    writer_copy(&w, bytes_of("\x16\x39\x12\x12", 4));
    writer_u24(&w, TAR);
    writer_u8(&w, (uint8_t)((before.mt_counter + 1) >> 32));
    writer_u32(&w, (uint32_t)(before.mt_counter + 1));
    for (unsigned i = 0; i < FUZZ_HEADER_LEN; i++)
        packet.header[i < 7 ? i : i + 1] ^= changes[i]; // not the first octet of the counter
    bool is_answered;
    bring(c, &packet, &is_answered);
    struct applet_dump after = fuzz_card_dump(c);
    const uint8_t *h = packet.header;
    const bool is_believed =
        !is_deaf && mac_change == 0 && (h[0] & 0x03) == SECURED_CC && h[2] == 0x12 && h[3] == 0x12;
    const bool is_ours = (h[4] << 16 | h[5] << 8 | h[6]) == TAR;
    if (is_believed && is_ours && is_level_enough(h, counter_of(h), before.mt_counter)) {
        check(after.mt_counter == counter_of(h));
    } else {
        // Of failures 16 in a row are told in the total.
        const unsigned failures = after.image.security_failures - before.image.security_failures;
        check(failures == 0 || (failures == 16 && !is_believed));
        after.image.security_failures = before.image.security_failures;
        check(fuzz_card_is_same(&before, &after));
    }
    // Being deaf needs a timer, and nothing else is asked of the terminal.
    const bool is_silent =
        !is_answered && (c->applet.is_locked || applet_pending(&c->applet, &c->port) == pending);
    check(is_believed || is_silent);
    c->counter = after.mt_counter;
}
