// Every pair of state and request of the session's table, and every sender, bind and request of the
// other one, against tables written by hand from SMPP 3.4.
//
// The states of [SMPP 3.4 §2.2] and ours: OPEN is OPEN, and BINDING until the bind is answered;
// BOUND_TX, BOUND_RX and BOUND_TRX are BOUND, and DRAINING, in which unbind is still ours to send;
// CLOSED is CLOSED. Between an unbind and its response [SMPP 3.4 §4.2] there are UNBINDING and
// PEER_UNBIND, in which no operation is begun any more.
#include "smpp/core/pdu.h"
#include "smpp/core/rules.h"
#include "tests/lib/cmocka_all.h"

#include <string.h>

#define STATES (SMPP_STATE_CLOSED + 1)

// What a letter of the tables stands for.
static enum smpp_action action_of(char letter)
{
    static const char letters[] = "BUWTRNA-";
    static const enum smpp_action actions[] = {
        SMPP_TAKE_BIND, SMPP_TAKE_UNBIND, SMPP_TAKE_WORK,     SMPP_TAKE_NOTICE,
        SMPP_REPLY,     SMPP_NOT_NOW,     SMPP_BOUND_ALREADY, SMPP_SKIP,
    };
    const char *at = strchr(letters, letter);
    assert_non_null(at);
    return actions[at - letters];
}

// A letter for each of OPEN, BINDING, BOUND, DRAINING, UNBINDING, PEER_UNBIND, CLOSED:
//   B  the caller judges a bind: bind_* belongs to OPEN                     [§2.2, §4.1, table 2-1]
//   A  ESME_RALYBND: already bound, or with a bind under way                [§5.1.3]
//   N  ESME_RINVBNDSTS: not in this state                                   [§5.1.3]
//   U  unbind belongs to the three bound states, of either side             [§4.2, table 2-1]
//   R  answered at once with ESME_ROK. enquire_link asks for no more than that its receiver lives:
//   it is answered in
//      every state with a connection, more than table 2-1 asks (it names the bound ones) [§4.11].
//      An unbind that crosses ours is answered, too                                        [§4.2]
//   W  the caller's, when the direction is right, which is the other table's matter       [table
//   2-1] T  the same for what has no response: outbind before the bind           [§2.2.1, §4.1.7,
//   table 2-1]
//      and alert_notification to a receiver                                 [§4.12, table 2-1]
//   -  nothing can be answered: there is no response to these, or no connection any more
// clang-format off
static const struct {
    uint32_t command;
    const char *actions;
    const char *clause;
} by_state[] = {
    {SMPP_BIND_TRANSMITTER,   "BAAANN-", "§4.1.1, table 2-1"},
    {SMPP_BIND_RECEIVER,      "BAAANN-", "§4.1.3, table 2-1"},
    {SMPP_BIND_TRANSCEIVER,   "BAAANN-", "§4.1.5, table 2-1"},
    {SMPP_OUTBIND,            "T-TT---", "§4.1.7, table 2-1"},
    {SMPP_UNBIND,             "NNUURN-", "§4.2, table 2-1"},
    {SMPP_ENQUIRE_LINK,       "RRRRRR-", "§4.11"},
    {SMPP_SUBMIT_SM,          "NNWWNN-", "§4.4, table 2-1"},
    {SMPP_SUBMIT_MULTI,       "NNWWNN-", "§4.5, table 2-1"},
    {SMPP_DELIVER_SM,         "NNWWNN-", "§4.6, table 2-1"},
    {SMPP_DATA_SM,            "NNWWNN-", "§4.7, table 2-1"},
    {SMPP_QUERY_SM,           "NNWWNN-", "§4.8, table 2-1"},
    {SMPP_CANCEL_SM,          "NNWWNN-", "§4.9, table 2-1"},
    {SMPP_REPLACE_SM,         "NNWWNN-", "§4.10, table 2-1"},
    {SMPP_ALERT_NOTIFICATION, "T-TT---", "§4.12, table 2-1"},
};

