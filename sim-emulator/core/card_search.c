// SEARCH RECORD [102.221 §11.1.7].
#include "sim-emulator/core/card_call.h"

// P2: forward or backward from the record in P1, or an indication in the data.
enum { SEARCH_FORWARD = 0x04, SEARCH_BACKWARD = 0x05, SEARCH_ENHANCED = 0x06 };
// First octet of the indication: from which record; and whether the second is an octet to look for
// instead of an offset.
#define FROM_NEXT 0x02
#define IS_BACKWARD 0x01
#define FROM_MASK 0x07
#define IS_VALUE 0x08

struct record_search {
    struct bytes string;
    bool is_backward;
    unsigned first; // record
    bool is_value;  // `start` is an octet: the search begins behind its first occurrence
    uint8_t start;
};

static uint16_t search_read(const struct call *call, unsigned count, struct record_search *out)
{
    unsigned pointer = call->channel->record;
    struct reader r = reader_of(call->apdu.data);
    uint8_t mode = call->apdu.p2 & 0x07;
    *out = (struct record_search){.is_backward = mode == SEARCH_BACKWARD, .first = call->apdu.p1};
    if (mode == SEARCH_ENHANCED) {
        uint8_t indication = reader_u8(&r);
        uint8_t from = indication & FROM_MASK;
        if ((indication & 0xF0) != 0 || from < SEARCH_FORWARD)
            return SW_WRONG_DATA;
        out->is_backward = (from & IS_BACKWARD) != 0;
        out->is_value = (indication & IS_VALUE) != 0;
        out->start = reader_u8(&r);
        if ((from & FROM_NEXT) != 0 && out->is_backward)
            out->first = pointer == 0 ? count : pointer - 1;
        else if ((from & FROM_NEXT) != 0)
            out->first = pointer + 1;
        else if (out->first == 0)
            out->first = pointer;
    } else if (mode != SEARCH_FORWARD && mode != SEARCH_BACKWARD) {
        return SW_WRONG_P1_P2;
    } else if (out->first == 0) {
        out->first = pointer;
    }
    out->string = reader_rest(&r);
    if (r.failed || out->string.len == 0)
        return SW_WRONG_LENGTH;
    return out->first == 0 || out->first > count ? SW_RECORD_NOT_FOUND : SW_OK;
}

static bool holds(const struct record_search *search, struct bytes record)
{
    size_t from = search->start;
    if (search->is_value) {
        from = 0;
        while (from < record.len && record.at[from] != search->start)
            from++;
        from++;
    }
    for (; from + search->string.len <= record.len; from++) {
        if (memcmp(record.at + from, search->string.at, search->string.len) == 0)
            return true;
    }
    return false;
}

uint16_t call_search_record(struct call *call)
{
    struct uicc_file file;
    uint16_t sw = call_file(call, call->apdu.p2 >> 3, &file);
    if (sw != SW_OK)
        return sw;
    if (file.row->kind != UICC_LINEAR && file.row->kind != UICC_CYCLIC)
        return SW_STRUCTURE_MISMATCH;
    sw = call_check(call, &file, (struct uicc_access){.mode = UICC_READ});
    if (sw != SW_OK)
        return sw;
    unsigned count = uicc_record_count(&file);
    struct record_search search;
    sw = search_read(call, count, &search);
    if (sw != SW_OK)
        return sw;
    if (search.string.len > file.row->record_len)
        return SW_WRONG_LENGTH;
    uint8_t first_found = 0;
    unsigned record = search.first;
    while (record >= 1 && record <= count) {
        uint8_t octets[256];
        size_t offset = uicc_record_offset(&call->files, &file, record);
        if (!uicc_read(&call->files, &file, offset, octets, file.row->record_len))
            return SW_MEMORY_FAILURE;
        if (holds(&search, bytes_of(octets, file.row->record_len))) {
            writer_u8(call->response, (uint8_t)record);
            first_found = first_found == 0 ? (uint8_t)record : first_found;
        }
        record = search.is_backward ? record - 1 : record + 1;
    }
    if (first_found == 0)
        return SW_END_OF_FILE;
    call->channel->record = first_found;
    return SW_OK;
}
