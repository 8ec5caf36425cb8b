// What SMSCs bring: packets of cards, whole or in parts, and receipts.
#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/outbox_part.h"
#include "smpp/core/receipt.h"

#include <stdlib.h>

#define JOINS_MAX 4096
#define WAITS_MAX 2048
#define HEADER_INDICATOR 0x40 // of esm_class: the user data begin with a header
#define HOLD_MS 2000          // for the other parts to come, before a part is left with the SMSC
#define EARLY_MS 2000         // for the submit_sm_resp that belongs to a receipt
#define DONE_MS 3600000
#define PUT_BACK ESME_RX_T_APPN // temporary: the SMSC keeps it and tries again

// --- memory ----------------------------------------------------------------------------------

bool outbox_receive_open(struct outbox *o)
{
    struct outbox_options *options = &o->options;
    if (options->joins_max == 0)
        options->joins_max = JOINS_MAX;
    if (options->waits_max == 0)
        options->waits_max = WAITS_MAX;
    check(options->joins_max < OUTBOX_NONE && options->waits_max < OUTBOX_NONE);
    uint32_t buckets = 1;
    while (buckets < options->joins_max)
        buckets *= 2;
    o->join_mask = buckets - 1;
    o->joins_at = INSTANT_NEVER;
    o->joins = calloc(options->joins_max, sizeof o->joins[0]);
    o->join_buckets = calloc(buckets, sizeof o->join_buckets[0]);
    o->waits = calloc(options->waits_max, sizeof o->waits[0]);
    if (o->joins == NULL || o->join_buckets == NULL || o->waits == NULL)
        return false;
    memset(o->join_buckets, 0xFF, buckets * sizeof o->join_buckets[0]);
    o->join_free = OUTBOX_NONE;
    for (uint32_t i = options->joins_max; i-- > 0;) {
        o->joins[i].next = o->join_free;
        o->join_free = (uint16_t)i;
    }
    o->wait_free = OUTBOX_NONE;
    for (uint32_t i = options->waits_max; i-- > 0;) {
        o->waits[i].next = o->wait_free;
        o->wait_free = (uint16_t)i;
    }
    return true;
}

void outbox_receive_close(struct outbox *o)
{
    free(o->joins);
    free(o->join_buckets);
    free(o->waits);
}

static void answer(struct outbox *o, struct owed *owed, uint32_t status)
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
    answer(o, &w->owed, status);
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

static bool make_message(const struct sms_packet *packet, const char *number, uint8_t sms,
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
    end_wait(context, status == STORE_OK ? ESME_ROK : PUT_BACK);
}

static void hand_over(struct outbox *o, struct owed *owed, const struct turn_message *message)
{
    struct wait *w = new_wait(o, WAIT_MESSAGE, owed);
    if (w == NULL) {
        answer(o, owed, PUT_BACK);
        return;
    }
    if (!turn_receive(o->options.turn, message, whole_done, w))
        end_wait(w, PUT_BACK);
    else
        o->counts.messages++;
}

static void take_whole(struct outbox *o, struct owed *owed, const char *number,
                       const struct sms_part *part)
{
    const struct sms_packet packet = {part->kind, part->octets, part->card_reference};
    struct turn_message message;
    if (part->kind == SMS_NO_PACKET || !make_message(&packet, number, 1, &message)) {
        o->counts.no_packet++;
        answer(o, owed, ESME_ROK);
        return;
    }
    hand_over(o, owed, &message);
}

// --- parts -----------------------------------------------------------------------------------

static struct join *find_join(struct outbox *o, uint64_t key)
{
    for (uint16_t i = o->join_buckets[key & o->join_mask]; i != OUTBOX_NONE; i = o->joins[i].next) {
        if (o->joins[i].key == key)
            return &o->joins[i];
    }
    return NULL;
}

static struct join *new_join(struct outbox *o, uint64_t key, const char *number, uint8_t total)
{
    if (o->join_free == OUTBOX_NONE)
        return NULL;
    const uint16_t index = o->join_free;
    struct join *j = &o->joins[index];
    uint16_t *bucket = &o->join_buckets[key & o->join_mask];
    o->join_free = j->next;
    memset(j, 0, offsetof(struct join, joiner));
    sms_joiner_init(&j->joiner);
    memcpy(j->number, number, sizeof j->number);
    j->is_used = true;
    j->outbox = o;
    j->key = key;
    j->total = total;
    j->next = *bucket;
    *bucket = index;
    j->answer_by = INSTANT_NEVER;
    j->until = instant_after(o->now, SMS_JOIN_MS);
    o->joins_at = instant_earlier(o->joins_at, j->until);
    o->counts.joins_held++;
    return j;
}

