#include "common/wire/sms.h"
#include "tests/unit/wire/octets.h"

static const struct sms_address alice = {.digit_count = 4, .type = 0x91, .octets = {0x21, 0x43}};
static const struct sms_address bob = {.digit_count = 4, .type = 0x91, .octets = {0x21, 0x53}};
static const struct instant start = {1000};

static void tpdus_read_back_as_written(void **state)
{
    (void)state;
    const char *deliver = "40 0C91447700091032 7F F6 52110221300040 05 0270000102";
    const struct octets d = hex(deliver);
    struct sms_deliver m;
    struct phone phone;
    uint8_t out[SMS_SUBMIT_MAX];
    struct writer w = writer_of(out, sizeof out);
    assert_int_equal(sms_read_deliver(view(&d), &m), SMS_OK);
    assert_true(sms_address_phone(&m.sender, &phone));
    assert_string_equal(phone.digits, "447700900123");
    assert_octets(m.user_data, "0270000102");
    sms_write_deliver(&w, &m);
    assert_octets(writer_bytes(&w), deliver);

    const char *submits[] = {
        "41 00 0C91447700091032 7F F6 03 027100",
        "51 00 05 81 2143F5 00 04 A7 01 AA",          // relative validity
        "59 00 05 81 2143F5 00 04 52110221300040 00", // absolute
        "01 00 05 81 2143F5 00 00 05 E8329BFD06",     // "hello" in septets
    };
    for (size_t i = 0; i < sizeof submits / sizeof submits[0]; i++) {
        const struct octets o = hex(submits[i]);
        struct sms_submit s;
        assert_int_equal(sms_read_submit(view(&o), &s), SMS_OK);
        w = writer_of(out, sizeof out);
        sms_write_submit(&w, &s);
        assert_octets(writer_bytes(&w), submits[i]);
    }
    struct sms_submit s;
    assert_int_equal(sms_read_submit(view(&d), &s), SMS_OTHER_TYPE);
}

static void tpdus_whose_lengths_do_not_fit_are_malformed(void **state)
{
    (void)state;
    const char *bad[] = {
        "",
        "40",
        "40 0C914477000910",
        "40 15 91 2143658709214365870921 7F F6 52110221300040 00", // 21 digits
        "40 0491 2143 7F F6 52110221300040 02 01",                 // user data cut
        "40 0491 2143 7F F6 52110221300040 01 0102",               // an octet too many
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct octets o = hex(bad[i]);
        struct sms_deliver m;
        assert_int_equal(sms_read_deliver(view(&o), &m), SMS_MALFORMED);
    }
    uint8_t out[SMS_DELIVER_MAX];
    const uint8_t data[141] = {0};
    const uint8_t time[SMS_TIME_LEN] = {0};
    struct sms_deliver m = sms_deliver_packet(&alice, time, bytes_of(data, 140));
    struct writer w = writer_of(out, sizeof out);
    sms_write_deliver(&w, &m);
    assert_false(w.failed);
    m.user_data.len = 141;
    sms_write_deliver(&w, &m);
    assert_true(w.failed);
}

static void an_address_in_letters_is_kept_but_is_no_number(void **state)
{
    (void)state;
    const struct octets o = hex("00 0B D0 CDE6DB5DCE03 00 00 52110221300040 00");
    struct sms_deliver m;
    struct phone phone;
    assert_int_equal(sms_read_deliver(view(&o), &m), SMS_OK);
    assert_int_equal(m.sender.type, 0xD0);
    assert_false(sms_address_phone(&m.sender, &phone));
    assert_true(phone_of_text("+447700900123", &phone));
    const struct sms_address address = sms_address_of(&phone);
    assert_int_equal(address.digit_count, 12);
    assert_octets(bytes_of(address.octets, 6), "447700091032");
    assert_false(sms_address_equal(&alice, &bob));
}

