// When a link is said to swallow: by the answers to what it carried, beside those of its
// neighbours.
#include "tests/lib/cmocka_all.h"

#include "ota-server/core/link_health.h"

#define LINKS 3
#define STEP_MS 1000 // from one packet to the next
#define BOTH 2u      // beside link 0: link 1
#define T0 7000u

static struct link_health links[LINKS];
static uint64_t now_ms;
static uint64_t cards;

static int start(void **state)
{
    (void)state;
    memset(links, 0, sizeof links);
    now_ms = T0;
    cards = 0;
    return 0;
}

static struct instant now(void)
{
    return (struct instant){now_ms};
}

// A packet for a card that has had none.
static void carry(unsigned link, bool is_answered)
{
    cards++;
    link_health_sent(&links[link], cards, 500 + cards, now());
    if (is_answered)
        link_health_answered(&links[link], cards, 500 + cards);
}

// Of `count` packets over each of two links, `first` and `second` of every ten are answered.
static void both_carry(unsigned count, unsigned first, unsigned second)
{
    for (unsigned i = 0; i < count; i++) {
        carry(0, i % 10 < first);
        carry(1, i % 10 < second);
        now_ms += STEP_MS;
    }
}

static void wait_for_answers(void)
{
    now_ms += LINK_ANSWER_MS;
}

static enum link_verdict judged(unsigned link, uint32_t beside)
{
    link_health_judge(links, link, beside, now());
    return (enum link_verdict)links[link].verdict;
}

static void a_link_that_brings_nothing_while_the_other_delivers_swallows(void **state)
{
    (void)state;
    both_carry(20, 0, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
    assert_int_equal(judged(1, 1), LINK_DELIVERS);
}

// Twenty answers were to be expected, not nineteen.
static void fewer_packets_than_twenty_say_nothing(void **state)
{
    (void)state;
    both_carry(19, 0, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
}

// With half of the cards out of reach: of 34 packets the other link brings 19 answers, of 35 it
// brings 20.
static void cards_out_of_reach_ask_for_more_packets(void **state)
{
    (void)state;
    both_carry(34, 0, 5);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
    start(state);
    both_carry(35, 0, 5);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void cards_out_of_reach_condemn_nobody(void **state)
{
    (void)state;
    both_carry(100, 10, 10);
    both_carry(500, 0, 0);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
    assert_int_equal(judged(1, 1), LINK_DELIVERS);
}

// Of 128 and an answered share of one, 12 are a tenth, and 13 are more.
static void a_tenth_of_the_answers_is_too_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS) {
        carry(0, i < 13);
        carry(1, true);
    }
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
    start(state);
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS) {
        carry(0, i < 12);
        carry(1, true);
    }
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void a_packet_has_two_minutes_for_its_answer(void **state)
{
    (void)state;
    both_carry(20, 0, 10); // the last one is a second old
    now_ms += LINK_ANSWER_MS - STEP_MS - 1;
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
    now_ms += 1;
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void an_answer_that_comes_late_counts(void **state)
{
    (void)state;
    both_carry(20, 0, 10);
    for (uint64_t card = 1; card <= 6; card += 2)
        link_health_answered(&links[0], card, 500 + card);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS); // 3 of 20
}

static void an_answer_to_another_packet_of_the_card_does_not_count(void **state)
{
    (void)state;
    both_carry(20, 0, 10);
    for (uint64_t card = 1; card <= 40; card++)
        link_health_answered(&links[0], card, 501 + card);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void what_the_link_did_not_take_does_not_count(void **state)
{
    (void)state;
    both_carry(20, 0, 10);
    link_health_withdraw(&links[0], 1, 501);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
}

// An outage of all cards that is over, and a good hour before it, say nothing about now.
static void neighbours_are_compared_within_the_same_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++, now_ms += STEP_MS)
        carry(1, true);
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS) {
        carry(0, false);
        carry(1, false);
    }
    for (unsigned i = 0; i < 100; i++, now_ms += STEP_MS)
        carry(1, true);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
}

