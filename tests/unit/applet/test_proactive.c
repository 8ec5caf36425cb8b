// Which proactive command comes next, what it says, and how messages leave part by part.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/rules.h"
#include "applet/toolkit.h"
#include "common/wire/ident.h"
#include "common/wire/secured.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    bench_pump(&card);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&card);
    return 0;
}

static struct cat_message fetched(void)
{
    static uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct cat_message command;
    const size_t len = applet_pending(&card.applet, &card.port);
    assert_true(applet_fetch(&card.applet, &card.port, &w));
    assert_int_equal(w.len, len);
    assert_int_equal(cat_read_command(writer_bytes(&w), &command), CAT_OK);
    assert_int_equal(command.type, card.applet.command);
    return command;
}

static void answered(const struct cat_message *command, uint8_t result)
{
    const struct cat_message r = cat_answer(command, result);
    uint8_t octets[CAT_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    cat_write_response(&w, &r);
    assert_false(w.failed);
    applet_terminal_response(&card.applet, &card.port, writer_bytes(&w));
}

// --- the order ---

static void what_is_due_is_asked_in_its_order(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, qualifier;
    } rows[] = {
        {CAT_SET_UP_EVENT_LIST, 0},
        {CAT_POLL_INTERVAL, 0},
        {CAT_TIMER_MANAGEMENT, 0},
        {CAT_TIMER_MANAGEMENT, 0},
        {CAT_PROVIDE_LOCAL_INFORMATION, CAT_INFORMATION_LOCATION},
        {CAT_PROVIDE_LOCAL_INFORMATION, CAT_INFORMATION_IMEI},
        {CAT_PROVIDE_LOCAL_INFORMATION, CAT_INFORMATION_IMEISV},
        {CAT_PROVIDE_LOCAL_INFORMATION, CAT_INFORMATION_TECHNOLOGY},
        {CAT_SEND_SHORT_MESSAGE, 0},
        {CAT_REFRESH, CAT_REFRESH_CARD_RESET},
    };
    struct applet *a = &card.applet;
    a->todo = TODO_EVENTS | TODO_POLL | TODO_LOCATION | TODO_IMEI | TODO_IMEISV | TODO_ACCESS |
              TODO_REFRESH;
    a->is_heartbeat_due = true;
    a->poll_period_s = 45;
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++)
        clock_stop(a, (enum applet_clock_use)i);
    clock_set(a, CLOCK_COUNTRY, 45000); // more than a timer takes
    clock_set(a, CLOCK_SLOW, 300);
    a->command_number = 252;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cat_message m = fetched();
        assert_int_equal(m.type, rows[i].type);
        if (m.type == CAT_PROVIDE_LOCAL_INFORMATION || m.type == CAT_REFRESH)
            assert_int_equal(m.qualifier, rows[i].qualifier);
        assert_int_equal(m.number, (252 + i) % 254 + 1); // 1 to 254 [102.223 §8.6]
        if (m.type == CAT_POLL_INTERVAL) {
            assert_int_equal(m.duration_unit, CAT_SECONDS);
            assert_int_equal(m.duration, 45);
        }
        if (m.type == CAT_TIMER_MANAGEMENT) {
            assert_int_equal(m.timer, i == 2 ? CLOCK_COUNTRY + 1 : CLOCK_SLOW + 1);
            assert_int_equal(m.timer_seconds, i == 2 ? 43200 : 300);
        }
        assert_int_equal(applet_pending(a, &card.port), 0); // one at a time
        answered(&m, m.type == CAT_PROVIDE_LOCAL_INFORMATION ? CAT_TERMINAL_UNABLE : CAT_DONE);
    }
    assert_int_equal(applet_pending(a, &card.port), 0);
    assert_int_equal(a->todo, 0);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].left_s, 45000);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].armed_s, 43200);
    assert_int_equal(a->clocks[CLOCK_SLOW].armed_s, 300);
}

