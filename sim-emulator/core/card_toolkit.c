// The toolkit's commands [102.221 §11.2, §11.1.19, 102.223].
#include "sim-emulator/core/card_call.h"

#include "common/wire/tlv.h"

// A terminal that never answers a command has lost it after so many STATUS commands.
#define SESSION_STATUS_MAX 8

// None of the toolkit's commands has parameters [102.221 §11.2].
static bool has_parameters(const struct call *call)
{
    return call->apdu.p1 != 0 || call->apdu.p2 != 0;
}

uint16_t call_terminal_profile(struct call *call)
{
    if (has_parameters(call))
        return SW_WRONG_P1_P2;
    call->card->remote.is_started = true;
    call->card->remote.can_send = cat_profile_has(call->apdu.data, CAT_FEATURE_SEND_SHORT_MESSAGE);
    call->card->remote.can_refresh = cat_profile_has(call->apdu.data, CAT_FEATURE_REFRESH);
    applet_profile(&call->card->applet, &call->port, call->apdu.data);
    return SW_OK;
}

// What the terminal can do beyond voltage and speed changes nothing here; it only has to be well
// formed [102.221 §11.1.19.2].
uint16_t call_terminal_capability(struct call *call)
{
    struct reader r = reader_of(call->apdu.data);
    struct tlv object;
    if (has_parameters(call))
        return SW_WRONG_P1_P2;
    if (!tlv_next(&r, &object) || object.tag != 0xA9 || !reader_done(&r))
        return SW_WRONG_DATA;
    struct reader inner = reader_of(object.value);
    while (tlv_next(&inner, &object)) {
    }
    return inner.failed ? SW_WRONG_DATA : SW_OK;
}

// Templates of the standard that nobody on this card asked for: cell broadcast, menu selection,
// call control, short message control, USSD, geographical location [102.223 §9, 31.111 §9.1].
static bool is_unserved(struct bytes data)
{
    static const uint8_t templates[] = {0xD2, 0xD3, 0xD4, 0xD5, 0xD9, 0xDD};
    struct reader r = reader_of(data);
    uint8_t tag = reader_u8(&r);
    for (size_t i = 0; i < sizeof templates; i++) {
        if (tag == templates[i])
            return true;
    }
    return false;
}

uint16_t call_envelope(struct call *call)
{
    enum cat_envelope kind;
    struct cat_message message;
    if (has_parameters(call))
        return SW_WRONG_P1_P2;
    if (is_unserved(call->apdu.data))
        return SW_FUNCTION_NOT_SUPPORTED;
    enum cat_error error = cat_read_envelope(call->apdu.data, &kind, &message);
    if (error == CAT_UNKNOWN)
        return SW_OK; // nobody on this card asked for it
    if (error != CAT_OK)
        return SW_WRONG_DATA;
    if (kind != CAT_SMS_PP_DOWNLOAD) {
        applet_event(&call->card->applet, &call->port, kind, &message);
        return SW_OK;
    }
    if (call_remote(call, message.tpdu, call->response))
        return SW_OK;
    switch (applet_sms(&call->card->applet, &call->port, message.tpdu, call->response)) {
    case APPLET_SMS_ACCEPTED:
    case APPLET_SMS_REPORT:
    case APPLET_SMS_NOT_MINE: // of an application that is not there: nothing to repeat
        break;
    }
    return SW_OK;
}

// One command at a time, whoever gave it; remote management's answers go first.
size_t call_waiting(struct call *call)
{
    struct card_remote *remote = &call->card->remote;
    if (remote->session == SESSION_REMOTE)
        return 0;
    size_t waiting = remote->session == SESSION_NONE ? outbox_waiting(call) : 0;
    return waiting != 0 ? waiting : applet_pending(&call->card->applet, &call->port);
}

void call_status_passed(struct call *call)
{
    struct card_remote *remote = &call->card->remote;
    for (size_t i = 0; i < PRODUCT_KEY_SETS_MAX; i++)
        remote->hearing[i].deaf_status -= remote->hearing[i].deaf_status > 0;
    outbox_wait(call->card);
    if (remote->parts_status > 0 && --remote->parts_status == 0)
        remote_drop_parts(call->card);
    if (remote->session != SESSION_NONE && ++remote->session_status >= SESSION_STATUS_MAX) {
        if (remote->session == SESSION_REMOTE)
            outbox_answered(call, bytes_of(NULL, 0));
        remote->session = SESSION_NONE;
    }
    applet_status(&call->card->applet, &call->port);
}

uint16_t call_fetch(struct call *call)
{
    struct card_remote *remote = &call->card->remote;
    size_t waiting = call_waiting(call);
    if (has_parameters(call))
        return SW_WRONG_P1_P2;
    if (call->apdu.data.len != 0)
        return SW_WRONG_LENGTH;
    if (waiting == 0)
        return SW_CONDITIONS;
    uint16_t sw = call_check_le(call, waiting);
    if (sw != SW_OK)
        return sw;
    remote->session_status = 0;
    if (remote->session == SESSION_NONE && outbox_waiting(call) != 0) {
        remote->session = SESSION_REMOTE;
        outbox_write(call, call->response);
        return SW_OK;
    }
    remote->session = SESSION_APPLET;
    return applet_fetch(&call->card->applet, &call->port, call->response) ? SW_OK : SW_CONDITIONS;
}

uint16_t call_terminal_response(struct call *call)
{
    struct card_remote *remote = &call->card->remote;
    enum card_session session = (enum card_session)remote->session;
    if (has_parameters(call))
        return SW_WRONG_P1_P2;
    remote->session = SESSION_NONE;
    switch (session) {
    case SESSION_NONE:
        return SW_CONDITIONS; // nothing was fetched
    case SESSION_APPLET:
        applet_terminal_response(&call->card->applet, &call->port, call->apdu.data);
        return SW_OK;
    case SESSION_REMOTE:
        outbox_answered(call, call->apdu.data);
        return SW_OK;
    }
    return SW_TECHNICAL_PROBLEM;
}

// --- at rest ---------------------------------------------------------------------------------

bool card_is_at_rest(const struct card *card)
{
    const struct card_remote *remote = &card->remote;
    bool is_free =
        remote->session == SESSION_NONE && remote->parts_status == 0 && !outbox_has(card);
    for (size_t i = 0; i < PRODUCT_KEY_SETS_MAX; i++)
        is_free &= remote->hearing[i].deaf_status == 0;
    return is_free && card->is_powered && !card->nvm.is_cut && card->shop->seen == NULL &&
           card->generation == applet_generation(&card->applet) && applet_is_at_rest(&card->applet);
}
