// Devices with real cards and the real applet in them, over real authentication.
#include "tests/lib/cmocka_all.h"

#include "common/wire/crc.h"
#include "common/wire/parameter.h"
#include "tests/unit/sim/lab.h"

static struct lab lab;

static int close_lab(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void open_running(const char *scenario)
{
    lab_open(&lab, 1, scenario);
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 10000);
}

static bool is_attached_as(unsigned slot)
{
    char imsi[IMSI_SIZE];
    lab_imsi(0, slot, imsi);
    const struct radio_subscriber *s = radio_by_imsi(&lab.radio, radio_identity(imsi));
    return s->device == 0;
}

static void a_device_attaches_and_its_card_reports_first_contact(void **state)
{
    (void)state;
    open_running(NULL);
    assert_true(is_attached_as(0));
    assert_int_equal(lab.fleet.attached_now, 1);
    unsigned from = 0;
    struct notification n;
    assert_true(lab_find_notification(&lab, &from, NOTIFY_FIRST_CONTACT, &n));
    assert_true(lab.messages[0].source == lab_number(0, 0));
    static const uint8_t plmn[] = {0x00, 0xF1, 0x10}; // 001 01 [24.008 §10.5.1.13]
    assert_true(n.has_plmn);
    assert_memory_equal(n.plmn, plmn, sizeof plmn);
    assert_true(n.has_imei);
    assert_memory_equal(n.imei, lab.devices[0].imei, sizeof n.imei);
}

static void an_enable_attaches_with_the_new_imsi_and_is_confirmed(void **state)
{
    (void)state;
    open_running(NULL);
    unsigned from = 0;
    struct notification n;
    assert_true(lab_find_notification(&lab, &from, NOTIFY_FIRST_CONTACT, &n));
    struct command confirm = lab_confirm(n.sequence, 0);
    assert_int_equal(lab_send(&lab, 0, 0, &confirm), FLEET_ACCEPTED);
    lab_run(&lab, 1000);

    struct command enable = lab_enable(&lab, 1);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 1000);
    struct result result;
    assert_true(lab_last_result(&lab, &result));
    assert_int_equal(result.code, RESULT_OK_PENDING);

    // T_REFRESH, the reset, and the attach.
    lab_run(&lab, 60000);
    assert_false(is_attached_as(0));
    assert_true(is_attached_as(1));
    assert_int_equal(lab.fleet.counts.refreshed, 1);
    assert_true(lab_find_notification(&lab, &from, NOTIFY_ENABLED, &n));
    assert_int_equal(n.operation_id, enable.operation_id);

    confirm = lab_confirm(n.sequence, n.operation_id);
    assert_int_equal(lab_send(&lab, 0, 1, &confirm), FLEET_ACCEPTED);
    lab_run(&lab, 1000);
    assert_true(lab_last_result(&lab, &result));
    assert_int_equal(result.code, RESULT_OK);
    // It stays: no rollback after the last wait.
    lab_run(&lab, 3600000);
    assert_true(is_attached_as(1));
}

static void an_enable_without_confirmation_rolls_back(void **state)
{
    (void)state;
    open_running(NULL);
    struct command enable = lab_enable(&lab, 1);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 60000);
    assert_true(is_attached_as(1));
    // 900 s after the first notification the rollback begins.
    lab_run(&lab, 1100000);
    assert_true(is_attached_as(0));
    unsigned from = 0;
    struct notification n;
    assert_true(lab_find_notification(&lab, &from, NOTIFY_ROLLED_BACK, &n));
    assert_int_equal(n.operation_id, enable.operation_id);
}

