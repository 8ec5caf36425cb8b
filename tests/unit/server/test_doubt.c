// decide(): what doubt keeps, and what a person who decides about a card does not wipe out.
#include "common/wire/secured.h"
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#define MINUTE 60000
#define DAY (24 * 60 * (int64_t)MINUTE)

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

static void mark(uint8_t reason)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = reason, .operation = world.next_id};
    world_event(&world, &e);
}

static bool has_row(const char *action, const char *after)
{
    for (uint8_t i = 0; i < world.decision.trail_count; i++) {
        const struct trail_entry *t = &world.decision.trail[i];
        if (strcmp(t->action, action) == 0 && strcmp(t->after, after) == 0)
            return true;
    }
    return false;
}

static void tell(uint8_t cause, uint32_t sequence)
{
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification = (struct notification){
        .cause = cause, .sequence = sequence, .registry_version = world.record.registry_version};
    world_event(&world, &e);
}

// --- a card that was restored ------------------------------------------------------------------

static void rotate(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        world_notify(&world, NOTIFY_ROTATED, 1 + (i + 1) % 2, false);
}

static void a_restored_card_is_heard_anew_also_when_a_reset_was_suspected_before(void **state)
{
    (void)state;
    rotate(5);
    const uint32_t handled = world.record.notify_sequence;
    mark(DIRTY_CARD_RESET_SUSPECTED);
    tell(NOTIFY_RESTORED, handled - 4);
    assert_int_equal(world.record.notify_sequence, handled - 4);
    tell(NOTIFY_SWITCH_CAP, handled - 3); // it was handled once, as another one
    assert_true(has_row("card.notified", "SWITCH_CAP"));
    tell(NOTIFY_RESTORED, handled - 4); // told once more
    assert_int_equal(world.record.notify_sequence, handled - 3);
    tell(NOTIFY_SWITCH_CAP, handled - 3); // so is this
    assert_false(has_row("card.notified", "SWITCH_CAP"));
}

static void a_card_that_was_restored_twice_in_one_doubt_is_heard_anew_twice(void **state)
{
    (void)state;
    rotate(5);
    const uint32_t handled = world.record.notify_sequence;
    tell(NOTIFY_RESTORED, handled + 1); // as if nothing was lost
    tell(NOTIFY_SWITCH_CAP, handled + 2);
    tell(NOTIFY_RESTORED, handled + 1);
    assert_int_equal(world.record.notify_sequence, handled + 2);
    tell(NOTIFY_RESTORED, handled - 2);
    assert_int_equal(world.record.notify_sequence, handled - 2);
}

// It repeats both until they are confirmed.
static void a_card_that_has_two_words_of_it_turns_the_count_back_once(void **state)
{
    (void)state;
    rotate(5);
    const uint32_t handled = world.record.notify_sequence;
    tell(NOTIFY_RESTORED, handled - 2);
    assert_int_equal(world.record.notify_sequence, handled - 2);
    tell(NOTIFY_RESTORED, handled - 4);
    assert_int_equal(world.record.notify_sequence, handled - 4);
    for (unsigned i = 0; i < 2; i++) {
        tell(NOTIFY_RESTORED, handled - 2);
        assert_int_equal(world.record.notify_sequence, handled - 2);
        tell(NOTIFY_RESTORED, handled - 4);
        assert_int_equal(world.record.notify_sequence, handled - 2);
    }
}

// --- two cards with the same keys --------------------------------------------------------------

// A notification that was handled, told once more: its number is known, its registry is older.
static void an_older_registry_is_a_doubt_also_in_a_notification_that_was_handled(void **state)
{
    (void)state;
    rotate(2);
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_SWITCH_CAP,
                              .sequence = world.record.notify_sequence,
                              .registry_version = world.record.registry_version};
    world_event(&world, &e);
    assert_int_equal(world.record.dirty_since.ms, 0);
    e.as.notify.mo_counter++;
    e.as.notify.notification.registry_version--;
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_CARD_RESET_SUSPECTED));
}

// --- numbers of notifications that come again ---------------------------------------------------

