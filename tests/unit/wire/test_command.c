// What the examples of the document do not reach: refusals, edges, parameters.
#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/keywrap.h"
#include "common/wire/parameter.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"

static struct cipher cipher;

// Reads a command written as hexadecimal.
static enum command_read_status read_hex(const char *hex, struct command *c)
{
    static uint8_t octets[512];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of_text(hex), &w));
    return command_read(writer_bytes(&w), c);
}

static void a_command_of_wrong_form_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "80e29103",                                       // cut before Lc
        "80e2910300",                                     // nothing in it
        "80e29103118f04000000098109080910101032547698ff", // one octet more than Lc
        "80e29103128f04000000098109080910101032547698",   // one less
        "00e29103118f04000000098109080910101032547698",   // class
        "80e39103118f04000000098109080910101032547698",   // instruction
        "80e29003118f04000000098109080910101032547698",   // P1
        "80e291030b8109080910101032547698",               // no operation id
        "80e29103118f04000000008109080910101032547698",   // operation id 0
        "80e29103068f0400000009",                         // no target
        "80e291031d8f040000000981090809101010325476985a0a98990900009010000051", // two targets
        "80e29103178f04000000098f04000000098109080910101032547698",             // a tag twice
        "80e29103148f04000000098109080910101032547698800108", // a tag that DELETE does not have
        "80e29103148f0400000009810908091010103254769899010a", // a tag that nobody has
        "80e29103108f04000000098108080910101032547600",       // IMSI too short
        "80e291050e8a08a0a1a2a3a4a5a6a78c0100",               // AUDIT from slot 0
        "80e291050d8a08a0a1a2a3a4a5a6a78c0111",               // AUDIT from slot 17, Lc wrong too
        "80e29106068f040000000b",                             // CONFIGURE of nothing
    };
    struct command c;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(read_hex(BAD[i], &c), COMMAND_READ_BAD_FORMAT);
    assert_int_equal(read_hex("80e29103118f04000000098109080910101032547698", &c), COMMAND_READ_OK);
}

static void an_unknown_command_is_told_from_a_malformed_one(void **state)
{
    (void)state;
    struct command c;
    assert_int_equal(read_hex("80e29107068f0400000009", &c), COMMAND_READ_UNKNOWN);
    assert_int_equal(c.number, 7);
    assert_int_equal(c.operation_id, 9);
    assert_false(command_is_state_changing(COMMAND_AUDIT));
    assert_false(command_is_state_changing(COMMAND_CONFIRM));
    assert_true(command_is_state_changing(COMMAND_CONFIGURE));
}

static void results_of_another_form_are_refused(void **state)
{
    (void)state;
    static const uint8_t GOOD[] = {1, 0x90, 0, 3, 0x12, 0, 0, 0, 0, 9, 0, 0, 0, 5};
    uint8_t bad[sizeof GOOD];
    struct result r;
    assert_true(result_read(bytes_of(GOOD, sizeof GOOD), &r));
    assert_false(r.has_hash);
    for (size_t len = 0; len < sizeof GOOD; len++)
        assert_false(result_read(bytes_of(GOOD, len), &r));
    memcpy(bad, GOOD, sizeof GOOD);
    bad[0] = 2; // two commands executed
    assert_false(result_read(bytes_of(bad, sizeof bad), &r));
    bad[0] = 1;
    bad[1] = 0x6A;
    assert_false(result_read(bytes_of(bad, sizeof bad), &r));
    bad[1] = 0x90;
    bad[5] = 8; // a flag that does not exist
    assert_false(result_read(bytes_of(bad, sizeof bad), &r));
}

// Found by fuzz_server_message: the server copied the values of a longer one past their end.
static void a_result_is_no_longer_than_three_messages_carry(void **state)
{
    uint8_t octets[COMMAND_RESULT_MAX + 1] = {0x01, 0x90, 0x00, COMMAND_CONFIGURE};
    struct result r;
    (void)state;
    assert_true(result_read(bytes_of(octets, COMMAND_RESULT_MAX), &r));
    assert_int_equal(r.data.len, COMMAND_RESULT_MAX - 14 /* its head */);
    assert_false(result_read(bytes_of(octets, sizeof octets), &r));
}

