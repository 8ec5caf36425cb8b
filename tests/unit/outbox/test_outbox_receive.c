// What SMSCs bring: packets of cards in parts, and receipts in every order and form.
#include "tests/lib/cmocka_all.h"

#include "smpp/core/receipt.h"
#include "tests/unit/outbox/fake_links.h"
#include "tests/unit/outbox/fake_turn.h"

#define T0 FAKE_START

static struct outbox *outbox;

static int start(void **state)
{
    (void)state;
    outbox = fake_outbox(2);
    outbox_tick(outbox, (struct instant){T0});
    return outbox == NULL;
}

static int stop(void **state)
{
    (void)state;
    outbox_close(outbox);
    return 0;
}

static void at(uint64_t ms)
{
    outbox_tick(outbox, (struct instant){T0 + ms});
    fake_turn_end(outbox);
}

// --- messages --------------------------------------------------------------------------------

// A part of a notification (element 70) or, if `is_response`, of a response (71) [31.115 §4.4].
static void part(uint64_t handle, const char *number, uint8_t total, uint8_t index, uint8_t filling)
{
    uint8_t octets[20] = {0x05, 0x00, 0x03, 0x11, total, index};
    size_t len = 6;
    if (index == 1) {
        octets[0] = 0x07;
        octets[len++] = 0x71;
        octets[len++] = 0x00;
    }
    octets[len++] = filling;
    octets[len++] = index;
    fake_deliver(outbox, 0, handle, number, bytes_of(octets, len));
}

static void a_whole_message_is_acknowledged_after_its_commit(void **state)
{
    (void)state;
    // Element 80 is the card reference, 70 the mark of a command packet of the card.
    static const uint8_t octets[] = {0x0C, 0x70, 0x00, 0x80, 0x08, 1,    2,   3,
                                     4,    5,    6,    7,    8,    0xAA, 0xBB};
    fake_deliver(outbox, 1, 5, "+9990000000001", bytes_of(octets, sizeof octets));
    assert_int_equal(fake_answer_of(5), FAKE_OPEN);
    at(0);
    assert_int_equal(fake_answer_of(5), ESME_ROK);
    assert_int_equal(fake_links.answers[0].link, 1);
    assert_int_equal(fake.message_count, 1);
    const struct turn_message *m = &fake.messages[0];
    const uint8_t reference[] = {1, 2, 3, 4, 5, 6, 7, 8};
    const uint8_t packet[] = {0xAA, 0xBB};
    assert_string_equal(m->number, "9990000000001");
    assert_true(m->has_reference);
    assert_memory_equal(m->reference, reference, sizeof reference);
    assert_false(m->is_response);
    assert_int_equal(m->sms, 1);
    assert_int_equal(m->packet_len, 2);
    assert_memory_equal(m->packet, packet, sizeof packet);
}

static void a_message_that_does_not_commit_stays_with_the_smsc(void **state)
{
    (void)state;
    static const uint8_t octets[] = {0x02, 0x71, 0x00, 0xAA};
    fake_deliver(outbox, 0, 5, "999", bytes_of(octets, sizeof octets));
    fake.outcome = STORE_FULL;
    at(0);
    assert_int_equal(fake_answer_of(5), ESME_RX_T_APPN);
    fake.room = 0;
    fake_deliver(outbox, 0, 6, "999", bytes_of(octets, sizeof octets));
    assert_int_equal(fake_answer_of(6), ESME_RX_T_APPN);
    assert_true(outbox_is_idle(outbox));
}

static void parts_of_two_cards_in_any_order_make_two_packets(void **state)
{
    (void)state;
    part(11, "111", 3, 3, 0xA1);
    part(21, "222", 3, 2, 0xB2);
    part(12, "111", 3, 1, 0xA1);
    part(22, "222", 3, 1, 0xB2);
    at(10);
    assert_int_equal(fake.message_count, 0);
    assert_int_equal(fake_links.answer_count, 0);
    part(23, "222", 3, 3, 0xB2);
    part(13, "111", 3, 2, 0xA1);
    at(20);
    assert_int_equal(fake.message_count, 2);
    const uint8_t second[] = {0xB2, 1, 0xB2, 2, 0xB2, 3};
    const uint8_t first[] = {0xA1, 1, 0xA1, 2, 0xA1, 3};
    assert_string_equal(fake.messages[0].number, "222");
    assert_int_equal(fake.messages[0].packet_len, 6);
    assert_memory_equal(fake.messages[0].packet, second, 6);
    assert_memory_equal(fake.messages[1].packet, first, 6);
    assert_true(fake.messages[1].is_response);
    assert_int_equal(fake.messages[1].sms, 3);
    static const uint64_t handles[] = {11, 12, 13, 21, 22, 23};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(fake_answer_of(handles[i]), ESME_ROK);
    assert_int_equal(outbox_counts(outbox).joins_held, 0);
}