// The last notification once more, under a new counter, of a card that is as the mirror shows it.
static struct event told_again(void)
{
    const struct record *r = &world.record;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = r->mo_counter + 1;
    struct notification *n = &e.as.notify.notification;
    *n = (struct notification){.cause = NOTIFY_ROTATED,
                               .sequence = r->notify_sequence,
                               .registry_version = r->registry_version,
                               .has_hash = true};
    struct audit_slot slots[COMMAND_SLOTS_MAX];
    for (uint8_t i = 0; i < r->slot_count; i++)
        slots[i] = r->slots[i].fact;
    assert_true(state_hash(&world.cipher, slots, r->slot_count, n->state_hash));
    return e;
}

static void a_notification_that_is_told_again_is_no_doubt(void **state)
{
    (void)state;
    rotate(2);
    struct event e = told_again();
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    assert_int_equal(world.record.dirty_since.ms, 0);
}

// A card that went back to an older memory counts from there, and switched since.
static void another_registry_is_a_doubt_also_under_a_number_that_was_handled(void **state)
{
    (void)state;
    rotate(2);
    struct event e = told_again();
    e.as.notify.notification.registry_version++;
    e.as.notify.notification.state_hash[0] ^= 1;
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

// Two switches, the second back to where it was: what the hash shows is in no doubt.
static void
a_later_registry_that_is_the_same_is_no_doubt_under_a_number_that_was_handled(void **state)
{
    (void)state;
    rotate(2);
    struct event e = told_again();
    e.as.notify.notification.registry_version += 2;
    world_event(&world, &e);
    assert_int_equal(world.record.dirty_since.ms, 0);
    assert_int_equal(world.record.registry_version, e.as.notify.notification.registry_version);
}

static void a_later_registry_is_a_doubt_under_a_number_that_was_handled_at_level_1(void **state)
{
    (void)state;
    rotate(2);
    struct event e = told_again();
    e.as.notify.notification.has_hash = false;
    e.as.notify.notification.registry_version++;
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

// A card of level 1 says how often its registry changed, not how. What tells of no change must not
// explain one.
static void a_change_that_no_notification_tells_of_is_a_doubt_at_level_1(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_EXHAUSTED,
                              .sequence = 1,
                              .registry_version = world.record.registry_version + 1};
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

// Told late: an audit showed what came after it. The registry has no other version since.
static void a_switch_at_a_version_that_is_known_is_a_doubt_at_level_1(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_ROTATED,
                              .sequence = 1,
                              .to = record_slot_name(&world.record.slots[1]),
                              .registry_version = world.record.registry_version};
    world.record.has_registry_version = true;
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_UNEXPECTED_NOTIFY));
}

// What the mirror shows already is none.
static void a_switch_that_the_mirror_shows_is_no_doubt_at_level_1(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_ROTATED,
                              .sequence = 1,
                              .to = record_slot_name(&world.record.slots[0]),
                              .registry_version = world.record.registry_version};
    world.record.has_registry_version = true;
    world_event(&world, &e);
    assert_int_equal(world.record.dirty_since.ms, 0);
}

static void be_asked(uint32_t operation_id_highest)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.operation_id_highest = operation_id_highest;
    world_event(&world, &e);
}

// Once, its memory may have gone back; again, it is another one that answers.
static void an_operation_id_that_fell_again_after_a_clean_audit_needs_an_operator(void **state)
{
    (void)state;
    world.record.operation_id_last = 9;
    be_asked(7);
    be_asked(4);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_SERVER_CORRECTED);
    be_asked(7);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_CLEAN);
    be_asked(4);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_NEEDS_OPERATOR);
    assert_int_equal(world.decision.alarms[0].key, ALARM_NEEDS_OPERATOR);
}

