// Client assertions: a JWT [RFC 7519] that a client signed with its own key, as proof of who it is
// at the token endpoint [RFC 7523 §3].
//
// Promises: only ES256, PS256 and RS256; where `typ` tells of another kind of token, it is none;
// the key is one of the registered set; every claim that the interface asks for is judged. Whether
// the jti was seen before is the caller's to remember.
#pragma once

#include "common/base/time.h"
#include "common/host/json.h"

#define JWT_SIZE_MAX 8192
#define JWT_AHEAD_S 300 // of exp, at most
#define JWT_SKEW_S 30
#define JWT_JTI_MAX 128
#define JWT_CLIENT_MAX 64

// Who the assertion says that it is from, before anything is proved; empty for what is no JWT.
void jwt_client(struct bytes jwt, char client[JWT_CLIENT_MAX + 1]);

struct jwt_expected {
    const char *client;       // iss and sub
    const char *audiences[2]; // one of them
    struct utc now;
    const json_t *jwks;
};
// The jti, when all is right.
bool jwt_check(struct bytes jwt, const struct jwt_expected *expected,
               char jti[JWT_JTI_MAX + 1]) MUST_USE;
