// Any octets as a script: its commands, written again, make the same script; any octets as an
// answer: its results, written again, read the same.
#include "common/base/check.h"
#include "common/wire/remote.h"

#define OUT_MAX 8192

static void script(struct bytes input)
{
    static uint8_t out[OUT_MAX];
    struct writer w = writer_of(out, sizeof out);
    struct remote_script s = remote_open(input);
    struct remote_writer again = remote_begin(&w, s.format);
    struct remote_item item;
    unsigned commands = 0;
    while (remote_next(&s, &item)) {
        if (item.kind != REMOTE_COMMAND)
            continue;
        remote_add(&again, &item.apdu);
        commands++;
    }
    remote_end(&again);
    check(!w.failed);
    struct remote_script second = remote_open(writer_bytes(&w));
    if (w.len == 0) // a compact script of nothing
        return;
    // A compact script may begin with what looks expanded only if it was read as that.
    check(second.format == s.format);
    struct remote_script first = remote_open(input);
    struct remote_item item_again;
    for (unsigned i = 0; i < commands; i++) {
        do
            check(remote_next(&first, &item));
        while (item.kind != REMOTE_COMMAND);
        check(remote_next(&second, &item_again));
        check(item.apdu.ins == item_again.apdu.ins && item.apdu.le == item_again.apdu.le);
        check(bytes_equal(item.apdu.data, item_again.apdu.data));
    }
    check(!remote_next(&second, &item_again) && second.error == REMOTE_OK);
}

static void answer(enum remote_format format, struct bytes input)
{
    static uint8_t out[OUT_MAX];
    struct remote_result result;
    if (!remote_result_read(format, input, &result) || !result.has_result)
        return;
    struct writer w = writer_of(out, sizeof out);
    struct remote_answer a = remote_answer_begin(&w, format);
    struct reader r = reader_of(result.objects);
    uint16_t sw = result.sw;
    struct bytes data = result.data;
    if (format == REMOTE_INDEFINITE) {
        while (remote_result_next(&r, &sw, &data))
            remote_answer_add(&a, sw, data);
    } else {
        remote_answer_add(&a, sw, data);
    }
    remote_answer_end(&a);
    check(!w.failed);
    struct remote_result again;
    check(remote_result_read(format, writer_bytes(&w), &again));
    check(again.sw == result.sw && bytes_equal(again.data, result.data));
    check(format != REMOTE_INDEFINITE || again.executed == result.executed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > 1024)
        return 0;
    script(bytes_of(data, len));
    answer(REMOTE_COMPACT, bytes_of(data, len));
    answer(REMOTE_DEFINITE, bytes_of(data, len));
    answer(REMOTE_INDEFINITE, bytes_of(data, len));
    return 0;
}