// An audit that a person asked for, of a card in no doubt: a doubt after it decides nothing.
static void a_doubt_after_an_audit_that_needs_a_person_is_no_decision(void **state)
{
    (void)state;
    world.record.operation_id_last = 9;
    be_asked(7);
    be_asked(4);
    assert_int_equal(world.record.dirty_since.ms, 0);
    (void)world_request(&world, OPERATION_AUDIT);
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.operation_id_highest = 3;
    world_event(&world, &e);
    assert_true(world.record.needs_operator);
    world.now.ms += MINUTE;
    mark(DIRTY_POR_TIMEOUT);
    assert_true(world.record.needs_operator);
    e = (struct event){.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
}

// --- what came after an audit that needs a person ------------------------------------------------

static void need_an_operator(uint8_t reason)
{
    mark(reason);
    world_wake_after(&world, MINUTE);
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    struct audit_answer *a = &e.as.por.answer;
    a->slots[2] = (struct audit_slot){.slot = 5, .state = SLOT_DISABLED, .rank = 9};
    a->slot_count_here = 3;
    world_event(&world, &e);
    assert_true(world.record.needs_operator);
    world.now.ms += MINUTE;
}

static void the_same_doubt_after_an_audit_is_a_row_and_names_what_it_came_from(void **state)
{
    (void)state;
    need_an_operator(DIRTY_OPERATOR_REQUEST);
    world.next_id += 100;
    const uint64_t cause = world.next_id;
    mark(DIRTY_OPERATOR_REQUEST);
    assert_true(has_row("card.dirty", "operator_request"));
    const struct dirty_entry *entry = &world.record.reasons[DIRTY_OPERATOR_REQUEST];
    assert_int_equal(entry->since.ms, world.now.ms);
    assert_int_equal(entry->operation, cause);
    world.now.ms += MINUTE; // once more says nothing new
    mark(DIRTY_OPERATOR_REQUEST);
    assert_false(has_row("card.dirty", "operator_request"));
    assert_int_equal(entry->since.ms, world.now.ms - MINUTE);
}

static void a_decision_that_a_later_doubt_overtook_is_a_row_and_grants_no_more_issues(void **state)
{
    (void)state;
    need_an_operator(DIRTY_OPERATOR_REQUEST);
    world.record.reissues = 2;
    mark(DIRTY_MANUAL_EDIT);
    struct event e = {.type = EVENT_RESOLVE, .push_server = true};
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
    assert_true(has_row("card.decided", "server pushed"));
    assert_int_equal(world.record.reissues, 2);
    assert_true(world_is_dirty(&world, DIRTY_MANUAL_EDIT));
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void what_a_card_never_saw_does_not_arrive_after_a_decision(void **state)
{
    (void)state;
    world.policy.reissues_max = 0;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, 62 * MINUTE);
    world_wake_after(&world, MINUTE);
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NEVER_SEEN, 0);
    world_event(&world, &e);
    assert_true(world.record.needs_operator);
    e = (struct event){.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_false(world_ended(&world)->may_still_arrive);
    assert_int_equal(world.record.late_count, 0);
}

// --- of which operations a card keeps the id -----------------------------------------------------

static void what_a_card_did_not_judge_leaves_no_id_on_it(void **state)
{
    (void)state;
    static const uint8_t codes[] = {RESULT_BAD_FORMAT, RESULT_UNKNOWN_COMMAND, RESULT_NO_MEMORY};
    for (size_t i = 0; i < sizeof codes; i++) {
        (void)world_request(&world, OPERATION_DELETE);
        world_submit(&world, SUBMIT_ACCEPTED);
        world_result(&world, codes[i]);
        assert_int_equal(world.record.operation_id_seen, 0);
        assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
        struct event e = {.type = EVENT_CLEAR_DIRTY};
        world_event(&world, &e);
    }
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_POLICY_FORBIDS);
    assert_int_equal(world.record.operation_id_seen, world.record.operation_id_last);
}

// Somebody else has the keys, and used the counter first; or the card could not read whose it is.
static void answer_about(uint32_t operation_id, uint8_t code)
{
    struct event e = {.type = EVENT_POR};
    struct event_por *p = &e.as.por;
    p->is_authentic = true;
    p->counter = world.record.flight.counter;
    p->has_result = true;
    p->result.code = code;
    p->result.command = COMMAND_SET_FALLBACK;
    p->result.operation_id = operation_id;
    p->result.registry_version = world.record.registry_version;
    world_event(&world, &e);
}

