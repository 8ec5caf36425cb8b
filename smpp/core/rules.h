// Who may send what, and when: the tables of a session. [SMPP 3.4 §2.2, §2.3]
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum smpp_role { SMPP_ESME, SMPP_SMSC };

// What the ESME bound as.
enum smpp_bind_type { SMPP_UNBOUND, SMPP_TX, SMPP_RX, SMPP_TRX };

enum smpp_session_state {
    SMPP_STATE_OPEN,        // connected, nothing bound
    SMPP_STATE_BINDING,     // bind sent (ESME) or being judged by the caller (SMSC)
    SMPP_STATE_BOUND,       //
    SMPP_STATE_DRAINING,    // we will unbind when the open requests are done
    SMPP_STATE_UNBINDING,   // unbind sent
    SMPP_STATE_PEER_UNBIND, // peer's unbind came; answered when we owe nothing more
    SMPP_STATE_CLOSED,      // nothing more is read or sent; UNKNOWN and CLOSED events still come
};

// What a session does with a request of its peer.
enum smpp_action {
    SMPP_TAKE_BIND,     // to the caller
    SMPP_TAKE_UNBIND,   // answered when nothing is owed, then closed
    SMPP_TAKE_WORK,     // to the caller, if the direction is right, else ESME_RINVBNDSTS
    SMPP_TAKE_NOTICE,   // to the caller, nothing to answer
    SMPP_REPLY,         // ESME_ROK
    SMPP_NOT_NOW,       // ESME_RINVBNDSTS
    SMPP_BOUND_ALREADY, // ESME_RALYBND
    SMPP_SKIP,          // nothing to answer: counted
};

// `command` is a known request.
enum smpp_action smpp_action_for(enum smpp_session_state state, uint32_t command);
// Whether `sender` may send `command` to a peer bound so.
bool smpp_may_send(enum smpp_role sender, enum smpp_bind_type bound_as, uint32_t command);
