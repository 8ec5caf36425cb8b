// Where things stand in the memory, how much it holds, and a memory that keeps something else.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "common/wire/crc.h"
#include "common/wire/secured.h"
#include "tests/lib/cmocka_all.h"

// On memories without pages: two counters of 30 octets, then two banks; a head takes 12 of each.
#define BANKS_AT 60
#define BANK_SIZE ((BENCH_NVM - BANKS_AT) / 2)
#define CONTENT_AT 12

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

// Marker, seal and CRC have pages of their own, and so has what they are about.
static void pages_are_for_one_thing_each(void **state)
{
    (void)state;
    static const struct {
        size_t size, page, capacity;
    } rows[] = {
        {60 + 2 * 12, 1, 0},
        {60 + 2 * 13, 1, 1},
        {60 + 2 * 13 + 1, 1, 1},
        {60 + 2 * 14, 1, 2},
        // Pages of 64: counters 2 * (2 * 64 + 64 + 64), a bank 2 * 64 + 64 + 64 at least.
        {511, 64, 0},
        {512, 64, 0},
        {1023, 64, 0},
        {1024, 64, 58},
        {4096, 64, 1792 - 198},
        {4096 + 127, 64, 1792 - 198},
        {4096 + 128, 64, 1856 - 198},
        // Pages of 4: counters 2 * (8 + 4 + 24), a bank 8 + 4 + 8 at least.
        {72 + 2 * 20 - 1, 4, 0},
        {72 + 2 * 20, 4, 2},
        {72 + 2 * 24, 4, 6},
        // No bank is longer than the longest image.
        {100000, 1, IMAGE_LEN_MAX},
        {60 + 2 * (12 + IMAGE_LEN_MAX) - 2, 1, IMAGE_LEN_MAX - 1},
        {100000, 64, IMAGE_LEN_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        card.port.nvm_size = rows[i].size;
        card.port.nvm_page = rows[i].page;
        assert_int_equal(memory_capacity(&card.port), rows[i].capacity);
    }
}

// 96 octets besides slots, 90 for a slot with short numbers, and 371 + 4 for each slot of what
// comes and goes (image_reserve()): 655 for two slots, 1031 for six.
static void the_least_memory_is_told(void **state)
{
    (void)state;
    assert_int_equal(image_reserve(2), 379);
    assert_int_equal(image_reserve(16), 435);
    assert_int_equal(applet_nvm_size(2, 1), 60 + 2 * (12 + 655));
    assert_int_equal(applet_nvm_size(6, 1), 60 + 2 * (12 + 96 + 540 + 395));
    assert_int_equal(applet_nvm_size(2, 64), 512 + 2 * (192 + 704));
    assert_int_equal(applet_nvm_size(2, 4), 72 + 2 * (12 + 664));
}

// --- what stands where ---

static const uint8_t *bank(unsigned which)
{
    return card.nvm + BANKS_AT + which * BANK_SIZE;
}

static size_t content_len(unsigned which)
{
    return (size_t)bank(which)[10] << 8 | bank(which)[11];
}

// Marker, seal, CRC-32, number and length, big endian.
static void a_bank_says_what_it_is(void **state)
{
    (void)state;
    const uint8_t *b = bank(card.applet.bank);
    assert_int_equal(b[0], 0xA5);
    assert_int_equal(b[1], 0x5A);
    assert_int_equal((uint32_t)b[6] << 24 | (uint32_t)b[7] << 16 | (uint32_t)b[8] << 8 | b[9],
                     card.applet.bank_number);
    assert_int_equal(content_len(card.applet.bank), card.applet.bank_len);
    assert_int_equal(b[CONTENT_AT], 2); // form of the image
}

// Behind the content stands nothing of what was longer before, or was never written.
static void assert_rest_is_clean(void)
{
    for (unsigned which = 0; which < 2; which++) {
        for (size_t i = CONTENT_AT + content_len(which); i < BANK_SIZE; i++)
            assert_true(bank(which)[i] == 0x00 || bank(which)[i] == 0xFF);
    }
}

static void what_was_longer_is_overwritten(void **state)
{
    (void)state;
    for (uint8_t n = 3; n <= 4; n++)
        bench_install(&card, n, 0);
    assert_rest_is_clean();
    for (uint8_t n = 4; n >= 3; n--) {
        struct command c = bench_target(&card, COMMAND_DELETE, n, 0);
        assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
        assert_rest_is_clean();
        // The bank that is not in use held the keys: all of it is zeros.
        const unsigned other = card.applet.bank ^ 1u;
        for (size_t i = CONTENT_AT; i < BANK_SIZE; i++)
            assert_int_equal(bank(other)[i], 0);
        assert_int_equal(bank(other)[0], 0);
    }
}

// The power fails at some write of a deletion. Where the slot is gone after the next start, so are
// its keys.
static void a_deletion_that_was_cut_off_leaves_no_keys(void **state)
{
    (void)state;
    unsigned deleted = 0;
    for (unsigned cut = 8; cut <= 24; cut++) { // 1 to 7 are of the counters
        (void)teardown(NULL);
        (void)setup(NULL);
        bench_install(&card, 3, 0);
        struct command c = bench_target(&card, COMMAND_DELETE, 3, 0);
        card.writes = 0;
        card.cut_after = cut;
        (void)bench_command(&card, &c);
        card.cut_after = 0;
        card.is_cut = false;
        bench_boot(&card);
        if (bench_dump(&card).image.slots[2].state != SLOT_EMPTY)
            continue;
        deleted++;
        const unsigned other = card.applet.bank ^ 1u;
        for (size_t i = CONTENT_AT; i < BANK_SIZE; i++)
            assert_int_equal(bank(other)[i], 0);
    }
    assert_true(deleted > 0);
}

// --- a memory that lies ---

static bool (*real_write)(void *context, size_t at, const void *from, size_t len);
static size_t stuck_at;

// One octet keeps something else than was written.
static bool stuck_write(void *context, size_t at, const void *from, size_t len)
{
    struct bench_card *b = context;
    const bool is_done = real_write(context, at, from, len);
    if (at <= stuck_at && stuck_at < at + len)
        b->nvm[stuck_at] ^= 0x10;
    return is_done;
}

static void what_was_not_kept_as_it_was_written_is_noticed(void **state)
{
    (void)state;
    real_write = card.port.nvm_write;
    card.port.nvm_write = stuck_write;
    const struct applet before = card.applet;
    uint8_t nvm[BENCH_NVM];
    memcpy(nvm, card.nvm, sizeof nvm);
    const size_t other = (size_t)(bank(card.applet.bank ^ 1u) - card.nvm);
    // CRC, head and each octet of the content; twice, so that no number of pieces is special.
    for (size_t extra = 0; extra < 2; extra++) {
        for (size_t i = 2; i < CONTENT_AT + (size_t)before.bank_len; i++) {
            memcpy(card.nvm, nvm, sizeof nvm);
            card.applet = before;
            memory_release(&card.port);
            assert_true(memory_load(&card.applet, &card.port));
            memory_release(&card.port);
            card.work.image.parameters.country_count = (uint8_t)extra;
            stuck_at = other + i;
            assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_ERROR);
            assert_int_equal(card.applet.bank_number, before.bank_number);
            assert_true(memory_load(&card.applet, &card.port));
        }
    }
    stuck_at = BENCH_NVM;
    assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_OK);
}

