// decide(): an event that changes the slots of a card has one row for that, whoever told of it, and
// says which they are.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define PREFERRED 1u
#define SLOT(n) (1u << (n))
#define MINUTE 60000

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    world.record.preferred = 101; // in slot 1
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static unsigned count_rows(const struct trail_entry **last)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < world.decision.trail_count; i++) {
        if (strcmp(world.decision.trail[i].action, "card.slots") != 0)
            continue;
        count++;
        *last = &world.decision.trail[i];
    }
    return count;
}

static void assert_told(uint32_t set, uint64_t operation, const char *why)
{
    const struct trail_entry *row = NULL;
    assert_int_equal(world.decision.slots_changed, set);
    assert_int_equal(count_rows(&row), 1);
    assert_int_equal(row->operation, operation);
    assert_string_equal(row->reason, why);
}

static void assert_untold(void)
{
    const struct trail_entry *row = NULL;
    assert_int_equal(world.decision.slots_changed, 0);
    assert_int_equal(count_rows(&row), 0);
}

// Asks for it, and hands it to a link.
static uint64_t send(uint8_t kind)
{
    const uint64_t id = world_request(&world, kind);
    assert_untold();
    world_submit(&world, SUBMIT_ACCEPTED);
    assert_untold();
    return id;
}

static void a_download_tells_of_the_slot_that_it_fills(void **state)
{
    (void)state;
    const uint64_t id = send(OPERATION_DOWNLOAD);
    world_result(&world, RESULT_OK);
    assert_told(SLOT(3), id, "DOWNLOAD");
}

static void the_last_slot_has_a_place(void **state)
{
    (void)state;
    world.next_slot = 16;
    const uint64_t id = send(OPERATION_DOWNLOAD);
    world_result(&world, RESULT_OK);
    assert_told(SLOT(16), id, "DOWNLOAD");
}

static void what_the_card_refuses_changes_nothing(void **state)
{
    (void)state;
    (void)send(OPERATION_DOWNLOAD);
    world_result(&world, RESULT_BAD_DATA);
    assert_untold();
}

static void a_deletion_tells_of_the_slot_that_it_empties(void **state)
{
    (void)state;
    const uint64_t id = send(OPERATION_DELETE);
    world_result(&world, RESULT_OK);
    assert_told(SLOT(2), id, "DELETE");
}

static void a_deletion_tells_that_nothing_is_preferred_any_more(void **state)
{
    (void)state;
    world.record.preferred = 102;
    const uint64_t id = send(OPERATION_DELETE);
    world_result(&world, RESULT_OK);
    assert_told(SLOT(2) | PREFERRED, id, "DELETE");
}

static void the_fallback_mark_moves_in_one_row(void **state)
{
    (void)state;
    const uint64_t id = send(OPERATION_SET_FALLBACK);
    world_result(&world, RESULT_OK);
    assert_told(SLOT(1) | SLOT(2), id, "SET_FALLBACK");
}

static void
a_switch_tells_of_its_slots_when_it_is_notified_and_of_the_preferred_when_confirmed(void **state)
{
    (void)state;
    const uint64_t id = send(OPERATION_ENABLE);
    world_result(&world, RESULT_OK_PENDING);
    assert_untold();
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_told(SLOT(1) | SLOT(2), id, "ENABLED");
    world_submit(&world, SUBMIT_ACCEPTED);
    assert_untold();
    world_result(&world, RESULT_OK);
    assert_told(PREFERRED, id, "CONFIRM");
}

static void what_the_card_does_by_itself_is_of_no_operation(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    assert_told(SLOT(1) | SLOT(2), 0, "ROTATED");
    world_notify(&world, NOTIFY_FALLBACK, 1, false);
    assert_told(SLOT(1) | SLOT(2), 0, "FALLBACK");
}

static void what_is_told_twice_changes_once(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_ROTATED,
                              .sequence = world.record.notify_sequence,
                              .registry_version = world.record.registry_version,
                              .to = record_slot_name(&world.record.slots[1])};
    world_event(&world, &e);
    assert_untold();
}

// The answer to an audit of a card in doubt, to be changed before it is given.
static uint64_t ask(struct event *answer)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_submit(&world, SUBMIT_ACCEPTED);
    assert_untold();
    world_answer_init(&world, answer, LOOKUP_NOT_ASKED, 0);
    return world.record.audit.operation.id;
}

static void an_audit_that_agrees_has_no_row(void **state)
{
    (void)state;
    struct event e;
    (void)ask(&e);
    world_event(&world, &e);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_CLEAN);
    assert_untold();
}

