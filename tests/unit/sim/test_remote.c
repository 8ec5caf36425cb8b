// Remote management of files by secured packets [102.225, 102.226]: scripts, and how answers
// travel.
#include "tests/unit/sim/remote_lab.h"

static void a_script_reads_a_file_with_every_kind_of_key(void **state)
{
    (void)state;
    uint8_t iccid[10];
    assert_int_equal(send("00A4000C022FE2"), SW_OK);
    assert_int_equal(send("00B000000A"), SW_OK);
    memcpy(iccid, answer_octets, sizeof iccid);
    for (unsigned set = 0; set < SETS; set++) {
        prepare(set, 0x1619, SHARED, 1);
        assert_int_equal(run(READ_ICCID) & 0xFF00, 0x9000);
        open_packet(bytes_slice(report, 3, SIZE_MAX));
        assert_int_equal(response.status, SECURED_STATUS_OK);
        assert_int_equal(response.data.len, 13); // two commands, 90 00, ten octets
        assert_memory_equal(response.data.at, "\x02\x90\x00", 3);
        assert_memory_equal(response.data.at + 3, iccid, 10);
    }
}

static void a_script_stops_at_the_first_failure(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run("00A40000022FE2 00A4000002FFFE 00B000000A");
    assert_report(SECURED_STATUS_OK, "026A82");
    prepare(AES_128, 0x1619, SHARED, 2);
    (void)run("00A4000402 2F05"); // the answer waits, nobody asks for it
    assert_report(SECURED_STATUS_OK, "016119");
    prepare(AES_128, 0x1619, SHARED, 3);
    (void)run("00A4000402 2F05 00C0000019");
    assert_report(SECURED_STATUS_OK,
                  "029000 6217 82024121 83022F05 8A0105 8B032F0605 80020002 880128");
    prepare(AES_128, 0x1619, SHARED, 4);
    (void)run("8010000002FFFF"); // no command of file management
    assert_report(SECURED_STATUS_OK, "016D00");
}

static void the_expanded_formats_are_answered_in_kind(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run("AA09 2207 00A4000C02 2F05");
    assert_report(SECURED_STATUS_OK, "AB07 800101 2302 9000");
    prepare(AES_128, 0x1619, SHARED, 2);
    (void)run("AE80 2207 00A4000C02 2F05 2205 00B0000002 0000");
    assert_report(SECURED_STATUS_OK, "AF80 2302 9000 2304 FFFF 9000 0000");
    prepare(AES_128, 0x1619, SHARED, 3);
    (void)run("AA09 2207 00A4000C02 2F05 55"); // something that is no command
    assert_int_equal(report.at[0], 0x02);
}

static void the_targets_are_where_they_should_be(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run("00A40000027FFF");
    assert_report(SECURED_STATUS_OK, "016A82"); // no ADF from here
    prepare(AES_128, 0x1619, USIM, 2);
    (void)run("00A4000002 6F07 00D6000009 080910200000000099 00B0000009");
    assert_report(SECURED_STATUS_OK, "039000 080910200000000099"); // ADM1 is granted
    prepare(AES_128, 0x1619, SHARED, 3);
    (void)run("00A4040010 A0000000871002FFFFFFFF8907090000");
    assert_report(SECURED_STATUS_OK, "016A81"); // not by name
    prepare(AES_128, 0x1619, POOR, 4);
    (void)run("00A4000002 2F08 00D6000001 11"); // EF.UMPC
    assert_report(SECURED_STATUS_OK, "026982");
    // The terminal's own selection did not move.
    assert_int_equal(send("00B0000001"), SW_NO_EF_SELECTED);
}

