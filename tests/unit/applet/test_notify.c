#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/notify.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    card.has_imei = true;
    memcpy(card.imei, (uint8_t[]){0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54}, 8);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static unsigned sendings_of(uint8_t cause)
{
    unsigned count = 0;
    for (unsigned i = 0; i < card.sent_count; i++)
        count += !card.sent[i].is_answer && card.sent[i].note.cause == cause;
    return count;
}

static void change_imei(uint8_t digit)
{
    card.imei[1] = (uint8_t)(digit << 4 | 2);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
}

// A terminal that polls costs no look at the memory.
static void assert_nothing_is_asked(void)
{
    memory_release(&card.port);
    card.reads = 0;
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_int_equal(card.reads, 0);
}

static void a_notification_is_sent_four_times_and_then_rests(void **state)
{
    (void)state;
    const uint32_t waits[] = {60, 120, 240, 480};
    const uint32_t commits = card.applet.bank_number; // only counters are written
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), i + 1);
        assert_int_equal(card.applet.clocks[CLOCK_NOTIFY].left_s, waits[i]);
        assert_nothing_is_asked();
        bench_run_out(&card, CLOCK_NOTIFY);
        assert_int_equal(card.applet.bank_number, commits);
    }
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 4);
    assert_int_equal(bench_dump(&card).image.pending_count, 1);
}

// Many cards lose a network at once, and must not tell it at once.
static void what_nobody_ordered_is_told_after_a_random_wait(void **state)
{
    (void)state;
    static const uint8_t jitter[] = {PARAMETER_JITTER_MAX, 2, 0x02, 0x58}; // 600 s
    bench_confirm_all(&card);
    bench_set(&card, jitter, sizeof jitter);
    bench_service(&card, CAT_SERVICE_NONE);
    for (unsigned i = 0; i < 6 && card.applet.state != SWITCH_PROBATION; i++)
        bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_is_pending(&card, NOTIFY_ROTATED));
    assert_int_equal(sendings_of(NOTIFY_ROTATED), 0);
    const uint32_t wait_s = card.applet.clocks[CLOCK_NOTIFY].left_s;
    assert_true(wait_s >= 1 && wait_s <= 600);
    assert_nothing_is_asked();
    bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(sendings_of(NOTIFY_ROTATED), 1);
}

static void what_rests_is_sent_again_when_service_is_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    bench_service(&card, CAT_SERVICE_NONE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 5);
}

static void what_rests_is_sent_again_after_a_start(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 5);
}

static void what_rests_is_sent_again_after_a_day(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    for (unsigned i = 0; i < 287; i++) // ticks of 300 s
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 4);
    bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 5);
}

// The day that it would have waited is over: there is nothing to keep the clock for.
static void what_was_confirmed_at_rest_wears_no_memory(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    bench_confirm_all(&card);
    for (unsigned i = 0; i < 288; i++) // ticks of 300 s
        bench_timer(&card, CLOCK_SLOW);
    bench_set(&card, (const uint8_t[]){PARAMETER_T_RETURN, 4, 0, 0, 0, 0}, 6); // kept with the time
    const unsigned writes = card.writes;
    for (unsigned i = 0; i < 24; i++)
        bench_timer(&card, CLOCK_SLOW);
    assert_int_equal(card.writes, writes);
}

static void nothing_is_sent_without_service(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_LIMITED);
    bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(sendings_of(NOTIFY_FIRST_CONTACT), 1);
}

static void four_are_kept_and_older_ones_are_merged_and_counted(void **state)
{
    (void)state;
    for (uint8_t digit = 4; digit < 9; digit++)
        change_imei(digit);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.pending_count, 4);
    // Six in all: FIRST_CONTACT went into the fifth, the first change of the IMEI into the sixth.
    assert_int_equal(d.image.notify_sequence, 6);
    assert_int_equal(d.image.pending[0].sequence, 3);
    assert_int_equal(d.image.pending[2].coalesced, 1);
    assert_int_equal(d.image.pending[3].coalesced, 1);
}

static void outcomes_of_commands_are_never_merged_away(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    uint32_t id = c.operation_id;
    for (unsigned i = 0; i < 4; i++)
        bench_run_out(&card, CLOCK_NOTIFY);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    card.sent_count = 0;
    for (uint8_t digit = 4; digit < 9; digit++) {
        card.sent_count = 0;
        change_imei(digit);
    }
    struct applet_dump d = bench_dump(&card);
    bool is_kept = false;
    for (uint8_t i = 0; i < d.image.pending_count; i++)
        is_kept = is_kept || d.image.pending[i].operation_id == id;
    assert_true(is_kept);
    assert_int_equal(d.image.pending_count, 4);
}

