// What SMSCs bring: packets of cards, whole or in parts, and receipts.
#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/outbox_part.h"
#include "smpp/core/receipt.h"

#include <stdlib.h>

#define WAITS_MAX 2048
#define HEADER_INDICATOR 0x40 // of esm_class: the user data begin with a header
#define EARLY_MS 2000         // for the submit_sm_resp that belongs to a receipt

// --- memory ----------------------------------------------------------------------------------

bool outbox_receive_open(struct outbox *o)
{
    struct outbox_options *options = &o->options;
    if (options->waits_max == 0)
        options->waits_max = WAITS_MAX;
    check(options->waits_max < OUTBOX_NONE);
    o->waits = calloc(options->waits_max, sizeof o->waits[0]);
    if (o->waits == NULL)
        return false;
    o->wait_free = OUTBOX_NONE;
    for (uint32_t i = options->waits_max; i-- > 0;) {
        o->waits[i].next = o->wait_free;
        o->wait_free = (uint16_t)i;
    }
    return outbox_join_open(o);
}

void outbox_receive_close(struct outbox *o)
{
    free(o->joins);
    free(o->join_buckets);
    free(o->waits);
}

void outbox_answer(struct outbox *o, struct owed *owed, uint32_t status)
{
    if (!owed->is_held)
        return;
    owed->is_held = false;
    o->options.port.answer(o->options.port.context, owed->link, owed->handle, status);
}

// NULL when there is no room: the caller leaves the message with the SMSC.
static struct wait *new_wait(struct outbox *o, enum wait_kind kind, const struct owed *owed)
{
    if (o->wait_free == OUTBOX_NONE)
        return NULL;
    struct wait *w = &o->waits[o->wait_free];
    o->wait_free = w->next;
    o->waits_used++;
    *w = (struct wait){.kind = (uint8_t)kind, .outbox = o, .owed = *owed};
    return w;
}

static void end_wait(struct wait *w, uint32_t status)
{
    struct outbox *o = w->outbox;
    outbox_answer(o, &w->owed, status);
    o->early -= w->is_early;
    w->is_early = false;
    w->kind = WAIT_FREE;
    w->next = o->wait_free;
    o->wait_free = (uint16_t)(w - o->waits);
    o->waits_used--;
}

// --- messages --------------------------------------------------------------------------------

// The sender as records have it: digits; "" when it is none.
static void number_of(const struct smpp_address *source, char number[NUMBER_TEXT_SIZE])
{
    struct bytes digits = source->digits;
    if (digits.len > 0 && digits.at[0] == '+')
        digits = bytes_slice(digits, 1, digits.len);
    number[0] = '\0';
    if (digits.len < NUMBER_TEXT_SIZE && text_is_digits(digits)) {
        bytes_copy(number, digits);
        number[digits.len] = '\0';
    }
}

bool outbox_message(const struct sms_packet *packet, const char *number, uint8_t sms,
                    struct turn_message *out)
{
    if (packet->octets.len == 0 || packet->octets.len > sizeof out->packet)
        return false;
    memset(out, 0, offsetof(struct turn_message, packet));
    memcpy(out->number, number, sizeof out->number);
    out->has_reference = packet->card_reference.len == CARD_REFERENCE_SIZE;
    if (out->has_reference)
        memcpy(out->reference, packet->card_reference.at, CARD_REFERENCE_SIZE);
    out->is_response = packet->kind == SMS_RESPONSE_PACKET;
    out->sms = sms;
    out->packet_len = (uint16_t)packet->octets.len;
    bytes_copy(out->packet, packet->octets);
    return true;
}

static void whole_done(void *context, enum store_status status)
{
    end_wait(context, status == STORE_OK ? ESME_ROK : OUTBOX_PUT_BACK);
}

static void take_whole(struct outbox *o, struct owed *owed, const char *number,
                       const struct sms_part *part)
{
    const struct sms_packet packet = {part->kind, part->octets, part->card_reference};
    struct turn_message message;
    if (part->kind == SMS_NO_PACKET || !outbox_message(&packet, number, 1, &message)) {
        o->counts.no_packet++;
        outbox_answer(o, owed, ESME_ROK);
        return;
    }
    struct wait *w = new_wait(o, WAIT_MESSAGE, owed);
    if (w == NULL) {
        outbox_answer(o, owed, OUTBOX_PUT_BACK);
        return;
    }
    if (!turn_receive(o->options.turn, &message, whole_done, w))
        end_wait(w, OUTBOX_PUT_BACK);
    else
        o->counts.messages++;
}