static void an_answer_goes_by_message_when_asked(void **state)
{
    (void)state;
    prepare(AES_128, 0x1639, SHARED, 1);
    uint16_t sw = run("00A40000022F05 00B0000002");
    assert_silent();
    assert_int_equal(fetch(sw), 1);
    assert_int_equal(response.status, SECURED_STATUS_OK);
    assert_int_equal(response.data.len, 5);
    assert_memory_equal(response.data.at, "\x02\x90\x00\xFF\xFF", 5);
    // No answer wanted; only on error.
    prepare(AES_128, 0x1638, SHARED, 2);
    assert_int_equal(run(READ_ICCID), SW_OK);
    prepare(AES_128, 0x163A, SHARED, 3);
    assert_int_equal(run(READ_ICCID), SW_OK);
    prepare(AES_128, 0x163A, SHARED, 2);
    assert_int_equal(fetch(run(READ_ICCID)), 1);
    assert_int_equal(response.status, SECURED_STATUS_CNTR_LOW);
}

#define READ_RULE(record) "2205 00B2" record "0438 "
#define LONG_SCRIPT                                                                                \
    "AE80 2207 00A4000C02 2F06" READ_RULE("01") READ_RULE("02") READ_RULE("03") READ_RULE("04")    \
        READ_RULE("05") "0000"

static void a_long_answer_follows_in_several_messages(void **state)
{
    (void)state;
    prepare(AES_128, 0x1619, SHARED, 1);
    uint16_t sw = run(LONG_SCRIPT);
    assert_report(SECURED_STATUS_FOLLOWS_BY_SUBMIT, "");
    // 2 + 4 + 5 * (2 + 56 + 2) + 2 octets of data.
    assert_int_equal(fetch(sw), 3);
    assert_int_equal(response.status, SECURED_STATUS_OK);
    assert_int_equal(response.data.len, 308);
    struct remote_result result;
    assert_true(remote_result_read(REMOTE_INDEFINITE, response.data, &result));
    assert_int_equal(result.executed, 6);
    assert_int_equal(result.data.len, 56);
    // The same packet gets the same again, after a reset, too.
    uint8_t first[SMS_PACKET_MAX];
    size_t len = response.data.len;
    memcpy(first, response.data.at, len);
    sw = run(LONG_SCRIPT);
    assert_report(SECURED_STATUS_FOLLOWS_BY_SUBMIT, "");
    assert_int_equal(fetch(sw), 3);
    assert_int_equal(response.status, SECURED_STATUS_OK);
    assert_int_equal(response.data.len, len);
    assert_memory_equal(response.data.at, first, len);
    reset_card();
    (void)send("8010000014 FFFFFFFF7F9F00DFBF0000000000000000000000");
    (void)run(LONG_SCRIPT);
    assert_report(SECURED_STATUS_FOLLOWS_BY_SUBMIT, "");
}

static void a_terminal_that_cannot_send_is_told_at_once(void **state)
{
    (void)state;
    reset_card();
    (void)send("8010000002 0900"); // SMS-PP download, nothing to send with
    prepare(AES_128, 0x1619, SHARED, 1);
    (void)run(LONG_SCRIPT);
    assert_report(SECURED_STATUS_NO_MEMORY, "");
}

static void parts_come_in_any_order(void **state)
{
    static const uint8_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}};
    (void)state;
    char script[1200] = "00A40000022F05 ";
    for (unsigned i = 0; i < 40; i++)
        (void)strncat(script, "00D6000002ABCD ", sizeof script - strlen(script) - 1);
    for (unsigned i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        uint8_t packet[SMS_PACKET_MAX];
        prepare(AES_128, 0x1619, SHARED, i + 1);
        size_t len = write_packet(script, packet);
        (void)send_part(packet, len, orders[i][0]);
        assert_silent();
        (void)send_part(packet, len, orders[i][0]); // twice
        assert_silent();
        (void)send_part(packet, len, orders[i][1]);
        assert_silent();
        (void)send_part(packet, len, orders[i][2]);
        assert_report(SECURED_STATUS_OK, "299000");
    }
}

