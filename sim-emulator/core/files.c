#include "sim-emulator/core/files.h"

#include "common/base/check.h"
#include "common/wire/ident.h"
#include "common/wire/tlv.h"

#define CONTENT(...)                                                                               \
    {                                                                                              \
        .at = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((const uint8_t[]){__VA_ARGS__})        \
    }

static const uint8_t usim_aid[] = {0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0x89, 0x07, 0x09, 0x00, 0x00};

struct bytes file_application(void)
{
    return bytes_of(usim_aid, sizeof usim_aid);
}

// --- views -----------------------------------------------------------------------------------

static void view_iccid(const struct file_source *s, struct writer *w)
{
    const struct slot *slot = &s->subscription->slot;
    writer_copy(
        w, bytes_of(slot->has_iccid ? slot->iccid : s->factory->card_iccid, COMMAND_ICCID_SIZE));
}

static void view_imsi(const struct file_source *s, struct writer *w)
{
    writer_copy(w, bytes_of(s->subscription->slot.imsi, COMMAND_IMSI_SIZE));
}

// One bit for the access class, which is the last digit of the IMSI [22.011 §4.2].
static void view_access_class(const struct file_source *s, struct writer *w)
{
    char imsi[IMSI_SIZE];
    writer_u16(w, imsi_read(s->subscription->slot.imsi, imsi) ? imsi_access_class(imsi) : 0);
}

static void view_administrative(const struct file_source *s, struct writer *w)
{
    writer_fill(w, 0, 3);
    writer_u8(w, s->subscription->slot.mnc_length);
}

// Length octet, then TON/NPI and BCD, filled up with FF to `size` octets.
static void write_number(struct writer *w, const struct dialling *number, size_t size)
{
    size_t end = w->len + size;
    if (number->len > 0 && number->len < size) {
        writer_u8(w, number->len);
        writer_copy(w, bytes_of(number->octets, number->len));
    }
    writer_fill(w, NVM_ERASED, end - w->len);
}

static void view_msisdn(const struct file_source *s, struct writer *w)
{
    writer_fill(w, NVM_ERASED, 10); // no alpha identifier
    write_number(w, &s->subscription->slot.msisdn, 12);
}

// Of the parameters only the service centre is there: bit 2 of the indicators is 0 [31.102
// §4.2.27].
static void view_sms_parameters(const struct file_source *s, struct writer *w)
{
    const struct dialling *centre = &s->subscription->slot.smsc;
    writer_fill(w, NVM_ERASED, 10);
    writer_u8(w, centre->len > 0 ? 0xFD : 0xFF);
    writer_fill(w, NVM_ERASED, 12);
    write_number(w, centre, 12);
}

// MCC and MNC out of the IMSI as a PLMN [24.008 §10.5.1.13].
static void plmn_of_imsi(const struct slot *slot, uint8_t plmn[PLMN_LEN])
{
    const uint8_t *imsi = slot->imsi; // length, then digit 1 in the high half of octet 1
    uint8_t mcc1 = imsi[1] >> 4;
    uint8_t mnc3 = slot->mnc_length == 3 ? imsi[4] & 0x0F : 0x0F;
    plmn[0] = (uint8_t)((imsi[2] & 0x0F) << 4 | mcc1);
    plmn[1] = (uint8_t)(mnc3 << 4 | imsi[2] >> 4);
    plmn[2] = (uint8_t)((imsi[3] >> 4) << 4 | (imsi[3] & 0x0F));
}

static void view_template_list(const struct file_source *s, struct writer *w, size_t list)
{
    const struct applet_template *from = s->subscription->from;
    if (from != NULL)
        writer_copy(w, bytes_slice(from->plmn_lists[list], 0, writer_room(w)));
}

static void view_plmn_user(const struct file_source *s, struct writer *w)
{
    view_template_list(s, w, 0);
}

static void view_plmn_operator(const struct file_source *s, struct writer *w)
{
    view_template_list(s, w, 1);
}

