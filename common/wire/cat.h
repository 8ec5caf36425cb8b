// The card application toolkit as far as a subscription-management applet and its terminal need it
// [102.223, 31.111]: proactive commands, terminal responses and envelopes, each written and read.
//
// One struct holds what any of them can carry; `has` says what is there. Which function reads or
// writes it decides what it is:
//     card      cat_write_command()    cat_read_response()    cat_read_envelope()
//     terminal  cat_read_command()     cat_write_response()   cat_write_envelope()
// What is written is the data field of FETCH, TERMINAL RESPONSE or ENVELOPE; apdu.h puts the header
// around it.
//
// Promises: objects may come in any order with or without the comprehension flag; the first of
// several equal ones counts; unknown ones are skipped, and a skipped one that asked for
// comprehension is reported. Bytes are views. Written objects carry the flag and stand in the order
// of the standard's tables.
// Never: decides what to answer, or keeps state.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/wire/ident.h"
#include "common/wire/sms.h"

// The longest data field that a short APDU holds: what FETCH returns, what an ENVELOPE brings.
#define CAT_DATA_MAX 255

enum cat_command_type {
    CAT_REFRESH = 0x01,
    CAT_MORE_TIME = 0x02,
    CAT_POLL_INTERVAL = 0x03,
    CAT_POLLING_OFF = 0x04,
    CAT_SET_UP_EVENT_LIST = 0x05,
    CAT_SEND_SHORT_MESSAGE = 0x13,
    CAT_PROVIDE_LOCAL_INFORMATION = 0x26,
    CAT_TIMER_MANAGEMENT = 0x27,
};

// Qualifiers of REFRESH.
enum cat_refresh_mode {
    CAT_REFRESH_INIT_AND_FULL_FILE_CHANGE = 0x00,
    CAT_REFRESH_FILE_CHANGE = 0x01,
    CAT_REFRESH_INIT_AND_FILE_CHANGE = 0x02,
    CAT_REFRESH_INIT = 0x03,
    CAT_REFRESH_CARD_RESET = 0x04,
    CAT_REFRESH_APPLICATION_RESET = 0x05,
    CAT_REFRESH_SESSION_RESET = 0x06,
    CAT_REFRESH_STEERING = 0x07, // of roaming
};

// Qualifiers of PROVIDE LOCAL INFORMATION.
enum cat_information {
    CAT_INFORMATION_LOCATION = 0x00,
    CAT_INFORMATION_IMEI = 0x01,
    CAT_INFORMATION_DATE_TIME = 0x03,
    CAT_INFORMATION_TECHNOLOGY = 0x06,
    CAT_INFORMATION_IMEISV = 0x08,
};

// Qualifiers of TIMER MANAGEMENT.
enum cat_timer_action {
    CAT_TIMER_START = 0x00,
    CAT_TIMER_DEACTIVATE = 0x01,
    CAT_TIMER_READ = 0x02,
};
#define CAT_TIMERS_MAX 8            // identifiers 1 to 8
#define CAT_TIMER_SECONDS_MAX 86400 // 24 hours [102.223 §6.6.21]

enum cat_device {
    CAT_DEVICE_CARD = 0x81,
    CAT_DEVICE_TERMINAL = 0x82,
    CAT_DEVICE_NETWORK = 0x83,
};

enum cat_event {
    CAT_EVENT_LOCATION_STATUS = 0x03,
    CAT_EVENT_TECHNOLOGY_CHANGE = 0x0B,
    CAT_EVENT_NETWORK_REJECTION = 0x12,
};

enum cat_location_status {
    CAT_SERVICE_NORMAL = 0x00,
    CAT_SERVICE_LIMITED = 0x01,
    CAT_SERVICE_NONE = 0x02,
};

enum cat_technology {
    CAT_GSM = 0x00,
    CAT_UTRAN = 0x03,
    CAT_EUTRAN = 0x08,
    CAT_NR = 0x0A,
};

