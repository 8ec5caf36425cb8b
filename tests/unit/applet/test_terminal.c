// What a card takes from its terminal: the profile, where it is, what the network says, timers.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/rules.h"
#include "applet/toolkit.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&card);
    return 0;
}

// --- the profile ---

static void profile(const enum cat_feature *features, size_t count)
{
    uint8_t octets[32] = {0};
    for (size_t i = 0; i < count; i++)
        cat_profile_set(octets, sizeof octets, features[i], true);
    applet_profile(&card.applet, &card.port, bytes_of(octets, sizeof octets));
}

// Bits as in an audit's answer (docs/applet-protocol.md, 4.1); what is asked in that order.
static void a_profile_says_what_can_be_asked(void **state)
{
    (void)state;
    static const struct {
        enum cat_feature features[3];
        uint16_t terminal, todo;
        uint8_t count;
    } rows[] = {
        {{0}, 0x8000, 0, 0},
        {{CAT_FEATURE_POLL_INTERVAL}, 0x0004, TODO_POLL, 1},
        {{CAT_FEATURE_REFRESH}, 0x8008, 0, 1},
        {{CAT_FEATURE_SEND_SHORT_MESSAGE}, 0x8010, 0, 1},
        {{CAT_FEATURE_LOCATION_AND_IMEI}, 0x8020, TODO_LOCATION | TODO_IMEI, 1},
        {{CAT_FEATURE_IMEISV}, 0x8000, TODO_IMEISV, 1},
        {{CAT_FEATURE_LOCATION_AND_IMEI, CAT_FEATURE_IMEISV}, 0x8020, TODO_LOCATION | TODO_IMEI, 2},
        {{CAT_FEATURE_TECHNOLOGY}, 0x8040, TODO_ACCESS, 1},
        {{CAT_FEATURE_EVENT_REJECTION_UTRAN}, 0x8080, 0, 1},
        {{CAT_FEATURE_EVENT_REJECTION_EUTRAN}, 0x8080, 0, 1},
        {{CAT_FEATURE_DATE_TIME}, 0x8100, 0, 1},
        {{CAT_FEATURE_SET_UP_EVENT_LIST}, 0x8000, 0, 1},
        {{CAT_FEATURE_EVENT_LOCATION_STATUS}, 0x8000, 0, 1},
        {{CAT_FEATURE_SET_UP_EVENT_LIST, CAT_FEATURE_EVENT_LOCATION_STATUS},
         0x0001,
         TODO_EVENTS,
         2},
        {{CAT_FEATURE_TIMER_START_STOP}, 0x8000, 0, 1},
        {{CAT_FEATURE_TIMER_EXPIRATION}, 0x8000, 0, 1},
        {{CAT_FEATURE_TIMER_START_STOP, CAT_FEATURE_TIMER_EXPIRATION}, 0x8002, 0, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        card.applet.todo = TODO_REFRESH; // has nothing to do with the profile
        card.applet.is_profiled = false;
        clock_stop(&card.applet, CLOCK_SLOW);
        profile(rows[i].features, rows[i].count);
        assert_int_equal(card.applet.terminal, rows[i].terminal);
        assert_int_equal(card.applet.todo, rows[i].todo | TODO_REFRESH);
        assert_true(card.applet.is_profiled);
        assert_int_equal(card.applet.clocks[CLOCK_SLOW].left_s, 300);
    }
}

static void the_last_profile_counts(void **state)
{
    (void)state;
    card.applet.todo = 0xFF;
    profile(NULL, 0);
    assert_int_equal(card.applet.todo, 0xC0); // no events, polls, queries
    card.applet.is_dead = true;
    card.applet.is_profiled = false;
    static const enum cat_feature polls[] = {CAT_FEATURE_POLL_INTERVAL};
    profile(polls, 1);
    assert_false(card.applet.is_profiled);
    assert_int_equal(card.applet.terminal, 0x8000);
}

// Nobody chooses another subscription for a terminal that has not said what it can.
static void before_its_profile_a_terminal_can_nothing(void **state)
{
    (void)state;
    applet_start(&card.applet, &card.port);
    assert_int_equal(card.applet.terminal, 0x8000);
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    card.applet.poll_period_s = 200;
    for (unsigned i = 0; i < 4; i++)
        applet_status(&card.applet, &card.port); // T_NOSERVICE twice over
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
    assert_int_equal(bench_enabled(&card), 0);
}

// --- where it is ---

static void at(uint8_t first, uint8_t second, uint8_t third)
{
    const uint8_t plmn[] = {first, second, third};
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, plmn);
    bench_pump(&card);
}

