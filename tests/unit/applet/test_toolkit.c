// What terminals answer, also those that answer strangely.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/toolkit.h"
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
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

// Fetches the next command; it must be of this type.
static struct cat_message fetched(enum cat_command_type type)
{
    static uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct cat_message command;
    assert_true(applet_fetch(&card.applet, &card.port, &w));
    assert_int_equal(cat_read_command(writer_bytes(&w), &command), CAT_OK);
    assert_int_equal(command.type, type);
    return command;
}

static void answered(const struct cat_message *answer)
{
    uint8_t octets[CAT_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    cat_write_response(&w, answer);
    assert_false(w.failed);
    applet_terminal_response(&card.applet, &card.port, writer_bytes(&w));
}

// The terminal is asked for one thing, and gives `answer` with what the test set in it.
static struct cat_message asked_for(uint16_t todo, enum cat_command_type type)
{
    bench_pump(&card); // timers
    card.applet.todo = todo;
    const struct cat_message command = fetched(type);
    return cat_answer(&command, CAT_DONE);
}

static void an_answer_to_nothing_is_passed_over(void **state)
{
    (void)state;
    const struct applet before = card.applet;
    applet_terminal_response(&card.applet, &card.port, bytes_of("\x01\x02", 2));
    assert_memory_equal(&before, &card.applet, sizeof before);
}

static void garbage_is_a_refusal(void **state)
{
    (void)state;
    const uint8_t period = card.applet.poll_period_s;
    (void)asked_for(TODO_POLL, CAT_POLL_INTERVAL);
    applet_terminal_response(&card.applet, &card.port, bytes_of("\x81", 1));
    assert_int_equal(card.applet.poll_period_s, period);
    assert_int_equal(card.applet.command, 0);
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
}

static void only_seconds_that_were_granted_change_the_polling(void **state)
{
    (void)state;
    static const struct {
        uint8_t result, unit, duration;
        bool has_duration;
        uint8_t period;
    } rows[] = {
        {CAT_DONE, CAT_SECONDS, 20, true, 20},  {CAT_TERMINAL_UNABLE, CAT_SECONDS, 40, true, 20},
        {CAT_DONE, CAT_MINUTES, 40, true, 20},  {CAT_DONE, CAT_SECONDS, 0, true, 20},
        {CAT_DONE, CAT_SECONDS, 40, false, 20}, {CAT_DONE, CAT_SECONDS, 255, true, 255},
        {CAT_DONE, CAT_SECONDS, 1, true, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cat_message r = asked_for(TODO_POLL, CAT_POLL_INTERVAL);
        r.result = rows[i].result;
        r.has =
            rows[i].has_duration ? r.has | CAT_HAS_DURATION : r.has & ~(uint32_t)CAT_HAS_DURATION;
        r.duration_unit = rows[i].unit;
        r.duration = rows[i].duration;
        answered(&r);
        assert_int_equal(card.applet.poll_period_s, rows[i].period);
    }
}

static void what_is_said_of_the_service_is_believed(void **state)
{
    (void)state;
    static const uint8_t no_service[] = {CAT_CAUSE_NO_SERVICE};
    static const uint8_t other[] = {0};
    static const struct {
        uint8_t result;
        const uint8_t *info;
        uint8_t service;
    } rows[] = {
        {CAT_DONE_LIMITED_SERVICE, NULL, CAT_SERVICE_LIMITED},
        {CAT_TERMINAL_UNABLE, NULL, CAT_SERVICE_LIMITED},
        {CAT_TERMINAL_UNABLE, other, CAT_SERVICE_LIMITED},
        {CAT_TYPE_UNKNOWN, no_service, CAT_SERVICE_LIMITED},
        {CAT_DONE, NULL, CAT_SERVICE_NORMAL},
        {CAT_TERMINAL_UNABLE, no_service, CAT_SERVICE_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cat_message r = asked_for(TODO_LOCATION, CAT_PROVIDE_LOCAL_INFORMATION);
        r.result = rows[i].result;
        r.result_info = bytes_of(rows[i].info, rows[i].info == NULL ? 0 : 1);
        answered(&r);
        assert_int_equal(card.applet.service, rows[i].service);
        card.applet.todo = 0;
    }
}

static void a_location_with_service_comes_with_its_network(void **state)
{
    (void)state;
    static const uint8_t germany[] = {0x62, 0xF2, 0x20};
    static const uint8_t france[] = {0x02, 0xF8, 0x10};
    struct cat_message r = asked_for(TODO_LOCATION, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_LOCATION;
    r.location = cat_location_gsm(germany, 1, 1);
    answered(&r);
    assert_memory_equal(card.applet.plmn, germany, 3);
    r = asked_for(TODO_LOCATION, CAT_PROVIDE_LOCAL_INFORMATION);
    answered(&r); // service, and not where
    assert_int_equal(card.applet.service, CAT_SERVICE_NORMAL);
    assert_memory_equal(card.applet.plmn, germany, 3);
    r = asked_for(TODO_LOCATION, CAT_PROVIDE_LOCAL_INFORMATION);
    r.result = CAT_DONE_LIMITED_SERVICE;
    r.has |= CAT_HAS_LOCATION;
    r.location = cat_location_gsm(france, 1, 1);
    answered(&r);
    assert_int_equal(card.applet.service, CAT_SERVICE_LIMITED);
    assert_memory_equal(card.applet.plmn, germany, 3); // the network that gives service counts
}

// 123456789012345 and its IMEISV with version 67; the IMEI of the latter has Luhn digit 7:
// 1+4+3+8+5+3+7+7+9+0+1+4+3+8 = 63, and 63 + 7 is a multiple of ten.
static const uint8_t imei[IMEI_LEN] = {0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54};
static const uint8_t imeisv[IMEISV_LEN] = {0x13, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x64, 0xF7};

static void tell_imei(const uint8_t *octets)
{
    struct cat_message r = asked_for(TODO_IMEI, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_IMEI;
    memcpy(r.imei, octets, sizeof r.imei);
    answered(&r);
}

static void an_imei_that_is_none_is_passed_over(void **state)
{
    (void)state;
    static const uint8_t zeros[IMEI_LEN] = {0x0A};
    static const uint8_t filler[IMEI_LEN] = {0x1A, 0x32, 0x54, 0xFF, 0x98, 0x10, 0x32, 0x54};
    static const uint8_t only_check[IMEI_LEN] = {0x0A, 0, 0, 0, 0, 0, 0, 0x50};
    static const uint8_t first_digit[IMEI_LEN] = {0x1A};
    static const uint8_t zero_first[IMEI_LEN] = {0x0A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54};
    tell_imei(zeros);
    tell_imei(only_check); // which is not of the equipment
    tell_imei(filler);
    assert_false(bench_dump(&card).image.has_imei);
    tell_imei(imei);
    assert_memory_equal(bench_dump(&card).image.imei, imei, sizeof imei);
    tell_imei(filler);
    assert_memory_equal(bench_dump(&card).image.imei, imei, sizeof imei);
    assert_false(bench_is_pending(&card, NOTIFY_IMEI_CHANGED));
    tell_imei(first_digit);
    assert_memory_equal(bench_dump(&card).image.imei, first_digit, sizeof imei);
    tell_imei(zero_first);
    assert_memory_equal(bench_dump(&card).image.imei, zero_first, sizeof imei);
}

static void an_imeisv_names_the_same_equipment(void **state)
{
    (void)state;
    static const uint8_t luhn[IMEI_LEN] = {0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x74};
    static const uint8_t damaged[IMEISV_LEN] = {0x13, 0x32, 0xF4, 0x76, 0x98,
                                                0x10, 0x32, 0x64, 0xF7};
    struct cat_message r = asked_for(TODO_IMEISV, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_IMEISV;
    memcpy(r.imeisv, damaged, sizeof r.imeisv);
    answered(&r);
    assert_false(bench_dump(&card).image.has_imei);
    r = asked_for(TODO_IMEISV, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_IMEISV;
    memcpy(r.imeisv, imeisv, sizeof r.imeisv);
    answered(&r);
    assert_memory_equal(bench_dump(&card).image.imei, luhn, sizeof luhn);
    tell_imei(imei); // the last digit is not of the equipment
    assert_memory_equal(bench_dump(&card).image.imei, luhn, sizeof luhn);
    assert_false(bench_is_pending(&card, NOTIFY_IMEI_CHANGED));
}

static void a_technology_is_told_or_stays(void **state)
{
    (void)state;
    static const uint8_t eutran[] = {8};
    struct cat_message r = asked_for(TODO_ACCESS, CAT_PROVIDE_LOCAL_INFORMATION);
    answered(&r); // nothing told
    assert_false(card.applet.has_access);
    r = asked_for(TODO_ACCESS, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_TECHNOLOGIES;
    r.technologies = bytes_of(eutran, 1);
    answered(&r);
    assert_true(card.applet.has_access);
    assert_int_equal(card.applet.access, 8);
    r = asked_for(TODO_ACCESS, CAT_PROVIDE_LOCAL_INFORMATION);
    answered(&r); // nothing told
    assert_int_equal(card.applet.access, 8);
    r = asked_for(TODO_ACCESS, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_TECHNOLOGIES;
    r.technologies = bytes_of(eutran, 0); // none
    answered(&r);
    assert_int_equal(card.applet.access, 8);
}

// What could be read of an answer that is broken behind it is not taken.
static void of_a_broken_answer_nothing_is_believed(void **state)
{
    (void)state;
    uint8_t octets[CAT_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct cat_message r = asked_for(TODO_IMEI, CAT_PROVIDE_LOCAL_INFORMATION);
    r.has |= CAT_HAS_IMEI;
    memcpy(r.imei, imei, sizeof r.imei);
    cat_write_response(&w, &r);
    writer_u8(&w, 0x14); // an object without a length
    applet_terminal_response(&card.applet, &card.port, writer_bytes(&w));
    assert_false(bench_dump(&card).image.has_imei);
    // It is no word of service either.
    bench_service(&card, CAT_SERVICE_NONE);
    (void)asked_for(TODO_LOCATION, CAT_PROVIDE_LOCAL_INFORMATION);
    applet_terminal_response(&card.applet, &card.port, bytes_of("\x81", 1));
    assert_int_equal(card.applet.service, CAT_SERVICE_NONE);
}

static void what_passed_before_the_timer_began_is_not_of_it(void **state)
{
    (void)state;
    bench_pump(&card);
    clock_set(&card.applet, CLOCK_COUNTRY, 45);
    clock_status(&card.applet);
    assert_true(card.applet.clocks[CLOCK_COUNTRY].status_s > 0);
    const struct cat_message command = fetched(CAT_TIMER_MANAGEMENT);
    const struct cat_message r = cat_answer(&command, CAT_DONE);
    answered(&r);
    assert_int_equal(card.applet.clocks[CLOCK_COUNTRY].status_s, 0);
}

static void a_terminal_without_timers_says_so(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static const uint8_t results[] = {CAT_TYPE_UNKNOWN, CAT_BEYOND_CAPABILITY};
        card.applet.terminal |= TERMINAL_TIMERS;
        clock_set(&card.applet, CLOCK_STATE, 100);
        const struct cat_message command = fetched(CAT_TIMER_MANAGEMENT);
        const struct cat_message r = cat_answer(&command, results[i]);
        answered(&r);
        assert_int_equal(card.applet.terminal & TERMINAL_TIMERS, 0);
        assert_int_equal(clock_untold(&card.applet), APPLET_CLOCKS);
        clock_stop(&card.applet, CLOCK_STATE);
    }
}

static void a_timer_refused_for_now_is_counted_by_status(void **state)
{
    (void)state;
    clock_set(&card.applet, CLOCK_COUNTRY, 45);
    const struct cat_message command = fetched(CAT_TIMER_MANAGEMENT);
    const struct cat_message r = cat_answer(&command, CAT_TERMINAL_UNABLE);
    answered(&r);
    assert_true((card.applet.terminal & TERMINAL_TIMERS) != 0);
    assert_int_equal(applet_pending(&card.applet, &card.port), 0); // not asked again
    card.applet.poll_period_s = 30;
    bench_statuses(&card, 2); // 60 s: less than one and a half times 45 s
    assert_true(clock_is_on(&card.applet, CLOCK_COUNTRY));
    bench_statuses(&card, 1);
    assert_false(clock_is_on(&card.applet, CLOCK_COUNTRY));
}

static void the_events_asked_for_are_those_that_the_terminal_knows(void **state)
{
    (void)state;
    static const struct {
        uint16_t knows;
        uint8_t count;
        uint8_t events[3];
    } rows[] = {
        {TERMINAL_EVENTS, 1, {CAT_EVENT_LOCATION_STATUS}},
        {TERMINAL_EVENTS | TERMINAL_ACCESS,
         2,
         {CAT_EVENT_LOCATION_STATUS, CAT_EVENT_TECHNOLOGY_CHANGE}},
        {TERMINAL_EVENTS | TERMINAL_REJECTION,
         2,
         {CAT_EVENT_LOCATION_STATUS, CAT_EVENT_NETWORK_REJECTION}},
        {TERMINAL_EVENTS | TERMINAL_ACCESS | TERMINAL_REJECTION,
         3,
         {CAT_EVENT_LOCATION_STATUS, CAT_EVENT_TECHNOLOGY_CHANGE, CAT_EVENT_NETWORK_REJECTION}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        card.applet.terminal = rows[i].knows;
        card.applet.todo = TODO_EVENTS;
        const struct cat_message command = fetched(CAT_SET_UP_EVENT_LIST);
        assert_int_equal(command.events.len, rows[i].count);
        assert_memory_equal(command.events.at, rows[i].events, rows[i].count);
        const struct cat_message r = cat_answer(&command, CAT_DONE);
        answered(&r);
    }
}

static void refused_events_are_made_up_for_by_asking_with_each_status(void **state)
{
    (void)state;
    struct cat_message r = asked_for(TODO_EVENTS, CAT_SET_UP_EVENT_LIST);
    r.result = CAT_TERMINAL_UNABLE;
    answered(&r);
    applet_status(&card.applet, &card.port);
    r = fetched(CAT_PROVIDE_LOCAL_INFORMATION);
    assert_int_equal(r.qualifier, CAT_INFORMATION_LOCATION);
}

static void a_command_without_answer_is_given_up(void **state)
{
    (void)state;
    card.applet.poll_period_s = 60;
    (void)asked_for(TODO_POLL, CAT_POLL_INTERVAL);
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.command, CAT_POLL_INTERVAL);
    assert_int_equal(applet_pending(&card.applet, &card.port), 0); // one at a time
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.command, 0);
}

static void without_events_every_status_asks_where_the_terminal_is(void **state)
{
    (void)state;
    card.applet.terminal = TERMINAL_LOCATION;
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.todo, TODO_LOCATION);
    card.applet.todo = 0;
    card.applet.is_profiled = false;
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.todo, 0);
    card.applet.is_profiled = true;
    card.applet.terminal = TERMINAL_SEND_SMS;
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.todo, 0);
    card.applet.terminal = TERMINAL_EVENTS | TERMINAL_LOCATION;
    applet_status(&card.applet, &card.port);
    assert_int_equal(card.applet.todo, 0);
}

static void nothing_is_asked_before_the_profile_or_of_a_dead_card(void **state)
{
    (void)state;
    uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    card.applet.todo = TODO_POLL;
    card.applet.is_profiled = false;
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_false(applet_fetch(&card.applet, &card.port, &w));
    card.applet.is_profiled = true;
    card.applet.is_dead = true;
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    const struct applet before = card.applet;
    applet_status(&card.applet, &card.port);
    assert_memory_equal(&before, &card.applet, sizeof before);
    applet_rejection(&card.applet, &card.port, NULL, 3); // illegal MS
    assert_false(card.applet.is_cause_final);
    card.applet.is_dead = false;
    assert_true(applet_pending(&card.applet, &card.port) > 0);
    struct writer small = writer_of(octets, 3);
    assert_false(applet_fetch(&card.applet, &card.port, &small));
    assert_int_equal(card.applet.command, 0); // it still waits
    assert_true(applet_fetch(&card.applet, &card.port, &w));
}

// One that waits: the terminal cannot send while it comes about.
static void new_notification(void)
{
    const uint16_t terminal = card.applet.terminal;
    card.applet.terminal = (uint16_t)(terminal & ~TERMINAL_SEND_SMS);
    static const uint8_t other[IMEI_LEN] = {0x3A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54};
    tell_imei(imei);
    tell_imei(other);
    bench_pump(&card);
    card.applet.terminal = terminal;
    assert_true(bench_is_pending(&card, NOTIFY_IMEI_CHANGED));
}

static void without_a_counter_left_nothing_is_sent(void **state)
{
    (void)state;
    new_notification();
    const unsigned before = card.sent_count;
    const uint64_t counter = card.applet.mo_counter;
    card.applet.mo_counter = SECURED_CNTR_MAX;
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    card.applet.mo_counter = counter;
    assert_int_equal(card.sent_count, before);
    bench_pump(&card);
    assert_int_equal(card.sent_count, before + 1);
}

static void without_an_address_a_notification_is_given_up_for_now(void **state)
{
    (void)state;
    new_notification();
    static const uint8_t no_number[] = {0x91, 0xFF, 0x21, 0x43};
    assert_true(memory_load(&card.applet, &card.port));
    memcpy(card.work.image.parameters.server_address, no_number, sizeof no_number);
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    assert_int_equal(card.applet.sending.kind, SENDING_NONE);
    memory_release(&card.port);
    assert_true(bench_is_pending(&card, NOTIFY_IMEI_CHANGED)); // and stays for the next time
}

static void a_card_at_rest_has_nothing_to_do(void **state)
{
    (void)state;
    bench_pump(&card);
    struct applet *a = &card.applet;
    assert_true(applet_is_at_rest(a));
    const struct applet rest = *a;
    a->is_profiled = false;
    assert_false(applet_is_at_rest(a));
    *a = rest;
    a->is_dead = true;
    assert_false(applet_is_at_rest(a));
    *a = rest;
    a->terminal = (uint16_t)(rest.terminal & ~TERMINAL_EVENTS);
    assert_false(applet_is_at_rest(a));
    a->terminal = (uint16_t)(rest.terminal & ~TERMINAL_TIMERS);
    assert_false(applet_is_at_rest(a));
    *a = rest;
    a->is_by_status = true;
    assert_false(applet_is_at_rest(a));
    *a = rest;
    a->command = CAT_REFRESH;
    assert_false(applet_is_at_rest(a));
    *a = rest;
    a->fired = 1;
    assert_false(applet_is_at_rest(a));
    *a = rest;
    a->todo = TODO_POLL;
    assert_false(applet_is_at_rest(a));
    *a = rest;
}

// STATUS commands that only pass the time count for every clock that runs, and no further than the
// one that they would end.
static void periods_at_rest_count_for_the_clocks(void **state)
{
    (void)state;
    bench_pump(&card);
    struct applet *a = &card.applet;
    a->poll_period_s = 30;
    for (uint8_t i = 0; i < CLOCK_SLOW; i++)
        clock_stop(a, (enum applet_clock_use)i);
    a->clocks[CLOCK_SLOW].status_s = 0;
    assert_int_equal(applet_rest_status(a, 3), 3);
    assert_int_equal(a->clocks[CLOCK_SLOW].status_s, 90);
    assert_int_equal(a->clocks[CLOCK_STATE].status_s, 0);
    assert_int_equal(applet_rest_status(a, 100), 11); // 420 s of 450
    assert_int_equal(a->clocks[CLOCK_SLOW].status_s, 420);
}

// The tick is spared only where it is nothing but a tick.
static void a_tick_with_more_to_it_is_done_in_full(void **state)
{
    (void)state;
    bench_pump(&card);
    struct applet *a = &card.applet;
    struct applet_clock *slow = &a->clocks[CLOCK_SLOW];
    const struct applet rest = *a;
    a->due_s = 0;
    assert_int_equal(applet_rest_ticks(a, 1, 10, false), 1);
    assert_int_equal(a->now_s, rest.now_s + APPLET_TICK_S);
    *a = rest;
    a->due_s = a->now_s + APPLET_TICK_S;
    assert_int_equal(applet_rest_ticks(a, 1, 10, false), 0);
    a->due_s++;
    assert_int_equal(applet_rest_ticks(a, 1, 10, false), 1);
    *a = rest;
    a->due_s = 0;
    slow->is_told = false;
    assert_int_equal(applet_rest_ticks(a, 1, 10, false), 0);
    *a = rest;
    a->due_s = 0;
    slow->left_s--;
    assert_int_equal(applet_rest_ticks(a, 1, 10, false), 0);
    *a = rest;
    a->due_s = 0;
    slow->armed_s++;
    assert_int_equal(applet_rest_ticks(a, 1, 10, false), 0);
    *a = rest;
}

// Ten ticks are 3,000 s; the clock is kept every 3,600 s from the commit at 1,000 s on.
static void ticks_are_spared_up_to_the_one_that_matters(void **state)
{
    (void)state;
    bench_pump(&card);
    struct applet *a = &card.applet;
    a->now_s = 1900;
    a->state = SWITCH_STABLE;
    a->keep_s = 3600;
    a->due_s = 4600;
    a->busy_s = 13000;
    for (uint8_t i = 0; i < CLOCK_SLOW; i++)
        a->clocks[i].left_s = 0;
    const struct applet rest = *a;
    assert_int_equal(applet_rest_ticks(a, 9, 10, false), 8); // 1900 + 9 * 300 = 4600
    assert_int_equal(a->now_s, 4300);
    assert_int_equal(a->kept, 0);
    *a = rest;
    a->command_number = 250;
    assert_int_equal(applet_rest_ticks(a, 100, 10, true), 36); // 1900 + 37 * 300 = 13000
    assert_int_equal(a->now_s, 12700);
    assert_int_equal(a->kept, 3); // at 4600, 8200 and 11800
    assert_int_equal(a->kept_s, 11800);
    assert_int_equal(a->due_s, 13000);
    assert_int_equal(a->command_number, 32); // 254 is followed by 1
    *a = rest;
    a->state = SWITCH_SUSPECT; // where a new day means something
    assert_int_equal(applet_rest_ticks(a, 100, 10, true), 8);
    *a = rest;
    a->clocks[CLOCK_COUNTRY].left_s = 1000;
    assert_int_equal(applet_rest_ticks(a, 100, 10, true), 1);
    *a = rest;
    a->poll_period_s = 45; // ten of them are half as much again as a tick
    assert_int_equal(applet_rest_ticks(a, 100, 10, true), 1);
    assert_int_equal(applet_rest_ticks(a, 100, 9, true), 35);
}

// Clocks longer than a terminal's timer run in pieces of half a day.
static void clocks_tell_how_long_they_still_run(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    struct applet_clock *c = &a->clocks[CLOCK_STATE];
    static const uint32_t pieces[][2] = {{0, 0},         {1, 1},         {43199, 43199},
                                         {43200, 43200}, {43201, 43200}, {UINT32_MAX, 43200}};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        clock_set(a, CLOCK_STATE, pieces[i][0]);
        assert_int_equal(clock_piece(a, CLOCK_STATE), pieces[i][1]);
    }
    // 100 s may last 150 s: 4 periods of 30 s are less, 5 are not.
    clock_set(a, CLOCK_STATE, 100);
    a->poll_period_s = 30;
    assert_int_equal(clock_patience(a, CLOCK_STATE), 4);
    c->status_s = 149;
    assert_int_equal(clock_patience(a, CLOCK_STATE), 0);
    assert_int_equal(clock_elapsed(a, CLOCK_STATE), 100);
    c->status_s = 150;
    assert_int_equal(clock_patience(a, CLOCK_STATE), 0);
    c->status_s = 99;
    assert_int_equal(clock_elapsed(a, CLOCK_STATE), 99);
    a->poll_period_s = 0;
    assert_int_equal(clock_patience(a, CLOCK_STATE), UINT32_MAX);
    // Set anew, a clock that was over is over no more, and no other is touched.
    a->fired = 1u << CLOCK_STATE | 1u << CLOCK_NOTIFY | 1u << CLOCK_COUNTRY;
    clock_set(a, CLOCK_NOTIFY, 60);
    assert_int_equal(a->fired, 1u << CLOCK_STATE | 1u << CLOCK_COUNTRY);
    clock_set(a, CLOCK_NOTIFY, 0);
    assert_int_equal(a->fired, 1u << CLOCK_STATE | 1u << CLOCK_NOTIFY | 1u << CLOCK_COUNTRY);
    clock_stop(a, CLOCK_COUNTRY);
    assert_int_equal(a->fired, 1u << CLOCK_STATE | 1u << CLOCK_NOTIFY);
    a->fired = 0;
    // Counted by STATUS, the terminal is told of none.
    assert_int_equal(clock_untold(a), CLOCK_STATE);
    a->is_by_status = true;
    assert_int_equal(clock_untold(a), APPLET_CLOCKS);
    a->is_by_status = false;
    clock_stop(a, CLOCK_STATE);
}

// 97 s may last 145.5 s: 29 periods of 5 s are less, the 30th is not.
static void patience_ends_with_one_and_a_half_times_the_length(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    a->poll_period_s = 5;
    clock_set(a, CLOCK_STATE, 97);
    assert_int_equal(clock_patience(a, CLOCK_STATE), 29);
    for (unsigned i = 0; i < 29; i++)
        clock_status(a);
    assert_true(clock_is_on(a, CLOCK_STATE));
    clock_status(a);
    assert_false(clock_is_on(a, CLOCK_STATE));
}

static void a_clock_that_is_off_is_never_over(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++)
        clock_stop(a, (enum applet_clock_use)i);
    for (unsigned by_status = 0; by_status < 2; by_status++) {
        a->is_by_status = by_status == 1;
        clock_status(a);
        assert_int_equal(a->fired, 0);
    }
    clock_timer(a, CLOCK_NOTIFY);
    assert_int_equal(a->fired, 0);
    // A clock that the terminal was not told of has no timer either.
    clock_set(a, CLOCK_NOTIFY, 60);
    clock_timer(a, CLOCK_NOTIFY);
    assert_int_equal(a->clocks[CLOCK_NOTIFY].left_s, 60);
    a->is_by_status = false;
    a->poll_period_s = 30;
    clock_set(a, CLOCK_NOTIFY, 1); // 1 s is on
    clock_status(a);
    assert_int_equal(a->fired, 1u << CLOCK_NOTIFY);
}

static void there_are_no_more_clocks(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    uint8_t *const behind = (uint8_t *)(a->clocks + APPLET_CLOCKS);
    const size_t len = (size_t)((uint8_t *)(&a->answer + 1) - behind);
    uint8_t before[sizeof a->answer + 16];
    assert_true(len <= sizeof before);
    memset(behind, 0xFF, len);
    memset(before, 0xFF, len);
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++)
        clock_stop(a, (enum applet_clock_use)i);
    clock_timer(a, APPLET_CLOCKS);
    clock_status(a);
    assert_int_equal(a->fired, 0);
    assert_memory_equal(behind, before, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(patience_ends_with_one_and_a_half_times_the_length, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_is_off_is_never_over, setup, teardown),
        cmocka_unit_test_setup_teardown(of_a_broken_answer_nothing_is_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_passed_before_the_timer_began_is_not_of_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(there_are_no_more_clocks, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_to_nothing_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_is_a_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(only_seconds_that_were_granted_change_the_polling, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_said_of_the_service_is_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_location_with_service_comes_with_its_network, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_imei_that_is_none_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(an_imeisv_names_the_same_equipment, setup, teardown),
        cmocka_unit_test_setup_teardown(a_technology_is_told_or_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_terminal_without_timers_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_refused_for_now_is_counted_by_status, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_events_asked_for_are_those_that_the_terminal_knows,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(refused_events_are_made_up_for_by_asking_with_each_status,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_without_answer_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(without_events_every_status_asks_where_the_terminal_is,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_asked_before_the_profile_or_of_a_dead_card,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_counter_left_nothing_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(without_an_address_a_notification_is_given_up_for_now,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_card_at_rest_has_nothing_to_do, setup, teardown),
        cmocka_unit_test_setup_teardown(periods_at_rest_count_for_the_clocks, setup, teardown),
        cmocka_unit_test_setup_teardown(clocks_tell_how_long_they_still_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tick_with_more_to_it_is_done_in_full, setup, teardown),
        cmocka_unit_test_setup_teardown(ticks_are_spared_up_to_the_one_that_matters, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
