// Parts of the SMSC simulator by themselves: times of SMPP, and fault rules.
#include "common/base/text.h"
#include "smpp/core/smsc.h"
#include "smpp/core/smsc_fault.h"
#include "tests/lib/cmocka_all.h"

// --- times [SMPP 3.4 §7.1.1]: YYMMDDhhmmsst, quarters of an hour, and + - or R ---

#define JAN_2026 INT64_C(1767225600000)    // 2026-01-01T00:00:00Z
#define FEB_28_2024 INT64_C(1709078400000) // before a leap day
#define FEB_28_2025 INT64_C(1740700800000) // before none
#define YEAR_2000 INT64_C(946684800000)
#define LAST_OF_2099 INT64_C(4102444799000) // 2099-12-31T23:59:59Z

static void a_time_is_read_as_the_standard_writes_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t now_ms;
        uint64_t ms;
    } rows[] = {
        {"", JAN_2026, 0},
        {"000000000000000R", JAN_2026, 0},
        {"000000000001000R", JAN_2026, 1000},
        {"000000000100000R", JAN_2026, 60000},
        {"000000010000000R", JAN_2026, 3600000},
        {"000001000000000R", JAN_2026, 86400000},
        {"000100000000000R", JAN_2026, 30 * UINT64_C(86400000)},
        {"010000000000000R", JAN_2026, 365 * UINT64_C(86400000)},
        // 365 + 2 * 30 + 3 days, 4 h, 5 min, 6 s.
        {"010203040506000R", JAN_2026, UINT64_C(36993906000)},
        {"260101000000000+", JAN_2026, 0},
        {"260101000001000+", JAN_2026, 1000},
        {"260101000000500+", JAN_2026, 500},
        {"260101000000900-", JAN_2026, 900},
        {"260101000100000+", JAN_2026, 60000},
        {"260101010000000+", JAN_2026, 3600000},
        {"260101010000004+", JAN_2026, 0},       // an hour east
        {"260101010000004-", JAN_2026, 7200000}, // an hour west
        {"260101120000048+", JAN_2026, 0},
        {"251231120000048-", JAN_2026, 0},
        {"251231235959900+", JAN_2026, 0}, // past
        {"260102000000000+", JAN_2026, 86400000},
        {"260201000000000+", JAN_2026, 31 * UINT64_C(86400000)},
        {"261231000000000+", JAN_2026, 364 * UINT64_C(86400000)},
        {"270101000000000+", JAN_2026, 365 * UINT64_C(86400000)},
        {"240229000000000+", FEB_28_2024, 86400000},
        {"240301000000000+", FEB_28_2024, 2 * 86400000},
        {"250301000000000+", FEB_28_2025, 86400000},
        {"250301000000000+", FEB_28_2024, 367 * UINT64_C(86400000)},
        {"000101000000000+", YEAR_2000, 0},
        {"000301000000000+", YEAR_2000, 60 * UINT64_C(86400000)},
        {"991231235959000+", LAST_OF_2099 - 1000, 1000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t ms = 77;
        const struct utc now = {rows[i].now_ms};
        assert_true(smsc_read_time(bytes_of_text(rows[i].text), now, &ms));
        assert_true(ms == rows[i].ms);
    }
}

static void another_form_is_no_time(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "00000000000000R",
        "0000000000000000R",
        "00000001000000AR",
        "000000010000000X",
        "000000010000000r",
        "260001000000000+",
        "261301000000000+",
        "260100000000000+",
        "260132000000000+",
        "260101240000000+",
        "260101006000000+",
        "260101000060000+",
        "260101000000049+",
        "260101000000049-",
        "26010100000000 +",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t ms = 77;
        const struct utc now = {JAN_2026};
        assert_false(smsc_read_time(bytes_of_text(texts[i]), now, &ms));
        assert_true(ms == 0);
    }
}

// --- fault rules ---

static struct smsc_faults faults;

static struct smsc_rule rule(enum smsc_fault fault, uint32_t value)
{
    return (struct smsc_rule){.fault = fault, .per_million = 1000000, .value = value};
}

static struct smsc_verdict judged(void)
{
    return smsc_faults_judge(&faults, "49170", "1234");
}

static void each_fault_does_what_it_is_called(void **state)
{
    (void)state;
    for (int fault = SMSC_FAULT_NONE; fault <= SMSC_FAULT_LAST; fault++) {
        smsc_faults_init(&faults, 1);
        const struct smsc_rule r = rule((enum smsc_fault)fault, 7);
        assert_int_equal(smsc_faults_add(&faults, &r), 1);
        const struct smsc_verdict v = judged();
        assert_int_equal(v.is_lost, fault == SMSC_FAULT_LOSE);
        assert_int_equal(v.delay_ms, fault == SMSC_FAULT_DELAY ? 7 : 0);
        assert_int_equal(v.copies, fault == SMSC_FAULT_DUPLICATE ? 7 : 0);
        assert_int_equal(v.is_reordered, fault == SMSC_FAULT_REORDER);
        assert_int_equal(v.reorder_ms, fault == SMSC_FAULT_REORDER ? 7 : 0);
        assert_int_equal(v.status, fault == SMSC_FAULT_STATUS ? 7 : ESME_ROK);
        assert_int_equal(v.drops_receipt, fault == SMSC_FAULT_DROP_RECEIPT);
        assert_int_equal(v.drops_response, fault == SMSC_FAULT_DROP_RESPONSE);
        assert_int_equal(v.cuts_link, fault == SMSC_FAULT_CUT_LINK);
        assert_int_equal(v.receipt_copies, fault == SMSC_FAULT_DUPLICATE_RECEIPT ? 7 : 0);
        assert_int_equal(v.receipt_is_early, fault == SMSC_FAULT_EARLY_RECEIPT);
        // By its name there and back.
        const char *name = smsc_fault_name((enum smsc_fault)fault);
        assert_int_equal(smsc_fault_by_name(bytes_of_text(name)), fault);
    }
    assert_int_equal(smsc_fault_by_name(bytes_of_text("explode")), SMSC_FAULT_NONE);
}

