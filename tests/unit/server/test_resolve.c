// decide(): what an audit says about an operation of which nobody knows how it ended. What a card
// does is from the description of its switches: it prefers what was confirmed last; a rollback
// leaves that as it was; what it does by itself does so, too.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define MINUTE 60000
#define HOUR (60 * (int64_t)MINUTE)
#define DAY (24 * HOUR)
// With the timers that cards have at first: 30 + 5 + 180 + 900 + 120 s, and 180 + 900 + 30 s more.
#define SWITCH_MS 1235000
#define ROLLBACK_MS 2345000
#define WAITS_MS 900000

static struct world world;

// A card with a third subscription, which prefers the first.
static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    struct record *r = &world.record;
    r->slots[2] = r->slots[1];
    r->slots[2].subscription = 103;
    r->slots[2].fact.slot = 3;
    r->slots[2].fact.rank = 3;
    r->slots[2].fact.imsi[8] = 0x30;
    memcpy(r->slots[2].number, "9990000000003", 14);
    r->slot_count = 3;
    r->preferred = 101;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void begin_again(void)
{
    (void)tear_down(NULL);
    (void)set_up(NULL);
}

// To the second subscription; the answer to its CONFIRM is lost.
static void unconfirmed(void)
{
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, world.policy.confirm_silent_ms);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_CONFIRM_UNACKNOWLEDGED));
}

// The same, and nothing is heard of it.
static void unheard(void)
{
    (void)world_switching(&world);
    world_wake_after(&world, SWITCH_MS + 1);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
}

// What an audit tells: the result under the id asked for, where the card is, what it prefers, and
// how often its registry changed since the mirror's. Behind so many later ids.
static void told_behind(uint32_t later, uint8_t code, uint8_t enabled, uint8_t preferred,
                        uint32_t commits)
{
    struct event e;
    if (world.record.flight.kind != FLIGHT_AUDIT) {
        world.record.next_audit_at = world.now;
        world_wake_after(&world, 0);
    }
    world_answer_init(&world, &e, LOOKUP_STORED, code);
    struct audit_answer *a = &e.as.por.answer;
    a->lookup_operation_id = world.decision.sends[0].lookup;
    a->operation_id_highest = a->lookup_operation_id + later;
    assert_int_not_equal(a->lookup_operation_id, 0);
    for (uint8_t i = 0; i < a->slot_count_here; i++)
        a->slots[i].state = a->slots[i].slot == enabled ? SLOT_ENABLED : SLOT_DISABLED;
    a->preferred_slot = preferred;
    e.as.por.result.registry_version += commits;
    world_event(&world, &e);
}

static void told(uint8_t code, uint8_t enabled, uint8_t preferred, uint32_t commits)
{
    told_behind(0, code, enabled, preferred, commits);
}

// That is no audit; one without an outcome: none did.
static struct operation ended(void)
{
    for (uint8_t i = 0; i < world.decision.ended_count; i++) {
        if (world.decision.ended[i].kind != OPERATION_AUDIT)
            return world.decision.ended[i];
    }
    return (struct operation){.outcome = OUTCOME_NONE};
}

static uint8_t outcome(void)
{
    return ended().outcome;
}