static void an_audit_tells_of_each_slot_that_it_corrects(void **state)
{
    (void)state;
    struct event e;
    const uint64_t id = ask(&e);
    e.as.por.answer.slots[1].rank = 9;
    e.as.por.answer.preferred_slot = 2;
    world_event(&world, &e);
    assert_told(SLOT(2) | PREFERRED, id, "AUDIT");
}

// No difference, since no hash has it: but the mirror follows.
static void an_audit_tells_what_is_proven_though_it_is_no_difference(void **state)
{
    (void)state;
    struct event e;
    const uint64_t id = ask(&e);
    e.as.por.answer.slots[1].is_proven = false;
    world_event(&world, &e);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_CLEAN);
    assert_told(SLOT(2), id, "AUDIT");
}

static void an_audit_tells_of_slots_that_nobody_expected_and_of_those_that_are_gone(void **state)
{
    (void)state;
    struct event e;
    const uint64_t id = ask(&e);
    e.as.por.answer.slots[1].slot = 5; // it stands elsewhere
    world_event(&world, &e);
    assert_told(SLOT(2) | SLOT(5), id, "AUDIT");
}

static void an_audit_tells_of_another_imsi_under_the_same_iccid(void **state)
{
    (void)state;
    struct event e;
    world.record.slots[1].fact.has_iccid = true;
    world.record.slots[1].fact.iccid[0] = 0x98;
    const uint64_t id = ask(&e);
    e.as.por.answer.slots[1].imsi[8] = 0x70;
    world_event(&world, &e);
    assert_told(SLOT(2), id, "AUDIT");
}

static bool find_it(void *context, const struct record *r, const uint8_t imsi[COMMAND_IMSI_SIZE],
                    struct found_subscription *out)
{
    (void)context;
    (void)r;
    (void)imsi;
    *out = (struct found_subscription){.id = 777};
    return true;
}

static void a_subscription_that_a_person_lets_be_found_is_told(void **state)
{
    (void)state;
    world.record.slots[1].subscription = 0;
    world.record.needs_operator = true;
    world.find = find_it;
    struct event e = {.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_int_equal(world.record.slots[1].subscription, 777);
    assert_told(SLOT(2), 0, "resolve");
}

// Its owner's word and its number belong to the subscription, which has rows of its own.
static void what_belongs_to_a_subscription_is_not_its_slots(void **state)
{
    (void)state;
    struct event bar = {.type = EVENT_BAR, .subscription = 102, .is_barred = true};
    world_event(&world, &bar);
    assert_true(world.record.slots[1].is_barred);
    assert_untold();
    world.record.slots[0].number[0] = 0;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_FIRST_CONTACT, .sequence = 1, .registry_version = 10};
    memcpy(e.as.notify.number, "9990000000007", 14);
    world_event(&world, &e);
    assert_string_equal(world.record.slots[0].number, "9990000000007");
    assert_untold();
}

// The mirror has another one there: the card was reset, or a copy of it was asked before.
static void a_download_into_a_slot_that_is_taken_replaces_what_the_mirror_has(void **state)
{
    (void)state;
    world.record.slots[1].fact.slot = 3;
    world.record.preferred = 102;
    const uint64_t id = send(OPERATION_DOWNLOAD);
    world_result(&world, RESULT_OK);
    assert_told(PREFERRED | SLOT(3), id, "DOWNLOAD");
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.slot_count, 2);
    assert_int_equal(world.record.slots[1].fact.slot, 3);
    assert_int_equal(world.record.slots[1].subscription, 103);
    assert_int_equal(world.record.preferred, 0);
    assert_true(world_is_dirty(&world, DIRTY_GUARD_DISAGREEMENT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_download_tells_of_the_slot_that_it_fills),
        TEST(the_last_slot_has_a_place),
        TEST(a_download_into_a_slot_that_is_taken_replaces_what_the_mirror_has),
        TEST(what_the_card_refuses_changes_nothing),
        TEST(a_deletion_tells_of_the_slot_that_it_empties),
        TEST(a_deletion_tells_that_nothing_is_preferred_any_more),
        TEST(the_fallback_mark_moves_in_one_row),
        TEST(a_switch_tells_of_its_slots_when_it_is_notified_and_of_the_preferred_when_confirmed),
        TEST(what_the_card_does_by_itself_is_of_no_operation),
        TEST(what_is_told_twice_changes_once),
        TEST(an_audit_that_agrees_has_no_row),
        TEST(an_audit_tells_of_each_slot_that_it_corrects),
        TEST(an_audit_tells_what_is_proven_though_it_is_no_difference),
        TEST(an_audit_tells_of_slots_that_nobody_expected_and_of_those_that_are_gone),
        TEST(an_audit_tells_of_another_imsi_under_the_same_iccid),
        TEST(a_subscription_that_a_person_lets_be_found_is_told),
        TEST(what_belongs_to_a_subscription_is_not_its_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
