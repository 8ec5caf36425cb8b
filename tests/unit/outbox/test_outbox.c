// Packets towards cards: short messages, links, retries, outcomes.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/outbox/fake_links.h"
#include "tests/unit/outbox/fake_turn.h"

#define T0 FAKE_START
#define HOUR 3600000u

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

static void restart(const struct outbox_options *options)
{
    outbox_close(outbox);
    fake_reset();
    outbox = outbox_open(options, (struct instant){T0});
    assert_non_null(outbox);
}

// Packet number `counter`: octets 00, 01, 02 ...; the ids that the fake store expects.
static struct message packet(uint64_t counter, uint16_t len)
{
    struct message m = {.id = 1000 + counter,
                        .card = 7 * counter,
                        .counter = counter,
                        .number = "9990000000001",
                        .reference = 0x5A,
                        .validity_ms = HOUR,
                        .packet_len = len};
    for (uint16_t i = 0; i < len; i++)
        m.packet[i] = (uint8_t)i;
    return m;
}

static void hand(struct message m)
{
    outbox_send(outbox, &m);
}

static void at(uint64_t ms)
{
    outbox_tick(outbox, (struct instant){T0 + ms});
    fake_turn_end(outbox);
}

static const struct event_submit *only_outcome(void)
{
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.events[0].event.type, EVENT_SUBMIT);
    return &fake.events[0].event.as.submit;
}

static void a_packet_of_one_message_has_the_fields_of_a_secured_packet(void **state)
{
    (void)state;
    hand(packet(1, 137)); // the most that one message holds [31.115 §4]
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    const struct fake_sent *s = &fake_links.sent[0];
    assert_int_equal(s->esm_class, 0x40);
    assert_int_equal(s->protocol_id, 0x7F);
    assert_int_equal(s->data_coding, 0xF6);
    assert_int_equal(s->registered_delivery, 1);
    assert_string_equal(s->validity, "000000010000000R");
    assert_string_equal(s->source, "12345");
    assert_int_equal(s->source_ton, 0);
    assert_int_equal(s->source_npi, 1);
    assert_string_equal(s->destination, "9990000000001");
    assert_int_equal(s->destination_ton, 1);
    assert_int_equal(s->destination_npi, 1);
    assert_int_equal(s->user_data_len, 140);
    const uint8_t header[] = {0x02, 0x70, 0x00, 0x00, 0x01};
    assert_memory_equal(s->user_data, header, sizeof header);
}

static void a_long_packet_leaves_as_several_with_headers_of_their_own(void **state)
{
    (void)state;
    hand(packet(1, 138)); // one octet more than one message holds
    at(0);
    assert_int_equal(fake_links.sent_count, 2);
    const uint8_t first[] = {0x07, 0x00, 0x03, 0x5A, 0x02, 0x01, 0x70, 0x00, 0x00};
    const uint8_t second[] = {0x05, 0x00, 0x03, 0x5A, 0x02, 0x02, 132};
    assert_memory_equal(fake_links.sent[0].user_data, first, sizeof first);
    assert_memory_equal(fake_links.sent[1].user_data, second, sizeof second);
    assert_int_equal(fake_links.sent[0].user_data_len, 140);
    assert_int_equal(fake_links.sent[1].user_data_len, 6 + 6);
}

static void what_became_of_a_packet_is_told_of_its_operation_unless_it_confirms(void **state)
{
    (void)state;
    struct message m = packet(1, 20);
    m.operation = 5001;
    m.command = COMMAND_DELETE;
    m.at.ms = 60000;
    hand(m);
    m = packet(2, 20);
    m.operation = 5002;
    m.command = COMMAND_CONFIRM;
    hand(m);
    at(0);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake_respond(outbox, 1, ESME_ROK, "2");
    at(1);
    assert_int_equal(fake.event_count, 2);
    assert_int_equal(fake.events[0].event.as.submit.of.operation, 5001);
    assert_int_equal(fake.events[0].event.as.submit.of.built_at.ms, 60000);
    assert_int_equal(fake.events[1].event.as.submit.of.operation, 0);
}

