// The octets of an image, one made wrong at a time. Where each stands is counted from the form:
// head 28, journal 1, search 8, times 22, address 1, number of slots 1, then the slots.
#include "applet/image.h"
#include "applet/port.h"
#include "tests/lib/cmocka_all.h"

enum {
    FORM_AT = 0,
    SLOT_COUNT_AT = 1,
    JOURNAL_AT = 28,
    USED_AT = 60,
    SLOT_AT = 61,
    // In a slot, with an ICCID and without numbers and lists.
    STATE_IN = 1,
    FACTORY_IN = 3,
    MSISDN_IN = 27,
    SMSC_IN = 28,
    PLMNS_IN = 29, // where there are some; else the keys
    KEYS_IN = 29,
    SLOT_LEN = 63, // with keys of 16 octets
};

static struct image image;
static struct image back;
static struct slot made[1];
static struct applet_factory factory;
static uint8_t octets[IMAGE_LEN_MAX];
static size_t len;

static void fill(struct slot *s, uint8_t n)
{
    *s = (struct slot){.state = SLOT_DISABLED, .rank = n, .mnc_length = 2, .has_iccid = true};
    s->imsi[0] = 8;
    s->imsi[8] = n;
    s->iccid[9] = n;
    s->keys.k.len = 16;
    s->keys.op.len = 16;
}

static int setup(void **state)
{
    (void)state;
    memset(&image, 0, sizeof image);
    image.slot_count = 4;
    fill(&image.slots[0], 1);
    fill(&image.slots[1], 2);
    image.slots[0].is_fallback = true;
    image.slots[1].state = SLOT_ENABLED;
    parameters_default(&image.parameters);
    made[0] = image.slots[0];
    factory = (struct applet_factory){.subscription_count = 1, .subscriptions = made};
    return 0;
}

static bool reads(size_t count)
{
    return image_read(bytes_of(octets, count), &factory, &back);
}

static void write_with(const struct applet_factory *known)
{
    struct writer w = writer_of(octets, sizeof octets);
    image_write(&w, &image, known);
    assert_false(w.failed);
    len = w.len;
    assert_true(reads(len));
}

// This octet alone makes it none of ours.
static void refuses(size_t at, uint8_t value)
{
    const uint8_t before = octets[at];
    octets[at] = value;
    assert_false(reads(len));
    octets[at] = before;
    assert_true(reads(len));
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    image.parameters.heartbeat_h = 24;
    image.journal = (struct journal){
        .phase = JOURNAL_CONFIRMING, .reason = REASON_COMMAND, .to = 1, .operation_id = 9};
    image.search = (struct search){.is_paused = true, .pause_due = 77, .tried = 0x8001};
    image.dues.cool[15] = 5;
    image.has_imei = true;
    image.imei[7] = 0xF1;
    image.address_new = (struct dialling){.len = 3, .octets = {0x91, 0x21, 0xF3}};
    image.last_counter = 0xFFFFFFFFFF;
    image.last.code = RESULT_IS_ENABLED;
    image.slots[0].smsc = image.address_new;
    image.slots[0].plmns_len = 5;
    image.slots[0].plmns[4] = 0x80;
    write_with(NULL);
    assert_int_equal(back.parameters.heartbeat_h, 24);
    assert_memory_equal(&back.journal, &image.journal, sizeof back.journal);
    assert_memory_equal(&back.search, &image.search, sizeof back.search);
    assert_int_equal(back.dues.cool[15], 5);
    assert_int_equal(back.dues.cool[14], 0);
    assert_memory_equal(back.imei, image.imei, sizeof back.imei);
    assert_memory_equal(&back.address_new, &image.address_new, sizeof back.address_new);
    assert_true(back.last_counter == 0xFFFFFFFFFF);
    assert_int_equal(back.last.code, RESULT_IS_ENABLED);
    assert_memory_equal(back.slots, image.slots, sizeof back.slots);
}

static void an_image_that_is_cut_is_none(void **state)
{
    (void)state;
    const struct applet_factory *known[] = {NULL, &factory};
    for (size_t i = 0; i < 2; i++) {
        write_with(known[i]);
        for (size_t count = 0; count < len; count++)
            assert_false(reads(count));
    }
}

static void behind_it_stand_parameters_and_nothing_else(void **state)
{
    (void)state;
    write_with(NULL);
    octets[len] = PARAMETER_HEARTBEAT;
    octets[len + 1] = 2;
    octets[len + 2] = 0;
    octets[len + 3] = 24;
    assert_false(reads(len + 1));
    assert_false(reads(len + 3));
    assert_true(reads(len + 4));
    assert_int_equal(back.parameters.heartbeat_h, 24);
    octets[len] = PARAMETER_LAST + 1;
    assert_false(reads(len + 4));
}

static void another_form_is_not_read(void **state)
{
    (void)state;
    write_with(NULL);
    refuses(FORM_AT, 1);
    refuses(FORM_AT, 3);
}

