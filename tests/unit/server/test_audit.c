// decide(): audits, what they change, and answers that come late.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "common/wire/secured.h"

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

static void become_unknown(void)
{
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, HOUR + 2 * MINUTE);
    world_wake_after(&world, MINUTE);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    assert_int_equal(world.decision.sends[0].lookup, world.record.open.card_operation_id);
}

static void a_clean_audit_clears_dirty(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    world_event(&world, &e);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.record.last_audit_outcome, AUDIT_CLEAN);
    assert_true(world.decision.has_answer);
}

static void an_audit_finds_the_stored_result(void **state)
{
    (void)state;
    become_unknown();
    struct event e;
    world_answer_init(&world, &e, LOOKUP_STORED, RESULT_OK);
    e.as.por.answer.slot_count_here = 1; // it was deleted
    world_event(&world, &e);
    bool is_done = false;
    for (uint8_t i = 0; i < world.decision.ended_count; i++)
        is_done |= world.decision.ended[i].kind == OPERATION_DELETE &&
                   world.decision.ended[i].outcome == OUTCOME_DONE;
    assert_true(is_done);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_SERVER_CORRECTED);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void a_command_never_seen_is_issued_again_under_the_same_id(void **state)
{
    (void)state;
    become_unknown();
    const uint32_t id = world.record.open.card_operation_id;
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NEVER_SEEN, 0);
    world_event(&world, &e);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_REISSUED);
    assert_int_equal(world.decision.sends[0].command, COMMAND_DELETE);
    assert_int_equal(world.decision.sends[0].operation_id, id);
}

static void a_command_not_stored_and_without_effect_gets_a_new_id(void **state)
{
    (void)state;
    become_unknown();
    const uint32_t id = world.record.open.card_operation_id;
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_STORED, 0);
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].operation_id, id + 1);
}

// An answer with a subscription that the server does not know.
static void need_an_operator(void)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    struct audit_answer *a = &e.as.por.answer;
    a->slots[2] = (struct audit_slot){.slot = 5, .state = SLOT_DISABLED, .rank = 9};
    a->slot_count_here = 3;
    world_event(&world, &e);
    assert_true(world.record.needs_operator);
}

static void a_subscription_unknown_to_the_server_needs_an_operator(void **state)
{
    (void)state;
    need_an_operator();
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.record.slots[2].subscription, 0);
    assert_int_equal(world.decision.alarms[0].key, ALARM_NEEDS_OPERATOR);
}

static void an_answer_with_another_nonce_is_ignored(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.nonce[0] ^= 1;
    world_event(&world, &e);
    assert_true(world.decision.is_dropped);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
}

static void an_answer_of_an_earlier_attempt_leaves_the_next_one_under_way(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.nonce[0] ^= 1;
    world.record.mt_counter++;
    world.record.flight.counter++;
    world_event(&world, &e);
    assert_int_equal(world.record.flight.kind, FLIGHT_AUDIT);
}

// As every operation: once more after an hour, then it has failed, with an alarm.
static void an_audit_without_doubt_that_memory_failed_is_asked_once_more(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_AUDIT);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_NVM_ERROR);
    assert_null(world_ended(&world));
    world_wake_after(&world, HOUR - 1);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_NVM_ERROR);
    assert_false(world.record.audit.is_open);
    assert_int_equal(world.record.dirty_since.ms, 0);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world_ended(&world)->result, RESULT_NVM_ERROR);
    assert_int_equal(world.decision.alarms[0].key, ALARM_CARD_NVM_ERROR);
}

static void an_audit_without_doubt_that_is_refused_has_failed(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_AUDIT);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_BAD_FORMAT);
    assert_false(world.record.audit.is_open);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world_ended(&world)->result, RESULT_BAD_FORMAT);
}

// A result of which nobody knows the meaning, and a good one that comes without an answer.
static void an_answer_to_an_audit_that_is_not_understood_is_a_doubt(void **state)
{
    (void)state;
    static const uint8_t codes[] = {0x7F, RESULT_OK};
    for (size_t i = 0; i < sizeof codes; i++) {
        (void)world_request(&world, OPERATION_AUDIT);
        world_submit(&world, SUBMIT_ACCEPTED);
        world_result(&world, codes[i]);
        assert_true(world_is_dirty(&world, DIRTY_UNKNOWN_POR_STATUS));
        assert_int_equal(world.record.audit.operation.status, STATUS_QUEUED);
        world_wake_after(&world, MINUTE);
        assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
        struct event e;
        world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
        world_event(&world, &e);
        assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
        assert_false(record_has_mark(&world.record, MARK_DIRTY));
    }
}

