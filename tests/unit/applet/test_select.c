// Which subscription comes next, as a choice alone: images are written by hand, nothing runs.
#include "applet/select.h"

#include "tests/lib/cmocka_all.h"

#define HOUR 3600u
#define DAY 86400u
#define NOW 1000u

static struct image m;

// Slot 0 is enabled, bootstrap and fallback; slots 1 to 3 are operational, of ranks 4, 3 and 2.
static int setup(void **state)
{
    (void)state;
    static const uint8_t ranks[] = {1, 4, 3, 2};
    memset(&m, 0, sizeof m);
    m.slot_count = 6; // the last two are empty
    m.preferred = IMAGE_NO_SLOT;
    m.parameters.auto_mode = 2;
    m.parameters.rounds_max = 1;
    m.parameters.switches_per_day = 5;
    for (uint8_t i = 0; i < 4; i++) {
        m.slots[i].state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED;
        m.slots[i].role = i == 0 ? ROLE_BOOTSTRAP : ROLE_OPERATIONAL;
        m.slots[i].is_fallback = i == 0;
        m.slots[i].rank = ranks[i];
        m.slots[i].imsi[0] = 8;
        m.slots[i].imsi[8] = i;
    }
    return 0;
}

// --- countries: PLMNs as in 24.008 §10.5.1.13; 62 F2 10 is 262 01, 62 F2 FF any of 262 ---

static const uint8_t ONE[] = {0x62, 0xF2, 0x10};
static const uint8_t TWO[] = {0x62, 0xF2, 0x20};
static const uint8_t THREE_DIGITS[] = {0x62, 0x12, 0x10}; // 262 011
static const uint8_t COUNTRY[] = {0x62, 0xF2, 0xFF};

static void row(const uint8_t *plmn, uint8_t slot, uint8_t action)
{
    struct country_row *r = &m.parameters.countries[m.parameters.country_count++];
    memcpy(r->plmn, plmn, sizeof r->plmn);
    r->imsi[0] = 8;
    r->imsi[8] = slot;
    r->action = action;
}

static void a_row_for_a_country_is_for_each_of_its_networks_and_for_no_other(void **state)
{
    (void)state;
    static const uint8_t others[][3] = {{0x62, 0xF3, 0x10}, {0x72, 0xF2, 0x10}, {0x26, 0xF2, 0x10}};
    assert_int_equal(select_preferred_here(&m, ONE), IMAGE_NO_SLOT);
    row(COUNTRY, 1, COUNTRY_PREFER);
    assert_int_equal(select_preferred_here(&m, ONE), 1);
    assert_int_equal(select_preferred_here(&m, TWO), 1);
    assert_int_equal(select_preferred_here(&m, THREE_DIGITS), 1);
    assert_int_equal(select_preferred_here(&m, NULL), IMAGE_NO_SLOT);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(select_preferred_here(&m, others[i]), IMAGE_NO_SLOT);
    static const uint8_t another_country[] = {0x62, 0xF3, 0xFF}; // 263
    m.parameters.country_count = 0;
    row(another_country, 2, COUNTRY_PREFER);
    assert_int_equal(select_preferred_here(&m, others[0]), 2);
    assert_int_equal(select_preferred_here(&m, ONE), IMAGE_NO_SLOT);
    m.parameters.country_count = 0; // what stands behind the table is no row
    assert_int_equal(select_preferred_here(&m, others[0]), IMAGE_NO_SLOT);
}

static void a_row_for_a_network_is_for_no_other(void **state)
{
    (void)state;
    row(ONE, 1, COUNTRY_PREFER);
    assert_int_equal(select_preferred_here(&m, ONE), 1);
    assert_int_equal(select_preferred_here(&m, TWO), IMAGE_NO_SLOT);
    assert_int_equal(select_preferred_here(&m, THREE_DIGITS), IMAGE_NO_SLOT);
    // Digits of three, of which the last two are F, are no sign for all networks.
    static const uint8_t odd[] = {0x62, 0x12, 0xFF};
    m.parameters.country_count = 0;
    row(odd, 1, COUNTRY_PREFER);
    assert_int_equal(select_preferred_here(&m, THREE_DIGITS), IMAGE_NO_SLOT);
    assert_int_equal(select_preferred_here(&m, odd), 1);
}