enum cat_duration_unit {
    CAT_MINUTES = 0x00,
    CAT_SECONDS = 0x01,
    CAT_TENTHS = 0x02,
};

// General results [102.223 §8.12]: 0x done, 1x stopped by the user, 2x try again, 3x give up.
enum cat_result {
    CAT_DONE = 0x00,
    CAT_DONE_PARTIAL_COMPREHENSION = 0x01,
    CAT_DONE_MISSING_INFORMATION = 0x02,
    CAT_DONE_REFRESH_MORE_FILES = 0x03,
    CAT_DONE_LIMITED_SERVICE = 0x06,
    CAT_DONE_MODIFIED = 0x07,
    CAT_DONE_REFRESH_NOT_ACTIVE = 0x08,
    CAT_TERMINAL_UNABLE = 0x20, // a cause follows: 02 busy on a call, 04 no service, ...
    CAT_NETWORK_UNABLE = 0x21,
    CAT_TIMER_CONTRADICTION = 0x24,
    CAT_BEYOND_CAPABILITY = 0x30,
    CAT_TYPE_UNKNOWN = 0x31,
    CAT_DATA_NOT_UNDERSTOOD = 0x32,
    CAT_NUMBER_UNKNOWN = 0x33,
    CAT_SMS_RP_ERROR = 0x35,
    CAT_VALUES_MISSING = 0x36,
};
#define CAT_CAUSE_NONE 0x00
#define CAT_CAUSE_BUSY_ON_CALL 0x02
#define CAT_CAUSE_NO_SERVICE 0x04

static inline bool cat_result_is_done(uint8_t result)
{
    return result < 0x10;
}

static inline bool cat_result_is_try_later(uint8_t result)
{
    return (result & 0xF0) == 0x20;
}

// Where the terminal is: PLMN, area code (LAC or TAC) and cell [31.111 §8.19]. The length of the
// object tells the coding: 7 octets = 2 of area and 2 of cell; 9 = 2 and 4, where an E-UTRAN cell
// is 28 bits and a semi-octet F; 11 = NR, 3 and 5, where the cell is 36 bits and an F. 5 octets
// carry no cell.
#define CAT_CELL_MAX 5
struct cat_location {
    uint8_t plmn[PLMN_LEN];
    uint32_t area;
    uint8_t area_len; // 2 or 3
    uint8_t cell_len; // 0, 2, 4 or 5
    uint8_t cell[CAT_CELL_MAX];
};

// What is there, bit by bit.
enum cat_has {
    CAT_HAS_DETAILS = 1u << 0,
    CAT_HAS_DEVICES = 1u << 1,
    CAT_HAS_RESULT = 1u << 2,
    CAT_HAS_DURATION = 1u << 3,
    CAT_HAS_ALPHA = 1u << 4,
    CAT_HAS_ADDRESS = 1u << 5,
    CAT_HAS_TPDU = 1u << 6,
    CAT_HAS_FILES = 1u << 7,
    CAT_HAS_EVENTS = 1u << 8,
    CAT_HAS_LOCATION_STATUS = 1u << 9,
    CAT_HAS_LOCATION = 1u << 10,
    CAT_HAS_IMEI = 1u << 11,
    CAT_HAS_IMEISV = 1u << 12,
    CAT_HAS_DATE_TIME = 1u << 13,
    CAT_HAS_TIMER = 1u << 14,
    CAT_HAS_TIMER_VALUE = 1u << 15,
    CAT_HAS_TECHNOLOGIES = 1u << 16,
    CAT_HAS_ATTACH_TYPE = 1u << 17,
    CAT_HAS_REJECTION_CAUSE = 1u << 18,
    CAT_HAS_TRACKING_AREA = 1u << 19,
    CAT_HAS_ROUTING_AREA = 1u << 20,
    // Something unknown with the comprehension flag was skipped. Only set by reading.
    CAT_HAS_UNKNOWN_REQUIRED = 1u << 21,
    CAT_HAS_APPLICATION = 1u << 22,
};

