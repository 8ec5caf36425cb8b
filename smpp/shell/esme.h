// One link to an SMSC, kept up: connects, binds, answers enquire_link, and comes back after a loss
// with growing pauses [SMPP 3.4 §2]. For programs that are ESMEs: the OTA server, the emulated
// network.
//
// Octets are written once a turn, at its end; open it after what commits and answers has added its
// own turn end. Requests can be sent in any callback and at any time.
//
// Promises: every request that esme_send() took ends as exactly one `response` or `unknown`; a
// request of the peer that was handed to `request` is answered when the caller says so. Never:
// blocks, queues a request that does not fit the window, logs a password or a message.
#pragma once

#include "common/host/log.h"
#include "common/host/loop.h"
#include "common/host/net.h"
#include "smpp/core/session.h"

struct esme;

struct esme_handler {
    void (*bound)(void *context, struct esme *e); // may be NULL
    // The link is down; it is tried again by itself. What was in flight was told before. May be
    // NULL.
    void (*lost)(void *context, struct esme *e);
    // A request of the SMSC: esme_accept(), now or later. Views are good during the call.
    void (*request)(void *context, struct esme *e, const struct smpp_event *event);
    void (*response)(void *context, struct esme *e, uint64_t tag, const struct smpp_pdu *pdu);
    // No answer came in time, or the link went down before it.
    void (*unknown)(void *context, struct esme *e, uint64_t tag);
};

struct esme_config {
    const char *address; // HOST:PORT; a name is asked of the system at every connection
    const char *system_id;
    const char *password;
    const char *system_type;   // or ""
    const char *address_range; // or ""
    enum smpp_bind_type type;
    uint32_t window;      // 1 to SMPP_WINDOW_MAX
    uint32_t response_ms; // 0: 30,000
    uint32_t enquire_ms;  // silence until enquire_link; 0: 30,000
    uint64_t seed;        // for the jitter of the pauses
    struct tls *tls;      // NULL: plain; else it must outlive the link
    const char *tls_name; // whom to meet; "": the host of the address
};

// The texts of `config` must live as long as the link. Starts to connect at once. NULL when memory
// is missing.
struct esme *esme_open(struct loop *loop, struct net *net, const struct esme_config *config,
                       const struct esme_handler *handler, void *context, struct log *log) MUST_USE;
// Frees it. Only after net_close_all(), which ends the connection without callbacks.
void esme_close(struct esme *e);
// Lets open requests finish, unbinds, and does not come back; `lost` tells when it is done.
void esme_unbind(struct esme *e);

bool esme_is_bound(const struct esme *e);
// Requests that can be sent now; 0 when not bound.
size_t esme_room(const struct esme *e);
enum smpp_send esme_send(struct esme *e, const struct smpp_pdu *request, uint64_t tag) MUST_USE;
// Answers a request. A handle of a link that is gone is nothing to worry about: the peer asks
// again.
void esme_accept(struct esme *e, uint64_t handle, uint32_t status);
const struct smpp_counts *esme_counts(const struct esme *e);
const char *esme_address(const struct esme *e);
// How often it was bound.
uint32_t esme_times_bound(const struct esme *e);
