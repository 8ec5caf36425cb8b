// The bootstrap of a card, step by step: the next one follows when the one before has ended.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/bootstrap_lab.h"

// --- the whole way ---------------------------------------------------------------------------

static void the_first_contact_puts_it_into_the_queue(void **state)
{
    (void)state;
    contact();
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    assert_int_equal(world.record.state, CARD_SEEN);
    assert_true(world.decision.is_job_changed);
    assert_true(bootstrap_place(&world.record) == world.now.ms);
    assert_int_equal(world.record.bootstrap.origin, 101);
    assert_int_equal(world.decision.send_count, 0);
}

static void downloads_follow_each_other_and_enable_nothing(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(world.record.state, CARD_BOOTSTRAPPING);
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
    assert_int_equal(world.record.open.subscription, FIRST);
    assert_int_equal(world.record.open.flags, 0);
    assert_int_equal(world.record.open.actor.kind, ACTOR_RULE);
    downloaded();
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
    assert_int_equal(world.record.open.subscription, SECOND);
    downloaded();
    assert_int_equal(job(), BOOTSTRAP_ENABLING);
    assert_int_equal(sent(), COMMAND_ENABLE);
    assert_int_equal(world.record.open.subscription, SECOND);
    assert_int_equal(world.record.open.flags, COMMAND_FLAG_ROLLBACK);
}

static bool has_row(const char *before, const char *after)
{
    for (uint8_t i = 0; i < world.decision.trail_count; i++) {
        const struct trail_entry *t = &world.decision.trail[i];
        if (strcmp(t->action, "card.bootstrap") == 0 && strcmp(t->before, before) == 0 &&
            strcmp(t->after, after) == 0)
            return true;
    }
    return false;
}

static void soaking_begins_with_the_confirmation(void **state)
{
    (void)state;
    up_to_enabling();
    answer(RESULT_OK_PENDING);
    world_notify(&world, NOTIFY_ENABLED, 3, true);
    assert_int_equal(job(), BOOTSTRAP_CONFIRMING);
    assert_true(has_row("ENABLING", "CONFIRMING"));
    answer(RESULT_OK);
    assert_int_equal(job(), BOOTSTRAP_SOAKING);
    assert_true(has_row("CONFIRMING", "SOAKING"));
    assert_int_equal(world.record.bootstrap.due.ms, world.now.ms + HOUR);
    assert_int_equal(world.record.state, CARD_BOOTSTRAPPING);
    world_wake_after(&world, HOUR - 1);
    assert_int_equal(job(), BOOTSTRAP_SOAKING);
    assert_int_equal(world.decision.send_count, 0);
}

static void the_bootstrap_subscription_stays_as_the_fallback_one(void **state)
{
    (void)state;
    up_to_soaking();
    assert_int_equal(world.record.wake_at.ms, world.now.ms + HOUR);
    world_wake_after(&world, HOUR);
    assert_int_equal(job(), BOOTSTRAP_FINISHING);
    assert_int_equal(sent(), COMMAND_AUDIT); // it is the fallback one already
    audited();
    assert_int_equal(job(), BOOTSTRAP_DONE);
    assert_int_equal(world.record.state, CARD_OPERATIONAL);
    assert_int_equal(world.record.slot_count, 3);
    contact(); // it is done once
    assert_int_equal(job(), BOOTSTRAP_DONE);
}

static void or_it_is_deleted_after_the_fallback_attribute_has_moved(void **state)
{
    (void)state;
    world.policy.bootstrap.deletes = true;
    up_to_soaking();
    world_wake_after(&world, HOUR);
    assert_int_equal(sent(), COMMAND_SET_FALLBACK);
    assert_int_equal(world.record.open.subscription, SECOND);
    answer(RESULT_OK);
    assert_int_equal(sent(), COMMAND_DELETE);
    assert_int_equal(world.record.open.subscription, 101);
    answer(RESULT_OK);
    assert_int_equal(sent(), COMMAND_AUDIT);
    audited();
    assert_int_equal(job(), BOOTSTRAP_DONE);
    assert_int_equal(world.record.slot_count, 2);
}