struct cat_message {
    uint32_t has; // enum cat_has
    uint8_t number;
    uint8_t type; // enum cat_command_type, or another
    uint8_t qualifier;
    uint8_t source; // enum cat_device, or another
    uint8_t destination;
    uint8_t result;           // enum cat_result, or another
    struct bytes result_info; // what follows the general result; may be empty
    uint8_t duration_unit;
    uint8_t duration;
    struct bytes alpha;
    struct bytes address; // TON and NPI octet, then swapped semi-octets
    struct bytes tpdu;
    struct bytes files;       // number of files, then their paths, each from 3F00
    struct bytes application; // AID of the one that is meant; 7FFF in a path is its ADF
    struct bytes events;      // command: the list; envelope: one octet
    uint8_t location_status;
    struct cat_location location;
    uint8_t imei[IMEI_LEN];
    uint8_t imeisv[IMEISV_LEN];
    uint8_t date_time[SMS_TIME_LEN]; // sms_time_read() decodes it
    uint8_t timer;
    uint32_t timer_seconds;
    struct bytes technologies;         // enum cat_technology, one octet each
    uint8_t attach_type;               // update, attach or registration type [31.111 §8.92]
    uint8_t rejection_cause;           // [31.111 §8.93]
    struct cat_location tracking_area; // without cell
    struct bytes routing_area;
};

// The event of an event download, or 0 when it names none.
uint8_t cat_event_of(const struct cat_message *m);
// Whether an event list or a list of technologies names this one.
bool cat_lists(struct bytes list, uint8_t value);

enum cat_error {
    CAT_OK = 0,
    CAT_MALFORMED, // an object does not fit, or a known one has a wrong length or value
    CAT_UNKNOWN,   // another template than this function reads
    CAT_MISSING,   // command details, device identities, result or event list are not there
};
// D0. Asks for command details and device identities.
enum cat_error cat_read_command(struct bytes data, struct cat_message *out) MUST_USE;
// Asks for command details, device identities and the result.
enum cat_error cat_read_response(struct bytes data, struct cat_message *out) MUST_USE;

enum cat_envelope {
    CAT_SMS_PP_DOWNLOAD = 0xD1,
    CAT_EVENT_DOWNLOAD = 0xD6,
    CAT_TIMER_EXPIRATION = 0xD7,
};
// One of the three above; asks for device identities, and for TPDU, event list or timer identifier.
enum cat_error cat_read_envelope(struct bytes data, enum cat_envelope *kind,
                                 struct cat_message *out) MUST_USE;

void cat_write_command(struct writer *w, const struct cat_message *m);
void cat_write_response(struct writer *w, const struct cat_message *m);
void cat_write_envelope(struct writer *w, enum cat_envelope kind, const struct cat_message *m);

// The card's commands. `number` is 01 to FE; one number per command in progress.
struct cat_message cat_refresh(uint8_t number, enum cat_refresh_mode mode);
struct cat_message cat_more_time(uint8_t number);
struct cat_message cat_poll_interval(uint8_t number, enum cat_duration_unit unit, uint8_t value);
struct cat_message cat_polling_off(uint8_t number);
// An empty list removes the former one. A new list replaces it.
struct cat_message cat_set_up_event_list(uint8_t number, struct bytes events);
// Silent: with an empty alpha identifier. `service_centre` may be empty: the terminal's own is
// used.
struct cat_message cat_send_short_message(uint8_t number, struct bytes service_centre,
                                          struct bytes tpdu);
struct cat_message cat_provide_local_information(uint8_t number, enum cat_information information);
// Timer 1 to CAT_TIMERS_MAX; at most CAT_TIMER_SECONDS_MAX.
struct cat_message cat_timer_start(uint8_t number, uint8_t timer, uint32_t seconds);
struct cat_message cat_timer_stop(uint8_t number, uint8_t timer);

