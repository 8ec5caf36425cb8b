// Parts on links: what leaves, and what an answer means.
#include "common/base/text.h"
#include "ota-server/service/outbox_part.h"

#define REPEAT_MS 10000
#define SOURCE_DIGITS_LOCAL 6 // a shorter number is a short code of one network
#define SUBMIT_ESM_CLASS 0x40 // a user data header; the SMSC's default mode
#define SUBMIT_RECEIPT 0x01
#define VALIDITY_SIZE 17

#define TEMPORARY_STEPS 3
static const uint32_t temporary_ms[TEMPORARY_STEPS] = {5000, 30000, 120000};

// --- the PDU ---------------------------------------------------------------------------------

// TON and NPI by the form of the address [SMPP 3.4 §5.2.5, §5.2.6].
static struct smpp_address address_of(const char *text)
{
    const struct bytes all = bytes_of_text(text);
    const bool has_plus = all.len > 0 && all.at[0] == '+';
    const struct bytes digits = bytes_slice(all, has_plus ? 1 : 0, all.len);
    if (!text_is_digits(digits))
        return (struct smpp_address){5, 0, all}; // alphanumeric
    if (has_plus || digits.len > SOURCE_DIGITS_LOCAL)
        return (struct smpp_address){1, 1, digits}; // international, ISDN
    return (struct smpp_address){0, 1, digits};
}

static void put_two(struct writer *w, uint32_t value)
{
    writer_u8(w, (uint8_t)('0' + value / 10));
    writer_u8(w, (uint8_t)('0' + value % 10));
}

// A relative time, YYMMDDhhmmss000R [SMPP 3.4 §7.1.1]; days at most, and a second at least: zero is
// none.
static struct bytes validity_of(uint64_t ms, char text[VALIDITY_SIZE])
{
    const uint32_t seconds = ms < 1000 ? 1 : (uint32_t)(ms / 1000);
    struct writer w = writer_of(text, VALIDITY_SIZE);
    text_put(&w, "0000");
    put_two(&w, seconds / 86400);
    put_two(&w, seconds / 3600 % 24);
    put_two(&w, seconds / 60 % 60);
    put_two(&w, seconds % 60);
    text_put(&w, "000R");
    return writer_bytes(&w);
}

// What is left of its validity in the server's time.
static uint64_t left_ms(const struct packet *p)
{
    const struct outbox_clock *c = &p->outbox->options.clock;
    const struct message *m = &p->message;
    const int64_t end_ms = m->at.ms + (int64_t)m->validity_ms;
    const int64_t now_ms = c->utc(c->context, p->outbox->now).ms;
    return now_ms < end_ms ? (uint64_t)(end_ms - now_ms) : 0;
}

static uint64_t tag_of(const struct packet *p, unsigned part)
{
    const uint64_t index = (uint64_t)(p - p->outbox->packets);
    return (uint64_t)p->generation << 32 | index << 8 | part;
}

static enum smpp_send send_part(struct packet *p, unsigned index, unsigned link)
{
    struct outbox *o = p->outbox;
    const struct message *m = &p->message;
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = m->reference};
    uint8_t user_data[SMS_USER_DATA_MAX];
    char validity[VALIDITY_SIZE];
    struct writer w = writer_of(user_data, sizeof user_data);
    sms_cut_part(&cut, bytes_of(m->packet, m->packet_len), index, &w);
    const struct smpp_pdu pdu = {
        .command = SMPP_SUBMIT_SM,
        .message = {.source = address_of(p->source[0] != '\0' ? p->source : o->options.address),
                    .destination = address_of(m->number),
                    .esm_class = SUBMIT_ESM_CLASS,
                    .protocol_id = SMS_PID_USIM_DATA_DOWNLOAD,
                    .data_coding = SMS_DCS_CLASS_2_8BIT,
                    .registered_delivery = p->wants_no_receipt ? 0 : SUBMIT_RECEIPT,
                    .validity_period = validity_of(left_ms(p), validity),
                    .short_message = writer_bytes(&w)},
    };
    return o->options.port.send(o->options.port.context, link, &pdu, tag_of(p, index));
}

// --- what becomes of a packet ----------------------------------------------------------------