static void a_refresh_is_of_the_kind_that_was_set(void **state)
{
    (void)state;
    static const uint8_t mode[] = {PARAMETER_REFRESH_MODE, 1, 3};
    bench_set(&card, mode, sizeof mode);
    bench_pump(&card);
    card.applet.todo = TODO_REFRESH;
    assert_int_equal(fetched().qualifier, CAT_REFRESH_INIT);
    // Outside of a switch nothing waits for its answer.
    assert_int_equal(card.applet.wait, WAIT_NONE);
    assert_false(clock_is_on(&card.applet, CLOCK_STATE));
}

// Asking how long it is and fetching it are two calls, and what happens between them counts.
static void a_command_that_was_announced_is_made_anew_when_something_changes(void **state)
{
    (void)state;
    card.applet.todo = TODO_POLL;
    card.applet.poll_period_s = 20;
    assert_true(applet_pending(&card.applet, &card.port) > 0);
    card.applet.poll_period_s = 25;
    assert_int_equal(fetched().duration, 25);
}

static void a_lost_command_is_forgotten_after_two_minutes(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    a->poll_period_s = 40;
    a->todo = TODO_LOCATION;
    const struct cat_message m = fetched();
    bench_statuses(&card, 2);
    assert_int_equal(a->command, CAT_PROVIDE_LOCAL_INFORMATION);
    bench_statuses(&card, 1); // 120 s
    assert_int_equal(a->command, 0);
    assert_int_equal(a->service, CAT_SERVICE_NORMAL); // a lost answer says nothing
    answered(&m, CAT_DONE);                           // and is none when it comes
    assert_int_equal(a->service, CAT_SERVICE_NORMAL);
    // Two minutes, not a second less.
    a->todo = TODO_LOCATION;
    (void)fetched();
    a->poll_period_s = 119;
    bench_statuses(&card, 1);
    assert_int_equal(a->command, CAT_PROVIDE_LOCAL_INFORMATION);
    a->poll_period_s = 1;
    bench_statuses(&card, 1);
    assert_int_equal(a->command, 0);
    a->poll_period_s = 40;
    // The next command has its own two minutes.
    a->todo = TODO_LOCATION;
    (void)fetched();
    bench_statuses(&card, 2);
    assert_int_equal(a->command, CAT_PROVIDE_LOCAL_INFORMATION);
}

// What a REFRESH without answer means, its own clock decides.
static void a_lost_refresh_is_no_refusal(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    applet_timer(a, &card.port, CLOCK_STATE + 1); // T_REFRESH
    for (unsigned i = 0; i < 8 && a->command != CAT_REFRESH; i++) {
        if (a->wait == WAIT_FETCH) // the terminal has a minute from when it fetched it
            a->clocks[CLOCK_STATE].left_s = 7;
        const struct cat_message m = fetched();
        if (m.type != CAT_REFRESH)
            answered(&m, CAT_DONE);
    }
    assert_int_equal(a->wait, WAIT_TAKE);
    assert_int_equal(a->clocks[CLOCK_STATE].left_s, 60);
    clock_set(a, CLOCK_STATE, 10000);
    a->poll_period_s = 120;
    applet_status(a, &card.port);
    assert_int_equal(a->command, 0);
    assert_int_equal(a->state, SWITCH_SWITCHING);
    assert_int_equal(a->tries, 0);
}

// --- messages ---

static void install_two(void)
{
    bench_install(&card, 3, 0);
    bench_install(&card, 4, 0);
}

// The long answer of an AUDIT waits; nothing of it has left yet.
static void want_long_answer(void)
{
    const uint16_t terminal = card.applet.terminal;
    card.applet.terminal = (uint16_t)(terminal & ~TERMINAL_SEND_SMS);
    struct command c = bench_audit(&card);
    assert_null(bench_command(&card, &c));
    card.applet.terminal = terminal;
    assert_true(card.applet.answer.is_wanted);
}

static struct sms_part part_of(const struct cat_message *m)
{
    static struct sms_submit submit;
    struct sms_part part;
    assert_int_equal(m->type, CAT_SEND_SHORT_MESSAGE);
    assert_int_equal(sms_read_submit(m->tpdu, &submit), SMS_OK);
    assert_true(sms_read_part(submit.user_data, &part));
    return part;
}

