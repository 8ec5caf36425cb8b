// What a bootstrap had reserved for a card that is retired: what never left goes back to its pool.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/bootstrap_lab.h"

static void begun(void)
{
    contact();
    plan(REFUSAL_NONE);
    assert_int_equal(sent(), COMMAND_DOWNLOAD); // of the first
}

static void retire(void)
{
    struct event e = {.type = EVENT_RETIRE};
    world_event(&world, &e);
    assert_int_equal(world.record.state, CARD_RETIRED);
}

static uint64_t item(uint8_t index)
{
    return world.record.bootstrap.items[index].subscription;
}

static void what_never_left_goes_back_at_once(void **state)
{
    (void)state;
    begun();
    world_submit(&world, SUBMIT_ACCEPTED);
    retire();
    assert_int_equal(world.decision.released_count, 1);
    assert_int_equal(world.decision.released[0], SECOND);
    assert_true(world.decision.is_job_changed);
    assert_int_equal(item(0), FIRST);
    assert_int_equal(item(1), 0);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.record.bootstrap.failure, REFUSAL_CARD_RETIRED);
}

static void a_packet_that_no_link_took_did_not_leave(void **state)
{
    (void)state;
    begun();
    world.are_downloads_held = true; // it waits until it is sent again
    world_submit(&world, SUBMIT_UNSENT);
    retire();
    assert_int_equal(world.decision.released_count, 2);
    assert_int_equal(item(0), 0);
}

// A receipt may be wrong.
static void a_packet_that_is_said_to_be_lost_may_have_come(void **state)
{
    (void)state;
    begun();
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    retire();
    assert_int_equal(world.decision.released_count, 1);
    assert_int_equal(item(0), FIRST);
}

static void what_is_on_the_card_stays_there(void **state)
{
    (void)state;
    begun();
    downloaded();
    world_submit(&world, SUBMIT_ACCEPTED);
    retire();
    assert_int_equal(world.decision.released_count, 0);
    assert_int_equal(item(0), FIRST);
    assert_int_equal(item(1), SECOND);
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
}

static void a_job_that_had_stopped_gives_back_too(void **state)
{
    (void)state;
    begun();
    answer(RESULT_KEY_CHECK_FAILED);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.decision.released_count, 0);
    retire();
    assert_int_equal(world.decision.released_count, 1);
    assert_int_equal(world.decision.released[0], SECOND);
    assert_int_equal(item(0), FIRST);
}

static void what_the_factory_put_there_is_no_pools(void **state)
{
    (void)state;
    begun();
    world.record.bootstrap.items[1].plan = (struct download_plan){.template_number = 0};
    retire();
    assert_int_equal(world.decision.released_count, 0);
}

// The backup does not say what left since.
static void after_a_restore_anything_may_have_left(void **state)
{
    (void)state;
    begun();
    struct event e = {.type = EVENT_RESTORE};
    world_event(&world, &e);
    retire();
    assert_int_equal(world.decision.released_count, 0);
    assert_int_equal(item(1), SECOND);
}

static void it_is_noted_in_the_record(void **state)
{
    (void)state;
    static uint8_t octets[RECORD_OCTETS_MAX];
    begun();
    answer(RESULT_KEY_CHECK_FAILED);
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &world.record);
    assert_true(record_read(writer_bytes(&w), &world.record));
    assert_true(world.record.bootstrap.items[0].may_be_there);
    assert_false(world.record.bootstrap.items[1].may_be_there);
}

static void nobody_goes_on_with_it(void **state)
{
    (void)state;
    static const uint8_t actions[] = {BOOTSTRAP_START, BOOTSTRAP_RESUME, BOOTSTRAP_CANCEL};
    begun();
    retire();
    for (size_t i = 0; i < sizeof(actions); i++) {
        act(actions[i]);
        assert_int_equal(world.decision.refusal, REFUSAL_CARD_RETIRED);
        assert_int_equal(job(), BOOTSTRAP_FAILED);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_never_left_goes_back_at_once),
        CASE(a_packet_that_no_link_took_did_not_leave),
        CASE(a_packet_that_is_said_to_be_lost_may_have_come),
        CASE(what_is_on_the_card_stays_there),
        CASE(a_job_that_had_stopped_gives_back_too),
        CASE(what_the_factory_put_there_is_no_pools),
        CASE(after_a_restore_anything_may_have_left),
        CASE(it_is_noted_in_the_record),
        CASE(nobody_goes_on_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
