#include "smpp/core/session.h"
#include "tests/lib/cmocka_all.h"
#include "tests/unit/smpp/end.h"

static struct end smsc, esme;

static const struct smpp_pdu submit = {
    .command = SMPP_SUBMIT_SM,
    .message = {.source = {1, 1, {(const uint8_t *)"100", 3}},
                .destination = {1, 1, {(const uint8_t *)"8613800000001", 13}},
                .esm_class = 0x40,
                .protocol_id = 0x7F,
                .data_coding = 0xF6,
                .short_message = {(const uint8_t *)"\x02\x70\x00\x00", 4}}};

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

// What `e` wrote next: command, status and sequence number.
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

static void assert_closed(struct end *e, enum smpp_close reason)
{
    assert_next(e, SMPP_EVENT_CLOSED);
    assert_int_equal(e->event.reason, reason);
    assert_false(end_next(e));
    assert_int_equal(smpp_session_room(&e->session).cap, 0);
}

static void send_submit(uint64_t tag)
{
    assert_int_equal(smpp_session_request(&esme.session, &submit, tag), SMPP_SEND_OK);
}

// Answers to what should not have come. The octets are headers by hand: length, id, status, number.

static void a_submit_before_bind_gets_04(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x22\0\0\0\x04\0\0\0\0\0\0\0\x07"
                "\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0\1\x41");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_RINVBNDSTS, 7);
}

static void a_second_bind_gets_05(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x17\0\0\0\x02\0\0\0\0\0\0\0\x09\0\0\0\x34\0\0\0");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, 0x80000002u, ESME_RALYBND, 9);
    assert_int_equal(smsc.session.state, SMPP_STATE_BOUND);
}

static void an_unknown_command_gets_generic_nack_with_its_sequence(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x12\0\0\1\x77\0\0\0\0\0\0\x12\x34zz");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_GENERIC_NACK, ESME_RINVCMDID, 0x1234);
    GIVE(&smsc, "\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_ENQUIRE_LINK_RESP, ESME_ROK, 1);
}

static void an_unknown_response_is_not_answered(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x10\x80\0\1\x77\0\0\0\0\0\0\x12\x34");
    assert_false(end_next(&smsc));
    assert_silent(&smsc);
}

static void a_command_length_that_cannot_be_loses_the_framing(void **state)
{
    static const char lengths[][4] = {"\0\0\0\0",         "\0\0\0\1",   "\0\0\0\3",
                                      "\0\0\0\x08",       "\0\0\0\x0F", "\0\0\2\1",
                                      "\x7F\xFF\xFF\xFF", "\x80\0\0\0", "\xFF\xFF\xFF\xFF"};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        (void)set_up_bound(state);
        give(&smsc, lengths[i], 4);
        assert_closed(&smsc, SMPP_CLOSE_FRAMING);
        assert_wrote(&smsc, SMPP_GENERIC_NACK, ESME_RINVCMDLEN, 0);
    }
}

static void a_submit_with_fields_cut_off_gets_02(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x14\0\0\0\x04\0\0\0\0\0\0\0\x05\0\1\1\0");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_RINVCMDLEN, 5);
}

static void a_submit_in_the_wrong_direction_gets_04(void **state)
{
    (void)state;
    struct smpp_pdu pdu = submit;
    assert_int_equal(smpp_session_request(&smsc.session, &pdu, 1), SMPP_SEND_NOT_BOUND);
    uint8_t octets[256];
    struct writer w = writer_of(octets, sizeof octets);
    pdu.sequence = 3;
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_OK);
    assert_true(end_take(&esme, writer_bytes(&w)));
    assert_false(end_next(&esme));
    assert_wrote(&esme, SMPP_SUBMIT_SM_RESP, ESME_RINVBNDSTS, 3);
}

static void a_receiver_may_not_submit(void **state)
{
    (void)state;
    assert_true(end_bound(&smsc, &esme, SMPP_RX));
    assert_int_equal(smpp_session_request(&esme.session, &submit, 1), SMPP_SEND_NOT_BOUND);
}

static void sequence_numbers_0_and_above_7fffffff_are_answered_as_they_came(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\0"
                "\0\0\0\x10\0\0\0\x15\0\0\0\0\x80\0\0\1");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_ENQUIRE_LINK_RESP, ESME_ROK, 0);
    assert_wrote(&smsc, SMPP_ENQUIRE_LINK_RESP, ESME_ROK, 0x80000001u);
}

