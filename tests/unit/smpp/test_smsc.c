// The message centre: what it stores, forwards, tries again and refuses.
#include "tests/unit/smpp/centre.h"

static void a_message_arrives_unchanged_and_is_receipted(void **state)
{
    (void)state;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    assert_int_equal(server.response_count, 1);
    assert_int_equal(server.statuses[0], ESME_ROK);
    assert_int_equal(network.delivery_count, 1);
    assert_string_equal(network.deliveries[0].source, "12345");
    assert_int_equal(network.deliveries[0].esm_class, 0x40);
    assert_int_equal(network.deliveries[0].protocol_id, 0x7F);
    assert_int_equal(network.deliveries[0].data_coding, 0xF6);
    assert_memory_equal(network.deliveries[0].text, "\x02\x70\x00\x41", 4);
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 1);
    assert_int_equal(queue.held, 0);
}

static void a_wrong_password_binds_nobody(void **state)
{
    (void)state;
    struct client stranger;
    memset(&stranger, 0, sizeof stranger);
    connect_client(&stranger, "server", "secret2", "");
    carry(&stranger);
    assert_int_not_equal(stranger.session.state, SMPP_STATE_BOUND);
    assert_false(stranger.is_open);
}

static void what_an_absent_card_misses_waits_for_it_in_order(void **state)
{
    (void)state;
    network.deliver_status = ESME_RX_T_APPN;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    submit_to(&server, "12345", "9990000000001", "", 'B');
    settle();
    assert_string_equal(marks(&network), "A"); // one at a time on an ordered route
    wait_ms(5000);
    assert_string_equal(marks(&network), "AA"); // first retry after 5 s
    network.deliver_status = ESME_ROK;
    wait_ms(10000); // the second after 10 s more
    assert_string_equal(marks(&network), "AAAB");
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 2);
}

static void a_sign_of_life_brings_what_waits(void **state)
{
    (void)state;
    network.deliver_status = ESME_RX_T_APPN;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    network.deliver_status = ESME_ROK;
    submit_to(&network, "9990000000001", "12345", "", 'M');
    settle();
    assert_string_equal(marks(&network), "AA");
    assert_string_equal(marks(&server), "M");
}

static void what_is_not_taken_in_time_expires(void **state)
{
    (void)state;
    network.deliver_status = ESME_RX_T_APPN;
    submit_to(&server, "12345", "9990000000001", "000000000100000R", 'A'); // 1 min
    settle();
    wait_ms(59000);
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_EXPIRED), 0);
    wait_ms(1000);
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_EXPIRED), 1);
    assert_int_equal(queue.held, 0);
}

static void a_final_error_is_undeliverable(void **state)
{
    (void)state;
    network.deliver_status = ESME_RX_P_APPN;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_UNDELIVERABLE), 1);
    assert_int_equal(smsc.counts.undeliverable, 1);
}

static void a_receiver_that_comes_later_gets_what_was_kept(void **state)
{
    (void)state;
    smsc_cut(&smsc, network.link);
    settle();
    carry(&network);
    assert_false(network.is_open);
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    connect_client(&network, "network", "secret2", "^4477,^999*");
    settle();
    assert_string_equal(marks(&network), "A");
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    network.deliver_status = ESME_RX_T_APPN;
    size_t accepted = 0;
    size_t full = 0;
    for (int i = 0; i < MESSAGES + 3; i++) {
        server.response_count = 0;
        submit_to(&server, "12345", "9990000000001", "", 'A');
        settle();
        accepted += server.statuses[0] == ESME_ROK;
        full += server.statuses[0] == ESME_RMSGQFUL;
    }
    assert_int_equal(accepted, MESSAGES);
    assert_int_equal(full, 3);
}

static void a_lost_message_is_accepted_and_forgotten(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_LOSE, 1, 1, 0); // the second
    submit_three();
    assert_string_equal(marks(&network), "AC");
    assert_int_equal(server.response_count, 3);
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 2);
}

