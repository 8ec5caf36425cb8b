// decide(): the operation's states, retries, doubt, audits.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/core/rules.h"

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

static void every_status_and_input_has_exactly_one_rule(void **state)
{
    (void)state;
    for (uint8_t status = 0; status < STATUS_ENDED; status++) {
        for (uint8_t input = 0; input < INPUTS; input++) {
            unsigned rows = 0;
            for (size_t i = 0; i < rule_count; i++)
                rows += rules[i].input == input && (rules[i].from >> status & 1) != 0;
            if (rows != 1)
                fail_msg("%s in %s has %u rules", input_name(input), operation_status_name(status),
                         rows);
        }
    }
}

static void nothing_happens_to_what_has_ended(void **state)
{
    (void)state;
    for (uint8_t input = 0; input < INPUTS; input++)
        assert_null(rule_of(STATUS_ENDED, input));
}

static void a_request_is_sent_with_a_new_counter_and_a_new_operation_id(void **state)
{
    (void)state;
    world.record.mt_counter = 41;
    world.record.operation_id_last = 8;
    assert_int_not_equal(world_request(&world, OPERATION_ENABLE), 0);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].counter, 42);
    assert_int_equal(world.decision.sends[0].operation_id, 9);
    assert_string_equal(world.decision.sends[0].number, "9990000000001");
    assert_int_equal(world.record.open.status, STATUS_SENDING);
}

static void a_second_operation_waits_for_the_first(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    (void)world_request(&world, OPERATION_DELETE);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.record.queue_len, 1);
    assert_int_equal(world.record.queue[0].hold, HOLD_CARD_BUSY);
}

static void the_seventeenth_waiting_operation_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 17; i++)
        assert_int_not_equal(world_request(&world, OPERATION_ENABLE), 0);
    assert_int_equal(world_request(&world, OPERATION_ENABLE), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_QUEUE_FULL);
}

static void the_fallback_and_the_enabled_subscription_cannot_be_deleted(void **state)
{
    (void)state;
    world.record.slots[1].fact.is_fallback = true;
    world.record.slots[0].fact.is_fallback = false;
    assert_int_equal(world_request(&world, OPERATION_DELETE), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_DELETE_FALLBACK);
    world.record.slots[1].fact.state = SLOT_ENABLED;
    assert_int_equal(world_request(&world, OPERATION_DELETE), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_DELETE_NOT_DISABLED);
    assert_int_equal(world.decision.send_count, 0);
}

static void bar(bool is_barred)
{
    struct event e = {.type = EVENT_BAR,
                      .subscription = world.record.slots[1].subscription,
                      .is_barred = is_barred};
    world_event(&world, &e);
}

static void a_barred_subscription_does_not_become_the_fallback(void **state)
{
    (void)state;
    bar(true);
    assert_int_equal(world_request(&world, OPERATION_SET_FALLBACK), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_NOT_ELIGIBLE);
    assert_int_equal(world.decision.send_count, 0);
    bar(false);
    assert_int_not_equal(world_request(&world, OPERATION_SET_FALLBACK), 0);
    assert_int_equal(world.decision.sends[0].command, COMMAND_SET_FALLBACK);
}

// It was eligible when it was asked for, and no longer is when its turn comes.
static void what_waits_is_judged_again_before_it_is_sent(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_READ_TIMERS);
    const uint64_t waiting = world_request(&world, OPERATION_SET_FALLBACK);
    assert_int_not_equal(waiting, 0);
    bar(true);
    world_submit(&world, SUBMIT_REJECTED);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.decision.ended_count, 2);
    assert_int_equal(world.decision.ended[1].id, waiting);
    assert_int_equal(world.decision.ended[1].outcome, OUTCOME_REFUSED);
    assert_int_equal(world.decision.ended[1].failure, FAILURE_REFUSED_AT_SEND);
}

static void a_level_1_card_is_never_asked_for_timers(void **state)
{
    (void)state;
    world.record.level = 1;
    assert_int_equal(world_request(&world, OPERATION_READ_TIMERS), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_NOT_SUPPORTED_BY_CARD);
}

static void a_dirty_card_refuses_new_commands_but_not_audits(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    assert_int_equal(world_request(&world, OPERATION_ENABLE), 0);
    assert_int_equal(world.decision.refusal, REFUSAL_CARD_DIRTY);
    assert_int_not_equal(world_request(&world, OPERATION_AUDIT), 0);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void delete_ends_done_and_empties_the_mirrors_slot(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.slot_count, 1);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.record.registry_version, 11);
}

