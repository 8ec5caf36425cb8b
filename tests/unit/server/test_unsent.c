// decide(): packets that no link took while they were valid, and those that are not sent any more.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define MINUTE 60000
#define HOUR (60 * (int64_t)MINUTE)

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void a_packet_that_no_link_took_is_built_again_and_counts_as_none(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    const uint64_t first = world.record.flight.counter;
    const uint32_t id = world.record.open.card_operation_id;
    world.record.open.sms_mt = 1;
    world.record.open.bytes_mt = 98;
    world.now.ms += HOUR;
    world_submit(&world, SUBMIT_UNSENT);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].counter, first + 1);
    assert_int_equal(world.decision.sends[0].operation_id, id);
    assert_int_equal(world.record.open.attempts, 1);
    assert_int_equal(world.record.open.sms_mt, 0); // the turn counts the new one
    assert_int_equal(world.record.open.bytes_mt, 0);
    assert_int_equal(world.record.open.retries, 0);
}

static void what_no_link_took_until_its_time_was_over_is_certain_not_to_arrive(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world.now.ms += 24 * HOUR;
    world_submit(&world, SUBMIT_UNSENT);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_false(world_ended(&world)->may_still_arrive);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void
what_an_earlier_packet_may_have_done_stays_open_when_a_later_one_is_withdrawn(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST); // a receipt may be wrong
    world_wake_after(&world, 10 * MINUTE);
    assert_int_equal(world.record.open.attempts, 2);
    world.now.ms += 24 * HOUR;
    world_submit(&world, SUBMIT_UNSENT);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_true(world_ended(&world)->may_still_arrive);
}

static void an_audit_that_waits_for_a_link_is_not_joined_by_the_next(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    assert_int_equal(world.decision.send_count, 1);
    for (int i = 0; i < 24; i++) {
        world_wake_after(&world, HOUR);
        assert_int_equal(world.decision.send_count, 0);
    }
    world_submit(&world, SUBMIT_UNSENT); // withdrawn: the next attempt, which is due
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void an_audit_of_a_clean_card_ends_though_no_link_ever_takes_it(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_AUDIT);
    assert_int_equal(world.decision.send_count, 1);
    world.now.ms += HOUR;
    world_submit(&world, SUBMIT_UNSENT);
    assert_int_equal(world.decision.send_count, 1);
    world.now.ms += 23 * HOUR;
    world_submit(&world, SUBMIT_UNSENT);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    (void)world_request(&world, OPERATION_AUDIT);
    world_submit(&world, SUBMIT_TEMPORARY); // refused for an hour
    assert_null(world_ended(&world));
    world_wake_after(&world, 10 * MINUTE);
    assert_int_equal(world.decision.send_count, 1);
    world_submit(&world, SUBMIT_REJECTED); // for good
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world_ended(&world)->failure, FAILURE_SUBMIT_REJECTED);
    assert_int_equal(world.record.flight.kind, FLIGHT_NONE);
}

static void a_confirmation_that_no_link_took_does_not_keep_its_operation_waiting(void **state)
{
    (void)state;
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.record.flight.kind, FLIGHT_CONFIRM);
    world_notify(&world, NOTIFY_IMEI_CHANGED, 2, false);
    world.now.ms += 5 * MINUTE;
    world_submit(&world, SUBMIT_UNSENT);
    assert_int_equal(world.decision.send_count, 1); // that of the other, which no link takes either
    assert_int_equal(world.decision.sends[0].operation_id, 0);
    assert_int_equal(world.record.open.status, STATUS_CONFIRMING);
    world_wake_after(&world, 5 * MINUTE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_CONFIRM_UNACKNOWLEDGED));
    assert_int_equal(world.record.flight.kind, FLIGHT_CONFIRM); // it may still leave
}

static const char *detail_of(uint8_t step)
{
    for (uint8_t i = 0; i < world.decision.step_count; i++) {
        if (world.decision.steps[i].name == step)
            return world.decision.steps[i].detail;
    }
    return "none";
}

// What waits for its next attempt says, too, why it is refused.
static void a_refusal_between_attempts_is_a_step(void **state)
{
    (void)state;
    const uint64_t id = world_request(&world, OPERATION_SET_FALLBACK);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    struct event e = {
        .type = EVENT_BAR, .subscription = world.record.slots[1].subscription, .is_barred = true};
    world_event(&world, &e);
    world_wake_after(&world, 10 * MINUTE);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.decision.ended_count, 1);
    assert_int_equal(world.decision.ended[0].id, id);
    assert_int_equal(world.decision.ended[0].outcome, OUTCOME_REFUSED);
    assert_string_equal(detail_of(STEP_CHECKED), refusal_name(REFUSAL_NOT_ELIGIBLE));
    assert_string_equal(detail_of(STEP_ENDED), "refused");
}

// An SMSC keeps a packet for a minute at least: it would bring it behind the end of its operation.
static void what_has_less_than_a_minute_left_is_not_sent(void **state)
{
    for (int64_t left_ms = 59999; left_ms <= 60000; left_ms++) {
        (void)tear_down(state);
        (void)set_up(state);
        struct event e = {.type = EVENT_REQUEST};
        struct operation *o = &e.as.request.operation;
        o->id = world.next_id++;
        o->kind = OPERATION_DELETE;
        o->subscription = world.record.slots[1].subscription;
        o->target = record_slot_name(&world.record.slots[1]);
        o->not_before = utc_after(world.now, HOUR);
        o->not_after = utc_after(o->not_before, left_ms);
        world_event(&world, &e);
        world_wake_after(&world, HOUR);
        assert_int_equal(world.decision.send_count, left_ms == 60000 ? 1 : 0);
        if (left_ms == 60000) {
            assert_int_equal(world.decision.sends[0].validity_ms, 60000);
            continue;
        }
        assert_int_equal(world.record.wake_at.ms, o->not_after.ms);
        world_wake_after(&world, left_ms);
        assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
        assert_false(world_ended(&world)->may_still_arrive);
        assert_false(record_has_mark(&world.record, MARK_DIRTY));
    }
}

// The doubt goes on when the question that a person asked has ended.
static void an_audit_with_less_than_a_minute_left_is_not_sent(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_REQUEST};
    struct operation *o = &e.as.request.operation;
    o->id = world.next_id++;
    o->kind = OPERATION_AUDIT;
    o->not_before = utc_after(world.now, HOUR);
    o->not_after = utc_after(o->not_before, 59999);
    world_event(&world, &e);
    world_wake_after(&world, HOUR);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.wake_at.ms, o->not_after.ms);
    e = (struct event){.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world.record.next_audit_at = world.now;
    world_wake_after(&world, 59998);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, 1);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    assert_true(world.record.audit.operation.is_automatic);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packet_that_no_link_took_is_built_again_and_counts_as_none),
        TEST(what_no_link_took_until_its_time_was_over_is_certain_not_to_arrive),
        TEST(what_an_earlier_packet_may_have_done_stays_open_when_a_later_one_is_withdrawn),
        TEST(an_audit_that_waits_for_a_link_is_not_joined_by_the_next),
        TEST(an_audit_of_a_clean_card_ends_though_no_link_ever_takes_it),
        TEST(a_confirmation_that_no_link_took_does_not_keep_its_operation_waiting),
        TEST(a_refusal_between_attempts_is_a_step),
        TEST(what_has_less_than_a_minute_left_is_not_sent),
        TEST(an_audit_with_less_than_a_minute_left_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
