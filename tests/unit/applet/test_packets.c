// What a card does with packets that it need not believe, and with a cipher or a memory that fails.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/packet.h"
#include "common/wire/secured.h"
#include "tests/lib/cmocka_all.h"

#define TAR 0xB00010

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
    bench_close(&card);
    return 0;
}

// An AUDIT as the server would send it; what a test changes of it makes it another.
struct wanted {
    uint8_t spi1, spi2, kic, kid, cmac_len, key_change;
};
static const struct wanted RIGHT = {0x16, 0x39, 0x12, 0x12, 8, 0};

static enum packet_verdict take_command(struct wanted w, const struct command *c)
{
    uint8_t data[COMMAND_BODY_MAX];
    struct writer body = writer_of(data, sizeof data);
    command_write(&body, c);
    struct secret_key kid = card.factory.kid;
    kid.octets[0] ^= w.key_change;
    const struct secured_keys keys = {
        .kic = &card.factory.kic, .kid = &kid, .cmac_len = w.cmac_len};
    const struct secured_command command = {.spi1 = w.spi1,
                                            .spi2 = w.spi2,
                                            .kic = w.kic,
                                            .kid = w.kid,
                                            .tar = TAR,
                                            .cntr = card.applet.mt_counter + 1,
                                            .data = writer_bytes(&body)};
    uint8_t octets[SMS_PACKET_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    assert_int_equal(secured_write_command(&packet, &command, &keys, &card.cipher), SECURED_OK);
    return packet_take(&card.applet, &card.port, writer_bytes(&packet));
}

static enum packet_verdict take(struct wanted w)
{
    const struct command audit = bench_audit(&card);
    return take_command(w, &audit);
}

// Counts as a failure, and draws nothing.
static void silent(struct wanted w)
{
    const uint64_t counter = card.applet.mt_counter;
    card.applet.failures_in_row = 0;
    assert_int_equal(take(w), PACKET_SILENT);
    assert_int_equal(card.applet.failures_in_row, 1);
    assert_true(card.applet.mt_counter == counter);
}

static void only_the_cards_own_keys_and_a_whole_check_count(void **state)
{
    (void)state;
    assert_int_equal(take(RIGHT), PACKET_ANSWER);
    struct wanted w = RIGHT;
    w.key_change = 1;
    silent(w);
    w = RIGHT;
    w.kic = 0x22;
    silent(w);
    w = RIGHT;
    w.kid = 0x22;
    silent(w);
    w = RIGHT;
    w.cmac_len = 4;
    silent(w);
    w = RIGHT;
    w.spi1 = 0x14; // no integrity at all
    silent(w);
    assert_int_equal(packet_take(&card.applet, &card.port, bytes_of("\0\1\2", 3)), PACKET_SILENT);
}

static void a_test_card_tells_what_was_wrong(void **state)
{
    (void)state;
    struct wanted w = RIGHT;
    w.key_change = 1;
    card.port.talkative = true;
    assert_int_equal(take(w), PACKET_TELLTALE);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_CHECK_FAILED);
    // Another key set, a shorter check, and none: these are not looked into.
    w = RIGHT;
    w.kid = 0x22;
    assert_int_equal(take(w), PACKET_TELLTALE);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_UNIDENTIFIED_ERROR);
    w = RIGHT;
    w.cmac_len = 4;
    assert_int_equal(take(w), PACKET_TELLTALE);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_UNIDENTIFIED_ERROR);
    w = RIGHT;
    w.spi1 = 0x14;
    assert_int_equal(take(w), PACKET_TELLTALE);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_UNIDENTIFIED_ERROR);
}