static void a_duplicate_or_another_command_ends_no_notification(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    (void)bench_command(&card, &c);
    (void)bench_again(&card);
    assert_int_equal(bench_dump(&card).image.pending_count, 1);
    uint32_t sequence = bench_note(&card, NOTIFY_FIRST_CONTACT)->sequence;
    struct command confirm = bench_confirm(&card, sequence, 0);
    assert_int_equal(bench_command(&card, &confirm)->result.code, RESULT_OK);
    assert_int_equal(bench_dump(&card).image.pending_count, 0);
    assert_false(clock_is_on(&card.applet, CLOCK_NOTIFY));
}

static void a_heartbeat_has_no_sequence(void **state)
{
    (void)state;
    const uint8_t list[] = {PARAMETER_HEARTBEAT, 2, 0, 1};
    struct command c = bench_configure(&card, bytes_of(list, sizeof list), bytes_of(NULL, 0));
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    for (unsigned i = 0; i < 12; i++)
        bench_timer(&card, CLOCK_SLOW);
    const struct notification *n = bench_note(&card, NOTIFY_HEARTBEAT);
    assert_non_null(n);
    assert_int_equal(n->sequence, 0);
    assert_true(n->has_hash);
}

static void ticks(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bench_timer(&card, CLOCK_SLOW);
}

// It came due without service, and the device started anew before there was any.
static void a_heartbeat_that_has_not_left_is_due_after_a_start(void **state)
{
    (void)state;
    const uint8_t list[] = {PARAMETER_HEARTBEAT, 2, 0, 1};
    bench_set(&card, list, sizeof list);
    bench_service(&card, CAT_SERVICE_LIMITED);
    ticks(12);
    assert_true(card.applet.is_heartbeat_due);
    const uint32_t bank_number = card.applet.bank_number;
    ticks(11); // it waits for service, and nothing is written for that
    assert_int_equal(card.applet.bank_number, bank_number);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_null(bench_note(&card, NOTIFY_HEARTBEAT));
    ticks(1);
    assert_non_null(bench_note(&card, NOTIFY_HEARTBEAT));
    assert_false(card.applet.is_heartbeat_due);
    // The next one an hour after this one, whatever happens meanwhile.
    bench_boot(&card);
    assert_int_equal(bench_dump(&card).image.dues.heartbeat, card.applet.now_s + 3600);
}

// What a notification says (docs/applet-protocol.md, 5), and what only the first one does.
static void a_first_contact_says_what_card_it_is(void **state)
{
    (void)state;
    const struct notification *n = bench_note(&card, NOTIFY_FIRST_CONTACT);
    assert_non_null(n);
    assert_int_equal(n->sequence, 1);
    assert_int_equal(n->operation_id, 0);
    assert_int_equal(n->registry_version, 1);
    assert_true(n->has_card);
    assert_memory_equal(n->applet_version, "\x02\x04\x07", 3);
    assert_int_equal(n->level, 2);
    // Events, timers, polling, REFRESH, SEND SHORT MESSAGE, location and IMEI, rejection.
    assert_int_equal(n->terminal, 0x00BF);
    assert_true(n->has_hash);
    assert_true(n->has_plmn);
    assert_memory_equal(n->plmn, card.plmn, 3);
    assert_true(n->has_imei);
    assert_memory_equal(n->imei, card.imei, IMEI_LEN);
    assert_false(n->has_access);
    assert_false(n->has_reject);
    assert_false(n->from.is_given);
    assert_true(n->to.is_given && n->to.is_iccid);
    assert_memory_equal(n->to.iccid, card.factory.card_iccid, sizeof n->to.iccid);
}

