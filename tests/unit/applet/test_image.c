// The rules of the registry, one broken at a time.
#include "applet/image.h"
#include "applet/port.h"
#include "tests/lib/cmocka_all.h"

static struct image image;

static void fill(struct slot *s, uint8_t n)
{
    *s =
        (struct slot){.state = SLOT_DISABLED, .rank = n, .mnc_length = 2, .role = ROLE_OPERATIONAL};
    s->imsi[0] = 8;
    s->imsi[8] = n;
    s->has_iccid = true;
    s->iccid[9] = n;
}

// Slots 0 to 2 of 4: 0 is the fallback and preferred one, 1 is enabled.
static int setup(void **state)
{
    (void)state;
    memset(&image, 0, sizeof image);
    image.slot_count = 4;
    for (uint8_t i = 0; i < 3; i++)
        fill(&image.slots[i], (uint8_t)(i + 1));
    image.slots[0].is_fallback = true;
    image.slots[1].state = SLOT_ENABLED;
    image.registry_version = 7;
    image.generation = 3;
    assert_true(image_is_sound(&image));
    return 0;
}

static void exactly_one_is_enabled(void **state)
{
    (void)state;
    image.slots[2].state = SLOT_ENABLED;
    assert_false(image_is_sound(&image));
    image.slots[1].state = SLOT_DISABLED;
    assert_true(image_is_sound(&image));
    image.slots[2].state = SLOT_DISABLED;
    assert_false(image_is_sound(&image));
}

static void exactly_one_is_the_fallback(void **state)
{
    (void)state;
    image.slots[2].is_fallback = true;
    assert_false(image_is_sound(&image));
    image.slots[0].is_fallback = false;
    assert_true(image_is_sound(&image));
    image.slots[2].is_fallback = false;
    assert_false(image_is_sound(&image));
    // An attribute of a slot that is not used is none.
    image.slots[3].is_fallback = true;
    assert_false(image_is_sound(&image));
    assert_int_equal(image_fallback(&image), IMAGE_NO_SLOT);
}

static void no_identity_is_there_twice(void **state)
{
    (void)state;
    memcpy(image.slots[2].imsi, image.slots[0].imsi, sizeof image.slots[0].imsi);
    assert_false(image_is_sound(&image));
    fill(&image.slots[2], 3);
    image.slots[2].iccid[9] = 1;
    assert_false(image_is_sound(&image));
    image.slots[2].has_iccid = false;
    assert_true(image_is_sound(&image));
    image.slots[2].has_iccid = true;
    image.slots[0].has_iccid = false;
    assert_true(image_is_sound(&image));
    fill(&image.slots[2], 3);
    memcpy(image.slots[2].imsi, image.slots[1].imsi, sizeof image.slots[1].imsi);
    assert_false(image_is_sound(&image));
    fill(&image.slots[2], 3);
    // Nor does a deleted one count.
    memcpy(image.slots[3].imsi, image.slots[0].imsi, sizeof image.slots[0].imsi);
    assert_true(image_is_sound(&image));
}

static void values_of_a_slot_are_in_range(void **state)
{
    (void)state;
    struct slot *s = &image.slots[2];
    s->state = SLOT_ENABLED + 1;
    assert_false(image_is_sound(&image));
    fill(s, 3);
    s->role = ROLE_TEST;
    assert_true(image_is_sound(&image));
    s->role = ROLE_TEST + 1;
    assert_false(image_is_sound(&image));
    fill(s, 3);
    s->rank = 0;
    assert_false(image_is_sound(&image));
    fill(s, 3);
    for (uint8_t length = 0; length < 5; length++) {
        s->mnc_length = length;
        assert_int_equal(image_is_sound(&image), length == 2 || length == 3);
    }
}

static void the_preferred_one_is_installed_or_none(void **state)
{
    (void)state;
    image.preferred = 3;
    assert_false(image_is_sound(&image));
    image.preferred = 4;
    assert_false(image_is_sound(&image));
    image.preferred = IMAGE_NO_SLOT;
    assert_true(image_is_sound(&image));
    image.preferred = 2;
    assert_true(image_is_sound(&image));
}

static void enabling_moves_the_state_and_counts(void **state)
{
    (void)state;
    image_enable(&image, 2);
    assert_int_equal(image.slots[1].state, SLOT_DISABLED);
    assert_int_equal(image_enabled(&image), 2);
    assert_int_equal(image.registry_version, 8);
    assert_int_equal(image.generation, 4);
    assert_true(image_is_sound(&image));
}

static void enabling_nothing_new_changes_nothing(void **state)
{
    (void)state;
    const struct image before = image;
    image_enable(&image, 1); // already
    image_enable(&image, 3); // not used
    image_enable(&image, 4); // not there
    image_enable(&image, IMAGE_NO_SLOT);
    assert_memory_equal(&image, &before, sizeof image);
}

// What stands behind the last slot of a card is no slot.
static void there_is_nothing_behind_the_last_slot(void **state)
{
    (void)state;
    struct audit_slot shown[COMMAND_SLOTS_MAX];
    image.slot_count = 2;
    image.slots[2].state = SLOT_ENABLED;
    image.slots[2].is_fallback = true;
    const struct subscription_name third = {.is_given = true, .imsi = {8, [8] = 3}};
    assert_true(image_is_sound(&image));
    assert_false(image_is_used(&image, 2));
    assert_int_equal(image_find(&image, &third), IMAGE_NO_SLOT);
    assert_int_equal(image_audit_slots(&image, shown), 2);
    image.slots[1].state = SLOT_DISABLED;
    image.slots[0].is_fallback = false;
    assert_int_equal(image_enabled(&image), IMAGE_NO_SLOT);
    assert_int_equal(image_fallback(&image), IMAGE_NO_SLOT);
}

