#include "tests/lib/cmocka_all.h"

#include "common/wire/show.h"
#include "tests/unit/wire/octets.h"

#include <string.h>

static char text[1024];

static struct writer fresh(void)
{
    memset(text, 0, sizeof text);
    return writer_of(text, sizeof text - 1);
}

// The fields of [102.225 §5.1.1] and [31.115 §4.1], written out by hand.
static void security_parameters_are_named(void **state)
{
    (void)state;
    static const struct {
        uint8_t spi1, spi2;
        const char *shown;
    } rows[] = {
        {0x16, 0x39,
         "SPI 16 39: CC, ciphered, counter higher; PoR always, by SMS-SUBMIT, CC, ciphered"},
        {0x1E, 0x01,
         "SPI 1E 01: CC, ciphered, counter one more; PoR always, in the report, no integrity, not "
         "ciphered"},
        {0x09, 0x06,
         "SPI 09 06: RC, not ciphered, counter present; PoR on error, in the report, "
         "RC, not ciphered"},
        {0x00, 0x00, "SPI 00 00: no integrity, not ciphered, no counter; no PoR"},
        {0xE3, 0x03,
         "SPI E3 03: DS, not ciphered, no counter; PoR reserved, in the report, no "
         "integrity, not ciphered; reserved bits set"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct writer w = fresh();
        show_spi(&w, rows[i].spi1, rows[i].spi2);
        assert_string_equal(text, rows[i].shown);
    }
}

static void keys_are_named_by_algorithm_and_set(void **state)
{
    (void)state;
    struct writer w = fresh();
    show_kic(&w, 0x12);
    text_put(&w, "|");
    show_kid(&w, 0x16, 0x35);
    text_put(&w, "|");
    show_kid(&w, 0x01, 0x15); // an RC: CRC-32
    text_put(&w, "|");
    show_kic(&w, 0x0F);
    text_put(&w, "|");
    show_tar(&w, 0x534D01);
    text_put(&w, "|");
    show_cntr(&w, SECURED_CNTR_MAX);
    assert_string_equal(text,
                        "KIc 12: AES, key set 1|KID 35: 3DES 2 keys, key set 3|KID 15: CRC-32, "
                        "key set 1|KIc 0F: reserved, key set 0|TAR 534D01|CNTR 1099511627775");
}

static void status_words_and_codes_are_named(void **state)
{
    (void)state;
    static const struct {
        uint16_t sw;
        const char *shown;
    } rows[] = {
        {0x9000, "done"},
        {0x9100, "done; a proactive command of 256 octets waits"},
        {0x911F, "done; a proactive command of 31 octets waits"},
        {0x6135, "53 octets wait"},
        {0x6C0A, "wrong Le, 10 is right"},
        {0x63C2, "2 tries are left"},
        {0x6A82, "file not found"},
        {0x9862, "wrong MAC of the network"},
        {0x1234, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct writer w = fresh();
        show_status_word(&w, rows[i].sw);
        assert_string_equal(text, rows[i].shown);
    }
    struct writer w = fresh();
    show_por_status(&w, 0x02);
    text_put(&w, "|");
    show_por_status(&w, 0xC0);
    text_put(&w, "|");
    show_instruction(&w, 0xC2);
    text_put(&w, "|");
    show_instruction(&w, 0xF1);
    assert_string_equal(text, "PoR 02: CNTR low|PoR C0|ENVELOPE|INS F1");
}

// The examples of docs/applet-protocol.md.
static void commands_are_told_without_their_keys(void **state)
{
    (void)state;
    const struct octets download = hex(
        "80e291015d8f0400000007800201055a0a9899090000901000005181090809101010325476988220933f1bbafa"
        "7e098c9fe46134a8b1f77dac4e28547e14acbc99c2d62c3b351c4c830791990900000010840791990900001010"
        "85"
        "01028603d91cd0");
    const struct octets configure = hex("80e29106168f040000000b8e0a0502012c0e04003c007890020516");
    struct command c;
    struct writer w = fresh();
    assert_int_equal(command_read(view(&download), &c), COMMAND_READ_OK);
    show_command(&w, &c);
    assert_string_equal(
        text, "DOWNLOAD operation 7: template 1, ICCID 89999000000901000015, IMSI 001010123456789, "
              "keys of 32 octets and check value (not shown), SMSC +999000000001, "
              "MSISDN +999000000101, MNC length 2, flags enable + rollback allowed");
    w = fresh();
    assert_int_equal(command_read(view(&configure), &c), COMMAND_READ_OK);
    show_command(&w, &c);
    assert_string_equal(text,
                        "CONFIGURE operation 11: T_ATTACH = 012c, NOTIFY_WAITS = 003c0078 read "
                        "T_ATTACH, SERVER_ADDR");
}

static void results_and_notifications_are_told(void **state)
{
    (void)state;
    const struct octets refused = hex("019000031204000000090000000581d73ba7");
    const struct octets downloaded = hex("01900001010400000007000000056a49af010206");
    const struct octets notice =
        hex("020400000003000000070000000781d73ba700920a98990900007071000091930a98990900009010000051"
            "940300f11095010896081a32547698103254");
    struct result r;
    struct notification n;
    struct writer w = fresh();
    assert_true(result_read(view(&refused), &r));
    show_result(&w, &r);
    assert_string_equal(text, "DELETE operation 9: IS_FALLBACK, REGV 5, hash 81d73ba7");
    w = fresh();
    assert_true(result_read(view(&downloaded), &r));
    show_result(&w, &r);
    assert_string_equal(
        text, "DOWNLOAD operation 7: OK_PENDING, REGV 5, hash 6a49af01, slot 2, free slots 6");
    w = fresh();
    assert_true(notification_read(view(&notice), &n));
    show_notification(&w, &n);
    assert_string_equal(text,
                        "ENABLED sequence 3 operation 7, REGV 7, hash 81d73ba7, from ICCID "
                        "89999000000717000019, to ICCID 89999000000901000015, PLMN 00101, access "
                        "technology 8, IMEI 123456789012345");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(security_parameters_are_named),
        cmocka_unit_test(keys_are_named_by_algorithm_and_set),
        cmocka_unit_test(status_words_and_codes_are_named),
        cmocka_unit_test(commands_are_told_without_their_keys),
        cmocka_unit_test(results_and_notifications_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
