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

// No service on the next subscription either: the fallback one.
static void fall_back(struct bench_card *b)
{
    const uint8_t mode[] = {PARAMETER_JITTER_MAX, 2, 0, 0};
    struct command c = bench_configure(b, bytes_of(mode, sizeof mode), bytes_of(NULL, 0));
    (void)bench_command(b, &c);
    if (!b->is_cut)
        bench_service(b, CAT_SERVICE_NONE);
    for (unsigned i = 0; i < 5 && !b->is_cut; i++)
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

// --- the versions that the uncut story commits ---

#define VERSIONS_MAX 64

struct version {
    uint8_t octets[IMAGE_LEN_MAX];
    size_t len;
};
static struct version versions[VERSIONS_MAX];
static unsigned version_count;

// What a card must have kept, as octets. Left out is what a start may add by itself: the journal's
// counts of starts and sendings, and the card's clock.
static size_t essence(const struct image *image, uint8_t octets[IMAGE_LEN_MAX])
{
    static struct image m;
    m = *image;
    m.journal.starts = 0;
    m.journal.attempt = 0;
    m.dues.now = 0;
    m.is_scrub_due = false;
    struct writer w = writer_of(octets, IMAGE_LEN_MAX);
    image_write(&w, &m, NULL);
    assert_false(w.failed);
    return w.len;
}

static void remember(struct bench_card *b)
{
    struct applet_dump d = bench_dump(b);
    assert_true(version_count < VERSIONS_MAX);
    struct version *v = &versions[version_count++];
    v->len = essence(&d.image, v->octets);
}

static bool is_version(const struct image *image)
{
    static uint8_t octets[IMAGE_LEN_MAX];
    size_t len = essence(image, octets);
    for (unsigned i = 0; i < version_count; i++) {
        if (versions[i].len == len && memcmp(versions[i].octets, octets, len) == 0)
            return true;
    }
    return false;
}

// The committed image as it stands in the memory, before a start adds anything to it.
static struct image committed(struct bench_card *b)
{
    static struct applet found;
    memset(&found, 0, sizeof found);
    struct applet_port port = b->port;
    enum memory_found how = memory_mount(&found, &port);
    assert_int_equal(how, MEMORY_FOUND);
    struct image image = b->work.image;
    memory_release(&port);
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++)
        memset(&image.slots[i].keys, 0, sizeof image.slots[i].keys);
    return image;
}

// --- the sweeps ---

// Tells the story until a write is cut off; the write, the octet and its value are given.
static void tell_cut(story *tell, unsigned at, size_t octet, uint8_t value)
{
    copy(&card, &start);
    card.writes = 0;
    card.cut_at = at;
    card.cut_octet = octet;
    card.cut_value = value;
    tell(&card);
    assert_true(card.is_cut);
    card.is_cut = false;
    card.cut_at = 0;
}

// Every version that is committed on the way: each write but the last of a commit leaves the
// version before it, so the story is told once for each write and cut off cleanly.
static void collect_versions(story *tell, unsigned writes)
{
    version_count = 0;
    remember(&start);
    for (unsigned k = 1; k <= writes; k++) {
        copy(&card, &start);
        card.writes = 0;
        card.cut_after = k;
        tell(&card);
        card.is_cut = false;
        card.cut_after = 0;
        struct image now = committed(&card);
        if (!is_version(&now)) {
            assert_true(version_count < VERSIONS_MAX);
            versions[version_count].len = essence(&now, versions[version_count].octets);
            version_count++;
        }
    }
}

static void check_cut(story *tell, unsigned at, size_t octet, uint8_t value)
{
    tell_cut(tell, at, octet, value);
    struct image now = committed(&card);
    assert_true(is_version(&now));
    restart(&card);
}