// --- messages of any number of parts ---------------------------------------------------------

static void take_message(struct outbox *o, struct owed *owed, const struct smpp_pdu *pdu)
{
    struct bytes user_data = pdu->message.short_message;
    struct sms_part part;
    char number[NUMBER_TEXT_SIZE];
    if (user_data.len == 0)
        (void)smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_PAYLOAD, &user_data);
    const bool has_header = (pdu->message.esm_class & HEADER_INDICATOR) != 0;
    if (!has_header || !sms_read_part(user_data, &part) || part.total > SMS_PARTS_MAX ||
        (part.total > 1 && (part.octets.len > SMS_PART_MAX || user_data.len > SMS_USER_DATA_MAX))) {
        o->counts.no_packet++;
        outbox_answer(o, owed, ESME_ROK);
        return;
    }
    number_of(&pdu->message.source, number);
    if (part.total == 1)
        take_whole(o, owed, number, &part);
    else
        outbox_take_part(o, owed, number, &part, user_data);
}

// --- receipts --------------------------------------------------------------------------------

void outbox_id_plain(struct bytes id, char out[OUTBOX_ID_SIZE])
{
    out[0] = '\0';
    while (id.len > 1 && id.at[0] == '0')
        id = bytes_slice(id, 1, id.len);
    if (id.len >= OUTBOX_ID_SIZE)
        return;
    for (size_t i = 0; i < id.len; i++)
        out[i] = text_lower((char)id.at[i]);
    out[id.len] = '\0';
}

static bool read_hex(struct bytes text, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.len; i++) {
        const int digit = text_hex_digit((char)text.at[i]);
        if (digit < 0)
            return false;
        *value = *value << 4 | (unsigned)digit;
    }
    return text.len >= 1 && text.len <= 16;
}

static void put_hex(struct writer *w, uint64_t value)
{
    int shift = 60;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        writer_u8(w, (uint8_t) "0123456789abcdef"[value >> shift & 15]);
}

unsigned outbox_id_forms(const char *id, char out[3][OUTBOX_ID_SIZE])
{
    const struct bytes text = bytes_of_text(id);
    unsigned count = 1;
    uint64_t value;
    memcpy(out[0], id, text.len + 1);
    if (text_read_decimal(text, &value)) {
        struct writer w = writer_of(out[count++], OUTBOX_ID_SIZE);
        put_hex(&w, value);
        (void)text_end(&w);
    }
    if (read_hex(text, &value)) {
        struct writer w = writer_of(out[count++], OUTBOX_ID_SIZE);
        text_decimal(&w, value);
        (void)text_end(&w);
    }
    return count;
}

static enum receipt_state state_of(enum smpp_message_state state)
{
    switch (state) {
    case SMPP_MESSAGE_DELIVERED:
        return RECEIPT_DELIVERED;
    case SMPP_MESSAGE_EXPIRED:
    case SMPP_MESSAGE_DELETED:
    case SMPP_MESSAGE_UNDELIVERABLE:
    case SMPP_MESSAGE_REJECTED:
        return RECEIPT_LOST;
    case SMPP_MESSAGE_NO_STATE:
    case SMPP_MESSAGE_ENROUTE:
    case SMPP_MESSAGE_ACCEPTED:
    case SMPP_MESSAGE_UNKNOWN:
        break;
    }
    return RECEIPT_PENDING;
}

static enum store_status find(void *context, struct store *store, struct utc now)
{
    struct wait *w = context;
    const char *smsc = w->outbox->options.links[w->owed.link].smsc;
    char forms[3][OUTBOX_ID_SIZE];
    struct message message;
    (void)now;
    const unsigned count = outbox_id_forms(w->id, forms);
    for (unsigned i = 0; i < count; i++) {
        const enum store_status status =
            store_receipt_find(store, smsc, forms[i], &message, &w->part);
        if (status == STORE_NONE)
            continue;
        w->card = message.card;
        w->counter = message.counter;
        w->of = outbox_packet_of(&message);
        return status;
    }
    return STORE_OK;
}