static void the_exact_row_decides_and_of_equals_the_first(void **state)
{
    (void)state;
    row(COUNTRY, 1, COUNTRY_PREFER);
    row(COUNTRY, 2, COUNTRY_PREFER);
    row(ONE, 3, COUNTRY_PREFER);
    row(ONE, 2, COUNTRY_PREFER);
    assert_int_equal(select_preferred_here(&m, TWO), 1);
    assert_int_equal(select_preferred_here(&m, ONE), 3);
}

static void rows_that_forbid_or_name_nobody_prefer_nothing(void **state)
{
    (void)state;
    row(ONE, 9, COUNTRY_PREFER); // not on the card
    row(ONE, 2, COUNTRY_FORBID);
    assert_int_equal(select_preferred_here(&m, ONE), IMAGE_NO_SLOT);
    row(COUNTRY, 1, COUNTRY_PREFER);
    assert_int_equal(select_preferred_here(&m, ONE), 1);
}

static void an_exact_row_that_forbids_beats_the_country(void **state)
{
    (void)state;
    row(COUNTRY, 1, COUNTRY_PREFER);
    row(ONE, 1, COUNTRY_FORBID);
    assert_true(select_is_forbidden(&m, 1, ONE));
    assert_false(select_is_forbidden(&m, 2, ONE));
    assert_false(select_is_forbidden(&m, 1, TWO));
    assert_false(select_is_forbidden(&m, 1, NULL));
    assert_int_equal(select_preferred_here(&m, ONE), IMAGE_NO_SLOT);
    assert_int_equal(select_preferred_here(&m, TWO), 1);
}

// The later one of the end of the day and that of the cool-down.
static void a_row_is_asked_again_when_day_and_cool_down_are_over(void **state)
{
    (void)state;
    m.dues.day = NOW + 7;
    m.dues.cool[1] = NOW + 5;
    assert_int_equal(select_prefer_again_s(&m, ONE), 0); // no row
    row(COUNTRY, 1, COUNTRY_PREFER);
    assert_int_equal(select_prefer_again_s(&m, ONE), NOW + 7);
    assert_int_equal(select_prefer_again_s(&m, NULL), 0);
    m.dues.cool[1] = NOW + 8;
    assert_int_equal(select_prefer_again_s(&m, ONE), NOW + 8);
    m.slots[0].state = SLOT_DISABLED;
    m.slots[1].state = SLOT_ENABLED;
    assert_int_equal(select_prefer_again_s(&m, ONE), 0); // it is followed
}

// --- the day ---

static void switches_count_until_their_day_is_over(void **state)
{
    (void)state;
    m.dues.day = NOW + 1;
    m.switches = 3;
    assert_true(select_has_room(&m, NOW, 2));
    assert_false(select_has_room(&m, NOW, 3));
    assert_true(select_has_room(&m, NOW + 1, 5));
    assert_false(select_has_room(&m, NOW + 1, 6));
    m.switches = 4;
    assert_false(select_is_capped(&m, NOW));
    m.switches = 5;
    assert_true(select_is_capped(&m, NOW));
    assert_false(select_is_capped(&m, NOW + 1));
}

static void at_the_cap_one_fallback_is_left(void **state)
{
    (void)state;
    m.switches = 5;
    m.dues.day = NOW + 1;
    assert_int_equal(select_next(&m, NOW, IMAGE_NO_SLOT, NULL).kind, PLAN_CAPPED); // it is there
    m.slots[0].state = SLOT_DISABLED;
    m.slots[1].state = SLOT_ENABLED;
    const struct plan p = select_next(&m, NOW, IMAGE_NO_SLOT, NULL);
    assert_int_equal(p.kind, PLAN_SWITCH);
    assert_int_equal(p.slot, 0);
    assert_int_equal(p.reason, REASON_FALLBACK);
    m.is_cap_used = true;
    assert_int_equal(select_next(&m, NOW, IMAGE_NO_SLOT, NULL).kind, PLAN_CAPPED);
    // Used on a day that is over; no switch at all is allowed on this one.
    m.parameters.switches_per_day = 0;
    assert_int_equal(select_next(&m, NOW + 1, IMAGE_NO_SLOT, NULL).kind, PLAN_SWITCH);
}

