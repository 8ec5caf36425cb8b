// Reading and writing files [102.221 §11.1.3-11.1.6, §11.1.8].
#include "sim-emulator/core/card_call.h"

#define SHORT_MASK 0x1F

uint16_t call_check_le(const struct call *call, size_t len)
{
    size_t le = call->apdu.le;
    bool fits = le == 0 || le == len || (!call->is_exact && le > len);
    return fits ? SW_OK : (uint16_t)(SW_WRONG_LE | (len & 0xFF));
}

bool call_may(const struct call *call, const struct uicc_file *file, struct uicc_access access)
{
    uint8_t octets[256];
    uint8_t satisfied = call->granted | uicc_pins_satisfied(call->pins);
    return uicc_access_is_allowed(uicc_rule(&call->files, file, octets), access, satisfied);
}

uint16_t call_check(const struct call *call, const struct uicc_file *file,
                    struct uicc_access access)
{
    if (!uicc_is_active(&call->files, file))
        return SW_DATA_INVALIDATED;
    return call_may(call, file, access) ? SW_OK : SW_SECURITY_STATUS;
}

uint16_t call_file(const struct call *call, uint8_t short_identifier, struct uicc_file *out)
{
    struct card_channel *channel = call->channel;
    if (short_identifier == 0)
        return uicc_open(&call->files, channel->file, out) ? SW_OK : SW_NO_EF_SELECTED;
    if (!uicc_find_short(&call->files, channel->folder, short_identifier, out))
        return SW_FILE_NOT_FOUND;
    if (channel->file != out->reference)
        channel->record = 0;
    channel->file = out->reference;
    return SW_OK;
}

uint16_t call_written(enum nvm_result result)
{
    switch (result) {
    case NVM_OK:
        return SW_OK;
    case NVM_CUT:
        return CARD_MUTE;
    case NVM_FAILED:
        return SW_MEMORY_FAILURE;
    }
    return SW_TECHNICAL_PROBLEM;
}

// Adds a file to a script's list, unless it is there.
static void note_change(const struct call *call, const struct uicc_file *file)
{
    struct card_changes *changes = call->changes;
    uint16_t folders[UICC_CREATED_MAX + 3];
    unsigned depth = 0;
    uint8_t path[2 * (UICC_CREATED_MAX + 5)];
    struct writer w = writer_of(path, sizeof path);
    struct uicc_file folder;
    for (uint8_t at = file->folder; at != UICC_MF && depth < sizeof folders / sizeof folders[0];
         at = uicc_parent(&call->files, at)) {
        bool is_adf = uicc_application(at).len > 0;
        changes->application = is_adf ? at : changes->application;
        bool is_there = uicc_open_folder(&call->files, at, &folder);
        folders[depth++] = is_adf || !is_there ? (uint16_t)UICC_ID_ADF : folder.identifier;
    }
    writer_u16(&w, UICC_ID_MF);
    while (depth > 0)
        writer_u16(&w, folders[--depth]);
    writer_u16(&w, file->identifier);
    for (size_t at = 1; at + w.len <= changes->len; at += 2) {
        // tidy: secret, a list of file names
        if (memcmp(changes->list + at, path, w.len) == 0)
            return;
    }
    size_t begin = changes->len == 0 ? 1 : changes->len;
    if (w.failed || begin + w.len > sizeof changes->list) {
        changes->is_more = true;
        return;
    }
    changes->list[0] = (uint8_t)(changes->len == 0 ? 1 : changes->list[0] + 1);
    memcpy(changes->list + begin, path, w.len);
    changes->len = (uint8_t)(begin + w.len);
}

void call_was_read(struct call *call, const struct uicc_file *file)
{
    if (call->changes == NULL && uicc_watched(file) == UICC_WATCHED_IMSI)
        applet_imsi_read(&call->card->applet, &call->port);
}

// Where the terminal is, as it writes it into the location files: the last octet is the update
// status, the PLMN stands behind the temporary identity [31.102 §4.2.17, §4.2.91].
void call_was_written(struct call *call, const struct uicc_file *file)
{
    enum uicc_watched watched = uicc_watched(file);
    if (call->changes != NULL)
        note_change(call, file);
    if (call->changes != NULL || (watched != UICC_WATCHED_LOCI && watched != UICC_WATCHED_EPSLOCI))
        return;
    uint8_t content[UICC_CHUNK_LEN];
    size_t len = file->origin->size;
    size_t plmn_at = watched == UICC_WATCHED_LOCI ? 4 : 12;
    if (file->row->size < len || !uicc_read(&call->files, file, 0, content, len))
        return;
    uint8_t status = content[len - 1] & 0x07;
    enum cat_location_status service = CAT_SERVICE_NONE; // 1 not updated
    if (status == 0)
        service = CAT_SERVICE_NORMAL;
    else if (status == 2 || status == 3)
        service = CAT_SERVICE_LIMITED;
    applet_location(&call->card->applet, &call->port, service,
                    status == 1 ? NULL : content + plmn_at);
}

