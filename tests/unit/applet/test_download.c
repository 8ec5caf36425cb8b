// What a DOWNLOAD may say about its subscription, and what it leaves to the template.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/applet/bench_card.h"

static struct bench_card card;

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

static uint8_t code_of(struct command c)
{
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->status, 0);
    return s->result.code;
}

static void refused(struct command c)
{
    struct applet_dump before = bench_dump(&card);
    assert_int_equal(code_of(c), RESULT_BAD_DATA);
    struct applet_dump after = bench_dump(&card);
    assert_memory_equal(after.image.slots, before.image.slots, sizeof after.image.slots);
    assert_int_equal(after.image.registry_version, before.image.registry_version);
}

static void give_role(struct command_download *d, uint8_t role)
{
    d->has_role = true;
    d->role = role;
}

static void give_rank(struct command_download *d, uint8_t rank)
{
    d->has_rank = true;
    d->rank = rank;
}

static void give_mnc_length(struct command_download *d, uint8_t length)
{
    d->has_mnc_length = true;
    d->mnc_length = length;
}

static void give_marks(struct command_download *d, uint8_t marks)
{
    d->has_marks = true;
    d->marks = marks;
}

// 89 and 17 digits more; a filler ends it.
static void give_iccid(struct command_download *d, uint8_t last)
{
    static const uint8_t iccid[COMMAND_ICCID_SIZE] = {0x98, 0x10, 0x32, 0x54, 0x76,
                                                      0x98, 0x10, 0x32, 0x54, 0xF0};
    d->iccid.is_given = true;
    d->iccid.is_iccid = true;
    memcpy(d->iccid.iccid, iccid, sizeof iccid);
    d->iccid.iccid[9] = (uint8_t)(0xF0 | last);
}

static void a_value_out_of_range_is_bad_data(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    give_role(&c.download, ROLE_TEST + 1);
    refused(c);
    c = bench_download(&card, 3, 0);
    give_rank(&c.download, 0);
    refused(c);
    static const uint8_t lengths[] = {0, 1, 4};
    for (size_t i = 0; i < sizeof lengths; i++) {
        c = bench_download(&card, 3, 0);
        give_mnc_length(&c.download, lengths[i]);
        refused(c);
    }
    c = bench_download(&card, 3, 0);
    give_marks(&c.download, 0x08);
    refused(c);
    c = bench_download(&card, 3, 0);
    give_marks(&c.download, 0x80);
    refused(c);
}

static void a_number_that_is_none_is_bad_data(void **state)
{
    (void)state;
    static const uint8_t numbers[][3] = {
        {0x91, 0xFF, 0xFF}, // no digit
        {0x91, 0xF1, 0x32}, // a digit behind the end
        {0x91, 0x1F, 0x32}, // a hole in front
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct command c = bench_download(&card, 3, 0);
        c.download.smsc = bytes_of(numbers[i], 3);
        refused(c);
        c = bench_download(&card, 3, 0);
        c.download.msisdn = bytes_of(numbers[i], 3);
        refused(c);
    }
}

static void an_identity_that_is_none_is_bad_data(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    c.download.imsi[0] = 0; // no digits
    refused(c);
    c = bench_download(&card, 3, 0);
    give_iccid(&c.download, 3);
    c.download.iccid.iccid[0] = 0x18; // does not begin with 89
    refused(c);
    c = bench_download(&card, 3, 0);
    give_iccid(&c.download, 3);
    c.download.iccid.iccid[4] = 0xA7; // no digit
    refused(c);
}

static void the_values_of_the_command_win_over_the_template(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    give_role(&c.download, ROLE_TEST);
    give_rank(&c.download, 1);
    give_mnc_length(&c.download, 3);
    give_marks(&c.download, SLOT_MARK_NO_DISABLE | SLOT_MARK_NO_DELETE | SLOT_MARK_NOT_AUTO);
    give_iccid(&c.download, 3);
    // TON/NPI and digits: 91, then +86 13 800 100 500.
    static const uint8_t smsc[] = {0x91, 0x68, 0x31, 0x08, 0x10, 0x00, 0x05, 0xF0};
    static const uint8_t msisdn[] = {0x91, 0x68, 0x41};
    c.download.smsc = bytes_of(smsc, sizeof smsc);
    c.download.msisdn = bytes_of(msisdn, sizeof msisdn);
    assert_int_equal(code_of(c), RESULT_OK);
    struct applet_dump d = bench_dump(&card);
    const struct slot *s = &d.image.slots[2];
    assert_int_equal(s->role, ROLE_TEST);
    assert_int_equal(s->rank, 1);
    assert_int_equal(s->mnc_length, 3);
    assert_int_equal(s->marks, 0x07);
    assert_true(s->has_iccid);
    assert_memory_equal(s->iccid, c.download.iccid.iccid, sizeof s->iccid);
    assert_int_equal(s->smsc.len, sizeof smsc);
    assert_memory_equal(s->smsc.octets, smsc, sizeof smsc);
    assert_int_equal(s->msisdn.len, sizeof msisdn);
    assert_memory_equal(s->msisdn.octets, msisdn, sizeof msisdn);
    assert_false(s->is_fallback);
}

static void an_mnc_of_two_digits_can_be_said(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    give_mnc_length(&c.download, 2);
    assert_int_equal(code_of(c), RESULT_OK);
    assert_int_equal(bench_dump(&card).image.slots[2].mnc_length, 2);
}

static void what_the_template_leaves_open_gets_the_least(void **state)
{
    (void)state;
    card.templates[0].rank = 0;
    card.templates[0].mnc_length = 0;
    card.templates[1].rank = 0;
    card.templates[1].mnc_length = 3;
    struct command c = bench_download(&card, 3, 0);
    c.download.template_number = card.templates[0].number;
    assert_int_equal(code_of(c), RESULT_OK);
    c = bench_download(&card, 4, 0);
    c.download.template_number = card.templates[1].number;
    assert_int_equal(code_of(c), RESULT_OK);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.slots[2].rank, 1);
    assert_int_equal(d.image.slots[2].mnc_length, 2);
    assert_int_equal(d.image.slots[3].mnc_length, 3);
}

static void an_installed_iccid_is_refused_under_another_imsi(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    give_iccid(&c.download, 3);
    assert_int_equal(code_of(c), RESULT_OK);
    c = bench_download(&card, 4, 0);
    give_iccid(&c.download, 3);
    assert_int_equal(code_of(c), RESULT_ALREADY_INSTALLED);
    c = bench_download(&card, 4, 0);
    give_iccid(&c.download, 4);
    assert_int_equal(code_of(c), RESULT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_number_that_is_none_is_bad_data, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_out_of_range_is_bad_data, setup, teardown),
        cmocka_unit_test_setup_teardown(an_identity_that_is_none_is_bad_data, setup, teardown),
        cmocka_unit_test_setup_teardown(the_values_of_the_command_win_over_the_template, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_mnc_of_two_digits_can_be_said, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_template_leaves_open_gets_the_least, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_installed_iccid_is_refused_under_another_imsi, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
