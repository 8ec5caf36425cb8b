// The actions of the rule table, each alone: what they change in the image, the clocks and the
// applet, and the times that are kept in the image.
#include "applet/clocks.h"
#include "applet/notify.h"
#include "applet/switching.h"
#include "applet/toolkit.h"

#include "tests/lib/cmocka_all.h"

#define NOW 90000u
#define HOUR 3600u
#define DAY 86400u

static struct applet a;
static struct image m;
static struct turn t;
static uint32_t chance;

static uint32_t random_number(void *context)
{
    (void)context;
    return chance;
}

static const struct applet_port port = {.random = random_number};
static const uint8_t HERE[] = {0x62, 0xF2, 0x10}; // 262 01

// Slot 0 is enabled and the fallback, 1 and 2 are operational, 1 is preferred. There is service.
static int setup(void **state)
{
    (void)state;
    memset(&m, 0, sizeof m);
    memset(&a, 0, sizeof a);
    t = (struct turn){.a = &a, .port = &port, .image = &m};
    chance = 0;
    m.slot_count = 4;
    for (uint8_t i = 0; i < 3; i++) {
        m.slots[i].state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED;
        m.slots[i].is_fallback = i == 0;
        m.slots[i].rank = (uint8_t)(i + 1);
        m.slots[i].imsi[0] = 8;
        m.slots[i].imsi[8] = i;
    }
    m.preferred = 1;
    parameters_default(&m.parameters);
    m.parameters.jitter_max_s = 0;
    memset(m.country, 0xFF, sizeof m.country);
    a.now_s = NOW;
    a.state = SWITCH_STABLE;
    a.has_service = true;
    a.service = CAT_SERVICE_NORMAL;
    a.has_plmn = true;
    memcpy(a.plmn, HERE, sizeof HERE);
    a.terminal = TERMINAL_REFRESH;
    return 0;
}

static void open_switch(uint8_t reason, uint8_t from, uint8_t to)
{
    m.journal =
        (struct journal){.phase = JOURNAL_SWITCHED, .reason = reason, .from = from, .to = to};
}

static uint8_t slot_of(const struct subscription_name *name)
{
    return name->is_given ? name->imsi[8] : IMAGE_NO_SLOT;
}

static const struct pending *last_note(void)
{
    assert_true(m.pending_count > 0);
    return &m.pending[m.pending_count - 1];
}

// --- counts ---

static void switches_of_its_own_are_counted_for_a_day(void **state)
{
    (void)state;
    m.dues.day = NOW + 1;
    m.switches = 4;
    action_begin_return(&t);
    assert_int_equal(m.switches, 5);
    assert_int_equal(m.journal.reason, REASON_RETURN);
    assert_int_equal(m.journal.to, 1);
    assert_int_equal(m.dues.day, NOW + 1);
    m.switches = UINT8_MAX;
    action_begin_return(&t);
    assert_int_equal(m.switches, UINT8_MAX);
    // The next day begins.
    m.dues.day = NOW;
    m.is_capped = true;
    m.is_cap_used = true;
    struct country_row *row = &m.parameters.countries[m.parameters.country_count++];
    memcpy(row->plmn, HERE, sizeof HERE);
    memcpy(row->imsi, m.slots[2].imsi, sizeof row->imsi);
    row->action = COUNTRY_PREFER;
    action_begin_country(&t);
    assert_int_equal(m.journal.reason, REASON_COUNTRY);
    assert_int_equal(m.journal.to, 2);
    assert_int_equal(m.switches, 1);
    assert_int_equal(m.dues.day, NOW + DAY);
    assert_false(m.is_capped);
    assert_false(m.is_cap_used);
}

static void each_switch_has_tries_of_its_own(void **state)
{
    (void)state;
    a.tries = 2;
    action_begin_return(&t);
    assert_int_equal(a.tries, 0);
}

