// Delivery receipts: what the SMSC tells about a message it accepted. [SMPP 3.4 §2.11, appendix B]
//
// Promises: reads the TLVs 001E, 0427, 0423 first and the text second, in every form seen in the
// field: fields in any order and in any case, `sub` and `dlvrd` missing, dates of 10 or 12 digits
// or no digits at all, `Text` or `text`. What cannot be read is absent, never an error. Never: a
// verdict. A receipt informs; only the card's own answer says what happened on the card.
#pragma once

#include "common/base/time.h"
#include "smpp/core/pdu.h"

#define SMPP_ESM_CLASS_RECEIPT 0x04 // bits 5-2 of esm_class: 0001
#define SMPP_RECEIPT_TEXT_MAX 254

// message_state, by the numbers of [SMPP 3.4 §5.2.28].
enum smpp_message_state {
    SMPP_MESSAGE_NO_STATE = 0, // absent, or not one of those below
    SMPP_MESSAGE_ENROUTE = 1,
    SMPP_MESSAGE_DELIVERED = 2,
    SMPP_MESSAGE_EXPIRED = 3,
    SMPP_MESSAGE_DELETED = 4,
    SMPP_MESSAGE_UNDELIVERABLE = 5,
    SMPP_MESSAGE_ACCEPTED = 6,
    SMPP_MESSAGE_UNKNOWN = 7,
    SMPP_MESSAGE_REJECTED = 8,
};

struct smpp_receipt {
    struct bytes message_id; // empty: none
    enum smpp_message_state state;
    struct bytes submit_date; // as the SMSC wrote it; empty: none
    struct bytes done_date;
    struct bytes error;     // `err` of the text, any characters; empty: none
    bool has_network_error; // TLV 0423
    uint8_t network_type;   // 1 ANSI-136, 2 IS-95, 3 GSM
    uint16_t network_error;
};

// Whether a deliver_sm or data_sm is a receipt: by esm_class, or by TLVs 001E and 0427 together.
bool smpp_is_receipt(const struct smpp_pdu *pdu);
// Views into the PDU's octets. Anything may be absent.
void smpp_receipt_read(const struct smpp_pdu *pdu, struct smpp_receipt *receipt);

struct smpp_receipt_text {
    struct bytes message_id; // at most 64 characters
    enum smpp_message_state state;
    struct utc submitted;
    struct utc done;
    uint16_t error; // 0 to 999
};

// The text of [SMPP 3.4 appendix B], dates in UTC. Fits in SMPP_RECEIPT_TEXT_MAX octets.
void smpp_receipt_write_text(struct writer *w, const struct smpp_receipt_text *receipt);
// TLVs 001E and 0427, and 0423 when has_network_error.
void smpp_receipt_write_tlvs(struct writer *w, const struct smpp_receipt *receipt);
// `DELIVRD`, `EXPIRED`, ...; `UNKNOWN` for no state.
const char *smpp_message_state_text(enum smpp_message_state state);

// Whether two message ids can mean the same message: equal in any case and without leading zeros,
// or one the decimal and the other the hexadecimal form of the same number of up to 64 bits.
bool smpp_ids_match(struct bytes a, struct bytes b);
