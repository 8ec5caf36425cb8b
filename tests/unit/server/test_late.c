// decide(): what the card tells late, from elsewhere, or about what nobody waits for any more.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

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

// The network says that the packet is lost, and the operation's time is over.
static uint64_t given_up(uint8_t kind)
{
    const uint64_t id = world_request(&world, kind);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    world_wake_after(&world, 24 * HOUR);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_true(world_ended(&world)->may_still_arrive);
    return id;
}

static void audit_after_minute(struct event *e, uint8_t lookup, uint8_t code)
{
    world_wake_after(&world, MINUTE);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    world_answer_init(&world, e, lookup, code);
    e->as.por.answer.lookup_operation_id = world.decision.sends[0].lookup;
}

static void what_may_have_run_is_a_doubt_until_the_card_tells(void **state)
{
    (void)state;
    const uint64_t id = given_up(OPERATION_DELETE);
    const uint32_t card_id = world.record.operation_id_last;
    assert_true(world_is_dirty(&world, DIRTY_POR_TIMEOUT));
    struct event e;
    audit_after_minute(&e, LOOKUP_NEVER_SEEN, 0);
    assert_int_equal(world.decision.sends[0].lookup, card_id);
    world_event(&world, &e);
    assert_int_equal(world.decision.settled_count, 1);
    assert_int_equal(world.decision.settled[0].operation, id);
    assert_int_equal(world.decision.settled[0].outcome, OUTCOME_NONE);
    assert_int_equal(world.record.late_count, 0);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void what_ran_after_it_was_given_up_is_told_by_an_audit(void **state)
{
    (void)state;
    (void)given_up(OPERATION_DELETE);
    struct event e;
    audit_after_minute(&e, LOOKUP_STORED, RESULT_OK);
    e.as.por.answer.slot_count_here = 1;
    world_event(&world, &e);
    assert_int_equal(world.decision.settled[0].outcome, OUTCOME_DONE);
    assert_int_equal(world.record.slot_count, 1);
}

static void a_doubt_ends_when_all_that_may_have_run_was_asked_about(void **state)
{
    (void)state;
    (void)given_up(OPERATION_DELETE);
    struct record *r = &world.record;
    r->late[1] = r->late[0];
    const uint32_t other = ++r->late[1].card_operation_id;
    r->late_count = 2;
    struct event e;
    audit_after_minute(&e, LOOKUP_NEVER_SEEN, 0);
    world_event(&world, &e);
    assert_true(record_has_mark(r, MARK_DIRTY));
    assert_int_equal(world.decision.sends[0].lookup, other);
}

// A backup that was put back knows of the job, not of how far it came.
static void an_item_of_a_bootstrap_that_is_there_already_is_no_foreign_one(void **state)
{
    (void)state;
    struct bootstrap *b = &world.record.bootstrap;
    const uint8_t imsi[COMMAND_IMSI_SIZE] = {8, 0x99, 0x99, 0x07, 0, 0, 0, 0, 0x30};
    b->state = BOOTSTRAP_PARTIAL;
    b->item_count = 1;
    b->items[0].subscription = 103;
    memcpy(b->items[0].plan.imsi, imsi, sizeof imsi);
    memcpy(b->items[0].plan.number, "9990000000003", 14);
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_RESTORE_FROM_BACKUP};
    world_event(&world, &e);
    audit_after_minute(&e, LOOKUP_NOT_ASKED, 0);
    struct audit_answer *a = &e.as.por.answer;
    a->slots[2] = (struct audit_slot){.slot = 3, .state = SLOT_DISABLED, .rank = 3};
    memcpy(a->slots[2].imsi, imsi, sizeof imsi);
    a->slot_count_here = 3;
    world_event(&world, &e);
    assert_int_equal(world.record.last_audit_outcome, AUDIT_SERVER_CORRECTED);
    assert_int_equal(world.record.slots[2].subscription, 103);
    assert_string_equal(world.record.slots[2].number, "9990000000003");
}

