// A campaign as octets.
#include "tests/lib/cmocka_all.h"

#include "ota-server/core/campaign.h"

#define NOON_MONDAY INT64_C(1785153600000) // 2026-07-27

static struct campaign campaign;

static int set_up(void **state)
{
    (void)state;
    campaign_init(&campaign, 7);
    campaign.operation.kind = OPERATION_ENABLE;
    campaign.per_second = 100;
    campaign.state = CAMPAIGN_CHECKED;
    return 0;
}

static void window(uint8_t days, uint16_t from, uint16_t to, int16_t offset)
{
    campaign.windows[campaign.window_count++] =
        (struct campaign_window){days, from, to, {offset, offset, {0}}};
}

static void it_reads_back_what_it_wrote_and_nothing_that_is_cut(void **state)
{
    (void)state;
    uint8_t octets[CAMPAIGN_OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    struct campaign got;
    campaign.tenant = 2;
    campaign.parent = 3;
    campaign.actor = (struct actor){ACTOR_USER, 4};
    campaign.pool = 5;
    campaign.ttl_s = 6;
    campaign.credit_at.ms = NOON_MONDAY;
    campaign.why = CAMPAIGN_WHY_FAILURES;
    memset(campaign.hash, 0xA5, sizeof(campaign.hash));
    window(0x1F, 8 * 60, 18 * 60, -330);
    campaign_write(&w, &campaign);
    assert_false(w.failed);
    assert_true(campaign_read(writer_bytes(&w), &got));
    uint8_t again[CAMPAIGN_OCTETS_MAX];
    struct writer second = writer_of(again, sizeof(again));
    campaign_write(&second, &got);
    assert_int_equal(second.len, w.len);
    assert_memory_equal(again, octets, w.len);
    assert_int_equal(got.windows[0].place.now_min, -330);
    assert_int_equal(got.state, CAMPAIGN_CHECKED);
    assert_int_equal(got.per_second, 100);
    for (size_t len = 0; len < w.len; len++)
        assert_false(campaign_read(bytes_of(octets, len), &got));
    octets[0]++;
    assert_false(campaign_read(writer_bytes(&w), &got));
}

static bool reads_back(void)
{
    uint8_t octets[CAMPAIGN_OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    struct campaign got;
    campaign_write(&w, &campaign);
    assert_false(w.failed);
    return campaign_read(writer_bytes(&w), &got);
}

static void what_no_campaign_has_is_not_read(void **state)
{
    static const int64_t years_9999_ms = INT64_C(253402300799999);
    (void)state;
    campaign.credit_at.ms = INT64_MIN; // from now, that is no number any more
    assert_false(reads_back());
    campaign.credit_at.ms = INT64_MAX;
    assert_false(reads_back());
    campaign.credit_at.ms = years_9999_ms;
    assert_true(reads_back());
    window(0x7F, 23 * 60 + 59, 23 * 60 + 59, 14 * 60);
    assert_true(reads_back());
    campaign.windows[0].from_min = 24 * 60;
    assert_false(reads_back());
    campaign.windows[0] = (struct campaign_window){0x7F, 0, 24 * 60, {0}};
    assert_false(reads_back());
    campaign.windows[0] = (struct campaign_window){0x7F, 0, 0, {-24 * 60, 0, {0}}};
    assert_false(reads_back());
}

#define RUN(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RUN(it_reads_back_what_it_wrote_and_nothing_that_is_cut),
        RUN(what_no_campaign_has_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
