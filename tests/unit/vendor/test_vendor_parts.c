// The parts below the importer: vendor profile, number rules, the set of values, and the generator.
#include "tests/lib/cmocka_all.h"

#include "profiles/vendor/line_set.h"
#include "profiles/vendor/seen.h"
#include "profiles/vendor/shell/make_batch.h"
#include "profiles/vendor/shell/scratch_host.h"
#include "profiles/vendor/values.h"
#include "tests/unit/vendor/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char good_profile[] =
    "{\"vendor\":\"v\",\"version\":1,\"layouts\":[\"csv\"],\"customers\":{\"C\":\"tenant:t\"},"
    "\"columns\":{\"ICCID\":\"card.iccid\",\"KEY\":\"slot16.k\",\"NOTE\":\"info7\"},"
    "\"operators\":{\"99970\":\"A\",\"999701\":\"B\"},\"applet_levels\":{\"2\":\"3\"}}";

static struct vendor_profile *open_text(const char *text, char error[PROFILE_ERROR_SIZE])
{
    return profile_open(bytes_of_text(text), error);
}

static void a_profile_maps_names_customers_operators_and_levels(void **state)
{
    (void)state;
    char error[PROFILE_ERROR_SIZE];
    struct vendor_profile *p = open_text(good_profile, error);
    assert_non_null(p);
    const struct profile_column *key = profile_column(p, bytes_of_text("key"), false);
    assert_non_null(key);
    assert_int_equal(key->meaning.name, VENDOR_KI);
    assert_int_equal(key->meaning.number, 16);
    assert_int_equal(profile_column(p, bytes_of_text("NOTE"), false)->meaning.number, 7);
    assert_null(profile_column(p, bytes_of_text("KI1"), false));
    assert_string_equal(profile_tenant(p, bytes_of_text("C")), "t");
    assert_null(profile_tenant(p, bytes_of_text("c")));
    assert_string_equal(profile_operator(p, bytes_of_text("999700000000001")), "A");
    assert_string_equal(profile_operator(p, bytes_of_text("999701000000001")), "B");
    assert_null(profile_operator(p, bytes_of_text("262010000000001")));
    assert_int_equal(profile_level(p, 2), 3);
    assert_int_equal(profile_level(p, 3), 0);
    profile_close(p);
}

static void a_profile_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *told;
    } cases[] = {
        {"\"version\":1,", "", "version"},
        {"\"version\":1", "\"version\":0", "version"},
        {"\"version\":1", "\"version\":1,\"version\":2", "not JSON"},
        {"\"version\":1", "\"version\":1,\"colour\":\"red\"", "colour"},
        {"[\"csv\"]", "[\"xml\"]", "layouts"},
        {"tenant:t", "t", "customers"},
        {"slot16.k", "slot17.k", "KEY"},
        {"slot16.k", "slot.k", "KEY"},
        {"\"NOTE\"", "\"key\"", "columns"},
        {"\"99970\"", "\"9997x\"", "operators"},
        {"{\"2\":\"3\"}", "{\"2\":3}", "applet_levels"},
        {"\"applet_levels\"", "\"required\":[\"KX1\"],\"applet_levels\"", "KX1"},
        {"\"applet_levels\"", "\"products\":{\"1\":{\"record\":[]}},\"applet_levels\"", "products"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        char error[PROFILE_ERROR_SIZE] = "";
        const char *at = strstr(good_profile, cases[i].from);
        assert_non_null(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good_profile), good_profile,
                       cases[i].to, at + strlen(cases[i].from));
        assert_null(open_text(text, error));
        assert_non_null(strstr(error, cases[i].told));
    }
}

static void assert_number(const struct number_rule *rule, const char *text,
                          enum number_verdict verdict, const char *stored)
{
    char number[NUMBER_SIZE];
    assert_int_equal(number_read(rule, bytes_of_text(text), number), verdict);
    assert_string_equal(number, stored);
}

static void number_rules_hold_at_their_edges(void **state)
{
    (void)state;
    assert_number(&number_rule_e164, "1234", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_e164, "12345", NUMBER_OK, "12345");
    assert_number(&number_rule_e164, "123456789012345", NUMBER_OK, "123456789012345");
    assert_number(&number_rule_e164, "1234567890123456", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_e164, "+4912345", NUMBER_OK, "4912345");
    assert_number(&number_rule_e164, "12 345", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_e164, "", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_cn_iot, "144000000001", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_cn_iot, "1440000000001", NUMBER_OK, "1440000000001");
    assert_number(&number_rule_cn_iot, "14400000000012", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_cn_iot, "861440000000001", NUMBER_OK, "1440000000001");
    assert_number(&number_rule_cn_iot, "871440000000001", NUMBER_BREAKS_RULE, "");
    assert_number(&number_rule_cn_iot, "8612345678901", NUMBER_AMBIGUOUS, "");
}