static uint32_t country_left_s(void)
{
    return card.applet.clocks[CLOCK_COUNTRY].left_s;
}

// A country must be seen for T_COUNTRY, 120 s; networks are MCC 2, MCC 1 | MNC 3, MCC 3 | MNC 2,
// MNC 1 [24.008 10.5.1.3].
static void a_country_counts_once_it_was_seen_long_enough(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    at(0x00, 0xF1, 0x10);
    assert_true(a->has_plmn);
    assert_int_equal(country_left_s(), 120);
    // Another network of the country does not begin anew, whatever the third digit of its MNC.
    bench_statuses(&card, 2);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].status_s, 60);
    at(0x00, 0x31, 0x10);
    assert_memory_equal(a->plmn, "\x00\x31\x10", 3);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].status_s, 60);
    at(0x00, 0x31, 0x20);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].status_s, 60);
    assert_false(a->is_country_stable);
    // Another country does, told by any digit of its code.
    static const uint8_t abroad[][3] = {{0x00, 0x32, 0x20}, {0x10, 0x32, 0x20}, {0x11, 0x32, 0x20}};
    for (size_t i = 0; i < 3; i++) {
        bench_run_out(&card, CLOCK_COUNTRY);
        assert_true(a->is_country_stable);
        assert_int_equal(country_left_s(), 0);
        at(abroad[i][0], abroad[i][1], abroad[i][2]);
        assert_false(a->is_country_stable);
        assert_int_equal(country_left_s(), 120);
        bench_statuses(&card, 1);
        assert_int_equal(a->clocks[CLOCK_COUNTRY].status_s, 30);
    }
    // While it is counted, another country begins anew, too.
    at(0x11, 0x31, 0x20);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].status_s, 0);
    bench_statuses(&card, 1);
    at(0x00, 0x31, 0x20);
    assert_int_equal(a->clocks[CLOCK_COUNTRY].status_s, 0);
    at(0x00, 0xF1, 0x10);
    // Once it counts, the same network changes nothing, and another one of the country is seen
    // anew.
    bench_run_out(&card, CLOCK_COUNTRY);
    bench_service(&card, CAT_SERVICE_LIMITED);
    at(0x00, 0xF1, 0x10);
    assert_true(a->is_country_stable);
    assert_int_equal(country_left_s(), 0);
    at(0x00, 0xF1, 0x20);
    assert_false(a->is_country_stable);
    assert_int_equal(country_left_s(), 120);
}

static void where_there_is_no_service_nobody_is(void **state)
{
    (void)state;
    applet_location(&card.applet, &card.port, CAT_SERVICE_LIMITED, card.plmn);
    assert_false(card.applet.has_plmn);
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, NULL);
    assert_false(card.applet.has_plmn);
    assert_int_equal(country_left_s(), 0);
}

// A card at rest is told of its place all the time.
static void the_same_service_in_the_same_place_costs_no_look_at_the_memory(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    memory_release(&card.port);
    card.reads = 0;
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, card.plmn);
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, NULL);
    assert_int_equal(card.reads, 0);
    at(0x00, 0xF1, 0x20);
    assert_memory_equal(card.applet.plmn, "\x00\xF1\x20", 3);
    applet_location(&card.applet, &card.port, CAT_SERVICE_LIMITED, NULL);
    assert_int_equal(card.applet.state, SWITCH_SUSPECT);
}

// What could not be kept is done when the same is told once more.
static void a_first_service_that_cannot_be_kept_counts_the_next_time(void **state)
{
    (void)state;
    card.writes = 0;
    card.fail_at = 1;
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, card.plmn);
    assert_int_equal(card.applet.state, SWITCH_STARTING);
    assert_true(card.applet.has_service);
    assert_int_equal(card.applet.service, CAT_SERVICE_NORMAL);
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, card.plmn);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
    assert_true(bench_is_pending(&card, NOTIFY_FIRST_CONTACT));
}

