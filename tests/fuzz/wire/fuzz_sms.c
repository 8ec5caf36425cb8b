// TPDUs read back as written; hostile parts never harm a joiner; cut packets join to themselves.
// F6: of any sequence of parts those packets come out, and with those octets, that a plain model of
// reassembly says: at most 8 parts, 2 packets at a time, 60 s.
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

// --- the model of reassembly -------------------------------------------------------------------

#define MODEL_PARTS 8
#define MODEL_PACKETS 2
#define MODEL_MS 60000
#define STEPS_MAX 64
#define STEP_LEN 5

// A part as it is made, and what it says.
struct piece {
    unsigned sender, reference, total, number; // total 0: without concatenation
    bool is_wide, is_marked, has_card;
    uint8_t step; // its octets are made of it: no two parts have the same
    uint8_t len;
    uint64_t at_ms;
};

// Parts wait here in order of arrival; a packet is what belongs together, and began with the first.
struct bench {
    struct piece waiting[STEPS_MAX];
    unsigned count;
};

static uint8_t piece_octet(const struct piece *p, size_t i)
{
    return (uint8_t)(p->step * 37 + i);
}

static bool belongs(const struct piece *a, const struct piece *b)
{
    return a->sender == b->sender && a->reference == b->reference && a->is_wide == b->is_wide &&
           a->total == b->total;
}

// The first of those that came before the first of any other packet.
static bool is_first(const struct bench *b, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (belongs(&b->waiting[i], &b->waiting[index]))
            return false;
    }
    return true;
}

static void give_up(struct bench *b, struct piece of)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < b->count; i++) {
        if (!belongs(&b->waiting[i], &of))
            b->waiting[kept++] = b->waiting[i];
    }
    b->count = kept;
}

// How many packets wait; `oldest` is the first part of the one that began first.
static unsigned packets(const struct bench *b, struct piece *oldest)
{
    unsigned count = 0;
    for (unsigned i = 0; i < b->count; i++)
        count += is_first(b, i);
    if (b->count > 0)
        *oldest = b->waiting[0];
    return count;
}

// What comes out with this part: SMS_JOIN_COMPLETE, and `parts` in their order.
static enum sms_join model_join(struct bench *b, const struct piece *p, struct piece *parts)
{
    struct piece oldest;
    while (packets(b, &oldest) > 0 && p->at_ms - oldest.at_ms >= MODEL_MS)
        give_up(b, oldest);
    if (p->total > MODEL_PARTS && p->number >= 1 && p->number <= p->total)
        return SMS_JOIN_REFUSED;
    if (p->total <= 1 || p->number == 0 || p->number > p->total) { // one by itself
        parts[0] = *p;
        return p->is_marked ? SMS_JOIN_COMPLETE : SMS_JOIN_REFUSED;
    }
    unsigned mates = 0;
    for (unsigned i = 0; i < b->count; i++) {
        if (belongs(&b->waiting[i], p) && b->waiting[i].number == p->number)
            return SMS_JOIN_DUPLICATE;
        mates += belongs(&b->waiting[i], p);
    }
    if (mates == 0 && packets(b, &oldest) == MODEL_PACKETS)
        give_up(b, oldest);
    b->waiting[b->count++] = *p;
    if (mates + 1 < p->total)
        return SMS_JOIN_WAITING;
    unsigned marks = 0;
    for (unsigned i = 0; i < b->count; i++) {
        if (belongs(&b->waiting[i], p)) {
            parts[b->waiting[i].number - 1] = b->waiting[i];
            marks += b->waiting[i].is_marked;
        }
    }
    give_up(b, *p);
    return marks == 1 ? SMS_JOIN_COMPLETE : SMS_JOIN_REFUSED;
}