// What was committed last stands in the workspace, until something else does.
static void what_was_just_kept_is_not_read_again(void **state)
{
    (void)state;
    struct applet_subscription enabled;
    applet_location(&card.applet, &card.port, CAT_SERVICE_NONE, NULL);
    card.reads = 0;
    assert_true(applet_subscription(&card.applet, &card.port, &enabled));
    assert_int_equal(card.reads, 0);
    memory_release(&card.port);
    assert_true(applet_subscription(&card.applet, &card.port, &enabled));
    assert_int_equal(card.reads, 1);
    assert_true(applet_subscription(&card.applet, &card.port, &enabled));
    assert_int_equal(card.reads, 1);
}

// --- a memory that fails ---

// The other bank is damaged: sealed by nobody, open, and longer than what comes.
static void damage_the_other_bank(size_t longer)
{
    uint8_t *other = card.nvm + (bank(card.applet.bank ^ 1u) - card.nvm);
    const size_t len = card.applet.bank_len + longer;
    memset(other, 0x77, CONTENT_AT + len);
    other[0] = 0xA5;
    other[10] = (uint8_t)(len >> 8);
    other[11] = (uint8_t)len;
}

static void open_image(void)
{
    assert_true(memory_load(&card.applet, &card.port));
    memory_release(&card.port);
}

