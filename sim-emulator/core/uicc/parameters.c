#include "common/wire/tlv.h"
#include "sim-emulator/core/uicc/access.h"
#include "sim-emulator/core/uicc/files.h"

static void write_small(struct writer *w, uint16_t tag, uint8_t value)
{
    tlv_write(w, tag, bytes_of(&value, 1));
}

static void write_short(struct writer *w, uint16_t tag, uint16_t value)
{
    uint8_t octets[] = {(uint8_t)(value >> 8), (uint8_t)value};
    tlv_write(w, tag, bytes_of(octets, sizeof octets));
}

static void write_descriptor(struct writer *w, const struct uicc_row *row)
{
    static const uint8_t kinds[] = {[UICC_FOLDER] = 0x78,
                                    [UICC_TRANSPARENT] = 0x41,
                                    [UICC_LINEAR] = 0x42,
                                    [UICC_CYCLIC] = 0x46};
    uint8_t octets[] = {kinds[row->kind], 0x21, 0, row->record_len, 0};
    if (row->record_len != 0)
        octets[4] = (uint8_t)(row->size / row->record_len);
    tlv_write(w, 0x82, bytes_of(octets, row->record_len != 0 ? 5 : 2));
}

// Of the MF: what the card is like, the memory left, and that it takes TERMINAL CAPABILITY.
static void write_card(struct writer *w, const struct uicc_files *files)
{
    struct tlv_mark mark = tlv_open(w, 0xA5);
    write_small(w, 0x80, 0x71);
    uint8_t left[4];
    struct writer number = writer_of(left, sizeof left);
    writer_u32(&number, (uint32_t)uicc_files_free(files));
    tlv_write(w, 0x83, writer_bytes(&number));
    write_small(w, 0x87, 0x01);
    tlv_close(w, mark);
}

// The PIN status: a bit for each reference that follows, from the left, 1 = enabled; the universal
// PIN is never asked for unless it replaces another [102.221 §9.5.2, §11.1.1.4.10]. PIN2 is local
// to the folders under the MF.
static void write_pins(struct writer *w, uint8_t enabled, bool is_root)
{
    static const enum uicc_pin order[] = {UICC_PIN1, UICC_PIN2, UICC_ADM1, UICC_PIN_UNIVERSAL};
    uint8_t octets[24];
    struct writer references = writer_of(octets, sizeof octets);
    unsigned status = 0;
    unsigned bit = 0x80;
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        bool is_enabled = (enabled & 1U << order[i]) != 0;
        if (is_root && order[i] == UICC_PIN2)
            continue;
        if (order[i] == UICC_PIN_UNIVERSAL)
            write_small(&references, 0x95, is_enabled ? 0x08 : 0x00);
        write_small(&references, 0x83, uicc_pin_reference(order[i]));
        status |= is_enabled ? bit : 0;
        bit >>= 1;
    }
    struct tlv_mark mark = tlv_open(w, 0xC6);
    write_small(w, 0x90, (uint8_t)status);
    writer_copy(w, writer_bytes(&references));
    tlv_close(w, mark);
}

void uicc_parameters(const struct uicc_files *files, const struct uicc_file *file, uint8_t enabled,
                     struct writer *w)
{
    const struct uicc_row *row = file->row;
    bool is_root = file->folder == UICC_NO_FOLDER;
    struct tlv_mark all = tlv_open(w, 0x62);
    write_descriptor(w, row);
    write_short(w, 0x83, file->identifier);
    if (row->kind == UICC_FOLDER && uicc_application(row->opens).len > 0)
        tlv_write(w, 0x84, uicc_application(row->opens));
    if (is_root)
        write_card(w, files);
    write_small(w, 0x8A, uicc_is_active(files, file) ? 0x05 : 0x04);
    bool is_in_adf = !is_root && uicc_application_of(files, file->folder) != UICC_MF;
    uint16_t rules = is_in_adf ? UICC_ID_ARR_ADF : UICC_ID_ARR_MF;
    uint8_t rule[] = {(uint8_t)(rules >> 8), (uint8_t)rules, row->rule};
    tlv_write(w, 0x8B, bytes_of(rule, sizeof rule));
    if (row->kind == UICC_FOLDER) {
        write_pins(w, enabled, is_root);
    } else {
        write_short(w, 0x80, row->size);
        uint8_t short_identifier = (uint8_t)(row->short_identifier << 3);
        tlv_write(w, 0x88, bytes_of(&short_identifier, row->short_identifier != 0));
    }
    tlv_close(w, all);
}
