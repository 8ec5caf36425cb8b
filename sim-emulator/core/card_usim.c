// AUTHENTICATE [31.102 §7.1], GET CHALLENGE [102.221 §11.1.18].
#include "sim-emulator/core/card_call.h"

// Security contexts in P2.
enum {
    CONTEXT_GSM = 0x80, // not in the ISIM [31.103 §7.1]
    CONTEXT_3G = 0x81,  // or IMS AKA
    CONTEXT_VGCS = 0x82,
    CONTEXT_GBA = 0x84,
    CONTEXT_MBMS = 0x85,
    CONTEXT_LOCAL_KEY = 0x86,
};

static void write_counted(struct writer *w, const void *octets, uint8_t len)
{
    writer_u8(w, len);
    writer_copy(w, bytes_of(octets, len));
}

static uint16_t answer_3g(struct writer *w, enum usim_result result, const struct usim_answer *a,
                          bool has_kc)
{
    switch (result) {
    case USIM_OK:
        writer_u8(w, 0xDB);
        write_counted(w, a->keys.res, a->keys.res_len);
        write_counted(w, a->keys.ck, a->keys.ck_len);
        write_counted(w, a->keys.ik, a->keys.ik_len);
        if (has_kc)
            write_counted(w, a->kc, sizeof a->kc);
        return SW_OK;
    case USIM_OUT_OF_RANGE:
        writer_u8(w, 0xDC);
        write_counted(w, a->auts, sizeof a->auts);
        return SW_OK;
    case USIM_MAC_WRONG:
        return SW_AUTHENTICATION_MAC;
    case USIM_FAULT:
        return SW_MEMORY_FAILURE;
    }
    return SW_TECHNICAL_PROBLEM;
}

// What the algorithms work on, and the keys in `view`, which the caller wipes.
static bool usim_of(struct call *call, struct applet_subscription *view, struct usim *usim)
{
    struct card *card = call->card;
    *usim = (struct usim){
        .cipher = card->shop->cipher, .nvm = &card->nvm, .tuak = call_product(card)->tuak};
    if (!applet_subscription(&card->applet, &call->port, view))
        return false;
    usim->offset = CARD_SQN_AT + view->slot_index * (uint32_t)USIM_NVM_LEN;
    return true;
}

static uint16_t run_3g(struct call *call, const uint8_t *rand, const uint8_t *autn)
{
    struct applet_subscription view;
    struct usim_answer answer;
    struct usim usim;
    if (!usim_of(call, &view, &usim))
        return SW_MEMORY_FAILURE;
    enum usim_result result = usim_own(&usim, view.slot.imsi);
    if (result == USIM_OK)
        result = usim_authenticate(&usim, &view.slot.keys, rand, autn, &answer);
    uint16_t sw =
        answer_3g(call->response, result, &answer, call->channel->application == UICC_USIM);
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    secret_wipe(&answer, sizeof answer);
    return sw;
}

static uint16_t run_gsm(struct call *call, const uint8_t *rand, bool is_counted)
{
    struct applet_subscription view;
    struct usim_answer answer;
    struct usim usim;
    uint16_t sw = SW_MEMORY_FAILURE;
    if (!usim_of(call, &view, &usim))
        return sw;
    if (usim_authenticate_gsm(&usim, &view.slot.keys, rand, &answer) == USIM_OK) {
        if (is_counted)
            writer_u8(call->response, sizeof answer.sres);
        writer_copy(call->response, bytes_of(answer.sres, sizeof answer.sres));
        if (is_counted)
            writer_u8(call->response, sizeof answer.kc);
        writer_copy(call->response, bytes_of(answer.kc, sizeof answer.kc));
        sw = SW_OK;
    }
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    secret_wipe(&answer, sizeof answer);
    return sw;
}

uint16_t call_gsm_algorithm(struct call *call, const uint8_t *rand)
{
    return run_gsm(call, rand, false);
}

// Authentication takes what reading EF.Keys takes: PIN1, if it is enabled.
static bool is_pin_given(const struct call *call)
{
    uint8_t satisfied = call->granted | uicc_pins_satisfied(call->pins);
    return (satisfied & 1U << UICC_PIN1) != 0;
}

// Contexts of the standard that these cards have not; what is reserved is a wrong parameter.
static bool is_refused(uint8_t context)
{
    return context == CONTEXT_VGCS || context == CONTEXT_GBA || context == CONTEXT_MBMS ||
           context == CONTEXT_LOCAL_KEY;
}

uint16_t call_authenticate(struct call *call)
{
    uint8_t context = call->apdu.p2;
    bool is_3g = context == CONTEXT_3G;
    uint8_t application = call->channel->application;
    if (call->apdu.p1 != 0)
        return SW_WRONG_P1_P2;
    if (is_refused(context))
        return SW_AUTHENTICATION_CONTEXT;
    if (!is_3g && (context != CONTEXT_GSM || application == UICC_ISIM))
        return SW_WRONG_P1_P2;
    if (application == UICC_MF ||
        uicc_application_of(&call->files, call->channel->folder) != application)
        return SW_CONDITIONS;
    if (!is_pin_given(call))
        return SW_SECURITY_STATUS;
    if (call->apdu.data.len != 1U + AKA_RAND_LEN + (is_3g ? 1U + USIM_AUTN_LEN : 0))
        return SW_WRONG_LENGTH;
    struct reader r = reader_of(call->apdu.data);
    bool is_shaped = reader_u8(&r) == AKA_RAND_LEN;
    const uint8_t *rand = reader_bytes(&r, AKA_RAND_LEN).at;
    is_shaped = is_shaped && (!is_3g || reader_u8(&r) == USIM_AUTN_LEN);
    const uint8_t *autn = is_3g ? reader_bytes(&r, USIM_AUTN_LEN).at : NULL;
    if (!is_shaped || !reader_done(&r))
        return SW_WRONG_DATA;
    return is_3g ? run_3g(call, rand, autn) : run_gsm(call, rand, true);
}

uint16_t call_get_challenge(struct call *call)
{
    struct card_shop *shop = call->card->shop;
    size_t len = call->apdu.le;
    if (call->apdu.p1 != 0 || call->apdu.p2 != 0)
        return SW_WRONG_P1_P2;
    if (len == 0 || call->apdu.data.len != 0)
        return SW_WRONG_LENGTH;
    for (size_t i = 0; i < len; i++)
        writer_u8(call->response, (uint8_t)(shop->random(shop->random_context) >> 16));
    return SW_OK;
}