static void download_ends_done_and_fills_a_slot_of_the_mirror(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DOWNLOAD);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.slot_count, 3);
    assert_int_equal(world.record.slots[2].subscription, 103);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void a_download_that_leaves_the_rank_to_the_template_leaves_the_card_clean(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DOWNLOAD);
    world.record.open.download.has_rank = false;
    world.record.open.download.rank = 0;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.slots[2].fact.rank, 1);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

// [applet-protocol §4, §5]: its answer, the notification, the answer to CONFIRM.
static void every_message_of_a_switch_counts_for_its_operation(void **state)
{
    (void)state;
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world_ended(&world)->sms_mo, 3);
    assert_int_equal(world_ended(&world)->bytes_mo, 54 + 90 + 54);
}

static void an_enable_is_done_only_after_the_answer_to_confirm(void **state)
{
    (void)state;
    const uint64_t id = world_switching(&world);
    assert_int_equal(world.record.open.status, STATUS_SWITCHING);
    world.now.ms += MINUTE;
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.record.open.status, STATUS_CONFIRMING);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    assert_string_equal(world.decision.sends[0].number, "9990000000002");
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->id, id);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.preferred, 102);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void an_enabled_before_the_por_counts_as_the_por(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.record.open.status, STATUS_CONFIRMING);
    assert_int_equal(world.record.open.confirm_until.ms - world.now.ms, 1235000);
}

static void a_late_enabled_is_not_confirmed(void **state)
{
    (void)state;
    (void)world_switching(&world);
    world_wake_after(&world, 1235001);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_SWITCH_NO_NOTIFY));
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    for (uint8_t i = 0; i < world.decision.send_count; i++)
        assert_int_not_equal(world.decision.sends[i].command, COMMAND_CONFIRM);
    assert_int_equal(world.record.confirm_count, 0);
    world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_ROLLED_BACK);
}

static void no_rollback_notification_within_t_rollback_is_a_reason(void **state)
{
    (void)state;
    (void)world_switching(&world);
    world_wake_after(&world, 1235001);
    world_wake_after(&world, 2345000 - 1235001);
    assert_true(world_is_dirty(&world, DIRTY_ROLLBACK_UNCONFIRMED));
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
}

static void switch_failed_ends_failed_with_code_22(void **state)
{
    (void)state;
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_SWITCH_FAILED, 1, true);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world_ended(&world)->result, RESULT_TERMINAL_INCAPABLE);
}

static void a_repeated_notification_is_confirmed_again_and_counted_once(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    assert_int_equal(world.decision.sends[0].sequence, 1);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    const uint32_t version = world.record.registry_version;
    world.record.notify_sequence = 0; // so that the helper repeats sequence 1
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 2;
    e.as.notify.notification.cause = NOTIFY_ROTATED;
    e.as.notify.notification.sequence = 1;
    world.record.notify_sequence = 1;
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    assert_int_equal(world.record.registry_version, version);
    assert_int_equal(world.record.slots[1].fact.state, SLOT_ENABLED);
}

static void an_old_mo_counter_is_dropped(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification.sequence = 2;
    e.as.notify.notification.cause = NOTIFY_RETURNED;
    world_event(&world, &e);
    assert_true(world.decision.is_dropped);
    assert_int_equal(world.decision.send_count, 0);
}

static void a_contradicting_notification_makes_dirty(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 1, false); // from 2 to 1, but 1 was enabled
    assert_true(world_is_dirty(&world, DIRTY_UNEXPECTED_NOTIFY));
}

static void a_sequence_gap_becomes_a_reason_after_the_notify_waits(void **state)
{
    (void)state;
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    world.record.notify_sequence = 3;
    world_notify(&world, NOTIFY_RETURNED, 1, false);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    world.record.notify_sequence = 4;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification = (struct notification){.cause = NOTIFY_SWITCH_CAP, .sequence = 7};
    e.as.notify.notification.registry_version = world.record.registry_version;
    world_event(&world, &e);
    world_wake_after(&world, 900000);
    assert_true(world_is_dirty(&world, DIRTY_NOTIFY_GAP));
}

static void a_differing_hash_in_a_heartbeat_starts_an_audit(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_HEARTBEAT, .registry_version = 10, .has_hash = true};
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
    world_wake_after(&world, 31000);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void a_lower_registry_version_in_a_fresh_message_is_suspicious(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_HEARTBEAT, .registry_version = 9};
    world_event(&world, &e);
    assert_true(world_is_dirty(&world, DIRTY_CARD_RESET_SUSPECTED));
}

// --- time-outs and retries, one row each ---