// It is its pool's again.
static void an_item_of_a_bootstrap_that_was_deleted_late_is_not_sent_again(void **state)
{
    (void)state;
    struct bootstrap *b = &world.record.bootstrap;
    b->state = BOOTSTRAP_PARTIAL;
    b->item_count = 2;
    b->items[0].subscription = world.record.slots[0].subscription;
    b->items[1].subscription = world.record.slots[1].subscription;
    (void)given_up(OPERATION_DELETE);
    assert_int_equal(b->items[1].subscription, world.record.slots[1].subscription);
    struct event e;
    audit_after_minute(&e, LOOKUP_STORED, RESULT_OK);
    e.as.por.answer.slot_count_here = 1;
    world_event(&world, &e);
    assert_int_equal(b->items[0].subscription, world.record.slots[0].subscription);
    assert_int_equal(b->items[1].subscription, 0);
}

static void what_ran_after_it_was_given_up_is_told_by_its_late_answer(void **state)
{
    (void)state;
    const uint64_t id = given_up(OPERATION_DELETE);
    struct event e = {.type = EVENT_POR};
    struct event_por *p = &e.as.por;
    p->is_authentic = true;
    p->counter = world.record.mt_counter;
    p->has_result = true;
    p->result.command = COMMAND_DELETE;
    p->result.operation_id = world.record.operation_id_last;
    world_event(&world, &e);
    assert_int_equal(world.decision.settled_count, 1);
    assert_int_equal(world.decision.settled[0].operation, id);
    assert_int_equal(world.decision.settled[0].outcome, OUTCOME_DONE);
    assert_true(world_is_dirty(&world, DIRTY_LATE_POR)); // the mirror does not know it yet
}

static void a_download_that_came_late_is_no_foreign_one(void **state)
{
    (void)state;
    (void)given_up(OPERATION_DOWNLOAD);
    struct event e;
    audit_after_minute(&e, LOOKUP_STORED, RESULT_OK);
    struct audit_answer *a = &e.as.por.answer;
    a->slots[2] = (struct audit_slot){.slot = 3, .state = SLOT_DISABLED, .rank = 3};
    memcpy(a->slots[2].imsi, world.record.late[0].imsi, sizeof(a->slots[2].imsi));
    a->slot_count_here = 3;
    world_event(&world, &e);
    assert_false(world.record.needs_operator);
    assert_int_equal(world.record.slots[2].subscription, 103);
}

static bool is_promised;
static bool find(void *context, const struct record *r, const uint8_t imsi[COMMAND_IMSI_SIZE],
                 struct found_subscription *out)
{
    (void)context;
    (void)r;
    *out = (struct found_subscription){.id = 777, .is_promised = is_promised, .number = "99901"};
    return imsi[1] == 0x77;
}

static void audit_with_unknown(uint8_t digits)
{
    struct event e;
    audit_after_minute(&e, LOOKUP_STORED, RESULT_OK);
    e.as.por.answer.slots[2] = (struct audit_slot){
        .slot = 3, .state = SLOT_DISABLED, .rank = 3, .imsi = {8, digits, 0x99, 7, 0, 0, 0, 7, 1}};
    e.as.por.answer.slot_count_here = 3;
    world_event(&world, &e);
}

static bool has_row(const char *action, const char *before)
{
    bool has = false;
    for (const struct trail_entry *t = world.decision.trail;
         t < world.decision.trail + world.decision.trail_count; t++)
        has |= strcmp(t->action, action) == 0 && strcmp(t->before, before) == 0;
    return has;
}

static void what_the_registry_has_free_is_the_cards_and_nobody_decides(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        world_close(&world);
        world_init(&world);
        world.find = find;
        is_promised = i == 1;
        (void)given_up(OPERATION_DOWNLOAD);
        audit_with_unknown(0x77);
        assert_false(world.record.needs_operator);
        assert_int_equal(world.record.slots[2].subscription, 777);
        assert_true(has_row("subscription.adopted", i == 1 ? "RESERVED" : "FREE"));
        assert_int_equal(world.record.last_audit_outcome, AUDIT_SERVER_CORRECTED);
    }
}

static void what_the_registry_does_not_give_is_foreign(void **state)
{
    (void)state;
    world.find = find;
    (void)given_up(OPERATION_DOWNLOAD);
    audit_with_unknown(0x78);
    assert_true(world.record.needs_operator);
    assert_int_equal(world.record.slots[2].subscription, 0);
}

static void what_was_foreign_is_the_cards_once_the_registry_gives_it(void **state)
{
    (void)state;
    (void)given_up(OPERATION_DOWNLOAD);
    audit_with_unknown(0x77); // another card has it
    world.find = find;        // and lost it
    struct event e = {.type = EVENT_RESOLVE};
    world_event(&world, &e);
    assert_int_equal(world.record.slots[2].subscription, 777);
    assert_true(world.decision.is_located && world.record.dirty_since.ms == 0);
}