static void a_set_of_values_remembers_the_first_place_and_grows(void **state)
{
    (void)state;
    struct seen s;
    struct seen_place first = {0};
    assert_true(seen_open(&s, 0, 42));
    for (uint32_t i = 0; i < 10000; i++) {
        const struct seen_place place = {.line = i + 1, .column = (uint8_t)(i % 128)};
        assert_int_equal(seen_add(&s, i * UINT64_C(1000003), place, &first), SEEN_NEW);
    }
    const struct seen_place again = {.line = (1U << 24) - 1, .column = 127};
    assert_int_equal(seen_add(&s, UINT64_C(9999) * 1000003, again, &first), SEEN_AGAIN);
    assert_int_equal(first.line, 10000);
    assert_int_equal(first.column, 9999 % 128);
    assert_int_equal(seen_add(&s, UINT64_C(9999) * 1000003, again, &first), SEEN_REPEATED);
    assert_int_equal(first.line, 10000);
    // Zero is a value like any other.
    assert_int_equal(seen_add(&s, 0, again, &first), SEEN_AGAIN);
    assert_int_equal(first.line, 1);
    seen_close(&s);
}

struct told {
    uint32_t lines[8], firsts[8];
    bool repeated[8];
    size_t count;
};

static bool tell(void *context, const struct value_note *note, const struct seen_place *first,
                 bool is_repeated)
{
    struct told *t = context;
    assert_true(t->count < 8);
    t->lines[t->count] = note->line;
    t->firsts[t->count] = first->line;
    t->repeated[t->count++] = is_repeated;
    return true;
}

// More values than a pass takes, so that they are compared in many.
static void values_are_told_once_each_time_that_they_come_again(void **state)
{
    (void)state;
    struct vendor_scratch scratch;
    struct values v;
    struct told told = {.count = 0};
    assert_true(vendor_scratch_open(&scratch, NULL));
    assert_true(values_open(&v, &scratch, 42));
    v.table = 100;
    for (uint32_t i = 0; i < 2 * VALUES_BUFFERED + 1; i++) {
        const struct value_note note = {.value = i, .line = i + 1, .kind = i % 2};
        assert_true(values_add(&v, &note));
    }
    // 7 came in line 8 as an IMSI: once more as an ICCID is new, twice more as an IMSI is not.
    const struct value_note more[] = {{.value = 7, .line = 9001, .kind = VALUES_ICCID},
                                      {.value = 7, .line = 9002, .kind = VALUES_IMSI},
                                      {.value = 7, .line = 9003, .kind = VALUES_IMSI}};
    for (size_t i = 0; i < 3; i++)
        assert_true(values_add(&v, &more[i]));
    assert_true(values_compare(&v, tell, &told));
    assert_int_equal(told.count, 2);
    assert_int_equal(told.lines[0], 9002);
    assert_int_equal(told.lines[1], 9003);
    assert_true(told.firsts[0] == 8 && told.firsts[1] == 8);
    assert_true(!told.repeated[0] && told.repeated[1]);
    values_close(&v);
    uint8_t left[1];
    size_t got = 1;
    assert_true(scratch.rewind(scratch.context));
    assert_true(scratch.read(scratch.context, left, sizeof(left), &got));
    assert_int_equal(got, 0);
    // What is read next knows nothing of it.
    assert_true(values_open(&v, &scratch, 42));
    assert_true(values_add(&v, &more[1]) && values_compare(&v, tell, &told));
    assert_int_equal(told.count, 2);
    values_close(&v);
    vendor_scratch_close(&scratch);
}

static void a_set_of_lines_counts_without_another(void **state)
{
    (void)state;
    struct line_set a = {0};
    struct line_set b = {0};
    assert_true(line_set_add(&a, 1) && line_set_add(&a, 9) && line_set_add(&a, 4000));
    assert_true(line_set_add(&b, 9) && line_set_add(&b, 10));
    assert_true(line_set_has(&a, 4000) && !line_set_has(&a, 4001) && !line_set_has(&a, 1U << 30));
    assert_int_equal(line_set_count(&a, &b), 2);
    assert_int_equal(line_set_count(&b, &a), 1);
    line_set_close(&a);
    line_set_close(&b);
}

