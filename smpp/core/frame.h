// A stream of octets into PDUs, whatever the cuts.
//
// Promises: octets are read straight into the caller's buffer and PDUs are views into it, so that
// nothing is copied except the unfinished PDU at its end, once per read. The same octets give the
// same PDUs however they arrive. Never: looks further into a PDU than command_length.
#pragma once

#include "common/base/bytes.h"

struct smpp_frame {
    uint8_t *at; // private from here
    size_t cap;
    size_t start;
    size_t end;
    size_t pdu_len_max;
};

enum smpp_frame_result {
    SMPP_FRAME_OK = 0, // `pdu` is a whole one
    SMPP_FRAME_MORE,   // not yet complete
    SMPP_FRAME_LOST, // command_length below 16 or above the limit: nothing that follows can be read
};

// `memory` of `cap` octets, cap >= pdu_len_max >= 16. Larger is faster: 64 KiB takes 300 messages
// per read.
void smpp_frame_init(struct smpp_frame *f, void *memory, size_t cap, size_t pdu_len_max);
// Where the next octets may be put, and at least how many; moves what is unfinished to the front,
// so views taken before are void after this call. Empty only when whole PDUs fill the buffer.
struct writer smpp_frame_room(struct smpp_frame *f);
// `len` octets were put where smpp_frame_room said.
void smpp_frame_filled(struct smpp_frame *f, size_t len);
// The next PDU, a view that is good until smpp_frame_room.
enum smpp_frame_result smpp_frame_next(struct smpp_frame *f, struct bytes *pdu) MUST_USE;
// Like next, without taking it.
enum smpp_frame_result smpp_frame_peek(const struct smpp_frame *f, struct bytes *pdu) MUST_USE;
// Octets that are there and not yet taken.
static inline size_t smpp_frame_waiting(const struct smpp_frame *f)
{
    return f->end - f->start;
}