// Its answer is lost, its notification is not: the operation is done, the mirror lacks the slot.
static void a_download_told_by_its_notification_alone_is_no_foreign_one(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DOWNLOAD);
    world.record.open.flags |= COMMAND_FLAG_ENABLE;
    struct event e = {.type = EVENT_NOTIFY};
    struct notification *n = &e.as.notify.notification;
    e.as.notify.mo_counter = 1;
    n->cause = NOTIFY_ENABLED;
    n->sequence = 1;
    n->operation_id = world.record.open.card_operation_id;
    n->registry_version = 12;
    n->to = world.record.open.target;
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    struct event done = {.type = EVENT_POR};
    done.as.por.is_authentic = true;
    done.as.por.counter = world.record.flight.counter;
    done.as.por.has_result = true;
    done.as.por.result.command = COMMAND_CONFIRM;
    done.as.por.result.operation_id = n->operation_id;
    world_event(&world, &done);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    audit_after_minute(&e, LOOKUP_NOT_ASKED, 0);
    struct audit_answer *a = &e.as.por.answer;
    a->slots[2] = (struct audit_slot){.slot = 3, .state = SLOT_DISABLED, .rank = 3};
    memcpy(a->slots[2].imsi, world.record.late[0].imsi, sizeof(a->slots[2].imsi));
    a->slot_count_here = 3;
    world_event(&world, &e);
    assert_false(world.record.needs_operator);
    assert_int_equal(world.record.slots[2].subscription, 103);
    assert_int_equal(world.record.late_count, 0);
}

static void a_lost_packet_that_ran_before_the_next_answer_may_have_run(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST); // a lie: it ran, and its answer is lost
    (void)world_request(&world, OPERATION_AUDIT);
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    world_event(&world, &e);
    world.record.open.not_before.ms = world.now.ms + 48 * HOUR;
    world_wake_after(&world, 24 * HOUR);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_EXPIRED);
    assert_true(world_ended(&world)->may_still_arrive);
}

static void make_dirty(void)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &e);
}

// It brought a subscription to which the card may have gone since.
static void an_audit_also_goes_to_the_number_of_a_late_download(void **state)
{
    (void)state;
    struct event request = {.type = EVENT_REQUEST};
    struct operation *o = &request.as.request.operation;
    o->id = 5;
    o->kind = OPERATION_DOWNLOAD;
    o->subscription = 103;
    memcpy(o->download.imsi, (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 0, 0x30}, 9);
    memcpy(o->download.number, "9990000000077", 14);
    world_event(&world, &request);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_receipt(&world, RECEIPT_LOST);
    world_wake_after(&world, 24 * HOUR);
    bool is_tried = false;
    for (int i = 0; i < 3; i++) {
        world_wake_after(&world, world.record.next_audit_at.ms - world.now.ms);
        is_tried |= strcmp(world.decision.sends[0].number, "9990000000077") == 0;
        world_submit(&world, SUBMIT_ACCEPTED);
    }
    assert_true(is_tried);
}

static void an_audit_goes_where_the_card_was_heard(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        world_close(&world);
        world_init(&world);
        make_dirty();
        for (int k = 0; k < 3; k++)
            world_wake_after(&world, world.record.next_audit_at.ms - world.now.ms);
        const struct mirror_slot *from = &world.record.slots[i];
        struct event e = {.type = EVENT_NOTIFY};
        e.as.notify.mo_counter = 1;
        e.as.notify.notification.cause = NOTIFY_HEARTBEAT;
        e.as.notify.notification.registry_version = 10;
        memcpy(e.as.notify.number, from->number, sizeof(from->number));
        world.now.ms += HOUR;
        world_event(&world, &e);
        world.record.flight.kind = FLIGHT_NONE;
        world_wake_after(&world, 30000);
        assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
        assert_int_equal(world.decision.sends[0].subscription, from->subscription);
    }
}