static void free_join(struct join *j)
{
    struct outbox *o = j->outbox;
    uint16_t *at = &o->join_buckets[j->key & o->join_mask];
    const uint16_t index = (uint16_t)(j - o->joins);
    while (*at != index)
        at = &o->joins[*at].next;
    *at = j->next;
    j->is_used = false;
    j->next = o->join_free;
    o->join_free = index;
    o->counts.joins_held--;
}

static void put_back_all(struct join *j)
{
    struct outbox *o = j->outbox;
    for (unsigned i = 0; i < j->total; i++) {
        o->counts.parts_put_back += j->owed[i].is_held;
        answer(o, &j->owed[i], PUT_BACK);
    }
    j->answer_by = INSTANT_NEVER;
}

static const struct done_part *find_done(const struct outbox *o, uint64_t hash)
{
    for (unsigned i = 0; i < OUTBOX_DONE_MAX; i++) {
        if (o->done[i].hash == hash && !instant_is_due(o->done[i].until, o->now))
            return &o->done[i];
    }
    return NULL;
}

static void note_done(struct outbox *o, uint64_t hash, bool is_given_up)
{
    o->done[o->done_next] = (struct done_part){hash, is_given_up, instant_after(o->now, DONE_MS)};
    o->done_next = (o->done_next + 1) % OUTBOX_DONE_MAX;
}

// The packet is safe: its parts may be answered, and those left with the SMSC are known when they
// come again.
static void join_done(void *context, enum store_status status)
{
    struct join *j = context;
    struct outbox *o = j->outbox;
    if (status != STORE_OK)
        put_back_all(j);
    for (unsigned i = 0; i < j->total && status == STORE_OK; i++) {
        if (!j->owed[i].is_held)
            note_done(o, j->hashes[i], false);
        answer(o, &j->owed[i], ESME_ROK);
    }
    free_join(j);
}

static void complete(struct join *j, const struct sms_packet *packet)
{
    struct outbox *o = j->outbox;
    struct turn_message message;
    if (!make_message(packet, j->number, j->total, &message)) {
        join_done(j, STORE_OK);
        o->counts.no_packet++;
        return;
    }
    j->is_complete = turn_receive(o->options.turn, &message, join_done, j);
    if (j->is_complete) {
        o->counts.messages++;
        return;
    }
    put_back_all(j);
    free_join(j);
}

static uint64_t key_of(const char *number, const struct sms_part *part)
{
    const uint8_t names[4] = {part->is_wide, (uint8_t)(part->reference >> 8),
                              (uint8_t)part->reference, part->total};
    return outbox_hash(outbox_hash(OUTBOX_HASH, bytes_of_text(number)),
                       bytes_of(names, sizeof names));
}

static void hold(struct join *j, unsigned index, struct owed *owed, uint64_t hash)
{
    struct outbox *o = j->outbox;
    o->counts.parts_put_back += j->owed[index].is_held;
    answer(o, &j->owed[index], PUT_BACK); // an earlier copy of the same part
    j->owed[index] = *owed;
    j->hashes[index] = hash;
    j->answer_by = instant_earlier(j->answer_by, instant_after(o->now, HOLD_MS));
    o->joins_at = instant_earlier(o->joins_at, j->answer_by);
}

// The SMSC has waited long enough with it. Alone it has no right MAC: the turn keeps it with what
// fits no card.
static void take_lone(struct outbox *o, struct owed *owed, const char *number,
                      const struct sms_part *part)
{
    const struct sms_packet packet = {SMS_RESPONSE_PACKET, part->octets, part->card_reference};
    struct turn_message message;
    if (make_message(&packet, number, 1, &message))
        hand_over(o, owed, &message);
    else
        answer(o, owed, ESME_ROK);
}

