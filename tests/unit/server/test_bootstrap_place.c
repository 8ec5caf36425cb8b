// The place of a bootstrap among those of its group: who waits, who holds one, and that no time
// wakes who waits.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/bootstrap_lab.h"

// It moved to another subscription before its first word.
static void who_waits_is_operational_at_no_later_contact(void **state)
{
    (void)state;
    struct record *r = &world.record;
    r->state = CARD_SEEN;
    r->slot_count = 2;
    r->slots[0].fact.state = SLOT_DISABLED;
    r->slots[1].fact.state = SLOT_ENABLED;
    contact();
    plan(REFUSAL_POOL_EMPTY);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(job(), BOOTSTRAP_WAITING);
        assert_int_equal(r->state, CARD_SEEN);
        contact();
    }
    plan(REFUSAL_NONE);
    assert_int_equal(r->state, CARD_BOOTSTRAPPING);
}

static void in_doubt_it_is_out_of_the_queue(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_CARD_BUSY);
    const int64_t began_ms = world.now.ms;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world.now.ms += HOUR;
    world_event(&world, &e);
    assert_int_equal(bootstrap_place(&world.record), PLACE_NONE);
    plan(REFUSAL_NONE);
    assert_int_equal(world.decision.refusal, REFUSAL_WRONG_STATUS);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    e = (struct event){.type = EVENT_CLEAR_DIRTY};
    world_event(&world, &e);
    assert_true(bootstrap_place(&world.record) == began_ms); // where it was
}

static void a_job_that_is_resumed_waits_for_its_turn_first(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    downloaded();
    answer(RESULT_KEY_CHECK_FAILED);
    assert_int_equal(bootstrap_place(&world.record), PLACE_NONE);
    act(BOOTSTRAP_RESUME);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(bootstrap_place(&world.record), PLACE_FIRST);
    plan(REFUSAL_CARD_BUSY);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    act(BOOTSTRAP_CANCEL); // what is reserved is not forgotten
    assert_int_equal(job(), BOOTSTRAP_CANCELLING);
    assert_int_equal(sent(), COMMAND_AUDIT);
}

static void a_full_queue_of_the_card_is_no_reason_to_look_every_minute(void **state)
{
    (void)state;
    contact();
    struct record *r = &world.record;
    for (r->queue_len = 0; r->queue_len < RECORD_QUEUE_MAX; r->queue_len++)
        r->queue[r->queue_len] = (struct operation){.id = 5000u + r->queue_len,
                                                    .kind = OPERATION_AUDIT,
                                                    .status = STATUS_AWAIT_APPROVAL,
                                                    .deadline = {world.now.ms + 48 * HOUR}};
    plan(REFUSAL_NONE);
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(r->wake_at.ms, world.now.ms + 24 * HOUR);
    struct event e = {.type = EVENT_CANCEL, .operation = 5000};
    world_event(&world, &e);
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
}

static void while_it_uses_another_subscription_it_holds_no_place(void **state)
{
    (void)state;
    up_to_soaking();
    assert_int_equal(bootstrap_place(&world.record), PLACE_HELD);
    world_notify(&world, NOTIFY_FALLBACK, 1, false);
    answer(RESULT_OK);
    assert_int_equal(job(), BOOTSTRAP_SOAKING);
    assert_int_equal(bootstrap_place(&world.record), PLACE_NONE);
    world_notify(&world, NOTIFY_RETURNED, 3, false);
    answer(RESULT_OK);
    assert_int_equal(bootstrap_place(&world.record), PLACE_HELD);
}

static void another_subscription_that_a_person_enables_takes_no_bootstrap_away(void **state)
{
    (void)state;
    world.policy.bootstrap.trigger = BOOTSTRAP_AFTER_ACTIVATION;
    world.policy.bootstrap.delay_s = 7200;
    world.record.slot_count = 2;
    world.record.slots[0].fact.role = ROLE_BOOTSTRAP;
    world.record.slots[1].fact.role = ROLE_OPERATIONAL;
    contact();
    assert_int_equal(world.record.state, CARD_SEEN);
    (void)world_request(&world, OPERATION_ENABLE);
    assert_int_equal(sent(), COMMAND_ENABLE);
    enabled(2);
    assert_int_equal(record_enabled(&world.record)->fact.slot, 2);
    assert_int_equal(world.record.state, CARD_SEEN);
    world_wake_after(&world, 2 * HOUR);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

// What nobody approves may never be sent, and ends with the time for the approval.
static void the_last_audit_does_not_wait_for_an_approval_of_another(void **state)
{
    (void)state;
    up_to_soaking();
    struct event e = {.type = EVENT_REQUEST};
    e.as.request.operation =
        (struct operation){.id = 900, .kind = OPERATION_AUDIT, .needs_approval = true};
    world_event(&world, &e);
    assert_int_equal(world.record.audit.operation.status, STATUS_AWAIT_APPROVAL);
    const int64_t until = world.now.ms + world.policy.approval_ms;
    world_wake_after(&world, HOUR);
    assert_int_equal(job(), BOOTSTRAP_FINISHING);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.bootstrap.operation, 0);
    world.now.ms = until;
    world_wake_after(&world, 0);
    assert_int_equal(world.decision.ended[0].id, 900);
    assert_int_equal(world.decision.ended[0].outcome, OUTCOME_EXPIRED);
    assert_int_equal(world.decision.ended[0].failure, FAILURE_APPROVAL_EXPIRED);
    assert_int_equal(sent(), COMMAND_AUDIT);
    audited();
    assert_int_equal(job(), BOOTSTRAP_DONE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_waits_is_operational_at_no_later_contact),
        CASE(in_doubt_it_is_out_of_the_queue),
        CASE(a_job_that_is_resumed_waits_for_its_turn_first),
        CASE(a_full_queue_of_the_card_is_no_reason_to_look_every_minute),
        CASE(the_last_audit_does_not_wait_for_an_approval_of_another),
        CASE(another_subscription_that_a_person_enables_takes_no_bootstrap_away),
        CASE(while_it_uses_another_subscription_it_holds_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
