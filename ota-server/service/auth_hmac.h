// Request signing with APPKEY and APPSECRET: reading of the Authorization header and the text that
// is signed. docs/api.md describes the eleven lines for those who write clients.
//
// Promises: pure; the text depends on the request alone; what a gateway may re-encode (path and
// query) is brought to one form first.
// Never: sees the secret, or compares. The caller computes HMAC-SHA-256 and uses secret_equal().
#pragma once

#include "common/base/bytes.h"

#define AUTH_APP_KEY_SIZE 20
#define AUTH_SECRET_SIZE 43 // 256 bits in base64url
#define AUTH_NONCE_MIN 16
#define AUTH_NONCE_MAX 64
#define AUTH_MAC_SIZE 32
#define AUTH_SKEW_MAX_S 300
#define AUTH_NONCE_LIFE_S 601
#define AUTH_QUERY_PAIRS_MAX 64
// A request line of 8 KiB whose octets all grow to %XX, and the short lines around it.
#define AUTH_TEXT_MAX 26624

// The views point into the header.
struct auth_signature {
    struct bytes app_key;
    struct bytes ts_text; // 10 digits
    int64_t ts_s;         // unix seconds
    struct bytes nonce;
    uint8_t mac[AUTH_MAC_SIZE];
};

// `value` is that of the Authorization header. False for another scheme and for any other form.
bool auth_signature_read(struct bytes value, struct auth_signature *out) MUST_USE;
bool auth_is_app_key(struct bytes text);

struct auth_signed_request {
    struct bytes method;       // upper case
    struct bytes authority;    // host of the public base URL in lower case, port if not the default
    struct bytes path;         // as sent, with a gateway's prefix
    struct bytes query;        // as sent, without "?"
    struct bytes content_type; // as sent; not signed when there is no body
    struct bytes correlator;
    struct bytes idempotency_key;
    bool has_body;
    uint8_t body_sha256[32]; // of the empty string when there is no body
};

enum auth_text_status {
    AUTH_TEXT_OK = 0,
    AUTH_TEXT_BAD_TARGET, // dot segment, encoded slash, or a percent sign without two digits
    AUTH_TEXT_TOO_LONG,   // more pairs or octets than the limits
};

// Appends the eleven lines.
enum auth_text_status auth_text(struct writer *w, const struct auth_signed_request *request,
                                const struct auth_signature *signature) MUST_USE;