static void septets_are_told_from_octets(void **state)
{
    (void)state;
    const uint8_t septets[] = {0x00, 0x10, 0x0C, 0x80, 0xC0, 0xD0, 0xF0, 0xF2};
    const uint8_t octets[] = {0x04, 0x08, 0x16, 0x24, 0x20, 0xE0, 0xF4, 0xF6};
    for (size_t i = 0; i < sizeof septets; i++)
        assert_true(sms_is_septets(septets[i]));
    for (size_t i = 0; i < sizeof octets; i++)
        assert_false(sms_is_septets(octets[i]));
}

static void time_stamps_are_swapped_digits_with_a_zone(void **state)
{
    (void)state;
    struct utc at;
    const struct octets first = hex("00101000000000"); // 2000-01-01
    assert_true(sms_time_read(first.at, &at));
    assert_true(at.ms == INT64_C(946684800000));
    // 2000-02-29 00:00:00 is 951782400; a quarter of an hour east and west of UTC
    const struct octets leap = hex("00209200000010");
    assert_true(sms_time_read(leap.at, &at));
    assert_true(at.ms == INT64_C(951782400000) - 900000);
    const struct octets west = hex("00209200000018");
    assert_true(sms_time_read(west.at, &at));
    assert_true(at.ms == INT64_C(951782400000) + 900000);
    const struct octets unknown = hex("002092000000FF");
    assert_true(sms_time_read(unknown.at, &at));
    assert_true(at.ms == INT64_C(951782400000));
    // 2038-01-19 03:14:07 is 2^31 - 1
    const struct octets end = hex("83109130417000");
    assert_true(sms_time_read(end.at, &at));
    assert_true(at.ms == INT64_C(2147483647000));
}

static void every_day_of_a_century_reads_back_as_written(void **state)
{
    (void)state;
    const int64_t day = INT64_C(86400000);
    uint8_t octets[SMS_TIME_LEN];
    struct utc at;
    for (int64_t i = 0; i < 36525; i++) {
        const struct utc when = {INT64_C(946684800000) + i * day + (i % 86400) * 1000};
        sms_time_write(when, octets);
        assert_true(sms_time_read(octets, &at));
        assert_true(at.ms == when.ms);
    }
    sms_time_write((struct utc){0}, octets); // before 2000: the first time there is
    assert_octets(bytes_of(octets, sizeof octets), "00101000000000");
    sms_time_write((struct utc){INT64_MAX}, octets);
    assert_octets(bytes_of(octets, sizeof octets), "99211332959500");
}

static void impossible_time_stamps_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"00001000000000", "00310000000000", "00311000000000", "10209200000000",
                         "00101042000000", "00101000060000", "0A101000000000", "001010000000A0"};
    struct utc at;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct octets o = hex(bad[i]);
        assert_false(sms_time_read(o.at, &at));
    }
}

static void a_part_tells_mark_reference_and_card(void **state)
{
    (void)state;
    struct sms_part part;
    const struct octets card = hex("0C 7000 8008 0102030405060708 AABB");
    assert_true(sms_read_part(view(&card), &part));
    assert_int_equal(part.kind, SMS_COMMAND_PACKET);
    assert_octets(part.card_reference, "0102030405060708");
    assert_octets(part.octets, "AABB");
    assert_int_equal(part.total, 1);

    const struct octets wide = hex("08 0804 1234 0201 7100 CC");
    assert_true(sms_read_part(view(&wide), &part));
    assert_true(part.is_wide);
    assert_int_equal(part.reference, 0x1234);
    assert_int_equal(part.total, 2);
    assert_int_equal(part.kind, SMS_RESPONSE_PACKET);

    const struct octets late = hex("0A 2501FF 0003 2A0202 7100"); // unknown first, mark last
    assert_true(sms_read_part(view(&late), &part));
    assert_int_equal(part.number, 2);
    assert_int_equal(part.kind, SMS_RESPONSE_PACKET);

    const struct octets ignored = hex("07 0003 2A0203 7000 AA"); // number above the total
    assert_true(sms_read_part(view(&ignored), &part));
    assert_int_equal(part.total, 1);
    assert_int_equal(part.kind, SMS_COMMAND_PACKET);

    const struct octets others = hex("06 7000 8002 0102 AA"); // another use of identifier 80
    assert_true(sms_read_part(view(&others), &part));
    assert_int_equal(part.card_reference.len, 0);
}

