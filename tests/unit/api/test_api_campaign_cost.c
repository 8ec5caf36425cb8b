// What a campaign costs over the air: as much as its cards one by one.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define CARDS 3

static struct lab lab;
static struct answer a;
static uint64_t card, group, pool;

static void ask(const char *target, const char *body)
{
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "key-%05u", ++number);
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = "POST", .target = target, .body = body, .key = key}, &a);
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || strstr(a.body, text) == NULL)
        fail_msg("%u instead of %u with %s: %s", a.status, status, text, a.body);
}

// With everything that a usual subscription has.
static void add_stock(unsigned number)
{
    char imsi[16];
    (void)snprintf(imsi, sizeof(imsi), "999700000000%03u", number);
    struct subscription s;
    const uint64_t id = lab_subscription(&lab, pool, imsi);
    assert_int_equal(store_subscription_get(lab.store, id, &s), STORE_OK);
    s.plan.has_iccid = true;
    assert_true(iccid_write("89999000000000000012", s.plan.iccid));
    s.plan.has_mnc_length = true;
    s.plan.mnc_length = 2;
    (void)snprintf(s.plan.number, sizeof(s.plan.number), "999000000101");
    (void)snprintf(s.plan.smsc, sizeof(s.plan.smsc), "999000000100");
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_subscription_put(lab.store, &s), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void add_card(unsigned number)
{
    struct record record;
    char iccid[21];
    char imsis[2][16];
    (void)snprintf(iccid, sizeof(iccid), "8999900000000%06u1", number);
    (void)snprintf(imsis[0], sizeof(imsis[0]), "999990000%06u", number);
    (void)snprintf(imsis[1], sizeof(imsis[1]), "999980000%06u", number);
    card = lab_card_of(&lab, iccid, imsis[0], imsis[1], &record);
    struct record next = record;
    next.group = group;
    next.state = CARD_OPERATIONAL;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    ask(API_BASE "/card-groups", "{\"name\":\"meters\"}");
    group = lab_id(&a, "grp");
    ask(API_BASE "/subscription-pools", "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":7}");
    pool = lab_id(&a, "pol");
    for (unsigned i = 0; i < CARDS; i++) {
        add_card(i);
        add_stock(i);
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void check(const char *operation, const char *estimate)
{
    char body[512];
    char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"x\",\"operation\":%s,\"target\":{\"groupIds\":[\"%s\"]},"
                   "\"rate\":{\"perSecond\":2}}",
                   operation, id);
    ask(API_BASE "/campaigns", body);
    expect(201, "DRAFT");
    api_id_write(id, "cmp", lab_id(&a, "cmp"));
    (void)snprintf(body, sizeof(body), API_BASE "/campaigns/%s/check", id);
    ask(body, NULL);
    expect(200, estimate);
}

static void try_one(const char *operation, const char *estimate)
{
    char target[256];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", card);
    (void)snprintf(target, sizeof(target), API_BASE "/cards/%s/operations?dryRun=true", id);
    ask(target, operation);
    expect(200, estimate);
}

// CONFIGURE that writes one parameter of 2 octets: 5 of APDU, 6 of operation id, 6 of the list: 17,
// and 14 make two blocks; 10 in the clear: 42. The command and its answer.
static void timers_cost_their_command_and_its_answer(void **state)
{
    (void)state;
    static const char timers[] = "{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":100}}";
    try_one(timers, "\"estimate\":{\"packets\":1,\"sms\":2,\"bytes\":42}");
    check(timers, "\"estimate\":{\"packets\":3,\"sms\":6,\"bytes\":126,\"seconds\":2}");
}

// DOWNLOAD-1 of the protocol has 98 octets, which fill one SMS: with 14 seven blocks; 10 in the
// clear: 122. With a switch its notification, CONFIRM (42) and the answer to that come besides.
static void downloads_cost_what_the_stock_of_the_pool_takes(void **state)
{
    (void)state;
    char operation[128];
    char id[API_ID_SIZE];
    api_id_write(id, "pol", pool);
    (void)snprintf(operation, sizeof(operation),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", id);
    try_one(operation, "\"estimate\":{\"packets\":1,\"sms\":2,\"bytes\":122}");
    check(operation, "\"estimate\":{\"packets\":3,\"sms\":6,\"bytes\":366,\"seconds\":2}");
    (void)snprintf(operation, sizeof(operation),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"NOW\"}", id);
    try_one(operation, "\"estimate\":{\"packets\":2,\"sms\":5,\"bytes\":164}");
    check(operation, "\"estimate\":{\"packets\":6,\"sms\":15,\"bytes\":492,\"seconds\":2}");
    // A rank is 3 octets more: 115, another block: 138, and 3 of header are over the 140 of one
    // SMS.
    (void)snprintf(operation, sizeof(operation),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\",\"rank\":3}", id);
    check(operation, "\"estimate\":{\"packets\":3,\"sms\":9,\"bytes\":414,\"seconds\":2}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_cost_their_command_and_its_answer),
        TEST(downloads_cost_what_the_stock_of_the_pool_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