static void a_dead_card_is_nowhere(void **state)
{
    (void)state;
    bench_pump(&card);
    assert_true(card.applet.clocks[CLOCK_SLOW].is_told);
    card.applet.is_dead = true;
    const struct applet before = card.applet;
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, card.plmn);
    applet_timer(&card.applet, &card.port, CLOCK_SLOW + 1);
    assert_memory_equal(&card.applet, &before, sizeof before);
}

// --- what the network says ---

static void three_causes_condemn_a_subscription(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NORMAL);
    for (unsigned cause = 0; cause < 256; cause++) {
        card.applet.is_cause_final = false;
        card.applet.has_reject = false;
        applet_rejection(&card.applet, &card.port, NULL, (uint8_t)cause);
        assert_true(card.applet.has_reject);
        assert_int_equal(card.applet.reject, cause);
        const bool condemns = cause == 2 || cause == 3 || cause == 8; // [24.008 annex G]
        assert_int_equal(card.applet.is_cause_final, condemns);
    }
    card.applet.is_cause_final = true;
    // Without service it ends the wait for service; service takes it back.
    applet_location(&card.applet, &card.port, CAT_SERVICE_LIMITED, NULL);
    assert_int_equal(card.applet.wait, WAIT_JITTER);
    card.applet.is_cause_final = true;
    applet_location(&card.applet, &card.port, CAT_SERVICE_NORMAL, NULL);
    assert_false(card.applet.is_cause_final);
}

static void an_event_is_taken_for_what_it_is(void **state)
{
    (void)state;
    struct cat_message m = cat_location_event(CAT_SERVICE_NORMAL, NULL);
    applet_event(&card.applet, &card.port, CAT_SMS_PP_DOWNLOAD, &m);
    assert_false(card.applet.has_service);
    m.has &= ~(uint32_t)CAT_HAS_LOCATION_STATUS;
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_false(card.applet.has_service);
    m.has |= CAT_HAS_LOCATION_STATUS;
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_true(card.applet.has_service);
    assert_false(card.applet.has_plmn);
    struct cat_location place = cat_location_gsm(card.plmn, 1, 1);
    m = cat_location_event(CAT_SERVICE_NORMAL, &place);
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_memory_equal(card.applet.plmn, card.plmn, 3);
    bench_pump(&card);
    m = (struct cat_message){.timer = CLOCK_COUNTRY + 1};
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_int_equal(country_left_s(), 120);
    applet_event(&card.applet, &card.port, CAT_TIMER_EXPIRATION, &m);
    assert_int_equal(country_left_s(), 0);
}

static void a_rejection_is_one_with_a_cause(void **state)
{
    (void)state;
    static const uint8_t rejection[] = {CAT_EVENT_NETWORK_REJECTION};
    struct cat_message m = cat_location_event(CAT_SERVICE_NORMAL, NULL);
    m.events = bytes_of(rejection, 1);
    m.rejection_cause = 15;
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_false(card.applet.has_reject);
    m.has |= CAT_HAS_REJECTION_CAUSE;
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_true(card.applet.has_reject);
    assert_int_equal(card.applet.reject, 15);
}

static void a_timer_that_is_none_ends_no_clock(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct applet before = card.applet;
    applet_timer(&card.applet, &card.port, 0);
    applet_timer(&card.applet, &card.port, CLOCK_SLOW + 2);
    assert_memory_equal(&card.applet, &before, sizeof before);
}

// --- the file of the IMSI ---

static void the_imsi_file_tells_of_a_start_only_while_a_switch_is_open(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    card.applet.terminal_slot = 3;
    applet_imsi_read(&card.applet, &card.port);
    assert_int_equal(card.applet.terminal_slot, 3);
    assert_true(card.applet.has_service);
}