static void an_audit_answer_pages_at_three_messages(void **state)
{
    (void)state;
    struct audit_answer a = {.slot_count = 16, .slot_count_here = 16};
    for (uint8_t i = 0; i < 16; i++)
        a.slots[i] = (struct audit_slot){
            .slot = (uint8_t)(i + 1), .state = SLOT_DISABLED, .has_iccid = true};
    uint8_t octets[1024];
    struct writer w = writer_of(octets, sizeof octets);
    // By hand: nonce 10, head 40, templates 2; a slot takes 26. With the 18 octets of the result
    // head (3 of the response, 11, and a hash of 4) 351 are left of 369: (351 - 52) / 26 = 11.5.
    assert_int_equal(audit_answer_write(&w, &a, 351), 11);
    assert_int_equal(w.len, 52 + 11 * 26);
    struct audit_answer read;
    assert_true(audit_answer_read(writer_bytes(&w), &read));
    assert_int_equal(read.slot_count_here, 11);
    assert_int_equal(read.slots[10].slot, 11);
    // Slots out of order are not an answer of ours.
    octets[52 + 2] = 5;
    assert_false(audit_answer_read(writer_bytes(&w), &read));
}

static void a_notification_needs_a_sequence_unless_it_is_a_heartbeat(void **state)
{
    (void)state;
    uint8_t octets[COMMAND_NOTIFY_MAX];
    struct notification n = {.cause = NOTIFY_ROTATED, .sequence = 0};
    struct writer w = writer_of(octets, sizeof octets);
    notification_write(&w, &n);
    struct notification read;
    assert_false(notification_read(writer_bytes(&w), &read));
    octets[0] = NOTIFY_HEARTBEAT;
    assert_true(notification_read(writer_bytes(&w), &read));
    octets[0] = 0x10; // no such cause
    assert_false(notification_read(writer_bytes(&w), &read));
}

static void the_longest_notification_fits_one_message(void **state)
{
    (void)state;
    const struct notification n = {
        .cause = NOTIFY_FIRST_CONTACT,
        .sequence = 1,
        .has_hash = true,
        .from = {.is_given = true, .is_iccid = true},
        .to = {.is_given = true, .is_iccid = true},
        .has_plmn = true,
        .has_access = true,
        .has_imei = true,
        .has_reject = true,
        .has_card = true,
    };
    uint8_t octets[COMMAND_NOTIFY_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    notification_write(&w, &n);
    assert_false(w.failed);
    assert_int_equal(w.len, 72);
    const uint8_t reference[SMS_CARD_REFERENCE_LEN] = {0};
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET,
                                .card_reference = bytes_of(reference, sizeof reference)};
    assert_int_equal(secured_command_data_max(0x16, 0x12, 0x12, 8, sms_cut_room(&cut, 1)),
                     COMMAND_NOTIFY_MAX);
    assert_int_equal(secured_response_data_max(0x39, 0x12, 0x12, 8, sms_cut_room(&cut, 3)),
                     COMMAND_RESULT_MAX);
}

static void keys_of_another_length_are_not_wrapped(void **state)
{
    (void)state;
    const struct secret_key kik = {.len = 16};
    const struct network_keys keys = {.k = {.len = 16}, .op = {.len = 24}};
    const uint8_t imsi[COMMAND_IMSI_SIZE] = {0};
    struct keywrap_block block;
    assert_int_equal(keywrap_seal(&cipher, &kik, 1, &keys, imsi, &block), KEYWRAP_BAD_LENGTH);
    const struct command_download d = {.wrapped_keys = bytes_of(block.octets, 16)};
    struct network_keys opened;
    assert_int_equal(keywrap_open(&cipher, &kik, 1, &d, &opened), KEYWRAP_BAD_LENGTH);
}

