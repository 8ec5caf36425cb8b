// Several SMSCs: shares, reserves, routes, and who takes over.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/outbox/fake_links.h"
#include "tests/unit/outbox/fake_turn.h"

#define T0 FAKE_START

static struct outbox *outbox;

static void open_with(const struct outbox_options *options)
{
    fake_reset();
    outbox = outbox_open(options, (struct instant){T0});
    assert_non_null(outbox);
    for (unsigned i = 0; i < options->link_count; i++)
        fake_links.room[i] = 1000;
}

static int stop(void **state)
{
    (void)state;
    outbox_close(outbox);
    outbox = NULL;
    return 0;
}

static void hand_of(uint64_t group, uint64_t counter, const char *number)
{
    struct message m = {.id = 1000 + counter,
                        .card = counter,
                        .group = group,
                        .counter = counter,
                        .validity_ms = 3600000,
                        .packet_len = 20};
    memcpy(m.number, number, strlen(number) + 1);
    m.packet[0] = (uint8_t)counter;
    outbox_send(outbox, &m);
}

static void hand(uint64_t counter, const char *number)
{
    hand_of(0, counter, number);
}

static void at(uint64_t ms)
{
    outbox_tick(outbox, (struct instant){T0 + ms});
    fake_turn_end(outbox);
}

static unsigned sent_over(unsigned link)
{
    unsigned sum = 0;
    for (size_t i = 0; i < fake_links.sent_count; i++)
        sum += fake_links.sent[i].link == link;
    return sum;
}

static void lose(size_t index)
{
    const struct fake_sent s = fake_links.sent[index];
    fake_links.room[s.link]++;
    outbox_unknown(outbox, s.link, s.tag);
}

static void links_share_by_their_weights(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(3);
    options.links[0].weight = 5;
    options.links[1].weight = 3;
    options.links[2].weight = 2;
    open_with(&options);
    for (uint64_t i = 1; i <= 100; i++)
        hand(i, "9990000000001");
    at(0);
    assert_int_equal(sent_over(0), 50);
    assert_int_equal(sent_over(1), 30);
    assert_int_equal(sent_over(2), 20);
    // No long rows: of any ten in a row the heaviest has five.
    unsigned first_ten = 0;
    for (size_t i = 0; i < 10; i++)
        first_ten += fake_links.sent[i].link == 0;
    assert_int_equal(first_ten, 5);
}

static void a_link_at_its_rate_leaves_the_rest_to_the_others(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(2);
    options.links[0].weight = 100;
    options.links[0].rate = 20; // two in a tenth of a second
    open_with(&options);
    for (uint64_t i = 1; i <= 10; i++)
        hand(i, "9990000000001");
    at(0);
    assert_int_equal(sent_over(0), 2);
    assert_int_equal(sent_over(1), 8);
}

static void a_link_of_weight_0_works_only_when_the_others_are_down(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(2);
    options.links[1].weight = 0;
    open_with(&options);
    fake_links.room[0] = 1;
    hand(1, "9990000000001");
    hand(2, "9990000000002");
    at(0);
    assert_int_equal(sent_over(0), 1);
    assert_int_equal(sent_over(1), 0); // a full window is not a failure
    fake_links.is_down[0] = true;
    at(1);
    assert_int_equal(sent_over(1), 1);
}

static void what_a_lost_link_left_without_an_answer_leaves_again_over_another_smsc(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(2);
    options.links[1].smsc = "b";
    options.links[1].weight = 0;
    open_with(&options);
    hand(1, "9990000000001");
    at(0);
    fake_links.is_down[0] = true;
    lose(0);
    at(1);
    const struct fake_sent *s = fake_links.sent;
    assert_int_equal(fake_links.sent_count, 2);
    assert_int_equal(s[1].link, 1);
    assert_int_equal(s[1].user_data_len, s[0].user_data_len);
    assert_memory_equal(s[1].user_data, s[0].user_data, s[0].user_data_len);
    fake_respond(outbox, 1, ESME_ROK, "77");
    at(2);
    assert_int_equal(fake.event_count, 1); // one packet, one outcome
    assert_int_equal(fake.events[0].event.as.submit.outcome, SUBMIT_ACCEPTED);
    assert_int_equal(fake.id_count, 1);
    assert_string_equal(fake.ids[0].smsc, "b");
}

