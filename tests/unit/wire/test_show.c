#include "tests/lib/cmocka_all.h"

#include "common/wire/show.h"
#include "tests/unit/wire/octets.h"

#include <string.h>

static char text[2048];

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
    // The second value is told to be 6 octets long, and has 3.
    const struct octets cut = hex("80e29106118f040000000b8e090502012c0e06003c00");
    w = fresh();
    assert_int_equal(command_read(view(&cut), &c), COMMAND_READ_OK);
    show_command(&w, &c);
    assert_non_null(strstr(text, "T_ATTACH = 012c"));
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

// The subscription of the examples, in the octets of its files.
static const char iccid_octets[] = "98990900009010000051";
static const char imsi_octets[] = "080910101032547698";

static struct subscription_name named(bool is_iccid)
{
    struct subscription_name name = {.is_given = true, .is_iccid = is_iccid};
    memcpy(name.iccid, hex(iccid_octets).at, sizeof name.iccid);
    memcpy(name.imsi, hex(imsi_octets).at, sizeof name.imsi);
    return name;
}

static void assert_command(const struct command *c, const char *shown)
{
    struct writer w = fresh();
    show_command(&w, c);
    assert_string_equal(text, shown);
}

static void every_command_is_told(void **state)
{
    (void)state;
    struct command c = {.number = COMMAND_ENABLE, .operation_id = 8, .target = named(true)};
    c.flags = COMMAND_FLAG_ROLLBACK;
    assert_command(&c, "ENABLE operation 8: ICCID 89999000000901000015, flags rollback allowed");
    c = (struct command){.number = COMMAND_DELETE, .operation_id = 9, .target = named(false)};
    assert_command(&c, "DELETE operation 9: IMSI 001010123456789");
    c = (struct command){.number = COMMAND_SET_FALLBACK, .operation_id = 1, .target = named(false)};
    c.flags = COMMAND_FLAG_FORCE;
    assert_command(&c, "SET_FALLBACK operation 1: IMSI 001010123456789, flags force");
    c.target.is_given = false;
    c.flags = 0;
    assert_command(&c, "SET_FALLBACK operation 1");
    c = (struct command){.number = COMMAND_AUDIT, .audit = {.first_slot = 9}};
    memcpy(c.audit.nonce, hex("0102030405060708").at, sizeof c.audit.nonce);
    assert_command(&c, "AUDIT: nonce 0102030405060708, from slot 9");
    c.audit.has_lookup = true;
    c.audit.lookup_operation_id = UINT32_MAX;
    assert_command(&c, "AUDIT: nonce 0102030405060708, from slot 9, asks for operation 4294967295");
    c = (struct command){.number = COMMAND_CONFIRM, .operation_id = 7, .confirm = {.sequence = 3}};
    assert_command(&c, "CONFIRM operation 7: sequence 3");
    c = (struct command){.number = 0x7F, .operation_id = 2};
    assert_command(&c, "UNKNOWN_COMMAND operation 2");
}

static void a_download_tells_what_it_leaves_out_and_what_it_adds(void **state)
{
    (void)state;
    const struct octets list = hex("00F110 8000");
    const struct octets national = hex("81 21F3"); // 123
    const struct octets short_one = hex("81");
    const struct octets wrong = hex("91 1FF2"); // a filler before a digit
    struct command c = {.number = COMMAND_DOWNLOAD, .operation_id = 5};
    c.download.template_number = 3;
    memset(c.download.imsi, 0xFF, sizeof c.download.imsi);
    c.download.smsc = view(&short_one);
    c.download.msisdn = view(&wrong);
    assert_command(&c, "DOWNLOAD operation 5: template 3, IMSI ffffffffffffffffff, keys of 0 "
                       "octets and check value (not shown)");
    c.download.iccid = named(true);
    memset(c.download.iccid.iccid, 0xAA, sizeof c.download.iccid.iccid);
    c.download.msisdn = view(&national);
    c.download.has_role = true;
    c.download.role = 1;
    c.download.has_rank = true;
    c.download.rank = 200;
    c.download.has_marks = true;
    c.download.marks = 7;
    c.download.plmns = view(&list);
    assert_command(&c, "DOWNLOAD operation 5: template 3, ICCID aaaaaaaaaaaaaaaaaaaa, IMSI "
                       "ffffffffffffffffff, keys of 0 octets and check value (not shown), MSISDN "
                       "123, role 1, rank 200, marks 7, PLMNs 00f1108000");
}

static void parameters_without_a_name_are_told_all_the_same(void **state)
{
    (void)state;
    const struct octets writes = hex("7F 01 AA 01 01 1E");
    const struct octets reads = hex("FF 7F");
    struct command c = {.number = COMMAND_CONFIGURE, .operation_id = 1};
    c.configure.writes = view(&writes);
    c.configure.reads = view(&reads);
    assert_command(&c, "CONFIGURE operation 1: ? = aa, POLL_PERIOD = 1e read all, ?");
}