static void an_answer_about_another_operation_under_our_counter_is_not_believed(void **state)
{
    static const uint8_t codes[] = {RESULT_OK_UNCHANGED,   RESULT_OK_PENDING, RESULT_NOT_FOUND,
                                    RESULT_BUSY_SWITCHING, RESULT_NVM_ERROR,  RESULT_BAD_FORMAT,
                                    RESULT_OPID_EXPIRED};
    for (size_t i = 0; i < sizeof codes; i++) {
        (void)tear_down(state);
        (void)set_up(state);
        (void)world_request(&world, OPERATION_DELETE);
        world_submit(&world, SUBMIT_ACCEPTED);
        const struct operation *o = &world.record.open;
        const uint32_t id = o->card_operation_id;
        const uint8_t slot_count = world.record.slot_count;
        answer_about(id + 5000, codes[i]);
        assert_true(world.record.has_open);
        assert_int_equal(o->status, STATUS_UNKNOWN);
        assert_int_equal(o->card_operation_id, id);
        assert_true(o->may_have_run);
        assert_false(o->has_result);
        assert_int_equal(world.record.operation_id_seen, 0);
        assert_int_equal(world.record.slot_count, slot_count);
        assert_true(world_is_dirty(&world, DIRTY_UNKNOWN_POR_STATUS));
    }
}

static void what_a_card_could_not_read_has_no_id_and_is_ours(void **state)
{
    (void)state;
    static const uint8_t codes[] = {RESULT_BAD_FORMAT, RESULT_UNKNOWN_COMMAND};
    for (size_t i = 0; i < sizeof codes; i++) {
        (void)world_request(&world, OPERATION_DELETE);
        world_submit(&world, SUBMIT_ACCEPTED);
        answer_about(0, codes[i]);
        assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
        struct event e = {.type = EVENT_CLEAR_DIRTY};
        world_event(&world, &e);
    }
}

// Nothing else tells of it: the card repeats its notification, and refuses each confirmation.
static void a_low_counter_of_a_confirmation_is_a_reason_and_the_counter_jumps(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    const uint64_t before = world.record.mt_counter;
    world_por(&world, SECURED_STATUS_CNTR_LOW);
    assert_true(world_is_dirty(&world, DIRTY_COUNTER_MISMATCH));
    assert_int_equal(world.record.mt_counter, before + COUNTER_JUMP);
}

static void a_counter_that_is_blocked_for_a_confirmation_quarantines(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    world_por(&world, SECURED_STATUS_CNTR_BLOCKED);
    assert_true(record_has_mark(&world.record, MARK_QUARANTINED));
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

// Its next packet may have left after the backup, and the card may have done it.
static void what_waited_to_be_sent_again_is_asked_about_after_a_restore(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    const uint32_t id = world.record.open.card_operation_id;
    struct event e = {.type = EVENT_RESTORE};
    world_event(&world, &e);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world.record.open.may_have_run);
    world_wake_after(&world, 60 * 1000);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    assert_int_equal(world.decision.sends[0].lookup, id);
}

static void what_was_never_given_an_id_goes_on_waiting_after_a_restore(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_BUSY_SWITCHING); // nothing ran: the next packet gets a new id
    struct event e = {.type = EVENT_RESTORE};
    world_event(&world, &e);
    assert_int_equal(world.record.open.status, STATUS_QUEUED);
}

static void a_jump_in_an_old_doubt_is_tried_within_a_minute_thrice_a_day(void **state)
{
    (void)state;
    mark(DIRTY_OPERATOR_REQUEST);
    world_wake_after(&world, 3 * DAY); // behind the steps: once a day
    const uint64_t before = world.record.mt_counter;
    for (uint64_t jumps = 1; jumps <= 3; jumps++) {
        assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
        world_por(&world, 0x02);
        assert_int_equal(world.record.mt_counter, before + jumps * 65536 + jumps - 1);
        assert_int_equal(world.record.next_audit_at.ms - world.now.ms, MINUTE);
        world_wake_after(&world, MINUTE);
    }
    world_por(&world, 0x02); // that was the fourth
    assert_int_equal(world.record.mt_counter, before + 3 * 65536 + 3);
    assert_true(world.record.next_audit_at.ms - world.now.ms > 60 * MINUTE);
}

