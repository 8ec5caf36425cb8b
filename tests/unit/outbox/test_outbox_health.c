// Links that accept everything and deliver nothing: who gets the packets then, and when it gets
// them again.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/outbox/fake_links.h"
#include "tests/unit/outbox/fake_turn.h"

#define T0 FAKE_START
#define SECOND 1000u
#define ALL_OK 2u // no link swallows

static struct outbox *outbox;
static uint64_t seconds; // since T0
static uint64_t cards;
static unsigned swallowing; // link whose packets no card answers

static void open_with(unsigned links)
{
    struct outbox_options options = fake_options(links);
    fake_reset();
    outbox = outbox_open(&options, (struct instant){T0});
    assert_non_null(outbox);
    for (unsigned i = 0; i < links; i++)
        fake_links.room[i] = 1000;
    seconds = cards = 0;
    swallowing = 0;
}

static int stop(void **state)
{
    (void)state;
    outbox_close(outbox);
    outbox = NULL;
    return 0;
}

static void tick(void)
{
    outbox_tick(outbox, (struct instant){T0 + seconds * SECOND});
    fake_turn_end(outbox);
    fake.event_count = fake.note_count = fake.id_count = 0; // nobody looks at them
}

static void hand(uint16_t octets)
{
    cards++;
    struct message m = {.id = 1000 + cards,
                        .card = 7 * cards,
                        .counter = cards,
                        .at = {(int64_t)(seconds * SECOND)},
                        .validity_ms = 3600000,
                        .packet_len = octets,
                        .number = "9990000000001"};
    outbox_send(outbox, &m);
}

// A packet for a card that has had none, a second after the last one: accepted by every link, and
// answered by the card unless its link swallows. Which link it was.
static unsigned carry(uint16_t octets)
{
    const size_t before = fake_links.sent_count;
    seconds++;
    hand(octets);
    tick();
    assert_true(fake_links.sent_count > before);
    bool is_swallowed = false;
    for (size_t i = before; i < fake_links.sent_count; i++) {
        fake_respond(outbox, i, ESME_ROK, "1");
        is_swallowed = is_swallowed || fake_links.sent[i].link == swallowing;
    }
    if (!is_swallowed)
        fake.heard(fake.heard_context, 7 * cards, cards);
    tick();
    return fake_links.sent[before].link;
}

static unsigned carry_over_0(unsigned count, uint16_t octets)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += carry(octets) == 0;
    return sum;
}

// 60 packets, a half over each; the last of them has had its two minutes.
static void find_out(void)
{
    assert_int_equal(carry_over_0(60, 20), 30);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_UP);
    seconds += 121;
    tick();
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_SWALLOWING);
    assert_int_equal(outbox_health(outbox, 1), OUTBOX_LINK_UP);
}

static void new_packets_move_to_the_link_that_delivers(void **state)
{
    (void)state;
    open_with(2);
    find_out();
    assert_string_equal(outbox_health_name(outbox_health(outbox, 0)), "swallowing");
    assert_int_equal(outbox_verdict(outbox, 0), LINK_SWALLOWS);
    assert_int_equal(carry_over_0(1, 20) + carry_over_0(1, 20), 1); // a probe
    assert_int_equal(carry_over_0(28, 20), 0);
    assert_int_equal(carry_over_0(4, 20), 1); // half a minute later
}

static void it_comes_back_when_its_probes_are_answered(void **state)
{
    (void)state;
    open_with(2);
    find_out();
    swallowing = ALL_OK;
    assert_in_range(carry_over_0(120, 20), 4, 5);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_SWALLOWING);
    (void)carry_over_0(120, 20);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_UP);
    assert_int_equal(carry_over_0(20, 20), 10);
}

static void it_does_not_come_back_while_it_swallows(void **state)
{
    (void)state;
    open_with(2);
    find_out();
    assert_in_range(carry_over_0(600, 20), 19, 21);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_SWALLOWING);
}