static bool has(const struct packet *p, enum part_state state)
{
    for (unsigned i = 0; i < p->part_count; i++) {
        if (p->parts[i].state == state)
            return true;
    }
    return false;
}

// One part refused is a packet refused: the others need not leave any more.
static void give_up_waiting(struct packet *p)
{
    for (unsigned i = 0; i < p->part_count; i++) {
        struct part *part = &p->parts[i];
        if (part->state == PART_WAITING)
            part->state = part->is_repeated ? PART_UNKNOWN : PART_GIVEN_UP;
    }
}

// Some of its parts are with a link and others are not: a card, and an SMSC, wait a minute for the
// rest, so it has to leave before those of which nothing has.
static bool has_begun(const struct packet *p)
{
    return has(p, PART_WAITING) && (has(p, PART_FLYING) || has(p, PART_ACCEPTED));
}

// After a change of a part, for a packet that is in no list.
static void settle(struct packet *p)
{
    struct outbox *o = p->outbox;
    if (has(p, PART_REJECTED) || has(p, PART_GIVEN_UP))
        give_up_waiting(p);
    if (has(p, PART_WAITING)) {
        if (instant_is_due(p->not_before, o->now)) {
            p->phase = PACKET_READY;
            if (p->is_throttled || has_begun(p))
                outbox_list_insert(o, &o->ready, p);
            else
                outbox_list_add(o, &o->ready, p);
            p->is_throttled = false;
            outbox_scan_by(o, p->until);
        } else {
            p->phase = PACKET_RESTING;
            outbox_scan_by(o, p->not_before);
        }
    } else if (has(p, PART_FLYING)) {
        p->phase = PACKET_FLYING;
    } else {
        p->phase = PACKET_ENDED;
        outbox_list_add(o, &o->ended, p);
    }
}

static void changed(struct packet *p)
{
    if (p->phase == PACKET_FLYING || p->phase == PACKET_RESTING)
        settle(p); // a ready one is settled when its turn comes
}

static void fly(struct packet *p)
{
    struct outbox *o = p->outbox;
    for (unsigned i = 0; i < p->part_count; i++) {
        struct part *part = &p->parts[i];
        if (part->state != PART_WAITING)
            continue;
        const unsigned link =
            outbox_limit_is_free(o, p) ? outbox_link_choose(o, p, part) : OUTBOX_LINKS_MAX;
        if (link == OUTBOX_LINKS_MAX)
            return;
        const enum smpp_send result = send_part(p, i, link);
        if (result == SMPP_SEND_INVALID)
            part->state = PART_REJECTED; // an address that no PDU holds
        if (result != SMPP_SEND_OK)
            continue; // else the link changed its mind: the next pump asks again
        part->state = PART_FLYING;
        p->was_flying = true;
        part->link = (uint8_t)link;
        o->flying++;
        outbox_link_sent(o, link);
        outbox_limit_take(o, p);
        o->counts.parts_sent++;
        o->counts.parts_repeated += part->is_repeated;
    }
    if (!has(p, PART_WAITING) && has(p, PART_FLYING))
        outbox_health_sent(o, p);
}

// Puts `first` in front of those that are ready.
static void put_in_front(struct outbox *o, struct packet_list first)
{
    if (first.head == OUTBOX_NONE)
        return;
    if (o->ready.head != OUTBOX_NONE) {
        o->packets[first.tail].next = o->ready.head;
        first.tail = o->ready.tail;
    }
    o->ready = first;
}

void outbox_pump(struct outbox *o)
{
    // Each once: one that waits for a certain link must not stop the others.
    struct packet_list ready = o->ready;
    struct packet_list begun = {OUTBOX_NONE, OUTBOX_NONE};
    struct packet *p = NULL;
    o->ready = (struct packet_list){OUTBOX_NONE, OUTBOX_NONE};
    o->blocked = o->audits_blocked = 0;
    while (!o->is_holding && ready.head != OUTBOX_NONE && outbox_link_is_free(o)) {
        p = outbox_list_take(o, &ready);
        if (!has(p, PART_REJECTED) && !has(p, PART_GIVEN_UP))
            fly(p);
        if (has_begun(p) && instant_is_due(p->not_before, o->now))
            outbox_list_add(o, &begun, p);
        else
            settle(p);
    }
    put_in_front(o, ready); // they had no chance
    put_in_front(o, begun);
}

