// decide(): what rows of the trail say of packets and notifications, by which those are found.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include <stdio.h>

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

// The only row of this action, or NULL.
static const struct trail_entry *row_of(const char *action)
{
    const struct trail_entry *found = NULL;
    for (uint8_t i = 0; i < world.decision.trail_count; i++) {
        if (strcmp(world.decision.trail[i].action, action) != 0)
            continue;
        assert_null(found);
        found = &world.decision.trail[i];
    }
    return found;
}

static void assert_sent(const char *command, uint64_t operation, const char *why)
{
    char after[TRAIL_TEXT_SIZE];
    const struct trail_entry *row = row_of("command.sent");
    assert_int_equal(world.decision.send_count, 1);
    (void)snprintf(after, sizeof(after), "%s, counter %llu", command,
                   (unsigned long long)world.decision.sends[0].counter);
    assert_non_null(row);
    assert_string_equal(row->after, after);
    assert_string_equal(row->reason, why);
    assert_int_equal(row->operation, operation);
}

static void a_packet_has_a_row_with_its_counter_and_its_cause(void **state)
{
    (void)state;
    const uint64_t id = world_request(&world, OPERATION_ENABLE);
    assert_sent("ENABLE", id, actor_kind_name(world.record.open.actor.kind));
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK_PENDING);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_sent("CONFIRM", id, "notification");
}

static void a_question_has_a_row_with_its_counter_and_its_cause(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    assert_sent("AUDIT", world.record.audit.operation.id, "dirty");
}

static void tell(uint8_t cause, uint32_t sequence, uint8_t coalesced)
{
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification =
        (struct notification){.cause = cause,
                              .sequence = sequence,
                              .coalesced = coalesced,
                              .registry_version = world.record.registry_version};
    world_event(&world, &e);
}

static void a_notification_has_one_row_with_its_number_and_how_many_were_merged(void **state)
{
    (void)state;
    tell(NOTIFY_IMEI_CHANGED, 7, 0);
    assert_string_equal(row_of("card.notified")->after, "IMEI_CHANGED");
    assert_string_equal(row_of("card.notified")->reason, "sequence 7");
    tell(NOTIFY_IMEI_CHANGED, 7, 0); // once more
    assert_null(row_of("card.notified"));
    tell(NOTIFY_SWITCH_CAP, UINT32_MAX, UINT8_MAX);
    assert_string_equal(row_of("card.notified")->reason, "sequence 4294967295, merged 255");
}

static void a_heartbeat_has_no_number(void **state)
{
    (void)state;
    tell(NOTIFY_HEARTBEAT, 0, 0);
    assert_string_equal(row_of("card.notified")->reason, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packet_has_a_row_with_its_counter_and_its_cause),
        TEST(a_question_has_a_row_with_its_counter_and_its_cause),
        TEST(a_notification_has_one_row_with_its_number_and_how_many_were_merged),
        TEST(a_heartbeat_has_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