// What was said of the former subscription says nothing of the new one.
static void a_terminal_that_reads_the_new_imsi_knows_nothing_yet(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    static const uint8_t mode[] = {PARAMETER_REFRESH_MODE, 1, 3};
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    bench_set(&card, mode, sizeof mode);
    card.ignores_refresh = true;
    bench_enable(&card, 2);
    assert_int_equal(a->state, SWITCH_PROBATION);
    assert_int_equal(a->terminal_slot, 0);
    a->is_cause_final = true;
    a->todo = 0;
    applet_imsi_read(a, &card.port);
    assert_int_equal(a->terminal_slot, 1);
    assert_false(a->has_service);
    assert_false(a->is_cause_final);
    assert_int_equal(a->todo, TODO_LOCATION);
    // Reading it again tells nothing.
    a->has_service = true;
    a->service = CAT_SERVICE_LIMITED;
    a->is_cause_final = true;
    a->todo = 0;
    applet_imsi_read(a, &card.port);
    assert_true(a->has_service);
    assert_true(a->is_cause_final);
    assert_int_equal(a->todo, 0);
    // A terminal that does not tell where it is, is not asked.
    a->terminal = (uint16_t)(a->terminal & ~TERMINAL_LOCATION);
    a->terminal_slot = 0;
    applet_imsi_read(a, &card.port);
    assert_false(a->has_service);
    assert_int_equal(a->todo, 0);
}

// The REFRESH was fetched, and no answer came: reading the file is the answer.
static void reading_the_imsi_is_taking_the_refresh(void **state)
{
    (void)state;
    struct applet *a = &card.applet;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    applet_imsi_read(a, &card.port); // before the switch
    assert_int_equal(a->state, SWITCH_SWITCHING);
    assert_int_equal(a->wait, WAIT_PAUSE);
    assert_true(a->has_service);
    assert_int_equal(a->terminal_slot, 0);
    applet_timer(a, &card.port, CLOCK_STATE + 1);
    assert_int_equal(a->wait, WAIT_FETCH);
    applet_imsi_read(a, &card.port); // no REFRESH was fetched yet
    assert_int_equal(a->state, SWITCH_SWITCHING);
    uint8_t octets[APPLET_COMMAND_MAX];
    for (unsigned i = 0; i < 20 && a->command != CAT_REFRESH; i++) {
        struct writer w = writer_of(octets, sizeof octets);
        a->command = 0;
        for (uint8_t n = 0; n < APPLET_CLOCKS; n++)
            a->clocks[n].is_told = true;
        assert_true(applet_fetch(a, &card.port, &w));
    }
    assert_int_equal(a->wait, WAIT_TAKE);
    assert_int_equal(a->clocks[CLOCK_STATE].left_s, 60);
    applet_imsi_read(a, &card.port);
    assert_int_equal(a->state, SWITCH_PROBATION);
}

// --- what is shown of the card ---

static void the_files_are_those_of_the_enabled_subscription(void **state)
{
    (void)state;
    struct applet_subscription s;
    card.templates[1].number = 7;
    assert_true(applet_subscription(&card.applet, &card.port, &s));
    assert_int_equal(s.slot_index, 0);
    assert_memory_equal(s.slot.imsi, card.subscriptions[0].imsi, sizeof s.slot.imsi);
    assert_int_equal(s.slot.keys.k.len, 16);
    assert_ptr_equal(s.from, &card.templates[0]);
    assert_int_equal(s.generation, applet_generation(&card.applet));
    const uint32_t former = s.generation;
    card.templates[0].number = 9;
    card.templates[1].number = 1;
    assert_true(applet_subscription(&card.applet, &card.port, &s));
    assert_ptr_equal(s.from, &card.templates[1]);
    card.factory.template_count = 1; // one that the factory does not count is none
    assert_true(applet_subscription(&card.applet, &card.port, &s));
    assert_null(s.from);
    card.factory.template_count = 2;
    card.templates[0].number = 1;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_settle_on(&card, 2);
    assert_true(applet_subscription(&card.applet, &card.port, &s));
    assert_int_equal(s.slot_index, 1);
    assert_int_equal(s.generation, applet_generation(&card.applet));
    assert_int_equal(s.generation, former + 1);
}

static void what_is_dumped_has_no_keys(void **state)
{
    (void)state;
    static const struct network_keys none;
    card.applet.is_blocked = true;
    card.applet.mt_counter = 5;
    card.applet.mo_counter = 6;
    struct applet_dump d;
    assert_true(applet_dump(&card.applet, &card.port, &d));
    assert_true(d.is_blocked);
    assert_int_equal(d.mt_counter, 5);
    assert_int_equal(d.mo_counter, 6);
    assert_int_equal(d.terminal, card.applet.terminal);
    assert_int_equal(d.image.slots[1].state, SLOT_DISABLED);
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++)
        assert_memory_equal(&d.image.slots[i].keys, &none, sizeof none);
}

