// Identifiers as they are shown to callers without the scope identifiers:clear. Each function
// writes `clear` with the hidden characters as "*"; what is too short for its rule is hidden whole.
#pragma once

#include "common/base/bytes.h"

// First 5 and last 4 digits.
void mask_iccid(struct writer *w, struct bytes clear);
// MCC, MNC (of `mnc_length` 2 or 3) and last 4.
void mask_imsi(struct writer *w, struct bytes clear, unsigned mnc_length);
// Country code [E.164] and last 4; without "+".
void mask_msisdn(struct writer *w, struct bytes clear);
// Last 4.
void mask_imei(struct writer *w, struct bytes clear);
// As an ICCID: it names the card as well.
void mask_eid(struct writer *w, struct bytes clear);
