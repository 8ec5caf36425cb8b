// What automatic audits take of links, of networks and of the memory: in nobody's way.
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

static void hand_audit(uint64_t counter)
{
    struct message m = message_of(0, counter);
    m.is_automatic = true;
    fake.waiting[fake.waiting_count++] = m;
    outbox_send(outbox, &m);
}

static void reopen(uint32_t rate, uint32_t packets_max, uint8_t audit_percent)
{
    struct outbox_options options = fake_options(1);
    options.links[0].rate = rate;
    options.packets_max = packets_max;
    options.audit_percent = audit_percent;
    outbox_close(outbox);
    open_with(&options);
}

// The counter of the packet whose end is told as number `index`.
static uint64_t ended(size_t index)
{
    return fake.events[index].event.as.submit.counter;
}

static void run_answered(uint64_t from_ms, uint64_t to_ms, size_t *seen)
{
    for (uint64_t ms = from_ms; ms <= to_ms; ms += 10) {
        at(ms);
        for (; *seen < fake_links.sent_count; ++*seen)
            fake_respond(outbox, *seen, ESME_ROK, "1");
    }
}

static void automatic_audits_take_a_tenth_of_a_link_and_stop_no_command(void **state)
{
    (void)state;
    reopen(100, 0, 0);
    for (uint64_t i = 1; i <= 200; i++)
        hand_audit(i);
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    hand(0, 201);
    at(10);
    assert_int_equal(fake_links.sent_count, 2);
    fake_respond(outbox, 1, ESME_ROK, "1");
    at(20);
    assert_int_equal(ended(0), 201);
    // 100 a second, of these 10: one each 100 ms after the first.
    for (uint64_t ms = 30; ms <= 10000; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 102);
    assert_int_equal(outbox_counts(outbox).audits_held, 200);
    assert_true(outbox_deadline(outbox).ms > T0 + 10000);
    assert_true(outbox_deadline(outbox).ms <= T0 + 10100);
}

static void the_share_of_audits_is_what_is_configured(void **state)
{
    (void)state;
    // 1 % of 5 a second is one in 20 s.
    reopen(5, 0, 1);
    for (uint64_t i = 1; i <= 10; i++)
        hand_audit(i);
    for (uint64_t ms = 0; ms <= 60000; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 4);
    // All of 200 a second: a tenth of a second's at once, and 200 in the second after it.
    reopen(200, 0, 100);
    for (uint64_t i = 1; i <= 300; i++)
        hand_audit(i);
    for (uint64_t ms = 0; ms <= 1000; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 220);
}

static void the_share_of_audits_shrinks_with_the_rate_of_the_link(void **state)
{
    (void)state;
    reopen(100, 0, 0);
    for (uint64_t i = 1; i <= 50; i++)
        hand_audit(i);
    at(0);
    fake_respond(outbox, 0, ESME_RTHROTTLED, "");
    at(200); // 50 a second: a tenth of it is one in 200 ms
    const size_t sent = fake_links.sent_count;
    for (uint64_t ms = 210; ms <= 999; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, sent + 3);
}

static void audits_asked_for_by_a_person_have_all_of_the_link(void **state)
{
    (void)state;
    reopen(100, 0, 0);
    for (uint64_t i = 1; i <= 200; i++) {
        struct message m = message_of(0, i);
        m.command = COMMAND_AUDIT;
        outbox_send(outbox, &m);
    }
    for (uint64_t ms = 0; ms <= 1000; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 110);
}