static void an_answer_is_given_as_it_was_asked_for(void **state)
{
    (void)state;
    struct wanted w = RIGHT;
    w.spi2 = 0x3A; // only of errors
    assert_int_equal(take(w), PACKET_SILENT);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_OK);
    card.factory.tar++;
    assert_int_equal(take(w), PACKET_ANSWER);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_TAR_UNKNOWN);
    card.factory.tar--;
    w.spi2 = 0x3B; // reserved [102.225 §5.1.1]
    assert_int_equal(take(w), PACKET_SILENT);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_LEVEL_TOO_LOW);
    w.spi2 = 0xF9; // reserved bits
    assert_int_equal(take(w), PACKET_ANSWER);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_LEVEL_TOO_LOW);
    w.spi2 = 0x00;
    assert_int_equal(take(w), PACKET_SILENT);
    assert_int_equal(card.applet.answer.status, SECURED_STATUS_OK);
}

static const struct sent *audit_for(uint8_t spi2)
{
    struct command c = bench_audit(&card);
    uint8_t data[COMMAND_BODY_MAX];
    struct writer body = writer_of(data, sizeof data);
    command_write(&body, &c);
    return bench_packet(&card, writer_bytes(&body), 0x16, spi2, TAR, ++card.counter);
}

static void an_audit_that_fits_no_report_follows_by_message(void **state)
{
    (void)state;
    const struct sent *s = audit_for(0x19); // in the report
    assert_non_null(s);
    assert_int_equal(s->status, SECURED_STATUS_FOLLOWS_BY_SUBMIT);
    assert_int_equal(s->result.command, 0);
    const struct sent *message = &card.sent[card.sent_count - 1];
    assert_ptr_equal(message, s + 1);
    assert_int_equal(message->status, SECURED_STATUS_OK);
    assert_int_equal(message->result.command, COMMAND_AUDIT);
    // A terminal that sends no messages gets what fits.
    card.applet.terminal &= (uint16_t)~TERMINAL_SEND_SMS;
    const unsigned before = card.sent_count;
    s = audit_for(0x19);
    assert_non_null(s);
    assert_int_equal(s->status, SECURED_STATUS_OK);
    assert_int_equal(s->result.command, COMMAND_AUDIT);
    assert_int_equal(card.sent_count, before + 1);
}

static const struct sent *in_report(struct command c)
{
    uint8_t data[COMMAND_BODY_MAX];
    struct writer body = writer_of(data, sizeof data);
    command_write(&body, &c);
    return bench_packet(&card, writer_bytes(&body), 0x16, 0x19, TAR, ++card.counter);
}

// Only what can be long travels by itself; the rest stands in the report that was asked for.
static void a_short_answer_stays_in_the_report(void **state)
{
    (void)state;
    const struct sent *s = in_report(bench_target(&card, COMMAND_DELETE, 2, 0));
    assert_non_null(s);
    assert_int_equal(s->status, SECURED_STATUS_OK);
    assert_int_equal(s->result.code, RESULT_OK);
    // So does a long one that was refused.
    struct command c =
        bench_configure(&card, bytes_of(NULL, 0), bytes_of("\x7F", 1)); // no such parameter
    s = in_report(c);
    assert_int_equal(s->status, SECURED_STATUS_OK);
    assert_int_equal(s->result.code, RESULT_UNKNOWN_PARAMETER);
    c = bench_configure(&card, bytes_of(NULL, 0), bytes_of("\x05", 1));
    s = in_report(c);
    assert_int_equal(s->status, SECURED_STATUS_FOLLOWS_BY_SUBMIT);
    assert_int_equal(card.sent[card.sent_count - 1].result.code, RESULT_OK);
}

static bool (*real_read)(void *context, size_t at, void *to, size_t len);

// The counters can be read, the banks behind them cannot.
static bool read_counters_only(void *context, size_t at, void *to, size_t len)
{
    return at < 60 && real_read(context, at, to, len);
}

static void a_card_that_cannot_read_its_image_reports_nothing(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_DELETE, 2, 0);
    card.is_cut = true; // nothing is kept, and nobody asks the card for more
    const struct sent *s = in_report(c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_NVM_ERROR);
    real_read = card.port.nvm_read;
    card.port.nvm_read = read_counters_only;
    memory_release(&card.port);
    c = bench_target(&card, COMMAND_DELETE, 2, 0);
    assert_null(in_report(c));
    card.port.nvm_read = real_read;
    card.is_cut = false;
    assert_int_equal(bench_dump(&card).image.slots[1].state, SLOT_DISABLED);
}

