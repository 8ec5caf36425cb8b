// Answers of remote management that go to the server in short messages of their own.
#include "sim-emulator/core/card_call.h"

#define TRIES_MAX 3
#define REFRESH_TRIES_MAX 10
#define REFRESH_WAIT_STATUS 2 // 60 s of polling
#define COMMAND_NUMBER 0xE0   // the applet counts from 1

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

// The card's, or a free one with nothing in it; NULL: none to lend.
static struct card_outbox *outbox_need(struct card *card)
{
    struct card_shop *shop = card->shop;
    struct card_outbox *outbox = outbox_of(card);
    for (size_t i = 0; i < CARD_OUTBOXES && outbox == NULL; i++) {
        if (shop->outbox_owner[i] == NULL) {
            shop->outbox_owner[i] = card;
            outbox = &shop->outboxes[i];
            // References go on, whoever had it.
            *outbox = (struct card_outbox){.reference = outbox->reference,
                                           .changes.mode = TARGET_NO_REFRESH};
        }
    }
    return outbox;
}

static bool has_refresh(const struct card_outbox *outbox)
{
    return outbox->changes.mode != TARGET_NO_REFRESH;
}

static void give_back_empty(struct card *card, const struct card_outbox *outbox)
{
    if (outbox->len == 0 && !has_refresh(outbox) && outbox->given_len == 0)
        outbox_drop(card);
}

bool outbox_put(struct call *call, struct bytes packet)
{
    struct card *card = call->card;
    if (!card->remote.can_send || packet.len == 0 || packet.len > SMS_PACKET_MAX)
        return false;
    // A newer answer takes the place of one that is still under way: the server sends one at a
    // time.
    struct card_outbox *outbox = outbox_need(card);
    if (outbox == NULL)
        return false;
    uint8_t reference = (uint8_t)(outbox->reference + 1);
    memcpy(outbox->packet, packet.at, packet.len);
    outbox->len = (uint16_t)packet.len;
    outbox->reference = reference;
    outbox->part = 0;
    outbox->tries = 0;
    outbox->is_former_out =
        card->remote.session == SESSION_REMOTE && outbox->out == OUTGOING_MESSAGE;
    struct sms_cut cut = cut_of(outbox);
    outbox->part_count = (uint8_t)sms_cut_count(&cut, packet.len);
    return true;
}

void outbox_refresh(struct call *call, const struct card_changes *changes)
{
    struct card_outbox *outbox = call->card->remote.can_refresh ? outbox_need(call->card) : NULL;
    if (outbox == NULL)
        return;
    // What the terminal was not told yet may be more than one list.
    bool is_more = changes->is_more || has_refresh(outbox);
    // What it says to the one that it has is not of this one.
    if (outbox->out == OUTGOING_REFRESH) {
        outbox->is_former_out = true;
        outbox->out = OUTGOING_MESSAGE;
    }
    outbox->changes = *changes;
    outbox->refresh_tries = 0;
    outbox->refresh_wait = 0;
    bool is_listed = changes->mode == CAT_REFRESH_FILE_CHANGE ||
                     changes->mode == CAT_REFRESH_INIT_AND_FILE_CHANGE;
    if (is_more && is_listed)
        outbox->changes.mode = CAT_REFRESH_INIT_AND_FULL_FILE_CHANGE;
}

void outbox_wait(struct card *card)
{
    struct card_outbox *outbox = outbox_of(card);
    if (outbox != NULL && outbox->refresh_wait > 0)
        outbox->refresh_wait--;
}

static void write_refresh(const struct card_outbox *outbox, struct writer *w)
{
    const struct card_changes *changes = &outbox->changes;
    struct cat_message m = cat_refresh(COMMAND_NUMBER, (enum cat_refresh_mode)changes->mode);
    if (changes->mode == CAT_REFRESH_FILE_CHANGE ||
        changes->mode == CAT_REFRESH_INIT_AND_FILE_CHANGE) {
        m.has |= CAT_HAS_FILES;
        m.files = bytes_of(changes->list, changes->len);
    }
    // Which application is meant, for the modes that are of one.
    if (changes->application != UICC_MF && changes->mode != CAT_REFRESH_CARD_RESET &&
        changes->mode != CAT_REFRESH_STEERING) {
        m.has |= CAT_HAS_APPLICATION;
        m.application = uicc_application(changes->application);
    }
    cat_write_command(w, &m);
}

