// Filters of cards that other versions kept.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

static struct lab lab;
static struct answer a;

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *target, const char *body, unsigned status)
{
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "key-%05u", ++number);
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = "POST", .target = target, .body = body, .key = key}, &a);
    if (a.status != status)
        fail_msg("%u instead of %u: %s", a.status, status, a.body);
}

// Before fields of application had names, cards and filters had any text.
static bool name_field(void *context, const struct document *d)
{
    static char body[4096];
    static const char known[] = "\"applicationField\":\"ENERGY\"";
    static const char old[] = "\"applicationField\":\"meters\"";
    struct document *to = context;
    assert_true(d->body.len < sizeof(body));
    bytes_copy(body, d->body);
    body[d->body.len] = '\0';
    char *place = strstr(body, known);
    assert_non_null(place);
    memcpy(place, old, sizeof(old) - 1);
    *to = *d;
    to->kind = "campaign";
    to->name = NULL;
    to->body = bytes_of(body, d->body.len);
    return false;
}

static void a_filter_from_before_fields_had_names_is_checked(void **state)
{
    (void)state;
    struct document d;
    struct record record;
    char id[API_ID_SIZE];
    char path[128];
#define WITH(field)                                                                                \
    "{\"name\":\"m\",\"operation\":{\"type\":\"read-timers\"},\"rate\":{\"perSecond\":9},"         \
    "\"target\":{\"filter\":{\"applicationField\":\"" field "\"}}}"
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask(API_BASE "/campaigns", WITH("meters"), 400);
    ask(API_BASE "/campaigns", WITH("ENERGY"), 201);
    const uint64_t campaign = lab_id(&a, "cmp");
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_get(lab.store, "campaign", campaign, name_field, &d), STORE_OK);
    assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    assert_int_equal(store_card_field_put(lab.store, card, "meters"), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    api_id_write(id, "cmp", campaign);
    (void)snprintf(path, sizeof(path), API_BASE "/campaigns/%s/check", id);
    // It shows the field, which is none of those in the published document.
    lab_ask(&lab, &(struct ask){.method = "POST", .target = path, .is_trial = true}, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"targeted\":1,\"eligible\":1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_filter_from_before_fields_had_names_is_checked, open_all,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