static void assert_awaited(void)
{
    assert_int_equal(outcome(), OUTCOME_NONE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    assert_false(world.record.needs_operator);
    assert_int_equal(world.decision.send_count, 0); // not asked again at once
    assert_true(world.record.next_audit_at.ms > world.now.ms);
}

static void what_was_confirmed_is_done_wherever_the_card_went_since(void **state)
{
    (void)state;
    for (uint8_t enabled = 1; enabled <= 3; enabled++) {
        begin_again();
        unconfirmed();
        told(RESULT_OK_PENDING, enabled, 2, enabled == 2 ? 0 : 1);
        assert_int_equal(outcome(), OUTCOME_DONE);
        assert_int_equal(world.record.preferred, 102);
        assert_false(record_has_mark(&world.record, MARK_DIRTY));
    }
}

static void what_was_not_confirmed_was_rolled_back_though_the_card_came_back_to_it(void **state)
{
    (void)state;
    for (uint8_t enabled = 1; enabled <= 3; enabled++) {
        begin_again();
        unheard();
        told(RESULT_OK_PENDING, enabled, 1, 3);
        assert_int_equal(outcome(), OUTCOME_ROLLED_BACK);
        assert_int_equal(world.record.preferred, 101);
    }
}

static void a_card_that_still_is_where_it_told_is_there_for_good(void **state)
{
    (void)state;
    world.record.preferred = 102;
    unconfirmed();
    told(RESULT_OK_PENDING, 2, 2, 0);
    assert_int_equal(outcome(), OUTCOME_DONE);
}

// Rolled back, or done and left again: its notification tells, which it repeats once a day.
static void what_was_preferred_before_is_told_by_the_notification(void **state)
{
    (void)state;
    for (uint8_t enabled = 1; enabled <= 3; enabled++) {
        begin_again();
        world.record.preferred = 102;
        unconfirmed();
        told(RESULT_OK_PENDING, enabled, 2, enabled == 2 ? 2 : 1);
        assert_awaited();
        world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
        assert_int_equal(outcome(), OUTCOME_ROLLED_BACK);
    }
}

static void what_no_notification_tells_in_its_time_is_unresolved(void **state)
{
    (void)state;
    world.record.preferred = 102;
    const int64_t began = world.now.ms;
    unconfirmed();
    world.now.ms = began + ROLLBACK_MS + DAY + WAITS_MS - 1;
    told(RESULT_OK_PENDING, 1, 2, 1);
    assert_awaited();
    world.now.ms++;
    told(RESULT_OK_PENDING, 1, 2, 0);
    assert_int_equal(outcome(), OUTCOME_UNRESOLVED);
    assert_int_equal(world.record.late_count, 1);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    // Its word still counts.
    world.record.open.card_operation_id = world.record.late[0].card_operation_id;
    world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
    assert_int_equal(world.decision.settled[0].outcome, OUTCOME_ROLLED_BACK);
}

static void what_nobody_confirmed_was_rolled_back_where_it_was_preferred_before(void **state)
{
    (void)state;
    world.record.preferred = 102;
    unheard();
    told(RESULT_OK_PENDING, 1, 2, 2);
    assert_int_equal(outcome(), OUTCOME_ROLLED_BACK);
    begin_again();
    world.record.preferred = 102;
    unheard();
    told(RESULT_OK_PENDING, 2, 2, 1); // ENABLED, or a return after all
    assert_awaited();
}

// The outcome may be among them.
static void where_notifications_are_missing_nothing_is_taken_for_granted(void **state)
{
    (void)state;
    world.record.preferred = 102;
    unconfirmed();
    world.record.gap_sequences = 1;
    told(RESULT_OK_PENDING, 2, 2, 0);
    assert_awaited();
    told(RESULT_OK_PENDING, 2, 2, 0);
    assert_awaited();
}

static void what_another_command_may_have_changed_says_nothing(void **state)
{
    (void)state;
    for (uint8_t preferred = 1; preferred <= 2; preferred++) {
        struct event e;
        begin_again();
        unheard();
        world_wake_after(&world, MINUTE);
        world_answer_init(&world, &e, LOOKUP_STORED, RESULT_OK_PENDING);
        e.as.por.answer.operation_id_highest = world.record.open.card_operation_id + 1;
        e.as.por.answer.preferred_slot = preferred;
        world_event(&world, &e);
        assert_awaited();
    }
}

// After a restore the server may have confirmed what it does not know of.
static void after_a_restore_what_was_not_heard_may_have_been_confirmed(void **state)
{
    (void)state;
    world.record.preferred = 102;
    unheard();
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_RESTORE_FROM_BACKUP};
    world_event(&world, &e);
    told(RESULT_OK_PENDING, 1, 2, 2);
    assert_awaited();
}