// Requests of ours

static void a_response_brings_back_the_tag_of_its_request(void **state)
{
    (void)state;
    send_submit(0xABCDEF0123456789u);
    assert_true(end_carry(&esme, &smsc));
    assert_next(&smsc, SMPP_EVENT_REQUEST);
    assert_int_equal(smsc.event.pdu.message.protocol_id, 0x7F);
    assert_int_equal(
        smpp_session_accept(&smsc.session, smsc.event.handle, ESME_ROK, bytes_of_text("1F")),
        SMPP_SEND_OK);
    assert_true(end_carry(&smsc, &esme));
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_true(esme.event.tag == 0xABCDEF0123456789u);
    assert_true(bytes_equal(esme.event.pdu.id.message_id, bytes_of_text("1F")));
    assert_int_equal(smpp_session_in_flight(&esme.session), 0);
}

static void responses_out_of_order_free_their_own_places(void **state)
{
    (void)state;
    for (uint64_t tag = 1; tag <= 4; tag++)
        send_submit(tag);
    assert_int_equal(smpp_session_request(&esme.session, &submit, 5), SMPP_SEND_WINDOW_FULL);
    // The bind was 1, so these are 2 to 5; 4 is answered.
    GIVE(&esme, "\0\0\0\x10\x80\0\0\x04\0\0\0\x58\0\0\0\x04");
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_int_equal(esme.event.tag, 3);
    assert_int_equal(esme.event.pdu.status, ESME_RTHROTTLED);
    assert_int_equal(esme.session.counts.throttled, 1);
    send_submit(5);
    assert_int_equal(smpp_session_free(&esme.session), 0);
}

static void a_request_that_waits_long_does_not_hold_up_the_others(void **state)
{
    (void)state;
    send_submit(1);
    for (uint64_t tag = 2; tag < 40; tag++) {
        send_submit(tag);
        uint8_t octets[17];
        struct writer w = writer_of(octets, sizeof octets);
        const uint32_t sequence = esme.session.sequence;
        assert_int_equal(smpp_header_write(&w, SMPP_SUBMIT_SM_RESP, 0, sequence), SMPP_WRITE_OK);
        assert_true(end_take(&esme, writer_bytes(&w)));
        assert_next(&esme, SMPP_EVENT_RESPONSE);
        assert_int_equal(esme.event.tag, tag);
        smpp_session_written(&esme.session, smpp_session_output(&esme.session).len);
    }
    assert_int_equal(smpp_session_in_flight(&esme.session), 1);
}

static void a_generic_nack_answers_the_request_with_its_sequence(void **state)
{
    (void)state;
    send_submit(77);
    GIVE(&esme, "\0\0\0\x10\x80\0\0\0\0\0\0\3\0\0\0\2");
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_int_equal(esme.event.tag, 77);
    assert_int_equal(esme.event.pdu.status, ESME_RINVCMDID);
}

static void responses_to_nothing_and_late_ones_are_counted_and_free_nothing(void **state)
{
    (void)state;
    send_submit(1);                                          // sequence 2
    GIVE(&esme, "\0\0\0\x11\x80\0\0\x04\0\0\0\0\0\0\0\x63\0" // 99 was never sent
                "\0\0\0\x11\x80\0\0\x05\0\0\0\0\0\0\0\2\0"   // of another command
                "\0\0\0\x11\x80\0\0\x04\0\0\0\0\0\0\0\0\0"   // number 0
                "\0\0\0\x11\x80\0\0\x04\0\0\0\0\0\0\0\2\0"   // the right one
                "\0\0\0\x11\x80\0\0\x04\0\0\0\0\0\0\0\2\0"); // and again
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_false(end_next(&esme));
    assert_int_equal(esme.session.counts.responses_unasked, 2);
    assert_int_equal(esme.session.counts.responses_late, 2);
}

