// Class A0 [51.011 §8, §9]: the same files, PINs and toolkit, in the words of the older standard.
#include "sim-emulator/core/card_call.h"

enum { INS_SLEEP = 0xFA };

// Status words [51.011 §9.4].
enum {
    SW_GSM_NO_EF = 0x9400,
    SW_GSM_RANGE = 0x9402,
    SW_GSM_NOT_FOUND = 0x9404,
    SW_GSM_INCONSISTENT = 0x9408,
    SW_GSM_NO_CHV = 0x9802,
    SW_GSM_ACCESS = 0x9804, // or a wrong CHV with a try left
    SW_GSM_CHV_STATUS = 0x9808,
    SW_GSM_INVALIDATED = 0x9810,
    SW_GSM_BLOCKED = 0x9840,
    SW_GSM_MEMORY = 0x9240,
    SW_GSM_P3 = 0x6700,
};

static uint16_t translate(uint16_t sw)
{
    static const struct {
        uint16_t from;
        uint16_t to;
    } words[] = {
        {SW_NO_EF_SELECTED, SW_GSM_NO_EF},
        {SW_RECORD_NOT_FOUND, SW_GSM_RANGE},
        {SW_WRONG_OFFSET, SW_GSM_RANGE},
        {SW_END_OF_FILE, SW_GSM_NOT_FOUND},
        {SW_FILE_NOT_FOUND, SW_GSM_NOT_FOUND},
        {SW_STRUCTURE_MISMATCH, SW_GSM_INCONSISTENT},
        {SW_SECURITY_STATUS, SW_GSM_ACCESS},
        {SW_DATA_INVALIDATED, SW_GSM_INVALIDATED},
        {SW_PIN_BLOCKED, SW_GSM_BLOCKED},
        {SW_MEMORY_FAILURE, SW_GSM_MEMORY},
        {SW_WRONG_P1_P2, SW_WRONG_OFFSET},
        {SW_FILE_INVALIDATED, SW_OK},
        {SW_WRONG_DATA, SW_GSM_P3},
        {SW_REFERENCE_NOT_FOUND, SW_WRONG_OFFSET},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].from == sw)
            return words[i].to;
    }
    if ((sw & 0xFF00) == SW_WRONG_LE)
        return (uint16_t)(SW_GSM_P3 | (sw & 0xFF));
    return sw;
}

// --- answers to SELECT and STATUS [51.011 §9.2.1] --------------------------------------------

static uint8_t tries(struct call *call, enum uicc_pin pin, bool is_puk)
{
    struct uicc_pin_store store = call_pin_store(call->card);
    uint8_t left = 0;
    (void)uicc_pin_left(&store, pin, is_puk, &left);
    return (uint8_t)(0x80 | left); // initialised
}

static void describe_folder(struct call *call, const struct uicc_file *folder)
{
    struct writer *w = call->response;
    size_t left = uicc_files_free(&call->files);
    unsigned folders = 0;
    unsigned files = 0;
    struct uicc_rows rows = {.count = 0};
    if (folder->row->opens < UICC_FOLDERS)
        rows = uicc_rows((enum uicc_folder)folder->row->opens);
    for (size_t i = 0; i < rows.count; i++) {
        bool is_folder = rows.at[i].link == NULL && rows.at[i].kind == UICC_FOLDER;
        folders += is_folder;
        files += !is_folder;
    }
    bool is_root = folder->folder == UICC_NO_FOLDER;
    writer_u16(w, 0);
    writer_u16(w, (uint16_t)left);
    writer_u16(w, folder->identifier);
    writer_u8(w, is_root ? 0x01 : 0x02);
    writer_fill(w, 0, 5);
    writer_u8(w, 9);
    // Clock stop allowed; b8: CHV1 is disabled.
    bool is_disabled = (call->pins->enabled & 1U << UICC_PIN1) == 0;
    writer_u8(w, is_disabled ? 0x93 : 0x13);
    writer_u8(w, (uint8_t)folders);
    writer_u8(w, (uint8_t)files);
    writer_u8(w, 5); // CHVs, unblocking ones, and one administrative code
    writer_u8(w, 0);
    writer_u8(w, tries(call, UICC_PIN1, false));
    writer_u8(w, tries(call, UICC_PIN1, true));
    writer_u8(w, tries(call, UICC_PIN2, false));
    writer_u8(w, tries(call, UICC_PIN2, true));
}

