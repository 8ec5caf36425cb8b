// What a secured packet has to pass before its script runs, and what it is told [102.225 §5.1].
#include "tests/unit/sim/remote_lab.h"

static void counters_are_held(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 10);
    (void)run(READ_ICCID);
    assert_int_equal(report.at[1], 0x71);
    prepare(AES_128, 0x1619, SHARED, 10);
    (void)run("00A40000022F05"); // another one with this counter
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_128, 0x1619, SHARED, 9);
    (void)run(READ_ICCID);
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_128, 0x1E19, SHARED, 12); // exactly the next one is asked for
    (void)run(READ_ICCID);
    assert_report(SECURED_STATUS_CNTR_HIGH, "");
    prepare(AES_128, 0x1E19, SHARED, 11);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    reset_card();
    prepare(AES_128, 0x1619, SHARED, 11);
    (void)run(READ_ICCID);
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_256, 0x1619, SHARED, 5); // every key set has its own
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    prepare(AES_128, 0x1619, SHARED, SECURED_CNTR_MAX);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    (void)run("00A4000C022F08");
    assert_report(SECURED_STATUS_CNTR_BLOCKED, "");
    // Without a counter it goes on where that is enough, and moves nothing.
    prepare(AES_128, 0x0619, OPEN, 3);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
}

#define COUNT "00A40000026F39 8032000003 000001 00C0000006" // EF.ACM

// The network repeats a message: what was said is said again, and nothing is done.
static void a_packet_that_comes_again_gets_its_answer_again(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, USIM, 5);
    (void)run(COUNT);
    assert_report(SECURED_STATUS_OK, "039000 000001 000001");
    (void)run(COUNT);
    assert_report(SECURED_STATUS_OK, "039000 000001 000001");
    reset_card();
    (void)run(COUNT);
    assert_report(SECURED_STATUS_OK, "039000 000001 000001");
    // Wrong ones, and those that need no counter, do not take the answer away.
    prepare(AES_128, 0x0619, OPEN, 5);
    (void)run("00A4000C022F05");
    prepare(AES_128, 0x1619, USIM, 4);
    (void)run(COUNT);
    assert_report(SECURED_STATUS_CNTR_LOW, "");
    prepare(AES_128, 0x1619, USIM, 5);
    (void)run(COUNT);
    assert_report(SECURED_STATUS_OK, "039000 000001 000001");
    // The next one does.
    prepare(AES_192, 0x1619, USIM, 5);
    (void)run(COUNT);
    assert_report(SECURED_STATUS_OK, "039000 000002 000001");
    prepare(AES_128, 0x1619, USIM, 5);
    (void)run(COUNT);
    assert_report(SECURED_STATUS_CNTR_LOW, "");
}

// A script's PINs are not the terminal's, nor the terminal's a script's.
static void a_script_has_security_of_its_own(void **state)
{
    (void)state;
    // ADM1 in a script that is granted nothing.
    prepare(AES_128, 0x1619, POOR, 1);
    (void)run("00A40000022F08 0020000A08 3838383838383838 00D6000001 11");
    assert_report(SECURED_STATUS_OK, "039000");
    assert_int_equal(send("00A4000C022F08"), SW_OK);
    assert_int_equal(send("00D6000001 12"), SW_SECURITY_STATUS);
    prepare(AES_128, 0x1619, POOR, 2);
    (void)run("00A40000022F08 00D6000001 12"); // nor the next script's
    assert_report(SECURED_STATUS_OK, "026982");
    // The terminal's ADM1 is not the script's, and stays when the script guesses wrong.
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    prepare(AES_128, 0x1619, POOR, 3);
    (void)run("00A40000022F08 00D6000001 13");
    assert_report(SECURED_STATUS_OK, "026982");
    prepare(AES_128, 0x1619, POOR, 4);
    (void)run("0020000A08 3939393939393939");
    assert_report(SECURED_STATUS_OK, "0163C2");
    assert_int_equal(send("00D6000001 14"), SW_OK);
    assert_int_equal(send("0020000A00"), SW_PIN_TRIES | 2); // the tries are one count
    // A PIN that it disables is disabled, one that it blocks is blocked.
    assert_int_equal(send("0028000108 31323334FFFFFFFF"), SW_OK);
    prepare(AES_128, 0x1619, POOR, 5);
    (void)run("0026000108 31323334FFFFFFFF");
    assert_report(SECURED_STATUS_OK, "019000");
    assert_int_equal(send("0020000108 31323334FFFFFFFF"), SW_DATA_INVALIDATED);
    for (unsigned i = 0; i < 2; i++) {
        prepare(AES_128, 0x1619, POOR, 6 + i);
        (void)run("0020000A08 3939393939393939");
    }
    assert_report(SECURED_STATUS_OK, "0163C0");
    assert_int_equal(send("00D6000001 15"), SW_SECURITY_STATUS);
}

