#include "tests/lib/cmocka_all.h"

#include "common/base/prng.h"
#include "sim-emulator/core/nvm_area.h"

static struct nvm_page pages[16];
static struct nvm_pool pool;
static struct nvm nvm;

static int open_memory(void **state)
{
    (void)state;
    nvm_pool_init(&pool, pages, sizeof pages / sizeof pages[0]);
    nvm_init(&nvm, &pool);
    return 0;
}

static void an_untouched_memory_reads_ff_and_takes_no_page(void **state)
{
    (void)state;
    uint8_t octets[NVM_PAGE_LEN * 3];
    nvm_read(&nvm, 17, octets, sizeof octets);
    for (size_t i = 0; i < sizeof octets; i++)
        assert_int_equal(octets[i], 0xFF);
    assert_int_equal(pool.used, 0);
    assert_int_equal(nvm_pages(&nvm), 0);
}

static void what_is_written_across_pages_reads_back(void **state)
{
    (void)state;
    uint8_t in[NVM_PAGE_LEN + 2], out[NVM_PAGE_LEN + 2];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    assert_int_equal(nvm_write(&nvm, NVM_LEN_MAX - sizeof in, in, sizeof in), NVM_OK);
    nvm_read(&nvm, NVM_LEN_MAX - sizeof out, out, sizeof out);
    assert_memory_equal(in, out, sizeof in);
    assert_int_equal(nvm_pages(&nvm), 2);
    assert_int_equal(nvm.written, sizeof in);
}

static void a_cut_keeps_what_stood_behind_it_and_tears_one_octet(void **state)
{
    (void)state;
    static const uint8_t before[] = {1, 2, 3, 4}, after[] = {11, 12, 13, 14};
    assert_int_equal(nvm_write(&nvm, 0, before, 4), NVM_OK);
    struct nvm_faults faults = {.cut_at = 3, .is_torn = true, .torn_value = 99};
    nvm.faults = &faults;
    assert_int_equal(nvm_write(&nvm, 0, after, 4), NVM_CUT);
    assert_int_equal(nvm_write(&nvm, 8, after, 4), NVM_CUT); // no power, no write
    static const uint8_t expected[] = {11, 12, 99, 4};
    uint8_t octets[12];
    nvm_read(&nvm, 0, octets, sizeof octets);
    assert_memory_equal(octets, expected, 4);
    assert_int_equal(octets[8], 0xFF);
}

static void a_write_error_can_be_for_once_or_for_ever(void **state)
{
    (void)state;
    static const uint8_t value[] = {5, 6};
    struct nvm_faults faults = {.error_at = 2};
    nvm.faults = &faults;
    assert_int_equal(nvm_write(&nvm, 0, value, 2), NVM_FAILED);
    assert_int_equal(nvm_write(&nvm, 0, value, 2), NVM_OK);
    faults = (struct nvm_faults){.error_at = 1, .error_stays = true};
    assert_int_equal(nvm_write(&nvm, 0, value, 2), NVM_FAILED);
    assert_int_equal(nvm_write(&nvm, 0, value, 2), NVM_FAILED);
}

static void an_empty_pool_is_an_error_not_a_crash(void **state)
{
    (void)state;
    uint8_t octet = 0;
    unsigned written = 0;
    for (uint32_t at = 0; at < NVM_LEN_MAX; at += NVM_PAGE_LEN)
        written += nvm_write(&nvm, at, &octet, 1) == NVM_OK;
    assert_int_equal(written, 15); // the page 0 is none
    nvm_release(&nvm);
    assert_int_equal(pool.used, 0);
    assert_int_equal(nvm_write(&nvm, 0, &octet, 1), NVM_OK);
}

static void erasing_gives_whole_pages_back(void **state)
{
    (void)state;
    uint8_t octets[NVM_PAGE_LEN * 3] = {0};
    assert_int_equal(nvm_write(&nvm, 0, octets, sizeof octets), NVM_OK);
    assert_int_equal(nvm_erase(&nvm, 10, NVM_PAGE_LEN * 2), NVM_OK);
    assert_int_equal(nvm_pages(&nvm), 2); // the first, the last
    nvm_read(&nvm, 0, octets, sizeof octets);
    assert_int_equal(octets[9], 0);
    for (size_t i = 10; i < 10 + NVM_PAGE_LEN * 2; i++)
        assert_int_equal(octets[i], 0xFF);
    assert_int_equal(octets[10 + NVM_PAGE_LEN * 2], 0);
}