static void a_part_alone_is_kept_and_answered_after_half_a_second_and_still_counts(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    at(499);
    assert_int_equal(fake_answer_of(1), FAKE_OPEN);
    assert_int_equal(fake.part_count, 0);
    at(500);
    assert_int_equal(fake.part_count, 1);
    assert_int_equal(fake_answer_of(1), ESME_ROK);
    part(2, "111", 2, 1, 0xA1); // it comes again all the same
    assert_int_equal(fake_answer_of(2), ESME_ROK);
    part(3, "111", 2, 2, 0xA1);
    at(3000);
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(fake_answer_of(3), ESME_ROK);
    part(4, "111", 2, 1, 0xA1); // and again
    assert_int_equal(fake_answer_of(4), ESME_ROK);
    at(4000);
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(fake.part_count, 1);
    assert_int_equal(outbox_counts(outbox).parts_duplicate, 2);
    assert_int_equal(outbox_counts(outbox).parts_put_back, 0);
}

static void a_part_that_cannot_be_kept_stays_with_the_smsc_and_in_memory(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    fake.outcome = STORE_FULL;
    at(500);
    assert_int_equal(fake_answer_of(1), ESME_RX_T_APPN);
    fake.outcome = STORE_OK;
    part(2, "111", 2, 2, 0xA1);
    at(520);
    assert_int_equal(fake.message_count, 1);
}

static void a_kept_part_outlives_a_restart(void **state)
{
    (void)state;
    part(1, "111", 3, 1, 0xA1);
    part(2, "111", 3, 3, 0xA1);
    at(500);
    assert_int_equal(fake.part_count, 2);
    outbox_close(outbox);
    const struct fake_turn store = fake;
    outbox = fake_outbox(2);
    memcpy(fake.parts, store.parts, sizeof fake.parts);
    fake.part_count = store.part_count;
    at(1000);
    at(1010);
    part(3, "111", 3, 2, 0xA1);
    at(1020);
    const uint8_t packet[] = {0xA1, 1, 0xA1, 2, 0xA1, 3};
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(fake.messages[0].packet_len, 6);
    assert_memory_equal(fake.messages[0].packet, packet, 6);
    assert_int_equal(fake_answer_of(3), ESME_ROK);
}

// Its parts are answered: nobody brings them again.
static void a_packet_of_kept_parts_is_tried_again_until_it_commits(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    at(500);
    part(2, "111", 2, 2, 0xA1);
    fake.outcome = STORE_FULL;
    at(520);
    assert_int_equal(fake_answer_of(2), ESME_RX_T_APPN);
    assert_int_equal(fake.message_count, 0);
    fake.outcome = STORE_OK;
    part(3, "111", 2, 2, 0xA1);
    at(530);
    assert_int_equal(fake_answer_of(3), ESME_ROK);
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(outbox_counts(outbox).joins_held, 0);
}

static void parts_whose_others_do_not_come_are_given_up_after_a_minute(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    at(500);
    at(59999);
    assert_int_equal(outbox_counts(outbox).joins_given_up, 0);
    at(60000);
    assert_int_equal(outbox_counts(outbox).joins_given_up, 1);
    assert_int_equal(outbox_counts(outbox).joins_held, 0);
    assert_int_equal(fake.part_count, 1); // the store sweeps it
}

static void a_repeated_part_counts_once(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    part(2, "111", 2, 1, 0xA1);
    assert_int_equal(fake_answer_of(1), ESME_RX_T_APPN); // one of the two is enough
    part(3, "111", 2, 2, 0xA1);
    at(1);
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(fake_answer_of(2), ESME_ROK);
    assert_int_equal(fake_answer_of(3), ESME_ROK);
}

static void another_message_under_the_same_reference_waits_until_the_first_is_over(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    part(2, "111", 2, 1, 0xC3);
    assert_int_equal(fake_answer_of(2), ESME_RX_T_APPN);
    at(500);
    assert_int_equal(fake_answer_of(1), ESME_ROK);
    at(60000); // the first is given up
    assert_int_equal(outbox_counts(outbox).joins_given_up, 1);
    part(3, "111", 2, 1, 0xC3);
    part(4, "111", 2, 2, 0xC3);
    at(60001);
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(fake.messages[0].packet[0], 0xC3);
}