struct story {
    const char *name;
    uint8_t events[3]; // 'a' accepted 'u' unknown 't' temporary 'r' rejected 'p' partial
                       // 'n' no link 'd' delivered 'l' lost, 0 end
    int64_t wait_ms;
    uint8_t status;
    uint8_t outcome;
    uint8_t dirty;
};

static const struct story stories[] = {
    {"no answer to submit_sm at all", "u", HOUR + 2 * MINUTE, STATUS_UNKNOWN, 0,
     DIRTY_SUBMIT_OUTCOME_UNKNOWN},
    {"no receipt and no por", "a", HOUR + 2 * MINUTE, STATUS_UNKNOWN, 0, DIRTY_POR_TIMEOUT},
    {"delivered but no por", "ad", 2 * MINUTE, STATUS_UNKNOWN, 0, DIRTY_POR_MISSING_BUT_DELIVERED},
    {"expired, nothing delivered", "al", 0, STATUS_QUEUED, 0, DIRTY_NONE},
    {"refused for good", "r", 0, STATUS_ENDED, OUTCOME_FAILED, DIRTY_NONE},
    {"part accepted", "p", 0, STATUS_UNKNOWN, 0, DIRTY_PARTIAL_MULTI_SMS},
    {"refused for now", "t", 0, STATUS_QUEUED, 0, DIRTY_NONE},
    {"no link for a day", "", 23 * HOUR, STATUS_SENDING, 0, DIRTY_NONE},
    {"no link, withdrawn", "n", 0, STATUS_SENDING, 0, DIRTY_NONE},
};

static void play(const char *events)
{
    for (size_t i = 0; i < 3 && events[i] != 0; i++) {
        switch (events[i]) {
        case 'd':
            world_receipt(&world, RECEIPT_DELIVERED);
            break;
        case 'l':
            world_receipt(&world, RECEIPT_LOST);
            break;
        default: // octets
            world_submit(&world, (uint8_t)(strchr("autrpn", events[i]) - "autrpn"));
            break;
        }
    }
}

static void every_end_of_a_packet_leads_where_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        const struct story *s = &stories[i];
        world_close(&world);
        world_init(&world);
        (void)world_request(&world, OPERATION_ENABLE);
        play((const char *)s->events);
        struct operation last = world.record.has_open ? world.record.open : *world_ended(&world);
        if (s->wait_ms > 0) {
            world_wake_after(&world, s->wait_ms);
            last = world.record.open;
        }
        if (last.status != s->status || last.outcome != s->outcome)
            fail_msg("%s: %s %s", s->name, operation_status_name(last.status),
                     operation_outcome_name(last.outcome));
        if (s->dirty != DIRTY_NONE && !world_is_dirty(&world, s->dirty))
            fail_msg("%s: not %s", s->name, dirty_reason_name(s->dirty));
        if (s->dirty == DIRTY_NONE && record_has_mark(&world.record, MARK_DIRTY))
            fail_msg("%s: dirty", s->name);
    }
}

static void lost_packets_are_sent_again_after_10_min_1_h_6_h_with_the_same_id(void **state)
{
    (void)state;
    static const int64_t waits[] = {10 * MINUTE, HOUR, 6 * HOUR};
    (void)world_request(&world, OPERATION_ENABLE);
    const uint32_t id = world.record.open.card_operation_id;
    uint64_t counter = world.decision.sends[0].counter;
    for (size_t i = 0; i < 3; i++) {
        world_submit(&world, SUBMIT_ACCEPTED);
        world_receipt(&world, RECEIPT_LOST);
        world_wake_after(&world, waits[i] - 1);
        assert_int_equal(world.decision.send_count, 0);
        world_wake_after(&world, 1);
        assert_int_equal(world.decision.send_count, 1);
        assert_int_equal(world.decision.sends[0].operation_id, id);
        assert_true(world.decision.sends[0].counter > counter);
        counter = world.decision.sends[0].counter;
    }
}

static void a_busy_card_is_asked_again_after_15_min_at_most_8_times(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    for (int i = 0; i < 8; i++) {
        world_result(&world, RESULT_BUSY_SWITCHING);
        assert_int_equal(world.record.open.status, STATUS_QUEUED);
        world_wake_after(&world, 15 * MINUTE);
        assert_int_equal(world.decision.send_count, 1);
    }
    world_result(&world, RESULT_BUSY_SWITCHING);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
}

