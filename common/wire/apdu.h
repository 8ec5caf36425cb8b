// Command APDUs with short lengths [102.221 §10.1, ISO 7816-3 §12], their T=0 form with P3, and the
// names of the status words in use.
//
// Promises: data are views. Never: executes or judges a command.
#pragma once

#include "common/base/bytes.h"

#define APDU_DATA_MAX 255
#define APDU_LE_MAX 256 // a Le octet of 00

struct apdu {
    uint8_t cla;
    uint8_t ins;
    uint8_t p1;
    uint8_t p2;
    struct bytes data; // Lc octets; empty in cases 1 and 2
    uint16_t le;       // 0 = none (cases 1 and 3), else 1 to APDU_LE_MAX
};

enum apdu_error {
    APDU_OK = 0,
    APDU_SHORT,  // fewer octets than the header or Lc asks for
    APDU_LENGTH, // more octets than Lc and Le explain, or an extended length
};

// A whole command APDU in one of the cases 1 to 4.
enum apdu_error apdu_read(struct bytes octets, struct apdu *out) MUST_USE;
// One command of several in T=0 form: CLA INS P1 P2 P3, then P3 octets of data if the command is
// one that brings data. In a command that fetches, P3 = 00 asks for 256 octets.
enum apdu_error apdu_next(struct reader *r, struct apdu *out) MUST_USE;
// Whether a command of T=0 form brings data. T=0 cannot say so itself: the instruction must be
// known [102.221 §7.3.1]. GET STATUS of GlobalPlatform shares 80 F2 with STATUS, so P1 counts too.
bool apdu_brings_data(uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2);

// Lc is written if there are data, Le if it is not 0.
void apdu_write(struct writer *w, const struct apdu *a);
// T=0 form: P3 is the number of data octets, else Le. Fails the writer if there are both, because
// Le then belongs to a GET RESPONSE.
void apdu_write_p3(struct writer *w, const struct apdu *a);

// Instructions [102.221 §10.1.2, 102.223, GPC §11].
enum apdu_ins {
    INS_DEACTIVATE_FILE = 0x04,
    INS_TERMINAL_PROFILE = 0x10,
    INS_FETCH = 0x12,
    INS_TERMINAL_RESPONSE = 0x14,
    INS_VERIFY_PIN = 0x20,
    INS_CHANGE_PIN = 0x24,
    INS_DISABLE_PIN = 0x26,
    INS_ENABLE_PIN = 0x28,
    INS_UNBLOCK_PIN = 0x2C,
    INS_INCREASE = 0x32,
    INS_ACTIVATE_FILE = 0x44,
    INS_MANAGE_CHANNEL = 0x70,
    INS_GET_CHALLENGE = 0x84,
    INS_AUTHENTICATE = 0x88,
    INS_SEARCH_RECORD = 0xA2,
    INS_SELECT = 0xA4,
    INS_TERMINAL_CAPABILITY = 0xAA,
    INS_READ_BINARY = 0xB0,
    INS_READ_RECORD = 0xB2,
    INS_GET_RESPONSE = 0xC0,
    INS_ENVELOPE = 0xC2,
    INS_GET_DATA = 0xCA,
    INS_RETRIEVE_DATA = 0xCB,
    INS_RESIZE_FILE = 0xD4,
    INS_UPDATE_BINARY = 0xD6,
    INS_UPDATE_RECORD = 0xDC,
    INS_CREATE_FILE = 0xE0,
    INS_STORE_DATA = 0xE2,
    INS_DELETE = 0xE4,
    INS_INSTALL = 0xE6,
    INS_STATUS = 0xF2,
};

// Status words [102.221 §10.2, 31.102 §7.3]. The last octet of some is a count.
enum apdu_sw {
    SW_OK = 0x9000,
    SW_OK_PROACTIVE = 0x9100, // 91 xx: a proactive command of xx octets waits, 00 = 256
    SW_TOOLKIT_BUSY = 0x9300,
    SW_DATA_AVAILABLE = 0x6100, // 61 xx
    SW_WARNING = 0x6200,
    SW_DATA_CORRUPT = 0x6281,
    SW_END_OF_FILE = 0x6282,
    SW_FILE_INVALIDATED = 0x6283,
    SW_MORE_DATA = 0x62F1,
    SW_PIN_TRIES = 0x63C0, // 63 Cx: x tries left
    SW_EXECUTION_ERROR = 0x6400,
    SW_MEMORY_FAILURE = 0x6581,
    SW_WRONG_LENGTH = 0x6700,
    SW_CLASS_FUNCTION = 0x6800,
    SW_CHANNEL_NOT_SUPPORTED = 0x6881,
    SW_SECURE_MESSAGING_NOT_SUPPORTED = 0x6882,
    SW_COMMAND_NOT_ALLOWED = 0x6900,
    SW_STRUCTURE_MISMATCH = 0x6981,
    SW_SECURITY_STATUS = 0x6982,
    SW_PIN_BLOCKED = 0x6983,
    SW_DATA_INVALIDATED = 0x6984,
    SW_CONDITIONS = 0x6985,
    SW_NO_EF_SELECTED = 0x6986,
    SW_WRONG_DATA = 0x6A80,
    SW_FUNCTION_NOT_SUPPORTED = 0x6A81,
    SW_FILE_NOT_FOUND = 0x6A82,
    SW_RECORD_NOT_FOUND = 0x6A83,
    SW_NO_MEMORY = 0x6A84,
    SW_WRONG_P1_P2 = 0x6A86,
    SW_LC_P1_P2 = 0x6A87,
    SW_REFERENCE_NOT_FOUND = 0x6A88,
    SW_FILE_EXISTS = 0x6A89,
    SW_WRONG_OFFSET = 0x6B00,
    SW_WRONG_LE = 0x6C00, // 6C xx: repeat with xx
    SW_INS_NOT_SUPPORTED = 0x6D00,
    SW_CLA_NOT_SUPPORTED = 0x6E00,
    SW_TECHNICAL_PROBLEM = 0x6F00,
    SW_MAX_VALUE = 0x9850,
    SW_AUTHENTICATION_MAC = 0x9862,
    SW_SESSION_NOT_SUPPORTED = 0x9863,
    SW_AUTHENTICATION_CONTEXT = 0x9864,
    SW_KEY_FRESHNESS = 0x9865,
};

// 9000, 91xx and 61xx: executed, nothing to complain about.
static inline bool apdu_sw_is_ok(uint16_t sw)
{
    return sw == SW_OK || (sw & 0xFF00) == SW_OK_PROACTIVE || (sw & 0xFF00) == SW_DATA_AVAILABLE;
}
