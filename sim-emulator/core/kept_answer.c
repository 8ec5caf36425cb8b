#include "sim-emulator/core/kept_answer.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/wire/crc.h"

// Key set and one (FF: none), counter(5), length(2), CRC-32 of these and the data, then the data.
#define CRC_AT 8

_Static_assert(KEPT_ANSWER_HEAD == CRC_AT + 4, "the data follow the CRC");

static void head_write(uint8_t head[CRC_AT], uint8_t set_index, uint64_t counter, size_t len)
{
    struct writer w = writer_of(head, CRC_AT);
    writer_u8(&w, (uint8_t)(set_index + 1));
    writer_u40(&w, counter);
    writer_u16(&w, (uint16_t)len);
}

// The mark is erased first and written last, and the check sum covers it: a torn mark makes no
// answer of the octets between the two.
bool kept_answer_write(const struct kept_answer *kept, uint8_t set_index, uint64_t counter,
                       struct bytes data)
{
    const uint8_t no_mark = NVM_ERASED;
    uint8_t head[KEPT_ANSWER_HEAD];
    check(data.len <= KEPT_ANSWER_MAX);
    head_write(head, set_index, counter, data.len);
    uint32_t crc = crc32_add(crc32_add(0, bytes_of(head, CRC_AT)), data);
    struct writer w = writer_of(head + CRC_AT, 4);
    writer_u32(&w, crc);
    enum nvm_result result = nvm_write(kept->nvm, kept->offset, &no_mark, 1);
    if (result == NVM_OK && data.len > 0)
        result = nvm_write(kept->nvm, kept->offset + KEPT_ANSWER_HEAD, data.at, data.len);
    if (result == NVM_OK)
        result = nvm_write(kept->nvm, kept->offset + 1, head + 1, sizeof head - 1);
    if (result == NVM_OK)
        result = nvm_write(kept->nvm, kept->offset, head, 1);
    return result == NVM_OK;
}

bool kept_answer_read(const struct kept_answer *kept, uint8_t set_index, uint64_t counter,
                      struct writer *data)
{
    uint8_t head[KEPT_ANSWER_HEAD];
    uint8_t expected[CRC_AT];
    uint8_t octets[KEPT_ANSWER_MAX];
    nvm_read(kept->nvm, kept->offset, head, sizeof head);
    struct reader r = reader_of(bytes_of(head + CRC_AT - 2, 6));
    size_t len = reader_u16(&r);
    uint32_t crc = reader_u32(&r);
    head_write(expected, set_index, counter, len);
    if (len > sizeof octets || !secret_equal(head, expected, CRC_AT))
        return false;
    nvm_read(kept->nvm, kept->offset + KEPT_ANSWER_HEAD, octets, len);
    bool is_whole = crc32_add(crc32_add(0, bytes_of(head, CRC_AT)), bytes_of(octets, len)) == crc;
    if (is_whole)
        writer_copy(data, bytes_of(octets, len));
    secret_wipe(octets, len);
    return is_whole;
}