// Seal, marker, content, 64 and 36 octets of what was longer, CRC, marker; and the seal, without
// which a commit is one.
static void each_write_of_a_commit_may_fail(void **state)
{
    (void)state;
    const struct applet before = card.applet;
    uint8_t nvm[BENCH_NVM];
    damage_the_other_bank(100);
    memcpy(nvm, card.nvm, sizeof nvm);
    for (unsigned at = 1; at <= 8; at++) {
        memcpy(card.nvm, nvm, sizeof nvm);
        card.applet = before;
        open_image();
        card.writes = 0;
        card.fail_at = at;
        assert_int_equal(memory_commit(&card.applet, &card.port),
                         at < 8 ? MEMORY_ERROR : MEMORY_OK);
        assert_int_equal(card.writes, at);
        assert_int_equal(card.applet.bank_number, before.bank_number + (at == 8));
        assert_true(memory_load(&card.applet, &card.port));
    }
    assert_rest_is_clean();
}

static bool write_and_report_failure(void *context, size_t at, const void *from, size_t len)
{
    return real_write(context, at, from, len) && at != stuck_at;
}

// The memory says that the marker failed, and it is there.
static void a_marker_that_is_there_makes_a_commit(void **state)
{
    (void)state;
    const struct applet before = card.applet;
    real_write = card.port.nvm_write;
    card.port.nvm_write = write_and_report_failure;
    stuck_at = (size_t)(bank(card.applet.bank ^ 1u) - card.nvm);
    open_image();
    card.nvm[stuck_at] = 0; // it need not be cleared first
    assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_OK);
    assert_int_equal(card.applet.bank_number, before.bank_number + 1);
    card.port.nvm_write = real_write;
}

// Whatever the first octet of a CRC is, the first write of a commit makes it another.
static void a_commit_begins_by_spoiling_the_crc(void **state)
{
    (void)state;
    bool was[256] = {false};
    for (unsigned i = 0; i < 4000; i++) {
        const size_t crc_at = (size_t)(bank(card.applet.bank ^ 1u) - card.nvm) + 2;
        const uint8_t first = card.nvm[crc_at];
        was[first] = true;
        open_image();
        card.writes = 0;
        card.fail_at = 2;
        assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_ERROR);
        assert_int_not_equal(card.nvm[crc_at], first);
        card.fail_at = 0;
        assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_OK);
    }
    for (unsigned octet = 0; octet < 256; octet++)
        assert_true(was[octet]);
}

static void a_seal_that_was_cut_off_is_made_up_for(void **state)
{
    (void)state;
    const size_t seal_at = (size_t)(bank(card.applet.bank) - card.nvm) + 1;
    card.nvm[seal_at] = 0;
    memory_release(&card.port);
    bench_boot(&card);
    assert_int_equal(card.nvm[seal_at], 0x5A);
    assert_false(bench_is_pending(&card, NOTIFY_RESTORED));
}

static bool (*real_read)(void *context, size_t at, void *to, size_t len);
static size_t unreadable_at;