// What the download brought, the template's list, or the home network of the IMSI with UTRAN,
// E-UTRAN and GSM.
static void view_plmn_home(const struct file_source *s, struct writer *w)
{
    const struct slot *slot = &s->subscription->slot;
    if (slot->plmns_len > 0)
        writer_copy(w, bytes_of(slot->plmns, slot->plmns_len));
    else
        view_template_list(s, w, 2);
    if (w->len > 0)
        return;
    uint8_t plmn[PLMN_LEN];
    plmn_of_imsi(slot, plmn);
    writer_copy(w, bytes_of(plmn, sizeof plmn));
    writer_u16(w, 0xC080);
}

// --- the table -------------------------------------------------------------------------------

// clang-format off
static const struct card_file table[] = {
    {.identifier = FILE_MF, .kind = FILE_FOLDER},
    {.identifier = FILE_ADF, .folder = FILE_MF, .kind = FILE_FOLDER},
    // EF.DIR, EF.PL, EF.ARR, EF.ICCID
    {0x2F00, FILE_MF, FILE_LINEAR, 0x1E, 34, 34, .content = CONTENT(
        0x61, 0x19, 0x4F, 0x10, 0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xFF, 0xFF, 0xFF, 0xFF,
        0x89, 0x07, 0x09, 0x00, 0x00, 0x50, 0x05, 'U', 'S', 'i', 'm', '1')},
    {0x2F05, FILE_MF, FILE_TRANSPARENT, 0x05, 2, .content = CONTENT(0xFF)},
    // Record 1: read always, update with ADM1. Record 2: read and update always [102.221 §9.2.7].
    {0x2F06, FILE_MF, FILE_LINEAR, 0x06, 48, 24, .content = CONTENT(
        0x80, 0x01, 0x01, 0x90, 0x00, 0x80, 0x01, 0x02, 0xA4, 0x06, 0x83, 0x01, 0x0A, 0x95, 0x01,
        0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x01, 0x03, 0x90, 0x00)},
    {0x2FE2, FILE_MF, FILE_TRANSPARENT, 0x02, 10, .view = view_iccid},
    // EF.IMSI, EF.ARR
    {FILE_IMSI, FILE_ADF, FILE_TRANSPARENT, 0x07, 9, .view = view_imsi},
    {0x6F06, FILE_ADF, FILE_LINEAR, 0x17, 48, 24, .content = CONTENT(
        0x80, 0x01, 0x01, 0x90, 0x00, 0x80, 0x01, 0x02, 0xA4, 0x06, 0x83, 0x01, 0x0A, 0x95, 0x01,
        0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x01, 0x03, 0x90, 0x00)},
    // EF.LI, EF.Keys, EF.KeysPS, EF.HPPLMN
    {0x6F05, FILE_ADF, FILE_TRANSPARENT, 0x02, 6, .store_at = 345},
    {0x6F08, FILE_ADF, FILE_TRANSPARENT, 0x08, 33, .store_at = 71, .content = CONTENT(0x07)},
    {0x6F09, FILE_ADF, FILE_TRANSPARENT, 0x09, 33, .store_at = 104, .content = CONTENT(0x07)},
    {0x6F31, FILE_ADF, FILE_TRANSPARENT, 0x12, 1, .content = CONTENT(0x0A)},
    // EF.UST: services 10, 12, 20, 21, 27, 28, 33, 38, 42, 43, 85 [31.102 §4.2.8]
    {0x6F38, FILE_ADF, FILE_TRANSPARENT, 0x04, 17, .content = CONTENT(
        0x00, 0x0A, 0x18, 0x0C, 0x21, 0x06, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00)},
    // EF.SMS, EF.MSISDN, EF.SMSP, EF.SMSS
    {0x6F3C, FILE_ADF, FILE_LINEAR, 0, 1760, 176, .store_at = 359},
    {0x6F40, FILE_ADF, FILE_LINEAR, 0, 24, 24, .view = view_msisdn},
    {0x6F42, FILE_ADF, FILE_LINEAR, 0, 38, 38, .view = view_sms_parameters},
    {0x6F43, FILE_ADF, FILE_TRANSPARENT, 0, 2, .store_at = 351},
    // EF.EST, EF.START-HFN, EF.THRESHOLD
    {0x6F56, FILE_ADF, FILE_TRANSPARENT, 0x05, 1, .content = CONTENT(0x00)},
    {0x6F5B, FILE_ADF, FILE_TRANSPARENT, 0x0F, 6, .store_at = 353,
        .content = CONTENT(0xF0, 0x00, 0x00, 0xF0, 0x00, 0x00)},
    {0x6F5C, FILE_ADF, FILE_TRANSPARENT, 0x10, 3, .content = CONTENT(0xFF)},
    // EF.PLMNwAcT, EF.OPLMNwAcT, EF.HPLMNwAcT
    {0x6F60, FILE_ADF, FILE_TRANSPARENT, 0x0A, 40, .view = view_plmn_user},
    {0x6F61, FILE_ADF, FILE_TRANSPARENT, 0x11, 40, .view = view_plmn_operator},
    {0x6F62, FILE_ADF, FILE_TRANSPARENT, 0x13, COMMAND_PLMNS_MAX, .view = view_plmn_home},
    // EF.PSLOCI, EF.ACC, EF.FPLMN, EF.LOCI
    {0x6F73, FILE_ADF, FILE_TRANSPARENT, 0x0C, 14, .store_at = 45, .content = CONTENT(
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x01)},
    {0x6F78, FILE_ADF, FILE_TRANSPARENT, 0x06, 2, .view = view_access_class},
    {0x6F7B, FILE_ADF, FILE_TRANSPARENT, 0x0D, 12, .store_at = 59},
    {FILE_LOCI, FILE_ADF, FILE_TRANSPARENT, 0x0B, 11, .store_at = 16, .content = CONTENT(
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x01)},
    // EF.AD, EF.ECC (112), EF.NETPAR, EF.EPSLOCI, EF.EPSNSC
    {0x6FAD, FILE_ADF, FILE_TRANSPARENT, 0x03, 4, .view = view_administrative},
    {0x6FB7, FILE_ADF, FILE_LINEAR, 0x01, 4, 4, .content = CONTENT(0x11, 0xF2, 0xFF, 0x00)},
    {0x6FC4, FILE_ADF, FILE_TRANSPARENT, 0, 128, .store_at = 217},
    {FILE_EPSLOCI, FILE_ADF, FILE_TRANSPARENT, 0x1E, 18, .store_at = 27, .content = CONTENT(
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0x00, 0x00, 0x01)},
    {0x6FE4, FILE_ADF, FILE_LINEAR, 0x18, 80, 80, .store_at = 137},
};
// clang-format on

