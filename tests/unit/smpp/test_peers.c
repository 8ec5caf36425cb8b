// What other makers' SMSCs and ESMEs were seen to do, octet for octet, and the answer of the
// standard. docs/smpp-conformance.md lists these cases with those that other tests have.
#include "smpp/core/session.h"
#include "tests/lib/cmocka_all.h"
#include "tests/unit/smpp/end.h"

static struct end smsc, esme;

static int set_up(void **state)
{
    (void)state;
    end_init(&smsc, SMPP_SMSC, 4);
    end_init(&esme, SMPP_ESME, 4);
    return 0;
}

static int set_up_bound(void **state)
{
    (void)set_up(state);
    return end_bound(&smsc, &esme, SMPP_TRX) ? 0 : -1;
}

static void give(struct end *e, const char *octets, size_t len)
{
    assert_true(end_take(e, bytes_of(octets, len)));
}
#define GIVE(end, text) give(end, text, sizeof(text) - 1)

static void assert_wrote(struct end *e, uint32_t command, uint32_t status, uint32_t sequence)
{
    struct smpp_pdu pdu;
    assert_true(end_written(e, &pdu));
    assert_int_equal(pdu.command, command);
    assert_int_equal(pdu.status, status);
    assert_int_equal(pdu.sequence, sequence);
}

static void assert_silent(struct end *e)
{
    assert_int_equal(smpp_session_output(&e->session).len, 0);
}

static void assert_next(struct end *e, enum smpp_event_type type)
{
    assert_true(end_next(e));
    assert_int_equal(e->event.type, type);
}

// [SMPP 3.4 §5.1.2.1]: bind_receiver 01, bind_transmitter 02, bind_transceiver 09.
static void each_kind_of_bind_is_answered_by_its_own_response(void **state)
{
    static const uint8_t kinds[] = {0x01, 0x02, 0x09};
    for (size_t i = 0; i < sizeof kinds; i++) {
        (void)set_up(state);
        char octets[] = "\0\0\0\x17\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0\x34\0\0";
        octets[7] = (char)kinds[i];
        give(&smsc, octets, sizeof octets); // with the text's own zero: address_range
        assert_next(&smsc, SMPP_EVENT_BIND);
        assert_int_equal(smpp_session_answer_bind(&smsc.session, 0, bytes_of_text("s")),
                         SMPP_SEND_OK);
        assert_wrote(&smsc, 0x80000000u | kinds[i], ESME_ROK, 5);
    }
}

static void a_second_bind_of_another_kind_gets_05_in_its_own_response(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x17\0\0\0\x01\0\0\0\0\0\0\0\x09\0\0\0\x34\0\0\0");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, 0x80000001u, ESME_RALYBND, 9);
    assert_int_equal(smsc.session.bound_as, SMPP_TRX);
}

static void a_command_length_of_4_ends_the_link_with_a_nack_of_number_0(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\4\0\0\0\x04");
    assert_next(&smsc, SMPP_EVENT_CLOSED);
    assert_int_equal(smsc.event.reason, SMPP_CLOSE_FRAMING);
    assert_wrote(&smsc, SMPP_GENERIC_NACK, ESME_RINVCMDLEN, 0);
}

static void send_submit(uint64_t tag)
{
    static const struct smpp_pdu submit = {
        .command = SMPP_SUBMIT_SM, .message = {.destination = {1, 1, {(const uint8_t *)"999", 3}}}};
    assert_int_equal(smpp_session_request(&esme.session, &submit, tag), SMPP_SEND_OK);
    smpp_session_written(&esme.session, smpp_session_output(&esme.session).len);
}

// A deliver_sm with number 0 (not in the standard's range [SMPP 3.4 §3.2]) that overtakes the
// submit_sm_resp. TON 2 and a plus sign in the source, esm_class 41, data_coding 02.
static void a_deliver_numbered_0_before_the_submit_sm_resp_is_taken(void **state)
{
    (void)state;
    send_submit(7); // sequence 2
    GIVE(&esme, "\0\0\0\x28\0\0\0\x05\0\0\0\0\0\0\0\0"
                "\0\2\1+99\0\0\1"
                "1\0\x41\0\0\0\0\0\0\2\0\3\2\x71\0"
                "\0\0\0\x11\x80\0\0\x04\0\0\0\0\0\0\0\2\0");
    assert_next(&esme, SMPP_EVENT_REQUEST);
    const struct smpp_message *m = &esme.event.pdu.message;
    assert_true(bytes_equal(m->source.digits, bytes_of_text("+99")));
    assert_int_equal(m->source.ton, 2);
    assert_int_equal(m->esm_class, 0x41);
    assert_int_equal(m->data_coding, 2);
    assert_true(bytes_equal(m->short_message, bytes_of("\2\x71\0", 3)));
    assert_int_equal(smpp_session_accept(&esme.session, esme.event.handle, 0, bytes_of(NULL, 0)),
                     SMPP_SEND_OK);
    assert_wrote(&esme, SMPP_DELIVER_SM_RESP, ESME_ROK, 0);
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_int_equal(esme.event.tag, 7);
}