// Values are not cut as an audit is: what fits no report, and cannot be sent, is not told.
static void an_answer_that_fits_no_report_and_cannot_be_sent_is_none(void **state)
{
    (void)state;
    uint8_t table[2 + 10 * 13] = {PARAMETER_COUNTRY_TABLE, 10 * 13};
    for (uint8_t row = 0; row < 10; row++) {
        memcpy(table + 2 + row * 13, (uint8_t[]){0x62, 0xF2, (uint8_t)(0x10 * row)}, 3);
        bench_imsi(2, table + 2 + row * 13 + 3);
        table[2 + row * 13 + 12] = COUNTRY_FORBID;
    }
    bench_set(&card, table, sizeof table);
    card.applet.terminal &= (uint16_t)~TERMINAL_SEND_SMS;
    struct command c =
        bench_configure(&card, bytes_of(NULL, 0), bytes_of("\x11", 1)); // COUNTRY_TABLE
    assert_null(in_report(c));
    c = bench_configure(&card, bytes_of(NULL, 0), bytes_of("\x05", 1));
    const struct sent *s = in_report(c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_OK);
}

static void a_switch_without_a_pause_follows_its_report_at_once(void **state)
{
    (void)state;
    static const uint8_t pause[] = {PARAMETER_T_REFRESH, 1, 0};
    bench_set(&card, pause, sizeof pause);
    const struct sent *s = in_report(bench_target(&card, COMMAND_ENABLE, 2, 0));
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_OK_PENDING);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.refreshes, 1);
}

// Unsecured [102.225 §5.2]: the head of a response packet, TAR, counter, padding, status.
static void a_test_card_tells_it_in_the_report(void **state)
{
    (void)state;
    assert_non_null(audit_for(0x39));
    card.last_tpdu[card.last_tpdu_len - 1] ^= 1;
    uint8_t octets[140];
    struct writer report = writer_of(octets, sizeof octets);
    const struct bytes tpdu = bytes_of(card.last_tpdu, card.last_tpdu_len);
    assert_int_equal(applet_sms(&card.applet, &card.port, tpdu, &report), APPLET_SMS_ACCEPTED);
    assert_int_equal(report.len, 0);
    card.port.talkative = true;
    assert_int_equal(applet_sms(&card.applet, &card.port, tpdu, &report), APPLET_SMS_REPORT);
    assert_int_equal(report.len, 16);
    assert_memory_equal(octets, "\x02\x71\x00\x00\x0B\x0A\xB0\x00\x10", 9);
    assert_int_equal(octets[14], 0);
    assert_int_equal(octets[15], 0x01); // the check is wrong
    report = writer_of(octets, 15);
    assert_int_equal(applet_sms(&card.applet, &card.port, tpdu, &report), APPLET_SMS_ACCEPTED);
}

static void events_without_what_they_are_about_are_passed_over(void **state)
{
    (void)state;
    static const uint8_t unknown[] = {0x01};
    static const uint8_t technology[] = {CAT_EUTRAN};
    const struct applet before = card.applet;
    struct cat_message m = cat_location_event(CAT_SERVICE_NORMAL, NULL);
    m.has &= ~(uint32_t)CAT_HAS_LOCATION_STATUS;
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    m.events = bytes_of(unknown, 1);
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    m = cat_technology_event(bytes_of(NULL, 0));
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_memory_equal(&card.applet, &before, sizeof before);
    m = cat_technology_event(bytes_of(technology, 1));
    applet_event(&card.applet, &card.port, CAT_EVENT_DOWNLOAD, &m);
    assert_true(card.applet.has_access);
    assert_int_equal(card.applet.access, CAT_EUTRAN);
}

// --- what is under way when a packet comes ---