static void a_good_past_does_not_hide_that_it_swallows_now(void **state)
{
    (void)state;
    both_carry(700, 10, 10);
    both_carry(LINK_JUDGED, 0, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void condemn(void)
{
    both_carry(20, 0, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void a_link_comes_back_with_three_answers_to_its_probes(void **state)
{
    (void)state;
    condemn();
    for (unsigned i = 0; i < 2; i++, now_ms += 30000)
        both_carry(1, 10, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
    both_carry(1, 10, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
}

// Of ten probes five are half of what the other one brings.
static void half_of_the_answers_bring_it_back(void **state)
{
    (void)state;
    condemn();
    both_carry(10, 4, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
    start(state);
    condemn();
    both_carry(10, 5, 10);
    wait_for_answers();
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
}

static void answers_from_before_do_not_bring_it_back(void **state)
{
    (void)state;
    condemn();
    for (uint64_t card = 1; card <= 40; card++)
        link_health_answered(&links[0], card, 500 + card);
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
}

static void of_three_links_two_may_swallow(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS) {
        carry(0, false);
        carry(1, false);
        carry(2, true);
    }
    wait_for_answers();
    assert_int_equal(judged(0, 6), LINK_SWALLOWS);
    assert_int_equal(judged(1, 5), LINK_SWALLOWS);
    assert_int_equal(judged(2, 3), LINK_DELIVERS);
}

// Alone it may be the cards: it is doubted, and never condemned.
static void a_link_alone_is_doubted_by_its_own_past(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS)
        carry(0, true);
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS)
        carry(0, false);
    wait_for_answers();
    assert_int_equal(judged(0, 0), LINK_DOUBTED);
    assert_int_equal(judged(0, BOTH), LINK_DOUBTED); // the other one carried nothing
    for (unsigned i = 0; i < LINK_JUDGED; i++, now_ms += STEP_MS)
        carry(0, true);
    wait_for_answers();
    assert_int_equal(judged(0, 0), LINK_DELIVERS);
}

static void a_link_alone_that_never_brought_anything_is_not_doubted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * LINK_JUDGED; i++, now_ms += STEP_MS)
        carry(0, false);
    wait_for_answers();
    assert_int_equal(judged(0, 0), LINK_DELIVERS);
}

static void what_is_older_than_six_hours_is_forgotten(void **state)
{
    (void)state;
    both_carry(20, 0, 10);
    now_ms += LINK_MEMORY_MS;
    assert_int_equal(judged(0, BOTH), LINK_DELIVERS);
}

// However many there are, the ring reaches back further than an answer takes: of a packet each
// millisecond 32 count in eight seconds, and the oldest of 1,024 is 256 s old.
static void a_flood_is_seen_by_samples(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 400000; i++, now_ms++) {
        carry(0, false);
        carry(1, true);
    }
    assert_int_equal(judged(0, BOTH), LINK_SWALLOWS);
    assert_int_equal(links[0].taken, 1600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, start)
        TEST(a_link_that_brings_nothing_while_the_other_delivers_swallows),
        TEST(fewer_packets_than_twenty_say_nothing),
        TEST(cards_out_of_reach_ask_for_more_packets),
        TEST(cards_out_of_reach_condemn_nobody),
        TEST(a_tenth_of_the_answers_is_too_few),
        TEST(a_packet_has_two_minutes_for_its_answer),
        TEST(an_answer_that_comes_late_counts),
        TEST(an_answer_to_another_packet_of_the_card_does_not_count),
        TEST(what_the_link_did_not_take_does_not_count),
        TEST(neighbours_are_compared_within_the_same_time),
        TEST(a_good_past_does_not_hide_that_it_swallows_now),
        TEST(a_link_comes_back_with_three_answers_to_its_probes),
        TEST(half_of_the_answers_bring_it_back),
        TEST(answers_from_before_do_not_bring_it_back),
        TEST(of_three_links_two_may_swallow),
        TEST(a_link_alone_is_doubted_by_its_own_past),
        TEST(a_link_alone_that_never_brought_anything_is_not_doubted),
        TEST(what_is_older_than_six_hours_is_forgotten),
        TEST(a_flood_is_seen_by_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