static void make(struct lab *l, bool is_pool, uint64_t first, uint64_t count, const char *batch)
{
    struct make_options o = {.cipher = &l->cipher,
                             .digest = l->options.file.digest,
                             .seed = 7,
                             .first = first,
                             .count = count,
                             .batch = batch,
                             .customer = "NORDWIND-IOT"};
    char *text = NULL;
    size_t len = 0;
    o.to = open_memstream(&text, &len);
    assert_non_null(o.to);
    assert_true(l->options.file.transport_key(l, 7, TRANSPORT_AUC, &o.transport_auc));
    assert_true(l->options.file.transport_key(l, 12, TRANSPORT_OTA, &o.transport_ota));
    assert_true(is_pool ? make_pool(&o) : make_cards(&o));
    assert_int_equal(fclose(o.to), 0);
    assert_true(len < LAB_FILE_MAX);
    lab_text(l, text);
    free(text);
}

static void a_made_batch_loads_without_any_finding(void **state)
{
    struct lab *l = *state;
    make(l, false, 95, 10, "M1");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.loaded, 10);
    assert_int_equal(l->report.findings.listed_count, 0);
}

static void made_batches_that_overlap_have_equal_cards(void **state)
{
    struct lab *l = *state;
    make(l, false, 1, 6, "M1");
    lab_run(l);
    make(l, false, 5, 6, "M2");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.unchanged, 2);
    assert_int_equal(l->report.loaded, 4);
}

static void a_made_pool_loads_without_any_finding(void **state)
{
    struct lab *l = *state;
    make(l, true, 1, 12, "P1");
    l->options.file.kind = VENDOR_POOL;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->subscription_count, 12);
    assert_int_equal(l->report.findings.listed_count, 0);
}

static void made_pools_that_overlap_have_equal_subscriptions(void **state)
{
    struct lab *l = *state;
    l->options.file.kind = VENDOR_POOL;
    make(l, true, 1, 6, "P1");
    lab_run(l);
    make(l, true, 5, 6, "P2");
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->report.unchanged, 2);
    assert_int_equal(l->report.loaded, 4);
    // The same IMSI with another key is not taken.
    l->subscriptions[0].k.octets[0] ^= 1;
    make(l, true, 1, 6, "P3");
    lab_refuses(l, IMP_212, 11, "imsi");
    assert_int_equal(l->report.quarantined, 1);
}

static void an_import_cancelled_while_loading_is_aborted(void **state)
{
    struct lab *l = *state;
    make(l, true, 1, 1024, "P2");
    l->options.file.kind = VENDOR_POOL;
    l->cancelled_pass = 2;
    assert_int_equal(lab_try(l), IMPORT_CANCELLED);
    assert_int_equal(l->begun, 1);
    assert_int_equal(l->aborted, 1);
    assert_int_equal(l->committed, 0);
    assert_int_equal(l->report.loaded, 0);
}

static void an_applet_version_is_its_first_three_numbers(void **state)
{
    (void)state;
    static const struct {
        struct vendor_applet applet;
        uint8_t version[3];
    } versions[] = {
        {{.version = "2.4.0"}, {2, 4, 0}},   {{.version = "2.4"}, {2, 4, 0}},
        {{.version = ""}, {0, 0, 0}},        {{.version = "255.256.7"}, {255, 0, 7}},
        {{.version = "3.x.1.9"}, {3, 0, 1}},
    };
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        uint8_t version[3];
        vendor_applet_version(&versions[i].applet, version);
        assert_memory_equal(version, versions[i].version, 3);
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_maps_names_customers_operators_and_levels),
        cmocka_unit_test(a_profile_is_read_strictly),
        cmocka_unit_test(number_rules_hold_at_their_edges),
        cmocka_unit_test(an_applet_version_is_its_first_three_numbers),
        cmocka_unit_test(a_set_of_values_remembers_the_first_place_and_grows),
        cmocka_unit_test(values_are_told_once_each_time_that_they_come_again),
        cmocka_unit_test(a_set_of_lines_counts_without_another),
        CASE(a_made_batch_loads_without_any_finding),
        CASE(made_batches_that_overlap_have_equal_cards),
        CASE(a_made_pool_loads_without_any_finding),
        CASE(made_pools_that_overlap_have_equal_subscriptions),
        CASE(an_import_cancelled_while_loading_is_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