static void errors_are_read_with_and_without_a_body(void **state)
{
    (void)state;
    send_submit(1);
    send_submit(2);
    send_submit(3);
    GIVE(&esme, "\0\0\0\x10\x80\0\0\x04\0\0\1\4\0\0\0\2"     // SMPP 5.0 status, header alone
                "\0\0\0\x11\x80\0\0\x04\0\0\4\x21\0\0\0\3\0" // vendor status, one zero octet
                "\0\0\0\x12\x80\0\0\x04\xFF\xFF\xFF\xFF\0\0\0\4xx"); // any status, broken body
    static const uint32_t statuses[] = {0x104, 0x421, 0xFFFFFFFFu};
    for (unsigned i = 0; i < 3; i++) {
        assert_next(&esme, SMPP_EVENT_RESPONSE);
        assert_int_equal(esme.event.tag, i + 1);
        assert_int_equal(esme.event.pdu.status, statuses[i]);
    }
    assert_int_equal(esme.session.counts.responses_malformed, 1);
}

static void a_request_without_response_has_an_unknown_outcome(void **state)
{
    (void)state;
    send_submit(9);
    assert_int_equal(smpp_session_deadline(&esme.session).ms, 1000 + 30000);
    end_at(&esme, 29999);
    assert_false(end_next(&esme));
    end_at(&esme, 30000);
    assert_next(&esme, SMPP_EVENT_UNKNOWN);
    assert_int_equal(esme.event.tag, 9);
    GIVE(&esme, "\0\0\0\x11\x80\0\0\x04\0\0\0\0\0\0\0\2\0");
    assert_false(end_next(&esme));
    assert_int_equal(esme.session.counts.responses_late, 1);
}

static void what_is_in_flight_at_disconnect_is_unknown(void **state)
{
    (void)state;
    send_submit(1);
    send_submit(2);
    smpp_session_disconnected(&esme.session);
    assert_next(&esme, SMPP_EVENT_UNKNOWN);
    assert_int_equal(esme.event.tag, 1);
    assert_next(&esme, SMPP_EVENT_UNKNOWN);
    assert_int_equal(esme.event.tag, 2);
    assert_closed(&esme, SMPP_CLOSE_DISCONNECTED);
    assert_int_equal(smpp_session_request(&esme.session, &submit, 3), SMPP_SEND_NOT_BOUND);
}

static void sequence_numbers_go_on_from_1_after_the_last(void **state)
{
    (void)state;
    esme.session.sequence = SMPP_SEQUENCE_MAX - 1;
    send_submit(1);
    send_submit(2);
    struct smpp_pdu pdu;
    assert_true(end_written(&esme, &pdu));
    assert_int_equal(pdu.sequence, SMPP_SEQUENCE_MAX);
    assert_true(end_written(&esme, &pdu));
    assert_int_equal(pdu.sequence, 1);
}

// Requests of the peer

static void a_request_is_answered_only_when_the_caller_says_so_and_once(void **state)
{
    (void)state;
    send_submit(1);
    assert_true(end_carry(&esme, &smsc));
    assert_next(&smsc, SMPP_EVENT_REQUEST);
    const uint64_t handle = smsc.event.handle;
    end_at(&smsc, 5000);
    assert_false(end_next(&smsc));
    assert_silent(&smsc);
    const struct bytes id = bytes_of_text("a");
    assert_int_equal(smpp_session_accept(&smsc.session, handle, 0, id), SMPP_SEND_OK);
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_ROK, 2);
    assert_int_equal(smpp_session_accept(&smsc.session, handle, 0, id), SMPP_SEND_STALE);
    assert_silent(&smsc);
}

static void a_handle_of_an_earlier_connection_is_stale(void **state)
{
    (void)state;
    send_submit(1);
    assert_true(end_carry(&esme, &smsc));
    assert_next(&smsc, SMPP_EVENT_REQUEST);
    const uint64_t handle = smsc.event.handle;
    struct smpp_session_config config = smsc.session.config;
    config.connection++;
    smpp_session_init(&smsc.session, &config, (struct instant){2000});
    assert_int_equal(smpp_session_accept(&smsc.session, handle, 0, bytes_of(NULL, 0)),
                     SMPP_SEND_STALE);
}

static void reading_stops_at_the_limit_of_unanswered_requests(void **state)
{
    (void)state;
    for (uint64_t tag = 0; tag < 4; tag++)
        send_submit(tag);
    assert_true(end_carry(&esme, &smsc));
    uint64_t handle = 0;
    for (int i = 0; i < 4; i++) {
        assert_next(&smsc, SMPP_EVENT_REQUEST);
        handle = smsc.event.handle;
    }
    assert_int_equal(smpp_session_room(&smsc.session).cap, 0);
    end_at(&smsc, 29999);
    assert_true(smpp_session_deadline(&smsc.session).ms > 1000 + 29999);
    assert_int_equal(smpp_session_accept(&smsc.session, handle, ESME_RMSGQFUL, bytes_of("x", 1)),
                     SMPP_SEND_OK);
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_RMSGQFUL, 5);
    assert_true(smpp_session_room(&smsc.session).cap > 0);
}

