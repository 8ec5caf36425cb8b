#include "smpp/core/pdu.h"
#include "tests/lib/cmocka_all.h"

static uint8_t memory[2048];

// The PDU of `head` (16 octets, its length is filled in) and `body`.
static struct bytes pdu_of(uint32_t command, struct bytes body)
{
    struct writer w = writer_of(memory, sizeof memory);
    writer_u32(&w, (uint32_t)(SMPP_HEADER_LEN + body.len));
    writer_u32(&w, command);
    writer_u32(&w, 0);
    writer_u32(&w, 1);
    writer_copy(&w, body);
    return writer_bytes(&w);
}
#define BODY(text) bytes_of(text, sizeof(text) - 1)

static enum smpp_status status_of(uint32_t command, struct bytes body)
{
    struct smpp_pdu pdu;
    return smpp_pdu_read(pdu_of(command, body), &pdu);
}

// A submit_sm by hand: mandatory fields up to sm_length, in the order of the standard.
#define SUBMIT_TO_LENGTH                                                                           \
    "CMT\0\1\1"                                                                                    \
    "100\0\1\1"                                                                                    \
    "8613800000001\0\x40\x7F\0\0"                                                                  \
    "000000010000000R\0\1\0\xF6\0"

static void a_submit_is_read_field_by_field(void **state)
{
    (void)state;
    struct smpp_pdu pdu;
    const struct bytes octets = pdu_of(SMPP_SUBMIT_SM, BODY(SUBMIT_TO_LENGTH "\4\2\x70\0\5"));
    assert_int_equal(smpp_pdu_read(octets, &pdu), ESME_ROK);
    const struct smpp_message *m = &pdu.message;
    assert_true(bytes_equal(m->service_type, bytes_of_text("CMT")));
    assert_int_equal(m->source.ton, 1);
    assert_true(bytes_equal(m->source.digits, bytes_of_text("100")));
    assert_true(bytes_equal(m->destination.digits, bytes_of_text("8613800000001")));
    assert_int_equal(m->esm_class, 0x40);
    assert_int_equal(m->protocol_id, 0x7F);
    assert_int_equal(m->schedule_delivery_time.len, 0);
    assert_true(bytes_equal(m->validity_period, bytes_of_text("000000010000000R")));
    assert_int_equal(m->registered_delivery, 1);
    assert_int_equal(m->data_coding, 0xF6);
    assert_true(bytes_equal(m->short_message, BODY("\2\x70\0\5")));
    assert_int_equal(pdu.tlvs.len, 0);
}

static void every_cut_of_a_submit_is_refused(void **state)
{
    (void)state;
    const struct bytes body = BODY(SUBMIT_TO_LENGTH "\4\2\x70\0\5");
    for (size_t len = 0; len < body.len; len++)
        assert_int_not_equal(status_of(SMPP_SUBMIT_SM, bytes_slice(body, 0, len)), ESME_ROK);
}

static void messages_of_0_to_255_octets_are_read_and_one_octet_less_is_refused(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 140, 253, 254, 255};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t body[512];
        struct writer w = writer_of(body, sizeof body);
        writer_copy(&w, BODY(SUBMIT_TO_LENGTH));
        writer_u8(&w, (uint8_t)lengths[i]);
        writer_fill(&w, 0x55, lengths[i]);
        assert_int_equal(status_of(SMPP_SUBMIT_SM, writer_bytes(&w)), ESME_ROK);
        w.len--;
        const enum smpp_status cut = lengths[i] == 0 ? ESME_RINVCMDLEN : ESME_RINVMSGLEN;
        assert_int_equal(status_of(SMPP_SUBMIT_SM, writer_bytes(&w)), cut);
    }
}

