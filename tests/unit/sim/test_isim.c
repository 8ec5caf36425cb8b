// The ISIM [31.103] beside the USIM: selection, files, authentication.
#include "tests/unit/sim/apdu_lab.h"

#define SELECT_ISIM "00A4040C07A0000000871004"

static void assert_text(size_t at, const char *text)
{
    assert_true(answer.len >= at + strlen(text));
    assert_memory_equal(answer_octets + at, text, strlen(text));
}

// IMSI 001010000000001, MNC of two digits [23.003 §13.2 to §13.4].
static void its_identities_are_made_of_the_imsi(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_ISIM), SW_OK);
    assert_int_equal(send("00B0820040"), SW_OK); // EF.IMPI
    assert_int_equal(answer_octets[0], 0x80);
    assert_int_equal(answer_octets[1], 49);
    assert_text(2, "001010000000001@ims.mnc001.mcc001.3gppnetwork.org\xFF");
    assert_int_equal(send("00B0850040"), SW_OK); // EF.DOMAIN
    assert_int_equal(answer_octets[1], 33);
    assert_text(2, "ims.mnc001.mcc001.3gppnetwork.org\xFF");
    assert_int_equal(send("00B2012440"), SW_OK); // EF.IMPU
    assert_int_equal(answer_octets[0], 0x80);
    assert_int_equal(answer_octets[1], 53);
    assert_text(2, "sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org\xFF");
    assert_int_equal(send("00B2022440"), SW_OK); // a second identity is free
    assert_int_equal(answer_octets[0], 0xFF);
    assert_int_equal(send("00B0830003"), SW_OK); // EF.AD: normal operation
    assert_answer("000000");
    assert_int_equal(send("00B0870003"), SW_OK); // EF.IST
    assert_answer("000000");
    assert_int_equal(send("00B2013438"), SW_OK); // EF.ARR
    // An operator writes others; the USIM's are not touched.
    assert_int_equal(send("00D6820003 800100"), SW_SECURITY_STATUS);
    assert_int_equal(send(VERIFY_ADM1), SW_OK);
    assert_int_equal(send("00D6820003 800131"), SW_OK);
    assert_int_equal(send("00B0820003"), SW_OK);
    assert_answer("800131");
}

static void an_mnc_of_three_digits_is_itself(void **state)
{
    struct applet_subscription view;
    (void)close_card(state);
    lab_open(&lab, 1, NULL);
    lab.slots[0].mnc_length = 3;
    card = &lab.devices[0].card;
    reset_card();
    assert_true(card_subscription(card, &view));
    assert_int_equal(send(SELECT_ISIM), SW_OK);
    assert_int_equal(send("00B0850023"), SW_OK);
    assert_text(2, "ims.mnc010.mcc001.3gppnetwork.org"); // 001 010
}

static void both_applications_are_found_by_their_names(void **state)
{
    (void)state;
    assert_int_equal(send("00A4000C022F00"), SW_OK);
    assert_int_equal(send("00B2020422"), SW_OK); // EF.DIR
    assert_answer("61194F10A0000000871004FFFFFFFF89070900005005 4953696D31 FFFFFFFFFFFFFF");
    assert_int_equal(send(SELECT_ISIM), SW_OK);
    assert_int_equal(send("80F2000112"), SW_OK);
    assert_answer("8410A0000000871004FFFFFFFF8907090000");
    assert_int_equal(send_all("00A40004027FFF"), SW_OK);
    assert_int_equal(send("00A4000C026F04"), SW_OK);
    assert_int_equal(send("00A4000C026F42"), SW_FILE_NOT_FOUND); // of the USIM
    assert_int_equal(send("00A4080C047FFF6F02"), SW_OK);
    assert_int_equal(send("00A4000C023F00"), SW_OK);
    assert_int_equal(send("00A4000C027FF1"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4080C027FF1"), SW_FILE_NOT_FOUND);
    // By the beginning of a name: first, next, previous, last.
    assert_int_equal(send("00A4040C05A000000087"), SW_OK);
    assert_int_equal(send("80F2000112"), SW_OK);
    assert_int_equal(answer_octets[8], 0x02);
    assert_int_equal(send("00A4040E05A000000087"), SW_OK);
    assert_int_equal(send("80F2000112"), SW_OK);
    assert_int_equal(answer_octets[8], 0x04);
    assert_int_equal(send("00A4040E05A000000087"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4040F05A000000087"), SW_OK);
    assert_int_equal(send("80F2000112"), SW_OK);
    assert_int_equal(answer_octets[8], 0x02);
    assert_int_equal(send("00A4040F05A000000087"), SW_FILE_NOT_FOUND);
    assert_int_equal(send("00A4040D05A000000087"), SW_OK);
    assert_int_equal(send("80F2000112"), SW_OK);
    assert_int_equal(answer_octets[8], 0x04);
    // Each channel has an application of its own.
    assert_int_equal(send("0070000001"), SW_OK);
    assert_int_equal(send("01A4040C07A0000000871002"), SW_OK);
    assert_int_equal(send("01A4000C027FFF"), SW_OK);
    assert_int_equal(send("01A4000C026F42"), SW_OK);
    assert_int_equal(send("00A4000C027FFF"), SW_OK);
    assert_int_equal(send("00A4000C026F42"), SW_FILE_NOT_FOUND);
}

static uint16_t authenticate(const char *head, const struct radio_challenge *c, bool has_autn)
{
    char apdu[120];
    size_t at = (size_t)snprintf(apdu, sizeof apdu, "%s10", head);
    for (size_t i = 0; i < 16; i++)
        at += (size_t)snprintf(apdu + at, sizeof apdu - at, "%02X", c->rand[i]);
    if (has_autn)
        at += (size_t)snprintf(apdu + at, sizeof apdu - at, "10");
    for (size_t i = 0; has_autn && i < 16; i++)
        at += (size_t)snprintf(apdu + at, sizeof apdu - at, "%02X", c->autn[i]);
    return send_all(apdu);
}

// IMS AKA: the same keys and sequence numbers, no Kc, no GSM context [31.103 §7.1].
static void it_authenticates_without_kc(void **state)
{
    (void)state;
    struct radio_challenge c;
    assert_int_equal(send(SELECT_ISIM), SW_OK);
    assert_true(radio_challenge_make(&lab.radio, &lab.radio.subscribers[0], &c));
    assert_int_equal(authenticate("0088008122", &c, true), SW_OK);
    assert_int_equal(answer.len, 1 + 9 + 17 + 17);
    assert_int_equal(answer_octets[0], 0xDB);
    assert_memory_equal(answer_octets + 2, c.xres, 8);
    assert_int_equal(authenticate("0088008011", &c, false), SW_WRONG_P1_P2);
    assert_int_equal(authenticate("0088008411", &c, false), SW_AUTHENTICATION_CONTEXT);
    // What the USIM took is not fresh here, either.
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_true(radio_challenge_make(&lab.radio, &lab.radio.subscribers[0], &c));
    assert_int_equal(authenticate("0088008122", &c, true), SW_OK);
    assert_int_equal(answer.len, 1 + 9 + 17 + 17 + 9);
    assert_int_equal(send(SELECT_ISIM), SW_OK);
    assert_int_equal(authenticate("0088008122", &c, true), SW_OK);
    assert_int_equal(answer_octets[0], 0xDC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(its_identities_are_made_of_the_imsi),
        CARD_TEST(an_mnc_of_three_digits_is_itself),
        CARD_TEST(both_applications_are_found_by_their_names),
        CARD_TEST(it_authenticates_without_kc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
