// The shape check: what libsmpp34 may be given. Every PDU is walked field by field, strictly by
// SMPP 3.4, before the library sees any of it; the library itself measures strings before it looks
// at what is left, and fails on values that real peers send.
//
// Promises: a PDU that passes has every mandatory field complete and within its maximum, and TLVs
// that end exactly at its end. `smpp_shape_copy` makes of it what the library can take. Never:
// judges status or sequence number.
#pragma once

#include "common/base/bytes.h"

#define SMPP_SHAPE_FIELDS_MAX 8

struct smpp_shape {
    uint32_t command;
    size_t mandatory_end; // where the TLVs begin, from the start of the PDU
    // private from here: where TON, NPI and interface_version stand, for the copy
    uint8_t field_count;
    uint16_t fields[SMPP_SHAPE_FIELDS_MAX];
    uint8_t kinds[SMPP_SHAPE_FIELDS_MAX];
};

enum smpp_shape_result {
    SMPP_SHAPE_OK = 0,
    SMPP_SHAPE_FOREIGN, // not a PDU for the library: unknown, submit_multi, header alone,
                        // deliver_sm_resp
    SMPP_SHAPE_BROKEN,  // cut, too long, without a zero, or with octets left over
};

// `pdu` is one frame.
enum smpp_shape_result smpp_shape_check(struct bytes pdu, struct smpp_shape *shape) MUST_USE;

// The copy for the library: without TLVs, command_length corrected, status 0, sequence number 1,
// TON, NPI and interface_version of values it knows, one zero octet after it (not counted in the
// length). False when `to` has not mandatory_end + 1 octets left.
bool smpp_shape_copy(struct bytes pdu, const struct smpp_shape *shape, struct writer *to) MUST_USE;