static void a_string_longer_than_its_maximum_is_refused_by_its_own_status(void **state)
{
    (void)state;
    // 20 characters and a zero fit in 21 octets, 21 characters do not [SMPP 3.4 §5.2.8].
    assert_int_equal(status_of(SMPP_QUERY_SM, BODY("1\0\1\1"
                                                   "12345678901234567890\0")),
                     ESME_ROK);
    assert_int_equal(status_of(SMPP_QUERY_SM, BODY("1\0\1\1"
                                                   "123456789012345678901\0")),
                     ESME_RINVSRCADR);
    assert_int_equal(status_of(SMPP_OUTBIND, BODY("1234567890123456\0"
                                                  "\0")),
                     ESME_RINVSYSID);
}

static void a_string_without_its_zero_is_refused(void **state)
{
    (void)state;
    assert_int_equal(status_of(SMPP_OUTBIND, BODY("a\0b")), ESME_RINVCMDLEN);
}

static void octets_after_a_header_alone_are_refused(void **state)
{
    (void)state;
    assert_int_equal(status_of(SMPP_ENQUIRE_LINK, BODY("")), ESME_ROK);
    assert_int_equal(status_of(SMPP_ENQUIRE_LINK, BODY("\0")), ESME_RINVCMDLEN);
}

static void a_service_type_of_seven_characters_is_read(void **state)
{
    (void)state;
    assert_int_equal(status_of(SMPP_DATA_SM, BODY("1234567\0\0\0\0\0\0\0\0\0\0")), ESME_ROK);
    assert_int_equal(status_of(SMPP_DATA_SM, BODY("12345678\0\0\0\0\0\0\0\0\0\0")),
                     ESME_RINVSERTYP);
}

static void unknown_tlvs_are_kept_in_order(void **state)
{
    (void)state;
    struct smpp_pdu pdu;
    const struct bytes octets = pdu_of(SMPP_SUBMIT_SM_RESP, BODY("id\0"
                                                                 "\x14\x07\0\2zz"
                                                                 "\x04\x27\0\1\2"
                                                                 "\x14\x06\0\0"));
    assert_int_equal(smpp_pdu_read(octets, &pdu), ESME_ROK);
    struct bytes rest = pdu.tlvs;
    struct smpp_tlv tlv;
    assert_true(smpp_tlv_next(&rest, &tlv));
    assert_int_equal(tlv.tag, 0x1407);
    assert_true(bytes_equal(tlv.value, bytes_of_text("zz")));
    assert_true(smpp_tlv_next(&rest, &tlv));
    assert_int_equal(tlv.tag, SMPP_TLV_MESSAGE_STATE);
    assert_true(smpp_tlv_next(&rest, &tlv));
    assert_int_equal(tlv.tag, 0x1406);
    assert_int_equal(tlv.value.len, 0);
    assert_false(smpp_tlv_next(&rest, &tlv));
}

static enum smpp_status status_with_tlvs(unsigned count)
{
    uint8_t body[256];
    struct writer w = writer_of(body, sizeof body);
    writer_u8(&w, 0);
    for (unsigned i = 0; i < count; i++)
        smpp_tlv_write_u8(&w, 0x1400, (uint8_t)i);
    return status_of(SMPP_SUBMIT_SM_RESP, writer_bytes(&w));
}

static void sixteen_tlvs_are_read_and_seventeen_refused(void **state)
{
    (void)state;
    assert_int_equal(status_with_tlvs(1), ESME_ROK);
    assert_int_equal(status_with_tlvs(15), ESME_ROK);
    assert_int_equal(status_with_tlvs(16), ESME_ROK);
    assert_int_equal(status_with_tlvs(17), ESME_RINVOPTPARSTREAM);
    assert_int_equal(status_with_tlvs(35), ESME_RINVOPTPARSTREAM);
}