static bool is_untouched(const struct packet *p)
{
    for (unsigned i = 0; i < p->part_count; i++) {
        if (p->parts[i].state != PART_WAITING || p->parts[i].is_repeated)
            return false;
    }
    return true;
}

// Memory that is full of packets for a route without a link, or of a group that is slow by its own
// rules, must not stop those of the others, which wait in the store. For the former nothing took
// them, and their cards' operations try again later; the latter are left where they are kept.
void outbox_make_room(struct outbox *o)
{
    const uint32_t half = o->options.packets_max / 2;
    const bool is_full = o->free.head == OUTBOX_NONE;
    uint32_t surplus = o->counts.packets_held > half ? o->counts.packets_held - half : 0;
    if (!o->is_behind || surplus == 0 || o->is_holding || !outbox_link_is_free(o))
        return;
    struct packet_list ready = o->ready;
    struct packet *p = NULL;
    o->ready = (struct packet_list){OUTBOX_NONE, OUTBOX_NONE};
    while ((p = outbox_list_take(o, &ready)) != NULL) {
        const bool is_surplus = surplus > 0 && is_untouched(p);
        if (is_surplus && !outbox_limit_is_free(o, p) && outbox_leave(o, p)) {
            surplus--;
            continue;
        }
        if (is_surplus && is_full && outbox_route_is_dead(o, p)) {
            surplus--;
            for (unsigned i = 0; i < p->part_count; i++)
                p->parts[i].state = PART_GIVEN_UP;
        }
        settle(p);
    }
}

// --- answers ---------------------------------------------------------------------------------

// Refused for good: the same PDU would be refused again. Any other status that is not zero is
// temporary, those of later versions and of vendors included.
static bool is_permanent(uint32_t status)
{
    static const uint16_t statuses[] = {
        ESME_RINVMSGLEN,       ESME_RINVCMDLEN,      ESME_RINVCMDID,   ESME_RINVPRTFLG,
        ESME_RINVREGDLVFLG,    ESME_RINVSRCADR,      ESME_RINVDSTADR,  ESME_RINVSERTYP,
        ESME_RINVESMCLASS,     ESME_RINVSRCTON,      ESME_RINVSRCNPI,  ESME_RINVDSTTON,
        ESME_RINVDSTNPI,       ESME_RINVSYSTYP,      ESME_RINVREPFLAG, ESME_RINVSCHED,
        ESME_RINVEXPIRY,       ESME_RINVDFTMSGID,    ESME_RX_P_APPN,   ESME_RX_R_APPN,
        ESME_RINVOPTPARSTREAM, ESME_ROPTPARNOTALLWD, ESME_RINVPARLEN,  ESME_RMISSINGOPTPARAM,
        ESME_RINVOPTPARAMVAL,  ESME_RINVDCS,
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i] == status)
            return true;
    }
    return false;
}

static void refused(struct packet *p, struct part *part, uint32_t status)
{
    struct outbox *o = p->outbox;
    p->status = status;
    outbox_health_withdraw(o, p, part->link);
    o->counts.parts_refused++;
    if (smpp_status_is_throttle(status)) {
        o->counts.throttled++;
        smpp_rate_throttled(&o->rates[part->link], outbox_pace(o));
        part->state = PART_WAITING;
        p->is_throttled = p->phase == PACKET_FLYING;
    } else if (is_permanent(status)) {
        part->state = part->is_repeated ? PART_UNKNOWN : PART_REJECTED;
    } else if (!instant_is_due(p->not_before, o->now)) {
        part->state = PART_WAITING; // several parts rest together
    } else if (p->temporary < TEMPORARY_STEPS) {
        part->state = PART_WAITING;
        p->sour |= (uint16_t)(1u << part->link);
        p->not_before = instant_after(o->now, temporary_ms[p->temporary++]);
    } else {
        part->state = part->is_repeated ? PART_UNKNOWN : PART_GIVEN_UP;
    }
}

