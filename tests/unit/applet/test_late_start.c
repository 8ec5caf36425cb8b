// A start that the memory cannot keep, and a memory that recovers: the journal is carried out then.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/rules.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static void memory_fails(void)
{
    card.writes = 0;
    card.fail_at = 1;
    card.fails_on = true;
}

static void memory_recovers(void)
{
    card.fail_at = 0;
    card.fails_on = false;
}

// The time to try again is the first thing that happens.
static void try_again(void)
{
    applet_timer(&card.applet, &card.port, CLOCK_STATE + 1);
    bench_pump(&card);
}

static const struct notification *await_confirm(void)
{
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_ENABLED);
    assert_non_null(n);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    return n;
}

static void confirm(const struct notification *n)
{
    struct command c = bench_confirm(&card, n->sequence, n->operation_id);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_int_equal(bench_dump(&card).image.journal.phase, JOURNAL_NONE);
}

// What was confirmed is not rolled back at the next start.
static void assert_final(void)
{
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_int_equal(bench_enabled(&card), 1);
}

static void a_confirmation_after_a_start_that_could_not_be_kept_closes_the_switch(void **state)
{
    (void)state;
    const struct notification n = *await_confirm();
    memory_fails();
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    memory_recovers();
    confirm(&n);
    assert_final();
}

static void a_card_asks_for_the_confirmation_again_once_its_memory_recovers(void **state)
{
    (void)state;
    const struct notification n = *await_confirm();
    memory_fails();
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    try_again(); // in vain
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    memory_recovers();
    card.sent_count = 0;
    try_again();
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    assert_non_null(bench_note(&card, NOTIFY_ENABLED));
    confirm(&n);
    assert_final();
}

static void nothing_runs_before_the_start_is_kept(void **state)
{
    (void)state;
    const struct notification n = *await_confirm();
    memory_fails();
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    card.fails_on = false;
    card.writes = 0;
    card.fail_at = 8; // the counter is kept, the start is not
    struct command c = bench_confirm(&card, n.sequence, n.operation_id);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_NVM_ERROR);
    assert_true(bench_is_pending(&card, NOTIFY_ENABLED));
    confirm(&n);
}

// It is tried again after 60 s, which are two STATUS commands of 30 s each.
static void a_late_start_is_tried_again_by_status_where_there_are_no_timers(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    cat_profile_set(card.profile, sizeof card.profile, CAT_FEATURE_TIMER_START_STOP, false);
    cat_profile_set(card.profile, sizeof card.profile, CAT_FEATURE_POLL_INTERVAL, false);
    memory_fails();
    bench_boot(&card);
    memory_recovers();
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
}

// The switch was committed; what is over 60 s later is not T_ATTACH.
static void a_probation_that_begins_late_lasts_as_long(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    memory_fails();
    bench_boot(&card);
    memory_recovers();
    try_again();
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 180);
    assert_int_equal(bench_enabled(&card), 1);
}

static void service_that_came_before_a_late_probation_counts(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    memory_fails();
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    memory_recovers();
    try_again();
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    assert_non_null(bench_note(&card, NOTIFY_ENABLED));
}

// The terminal started on the former subscription: its service proves nothing.
static void a_switch_that_is_recovered_late_asks_for_a_refresh(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    memory_fails();
    bench_boot(&card);
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_SWITCHING);
    card.refreshes = 0;
    bench_run_out(&card, CLOCK_STATE); // T_REFRESH
    assert_int_equal(bench_enabled(&card), 0);
    memory_recovers();
    bench_run_out(&card, CLOCK_STATE); // the switch is tried again
    assert_int_equal(card.refreshes, 1);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.applet.state, SWITCH_PROBATION);
    assert_null(bench_note(&card, NOTIFY_ENABLED));
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_non_null(bench_note(&card, NOTIFY_ENABLED));
}

// An octet of the content of a bank: behind the two copies of the counters (30 octets each),
// marker, seal, CRC, number and length (12).
static void damage(unsigned bank)
{
    const size_t bank_len = (BENCH_NVM - 60) / 2;
    memory_release(&card.port);
    card.nvm[60 + bank * bank_len + 12] ^= 1;
}

static void damage_is_told_also_when_the_start_is_late(void **state)
{
    (void)state;
    damage(card.applet.bank);
    memory_fails();
    bench_boot(&card);
    assert_false(bench_is_pending(&card, NOTIFY_RESTORED));
    memory_recovers();
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_RESTORED);
    assert_non_null(n);
    assert_int_equal(n->operation_id, 0);
    assert_false(n->from.is_given);
    assert_true(n->to.is_given);
}