// --- what goes wrong -------------------------------------------------------------------------

static void an_empty_pool_lets_it_wait(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_POOL_EMPTY);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    assert_int_equal(world.record.bootstrap.failure, REFUSAL_POOL_EMPTY);
    const int64_t began_ms = world.now.ms;
    assert_int_equal(world.record.wake_at.ms, began_ms + 24 * HOUR); // somebody is told
    world_wake_after(&world, 24 * HOUR);
    assert_true(world.record.bootstrap.is_stalled);
    assert_int_equal(world.record.wake_at.ms, 0);
    assert_true(bootstrap_place(&world.record) == began_ms);
    plan(REFUSAL_NONE);
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(bootstrap_place(&world.record), PLACE_HELD);
}

static void the_rule_of_the_reservation_counts(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_POOL_EMPTY);
    world.policy.bootstrap.enable = 0;
    world.policy.bootstrap.soak_s = 60;
    plan(REFUSAL_NONE);
    world.policy.bootstrap.enable = 1; // too late
    downloaded();
    downloaded();
    assert_int_equal(world.record.open.subscription, FIRST);
    enabled(2);
    assert_int_equal(world.record.bootstrap.due.ms, world.now.ms + MINUTE);
}

static void a_rule_that_is_gone_ends_what_waits(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_POOL_EMPTY);
    world.policy.bootstrap.is_enabled = false;
    plan(REFUSAL_NOT_FOUND);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.record.bootstrap.failure, REFUSAL_NOT_FOUND);
    act(BOOTSTRAP_START);
    assert_int_equal(world.decision.refusal, REFUSAL_WRONG_STATUS);
}

static void a_card_that_moves_begins_at_its_next_event(void **state)
{
    (void)state;
    world.record.state = CARD_SEEN;
    struct event e = {.type = EVENT_MOVE, .group = 9};
    world_event(&world, &e); // judged by the rules of the group that it leaves
    assert_int_equal(job(), BOOTSTRAP_NONE);
    contact();
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

static void without_progress_before_the_deadline_somebody_is_told(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_POOL_EMPTY);
    world_wake_after(&world, 24 * HOUR);
    plan(REFUSAL_POOL_EMPTY);
    assert_true(world.record.bootstrap.is_stalled);
    plan(REFUSAL_NONE);
    assert_false(world.record.bootstrap.is_stalled);
    assert_int_equal(world.decision.alarm_count, 1);
    assert_int_equal(world.decision.alarms[0].key, ALARM_BOOTSTRAP_STALLED);
    assert_false(world.decision.alarms[0].is_raised);
}

static void a_download_that_the_card_refuses_stops_it(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    answer(RESULT_KEY_CHECK_FAILED);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.record.state, CARD_SEEN);
    contact();
    assert_int_equal(job(), BOOTSTRAP_FAILED); // nobody begins again by itself
    assert_int_equal(world.decision.send_count, 0);
    act(BOOTSTRAP_RESUME);
    plan(REFUSAL_NONE);
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(world.record.open.subscription, FIRST); // the same as before
    downloaded();
    assert_int_equal(world.record.open.subscription, SECOND);
}

static void what_is_on_the_card_is_not_sent_again_by_a_resumption(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    downloaded();
    answer(RESULT_KEY_CHECK_FAILED);
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
    act(BOOTSTRAP_RESUME);
    plan(REFUSAL_NONE);
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
    assert_int_equal(world.record.open.subscription, SECOND);
}

