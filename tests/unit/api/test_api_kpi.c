// Key figures over the interface: whose they are, of when, and in which form.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define KPIS API_BASE "/kpis"
#define HOUR ((int64_t)3600 * 1000)
#define OTHER 77

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

static void ask(const char *token, const char *target, const char *accept)
{
    lab_ask(
        &lab,
        &(struct ask){.method = "GET", .target = target, .authorization = token, .accept = accept},
        &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

// As the turn adds it: to the enterprise, and to all.
static void count(uint64_t tenant, int64_t hours_ago, struct figure_count what)
{
    struct figure_tally t = {
        .tenant = tenant, .at = utc_after(lab.now.utc, -hours_ago * HOUR), .what = what};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_tally_add(lab.store, &t), STORE_OK);
    t.tenant = 0;
    assert_int_equal(store_tally_add(lab.store, &t), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static struct figure_count enables(uint8_t outcome, int64_t times)
{
    return (struct figure_count){FIGURE_ENDED, figure_ended(OPERATION_ENABLE, outcome), times};
}

#define ENABLE_IN(window)                                                                          \
    "rolled_back + expired + unresolved)\",\"type\":\"enable\",\"window\":\"" window               \
    "\",\"unit\":\"percent\","

static void a_figure_names_its_definition_and_its_window(void **state)
{
    (void)state;
    count(LAB_TENANT, 0, enables(OUTCOME_DONE, 39));
    count(LAB_TENANT, 23, enables(OUTCOME_FAILED, 1));
    count(LAB_TENANT, 25, enables(OUTCOME_FAILED, 1000));
    ask(NULL, KPIS, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("{\"window\":\"24h\",\"from\":\""));
    assert_true(has("{\"id\":\"operation-success-rate\",\"definition\":\"Operations that ended: "
                    "done / (done + failed + " ENABLE_IN("24h") "\"value\":97.5,\"part\":39,"
                                                                "\"whole\":40}"));
    assert_true(has("\"type\":\"delete\",\"window\":\"24h\",\"unit\":\"percent\",\"part\":0,"
                    "\"whole\":0}")); // of nothing: no value
    ask(NULL, KPIS "?window=7d", NULL);
    assert_true(has(ENABLE_IN("7d") "\"value\":3.8,\"part\":39,\"whole\":1040}"));
    ask(NULL, KPIS "?window=1h", NULL);
    assert_true(has(ENABLE_IN("1h") "\"value\":100.0,\"part\":39,\"whole\":39}"));
}

// 95 of 100 within 30 s, 4 within 45 s, one longer than a week.
static void durations_have_percentiles_and_classes(void **state)
{
    (void)state;
    count(LAB_TENANT, 1, (struct figure_count){FIGURE_TIME_POR, figure_class(30000), 95});
    count(LAB_TENANT, 2, (struct figure_count){FIGURE_TIME_POR, figure_class(31000), 4});
    count(LAB_TENANT, 3, (struct figure_count){FIGURE_TIME_POR, FIGURE_CLASSES - 1, 1});
    ask(NULL, KPIS, NULL);
    assert_true(has("\"unit\":\"seconds\",\"count\":100,\"p50\":30,\"p95\":30,\"p99\":45,"
                    "\"histogram\":[{\"upTo\":30,\"count\":95},{\"upTo\":45,\"count\":4},"
                    "{\"count\":1}]}"));
    assert_true(has("\"unit\":\"seconds\",\"count\":0,\"histogram\":[]}"));
}

static void cards_count_as_they_stand(void **state)
{
    (void)state;
    struct record record;
    struct record next;
    for (unsigned i = 0; i < 4; i++) {
        char iccid[21];
        char imsis[2][16];
        (void)snprintf(iccid, sizeof(iccid), "8999900000000000%02u1", 10 + i);
        (void)snprintf(imsis[0], sizeof(imsis[0]), "9999900000001%02u", i);
        (void)snprintf(imsis[1], sizeof(imsis[1]), "9999900000002%02u", i);
        const uint64_t card = lab_card_of(&lab, iccid, imsis[0], imsis[1], &record);
        assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
        next = record;
        next.version++;
        next.state = i == 3 ? CARD_RETIRED : CARD_OPERATIONAL;
        next.marks = i == 0 || i == 3 ? 1u << MARK_DIRTY : 0; // the retired one does not count
        assert_int_equal(store_begin(lab.store), STORE_OK);
        assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
        assert_int_equal(store_commit(lab.store), STORE_OK);
    }
    ask(NULL, KPIS "?window=1h", NULL);
    assert_true(
        has("{\"id\":\"dirty-rate\",\"definition\":\"Cards that are dirty / cards that were "
            "seen and are not retired\",\"window\":\"now\",\"unit\":\"percent\","
            "\"value\":33.3,\"part\":1,\"whole\":3}"));
}

static void an_enterprise_sees_its_own_figures_only(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char path[128];
    char id[API_ID_SIZE];
    lab_client(&lab, "reports:read", OTHER, token);
    count(OTHER, 0, enables(OUTCOME_DONE, 2));
    count(LAB_TENANT, 0, enables(OUTCOME_DONE, 5));
    ask(token, KPIS, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has(ENABLE_IN("24h") "\"value\":100.0,\"part\":2,\"whole\":2}"));
    ask(NULL, KPIS, NULL);
    assert_true(has(ENABLE_IN("24h") "\"value\":100.0,\"part\":7,\"whole\":7}"));
    api_id_write(id, "ent", OTHER);
    (void)snprintf(path, sizeof(path), KPIS "?enterpriseId=%s", id);
    ask(NULL, path, NULL);
    assert_true(has(ENABLE_IN("24h") "\"value\":100.0,\"part\":2,\"whole\":2}"));
    assert_true(has("\"enterpriseId\":\"ent_"));
    api_id_write(id, "ent", LAB_TENANT);
    (void)snprintf(path, sizeof(path), KPIS "?enterpriseId=%s", id);
    ask(token, path, NULL);
    assert_int_equal(a.status, 404);
    ask(token, KPIS "?enterpriseId=x", NULL);
    assert_int_equal(a.status, 404);
}

static void figures_come_as_lines_too(void **state)
{
    (void)state;
    count(LAB_TENANT, 0, enables(OUTCOME_DONE, 2));
    ask(NULL, KPIS "?window=30d", "text/csv");
    assert_int_equal(a.status, 200);
    assert_int_equal(strncmp(a.body,
                             "id,type,window,from,to,unit,value,part,whole,p50,p95,p99,"
                             "definition\r\n\"operation-success-rate\",\"download\",\"30d\"",
                             100),
                     0);
    assert_true(has("\"percent\",100.0,2,2,,,,\"Operations that ended"));
    ask(NULL, KPIS, "image/png");
    assert_int_equal(a.status, 406);
    ask(NULL, KPIS "?window=2h", NULL);
    assert_int_equal(a.status, 400);
}

static void what_is_wrong_is_a_metric(void **state)
{
    (void)state;
    ask(NULL, "/metrics", "text/plain");
    assert_true(has("# TYPE otaria_alarms gauge\n") && !has("otaria_alarms{"));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    const char *const bodies[] = {"crd_1", "crd_2", "crd_3"};
    for (unsigned i = 0; i < 3; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "security.failures %s", bodies[i]);
        const struct document d = {.kind = "alarm",
                                   .id = 500 + i,
                                   .name = name,
                                   .state = i, // cleared, open, acknowledged
                                   .created_at = lab.now.utc,
                                   .body = bytes_of_text("{}")};
        assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask(NULL, "/metrics", "text/plain");
    assert_true(has("otaria_alarms{key=\"security.failures\"} 2\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(a_figure_names_its_definition_and_its_window),
        TEST(durations_have_percentiles_and_classes),
        TEST(cards_count_as_they_stand),
        TEST(an_enterprise_sees_its_own_figures_only),
        TEST(figures_come_as_lines_too),
        TEST(what_is_wrong_is_a_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