// The part that flies with this tag over this link, or NULL.
static struct part *part_of(struct outbox *o, unsigned link, uint64_t tag, struct packet **packet)
{
    const uint64_t index = tag >> 8 & 0xFFFFFF;
    const unsigned number = tag & 0xFF;
    if (index >= o->options.packets_max || number >= SMS_PARTS_MAX)
        return NULL;
    struct packet *p = &o->packets[index];
    struct part *part = &p->parts[number];
    const bool is_same = p->generation == tag >> 32 && p->phase != PACKET_FREE;
    if (!is_same || part->state != PART_FLYING || part->link != link)
        return NULL;
    *packet = p;
    o->flying--;
    outbox_limit_landed(o, p);
    return part;
}

void outbox_response(struct outbox *o, unsigned link, uint64_t tag, const struct smpp_pdu *pdu)
{
    struct packet *p = NULL;
    struct part *part = part_of(o, link, tag, &p);
    if (part == NULL)
        return;
    outbox_link_answered(o, link, pdu->status);
    if (pdu->status == ESME_ROK) {
        part->state = PART_ACCEPTED;
        outbox_id_plain(pdu->id.message_id, part->id);
        o->counts.parts_accepted++;
    } else {
        refused(p, part, pdu->status);
    }
    changed(p);
}

void outbox_unknown(struct outbox *o, unsigned link, uint64_t tag)
{
    struct packet *p = NULL;
    struct part *part = part_of(o, link, tag, &p);
    if (part == NULL)
        return;
    outbox_link_unanswered(o, link);
    outbox_health_withdraw(o, p, link);
    if (part->is_repeated) {
        part->state = PART_UNKNOWN;
    } else {
        part->is_repeated = true;
        part->state = PART_WAITING;
        p->avoid = (uint8_t)link;
        p->repeat_until = instant_after(o->now, REPEAT_MS);
        outbox_scan_by(o, p->repeat_until);
    }
    changed(p);
}

// --- time ------------------------------------------------------------------------------------

// Ends what is over for one packet, and says when to look again.
static struct instant look_at(struct packet *p)
{
    struct outbox *o = p->outbox;
    struct instant next = p->until;
    const bool is_over = instant_is_due(p->until, o->now);
    bool is_repeating = false;
    for (unsigned i = 0; i < p->part_count; i++) {
        struct part *part = &p->parts[i];
        if (part->state != PART_WAITING)
            continue;
        if (part->is_repeated && (is_over || instant_is_due(p->repeat_until, o->now)))
            part->state = PART_UNKNOWN;
        else if (is_over)
            part->state = PART_GIVEN_UP;
        is_repeating = is_repeating || part->is_repeated;
    }
    if (is_repeating)
        next = instant_earlier(next, p->repeat_until);
    if (p->phase == PACKET_RESTING && has(p, PART_WAITING))
        next = instant_earlier(next, p->not_before);
    return instant_is_due(next, o->now) ? INSTANT_NEVER : next;
}

// What is in the ready queue and has nothing left to send leaves it.
static void purge_ready(struct outbox *o)
{
    struct packet_list ready = o->ready;
    struct packet *p = NULL;
    o->ready = (struct packet_list){OUTBOX_NONE, OUTBOX_NONE};
    while ((p = outbox_list_take(o, &ready)) != NULL)
        settle(p);
}

void outbox_scan(struct outbox *o)
{
    if (!instant_is_due(o->scan_at, o->now))
        return;
    o->scan_at = INSTANT_NEVER;
    for (uint32_t i = 0; i < o->options.packets_max; i++) {
        struct packet *p = &o->packets[i];
        switch ((enum packet_phase)p->phase) {
        case PACKET_READY:
            outbox_scan_by(o, look_at(p));
            break;
        case PACKET_RESTING:
            outbox_scan_by(o, look_at(p));
            settle(p);
            break;
        case PACKET_BEHIND:
            outbox_scan_by(o, look_at(p));
            if (!has(p, PART_WAITING))
                settle(p);
            break;
        case PACKET_FREE:
        case PACKET_STAGED:
        case PACKET_FLYING:
        case PACKET_ENDED:
        case PACKET_REPORTED:
            break;
        }
    }
    purge_ready(o);
}