static void begin_anew(void)
{
    bench_close(&card);
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
}

// The answer of an ENABLE leaves before the pause of T_REFRESH; what is not sent is not waited for.
static void a_switch_waits_for_its_answer_where_that_is_a_message(void **state)
{
    (void)state;
    static const struct {
        uint8_t spi2;
        uint32_t wait_s;
    } rows[] = {{0x39, 30}, {0x3A, 5}, {0x19, 5}, {0x20, 5}, {0x00, 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_anew();
        const struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
        struct wanted w = RIGHT;
        w.spi2 = rows[i].spi2;
        (void)take_command(w, &c);
        assert_int_equal(card.applet.state, SWITCH_SWITCHING);
        assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, rows[i].wait_s);
    }
}

// The terminal says nothing of the answer for 30 s: the pause begins, and then the switch.
static void a_switch_does_not_wait_for_its_answer_for_ever(void **state)
{
    (void)state;
    const struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    (void)take_command(RIGHT, &c);
    assert_int_equal(card.applet.wait, WAIT_ANSWER);
    bench_timer(&card, CLOCK_STATE);
    assert_int_equal(card.applet.wait, WAIT_PAUSE);
    assert_int_equal(card.applet.clocks[CLOCK_STATE].left_s, 5);
    assert_int_equal(bench_enabled(&card), 0);
    bench_timer(&card, CLOCK_STATE);
    assert_int_equal(bench_enabled(&card), 1);
    assert_int_equal(card.refreshes, 1);
}

static struct cat_message fetched(void)
{
    static uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct cat_message command;
    assert_true(applet_fetch(&card.applet, &card.port, &w));
    assert_int_equal(cat_read_command(writer_bytes(&w), &command), CAT_OK);
    assert_int_equal(command.type, CAT_SEND_SHORT_MESSAGE);
    return command;
}

static void respond(const struct cat_message *command)
{
    const struct cat_message r = cat_answer(command, CAT_DONE);
    uint8_t octets[CAT_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    cat_write_response(&w, &r);
    applet_terminal_response(&card.applet, &card.port, writer_bytes(&w));
}

// The server sends one packet at a time: what it asks now is what it wants to know.
static void an_answer_of_which_a_part_left_gives_way_to_the_next(void **state)
{
    (void)state;
    assert_int_equal(take(RIGHT), PACKET_ANSWER);
    card.applet.answer.is_wanted = true;
    const struct cat_message part = fetched();
    respond(&part);
    assert_int_equal(card.applet.sending.part, 1);
    const unsigned before = card.sent_count;
    assert_int_equal(take(RIGHT), PACKET_ANSWER);
    card.applet.answer.is_wanted = true;
    bench_pump(&card);
    assert_int_equal(card.sent_count, before + 1);
    assert_int_equal(card.sent[before].result.command, COMMAND_AUDIT);
    assert_true(card.sent[before].counter == card.applet.mt_counter);
}

static void a_notification_under_way_is_not_sent_twice_for_a_packet(void **state)
{
    (void)state;
    begin_anew();
    applet_timer(&card.applet, &card.port, CLOCK_NOTIFY + 1); // it is sent again
    // The clock for the time after that comes first.
    uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct cat_message timer;
    assert_true(applet_fetch(&card.applet, &card.port, &w));
    assert_int_equal(cat_read_command(writer_bytes(&w), &timer), CAT_OK);
    assert_int_equal(timer.type, CAT_TIMER_MANAGEMENT);
    respond(&timer);
    const struct cat_message note = fetched();
    const unsigned before = card.sent_count;
    assert_int_equal(take(RIGHT), PACKET_ANSWER);
    card.applet.answer.is_wanted = true;
    respond(&note);
    bench_pump(&card);
    assert_int_equal(card.sent_count, before + 1);
    assert_true(card.sent[before].is_answer);
}

static void the_first_packet_of_all_is_answered_again_too(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    bench_boot(&card);
    struct command c = bench_audit(&card);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->counter, 1);
    s = bench_again(&card);
    assert_non_null(s);
    assert_int_equal(s->status, SECURED_STATUS_OK);
    assert_int_equal(s->result.command, COMMAND_AUDIT);
}

