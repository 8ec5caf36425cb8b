// TCP on the loop, with TLS where it is asked for: listeners, and streams with a bounded output.
//
// What is written is gathered and sent with one system call at the turn's end. A full output
// refuses the octets (net_write answers false); the caller then waits for `drained`. Octets that
// come in are handed over at once and not kept: the handler must take all it is given, at most
// `read_max`, and can pause the stream. TCP_NODELAY is always on.
//
// `closed` is called exactly once for every stream that was opened or is being connected, at a
// turn's end, whoever ended it; the stream must not be used afterwards.
// Never: blocks, except net_resolve() for a name; allocates after open and listen and connect.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/host/loop.h"
#include "common/host/tls.h"

#include <sys/socket.h>

#define NET_ADDRESS_TEXT_SIZE 80 // "[v6 address%scope]:port" and a zero

enum net_error {
    NET_OK = 0,
    NET_BAD_ADDRESS, // not host:port, or a name nobody knows
    NET_IN_USE,
    NET_DENIED,
    NET_NO_RESOURCES, // descriptors or memory
    NET_FAILED,
};

// Why a stream ended.
enum net_end {
    NET_END_PEER, // an orderly end by the peer
    NET_END_OWN,  // net_close(), or net_finish() answered by the peer
    NET_END_RESET,
    NET_END_REFUSED,
    NET_END_UNREACHABLE,
    NET_END_TIMEOUT, // of the connection, or of TCP
    NET_END_TLS,     // it was refused, by us or by the peer: net_end_reason()
    NET_END_FAILED,
};

// For logs: a short constant word.
const char *net_error_name(enum net_error error);
const char *net_end_name(enum net_end end);

struct net_address {
    struct sockaddr_storage at;
    socklen_t len;
};

// Reads "127.0.0.1:2775", "[::1]:2775" or "name:2775". A name is asked of the system and may
// block: for the program's start only. The port 0 is allowed.
enum net_error net_resolve(const char *text, struct net_address *address) MUST_USE;
// Has the text that form? Whether the name is known is not asked.
bool net_is_host_port(const char *text);
// A listening socket, non-blocking; the caller's to close.
enum net_error net_bind(const struct net_address *address, int *fd) MUST_USE;
void net_address_format(const struct net_address *address, char text[NET_ADDRESS_TEXT_SIZE]);

struct net;
struct net_stream;
struct net_listener;

struct net_handler {
    // A connection was accepted, or one of ours is established; with TLS: and each side has what it
    // wants of the other. May be NULL.
    void (*opened)(void *context, struct net_stream *stream);
    void (*octets)(void *context, struct net_stream *stream, struct bytes octets);
    // The peer will send no more; answer with net_finish() or net_close(). NULL: what is in the
    // output is sent, then the stream closes.
    void (*ended)(void *context, struct net_stream *stream);
    // The output is empty again after a write was refused. May be NULL.
    void (*drained)(void *context, struct net_stream *stream);
    // Also for an accepted one that was never opened, because TLS was refused.
    void (*closed)(void *context, struct net_stream *stream, enum net_end end);
};

struct net_limits {
    size_t read_max;     // octets handed over at once, 1..65536
    size_t output_max;   // octets waiting to be sent, at least 1
    unsigned stream_max; // of a listener; above it connections are accepted and closed at once
    // Acknowledges what comes in at once: for a peer that sends a message in two pieces without
    // TCP_NODELAY, and waits for the acknowledgement of the first.
    bool is_prompt;
    struct tls *tls;      // NULL: plain. Must outlive the streams
    const char *tls_name; // whom a connection of ours must meet; copied
};

// One per loop. NULL when there is no memory. Its turn end comes after those added before: add the
// one that commits and answers first.
struct net *net_open(struct loop *loop) MUST_USE;
// Closes every stream and listener without calling back.
void net_close_all(struct net *net);

// Memory for stream_max streams is taken here. `context` is the handler's until net_set_context().
enum net_error net_listen(struct net *net, const struct net_address *address,
                          const struct net_limits *limits, const struct net_handler *handler,
                          void *context, struct net_listener **listener) MUST_USE;
// Where it really listens: the port that the system chose for 0.
void net_listener_address(const struct net_listener *listener, struct net_address *address);
// Connections refused because stream_max was reached.
uint64_t net_listener_refused(const struct net_listener *listener);
// Takes no new connections; those it has live on.
void net_listener_stop(struct net_listener *listener);

// Starts to connect. NULL only when descriptors or memory are missing; every other failure comes
// through `closed`, also an immediate one.
struct net_stream *net_connect(struct net *net, const struct net_address *address,
                               const struct net_limits *limits, uint32_t timeout_ms,
                               const struct net_handler *handler, void *context) MUST_USE;

void net_set_context(struct net_stream *stream, void *context);
// Of a closed stream, inside `closed`: why, in words for a log.
const char *net_end_reason(const struct net_stream *stream);
void net_peer(const struct net_stream *stream, struct net_address *address);
// All octets, or none and false: no room, or the stream is not open for writing.
bool net_write(struct net_stream *stream, struct bytes octets) MUST_USE;
size_t net_room(const struct net_stream *stream);
// Back-pressure: no `octets` until resumed.
void net_pause(struct net_stream *stream);
void net_resume(struct net_stream *stream);
// Sends what is in the output, then ends our direction; reading goes on until the peer ends too.
void net_finish(struct net_stream *stream);
// Ends both directions; what the system has not taken yet is lost.
void net_close(struct net_stream *stream);