static void contradicting_headers_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"",
                         "0270",
                         "0370 00",
                         "0270 01",
                         "04 7000 7100",
                         "04 7000 7000",
                         "037001 00",
                         "0400 02 2A01",
                         "0B 0003 2A0201 0804 002A 02 01",
                         "0A 0003 2A0201 0003 2A0201"};
    struct sms_part part;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct octets o = hex(bad[i]);
        assert_false(sms_read_part(view(&o), &part));
    }
}

static void a_packet_is_cut_at_the_published_sizes(void **state)
{
    (void)state;
    const uint8_t card[SMS_CARD_REFERENCE_LEN] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct sms_cut plain = {.kind = SMS_COMMAND_PACKET};
    const struct sms_cut wide = {.kind = SMS_COMMAND_PACKET, .is_wide = true};
    const struct sms_cut with_card = {.kind = SMS_RESPONSE_PACKET,
                                      .card_reference = bytes_of(card, sizeof card)};
    assert_int_equal(sms_cut_room(&plain, 0), 0);
    assert_int_equal(sms_cut_room(&plain, 1), 137);
    assert_int_equal(sms_cut_room(&plain, 2), 266);
    assert_int_equal(sms_cut_room(&plain, 3), 400);
    assert_int_equal(sms_cut_room(&plain, 8), SMS_PACKET_MAX);
    assert_int_equal(sms_cut_room(&wide, 1), 137);
    assert_int_equal(sms_cut_room(&wide, 2), 131 + 133);
    assert_int_equal(sms_cut_room(&with_card, 1), 127);
    assert_int_equal(sms_cut_room(&with_card, 2), 122 + 134);
    const struct sms_cut *cuts[] = {&plain, &wide, &with_card};
    for (size_t c = 0; c < 3; c++) {
        assert_int_equal(sms_cut_count(cuts[c], 0), 1);
        for (size_t parts = 1; parts <= 8; parts++) {
            assert_int_equal(sms_cut_count(cuts[c], sms_cut_room(cuts[c], parts)), parts);
            assert_int_equal(sms_cut_count(cuts[c], sms_cut_room(cuts[c], parts) + 1), parts + 1);
        }
    }
    static const uint8_t packet[SMS_PACKET_MAX + 1];
    uint8_t out[SMS_USER_DATA_MAX];
    struct writer w = writer_of(out, sizeof out);
    sms_cut_part(&with_card, bytes_of(packet, 127), 0, &w);
    assert_int_equal(w.len, 140);
    assert_octets(bytes_of(out, 13), "0C 7100 8008 0102030405060708");
    sms_cut_part(&plain, bytes_of(packet, sizeof packet), 0, &w); // nine parts
    assert_true(w.failed);
    w = writer_of(out, sizeof out);
    sms_cut_part(&plain, bytes_of(packet, 10), 1, &w); // no second part
    assert_true(w.failed);
}

struct cut_message {
    struct octets parts[SMS_PARTS_MAX];
    size_t count;
    uint8_t packet[SMS_PACKET_MAX];
    size_t len;
};

static void cut_into(struct cut_message *m, const struct sms_cut *cut, size_t len)
{
    m->len = len;
    for (size_t i = 0; i < len; i++)
        m->packet[i] = (uint8_t)(i * 7);
    m->count = sms_cut_count(cut, len);
    for (size_t i = 0; i < m->count; i++) {
        struct writer w = writer_of(m->parts[i].at, SMS_USER_DATA_MAX);
        sms_cut_part(cut, bytes_of(m->packet, len), i, &w);
        assert_false(w.failed);
        m->parts[i].len = w.len;
    }
}