static void a_duplicate_comes_twice(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_DUPLICATE, 0, 1, 1);
    submit_three();
    assert_string_equal(marks(&network), "AABC");
}

static void a_delayed_message_is_overtaken(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_DELAY, 0, 1, 60000);
    submit_three();
    assert_string_equal(marks(&network), "BC");
    wait_ms(60000);
    assert_string_equal(marks(&network), "BCA");
}

static void a_reordered_message_lets_the_next_one_pass(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_REORDER, 0, 1, 60000);
    submit_three();
    assert_string_equal(marks(&network), "BAC");
}

static void a_reordered_message_without_a_next_one_goes_in_the_end(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_REORDER, 0, 1, 60000);
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    wait_ms(59000);
    assert_string_equal(marks(&network), "");
    wait_ms(1000);
    assert_string_equal(marks(&network), "A");
}

static void a_throttled_message_is_not_accepted(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_STATUS, 0, 1, ESME_RTHROTTLED);
    submit_three();
    assert_int_equal(server.statuses[0], ESME_RTHROTTLED);
    assert_string_equal(marks(&network), "BC");
}

static void answers_can_be_dropped_for_ever(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_DROP_RESPONSE, 0, 0, 0);
    // More than the session has places for unanswered requests: they are given free.
    for (int i = 0; i < 2 * WINDOW; i++) {
        submit_to(&server, "12345", "9990000000001", "", 'A');
        settle();
        if (i % WINDOW == WINDOW - 1)
            wait_ms(31000); // the ESME's own time-out frees its window
    }
    assert_int_equal(server.response_count, 0);
    assert_int_equal(server.unknown_count, 2 * WINDOW);
    assert_int_equal(smsc.counts.delivered, 2 * WINDOW);
}

static void a_cut_link_leaves_the_sender_in_doubt(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_CUT_LINK, 0, 1, 0);
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    carry(&network);
    settle();
    assert_false(server.is_open);
    assert_int_equal(server.unknown_count, 1);
    assert_string_equal(marks(&network), "A");
}

static void an_unanswered_delivery_is_tried_again(void **state)
{
    (void)state;
    network.keeps_silent = true;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    wait_ms(36000); // 30 s for the answer, 5 s to the retry
    assert_string_equal(marks(&network), "AA");
    assert_int_equal(smsc.counts.temporary, 1);
}

static uint32_t status_of_pdu(const struct smpp_pdu *pdu)
{
    const size_t before = server.response_count;
    assert_int_equal(smpp_session_request(&server.session, pdu, 1), SMPP_SEND_OK);
    settle();
    assert_int_equal(server.response_count, before + 1);
    return server.statuses[before];
}

// What one submit_sm is answered with: its text in short_message or in message_payload.
static uint32_t status_of(uint8_t esm_class, struct bytes text, bool in_payload)
{
    uint8_t block[1100];
    struct writer tlvs = writer_of(block, sizeof block);
    smpp_tlv_write(&tlvs, SMPP_TLV_MESSAGE_PAYLOAD, text);
    const struct smpp_pdu pdu = {
        .command = SMPP_SUBMIT_SM,
        .message = {.destination = {1, 1, bytes_of_text("9990000000001")},
                    .esm_class = esm_class,
                    .short_message = in_payload ? bytes_of(NULL, 0) : text},
        .tlvs = in_payload ? writer_bytes(&tlvs) : bytes_of(NULL, 0),
    };
    return status_of_pdu(&pdu);
}