// Sixteen places, of which audits have five: far more wait in the store.
static void a_command_behind_audits_in_the_store_leaves_at_once(void **state)
{
    (void)state;
    reopen(100, 16, 0);
    size_t seen = 0;
    for (uint64_t i = 1; i <= 100; i++)
        hand_audit(i);
    assert_int_equal(outbox_counts(outbox).audits_held, 5);
    run_answered(0, 1000, &seen);
    const size_t before = fake.event_count;
    hand(0, 101);
    run_answered(1010, 1030, &seen);
    assert_in_range(fake.event_count, before + 1, before + 2);
    assert_true(ended(before) == 101 || ended(before + 1) == 101);
    // Each audit leaves once, in its order.
    run_answered(1040, 12000, &seen);
    assert_int_equal(fake.event_count, 101);
    assert_int_equal(fake.waiting_count, 0);
    uint64_t last = 0;
    for (size_t i = 0; i < fake.event_count; i++) {
        if (ended(i) == 101)
            continue;
        assert_int_equal(ended(i), last + 1);
        last = ended(i);
    }
}

static void after_a_start_commands_are_found_behind_audits_in_the_store(void **state)
{
    (void)state;
    reopen(100, 16, 0);
    size_t seen = 0;
    for (uint64_t i = 1; i <= 130; i++) {
        struct message m = message_of(0, i);
        m.is_automatic = i % 13 != 0;
        fake.waiting[fake.waiting_count++] = m;
    }
    for (uint64_t i = 0; i < 130; i++) // as a turn does that starts
        outbox_send(outbox, &fake.waiting[i]);
    run_answered(0, 500, &seen);
    size_t commands = 0;
    for (size_t i = 0; i < fake.event_count; i++)
        commands += ended(i) % 13 == 0;
    assert_int_equal(commands, 10);
    assert_in_range(fake.event_count, 14, 17);
    run_answered(510, 15000, &seen);
    assert_int_equal(fake.event_count, 130);
}

static void audits_that_could_not_be_read_are_read_again(void **state)
{
    (void)state;
    reopen(100, 16, 0);
    size_t seen = 0;
    for (uint64_t i = 1; i <= 40; i++)
        hand_audit(i);
    // Of three turns one fails, and with it what it reads or reports.
    for (uint64_t ms = 0; ms <= 12000; ms += 10) {
        fake.outcome = ms / 10 % 3 == 0 ? STORE_FULL : STORE_OK;
        run_answered(ms, ms, &seen);
    }
    assert_int_equal(fake.waiting_count, 0);
    assert_int_equal(fake_links.sent_count, 40);
}

static void an_audit_that_somebody_waits_for_leaves_before_the_others(void **state)
{
    (void)state;
    reopen(100, 0, 0);
    for (uint64_t i = 1; i <= 200; i++)
        hand_audit(i);
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    outbox_hurry(outbox, 150, 1150);
    assert_int_equal(outbox_counts(outbox).audits_held, 199);
    at(10);
    assert_int_equal(fake_links.sent_count, 2);
    fake_respond(outbox, 1, ESME_ROK, "1");
    at(20);
    assert_int_equal(ended(0), 150);
    // One that has ended, or another one of the card, is nobody's.
    outbox_hurry(outbox, 150, 1150);
    outbox_hurry(outbox, 160, 1150);
    for (uint64_t ms = 30; ms <= 90; ms += 10)
        at(ms);
    assert_int_equal(fake_links.sent_count, 2);
}

// Five of a hundred are in memory. The first reading fails, and is done again after a second.
static void audits_that_somebody_waits_for_are_found_in_the_store(void **state)
{
    (void)state;
    reopen(100, 16, 0);
    size_t seen = 0;
    bool is_sent[101] = {false};
    for (uint64_t i = 1; i <= 100; i++)
        hand_audit(i);
    for (uint64_t i = 61; i <= 80; i++) {
        outbox_hurry(outbox, i, 1000 + i);
        outbox_hurry(outbox, i, 1000 + i); // somebody else
    }
    fake.outcome = STORE_FULL;
    run_answered(0, 10, &seen);
    fake.outcome = STORE_OK;
    run_answered(20, 1500, &seen);
    size_t hurried = 0;
    for (size_t i = 0; i < fake.event_count; i++)
        hurried += ended(i) >= 61 && ended(i) <= 80;
    assert_int_equal(hurried, 20);
    // Besides these, the five that were in memory, and then one each 100 ms.
    assert_in_range(fake_links.sent_count, 28, 30);
    run_answered(1510, 12000, &seen);
    assert_int_equal(fake_links.sent_count, 100); // each once
    for (size_t i = 0; i < fake.event_count; i++)
        is_sent[ended(i)] = true;
    for (uint64_t i = 1; i <= 100; i++)
        assert_true(is_sent[i]);
}

