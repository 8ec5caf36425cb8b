// libsmpp34 as the second reader and writer of PDUs, behind the shape check. The only place that
// knows the library.
//
// A PDU that the shape check lets through is unpacked by the library, compared field by field with
// what our codec read, packed again by the library and compared octet by octet. Our codec gives the
// views and the TLVs; the library never sees a TLV, an odd value or an octet that was not checked.
// What is tolerated beyond SMPP 3.4 and what the library cannot do (submit_multi, header alone, 254
// octets of text) is our codec's alone: docs/decisions/0010-smpp-codec.md.
//
// The library's state is global: calls are serialised by a lock here. Costs some 10 us per PDU.
#pragma once

#include "smpp/core/session.h"

enum smpp_library {
    SMPP_LIBRARY_AGREES = 0,
    SMPP_LIBRARY_NOT_ASKED, // the shape check does not give it this PDU
    SMPP_LIBRARY_REFUSES,   // it cannot unpack or pack what passed the shape check
    SMPP_LIBRARY_DIFFERS,   // it read another value, or wrote other octets
};

// `pdu` is what smpp_pdu_read made of `octets`, of at most SMPP_PDU_LEN_MAX; more is not asked.
enum smpp_library smpp_library_compare(struct bytes octets, const struct smpp_pdu *pdu) MUST_USE;

// For smpp_session_config.codec: our codec, and the library must agree where it is asked. Where it
// does not, reading gives ESME_RSYSERR and writing SMPP_WRITE_INVALID.
extern const struct smpp_codec smpp_library_codec;