// --- rounds ---

static void next(struct plan *p, enum plan_kind kind, uint8_t slot, uint8_t failed)
{
    *p = select_next(&m, NOW, failed, ONE);
    assert_int_equal(p->kind, kind);
    if (kind == PLAN_SWITCH)
        assert_int_equal(p->slot, slot);
    m.search = p->search;
}

static void enable(uint8_t slot)
{
    for (uint8_t i = 0; i < 4; i++)
        m.slots[i].state = i == slot ? SLOT_ENABLED : SLOT_DISABLED;
}

static void the_rotation_goes_by_rank_then_by_slot_and_begins_again_in_front(void **state)
{
    (void)state;
    struct plan p;
    enable(2); // rank 3
    next(&p, PLAN_SWITCH, 1, IMAGE_NO_SLOT);
    assert_int_equal(p.reason, REASON_ROTATE);
    assert_int_equal(p.search.origin, 2);
    assert_int_equal(p.search.round, 1);
    assert_true(p.search.is_open);
    enable(1); // rank 4, the last
    next(&p, PLAN_SWITCH, 3, 1);
    enable(3);
    next(&p, PLAN_SWITCH, 0, 3); // all were tried: the fallback, whatever its rank
    assert_int_equal(p.reason, REASON_FALLBACK);
    assert_int_equal(p.search.tried, 1 << 1 | 1 << 2 | 1 << 3);
    assert_int_equal(p.search.failed, 1 << 1 | 1 << 3);
    enable(0);
    next(&p, PLAN_PAUSE, 0, 0);

    m.search = (struct search){.is_open = false};
    m.slots[3].rank = 3; // as slot 2
    enable(1);
    next(&p, PLAN_SWITCH, 2, IMAGE_NO_SLOT);
    enable(2);
    next(&p, PLAN_SWITCH, 3, 2);

    m.search = (struct search){.is_open = false};
    m.slots[3].rank = 2;
    enable(3); // of two behind it the nearer
    next(&p, PLAN_SWITCH, 2, IMAGE_NO_SLOT);
}

static void only(uint16_t slots)
{
    for (uint8_t i = 0; i < IMAGE_SLOTS_MAX; i++)
        m.slots[i].marks = (slots >> i & 1) != 0 ? 0 : SLOT_MARK_NOT_AUTO;
    m.search = (struct search){.is_open = false};
}

static void any_slot_may_be_a_candidate_and_none_behind_the_last(void **state)
{
    (void)state;
    struct plan p;
    m.slots[0].is_fallback = false;
    m.slots[3].is_fallback = true;
    enable(3);
    only(1 << 0);
    next(&p, PLAN_SWITCH, 0, IMAGE_NO_SLOT);
    only(1 << 0 | 1 << 2); // two, so there is another round
    m.search = (struct search){.is_open = true, .round = 1, .tried = 0xFFFF};
    m.parameters.rounds_max = 2;
    next(&p, PLAN_SWITCH, 2, IMAGE_NO_SLOT);
    only(1 << 4);
    m.slots[4].state = SLOT_DISABLED;
    m.slot_count = 4;
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
    only(1 << 4 | 1 << 2); // one, and another round needs two
    m.search = (struct search){.is_open = true, .round = 1, .tried = 0xFFFF};
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
    m.slot_count = IMAGE_SLOTS_MAX;
    m.slots[15].state = SLOT_DISABLED;
    only(1 << 15 | 1 << 2);
    m.search = (struct search){.is_open = true, .round = 1, .tried = 0xFFFF};
    next(&p, PLAN_SWITCH, 2, IMAGE_NO_SLOT);
}