// Before FETCH, after it, when the command was carried out, and after TERMINAL RESPONSE.
static void a_device_can_start_anew_amid_a_command_of_its_card(void **state)
{
    (void)state;
    for (uint32_t nth = 1; nth <= DEVICE_MOMENTS; nth++) {
        open_running(NULL);
        const unsigned count = lab.message_count;
        const struct command audit = lab_audit();
        fleet_plan_reset(&lab.fleet, 0, nth, lab.now);
        assert_int_equal(lab_send(&lab, 0, 0, &audit), FLEET_ACCEPTED);
        assert_int_equal(lab.devices[0].state, DEVICE_BOOTING);
        assert_int_equal(lab.message_count, count);
        lab_run(&lab, 10000);
        assert_int_equal(lab.devices[0].state, DEVICE_RUNNING);
        assert_true(is_attached_as(0));
        // Once only.
        assert_int_equal(lab_send(&lab, 0, 0, &audit), FLEET_ACCEPTED);
        assert_int_equal(lab.devices[0].state, DEVICE_RUNNING);
        assert_true(lab.message_count > count);
        if (nth < DEVICE_MOMENTS)
            lab_close(&lab);
    }
}

// For now, for ever, by the user; and what cannot be read. After T_REFRESH of 5 s three times, 30 s
// apart.
static void a_refresh_that_is_refused_three_times_is_put_back(void **state)
{
    static const struct device_answers rows[] = {
        {.of = CAT_REFRESH, .result = 0x20, .info = 1 + CAT_CAUSE_BUSY_ON_CALL},
        {.of = CAT_REFRESH, .result = 0x22},
        {.of = CAT_REFRESH, .result = 0x30},
        {.of = CAT_REFRESH, .form = DEVICE_ANSWER_NO_DETAILS},
        {.of = CAT_REFRESH, .form = DEVICE_ANSWER_NO_RESULT},
        {.of = CAT_REFRESH, .form = DEVICE_ANSWER_CUT},
        {.of = CAT_REFRESH, .form = DEVICE_ANSWER_EMPTY},
        {.of = CAT_REFRESH, .result = 0x32, .form = DEVICE_ANSWER_OTHER_NUMBER},
        {.of = CAT_REFRESH, .result = 0x32, .form = DEVICE_ANSWER_OTHER_TYPE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct device_answers plan = rows[i];
        struct notification n;
        unsigned from = 0;
        open_running(NULL);
        plan.until = instant_after(lab.now, 3600000);
        fleet_plan_answers(&lab.fleet, 0, &plan, lab.now);
        const struct command enable = lab_enable(&lab, 1);
        assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
        lab_run(&lab, 120000);
        assert_int_equal(lab.devices[0].answered_so, 3);
        assert_int_equal(lab.fleet.counts.refreshed, 0);
        assert_true(is_attached_as(0));
        assert_true(lab_find_notification(&lab, &from, NOTIFY_SWITCH_FAILED, &n));
        assert_int_equal(n.operation_id, enable.operation_id);
        if (i + 1 < sizeof rows / sizeof rows[0])
            lab_close(&lab);
    }
}

// The card tries after 60 s and after 180 s.
static void a_notification_that_a_device_did_not_send_comes_later(void **state)
{
    static const struct device_answers rows[] = {
        {.of = CAT_SEND_SHORT_MESSAGE, .result = 0x21, .info = 1},
        {.of = CAT_SEND_SHORT_MESSAGE, .result = 0x35, .info = 1},
        {.of = CAT_SEND_SHORT_MESSAGE}, // it says that it did
        {.of = CAT_SEND_SHORT_MESSAGE, .form = DEVICE_ANSWER_NO_RESULT},
        {.of = 0, .result = 0x20, .form = DEVICE_ANSWER_EMPTY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct device_answers plan = rows[i];
        struct notification n;
        unsigned from = 0;
        lab_open(&lab, 1, NULL);
        plan.until = instant_after(lab.now, 100000);
        fleet_plan_answers(&lab.fleet, 0, &plan, lab.now);
        fleet_start(&lab.fleet, lab.now, 0);
        lab_run(&lab, 100000);
        assert_true(lab.devices[0].answered_so >= 2);
        assert_int_equal(lab.message_count, 0);
        lab_run(&lab, 200000);
        assert_true(lab_find_notification(&lab, &from, NOTIFY_FIRST_CONTACT, &n));
        if (i + 1 < sizeof rows / sizeof rows[0])
            lab_close(&lab);
    }
}

static void an_absent_device_gets_nothing(void **state)
{
    (void)state;
    open_running(NULL);
    struct scenario_step off = {.action = SCENARIO_POWER_OFF};
    assert_true(fleet_act(&lab.fleet, 0, &off, lab.now));
    assert_int_equal(lab.fleet.attached_now, 0);
    struct command audit = lab_audit();
    assert_int_equal(lab_send(&lab, 0, 0, &audit), FLEET_ABSENT);
    assert_int_equal(fleet_deadline(&lab.fleet).ms, INSTANT_NEVER.ms);
    struct scenario_step on = {.action = SCENARIO_POWER_ON};
    assert_true(fleet_act(&lab.fleet, 0, &on, lab.now));
    lab_run(&lab, 10000);
    assert_int_equal(lab_send(&lab, 0, 0, &audit), FLEET_ACCEPTED);
}

// The networks know another K than the card: no network lets it in, and it is not believed either.
static void a_subscription_with_other_keys_does_not_attach(void **state)
{
    (void)state;
    lab_open(&lab, 1, NULL);
    lab.radio.subscribers[0].keys.k.octets[0] ^= 1;
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 10000);
    assert_false(is_attached_as(0));
    assert_int_equal(lab.devices[0].service, CAT_SERVICE_LIMITED);
    assert_true(lab.fleet.counts.rejected > 0);
}

// The register lost its sequence numbers: the card answers with AUTS and the next try succeeds.
static void a_register_that_is_behind_resynchronises(void **state)
{
    (void)state;
    open_running(NULL);
    assert_true(is_attached_as(0));
    lab.radio.subscribers[0].seq = 0;
    struct scenario_step off = {.action = SCENARIO_POWER_OFF};
    struct scenario_step on = {.action = SCENARIO_POWER_ON};
    assert_true(fleet_act(&lab.fleet, 0, &off, lab.now));
    assert_true(fleet_act(&lab.fleet, 0, &on, lab.now));
    lab_run(&lab, 10000);
    assert_true(is_attached_as(0));
    assert_int_equal(lab.radio.subscribers[0].seq, 2); // that of AUTS was 1
}

// [24.301 §5.5.1.2.5]: cause 11 puts the network on the list of those that are forbidden.
static void a_device_that_was_refused_everywhere_waits_for_another_place(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "network 00102\n"
                 "allow 00101 00101\n"
                 "allow 00102 00102\n"
                 "area home 00102\n"
                 "at 2m area home 00101\n");
    assert_false(is_attached_as(0));
    const uint64_t steps = lab.fleet.counts.steps;
    lab_run(&lab, 90000);
    assert_int_equal(lab.devices[0].attach_due.ms, INSTANT_NEVER.ms);
    assert_int_equal(lab.fleet.counts.rejected, 1);
    assert_true(lab.fleet.counts.steps <= steps + 4); // a retry would come every 30 s
    lab_run(&lab, 30000);
    assert_true(is_attached_as(0));
}

