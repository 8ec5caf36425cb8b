// The conditions of the rule table, each alone: what makes it true, and what of it is enough to
// make it false.
#include "applet/notify.h"
#include "applet/switching.h"

#include "tests/lib/cmocka_all.h"

#define NOW 1000u

static struct applet a;
static struct image m;
static struct turn t;

static const uint8_t HERE[] = {0x62, 0xF2, 0x10}; // 262 01

// Slot 0 is enabled and the fallback, 1 and 2 are operational, 1 is preferred: an automatic switch
// has left it.
static int setup(void **state)
{
    (void)state;
    memset(&m, 0, sizeof m);
    memset(&a, 0, sizeof a);
    t = (struct turn){.a = &a, .image = &m};
    m.slot_count = 4;
    for (uint8_t i = 0; i < 3; i++) {
        m.slots[i].state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED;
        m.slots[i].is_fallback = i == 0;
        m.slots[i].rank = (uint8_t)(i + 1);
        m.slots[i].imsi[0] = 8;
        m.slots[i].imsi[8] = i;
    }
    m.preferred = 1;
    m.is_automatic = true;
    m.parameters.auto_mode = 2;
    m.parameters.rounds_max = 1;
    m.parameters.switches_per_day = 5;
    m.dues.day = NOW + 1;
    a.now_s = NOW;
    a.has_plmn = true;
    memcpy(a.plmn, HERE, sizeof HERE);
    a.terminal = TERMINAL_REFRESH;
    return 0;
}

static void row(uint8_t slot, uint8_t action)
{
    struct country_row *r = &m.parameters.countries[m.parameters.country_count++];
    memcpy(r->plmn, HERE, sizeof HERE);
    r->imsi[0] = 8;
    r->imsi[8] = slot;
    r->action = action;
}

typedef bool guard_fn(const struct turn *);

// Whatever switches by itself needs these.
static void assert_needs_selection(guard_fn *guard)
{
    assert_true(guard(&t));
    a.terminal = 0;
    assert_false(guard(&t));
    a.terminal = TERMINAL_REFRESH | TERMINAL_NO_SELECTION;
    assert_false(guard(&t));
    a.terminal = TERMINAL_REFRESH;
    m.parameters.auto_mode = 0;
    assert_false(guard(&t));
    m.parameters.auto_mode = 2;
    m.slots[0].marks = SLOT_MARK_NO_DISABLE;
    assert_false(guard(&t));
    m.slots[0].marks = 0;
    assert_true(guard(&t));
}

static void a_country_is_followed_when_all_of_it_is_possible(void **state)
{
    (void)state;
    assert_false(guard_can_prefer(&t));
    row(1, COUNTRY_PREFER);
    assert_needs_selection(guard_can_prefer);
    a.has_plmn = false;
    assert_false(guard_can_prefer(&t));
    a.has_plmn = true;
    m.dues.cool[1] = NOW + 1;
    assert_false(guard_can_prefer(&t));
    m.dues.cool[1] = NOW;
    m.switches = 4;
    assert_true(guard_can_prefer(&t));
    m.switches = 5;
    assert_false(guard_can_prefer(&t));
    m.switches = 0;
    m.slots[0].state = SLOT_DISABLED;
    m.slots[1].state = SLOT_ENABLED; // it is there
    assert_false(guard_can_prefer(&t));
}

static void a_return_is_begun_when_all_of_it_is_possible(void **state)
{
    (void)state;
    assert_needs_selection(guard_can_return);
    a.wait = WAIT_JITTER_COUNTRY;
    assert_false(guard_can_return(&t));
    a.wait = WAIT_NONE;
    m.is_automatic = false;
    assert_false(guard_can_return(&t));
    m.is_automatic = true;
    m.preferred = IMAGE_NO_SLOT;
    assert_false(guard_can_return(&t));
    m.preferred = 0;
    assert_false(guard_can_return(&t));
    m.preferred = 1;
    m.switches = 3; // one to return, one to go back
    assert_true(guard_can_return(&t));
    m.switches = 4;
    assert_false(guard_can_return(&t));
}

