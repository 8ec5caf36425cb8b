// Short messages: the two TPDUs that carry secured packets [23.040 §9.2], the user data header
// [23.040 §9.2.3.24], and packets cut into several messages and joined again [31.115 §4].
//
// Promises: views instead of copies, except in a joiner, which keeps parts in its own bounded
// memory. A joiner finds the mark of a secured packet in every part and every element, takes parts
// in any order, ignores duplicates, and forgets a set after SMS_JOIN_MS.
// Never: judges an address. Who sent something is decided by keys, not here.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/wire/ident.h"

#define SMS_USER_DATA_MAX 140
#define SMS_ADDRESS_MAX 10 // octets of digits
#define SMS_TIME_LEN 7
#define SMS_DELIVER_MAX (1 + 12 + 1 + 1 + SMS_TIME_LEN + 1 + SMS_USER_DATA_MAX)
#define SMS_SUBMIT_MAX (2 + 12 + 1 + 1 + 7 + 1 + SMS_USER_DATA_MAX)

#define SMS_PID_USIM_DATA_DOWNLOAD 0x7F
#define SMS_DCS_CLASS_2_8BIT 0xF6

// Bits of the first octet of a TPDU.
#define SMS_TYPE_DELIVER 0x00
#define SMS_TYPE_SUBMIT 0x01
#define SMS_TYPE_MASK 0x03
#define SMS_NO_MORE_MESSAGES 0x04  // SMS-DELIVER only
#define SMS_VALIDITY_MASK 0x18     // SMS-SUBMIT only: 00 none, 10 relative, 08 and 18 seven octets
#define SMS_VALIDITY_RELATIVE 0x10 // one octet
#define SMS_HEADER_PRESENT 0x40    // the user data begin with a header

// As it stands in a TPDU: a name in letters is an address too, so the octets are kept.
struct sms_address {
    uint8_t digit_count; // semi-octets, at most 2 * SMS_ADDRESS_MAX
    uint8_t type;        // PHONE_INTERNATIONAL, ...
    uint8_t octets[SMS_ADDRESS_MAX];
};
struct sms_address sms_address_of(const struct phone *number);
// False for an address in letters or with other semi-octets than digits.
bool sms_address_phone(const struct sms_address *address, struct phone *out) MUST_USE;
bool sms_address_equal(const struct sms_address *a, const struct sms_address *b);

struct sms_deliver {
    uint8_t first;
    struct sms_address sender;
    uint8_t pid;
    uint8_t dcs;
    uint8_t time[SMS_TIME_LEN];
    uint8_t user_data_length; // TP-UDL: octets, or septets if sms_is_septets(dcs)
    struct bytes user_data;
};

struct sms_submit {
    uint8_t first;
    uint8_t reference; // the terminal sets it
    struct sms_address recipient;
    uint8_t pid;
    uint8_t dcs;
    struct bytes validity; // as `first` says: 0, 1 or 7 octets
    uint8_t user_data_length;
    struct bytes user_data;
};

enum sms_error {
    SMS_OK = 0,
    SMS_MALFORMED,  // lengths do not fit, or octets are left over
    SMS_OTHER_TYPE, // another TPDU
};
enum sms_error sms_read_deliver(struct bytes tpdu, struct sms_deliver *out) MUST_USE;
enum sms_error sms_read_submit(struct bytes tpdu, struct sms_submit *out) MUST_USE;
// The writer fails when the user data are longer than SMS_USER_DATA_MAX. TP-UDL is written as
// given for septets, and is the number of octets otherwise.
void sms_write_deliver(struct writer *w, const struct sms_deliver *m);
void sms_write_submit(struct writer *w, const struct sms_submit *m);
// A message with a secured packet: header present, PID 7F, DCS F6.
struct sms_deliver sms_deliver_packet(const struct sms_address *sender,
                                      const uint8_t time[SMS_TIME_LEN], struct bytes user_data);
struct sms_submit sms_submit_packet(const struct sms_address *recipient, struct bytes user_data);
// Whether this data coding scheme counts septets [23.038 §4].
bool sms_is_septets(uint8_t dcs);

// Time stamp: YY MM DD hh mm ss and the zone, swapped semi-octets [23.040 §9.2.3.11]. The same
// coding serves the toolkit's date, time and time zone; its zone FF (unknown) is read as UTC.
// Years 00 to 99 are 2000 to 2099. Written with zone 0; a time outside is written as the nearest.
bool sms_time_read(const uint8_t octets[SMS_TIME_LEN], struct utc *out) MUST_USE;
void sms_time_write(struct utc at, uint8_t octets[SMS_TIME_LEN]);