static void a_tlv_past_the_end_and_one_of_wrong_length_are_refused(void **state)
{
    (void)state;
    const uint32_t resp = SMPP_SUBMIT_SM_RESP;
    assert_int_equal(status_of(resp, BODY("\0\x14\0\0\2z")), ESME_RINVOPTPARSTREAM);
    assert_int_equal(status_of(resp, BODY("\0\x14\0\0")), ESME_RINVOPTPARSTREAM);
    assert_int_equal(status_of(resp, BODY("\0\x14\0\xFF\xFFz")), ESME_RINVOPTPARSTREAM);
    assert_int_equal(status_of(resp, BODY("\0\x04\x27\0\2\0\2")), ESME_RINVPARLEN);
    assert_int_equal(status_of(resp, BODY("\0\x02\x04\0\1\2")), ESME_RINVPARLEN);
    assert_int_equal(status_of(resp, BODY("\0\x04\x23\0\3\3\0\1")), ESME_ROK);
}

static void a_payload_of_a_thousand_octets_is_read(void **state)
{
    (void)state;
    uint8_t body[1100];
    struct writer w = writer_of(body, sizeof body);
    writer_copy(&w, BODY("\0\0\0\0\0\0\0\0\0\0"));
    writer_u16(&w, SMPP_TLV_MESSAGE_PAYLOAD);
    writer_u16(&w, 1000);
    writer_fill(&w, 0xAA, 1000);
    assert_int_equal(status_of(SMPP_DATA_SM, writer_bytes(&w)), ESME_ROK);
}

static void every_response_may_come_without_a_body(void **state)
{
    (void)state;
    static const uint32_t commands[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0x15, 0x21, 0x103};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        assert_int_equal(status_of(commands[i] | SMPP_RESPONSE, BODY("")), ESME_ROK);
}

static void lists_of_destinations_are_checked(void **state)
{
    (void)state;
    // A number, then a distribution list [SMPP 3.4 §4.5.1].
    const struct bytes good = BODY("\0\0\0\0\2\1\1\1"
                                   "123\0\2"
                                   "list\0\0\0\0\0\0\0\0\0\0\0");
    struct smpp_pdu pdu;
    assert_int_equal(smpp_pdu_read(pdu_of(SMPP_SUBMIT_MULTI, good), &pdu), ESME_ROK);
    assert_int_equal(pdu.message.destination_count, 2);
    assert_int_equal(pdu.message.destinations.len, 13);
    assert_int_equal(status_of(SMPP_SUBMIT_MULTI, BODY("\0\0\0\0\1\3")), ESME_RINVDESTFLAG);
    assert_int_equal(status_of(SMPP_SUBMIT_MULTI, BODY("\0\0\0\0\2\1\1\1"
                                                       "123\0")),
                     ESME_RINVCMDLEN);
    assert_int_equal(status_of(0x80000021u, BODY("id\0\1\1\1"
                                                 "55\0\0\0\0\x0B")),
                     ESME_ROK);
    assert_int_equal(status_of(0x80000021u, BODY("id\0\1\1\1"
                                                 "55\0\0\0\0")),
                     ESME_RINVCMDLEN);
}

