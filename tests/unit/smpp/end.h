// One end of a session with all its memory, and the little steps that tests are made of.
#pragma once

#include "smpp/core/session.h"

#define END_PLACES 8

struct end {
    struct smpp_session session;
    struct smpp_pending window[END_PLACES];
    struct smpp_owed owed[END_PLACES];
    uint8_t input[1024];
    uint8_t output[4096];
    struct smpp_event event; // the last one
};

static inline void end_init(struct end *e, enum smpp_role role, size_t places)
{
    const struct smpp_session_config config = {.role = role,
                                               .pdu_len_max = 512,
                                               .window = e->window,
                                               .window_size = places,
                                               .owed = e->owed,
                                               .owed_size = places,
                                               .input = e->input,
                                               .input_size = sizeof e->input,
                                               .output = e->output,
                                               .output_size = sizeof e->output};
    smpp_session_init(&e->session, &config, (struct instant){1000});
}

static inline void end_at(struct end *e, uint64_t ms)
{
    smpp_session_tick(&e->session, (struct instant){1000 + ms});
}

static inline bool end_next(struct end *e)
{
    return smpp_session_next(&e->session, &e->event);
}

// Gives all of `octets`; the test's octets fit.
static inline bool end_take(struct end *e, struct bytes octets)
{
    return smpp_session_receive(&e->session, octets) == octets.len;
}

// Carries what `from` has to write to `to`.
static inline bool end_carry(struct end *from, struct end *to)
{
    const struct bytes octets = smpp_session_output(&from->session);
    const bool taken = end_take(to, octets);
    smpp_session_written(&from->session, octets.len);
    return taken;
}

// The next PDU in the output, taken from it; false when there is none.
static inline bool end_written(struct end *e, struct smpp_pdu *pdu)
{
    const struct bytes out = smpp_session_output(&e->session);
    if (out.len < SMPP_HEADER_LEN)
        return false;
    const size_t len = (size_t)out.at[2] << 8 | out.at[3];
    const bool good = smpp_pdu_read(bytes_of(out.at, len), pdu) == ESME_ROK;
    smpp_session_written(&e->session, len);
    return good;
}

// `e`, an SMSC, with an ESME bound to it.
static inline bool end_bound(struct end *smsc, struct end *esme, enum smpp_bind_type type)
{
    const struct smpp_bind bind = {.system_id = bytes_of_text("esme"),
                                   .password = bytes_of_text("secret"),
                                   .interface_version = 0x34};
    return smpp_session_bind(&esme->session, type, &bind) == SMPP_SEND_OK &&
           end_carry(esme, smsc) && end_next(smsc) && smsc->event.type == SMPP_EVENT_BIND &&
           smpp_session_answer_bind(&smsc->session, ESME_ROK, bytes_of_text("smsc")) ==
               SMPP_SEND_OK &&
           end_carry(smsc, esme) && end_next(esme) && esme->event.type == SMPP_EVENT_BOUND;
}