// Information elements of a user data header.
enum sms_element_id {
    SMS_ELEMENT_CONCATENATED = 0x00,      // reference, total, number
    SMS_ELEMENT_CONCATENATED_WIDE = 0x08, // the same with a reference of two octets
    SMS_ELEMENT_COMMAND = 0x70,           // a command packet begins in this part [31.115 §4.2]
    SMS_ELEMENT_RESPONSE = 0x71,
    SMS_ELEMENT_CARD_REFERENCE = 0x80, // ours, in the range for use between SMEs
};
struct sms_element {
    uint8_t id;
    struct bytes value;
};
// Splits user data that begin with a header into its elements and what follows. False when the
// header is longer than the data or its elements do not fit it exactly.
bool sms_header_split(struct bytes user_data, struct bytes *elements, struct bytes *rest) MUST_USE;
// For a reader of such elements; false at the end.
bool sms_element_next(struct reader *elements, struct sms_element *out);

// What one message says about a packet: all of it, or one part.
#define SMS_CARD_REFERENCE_LEN 8
enum sms_packet_kind {
    SMS_NO_PACKET = 0,
    SMS_COMMAND_PACKET = SMS_ELEMENT_COMMAND,
    SMS_RESPONSE_PACKET = SMS_ELEMENT_RESPONSE,
};
struct sms_part {
    enum sms_packet_kind kind;   // SMS_NO_PACKET in further parts
    struct bytes card_reference; // empty, or SMS_CARD_REFERENCE_LEN octets
    bool is_wide;                // the reference has two octets
    uint16_t reference;
    uint8_t total;  // 1 = the whole packet
    uint8_t number; // from 1
    struct bytes octets;
};
// Reads user data with a header. False when malformed, or when two elements contradict each other:
// two marks, two concatenations. A concatenation element whose total is 0, or whose number is 0 or
// above the total, is ignored [23.040 §9.2.3.24.1].
bool sms_read_part(struct bytes user_data, struct sms_part *out) MUST_USE;

// --- cutting ---------------------------------------------------------------------------------

#define SMS_PARTS_MAX 8
#define SMS_PACKET_MAX (132 + (SMS_PARTS_MAX - 1) * 134) // octets of packet that 8 messages hold

struct sms_cut {
    enum sms_packet_kind kind;   // not SMS_NO_PACKET
    struct bytes card_reference; // empty, or SMS_CARD_REFERENCE_LEN octets for the first part
    bool is_wide;
    uint16_t reference; // used only when there are several parts; below 256 unless wide
};
// How many octets of packet `parts` messages hold; 0 for 0 parts.
size_t sms_cut_room(const struct sms_cut *cut, size_t parts);
// How many messages a packet needs; may be more than SMS_PARTS_MAX, which sms_cut_part refuses.
size_t sms_cut_count(const struct sms_cut *cut, size_t packet_len);
// Writes the user data of part `index`, from 0, at most SMS_USER_DATA_MAX octets. Fails the writer
// when there is no such part or the packet needs more than SMS_PARTS_MAX.
void sms_cut_part(const struct sms_cut *cut, struct bytes packet, size_t index, struct writer *w);

// --- joining ---------------------------------------------------------------------------------

#define SMS_JOIN_SETS 2
#define SMS_JOIN_MS 60000
#define SMS_PART_MAX 134 // octets of packet in one part

struct sms_join_set {
    // private
    bool is_used;
    bool is_wide;
    uint8_t total;
    uint8_t have; // bit i = part i + 1 is here
    uint8_t marks;
    uint16_t reference;
    struct sms_address sender;
    struct instant deadline;
    uint32_t number; // of all sets that began
    enum sms_packet_kind kind;
    uint8_t card_reference[SMS_CARD_REFERENCE_LEN];
    bool has_card_reference;
    uint8_t len[SMS_PARTS_MAX];
    uint8_t octets[SMS_PARTS_MAX * SMS_PART_MAX];
};

struct sms_joiner {
    // private
    uint32_t begun;
    struct sms_join_set sets[SMS_JOIN_SETS];
};

enum sms_join {
    SMS_JOIN_COMPLETE = 0, // the packet is in `out`
    SMS_JOIN_WAITING,      // kept, more parts to come
    SMS_JOIN_DUPLICATE,    // this part was here already; the first one counts
    SMS_JOIN_REFUSED,      // malformed, more than SMS_PARTS_MAX parts, no mark or two
};

struct sms_packet {
    enum sms_packet_kind kind;
    struct bytes octets;         // CPL or RPL to the end
    struct bytes card_reference; // empty if absent
};

void sms_joiner_init(struct sms_joiner *joiner);
// Takes user data with a header from `sender`. A packet in one message is complete at once and
// `out` views `user_data`; one in several is complete with its last part and `out` views the joiner
// until its next call. When all sets wait and a new one begins, the oldest is given up.
enum sms_join sms_join(struct sms_joiner *joiner, const struct sms_address *sender,
                       struct bytes user_data, struct instant now, struct sms_packet *out) MUST_USE;
// The earliest time at which something is given up, or INSTANT_NEVER.
struct instant sms_joiner_deadline(const struct sms_joiner *joiner);
// Gives up sets whose time is over; sms_join() does it too. Returns how many.
unsigned sms_joiner_expire(struct sms_joiner *joiner, struct instant now);