static void an_answer_leaves_part_by_part_under_one_reference(void **state)
{
    (void)state;
    install_two();
    want_long_answer();
    const uint8_t reference = (uint8_t)(card.applet.mt_counter + card.applet.mo_counter);
    struct cat_message m = fetched();
    struct sms_part part = part_of(&m);
    const unsigned total = part.total;
    assert_int_equal(total, 2); // four slots
    for (unsigned number = 1; number <= total; number++) {
        assert_int_equal(part.number, number);
        assert_int_equal(part.total, total);
        assert_int_equal(part.reference, reference);
        assert_true(card.applet.answer.is_wanted);
        answered(&m, CAT_DONE);
        if (number < total) {
            m = fetched();
            part = part_of(&m);
        }
    }
    assert_false(card.applet.answer.is_wanted);
    assert_int_equal(card.applet.sending.kind, SENDING_NONE);
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
}

// Parts of two packets must never be joined.
static void a_message_whose_content_changes_between_its_parts_is_given_up(void **state)
{
    (void)state;
    install_two();
    want_long_answer();
    struct cat_message m = fetched();
    assert_int_equal(part_of(&m).number, 1);
    answered(&m, CAT_DONE);
    card.applet.plmn[0] ^= 1; // told by the audit
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_int_equal(card.applet.sending.kind, SENDING_NONE);
    assert_false(card.applet.answer.is_wanted);
}

static void an_answer_overtakes_a_notification_that_has_not_left(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    install_two();
    a->is_heartbeat_due = true;
    assert_true(applet_pending(a, &card.port) > 0);
    assert_int_equal(a->sending.kind, SENDING_HEARTBEAT);
    const uint64_t counter = a->mo_counter;
    want_long_answer();
    struct cat_message m = fetched();
    assert_int_equal(a->sending.kind, SENDING_ANSWER);
    assert_int_equal(part_of(&m).number, 1);
    assert_true(a->mo_counter == counter); // an answer has the command's
    for (unsigned i = 0; i < 2; i++) {
        answered(&m, CAT_DONE);
        m = fetched();
    }
    // Then the heartbeat, under a counter that no other message had.
    assert_int_equal(a->sending.kind, SENDING_HEARTBEAT);
    assert_true(a->mo_counter == counter + 1);
    assert_true(a->sending.counter == counter + 1);
    assert_int_equal(a->sending.reference, (uint8_t)(a->mt_counter + a->mo_counter));
    answered(&m, CAT_DONE);
    assert_false(a->is_heartbeat_due);
}

static void an_answer_stays_wanted_when_a_notification_has_left(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    a->is_heartbeat_due = true;
    struct cat_message m = fetched();
    assert_int_equal(a->sending.kind, SENDING_HEARTBEAT);
    want_long_answer(); // while the terminal sends the heartbeat
    answered(&m, CAT_DONE);
    assert_false(a->is_heartbeat_due);
    assert_true(a->answer.is_wanted);
    m = fetched();
    assert_int_equal(a->sending.kind, SENDING_ANSWER);
}

static void an_answer_from_a_memory_that_does_not_read_waits(void **state)
{
    (void)state;
    want_long_answer();
    memory_release(&card.port);
    card.reads = 0;
    card.fail_read_at = 1;
    card.fails_on = true;
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_true(card.applet.answer.is_wanted);
    card.fail_read_at = 0;
    assert_true(applet_pending(&card.applet, &card.port) > 0);
    assert_int_equal(card.applet.sending.kind, SENDING_ANSWER);
}

// Whether it left nobody knows; it is not sent for ever.
static void a_message_without_answer_counts_as_sent(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    a->is_heartbeat_due = true;
    (void)fetched();
    a->poll_period_s = 120;
    applet_status(a, &card.port);
    assert_int_equal(a->command, 0);
    assert_int_equal(a->sending.kind, SENDING_NONE);
    assert_false(a->is_heartbeat_due);
}

// An ENABLE waits until its answer has left, which without an address it never does.
static void a_switch_goes_on_at_once_when_its_answer_cannot_be_sent(void **state)
{
    (void)state;
    static const uint8_t at_once[] = {PARAMETER_T_REFRESH, 1, 0};
    bench_set(&card, at_once, sizeof at_once);
    assert_true(memory_load(&card.applet, &card.port));
    memory_release(&card.port);
    card.work.image.parameters.server_address_len = 0;
    assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_OK);
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_null(bench_command(&card, &c));
    assert_int_equal(card.refreshes, 0);
    bench_pump(&card);
    assert_int_equal(card.refreshes, 1);
}

