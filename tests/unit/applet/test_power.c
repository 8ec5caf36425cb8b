#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "common/wire/keywrap.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card start; // the card before the story
static struct bench_card whole; // the card after the story without a cut
static struct bench_card card;

// A copy of a card stands on its own feet.
static void copy(struct bench_card *to, const struct bench_card *from)
{
    *to = *from;
    to->port.context = to;
    to->port.cipher = &to->cipher;
    to->port.factory = &to->factory;
    to->port.work = &to->work;
    to->factory.templates = to->templates;
    to->factory.subscriptions = to->subscriptions;
}

typedef void story(struct bench_card *b);

static void prepare(void)
{
    bench_init(&start);
    bench_boot(&start);
    bench_service(&start, CAT_SERVICE_NORMAL);
    bench_confirm_all(&start);
    struct command c = bench_download(&start, 3, 0);
    assert_int_equal(bench_command(&start, &c)->result.code, RESULT_OK);
    start.sent_count = 0;
}

static void download(struct bench_card *b)
{
    struct command c = bench_download(b, 4, 0);
    (void)bench_command(b, &c);
}

static void delete_third(struct bench_card *b)
{
    struct command c = bench_target(b, COMMAND_DELETE, 3, 0);
    (void)bench_command(b, &c);
}

static void move_fallback(struct bench_card *b)
{
    struct command c = bench_target(b, COMMAND_SET_FALLBACK, 2, COMMAND_FLAG_FORCE);
    (void)bench_command(b, &c);
}

static void configure(struct bench_card *b)
{
    const uint8_t list[] = {PARAMETER_T_ATTACH, 2, 0, 90};
    struct command c = bench_configure(b, bytes_of(list, sizeof list), bytes_of(NULL, 0));
    (void)bench_command(b, &c);
}

static void audit(struct bench_card *b)
{
    struct command c = bench_audit(b);
    (void)bench_command(b, &c);
}

