// What the server keeps of a card: any octets are a record or are refused. What is read is written,
// read again as the same, and its counts fit its arrays.
#include "common/base/check.h"
#include "ota-server/core/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct record first;
    static struct record again;
    static uint8_t octets[2][RECORD_OCTETS_MAX];
    if (!record_read(bytes_of(data, len), &first))
        return 0;
    check(first.slot_count <= COMMAND_SLOTS_MAX && first.template_count <= COMMAND_TEMPLATES_MAX);
    struct writer w = writer_of(octets[0], sizeof octets[0]);
    record_write(&w, &first);
    check(!w.failed);
    check(record_read(writer_bytes(&w), &again));
    struct writer v = writer_of(octets[1], sizeof octets[1]);
    record_write(&v, &again);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
    return 0;
}
