// F9: a sequence of APDUs to a card, with resets, power cuts and secured packets whose MAC is
// right. Each step is a kind octet, a length octet and that many octets. Beyond "no crash": a
// status word comes exactly when the card has power; after every reset the applet's state is sound.
#include "common/base/check.h"
#include "sim-emulator/core/story.h"
#include "tests/unit/sim/lab.h"

#include <stdint.h>

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

// The octets as the data of a command packet, ciphered and with its MAC.
static void send_secured(struct card *card, struct bytes data)
{
    uint8_t octets[SMS_PACKET_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    struct secured_command command = {.spi1 = 0x16,
                                      .spi2 = 0x39,
                                      .kic = 0x12,
                                      .kid = 0x12,
                                      .tar = LAB_TAR,
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
            send_secured(card, step);
        } else {
            send(card, step);
        }
        check_sound(card);
    }
    if (!card->is_powered)
        reset(card);
    lab_close(&lab);
    return 0;
}
