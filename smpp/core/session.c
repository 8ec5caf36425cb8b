#include "smpp/core/session.h"

#include "common/base/check.h"

#define NONE UINT16_MAX // end of the free places among the owed
#define REPLY_ROOM 48   // octets of output that our own answers to one PDU may take
#define VERSION_34 0x34 // from here on TLVs exist [SMPP 3.4 §2.9]
#define MISSES_MAX 2
#define SLOT_BITS 10 // of a handle: the place among the owed
#define OUTPUT_MIN 512

_Static_assert(SMPP_OWED_MAX <= 1 << SLOT_BITS, "a handle has room for the place");

static uint32_t or_default(uint32_t ms, uint32_t usual)
{
    return ms != 0 ? ms : usual;
}

void smpp_session_init(struct smpp_session *s, const struct smpp_session_config *config,
                       struct instant now)
{
    check(config->owed_size >= 1 && config->owed_size <= SMPP_OWED_MAX);
    check(config->output_size >= OUTPUT_MIN);
    *s = (struct smpp_session){.state = SMPP_STATE_OPEN,
                               .bound_as = SMPP_UNBOUND,
                               .peer_version = VERSION_34,
                               .config = *config,
                               .output = writer_of(config->output, config->output_size),
                               .now = now,
                               .pdu_due = INSTANT_NEVER,
                               .enquire_due = INSTANT_NEVER};
    struct smpp_session_config *c = &s->config;
    c->pdu_len_max = c->pdu_len_max != 0 ? c->pdu_len_max : SMPP_PDU_LEN_MAX;
    c->bind_ms = or_default(c->bind_ms, 10000);
    c->pdu_ms = or_default(c->pdu_ms, 10000);
    c->enquire_ms = or_default(c->enquire_ms, 30000);
    c->response_ms = or_default(c->response_ms, 30000);
    c->unbind_ms = or_default(c->unbind_ms, 10000);
    s->state_due = instant_after(now, c->bind_ms);
    smpp_frame_init(&s->frame, c->input, c->input_size, c->pdu_len_max);
    smpp_window_init(&s->window, c->window, c->window_size);
    for (size_t i = 0; i < c->owed_size; i++) {
        c->owed[i].stamp = 0;
        c->owed[i].next_free = i + 1 < c->owed_size ? (uint32_t)i + 1 : NONE;
    }
}

static void close_session(struct smpp_session *s, enum smpp_close reason, uint32_t status)
{
    if (s->state == SMPP_STATE_CLOSED)
        return;
    s->state = SMPP_STATE_CLOSED;
    s->close_reason = reason;
    s->close_status = status;
}

void smpp_session_disconnected(struct smpp_session *s)
{
    close_session(s, SMPP_CLOSE_DISCONNECTED, ESME_ROK);
}

// Output

struct bytes smpp_session_output(const struct smpp_session *s)
{
    return bytes_of(s->output.at + s->output_start, s->output.len - s->output_start);
}

void smpp_session_written(struct smpp_session *s, size_t len)
{
    check(len <= s->output.len - s->output_start);
    s->output_start += len;
    if (s->output_start == s->output.len) {
        s->output_start = 0;
        s->output.len = 0;
    }
}

// The output, with what was written moved out of the way when less than `len` is free.
static struct writer *output_for(struct smpp_session *s, size_t len)
{
    if (s->output_start > 0 && writer_room(&s->output) < len) {
        s->output.len -= s->output_start;
        memmove(s->output.at, s->output.at + s->output_start, s->output.len);
        s->output_start = 0;
    }
    return &s->output;
}

static bool is_hot(uint32_t command)
{
    const uint32_t request = command & ~SMPP_RESPONSE;
    return request == SMPP_SUBMIT_SM || request == SMPP_DELIVER_SM || request == SMPP_ENQUIRE_LINK;
}

