#include "smpp/codec/library.h"
#include "smpp/core/shape.h"
#include "tests/lib/cmocka_all.h"
#include "tests/unit/smpp/end.h"

static uint8_t memory[2048];

static const struct bytes long_text = {(const uint8_t *)"12345678901234567890", 20};

// A PDU of `command` with every field that some PDU has; longest strings of the narrowest PDU.
static struct bytes written(uint32_t command, size_t message_len)
{
    static uint8_t text[255];
    memset(text, 0x7F, sizeof text);
    struct smpp_pdu pdu = {.command = command, .sequence = 0x80000009u};
    pdu.id.message_id = bytes_of_text("1F");
    pdu.id.message_state = 2;
    if (smpp_command_is_bind(command & ~SMPP_RESPONSE) || command == SMPP_OUTBIND) {
        pdu.bind = (struct smpp_bind){.system_id = bytes_of("123456789012345", 15),
                                      .password = bytes_of("12345678", 8),
                                      .system_type = bytes_of_text("OTA"),
                                      .interface_version = 0x50,
                                      .addr_ton = 7};
    } else {
        pdu.message = (struct smpp_message){.service_type = bytes_of_text("CMT"),
                                            .source = {7, 2, long_text},
                                            .destination = {1, 1, long_text},
                                            .esm_class = 0x40,
                                            .protocol_id = 0x7F,
                                            .registered_delivery = 1,
                                            .data_coding = 0xF6,
                                            .short_message = bytes_of(text, message_len)};
    }
    struct writer w = writer_of(memory, sizeof memory);
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_OK);
    return writer_bytes(&w);
}

static const uint32_t given[] = {SMPP_BIND_RECEIVER,
                                 SMPP_BIND_TRANSMITTER,
                                 SMPP_BIND_TRANSCEIVER,
                                 0x80000001u,
                                 0x80000002u,
                                 0x80000009u,
                                 SMPP_OUTBIND,
                                 SMPP_SUBMIT_SM,
                                 SMPP_DELIVER_SM,
                                 SMPP_SUBMIT_SM_RESP,
                                 SMPP_DATA_SM,
                                 SMPP_DATA_SM_RESP,
                                 SMPP_QUERY_SM,
                                 0x80000003u,
                                 SMPP_CANCEL_SM,
                                 SMPP_REPLACE_SM,
                                 SMPP_ALERT_NOTIFICATION};

static void the_library_agrees_on_every_pdu_it_is_given(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 140, 253, 254};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
            const struct bytes octets = written(given[i], lengths[k]);
            struct smpp_pdu pdu;
            assert_int_equal(smpp_pdu_read(octets, &pdu), ESME_ROK);
            assert_int_equal(smpp_library_compare(octets, &pdu), SMPP_LIBRARY_AGREES);
        }
    }
}

static void a_difference_in_a_field_is_seen(void **state)
{
    (void)state;
    const struct bytes octets = written(SMPP_SUBMIT_SM, 4);
    struct smpp_pdu pdu;
    assert_int_equal(smpp_pdu_read(octets, &pdu), ESME_ROK);
    pdu.message.data_coding ^= 1;
    assert_int_equal(smpp_library_compare(octets, &pdu), SMPP_LIBRARY_DIFFERS);
    pdu.message.data_coding ^= 1;
    pdu.message.source.digits.len--;
    assert_int_equal(smpp_library_compare(octets, &pdu), SMPP_LIBRARY_DIFFERS);
}

static void the_shape_check_refuses_every_cut_of_every_pdu(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        const struct bytes whole = written(given[i], 9);
        for (size_t len = SMPP_HEADER_LEN + 1; len < whole.len; len++) {
            memory[2] = (uint8_t)(len >> 8);
            memory[3] = (uint8_t)len;
            struct smpp_shape shape;
            assert_int_equal(smpp_shape_check(bytes_of(memory, len), &shape), SMPP_SHAPE_BROKEN);
        }
    }
}

