// Any memory is mounted: as it comes, or with the locks of a bank closed around any content, so
// that what lies behind the check sum is reached. The card then works on a sound state, or not at
// all, and the next start finds the same; only of a switch that is open it counts starts and
// sendings, and may end it.
#include "tests/fuzz/applet/fuzz_card.h"

#include "common/base/check.h"
#include "common/wire/crc.h"

// Two copies of the counters stand before the first bank: marker, seal, CRC, number, length,
// content.
#define COPY_HEAD 12
#define COUNTERS 18
#define BANK_AT (2 * (COPY_HEAD + COUNTERS))

static struct fuzz_card card;

static void lock(uint8_t *at, struct bytes content)
{
    struct writer w = writer_of(at, COPY_HEAD + content.len);
    writer_u8(&w, 0xA5);
    writer_u8(&w, 0x5A);
    writer_u32(&w, 0);
    writer_u32(&w, 1);
    writer_u16(&w, (uint16_t)content.len);
    writer_copy(&w, content);
    uint32_t crc = crc32_add(0, bytes_of(at + 6, 6 + content.len));
    struct writer wc = writer_of(at + 2, 4);
    writer_u32(&wc, crc);
}

static void check_same(const struct applet_dump *first, struct applet_dump *second)
{
    struct journal *j = &second->image.journal;
    if (first->image.journal.phase != JOURNAL_NONE) {
        if (j->phase != first->image.journal.phase)
            return;
        j->starts = first->image.journal.starts;
        j->attempt = first->image.journal.attempt;
    }
    check(fuzz_card_is_same(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct applet_dump first;
    static struct applet_dump second;
    if (size < 1)
        return 0;
    fuzz_card_init(&card);
    size_t len = size - 1 < 900 ? size - 1 : 900;
    if (data[0] % 2 == 0) {
        memcpy(card.nvm, data + 1, len);
    } else {
        const uint8_t counters[COUNTERS] = {0};
        lock(card.nvm, bytes_of(counters, sizeof counters));
        if (len > 0)
            lock(card.nvm + BANK_AT, bytes_of(data + 1, len));
    }
    fuzz_card_start(&card);
    bool is_alive = applet_dump(&card.applet, &card.port, &first);
    if (!is_alive)
        return 0;
    check(image_is_sound(&first.image));
    fuzz_card_start(&card);
    check(applet_dump(&card.applet, &card.port, &second));
    check(image_is_sound(&second.image));
    check_same(&first, &second);
    fuzz_card_pump(&card);
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, (uint8_t[]){0x62, 0xF2, 0x10});
    fuzz_card_pump(&card);
    for (uint8_t timer = 1; timer <= 6; timer++) {
        applet_timer(&card.applet, &card.port, timer);
        fuzz_card_pump(&card);
    }
    return 0;
}
