// Every read of the memory fails, one at a time: once, and from there on. Whatever the card then
// does, it does not come to another state than one that it committed, and once the memory reads
// again it goes on.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "tests/lib/cmocka_all.h"

// A day of a card: starts, commands, a switch, an outage, a change of the terminal's IMEI.
enum { STEP_COUNT = 14 };

struct day {
    struct bench_card begin;
    uint8_t tpdu[STEP_COUNT][SMS_DELIVER_MAX];
    size_t tpdu_len[STEP_COUNT];
};

static struct day day;
static struct bench_card card;

static void copy(struct bench_card *to, const struct bench_card *from)
{
    memcpy(to, from, sizeof *to);
    to->port.context = to;
    to->port.cipher = &to->cipher;
    to->port.factory = &to->factory;
    to->port.work = &to->work;
    to->factory.templates = to->templates;
    to->factory.subscriptions = to->subscriptions;
    memory_release(&to->port);
    to->work.maker = NULL;
}

// The terminal takes every command, and resets the card for a REFRESH. Nothing is asserted: the
// card may be dead, or have lost its answer.
static void take_all(struct bench_card *b)
{
    for (unsigned i = 0; i < 100; i++) {
        memory_release(&b->port); // every look at the image reads it
        uint8_t octets[APPLET_COMMAND_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        struct cat_message command;
        if (applet_pending(&b->applet, &b->port) == 0 || !applet_fetch(&b->applet, &b->port, &w))
            return;
        assert_int_equal(cat_read_command(writer_bytes(&w), &command), CAT_OK);
        memory_release(&b->port);
        if (command.type == CAT_REFRESH) {
            applet_start(&b->applet, &b->port);
            applet_profile(&b->applet, &b->port, bytes_of(b->profile, sizeof b->profile));
            continue;
        }
        struct cat_message answer = cat_answer(&command, CAT_DONE);
        if (command.type == CAT_PROVIDE_LOCAL_INFORMATION &&
            command.qualifier == CAT_INFORMATION_IMEI) {
            answer.has |= CAT_HAS_IMEI;
            memcpy(answer.imei, b->imei, sizeof answer.imei);
        }
        uint8_t said[CAT_DATA_MAX];
        struct writer r = writer_of(said, sizeof said);
        cat_write_response(&r, &answer);
        applet_terminal_response(&b->applet, &b->port, writer_bytes(&r));
    }
    fail_msg("the card asks for ever");
}

static void boot(struct bench_card *b)
{
    applet_start(&b->applet, &b->port);
    applet_profile(&b->applet, &b->port, bytes_of(b->profile, sizeof b->profile));
}

static void step(struct bench_card *b, unsigned number)
{
    uint8_t octets[200];
    struct writer report = writer_of(octets, sizeof octets);
    memory_release(&b->port);
    switch (number) {
    case 0:
    case 10:
        boot(b);
        break;
    case 1:
    case 7:
    case 11:
        applet_location(&b->applet, &b->port, CAT_SERVICE_NORMAL, b->plmn);
        break;
    case 6:
        applet_timer(&b->applet, &b->port, CLOCK_STATE + 1); // T_REFRESH
        break;
    case 8:
        applet_location(&b->applet, &b->port, CAT_SERVICE_NONE, NULL);
        break;
    case 9:
        applet_timer(&b->applet, &b->port, CLOCK_STATE + 1); // the outage is long enough
        break;
    case 12:
        applet_rejection(&b->applet, &b->port, b->plmn, 8);
        applet_status(&b->applet, &b->port);
        break;
    case 13:
        applet_timer(&b->applet, &b->port, CLOCK_NOTIFY + 1);
        applet_timer(&b->applet, &b->port, CLOCK_SLOW + 1);
        break;
    default: // the commands
        assert_int_equal(applet_sms(&b->applet, &b->port,
                                    bytes_of(day.tpdu[number], day.tpdu_len[number]), &report),
                         APPLET_SMS_ACCEPTED);
        break;
    }
    take_all(b);
}

static void keep_command(unsigned number, struct bench_card *b, struct command *c)
{
    assert_non_null(bench_command(b, c));
    memcpy(day.tpdu[number], b->last_tpdu, b->last_tpdu_len);
    day.tpdu_len[number] = b->last_tpdu_len;
}

static int setup(void **state)
{
    (void)state;
    static const uint8_t waits[] = {PARAMETER_NOTIFY_WAITS, 2, 0, 60};
    bench_init(&card);
    card.has_imei = true;
    memcpy(card.imei, (const uint8_t[]){0x1A, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x54}, IMEI_LEN);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_install(&card, 3, 0);
    copy(&day.begin, &card);
    day.begin.imei[3] ^= 0x11; // another terminal
    // The packets of the day, made with a card of their own.
    struct command c = bench_target(&card, COMMAND_SET_FALLBACK, 2, COMMAND_FLAG_FORCE);
    keep_command(2, &card, &c);
    c = bench_configure(&card, bytes_of(waits, sizeof waits), bytes_of("\xFF", 1));
    keep_command(3, &card, &c);
    c = bench_target(&card, COMMAND_DELETE, 3, 0);
    keep_command(4, &card, &c);
    c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    keep_command(5, &card, &c);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&card);
    return 0;
}

static unsigned reads_of_the_day(struct bench_card *b)
{
    for (unsigned i = 0; i < STEP_COUNT; i++)
        step(b, i);
    return b->reads;
}

// The memory reads again. The registry is sound, the counters are not lower than they were, and
// what was factory-made is there: nobody made the card anew.
static void goes_on(struct bench_card *b, unsigned read)
{
    b->fail_read_at = 0;
    boot(b);
    if (b->applet.is_dead || b->applet.is_blocked)
        fail_msg("read %u: the card does not come back", read);
    take_all(b);
    bench_check(b);
    struct applet_dump dump = bench_dump(b);
    struct subscription_name first = bench_name(1);
    assert_int_not_equal(image_find(&dump.image, &first), IMAGE_NO_SLOT);
    assert_true(dump.mt_counter >= day.begin.mt_seen && dump.mo_counter >= day.begin.mo_seen);
    assert_true(dump.image.operation_id_highest >= 1); // of the download before that day
}

static void fail_each(bool fails_on)
{
    static struct bench_card b;
    copy(&b, &day.begin);
    b.reads = 0;
    const unsigned count = reads_of_the_day(&b);
    assert_true(count > 100);
    const struct applet_dump whole = bench_dump(&b);
    const struct subscription_name deleted = bench_name(3);
    assert_int_equal(image_find(&whole.image, &deleted), IMAGE_NO_SLOT);
    assert_int_equal(image_fallback(&whole.image), 1);
    assert_int_equal(whole.image.configuration_version, 1);
    assert_true(whole.image.generation > day.begin.applet.generation);
    assert_memory_equal(whole.image.imei, day.begin.imei, sizeof whole.image.imei);
    for (unsigned read = 1; read <= count; read++) {
        copy(&b, &day.begin);
        b.reads = 0;
        b.fail_read_at = read;
        b.fails_on = fails_on;
        (void)reads_of_the_day(&b);
        goes_on(&b, read);
    }
}

static void any_read_may_fail_once(void **state)
{
    (void)state;
    fail_each(false);
}

static void the_memory_may_fail_from_any_read_on(void **state)
{
    (void)state;
    fail_each(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_read_may_fail_once),
        cmocka_unit_test(the_memory_may_fail_from_any_read_on),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