static void a_card_goes_back_for_twice_as_long_after_each_return_that_fails(void **state)
{
    (void)state;
    static const uint8_t doublings[][2] = {{0, 1}, {254, 255}, {255, 255}};
    for (size_t i = 0; i < 3; i++) {
        open_switch(REASON_RETURN, 2, 1);
        m.return_doublings = doublings[i][0];
        action_go_back(&t);
        assert_int_equal(m.return_doublings, doublings[i][1]);
        assert_int_equal(m.switches, i + 1);
    }
    // The round in which home was tried, and where the card came from.
    assert_int_equal(m.journal.reason, REASON_ROTATE);
    assert_int_equal(m.journal.to, 2);
    assert_true(m.search.is_open);
    assert_int_equal(m.search.origin, 2);
    assert_int_equal(m.search.round, 1);
    assert_int_equal(m.search.tried, 1 << 1 | 1 << 2);
    assert_int_equal(m.search.failed, 1 << 1);
}

static void the_longest_pause_stays_the_longest(void **state)
{
    (void)state;
    static const uint32_t minutes[] = {15, 30, 60, 120, 240, 360};
    for (unsigned n = 0; n < 600; n++) {
        action_pause(&t);
        assert_int_equal(m.search.pause_due, NOW + 60 * minutes[n < 6 ? n : 5]);
        assert_true(m.search.is_exhausted);
    }
}

// --- the end of a switch ---

static void a_return_is_planned_only_where_it_is_wanted(void **state)
{
    (void)state;
    open_switch(REASON_ROTATE, 1, 0);
    m.parameters.return_s = 0;
    m.dues.back = 1;
    m.dues.reuse = 1;
    action_served(&t);
    assert_true(m.is_automatic);
    assert_int_equal(m.dues.back, 0);
    assert_int_equal(m.dues.reuse, 0);
    open_switch(REASON_ROTATE, 1, 0);
    m.parameters.return_s = HOUR;
    m.parameters.reuse_limit_d = 2;
    action_served(&t);
    assert_int_equal(m.dues.back, NOW + HOUR - HOUR / 10);
    assert_int_equal(m.dues.reuse, NOW + 2 * DAY);
    // At home there is none.
    open_switch(REASON_RETURN, 1, 0);
    m.preferred = 0;
    action_served(&t);
    assert_false(m.is_automatic);
    assert_int_equal(m.dues.back, 0);
    assert_int_equal(m.dues.reuse, 0);
}

