// CONFIGURE: what it reads, what it refuses, and the times that new values change at once.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;
static const struct bytes none;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static const struct result *ask(struct bytes writes, struct bytes reads)
{
    struct command c = bench_configure(&card, writes, reads);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->status, 0);
    return &s->result;
}

static void refused(struct bytes writes, struct bytes reads, enum result_code code)
{
    const struct applet_dump before = bench_dump(&card);
    assert_int_equal(ask(writes, reads)->code, code);
    const struct applet_dump after = bench_dump(&card);
    assert_memory_equal(&after.image.parameters, &before.image.parameters,
                        sizeof after.image.parameters);
    assert_int_equal(after.image.configuration_version, before.image.configuration_version);
}

static void what_is_asked_for_is_read(void **state)
{
    (void)state;
    const uint8_t two[] = {PARAMETER_T_COUNTRY, PARAMETER_AUTO_MODE};
    const uint8_t expected[] = {0, 0, PARAMETER_AUTO_MODE, 1, 2, PARAMETER_T_COUNTRY, 2, 0, 120};
    const struct result *r = ask(none, bytes_of(two, sizeof two));
    assert_int_equal(r->code, RESULT_OK);
    assert_true(bytes_equal(r->data, bytes_of(expected, sizeof expected)));
    const uint8_t last[] = {PARAMETER_LAST}; // the address of the factory
    const uint8_t address[] = {0, 0, PARAMETER_SERVER_ADDR, 4, 0x91, 0x21, 0x43, 0x65};
    r = ask(none, bytes_of(last, 1));
    assert_true(bytes_equal(r->data, bytes_of(address, sizeof address)));
}

static void only_parameters_that_there_are_can_be_read(void **state)
{
    (void)state;
    const uint8_t zero[] = {0};
    const uint8_t behind[] = {PARAMETER_AUTO_MODE, PARAMETER_LAST + 1};
    const uint8_t all_twice[] = {0xFF, 0xFF}; // all of them is said alone
    refused(none, bytes_of(zero, 1), RESULT_UNKNOWN_PARAMETER);
    refused(none, bytes_of(behind, 2), RESULT_UNKNOWN_PARAMETER);
    refused(none, bytes_of(all_twice, 2), RESULT_UNKNOWN_PARAMETER);
    const uint8_t write[] = {PARAMETER_AUTO_MODE, 1, 1};
    refused(bytes_of(write, 3), bytes_of(zero, 1), RESULT_UNKNOWN_PARAMETER);
}

static void a_list_that_is_cut_is_bad_format(void **state)
{
    (void)state;
    const uint8_t list[] = {PARAMETER_AUTO_MODE, 1, 1, PARAMETER_AUTO_MODE};
    refused(bytes_of(list, 4), none, RESULT_BAD_FORMAT);
    const uint8_t value[] = {PARAMETER_T_ATTACH, 2, 0};
    refused(bytes_of(value, 3), none, RESULT_BAD_FORMAT);
    refused(bytes_of(value, 1), none, RESULT_BAD_FORMAT);
}

static void what_does_not_fit_the_memory_is_refused(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    card.port.nvm_size = applet_nvm_size(2, 1);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    uint8_t table[2 + 16 * 13] = {PARAMETER_COUNTRY_TABLE, 16 * 13};
    for (size_t i = 0; i < 16; i++) {
        const uint8_t plmn[3] = {0x62, 0xF2, (uint8_t)(i << 4)};
        memcpy(table + 2 + i * 13, plmn, 3);
        bench_imsi(2, table + 2 + i * 13 + 3);
        table[2 + i * 13 + 12] = COUNTRY_PREFER;
    }
    refused(bytes_of(table, sizeof table), none, RESULT_NO_MEMORY);
    table[1] = 13;
    assert_int_equal(ask(bytes_of(table, 2 + 13), none)->code, RESULT_OK);
}

static void the_heartbeat_is_counted_anew_or_off(void **state)
{
    (void)state;
    const uint8_t on[] = {PARAMETER_HEARTBEAT, 2, 0, 2};
    const uint8_t off[] = {PARAMETER_HEARTBEAT, 2, 0, 0};
    bench_set(&card, on, sizeof on);
    assert_int_equal(bench_dump(&card).image.dues.heartbeat, card.applet.now_s + 2 * 3600);
    bench_set(&card, off, sizeof off);
    assert_int_equal(bench_dump(&card).image.dues.heartbeat, 0);
}

static void the_terminal_is_told_of_another_polling_period(void **state)
{
    (void)state;
    const uint8_t period[] = {PARAMETER_POLL_PERIOD, 1, 60};
    unsigned asked[256];
    memcpy(asked, card.asked, sizeof asked);
    bench_set(&card, period, sizeof period);
    assert_int_equal(card.applet.poll_period_s, 60);
    assert_int_equal(card.asked[CAT_POLL_INTERVAL], asked[CAT_POLL_INTERVAL] + 1);
    cat_profile_set(card.profile, sizeof card.profile, CAT_FEATURE_POLL_INTERVAL, false);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const uint8_t other[] = {PARAMETER_POLL_PERIOD, 1, 90};
    memcpy(asked, card.asked, sizeof asked);
    bench_set(&card, other, sizeof other);
    assert_int_equal(card.applet.todo, 0); // it could not be
    assert_int_equal(card.asked[CAT_POLL_INTERVAL], asked[CAT_POLL_INTERVAL]);
    assert_int_equal(card.asked[CAT_SET_UP_EVENT_LIST], asked[CAT_SET_UP_EVENT_LIST]);
}

