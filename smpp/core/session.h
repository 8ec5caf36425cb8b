// One SMPP session, either side: ESME (we bind) or SMSC (they bind). Octets, our PDUs and time go
// in; octets to write, events and the next deadline come out. [SMPP 3.4 §2, §3, §4]
//
// A turn of the loop, for each session:
//     smpp_session_tick(s, now);                       first, always: it is the turn's time
//     room = smpp_session_room(s);                     read the socket once, straight into room.at
//     smpp_session_received(s, len);
//     while (smpp_session_next(s, &event))             answer, request, remember
//         ...                                          (also in turns in which nothing was read)
//     write smpp_session_output(s) to the socket once; smpp_session_written(s, how_much);
//     sleep until smpp_session_deadline(s) or the socket is ready.
// Views in an event are good until the next call of room or receive.
//
// Promises: the same octets give the same events however they are cut; each request of ours ends as
// exactly one RESPONSE or one UNKNOWN (timed out, or in flight at the end); each request of the
// peer is answered at most once, and a request that was handed out only when the caller says so;
// CLOSED is the last event. A response frees a place of the window only when command and sequence
// number are those of a request that waits. Nothing grows: window, unanswered requests of the peer,
// input and output are the caller's memory; at the limit reading stops or sending says so. Never:
// allocates, asks a clock, logs; tells a password.
#pragma once

#include "common/base/time.h"
#include "smpp/core/frame.h"
#include "smpp/core/pdu.h"
#include "smpp/core/rules.h"
#include "smpp/core/window.h"

#define SMPP_OWED_MAX 1000 // requests of the peer that wait for our answer
#define SMPP_SYSTEM_ID_SIZE 16

// A request of the peer that waits for our answer.
struct smpp_owed { // private
    uint32_t sequence;
    uint32_t command;
    uint32_t stamp; // the low half of its handle; 0: free
    uint32_t next_free;
};

// How the PDUs other than submit_sm, deliver_sm, their responses and enquire_link are read and
// written; same contracts as smpp_pdu_read and smpp_pdu_write. See smpp/codec.
struct smpp_codec {
    enum smpp_status (*read)(struct bytes octets, struct smpp_pdu *pdu);
    enum smpp_write (*write)(struct writer *w, const struct smpp_pdu *pdu);
};

struct smpp_session_config {
    enum smpp_role role;
    uint32_t connection; // differs between connections that share memory: makes old handles stale
    const struct smpp_codec *codec; // NULL: our own codec for every PDU
    size_t pdu_len_max;             // 0: SMPP_PDU_LEN_MAX
    uint32_t bind_ms;               // connection to bind, bind to its response; 0: 10,000
    uint32_t pdu_ms;                // first to last octet of a PDU; 0: 10,000
    uint32_t enquire_ms;            // silence until enquire_link, and until a miss; 0: 30,000
    uint32_t response_ms;           // our request to its response; 0: 30,000
    uint32_t unbind_ms;             // for open requests, then for unbind_resp; 0: 10,000
    // The caller's memory. window: 1 to SMPP_WINDOW_MAX places. owed: 1 to SMPP_OWED_MAX.
    struct smpp_pending *window;
    size_t window_size;
    struct smpp_owed *owed;
    size_t owed_size;
    uint8_t *input; // at least pdu_len_max octets
    size_t input_size;
    uint8_t *output; // at least 512 octets; what does not fit is refused with SMPP_SEND_OUTPUT_FULL
    size_t output_size;
};

enum smpp_event_type {
    SMPP_EVENT_BIND,     // SMSC: `pdu` wants to bind: smpp_session_answer_bind
    SMPP_EVENT_BOUND,    // ESME: our bind was accepted; `pdu` is the response
    SMPP_EVENT_REQUEST,  // peer's submit_sm, deliver_sm, data_sm, ...: smpp_session_answer(handle)
    SMPP_EVENT_NOTICE,   // alert_notification, outbind: nothing to answer
    SMPP_EVENT_RESPONSE, // `pdu` answers our request `tag`; may be generic_nack; look at status
    SMPP_EVENT_UNKNOWN,  // our request `tag` has no known outcome: timed out or lost with the link
    SMPP_EVENT_CLOSED,   // the last one, with `reason`: write the output, close the connection
};

enum smpp_close {
    SMPP_CLOSE_NONE = 0,
    SMPP_CLOSE_UNBOUND,      // after unbind, by either side
    SMPP_CLOSE_REFUSED,      // the bind was refused, with `status`
    SMPP_CLOSE_BIND_TIMEOUT, // no bind, or no response to it, in time
    SMPP_CLOSE_PDU_TIMEOUT,  // a PDU began and did not end in time
    SMPP_CLOSE_SILENT,       // two enquire_link without an answer
    SMPP_CLOSE_FRAMING,      // command_length cannot be right
    SMPP_CLOSE_DISCONNECTED, // smpp_session_disconnected
};

struct smpp_event {
    enum smpp_event_type type;
    uint64_t tag;           // RESPONSE, UNKNOWN: as given with the request
    uint64_t handle;        // REQUEST
    uint32_t status;        // CLOSED by SMPP_CLOSE_REFUSED: the peer's status
    enum smpp_close reason; // CLOSED
    struct smpp_pdu pdu;    // BIND, BOUND, REQUEST, NOTICE, RESPONSE
};