#define FILE_COUNT (sizeof table / sizeof table[0])

const struct card_file *file_table(size_t *count)
{
    *count = FILE_COUNT;
    return table;
}

const struct card_file *file_find(uint16_t folder, uint16_t identifier)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (table[i].folder == folder && table[i].identifier == identifier)
            return &table[i];
    }
    return NULL;
}

const struct card_file *file_find_short(uint16_t folder, uint8_t short_identifier)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (table[i].folder == folder && table[i].short_identifier == short_identifier &&
            table[i].kind != FILE_FOLDER)
            return &table[i];
    }
    return NULL;
}

// --- content ---------------------------------------------------------------------------------

static uint8_t default_octet(const struct card_file *file, size_t offset)
{
    return offset < file->content.len ? file->content.at[offset] : NVM_ERASED;
}

static struct bytes owner_of(uint32_t generation, uint8_t octets[4])
{
    struct writer w = writer_of(octets, 4);
    writer_u32(&w, generation);
    return writer_bytes(&w);
}

void file_read(const struct card_file *file, const struct file_source *source, size_t offset,
               uint8_t *to, size_t len)
{
    check(offset + len <= file->size);
    if (file_is_view(file)) {
        uint8_t content[FILE_VIEW_MAX];
        struct writer w = writer_of(content, file->size);
        file->view(source, &w);
        writer_fill(&w, NVM_ERASED, writer_room(&w));
        memcpy(to, content + offset, len);
        return;
    }
    uint8_t owner[4];
    bool is_stored =
        file->store_at != 0 && nvm_area_is_of(&source->store, owner_of(source->generation, owner));
    if (is_stored)
        nvm_read(source->store.nvm, source->store.offset + file->store_at + (uint32_t)offset, to,
                 len);
    // Stored is the difference from the default, so that erased memory reads as the default.
    for (size_t i = 0; i < len; i++) {
        uint8_t difference = is_stored ? (uint8_t)(to[i] ^ NVM_ERASED) : 0;
        to[i] = default_octet(file, offset + i) ^ difference;
    }
}