static void a_packet_is_accepted_when_every_part_is(void **state)
{
    (void)state;
    hand(packet(1, 300));
    at(0);
    assert_int_equal(fake_links.sent_count, 3);
    fake_respond(outbox, 2, ESME_ROK, "C");
    fake_respond(outbox, 0, ESME_ROK, "A");
    at(1);
    assert_int_equal(fake.event_count, 0);
    fake_respond(outbox, 1, ESME_ROK, "B");
    at(2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_ACCEPTED);
    assert_int_equal(only_outcome()->parts, 3);
    assert_int_equal(only_outcome()->counter, 1);
    assert_int_equal(fake.events[0].card, 7);
    assert_string_equal(fake.events[0].messages, "a b c ");
    assert_int_equal(fake.note_count, 1);
    assert_int_equal(fake.notes[0].message, 1001);
    assert_int_equal(fake.notes[0].state, POST_SUBMITTED);
    assert_int_equal(outbox_counts(outbox).packets_held, 0);
}

static void one_packet_of_a_card_is_under_way_at_a_time(void **state)
{
    (void)state;
    struct message second = packet(2, 20);
    second.card = 7;
    hand(packet(1, 20));
    hand(second);
    hand(packet(3, 20)); // of another card: it need not wait
    at(0);
    assert_int_equal(fake_links.sent_count, 2);
    fake_respond(outbox, 0, ESME_ROK, "1");
    at(1);
    at(2);
    assert_int_equal(fake_links.sent_count, 3);
}

static void a_throttled_link_is_slower_and_nothing_is_lost(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    fake_links.room[1 - fake_links.sent[0].link] = 0;
    const unsigned link = fake_links.sent[0].link;
    fake_respond(outbox, 0, ESME_RTHROTTLED, "");
    assert_int_equal(outbox_rate(outbox, link), 50000);
    at(0);
    assert_int_equal(fake_links.sent_count, 1); // its tokens are gone
    assert_int_equal(fake.event_count, 0);
    assert_int_equal(outbox_deadline(outbox).ms, T0 + 1);
    at(1);
    assert_int_equal(fake_links.sent_count, 2);
    fake_respond(outbox, 1, ESME_ROK, "1");
    at(2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_ACCEPTED);
    assert_int_equal(outbox_counts(outbox).throttled, 1);
}

// 58 and 14: what was refused leaves before the others, in its order.
static void what_is_refused_for_want_of_room_leaves_again_first(void **state)
{
    (void)state;
    static const uint32_t statuses[] = {ESME_RTHROTTLED, ESME_RMSGQFUL};
    static const uint8_t order[] = {1, 2, 1, 2, 3};
    for (size_t i = 0; i < 2; i++) {
        const struct outbox_options options = fake_options(1);
        restart(&options);
        for (uint8_t counter = 1; counter <= 3; counter++) {
            struct message m = packet(counter, 20);
            m.packet[0] = counter;
            hand(m);
        }
        fake_links.room[0] = 2;
        at(0);
        assert_int_equal(fake_links.sent_count, 2);
        fake_respond(outbox, 0, statuses[i], "");
        fake_respond(outbox, 1, statuses[i], "");
        at(1);
        assert_int_equal(fake_links.sent_count, 4);
        fake_respond(outbox, 2, ESME_ROK, "1");
        at(2);
        assert_int_equal(fake_links.sent_count, 5);
        for (size_t k = 0; k < sizeof order; k++)
            assert_int_equal(fake_links.sent[k].user_data[3], order[k]);
    }
}