static void what_real_peers_send_beyond_the_standard_is_kept_from_the_library(void **state)
{
    (void)state;
    struct smpp_shape shape;
    assert_int_equal(smpp_shape_check(written(SMPP_SUBMIT_SM, 254), &shape), SMPP_SHAPE_OK);
    assert_int_equal(smpp_shape_check(written(SMPP_SUBMIT_SM, 255), &shape), SMPP_SHAPE_BROKEN);
    assert_int_equal(smpp_shape_check(written(SMPP_SUBMIT_MULTI, 1), &shape), SMPP_SHAPE_FOREIGN);
    assert_int_equal(smpp_shape_check(written(SMPP_DELIVER_SM_RESP, 0), &shape),
                     SMPP_SHAPE_FOREIGN);
    assert_int_equal(smpp_shape_check(written(SMPP_ENQUIRE_LINK, 0), &shape), SMPP_SHAPE_FOREIGN);
}

static void the_copy_has_no_tlv_and_only_listed_values(void **state)
{
    (void)state;
    const struct bytes octets = written(SMPP_BIND_TRANSCEIVER, 0);
    struct writer w = writer_of(memory, sizeof memory);
    w.len = octets.len;
    smpp_tlv_write_u8(&w, 0x1400, 1);
    memory[3] = (uint8_t)w.len;
    struct smpp_shape shape;
    assert_int_equal(smpp_shape_check(writer_bytes(&w), &shape), SMPP_SHAPE_OK);
    assert_int_equal(shape.mandatory_end, octets.len);
    uint8_t copy[256];
    memset(copy, 0xEE, sizeof copy);
    struct writer to = writer_of(copy, octets.len + 1);
    assert_true(smpp_shape_copy(writer_bytes(&w), &shape, &to));
    assert_int_equal(copy[3], octets.len);
    assert_int_equal(copy[15], 1);
    // system_id 16, password 9, system_type 4 octets: then version, TON, NPI.
    assert_int_equal(copy[16 + 29], 0x34);
    assert_int_equal(copy[16 + 30], 1);
    assert_int_equal(copy[16 + 31], 0);
    assert_int_equal(copy[octets.len], 0);
    to = writer_of(copy, octets.len);
    assert_false(smpp_shape_copy(writer_bytes(&w), &shape, &to));
}

static void the_session_codec_reads_what_it_wrote(void **state)
{
    (void)state;
    struct smpp_pdu pdu;
    struct smpp_pdu again;
    assert_int_equal(smpp_library_codec.read(written(SMPP_CANCEL_SM, 0), &pdu), ESME_ROK);
    uint8_t out[256];
    struct writer w = writer_of(out, sizeof out);
    assert_int_equal(smpp_library_codec.write(&w, &pdu), SMPP_WRITE_OK);
    assert_int_equal(smpp_library_codec.read(writer_bytes(&w), &again), ESME_ROK);
    assert_int_equal(again.sequence, 0x80000009u);
    assert_int_equal(again.message.source.ton, 7);
    assert_true(bytes_equal(again.message.destination.digits, long_text));
}

static void a_session_binds_and_unbinds_with_the_library_asked(void **state)
{
    (void)state;
    static struct end smsc, esme;
    end_init(&smsc, SMPP_SMSC, 4);
    end_init(&esme, SMPP_ESME, 4);
    smsc.session.config.codec = &smpp_library_codec;
    esme.session.config.codec = &smpp_library_codec;
    assert_true(end_bound(&smsc, &esme, SMPP_TRX));
    smpp_session_unbind(&esme.session);
    assert_true(end_carry(&esme, &smsc));
    assert_true(end_next(&smsc));
    assert_int_equal(smsc.event.reason, SMPP_CLOSE_UNBOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_agrees_on_every_pdu_it_is_given),
        cmocka_unit_test(a_difference_in_a_field_is_seen),
        cmocka_unit_test(the_shape_check_refuses_every_cut_of_every_pdu),
        cmocka_unit_test(what_real_peers_send_beyond_the_standard_is_kept_from_the_library),
        cmocka_unit_test(the_copy_has_no_tlv_and_only_listed_values),
        cmocka_unit_test(the_session_codec_reads_what_it_wrote),
        cmocka_unit_test(a_session_binds_and_unbinds_with_the_library_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