static void nobody_returns_against_the_country(void **state)
{
    (void)state;
    row(1, COUNTRY_FORBID);
    assert_false(guard_can_return(&t));
    m.parameters.country_count = 0;
    row(0, COUNTRY_PREFER);
    assert_false(guard_can_return(&t));
    m.parameters.country_count = 0;
    row(2, COUNTRY_PREFER);
    assert_true(guard_can_return(&t));
}

static void a_random_wait_ends_in_what_it_was_for(void **state)
{
    (void)state;
    row(1, COUNTRY_PREFER);
    a.wait = WAIT_JITTER_COUNTRY;
    assert_true(guard_may_prefer(&t));
    assert_false(guard_may_return(&t));
    m.switches = 5;
    assert_false(guard_may_prefer(&t));
    a.wait = WAIT_JITTER_RETURN;
    assert_false(guard_may_return(&t));
    m.switches = 0;
    assert_true(guard_may_return(&t));
    assert_false(guard_may_prefer(&t));
    a.wait = WAIT_OUTAGE;
    assert_false(guard_wants_jitter(&t));
    m.parameters.jitter_max_s = 1;
    assert_true(guard_wants_jitter(&t));
    a.wait = WAIT_JITTER;
    assert_false(guard_wants_jitter(&t));
}

static void the_fifth_start_is_the_last(void **state)
{
    (void)state;
    m.journal.phase = JOURNAL_SWITCHED;
    m.journal.starts = 3;
    assert_false(guard_last_start(&t));
    m.journal.starts = 4;
    assert_true(guard_last_start(&t));
    m.journal.phase = JOURNAL_PREPARED;
    assert_false(guard_last_start(&t));
    assert_true(guard_prepared(&t));
    assert_false(guard_prepared_late(&t));
    a.is_late = true;
    assert_true(guard_prepared_late(&t));
    m.journal.phase = JOURNAL_CONFIRMING;
    assert_false(guard_prepared_late(&t));
    assert_true(guard_confirming(&t));
}

static void a_refresh_is_tried_three_times(void **state)
{
    (void)state;
    a.wait = WAIT_FETCH;
    a.tries = 1;
    assert_true(guard_wants_retry(&t));
    a.tries = 2;
    assert_false(guard_wants_retry(&t));
    a.wait = WAIT_RETRY; // it was decided
    assert_true(guard_wants_retry(&t));
    a.wait = WAIT_PAUSE; // the first one
    a.tries = 0;
    assert_false(guard_wants_retry(&t));
}

static void the_reason_of_a_switch_decides_its_end(void **state)
{
    (void)state;
    for (uint8_t reason = REASON_NONE; reason <= REASON_ROLLBACK; reason++) {
        const bool is_last = reason == REASON_FALLBACK || reason == REASON_ROLLBACK;
        m.journal = (struct journal){.phase = JOURNAL_SWITCHED, .reason = reason, .to = 1};
        assert_int_equal(guard_must_leave(&t), is_last);
        assert_int_equal(guard_ends_in_pause(&t), is_last);
        assert_int_equal(guard_commanded(&t), reason == REASON_COMMAND);
        assert_int_equal(guard_returning(&t), reason == REASON_RETURN);
        assert_int_equal(guard_can_fall_back(&t), reason == REASON_ROLLBACK);
        assert_false(guard_may_roll_back(&t));
        m.journal.may_roll_back = true;
        assert_int_equal(guard_may_roll_back(&t), reason == REASON_COMMAND);
        m.journal.to = 0; // the fallback itself
        assert_false(guard_can_fall_back(&t));
    }
}

static void service_is_normal_service_that_was_told(void **state)
{
    (void)state;
    a.service = CAT_SERVICE_NORMAL;
    assert_false(guard_has_service(&t));
    a.has_service = true;
    assert_true(guard_has_service(&t));
    a.service = CAT_SERVICE_LIMITED;
    assert_false(guard_has_service(&t));
    a.terminal_slot = 2;
    m.journal.to = 2;
    assert_true(guard_is_there(&t));
    a.terminal_slot = 0;
    assert_true(guard_is_elsewhere(&t));
}

