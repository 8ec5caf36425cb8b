// Where things stand in the memory, how much it holds, and a memory that keeps something else.
#include "tests/unit/applet/bench_card.h"

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

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(pages_are_for_one_thing_each),
        T(the_least_memory_is_told),
        T(a_bank_says_what_it_is),
        T(what_was_longer_is_overwritten),
        T(what_was_not_kept_as_it_was_written_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