// The user data, octet by octet [23.040 §9.2.3.24]. They hold at most 140.
static void write_piece(struct writer *w, struct piece *p)
{
    writer_u8(w, 0);
    if (p->is_marked)
        writer_copy(w, bytes_of("\x70", 2));
    if (p->total > 0) {
        writer_copy(w, bytes_of(p->is_wide ? "\x08\x04\x00" : "\x00\x03", p->is_wide ? 3 : 2));
        writer_u8(w, (uint8_t)p->reference);
        writer_u8(w, (uint8_t)p->total);
        writer_u8(w, (uint8_t)p->number);
    }
    if (p->has_card)
        writer_copy(w, bytes_of("\x80\x08"
                                "ABCDEFG",
                                10));
    w->at[0] = (uint8_t)(w->len - 1);
    if (p->len > SMS_USER_DATA_MAX - w->len)
        p->len = (uint8_t)(SMS_USER_DATA_MAX - w->len);
    for (size_t i = 0; i < p->len; i++)
        writer_u8(w, piece_octet(p, i));
    check(!w->failed);
}

static struct piece read_piece(struct reader *r, uint8_t step, uint64_t before_ms)
{
    static const uint32_t waits[] = {0, 0, 1, 20000};
    const uint8_t what = reader_u8(r);
    struct piece p = {.sender = what >> 2 & 1,
                      .is_wide = (what >> 3 & 1) != 0,
                      .is_marked = (what >> 4 & 1) != 0,
                      .has_card = (what >> 5 & 1) != 0,
                      .step = step,
                      .at_ms = before_ms + waits[what & 3]};
    p.reference = reader_u8(r) % 4;
    p.total = reader_u8(r) % 11;
    p.number = reader_u8(r) % 11;
    p.len = reader_u8(r) % 140;
    return p;
}

static void check_whole(const struct sms_packet *packet, const struct piece *parts, unsigned count)
{
    size_t len = 0;
    bool has_card = false;
    check(packet->kind == SMS_COMMAND_PACKET);
    for (unsigned n = 0; n < count; n++) {
        has_card = has_card || parts[n].has_card;
        for (size_t i = 0; i < parts[n].len; i++, len++)
            check(len < packet->octets.len && packet->octets.at[len] == piece_octet(&parts[n], i));
    }
    check(len == packet->octets.len);
    check(packet->card_reference.len == (has_card ? SMS_CARD_REFERENCE_LEN : 0));
}

static void parts_as_the_model(struct bytes input)
{
    static struct sms_joiner joiner;
    struct bench bench = {.count = 0};
    struct piece oldest = {.at_ms = 0};
    struct reader r = reader_of(input);
    sms_joiner_init(&joiner);
    uint64_t now_ms = 0;
    for (uint8_t step = 0; step < STEPS_MAX && r.left >= STEP_LEN; step++) {
        struct piece parts[MODEL_PARTS] = {0};
        struct piece p = read_piece(&r, step, now_ms);
        uint8_t octets[SMS_USER_DATA_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        write_piece(&w, &p);
        now_ms = p.at_ms;
        const struct sms_address sender = {
            .digit_count = 2, .type = 0x91, .octets = {(uint8_t)(0x21 + p.sender)}};
        struct sms_packet packet;
        const enum sms_join wanted = model_join(&bench, &p, parts);
        check(sms_join(&joiner, &sender, writer_bytes(&w), (struct instant){now_ms}, &packet) ==
              wanted);
        const bool is_alone = p.total <= 1 || p.number == 0 || p.number > p.total;
        if (wanted == SMS_JOIN_COMPLETE)
            check_whole(&packet, parts, is_alone ? 1 : p.total);
        const unsigned waiting = packets(&bench, &oldest);
        check(waiting <= MODEL_PACKETS);
        check(sms_joiner_deadline(&joiner).ms ==
              (waiting > 0 ? oldest.at_ms + MODEL_MS : INSTANT_NEVER.ms));
    }
    check(sms_joiner_expire(&joiner, INSTANT_NEVER) == packets(&bench, &oldest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct bytes input = bytes_of(data, len);
    tpdus(input);
    hostile_parts(input);
    cut_and_join(input);
    parts_as_the_model(input);
    return 0;
}
