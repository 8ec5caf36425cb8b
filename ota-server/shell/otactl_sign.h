// The client's half of request signing: the Authorization header over the same eleven lines that
// the server computes, with the server's own function (service/auth_hmac.h).
#pragma once

#include "common/base/time.h"
#include "common/host/crypto.h"
#include "ota-server/service/auth_hmac.h"

// Name, key, ten digits, nonce, signature, and a zero.
#define CTL_SIGNED_MAX 256

struct ctl_signer {
    struct crypto *crypto;
    struct bytes app_key;
    struct bytes app_secret;
};

// Writes the value of the Authorization header and a zero. False when the path or query has no
// signed form (see enum auth_text_status) or OpenSSL fails.
bool ctl_sign(const struct ctl_signer *s, const struct auth_signed_request *request, struct utc at,
              struct bytes nonce, char header[CTL_SIGNED_MAX]) MUST_USE;