static void a_joined_packet_that_does_not_commit_stays_with_the_smsc(void **state)
{
    (void)state;
    part(1, "111", 2, 1, 0xA1);
    part(2, "111", 2, 2, 0xA1);
    fake.outcome = STORE_FULL;
    at(1);
    assert_int_equal(fake_answer_of(1), ESME_RX_T_APPN);
    assert_int_equal(fake_answer_of(2), ESME_RX_T_APPN);
    fake.outcome = STORE_OK;
    part(3, "111", 2, 2, 0xA1);
    part(4, "111", 2, 1, 0xA1);
    at(2);
    assert_int_equal(fake.message_count, 1);
    assert_int_equal(fake_answer_of(3), ESME_ROK);
}

static void at_its_limits_it_leaves_messages_with_the_smsc(void **state)
{
    (void)state;
    static const uint8_t whole[] = {0x02, 0x71, 0x00, 0xAA};
    struct outbox_options options = fake_options(1);
    options.joins_max = 2;
    options.waits_max = 1;
    outbox_close(outbox);
    fake_reset();
    outbox = outbox_open(&options, (struct instant){T0});
    part(1, "111", 2, 1, 0xA1);
    part(2, "222", 2, 1, 0xA1);
    part(3, "333", 2, 1, 0xA1);
    assert_int_equal(fake_answer_of(3), ESME_RX_T_APPN);
    assert_int_equal(outbox_counts(outbox).joins_held, 2);
    fake_deliver(outbox, 0, 4, "444", bytes_of(whole, sizeof whole));
    fake_deliver(outbox, 0, 5, "555", bytes_of(whole, sizeof whole));
    assert_int_equal(fake_answer_of(5), ESME_RX_T_APPN);
    part(6, "111", 2, 2, 0xA1); // what was begun goes on
    at(1);
    assert_int_equal(fake_answer_of(4), ESME_ROK);
    assert_int_equal(fake_answer_of(6), ESME_ROK);
    part(7, "333", 2, 1, 0xA1);
    assert_int_equal(fake_answer_of(7), FAKE_OPEN);
}

static void what_is_no_packet_is_taken_and_counted(void **state)
{
    (void)state;
    static const uint8_t no_mark[] = {0x05, 0x00, 0x03, 0x11, 0x01, 0x01, 'h', 'i'};
    static const uint8_t cut[] = {0x09, 0x71, 0x00};
    static const uint8_t too_many[] = {0x07, 0x00, 0x03, 0x11, 0x09, 0x01, 0x71, 0x00, 1};
    fake_deliver(outbox, 0, 1, "111", bytes_of(no_mark, sizeof no_mark));
    fake_deliver(outbox, 0, 2, "111", bytes_of(cut, sizeof cut));
    fake_deliver(outbox, 0, 3, "111", bytes_of(too_many, sizeof too_many));
    fake_deliver(outbox, 0, 4, "111", bytes_of(NULL, 0));
    for (uint64_t handle = 1; handle <= 4; handle++)
        assert_int_equal(fake_answer_of(handle), ESME_ROK);
    assert_int_equal(outbox_counts(outbox).no_packet, 4);
    assert_int_equal(fake_queued(), 0);
}