// The card kept not even the counter: what the network delivers twice may run the second time.
static void a_memory_error_is_tried_once_more_then_fails_with_an_alarm(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_result(&world, RESULT_NVM_ERROR);
    const uint32_t id = world.record.open.card_operation_id;
    world_wake_after(&world, HOUR);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].operation_id, id);
    world_result(&world, RESULT_NVM_ERROR);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world.decision.alarms[0].key, ALARM_CARD_NVM_ERROR);
}

static void what_failed_by_a_memory_error_may_still_arrive(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_result(&world, RESULT_NVM_ERROR);
    world_wake_after(&world, HOUR);
    world_result(&world, RESULT_NVM_ERROR);
    assert_true(world_ended(&world)->may_still_arrive);
    assert_true(world_is_dirty(&world, DIRTY_POR_TIMEOUT));
    assert_int_equal(world.record.late_count, 1);
    assert_int_equal(world.record.operation_id_seen, 0); // the card kept none
}

static void a_low_counter_is_a_reason_and_the_counter_jumps(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    const uint64_t before = world.record.mt_counter;
    world_por(&world, 0x02);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_COUNTER_MISMATCH));
    assert_int_equal(world.record.mt_counter, before + 65536);
}

static void a_low_counter_after_a_repeat_is_probably_executed(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_UNKNOWN); // it was given to two links
    const uint64_t before = world.record.mt_counter;
    world_por(&world, 0x02);
    assert_true(world_is_dirty(&world, DIRTY_COUNTER_MISMATCH));
    assert_int_equal(world.record.mt_counter, before);
}

static void a_blocked_counter_quarantines(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_por(&world, 0x04);
    assert_true(record_has_mark(&world.record, MARK_QUARANTINED));
    assert_int_equal(world_ended(&world)->failure, FAILURE_POR_ERROR);
}

static void a_refusal_that_the_mirror_does_not_show_is_a_reason(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_result(&world, RESULT_IS_FALLBACK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_FAILED);
    assert_int_equal(world_ended(&world)->result, RESULT_IS_FALLBACK);
    assert_true(world_is_dirty(&world, DIRTY_GUARD_DISAGREEMENT));
}

static void bad_data_is_final_and_no_reason(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_result(&world, RESULT_BAD_DATA);
    assert_int_equal(world_ended(&world)->failure, FAILURE_CARD_REFUSED);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void a_reused_operation_id_is_unknown(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_result(&world, RESULT_OPID_REUSED);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_UNKNOWN_POR_STATUS));
}

static void insecure(void)
{
    struct event e = {.type = EVENT_POR};
    e.as.por.counter = world.record.flight.counter;
    e.as.por.status = 0x06;
    world_event(&world, &e);
}

static void three_insecure_answers_and_a_silent_day_quarantine(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    insecure();
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    for (int i = 0; i < 2; i++) {
        world_wake_after(&world, world.record.next_audit_at.ms - world.now.ms);
        assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
        insecure();
    }
    assert_false(record_has_mark(&world.record, MARK_QUARANTINED));
    assert_int_equal(world.record.jumps_today, 3);
    world_wake_after(&world, 24 * HOUR);
    assert_true(record_has_mark(&world.record, MARK_QUARANTINED));
}

static void more_time_needed_doubles_the_wait_once(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_por(&world, 0x08);
    assert_int_equal(world.record.open.deadline.ms - world.now.ms, 240000);
    world.now.ms += 1000;
    world_por(&world, 0x08);
    assert_int_equal(world.record.open.deadline.ms - world.now.ms, 239000);
}

static void an_operation_expires_when_its_time_is_over(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    (void)world_request(&world, OPERATION_DELETE);
    world_wake_after(&world, 24 * HOUR);
    const struct operation *o = world_ended(&world);
    assert_int_equal(o->outcome, OUTCOME_EXPIRED);
    assert_false(o->may_still_arrive);
}

static void what_was_sent_cannot_be_cancelled_what_waits_can(void **state)
{
    (void)state;
    const uint64_t sent = world_request(&world, OPERATION_ENABLE);
    const uint64_t waiting = world_request(&world, OPERATION_DELETE);
    struct event e = {.type = EVENT_CANCEL, .operation = sent};
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_WRONG_STATUS);
    e.operation = waiting;
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_CANCELLED);
    e.operation = 999999;
    world_event(&world, &e);
    assert_int_equal(world.decision.refusal, REFUSAL_NOT_FOUND);
}

static void a_restart_makes_what_was_under_way_unknown(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    struct event e = {.type = EVENT_RESTART};
    world_event(&world, &e);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_SERVER_RESTART_WITH_OPEN_OP));
}