static enum smpp_send write_pdu(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    struct writer *output = output_for(s, s->config.pdu_len_max);
    const size_t before = output->len;
    const struct smpp_codec *codec = is_hot(pdu->command) ? NULL : s->config.codec;
    const enum smpp_write result =
        codec != NULL ? codec->write(output, pdu) : smpp_pdu_write(output, pdu);
    switch (result) {
    case SMPP_WRITE_FULL:
        return SMPP_SEND_OUTPUT_FULL;
    case SMPP_WRITE_INVALID:
        return SMPP_SEND_INVALID;
    case SMPP_WRITE_OK:
        break;
    }
    if (output->len - before > s->config.pdu_len_max) {
        output->len = before;
        return SMPP_SEND_INVALID;
    }
    s->counts.pdus_out++;
    return SMPP_SEND_OK;
}

// Our own short PDUs. Before each PDU of the peer there is room for the answer to it; when there is
// none for an enquire_link or unbind of ours, the peer does not read and its time-out says so.
static void send_header(struct smpp_session *s, uint32_t command, uint32_t status,
                        uint32_t sequence)
{
    if (smpp_header_write(output_for(s, REPLY_ROOM), command, status, sequence) == SMPP_WRITE_OK)
        s->counts.pdus_out++;
}

static void refuse(struct smpp_session *s, const struct smpp_pdu *pdu, uint32_t status)
{
    s->counts.refused++;
    send_header(s, pdu->command | SMPP_RESPONSE, status, pdu->sequence);
}

static uint32_t next_sequence(struct smpp_session *s)
{
    if (s->sequence == SMPP_SEQUENCE_MAX) {
        s->sequence = 0;
        s->sequence_wrapped = true;
    }
    return ++s->sequence;
}

// States

static void set_state(struct smpp_session *s, enum smpp_session_state state, struct instant due)
{
    s->state = state;
    s->state_due = due;
}

static void become_bound(struct smpp_session *s)
{
    set_state(s, SMPP_STATE_BOUND, INSTANT_NEVER);
    s->bound_as = s->control_command == SMPP_BIND_TRANSMITTER ? SMPP_TX
                  : s->control_command == SMPP_BIND_RECEIVER  ? SMPP_RX
                                                              : SMPP_TRX;
    s->control_sequence = 0;
    s->enquire_due = instant_after(s->now, s->config.enquire_ms);
}

static void send_unbind(struct smpp_session *s)
{
    set_state(s, SMPP_STATE_UNBINDING, instant_after(s->now, s->config.unbind_ms));
    s->control_sequence = next_sequence(s);
    send_header(s, SMPP_UNBIND, ESME_ROK, s->control_sequence);
}

static void answer_unbind(struct smpp_session *s)
{
    send_header(s, SMPP_UNBIND_RESP, ESME_ROK, s->control_sequence);
    close_session(s, SMPP_CLOSE_UNBOUND, ESME_ROK);
}

// What an unbind waits for may have happened.
static void advance(struct smpp_session *s)
{
    if (s->state == SMPP_STATE_DRAINING && s->window.used == 0 && s->owed_used == 0)
        send_unbind(s);
    if (s->state == SMPP_STATE_PEER_UNBIND && s->owed_used == 0)
        answer_unbind(s);
}

void smpp_session_unbind(struct smpp_session *s)
{
    if (s->state == SMPP_STATE_OPEN || s->state == SMPP_STATE_BINDING)
        close_session(s, SMPP_CLOSE_UNBOUND, ESME_ROK);
    if (s->state != SMPP_STATE_BOUND)
        return;
    set_state(s, SMPP_STATE_DRAINING, instant_after(s->now, s->config.unbind_ms));
    advance(s);
}

// Time

// Reading waits for the caller's answers or for the socket: silence is then not the peer's.
static bool is_blocked(const struct smpp_session *s)
{
    return s->owed_used == s->config.owed_size ||
           writer_room(&s->output) + s->output_start < REPLY_ROOM;
}