// The level that an access takes: 0 always, 1 CHV1, 2 CHV2, 4 administrative, F never.
static uint8_t level_of(const struct call *call, const struct uicc_file *file,
                        struct uicc_access access)
{
    static const struct {
        uint8_t satisfied;
        uint8_t level;
    } levels[] = {{0, 0}, {1U << UICC_PIN1, 1}, {1U << UICC_PIN2, 2}, {1U << UICC_ADM1, 4}};
    uint8_t octets[256];
    struct bytes rule = uicc_rule(&call->files, file, octets);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (uicc_access_is_allowed(rule, access, levels[i].satisfied))
            return levels[i].level;
    }
    return 0x0F;
}

static void describe_file(struct call *call, const struct uicc_file *file)
{
    static const uint8_t structures[] = {
        [UICC_TRANSPARENT] = 0x00, [UICC_LINEAR] = 0x01, [UICC_CYCLIC] = 0x03};
    struct writer *w = call->response;
    unsigned read = level_of(call, file, (struct uicc_access){.mode = UICC_READ});
    unsigned update = level_of(call, file, (struct uicc_access){.mode = UICC_UPDATE});
    unsigned increase = level_of(call, file, (struct uicc_access){.ins = INS_INCREASE});
    unsigned activate = level_of(call, file, (struct uicc_access){.mode = UICC_ACTIVATE});
    unsigned deactivate = level_of(call, file, (struct uicc_access){.mode = UICC_DEACTIVATE});
    writer_u16(w, 0);
    writer_u16(w, file->row->size);
    writer_u16(w, file->identifier);
    writer_u8(w, 0x04);
    writer_u8(w, file->row->kind == UICC_CYCLIC ? 0x40 : 0x00); // INCREASE is possible
    writer_u8(w, (uint8_t)(read << 4 | update));
    writer_u8(w, (uint8_t)(increase << 4 | 0x0F));
    writer_u8(w, (uint8_t)(activate << 4 | deactivate));
    writer_u8(w, uicc_is_active(&call->files, file) ? 0x01 : 0x00);
    writer_u8(w, 2);
    writer_u8(w, structures[file->row->kind]);
    writer_u8(w, file->row->record_len);
}

static uint16_t gsm_select(struct call *call)
{
    struct bytes data = call->apdu.data;
    struct uicc_file file;
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (data.len != 2)
        return SW_WRONG_LENGTH;
    uint16_t identifier = (uint16_t)(data.at[0] << 8 | data.at[1]);
    if (identifier == UICC_ID_ADF || !call_reach(call, call->channel->folder, identifier, &file))
        return SW_FILE_NOT_FOUND;
    call_take(call, &file);
    if (file.row->kind == UICC_FOLDER)
        describe_folder(call, &file);
    else
        describe_file(call, &file);
    return SW_OK;
}

static uint16_t gsm_status(struct call *call)
{
    struct uicc_file folder;
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (!uicc_open_folder(&call->files, call->channel->folder, &folder))
        return SW_FILE_NOT_FOUND;
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer whole = writer_of(octets, sizeof octets);
    struct writer *response = call->response;
    call->response = &whole;
    describe_folder(call, &folder);
    call->response = response;
    // As many octets as are asked for [51.011 §9.2.2].
    if (call->apdu.le > whole.len && call->is_exact)
        return (uint16_t)(SW_WRONG_LE | whole.len);
    size_t len = call->apdu.le == 0 ? whole.len : call->apdu.le;
    writer_copy(response, bytes_slice(writer_bytes(&whole), 0, len));
    call_status_passed(call);
    return SW_OK;
}

// --- the others ------------------------------------------------------------------------------

static uint16_t gsm_algorithm(struct call *call)
{
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (call->apdu.data.len != AKA_RAND_LEN)
        return SW_WRONG_LENGTH;
    if (call->channel->folder != UICC_GSM)
        return SW_STRUCTURE_MISMATCH;
    if ((uicc_pins_satisfied(call->pins) & 1U << UICC_PIN1) == 0)
        return SW_SECURITY_STATUS;
    return call_gsm_algorithm(call, call->apdu.data.at);
}

// SEEK: type 1 says nothing, type 2 the record's number; first forward, last backward, next,
// previous.
static uint16_t gsm_seek(struct call *call)
{
    uint8_t type = call->apdu.p2 & 0xF0;
    uint8_t mode = call->apdu.p2 & 0x0F;
    struct bytes pattern = call->apdu.data;
    if (type > 0x10 || mode > 3)
        return SW_WRONG_P1_P2;
    // In the words of the newer standard: an enhanced search with an indication in front.
    uint8_t data[2 + APDU_DATA_MAX] = {0x04, 0x00};
    data[0] = (uint8_t)(0x04 | (mode & 0x01) | (mode & 0x02));
    if (pattern.len == 0 || pattern.len > APDU_DATA_MAX - 2)
        return SW_WRONG_LENGTH;
    memcpy(data + 2, pattern.at, pattern.len);
    uint8_t numbers[CARD_RESPONSE_MAX];
    struct writer found = writer_of(numbers, sizeof numbers);
    struct call search = *call;
    struct uicc_file file;
    uint16_t sw = call_file(call, 0, &file);
    if (sw != SW_OK)
        return sw;
    search.apdu.p1 = (uint8_t)(mode == 1 ? uicc_record_count(&file) : 1);
    search.apdu.p2 = 0x06;
    search.apdu.data = bytes_of(data, pattern.len + 2);
    search.response = &found;
    sw = call_search_record(&search);
    if (sw == SW_OK && type == 0x10)
        writer_u8(call->response, numbers[0]);
    return sw;
}