// The terminal's answer to a command, with its details; add further objects and their `has` bits.
struct cat_message cat_answer(const struct cat_message *command, uint8_t result);
// The terminal's envelopes.
struct cat_message cat_sms_download(struct bytes service_centre, struct bytes tpdu);
// `location` may be NULL: without service there is none.
struct cat_message cat_location_event(enum cat_location_status status,
                                      const struct cat_location *location);
struct cat_message cat_technology_event(struct bytes technologies);
// `technologies` names where it happened; `area` is the one that rejected, written as tracking area
// if the first technology is E-UTRAN or NR, else as location without cell.
struct cat_message cat_rejection_event(const struct cat_location *area, struct bytes technologies,
                                       uint8_t attach_type, uint8_t cause);
struct cat_message cat_timer_event(uint8_t timer, uint32_t seconds);

struct cat_location cat_location_gsm(const uint8_t plmn[PLMN_LEN], uint16_t lac, uint16_t cell);
struct cat_location cat_location_eutran(const uint8_t plmn[PLMN_LEN], uint16_t tac, uint32_t cell);
struct cat_location cat_location_nr(const uint8_t plmn[PLMN_LEN], uint32_t tac, uint64_t cell);

// An address object, TON and NPI octet and swapped semi-octets [102.223 §8.1].
void cat_address_write(struct writer *w, const struct phone *number);
bool cat_address_read(struct bytes address, struct phone *out) MUST_USE;

// TERMINAL PROFILE [102.223 §5.2, 31.111 §5.2]: octet and bit, both counted from 1.
#define CAT_FEATURE(octet, bit) (((octet)-1) * 8 + ((bit)-1))
#define CAT_PROFILE_MAX 40
enum cat_feature {
    CAT_FEATURE_PROFILE_DOWNLOAD = CAT_FEATURE(1, 1),
    CAT_FEATURE_SMS_PP_DOWNLOAD = CAT_FEATURE(1, 2),
    CAT_FEATURE_TIMER_EXPIRATION = CAT_FEATURE(1, 6),
    // Set together with SMS-PP download by terminals that do it.
    CAT_FEATURE_SMS_PP_DOWNLOAD_RESPONSE = CAT_FEATURE(1, 5),
    CAT_FEATURE_MORE_TIME = CAT_FEATURE(3, 4),
    CAT_FEATURE_POLL_INTERVAL = CAT_FEATURE(3, 6),
    CAT_FEATURE_POLLING_OFF = CAT_FEATURE(3, 7),
    CAT_FEATURE_REFRESH = CAT_FEATURE(3, 8),
    CAT_FEATURE_SEND_SHORT_MESSAGE = CAT_FEATURE(4, 2),
    CAT_FEATURE_LOCATION_AND_IMEI = CAT_FEATURE(4, 7),
    CAT_FEATURE_MEASUREMENTS = CAT_FEATURE(4, 8),
    CAT_FEATURE_SET_UP_EVENT_LIST = CAT_FEATURE(5, 1),
    CAT_FEATURE_EVENT_LOCATION_STATUS = CAT_FEATURE(5, 5),
    CAT_FEATURE_EVENT_TECHNOLOGY = CAT_FEATURE(6, 5),
    CAT_FEATURE_TIMER_START_STOP = CAT_FEATURE(8, 1),
    CAT_FEATURE_TIMER_READ = CAT_FEATURE(8, 2),
    CAT_FEATURE_DATE_TIME = CAT_FEATURE(8, 3),
    CAT_FEATURE_TECHNOLOGY = CAT_FEATURE(9, 8),
    CAT_FEATURE_IMEISV = CAT_FEATURE(18, 7),
    CAT_FEATURE_EVENT_REJECTION_UTRAN = CAT_FEATURE(25, 5), // GERAN and UTRAN
    CAT_FEATURE_EVENT_REJECTION_EUTRAN = CAT_FEATURE(25, 7),
};
// A profile shorter than the feature's octet does not have it.
bool cat_profile_has(struct bytes profile, enum cat_feature feature);
// check()s that the feature lies within `len` octets.
void cat_profile_set(uint8_t *profile, size_t len, enum cat_feature feature, bool on);