static void told(void *context, const struct turn_answer *result)
{
    struct wait *w = context;
    const bool is_safe = result->refusal != REFUSAL_OVERLOADED;
    w->outbox->counts.receipts += is_safe;
    end_wait(w, is_safe ? ESME_ROK : OUTBOX_PUT_BACK);
}

static void wait_early(struct wait *w, uint64_t seen)
{
    w->outbox->early++;
    w->is_early = true;
    w->seen = seen;
}

static bool may_still_fit(const struct wait *w)
{
    const struct outbox *o = w->outbox;
    const bool is_open = o->flying > 0 || o->reporting > 0 || o->ended.head != OUTBOX_NONE;
    return is_open && !instant_is_due(w->until, o->now);
}

static const char *name_of_part(const void *of, char text[STEP_MESSAGES_SIZE])
{
    const struct wait *w = of;
    struct writer to = writer_of(text, STEP_MESSAGES_SIZE);
    outbox_name_put(&to, w->id);
    return text_end(&to);
}

static void found(void *context, enum store_status status)
{
    struct wait *w = context;
    struct outbox *o = w->outbox;
    struct event e = {.type = EVENT_RECEIPT, .actor = {.kind = ACTOR_SYSTEM}};
    e.as.receipt = (struct event_receipt){
        .counter = w->counter, .state = w->state, .part = w->part, .of = w->of};
    if (status != STORE_OK) {
        end_wait(w, OUTBOX_PUT_BACK);
    } else if (w->card != 0) {
        const struct turn_prepared with = {
            .answer = told, .context = w, .origin = {.messages = name_of_part, .messages_of = w}};
        if (!turn_event_prepared(o->options.turn, w->card, &e, &with))
            end_wait(w, OUTBOX_PUT_BACK);
    } else if (may_still_fit(w)) {
        wait_early(w, o->reports);
    } else {
        o->counts.receipts_unknown++;
        end_wait(w, ESME_ROK);
    }
}

static void look_up(struct wait *w)
{
    if (!turn_write_repeatable(w->outbox->options.turn, find, found, w))
        end_wait(w, OUTBOX_PUT_BACK);
}

static void take_receipt(struct outbox *o, struct owed *owed, const struct smpp_pdu *pdu)
{
    struct smpp_receipt receipt;
    smpp_receipt_read(pdu, &receipt);
    const enum receipt_state state = state_of(receipt.state);
    if (state == RECEIPT_PENDING || receipt.message_id.len == 0) {
        o->counts.receipts_unknown += receipt.message_id.len == 0;
        outbox_answer(o, owed, ESME_ROK);
        return;
    }
    struct wait *w = new_wait(o, WAIT_RECEIPT, owed);
    if (w == NULL) {
        outbox_answer(o, owed, OUTBOX_PUT_BACK);
        return;
    }
    w->state = (uint8_t)state;
    w->until = instant_after(o->now, EARLY_MS);
    outbox_id_plain(receipt.message_id, w->id);
    look_up(w);
}

// --- both ------------------------------------------------------------------------------------

void outbox_request(struct outbox *o, unsigned link, uint64_t handle, const struct smpp_pdu *pdu)
{
    struct owed owed = {.is_held = true, .link = (uint8_t)link, .handle = handle};
    if (pdu->command != SMPP_DELIVER_SM && pdu->command != SMPP_DATA_SM)
        outbox_answer(o, &owed, ESME_RINVCMDID);
    else if (smpp_is_receipt(pdu))
        take_receipt(o, &owed, pdu);
    else
        take_message(o, &owed, pdu);
}

static void step_early(struct outbox *o)
{
    for (uint32_t i = 0; i < o->options.waits_max && o->early > 0; i++) {
        struct wait *w = &o->waits[i];
        if (!w->is_early)
            continue;
        if (w->seen == o->reports && !instant_is_due(w->until, o->now)) {
            o->deadline = instant_earlier(o->deadline, w->until);
            continue;
        }
        o->early--;
        w->is_early = false;
        look_up(w); // for the last time when `until` is over
    }
}

void outbox_receive_step(struct outbox *o)
{
    step_early(o);
    outbox_join_step(o);
}