static void a_deliver_sm_resp_with_a_message_id_counts(void **state)
{
    (void)state;
    const struct smpp_pdu deliver = {.command = SMPP_DELIVER_SM};
    assert_int_equal(smpp_session_request(&smsc.session, &deliver, 3), SMPP_SEND_OK); // number 1
    GIVE(&smsc, "\0\0\0\x14\x80\0\0\x05\0\0\0\0\0\0\0\1id9\0");
    assert_next(&smsc, SMPP_EVENT_RESPONSE);
    assert_int_equal(smsc.event.tag, 3);
    assert_int_equal(smsc.event.pdu.status, ESME_ROK);
    assert_int_equal(smsc.session.counts.responses_malformed, 0);
}

// One comes at each attach and each paging; it has no response [SMPP 3.4 §4.12].
static void an_alert_notification_is_told_and_not_answered(void **state)
{
    (void)state;
    GIVE(&esme, "\0\0\0\x1A\0\0\1\x02\0\0\0\0\0\0\0\x30"
                "\1\1"
                "999\0\1\1"
                "1\0");
    assert_next(&esme, SMPP_EVENT_NOTICE);
    assert_int_equal(esme.event.pdu.command, SMPP_ALERT_NOTIFICATION);
    assert_false(end_next(&esme));
    assert_silent(&esme);
}

// Some SMSCs answer query_sm and cancel_sm with generic_nack: that request ends, the link lives.
static void a_nack_for_query_sm_ends_the_query_alone(void **state)
{
    (void)state;
    const struct smpp_pdu query = {.command = SMPP_QUERY_SM,
                                   .id = {.message_id = bytes_of_text("1")}};
    assert_int_equal(smpp_session_request(&esme.session, &query, 5), SMPP_SEND_OK); // number 2
    smpp_session_written(&esme.session, smpp_session_output(&esme.session).len);
    send_submit(6);
    GIVE(&esme, "\0\0\0\x10\x80\0\0\0\0\0\0\3\0\0\0\2");
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_int_equal(esme.event.tag, 5);
    assert_int_equal(esme.event.pdu.status, ESME_RINVCMDID);
    assert_int_equal(smpp_session_in_flight(&esme.session), 1);
    assert_int_equal(esme.session.state, SMPP_STATE_BOUND);
}

// data_sm is work of both roles; an answer takes the number of its request.
static void a_data_sm_reaches_the_caller_and_gets_data_sm_resp(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x1B\0\0\1\x03\0\0\0\0\0\0\0\x11"
                "\0\0\0\0\1\1"
                "9\0\0\0\0");
    assert_next(&smsc, SMPP_EVENT_REQUEST);
    assert_int_equal(smsc.event.pdu.command, SMPP_DATA_SM);
    assert_int_equal(
        smpp_session_accept(&smsc.session, smsc.event.handle, ESME_RINVCMDID, bytes_of(NULL, 0)),
        SMPP_SEND_OK);
    assert_wrote(&smsc, 0x80000103u, ESME_RINVCMDID, 0x11);
}

#define FRESH(test) cmocka_unit_test_setup(test, set_up)
#define BOUND(test) cmocka_unit_test_setup(test, set_up_bound)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(each_kind_of_bind_is_answered_by_its_own_response),
        BOUND(a_second_bind_of_another_kind_gets_05_in_its_own_response),
        BOUND(a_command_length_of_4_ends_the_link_with_a_nack_of_number_0),
        BOUND(a_deliver_numbered_0_before_the_submit_sm_resp_is_taken),
        BOUND(a_deliver_sm_resp_with_a_message_id_counts),
        BOUND(an_alert_notification_is_told_and_not_answered),
        BOUND(a_nack_for_query_sm_ends_the_query_alone),
        BOUND(a_data_sm_reaches_the_caller_and_gets_data_sm_resp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