// 200 octets take two parts.
static void a_packet_of_several_parts_is_no_probe(void **state)
{
    (void)state;
    open_with(2);
    find_out();
    const size_t before = fake_links.sent_count;
    assert_int_equal(carry_over_0(40, 200), 0);
    assert_int_equal(fake_links.sent_count - before, 80);
    for (size_t i = before; i < fake_links.sent_count; i++)
        assert_int_equal(fake_links.sent[i].link, 1);
}

static void it_is_better_than_none(void **state)
{
    (void)state;
    open_with(2);
    find_out();
    fake_links.is_down[1] = true;
    assert_int_equal(carry_over_0(10, 20), 10);
}

static void cards_out_of_reach_move_nothing(void **state)
{
    (void)state;
    open_with(2);
    for (unsigned i = 0; i < 200; i++) {
        swallowing = i % 2; // whichever it is
        seconds++;
        hand(20);
        tick();
        fake_respond(outbox, i, ESME_ROK, "1");
        tick();
    }
    seconds += 121;
    tick();
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_UP);
    assert_int_equal(outbox_health(outbox, 1), OUTBOX_LINK_UP);
}

static void a_link_alone_is_doubted_and_used(void **state)
{
    (void)state;
    open_with(1);
    swallowing = ALL_OK;
    assert_int_equal(carry_over_0(200, 20), 200);
    swallowing = 0;
    assert_int_equal(carry_over_0(300, 20), 300);
    assert_int_equal(outbox_verdict(outbox, 0), LINK_DOUBTED);
    assert_int_equal(outbox_health(outbox, 0), OUTBOX_LINK_UP);
}

// Links of another route reach other cards.
static void links_of_other_routes_are_no_measure(void **state)
{
    (void)state;
    struct outbox_options options = fake_options(2);
    options.route_count = 2;
    options.routes[0].name = "main";
    options.routes[1] = (struct outbox_route){.name = "other", .numbers = "998", .backup = 1};
    options.links[1].route = 1;
    fake_reset();
    outbox = outbox_open(&options, (struct instant){T0});
    assert_non_null(outbox);
    fake_links.room[0] = fake_links.room[1] = 1000;
    for (uint64_t i = 1; i <= 100; i++) {
        struct message m = {.id = 1000 + i,
                            .card = 7 * i,
                            .counter = i,
                            .validity_ms = 3600000,
                            .packet_len = 20,
                            .number = "9990000000001"};
        m.number[2] = i % 2 == 0 ? '9' : '8';
        outbox_send(outbox, &m);
        outbox_tick(outbox, (struct instant){T0 + i * SECOND});
        fake_turn_end(outbox);
        assert_int_equal(fake_links.sent[i - 1].link, i % 2);
        fake_respond(outbox, i - 1, ESME_ROK, "1");
        if (i % 2 == 1)
            fake.heard(fake.heard_context, 7 * i, i);
    }
    outbox_tick(outbox, (struct instant){T0 + 300 * SECOND});
    fake_turn_end(outbox);
    assert_int_equal(outbox_verdict(outbox, 0), LINK_DELIVERS);
}

// What a link refused was never its to deliver.
static void what_is_refused_does_not_count(void **state)
{
    (void)state;
    open_with(2);
    for (unsigned i = 0; i < 60; i++) {
        const size_t before = fake_links.sent_count;
        seconds++;
        hand(20);
        tick();
        assert_int_equal(fake_links.sent_count, before + 1);
        const bool is_0 = fake_links.sent[before].link == 0;
        fake_respond(outbox, before, is_0 ? ESME_RINVDSTADR : ESME_ROK, "1");
        if (!is_0)
            fake.heard(fake.heard_context, 7 * cards, cards);
        tick();
    }
    seconds += 121;
    tick();
    assert_int_equal(outbox_verdict(outbox, 0), LINK_DELIVERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, stop)
        TEST(new_packets_move_to_the_link_that_delivers),
        TEST(it_comes_back_when_its_probes_are_answered),
        TEST(it_does_not_come_back_while_it_swallows),
        TEST(a_packet_of_several_parts_is_no_probe),
        TEST(it_is_better_than_none),
        TEST(cards_out_of_reach_move_nothing),
        TEST(a_link_alone_is_doubted_and_used),
        TEST(links_of_other_routes_are_no_measure),
        TEST(what_is_refused_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