static void a_search_begins_where_the_open_switch_began(void **state)
{
    (void)state;
    struct plan p;
    m.journal = (struct journal){.phase = JOURNAL_SWITCHED, .from = 3, .to = 2};
    m.search.is_paused = true;
    m.search.round = 7; // of an older one
    enable(2);
    next(&p, PLAN_SWITCH, 1, 2);
    assert_int_equal(p.search.origin, 3);
    assert_int_equal(p.search.round, 1);
    assert_false(p.search.is_paused);
    assert_int_equal(p.search.tried, 1 << 3 | 1 << 2);
}

static void another_round_needs_two_candidates_and_is_counted(void **state)
{
    (void)state;
    struct plan p;
    m.parameters.rounds_max = 2;
    m.search = (struct search){.is_open = true, .round = 1, .tried = 0xF};
    enable(1);
    next(&p, PLAN_SWITCH, 3, 1);
    assert_int_equal(p.search.round, 2);
    assert_int_equal(p.search.tried, 0);
    m.search.tried = 0xF;
    next(&p, PLAN_SWITCH, 0, IMAGE_NO_SLOT); // of two rounds, two
    assert_int_equal(p.search.round, 2);

    m.search = (struct search){.is_open = true, .round = 1, .tried = 0xF};
    m.slots[3].marks = SLOT_MARK_NOT_AUTO;
    next(&p, PLAN_SWITCH, 2, IMAGE_NO_SLOT); // 1 and 2
    m.search = (struct search){.is_open = true, .round = 1, .tried = 0xF};
    m.slots[2].marks = SLOT_MARK_NOT_AUTO;
    next(&p, PLAN_SWITCH, 0, IMAGE_NO_SLOT); // 1 alone
}

// Slot 3 alone remains of slots 1 to 3 when 1 and 2 are no candidates.
static void only_what_may_be_chosen_is_a_candidate(void **state)
{
    (void)state;
    struct plan p;
    m.slots[1].role = ROLE_TEST;
    m.slots[2].marks = SLOT_MARK_NOT_AUTO;
    next(&p, PLAN_SWITCH, 3, IMAGE_NO_SLOT);
    m.search = (struct search){.is_open = false};
    m.dues.cool[3] = NOW + 1;
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
    m.search = (struct search){.is_open = false};
    m.dues.cool[3] = NOW; // over
    next(&p, PLAN_SWITCH, 3, IMAGE_NO_SLOT);
    // What failed in this search cools down for the next one.
    m.dues.cool[3] = NOW + 1;
    m.search = (struct search){.is_open = true, .round = 1, .failed = 1 << 3};
    next(&p, PLAN_SWITCH, 3, IMAGE_NO_SLOT);
    m.dues.cool[3] = 0;
    m.search = (struct search){.is_open = false};
    row(ONE, 3, COUNTRY_FORBID);
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
    m.search = (struct search){.is_open = false};
    m.slots[3].state = SLOT_EMPTY;
    m.parameters.country_count = 0;
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
}

static void in_mode_1_the_preferred_one_alone_is_a_candidate(void **state)
{
    (void)state;
    struct plan p;
    m.parameters.auto_mode = 1;
    m.preferred = 1;
    m.slots[1].marks = SLOT_MARK_NOT_AUTO; // it says nothing of going home
    m.dues.cool[1] = NOW + 1;
    next(&p, PLAN_SWITCH, 1, IMAGE_NO_SLOT);
    m.search = (struct search){.is_open = false};
    m.preferred = IMAGE_NO_SLOT;
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
    m.parameters.auto_mode = 0;
    next(&p, PLAN_NONE, 0, IMAGE_NO_SLOT);
}