// CHV2 and its unblocking have numbers of their own.
static uint16_t gsm_pin(struct call *call)
{
    uint8_t number = call->apdu.p2;
    bool unblocks = call->apdu.ins == INS_UNBLOCK_PIN;
    bool is_first = number == (unblocks ? 0x00 : 0x01);
    bool is_right = call->apdu.p1 == 0 && (is_first || number == 0x02);
    // Only CHV1 can be disabled and enabled.
    bool toggles = call->apdu.ins == INS_DISABLE_PIN || call->apdu.ins == INS_ENABLE_PIN;
    if (!is_right || (toggles && !is_first))
        return SW_WRONG_P1_P2;
    if (call->apdu.data.len == 0)
        return SW_WRONG_LENGTH;
    call->apdu.p2 = uicc_pin_reference(is_first ? UICC_PIN1 : UICC_PIN2);
    uint16_t sw;
    switch (call->apdu.ins) {
    case INS_VERIFY_PIN:
        sw = call_verify(call);
        break;
    case INS_CHANGE_PIN:
        sw = call_change(call);
        break;
    case INS_DISABLE_PIN:
        sw = call_disable(call);
        break;
    case INS_ENABLE_PIN:
        sw = call_enable(call);
        break;
    default: // octets
        sw = call_unblock(call);
    }
    if (sw == SW_PIN_TRIES)
        return SW_GSM_BLOCKED;
    if ((sw & 0xFFF0) == SW_PIN_TRIES)
        return SW_GSM_ACCESS;
    return sw == SW_DATA_INVALIDATED ? SW_GSM_CHV_STATUS : sw;
}

static uint16_t gsm_record(struct call *call)
{
    bool is_mode = call->apdu.p2 >= 0x02 && call->apdu.p2 <= 0x04;
    if (!is_mode)
        return SW_WRONG_P1_P2;
    return call->apdu.ins == INS_READ_RECORD ? call_read_record(call) : call_update_record(call);
}

static uint16_t gsm_binary(struct call *call)
{
    // No short identifiers.
    if ((call->apdu.p1 & 0x80) != 0)
        return SW_WRONG_OFFSET;
    return call->apdu.ins == INS_READ_BINARY ? call_read_binary(call) : call_update_binary(call);
}

static uint16_t gsm_sleep(struct call *call)
{
    (void)call;
    return SW_OK;
}

static uint16_t gsm_increase(struct call *call)
{
    return call->apdu.data.len == 3 ? call_increase(call) : (uint16_t)SW_WRONG_LENGTH;
}

uint16_t call_gsm(struct call *call)
{
    static const struct {
        uint8_t ins;
        uint16_t (*run)(struct call *call);
    } commands[] = {
        {INS_SELECT, gsm_select},
        {INS_STATUS, gsm_status},
        {INS_READ_BINARY, gsm_binary},
        {INS_UPDATE_BINARY, gsm_binary},
        {INS_READ_RECORD, gsm_record},
        {INS_UPDATE_RECORD, gsm_record},
        {INS_SEARCH_RECORD, gsm_seek},
        {INS_INCREASE, gsm_increase},
        {INS_VERIFY_PIN, gsm_pin},
        {INS_CHANGE_PIN, gsm_pin},
        {INS_DISABLE_PIN, gsm_pin},
        {INS_ENABLE_PIN, gsm_pin},
        {INS_UNBLOCK_PIN, gsm_pin},
        {INS_DEACTIVATE_FILE, call_deactivate},
        {INS_ACTIVATE_FILE, call_activate},
        {INS_AUTHENTICATE, gsm_algorithm},
        {INS_TERMINAL_PROFILE, call_terminal_profile},
        {INS_ENVELOPE, call_envelope},
        {INS_FETCH, call_fetch},
        {INS_TERMINAL_RESPONSE, call_terminal_response},
        {INS_SLEEP, gsm_sleep},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].ins == call->apdu.ins)
            return translate(commands[i].run(call));
    }
    return SW_INS_NOT_SUPPORTED;
}