// The mirror may not know the subscription that it is on.
static void an_audit_and_a_confirmation_go_to_an_unknown_number(void **state)
{
    (void)state;
    make_dirty();
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = 1;
    e.as.notify.notification.cause = NOTIFY_IMEI_CHANGED;
    e.as.notify.notification.sequence = 1;
    e.as.notify.notification.registry_version = 10;
    memcpy(e.as.notify.number, "9990000000077", 14);
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    assert_string_equal(world.decision.sends[0].number, "9990000000077");
    world.record.flight.kind = FLIGHT_NONE;
    world_wake_after(&world, MINUTE);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    assert_string_equal(world.decision.sends[0].number, "9990000000077");
}

static void an_answer_from_before_an_operation_does_not_clear_its_doubt(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_AUDIT);
    struct event old;
    world_answer_init(&world, &old, LOOKUP_NOT_ASKED, 0);
    world.record.flight.kind = FLIGHT_NONE;
    (void)world_request(&world, OPERATION_READ_TIMERS);
    struct event e = {.type = EVENT_RESTART};
    world_event(&world, &e);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    world_event(&world, &old);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
    assert_int_equal(world.decision.sends[0].lookup, world.record.open.card_operation_id);
}

static void a_delivered_audit_is_not_replaced_by_the_next_attempt(void **state)
{
    (void)state;
    make_dirty();
    world_wake_after(&world, MINUTE);
    world_submit(&world, SUBMIT_ACCEPTED);
    world.now.ms += HOUR;
    world_receipt(&world, RECEIPT_DELIVERED); // a contact
    world_wake_after(&world, 30000);
    assert_int_equal(world.decision.send_count, 0);
    world_wake_after(&world, 120000);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void an_answer_older_than_a_notification_is_asked_again(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_AUDIT);
    struct event e;
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    world.record.confirm_count = 0;
    world_event(&world, &e); // as the card was before
    assert_int_equal(record_enabled(&world.record)->fact.slot, 2);
    assert_int_equal(world.decision.sends[0].command, COMMAND_AUDIT);
}

static void a_switch_of_the_past_can_be_confirmed(void **state)
{
    (void)state;
    (void)world_switching(&world);
    const uint32_t first = world.record.open.card_operation_id;
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    world.record.flight.kind = FLIGHT_NONE;
    world.record.has_open = false; // its CONFIRM was lost, and the operation given up
    (void)world_request(&world, OPERATION_SET_FALLBACK);
    world_result(&world, RESULT_OK);
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification = (struct notification){.cause = NOTIFY_ENABLED,
                                                     .sequence = world.record.notify_sequence,
                                                     .operation_id = first,
                                                     .registry_version = 12};
    world_event(&world, &e);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
}

// Its CONFIRM was lost, and the card was away for longer than anybody counts.
static void a_switch_without_rollback_can_be_confirmed_for_ever(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_ENABLE);
    world.record.open.flags = 0;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK_PENDING);
    const uint32_t id = world.record.open.card_operation_id;
    assert_int_not_equal(id, 0);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, RESULT_OK);
    assert_false(world.record.has_open);
    world_wake_after(&world, 20 * 366 * 24 * HOUR);
    assert_int_equal(world.record.confirm_count, 0);
    struct event e = {.type = EVENT_NOTIFY};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    e.as.notify.notification =
        (struct notification){.cause = NOTIFY_ENABLED,
                              .sequence = world.record.notify_sequence,
                              .operation_id = id,
                              .registry_version = world.record.registry_version};
    world_event(&world, &e);
    assert_int_equal(world.decision.send_count, 1);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
}

static void an_enabled_of_an_unknown_operation_is_confirmed_when_its_switch_is_over(void **state)
{
    (void)state;
    struct event told = {.type = EVENT_NOTIFY};
    told.as.notify.notification =
        (struct notification){.cause = NOTIFY_ENABLED,
                              .sequence = world.record.notify_sequence + 1,
                              .operation_id = 7, // of another server
                              .registry_version = world.record.registry_version};
    told.as.notify.mo_counter = world.record.mo_counter + 1;
    world_event(&world, &told);
    assert_true(record_has_mark(&world.record, MARK_DIRTY));
    world_wake_after(&world, 60000);
    struct event answer;
    world_answer_init(&world, &answer, LOOKUP_NOT_ASKED, 0);
    world_event(&world, &answer);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));

    told.as.notify.mo_counter = world.record.mo_counter + 1;
    world_event(&world, &told); // it may still be rolled back
    assert_int_equal(world.record.confirm_count, 0);

    world_wake_after(&world, 24 * 3600000);
    told.as.notify.mo_counter = world.record.mo_counter + 1;
    world_event(&world, &told);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
}