// The server knows the subscription that it commanded, and of an outage the one at its beginning.
static void a_switch_is_told_from_what_the_server_knew(void **state)
{
    (void)state;
    static const struct {
        uint32_t operation_id;
        bool is_open;
        uint8_t from;
    } rows[] = {{0, false, 1}, {7, false, 1}, {7, true, 1}, {0, true, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_switch(REASON_FALLBACK, 1, 0);
        m.journal.operation_id = rows[i].operation_id;
        m.search = (struct search){.is_open = rows[i].is_open, .origin = 2};
        m.pending_count = 0;
        action_served(&t);
        assert_int_equal(m.pending_count, 1);
        assert_int_equal(slot_of(&last_note()->from), rows[i].from);
        assert_int_equal(slot_of(&last_note()->to), 0);
        assert_int_equal(last_note()->operation_id, rows[i].operation_id);
    }
}

// The sendings of ENABLED are its own: they begin anew, whatever else is being sent.
static void a_confirmation_has_all_its_sendings(void **state)
{
    (void)state;
    open_switch(REASON_COMMAND, 1, 0);
    m.journal.operation_id = 7;
    m.journal.set_fallback = true;
    a.notify_attempt = 3;
    a.notify_sent = 5;
    action_await_confirm(&t);
    assert_int_equal(m.journal.phase, JOURNAL_CONFIRMING);
    assert_int_equal(m.journal.attempt, 1);
    assert_int_equal(m.journal.sequence, last_note()->sequence);
    assert_true(last_note()->set_fallback);
    assert_int_equal(a.notify_attempt, 1);
    assert_int_equal(a.notify_sent, 0);
    assert_int_equal(a.clocks[CLOCK_NOTIFY].left_s, 60);
    assert_true(m.slots[0].is_proven);
    assert_true(t.is_changed);
}

static void one_that_is_kept_without_service_takes_the_fallback_once_confirmed(void **state)
{
    (void)state;
    notify_queue(&t, NOTIFY_SWITCH_CAP, image_name(&m, 0), image_name(&m, 0), 0);
    open_switch(REASON_COMMAND, 1, 0);
    m.journal.operation_id = 7;
    m.journal.set_fallback = true;
    action_keep(&t);
    assert_int_equal(m.pending_count, 2);
    assert_false(m.pending[0].set_fallback);
    assert_int_equal(last_note()->cause, NOTIFY_ENABLED);
    assert_true(last_note()->set_fallback);
    assert_int_equal(m.journal.phase, JOURNAL_NONE);
    assert_int_equal(a.wait, WAIT_OUTAGE);
}

static void a_confirmation_is_waited_for_without_a_clock(void **state)
{
    (void)state;
    open_switch(REASON_COMMAND, 1, 0);
    m.journal.phase = JOURNAL_CONFIRMING;
    a.wait = WAIT_FIRST_STATUS;
    clock_set(&a, CLOCK_STATE, 60); // of a start that could not be kept
    action_resume_confirming(&t);
    assert_int_equal(a.wait, WAIT_NONE);
    assert_false(clock_is_on(&a, CLOCK_STATE));
    assert_true(clock_is_on(&a, CLOCK_NOTIFY));
}

// Of a sending that could not be counted a clock may run.
static void no_clock_of_a_confirmation_outlives_it(void **state)
{
    (void)state;
    static void (*const actions[])(struct turn *) = {action_confirm, action_keep_unconfirmed};
    for (size_t i = 0; i < 2; i++) {
        open_switch(REASON_COMMAND, 1, 0);
        clock_set(&a, CLOCK_STATE, 60);
        actions[i](&t);
        assert_false(clock_is_on(&a, CLOCK_STATE));
        assert_int_equal(m.journal.phase, JOURNAL_NONE);
    }
}

static void the_candidate_that_fails_last_cools_down(void **state)
{
    (void)state;
    static const struct {
        uint8_t reason;
        uint32_t cool_s, until;
    } rows[] = {
        {REASON_ROTATE, 1800, NOW + 1800}, {REASON_COUNTRY, 1800, NOW + 1800},
        {REASON_COUNTRY, 1, NOW + 1},      {REASON_ROTATE, 0, 0},
        {REASON_FALLBACK, 1800, 5},        {REASON_ROLLBACK, 1800, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_switch(rows[i].reason, 0, 2);
        m.dues.cool[2] = 5; // of another time
        m.parameters.cool_s = rows[i].cool_s;
        action_pause(&t);
        assert_int_equal(m.dues.cool[2], rows[i].until);
        assert_int_equal(m.journal.phase, JOURNAL_NONE);
    }
}

// --- REFRESH ---

static void what_the_terminal_did_not_fetch_is_taken_back(void **state)
{
    (void)state;
    open_switch(REASON_ROLLBACK, 1, 0);
    a.todo = TODO_REFRESH | TODO_POLL;
    a.terminal_slot = 1;
    action_probation(&t);
    assert_int_equal(a.todo, TODO_POLL);
    assert_int_equal(a.wait, WAIT_ATTACH);
    assert_int_equal(a.clocks[CLOCK_STATE].left_s, 180);
    assert_false(t.has_next);
}

static void a_terminal_that_never_left_needs_no_start_to_be_there(void **state)
{
    (void)state;
    open_switch(REASON_ROLLBACK, 1, 0);
    action_probation(&t);
    assert_true(t.has_next);
    assert_int_equal(t.next, EVENT_NORMAL);
    t.has_next = false;
    a.service = CAT_SERVICE_LIMITED;
    action_probation(&t);
    assert_false(t.has_next);
}

static void a_switch_that_is_refused_is_put_back(void **state)
{
    (void)state;
    for (unsigned with = 0; with < 2; with++) {
        open_switch(REASON_COMMAND, 1, 0);
        m.slots[0].state = SLOT_ENABLED;
        m.slots[1].state = SLOT_DISABLED;
        a.todo = TODO_REFRESH | TODO_POLL;
        clock_set(&a, CLOCK_STATE, 30);
        a.wait = WAIT_FETCH;
        a.service = with == 1 ? CAT_SERVICE_NORMAL : CAT_SERVICE_NONE;
        if (with == 1)
            action_put_back(&t);
        else
            action_put_back_without(&t);
        assert_int_equal(image_enabled(&m), 1);
        assert_int_equal(last_note()->cause, NOTIFY_SWITCH_FAILED);
        assert_int_equal(m.journal.phase, JOURNAL_NONE);
        assert_int_equal(a.todo, TODO_POLL);
        assert_int_equal(a.wait, with == 1 ? WAIT_NONE : WAIT_OUTAGE);
        assert_int_equal(a.clocks[CLOCK_STATE].left_s, with == 1 ? 0 : 180);
    }
}

// --- waits ---

static void a_limit_moves_the_end_of_the_outage_alone(void **state)
{
    (void)state;
    m.parameters.limited_s = 600;
    a.service = CAT_SERVICE_LIMITED;
    a.outage_s = 180;
    a.wait = WAIT_JITTER;
    a.clocks[CLOCK_STATE] = (struct applet_clock){.left_s = 17, .is_told = true};
    action_limit(&t);
    assert_int_equal(a.clocks[CLOCK_STATE].left_s, 17);
    a.wait = WAIT_OUTAGE;
    clock_stop(&a, CLOCK_STATE); // it is just over
    action_limit(&t);
    assert_false(clock_is_on(&a, CLOCK_STATE));
    // The same limit: the terminal's timer goes on.
    a.outage_s = 600;
    a.clocks[CLOCK_STATE] = (struct applet_clock){.left_s = 170, .status_s = 30, .is_told = true};
    action_limit(&t);
    assert_int_equal(a.clocks[CLOCK_STATE].left_s, 170);
    assert_true(a.clocks[CLOCK_STATE].is_told);
    a.service = CAT_SERVICE_NONE; // 460 s have passed, more than 180
    action_limit(&t);
    assert_int_equal(a.clocks[CLOCK_STATE].left_s, 0);
    assert_int_equal(a.fired, 1u << CLOCK_STATE);
}

static void a_random_wait_is_of_any_length_up_to_the_longest(void **state)
{
    (void)state;
    for (uint16_t max = 0; max < 4; max++) {
        m.parameters.jitter_max_s = max;
        for (chance = 0; chance < 8; chance++) {
            action_jitter(&t);
            assert_int_equal(a.wait, WAIT_JITTER);
            assert_int_equal(a.clocks[CLOCK_STATE].left_s, chance % (max + 1u));
        }
    }
}

// --- countries ---

static bool returns_from(uint8_t first, uint8_t second)
{
    m.is_automatic = true;
    m.country[0] = first;
    m.country[1] = second;
    a.wait = WAIT_NONE;
    a.is_country_stable = false;
    switching_country(&t);
    assert_true(a.is_country_stable);
    return a.wait == WAIT_JITTER_RETURN;
}

// 262 is 62 F2, of which the F belongs to the network.
static void another_country_is_one_that_differs_in_any_digit(void **state)
{
    (void)state;
    assert_false(returns_from(0x62, 0x02));
    assert_true(returns_from(0x62, 0x03));
    assert_true(returns_from(0x63, 0x02));
    assert_true(returns_from(0x26, 0x02));
    assert_false(returns_from(0xFF, 0xFF)); // it was not known
    m.parameters.return_on_country = 0;
    assert_false(returns_from(0x62, 0x03));
}

static void a_country_that_was_seen_in_an_outage_counts_when_service_is_back(void **state)
{
    (void)state;
    m.is_automatic = true;
    m.country[0] = 0x62;
    m.country[1] = 0x03;
    a.state = SWITCH_SUSPECT;
    m.is_contacted = true;
    switching_service(&t, false);
    assert_int_equal(a.state, SWITCH_STABLE);
    assert_int_equal(a.wait, WAIT_NONE); // it was not seen for long enough
    a.state = SWITCH_SUSPECT;
    switching_country(&t);
    assert_int_equal(a.wait, WAIT_NONE);
    switching_service(&t, false);
    assert_int_equal(a.wait, WAIT_JITTER_RETURN);
}

// --- slow times ---

static void a_heartbeat_is_due_again_after_its_hours(void **state)
{
    (void)state;
    m.parameters.heartbeat_h = 5;
    m.dues.heartbeat = NOW + 1;
    switching_due(&t);
    assert_false(a.is_heartbeat_due);
    m.dues.heartbeat = NOW;
    switching_due(&t);
    assert_true(a.is_heartbeat_due);
    assert_int_equal(m.dues.heartbeat, NOW); // a start finds it due
    switching_heartbeat_left(&t);
    assert_int_equal(m.dues.heartbeat, NOW + 5 * HOUR);
    m.parameters.heartbeat_h = 0; // meanwhile
    switching_heartbeat_left(&t);
    assert_int_equal(m.dues.heartbeat, 0);
}

// A return that is not possible now is asked for again an hour later.
static void a_return_that_cannot_be_is_asked_for_again(void **state)
{
    (void)state;
    static const struct {
        uint32_t back, reuse, next_back, next_reuse;
    } rows[] = {
        {NOW, 0, NOW + HOUR, 0},
        {0, NOW, 0, NOW + HOUR},
        {NOW - 5, NOW - 7, NOW + HOUR, NOW + HOUR},
        {NOW, NOW + 1, NOW + HOUR, NOW + 1},
        {NOW + 1, NOW, NOW + 1, NOW + HOUR},
        {NOW + 1, NOW + 1, NOW + 1, NOW + 1},
    };
    a.state = SWITCH_SUSPECT;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.dues.back = rows[i].back;
        m.dues.reuse = rows[i].reuse;
        switching_due(&t);
        assert_int_equal(m.dues.back, rows[i].next_back);
        assert_int_equal(m.dues.reuse, rows[i].next_reuse);
        assert_true(t.is_changed);
    }
}

static void a_day_that_is_over_ends_the_wait_for_it(void **state)
{
    (void)state;
    m.switches = 200;
    a.state = SWITCH_SUSPECT;
    a.wait = WAIT_JITTER; // by chance, over already
    a.service = CAT_SERVICE_NONE;
    m.dues.day = NOW + 1;
    m.is_cap_used = true;
    turn_feed(&t, EVENT_CLOCK);
    assert_int_equal(a.state, SWITCH_SUSPECT);
    assert_int_equal(a.wait, WAIT_DAY);
    assert_int_equal(last_note()->cause, NOTIFY_SWITCH_CAP);
    switching_due(&t);
    assert_int_equal(a.state, SWITCH_SUSPECT);
    a.now_s = NOW + 1;
    switching_due(&t);
    assert_int_equal(a.state, SWITCH_SWITCHING);
    assert_int_equal(m.switches, 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, setup)
    const struct CMUnitTest tests[] = {
        T(switches_of_its_own_are_counted_for_a_day),
        T(each_switch_has_tries_of_its_own),
        T(a_card_goes_back_for_twice_as_long_after_each_return_that_fails),
        T(the_longest_pause_stays_the_longest),
        T(a_return_is_planned_only_where_it_is_wanted),
        T(a_switch_is_told_from_what_the_server_knew),
        T(a_confirmation_has_all_its_sendings),
        T(one_that_is_kept_without_service_takes_the_fallback_once_confirmed),
        T(a_confirmation_is_waited_for_without_a_clock),
        T(no_clock_of_a_confirmation_outlives_it),
        T(the_candidate_that_fails_last_cools_down),
        T(what_the_terminal_did_not_fetch_is_taken_back),
        T(a_terminal_that_never_left_needs_no_start_to_be_there),
        T(a_switch_that_is_refused_is_put_back),
        T(a_limit_moves_the_end_of_the_outage_alone),
        T(a_random_wait_is_of_any_length_up_to_the_longest),
        T(another_country_is_one_that_differs_in_any_digit),
        T(a_country_that_was_seen_in_an_outage_counts_when_service_is_back),
        T(a_heartbeat_is_due_again_after_its_hours),
        T(a_return_that_cannot_be_is_asked_for_again),
        T(a_day_that_is_over_ends_the_wait_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