static void only_the_check_goes_to_an_address_that_is_checked(void **state)
{
    (void)state;
    static const uint8_t address[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x94, 0x71, 0x00};
    bench_set(&card, address, sizeof address);
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct sent *of[2] = {NULL, NULL};
    for (unsigned i = 0; i < card.sent_count; i++) {
        if (card.sent[i].note.cause == NOTIFY_ADDRESS_CHECK)
            of[0] = &card.sent[i];
        if (card.sent[i].note.cause == NOTIFY_ENABLED)
            of[1] = &card.sent[i];
    }
    assert_non_null(of[0]);
    assert_non_null(of[1]);
    assert_memory_equal(of[0]->to.octets, "\x94\x71\x00", 3);
    assert_memory_equal(of[1]->to.octets, "\x21\x43\x65", 3);
}

// Two cards in one state, whose images differ, share a workspace.
static void what_was_made_for_one_card_is_not_told_by_another(void **state)
{
    (void)state;
    static struct bench_card other;
    static const struct dialling centres[] = {{4, {0x91, 0x94, 0x71, 0x01}},
                                              {4, {0x91, 0x94, 0x71, 0x02}}};
    memcpy(&other, &card, sizeof other);
    other.port.context = &other;
    struct bench_card *both[] = {&card, &other};
    for (unsigned i = 0; i < 2; i++) {
        assert_true(memory_load(&both[i]->applet, &both[i]->port));
        memory_release(&both[i]->port);
        card.work.image.slots[0].smsc = centres[i];
        assert_int_equal(memory_commit(&both[i]->applet, &both[i]->port), MEMORY_OK);
        memory_release(&both[i]->port);
    }
    card.applet.is_heartbeat_due = true;
    assert_true(applet_pending(&card.applet, &card.port) > 0);
    memcpy(&other.applet, &card.applet, sizeof other.applet);
    uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct cat_message m;
    assert_true(applet_fetch(&other.applet, &other.port, &w));
    assert_int_equal(cat_read_command(writer_bytes(&w), &m), CAT_OK);
    assert_memory_equal(m.address.at, centres[1].octets, 4);
}

// Without an answer, while the terminal sends nothing.
static void command_in_silence(struct command c)
{
    uint8_t data[COMMAND_BODY_MAX];
    struct writer body = writer_of(data, sizeof data);
    command_write(&body, &c);
    const uint16_t terminal = card.applet.terminal;
    card.applet.terminal = (uint16_t)(terminal & ~TERMINAL_SEND_SMS);
    assert_null(bench_packet(&card, writer_bytes(&body), 0x16, 0, 0xB00010, ++card.counter));
    card.applet.terminal = terminal;
}

static void a_notification_that_was_confirmed_before_it_left_is_not_sent(void **state)
{
    (void)state;
    static const uint8_t address[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x94, 0x71, 0x00};
    command_in_silence(
        bench_configure(&card, bytes_of(address, sizeof address), bytes_of(NULL, 0)));
    assert_true(bench_is_pending(&card, NOTIFY_ADDRESS_CHECK));
    assert_true(applet_pending(&card.applet, &card.port) > 0);
    assert_int_equal(card.applet.sending.kind, SENDING_NOTIFICATION);
    command_in_silence(bench_confirm(&card, bench_dump(&card).image.pending[0].sequence, 0));
    assert_false(bench_is_pending(&card, NOTIFY_ADDRESS_CHECK));
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_int_equal(card.applet.sending.kind, SENDING_NONE);
}

// 8988010000000000 and two digits, with the check digit that fits them.
static struct subscription_name iccid_that_ends_in(uint8_t n)
{
    struct subscription_name name = {
        .is_given = true, .is_iccid = true, .iccid = {0x98, 0x88, 0x10, 0, 0, 0, 0, 0, 0, 0}};
    name.iccid[8] = (uint8_t)((n % 10) << 4 | n / 10);
    char text[ICCID_SIZE];
    for (uint8_t digit = 0; digit < 10; digit++) {
        name.iccid[9] = 0xF0 | digit;
        if (iccid_read(name.iccid, text))
            return name;
    }
    fail_msg("no check digit fits");
    return name;
}