static bool read_once_not(void *context, size_t at, void *to, size_t len)
{
    if (at != unreadable_at)
        return real_read(context, at, to, len);
    unreadable_at = BENCH_NVM;
    return false;
}

static void a_bank_that_cannot_be_read_is_not_written_and_told(void **state)
{
    (void)state;
    const size_t other = (size_t)(bank(card.applet.bank ^ 1u) - card.nvm);
    real_read = card.port.nvm_read;
    card.port.nvm_read = read_once_not;
    unreadable_at = other;
    open_image();
    card.writes = 0;
    assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_ERROR);
    assert_int_equal(card.writes, 0);
    unreadable_at = other;
    memory_release(&card.port);
    bench_boot(&card);
    assert_true(bench_is_pending(&card, NOTIFY_RESTORED));
    card.port.nvm_read = real_read;
}

// --- what a start finds ---

static enum memory_found mounted(void)
{
    memset(&card.applet, 0, sizeof card.applet);
    memory_release(&card.port);
    return memory_mount(&card.applet, &card.port);
}

// A new card is known by a memory that is all FF or all 00. The first copy of the counters may have
// been cut off.
static void only_a_memory_that_was_never_written_is_new(void **state)
{
    (void)state;
    static const uint8_t fills[] = {0x00, 0x01, 0x33, 0xFE, 0xFF};
    for (size_t i = 0; i < sizeof fills; i++) {
        const bool is_blank = fills[i] == 0x00 || fills[i] == 0xFF;
        memset(card.nvm, fills[i], sizeof card.nvm);
        assert_int_equal(mounted(), is_blank ? MEMORY_NEW : MEMORY_REPLACED);
        assert_int_equal(card.applet.is_blocked, !is_blank);
        for (size_t at = 0; is_blank && at < BANKS_AT + 2 * BANK_SIZE; at++) {
            memset(card.nvm, fills[i], sizeof card.nvm);
            card.nvm[at] ^= 0x04;
            assert_int_equal(mounted(), at < BANKS_AT / 2 ? MEMORY_NEW : MEMORY_REPLACED);
        }
    }
}

// The bank that was never written says nothing, whatever becomes of its locks.
static void damage_where_nothing_was_written_is_none(void **state)
{
    (void)state;
    static const uint8_t fills[] = {0x00, 0xFF};
    for (size_t i = 0; i < 2; i++) {
        memset(card.nvm, fills[i], sizeof card.nvm);
        assert_int_equal(mounted(), MEMORY_NEW);
        card.nvm[BANKS_AT + BANK_SIZE] ^= 0x10;
        assert_int_equal(mounted(), MEMORY_FOUND);
    }
}

// A record as the card writes it: marker, seal, CRC, number, length, content.
static void put(uint8_t *at, uint32_t number, const uint8_t *content, size_t len)
{
    uint8_t head[6];
    struct writer w = writer_of(head, sizeof head);
    writer_u32(&w, number);
    writer_u16(&w, (uint16_t)len);
    const uint32_t crc = crc32_add(crc32_add(0, bytes_of(head, 6)), bytes_of(content, len));
    w = writer_of(at, CONTENT_AT + len);
    writer_u16(&w, 0xA55A);
    writer_u32(&w, crc);
    writer_copy(&w, bytes_of(head, 6));
    writer_copy(&w, bytes_of(content, len));
    assert_false(w.failed);
}

static void counters_without_content_are_none(void **state)
{
    (void)state;
    const uint64_t counter = card.applet.mt_counter;
    put(card.nvm + (card.applet.counters_bank ^ 1u) * 30u, card.applet.counters_number + 1, NULL,
        0);
    assert_int_equal(mounted(), MEMORY_DAMAGED);
    assert_false(card.applet.is_blocked);
    assert_true(card.applet.mt_counter == counter);
    // Nor is a whole record of another length.
    static const uint8_t strange[17] = {0};
    put(card.nvm + (card.applet.counters_bank ^ 1u) * 30u, card.applet.counters_number + 1, strange,
        sizeof strange);
    assert_int_equal(mounted(), MEMORY_FOUND);
    assert_true(card.applet.is_blocked);
}