// Whoever chooses, what is forbidden here is no candidate.
static void in_mode_1_a_forbidden_one_is_no_candidate(void **state)
{
    (void)state;
    struct plan p;
    m.parameters.auto_mode = 1;
    m.preferred = 1;
    row(COUNTRY, 1, COUNTRY_FORBID);
    next(&p, PLAN_PAUSE, 0, IMAGE_NO_SLOT);
    m.search = (struct search){.is_open = false};
    enable(2);
    next(&p, PLAN_SWITCH, 0, IMAGE_NO_SLOT);
    assert_int_equal(p.reason, REASON_FALLBACK);
    m.search = (struct search){.is_open = false};
    row(ONE, 1, COUNTRY_PREFER); // the exact one decides
    next(&p, PLAN_SWITCH, 1, IMAGE_NO_SLOT);
    assert_int_equal(p.reason, REASON_ROTATE);
}

static void one_that_must_not_be_disabled_gives_way_to_the_fallback_alone(void **state)
{
    (void)state;
    struct plan p;
    enable(1);
    m.slots[1].marks = SLOT_MARK_NO_DISABLE;
    next(&p, PLAN_SWITCH, 0, IMAGE_NO_SLOT);
    assert_int_equal(p.reason, REASON_FALLBACK);
}

// --- times ---

static void pauses_double_up_to_the_longest(void **state)
{
    (void)state;
    const struct parameters p = {.backoff_base_min = 5, .backoff_max_h = 1};
    const uint32_t pauses[] = {300, 600, 1200, 2400, 3600, 3600};
    for (uint8_t n = 0; n < 6; n++)
        assert_int_equal(select_pause_s(&p, n), pauses[n]);
    assert_int_equal(select_pause_s(&p, 255), 3600);
    const struct parameters long_base = {.backoff_base_min = 120, .backoff_max_h = 1};
    assert_int_equal(select_pause_s(&long_base, 0), HOUR);
}

// A tenth less, up to a tenth more.
static void a_return_is_doubled_to_seven_days_unless_it_is_longer_itself(void **state)
{
    (void)state;
    m.parameters.return_s = DAY;
    assert_int_equal(select_return_s(&m, 0), 77760);
    assert_int_equal(select_return_s(&m, 17280), 95040);
    assert_int_equal(select_return_s(&m, 17281), 77760);
    m.parameters.return_s = 79456; // a tenth is 7945.6: no more than 87401.6
    assert_int_equal(select_return_s(&m, 15890), 87401);
    assert_int_equal(select_return_s(&m, 15891), 71511);
    m.parameters.return_s = DAY;
    m.return_doublings = 1;
    assert_int_equal(select_return_s(&m, 0), 155520);
    m.return_doublings = 3;
    assert_int_equal(select_return_s(&m, 0), 544320); // of 7 days, not 8
    m.parameters.return_s = 8 * DAY;
    assert_int_equal(select_return_s(&m, 0), 622080);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, setup)
    const struct CMUnitTest tests[] = {
        T(a_row_for_a_country_is_for_each_of_its_networks_and_for_no_other),
        T(a_row_for_a_network_is_for_no_other),
        T(the_exact_row_decides_and_of_equals_the_first),
        T(rows_that_forbid_or_name_nobody_prefer_nothing),
        T(an_exact_row_that_forbids_beats_the_country),
        T(a_row_is_asked_again_when_day_and_cool_down_are_over),
        T(switches_count_until_their_day_is_over),
        T(at_the_cap_one_fallback_is_left),
        T(the_rotation_goes_by_rank_then_by_slot_and_begins_again_in_front),
        T(any_slot_may_be_a_candidate_and_none_behind_the_last),
        T(a_search_begins_where_the_open_switch_began),
        T(another_round_needs_two_candidates_and_is_counted),
        T(only_what_may_be_chosen_is_a_candidate),
        T(in_mode_1_the_preferred_one_alone_is_a_candidate),
        T(in_mode_1_a_forbidden_one_is_no_candidate),
        T(one_that_must_not_be_disabled_gives_way_to_the_fallback_alone),
        T(pauses_double_up_to_the_longest),
        T(a_return_is_doubled_to_seven_days_unless_it_is_longer_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