static void a_header_must_fit_in_its_message(void **state)
{
    (void)state;
    for (int in_payload = 0; in_payload <= 1; in_payload++) {
        assert_int_equal(status_of(0x40, bytes_of(NULL, 0), in_payload), ESME_RINVMSGLEN);
        assert_int_equal(status_of(0x40, bytes_of("\x01", 1), in_payload), ESME_RINVMSGLEN);
        assert_int_equal(status_of(0x40, bytes_of("\x02\x70", 2), in_payload), ESME_RINVMSGLEN);
        assert_int_equal(status_of(0x40, bytes_of("\xFF\x70\0", 3), in_payload), ESME_RINVMSGLEN);
        assert_int_equal(network.delivery_count, (size_t)in_payload);
        assert_int_equal(status_of(0x40, bytes_of("\x02\x70\0", 3), in_payload), ESME_ROK);
        const struct delivery *d = &network.deliveries[in_payload];
        assert_int_equal(d->esm_class, 0x40);
        assert_int_equal(d->text_len, 3);
        assert_memory_equal(d->text, "\x02\x70\0", 3);
    }
    assert_int_equal(status_of(0, bytes_of(NULL, 0), false), ESME_ROK); // no text is a text
}

static void a_payload_of_a_thousand_octets_is_refused_and_the_link_lives(void **state)
{
    (void)state;
    static uint8_t text[1000];
    assert_int_equal(status_of(0, bytes_of(text, 255), true), ESME_ROK);
    assert_int_equal(network.deliveries[0].text_len, 255);
    assert_int_equal(status_of(0, bytes_of(text, 256), true), ESME_RINVPARLEN);
    assert_int_equal(status_of(0, bytes_of(text, sizeof text), true), ESME_RINVPARLEN);
    assert_int_equal(queue.held, 0);
    assert_int_equal(status_of(0, bytes_of(text, 10), true), ESME_ROK);
    assert_int_equal(network.delivery_count, 2);
}

// [SMPP 3.4 §5.1.3]
static void each_refusal_has_its_status(void **state)
{
    (void)state;
    static const struct {
        const char *to, *schedule, *validity;
        uint8_t replaces;
        uint32_t status;
    } rows[] = {
        {"", "", "", 0, ESME_RINVDSTADR},
        {"+", "", "", 0, ESME_RINVDSTADR},
        {"@0", "", "", 0, ESME_RINVDSTADR}, // a mailbox of ours
        {"9991", "", "", 2, ESME_RINVREPFLAG},
        {"9991", "000000010000000X", "", 0, ESME_RINVSCHED},
        {"9991", "", "000000010000000X", 0, ESME_RINVEXPIRY},
        {"9991", "", "", 1, ESME_ROK},
        {"+9991", "", "", 0, ESME_ROK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct smpp_pdu pdu = {
            .command = SMPP_SUBMIT_SM,
            .message = {.destination = {0, 1, bytes_of_text(rows[i].to)},
                        .schedule_delivery_time = bytes_of_text(rows[i].schedule),
                        .validity_period = bytes_of_text(rows[i].validity),
                        .replace_if_present = rows[i].replaces,
                        .short_message = bytes_of("a", 1)}};
        assert_int_equal(status_of_pdu(&pdu), rows[i].status);
    }
    assert_int_equal(network.delivery_count, 2);
    assert_int_equal(smsc.counts.refused, 6);
    static uint8_t tlvs[80] = {0x14, 0x00, 0, 76}; // more than is kept with a message
    const struct smpp_pdu long_tlvs = {.command = SMPP_SUBMIT_SM,
                                       .message = {.destination = {1, 1, bytes_of_text("9991")},
                                                   .short_message = bytes_of("a", 1)},
                                       .tlvs = bytes_of(tlvs, sizeof tlvs)};
    assert_int_equal(status_of_pdu(&long_tlvs), ESME_RINVPARLEN);
    assert_int_equal(queue.held, 0);
}

static void no_more_links_than_there_are(void **state)
{
    (void)state;
    struct smpp_session_config memory = session_config(&link_memory[2], SMPP_SMSC);
    assert_int_equal(smsc_link_open(&smsc, &memory), 2);
    memory = session_config(&link_memory[3], SMPP_SMSC);
    assert_int_equal(smsc_link_open(&smsc, &memory), 3);
    assert_int_equal(smsc_link_open(&smsc, &memory), SMSC_NONE);
    smsc_link_gone(&smsc, 2);
    smsc_cut(&smsc, 2); // nobody's
    smsc_cut(&smsc, LINKS);
    assert_int_equal(smsc_link_open(&smsc, &memory), 2);
    assert_false(links[2].is_cut);
}

static void one_of_two_links_of_an_account_gets_a_message(void **state)
{
    (void)state;
    static struct client second;
    connect_client(&second, "network", "secret2", "");
    while (carry(&second))
        continue;
    assert_int_equal(second.session.state, SMPP_STATE_BOUND);
    submit_three();
    while (carry(&second))
        settle();
    assert_int_equal(network.delivery_count + second.delivery_count, 3);
    assert_int_equal(smsc.counts.delivered, 3);
}

static void a_message_without_a_route_expires_and_its_receipt_waits_for_the_sender(void **state)
{
    (void)state;
    submit_to(&server, "12345", "5550000000001", "000000000100000R", 'A'); // 1 min
    settle();
    assert_int_equal(server.statuses[0], ESME_ROK);
    smsc_cut(&smsc, server.link);
    settle();
    assert_false(server.is_open);
    wait_ms(60000);
    assert_int_equal(smsc.counts.expired, 1);
    connect_client(&server, "server", "secret1", "");
    settle();
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_EXPIRED), 1);
    assert_int_equal(queue.held, 0);
}