static void a_name_that_is_not_given_finds_nobody(void **state)
{
    (void)state;
    struct subscription_name name = image_name(&image, 2);
    name.is_given = false;
    assert_int_equal(image_find(&image, &name), IMAGE_NO_SLOT);
    name.is_iccid = false;
    assert_int_equal(image_find(&image, &name), IMAGE_NO_SLOT);
}

static void a_name_finds_its_own_kind_of_identity(void **state)
{
    (void)state;
    struct subscription_name name = image_name(&image, 2);
    assert_true(name.is_given);
    assert_true(name.is_iccid);
    assert_int_equal(image_find(&image, &name), 2);
    image.slots[2].has_iccid = false; // named by its ICCID, it is no longer found
    assert_int_equal(image_find(&image, &name), IMAGE_NO_SLOT);
    name = image_name(&image, 2);
    assert_false(name.is_iccid);
    assert_int_equal(image_find(&image, &name), 2);
    image.slots[2].state = SLOT_EMPTY;
    assert_int_equal(image_find(&image, &name), IMAGE_NO_SLOT);
    name = image_name(&image, 2);
    assert_false(name.is_given);
    assert_int_equal(image_find(&image, &name), IMAGE_NO_SLOT);
    assert_int_equal(image_free_slots(&image), 2);
}

static void the_last_eight_results_are_kept_and_the_highest_id(void **state)
{
    (void)state;
    for (uint32_t id = 10; id < 19; id++) {
        const struct outcome o = {.operation_id = id, .code = RESULT_OK, .first = (uint8_t)id};
        image_remember(&image, &o);
    }
    assert_int_equal(image.outcome_count, 8);
    assert_null(image_outcome(&image, 10));
    for (uint32_t id = 11; id < 19; id++) {
        const struct outcome *kept = image_outcome(&image, id);
        assert_non_null(kept);
        assert_int_equal(kept->first, id);
    }
    assert_int_equal(image.operation_id_highest, 18);
    const struct outcome older = {.operation_id = 5};
    image_remember(&image, &older);
    assert_int_equal(image.operation_id_highest, 18);
}

static void only_the_very_subscription_is_the_factorys(void **state)
{
    (void)state;
    struct slot made[2];
    fill(&made[0], 1);
    fill(&made[1], 2);
    made[1].keys.k.len = made[1].keys.op.len = 16;
    const struct applet_factory factory = {.subscription_count = 2, .subscriptions = made};
    struct slot held = made[1];
    held.state = SLOT_ENABLED;
    held.is_fallback = held.is_proven = true;
    assert_int_equal(image_factory_index(&factory, &held), 1);
    assert_int_equal(image_factory_index(NULL, &held), IMAGE_NO_RECORD);
    uint8_t *const written[] = {
        &held.role,        &held.marks,
        &held.rank,        &held.template_number,
        &held.mnc_length,  &held.iccid[9],
        &held.imsi[8],     &held.msisdn.len,
        &held.smsc.len,    &held.plmns_len,
        &held.keys.k.len,  &held.keys.k.octets[15],
        &held.keys.op.len, &held.keys.op.octets[15],
    };
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        *written[i] ^= 1;
        assert_int_equal(image_factory_index(&factory, &held), IMAGE_NO_RECORD);
        *written[i] ^= 1;
    }
    held.has_iccid = false;
    assert_int_equal(image_factory_index(&factory, &held), IMAGE_NO_RECORD);
    made[1].has_iccid = false;
    held.iccid[9] ^= 1; // of no meaning
    assert_int_equal(image_factory_index(&factory, &held), 1);
}

static void the_first_slot_carries_the_cards_iccid_if_no_other_does(void **state)
{
    (void)state;
    struct slot made[3];
    for (uint8_t i = 0; i < 3; i++)
        fill(&made[i], (uint8_t)(i + 1));
    made[0].has_iccid = made[2].has_iccid = false;
    struct applet_factory factory = {.subscription_count = 3, .subscriptions = made};
    factory.card_iccid[9] = 9;
    struct slot s;
    image_factory_slot(&factory, 0, &s);
    assert_true(s.has_iccid);
    assert_int_equal(s.iccid[9], 9);
    image_factory_slot(&factory, 2, &s);
    assert_false(s.has_iccid);
    factory.card_iccid[9] = 2; // the second one's
    image_factory_slot(&factory, 0, &s);
    assert_false(s.has_iccid);
    made[0].has_iccid = true;
    image_factory_slot(&factory, 0, &s);
    assert_int_equal(s.iccid[9], 1);
    made[0] = (struct slot){.state = SLOT_EMPTY};
    image_factory_slot(&factory, 0, &s);
    assert_false(s.has_iccid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(exactly_one_is_enabled, setup),
        cmocka_unit_test_setup(exactly_one_is_the_fallback, setup),
        cmocka_unit_test_setup(no_identity_is_there_twice, setup),
        cmocka_unit_test_setup(values_of_a_slot_are_in_range, setup),
        cmocka_unit_test_setup(the_preferred_one_is_installed_or_none, setup),
        cmocka_unit_test_setup(enabling_moves_the_state_and_counts, setup),
        cmocka_unit_test_setup(enabling_nothing_new_changes_nothing, setup),
        cmocka_unit_test_setup(there_is_nothing_behind_the_last_slot, setup),
        cmocka_unit_test_setup(a_name_that_is_not_given_finds_nobody, setup),
        cmocka_unit_test_setup(a_name_finds_its_own_kind_of_identity, setup),
        cmocka_unit_test_setup(the_last_eight_results_are_kept_and_the_highest_id, setup),
        cmocka_unit_test(only_the_very_subscription_is_the_factorys),
        cmocka_unit_test(the_first_slot_carries_the_cards_iccid_if_no_other_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