// What happened and was not worth an event. Only grows.
struct smpp_counts {
    uint64_t pdus_in, pdus_out;
    uint64_t refused;             // requests answered with an error by the session itself
    uint64_t responses_late;      // to a request of ours that had its outcome already
    uint64_t responses_unasked;   // to nothing we sent
    uint64_t responses_malformed; // counted for their status; their body was unreadable
    uint64_t throttled;           // responses ESME_RTHROTTLED or ESME_RMSGQFUL
    uint64_t timed_out;
};

struct smpp_session {
    // Read only.
    enum smpp_session_state state;
    enum smpp_bind_type bound_as;
    uint8_t peer_version; // interface_version, or sc_interface_version; 0x34 if not told
    struct smpp_counts counts;
    // private from here
    struct smpp_session_config config;
    struct smpp_frame frame;
    struct smpp_window window;
    struct writer output;
    size_t output_start;
    struct instant now;
    struct instant state_due;   // of bind, drain, unbind
    struct instant pdu_due;     // of the unfinished PDU
    struct instant enquire_due; // when the next enquire_link goes, or the last one counts as missed
    uint32_t sequence;          // last one of ours
    bool sequence_wrapped;
    uint32_t enquire_sequence; // of the enquire_link that waits; 0: none
    uint32_t control_sequence; // of our bind or unbind that waits, of the peer's bind or unbind
    uint32_t control_command;
    uint32_t close_status;
    enum smpp_close close_reason;
    uint8_t misses;
    bool close_told;
    uint16_t owed_used, owed_free;
    uint32_t handed_out; // how many requests, for their handles
};
_Static_assert(sizeof(struct smpp_session) <= 448, "a session stays small: thousands are held");

// A new connection. `*config` is copied; the memory it names stays the caller's.
void smpp_session_init(struct smpp_session *s, const struct smpp_session_config *config,
                       struct instant now);
// Runs the time-outs; everything until the next tick happens at `now`.
void smpp_session_tick(struct smpp_session *s, struct instant now);
// When the next tick is due at the latest.
struct instant smpp_session_deadline(const struct smpp_session *s);

// Where to read to (`at`, `cap`). A cap of 0: do not read now (the caller owes answers, the output
// is full, or the session is closed). Ends the life of the views in earlier events.
struct writer smpp_session_room(struct smpp_session *s);
void smpp_session_received(struct smpp_session *s, size_t len);
// The same for octets that are elsewhere: copies as many as there is room for, says how many.
size_t smpp_session_receive(struct smpp_session *s, struct bytes octets) MUST_USE;
// The connection is gone.
void smpp_session_disconnected(struct smpp_session *s);
// The next event; false when there is none for now.
bool smpp_session_next(struct smpp_session *s, struct smpp_event *event) MUST_USE;

// What waits to be written; views good until the next call that sends.
struct bytes smpp_session_output(const struct smpp_session *s);
void smpp_session_written(struct smpp_session *s, size_t len);

enum smpp_send {
    SMPP_SEND_OK = 0,
    SMPP_SEND_WINDOW_FULL, // wait for a response
    SMPP_SEND_OUTPUT_FULL, // wait until the socket takes more
    SMPP_SEND_NOT_BOUND,   // not bound, not for this, or no longer
    SMPP_SEND_INVALID,     // the PDU cannot be written; for a peer before 3.4: its payload is a TLV
    SMPP_SEND_STALE,       // answers: the handle was answered already or is of an earlier session
};

// ESME: binds. `type` is not SMPP_UNBOUND.
enum smpp_send smpp_session_bind(struct smpp_session *s, enum smpp_bind_type type,
                                 const struct smpp_bind *bind) MUST_USE;
// SMSC: answers the bind. With another status than ESME_ROK the session closes.
enum smpp_send smpp_session_answer_bind(struct smpp_session *s, uint32_t status,
                                        struct bytes system_id) MUST_USE;
// Sends a request; the session gives it its sequence number. `tag` comes back with its outcome.
// alert_notification has no outcome. To a peer before 3.4 TLVs are not sent.
enum smpp_send smpp_session_request(struct smpp_session *s, const struct smpp_pdu *request,
                                    uint64_t tag) MUST_USE;
// Answers a REQUEST event: `response` brings status and body, the session the rest.
enum smpp_send smpp_session_answer(struct smpp_session *s, uint64_t handle,
                                   const struct smpp_pdu *response) MUST_USE;
// As smpp_session_answer for the answer that is nearly always right: status and message_id.
enum smpp_send smpp_session_accept(struct smpp_session *s, uint64_t handle, uint32_t status,
                                   struct bytes message_id) MUST_USE;
// The request will never be answered: for simulators of peers that behave badly.
void smpp_session_forget(struct smpp_session *s, uint64_t handle);
// Lets the open requests finish, then unbinds; CLOSED follows. Before the bind it closes at once.
void smpp_session_unbind(struct smpp_session *s);

// Requests of ours that wait for a response; free places of the window.
static inline size_t smpp_session_in_flight(const struct smpp_session *s)
{
    return s->window.used;
}

static inline size_t smpp_session_free(const struct smpp_session *s)
{
    return (size_t)s->window.size - s->window.used;
}
