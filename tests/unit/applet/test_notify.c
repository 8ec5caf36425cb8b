#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    card.has_imei = true;
    memcpy(card.imei, (uint8_t[]){0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54}, 8);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static unsigned sendings_of(uint8_t cause)
{
    unsigned count = 0;
    for (unsigned i = 0; i < card.sent_count; i++)
        count += !card.sent[i].is_answer && card.sent[i].note.cause == cause;
    return count;
}

static void change_imei(uint8_t digit)
{
    card.imei[1] = (uint8_t)(digit << 4 | 2);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
}

// A terminal that polls costs no look at the memory.
static void assert_nothing_is_asked(void)
{
    memory_release(&card.port);
    card.reads = 0;
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_int_equal(card.reads, 0);
}

static void a_notification_is_sent_four_times_and_then_rests(void **state)
{
    (void)state;
    const uint32_t waits[] = {60, 120, 240, 480};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), i + 1);
        assert_int_equal(card.applet.clocks[CLOCK_NOTIFY].left_s, waits[i]);
        assert_nothing_is_asked();
        bench_run_out(&card, CLOCK_NOTIFY);
    }
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 4);
    assert_int_equal(bench_dump(&card).image.pending_count, 1);
}

// Many cards lose a network at once, and must not tell it at once.
static void what_nobody_ordered_is_told_after_a_random_wait(void **state)
{
    (void)state;
    static const uint8_t jitter[] = {PARAMETER_JITTER_MAX, 2, 0x02, 0x58}; // 600 s
    bench_confirm_all(&card);
    bench_set(&card, jitter, sizeof jitter);
    bench_service(&card, CAT_SERVICE_NONE);
    for (unsigned i = 0; i < 6 && card.applet.state != SWITCH_PROBATION; i++)
        bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_is_pending(&card, NOTIFY_ROTATED));
    assert_int_equal(sendings_of(NOTIFY_ROTATED), 0);
    const uint32_t wait_s = card.applet.clocks[CLOCK_NOTIFY].left_s;
    assert_true(wait_s >= 1 && wait_s <= 600);
    assert_nothing_is_asked();
    bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(sendings_of(NOTIFY_ROTATED), 1);
}

static void what_rests_is_sent_again_when_service_is_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 5);
}

static void what_rests_is_sent_again_after_a_start(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 5);
}

static void what_rests_is_sent_again_after_a_day(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    for (unsigned i = 0; i < 287; i++) // ticks of 300 s
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 4);
    bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 5);
}

// The day that it would have waited is over: there is nothing to keep the clock for.
static void what_was_confirmed_at_rest_wears_no_memory(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    bench_confirm_all(&card);
    for (unsigned i = 0; i < 288; i++) // ticks of 300 s
        bench_timer(&card, CLOCK_SLOW);
    const unsigned writes = card.writes;
    for (unsigned i = 0; i < 24; i++)
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(card.writes, writes);
}

static void nothing_is_sent_without_service(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_LIMITED);
    bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 1);
}

static void four_are_kept_and_older_ones_are_merged_and_counted(void **state)
{
    (void)state;
    for (uint8_t digit = 4; digit < 9; digit++)
        change_imei(digit);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.pending_count, 4);
    // Six in all: FIRST_CONTACT went into the fifth, the first change of the IMEI into the sixth.
    assert_int_equal(d.image.notify_sequence, 6);
    assert_int_equal(d.image.pending[0].sequence, 3);
    assert_int_equal(d.image.pending[2].coalesced, 1);
    assert_int_equal(d.image.pending[3].coalesced, 1);
}

static void outcomes_of_commands_are_never_merged_away(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    uint32_t id = c.operation_id;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    card.sent_count = 0;
    for (uint8_t digit = 4; digit < 9; digit++) {
        card.sent_count = 0;
        change_imei(digit);
    }
    struct applet_dump d = bench_dump(&card);
    bool is_kept = false;
    for (uint8_t i = 0; i < d.image.pending_count; i++)
        is_kept = is_kept || d.image.pending[i].operation_id == id;
    assert_true(is_kept);
    assert_int_equal(d.image.pending_count, 4);
}

static void a_duplicate_or_another_command_ends_no_notification(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    (void)bench_command(&card, &c);
    (void)bench_again(&card);
    assert_int_equal(bench_dump(&card).image.pending_count, 1);
    uint32_t sequence = bench_note(&card, NOTIFY_FIRST_CONTACT)->sequence;
    struct command confirm = bench_confirm(&card, sequence, 0);
    assert_int_equal(bench_command(&card, &confirm)->result.code, RESULT_OK);
    assert_int_equal(bench_dump(&card).image.pending_count, 0);
    assert_false(clock_is_on(&card.applet, CLOCK_NOTIFY));
}

static void a_heartbeat_has_no_sequence(void **state)
{
    (void)state;
    const uint8_t list[] = {PARAMETER_HEARTBEAT, 2, 0, 1};
    struct command c = bench_configure(&card, bytes_of(list, sizeof list), bytes_of(NULL, 0));
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    for (unsigned i = 0; i < 12; i++)
        bench_timer(&card, CLOCK_SLOW);
    const struct notification *n = bench_note(&card, NOTIFY_HEARTBEAT);
    assert_non_null(n);
    assert_int_equal(n->sequence, 0);
    assert_true(n->has_hash);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_notification_is_sent_four_times_and_then_rests),
        T(what_nobody_ordered_is_told_after_a_random_wait),
        T(what_rests_is_sent_again_when_service_is_back),
        T(what_rests_is_sent_again_after_a_start),
        T(what_rests_is_sent_again_after_a_day),
        T(what_was_confirmed_at_rest_wears_no_memory),
        T(nothing_is_sent_without_service),
        T(four_are_kept_and_older_ones_are_merged_and_counted),
        T(outcomes_of_commands_are_never_merged_away),
        T(a_duplicate_or_another_command_ends_no_notification),
        T(a_heartbeat_has_no_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