static void the_rate_of_a_link_is_kept(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(1);
    options.links[0].rate = 1;
    restart(&options);
    for (uint64_t i = 1; i <= 3; i++)
        hand(packet(i, 20));
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    assert_int_equal(outbox_deadline(outbox).ms, T0 + 1000);
    at(999);
    assert_int_equal(fake_links.sent_count, 1);
    at(1000);
    assert_int_equal(fake_links.sent_count, 2);
}

// At 20 messages a second and 100 times the speed: 2 of the loop's milliseconds are 200, that is
// 4 messages, of which 2 fit into the bucket. A refusal empties it and halves the rate; 5 % of it
// are back after a second, of which the loop has 10 milliseconds: 11/s, or 1.1 in a millisecond.
static void a_rate_is_kept_in_the_servers_time(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(1);
    options.links[0].rate = 20;
    options.clock.speed = 100;
    fake_links.speed = 100;
    restart(&options);
    for (uint64_t i = 1; i <= 9; i++)
        hand(packet(i, 20));
    at(0);
    assert_int_equal(fake_links.sent_count, 2);
    assert_int_equal(outbox_deadline(outbox).ms, T0 + 1); // 50 ms of its time
    at(2);
    assert_int_equal(fake_links.sent_count, 4);
    fake_respond(outbox, 0, ESME_RTHROTTLED, "");
    assert_int_equal(outbox_rate(outbox, 0), 10);
    at(2);
    assert_int_equal(fake_links.sent_count, 4);
    at(3);
    assert_int_equal(fake_links.sent_count, 5);
    at(12);
    assert_int_equal(outbox_rate(outbox, 0), 11);
}

static void a_temporary_refusal_is_tried_again_after_5_30_and_120_seconds(void **state)
{
    (void)state;
    static const uint64_t times[] = {5000, 35000, 155000};
    hand(packet(1, 20));
    at(0);
    for (size_t i = 0; i < 3; i++) {
        fake_respond(outbox, i, ESME_RSYSERR, "");
        at(times[i] - 1);
        assert_int_equal(fake_links.sent_count, i + 1);
        at(times[i]);
        assert_int_equal(fake_links.sent_count, i + 2);
    }
    assert_int_equal(fake.event_count, 0);
    fake_respond(outbox, 3, 0x400, ""); // a vendor's status is temporary too
    at(155001);
    assert_int_equal(only_outcome()->outcome, SUBMIT_TEMPORARY);
    assert_int_equal(only_outcome()->status, 0x400);
    assert_int_equal(fake.notes[0].state, POST_REFUSED);
}

static void a_permanent_refusal_ends_a_packet_of_which_nothing_was_taken(void **state)
{
    (void)state;
    fake_links.room[0] = 1;
    fake_links.room[1] = 0;
    hand(packet(1, 300));
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    fake_respond(outbox, 0, ESME_RINVDSTADR, "");
    at(1);
    assert_int_equal(fake_links.sent_count, 1); // the other parts do not leave any more
    assert_int_equal(only_outcome()->outcome, SUBMIT_REJECTED);
    assert_int_equal(only_outcome()->status, ESME_RINVDSTADR);
}

static void a_packet_taken_in_part_says_so(void **state)
{
    (void)state;
    hand(packet(1, 200));
    at(0);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake_respond(outbox, 1, ESME_RINVDSTADR, "");
    at(1);
    assert_int_equal(only_outcome()->outcome, SUBMIT_PARTIAL);
    assert_string_equal(fake.events[0].messages, "1 - ");
    assert_int_equal(fake.notes[0].state, POST_UNKNOWN);
}

static void an_address_that_no_message_holds_is_rejected(void **state)
{
    (void)state;
    fake_links.refuses_numbers = true;
    hand(packet(1, 20));
    at(0);
    at(1);
    assert_int_equal(only_outcome()->outcome, SUBMIT_REJECTED);
}