// SEND SHORT MESSAGE with the next part, to the address that the card was made with and no other.
static void write_message(const struct call *call, const struct card_outbox *outbox,
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

enum card_give card_give(struct card *card, struct bytes command)
{
    struct cat_message message;
    if (command.len > CARD_GIVEN_MAX || cat_read_command(command, &message) != CAT_OK)
        return CARD_GIVE_NONSENSE;
    struct card_outbox *outbox = outbox_need(card);
    if (outbox == NULL || outbox->given_len > 0)
        return CARD_GIVE_BUSY;
    memcpy(outbox->given, command.at, command.len);
    outbox->given_len = (uint8_t)command.len;
    return CARD_GIVEN;
}

bool outbox_has(const struct card *card)
{
    return outbox_of(card) != NULL;
}

// Messages go first: a REFRESH may take the power. False: there is nothing to give now.
static bool choose(const struct call *call, const struct card_outbox *outbox,
                   enum card_outgoing *what)
{
    *what = OUTGOING_MESSAGE;
    if (outbox->len > 0)
        return true;
    *what = OUTGOING_REFRESH;
    if (has_refresh(outbox) && outbox->refresh_wait == 0)
        return true;
    *what = OUTGOING_GIVEN;
    return outbox->given_len > 0 && call->card->remote.is_started;
}

static void write_command(const struct call *call, const struct card_outbox *outbox,
                          enum card_outgoing what, struct writer *w)
{
    switch (what) {
    case OUTGOING_MESSAGE:
        write_message(call, outbox, w);
        break;
    case OUTGOING_REFRESH:
        write_refresh(outbox, w);
        break;
    case OUTGOING_GIVEN:
        writer_copy(w, bytes_of(outbox->given, outbox->given_len));
        break;
    }
}

size_t outbox_waiting(struct call *call)
{
    const struct card_outbox *outbox = outbox_of(call->card);
    enum card_outgoing what;
    uint8_t octets[APPLET_COMMAND_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    if (outbox == NULL || !choose(call, outbox, &what))
        return 0;
    write_command(call, outbox, what, &w);
    if (w.failed)
        outbox_drop(call->card);
    return w.failed ? 0 : w.len;
}

void outbox_write(struct call *call, struct writer *w)
{
    struct card_outbox *outbox = outbox_of(call->card);
    enum card_outgoing what;
    if (!choose(call, outbox, &what))
        return;
    outbox->out = (uint8_t)what;
    write_command(call, outbox, what, w);
}

// Busy is for a while; anything else is for ever, and so is what cannot be read.
static bool may_try(bool is_read, const struct cat_message *message)
{
    return is_read && cat_result_is_try_later(message->result);
}

static void refresh_answered(struct card_outbox *outbox, bool is_read,
                             const struct cat_message *message)
{
    outbox->refresh_tries++;
    if (may_try(is_read, message) && outbox->refresh_tries < REFRESH_TRIES_MAX)
        outbox->refresh_wait = REFRESH_WAIT_STATUS;
    else
        outbox->changes.mode = TARGET_NO_REFRESH;
}

static void message_answered(struct card_outbox *outbox, bool is_read,
                             const struct cat_message *message)
{
    if (outbox->is_former_out) {
        outbox->is_former_out = false;
        return;
    }
    if (is_read && cat_result_is_done(message->result)) {
        outbox->part++;
        outbox->tries = 0;
        outbox->len = outbox->part >= outbox->part_count ? 0 : outbox->len;
        return;
    }
    outbox->tries++;
    if (!may_try(is_read, message) || outbox->tries >= TRIES_MAX)
        outbox->len = 0;
}

void outbox_answered(struct call *call, struct bytes response)
{
    struct card_outbox *outbox = outbox_of(call->card);
    struct cat_message message;
    if (outbox == NULL)
        return;
    bool is_read = cat_read_response(response, &message) == CAT_OK;
    const uint8_t out = outbox->out;
    outbox->out = OUTGOING_MESSAGE;
    switch ((enum card_outgoing)out) {
    case OUTGOING_MESSAGE:
        message_answered(outbox, is_read, &message);
        break;
    case OUTGOING_REFRESH:
        refresh_answered(outbox, is_read, &message);
        break;
    case OUTGOING_GIVEN: // whatever the terminal said: it is the tester's to judge
        outbox->given_len = 0;
        break;
    }
    give_back_empty(call->card, outbox);
}