static void forge_error(void)
{
    struct event e = {.type = EVENT_POR};
    e.as.por.counter = world.record.flight.counter;
    e.as.por.status = SECURED_STATUS_CHECK_FAILED;
    world_event(&world, &e);
}

// An audit is under way, or it waits: a person can still end it, and so can its time.
static void an_audit_whose_packet_is_over_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        (void)world_request(&world, OPERATION_AUDIT);
        world_submit(&world, SUBMIT_ACCEPTED);
        if (i == 0)
            world_por(&world, SECURED_STATUS_CNTR_LOW);
        else if (i == 1)
            forge_error();
        else
            world_por(&world, SECURED_STATUS_CNTR_BLOCKED);
        assert_int_equal(world.record.flight.kind, FLIGHT_NONE);
        assert_int_equal(world.record.audit.operation.status, STATUS_QUEUED);
        struct event e = {.type = EVENT_CLEAR_DIRTY};
        world_event(&world, &e);
        assert_int_equal(world.decision.send_count, i < 2 ? 1 : 0);
        if (i == 2)
            break;
        world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
        world_event(&world, &e);
        assert_false(world.record.audit.is_open);
    }
    assert_true(record_has_mark(&world.record, MARK_QUARANTINED));
    world_wake_after(&world, 24 * HOUR);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_false(world.record.audit.is_open);
}

static void an_audit_for_which_no_counter_is_left_waits(void **state)
{
    (void)state;
    world.record.mt_counter = COUNTER_LAST - 1;
    (void)world_request(&world, OPERATION_AUDIT);
    assert_true(record_has_mark(&world.record, MARK_QUARANTINED));
    assert_int_equal(world.record.audit.operation.status, STATUS_QUEUED);
}

// A database of before hears from the card of a later counter: another jump would go past the last.
static void a_counter_that_the_card_tells_jumps_while_there_is_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { // 65,536 below the last one, and one more
        struct event e;
        (void)world_request(&world, OPERATION_AUDIT);
        world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
        e.as.por.answer.mt_counter = 0xFFFFFFFFFFull - 65536 - i;
        world_event(&world, &e);
        assert_int_equal(world.record.mt_counter, 0xFFFFFFFFFFull - (i == 0 ? 65536 : 1));
        world.record.mt_counter = 100;
    }
}

static void a_question_that_a_confirmation_pushed_aside_goes_out_behind_it(void **state)
{
    (void)state;
    (void)world_switching(&world);
    (void)world_request(&world, OPERATION_AUDIT);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

// The card answered, then changed by itself; the word of the change came first.
static void an_answer_overtaken_by_a_notification_is_asked_for_again(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    struct event old;
    world_answer_init(&world, &old, LOOKUP_NOT_ASKED, 0);
    const uint64_t former = record_enabled(&world.record)->subscription;
    world_notify(&world, NOTIFY_FALLBACK, record_enabled(&world.record)->fact.slot == 1 ? 2 : 1,
                 false);
    const uint64_t now = record_enabled(&world.record)->subscription;
    assert_int_not_equal(former, now);
    world_event(&world, &old);
    assert_int_equal(record_enabled(&world.record)->subscription, now);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    assert_false(world.decision.has_answer);
    assert_true(world.record.audit.is_open && world.record.audit.is_page_due);
    assert_int_equal(world.record.resets_suspected, 0);
}

// A CONFIRM left after the question and moved the fallback mark; its answer came first.
static void an_answer_overtaken_by_that_to_a_confirm_is_asked_for_again(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    world.record.mt_counter++;
    world.record.has_registry_version = true;
    world.record.registry_version = 4;
    e.as.por.result.registry_version = 3;
    world_event(&world, &e);
    assert_int_equal(world.record.registry_version, 4);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    assert_false(world.decision.has_answer);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

// Nothing came in between: the card itself went back.
static void an_answer_with_an_older_mo_counter_than_was_known_when_asking_is_a_reset(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world.record.mo_counter = 9;
    world_wake_after(&world, MINUTE);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.mo_counter = world.record.mo_counter - 1;
    world_event(&world, &e);
    assert_true(world.decision.has_answer);
    assert_int_equal(world.record.resets_suspected, 1);
}

static void audit_attempts_come_after_1_5_30_min_2_6_24_h(void **state)
{
    (void)state;
    static const int64_t at[] = {MINUTE,   5 * MINUTE, 30 * MINUTE, 2 * HOUR,
                                 6 * HOUR, 24 * HOUR,  36 * HOUR}; // then each of two once a day
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    const int64_t start = world.now.ms;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        assert_int_equal(world.record.next_audit_at.ms - start, at[i]);
        world_wake_after(&world, world.record.next_audit_at.ms - world.now.ms);
        assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
        world_submit(&world, SUBMIT_ACCEPTED);
    }
}

static void a_card_silent_for_7_days_is_unreachable_and_stays_dirty(void **state)
{
    (void)state;
    become_unknown();
    world_wake_after(&world, 7 * 24 * HOUR);
    assert_true(record_has_mark(&world.record, MARK_UNREACHABLE));
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.decision.ended[0].outcome, OUTCOME_UNRESOLVED);
}