static void what_is_read_is_written_the_same(void **state)
{
    (void)state;
    const struct {
        uint32_t command;
        struct bytes body;
    } rows[] = {
        {SMPP_SUBMIT_SM, BODY(SUBMIT_TO_LENGTH "\4\2\x70\0\5"
                                               "\2\4\0\2\x12\x34")},
        {SMPP_DELIVER_SM, BODY(SUBMIT_TO_LENGTH "\0")},
        {SMPP_SUBMIT_SM_RESP, BODY("1F\0")},
        {SMPP_DELIVER_SM_RESP, BODY("\0")},
        {SMPP_DATA_SM, BODY("\0\1\1"
                            "1\0\1\1"
                            "2\0\x40\0\xF6"
                            "\4\x24\0\3abc")},
        {SMPP_BIND_TRANSCEIVER, BODY("id\0pw\0type\0\x34\1\1"
                                     "^1$\0")},
        {0x80000009u, BODY("smsc\0\2\x10\0\1\x34")},
        {SMPP_QUERY_SM, BODY("7\0\1\1"
                             "5\0")},
        {0x80000003u, BODY("7\0"
                           "261124120000000+\0\2\0")},
        {SMPP_CANCEL_SM, BODY("\0"
                              "7\0\1\1"
                              "5\0\1\1"
                              "6\0")},
        {0x80000008u, BODY("")},
        {SMPP_REPLACE_SM, BODY("7\0\1\1"
                               "5\0\0\0\1\0\2hi")},
        {SMPP_SUBMIT_MULTI, BODY("\0\0\0\0\2\1\1\1"
                                 "123\0\2"
                                 "list\0\0\0\0\0\0\0\0\0\0\0")},
        {0x80000021u, BODY("id\0\1\1\1"
                           "55\0\0\0\0\x0B")},
        {SMPP_ALERT_NOTIFICATION, BODY("\1\1"
                                       "5\0\1\1"
                                       "6\0\4\x22\0\1\0")},
        {SMPP_OUTBIND, BODY("id\0pw\0")},
        {SMPP_GENERIC_NACK, BODY("")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct smpp_pdu pdu;
        const struct bytes in = pdu_of(rows[i].command, rows[i].body);
        assert_int_equal(smpp_pdu_read(in, &pdu), ESME_ROK);
        uint8_t out[256];
        struct writer w = writer_of(out, in.len); // exactly enough
        assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_OK);
        assert_true(bytes_equal(writer_bytes(&w), in));
        w = writer_of(out, in.len - 1);
        assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_FULL);
        assert_int_equal(w.len, 0);
    }
}

static void what_no_field_can_hold_is_not_written(void **state)
{
    (void)state;
    struct writer w = writer_of(memory, sizeof memory);
    struct smpp_pdu pdu = {.command = SMPP_SUBMIT_SM_RESP, .id = {.message_id = BODY("a\0b")}};
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_INVALID);
    pdu.id.message_id = bytes_of(memory + 1000, 65);
    memset(memory + 1000, 'x', 65);
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_INVALID);
    pdu.id.message_id.len = 64;
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_OK);
    pdu.command = 0x177;
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_INVALID);
}

static void names_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_string_equal(smpp_status_name(0x58), "ESME_RTHROTTLED");
    assert_string_equal(smpp_status_name(0x104), "ESME_RINVDCS");
    assert_string_equal(smpp_status_name(0x3FF), "unknown");
    assert_string_equal(smpp_status_name(0x400), "vendor");
    assert_string_equal(smpp_status_name(0x4FF), "vendor");
    assert_string_equal(smpp_status_name(0x500), "unknown");
    assert_string_equal(smpp_command_name(0x80000005u), "deliver_sm_resp");
    assert_string_equal(smpp_command_name(0x177), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submit_is_read_field_by_field),
        cmocka_unit_test(every_cut_of_a_submit_is_refused),
        cmocka_unit_test(messages_of_0_to_255_octets_are_read_and_one_octet_less_is_refused),
        cmocka_unit_test(a_string_longer_than_its_maximum_is_refused_by_its_own_status),
        cmocka_unit_test(a_string_without_its_zero_is_refused),
        cmocka_unit_test(octets_after_a_header_alone_are_refused),
        cmocka_unit_test(a_service_type_of_seven_characters_is_read),
        cmocka_unit_test(unknown_tlvs_are_kept_in_order),
        cmocka_unit_test(sixteen_tlvs_are_read_and_seventeen_refused),
        cmocka_unit_test(a_tlv_past_the_end_and_one_of_wrong_length_are_refused),
        cmocka_unit_test(a_payload_of_a_thousand_octets_is_read),
        cmocka_unit_test(every_response_may_come_without_a_body),
        cmocka_unit_test(lists_of_destinations_are_checked),
        cmocka_unit_test(what_is_read_is_written_the_same),
        cmocka_unit_test(what_no_field_can_hold_is_not_written),
        cmocka_unit_test(names_are_those_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