// --- messages in parts ---

static unsigned lent;
static unsigned given_back;

static struct sms_joiner *lend(void *context, bool wanted)
{
    struct bench_card *b = context;
    lent += wanted;
    given_back += !wanted;
    return wanted ? &b->joiner : NULL;
}

static struct sms_joiner *lend_none(void *context, bool wanted)
{
    (void)context;
    lent += wanted;
    return NULL;
}

// A command in two messages; afterwards the last one stands in `card.last_tpdu`.
static const struct sent *in_two_messages(void)
{
    uint8_t list[2 + 10 * 13] = {PARAMETER_COUNTRY_TABLE, 10 * 13};
    for (unsigned row = 0; row < 10; row++) {
        uint8_t *to = list + 2 + row * 13;
        memcpy(to, (uint8_t[]){0x62, 0xF2, (uint8_t)(0x10 * row)}, 3);
        bench_imsi(2, to + 3);
        to[12] = COUNTRY_FORBID;
    }
    struct command c = bench_configure(&card, bytes_of(list, sizeof list), bytes_of(NULL, 0));
    return bench_command(&card, &c);
}

// The last part again, as one of so many: 00 03 reference total number [23.040 §9.2.3.24.1].
static const struct sent *deliver_part_of(uint8_t total)
{
    for (size_t i = 0; i + 5 <= card.last_tpdu_len; i++) {
        if (memcmp(card.last_tpdu + i, "\x00\x03", 2) == 0 && card.last_tpdu[i + 4] == 2) {
            card.last_tpdu[i + 3] = total;
            return bench_again(&card);
        }
    }
    fail_msg("no part of several");
    return NULL;
}

static void parts_wait_a_minute_in_memory_that_is_lent(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    card.port.joiner = lend;
    lent = given_back = 0;
    memset(&card.joiner, 0xA5, sizeof card.joiner); // as it comes
    assert_int_equal(in_two_messages()->result.code, RESULT_OK);
    assert_int_equal(lent, 2);
    assert_int_equal(given_back, 1);
    assert_false(card.applet.is_joining);
    assert_false(clock_is_on(&card.applet, CLOCK_JOIN));
    // The second part again, alone.
    assert_null(bench_again(&card));
    assert_int_equal(given_back, 1);
    assert_true(card.applet.is_joining);
    assert_int_equal(card.applet.clocks[CLOCK_JOIN].left_s, 60);
    assert_int_equal(card.applet.failures_in_row, 0); // a part is no packet
    // One that cannot be joined gives the others no more time.
    bench_statuses(&card, 1);
    assert_int_equal(card.applet.clocks[CLOCK_JOIN].status_s, 30);
    assert_null(deliver_part_of(9));
    assert_int_equal(card.applet.clocks[CLOCK_JOIN].status_s, 30);
    assert_null(deliver_part_of(2));
    assert_true(card.applet.is_joining);
    bench_run_out(&card, CLOCK_JOIN);
    assert_int_equal(given_back, 2);
    assert_false(card.applet.is_joining);
    assert_false(clock_is_on(&card.applet, CLOCK_JOIN));
    // A start forgets what waits.
    assert_null(bench_again(&card));
    applet_start(&card.applet, &card.port);
    assert_int_equal(given_back, 3);
    assert_false(card.applet.is_joining);
    // A dead card asks for no memory.
    lent = 0;
    card.applet.is_dead = true;
    uint8_t octets[140];
    struct writer report = writer_of(octets, sizeof octets);
    assert_int_equal(
        applet_sms(&card.applet, &card.port, bytes_of(card.last_tpdu, card.last_tpdu_len), &report),
        APPLET_SMS_ACCEPTED);
    assert_int_equal(lent, 0);
}

