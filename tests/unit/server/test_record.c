// A record as octets: what the store keeps of a card.
#include "common/wire/ident.h"
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

static void a_card_is_where_it_was_heard_last_or_at_home(void **state)
{
    (void)state;
    struct record *r = &world.record;
    char imsi[IMSI_SIZE];
    assert_true(imsi_read(record_enabled(r)->fact.imsi, imsi));
    imsi[PLMN_SIZE - 1] = '\0'; // six digits: a network may have as many, or five
    r->has_plmn = false;
    assert_true(record_is_in(r, imsi));
    imsi[PLMN_SIZE - 2] = '\0';
    assert_true(record_is_in(r, imsi));
    assert_false(record_is_in(r, "99998"));
    r->has_plmn = plmn_write("99998", r->plmn);
    assert_true(record_is_in(r, "99998"));
    assert_false(record_is_in(r, "999980"));
    assert_false(record_is_in(r, imsi));
    r->has_plmn = false;
    r->slot_count = 0;
    assert_false(record_is_in(r, imsi));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_reads_back_as_it_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_card_is_where_it_was_heard_last_or_at_home, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
