// decide(): what of a card no hash tells of: its preferred subscription, which ones had service,
// and its device.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define MINUTE 60000

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

static void what_is_deleted_is_preferred_no_more(void **state)
{
    (void)state;
    world.record.preferred = world.record.slots[1].subscription;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.record.slot_count, 1);
    assert_int_equal(world.record.preferred, 0);
}

static void the_preferred_one_stays_when_another_is_deleted(void **state)
{
    (void)state;
    const uint64_t preferred = world.record.slots[0].subscription;
    world.record.preferred = preferred;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.record.slot_count, 1);
    assert_int_equal(world.record.preferred, preferred);
}

static void what_is_confirmed_when_the_card_has_moved_on_is_not_preferred(void **state)
{
    (void)state;
    const uint64_t preferred = world.record.slots[0].subscription;
    world.record.preferred = preferred;
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.record.open.status, STATUS_CONFIRMING);
    world.record.slots[0].fact.state = SLOT_ENABLED;
    world.record.slots[1].fact.state = SLOT_DISABLED;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.preferred, preferred);
}

// An audit ended the switch while the card waited for its CONFIRM, and still preferred the other
// one.
static void what_is_confirmed_after_an_audit_is_preferred(void **state)
{
    (void)state;
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.record.open.status, STATUS_CONFIRMING);
    world_submit(&world, SUBMIT_ACCEPTED);
    world.record.switch_id = world.record.open.card_operation_id;
    world.record.has_open = false;
    world.record.preferred = world.record.slots[0].subscription;
    assert_int_equal(world.record.slots[1].fact.state, SLOT_ENABLED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.record.preferred, world.record.slots[1].subscription);
}

static void audit(uint8_t preferred_slot)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.preferred_slot = preferred_slot;
    world_event(&world, &e);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void an_audit_tells_which_one_is_preferred_or_that_none_is(void **state)
{
    (void)state;
    audit(2);
    assert_int_equal(world.record.preferred, world.record.slots[1].subscription);
    audit(0);
    assert_int_equal(world.record.preferred, 0);
    audit(1);
    assert_int_equal(world.record.preferred, world.record.slots[0].subscription);
}

// 490154203237518 and 352099009000000, as a terminal gives them.
static const uint8_t one[COMMAND_IMEI_SIZE] = {0x4A, 0x09, 0x51, 0x24, 0x30, 0x32, 0x57, 0x81};
static const uint8_t other[COMMAND_IMEI_SIZE] = {0x3A, 0x25, 0x90, 0x09, 0x90, 0x00, 0x00, 0x00};

// The first service of the card's life, on the subscription of this slot. None of them had any.
static struct event first_contact(uint8_t slot)
{
    for (uint8_t i = 0; i < world.record.slot_count; i++)
        world.record.slots[i].fact.is_proven = false; // as the factory made it
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_FIRST_CONTACT,
                              .sequence = 1,
                              .to = record_slot_name(&world.record.slots[slot - 1]),
                              .registry_version = world.record.registry_version,
                              .has_card = true,
                              .level = 2,
                              .terminal = TERMINAL_REFRESH};
    return e;
}

static void the_first_contact_proves_the_one_that_the_factory_enabled(void **state)
{
    (void)state;
    struct event e = first_contact(1);
    world_event(&world, &e);
    assert_true(world.record.slots[0].fact.is_proven);
    assert_false(world.record.slots[1].fact.is_proven);
}

// Only a proven one may.
static void what_the_first_contact_proved_may_become_the_fallback(void **state)
{
    (void)state;
    world.record.slots[0].fact.state = SLOT_DISABLED;
    world.record.slots[1].fact.state = SLOT_ENABLED;
    struct event e = first_contact(2);
    assert_int_equal(world_request(&world, OPERATION_SET_FALLBACK), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_NOT_PROVEN);
    world_event(&world, &e);
    assert_int_not_equal(world_request(&world, OPERATION_SET_FALLBACK), 0);
}

// It waited while the card moved on: what it tells of was so all the same.
static void a_first_contact_that_is_overtaken_proves_as_well(void **state)
{
    (void)state;
    struct event e = first_contact(1);
    world.record.notify_sequence = 1;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    world.record.notify_seen = 1; // of 2 alone
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    world_event(&world, &e);
    assert_true(world.record.slots[0].fact.is_proven);
    assert_int_equal(world.record.slots[1].fact.state, SLOT_ENABLED);
}

static void a_first_contact_on_one_that_is_not_known_proves_none(void **state)
{
    (void)state;
    struct event e = first_contact(2);
    e.as.notify.notification.to.imsi[8] ^= 0x10;
    world_event(&world, &e);
    assert_false(world.record.slots[0].fact.is_proven);
    assert_false(world.record.slots[1].fact.is_proven);
}

static void answer_from(const uint8_t *imei)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.has_imei = imei != NULL;
    if (imei != NULL)
        memcpy(e.as.por.answer.imei, imei, COMMAND_IMEI_SIZE);
    world_event(&world, &e);
}

static void an_audit_tells_in_which_device_the_card_is(void **state)
{
    (void)state;
    answer_from(one);
    assert_true(world.record.has_imei);
    assert_memory_equal(world.record.imei, one, COMMAND_IMEI_SIZE);
    answer_from(other);
    assert_memory_equal(world.record.imei, other, COMMAND_IMEI_SIZE);
    assert_false(record_has_mark(&world.record, MARK_DIRTY)); // it was audited
    answer_from(NULL);
    assert_memory_equal(world.record.imei, other, COMMAND_IMEI_SIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_deleted_is_preferred_no_more),
        TEST(the_preferred_one_stays_when_another_is_deleted),
        TEST(what_is_confirmed_when_the_card_has_moved_on_is_not_preferred),
        TEST(what_is_confirmed_after_an_audit_is_preferred),
        TEST(an_audit_tells_which_one_is_preferred_or_that_none_is),
        TEST(the_first_contact_proves_the_one_that_the_factory_enabled),
        TEST(what_the_first_contact_proved_may_become_the_fallback),
        TEST(a_first_contact_that_is_overtaken_proves_as_well),
        TEST(a_first_contact_on_one_that_is_not_known_proves_none),
        TEST(an_audit_tells_in_which_device_the_card_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