static void what_a_late_notification_tells_of_the_registry_is_compared(void **state)
{
    (void)state;
    (void)world_switching(&world);
    struct event e = {.type = EVENT_NOTIFY};
    struct notification *n = &e.as.notify.notification;
    *n = (struct notification){.cause = NOTIFY_EXHAUSTED,
                               .sequence = world.record.notify_sequence + 3,
                               .registry_version = 20,
                               .has_hash = true};
    e.as.notify.mo_counter = world.record.mo_counter + 1;
    world_event(&world, &e); // the registry changes under our eyes
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    n->cause = NOTIFY_ROLLED_BACK;
    n->sequence -= 2;
    n->operation_id = world.record.open.card_operation_id;
    n->from = record_slot_name(&world.record.slots[1]);
    n->to = record_slot_name(&world.record.slots[0]);
    e.as.notify.mo_counter++;
    world_event(&world, &e); // the switch is over, and the card is not as the mirror is
    assert_false(world.record.has_open);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

static void a_kept_result_brings_its_registry_version(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    struct event e = {.type = EVENT_POR};
    struct event_por *p = &e.as.por;
    p->is_authentic = true;
    p->counter = world.record.flight.counter;
    p->has_result = true;
    p->result.command = COMMAND_DELETE;
    p->result.operation_id = world.record.open.card_operation_id;
    p->result.replayed = true;
    p->result.registry_version = 11;
    world_event(&world, &e);
    assert_int_equal(world.record.registry_version, 11);
}

// From request to the first attempt to confirm, on which the server no longer waits.
static void confirm_unanswered(struct event *answer)
{
    (void)world_switching(&world);
    world_notify(&world, NOTIFY_ENABLED, 2, true);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    *answer = (struct event){.type = EVENT_POR};
    struct event_por *p = &answer->as.por;
    p->is_authentic = true;
    p->counter = world.record.flight.counter;
    p->has_result = true;
    p->result.command = COMMAND_CONFIRM;
    p->result.operation_id = world.record.open.card_operation_id;
    p->result.registry_version = world.record.registry_version + 1; // the fallback went along
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, world.policy.confirm_silent_ms);
    assert_int_equal(world.record.flight.kind, FLIGHT_NONE);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    assert_true(world_is_dirty(&world, DIRTY_CONFIRM_UNACKNOWLEDGED));
}

