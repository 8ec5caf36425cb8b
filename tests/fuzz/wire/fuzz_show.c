// What octets mean, as text for people: one line of printable characters, the same each time, in
// any room; of keys, their check value and what is written to files, never an octet: with others in
// their place the text is the same.
#include "common/base/check.h"
#include "common/base/text.h"
#include "common/wire/show.h"

#define TEXT_MAX 16384
#define INPUT_MAX 512

static uint8_t text[2][TEXT_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

typedef void (*show_function)(struct writer *w, struct bytes input);

static void command(struct writer *w, struct bytes input)
{
    struct command c;
    if (command_read(input, &c) != COMMAND_READ_BAD_FORMAT)
        show_command(w, &c);
}

static void result(struct writer *w, struct bytes input)
{
    struct result r;
    if (result_read(input, &r))
        show_result(w, &r);
}

static void notification(struct writer *w, struct bytes input)
{
    struct notification n;
    if (notification_read(input, &n))
        show_notification(w, &n);
}

static void script_result(struct writer *w, struct bytes input)
{
    show_script_result(w, (enum remote_format)(input.at[0] % 3), bytes_slice(input, 1, input.len));
}

static void header(struct writer *w, struct bytes input)
{
    struct reader r = reader_of(input);
    const uint8_t spi1 = reader_u8(&r);
    show_spi(w, spi1, reader_u8(&r));
    show_kic(w, reader_u8(&r));
    show_kid(w, spi1, reader_u8(&r));
    show_tar(w, reader_u32(&r) & 0xFFFFFF);
    show_cntr(w, (uint64_t)reader_u32(&r) << 8 | reader_u8(&r));
    show_por_status(w, reader_u8(&r));
    show_instruction(w, reader_u8(&r));
    show_status_word(w, reader_u16(&r));
    text_put(w, show_slot_state(reader_u8(&r)));
    text_put(w, show_switch_state(reader_u8(&r)));
}

static struct bytes shown(show_function show, struct bytes input, uint8_t *room, size_t size)
{
    struct writer w = writer_of(room, size);
    show(&w, input);
    check(w.len <= size && (!w.failed || size < TEXT_MAX));
    return writer_bytes(&w);
}

static bool is_same(show_function show, struct bytes a, struct bytes b)
{
    return bytes_equal(shown(show, a, text[0], TEXT_MAX), shown(show, b, text[1], TEXT_MAX));
}

static void hides_keys(struct bytes input)
{
    uint8_t keys[COMMAND_KEYS_MAX];
    struct command c;
    if (command_read(input, &c) != COMMAND_READ_OK || c.number != COMMAND_DOWNLOAD)
        return;
    struct writer one = writer_of(text[0], TEXT_MAX);
    struct writer two = writer_of(text[1], TEXT_MAX);
    show_command(&one, &c);
    memset(keys, 0x5A, sizeof keys);
    memset(c.download.check, 0x5A, sizeof c.download.check);
    c.download.wrapped_keys = bytes_of(keys, c.download.wrapped_keys.len);
    show_command(&two, &c);
    check(bytes_equal(writer_bytes(&one), writer_bytes(&two)));
}

// What a script writes.
static void hides_data(struct bytes input)
{
    uint8_t copy[INPUT_MAX];
    struct remote_script script = remote_open(input);
    struct remote_item item;
    bytes_copy(copy, input);
    while (remote_next(&script, &item)) {
        if (item.kind != REMOTE_COMMAND || item.apdu.ins == INS_SELECT || item.apdu.data.len == 0)
            continue;
        const size_t at = (size_t)(item.apdu.data.at - input.at);
        check(at + item.apdu.data.len <= input.len);
        memset(copy + at, 0x5A, item.apdu.data.len);
    }
    check(is_same(show_script, input, bytes_of(copy, input.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const show_function functions[] = {command,     result,        notification,
                                              show_script, script_result, header};
    if (len < 2 || len > INPUT_MAX)
        return 0;
    const struct bytes input = bytes_of(data + 1, len - 1);
    const show_function show = functions[data[0] % 6];
    const struct bytes whole = shown(show, input, text[0], TEXT_MAX);
    for (size_t i = 0; i < whole.len; i++)
        check(whole.at[i] >= ' ' && whole.at[i] < 0x7F);
    check(is_same(show, input, input));
    // Less room: a part of it, and the writer has failed.
    const size_t room = whole.len > 0 ? data[len - 1] % whole.len : 0;
    uint8_t *small = text[1];
    small[room] = 0xEE;
    struct writer w = writer_of(small, room);
    show(&w, input);
    check(w.failed == (whole.len > 0) && small[room] == 0xEE);
    if (show == command)
        hides_keys(input);
    else if (show == show_script)
        hides_data(input);
    return 0;
}
