// Receipts of the message centre: dropped, doubled, early, and with ids of another form.
#include "tests/unit/smpp/centre.h"

static void receipts_can_be_dropped(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_DROP_RECEIPT, 0, 2, 0);
    submit_three();
    assert_string_equal(marks(&network), "ABC");
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 1);
}

static void a_receipt_can_come_three_times(void **state)
{
    (void)state;
    add_rule(SMSC_FAULT_DUPLICATE_RECEIPT, 0, 1, 2);
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    assert_string_equal(marks(&network), "A");
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 3);
    assert_int_equal(smsc.counts.duplicated_receipts, 2);
}

// It says delivered while nobody is there to take the message.
static void a_receipt_can_come_before_the_answer(void **state)
{
    (void)state;
    network.deliver_status = ESME_RX_T_APPN;
    add_rule(SMSC_FAULT_EARLY_RECEIPT, 0, 1, 0);
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 1);
    assert_true(server.was_receipt_first);
    assert_int_equal(server.response_count, 1);
    network.deliver_status = ESME_ROK;
    wait_ms(60000);
    assert_int_equal(smsc.counts.delivered, 1);
    assert_int_equal(receipts_of(&server, SMPP_MESSAGE_DELIVERED), 1);
}

// The 31st message of the centre: 0000000031 and 000000001F.
static void ids_are_hexadecimal_on_one_side(void **state)
{
    (void)state;
    smsc.last_id = 30;
    smsc.config.hex_in_answers = true;
    submit_to(&server, "12345", "9990000000001", "", 'A');
    settle();
    assert_string_equal(server.id_in_answer, "000000001F");
    assert_string_equal(server.id_in_receipt, "0000000031");
    smsc.last_id = 30;
    smsc.config.hex_in_answers = false;
    smsc.config.hex_in_receipts = true;
    submit_to(&server, "12345", "9990000000001", "", 'B');
    settle();
    assert_string_equal(server.id_in_answer, "0000000031");
    assert_string_equal(server.id_in_receipt, "000000001F");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(receipts_can_be_dropped),
        TEST(a_receipt_can_come_three_times),
        TEST(a_receipt_can_come_before_the_answer),
        TEST(ids_are_hexadecimal_on_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
