// What a group wants of a card's parameters, against what the card is known to have.
#include "ota-server/core/timers.h"
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

static struct world world;

// T_ATTACH 300 s and NOTIFY_WAITS 60 and 120 s [docs/applet-protocol.md, CONFIGURE-1].
static const struct policy_timers wanted = {
    10, {0x05, 0x02, 0x01, 0x2C, 0x0E, 0x04, 0x00, 0x3C, 0x00, 0x78}};
#define NAMED (1u << PARAMETER_T_ATTACH | 1u << PARAMETER_NOTIFY_WAITS)

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    world.record.level = 2;
    world.policy.timers = wanted;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static uint8_t agreement(void)
{
    return timers_agreement(&world.record, &world.policy.timers);
}

static void want(void)
{
    struct event e = {.type = EVENT_TIMERS, .actor = {ACTOR_RULE, 9}};
    world_event(&world, &e);
}

// The card's answer to CONFIGURE.
static void configured(uint16_t version, const uint8_t *list, uint16_t len)
{
    struct event e = {.type = EVENT_POR};
    struct event_por *p = &e.as.por;
    p->is_authentic = true;
    p->counter = world.record.flight.counter;
    p->has_result = true;
    p->result.command = COMMAND_CONFIGURE;
    p->result.operation_id = world.record.flight.operation_id;
    p->result.registry_version = world.record.registry_version;
    p->configuration_version = version;
    p->list_len = len;
    memcpy(p->list, list, len);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_event(&world, &e);
}

static void audited(uint16_t version)
{
    struct event e = {.type = EVENT_REQUEST, .fresh_id = ++world.next_id};
    e.as.request.operation = (struct operation){.id = 77, .kind = OPERATION_AUDIT};
    world_event(&world, &e);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.configuration_version = version;
    world_event(&world, &e);
}

static void only_what_the_group_names_is_compared(void **state)
{
    (void)state;
    struct parameters *p = &world.record.parameters;
    assert_int_equal(timers_named(&wanted), NAMED);
    assert_int_equal(timers_differing(p, &wanted), NAMED);
    p->attach_s = 300;
    assert_int_equal(timers_differing(p, &wanted), 1u << PARAMETER_NOTIFY_WAITS);
    assert_int_equal(agreement(), TIMERS_DIFFER);
    p->wait_count = 2;
    p->waits_s[0] = 60;
    p->waits_s[1] = 120;
    p->poll_period_s = 99; // the group does not care
    assert_int_equal(timers_differing(p, &wanted), 0);
    assert_int_equal(agreement(), TIMERS_AGREE);
    world.policy.timers.len = 0;
    assert_int_equal(agreement(), TIMERS_NONE);
}

static void a_card_in_doubt_is_neither_right_nor_wrong(void **state)
{
    (void)state;
    world.record.configuration_version = 5; // told by an audit, and not read since
    assert_int_equal(agreement(), TIMERS_UNKNOWN);
    world.record.parameters_version = 5;
    assert_int_equal(agreement(), TIMERS_DIFFER);
    world.record.dirty_since = world.now;
    assert_int_equal(agreement(), TIMERS_UNKNOWN);
}

static void a_card_without_the_command_is_not_asked(void **state)
{
    (void)state;
    world.record.level = 1;
    assert_int_equal(agreement(), TIMERS_NOT_SUPPORTED);
    want();
    assert_int_equal(world.decision.refusal, REFUSAL_NOT_SUPPORTED_BY_CARD);
    assert_int_equal(world.record.queue_len, 0);
    assert_false(world.record.has_open);
    // T_ATTACH 180 s is the default, which such a card has.
    world.policy.timers = (struct policy_timers){4, {0x05, 0x02, 0x00, 0xB4}};
    assert_int_equal(agreement(), TIMERS_AGREE);
}

static void a_card_is_brought_to_what_its_group_wants(void **state)
{
    (void)state;
    want();
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
    const uint64_t id = world.decision.operation;
    assert_true(id != 0 && world.record.open.id == id);
    assert_int_equal(world.record.open.actor.kind, ACTOR_RULE);
    assert_memory_equal(world.record.open.list, wanted.list, wanted.len);
    want(); // it is asked already
    assert_true(world.decision.operation == id);
    assert_int_equal(world.record.queue_len, 0);
    configured(1, wanted.list, wanted.len);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(agreement(), TIMERS_AGREE);
    want();
    assert_true(world.decision.operation == 0 && !world.record.has_open);
}

static void a_dirty_card_is_asked_and_waits_until_it_is_clean(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    want();
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
    assert_int_equal(world.record.queue_len, 1);
    assert_int_equal(world.record.queue[0].hold, HOLD_CARD_DIRTY);
}

static void a_full_queue_and_a_retired_card_are_told(void **state)
{
    (void)state;
    world.record.queue_len = RECORD_QUEUE_MAX;
    for (unsigned i = 0; i < RECORD_QUEUE_MAX; i++)
        world.record.queue[i] = (struct operation){.id = 100 + i,
                                                   .kind = OPERATION_READ_TIMERS,
                                                   .status = STATUS_QUEUED,
                                                   .at_next_contact = true,
                                                   .not_after = {world.now.ms + 1000000}};
    want();
    assert_int_equal(world.decision.refusal, REFUSAL_QUEUE_FULL);
    world.record.queue_len = 0;
    world.record.state = CARD_RETIRED;
    want();
    assert_int_equal(world.decision.refusal, REFUSAL_CARD_RETIRED);
}