static void cut_everywhere(story *tell, bool every_value)
{
    prepare();
    copy(&whole, &start);
    whole.writes = 0;
    memset(whole.write_len, 0, sizeof whole.write_len);
    tell(&whole);
    unsigned writes = whole.writes;
    assert_in_range(writes, 1, BENCH_WRITES_MAX - 1);
    collect_versions(tell, writes);
    static const uint8_t samples[] = {0x00, 0xFF, 0xA5, 0x5A, 0x01};
    unsigned values = every_value ? 256 : sizeof samples;
    for (unsigned k = 1; k <= writes; k++) {
        // Markers are one octet, check sums four; of the rest the first, middle and last.
        size_t len = whole.write_len[k];
        const size_t octets[] = {0, 1, 2, 3, len / 2, len - 1};
        for (size_t i = 0; i < sizeof octets / sizeof octets[0]; i++) {
            if (octets[i] >= len || (i > 3 && octets[i] < 4))
                continue;
            for (unsigned v = 0; v < values; v++)
                check_cut(tell, k, octets[i], every_value ? (uint8_t)v : samples[v]);
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

static void a_cut_fallback_goes_on(void **state)
{
    (void)state;
    cut_everywhere(fall_back, false);
}

static void a_cut_rotation_goes_on(void **state)
{
    (void)state;
    cut_everywhere(rotate, false);
}

// The power fails in the story and again at each write of the start that follows, up to the first
// service, and then a last time not: the card is whole and can be commanded.
static void cut_twice_everywhere(story *tell)
{
    prepare();
    copy(&whole, &start);
    whole.writes = 0;
    tell(&whole);
    static struct bench_card cut;
    static const uint8_t samples[] = {0x00, 0xFF, 0xA5};
    for (unsigned k = 1; k <= whole.writes; k++) {
        tell_cut(tell, k, 0, samples[k % 3]);
        copy(&cut, &card);
        bool is_over = false;
        for (unsigned second = 1; !is_over; second++) {
            for (unsigned v = 0; v < 3; v++) {
                copy(&card, &cut);
                card.writes = 0;
                card.cut_at = second;
                card.cut_value = samples[v];
                bench_boot(&card);
                if (!card.is_cut)
                    bench_service(&card, CAT_SERVICE_NORMAL);
                is_over = !card.is_cut;
                restart(&card);
            }
        }
        bench_service(&card, CAT_SERVICE_NORMAL);
        struct command c = bench_audit(&card);
        card.counter += 2; // what was cut off may have been accepted
        const struct sent *s = bench_command(&card, &c);
        assert_non_null(s);
        assert_int_equal(s->result.code, RESULT_OK);
    }
    bench_close(&start);
}

static void recovery_of_a_rotation_can_be_cut_too(void **state)
{
    (void)state;
    cut_twice_everywhere(rotate);
}

static void recovery_of_a_commanded_switch_can_be_cut_too(void **state)
{
    (void)state;
    cut_twice_everywhere(enable);
}

static void recovery_of_a_rollback_can_be_cut_too(void **state)
{
    (void)state;
    cut_twice_everywhere(roll_back);
}

static void recovery_of_a_fallback_can_be_cut_too(void **state)
{
    (void)state;
    cut_twice_everywhere(fall_back);
}

static void recovery_of_a_deletion_can_be_cut_too(void **state)
{
    (void)state;
    cut_twice_everywhere(delete_third);
}

static void the_first_start_can_be_cut(void **state)
{
    (void)state;
    memset(&start, 0, sizeof start);
    static const uint8_t values[] = {0x00, 0xFF, 0xA5, 0x5A, 0x77};
    for (unsigned i = 0; i < sizeof values * 14; i++) {
        bench_init(&card);
        card.cut_at = i / sizeof values + 1;
        card.cut_value = values[i % sizeof values];
        bench_boot(&card);
        restart(&card);
        bench_close(&card);
    }
}

static void a_write_error_changes_nothing_and_is_told(void **state)
{
    (void)state;
    prepare();
    // Writes 1 to 7 commit the counter, 8 to 14 the bank. The last of each is the seal, without
    // which a commit is a commit.
    for (unsigned k = 1; k <= 14; k++) {
        if (k % 7 == 0)
            continue;
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

// Where things are: two copies of the counters, two banks, each marker(1) seal(1) CRC(4) number(4)
// length(2) content; 18 octets of content for the counters, half of what is left for a bank.
#define COUNTERS_COPY (1 + 1 + 4 + 4 + 2 + 18)
#define COUNTERS_END (2 * COUNTERS_COPY)
#define BANK_LEN ((BENCH_NVM - COUNTERS_END) / 2)
#define SEAL_AT 1
#define CRC_AT 2
#define NUMBER_AT 6
#define LENGTH_AT 10
#define HEAD_LEN 12

static uint32_t number_at(const struct bench_card *b, size_t copy_at)
{
    struct reader r = reader_of(bytes_of(b->nvm + copy_at + NUMBER_AT, 4));
    return reader_u32(&r);
}

static size_t length_at(const struct bench_card *b, size_t copy_at)
{
    return (size_t)(b->nvm[copy_at + LENGTH_AT] << 8 | b->nvm[copy_at + LENGTH_AT + 1]);
}

static bool is_restored(struct bench_card *b);

// One octet of a copy changes at rest. What it brings.
static void rot(size_t at, uint8_t flips)
{
    copy(&card, &start);
    memory_release(&card.port);
    card.nvm[at] ^= flips;
    bench_boot(&card);
}

// Every octet of the bank that holds the present version: the one before it is used, and told. Of
// the other bank: the present version stays, and what cannot come from a cut is told.
static void damage_to_any_octet_of_a_bank_is_told(void **state)
{
    (void)state;
    prepare();
    static const uint8_t flips[] = {0x01, 0x80, 0x5A, 0xFF};
    const size_t banks[2] = {COUNTERS_END, COUNTERS_END + BANK_LEN};
    const bool is_second_newer = number_at(&start, banks[1]) > number_at(&start, banks[0]);
    struct applet_dump now = bench_dump(&start);
    for (unsigned i = 0; i < 2 * (HEAD_LEN + length_at(&start, banks[0])) * sizeof flips; i++) {
        const unsigned bank = i % 2;
        const size_t octet = i / 2 / sizeof flips;
        const bool is_newer = (bank == 1) == is_second_newer;
        if (octet >= HEAD_LEN + length_at(&start, banks[bank]))
            continue;
        rot(banks[bank] + octet, flips[i / 2 % sizeof flips]);
        const bool is_silent = octet == SEAL_AT || (!is_newer && octet == CRC_AT);
        assert_int_equal(is_restored(&card), !is_silent);
        const bool is_present =
            bench_dump(&card).image.registry_version == now.image.registry_version;
        assert_int_equal(is_present, !is_newer || octet == SEAL_AT);
        // It is told once: the next start finds everything whole.
        uint32_t told = bench_dump(&card).image.notify_sequence;
        bench_boot(&card);
        assert_int_equal(bench_dump(&card).image.notify_sequence, told);
    }
    bench_close(&start);
}

// The word of it goes into the damaged bank. Cut off at each of its writes, it is told at the next
// start.
static void damage_is_told_also_when_its_word_is_cut_off(void **state)
{
    (void)state;
    prepare();
    static const uint8_t values[] = {0x00, 0xFF, 0xA5, 0x5A, 0x01};
    static const size_t places[] = {0, CRC_AT + 1, NUMBER_AT, LENGTH_AT + 1, HEAD_LEN + 10};
    const size_t second = COUNTERS_END + BANK_LEN;
    const bool is_second_newer = number_at(&start, second) > number_at(&start, COUNTERS_END);
    const size_t newer = is_second_newer ? second : COUNTERS_END;
    for (unsigned p = 0; p < sizeof places / sizeof places[0]; p++) {
        bool is_over = false;
        for (unsigned i = 0; !is_over; i++) {
            copy(&card, &start);
            memory_release(&card.port);
            card.nvm[newer + places[p]] ^= 0x10;
            card.writes = 0;
            card.cut_at = i / 4 / sizeof values + 1;
            card.cut_octet = i / sizeof values % 4;
            card.cut_value = values[i % sizeof values];
            bench_boot(&card);
            is_over = !card.is_cut && card.writes < card.cut_at;
            card.is_cut = false;
            card.cut_at = 0;
            bench_boot(&card);
            assert_true(is_restored(&card));
            bench_check(&card);
        }
    }
    bench_close(&start);
}

static void damaged_counters_never_go_down(void **state)
{
    (void)state;
    prepare();
    for (size_t octet = 0; octet < COUNTERS_COPY; octet++) {
        for (unsigned which = 0; which < 2; which++) {
            const size_t other = COUNTERS_COPY * (which ^ 1);
            const bool is_newer =
                number_at(&start, COUNTERS_COPY * which) > number_at(&start, other);
            rot(COUNTERS_COPY * which + octet, 0x10);
            const bool is_silent = octet == SEAL_AT || (!is_newer && octet == CRC_AT);
            assert_int_equal(is_restored(&card), !is_silent);
            const uint32_t noted = bench_dump(&card).image.notify_sequence;
            bench_boot(&card); // it was written anew at once
            const struct applet_dump d = bench_dump(&card);
            assert_int_equal(d.image.notify_sequence, noted);
            // The last command changed the registry: its packet cannot come again.
            assert_int_equal(d.mt_counter, start.counter);
            assert_true(d.mo_counter >= start.mo_seen);
            bench_service(&card, CAT_SERVICE_NORMAL); // asserts that no MO counter is used twice
            uint32_t told = bench_dump(&card).image.notify_sequence;
            bench_boot(&card);
            assert_int_equal(bench_dump(&card).image.notify_sequence, told);
        }
    }
    bench_close(&start);
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
    // An octet in the content of each.
    const size_t first = COUNTERS_END + HEAD_LEN + 10;
    const size_t second = first + BANK_LEN;
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

// The factory's state, and the lost copy of the counters may have been the newer one. The last
// packet brought a download: it does not run again.
static void a_card_that_begins_anew_uses_no_counter_twice(void **state)
{
    (void)state;
    prepare();
    const size_t first = COUNTERS_END + HEAD_LEN + 10;
    for (unsigned which = 0; which < 2; which++) {
        copy(&card, &start);
        card.nvm[first] ^= 0x10;
        card.nvm[first + BANK_LEN] ^= 0x10;
        card.nvm[COUNTERS_COPY * which + CRC_AT + 1] ^= 0x10;
        bench_boot(&card);
        assert_true(is_restored(&card));
        (void)bench_again(&card);
        assert_int_equal(bench_dump(&card).image.slots[2].state, SLOT_EMPTY);
        // One more than the other copy has, which is that of the packet before if it is the older.
        const bool is_newer = number_at(&start, COUNTERS_COPY * which) >
                              number_at(&start, COUNTERS_COPY * (which ^ 1));
        assert_int_equal(bench_dump(&card).mt_counter, start.counter + (is_newer ? 0 : 1));
        bench_boot(&card); // and it was kept
        assert_int_equal(bench_dump(&card).mt_counter, start.counter + (is_newer ? 0 : 1));
        assert_true(bench_dump(&card).mo_counter >= start.mo_seen);
        bench_service(&card, CAT_SERVICE_NORMAL); // asserts that no MO counter is used twice
    }
    bench_close(&start);
}

static void lost_counters_block_the_key_set(void **state)
{
    (void)state;
    prepare();
    copy(&card, &start);
    memset(card.nvm, 0x33, COUNTERS_END);
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

// A part that is left over somewhere must not meet one of a later answer under the same name.
static void answers_after_a_restart_have_another_reference(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    struct command c = bench_audit(&card);
    const struct sent *s = bench_command(&card, &c);
    assert_true(s->parts > 1);
    const uint16_t first = s->reference;
    bench_boot(&card);
    s = bench_command(&card, &c);
    assert_true(s->parts > 1);
    assert_int_not_equal(s->reference, first);
    const uint16_t second = s->reference;
    s = bench_again(&card); // the same octets once more
    assert_int_equal(s->reference, second);
    bench_close(&card);
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
        cmocka_unit_test(a_cut_fallback_goes_on),
        cmocka_unit_test(recovery_of_a_rotation_can_be_cut_too),
        cmocka_unit_test(recovery_of_a_commanded_switch_can_be_cut_too),
        cmocka_unit_test(recovery_of_a_rollback_can_be_cut_too),
        cmocka_unit_test(recovery_of_a_fallback_can_be_cut_too),
        cmocka_unit_test(recovery_of_a_deletion_can_be_cut_too),
        cmocka_unit_test(the_first_start_can_be_cut),
        cmocka_unit_test(a_write_error_changes_nothing_and_is_told),
        cmocka_unit_test(a_damaged_bank_is_noticed_and_the_other_one_used),
        cmocka_unit_test(damage_to_any_octet_of_a_bank_is_told),
        cmocka_unit_test(damage_is_told_also_when_its_word_is_cut_off),
        cmocka_unit_test(damaged_counters_never_go_down),
        cmocka_unit_test(a_card_that_begins_anew_uses_no_counter_twice),
        cmocka_unit_test(lost_counters_block_the_key_set),
        cmocka_unit_test(answers_after_a_restart_have_another_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
