// The outbox: packets that are durable become short messages on links, and what links say becomes
// events. It knows no socket: links are numbers behind a port, octets are SMPP PDUs as values.
//
// A turn of the loop:
//     outbox_tick(o, now);                    first: it is the turn's time
//     links tell what came                    outbox_response, _unknown, _request
//     turn_run()                              hands packets over through outbox_send()
//     outbox_step(o);                         last: gives parts to links, reports, gives up
//     sleep until outbox_deadline(o)
//
// Promises: of one card one packet is under way at a time, in the order of their ids; every packet
// ends as exactly one EVENT_SUBMIT, whose commit also takes it out of the store's outbox; a part
// without an answer is tried once more over another link, with the same octets, and then is
// unknown; a packet of which a part has left goes before those of which none has; links of a route
// share its packets by their weights, and when they fail the route's backup takes over, with the
// same octets; a link whose packets cards do not answer, while they do answer those of its
// neighbours, gets no more than a probe now and then [core/link_health.h]; automatic audits take no
// more than their share of the rate of a link and of a network, and stand in nobody's way, those of
// a network, group or route that takes none not in that of others; a deliver_sm is answered
// ESME_ROK only after what it brought is committed. Nothing grows: packets beyond the limit wait in
// the store, parts beyond theirs stay with the SMSC. Never: asks a clock; judges a packet; believes
// a receipt (it only informs decide()).
#pragma once

#include "common/wire/ident.h"
#include "ota-server/core/link_health.h"
#include "ota-server/service/turn.h"
#include "smpp/core/session.h"

#define OUTBOX_LINKS_MAX 16
#define OUTBOX_ROUTES_MAX 16
#define OUTBOX_PLMNS_MAX 64
#define OUTBOX_WEIGHT_MAX 100
#define OUTBOX_ADDRESS_SIZE 21
#define OUTBOX_AUDIT_PERCENT 10 // unless told otherwise

// Where links are reached. `link` counts from 0.
struct outbox_port {
    void *context;
    bool (*is_bound)(void *context, unsigned link);
    // Requests that the link takes now; 0 when it is not bound.
    size_t (*room)(void *context, unsigned link);
    // OK: it is on its way, and outbox_response() or outbox_unknown() follows with `tag`.
    enum smpp_send (*send)(void *context, unsigned link, const struct smpp_pdu *pdu, uint64_t tag);
    // Answers a request that outbox_request() was given.
    void (*answer)(void *context, unsigned link, uint64_t handle, uint32_t status);
};

// The server's time, in which packets are valid; in a laboratory it runs faster than the loop's.
struct outbox_clock {
    void *context;
    struct utc (*utc)(void *context, struct instant at);
    // When the loop reaches it; the present when that is past.
    struct instant (*instant_of)(void *context, struct utc at);
    uint32_t speed; // of its seconds, in which rates are counted; 0: as the loop's
};

struct outbox_link {
    const char *smsc; // its name: message ids are searched among links of the same SMSC
    bool sends;       // bound as transmitter or transceiver
    uint32_t rate;    // submit_sm per second, 1 to SMPP_RATE_MAX
    // Its share of the route's packets, to OUTBOX_WEIGHT_MAX. 0: only while no other link of the
    // route is up.
    uint8_t weight;
    uint8_t route; // that it belongs to: below route_count
};

// Links that reach the same cards.
struct outbox_route {
    const char *name;
    const char *numbers; // beginnings of the numbers that it serves, digits separated by blanks;
                         // the longest one decides. Route 0 serves all others.
    uint8_t backup;      // takes over while no link of this one is up; itself: none does
};

// Networks that take so many SMS a second, whichever links bring them.
struct outbox_plmns {
    struct outbox_plmn {
        char digits[PLMN_SIZE];
        uint32_t rate; // 1 to SMPP_RATE_MAX
    } at[OUTBOX_PLMNS_MAX];
    unsigned count;
};

struct outbox_options {
    struct turn *turn;
    struct outbox_port port;
    struct outbox_clock clock;
    struct outbox_link links[OUTBOX_LINKS_MAX]; // their texts must live as long as the outbox
    unsigned link_count;
    struct outbox_route routes[OUTBOX_ROUTES_MAX];
    unsigned route_count; // 0: one, route 0
    struct outbox_plmns plmns;
    char address[OUTBOX_ADDRESS_SIZE]; // of the server, as cards see it: digits, + allowed, or a
                                       // name
    uint8_t audit_percent; // of the rate of a link, and of a network, that automatic audits may
                           // take, 1 to 100; 0: as above
    uint32_t packets_max;  // held in memory; 0: 4096
    uint32_t joins_max;    // packets from cards of which parts are missing; 0: 4096
    uint32_t waits_max;    // deliver_sm and receipts that wait for a commit; 0: 2048
};