static void a_lost_answer_sends_the_same_octets_once_over_another_link(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    const struct fake_sent *s = fake_links.sent;
    outbox_unknown(outbox, s[0].link, s[0].tag);
    at(1);
    assert_int_equal(fake_links.sent_count, 2);
    assert_int_equal(s[1].link, 1 - s[0].link);
    assert_int_equal(s[1].user_data_len, s[0].user_data_len);
    assert_memory_equal(s[1].user_data, s[0].user_data, s[0].user_data_len);
    fake_respond(outbox, 1, ESME_ROK, "1");
    at(2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_ACCEPTED);
}

static void two_lost_answers_leave_the_outcome_unknown(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    outbox_unknown(outbox, fake_links.sent[0].link, fake_links.sent[0].tag);
    at(1);
    outbox_unknown(outbox, fake_links.sent[1].link, fake_links.sent[1].tag);
    at(2);
    assert_int_equal(fake_links.sent_count, 2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNKNOWN);
    assert_int_equal(fake.notes[0].state, POST_UNKNOWN);
}

static void without_another_link_the_outcome_is_unknown_after_ten_seconds(void **state)
{
    (void)state;
    fake_links.room[1] = 0; // not bound
    hand(packet(1, 20));
    at(0);
    assert_int_equal(fake_links.sent[0].link, 0);
    outbox_unknown(outbox, 0, fake_links.sent[0].tag);
    at(9999);
    assert_int_equal(fake.event_count, 0);
    at(10000);
    assert_int_equal(fake_links.sent_count, 1);
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNKNOWN);
}

static void a_refused_repetition_does_not_say_that_the_first_was_not_taken(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    outbox_unknown(outbox, fake_links.sent[0].link, fake_links.sent[0].tag);
    at(1);
    fake_respond(outbox, 1, ESME_RINVDSTADR, "");
    at(2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNKNOWN);
}

static void a_late_or_foreign_answer_changes_nothing(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    const struct fake_sent first = fake_links.sent[0];
    const struct smpp_pdu refusal = {.command = SMPP_SUBMIT_SM_RESP, .status = ESME_RINVDSTADR};
    outbox_response(outbox, 1 - first.link, first.tag, &refusal); // not on this link
    outbox_response(outbox, first.link, first.tag ^ 1, &refusal); // no such part
    outbox_response(outbox, first.link, UINT64_MAX, &refusal);
    outbox_unknown(outbox, first.link, first.tag);
    at(1);
    outbox_response(outbox, first.link, first.tag, &refusal); // after its time-out
    fake_respond(outbox, 1, ESME_ROK, "1");
    at(2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_ACCEPTED);
    hand(packet(2, 20)); // takes the same place in memory
    outbox_response(outbox, first.link, first.tag, &refusal);
    at(3);
    assert_int_equal(fake.event_count, 1);
}

static void what_no_link_takes_within_its_validity_was_not_sent(void **state)
{
    (void)state;
    fake_links.room[0] = 0;
    fake_links.room[1] = 0;
    hand(packet(1, 20));
    at(HOUR - 1);
    assert_int_equal(fake.event_count, 0);
    at(HOUR);
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNSENT);
    assert_int_equal(only_outcome()->octets, 20);
    assert_int_equal(fake.notes[0].state, POST_LOST);
    assert_int_equal(fake_links.sent_count, 0);
}

static void a_validity_runs_in_the_servers_time(void **state)
{
    (void)state;
    fake_links.speed = 100;
    fake_links.room[0] = 0;
    fake_links.room[1] = 0;
    hand(packet(1, 20));
    hand(packet(2, 20));
    at(18000);
    fake_links.room[0] = 1;
    at(18000); // 30 min are left to it
    assert_string_equal(fake_links.sent[0].validity, "000000003000000R");
    at(36000 - 1);
    assert_int_equal(fake.event_count, 0);
    at(36000);
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNSENT);
}

static void what_waited_in_the_store_past_its_validity_is_not_sent(void **state)
{
    (void)state;
    at(HOUR); // after a stop of an hour
    hand(packet(1, 20));
    at(HOUR);
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNSENT);
    assert_int_equal(fake_links.sent_count, 0);
}

