// SELECT, STATUS, MANAGE CHANNEL [102.221 §11.1.1, §11.1.2, §11.1.17].
#include "sim-emulator/core/card_call.h"

#include "common/wire/tlv.h"

// P2: what is returned, which one of several names, and whether the application ends.
#define RETURN_MASK 0x0C
#define RETURN_PARAMETERS 0x04
#define RETURN_NOTHING 0x0C
enum { NAME_FIRST = 0x00, NAME_LAST = 0x01, NAME_NEXT = 0x02, NAME_PREVIOUS = 0x03 };
#define TERMINATES 0x40
#define TERMINATES_MASK 0x60

// The ADF of an application is reached by its name only.
static bool is_adf(const struct uicc_file *file)
{
    return file->row->kind == UICC_FOLDER && uicc_application(file->row->opens).len > 0;
}

bool call_reach(const struct call *call, uint8_t folder, uint16_t identifier, struct uicc_file *out)
{
    const struct uicc_files *files = &call->files;
    if (identifier == UICC_ID_MF)
        return uicc_open_folder(files, UICC_MF, out);
    if (identifier == UICC_ID_ADF)
        return call->channel->application != UICC_MF &&
               uicc_open_folder(files, call->channel->application, out);
    if (uicc_find(files, folder, identifier, out))
        return !is_adf(out);
    // Folders: those beside the current one, its parent, itself.
    uint8_t parent = uicc_parent(files, folder);
    if (uicc_find(files, parent, identifier, out))
        return out->row->kind == UICC_FOLDER && !is_adf(out);
    return uicc_open_folder(files, parent, out) && out->identifier == identifier;
}

void call_take(struct call *call, const struct uicc_file *file)
{
    struct card_channel *channel = call->channel;
    channel->record = 0;
    if (file->row->kind == UICC_FOLDER) {
        channel->folder = file->row->opens;
        channel->file = UICC_NO_FILE;
    } else {
        channel->folder = file->folder;
        channel->file = file->reference;
    }
}

uint16_t call_walk(const struct call *call, uint8_t folder, struct bytes path,
                   struct uicc_file *file)
{
    struct reader r = reader_of(path);
    if (path.len == 0 || path.len % 2 != 0)
        return SW_WRONG_LENGTH;
    for (bool is_first = true; r.left > 0; is_first = false) {
        // Only the last one may be an EF.
        if (!is_first && file->row->kind != UICC_FOLDER)
            return SW_FILE_NOT_FOUND;
        uint16_t identifier = reader_u16(&r);
        bool is_absolute = identifier == UICC_ID_MF || identifier == UICC_ID_ADF;
        bool is_there = is_first && is_absolute ? call_reach(call, folder, identifier, file)
                                                : uicc_find(&call->files, folder, identifier, file);
        if (!is_there || (identifier != UICC_ID_ADF && is_adf(file)))
            return SW_FILE_NOT_FOUND;
        folder = file->row->opens;
    }
    return SW_OK;
}

// Which of the applications that have this name is meant; UICC_MF for none. Next and previous are
// seen from the present one.
static uint8_t application_named(struct bytes name, uint8_t which, uint8_t present)
{
    uint8_t found = UICC_MF;
    for (unsigned i = UICC_USIM; i <= UICC_ISIM; i++) {
        uint8_t folder = (uint8_t)i;
        struct bytes aid = uicc_application(folder);
        if (name.len > aid.len || !bytes_equal(name, bytes_slice(aid, 0, name.len)))
            continue;
        bool is_it = which == NAME_LAST || (which == NAME_FIRST && found == UICC_MF) ||
                     (which == NAME_NEXT && found == UICC_MF && folder > present) ||
                     (which == NAME_PREVIOUS && folder < present);
        found = is_it ? folder : found;
    }
    return found;
}

// A name may be given by its beginning [102.221 §8.5]; the RID is the least.
static uint16_t find_named(struct call *call, struct uicc_file *file)
{
    struct bytes name = call->apdu.data;
    if (name.len < 5 || name.len > 16)
        return SW_WRONG_LENGTH;
    uint8_t folder = application_named(name, call->apdu.p2 & 0x03, call->channel->application);
    if (folder == UICC_MF || !uicc_open_folder(&call->files, folder, file))
        return SW_FILE_NOT_FOUND;
    return SW_OK;
}

static uint16_t find_selected(struct call *call, struct uicc_file *file)
{
    struct bytes data = call->apdu.data;
    uint8_t folder = call->channel->folder;
    bool is_found;
    switch (call->apdu.p1) {
    case BY_IDENTIFIER:
        if (data.len == 0)
            return uicc_open_folder(&call->files, UICC_MF, file) ? SW_OK : SW_FILE_NOT_FOUND;
        if (data.len != 2)
            return SW_WRONG_LENGTH;
        is_found = call_reach(call, folder, (uint16_t)(data.at[0] << 8 | data.at[1]), file);
        return is_found ? SW_OK : SW_FILE_NOT_FOUND;
    case CHILD_FOLDER:
        if (data.len != 2)
            return SW_WRONG_LENGTH;
        is_found = uicc_find(&call->files, folder, (uint16_t)(data.at[0] << 8 | data.at[1]), file);
        return is_found && file->row->kind == UICC_FOLDER && !is_adf(file) ? SW_OK
                                                                           : SW_FILE_NOT_FOUND;
    case PARENT_FOLDER:
        if (data.len != 0)
            return SW_WRONG_LENGTH;
        is_found = uicc_open_folder(&call->files, uicc_parent(&call->files, folder), file);
        return is_found ? SW_OK : SW_FILE_NOT_FOUND;
    case BY_NAME:
        return find_named(call, file);
    case PATH_FROM_MF:
        return call_walk(call, UICC_MF, data, file);
    case PATH_FROM_CURRENT:
        return call_walk(call, folder, data, file);
    default: // octets
        return SW_WRONG_P1_P2;
    }
}