static void state_is_due(struct smpp_session *s)
{
    switch (s->state) {
    case SMPP_STATE_OPEN:
    case SMPP_STATE_BINDING:
        close_session(s, SMPP_CLOSE_BIND_TIMEOUT, ESME_ROK);
        break;
    case SMPP_STATE_DRAINING:
        send_unbind(s);
        break;
    case SMPP_STATE_PEER_UNBIND:
        answer_unbind(s);
        break;
    case SMPP_STATE_UNBINDING:
        close_session(s, SMPP_CLOSE_UNBOUND, ESME_ROK);
        break;
    case SMPP_STATE_BOUND:
    case SMPP_STATE_CLOSED:
        break;
    }
}

static void enquire_is_due(struct smpp_session *s)
{
    s->enquire_due = instant_after(s->now, s->config.enquire_ms);
    if (is_blocked(s))
        return;
    if (s->enquire_sequence != 0)
        s->misses++;
    if (s->misses == MISSES_MAX) {
        close_session(s, SMPP_CLOSE_SILENT, ESME_ROK);
        return;
    }
    s->enquire_sequence = next_sequence(s);
    send_header(s, SMPP_ENQUIRE_LINK, ESME_ROK, s->enquire_sequence);
}

void smpp_session_tick(struct smpp_session *s, struct instant now)
{
    s->now = now;
    if (s->state != SMPP_STATE_CLOSED && instant_is_due(s->pdu_due, now) && !is_blocked(s))
        close_session(s, SMPP_CLOSE_PDU_TIMEOUT, ESME_ROK);
    if (s->state != SMPP_STATE_CLOSED && instant_is_due(s->state_due, now))
        state_is_due(s);
    if (s->state != SMPP_STATE_CLOSED && instant_is_due(s->enquire_due, now))
        enquire_is_due(s);
}

struct instant smpp_session_deadline(const struct smpp_session *s)
{
    if (s->state == SMPP_STATE_CLOSED)
        return s->close_told ? INSTANT_NEVER : s->now;
    struct instant due = instant_earlier(s->state_due, s->enquire_due);
    const struct smpp_pending *oldest = smpp_window_oldest(&s->window);
    if (oldest != NULL)
        due = instant_earlier(due, oldest->due);
    if (is_blocked(s))
        return due;
    struct bytes pdu;
    if (smpp_frame_peek(&s->frame, &pdu) != SMPP_FRAME_MORE)
        return s->now;
    return instant_earlier(due, s->pdu_due);
}

// Input

struct writer smpp_session_room(struct smpp_session *s)
{
    if (s->state == SMPP_STATE_CLOSED || is_blocked(s))
        return writer_of(NULL, 0);
    return smpp_frame_room(&s->frame);
}

void smpp_session_received(struct smpp_session *s, size_t len)
{
    smpp_frame_filled(&s->frame, len);
}

size_t smpp_session_receive(struct smpp_session *s, struct bytes octets)
{
    const struct writer room = smpp_session_room(s);
    const size_t len = octets.len < room.cap ? octets.len : room.cap;
    if (len == 0)
        return 0;
    memcpy(room.at, octets.at, len);
    smpp_session_received(s, len);
    return len;
}

static enum smpp_role other_role(enum smpp_role role)
{
    return role == SMPP_ESME ? SMPP_SMSC : SMPP_ESME;
}

static bool take_bind(struct smpp_session *s, struct smpp_event *event)
{
    if (s->config.role == SMPP_ESME) {
        refuse(s, &event->pdu, ESME_RINVBNDSTS);
        return false;
    }
    set_state(s, SMPP_STATE_BINDING, INSTANT_NEVER);
    s->control_command = event->pdu.command;
    s->control_sequence = event->pdu.sequence;
    s->peer_version = event->pdu.bind.interface_version;
    event->type = SMPP_EVENT_BIND;
    return true;
}