static void a_packet_that_waited_is_valid_for_the_rest_only(void **state)
{
    (void)state;
    fake_links.room[0] = 0;
    fake_links.room[1] = 0;
    hand(packet(1, 20));
    at(1800000 - 61000);
    fake_links.room[0] = 1;
    at(1800000 - 61000);
    assert_string_equal(fake_links.sent[0].validity, "000000003101000R");
}

// The centre must not keep it beyond the time that its operation has.
static void a_packet_with_seconds_left_is_valid_for_these(void **state)
{
    (void)state;
    static const struct {
        unsigned left_ms;
        const char *validity;
    } cases[] = {{60000, "000000000100000R"},
                 {59999, "000000000059000R"},
                 {5000, "000000000005000R"},
                 {999, "000000000001000R"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message m = packet(1 + i, 20);
        m.at.ms = (int64_t)(i * HOUR);
        fake_links.room[0] = 0;
        fake_links.room[1] = 0;
        hand(m);
        at(i * HOUR + HOUR - cases[i].left_ms);
        fake_links.room[0] = 1;
        at(i * HOUR + HOUR - cases[i].left_ms);
        assert_string_equal(fake_links.sent[i].validity, cases[i].validity);
    }
}

static void an_outcome_that_does_not_commit_is_reported_again(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake.outcome = STORE_FULL;
    at(1);
    assert_int_equal(fake.event_count, 0);
    assert_int_equal(outbox_counts(outbox).packets_held, 1);
    fake.outcome = STORE_OK;
    at(1002);
    assert_int_equal(only_outcome()->outcome, SUBMIT_ACCEPTED);
    assert_int_equal(fake.note_count, 1);
    assert_int_equal(outbox_counts(outbox).packets_held, 0);
}

static void a_full_turn_gets_the_outcome_later(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake.room = 1; // the event fits, the note about it does not
    at(1);
    fake.room = FAKE_TASKS;
    at(2);
    assert_int_equal(only_outcome()->outcome, SUBMIT_ACCEPTED);
    assert_int_equal(fake.note_count, 1);
}

// A full disk: not again and again in the same moment.
static void a_store_that_fails_is_asked_again_a_second_later(void **state)
{
    (void)state;
    fake.outcome = STORE_FULL;
    outbox_step(outbox);
    assert_int_equal(fake_queued(), 1); // for the parts that were kept
    fake_run();
    outbox_step(outbox);
    assert_int_equal(fake_queued(), 0);
    assert_int_equal(outbox_deadline(outbox).ms, T0 + 1000);
    outbox_tick(outbox, (struct instant){T0 + 1000});
    outbox_step(outbox);
    assert_int_equal(fake_queued(), 1);
}

static void what_does_not_fit_waits_in_the_store_in_its_order(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(1);
    options.packets_max = 4;
    fake_links.room[0] = 100;
    restart(&options);
    for (uint64_t i = 1; i <= 7; i++) {
        fake.waiting[fake.waiting_count++] = packet(i, 20);
        hand(packet(i, 20));
    }
    assert_int_equal(outbox_counts(outbox).packets_held, 4);
    assert_int_equal(outbox_counts(outbox).overflows, 1);
    at(0);
    assert_int_equal(fake_links.sent_count, 4);
    for (size_t i = 0; i < 4; i++)
        fake_respond(outbox, i, ESME_ROK, "");
    at(1);
    at(2);
    at(3);
    assert_int_equal(fake_links.sent_count, 7);
    for (size_t i = 4; i < 7; i++)
        fake_respond(outbox, i, ESME_ROK, "");
    at(4);
    assert_int_equal(fake.event_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(fake.events[i].event.as.submit.counter, i + 1);
}

static void a_packet_is_taken_once(void **state)
{
    (void)state;
    hand(packet(1, 20));
    hand(packet(1, 20));
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    assert_int_equal(outbox_counts(outbox).packets, 1);
}

static void while_it_stops_nothing_new_leaves(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    outbox_hold(outbox);
    hand(packet(2, 20));
    at(1);
    assert_int_equal(fake_links.sent_count, 1);
    assert_false(outbox_is_idle(outbox));
    fake_respond(outbox, 0, ESME_ROK, "1");
    at(2);
    assert_true(outbox_is_idle(outbox));
    assert_int_equal(fake.event_count, 1);
}

// What waits in the store is taken for unsent after a clean stop.
static void a_stop_is_not_clean_while_a_link_may_have_what_the_store_has_waiting(void **state)
{
    (void)state;
    hand(packet(1, 20));
    assert_true(outbox_is_settled(outbox));
    at(0);
    assert_false(outbox_is_settled(outbox)); // on link 0
    outbox_hold(outbox);
    outbox_unknown(outbox, 0, fake_links.sent[0].tag);
    at(1);
    assert_true(outbox_is_idle(outbox)); // it waits for another link, which it is not given
    assert_false(outbox_is_settled(outbox));
    at(10001); // nobody to ask again
    assert_int_equal(only_outcome()->outcome, SUBMIT_UNKNOWN);
    assert_true(outbox_is_settled(outbox));
}

static void a_packet_is_settled_by_its_commit_alone(void **state)
{
    (void)state;
    hand(packet(1, 20));
    at(0);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake.outcome = STORE_FULL;
    at(1);
    assert_false(outbox_is_settled(outbox));
    fake.outcome = STORE_OK;
    at(5001);
    assert_true(outbox_is_settled(outbox));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_packet_of_one_message_has_the_fields_of_a_secured_packet),
        TEST(a_long_packet_leaves_as_several_with_headers_of_their_own),
        TEST(what_became_of_a_packet_is_told_of_its_operation_unless_it_confirms),
        TEST(a_packet_is_accepted_when_every_part_is),
        TEST(one_packet_of_a_card_is_under_way_at_a_time),
        TEST(a_throttled_link_is_slower_and_nothing_is_lost),
        TEST(what_is_refused_for_want_of_room_leaves_again_first),
        TEST(the_rate_of_a_link_is_kept),
        TEST(a_rate_is_kept_in_the_servers_time),
        TEST(a_temporary_refusal_is_tried_again_after_5_30_and_120_seconds),
        TEST(a_permanent_refusal_ends_a_packet_of_which_nothing_was_taken),
        TEST(a_packet_taken_in_part_says_so),
        TEST(an_address_that_no_message_holds_is_rejected),
        TEST(a_lost_answer_sends_the_same_octets_once_over_another_link),
        TEST(two_lost_answers_leave_the_outcome_unknown),
        TEST(without_another_link_the_outcome_is_unknown_after_ten_seconds),
        TEST(a_refused_repetition_does_not_say_that_the_first_was_not_taken),
        TEST(a_late_or_foreign_answer_changes_nothing),
        TEST(what_no_link_takes_within_its_validity_was_not_sent),
        TEST(a_validity_runs_in_the_servers_time),
        TEST(what_waited_in_the_store_past_its_validity_is_not_sent),
        TEST(a_packet_that_waited_is_valid_for_the_rest_only),
        TEST(a_packet_with_seconds_left_is_valid_for_these),
        TEST(an_outcome_that_does_not_commit_is_reported_again),
        TEST(a_full_turn_gets_the_outcome_later),
        TEST(a_store_that_fails_is_asked_again_a_second_later),
        TEST(what_does_not_fit_waits_in_the_store_in_its_order),
        TEST(a_packet_is_taken_once),
        TEST(while_it_stops_nothing_new_leaves),
        TEST(a_stop_is_not_clean_while_a_link_may_have_what_the_store_has_waiting),
        TEST(a_packet_is_settled_by_its_commit_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