static void enable(struct bench_card *b)
{
    struct command c = bench_target(b, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    (void)bench_command(b, &c);
    if (!b->is_cut)
        bench_run_out(b, CLOCK_STATE);
    if (!b->is_cut)
        bench_service(b, CAT_SERVICE_NORMAL);
}

static void roll_back(struct bench_card *b)
{
    struct command c = bench_target(b, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    (void)bench_command(b, &c);
    for (unsigned i = 0; i < 2 && !b->is_cut; i++)
        bench_run_out(b, CLOCK_STATE);
    if (!b->is_cut)
        bench_service(b, CAT_SERVICE_NORMAL);
}

static void rotate(struct bench_card *b)
{
    bench_service(b, CAT_SERVICE_NONE);
    for (unsigned i = 0; i < 4 && !b->is_cut; i++)
        bench_run_out(b, CLOCK_STATE);
    if (!b->is_cut)
        bench_service(b, CAT_SERVICE_NORMAL);
}

// The power is back: what is there must be one committed version, at this and every later start.
static void restart(struct bench_card *b)
{
    b->is_cut = false;
    b->cut_at = 0;
    bench_boot(b);
    bench_check(b);
    assert_false(b->applet.is_blocked);
    struct applet_dump first = bench_dump(b);
    assert_true(first.mt_counter >= start.mt_seen && first.mo_counter >= start.mo_seen);
    // Nothing that was damaged: a cut is not rot.
    for (uint8_t i = 0; i < first.image.pending_count; i++)
        assert_int_not_equal(first.image.pending[i].cause, NOTIFY_RESTORED);
}

// Between old and new there is nothing: the registry is one of those that the uncut story commits.
static void check_registry(struct bench_card *b)
{
    struct applet_dump now = bench_dump(b);
    struct applet_dump before = bench_dump(&start);
    assert_true(now.image.registry_version >= before.image.registry_version);
    if (now.image.registry_version == before.image.registry_version)
        assert_memory_equal(now.image.slots[2].imsi, before.image.slots[2].imsi,
                            sizeof now.image.slots[2].imsi);
}

static void cut_everywhere(story *tell, bool every_value)
{
    prepare();
    copy(&whole, &start);
    whole.writes = 0;
    tell(&whole);
    unsigned writes = whole.writes;
    assert_true(writes > 0);
    static const uint8_t samples[] = {0x00, 0xFF, 0xA5, 0x5A, 0x01};
    unsigned values = every_value ? 256 : sizeof samples;
    for (unsigned k = 1; k <= writes; k++) {
        // Markers are one octet, check sums four, content is sampled.
        for (size_t octet = 0; octet < 4; octet++) {
            for (unsigned v = 0; v < values; v++) {
                copy(&card, &start);
                card.writes = 0;
                card.cut_at = k;
                card.cut_octet = octet;
                card.cut_value = every_value ? (uint8_t)v : samples[v];
                tell(&card);
                assert_true(card.is_cut);
                restart(&card);
                check_registry(&card);
            }
        }
    }
    bench_close(&start);
}

static void a_cut_download_is_there_or_not(void **state)
{
    (void)state;
    cut_everywhere(download, true);
}

static void a_cut_deletion_is_done_or_not(void **state)
{
    (void)state;
    cut_everywhere(delete_third, false);
}

static void a_cut_move_of_the_fallback_is_done_or_not(void **state)
{
    (void)state;
    cut_everywhere(move_fallback, false);
}

static void a_cut_configuration_is_done_or_not(void **state)
{
    (void)state;
    cut_everywhere(configure, false);
}

static void a_cut_audit_changes_nothing(void **state)
{
    (void)state;
    cut_everywhere(audit, true);
}

static void a_cut_switch_is_finished_or_never_begun(void **state)
{
    (void)state;
    cut_everywhere(enable, false);
}

static void a_cut_rollback_goes_on(void **state)
{
    (void)state;
    cut_everywhere(roll_back, false);
}

static void a_cut_rotation_goes_on(void **state)
{
    (void)state;
    cut_everywhere(rotate, false);
}

static void recovery_can_be_cut_too(void **state)
{
    (void)state;
    prepare();
    copy(&whole, &start);
    whole.writes = 0;
    rotate(&whole);
    static struct bench_card cut;
    for (unsigned k = 1; k <= whole.writes; k++) {
        copy(&cut, &start);
        cut.writes = 0;
        cut.cut_at = k;
        rotate(&cut);
        for (unsigned second = 1; second <= 12; second++) {
            copy(&card, &cut);
            card.is_cut = false;
            card.writes = 0;
            card.cut_at = second;
            card.cut_value = 0xA5;
            bench_boot(&card);
            if (!card.is_cut)
                break;
            restart(&card);
        }
    }
    bench_close(&start);
}

static void the_first_start_can_be_cut(void **state)
{
    (void)state;
    memset(&start, 0, sizeof start);
    for (unsigned k = 1; k <= 12; k++) {
        bench_init(&card);
        card.cut_at = k;
        card.cut_value = 0x77;
        bench_boot(&card);
        restart(&card);
        bench_close(&card);
    }
}

static void a_write_error_changes_nothing_and_is_told(void **state)
{
    (void)state;
    prepare();
    // Writes 1 to 5 commit the counter, 6 and the next the bank.
    for (unsigned k = 1; k <= 10; k++) {
        copy(&card, &start);
        card.writes = 0;
        card.fail_at = k;
        struct command c = bench_download(&card, 4, 0);
        const struct sent *s = bench_command(&card, &c);
        assert_non_null(s);
        assert_int_equal(s->result.code, RESULT_NVM_ERROR);
        assert_int_equal(bench_dump(&card).image.slots[3].state, SLOT_EMPTY);
        assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    }
    bench_close(&start);
}

static size_t find(const struct bench_card *b, const uint8_t *octets, size_t len, size_t from)
{
    for (size_t i = from; i + len <= sizeof b->nvm; i++) {
        if (memcmp(b->nvm + i, octets, len) == 0)
            return i;
    }
    return sizeof b->nvm;
}

static bool is_restored(struct bench_card *b)
{
    struct applet_dump d = bench_dump(b);
    for (uint8_t i = 0; i < d.image.pending_count; i++) {
        if (d.image.pending[i].cause == NOTIFY_RESTORED)
            return true;
    }
    return false;
}

static void a_damaged_bank_is_noticed_and_the_other_one_used(void **state)
{
    (void)state;
    prepare();
    uint8_t imsi[COMMAND_IMSI_SIZE];
    bench_imsi(1, imsi);
    size_t first = find(&start, imsi, sizeof imsi, 0);
    size_t second = find(&start, imsi, sizeof imsi, first + 1);
    assert_true(second < sizeof start.nvm);
    for (unsigned which = 0; which < 2; which++) {
        copy(&card, &start);
        card.nvm[(which == 0 ? first : second) + 3] ^= 0x10;
        bench_boot(&card);
        assert_true(is_restored(&card));
    }
    // Both: the factory's state, with the counters kept.
    copy(&card, &start);
    card.nvm[first + 3] ^= 0x10;
    card.nvm[second + 3] ^= 0x10;
    bench_boot(&card);
    assert_true(is_restored(&card));
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.slots[2].state, SLOT_EMPTY);
    assert_int_equal(d.mt_counter, start.counter);
    bench_close(&start);
}

static void lost_counters_block_the_key_set(void **state)
{
    (void)state;
    prepare();
    copy(&card, &start);
    memset(card.nvm, 0x33, 58); // both copies
    card.mt_seen = 0;
    card.mo_seen = 0;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    struct command c = bench_audit(&card);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->status, 0x04);
    bench_close(&start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_download_is_there_or_not),
        cmocka_unit_test(a_cut_deletion_is_done_or_not),
        cmocka_unit_test(a_cut_move_of_the_fallback_is_done_or_not),
        cmocka_unit_test(a_cut_configuration_is_done_or_not),
        cmocka_unit_test(a_cut_audit_changes_nothing),
        cmocka_unit_test(a_cut_switch_is_finished_or_never_begun),
        cmocka_unit_test(a_cut_rollback_goes_on),
        cmocka_unit_test(a_cut_rotation_goes_on),
        cmocka_unit_test(recovery_can_be_cut_too),
        cmocka_unit_test(the_first_start_can_be_cut),
        cmocka_unit_test(a_write_error_changes_nothing_and_is_told),
        cmocka_unit_test(a_damaged_bank_is_noticed_and_the_other_one_used),
        cmocka_unit_test(lost_counters_block_the_key_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