static void parts_join_in_every_order(void **state)
{
    (void)state;
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const uint8_t card[SMS_CARD_REFERENCE_LEN] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct sms_cut cut = {.kind = SMS_RESPONSE_PACKET,
                                .card_reference = bytes_of(card, sizeof card),
                                .reference = 0x2A};
    static struct cut_message m;
    cut_into(&m, &cut, 300);
    assert_int_equal(m.count, 3);
    for (size_t o = 0; o < 6; o++) {
        struct sms_joiner joiner;
        struct sms_packet packet;
        sms_joiner_init(&joiner);
        for (size_t i = 0; i < 2; i++) {
            const struct octets *part = &m.parts[orders[o][i]];
            assert_int_equal(sms_join(&joiner, &alice, view(part), start, &packet),
                             SMS_JOIN_WAITING);
            assert_int_equal(sms_join(&joiner, &alice, view(part), start, &packet),
                             SMS_JOIN_DUPLICATE);
        }
        assert_int_equal(sms_join(&joiner, &alice, view(&m.parts[orders[o][2]]), start, &packet),
                         SMS_JOIN_COMPLETE);
        assert_int_equal(packet.kind, SMS_RESPONSE_PACKET);
        assert_int_equal(packet.octets.len, m.len);
        assert_memory_equal(packet.octets.at, m.packet, m.len);
        assert_octets(packet.card_reference, "0102030405060708");
        assert_true(sms_joiner_deadline(&joiner).ms == UINT64_MAX);
    }
}

static void eight_parts_join_and_nine_are_refused(void **state)
{
    (void)state;
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = 1};
    static struct cut_message m;
    struct sms_joiner joiner;
    struct sms_packet packet;
    cut_into(&m, &cut, SMS_PACKET_MAX);
    sms_joiner_init(&joiner);
    for (size_t i = 7; i > 0; i--)
        assert_int_equal(sms_join(&joiner, &alice, view(&m.parts[i]), start, &packet),
                         SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&m.parts[0]), start, &packet),
                     SMS_JOIN_COMPLETE);
    assert_int_equal(packet.octets.len, SMS_PACKET_MAX);
    assert_memory_equal(packet.octets.at, m.packet, m.len);
    const struct octets nine = hex("07 0003 2A0901 7000 AA");
    assert_int_equal(sms_join(&joiner, &alice, view(&nine), start, &packet), SMS_JOIN_REFUSED);
}

static void sets_are_told_apart_by_sender_reference_and_total(void **state)
{
    (void)state;
    const struct octets first = hex("07 0003 2A0201 7000 A1");
    const struct octets second = hex("05 0003 2A0202 A2");
    const struct octets other_total = hex("05 0003 2A0302 A2");
    const struct octets other_width = hex("06 0804 002A 0202 A2");
    struct sms_joiner joiner;
    struct sms_packet packet;
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&first), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &bob, view(&second), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&second), start, &packet), SMS_JOIN_COMPLETE);
    assert_octets(packet.octets, "A1A2");
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&first), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&other_total), start, &packet),
                     SMS_JOIN_WAITING);
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&first), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&other_width), start, &packet),
                     SMS_JOIN_WAITING);
}

static void a_set_is_forgotten_after_its_time(void **state)
{
    (void)state;
    const struct octets first = hex("07 0003 2A0201 7000 A1");
    const struct octets second = hex("05 0003 2A0202 A2");
    struct sms_joiner joiner;
    struct sms_packet packet;
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&first), start, &packet), SMS_JOIN_WAITING);
    assert_true(sms_joiner_deadline(&joiner).ms == start.ms + SMS_JOIN_MS);
    assert_int_equal(sms_joiner_expire(&joiner, instant_after(start, SMS_JOIN_MS - 1)), 0);
    assert_int_equal(
        sms_join(&joiner, &alice, view(&second), instant_after(start, SMS_JOIN_MS), &packet),
        SMS_JOIN_WAITING); // begins a set of its own
    assert_int_equal(sms_joiner_expire(&joiner, instant_after(start, 3 * SMS_JOIN_MS)), 1);
    assert_true(sms_joiner_deadline(&joiner).ms == UINT64_MAX);
}

