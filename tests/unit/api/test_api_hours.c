// Windows of campaigns go by the clocks of a place. It is 24 July 2026, 12:00 UTC: 14:00 in Berlin,
// whose clocks are two hours ahead in summer and one in winter.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/store/campaigns.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define NOON INT64_C(1784894400000) // `date -u -d 2026-07-24T12:00:00Z +%s`
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static struct lab lab;
static struct answer a;
static struct record record;
static char path[128];

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    lab.now.utc.ms = NOON;
    (void)lab_card(&lab, "89999000000000000012", &record);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *method, const char *target, const char *body, unsigned status)
{
    static unsigned number;
    char key[16];
    (void)snprintf(key, sizeof(key), "hours-%05u", number++);
    const struct ask with = {.method = method, .target = target, .body = body, .key = key};
    lab_ask(&lab, &with, &a);
    if (a.status != status)
        fail_msg("%s %s: %u instead of %u: %s", method, target, a.status, status, a.body);
}

static void post(const char *schedule, unsigned status)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"meters\",\"operation\":{\"type\":\"audit\"},\"target\":{\"filter\":"
                   "{}},\"rate\":{\"perSecond\":1},\"schedule\":%s}",
                   schedule);
    ask("POST", API_BASE "/campaigns", body, status);
}

static uint64_t start(const char *schedule)
{
    char id[API_ID_SIZE];
    post(schedule, 201);
    const uint64_t campaign = lab_id(&a, "cmp");
    api_id_write(id, "cmp", campaign);
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/check", id);
    ask("POST", path, NULL, 200);
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/start", id);
    ask("POST", path, NULL, 200);
    lab_turn(&lab);
    return campaign;
}

// When a campaign is looked at next.
static int64_t due_ms(void)
{
    struct utc at = {0};
    assert_int_equal(store_campaign_next_due(lab.store, &at), STORE_OK);
    return at.ms;
}

#define WINDOW(from, to, zone)                                                                     \
    ("{\"windows\":[{\"from\":\"" from "\",\"to\":\"" to "\",\"timeZone\":\"" zone "\"}]}")

static void a_window_opens_when_the_clocks_there_say_so(void **state)
{
    (void)state;
    (void)start(WINDOW("15:00", "15:30", "Europe/Berlin"));
    assert_int_equal(due_ms(), NOON + HOUR);
}

// As it was written in winter, when 15:00 was 14:00 UTC.
static void an_offset_that_has_passed_is_not_gone_by(void **state)
{
    (void)state;
    struct campaign c;
    const uint64_t id = start(WINDOW("15:00", "15:30", "Europe/Berlin"));
    assert_int_equal(store_campaign_get(lab.store, id, &c), STORE_OK);
    assert_int_equal(c.windows[0].place.now_min, 120);
    c.windows[0].place = (struct utc_offset){60, 60, {0}};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_campaign_put(lab.store, &c, (struct utc){NOON + HOUR}), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab.now.utc.ms = NOON + HOUR;
    lab_turn(&lab);
    assert_int_equal(store_campaign_get(lab.store, id, &c), STORE_OK);
    assert_int_equal(c.state, CAMPAIGN_CANARY); // at 15:00 it began
}

// Changes of clocks are known some days ahead alone.
static void a_start_that_is_far_is_looked_at_before(void **state)
{
    (void)state;
    (void)start("{\"startAt\":\"2026-12-01T00:00:00Z\",\"windows\":[{\"from\":\"15:00\",\"to\":"
                "\"15:30\",\"timeZone\":\"Europe/Berlin\"}]}");
    assert_in_range(due_ms(), NOON + DAY, NOON + 8 * DAY + HOUR);
}

static void a_zone_that_is_not_there_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        WINDOW("01:00", "02:00", "Europe/Bonn"), WINDOW("01:00", "02:00", "../passwd"),
        WINDOW("01:00", "02:00", "+8:00"), WINDOW("01:00", "02:00", "")};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        post(wrong[i], 400);
        assert_non_null(strstr(a.body, "a name such as Europe/Berlin"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_window_opens_when_the_clocks_there_say_so),
        TEST(an_offset_that_has_passed_is_not_gone_by),
        TEST(a_start_that_is_far_is_looked_at_before),
        TEST(a_zone_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