// A response packet is 6 octets, then in blocks of 16: counter(5), padding(1), status(1), MAC(8)
// and data. Here the data takes 33 octets: 3 and 15 of head, version(2), and 3, 3, 3 and 4 of
// values.
static void an_answer_may_fill_its_room_to_the_last_octet(void **state)
{
    (void)state;
    struct command c = bench_configure(&card, bytes_of(NULL, 0), bytes_of("\x01\x02\x06\x03", 4));
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_OK);
    assert_int_equal(s->result.data.len, 15);
    assert_true(memory_load(&card.applet, &card.port));
    uint8_t octets[54];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(packet_write_answer(&w, &card.applet, &card.port, 54));
    assert_int_equal(w.len, 54);
    w = writer_of(octets, sizeof octets);
    assert_false(packet_write_answer(&w, &card.applet, &card.port, 53));
}

static void a_packet_that_is_right_ends_a_row_of_failures(void **state)
{
    (void)state;
    struct wanted w = RIGHT;
    w.key_change = 1;
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(take(w), PACKET_SILENT);
    assert_int_equal(take(RIGHT), PACKET_ANSWER);
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(take(w), PACKET_SILENT);
    assert_false(card.applet.is_locked);
    assert_int_equal(take(w), PACKET_SILENT);
    assert_true(card.applet.is_locked);
}

static void sixteen_failures(uint32_t deaf_s)
{
    struct wanted w = RIGHT;
    w.key_change = 1;
    for (unsigned i = 0; i < 16; i++) {
        assert_false(card.applet.is_locked);
        assert_int_equal(take(w), PACKET_SILENT);
    }
    assert_true(card.applet.is_locked);
    assert_int_equal(card.applet.clocks[CLOCK_LOCK].left_s, deaf_s);
    const uint64_t counter = card.applet.mt_counter;
    assert_int_equal(take(RIGHT), PACKET_SILENT);
    assert_true(card.applet.mt_counter == counter);
    bench_run_out(&card, CLOCK_LOCK);
}

static void a_card_is_deaf_for_twice_as_long_each_time_up_to_an_hour(void **state)
{
    (void)state;
    static const uint32_t deaf_s[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
    for (size_t i = 0; i < sizeof deaf_s / sizeof deaf_s[0]; i++) {
        sixteen_failures(deaf_s[i]);
        assert_int_equal(bench_dump(&card).image.security_failures, 16 * (i + 1));
    }
    card.applet.lock_doublings = UINT8_MAX;
    sixteen_failures(3600);
    assert_int_equal(card.applet.lock_doublings, UINT8_MAX);
    assert_int_equal(take(RIGHT), PACKET_ANSWER); // and one that is right forgives
    sixteen_failures(60);
}

static void failures_are_counted_to_the_maximum(void **state)
{
    (void)state;
    static const uint16_t counts[][2] = {{65518, 65534}, {65519, 65535}, {65520, 65535}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(memory_load(&card.applet, &card.port));
        memory_release(&card.port);
        card.work.image.security_failures = counts[i][0];
        assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_OK);
        card.applet.lock_doublings = 0;
        sixteen_failures(60);
        assert_int_equal(bench_dump(&card).image.security_failures, counts[i][1]);
    }
}

static void a_memory_that_fails_does_not_keep_a_card_from_being_deaf(void **state)
{
    (void)state;
    memory_release(&card.port);
    memset(&card.work.image, 0, sizeof card.work.image); // scratch, between two calls
    card.fail_read_at = card.reads + 1;
    card.fails_on = true;
    struct wanted w = RIGHT;
    w.key_change = 1;
    for (unsigned i = 0; i < 16; i++)
        (void)take(w);
    assert_true(card.applet.is_locked);
    card.fail_read_at = 0;
    assert_int_equal(bench_dump(&card).image.security_failures, 0);
}