static void a_temporary_refusal_is_tried_again_at_another_smsc(void **state)
{
    (void)state;
    const struct outbox_options options = fake_options(2);
    open_with(&options);
    hand(1, "9990000000001");
    at(0);
    const unsigned first = fake_links.sent[0].link;
    fake_respond(outbox, 0, ESME_RSYSERR, "");
    at(5000);
    assert_int_equal(fake_links.sent_count, 2);
    assert_int_equal(fake_links.sent[1].link, 1 - first);
    // Both refused it: both are as good.
    fake_respond(outbox, 1, ESME_RSYSERR, "");
    at(35000);
    assert_int_equal(fake_links.sent_count, 3);
}

static void a_link_that_answers_nothing_is_tried_with_one_part_every_30_seconds(void **state)
{
    (void)state;
    const struct outbox_options options = fake_options(2);
    open_with(&options);
    fake_links.room[1] = 0;
    for (uint64_t i = 1; i <= 3; i++)
        hand(i, "9990000000001");
    at(0);
    fake_links.room[1] = 1000;
    assert_int_equal(sent_over(0), 3);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_UP);
    for (size_t i = 0; i < 3; i++)
        lose(i);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_SILENT);
    for (uint64_t i = 11; i <= 20; i++)
        hand(i, "9990000000001");
    at(29999);
    assert_int_equal(sent_over(0), 3);
    assert_int_equal(outbox_link_counts(outbox, 0).unanswered, 3);
    for (uint64_t i = 21; i <= 30; i++)
        hand(i, "9990000000001");
    at(30000);
    assert_int_equal(sent_over(0), 4); // to see
    size_t trial = 0;
    for (size_t i = 3; i < fake_links.sent_count; i++)
        trial = fake_links.sent[i].link == 0 ? i : trial;
    fake_respond(outbox, trial, ESME_ROK, "1");
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_UP);
    for (uint64_t i = 31; i <= 40; i++)
        hand(i, "9990000000001");
    at(30001);
    assert_int_equal(sent_over(0), 9);
}

static void the_only_link_is_used_however_silent(void **state)
{
    (void)state;
    const struct outbox_options options = fake_options(1);
    open_with(&options);
    for (uint64_t i = 1; i <= 3; i++)
        hand(i, "9990000000001");
    at(0);
    for (size_t i = 0; i < 3; i++)
        lose(i);
    const size_t before = fake_links.sent_count;
    hand(4, "9990000000001");
    at(1);
    assert_true(fake_links.sent_count > before);
}

// Links 0 and 1 for all, link 2 for the numbers that begin with 49 or 4179, link 3 for 491.
static struct outbox_options with_routes(void)
{
    struct outbox_options options = fake_options(4);
    options.route_count = 3;
    options.routes[0] = (struct outbox_route){.name = "all", .numbers = ""};
    options.routes[1] = (struct outbox_route){.name = "49", .numbers = "49 4179", .backup = 0};
    options.routes[2] = (struct outbox_route){.name = "491", .numbers = "491", .backup = 2};
    options.links[2].route = 1;
    options.links[3].route = 2;
    return options;
}

static void the_longest_beginning_of_a_number_decides_on_its_route(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        unsigned link;
    } rows[] = {{"4930123", 2}, {"+4930123", 2}, {"49", 2}, {"491701234", 3}, {"491", 3},
                {"4179", 2},    {"4178", 4},     {"4", 4},  {"3949", 4},      {"9990000000001", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct outbox_options options = with_routes();
        open_with(&options);
        hand(1, rows[i].number);
        at(0);
        assert_int_equal(fake_links.sent_count, 1);
        const unsigned link = fake_links.sent[0].link;
        assert_int_equal(link < 2 ? 4 : link, rows[i].link);
        (void)stop(state);
    }
}

static void a_backup_takes_over_while_no_link_of_a_route_is_up(void **state)
{
    (void)state;
    const struct outbox_options options = with_routes();
    open_with(&options);
    fake_links.is_down[2] = true;
    hand(1, "4930123");
    at(0);
    assert_true(fake_links.sent[0].link < 2);
    fake_links.is_down[2] = false;
    hand(2, "4930124");
    at(1);
    assert_int_equal(fake_links.sent[1].link, 2);
}