static void what_is_being_tried_counts_as_failed(void **state)
{
    (void)state;
    m.journal.to = 2; // of no open switch
    assert_int_equal(guard_plan(&t).search.failed, 0);
    assert_int_equal(guard_plan(&t).slot, 1);
    m.journal.phase = JOURNAL_SWITCHED;
    m.journal.to = 1;
    assert_int_equal(guard_plan(&t).search.failed, 1 << 1);
    assert_int_equal(guard_plan(&t).slot, 2);
    assert_true(guard_has_next(&t));
    m.slots[2].state = SLOT_EMPTY;
    assert_false(guard_has_next(&t));
    assert_true(guard_is_exhausted(&t));
}

static void each_wait_is_one_alone(void **state)
{
    (void)state;
    for (unsigned wait = WAIT_NONE; wait <= WAIT_BACKOFF; wait++) {
        a.wait = (uint8_t)wait;
        assert_int_equal(guard_waits_outage(&t), wait == WAIT_OUTAGE);
        assert_int_equal(guard_is_waiting_for_day(&t), wait == WAIT_DAY);
        assert_int_equal(guard_waits_answer(&t), wait == WAIT_ANSWER);
        assert_int_equal(guard_waits_fetch(&t), wait == WAIT_FETCH);
        assert_int_equal(guard_was_fetched(&t), wait == WAIT_TAKE);
    }
}

static void a_candidate_is_one_for_a_terminal_that_can_change(void **state)
{
    (void)state;
    assert_true(guard_has_candidate(&t));
    a.terminal = 0;
    assert_false(guard_has_candidate(&t));
    assert_true(guard_has_next(&t)); // of a switch that is open
    a.terminal = TERMINAL_REFRESH;
    m.slots[1].state = SLOT_EMPTY;
    m.slots[2].state = SLOT_EMPTY;
    assert_false(guard_has_candidate(&t));
}

// A start in the confirmation sends again. One more than there are waits is the highest count.
static void sendings_are_counted_to_one_more_than_the_waits(void **state)
{
    (void)state;
    static const struct {
        uint8_t before, after;
        uint32_t wait_s;
    } rows[] = {{0, 1, 10}, {1, 2, 20}, {2, 3, 0}, {3, 3, 0}, {255, 255, 0}};
    m.parameters.wait_count = 2;
    m.parameters.waits_s[0] = 10;
    m.parameters.waits_s[1] = 20;
    m.journal.phase = JOURNAL_CONFIRMING;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.journal.attempt = rows[i].before;
        a.fired = 0;
        a.notify_sent = 5;
        t.is_changed = false;
        notify_resume(&t);
        assert_int_equal(a.notify_sent, 0); // all that is pending
        assert_int_equal(m.journal.attempt, rows[i].after);
        assert_int_equal(a.notify_attempt, rows[i].after);
        assert_int_equal(a.clocks[CLOCK_NOTIFY].left_s, rows[i].wait_s);
        assert_int_equal(a.fired, rows[i].wait_s == 0 ? 1u << CLOCK_NOTIFY : 0);
        assert_true(t.is_changed);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, setup)
    const struct CMUnitTest tests[] = {
        T(a_country_is_followed_when_all_of_it_is_possible),
        T(a_return_is_begun_when_all_of_it_is_possible),
        T(nobody_returns_against_the_country),
        T(a_random_wait_ends_in_what_it_was_for),
        T(the_fifth_start_is_the_last),
        T(a_refresh_is_tried_three_times),
        T(the_reason_of_a_switch_decides_its_end),
        T(service_is_normal_service_that_was_told),
        T(what_is_being_tried_counts_as_failed),
        T(each_wait_is_one_alone),
        T(sendings_are_counted_to_one_more_than_the_waits),
        T(a_candidate_is_one_for_a_terminal_that_can_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