// Whole, and yet no image: the other bank is used, or the factory's record.
static void a_bank_of_something_else_is_damaged(void **state)
{
    (void)state;
    static const uint8_t strange[40] = {0x7E};
    for (unsigned i = 0; i < 2; i++) {
        (void)teardown(NULL);
        (void)setup(NULL);
        if (card.applet.bank == i) // so that the other one is in use
            bench_set(&card, (const uint8_t[]){PARAMETER_AUTO_MODE, 1, 1}, 3);
        assert_int_equal(card.applet.bank, i ^ 1u);
        const uint32_t number = card.applet.bank_number;
        put(card.nvm + BANKS_AT + i * BANK_SIZE, number + 1, strange, sizeof strange);
        assert_int_equal(mounted(), MEMORY_DAMAGED);
        assert_int_equal(card.applet.bank, i ^ 1u);
        assert_int_equal(card.applet.bank_number, number);
        card.nvm[BANKS_AT + (i ^ 1u) * BANK_SIZE + 3] ^= 1; // an image, and its CRC is wrong
        assert_int_equal(mounted(), MEMORY_REPLACED);
        put(card.nvm + BANKS_AT, number + 9, strange, sizeof strange);
        put(card.nvm + BANKS_AT + BANK_SIZE, number + 8, strange, sizeof strange);
        assert_int_equal(mounted(), MEMORY_REPLACED);
    }
}

// Whose image was in the workspace is not known any more, when the reading of another one fails.
static void a_bank_that_is_no_image_leaves_the_workspace_to_nobody(void **state)
{
    (void)state;
    static const uint8_t strange[40] = {0x7E};
    struct applet other = card.applet;
    other.bank ^= 1;
    other.bank_len = sizeof strange;
    put(card.nvm + BANKS_AT + other.bank * BANK_SIZE, 1, strange, sizeof strange);
    assert_true(memory_load(&card.applet, &card.port));
    assert_false(memory_load(&other, &card.port));
    assert_null(card.work.holder);
}

static void a_start_reads_the_memory(void **state)
{
    (void)state;
    assert_true(memory_load(&card.applet, &card.port));
    card.work.image.configuration_version = 77; // of no commit
    applet_start(&card.applet, &card.port);
    assert_int_equal(bench_dump(&card).image.configuration_version, 0);
}

static void an_image_that_does_not_fit_is_not_written(void **state)
{
    (void)state;
    open_image();
    card.port.nvm_size = BANKS_AT + 2 * (CONTENT_AT + 50);
    card.writes = 0;
    assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_FULL);
    assert_int_equal(card.writes, 0);
    card.port.nvm_size = sizeof card.nvm;
}

// --- memories that are written in pages ---

static void begin_with_pages(size_t page)
{
    (void)teardown(NULL);
    bench_init(&card);
    card.port.nvm_page = page;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
}

static size_t paged_bank(unsigned which, size_t page)
{
    const size_t crc = (4 + page - 1) / page * page;
    const size_t counters = 2 * (2 * page + crc + (6 + 18 + page - 1) / page * page);
    return counters + which * ((BENCH_NVM - counters) / 2 / page * page);
}

// The spoiling of a CRC may tear all of it: that is no damage, in the bank that is the older one.
static void a_torn_page_of_an_older_crc_is_a_cut(void **state)
{
    (void)state;
    static const size_t pages[] = {2, 64};
    for (size_t i = 0; i < 2; i++) {
        begin_with_pages(pages[i]);
        const size_t at = paged_bank(card.applet.bank ^ 1u, pages[i]);
        assert_int_equal(card.nvm[at], 0xA5);
        for (size_t octet = 0; octet < 4; octet++)
            card.nvm[at + 2 * pages[i] + octet] ^= 0x10;
        memory_release(&card.port);
        bench_boot(&card);
        assert_false(bench_is_pending(&card, NOTIFY_RESTORED));
    }
}