static bool take_work(struct smpp_session *s, struct smpp_event *event)
{
    if (!smpp_may_send(other_role(s->config.role), s->bound_as, event->pdu.command)) {
        refuse(s, &event->pdu, ESME_RINVBNDSTS);
        return false;
    }
    const uint32_t slot = s->owed_free;
    struct smpp_owed *owed = &s->config.owed[slot];
    s->owed_free = (uint16_t)owed->next_free;
    s->owed_used++;
    s->handed_out++;
    if (s->handed_out << SLOT_BITS == 0)
        s->handed_out = 1; // a stamp is never 0
    owed->stamp = s->handed_out << SLOT_BITS | slot;
    owed->sequence = event->pdu.sequence;
    owed->command = event->pdu.command;
    event->type = SMPP_EVENT_REQUEST;
    event->handle = (uint64_t)s->config.connection << 32 | owed->stamp;
    return true;
}

// alert_notification needs a bind for receiving; outbind comes before any bind, to an ESME.
static bool take_notice(struct smpp_session *s, struct smpp_event *event)
{
    const bool in_place =
        event->pdu.command == SMPP_OUTBIND
            ? s->config.role == SMPP_ESME && s->state == SMPP_STATE_OPEN
            : smpp_may_send(other_role(s->config.role), s->bound_as, event->pdu.command);
    event->type = SMPP_EVENT_NOTICE;
    if (!in_place)
        s->counts.refused++;
    return in_place;
}

static bool take_request(struct smpp_session *s, struct smpp_event *event)
{
    const struct smpp_pdu *pdu = &event->pdu;
    switch (smpp_action_for(s->state, pdu->command)) {
    case SMPP_TAKE_BIND:
        return take_bind(s, event);
    case SMPP_TAKE_WORK:
        return take_work(s, event);
    case SMPP_TAKE_NOTICE:
        return take_notice(s, event);
    case SMPP_TAKE_UNBIND:
        set_state(s, SMPP_STATE_PEER_UNBIND, instant_after(s->now, s->config.unbind_ms));
        s->control_sequence = pdu->sequence;
        advance(s);
        return false;
    case SMPP_REPLY:
        send_header(s, pdu->command | SMPP_RESPONSE, ESME_ROK, pdu->sequence);
        return false;
    case SMPP_NOT_NOW:
        refuse(s, pdu, ESME_RINVBNDSTS);
        return false;
    case SMPP_BOUND_ALREADY:
        refuse(s, pdu, ESME_RALYBND);
        return false;
    case SMPP_SKIP:
        s->counts.refused++;
        return false;
    }
    return false;
}

static bool take_bind_response(struct smpp_session *s, struct smpp_event *event)
{
    s->control_sequence = 0;
    if (event->pdu.status != ESME_ROK || event->pdu.command == SMPP_GENERIC_NACK) {
        close_session(s, SMPP_CLOSE_REFUSED, event->pdu.status);
        return false;
    }
    uint32_t version = VERSION_34;
    (void)smpp_tlv_find_integer(event->pdu.tlvs, SMPP_TLV_SC_INTERFACE_VERSION, &version);
    s->peer_version = (uint8_t)version;
    become_bound(s);
    event->type = SMPP_EVENT_BOUND;
    return true;
}

// A response to our bind, unbind or enquire_link. Some SMSCs answer one kind of bind with the
// response of another, so any will do.
static bool is_control_response(const struct smpp_session *s, const struct smpp_pdu *pdu)
{
    const uint32_t request = pdu->command & ~SMPP_RESPONSE;
    const bool nack = pdu->command == SMPP_GENERIC_NACK;
    if (pdu->sequence == s->enquire_sequence && s->enquire_sequence != 0)
        return nack || request == SMPP_ENQUIRE_LINK;
    if (pdu->sequence != s->control_sequence || s->control_sequence == 0)
        return false;
    if (s->state == SMPP_STATE_BINDING && s->config.role == SMPP_ESME)
        return nack || smpp_command_is_bind(request);
    return s->state == SMPP_STATE_UNBINDING && (nack || request == SMPP_UNBIND);
}