static uint16_t read_out(struct call *call, const struct uicc_file *file, size_t offset, size_t len)
{
    uint8_t octets[CARD_RESPONSE_MAX];
    if (!uicc_read(&call->files, file, offset, octets, len))
        return SW_MEMORY_FAILURE;
    writer_copy(call->response, bytes_of(octets, len));
    call_was_read(call, file);
    return SW_OK;
}

static uint16_t write_in(struct call *call, const struct uicc_file *file, size_t offset)
{
    uint16_t sw = call_written(uicc_update(&call->files, file, offset, call->apdu.data));
    if (sw == SW_OK)
        call_was_written(call, file);
    return sw;
}

static uint16_t append(struct call *call, const struct uicc_file *file, struct bytes record)
{
    uint16_t sw = call_written(uicc_append(&call->files, file, record));
    if (sw == SW_OK)
        call_was_written(call, file);
    return sw;
}

// --- transparent -----------------------------------------------------------------------------

// The file that a command on octets means, and where in it.
static uint16_t target_binary(const struct call *call, struct uicc_access access,
                              struct uicc_file *file, size_t *offset)
{
    uint8_t p1 = call->apdu.p1;
    bool is_short = (p1 & 0x80) != 0;
    if (is_short && ((p1 & 0x60) != 0 || (p1 & SHORT_MASK) == 0))
        return SW_WRONG_P1_P2;
    *offset = is_short ? call->apdu.p2 : (size_t)p1 << 8 | call->apdu.p2;
    uint16_t sw = call_file(call, is_short ? p1 & SHORT_MASK : 0, file);
    if (sw != SW_OK)
        return sw;
    if (file->row->kind != UICC_TRANSPARENT)
        return SW_STRUCTURE_MISMATCH;
    sw = call_check(call, file, access);
    if (sw != SW_OK)
        return sw;
    return *offset < file->row->size ? SW_OK : SW_WRONG_OFFSET;
}

uint16_t call_read_binary(struct call *call)
{
    struct uicc_file file;
    size_t offset;
    uint16_t sw = target_binary(call, (struct uicc_access){.mode = UICC_READ}, &file, &offset);
    if (sw != SW_OK)
        return sw;
    size_t left = file.row->size - offset;
    size_t len = call->apdu.le;
    if (call->apdu.data.len != 0)
        return SW_WRONG_LENGTH;
    // Le 00 takes what there is, up to 256 octets, where the transport can say how many came.
    if ((len == APDU_LE_MAX && !call->is_exact) || len == 0)
        len = left < APDU_LE_MAX ? left : APDU_LE_MAX;
    if (len > left)
        return (uint16_t)(SW_WRONG_LE | (left & 0xFF));
    return read_out(call, &file, offset, len);
}

uint16_t call_update_binary(struct call *call)
{
    struct uicc_file file;
    size_t offset;
    uint16_t sw = target_binary(call, (struct uicc_access){.mode = UICC_UPDATE}, &file, &offset);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.data.len == 0 || call->apdu.data.len > file.row->size - offset)
        return SW_WRONG_LENGTH;
    return write_in(call, &file, offset);
}

// --- records ---------------------------------------------------------------------------------

enum { MODE_NEXT = 0x02, MODE_PREVIOUS = 0x03, MODE_ABSOLUTE = 0x04, MODE_MASK = 0x07 };

static uint16_t target_record(const struct call *call, struct uicc_access access,
                              struct uicc_file *file)
{
    uint16_t sw = call_file(call, call->apdu.p2 >> 3, file);
    if (sw != SW_OK)
        return sw;
    if (file->row->kind != UICC_LINEAR && file->row->kind != UICC_CYCLIC)
        return SW_STRUCTURE_MISMATCH;
    return call_check(call, file, access);
}