static void parameters_start_with_the_defaults_of_the_document(void **state)
{
    (void)state;
    struct parameters p;
    parameters_default(&p);
    assert_int_equal(p.poll_period_s, 30);
    assert_int_equal(p.no_service_s, 180);
    assert_int_equal(p.return_s, 86400);
    assert_int_equal(p.cool_s, 1800);
    assert_int_equal(p.switches_per_day, 48);
    assert_int_equal(p.refresh_mode, 4);
    assert_int_equal(p.country_count, 0);
    assert_int_equal(parameters_waits_sum_s(&p), 900); // final deadline of an ENABLED notification
}

static void a_write_list_is_applied_whole_or_not_at_all(void **state)
{
    (void)state;
    struct parameters p;
    parameters_default(&p);
    const struct parameters before = p;
    uint8_t bad = 0;
    const uint8_t late_range[] = {0x05, 2, 0x01, 0x2C, 0x07, 1, 11};
    assert_int_equal(parameters_apply(&p, bytes_of(late_range, sizeof late_range), &bad),
                     PARAMETER_OUT_OF_RANGE);
    assert_int_equal(bad, 7);
    assert_memory_equal(&p, &before, sizeof p);
    // An unknown number is judged before a value out of range, wherever it stands.
    const uint8_t late_unknown[] = {0x07, 1, 11, 0x17, 1, 0};
    assert_int_equal(parameters_apply(&p, bytes_of(late_unknown, sizeof late_unknown), &bad),
                     PARAMETER_UNKNOWN);
    assert_int_equal(bad, 0x17);
    const uint8_t cut[] = {0x05, 2, 0x01};
    assert_int_equal(parameters_apply(&p, bytes_of(cut, sizeof cut), NULL), PARAMETER_MALFORMED);
    // The form comes first, whatever stands before the cut.
    const uint8_t unknown_then_cut[] = {0x17, 1, 0, 0x05, 2, 0x01};
    assert_int_equal(
        parameters_apply(&p, bytes_of(unknown_then_cut, sizeof unknown_then_cut), NULL),
        PARAMETER_MALFORMED);
    assert_memory_equal(&p, &before, sizeof p);
}

