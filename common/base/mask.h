// Personal identifiers as they are shown by default: in lists, exports and logs. What is hidden
// becomes one '*' per character, so that lengths stay visible.
#pragma once

#include "common/base/bytes.h"

enum mask {
    MASK_ICCID,  // first 5 and last 4
    MASK_IMSI,   // first 5 (MCC and two digits of the MNC) and last 4
    MASK_MSISDN, // country code (with or without '+') and last 4
    MASK_IMEI,   // last 4
    MASK_IP,     // first two groups
    MASK_NAME,   // first character
    MASK_NUMBER, // last 4, of certificates and the like
    MASK_ALL,    // nothing
};

// Text too short to hide at least 4 characters between what is shown is hidden entirely.
void mask_write(struct writer *out, enum mask mask, struct bytes text);