// The record that P1 and the mode name: 0 when there is none. A cyclic file has no ends.
static uint16_t record_of(const struct call *call, const struct uicc_file *file, unsigned *record)
{
    unsigned count = uicc_record_count(file);
    unsigned pointer = call->channel->record;
    bool is_cyclic = file->row->kind == UICC_CYCLIC;
    *record = call->apdu.p1;
    switch (call->apdu.p2 & MODE_MASK) {
    case MODE_NEXT:
        *record = pointer + 1;
        if (is_cyclic && *record > count)
            *record = 1;
        break;
    case MODE_PREVIOUS: // from nowhere it is the last one
        *record = pointer == 0 ? count : pointer - 1;
        if (is_cyclic && *record == 0)
            *record = count;
        break;
    case MODE_ABSOLUTE: // or the current one with 00
        if (*record == 0)
            *record = pointer;
        break;
    default: // octets
        return SW_WRONG_P1_P2;
    }
    return *record == 0 || *record > count ? SW_RECORD_NOT_FOUND : SW_OK;
}

static void move_pointer(struct call *call, unsigned record)
{
    if ((call->apdu.p2 & MODE_MASK) != MODE_ABSOLUTE)
        call->channel->record = (uint8_t)record;
}

uint16_t call_read_record(struct call *call)
{
    struct uicc_file file;
    unsigned record;
    uint16_t sw = target_record(call, (struct uicc_access){.mode = UICC_READ}, &file);
    if (sw == SW_OK)
        sw = record_of(call, &file, &record);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.data.len != 0)
        return SW_WRONG_LENGTH;
    bool takes_all = call->apdu.le == 0 || (call->apdu.le == APDU_LE_MAX && !call->is_exact);
    if (!takes_all && call->apdu.le != file.row->record_len)
        return (uint16_t)(SW_WRONG_LE | file.row->record_len);
    move_pointer(call, record);
    return read_out(call, &file, uicc_record_offset(&call->files, &file, record),
                    file.row->record_len);
}

uint16_t call_update_record(struct call *call)
{
    struct uicc_file file;
    unsigned record = 1;
    uint16_t sw = target_record(call, (struct uicc_access){.mode = UICC_UPDATE}, &file);
    bool is_cyclic = sw == SW_OK && file.row->kind == UICC_CYCLIC;
    // A cyclic file is only written at its oldest record [102.221 §11.1.6].
    if (is_cyclic && (call->apdu.p2 & MODE_MASK) != MODE_PREVIOUS)
        return SW_STRUCTURE_MISMATCH;
    if (sw == SW_OK && !is_cyclic)
        sw = record_of(call, &file, &record);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.data.len != file.row->record_len)
        return SW_WRONG_LENGTH;
    if (!is_cyclic)
        sw = write_in(call, &file, uicc_record_offset(&call->files, &file, record));
    else
        sw = append(call, &file, call->apdu.data);
    if (sw == SW_OK)
        move_pointer(call, record);
    return sw;
}

// Adds to record 1 and makes the sum a new one; the answer is the sum and what was added.
uint16_t call_increase(struct call *call)
{
    uint8_t p1 = call->apdu.p1;
    struct bytes value = call->apdu.data;
    struct uicc_file file;
    if (call->apdu.p2 != 0 || (p1 != 0 && (p1 & 0xE0) != 0x80))
        return SW_WRONG_P1_P2;
    uint16_t sw = call_file(call, p1 & SHORT_MASK, &file);
    if (sw != SW_OK)
        return sw;
    if (file.row->kind != UICC_CYCLIC)
        return SW_STRUCTURE_MISMATCH;
    sw = call_check(call, &file, (struct uicc_access){.ins = INS_INCREASE});
    if (sw != SW_OK)
        return sw;
    size_t len = file.row->record_len;
    uint8_t sum[256];
    if (value.len == 0 || value.len > len || value.len > 127 ||
        len + value.len > CARD_RESPONSE_MAX) // what cannot be answered is not done
        return SW_WRONG_LENGTH;
    if (!uicc_read(&call->files, &file, uicc_record_offset(&call->files, &file, 1), sum, len))
        return SW_MEMORY_FAILURE;
    unsigned carry = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = sum[len - 1 - i] + carry;
        digit += i < value.len ? value.at[value.len - 1 - i] : 0U;
        sum[len - 1 - i] = (uint8_t)digit;
        carry = digit >> 8;
    }
    if (carry != 0)
        return SW_MAX_VALUE;
    sw = append(call, &file, bytes_of(sum, len));
    if (sw != SW_OK)
        return sw;
    call->channel->record = 1;
    writer_copy(call->response, bytes_of(sum, len));
    writer_copy(call->response, value);
    return SW_OK;
}
