// The API on HTTP: one request is one exchange of service/api.h. Small bodies are kept; an upload
// goes to a file of its own in the data folder, with its SHA-256, and the file is removed when the
// exchange is done unless the handler took it away.
//
// Promises: an exchange lives until it is answered, also when its client has gone; the number of
// exchanges in work is bounded, above it the answer is 503. Never: reads a body that the route does
// not take.
#pragma once

#include "common/host/http.h"
#include "common/host/ip.h"
#include "common/host/log.h"
#include "ota-server/service/api.h"

struct front;

struct front_options {
    struct loop *loop;
    const char *listen;       // HOST:PORT
    const char *plain_listen; // likewise in the clear, beside the one with TLS; NULL: none
    struct api *api;
    // Gateways: what they say in X-Forwarded-For about the client is believed.
    const struct ip_network *proxies;
    size_t proxy_count;
    bool takes_certificates;           // and in Client-Cert, of its certificate
    const struct ip_network *watchers; // who reads /metrics without credentials
    size_t watcher_count;
    const struct http_tls *tls; // NULL: plain HTTP
    struct log *log;            // needed with TLS
    const char *upload_dir;     // where uploads are kept while they are judged
    unsigned connections;       // of each listener, at once, as many exchanges too; 0: those of
                                // http_limits_default()
    unsigned connections_per_address; // 0: likewise
    // The API's time: the server's clock, which a laboratory may run faster.
    struct utc (*utc)(void *context);
    void *utc_context;
};

// A connection is an open file, and a system often allows 1024 until a program asks for more: asks.
// False, with what to do, when it does not get as many.
#define FRONT_REASON_SIZE 128
bool front_files(unsigned connections, char reason[FRONT_REASON_SIZE]) MUST_USE;

// Add the turn end that commits before this, so that answers leave in the same turn.
enum net_error front_open(const struct front_options *options, struct front **front) MUST_USE;
void front_address(const struct front *f, char text[NET_ADDRESS_TEXT_SIZE]);
// Of the one in the clear beside it; false: there is none.
bool front_plain_address(const struct front *f, char text[NET_ADDRESS_TEXT_SIZE]);
// The end of a server that serves: as api_stop(), and then as front_close(). In this order, since
// what is in work needs its seat until the turns have answered it.
bool front_stop(struct front *f, bool is_clean, struct utc now);
// Ends every connection, and what is in work without an answer: no turn may run any more.
void front_close(struct front *f);