// --- a cipher that fails ---

static struct cipher real;
static unsigned calls_left;

static bool sha256(void *context, const struct bytes *parts, size_t part_count,
                   uint8_t digest[CIPHER_SHA256_SIZE])
{
    if (calls_left == 0)
        return false;
    calls_left--;
    return real.sha256(context, parts, part_count, digest);
}

static bool fails_cmac(void *context, const struct secret_key *key, const struct bytes *parts,
                       size_t part_count, uint8_t mac[CIPHER_AES_BLOCK])
{
    (void)context, (void)key, (void)parts, (void)part_count, (void)mac;
    return false;
}

static void without_a_digest_nothing_runs(void **state)
{
    (void)state;
    real = card.cipher;
    struct cipher failing = real;
    failing.sha256 = sha256;
    card.port.cipher = &failing;
    const uint8_t on[] = {PARAMETER_HEARTBEAT, 2, 0, 24};
    // Of the packet, of the operation, and of the registry: the last one only says so.
    for (unsigned calls = 0; calls < 3; calls++) {
        struct command c = bench_configure(&card, bytes_of(on, sizeof on), bytes_of(NULL, 0));
        calls_left = calls;
        const uint64_t counter = card.applet.mt_counter;
        const struct sent *s = bench_command(&card, &c);
        assert_non_null(s);
        assert_int_equal(s->result.code, calls < 2 ? RESULT_NVM_ERROR : RESULT_OK);
        // A packet that cannot be known again is not accepted.
        assert_int_equal(card.applet.mt_counter == counter, calls == 0);
        calls_left = 100;
        assert_int_equal(bench_dump(&card).image.parameters.heartbeat_h, calls < 2 ? 0 : 24);
        static const uint8_t zeros[COMMAND_HASH_SIZE];
        assert_memory_equal(s->result.state_hash, zeros, sizeof zeros);
    }
    card.port.cipher = &card.cipher;
}

static uint8_t last_octet;

static bool sha256_by_last_octet(void *context, const struct bytes *parts, size_t part_count,
                                 uint8_t digest[CIPHER_SHA256_SIZE])
{
    (void)context, (void)parts, (void)part_count;
    memset(digest, 0, CIPHER_SHA256_SIZE);
    digest[7] = last_octet;
    return true;
}

static void each_of_eight_octets_of_a_digest_tells_packets_apart(void **state)
{
    (void)state;
    struct cipher digests = card.cipher;
    digests.sha256 = sha256_by_last_octet;
    card.port.cipher = &digests;
    last_octet = 1;
    assert_int_equal(audit_for(0x39)->status, SECURED_STATUS_OK);
    assert_int_equal(bench_again(&card)->status, SECURED_STATUS_OK);
    last_octet = 2;
    assert_int_equal(bench_again(&card)->status, SECURED_STATUS_CNTR_LOW);
    card.port.cipher = &card.cipher;
}

static void a_card_that_cannot_name_itself_is_dead(void **state)
{
    (void)state;
    struct cipher failing = card.cipher;
    failing.aes_cmac = fails_cmac;
    card.port.cipher = &failing;
    applet_start(&card.applet, &card.port);
    assert_true(card.applet.is_dead);
    card.port.cipher = &card.cipher;
    assert_int_equal(take(RIGHT), PACKET_SILENT);
    assert_int_equal(card.applet.failures_in_row, 0);
    assert_int_equal(applet_pending(&card.applet, &card.port), 0);
    struct applet_subscription subscription;
    struct applet_dump dump;
    assert_false(applet_subscription(&card.applet, &card.port, &subscription));
    assert_false(applet_dump(&card.applet, &card.port, &dump));
}