static void a_rolled_back_enable_is_tried_once_more_after_an_hour(void **state)
{
    (void)state;
    up_to_enabling();
    answer(RESULT_OK_PENDING);
    world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
    assert_int_equal(job(), BOOTSTRAP_ENABLING);
    answer(RESULT_OK); // of CONFIRM
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, HOUR);
    assert_int_equal(sent(), COMMAND_ENABLE);
    answer(RESULT_OK_PENDING);
    world_notify(&world, NOTIFY_ROLLED_BACK, 1, true);
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
}

static void a_fallback_while_it_soaks_starts_the_time_anew(void **state)
{
    (void)state;
    up_to_soaking();
    world.now.ms += HOUR / 2;
    world_notify(&world, NOTIFY_FALLBACK, 1, false);
    answer(RESULT_OK);
    world_wake_after(&world, HOUR);
    assert_int_equal(job(), BOOTSTRAP_SOAKING);
    world_notify(&world, NOTIFY_RETURNED, 3, false);
    answer(RESULT_OK);
    assert_int_equal(world.record.bootstrap.due.ms, world.now.ms + HOUR);
    world_wake_after(&world, HOUR);
    assert_int_equal(job(), BOOTSTRAP_FINISHING);
}

static void when_the_fallback_cannot_move_nothing_is_deleted(void **state)
{
    (void)state;
    world.policy.bootstrap.deletes = true;
    up_to_soaking();
    world_wake_after(&world, HOUR);
    answer(RESULT_NVM_ERROR);
    world_wake_after(&world, HOUR); // once again, then it is final
    answer(RESULT_NVM_ERROR);
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
    assert_int_not_equal(sent(), COMMAND_DELETE);
    assert_int_equal(world.record.slot_count, 3);
}

static void doubt_holds_it(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    downloaded();
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(sent(), COMMAND_AUDIT); // the second waits
    audited();
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
    assert_int_equal(world.record.open.subscription, SECOND);
}

static void an_unclean_stop_loses_no_step_and_repeats_none(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_RESTART};
    contact();
    plan(REFUSAL_NONE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_event(&world, &e); // nobody knows whether the card has it
    assert_int_equal(job(), BOOTSTRAP_DOWNLOADING);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    world_wake_after(&world, MINUTE);
    assert_int_equal(sent(), COMMAND_AUDIT);
    // The card has it: the audit says so, and the second download follows.
    world_submit(&world, SUBMIT_ACCEPTED);
    world_answer_init(&world, &e, LOOKUP_STORED, RESULT_OK);
    e.as.por.answer.slots[1] = (struct audit_slot){.slot = 2,
                                                   .state = SLOT_DISABLED,
                                                   .role = ROLE_OPERATIONAL,
                                                   .rank = 1,
                                                   .template_number = 1};
    memcpy(e.as.por.answer.slots[1].imsi, world.record.open.download.imsi, 9);
    e.as.por.answer.slot_count_here = 2;
    e.as.por.result.registry_version++;
    world_event(&world, &e);
    assert_int_equal(world.record.slot_count, 2);
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
    assert_int_equal(world.record.open.subscription, SECOND);
}

// --- giving back -----------------------------------------------------------------------------

static void what_waits_is_cancelled_at_once(void **state)
{
    (void)state;
    contact();
    act(BOOTSTRAP_CANCEL);
    assert_int_equal(world.decision.refusal, REFUSAL_NONE);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    act(BOOTSTRAP_RESUME);
    assert_int_equal(world.decision.refusal, REFUSAL_WRONG_STATUS);
    act(BOOTSTRAP_START);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

static void only_what_an_audit_does_not_find_is_given_back(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    downloaded();
    answer(RESULT_KEY_CHECK_FAILED);
    act(BOOTSTRAP_CANCEL);
    assert_int_equal(job(), BOOTSTRAP_CANCELLING);
    assert_int_equal(world.decision.released_count, 0);
    assert_int_equal(sent(), COMMAND_AUDIT);
    audited();
    assert_int_equal(world.decision.released_count, 1);
    assert_int_equal(world.decision.released[0], SECOND);
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
    act(BOOTSTRAP_RESUME);
    assert_int_equal(world.decision.refusal, REFUSAL_WRONG_STATUS);
}

static void what_may_still_arrive_is_not_given_back(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE); // the packet of the first download leaves
    world_submit(&world, SUBMIT_ACCEPTED);
    act(BOOTSTRAP_CANCEL);
    assert_int_equal(job(), BOOTSTRAP_CANCELLING);
    assert_int_equal(world.decision.send_count, 0);
    assert_int_equal(world.decision.released_count, 0);
    world_result(&world, RESULT_OK); // it arrived
    assert_int_equal(sent(), COMMAND_AUDIT);
    audited();
    assert_int_equal(world.decision.released_count, 1);
    assert_int_equal(world.decision.released[0], SECOND);
}