static void a_late_answer_to_a_confirmation_brings_its_registry_version(void **state)
{
    (void)state;
    struct event answer;
    confirm_unanswered(&answer);
    world_event(&world, &answer);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.registry_version, answer.as.por.result.registry_version);
    assert_false(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

// The card rotated by itself, and told it; its answer to the confirmation comes late.
static void rotated(struct event *answer)
{
    world_notify(&world, NOTIFY_ROTATED, 2, false);
    assert_int_equal(world.decision.sends[0].command, COMMAND_CONFIRM);
    *answer = (struct event){.type = EVENT_POR};
    struct event_por *p = &answer->as.por;
    p->is_authentic = true;
    p->counter = world.record.flight.counter;
    p->has_result = true;
    p->result.command = COMMAND_CONFIRM;
    p->result.registry_version = world.record.registry_version;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_wake_after(&world, world.policy.confirm_silent_ms);
    assert_int_equal(world.record.flight.kind, FLIGHT_NONE);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void a_late_answer_to_the_confirmation_of_an_automatic_switch_is_compared(void **state)
{
    (void)state;
    struct event answer;
    rotated(&answer);
    answer.as.por.result.registry_version++;
    answer.as.por.result.has_hash = true; // of another registry than the mirror's
    world_event(&world, &answer);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
    assert_false(world.decision.is_dropped);
}

static void one_that_tells_nothing_new_changes_nothing(void **state)
{
    (void)state;
    struct event answer;
    rotated(&answer);
    const uint32_t version = world.record.registry_version;
    world_event(&world, &answer);
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
    assert_int_equal(world.record.registry_version, version);
}

// It tells the number of its commits, and no hash.
static void a_level_1_card_that_is_three_commits_ahead_is_dirty(void **state)
{
    (void)state;
    for (uint32_t ahead = 1; ahead <= 3; ahead++) {
        struct event answer;
        world_close(&world);
        world_init(&world);
        world.record.level = 1;
        rotated(&answer);
        answer.as.por.result.registry_version += ahead;
        world_event(&world, &answer);
        assert_int_equal(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH), ahead > 2);
    }
}

static void a_late_answer_to_a_confirmation_is_compared(void **state)
{
    (void)state;
    struct event answer;
    confirm_unanswered(&answer);
    answer.as.por.result.has_hash = true; // of nothing
    world_event(&world, &answer);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_true(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

// A notification that the card made after it came before it.
static void a_late_answer_to_a_confirmation_takes_nothing_back(void **state)
{
    (void)state;
    struct event answer;
    confirm_unanswered(&answer);
    const uint32_t known = answer.as.por.result.registry_version + 1;
    world.record.registry_version = known;
    world_event(&world, &answer);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.registry_version, known);
    assert_false(world_is_dirty(&world, DIRTY_STATE_HASH_MISMATCH));
}

static void an_answer_to_an_earlier_confirmation_brings_its_registry_version(void **state)
{
    (void)state;
    struct event answer;
    confirm_unanswered(&answer);
    world.record.mt_counter++; // another packet left since
    world_event(&world, &answer);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    assert_int_equal(world.record.registry_version, answer.as.por.result.registry_version);
}

static void a_number_of_another_subscription_is_not_learnt(void **state)
{
    (void)state;
    world.record.slots[1].number[0] = 0;
    struct event e = {.type = EVENT_NOTIFY};
    struct notification *n = &e.as.notify.notification;
    n->cause = NOTIFY_ROTATED;
    n->sequence = 1;
    n->registry_version = 11;
    n->to = record_slot_name(&world.record.slots[1]);
    e.as.notify.mo_counter = 1;
    memcpy(e.as.notify.number, world.record.slots[0].number, NUMBER_TEXT_SIZE);
    world_event(&world, &e); // sent from where the card is by now
    assert_string_equal(world.record.slots[1].number, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_may_have_run_is_a_doubt_until_the_card_tells),
        TEST(what_ran_after_it_was_given_up_is_told_by_an_audit),
        TEST(a_doubt_ends_when_all_that_may_have_run_was_asked_about),
        TEST(an_item_of_a_bootstrap_that_is_there_already_is_no_foreign_one),
        TEST(an_item_of_a_bootstrap_that_was_deleted_late_is_not_sent_again),
        TEST(what_ran_after_it_was_given_up_is_told_by_its_late_answer),
        TEST(a_download_that_came_late_is_no_foreign_one),
        TEST(what_the_registry_has_free_is_the_cards_and_nobody_decides),
        TEST(what_the_registry_does_not_give_is_foreign),
        TEST(what_was_foreign_is_the_cards_once_the_registry_gives_it),
        TEST(a_download_told_by_its_notification_alone_is_no_foreign_one),
        TEST(a_lost_packet_that_ran_before_the_next_answer_may_have_run),
        TEST(an_audit_also_goes_to_the_number_of_a_late_download),
        TEST(an_audit_goes_where_the_card_was_heard),
        TEST(an_audit_and_a_confirmation_go_to_an_unknown_number),
        TEST(an_answer_from_before_an_operation_does_not_clear_its_doubt),
        TEST(a_delivered_audit_is_not_replaced_by_the_next_attempt),
        TEST(an_answer_older_than_a_notification_is_asked_again),
        TEST(a_switch_of_the_past_can_be_confirmed),
        TEST(a_switch_without_rollback_can_be_confirmed_for_ever),
        TEST(what_a_late_notification_tells_of_the_registry_is_compared),
        TEST(an_enabled_of_an_unknown_operation_is_confirmed_when_its_switch_is_over),
        TEST(a_kept_result_brings_its_registry_version),
        TEST(a_late_answer_to_a_confirmation_brings_its_registry_version),
        TEST(a_late_answer_to_the_confirmation_of_an_automatic_switch_is_compared),
        TEST(one_that_tells_nothing_new_changes_nothing),
        TEST(a_level_1_card_that_is_three_commits_ahead_is_dirty),
        TEST(a_late_answer_to_a_confirmation_is_compared),
        TEST(a_late_answer_to_a_confirmation_takes_nothing_back),
        TEST(an_answer_to_an_earlier_confirmation_brings_its_registry_version),
        TEST(a_number_of_another_subscription_is_not_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
