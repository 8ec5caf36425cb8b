// Answers of remote management that go to the server in short messages of their own.
#include "sim-emulator/core/card_call.h"

#define TRIES_MAX 3
#define COMMAND_NUMBER 0xE0 // the applet counts from 1

static struct card_outbox *outbox_of(const struct card *card)
{
    struct card_shop *shop = card->shop;
    for (size_t i = 0; i < CARD_OUTBOXES; i++) {
        if (shop->outbox_owner[i] == card)
            return &shop->outboxes[i];
    }
    return NULL;
}

void outbox_drop(struct card *card)
{
    struct card_outbox *outbox = outbox_of(card);
    if (outbox != NULL)
        card->shop->outbox_owner[outbox - card->shop->outboxes] = NULL;
}

static struct sms_cut cut_of(const struct card_outbox *outbox)
{
    return (struct sms_cut){.kind = SMS_RESPONSE_PACKET, .reference = outbox->reference};
}

bool outbox_put(struct call *call, struct bytes packet)
{
    struct card *card = call->card;
    struct card_shop *shop = card->shop;
    struct card_outbox *outbox = outbox_of(card);
    if (!card->remote.can_send || packet.len > SMS_PACKET_MAX)
        return false;
    // A newer answer takes the place of one that is still under way: the server sends one at a
    // time.
    for (size_t i = 0; i < CARD_OUTBOXES && outbox == NULL; i++) {
        if (shop->outbox_owner[i] == NULL) {
            shop->outbox_owner[i] = card;
            outbox = &shop->outboxes[i];
        }
    }
    if (outbox == NULL)
        return false;
    uint8_t reference = (uint8_t)(outbox->reference + 1);
    memcpy(outbox->packet, packet.at, packet.len);
    outbox->len = (uint16_t)packet.len;
    outbox->reference = reference;
    outbox->part = 0;
    outbox->tries = 0;
    outbox->is_former_out = card->remote.session == SESSION_REMOTE;
    struct sms_cut cut = cut_of(outbox);
    outbox->part_count = (uint8_t)sms_cut_count(&cut, packet.len);
    return true;
}

// SEND SHORT MESSAGE with the next part, to the address that the card was made with and no other.
static void write_command(const struct call *call, const struct card_outbox *outbox,
                          struct writer *w)
{
    const struct dialling *server = &call->port.factory->server_address;
    uint8_t user_data[SMS_USER_DATA_MAX];
    struct writer part = writer_of(user_data, sizeof user_data);
    struct sms_cut cut = cut_of(outbox);
    sms_cut_part(&cut, bytes_of(outbox->packet, outbox->len), outbox->part, &part);
    struct phone number;
    if (part.failed || !cat_address_read(bytes_of(server->octets, server->len), &number)) {
        w->failed = true;
        return;
    }
    struct sms_submit submit = {.first = SMS_TYPE_SUBMIT | SMS_HEADER_PRESENT,
                                .recipient = sms_address_of(&number),
                                .pid = SMS_PID_USIM_DATA_DOWNLOAD,
                                .dcs = SMS_DCS_CLASS_2_8BIT,
                                .user_data_length = (uint8_t)part.len,
                                .user_data = writer_bytes(&part)};
    uint8_t tpdu[SMS_SUBMIT_MAX];
    struct writer t = writer_of(tpdu, sizeof tpdu);
    sms_write_submit(&t, &submit);
    // The subscription's service centre, so that a terminal without one of its own can send.
    struct cat_message message =
        cat_send_short_message(COMMAND_NUMBER, bytes_of(NULL, 0), writer_bytes(&t));
    struct applet_subscription view;
    uint8_t centre[COMMAND_NUMBER_MAX];
    if (applet_subscription(&call->card->applet, &call->port, &view) && view.slot.smsc.len > 0) {
        memcpy(centre, view.slot.smsc.octets, view.slot.smsc.len);
        message = cat_send_short_message(COMMAND_NUMBER, bytes_of(centre, view.slot.smsc.len),
                                         writer_bytes(&t));
    }
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    w->failed = w->failed || t.failed;
    cat_write_command(w, &message);
}

bool outbox_has(const struct card *card)
{
    return outbox_of(card) != NULL;
}

size_t outbox_waiting(struct call *call)
{
    const struct card_outbox *outbox = outbox_of(call->card);
    if (outbox == NULL)
        return 0;
    uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    write_command(call, outbox, &w);
    if (w.failed)
        outbox_drop(call->card);
    return w.failed ? 0 : w.len;
}

void outbox_write(struct call *call, struct writer *w)
{
    write_command(call, outbox_of(call->card), w);
}

void outbox_answered(struct call *call, struct bytes response)
{
    struct card_outbox *outbox = outbox_of(call->card);
    struct cat_message message;
    if (outbox == NULL)
        return;
    if (outbox->is_former_out) {
        outbox->is_former_out = false;
        return;
    }
    bool is_read = cat_read_response(response, &message) == CAT_OK;
    if (is_read && cat_result_is_done(message.result)) {
        outbox->part++;
        outbox->tries = 0;
        if (outbox->part >= outbox->part_count)
            outbox_drop(call->card);
        return;
    }
    // Busy is for a while; anything else is for ever, and so is what cannot be read.
    outbox->tries++;
    bool may_try = is_read && cat_result_is_try_later(message.result);
    if (!may_try || outbox->tries >= TRIES_MAX)
        outbox_drop(call->card);
}
