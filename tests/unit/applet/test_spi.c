// Every level of security that a packet can name, under a right MAC.
#include "tests/unit/applet/bench_card.h"

#include "common/wire/secured.h"
#include "tests/lib/any_packet.h"
#include "tests/lib/cmocka_all.h"

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
    bench_close(&card);
    return 0;
}

// One of all SPIs, of which the MAC is right; true when it was answered.
static bool sweep(unsigned spi, struct bytes body)
{
    const uint64_t counter = card.applet.mt_counter + 1;
    struct any_packet p = {
        .header = {(uint8_t)(spi >> 8), (uint8_t)spi, 0x12, 0x12, 0xB0, 0x00, 0x10}, .data = body};
    for (unsigned i = 0; i < 5; i++)
        p.header[7 + i] = (uint8_t)(counter >> 8 * (4 - i));
    uint8_t octets[SMS_USER_DATA_MAX];
    uint8_t part[SMS_USER_DATA_MAX];
    uint8_t tpdu[SMS_DELIVER_MAX];
    uint8_t answer[SMS_USER_DATA_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    struct writer user_data = writer_of(part, sizeof part);
    struct writer w = writer_of(tpdu, sizeof tpdu);
    struct writer report = writer_of(answer, sizeof answer);
    any_packet_write(&packet, &p, &card.factory.kic, &card.factory.kid, &card.cipher);
    assert_false(packet.failed);
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    sms_cut_part(&cut, writer_bytes(&packet), 0, &user_data);
    const struct sms_address sender = {.digit_count = 2, .type = 0x91, .octets = {0x21}};
    const uint8_t time[SMS_TIME_LEN] = {0};
    const struct sms_deliver m = sms_deliver_packet(&sender, time, writer_bytes(&user_data));
    sms_write_deliver(&w, &m);
    const enum applet_sms_answer got =
        applet_sms(&card.applet, &card.port, writer_bytes(&w), &report);
    assert_int_not_equal(got, APPLET_SMS_NOT_MINE);
    assert_true((got == APPLET_SMS_REPORT) == (report.len > 0));
    const bool by_message = card.applet.answer.is_wanted;
    card.applet.answer.is_wanted = false;
    return report.len > 0 || by_message;
}

// Enough are: of SPI1 16 and 1E (a MAC, ciphering, a counter that is higher or the next); of SPI2
// 16 that ask for no answer, and 4 that ask for one, with a MAC and ciphered. Answers: of the 64
// SPI1 with a MAC, half of the SPI2 ask for one always or of errors; only the 2 * 2 that pass and
// ask for errors get none.
static void of_all_spis_only_the_minimum_level_does_anything(void **state)
{
    (void)state;
    static uint8_t nvm[BENCH_NVM];
    uint8_t body[COMMAND_BODY_MAX];
    struct writer w = writer_of(body, sizeof body);
    const struct command c = bench_confirm(&card, 1, 1);
    command_write(&w, &c);
    unsigned passed = 0;
    unsigned answered = 0;
    for (unsigned spi = 0; spi <= 0xFFFF; spi++) {
        const uint64_t counter = card.applet.mt_counter;
        const uint8_t spi1 = (uint8_t)(spi >> 8);
        const uint8_t por = spi & 0x03;
        const bool is_answer_safe =
            (spi & 0xC0) == 0 && (por == 0 || (por != 3 && (spi & 0x1C) == 0x18));
        const bool is_enough = (spi1 == 0x16 || spi1 == 0x1E) && is_answer_safe;
        memcpy(nvm, card.nvm, sizeof nvm);
        card.applet.failures_in_row = 0;
        const bool is_answered = sweep(spi, writer_bytes(&w));
        assert_true(card.applet.mt_counter == counter + is_enough);
        assert_true(is_enough || memcmp(nvm, card.nvm, sizeof nvm) == 0);
        assert_int_equal(card.applet.failures_in_row, (spi1 & 0x03) == 2 ? 0 : 1);
        assert_true(!is_answered || ((spi1 & 0x03) == 2 && (por == 1 || por == 2)));
        passed += is_enough;
        answered += is_answered;
    }
    assert_int_equal(passed, 2 * (16 + 4));
    assert_int_equal(answered, 64 * 128 - 2 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_all_spis_only_the_minimum_level_does_anything, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