// A response packet is for a server, and no failure of anybody to know the card's keys.
static void a_joined_packet_that_is_no_command_is_passed_over(void **state)
{
    (void)state;
    const struct sms_address sender = {.digit_count = 4, .type = 0x91, .octets = {0x21, 0x43}};
    const uint8_t time[SMS_TIME_LEN] = {0};
    const uint8_t packet[200] = {0};
    const struct sms_cut cut = {.kind = SMS_RESPONSE_PACKET, .reference = 9};
    assert_int_equal(sms_cut_count(&cut, sizeof packet), 2);
    for (size_t i = 0; i < 2; i++) {
        uint8_t data[SMS_USER_DATA_MAX];
        uint8_t octets[SMS_DELIVER_MAX];
        uint8_t said[140];
        struct writer user_data = writer_of(data, sizeof data);
        struct writer tpdu = writer_of(octets, sizeof octets);
        struct writer report = writer_of(said, sizeof said);
        sms_cut_part(&cut, bytes_of(packet, sizeof packet), i, &user_data);
        const struct sms_deliver m = sms_deliver_packet(&sender, time, writer_bytes(&user_data));
        sms_write_deliver(&tpdu, &m);
        assert_int_equal(applet_sms(&card.applet, &card.port, writer_bytes(&tpdu), &report),
                         APPLET_SMS_ACCEPTED);
        assert_int_equal(card.applet.is_joining, i == 0);
    }
    assert_int_equal(card.applet.failures_in_row, 0);
}

static void without_memory_for_parts_they_are_dropped(void **state)
{
    (void)state;
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    lent = 0;
    card.port.joiner = lend_none;
    assert_null(in_two_messages());
    assert_int_equal(lent, 2);
    card.port.joiner = NULL;
    assert_null(in_two_messages());
    assert_false(card.applet.is_joining);
    applet_start(&card.applet, &card.port);
    assert_false(card.applet.is_dead);
}

static void what_is_no_command_packet_is_not_the_applets(void **state)
{
    (void)state;
    uint8_t octets[200];
    struct writer report = writer_of(octets, sizeof octets);
    assert_int_equal(applet_sms(&card.applet, &card.port, bytes_of("\x40", 1), &report),
                     APPLET_SMS_NOT_MINE);
    struct command c = bench_audit(&card);
    assert_non_null(bench_command(&card, &c));
    const struct bytes tpdu = bytes_of(card.last_tpdu, card.last_tpdu_len);
    // First octet [23.040 9.2.2.1]: b7 says that there is a user data header.
    assert_int_equal(card.last_tpdu[0] & 0x40, 0x40);
    card.last_tpdu[0] &= 0xBF;
    assert_int_equal(applet_sms(&card.applet, &card.port, tpdu, &report), APPLET_SMS_NOT_MINE);
    card.last_tpdu[0] |= 0x40;
    card.applet.is_dead = true;
    assert_int_equal(applet_sms(&card.applet, &card.port, tpdu, &report), APPLET_SMS_ACCEPTED);
    card.applet.is_dead = false;
    // The header is 02 70 00 [31.115 4.1]; 71 is a response packet.
    uint8_t *element = card.last_tpdu + card.last_tpdu_len;
    for (size_t i = 0; i + 2 < card.last_tpdu_len; i++) {
        if (memcmp(card.last_tpdu + i, "\x02\x70\x00", 3) == 0)
            element = card.last_tpdu + i + 1;
    }
    assert_int_equal(*element, 0x70);
    *element = 0x71;
    assert_int_equal(applet_sms(&card.applet, &card.port, tpdu, &report), APPLET_SMS_NOT_MINE);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_profile_says_what_can_be_asked),
        T(the_last_profile_counts),
        T(before_its_profile_a_terminal_can_nothing),
        T(a_country_counts_once_it_was_seen_long_enough),
        T(where_there_is_no_service_nobody_is),
        T(the_same_service_in_the_same_place_costs_no_look_at_the_memory),
        T(a_first_service_that_cannot_be_kept_counts_the_next_time),
        T(a_dead_card_is_nowhere),
        T(three_causes_condemn_a_subscription),
        T(an_event_is_taken_for_what_it_is),
        T(a_rejection_is_one_with_a_cause),
        T(a_timer_that_is_none_ends_no_clock),
        T(the_imsi_file_tells_of_a_start_only_while_a_switch_is_open),
        T(a_terminal_that_reads_the_new_imsi_knows_nothing_yet),
        T(reading_the_imsi_is_taking_the_refresh),
        T(the_files_are_those_of_the_enabled_subscription),
        T(what_is_dumped_has_no_keys),
        T(parts_wait_a_minute_in_memory_that_is_lent),
        T(a_joined_packet_that_is_no_command_is_passed_over),
        T(without_memory_for_parts_they_are_dropped),
        T(what_is_no_command_packet_is_not_the_applets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