// Sixty-four places, of which audits have 17; cards of even ids are in a network with a rate.
static void open_saturated(uint32_t rate, uint8_t audit_percent)
{
    struct outbox_options options = fake_options(1);
    options.links[0].rate = 1000;
    options.packets_max = 64;
    options.audit_percent = audit_percent;
    options.plmns.count = 1;
    options.plmns.at[0] = (struct outbox_plmn){"26201", rate};
    outbox_close(outbox);
    open_with(&options);
    fake.plmns[0] = "26201";
    fake.plmns[1] = "310410";
}

static size_t ended_of(bool even)
{
    size_t sum = 0;
    for (size_t i = 0; i < fake.event_count; i++)
        sum += (ended(i) % 2 == 0) == even;
    return sum;
}

// 150 for even cards, and behind them 50 for odd ones.
static void hand_both(void)
{
    for (uint64_t i = 1; i <= 150; i++)
        hand_audit(2 * i);
    for (uint64_t i = 151; i <= 200; i++)
        hand_audit(2 * i + 1);
}

// All of them, each once, those of each kind in their order.
static void expect_all_in_order(void)
{
    uint64_t last[2] = {0};
    assert_int_equal(fake.event_count, 200);
    assert_int_equal(fake_links.sent_count, 200);
    assert_int_equal(fake.waiting_count, 0);
    for (size_t i = 0; i < fake.event_count; i++) {
        assert_true(ended(i) > last[ended(i) % 2]);
        last[ended(i) % 2] = ended(i);
    }
    assert_int_equal(outbox_counts(outbox).audits_held, 0);
}

static void audits_of_a_saturated_network_hold_up_none_of_others(void **state)
{
    (void)state;
    open_saturated(1, 100);
    size_t seen = 0;
    hand_both();
    assert_int_equal(outbox_counts(outbox).audits_held, 17); // of the slow network two
    run_answered(0, 500, &seen);
    assert_int_equal(ended_of(false), 50);
    assert_int_equal(ended_of(true), 1);
    run_answered(510, 10010, &seen);
    assert_int_equal(ended_of(true), 11); // one each second
    run_answered(10020, 150000, &seen);
    expect_all_in_order();
}

static void audits_of_a_saturated_network_that_could_not_be_read_are_read_again(void **state)
{
    (void)state;
    open_saturated(10, 100);
    size_t seen = 0;
    hand_both();
    for (uint64_t ms = 0; ms <= 120000; ms += 10) {
        fake.outcome = ms / 10 % 3 == 0 ? STORE_FULL : STORE_OK;
        run_answered(ms, ms, &seen);
    }
    expect_all_in_order();
}

static void audits_of_a_slow_group_hold_up_none_of_others(void **state)
{
    (void)state;
    reopen(1000, 64, 100);
    size_t seen = 0;
    fake.route = (struct turn_route){.rate = 1};
    for (uint64_t i = 1; i <= 200; i++) {
        struct message m = message_of(i <= 150 ? SLOW : 0, i <= 150 ? 2 * i : 2 * i + 1);
        m.is_automatic = true;
        fake.waiting[fake.waiting_count++] = m;
        outbox_send(outbox, &m);
    }
    run_answered(0, 500, &seen);
    assert_int_equal(ended_of(false), 50);
    run_answered(510, 150000, &seen);
    expect_all_in_order();
}

