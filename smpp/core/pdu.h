// SMPP PDUs as plain values: read from octets, judged, written back.
//
// Promises: every command of SMPP 3.4 is known; a PDU that was read holds views into the octets it
// was read from and owns nothing; a field that a command does not have is not looked at; what was
// read writes back the same octets. Any status, sequence number, TON, NPI and data_coding is kept
// as it came: judging them is the session's and the caller's work. TLVs keep their order, unknown
// ones included. Never: allocates, reads past a view, trusts a length.
//
// Field sizes in octets include the final zero, as in [SMPP 3.4 §4]. Views never include it.
#pragma once

#include "common/base/bytes.h"

#define SMPP_HEADER_LEN 16
#define SMPP_TLVS_MAX 16      // per PDU; more is ESME_RINVOPTPARSTREAM
#define SMPP_PDU_LEN_MAX 4096 // default limit of command_length; holds a message_payload of 3.5 kB
#define SMPP_SEQUENCE_MAX 0x7FFFFFFFu

// command_id [SMPP 3.4 §5.1.2.1]. A response is its request with the top bit set.
#define SMPP_RESPONSE 0x80000000u
#define SMPP_BIND_RECEIVER 0x00000001u
#define SMPP_BIND_TRANSMITTER 0x00000002u
#define SMPP_QUERY_SM 0x00000003u
#define SMPP_SUBMIT_SM 0x00000004u
#define SMPP_DELIVER_SM 0x00000005u
#define SMPP_UNBIND 0x00000006u
#define SMPP_REPLACE_SM 0x00000007u
#define SMPP_CANCEL_SM 0x00000008u
#define SMPP_BIND_TRANSCEIVER 0x00000009u
#define SMPP_OUTBIND 0x0000000Bu
#define SMPP_ENQUIRE_LINK 0x00000015u
#define SMPP_SUBMIT_MULTI 0x00000021u
#define SMPP_ALERT_NOTIFICATION 0x00000102u
#define SMPP_DATA_SM 0x00000103u
#define SMPP_GENERIC_NACK 0x80000000u
#define SMPP_SUBMIT_SM_RESP (SMPP_RESPONSE | SMPP_SUBMIT_SM)
#define SMPP_DELIVER_SM_RESP (SMPP_RESPONSE | SMPP_DELIVER_SM)
#define SMPP_ENQUIRE_LINK_RESP (SMPP_RESPONSE | SMPP_ENQUIRE_LINK)
#define SMPP_UNBIND_RESP (SMPP_RESPONSE | SMPP_UNBIND)
#define SMPP_DATA_SM_RESP (SMPP_RESPONSE | SMPP_DATA_SM)

