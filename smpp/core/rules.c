#include "smpp/core/rules.h"

#include "smpp/core/pdu.h"

// What is done with a request of the peer, by state and kind.
enum kind { KIND_BIND, KIND_UNBIND, KIND_ENQUIRE, KIND_WORK, KIND_NOTICE, KIND_COUNT };

// clang-format off
static const uint8_t actions[][KIND_COUNT] = {
    //                          bind           unbind       enquire  work       notice
    [SMPP_STATE_OPEN]        = {SMPP_TAKE_BIND,     SMPP_NOT_NOW,     SMPP_REPLY,   SMPP_NOT_NOW,   SMPP_TAKE_NOTICE},
    [SMPP_STATE_BINDING]     = {SMPP_BOUND_ALREADY, SMPP_NOT_NOW,     SMPP_REPLY,   SMPP_NOT_NOW,   SMPP_SKIP},
    [SMPP_STATE_BOUND]       = {SMPP_BOUND_ALREADY, SMPP_TAKE_UNBIND, SMPP_REPLY,   SMPP_TAKE_WORK, SMPP_TAKE_NOTICE},
    [SMPP_STATE_DRAINING]    = {SMPP_BOUND_ALREADY, SMPP_TAKE_UNBIND, SMPP_REPLY,   SMPP_TAKE_WORK, SMPP_TAKE_NOTICE},
    [SMPP_STATE_UNBINDING]   = {SMPP_NOT_NOW,       SMPP_REPLY,       SMPP_REPLY,   SMPP_NOT_NOW,   SMPP_SKIP},
    [SMPP_STATE_PEER_UNBIND] = {SMPP_NOT_NOW,       SMPP_NOT_NOW,     SMPP_REPLY,   SMPP_NOT_NOW,   SMPP_SKIP},
    [SMPP_STATE_CLOSED]      = {SMPP_SKIP,          SMPP_SKIP,        SMPP_SKIP,    SMPP_SKIP,      SMPP_SKIP},
};
// clang-format on

static enum kind kind_of(uint32_t command)
{
    switch (command) {
    case SMPP_BIND_RECEIVER:
    case SMPP_BIND_TRANSMITTER:
    case SMPP_BIND_TRANSCEIVER:
        return KIND_BIND;
    case SMPP_UNBIND:
        return KIND_UNBIND;
    case SMPP_ENQUIRE_LINK:
        return KIND_ENQUIRE;
    case SMPP_ALERT_NOTIFICATION:
    case SMPP_OUTBIND:
        return KIND_NOTICE;
    default: // octets
        return KIND_WORK;
    }
}

enum smpp_action smpp_action_for(enum smpp_session_state state, uint32_t command)
{
    return (enum smpp_action)actions[state][kind_of(command)];
}

// Who may send what, once bound [SMPP 3.4 §2.3, table 2-1].
bool smpp_may_send(enum smpp_role sender, enum smpp_bind_type bound_as, uint32_t command)
{
    const bool esme_sends = bound_as == SMPP_TX || bound_as == SMPP_TRX;
    const bool smsc_sends = bound_as == SMPP_RX || bound_as == SMPP_TRX;
    switch (command) {
    case SMPP_DATA_SM:
        return sender == SMPP_ESME ? esme_sends : smsc_sends;
    case SMPP_SUBMIT_SM:
    case SMPP_SUBMIT_MULTI:
    case SMPP_QUERY_SM:
    case SMPP_CANCEL_SM:
    case SMPP_REPLACE_SM:
        return sender == SMPP_ESME && esme_sends;
    case SMPP_DELIVER_SM:
    case SMPP_ALERT_NOTIFICATION:
        return sender == SMPP_SMSC && smsc_sends;
    default: // octets
        return false;
    }
}