static void audits_of_a_route_that_is_down_hold_up_none_of_others(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(2);
    options.packets_max = 64;
    options.audit_percent = 100;
    options.route_count = 2;
    options.routes[1] = (struct outbox_route){.name = "far", .numbers = "8", .backup = 1};
    options.links[1].route = 1;
    outbox_close(outbox);
    open_with(&options);
    size_t seen = 0;
    fake_links.is_down[1] = true;
    for (uint64_t i = 1; i <= 200; i++) {
        struct message m = message_of(0, i <= 150 ? 2 * i : 2 * i + 1);
        m.is_automatic = true;
        m.number[0] = i <= 150 ? '8' : '9';
        fake.waiting[fake.waiting_count++] = m;
        outbox_send(outbox, &m);
    }
    run_answered(0, 5000, &seen);
    assert_int_equal(ended_of(false), 50);
    assert_int_equal(ended_of(true), 0);
    fake_links.is_down[1] = false;
    run_answered(5010, 20000, &seen);
    expect_all_in_order();
}

// 10 a second, of which automatic audits have one: nine commands a second pass a hundred audits.
static void audits_of_a_network_do_not_hold_up_its_commands(void **state)
{
    (void)state;
    open_saturated(10, 10);
    size_t seen = 0;
    for (uint64_t i = 1; i <= 100; i++)
        hand_audit(2 * i);
    run_answered(0, 10, &seen);
    for (uint64_t i = 101; i <= 118; i++)
        hand(0, 2 * i);
    run_answered(20, 2100, &seen);
    size_t commands = 0;
    for (size_t i = 0; i < fake.event_count; i++)
        commands += ended(i) > 200;
    assert_int_equal(commands, 18);
    assert_in_range(fake.event_count, 20, 21);
}

static void a_network_is_shown_with_what_it_takes_and_what_waits(void **state)
{
    (void)state;
    open_saturated(10, 100);
    size_t seen = 0;
    hand_both();
    hand(0, 402);
    struct outbox_plmn_counts c = outbox_plmn_counts(outbox, 0);
    assert_int_equal(c.waiting, 3); // two audits and the command
    assert_int_equal(c.sent + c.sent_last_second, 0);
    assert_true(c.has_more);
    run_answered(0, 1000, &seen); // the server's time begins at 0
    c = outbox_plmn_counts(outbox, 0);
    assert_int_equal(c.sent, 11); // one at once, and then one each 100 ms
    assert_int_equal(c.sent_last_second, 10);
    run_answered(1010, 60000, &seen);
    c = outbox_plmn_counts(outbox, 0);
    assert_int_equal(c.sent, 151);
    assert_int_equal(c.waiting + c.sent_last_second, 0);
    assert_false(c.has_more);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(automatic_audits_take_a_tenth_of_a_link_and_stop_no_command),
        CASE(the_share_of_audits_is_what_is_configured),
        CASE(the_share_of_audits_shrinks_with_the_rate_of_the_link),
        CASE(audits_asked_for_by_a_person_have_all_of_the_link),
        CASE(a_command_behind_audits_in_the_store_leaves_at_once),
        CASE(after_a_start_commands_are_found_behind_audits_in_the_store),
        CASE(audits_that_could_not_be_read_are_read_again),
        CASE(an_audit_that_somebody_waits_for_leaves_before_the_others),
        CASE(audits_that_somebody_waits_for_are_found_in_the_store),
        CASE(audits_of_a_saturated_network_hold_up_none_of_others),
        CASE(audits_of_a_saturated_network_that_could_not_be_read_are_read_again),
        CASE(audits_of_a_slow_group_hold_up_none_of_others),
        CASE(audits_of_a_route_that_is_down_hold_up_none_of_others),
        CASE(audits_of_a_network_do_not_hold_up_its_commands),
        CASE(a_network_is_shown_with_what_it_takes_and_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
