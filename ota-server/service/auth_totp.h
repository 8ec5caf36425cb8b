// One-time passwords of the time [RFC 6238], as apps on telephones make them: HMAC-SHA-1, steps of
// 30 s. Pure; the time is an argument.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define TOTP_SECRET_SIZE 20 // as RFC 4226 §4 recommends
#define TOTP_STEP_S 30
#define TOTP_DIGITS 6
#define TOTP_DIGITS_MAX 8
#define TOTP_CODE_SIZE (TOTP_DIGITS_MAX + 1)

uint64_t totp_step(struct utc now);
// The code of a step, as so many digits. False when OpenSSL refuses.
bool totp_code(struct bytes secret, uint64_t step, unsigned digits,
               char code[TOTP_CODE_SIZE]) MUST_USE;
// Appends octets in base32 without padding [RFC 4648 §6].
void base32_put(struct writer *w, struct bytes octets);
