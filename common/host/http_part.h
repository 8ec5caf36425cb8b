// What the parts of the HTTP server share. For common/host alone.
#pragma once

#include "common/host/http.h"

#include <microhttpd.h>
#include <sys/queue.h>

// What a connection is waited for. Each has one time, so who began to wait first is due first.
enum wait {
    WAIT_HEADERS, // of its first request
    WAIT_REQUEST, // the headers of another one
    WAIT_BODY,    // HTTP_BODY_STEP more octets, or the end
    WAIT_LEFT,    // what was read before the other end shut its half
    WAITS,        // none of these
};

struct connection {
    struct http *http;
    struct MHD_Connection *mhd;
    LIST_ENTRY(connection) in_all;
    TAILQ_ENTRY(connection) in_row;
    struct http_request *request; // under way, or NULL
    enum wait wait;
    struct instant deadline;
    int fd;
    bool bad_target, long_target;
    bool has_asked; // at least one request came
    struct net_address peer;
    struct http_certificate certificate; // of the peer, once it has asked
    char *target; // as sent: the library decodes its own copy in place; NULL: no memory
};

struct http_request {
    struct connection *connection;
    const char *method, *path;
    uint8_t *body;
    size_t body_len, body_cap, body_max, received;
    size_t awaited; // what must have been received before the deadline moves
    bool (*sink)(void *context, struct http_request *r, struct bytes piece);
    void *sink_context;
    long (*pull)(void *context, struct http_request *r, uint8_t *to, size_t len);
    void *user;
    unsigned status; // 0 = no reply yet
    struct MHD_Response *response;
    bool completed, suspended, too_long, streaming;
    bool lost; // its answer, for want of memory
};

struct http {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct http_limits limits;
    struct http_handler handler;
    void *context;
    LIST_HEAD(all, connection) connections;
    TAILQ_HEAD(row, connection) rows[WAITS];
    uint64_t wait_ms[WAITS];
    struct loop_watch watch; // libmicrohttpd's epoll descriptor
    struct loop_timer timer; // libmicrohttpd's own, and deadlines of connections
    struct loop_turn_end turn_end;
    bool run_wanted; // an answer waits to be sent
    bool is_closing;
};

// What a request gets that no handler sees, or sees no more; `is_tls`: it came over TLS. NULL: no
// memory.
struct MHD_Response *http_refusal(unsigned status, bool is_tls);
