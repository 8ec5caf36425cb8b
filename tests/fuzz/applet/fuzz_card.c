#include "tests/fuzz/applet/fuzz_card.h"

#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"

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
        const struct sms_address sender = {.digit_count = 2, .type = 0x91, .octets = {0x21}};
        const uint8_t time[SMS_TIME_LEN] = {0};
        struct sms_deliver m = sms_deliver_packet(&sender, time, writer_bytes(&user_data));
        uint8_t tpdu[SMS_DELIVER_MAX];
        struct writer w = writer_of(tpdu, sizeof tpdu);
        sms_write_deliver(&w, &m);
        uint8_t report[200];
        struct writer r = writer_of(report, sizeof report);
        check(applet_sms(&c->applet, &c->port, writer_bytes(&w), &r) == APPLET_SMS_ACCEPTED);
    }
    fuzz_card_pump(c);
}
