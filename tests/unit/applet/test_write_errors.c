// A write that fails once, outside of a command: what was to be kept is tried again a minute later,
// and until then everything is as before.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/rules.h"
#include "applet/toolkit.h"
#include "tests/lib/cmocka_all.h"

#define AGAIN_S 60

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    static const uint8_t quick[] = {PARAMETER_JITTER_MAX, 2, 0, 0};
    bench_init(&card);
    bench_boot(&card);
    bench_set(&card, quick, sizeof quick);
    bench_service(&card, CAT_SERVICE_NORMAL); // FIRST_CONTACT waits for its confirmation
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static void fail_write(unsigned number)
{
    card.writes = 0;
    card.fail_at = number;
}

static void a_switch_that_cannot_be_kept_is_tried_a_minute_later(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_service(&card, CAT_SERVICE_NONE);
    fail_write(1);
    bench_timer(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, AGAIN_S);
    assert_false(clock_is_on(&card.applet, CLOCK_NOTIFY)); // nothing was to be told
    bench_timer(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
}

static void a_switch_from_a_memory_that_does_not_read_is_tried_a_minute_later(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_service(&card, CAT_SERVICE_NONE);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    memory_release(&card.port);
    card.reads = 0;
    card.fail_read_at = 1;
    applet_timer(&card.applet, &card.port, CLOCK_STATE + 1);
    assert_true(card.reads > 0);
    card.fail_read_at = 0;
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(bench_enabled(&card), 0);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, AGAIN_S);
    bench_timer(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
}

static void a_sending_that_cannot_be_counted_is_tried_a_minute_later(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    fail_write(1);
    bench_timer(&card, CLOCK_NOTIFY);
    assert_int_equal(card.applet.notify_attempt, 1);
    assert_int_equal(card.applet.clocks[CLOCK_NOTIFY].left_s, AGAIN_S);
    bench_timer(&card, CLOCK_NOTIFY);
    assert_int_equal(card.applet.notify_attempt, 2);
}

// CONFIGURE in a card at rest: writes 1 to 7 commit the counter, the others the image.
static void a_card_at_rest_waits_for_nothing_after_a_failed_command(void **state)
{
    (void)state;
    static const uint8_t heartbeat[] = {PARAMETER_HEARTBEAT, 2, 0, 24};
    bench_confirm_all(&card);
    struct command c =
        bench_configure(&card, bytes_of(heartbeat, sizeof heartbeat), bytes_of(NULL, 0));
    fail_write(8);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_NVM_ERROR);
    assert_int_equal(s->result.data.len, 0);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_false(clock_is_on(&card.applet, CLOCK_STATE));
    assert_false(clock_is_on(&card.applet, CLOCK_NOTIFY));
}

// DELETE: writes 1 to 7 commit the counter, the others the image.
static void a_command_that_cannot_be_kept_tells_what_is(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    const struct applet_dump before = bench_dump(&card);
    struct command c = bench_target(&card, COMMAND_DELETE, 2, 0);
    fail_write(8);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_NVM_ERROR);
    assert_int_equal(s->result.registry_version, before.image.registry_version);
    assert_int_equal(s->result.data.len, 0);
    assert_false(s->result.replayed);
    const struct applet_dump after = bench_dump(&card);
    assert_memory_equal(after.image.slots, before.image.slots, sizeof after.image.slots);
    // The same when it is the stored result that cannot be kept as the last one.
    c = bench_target(&card, COMMAND_DELETE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    fail_write(8);
    s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_NVM_ERROR);
    assert_false(s->result.replayed);
    assert_int_equal(s->result.data.len, 0);
}

// That of a first contact is not kept; the service is there nevertheless.
static void what_the_terminal_said_of_its_service_stays(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_LIMITED);
    fail_write(1);
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, card.plmn);
    assert_true(card.writes > 0);
    assert_false(bench_is_pending(&card, NOTIFY_FIRST_CONTACT));
    assert_int_equal(card.applet.service, CAT_SERVICE_NORMAL);
    assert_true(card.applet.has_service);
}

// A clock that still runs goes on as it was.
static void an_outage_goes_on_after_a_failed_command(void **state)
{
    (void)state;
    static const uint8_t heartbeat[] = {PARAMETER_HEARTBEAT, 2, 0, 24};
    bench_service(&card, CAT_SERVICE_NONE);
    const uint32_t state_s = card.applet.clocks[CLOCK_STATE].left_s;
    const uint32_t notify_s = card.applet.clocks[CLOCK_NOTIFY].left_s;
    assert_true(state_s > AGAIN_S && notify_s > 0);
    struct command c =
        bench_configure(&card, bytes_of(heartbeat, sizeof heartbeat), bytes_of(NULL, 0));
    fail_write(8);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_NVM_ERROR);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, state_s);
    assert_int_equal(card.applet.clocks[CLOCK_NOTIFY].left_s, notify_s);
}

// A card at rest that is about to return, after a wait by chance.
static void a_return_that_cannot_be_kept_is_tried_a_minute_later(void **state)
{
    (void)state;
    static const uint8_t by_chance[] = {
        PARAMETER_JITTER_MAX, 2, 0, 60, PARAMETER_T_RETURN, 4, 0, 0, 0x0E, 0x10}; // an hour
    bench_confirm_all(&card);
    bench_settle_on(&card, 2);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    bench_set(&card, by_chance, sizeof by_chance);
    for (unsigned i = 0; i < 20 && card.applet.wait != WAIT_JITTER_RETURN; i++)
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(card.applet.wait, WAIT_JITTER_RETURN);
    fail_write(1);
    bench_run_out(&card, CLOCK_STATE);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_int_equal(card.applet.wait, WAIT_JITTER_RETURN);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, AGAIN_S);
    bench_timer(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
}

static void of_clocks_that_are_over_at_once_none_is_lost(void **state)
{
    (void)state;
    static const enum applet_clock_use all[] = {CLOCK_STATE, CLOCK_NOTIFY, CLOCK_LOCK, CLOCK_SLOW};
    bench_service(&card, CAT_SERVICE_NONE);
    assert_int_equal(card.applet.notify_attempt, 1);
    card.applet.is_locked = true;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        clock_stop(&card.applet, all[i]);
        card.applet.fired |= (uint8_t)(1u << all[i]);
    }
    fail_write(1); // of the switch
    toolkit_fired(&card.applet, &card.port);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, AGAIN_S);
    assert_int_equal(card.applet.clocks[CLOCK_NOTIFY].left_s, AGAIN_S);
    assert_int_equal(card.applet.notify_attempt, 1);
    assert_false(card.applet.is_locked);
    assert_int_equal(card.applet.clocks[CLOCK_SLOW].left_s, CLOCK_SLOW_S);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_switch_that_cannot_be_kept_is_tried_a_minute_later),
        T(a_switch_from_a_memory_that_does_not_read_is_tried_a_minute_later),
        T(a_sending_that_cannot_be_counted_is_tried_a_minute_later),
        T(a_card_at_rest_waits_for_nothing_after_a_failed_command),
        T(a_command_that_cannot_be_kept_tells_what_is),
        T(what_the_terminal_said_of_its_service_stays),
        T(an_outage_goes_on_after_a_failed_command),
        T(a_return_that_cannot_be_kept_is_tried_a_minute_later),
        T(of_clocks_that_are_over_at_once_none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