static void a_download_that_was_given_up_is_asked_about(void **state)
{
    (void)state;
    struct record *r = &world.record;
    up_to_soaking();
    r->slot_count = 2; // the second one never came
    r->slots[0].fact.state = SLOT_ENABLED;
    r->late_count = 1;
    r->late[0] = (struct late){.operation = 900, .card_operation_id = 5, .subscription = SECOND};
    act(BOOTSTRAP_CANCEL);
    assert_int_equal(sent(), COMMAND_AUDIT);
    assert_int_equal(world.decision.sends[0].lookup, 5);
    struct event e;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_answer_init(&world, &e, LOOKUP_NEVER_SEEN, 0);
    e.as.por.answer.lookup_operation_id = 5;
    world_event(&world, &e);
    assert_int_equal(world.decision.released_count, 1);
    assert_int_equal(world.decision.released[0], SECOND);
}

static void an_item_that_a_person_deletes_is_not_sent_again(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NONE);
    downloaded();
    answer(RESULT_KEY_CHECK_FAILED);
    (void)world_request(&world, OPERATION_DELETE);
    act(BOOTSTRAP_RESUME); // it is still there
    plan(REFUSAL_NONE);
    answer(RESULT_OK); // it is its pool's, and perhaps another card's
    assert_int_equal(world.record.open.subscription, SECOND);
    downloaded();
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
    assert_int_equal(world.decision.send_count, 0);
    act(BOOTSTRAP_CANCEL); // the other one is still held
    assert_int_equal(job(), BOOTSTRAP_CANCELLING);
}

// --- what is not begun -----------------------------------------------------------------------

static void cards_with_an_operational_subscription_skip_it(void **state)
{
    (void)state;
    world.record.slots[0].fact.role = ROLE_OPERATIONAL;
    contact();
    assert_int_equal(world.record.state, CARD_OPERATIONAL);
    assert_int_equal(job(), BOOTSTRAP_NONE);
}

// It has used its other subscription since it left the factory: the rule holds for it as well, and
// the job comes from the bootstrap subscription.
static void a_card_heard_first_elsewhere_is_bootstrapped_too(void **state)
{
    (void)state;
    struct record *r = &world.record;
    r->slot_count = 2;
    world.next_slot = 3;
    world_notify(&world, NOTIFY_FALLBACK, 2, false);
    assert_int_equal(record_enabled(r)->fact.role, ROLE_OPERATIONAL);
    assert_int_equal(r->state, CARD_SEEN);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    assert_int_equal(r->bootstrap.origin, 101);
}

static void and_so_it_is_when_doubt_ends_later(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world.record.slot_count = 2;
    world_event(&world, &e);
    world_notify(&world, NOTIFY_FALLBACK, 2, false);
    contact();
    assert_int_equal(world.record.state, CARD_SEEN);
    assert_int_equal(job(), BOOTSTRAP_NONE);
    e = (struct event){.type = EVENT_CLEAR_DIRTY};
    world_event(&world, &e);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

static void a_rule_by_hand_waits_for_a_hand(void **state)
{
    (void)state;
    world.policy.bootstrap.trigger = BOOTSTRAP_MANUAL;
    contact();
    assert_int_equal(job(), BOOTSTRAP_NONE);
    act(BOOTSTRAP_START);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
    act(BOOTSTRAP_START);
    assert_int_equal(world.decision.refusal, REFUSAL_WRONG_STATUS);
}

// A receipt that says "delivered" is a contact; that the card has service it does not say of
// itself.
static void receipt(void)
{
    struct event e = {.type = EVENT_REQUEST};
    e.as.request.operation = (struct operation){.id = 900, .kind = OPERATION_AUDIT};
    world_event(&world, &e);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_DELIVERED);
}

