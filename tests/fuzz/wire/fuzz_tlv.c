// What is read as objects, written again, reads as the same objects.
#include "common/base/check.h"
#include "common/wire/tlv.h"

#define OUT_MAX 8192

typedef bool (*next_function)(struct reader *r, struct tlv *out);

static void round_trip(struct bytes input, next_function next)
{
    static uint8_t out[OUT_MAX];
    struct writer w = writer_of(out, sizeof out);
    struct reader r = reader_of(input);
    struct tlv object;
    while (next(&r, &object))
        tlv_write(&w, object.tag | (object.comprehension ? TLV_COMPREHENSION : 0), object.value);
    check(r.failed || r.left == 0);
    check(!w.failed);
    struct reader first = reader_of(input);
    struct reader second = reader_of(writer_bytes(&w));
    struct tlv again;
    while (next(&first, &object)) {
        check(next(&second, &again));
        check(object.tag == again.tag && object.comprehension == again.comprehension);
        check(bytes_equal(object.value, again.value));
    }
    check(!next(&second, &again) && !second.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > OUT_MAX / 2)
        return 0;
    round_trip(bytes_of(data, len), tlv_next);
    round_trip(bytes_of(data, len), ctlv_next);
    return 0;
}