static bool take_control_response(struct smpp_session *s, struct smpp_event *event)
{
    if (event->pdu.sequence == s->enquire_sequence) {
        s->enquire_sequence = 0;
        return false;
    }
    if (s->state == SMPP_STATE_BINDING)
        return take_bind_response(s, event);
    close_session(s, SMPP_CLOSE_UNBOUND, ESME_ROK);
    return false;
}

static bool take_response(struct smpp_session *s, struct smpp_event *event)
{
    const struct smpp_pdu *pdu = &event->pdu;
    struct smpp_pending *pending = smpp_window_find(&s->window, pdu->sequence);
    const bool ours = pending != NULL && (pdu->command == (pending->command | SMPP_RESPONSE) ||
                                          pdu->command == SMPP_GENERIC_NACK);
    if (ours) {
        event->type = SMPP_EVENT_RESPONSE;
        event->tag = pending->tag;
        smpp_window_remove(&s->window, pending);
        if (smpp_status_is_throttle(pdu->status))
            s->counts.throttled++;
        advance(s);
        return true;
    }
    if (is_control_response(s, pdu))
        return take_control_response(s, event);
    const bool sent_once = pdu->sequence <= s->sequence || s->sequence_wrapped;
    if (pdu->sequence != 0 && pdu->sequence <= SMPP_SEQUENCE_MAX && sent_once)
        s->counts.responses_late++;
    else
        s->counts.responses_unasked++;
    return false;
}

// What cannot be read: a response still counts for its status, a request is answered with why.
static bool take_unreadable(struct smpp_session *s, struct smpp_event *event,
                            enum smpp_status status)
{
    struct smpp_pdu *pdu = &event->pdu;
    if ((pdu->command & SMPP_RESPONSE) != 0) {
        s->counts.responses_malformed++;
        *pdu = (struct smpp_pdu){
            .command = pdu->command, .status = pdu->status, .sequence = pdu->sequence};
        return take_response(s, event);
    }
    if (status == ESME_RINVCMDID) {
        s->counts.refused++;
        send_header(s, SMPP_GENERIC_NACK, status, pdu->sequence);
    } else if (pdu->command == SMPP_ALERT_NOTIFICATION || pdu->command == SMPP_OUTBIND) {
        s->counts.refused++;
    } else {
        const bool not_now = smpp_action_for(s->state, pdu->command) == SMPP_NOT_NOW;
        refuse(s, pdu, not_now ? ESME_RINVBNDSTS : status);
    }
    return false;
}

// One PDU of the peer; true when it makes an event.
static bool take_pdu(struct smpp_session *s, struct bytes octets, struct smpp_event *event)
{
    s->counts.pdus_in++;
    s->pdu_due = INSTANT_NEVER;
    s->misses = 0;
    if (s->bound_as != SMPP_UNBOUND)
        s->enquire_due = instant_after(s->now, s->config.enquire_ms);
    const uint32_t command = (uint32_t)octets.at[4] << 24 | (uint32_t)octets.at[5] << 16 |
                             (uint32_t)octets.at[6] << 8 | octets.at[7];
    const struct smpp_codec *codec = is_hot(command) ? NULL : s->config.codec;
    const enum smpp_status status =
        codec != NULL ? codec->read(octets, &event->pdu) : smpp_pdu_read(octets, &event->pdu);
    if (status != ESME_ROK)
        return take_unreadable(s, event, status);
    return (command & SMPP_RESPONSE) != 0 ? take_response(s, event) : take_request(s, event);
}

// The oldest request of ours has no outcome and gets none.
static bool give_up_oldest(struct smpp_session *s, struct smpp_event *event)
{
    struct smpp_pending *oldest = smpp_window_oldest(&s->window);
    event->type = SMPP_EVENT_UNKNOWN;
    event->tag = oldest->tag;
    smpp_window_remove(&s->window, oldest);
    advance(s);
    return true;
}

