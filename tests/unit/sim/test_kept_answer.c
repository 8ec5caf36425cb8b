// The answer that a card keeps for a packet that comes again.
#include "tests/lib/cmocka_all.h"

#include "sim-emulator/core/kept_answer.h"

#define OFFSET 128

static struct nvm_page pages[32];
static struct nvm_pool pool;
static struct nvm nvm;
static const struct kept_answer kept = {.nvm = &nvm, .offset = OFFSET};

static int open_memory(void **state)
{
    (void)state;
    nvm_pool_init(&pool, pages, sizeof pages / sizeof pages[0]);
    nvm_init(&nvm, &pool);
    return 0;
}

// What is read for a packet; SIZE_MAX: none.
static size_t read_len(uint8_t set_index, uint64_t counter, uint8_t *octets)
{
    struct writer w = writer_of(octets, KEPT_ANSWER_MAX);
    bool is_there = kept_answer_read(&kept, set_index, counter, &w);
    assert_true(is_there || w.len == 0);
    return is_there ? w.len : SIZE_MAX;
}

static void every_length_is_read_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 51, 52, 53, 116, KEPT_ANSWER_MAX - 1, KEPT_ANSWER_MAX};
    uint8_t octets[KEPT_ANSWER_MAX], out[KEPT_ANSWER_MAX];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 7 + 1);
    assert_int_equal(read_len(0, 0, out), SIZE_MAX); // erased
    assert_int_equal(nvm_pages(&nvm), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint64_t counter = 0xFFFFFFFFFF - i;
        assert_true(kept_answer_write(&kept, 7, counter, bytes_of(octets, lengths[i])));
        assert_int_equal(read_len(7, counter, out), lengths[i]);
        assert_memory_equal(out, octets, lengths[i]);
        assert_int_equal(read_len(6, counter, out), SIZE_MAX); // of another key set
        assert_int_equal(read_len(7, counter - 1, out), SIZE_MAX);
        assert_int_equal(read_len(7, counter + 1, out), SIZE_MAX); // the one before
    }
    assert_int_equal(nvm_pages(&nvm), KEPT_ANSWER_LEN / NVM_PAGE_LEN);
}

// Whatever the torn octet becomes: the former answer as long as nothing of it was overwritten, the
// new one when it is whole, else none.
static void a_cut_answer_is_none(void **state)
{
    static const uint8_t former[] = "former", fresh[] = "new answer";
    static const uint8_t torn[] = {0x00, 0x01, 0x02, 0x03, 0x7F, 0xFE, 0xFF};
    bool is_through = false;
    for (uint64_t cut = 1; !is_through; cut++) {
        for (size_t i = 0; i < sizeof torn; i++) {
            (void)open_memory(state);
            assert_true(kept_answer_write(&kept, 1, 5, bytes_of(former, 6)));
            struct nvm_faults faults = {.cut_at = cut, .is_torn = true, .torn_value = torn[i]};
            nvm.faults = &faults;
            is_through = kept_answer_write(&kept, 1, 6, bytes_of(fresh, 10));
            assert_true(is_through || nvm.is_cut);
            nvm.faults = NULL;
            nvm_power_on(&nvm);
            uint8_t out[KEPT_ANSWER_MAX];
            size_t len = read_len(1, 5, out);
            assert_true(len == SIZE_MAX || (len == 6 && memcmp(out, former, 6) == 0));
            assert_true(len == SIZE_MAX || cut == 1); // the mark goes first
            len = read_len(1, 6, out);
            assert_true(len == SIZE_MAX ? !is_through : len == 10 && memcmp(out, fresh, 10) == 0);
            assert_int_equal(read_len(0, 6, out), SIZE_MAX);
            assert_int_equal(read_len(2, 6, out), SIZE_MAX);
        }
    }
}

static void damage_is_noticed(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4};
    uint8_t octets[KEPT_ANSWER_HEAD + sizeof data], out[KEPT_ANSWER_MAX];
    assert_true(kept_answer_write(&kept, 0, 9, bytes_of(data, sizeof data)));
    nvm_read(&nvm, OFFSET, octets, sizeof octets);
    for (size_t bit = 0; bit < 8 * sizeof octets; bit++) {
        uint8_t wrong = octets[bit / 8] ^ (uint8_t)(1U << bit % 8);
        assert_int_equal(nvm_write(&nvm, OFFSET + (uint32_t)(bit / 8), &wrong, 1), NVM_OK);
        assert_int_equal(read_len(0, 9, out), SIZE_MAX);
        assert_int_equal(nvm_write(&nvm, OFFSET + (uint32_t)(bit / 8), &octets[bit / 8], 1),
                         NVM_OK);
    }
    assert_int_equal(read_len(0, 9, out), sizeof data);
}

// The pages of all cards are used up in the middle.
static void an_answer_without_room_is_none(void **state)
{
    (void)state;
    uint8_t octets[300] = {0}, out[KEPT_ANSWER_MAX];
    nvm_pool_init(&pool, pages, 4);
    nvm_init(&nvm, &pool);
    assert_true(kept_answer_write(&kept, 0, 9, bytes_of(octets, 100)));
    assert_false(kept_answer_write(&kept, 0, 10, bytes_of(octets, 300)));
    assert_int_equal(read_len(0, 9, out), SIZE_MAX);
    assert_int_equal(read_len(0, 10, out), SIZE_MAX);
}

int main(void)
{
#define MEMORY_TEST(name) cmocka_unit_test_setup(name, open_memory)
    const struct CMUnitTest tests[] = {
        MEMORY_TEST(every_length_is_read_back),
        MEMORY_TEST(a_cut_answer_is_none),
        MEMORY_TEST(damage_is_noticed),
        MEMORY_TEST(an_answer_without_room_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