// Where a command without data is answered by octets, they come at once: their number has to be
// right before anything is selected [102.221 §7.3.1.1.2].
static uint16_t check_parameters(const struct call *call, const struct uicc_file *file)
{
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    uicc_parameters(&call->files, file, call->pins->enabled, &w);
    return call_check_le(call, w.len);
}

uint16_t call_select(struct call *call)
{
    uint8_t p2 = call->apdu.p2;
    uint8_t returns = p2 & RETURN_MASK;
    if ((p2 & 0x90) != 0 ||
        (returns != RETURN_PARAMETERS && returns != RETURN_NOTHING && returns != 0))
        return SW_WRONG_P1_P2;
    struct uicc_file file;
    uint16_t sw = find_selected(call, &file);
    if (sw == SW_OK && returns != RETURN_NOTHING && call->apdu.data.len == 0)
        sw = check_parameters(call, &file);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.p1 == BY_NAME) {
        bool ends = (p2 & TERMINATES_MASK) == TERMINATES;
        call->channel->application = ends ? (uint8_t)UICC_MF : file.row->opens;
        // The application's own PIN has to be given anew [102.221 §8.5.3].
        if (ends)
            call->pins->verified &= (uint8_t) ~(1U << UICC_PIN2);
        if (ends && !uicc_open_folder(&call->files, UICC_MF, &file))
            return SW_FILE_NOT_FOUND;
    }
    call_take(call, &file);
    if (returns != RETURN_NOTHING)
        uicc_parameters(&call->files, &file, call->pins->enabled, call->response);
    return uicc_is_active(&call->files, &file) ? SW_OK : SW_FILE_INVALIDATED;
}

uint16_t call_status(struct call *call)
{
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct uicc_file folder;
    if (call->apdu.p1 > 2)
        return SW_WRONG_P1_P2;
    if (call->apdu.data.len != 0)
        return SW_WRONG_LENGTH;
    switch (call->apdu.p2) {
    case 0x00:
        if (!uicc_open_folder(&call->files, call->channel->folder, &folder))
            return SW_FILE_NOT_FOUND;
        uicc_parameters(&call->files, &folder, call->pins->enabled, &w);
        break;
    case 0x01:
        if (call->channel->application == UICC_MF)
            return SW_FILE_NOT_FOUND;
        tlv_write(&w, 0x84, uicc_application(call->channel->application));
        break;
    case 0x0C:
        break;
    default: // octets
        return SW_WRONG_P1_P2;
    }
    uint16_t sw = w.len == 0 ? SW_OK : call_check_le(call, w.len);
    if (sw != SW_OK)
        return sw;
    writer_copy(call->response, writer_bytes(&w));
    // 01 and 02 tell that the application starts or ends; only polling counts time.
    if (call->apdu.p1 == 0)
        call_status_passed(call);
    return SW_OK;
}

static uint16_t open_channel(struct call *call, uint8_t number)
{
    struct card_channel *channels = call->card->channels;
    bool is_ours_to_choose = number == 0;
    if (number >= CARD_CHANNELS)
        return SW_WRONG_P1_P2;
    uint16_t sw = is_ours_to_choose ? call_check_le(call, 1) : SW_OK;
    if (sw != SW_OK)
        return sw;
    for (uint8_t i = 1; i < CARD_CHANNELS && number == 0; i++)
        number = channels[i].is_open ? 0 : i;
    if (number == 0 || channels[number].is_open)
        return SW_FUNCTION_NOT_SUPPORTED;
    // From the basic channel it begins at the MF, from another where that one is.
    bool is_from_basic = call->channel == &channels[0];
    channels[number] = (struct card_channel){.is_open = true};
    if (!is_from_basic) {
        channels[number].folder = call->channel->folder;
        channels[number].application = call->channel->application;
    }
    if (is_ours_to_choose)
        writer_u8(call->response, number);
    return SW_OK;
}

uint16_t call_manage_channel(struct call *call)
{
    uint8_t number = call->apdu.p2;
    if (call->apdu.data.len != 0)
        return SW_WRONG_LENGTH;
    if (call->apdu.p1 == 0x00)
        return open_channel(call, number);
    if (call->apdu.p1 != 0x80 || number == 0 || number >= CARD_CHANNELS)
        return SW_WRONG_P1_P2;
    struct card_channel *channel = &call->card->channels[number];
    if (!channel->is_open)
        return SW_CHANNEL_NOT_SUPPORTED;
    channel->is_open = false;
    return SW_OK;
}