static void a_memory_that_is_too_small_is_none(void **state)
{
    (void)state;
    // Counters take 2 * 30, an empty bank 12, and one octet of content is the least.
    static const size_t sizes[] = {0, 59, 60, 60 + 2 * 12 + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        card.port.nvm_size = sizes[i];
        assert_int_equal(memory_capacity(&card.port), 0);
        applet_start(&card.applet, &card.port);
        assert_true(card.applet.is_dead);
    }
    card.port.nvm_size = 60 + 2 * 13;
    assert_int_equal(memory_capacity(&card.port), 1);
}

// --- what an audit tells ---

static struct audit_answer audit(uint32_t lookup)
{
    struct command c = bench_audit(&card);
    c.audit.has_lookup = lookup != 0;
    c.audit.lookup_operation_id = lookup;
    const struct sent *s = bench_command(&card, &c);
    struct audit_answer a;
    assert_non_null(s);
    assert_true(audit_answer_read(s->result.data, &a));
    return a;
}

static void an_audit_tells_what_is_free(void **state)
{
    (void)state;
    // A bank has (4096 - 60) / 2 - 12 = 2006 octets. Of them are taken: 61 besides slots, 63 and 53
    // of the two subscriptions, 6 of the address, and 387 that stay free for 8 results, 4
    // notifications, a journal, a pause, 4 clocks, IMEI and a new address.
    assert_int_equal(audit(0).free_memory, 2006 - 61 - 63 - 53 - 6 - 387);
    bench_install(&card, 3, 0);
    assert_int_equal(audit(0).free_memory, 2006 - 61 - 63 - 53 - 53 - 6 - 387);
}

static void an_audit_tells_of_an_operation_what_is_known(void **state)
{
    (void)state;
    const uint32_t first = card.operation_id + 1;
    for (unsigned i = 0; i < 9; i++)
        bench_set(&card, (uint8_t[]){PARAMETER_HEARTBEAT, 2, 0, (uint8_t)(i + 1)}, 4);
    assert_int_equal(audit(0).lookup, LOOKUP_NOT_ASKED);
    assert_int_equal(audit(first).lookup, LOOKUP_NOT_STORED); // eight are kept
    const struct audit_answer stored = audit(first + 1);
    assert_int_equal(stored.lookup, LOOKUP_STORED);
    assert_int_equal(stored.lookup_code, RESULT_OK);
    assert_int_equal(audit(first + 9).lookup, LOOKUP_NEVER_SEEN);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(only_the_cards_own_keys_and_a_whole_check_count),
        T(a_test_card_tells_what_was_wrong),
        T(an_answer_is_given_as_it_was_asked_for),
        T(an_audit_that_fits_no_report_follows_by_message),
        T(a_short_answer_stays_in_the_report),
        T(a_card_that_cannot_read_its_image_reports_nothing),
        T(a_switch_without_a_pause_follows_its_report_at_once),
        T(an_answer_that_fits_no_report_and_cannot_be_sent_is_none),
        T(a_test_card_tells_it_in_the_report),
        T(events_without_what_they_are_about_are_passed_over),
        T(a_switch_waits_for_its_answer_where_that_is_a_message),
        T(a_switch_does_not_wait_for_its_answer_for_ever),
        T(an_answer_of_which_a_part_left_gives_way_to_the_next),
        T(a_notification_under_way_is_not_sent_twice_for_a_packet),
        T(the_first_packet_of_all_is_answered_again_too),
        T(an_answer_may_fill_its_room_to_the_last_octet),
        T(a_packet_that_is_right_ends_a_row_of_failures),
        T(a_card_is_deaf_for_twice_as_long_each_time_up_to_an_hour),
        T(failures_are_counted_to_the_maximum),
        T(a_memory_that_fails_does_not_keep_a_card_from_being_deaf),
        T(without_a_digest_nothing_runs),
        T(each_of_eight_octets_of_a_digest_tells_packets_apart),
        T(a_card_that_cannot_name_itself_is_dead),
        T(a_memory_that_is_too_small_is_none),
        T(an_audit_tells_what_is_free),
        T(an_audit_tells_of_an_operation_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
