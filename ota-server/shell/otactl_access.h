// Where the server is and who asks: from the environment and a file that only its owner can read.
//
//   OTARIA_URL, OTARIA_APPKEY, OTARIA_APPSECRET   come before the file's lines
//   OTARIA_CREDENTIALS   a file of lines url=, appkey=, appsecret=, ca=, certificate=, key=,
//                        session=, csrf=, and comments with #
//   OTARIA_CA            certificates to trust instead of the system's
//
// With a certificate, APPKEY and APPSECRET may be missing: the server then knows the client by it.
// session= and csrf= are those of a person who logged in (`otactl session open` writes such a
// file). Never: takes a secret from the command line, prints one, or uses a file that others can
// read.
#pragma once

#include "ota-server/service/auth_hmac.h"
#include "ota-server/shell/otactl_exit.h"

#define CTL_URL_MAX 512

struct secret_app {
    char text[AUTH_SECRET_SIZE + 1];
};

// A cookie as NAME=VALUE, and the token that changes need besides.
struct secret_session {
    char cookie[128];
    char csrf[64];
};

struct ctl_access {
    char url[CTL_URL_MAX];       // scheme, host, port and prefix, without a slash at the end
    char authority[CTL_URL_MAX]; // as it is signed: host in lower case, port unless the default
    char prefix[CTL_URL_MAX];    // what stands before the API's paths; often empty
    char ca_path[CTL_URL_MAX];   // empty: the system's
    char certificate[CTL_URL_MAX], key[CTL_URL_MAX]; // files; empty: none is shown
    char app_key[AUTH_APP_KEY_SIZE + 1];
    struct secret_app secret;
    struct secret_session session; // empty: none
};

// Reads all of it; what is missing or wrong is said on standard error.
enum ctl_exit ctl_access_read(struct ctl_access *a, bool needs_key) MUST_USE;
// Writes a file from which the person of this session is read again; only its owner can read it.
// False after saying why not.
bool ctl_access_write(const struct ctl_access *a, const struct secret_session *session,
                      const char *path) MUST_USE;
void ctl_access_wipe(struct ctl_access *a);
