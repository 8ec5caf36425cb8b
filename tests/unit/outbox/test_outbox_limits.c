// What a group's rules do on the links: source address, receipts, SMS a second, SMS without answer.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/outbox/fake_links.h"
#include "tests/unit/outbox/fake_turn.h"

#define T0 FAKE_START
#define SLOW 5 // the group with limits; 0 has none

static struct outbox *outbox;

static void open_with(const struct outbox_options *options)
{
    fake_reset();
    outbox = outbox_open(options, (struct instant){T0});
    assert_non_null(outbox);
    for (unsigned i = 0; i < options->link_count; i++)
        fake_links.room[i] = 2000;
}

static int start(void **state)
{
    (void)state;
    const struct outbox_options options = fake_options(1);
    open_with(&options);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    outbox_close(outbox);
    outbox = NULL;
    return 0;
}

static struct message message_of(uint64_t group, uint64_t counter)
{
    struct message m = {.id = 1000 + counter,
                        .card = counter,
                        .group = group,
                        .counter = counter,
                        .number = "9990000000001",
                        .validity_ms = 3600000,
                        .packet_len = 20};
    return m;
}

static void hand(uint64_t group, uint64_t counter)
{
    const struct message m = message_of(group, counter);
    fake.waiting[fake.waiting_count++] = m;
    outbox_send(outbox, &m);
}

static void at(uint64_t ms)
{
    outbox_tick(outbox, (struct instant){T0 + ms});
    fake_turn_end(outbox);
}

static void messages_of_a_group_have_its_source_and_ask_for_receipts_as_it_says(void **state)
{
    (void)state;
    hand(0, 1);
    fake.route = (struct turn_route){.source = "777", .has_no_receipts = true};
    hand(SLOW, 2);
    fake.route = (struct turn_route){.source = "+4930123456"};
    hand(SLOW, 3);
    fake.route = (struct turn_route){.source = "Meters Ltd"};
    hand(SLOW, 4);
    at(0);
    const struct fake_sent *s = fake_links.sent;
    assert_int_equal(fake_links.sent_count, 4);
    assert_int_equal(s[0].registered_delivery, 1);
    assert_string_equal(s[1].source, "777"); // TON 0, NPI 1: a number of one network
    assert_int_equal(s[1].source_ton, 0);
    assert_int_equal(s[1].source_npi, 1);
    assert_int_equal(s[1].registered_delivery, 0);
    assert_string_equal(s[2].source, "4930123456"); // TON 1: international
    assert_int_equal(s[2].source_ton, 1);
    assert_int_equal(s[2].registered_delivery, 1);
    assert_string_equal(s[3].source, "Meters Ltd"); // TON 5, NPI 0: a name
    assert_int_equal(s[3].source_ton, 5);
    assert_int_equal(s[3].source_npi, 0);
}

static void a_group_sends_no_more_a_second_than_its_rate(void **state)
{
    (void)state;
    fake.route = (struct turn_route){.rate = 10};
    for (uint64_t i = 1; i <= 40; i++)
        hand(SLOW, i);
    hand(0, 41);
    at(0);
    // One at once, for a burst is a tenth of a second's; and the others do not wait behind them.
    assert_int_equal(fake_links.sent_count, 2);
    assert_true(outbox_deadline(outbox).ms > T0 && outbox_deadline(outbox).ms <= T0 + 100);
    for (uint64_t ms = 10; ms <= 1000; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 12);
    for (uint64_t ms = 1010; ms <= 3900; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 41);
}

static void open_with_plmns(void)
{
    struct outbox_options options = fake_options(2);
    options.plmns.count = 2;
    options.plmns.at[0] = (struct outbox_plmn){"26201", 10}; // one at once
    options.plmns.at[1] = (struct outbox_plmn){"310410", 20};
    stop(NULL);
    open_with(&options);
    fake.plmns[0] = "26201";
    fake.plmns[1] = "310410";
}

static unsigned sent_to_even(void)
{
    unsigned sum = 0;
    for (size_t i = 0; i < fake_links.sent_count; i++)
        sum += fake_links.sent[i].destination[0] == '0';
    return sum;
}

static void hand_by_card(uint64_t group, uint64_t counter)
{
    struct message m = message_of(group, counter);
    m.number[0] = (char)('0' + counter % 2);
    outbox_send(outbox, &m);
}

static void a_network_gets_no_more_a_second_than_its_rate_over_all_links(void **state)
{
    (void)state;
    open_with_plmns();
    for (uint64_t i = 1; i <= 80; i++)
        hand_by_card(0, i);
    at(0);
    assert_int_equal(sent_to_even(), 1);
    assert_int_equal(fake_links.sent_count - sent_to_even(), 2);
    assert_true(outbox_deadline(outbox).ms > T0 && outbox_deadline(outbox).ms <= T0 + 100);
    for (uint64_t ms = 10; ms <= 1000; ms += 10)
        at(ms);
    assert_int_equal(sent_to_even(), 11);
    assert_int_equal(fake_links.sent_count - sent_to_even(), 22);
}

static void other_networks_have_no_limit(void **state)
{
    (void)state;
    open_with_plmns();
    fake.plmns[0] = "26202";
    fake.plmns[1] = "31041"; // another one than 310410
    for (uint64_t i = 1; i <= 40; i++)
        hand_by_card(0, i);
    at(0);
    assert_int_equal(fake_links.sent_count, 40);
}