static void take_part(struct outbox *o, struct owed *owed, const char *number,
                      const struct sms_part *part, struct bytes user_data)
{
    // The joiner holds one set: its key has the sender in it.
    static const struct sms_address sender = {0};
    const uint64_t hash = outbox_hash(outbox_hash(OUTBOX_HASH, bytes_of_text(number)), user_data);
    o->counts.parts_received++;
    const struct done_part *done = find_done(o, hash);
    if (done != NULL && done->is_given_up) {
        take_lone(o, owed, number, part);
        return;
    }
    if (done != NULL) {
        o->counts.parts_duplicate++;
        answer(o, owed, ESME_ROK);
        return;
    }
    const uint64_t key = key_of(number, part);
    struct join *j = find_join(o, key);
    if (j == NULL)
        j = new_join(o, key, number, part->total);
    if (j == NULL) {
        o->counts.parts_put_back++;
        answer(o, owed, PUT_BACK);
        return;
    }
    const unsigned index = part->number - 1u;
    const bool is_repeat = j->hashes[index] == hash;
    if (j->hashes[index] != 0 && !is_repeat) { // a new message under the name of an unfinished one
        o->counts.parts_put_back++;
        answer(o, owed, PUT_BACK);
        return;
    }
    hold(j, index, owed, hash);
    if (is_repeat) {
        o->counts.parts_duplicate++;
        return;
    }
    struct sms_packet packet;
    switch (sms_join(&j->joiner, &sender, user_data, o->now, &packet)) {
    case SMS_JOIN_COMPLETE:
        complete(j, &packet);
        break;
    case SMS_JOIN_DUPLICATE:
    case SMS_JOIN_WAITING:
        break;
    case SMS_JOIN_REFUSED: // all parts, and no packet or two in them: it will not get better
        o->counts.no_packet++;
        join_done(j, STORE_OK);
        break;
    }
}

static void take_message(struct outbox *o, struct owed *owed, const struct smpp_pdu *pdu)
{
    struct bytes user_data = pdu->message.short_message;
    struct sms_part part;
    char number[NUMBER_TEXT_SIZE];
    if (user_data.len == 0)
        (void)smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_PAYLOAD, &user_data);
    const bool has_header = (pdu->message.esm_class & HEADER_INDICATOR) != 0;
    if (!has_header || !sms_read_part(user_data, &part) || part.total > SMS_PARTS_MAX ||
        (part.total > 1 && part.octets.len > SMS_PART_MAX)) {
        o->counts.no_packet++;
        answer(o, owed, ESME_ROK);
        return;
    }
    number_of(&pdu->message.source, number);
    if (part.total == 1)
        take_whole(o, owed, number, &part);
    else
        take_part(o, owed, number, &part, user_data);
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
        return status;
    }
    return STORE_OK;
}

static void told(void *context, const struct turn_answer *result)
{
    struct wait *w = context;
    const bool is_safe = result->refusal != REFUSAL_OVERLOADED;
    w->outbox->counts.receipts += is_safe;
    end_wait(w, is_safe ? ESME_ROK : PUT_BACK);
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
    e.as.receipt =
        (struct event_receipt){.counter = w->counter, .state = w->state, .part = w->part};
    if (status != STORE_OK) {
        end_wait(w, PUT_BACK);
    } else if (w->card != 0) {
        const struct turn_prepared with = {
            .answer = told, .context = w, .origin = {.messages = name_of_part, .messages_of = w}};
        if (!turn_event_prepared(o->options.turn, w->card, &e, &with))
            end_wait(w, PUT_BACK);
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
        end_wait(w, PUT_BACK);
}

static void take_receipt(struct outbox *o, struct owed *owed, const struct smpp_pdu *pdu)
{
    struct smpp_receipt receipt;
    smpp_receipt_read(pdu, &receipt);
    const enum receipt_state state = state_of(receipt.state);
    if (state == RECEIPT_PENDING || receipt.message_id.len == 0) {
        o->counts.receipts_unknown += receipt.message_id.len == 0;
        answer(o, owed, ESME_ROK);
        return;
    }
    struct wait *w = new_wait(o, WAIT_RECEIPT, owed);
    if (w == NULL) {
        answer(o, owed, PUT_BACK);
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
        answer(o, &owed, ESME_RINVCMDID);
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

static void step_joins(struct outbox *o)
{
    if (!instant_is_due(o->joins_at, o->now))
        return;
    o->joins_at = INSTANT_NEVER;
    for (uint32_t i = 0; i < o->options.joins_max; i++) {
        struct join *j = &o->joins[i];
        if (!j->is_used || j->is_complete)
            continue;
        if (instant_is_due(j->answer_by, o->now) || instant_is_due(j->until, o->now))
            put_back_all(j);
        if (instant_is_due(j->until, o->now)) {
            o->counts.joins_given_up++;
            for (unsigned k = 0; k < j->total; k++) {
                if (j->hashes[k] != 0)
                    note_done(o, j->hashes[k], true);
            }
            free_join(j);
            continue;
        }
        o->joins_at = instant_earlier(o->joins_at, instant_earlier(j->answer_by, j->until));
    }
}

void outbox_receive_step(struct outbox *o)
{
    step_early(o);
    step_joins(o);
    o->deadline = instant_earlier(o->deadline, o->joins_at);
}