// Time

static void no_bind_within_10_seconds_closes(void **state)
{
    (void)state;
    assert_int_equal(smpp_session_deadline(&smsc.session).ms, 1000 + 10000);
    end_at(&smsc, 9999);
    assert_false(end_next(&smsc));
    end_at(&smsc, 10000);
    assert_closed(&smsc, SMPP_CLOSE_BIND_TIMEOUT);
}

static void a_pdu_that_does_not_end_within_10_seconds_closes(void **state)
{
    (void)state;
    end_at(&smsc, 5000);
    GIVE(&smsc, "\0");
    assert_false(end_next(&smsc));
    assert_int_equal(smpp_session_deadline(&smsc.session).ms, 1000 + 15000);
    end_at(&smsc, 14999);
    GIVE(&smsc, "\0");
    assert_false(end_next(&smsc));
    end_at(&smsc, 15000);
    assert_closed(&smsc, SMPP_CLOSE_PDU_TIMEOUT);
}

static void silence_is_asked_after_30_seconds_and_ends_after_two_misses(void **state)
{
    (void)state;
    end_at(&esme, 30000);
    assert_wrote(&esme, SMPP_ENQUIRE_LINK, ESME_ROK, 2);
    end_at(&esme, 60000);
    assert_wrote(&esme, SMPP_ENQUIRE_LINK, ESME_ROK, 3);
    assert_false(end_next(&esme));
    end_at(&esme, 90000);
    assert_closed(&esme, SMPP_CLOSE_SILENT);
}

static void an_answered_enquire_link_keeps_the_link(void **state)
{
    (void)state;
    for (uint64_t ms = 30000; ms <= 300000; ms += 30000) {
        end_at(&esme, ms);
        end_at(&smsc, ms - 1);
        assert_true(end_carry(&esme, &smsc));
        assert_false(end_next(&smsc));
        assert_true(end_carry(&smsc, &esme));
        assert_false(end_next(&esme));
    }
    assert_int_equal(esme.session.state, SMPP_STATE_BOUND);
    assert_int_equal(esme.session.counts.responses_unasked, 0);
    assert_int_equal(esme.session.counts.responses_late, 0);
}

// Binding and unbinding

static void a_refused_bind_closes_with_the_status(void **state)
{
    (void)state;
    const struct smpp_bind bind = {.system_id = bytes_of_text("esme")};
    assert_int_equal(smpp_session_bind(&esme.session, SMPP_TX, &bind), SMPP_SEND_OK);
    assert_true(end_carry(&esme, &smsc));
    assert_next(&smsc, SMPP_EVENT_BIND);
    assert_int_equal(smpp_session_answer_bind(&smsc.session, ESME_RINVPASWD, bytes_of_text("smsc")),
                     SMPP_SEND_OK);
    assert_closed(&smsc, SMPP_CLOSE_REFUSED);
    assert_true(end_carry(&smsc, &esme));
    assert_closed(&esme, SMPP_CLOSE_REFUSED);
    assert_int_equal(esme.event.status, ESME_RINVPASWD);
}

static void a_bind_answered_as_another_kind_of_bind_counts(void **state)
{
    (void)state;
    const struct smpp_bind bind = {.system_id = bytes_of_text("esme"), .interface_version = 0x34};
    assert_int_equal(smpp_session_bind(&esme.session, SMPP_RX, &bind), SMPP_SEND_OK);
    GIVE(&esme, "\0\0\0\x11\x80\0\0\x02\0\0\0\0\0\0\0\1\0"); // bind_transmitter_resp
    assert_next(&esme, SMPP_EVENT_BOUND);
    assert_int_equal(esme.session.bound_as, SMPP_RX);
}