static void a_notification_says_what_was_seen_of_the_network(void **state)
{
    (void)state;
    static const uint8_t quick[] = {PARAMETER_JITTER_MAX, 2, 0, 0};
    bench_confirm_all(&card);
    bench_set(&card, quick, sizeof quick);
    bench_rotate_away(&card);
    applet_access(&card.applet, &card.port, CAT_EUTRAN);
    applet_rejection(&card.applet, &card.port, card.plmn, 15);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct notification *n = bench_note(&card, NOTIFY_ROTATED);
    assert_non_null(n);
    assert_false(n->has_card);
    assert_true(n->has_access);
    assert_int_equal(n->access, CAT_EUTRAN);
    assert_true(n->has_reject);
    assert_int_equal(n->reject, 15);
    const struct subscription_name second = bench_name(2);
    assert_true(n->from.is_given && n->from.is_iccid);
    assert_true(n->to.is_given && !n->to.is_iccid);
    assert_memory_equal(n->to.imsi, second.imsi, sizeof second.imsi);
    assert_true(n->coalesced == 0 && n->has_plmn && n->has_imei && n->has_hash);
    assert_int_equal(n->registry_version, 2); // one switch
}

static void a_card_of_level_1_tells_no_hash(void **state)
{
    (void)state;
    bench_confirm_all(&card);
    card.factory.level = 1;
    change_imei(4);
    const struct notification *n = bench_note(&card, NOTIFY_IMEI_CHANGED);
    assert_non_null(n);
    assert_false(n->has_hash);
}

// --- the queue, without a card around it ---

static struct image queue;
static struct applet idle;

static struct turn turn_on_queue(void)
{
    return (struct turn){.a = &idle, .port = &card.port, .image = &queue};
}

static void add(enum notify_cause cause, uint32_t operation_id)
{
    struct turn t = turn_on_queue();
    const struct subscription_name none = {.is_given = false};
    notify_queue(&t, cause, none, none, operation_id);
    assert_true(t.is_changed);
}

static void empty_queue(void)
{
    memset(&queue, 0, sizeof queue);
    memset(&idle, 0, sizeof idle);
    parameters_default(&queue.parameters);
    queue.parameters.jitter_max_s = 0;
}

static void merged_ones_are_counted_up_to_an_octet(void **state)
{
    (void)state;
    static const uint8_t counts[][2] = {{253, 254}, {254, 255}, {255, 255}};
    empty_queue();
    for (unsigned i = 0; i < 4; i++)
        add(NOTIFY_ROTATED, 0);
    for (size_t i = 0; i < 3; i++) {
        queue.pending[0].coalesced = counts[i][0];
        add(NOTIFY_FALLBACK, 0);
        assert_int_equal(queue.pending[3].coalesced, counts[i][1]);
    }
    assert_int_equal(queue.notify_sequence, 7);
    assert_int_equal(queue.pending[3].sequence, 7);
}

// Four outcomes of commands give way to nothing: what comes then is counted in the last of them.
static void outcomes_alone_leave_no_room(void **state)
{
    (void)state;
    empty_queue();
    for (uint32_t id = 1; id <= 3; id++)
        add(NOTIFY_ENABLED, id);
    assert_true(notify_has_room(&queue));
    add(NOTIFY_ADDRESS_CHECK, 0); // was commanded, too
    assert_false(notify_has_room(&queue));
    add(NOTIFY_ROTATED, 0);
    assert_int_equal(queue.pending_count, 4);
    assert_int_equal(queue.pending[3].cause, NOTIFY_ADDRESS_CHECK);
    assert_int_equal(queue.pending[3].coalesced, 1);
    assert_int_equal(queue.pending[2].coalesced, 0);
    assert_int_equal(queue.notify_sequence, 5);
    // One that nobody ordered gives way, wherever it stands, and only it.
    queue.pending[2].operation_id = 0;
    queue.pending[2].cause = NOTIFY_SWITCH_CAP;
    queue.pending[2].coalesced = 4;
    assert_true(notify_has_room(&queue));
    add(NOTIFY_ENABLED, 9);
    assert_int_equal(queue.pending[0].operation_id, 1);
    assert_int_equal(queue.pending[1].operation_id, 2);
    assert_int_equal(queue.pending[2].cause, NOTIFY_ADDRESS_CHECK);
    assert_int_equal(queue.pending[3].operation_id, 9);
    assert_int_equal(queue.pending[3].coalesced, 5);
}

static void what_was_merged_into_an_earlier_word_stays_counted(void **state)
{
    (void)state;
    empty_queue();
    add(NOTIFY_ENABLED, 7);
    queue.pending[0].coalesced = 3;
    add(NOTIFY_ROLLED_BACK, 7);
    assert_int_equal(queue.pending_count, 1);
    assert_int_equal(queue.pending[0].cause, NOTIFY_ROLLED_BACK);
    assert_int_equal(queue.pending[0].coalesced, 3);
    queue.pending[0].coalesced = 255;
    add(NOTIFY_FALLBACK, 7);
    assert_int_equal(queue.pending[0].coalesced, 255);
}

