// The toolkit's commands [102.221 §11.2, §11.1.19, 102.223].
#include "sim-emulator/core/card_call.h"

#include "common/wire/tlv.h"

uint16_t call_terminal_profile(struct call *call)
{
    applet_profile(&call->card->applet, &call->port, call->apdu.data);
    return SW_OK;
}

// What the terminal can do beyond voltage and speed changes nothing here; it only has to be well
// formed [102.221 §11.1.19.2].
uint16_t call_terminal_capability(struct call *call)
{
    struct reader r = reader_of(call->apdu.data);
    struct tlv object;
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (!tlv_next(&r, &object) || object.tag != 0xA9 || !reader_done(&r))
        return SW_WRONG_DATA;
    struct reader inner = reader_of(object.value);
    while (tlv_next(&inner, &object)) {
    }
    return inner.failed ? SW_WRONG_DATA : SW_OK;
}

uint16_t call_envelope(struct call *call)
{
    enum cat_envelope kind;
    struct cat_message message;
    enum cat_error error = cat_read_envelope(call->apdu.data, &kind, &message);
    if (error == CAT_UNKNOWN)
        return SW_OK; // nobody on this card asked for it
    if (error != CAT_OK)
        return SW_WRONG_DATA;
    if (kind != CAT_SMS_PP_DOWNLOAD) {
        applet_event(&call->card->applet, &call->port, kind, &message);
        return SW_OK;
    }
    switch (applet_sms(&call->card->applet, &call->port, message.tpdu, call->response)) {
    case APPLET_SMS_ACCEPTED:
    case APPLET_SMS_REPORT:
    case APPLET_SMS_NOT_MINE: // of an application that is not there: nothing to repeat
        break;
    }
    return SW_OK;
}

size_t call_waiting(struct call *call)
{
    return applet_pending(&call->card->applet, &call->port);
}

uint16_t call_fetch(struct call *call)
{
    size_t waiting = call_waiting(call);
    if (waiting == 0)
        return SW_CONDITIONS;
    uint16_t sw = call_check_le(call, waiting);
    if (sw != SW_OK)
        return sw;
    return applet_fetch(&call->card->applet, &call->port, call->response) ? SW_OK : SW_CONDITIONS;
}

uint16_t call_terminal_response(struct call *call)
{
    applet_terminal_response(&call->card->applet, &call->port, call->apdu.data);
    return SW_OK;
}
