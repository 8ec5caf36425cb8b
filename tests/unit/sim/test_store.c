// The store of a card's files: copy on write, and changes that no cut can tear.
#include "tests/lib/cmocka_all.h"

#include "sim-emulator/core/uicc/store.h"

#define PAGES 512
#define OFFSET (16 * NVM_PAGE_LEN)

static struct nvm_page pages[PAGES];
static struct nvm_pool pool;
static struct nvm nvm;
static struct uicc_store store;

static int open_store(void **state)
{
    (void)state;
    nvm_pool_init(&pool, pages, PAGES);
    nvm_init(&nvm, &pool);
    store = (struct uicc_store){.nvm = &nvm, .offset = OFFSET};
    uicc_store_mount(&store);
    return 0;
}

static struct uicc_place place(uint8_t space, uint8_t generation, size_t at)
{
    return (struct uicc_place){.space = space, .generation = generation, .at = (uint16_t)at};
}

// Of the space that the context names, those of another generation.
static bool is_of_other_generation(const void *context, struct uicc_place first)
{
    const struct uicc_place *kept = context;
    return first.space == kept->space && first.generation != kept->generation;
}

static bool is_in_space(const void *context, struct uicc_place first)
{
    const struct uicc_place *dropped = context;
    return first.space == dropped->space;
}

static bool is_behind(const void *context, struct uicc_place first)
{
    const struct uicc_place *last = context;
    return first.space == last->space && first.at > last->at;
}

static enum nvm_result put(struct uicc_place where, const void *octets, size_t len)
{
    static struct uicc_change change;
    uicc_change_begin(&change, &store);
    uicc_change_put(&change, where, bytes_of(octets, len));
    return uicc_change_commit(&change);
}

static void assert_filled(struct uicc_place where, uint8_t value, size_t len)
{
    uint8_t octets[256];
    assert_true(uicc_store_read(&store, where, octets, len));
    for (size_t i = 0; i < len; i++)
        assert_int_equal(octets[i], value);
}

static void what_was_never_written_is_not_there_and_costs_nothing(void **state)
{
    (void)state;
    uint8_t octets[4] = {1, 2, 3, 4};
    assert_false(uicc_store_read(&store, place(UICC_OF_CARD, 0, 0), octets, sizeof octets));
    assert_int_equal(octets[3], 4);
    assert_int_equal(pool.used, 0);
}

static void one_small_change_takes_one_page(void **state)
{
    (void)state;
    assert_int_equal(put(place(UICC_OF_GENERATION, 7, 10), "abcdef", 6), NVM_OK);
    assert_int_equal(nvm_pages(&nvm), 1); // the journal's page went back
    uint8_t octets[8];
    assert_true(uicc_store_read(&store, place(UICC_OF_GENERATION, 7, 9), octets, 8));
    assert_memory_equal(octets,
                        "\xFF"
                        "abcdef\xFF",
                        8);
}

static void spaces_and_generations_do_not_mix(void **state)
{
    (void)state;
    assert_int_equal(put(place(UICC_OF_GENERATION, 7, 0), "a", 1), NVM_OK);
    assert_int_equal(put(place(UICC_OF_SLOT, 0, 0), "b", 1), NVM_OK);
    uint8_t octet;
    assert_false(uicc_store_read(&store, place(UICC_OF_GENERATION, 8, 0), &octet, 1));
    assert_false(uicc_store_read(&store, place(UICC_OF_SLOT + 1, 0, 0), &octet, 1));
    const struct uicc_place of_7 = place(UICC_OF_GENERATION, 7, 0);
    uicc_store_drop(&store, is_of_other_generation, &of_7);
    assert_filled(place(UICC_OF_GENERATION, 7, 0), 'a', 1);
    const struct uicc_place of_8 = place(UICC_OF_GENERATION, 8, 0);
    uicc_store_drop(&store, is_of_other_generation, &of_8);
    assert_false(uicc_store_read(&store, place(UICC_OF_GENERATION, 7, 0), &octet, 1));
    assert_filled(place(UICC_OF_SLOT, 0, 0), 'b', 1);
    const struct uicc_place of_slot = place(UICC_OF_SLOT, 0, 0);
    uicc_store_drop(&store, is_in_space, &of_slot);
    assert_false(uicc_store_read(&store, of_slot, &octet, 1));
    assert_int_equal(pool.used, 0);
    // A chunk is asked about by its first octet.
    assert_int_equal(put(place(UICC_OF_CARD, 0, 5 * UICC_CHUNK_LEN - 1), "cd", 2), NVM_OK);
    const struct uicc_place last = place(UICC_OF_CARD, 0, 4 * UICC_CHUNK_LEN);
    uicc_store_drop(&store, is_behind, &last);
    assert_filled(place(UICC_OF_CARD, 0, 5 * UICC_CHUNK_LEN - 1), 'c', 1);
    assert_false(uicc_store_read(&store, place(UICC_OF_CARD, 0, 5 * UICC_CHUNK_LEN), &octet, 1));
}