static void a_sender_that_disconnects_often_loses_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        network.delivery_count = 0;
        submit_to(&server, "12345", "9990000000001", "", 'A');
        carry(&server); // the message is over, its way goes on without the sender
        smsc_cut(&smsc, server.link);
        settle();
        assert_false(server.is_open);
        assert_string_equal(marks(&network), "A");
        connect_client(&server, "server", "secret1", "");
        settle();
        assert_int_equal(server.session.state, SMPP_STATE_BOUND);
        assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 1);
    }
    assert_int_equal(smsc.counts.delivered, 100);
    assert_int_equal(queue.held, 0);
}

static void who_is_delivered_is_no_deadline_any_more(void **state)
{
    (void)state;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    assert_string_equal(marks(&network), "A");
    assert_int_equal(queue.held, 0);
    assert_int_equal(smsc_queue_due(&queue).ms, INSTANT_NEVER.ms);
    network.deliver_status = ESME_RX_T_APPN;
    submit_to(&server, "12345", "9990000000001", "", 'B');
    settle();
    assert_int_equal(smsc_queue_due(&queue).ms, clock_ms + smsc.config.retry_first_ms);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(a_message_arrives_unchanged_and_is_receipted),
        TEST(a_wrong_password_binds_nobody),
        TEST(what_an_absent_card_misses_waits_for_it_in_order),
        TEST(a_sign_of_life_brings_what_waits),
        TEST(what_is_not_taken_in_time_expires),
        TEST(a_final_error_is_undeliverable),
        TEST(a_receiver_that_comes_later_gets_what_was_kept),
        TEST(a_full_queue_says_so),
        TEST(a_lost_message_is_accepted_and_forgotten),
        TEST(a_duplicate_comes_twice),
        TEST(a_delayed_message_is_overtaken),
        TEST(a_reordered_message_lets_the_next_one_pass),
        TEST(a_reordered_message_without_a_next_one_goes_in_the_end),
        TEST(a_throttled_message_is_not_accepted),
        TEST(answers_can_be_dropped_for_ever),
        TEST(a_cut_link_leaves_the_sender_in_doubt),
        TEST(an_unanswered_delivery_is_tried_again),
        TEST(a_header_must_fit_in_its_message),
        TEST(a_payload_of_a_thousand_octets_is_refused_and_the_link_lives),
        TEST(each_refusal_has_its_status),
        TEST(no_more_links_than_there_are),
        TEST(one_of_two_links_of_an_account_gets_a_message),
        TEST(a_message_without_a_route_expires_and_its_receipt_waits_for_the_sender),
        TEST(a_sender_that_disconnects_often_loses_nothing),
        TEST(who_is_delivered_is_no_deadline_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