// Neither heard anywhere nor with a subscription; or not to be read.
static void a_card_of_which_nothing_is_known_has_no_limit(void **state)
{
    (void)state;
    open_with_plmns();
    fake.plmns[0] = NULL;
    for (uint64_t i = 2; i <= 40; i += 2)
        hand_by_card(0, i);
    fake.cards_are_lost = true;
    for (uint64_t i = 41; i <= 59; i += 2)
        hand_by_card(0, i);
    at(0);
    assert_int_equal(fake_links.sent_count, 30);
}

static void the_limits_of_network_and_group_both_hold(void **state)
{
    (void)state;
    open_with_plmns();
    fake.route = (struct turn_route){.window = 1};
    for (uint64_t i = 1; i <= 9; i += 2)
        hand_by_card(SLOW, i);
    at(0);
    assert_int_equal(fake_links.sent_count, 1); // the network takes two
    fake.route = (struct turn_route){.rate = 1000};
    for (uint64_t i = 2; i <= 10; i += 2)
        hand_by_card(SLOW + 1, i);
    at(1);
    assert_int_equal(sent_to_even(), 1); // the group may send five
}

// 300 octets take three parts. A card waits a minute for the rest of a packet: were they given out
// in turn, the second part of the first would leave after the first part of the last.
static void what_has_begun_leaves_before_what_has_not(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(1);
    options.links[0].rate = 10; // one at once
    stop(state);
    open_with(&options);
    for (uint64_t i = 1; i <= 5; i++) {
        struct message m = message_of(0, i);
        m.packet_len = 300;
        m.number[0] = (char)('0' + i);
        outbox_send(outbox, &m);
    }
    for (uint64_t ms = 0; ms <= 1400; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 15);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(fake_links.sent[i].destination[0], '1' + i / 3);
}

// The same for a part that an SMSC had no room for.
static void what_was_refused_for_now_leaves_before_what_has_not_begun(void **state)
{
    (void)state;
    fake_links.room[0] = 3;
    for (uint64_t i = 1; i <= 2; i++) {
        struct message m = message_of(0, i);
        m.packet_len = 300;
        m.number[0] = (char)('0' + i);
        outbox_send(outbox, &m);
    }
    at(0);
    assert_int_equal(fake_links.sent_count, 3);
    fake_respond(outbox, 0, ESME_ROK, "1");
    fake_respond(outbox, 1, ESME_ROK, "2");
    fake_respond(outbox, 2, ESME_RSYSERR, "");
    fake_links.room[0] = 0;
    at(6000); // five seconds of rest are over, and there is room again
    fake_links.room[0] = 1;
    at(6001);
    assert_int_equal(fake_links.sent_count, 4);
    assert_int_equal(fake_links.sent[3].destination[0], '1');
}

static void a_group_has_no_more_without_an_answer_than_its_window(void **state)
{
    (void)state;
    fake.route = (struct turn_route){.window = 3};
    for (uint64_t i = 1; i <= 5; i++)
        hand(SLOW, i);
    hand(0, 6);
    at(0);
    assert_int_equal(fake_links.sent_count, 4); // three of it, and the other one
    fake_respond(outbox, 0, ESME_ROK, "1");
    at(1);
    assert_int_equal(fake_links.sent_count, 5);
    fake_respond(outbox, 1, ESME_RINVDSTADR, "");
    at(2);
    assert_int_equal(fake_links.sent_count, 6);
    // What nobody answers makes room, too: it leaves once more.
    fake_links.room[0]++;
    outbox_unknown(outbox, 0, fake_links.sent[2].tag);
    at(3);
    assert_int_equal(fake_links.sent_count, 7);
}

static void a_slow_group_leaves_memory_to_the_others_and_loses_nothing(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(1);
    options.packets_max = 16;
    outbox_close(outbox);
    open_with(&options);
    fake.route = (struct turn_route){.rate = 1};
    for (uint64_t i = 1; i <= 40; i++)
        hand(SLOW, i);
    for (uint64_t i = 41; i <= 50; i++)
        hand(0, i);
    bool is_sent[51] = {false};
    size_t seen = 0;
    size_t others = 0;
    for (uint64_t ms = 0; ms <= 60000; ms += 100) {
        at(ms);
        for (; seen < fake_links.sent_count; seen++) {
            fake_links.room[0]++;
            fake_respond(outbox, seen, ESME_ROK, "1");
        }
        if (ms == 3000)
            others = fake.event_count;
    }
    // Within three seconds all ten of the others went, and three or four of the slow ones.
    assert_in_range(others, 13, 14);
    assert_int_equal(fake.event_count, 50);
    for (size_t i = 0; i < fake.event_count; i++) {
        const uint64_t counter = fake.events[i].event.as.submit.counter;
        assert_false(is_sent[counter]);
        is_sent[counter] = true;
        assert_int_equal(fake.events[i].event.as.submit.outcome, SUBMIT_ACCEPTED);
    }
    assert_int_equal(outbox_counts(outbox).packets, 50);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(messages_of_a_group_have_its_source_and_ask_for_receipts_as_it_says),
        CASE(a_group_sends_no_more_a_second_than_its_rate),
        CASE(a_network_gets_no_more_a_second_than_its_rate_over_all_links),
        CASE(other_networks_have_no_limit),
        CASE(a_card_of_which_nothing_is_known_has_no_limit),
        CASE(the_limits_of_network_and_group_both_hold),
        CASE(what_has_begun_leaves_before_what_has_not),
        CASE(what_was_refused_for_now_leaves_before_what_has_not_begun),
        CASE(a_group_has_no_more_without_an_answer_than_its_window),
        CASE(a_slow_group_leaves_memory_to_the_others_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