// A busy terminal is asked again; one that refuses is left alone.
static void terminals_that_cannot_send_now_are_asked_again(void **state)
{
    (void)state;
    prepare(AES_128, 0x1639, SHARED, 1);
    uint16_t sw = run(READ_ICCID);
    for (unsigned i = 0; i < 2; i++) {
        char get[16];
        (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
        assert_int_equal(sw & 0xFF00, 0x9100);
        assert_int_equal(send(get), SW_OK);
        sw = send("801400000D 8103E01300 82028281 83022004"); // no service
    }
    assert_int_equal(fetch(sw), 1);
    prepare(AES_128, 0x1639, SHARED, 2);
    sw = run(READ_ICCID);
    char get[16];
    (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
    assert_int_equal(send(get), SW_OK);
    assert_int_equal(send("801400000C 8103E01300 82028281 830130"), SW_OK);
    assert_int_equal(send("80F2000C00"), SW_OK);
}

// The counter is committed before anything is executed: whatever octet the power goes at, the same
// packet is executed once at most.
static void a_power_cut_never_executes_twice(void **state)
{
    bool is_through = false;
    unsigned executed = 0;
    for (uint64_t cut = 1; !is_through; cut++) {
        (void)close_card(state);
        (void)open_remote(state);
        prepare(AES_128, 0x1619, USIM, 1);
        struct nvm_faults faults = {.cut_at = cut};
        card->nvm.faults = &faults;
        uint16_t sw = run("00A4000002 6F39 8032000003 000001"); // EF.ACM: counts
        is_through = sw != CARD_MUTE;
        card->nvm.faults = NULL;
        reset_card();
        (void)run("00A4000002 6F39 8032000003 000001");
        assert_int_equal(send(SELECT_USIM), SW_OK);
        assert_int_equal(send("00A4000C026F39"), SW_OK);
        assert_int_equal(send("00B2010403"), SW_OK);
        assert_true(answer_octets[2] <= 1);
        executed += answer_octets[2];
    }
    assert_true(executed > 0);
}

static void an_unserved_envelope_is_refused(void **state)
{
    (void)state;
    assert_int_equal(send("80C2000006 D204 82028281"), SW_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(send("80C2000006 D304 82028281"), SW_FUNCTION_NOT_SUPPORTED);
    assert_int_equal(send("80C2000006 D404 82028281"), SW_FUNCTION_NOT_SUPPORTED);
}

// A cyclic file in the USIM with records of 255 octets, under the rule of EF.ACM.
#define CREATE_LONG_RECORDS "00E000001A 6218 8204462100FF 83026F9F 8A0105 8B036F0607 800201FE 8800 "

// INCREASE answers the sum and what was added: 256 octets is what an answer can have.
static void an_increase_that_cannot_be_answered_is_refused(void **state)
{
    (void)state;
    char script[600] = CREATE_LONG_RECORDS "803200007F";
    for (unsigned i = 0; i < 127; i++)
        (void)strncat(script, "00", sizeof script - strlen(script) - 1);
    prepare(AES_128, 0x1619, USIM, 1);
    (void)run(script);
    assert_report(SECURED_STATUS_OK, "026700");
    prepare(AES_128, 0x1619, USIM, 2);
    (void)run("00A40000026F9F 8032000002 0000");
    assert_report(SECURED_STATUS_OK, "026700");
    prepare(AES_128, 0x1619, USIM, 3);
    (void)run("00A40000026F39 8032000001 07 00C0000004");
    assert_report(SECURED_STATUS_OK, "039000 00000707");
}

static bool holds_parts(void)
{
    for (size_t i = 0; i < CARD_JOINERS; i++) {
        if (lab.shop.joiner_owner[i] == &card->remote)
            return true;
    }
    return false;
}

// The memory for long packets is all cards': a card gives it back when nothing waits in it.
static void memory_for_parts_is_given_back(void **state)
{
    (void)state;
    uint8_t packet[SMS_PACKET_MAX];
    char script[1200] = "00A40000022F05 ";
    for (unsigned i = 0; i < 20; i++)
        (void)strncat(script, "00D6000002ABCD ", sizeof script - strlen(script) - 1);
    prepare(AES_128, 0x1619, SHARED, 1);
    size_t len = write_packet(script, packet);
    (void)send_part(packet, len, 1);
    assert_true(holds_parts());
    (void)send_part(packet, len, 0);
    assert_report(SECURED_STATUS_OK, "159000");
    assert_false(holds_parts());
    // The rest never comes.
    prepare(AES_128, 0x1619, SHARED, 2);
    len = write_packet(script, packet);
    (void)send_part(packet, len, 0);
    (void)send("80F2000C00");
    assert_true(holds_parts());
    (void)send("80F2000C00");
    assert_false(holds_parts());
    assert_silent();
    (void)send_part(packet, len, 0);
    (void)send_part(packet, len, 1);
    assert_report(SECURED_STATUS_OK, "159000");
    // Its first part says late that it is not for remote management.
    prepare(AES_128, 0x1619, 0x123456, 3);
    len = write_packet(script, packet);
    (void)send_part(packet, len, 1);
    assert_true(holds_parts());
    (void)send_part(packet, len, 0);
    assert_false(holds_parts());
}

// A packet comes while the terminal is sending a part of the former answer: what it then says is
// of that part, and the new answer goes whole.
static void a_new_answer_goes_whole(void **state)
{
    (void)state;
    for (unsigned done = 0; done < 3; done++) {
        char get[16];
        prepare(AES_128, 0x1619, SHARED, 2 * done + 1);
        uint16_t sw = run(LONG_SCRIPT);
        (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
        assert_int_equal(send(get), SW_OK);
        prepare(AES_128, 0x1619, SHARED, 2 * done + 2);
        assert_int_equal(run(LONG_SCRIPT), SW_OK); // one command at a time
        if (done == 0)
            sw = send("801400000C 8103E01300 82028281 830100");
        if (done == 1)
            sw = send("801400000C 8103E01300 82028281 830130"); // refused
        for (unsigned i = 0; done == 2 && i < 8; i++)
            sw = send("80F2000C00"); // never answered
        assert_int_equal(fetch(sw), 3);
        assert_int_equal(response.status, SECURED_STATUS_OK);
        assert_int_equal(response.data.len, 308);
    }
}

#define WRITE_LOCI "00D600000B FFFFFFFF 00F110 FFFE FF 01 "

static void a_script_is_not_the_terminal(void **state)
{
    (void)state;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026F7E"), SW_OK);
    (void)send("00D600000B FFFFFFFF 00F110 FFFE FF 00"); // updated
    assert_int_equal(card->applet.service, CAT_SERVICE_NORMAL);
    prepare(AES_128, 0x1619, USIM, 1);
    (void)run("00A4000002 6F7E" WRITE_LOCI);
    assert_report(SECURED_STATUS_OK, "029000");
    assert_int_equal(card->applet.service, CAT_SERVICE_NORMAL);
    (void)send(WRITE_LOCI);
    assert_int_equal(card->applet.service, CAT_SERVICE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(a_script_reads_a_file_with_every_kind_of_key),
        REMOTE_TEST(a_script_stops_at_the_first_failure),
        REMOTE_TEST(the_expanded_formats_are_answered_in_kind),
        REMOTE_TEST(the_targets_are_where_they_should_be),
        REMOTE_TEST(an_answer_goes_by_message_when_asked),
        REMOTE_TEST(a_long_answer_follows_in_several_messages),
        REMOTE_TEST(a_terminal_that_cannot_send_is_told_at_once),
        REMOTE_TEST(parts_come_in_any_order),
        REMOTE_TEST(terminals_that_cannot_send_now_are_asked_again),
        REMOTE_TEST(a_power_cut_never_executes_twice),
        REMOTE_TEST(an_unserved_envelope_is_refused),
        REMOTE_TEST(an_increase_that_cannot_be_answered_is_refused),
        REMOTE_TEST(memory_for_parts_is_given_back),
        REMOTE_TEST(a_new_answer_goes_whole),
        REMOTE_TEST(a_script_is_not_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
