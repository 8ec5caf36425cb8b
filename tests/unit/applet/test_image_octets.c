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
static struct slot made[2]; // the factory's, and one behind it
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
    fill(&made[1], 9);
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

// Makes room for this octet, or takes the octets at this place away.
static void insert(size_t at, uint8_t value)
{
    memmove(octets + at + 1, octets + at, len - at);
    octets[at] = value;
    len++;
}

static void take_away(size_t at, size_t count)
{
    memmove(octets + at, octets + at + count, len - at - count);
    len -= count;
}

// The length at this place is its greatest. One more is refused with one octet more, and where none
// of its octets follows.
static void is_the_longest(size_t at)
{
    const uint8_t max = octets[at];
    insert(at + 1, 0);
    octets[at] = (uint8_t)(max + 1);
    assert_false(reads(len));
    take_away(at + 1, max + 1u);
    assert_false(reads(len));
    octets[at] = 0;
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
    // One slot would do for its single subscription, and is refused nevertheless.
    image.slots[0].state = SLOT_ENABLED;
    image.slots[1].state = SLOT_EMPTY;
    image.slot_count = 2;
    write_with(NULL);
    refuses(SLOT_COUNT_AT, 1);
    refuses(SLOT_COUNT_AT, 0);
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
    // One more that nothing is missing of, behind the last slot.
    fill(&image.slots[2], 3);
    write_with(NULL);
    refuses(SLOT_AT + 2 * SLOT_LEN, 4);
    // Of one whose place is taken nothing else has to follow.
    image.slots[2].state = SLOT_EMPTY;
    write_with(NULL);
    octets[USED_AT] = 3;
    insert(SLOT_AT + 2 * SLOT_LEN, 0);
    assert_false(reads(len));
}

static void behind_the_last_slot_nothing_is_written(void **state)
{
    (void)state;
    write_with(NULL);
    const size_t before = len;
    fill(&image.slots[4], 5);
    write_with(NULL);
    assert_int_equal(len, before);
}

// clang-format off
static const uint8_t OTHER_VALUES[] = {
    PARAMETER_POLL_PERIOD, 1, 31, PARAMETER_POLL_BY_STATUS, 1, 1, PARAMETER_T_NOSERVICE, 2, 0, 31,
    PARAMETER_T_LIMITED, 2, 0, 32, PARAMETER_T_ATTACH, 2, 0, 61, PARAMETER_AUTO_MODE, 1, 1,
    PARAMETER_ROUNDS_MAX, 1, 9, PARAMETER_BACKOFF_BASE, 1, 59, PARAMETER_BACKOFF_MAX, 1, 47,
    PARAMETER_T_RETURN, 4, 0, 0, 0x0E, 0x10, PARAMETER_RETURN_ON_COUNTRY, 1, 0,
    PARAMETER_T_COOL, 4, 0, 0, 0, 1, PARAMETER_SWITCHES_PER_DAY, 1, 254,
    PARAMETER_NOTIFY_WAITS, 2, 0, 11, PARAMETER_JITTER_MAX, 2, 0, 1, PARAMETER_REUSE_LIMIT, 2, 0, 2,
    PARAMETER_COUNTRY_TABLE, 13, 0x62, 0xF2, 0x10, 8, 0x09, 0x10, 0x10, 0, 0, 0, 0, 0x10,
    COUNTRY_FORBID, PARAMETER_T_COUNTRY, 2, 0, 1, PARAMETER_HEARTBEAT, 2, 0, 3,
    PARAMETER_REFRESH_MODE, 1, 3, PARAMETER_T_REFRESH, 1, 59,
    PARAMETER_SERVER_ADDR, 3, 0x91, 0x21, 0xF3};
// clang-format on

static void all_parameters_are_kept(void **state)
{
    (void)state;
    struct parameters plain;
    parameters_default(&plain);
    assert_int_equal(
        parameters_apply(&image.parameters, bytes_of(OTHER_VALUES, sizeof OTHER_VALUES), NULL),
        PARAMETER_OK);
    write_with(NULL);
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        assert_false(parameter_is_same(&image.parameters, &plain, number));
        assert_true(parameter_is_same(&image.parameters, &back.parameters, number));
    }
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
    is_the_longest(SLOT_AT + PLMNS_IN + COMMAND_NUMBER_MAX);
    write_with(NULL);
    is_the_longest(SLOT_AT + PLMNS_IN + COMMAND_NUMBER_MAX + COMMAND_PLMNS_MAX + 1);
    write_with(NULL);
    is_the_longest(SLOT_AT + MSISDN_IN);
}

static void a_record_of_the_factory_is_one_that_it_has(void **state)
{
    (void)state;
    write_with(&factory);
    assert_int_equal(octets[SLOT_AT + FACTORY_IN], 0);
    refuses(SLOT_AT + FACTORY_IN, 1);
    refuses(SLOT_AT + FACTORY_IN, 2);
    // Nor is one that stands behind the factory's written by its index.
    assert_int_equal(image_factory_index(&factory, &made[0]), 0);
    assert_int_equal(image_factory_index(&factory, &made[1]), IMAGE_NO_RECORD);
}

static void the_first_record_takes_the_number_of_the_card_unless_another_has_it(void **state)
{
    (void)state;
    struct slot out;
    made[0].has_iccid = false;
    factory.card_iccid[9] = 9; // that of the record behind the last
    image_factory_slot(&factory, 0, &out);
    assert_true(out.has_iccid);
    assert_int_equal(out.iccid[9], 9);
    factory.subscription_count = 2;
    image_factory_slot(&factory, 0, &out);
    assert_false(out.has_iccid);
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
    // One result more than there is room for, whole.
    image.outcome_count = IMAGE_OUTCOMES_MAX;
    write_with(NULL);
    for (size_t i = 0; i < 21; i++)
        insert(outcomes_at + 1, 0);
    octets[outcomes_at]++;
    assert_false(reads(len));
    octets[outcomes_at]--;
    for (size_t i = 0; i < 21; i++)
        take_away(outcomes_at + 1, 1);
    assert_true(reads(len));
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
        cmocka_unit_test_setup(behind_the_last_slot_nothing_is_written, setup),
        cmocka_unit_test_setup(all_parameters_are_kept, setup),
        cmocka_unit_test_setup(the_first_record_takes_the_number_of_the_card_unless_another_has_it,
                               setup),
        cmocka_unit_test_setup(nothing_is_longer_than_its_room, setup),
        cmocka_unit_test_setup(a_record_of_the_factory_is_one_that_it_has, setup),
        cmocka_unit_test_setup(results_and_notifications_have_their_number, setup),
        cmocka_unit_test_setup(a_journal_names_a_phase_a_reason_and_two_subscriptions, setup),
        cmocka_unit_test_setup(an_image_that_does_not_fit_is_not_written, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