static void what_is_pending_is_sent_when_a_late_start_finds_service(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_is_pending(&card, NOTIFY_FIRST_CONTACT));
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    memory_fails();
    bench_boot(&card);
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    memory_release(&card.port);
    card.fail_read_at = card.reads + 1; // not even read, while the terminal tells of service
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, card.plmn);
    card.fail_read_at = 0;
    memory_recovers();
    card.sent_count = 0;
    card.service = CAT_SERVICE_NORMAL; // and tells of the same again
    bench_pump(&card);
    assert_int_equal(card.applet.state, SWITCH_SWITCHING);
    assert_non_null(bench_note(&card, NOTIFY_FIRST_CONTACT));
}

static bool (*real_write)(void *context, size_t at, const void *from, size_t len);
static unsigned failures;

static bool write_after_failures(void *context, size_t at, const void *from, size_t len)
{
    if (failures == 0)
        return real_write(context, at, from, len);
    failures--;
    return false;
}

static void a_start_is_tried_three_times_at_once(void **state)
{
    (void)state;
    await_confirm();
    real_write = card.port.nvm_write;
    card.port.nvm_write = write_after_failures;
    for (unsigned count = 0; count <= 3; count++) {
        failures = count;
        applet_start(&card.applet, &card.port);
        assert_int_equal(card.applet.state, count < 3 ? SWITCH_CONFIRMING : SWITCH_STARTING);
        assert_int_equal(failures, 0);
    }
}

static void a_start_of_a_card_that_is_whole_writes_nothing(void **state)
{
    (void)state;
    card.writes = 0;
    bench_boot(&card);
    assert_int_equal(card.writes, 0);
}

// A memory that can be read no more, whenever that is: nothing is asked of such a card.
static void a_new_card_that_cannot_be_read_is_dead(void **state)
{
    (void)state;
    unsigned reads = 1;
    for (unsigned at = 0; at <= reads; at++) {
        bench_close(&card);
        bench_init(&card);
        card.fail_read_at = at;
        card.fails_on = true;
        applet_start(&card.applet, &card.port);
        if (at == 0)
            reads = card.reads;
        assert_int_equal(card.applet.is_dead, at > 0);
    }
    card.fail_read_at = 0;
    card.fails_on = false;
    bench_boot(&card);
}

// The power goes when the new image is there, and the memory keeps nothing after it.
static void a_card_that_began_anew_says_so_whatever_follows(void **state)
{
    (void)state;
    damage(0);
    damage(1);
    memory_fails();
    card.fail_at = 8; // the image takes 7 writes
    bench_boot(&card);
    assert_true(bench_is_pending(&card, NOTIFY_RESTORED));
    assert_int_equal(bench_dump(&card).image.notify_sequence, 1);
    assert_int_equal(bench_dump(&card).image.pending_count, 1);
    memory_recovers();
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_RESTORED);
    assert_non_null(n);
    assert_int_equal(n->sequence, 1);
    assert_true(n->to.is_given);
}

static void a_confirmation_without_service_starts_the_outage_clock(void **state)
{
    (void)state;
    const struct notification n = *await_confirm();
    bench_service(&card, CAT_SERVICE_LIMITED);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    struct command c = bench_confirm(&card, n.sequence, n.operation_id);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    assert_int_equal(bench_dump(&card).image.journal.phase, JOURNAL_NONE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 180); // T_LIMITED
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_confirmation_after_a_start_that_could_not_be_kept_closes_the_switch),
        T(a_card_asks_for_the_confirmation_again_once_its_memory_recovers),
        T(nothing_runs_before_the_start_is_kept),
        T(a_late_start_is_tried_again_by_status_where_there_are_no_timers),
        T(a_probation_that_begins_late_lasts_as_long),
        T(service_that_came_before_a_late_probation_counts),
        T(a_switch_that_is_recovered_late_asks_for_a_refresh),
        T(damage_is_told_also_when_the_start_is_late),
        T(what_is_pending_is_sent_when_a_late_start_finds_service),
        T(a_start_is_tried_three_times_at_once),
        T(a_start_of_a_card_that_is_whole_writes_nothing),
        T(a_new_card_that_cannot_be_read_is_dead),
        T(a_card_that_began_anew_says_so_whatever_follows),
        T(a_confirmation_without_service_starts_the_outage_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
