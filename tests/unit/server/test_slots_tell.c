// What rows of the trail say of slots that changed.
#include "tests/lib/cmocka_all.h"

#include "ota-server/service/api_text.h"
#include "ota-server/service/slots_tell.h"

#include <stdio.h>

#define A 0x1122334455667788
#define B 0x1122334455667799
#define PREFERRED 1u
#define SLOT(n) (1u << (n))

static struct record was, is;
static char before[SLOTS_TELL_SIZE], after[SLOTS_TELL_SIZE];
static char a[API_ID_SIZE], b[API_ID_SIZE];

static struct mirror_slot slot_of(uint8_t number, uint64_t subscription)
{
    return (struct mirror_slot){.subscription = subscription,
                                .number = "4915112345678",
                                .fact = {.slot = number,
                                         .state = SLOT_DISABLED,
                                         .role = ROLE_OPERATIONAL,
                                         .has_iccid = true,
                                         .iccid = {0x98, 0x94},
                                         .imsi = {8, 0x49, 6, 0, 0, 0x21, 0x43, 0x65, 0x87}}};
}

static int set_up(void **state)
{
    (void)state;
    api_id_write(a, "sub", A);
    api_id_write(b, "sub", B);
    record_init(&was, 7);
    was.slot_count = 2;
    was.slots[0] = slot_of(1, A);
    was.slots[0].fact.state = SLOT_ENABLED;
    was.slots[0].fact.role = ROLE_BOOTSTRAP;
    was.slots[0].fact.is_fallback = true;
    was.slots[1] = slot_of(2, B);
    was.preferred = A;
    is = was;
    return 0;
}

// "{a}" and "{b}" in a text are the two ids.
static void assert_text(const char *text, const char *expected)
{
    char whole[SLOTS_TELL_SIZE];
    size_t len = 0;
    while (*expected != '\0') {
        const bool is_id = expected[0] == '{';
        len += (size_t)snprintf(whole + len, sizeof(whole) - len, "%.*s", is_id ? 30 : 1,
                                !is_id               ? expected
                                : expected[1] == 'a' ? a
                                                     : b);
        expected += is_id ? 3 : 1;
    }
    assert_string_equal(text, whole);
}

static void assert_told(uint32_t set, const char *was_told, const char *is_told)
{
    assert_int_equal(slots_tell(&was, &is, set, before, after), 0);
    assert_text(before, was_told);
    assert_text(after, is_told);
}

static void a_switch_is_told_by_both_slots_and_their_subscriptions(void **state)
{
    (void)state;
    is.slots[0].fact.state = SLOT_DISABLED;
    is.slots[1].fact.state = SLOT_ENABLED;
    is.slots[1].fact.is_proven = true;
    assert_told(SLOT(1) | SLOT(2), "slot1.state=ENABLED, slot2.state=DISABLED, slot2.proven=false",
                "slot1.subscriptionId={a}, slot1.state=DISABLED, slot2.subscriptionId={b}, "
                "slot2.state=ENABLED, slot2.proven=true");
}

static void the_fallback_mark_is_told_where_it_was_and_where_it_is(void **state)
{
    (void)state;
    is.slots[0].fact.is_fallback = false;
    is.slots[1].fact.is_fallback = true;
    assert_told(SLOT(1) | SLOT(2), "slot1.fallback=true, slot2.fallback=false",
                "slot1.subscriptionId={a}, slot1.fallback=false, slot2.subscriptionId={b}, "
                "slot2.fallback=true");
}

static void a_slot_that_is_filled_has_what_an_empty_one_has_not(void **state)
{
    (void)state;
    is.slot_count = 3;
    is.slots[2] = slot_of(16, A);
    assert_told(SLOT(16), "slot16.state=EMPTY",
                "slot16.subscriptionId={a}, slot16.state=DISABLED, slot16.role=OPERATIONAL");
    is.slots[2].fact.role = ROLE_TEST;
    is.slots[2].fact.is_fallback = is.slots[2].fact.is_proven = true;
    is.slots[2].fact.marks = SLOT_MARK_NO_DISABLE | SLOT_MARK_NO_DELETE | SLOT_MARK_NOT_AUTO;
    is.slots[2].fact.rank = 255;
    is.slots[2].fact.template_number = 1;
    assert_told(SLOT(16), "slot16.state=EMPTY",
                "slot16.subscriptionId={a}, slot16.state=DISABLED, slot16.role=TEST, "
                "slot16.fallback=true, slot16.proven=true, slot16.noDisable=true, "
                "slot16.noDelete=true, slot16.auto=false, slot16.rank=255, slot16.templateId=1");
}