// It is put back where the device refuses the switch; else it stays.
static void a_switch_without_rollback_is_done_unless_it_was_put_back(void **state)
{
    (void)state;
    static const struct {
        bool is_heard;
        uint8_t enabled;
        uint32_t commits;
        uint8_t outcome;
    } cases[] = {
        {true, 1, 1, OUTCOME_DONE},  {true, 2, 0, OUTCOME_DONE},  {false, 2, 1, OUTCOME_DONE},
        {false, 2, 2, OUTCOME_DONE}, {false, 2, 3, OUTCOME_NONE}, {false, 1, 2, OUTCOME_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_again();
        (void)world_request(&world, OPERATION_ENABLE);
        world.record.open.flags = 0;
        world_submit(&world, SUBMIT_ACCEPTED);
        world_result(&world, RESULT_OK_PENDING);
        if (cases[i].is_heard) {
            world_notify(&world, NOTIFY_ENABLED, 2, true);
            world_submit(&world, SUBMIT_ACCEPTED);
        }
        world_wake_after(&world, SWITCH_MS + 1);
        assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
        told(RESULT_OK_PENDING, cases[i].enabled, 1, cases[i].commits);
        assert_int_equal(outcome(), cases[i].outcome);
        if (cases[i].outcome == OUTCOME_NONE)
            assert_awaited();
    }
}

// Nobody heard of it for a week.
static void given_up(uint8_t kind)
{
    if (kind == OPERATION_DOWNLOAD)
        world.record.slot_count = 2; // it is the third
    (void)world_request(&world, kind);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, HOUR + 2 * MINUTE);
    world_wake_after(&world, 7 * DAY);
    assert_int_equal(outcome(), OUTCOME_UNRESOLVED);
    assert_int_equal(world.record.late_count, 1);
}

static void a_switch_that_was_given_up_is_told_by_what_the_card_prefers(void **state)
{
    (void)state;
    static const struct {
        uint64_t before;
        uint8_t enabled, preferred, outcome;
    } cases[] = {
        {101, 2, 2, OUTCOME_DONE},        {101, 3, 2, OUTCOME_DONE},
        {101, 1, 1, OUTCOME_ROLLED_BACK}, {101, 2, 1, OUTCOME_ROLLED_BACK},
        {102, 2, 2, OUTCOME_NONE},        {102, 1, 2, OUTCOME_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_again();
        world.record.preferred = cases[i].before;
        given_up(OPERATION_ENABLE);
        told(RESULT_OK_PENDING, cases[i].enabled, cases[i].preferred, 1);
        assert_int_equal(world.decision.settled_count, cases[i].outcome == OUTCOME_NONE ? 0 : 1);
        if (cases[i].outcome != OUTCOME_NONE)
            assert_int_equal(world.decision.settled[0].outcome, cases[i].outcome);
        assert_int_equal(world.record.late_count, 0); // it cannot tell more
        assert_false(record_has_mark(&world.record, MARK_DIRTY));
    }
}

// Which ends with the fallback subscription enabled, not with the one that it names.
static void disable_that_was_given_up_is_done_where_the_fallback_is_preferred(void **state)
{
    (void)state;
    for (uint8_t preferred = 1; preferred <= 2; preferred++) {
        struct event e = {.type = EVENT_REQUEST};
        struct operation *o = &e.as.request.operation;
        begin_again();
        struct record *r = &world.record;
        r->slots[0].fact.state = SLOT_DISABLED;
        r->slots[1].fact.state = SLOT_ENABLED;
        r->preferred = 102;
        o->id = world.next_id++;
        o->kind = OPERATION_DISABLE;
        o->flags = COMMAND_FLAG_ROLLBACK;
        o->subscription = 102;
        o->target = record_slot_name(&r->slots[1]);
        world_event(&world, &e);
        world_submit(&world, SUBMIT_ACCEPTED);
        world_wake_after(&world, HOUR + 2 * MINUTE);
        world_wake_after(&world, 7 * DAY);
        assert_int_equal(outcome(), OUTCOME_UNRESOLVED);
        told(RESULT_OK_PENDING, preferred, preferred, 1);
        assert_int_equal(world.decision.settled[0].outcome,
                         preferred == 1 ? OUTCOME_DONE : OUTCOME_ROLLED_BACK);
    }
}

// --- ids that somebody else used ---------------------------------------------------------------

static void reused(uint8_t kind)
{
    (void)world_request(&world, kind);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OPID_REUSED);
}