// 16 subscriptions with an ICCID are 26 octets each, more than the 369 of three messages.
static void an_answer_is_cut_to_three_messages(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    card.factory.slot_count = 16;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    for (uint8_t n = 3; n <= 16; n++) {
        struct command c = bench_download(&card, n, 0);
        c.download.iccid = iccid_that_ends_in(n);
        assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
        card.sent_count = 0;
    }
    struct command c = bench_audit(&card);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_true(s->result.more);
    assert_int_equal(s->parts, 3);
    struct audit_answer a;
    assert_true(audit_answer_read(s->result.data, &a));
    const uint8_t first = a.slot_count_here;
    assert_true(first >= 10 && first < 16);
    c.audit.first_slot = (uint8_t)(first + 1);
    s = bench_command(&card, &c);
    assert_false(s->result.more);
    assert_true(audit_answer_read(s->result.data, &a));
    assert_int_equal(a.slot_count_here, 16 - first);
    assert_int_equal(a.slots[0].slot, first + 1);
}

static void a_message_goes_over_the_centre_of_the_enabled_subscription(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    static const uint8_t centre[] = {0x91, 0x94, 0x71, 0x00};
    c.download.smsc = bytes_of(centre, sizeof centre);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    card.applet.is_heartbeat_due = true;
    struct cat_message m = fetched();
    assert_int_equal(m.address.len, 0); // the terminal's own
    answered(&m, CAT_DONE);
    bench_settle_on(&card, 3);
    bench_pump(&card);
    card.applet.is_heartbeat_due = true;
    m = fetched();
    assert_int_equal(m.address.len, sizeof centre);
    assert_memory_equal(m.address.at, centre, sizeof centre);
}

static void nothing_is_sent_while_it_cannot_arrive(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    a->is_heartbeat_due = true;
    const struct applet due = *a;
    a->service = CAT_SERVICE_LIMITED;
    assert_int_equal(applet_pending(a, &card.port), 0);
    *a = due;
    a->has_service = false;
    assert_int_equal(applet_pending(a, &card.port), 0);
    *a = due;
    a->is_blocked = true;
    assert_int_equal(applet_pending(a, &card.port), 0);
    *a = due;
    a->terminal = (uint16_t)(a->terminal & ~TERMINAL_SEND_SMS);
    assert_int_equal(applet_pending(a, &card.port), 0);
    *a = due;
    assert_true(a->mo_counter == due.mo_counter);
    assert_true(applet_pending(a, &card.port) > 0);
}

// The last sequence that is pending says whether there is anything to send.
static void what_was_sent_is_sent_again_only_after_its_wait(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    assert_true(memory_load(a, &card.port));
    a->notify_attempt = 1;
    a->pending_last = 7;
    a->notify_sent = 7;
    assert_int_equal(applet_pending(a, &card.port), 0);
    // Nothing that is pending is left to send: that is found out once.
    a->notify_sent = 6;
    assert_int_equal(applet_pending(a, &card.port), 0);
    assert_int_equal(a->notify_sent, 7);
}

// --- at rest ---

static void a_status_at_rest_counts_for_clocks_that_run(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    a->poll_period_s = 30;
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++)
        clock_stop(a, (enum applet_clock_use)i);
    assert_int_equal(applet_rest_status(a, 1000), 1000); // no clock, no limit
    clock_set(a, CLOCK_STATE, 100);
    clock_set(a, CLOCK_NOTIFY, 1); // not even one: a second is over at once
    clock_set(a, CLOCK_SLOW, 300);
    assert_int_equal(applet_rest_status(a, 9), 0);
    clock_stop(a, CLOCK_NOTIFY);
    assert_int_equal(applet_rest_status(a, 9), 4); // 120 s of 150
    assert_int_equal(a->clocks[CLOCK_STATE].status_s, 120);
    assert_int_equal(a->clocks[CLOCK_NOTIFY].status_s, 0);
    assert_int_equal(a->clocks[CLOCK_SLOW].status_s, 120);
    // As many as in full.
    applet_status(a, &card.port);
    assert_false(clock_is_on(a, CLOCK_STATE));
    // At a period of 1 s even a second has its STATUS.
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++)
        clock_stop(a, (enum applet_clock_use)i);
    a->poll_period_s = 1;
    clock_set(a, CLOCK_STATE, 1);
    assert_int_equal(applet_rest_status(a, 9), 1);
    assert_int_equal(a->clocks[CLOCK_STATE].status_s, 1);
}