// The network rejects the last packet for good, or the card does, whose level is higher; of the one
// before the network said that it was lost.
static void what_was_refused_after_an_earlier_packet_may_have_run(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const bool has_earlier = i % 2 != 0;
        (void)world_request(&world, OPERATION_DELETE);
        if (has_earlier) {
            world_submit(&world, SUBMIT_ACCEPTED);
            world_receipt(&world, RECEIPT_LOST);
            world_wake_after(&world, 10 * MINUTE);
        }
        world_submit(&world, i < 2 ? SUBMIT_REJECTED : SUBMIT_ACCEPTED);
        if (i >= 2)
            world_por(&world, SECURED_STATUS_LEVEL_TOO_LOW);
        assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
        assert_int_equal(world_ended(&world)->may_still_arrive, has_earlier);
        assert_int_equal(world_is_dirty(&world, DIRTY_POR_TIMEOUT), has_earlier);
        assert_int_equal(world.record.late_count, has_earlier);
        world_close(&world);
        world_init(&world);
    }
}

// Its counters were lost between two copies of the packet; the answer to the first one was as well.
static void what_a_blocked_card_refuses_may_have_run(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_por(&world, SECURED_STATUS_CNTR_BLOCKED);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_true(world_ended(&world)->may_still_arrive);
    assert_true(world_is_dirty(&world, DIRTY_POR_TIMEOUT));
    assert_true(record_has_mark(&world.record, MARK_QUARANTINED));
    assert_int_equal(world.record.late_count, 1);
}

// A CONFIRM left after the question and was answered first; in a doubt the mirror does not follow
// what that told of.
static void an_answer_to_what_left_before_an_answered_packet_is_asked_for_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct event e;
        mark(DIRTY_OPERATOR_REQUEST);
        world_wake_after(&world, MINUTE);
        world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
        if (i != 0)
            world.record.answered[0] = ++world.record.mt_counter;
        e.as.por.result.registry_version = ++world.record.registry_version;
        world_event(&world, &e);
        assert_int_equal(record_has_mark(&world.record, MARK_DIRTY), i != 0);
        assert_int_equal(world.decision.has_answer, i == 0);
    }
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

// The database that was put back still asks; what came since, it does not know.
static void an_audit_that_was_asked_before_a_restore_tells_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        mark(DIRTY_OPERATOR_REQUEST);
        world_wake_after(&world, MINUTE);
        struct event answer;
        world_answer_init(&world, &answer, LOOKUP_NOT_ASKED, 0);
        struct event restore = {.type = EVENT_RESTORE};
        if (i != 0)
            world_event(&world, &restore);
        world_event(&world, &answer);
        assert_int_equal(record_has_mark(&world.record, MARK_DIRTY), i != 0);
        assert_int_equal(world.decision.is_dropped, i != 0);
    }
    assert_true(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// 120 s after its receipt, 300 s after the submit without one.
static void how_long_a_confirmation_is_waited_for(void **state)
{
    (void)state;
    for (int has_receipt = 0; has_receipt < 2; has_receipt++) {
        world_close(&world);
        world_init(&world);
        (void)world_switching(&world);
        world_notify(&world, NOTIFY_ENABLED, 2, true);
        world_submit(&world, SUBMIT_ACCEPTED);
        world_wake_after(&world, 10000);
        if (has_receipt)
            world_receipt(&world, RECEIPT_DELIVERED);
        world_wake_after(&world, has_receipt ? 119999 : 289999);
        assert_int_equal(world.record.open.status, STATUS_CONFIRMING);
        assert_int_equal(world.record.flight.kind, FLIGHT_CONFIRM);
        world_wake_after(&world, 1);
        assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
        assert_true(world_is_dirty(&world, DIRTY_CONFIRM_UNACKNOWLEDGED));
    }
}

// A card that went back tells of it under the id of the switch that is open: that is confirmed, and
// the switch has the time that it had.
static void another_confirmation_takes_no_time_from_a_switch(void **state)
{
    (void)state;
    (void)world_switching(&world);
    const struct utc until = world.record.open.deadline;
    assert_int_equal(world.record.open.status, STATUS_SWITCHING);
    assert_true(until.ms > world.now.ms);
    world_notify(&world, NOTIFY_RESTORED, 1, true);
    assert_int_equal(world.record.flight.kind, FLIGHT_CONFIRM);
    assert_int_equal(world.record.open.status, STATUS_SWITCHING);
    assert_int_equal(world.record.open.deadline.ms, until.ms);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, until.ms - world.now.ms);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_SWITCH_NO_NOTIFY));
}