static void lost_coverage_rotates_to_the_other_subscription(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "network 00102\n"
                 "allow 00101 00101\n"
                 "allow 00102 00102\n"
                 "area home 00101\n"
                 "at 1m area home 00102\n");
    assert_true(is_attached_as(0));
    lab_run(&lab, 60000);
    assert_false(is_attached_as(0));
    // T_LIMITED is 180 s, the jitter up to 60 s.
    lab_run(&lab, 400000);
    assert_true(is_attached_as(1));
    unsigned from = 0;
    struct notification n;
    assert_true(lab_find_notification(&lab, &from, NOTIFY_ROTATED, &n));
}

static void timers_of_a_coarse_clock_expire_at_its_steps_only(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "network 00102\n"
                 "allow 00101 00101\n"
                 "allow 00102 00102\n"
                 "model default timer-step 15m\n"
                 "area home 00101 00102\n");
    const struct instant *tick = &lab.devices[0].timers[APPLET_TICK_TIMER - 1];
    // The tick was asked for within the first seconds.
    assert_int_equal(tick->ms, 900000);
    lab_run(&lab, 900000 - lab.now.ms - 1);
    assert_int_equal(tick->ms, 900000);
    lab_run(&lab, 1);
    assert_int_equal(tick->ms, 1800000);
    assert_true(is_attached_as(0));
}