static void damage_to_a_page_is_told_also_when_its_word_is_cut_off(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0xFF, 0xA5, 0x5A};
    begin_with_pages(64);
    uint8_t nvm[BENCH_NVM];
    card.nvm[paged_bank(card.applet.bank, 64) + 192 + 6 + 10] ^= 0x10;
    memcpy(nvm, card.nvm, sizeof nvm);
    bool is_over = false;
    for (unsigned i = 0; !is_over; i++) {
        memcpy(card.nvm, nvm, sizeof nvm);
        memory_release(&card.port);
        card.writes = 0;
        card.cut_at = i / 4 + 1;
        card.cut_octet = 10; // behind the number, which could make it the older one
        card.cut_value = values[i % 4];
        bench_boot(&card);
        is_over = !card.is_cut;
        card.is_cut = false;
        card.cut_at = 0;
        bench_boot(&card);
        assert_true(bench_is_pending(&card, NOTIFY_RESTORED));
    }
}

// The new image stands above every number that may still stand somewhere.
static void a_card_that_begins_anew_counts_on(void **state)
{
    (void)state;
    for (unsigned newer = 0; newer < 2; newer++) {
        (void)teardown(NULL);
        (void)setup(NULL);
        if (card.applet.bank != newer)
            bench_set(&card, (const uint8_t[]){PARAMETER_AUTO_MODE, 1, 1}, 3);
        assert_int_equal(card.applet.bank, newer);
        const uint32_t number = card.applet.bank_number;
        card.nvm[BANKS_AT + CONTENT_AT] ^= 1;
        card.nvm[BANKS_AT + BANK_SIZE + CONTENT_AT] ^= 1;
        assert_int_equal(mounted(), MEMORY_REPLACED);
        assert_int_equal(card.applet.bank_number, number + 1);
        assert_int_equal(card.applet.bank, 0);
    }
}

static void lost_counters_are_not_begun_anew(void **state)
{
    (void)state;
    // An octet of the content of each, so that lengths and numbers still look right.
    card.nvm[CONTENT_AT + 4] ^= 1;
    card.nvm[30 + CONTENT_AT + 4] ^= 1;
    assert_int_equal(mounted(), MEMORY_FOUND);
    assert_true(card.applet.is_blocked);
    card.nvm[BANKS_AT + CONTENT_AT] ^= 1;
    card.nvm[BANKS_AT + BANK_SIZE + CONTENT_AT] ^= 1;
    assert_int_equal(mounted(), MEMORY_REPLACED);
    assert_true(card.applet.is_blocked);
}

// --- counters of which one copy is damaged ---

static void damage_counters(unsigned which)
{
    card.nvm[which * 30u + CONTENT_AT + 4] ^= 1;
}

// Packets that changed nothing came behind the one that the image knows of.
static void the_image_brings_no_counter_down(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    damage_counters(card.applet.counters_bank ^ 1u);
    assert_int_equal(mounted(), MEMORY_DAMAGED);
    assert_true(card.applet.mt_counter == card.counter);
}

static void the_highest_counters_stay_what_they_are(void **state)
{
    (void)state;
    const uint64_t max = UINT64_C(0xFFFFFFFFFF);
    card.counter = max - 1;
    bench_set(&card, (const uint8_t[]){PARAMETER_AUTO_MODE, 1, 1}, 3);
    assert_true(card.applet.mt_counter == max);
    const uint8_t digest[8] = {0};
    const uint8_t newest = card.applet.counters_bank;
    damage_counters(newest); // the image knows of the last packet
    assert_int_equal(mounted(), MEMORY_DAMAGED);
    assert_true(card.applet.mt_counter == max);
    assert_true(memory_count(&card.applet, &card.port, max, max, digest));
    assert_true(memory_count(&card.applet, &card.port, max, max, digest));
    damage_counters(card.applet.counters_bank);
    assert_int_equal(mounted(), MEMORY_DAMAGED);
    assert_true(card.applet.mo_counter == max);
}