static void assert_result(const struct result *r, const char *shown)
{
    struct writer w = fresh();
    show_result(&w, r);
    assert_string_equal(text, shown);
}

static void every_result_is_told(void **state)
{
    (void)state;
    const struct octets pair = hex("02 03");
    const struct octets written = hex("0102 05 02 012C");
    const struct octets one = hex("01");
    struct result r = {.command = COMMAND_ENABLE, .operation_id = 8, .registry_version = 4};
    r.code = RESULT_OK_PENDING;
    r.data = view(&pair);
    assert_result(&r, "ENABLE operation 8: OK_PENDING, REGV 4, slot 2 to 3");
    r.command = COMMAND_SET_FALLBACK;
    r.replayed = true;
    assert_result(&r, "SET_FALLBACK operation 8: OK_PENDING (replayed), REGV 4, slot 2 to 3");
    r.data = view(&one);
    assert_result(&r, "SET_FALLBACK operation 8: OK_PENDING (replayed), REGV 4");
    r.command = COMMAND_DELETE;
    assert_result(&r, "DELETE operation 8: OK_PENDING (replayed), REGV 4");
    r = (struct result){
        .command = COMMAND_CONFIGURE, .registry_version = 4, .data = view(&written)};
    assert_result(&r, "CONFIGURE operation 0: OK, REGV 4, configuration 258: T_ATTACH = 012c");
    r.data = view(&one);
    assert_result(&r, "CONFIGURE operation 0: OK, REGV 4");
    r.command = COMMAND_CONFIRM;
    assert_result(&r, "CONFIRM operation 0: OK, REGV 4");
    r.command = COMMAND_AUDIT;
    r.more = true;
    assert_result(&r, "AUDIT operation 0: OK, more slots, REGV 4, malformed audit answer");
}

