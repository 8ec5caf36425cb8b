#include "tests/lib/cmocka_all.h"

#include "common/wire/pps.h"
#include "tests/unit/wire/octets.h"

// Check octets by hand: the exclusive-or of all octets is zero [ISO 7816-3 §9.2].
static void requests_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *answer; // "" = no request
    } rows[] = {
        {"FF10966F", ""},           // wrong check octet: FF^10^96 = 79
        {"FF109679", "FF109679"},   // T=0 with the speed of TA1
        {"FF00FF", "FF00FF"},       // T=0 as it is
        {"FF01FE", "FF00FF"},       // T=1 is not there: T=0
        {"FF1196 78", "FF00FF"},    // T=1 with a speed
        {"FF50960039", "FF109679"}, // PPS1 and PPS3: PPS3 is left out
        {"FF", ""},
        {"FF10", ""},
        {"FF1096", ""},
        {"FF10967900", ""},
        {"00A40004023F00", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct octets request = hex(rows[i].request);
        uint8_t octets[16];
        struct writer w = writer_of(octets, sizeof octets);
        assert_int_equal(pps_answer(view(&request), &w), rows[i].answer[0] != 0);
        assert_octets(writer_bytes(&w), rows[i].answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