static void a_slot_that_is_emptied_is_told_as_it_was_and_the_preferred_one_last(void **state)
{
    (void)state;
    was.slots[1].fact.rank = 2;
    was.preferred = B;
    is.slot_count = 1;
    is.preferred = 0;
    assert_told(SLOT(2) | PREFERRED,
                "slot2.subscriptionId={b}, slot2.state=DISABLED, slot2.role=OPERATIONAL, "
                "slot2.rank=2, preferred={b}",
                "slot2.state=EMPTY, preferred=null");
}

static void each_member_that_differs_is_told_as_it_was_and_as_it_is(void **state)
{
    (void)state;
    is.slots[1].fact.role = ROLE_TEST;
    is.slots[1].fact.marks = SLOT_MARK_NO_DELETE | SLOT_MARK_NOT_AUTO;
    is.slots[1].fact.rank = 3;
    is.slots[1].fact.template_number = 4;
    assert_told(SLOT(2),
                "slot2.role=OPERATIONAL, slot2.noDelete=false, slot2.auto=true, slot2.rank=0, "
                "slot2.templateId=0",
                "slot2.subscriptionId={b}, slot2.role=TEST, slot2.noDelete=true, "
                "slot2.auto=false, slot2.rank=3, slot2.templateId=4");
    is = was;
    is.slots[1].fact.marks = SLOT_MARK_NO_DISABLE;
    assert_told(SLOT(2), "slot2.noDisable=false", "slot2.subscriptionId={b}, slot2.noDisable=true");
}

static void
another_subscription_is_told_on_both_sides_and_one_that_nobody_knows_is_null(void **state)
{
    (void)state;
    is.slots[1].subscription = 0;
    assert_told(SLOT(2), "slot2.subscriptionId={b}", "slot2.subscriptionId=null");
    is.slots[1].fact.state = SLOT_ENABLED;
    was.slots[1].subscription = 0;
    assert_told(SLOT(2), "slot2.state=DISABLED", "slot2.subscriptionId=null, slot2.state=ENABLED");
}

static void identifiers_are_told_to_have_changed_and_nothing_more(void **state)
{
    (void)state;
    is.slots[1].fact.imsi[8] = 0x77;
    is.slots[0].fact.has_iccid = false;
    memcpy(is.slots[1].number, "1", 2);
    assert_told(SLOT(1) | SLOT(2), "slot1.iccid=*, slot2.imsi=*",
                "slot1.subscriptionId={a}, slot1.iccid=*, slot2.subscriptionId={b}, slot2.imsi=*");
    is = was;
    is.slots[1].fact.iccid[9] = 1;
    assert_told(SLOT(2), "slot2.iccid=*", "slot2.subscriptionId={b}, slot2.iccid=*");
}

// A filled slot of one digit takes 51 + 2 + 20 + 2 + 22 octets, one of two digits 3 more: five of
// the first fit into 500, or four and one of the second.
static void slots_that_find_no_room_are_left_for_another_row(void **state)
{
    (void)state;
    uint32_t set = PREFERRED;
    was.slot_count = 0;
    is.slot_count = 16;
    is.preferred = B;
    for (uint8_t i = 0; i < 16; i++) {
        is.slots[i] = slot_of((uint8_t)(i + 1), A);
        set |= SLOT(i + 1);
    }
    set = slots_tell(&was, &is, set, before, after);
    assert_int_equal(set, 0x1FFC1); // slots 6 to 16, and the preferred one
    assert_int_equal(strlen(after), 5 * 97 + 4 * 2);
    assert_string_equal(before, "slot1.state=EMPTY, slot2.state=EMPTY, slot3.state=EMPTY, "
                                "slot4.state=EMPTY, slot5.state=EMPTY");
    set = slots_tell(&was, &is, set, before, after);
    assert_int_equal(set, 0x1F801);
    assert_int_equal(strlen(after), 4 * 97 + 100 + 4 * 2);
    set = slots_tell(&was, &is, set, before, after);
    assert_int_equal(set, 0x18001);
    set = slots_tell(&was, &is, set, before, after);
    assert_int_equal(set, 0);
    assert_text(after, "slot15.subscriptionId={a}, slot15.state=DISABLED, slot15.role=OPERATIONAL, "
                       "slot16.subscriptionId={a}, slot16.state=DISABLED, slot16.role=OPERATIONAL, "
                       "preferred={b}");
    assert_text(before, "slot15.state=EMPTY, slot16.state=EMPTY, preferred={a}");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_switch_is_told_by_both_slots_and_their_subscriptions),
        TEST(the_fallback_mark_is_told_where_it_was_and_where_it_is),
        TEST(a_slot_that_is_filled_has_what_an_empty_one_has_not),
        TEST(a_slot_that_is_emptied_is_told_as_it_was_and_the_preferred_one_last),
        TEST(each_member_that_differs_is_told_as_it_was_and_as_it_is),
        TEST(another_subscription_is_told_on_both_sides_and_one_that_nobody_knows_is_null),
        TEST(identifiers_are_told_to_have_changed_and_nothing_more),
        TEST(slots_that_find_no_room_are_left_for_another_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