static void a_terminal_that_ignores_refresh_is_put_back(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "area home 00101\n"
                 "model default refresh ignore\n");
    struct command enable = lab_enable(&lab, 1);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 1000);
    assert_int_equal(lab.fleet.counts.refreshed, 0);
    assert_true(is_attached_as(0));
}

// It fetches REFRESH and never answers, so that the card cannot ask for anything more. The card
// puts itself back, and says so once the terminal is started again.
static void a_terminal_that_never_answers_refresh_is_put_back(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "area home 00101\n"
                 "model default refresh mute\n");
    struct command enable = lab_enable(&lab, 1);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 3600000);
    assert_int_equal(lab.fleet.counts.refreshed, 0);
    struct scenario_step off = {.action = SCENARIO_POWER_OFF};
    struct scenario_step on = {.action = SCENARIO_POWER_ON};
    assert_true(fleet_act(&lab.fleet, 0, &off, lab.now));
    assert_true(fleet_act(&lab.fleet, 0, &on, lab.now));
    lab_run(&lab, 600000);
    assert_true(is_attached_as(0));
    unsigned from = 0;
    struct notification n;
    assert_true(lab_find_notification(&lab, &from, NOTIFY_ROLLED_BACK, &n));
    assert_int_equal(n.operation_id, enable.operation_id);
}

// 64 plans at once; a new one for a card takes the place of its old one.
static void a_card_has_one_planned_power_cut(void **state)
{
    (void)state;
    lab_open(&lab, FLEET_FAULTS_MAX + 1, NULL);
    struct scenario_step cut = {.action = SCENARIO_CUT, .value = 1};
    for (uint32_t i = 0; i < FLEET_FAULTS_MAX; i++)
        assert_true(fleet_act(&lab.fleet, i, &cut, lab.now));
    assert_false(fleet_act(&lab.fleet, FLEET_FAULTS_MAX, &cut, lab.now));
    uint8_t octet = 0;
    assert_int_equal(nvm_write(&lab.devices[0].card.nvm, 0, &octet, 1), NVM_CUT);
    assert_true(fleet_act(&lab.fleet, FLEET_FAULTS_MAX - 1, &cut, lab.now));
    assert_true(fleet_act(&lab.fleet, FLEET_FAULTS_MAX, &cut, lab.now));
    assert_false(fleet_act(&lab.fleet, 0, &cut, lab.now));
}

static void every_device_has_an_imei_of_its_own(void **state)
{
    (void)state;
    lab_open(&lab, 3, NULL);
    char imei[IMEI_SIZE];
    // By hand: 3+1+2+0+9+9 = 24, so the Luhn digit is 6; a 2 at the end adds 4.
    assert_true(imei_read(lab.devices[0].imei, imei));
    assert_string_equal(imei, "352099000000006");
    assert_true(imei_read(lab.devices[2].imei, imei));
    assert_string_equal(imei, "352099000000022");
}

// It tells the IMEISV alone: the same equipment, with the Luhn digit that the IMEI has.
static void a_terminal_that_tells_the_imeisv_is_known_by_it(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "area home 00101\n"
                 "model default imeisv-only software 99\n");
    unsigned from = 0;
    struct notification n;
    char imei[IMEI_SIZE];
    assert_true(lab_find_notification(&lab, &from, NOTIFY_FIRST_CONTACT, &n));
    assert_true(n.has_imei);
    assert_true(imei_read(n.imei, imei));
    assert_string_equal(imei, "352099000000006");
}