// The number that is left out is kept before anything else is.
static void counters_of_a_card_that_begins_anew_are_kept_at_once(void **state)
{
    (void)state;
    const uint64_t counter = card.applet.mt_counter;
    damage_counters(card.applet.counters_bank ^ 1u);
    card.nvm[BANKS_AT + CONTENT_AT] ^= 1;
    card.nvm[BANKS_AT + BANK_SIZE + CONTENT_AT] ^= 1;
    assert_int_equal(mounted(), MEMORY_REPLACED);
    assert_int_not_equal(mounted(), MEMORY_REPLACED);
    assert_true(card.applet.mt_counter == counter + 1);
}

// The copy that is written anew knows the last packet still.
static void the_last_packet_is_answered_again_after_damage(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK);
    damage_counters(card.applet.counters_bank ^ 1u);
    bench_boot(&card);
    const struct sent *s = bench_again(&card);
    assert_non_null(s);
    assert_int_equal(s->status, SECURED_STATUS_OK);
    assert_int_equal(s->result.command, COMMAND_AUDIT);
}

// The message left under the counter that is lost now; the next one has another.
static void a_counter_of_a_message_that_left_is_not_used_again(void **state)
{
    (void)state;
    (void)teardown(NULL);
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(card.mo_seen == 1);
    damage_counters(card.applet.counters_bank);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL); // asserts that it rises
    assert_true(card.mo_seen > 1);
}

static void a_card_is_made_with_the_subscriptions_that_the_factory_counts(void **state)
{
    (void)state;
    card.factory.subscription_count = 1; // there is a second record
    struct image image;
    memory_factory_image(&card.port, &image);
    assert_int_equal(image.slots[0].state, SLOT_ENABLED);
    assert_int_equal(image.slots[1].state, SLOT_EMPTY);
    assert_int_equal(image.preferred, 0);
    card.factory.subscription_count = 2;
    card.subscriptions[0].state = SLOT_DISABLED;
    card.subscriptions[1].state = SLOT_ENABLED;
    memory_factory_image(&card.port, &image);
    assert_int_equal(image.preferred, 1); // the one that the factory enabled
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(pages_are_for_one_thing_each),
        T(the_least_memory_is_told),
        T(a_bank_says_what_it_is),
        T(what_was_longer_is_overwritten),
        T(a_deletion_that_was_cut_off_leaves_no_keys),
        T(what_was_not_kept_as_it_was_written_is_noticed),
        T(what_was_just_kept_is_not_read_again),
        T(each_write_of_a_commit_may_fail),
        T(a_marker_that_is_there_makes_a_commit),
        T(a_commit_begins_by_spoiling_the_crc),
        T(a_seal_that_was_cut_off_is_made_up_for),
        T(a_bank_that_cannot_be_read_is_not_written_and_told),
        T(only_a_memory_that_was_never_written_is_new),
        T(damage_where_nothing_was_written_is_none),
        T(counters_without_content_are_none),
        T(a_bank_of_something_else_is_damaged),
        T(a_bank_that_is_no_image_leaves_the_workspace_to_nobody),
        T(a_start_reads_the_memory),
        T(an_image_that_does_not_fit_is_not_written),
        T(a_torn_page_of_an_older_crc_is_a_cut),
        T(damage_to_a_page_is_told_also_when_its_word_is_cut_off),
        T(a_card_that_begins_anew_counts_on),
        T(counters_of_a_card_that_begins_anew_are_kept_at_once),
        T(the_last_packet_is_answered_again_after_damage),
        T(lost_counters_are_not_begun_anew),
        T(the_image_brings_no_counter_down),
        T(the_highest_counters_stay_what_they_are),
        T(a_counter_of_a_message_that_left_is_not_used_again),
        T(a_card_is_made_with_the_subscriptions_that_the_factory_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