static bool next_when_idle(struct smpp_session *s, struct smpp_event *event)
{
    const struct smpp_pending *oldest = smpp_window_oldest(&s->window);
    if (oldest == NULL || !instant_is_due(oldest->due, s->now))
        return false;
    s->counts.timed_out++;
    return give_up_oldest(s, event);
}

static bool next_when_closed(struct smpp_session *s, struct smpp_event *event)
{
    if (s->window.used > 0)
        return give_up_oldest(s, event);
    if (s->close_told)
        return false;
    s->close_told = true;
    event->type = SMPP_EVENT_CLOSED;
    event->reason = s->close_reason;
    event->status = s->close_status;
    return true;
}

bool smpp_session_next(struct smpp_session *s, struct smpp_event *event)
{
    while (s->state != SMPP_STATE_CLOSED) {
        if (is_blocked(s))
            return next_when_idle(s, event);
        struct bytes octets;
        switch (smpp_frame_next(&s->frame, &octets)) {
        case SMPP_FRAME_OK:
            if (take_pdu(s, octets, event))
                return true;
            break;
        case SMPP_FRAME_MORE:
            if (smpp_frame_waiting(&s->frame) > 0 && s->pdu_due.ms == INSTANT_NEVER.ms)
                s->pdu_due = instant_after(s->now, s->config.pdu_ms);
            return next_when_idle(s, event);
        case SMPP_FRAME_LOST:
            s->counts.refused++;
            send_header(s, SMPP_GENERIC_NACK, ESME_RINVCMDLEN, 0);
            close_session(s, SMPP_CLOSE_FRAMING, ESME_ROK);
            break;
        }
    }
    return next_when_closed(s, event);
}

// Sending

enum smpp_send smpp_session_bind(struct smpp_session *s, enum smpp_bind_type type,
                                 const struct smpp_bind *bind)
{
    static const uint32_t commands[] = {[SMPP_TX] = SMPP_BIND_TRANSMITTER,
                                        [SMPP_RX] = SMPP_BIND_RECEIVER,
                                        [SMPP_TRX] = SMPP_BIND_TRANSCEIVER};
    check(type != SMPP_UNBOUND);
    if (s->config.role != SMPP_ESME || s->state != SMPP_STATE_OPEN)
        return SMPP_SEND_NOT_BOUND;
    const struct smpp_pdu pdu = {
        .command = commands[type], .sequence = next_sequence(s), .bind = *bind};
    const enum smpp_send result = write_pdu(s, &pdu);
    if (result != SMPP_SEND_OK)
        return result;
    s->control_command = pdu.command;
    s->control_sequence = pdu.sequence;
    set_state(s, SMPP_STATE_BINDING, instant_after(s->now, s->config.bind_ms));
    return SMPP_SEND_OK;
}

enum smpp_send smpp_session_answer_bind(struct smpp_session *s, uint32_t status,
                                        struct bytes system_id)
{
    if (s->config.role != SMPP_SMSC || s->state != SMPP_STATE_BINDING)
        return SMPP_SEND_STALE;
    struct smpp_pdu pdu = {.command = s->control_command | SMPP_RESPONSE,
                           .status = status,
                           .sequence = s->control_sequence};
    uint8_t block[5];
    struct writer tlvs = writer_of(block, sizeof block);
    if (status == ESME_ROK) {
        pdu.bind.system_id = system_id;
        smpp_tlv_write_u8(&tlvs, SMPP_TLV_SC_INTERFACE_VERSION, VERSION_34);
        if (s->peer_version >= VERSION_34)
            pdu.tlvs = writer_bytes(&tlvs);
    }
    const enum smpp_send result = write_pdu(s, &pdu);
    if (result != SMPP_SEND_OK)
        return result;
    if (status == ESME_ROK)
        become_bound(s);
    else
        close_session(s, SMPP_CLOSE_REFUSED, status);
    return SMPP_SEND_OK;
}

