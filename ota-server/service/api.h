// The connectivity-management API: request and snapshot in, answer out. It knows no socket; the
// shell hands over whole requests and sends what it gets back. docs/api.md describes the interface.
//
// Promises: steps are judged in the published order, and the first that fails decides; a 2xx for a
// change is given only after its commit; what an answer may show depends on the caller's scopes.
// Never: asks a clock; waits; names a key, a secret, a file or a statement in an answer.
#pragma once

#include "common/host/crypto.h"
#include "ota-server/service/api_error.h"
#include "ota-server/service/auth_limit.h"
#include "ota-server/service/key_sets.h"
#include "ota-server/service/turn.h"

#define API_BODY_MAX (1024 * 1024)
#define API_UPLOAD_MAX (512ull * 1024 * 1024)
#define API_ANSWER_MAX (1024 * 1024)
#define API_HEADERS_MAX 16384
#define API_BUCKETS_MAX 1024
#define API_NONCES_MAX 131072

struct api;
struct campaign_runner;
struct import_jobs;
struct trail_checks;
struct json_writer;
struct sinks;
struct sink_url;

// A file that /docs serves besides the documents. The table ends with a path of NULL.
struct api_file {
    const char *path, *type, *text;
};

struct api_options {
    struct store *reader; // a connection for queries
    struct turn *turn;
    // Scheme, host and port that clients use, and a gateway's path prefix, without a slash at the
    // end: "https://api.example.com".
    const char *public_url;
    const char *version;
    const char *openapi;          // the text that /docs serves
    const char *openapi_esim;     // of the eSIM profile management API
    const struct api_file *pages; // or NULL: there are none
    const char *smdp_host;        // that activation codes name; NULL: that of public_url
    struct secret_key client_key; // wraps the clients' secrets, 32 octets
    const char *const *routes;    // names of the routes of links, ended by NULL; NULL: none
    bool single_person;           // four-eyes is off: a test installation
    bool has_basic;               // HTTP Basic is taken, over TLS or loopback
    unsigned factor_roles;        // (1 << enum user_role) of those that need a second factor
    const char *leaked_file;      // of passwords that nobody may have; NULL or "": there is none
    bool is_clear;                // identifiers are not masked: test data only
    const struct cipher *cipher;
    // Called on the thread that hashes passwords: api_step() is wanted. NULL: there is none.
    void (*wake)(void *context);
    void *wake_context;
    struct campaign_runner *campaigns; // NULL: campaigns are kept, but do not run
    struct import_jobs *imports;       // NULL: imports answer 503
    struct trail_checks *trail_checks; // NULL: long verifications answer 503
    struct sinks *sinks;               // NULL: events wait, and are not sent
    // May a client give this address, by its port, and if it is a literal one? NULL: any.
    bool (*sink_allows)(void *context, const struct sink_url *url);
    void *sink_context;
    // Reads the keys that a client publishes; api_keys_answered() gives them. NULL: none are read.
    keys_fetch_fn *fetch_keys;
    void *fetch_context;
    struct utc started_at; // the server; 0: with the first request
    bool (*fill)(void *context, uint8_t *to, size_t len);
    void *fill_context;
    // Adds members about links and queues to /system, and answers whether SMSC links are bound;
    // or NULL.
    bool (*links)(void *context, struct json_writer *j);
    // Adds theirs to /metrics; or NULL.
    void (*metrics)(void *context, struct writer *w);
    void *links_context; // of both
};

// NULL when memory or OpenSSL refuses.
struct api *api_open(const struct api_options *options) MUST_USE;
// No exchange may be open.
void api_close(struct api *api);

// What came in. Views stay good until the exchange is done.
struct api_request {
    struct bytes method;
    struct bytes path;  // as sent, percent-encoded, with the gateway's prefix if there is one
    struct bytes query; // as sent, without "?"
    // Header values; empty when absent.
    struct bytes authorization, content_type, accept, correlator, idempotency_key, client_token,
        if_match, cookie, origin, referer, csrf_token, last_event_id;
    unsigned authorization_count, correlator_count;
    struct bytes body;
    const char *upload;        // file that took the body of an upload, or NULL
    uint8_t upload_sha256[32]; // of its octets
    uint64_t upload_len;
    bool is_too_large; // the body was above its limit and was not read
    const char *peer;  // address, for limits and the trail
    bool is_watcher;   // reads /metrics without credentials
    bool is_in_clear;  // not over TLS, although the public URL says so
    // What the client showed when TLS began. One that is not believed is refused.
    bool has_certificate, certificate_is_believed;
    uint8_t certificate_sha256[32];
    struct bytes certificate_subject, certificate_issuer; // [RFC 4514]; empty when too long
};

struct api_answer {
    unsigned status;
    const char *type;     // Content-Type, or NULL
    struct bytes headers; // lines `Name: value`, each ended by LF
    struct bytes body;
    struct api_exchange *rest; // the body goes on: api_more() gives it; else NULL
    // For the request log: nothing of it is of a person.
    const char *route;  // path with a star for each id; NULL: there is no such path
    const char *caller; // id; "" when nobody proved to be one
    const char *by;     // by what they proved it, or tried to; or NULL
    const char *correlator;
};

// The answer is good during the call only. The exchange is free afterwards, or has the rest.
typedef void api_done_fn(void *context, const struct api_answer *answer);

// One request in work.
struct api_exchange;
struct api_exchange *api_exchange_open(void) MUST_USE;
// One that is in work ends without an answer: no turn may run any more.
void api_exchange_close(struct api_exchange *x);

// The next octets of a body that goes on, at most `len`; 0 at its end, -1 when it cannot go on. Ask
// again whenever the client takes more: the database is read a piece at a time. API_MORE_LATER: ask
// again when `wake` is called; it may be called without a reason.
#define API_MORE_LATER (-2)
long api_more(struct api_exchange *x, uint8_t *to, size_t len);
void api_on_more(struct api_exchange *x, void (*wake)(void *context), void *context);

struct api_now {
    struct utc utc;
    struct instant instant;
    int64_t ahead_ms; // of the world's clock, by which requests are signed: a laboratory's is
};

// The last turns: what is in work is answered, and what was answered is noted. Then the end of
// turns; `is_clean`: the next start may trust what the store says of packets. False: the database
// could not write, and requests may still be in work.
bool api_stop(struct api *api, bool is_clean, struct utc now);

// A request was refused before it could be handled, for its form: the metrics count it.
void api_misread(struct api *api);

// Handles the request; `done` is called once, in this call or after a turn's commit. The exchange
// must stay until then, also when the client has gone.
void api_handle(struct api *api, struct api_exchange *x, const struct api_request *request,
                struct api_now now, api_done_fn *done, void *context);
// The limit of the body that this request may have; API_UPLOAD_MAX when it is a file of whoever may
// send one, which goes to the disk.
uint64_t api_body_limit(struct api *api, const struct api_request *request, struct utc now);
// Gives the turn what imports and verifications have ready: before each turn.
void api_step(struct api *api);
// What came of a question of api_options.fetch_keys; status 0: no answer.
void api_keys_answered(struct api *api, uint64_t ticket, unsigned status, struct bytes body,
                       struct instant now);
// After each turn: wakes those who are told of what it committed. False: nobody is.
bool api_told(struct api *api);
// Ends duplicates that waited too long; once a second. Sweeps stored answers and tokens.
void api_tick(struct api *api, struct api_now now);