static void an_id_that_was_used_is_a_restore_of_this_card(void **state)
{
    (void)state;
    const uint64_t counter = world.record.mt_counter;
    reused(OPERATION_ENABLE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
    assert_int_equal(world.record.operation_id_last, 1 + COUNTER_JUMP);
    assert_int_equal(world.record.mt_counter, counter + 1 + COUNTER_JUMP);
}

// It says what another command came to, and a person decides what becomes of ours.
static void the_result_of_another_command_is_not_taken(void **state)
{
    (void)state;
    static const uint8_t codes[] = {RESULT_OK, RESULT_OK_PENDING, RESULT_OK_UNCHANGED,
                                    RESULT_NOT_FOUND};
    for (size_t i = 0; i < sizeof codes; i++) {
        begin_again();
        reused(OPERATION_ENABLE);
        told(codes[i], 1, 1, 1);
        assert_int_equal(outcome(), OUTCOME_NONE);
        assert_true(world.record.needs_operator);
        const uint64_t id = world.record.open.id;
        struct event e = {.type = EVENT_RESOLVE, .push_server = true};
        world_event(&world, &e);
        assert_int_equal(world.record.open.id, id);
        assert_int_equal(world.decision.sends[0].command, COMMAND_ENABLE);
        assert_int_equal(world.decision.sends[0].operation_id, 2 + COUNTER_JUMP);
    }
}

static void what_a_person_gives_up_after_that_does_not_arrive_any_more(void **state)
{
    (void)state;
    reused(OPERATION_ENABLE);
    told(RESULT_OK, 1, 1, 1);
    struct event e = {.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_int_equal(outcome(), OUTCOME_EXPIRED);
    assert_int_equal(world.record.late_count, 0);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

// The registry decides, as where nothing is stored.
static void where_the_effect_is_there_it_is_done(void **state)
{
    (void)state;
    reused(OPERATION_ENABLE);
    told(RESULT_OK, 2, 2, 1);
    assert_int_equal(outcome(), OUTCOME_DONE);
    assert_false(ended().has_result);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

// Its next id is its own.
static void what_was_said_of_the_former_id_is_not_said_of_the_next(void **state)
{
    (void)state;
    reused(OPERATION_ENABLE);
    told(RESULT_OK, 1, 1, 1);
    struct event e = {.type = EVENT_RESOLVE, .push_server = true};
    world_event(&world, &e);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, HOUR + 2 * MINUTE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    told(RESULT_OK_PENDING, 2, 2, 1);
    assert_int_equal(outcome(), OUTCOME_DONE);
    assert_int_equal(ended().result, RESULT_OK_PENDING);
}

// The card was busy with a switch of its own; the answer to the next packet is lost, ENABLED is
// not.
static void the_answer_to_an_earlier_packet_is_not_the_result(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_BUSY_SWITCHING);
    world_wake_after(&world, 15 * MINUTE);
    assert_int_equal(world.decision.sends[0].command, COMMAND_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(outcome(), OUTCOME_DONE);
    assert_false(ended().has_result);
}

// The counter was low, because somebody else's was higher; the answers to that are not ours.
static void a_result_that_does_not_fit_is_not_taken(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind, code;
    } cases[] = {
        {OPERATION_ENABLE, RESULT_OK},         // it is OK_PENDING, or unchanged
        {OPERATION_DELETE, RESULT_OK_PENDING}, // of a switch
        {OPERATION_DELETE, RESULT_OK},         // and it is there
        {OPERATION_SET_FALLBACK, RESULT_OK},   // and another one is
        {OPERATION_SET_TIMERS, RESULT_OK_PENDING},
        {OPERATION_SET_TIMERS, RESULT_OK_UNCHANGED},   // of a switch
        {OPERATION_SET_TIMERS, RESULT_OK},             // and none were written
        {OPERATION_ENABLE, RESULT_OK_UNCHANGED},       // and it is not preferred
        {OPERATION_DELETE, RESULT_OK_UNCHANGED},       // of a switch
        {OPERATION_SET_FALLBACK, RESULT_OK_UNCHANGED}, // and another one is
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_again();
        (void)world_request(&world, cases[i].kind);
        world_submit(&world, SUBMIT_ACCEPTED);
        world_por(&world, 0x02);
        assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
        told(cases[i].code, 1, 1, 1);
        assert_int_equal(outcome(), OUTCOME_NONE);
        assert_true(world.record.needs_operator);
        assert_true(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
    }
}

// Ours, and somebody else took it back, or never ours: a person decides, and it may have run.
static void what_a_later_command_may_have_undone_is_nobodys(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind, code;
    } cases[] = {{OPERATION_SET_FALLBACK, RESULT_OK},
                 {OPERATION_SET_FALLBACK, RESULT_OK_UNCHANGED},
                 {OPERATION_ENABLE, RESULT_OK_UNCHANGED},
                 {OPERATION_DELETE, RESULT_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_again();
        (void)world_request(&world, cases[i].kind);
        world_submit(&world, SUBMIT_ACCEPTED);
        world_wake_after(&world, HOUR + 2 * MINUTE);
        assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
        world.record.operation_id_last += 5; // the database gave them
        told_behind(5, cases[i].code, 1, 1, 2);
        assert_int_equal(outcome(), OUTCOME_NONE);
        assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
        assert_true(world.record.open.may_have_run);
        assert_true(world.record.needs_operator);
        assert_false(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
    }
}

// A deletion is no switch: the card tells of somebody else's command under the same id.
static void what_is_no_switch_is_not_rolled_back(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
    assert_int_equal(outcome(), OUTCOME_NONE);
    assert_int_equal(world.record.open.kind, OPERATION_DELETE);
    begin_again();
    given_up(OPERATION_DELETE);
    world.record.open.card_operation_id = world.record.late[0].card_operation_id;
    world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
    assert_int_equal(world.decision.settled_count, 0);
    assert_int_equal(world.record.late_count, 1);
}

// The card counts it when timers are written.
static void timers_that_were_written_are_ours(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_SET_TIMERS);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, HOUR + 2 * MINUTE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    world.record.configuration_version = world.record.parameters_version + 1u;
    told(RESULT_OK, 1, 1, 0);
    assert_int_equal(outcome(), OUTCOME_DONE);
}

static void what_was_given_up_is_not_done_by_anothers_result(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind, code;
    } cases[] = {{OPERATION_ENABLE, RESULT_OK},
                 {OPERATION_DELETE, RESULT_OK},
                 {OPERATION_DELETE, RESULT_OK_PENDING},
                 {OPERATION_DOWNLOAD, RESULT_OK},
                 {OPERATION_SET_FALLBACK, RESULT_OK_PENDING},
                 {OPERATION_ENABLE, RESULT_OK_UNCHANGED},
                 {OPERATION_DELETE, RESULT_OK_UNCHANGED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_again();
        given_up(cases[i].kind);
        const uint32_t last = world.record.operation_id_last;
        told(cases[i].code, 1, 1, 1);
        assert_int_equal(world.decision.settled_count, 1);
        assert_int_equal(world.decision.settled[0].outcome, OUTCOME_NONE);
        assert_int_equal(world.record.operation_id_last, last + COUNTER_JUMP);
    }
}

// Somebody else's command under our counter and our id: of ours it says nothing.
static void an_answer_to_another_command_under_our_id_is_not_believed(void **state)
{
    (void)state;
    static const uint8_t codes[] = {RESULT_OPID_REUSED, RESULT_OK};
    for (size_t i = 0; i < 4; i++) {
        const bool is_late = i >= 2;
        begin_again();
        if (is_late)
            given_up(OPERATION_DELETE);
        else
            (void)world_request(&world, OPERATION_DELETE);
        struct event e = {.type = EVENT_POR};
        struct event_por *p = &e.as.por;
        p->is_authentic = true;
        p->counter = is_late ? world.record.late[0].counter : world.record.flight.counter;
        p->has_result = true;
        p->result.command = COMMAND_SET_FALLBACK;
        p->result.operation_id = 1;
        p->result.code = codes[i % 2];
        world_event(&world, &e);
        assert_false(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
        assert_int_equal(world.decision.settled_count, 0);
        assert_int_equal(world.record.late_count, is_late ? 1 : 0);
        assert_int_equal(world.record.has_open ? world.record.open.status : STATUS_UNKNOWN,
                         STATUS_UNKNOWN);
        assert_false(world.record.open.has_result);
    }
}

static void a_late_answer_that_the_id_was_used_ends_the_question(void **state)
{
    (void)state;
    given_up(OPERATION_DELETE);
    struct event e = {.type = EVENT_POR};
    struct event_por *p = &e.as.por;
    p->is_authentic = true;
    p->counter = world.record.late[0].counter;
    p->has_result = true;
    p->result.command = COMMAND_DELETE;
    p->result.operation_id = world.record.late[0].card_operation_id;
    p->result.code = RESULT_OPID_REUSED;
    world_event(&world, &e);
    assert_int_equal(world.record.late_count, 0);
    assert_int_equal(world.decision.settled_count, 0);
    assert_true(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
}

// Its packet came late, and no copy of it: that of the question was given to two links.
static void a_low_counter_is_not_excused_by_the_repetition_of_another_packet(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, HOUR + 2 * MINUTE);
    world_wake_after(&world, MINUTE);
    assert_int_equal(world.record.flight.kind, FLIGHT_AUDIT);
    world_submit(&world, SUBMIT_UNKNOWN);
    const uint64_t before = world.record.mt_counter;
    struct event e = {.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = world.record.open.last_counter;
    e.as.por.status = 0x02;
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_COUNTER_MISMATCH));
    assert_int_equal(world.record.mt_counter, before + 65536);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// --- pages of an audit -------------------------------------------------------------------------

static void page(bool has_more, uint32_t version)
{
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.result.more = has_more;
    e.as.por.result.registry_version = version;
    e.as.por.answer.slot_count_here = 1;
    world_event(&world, &e);
}

static void a_card_that_changes_between_pages_is_asked_anew_three_times(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    for (uint32_t n = 0; n < 4; n++) {
        assert_int_equal(world.decision.send_count, 1);
        assert_int_equal(world.decision.sends[0].first_slot, 1);
        page(true, 100 + n);
        assert_int_equal(world.decision.sends[0].first_slot, 2);
        page(false, 101 + n);
    }
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_INCOMPLETE);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_confirmed_is_done_wherever_the_card_went_since),
        TEST(what_was_not_confirmed_was_rolled_back_though_the_card_came_back_to_it),
        TEST(a_card_that_still_is_where_it_told_is_there_for_good),
        TEST(what_was_preferred_before_is_told_by_the_notification),
        TEST(what_no_notification_tells_in_its_time_is_unresolved),
        TEST(what_nobody_confirmed_was_rolled_back_where_it_was_preferred_before),
        TEST(where_notifications_are_missing_nothing_is_taken_for_granted),
        TEST(what_another_command_may_have_changed_says_nothing),
        TEST(after_a_restore_what_was_not_heard_may_have_been_confirmed),
        TEST(a_switch_without_rollback_is_done_unless_it_was_put_back),
        TEST(a_switch_that_was_given_up_is_told_by_what_the_card_prefers),
        TEST(disable_that_was_given_up_is_done_where_the_fallback_is_preferred),
        TEST(an_id_that_was_used_is_a_restore_of_this_card),
        TEST(the_result_of_another_command_is_not_taken),
        TEST(a_card_that_changes_between_pages_is_asked_anew_three_times),
        TEST(what_a_person_gives_up_after_that_does_not_arrive_any_more),
        TEST(where_the_effect_is_there_it_is_done),
        TEST(what_was_said_of_the_former_id_is_not_said_of_the_next),
        TEST(the_answer_to_an_earlier_packet_is_not_the_result),
        TEST(a_result_that_does_not_fit_is_not_taken),
        TEST(timers_that_were_written_are_ours),
        TEST(what_a_later_command_may_have_undone_is_nobodys),
        TEST(what_is_no_switch_is_not_rolled_back),
        TEST(what_was_given_up_is_not_done_by_anothers_result),
        TEST(an_answer_to_another_command_under_our_id_is_not_believed),
        TEST(a_late_answer_that_the_id_was_used_ends_the_question),
        TEST(a_low_counter_is_not_excused_by_the_repetition_of_another_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