static void an_unreachable_card_is_asked_on_each_of_its_two_numbers_within_7_days(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, 7 * 24 * HOUR);
    world_submit(&world, SUBMIT_ACCEPTED);
    for (unsigned i = 0; i < 3; i++) {
        world_wake_after(&world, world.record.next_audit_at.ms - world.now.ms);
        assert_true(record_has_mark(&world.record, MARK_UNREACHABLE));
        assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
        assert_int_equal(world.record.next_audit_at.ms - world.now.ms, 7 * 12 * HOUR);
        world_submit(&world, SUBMIT_ACCEPTED);
    }
}

// The contact comes right behind an attempt, so that it asks for none of its own.
static void a_card_that_was_unreachable_is_asked_within_a_day_after_its_contact(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, 7 * 24 * HOUR);
    world_submit(&world, SUBMIT_ACCEPTED);
    const int64_t asked = world.now.ms;
    world.now.ms += MINUTE;
    world_notify(&world, NOTIFY_HEARTBEAT, 1, false);
    assert_false(record_has_mark(&world.record, MARK_UNREACHABLE));
    assert_int_equal(world.record.next_audit_at.ms - asked, 12 * HOUR); // it has two numbers
}

static void a_card_that_was_unreachable_for_long_is_asked_within_30_s(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    world_wake_after(&world, 7 * 24 * HOUR);
    world_submit(&world, SUBMIT_ACCEPTED);
    world.now.ms += 3 * 24 * HOUR;
    world_notify(&world, NOTIFY_HEARTBEAT, 1, false);
    assert_in_range(world.record.next_audit_at.ms - world.now.ms, 0, 30000);
}

static void pages_of_one_audit_share_their_nonce(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_AUDIT);
    const struct send first = world.decision.sends[0];
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.slot_count_here = 1;
    e.as.por.result.more = true;
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].first_slot, 2);
    assert_memory_equal(world.decision.sends[0].nonce, first.nonce, sizeof(first.nonce));
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.slots[0] = world.record.slots[1].fact;
    e.as.por.answer.slot_count_here = 1;
    world_event(&world, &e);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_CLEAN);
    assert_int_equal(world.record.slot_count, 2);
}

static void an_answer_of_an_ended_operation_is_a_late_por(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_result(&world, RESULT_OK);
    struct event e = {.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = 0;
    world.record.answered[0] = 99; // as if that counter had never been answered
    e.as.por.counter = 1;
    e.as.por.has_result = true;
    e.as.por.result.command = COMMAND_DELETE;
    world.record.mt_counter = 3;
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_LATE_POR));
}

static void a_doubled_por_changes_nothing(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    const uint64_t counter = world.record.flight.counter;
    world_result(&world, RESULT_OK);
    struct event e = {.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = counter;
    e.as.por.has_result = true;
    e.as.por.result.command = COMMAND_DELETE;
    world_event(&world, &e);
    assert_true(world.decision.is_dropped);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void another_device_is_a_reason(void **state)
{
    (void)state;
    world.record.has_imei = true;
    memcpy(world.record.imei, (uint8_t[]){0x3A, 0x15, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32}, 8);
    struct event e = {.type = EVENT_NOTIFY};
    struct notification *n = &e.as.notify.notification;
    e.as.notify.mo_counter = 1;
    *n = (struct notification){
        .cause = NOTIFY_IMEI_CHANGED, .sequence = 1, .registry_version = 10, .has_imei = true};
    memcpy(n->imei, (uint8_t[]){0x3A, 0x15, 0x32, 0x54, 0x76, 0x98, 0x10, 0x42}, 8);
    world_event(&world, &e);
    assert_false(world_is_dirty(&world, DIRTY_IMEI_SWAP)); // the check digit names no device
    e.as.notify.mo_counter = 2;
    n->sequence = 2;
    n->imei[4] ^= 0x01;
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_IMEI_SWAP));
}

