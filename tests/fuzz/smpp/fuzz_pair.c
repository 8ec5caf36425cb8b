// F3: two sessions and a list of steps: requests and answers of both sides, pieces of the stream,
// time, unbind, disconnection, foreign octets. Each request of ours ends exactly once, each is
// handed out at most once, nothing goes over its limits.
#include "common/base/check.h"
#include "tests/unit/smpp/end.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TAGS 256

struct side {
    struct end end;
    uint64_t handles[END_PLACES];
    size_t handle_count;
    unsigned sent;     // requests of ours, by tag
    unsigned outcomes; // how many of them have ended
    uint8_t ended[TAGS];
    bool closed;
};

static void take_event(struct side *s)
{
    const struct smpp_event *event = &s->end.event;
    switch (event->type) {
    case SMPP_EVENT_BIND:
        check(smpp_session_answer_bind(&s->end.session, 0, bytes_of_text("s")) == SMPP_SEND_OK);
        break;
    case SMPP_EVENT_REQUEST:
        check(s->handle_count < END_PLACES);
        s->handles[s->handle_count++] = event->handle;
        break;
    case SMPP_EVENT_RESPONSE:
    case SMPP_EVENT_UNKNOWN:
        check(event->tag < s->sent && s->ended[event->tag] == 0);
        s->ended[event->tag] = 1;
        s->outcomes++;
        break;
    case SMPP_EVENT_CLOSED:
        s->closed = true;
        break;
    case SMPP_EVENT_BOUND:
    case SMPP_EVENT_NOTICE:
        break;
    }
}

static void take_events(struct side *s)
{
    while (end_next(&s->end)) {
        check(!s->closed);
        take_event(s);
    }
    check(s->sent - s->outcomes == smpp_session_in_flight(&s->end.session));
    check(smpp_session_in_flight(&s->end.session) <= END_PLACES);
}

static void send_one(struct side *s, uint32_t command)
{
    const struct smpp_pdu pdu = {.command = command};
    if (s->sent < TAGS && smpp_session_request(&s->end.session, &pdu, s->sent) == SMPP_SEND_OK)
        s->sent++;
}

static void answer_one(struct side *s, uint8_t which)
{
    if (s->handle_count == 0)
        return;
    const size_t i = which % s->handle_count;
    const enum smpp_send result =
        smpp_session_accept(&s->end.session, s->handles[i], which & 1 ? 0x58 : 0, bytes_of("1", 1));
    check(result == SMPP_SEND_OK || result == SMPP_SEND_OUTPUT_FULL ||
          (result == SMPP_SEND_STALE && s->end.session.state == SMPP_STATE_CLOSED));
    if (result != SMPP_SEND_OK)
        return;
    check(smpp_session_accept(&s->end.session, s->handles[i], 0, bytes_of("1", 1)) ==
          SMPP_SEND_STALE);
    s->handles[i] = s->handles[--s->handle_count];
}

static void carry(struct side *from, struct side *to, size_t most)
{
    const struct bytes out = bytes_slice(smpp_session_output(&from->end.session), 0, most);
    smpp_session_written(&from->end.session, smpp_session_receive(&to->end.session, out));
}

static void step(struct side *me, struct side *other, const uint8_t octets[2])
{
    const struct smpp_bind bind = {.system_id = bytes_of_text("e"), .interface_version = 0x34};
    const uint8_t value = octets[1];
    switch (octets[0] >> 1 & 7) {
    case 0:
        carry(me, other, value);
        break;
    case 1:
        send_one(me, me->end.session.config.role == SMPP_ESME ? SMPP_SUBMIT_SM : SMPP_DELIVER_SM);
        break;
    case 2:
        answer_one(me, value);
        break;
    case 3:
        me->end.session.now.ms += (uint64_t)value * 200;
        smpp_session_tick(&me->end.session, me->end.session.now);
        break;
    case 4:
        if (smpp_session_bind(&me->end.session, (enum smpp_bind_type)(1 + value % 3), &bind) ==
            SMPP_SEND_OK)
            carry(me, other, SIZE_MAX);
        break;
    case 5:
        if (value < 32)
            smpp_session_unbind(&me->end.session);
        break;
    case 6:
        if (value < 16)
            smpp_session_disconnected(&me->end.session);
        send_one(me, SMPP_DATA_SM);
        break;
    case 7:
        if (value < 64)
            (void)!smpp_session_receive(&me->end.session, bytes_of(&value, 1));
        break;
    }
    take_events(me);
    take_events(other);
}

static void start(struct side *s, enum smpp_role role)
{
    end_init(&s->end, role, END_PLACES);
    s->handle_count = 0;
    s->sent = 0;
    s->outcomes = 0;
    memset(s->ended, 0, sizeof s->ended);
    s->closed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct side esme, smsc;
    start(&esme, SMPP_ESME);
    start(&smsc, SMPP_SMSC);
    for (size_t i = 0; i + 2 <= len; i += 2) {
        const bool by_esme = (data[i] & 1) == 0;
        step(by_esme ? &esme : &smsc, by_esme ? &smsc : &esme, data + i);
    }
    smpp_session_disconnected(&esme.end.session);
    smpp_session_disconnected(&smsc.end.session);
    take_events(&esme);
    take_events(&smsc);
    check(esme.closed && smsc.closed);
    check(esme.outcomes == esme.sent && smsc.outcomes == smsc.sent);
    return 0;
}