static void only_a_peer_of_version_34_gets_tlvs(void **state)
{
    (void)state;
    static const uint8_t versions[] = {0x00, 0x33, 0x34, 0x50};
    for (size_t i = 0; i < sizeof versions; i++) {
        (void)set_up(state);
        char octets[] = "\0\0\0\x17\0\0\0\x09\0\0\0\0\0\0\0\1\0\0\0\x34\0\0";
        octets[19] = (char)versions[i];
        give(&smsc, octets, sizeof octets);
        assert_next(&smsc, SMPP_EVENT_BIND);
        assert_int_equal(smpp_session_answer_bind(&smsc.session, 0, bytes_of_text("s")),
                         SMPP_SEND_OK);
        struct smpp_pdu pdu;
        uint32_t version = 0;
        assert_true(end_written(&smsc, &pdu));
        const bool told = smpp_tlv_find_integer(pdu.tlvs, SMPP_TLV_SC_INTERFACE_VERSION, &version);
        assert_int_equal(told, versions[i] >= 0x34);
        assert_int_equal(version, told ? 0x34 : 0);
    }
}

static void a_peer_before_34_gets_requests_without_their_tlvs_and_no_payload_in_one(void **state)
{
    (void)state;
    smsc.session.peer_version = 0x33;
    struct smpp_pdu deliver = {.command = SMPP_DELIVER_SM,
                               .tlvs = bytes_of("\x02\x04\0\2\x12\x34", 6)};
    assert_int_equal(smpp_session_request(&smsc.session, &deliver, 1), SMPP_SEND_OK);
    struct smpp_pdu pdu;
    assert_true(end_written(&smsc, &pdu));
    assert_int_equal(pdu.command, SMPP_DELIVER_SM);
    assert_int_equal(pdu.tlvs.len, 0);
    deliver.tlvs = bytes_of("\x04\x24\0\1x", 5);
    assert_int_equal(smpp_session_request(&smsc.session, &deliver, 2), SMPP_SEND_INVALID);
    assert_silent(&smsc);
}

static void a_window_of_a_thousand_places_is_filled_and_found(void **state)
{
    (void)state;
    static struct smpp_pending places[SMPP_WINDOW_MAX];
    struct smpp_window w;
    smpp_window_init(&w, places, SMPP_WINDOW_MAX);
    for (uint32_t i = 1; i <= SMPP_WINDOW_MAX; i++)
        smpp_window_add(&w, (struct smpp_pending){.tag = i, .sequence = i});
    assert_int_equal(w.used, SMPP_WINDOW_MAX);
    assert_false(smpp_window_is_free(&w, SMPP_WINDOW_MAX + 1));
    assert_null(smpp_window_find(&w, 0));
    assert_null(smpp_window_find(&w, SMPP_WINDOW_MAX + 1));
    for (uint32_t i = SMPP_WINDOW_MAX; i > 1; i--)
        smpp_window_remove(&w, smpp_window_find(&w, i));
    assert_int_equal(smpp_window_oldest(&w)->tag, 1);
    smpp_window_remove(&w, smpp_window_oldest(&w));
    assert_null(smpp_window_oldest(&w));
}

static void unbind_waits_for_open_requests(void **state)
{
    (void)state;
    send_submit(1);
    assert_true(end_carry(&esme, &smsc));
    assert_next(&smsc, SMPP_EVENT_REQUEST);
    smpp_session_unbind(&esme.session);
    assert_silent(&esme);
    assert_int_equal(smpp_session_request(&esme.session, &submit, 2), SMPP_SEND_NOT_BOUND);
    assert_int_equal(
        smpp_session_accept(&smsc.session, smsc.event.handle, ESME_ROK, bytes_of_text("1")),
        SMPP_SEND_OK);
    assert_true(end_carry(&smsc, &esme));
    assert_next(&esme, SMPP_EVENT_RESPONSE);
    assert_true(end_carry(&esme, &smsc)); // now the unbind
    assert_closed(&smsc, SMPP_CLOSE_UNBOUND);
    assert_true(end_carry(&smsc, &esme));
    assert_closed(&esme, SMPP_CLOSE_UNBOUND);
}

static void a_peers_unbind_is_answered_after_what_we_owe(void **state)
{
    (void)state;
    send_submit(1);
    assert_true(end_carry(&esme, &smsc));
    assert_next(&smsc, SMPP_EVENT_REQUEST);
    const uint64_t handle = smsc.event.handle;
    GIVE(&smsc, "\0\0\0\x10\0\0\0\x06\0\0\0\0\0\0\0\x20"
                "\0\0\0\x22\0\0\0\x04\0\0\0\0\0\0\0\x21"
                "\0\1\1\0\1\1\0\0\0\0\0\0\0\0\0\0\1\x41");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_RINVBNDSTS, 0x21); // a submit after unbind
    assert_silent(&smsc);
    assert_int_equal(smpp_session_accept(&smsc.session, handle, 0, bytes_of("1", 1)), SMPP_SEND_OK);
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_ROK, 2);
    assert_wrote(&smsc, SMPP_UNBIND_RESP, ESME_ROK, 0x20);
    assert_int_equal(smpp_session_deadline(&smsc.session).ms, 1000); // next has more to say, now
    assert_closed(&smsc, SMPP_CLOSE_UNBOUND);
}