static void at_rest_nothing_behind_the_clocks_counts(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    bench_pump(&card);
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        if (i != CLOCK_SLOW)
            clock_stop(a, (enum applet_clock_use)i);
    }
    a->due_s = a->busy_s = 0;
    uint8_t *const behind = (uint8_t *)(a->clocks + APPLET_CLOCKS);
    const size_t len = (size_t)((uint8_t *)(&a->answer + 1) - behind);
    uint8_t before[sizeof a->answer + 16];
    assert_true(len <= sizeof before);
    memset(behind, 0xFF, len);
    memset(before, 0xFF, len);
    a->poll_period_s = 30;
    assert_int_equal(applet_rest_status(a, 2), 2);
    assert_memory_equal(behind, before, len);
    assert_int_equal(applet_rest_ticks(a, 3, 9, true), 3);
    assert_memory_equal(behind, before, len);
}

// Where another clock runs, or STATUS comes too often, each tick is one of its own.
static void ticks_with_something_beside_them_come_one_by_one(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    bench_pump(&card);
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        if (i != CLOCK_SLOW)
            clock_stop(a, (enum applet_clock_use)i);
    }
    a->due_s = a->busy_s = 0;
    a->poll_period_s = 30;
    const struct applet rest = *a;
    assert_int_equal(applet_rest_ticks(a, 2, 14, true), 2); // 420 s of 450
    *a = rest;
    assert_int_equal(applet_rest_ticks(a, 2, 15, true), 1);
    *a = rest;
    assert_int_equal(applet_rest_ticks(a, 1, 15, true), 1);
    // Where the clock alone is kept, it is kept again as long after.
    *a = rest;
    a->keep_s = 600;
    a->due_s = a->now_s + 600;
    assert_int_equal(applet_rest_ticks(a, 3, 9, true), 3);
    assert_int_equal(a->kept, 1);
    assert_int_equal(a->kept_s, rest.now_s + 600);
    assert_int_equal(a->due_s, rest.now_s + 1200);
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        *a = rest;
        if (i != CLOCK_SLOW)
            a->clocks[i].left_s = 100000;
        assert_int_equal(applet_rest_ticks(a, 2, 9, true), i == CLOCK_SLOW ? 2 : 1);
    }
    *a = rest;
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_due_is_asked_in_its_order),
        T(a_refresh_is_of_the_kind_that_was_set),
        T(a_command_that_was_announced_is_made_anew_when_something_changes),
        T(a_lost_command_is_forgotten_after_two_minutes),
        T(a_lost_refresh_is_no_refusal),
        T(an_answer_leaves_part_by_part_under_one_reference),
        T(a_message_whose_content_changes_between_its_parts_is_given_up),
        T(an_answer_overtakes_a_notification_that_has_not_left),
        T(a_notification_that_was_confirmed_before_it_left_is_not_sent),
        T(an_answer_is_cut_to_three_messages),
        T(a_message_goes_over_the_centre_of_the_enabled_subscription),
        T(nothing_is_sent_while_it_cannot_arrive),
        T(what_was_sent_is_sent_again_only_after_its_wait),
        T(an_answer_stays_wanted_when_a_notification_has_left),
        T(an_answer_from_a_memory_that_does_not_read_waits),
        T(a_message_without_answer_counts_as_sent),
        T(a_switch_goes_on_at_once_when_its_answer_cannot_be_sent),
        T(only_the_check_goes_to_an_address_that_is_checked),
        T(what_was_made_for_one_card_is_not_told_by_another),
        T(at_rest_nothing_behind_the_clocks_counts),
        T(ticks_with_something_beside_them_come_one_by_one),
        T(a_status_at_rest_counts_for_clocks_that_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