// Two memories on one pool against two arrays: writes, erasures and reads anywhere, the pages in
// the order of their numbers, and the pool's count.
static void two_memories_are_two_arrays(void **state)
{
    (void)state;
    static struct nvm_page many[2 * NVM_PAGES + 1];
    static uint8_t arrays[2][NVM_LEN_MAX], octets[NVM_LEN_MAX];
    struct nvm memories[2];
    nvm_pool_init(&pool, many, 2 * NVM_PAGES + 1);
    memset(arrays, NVM_ERASED, sizeof arrays);
    struct prng prng;
    prng_init(&prng, 1, "nvm", 0);
    for (unsigned i = 0; i < 2; i++)
        nvm_init(&memories[i], &pool);
    for (unsigned step = 0; step < 3000; step++) {
        unsigned which = (unsigned)prng_below(&prng, 2);
        size_t len = 1 + (size_t)prng_below(&prng, step % 10 == 0 ? 4000 : 90);
        uint32_t at = (uint32_t)prng_below(&prng, NVM_LEN_MAX - len + 1);
        memset(octets, (int)step, len);
        if (prng_below(&prng, 3) == 0) {
            memset(arrays[which] + at, NVM_ERASED, len);
            assert_int_equal(nvm_erase(&memories[which], at, len), NVM_OK);
        } else {
            memset(arrays[which] + at, (int)step, len);
            assert_int_equal(nvm_write(&memories[which], at, octets, len), NVM_OK);
        }
        which = (unsigned)prng_below(&prng, 2);
        at = (uint32_t)prng_below(&prng, NVM_LEN_MAX - len + 1);
        nvm_read(&memories[which], at, octets, len);
        assert_memory_equal(octets, arrays[which] + at, len);
        assert_int_equal(nvm_pages(&memories[0]) + nvm_pages(&memories[1]), pool.used);
    }
    uint32_t number = 0;
    uint32_t count = 0;
    struct bytes page;
    for (; nvm_next_page(&memories[0], &number, &page); number++, count++)
        assert_memory_equal(page.at, arrays[0] + (size_t)number * NVM_PAGE_LEN, NVM_PAGE_LEN);
    assert_int_equal(count, nvm_pages(&memories[0]));
    nvm_release(&memories[0]);
    nvm_read(&memories[1], 0, octets, NVM_LEN_MAX);
    assert_memory_equal(octets, arrays[1], NVM_LEN_MAX);
    nvm_release(&memories[1]);
    assert_int_equal(pool.used, 0);
}

// The content never stands under another owner's name, whichever octet the power goes at.
static void an_area_changes_hands_whole(void **state)
{
    const struct nvm_area area = {.nvm = &nvm, .offset = 100, .len = 80};
    const struct bytes first = bytes_of("one", 3), second = bytes_of("two", 3);
    for (unsigned cut = 1;; cut++) {
        open_memory(state);
        uint8_t content = 42;
        assert_int_equal(nvm_area_take(&area, first), NVM_OK);
        assert_int_equal(nvm_write(&nvm, 150, &content, 1), NVM_OK);
        struct nvm_faults faults = {.cut_at = cut};
        nvm.faults = &faults;
        enum nvm_result result = nvm_area_take(&area, second);
        nvm_power_on(&nvm);
        nvm_read(&nvm, 150, &content, 1);
        assert_false(nvm_area_is_of(&area, second) && content == 42);
        if (result == NVM_OK)
            break;
        assert_false(nvm_area_is_of(&area, second));
        nvm.faults = NULL;
        assert_int_equal(nvm_area_take(&area, second), NVM_OK);
        nvm_read(&nvm, 150, &content, 1);
        assert_int_equal(content, 0xFF);
    }
    assert_true(nvm_area_is_of(&area, second));
}

// What a kill would leave in a file that is mapped there: after a cut in the third octet of four,
// the mirror is the memory of that moment, the torn octet included.
static void a_mirror_follows_every_octet(void **state)
{
    (void)state;
    static uint8_t mirror[NVM_LEN_MAX];
    static uint8_t memory[NVM_LEN_MAX];
    assert_int_equal(nvm_write(&nvm, 62, "abcd", 4), NVM_OK);
    nvm_mirror(&nvm, mirror);
    assert_memory_equal(mirror + 61,
                        "\xFF"
                        "abcd\xFF",
                        6);
    assert_int_equal(nvm_write(&nvm, 63, "xyz", 3), NVM_OK); // over the end of a page
    assert_memory_equal(mirror + 62, "axyz", 4);
    struct nvm_faults faults = {.cut_at = 3, .is_torn = true, .torn_value = 0x55};
    nvm.faults = &faults;
    assert_int_equal(nvm_write(&nvm, 62, "1234", 4), NVM_CUT);
    assert_memory_equal(mirror + 62, "12\x55z", 4);
    nvm.faults = NULL;
    nvm_power_on(&nvm);
    assert_int_equal(nvm_erase(&nvm, 0, 2 * (size_t)NVM_PAGE_LEN), NVM_OK);
    nvm_read(&nvm, 0, memory, sizeof memory);
    assert_memory_equal(mirror, memory, sizeof memory);
    nvm_mirror(&nvm, NULL);
    assert_int_equal(nvm_write(&nvm, 0, "a", 1), NVM_OK);
    assert_int_equal(mirror[0], 0xFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_untouched_memory_reads_ff_and_takes_no_page, open_memory),
        cmocka_unit_test_setup(what_is_written_across_pages_reads_back, open_memory),
        cmocka_unit_test_setup(a_cut_keeps_what_stood_behind_it_and_tears_one_octet, open_memory),
        cmocka_unit_test_setup(a_write_error_can_be_for_once_or_for_ever, open_memory),
        cmocka_unit_test_setup(an_empty_pool_is_an_error_not_a_crash, open_memory),
        cmocka_unit_test_setup(erasing_gives_whole_pages_back, open_memory),
        cmocka_unit_test_setup(two_memories_are_two_arrays, open_memory),
        cmocka_unit_test_setup(an_area_changes_hands_whole, open_memory),
        cmocka_unit_test_setup(a_mirror_follows_every_octet, open_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