// A peer before 3.4 gets no TLVs [SMPP 3.4 §2.9]; a message that lives in one cannot be sent to it.
static enum smpp_send write_for_peer(struct smpp_session *s, const struct smpp_pdu *pdu)
{
    if (pdu->tlvs.len == 0 || s->peer_version >= VERSION_34)
        return write_pdu(s, pdu);
    struct bytes payload;
    if (smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_PAYLOAD, &payload))
        return SMPP_SEND_INVALID;
    struct smpp_pdu bare = *pdu;
    bare.tlvs = bytes_of(NULL, 0);
    return write_pdu(s, &bare);
}

enum smpp_send smpp_session_request(struct smpp_session *s, const struct smpp_pdu *request,
                                    uint64_t tag)
{
    if (s->state != SMPP_STATE_BOUND ||
        !smpp_may_send(s->config.role, s->bound_as, request->command))
        return SMPP_SEND_NOT_BOUND;
    const bool has_outcome = request->command != SMPP_ALERT_NOTIFICATION;
    if (has_outcome && s->window.used == s->window.size)
        return SMPP_SEND_WINDOW_FULL;
    const size_t waiting = smpp_session_output(s).len;
    const enum smpp_send result = write_for_peer(s, request);
    if (result != SMPP_SEND_OK)
        return result;
    // Only numbers whose place is free: one that waits long must not hold up the others.
    do
        (void)next_sequence(s);
    while (has_outcome && !smpp_window_is_free(&s->window, s->sequence));
    uint8_t *header = s->output.at + s->output_start + waiting;
    struct writer sequence = writer_of(header + 12, 4);
    writer_u32(&sequence, s->sequence);
    if (has_outcome)
        smpp_window_add(&s->window,
                        (struct smpp_pending){.tag = tag,
                                              .due = instant_after(s->now, s->config.response_ms),
                                              .sequence = s->sequence,
                                              .command = request->command});
    return SMPP_SEND_OK;
}

// The request that a handle stands for, or NULL when it is answered or of an earlier session.
static struct smpp_owed *owed_of(struct smpp_session *s, uint64_t handle)
{
    const uint32_t stamp = (uint32_t)handle;
    const uint32_t slot = stamp & ((1u << SLOT_BITS) - 1);
    if (s->state == SMPP_STATE_CLOSED || handle >> 32 != s->config.connection || stamp == 0 ||
        slot >= s->config.owed_size || s->config.owed[slot].stamp != stamp)
        return NULL;
    return &s->config.owed[slot];
}

static void owed_release(struct smpp_session *s, struct smpp_owed *owed)
{
    owed->stamp = 0;
    owed->next_free = s->owed_free;
    s->owed_free = (uint16_t)(owed - s->config.owed);
    s->owed_used--;
    advance(s);
}

void smpp_session_forget(struct smpp_session *s, uint64_t handle)
{
    struct smpp_owed *owed = owed_of(s, handle);
    if (owed != NULL)
        owed_release(s, owed);
}

enum smpp_send smpp_session_answer(struct smpp_session *s, uint64_t handle,
                                   const struct smpp_pdu *response)
{
    struct smpp_owed *owed = owed_of(s, handle);
    if (owed == NULL)
        return SMPP_SEND_STALE;
    struct smpp_pdu pdu = *response;
    pdu.command = owed->command | SMPP_RESPONSE;
    pdu.sequence = owed->sequence;
    const enum smpp_send result = write_for_peer(s, &pdu);
    if (result != SMPP_SEND_OK)
        return result;
    owed_release(s, owed);
    return SMPP_SEND_OK;
}

enum smpp_send smpp_session_accept(struct smpp_session *s, uint64_t handle, uint32_t status,
                                   struct bytes message_id)
{
    struct smpp_pdu pdu = {.status = status};
    if (status == ESME_ROK)
        pdu.id.message_id = message_id;
    return smpp_session_answer(s, handle, &pdu);
}
