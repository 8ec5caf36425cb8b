// The applet's parameters: numbers, coding, ranges and defaults, as CONFIGURE carries them. Card
// and server use the same table. Octets: docs/applet-protocol.md.
#pragma once

#include "common/wire/command.h"

#define PARAMETER_WAITS_MAX 8
#define PARAMETER_COUNTRIES_MAX 16

enum parameter_number {
    PARAMETER_POLL_PERIOD = 0x01,    // s, 1 octet, 5-255
    PARAMETER_POLL_BY_STATUS = 0x02, // 0, 1
    PARAMETER_T_NOSERVICE = 0x03,    // s, 2 octets, 30-3600
    PARAMETER_T_LIMITED = 0x04,      // s, 2 octets, 30-3600
    PARAMETER_T_ATTACH = 0x05,       // s, 2 octets, 60-900
    PARAMETER_AUTO_MODE = 0x06,      // 0 commands only, 1 fallback only, 2 rotation then fallback
    PARAMETER_ROUNDS_MAX = 0x07,     // 1-10
    PARAMETER_BACKOFF_BASE = 0x08,   // min, 1 octet, 1-60
    PARAMETER_BACKOFF_MAX = 0x09,    // h, 1 octet, 1-48
    PARAMETER_T_RETURN = 0x0A,       // s, 4 octets, 0 = never, 600-2592000
    PARAMETER_RETURN_ON_COUNTRY = 0x0B, // 0, 1
    PARAMETER_T_COOL = 0x0C,            // s, 4 octets, 0-86400
    PARAMETER_SWITCHES_PER_DAY = 0x0D,  // 1-255
    PARAMETER_NOTIFY_WAITS = 0x0E,      // 1 to 8 values of 2 octets, s, 10-3600
    PARAMETER_JITTER_MAX = 0x0F,        // s, 2 octets, 0-600
    PARAMETER_REUSE_LIMIT = 0x10,       // d, 2 octets, 0 = off, 1-365
    PARAMETER_COUNTRY_TABLE = 0x11,     // 0 to 16 rows of 13 octets, see struct country_row
    PARAMETER_T_COUNTRY = 0x12,         // s, 2 octets, 0-3600
    PARAMETER_HEARTBEAT = 0x13,         // h, 2 octets, 0 = off, 1-720
    PARAMETER_REFRESH_MODE = 0x14,      // 3 application initialisation, 4 card reset
    PARAMETER_T_REFRESH = 0x15,         // s, 1 octet, 0-60
    PARAMETER_SERVER_ADDR = 0x16,       // TON/NPI and BCD, 2 to COMMAND_NUMBER_MAX octets
};
#define PARAMETER_LAST 0x16

enum country_action {
    COUNTRY_PREFER = 1,
    COUNTRY_FORBID = 2,
};

// In octets: PLMN(3), with F in all MNC digits for any network of the country; IMSI(9); action(1).
struct country_row {
    uint8_t plmn[COMMAND_PLMN_SIZE];
    uint8_t imsi[COMMAND_IMSI_SIZE];
    uint8_t action;
};

struct parameters {
    uint8_t poll_period_s;
    uint8_t poll_by_status;
    uint16_t no_service_s;
    uint16_t limited_s;
    uint16_t attach_s;
    uint8_t auto_mode;
    uint8_t rounds_max;
    uint8_t backoff_base_min;
    uint8_t backoff_max_h;
    uint32_t return_s;
    uint8_t return_on_country;
    uint32_t cool_s;
    uint8_t switches_per_day;
    uint8_t wait_count;
    uint16_t waits_s[PARAMETER_WAITS_MAX];
    uint16_t jitter_max_s;
    uint16_t reuse_limit_d;
    uint8_t country_count;
    struct country_row countries[PARAMETER_COUNTRIES_MAX];
    uint16_t country_s;
    uint16_t heartbeat_h;
    uint8_t refresh_mode;
    uint8_t refresh_s;
    uint8_t server_address_len;
    uint8_t server_address[COMMAND_NUMBER_MAX];
};

enum parameter_status {
    PARAMETER_OK = 0,
    PARAMETER_UNKNOWN,      // no such number
    PARAMETER_OUT_OF_RANGE, // a value outside its range, or of a wrong length
    PARAMETER_MALFORMED,    // the list itself is cut
};

// Everything at its default; SERVER_ADDR empty (it comes from the factory).
void parameters_default(struct parameters *p);
// The name as people write it, such as "T_ATTACH"; NULL for an unknown number.
const char *parameter_name(uint8_t number);
// The number of a name, or 0.
uint8_t parameter_by_name(struct bytes name);
// What a number, or each of a list of waits, may be, in the card's units; `zero_too`: 0 as well,
// below `min`. False for what is no number.
bool parameter_range(uint8_t number, uint32_t *min, uint32_t *max, bool *zero_too) MUST_USE;
// Applies a list of number(1) length(1) value to `p`: all of it, or nothing. MALFORMED is judged
// before UNKNOWN, and that before OUT_OF_RANGE, each over the whole list. `bad` (may be NULL) gets
// the number at fault of these two.
enum parameter_status parameters_apply(struct parameters *p, struct bytes list,
                                       uint8_t *bad) MUST_USE;
// Writes number, length and value of one parameter; false and nothing for an unknown number.
bool parameter_write(struct writer *w, const struct parameters *p, uint8_t number) MUST_USE;
// Has this known parameter the same value in both?
bool parameter_is_same(const struct parameters *a, const struct parameters *b, uint8_t number);
// Sum of the waits between sendings of a notification, in s.
uint32_t parameters_waits_sum_s(const struct parameters *p);