static void a_card_has_two_to_sixteen_slots(void **state)
{
    (void)state;
    write_with(NULL);
    refuses(SLOT_COUNT_AT, 0);
    refuses(SLOT_COUNT_AT, 1);
    refuses(SLOT_COUNT_AT, 17);
    octets[SLOT_COUNT_AT] = 2;
    assert_true(reads(len));
    octets[SLOT_COUNT_AT] = 16;
    assert_true(reads(len));
}

static void a_slot_stands_once_and_in_its_place(void **state)
{
    (void)state;
    write_with(NULL);
    refuses(USED_AT, 5);
    refuses(USED_AT, 1); // the other one is then none of what follows
    refuses(SLOT_AT, 4);
    refuses(SLOT_AT + SLOT_LEN, 0);
    refuses(SLOT_AT + STATE_IN, SLOT_ENABLED); // two of them
    octets[SLOT_AT + SLOT_LEN] = 3;
    assert_true(reads(len));
    assert_int_equal(back.slots[3].imsi[8], 2);
}

static void nothing_is_longer_than_its_room(void **state)
{
    (void)state;
    write_with(NULL);
    refuses(59, COMMAND_NUMBER_MAX + 1); // the address that is tried
    refuses(SLOT_AT + MSISDN_IN, COMMAND_NUMBER_MAX + 1);
    refuses(SLOT_AT + SMSC_IN, COMMAND_NUMBER_MAX + 1);
    refuses(SLOT_AT + KEYS_IN, SECRET_KEY_MAX + 1);
    image.slots[0].plmns_len = COMMAND_PLMNS_MAX;
    image.slots[0].msisdn.len = COMMAND_NUMBER_MAX;
    image.slots[0].keys.k.len = SECRET_KEY_MAX;
    write_with(NULL);
    assert_int_equal(back.slots[0].plmns_len, COMMAND_PLMNS_MAX);
    refuses(SLOT_AT + PLMNS_IN + COMMAND_NUMBER_MAX, COMMAND_PLMNS_MAX + 1);
}

static void a_record_of_the_factory_is_one_that_it_has(void **state)
{
    (void)state;
    write_with(&factory);
    assert_int_equal(octets[SLOT_AT + FACTORY_IN], 0);
    refuses(SLOT_AT + FACTORY_IN, 1);
}

static void results_and_notifications_have_their_number(void **state)
{
    (void)state;
    image.pending_count = 1;
    write_with(NULL);
    const size_t outcomes_at = SLOT_AT + 2 * SLOT_LEN;
    refuses(outcomes_at, IMAGE_OUTCOMES_MAX + 1);
    refuses(outcomes_at + 6, IMAGE_PENDING_MAX + 1);
    // From where and to where: none, an ICCID, an IMSI.
    refuses(len - 1, 3);
    refuses(len - 2, 3);
}

static void a_journal_names_a_phase_a_reason_and_two_subscriptions(void **state)
{
    (void)state;
    image.journal =
        (struct journal){.phase = JOURNAL_CONFIRMING, .reason = REASON_ROLLBACK, .to = 1};
    write_with(NULL);
    refuses(JOURNAL_AT, JOURNAL_CONFIRMING + 1);
    refuses(JOURNAL_AT + 1, REASON_NONE);
    refuses(JOURNAL_AT + 1, REASON_ROLLBACK + 1);
    refuses(JOURNAL_AT + 2, 2);
    refuses(JOURNAL_AT + 3, 2);
    refuses(JOURNAL_AT + 3, IMAGE_NO_SLOT);
}

static void an_image_that_does_not_fit_is_not_written(void **state)
{
    (void)state;
    write_with(NULL);
    image.parameters.heartbeat_h = 24; // four octets, behind everything
    for (size_t cap = 0; cap < len + 4; cap++) {
        struct writer w = writer_of(octets, cap);
        image_write(&w, &image, NULL);
        assert_true(w.failed);
    }
    struct writer w = writer_of(octets, len + 4);
    image_write(&w, &image, NULL);
    assert_false(w.failed);
    assert_int_equal(w.len, len + 4);
    // What is asked before leaves out results and notifications: 7 octets here.
    assert_true(image_need(&image, octets, len + 4 - 7 - 1) == SIZE_MAX);
    assert_int_equal(image_need(&image, octets, len + 4 - 7), len + 4 - 7 + image_reserve(4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_written_reads_back, setup),
        cmocka_unit_test_setup(an_image_that_is_cut_is_none, setup),
        cmocka_unit_test_setup(behind_it_stand_parameters_and_nothing_else, setup),
        cmocka_unit_test_setup(another_form_is_not_read, setup),
        cmocka_unit_test_setup(a_card_has_two_to_sixteen_slots, setup),
        cmocka_unit_test_setup(a_slot_stands_once_and_in_its_place, setup),
        cmocka_unit_test_setup(nothing_is_longer_than_its_room, setup),
        cmocka_unit_test_setup(a_record_of_the_factory_is_one_that_it_has, setup),
        cmocka_unit_test_setup(results_and_notifications_have_their_number, setup),
        cmocka_unit_test_setup(a_journal_names_a_phase_a_reason_and_two_subscriptions, setup),
        cmocka_unit_test_setup(an_image_that_does_not_fit_is_not_written, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