static void a_restore_jumps_counters_and_operation_ids(void **state)
{
    (void)state;
    world.record.mt_counter = 5;
    world.record.operation_id_last = 3;
    struct event e = {.type = EVENT_RESTORE};
    world_event(&world, &e);
    assert_int_equal(world.record.mt_counter, 5 + 8 * 65536);
    assert_int_equal(world.record.operation_id_last, 3 + 65536);
    e.as.restore.age_ms = 2 * HOUR; // 120 minutes
    world_event(&world, &e);
    assert_int_equal(world.record.mt_counter, 5 + (8 + 8 + 120) * 65536);
    world.record.mt_counter = 0xFFFFFFFFFFull - 65538;
    world_event(&world, &e);
    assert_int_equal(world.record.mt_counter, 0xFFFFFFFFFFull - 2);
    assert_true(world_is_dirty(&world, DIRTY_RESTORE_FROM_BACKUP));
}

// A receipt is a hint: what the network calls lost may still come.
static void what_was_sent_and_expired_may_still_arrive(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    assert_int_equal(world.record.open.status, STATUS_QUEUED);
    world_wake_after(&world, 24 * 3600 * 1000);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_true(world_ended(&world)->may_still_arrive);
}

static void what_expires_after_the_card_accepted_it_cannot_arrive_again(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_BUSY_SWITCHING);
    world_wake_after(&world, 24 * 3600 * 1000);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_false(world_ended(&world)->may_still_arrive);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_status_and_input_has_exactly_one_rule),
        TEST(nothing_happens_to_what_has_ended),
        TEST(a_request_is_sent_with_a_new_counter_and_a_new_operation_id),
        TEST(a_second_operation_waits_for_the_first),
        TEST(the_seventeenth_waiting_operation_is_refused),
        TEST(the_fallback_and_the_enabled_subscription_cannot_be_deleted),
        TEST(a_barred_subscription_does_not_become_the_fallback),
        TEST(what_waits_is_judged_again_before_it_is_sent),
        TEST(a_level_1_card_is_never_asked_for_timers),
        TEST(a_dirty_card_refuses_new_commands_but_not_audits),
        TEST(delete_ends_done_and_empties_the_mirrors_slot),
        TEST(download_ends_done_and_fills_a_slot_of_the_mirror),
        TEST(a_download_that_leaves_the_rank_to_the_template_leaves_the_card_clean),
        TEST(every_message_of_a_switch_counts_for_its_operation),
        TEST(an_enable_is_done_only_after_the_answer_to_confirm),
        TEST(an_enabled_before_the_por_counts_as_the_por),
        TEST(a_late_enabled_is_not_confirmed),
        TEST(no_rollback_notification_within_t_rollback_is_a_reason),
        TEST(switch_failed_ends_failed_with_code_22),
        TEST(a_repeated_notification_is_confirmed_again_and_counted_once),
        TEST(an_old_mo_counter_is_dropped),
        TEST(a_contradicting_notification_makes_dirty),
        TEST(a_sequence_gap_becomes_a_reason_after_the_notify_waits),
        TEST(a_differing_hash_in_a_heartbeat_starts_an_audit),
        TEST(a_lower_registry_version_in_a_fresh_message_is_suspicious),
        TEST(every_end_of_a_packet_leads_where_the_table_says),
        TEST(lost_packets_are_sent_again_after_10_min_1_h_6_h_with_the_same_id),
        TEST(a_busy_card_is_asked_again_after_15_min_at_most_8_times),
        TEST(a_memory_error_is_tried_once_more_then_fails_with_an_alarm),
        TEST(what_failed_by_a_memory_error_may_still_arrive),
        TEST(a_low_counter_is_a_reason_and_the_counter_jumps),
        TEST(a_low_counter_after_a_repeat_is_probably_executed),
        TEST(a_blocked_counter_quarantines),
        TEST(a_refusal_that_the_mirror_does_not_show_is_a_reason),
        TEST(bad_data_is_final_and_no_reason),
        TEST(a_reused_operation_id_is_unknown),
        TEST(three_insecure_answers_and_a_silent_day_quarantine),
        TEST(more_time_needed_doubles_the_wait_once),
        TEST(an_operation_expires_when_its_time_is_over),
        TEST(what_was_sent_cannot_be_cancelled_what_waits_can),
        TEST(a_restart_makes_what_was_under_way_unknown),
        TEST(a_restore_jumps_counters_and_operation_ids),
        TEST(what_was_sent_and_expired_may_still_arrive),
        TEST(what_expires_after_the_card_accepted_it_cannot_arrive_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
