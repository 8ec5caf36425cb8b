// Steps on a card: command bodies behind right security, events, timers, STATUS, resets. Whatever
// they are, the registry stays sound, and a command that is refused leaves it as it was.
#include "tests/fuzz/applet/fuzz_card.h"

#include "common/base/check.h"

static struct fuzz_card card;

static uint32_t version(void)
{
    static struct applet_dump dump;
    check(applet_dump(&card.applet, &card.port, &dump));
    return dump.image.registry_version;
}

static void command(struct bytes data)
{
    uint32_t before = version();
    fuzz_card_command(&card, data);
    uint8_t code = card.applet.answer.outcome.code;
    if (code >= RESULT_NOT_FOUND)
        check(version() == before);
}

static void step(struct reader *r)
{
    static const uint8_t plmn[3] = {0x62, 0xF2, 0x10};
    uint8_t what = reader_u8(r);
    switch (what & 7) {
    case 0:
    case 1: {
        uint16_t len = reader_u16(r) & 0x1FF;
        struct bytes data = reader_bytes(r, len < r->left ? len : r->left);
        command(bytes_slice(data, 0, COMMAND_BODY_MAX));
        break;
    }
    case 2:
        applet_location(&card.applet, &card.port, (enum cat_location_status)(what >> 3 & 1), plmn);
        break;
    case 3:
        applet_location(&card.applet, &card.port, CAT_SERVICE_NONE, NULL);
        break;
    case 4:
        applet_timer(&card.applet, &card.port, what >> 3);
        break;
    case 5:
        applet_status(&card.applet, &card.port);
        break;
    case 6:
        applet_rejection(&card.applet, &card.port, plmn, what >> 3);
        break;
    default: // octets
        fuzz_card_start(&card);
        break;
    }
    fuzz_card_pump(&card);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    fuzz_card_init(&card);
    fuzz_card_start(&card);
    fuzz_card_pump(&card);
    for (unsigned i = 0; i < 64 && r.left > 0; i++)
        step(&r);
    return 0;
}
