// F2: any octets from the peer, in any pieces. The events and the answers are those of the same
// octets in one piece, and nothing goes over its limits.
#include "common/base/check.h"
#include "tests/unit/smpp/end.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FNV_START 0xCBF29CE484222325u
#define FNV_PRIME 0x100000001B3u

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * FNV_PRIME;
}

static uint64_t mix_octets(uint64_t hash, struct bytes octets)
{
    for (size_t i = 0; i < octets.len; i++)
        hash = mix(hash, octets.at[i]);
    return hash;
}

struct story {
    struct end end;
    uint64_t events;
    uint64_t answers;
    bool closed;
};

static void take_output(struct story *s)
{
    const struct bytes out = smpp_session_output(&s->end.session);
    s->answers = mix_octets(s->answers, out);
    smpp_session_written(&s->end.session, out.len);
}

static void take_events(struct story *s)
{
    struct smpp_session *session = &s->end.session;
    while (end_next(&s->end)) {
        const struct smpp_event *event = &s->end.event;
        check(!s->closed);
        s->events = mix(s->events, event->type);
        check(smpp_session_in_flight(session) <= END_PLACES);
        if (event->type == SMPP_EVENT_RESPONSE || event->type == SMPP_EVENT_UNKNOWN)
            s->events = mix(s->events, event->tag);
        if (event->type == SMPP_EVENT_BIND)
            check(smpp_session_answer_bind(session, 0, bytes_of_text("s")) == SMPP_SEND_OK);
        if (event->type == SMPP_EVENT_REQUEST) {
            s->events = mix(mix(s->events, event->pdu.command), event->pdu.sequence);
            check(smpp_session_accept(session, event->handle, 0, bytes_of_text("1")) ==
                  SMPP_SEND_OK);
        }
        s->closed = event->type == SMPP_EVENT_CLOSED;
        take_output(s);
    }
    take_output(s);
}

static void tell(struct story *s, bool bound, struct bytes octets, size_t piece)
{
    static struct end esme;
    const struct smpp_pdu deliver = {.command = SMPP_DELIVER_SM};
    end_init(&s->end, SMPP_SMSC, END_PLACES);
    end_init(&esme, SMPP_ESME, END_PLACES);
    if (bound)
        check(end_bound(&s->end, &esme, SMPP_TRX));
    for (uint64_t tag = 0; bound && tag < 3; tag++)
        check(smpp_session_request(&s->end.session, &deliver, tag) == SMPP_SEND_OK);
    while (octets.len > 0 && !s->closed) {
        const size_t taken = smpp_session_receive(&s->end.session, bytes_slice(octets, 0, piece));
        check(taken > 0);
        octets = bytes_slice(octets, taken, octets.len);
        take_events(s);
    }
    end_at(&s->end, 3600000);
    take_events(s);
    end_at(&s->end, 7200000);
    take_events(s);
    end_at(&s->end, 10800000);
    take_events(s);
    check(s->closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct story whole, cut;
    if (len < 2)
        return 0;
    whole.events = cut.events = whole.answers = cut.answers = FNV_START;
    whole.closed = cut.closed = false;
    const struct bytes octets = bytes_of(data + 2, len - 2);
    const bool bound = (data[0] & 1) != 0;
    tell(&whole, bound, octets, SIZE_MAX);
    tell(&cut, bound, octets, 1 + data[1] % 40);
    check(whole.events == cut.events);
    check(whole.answers == cut.answers);
    return 0;
}