static void assert_audit(const struct audit_answer *a, const char *shown)
{
    uint8_t octets[COMMAND_RESULT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    assert_int_equal(audit_answer_write(&w, a, sizeof octets), a->slot_count_here);
    const struct result r = {.command = COMMAND_AUDIT, .data = writer_bytes(&w)};
    assert_result(&r, shown);
}

static void an_audit_tells_card_and_slots(void **state)
{
    (void)state;
    struct audit_answer a = {.applet_version = {1, 2, 3}, .level = 2, .slot_count = 4};
    a.mt_counter = 17;
    a.mo_counter = 5;
    a.operation_id_highest = 9;
    a.configuration_version = 1;
    a.switch_state = SWITCH_BACKOFF;
    a.journal_phase = 2;
    a.preferred_slot = 1;
    a.free_memory = 900;
    memcpy(a.nonce, hex("0102030405060708").at, sizeof a.nonce);
    memcpy(a.card_iccid, hex(iccid_octets).at, sizeof a.card_iccid);
    assert_audit(&a, "AUDIT operation 0: OK, REGV 0, nonce 0102030405060708, ICCID "
                     "89999000000901000015, applet 010203 level 2, MT 17, MO 5, highest operation "
                     "9, configuration 1, BACKOFF, journal 2, preferred slot 1, free 900");
    assert_string_equal(show_switch_state(SWITCH_BACKOFF + 1), "?");
    assert_string_equal(show_slot_state(SLOT_ENABLED + 1), "?");
    a.lookup = LOOKUP_NEVER_SEEN;
    a.lookup_operation_id = 7;
    a.slot_count_here = 2;
    a.slots[0] = (struct audit_slot){.slot = 1, .state = SLOT_ENABLED, .is_fallback = true};
    a.slots[0].is_proven = true;
    a.slots[0].has_iccid = true;
    a.slots[0].rank = 1;
    a.slots[0].template_number = 6;
    memcpy(a.slots[0].iccid, hex(iccid_octets).at, sizeof a.slots[0].iccid);
    memcpy(a.slots[0].imsi, hex(imsi_octets).at, sizeof a.slots[0].imsi);
    a.slots[1] = a.slots[0];
    a.slots[1].slot = 2;
    a.slots[1].state = SLOT_DISABLED;
    a.slots[1].role = ROLE_TEST;
    a.slots[1].is_fallback = a.slots[1].is_proven = a.slots[1].has_iccid = false;
    a.slots[1].marks = 4;
    assert_audit(
        &a, "AUDIT operation 0: OK, REGV 0, nonce 0102030405060708, ICCID "
            "89999000000901000015, applet 010203 level 2, MT 17, MO 5, highest operation "
            "9, configuration 1, BACKOFF, journal 2, preferred slot 1, free 900, operation 7 never "
            "seen; slot 1 ENABLED operational fallback proven rank 1 marks 0 template 6 IMSI "
            "001010123456789 ICCID 89999000000901000015; slot 2 DISABLED test rank 1 marks 4 "
            "template 6 IMSI 001010123456789");
    a.slot_count_here = 0;
    a.lookup = LOOKUP_STORED;
    a.lookup_code = RESULT_NOT_FOUND;
    a.switch_state = SWITCH_STABLE;
    assert_audit(&a,
                 "AUDIT operation 0: OK, REGV 0, nonce 0102030405060708, ICCID "
                 "89999000000901000015, applet 010203 level 2, MT 17, MO 5, highest operation "
                 "9, configuration 1, STABLE, journal 2, preferred slot 1, free 900, operation 7 "
                 "stored NOT_FOUND");
    a.lookup = LOOKUP_NOT_STORED;
    a.lookup_code = 0;
    assert_audit(&a,
                 "AUDIT operation 0: OK, REGV 0, nonce 0102030405060708, ICCID "
                 "89999000000901000015, applet 010203 level 2, MT 17, MO 5, highest operation "
                 "9, configuration 1, STABLE, journal 2, preferred slot 1, free 900, operation 7 "
                 "not stored");
}

static void a_notification_tells_what_it_has(void **state)
{
    (void)state;
    struct notification n = {.cause = NOTIFY_FIRST_CONTACT, .sequence = 1, .registry_version = 1};
    n.coalesced = 2;
    n.has_card = true;
    n.level = 2;
    n.has_reject = true;
    n.reject = 15;
    struct writer w = fresh();
    show_notification(&w, &n);
    assert_string_equal(text, "FIRST_CONTACT sequence 1, REGV 1, merged 2, rejected with cause 15, "
                              "applet 000000 level 2");
    n = (struct notification){.cause = NOTIFY_FALLBACK, .sequence = 2};
    n.has_plmn = n.has_imei = true; // octets that are neither
    memset(n.plmn, 0xAA, sizeof n.plmn);
    memset(n.imei, 0xAA, sizeof n.imei);
    w = fresh();
    show_notification(&w, &n);
    assert_string_equal(text, "FALLBACK sequence 2, REGV 0");
}

static void scripts_are_told_without_what_they_write(void **state)
{
    (void)state;
    static const uint8_t compact[] = {0x00, 0xA4, 0x00, 0x04, 0x02, 0x3F, 0x00, 0x00, 0xD6, 0x00,
                                      0x01, 0x02, 0xAA, 0xBB, 0x00, 0xB2, 0x01, 0x04, 0x00};
    struct writer w = fresh();
    show_script(&w, bytes_of(compact, sizeof compact));
    assert_string_equal(
        text, "script: SELECT 0004 3F00; UPDATE BINARY 0001 with 2; READ RECORD 0104 for 256");
    w = fresh();
    show_script(&w, bytes_of(compact, sizeof compact - 1)); // cut
    assert_string_equal(
        text, "script: SELECT 0004 3F00; UPDATE BINARY 0001 with 2; malformed behind that");
    w = fresh();
    show_script(&w, bytes_of(NULL, 0));
    assert_string_equal(text, "script without a command");
    static uint8_t many[66 * 5];
    for (size_t i = 0; i < sizeof many; i += 5)
        many[i + 1] = 0x44; // ACTIVATE FILE
    w = fresh();
    show_script(&w, bytes_of(many, sizeof many));
    assert_true(w.failed || strstr(text, "; and 2 more") != NULL);
    w = fresh();
    show_script_result(&w, REMOTE_COMPACT, bytes_of((const uint8_t[]){2, 0x90, 0x00, 1, 2, 3}, 6));
    assert_string_equal(text, "2 executed, the last 9000 done with 3");
    w = fresh();
    show_script_result(&w, REMOTE_COMPACT, bytes_of((const uint8_t[]){1, 0x6A, 0x82}, 3));
    assert_string_equal(text, "1 executed, the last 6A82 file not found with 0");
    w = fresh();
    show_script_result(&w, REMOTE_DEFINITE, bytes_of((const uint8_t[]){1, 0x6A, 0x82}, 3));
    assert_string_equal(text, "data that are no answer to a script");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(security_parameters_are_named),
        cmocka_unit_test(keys_are_named_by_algorithm_and_set),
        cmocka_unit_test(status_words_and_codes_are_named),
        cmocka_unit_test(commands_are_told_without_their_keys),
        cmocka_unit_test(results_and_notifications_are_told),
        cmocka_unit_test(every_command_is_told),
        cmocka_unit_test(a_download_tells_what_it_leaves_out_and_what_it_adds),
        cmocka_unit_test(parameters_without_a_name_are_told_all_the_same),
        cmocka_unit_test(every_result_is_told),
        cmocka_unit_test(an_audit_tells_card_and_slots),
        cmocka_unit_test(a_notification_tells_what_it_has),
        cmocka_unit_test(scripts_are_told_without_what_they_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
