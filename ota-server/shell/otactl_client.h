// Signed requests to the server over libcurl: one connection, kept open between requests.
//
// Promises: every request is signed (docs: OTA1-HMAC-SHA256), or shows the session of a person; a
// changing request carries an
// idempotency key, so that one whose answer was lost is sent again without doing it twice; 429 and
// 503 are tried again as long as Retry-After and RETRY_MAX_MS allow. What goes wrong is said on
// standard error, once, with what to do about it.
// Never: follows redirects, prints a secret, or skips the check of a certificate.
#pragma once

#include "common/host/json.h"
#include "ota-server/shell/otactl_exit.h"

#include <stdio.h>

#define CTL_TARGET_MAX 4096
#define CTL_ANSWER_MAX ((size_t)64 << 20)
#define CTL_BASE "/connectivity-management/v1"

struct ctl_client;

// Reads address and credentials and prepares libcurl; nothing is sent yet. Without `needs_key`
// there may be no credentials.
enum ctl_exit ctl_client_open(struct ctl_client **client, bool needs_key) MUST_USE;
// NULL is harmless.
void ctl_client_close(struct ctl_client *c);
const char *ctl_client_url(const struct ctl_client *c);
struct secret_session;
// ctl_access_write() for this server.
bool ctl_client_keep(const struct ctl_client *c, const struct secret_session *session,
                     const char *path) MUST_USE;

struct ctl_request {
    const char *method;
    char path[CTL_TARGET_MAX];  // encoded, without the address's prefix
    char query[CTL_TARGET_MAX]; // encoded, without "?"
    struct writer path_w, query_w;
    const char *type; // Content-Type; NULL: no body
    struct bytes body;
    FILE *upload;   // instead of `body`: read from its start, and then again while it is sent
    FILE *download; // takes the body of a good answer as it comes, instead of the answer; or NULL
    // The same for one that has no end: false ends it. Or NULL.
    bool (*listen)(void *context, struct bytes piece);
    void *listen_context;
    const char *last_event_id; // behind which a stream goes on; or NULL
    const char *accept;
    const char *idempotency_key; // NULL: one is made for changing methods
    bool is_reading;             // a POST that changes nothing
    bool is_open;                // neither signed nor versioned: /healthz, /readyz
    bool is_unsigned;            // what shows who asks is in the body
    // While an upload is sent; may be NULL.
    void (*progress)(void *context, uint64_t sent, uint64_t total);
    void *progress_context;
};

// `path` is relative to CTL_BASE and needs no encoding.
void ctl_request_init(struct ctl_request *r, const char *method, const char *path);
// Adds "/" and `segment`, encoded.
void ctl_request_segment(struct ctl_request *r, const char *segment);
void ctl_request_query(struct ctl_request *r, const char *name, const char *value);
void ctl_request_json(struct ctl_request *r, struct bytes body);

struct ctl_answer {
    unsigned status; // 0: there was none
    char *text;      // ends with a zero
    size_t len;
    json_t *json;          // NULL when the body is none or not JSON
    int64_t retry_after_s; // -1: not said
    int64_t date_s;        // of the server's clock; -1: not said
    char correlator[64];   // that was sent
    char cookie[128];      // NAME=VALUE that it set, or empty
};

void ctl_answer_free(struct ctl_answer *a);

// Sends and reads; `what` begins the error message. An answer is there, and to be freed, whatever
// the result. CTL_DONE for 2xx only.
enum ctl_exit ctl_call(struct ctl_client *c, struct ctl_request *r, const char *what,
                       struct ctl_answer *a) MUST_USE;
// The same without a word: the caller explains.
enum ctl_exit ctl_call_quietly(struct ctl_client *c, struct ctl_request *r, struct ctl_answer *a,
                               char problem[256]) MUST_USE;

// Lets time pass; at most a minute.
void ctl_pause(uint64_t ms);
// Writes text that a peer sent, without control characters.
void ctl_put_clean(FILE *to, const char *text);