static void a_terminal_without_refresh_is_told_to_the_server(void **state)
{
    (void)state;
    open_running("otaria-scenario 1\n"
                 "network 00101\n"
                 "area home 00101\n"
                 "model default no-refresh\n");
    struct command enable = lab_enable(&lab, 1);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 1000);
    struct result result;
    assert_true(lab_last_result(&lab, &result));
    assert_int_equal(result.code, RESULT_TERMINAL_INCAPABLE);
}

// Whichever octet of memory the power goes at during an ENABLE: the device comes back with one of
// the two subscriptions, and the applet's memory is sound.
static void a_power_cut_at_any_write_leaves_one_subscription(void **state)
{
    (void)state;
    for (uint32_t cut = 1; cut < 600; cut += 7) {
        open_running(NULL);
        struct scenario_step fault = {.action = SCENARIO_CUT, .value = cut};
        assert_true(fleet_act(&lab.fleet, 0, &fault, lab.now));
        struct command enable = lab_enable(&lab, 1);
        (void)lab_send(&lab, 0, 0, &enable);
        lab_run(&lab, 2000000);
        assert_true(is_attached_as(0) != is_attached_as(1));
        struct applet_port port = card_port(&lab.devices[0].card);
        struct applet_dump dump;
        assert_true(applet_dump(&lab.devices[0].card.applet, &port, &dump));
        assert_false(dump.is_blocked);
        if (cut + 7 < 600)
            lab_close(&lab);
    }
}

static void two_runs_tell_the_same_story(void **state)
{
    (void)state;
    uint64_t seqs[2];
    struct fleet_counts counts[2];
    for (unsigned i = 0; i < 2; i++) {
        lab_open(&lab, 20, NULL);
        fleet_start(&lab.fleet, lab.now, 5000);
        lab_run(&lab, 3600000);
        seqs[i] = lab.radio.subscribers[38].seq;
        counts[i] = lab.fleet.counts;
        if (i == 0)
            lab_close(&lab);
    }
    assert_true(seqs[0] == seqs[1]);
    assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
    assert_int_equal(lab.fleet.attached_now, 20);
}

struct seen {
    uint32_t now_s, clocks[APPLET_CLOCKS][3];
    uint8_t command_number, bank;
    uint32_t nvm_written, bank_number, memory;
    uint64_t status_due, messages, steps;
};

static uint32_t memory_crc(const struct nvm *nvm)
{
    static uint8_t octets[NVM_LEN_MAX];
    nvm_read(nvm, 0, octets, sizeof octets);
    return crc32_add(0, bytes_of(octets, sizeof octets));
}

// Three days in which little happens, with a heartbeat every 31 hours, so that the card keeps its
// clock every hour; what is left of them in the card and its device.
static struct seen live_through_three_days(bool may_rest)
{
    lab_open(&lab, 1, NULL);
    struct device *d = &lab.devices[0];
    d->may_rest = may_rest;
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 100000);
    unsigned from = 0;
    struct notification n;
    assert_true(lab_find_notification(&lab, &from, NOTIFY_FIRST_CONTACT, &n));
    const struct command confirm = lab_confirm(n.sequence, 0);
    assert_int_equal(lab_send(&lab, 0, 0, &confirm), FLEET_ACCEPTED);
    static const uint8_t every_31_hours[] = {PARAMETER_HEARTBEAT, 2, 0, 31};
    const struct command heartbeat = {
        .number = COMMAND_CONFIGURE,
        .operation_id = 77,
        .configure = {.writes = bytes_of(every_31_hours, sizeof every_31_hours)}};
    assert_int_equal(lab_send(&lab, 0, 0, &heartbeat), FLEET_ACCEPTED);
    for (unsigned day = 0; day < 3; day++) {
        lab_run(&lab, 80000123 + day * 1000);
        const struct command audit = lab_audit();
        assert_int_equal(lab_send(&lab, 0, 0, &audit), FLEET_ACCEPTED);
        lab_run(&lab, 6400000);
    }
    device_look(d, lab.now);
    const struct applet *a = &d->card.applet;
    struct seen seen = {.now_s = a->now_s,
                        .command_number = a->command_number,
                        .bank = a->bank,
                        .bank_number = a->bank_number,
                        .nvm_written = d->card.nvm.written,
                        .memory = memory_crc(&d->card.nvm),
                        .status_due = d->status_due.ms,
                        .messages = lab.fleet.counts.mo,
                        .steps = lab.fleet.counts.steps};
    for (unsigned i = 0; i < APPLET_CLOCKS; i++) {
        seen.clocks[i][0] = a->clocks[i].left_s;
        seen.clocks[i][1] = a->clocks[i].armed_s;
        seen.clocks[i][2] = a->clocks[i].status_s;
    }
    lab_close(&lab);
    return seen;
}