static void parameters_are_taken_up_to_their_limits_and_no_further(void **state)
{
    (void)state;
    static const struct {
        uint8_t number, size;
        uint32_t value;
        bool is_good;
    } CASES[] = {
        {PARAMETER_POLL_PERIOD, 1, 4, false},    {PARAMETER_POLL_PERIOD, 1, 5, true},
        {PARAMETER_POLL_PERIOD, 1, 255, true},   {PARAMETER_T_ATTACH, 2, 59, false},
        {PARAMETER_T_ATTACH, 2, 60, true},       {PARAMETER_T_ATTACH, 2, 900, true},
        {PARAMETER_T_ATTACH, 2, 901, false},     {PARAMETER_T_ATTACH, 1, 60, false},
        {PARAMETER_AUTO_MODE, 1, 2, true},       {PARAMETER_AUTO_MODE, 1, 3, false},
        {PARAMETER_T_RETURN, 4, 0, true},        {PARAMETER_T_RETURN, 4, 1, false},
        {PARAMETER_T_RETURN, 4, 599, false},     {PARAMETER_T_RETURN, 4, 600, true},
        {PARAMETER_T_RETURN, 4, 2592000, true},  {PARAMETER_T_RETURN, 4, 2592001, false},
        {PARAMETER_REUSE_LIMIT, 2, 0, true},     {PARAMETER_REUSE_LIMIT, 2, 365, true},
        {PARAMETER_REUSE_LIMIT, 2, 366, false},  {PARAMETER_HEARTBEAT, 2, 720, true},
        {PARAMETER_HEARTBEAT, 2, 721, false},    {PARAMETER_REFRESH_MODE, 1, 2, false},
        {PARAMETER_REFRESH_MODE, 1, 3, true},    {PARAMETER_REFRESH_MODE, 1, 5, false},
        {PARAMETER_T_COOL, 4, 86400, true},      {PARAMETER_T_COOL, 4, 86401, false},
        {PARAMETER_NOTIFY_WAITS, 2, 9, false},   {PARAMETER_NOTIFY_WAITS, 2, 10, true},
        {PARAMETER_NOTIFY_WAITS, 2, 3600, true}, {PARAMETER_NOTIFY_WAITS, 2, 3601, false},
        {PARAMETER_SERVER_ADDR, 1, 0x91, false}, {PARAMETER_SERVER_ADDR, 2, 0x9121, true},
        {PARAMETER_COUNTRY_TABLE, 0, 0, true},   {PARAMETER_COUNTRY_TABLE, 4, 1, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct parameters p;
        parameters_default(&p);
        uint8_t list[6] = {CASES[i].number, CASES[i].size};
        for (uint8_t j = 0; j < CASES[i].size; j++)
            list[2 + j] = (uint8_t)(CASES[i].value >> 8 * (CASES[i].size - 1 - j));
        const struct bytes octets = bytes_of(list, 2u + CASES[i].size);
        assert_int_equal(parameters_apply(&p, octets, NULL),
                         CASES[i].is_good ? PARAMETER_OK : PARAMETER_OUT_OF_RANGE);
        uint8_t back[300];
        struct writer w = writer_of(back, sizeof back);
        assert_true(parameter_write(&w, &p, CASES[i].number));
        if (CASES[i].is_good)
            assert_true(bytes_equal(writer_bytes(&w), octets));
    }
}

// Each list changes its own parameter, and no other is another one for it.
static void a_parameter_is_the_same_until_its_value_changes(void **state)
{
    (void)state;
    static const uint8_t lists[][16] = {
        {PARAMETER_POLL_PERIOD, 1, 31},
        {PARAMETER_T_ATTACH, 2, 0, 181},
        {PARAMETER_T_RETURN, 4, 0, 0, 2, 88},       // 600
        {PARAMETER_NOTIFY_WAITS, 4, 0, 60, 0, 120}, // fewer
        {PARAMETER_NOTIFY_WAITS, 8, 0, 60, 0, 120, 0, 240, 1, 225},
        {PARAMETER_COUNTRY_TABLE, 13, 0, 0xF1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
        {PARAMETER_SERVER_ADDR, 2, 0x91, 0x21},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct parameters before;
        parameters_default(&before);
        struct parameters after = before;
        const struct bytes list = bytes_of(lists[i], 2u + lists[i][1]);
        assert_int_equal(parameters_apply(&after, list, NULL), PARAMETER_OK);
        for (uint8_t number = 1; number <= PARAMETER_LAST; number++)
            assert_int_equal(parameter_is_same(&before, &after, number), number != lists[i][0]);
    }
}

static void every_parameter_has_a_name_and_a_way_back(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= PARAMETER_LAST; i++)
        assert_int_equal(parameter_by_name(bytes_of_text(parameter_name(i))), i);
    assert_null(parameter_name(0));
    assert_null(parameter_name(PARAMETER_LAST + 1));
    assert_int_equal(parameter_by_name(bytes_of_text("T_NOTHING")), 0);
}

int main(void)
{
    if (!cipher_openssl_open(&cipher))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_of_wrong_form_is_refused),
        cmocka_unit_test(an_unknown_command_is_told_from_a_malformed_one),
        cmocka_unit_test(results_of_another_form_are_refused),
        cmocka_unit_test(a_result_is_no_longer_than_three_messages_carry),
        cmocka_unit_test(an_audit_answer_pages_at_three_messages),
        cmocka_unit_test(a_notification_needs_a_sequence_unless_it_is_a_heartbeat),
        cmocka_unit_test(the_longest_notification_fits_one_message),
        cmocka_unit_test(keys_of_another_length_are_not_wrapped),
        cmocka_unit_test(parameters_start_with_the_defaults_of_the_document),
        cmocka_unit_test(a_write_list_is_applied_whole_or_not_at_all),
        cmocka_unit_test(parameters_are_taken_up_to_their_limits_and_no_further),
        cmocka_unit_test(a_parameter_is_the_same_until_its_value_changes),
        cmocka_unit_test(every_parameter_has_a_name_and_a_way_back),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cipher_openssl_close(&cipher);
    return failed;
}