// It brings it no more, since its counter is too low; and the number is another card's by now.
static void a_late_download_names_nothing_that_was_deleted_since(void **state)
{
    (void)state;
    struct record *r = &world.record;
    (void)world_request(&world, OPERATION_DELETE);
    r->late[0] = (struct late){.kind = OPERATION_DOWNLOAD,
                               .operation = 77,
                               .card_operation_id = 1,
                               .subscription = r->slots[1].subscription};
    r->late_count = 1;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(r->late_count, 1);
    assert_int_equal(r->late[0].subscription, 0);
}

// --- a card that is out of reach -----------------------------------------------------------------

static void what_becomes_unknown_out_of_reach_is_unresolved_when_its_time_is_over(void **state)
{
    (void)state;
    mark(DIRTY_OPERATOR_REQUEST);
    world_wake_after(&world, 7 * DAY);
    assert_true(record_has_mark(&world.record, MARK_UNREACHABLE));
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, 120 * MINUTE); // nobody answers that audit
    assert_true(world_request(&world, OPERATION_READ_TIMERS) != 0);
    assert_int_equal(world.decision.send_count, 1);
    world_submit(&world, SUBMIT_UNKNOWN);
    world_wake_after(&world, 120 * MINUTE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    // 24 h from the request.
    world_wake_after(&world, DAY - 121 * MINUTE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world.record.wake_at.ms <= world.now.ms + MINUTE);
    world_wake_after(&world, MINUTE);
    assert_non_null(world_ended(&world));
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_UNRESOLVED);
    assert_false(world.record.has_open);
    assert_true(record_has_mark(&world.record, MARK_UNREACHABLE));
    assert_true(world.record.dirty_since.ms != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_late_download_names_nothing_that_was_deleted_since),
        TEST(a_restored_card_is_heard_anew_also_when_a_reset_was_suspected_before),
        TEST(a_card_that_has_two_words_of_it_turns_the_count_back_once),
        TEST(a_card_that_was_restored_twice_in_one_doubt_is_heard_anew_twice),
        TEST(an_older_registry_is_a_doubt_also_in_a_notification_that_was_handled),
        TEST(a_notification_that_is_told_again_is_no_doubt),
        TEST(another_registry_is_a_doubt_also_under_a_number_that_was_handled),
        TEST(a_later_registry_that_is_the_same_is_no_doubt_under_a_number_that_was_handled),
        TEST(a_later_registry_is_a_doubt_under_a_number_that_was_handled_at_level_1),
        TEST(a_change_that_no_notification_tells_of_is_a_doubt_at_level_1),
        TEST(a_switch_at_a_version_that_is_known_is_a_doubt_at_level_1),
        TEST(a_switch_that_the_mirror_shows_is_no_doubt_at_level_1),
        TEST(an_operation_id_that_fell_again_after_a_clean_audit_needs_an_operator),
        TEST(a_doubt_after_an_audit_that_needs_a_person_is_no_decision),
        TEST(the_same_doubt_after_an_audit_is_a_row_and_names_what_it_came_from),
        TEST(a_decision_that_a_later_doubt_overtook_is_a_row_and_grants_no_more_issues),
        TEST(what_a_card_never_saw_does_not_arrive_after_a_decision),
        TEST(what_a_card_did_not_judge_leaves_no_id_on_it),
        TEST(an_answer_about_another_operation_under_our_counter_is_not_believed),
        TEST(what_a_card_could_not_read_has_no_id_and_is_ours),
        TEST(a_low_counter_of_a_confirmation_is_a_reason_and_the_counter_jumps),
        TEST(a_counter_that_is_blocked_for_a_confirmation_quarantines),
        TEST(what_waited_to_be_sent_again_is_asked_about_after_a_restore),
        TEST(what_was_never_given_an_id_goes_on_waiting_after_a_restore),
        TEST(a_jump_in_an_old_doubt_is_tried_within_a_minute_thrice_a_day),
        TEST(what_was_refused_after_an_earlier_packet_may_have_run),
        TEST(what_a_blocked_card_refuses_may_have_run),
        TEST(an_answer_to_what_left_before_an_answered_packet_is_asked_for_again),
        TEST(an_audit_that_was_asked_before_a_restore_tells_nothing),
        TEST(how_long_a_confirmation_is_waited_for),
        TEST(another_confirmation_takes_no_time_from_a_switch),
        TEST(what_becomes_unknown_out_of_reach_is_unresolved_when_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
