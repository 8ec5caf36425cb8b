// Downloads after a backup was put back: what the database believes to be free may be on a card.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/bootstrap_lab.h"

static void held(void)
{
    world.are_downloads_held = true;
    contact();
    plan(REFUSAL_NONE);
}

static void lose(uint64_t subscription)
{
    struct event e = {.type = EVENT_LOST, .subscription = subscription};
    world_event(&world, &e);
}

static void a_download_waits_until_no_card_is_in_doubt(void **state)
{
    (void)state;
    held();
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.queue_len, 1);
    assert_int_equal(world.record.queue[0].hold, HOLD_RESTORED);
    assert_int_equal(world.record.wake_at.ms, world.now.ms + 10 * MINUTE);
    world_wake_after(&world, 10 * MINUTE);
    assert_int_equal(world.decision.send_count, 0);
    world.are_downloads_held = false;
    world_wake_after(&world, 10 * MINUTE);
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
}

static void other_commands_do_not_wait(void **state)
{
    (void)state;
    up_to_enabling();
    world.are_downloads_held = true;
    assert_int_equal(sent(), COMMAND_ENABLE);
    enabled(3);
    assert_int_equal(job(), BOOTSTRAP_SOAKING);
}

static void a_download_that_is_forced_leaves(void **state)
{
    (void)state;
    held();
    world.record.queue[0].force = true;
    world_wake_after(&world, MINUTE);
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
}

static void what_another_card_has_is_not_sent_and_the_job_stops(void **state)
{
    (void)state;
    held();
    const uint64_t id = world.record.queue[0].id;
    world.are_downloads_held = false;
    lose(FIRST);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.queue_len, 0);
    assert_int_equal(world.decision.ended_count, 1);
    assert_true(world.decision.ended[0].id == id);
    assert_int_equal(world.decision.ended[0].outcome, OUTCOME_REFUSED);
    assert_int_equal(world.decision.ended[0].failure, FAILURE_REFUSED_AT_SEND);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.record.bootstrap.items[0].subscription, 0);
    assert_int_equal(world.record.bootstrap.items[1].subscription, SECOND);
}

static void what_is_on_the_card_is_not_lost(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    downloaded();
    lose(FIRST);
    assert_int_equal(world.record.bootstrap.items[0].subscription, FIRST);
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
}

static void what_nobody_asked_for_is_no_loss(void **state)
{
    (void)state;
    held();
    lose(999);
    assert_int_equal(world.record.queue_len, 1);
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_download_waits_until_no_card_is_in_doubt),
        CASE(other_commands_do_not_wait),
        CASE(a_download_that_is_forced_leaves),
        CASE(what_another_card_has_is_not_sent_and_the_job_stops),
        CASE(what_is_on_the_card_is_not_lost),
        CASE(what_nobody_asked_for_is_no_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
