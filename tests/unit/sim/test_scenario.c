#include "tests/lib/cmocka_all.h"

#include "sim-emulator/core/scenario.h"

static struct scenario scenario;
static struct radio radio;
static struct scenario_error error;
static struct cipher cipher;

static bool read(const char *text)
{
    radio_init(&radio, &cipher, 1);
    return scenario_read(bytes_of_text(text), &scenario, &radio, &error);
}

static void assert_refused(const char *text, unsigned line, const char *reason)
{
    assert_false(read(text));
    assert_int_equal(error.line, line);
    assert_non_null(strstr(error.text, reason));
}

static void networks_areas_and_their_changes_are_read(void **state)
{
    (void)state;
    assert_true(read("# a comment\n"
                     "otaria-scenario 1\n"
                     "network 26201 gsm\n"
                     "network 310410   # LTE by default\n"
                     "area home 26201 310410\n"
                     "area tunnel none\n"
                     "at 5m area home 310410\n"
                     "at 90s area home none\n"));
    assert_int_equal(radio.networks[0].technology, CAT_GSM);
    assert_int_equal(radio.networks[1].technology, CAT_EUTRAN);
    uint8_t home = radio_area_find(&radio, "home");
    uint8_t tunnel = radio_area_find(&radio, "tunnel");
    assert_int_equal(radio_coverage(&radio, home, (struct instant){0}), 3);
    assert_int_equal(radio_coverage(&radio, home, (struct instant){89999}), 3);
    assert_int_equal(radio_coverage(&radio, home, (struct instant){90000}), 0);
    assert_int_equal(radio_coverage(&radio, home, (struct instant){300000}), 2);
    assert_int_equal(radio_coverage(&radio, tunnel, (struct instant){300000}), 0);
    assert_int_equal(radio_next_change(&radio, home, (struct instant){0}).ms, 90000);
    assert_int_equal(radio_next_change(&radio, home, (struct instant){90000}).ms, 300000);
    assert_int_equal(radio_next_change(&radio, home, (struct instant){300000}).ms,
                     INSTANT_NEVER.ms);
}

static void the_longest_prefix_decides_who_may_attach(void **state)
{
    (void)state;
    assert_true(read("otaria-scenario 1\nnetwork 26201\nnetwork 26202\narea home 26201\n"
                     "allow 26201 any\nreject 26201 00101 13\nallow 26201 001011\n"));
    // Nobody is in the register: cause 2 comes only from networks that would let them in.
    assert_int_equal(radio_admission(&radio, 0, radio_identity("001010000000001")), 13);
    assert_int_equal(radio_admission(&radio, 0, radio_identity("001011000000001")), 2);
    assert_int_equal(radio_admission(&radio, 0, radio_identity("999700000000001")), 2);
    assert_int_equal(radio_admission(&radio, 1, radio_identity("001010000000001")), 2);
}

static void devices_and_steps_are_read_in_order_of_time(void **state)
{
    (void)state;
    assert_true(read("otaria-scenario 1\nnetwork 26201\narea home 26201\n"
                     "model sparse no-timers no-events status 10s restart 5m on 20s off 1m "
                     "timer-step 15m mo-loss 10 refresh busy busy 90s clock -1h\n"
                     "cards 1-10 area home model sparse\n"
                     "at 2m cards 3 cut 17\n"
                     "at 1m cards all power off\n"
                     "at 3m cards 3 imei none\n"
                     "at 4m cards 3 imei 352099001234567\n"));
    const struct device_model *m = &scenario.models[1];
    struct bytes profile = bytes_of(m->profile, m->profile_len);
    assert_false(cat_profile_has(profile, CAT_FEATURE_TIMER_START_STOP));
    assert_false(cat_profile_has(profile, CAT_FEATURE_SET_UP_EVENT_LIST));
    assert_true(cat_profile_has(profile, CAT_FEATURE_REFRESH));
    assert_int_equal(m->status_s, 10);
    assert_int_equal(m->restart_s, 300);
    assert_int_equal(m->timer_step_s, 900);
    assert_int_equal(m->mo_loss, 100000);
    assert_int_equal(m->busy_ms, 90000);
    assert_int_equal(m->clock_ms, -3600000);
    assert_int_equal(m->refresh, DEVICE_REFRESH_BUSY);
    assert_int_equal(scenario.step_count, 4);
    assert_int_equal(scenario.steps[0].action, SCENARIO_POWER_OFF);
    assert_int_equal(scenario.steps[0].cards.last, UINT32_MAX);
    assert_int_equal(scenario.steps[1].value, 17);
    assert_int_equal(scenario.steps[2].action, SCENARIO_NO_IMEI);
    assert_int_equal(scenario.steps[3].action, SCENARIO_IMEI);
}

static void a_wrong_line_is_named(void **state)
{
    (void)state;
#define HEAD "otaria-scenario 1\nnetwork 26201\narea home 26201\n"
    assert_refused("", 0, "otaria-scenario 1");
    assert_refused("network 26201\n", 1, "otaria-scenario 1");
    assert_refused("otaria-scenario 2\n", 1, "otaria-scenario 1");
    assert_refused("otaria-scenario 1\nnetwork 26201\n", 2, "no area");
    assert_refused(HEAD "netwrok 26202\n", 4, "netwrok");
    assert_refused(HEAD "network 2620\n", 4, "5 or 6 digits");
    assert_refused(HEAD "network 26201\n", 4, "before");
    assert_refused(HEAD "network 26202 5g\n", 4, "gsm, umts, lte, nr");
    assert_refused(HEAD "allow 26203 any\n", 4, "26203");
    assert_refused(HEAD "reject 26201 00101\n", 4, "number");
    assert_refused(HEAD "reject 26201 00101 256\n", 4, "out of range");
    assert_refused(HEAD "at 5 area home none\n", 4, "units");
    assert_refused(HEAD "at 5m area away none\n", 4, "away");
    assert_refused(HEAD "at 5m network 26202\n", 4, "cannot change");
    assert_refused(HEAD "model m on 5s\n", 4, "both on and off");
    assert_refused(HEAD "model m no-camera\n", 4, "no-camera");
    assert_refused(HEAD "cards 0 area home\n", 4, "from 1");
    assert_refused(HEAD "cards 5-4 area home\n", 4, "from 1");
    assert_refused(HEAD "cards 1 model m\n", 4, "no such model");
    assert_refused(HEAD "cards 1 power off\n", 4, "at");
    assert_refused(HEAD "at 1m cards 1 cut 0\n", 4, "out of range");
    assert_refused(HEAD "at 1m cards 1 imei 35\n", 4, "15 digits");
    assert_refused(HEAD "at 1m cards 1 power off now\n", 4, "too much");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_areas_and_their_changes_are_read),
        cmocka_unit_test(the_longest_prefix_decides_who_may_attach),
        cmocka_unit_test(devices_and_steps_are_read_in_order_of_time),
        cmocka_unit_test(a_wrong_line_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
