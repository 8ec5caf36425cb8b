// An HTTP/1.1 server [RFC 9112] on the loop, over libmicrohttpd.
//
// Requests arrive whole: `begin` when the headers are there, `complete` when the body is. Answers
// are given at once or in a later turn: a change is answered after its commit. Framing is judged
// before any handler sees a request: two Content-Lengths, one together with Transfer-Encoding, a
// transfer coding other than chunked, not exactly one Host, or a field that goes on in another line
// are answered 400, and the connection is closed. What is refused here has the body of the APIs'
// errors. HEAD is answered like GET, without the body.
// With TLS: see http_tls.h. Never: HTTP/2, threads, trust in a name or length the peer sent.
#pragma once

#include "common/base/bytes.h"
#include "common/host/http_tls.h"
#include "common/host/loop.h"
#include "common/host/net.h"

#define HTTP_HEADER_COUNT_MAX 100
#define HTTP_HEADER_BLOCK_MAX 16384 // octets of names and values
#define HTTP_LINE_MAX 8192          // octets of method, target and version
#define HTTP_BODY_STEP 65536        // octets of a body that come within body_ms

struct http;
struct http_request; // lives from `begin` to the reply's end or `gone`

struct http_limits {
    unsigned connection_max;             // more wait in the system's queue
    unsigned connection_per_address_max; // more are closed at once; 0 = no such limit
    size_t body_max;                     // octets kept; http_body_max() changes it per request
    uint32_t header_ms;                  // from the connection, or the idle limit, to whole headers
    uint32_t idle_ms;                    // without an octet in either direction
    uint32_t body_ms;           // for each HTTP_BODY_STEP of a body, and for what is left of it
    const struct http_tls *tls; // NULL: plain; must outlive the listener
};

// 256 connections, 64 per address, 64 KiB, 5 s, 60 s, 30 s.
struct http_limits http_limits_default(void);

struct http_handler {
    // The headers are there. May reply at once (the body is then not read), set a body limit, or
    // set a sink. May be NULL.
    void (*begin)(void *context, struct http_request *r);
    // The body is there, and nothing was replied yet. Reply now or later, exactly once.
    void (*complete)(void *context, struct http_request *r);
    // Someone connected to a listener with TLS and left, or was left, before a request: no version
    // or cipher in common, or a certificate of ours that they did not believe. May be NULL.
    void (*refused)(void *context, const struct net_address *peer);
    // A request was refused with this status, which no handler gets to see. `peer` is NULL when the
    // library refused it by itself, which does not say whose it was. May be NULL.
    void (*misread)(void *context, const struct net_address *peer, unsigned status);
    // The connection ended before the reply was sent whole, or the body stopped coming. Forget the
    // request. Called for every request that was begun and not answered. May be NULL.
    void (*gone)(void *context, struct http_request *r);
};

// Listens and serves. `address` "127.0.0.1:0" lets the system choose; http_address() tells.
enum net_error http_open(struct loop *loop, const struct net_address *address,
                         const struct http_limits *limits, const struct http_handler *handler,
                         void *context, struct http **http) MUST_USE;
void http_address(const struct http *http, struct net_address *address);
// Ends every connection: what was answered and fits the socket is sent, nothing new is begun, and
// `gone` is called for those not answered.
void http_close(struct http *http);

const char *http_method(const struct http_request *r); // upper case, as sent
// The target as it was sent, percent-encoded, with its query: what signatures are made over.
const char *http_target(const struct http_request *r);
const char *http_path(const struct http_request *r); // percent-decoded, without the query
// The first field of that name, in any case; NULL when absent.
const char *http_header(const struct http_request *r, const char *name);
// How often the field was given: some must not come twice.
unsigned http_header_count(const struct http_request *r, const char *name);
// The percent-decoded value of the first query parameter; "" for one without a value, NULL when
// absent.
const char *http_query(const struct http_request *r, const char *name);
// Calls for each query parameter, in order; to refuse unknown ones.
void http_query_each(const struct http_request *r,
                     void (*each)(void *context, const char *name, const char *value),
                     void *context);
struct bytes http_body(const struct http_request *r); // empty when there is none, or a sink took it
void http_peer(const struct http_request *r, struct net_address *address);
// The certificate that the client showed.
const struct http_certificate *http_certificate(const struct http_request *r);

// The caller's own data of this request.
void http_set_user(struct http_request *r, void *user);
void *http_user(const struct http_request *r);

// In `begin` only: another limit than http_limits.body_max; a longer body is answered 413.
void http_body_max(struct http_request *r, size_t body_max);
// In `begin` only: the body is given in pieces instead of kept. A sink that answers false ends the
// connection. The body limit still holds.
void http_body_sink(struct http_request *r,
                    bool (*sink)(void *context, struct http_request *r, struct bytes piece),
                    void *context);

struct http_field {
    const char *name;
    const char *value;
};

// The answer: copied; sent when the loop turns. `type` is the Content-Type, or NULL for none.
void http_reply(struct http_request *r, unsigned status, const char *type,
                const struct http_field *fields, size_t field_count, struct bytes body);

#define HTTP_PULL_NOTHING_YET 0
#define HTTP_PULL_END (-1)
#define HTTP_PULL_BROKEN                                                                           \
    (-2) // no end: the connection closes, and the peer sees that some is missing

// An answer that goes on (events, long reports), in chunks. `pull` writes at most `len` octets and
// answers how many; or HTTP_PULL_NOTHING_YET, and is asked again after http_wake(); or
// HTTP_PULL_END or HTTP_PULL_BROKEN. `gone` is called when the peer leaves first.
void http_stream(struct http_request *r, unsigned status, const char *type,
                 const struct http_field *fields, size_t field_count,
                 long (*pull)(void *context, struct http_request *r, uint8_t *to, size_t len));
void http_wake(struct http_request *r);