static void an_address_that_is_given_up_is_forgotten(void **state)
{
    (void)state;
    static const uint8_t other[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x21, 0x43, 0x66};
    static const uint8_t former[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x21, 0x43, 0x65};
    bench_set(&card, other, sizeof other);
    assert_int_equal(bench_dump(&card).image.address_new.len, 4);
    bench_set(&card, former, sizeof former);
    assert_int_equal(bench_dump(&card).image.address_new.len, 0);
    assert_false(bench_is_pending(&card, NOTIFY_ADDRESS_CHECK));
}

static void return_and_reuse_limit_count_from_now_where_a_card_went_by_itself(void **state)
{
    (void)state;
    const uint8_t limit[] = {PARAMETER_REUSE_LIMIT, 2, 0, 3};
    const uint8_t one_day[] = {PARAMETER_REUSE_LIMIT, 2, 0, 1};
    const uint8_t no_limit[] = {PARAMETER_REUSE_LIMIT, 2, 0, 0};
    const uint8_t other[] = {PARAMETER_REUSE_LIMIT, 2, 0, 4};
    const uint8_t never[] = {PARAMETER_T_RETURN, 4, 0, 0, 0, 0};
    const uint8_t quick[] = {PARAMETER_JITTER_MAX, 2, 0, 0};
    bench_set(&card, quick, sizeof quick);
    bench_settle_on(&card, 2);
    bench_set(&card, other, sizeof other); // a person's choice is not left
    assert_int_equal(bench_dump(&card).image.dues.reuse, 0);
    bench_rotate_away(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_true(bench_dump(&card).image.is_automatic);
    bench_set(&card, limit, sizeof limit);
    assert_int_equal(bench_dump(&card).image.dues.reuse, card.applet.now_s + 3 * 86400);
    bench_set(&card, one_day, sizeof one_day);
    assert_int_equal(bench_dump(&card).image.dues.reuse, card.applet.now_s + 86400);
    bench_set(&card, no_limit, sizeof no_limit);
    assert_int_equal(bench_dump(&card).image.dues.reuse, 0);
    assert_true(bench_dump(&card).image.dues.back != 0);
    bench_set(&card, never, sizeof never);
    assert_int_equal(bench_dump(&card).image.dues.back, 0);
}

static void reading_is_possible_while_a_switch_is_open(void **state)
{
    (void)state;
    const uint8_t mode[] = {PARAMETER_AUTO_MODE};
    const uint8_t write[] = {PARAMETER_AUTO_MODE, 1, 1};
    bench_enable(&card, 2);
    assert_int_equal(ask(none, bytes_of(mode, 1))->code, RESULT_OK);
    assert_int_equal(ask(bytes_of(write, 3), none)->code, RESULT_BUSY_SWITCHING);
}

static void keys_of_each_length_are_taken(void **state)
{
    (void)state;
    static const struct {
        uint8_t k_len;
        uint8_t op_len;
    } lengths[] = {{16, 32}, {32, 32}};
    for (uint8_t i = 0; i < 2; i++) {
        struct command c = bench_download(&card, (uint8_t)(3 + i), 0);
        struct network_keys keys = {.k = {.len = lengths[i].k_len},
                                    .op = {.len = lengths[i].op_len}};
        keys.k.octets[15] = 0x5A;
        keys.op.octets[31] = 0xA5;
        struct keywrap_block block;
        assert_int_equal(keywrap_seal(&card.cipher, &card.factory.kik, c.operation_id, &keys,
                                      c.download.imsi, &block),
                         KEYWRAP_OK);
        c.download.wrapped_keys = bytes_of(block.octets, block.len);
        memcpy(c.download.check, block.check, sizeof c.download.check);
        const struct sent *s = bench_command(&card, &c);
        assert_non_null(s);
        assert_int_equal(s->result.code, RESULT_OK);
        assert_true(memory_load(&card.applet, &card.port));
        const struct network_keys *there = &card.work.image.slots[2 + i].keys;
        assert_int_equal(there->k.len, lengths[i].k_len);
        assert_int_equal(there->op.len, lengths[i].op_len);
        assert_memory_equal(there->k.octets, keys.k.octets, lengths[i].k_len);
        assert_memory_equal(there->op.octets, keys.op.octets, lengths[i].op_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_asked_for_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(only_parameters_that_there_are_can_be_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_list_that_is_cut_is_bad_format, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_the_memory_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_heartbeat_is_counted_anew_or_off, setup, teardown),
        cmocka_unit_test_setup_teardown(the_terminal_is_told_of_another_polling_period, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_address_that_is_given_up_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(
            return_and_reuse_limit_count_from_now_where_a_card_went_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_is_possible_while_a_switch_is_open, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(keys_of_each_length_are_taken, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