static void a_device_at_rest_tells_the_same_story_in_fewer_steps(void **state)
{
    (void)state;
    const struct seen full = live_through_three_days(false);
    const struct seen rested = live_through_three_days(true);
    assert_int_equal(full.now_s, rested.now_s);
    assert_in_range(full.now_s, 258000, 260000); // ticks of 300 s
    assert_memory_equal(full.clocks, rested.clocks, sizeof full.clocks);
    assert_int_equal(full.command_number, rested.command_number);
    assert_int_equal(full.nvm_written, rested.nvm_written);
    assert_int_equal(full.bank, rested.bank);
    assert_int_equal(full.bank_number, rested.bank_number);
    assert_true(full.bank_number > 3 * 24); // it kept the clock every hour
    assert_int_equal(full.memory, rested.memory);
    assert_int_equal(full.status_due, rested.status_due);
    assert_int_equal(full.messages, rested.messages);
    assert_true(rested.steps * 20 < full.steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_at_rest_tells_the_same_story_in_fewer_steps),
        cmocka_unit_test_teardown(a_device_attaches_and_its_card_reports_first_contact, close_lab),
        cmocka_unit_test_teardown(an_enable_attaches_with_the_new_imsi_and_is_confirmed, close_lab),
        cmocka_unit_test_teardown(an_enable_without_confirmation_rolls_back, close_lab),
        cmocka_unit_test_teardown(a_device_can_start_anew_amid_a_command_of_its_card, close_lab),
        cmocka_unit_test_teardown(a_refresh_that_is_refused_three_times_is_put_back, close_lab),
        cmocka_unit_test_teardown(a_notification_that_a_device_did_not_send_comes_later, close_lab),
        cmocka_unit_test_teardown(an_absent_device_gets_nothing, close_lab),
        cmocka_unit_test_teardown(a_subscription_with_other_keys_does_not_attach, close_lab),
        cmocka_unit_test_teardown(a_register_that_is_behind_resynchronises, close_lab),
        cmocka_unit_test_teardown(a_device_that_was_refused_everywhere_waits_for_another_place,
                                  close_lab),
        cmocka_unit_test_teardown(lost_coverage_rotates_to_the_other_subscription, close_lab),
        cmocka_unit_test_teardown(timers_of_a_coarse_clock_expire_at_its_steps_only, close_lab),
        cmocka_unit_test_teardown(a_terminal_that_ignores_refresh_is_put_back, close_lab),
        cmocka_unit_test_teardown(a_terminal_that_never_answers_refresh_is_put_back, close_lab),
        cmocka_unit_test_teardown(a_card_has_one_planned_power_cut, close_lab),
        cmocka_unit_test_teardown(every_device_has_an_imei_of_its_own, close_lab),
        cmocka_unit_test_teardown(a_terminal_that_tells_the_imeisv_is_known_by_it, close_lab),
        cmocka_unit_test_teardown(a_terminal_without_refresh_is_told_to_the_server, close_lab),
        cmocka_unit_test_teardown(a_power_cut_at_any_write_leaves_one_subscription, close_lab),
        cmocka_unit_test_teardown(two_runs_tell_the_same_story, close_lab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