static void faults_of_one_message_add_up(void **state)
{
    (void)state;
    smsc_faults_init(&faults, 1);
    const struct smsc_rule rules[] = {rule(SMSC_FAULT_DELAY, 100), rule(SMSC_FAULT_DELAY, 30),
                                      rule(SMSC_FAULT_DUPLICATE, 9), rule(SMSC_FAULT_DUPLICATE, 6),
                                      rule(SMSC_FAULT_LOSE, 0)};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(smsc_faults_add(&faults, &rules[i]), i + 1);
    struct smsc_verdict v = judged();
    assert_int_equal(v.delay_ms, 130);
    assert_int_equal(v.copies, 15);
    assert_true(v.is_lost);
    const struct smsc_rule more = rule(SMSC_FAULT_DUPLICATE, 2);
    assert_int_equal(smsc_faults_add(&faults, &more), 6);
    assert_int_equal(judged().copies, 16); // at most
}

static void a_rule_passes_some_and_hits_so_many(void **state)
{
    (void)state;
    smsc_faults_init(&faults, 1);
    struct smsc_rule r = rule(SMSC_FAULT_LOSE, 0);
    r.skip = 2;
    r.count = 3;
    assert_int_equal(smsc_faults_add(&faults, &r), 1);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(judged().is_lost, i >= 2 && i < 5);
    assert_int_equal(faults.rules[0].matched, 8);
    assert_int_equal(faults.rules[0].hit, 3);
    // Without a chance it hits nothing, and with none left over it goes on for ever.
    smsc_faults_init(&faults, 1);
    r.per_million = 0;
    r.skip = 0;
    assert_int_equal(smsc_faults_add(&faults, &r), 1);
    assert_false(judged().is_lost);
    assert_int_equal(faults.rules[0].hit, 0);
}

static void a_rule_is_for_addresses_that_begin_so(void **state)
{
    (void)state;
    static const struct {
        const char *source, *destination;
        bool hits;
    } rows[] = {
        {"", "", true},    {"49", "", true},   {"49170", "", true}, {"491700", "", false},
        {"50", "", false}, {"", "12", true},   {"", "1234", true},  {"", "12345", false},
        {"", "2", false},  {"49", "12", true}, {"49", "3", false},  {"5", "12", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        smsc_faults_init(&faults, 1);
        struct smsc_rule r = rule(SMSC_FAULT_LOSE, 0);
        memcpy(r.source, rows[i].source, strlen(rows[i].source) + 1);
        memcpy(r.destination, rows[i].destination, strlen(rows[i].destination) + 1);
        assert_int_equal(smsc_faults_add(&faults, &r), 1);
        assert_int_equal(judged().is_lost, rows[i].hits);
        assert_int_equal(faults.rules[0].matched, rows[i].hits);
    }
}

static void rules_come_and_go(void **state)
{
    (void)state;
    smsc_faults_init(&faults, 1);
    for (uint32_t i = 0; i < SMSC_RULES_MAX; i++) {
        const struct smsc_rule r = rule(SMSC_FAULT_DELAY, 1u << (i % 16));
        assert_int_equal(smsc_faults_add(&faults, &r), i + 1);
    }
    const struct smsc_rule r = rule(SMSC_FAULT_LOSE, 0);
    assert_int_equal(smsc_faults_add(&faults, &r), 0);
    assert_false(smsc_faults_remove(&faults, 99));
    assert_true(smsc_faults_remove(&faults, 1));
    assert_false(smsc_faults_remove(&faults, 1));
    assert_int_equal(faults.rule_count, SMSC_RULES_MAX - 1);
    assert_int_equal(faults.rules[0].id, 2);
    assert_int_equal(faults.rules[SMSC_RULES_MAX - 2].id, SMSC_RULES_MAX);
    assert_true(smsc_faults_remove(&faults, SMSC_RULES_MAX));
    assert_int_equal(smsc_faults_add(&faults, &r), SMSC_RULES_MAX + 1); // no id twice
    assert_true(judged().is_lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_read_as_the_standard_writes_it),
        cmocka_unit_test(another_form_is_no_time),
        cmocka_unit_test(each_fault_does_what_it_is_called),
        cmocka_unit_test(faults_of_one_message_add_up),
        cmocka_unit_test(a_rule_passes_some_and_hits_so_many),
        cmocka_unit_test(a_rule_is_for_addresses_that_begin_so),
        cmocka_unit_test(rules_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