// What the target's level asks of commands is asked of answers, too; without an answer there is
// nothing to ask.
static void an_answer_is_secured_no_less_than_the_target_asks(void **state)
{
    static const uint16_t low[] = {0x1601, 0x1609, 0x1611, 0x1621, 0x1602, 0x1605};
    (void)state;
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++) {
        prepare(AES_128, low[i], SHARED, 100 + i);
        uint16_t sw = run(READ_ICCID);
        command.spi2 = (low[i] & 0x20) | 0x19; // as it was secured all the same
        if ((low[i] & 0x20) != 0) {
            assert_int_equal(fetch(sw), 1);
            assert_int_equal(response.status, SECURED_STATUS_LEVEL_TOO_LOW);
        } else {
            assert_report(SECURED_STATUS_LEVEL_TOO_LOW, "");
        }
    }
    prepare(AES_128, 0x1600, SHARED, 1);
    (void)run("00A40000022F08 00D6000001 16");
    assert_silent();
    assert_int_equal(send("00A4000C022F08"), SW_OK);
    assert_int_equal(send("00B0000001"), SW_OK);
    assert_answer("16");
    // Where commands need not be ciphered, answers need not be either, but a MAC they have.
    prepare(AES_128, 0x1209, CLEAR, 2);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    prepare(AES_128, 0x1201, CLEAR, 3);
    (void)run("00A4000C022F05");
    command.spi2 = 0x09;
    assert_report(SECURED_STATUS_LEVEL_TOO_LOW, "");
}

static void less_security_than_the_target_asks_is_refused(void **state)
{
    static const uint16_t low[] = {0x1219, 0x0619, 0x0E19, 0x0219, 0x1A19};
    (void)state;
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++) {
        prepare(AES_128, low[i], SHARED, 100 + i);
        (void)run(READ_ICCID);
        assert_report(SECURED_STATUS_LEVEL_TOO_LOW, "");
    }
}

static void before_the_mac_is_right_nothing_is_said(void **state)
{
    (void)state;
    uint8_t packet[SMS_PACKET_MAX];
    prepare(AES_128, 0x1619, SHARED, 1);
    size_t len = write_packet(READ_ICCID, packet);
    for (size_t bit = 0; bit < 8 * len; bit += 11) {
        packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(send_part(packet, len, 0) & 0xFF00, 0x9000);
        // Another TAR is the applet's business, which is silent as well.
        assert_silent();
        packet[bit / 8] ^= (uint8_t)(1U << bit % 8);
        reset_card(); // not deaf
    }
    // No MAC; an unknown version; two versions; an algorithm that the set has not.
    prepare(AES_128, 0x0419, SHARED, 1);
    (void)run(READ_ICCID);
    assert_silent();
    static const uint8_t indications[][2] = {
        {0x92, 0x92}, {0x22, 0x32}, {0x02, 0x02}, {0x25, 0x25}};
    for (size_t i = 0; i < sizeof indications / sizeof indications[0]; i++) {
        prepare(AES_128, 0x1619, SHARED, 1);
        command.kic = indications[i][0];
        command.kid = indications[i][1];
        (void)run(READ_ICCID);
        assert_silent();
    }
    // A talkative card says what was wrong, unsecured.
    prepare(AES_128, 0x1619, SHARED, 1);
    lab.shop.is_talkative = true;
    packet[len - 1] ^= 1;
    (void)send_part(packet, len, 0);
    assert_int_equal(report.len, 16);
    assert_memory_equal(report.at, "\x02\x71\x00\x00\x0B\x0A\xB0\x00\x00", 9);
    assert_int_equal(report.at[15], SECURED_STATUS_CHECK_FAILED);
    packet[len - 1] ^= 1;
    (void)send_part(packet, len, 0);
    open_packet(bytes_slice(report, 3, SIZE_MAX));
    assert_int_equal(response.status, SECURED_STATUS_OK); // nothing of all this moved the counter
}

static void many_wrong_packets_make_the_card_deaf_for_a_while(void **state)
{
    (void)state;
    uint8_t packet[SMS_PACKET_MAX];
    prepare(AES_128, 0x1619, SHARED, 1);
    size_t len = write_packet(READ_ICCID, packet);
    packet[len - 1] ^= 1;
    for (unsigned i = 0; i < 16; i++)
        (void)send_part(packet, len, 0);
    packet[len - 1] ^= 1;
    (void)send_part(packet, len, 0);
    assert_silent();
    // Another key set still listens, and what it hears does not help this one.
    prepare(AES_192, 0x1619, SHARED, 1);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    (void)send_part(packet, len, 0);
    assert_silent();
    // Nor do failures of several add up.
    for (unsigned i = 0; i < 15; i++) {
        prepare(AES_192, 0x1619, SHARED, 2);
        command.kic = 0x42; // its version is another one's
        (void)run("00A4000C022F05");
        prepare(i % 2 == 0 ? AES_256 : AES_192, 0x1619, SHARED, 2);
        uint8_t wrong[SMS_PACKET_MAX];
        size_t wrong_len = write_packet("00A4000C022F05", wrong);
        wrong[wrong_len - 1] ^= 1;
        (void)send_part(wrong, wrong_len, 0);
    }
    prepare(AES_256, 0x1619, SHARED, 2);
    (void)run("00A4000C022F05");
    assert_report(SECURED_STATUS_OK, "019000");
    prepare(AES_128, 0x1619, SHARED, 1);
    for (unsigned i = 0; i < 2; i++)
        (void)send("80F2000C00"); // 30 s each
    (void)send_part(packet, len, 0);
    assert_true(report.len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(counters_are_held),
        REMOTE_TEST(a_packet_that_comes_again_gets_its_answer_again),
        REMOTE_TEST(a_script_has_security_of_its_own),
        REMOTE_TEST(an_answer_is_secured_no_less_than_the_target_asks),
        REMOTE_TEST(less_security_than_the_target_asks_is_refused),
        REMOTE_TEST(before_the_mac_is_right_nothing_is_said),
        REMOTE_TEST(many_wrong_packets_make_the_card_deaf_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