static void a_route_without_a_backup_waits_and_holds_up_nobody(void **state)
{
    (void)state;
    const struct outbox_options options = with_routes();
    open_with(&options);
    fake_links.is_down[3] = true;
    for (uint64_t i = 1; i <= 5; i++)
        hand(i, "491701234");
    hand(6, "9990000000001");
    at(0);
    assert_int_equal(fake_links.sent_count, 1);
    assert_string_equal(fake_links.sent[0].destination, "9990000000001");
    assert_int_equal(fake.event_count, 0);
    fake_links.is_down[3] = false;
    at(1);
    assert_int_equal(sent_over(3), 5);
}

// Packet `counter` is in the store, and handed over.
static void keep(uint64_t counter, const char *number)
{
    struct message m = {.id = 1000 + counter,
                        .card = counter,
                        .counter = counter,
                        .validity_ms = 3600000,
                        .packet_len = 20};
    memcpy(m.number, number, strlen(number) + 1);
    fake.waiting[fake.waiting_count++] = m;
    outbox_send(outbox, &m);
}

static void a_dead_route_that_fills_the_memory_gives_way_to_the_others(void **state)
{
    (void)state;
    struct outbox_options options = with_routes();
    options.packets_max = 8;
    open_with(&options);
    fake_links.is_down[3] = true;
    for (uint64_t i = 1; i <= 8; i++)
        keep(i, "491701234");
    at(0);
    assert_int_equal(fake.event_count, 0); // nobody needs their places yet
    keep(9, "9990000000001");
    keep(10, "9990000000002");
    for (uint64_t ms = 1; ms < 5; ms++)
        at(ms);
    assert_int_equal(fake_links.sent_count, 2);
    assert_string_equal(fake_links.sent[0].destination, "9990000000001");
    assert_int_equal(fake.event_count, 4); // half the memory is free, the youngest stay
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fake.events[i].event.as.submit.counter, i + 1);
        assert_int_equal(fake.events[i].event.as.submit.outcome, SUBMIT_UNSENT);
    }
}

static void a_route_that_is_only_slow_is_waited_for(void **state)
{
    (void)state;
    struct outbox_options options = with_routes();
    options.packets_max = 8;
    open_with(&options);
    fake_links.room[3] = 0; // bound, its window is full
    for (uint64_t i = 1; i <= 8; i++)
        keep(i, "491701234");
    keep(9, "9990000000001");
    for (uint64_t ms = 0; ms < 5; ms++)
        at(ms);
    assert_int_equal(fake.event_count, 0);
    fake_links.room[3] = 100;
    at(5);
    assert_int_equal(sent_over(3), 8);
}

static void the_group_of_a_card_decides_before_its_number(void **state)
{
    (void)state;
    const struct outbox_options options = with_routes();
    open_with(&options);
    fake.route = (struct turn_route){.primary = "491", .backup = "49"};
    hand_of(5, 1, "4930123");
    at(0);
    assert_int_equal(fake_links.sent[0].link, 3);
    fake_links.is_down[3] = true;
    hand_of(5, 2, "4930123");
    hand(3, "491701234"); // by its number on the same route, which has no backup
    at(1);
    assert_int_equal(fake_links.sent_count, 2);
    assert_int_equal(fake_links.sent[1].link, 2);
    fake.route = (struct turn_route){.primary = "gone"}; // a route that the configuration lost
    hand_of(5, 4, "4930123");
    at(2);
    assert_int_equal(fake_links.sent[2].link, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, stop)
        TEST(links_share_by_their_weights),
        TEST(a_link_at_its_rate_leaves_the_rest_to_the_others),
        TEST(a_link_of_weight_0_works_only_when_the_others_are_down),
        TEST(what_a_lost_link_left_without_an_answer_leaves_again_over_another_smsc),
        TEST(a_temporary_refusal_is_tried_again_at_another_smsc),
        TEST(a_link_that_answers_nothing_is_tried_with_one_part_every_30_seconds),
        TEST(the_only_link_is_used_however_silent),
        TEST(the_longest_beginning_of_a_number_decides_on_its_route),
        TEST(the_group_of_a_card_decides_before_its_number),
        TEST(a_dead_route_that_fills_the_memory_gives_way_to_the_others),
        TEST(a_route_that_is_only_slow_is_waited_for),
        TEST(a_backup_takes_over_while_no_link_of_a_route_is_up),
        TEST(a_route_without_a_backup_waits_and_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