static void a_rule_of_the_first_attach_waits_for_the_network_or_the_applet(void **state)
{
    (void)state;
    world.policy.bootstrap.trigger = BOOTSTRAP_FIRST_ATTACH;
    receipt();
    assert_int_equal(world.record.state, CARD_SEEN);
    assert_int_equal(job(), BOOTSTRAP_NONE);
    contact(); // an attach event
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

static void a_first_notification_is_an_attach_too(void **state)
{
    (void)state;
    world.policy.bootstrap.trigger = BOOTSTRAP_FIRST_ATTACH;
    world.record.slot_count = 2;
    world_notify(&world, NOTIFY_FIRST_CONTACT, 1, false);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

static void what_was_an_attach_counts_when_the_doubt_is_over(void **state)
{
    (void)state;
    world.policy.bootstrap.trigger = BOOTSTRAP_FIRST_ATTACH;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
    contact();
    assert_int_equal(job(), BOOTSTRAP_NONE);
    e = (struct event){.type = EVENT_CLEAR_DIRTY};
    world_event(&world, &e);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

static void a_rule_after_activation_waits_for_its_time_from_the_first_contact(void **state)
{
    (void)state;
    world.policy.bootstrap.trigger = BOOTSTRAP_AFTER_ACTIVATION;
    world.policy.bootstrap.delay_s = 600;
    contact();
    assert_int_equal(job(), BOOTSTRAP_NONE);
    assert_int_equal(world.record.wake_at.ms, world.now.ms + 600000);
    world_wake_after(&world, 599000);
    contact(); // a later one does not begin it anew
    assert_int_equal(job(), BOOTSTRAP_NONE);
    world_wake_after(&world, 999);
    assert_int_equal(job(), BOOTSTRAP_NONE);
    world_wake_after(&world, 1);
    assert_int_equal(job(), BOOTSTRAP_WAITING);
}

// One download, and the operational subscription that came with the card.
static void plan_with_factory(void)
{
    struct event e = {.type = EVENT_PLAN};
    struct event_plan *p = &e.as.plan;
    p->count = 2;
    p->items[0].subscription = FIRST;
    p->items[0].plan.template_number = 1;
    p->items[0].plan.has_role = true;
    memcpy(p->items[0].plan.imsi, (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 7, 0}, 9);
    p->items[1].subscription = world.record.slots[1].subscription;
    world_event(&world, &e);
}

static void what_the_factory_put_on_the_card_is_enabled_without_a_download(void **state)
{
    (void)state;
    world.record.slot_count = 2;
    world.next_slot = 3;
    contact();
    plan_with_factory();
    assert_int_equal(sent(), COMMAND_DOWNLOAD);
    downloaded();
    assert_int_equal(job(), BOOTSTRAP_ENABLING);
    assert_int_equal(sent(), COMMAND_ENABLE);
    assert_true(world.record.open.subscription == world.record.slots[1].subscription);
    enabled(2);
    assert_int_equal(job(), BOOTSTRAP_SOAKING);
}

static void a_card_without_the_factorys_subscription_is_told(void **state)
{
    (void)state;
    contact();
    plan(REFUSAL_NOT_INSTALLED);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.record.bootstrap.failure, REFUSAL_NOT_INSTALLED);
}

// It is not given back: it was never reserved, and nobody can bring it again.
static void what_the_factory_put_there_and_is_gone_stops_the_job(void **state)
{
    (void)state;
    world.record.slot_count = 2;
    contact();
    plan_with_factory();
    world.record.slot_count = 1; // deleted meanwhile
    answer(RESULT_OK);
    assert_int_equal(job(), BOOTSTRAP_PARTIAL);
    act(BOOTSTRAP_CANCEL);
    audited();
    assert_int_equal(world.decision.released_count, 0);
}

static void a_full_card_is_told_at_once(void **state)
{
    (void)state;
    world.record.slot_limit = 1;
    contact();
    plan(REFUSAL_NONE);
    assert_int_equal(job(), BOOTSTRAP_FAILED);
    assert_int_equal(world.record.bootstrap.failure, REFUSAL_NO_FREE_SLOT);
    assert_int_equal(world.decision.send_count, 0);
}

static void the_job_is_a_part_of_the_record(void **state)
{
    (void)state;
    static uint8_t octets[RECORD_OCTETS_MAX];
    static struct record back;
    up_to_soaking();
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &world.record);
    assert_true(record_read(writer_bytes(&w), &back));
    assert_int_equal(back.bootstrap.state, BOOTSTRAP_SOAKING);
    assert_int_equal(back.bootstrap.items[1].subscription, SECOND);
    assert_string_equal(back.bootstrap.items[1].plan.number, "9990000000072");
    assert_int_equal(back.bootstrap.due.ms, world.record.bootstrap.due.ms);
    for (size_t len = 0; len < w.len; len++)
        assert_false(record_read(bytes_of(octets, len), &back));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_contact_puts_it_into_the_queue),
        CASE(downloads_follow_each_other_and_enable_nothing),
        CASE(soaking_begins_with_the_confirmation),
        CASE(the_bootstrap_subscription_stays_as_the_fallback_one),
        CASE(or_it_is_deleted_after_the_fallback_attribute_has_moved),
        CASE(an_empty_pool_lets_it_wait),
        CASE(the_rule_of_the_reservation_counts),
        CASE(a_rule_that_is_gone_ends_what_waits),
        CASE(a_card_that_moves_begins_at_its_next_event),
        CASE(without_progress_before_the_deadline_somebody_is_told),
        CASE(a_download_that_the_card_refuses_stops_it),
        CASE(what_is_on_the_card_is_not_sent_again_by_a_resumption),
        CASE(a_rolled_back_enable_is_tried_once_more_after_an_hour),
        CASE(a_fallback_while_it_soaks_starts_the_time_anew),
        CASE(when_the_fallback_cannot_move_nothing_is_deleted),
        CASE(doubt_holds_it),
        CASE(an_unclean_stop_loses_no_step_and_repeats_none),
        CASE(what_waits_is_cancelled_at_once),
        CASE(only_what_an_audit_does_not_find_is_given_back),
        CASE(what_may_still_arrive_is_not_given_back),
        CASE(a_download_that_was_given_up_is_asked_about),
        CASE(an_item_that_a_person_deletes_is_not_sent_again),
        CASE(cards_with_an_operational_subscription_skip_it),
        CASE(a_card_heard_first_elsewhere_is_bootstrapped_too),
        CASE(and_so_it_is_when_doubt_ends_later),
        CASE(a_rule_by_hand_waits_for_a_hand),
        CASE(a_full_card_is_told_at_once),
        CASE(a_rule_of_the_first_attach_waits_for_the_network_or_the_applet),
        CASE(a_first_notification_is_an_attach_too),
        CASE(what_was_an_attach_counts_when_the_doubt_is_over),
        CASE(a_rule_after_activation_waits_for_its_time_from_the_first_contact),
        CASE(what_the_factory_put_on_the_card_is_enabled_without_a_download),
        CASE(a_card_without_the_factorys_subscription_is_told),
        CASE(what_the_factory_put_there_and_is_gone_stops_the_job),
        CASE(the_job_is_a_part_of_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