// TON 3 or 2, a plus sign, mode bits in esm_class, data_coding 02 instead of F6: SMSCs were seen to
// change all of these. What makes a packet is the header.
static void what_smscs_change_on_the_way_does_not_hide_a_packet(void **state)
{
    (void)state;
    static const uint8_t octets[] = {0x02, 0x71, 0x00, 0xAA};
    static const struct {
        uint8_t ton, npi, esm_class, protocol_id, data_coding;
        const char *digits;
        bool in_payload;
    } rows[] = {
        {3, 1, 0x41, 0x7F, 0x02, "9990000000001", false},
        {2, 0, 0x40, 0x00, 0x04, "+9990000000001", false},
        {1, 1, 0x43, 0x7F, 0xF6, "9990000000001", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t tlv[] = {0x04, 0x24, 0x00, 0x04, 0x02, 0x71, 0x00, 0xAA};
        const struct bytes text = bytes_of(octets, sizeof octets);
        const struct smpp_pdu pdu = {
            .command = SMPP_DELIVER_SM,
            .message = {.source = {rows[i].ton, rows[i].npi, bytes_of_text(rows[i].digits)},
                        .esm_class = rows[i].esm_class,
                        .protocol_id = rows[i].protocol_id,
                        .data_coding = rows[i].data_coding,
                        .short_message = rows[i].in_payload ? bytes_of(NULL, 0) : text},
            .tlvs = rows[i].in_payload ? bytes_of(tlv, sizeof tlv) : bytes_of(NULL, 0),
        };
        outbox_request(outbox, 0, 100 + i, &pdu);
        at(i);
        assert_int_equal(fake_answer_of(100 + i), ESME_ROK);
        assert_int_equal(fake.message_count, i + 1);
        assert_string_equal(fake.messages[i].number, "9990000000001");
        assert_true(fake.messages[i].is_response);
        assert_int_equal(fake.messages[i].packet_len, 1);
        assert_int_equal(fake.messages[i].packet[0], 0xAA);
    }
}

// --- receipts --------------------------------------------------------------------------------

static void receipt(uint64_t handle, const char *text)
{
    const struct smpp_pdu pdu = {
        .command = SMPP_DELIVER_SM,
        .message = {.source = {1, 1, bytes_of_text("9990000000001")},
                    .esm_class = SMPP_ESM_CLASS_RECEIPT,
                    .short_message = bytes_of_text(text)},
    };
    outbox_request(outbox, 1, handle, &pdu);
}

static void send_one(uint16_t len)
{
    struct message m = {
        .id = 1003, .card = 21, .counter = 3, .number = "9990000000001", .validity_ms = 3600000};
    m.packet_len = len;
    outbox_send(outbox, &m);
    at(0);
}

static void submitted(const char *message_id)
{
    send_one(20);
    fake_respond(outbox, 0, ESME_ROK, message_id);
    at(1);
    assert_int_equal(fake.event_count, 1);
}

static void expect_receipt(uint64_t handle, enum receipt_state state)
{
    assert_int_equal(fake.event_count, 2);
    assert_int_equal(fake.events[1].event.type, EVENT_RECEIPT);
    assert_int_equal(fake.events[1].card, 21);
    assert_int_equal(fake.events[1].event.as.receipt.counter, 3);
    assert_int_equal(fake.events[1].event.as.receipt.part, 1);
    assert_int_equal(fake.events[1].event.as.receipt.state, state);
    assert_int_equal(fake.events[1].event.as.receipt.of.operation, 5003);
    assert_int_equal(fake.events[1].event.as.receipt.of.built_at.ms, 60000);
    assert_int_equal(fake_answer_of(handle), ESME_ROK);
}

static void a_receipt_finds_its_packet_and_is_acknowledged_after_the_commit(void **state)
{
    (void)state;
    submitted("0123456789");
    receipt(9, "id:0123456789 sub:001 dlvrd:001 stat:DELIVRD err:000 text:");
    assert_int_equal(fake_answer_of(9), FAKE_OPEN);
    at(2);
    expect_receipt(9, RECEIPT_DELIVERED);
}

static void an_id_in_hexadecimal_fits_the_same_in_decimal(void **state)
{
    (void)state;
    submitted("00BC614E"); // 12345678
    receipt(9, "id:12345678 stat:EXPIRED err:000");
    at(2);
    expect_receipt(9, RECEIPT_LOST);
}

static void an_id_in_decimal_fits_the_same_in_hexadecimal(void **state)
{
    (void)state;
    submitted("12345678");
    receipt(9, "id:0bC614e stat:UNDELIV err:000");
    at(2);
    expect_receipt(9, RECEIPT_LOST);
}

// A name of octets that are no text is not shown, and still finds its packet.
static void a_name_that_is_no_text_is_none(void **state)
{
    (void)state;
    submitted("a\x01 b\xFF");
    assert_string_equal(fake.events[0].messages, "- ");
}

static void each_part_has_its_own_receipt(void **state)
{
    (void)state;
    send_one(200);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake_respond(outbox, 1, ESME_ROK, "2");
    at(1);
    receipt(9, "id:2 stat:DELIVRD");
    receipt(10, "id:1 stat:EXPIRED");
    at(2);
    assert_int_equal(fake.event_count, 3);
    assert_int_equal(fake.events[1].event.as.receipt.part, 2);
    assert_string_equal(fake.events[1].messages, "2 ");
    assert_int_equal(fake.events[2].event.as.receipt.part, 1);
    assert_int_equal(fake.events[2].event.as.receipt.state, RECEIPT_LOST);
}

static void a_receipt_before_its_submit_sm_resp_waits_for_it(void **state)
{
    (void)state;
    send_one(20);
    receipt(9, "id:77 stat:DELIVRD");
    at(1);
    assert_int_equal(fake_answer_of(9), FAKE_OPEN);
    fake_respond(outbox, 0, ESME_ROK, "77");
    at(2);
    at(3);
    expect_receipt(9, RECEIPT_DELIVERED);
}

static void an_early_receipt_that_fits_nothing_is_taken_after_two_seconds(void **state)
{
    (void)state;
    send_one(20);
    receipt(9, "id:77 stat:DELIVRD");
    at(1);
    assert_int_equal(outbox_deadline(outbox).ms, T0 + 2000);
    at(2000);
    at(2001);
    assert_int_equal(fake_answer_of(9), ESME_ROK);
    assert_int_equal(outbox_counts(outbox).receipts_unknown, 1);
    assert_int_equal(fake.event_count, 0);
}

static void a_receipt_that_says_nothing_final_changes_nothing(void **state)
{
    (void)state;
    submitted("77");
    receipt(9, "id:77 stat:ACCEPTD");
    receipt(10, "id:77 stat:ENROUTE");
    receipt(11, "stat:DELIVRD");
    receipt(12, "garbage");
    receipt(13, "id:78 stat:DELIVRD");
    at(2);
    for (uint64_t handle = 9; handle <= 13; handle++)
        assert_int_equal(fake_answer_of(handle), ESME_ROK);
    assert_int_equal(fake.event_count, 1);
}

static void a_doubled_receipt_is_told_twice_and_judged_elsewhere(void **state)
{
    (void)state;
    submitted("77");
    receipt(9, "id:77 stat:DELIVRD");
    receipt(10, "id:77 stat:DELIVRD");
    at(2);
    assert_int_equal(fake.event_count, 3);
    assert_int_equal(fake_answer_of(10), ESME_ROK);
}

// An SMSC that answers every submit_sm with the same words, and numbers its receipts otherwise.
static void receipts_of_an_smsc_without_message_ids_decide_nothing(void **state)
{
    (void)state;
    submitted("msg_id_not_implemented");
    receipt(9, "id:2 sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD "
               "err:000 text:");
    at(2);
    at(3000);
    assert_int_equal(fake_answer_of(9), ESME_ROK);
    assert_int_equal(outbox_counts(outbox).receipts_unknown, 1);
    assert_int_equal(fake.event_count, 1);
}

static void a_receipt_that_does_not_commit_stays_with_the_smsc(void **state)
{
    (void)state;
    submitted("77");
    fake.outcome = STORE_FULL;
    receipt(9, "id:77 stat:DELIVRD");
    at(2);
    assert_int_equal(fake_answer_of(9), ESME_RX_T_APPN);
    assert_true(outbox_is_idle(outbox));
}

static void another_request_is_refused(void **state)
{
    (void)state;
    const struct smpp_pdu pdu = {.command = SMPP_SUBMIT_SM};
    outbox_request(outbox, 0, 3, &pdu);
    assert_int_equal(fake_answer_of(3), ESME_RINVCMDID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_message_is_acknowledged_after_its_commit),
        TEST(a_message_that_does_not_commit_stays_with_the_smsc),
        TEST(parts_of_two_cards_in_any_order_make_two_packets),
        TEST(a_part_alone_is_kept_and_answered_after_half_a_second_and_still_counts),
        TEST(a_part_that_cannot_be_kept_stays_with_the_smsc_and_in_memory),
        TEST(a_kept_part_outlives_a_restart),
        TEST(a_packet_of_kept_parts_is_tried_again_until_it_commits),
        TEST(parts_whose_others_do_not_come_are_given_up_after_a_minute),
        TEST(a_repeated_part_counts_once),
        TEST(another_message_under_the_same_reference_waits_until_the_first_is_over),
        TEST(a_joined_packet_that_does_not_commit_stays_with_the_smsc),
        TEST(at_its_limits_it_leaves_messages_with_the_smsc),
        TEST(what_is_no_packet_is_taken_and_counted),
        TEST(what_smscs_change_on_the_way_does_not_hide_a_packet),
        TEST(a_receipt_finds_its_packet_and_is_acknowledged_after_the_commit),
        TEST(an_id_in_hexadecimal_fits_the_same_in_decimal),
        TEST(an_id_in_decimal_fits_the_same_in_hexadecimal),
        TEST(a_name_that_is_no_text_is_none),
        TEST(each_part_has_its_own_receipt),
        TEST(a_receipt_before_its_submit_sm_resp_waits_for_it),
        TEST(an_early_receipt_that_fits_nothing_is_taken_after_two_seconds),
        TEST(a_receipt_that_says_nothing_final_changes_nothing),
        TEST(a_doubled_receipt_is_told_twice_and_judged_elsewhere),
        TEST(receipts_of_an_smsc_without_message_ids_decide_nothing),
        TEST(a_receipt_that_does_not_commit_stays_with_the_smsc),
        TEST(another_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