static void an_unanswered_unbind_ends_after_10_seconds(void **state)
{
    (void)state;
    smpp_session_unbind(&esme.session);
    assert_wrote(&esme, SMPP_UNBIND, ESME_ROK, 2);
    end_at(&esme, 10000);
    assert_closed(&esme, SMPP_CLOSE_UNBOUND);
}

static void a_password_of_nine_characters_is_refused(void **state)
{
    (void)state;
    GIVE(&smsc, "\0\0\0\x20\0\0\0\x09\0\0\0\0\0\0\0\1\0"
                "123456789\0\0\x34\0\0\0");
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, 0x80000009u, ESME_RINVPASWD, 1);
}

// Cuts

#define EVENTS_MAX 8

struct told {
    enum smpp_event_type type;
    uint32_t command, sequence;
    uint8_t text[16];
    size_t text_len;
};

// What the stream, cut once at `at` and then into pieces of `step`, tells; and what it is answered.
static size_t events_of(struct bytes stream, size_t at, size_t step, struct told told[EVENTS_MAX],
                        struct writer *answers)
{
    (void)set_up(NULL);
    assert_true(end_bound(&smsc, &esme, SMPP_TRX));
    size_t count = 0;
    for (size_t from = 0; from < stream.len;) {
        const size_t len = from == 0 ? at : step;
        assert_true(end_take(&smsc, bytes_slice(stream, from, len)));
        from += len;
        while (end_next(&smsc)) {
            assert_true(count < EVENTS_MAX);
            const struct smpp_event *e = &smsc.event;
            const bool is_request = e->type == SMPP_EVENT_REQUEST;
            struct told *t = &told[count++];
            memset(t, 0, sizeof *t);
            t->type = e->type;
            if (!is_request)
                continue;
            t->command = e->pdu.command;
            t->sequence = e->pdu.sequence;
            t->text_len = e->pdu.message.short_message.len;
            assert_true(t->text_len <= sizeof t->text);
            bytes_copy(t->text, e->pdu.message.short_message);
        }
    }
    writer_copy(answers, smpp_session_output(&smsc.session));
    return count;
}

static void a_stream_gives_the_same_events_however_it_is_cut(void **state)
{
    (void)state;
    uint8_t octets[512];
    struct told whole[EVENTS_MAX];
    uint8_t whole_octets[256];
    struct writer whole_answers = writer_of(whole_octets, sizeof whole_octets);
    struct writer w = writer_of(octets, sizeof octets);
    struct smpp_pdu pdu = submit;
    for (pdu.sequence = 1; pdu.sequence <= 3; pdu.sequence++) {
        assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_OK);
        assert_int_equal(smpp_header_write(&w, SMPP_ENQUIRE_LINK, 0, 70), SMPP_WRITE_OK);
    }
    assert_int_equal(smpp_header_write(&w, SMPP_UNBIND_RESP, 0, 80), SMPP_WRITE_OK);
    const struct bytes stream = writer_bytes(&w);
    assert_int_equal(events_of(stream, stream.len, 1, whole, &whole_answers), 3);
    assert_int_equal(whole_answers.len, 3 * SMPP_HEADER_LEN);
    for (size_t at = 1; at <= stream.len; at++) {
        const size_t steps[] = {stream.len, at, 1};
        for (size_t i = 0; i < 3; i++) {
            struct told told[EVENTS_MAX];
            uint8_t answered[256];
            struct writer answers = writer_of(answered, sizeof answered);
            assert_int_equal(events_of(stream, at, steps[i], told, &answers), 3);
            assert_memory_equal(told, whole, 3 * sizeof told[0]);
            assert_true(bytes_equal(writer_bytes(&answers), writer_bytes(&whole_answers)));
        }
    }
}

