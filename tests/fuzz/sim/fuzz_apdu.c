// F9: a sequence of APDUs to a card, with resets, power cuts and secured packets whose MAC is
// right. Each step is a kind octet, a length octet and that many octets. Beyond "no crash": a
// status word comes exactly when the card has power; the applet's state is sound; what the applet
// does of what it is told is what the reference model of the card does, put into the state before,
// and a packet that is refused does nothing. The last two are judged by the oracle and the shadow
// of the simulated world, for whom the card is that of a world of one.
#include "common/base/check.h"
#include "sim-emulator/core/story.h"
#include "tests/fuzz/sim/judge.h"

static struct lab lab;

static void check_sound(struct card *card)
{
    struct applet_port port = card_port(card);
    struct applet_dump dump;
    if (card->is_powered && applet_dump(&card->applet, &port, &dump))
        check(image_is_sound(&dump.image));
}

static void reset(struct card *card)
{
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    card->nvm.faults = NULL;
    card_reset(card, &atr);
    check(atr.len > 0);
    check_sound(card);
}

static void send(struct card *card, struct bytes command)
{
    static struct card_t0 t0;
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer response = writer_of(octets, sizeof octets);
    uint16_t sw = card_t0_exchange(card, &t0, command, &response);
    check((sw == CARD_MUTE) == !card->is_powered);
    check(!response.failed);
}

// Remote management of files, with the applet's keys under another version.
#define REMOTE_TAR 0xB00000
static struct product_key_set key_set;
static const struct product_target targets[] = {
    {REMOTE_TAR, UICC_MF, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 1, TARGET_NO_REFRESH},
    {REMOTE_TAR + 1, UICC_USIM, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 1,
     CAT_REFRESH_FILE_CHANGE},
};
static struct card_product product;

static void make_product(void)
{
    key_set = (struct product_key_set){
        .version = 2, .kic = lab.factories[0].kic, .kid = lab.factories[0].kid};
    product = card_product_standard;
    product.key_set_count = 1;
    product.key_sets = &key_set;
    product.target_count = sizeof targets / sizeof targets[0];
    product.targets = targets;
    lab.shop.product = &product;
}

// The octets as the data of a command packet, ciphered and with its MAC.
static void send_secured(struct card *card, struct bytes data, bool is_remote)
{
    uint8_t octets[SMS_PACKET_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    uint8_t set = is_remote ? 0x22 : 0x12;
    uint32_t remote_tar = REMOTE_TAR + data.len % 2;
    struct secured_command command = {.spi1 = 0x16,
                                      .spi2 = data.len % 3 == 0 ? 0x19 : 0x39,
                                      .kic = set,
                                      .kid = set,
                                      .tar = is_remote ? remote_tar : LAB_TAR,
                                      .cntr = ++lab.counter,
                                      .data = bytes_slice(data, 0, 98)};
    struct secured_keys keys = {.kic = &lab.factories[0].kic, .kid = &lab.factories[0].kid};
    check(secured_write_command(&packet, &command, &keys, &lab.cipher) == SECURED_OK);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    uint8_t message[SMS_USER_DATA_MAX];
    uint8_t tpdu_octets[SMS_DELIVER_MAX];
    uint8_t envelope[CAT_DATA_MAX];
    uint8_t apdu_octets[CAT_DATA_MAX + 6];
    struct writer user_data = writer_of(message, sizeof message);
    struct writer tpdu = writer_of(tpdu_octets, sizeof tpdu_octets);
    struct writer w = writer_of(envelope, sizeof envelope);
    struct writer whole = writer_of(apdu_octets, sizeof apdu_octets);
    sms_cut_part(&cut, writer_bytes(&packet), 0, &user_data);
    lab_tpdu(writer_bytes(&user_data), &tpdu);
    struct cat_message download = cat_sms_download(bytes_of(NULL, 0), writer_bytes(&tpdu));
    cat_write_envelope(&w, CAT_SMS_PP_DOWNLOAD, &download);
    struct apdu apdu = {.cla = 0x80, .ins = INS_ENVELOPE, .data = writer_bytes(&w)};
    apdu_write(&whole, &apdu);
    check(!whole.failed);
    send(card, writer_bytes(&whole));
}

// Whatever goes over the line can be told.
static void tell(void *context, const struct card_seen *seen)
{
    static uint8_t octets[2][600];
    static char text[STORY_TEXT_MAX];
    struct story *story = context;
    struct writer command = writer_of(octets[0], sizeof octets[0]);
    struct writer response = writer_of(octets[1], sizeof octets[1]);
    story_blank(story, seen, &command, &response);
    struct card_seen blanked = {.card = seen->card,
                                .command = writer_bytes(&command),
                                .response = writer_bytes(&response),
                                .sw = seen->sw};
    struct writer w = writer_of(text, sizeof text);
    story_tell(story, &blanked, lab.now, &w);
    check(!w.failed && w.len > 0 && w.at[w.len - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct nvm_faults faults = {0};
    lab_open(&lab, 1, NULL);
    struct card *card = &lab.devices[0].card;
    static struct story story;
    story_init(&story);
    make_product();
    judge_open(&lab);
    lab.shop.seen = tell;
    lab.shop.seen_context = &story;
    reset(card);
    struct reader r = reader_of(bytes_of(data, len));
    while (r.left >= 2) {
        uint8_t kind = reader_u8(&r) % 8;
        uint8_t step_len = reader_u8(&r);
        struct bytes step = reader_bytes(&r, step_len < r.left ? step_len : r.left);
        if (kind == 0) {
            reset(card);
        } else if (kind == 1 && step.len >= 3) {
            faults = (struct nvm_faults){.cut_at = 1 + ((uint64_t)step.at[0] << 8 | step.at[1]),
                                         .is_torn = true,
                                         .torn_value = step.at[2]};
            card->nvm.faults = &faults;
        } else if (kind == 2 || kind == 3) {
            send_secured(card, step, kind == 3);
        } else {
            send(card, step);
        }
        check_sound(card);
        judge_check();
    }
    if (!card->is_powered)
        reset(card);
    judge_check();
    judge_close();
    lab_close(&lab);
    return 0;
}
