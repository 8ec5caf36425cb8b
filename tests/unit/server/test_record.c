// A record as octets: what the store keeps of a card.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void a_record_reads_back_as_it_was_written(void **state)
{
    (void)state;
    static uint8_t octets[RECORD_OCTETS_MAX];
    static struct record back;
    (void)world_switching(&world);
    (void)world_request(&world, OPERATION_DOWNLOAD);
    (void)world_request(&world, OPERATION_AUDIT);
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &world.record);
    assert_false(w.failed);
    assert_true(record_read(writer_bytes(&w), &back));
    static uint8_t again[RECORD_OCTETS_MAX];
    struct writer v = writer_of(again, sizeof(again));
    record_write(&v, &back);
    assert_int_equal(v.len, w.len);
    assert_memory_equal(again, octets, w.len);
    assert_int_equal(back.open.confirm_until.ms, world.record.open.confirm_until.ms);
    assert_int_equal(back.queue[0].kind, OPERATION_DOWNLOAD);
    for (size_t len = 0; len < w.len; len++)
        assert_false(record_read(bytes_of(octets, len), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_reads_back_as_it_was_written, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