static void what_others_wrote_is_unknown_until_it_is_read(void **state)
{
    (void)state;
    want();
    configured(3, wanted.list, wanted.len); // the card counted two writings that nobody told us of
    assert_int_equal(world.record.configuration_version, 3);
    assert_int_equal(agreement(), TIMERS_UNKNOWN);
    audited(3);
    assert_true(world.record.has_open && world.record.open.kind == OPERATION_READ_TIMERS);
    configured(3, wanted.list, wanted.len);
    assert_int_equal(agreement(), TIMERS_AGREE);
}

static void a_reading_that_never_came_is_asked_for_by_the_next_audit(void **state)
{
    (void)state;
    audited(2);
    assert_true(world.record.has_open && world.record.open.kind == OPERATION_READ_TIMERS);
    world_submit(&world, SUBMIT_REJECTED);
    assert_false(world.record.has_open);
    assert_int_equal(agreement(), TIMERS_UNKNOWN);
    audited(2);
    assert_true(world.record.has_open && world.record.open.kind == OPERATION_READ_TIMERS);
    audited(2); // and is not asked for twice
    assert_int_equal(world.record.queue_len, 0);
}

// The card keeps the new address with the confirmation, and nothing else tells that.
static void an_address_that_was_checked_is_read(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ADDRESS_CHECK, 1, false);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_CONFIRM_UNKNOWN);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
    assert_int_equal(world.record.open.kind, OPERATION_READ_TIMERS);
}

// Its confirmation was lost, and it tells again while the reading is under way: what is read may be
// from before the confirmation that follows.
static void an_address_that_is_checked_while_it_is_read_is_read_again(void **state)
{
    (void)state;
    an_address_that_was_checked_is_read(state);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_notify(&world, NOTIFY_ADDRESS_CHECK, 1, false);
    world_notify(&world, NOTIFY_ADDRESS_CHECK, 1, false); // once is enough
    assert_int_equal(world.record.queue_len, 1);
    configured(2, wanted.list, wanted.len);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_CONFIRM_UNKNOWN);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
    configured(3, wanted.list, wanted.len);
    assert_int_equal(world.record.parameters_version, 3);
}

// It went back to version 4 and was configured again: the number says that nothing changed.
static void a_card_that_went_back_is_read(void **state)
{
    (void)state;
    world.policy.timers.len = 0;
    world.record.configuration_version = world.record.parameters_version = 5;
    world_notify(&world, NOTIFY_RESTORED, 1, false);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
    assert_int_equal(world.record.open.kind, OPERATION_READ_TIMERS);
}

// Sixteen wait for an approval, and there is no place for the server's own reading.
static void fill(void)
{
    world.record.queue_len = RECORD_QUEUE_MAX;
    for (unsigned i = 0; i < RECORD_QUEUE_MAX; i++)
        world.record.queue[i] = (struct operation){.id = 100 + i,
                                                   .kind = OPERATION_READ_TIMERS,
                                                   .status = STATUS_AWAIT_APPROVAL,
                                                   .deadline = utc_after(world.now, 3600000)};
}

static void a_reading_without_a_place_in_the_queue_waits_for_one(void **state)
{
    (void)state;
    fill();
    world_notify(&world, NOTIFY_ADDRESS_CHECK, 1, false);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.record.queue_len, RECORD_QUEUE_MAX);
    assert_false(world.record.has_open);
    struct event e = {.type = EVENT_REJECTED, .operation = 107};
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
    assert_true(world.record.open.is_automatic);
    configured(3, wanted.list, wanted.len);
    assert_int_equal(world.record.parameters_version, 3);
    assert_int_equal(world.record.timers_due.ms, 0);
}

// The first reading left before the address was checked again, and its answer says nothing of that.
static void a_reading_from_before_does_not_serve_what_has_no_place_yet(void **state)
{
    (void)state;
    an_address_that_was_checked_is_read(state);
    world_submit(&world, SUBMIT_ACCEPTED);
    fill();
    world_notify(&world, NOTIFY_ADDRESS_CHECK, 1, false);
    configured(2, wanted.list, wanted.len);
    assert_true(world.record.timers_due.ms != 0);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    world_wake_after(&world, 3600000); // all the others expired
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
    configured(3, wanted.list, wanted.len);
    assert_int_equal(world.record.parameters_version, 3);
    assert_int_equal(world.record.timers_due.ms, 0);
}

static void a_reading_that_the_card_refuses_is_asked_for_a_day_later(void **state)
{
    (void)state;
    an_address_that_was_checked_is_read(state);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_UNKNOWN_PARAMETER);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world.decision.send_count, 0);
    assert_true(world.record.wake_at.ms - world.now.ms <= 86400000);
    world_wake_after(&world, 43200000);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, 43200000);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIGURE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_what_the_group_names_is_compared),
        CASE(a_card_in_doubt_is_neither_right_nor_wrong),
        CASE(a_card_without_the_command_is_not_asked),
        CASE(a_card_is_brought_to_what_its_group_wants),
        CASE(a_dirty_card_is_asked_and_waits_until_it_is_clean),
        CASE(a_full_queue_and_a_retired_card_are_told),
        CASE(what_others_wrote_is_unknown_until_it_is_read),
        CASE(an_address_that_was_checked_is_read),
        CASE(an_address_that_is_checked_while_it_is_read_is_read_again),
        CASE(a_reading_that_never_came_is_asked_for_by_the_next_audit),
        CASE(a_card_that_went_back_is_read),
        CASE(a_reading_without_a_place_in_the_queue_waits_for_one),
        CASE(a_reading_from_before_does_not_serve_what_has_no_place_yet),
        CASE(a_reading_that_the_card_refuses_is_asked_for_a_day_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