enum file_update file_update(const struct card_file *file, const struct file_source *source,
                             size_t offset, struct bytes octets)
{
    check(offset + octets.len <= file->size && octets.len <= 256);
    if (file->store_at == 0)
        return FILE_NOT_ALLOWED;
    uint8_t owner[4];
    enum nvm_result result = nvm_area_take(&source->store, owner_of(source->generation, owner));
    uint8_t stored[256];
    for (size_t i = 0; i < octets.len; i++)
        stored[i] = octets.at[i] ^ default_octet(file, offset + i) ^ NVM_ERASED;
    if (result == NVM_OK)
        result =
            nvm_write(source->store.nvm, source->store.offset + file->store_at + (uint32_t)offset,
                      stored, octets.len);
    if (result == NVM_CUT)
        return FILE_POWER_CUT;
    return result == NVM_OK ? FILE_UPDATED : FILE_MEMORY;
}

void file_parameters(const struct card_file *file, struct writer *w)
{
    struct tlv_mark all = tlv_open(w, 0x62);
    uint8_t descriptor[5] = {0x78, 0x21};
    size_t descriptor_len = 2;
    if (file->kind != FILE_FOLDER)
        descriptor[0] = file->kind == FILE_LINEAR ? 0x42 : 0x41;
    if (file->kind == FILE_LINEAR) {
        descriptor[3] = file->record_len;
        descriptor[4] = (uint8_t)(file->size / file->record_len);
        descriptor_len = 5;
    }
    tlv_write(w, 0x82, bytes_of(descriptor, descriptor_len));
    // The ADF has an identifier of its own behind the name "current ADF".
    uint16_t identifier = file->identifier == FILE_ADF ? 0x7FF0 : file->identifier;
    uint8_t identifier_octets[] = {(uint8_t)(identifier >> 8), (uint8_t)identifier};
    tlv_write(w, 0x83, bytes_of(identifier_octets, 2));
    if (file->identifier == FILE_ADF)
        tlv_write(w, 0x84, file_application());
    static const uint8_t activated = 0x05;
    tlv_write(w, 0x8A, bytes_of(&activated, 1));
    bool in_adf = file->folder == FILE_ADF || file->identifier == FILE_ADF;
    uint8_t rule[] = {in_adf ? 0x6F : 0x2F, 0x06, file->store_at != 0 ? 0x02 : 0x01};
    tlv_write(w, 0x8B, bytes_of(rule, sizeof rule));
    if (file->kind == FILE_FOLDER) {
        // PIN1 is there and disabled [102.221 §9.5.2].
        static const uint8_t pins[] = {0x90, 0x01, 0x00, 0x83, 0x01, 0x01};
        tlv_write(w, 0xC6, bytes_of(pins, sizeof pins));
    } else {
        uint8_t size[] = {(uint8_t)(file->size >> 8), (uint8_t)file->size};
        tlv_write(w, 0x80, bytes_of(size, sizeof size));
        uint8_t short_identifier = (uint8_t)(file->short_identifier << 3);
        tlv_write(w, 0x88, bytes_of(&short_identifier, file->short_identifier != 0));
    }
    tlv_close(w, all);
}
