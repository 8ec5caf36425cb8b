// TPDUs read back as written; hostile parts never harm a joiner; cut packets join to themselves.
#include "common/base/check.h"
#include "common/wire/sms.h"

static void tpdus(struct bytes input)
{
    uint8_t out[SMS_SUBMIT_MAX];
    struct writer w = writer_of(out, sizeof out);
    struct sms_deliver deliver;
    struct sms_submit submit;
    struct phone phone;
    struct utc at;
    if (sms_read_deliver(input, &deliver) == SMS_OK) {
        sms_write_deliver(&w, &deliver);
        check(bytes_equal(writer_bytes(&w), input));
        struct sms_deliver again;
        check(sms_read_deliver(writer_bytes(&w), &again) == SMS_OK);
        check(bytes_equal(again.user_data, deliver.user_data));
        if (sms_address_phone(&deliver.sender, &phone)) {
            const struct sms_address address = sms_address_of(&phone);
            check(address.digit_count == deliver.sender.digit_count);
        }
        if (sms_time_read(deliver.time, &at)) {
            uint8_t time[SMS_TIME_LEN];
            struct utc read_again;
            sms_time_write(at, time);
            check(sms_time_read(time, &read_again));
        }
    }
    w = writer_of(out, sizeof out);
    if (sms_read_submit(input, &submit) == SMS_OK) {
        sms_write_submit(&w, &submit);
        check(bytes_equal(writer_bytes(&w), input));
    }
}

// The input as a sequence of user data: a length octet, then as many octets; all from one sender.
static void hostile_parts(struct bytes input)
{
    static struct sms_joiner joiner;
    const struct sms_address sender = {.digit_count = 2, .type = 0x91, .octets = {0x21}};
    struct instant now = {0};
    struct reader r = reader_of(input);
    sms_joiner_init(&joiner);
    while (r.left > 0 && !r.failed) {
        const uint8_t len = reader_u8(&r);
        const struct bytes user_data = reader_bytes(&r, len < r.left ? len : r.left);
        struct sms_packet packet;
        if (sms_join(&joiner, &sender, user_data, now, &packet) == SMS_JOIN_COMPLETE) {
            check(packet.kind != SMS_NO_PACKET);
            unsigned sum = 0;
            for (size_t i = 0; i < packet.octets.len; i++)
                sum += packet.octets.at[i]; // a sanitizer sees any octet that is not ours
            check(sum <= 255 * packet.octets.len);
            check(packet.card_reference.len == 0 ||
                  packet.card_reference.len == SMS_CARD_REFERENCE_LEN);
        }
        now = instant_after(now, len);
    }
}

static void cut_and_join(struct bytes input)
{
    static struct sms_joiner joiner;
    const struct sms_address sender = {.digit_count = 2, .type = 0x91, .octets = {0x21}};
    if (input.len < 11)
        return;
    struct reader r = reader_of(input);
    const uint8_t flags = reader_u8(&r);
    struct sms_cut cut = {.kind = flags & 1 ? SMS_COMMAND_PACKET : SMS_RESPONSE_PACKET,
                          .is_wide = (flags & 2) != 0,
                          .reference = reader_u16(&r)};
    const struct bytes card = reader_bytes(&r, SMS_CARD_REFERENCE_LEN);
    if (flags & 4)
        cut.card_reference = card;
    if (!cut.is_wide)
        cut.reference &= 0xFF;
    const struct bytes packet = reader_rest(&r);
    const size_t count = sms_cut_count(&cut, packet.len);
    if (count > SMS_PARTS_MAX)
        return;
    sms_joiner_init(&joiner);
    for (size_t i = 0; i < count; i++) {
        const size_t index = (i + flags / 8) % count; // begins anywhere
        uint8_t part[SMS_USER_DATA_MAX];
        struct writer w = writer_of(part, sizeof part);
        struct sms_packet joined;
        sms_cut_part(&cut, packet, index, &w);
        check(!w.failed);
        const enum sms_join result =
            sms_join(&joiner, &sender, writer_bytes(&w), (struct instant){0}, &joined);
        check(result == (i + 1 == count ? SMS_JOIN_COMPLETE : SMS_JOIN_WAITING));
        if (result == SMS_JOIN_COMPLETE) {
            check(joined.kind == cut.kind);
            check(bytes_equal(joined.octets, packet));
            check(bytes_equal(joined.card_reference, cut.card_reference));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct bytes input = bytes_of(data, len);
    tpdus(input);
    hostile_parts(input);
    cut_and_join(input);
    return 0;
}