struct outbox;

// NULL when there is no memory.
struct outbox *outbox_open(const struct outbox_options *options, struct instant now) MUST_USE;
void outbox_close(struct outbox *o);

void outbox_tick(struct outbox *o, struct instant now);
// A turn_send_fn; `context` is the outbox.
void outbox_send(void *context, const struct message *message);
// A turn_hurry_fn: if it waits for the share of automatic audits, it waits no more.
void outbox_hurry(void *context, uint64_t card, uint64_t message);
void outbox_response(struct outbox *o, unsigned link, uint64_t tag, const struct smpp_pdu *pdu);
// No answer came in time, or the link went down before it.
void outbox_unknown(struct outbox *o, unsigned link, uint64_t tag);
// A request of the SMSC: deliver_sm, or another, which is refused. Views are used during the call.
void outbox_request(struct outbox *o, unsigned link, uint64_t handle, const struct smpp_pdu *pdu);
void outbox_step(struct outbox *o);
// When the next step is due without news of a link; not before the last tick.
struct instant outbox_deadline(const struct outbox *o);

// No more parts are given to links: what waits stays in the store.
void outbox_hold(struct outbox *o);
// Nothing is on its way and nothing waits for a commit.
bool outbox_is_idle(const struct outbox *o);
// Of no packet was a part on a link while the store still has it waiting: what waits there has
// never left. After a stop in another state nobody knows what a message centre took.
bool outbox_is_settled(const struct outbox *o);
// The rate of a link now, per second: it shrinks when the SMSC says so.
uint32_t outbox_rate(const struct outbox *o, unsigned link);

// A link is down; or it is bound but did not answer three parts in a row, and gets no more than
// one at a time every 30 s until it does, unless nobody else is left; or it accepts what it does
// not deliver, and gets a packet of one part every 30 s until it does, with the same exception; or
// it is up.
enum outbox_health {
    OUTBOX_LINK_DOWN,
    OUTBOX_LINK_SILENT,
    OUTBOX_LINK_SWALLOWING,
    OUTBOX_LINK_UP,
};
enum outbox_health outbox_health(const struct outbox *o, unsigned link);
// "bound", "swallowing", "silent", "down"
const char *outbox_health_name(enum outbox_health health);
// What the answers of cards say of it, whether it is up or not.
enum link_verdict outbox_verdict(const struct outbox *o, unsigned link);

struct outbox_link_counts {
    uint64_t sent;       // parts, repeated ones included
    uint64_t accepted;   //
    uint64_t refused;    // error answers of any kind
    uint64_t throttled;  // of these
    uint64_t unanswered; //
    uint32_t flying;     // now
};
struct outbox_link_counts outbox_link_counts(const struct outbox *o, unsigned link);

// Of a network with a rate, `plmn` counts from 0 as in the options.
struct outbox_plmn_counts {
    uint64_t sent;             // parts
    uint32_t sent_last_second; // the last one that is over, in the server's time
    uint32_t waiting;          // packets in memory of which a part is to leave
    bool has_more;             // automatic audits in the store wait for these
};
struct outbox_plmn_counts outbox_plmn_counts(const struct outbox *o, unsigned plmn);

struct outbox_counts {
    uint64_t packets;          // taken
    uint64_t parts_sent;       // submit_sm, repeated ones included
    uint64_t parts_accepted;   //
    uint64_t parts_repeated;   // over another link, without an answer to the first
    uint64_t parts_refused;    // error answers of any kind
    uint64_t throttled;        // of these: the link was asked to be slower
    uint64_t outcomes[6];      // by enum submit_outcome
    uint64_t receipts;         // that belong to a packet
    uint64_t receipts_unknown; // that belong to none, or say nothing
    uint64_t messages;         // whole packets of cards, given to the turn
    uint64_t parts_received;   // of packets in several parts
    uint64_t parts_duplicate;  //
    uint64_t parts_put_back;   // left with the SMSC for later
    uint64_t joins_given_up;   // parts were missing for too long: what came of it is in the store
    uint64_t no_packet;        // messages that are no secured packet: text, lost headers
    uint64_t overflows;        // packets left in the store because memory was full
    uint32_t packets_held;     // now
    uint32_t audits_held;      // of these: automatic ones
    uint32_t joins_held;       // now
};
struct outbox_counts outbox_counts(const struct outbox *o);