// Who may send what: a letter for each of unbound, BOUND_TX, BOUND_RX, BOUND_TRX; y or n.
static const struct {
    uint32_t command;
    const char *esme, *smsc;
    const char *clause;
} by_direction[] = {
    {SMPP_SUBMIT_SM,          "nyny", "nnnn", "§4.4, table 2-1"},
    {SMPP_SUBMIT_MULTI,       "nyny", "nnnn", "§4.5, table 2-1"},
    {SMPP_DELIVER_SM,         "nnnn", "nnyy", "§4.6, table 2-1"},
    {SMPP_DATA_SM,            "nyny", "nnyy", "§2.2, §4.7"}, // an alternative to submit_sm, and to deliver_sm
    {SMPP_QUERY_SM,           "nyny", "nnnn", "§4.8, table 2-1"},
    {SMPP_CANCEL_SM,          "nyny", "nnnn", "§4.9, table 2-1"},
    {SMPP_REPLACE_SM,         "nyny", "nnnn", "§4.10, table 2-1"},
    {SMPP_ALERT_NOTIFICATION, "nnnn", "nnyy", "§4.12, table 2-1"},
    // These have rules of their own in the session: they are no work.
    {SMPP_BIND_TRANSMITTER,   "nnnn", "nnnn", "§4.1.1"},
    {SMPP_BIND_RECEIVER,      "nnnn", "nnnn", "§4.1.3"},
    {SMPP_BIND_TRANSCEIVER,   "nnnn", "nnnn", "§4.1.5"},
    {SMPP_OUTBIND,            "nnnn", "nnnn", "§4.1.7"},
    {SMPP_UNBIND,             "nnnn", "nnnn", "§4.2"},
    {SMPP_ENQUIRE_LINK,       "nnnn", "nnnn", "§4.11"},
};
// clang-format on

static void every_request_is_judged_in_every_state_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof by_state / sizeof by_state[0]; i++) {
        assert_int_equal(strlen(by_state[i].actions), STATES);
        for (int s = 0; s < STATES; s++) {
            const enum smpp_action wanted = action_of(by_state[i].actions[s]);
            const enum smpp_action is =
                smpp_action_for((enum smpp_session_state)s, by_state[i].command);
            if (is != wanted)
                fail_msg("command %08x in state %d is %d, not %d [SMPP 3.4 %s]",
                         (unsigned)by_state[i].command, s, is, wanted, by_state[i].clause);
        }
    }
}

static void every_request_goes_the_way_that_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof by_direction / sizeof by_direction[0]; i++) {
        assert_true(strlen(by_direction[i].esme) == 4 && strlen(by_direction[i].smsc) == 4);
        for (int bound_as = SMPP_UNBOUND; bound_as <= SMPP_TRX; bound_as++) {
            const uint32_t command = by_direction[i].command;
            const enum smpp_bind_type type = (enum smpp_bind_type)bound_as;
            if (smpp_may_send(SMPP_ESME, type, command) !=
                    (by_direction[i].esme[bound_as] == 'y') ||
                smpp_may_send(SMPP_SMSC, type, command) != (by_direction[i].smsc[bound_as] == 'y'))
                fail_msg("command %08x, bound as %d [SMPP 3.4 %s]", (unsigned)command, bound_as,
                         by_direction[i].clause);
        }
    }
}

// Both tables name every request that a PDU can be, so a new one has to be written into them.
static void the_tables_name_every_request(void **state)
{
    (void)state;
    const size_t count = sizeof by_state / sizeof by_state[0];
    assert_int_equal(count, sizeof by_direction / sizeof by_direction[0]);
    for (uint32_t command = 0; command < 0x400; command++) {
        const uint8_t header[SMPP_HEADER_LEN] = {
            [3] = SMPP_HEADER_LEN, [6] = (uint8_t)(command >> 8), [7] = (uint8_t)command, [15] = 1};
        struct smpp_pdu pdu;
        const bool is_known =
            smpp_pdu_read(bytes_of(header, sizeof header), &pdu) != ESME_RINVCMDID;
        unsigned named = 0;
        for (size_t i = 0; i < count; i++)
            named += (by_state[i].command == command) + (by_direction[i].command == command);
        if (named != (is_known ? 2 : 0))
            fail_msg("command %08x is named %u times", (unsigned)command, named);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_judged_in_every_state_as_the_standard_says),
        cmocka_unit_test(every_request_goes_the_way_that_the_standard_says),
        cmocka_unit_test(the_tables_name_every_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
