// Steps on a card: command bodies behind right security, packets with any SPI, KIc, KID, TAR and
// counter under a right MAC (F7), events, timers, STATUS, resets. Whatever they are, the registry
// stays sound; a packet that is refused changes nothing, and a command that is refused nothing but
// the counter and what is kept of its answer.
#include "tests/fuzz/applet/fuzz_card.h"

#include "common/base/check.h"

static struct fuzz_card card;

// A refusal is kept, so that it can be repeated; a packet counts. Nothing else may change.
static void command(struct bytes data)
{
    const struct applet_dump before = fuzz_card_dump(&card);
    fuzz_card_command(&card, data);
    const struct applet_answer *answer = &card.applet.answer;
    struct applet_dump after = fuzz_card_dump(&card);
    if (card.applet.is_locked || !answer->has_result || answer->outcome.code < RESULT_NOT_FOUND)
        return;
    struct image *i = &after.image;
    check(after.mt_counter == card.counter);
    after.mt_counter = before.mt_counter;
    i->operation_id_highest = before.image.operation_id_highest;
    i->outcome_count = before.image.outcome_count;
    memcpy(i->outcomes, before.image.outcomes, sizeof i->outcomes);
    i->last_counter = before.image.last_counter;
    i->last = before.image.last;
    i->dues.now = before.image.dues.now;
    // Any commit overwrites the keys of what was deleted before.
    i->is_scrub_due = i->is_scrub_due || before.image.is_scrub_due;
    check(fuzz_card_is_same(&before, &after));
}

static void packet(struct reader *r, uint8_t mac_change)
{
    uint8_t changes[FUZZ_HEADER_LEN] = {0};
    const struct bytes header =
        reader_bytes(r, r->left < sizeof changes ? r->left : sizeof changes);
    if (header.len > 0)
        memcpy(changes, header.at, header.len);
    const uint8_t len = r->left > 0 ? reader_u8(r) % 65 : 0;
    fuzz_card_packet(&card, changes, mac_change, reader_bytes(r, len < r->left ? len : r->left));
}

static void step(struct reader *r)
{
    static const uint8_t plmn[3] = {0x62, 0xF2, 0x10};
    uint8_t what = reader_u8(r);
    switch (what & 7) {
    case 0:
    case 1: {
        if ((what & 8) != 0) { // half of them with a right MAC
            packet(r, what >> 7);
            break;
        }
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