// command_status by the names of [SMPP 3.4 §5.1.3]. On the wire it may be any 32-bit value.
enum smpp_status {
    ESME_ROK = 0x00,
    ESME_RINVMSGLEN = 0x01,
    ESME_RINVCMDLEN = 0x02,
    ESME_RINVCMDID = 0x03,
    ESME_RINVBNDSTS = 0x04,
    ESME_RALYBND = 0x05,
    ESME_RINVPRTFLG = 0x06,
    ESME_RINVREGDLVFLG = 0x07,
    ESME_RSYSERR = 0x08,
    ESME_RINVSRCADR = 0x0A,
    ESME_RINVDSTADR = 0x0B,
    ESME_RINVMSGID = 0x0C,
    ESME_RBINDFAIL = 0x0D,
    ESME_RINVPASWD = 0x0E,
    ESME_RINVSYSID = 0x0F,
    ESME_RCANCELFAIL = 0x11,
    ESME_RREPLACEFAIL = 0x13,
    ESME_RMSGQFUL = 0x14,
    ESME_RINVSERTYP = 0x15,
    ESME_RINVNUMDESTS = 0x33,
    ESME_RINVDLNAME = 0x34,
    ESME_RINVDESTFLAG = 0x40,
    ESME_RINVSUBREP = 0x42,
    ESME_RINVESMCLASS = 0x43,
    ESME_RCNTSUBDL = 0x44,
    ESME_RSUBMITFAIL = 0x45,
    ESME_RINVSRCTON = 0x48,
    ESME_RINVSRCNPI = 0x49,
    ESME_RINVDSTTON = 0x50,
    ESME_RINVDSTNPI = 0x51,
    ESME_RINVSYSTYP = 0x53,
    ESME_RINVREPFLAG = 0x54,
    ESME_RINVNUMMSGS = 0x55,
    ESME_RTHROTTLED = 0x58,
    ESME_RINVSCHED = 0x61,
    ESME_RINVEXPIRY = 0x62,
    ESME_RINVDFTMSGID = 0x63,
    ESME_RX_T_APPN = 0x64,
    ESME_RX_P_APPN = 0x65,
    ESME_RX_R_APPN = 0x66,
    ESME_RQUERYFAIL = 0x67,
    ESME_RINVOPTPARSTREAM = 0xC0,
    ESME_ROPTPARNOTALLWD = 0xC1,
    ESME_RINVPARLEN = 0xC2,
    ESME_RMISSINGOPTPARAM = 0xC3,
    ESME_RINVOPTPARAMVAL = 0xC4,
    ESME_RDELIVERYFAILURE = 0xFE,
    ESME_RUNKNOWNERR = 0xFF,
    ESME_RINVDCS = 0x104, // SMPP 5.0; sent by 3.4 peers all the same
};

// TLV tags that we read or write ourselves [SMPP 3.4 §5.3.2].
#define SMPP_TLV_RECEIPTED_MESSAGE_ID 0x001E
#define SMPP_TLV_USER_MESSAGE_REFERENCE 0x0204
#define SMPP_TLV_SC_INTERFACE_VERSION 0x0210
#define SMPP_TLV_SAR_MSG_REF_NUM 0x020C
#define SMPP_TLV_SAR_TOTAL_SEGMENTS 0x020E
#define SMPP_TLV_SAR_SEGMENT_SEQNUM 0x020F
#define SMPP_TLV_NETWORK_ERROR_CODE 0x0423
#define SMPP_TLV_MESSAGE_PAYLOAD 0x0424
#define SMPP_TLV_DELIVERY_FAILURE_REASON 0x0425
#define SMPP_TLV_MORE_MESSAGES_TO_SEND 0x0426
#define SMPP_TLV_MESSAGE_STATE 0x0427

struct smpp_address {
    uint8_t ton;
    uint8_t npi;
    struct bytes digits; // the text of the address, z21 (z65 in data_sm and alert_notification)
};

// bind_receiver, bind_transmitter, bind_transceiver.
struct smpp_bind {
    struct bytes system_id;   // z16
    struct bytes password;    // z9
    struct bytes system_type; // z13
    uint8_t interface_version;
    uint8_t addr_ton;
    uint8_t addr_npi;
    struct bytes address_range; // z41
};

// submit_sm, deliver_sm; submit_multi (destinations instead of destination); the fields they share
// of data_sm (no message) and replace_sm (message_id in `id`).
struct smpp_message {
    struct bytes service_type; // z6; read up to z8, which real peers send
    struct smpp_address source;
    struct smpp_address destination;
    uint8_t esm_class;
    uint8_t protocol_id;
    uint8_t priority_flag;
    uint8_t registered_delivery;
    uint8_t replace_if_present;
    uint8_t data_coding;
    uint8_t sm_default_msg_id;
    uint8_t destination_count;           // submit_multi: number_of_dests
    struct bytes schedule_delivery_time; // z17
    struct bytes validity_period;        // z17
    struct bytes short_message;          // up to 254 octets; 255 (SMPP 5.0) is read and written too
    struct bytes destinations;           // submit_multi: the checked dest_address list as it came
};

// The small bodies: responses, query_sm, cancel_sm, replace_sm, outbind, alert_notification.
struct smpp_id {
    struct bytes message_id; // z65
    struct bytes final_date; // query_sm_resp, z17
    uint8_t message_state;   // query_sm_resp
    uint8_t error_code;      // query_sm_resp
    uint8_t failed_count;    // submit_multi_resp: no_unsuccess
    struct bytes failed;     // submit_multi_resp: the checked unsuccess_sme list as it came
};