static void a_person_who_decides_ends_the_doubt(void **state)
{
    (void)state;
    need_an_operator();
    struct event e = {.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_false(world.record.needs_operator);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

// The person saw the audit, not what came after it; also when its reason was there before.
static void what_came_after_the_audit_is_not_decided_with_it(void **state)
{
    (void)state;
    need_an_operator();
    world.now.ms += MINUTE;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    e = (struct event){.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_false(world.record.needs_operator);
    assert_true(world_is_dirty(&world, DIRTY_OPERATOR_REQUEST));
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    world_event(&world, &e);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void tell_of_damage(uint32_t sequence, uint32_t registry_version)
{
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification = (struct notification){
        .cause = NOTIFY_RESTORED, .sequence = sequence, .registry_version = registry_version};
    world_event(&world, &e);
}

// A card that began anew counts from 1, and what it says then is not what it said once.
static void damage_is_doubt_also_under_a_number_that_was_handled(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        world_notify(&world, NOTIFY_ROTATED, 1 + (i + 1) % 2, false);
    const uint32_t handled = world.record.notify_sequence;
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    tell_of_damage(handled - 4, world.record.registry_version);
    assert_true(world_is_dirty(&world, DIRTY_CARD_RESET_SUSPECTED));
    assert_int_equal(world.record.notify_sequence, handled - 4);
    tell_of_damage(handled - 4, world.record.registry_version); // it is told once more
    assert_int_equal(world.record.notify_sequence, handled - 4);
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification = (struct notification){
        .cause = NOTIFY_SWITCH_CAP, .sequence = handled - 3, .registry_version = 1};
    world_event(&world, &e);
    assert_int_equal(world.record.notify_sequence, handled - 3);
    assert_int_equal(world.record.gap_sequences, 0);
}

// --- of a card that is in no doubt ---

static void ask_for_audit(bool at_next_contact)
{
    struct event e = {.type = EVENT_REQUEST};
    e.as.request.operation = (struct operation){
        .id = world.next_id++, .kind = OPERATION_AUDIT, .at_next_contact = at_next_contact};
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
}

static void assert_asked(void)
{
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void assert_answered(void)
{
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    world_event(&world, &e);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_false(world.record.audit.is_open);
}

static void lose(void)
{
    assert_asked();
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    assert_null(world_ended(&world));
    assert_int_equal(world.record.audit.operation.status, STATUS_QUEUED);
    assert_int_equal(world.record.dirty_since.ms, 0);
}

static void an_audit_that_was_lost_is_sent_again_as_other_operations_are(void **state)
{
    (void)state;
    static const int64_t after_ms[] = {10 * MINUTE, HOUR, 6 * HOUR};
    ask_for_audit(false);
    const struct send first = world.decision.sends[0];
    for (size_t i = 0; i < sizeof(after_ms) / sizeof(after_ms[0]); i++) {
        const uint64_t counter = world.record.mt_counter;
        lose();
        world_wake_after(&world, after_ms[i] - 1);
        assert_int_equal(world.decision.send_count, 0);
        world_wake_after(&world, 1);
        assert_int_equal(world.record.mt_counter, counter + 1);
        // The mirror is not in doubt: it says where the card is.
        assert_string_equal(world.decision.sends[0].number, first.number);
    }
    assert_asked();
    world_submit(&world, SUBMIT_ACCEPTED);
    assert_answered();
}

static void an_audit_that_is_not_answered_puts_nothing_in_doubt_and_expires_in_the_end(void **state)
{
    (void)state;
    ask_for_audit(false);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_DELIVERED);
    world_wake_after(&world, 2 * MINUTE);
    assert_null(world_ended(&world));
    assert_int_equal(world.record.dirty_since.ms, 0);
    world_wake_after(&world, 10 * MINUTE);
    lose(); // and again after an hour
    world_wake_after(&world, 24 * HOUR - 12 * MINUTE);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_int_equal(world_ended(&world)->failure, FAILURE_DELIVERY_EXPIRED);
    assert_false(world.record.audit.is_open);
}

static void after_the_last_step_an_audit_waits_for_a_contact_or_is_given_up(void **state)
{
    (void)state;
    world.policy.retry.count = 1;
    for (int i = 0; i < 2; i++) {
        world.policy.retry_at_contact = i == 0;
        ask_for_audit(false);
        lose();
        world_wake_after(&world, 10 * MINUTE);
        if (i > 0)
            break;
        lose();
        world_wake_after(&world, 12 * HOUR);
        assert_int_equal(world.decision.send_count, 0);
        struct event e = {.type = EVENT_CONTACT};
        world_event(&world, &e);
        world_wake_after(&world, 30000);
        assert_asked();
        assert_answered();
    }
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
}

static void an_audit_at_the_next_contact_is_sent_then(void **state)
{
    (void)state;
    ask_for_audit(true);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, HOUR);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.audit.operation.hold, HOLD_NEXT_CONTACT);
    struct event e = {.type = EVENT_CONTACT};
    world_event(&world, &e);
    assert_int_equal(world.record.audit.operation.hold, HOLD_NOT_BEFORE);
    world_wake_after(&world, 30000);
    assert_asked();
}

static void an_audit_that_waits_is_sent_when_it_is_asked_for_again(void **state)
{
    (void)state;
    ask_for_audit(false);
    lose();
    ask_for_audit(false);
    lose();
    struct event e = {.type = EVENT_RESEND, .operation = world.record.audit.operation.id};
    world_event(&world, &e);
    assert_asked();
    world_submit(&world, SUBMIT_ACCEPTED);
    e = (struct event){.type = EVENT_RESTART}; // whatever became of it
    world_event(&world, &e);
    assert_asked();
    assert_answered();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clean_audit_clears_dirty),
        TEST(an_audit_finds_the_stored_result),
        TEST(a_command_never_seen_is_issued_again_under_the_same_id),
        TEST(a_command_not_stored_and_without_effect_gets_a_new_id),
        TEST(a_subscription_unknown_to_the_server_needs_an_operator),
        TEST(an_answer_with_another_nonce_is_ignored),
        TEST(an_answer_of_an_earlier_attempt_leaves_the_next_one_under_way),
        TEST(an_audit_without_doubt_that_memory_failed_is_asked_once_more),
        TEST(an_audit_without_doubt_that_is_refused_has_failed),
        TEST(an_answer_to_an_audit_that_is_not_understood_is_a_doubt),
        TEST(an_audit_whose_packet_is_over_waits),
        TEST(an_audit_for_which_no_counter_is_left_waits),
        TEST(a_counter_that_the_card_tells_jumps_while_there_is_room),
        TEST(a_question_that_a_confirmation_pushed_aside_goes_out_behind_it),
        TEST(an_answer_overtaken_by_a_notification_is_asked_for_again),
        TEST(an_answer_overtaken_by_that_to_a_confirm_is_asked_for_again),
        TEST(an_answer_with_an_older_mo_counter_than_was_known_when_asking_is_a_reset),
        TEST(audit_attempts_come_after_1_5_30_min_2_6_24_h),
        TEST(a_card_silent_for_7_days_is_unreachable_and_stays_dirty),
        TEST(an_unreachable_card_is_asked_on_each_of_its_two_numbers_within_7_days),
        TEST(a_card_that_was_unreachable_is_asked_within_a_day_after_its_contact),
        TEST(a_card_that_was_unreachable_for_long_is_asked_within_30_s),
        TEST(a_person_who_decides_ends_the_doubt),
        TEST(what_came_after_the_audit_is_not_decided_with_it),
        TEST(damage_is_doubt_also_under_a_number_that_was_handled),
        TEST(pages_of_one_audit_share_their_nonce),
        TEST(an_answer_of_an_ended_operation_is_a_late_por),
        TEST(a_doubled_por_changes_nothing),
        TEST(another_device_is_a_reason),
        TEST(an_audit_that_was_lost_is_sent_again_as_other_operations_are),
        TEST(an_audit_that_is_not_answered_puts_nothing_in_doubt_and_expires_in_the_end),
        TEST(after_the_last_step_an_audit_waits_for_a_contact_or_is_given_up),
        TEST(an_audit_at_the_next_contact_is_sent_then),
        TEST(an_audit_that_waits_is_sent_when_it_is_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