static void requests_of_thousand_tlvs_or_broken_ones_do_not_stop_the_session(void **state)
{
    (void)state;
    uint8_t octets[512];
    struct writer w = writer_of(octets, sizeof octets);
    struct smpp_pdu pdu = submit;
    pdu.sequence = 6;
    assert_int_equal(smpp_pdu_write(&w, &pdu), SMPP_WRITE_OK);
    for (int i = 0; i < 35; i++)
        smpp_tlv_write_u8(&w, 0x1400, 0);
    octets[2] = (uint8_t)(w.len >> 8);
    octets[3] = (uint8_t)w.len;
    assert_true(end_take(&smsc, writer_bytes(&w)));
    assert_false(end_next(&smsc));
    assert_wrote(&smsc, SMPP_SUBMIT_SM_RESP, ESME_RINVOPTPARSTREAM, 6);
}

static void a_full_output_refuses_and_loses_nothing(void **state)
{
    (void)state;
    struct smpp_pdu alert = {.command = SMPP_ALERT_NOTIFICATION};
    int sent = 0;
    while (smpp_session_request(&smsc.session, &alert, 0) == SMPP_SEND_OK)
        sent++;
    assert_int_equal(smpp_session_request(&smsc.session, &alert, 0), SMPP_SEND_OUTPUT_FULL);
    assert_int_equal(smpp_session_output(&smsc.session).len, sent * 22);
    assert_int_equal(smpp_session_room(&smsc.session).cap, 0);
    smpp_session_written(&smsc.session, 30);
    assert_int_equal(smpp_session_request(&smsc.session, &alert, 0), SMPP_SEND_OK);
    assert_int_equal(smpp_session_output(&smsc.session).len, (sent + 1) * 22 - 30);
}

#define FRESH(test) cmocka_unit_test_setup(test, set_up)
#define BOUND(test) cmocka_unit_test_setup(test, set_up_bound)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_submit_before_bind_gets_04),
        BOUND(a_second_bind_gets_05),
        BOUND(an_unknown_command_gets_generic_nack_with_its_sequence),
        BOUND(an_unknown_response_is_not_answered),
        BOUND(a_command_length_that_cannot_be_loses_the_framing),
        BOUND(a_submit_with_fields_cut_off_gets_02),
        BOUND(a_submit_in_the_wrong_direction_gets_04),
        FRESH(a_receiver_may_not_submit),
        BOUND(sequence_numbers_0_and_above_7fffffff_are_answered_as_they_came),
        BOUND(a_response_brings_back_the_tag_of_its_request),
        BOUND(responses_out_of_order_free_their_own_places),
        BOUND(a_request_that_waits_long_does_not_hold_up_the_others),
        BOUND(a_generic_nack_answers_the_request_with_its_sequence),
        BOUND(responses_to_nothing_and_late_ones_are_counted_and_free_nothing),
        BOUND(errors_are_read_with_and_without_a_body),
        BOUND(a_request_without_response_has_an_unknown_outcome),
        BOUND(what_is_in_flight_at_disconnect_is_unknown),
        BOUND(sequence_numbers_go_on_from_1_after_the_last),
        BOUND(a_request_is_answered_only_when_the_caller_says_so_and_once),
        BOUND(a_handle_of_an_earlier_connection_is_stale),
        BOUND(reading_stops_at_the_limit_of_unanswered_requests),
        FRESH(no_bind_within_10_seconds_closes),
        BOUND(a_pdu_that_does_not_end_within_10_seconds_closes),
        BOUND(silence_is_asked_after_30_seconds_and_ends_after_two_misses),
        BOUND(an_answered_enquire_link_keeps_the_link),
        FRESH(a_refused_bind_closes_with_the_status),
        FRESH(a_bind_answered_as_another_kind_of_bind_counts),
        FRESH(only_a_peer_of_version_34_gets_tlvs),
        BOUND(a_peer_before_34_gets_requests_without_their_tlvs_and_no_payload_in_one),
        FRESH(a_window_of_a_thousand_places_is_filled_and_found),
        BOUND(unbind_waits_for_open_requests),
        BOUND(a_peers_unbind_is_answered_after_what_we_owe),
        BOUND(an_unanswered_unbind_ends_after_10_seconds),
        FRESH(a_password_of_nine_characters_is_refused),
        BOUND(a_stream_gives_the_same_events_however_it_is_cut),
        BOUND(requests_of_thousand_tlvs_or_broken_ones_do_not_stop_the_session),
        BOUND(a_full_output_refuses_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