struct smpp_pdu {
    uint32_t command;
    uint32_t status;
    uint32_t sequence;
    struct smpp_id id;
    union {
        struct smpp_bind bind; // bind_*; bind_*_resp (system_id); outbind (system_id, password)
        struct smpp_message message; // all others that have one of its fields
    };
    struct bytes tlvs; // checked: walk it with smpp_tlv_next
};

// Reads one whole PDU; `octets` is exactly one frame (see frame.h). The header is filled in all
// cases where there are 16 octets. ESME_ROK, or the status to answer with:
//   ESME_RINVCMDID         the command is not one of SMPP 3.4
//   ESME_RINVCMDLEN        a field is missing, a string has no zero, octets are left over
//   ESME_RINVMSGLEN        sm_length is more than is left
//   ESME_RINVOPTPARSTREAM  a TLV is cut, or there are more than SMPP_TLVS_MAX
//   ESME_RINVPARLEN        an integer TLV, or one with fixed length, has another length
//   and the status of the field (ESME_RINVSRCADR, ...) for a string longer than its maximum.
// A response may come without a body, and with a body in spite of an error status [SMPP 3.4
// §4.4.2].
enum smpp_status smpp_pdu_read(struct bytes octets, struct smpp_pdu *pdu) MUST_USE;

enum smpp_write {
    SMPP_WRITE_OK = 0,
    SMPP_WRITE_FULL,    // no room; nothing was written
    SMPP_WRITE_INVALID, // a field is too long or holds a zero, the TLVs are not well formed
};

// Appends one PDU. A response with an error status is written as a header alone.
enum smpp_write smpp_pdu_write(struct writer *w, const struct smpp_pdu *pdu) MUST_USE;

// Appends a PDU that is a header alone: enquire_link, unbind, generic_nack, error responses.
enum smpp_write smpp_header_write(struct writer *w, uint32_t command, uint32_t status,
                                  uint32_t sequence) MUST_USE;

// Whether `command` is one of SMPP 3.4, requests and responses.
bool smpp_command_is_known(uint32_t command);
bool smpp_command_is_bind(uint32_t command); // one of the three requests
// `submit_sm`, `submit_sm_resp`, `unknown`: for logs.
const char *smpp_command_name(uint32_t command);
// `ESME_RTHROTTLED`, `vendor` for 0x400-0x4FF, `unknown` for others: for logs.
const char *smpp_status_name(uint32_t status);
// ESME_RTHROTTLED and ESME_RMSGQFUL: pause the whole link, keep the order.
static inline bool smpp_status_is_throttle(uint32_t status)
{
    return status == ESME_RTHROTTLED || status == ESME_RMSGQFUL;
}

struct smpp_tlv {
    uint16_t tag;
    struct bytes value;
};

// Takes the next TLV off the front of `tlvs`; false at the end or at a TLV that is cut.
bool smpp_tlv_next(struct bytes *tlvs, struct smpp_tlv *tlv);
// The first TLV with `tag`; false when there is none.
bool smpp_tlv_find(struct bytes tlvs, uint16_t tag, struct bytes *value);
// As find, for an integer of 1, 2 or 4 octets.
bool smpp_tlv_find_integer(struct bytes tlvs, uint16_t tag, uint32_t *value);
// ESME_ROK, ESME_RINVOPTPARSTREAM or ESME_RINVPARLEN, as for smpp_pdu_read.
enum smpp_status smpp_tlvs_check(struct bytes tlvs) MUST_USE;
// Append one TLV to a block that a PDU's `tlvs` then views. Values of at most 65,535 octets.
void smpp_tlv_write(struct writer *w, uint16_t tag, struct bytes value);
void smpp_tlv_write_u8(struct writer *w, uint16_t tag, uint8_t value);
void smpp_tlv_write_u16(struct writer *w, uint16_t tag, uint16_t value);
