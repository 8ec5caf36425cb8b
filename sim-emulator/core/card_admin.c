// Administration: files activated and deactivated [102.221 §11.1.14, §11.1.15], created, deleted
// and resized [102.222 §6.3, §6.4, §6.10].
#include "sim-emulator/core/card_call.h"

#include "common/wire/tlv.h"

// The EF that P1 and the data name: by identifier, by path, or with no data the current one.
static uint16_t target(struct call *call, struct uicc_file *file)
{
    struct bytes data = call->apdu.data;
    uint8_t p1 = call->apdu.p1;
    bool is_path = p1 == PATH_FROM_MF || p1 == PATH_FROM_CURRENT;
    if ((p1 != BY_IDENTIFIER && !is_path) || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (!is_path && data.len == 0)
        return call_file(call, 0, file);
    if (!is_path && data.len != 2)
        return SW_WRONG_LENGTH;
    uint8_t from = p1 == PATH_FROM_MF ? (uint8_t)UICC_MF : call->channel->folder;
    uint16_t sw = call_walk(call, from, data, file);
    return sw == SW_OK && file->row->kind == UICC_FOLDER ? (uint16_t)SW_FILE_NOT_FOUND : sw;
}

static uint16_t set_active(struct call *call, bool is_active)
{
    struct uicc_file file;
    uint16_t sw = target(call, &file);
    struct uicc_access access = {.mode = is_active ? UICC_ACTIVATE : UICC_DEACTIVATE};
    if (sw != SW_OK)
        return sw;
    if (!call_may(call, &file, access))
        return SW_SECURITY_STATUS;
    sw = call_written(uicc_set_active(&call->files, &file, is_active));
    if (sw == SW_OK && call->apdu.data.len > 0)
        call_take(call, &file);
    return sw;
}

uint16_t call_activate(struct call *call)
{
    return set_active(call, true);
}

uint16_t call_deactivate(struct call *call)
{
    return set_active(call, false);
}

// --- file control parameters of a command ----------------------------------------------------

// A new file as the parameters describe it.
struct wanted {
    struct uicc_row row;
    uint16_t rules; // identifier of EF.ARR
    bool has_short;
    struct bytes fill;
    unsigned seen; // enum
};
enum { SEEN_DESCRIPTOR = 1, SEEN_IDENTIFIER = 2, SEEN_LIFE = 4, SEEN_RULE = 8, SEEN_SIZE = 16 };

static bool read_descriptor(struct bytes value, struct uicc_row *row)
{
    if (value.len < 2)
        return false;
    switch (value.at[0] & 0xBF) { // 40: shareable
    case 0x38:
        row->kind = UICC_FOLDER;
        return true;
    case 0x01:
        row->kind = UICC_TRANSPARENT;
        return true;
    case 0x02:
        row->kind = UICC_LINEAR;
        break;
    case 0x06:
        row->kind = UICC_CYCLIC;
        break;
    default: // octets
        return false;
    }
    // Record length in two octets, and maybe their number.
    if (value.len < 4 || value.at[2] != 0 || value.at[3] == 0)
        return false;
    row->record_len = value.at[3];
    return true;
}

static bool read_parameter(const struct tlv *object, struct wanted *out)
{
    struct reader r = reader_of(object->value);
    struct bytes fill;
    switch (object->tag) {
    case 0x82:
        out->seen |= SEEN_DESCRIPTOR;
        return read_descriptor(object->value, &out->row);
    case 0x83:
        out->seen |= SEEN_IDENTIFIER;
        out->row.identifier = reader_u16(&r);
        return reader_done(&r);
    case 0x8A:
        out->seen |= SEEN_LIFE;
        return object->value.len == 1;
    case 0x8B:
        out->seen |= SEEN_RULE;
        out->rules = reader_u16(&r);
        out->row.rule = reader_u8(&r);
        return reader_done(&r);
    case 0x80:
        out->seen |= SEEN_SIZE;
        out->row.size = reader_u16(&r);
        return reader_done(&r);
    case 0x88:
        out->has_short = true;
        out->row.short_identifier = object->value.len == 0 ? 0 : reader_u8(&r) >> 3;
        return reader_done(&r);
    case 0xA5: // what the file is filled with
        out->fill = tlv_find(object->value, 0xC1, &fill) ? fill : out->fill;
        return true;
    default: // octets; the rest says nothing that these cards do differently
        return true;
    }
}

static uint16_t read_wanted(struct call *call, struct wanted *out)
{
    struct reader outer = reader_of(call->apdu.data);
    struct tlv object;
    *out = (struct wanted){.row = {.owner = UICC_OWNER_CARD, .name = ""}};
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (!tlv_next(&outer, &object) || object.tag != 0x62 || !reader_done(&outer))
        return SW_WRONG_DATA;
    struct reader r = reader_of(object.value);
    while (tlv_next(&r, &object)) {
        if (!read_parameter(&object, out))
            return SW_WRONG_DATA;
    }
    return r.failed ? SW_WRONG_DATA : SW_OK;
}

static bool is_size_right(const struct uicc_row *row)
{
    if (row->kind == UICC_FOLDER)
        return true;
    unsigned count = row->record_len == 0 ? 1 : row->size / row->record_len;
    return row->size > 0 && count <= 254 &&
           (row->record_len == 0 || row->size % row->record_len == 0);
}

static uint16_t created(struct call *call, enum uicc_create result, const struct uicc_file *file)
{
    switch (result) {
    case UICC_CREATED:
        call_take(call, file);
        return SW_OK;
    case UICC_EXISTS:
        return SW_FILE_EXISTS;
    case UICC_NO_ROOM:
        return SW_NO_MEMORY;
    case UICC_CREATE_FAILED:
        return SW_MEMORY_FAILURE;
    case UICC_CREATE_CUT:
        return CARD_MUTE;
    }
    return SW_TECHNICAL_PROBLEM;
}

uint16_t call_create(struct call *call)
{
    struct wanted wanted;
    struct uicc_file folder;
    struct uicc_file file;
    uint16_t sw = read_wanted(call, &wanted);
    if (sw != SW_OK)
        return sw;
    bool is_folder = wanted.row.kind == UICC_FOLDER;
    unsigned needed = SEEN_DESCRIPTOR | SEEN_IDENTIFIER | SEEN_LIFE | SEEN_RULE;
    needed |= is_folder ? 0U : SEEN_SIZE;
    uint8_t here = call->channel->folder;
    bool is_in_adf = uicc_application_of(&call->files, here) != UICC_MF;
    bool is_right = (wanted.seen & needed) == needed && is_size_right(&wanted.row) &&
                    wanted.rules == (is_in_adf ? UICC_ID_ARR_ADF : UICC_ID_ARR_MF) &&
                    wanted.row.identifier != UICC_ID_MF && wanted.row.identifier != UICC_ID_ADF &&
                    wanted.row.identifier != 0xFFFF;
    if (!is_right)
        return SW_WRONG_DATA;
    struct uicc_access access = {.mode = is_folder ? UICC_CREATE_DF : UICC_CREATE_EF};
    if (!uicc_open_folder(&call->files, here, &folder))
        return SW_FILE_NOT_FOUND;
    if (!call_may(call, &folder, access))
        return SW_SECURITY_STATUS;
    // Not given, it is the end of the identifier [102.222 §6.3.2.2.1], unless another file has it.
    uint8_t low = wanted.row.identifier & 0x1F;
    if (!wanted.has_short && !is_folder && low != 0 && low != 0x1F &&
        !uicc_find_short(&call->files, here, low, &file))
        wanted.row.short_identifier = low;
    if (is_folder)
        wanted.row.size = 0;
    return created(call, uicc_create(&call->files, here, &wanted.row, wanted.fill, &file), &file);
}

uint16_t call_delete(struct call *call)
{
    struct bytes data = call->apdu.data;
    struct uicc_file file;
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (data.len != 2)
        return SW_WRONG_LENGTH;
    if (!uicc_find(&call->files, call->channel->folder, (uint16_t)(data.at[0] << 8 | data.at[1]),
                   &file))
        return SW_FILE_NOT_FOUND;
    if (!call_may(call, &file, (struct uicc_access){.mode = UICC_DELETE}))
        return SW_SECURITY_STATUS;
    if (!uicc_may_delete(&call->files, &file))
        return SW_CONDITIONS;
    uint16_t sw = call_written(uicc_delete(&call->files, &file));
    if (sw != SW_OK)
        return sw;
    // Nobody stays where nothing is.
    for (size_t i = 0; i < CARD_CHANNELS; i++) {
        struct card_channel *channel = &call->card->channels[i];
        if (channel->file == file.reference)
            channel->file = UICC_NO_FILE;
        if (file.row->kind == UICC_FOLDER && channel->folder == file.row->opens) {
            channel->folder = file.folder;
            channel->file = UICC_NO_FILE;
        }
    }
    return SW_OK;
}

uint16_t call_resize(struct call *call)
{
    struct wanted wanted;
    struct uicc_file file;
    uint16_t sw = read_wanted(call, &wanted);
    if (sw != SW_OK)
        return sw;
    if ((wanted.seen & (SEEN_IDENTIFIER | SEEN_SIZE)) != (SEEN_IDENTIFIER | SEEN_SIZE))
        return SW_WRONG_DATA;
    if (!uicc_find(&call->files, call->channel->folder, wanted.row.identifier, &file))
        return SW_FILE_NOT_FOUND;
    if (file.row->kind != UICC_TRANSPARENT && file.row->kind != UICC_LINEAR)
        return SW_STRUCTURE_MISMATCH;
    sw = call_check(call, &file, (struct uicc_access){.ins = INS_RESIZE_FILE});
    if (sw != SW_OK)
        return sw;
    wanted.row.kind = file.row->kind;
    wanted.row.record_len = file.row->record_len;
    if (!is_size_right(&wanted.row))
        return SW_WRONG_DATA;
    return created(call, uicc_resize(&call->files, &file, wanted.row.size), &file);
}