static void the_outcome_takes_the_place_of_earlier_words_on_it(void **state)
{
    (void)state;
    empty_queue();
    add(NOTIFY_ENABLED, 5);
    add(NOTIFY_ROTATED, 0);
    add(NOTIFY_ENABLED, 6);
    add(NOTIFY_ROLLED_BACK, 5);
    assert_int_equal(queue.pending_count, 3);
    assert_int_equal(queue.pending[0].cause, NOTIFY_ROTATED);
    assert_int_equal(queue.pending[1].operation_id, 6);
    assert_int_equal(queue.pending[2].cause, NOTIFY_ROLLED_BACK);
    // What belongs to no command takes nobody's place.
    add(NOTIFY_ROTATED, 0);
    assert_int_equal(queue.pending_count, 4);
}

// Only what nobody ordered waits by chance, and only while nothing is being sent.
static void a_random_wait_is_for_switches_of_the_cards_own(void **state)
{
    (void)state;
    static const struct {
        enum notify_cause cause;
        uint32_t operation_id;
        bool is_delayed;
    } rows[] = {
        {NOTIFY_ROTATED, 0, true},        {NOTIFY_FALLBACK, 0, true},
        {NOTIFY_RETURNED, 0, true},       {NOTIFY_COUNTRY, 0, true},
        {NOTIFY_EXHAUSTED, 0, true},      {NOTIFY_FALLBACK, 7, false},
        {NOTIFY_FIRST_CONTACT, 0, false}, {NOTIFY_ROLLED_BACK, 7, false},
        {NOTIFY_IMEI_CHANGED, 0, false},  {NOTIFY_SWITCH_CAP, 0, false},
        {NOTIFY_RECOVERED, 0, false},     {NOTIFY_RESTORED, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool was_zero = false;
        bool was_shortest = false;
        bool was_longest = false;
        // Waits of 0, 1 and 2 s are possible.
        for (unsigned n = 0; n < 60; n++) {
            empty_queue();
            queue.parameters.jitter_max_s = 2;
            add(rows[i].cause, rows[i].operation_id);
            const uint32_t wait_s = idle.clocks[CLOCK_NOTIFY].left_s;
            const bool is_at_once = idle.notify_attempt == 1;
            assert_true(is_at_once ? wait_s == 60 : wait_s == 1 || wait_s == 2);
            was_zero |= is_at_once;
            was_shortest |= wait_s == 1;
            was_longest |= wait_s == 2;
        }
        assert_true(was_zero);
        assert_int_equal(was_shortest, rows[i].is_delayed);
        assert_int_equal(was_longest, rows[i].is_delayed);
    }
    bool was_delayed = false; // a JITTER_MAX of 1 s is one, too
    for (unsigned n = 0; n < 60; n++) {
        empty_queue();
        queue.parameters.jitter_max_s = 1;
        add(NOTIFY_ROTATED, 0);
        was_delayed |= idle.notify_attempt == 0;
    }
    assert_true(was_delayed);
    empty_queue();
    add(NOTIFY_ROTATED, 0);
    assert_int_equal(idle.clocks[CLOCK_NOTIFY].left_s, 60); // no wait without JITTER_MAX
    idle.notify_attempt = 3;
    idle.clocks[CLOCK_NOTIFY].left_s = 17;
    add(NOTIFY_FALLBACK, 0);
    assert_int_equal(idle.clocks[CLOCK_NOTIFY].left_s, 17); // a sending goes on
    assert_int_equal(idle.notify_attempt, 3);
    // An ENABLED is counted by the switch that queued it.
    empty_queue();
    add(NOTIFY_ENABLED, 4);
    assert_int_equal(idle.notify_attempt, 0);
    assert_false(clock_is_on(&idle, CLOCK_NOTIFY));
}

static void a_sending_is_of_what_is_higher_than_the_last_one(void **state)
{
    (void)state;
    empty_queue();
    for (unsigned i = 0; i < 3; i++)
        add(NOTIFY_ROTATED, 0);
    queue.pending[1].cause = NOTIFY_ENABLED;
    queue.pending[1].operation_id = 8;
    idle.notify_attempt = 0;
    assert_int_equal(notify_next(&idle, &queue), IMAGE_PENDING_MAX);
    idle.notify_attempt = 1;
    assert_int_equal(notify_next(&idle, &queue), 0);
    idle.notify_sent = 1;
    assert_int_equal(notify_next(&idle, &queue), 1);
    // The word of a switch that is being rolled back asks for nothing; that of another one does.
    static const struct {
        uint8_t phase, operation_id, next;
    } rows[] = {
        {JOURNAL_PREPARED, 8, 2}, {JOURNAL_SWITCHED, 8, 2}, {JOURNAL_CONFIRMING, 8, 1},
        {JOURNAL_NONE, 8, 1},     {JOURNAL_SWITCHED, 9, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        queue.journal.phase = rows[i].phase;
        queue.journal.operation_id = rows[i].operation_id;
        assert_int_equal(notify_next(&idle, &queue), rows[i].next);
    }
    queue.journal.operation_id = 8;
    queue.pending[1].cause = NOTIFY_ROLLED_BACK;
    assert_int_equal(notify_next(&idle, &queue), 1);
    idle.notify_sent = 3;
    assert_int_equal(notify_next(&idle, &queue), IMAGE_PENDING_MAX);
}

static void a_notification_is_found_by_its_sequence(void **state)
{
    (void)state;
    empty_queue();
    for (unsigned i = 0; i < 3; i++)
        add(NOTIFY_ROTATED, 0);
    assert_int_equal(notify_find(&queue, 2), 1);
    assert_int_equal(notify_find(&queue, 4), IMAGE_PENDING_MAX);
    struct turn t = turn_on_queue();
    notify_remove(&t, 1);
    assert_true(t.is_changed);
    assert_int_equal(notify_find(&queue, 1), 0);
    assert_int_equal(notify_find(&queue, 3), 1);
    assert_int_equal(queue.pending_count, 2);
    notify_remove(&t, 0);
    assert_int_equal(idle.notify_attempt, 1);
    assert_true(clock_is_on(&idle, CLOCK_NOTIFY));
    notify_remove(&t, 0);
    assert_int_equal(idle.notify_attempt, 0);
    assert_false(clock_is_on(&idle, CLOCK_NOTIFY));
    assert_int_equal(notify_find(&queue, 0), IMAGE_PENDING_MAX);
    assert_int_equal(notify_find(&queue, 3), IMAGE_PENDING_MAX); // it is not pending any more
}

// What was pending once, behind the last, is neither sent nor given up.
static void what_was_removed_is_gone(void **state)
{
    (void)state;
    empty_queue();
    add(NOTIFY_ROTATED, 0);
    add(NOTIFY_ADDRESS_CHECK, 0);
    struct turn t = turn_on_queue();
    notify_remove(&t, 1);
    idle.notify_attempt = 1;
    idle.notify_sent = 1;
    assert_int_equal(notify_next(&idle, &queue), IMAGE_PENDING_MAX);
    idle.notify_attempt = queue.parameters.wait_count;
    notify_clock(&t); // the last wait is over
    assert_int_equal(idle.notify_attempt, 0);
    assert_int_equal(queue.pending_count, 1);
    assert_int_equal(queue.pending[0].cause, NOTIFY_ROTATED);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_notification_is_sent_four_times_and_then_rests),
        T(what_nobody_ordered_is_told_after_a_random_wait),
        T(what_rests_is_sent_again_when_service_is_back),
        T(what_rests_is_sent_again_after_a_start),
        T(what_rests_is_sent_again_after_a_day),
        T(what_was_confirmed_at_rest_wears_no_memory),
        T(nothing_is_sent_without_service),
        T(four_are_kept_and_older_ones_are_merged_and_counted),
        T(outcomes_of_commands_are_never_merged_away),
        T(a_duplicate_or_another_command_ends_no_notification),
        T(a_heartbeat_has_no_sequence),
        T(a_heartbeat_that_has_not_left_is_due_after_a_start),
        T(a_first_contact_says_what_card_it_is),
        T(a_notification_says_what_was_seen_of_the_network),
        T(a_card_of_level_1_tells_no_hash),
        T(merged_ones_are_counted_up_to_an_octet),
        T(outcomes_alone_leave_no_room),
        T(what_was_merged_into_an_earlier_word_stays_counted),
        T(the_outcome_takes_the_place_of_earlier_words_on_it),
        T(a_random_wait_is_for_switches_of_the_cards_own),
        T(a_sending_is_of_what_is_higher_than_the_last_one),
        T(a_notification_is_found_by_its_sequence),
        T(what_was_removed_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
