// A memory with anything in it: octets anywhere, records of files that no command made, journals
// whose check sum is right. The card starts, answers every command on every file with a status
// word, and is sound after each; the same at the next start.
#include "common/base/check.h"
#include "common/wire/crc.h"
#include "sim-emulator/core/uicc/made.h"
#include "tests/unit/sim/lab.h"

#include <stdint.h>

static struct lab lab;

static void reset(struct card *card)
{
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    card_reset(card, &atr);
    check(atr.len > 0);
}

static uint16_t send(struct card *card, const uint8_t *command, size_t len)
{
    static struct card_t0 t0;
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer response = writer_of(octets, sizeof octets);
    uint16_t sw = card_t0_exchange(card, &t0, bytes_of(command, len), &response);
    check(sw != CARD_MUTE && !response.failed);
    return sw;
}

static void put(struct nvm *nvm, size_t offset, struct bytes octets)
{
    offset %= NVM_LEN_MAX;
    size_t room = NVM_LEN_MAX - offset;
    check(nvm_write(nvm, (uint32_t)offset, octets.at, octets.len < room ? octets.len : room) ==
          NVM_OK);
}

// The record of a file, as a change leaves it.
static void put_record(struct card *card, struct bytes octets)
{
    if (octets.len < 2)
        return;
    struct uicc_store store = {.nvm = &card->nvm, .offset = CARD_STORE_AT};
    struct uicc_change change;
    size_t at = offsetof(struct uicc_layout, created) +
                octets.at[0] % UICC_CREATED_MAX * (size_t)UICC_CREATED_LEN;
    uicc_change_begin(&change, &store);
    uicc_change_put(&change, (struct uicc_place){.space = UICC_OF_CARD, .at = (uint16_t)at},
                    bytes_slice(octets, 1, UICC_CREATED_LEN));
    (void)!uicc_change_commit(&change);
}

// A journal that was cut off behind its marker: the next start applies it.
static void put_journal(struct card *card, struct bytes pieces)
{
    uint8_t octets[7 + 255] = {0xA6};
    uint8_t len[] = {(uint8_t)(pieces.len >> 8), (uint8_t)pieces.len};
    struct writer w = writer_of(octets + 1, sizeof octets - 1);
    writer_u32(&w, crc32_add(crc32_add(0, bytes_of(len, 2)), pieces));
    writer_copy(&w, bytes_of(len, 2));
    writer_copy(&w, pieces);
    put(&card->nvm, CARD_STORE_AT, bytes_of(octets, 1 + w.len));
}

// What can be done with the current file.
static void use_file(struct card *card)
{
    static const uint8_t commands[][12] = {
        {5, 0x00, 0xB0, 0x00, 0x00, 0x00},
        {5, 0x00, 0xB0, 0x00, 0x00, 0x01},
        {6, 0x00, 0xD6, 0x00, 0x00, 0x01, 0x5A},
        {5, 0x00, 0xB2, 0x01, 0x04, 0x00},
        {5, 0x00, 0xB2, 0x00, 0x03, 0x00},
        {6, 0x00, 0xA2, 0x01, 0x04, 0x01, 0x00},
        {8, 0x80, 0x32, 0x00, 0x00, 0x03, 0x00, 0x00, 0x01},
        {5, 0x00, 0x04, 0x00, 0x00, 0x00},
        {5, 0x00, 0x44, 0x00, 0x00, 0x00},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)send(card, commands[i] + 1, commands[i][0]);
}

static void use_folder(struct card *card, uint8_t folder)
{
    struct applet_port port = card_port(card);
    struct uicc_files files = card_files(card, &port);
    uicc_files_look(&files);
    struct uicc_rows rows = uicc_rows((enum uicc_folder)folder);
    for (uint8_t i = 0; i < rows.count; i++) {
        const uint8_t select[] = {0x00,
                                  0xA4,
                                  0x00,
                                  0x04,
                                  0x02,
                                  (uint8_t)(rows.at[i].identifier >> 8),
                                  (uint8_t)rows.at[i].identifier};
        if (rows.at[i].kind != UICC_FOLDER && (send(card, select, 7) & 0xFF00) == 0x6100)
            use_file(card);
    }
}

static void use_made(struct card *card)
{
    struct uicc_store store = {.nvm = &card->nvm, .offset = CARD_STORE_AT};
    for (unsigned i = 0; i < UICC_CREATED_MAX; i++) {
        struct uicc_file file;
        if (!uicc_made_read(&store, i, &file))
            continue;
        uint8_t id[2] = {(uint8_t)(file.identifier >> 8), (uint8_t)file.identifier};
        const uint8_t select[] = {0x00, 0xA4, 0x00, 0x04, 0x02, id[0], id[1]};
        const uint8_t resize[] = {0x80, 0xD4,  0x00,  0x00, 0x0A, 0x62, 0x08, 0x83,
                                  0x02, id[0], id[1], 0x80, 0x02, 0x00, 0x1C};
        const uint8_t delete[] = {0x00, 0xE4, 0x00, 0x00, 0x02, id[0], id[1]};
        (void)send(card, select, sizeof select);
        use_file(card);
        (void)send(card, resize, sizeof resize);
        use_file(card);
        (void)send(card, delete, sizeof delete);
    }
}

static void use(struct card *card)
{
    static const uint8_t adm[] = {0x00, 0x20, 0x00, 0x0A, 0x08, '8', '8',
                                  '8',  '8',  '8',  '8',  '8',  '8'};
    static const uint8_t usim[] = {0x00, 0xA4, 0x04, 0x0C, 0x07, 0xA0, 0, 0, 0, 0x87, 0x10, 0x02};
    static const uint8_t mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    uint8_t authenticate[39] = {0x00, 0x88, 0x00, 0x81, 0x22, 0x10};
    authenticate[22] = 0x10;
    (void)send(card, adm, sizeof adm);
    use_folder(card, UICC_MF);
    use_made(card);
    (void)send(card, usim, sizeof usim);
    (void)send(card, authenticate, sizeof authenticate);
    use_folder(card, UICC_USIM);
    use_made(card);
    (void)send(card, mf, sizeof mf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    lab_open(&lab, 1, NULL);
    struct card *card = &lab.devices[0].card;
    reset(card);
    struct reader r = reader_of(bytes_of(data, len));
    while (r.left >= 4) {
        uint8_t kind = reader_u8(&r) % 4;
        size_t at = reader_u16(&r);
        uint8_t step_len = reader_u8(&r);
        struct bytes step = reader_bytes(&r, step_len < r.left ? step_len : r.left);
        if (kind == 0)
            put_record(card, step);
        else if (kind == 1)
            put_journal(card, step);
        else if (kind == 2)
            put(&card->nvm, at, step);
        else // the files' part of it
            put(&card->nvm, CARD_STORE_AT + at % UICC_STORE_LEN, step);
    }
    reset(card);
    use(card);
    reset(card);
    use(card);
    lab_close(&lab);
    return 0;
}