static void a_third_set_takes_the_place_of_the_oldest(void **state)
{
    (void)state;
    const struct octets one[2] = {hex("07 0003 010201 7000 A1"), hex("05 0003 010202 A2")};
    const struct octets two[2] = {hex("07 0003 020201 7000 B1"), hex("05 0003 020202 B2")};
    const struct octets three[2] = {hex("07 0003 030201 7000 C1"), hex("05 0003 030202 C2")};
    struct sms_joiner joiner;
    struct sms_packet packet;
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&one[0]), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&two[0]), instant_after(start, 1), &packet),
                     SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&three[0]), instant_after(start, 2), &packet),
                     SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&two[1]), instant_after(start, 3), &packet),
                     SMS_JOIN_COMPLETE);
    assert_octets(packet.octets, "B1B2");
    assert_int_equal(sms_join(&joiner, &alice, view(&one[1]), instant_after(start, 4), &packet),
                     SMS_JOIN_WAITING); // its first part is gone
    assert_int_equal(sms_join(&joiner, &alice, view(&three[1]), instant_after(start, 5), &packet),
                     SMS_JOIN_COMPLETE);
}

// A card has no clock of its own here: all is at one time.
static void the_oldest_goes_also_when_all_came_at_one_time(void **state)
{
    (void)state;
    const struct octets one[2] = {hex("07 0003 010201 7000 A1"), hex("05 0003 010202 A2")};
    const struct octets two[2] = {hex("07 0003 020201 7000 B1"), hex("05 0003 020202 B2")};
    const struct octets three[2] = {hex("07 0003 030201 7000 C1"), hex("05 0003 030202 C2")};
    const struct octets four = hex("07 0003 040201 7000 D1");
    struct sms_joiner joiner;
    struct sms_packet packet;
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&one[0]), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&two[0]), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&one[1]), start, &packet), SMS_JOIN_COMPLETE);
    assert_int_equal(sms_join(&joiner, &alice, view(&three[0]), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&four), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&three[1]), start, &packet), SMS_JOIN_COMPLETE);
    assert_octets(packet.octets, "C1C2");
    assert_int_equal(sms_join(&joiner, &alice, view(&two[1]), start, &packet),
                     SMS_JOIN_WAITING); // its first part is gone
}

static void the_mark_is_in_exactly_one_part(void **state)
{
    (void)state;
    const struct octets marked[2] = {hex("07 0003 010201 7000 A1"), hex("07 0003 010202 7000 A2")};
    const struct octets bare[2] = {hex("05 0003 020201 A1"), hex("05 0003 020202 A2")};
    const struct octets alone = hex("03 2501FF AA");
    struct sms_joiner joiner;
    struct sms_packet packet;
    sms_joiner_init(&joiner);
    assert_int_equal(sms_join(&joiner, &alice, view(&marked[0]), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&marked[1]), start, &packet), SMS_JOIN_REFUSED);
    assert_int_equal(sms_join(&joiner, &alice, view(&bare[0]), start, &packet), SMS_JOIN_WAITING);
    assert_int_equal(sms_join(&joiner, &alice, view(&bare[1]), start, &packet), SMS_JOIN_REFUSED);
    assert_int_equal(sms_join(&joiner, &alice, view(&alone), start, &packet), SMS_JOIN_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tpdus_read_back_as_written),
        cmocka_unit_test(tpdus_whose_lengths_do_not_fit_are_malformed),
        cmocka_unit_test(an_address_in_letters_is_kept_but_is_no_number),
        cmocka_unit_test(septets_are_told_from_octets),
        cmocka_unit_test(time_stamps_are_swapped_digits_with_a_zone),
        cmocka_unit_test(every_day_of_a_century_reads_back_as_written),
        cmocka_unit_test(impossible_time_stamps_are_refused),
        cmocka_unit_test(a_part_tells_mark_reference_and_card),
        cmocka_unit_test(contradicting_headers_are_refused),
        cmocka_unit_test(a_packet_is_cut_at_the_published_sizes),
        cmocka_unit_test(parts_join_in_every_order),
        cmocka_unit_test(eight_parts_join_and_nine_are_refused),
        cmocka_unit_test(sets_are_told_apart_by_sender_reference_and_total),
        cmocka_unit_test(a_set_is_forgotten_after_its_time),
        cmocka_unit_test(a_third_set_takes_the_place_of_the_oldest),
        cmocka_unit_test(the_oldest_goes_also_when_all_came_at_one_time),
        cmocka_unit_test(the_mark_is_in_exactly_one_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