static void a_change_crosses_chunks(void **state)
{
    (void)state;
    uint8_t octets[255];
    memset(octets, 0x5A, sizeof octets);
    assert_int_equal(put(place(UICC_OF_CARD, 0, UICC_CHUNK_LEN - 1), octets, 255), NVM_OK);
    assert_filled(place(UICC_OF_CARD, 0, UICC_CHUNK_LEN - 1), 0x5A, 255);
    uint8_t edge[2];
    assert_true(uicc_store_read(&store, place(UICC_OF_CARD, 0, UICC_CHUNK_LEN - 2), edge, 2));
    assert_int_equal(edge[0], 0xFF);
    assert_true(uicc_store_read(&store, place(UICC_OF_CARD, 0, UICC_CHUNK_LEN + 253), edge, 2));
    assert_int_equal(edge[0], 0x5A);
    assert_int_equal(edge[1], 0xFF);
}

static void a_full_store_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < UICC_CHUNKS; i++)
        assert_int_equal(put(place(UICC_OF_CARD, 0, i * UICC_CHUNK_LEN), "x", 1), NVM_OK);
    assert_int_equal(uicc_store_free(&store), 0);
    uint8_t two[UICC_CHUNK_LEN + 1];
    memset(two, 'y', sizeof two);
    // Its first piece would fit.
    struct uicc_place last = place(UICC_OF_CARD, 0, (UICC_CHUNKS - 1) * UICC_CHUNK_LEN);
    assert_int_equal(put(last, two, sizeof two), NVM_FAILED);
    assert_filled(last, 'x', 1);
    assert_int_equal(put(last, "z", 1), NVM_OK);
    assert_filled(last, 'z', 1);
}

static void an_empty_pool_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(put(place(UICC_OF_CARD, 0, 0), "x", 1), NVM_OK);
    nvm_pool_init(&pool, pages, PAGES);
    nvm_init(&nvm, &pool);
    pool.page_count = 4; // from 1: two of the journal, one chunk
    assert_int_equal(put(place(UICC_OF_CARD, 0, 0), "x", 1), NVM_OK);
    uint8_t many[130];
    memset(many, 'y', sizeof many);
    assert_int_equal(put(place(UICC_OF_CARD, 0, 0), many, sizeof many), NVM_FAILED);
    assert_filled(place(UICC_OF_CARD, 0, 0), 'x', 1);
}

// Two pieces in one change, cut at every octet that it writes, the octet torn to some values; and
// cut again while the start finishes it. Either both are new or both are old.
static void a_change_is_whole_whenever_the_power_goes(void **state)
{
    static const uint8_t torn[] = {0x00, 0xFF, 0xA6, 0x5C, 0x37};
    uint8_t octets[100];
    bool is_through = false;
    unsigned finished = 0;
    for (uint64_t cut = 1; !is_through; cut++) {
        for (size_t t = 0; t < sizeof torn; t++) {
            (void)open_store(state);
            memset(octets, 1, sizeof octets);
            assert_int_equal(put(place(UICC_OF_CARD, 0, 30), octets, sizeof octets), NVM_OK);
            struct nvm_faults faults = {.cut_at = cut, .is_torn = true, .torn_value = torn[t]};
            nvm.faults = &faults;
            static struct uicc_change change;
            memset(octets, 2, sizeof octets);
            uicc_change_begin(&change, &store);
            uicc_change_put(&change, place(UICC_OF_CARD, 0, 30), bytes_of(octets, 100));
            uicc_change_put(&change, place(UICC_OF_SLOT, 0, 500), bytes_of(octets, 7));
            enum nvm_result result = uicc_change_commit(&change);
            is_through = result == NVM_OK;
            // The start is cut as well, then left alone.
            faults = (struct nvm_faults){.cut_at = 1 + cut % 60, .is_torn = true};
            nvm_power_on(&nvm);
            uicc_store_mount(&store);
            nvm.faults = NULL;
            nvm_power_on(&nvm);
            uicc_store_mount(&store);
            uint8_t first;
            assert_true(uicc_store_read(&store, place(UICC_OF_CARD, 0, 30), &first, 1));
            assert_filled(place(UICC_OF_CARD, 0, 30), first, 100);
            uint8_t second;
            bool is_there = uicc_store_read(&store, place(UICC_OF_SLOT, 0, 500), &second, 1);
            assert_int_equal(is_there, first == 2);
            if (is_there)
                assert_filled(place(UICC_OF_SLOT, 0, 500), 2, 7);
            finished += result == NVM_CUT && first == 2;
            assert_true(!is_through || first == 2);
        }
    }
    assert_true(finished > 0); // some were finished by the start
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup(name, open_store)
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_was_never_written_is_not_there_and_costs_nothing),
        STORE_TEST(one_small_change_takes_one_page),
        STORE_TEST(spaces_and_generations_do_not_mix),
        STORE_TEST(a_change_crosses_chunks),
        STORE_TEST(a_full_store_changes_nothing),
        STORE_TEST(an_empty_pool_changes_nothing),
        STORE_TEST(a_change_is_whole_whenever_the_power_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
